//! Crossfades, measured in the output.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{Recording, init, make_player, record_moods, record_moods_as};
use crate::noise_files::NoiseFile;

use Emotion::{Angry, Happy, Sad};

/// The mean power of samples of all channels, dB.
fn level_in_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
    10.0 * power.log10()
}

impl Recording {
    /// The index in `samples` of the first channel's value at a time.
    fn value_index(&self, seconds: f64) -> usize {
        (seconds * self.rate as f64) as usize * self.channels
    }

    /// The timestamps of the messages with this name, in seconds.
    pub fn message_times(&self, name: &str) -> Vec<f64> {
        let named = self.messages.iter().filter(|message| message.name() == name);
        named.map(|message| message.get::<u64>("timestamp").unwrap() as f64 / 1e9).collect()
    }

    /// Asserts that between two times (seconds) the level in every window of 0.2 s is within 1 dB of the
    /// overall level. `what` names the recording in the panic message.
    pub fn assert_level(&self, from: f64, to: f64, what: &str) {
        let overall = level_in_db(&self.samples[self.value_index(from)..self.value_index(to)]);
        let mut at = from;
        while at + 0.2 <= to {
            let level = level_in_db(&self.samples[self.value_index(at)..self.value_index(at + 0.2)]);
            assert!((level - overall).abs() < 1.0, "{what}: {:+.2} dB at {at:.2} s", level - overall);
            at += 0.05;
        }
    }

    /// The largest difference between successive samples of a channel between two times (seconds).
    fn largest_step(&self, from: f64, to: f64) -> f32 {
        let samples = &self.samples[self.value_index(from)..self.value_index(to)];
        let steps = samples.iter().zip(&samples[self.channels..]).map(|(a, b)| (b - a).abs());
        steps.fold(0.0, f32::max)
    }
}

/// Fades from happy to sad music, and asserts that the level is constant and that there is no click. `what`
/// names the case in panic messages.
fn assert_clean_fade(folder: &Path, output: &str, what: &str) {
    let player = make_player(folder);
    player.set_property("crossfade", 2_000_000_000u64);
    player.set_property("target-lufs", -20.0);
    let recording = record_moods_as(player, output, &[(Some(Happy), 12), (Some(Sad), 14)]);
    recording.assert_continuous();
    assert_eq!((recording.seconds(), recording.count_messages("track-failed")), (26.0, 0), "{what}");
    let started = recording.message_times("track-started");
    assert_eq!(started.len(), 2, "{what}");
    let (begin, end) =
        (recording.message_times("crossfade-started")[0], recording.message_times("crossfade-done")[0]);
    assert!((end - begin - 2.0).abs() < 1e-4, "{what}: a fade of {} s", end - begin);
    recording.assert_level(started[0] + 0.1, 25.9, what);
    let fading = recording.largest_step(begin, end);
    let alone = recording.largest_step(started[0] + 0.1, begin).max(recording.largest_step(end, 25.9));
    // Both are the largest of many random steps; a click would be several times as large.
    assert!(fading <= 1.05 * alone, "{what}: a step of {fading} in the fade, {alone} in the sources");
}

#[test]
fn fades_between_all_formats_have_constant_level_and_no_clicks() {
    init();
    // Every container, rate, number of channels and sample format, but not every combination of them.
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
            let noise =
                NoiseFile { name, format, rate, channels, seconds: 20.0, seed, mood, ..NoiseFile::default() };
            noise.make(folder.path());
        }
        assert_clean_fade(folder.path(), output, &format!("{one:?} to {other:?} as {output}"));
    }
}

#[test]
fn interrupted_fades_have_constant_level_and_no_clicks() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad"), (3, "angry")] {
        let name = format!("{mood}.wav");
        NoiseFile { name: &name, seconds: 40.0, seed, mood, ..NoiseFile::default() }.make(folder.path());
    }
    let player = make_player(folder.path());
    player.set_property("crossfade", 9_000_000_000u64);
    player.set_property("min-dwell", 0u64);
    // Fades and single tracks last equally long, so that their largest steps are comparable.
    let moods = [(Some(Happy), 18), (Some(Sad), 5), (Some(Angry), 5), (Some(Happy), 26)];
    let recording = record_moods(player, &moods);
    let (started, done) =
        (recording.message_times("crossfade-started"), recording.message_times("crossfade-done"));
    assert_eq!((started.len(), done.len()), (3, 1), "{started:?} {done:?}");
    assert!(started.windows(2).all(|pair| pair[1] - pair[0] < 9.0), "not within a fade: {started:?}");
    recording.assert_level(recording.message_times("track-started")[0] + 0.1, 53.9, "interrupted");
    let fading = recording.largest_step(started[0], done[0]);
    let alone = recording.largest_step(0.0, started[0]).max(recording.largest_step(done[0], 53.9));
    assert!(fading <= 1.05 * alone, "a step of {fading} in the fades, {alone} in the sources");
}

#[test]
fn a_changed_mood_is_audible_within_50_ms() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad")] {
        let name = format!("{mood}.flac");
        NoiseFile { name: &name, seconds: 30.0, seed, mood, ..NoiseFile::default() }.make(folder.path());
    }
    let changing = record_moods(make_player(folder.path()), &[(Some(Happy), 8), (Some(Sad), 10)]);
    let constant = record_moods(make_player(folder.path()), &[(Some(Happy), 18)]);
    let confirmed = changing.message_times("mood-changed")[1];
    let differs = changing.samples.iter().zip(&constant.samples).position(|(a, b)| a != b).unwrap();
    let heard = (differs / changing.channels) as f64 / changing.rate as f64;
    assert!((0.0..0.05).contains(&(heard - confirmed)), "confirmed at {confirmed} s, heard at {heard} s");
}

#[test]
fn loud_tracks_in_a_fade_stay_below_minus_1_dbtp() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (seed, mood) in [(1, "happy"), (2, "sad")] {
        let name = format!("{mood}.wav");
        NoiseFile { name: &name, seconds: 30.0, seed, mood, ..NoiseFile::default() }.make(folder.path());
    }
    let player = make_player(folder.path());
    // So loud that the noise reaches the limiter.
    player.set_property("target-lufs", -8.0);
    player.set_property("crossfade", 3_000_000_000u64);
    let recording = record_moods(player, &[(Some(Happy), 8), (Some(Sad), 10)]);
    let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK | ebur128::Mode::I).unwrap();
    meter.add_frames_f32(&recording.samples).unwrap();
    let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
    assert!((-2.0..=-1.0).contains(&(20.0 * peak.log10())), "{peak}");
    let loudness = meter.loudness_global().unwrap();
    assert!((-9.5..-7.5).contains(&loudness), "{loudness} LUFS");
}
