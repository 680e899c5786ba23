//! `gst-mood follow`: sessions whose mood comes from a timeline, from another session over MQTT, or from standard input.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

use mood_schema::{Emotion, Face, FrameLine, Line, SCHEMA_VERSION, SessionHeader};
use mood_tests::broker::Broker;
use mood_tests::process::{ProcessOutput, RunningProcess, TIMEOUT, shell};
use mood_tests::session_folder::{Shown, face};
use mood_tests::{Timeline, actor, audio, gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// What a session without sound and without a wait before a change of the music is started with.
const ARGUMENTS: [&str; 8] =
    ["--no-mpris", "--json", "--min-dwell", "0", "--hold-time", "0.2", "--audio-sink", "fakesink sync=true"];

fn follow(source: &str, library: &Path) -> Command {
    let mut follow = gst_mood(&["follow", source]);
    follow.args(ARGUMENTS).arg("--library").arg(library);
    follow
}

/// The lines of a kind that a session has printed.
fn lines(output: &ProcessOutput, kind: &str) -> Vec<Value> {
    let lines = output.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["type"] == kind).collect()
}

/// The names of the files that were begun.
fn tracks(output: &ProcessOutput) -> Vec<String> {
    let started = lines(output, "track").into_iter().filter(|track| track["event"] == "started");
    started.map(|track| track["uri"].as_str().unwrap().rsplit('/').next().unwrap().into()).collect()
}

#[test]
fn a_timeline_drives_the_music_and_is_recorded_again() {
    let folder = TempDir::new().unwrap();
    let library = audio::make_library(&folder.path().join("music"));
    // A few seconds of each, at 10 frames a second, an hour into some recording.
    let header = Line::Session(SessionHeader { schema: SCHEMA_VERSION, ..SessionHeader::default() });
    let emotions = [(Emotion::Sad, 25), (Emotion::Happy, 60)].into_iter();
    let emotions = emotions.flat_map(|(emotion, count)| std::iter::repeat_n(emotion, count));
    let frames = emotions.enumerate().map(|(number, emotion)| {
        let pts = 3_600_000_000_000 + number as u64 * 100_000_000;
        Line::Frame(FrameLine {
            frame: number as u64,
            pts,
            faces: vec![face(Shown::new(1, emotion))],
            shot: 0,
        })
    });
    let text: Vec<String> = std::iter::once(header).chain(frames).map(|line| line.to_json()).collect();
    let session = folder.path().join("session");
    fs::create_dir(&session).unwrap();
    fs::write(session.join("timeline.jsonl"), text.join("\n")).unwrap();

    let record = folder.path().join("record");
    let mut command = follow(session.to_str().unwrap(), &library);
    command.arg("-o").arg(&record);
    let output = run(command, TIMEOUT).assert_success();
    assert_eq!(tracks(&output), ["sad.wav", "happy.wav"], "{output}");
    let moods: Vec<Value> = lines(&output, "mood").iter().map(|mood| mood["to"].clone()).collect();
    assert_eq!(moods, ["sad", "happy"]);
    assert_eq!(output.stderr.matches("warning").count(), 0, "{output}");
    let recorded = Timeline::read(&record.join("timeline.jsonl"));
    let with_faces = recorded.frames.iter().filter(|frame| !frame.faces.is_empty()).count();
    assert!(with_faces > 50 && record.join("report.html").exists(), "{with_faces}");

    fs::write(session.join("timeline.jsonl"), &text[0]).unwrap();
    run(follow(session.to_str().unwrap(), &library), TIMEOUT)
        .assert_error(&["no frames", "no mood to follow"]);
    run(follow("/nowhere", &library), TIMEOUT).assert_error(&["/nowhere"]);
}

#[test]
fn moods_by_hand_come_from_standard_input_which_ends_the_session() {
    let folder = TempDir::new().unwrap();
    let library = audio::make_library(&folder.path().join("music"));
    let follow = follow("-", &library);
    let words = |command: &Command| {
        let quote = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(quote)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let input = "echo sad; sleep 1; echo hapy; echo; echo happy; sleep 1";
    let output = run(shell(&format!("({input}) | {}", words(&follow))), TIMEOUT).assert_success();
    assert_eq!(tracks(&output), ["sad.wav", "happy.wav"], "{output}");
    assert_eq!(output.stderr.matches("hapy").count(), 1, "{output}");
}

#[test]
fn another_sessions_moods_come_over_mqtt_as_long_as_it_publishes() {
    let broker = Broker::start();
    let folder = broker.folder.path();
    let library = audio::make_library(&folder.join("music"));
    let subscriber = broker.subscribe();
    broker.publish("room/frame", r#"{"type":"frame","frame":0,"pts":0,"faces":[]}"#, &["-r"]);
    let uri = format!("mqtt://mood@127.0.0.1:{}/room?{}", broker.port, broker.credentials());
    // What follows is published below another topic, by which its state is seen.
    let mut follow = follow(&uri, &library);
    follow.args(["--publish", &uri.replace("/room", "/follower")]);
    let follow = RunningProcess::start(follow);
    let last_mood = || {
        let payloads = subscriber.payloads("follower/state");
        let state = payloads.last().map(|state| serde_json::from_str::<Value>(state).unwrap());
        state.unwrap_or_default()
    };
    subscriber.wait("the follower", |_| last_mood()["people"] == 0);
    broker.publish("room/frame", "happy", &[]);
    broker.publish("room/frame", "[1]", &[]);
    // More than the 10 KB that MQTT clients are content with unless told otherwise, in both directions.
    let crowd = (1..=60).map(|id| Face { id, ..face(Shown::new(1, Emotion::Happy)) }).collect();
    let crowd = Line::Frame(FrameLine { frame: 0, pts: 0, faces: crowd, shot: 0 }).to_json();
    broker.publish("room/frame", &crowd, &[]);
    subscriber.wait("a crowd", |_| last_mood()["people"] == 60);
    subscriber.wait("its faces", |subscriber| {
        subscriber.payloads("follower/frame").iter().any(|frame| frame.contains("\"id\":60,"))
    });
    let camera = actor::camera(folder, -1);
    for _ in 0..2 {
        let publisher = RunningProcess::start(shell(&format!(
            "exec gst-launch-1.0 {camera} ! videoconvert ! haarfacedetect ! emotionclassify ! \
             emotionpublish uri='{uri}' ! fakesink"
        )));
        subscriber.wait("the mood", |_| {
            let state = last_mood();
            state["mood"] == "happy" && state["people"] == 1 && !state["track"].is_null()
        });
        // Its last will says so.
        publisher.signal("KILL");
        subscriber.wait("nobody", |_| last_mood()["people"] == 0);
    }
    follow.signal("INT");
    let output = follow.wait(TIMEOUT).assert_success();
    assert_eq!(tracks(&output).first().map(String::as_str), Some("happy.wav"), "{output}");
    for (words, count) in [("had kept", 1), ("is no frame", 1), ("nobody publishes there", 2)] {
        assert_eq!(output.stderr.matches(words).count(), count, "{words}: {output}");
    }
}
