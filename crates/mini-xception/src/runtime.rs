//! Finding and loading the library of ONNX Runtime, which a process can load only once.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;

/// The loaded ONNX Runtime. Clones are cheap and refer to the same one.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
}

/// Why ONNX Runtime could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The file given as path or in `ORT_DYLIB_PATH` does not exist.
    #[error("ONNX Runtime's library {0} does not exist: correct runtime-library or ORT_DYLIB_PATH")]
    Missing(PathBuf),
    /// No path was given and the search found no library. Holds the folders that were searched.
    #[error(
        "ONNX Runtime's library was not found in {}, nor by the system: run `make setup`, or name libonnxruntime.so \
         (1.21 or later) with the property runtime-library or in ORT_DYLIB_PATH",
        join_paths(.0)
    )]
    NotFound(Vec<PathBuf>),
    /// The file is no ONNX Runtime, too old or cannot be loaded.
    #[error("{path} cannot be used as ONNX Runtime 1.21 or later: {reason}")]
    Unusable {
        /// The library, or the name given to the system's loader.
        path: PathBuf,
        /// The loader's error message.
        reason: String,
    },
    /// The process has loaded another library already.
    #[error(
        "this process already uses {used}, and one process can use only one ONNX Runtime: {wanted} was asked for"
    )]
    AlreadyLoaded {
        /// The library that is loaded.
        used: PathBuf,
        /// The library requested.
        wanted: PathBuf,
    },
}

fn join_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The one environment that ONNX Runtime allows in a process. It is never unloaded.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The names tried with the system's loader.
const SYSTEM_NAMES: &[&str] = system_names(cfg!(target_os = "macos"));
/// The name of the library in the folders searched.
const FILE_NAME: &str = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };

/// The names of the library on macOS, else on Linux. Without its -dev package, Debian's package has only versioned names.
const fn system_names(is_macos: bool) -> &'static [&'static str] {
    if is_macos {
        &["libonnxruntime.dylib", "libonnxruntime.1.dylib"]
    } else {
        &["libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.21"]
    }
}

impl Runtime {
    /// Loads ONNX Runtime, or returns the one that is loaded already.
    ///
    /// The library is `path`, else `$ORT_DYLIB_PATH`. Where neither is given it is searched for: in each of
    /// `folders` and in `../onnxruntime` from there; in the folder of the running program and in
    /// `../onnxruntime`, `../../onnxruntime` and `../lib/onnxruntime` from there; with the system's loader.
    ///
    /// Its telemetry is switched off. Microsoft's own builds from 1.29 on, however, report the program and the
    /// machine before it can be switched off: with one of those, set `ORT_DISABLE_TELEMETRY=1` in the
    /// environment of the process.
    pub fn load(path: Option<&Path>, folders: &[PathBuf]) -> Result<Self, RuntimeError> {
        let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let path = match path {
            Some(path) => Some(path.to_path_buf()),
            None => env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from),
        };
        let path = match path {
            Some(path) => Some(path.canonicalize().map_err(|_| RuntimeError::Missing(path))?),
            None => None,
        };
        if let Some(runtime) = loaded.as_ref() {
            return match path {
                Some(wanted) if wanted != runtime.library => {
                    Err(RuntimeError::AlreadyLoaded { used: runtime.library.clone(), wanted })
                }
                _ => Ok(runtime.clone()),
            };
        }
        let runtime = match path {
            Some(path) => Self::open(path)?,
            None => Self::search(folders)?,
        };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The loaded library: its path, or a bare name where the system's loader found it.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The environment of the process, for creating sessions other than the classifiers'.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Version and build options as ONNX Runtime describes them.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    fn search(folders: &[PathBuf]) -> Result<Self, RuntimeError> {
        let program_folder = env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf));
        let mut searched: Vec<PathBuf> = Vec::new();
        for folder in folders {
            searched.extend([folder.clone(), folder.join("../onnxruntime")]);
        }
        if let Some(folder) = program_folder {
            let relative = ["", "../onnxruntime", "../../onnxruntime", "../lib/onnxruntime"];
            searched.extend(relative.map(|path| folder.join(path)));
        }
        for folder in &searched {
            if let Ok(path) = folder.join(FILE_NAME).canonicalize() {
                return Self::open(path);
            }
        }
        SYSTEM_NAMES
            .iter()
            .find_map(|name| Self::open(PathBuf::from(name)).ok())
            .ok_or(RuntimeError::NotFound(searched))
    }

    fn open(library: PathBuf) -> Result<Self, RuntimeError> {
        let unusable_error = |reason: String| RuntimeError::Unusable { path: library.clone(), reason };
        let builder = ort::init_from(&library).map_err(|error| unusable_error(error.to_string()))?;
        let environment = builder
            .with_name("gst-mood")
            .with_telemetry(false)
            .build()
            .map_err(|error| unusable_error(error.to_string()))?;
        // Its warnings are about its graph optimizer and of no use to users.
        environment.set_log_level(ort::logging::LogLevel::Error);
        Ok(Self { environment, library })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_looked_for_by_the_names_of_the_system() {
        assert!(system_names(true).iter().all(|name| name.ends_with(".dylib")));
        assert!(system_names(false).iter().all(|name| name.contains(".so")));
        assert!(SYSTEM_NAMES.contains(&FILE_NAME));
    }
}
