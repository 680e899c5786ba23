//! The element `emotionlog`: start and stop, and the conversion of buffers and events to lines of the timeline.

use std::io;
use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use mood_meta::wiring::{WiringCheck, WiringFault};
use mood_meta::{event, filter, lock, property};
use mood_schema::{Line, SCHEMA_VERSION, SessionHeader};
use serde_json::{Map, Value};

use super::settings::Settings;
use super::timeline_writer::TimelineWriter;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionlog", gst::DebugColorFlags::empty(), Some("Timeline of emotions"))
});

/// What exists between start and stop.
struct State {
    writer: TimelineWriter,
    /// Collects the settings of the elements upstream until it is written, with the first frame; then `None`.
    pending_header: Option<SessionHeader>,
    /// Width and height of the frame in pixels, which face regions need; `None` for streams that are not video.
    frame_size: Option<(u32, u32)>,
    /// Duration of a frame by the caps' frame rate, ns; `None` where they state none.
    frame_duration: Option<u64>,
    /// The time at which a frame without a timestamp is taken to begin, ns of stream time: the end of the one before.
    next_pts: u64,
    wiring: WiringCheck,
}

/// The implementation of `emotionlog`: its properties, and what exists while it runs.
///
/// Lock order: the two locks are never held together. Messages are posted, events pushed and queries sent only when no
/// lock is held.
#[derive(Default)]
pub struct EmotionLog {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionLog {
    const NAME: &'static str = "GstEmotionLog";
    type Type = super::EmotionLog;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionLog {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::properties);
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        property::set(&*self.obj(), pspec, || lock(&self.settings).set(pspec.name(), value));
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        lock(&self.settings).get(pspec.name()).unwrap_or_else(|| pspec.default_value().clone())
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_passthrough(true);
    }
}

impl GstObjectImpl for EmotionLog {}

impl ElementImpl for EmotionLog {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            filter::element_metadata(
                "Emotion log",
                "Filter/Analyzer/Video",
                "Writes the emotions of all faces in all frames to a file, JSON Lines or CSV",
            )
        });
        Some(&METADATA)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        self.parent_post_message(mood_meta::message::redact(message))
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| filter::pad_templates(&gst::Caps::new_any()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for EmotionLog {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let Some(location) = settings.location else {
            return Err(gst::error_msg!(
                gst::ResourceError::NotFound,
                ("no file to write the timeline to: set the property location")
            ));
        };
        let writer = TimelineWriter::open(&location, settings.format, settings.append).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::OpenWrite,
                ("cannot write the timeline to {}: {error}; choose another location", location.display())
            )
        })?;
        let header = SessionHeader {
            schema: SCHEMA_VERSION,
            generator: concat!("emotionlog ", env!("CARGO_PKG_VERSION")).into(),
            source: None,
            settings: Map::new(),
        };
        *lock(&self.state) = Some(State {
            writer,
            pending_header: Some(header),
            frame_size: None,
            frame_duration: None,
            next_pts: 0,
            wiring: WiringCheck::default(),
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(mut state) = lock(&self.state).take() else { return Ok(()) };
        if let Err(error) = state.write_pending_header(None).and_then(|()| state.writer.finish()) {
            // Posted and not returned: a stop that fails would leave the pads half deactivated.
            self.post_error_message(self.write_error_message(&error));
        }
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let frame_size = incaps.structure(0).and_then(|structure| {
            let side = |field| structure.get::<i32>(field).ok().and_then(|side| u32::try_from(side).ok());
            Some((side("width")?, side("height")?))
        });
        let frame_rate =
            incaps.structure(0).and_then(|structure| structure.get::<gst::Fraction>("framerate").ok());
        let frame_duration = frame_rate.filter(|rate| rate.numer() > 0).and_then(|rate| {
            gst::ClockTime::SECOND.nseconds().mul_div_round(rate.denom() as u64, rate.numer() as u64)
        });
        if let Some(state) = lock(&self.state).as_mut() {
            (state.frame_size, state.frame_duration) = (frame_size, frame_duration);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let Some((element, settings)) = event::parse_settings(&event)
            && let Some(header) = lock(&self.state).as_mut().and_then(|state| state.pending_header.as_mut())
        {
            header.settings.insert(element, Value::Object(settings));
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let Some(line) = event::parse_player_line(&event)
            && let Err(error) = self.write_player_line(&line)
        {
            // Frames go to the same file: writing the next one fails too and stops the stream with an error.
            gst::warning!(CAT, imp = self, "Cannot write a line of the player: {error}");
        }
        self.parent_src_event(event)
    }

    fn transform_ip_passthrough(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let faults = self.write_frame(buffer).map_err(|error| {
            self.post_error_message(self.write_error_message(&error));
            gst::FlowError::Error
        })?;
        for fault in faults {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{fault}"));
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl State {
    /// Writes the header with the media's URI, unless it has been written.
    fn write_pending_header(&mut self, source: Option<String>) -> io::Result<()> {
        match self.pending_header.take() {
            Some(header) => self.writer.write_header(SessionHeader { source, ..header }),
            None => Ok(()),
        }
    }
}

impl EmotionLog {
    /// Writes the line of a frame, and before the first one the header. Returns what to warn of.
    fn write_frame(&self, buffer: &gst::BufferRef) -> io::Result<Vec<WiringFault>> {
        let pts = filter::stream_time(&self.obj().segment(), buffer.pts()).map(gst::ClockTime::nseconds);
        let needs_source = lock(&self.state).as_ref().is_some_and(|state| state.pending_header.is_some());
        let source = if needs_source { self.query_source_uri() } else { None };

        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else { return Ok(Vec::new()) };
        state.write_pending_header(source)?;
        let duration = buffer.duration().map(gst::ClockTime::nseconds).or(state.frame_duration);
        let pts = pts.unwrap_or(state.next_pts);
        // A frame whose duration nobody states ends where it begins, except that the next one needs a time.
        let end = pts.saturating_add(duration.unwrap_or(0));
        state.next_pts = pts.saturating_add(duration.unwrap_or(filter::UNTIMED_FRAME_DURATION.nseconds()));
        let (width, height) = state.frame_size.unwrap_or_default();
        let frame = mood_meta::read_faces(buffer, width, height);
        let faults = [state.wiring.observe_timestamp(buffer.pts()), state.wiring.observe(frame.as_ref())];
        state.writer.write_frame(pts, end, frame.unwrap_or_default().faces)?;
        Ok(faults.into_iter().flatten().collect())
    }

    /// Writes a line of the player downstream. Does nothing when the element has stopped.
    fn write_player_line(&self, line: &Line) -> io::Result<()> {
        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else {
            gst::debug!(CAT, imp = self, "Stopped, not writing {line:?}");
            return Ok(());
        };
        state.write_pending_header(None)?;
        state.writer.write_line(line)
    }

    /// The URI of the media, where an element upstream knows it.
    fn query_source_uri(&self) -> Option<String> {
        let mut query = gst::query::Uri::new();
        if !self.obj().sink_pad().peer_query(&mut query) {
            return None;
        }
        query.uri().map(Into::into)
    }

    fn write_error_message(&self, error: &io::Error) -> gst::ErrorMessage {
        let location = lock(&self.settings).location.clone().unwrap_or_default();
        gst::error_msg!(
            gst::ResourceError::Write,
            ("cannot write to {}: {error}; what was written before is kept", location.display())
        )
    }
}
