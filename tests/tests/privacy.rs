//! What a session leaves behind: nothing in the user's home that nobody asked for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_tests::process::{LIMIT, shell};
use mood_tests::run;
use tempfile::TempDir;

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[test]
fn a_classifier_leaves_nothing_in_the_users_home() {
    let home = TempDir::new().unwrap();
    let line = "gst-launch-1.0 -q videotestsrc num-buffers=20 ! haarfacedetect ! emotionclassify ! fakesink";
    let mut command = shell(line);
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("XDG_DATA_HOME");
    run(command, LIMIT).ok();
    // ONNX Runtime's newer wheels would leave a database of what ran here.
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
}
