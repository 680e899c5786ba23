//! The element among others: pause and resume, seeks, ends, branches, renegotiation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::{Arc, Mutex};

use gst::prelude::*;

const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(30);

/// Times of buffers, ms.
type Times = Arc<Mutex<Vec<u64>>>;

/// A pipeline, and the times of the buffers that reached its `fakesink name=end`.
fn pipeline(line: &str) -> (gst::Pipeline, Times) {
    common::init();
    let pipeline = gst::parse::launch(line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let times = Times::default();
    let seen = Arc::clone(&times);
    let pad = pipeline.by_name("end").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, probe| {
        let pts = probe.buffer().and_then(|buffer| buffer.pts());
        seen.lock().unwrap().extend(pts.map(gst::ClockTime::mseconds));
        gst::PadProbeReturn::Ok
    });
    (pipeline, times)
}

fn state(pipeline: &gst::Pipeline, state: gst::State) {
    pipeline.set_state(state).unwrap();
    let (result, ..) = pipeline.state(LIMIT);
    result.unwrap();
}

fn wait_for_end(pipeline: &gst::Pipeline) {
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(LIMIT, &kinds);
    let message = message.unwrap_or_else(|| panic!("no end in {LIMIT}"));
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn pause_resume_and_seek_lose_nothing() {
    let line = "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120,framerate=25/1 ! \
                haarfacedetect scan-interval=200000000 ! fakesink name=end sync=true";
    let (pipeline, times) = pipeline(line);
    for _ in 0..3 {
        state(&pipeline, gst::State::Paused);
        state(&pipeline, gst::State::Playing);
    }
    state(&pipeline, gst::State::Paused);
    for seconds in [0, 1, 0] {
        pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::from_seconds(seconds)).unwrap();
        state(&pipeline, gst::State::Paused);
    }
    // The frame at 0 waits in the sink.
    times.lock().unwrap().clear();
    state(&pipeline, gst::State::Playing);
    wait_for_end(&pipeline);
    let times = times.lock().unwrap();
    assert!(times.len() > 10);
    assert!(times.iter().zip(1..).all(|(&time, number)| time == 40 * number), "{times:?}");
}

#[test]
fn a_second_run_starts_afresh() {
    let line =
        "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! haarfacedetect ! fakesink name=end";
    let (pipeline, times) = pipeline(line);
    for run in 1..=3 {
        pipeline.set_state(gst::State::Playing).unwrap();
        wait_for_end(&pipeline);
        assert_eq!(times.lock().unwrap().len(), 3 * run);
    }
}

#[test]
fn an_end_before_the_first_frame_is_an_end() {
    let info = common::info(gst_video::VideoFormat::I420, 320, 240);
    let mut harness = common::harness("", &info);
    assert!(harness.push_event(gst::event::Eos::new()));
    let events: Vec<_> = std::iter::from_fn(|| harness.try_pull_event()).collect();
    assert!(events.iter().any(|event| event.type_() == gst::EventType::Eos));
    assert!(events.iter().any(|event| mood_meta::event::parse_settings(event).is_some()));
}

#[test]
fn branches_scaling_and_new_caps_pass() {
    let line = "videotestsrc num-buffers=12 ! video/x-raw,format=I420,width=161,height=121,interlace-mode=interleaved ! \
                tee name=t ! queue ! haarfacedetect ! videoconvert ! videoscale ! \
                video/x-raw,format=RGB,width=80 ! fakesink name=end t. ! queue ! haarfacedetect threads=1 ! \
                videoconvert ! videoflip video-direction=90r ! fakesink";
    let (pipeline, times) = pipeline(line);
    pipeline.set_state(gst::State::Playing).unwrap();
    wait_for_end(&pipeline);
    assert_eq!(times.lock().unwrap().len(), 12);
}
