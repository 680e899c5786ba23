//! Exports, opened by the programs they are for or by independent readers of their formats: the same times, to the
//! millisecond, and the same words.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, Mood, MoodLine, Rect, SessionEnd,
    SessionHeader, TrackEvent, TrackLine,
};
use mood_tests::process::LIMIT;
use mood_tests::reader::{read, reader};
use mood_tests::{Done, gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// 29.97 frames a second: no time is a whole number of milliseconds.
fn pts(frame: u64) -> u64 {
    frame * 1_001_000_000 / 30
}

const FRAMES: u64 = 900;

fn face(id: u32, label: Label) -> Face {
    let mut probabilities = [0.05; 7];
    if let Label::Known(emotion) = label {
        probabilities[emotion.index()] = 0.7;
    }
    let affect = Affect::from_distribution(&probabilities);
    let classification = Some(Classification { label, confidence: 0.7, probabilities, affect });
    Face { id, bbox: Rect { x: 0.1, y: 0.2, w: 0.3, h: 0.4 }, classification, quality: 0.9, roll: 0.0 }
}

/// Who shows what from which frame to which: person 1, then person 2.
const SHOWN: [(u32, Label, u64, u64); 6] = [
    (1, Label::Known(Emotion::Neutral), 0, 100),
    (1, Label::Known(Emotion::Happy), 100, 333),
    (1, Label::Uncertain, 333, 400),
    (1, Label::Known(Emotion::Sad), 500, 900),
    (2, Label::Known(Emotion::Surprise), 50, 250),
    (2, Label::Known(Emotion::Angry), 600, 899),
];

const TITLE: &str = "Tom & \"Jerry\" <1/2> \u{266b}";

fn timeline() -> String {
    let session = SessionHeader {
        schema: 1,
        generator: "test".into(),
        source: Some("file:///archive/A%20%26%20B.mp4".into()),
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
        let shown = SHOWN.iter().filter(|shown| (shown.2..shown.3).contains(&frame));
        let mut faces: Vec<Face> = shown.map(|&(id, label, ..)| face(id, label)).collect();
        // A blink of a tenth of a second is no episode.
        if (200..203).contains(&frame) {
            faces[0] = face(1, Emotion::Fear.into());
        }
        lines.push(Line::Frame(FrameLine { frame, pts: pts(frame), faces }));
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

/// What must be found, in milliseconds.
fn expected() -> Vec<(String, u64, u64, String)> {
    let ms = |frame| (pts(frame) + 500_000) / 1_000_000;
    let people = SHOWN
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

struct Studio {
    folder: TempDir,
}

impl Studio {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("timeline.jsonl"), timeline()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, arguments: &[&str]) -> Done {
        let mut export = gst_mood(&["export"]);
        export.arg(self.path("timeline.jsonl")).args(arguments);
        run(export, LIMIT)
    }

    /// Exports, and gives the file's path as it was printed.
    fn exported(&self, format: &str) -> PathBuf {
        let done = self.export(&["--to", format]).ok();
        let path = PathBuf::from(done.stdout.trim());
        assert_eq!(path.parent(), Some(self.folder.path()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "only its owner's");
        path
    }

    fn annotations(&self, format: &str) -> Value {
        let mut annotations = reader("annotations.py");
        annotations.arg(format);
        read(annotations, &self.exported(format))
    }
}

#[test]
fn elan() {
    let found = Studio::new().annotations("eaf");
    assert_eq!(spans(&found), expected());
    assert_eq!(found["types"]["Person 1"], "expression");
    let words: Vec<&str> =
        found["vocabulary"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert_eq!(words, ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "uncertain"]);
    assert_eq!(found["media"][0]["MEDIA_URL"], "file:///archive/A%20%26%20B.mp4");
    assert_eq!(found["media"][0]["RELATIVE_MEDIA_URL"], "./A%20%26%20B.mp4");
    assert_eq!(found["media"][0]["MIME_TYPE"], "video/mp4");
}

#[test]
fn praat() {
    let found = Studio::new().annotations("textgrid");
    let (said, silent): (Vec<_>, Vec<_>) = spans(&found).into_iter().partition(|span| !span.3.is_empty());
    assert_eq!(said, expected());
    // Praat wants every tier covered: whatever is not annotated is an empty interval.
    assert_eq!(silent.iter().filter(|span| span.0 == "Person 1").count(), 1);
    assert_eq!(found["end"], 30.03);
}

#[test]
fn boris() {
    let studio = Studio::new();
    let found = read(reader("boris_project.py"), &studio.exported("boris"));
    let people: Vec<_> = expected().into_iter().filter(|span| span.0.starts_with("Person")).collect();
    assert_eq!(spans(&found), people);
    assert_eq!(found["media"], serde_json::json!(["/archive/A & B.mp4"]));
}

#[test]
fn subtitles() {
    let studio = Studio::new();
    let found = spans(&studio.annotations("vtt"));
    let as_cue = |(tier, from, to, text): (String, u64, u64, String)| match tier.as_str() {
        "mood" => (String::new(), from, to, format!("mood: {text}")),
        // The reader gives the text as it stands in the file.
        "music" => (
            String::new(),
            from,
            to,
            format!("♪ {}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
        ),
        _ => (tier, from, to, text),
    };
    let mut wanted: Vec<_> = expected().into_iter().map(as_cue).collect();
    wanted.sort();
    assert_eq!(found, wanted);

    let found = spans(&studio.annotations("srt"));
    let as_line = |(tier, from, to, text): (String, u64, u64, String)| match tier.as_str() {
        "music" => (String::new(), from, to, format!("♪ {}", text.replace('<', "‹").replace('>', "›"))),
        _ => (String::new(), from, to, format!("{tier}: {text}")),
    };
    let mut wanted: Vec<_> = expected().into_iter().map(as_line).collect();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn audacity() {
    let text = fs::read_to_string(Studio::new().exported("audacity")).unwrap();
    let label = |line: &str| {
        let [from, to, text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let ms = |text: &str| (text.parse::<f64>().unwrap() * 1000.0).round() as u64;
        (ms(from), ms(to), text.to_owned())
    };
    let mut found: Vec<_> = text.lines().map(label).collect();
    found.sort();
    let wanted = expected().into_iter().map(|(tier, from, to, text)| {
        (from, to, if tier == "music" { text } else { format!("{tier}: {text}") })
    });
    let mut wanted: Vec<_> = wanted.collect();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn tables() {
    let studio = Studio::new();
    let text = fs::read_to_string(studio.exported("csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "frame,timestamp,face_id,x,y,w,h,label,confidence,success,\
         angry,disgust,fear,happy,sad,surprise,neutral,valence,arousal,quality,subject"
    );
    let rows = SHOWN.iter().map(|shown| shown.3 - shown.2).sum::<u64>();
    assert_eq!(lines.clone().count() as u64, rows);
    let row: Vec<&str> = lines.find(|line| line.starts_with("333,")).unwrap().split(',').collect();
    assert_eq!(
        (row[1], row[2], row[7], row[9], row[20]),
        ("11.111100000", "1", "uncertain", "0", "Person 1")
    );

    let again = fs::read_to_string(studio.exported("jsonl")).unwrap();
    assert_eq!(again.lines().count(), timeline().lines().count());
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(&timeline()), "not a digit is lost");
}

#[test]
fn standard_output_and_a_named_file() {
    let studio = Studio::new();
    let piped = studio.export(&["--to", "vtt", "-o", "-"]).ok().stdout;
    let named = studio.path("named.vtt");
    studio.export(&["--to", "vtt", "-o", named.to_str().unwrap()]).ok();
    assert_eq!(piped, fs::read_to_string(named).unwrap());
    // What is no file stays what it is: a pipe here, a device for the careless.
    let pipe = studio.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    studio.export(&["--to", "vtt", "-o", pipe.to_str().unwrap()]).ok();
    assert_eq!(reading.join().unwrap(), piped);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let link = studio.path("link.vtt");
    std::os::unix::fs::symlink(studio.path("named.vtt"), &link).unwrap();
    fs::write(studio.path("named.vtt"), "").unwrap();
    studio.export(&["--to", "vtt", "-o", link.to_str().unwrap()]).ok();
    assert!(link.is_symlink() && fs::read_to_string(studio.path("named.vtt")).unwrap() == piped);
    let long = studio.export(&["--to", "audacity", "--shortest", "5", "-o", "-"]).ok().stdout;
    assert!(!long.contains("uncertain"), "2.2 seconds are too short:\n{long}");
    let short = studio.export(&["--to", "audacity", "--shortest", "0", "-o", "-"]).ok().stdout;
    assert!(short.contains("fear"), "{short}");
}

#[test]
fn bad_input_is_told() {
    let studio = Studio::new();
    let export = |path: &Path, format: &str| {
        let mut export = gst_mood(&["export"]);
        export.arg(path).args(["--to", format]);
        run(export, LIMIT)
    };
    assert_eq!(export(&studio.path("timeline.jsonl"), "xls").code, Some(2));
    assert!(export(&studio.path("timeline.jsonl"), "xls").stderr.contains("textgrid, boris, vtt"));
    let missing = export(&studio.path("none.jsonl"), "csv").fails_with(&["none.jsonl", "timeline.jsonl"]);
    assert_eq!(missing.code, Some(1));
    fs::write(studio.path("empty.jsonl"), "").unwrap();
    export(&studio.path("empty.jsonl"), "eaf").fails_with(&["empty.jsonl", "empty"]);
    fs::write(studio.path("broken.jsonl"), "{\"type\":\"session\",\"schema\":1,\"generator\":\"\"}\n{\n")
        .unwrap();
    export(&studio.path("broken.jsonl"), "eaf").fails_with(&["broken.jsonl", "line 2"]);
    assert!(!studio.path("session.eaf").exists() && !studio.path("session.eaf.part").exists());
}

/// Nobody seen, nothing heard: every format still is one.
#[test]
fn an_empty_session() {
    let studio = Studio::new();
    let lines = timeline();
    let session: Vec<&str> = lines.lines().take(1).collect();
    let end = Line::End(SessionEnd { pts: 0, frames: 0 }).to_json();
    fs::write(studio.path("timeline.jsonl"), format!("{}\n{end}\n", session[0])).unwrap();
    for format in ["eaf", "textgrid", "vtt", "srt"] {
        assert!(spans(&studio.annotations(format)).iter().all(|span| span.3.is_empty()), "{format}");
    }
    let found = read(reader("boris_project.py"), &studio.exported("boris"));
    assert_eq!(found["spans"], serde_json::json!([]));
    for format in ["csv", "jsonl", "audacity"] {
        studio.exported(format);
    }
}
