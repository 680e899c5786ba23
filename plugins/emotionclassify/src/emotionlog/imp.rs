//! The element `emotionlog`: start and stop, and the conversion of buffers and events to lines of the timeline.

use std::io;
use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use mood_meta::filter::FrameTimes;
use mood_meta::wiring::{WiringCheck, WiringFault};
use mood_meta::{event, filter, lock, property};
use mood_schema::{Line, SCHEMA_VERSION, SessionHeader, SettingsLine};
use serde_json::{Map, Value};

use super::settings::Settings;
use super::timeline_writer::TimelineWriter;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionlog", gst::DebugColorFlags::empty(), Some("Timeline of emotions"))
});

/// What exists between start and stop.
struct State {
    writer: TimelineWriter,
    /// The latest settings that the elements upstream have announced, by element.
    settings: Map<String, Value>,
    session: SessionState,
    /// Whether a warning about lost lines has been posted.
    has_warned_of_loss: bool,
    /// Width and height of the frame in pixels, which face regions need; `None` for streams that are not video.
    frame_size: Option<(u32, u32)>,
    times: FrameTimes,
    wiring: WiringCheck,
}

/// How far the session that is being written has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SessionState {
    /// The header is written with the first frame, when the elements upstream have announced their settings.
    BeforeHeader,
    /// The header is written.
    Running,
    /// The stream has ended. Lines of the player may follow; a frame, which comes after a flushing seek only, begins another
    /// session.
    Ended,
}

/// What has become of a line, for messages that are posted once no lock is held.
#[derive(Default)]
struct Findings {
    faults: Vec<WiringFault>,
    /// A pipe has lost a line for the first time.
    loses_lines: bool,
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
        *lock(&self.state) = Some(State {
            writer,
            settings: Map::new(),
            session: SessionState::BeforeHeader,
            has_warned_of_loss: false,
            frame_size: None,
            times: FrameTimes::default(),
            wiring: WiringCheck::default(),
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(mut state) = lock(&self.state).take() else { return Ok(()) };
        if let Err(error) = state.begin_session(None).and_then(|()| state.writer.end_session()) {
            // Posted and not returned: a stop that fails would leave the pads half deactivated.
            self.post_error_message(self.write_error_message(&error));
        }
        let lost = state.writer.lost_lines();
        if lost > 0 {
            let location = lock(&self.settings).location.clone().unwrap_or_default();
            gst::element_imp_info!(
                self,
                gst::ResourceError::Write,
                ("{lost} lines were dropped while nobody read from {}", location.display())
            );
        }
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        if let Some(state) = lock(&self.state).as_mut() {
            state.frame_size = filter::frame_size(incaps);
            state.times.set_caps(incaps);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let written = match event.view() {
            gst::EventView::Eos(_) => {
                if let Some(state) = lock(&self.state).as_mut()
                    && state.session == SessionState::Running
                {
                    state.session = SessionState::Ended;
                }
                Ok(())
            }
            _ => event::parse_settings(&event)
                .map_or(Ok(()), |(element, settings)| self.update_settings(element, settings)),
        };
        if let Err(error) = written {
            // The next frame fails, too, and stops the stream with an error.
            gst::warning!(CAT, imp = self, "Cannot write changed settings: {error}");
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let Some(line) = event::parse_player_line(&event) {
            match self.write_player_line(&line) {
                Ok(findings) => self.post_findings(findings),
                // Frames go to the same file: writing the next one fails too and stops the stream with an error.
                Err(error) => gst::warning!(CAT, imp = self, "Cannot write a line of the player: {error}"),
            }
        }
        self.parent_src_event(event)
    }

    fn transform_ip_passthrough(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let findings = self.write_frame(buffer).map_err(|error| {
            self.post_error_message(self.write_error_message(&error));
            gst::FlowError::Error
        })?;
        self.post_findings(findings);
        Ok(gst::FlowSuccess::Ok)
    }
}

impl State {
    /// Writes the header with the media's URI and the settings as they are now, unless it has been written.
    fn begin_session(&mut self, source: Option<String>) -> io::Result<()> {
        if self.session != SessionState::BeforeHeader {
            return Ok(());
        }
        self.session = SessionState::Running;
        self.writer.begin_session(SessionHeader {
            schema: SCHEMA_VERSION,
            generator: concat!("emotionlog ", env!("CARGO_PKG_VERSION")).into(),
            source,
            settings: self.settings.clone(),
        })
    }

    /// Ends a session whose stream has ended, so that what comes now begins another one.
    fn end_session_after_eos(&mut self) -> io::Result<()> {
        if self.session == SessionState::Ended {
            self.session = SessionState::BeforeHeader;
            self.times.restart();
            self.writer.end_session()?;
        }
        Ok(())
    }

    /// Whether lines have been lost for the first time.
    fn loses_lines(&mut self) -> bool {
        self.writer.lost_lines() > 0 && !std::mem::replace(&mut self.has_warned_of_loss, true)
    }
}

impl EmotionLog {
    /// Writes the line of a frame, and before the first one the header.
    fn write_frame(&self, buffer: &gst::BufferRef) -> io::Result<Findings> {
        let segment = self.obj().segment();
        let needs_source =
            lock(&self.state).as_ref().is_some_and(|state| state.session != SessionState::Running);
        let source = if needs_source { self.query_source_uri() } else { None };

        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else { return Ok(Findings::default()) };
        state.end_session_after_eos()?;
        state.begin_session(source)?;
        let (pts, end) = state.times.observe(&segment, buffer);
        let (width, height) = state.frame_size.unwrap_or_default();
        let frame = mood_meta::read_faces(buffer, width, height);
        let faults = [state.wiring.observe_timestamp(buffer.pts()), state.wiring.observe(frame.as_ref())];
        state.writer.write_frame(pts, end, frame.unwrap_or_default())?;
        Ok(Findings { faults: faults.into_iter().flatten().collect(), loses_lines: state.loses_lines() })
    }

    /// Remembers the settings of an element. Where they differ from those in the header, a line says so.
    fn update_settings(&self, element: String, settings: Map<String, Value>) -> io::Result<()> {
        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else { return Ok(()) };
        let settings = Value::Object(settings);
        if state.settings.get(&element) == Some(&settings) {
            return Ok(());
        }
        state.settings.insert(element.clone(), settings.clone());
        if state.session != SessionState::Running {
            return Ok(());
        }
        let settings = Map::from_iter([(element, settings)]);
        let pts = state.writer.end();
        state.writer.write_line(&Line::Settings(SettingsLine { pts, settings }))
    }

    /// Posts a warning for each finding. Call it without a lock.
    fn post_findings(&self, findings: Findings) {
        for fault in findings.faults {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{fault}"));
        }
        if findings.loses_lines {
            let location = lock(&self.settings).location.clone().unwrap_or_default();
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Write,
                ("nobody reads from {}: lines are dropped until somebody does", location.display())
            );
        }
    }

    /// Writes a line of the player downstream. Does nothing when the element has stopped.
    fn write_player_line(&self, line: &Line) -> io::Result<Findings> {
        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else {
            gst::debug!(CAT, imp = self, "Stopped, not writing {line:?}");
            return Ok(Findings::default());
        };
        state.begin_session(None)?;
        state.writer.write_line(line)?;
        Ok(Findings { loses_lines: state.loses_lines(), ..Findings::default() })
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
