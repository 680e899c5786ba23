//! The element `emotionlog`: properties, and from buffers and events to lines.

use std::io;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use glib::prelude::*;
use glib::subclass::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use mood_meta::filter;
use mood_schema::{Line, SCHEMA_VERSION, SessionHeader};
use serde_json::{Map, Value};

use super::Format;
use super::timeline::Timeline;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionlog", gst::DebugColorFlags::empty(), Some("Timeline of emotions"))
});

#[derive(Clone, Debug, Default)]
struct Settings {
    location: Option<PathBuf>,
    format: Format,
    append: bool,
}

/// What exists between start and stop.
struct State {
    timeline: Timeline,
    /// Written before the first frame, once the elements upstream have said how they are set.
    session: Option<SessionHeader>,
    /// The frame's size, for regions in pixels; nothing for streams that are not video.
    size: Option<(u32, u32)>,
    /// Where a frame without timestamp goes.
    last_pts: u64,
}

#[derive(Default)]
pub struct EmotionLog {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionLog {
    const NAME: &'static str = "GstEmotionLog";
    type Type = super::EmotionLog;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionLog {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("location")
                    .nick("Location")
                    .blurb("The file to write")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("format", Format::default())
                    .nick("Format")
                    .blurb("How to write it")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecBoolean::builder("append")
                    .nick("Append")
                    .blurb("Continue a file that is there instead of replacing it")
                    .default_value(false)
                    .mutable_ready()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    // GObject checks a value's type against the specs above before it comes here.
    #[allow(clippy::unwrap_used)]
    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = lock(&self.settings);
        match pspec.name() {
            "location" => {
                let text: Option<String> = value.get().unwrap();
                settings.location = text.filter(|text| !text.is_empty()).map(PathBuf::from);
            }
            "format" => settings.format = value.get().unwrap(),
            "append" => settings.append = value.get().unwrap(),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings);
        match pspec.name() {
            "location" => settings.location.as_ref().and_then(|path| path.to_str()).to_value(),
            "format" => settings.format.to_value(),
            "append" => settings.append.to_value(),
            _ => pspec.default_value().clone(),
        }
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
            gst::subclass::ElementMetadata::new(
                "Emotion log",
                "Filter/Analyzer/Video",
                "Writes what every frame's faces show to a file, JSON Lines or CSV",
                "gst-mood",
            )
        });
        Some(&METADATA)
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
        let timeline = Timeline::open(&location, settings.format, settings.append).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::OpenWrite,
                ("cannot write the timeline to {}: {error}; choose another location", location.display())
            )
        })?;
        let session = SessionHeader {
            schema: SCHEMA_VERSION,
            generator: concat!("emotionlog ", env!("CARGO_PKG_VERSION")).into(),
            source: None,
            settings: Map::new(),
        };
        *lock(&self.state) = Some(State { timeline, session: Some(session), size: None, last_pts: 0 });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(mut state) = lock(&self.state).take() else { return Ok(()) };
        if let Err(error) = state.begin(None).and_then(|()| state.timeline.finish()) {
            // A stop that fails would leave the pads half deactivated: said, but not returned.
            self.post_error_message(self.write_failed(&error));
        }
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let size = incaps.structure(0).and_then(|structure| {
            let side = |name| structure.get::<i32>(name).ok().and_then(|side| u32::try_from(side).ok());
            Some((side("width")?, side("height")?))
        });
        if let Some(state) = lock(&self.state).as_mut() {
            state.size = size;
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let Some((element, settings)) = mood_meta::event::parse_settings(&event)
            && let Some(session) = lock(&self.state).as_mut().and_then(|state| state.session.as_mut())
        {
            session.settings.insert(element, Value::Object(settings));
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let Some(line) = mood_meta::event::parse_player_line(&event) {
            let written = self.write(|state| state.timeline.line(&line), &line);
            if let Err(message) = written {
                // The frames go the same way: the next one stops the stream with this error.
                gst::warning!(CAT, imp = self, "{message:?}");
            }
        }
        self.parent_src_event(event)
    }

    fn transform_ip_passthrough(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let pts = filter::stream_time(&self.obj().segment(), buffer.pts()).map(gst::ClockTime::nseconds);
        let duration = buffer.duration().map_or(0, gst::ClockTime::nseconds);
        self.write_frame(buffer, pts, duration).map_err(|error| {
            self.post_error_message(self.write_failed(&error));
            gst::FlowError::Error
        })?;
        Ok(gst::FlowSuccess::Ok)
    }
}

impl State {
    /// Writes the session line if it is not there yet.
    fn begin(&mut self, source: Option<String>) -> io::Result<()> {
        match self.session.take() {
            Some(session) => self.timeline.session(SessionHeader { source, ..session }),
            None => Ok(()),
        }
    }
}

impl EmotionLog {
    fn write_frame(&self, buffer: &gst::BufferRef, pts: Option<u64>, duration: u64) -> io::Result<()> {
        // Asked for before the lock: the answer comes from upstream.
        let first = lock(&self.state).as_ref().is_some_and(|state| state.session.is_some());
        let source = if first { self.source_uri() } else { None };
        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else { return Ok(()) };
        state.begin(source)?;
        let pts = pts.unwrap_or(state.last_pts);
        state.last_pts = pts;
        let (width, height) = state.size.unwrap_or_default();
        let faces = mood_meta::read_faces(buffer, width, height).map_or_else(Vec::new, |frame| frame.faces);
        state.timeline.frame(pts, pts.saturating_add(duration), faces)
    }

    fn write(&self, write: impl FnOnce(&mut State) -> io::Result<()>, line: &Line) -> io::Result<()> {
        let mut state = lock(&self.state);
        let Some(state) = state.as_mut() else {
            gst::debug!(CAT, imp = self, "too late for {line:?}");
            return Ok(());
        };
        state.begin(None)?;
        write(state)
    }

    /// The URI of what is played, where upstream knows it.
    fn source_uri(&self) -> Option<String> {
        let mut query = gst::query::Uri::new();
        if !self.obj().sink_pad().peer_query(&mut query) {
            return None;
        }
        query.uri().map(Into::into)
    }

    fn write_failed(&self, error: &io::Error) -> gst::ErrorMessage {
        let location = lock(&self.settings).location.clone().unwrap_or_default();
        gst::error_msg!(
            gst::ResourceError::Write,
            ("cannot write to {}: {error}; what was written before is kept", location.display())
        )
    }
}
