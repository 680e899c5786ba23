//! Where things are: the built plugins, test media, folders to write into.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What `make build` leaves.
const BUILT: [&str; 4] =
    ["libgstfacedetect.so", "libgstemotionclassify.so", "libgstmoodplayer.so", "gst-mood"];

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

/// The folder with the built plugins and the command.
pub fn release() -> PathBuf {
    let folder = root().join("target/release");
    for name in BUILT {
        assert!(folder.join(name).exists(), "no {name} in {}: run `make build` first", folder.display());
    }
    folder
}

/// A file of the test media, or `None` with a printed reason.
pub fn media(name: &str) -> Option<PathBuf> {
    let data = env::var_os("MOOD_TEST_DATA").map(PathBuf::from);
    let path = data.unwrap_or_else(|| root().join("../shared/data")).join(name);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    println!("skipped: no {}; MOOD_TEST_DATA names the folder", path.display());
    None
}

/// An empty folder that stays after the test, for what a person may want to look at: the same in every run.
pub fn lasting_folder(name: &str) -> PathBuf {
    let folder = root().join("target/tests").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The name of this test program, without Cargo's hash.
pub fn program() -> String {
    let path = env::current_exe().unwrap();
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_string())
}
