//! `gst-mood demo` from end to end, run once for all the tests here; its results stay in target/tests/demo.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod picture;
mod report;
mod session;
mod soundtrack;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mood_tests::{Done, command, gst_mood, place, run};
use serde_json::Value;

/// Of the built-in script.
const SECONDS: f64 = 44.0;
const FRAMES_PER_SECOND: f64 = 25.0;
const FRAMES: usize = 1100;
/// Ten times as long as it takes on two cores.
const LIMIT: Duration = Duration::from_secs(600);

/// Where the demo's results are. Where it fails, it is not tried again for every test.
static DEMO: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = place::lasting_folder("demo");
    let mut demo = gst_mood(&["demo", "--json", "--output"]);
    // Its own elements are built in.
    demo.env_remove("GST_PLUGIN_PATH").arg(&folder);
    let begun = Instant::now();
    let done = run(demo, LIMIT).ok();
    println!("the demo took {:.0} s\n{}", begun.elapsed().as_secs_f64(), done.stderr);
    assert!(!done.stderr.contains("warning"), "{done}");
    let results: Value = serde_json::from_str(&done.stdout).expect("paths as JSON");
    for (name, path) in results.as_object().unwrap() {
        assert_eq!(path.as_str().unwrap(), folder.join(name).to_str().unwrap());
    }
    folder
});

fn demo() -> &'static Path {
    &DEMO
}

/// Runs a tool of ffmpeg's on one of the results and its material.
fn tool(name: &str, arguments: &[&str]) -> Done {
    let mut tool: Command = command(name);
    tool.args(["-v", "error"]).args(arguments).current_dir(demo());
    run(tool, mood_tests::process::LIMIT).ok()
}

/// What ffprobe says of a file's streams.
fn streams(file: &str) -> Vec<Value> {
    let done = tool("ffprobe", &["-show_entries", "stream", "-of", "json", file]);
    serde_json::from_str::<Value>(&done.stdout).unwrap()["streams"].as_array().unwrap().clone()
}

fn seconds(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} are no seconds"))
}

#[test]
fn every_result_is_there_and_nothing_half_done() {
    let folder = demo();
    for name in ["annotated.mp4", "report.html", "timeline.jsonl", "soundtrack.ogg", "music.jsonl"] {
        let size = folder.join(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}")).len();
        assert!(size > 1000, "{name} has {size} bytes");
    }
    let parts = std::fs::read_dir(folder.join("material")).unwrap().flatten();
    assert!(parts.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().ends_with(".part")));
}
