//! Twenty minutes with many switches and broken tracks.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{TestPipeline, frames_showing, init, make_player, video_source, write_tone};

/// The length of the video.
const MINUTES: u64 = 20;

#[test]
fn many_switches_and_broken_tracks_leave_no_gap() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    let moods = [Emotion::Happy, Emotion::Sad, Emotion::Angry];
    for (index, mood) in moods.into_iter().cycle().take(18).enumerate() {
        let (frequency, seconds) = (300 + 50 * index as u32, 1 + index as u32 % 5);
        let path = write_tone(
            folder.path(),
            &format!("{index}.ogg"),
            frequency,
            seconds,
            "rate=44100,channels=2",
            mood.as_str(),
        );
        if index % 9 == 4 {
            std::fs::write(path.with_added_extension("mood"), mood.as_str()).unwrap();
            std::fs::write(path, b"broken").unwrap();
        }
    }
    let player = make_player(folder.path());
    player.set_property("min-dwell", 1_000_000_000u64);
    player.set_property_from_str("resume", "resume");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE,rate=16000,channels=1");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    let changes: Vec<_> = (0..MINUTES * 15).map(|index| (Some(moods[index as usize % 3]), 4)).collect();
    frames_showing(&changes).into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), (MINUTES * 60) as f64);
    assert!(recording.samples.iter().all(|sample| sample.is_finite() && sample.abs() < 0.9));
    assert!(
        recording.count_messages("mood-changed") > 200,
        "{} switches",
        recording.count_messages("mood-changed")
    );
    assert_eq!(recording.count_messages("track-failed"), 2);
    // Once music has begun, it never stops for a quarter of a second.
    let first = recording.samples.iter().position(|sample| *sample != 0.0).unwrap();
    let silent = |window: &[f32]| window.iter().all(|sample| sample.abs() < 1e-4);
    assert!(!recording.samples[first..].chunks_exact(4_000).any(silent));
}
