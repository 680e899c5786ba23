//! The folder in which this program keeps the user's library and the clients' histories.

use std::env;
use std::path::PathBuf;

use crate::error::CommandError;

/// The folder's path: `$GST_MOOD_DATA`, else `gst-mood` in the user's data folder (XDG Base Directory
/// Specification 0.8). An error if none of the environment variables is set.
pub fn path() -> Result<PathBuf, CommandError> {
    let path_variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The specification requires that relative paths are ignored.
    let absolute_path_variable = |name: &str| path_variable(name).filter(|path| path.is_absolute());
    path_variable("GST_MOOD_DATA")
        .or_else(|| absolute_path_variable("XDG_DATA_HOME").map(|data| data.join("gst-mood")))
        .or_else(|| absolute_path_variable("HOME").map(|home| home.join(".local/share/gst-mood")))
        .ok_or_else(|| CommandError::Failed("there is no home folder: set HOME or GST_MOOD_DATA".into()))
}

/// Where files are kept that can be made again: `gst-mood` in the user's cache folder (XDG Base Directory Specification 0.8);
/// `None` if there is none.
pub fn cache_path() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("gst-mood"))
}

/// The library database that is used unless the user names another: `library.db` in [the data folder](path).
pub fn default_library() -> Result<PathBuf, CommandError> {
    Ok(path()?.join("library.db"))
}
