//! `gst-mood doctor`: reports what the program needs, where it was found and in which version, and what to
//! install where something is missing.

use std::env;
use std::path::PathBuf;

use gst::prelude::*;
use mini_xception::{Classifier, Model, Provider, Runtime};
use serde::Serialize;

use crate::error::CommandError;

/// The arguments of `doctor`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// The result of one check.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked for.
    name: String,
    /// Whether nothing works without it.
    needed: bool,
    /// Whether it was found.
    found: bool,
    /// Version and path, or what to do.
    detail: String,
}

/// The plugins of this workspace, each with one of its elements.
const OWN_PLUGINS: [(&str, &str); 3] =
    [("facedetect", "haarfacedetect"), ("emotionclassify", "emotionclassify"), ("moodplayer", "moodplayer")];

/// Elements that the pipelines of this command and those in `pipelines/` use, each with the Debian package it
/// is in.
const OTHER_ELEMENTS: [(&str, &str); 15] = [
    ("decodebin", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("audiomixer", "gstreamer1.0-plugins-base"),
    ("vorbisenc", "gstreamer1.0-plugins-base"),
    ("oggmux", "gstreamer1.0-plugins-base"),
    ("videoflip", "gstreamer1.0-plugins-good"),
    ("jpegenc", "gstreamer1.0-plugins-good"),
    ("aacparse", "gstreamer1.0-plugins-good"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
    ("flacenc", "gstreamer1.0-plugins-good"),
    ("h264parse", "gstreamer1.0-plugins-bad"),
    ("errorignore", "gstreamer1.0-plugins-bad"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avdec_h264", "gstreamer1.0-libav"),
    ("avenc_aac", "gstreamer1.0-libav"),
];

/// The elements that show video in a window, each with the variable that names its display and its Debian package; in the order
/// in which they are tried.
const VIDEO_SINKS: [(&str, &str, &str); 5] = [
    ("waylandsink", "WAYLAND_DISPLAY", "gstreamer1.0-plugins-bad"),
    ("xvimagesink", "DISPLAY", "gstreamer1.0-x"),
    ("ximagesink", "DISPLAY", "gstreamer1.0-x"),
    ("glimagesink", "WAYLAND_DISPLAY", "gstreamer1.0-gl"),
    ("glimagesink", "DISPLAY", "gstreamer1.0-gl"),
];

/// Checks everything and prints the findings; [`CommandError::RequirementsMissing`] if something needed is
/// missing.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    gst::init().map_err(|error| CommandError::Failed(format!("GStreamer does not start: {error}")))?;
    let mut findings = vec![finding("GStreamer", true, Ok(gst::version_string().to_string()))];
    findings.extend(OWN_PLUGINS.map(|(name, element)| check_own_plugin(name, element)));
    findings.extend(requirements(true));
    findings.push(check_device("camera", "Video/Source", "recordings work without one"));
    findings.push(check_device("audio sink", "Audio/Sink", "soundtracks can still be written to files"));
    findings.push(check_video_sink());
    findings.push(check_session_bus());

    if arguments.json {
        println!("{}", serde_json::json!({ "findings": findings }));
    } else {
        print(&findings);
    }
    let has_all_needed = findings.iter().all(|finding| finding.found || !finding.needed);
    if has_all_needed { Ok(()) } else { Err(CommandError::RequirementsMissing) }
}

/// Fails if something is missing that nothing works without, so that a command ends before it has worked for
/// long. GStreamer must have been started.
pub fn check_requirements() -> Result<(), CommandError> {
    match requirements(false).find(|finding| !finding.found) {
        Some(Finding { name, detail, .. }) => Err(CommandError::Environment(format!("{name}: {detail}"))),
        None => Ok(()),
    }
}

/// Checks, lazily, what nothing works without. Elements are loaded too, where that is wanted.
fn requirements(loads_elements: bool) -> impl Iterator<Item = Finding> {
    let elements = OTHER_ELEMENTS
        .into_iter()
        .map(move |(element, package)| check_element(element, package, loads_elements));
    let cascade = std::iter::once_with(check_cascade);
    elements.chain(cascade).chain(std::iter::once_with(check_runtime_and_model).flatten())
}

/// A finding from the detail of what was found, or the advice for what was not.
fn finding(name: &str, needed: bool, detail: Result<String, String>) -> Finding {
    Finding {
        name: name.into(),
        needed,
        found: detail.is_ok(),
        detail: detail.unwrap_or_else(|advice| advice),
    }
}

/// Prints one line a finding.
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

/// Looks for a plugin where gst-launch-1.0 would find it. It is not needed: this program has its own copy
/// built in.
fn check_own_plugin(name: &str, element: &str) -> Finding {
    let advice = || {
        // The plugins are built into the folder of this program.
        let folder = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
        let folder = folder.unwrap_or_default();
        Err(format!("gst-launch-1.0 does not find it: export GST_PLUGIN_PATH={}", folder.display()))
    };
    let detail = match gst::ElementFactory::find(element).and_then(|factory| factory.plugin()) {
        Some(plugin) => Ok(describe(&plugin)),
        None => advice(),
    };
    finding(&format!("plugin {name}"), false, detail)
}

/// Looks for an element of another package, and loads it where that is wanted: it may lack a library.
fn check_element(element: &str, package: &str, loads: bool) -> Finding {
    let factory = gst::ElementFactory::find(element);
    let plugin = factory.as_ref().and_then(|factory| factory.plugin());
    let is_broken = loads && factory.is_some_and(|factory| factory.create().build().is_err());
    let detail = match plugin {
        Some(plugin) if !is_broken => Ok(describe(&plugin)),
        Some(plugin) => Err(format!("it does not load ({}): install {package} again", describe(&plugin))),
        None => Err(format!("install {package}")),
    };
    finding(&format!("element {element}"), true, detail)
}

/// Version and path of a plugin.
fn describe(plugin: &gst::Plugin) -> String {
    let path = plugin.filename().map(|path| path.display().to_string()).unwrap_or_else(|| "built in".into());
    format!("{} at {path}", plugin.version())
}

/// Looks for the default cascade and reads it.
fn check_cascade() -> Finding {
    let detail = haar::find("frontalface_default").map_err(|error| error.to_string()).and_then(|path| {
        let loaded = haar::Cascade::load(&path).map_err(|error| error.to_string());
        loaded.map(|_| path.display().to_string())
    });
    finding("cascade frontalface_default", true, detail)
}

/// Loads ONNX Runtime and the built-in model.
fn check_runtime_and_model() -> [Finding; 2] {
    // As the element does, look beside the plugin too.
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
    // The file's name contains the version.
    let runtime = runtime.map(|runtime| runtime.library().display().to_string());
    [finding("ONNX Runtime", true, runtime), finding("model", true, model)]
}

/// Looks for an element that can open a window on the display there is. It is not needed: recordings need no window.
fn check_video_sink() -> Finding {
    let displays: Vec<&str> =
        ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().filter(|name| env::var_os(name).is_some()).collect();
    let opens = |element: &str| {
        let Ok(sink) = gst::ElementFactory::make(element).build() else { return false };
        let opened = sink.set_state(gst::State::Ready).is_ok();
        // A sink that opened its display closes it.
        let _ = sink.set_state(gst::State::Null);
        opened
    };
    let mut usable = VIDEO_SINKS.iter().filter(|(_, variable, _)| displays.contains(variable));
    let detail = if displays.is_empty() {
        Err("no display (neither WAYLAND_DISPLAY nor DISPLAY is set): live shows no window".into())
    } else if let Some((element, ..)) = usable.clone().find(|(element, ..)| opens(element)) {
        Ok((*element).into())
    } else if usable.clone().all(|(element, ..)| gst::ElementFactory::find(element).is_none()) {
        let mut packages: Vec<&str> = usable.map(|(.., package)| *package).collect();
        packages.dedup();
        Err(format!("install {}", packages.join(" or ")))
    } else {
        let found = usable.find(|(element, ..)| gst::ElementFactory::find(element).is_some());
        let element = found.map_or("none", |(element, ..)| *element);
        Err(format!(
            "{element} cannot open the display {}: live --no-window works without",
            displays.join(", ")
        ))
    };
    finding("video sink", false, detail)
}

/// Looks for the session bus, over which desktops and media keys control `live` (MPRIS).
fn check_session_bus() -> Finding {
    let bus = gio::bus_get_sync(gio::BusType::Session, gio::Cancellable::NONE);
    let detail = bus.map(|_| "session bus".to_owned()).map_err(|_| {
        "no session bus, so media keys and playerctl do not reach live: install dbus-user-session and log in again, or run \
         dbus-run-session gst-mood live"
            .to_owned()
    });
    finding("D-Bus", false, detail)
}

/// Lists the devices of a class; `without` says what still works if there are none.
fn check_device(name: &str, class: &str, without: &str) -> Finding {
    let monitor = gst::DeviceMonitor::new();
    let _ = monitor.add_filter(Some(class), None);
    // Some providers list their devices only while they are monitoring.
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
