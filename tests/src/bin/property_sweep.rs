//! Sets every writable property of one element to its extremes and to random values, before start and while playing.
//!
//! `property_sweep ELEMENT FOLDER SEED`: FOLDER holds a small music library, `library/`, and takes the element's files. Exit
//! code 0 where nothing failed; a panic or a GLib critical (run with `G_DEBUG=fatal-criticals`) aborts the process, and
//! the last line on standard output names the property and the value. An ERROR message of the element is an answer like
//! any other, as long as the pipeline can be stopped afterwards and started again with the default.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "used by a test only, which reports the panic")]

use std::env;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;

/// How long a pipeline may take to preroll or to fail.
const PREROLL: gst::ClockTime = gst::ClockTime::from_seconds(20);
/// How long it plays after each change.
const PLAY: Duration = Duration::from_millis(15);

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let [_, element, folder, seed] = arguments.as_slice() else {
        panic!("property_sweep ELEMENT FOLDER SEED")
    };
    let (folder, mut random) = (Path::new(folder), Random(seed.parse::<u64>().unwrap() | 1));
    gst::init().unwrap();
    let probe = gst::ElementFactory::make(element).build().unwrap();
    let own_type = probe.type_();
    let properties: Vec<glib::ParamSpec> = probe
        .list_properties()
        .iter()
        .filter(|spec| spec.owner_type() == own_type && spec.flags().contains(glib::ParamFlags::WRITABLE))
        .cloned()
        .collect();
    for spec in &properties {
        for value in values(spec, &mut random) {
            announce("before start", spec, &value);
            before_start(element, folder, spec, &value);
        }
    }
    while_playing(element, folder, &properties, &mut random);
    println!("{element}: {} properties", properties.len());
}

/// Printed and flushed first, so that it is the last line where the process aborts.
fn announce(when: &str, spec: &glib::ParamSpec, value: &glib::Value) {
    let text = format!("{value:?}");
    println!("{when}: {} = {}", spec.name(), text.chars().take(80).collect::<String>());
    std::io::stdout().flush().unwrap();
}

/// The value is in force once it is set, or a WARNING message says that it is refused; the pipeline starts, or fails with a
/// message.
fn before_start(element: &str, folder: &Path, spec: &glib::ParamSpec, value: &glib::Value) {
    let (pipeline, element) = pipeline(element, folder);
    element.set_property_from_value(spec.name(), value);
    let text = |value: &glib::Value| value.get::<Option<String>>().ok().map(Option::unwrap_or_default);
    let is = element.property_value(spec.name());
    let same = match spec.value_type() {
        glib::Type::STRING => text(&is) == text(value) || text(value) == Some(String::new()),
        _ => is.compare(value) == Some(std::cmp::Ordering::Equal),
    };
    let warning = pipeline.bus().unwrap().pop_filtered(&[gst::MessageType::Warning]);
    assert!(same || warning.is_some(), "the getter returns {is:?}");
    run(&pipeline);
    pipeline.set_state(gst::State::Null).unwrap();
}

/// PAUSED, a little of PLAYING, or an ERROR message.
fn run(pipeline: &gst::Pipeline) {
    if pipeline.set_state(gst::State::Playing).is_err() {
        return;
    }
    let (change, _, _) = pipeline.state(PREROLL);
    let bus = pipeline.bus().unwrap();
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    assert!(change.is_ok() || error.is_some(), "neither starts nor says why");
    std::thread::sleep(PLAY);
}

/// One pipeline after the other plays while all properties change, some of which an element may refuse.
fn while_playing(element_name: &str, folder: &Path, properties: &[glib::ParamSpec], random: &mut Random) {
    let (pipeline, element) = pipeline(element_name, folder);
    run(&pipeline);
    for spec in properties {
        for value in values(spec, random) {
            announce("while playing", spec, &value);
            element.set_property_from_value(spec.name(), &value);
            std::thread::sleep(PLAY);
        }
        // A value that was refused must not keep the element from taking the next one.
        if !spec.default_value().get::<Option<String>>().is_ok_and(|text| text.is_none()) {
            element.set_property_from_value(spec.name(), spec.default_value());
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

/// The element in a pipeline that gives it what it needs.
fn pipeline(element: &str, folder: &Path) -> (gst::Pipeline, gst::Element) {
    let video = "videotestsrc is-live=false ! video/x-raw,width=96,height=64,framerate=200/1";
    let line = match element {
        "moodplayer" => format!(
            "{video} ! player.mood moodplayer name=player library={} ! fakesink sync=false",
            folder.join("library").display()
        ),
        "emotionlog" => format!(
            "{video} ! emotionlog name=log location={} ! fakesink sync=false",
            folder.join("timeline").display()
        ),
        "emotionpublish" => format!(
            "{video} ! haarfacedetect ! emotionpublish name=tested uri=file://{} ! fakesink sync=false",
            folder.join("published").display()
        ),
        element => format!("{video} ! haarfacedetect ! {element} name=tested ! fakesink sync=false"),
    };
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let name = match element {
        "moodplayer" => "player",
        "emotionlog" => "log",
        _ => "tested",
    };
    let element = pipeline.by_name(name).unwrap();
    (pipeline, element)
}

/// The default, both ends of the range and their neighbours, and some in between.
fn values(spec: &glib::ParamSpec, random: &mut Random) -> Vec<glib::Value> {
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecUInt64>() {
        let (low, high) = (spec.minimum(), spec.maximum());
        let between = (0..4).map(|_| low + random.next() % (high - low).saturating_add(1).max(1));
        return [low, low + 1, high / 2, high - 1, high]
            .into_iter()
            .chain(between)
            .map(|v| v.to_value())
            .collect();
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecUInt>() {
        let (low, high) = (spec.minimum(), spec.maximum());
        let between = low + (random.next() % (u64::from(high - low) + 1)) as u32;
        // Workers are threads: hundreds take longer than the test has.
        return [low, low + 1, between, high - 1, high].map(|v| v.to_value()).to_vec();
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecDouble>() {
        let (low, high) = (spec.minimum(), spec.maximum());
        let share = (random.next() % 1_000_000) as f64 / 1e6;
        let inner = low.max(-1e300) + share * (high.min(1e300) - low.max(-1e300));
        return [low, high, inner, low + (high - low) * 1e-9].map(|v| v.to_value()).to_vec();
    }
    if spec.is::<glib::ParamSpecBoolean>() {
        return [true, false, true].map(|v| v.to_value()).to_vec();
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecEnum>() {
        let class = spec.enum_class();
        return class.values().iter().filter_map(|value| class.to_value(value.value())).collect();
    }
    let long = "x".repeat(20_000);
    let texts = [
        "",
        "/dev/null",
        "/nowhere/at/all",
        "id:4294967295",
        "id:-1",
        "id:",
        "mean",
        "happy",
        "\u{1F3B5}\u{7f}\n",
        "%s%n",
        &long,
    ];
    let mut values: Vec<glib::Value> = texts.map(|text| text.to_value()).to_vec();
    values.push(None::<&str>.to_value());
    values
}

/// xorshift64 (Marsaglia 2003, doi:10.18637/jss.v008.i14).
struct Random(u64);

impl Random {
    /// The next number of the sequence.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
