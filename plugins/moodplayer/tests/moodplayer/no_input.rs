//! Without inputs, or with inputs that come and go.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{
    Recording, TIMEOUT, TestPipeline, frames_showing, make_player, tone_library, video_source, write_tone,
};

use Emotion::{Angry, Happy, Neutral, Sad};

/// Plays until another track leads than `before`, and then until it is heard alone. Returns the track and the
/// last audio.
fn play_to_next_track(pipeline: &TestPipeline, before: &str) -> (String, Recording) {
    let started = std::time::Instant::now();
    loop {
        assert!(started.elapsed() < TIMEOUT, "no other track in time");
        pipeline.record(0.1);
        let track: String = pipeline.player.property("track");
        if track != before && !track.is_empty() {
            return (track, pipeline.record(1.5));
        }
        // Without this pause, a track would be over before the next one is open.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn without_inputs_the_manual_mood_plays_until_eos() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,format=F32LE");
    let neutral = pipeline.play().record(2.0);
    neutral.assert_continuous();
    assert_eq!(neutral.emotion_at(1.5), Some(Neutral));
    assert_eq!(pipeline.player.property::<String>("mood"), "neutral");
    assert!(pipeline.player.property::<String>("track").ends_with("/neutral.flac"));
    pipeline.player.set_property("manual-mood", "sad");
    let (track, sad) = play_to_next_track(&pipeline, &pipeline.player.property::<String>("track"));
    assert!(track.ends_with("/sad.flac"));
    assert_eq!(sad.emotion_at(1.3), Some(Sad));
    assert_eq!(pipeline.player.property::<String>("mood"), "sad");
    assert!(pipeline.player.send_event(gst::event::Eos::new()));
    let rest = pipeline.record(f64::MAX);
    assert!(rest.seconds() < 1.0 && pipeline.sink.is_eos());
}

#[test]
fn actions_skip_fade_out_and_rate() {
    crate::harness::init();
    let folder = tempfile::TempDir::new().unwrap();
    for (name, frequency) in [("a.wav", 300), ("b.wav", 400), ("c.wav", 500)] {
        write_tone(folder.path(), name, frequency, 30, "channels=1", "happy");
    }
    let player = make_player(folder.path());
    player.set_property("manual-mood", "happy");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    let (first, _) = play_to_next_track(pipeline.play(), "");
    pipeline.player.emit_by_name::<()>("rate", &[&-2]);
    let skip = |track: &str| {
        pipeline.player.emit_by_name::<()>("skip", &[]);
        play_to_next_track(&pipeline, track).0
    };
    let second = skip(&first);
    let third = skip(&second);
    let fourth = skip(&third);
    assert!(second != first && third != first && third != second, "{first} {second} {third}");
    assert_eq!(fourth, second, "the first was rated down");
    pipeline.player.emit_by_name::<()>("fade-out", &[]);
    assert_eq!(pipeline.record(2.0).emotion_at(1.5), None);
    assert_eq!(pipeline.player.property::<String>("track"), "");
}

#[test]
fn inputs_can_be_removed_and_added_while_playing() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,format=F32LE");
    let first = video_source();
    let pad = pipeline.link_input(first.upcast_ref(), "mood");
    frames_showing(&[(Some(Happy), 6)]).into_iter().for_each(|buffer| _ = first.push_buffer(buffer).unwrap());
    let happy = pipeline.play().record(5.0);
    assert_eq!(happy.emotion_at(4.8), Some(Happy));
    // The player waits for frames of the input. Once it is removed, it waits no longer.
    first.set_state(gst::State::Null).unwrap();
    first.unlink(&pipeline.player);
    pipeline.player.release_request_pad(&pad);
    pipeline.gst_pipeline.remove(&first).unwrap();
    pipeline.player.set_property("manual-mood", "angry");
    let (track, angry) = play_to_next_track(&pipeline, &pipeline.player.property::<String>("track"));
    angry.assert_continuous();
    assert!(track.ends_with("/angry.flac") && angry.emotion_at(1.3) == Some(Angry));
    pipeline.player.set_property("manual-mood", "");
    let second = video_source();
    pipeline.link_input(second.upcast_ref(), "mood_%u");
    second.sync_state_with_parent().unwrap();
    // Its frames begin at time 0, so the first ones are in the past.
    frames_showing(&[(Some(Sad), 25)]).into_iter().for_each(|buffer| _ = second.push_buffer(buffer).unwrap());
    second.end_of_stream().unwrap();
    let sad = pipeline.record(f64::MAX);
    sad.assert_continuous();
    assert_eq!(sad.emotion_at(sad.seconds() - 0.5), Some(Sad));
}

#[test]
fn pausing_loses_no_samples() {
    let library = tone_library();
    let player = make_player(library.path());
    player.set_property("manual-mood", "happy");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    let before = pipeline.play().record(1.0);
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    pipeline.play();
    let after = pipeline.record(1.0);
    after.assert_continuous();
    let (begin, duration) = *before.times.last().unwrap();
    assert_eq!(after.times[0].0, begin + duration);
    assert_eq!(after.emotion_at(0.5), Some(Happy));
    pipeline.gst_pipeline.set_state(gst::State::Null).unwrap();
    let again = pipeline.play().record(1.0);
    assert_eq!((again.times[0].0, again.emotion_at(0.5)), (0, Some(Happy)));
}
