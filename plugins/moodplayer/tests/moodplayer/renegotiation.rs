//! What takes the audio changes while it plays: its format, or the sink itself.

use std::time::{Duration, Instant};

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{TIMEOUT, TestPipeline, frequency, make_player, tone_library};
use crate::live::build_live_pipeline;

use Emotion::Neutral;

/// The buffers of one format.
struct Part {
    info: gst_audio::AudioInfo,
    /// Timestamp of the first sample and of the end of the last one, seconds.
    time: (f64, f64),
    /// The first channel.
    samples: Vec<f64>,
}

impl Part {
    /// Amplitude, and phase in radians, of the tone of neutral music.
    fn tone(&self) -> (f64, f64) {
        let rate = f64::from(self.info.rate());
        let step = std::f64::consts::TAU * f64::from(frequency(Neutral));
        let (mut cos, mut sin) = (0.0, 0.0);
        for (index, value) in self.samples.iter().enumerate() {
            let (s, c) = (step * (self.time.0 + index as f64 / rate)).sin_cos();
            (cos, sin) = (cos + c * value, sin + s * value);
        }
        (cos.hypot(sin) * 2.0 / self.samples.len() as f64, cos.atan2(sin))
    }

    /// The largest departure from a sine, by the recurrence that the samples of a sine satisfy.
    fn distortion(&self) -> f64 {
        let step = std::f64::consts::TAU * f64::from(frequency(Neutral)) / f64::from(self.info.rate());
        let departure = |v: &[f64]| (v[2] - 2.0 * step.cos() * v[1] + v[0]).abs();
        self.samples.windows(3).map(departure).fold(0.0, f64::max)
    }
}

/// Pulls audio until `is_enough`, and divides it by its format.
fn pull(sink: &gst_app::AppSink, is_enough: impl Fn(&[Part]) -> bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let started = Instant::now();
    while !is_enough(&parts) {
        assert!(started.elapsed() < TIMEOUT, "no audio in time");
        let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(50)) else { continue };
        let info = gst_audio::AudioInfo::from_caps(sample.caps().unwrap()).unwrap();
        let buffer = sample.buffer().unwrap();
        let seconds = |time: gst::ClockTime| time.nseconds() as f64 / 1e9;
        let pts = buffer.pts().unwrap();
        let end = seconds(pts + buffer.duration().unwrap());
        if parts.last().is_none_or(|part| part.info != info) {
            parts.push(Part { info: info.clone(), time: (seconds(pts), end), samples: Vec::new() });
        }
        let part = parts.last_mut().unwrap();
        part.time.1 = end;
        let map = buffer.map_readable().unwrap();
        part.samples.extend(map.chunks_exact(info.bpf() as usize).map(|sample| match info.format() {
            gst_audio::AudioFormat::F32le => f64::from(f32::from_le_bytes(sample[..4].try_into().unwrap())),
            _ => f64::from(i16::from_le_bytes(sample[..2].try_into().unwrap())) / 32_768.0,
        }));
    }
    parts
}

/// Pulls audio until its level stays the same: the gain of a track that begins before it has been measured is corrected.
fn pull_until_steady(sink: &gst_app::AppSink) -> Vec<Part> {
    const STEADY_PARTS: u32 = 10;
    let mut parts = pull(sink, is_long);
    let mut steady_parts = 0;
    while steady_parts < STEADY_PARTS {
        // The sink holds little, so that the track is measured meanwhile.
        std::thread::sleep(Duration::from_millis(200));
        let (level, _) = parts.last().unwrap().tone();
        parts = pull(sink, is_long);
        let (next, _) = parts.last().unwrap().tone();
        steady_parts = if (level / next - 1.0).abs() < 1e-3 { steady_parts + 1 } else { 0 };
    }
    parts
}

/// Whether the last part is half a second long.
fn is_long(parts: &[Part]) -> bool {
    parts.last().is_some_and(|part| part.time.1 - part.time.0 > 0.5)
}

#[test]
fn the_format_changes_without_a_step_or_a_gap() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let filter = gst::ElementFactory::make("capsfilter").build().unwrap();
    pipeline.player.unlink(&pipeline.sink);
    pipeline.gst_pipeline.add(&filter).unwrap();
    gst::Element::link_many([&pipeline.player, &filter, pipeline.sink.upcast_ref()]).unwrap();
    let set_caps = |caps: &str| filter.set_property("caps", caps.parse::<gst::Caps>().unwrap());
    pipeline.play();
    let mut parts = pull_until_steady(&pipeline.sink);
    let formats =
        ["rate=44100,channels=1", "format=S16LE", "format=F32LE,rate=96000,channels=2", "rate=48000"];
    for format in formats {
        set_caps(&format!("audio/x-raw,{format}"));
        // A change that asks for what there is changes nothing.
        filter.static_pad("src").unwrap().send_event(gst::event::Reconfigure::new());
        let mut before = parts.pop().unwrap();
        let is_changed = |parts: &[Part]| parts.last().is_some_and(|part| part.info != before.info);
        let mut rest = pull(&pipeline.sink, |parts| is_changed(parts) && is_long(parts));
        let after = rest.pop().unwrap();
        // What was in the sink.
        for end in rest {
            assert_eq!(before.info, end.info, "{format}: one change only");
            before.samples.extend(end.samples);
            before.time.1 = end.time.1;
        }
        let gap = (after.time.0 - before.time.1).abs();
        assert!(gap < 1.01 / 48_000.0, "{format}: {gap} s");
        let (level, phase) = before.tone();
        let (level_after, phase_after) = after.tone();
        assert!((level / level_after - 1.0).abs() < 0.01, "{format}: {level} becomes {level_after}");
        let shift = (phase_after - phase).rem_euclid(std::f64::consts::TAU);
        assert!(shift.min(std::f64::consts::TAU - shift) < 0.02, "{format}: a shift of {shift} rad");
        // 16 bits give 2e-5.
        assert!(after.distortion() < 5e-4, "{format}: {}", after.distortion());
        parts.push(after);
    }
    assert!(pipeline.errors().is_empty(), "no problem is reported");
}

#[test]
fn a_format_that_cannot_be_made_is_an_error_that_says_so() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    pipeline.play().record(0.5);
    pipeline.sink.set_caps(Some(&"audio/x-raw,format=S24LE".parse().unwrap()));
    pipeline.player.static_pad("src").unwrap().peer().unwrap().push_event(gst::event::Reconfigure::new());
    let problems = pipeline.record(f64::MAX).problems;
    assert!(matches!(&problems[..], [text] if text.contains("audioconvert")), "{problems:?}");
    assert!(pipeline.sink.is_eos());
}

/// Puts another sink in place of a pipeline's, which is stopped before or after it is unlinked, and links it.
fn swap_sink(pipeline: &mut TestPipeline, stop_first: bool, caps: &str) {
    replace_sink(pipeline, stop_first, caps);
    pipeline.player.link(&pipeline.sink).unwrap();
}

/// As [`swap_sink`], but leaves the new sink unlinked.
fn replace_sink(pipeline: &mut TestPipeline, stop_first: bool, caps: &str) {
    let old = pipeline.sink.clone();
    if stop_first {
        old.set_state(gst::State::Null).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        pipeline.player.unlink(&old);
    } else {
        pipeline.player.unlink(&old);
        std::thread::sleep(Duration::from_millis(100));
        old.set_state(gst::State::Null).unwrap();
    }
    pipeline.gst_pipeline.remove(&old).unwrap();
    let sink = gst_app::AppSink::builder().sync(false).max_buffers(8).caps(&caps.parse().unwrap()).build();
    pipeline.gst_pipeline.add(&sink).unwrap();
    sink.sync_state_with_parent().unwrap();
    pipeline.sink = sink;
}

#[test]
fn a_sink_is_swapped_while_playing() {
    let library = tone_library();
    let mut pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,rate=48000");
    pipeline.play();
    let mut end = pull(&pipeline.sink, is_long)[0].time.1;
    for (stop_first, format) in [(true, "rate=48000"), (false, "rate=22050,channels=1")] {
        swap_sink(&mut pipeline, stop_first, &format!("audio/x-raw,{format}"));
        let parts = pull(&pipeline.sink, is_long);
        // What the old sink held is lost, and nothing else.
        let lost = parts[0].time.0 - end;
        assert!((0.0..0.12).contains(&lost), "{format}: {lost} s");
        assert!(parts[0].distortion() < 5e-4 && parts[0].tone().0 > 0.1);
        let pad = pipeline.sink.static_pad("sink").unwrap();
        assert!(pad.sticky_event::<gst::event::StreamStart>(0).is_some());
        assert!(pad.sticky_event::<gst::event::Segment>(0).is_some());
        end = parts[0].time.1;
    }
    let problems = pipeline.errors();
    assert!(problems.len() <= 2 && problems.iter().all(|text| text.contains("it goes on")), "{problems:?}");
    assert!(pipeline.player.send_event(gst::event::Eos::new()));
    pipeline.record(f64::MAX);
    assert!(pipeline.sink.is_eos());
}

#[test]
fn a_sink_of_another_format_that_comes_while_the_audio_waits_is_taken() {
    let library = tone_library();
    let mut pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,rate=48000");
    pipeline.play();
    pull(&pipeline.sink, is_long);
    replace_sink(&mut pipeline, false, "audio/x-raw,rate=22050,channels=1");
    // The sink is linked after the player has looked whether there is a new one, and before it offers a buffer once more.
    let new = pipeline.sink.static_pad("sink").unwrap();
    let src = pipeline.player.static_pad("src").unwrap();
    src.add_probe(gst::PadProbeType::BUFFER, move |src, _| {
        src.link(&new).unwrap();
        gst::PadProbeReturn::Remove
    });
    let parts = pull(&pipeline.sink, is_long);
    assert!(parts.len() == 1 && parts[0].info.rate() == 22050, "{:?}", parts[0].info);
    let problems = pipeline.errors();
    assert!(problems.iter().all(|text| text.contains("it goes on")), "{problems:?}");
}

#[test]
fn an_unlinked_player_can_be_ended_and_stopped() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,rate=48000");
    pipeline.play().record(0.3);
    pipeline.player.unlink(&pipeline.sink);
    let started = Instant::now();
    let mut problems = Vec::new();
    while problems.is_empty() {
        assert!(started.elapsed() < TIMEOUT, "nothing is reported");
        // Until the sink is empty, the player may wait for it.
        pipeline.sink.try_pull_sample(gst::ClockTime::from_mseconds(1));
        problems = pipeline.errors();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(problems[0].contains("goes on"), "{problems:?}");
    assert!(pipeline.player.send_event(gst::event::Eos::new()));
    pipeline.gst_pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_live_sink_is_swapped_and_time_goes_on() {
    let library = tone_library();
    let mut pipeline = build_live_pipeline(make_player(library.path()));
    pipeline.play();
    let end = pull(&pipeline.sink, is_long)[0].time.1;
    pipeline.player.unlink(&pipeline.sink);
    std::thread::sleep(Duration::from_millis(500));
    pipeline.player.link(&pipeline.sink).unwrap();
    swap_sink(&mut pipeline, true, "audio/x-raw,format=F32LE");
    let parts = pull(&pipeline.sink, is_long);
    assert!(parts[0].time.0 - end > 0.4, "live audio does not wait");
    assert!(pipeline.errors().iter().all(|text| text.contains("it goes on")));
}
