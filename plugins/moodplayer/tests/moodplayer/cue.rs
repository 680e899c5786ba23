//! Where tracks begin, end and go on.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::material::{Material, write};
use crate::studio::{Session, init, perform, player};

use Emotion::{Happy, Sad};

#[test]
fn silence_at_a_tracks_ends_is_not_heard() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (index, silence) in [(3.0, 2.5), (0.0, 4.0), (1.0, 0.0)].into_iter().enumerate() {
        let (name, seed) = (format!("{index}.flac"), index as u64);
        Material { name: &name, seconds: 6.0, silence, seed, ..Material::default() }.make(folder.path());
    }
    let player = player(folder.path());
    player.set_property("crossfade", 1_000_000_000u64);
    let recording = perform(player, &[(Some(Happy), 40)]);
    assert!(recording.count("track-started") >= 6, "{}", recording.count("track-started"));
    recording.assert_level(4.0, 39.9, "no silence between the tracks");
}

#[test]
fn a_second_of_sound_after_long_silence_is_a_track_of_a_second() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for seed in 0..5 {
        let (name, silence) = (format!("{seed}.ogg"), (12.0, 3.0));
        Material { name: &name, seconds: 1.0, silence, seed, ..Material::default() }.make(folder.path());
    }
    let player = player(folder.path());
    player.set_property("crossfade", 4_000_000_000u64);
    let recording = perform(player, &[(Some(Happy), 15)]);
    // A quarter of each fades into the next.
    let started = recording.count("track-started");
    assert!((12..=18).contains(&started), "{started} tracks in 12 s");
    assert_eq!(recording.count("track-failed"), 0);
}

#[test]
fn a_silent_track_is_left_out() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    Material { name: "a.wav", seconds: 0.0, silence: (3.0, 0.0), ..Material::default() }.make(folder.path());
    Material { name: "b.wav", seconds: 5.0, ..Material::default() }.make(folder.path());
    let player = player(folder.path());
    player.set_property("no-repeat", 2u32);
    let recording = perform(player, &[(Some(Happy), 20)]);
    recording.assert_level(4.0, 19.9, "only the other");
    let failed: Vec<_> = recording.messages.iter().filter(|m| m.name() == "track-failed").collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].get::<&str>("error").unwrap().contains("silent"));
}

#[test]
fn without_crossfade_a_track_follows_itself_without_a_step() {
    init();
    // A sine of whole periods: any frame lost, added or faded would be a step.
    let turn = 500.0 * std::f32::consts::TAU / 48_000.0;
    let sine: Vec<f32> = (0..96_000).map(|frame| 0.5 * (turn * frame as f32 + 1.0).sin()).collect();
    for (name, format) in [("a.wav", "F32LE"), ("b.flac", "S24LE"), ("c.ogg", "F32LE"), ("d.mp3", "F32LE")] {
        let folder = tempfile::TempDir::new().unwrap();
        write(&folder.path().join(name), format, 48_000, 1, &sine);
        if name == "d.mp3" {
            let codec = ["-codec:a", "libmp3lame", "-b:a", "192k"];
            encode(&folder.path().join("a.wav"), &folder.path().join(name), &codec, 48_000, &sine);
        }
        std::fs::write(folder.path().join(format!("{name}.mood")), "happy").unwrap();
        let player = player(folder.path());
        player.set_property("crossfade", 0u64);
        let recording = perform(player, &[(Some(Happy), 15)]);
        assert!(recording.count("track-started") >= 4, "{name}: {:?}", recording.messages);
        let heard: Vec<f32> = recording.samples.chunks(2).map(|frame| frame[0]).skip(5 * 48_000).collect();
        let largest = heard.iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
        let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // MP3 smears what begins and ends at once.
        let allowed = if name == "d.mp3" { 3.0 } else { 1.2 };
        assert!(step < allowed * largest * turn, "{name}: {step} of {}", largest * turn);
        let started = recording.messages.iter().filter(|message| message.name() == "track-started");
        let started: Vec<u64> = started.map(|message| message.get("timestamp").unwrap()).collect();
        assert!(started.windows(2).all(|two| two[1] - two[0] == 2_000_000_000), "{name}: {started:?}");
    }
}

#[test]
fn an_aac_track_begins_with_its_first_sample() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    // A second is whole periods, what is kept of silence is not.
    let turn = |rate: f32| 440.0 * std::f32::consts::TAU / rate;
    let sine: Vec<f32> = (0..441_000).map(|frame| 0.5 * (turn(44_100.0) * frame as f32).cos()).collect();
    let path = folder.path().join("a.m4a");
    encode(&folder.path().join("a.wav"), &path, &["-codec:a", "aac", "-b:a", "192k"], 44_100, &sine);
    let turn = turn(48_000.0);
    std::fs::write(folder.path().join("a.m4a.mood"), "happy").unwrap();
    let recording = perform(player(folder.path()), &[(Some(Happy), 8)]);
    let started = recording.messages.iter().find(|message| message.name() == "track-started").unwrap();
    let begin = (started.get::<u64>("timestamp").unwrap() as f64 * 48e-6).round() as usize;
    let heard: Vec<f32> = recording.samples.chunks(2).map(|frame| frame[0]).collect();
    // Music that begins in silence is faded in, so its phase tells where it begins.
    let phase = |from: usize| {
        let part = heard[from..from + 9_600].iter().enumerate();
        let (x, y) = part.fold((0.0, 0.0), |(x, y), (frame, sample)| {
            let at = turn * frame as f32;
            (x + sample * at.cos(), y - sample * at.sin())
        });
        y.atan2(x)
    };
    assert!(phase(begin + 48_000).abs() < 0.05, "{} frames late", -phase(begin + 48_000) / turn);
}

/// GStreamer's encoders do not say what they add before and after the music; FFmpeg's do.
fn encode(wave: &Path, path: &Path, codec: &[&str], rate: u32, samples: &[f32]) {
    write(wave, "F32LE", rate, 1, samples);
    let mut encode = std::process::Command::new("ffmpeg");
    encode.args(["-v", "error", "-y", "-i"]).arg(wave).args(codec).arg(path);
    assert!(encode.status().expect("ffmpeg, which make setup installs").success());
    std::fs::remove_file(wave).unwrap();
}

#[test]
fn a_track_resumes_on_the_very_sample() {
    init();
    // The last is so long that it is sought.
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
        Material { name, channels, seconds: seconds as f64 + 20.0, ..Material::default() }
            .make(folder.path());
        Material { name: "sad.wav", seconds: 30.0, seed: 2, mood: "sad", ..Material::default() }
            .make(folder.path());
        let run = |moods: &[(Option<Emotion>, u64)]| {
            let player = player(folder.path());
            player.set_property_from_str("resume", "resume");
            perform(player, moods)
        };
        let whole = run(&[(Some(Happy), seconds + 17)]);
        let parted = run(&[(Some(Happy), seconds), (Some(Sad), 8), (Some(Happy), 10)]);
        let started: Vec<f64> = parted
            .messages
            .iter()
            .filter(|message| message.name() == "track-started")
            .map(|message| message.get::<u64>("timestamp").unwrap() as f64 / 1e9)
            .collect();
        assert_eq!(started.len(), 3, "{name}");
        // After the fade of half a second, what comes back is what would have come when it was left.
        let frame = |seconds: f64| ((seconds + 0.6) * 48_000.0).round() as usize * 2;
        let (left, back) = (&whole.samples[frame(started[1])..], &parted.samples[frame(started[2])..]);
        let length = back.len().min(96_000);
        let (left, back) = (&left[..length], &back[..length]);
        let energy = |samples: &[f32]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
        let apart: Vec<f32> = left.iter().zip(back).map(|(a, b)| a - b).collect();
        let apart = 10.0 * (energy(&apart) / energy(left)).log10();
        assert!(apart < -40.0, "{name}: {apart} dB apart");
    }
}

#[test]
fn an_hours_long_track_begins_as_any_other() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    let path = Material { name: "long.wav", rate: 8_000, channels: 1, seconds: 30.0, ..Material::default() };
    let path = path.make(folder.path());
    // Three hours by its header; what follows the noise is a hole in the file.
    let bytes = 3 * 3600 * 8_000 * 2u32;
    let mut head = std::fs::read(&path).unwrap();
    let data = head.windows(4).position(|four| four == b"data").unwrap();
    head[4..8].copy_from_slice(&(bytes + data as u32).to_le_bytes());
    head[data + 4..data + 8].copy_from_slice(&bytes.to_le_bytes());
    std::fs::write(&path, &head).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(u64::from(bytes) + data as u64 + 8).unwrap();
    let session = Session::new(player(folder.path()), "audio/x-raw,format=F32LE,rate=8000,channels=1");
    session.player.set_property("manual-mood", "happy");
    let recording = session.play().record(5.0);
    recording.assert_continuous();
    recording.assert_level(0.5, 4.9, "an hours-long track");
    assert!(session.player.property::<String>("track").ends_with("long.wav"));
}
