//! `gst-mood demo` from end to end. It runs once for all tests of this program; its results are kept in target/tests/demo.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod report;
mod soundtrack;
mod timeline;
mod video;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mood_tests::{ProcessOutput, command, gst_mood, paths, run};
use serde_json::Value;

/// Length of the built-in script, seconds.
const SECONDS: f64 = 44.0;
/// Frame rate of the actor's video.
const FRAMES_PER_SECOND: f64 = 25.0;
/// Frames of the actor's video.
const FRAMES: usize = 1100;
/// Timeout of the demo: ten times what it takes on two cores.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The folder with the demo's results. A demo that fails is not run again for every test.
static DEMO: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = paths::kept_folder("demo");
    let mut demo = gst_mood(&["demo", "--json", "--output"]);
    // The command has its own elements built in.
    demo.env_remove("GST_PLUGIN_PATH").arg(&folder);
    let start = Instant::now();
    let output = run(demo, TIMEOUT).assert_success();
    println!("the demo took {:.0} s\n{}", start.elapsed().as_secs_f64(), output.stderr);
    assert!(!output.stderr.contains("warning"), "{output}");
    let results: Value = serde_json::from_str(&output.stdout).expect("paths as JSON");
    for (name, path) in results.as_object().unwrap() {
        assert_eq!(path.as_str().unwrap(), folder.join(name).to_str().unwrap());
    }
    folder
});

/// The folder with the demo's results.
fn demo() -> &'static Path {
    &DEMO
}

/// Runs `ffmpeg` or `ffprobe` in the folder with the demo's results.
fn run_tool(name: &str, arguments: &[&str]) -> ProcessOutput {
    let mut tool: Command = command(name);
    tool.args(["-v", "error"]).args(arguments).current_dir(demo());
    run(tool, mood_tests::process::TIMEOUT).assert_success()
}

/// The streams of a file as ffprobe describes them.
fn probe_streams(file: &str) -> Vec<Value> {
    let output = run_tool("ffprobe", &["-show_entries", "stream", "-of", "json", file]);
    serde_json::from_str::<Value>(&output.stdout).unwrap()["streams"].as_array().unwrap().clone()
}

/// A number of seconds that ffprobe gives as a string.
fn parse_seconds(value: &Value) -> f64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is not a number of seconds"))
}

#[test]
fn every_result_is_written_and_no_partial_file_remains() {
    let folder = demo();
    for name in ["annotated.mp4", "report.html", "timeline.jsonl", "soundtrack.ogg", "music.jsonl"] {
        let size = folder.join(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}")).len();
        assert!(size > 1000, "{name} has {size} bytes");
    }
    let parts = std::fs::read_dir(folder.join("material")).unwrap().flatten();
    assert!(parts.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().ends_with(".part")));
}
