//! `gst-mood export`: every format is read by the program it is for, or by an independent reader, and must hold the same
//! labels at the same times, to the millisecond.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, Mood, MoodLine, Rect, SessionEnd,
    SessionHeader, TrackEvent, TrackLine,
};
use mood_tests::process::TIMEOUT;
use mood_tests::readers::{read_with, reader_script};
use mood_tests::{ProcessOutput, gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// The timestamp of a frame at 29.97 frames a second, nanoseconds. It is never a whole number of milliseconds.
fn pts(frame: u64) -> u64 {
    frame * 1_001_000_000 / 30
}

/// Frames of the timeline.
const FRAMES: u64 = 900;

/// A classified face.
fn face(id: u32, label: Label) -> Face {
    let mut probabilities = [0.05; 7];
    if let Label::Known(emotion) = label {
        probabilities[emotion.index()] = 0.7;
    }
    let affect = Affect::from_distribution(&probabilities);
    let classification = Some(Classification { label, confidence: 0.7, probabilities, raw: None, affect });
    Face {
        id,
        bbox: Rect { x: 0.1, y: 0.2, w: 0.3, h: 0.4 },
        classification,
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// Episodes: face id, label, first frame, frame after the last.
const EPISODES: [(u32, Label, u64, u64); 6] = [
    (1, Label::Known(Emotion::Neutral), 0, 100),
    (1, Label::Known(Emotion::Happy), 100, 333),
    (1, Label::Uncertain, 333, 400),
    (1, Label::Known(Emotion::Sad), 500, 900),
    (2, Label::Known(Emotion::Surprise), 50, 250),
    (2, Label::Known(Emotion::Angry), 600, 899),
];

/// The title of a track, with characters that most formats must escape.
const TITLE: &str = "Tom & \"Jerry\" <1/2> \u{266b}";

/// The text of a timeline with the episodes, a change of mood and two tracks.
fn timeline() -> String {
    let session = SessionHeader {
        schema: 1,
        generator: "test".into(),
        source: Some("file:///archive/M%C3%A4rz/A%20%26%20B.mp4".into()),
        settings: Default::default(),
    };
    let track = |pts: u64, event, title: &str| TrackLine {
        pts,
        event,
        uri: format!("file:///music/{}.flac", title.len()),
        title: title.into(),
        mood: None,
        distance: None,
        reason: String::new(),
        runners_up: vec![],
    };
    let mut lines = vec![Line::Session(session)];
    for frame in 0..FRAMES {
        let episodes = EPISODES.iter().filter(|episode| (episode.2..episode.3).contains(&frame));
        let mut faces: Vec<Face> = episodes.map(|&(id, label, ..)| face(id, label)).collect();
        // A tenth of a second is too short for an episode.
        if (200..203).contains(&frame) {
            faces[0] = face(1, Emotion::Fear.into());
        }
        lines.push(Line::Frame(FrameLine { frame, pts: pts(frame), faces, shot: 0 }));
        if frame == 300 {
            let (from, to) = (Mood::Absent, Emotion::Happy.into());
            lines.push(Line::Mood(MoodLine { pts: pts(300), from, to, confidence: 0.9, evidence: [0, 1] }));
            lines.push(Line::Track(track(pts(300), TrackEvent::Started, TITLE)));
        }
        if frame == 600 {
            lines.push(Line::Track(track(pts(600), TrackEvent::Started, "B")));
            lines.push(Line::Track(track(pts(660), TrackEvent::Ended, TITLE)));
        }
    }
    lines.push(Line::End(SessionEnd { pts: pts(FRAMES), frames: FRAMES }));
    lines.iter().map(|line| line.to_json() + "\n").collect()
}

/// The spans that an export must hold: tier, start and end in milliseconds, text; sorted.
fn expected() -> Vec<(String, u64, u64, String)> {
    let ms = |frame| (pts(frame) + 500_000) / 1_000_000;
    let people = EPISODES
        .iter()
        .map(|&(id, label, from, to)| (format!("Person {id}"), ms(from), ms(to), label.to_string()));
    let others = [
        ("mood", 0, 300, "absent"),
        ("mood", 300, 900, "happy"),
        ("music", 300, 600, TITLE),
        ("music", 600, 900, "B"),
    ];
    let others = others.map(|(tier, from, to, text)| (tier.to_owned(), ms(from), ms(to), text.to_owned()));
    let mut all: Vec<_> = people.chain(others).collect();
    all.sort();
    all
}

/// The spans that a reader found, in the form of [`expected`].
fn spans(found: &Value) -> Vec<(String, u64, u64, String)> {
    let ms = |value: &Value| {
        let exact = value.as_f64().unwrap() * 1000.0;
        assert!((exact - exact.round()).abs() < 1e-6, "{exact} ms");
        exact.round() as u64
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let spans = found["spans"].as_array().unwrap().iter();
    let mut spans: Vec<_> =
        spans.map(|span| (text(&span[0]), ms(&span[1]), ms(&span[2]), text(&span[3]))).collect();
    spans.sort();
    spans
}

/// A temporary folder with a timeline.
struct TestSession {
    folder: TempDir,
}

impl TestSession {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("timeline.jsonl"), timeline()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `gst-mood export` on the timeline.
    fn export(&self, arguments: &[&str]) -> ProcessOutput {
        let mut export = gst_mood(&["export"]);
        export.arg(self.path("timeline.jsonl")).args(arguments);
        run(export, TIMEOUT)
    }

    /// Exports to the default file, and returns its path as printed.
    fn export_file(&self, format: &str) -> PathBuf {
        let output = self.export(&["--to", format]).assert_success();
        let path = PathBuf::from(output.stdout.trim());
        assert_eq!(path.parent(), Some(self.folder.path()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "readable by its owner only"
        );
        path
    }

    /// Exports, and returns what the reader of the format finds.
    fn read_annotations(&self, format: &str) -> Value {
        let mut annotations = reader_script("annotations.py");
        annotations.arg(format);
        read_with(annotations, &self.export_file(format))
    }
}

#[test]
fn elan_reads_episodes_vocabulary_and_media() {
    let found = TestSession::new().read_annotations("eaf");
    assert_eq!(spans(&found), expected());
    assert_eq!(found["types"]["Person 1"], "expression");
    let words: Vec<&str> =
        found["vocabulary"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert_eq!(words, ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "uncertain"]);
    // As ELAN writes it: as the file is called, and from where the document is.
    assert_eq!(found["media"][0]["MEDIA_URL"], "file:///archive/März/A & B.mp4");
    let relative = found["media"][0]["RELATIVE_MEDIA_URL"].as_str().unwrap();
    assert!(relative.starts_with("../") && relative.ends_with("../archive/März/A & B.mp4"), "{relative}");
    assert_eq!(found["media"][0]["MIME_TYPE"], "video/mp4");
}

#[test]
fn praat_reads_tiers_without_gaps() {
    let found = TestSession::new().read_annotations("textgrid");
    let (labelled, empty): (Vec<_>, Vec<_>) = spans(&found).into_iter().partition(|span| !span.3.is_empty());
    assert_eq!(labelled, expected());
    // Praat requires every tier to be covered: what is not annotated is an empty interval.
    assert_eq!(empty.iter().filter(|span| span.0 == "Person 1").count(), 1);
    assert_eq!(found["end"], 30.03);
}

#[test]
fn boris_reads_episodes_and_media() {
    let session = TestSession::new();
    let found = read_with(reader_script("boris_project.py"), &session.export_file("boris"));
    let people: Vec<_> = expected().into_iter().filter(|span| span.0.starts_with("Person")).collect();
    assert_eq!(spans(&found), people);
    assert_eq!(found["media"], serde_json::json!(["/archive/März/A & B.mp4"]));
}

/// The cues that a reader found: start and end in milliseconds, and the lines.
fn cues(found: &Value) -> Vec<(u64, u64, Vec<String>)> {
    let cues = spans(found).into_iter();
    cues.map(|(_, from, to, text)| (from, to, text.lines().map(str::to_owned).collect())).collect()
}

#[test]
fn subtitles_have_one_cue_at_a_time_with_a_line_for_every_span() {
    let session = TestSession::new();
    let vtt_line = |tier: &str, text: &str| match tier {
        // The reader does not unescape the text, and drops the names of people.
        "music" => format!("♪ {}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
        "mood" => format!("mood: {text}"),
        _ => text.to_owned(),
    };
    let srt_line = |tier: &str, text: &str| match tier {
        "music" => format!("♪ {}", text.replace('<', "‹").replace('>', "›")),
        _ => format!("{tier}: {text}"),
    };
    for format in ["vtt", "srt"] {
        let line = |tier: &str, text: &str| match format {
            "vtt" => vtt_line(tier, text),
            _ => srt_line(tier, text),
        };
        let mut found = cues(&session.read_annotations(format));
        found.sort();
        for pair in found.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{format}: {pair:?}");
        }
        for (from, to, lines) in &found {
            let is_shown = |span: &&(String, u64, u64, String)| span.1 <= *from && span.2 >= *to;
            let expected: Vec<String> =
                expected().iter().filter(is_shown).map(|span| line(&span.0, &span.3)).collect();
            let mut lines = lines.clone();
            lines.sort();
            let mut sorted = expected.clone();
            sorted.sort();
            assert_eq!(lines, sorted, "{format} at {from}");
        }
        // All of each span is covered by cues.
        for span in expected() {
            let inside = found.iter().filter(|cue| cue.0 >= span.1 && cue.1 <= span.2);
            assert_eq!(inside.map(|cue| cue.1 - cue.0).sum::<u64>(), span.2 - span.1, "{format}: {span:?}");
        }
        assert!(found.iter().any(|cue| cue.2.len() == 3), "{format}");
    }
    let text = fs::read_to_string(session.path("session.vtt")).unwrap();
    assert!(text.contains("<v Person 2>surprise</v>"));
}

#[test]
fn events_of_bids_have_every_span_and_a_description_of_every_column() {
    let session = TestSession::new();
    let output = session.export(&["--to", "bids"]).assert_success();
    let names: Vec<&str> = output.stdout.lines().map(|line| line.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["session_events.tsv", "session_events.json"]);
    let description: Value =
        serde_json::from_str(&fs::read_to_string(session.path("session_events.json")).unwrap()).unwrap();
    let text = fs::read_to_string(session.path("session_events.tsv")).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    assert_eq!(columns[..2], ["onset", "duration"]);
    for column in &columns {
        assert!(description[column]["Description"].is_string(), "{column}");
    }
    let ms = |text: &str| (text.parse::<f64>().unwrap() * 1000.0).round() as u64;
    let mut onsets = Vec::new();
    let mut found = Vec::new();
    for row in lines {
        assert_eq!(row.len(), columns.len(), "{row:?}");
        let levels = &description["trial_type"]["Levels"];
        assert!(levels[row[2]].is_string(), "{row:?}");
        let tier = if row[2] == "expression" { row[4] } else { row[2] };
        assert_eq!(row[5], if row[2] == "expression" { "machine" } else { "n/a" });
        onsets.push(ms(row[0]));
        found.push((tier.to_owned(), ms(row[0]), ms(row[0]) + ms(row[1]), row[3].to_owned()));
    }
    assert!(onsets.is_sorted());
    found.sort();
    assert_eq!(found, expected());
    assert_eq!(session.export(&["--to", "bids", "-o", "x.json"]).code, Some(2));
}

#[test]
fn audacity_labels_have_every_span() {
    let text = fs::read_to_string(TestSession::new().export_file("audacity")).unwrap();
    let label = |line: &str| {
        let [from, to, text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let ms = |text: &str| (text.parse::<f64>().unwrap() * 1000.0).round() as u64;
        (ms(from), ms(to), text.to_owned())
    };
    let mut found: Vec<_> = text.lines().map(label).collect();
    found.sort();
    let labels = expected().into_iter().map(|(tier, from, to, text)| {
        (from, to, if tier == "music" { text } else { format!("{tier}: {text}") })
    });
    let mut labels: Vec<_> = labels.collect();
    labels.sort();
    assert_eq!(found, labels);
}

#[test]
fn csv_and_jsonl_hold_every_frame_face_and_line() {
    let session = TestSession::new();
    let text = fs::read_to_string(session.export_file("csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "frame,timestamp,face_id,x,y,w,h,label,confidence,success,\
         angry,disgust,fear,happy,sad,surprise,neutral,valence,arousal,quality,subject"
    );
    let rows = EPISODES.iter().map(|episode| episode.3 - episode.2).sum::<u64>();
    // Nobody is there from frame 400 to 500, and these frames have a row each all the same.
    assert_eq!(lines.clone().count() as u64, rows + 100);
    let empty = lines.clone().find(|line| line.starts_with("450,")).unwrap();
    assert_eq!(empty, "450,15.015000000,,,,,,,,0,,,,,,,,,,,");
    let row: Vec<&str> = lines.find(|line| line.starts_with("333,")).unwrap().split(',').collect();
    assert_eq!(
        (row[1], row[2], row[7], row[9], row[20]),
        ("11.111100000", "1", "uncertain", "0", "Person 1")
    );

    let again = fs::read_to_string(session.export_file("jsonl")).unwrap();
    assert_eq!(again.lines().count(), timeline().lines().count());
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(&timeline()), "no digit is lost");
}

#[test]
fn output_goes_to_standard_output_a_named_file_a_pipe_or_through_a_link() {
    let session = TestSession::new();
    let piped = session.export(&["--to", "vtt", "-o", "-"]).assert_success().stdout;
    let named = session.path("named.vtt");
    session.export(&["--to", "vtt", "-o", named.to_str().unwrap()]).assert_success();
    assert_eq!(piped, fs::read_to_string(named).unwrap());
    // A pipe or a device is written to, never replaced by a file.
    let pipe = session.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    session.export(&["--to", "vtt", "-o", pipe.to_str().unwrap()]).assert_success();
    assert_eq!(reading.join().unwrap(), piped);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let link = session.path("link.vtt");
    std::os::unix::fs::symlink(session.path("named.vtt"), &link).unwrap();
    fs::write(session.path("named.vtt"), "").unwrap();
    session.export(&["--to", "vtt", "-o", link.to_str().unwrap()]).assert_success();
    assert!(link.is_symlink() && fs::read_to_string(session.path("named.vtt")).unwrap() == piped);
    let long = session.export(&["--to", "audacity", "--shortest", "5", "-o", "-"]).assert_success().stdout;
    assert!(!long.contains("uncertain"), "2.2 seconds are too short:\n{long}");
    let short = session.export(&["--to", "audacity", "--shortest", "0", "-o", "-"]).assert_success().stdout;
    assert!(short.contains("fear"), "{short}");
}

#[test]
fn bad_input_is_reported() {
    let session = TestSession::new();
    let export = |path: &Path, format: &str| {
        let mut export = gst_mood(&["export"]);
        export.arg(path).args(["--to", format]);
        run(export, TIMEOUT)
    };
    assert_eq!(export(&session.path("timeline.jsonl"), "xls").code, Some(2));
    assert!(export(&session.path("timeline.jsonl"), "xls").stderr.contains("textgrid, boris, vtt"));
    let missing = export(&session.path("none.jsonl"), "csv").assert_error(&["none.jsonl", "timeline.jsonl"]);
    assert_eq!(missing.code, Some(1));
    fs::write(session.path("empty.jsonl"), "").unwrap();
    export(&session.path("empty.jsonl"), "eaf").assert_error(&["empty.jsonl", "empty"]);
    fs::write(session.path("broken.jsonl"), "{\"type\":\"session\",\"schema\":1,\"generator\":\"\"}\n{\n")
        .unwrap();
    assert!(!session.path("session.eaf").exists() && !session.path("session.eaf.part").exists());
    let broken = export(&session.path("broken.jsonl"), "eaf").assert_success();
    assert!(
        broken.stderr.contains("broken.jsonl: 1 broken lines, from line 2 on, were passed over"),
        "{broken}"
    );
}

#[test]
fn an_empty_session_is_valid_in_every_format() {
    let session = TestSession::new();
    let lines = timeline();
    let header = lines.lines().next().unwrap();
    let end = Line::End(SessionEnd { pts: 0, frames: 0 }).to_json();
    fs::write(session.path("timeline.jsonl"), format!("{header}\n{end}\n")).unwrap();
    for format in ["eaf", "textgrid", "vtt", "srt"] {
        assert!(spans(&session.read_annotations(format)).iter().all(|span| span.3.is_empty()), "{format}");
    }
    let found = read_with(reader_script("boris_project.py"), &session.export_file("boris"));
    assert_eq!(found["spans"], serde_json::json!([]));
    for format in ["csv", "jsonl", "audacity"] {
        session.export_file(format);
    }
    session.export(&["--to", "bids"]).assert_success();
    let events = fs::read_to_string(session.path("session_events.tsv")).unwrap();
    assert_eq!(events.lines().count(), 1, "{events}");
}
