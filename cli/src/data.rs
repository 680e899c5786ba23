//! Where the user's programs keep their data, and this one its own there: clients and the library.

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;

/// `$GST_MOOD_DATA`, or `gst-mood` where the user's data are (XDG Base Directory Specification 0.8).
pub fn folder() -> Result<PathBuf, Failure> {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The specification has relative paths ignored.
    let absolute = |name: &str| named(name).filter(|path| path.is_absolute());
    named("GST_MOOD_DATA")
        .or_else(|| absolute("XDG_DATA_HOME").map(|data| data.join("gst-mood")))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share/gst-mood")))
        .ok_or_else(|| Failure::Work("there is no home folder: set HOME or GST_MOOD_DATA".into()))
}
