//! What the targets share.

#[cfg(feature = "elements")]
mod elements;

use std::path::PathBuf;

#[cfg(feature = "elements")]
pub use elements::{formats, init_gstreamer, push};

/// An empty folder of this process in memory, where there is such a file system.
pub fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = folder.join(format!("gst-mood-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
