//! Two people together: the figures are those that numpy computes from the same timeline.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use mood_schema::{Affect, Emotion};
use mood_tests::process::TIMEOUT;
use mood_tests::readers::{assert_valid, read_with, reader_script};
use mood_tests::session_folder::{Shown, write_timeline};
use mood_tests::{gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// Frames of the session: twelve minutes and a half, five frames a second.
const FRAMES: usize = 3_750;
const PERIOD: u64 = 200_000_000;

/// A curve that drifts, -1 to 1.
fn drift(mut state: u64) -> Vec<f64> {
    let mut value = 0.0;
    (0..FRAMES)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value = 0.95 * value + 0.2 * ((state >> 40) as f64 / f64::from(1 << 24) - 0.5);
            value
        })
        .collect()
}

#[test]
fn figures_of_two_people_are_those_of_an_independent_program() {
    let folder = TempDir::new().unwrap();
    let (valence, noise, arousal, other) = (drift(1), drift(2), drift(3), drift(4));
    let frames = (0..FRAMES).map(|frame| {
        // The second follows in valence by a second, and is away now and then.
        let followed = valence[frame.saturating_sub(5)];
        let shown = |id, valence: f64, arousal| {
            let label = if valence > 0.1 { Emotion::Happy } else { Emotion::Neutral };
            Shown { affect: Some(Affect { valence, arousal }), ..Shown::new(id, label) }
        };
        let first = shown(1, valence[frame], arousal[frame]);
        let second = shown(2, (followed + 0.5 * noise[frame]).clamp(-1.0, 1.0), other[frame]);
        if frame % 400 > 370 { vec![first] } else { vec![first, second] }
    });
    write_timeline(folder.path(), None, PERIOD, frames);
    let expected = read_with(reader_script("dyad.py"), &folder.path().join("timeline.jsonl"));
    let summary = run(gst_mood(&["report", folder.path().to_str().unwrap(), "--json"]), TIMEOUT);
    let summary = summary.assert_success().stdout;
    std::fs::write(folder.path().join("found.json"), &summary).unwrap();
    assert_valid("summary.schema.json", &folder.path().join("found.json"));
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let dyad = &summary["dyads"][0];
    assert_eq!(dyad["people"], serde_json::json!([1, 2]));
    assert_eq!(dyad["common"], expected["common"]);
    for dimension in ["valence", "arousal"] {
        for (name, tolerance) in [
            ("windows", 0.0),
            ("strength", 1e-9),
            ("chance", 1e-9),
            ("lead", 1e-9),
            ("lag_seconds", 0.0),
            ("correlation", 1e-9),
            // From other surrogates.
            ("p", 0.05),
            ("lead_p", 0.05),
        ] {
            let [found, expected] = [dyad, &expected].map(|side| side[dimension][name].as_f64().unwrap());
            assert!((found - expected).abs() <= tolerance, "{dimension} {name}: {found}, not {expected}");
        }
        let [found, expected] =
            [dyad, &expected].map(|side| side[dimension]["effect_size"].as_f64().unwrap());
        assert!(
            (found / expected - 1.0).abs() < 0.15 || (found - expected).abs() < 0.1,
            "{found}, {expected}"
        );
    }
    assert_eq!((&dyad["valence"]["leader"], &dyad["valence"]["lag_seconds"]), (&1.into(), &1.0.into()));
    assert_eq!(dyad["arousal"]["leader"], Value::Null);
    let smiles = &dyad["smiles"];
    assert!(smiles["smiles"].as_array().unwrap().len() as u64 <= expected["smiles"].as_u64().unwrap());
    let [found, by_frames] = [&smiles["time"], &expected["smile_time"]].map(|time| time.as_f64().unwrap());
    // Episodes leave out what lasts less than half a second, and close such gaps.
    assert!(found > 0.0 && (found / by_frames - 1.0).abs() < 0.1, "{found}, {by_frames} ns");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("Person 1 leads and Person 2 follows, by about 1.0 s"), "{page}");
}
