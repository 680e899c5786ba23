//! The element `haarfacedetect`: properties, start and stop, and one frame's way through.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use face_search::{FaceFinder, FoundFace, SearchSettings};
use glib::prelude::*;
use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::{InputBuffer, PrepareOutputBufferSuccess};
use gst_base::subclass::prelude::*;
use haar::{Cascade, CascadeError, GrayImage};
use mood_meta::region::{self, FaceRegion};
use mood_meta::{filter, luma};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Messages;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("haarfacedetect", gst::DebugColorFlags::empty(), Some("Haar face detection"))
});

const DEFAULT_CASCADE: &str = "frontalface_default";

#[derive(Clone, Debug)]
struct Settings {
    cascade: String,
    eyes_cascade: String,
    search: SearchSettings,
    messages: Messages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cascade: DEFAULT_CASCADE.into(),
            eyes_cascade: String::new(),
            search: SearchSettings {
                scale_factor: 1.2,
                min_neighbors: 3,
                min_size: 0,
                max_size: 0,
                scan_interval: 0,
                max_faces: 0,
                threads: 0,
            },
            messages: Messages::default(),
        }
    }
}

/// What exists between start and stop.
struct State {
    finder: FaceFinder,
    info: Option<gst_video::VideoInfo>,
    /// Luma of packed formats; memory kept from frame to frame.
    luma: Vec<u8>,
    /// The ids of the frame before, sorted.
    ids: Vec<u32>,
    /// Names and hashes of the cascades, for logs.
    cascades: Map<String, Value>,
    /// The settings that downstream knows of.
    announced: Option<Map<String, Value>>,
}

#[derive(Default)]
pub struct HaarFaceDetect {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

/// A panic elsewhere must not spread: the data behind the lock is valid at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[glib::object_subclass]
impl ObjectSubclass for HaarFaceDetect {
    const NAME: &'static str = "GstHaarFaceDetect";
    type Type = super::HaarFaceDetect;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for HaarFaceDetect {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let Settings { search, messages, .. } = Settings::default();
            vec![
                glib::ParamSpecString::builder("cascade")
                    .nick("Cascade")
                    .blurb(
                        "A path, or a name looked up as haarcascade_<name>.xml in $GST_MOOD_CASCADE_PATH, then in \
                         OpenCV's data folders",
                    )
                    .default_value(Some(DEFAULT_CASCADE))
                    .mutable_ready()
                    .build(),
                glib::ParamSpecString::builder("eyes-cascade")
                    .nick("Eyes cascade")
                    .blurb(
                        "A path or a name like 'eye': searches each face's upper half for eyes, which also gives the \
                         head's roll; empty: none",
                    )
                    .default_value(Some(""))
                    .mutable_ready()
                    .build(),
                glib::ParamSpecDouble::builder("scale-factor")
                    .nick("Scale factor")
                    .blurb("From one face size searched to the next: nearer to 1 is slower and finds more")
                    .minimum(1.01)
                    .maximum(10.0)
                    .default_value(search.scale_factor)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("min-neighbors")
                    .nick("Minimum neighbors")
                    .blurb("A face needs more than this many rectangles that agree; 0: every rectangle is one")
                    .default_value(search.min_neighbors)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("min-size")
                    .nick("Minimum size")
                    .blurb("Smallest face searched, pixels; 0: a twelfth of the frame's shorter side")
                    .maximum(GrayImage::MAX_SIDE as u32)
                    .default_value(search.min_size)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("max-size")
                    .nick("Maximum size")
                    .blurb("Largest face searched, pixels; 0: no limit")
                    .maximum(GrayImage::MAX_SIDE as u32)
                    .default_value(search.max_size)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("scan-interval")
                    .nick("Scan interval")
                    .blurb("SearchSettings the whole frame once in this time, ns, and in between only around known faces; 0: always")
                    .default_value(search.scan_interval)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("max-faces")
                    .nick("Maximum faces")
                    .blurb("Report at most this many faces, largest first; 0: no limit")
                    .default_value(search.max_faces as u32)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("threads")
                    .nick("Threads")
                    .blurb("Workers; 1 stays on the streaming thread; 0: as many as useful")
                    .maximum(256)
                    .default_value(search.threads as u32)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("messages", messages)
                    .nick("Messages")
                    .blurb("When to post the element message 'faces'")
                    .mutable_playing()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    // GObject checks a value's type and range against the specs above before it comes here.
    #[allow(clippy::unwrap_used)]
    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let text = || value.get::<Option<String>>().unwrap();
        let count = || value.get::<u32>().unwrap();
        let mut settings = lock(&self.settings);
        let settings = &mut *settings;
        match pspec.name() {
            "cascade" => settings.cascade = text().unwrap_or_else(|| DEFAULT_CASCADE.into()),
            "eyes-cascade" => settings.eyes_cascade = text().unwrap_or_default(),
            "scale-factor" => settings.search.scale_factor = value.get().unwrap(),
            "min-neighbors" => settings.search.min_neighbors = count(),
            "min-size" => settings.search.min_size = count(),
            "max-size" => settings.search.max_size = count(),
            "scan-interval" => settings.search.scan_interval = value.get().unwrap(),
            "max-faces" => settings.search.max_faces = count() as usize,
            "threads" => settings.search.threads = count() as usize,
            "messages" => settings.messages = value.get().unwrap(),
            _ => {}
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings);
        match pspec.name() {
            "cascade" => settings.cascade.to_value(),
            "eyes-cascade" => settings.eyes_cascade.to_value(),
            "scale-factor" => settings.search.scale_factor.to_value(),
            "min-neighbors" => settings.search.min_neighbors.to_value(),
            "min-size" => settings.search.min_size.to_value(),
            "max-size" => settings.search.max_size.to_value(),
            "scan-interval" => settings.search.scan_interval.to_value(),
            "max-faces" => (settings.search.max_faces as u32).to_value(),
            "threads" => (settings.search.threads as u32).to_value(),
            "messages" => settings.messages.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for HaarFaceDetect {}

impl ElementImpl for HaarFaceDetect {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Haar face detector",
                "Filter/Analyzer/Video",
                "Finds faces with an OpenCV Haar cascade and follows them, as regions of interest",
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

impl BaseTransformImpl for HaarFaceDetect {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    // A passthrough cannot add metadata.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let mut cascades = Map::new();
        let cascade = self.load("cascade", &settings.cascade, &mut cascades)?;
        let eyes = match settings.eyes_cascade.as_str() {
            "" => None,
            name => Some(self.load("eyes-cascade", name, &mut cascades)?),
        };
        let finder = FaceFinder::new(cascade, eyes)
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        *lock(&self.state) =
            Some(State { finder, info: None, luma: Vec::new(), ids: Vec::new(), cascades, announced: None });
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
            // Boxes of another frame size say nothing about this one.
            if state
                .info
                .as_ref()
                .is_some_and(|old| (old.width(), old.height()) != (info.width(), info.height()))
            {
                state.finder.reset();
            }
            state.info = Some(info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let kind = event.type_();
        if kind == gst::EventType::FlushStop
            && let Some(state) = lock(&self.state).as_mut()
        {
            state.finder.reset();
        }
        let handled = self.parent_sink_event(event);
        if kind == gst::EventType::Segment {
            let settings = lock(&self.settings).clone();
            self.announce(&settings);
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
        self.announce(&settings);
        // A gap may come without pixels.
        if buffer.size() == 0 && buffer.flags().contains(gst::BufferFlags::GAP) {
            return Ok(gst::FlowSuccess::Ok);
        }
        let pts = buffer.pts();
        let (message, info) = {
            let mut state = lock(&self.state);
            let Some(state) = state.as_mut() else { return Err(gst::FlowError::Flushing) };
            let Some(info) = state.info.clone() else { return Err(gst::FlowError::NotNegotiated) };
            let found = self.find(state, &settings.search, buffer, &info)?;
            gst::trace!(CAT, imp = self, "{pts:?}: {found:?}");
            let mut ids: Vec<u32> = found.iter().map(|found| found.id).collect();
            ids.sort_unstable();
            let wanted = match settings.messages {
                Messages::None => false,
                Messages::OnChange => ids != state.ids,
                Messages::EveryFrame => true,
            };
            state.ids = ids;
            let regions: Vec<FaceRegion> = found.iter().map(to_region).collect();
            for region in &regions {
                attach(buffer, region, info.width(), info.height());
            }
            (wanted.then_some(regions), info)
        };
        if let Some(regions) = message {
            let faces: Vec<_> =
                regions.iter().map(|face| face.to_face(info.width(), info.height())).collect();
            let structure = mood_meta::message::build_faces(&faces, self.stream_time(pts));
            let obj = self.obj();
            let _ = obj.post_message(gst::message::Element::builder(structure).src(&*obj).build());
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl HaarFaceDetect {
    /// Loads the cascade a property names, and notes name and hash.
    fn load(
        &self,
        property: &str,
        name: &str,
        noted: &mut Map<String, Value>,
    ) -> Result<Arc<Cascade>, gst::ErrorMessage> {
        let fail = |error: CascadeError| match error {
            CascadeError::NotFound { .. } => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{property}: {error}"))
            }
            error => gst::error_msg!(gst::ResourceError::OpenRead, ("{property}={name}: {error}")),
        };
        let path = haar::find(name).map_err(fail)?;
        let text = Cascade::read(&path).map_err(fail)?;
        let cascade = Cascade::parse(&text).map_err(fail)?;
        let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        gst::info!(
            CAT,
            imp = self,
            "{property} {}: {} stages, SHA-256 {hash}",
            path.display(),
            cascade.stages()
        );
        noted.insert(property.into(), name.into());
        noted.insert(format!("{property}-sha256"), hash.into());
        Ok(Arc::new(cascade))
    }

    /// Tells downstream how its faces come about, once and after every change.
    fn announce(&self, settings: &Settings) {
        let SearchSettings {
            scale_factor, min_neighbors, min_size, max_size, scan_interval, max_faces, ..
        } = settings.search;
        let fields = [
            ("scale-factor", Value::from(scale_factor)),
            ("min-neighbors", min_neighbors.into()),
            ("min-size", min_size.into()),
            ("max-size", max_size.into()),
            ("scan-interval", scan_interval.into()),
            ("max-faces", max_faces.into()),
        ];
        let event = {
            let mut state = lock(&self.state);
            let Some(state) = state.as_mut() else { return };
            let mut all = state.cascades.clone();
            all.extend(fields.map(|(key, value)| (key.to_string(), value)));
            if state.announced.as_ref() == Some(&all) {
                return;
            }
            let event = mood_meta::event::build_settings("haarfacedetect", &all);
            state.announced = Some(all);
            event
        };
        self.obj().src_pad().push_event(event);
    }

    fn find(
        &self,
        state: &mut State,
        search: &SearchSettings,
        buffer: &gst::BufferRef,
        info: &gst_video::VideoInfo,
    ) -> Result<Vec<FoundFace>, gst::FlowError> {
        let fail = |what: &str| {
            gst::element_imp_error!(self, gst::StreamError::Format, ("{what}"));
            gst::FlowError::Error
        };
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info)
            .map_err(|error| fail(&format!("cannot read the frame: {error}")))?;
        let image = luma::read(&frame, &mut state.luma).map_err(|error| fail(&error.to_string()))?;
        let time = buffer.pts().map(gst::ClockTime::nseconds);
        state.finder.find_faces(&image, time, search).map_err(|error| fail(&error.to_string()))
    }

    fn stream_time(&self, pts: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        filter::stream_time(&self.obj().segment(), pts)
    }
}

fn to_region(found: &FoundFace) -> FaceRegion {
    FaceRegion {
        id: found.id,
        bbox: found.face.rect,
        confidence: Some(found.face.confidence()),
        eyes: found.eyes.iter().map(|eye| eye.rect).collect(),
    }
}

/// Adds the face's regions, and the roll where two eyes give one.
fn attach(buffer: &mut gst::BufferRef, face: &FaceRegion, width: u32, height: u32) {
    region::add_face(buffer, face, width, height);
    let Some(roll) = face.roll() else { return };
    let meta = buffer
        .iter_meta_mut::<gst_video::VideoRegionOfInterestMeta>()
        .find(|meta| meta.roi_type() == region::FACE && meta.id() == face.id as i32);
    if let Some(mut meta) = meta {
        meta.add_param(gst::Structure::builder("pose").field("roll", roll).build());
    }
}
