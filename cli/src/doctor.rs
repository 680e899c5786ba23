//! `gst-mood doctor`: what is there, where, in which version, and what to install where something is missing.

use std::path::PathBuf;

use gst::prelude::*;
use mini_xception::{Classifier, Model, Provider, Runtime};
use serde::Serialize;

use crate::failure::Failure;

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    /// Nothing works without it; else it is only worth knowing.
    needed: bool,
    found: bool,
    /// Version and place, or what to do.
    detail: String,
}

/// The plugins of ours, each with an element of it.
const OURS: [(&str, &str); 3] =
    [("facedetect", "haarfacedetect"), ("emotionclassify", "emotionclassify"), ("moodplayer", "moodplayer")];

/// What the pipelines of the demo and of pipelines/ use, and the Debian package that has it.
const OTHERS: [(&str, &str); 9] = [
    ("decodebin", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("vorbisenc", "gstreamer1.0-plugins-base"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
    ("flacenc", "gstreamer1.0-plugins-good"),
    ("h264parse", "gstreamer1.0-plugins-bad"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avdec_h264", "gstreamer1.0-libav"),
    ("avenc_aac", "gstreamer1.0-libav"),
];

/// Examines the machine; [`Failure::Unwell`] where something that is needed is missing.
pub fn run(json: bool) -> Result<(), Failure> {
    gst::init().map_err(|error| Failure::Work(format!("GStreamer does not start: {error}")))?;
    let mut findings = vec![finding("GStreamer", true, Ok(gst::version_string().to_string()))];
    findings.extend(OURS.map(|(name, element)| our_plugin(name, element)));
    findings.extend(needed());
    findings.push(device("camera", "Video/Source", "recordings work without one"));
    findings.push(device("audio sink", "Audio/Sink", "soundtracks can still be written to files"));

    if json {
        println!("{}", serde_json::json!({ "findings": findings }));
    } else {
        print(&findings);
    }
    let well = findings.iter().all(|finding| finding.found || !finding.needed);
    if well { Ok(()) } else { Err(Failure::Unwell) }
}

/// Says at once what would end the work later; GStreamer must have been started.
pub fn check() -> Result<(), Failure> {
    match needed().find(|finding| !finding.found) {
        Some(Finding { name, detail, .. }) => Err(Failure::Environment(format!("{name}: {detail}"))),
        None => Ok(()),
    }
}

/// What nothing works without.
fn needed() -> impl Iterator<Item = Finding> {
    let elements = OTHERS.into_iter().map(|(element, package)| other_element(element, package));
    elements.chain(std::iter::once_with(cascade)).chain(std::iter::once_with(runtime_and_model).flatten())
}

fn finding(name: &str, needed: bool, detail: Result<String, String>) -> Finding {
    Finding {
        name: name.into(),
        needed,
        found: detail.is_ok(),
        detail: detail.unwrap_or_else(|advice| advice),
    }
}

fn print(findings: &[Finding]) {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    for Finding { name, needed, found, detail } in findings {
        let mark = match (found, needed) {
            (true, _) => "ok",
            (false, true) => "MISSING",
            (false, false) => "none",
        };
        println!("{mark:<8} {name:<width$}  {detail}");
    }
}

/// Where gst-launch-1.0 would find the plugin; this program has its own copy built in.
fn our_plugin(name: &str, element: &str) -> Finding {
    let advice = || {
        let built = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
        let place = built.unwrap_or_default();
        Err(format!("gst-launch-1.0 does not find it: export GST_PLUGIN_PATH={}", place.display()))
    };
    let detail = match gst::ElementFactory::find(element).and_then(|factory| factory.plugin()) {
        Some(plugin) => Ok(describe(&plugin)),
        None => advice(),
    };
    // Not needed by this program itself.
    finding(&format!("plugin {name}"), false, detail)
}

fn other_element(element: &str, package: &str) -> Finding {
    let plugin = gst::ElementFactory::find(element).and_then(|factory| factory.plugin());
    let detail = plugin.map(|plugin| describe(&plugin)).ok_or_else(|| format!("install {package}"));
    finding(&format!("element {element}"), true, detail)
}

fn describe(plugin: &gst::Plugin) -> String {
    let place = plugin.filename().map(|path| path.display().to_string()).unwrap_or_else(|| "built in".into());
    format!("{} at {place}", plugin.version())
}

fn cascade() -> Finding {
    let detail = haar::find("frontalface_default").map_err(|error| error.to_string()).and_then(|path| {
        let loaded = haar::Cascade::load(&path).map_err(|error| error.to_string());
        loaded.map(|_| path.display().to_string())
    });
    finding("cascade frontalface_default", true, detail)
}

fn runtime_and_model() -> [Finding; 2] {
    // The library beside the plugin that gst-launch-1.0 uses counts too.
    let plugin = gst::ElementFactory::find("emotionclassify").and_then(|factory| factory.plugin());
    let file = plugin.and_then(|plugin| plugin.filename());
    let near: Vec<PathBuf> = file.iter().filter_map(|file| file.parent()).map(PathBuf::from).collect();
    let runtime = Runtime::load(None, &near).map_err(|error| error.to_string());
    let model = runtime.as_ref().map_err(|_| "cannot be tried without ONNX Runtime".to_string()).and_then(
        |runtime| {
            let classifier = Classifier::load(runtime, &Model::BuiltIn, Provider::Cpu)
                .map_err(|error| error.to_string())?;
            Ok(format!("{}, sha256 {}", classifier.name(), classifier.sha256()))
        },
    );
    // The name of its file ends in its version.
    let runtime = runtime.map(|runtime| runtime.library().display().to_string());
    [finding("ONNX Runtime", true, runtime), finding("model", true, model)]
}

fn device(name: &str, class: &str, without: &str) -> Finding {
    let monitor = gst::DeviceMonitor::new();
    let _ = monitor.add_filter(Some(class), None);
    // Some providers can only list what is there while they watch.
    let devices = match monitor.start() {
        Ok(()) => {
            let devices = monitor.devices();
            monitor.stop();
            devices
        }
        Err(_) => monitor.devices(),
    };
    let names: Vec<String> = devices.iter().map(|device| device.display_name().to_string()).collect();
    let detail = if names.is_empty() { Err(without.to_string()) } else { Ok(names.join(", ")) };
    finding(name, false, detail)
}
