//! A long performance with many switches and rotten tracks.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::studio::{Session, camera, init, player, show, tone};

const MINUTES: u64 = 20;

#[test]
fn many_switches_and_rotten_tracks_leave_no_gap() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    let moods = [Emotion::Happy, Emotion::Sad, Emotion::Angry];
    for (index, mood) in moods.into_iter().cycle().take(18).enumerate() {
        let (hertz, seconds) = (300 + 50 * index as u32, 1 + index as u32 % 5);
        let path = tone(
            folder.path(),
            &format!("{index}.ogg"),
            hertz,
            seconds,
            "rate=44100,channels=2",
            mood.as_str(),
        );
        if index % 9 == 4 {
            std::fs::write(path.with_added_extension("mood"), mood.as_str()).unwrap();
            std::fs::write(path, b"rotten").unwrap();
        }
    }
    let player = player(folder.path());
    player.set_property("min-dwell", 1_000_000_000u64);
    player.set_property_from_str("resume", "resume");
    let session = Session::new(player, "audio/x-raw,format=F32LE,rate=16000,channels=1");
    let camera = camera();
    session.watch(camera.upcast_ref(), "mood");
    let changes: Vec<_> = (0..MINUTES * 15).map(|index| (Some(moods[index as usize % 3]), 4)).collect();
    show(&changes).into_iter().for_each(|buffer| _ = camera.push_buffer(buffer).unwrap());
    camera.end_of_stream().unwrap();
    let recording = session.play().record(f64::MAX);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), (MINUTES * 60) as f64);
    assert!(recording.samples.iter().all(|sample| sample.is_finite() && sample.abs() < 0.9));
    assert!(recording.count("mood-changed") > 200, "{} switches", recording.count("mood-changed"));
    assert_eq!(recording.count("track-failed"), 2);
    // Once music has begun, it never stops for a quarter of a second.
    let begun = recording.samples.iter().position(|sample| *sample != 0.0).unwrap();
    let silent = |window: &[f32]| window.iter().all(|sample| sample.abs() < 1e-4);
    assert!(!recording.samples[begun..].chunks_exact(4_000).any(silent));
}
