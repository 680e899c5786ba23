//! `gst-mood agreement`: the figures are those of scikit-learn and krippendorff, from files that other programs wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, Rect, SessionEnd, SessionHeader,
};
use mood_tests::process::TIMEOUT;
use mood_tests::readers::{read_with, reader_script};
use mood_tests::{ProcessOutput, gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// Frames of the session, 25 a second: five minutes.
const FRAMES: u64 = 7_500;

/// Timestamp of a frame, ns.
fn pts(frame: u64) -> u64 {
    frame * 40_000_000
}

/// The label of a frame: episodes of 1.6 to 6.4 s, one in seven without a face.
fn label(frame: u64) -> Option<Label> {
    let labels =
        [Emotion::Happy, Emotion::Neutral, Emotion::Sad, Emotion::Neutral, Emotion::Angry].map(Label::Known);
    let (mut begin, mut state) = (0, 1_u64);
    loop {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        begin += 40 + (state >> 33) % 121;
        if frame < begin {
            return match (state >> 40) % 7 {
                5 => Some(Label::Uncertain),
                6 => None,
                index => Some(labels[index as usize]),
            };
        }
    }
}

/// Writes the session's timeline.
fn write_session(folder: &Path) {
    let header =
        SessionHeader { schema: 1, generator: "test".into(), source: None, settings: Default::default() };
    let mut lines = vec![Line::Session(header)];
    for frame in 0..FRAMES {
        let faces = label(frame).map(|label| {
            let probabilities = [1.0 / 7.0; 7];
            let affect = Affect::from_distribution(&probabilities);
            Face {
                id: 1,
                bbox: Rect { x: 0.1, y: 0.2, w: 0.3, h: 0.4 },
                classification: Some(Classification {
                    label,
                    confidence: 0.7,
                    probabilities,
                    raw: None,
                    affect,
                }),
                quality: 0.9,
                roll: 0.0,
                source: Default::default(),
                resembles: None,
                quality_limit: None,
            }
        });
        lines.push(Line::Frame(FrameLine {
            frame,
            pts: pts(frame),
            faces: faces.into_iter().collect(),
            shot: 0,
        }));
    }
    lines.push(Line::End(SessionEnd { pts: pts(FRAMES), frames: FRAMES }));
    let text: String = lines.iter().map(|line| line.to_json() + "\n").collect();
    fs::write(folder.join("timeline.jsonl"), text).unwrap();
}

/// Runs `gst-mood agreement` in a folder.
fn agree(folder: &Path, arguments: &[&str]) -> ProcessOutput {
    let mut command = gst_mood(&[&["agreement"], arguments].concat());
    command.current_dir(folder);
    run(command, TIMEOUT)
}

/// The figures of `--json -`.
fn figures(output: ProcessOutput) -> Value {
    let output = output.assert_success();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

fn assert_close(found: &Value, expected: &Value, name: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}");
}

#[test]
fn figures_are_those_of_independent_programs() {
    let folder = TempDir::new().unwrap();
    let session = folder.path().join("session");
    fs::create_dir(&session).unwrap();
    write_session(&session);
    for (format, name) in
        [("eaf", "machine.eaf"), ("textgrid", "machine.TextGrid"), ("boris", "machine.boris")]
    {
        let path = folder.path().join(name);
        let arguments = ["export", session.to_str().unwrap(), "--to", format, "-o", path.to_str().unwrap()];
        run(gst_mood(&arguments), TIMEOUT).assert_success();
    }
    let expected = read_with(reader_script("agreement.py"), &folder.path().join("machine.eaf"));
    let options = ["--map", "tearful=sad", "--json", "-", "-o", "page.html"];
    let compare = |machine: &str| {
        let output = agree(folder.path(), &[&["human.eaf", machine], &options[..]].concat());
        figures(output)
    };
    let found = compare("session");
    for name in ["percent_agreement", "kappa", "alpha", "compared_seconds", "first_only_seconds"] {
        assert_close(&found[name], &expected[name], name);
    }
    let labels = expected["per_label"].as_object().unwrap();
    assert_eq!(found["per_label"].as_object().unwrap().len(), labels.len());
    assert!(labels.len() >= 4, "{labels:?}");
    for (label, figures) in labels {
        for name in ["recall", "precision", "kappa"] {
            assert_close(&found["per_label"][label][name], &figures[name], &format!("{name} of {label}"));
        }
    }
    let interval = &found["intervals"]["kappa"];
    let kappa = found["kappa"].as_f64().unwrap();
    assert!(interval["low"].as_f64().unwrap() < kappa && kappa < interval["high"].as_f64().unwrap());
    // The same through the formats of other programs, to the millisecond.
    for machine in ["machine.eaf", "machine.TextGrid", "machine.boris"] {
        let other = compare(machine);
        assert_close(&other["kappa"], &expected["kappa"], machine);
        assert_close(&other["alpha"], &expected["alpha"], machine);
    }
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("data-start="));
    assert!(page.contains("<title>Agreement: human and machine</title>"), "the last comparison is shown");
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let session = folder.path().join("session");
    fs::create_dir(&session).unwrap();
    write_session(&session);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("two.csv", "start,end,label,tier\n0,1,happy,Ada\n0,1,sad,Bo\n");
    write("late.csv", "start,end,label\n4000,4100,happy\n");
    write("notes.txt", "nothing here\n");
    write("other.csv", "start,end,label\n0,60,plays along\n60,61,happy\n");
    for (arguments, part, code) in [
        (&["two.csv", "session"][..], "give --tier one of 'Ada' (1), 'Bo' (1)", 2),
        (&["two.csv", "session", "--tier", "Cy"], "no tier Cy", 2),
        (&["two.csv", "session", "--machine-tier", "9"], "'Person 1'", 2),
        (&["late.csv", "session"], "4000.0 to 4100.0 s", 1),
        (&["notes.txt", "session"], "columns start, end and label", 1),
        (&["none.eaf", "session"], "none.eaf", 1),
        (&["other.csv", "session", "--map", "laughs=happy"], "no label laughs", 2),
        (&["other.csv", "session", "--step", "0"], "0.01 to 60", 2),
    ] {
        let output = agree(folder.path(), arguments);
        assert_eq!(output.code, Some(code), "{output}");
        assert!(output.stderr.contains(part), "{output}");
    }
    let output = agree(folder.path(), &["other.csv", "session", "--json", "-", "-o", "page.html"]);
    assert!(output.stderr.contains("--map 'plays along=happy'"), "{output}");
    let found = figures(output);
    let gap = agree(
        folder.path(),
        &["other.csv", "session", "--map", "plays along=", "--gap", "neutral", "--json", "-"],
    );
    let gap = figures(gap);
    assert!(gap["compared_seconds"].as_f64() > found["compared_seconds"].as_f64());
    assert!((gap["compared_seconds"].as_f64().unwrap() - 300.0).abs() < 1e-9);
}
