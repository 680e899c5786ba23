//! The clock of a session: 0 is where the earliest stream of the recording begins, as players show it, and every frame has a
//! time.
//!
//! Demuxers give times as the file states them: a transport stream may begin at any time, and a recording of a
//! broadcast at an hour. Players subtract the earliest time of all streams, and so does everything that
//! `process` writes, so that timeline, exports, soundtrack and annotated video agree with the recording.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use mood_meta::filter::UNTIMED_FRAME_DURATION;
use mood_meta::lock;
use session::{RecordingTime, Warning, WarningKind};

use crate::pipeline::{self, set_path};

/// Buffers read of each stream to find its earliest: frames may be stored in another order than they are shown.
const BUFFERS_PER_STREAM: u32 = 4;
/// Buffers read in all. A stream that has none among them begins later than the others.
const MAX_BUFFERS: u32 = 400;
/// How long is looked for the beginnings of all streams. The streams seen until then determine the origin.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long is looked for further pictures of what may be a cover.
const STILLS_TIMEOUT: Duration = Duration::from_secs(5);
/// The period of the clock of transport streams, ns: 33 bits of 90 kHz (ISO/IEC 13818-1, 2.4.2.2).
const TRANSPORT_CLOCK_PERIOD: u64 = (1 << 33) * 100_000 / 9;
/// How often it is checked whether enough was read.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(5);

/// How far the times of frames may go back before their clock has begun again. Less is taken for a fault of single frames.
const CLOCK_RESTART: u64 = 500_000_000;
/// Frames a second that a stream may state, to be believed where its frames have no times.
const PLAUSIBLE_RATES: std::ops::RangeInclusive<f64> = 1.0..=240.0;

/// Frames a second that libav's decoders state where the stream states none.
const DECODER_RATE: f64 = 25.0;

/// Earlier recordings were not digital.
const EARLIEST_YEAR: i64 = 1990;

/// How a file begins.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// When the earliest video or audio stream begins; stream time 0 where that cannot be found out.
    pub origin: Origin,
    /// Whether a stream may begin earlier than `origin`, because the file was not read as fast as expected.
    pub is_uncertain: bool,
    /// The ids of video streams that consist of a single picture, beside others that have more: covers.
    pub stills: BTreeSet<String>,
    /// The ids of video streams whose coded frames have no times and no rate. Some decoders make times up.
    pub untimed: BTreeSet<String>,
    /// Whether the beginning of a stream has no times although the container states them.
    pub has_lost_times: bool,
    /// When the file says that it was recorded.
    pub recorded: Option<RecordingTime>,
}

/// The time from which all times of a recording count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Stream time, ns.
    time: i64,
    /// Whether times come from the clock of a transport stream, see [`UnwrappedTime`].
    is_transport_stream: bool,
}

impl Origin {
    /// What must be added to a time that counts from here to get stream time, ns; 0 where the origin is before stream time 0.
    pub fn stream_time(self) -> u64 {
        self.time.max(0).unsigned_abs()
    }
}

/// Continues the times of a transport stream before 0. GStreamer's demuxer counts from the first time of the program's clock
/// (PCR), and what comes before it gets a time at the end of the clock's period.
#[derive(Debug, Default)]
struct UnwrappedTime {
    /// Whether all times until now were before 0; `None` before the first.
    is_before: Option<bool>,
}

impl UnwrappedTime {
    /// The time before or after 0, ns, of a time as the demuxer gives it, ns. A recording that goes on for half a period stays
    /// as it is.
    fn unwrap(&mut self, time: u64) -> i64 {
        let is_late = time > TRANSPORT_CLOCK_PERIOD / 2;
        let is_before = self.is_before.unwrap_or(true) && is_late;
        self.is_before = Some(is_before);
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        if is_before { time.saturating_sub_unsigned(TRANSPORT_CLOCK_PERIOD) } else { time }
    }
}

/// What is known about the beginnings of a file's streams.
#[derive(Default)]
struct Beginnings {
    /// Whether the file is a transport stream.
    is_transport_stream: bool,
    /// By the name of the stream's pad.
    streams: HashMap<String, StreamBeginning>,
    /// Whether all streams are known.
    has_all_streams: bool,
    /// Whether the beginning of a stream has no times although the container states them.
    has_lost_times: bool,
    /// When the file says that it was recorded.
    recorded: Option<RecordingTime>,
}

/// What has been read of a stream.
#[derive(Default)]
struct StreamBeginning {
    /// Number of buffers.
    count: u32,
    /// The earliest time among them, ns of stream time.
    earliest: Option<i64>,
    /// Id of a video stream.
    video_id: Option<String>,
    /// Whether a buffer behind the first has a time, or any has a duration, which comes from a rate.
    is_timed: bool,
}

impl Beginnings {
    /// Whether no earlier time is to be expected.
    fn are_known(&self) -> bool {
        let counts = || self.streams.values().map(|stream| stream.count);
        counts().sum::<u32>() >= MAX_BUFFERS
            || self.has_all_streams && counts().all(|count| count >= BUFFERS_PER_STREAM)
    }

    fn origin(&self) -> Origin {
        let time = self.streams.values().filter_map(|stream| stream.earliest).min().unwrap_or_default();
        Origin { time, is_transport_stream: self.is_transport_stream }
    }

    /// The video streams of which one picture has come, where others have more.
    fn stills(&self) -> BTreeSet<String> {
        let videos =
            || self.streams.values().filter_map(|stream| Some((stream.video_id.as_ref()?, stream.count)));
        if !videos().any(|(_, count)| count > 1) {
            return BTreeSet::new();
        }
        videos().filter(|(_, count)| *count <= 1).map(|(id, _)| id.clone()).collect()
    }

    /// The video streams of which several frames have come, none with a time. The first of a raw stream has the time 0.
    fn untimed(&self) -> BTreeSet<String> {
        let streams = self.streams.values().filter(|stream| stream.count > 1 && !stream.is_timed);
        streams.filter_map(|stream| stream.video_id.clone()).collect()
    }
}

/// How a file begins. What is wrong with it will be seen when the file is decoded; nothing is decoded here. Of a file with a
/// video stream of a single picture all is read, but for no longer than a few seconds.
pub fn find_beginning(path: &Path) -> Beginning {
    let Ok(pipeline) = pipeline::parse("filesrc name=source ! parsebin name=parser") else {
        return Beginning::default();
    };
    let Ok(parser) =
        set_path(&pipeline, "source", "location", path).and_then(|()| pipeline::element(&pipeline, "parser"))
    else {
        return Beginning::default();
    };
    pipeline::forbid_network(&pipeline);
    let beginnings = Arc::new(Mutex::new(Beginnings::default()));
    let found = Arc::clone(&beginnings);
    pipeline.connect_deep_element_added(move |_, _, element| {
        if element.factory().is_some_and(|factory| factory.name() == "tsdemux") {
            lock(&found).is_transport_stream = true;
            watch_times(element, &found);
        }
    });
    let weak_pipeline = pipeline.downgrade();
    let found = Arc::clone(&beginnings);
    parser.connect_pad_added(move |_, pad| {
        if let Some(pipeline) = weak_pipeline.upgrade() {
            watch_stream(&pipeline, pad, &found);
        }
    });
    let found = Arc::clone(&beginnings);
    parser.connect_no_more_pads(move |_| lock(&found).has_all_streams = true);
    let begin = Instant::now();
    let mut is_uncertain = false;
    if pipeline.set_state(gst::State::Playing).is_ok()
        && let Some(bus) = pipeline.bus()
    {
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        loop {
            let (are_known, has_stills) = {
                let beginnings = lock(&beginnings);
                (beginnings.are_known(), !beginnings.stills().is_empty())
            };
            is_uncertain = !are_known && begin.elapsed() >= TIMEOUT;
            let is_over = are_known && (!has_stills || begin.elapsed() >= STILLS_TIMEOUT);
            if is_uncertain || is_over || bus.timed_pop_filtered(POLL_INTERVAL, &ends).is_some() {
                break;
            }
        }
    }
    // A pipeline that does not stop has nothing to do with what was found.
    let _ = pipeline.set_state(gst::State::Null);
    let beginnings = lock(&beginnings);
    Beginning {
        origin: beginnings.origin(),
        is_uncertain,
        stills: beginnings.stills(),
        untimed: beginnings.untimed(),
        has_lost_times: beginnings.has_lost_times,
        recorded: beginnings.recorded,
    }
}

/// Looks for streams to whose beginning a demuxer of transport streams gives no times. GStreamer 1.22 gives none up to the first
/// time of the program's clock, which may come with a stream that begins later than others.
fn watch_times(demuxer: &gst::Element, beginnings: &Arc<Mutex<Beginnings>>) {
    let beginnings = Arc::clone(beginnings);
    demuxer.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let name = caps.structure(0).map(|caps| caps.name().to_string()).unwrap_or_default();
        if !["video/", "audio/"].iter().any(|kind| name.starts_with(kind)) {
            return;
        }
        let beginnings = Arc::clone(&beginnings);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data
                && buffer.dts_or_pts().is_none()
            {
                lock(&beginnings).has_lost_times = true;
            }
            // The first one says it.
            gst::PadProbeReturn::Remove
        });
    });
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
    if ["video/", "audio/", "image/"].iter().any(|kind| name.starts_with(kind)) {
        let (stream, beginnings) = (pad.name().to_string(), Arc::clone(beginnings));
        let video_id = pad.stream_id().filter(|_| name.starts_with("video/") || name.starts_with("image/"));
        let beginning = StreamBeginning { video_id: video_id.map(Into::into), ..StreamBeginning::default() };
        let is_transport_stream = {
            let mut beginnings = lock(&beginnings);
            beginnings.streams.insert(stream.clone(), beginning);
            beginnings.is_transport_stream
        };
        let clock = StreamClock::new(pad, is_transport_stream);
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            match &info.data {
                Some(gst::PadProbeData::Event(event)) => {
                    if let gst::EventView::Tag(tags) = event.view()
                        && let Some(time) = recording_time(tags.tag())
                    {
                        lock(&beginnings).recorded.get_or_insert(time);
                    }
                    clock.follow(event);
                }
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    let time = buffer.pts().and_then(|pts| clock.stream_time(pts));
                    let mut beginnings = lock(&beginnings);
                    if let Some(beginning) = beginnings.streams.get_mut(&stream) {
                        let has_time = buffer.dts_or_pts().is_some() && beginning.count > 0;
                        beginning.is_timed |= has_time || buffer.duration().is_some();
                        beginning.count += 1;
                        beginning.earliest = [beginning.earliest, time].into_iter().flatten().min();
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

/// When a file was recorded by its tags, in the zone of this computer where they have none; `None` where they do not say it, or a
/// time that no digital recording has: clocks that were never set, and fields that were never filled.
fn recording_time(tags: &gst::TagListRef) -> Option<RecordingTime> {
    let tagged = tags.get::<gst::tags::DateTime>()?;
    let stated: RecordingTime = tagged.get().to_iso8601_string().ok()?.parse().ok()?;
    let now = glib::DateTime::now_local().ok()?;
    let is_plausible = stated.year() >= EARLIEST_YEAR && stated.unix_seconds() <= now.to_unix() + 86_400;
    // Most containers have UTC, whatever the zone of the camera.
    let local = glib::DateTime::from_unix_local(stated.unix_seconds()).ok();
    let has_time = tagged.get().has_time();
    let zone = local.map(|local| local.utc_offset().as_minutes() as i32).filter(|_| has_time);
    is_plausible.then(|| zone.map_or(stated, |zone| RecordingTime::from_unix(stated.unix_seconds(), zone)))
}

/// Gives the frames of a video times that rise from one to the next: the frames of raw streams have none, and where several
/// recordings stand in one file, their times begin again.
#[derive(Debug, Default)]
pub struct FrameClock {
    /// Frames a second of a recording without times, if that was stated.
    rate: Option<f64>,
    /// Frames a second by the caps of the stream, where they are plausible.
    stream_rate: Option<f64>,
    /// Whether the coded frames have no times, whatever the decoder says.
    is_untimed: bool,
    /// Number of frames.
    frames: u64,
    /// Number of frames without a time.
    untimed: u64,
    /// Number of frames whose time was not later than that of the one before.
    repeated: u64,
    /// How often the times began again.
    restarts: u64,
    /// The first time of a frame, and the last, ns.
    span: Option<[u64; 2]>,
    /// The last time that a frame stated, ns.
    last_stated: u64,
    /// What is added to times, ns, since they began again.
    offset: u64,
}

impl FrameClock {
    /// A clock for a recording whose frames a second were stated, or not.
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate, ..Self::default() }
    }

    /// Ignores the times that a decoder makes up, where the coded frames have none.
    pub fn ignore_decoder(&mut self) {
        self.is_untimed = true;
    }

    /// Takes over the frame rate that the caps of raw video state.
    fn set_caps(&mut self, caps: &gst::CapsRef) {
        let rate = caps.structure(0).and_then(|caps| caps.get::<gst::Fraction>("framerate").ok());
        let rate = rate.map(|rate| f64::from(rate.numer()) / f64::from(rate.denom()));
        self.set_stream_rate(rate);
    }

    /// Takes over the frames a second that a decoder states, if they are plausible and not made up.
    fn set_stream_rate(&mut self, rate: Option<f64>) {
        let is_made_up = |rate: f64| self.is_untimed && rate == DECODER_RATE;
        self.stream_rate = rate.filter(|rate| PLAUSIBLE_RATES.contains(rate) && !is_made_up(*rate));
    }

    /// The time of the next frame, ns, which states `time`, ns, or none.
    fn next_time(&mut self, time: Option<u64>) -> u64 {
        let time = time.filter(|_| !self.is_untimed);
        self.frames += 1;
        let Some([first, last]) = self.span else {
            self.untimed += u64::from(time.is_none());
            self.last_stated = time.unwrap_or(0);
            let time = time.unwrap_or(0);
            self.span = Some([time; 2]);
            return time;
        };
        let next = last.saturating_add(self.period(last - first));
        let last_stated = self.last_stated;
        self.last_stated = time.unwrap_or(last_stated);
        let time = match time {
            None => {
                self.untimed += 1;
                next
            }
            Some(time) if time.saturating_add(CLOCK_RESTART) < last_stated => {
                self.restarts += 1;
                self.offset = next.saturating_sub(time);
                next
            }
            Some(time) if time.saturating_add(self.offset) > last => time.saturating_add(self.offset),
            Some(_) => {
                self.repeated += 1;
                next
            }
        };
        self.span = Some([first, time]);
        time
    }

    /// The time between frames, ns, after frames that took `duration`, ns: their mean, if they have stated times.
    fn period(&self, duration: u64) -> u64 {
        let intervals = self.frames.saturating_sub(2);
        if intervals > 0 && self.untimed == 0 {
            return (duration / intervals).max(1);
        }
        let rate = self.rate.or(self.stream_rate);
        rate.map_or(UNTIMED_FRAME_DURATION.nseconds(), |rate| (1e9 / rate).round() as u64)
    }

    /// Whether frames of several recordings have come, of which sound that ends at `time`, ns, has not all.
    pub fn outlasts(&self, time: u64) -> bool {
        let last = self.span.map_or(0, |[_, last]| last);
        self.restarts + self.repeated > 0 && time.saturating_add(CLOCK_RESTART) < last
    }

    /// What there is to say about the times.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let share = |count: u64| Some(count as f64 / self.frames as f64).filter(|share| *share < 0.99);
        let mut warn = |kind, count, text: String| {
            warnings.push(Warning { share: share(count), ..Warning::new(kind, text) });
        };
        // The first frame of a raw stream has the time 0.
        let untimed = if self.untimed + 1 >= self.frames { self.frames } else { self.untimed };
        if self.untimed > 0 && self.rate.is_none() {
            let which =
                if untimed == self.frames { "its frames".into() } else { format!("{untimed} of its frames") };
            let text = match self.stream_rate {
                Some(rate) => format!(
                    "{which} have no times: they are counted by the rate that the stream states, {} frames a second; if that is \
                     wrong, say --rate",
                    (rate * 1000.0).round() / 1000.0
                ),
                None => format!(
                    "{which} have no times, and nothing states how many there are in a second: 25 are assumed, and \
                     every time and duration depends on it; say --rate if you know it"
                ),
            };
            warn(WarningKind::TimesAssumed, untimed, text);
        }
        if self.repeated > 0 {
            let text = format!(
                "{} of its frames state the time of an earlier one, as where several recordings stand in one file: they \
                 follow at even intervals",
                self.repeated
            );
            warn(WarningKind::TimesAssumed, self.repeated, text);
        }
        if self.restarts > 0 {
            let text = format!(
                "its clock begins again {}, as where several recordings stand in one file: they are read as one, one behind \
                 the other",
                if self.restarts == 1 { "once".into() } else { format!("{} times", self.restarts) }
            );
            warn(WarningKind::JoinedRecordings, self.frames, text);
        }
        warnings
    }
}

/// Lets the times of the frames that leave `pad` count from `origin`, with a segment from 0 on, as `frames` gives them.
pub fn rebase_frames(pad: &gst::Pad, origin: Origin, frames: Arc<Mutex<FrameClock>>) {
    if let Some(caps) = pad.current_caps() {
        lock(&frames).set_caps(&caps);
    }
    rebase_with(pad, origin, move |item| match item {
        Item::Caps(caps) => {
            lock(&frames).set_caps(caps);
            None
        }
        Item::Time(time) => {
            Some(gst::ClockTime::from_nseconds(lock(&frames).next_time(time.map(gst::ClockTime::nseconds))))
        }
    });
}

/// Lets the times of all buffers that leave `pad` count from `origin`, with a segment from 0 on; `latest` gets the latest of
/// them, ns.
pub fn rebase_sound(pad: &gst::Pad, origin: Origin, latest: Arc<AtomicU64>) {
    rebase_with(pad, origin, move |item| match item {
        Item::Caps(_) => None,
        Item::Time(time) => time.inspect(|time| {
            latest.fetch_max(time.nseconds(), Ordering::Relaxed);
        }),
    });
}

/// What passes a pad whose times are changed.
enum Item<'a> {
    /// New caps.
    Caps(&'a gst::CapsRef),
    /// A buffer of this time, counted from the origin.
    Time(Option<gst::ClockTime>),
}

/// Gives all buffers that leave `pad` the times that `convert` makes of theirs, which count from `origin`. Buffers for which
/// it has none stay as they are.
fn rebase_with(
    pad: &gst::Pad,
    origin: Origin,
    convert: impl Fn(Item) -> Option<gst::ClockTime> + Send + Sync + 'static,
) {
    let clock = StreamClock::new(pad, origin.is_transport_stream);
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Event(event)) => {
                clock.follow(event);
                if let gst::EventView::Caps(caps) = event.view() {
                    convert(Item::Caps(caps.caps()));
                }
                if let gst::EventView::Segment(segment) = event.view()
                    && segment.segment().downcast_ref::<gst::ClockTime>().is_some()
                {
                    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                    let seqnum = event.seqnum();
                    *event = gst::event::Segment::builder(&segment).seqnum(seqnum).build();
                }
            }
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let time = buffer.pts().and_then(|pts| clock.stream_time_anywhere(pts));
                let since_origin = |time: i64| time.saturating_sub(origin.time).max(0).unsigned_abs();
                let time = time.map(|time| gst::ClockTime::from_nseconds(since_origin(time)));
                if let Some(time) = convert(Item::Time(time)) {
                    let buffer = buffer.make_mut();
                    buffer.set_pts(time);
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
    /// For a transport stream.
    unwrapped: Option<Mutex<UnwrappedTime>>,
}

impl StreamClock {
    /// Begins with the segment that the pad has.
    fn new(pad: &gst::Pad, is_transport_stream: bool) -> Self {
        let unwrapped = is_transport_stream.then(Mutex::default);
        let clock = Self { segment: Mutex::default(), unwrapped };
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

    /// The stream time of a timestamp, ns; `None` outside the segment.
    fn stream_time(&self, pts: gst::ClockTime) -> Option<i64> {
        let time = lock(&self.segment).as_ref()?.to_stream_time(pts)?;
        Some(self.unwrap(time.nseconds()))
    }

    /// The stream time of a timestamp, ns, also outside the segment; what lies before 0 counts as 0, except in a transport
    /// stream. `None` without a segment.
    fn stream_time_anywhere(&self, pts: gst::ClockTime) -> Option<i64> {
        let time = lock(&self.segment).as_ref()?.to_stream_time_full(pts)?;
        Some(self.unwrap(time.positive().map_or(0, gst::ClockTime::nseconds)))
    }

    /// The time, ns, that a stream time stands for.
    fn unwrap(&self, time: u64) -> i64 {
        match &self.unwrapped {
            Some(unwrapped) => lock(unwrapped).unwrap(time),
            None => i64::try_from(time).unwrap_or(i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times that a clock gives, and the kinds of its warnings.
    fn follow(
        clock: &mut FrameClock,
        times: impl IntoIterator<Item = Option<u64>>,
    ) -> (Vec<u64>, Vec<WarningKind>) {
        let times = times.into_iter().map(|time| clock.next_time(time)).collect();
        (times, clock.warnings().iter().map(|warning| warning.kind).collect())
    }

    #[test]
    fn stated_times_stay_as_they_are() {
        let times = [33, 67, 100, 1_000_000_000];
        assert_eq!(follow(&mut FrameClock::new(None), times.map(Some)), (times.into(), vec![]));
    }

    #[test]
    fn frames_without_times_are_counted_by_the_best_rate_that_is_known() {
        let untimed = [Some(0), None, None];
        let (times, kinds) = follow(&mut FrameClock::new(None), untimed);
        assert_eq!((times, kinds), (vec![0, 40_000_000, 80_000_000], vec![WarningKind::TimesAssumed]));
        let mut clock = FrameClock { stream_rate: Some(50.0), ..FrameClock::default() };
        let (times, kinds) = follow(&mut clock, [None; 3]);
        assert_eq!((times, kinds), (vec![0, 20_000_000, 40_000_000], vec![WarningKind::TimesAssumed]));
        let mut clock = FrameClock { rate: Some(10.0), ..clock };
        clock.span = None;
        assert_eq!(follow(&mut clock, untimed).0, [0, 100_000_000, 200_000_000]);
        assert_eq!(clock.warnings(), [], "it was stated");
        // What the decoder of a stream without times makes up.
        for (stated, period) in [(25.0, 40_000_000), (50.0, 20_000_000)] {
            let mut clock = FrameClock::default();
            clock.ignore_decoder();
            clock.set_stream_rate(Some(stated));
            assert_eq!(clock.stream_rate.is_some(), stated == 50.0, "25 is what decoders state of no stream");
            let (times, kinds) = follow(&mut clock, [0, 7, 9].map(Some));
            assert_eq!((times, kinds), (vec![0, period, 2 * period], vec![WarningKind::TimesAssumed]));
        }
    }

    #[test]
    fn recordings_one_behind_the_other_follow_at_even_intervals() {
        let second = 1_000_000_000;
        let once = (0..5).map(|frame| Some(frame * second));
        let mut clock = FrameClock::new(None);
        let (times, kinds) = follow(&mut clock, once.clone().chain(once));
        assert_eq!(times, (0..10).map(|frame| frame * second).collect::<Vec<_>>());
        assert_eq!(kinds, [WarningKind::JoinedRecordings]);
        // A decoder holds the times of the second one at the end of the first.
        let mut clock = FrameClock::new(None);
        let held = [0, 1, 2].into_iter().chain([2; 20]).map(|frame| Some(frame * second));
        let (times, kinds) = follow(&mut clock, held);
        assert_eq!(times, (0..23).map(|frame| frame * second).collect::<Vec<_>>());
        assert_eq!(kinds, [WarningKind::TimesAssumed]);
    }

    #[test]
    fn times_before_the_first_of_a_transport_streams_clock_are_negative() {
        let period = TRANSPORT_CLOCK_PERIOD;
        let unwrap = |times: &[u64]| {
            let mut unwrapped = UnwrappedTime::default();
            times.iter().map(|time| unwrapped.unwrap(*time)).collect::<Vec<_>>()
        };
        assert_eq!(unwrap(&[period - 5, period - 1, 0, 3]), [-5, -1, 0, 3]);
        let long = i64::try_from(period - 5).unwrap();
        assert_eq!(unwrap(&[0, period - 5]), [0, long], "a recording of more than 13 hours");
    }
}
