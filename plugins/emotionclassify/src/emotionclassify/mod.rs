//! `SECTION:element-emotionclassify`
//!
//! Says of every face region of a frame which of seven emotions it shows, with Mini-Xception through ONNX Runtime. It
//! never writes a pixel: it adds a `classification` param to the face's region, and the custom meta `GstMoodFrame`,
//! which also survives scaling and conversion.
//!
//! ## Example launch line
//! ```shell
//! gst-launch-1.0 -m filesrc location=session.mp4 ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! fakesink
//! ```
//! prints an element message `emotion` whenever a face's label changes.

mod faces;
mod imp;

use glib::prelude::*;
use gst::prelude::PluginApiExt;

glib::wrapper! {
    pub struct EmotionClassify(ObjectSubclass<imp::EmotionClassify>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// What runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyProvider")]
pub enum ExecutionProvider {
    #[default]
    #[enum_value(name = "The processor", nick = "cpu")]
    Cpu,
    #[enum_value(name = "NVIDIA CUDA", nick = "cuda")]
    Cuda,
    #[enum_value(name = "NVIDIA TensorRT", nick = "tensorrt")]
    TensorRt,
    #[enum_value(name = "Intel OpenVINO", nick = "openvino")]
    OpenVino,
    #[enum_value(
        name = "The first of TensorRT, CUDA and OpenVINO that works, else the processor",
        nick = "auto"
    )]
    Auto,
}

/// When element messages are posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionClassifyMessages")]
pub enum Messages {
    #[enum_value(name = "Never", nick = "none")]
    None,
    #[default]
    #[enum_value(name = "When a face's label changes", nick = "on-change")]
    OnChange,
    #[enum_value(name = "For every face of every frame", nick = "every-frame")]
    EveryFrame,
}

pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    ExecutionProvider::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    Messages::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "emotionclassify", gst::Rank::NONE, EmotionClassify::static_type())
}
