//! The element itself: properties, caps, the player's events, and a frame's way through layout, blur and paint.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use mood_schema::{Frame, Line, TrackEvent, TrackLine};

use super::area::Area;
use super::blur;
use super::layout::{self, NowPlaying, Options};
use super::paint::{self, Typesetter};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionoverlay", gst::DebugColorFlags::empty(), Some("Draws faces and emotions"))
});

#[derive(Clone, Copy, Debug)]
struct Settings {
    distribution: bool,
    id: bool,
    blur: bool,
    font_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { distribution: true, id: true, blur: false, font_scale: 1.0 }
    }
}

/// What plays, and the file it comes from.
#[derive(Clone, Debug)]
struct Track {
    uri: String,
    playing: NowPlaying,
}

#[derive(Default)]
struct State {
    info: Option<gst_video::VideoInfo>,
    track: Option<Track>,
    /// The lack of fonts has been told.
    warned: bool,
}

/// The instance. No lock is held while another is taken, nor while drawing or pushing.
#[derive(Default)]
pub struct EmotionOverlay {
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

/// A lock whose holder panicked still holds whole values here: every change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionOverlay {
    const NAME: &'static str = "GstEmotionOverlay";
    type Type = super::EmotionOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let default = Settings::default();
            vec![
                glib::ParamSpecBoolean::builder("show-distribution")
                    .nick("Show distribution")
                    .blurb("Draw the probabilities of the seven emotions as bars beside each face")
                    .default_value(default.distribution)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecBoolean::builder("show-id")
                    .nick("Show id")
                    .blurb("Draw each face's number, which follows the person through the clip")
                    .default_value(default.id)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecBoolean::builder("blur-faces")
                    .nick("Blur faces")
                    .blurb("Make every face found unrecognisable, beyond recovery; a face the detector misses stays")
                    .default_value(default.blur)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecDouble::builder("font-scale")
                    .nick("Font scale")
                    .blurb("Size of words and lines, relative to what suits the frame's size")
                    .minimum(0.25)
                    .maximum(4.0)
                    .default_value(default.font_scale)
                    .mutable_playing()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        // GLib has checked type and range; another value would be a mistake in the table above.
        let mut settings = lock(&self.settings);
        match pspec.name() {
            "show-distribution" => settings.distribution = value.get().unwrap_or(settings.distribution),
            "show-id" => settings.id = value.get().unwrap_or(settings.id),
            "blur-faces" => settings.blur = value.get().unwrap_or(settings.blur),
            "font-scale" => settings.font_scale = value.get().unwrap_or(settings.font_scale),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = *lock(&self.settings);
        match pspec.name() {
            "show-distribution" => settings.distribution.to_value(),
            "show-id" => settings.id.to_value(),
            "blur-faces" => settings.blur.to_value(),
            _ => settings.font_scale.to_value(),
        }
    }
}

impl GstObjectImpl for EmotionOverlay {}

impl ElementImpl for EmotionOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Emotion overlay",
                "Filter/Effect/Video",
                "Draws each face's box, id, emotion and distribution, and the music playing",
                "gst-mood developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let formats = gst_video::VideoFormat::iter_raw().filter(|format| blur::is_supported(*format));
            let caps = gst_video::VideoCapsBuilder::new().format_list(formats).build();
            mood_meta::filter::pad_templates(&caps)
        });
        &TEMPLATES
    }
}

impl BaseTransformImpl for EmotionOverlay {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "No raw video that can be drawn on: {}", incaps))?;
        gst::debug!(CAT, imp = self, "Drawing on {:?}", info);
        lock(&self.state).info = Some(info);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = State::default();
        Ok(())
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let Some(Line::Track(line)) = mood_meta::event::parse_player_line(&event) {
            gst::debug!(CAT, imp = self, "{:?}: {}", line.event, line.uri);
            let mut state = lock(&self.state);
            state.track = follow(state.track.take(), line);
        }
        // Further up a log may want it too.
        self.parent_src_event(event)
    }

    fn transform_ip(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = *lock(&self.settings);
        let (info, playing) = {
            let state = lock(&self.state);
            (state.info.clone(), state.track.as_ref().map(|track| track.playing.clone()))
        };
        let info = info.ok_or(gst::FlowError::NotNegotiated)?;
        let faces = mood_meta::read_faces(buffer, info.width(), info.height()).unwrap_or_default();
        if !faces.faces.is_empty() || playing.is_some() {
            self.draw(buffer, &info, &faces, playing.as_ref(), settings)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl EmotionOverlay {
    fn draw(
        &self,
        buffer: &mut gst::BufferRef,
        info: &gst_video::VideoInfo,
        faces: &Frame,
        playing: Option<&NowPlaying>,
        settings: Settings,
    ) -> Result<(), gst::FlowError> {
        let type_ = Typesetter::new();
        if !type_.has_fonts() && !std::mem::replace(&mut lock(&self.state).warned, true) {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::NotFound,
                [
                    "The system has no fonts, so the overlay has no words: install one, fonts-dejavu-core for example"
                ]
            );
        }
        let area = Area::frame(info.width(), info.height());
        let options =
            Options { distribution: settings.distribution, id: settings.id, font_scale: settings.font_scale };
        let plan = layout::plan(area, &faces.faces, playing, options, &type_);
        let hidden =
            faces.faces.iter().filter(|_| settings.blur).filter_map(|face| blur::area(&face.bbox, area));
        let hidden: Vec<_> = hidden.collect();
        if plan.faces.is_empty() && plan.music.is_none() && hidden.is_empty() {
            return Ok(());
        }

        let size = buffer.size();
        let mut frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, info).map_err(|_| {
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ("A buffer does not hold what its caps say ({} of {} bytes)", size, info.size())
            );
            gst::FlowError::Error
        })?;
        for (area, block) in hidden {
            blur::pixelate(&mut frame, area, block);
        }
        let painted = paint::paint(&plan, &type_).and_then(|picture| Ok(picture.blend(&mut frame)?));
        painted.map_err(|error| {
            gst::element_imp_error!(self, gst::StreamError::Failed, ("Cannot draw on the frame: {}", error));
            gst::FlowError::Error
        })
    }
}

/// What plays after the player has said `line`.
fn follow(track: Option<Track>, line: TrackLine) -> Option<Track> {
    match line.event {
        TrackEvent::Started | TrackEvent::CrossfadeStarted => {
            let playing = NowPlaying { title: title(&line), mood: line.mood };
            Some(Track { uri: line.uri, playing })
        }
        // Of an earlier one: what plays since plays on.
        TrackEvent::Ended | TrackEvent::Failed => track.filter(|track| track.uri != line.uri),
        TrackEvent::CrossfadeDone => track,
    }
}

/// A title as one line of modest length; the file's name where there is none.
fn title(line: &TrackLine) -> String {
    let name = || {
        let last = line.uri.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
        glib::uri_unescape_string(last, None::<&str>).map_or_else(|| last.to_owned(), |name| name.to_string())
    };
    let title = if line.title.trim().is_empty() { name() } else { line.title.clone() };
    title.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect()
}
