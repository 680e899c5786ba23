//! Why a command failed, and the exit code for it.

use std::io;
use std::path::Path;
use std::process::ExitCode;

/// An error that ends a command. Its text is one line for the user; `main` prints it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The work failed, or a part of it. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Something that the program needs is missing on this machine. Exit code 3.
    #[error("{0}; `gst-mood doctor` says what to install")]
    Environment(String),
    /// `gst-mood doctor` has already printed what is missing. Exit code 3.
    #[error("something that is needed is missing")]
    RequirementsMissing,
    /// The arguments contradict each other or name something that does not exist. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The command has already printed the reason, so `main` prints nothing. Exit code 1.
    #[error("it failed")]
    AlreadyReported,
    /// The user pressed Ctrl-C, or SIGTERM was sent. Exit code 1.
    #[error("interrupted")]
    Interrupted,
    /// The user pressed Ctrl-C, or SIGTERM was sent, and the files being written could not be finished in time. Exit code 1.
    #[error("interrupted, and what was being written could not be finished")]
    InterruptedUnfinished,
}

impl CommandError {
    /// The exit code of the process, as listed in the module docs of `main`.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) | Self::AlreadyReported | Self::Interrupted | Self::InterruptedUnfinished => {
                ExitCode::from(1)
            }
            Self::Usage(_) => ExitCode::from(2),
            Self::Environment(_) | Self::RequirementsMissing => ExitCode::from(3),
        }
    }

    /// The system could not start a thread.
    pub fn thread(error: io::Error) -> Self {
        Self::Failed(format!("no thread can be started: {error}"))
    }

    /// The file or folder at `path` could not be read or written.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        Self::Failed(format!("{}: {error}", path.display()))
    }
}

impl From<music_library::Error> for CommandError {
    fn from(error: music_library::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
