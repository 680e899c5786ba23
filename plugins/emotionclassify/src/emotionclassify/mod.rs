//! SECTION:element-emotionclassify
//!
//! Classifies the facial expression of every face region of a frame into seven emotions, with Mini-Xception
//! through ONNX Runtime. It works behind `haarfacedetect` or any other element that adds regions of interest
//! of type `face`; faces that have no ids of their own (or one for all) are told apart by their places, and DL Streamer's `object_id`
//! counts where it is there. Pixels are not changed. Each face's region gets a `classification` param, and the buffer
//! gets the custom meta `GstMoodFrame`, which also survives scaling and conversion. Built with the feature `v1_24`, it also reads and
//! writes the metas of GStreamer's analytics library (docs/METADATA.md).
//!
//! ## Properties
//!
//! - Probabilities are smoothed for each face id by timestamps (`smoothing`), so that dropped frames and
//!   variable frame rates do not affect the result. `interval` reduces the CPU load: between two
//!   classifications a face keeps its result.
//! - Below `min-confidence` or `min-quality` the label is `uncertain`; the probabilities are still written.
//! - With `baseline=automatic`, the default, each person's resting face is learnt while they are found, and the label,
//!   the probabilities, valence and arousal say what differs from it: some faces at rest look sad or angry to any network.
//!   What the network said itself is in `raw`. Nothing is taken off a single image, nor in the first seconds; later the
//!   logits change by at most 0.2 a second because of it. `baseline-location` gives a profile to begin with. A profile
//!   goes with the face's id: it goes on where the detector gives somebody who returns the old id, and a new id learns
//!   anew. Of 128 faces, those seen last, something is kept. `resting-face` is what the stream has taught about one person.
//! - The settings and the model's SHA-256 go downstream as a sticky event, at the start and after each
//!   change, and `emotionlog` writes them into its timeline.
//!
//! ## Messages
//!
//! `emotion`, for one face: `id`, `label`, `label-id`, `confidence`, `probabilities`, `valence`, `arousal`,
//! the box `x` `y` `w` `h` in shares of the frame, `quality`, `roll` in degrees, and `timestamp` in
//! nanoseconds of stream time; where a resting face was taken off, `raw`, the probabilities before that. The property `messages` chooses when it is posted.
//!
//! ## Example pipelines
//!
//! Print a message whenever the label of a face changes:
//! ```shell
//! gst-launch-1.0 -m filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify ! fakesink
//! ```
//!
//! Print what the network says of each image, whoever it is:
//! ```shell
//! gst-launch-1.0 -m filesrc location=session.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! haarfacedetect ! emotionclassify baseline=off messages=every-frame ! fakesink
//! ```
//!
//! Classify the camera's faces twice a second and draw the results:
//! ```shell
//! gst-launch-1.0 autovideosrc ! videoconvert ! haarfacedetect ! emotionclassify interval=500000000 ! emotionoverlay ! videoconvert ! autovideosink
//! ```

mod imp;
mod settings;
mod untracked;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    /// The element `emotionclassify`.
    pub struct EmotionClassify(ObjectSubclass<imp::EmotionClassify>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// The property `execution-provider`: what runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyProvider")]
pub enum ExecutionProvider {
    /// The processor, on one thread.
    #[default]
    #[enum_value(name = "The processor", nick = "cpu")]
    Cpu,
    /// An NVIDIA GPU through CUDA.
    #[enum_value(name = "NVIDIA CUDA", nick = "cuda")]
    Cuda,
    /// An NVIDIA GPU through TensorRT.
    #[enum_value(name = "NVIDIA TensorRT", nick = "tensorrt")]
    TensorRt,
    /// Intel processors and GPUs through OpenVINO.
    #[enum_value(name = "Intel OpenVINO", nick = "openvino")]
    OpenVino,
    /// The first accelerator that works, else the processor.
    #[enum_value(
        name = "The first of TensorRT, CUDA and OpenVINO that works, else the processor",
        nick = "auto"
    )]
    Auto,
}

impl From<ExecutionProvider> for mini_xception::Provider {
    fn from(provider: ExecutionProvider) -> Self {
        match provider {
            ExecutionProvider::Cpu => Self::Cpu,
            ExecutionProvider::Cuda => Self::Cuda,
            ExecutionProvider::TensorRt => Self::TensorRt,
            ExecutionProvider::OpenVino => Self::OpenVino,
            ExecutionProvider::Auto => Self::Auto,
        }
    }
}

/// The property `baseline`: whether labels say what differs from the person's resting face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyBaseline")]
pub enum Baseline {
    /// The label is that of the image alone.
    #[enum_value(name = "Labels by the image alone", nick = "off")]
    Off,
    /// The resting face is learnt from the stream.
    #[default]
    #[enum_value(name = "The resting face is learnt from the stream", nick = "automatic")]
    Automatic,
}

/// The property `messages`: when the element message `emotion` is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyMessages")]
pub enum Messages {
    /// No messages are posted.
    #[enum_value(name = "Never", nick = "none")]
    None,
    /// When the label of a face differs from that in the frame before.
    #[default]
    #[enum_value(name = "When a face's label changes", nick = "on-change")]
    OnChange,
    /// For each face of each frame.
    #[enum_value(name = "For every face of every frame", nick = "every-frame")]
    EveryFrame,
}

/// Registers `emotionclassify` and the types of its properties.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    ExecutionProvider::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    Baseline::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    Messages::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "emotionclassify", gst::Rank::NONE, EmotionClassify::static_type())
}
