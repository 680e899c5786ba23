//! Finding and loading ONNX Runtime: once a process, as its own design demands.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;

/// ONNX Runtime, loaded. Cheap to clone; all of a process share one.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
}

/// Why there is no ONNX Runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A library was named that is not there.
    #[error("ONNX Runtime's library {0} does not exist: correct runtime-library or ORT_DYLIB_PATH")]
    Missing(PathBuf),
    /// None was named and none was found.
    #[error(
        "ONNX Runtime's library was not found in {}, nor by the system: run `make setup`, or name libonnxruntime.so \
         (1.21 or later) with the property runtime-library or in ORT_DYLIB_PATH",
        list(.0)
    )]
    NotFound(Vec<PathBuf>),
    /// It is there, but cannot be used.
    #[error("{path} cannot be used as ONNX Runtime 1.21 or later: {reason}")]
    Unusable {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// Another one is in use already.
    #[error(
        "this process already uses {used}, and one process can use only one ONNX Runtime: {wanted} was asked for"
    )]
    Another {
        /// The one loaded.
        used: PathBuf,
        /// The one asked for.
        wanted: PathBuf,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// ONNX Runtime allows one environment a process, and never a second one: it is kept for the process's life.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// What the system's loader is asked for, the unversioned name first.
const SYSTEM_NAMES: [&str; 3] = ["libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.21"];
const FILE_NAME: &str = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };

impl Runtime {
    /// Loads ONNX Runtime, or returns the one that is loaded.
    ///
    /// Looked for in this order: `named`; `$ORT_DYLIB_PATH`; `libonnxruntime.so` in each folder of `near` and in
    /// `../onnxruntime` from there; beside this program and in `../onnxruntime`, `../../onnxruntime` and
    /// `../lib/onnxruntime` from there; what the system's loader finds.
    ///
    /// Its telemetry is switched off. Microsoft's own builds from 1.29 on note what program runs on what machine before
    /// that can be said: with one of those, set `ORT_DISABLE_TELEMETRY=1` for the process.
    pub fn load(named: Option<&Path>, near: &[PathBuf]) -> Result<Self, RuntimeError> {
        let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let named = match named {
            Some(path) => Some(path.to_path_buf()),
            None => env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from),
        };
        let named = match named {
            Some(path) => Some(path.canonicalize().map_err(|_| RuntimeError::Missing(path))?),
            None => None,
        };
        if let Some(runtime) = loaded.as_ref() {
            return match named {
                Some(wanted) if wanted != runtime.library => {
                    Err(RuntimeError::Another { used: runtime.library.clone(), wanted })
                }
                _ => Ok(runtime.clone()),
            };
        }
        let runtime = match named {
            Some(path) => Self::open(path)?,
            None => Self::search(near)?,
        };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The library in use: a path, or a bare name where the system's loader found it.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The environment, of which a process has one: what makes a session of one's own beside the classifiers'.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its version and how it was built, in its own words.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    fn search(near: &[PathBuf]) -> Result<Self, RuntimeError> {
        let program = env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf));
        let mut places: Vec<PathBuf> = Vec::new();
        for folder in near {
            places.extend([folder.clone(), folder.join("../onnxruntime")]);
        }
        if let Some(folder) = program {
            places.extend(
                ["", "../onnxruntime", "../../onnxruntime", "../lib/onnxruntime"].map(|to| folder.join(to)),
            );
        }
        for place in &places {
            if let Ok(path) = place.join(FILE_NAME).canonicalize() {
                return Self::open(path);
            }
        }
        SYSTEM_NAMES
            .iter()
            .find_map(|name| Self::open(PathBuf::from(name)).ok())
            .ok_or(RuntimeError::NotFound(places))
    }

    fn open(library: PathBuf) -> Result<Self, RuntimeError> {
        let unusable = |reason: String| RuntimeError::Unusable { path: library.clone(), reason };
        let builder = ort::init_from(&library).map_err(|error| unusable(error.to_string()))?;
        let environment = builder
            .with_name("gst-mood")
            .with_telemetry(false)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        // Its warnings concern its own optimiser, not the user.
        environment.set_log_level(ort::logging::LogLevel::Error);
        Ok(Self { environment, library })
    }
}
