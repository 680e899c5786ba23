//! Several sessions: trend, conditions and tables are those that numpy and pandas compute from the timelines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

use mood_schema::{Affect, Emotion};
use mood_tests::process::TIMEOUT;
use mood_tests::readers::{assert_valid, read_with, reader_script};
use mood_tests::session_folder::{Shown, write_timeline};
use mood_tests::{ProcessOutput, gst_mood, paths, run};
use serde_json::Value;
use tempfile::TempDir;

/// Frames of a session: a minute, five a second.
const FRAMES: u64 = 300;
/// Number of sessions.
const SESSIONS: u64 = 8;

/// A number from 0 to 1 that looks random.
fn noise(seed: u64) -> f64 {
    (seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 40) as f64
        / f64::from(1 << 24)
}

/// Runs `gst-mood` in a folder.
fn mood(folder: &Path, arguments: &[&str]) -> ProcessOutput {
    let mut command = gst_mood(arguments);
    command.current_dir(folder);
    run(command, TIMEOUT)
}

/// Writes sessions a week or so apart as `gst-mood live` leaves them, in which valence rises from each to the next and is higher with
/// music than without, and finishes them.
fn make_sessions(folder: &Path) -> Vec<String> {
    let names: Vec<String> = (0..SESSIONS).map(|index| format!("s{index}")).collect();
    for (index, name) in (0..SESSIONS).zip(&names) {
        let session = folder.join(name);
        fs::create_dir(&session).unwrap();
        let frames = (0..FRAMES).map(|frame| {
            let level = 0.04 * index as f64 + 0.2 * (noise(index * 77) - 0.5);
            let music = if frame >= 150 { 0.1 + 0.2 * noise(index * 99 + 5) } else { 0.0 };
            let affect = Affect {
                valence: level + music + 0.1 * noise(index * 1000 + frame),
                arousal: 0.5 * noise(index + frame * 31) - 0.25,
            };
            let label = if noise(frame * 13 + index) > 0.6 { Emotion::Happy } else { Emotion::Neutral };
            let subject = Shown { affect: Some(affect), ..Shown::new(1, label) };
            if frame % 60 > 52 { vec![Shown::new(2, Emotion::Sad)] } else { vec![subject] }
        });
        write_timeline(&session, None, 200_000_000, frames);
        // The sixth was put off by three days.
        let day = 1 + 3 * u64::from(index == 5) + 7 * (index % 4);
        let month = 3 + index / 4;
        let clock = format!(
            r#"{{"type":"clock","pts":0,"time":0,"utc":"2026-{month:02}-{day:02}T10:00:00.000Z","zone":"+00:00"}}"#
        );
        let text = fs::read_to_string(session.join("timeline.jsonl")).unwrap();
        let (header, rest) = text.split_once('\n').unwrap();
        fs::write(session.join("timeline.jsonl"), format!("{header}\n{clock}\n{rest}")).unwrap();
        let notes = "condition = 'music'\n[[parts]]\ncondition = 'none'\nto = '0:30'\n";
        fs::write(session.join("session.toml"), notes).unwrap();
    }
    let mut arguments = vec!["process", "--resume", "--baseline", "off"];
    arguments.extend(names.iter().map(String::as_str));
    mood(folder, &arguments).assert_success();
    names
}

#[test]
fn trends_conditions_and_tables_are_those_of_independent_programs() {
    let folder = TempDir::new().unwrap();
    let names = make_sessions(folder.path());
    assert_valid("summary.schema.json", &folder.path().join("s0/summary.json"));
    let mut arguments = vec!["report", "--json", "--tables", "tables"];
    // In any order: they are compared by their dates.
    arguments.extend(names.iter().rev().map(String::as_str));
    let found = mood(folder.path(), &arguments).assert_success();
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let titles: Vec<_> =
        found["sessions"].as_array().unwrap().iter().map(|session| &session["title"]).collect();
    assert_eq!(titles, names.iter().collect::<Vec<_>>());
    let mut reader = reader_script("many_sessions.py");
    reader.arg(paths::workspace_root().join("docs"));
    let expected = read_with(reader, folder.path());
    assert_eq!((&found["trend"]["per"], &found["trend"]["sessions"]), (&"week".into(), &SESSIONS.into()));
    let contrast = &found["contrasts"][0];
    assert_eq!((&contrast["first"], &contrast["second"]), (&"music".into(), &"none".into()));
    assert_eq!(contrast["paired"], true);
    for key in ["valence", "arousal"] {
        for (name, found) in [("trend", &found["trend"][key]), ("contrast", &contrast[key])] {
            let expected = &expected[key][name];
            let [value, low, high] = ["value", "low", "high"].map(|name| found[name].as_f64().unwrap());
            let [expected_value, expected_low, expected_high] =
                ["value", "low", "high"].map(|name| expected[name].as_f64().unwrap());
            assert!((value - expected_value).abs() < 1e-9, "{key} {name}: {value}, not {expected_value}");
            // From other resamples.
            let tolerance = 0.15 * (expected_high - expected_low);
            assert!((low - expected_low).abs() < tolerance, "{key} {name}: {low}, not {expected_low}");
            assert!((high - expected_high).abs() < tolerance, "{key} {name}: {high}, not {expected_high}");
        }
        let condition = &found["conditions"][0];
        assert_eq!((&condition["condition"], &condition["sessions"]), (&"music".into(), &SESSIONS.into()));
        let difference = condition[key]["value"].as_f64().unwrap() - expected[key]["music"].as_f64().unwrap();
        assert!(difference.abs() < 1e-9, "{key}: {difference}");
    }
    // In the example each second counts the same, and means have six digits.
    let [example, contrast] =
        [&expected["example"], &contrast["valence"]["value"]].map(|v| v.as_f64().unwrap());
    assert!((example.abs() - contrast).abs() < 0.02, "{example}, {contrast}");
    let page = fs::read_to_string(folder.path().join("comparison.html")).unwrap();
    let [low, high] = ["low", "high"].map(|name| found["trend"]["valence"][name].as_f64().unwrap());
    let direction = if low > 0.0 {
        "(rose)"
    } else if high < 0.0 {
        "(fell)"
    } else {
        "(no clear trend)"
    };
    for part in
        ["by the week: valence +0.", direction, "music minus none", "within sessions", "<title>happy:"]
    {
        assert!(page.contains(part), "{part}");
    }
    run_r_example(folder.path());
}

/// Runs the example in R where R and the package nlme are there.
fn run_r_example(folder: &Path) {
    let has_nlme = Command::new("Rscript").args(["-e", "library(nlme)"]).output();
    if !has_nlme.is_ok_and(|output| output.status.success()) {
        println!("skipped: no Rscript with the package nlme");
        return;
    }
    let text = fs::read_to_string(paths::workspace_root().join("docs/analysis.md")).unwrap();
    let example = text.split_once("```r\n").unwrap().1.split_once("```").unwrap().0;
    let mut command = Command::new("Rscript");
    command.args(["-e", example]).current_dir(folder);
    let output = run(command, TIMEOUT).assert_success();
    assert!(output.stdout.contains("condition"), "{output}");
}

#[test]
fn few_sessions_have_no_interval_and_a_missing_part_is_said() {
    let folder = TempDir::new().unwrap();
    for name in ["a", "b", "c"] {
        let session = folder.path().join(name);
        fs::create_dir(&session).unwrap();
        let frames =
            (0..50).map(|frame| vec![Shown::new(1, if frame < 25 { Emotion::Happy } else { Emotion::Sad })]);
        write_timeline(&session, None, 200_000_000, frames);
        fs::write(
            session.join("session.toml"),
            format!("[[parts]]\ncondition = '{name}'\nfrom = 'the song'\n"),
        )
        .unwrap();
        let output =
            mood(folder.path(), &["process", "--resume", "--baseline", "off", name]).assert_success();
        assert!(output.stderr.contains("a part") && output.stderr.contains("'the song'"), "{output}");
    }
    let found = mood(folder.path(), &["report", "a", "b", "c", "--json"]).assert_success();
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["trend"]["per"], "session");
    assert_eq!(
        (&found["trend"]["valence"]["low"], &found["contrasts"]),
        (&Value::Null, &serde_json::json!([]))
    );
    let page = fs::read_to_string(folder.path().join("comparison.html")).unwrap();
    assert!(page.contains("too few sessions to tell") && !page.contains("<h2>Conditions"));
    mood(folder.path(), &["report", "a", "none", "--tables", "t"]).assert_error(&["none"]);
    assert!(!folder.path().join("t/seconds.csv").exists());
}
