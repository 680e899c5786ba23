//! The panel of `gst-mood live` in a real browser, against a real pipeline: every control, two pages in step, a network that
//! drops, a reload. Screenshots are kept in target/tests/panel.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::browser::find_browser;
use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::readers::{read_with, reader_script};
use mood_tests::{actor, audio, command, gst_mood, paths, run};

/// Length of the tracks, seconds: longer than the test, so that tracks change on request only.
const SECONDS: u32 = 180;

/// Starts `gst-mood live --panel` with the smiling actor; its standard output goes to `output`.
fn start_live(folder: &Path, output: &Path) -> RunningProcess {
    let music = folder.join("music");
    fs::create_dir_all(&music).unwrap();
    for (name, hertz, mood) in
        [("Up", 880.0, "happy"), ("High", 660.0, "happy"), ("Light", 770.0, "happy"), ("Down", 220.0, "sad")]
    {
        audio::write_tone(&music, &format!("{name}.wav"), hertz, SECONDS, mood);
    }
    let mut live = command("sh");
    live.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(output);
    live.arg(paths::release_folder().join("gst-mood"));
    live.args(["live", "--panel", "--no-window", "--no-mpris", "--audio-sink", "fakesink sync=true"]);
    live.args(["--camera", &actor::camera(folder, -1), "--library"]).arg(music);
    RunningProcess::start(live)
}

/// Waits until a file has `lines` lines.
#[track_caller]
fn wait_for_lines(path: &Path, lines: usize) -> String {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= lines {
            return text;
        }
        assert!(Instant::now() < deadline, "{text}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_control_works_on_two_pages_through_a_lost_network_and_a_reload() {
    let Some(browser) = find_browser() else { return };
    let folder = paths::kept_folder("panel");
    let links = folder.join("links");
    let live = start_live(&folder, &links);
    let text = wait_for_lines(&links, 2);
    assert!(text.starts_with("panel: http://127.0.0.1:"), "{text}");

    let mut reader = reader_script("panel.py");
    reader.arg(browser).arg(&folder);
    let found = read_with(reader, &links);
    live.signal("INT");
    live.wait(TIMEOUT).assert_success();

    assert_eq!(found["axe"], serde_json::json!([]));
    assert_eq!(found["small"], serde_json::json!([]), "controls below 48 px");
    for (view, pixels) in found["overflow"].as_object().unwrap() {
        assert!(pixels.as_i64().unwrap() <= 0, "{view} is {pixels} pixels too wide");
    }
    for request in found["requests"].as_array().unwrap() {
        assert!(request.as_str().unwrap().starts_with("http://127.0.0.1:"), "{request}");
    }
    // While the network is cut, and where the picture has just been switched off, requests fail.
    let console = found["console"].as_array().unwrap();
    let is_expected =
        |line: &serde_json::Value| line.as_str().unwrap().starts_with("Failed to load resource");
    assert!(console.iter().all(is_expected), "{console:?}");

    let text = |pointer: &str| found.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    assert!(text("/first/sure").ends_with(" % sure"), "{found}");
    assert!(!text("/first/why").is_empty() && !text("/first/next").is_empty(), "{found}");
    let tracks: Vec<_> = (0..3).map(|index| text(&format!("/tracks/{index}"))).collect();
    assert!(tracks.iter().all(|track| ["Up", "High", "Light"].contains(&track.as_str())), "{tracks:?}");
    assert!(tracks[1] != tracks[0] && tracks[2] != tracks[0], "{tracks:?}");
    assert!(text("/path").contains("steps to the target") && found["steps"].as_u64() > Some(1), "{found}");
    assert_eq!(found["began early"], "false");
    assert!(
        text("/undo/0").contains("looks at the window") && text("/undo/1").contains("verbalises"),
        "{found}"
    );
    assert_eq!(found["picture at first"], true);
    assert!(["Up", "High", "Light", "Down"].contains(&text("/screen").trim()), "the title alone: {found}");
    assert!(text("/lost/0").contains("last state") && found["lost"][1] == true, "{found}");
    assert!(["happy", "sad"].contains(&text("/lost/2").as_str()), "the last state stays: {found}");
}

#[test]
fn an_address_that_others_can_reach_takes_permission() {
    let live = |options: &[&str]| {
        let mut live = gst_mood(&["live", "--no-mpris", "--no-window", "--library", "/nowhere", "--panel"]);
        live.args(options);
        run(live, TIMEOUT)
    };
    let refused = live(&["0.0.0.0", "--camera", "videotestsrc num-buffers=1"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    refused.assert_error(&["0.0.0.0", "not", "encrypted", "--panel-anyone"]);
    assert_eq!(live(&["example.org"]).code, Some(2));
}
