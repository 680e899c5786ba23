//! Live inputs: the audio is made in real time, paced by the pipeline's clock.

use std::time::{Duration, Instant};

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{TestPipeline, make_player, tone_library};

/// A player with a library and a live input.
fn live_pipeline() -> (tempfile::TempDir, TestPipeline) {
    let library = tone_library();
    let pipeline = build_live_pipeline(make_player(library.path()));
    (library, pipeline)
}

/// A pipeline of `player` and a live input without faces, which plays neutral music.
pub fn build_live_pipeline(player: gst::Element) -> TestPipeline {
    player.set_property_from_str("on-no-face", "neutral");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    let source = gst::parse::bin_from_description(
        "videotestsrc is-live=true ! capsfilter caps=video/x-raw,width=16,height=16,framerate=25/1",
        true,
    );
    pipeline.link_input(source.unwrap().upcast_ref(), "mood");
    pipeline
}

#[test]
fn live_audio_keeps_pace_with_the_clock() {
    let (_library, pipeline) = live_pipeline();
    assert_eq!(pipeline.gst_pipeline.set_state(gst::State::Paused), Ok(gst::StateChangeSuccess::NoPreroll));
    assert!(
        pipeline.sink.try_pull_sample(gst::ClockTime::from_mseconds(300)).is_none(),
        "audio before PLAYING"
    );
    pipeline.play();
    let first = pipeline.record(0.5);
    let started = Instant::now();
    let rest = pipeline.record(2.0);
    let elapsed = started.elapsed();
    assert!(
        (Duration::from_millis(1_700)..Duration::from_millis(3_500)).contains(&elapsed),
        "{elapsed:?} for 2 s"
    );
    first.assert_continuous();
    rest.assert_continuous();
    assert_eq!(rest.emotion_at(1.5), Some(Emotion::Neutral));

    let mut latency = gst::query::Latency::new();
    assert!(pipeline.player.query(&mut latency));
    let (live, min, max) = latency.result();
    assert!(live && min >= gst::ClockTime::from_mseconds(10) && max.is_none());

    let running = pipeline.player.current_running_time().unwrap();
    let (begin, _) = pipeline.record(0.1).times[0];
    assert!(begin.abs_diff(running.nseconds()) < 500_000_000, "at {running}, audio is at {begin}");
}

#[test]
fn live_audio_pauses_with_the_pipeline() {
    let (_library, pipeline) = live_pipeline();
    pipeline.play().record(0.5);
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    while pipeline.sink.try_pull_sample(gst::ClockTime::ZERO).is_some() {}
    assert!(
        pipeline.sink.try_pull_sample(gst::ClockTime::from_mseconds(300)).is_none(),
        "audio while paused"
    );
    pipeline.play();
    let after = pipeline.record(0.5);
    after.assert_continuous();
    let started = Instant::now();
    pipeline.gst_pipeline.set_state(gst::State::Null).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}
