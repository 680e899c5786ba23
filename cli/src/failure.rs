//! Why a command did not do its work, and the exit code that says so.

use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Each is one line for a person.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The work could not be done.
    #[error("{0}")]
    Work(String),
    /// Something is missing on this machine.
    #[error("{0}; `gst-mood doctor` says what to install")]
    Environment(String),
    /// The findings of the doctor have been printed already.
    #[error("something that is needed is missing")]
    Unwell,
    /// The arguments cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// Its own line has said why already.
    #[error("it failed")]
    Told,
    /// The user ended it.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Work(_) | Self::Told | Self::Interrupted => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Environment(_) | Self::Unwell => ExitCode::from(3),
        }
    }

    /// A file that could not be written or read.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::Work(format!("{}: {error}", path.display()))
    }
}
