//! The element `haarfacedetect`: start and stop, events, and the processing of one frame.

use std::sync::{Arc, LazyLock, Mutex};

use face_search::{FaceFinder, FoundFace, KnownPeople, SearchArea};
use frame_witness::{LumaSample, Witness};
use glib::subclass::prelude::*;
use gray_image::{PixelRect, StretchedImage};
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};
use gst_base::subclass::prelude::*;
use haar::{Cascade, CascadeError};
use mood_meta::analytics::{self, FirstSeen};
use mood_meta::event::SettingsAnnouncement;
use mood_meta::filter::FrameError;
use mood_meta::pixel_aspect::PixelAspect;
use mood_meta::region::{self, FaceRegion};
use mood_meta::{filter, lock, luma, message, property, video_frame};
use mood_schema::{FaceSource, Frame, PEOPLE_MEMORY};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Messages;
use super::settings::Settings;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("haarfacedetect", gst::DebugColorFlags::empty(), Some("Haar face detection"))
});

/// What exists between start and stop.
struct State {
    finder: FaceFinder,
    /// Of the current caps.
    info: Option<gst_video::VideoInfo>,
    /// Luma of packed formats; kept to reuse its memory.
    luma: Vec<u8>,
    /// Of the frame in progress; kept to reuse its memory.
    sample: LumaSample,
    /// Luma in square pixels, where the video's are not.
    square_luma: StretchedImage,
    /// The face ids of the frame before, sorted.
    ids: Vec<u32>,
    first_seen: FirstSeen,
    /// Names and SHA-256 of the cascades, for logs.
    cascades: Map<String, Value>,
    announcement: SettingsAnnouncement,
    /// Tells readers of logs in which parts of a session the ids are of the same people; `None` where they are not kept.
    people_memory: Option<String>,
    checked_roi: Option<CheckedRoi>,
}

/// For what it was last checked whether faces can be found in the rectangles of `roi`.
#[derive(PartialEq)]
struct CheckedRoi {
    areas: Arc<[SearchArea]>,
    /// Width and height of the frame, pixels.
    frame: (u32, u32),
    /// Side of the smallest face, square pixels.
    smallest: u32,
}

impl State {
    /// Begins another scene, with the same people where they are kept.
    fn reset(&mut self) {
        match self.people_memory {
            Some(_) => self.finder.restart(),
            None => {
                self.finder.reset();
                self.first_seen.clear();
            }
        }
    }
}

/// The people of the streams before, where they are kept.
struct KeptPeople {
    people: KnownPeople,
    /// See [`State::people_memory`].
    name: String,
}

/// The implementation of `haarfacedetect`: its properties, and what exists while it runs.
///
/// Lock order: no two locks are held together. Settings are copied and unlocked first. Messages are
/// posted and events pushed only when no lock is held.
#[derive(Default)]
pub struct HaarFaceDetect {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    /// While it is stopped.
    kept: Mutex<Option<KeptPeople>>,
}

#[glib::object_subclass]
impl ObjectSubclass for HaarFaceDetect {
    const NAME: &'static str = "GstHaarFaceDetect";
    type Type = super::HaarFaceDetect;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for HaarFaceDetect {
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
        let keeps_people = lock(&self.settings).search.keep_people;
        if !keeps_people {
            *lock(&self.kept) = None;
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        lock(&self.settings).get(pspec.name()).unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for HaarFaceDetect {}

impl ElementImpl for HaarFaceDetect {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            filter::element_metadata(
                "Haar face detector",
                "Filter/Analyzer/Video",
                "Finds faces with an OpenCV Haar cascade and follows them, as regions of interest",
            )
        });
        Some(&METADATA)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        self.parent_post_message(mood_meta::message::redact(message))
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| filter::pad_templates(&luma::caps()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for HaarFaceDetect {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    // In passthrough mode a filter cannot add metadata.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        if let Some(refusal) = &settings.refusal {
            return Err(gst::error_msg!(gst::LibraryError::Settings, ("{refusal}")));
        }
        let mut cascades = Map::new();
        let cascade = self.load_cascade("cascade", &settings.cascade, &mut cascades)?;
        let eyes_cascade = match settings.eyes_cascade.as_str() {
            "" => None,
            name => Some(self.load_cascade("eyes-cascade", name, &mut cascades)?),
        };
        let mut finder = FaceFinder::new(cascade, eyes_cascade)
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        let mut people_memory = None;
        if settings.search.keep_people {
            let kept = lock(&self.kept).take();
            people_memory = Some(match kept {
                Some(KeptPeople { people, name }) => {
                    finder.remember(people);
                    name
                }
                None => glib::uuid_string_random().into(),
            });
        }
        *lock(&self.state) = Some(State {
            finder,
            info: None,
            luma: Vec::new(),
            sample: LumaSample::default(),
            square_luma: StretchedImage::default(),
            ids: Vec::new(),
            first_seen: FirstSeen::default(),
            cascades,
            announcement: SettingsAnnouncement::new("haarfacedetect"),
            people_memory,
            checked_roi: None,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let state = lock(&self.state).take();
        let kept = state.and_then(|State { finder, people_memory, .. }| {
            people_memory.map(|name| KeptPeople { people: finder.into_people(), name })
        });
        *lock(&self.kept) = kept;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        if let Some(state) = lock(&self.state).as_mut() {
            match state.info.as_ref().map(|previous| frame_scale(previous, &info)) {
                // The same picture in another size.
                Some(Some(factor)) if factor != 1.0 => state.finder.scale(factor),
                // Places in a frame of another shape say nothing about this one, but the people are the same, as where a
                // phone is turned.
                Some(None) => state.finder.restart(),
                Some(Some(_)) | None => {}
            }
            state.info = Some(info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let event_type = event.type_();
        if event_type == gst::EventType::FlushStop
            && let Some(state) = lock(&self.state).as_mut()
        {
            state.reset();
        }
        let handled = self.parent_sink_event(event);
        if event_type == gst::EventType::Segment {
            let settings = lock(&self.settings).clone();
            self.announce_settings(&settings);
        }
        handled
    }

    fn propose_allocation(
        &self,
        _decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        filter::forward_allocation_query(&*self.obj(), query);
        Ok(())
    }

    fn prepare_output_buffer(
        &self,
        inbuf: InputBuffer,
    ) -> Result<PrepareOutputBufferSuccess, gst::FlowError> {
        Ok(filter::share_memory(inbuf))
    }

    fn transform_ip(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        self.announce_settings(&settings);
        // A gap buffer may have no pixels.
        if buffer.size() == 0 && buffer.flags().contains(gst::BufferFlags::GAP) {
            return Ok(gst::FlowSuccess::Ok);
        }
        for warning in self.check_roi(&settings) {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{warning}"));
        }
        let message = self.process_frame(&settings, buffer).map_err(|error| error.report(&*self.obj()))?;
        if let Some(structure) = message {
            message::post(&*self.obj(), structure);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl HaarFaceDetect {
    /// Loads the cascade that a property names, and adds its name and SHA-256 to `cascades`.
    fn load_cascade(
        &self,
        property: &str,
        name: &str,
        cascades: &mut Map<String, Value>,
    ) -> Result<Arc<Cascade>, gst::ErrorMessage> {
        let to_message = |error: CascadeError| match error {
            CascadeError::NotFound { .. } => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{property}: {error}"))
            }
            error => gst::error_msg!(gst::ResourceError::OpenRead, ("{property}={name}: {error}")),
        };
        let path = haar::find(name).map_err(to_message)?;
        let text = Cascade::read(&path).map_err(to_message)?;
        let cascade = Cascade::parse(&text).map_err(to_message)?;
        let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        gst::info!(
            CAT,
            imp = self,
            "{property} {}: {} stages, SHA-256 {hash}",
            path.display(),
            cascade.stages()
        );
        cascades.insert(property.into(), name.into());
        cascades.insert(format!("{property}-sha256"), hash.into());
        Ok(Arc::new(cascade))
    }

    /// Finds the faces of a frame and adds their regions. Returns the structure of the message to post.
    fn process_frame(
        &self,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<Option<gst::Structure>, FrameError> {
        let stream_time = filter::stream_time(&self.obj().segment(), buffer.pts());

        let mut state = lock(&self.state);
        let state = state.as_mut().ok_or(FrameError::NotStarted)?;
        let info = state.info.clone().ok_or(FrameError::NotNegotiated)?;
        let found = find_faces(state, settings, buffer, &info).map_err(FrameError::Failed)?;
        gst::trace!(CAT, imp = self, "{:?}: {found:?}", buffer.pts());

        let mut ids: Vec<u32> = found.iter().map(|found| found.id).collect();
        ids.sort_unstable();
        let has_changed = ids != state.ids;
        state.ids = ids;
        let aspect = PixelAspect::from_info(&info);
        let regions: Vec<FaceRegion> =
            found.iter().map(|found| aspect.face_to_stored(&to_region(found))).collect();
        let to_error = |error: glib::BoolError| {
            FrameError::Failed(gst::error_msg!(gst::StreamError::Failed, ("cannot add metadata: {error}")))
        };
        for region in &regions {
            add_region(buffer, region, info.width(), info.height());
            analytics::add_face(buffer, region, &mut state.first_seen).map_err(to_error)?;
        }
        let faces = regions.iter().map(|region| region.to_face(info.width(), info.height())).collect();
        let frame = Frame { faces, shot: state.finder.shot() };
        // On frames without faces too: it tells "nobody is there" from "nobody has looked".
        mood_meta::frame::write(buffer, &frame).map_err(to_error)?;
        if settings.witness {
            let boxes = frame.faces.iter().map(|face| (face.id, face.bbox));
            let witness = Witness::capture(&state.sample, mood_meta::witness::frame_size(&info), boxes);
            mood_meta::witness::write(buffer, &witness).map_err(to_error)?;
        }
        let is_message_due = match settings.messages {
            Messages::None => false,
            Messages::OnChange => has_changed,
            Messages::EveryFrame => true,
        };
        Ok(is_message_due.then(|| message::build_faces(&frame.faces, stream_time)))
    }

    /// What makes rectangles of `roi` useless in the current frame size, once for each size and setting.
    fn check_roi(&self, settings: &Settings) -> Vec<String> {
        let mut state = lock(&self.state);
        let Some(State { info: Some(info), checked_roi, .. }) = state.as_mut() else { return Vec::new() };
        let aspect = PixelAspect::from_info(info);
        let (width, height) = (info.width(), info.height());
        let square = aspect.square_size(width, height);
        let smallest = settings.search.smallest_face(square.0, square.1);
        let current = CheckedRoi { areas: Arc::clone(&settings.roi), frame: (width, height), smallest };
        if checked_roi.as_ref() == Some(&current) {
            return Vec::new();
        }
        *checked_roi = Some(current);
        let warning = |area: &SearchArea| match area
            .in_frame(width, height)
            .map(|rect| aspect.to_square(&rect))
        {
            None => Some(format!(
                "roi: {area} lies outside the frame of {width}x{height}, so no face is searched for there"
            )),
            Some(rect) if rect.w.min(rect.h) < smallest => Some(format!(
                "roi: {area} is smaller than the smallest face searched, {smallest} pixels, so none is found there: make it \
                 larger or lower min-size"
            )),
            Some(_) => None,
        };
        settings.roi.iter().filter_map(warning).collect()
    }

    /// Pushes the settings event where it has not been pushed yet or the settings have changed since.
    fn announce_settings(&self, settings: &Settings) {
        let event = lock(&self.state).as_mut().and_then(|state| {
            let settings = logged_settings(settings, &state.cascades, state.people_memory.as_deref());
            state.announcement.update(settings)
        });
        if let Some(event) = event {
            self.obj().src_pad().push_event(event);
        }
    }
}

/// How many times as many pixels the sides of a frame have than those of the frame before; `None` where the shape
/// differs too. In square pixels.
fn frame_scale(previous: &gst_video::VideoInfo, info: &gst_video::VideoInfo) -> Option<f64> {
    /// Sides are whole pixels and often even or multiples of 16, so shapes differ a little where the picture does not.
    const TOLERANCE: f64 = 0.04;
    let size = |info: &gst_video::VideoInfo| {
        let (width, height) = PixelAspect::from_info(info).square_size(info.width(), info.height());
        (width as f64, height as f64)
    };
    let (from, to) = (size(previous), size(info));
    let (x, y) = (to.0 / from.0, to.1 / from.1);
    ((x / y - 1.0).abs() <= TOLERANCE).then_some((x * y).sqrt())
}

/// Searches the luma of a frame, in square pixels.
fn find_faces(
    state: &mut State,
    settings: &Settings,
    buffer: &gst::BufferRef,
    info: &gst_video::VideoInfo,
) -> Result<Vec<FoundFace>, gst::ErrorMessage> {
    let frame = video_frame::map_readable(buffer, info)
        .map_err(|error| gst::error_msg!(gst::StreamError::Format, ("{error}")))?;
    let image = luma::read(&frame, &mut state.luma)
        .map_err(|error| gst::error_msg!(gst::StreamError::Format, ("{error}")))?;
    if settings.witness {
        state.sample.read_image(&image);
    }
    let aspect = PixelAspect::from_info(info);
    let image = aspect.square_image(image, &mut state.square_luma);
    let time = buffer.pts().map(gst::ClockTime::nseconds);
    let search = &settings.search;
    let found = if settings.roi.is_empty() {
        state.finder.find_faces(&image, time, search)
    } else {
        let rects = settings.roi.iter().filter_map(|area| area.in_frame(info.width(), info.height()));
        let areas: Vec<PixelRect> = rects.map(|rect| aspect.to_square(&rect)).collect();
        state.finder.find_faces_within(&image, time, search, &areas)
    };
    found.map_err(|error| gst::error_msg!(gst::StreamError::Format, ("{error}")))
}

/// The settings that decide about the faces found, for logs.
fn logged_settings(
    settings: &Settings,
    cascades: &Map<String, Value>,
    people_memory: Option<&str>,
) -> Map<String, Value> {
    let search = &settings.search;
    let fields = [
        ("scale-factor", Value::from(search.scale_factor)),
        ("min-neighbors", search.min_neighbors.into()),
        ("min-size", search.min_size.into()),
        ("max-size", search.max_size.into()),
        ("scan-interval", search.scan_interval.into()),
        ("max-faces", search.max_faces.into()),
        ("roll-range", search.roll_range.into()),
        ("follow", search.follow.into()),
        ("people", search.people.into()),
    ];
    let mut logged = cascades.clone();
    logged.extend(fields.map(|(key, value)| (key.to_string(), value)));
    logged.extend(people_memory.map(|name| (PEOPLE_MEMORY.to_owned(), name.into())));
    if !settings.roi.is_empty() {
        logged.insert("roi".into(), settings.roi_text().into());
    }
    logged
}

fn to_region(found: &FoundFace) -> FaceRegion {
    let region = FaceRegion {
        id: found.id,
        bbox: found.face.rect,
        confidence: Some(found.face.confidence()),
        detector_roll: None,
        source: if found.is_followed { FaceSource::Followed } else { FaceSource::Detected },
        resembles: found.resembles,
        eyes: found.eyes.iter().map(|eye| eye.rect).collect(),
    };
    FaceRegion { detector_roll: region.eyes_roll().or(found.roll), ..region }
}

/// Adds the regions of a face and its eyes, and the param `pose` where the roll is known.
fn add_region(buffer: &mut gst::BufferRef, face: &FaceRegion, width: u32, height: u32) {
    region::add_face(buffer, face, width, height);
    let Some(roll) = face.roll() else { return };
    let meta = buffer
        .iter_meta_mut::<gst_video::VideoRegionOfInterestMeta>()
        .find(|meta| meta.roi_type() == region::FACE && meta.id() == face.id as i32);
    if let Some(mut meta) = meta {
        meta.add_param(gst::Structure::builder("pose").field("roll", roll).build());
    }
}
