//! Segments, sequence numbers, positions, and what comes after the end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use mood_schema::{Emotion, Line};

use crate::harness::{TIMEOUT, TestPipeline, frames_showing, make_player, tone_library};

use Emotion::{Happy, Sad};

/// The events that reach the sink, with their sequence numbers.
type Events = Arc<Mutex<Vec<(gst::EventType, gst::Seqnum)>>>;

/// A player that is fed through a pad, event by event.
struct FedPlayer {
    pipeline: TestPipeline,
    source: gst::Pad,
    events: Events,
}

impl FedPlayer {
    /// `duration`: what the source says about its stream.
    fn new(player: gst::Element, duration: gst::ClockTime) -> Self {
        let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
        let source = gst::Pad::builder(gst::PadDirection::Src)
            .query_function(move |_, _, query| match query.view_mut() {
                gst::QueryViewMut::Duration(query) => {
                    query.set(duration);
                    true
                }
                _ => false,
            })
            .build();
        source.link(&pipeline.player.request_pad_simple("mood").unwrap()).unwrap();
        source.set_active(true).unwrap();
        let events = Events::default();
        let seen = events.clone();
        let probe = gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH;
        pipeline.sink.static_pad("sink").unwrap().add_probe(probe, move |_, info| {
            let event = info.event().unwrap();
            seen.lock().unwrap().push((event.type_(), event.seqnum()));
            gst::PadProbeReturn::Ok
        });
        pipeline.play();
        Self { pipeline, source, events }
    }

    fn push_event(&self, event: gst::Event) -> gst::Seqnum {
        let seqnum = event.seqnum();
        assert!(self.source.push_event(event));
        seqnum
    }

    fn begin(&self, segment: &gst::FormattedSegment<gst::ClockTime>) -> gst::Seqnum {
        self.push_event(gst::event::StreamStart::new("video"));
        self.push_event(gst::event::Caps::new(&gst::Caps::new_empty_simple("video/x-raw")));
        self.push_event(gst::event::Segment::new(segment))
    }

    /// Pushes frames that show an emotion, the first of them at the second `start`.
    fn feed(&self, emotion: Emotion, start: u64, seconds: u64) {
        for mut buffer in frames_showing(&[(Some(emotion), seconds)]) {
            let pts = buffer.pts().unwrap() + gst::ClockTime::from_seconds(start);
            buffer.make_mut().set_pts(pts);
            self.source.push(buffer).unwrap();
        }
    }

    /// Waits for an event of a type at the sink, the `count`th, while audio is taken. Returns its sequence
    /// number.
    fn wait_for(&self, event_type: gst::EventType, count: usize) -> gst::Seqnum {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < TIMEOUT, "no {event_type:?}");
            while self.pipeline.sink.try_pull_sample(gst::ClockTime::from_mseconds(5)).is_some() {}
            let events = self.events.lock().unwrap();
            let mut found = events.iter().filter(|(found, _)| *found == event_type);
            if let Some((_, seqnum)) = found.nth(count - 1) {
                return *seqnum;
            }
            drop(events);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A segment that begins and ends at these seconds.
fn segment(start: u64, stop: u64) -> gst::FormattedSegment<gst::ClockTime> {
    let mut segment = gst::FormattedSegment::new();
    segment.set_start(gst::ClockTime::from_seconds(start));
    segment.set_position(gst::ClockTime::from_seconds(start));
    segment.set_time(gst::ClockTime::from_seconds(start));
    segment.set_stop(gst::ClockTime::from_seconds(stop));
    segment.set_duration(gst::ClockTime::from_seconds(60));
    segment
}

#[test]
fn events_carry_the_sequence_numbers_of_what_caused_them() {
    let library = tone_library();
    let fed = FedPlayer::new(make_player(library.path()), gst::ClockTime::from_seconds(60));
    let first = segment(3, 6);
    let begun = fed.begin(&first);
    fed.feed(Happy, 3, 3);
    let done = fed.push_event(gst::event::SegmentDone::new(gst::ClockTime::from_seconds(6)));
    // A segment that follows without a flush waits until the audio has come to the end of the one before.
    let mut second = segment(20, 22);
    second.set_base(gst::ClockTime::from_seconds(3));
    let (source, event) = (fed.source.clone(), gst::event::Segment::new(&second));
    let next = event.seqnum();
    let pushed = std::thread::spawn(move || source.push_event(event));
    assert_eq!(fed.wait_for(gst::EventType::SegmentDone, 1), done);
    assert!(pushed.join().unwrap());
    assert_eq!(fed.wait_for(gst::EventType::Segment, 1), begun);
    fed.feed(Happy, 20, 2);
    let eos = fed.push_event(gst::event::Eos::new());
    assert_eq!(fed.wait_for(gst::EventType::Eos, 1), eos);
    assert_eq!(fed.wait_for(gst::EventType::Segment, 2), next);
    let pad = fed.pipeline.sink.static_pad("sink").unwrap();
    let received = pad.sticky_event::<gst::event::Segment>(0).unwrap();
    assert_eq!(*received.segment(), *second.upcast_ref(), "the segment is that of the video");

    let seek = gst::Seqnum::next();
    fed.push_event(gst::event::FlushStart::builder().seqnum(seek).build());
    assert_eq!(fed.wait_for(gst::EventType::FlushStart, 1), seek);
    fed.push_event(gst::event::FlushStop::builder(true).seqnum(seek).build());
    assert_eq!(fed.wait_for(gst::EventType::FlushStop, 1), seek);
    let requested = gst::event::Eos::new();
    let seqnum = requested.seqnum();
    fed.begin(&first);
    assert!(fed.pipeline.player.send_event(requested));
    assert_eq!(fed.wait_for(gst::EventType::Eos, 2), seqnum);
}

#[test]
fn the_position_does_not_exceed_the_duration() {
    let library = tone_library();
    let duration = gst::ClockTime::from_mseconds(2_950);
    let fed = FedPlayer::new(make_player(library.path()), duration);
    fed.begin(&segment(0, 3));
    fed.feed(Happy, 0, 3);
    fed.push_event(gst::event::Eos::new());
    fed.wait_for(gst::EventType::Eos, 1);
    assert_eq!(fed.pipeline.player.query_duration::<gst::ClockTime>(), Some(duration));
    assert_eq!(fed.pipeline.player.query_position::<gst::ClockTime>(), Some(duration));
}

#[test]
fn the_decision_log_goes_on_after_a_seek_from_the_end() {
    let library = tone_library();
    let log = library.path().join("log.jsonl");
    let player = make_player(library.path());
    player.set_property("log-location", log.to_str().unwrap());
    let fed = FedPlayer::new(player, gst::ClockTime::from_seconds(60));
    fed.begin(&segment(0, 60));
    fed.feed(Happy, 0, 6);
    fed.push_event(gst::event::Eos::new());
    fed.wait_for(gst::EventType::Eos, 1);
    let before = std::fs::read_to_string(&log).unwrap();
    fed.push_event(gst::event::FlushStart::new());
    fed.push_event(gst::event::FlushStop::new(true));
    fed.begin(&segment(10, 60));
    fed.feed(Sad, 10, 8);
    fed.push_event(gst::event::Eos::new());
    fed.wait_for(gst::EventType::Eos, 2);
    let text = std::fs::read_to_string(&log).unwrap();
    let added = text.strip_prefix(&before).expect("what was written stays");
    let lines: Vec<Line> = added.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(&lines[0], Line::Mood(mood) if mood.to == Sad.into() && mood.pts > 10_000_000_000));
    assert!(lines.iter().any(|line| matches!(line, Line::Track(track) if track.uri.ends_with("sad.flac"))));
    assert!(matches!(lines.last(), Some(Line::End(end)) if end.pts == 18_000_000_000));
}
