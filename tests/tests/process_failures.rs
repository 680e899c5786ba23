//! `gst-mood process` when something goes wrong: broken inputs, a full disk, Ctrl-C, `kill -9`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::sandbox::{Sandbox, with_fast_encoding};
use mood_tests::{Timeline, audio, command, media, paths, run};
use serde_json::Value;

/// A talking head, about 2.4 s with audio.
const CLIP: &str = "video/single_face.mp4";

#[test]
fn bad_inputs_are_reported_and_the_others_processed() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    fs::copy(&clip, sandbox.path("good.mp4")).unwrap();
    fs::write(sandbox.path("empty.mp4"), "").unwrap();
    fs::write(sandbox.path("text.mp4"), "no video at all, only text\n".repeat(500)).unwrap();
    audio::write_tone(&sandbox.path(""), "sound.wav", 440.0, 1, "happy");
    sandbox.transcode("whole.mkv", &clip, &with_fast_encoding(&["-an"]));
    sandbox.transcode("faststart.mp4", &clip, &["-c", "copy", "-movflags", "faststart"]);
    sandbox.transcode("late.mp4", &clip, &["-c", "copy"]);
    sandbox.transcode("whole.ts", &clip, &with_fast_encoding(&["-an"]));
    let key = "76a6c65c5ea762046bd749a2e632ccbb";
    sandbox.transcode(
        "secret.mp4",
        &clip,
        &with_fast_encoding(&[
            "-an",
            "-encryption_scheme",
            "cenc-aes-ctr",
            "-encryption_key",
            key,
            "-encryption_kid",
            key,
        ]),
    );
    let cut = |from: &Path, to: &str| {
        let bytes = fs::read(from).unwrap();
        fs::write(sandbox.path(to), &bytes[..bytes.len() / 2 + 7]).unwrap();
    };
    cut(&sandbox.path("whole.mkv"), "cut.mkv");
    cut(&sandbox.path("faststart.mp4"), "cut.mp4");
    cut(&sandbox.path("late.mp4"), "no index.mp4");
    cut(&sandbox.path("whole.ts"), "cut.ts");
    fs::create_dir(sandbox.path("out")).unwrap();
    fs::write(sandbox.path("out/taken"), "a file where a folder should go").unwrap();
    fs::copy(&clip, sandbox.path("taken.mp4")).unwrap();
    let script_name = "<script>alert(1)</script>".replace('/', "|") + ".mp4";
    fs::copy(&clip, sandbox.path(&script_name)).unwrap();

    let bad = [
        ("empty.mp4", "no video"),
        ("text.mp4", "text file"),
        ("sound.wav", "no video"),
        ("cut.mkv", "ends in the middle"),
        ("cut.mp4", "ends in the middle"),
        ("cut.ts", "ends in the middle"),
        ("no index.mp4", "the part before cannot be played"),
        ("secret.mp4", "encrypted"),
        ("taken.mp4", "taken"),
    ];
    let inputs: Vec<&str> = bad.iter().map(|(name, _)| *name).chain(["good.mp4", &script_name]).collect();
    let output = sandbox.process(&[&inputs[..], &["--json"]].concat());
    assert_eq!(output.code, Some(1), "{output}");
    for (name, word) in bad {
        let line = output.stderr.lines().find(|line| line.starts_with(&format!("gst-mood: {name}: ")));
        assert!(line.is_some_and(|line| line.contains(word)), "{name}: {line:?}\n{output}");
    }
    assert!(output.stderr.contains("9 of 11 inputs failed"), "{output}");
    let outcomes: Value = serde_json::from_str(&output.stdout).unwrap();
    let count = |state: &str| outcomes.as_array().unwrap().iter().filter(|o| o["state"] == state).count();
    assert_eq!((count("done"), count("failed")), (2, 9), "{outcomes}");
    // What could be decoded of a truncated recording is kept, and marked as incomplete.
    for session in ["cut", "cut.mp4", "cut.ts"] {
        let summary = sandbox.summary(session);
        assert!(summary["complete"] == false && summary["made_from"].is_null(), "{summary}");
    }
    assert_eq!(sandbox.summary("good")["complete"], true);
    let page = fs::read_to_string(
        sandbox.path("out").join(script_name.trim_end_matches(".mp4")).join("report.html"),
    );
    assert!(!page.unwrap().contains("<script>alert"));
    for session in ["empty", "text", "sound", "secret", "no index"] {
        assert!(!sandbox.path("out").join(session).exists(), "{session} has no output folder");
    }
    let names = [sandbox.file_names("good"), sandbox.file_names("cut")].concat();
    assert!(names.iter().all(|name| !name.ends_with(".part")));
}

#[test]
fn a_full_disk_and_an_unwritable_folder_are_errors() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    // Files are limited to 64 KiB: writing more fails as on a full disk.
    let mut limited = command("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"])
        .arg(paths::release_folder().join("gst-mood"));
    limited.args(["process", "-o"]).arg(sandbox.path("out")).arg(&clip).arg("--overlay");
    let output = run(limited, TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("File too large"), "{output}");
    // What does not need the video is there, but no part of the video.
    let names = sandbox.file_names("single_face");
    assert!(names.iter().all(|name| !name.contains("annotated")), "{names:?}");
    let summary = sandbox.summary("single_face");
    assert!(summary["complete"] == false && summary["made_from"].is_null(), "{summary}");
    let mut process = sandbox.command(&["process", "-o", "/dev/null/out"]);
    process.arg(&clip);
    let output = run(process, TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("/dev/null/out"), "{output}");
}

#[test]
fn ctrl_c_keeps_a_playable_video_and_an_incomplete_summary() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.make_long_recording(&clip);
    let running = RunningProcess::start(sandbox.command(&["process", "-o", "out", "long.mkv", "--overlay"]));
    wait_for_lines(&sandbox, "long", 100);
    running.signal("INT");
    let output = running.wait(TIMEOUT);
    assert_eq!(output.code, Some(1), "{output}");
    let summary = sandbox.summary("long");
    assert!(summary["complete"] == false && summary["frames"].as_u64().unwrap() >= 100, "{summary}");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0"]);
    probe.arg(sandbox.path("out/long/annotated.mp4"));
    let streams = run(probe, TIMEOUT).assert_success().stdout;
    let durations: Vec<f64> =
        streams.lines().filter_map(|line| line.split(',').nth(1)?.parse().ok()).collect();
    assert!(streams.contains("h264") && streams.contains("aac"), "the video can be played: {streams}");
    assert!((durations[0] - durations[1]).abs() < 0.5, "audio and video end together: {streams}");
    let again = sandbox.process(&["long.mkv"]).assert_success();
    assert!(!again.stdout.contains("finished before"));
    assert_eq!(sandbox.summary("long")["complete"], true);
}

/// Waits until a timeline has `count` lines.
fn wait_for_lines(sandbox: &Sandbox, session: &str, count: usize) {
    let path = sandbox.path("out").join(session).join("timeline.jsonl");
    let deadline = Instant::now() + TIMEOUT;
    while fs::read_to_string(&path).map_or(0, |text| text.lines().count()) < count {
        assert!(Instant::now() < deadline, "no {count} lines in {}", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_keeps_the_results_of_an_interrupted_demo() {
    let sandbox = Sandbox::new();
    let running = RunningProcess::start(sandbox.command(&["demo", "-o", "out/demo"]));
    wait_for_lines(&sandbox, "demo", 100);
    running.signal("INT");
    let output = running.wait(TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("gst-mood: interrupted"), "{output}");
    let timeline = sandbox.timeline("demo");
    assert!((90..1100).contains(&timeline.frames.len()), "{}", timeline.frames.len());
    let names = sandbox.file_names("demo");
    for name in ["annotated.mp4", "report.html", "soundtrack.ogg"] {
        assert!(names.contains(&name.into()), "{names:?}");
    }
    assert!(names.iter().all(|name| !name.ends_with(".part")), "{names:?}");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]);
    probe.arg(sandbox.path("out/demo/annotated.mp4"));
    let streams = run(probe, TIMEOUT).assert_success().stdout;
    assert!(streams.contains("h264") && streams.contains("aac"), "{streams}");
}

/// How far a run has come when it is killed.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// The timeline exists, perhaps without a line.
    TimelineCreated,
    /// The timeline has this many lines.
    Lines(usize),
    /// All frames are analysed, and the results are being written.
    WritingResults,
}

impl Progress {
    fn wait(self, sandbox: &Sandbox, session: &str) {
        let folder = sandbox.path("out").join(session);
        let deadline = Instant::now() + TIMEOUT;
        let has_timeline = || folder.join("timeline.jsonl").exists();
        let has_results = || folder.join("timeline.csv").exists();
        match self {
            Self::Lines(count) => return wait_for_lines(sandbox, session, count),
            Self::TimelineCreated => while !has_timeline() && Instant::now() < deadline {},
            Self::WritingResults => while !has_results() && Instant::now() < deadline {},
        }
        assert!(has_timeline() && Instant::now() < deadline, "{self:?}");
    }
}

#[test]
fn a_killed_run_leaves_a_readable_timeline() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.make_long_recording(&clip);
    let folder = sandbox.path("out/long");
    // When to kill a run, and how many frames its timeline must have then at least.
    let after_lines = |count| (Progress::Lines(count), count - 1);
    let cases = [
        (Progress::TimelineCreated, 0),
        after_lines(1),
        after_lines(2),
        after_lines(50),
        after_lines(333),
        after_lines(800),
        (Progress::WritingResults, 1000),
    ];
    let mut killed = 0;
    for (round, (progress, min_frames)) in cases.into_iter().enumerate() {
        let overlay: &[&str] = if round % 2 == 1 && min_frames < 400 { &["--overlay"] } else { &[] };
        let arguments = [&["process", "-o", "out", "long.mkv"], overlay].concat();
        let running = RunningProcess::start(sandbox.command(&arguments));
        progress.wait(&sandbox, "long");
        let before = fs::read(folder.join("timeline.jsonl")).unwrap();
        running.signal("KILL");
        // On a busy machine it may have finished before the signal; other tests cover that.
        if running.wait(TIMEOUT).code.is_some() {
            continue;
        }
        killed += 1;

        let after = fs::read(folder.join("timeline.jsonl")).unwrap();
        assert!(after.starts_with(&before), "{progress:?}: what was written stays");
        // The summary is written last: a run with a summary is complete.
        let is_finished = folder.join("summary.json").exists();
        assert!(
            !is_finished || matches!(progress, Progress::WritingResults),
            "{progress:?}: it is not finished"
        );
        assert!(!is_finished || sandbox.summary("long")["complete"] == true);
        assert!(
            !folder.join("annotated.mp4").exists(),
            "{progress:?}: an unfinished video is not named as a finished one"
        );
        let exported = sandbox.path("exported.jsonl");
        let mut export = sandbox.command(&["export", "out/long", "--to", "jsonl", "-o"]);
        export.arg(&exported);
        let output = run(export, TIMEOUT);
        // Before the first frame there is nothing to read, and the command reports that.
        if after.is_empty() {
            assert_eq!(min_frames, 0);
            assert_eq!(
                output.assert_error(&["out/long/timeline.jsonl", "empty", "record again"]).code,
                Some(1)
            );
            continue;
        }
        output.assert_success();
        let timeline = Timeline::read(&exported).assert_in_order();
        let line_count = after.iter().filter(|byte| **byte == b'\n').count();
        // Every complete line but the first, and perhaps an end line, is a frame; none is missing in between.
        let frame_count = timeline.frames.len();
        assert!(frame_count + 2 >= line_count && frame_count >= min_frames, "{progress:?}: {line_count}");
        assert!(timeline.frames.iter().enumerate().all(|(number, frame)| frame.frame == number as u64));
    }
    assert!(killed >= 4, "{killed}");
    sandbox.process(&["long.mkv", "--force"]).assert_success();
    assert!(sandbox.timeline("long").end.is_some());
    assert_eq!(sandbox.summary("long")["complete"], true);
    let names = sandbox.file_names("long");
    assert!(
        names.iter().all(|name| !name.ends_with(".part") && !name.starts_with('.')),
        "nothing that is temporary remains: {names:?}"
    );
}

#[test]
fn runs_that_write_the_same_results_at_once_do_not_disturb_each_other() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("a.mkv", &clip, &["-t", "1", "-an", "-c", "copy"]);
    sandbox.transcode("b.mkv", &clip, &["-t", "0.5", "-an", "-c", "copy"]);
    sandbox.transcode("c.mkv", &clip, &["-t", "0.4", "-an", "-c", "copy"]);
    let client = ["--client", "Ada", "--consent", "signed 3 May 2026"];
    let running = ["a.mkv", "a.mkv", "b.mkv", "c.mkv"].map(|input| {
        let arguments = [&["process", "-o", "out", input, "--overlay"], &client[..]].concat();
        RunningProcess::start(sandbox.command(&arguments))
    });
    let outputs = running.map(|running| running.wait(TIMEOUT).assert_success());
    let skipped = outputs[..2].iter().filter(|output| output.stdout.contains("finished before")).count();
    assert_eq!(skipped, 1, "{} {}", outputs[0], outputs[1]);
    for session in ["a", "b", "c"] {
        assert_eq!(sandbox.summary(session)["complete"], true);
        assert!(sandbox.timeline(session).end.is_some());
        let names = sandbox.file_names(session);
        assert!(names.iter().all(|name| !name.ends_with(".part") && !name.starts_with('.')), "{names:?}");
        assert!(names.contains(&"annotated.mp4".into()), "{names:?}");
    }
    let table = fs::read_to_string(sandbox.path("out/recordings.csv")).unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");
    let clients = run(sandbox.command(&["clients", "--json"]), TIMEOUT).assert_success();
    assert!(clients.stdout.contains("\"sessions\": 3"), "{clients}");
}
