//! The network: an ONNX model with its own description, run on a batch of faces.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{borrow::Cow, fs, io};

use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;
use sha2::{Digest, Sha256};

use crate::description::Description;
use crate::{Provider, Runtime};

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
        "{model} cannot be used as an emotion model: {what} (training/README.md says what a model needs)"
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

/// A network ready to run.
pub struct Classifier {
    session: Session,
    description: Description,
    sha256: String,
    provider: Provider,
    fallback: Option<String>,
    input: Vec<f32>,
}

impl Classifier {
    /// Loads a model. A provider that does not work here is replaced by the processor: see [`Self::provider`].
    pub fn load(runtime: &Runtime, model: &Model, provider: Provider) -> Result<Self, ClassifierError> {
        let bytes = model.bytes()?;
        let Opened { session, provider, fallback } = open(runtime, model, &bytes, provider)?;
        let description = Description::read(&session)
            .map_err(|what| ClassifierError::Description { model: model.name(), what })?;
        let mut sha256 = String::new();
        for byte in Sha256::digest(&bytes) {
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Self { session, description, sha256, provider, fallback, input: Vec::new() })
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

    /// Why the wanted provider does not run it; `None` where it does.
    pub fn fallback(&self) -> Option<&str> {
        self.fallback.as_deref()
    }

    /// The seven probabilities of each face, in [`mood_schema::Emotion`]'s order, in one run of the network.
    ///
    /// `patches` holds the faces one after the other, [`Self::side`] squared grey values each, full range.
    pub fn classify(&mut self, patches: &[u8]) -> Result<Vec<[f64; 7]>, ClassifierError> {
        let description = &self.description;
        let pixels = description.side * description.side;
        let count = patches.len() / pixels;
        if count == 0 {
            return Ok(Vec::new());
        }
        self.input.clear();
        self.input.extend(patches[..count * pixels].iter().map(|&grey| description.normalise(grey)));
        let failed = |error: ort::Error| ClassifierError::Run(error.to_string());
        let input =
            TensorRef::from_array_view((description.shape(count), self.input.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(failed)?;
        let (_, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        if values.len() != count * description.classes() {
            return Err(ClassifierError::Run(format!("{} values for {count} faces", values.len())));
        }
        let distribution = |row: &[f32]| {
            let what = || ClassifierError::Run(format!("the model's output {row:?} is no distribution"));
            description.distribution(row).ok_or_else(what)
        };
        values.chunks(description.classes()).map(distribution).collect()
    }
}

/// A session, what runs it, and why that is not what was wanted.
struct Opened {
    session: Session,
    provider: Provider,
    fallback: Option<String>,
}

fn open(runtime: &Runtime, model: &Model, bytes: &[u8], wanted: Provider) -> Result<Opened, ClassifierError> {
    let mut reasons = Vec::new();
    for &provider in wanted.candidates() {
        let Some(dispatch) = provider.dispatch() else { continue };
        let session = builder(runtime)
            .and_then(|builder| Ok(builder.with_execution_providers([dispatch])?))
            .and_then(|mut builder| builder.commit_from_memory(bytes));
        match session {
            Ok(session) => return Ok(Opened { session, provider, fallback: None }),
            Err(error) => reasons.push(words(&error)),
        }
    }
    let session = builder(runtime).and_then(|mut builder| builder.commit_from_memory(bytes));
    let session =
        session.map_err(|error| ClassifierError::Load { model: model.name(), reason: words(&error) })?;
    let fallback = (!reasons.is_empty()).then(|| reasons.join("; "));
    Ok(Opened { session, provider: Provider::Cpu, fallback })
}

/// What ONNX Runtime says, as a part of a sentence.
fn words(error: &ort::Error) -> String {
    error.to_string().trim_end_matches(['.', ' ']).to_string()
}

/// One small network inside a media process: one thread, the caller's, that never spins while it waits.
fn builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?;
    Ok(builder)
}
