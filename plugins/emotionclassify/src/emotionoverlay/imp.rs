//! The element `emotionoverlay`: caps, the player's events, and the drawing of one frame.

use std::sync::{LazyLock, Mutex};

use frame_witness::{LumaSample, Witness};
use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use mood_meta::video_frame::{self, MapFrameError};
use mood_meta::wiring::WiringFault;
use mood_meta::{event, filter, lock, property, region, witness};
use mood_schema::{Face, Frame, Line, Rect, TrackEvent, TrackLine};

use super::blend::{self, PixelForm};
use super::geometry::{Area, frame_area};
use super::hiding::{Decision, FaceHider, Hidden, Mode, Reason};
use super::layout::{self, LayoutOptions, NowPlaying};
use super::paint::{PaintCache, Painter};
use super::pixelation;
use super::settings::Settings;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionoverlay", gst::DebugColorFlags::empty(), Some("Draws faces and emotions"))
});

/// The longest title drawn, in characters; the layout shortens it further to the space there is.
const MAX_TITLE: usize = 120;

/// The track that is playing.
#[derive(Clone, Debug)]
struct Track {
    uri: String,
    playing: NowPlaying,
}

impl From<TrackLine> for Track {
    fn from(line: TrackLine) -> Self {
        let playing = NowPlaying { title: display_title(&line), mood: line.mood };
        Self { uri: line.uri, playing }
    }
}

/// What changes while the element runs.
#[derive(Default)]
struct State {
    /// Of the current caps.
    info: Option<gst_video::VideoInfo>,
    /// The tracks that sound, as the player reported them, in the order of their starts. The last one is shown.
    tracks: Vec<Track>,
    /// Whether the warning about missing fonts has been posted.
    has_warned_of_fonts: bool,
    /// Why a complete frame has been hidden, as far as warnings have been posted.
    reasons: Vec<Reason>,
    /// Whether the warning about boxes that do not lie on the frame has been posted.
    has_warned_of_boxes: bool,
}

/// The implementation of `emotionoverlay`: its properties, and what exists while it runs.
///
/// Lock order: no two locks are held together. No lock is held while drawing, posting or pushing.
#[derive(Default)]
pub struct EmotionOverlay {
    settings: Mutex<Settings>,
    state: Mutex<State>,
    hider: Mutex<FaceHider>,
    /// Taken out while a frame is drawn.
    paint_cache: Mutex<PaintCache>,
    /// Kept to reuse its memory; taken out while a frame is read after drawing.
    drawn_sample: Mutex<LumaSample>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionOverlay {
    const NAME: &'static str = "GstEmotionOverlay";
    type Type = super::EmotionOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::properties);
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let is_running = self.obj().current_state() > gst::State::Ready;
        property::set(&*self.obj(), pspec, || {
            let mut settings = lock(&self.settings);
            let set = settings.set(pspec.name(), value);
            if let (Err(error), false) = (&set, is_running) {
                settings.refusal = Some(error.to_string());
            }
            set
        });
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        lock(&self.settings).get(pspec.name()).unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for EmotionOverlay {}

impl ElementImpl for EmotionOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            filter::element_metadata(
                "Emotion overlay",
                "Filter/Effect/Video",
                "Draws each face's box, id, emotion and distribution, and the music playing",
            )
        });
        Some(&METADATA)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        self.parent_post_message(mood_meta::message::redact(message))
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let formats =
                gst_video::VideoFormat::iter_raw().filter(|format| pixelation::is_supported(*format));
            let caps = gst_video::VideoCapsBuilder::new().format_list(formats).build();
            filter::pad_templates(&caps)
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

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        match &lock(&self.settings).refusal {
            Some(refusal) => Err(gst::error_msg!(gst::LibraryError::Settings, ("{refusal}"))),
            None => Ok(()),
        }
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = State::default();
        *lock(&self.hider) = FaceHider::default();
        *lock(&self.paint_cache) = PaintCache::default();
        *lock(&self.drawn_sample) = LumaSample::default();
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.follow_player(&event);
        if event.type_() == gst::EventType::FlushStop {
            lock(&self.hider).clear();
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.follow_player(&event);
        // Forwarded too, because a log further upstream writes it.
        self.parent_src_event(event)
    }

    fn transform_ip(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
        // A gap buffer may have no pixels.
        if buffer.size() == 0 && buffer.flags().contains(gst::BufferFlags::GAP) {
            return Ok(gst::FlowSuccess::Ok);
        }
        let settings = lock(&self.settings).clone();
        let (info, playing) = {
            let state = lock(&self.state);
            (state.info.clone(), state.tracks.last().map(|track| track.playing.clone()))
        };
        let info = info.ok_or(gst::FlowError::NotNegotiated)?;
        let frame = mood_meta::read_faces(buffer, info.width(), info.height());
        let decision = self.decide(buffer, &info, frame.as_ref(), &settings)?;
        let area = frame_area(info.width(), info.height());
        let mosaics = if settings.blur_faces {
            let hidden = region::read_hidden(buffer, info.width(), info.height());
            mosaics(&decision.hidden, &hidden, area)
        } else {
            Vec::new()
        };
        if !decision.faces.is_empty() || playing.is_some() || !mosaics.is_empty() {
            self.draw(buffer, &info, &decision.faces, &mosaics, playing.as_ref(), &settings)?;
            if let Some(boxes) = decision.boxes {
                self.renew_witness(buffer, &info, boxes)?;
            }
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl EmotionOverlay {
    /// Applies an event of a player downstream, or of a recorded session upstream.
    fn follow_player(&self, event: &gst::EventRef) {
        if let Some(Line::Track(line)) = event::parse_player_line(event) {
            gst::debug!(CAT, imp = self, "{:?}: {}", line.event, line.uri);
            update_tracks(&mut lock(&self.state).tracks, line);
        }
    }

    /// Decides what to hide in a frame and where its faces are, and posts the warnings that are due.
    fn decide(
        &self,
        buffer: &gst::BufferRef,
        info: &gst_video::VideoInfo,
        frame: Option<&Frame>,
        settings: &Settings,
    ) -> Result<Decision, gst::FlowError> {
        let witness = witness::read(buffer);
        let mode = match (settings.blur_faces, settings.blur_strict) {
            (false, _) => Mode::Show,
            (true, false) => Mode::Faces,
            (true, true) => Mode::Strict,
        };
        let decision = lock(&self.hider).decide(
            mode,
            buffer.pts().map(gst::ClockTime::nseconds),
            witness::frame_size(info),
            frame,
            witness.as_ref().map(Option::as_ref).map_err(|error| *error),
            |sample| read_luma(buffer, info, sample),
        );
        let decision = decision.map_err(|error| self.post_flow_error(error))?;
        if let (true, Hidden::Everything(reason)) = (settings.blur_faces, &decision.hidden) {
            self.warn_about_hidden_frame(*reason);
        } else if decision.is_misplaced {
            self.warn_about_boxes();
        }
        Ok(decision)
    }

    /// Replaces the witness by one of the frame as it is after drawing, for an overlay downstream.
    fn renew_witness(
        &self,
        buffer: &mut gst::BufferRef,
        info: &gst_video::VideoInfo,
        boxes: Vec<(u32, Rect)>,
    ) -> Result<(), gst::FlowError> {
        let mut sample = std::mem::take(&mut *lock(&self.drawn_sample));
        read_luma(buffer, info, &mut sample).map_err(|error| self.post_flow_error(error))?;
        let renewed = Witness::capture(&sample, witness::frame_size(info), boxes);
        *lock(&self.drawn_sample) = sample;
        witness::write(buffer, &renewed).map_err(|error| {
            self.post_flow_error(gst::error_msg!(gst::StreamError::Failed, ("Cannot add metadata: {error}")))
        })
    }

    /// Posts an error and returns what the streaming thread answers.
    fn post_flow_error(&self, message: gst::ErrorMessage) -> gst::FlowError {
        self.post_error_message(message);
        gst::FlowError::Error
    }

    fn draw(
        &self,
        buffer: &mut gst::BufferRef,
        info: &gst_video::VideoInfo,
        faces: &[Face],
        mosaics: &[(Area, i32)],
        playing: Option<&NowPlaying>,
        settings: &Settings,
    ) -> Result<(), gst::FlowError> {
        let painter = Painter::new(std::mem::take(&mut *lock(&self.paint_cache)), PixelForm::of_frame(info));
        if !painter.has_fonts() {
            self.warn_about_fonts();
        }
        let options = LayoutOptions {
            show_distribution: settings.show_distribution,
            show_id: settings.show_id,
            names: &settings.names,
            font_scale: settings.font_scale,
        };
        let area = frame_area(info.width(), info.height());
        let layout = layout::compute_layout(area, faces, playing, options, &painter);
        let drawings = painter.draw(&layout);
        *lock(&self.paint_cache) = painter.into_cache();
        let drawing_failed = |error: &dyn std::fmt::Display| {
            gst::element_imp_error!(self, gst::StreamError::Failed, ("Cannot draw on the frame: {error}"));
            gst::FlowError::Error
        };
        let drawings = drawings.map_err(|error| drawing_failed(&error))?;
        if drawings.is_empty() && mosaics.is_empty() {
            return Ok(());
        }

        let pixelation_failed = |error| {
            gst::element_imp_error!(self, gst::StreamError::Failed, ("{error}"));
            gst::FlowError::Error
        };
        let unreadable = |error| self.post_flow_error(unreadable_frame(error));
        if !mosaics.is_empty() {
            let mut frame = video_frame::map_writable(buffer, info).map_err(unreadable)?;
            for (area, block) in mosaics {
                pixelation::pixelate(&mut frame, *area, *block).map_err(pixelation_failed)?;
            }
            drop(frame);
            let areas = mosaics.iter().map(|(area, _)| area);
            pixelation::hide_field_rows(buffer, info, areas).map_err(pixelation_failed)?;
        }
        let mut frame = video_frame::map_writable(buffer, info).map_err(unreadable)?;
        drawings
            .iter()
            .try_for_each(|drawing| blend::blend(&mut frame, drawing))
            .map_err(|error| drawing_failed(&error))
    }

    /// Posts a warning that the complete frame is hidden, once for each reason.
    fn warn_about_hidden_frame(&self, reason: Reason) {
        let cause = match reason {
            Reason::NoMetadata => WiringFault::NoDetector.to_string(),
            Reason::InvalidWitness => witness::InvalidWitnessError.to_string(),
            Reason::UnknownPlacement => MISPLACED.to_string(),
            // As `blur-strict` demands, or for a moment.
            Reason::Uncertain | Reason::Cut => return,
        };
        let is_new = {
            let reasons = &mut lock(&self.state).reasons;
            let is_new = !reasons.contains(&reason);
            if is_new {
                reasons.push(reason);
            }
            is_new
        };
        if is_new {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("blur-faces hides the whole picture: {cause}")
            );
        }
    }

    /// Posts a warning that boxes are drawn where the faces are not, once.
    fn warn_about_boxes(&self) {
        let has_warned = std::mem::replace(&mut lock(&self.state).has_warned_of_boxes, true);
        if !has_warned {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("boxes are drawn where the faces may not be: {MISPLACED}")
            );
        }
    }

    /// Posts a warning that the system has no fonts, once.
    fn warn_about_fonts(&self) {
        let has_warned = std::mem::replace(&mut lock(&self.state).has_warned_of_fonts, true);
        if !has_warned {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::NotFound,
                [
                    "The system has no fonts, so the overlay has no words: install one, fonts-dejavu-core for example"
                ]
            );
        }
    }
}

/// Why the places of the faces are unknown, and what to do.
const MISPLACED: &str = "the picture is no longer the one in which the faces were found, and it is unknown where they are in it: \
    put this element before the one that changes it, or let haarfacedetect search what comes out of that one";

/// The areas to pixelate, with the side of their blocks: the faces' and those that upstream wants hidden, its `regions`.
fn mosaics(hidden: &Hidden, regions: &[Rect], area: Area) -> Vec<(Area, i32)> {
    const WHOLE: Rect = Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
    let areas = match hidden {
        Hidden::Areas(areas) => areas,
        Hidden::Everything(_) => &vec![WHOLE],
    };
    areas.iter().chain(regions).filter_map(|rect| pixelation::mosaic_area(rect, area)).collect()
}

/// Reads a reduced copy of a frame's luma.
fn read_luma(
    buffer: &gst::BufferRef,
    info: &gst_video::VideoInfo,
    sample: &mut LumaSample,
) -> Result<(), gst::ErrorMessage> {
    let frame = video_frame::map_readable(buffer, info).map_err(unreadable_frame)?;
    pixelation::read_luma(&frame, sample)
        .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))
}

/// The error about a buffer that does not hold what its caps say.
fn unreadable_frame(error: MapFrameError) -> gst::ErrorMessage {
    gst::error_msg!(gst::StreamError::Format, ("{error}"))
}

/// Applies an event of the player to the tracks that sound.
fn update_tracks(tracks: &mut Vec<Track>, line: TrackLine) {
    match line.event {
        TrackEvent::Started => tracks.push(Track::from(line)),
        // Follows the start of the track, except where one that was fading out comes back.
        TrackEvent::CrossfadeStarted => {
            if let Some(index) = tracks.iter().rposition(|track| track.uri == line.uri) {
                tracks.remove(index);
            }
            tracks.push(Track::from(line));
        }
        // A track that fades into itself sounds twice, and the earlier one ends.
        TrackEvent::Ended | TrackEvent::Failed => {
            if let Some(index) = tracks.iter().position(|track| track.uri == line.uri) {
                tracks.remove(index);
            }
        }
        TrackEvent::CrossfadeDone => {}
    }
}

/// The title of a track in one line; the file's name where there is no title.
fn display_title(line: &TrackLine) -> String {
    let file_name = || {
        let name = line.uri.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
        glib::uri_unescape_string(name, None::<&str>).map_or_else(|| name.to_owned(), |name| name.to_string())
    };
    let title = if line.title.trim().is_empty() { file_name() } else { line.title.clone() };
    title.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TITLE).collect()
}
