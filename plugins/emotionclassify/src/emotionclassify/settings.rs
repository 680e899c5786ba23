//! The properties of `emotionclassify`.

use std::path::PathBuf;

use glib::prelude::*;
use glib::value::ValueTypeMismatchError;
use gst::prelude::*;
use mood_meta::property::MAX_DURATION;

use super::{Baseline, ExecutionProvider, Messages};

/// The values of the properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The ONNX file; `None`: the built-in model.
    pub model: Option<PathBuf>,
    /// The file of ONNX Runtime; `None`: searched for, see [`mini_xception::Runtime::load`].
    pub runtime_library: Option<PathBuf>,
    /// What runs the network.
    pub execution_provider: ExecutionProvider,
    /// A face is classified at most once in this time, ns; 0: in every frame.
    pub interval: u64,
    /// Margin around a face's box on each side, as a share of the box's side.
    pub margin: f64,
    /// Time constant of the smoothing, ns; 0: none.
    pub smoothing: u64,
    /// Lowest confidence for a label other than `uncertain`, 0-1.
    pub min_confidence: f64,
    /// Lowest quality for a label other than `uncertain`, 0-1.
    pub min_quality: f64,
    /// Whether the resting face of each person is taken off.
    pub baseline: Baseline,
    /// How much of the resting face is taken off, 0-1.
    pub baseline_share: f64,
    /// The file of a resting profile to begin with.
    pub baseline_location: Option<PathBuf>,
    /// When element messages are posted.
    pub messages: Messages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            runtime_library: None,
            execution_provider: ExecutionProvider::default(),
            interval: 0,
            margin: 0.0,
            smoothing: 300_000_000,
            min_confidence: 0.4,
            min_quality: 0.3,
            baseline: Baseline::default(),
            baseline_share: 1.0,
            baseline_location: None,
            messages: Messages::default(),
        }
    }
}

impl Settings {
    /// The specifications of all properties; `resting-face` is no setting.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let default = Self::default();
        vec![
            glib::ParamSpecString::builder("model")
                .nick("Model")
                .blurb(
                    "Path of an ONNX model whose metadata give its labels and input size. Empty, the default: the \
                     built-in Mini-Xception. Set it to use a network of your own",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("runtime-library")
                .nick("Runtime library")
                .blurb(
                    "Path of libonnxruntime, 1.21 or later. Empty, the default: $ORT_DYLIB_PATH, then the plugin's \
                     folder, ../onnxruntime from there, and the system's library folders. Set it where the library is \
                     elsewhere or there are several",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecEnum::builder_with_default("execution-provider", default.execution_provider)
                .nick("Execution provider")
                .blurb(
                    "What runs the network. The default, cpu, is fast enough for many faces; the others need a build of \
                     ONNX Runtime that has them, and fall back to cpu with a warning where they do not work",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt64::builder("interval")
                .nick("Interval")
                .blurb(
                    "Classify each face at most once in this time, in nanoseconds; in between it keeps its result. The \
                     default, 0, classifies in every frame. Raise it to save processor time",
                )
                .maximum(MAX_DURATION.nseconds())
                .default_value(default.interval)
                .mutable_playing()
                .build(),
            glib::ParamSpecDouble::builder("margin")
                .nick("Margin")
                .blurb(
                    "Margin added around a face's box on each side before it is classified, as a share of the box's \
                     side; negative values cut into the box. The default, 0, suits the boxes of haarfacedetect. Change \
                     it for a detector with tighter or wider boxes",
                )
                .minimum(-0.25)
                .maximum(1.0)
                .default_value(default.margin)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("smoothing")
                .nick("Smoothing")
                .blurb(
                    "Time constant of the exponential smoothing of each face's distribution, in nanoseconds. The \
                     default, 0.3 s, removes most flicker; raise it for steadier labels, lower it for brief expressions, \
                     0 disables smoothing",
                )
                .maximum(MAX_DURATION.nseconds())
                .default_value(default.smoothing)
                .mutable_playing()
                .build(),
            glib::ParamSpecDouble::builder("min-confidence")
                .nick("Minimum confidence")
                .blurb(
                    "A face whose likeliest emotion has a lower probability is labelled 'uncertain'. Raise it for fewer \
                     but more reliable labels; 0 labels every face of sufficient quality",
                )
                .minimum(0.0)
                .maximum(1.0)
                .default_value(default.min_confidence)
                .mutable_playing()
                .build(),
            glib::ParamSpecDouble::builder("min-quality")
                .nick("Minimum quality")
                .blurb(
                    "A face whose image has a lower quality, from 0 (useless) to 1, is labelled 'uncertain': too small, \
                     blurred, noisy, dark, bright, flat or tilted. Lower it for poor recordings; 0 accepts every image",
                )
                .minimum(0.0)
                .maximum(1.0)
                .default_value(default.min_quality)
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("baseline", default.baseline)
                .nick("Baseline")
                .blurb(
                    "Whether labels say what differs from the person's resting face. By default, automatic, it is learnt \
                     while the person is found, and a face that always looks a little sad reads neutral after half a \
                     minute; a smile stays a smile. Set it to off for labels that depend on the single image only",
                )
                .mutable_playing()
                .build(),
            glib::ParamSpecDouble::builder("baseline-share")
                .nick("Baseline share")
                .blurb(
                    "How much of the resting face is taken off, as a share of its logits. The default, 1, takes off all \
                     of it; lower it for labels closer to the network's own",
                )
                .minimum(0.0)
                .maximum(1.0)
                .default_value(default.baseline_share)
                .mutable_playing()
                .build(),
            glib::ParamSpecString::builder("baseline-location")
                .nick("Baseline location")
                .blurb(
                    "Path of a resting profile that gst-mood process saved, resting_face.json. The first face that \
                     appears begins with it, at once. Empty, the default: everybody begins without. \
                     Set it where one known person is expected",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("resting-face")
                .nick("Resting face")
                .blurb(
                    "What the stream has taught about the resting face of one person, as baseline-location reads it: of \
                     the person who began with that profile or, without one, of whom there is the most evidence. Empty \
                     before anybody was found, and in the states NULL and READY. Read it before the element is stopped, \
                     to begin with it another time",
                )
                .read_only()
                .build(),
            glib::ParamSpecEnum::builder_with_default("messages", default.messages)
                .nick("Messages")
                .blurb(
                    "When the element message 'emotion' is posted. By default, whenever the label of a face changes; \
                     'every-frame' suits applications that show the distribution live",
                )
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property `name`, one of [`Self::properties`], whose range GObject has checked. Fails for a value of
    /// another type.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), ValueTypeMismatchError> {
        match name {
            "model" => self.model = path_from_value(value)?,
            "runtime-library" => self.runtime_library = path_from_value(value)?,
            "execution-provider" => self.execution_provider = value.get()?,
            "interval" => self.interval = value.get()?,
            "margin" => self.margin = value.get()?,
            "smoothing" => self.smoothing = value.get()?,
            "min-confidence" => self.min_confidence = value.get()?,
            "min-quality" => self.min_quality = value.get()?,
            "baseline" => self.baseline = value.get()?,
            "baseline-share" => self.baseline_share = value.get()?,
            "baseline-location" => self.baseline_location = path_from_value(value)?,
            "messages" => self.messages = value.get()?,
            _ => {}
        }
        Ok(())
    }

    /// The value of the property `name`; `None` where there is no such property.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "model" => path_to_value(&self.model),
            "runtime-library" => path_to_value(&self.runtime_library),
            "execution-provider" => self.execution_provider.to_value(),
            "interval" => self.interval.to_value(),
            "margin" => self.margin.to_value(),
            "smoothing" => self.smoothing.to_value(),
            "min-confidence" => self.min_confidence.to_value(),
            "min-quality" => self.min_quality.to_value(),
            "baseline" => self.baseline.to_value(),
            "baseline-share" => self.baseline_share.to_value(),
            "baseline-location" => path_to_value(&self.baseline_location),
            "messages" => self.messages.to_value(),
            _ => return None,
        })
    }
}

/// An empty string means no path.
fn path_from_value(value: &glib::Value) -> Result<Option<PathBuf>, ValueTypeMismatchError> {
    Ok(value.get::<Option<String>>()?.filter(|path| !path.is_empty()).map(PathBuf::from))
}

fn path_to_value(path: &Option<PathBuf>) -> glib::Value {
    path.as_deref().and_then(|path| path.to_str()).unwrap_or("").to_value()
}
