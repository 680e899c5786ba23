//! A pipeline leaves no files in the user's home.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_tests::process::{TIMEOUT, shell};
use mood_tests::run;
use tempfile::TempDir;

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

#[test]
fn classification_leaves_no_files_in_the_users_home() {
    let home = TempDir::new().unwrap();
    let line = "gst-launch-1.0 -q videotestsrc num-buffers=20 ! haarfacedetect ! emotionclassify ! fakesink";
    let mut command = shell(line);
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("XDG_DATA_HOME");
    run(command, TIMEOUT).assert_success();
    // Newer wheels of ONNX Runtime would leave a telemetry database.
    assert_eq!(files_below(home.path()), Vec::<PathBuf>::new());
}
