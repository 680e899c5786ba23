//! A video file in place of a camera, which begins anew where it ends, while time goes on.

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use mood_meta::lock;

/// The name of the decoder of a video file, in the pipeline of a session.
pub const FILM_DECODER: &str = "film-decoder";
/// The name of the element that takes the frames from it.
pub const FILM: &str = "film";
/// Name of the message that asks for [`Film::rewind`].
pub const FILM_ENDED: &str = "film-ended";

/// Links the decoder of a pipeline's video file, if that is its camera, to what takes its frames, each time that the pipeline is
/// started: gst-launch's notation does so once.
pub fn link(pipeline: &gst::Pipeline) {
    let sink = pipeline.by_name(FILM).and_then(|film| film.static_pad("sink"));
    let Some((decoder, sink)) = pipeline.by_name(FILM_DECODER).zip(sink) else { return };
    decoder.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let is_video = caps.structure(0).is_some_and(|caps| caps.name().starts_with("video/"));
        if is_video && !sink.is_linked() {
            // A failure makes the decoder post that it is not linked.
            let _ = pad.link(&sink);
        }
    });
}

/// A film that is played again and again.
pub struct Film {
    /// Where the frames come from the decoder.
    pad: gst::Pad,
    position: Arc<Mutex<Position>>,
}

/// Where a film is.
#[derive(Default)]
struct Position {
    /// What is added to the film's timestamps.
    offset: gst::ClockTime,
    /// The end of the last frame, with the offset.
    end: gst::ClockTime,
    /// The first segment, without an end; `None` before it.
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
}

impl Film {
    /// Has the video file of a pipeline begin anew where it ends: its end becomes a message, upon which the session calls
    /// [`Self::rewind`]. `None` where the camera is no file.
    pub fn repeat(pipeline: &gst::Pipeline) -> Option<Self> {
        let pad = pipeline.by_name(FILM)?.static_pad("sink")?;
        let position = Arc::<Mutex<Position>>::default();
        let bus = pipeline.bus()?;
        let mask =
            gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH;
        let watched = Arc::clone(&position);
        pad.add_probe(mask, move |_, info| {
            let mut position = lock(&watched);
            let is_forwarded = match &mut info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => {
                    position.move_frame(buffer.make_mut());
                    true
                }
                Some(gst::PadProbeData::Event(event)) => match event.type_() {
                    gst::EventType::Eos if position.has_frames() => {
                        position.offset = position.end;
                        drop(position);
                        let ended = gst::Structure::new_empty(FILM_ENDED);
                        let _ = bus.post(gst::message::Application::new(ended));
                        false
                    }
                    _ => position.handle_event(event),
                },
                _ => true,
            };
            match is_forwarded {
                true => gst::PadProbeReturn::Ok,
                // Not `Drop`: with gstreamer-rs 0.25, GStreamer 1.22 would free the event a second time.
                false => gst::PadProbeReturn::Handled,
            }
        });
        Some(Self { pad, position })
    }

    /// To be called before the pipeline is started: time begins anew.
    pub fn start(&self) {
        *lock(&self.position) = Position::default();
    }

    /// Begins the film anew. To be called by the session's thread, because a seek waits for the film's.
    pub fn rewind(&self) {
        let Some(decoder) = self.pad.peer() else { return };
        let seek = gst::event::Seek::new(
            1.0,
            gst::SeekFlags::FLUSH,
            gst::SeekType::Set,
            gst::ClockTime::ZERO,
            gst::SeekType::None,
            gst::ClockTime::NONE,
        );
        decoder.send_event(seek);
    }
}

impl Position {
    /// Whether a frame has come since the film began anew: one without would begin anew for ever.
    fn has_frames(&self) -> bool {
        self.end > self.offset
    }

    fn move_frame(&mut self, frame: &mut gst::BufferRef) {
        let pts = frame.pts().map(|pts| pts + self.offset);
        frame.set_pts(pts);
        let end = pts.map(|pts| pts + frame.duration().unwrap_or_default());
        self.end = self.end.max(end.unwrap_or_default());
    }

    /// Whether an event passes; a segment may be replaced.
    fn handle_event(&mut self, event: &mut gst::Event) -> bool {
        match event.type_() {
            // The seek has made the pad forget its segment. It gets the first one again, so that time goes on, and without an
            // end, which the timestamps pass.
            gst::EventType::Segment => {
                if self.segment.is_none()
                    && let gst::EventView::Segment(first) = event.view()
                    && let Some(segment) = first.segment().downcast_ref::<gst::ClockTime>()
                {
                    let mut segment = segment.clone();
                    segment.set_stop(gst::ClockTime::NONE);
                    self.segment = Some(segment);
                }
                if let Some(segment) = &self.segment {
                    *event = gst::event::Segment::new(segment);
                }
                true
            }
            // What is behind has nothing to flush.
            gst::EventType::FlushStart | gst::EventType::FlushStop => false,
            _ => true,
        }
    }
}
