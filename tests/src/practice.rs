//! A place to run `gst-mood process` in: recordings made on the spot, results, and what is found in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::LIMIT;
use crate::reader::{read, reader};
use crate::{Done, Timeline, gst_mood, place, run};

/// A folder with recordings, results and clients of its own.
#[derive(Debug)]
pub struct Practice {
    folder: TempDir,
}

impl Default for Practice {
    fn default() -> Self {
        Self::new()
    }
}

impl Practice {
    /// An empty one.
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// Something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `gst-mood`, run in it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut process = gst_mood(arguments);
        process.env_remove("GST_PLUGIN_PATH").env("GST_MOOD_DATA", self.path("data"));
        process.current_dir(self.folder.path());
        process
    }

    /// Processes into `out`.
    pub fn process(&self, arguments: &[&str]) -> Done {
        run(self.command(&[&["process", "-o", "out"], arguments].concat()), LIMIT)
    }

    /// A recording made by ffmpeg from the clip.
    pub fn film(&self, name: &str, clip: &Path, arguments: &[&str]) {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(clip).args(arguments).arg(self.path(name));
        assert!(ffmpeg.status().unwrap().success());
    }

    /// The timeline of a session in `out`.
    pub fn timeline(&self, session: &str) -> Timeline {
        Timeline::read(&self.path("out").join(session).join("timeline.jsonl")).in_order()
    }

    /// The summary of a session in `out`.
    pub fn summary(&self, session: &str) -> Value {
        json(&self.path("out").join(session).join("summary.json"))
    }

    /// The names of a session's files.
    pub fn files(&self, session: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path("out").join(session)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Encoding that costs little.
pub const QUICK: [&str; 4] = ["-c:v", "libx264", "-preset", "ultrafast"];

/// Arguments of ffmpeg with [`QUICK`] behind them.
pub fn quick<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &QUICK].concat()
}

/// A minute of the clip: long enough to be interrupted.
pub fn long(practice: &Practice, clip: &Path) {
    let list = practice.path("list.txt");
    fs::write(&list, format!("file '{}'\n", clip.display()).repeat(25)).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-f", "concat", "-safe", "0", "-i"]).arg(&list);
    ffmpeg.args(quick(&[])).arg(practice.path("long.mkv"));
    assert!(ffmpeg.status().unwrap().success());
}

/// A file is what its schema in docs/ says.
#[track_caller]
pub fn valid(schema: &str, file: &Path) {
    let mut validate = reader("validate.py");
    validate.arg(place::root().join("docs").join(schema));
    let found = read(validate, file);
    assert_eq!(found["wrong"], serde_json::json!([]), "{}", file.display());
    assert!(found["values"].as_u64().unwrap() > 0);
}
