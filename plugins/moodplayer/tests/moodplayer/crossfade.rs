//! Crossfades measured on the sound that comes out.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::material::Material;
use crate::studio::{Recording, init, perform, perform_as, player};

use Emotion::{Angry, Happy, Sad};

/// Decibels of a stretch of all channels.
fn level(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
    10.0 * power.log10()
}

impl Recording {
    fn frame(&self, seconds: f64) -> usize {
        (seconds * self.rate as f64) as usize * self.channels
    }

    /// When the messages of a name were, in seconds.
    pub fn when(&self, name: &str) -> Vec<f64> {
        let named = self.messages.iter().filter(|message| message.name() == name);
        named.map(|message| message.get::<u64>("timestamp").unwrap() as f64 / 1e9).collect()
    }

    /// Of every fifth of a second between two times, the level is within a decibel of that of all.
    pub fn assert_level(&self, from: f64, to: f64, what: &str) {
        let whole = level(&self.samples[self.frame(from)..self.frame(to)]);
        let mut at = from;
        while at + 0.2 <= to {
            let here = level(&self.samples[self.frame(at)..self.frame(at + 0.2)]);
            assert!((here - whole).abs() < 1.0, "{what}: {:+.2} dB at {at:.2} s", here - whole);
            at += 0.05;
        }
    }

    /// The largest difference of a sample to the one before it in the same channel.
    fn largest_step(&self, from: f64, to: f64) -> f32 {
        let samples = &self.samples[self.frame(from)..self.frame(to)];
        let steps = samples.iter().zip(&samples[self.channels..]).map(|(a, b)| (b - a).abs());
        steps.fold(0.0, f32::max)
    }
}

fn fade_between(folder: &Path, output: &str, what: &str) {
    let player = player(folder);
    player.set_property("crossfade", 2_000_000_000u64);
    player.set_property("target-lufs", -20.0);
    let recording = perform_as(player, output, &[(Some(Happy), 12), (Some(Sad), 14)]);
    recording.assert_continuous();
    assert_eq!((recording.seconds(), recording.count("track-failed")), (26.0, 0), "{what}");
    let started = recording.when("track-started");
    assert_eq!(started.len(), 2, "{what}");
    let (begin, end) = (recording.when("crossfade-started")[0], recording.when("crossfade-done")[0]);
    assert!((end - begin - 2.0).abs() < 1e-4, "{what}: a fade of {} s", end - begin);
    recording.assert_level(started[0] + 0.1, 25.9, what);
    let fading = recording.largest_step(begin, end);
    let alone = recording.largest_step(started[0] + 0.1, begin).max(recording.largest_step(end, 25.9));
    // The largest of many random steps: a click would be a multiple.
    assert!(fading <= 1.05 * alone, "{what}: a step of {fading} in the fade, {alone} in the sources");
}

#[test]
fn level_and_steps_stay_through_fades_between_all_formats() {
    init();
    // Every container, rate, channel count and depth, each time with another kind opposite; not every combination.
    let kinds = [
        [("a.wav", "S16LE", 44_100, 1), ("b.flac", "S24LE", 96_000, 2)],
        [("a.wav", "S32LE", 96_000, 6), ("b.ogg", "F32LE", 48_000, 2)],
        [("a.ogg", "F32LE", 44_100, 6), ("b.mp3", "S16LE", 44_100, 2)],
        [("a.mp3", "S16LE", 48_000, 1), ("b.m4a", "F32LE", 48_000, 6)],
        [("a.m4a", "F32LE", 44_100, 2), ("b.wav", "S24LE", 48_000, 1)],
        [("a.flac", "S16LE", 48_000, 6), ("b.wav", "S32LE", 44_100, 2)],
    ];
    let outputs = ["rate=48000,channels=2", "rate=44100,channels=1", "rate=96000,channels=2"];
    for ([one, other], output) in kinds.into_iter().zip(outputs.into_iter().cycle()) {
        let folder = tempfile::TempDir::new().unwrap();
        for (seed, mood, (name, format, rate, channels)) in [(1, "happy", one), (2, "sad", other)] {
            let material =
                Material { name, format, rate, channels, seconds: 20.0, seed, mood, ..Material::default() };
            material.make(folder.path());
        }
        fade_between(folder.path(), output, &format!("{one:?} to {other:?} as {output}"));
    }
}

#[test]
fn a_fade_interrupted_twice_keeps_its_level() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad"), (3, "angry")] {
        let name = format!("{mood}.wav");
        Material { name: &name, seconds: 40.0, seed, mood, ..Material::default() }.make(folder.path());
    }
    let player = player(folder.path());
    player.set_property("crossfade", 9_000_000_000u64);
    player.set_property("min-dwell", 0u64);
    // As long alone as in fades, so that the largest of many random steps is comparable.
    let moods = [(Some(Happy), 18), (Some(Sad), 5), (Some(Angry), 5), (Some(Happy), 26)];
    let recording = perform(player, &moods);
    let (begun, done) = (recording.when("crossfade-started"), recording.when("crossfade-done"));
    assert_eq!((begun.len(), done.len()), (3, 1), "{begun:?} {done:?}");
    assert!(begun.windows(2).all(|pair| pair[1] - pair[0] < 9.0), "in mid-fade: {begun:?}");
    recording.assert_level(recording.when("track-started")[0] + 0.1, 53.9, "interrupted");
    let fading = recording.largest_step(begun[0], done[0]);
    let alone = recording.largest_step(0.0, begun[0]).max(recording.largest_step(done[0], 53.9));
    assert!(fading <= 1.05 * alone, "a step of {fading} in the fades, {alone} in the sources");
}

#[test]
fn a_confirmed_mood_is_heard_within_fifty_milliseconds() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad")] {
        let name = format!("{mood}.flac");
        Material { name: &name, seconds: 30.0, seed, mood, ..Material::default() }.make(folder.path());
    }
    let moved = perform(player(folder.path()), &[(Some(Happy), 8), (Some(Sad), 10)]);
    let stayed = perform(player(folder.path()), &[(Some(Happy), 18)]);
    let confirmed = moved.when("mood-changed")[1];
    let differs = moved.samples.iter().zip(&stayed.samples).position(|(a, b)| a != b).unwrap();
    let heard = (differs / moved.channels) as f64 / moved.rate as f64;
    assert!((0.0..0.05).contains(&(heard - confirmed)), "confirmed at {confirmed} s, heard at {heard} s");
}

#[test]
fn loud_tracks_that_meet_stay_below_one_decibel_of_true_peak() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad")] {
        let name = format!("{mood}.wav");
        Material { name: &name, seconds: 30.0, seed, mood, ..Material::default() }.make(folder.path());
    }
    let player = player(folder.path());
    // Louder than noise can be without the limiter.
    player.set_property("target-lufs", -8.0);
    player.set_property("crossfade", 3_000_000_000u64);
    let recording = perform(player, &[(Some(Happy), 8), (Some(Sad), 10)]);
    let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK | ebur128::Mode::I).unwrap();
    meter.add_frames_f32(&recording.samples).unwrap();
    let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
    assert!((-2.0..=-1.0).contains(&(20.0 * peak.log10())), "{peak}");
    let loudness = meter.loudness_global().unwrap();
    assert!((-9.5..-7.5).contains(&loudness), "{loudness} LUFS");
}
