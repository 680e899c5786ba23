//! The element `emotionclassify`: start and stop, events, and the processing of one frame.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use frame_witness::{LumaSample, Witness};
use glib::subclass::prelude::*;
use gray_image::StretchedImage;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};
use gst_base::subclass::prelude::*;
use mini_xception::patch;
use mini_xception::resting_face::{FaceObservation, LogitShift, RestingFaces, RestingProfile};
use mini_xception::smoothing::{FaceSmoother, LabelThresholds};
use mini_xception::{Classifier, Model, Provider, Runtime};
use mood_meta::analytics::{self, FirstSeen, ObjectId};
use mood_meta::event::SettingsAnnouncement;
use mood_meta::filter::FrameError;
use mood_meta::luma;
use mood_meta::pixel_aspect::PixelAspect;
use mood_meta::region::FaceRegion;
use mood_meta::{filter, lock, message, property, video_frame};
use mood_schema::{Face, Frame};
use serde_json::{Map, Value};

use super::settings::Settings;
use super::untracked::UntrackedFaces;
use super::{Baseline, Messages};

/// What the quality of a face that was followed and not detected is multiplied by. The detector knows frontal faces:
/// one that it no longer finds is turned away, hidden in part or blurred. With this it stays below the default of
/// `min-quality`, 0.3: the face is seen, but not judged.
const FOLLOWED_QUALITY: f64 = 0.2;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionclassify", gst::DebugColorFlags::empty(), Some("Emotion classification"))
});

/// What exists between start and stop.
struct State {
    classifier: Classifier,
    smoother: FaceSmoother,
    resting_faces: RestingFaces,
    untracked: UntrackedFaces,
    first_seen: FirstSeen,
    /// Where the resting faces began: `told` or `found` for a profile, which was read at start.
    known_profile: Option<&'static str>,
    /// Of the current caps.
    info: Option<gst_video::VideoInfo>,
    announcement: SettingsAnnouncement,
    /// Luma of packed formats; kept to reuse its memory.
    luma: Vec<u8>,
    /// Luma in square pixels, where the video's are not.
    square_luma: StretchedImage,
    /// The classifier's input; kept to reuse its memory.
    patches: Vec<u8>,
}

/// The implementation of `emotionclassify`: its properties, and what exists while it runs.
///
/// Lock order: the two locks are never held together. Settings are copied and unlocked first. Messages are posted and
/// events pushed only when no lock is held.
#[derive(Default)]
pub struct EmotionClassify {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionClassify {
    const NAME: &'static str = "GstEmotionClassify";
    type Type = super::EmotionClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionClassify {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::properties);
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        property::set(&*self.obj(), pspec, || lock(&self.settings).set(pspec.name(), value));
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "resting-face" {
            let state = lock(&self.state);
            let learnt = state.as_ref().and_then(|state| state.resting_faces.learnt());
            return learnt.map_or_else(String::new, RestingProfile::to_json).to_value();
        }
        lock(&self.settings).get(pspec.name()).unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for EmotionClassify {}

impl ElementImpl for EmotionClassify {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            filter::element_metadata(
                "Emotion classifier",
                "Filter/Analyzer/Video",
                "Classifies the expression of each face region with Mini-Xception",
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

impl BaseTransformImpl for EmotionClassify {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    // Base transform does not let a passthrough element add metadata.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let runtime = Runtime::load(settings.runtime_library.as_deref(), &self.library_folders())
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        let provider = Provider::from(settings.execution_provider);
        let model = settings.model.map_or(Model::BuiltIn, Model::File);
        let classifier = Classifier::load(&runtime, &model, provider)
            .map_err(|error| gst::error_msg!(gst::ResourceError::OpenRead, ("{error}")))?;
        if let Some(reason) = classifier.fallback_reason() {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                (
                    "execution-provider={} does not work with {}: running on the processor instead ({reason})",
                    format!("{provider:?}").to_lowercase(),
                    runtime.library().display()
                )
            );
        }
        gst::info!(
            CAT,
            imp = self,
            "{} ({}) with {}: {}",
            classifier.name(),
            classifier.sha256(),
            runtime.library().display(),
            runtime.build_info()
        );
        let profile = match &settings.baseline_location {
            Some(path) => Some(read_profile(path, classifier.sha256())?),
            None => None,
        };
        let known_profile =
            profile.as_ref().map(|profile| if profile.is_rest_known() { "told" } else { "found" });
        if let Some(profile) = &profile {
            gst::info!(CAT, imp = self, "begins with {:.1} s of a resting face", profile.seconds());
        }
        let resting_faces = RestingFaces::new(classifier.sha256(), profile);
        *lock(&self.state) = Some(State {
            classifier,
            smoother: FaceSmoother::default(),
            resting_faces,
            untracked: UntrackedFaces::default(),
            first_seen: FirstSeen::default(),
            known_profile,
            info: None,
            announcement: SettingsAnnouncement::new("emotionclassify"),
            luma: Vec::new(),
            square_luma: StretchedImage::default(),
            patches: Vec::new(),
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        if let Some(state) = lock(&self.state).as_mut() {
            state.info = Some(info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let event_type = event.type_();
        if event_type == gst::EventType::FlushStop
            && let Some(state) = lock(&self.state).as_mut()
        {
            state.smoother.clear();
            state.resting_faces.clear();
            state.first_seen.clear();
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
        let messages = self.process_frame(&settings, buffer).map_err(|error| error.report(&*self.obj()))?;
        for structure in messages {
            message::post(&*self.obj(), structure);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl EmotionClassify {
    /// Classifies the faces of a frame and adds the metadata. Returns the structures of the messages to post.
    fn process_frame(
        &self,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<Vec<gst::Structure>, FrameError> {
        let detected = mood_meta::frame::read(buffer);
        let (mut regions, mut objects) = read_regions(buffer, detected.is_some());
        // A converter on the way drops the regions' params, but not the frame's metadata.
        for region in regions.iter_mut().filter(|region| region.detector_roll.is_none()) {
            let faces = detected.iter().flat_map(|frame| &frame.faces);
            region.detector_roll = faces.into_iter().find(|face| face.id == region.id).map(|face| face.roll);
        }
        let is_first_writer = detected.is_none();
        let stream_time = filter::stream_time(&self.obj().segment(), buffer.pts());
        let now = buffer.pts().map(gst::ClockTime::nseconds);
        let thresholds =
            LabelThresholds { min_confidence: settings.min_confidence, min_quality: settings.min_quality };

        let mut state = lock(&self.state);
        let state = state.as_mut().ok_or(FrameError::NotStarted)?;
        let info = state.info.clone().ok_or(FrameError::NotNegotiated)?;
        if is_first_writer {
            state.untracked.identify(&mut regions, now);
        }
        self.classify(state, settings, buffer, &info, &regions)?;
        let to_error = |error: glib::BoolError| {
            FrameError::Failed(gst::error_msg!(gst::StreamError::Failed, ("cannot add metadata: {error}")))
        };
        // Of a detector that writes no object detections, or behind an element that drops them.
        for (object, region) in objects.iter_mut().zip(&regions).filter(|(object, _)| object.is_none()) {
            *object = analytics::add_face(buffer, region, &mut state.first_seen).map_err(to_error)?;
        }

        let shot = detected.as_ref().map_or(0, |frame| frame.shot);
        let mut frame = Frame { faces: Vec::new(), shot };
        let mut messages = Vec::new();
        for (index, region) in regions.iter().enumerate() {
            let mut face = region.to_face(info.width(), info.height());
            let shift = match settings.baseline {
                Baseline::Off => LogitShift::ZERO,
                Baseline::Automatic => state.resting_faces.shift(region.id, settings.baseline_share, now),
            };
            if let Some((classification, quality)) =
                state.smoother.classification(region.id, &shift, thresholds)
            {
                let model = state.classifier.name();
                mood_meta::region::add_classification(buffer, index, &classification, model);
                if let Some(object) = objects[index] {
                    analytics::add_classification(buffer, object, &classification).map_err(to_error)?;
                }
                let has_changed = state.smoother.record_label(region.id, classification.label, now);
                face.classification = Some(classification);
                (face.quality, face.quality_limit) = (quality.score, quality.limit);
                if settings.messages == Messages::EveryFrame
                    || (settings.messages == Messages::OnChange && has_changed)
                {
                    messages.extend(message::build_emotion(&face, stream_time));
                }
            }
            frame.faces.push(face);
        }
        state.smoother.remove_stale(now);
        match detected {
            // Faces whose regions were lost on the way, behind videocrop for example, remain, unclassified.
            Some(detected) => {
                let is_lost = |face: &Face| regions.iter().all(|region| region.id != face.id);
                frame.faces.extend(detected.faces.into_iter().filter(is_lost));
            }
            // Without a sign of a detector, no statement that nobody is there.
            None if regions.is_empty() => return Ok(messages),
            None => {}
        }
        sort_by_size(&mut frame.faces);
        mood_meta::frame::write(buffer, &frame).map_err(to_error)?;
        if is_first_writer {
            write_witness(state, buffer, &info, &frame)?;
        }
        Ok(messages)
    }

    /// Runs the network on all faces of the frame that are due, in one batch, and adds the results to the smoother and to
    /// what is known of the people's resting faces.
    fn classify(
        &self,
        state: &mut State,
        settings: &Settings,
        buffer: &gst::BufferRef,
        info: &gst_video::VideoInfo,
        regions: &[FaceRegion],
    ) -> Result<(), FrameError> {
        let now = buffer.pts().map(gst::ClockTime::nseconds);
        let is_due = |region: &&FaceRegion| state.smoother.is_due(region.id, now, settings.interval);
        let mut due: Vec<&FaceRegion> = regions.iter().filter(is_due).collect();
        due.sort_by_key(|region| Reverse(region.bbox.area()));
        if due.is_empty() {
            return Ok(());
        }
        let frame = video_frame::map_readable(buffer, info)
            .map_err(|error| FrameError::Failed(gst::error_msg!(gst::StreamError::Format, ("{error}"))))?;
        let luma = luma::read(&frame, &mut state.luma)
            .map_err(|error| FrameError::Failed(gst::error_msg!(gst::StreamError::Format, ("{error}"))))?;
        let side = state.classifier.side();
        state.patches.clear();
        let mut qualities = Vec::with_capacity(due.len());
        let aspect = PixelAspect::from_info(info);
        let luma = aspect.square_image(luma, &mut state.square_luma);
        for region in &due {
            let region = aspect.face_to_square(region);
            let (roll, patches) = (region.roll().unwrap_or(0.0), &mut state.patches);
            let quality = patch::append_face(&luma, region.bbox, settings.margin, roll, side, patches);
            let is_detected = region.source.is_detected();
            qualities.push(if is_detected { quality } else { quality.turned(FOLLOWED_QUALITY) });
        }
        let results = state
            .classifier
            .classify(&state.patches)
            .map_err(|error| FrameError::Failed(gst::error_msg!(gst::LibraryError::Failed, ("{error}"))))?;
        for ((region, quality), probabilities) in due.iter().zip(qualities).zip(results) {
            gst::trace!(CAT, imp = self, "face {} {quality:.2?}: {probabilities:.2?}", region.id);
            state.smoother.update(region.id, probabilities, quality, now, settings.smoothing);
            if settings.baseline == Baseline::Automatic {
                let bbox = region.to_face(info.width(), info.height()).bbox;
                let observation = FaceObservation { probabilities, quality: quality.score, bbox };
                state.resting_faces.observe(region.id, &observation, now);
            }
        }
        Ok(())
    }

    /// The folders to search for ONNX Runtime: the plugin's own.
    fn library_folders(&self) -> Vec<PathBuf> {
        let plugin = self.obj().factory().and_then(|factory| factory.plugin());
        let file = plugin.and_then(|plugin| plugin.filename());
        file.as_deref().and_then(Path::parent).map(Path::to_path_buf).into_iter().collect()
    }

    /// Pushes the settings event where it has not been pushed yet or the settings have changed since.
    fn announce_settings(&self, settings: &Settings) {
        let event = lock(&self.state).as_mut().and_then(|state| {
            let settings = logged_settings(settings, state);
            state.announcement.update(settings)
        });
        if let Some(event) = event {
            self.obj().src_pad().push_event(event);
        }
    }
}

/// The faces of a buffer, and for each its object detection: by regions of interest where there are any, else, unless one of our
/// detectors has searched the frame, by the object detections of another.
fn read_regions(buffer: &gst::BufferRef, is_searched: bool) -> (Vec<FaceRegion>, Vec<Option<ObjectId>>) {
    let regions = mood_meta::region::read_faces(buffer);
    let objects = analytics::read_faces(buffer);
    if regions.is_empty() && !is_searched {
        return objects.into_iter().map(|object| (object.region, Some(object.object))).unzip();
    }
    let found = regions.iter().map(|region| analytics::find_object(&objects, region)).collect();
    (regions, found)
}

/// Reads the profile in a file, for the network whose file has this SHA-256.
fn read_profile(path: &Path, model_sha256: &str) -> Result<RestingProfile, gst::ErrorMessage> {
    let error = |what: &dyn std::fmt::Display| {
        gst::error_msg!(gst::ResourceError::OpenRead, ("baseline-location {}: {what}", path.display()))
    };
    let json = fs::read(path).map_err(|source| error(&source))?;
    let profile = RestingProfile::from_json(&json).map_err(|source| error(&source))?;
    profile.require_model(model_sha256).map_err(|source| error(&source))?;
    Ok(profile)
}

/// The settings that decide about the labels, for logs.
fn logged_settings(settings: &Settings, state: &State) -> Map<String, Value> {
    let baseline = match settings.baseline {
        Baseline::Off => "off",
        Baseline::Automatic => "automatic",
    };
    let fields = [
        ("model", Value::from(state.classifier.name())),
        ("model-sha256", state.classifier.sha256().into()),
        ("interval", settings.interval.into()),
        ("margin", settings.margin.into()),
        ("smoothing", settings.smoothing.into()),
        ("min-confidence", settings.min_confidence.into()),
        ("min-quality", settings.min_quality.into()),
        ("baseline", baseline.into()),
        ("baseline-share", settings.baseline_share.into()),
    ];
    let known_profile = state.known_profile.map(|origin| ("baseline-profile", origin.into()));
    fields.into_iter().chain(known_profile).map(|(key, value)| (key.to_string(), value)).collect()
}

/// Adds the witness to metadata that another detector's regions were copied to.
fn write_witness(
    state: &mut State,
    buffer: &mut gst::BufferRef,
    info: &gst_video::VideoInfo,
    frame: &Frame,
) -> Result<(), FrameError> {
    let mut sample = LumaSample::default();
    let video = video_frame::map_readable(buffer, info)
        .map_err(|error| FrameError::Failed(gst::error_msg!(gst::StreamError::Format, ("{error}"))))?;
    let luma = luma::read(&video, &mut state.luma)
        .map_err(|error| FrameError::Failed(gst::error_msg!(gst::StreamError::Format, ("{error}"))))?;
    sample.read_image(&luma);
    drop(video);
    let boxes = frame.faces.iter().map(|face| (face.id, face.bbox));
    let witness = Witness::capture(&sample, mood_meta::witness::frame_size(info), boxes);
    mood_meta::witness::write(buffer, &witness).map_err(|error| {
        FrameError::Failed(gst::error_msg!(gst::StreamError::Failed, ("cannot add metadata: {error}")))
    })
}

/// Sorts the faces by area, largest first.
fn sort_by_size(faces: &mut [Face]) {
    faces.sort_by(|a, b| b.bbox.area().total_cmp(&a.bbox.area()));
}
