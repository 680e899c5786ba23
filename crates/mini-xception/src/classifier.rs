//! The network: an ONNX model with its own description, run on a batch of faces.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{borrow::Cow, fs, io};

use mood_schema::Emotion;
use ort::ep;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{TensorRef, ValueType};
use sha2::{Digest, Sha256};

use crate::Runtime;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// The file.
    #[error(
        "model {path} cannot be read: {source}; correct the path, or leave it empty for the built-in model"
    )]
    Read {
        /// The model.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Not a model that ONNX Runtime loads.
    #[error(
        "{model} is not a model that ONNX Runtime can load: {reason}; take another file, or none for the built-in model"
    )]
    Load {
        /// The model.
        model: String,
        /// ONNX Runtime's words.
        reason: String,
    },
    /// A model, but not one of faces with its description.
    #[error(
        "{model} does not describe itself as an emotion model: {what} (training/README.md says what is needed)"
    )]
    Description {
        /// The model.
        model: String,
        /// What is missing or wrong.
        what: String,
    },
    /// Running it failed.
    #[error("inference failed: {0}")]
    Run(String),
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// The one built in.
    BuiltIn,
    /// An ONNX file.
    File(PathBuf),
}

static BUILT_IN: &[u8] = include_bytes!("../../../models/mini_xception.onnx");

impl Model {
    fn name(&self) -> String {
        match self {
            Self::BuiltIn => "the built-in model".into(),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn bytes(&self) -> Result<Cow<'static, [u8]>, ClassifierError> {
        match self {
            Self::BuiltIn => Ok(BUILT_IN.into()),
            Self::File(path) => match fs::read(path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(source) => Err(ClassifierError::Read { path: path.clone(), source }),
            },
        }
    }
}

/// What runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    TensorRt,
    /// Intel OpenVINO.
    OpenVino,
    /// The first of TensorRT, CUDA and OpenVINO that works here.
    Auto,
}

impl Provider {
    /// What to try, best first; the processor stands behind all of them.
    fn candidates(self) -> &'static [Self] {
        match self {
            Self::Cpu => &[],
            Self::Cuda => &[Self::Cuda],
            Self::TensorRt => &[Self::TensorRt],
            Self::OpenVino => &[Self::OpenVino],
            Self::Auto => &[Self::TensorRt, Self::Cuda, Self::OpenVino],
        }
    }

    fn dispatch(self) -> Option<ep::ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::Cpu | Self::Auto => return None,
        };
        Some(dispatch.error_on_failure())
    }
}

/// A network ready to run.
pub struct Classifier {
    session: Session,
    description: Description,
    sha256: String,
    provider: Provider,
    input: Vec<f32>,
}

/// What a model says of itself in its metadata.
struct Description {
    name: String,
    /// Place of each output among ours.
    emotions: Vec<Emotion>,
    side: usize,
    mean: f32,
    std: f32,
    /// Channels behind the rows, as in Keras, rather than before them. With one channel the data is the same.
    channels_last: bool,
}

impl Classifier {
    /// Loads a model. A provider that does not work here is replaced by the processor: see [`Self::provider`].
    pub fn load(runtime: &Runtime, model: &Model, provider: Provider) -> Result<Self, ClassifierError> {
        let bytes = model.bytes()?;
        let (session, provider) = open(runtime, model, &bytes, provider)?;
        let description = Description::read(&session)
            .map_err(|what| ClassifierError::Description { model: model.name(), what })?;
        let mut sha256 = String::new();
        for byte in Sha256::digest(&bytes) {
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Self { session, description, sha256, provider, input: Vec::new() })
    }

    /// The side of the square patches it takes, pixels.
    pub fn side(&self) -> usize {
        self.description.side
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// SHA-256 of the model's file, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What runs it: [`Provider::Cpu`] where the wanted one does not work here.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The seven probabilities of each face, in [`Emotion`]'s order, in one run of the network.
    ///
    /// `patches` holds the faces one after the other, [`Self::side`] squared grey values each, full range.
    pub fn classify(&mut self, patches: &[u8]) -> Result<Vec<[f64; 7]>, ClassifierError> {
        let Description { side, mean, std, channels_last, .. } = self.description;
        let count = patches.len() / (side * side);
        if count == 0 {
            return Ok(Vec::new());
        }
        self.input.clear();
        self.input.extend(patches[..count * side * side].iter().map(|&grey| (f32::from(grey) - mean) / std));
        let shape = if channels_last { [count, side, side, 1] } else { [count, 1, side, side] };
        let failed = |error: ort::Error| ClassifierError::Run(error.to_string());
        let input = TensorRef::from_array_view((shape, self.input.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(failed)?;
        let (_, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        let classes = self.description.emotions.len();
        if values.len() != count * classes {
            return Err(ClassifierError::Run(format!("{} values for {count} faces", values.len())));
        }
        values.chunks(classes).map(|row| self.description.distribution(row)).collect()
    }
}

fn open(
    runtime: &Runtime,
    model: &Model,
    bytes: &[u8],
    wanted: Provider,
) -> Result<(Session, Provider), ClassifierError> {
    let failed = |error: ort::Error| ClassifierError::Load { model: model.name(), reason: error.to_string() };
    for &provider in wanted.candidates() {
        let Some(dispatch) = provider.dispatch() else { continue };
        let session = builder(runtime)
            .and_then(|builder| Ok(builder.with_execution_providers([dispatch])?))
            .and_then(|mut builder| builder.commit_from_memory(bytes));
        if let Ok(session) = session {
            return Ok((session, provider));
        }
    }
    let session = builder(runtime).and_then(|mut builder| builder.commit_from_memory(bytes));
    Ok((session.map_err(failed)?, Provider::Cpu))
}

/// One small network inside a media process: one thread, the caller's, that never spins while it waits.
fn builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(&runtime.environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?;
    Ok(builder)
}

impl Description {
    fn read(session: &Session) -> Result<Self, String> {
        let metadata = session.metadata().map_err(|error| error.to_string())?;
        let text = |key: &str| metadata.custom(key).ok_or(format!("its metadata has no '{key}'"));
        let number = |key: &str| -> Result<f32, String> {
            text(key)?.trim().parse().map_err(|_| format!("'{key}' in its metadata is not a number"))
        };

        let labels: Vec<String> = serde_json::from_str(&text("labels")?)
            .map_err(|_| "'labels' in its metadata is not a JSON list of names".to_string())?;
        let emotions: Vec<Emotion> = labels
            .iter()
            .map(|label| label.parse().map_err(|error| format!("{error}")))
            .collect::<Result<_, _>>()?;
        if let Some(missing) = Emotion::ALL.into_iter().find(|emotion| !emotions.contains(emotion)) {
            return Err(format!("its labels lack '{missing}'"));
        }
        if emotions.len() != Emotion::ALL.len() {
            return Err(format!("it has {} labels instead of 7", emotions.len()));
        }

        let side = number("input_side")?;
        if !(8.0..=1024.0).contains(&side) || side.fract() != 0.0 {
            return Err(format!("an input side of {side} pixels"));
        }
        let (mean, std) = (number("input_mean")?, number("input_std")?);
        if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
            return Err(format!("input mean {mean} and deviation {std}"));
        }
        let [input] = session.inputs() else { return Err("it does not have exactly one input".into()) };
        let ValueType::Tensor { shape, .. } = input.dtype() else {
            return Err("its input is no tensor".into());
        };
        let channels_last = match shape[..] {
            [_, 1, h, w] if [h, w].iter().all(|&s| s < 0 || s == side as i64) => false,
            [_, h, w, 1] if [h, w].iter().all(|&s| s < 0 || s == side as i64) => true,
            _ => return Err(format!("its input is not a batch of grey pictures of {side} x {side}")),
        };
        let name = metadata.name().filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".into());
        Ok(Self { name, emotions, side: side as usize, mean, std, channels_last })
    }

    /// The network's row in our order, summing to 1.
    fn distribution(&self, row: &[f32]) -> Result<[f64; 7], ClassifierError> {
        let mut probabilities = [0.0; 7];
        for (emotion, &value) in self.emotions.iter().zip(row) {
            probabilities[emotion.index()] = f64::from(value).max(0.0);
        }
        let sum: f64 = probabilities.iter().sum();
        if !sum.is_finite() || sum <= 0.0 {
            return Err(ClassifierError::Run(format!("the model's output {row:?} is no distribution")));
        }
        Ok(probabilities.map(|probability| probability / sum))
    }
}
