//! The element in pipelines: pause and resume, seeks, end of stream, branches, renegotiation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::{Arc, Mutex};

use gst::prelude::*;

/// Longest wait.
const TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(30);

/// Timestamps of buffers, ms.
type Times = Arc<Mutex<Vec<u64>>>;

/// A pipeline, and the timestamps of the buffers that reach its `fakesink name=end`.
fn build_pipeline(line: &str) -> (gst::Pipeline, Times) {
    common::init();
    let pipeline = gst::parse::launch(line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let times = Times::default();
    let received = Arc::clone(&times);
    let pad = pipeline.by_name("end").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        let pts = probe.buffer().and_then(|buffer| buffer.pts());
        received.lock().unwrap().extend(pts.map(gst::ClockTime::mseconds));
        gst::PadProbeReturn::Ok
    });
    (pipeline, times)
}

/// Changes the state and waits until that is done.
fn change_state(pipeline: &gst::Pipeline, state: gst::State) {
    pipeline.set_state(state).unwrap();
    let (result, ..) = pipeline.state(TIMEOUT);
    result.unwrap();
}

/// Waits for the end of the stream and stops the pipeline.
fn wait_for_eos(pipeline: &gst::Pipeline) {
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(TIMEOUT, &kinds);
    let message = message.unwrap_or_else(|| panic!("no end of stream in {TIMEOUT}"));
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn pausing_and_seeking_lose_no_frame() {
    let line = "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120,framerate=25/1 ! \
                haarfacedetect scan-interval=200000000 ! fakesink name=end sync=true";
    let (pipeline, times) = build_pipeline(line);
    for _ in 0..3 {
        change_state(&pipeline, gst::State::Paused);
        change_state(&pipeline, gst::State::Playing);
    }
    change_state(&pipeline, gst::State::Paused);
    for seconds in [0, 1, 0] {
        pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::from_seconds(seconds)).unwrap();
        change_state(&pipeline, gst::State::Paused);
    }
    // The sink holds the frame at 0 already.
    times.lock().unwrap().clear();
    change_state(&pipeline, gst::State::Playing);
    wait_for_eos(&pipeline);
    let times = times.lock().unwrap();
    assert!(times.len() > 10);
    assert!(times.iter().zip(1..).all(|(&time, number)| time == 40 * number), "{times:?}");
}

#[test]
fn a_pipeline_runs_again() {
    let line =
        "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! haarfacedetect ! fakesink name=end";
    let (pipeline, times) = build_pipeline(line);
    for run in 1..=3 {
        pipeline.set_state(gst::State::Playing).unwrap();
        wait_for_eos(&pipeline);
        assert_eq!(times.lock().unwrap().len(), 3 * run);
    }
}

#[test]
fn eos_before_the_first_frame_passes() {
    let info = common::info(gst_video::VideoFormat::I420, 320, 240);
    let mut harness = common::harness("", &info);
    assert!(harness.push_event(gst::event::Eos::new()));
    let events: Vec<_> = std::iter::from_fn(|| harness.try_pull_event()).collect();
    assert!(events.iter().any(|event| event.type_() == gst::EventType::Eos));
    assert!(events.iter().any(|event| mood_meta::event::parse_settings(event).is_some()));
}

#[test]
fn branches_scaling_and_interlaced_caps_work() {
    let line = "videotestsrc num-buffers=12 ! video/x-raw,format=I420,width=161,height=121,interlace-mode=interleaved ! \
                tee name=t ! queue ! haarfacedetect ! videoconvert ! videoscale ! \
                video/x-raw,format=RGB,width=80 ! fakesink name=end t. ! queue ! haarfacedetect threads=1 ! \
                videoconvert ! videoflip video-direction=90r ! fakesink";
    let (pipeline, times) = build_pipeline(line);
    pipeline.set_state(gst::State::Playing).unwrap();
    wait_for_eos(&pipeline);
    assert_eq!(times.lock().unwrap().len(), 12);
}
