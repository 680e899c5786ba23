//! A temporary folder in which `gst-mood process` is run: recordings made with ffmpeg, and the results.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::TIMEOUT;
use crate::{ProcessOutput, Timeline, gst_mood, run};

/// A temporary folder with recordings, with results below `out`, and with stored clients below `data`.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Creates an empty folder, which is removed when the value is dropped.
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// The path of `name` in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command `gst-mood` with the folder as its working directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gst_mood(arguments);
        command.env_remove("GST_PLUGIN_PATH").env("GST_MOOD_DATA", self.path("data"));
        command.current_dir(self.folder.path());
        command
    }

    /// Runs `gst-mood process -o out` with more arguments.
    pub fn process(&self, arguments: &[&str]) -> ProcessOutput {
        run(self.command(&[&["process", "-o", "out"], arguments].concat()), TIMEOUT)
    }

    /// Makes the recording `name` from `clip` with ffmpeg and its output `arguments`.
    pub fn transcode(&self, name: &str, clip: &Path, arguments: &[&str]) {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(clip).args(arguments).arg(self.path(name));
        assert!(ffmpeg.status().unwrap().success());
    }

    /// Makes the recording `long.mkv`, a minute that repeats `clip`: long enough to be interrupted.
    pub fn make_long_recording(&self, clip: &Path) {
        let list = self.path("list.txt");
        fs::write(&list, format!("file '{}'\n", clip.display()).repeat(25)).unwrap();
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-f", "concat", "-safe", "0", "-i"]).arg(&list);
        ffmpeg.args(FAST_ENCODING).arg(self.path("long.mkv"));
        assert!(ffmpeg.status().unwrap().success());
    }

    /// Reads the timeline of a session in `out`.
    pub fn timeline(&self, session: &str) -> Timeline {
        Timeline::read(&self.path("out").join(session).join("timeline.jsonl")).assert_in_order()
    }

    /// Reads the summary of a session in `out`.
    pub fn summary(&self, session: &str) -> Value {
        read_json(&self.path("out").join(session).join("summary.json"))
    }

    /// The kinds of the warnings in the summary of a session in `out`, in order.
    pub fn warning_kinds(&self, session: &str) -> Vec<String> {
        let summary = self.summary(session);
        let warnings = summary["warnings"].as_array().unwrap().iter();
        warnings.map(|warning| warning["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// The sorted names of the files of a session in `out`.
    pub fn file_names(&self, session: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path("out").join(session)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Writes into an MP4 that players turn its pictures by 90, 180 or 270 degrees clockwise, as phones do: into the matrices of its track
/// headers (ISO/IEC 14496-12, 8.3.2). ffmpeg has different options for this from version to version.
pub fn turn_when_shown(path: &Path, clockwise: u32) {
    let (cos, sin): (i32, i32) = match clockwise {
        90 => (0, 1),
        180 => (-1, 0),
        270 => (0, -1),
        _ => panic!("{clockwise} degrees"),
    };
    let matrix = [cos, sin, 0, -sin, cos, 0].map(|value| value << 16);
    let mut bytes = fs::read(path).unwrap();
    let headers: Vec<usize> =
        (0..bytes.len() - 84).filter(|&at| bytes[at..].starts_with(b"tkhd\0")).collect();
    assert!(!headers.is_empty(), "{}", path.display());
    for header in headers {
        for (value, at) in matrix.into_iter().zip((header + 44..).step_by(4)) {
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
    }
    fs::write(path, bytes).unwrap();
}

/// Reads a JSON file.
pub fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// ffmpeg's output arguments for H.264 that costs little time.
pub const FAST_ENCODING: [&str; 4] = ["-c:v", "libx264", "-preset", "ultrafast"];

/// `arguments` of ffmpeg followed by [`FAST_ENCODING`].
pub fn with_fast_encoding<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &FAST_ENCODING].concat()
}
