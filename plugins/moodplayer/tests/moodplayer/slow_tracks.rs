//! Tracks that take long to measure.

use std::path::Path;
use std::time::Instant;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{Recording, TIMEOUT, frequency, make_player, record_moods, tone_library};
use crate::live::build_live_pipeline;

use Emotion::{Happy, Neutral};

/// Amplitude of the long track; as a stereo sine, -14.4 LUFS.
const LEVEL: f64 = 0.19;

/// Puts a track of so many seconds in place of the library's happy one. Half an hour takes seconds to measure.
fn replace_happy_track(library: &Path, seconds: usize) {
    std::fs::remove_file(library.join("happy.flac")).unwrap();
    const RATE: u32 = 8_000;
    let step = std::f64::consts::TAU * f64::from(frequency(Happy)) / f64::from(RATE);
    let sample = |index: u32| (LEVEL * (step * f64::from(index)).sin() * 32_767.0).round() as i16;
    let second: Vec<u8> = (0..RATE).flat_map(|index| sample(index).to_le_bytes()).collect();
    let data = second.repeat(seconds);
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    let size = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    std::fs::write(library.join("long.wav"), file).unwrap();
    std::fs::write(library.join("long.wav.mood"), "happy").unwrap();
}

/// The level of the happy tone, dB.
fn level(recording: &Recording, at: f64) -> f64 {
    20.0 * recording.tone_level(at, frequency(Happy)).log10()
}

#[test]
fn live_a_long_track_begins_before_it_is_measured_and_is_corrected_slowly() {
    let library = tone_library();
    replace_happy_track(library.path(), 20);
    // Recorded video waits for the measurement, so the level is right from the beginning.
    let recording = record_moods(make_player(library.path()), &[(Some(Happy), 4)]);
    let begin = recording.message_times("track-started")[0];
    let target = level(&recording, begin + 0.7);
    assert!((level(&recording, begin + 1.5) - target).abs() < 0.1);

    let library = tone_library();
    replace_happy_track(library.path(), 1_800);
    let pipeline = build_live_pipeline(make_player(library.path()));
    let first = pipeline.play().record(1.0);
    assert_eq!(first.emotion_at(0.7), Some(Neutral));
    pipeline.player.set_property("manual-mood", "happy");
    let started = Instant::now();
    let mut recording = Recording::default();
    while !pipeline.player.property::<String>("track").ends_with("long.wav") {
        assert!(started.elapsed() < TIMEOUT, "the long track does not begin");
        recording = pipeline.record(0.1);
    }
    assert!(recording.problems.is_empty(), "{:?}", recording.problems);
    // After the crossfade of half a second.
    pipeline.record(0.7);
    let mut meter = ebur128::EbuR128::new(2, recording.rate as u32, ebur128::Mode::TRUE_PEAK).unwrap();
    let mut departure = f64::NEG_INFINITY;
    while departure.abs() > 0.1 {
        assert!(started.elapsed() < TIMEOUT, "still at {departure} dB");
        let recording = pipeline.record(0.5);
        meter.add_frames_f32(&recording.samples).unwrap();
        let next = level(&recording, 0.4) - target;
        let rise = next - departure;
        if departure.is_finite() {
            assert!((-0.1..1.2).contains(&rise), "{rise} dB in half a second");
        } else {
            assert!(next < -1.5, "it began at the right level, so it was measured: {next} dB");
        }
        departure = next;
    }
    let peak = 20.0 * meter.true_peak(0).unwrap().log10();
    assert!(peak <= -1.0, "{peak} dBTP");
}
