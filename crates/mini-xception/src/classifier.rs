//! The classifier: a self-describing ONNX model, run on batches of faces.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{borrow::Cow, fs, io};

use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;
use sha2::{Digest, Sha256};

use crate::description::Description;
use crate::{Provider, Runtime};

/// Why a model cannot be used or run.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// The file cannot be read.
    #[error(
        "model {path} cannot be read: {source}; correct the path, or leave it empty for the built-in model"
    )]
    Read {
        /// The model's file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// ONNX Runtime cannot load the file.
    #[error(
        "{model} is not a model that ONNX Runtime can load: {reason}; take another file, or none for the built-in model"
    )]
    Load {
        /// The model's path, or that it is the built-in one.
        model: String,
        /// ONNX Runtime's error message.
        reason: String,
    },
    /// The model's description is missing or does not fit its graph.
    #[error(
        "{model} cannot be used as an emotion model: {what} (training/README.md says what a model needs)"
    )]
    Description {
        /// The model's path, or that it is the built-in one.
        model: String,
        /// What is missing or wrong, as a part of a sentence.
        what: String,
    },
    /// Running the model failed, or its output is not a distribution.
    #[error("inference failed: {0}")]
    Run(String),
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// The model compiled into this crate: models/mini_xception.onnx.
    BuiltIn,
    /// An ONNX file whose metadata describe it, see training/README.md.
    File(PathBuf),
}

/// The file of the built-in model.
static BUILT_IN: &[u8] = include_bytes!("../../../models/mini_xception.onnx");

impl Model {
    /// The model's name in error messages.
    fn display_name(&self) -> String {
        match self {
            Self::BuiltIn => "the built-in model".into(),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn read(&self) -> Result<Cow<'static, [u8]>, ClassifierError> {
        match self {
            Self::BuiltIn => Ok(BUILT_IN.into()),
            Self::File(path) => match fs::read(path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(source) => Err(ClassifierError::Read { path: path.clone(), source }),
            },
        }
    }

    /// SHA-256 of the model's file, 64 hexadecimal digits; the file is read for it.
    pub fn sha256(&self) -> Result<String, ClassifierError> {
        Ok(format_sha256(&self.read()?))
    }
}

/// SHA-256 of a model's file, 64 hexadecimal digits.
fn format_sha256(bytes: &[u8]) -> String {
    let mut sha256 = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    sha256
}

/// A loaded model.
pub struct Classifier {
    session: Session,
    description: Description,
    sha256: String,
    provider: Provider,
    fallback_reason: Option<String>,
    /// The normalised input; kept to reuse its memory.
    input: Vec<f32>,
}

impl Classifier {
    /// Loads a model. Where `provider` does not work the processor runs it, see [`Self::provider`] and
    /// [`Self::fallback_reason`].
    pub fn load(runtime: &Runtime, model: &Model, provider: Provider) -> Result<Self, ClassifierError> {
        let bytes = model.read()?;
        let OpenedSession { session, provider, fallback_reason } =
            open_session(runtime, model, &bytes, provider)?;
        let description = Description::read(&session)
            .map_err(|what| ClassifierError::Description { model: model.display_name(), what })?;
        let sha256 = format_sha256(&bytes);
        Ok(Self { session, description, sha256, provider, fallback_reason, input: Vec::new() })
    }

    /// The side of the square patches that are its input, pixels.
    pub fn side(&self) -> usize {
        self.description.side
    }

    /// The model's name, from its metadata.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// SHA-256 of the model's file, 64 hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The provider that runs the network: [`Provider::Cpu`] where the requested one does not work.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Why the requested provider does not run the network; `None` where it does.
    pub fn fallback_reason(&self) -> Option<&str> {
        self.fallback_reason.as_deref()
    }

    /// Classifies faces in one run of the network. Returns a distribution for each, in
    /// [`mood_schema::Emotion`]'s order.
    ///
    /// `patches` holds the patches one after the other, [`Self::side`] squared grey values of full range
    /// each; an incomplete patch at the end is ignored.
    pub fn classify(&mut self, patches: &[u8]) -> Result<Vec<[f64; 7]>, ClassifierError> {
        let description = &self.description;
        let pixels = description.side * description.side;
        let count = patches.len() / pixels;
        if count == 0 {
            return Ok(Vec::new());
        }
        self.input.clear();
        self.input.extend(patches[..count * pixels].iter().map(|&grey| description.normalise(grey)));
        let run_error = |error: ort::Error| ClassifierError::Run(error.to_string());
        let input = TensorRef::from_array_view((description.input_shape(count), self.input.as_slice()))
            .map_err(run_error)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(run_error)?;
        let (_, values) = outputs[0].try_extract_tensor::<f32>().map_err(run_error)?;
        if values.len() != count * description.class_count() {
            return Err(ClassifierError::Run(format!("{} values for {count} faces", values.len())));
        }
        let to_distribution = |row: &[f32]| {
            let error = || ClassifierError::Run(format!("the model's output {row:?} is no distribution"));
            description.to_distribution(row).ok_or_else(error)
        };
        values.chunks(description.class_count()).map(to_distribution).collect()
    }
}

/// A session with the provider that runs it, and why that is not the requested one.
struct OpenedSession {
    session: Session,
    provider: Provider,
    fallback_reason: Option<String>,
}

/// Opens a session with `provider`, or with the processor where that does not work.
fn open_session(
    runtime: &Runtime,
    model: &Model,
    bytes: &[u8],
    provider: Provider,
) -> Result<OpenedSession, ClassifierError> {
    let mut reasons = Vec::new();
    for &provider in provider.accelerators() {
        let Some(registration) = provider.registration() else { continue };
        let session = session_builder(runtime)
            .and_then(|builder| Ok(builder.with_execution_providers([registration])?))
            .and_then(|mut builder| builder.commit_from_memory(bytes));
        match session {
            Ok(session) => return Ok(OpenedSession { session, provider, fallback_reason: None }),
            Err(error) => reasons.push(error_text(&error)),
        }
    }
    let session = session_builder(runtime).and_then(|mut builder| builder.commit_from_memory(bytes));
    let session = session
        .map_err(|error| ClassifierError::Load { model: model.display_name(), reason: error_text(&error) })?;
    let fallback_reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    Ok(OpenedSession { session, provider: Provider::Cpu, fallback_reason })
}

/// ONNX Runtime's error message without the full stop, for use within a sentence.
fn error_text(error: &ort::Error) -> String {
    error.to_string().trim_end_matches(['.', ' ']).to_string()
}

/// Sessions run on the caller's thread alone and never wait actively: a small network must not bring a pool
/// of spinning threads into a media process.
fn session_builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?;
    Ok(builder)
}
