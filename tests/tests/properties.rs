//! No value of any property aborts a process, before start or while playing, and every value set is the value read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use mood_tests::{audio, command, run};

const TIMEOUT: Duration = Duration::from_secs(300);

#[track_caller]
fn sweep(element: &str) {
    let folder = tempfile::tempdir().unwrap();
    audio::make_library(&folder.path().join("library"));
    // `make test-faults` takes more sequences of random values.
    let sequences = std::env::var("MOOD_FAULTS").map_or(2, |factor| 1 + factor.parse::<u64>().unwrap());
    for seed in 1..=sequences {
        let mut command = command(env!("CARGO_BIN_EXE_property_sweep"));
        command
            .current_dir(folder.path())
            .arg(element)
            .arg(folder.path())
            .arg(seed.to_string())
            .env("G_DEBUG", "fatal-criticals");
        let output = run(command, TIMEOUT);
        let last = output.stdout.lines().last().unwrap_or_default().to_owned();
        assert_eq!(output.code, Some(0), "{element} did not survive {last}\n{output}");
    }
}

#[test]
fn haarfacedetect_survives_every_value() {
    sweep("haarfacedetect");
}

#[test]
fn emotionclassify_survives_every_value() {
    sweep("emotionclassify");
}

#[test]
fn emotionoverlay_survives_every_value() {
    sweep("emotionoverlay");
}

#[test]
fn emotionlog_survives_every_value() {
    sweep("emotionlog");
}

#[test]
fn emotionpublish_survives_every_value() {
    sweep("emotionpublish");
}

#[test]
fn moodplayer_survives_every_value() {
    sweep("moodplayer");
}
