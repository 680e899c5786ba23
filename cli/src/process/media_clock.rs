//! The clock of a session: 0 is where the earliest stream of the recording begins, as players show it.
//!
//! Demuxers give times as the file states them: a transport stream may begin at any time, and a recording of a
//! broadcast at an hour. Players subtract the earliest time of all streams, and so does everything that
//! `process` writes, so that timeline, exports, soundtrack and annotated video agree with the recording.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use mood_meta::lock;

use crate::pipeline::{self, set_path};

/// Buffers read of each stream to find its earliest: frames may be stored in another order than they are shown.
const BUFFERS_PER_STREAM: u32 = 4;
/// Buffers read in all. A stream that has none among them begins later than the others.
const MAX_BUFFERS: u32 = 400;
/// How long is looked. The streams seen until then determine the origin.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is checked whether enough was read.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(5);

/// What is known about the beginnings of a file's streams.
#[derive(Default)]
struct Beginnings {
    /// Number of buffers read and the earliest time among them, by the name of the stream's pad.
    streams: HashMap<String, (u32, Option<gst::ClockTime>)>,
    /// Whether all streams are known.
    has_all_streams: bool,
}

impl Beginnings {
    /// Whether no earlier time is to be expected.
    fn are_known(&self) -> bool {
        let counts = || self.streams.values().map(|(count, _)| *count);
        counts().sum::<u32>() >= MAX_BUFFERS
            || self.has_all_streams && counts().all(|count| count >= BUFFERS_PER_STREAM)
    }

    fn earliest(&self) -> gst::ClockTime {
        self.streams.values().filter_map(|(_, time)| *time).min().unwrap_or_default()
    }
}

/// The stream time at which the earliest video or audio stream of a file begins; 0 where that cannot be found
/// out, and what is wrong will be seen when the file is decoded. Nothing is decoded here.
pub fn find_origin(path: &Path) -> gst::ClockTime {
    let Ok(pipeline) = pipeline::parse("filesrc name=source ! parsebin name=parser") else {
        return gst::ClockTime::ZERO;
    };
    let Ok(parser) =
        set_path(&pipeline, "source", "location", path).and_then(|()| pipeline::element(&pipeline, "parser"))
    else {
        return gst::ClockTime::ZERO;
    };
    pipeline::forbid_network(&pipeline);
    let beginnings = Arc::new(Mutex::new(Beginnings::default()));
    let weak_pipeline = pipeline.downgrade();
    let found = Arc::clone(&beginnings);
    parser.connect_pad_added(move |_, pad| {
        if let Some(pipeline) = weak_pipeline.upgrade() {
            watch_stream(&pipeline, pad, &found);
        }
    });
    let found = Arc::clone(&beginnings);
    parser.connect_no_more_pads(move |_| lock(&found).has_all_streams = true);
    let deadline = Instant::now() + TIMEOUT;
    if pipeline.set_state(gst::State::Playing).is_ok()
        && let Some(bus) = pipeline.bus()
    {
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        while !lock(&beginnings).are_known() && Instant::now() < deadline {
            if bus.timed_pop_filtered(POLL_INTERVAL, &ends).is_some() {
                break;
            }
        }
    }
    // A pipeline that does not stop has nothing to do with what was found.
    let _ = pipeline.set_state(gst::State::Null);
    lock(&beginnings).earliest()
}

/// Reads the times of the buffers of a parsed stream, if it is video or audio.
fn watch_stream(pipeline: &gst::Pipeline, pad: &gst::Pad, beginnings: &Arc<Mutex<Beginnings>>) {
    let sink = gst::ElementFactory::make("fakesink").property("sync", false).property("async", false).build();
    let Ok(sink) = sink else { return };
    if pipeline.add(&sink).is_err() || sink.sync_state_with_parent().is_err() {
        return;
    }
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let name = caps.structure(0).map(|caps| caps.name().to_string()).unwrap_or_default();
    if name.starts_with("video/") || name.starts_with("audio/") {
        let (stream, beginnings) = (pad.name().to_string(), Arc::clone(beginnings));
        lock(&beginnings).streams.insert(stream.clone(), (0, None));
        let clock = StreamClock::new(pad);
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            match &info.data {
                Some(gst::PadProbeData::Event(event)) => clock.follow(event),
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    let time = clock.stream_time(buffer.pts());
                    let mut beginnings = lock(&beginnings);
                    if let Some((count, earliest)) = beginnings.streams.get_mut(&stream) {
                        *count += 1;
                        *earliest = [*earliest, time].into_iter().flatten().min();
                    }
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
    }
    if let Some(sink) = sink.static_pad("sink") {
        // Where it is not linked, its buffers are seen all the same.
        let _ = pad.link(&sink);
    }
}

/// Lets the times of all buffers that leave `pad` count from `origin`, with a segment from 0 on.
pub fn rebase(pad: &gst::Pad, origin: gst::ClockTime) {
    let clock = StreamClock::new(pad);
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Event(event)) => {
                clock.follow(event);
                if let gst::EventView::Segment(segment) = event.view()
                    && segment.segment().downcast_ref::<gst::ClockTime>().is_some()
                {
                    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                    let seqnum = event.seqnum();
                    *event = gst::event::Segment::builder(&segment).seqnum(seqnum).build();
                }
            }
            Some(gst::PadProbeData::Buffer(buffer)) if buffer.pts().is_some() => {
                if let Some(time) = clock.stream_time_anywhere(buffer.pts()) {
                    let buffer = buffer.make_mut();
                    buffer.set_pts(time.saturating_sub(origin));
                    buffer.set_dts(gst::ClockTime::NONE);
                }
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

/// Converts the timestamps of a pad's buffers to stream time.
struct StreamClock {
    segment: Mutex<Option<gst::FormattedSegment<gst::ClockTime>>>,
}

impl StreamClock {
    /// Begins with the segment that the pad has.
    fn new(pad: &gst::Pad) -> Self {
        let clock = Self { segment: Mutex::default() };
        if let Some(event) = pad.sticky_event::<gst::event::Segment>(0) {
            clock.follow(&event);
        }
        clock
    }

    /// Takes over the segment of an event, if it is a segment event.
    fn follow(&self, event: &gst::EventRef) {
        if let gst::EventView::Segment(segment) = event.view() {
            *lock(&self.segment) = segment.segment().downcast_ref().cloned();
        }
    }

    /// The stream time of a timestamp; `None` without one, or outside the segment.
    fn stream_time(&self, pts: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        lock(&self.segment).as_ref()?.to_stream_time(pts)
    }

    /// The stream time of a timestamp, also outside the segment; what lies before 0 counts as 0. `None` without a
    /// timestamp or a segment.
    fn stream_time_anywhere(&self, pts: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        let time = lock(&self.segment).as_ref()?.to_stream_time_full(pts)?;
        Some(time.positive().unwrap_or_default())
    }
}
