//! `gst-mood process` where something is in its way: Ctrl-C, `kill -9`, a full disk, inputs that are broken.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::practice::{Practice, long, quick};
use mood_tests::process::{LIMIT, Running};
use mood_tests::{Timeline, command, media, place, run, sound};
use serde_json::Value;

const CLIP: &str = "video/single_face.mp4";

#[test]
fn bad_inputs_are_told_and_the_others_done() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    fs::copy(&clip, practice.path("good.mp4")).unwrap();
    fs::write(practice.path("empty.mp4"), "").unwrap();
    fs::write(practice.path("text.mp4"), "no video at all, only text\n".repeat(500)).unwrap();
    sound::tone(&practice.path(""), "sound.wav", 440.0, 1, "happy");
    practice.film("whole.mkv", &clip, &quick(&["-an"]));
    practice.film("faststart.mp4", &clip, &["-c", "copy", "-movflags", "faststart"]);
    practice.film("late.mp4", &clip, &["-c", "copy"]);
    practice.film("whole.ts", &clip, &quick(&["-an"]));
    let key = "76a6c65c5ea762046bd749a2e632ccbb";
    practice.film(
        "secret.mp4",
        &clip,
        &quick(&[
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
        fs::write(practice.path(to), &bytes[..bytes.len() / 2 + 7]).unwrap();
    };
    cut(&practice.path("whole.mkv"), "cut.mkv");
    cut(&practice.path("faststart.mp4"), "cut.mp4");
    cut(&practice.path("late.mp4"), "no index.mp4");
    cut(&practice.path("whole.ts"), "cut.ts");
    fs::create_dir(practice.path("out")).unwrap();
    fs::write(practice.path("out/taken"), "a file where a folder should go").unwrap();
    fs::copy(&clip, practice.path("taken.mp4")).unwrap();
    let odd = "<script>alert(1)</script>".replace('/', "|") + ".mp4";
    fs::copy(&clip, practice.path(&odd)).unwrap();

    let bad = [
        ("empty.mp4", "no video"),
        ("text.mp4", "text file"),
        ("sound.wav", "no video"),
        ("cut.mkv", "ends in the middle"),
        ("cut.mp4", "ends in the middle"),
        ("cut.ts", "ends in the middle"),
        ("no index.mp4", "what there is cannot be played"),
        ("secret.mp4", "encrypted"),
        ("taken.mp4", "taken"),
    ];
    let inputs: Vec<&str> = bad.iter().map(|(name, _)| *name).chain(["good.mp4", &odd]).collect();
    let done = practice.process(&[&inputs[..], &["--json"]].concat());
    assert_eq!(done.code, Some(1), "{done}");
    for (name, word) in bad {
        let line = done.stderr.lines().find(|line| line.starts_with(&format!("gst-mood: {name}: ")));
        assert!(line.is_some_and(|line| line.contains(word)), "{name}: {line:?}\n{done}");
    }
    assert!(done.stderr.contains("9 of 11 inputs failed"), "{done}");
    let outcomes: Value = serde_json::from_str(&done.stdout).unwrap();
    let count = |state: &str| outcomes.as_array().unwrap().iter().filter(|o| o["state"] == state).count();
    assert_eq!((count("done"), count("failed")), (2, 9), "{outcomes}");
    // What a broken recording had is not lost, and not taken for a whole one.
    for session in ["cut", "cut.mp4", "cut.ts"] {
        let summary = practice.summary(session);
        assert!(summary["complete"] == false && summary["made_from"].is_null(), "{summary}");
    }
    assert_eq!(practice.summary("good")["complete"], true);
    let page =
        fs::read_to_string(practice.path("out").join(odd.trim_end_matches(".mp4")).join("report.html"));
    assert!(!page.unwrap().contains("<script>alert"));
    for session in ["empty", "text", "sound", "secret", "no index"] {
        assert!(!practice.path("out").join(session).exists(), "nothing is left of {session}");
    }
    let names = |folder: &str| practice.files(folder);
    assert!(names("good").iter().chain(&names("cut")).all(|name| !name.ends_with(".part")));
}

#[test]
fn a_full_disk_and_a_folder_that_cannot_be_written() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    // A file may grow to 64 KiB only, and to write more is an error like that of a full disk.
    let mut limited = command("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"])
        .arg(place::release().join("gst-mood"));
    limited.args(["process", "-o"]).arg(practice.path("out")).arg(&clip).arg("--overlay");
    let done = run(limited, LIMIT);
    assert!(done.code == Some(1) && done.stderr.contains("File too large"), "{done}");
    let left = fs::read_dir(practice.path("out/single_face")).map_or(0, Iterator::count);
    let finished = practice.path("out/single_face/annotated.mp4").exists();
    assert!(!finished && left <= 6, "{:?}", practice.files("single_face"));
    let mut process = practice.command(&["process", "-o", "/dev/null/out"]);
    process.arg(&clip);
    let done = run(process, LIMIT);
    assert!(done.code == Some(1) && done.stderr.contains("/dev/null/out"), "{done}");
}

#[test]
fn ctrl_c_keeps_what_there_is() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    long(&practice, &clip);
    let running = Running::start(practice.command(&["process", "-o", "out", "long.mkv", "--overlay"]));
    wait_for_frames(&practice, "long", 100);
    running.signal("INT");
    let done = running.finish(LIMIT);
    assert_eq!(done.code, Some(1), "{done}");
    let summary = practice.summary("long");
    assert!(summary["complete"] == false && summary["frames"].as_u64().unwrap() >= 100, "{summary}");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0"]);
    probe.arg(practice.path("out/long/annotated.mp4"));
    let streams = run(probe, LIMIT).ok().stdout;
    let lengths: Vec<f64> = streams.lines().filter_map(|line| line.split(',').nth(1)?.parse().ok()).collect();
    assert!(streams.contains("h264") && streams.contains("aac"), "the film can be played: {streams}");
    assert!((lengths[0] - lengths[1]).abs() < 0.5, "its sound ends with it: {streams}");
    let again = practice.process(&["long.mkv"]).ok();
    assert!(!again.stdout.contains("finished before"));
    assert_eq!(practice.summary("long")["complete"], true);
}

/// Waits until so many frames are in a timeline.
fn wait_for_frames(practice: &Practice, session: &str, count: usize) {
    let path = practice.path("out").join(session).join("timeline.jsonl");
    let until = Instant::now() + LIMIT;
    while fs::read_to_string(&path).map_or(0, |text| text.lines().count()) < count {
        assert!(Instant::now() < until, "no {count} frames in {}", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_keeps_what_there_is_of_a_demo_too() {
    let practice = Practice::new();
    let running = Running::start(practice.command(&["demo", "-o", "out/demo"]));
    wait_for_frames(&practice, "demo", 100);
    running.signal("INT");
    let done = running.finish(LIMIT);
    assert!(done.code == Some(1) && done.stderr.contains("gst-mood: interrupted"), "{done}");
    let seen = practice.timeline("demo");
    assert!((90..1100).contains(&seen.frames.len()), "{}", seen.frames.len());
    let names = practice.files("demo");
    for name in ["annotated.mp4", "report.html", "soundtrack.ogg"] {
        assert!(names.contains(&name.into()), "{names:?}");
    }
    assert!(names.iter().all(|name| !name.ends_with(".part")), "{names:?}");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]);
    probe.arg(practice.path("out/demo/annotated.mp4"));
    let streams = run(probe, LIMIT).ok().stdout;
    assert!(streams.contains("h264") && streams.contains("aac"), "{streams}");
}

/// Where a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// There is a timeline, perhaps without a line.
    Begun,
    /// So many lines are written.
    Lines(usize),
    /// All is seen, and the results are being made.
    Results,
}

impl Moment {
    fn wait(self, practice: &Practice, session: &str) {
        let folder = practice.path("out").join(session);
        let until = Instant::now() + LIMIT;
        let begun = || folder.join("timeline.jsonl").exists();
        let results = || folder.join("timeline.csv").exists() || folder.join("timeline.csv.part").exists();
        match self {
            Self::Lines(count) => return wait_for_frames(practice, session, count),
            Self::Begun => while !begun() && Instant::now() < until {},
            Self::Results => while !results() && Instant::now() < until {},
        }
        assert!(begun() && Instant::now() < until, "{self:?}");
    }
}

#[test]
fn a_killed_run_leaves_a_readable_timeline() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    long(&practice, &clip);
    let folder = practice.path("out/long");
    let lines = |count| (Moment::Lines(count), count - 1);
    let moments = [(Moment::Begun, 0), lines(1), lines(2), lines(50), lines(333), lines(800)];
    let mut killed = 0;
    for (round, (moment, least)) in moments.into_iter().chain([(Moment::Results, 1000)]).enumerate() {
        let overlay: &[&str] = if round % 2 == 1 && least < 400 { &["--overlay"] } else { &[] };
        let arguments = [&["process", "-o", "out", "long.mkv"], overlay].concat();
        let running = Running::start(practice.command(&arguments));
        moment.wait(&practice, "long");
        let before = fs::read(folder.join("timeline.jsonl")).unwrap();
        running.signal("KILL");
        // On a busy machine it may have been done already; that is another test's.
        if running.finish(LIMIT).code.is_some() {
            continue;
        }
        killed += 1;

        let after = fs::read(folder.join("timeline.jsonl")).unwrap();
        assert!(after.starts_with(&before), "{moment:?}: what was written stays");
        // The summary comes last: with it all is there.
        let finished = folder.join("summary.json").exists();
        assert!(!finished || matches!(moment, Moment::Results), "{moment:?}: it is not finished");
        assert!(!finished || practice.summary("long")["complete"] == true);
        assert!(!folder.join("annotated.mp4").exists(), "{moment:?}: a film without an end is none");
        let left = practice.path("left.jsonl");
        let mut export = practice.command(&["export", "out/long", "--to", "jsonl", "-o"]);
        export.arg(&left);
        let done = run(export, LIMIT);
        // Before the first frame is through there is nothing to read, and that is said.
        if after.is_empty() {
            assert_eq!(least, 0);
            assert_eq!(done.fails_with(&["out/long/timeline.jsonl", "empty", "record again"]).code, Some(1));
            continue;
        }
        done.ok();
        let read = Timeline::read(&left).in_order();
        let whole = after.iter().filter(|byte| **byte == b'\n').count();
        // Every whole line but the session's, and perhaps the end's, is a frame; none is missing in between.
        assert!(read.frames.len() + 2 >= whole && read.frames.len() >= least, "{moment:?}: {whole}");
        assert!(read.frames.iter().enumerate().all(|(number, frame)| frame.frame == number as u64));
    }
    assert!(killed >= 4, "{killed}");
    practice.process(&["long.mkv", "--force"]).ok();
    assert!(practice.timeline("long").end.is_some());
    assert_eq!(practice.summary("long")["complete"], true);
    assert!(practice.files("long").iter().all(|name| !name.ends_with(".part")), "nothing half-done is left");
}
