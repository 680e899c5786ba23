//! The element `emotionclassify`: properties, start and stop, and one frame's way through.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use glib::prelude::*;
use glib::subclass::prelude::*;
use gray_image::GrayImage;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};
use gst_base::subclass::prelude::*;
use mini_xception::patch::{self, Cut};
use mini_xception::{Classifier, Model, Provider, Runtime, quality};
use mood_meta::filter;
use mood_meta::luma;
use mood_meta::region::FaceRegion;
use mood_schema::{Face, Frame};
use serde_json::{Map, Value};

use super::faces::Faces;
use super::{ExecutionProvider, Messages};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("emotionclassify", gst::DebugColorFlags::empty(), Some("Emotion classification"))
});

#[derive(Clone, Debug)]
struct Settings {
    model: Option<PathBuf>,
    runtime_library: Option<PathBuf>,
    execution_provider: ExecutionProvider,
    interval: gst::ClockTime,
    margin: f64,
    smoothing: gst::ClockTime,
    min_confidence: f64,
    min_quality: f64,
    messages: Messages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            runtime_library: None,
            execution_provider: ExecutionProvider::default(),
            interval: gst::ClockTime::ZERO,
            margin: 0.0,
            smoothing: gst::ClockTime::from_mseconds(300),
            min_confidence: 0.4,
            min_quality: 0.3,
            messages: Messages::default(),
        }
    }
}

/// What exists between start and stop.
struct State {
    classifier: Classifier,
    faces: Faces,
    info: Option<gst_video::VideoInfo>,
    /// Memory kept from frame to frame.
    luma: Vec<u8>,
    patches: Vec<u8>,
}

#[derive(Default)]
pub struct EmotionClassify {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

/// A panic elsewhere must not spread: the data behind the lock is valid at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionClassify {
    const NAME: &'static str = "GstEmotionClassify";
    type Type = super::EmotionClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionClassify {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let default = Settings::default();
            vec![
                glib::ParamSpecString::builder("model")
                    .nick("Model")
                    .blurb("ONNX file that describes itself in its metadata; empty: the built-in Mini-Xception")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecString::builder("runtime-library")
                    .nick("Runtime library")
                    .blurb("Path of libonnxruntime; empty: $ORT_DYLIB_PATH, beside the plugin, ../onnxruntime, the system's")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("execution-provider", default.execution_provider)
                    .nick("Execution provider")
                    .blurb("What runs the network; what does not work here gives way to the processor, with a warning")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecUInt64::builder("interval")
                    .nick("Interval")
                    .blurb("Classify a face at most once in this time, ns; 0: in every frame")
                    .default_value(default.interval.nseconds())
                    .mutable_playing()
                    .build(),
                glib::ParamSpecDouble::builder("margin")
                    .nick("Margin")
                    .blurb("What is cut out around the face's box on every side, as a share of the box's side")
                    .minimum(-0.25)
                    .maximum(1.0)
                    .default_value(default.margin)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("smoothing")
                    .nick("Smoothing")
                    .blurb("Time constant of the exponential smoothing of a face's distribution, ns; 0: none")
                    .default_value(default.smoothing.nseconds())
                    .mutable_playing()
                    .build(),
                glib::ParamSpecDouble::builder("min-confidence")
                    .nick("Minimum confidence")
                    .blurb("Below it the label is 'uncertain'")
                    .minimum(0.0)
                    .maximum(1.0)
                    .default_value(default.min_confidence)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecDouble::builder("min-quality")
                    .nick("Minimum quality")
                    .blurb("Below it (small, blurred, dark, tilted) the label is 'uncertain'")
                    .minimum(0.0)
                    .maximum(1.0)
                    .default_value(default.min_quality)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("messages", default.messages)
                    .nick("Messages")
                    .blurb("When to post the element message 'emotion'")
                    .mutable_playing()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    // GObject checks a value's type and range against the specs above before it comes here.
    #[allow(clippy::unwrap_used)]
    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let path =
            || value.get::<Option<String>>().unwrap().filter(|text| !text.is_empty()).map(PathBuf::from);
        let time = || gst::ClockTime::from_nseconds(value.get().unwrap());
        let mut settings = lock(&self.settings);
        match pspec.name() {
            "model" => settings.model = path(),
            "runtime-library" => settings.runtime_library = path(),
            "execution-provider" => settings.execution_provider = value.get().unwrap(),
            "interval" => settings.interval = time(),
            "margin" => settings.margin = value.get().unwrap(),
            "smoothing" => settings.smoothing = time(),
            "min-confidence" => settings.min_confidence = value.get().unwrap(),
            "min-quality" => settings.min_quality = value.get().unwrap(),
            "messages" => settings.messages = value.get().unwrap(),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let path = |path: &Option<PathBuf>| {
            path.as_deref().map_or("", |path| path.to_str().unwrap_or("")).to_value()
        };
        let settings = lock(&self.settings);
        match pspec.name() {
            "model" => path(&settings.model),
            "runtime-library" => path(&settings.runtime_library),
            "execution-provider" => settings.execution_provider.to_value(),
            "interval" => settings.interval.nseconds().to_value(),
            "margin" => settings.margin.to_value(),
            "smoothing" => settings.smoothing.nseconds().to_value(),
            "min-confidence" => settings.min_confidence.to_value(),
            "min-quality" => settings.min_quality.to_value(),
            "messages" => settings.messages.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for EmotionClassify {}

impl ElementImpl for EmotionClassify {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Emotion classifier",
                "Filter/Analyzer/Video",
                "Classifies the expression of each face region with Mini-Xception",
                "gst-mood",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| filter::pad_templates(&luma::caps()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for EmotionClassify {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let runtime = Runtime::load(settings.runtime_library.as_deref(), &self.folders())
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        let wanted = match settings.execution_provider {
            ExecutionProvider::Cpu => Provider::Cpu,
            ExecutionProvider::Cuda => Provider::Cuda,
            ExecutionProvider::TensorRt => Provider::TensorRt,
            ExecutionProvider::OpenVino => Provider::OpenVino,
            ExecutionProvider::Auto => Provider::Auto,
        };
        let model = settings.model.map_or(Model::BuiltIn, Model::File);
        let classifier = Classifier::load(&runtime, &model, wanted)
            .map_err(|error| gst::error_msg!(gst::ResourceError::OpenRead, ("{error}")))?;
        if let Some(reason) = classifier.fallback() {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                (
                    "execution-provider={} does not work with {}: running on the processor instead ({reason})",
                    format!("{wanted:?}").to_lowercase(),
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
        *lock(&self.state) = Some(State {
            classifier,
            faces: Faces::default(),
            info: None,
            luma: Vec::new(),
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
        let (is_segment, is_flush) =
            (event.type_() == gst::EventType::Segment, event.type_() == gst::EventType::FlushStop);
        if is_flush && let Some(state) = lock(&self.state).as_mut() {
            state.faces.clear();
        }
        let handled = self.parent_sink_event(event);
        if is_segment && let Some(settings) = self.settings_for_logs() {
            self.obj().src_pad().push_event(mood_meta::event::build_settings("emotionclassify", &settings));
        }
        handled
    }

    /// Buffers go on with the memory they came with, so what downstream can take is what upstream may send; without an
    /// answer from downstream that is nothing special.
    fn propose_allocation(
        &self,
        _decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.obj().src_pad().peer_query(query);
        Ok(())
    }

    /// A shared buffer is copied without its pixels: the copy refers to the same memory, which is only read.
    fn prepare_output_buffer(
        &self,
        inbuf: InputBuffer,
    ) -> Result<PrepareOutputBufferSuccess, gst::FlowError> {
        Ok(match inbuf {
            InputBuffer::Writable(_) => PrepareOutputBufferSuccess::InputBuffer,
            InputBuffer::Readable(buffer) => PrepareOutputBufferSuccess::Buffer(buffer.copy()),
        })
    }

    fn transform_ip(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        let regions = mood_meta::region::faces(buffer);
        let mut messages = Vec::new();
        {
            let mut state = lock(&self.state);
            let Some(state) = state.as_mut() else { return Err(gst::FlowError::Flushing) };
            let Some(info) = state.info.clone() else { return Err(gst::FlowError::NotNegotiated) };
            let now = buffer.pts();
            self.classify(state, &settings, buffer, &info, &regions)?;

            let mut frame = Frame::default();
            for region in &regions {
                let mut face = region.to_face(info.width(), info.height());
                let known =
                    state.faces.classification(region.id, settings.min_confidence, settings.min_quality);
                if let Some((classification, quality)) = known {
                    let model = state.classifier.name();
                    mood_meta::region::add_classification(buffer, region.id, &classification, model);
                    let changed = state.faces.note(region.id, classification.label, now);
                    face.classification = Some(classification);
                    face.quality = quality;
                    if settings.messages == Messages::EveryFrame
                        || (settings.messages == Messages::OnChange && changed)
                    {
                        messages.extend(mood_meta::message::build_emotion(&face, self.stream_time(now)));
                    }
                }
                frame.faces.push(face);
            }
            sort_by_size(&mut frame.faces);
            state.faces.forget(now);
            mood_meta::frame::write(buffer, &frame).map_err(|error| {
                gst::element_imp_error!(self, gst::StreamError::Failed, ("cannot add metadata: {error}"));
                gst::FlowError::Error
            })?;
        }
        for message in messages {
            let _ =
                self.obj().post_message(gst::message::Element::builder(message).src(&*self.obj()).build());
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl EmotionClassify {
    /// Runs the network on all faces of the frame that are due, in one batch.
    fn classify(
        &self,
        state: &mut State,
        settings: &Settings,
        buffer: &gst::BufferRef,
        info: &gst_video::VideoInfo,
        regions: &[FaceRegion],
    ) -> Result<(), gst::FlowError> {
        let now = buffer.pts();
        let due: Vec<&FaceRegion> =
            regions.iter().filter(|region| state.faces.is_due(region.id, now, settings.interval)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(|error| {
            gst::element_imp_error!(self, gst::StreamError::Format, ("cannot read the frame: {error}"));
            gst::FlowError::Error
        })?;
        let luma = luma::of(&frame, &mut state.luma).map_err(|error| {
            gst::element_imp_error!(self, gst::StreamError::Format, ("{error}"));
            gst::FlowError::Error
        })?;
        let side = state.classifier.side();
        let qualities = cut_all(&luma, &due, settings.margin, side, &mut state.patches);
        let results = state.classifier.classify(&state.patches).map_err(|error| {
            gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            gst::FlowError::Error
        })?;
        for ((region, quality), probabilities) in due.iter().zip(qualities).zip(results) {
            gst::trace!(CAT, imp = self, "face {} quality {quality:.2}: {probabilities:.2?}", region.id);
            state.faces.update(region.id, probabilities, quality, now, settings.smoothing);
        }
        Ok(())
    }

    fn stream_time(&self, pts: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        filter::stream_time(&self.obj().segment(), pts)
    }

    /// The folders to look for ONNX Runtime in: the plugin's.
    fn folders(&self) -> Vec<PathBuf> {
        let plugin = self.obj().factory().and_then(|factory| factory.plugin());
        let file = plugin.and_then(|plugin| plugin.filename());
        file.as_deref().and_then(Path::parent).map(Path::to_path_buf).into_iter().collect()
    }

    /// What a log should know of how its labels came about.
    fn settings_for_logs(&self) -> Option<Map<String, Value>> {
        let settings = lock(&self.settings).clone();
        let state = lock(&self.state);
        let classifier = &state.as_ref()?.classifier;
        let fields = [
            ("model", Value::from(classifier.name())),
            ("model-sha256", classifier.sha256().into()),
            ("interval", settings.interval.nseconds().into()),
            ("margin", settings.margin.into()),
            ("smoothing", settings.smoothing.nseconds().into()),
            ("min-confidence", settings.min_confidence.into()),
            ("min-quality", settings.min_quality.into()),
        ];
        Some(fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
    }
}

/// Cuts every face out into `patches`, one after the other, and returns their qualities.
fn cut_all(
    luma: &GrayImage,
    faces: &[&FaceRegion],
    margin: f64,
    side: usize,
    patches: &mut Vec<u8>,
) -> Vec<f64> {
    patches.clear();
    let mut qualities = Vec::with_capacity(faces.len());
    for face in faces {
        let bbox = [face.bbox.x, face.bbox.y, face.bbox.w, face.bbox.h].map(|value| value as f32);
        let roll = face.roll().unwrap_or(0.0) as f32;
        let start = patches.len();
        patch::cut(luma, Cut::around(bbox, margin as f32, roll), side, patches);
        let cut = &mut patches[start..];
        if luma.is_limited_range() {
            patch::expand_limited_range(cut);
        }
        qualities.push(quality::score(cut, side, bbox[2].max(bbox[3]), roll));
    }
    qualities
}

fn sort_by_size(faces: &mut [Face]) {
    faces.sort_by(|a, b| b.bbox.area().total_cmp(&a.bbox.area()));
}
