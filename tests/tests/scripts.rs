//! The scripts of pipelines/, run as a user runs them, without anybody at the keyboard.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_tests::process::LIMIT;
use mood_tests::{Timeline, command, media, run, script, sound};
use tempfile::TempDir;

const CLIP: &str = "video/single_face.mp4";

#[test]
fn annotate_makes_a_film_with_its_soundtrack() {
    let Some(clip) = media(CLIP) else { return };
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("annotated.mp4");
    let mut annotate = script("annotate.sh");
    annotate.arg(clip).arg(sound::library(&folder.path().join("music"))).arg(&out);
    run(annotate, LIMIT).ok();
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0"]).arg(&out);
    let streams = run(probe, LIMIT).ok().stdout;
    let streams: Vec<(&str, f64)> = streams
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(codec, seconds)| (codec, seconds.parse().unwrap()))
        .collect();
    let codecs: Vec<&str> = streams.iter().map(|(codec, _)| *codec).collect();
    assert_eq!(codecs, ["h264", "aac"]);
    assert!(streams.iter().all(|(_, seconds)| (seconds - 2.4).abs() < 0.2), "{streams:?}");
    let music = Timeline::read(&folder.path().join("annotated.mp4.music.jsonl"));
    assert!(music.end.is_some());
}

#[test]
fn timeline_writes_either_format() {
    let Some(clip) = media(CLIP) else { return };
    let folder = TempDir::new().unwrap();
    let out = ["out.jsonl", "out.csv"].map(|name| folder.path().join(name));
    for out in &out {
        let mut timeline = script("timeline.sh");
        timeline.arg(&clip).arg(out);
        run(timeline, LIMIT).ok();
    }
    let faces = Timeline::read(&out[0]).frames.iter().map(|frame| frame.faces.len()).sum::<usize>();
    let rows = fs::read_to_string(&out[1]).unwrap();
    assert!(rows.starts_with("frame,timestamp,face_id"), "{rows}");
    assert_eq!(rows.lines().count(), 1 + faces);
}

#[test]
fn detect_prints_messages() {
    let Some(clip) = media(CLIP) else { return };
    for eyes in ["", "eye"] {
        let mut detect = script("detect.sh");
        detect.arg(&clip).env("EYES", eyes);
        let done = run(detect, LIMIT).ok();
        assert!(done.stdout.contains("faces, timestamp="), "{done}");
    }
}

/// A library, and what stands in for a camera: pictures that come as they would from one, two seconds of them.
fn studio(folder: &Path) -> (std::path::PathBuf, String) {
    let camera = match media(CLIP) {
        Some(clip) => format!("filesrc location={} ! decodebin ! identity sync=true", clip.display()),
        None => "videotestsrc num-buffers=50 is-live=true".into(),
    };
    (sound::library(&folder.join("music")), camera)
}

#[test]
fn live_plays_until_the_camera_ends() {
    let folder = TempDir::new().unwrap();
    let (music, recording) = studio(folder.path());
    for camera in ["videotestsrc num-buffers=50 is-live=true", &recording] {
        let mut live = script("live.sh");
        live.arg(&music).env("CAMERA", camera);
        live.env("VIDEO_SINK", "fakesink sync=true").env("AUDIO_SINK", "fakesink sync=true");
        run(live, LIMIT).ok();
    }
}

#[test]
fn two_cameras_play_until_both_end() {
    let folder = TempDir::new().unwrap();
    let (music, recording) = studio(folder.path());
    let mut two = script("two-cameras.sh");
    two.arg(&music).env("CAMERA_1", "videotestsrc num-buffers=50 is-live=true").env("CAMERA_2", recording);
    two.env("AUDIO_SINK", "fakesink sync=true");
    run(two, LIMIT).ok();
}

#[test]
fn wrong_arguments_are_told_the_right_ones() {
    for name in ["annotate.sh", "timeline.sh", "detect.sh", "live.sh", "two-cameras.sh"] {
        let done = run(script(name), LIMIT);
        assert!(done.code == Some(2) && done.stderr.contains("usage: "), "{name}\n{done}");
        let mut missing = script(name);
        missing.args(["/nowhere", "/nowhere", "/nowhere"].iter().take(match name {
            "annotate.sh" => 3,
            "timeline.sh" => 2,
            _ => 1,
        }));
        let done = run(missing, LIMIT);
        assert!(done.code == Some(1) && done.stderr.contains("/nowhere: no such file"), "{name}\n{done}");
    }
}
