//! Where tracks begin, end and resume.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{TestPipeline, init, make_player, record_moods};
use crate::noise_files::{NoiseFile, write_audio};

use Emotion::{Happy, Sad};

#[test]
fn silence_at_the_ends_of_tracks_is_skipped() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (index, silence) in [(3.0, 2.5), (0.0, 4.0), (1.0, 0.0)].into_iter().enumerate() {
        let (name, seed) = (format!("{index}.flac"), index as u64);
        NoiseFile { name: &name, seconds: 6.0, silence, seed, ..NoiseFile::default() }.make(folder.path());
    }
    let player = make_player(folder.path());
    player.set_property("crossfade", 1_000_000_000u64);
    let recording = record_moods(player, &[(Some(Happy), 40)]);
    assert!(recording.count_messages("track-started") >= 6, "{}", recording.count_messages("track-started"));
    recording.assert_level(4.0, 39.9, "between the tracks");
}

#[test]
fn a_track_is_as_long_as_its_audible_part() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for seed in 0..5 {
        let (name, silence) = (format!("{seed}.ogg"), (12.0, 3.0));
        NoiseFile { name: &name, seconds: 1.0, silence, seed, ..NoiseFile::default() }.make(folder.path());
    }
    let player = make_player(folder.path());
    player.set_property("crossfade", 4_000_000_000u64);
    let recording = record_moods(player, &[(Some(Happy), 15)]);
    // A quarter of each fades into the next, so one begins every 0.75 s.
    let started = recording.count_messages("track-started");
    assert!((12..=18).contains(&started), "{started} tracks in 12 s");
    assert_eq!(recording.count_messages("track-failed"), 0);
}

#[test]
fn a_silent_track_is_skipped_and_reported() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    NoiseFile { name: "a.wav", seconds: 0.0, silence: (3.0, 0.0), ..NoiseFile::default() }
        .make(folder.path());
    NoiseFile { name: "b.wav", seconds: 5.0, ..NoiseFile::default() }.make(folder.path());
    let player = make_player(folder.path());
    player.set_property("no-repeat", 2u32);
    let recording = record_moods(player, &[(Some(Happy), 20)]);
    recording.assert_level(4.0, 19.9, "the other track");
    let failed: Vec<_> = recording.messages.iter().filter(|m| m.name() == "track-failed").collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].get::<&str>("error").unwrap().contains("silent"));
}

#[test]
fn without_crossfade_tracks_join_gaplessly() {
    init();
    // Two seconds are whole periods, so any sample lost, added or faded would make a step.
    let step_angle = 500.0 * std::f32::consts::TAU / 48_000.0;
    let sine: Vec<f32> = (0..96_000).map(|sample| 0.5 * (step_angle * sample as f32 + 1.0).sin()).collect();
    for (name, format) in [("a.wav", "F32LE"), ("b.flac", "S24LE"), ("c.ogg", "F32LE"), ("d.mp3", "F32LE")] {
        let folder = tempfile::TempDir::new().unwrap();
        write_audio(&folder.path().join(name), format, 48_000, 1, &sine);
        if name == "d.mp3" {
            let codec = ["-codec:a", "libmp3lame", "-b:a", "192k"];
            encode(&folder.path().join("a.wav"), &folder.path().join(name), &codec, 48_000, &sine);
        }
        std::fs::write(folder.path().join(format!("{name}.mood")), "happy").unwrap();
        let player = make_player(folder.path());
        player.set_property("crossfade", 0u64);
        let recording = record_moods(player, &[(Some(Happy), 15)]);
        assert!(recording.count_messages("track-started") >= 4, "{name}: {:?}", recording.messages);
        let mono: Vec<f32> = recording.samples.chunks(2).map(|sample| sample[0]).skip(5 * 48_000).collect();
        let largest = mono.iter().fold(0.0f32, |max, sample| max.max(sample.abs()));
        let step = mono.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // MP3 smears an abrupt beginning and end.
        let allowed = if name == "d.mp3" { 3.0 } else { 1.2 };
        assert!(step < allowed * largest * step_angle, "{name}: {step} of {}", largest * step_angle);
        let started = recording.messages.iter().filter(|message| message.name() == "track-started");
        let started: Vec<u64> = started.map(|message| message.get("timestamp").unwrap()).collect();
        assert!(started.windows(2).all(|two| two[1] - two[0] == 2_000_000_000), "{name}: {started:?}");
    }
}

#[test]
fn an_aac_track_begins_with_its_first_sample() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    // A second is a whole number of periods, an encoder's delay is not.
    let step_angle = |rate: f32| 440.0 * std::f32::consts::TAU / rate;
    let sine: Vec<f32> =
        (0..441_000).map(|sample| 0.5 * (step_angle(44_100.0) * sample as f32).cos()).collect();
    let path = folder.path().join("a.m4a");
    encode(&folder.path().join("a.wav"), &path, &["-codec:a", "aac", "-b:a", "192k"], 44_100, &sine);
    let step_angle = step_angle(48_000.0);
    std::fs::write(folder.path().join("a.m4a.mood"), "happy").unwrap();
    let recording = record_moods(make_player(folder.path()), &[(Some(Happy), 8)]);
    let started = recording.messages.iter().find(|message| message.name() == "track-started").unwrap();
    let start = (started.get::<u64>("timestamp").unwrap() as f64 * 48e-6).round() as usize;
    let mono: Vec<f32> = recording.samples.chunks(2).map(|sample| sample[0]).collect();
    // Its beginning is faded in, so the phase of the sine shows where it began.
    let phase = |first: usize| {
        let part = mono[first..first + 9_600].iter().enumerate();
        let (x, y) = part.fold((0.0, 0.0), |(x, y), (index, value)| {
            let angle = step_angle * index as f32;
            (x + value * angle.cos(), y - value * angle.sin())
        });
        y.atan2(x)
    };
    assert!(phase(start + 48_000).abs() < 0.05, "{} samples late", -phase(start + 48_000) / step_angle);
}

/// Encodes with FFmpeg, which unlike GStreamer's encoders writes how much it has added before and after the
/// music.
fn encode(wave: &Path, path: &Path, codec: &[&str], rate: u32, samples: &[f32]) {
    write_audio(wave, "F32LE", rate, 1, samples);
    let mut encode = std::process::Command::new("ffmpeg");
    encode.args(["-v", "error", "-y", "-i"]).arg(wave).args(codec).arg(path);
    assert!(encode.status().expect("ffmpeg, which make setup installs").success());
    std::fs::remove_file(wave).unwrap();
}

#[test]
fn a_track_resumes_at_the_exact_sample() {
    init();
    // In the last case the start is so late that it is reached by seeking.
    for (name, seconds) in [
        ("happy.wav", 28),
        ("happy.flac", 28),
        ("happy.ogg", 28),
        ("happy.mp3", 28),
        ("happy.m4a", 28),
        ("long.flac", 312),
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        let channels = if seconds > 60 { 1 } else { 2 };
        NoiseFile { name, channels, seconds: seconds as f64 + 20.0, ..NoiseFile::default() }
            .make(folder.path());
        NoiseFile { name: "sad.wav", seconds: 30.0, seed: 2, mood: "sad", ..NoiseFile::default() }
            .make(folder.path());
        let run = |moods: &[(Option<Emotion>, u64)]| {
            let player = make_player(folder.path());
            player.set_property_from_str("resume", "resume");
            record_moods(player, moods)
        };
        let uninterrupted = run(&[(Some(Happy), seconds + 17)]);
        let interrupted = run(&[(Some(Happy), seconds), (Some(Sad), 8), (Some(Happy), 10)]);
        let started: Vec<f64> = interrupted
            .messages
            .iter()
            .filter(|message| message.name() == "track-started")
            .map(|message| message.get::<u64>("timestamp").unwrap() as f64 / 1e9)
            .collect();
        assert_eq!(started.len(), 3, "{name}");
        // After the fade of half a second, the audio must be what followed where the track was left.
        let index = |seconds: f64| ((seconds + 0.6) * 48_000.0).round() as usize * 2;
        let (expected, resumed) =
            (&uninterrupted.samples[index(started[1])..], &interrupted.samples[index(started[2])..]);
        let length = resumed.len().min(96_000);
        let (expected, resumed) = (&expected[..length], &resumed[..length]);
        let energy = |samples: &[f32]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
        let difference: Vec<f32> = expected.iter().zip(resumed).map(|(a, b)| a - b).collect();
        let difference = 10.0 * (energy(&difference) / energy(expected)).log10();
        assert!(difference < -40.0, "{name}: differs at {difference} dB");
    }
}

#[test]
fn a_track_of_three_hours_starts_in_time() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    let path =
        NoiseFile { name: "long.wav", rate: 8_000, channels: 1, seconds: 30.0, ..NoiseFile::default() };
    let path = path.make(folder.path());
    // Three hours according to its header. After the noise, the file is sparse.
    let bytes = 3 * 3600 * 8_000 * 2u32;
    let mut head = std::fs::read(&path).unwrap();
    let data = head.windows(4).position(|four| four == b"data").unwrap();
    head[4..8].copy_from_slice(&(bytes + data as u32).to_le_bytes());
    head[data + 4..data + 8].copy_from_slice(&bytes.to_le_bytes());
    std::fs::write(&path, &head).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(u64::from(bytes) + data as u64 + 8).unwrap();
    let pipeline =
        TestPipeline::new(make_player(folder.path()), "audio/x-raw,format=F32LE,rate=8000,channels=1");
    pipeline.player.set_property("manual-mood", "happy");
    let recording = pipeline.play().record(5.0);
    recording.assert_continuous();
    recording.assert_level(0.5, 4.9, "a track of three hours");
    assert!(pipeline.player.property::<String>("track").ends_with("long.wav"));
}
