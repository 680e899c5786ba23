//! Paths of the built plugins, the test media, and folders for test output.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Files that `make build` leaves in `target/release` and the tests need.
const BUILT_FILES: [&str; 4] =
    ["libgstfacedetect.so", "libgstemotionclassify.so", "libgstmoodplayer.so", "gst-mood"];

/// The root folder of the Cargo workspace.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is a folder of the workspace").to_path_buf()
}

/// The folder with the release build of the plugins and of `gst-mood`. Panics where one of them is missing.
pub fn release_folder() -> PathBuf {
    let folder = workspace_root().join("target/release");
    for name in BUILT_FILES {
        assert!(folder.join(name).exists(), "no {name} in {}: run `make build` first", folder.display());
    }
    folder
}

/// The path of a test media file in `$MOOD_TEST_DATA`, or `None` with a printed reason where there is none.
pub fn media(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("MOOD_TEST_DATA").map(PathBuf::from);
    let path = folder.unwrap_or_else(|| workspace_root().join("../shared/data")).join(name);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    println!("skipped: no {}; MOOD_TEST_DATA names the folder", path.display());
    None
}

/// An empty folder below `target/tests` that is kept after the test, for output that somebody may want to inspect.
/// It has the same path in every run.
pub fn kept_folder(name: &str) -> PathBuf {
    let folder = workspace_root().join("target/tests").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The name of the running test program, without the hash that Cargo adds.
pub fn test_program() -> String {
    let path = env::current_exe().unwrap();
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_string())
}
