//! The public interface of every plugin and element: properties, signals, pads, documentation strings. The tables here
//! list all of it, so that nothing is added, removed or changed unnoticed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use glib::subclass::SignalId;
use gst::glib;
use gst::prelude::*;
use mood_tests::process::TIMEOUT;
use mood_tests::{command, element_docs, paths, run};

/// A property: name, type with range or values, default, and when it may be changed.
type Property = (&'static str, &'static str, &'static str, Mutability);

/// When a property may be changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mutability {
    /// Never: applications only read it.
    ReadOnly,
    /// In the states NULL and READY.
    Ready,
    /// In any state.
    Playing,
}
use Mutability::{Playing, ReadOnly, Ready};

/// A duration in nanoseconds, up to a day.
const NANOSECONDS: &str = "guint64 0..86400000000000";

/// One element as it is documented.
struct Element {
    name: &'static str,
    plugin: &'static str,
    properties: &'static [Property],
    /// Signals and action signals with their arguments.
    signals: &'static [&'static str],
    /// Pad templates: direction, presence, name.
    pads: &'static [&'static str],
}

/// The pads of a filter.
const FILTER_PADS: &[&str] = &["sink always sink", "src always src"];

/// Who the elements say wrote them.
const AUTHOR: &str = "gst-mood developers <https://github.com/gst-mood/gst-mood>";

const ELEMENTS: [Element; 6] = [
    Element {
        name: "haarfacedetect",
        plugin: "facedetect",
        properties: &[
            ("cascade", "gchararray", "frontalface_default", Ready),
            ("eyes-cascade", "gchararray", "", Ready),
            ("max-faces", "guint 0..1000", "0", Playing),
            ("max-size", "guint 0..32767", "0", Playing),
            ("messages", "GstHaarFaceDetectMessages none on-change every-frame", "none", Playing),
            ("min-neighbors", "guint 0..1000", "3", Playing),
            ("min-size", "guint 0..32767", "0", Playing),
            ("roi", "gchararray", "", Playing),
            ("roll-range", "gdouble 0..90", "45", Playing),
            ("follow", "guint64 0..86400000000000", "5000000000", Playing),
            ("people", "guint 0..64", "0", Playing),
            ("keep-people", "gboolean", "false", Ready),
            ("scale-factor", "gdouble 1.01..10", "1.2", Playing),
            ("scan-interval", NANOSECONDS, "0", Playing),
            ("threads", "guint 0..256", "0", Playing),
            ("witness", "gboolean", "true", Playing),
        ],
        signals: &[],
        pads: FILTER_PADS,
    },
    Element {
        name: "emotionclassify",
        plugin: "emotionclassify",
        properties: &[
            ("baseline", "GstEmotionClassifyBaseline off automatic", "automatic", Playing),
            ("baseline-location", "gchararray", "", Ready),
            ("baseline-share", "gdouble 0..1", "1", Playing),
            (
                "execution-provider",
                "GstEmotionClassifyProvider cpu cuda tensorrt openvino auto",
                "cpu",
                Ready,
            ),
            ("interval", NANOSECONDS, "0", Playing),
            ("margin", "gdouble -0.25..1", "0", Playing),
            ("messages", "GstEmotionClassifyMessages none on-change every-frame", "on-change", Playing),
            ("min-confidence", "gdouble 0..1", "0.4", Playing),
            ("min-quality", "gdouble 0..1", "0.3", Playing),
            ("model", "gchararray", "", Ready),
            ("resting-face", "gchararray", "", ReadOnly),
            ("runtime-library", "gchararray", "", Ready),
            ("smoothing", NANOSECONDS, "300000000", Playing),
        ],
        signals: &[],
        pads: FILTER_PADS,
    },
    Element {
        name: "emotionoverlay",
        plugin: "emotionclassify",
        properties: &[
            ("blur-faces", "gboolean", "false", Playing),
            ("blur-strict", "gboolean", "false", Playing),
            ("font-scale", "gdouble 0.25..4", "1", Playing),
            ("names", "gchararray", "", Playing),
            ("show-distribution", "gboolean", "true", Playing),
            ("show-id", "gboolean", "true", Playing),
        ],
        signals: &[],
        pads: FILTER_PADS,
    },
    Element {
        name: "emotionlog",
        plugin: "emotionclassify",
        properties: &[
            ("append", "gboolean", "false", Ready),
            ("format", "GstEmotionLogFormat jsonl csv", "jsonl", Ready),
            ("location", "gchararray", "NULL", Ready),
        ],
        signals: &[],
        pads: FILTER_PADS,
    },
    Element {
        name: "emotionpublish",
        plugin: "emotionclassify",
        properties: &[
            ("changes-only", "gboolean", "false", Playing),
            ("interval", NANOSECONDS, "200000000", Playing),
            ("queue-size", "guint 1..65536", "256", Ready),
            ("stats", "GstStructure", "stats, sent=(guint64)0, dropped=(guint64)0;", ReadOnly),
            ("uri", "gchararray", "NULL", Ready),
        ],
        signals: &[],
        pads: FILTER_PADS,
    },
    Element {
        name: "moodplayer",
        plugin: "moodplayer",
        properties: &[
            ("allow-network", "gboolean", "false", Ready),
            ("allow-outside", "gboolean", "false", Ready),
            ("client", "gchararray", "", Ready),
            ("crossfade", "guint64 0..60000000000", "4000000000", Playing),
            ("hold-music", "gboolean", "false", Playing),
            ("hold-time", NANOSECONDS, "2000000000", Playing),
            ("library", "gchararray", "NULL", Ready),
            ("log-location", "gchararray", "NULL", Ready),
            ("loop-track", "gboolean", "false", Playing),
            ("manual-mood", "gchararray", "", Playing),
            ("max-negative-time", NANOSECONDS, "0", Playing),
            ("min-dwell", NANOSECONDS, "20000000000", Playing),
            ("mood", "gchararray", "", ReadOnly),
            ("no-repeat", "guint 0..10000", "3", Playing),
            ("on-no-face", "GstMoodPlayerOnNoFace hold neutral fade", "hold", Playing),
            ("resume", "GstMoodPlayerResume next resume restart", "next", Playing),
            ("seed", "guint64 0..18446744073709551615", "0", Ready),
            ("shuffle", "gboolean", "true", Playing),
            ("status", "GstStructure", "NULL", ReadOnly),
            ("strategy", "GstMoodPlayerStrategy match target iso hold", "match", Playing),
            ("subject", "gchararray", "largest", Playing),
            ("switch-at", "GstMoodPlayerSwitchAt now track-end", "now", Playing),
            ("target-arousal", "gdouble -1..1", "-0.3", Playing),
            ("target-lufs", "gdouble -70..0", "-16", Playing),
            ("target-valence", "gdouble -1..1", "0.5", Playing),
            ("track", "gchararray", "", ReadOnly),
        ],
        signals: &[
            "action exclude-track(gchararray, gboolean)",
            "action fade-out()",
            "action previous()",
            "action rate(gint)",
            "action rate-track(gchararray, gint)",
            "action skip()",
        ],
        pads: &["sink request mood", "sink request mood_%u", "src always src"],
    },
];

/// Loads the built plugins into this process, once.
static PLUGINS: LazyLock<()> = LazyLock::new(|| {
    gst::init().unwrap();
    for plugin in ["facedetect", "emotionclassify", "moodplayer"] {
        gst::Plugin::load_file(paths::release_folder().join(format!("libgst{plugin}.so"))).unwrap();
    }
});

impl Element {
    /// The factory in the built plugin.
    fn factory(&self) -> gst::ElementFactory {
        LazyLock::force(&PLUGINS);
        gst::ElementFactory::find(self.name).expect(self.name).load().unwrap().downcast().unwrap()
    }

    /// The properties that the element itself has, without those of its base classes.
    fn own_properties(&self) -> Vec<glib::ParamSpec> {
        let type_ = self.factory().element_type();
        let class = glib::object::Class::<gst::Element>::from_type(type_).unwrap();
        let properties = class.list_properties();
        properties.iter().filter(|property| property.owner_type() == type_).cloned().collect()
    }
}

/// A property in the form of the tables: type, default, mutability. The default is the value in a new element.
fn describe(element: &gst::Element, property: &glib::ParamSpec) -> (String, String, Mutability) {
    /// The type with its range where the property is a number of this kind.
    fn range<P>(property: &glib::ParamSpec, bounds: impl Fn(&P) -> (String, String)) -> Option<String>
    where
        P: glib::ParamSpecType,
    {
        let (minimum, maximum) = bounds(property.downcast_ref::<P>()?);
        Some(format!("{} {minimum}..{maximum}", property.value_type()))
    }
    let type_ = property.value_type();
    let values = glib::EnumClass::with_type(type_);
    let kind = range(property, |p: &glib::ParamSpecUInt| (p.minimum().to_string(), p.maximum().to_string()))
        .or_else(|| {
            range(property, |p: &glib::ParamSpecUInt64| (p.minimum().to_string(), p.maximum().to_string()))
        })
        .or_else(|| {
            range(property, |p: &glib::ParamSpecDouble| (p.minimum().to_string(), p.maximum().to_string()))
        })
        .or_else(|| {
            let nicks: Vec<&str> = values.as_ref()?.values().iter().map(glib::EnumValue::nick).collect();
            Some(format!("{type_} {}", nicks.join(" ")))
        })
        .unwrap_or_else(|| type_.to_string());
    let value = element.property_value(property.name());
    let default = match value.get::<Option<String>>() {
        Ok(text) => text.unwrap_or_else(|| "NULL".to_owned()),
        Err(_) if values.is_some() => glib::EnumValue::from_value(&value).unwrap().1.nick().to_owned(),
        Err(_) => match value.get::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) if value.get::<Option<gst::Structure>>() == Ok(None) => "NULL".to_owned(),
            Err(_) => value.transform::<String>().unwrap().get::<String>().unwrap().to_lowercase(),
        },
    };
    // GStreamer cannot print a structure that is NULL.
    if type_ != glib::Type::STRING && type_ != gst::Structure::static_type() {
        let documented = property.default_value();
        assert_eq!(
            format!("{value:?}"),
            format!("{documented:?}"),
            "{} begins with its default",
            property.name()
        );
    }
    let flags = property.flags();
    let mutability = if !flags.contains(glib::ParamFlags::WRITABLE) {
        ReadOnly
    } else if flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING) {
        Playing
    } else if flags.contains(gst::PARAM_FLAG_MUTABLE_READY) {
        Ready
    } else {
        panic!("{} does not say when it may be changed", property.name())
    };
    (kind, default, mutability)
}

/// Asserts that two lists have the same entries, and names those that only one of them has.
#[track_caller]
fn assert_same(what: &str, found: impl IntoIterator<Item = String>, documented: BTreeSet<String>) {
    let found: BTreeSet<String> = found.into_iter().collect();
    let added: Vec<_> = found.difference(&documented).collect();
    let missing: Vec<_> = documented.difference(&found).collect();
    assert!(
        added.is_empty() && missing.is_empty(),
        "{what}: not in the table: {added:#?}; only in the table: {missing:#?}"
    );
}

/// What gst-inspect-1.0 prints about a plugin or an element, among all plugins of the system.
fn inspect(name: &str) -> String {
    let mut inspect = command("gst-inspect-1.0");
    inspect.arg(name);
    run(inspect, TIMEOUT).assert_success().stdout
}

#[test]
fn properties_are_those_of_the_tables() {
    for element in &ELEMENTS {
        let instance = element.factory().create().build().unwrap();
        let found = element.own_properties().into_iter().map(|property| {
            let (kind, default, mutability) = describe(&instance, &property);
            format!("{}: {kind} = {default:?}, {mutability:?}", property.name())
        });
        let documented = element
            .properties
            .iter()
            .map(|(name, kind, default, mutability)| format!("{name}: {kind} = {default:?}, {mutability:?}"));
        assert_same(element.name, found, documented.collect());
    }
}

#[test]
fn signals_are_those_of_the_tables() {
    for element in &ELEMENTS {
        let text = inspect(element.name);
        let type_ = element.factory().element_type();
        // GObject's list of a type's signals has no safe binding: gst-inspect-1.0 gives the names, without those of the
        // base classes.
        let sections = text.lines().skip_while(|line| {
            !line.starts_with("Element Signals:") && !line.starts_with("Element Actions:")
        });
        let names =
            sections.filter_map(|line| line.strip_prefix("  \"")?.split_once('"')).map(|(name, _)| name);
        let found = names.map(|name| {
            let signal = SignalId::lookup(name, type_).expect(name).query();
            let is_action = signal.flags().contains(glib::SignalFlags::ACTION);
            let arguments: Vec<String> =
                signal.param_types().iter().map(|argument| glib::Type::from(*argument).to_string()).collect();
            assert_eq!(glib::Type::from(signal.return_type()), glib::Type::UNIT, "{name} returns nothing");
            format!("{} {name}({})", if is_action { "action" } else { "signal" }, arguments.join(", "))
        });
        assert_same(element.name, found, element.signals.iter().copied().map(String::from).collect());
    }
}

#[test]
fn ranges_of_numbers_are_realistic_and_arguments_of_actions_are_documented() {
    for element in &ELEMENTS {
        for (name, kind, ..) in element.properties {
            // Any number is a seed.
            let is_any = kind.ends_with("..4294967295") || kind.ends_with("..18446744073709551615");
            assert!(!is_any || *name == "seed", "{} {name}: {kind}", element.name);
        }
    }
    // GObject has no names for the arguments of a signal, so the documentation of the element has them.
    let documentation = paths::workspace_root().join("plugins/moodplayer/src/moodplayer/mod.rs");
    let documentation = fs::read_to_string(documentation).unwrap();
    for action in
        ["//! - `skip()`: ", "//! - `fade-out()`: ", "//! - `rate(rating)`: ", "//! - `previous()`: "]
    {
        assert!(documentation.contains(action), "{action}");
    }
    assert!(documentation.contains("`rating` is an integer from -2 "));
}

#[test]
fn pads_are_those_of_the_tables() {
    for element in &ELEMENTS {
        let found = element.factory().static_pad_templates().into_iter().map(|template| {
            let presence = match template.presence() {
                gst::PadPresence::Always => "always",
                gst::PadPresence::Request => "request",
                other => panic!("{other:?}"),
            };
            let direction = if template.direction() == gst::PadDirection::Sink { "sink" } else { "src" };
            format!("{direction} {presence} {}", template.name_template())
        });
        assert_same(element.name, found, element.pads.iter().copied().map(String::from).collect());
    }
    assert!(inspect("moodplayer").contains("audio/x-raw"));
}

#[test]
fn every_property_has_a_nick_and_a_blurb_of_a_sentence() {
    let mut problems = Vec::new();
    for element in &ELEMENTS {
        for property in element.own_properties() {
            let name = format!("{} {}", element.name, property.name());
            let (nick, blurb) = (property.nick(), property.blurb().unwrap_or_default());
            let starts_with_capital = |text: &str| text.starts_with(|first: char| first.is_uppercase());
            if !starts_with_capital(nick) || nick.contains('-') && !nick.contains(' ') {
                problems.push(format!("{name}: the nick {nick:?} is no title"));
            }
            if !starts_with_capital(blurb) || blurb.split_whitespace().count() < 5 || blurb == nick {
                problems.push(format!("{name}: the blurb {blurb:?} is no sentence"));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_enum_value_is_described() {
    for element in &ELEMENTS {
        for property in element.own_properties() {
            let Some(values) = glib::EnumClass::with_type(property.value_type()) else { continue };
            let is_plugin_api = property.value_type().plugin_api_flags().is_some();
            assert!(is_plugin_api, "{} is not registered as plugin API", property.value_type());
            for value in values.values() {
                let (name, nick) = (value.name(), value.nick());
                assert!(nick.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{nick}");
                assert!(name.starts_with(|first: char| first.is_uppercase()), "{nick}: {name:?}");
                assert!(!name.eq_ignore_ascii_case(nick), "{nick}: its name describes the value: {name:?}");
            }
        }
    }
}

#[test]
fn every_element_has_metadata_and_the_same_author() {
    for element in &ELEMENTS {
        let factory = element.factory();
        let plugin = factory.plugin().expect("a plugin");
        let file = paths::release_folder().join(format!("libgst{}.so", element.plugin));
        assert_eq!(plugin.filename().as_deref(), Some(file.as_path()), "{}", element.name);
        assert_eq!(factory.metadata("author"), Some(AUTHOR), "{}", element.name);
        assert_eq!(plugin.plugin_name(), element.plugin);
        // Of the dual licence, the one that GStreamer has a name for.
        assert_eq!(plugin.license(), "MIT/X11", "{}", element.plugin);
        assert_eq!(plugin.origin(), "https://github.com/gst-mood/gst-mood", "{}", element.plugin);
        for key in ["long-name", "klass", "description"] {
            assert!(factory.metadata(key).is_some_and(|text| !text.is_empty()), "{} {key}", element.name);
        }
    }
}

#[test]
fn every_plugin_lists_its_elements() {
    for plugin in ["facedetect", "emotionclassify", "moodplayer"] {
        // The option --plugin, because OpenCV's plugin has an element called facedetect.
        let mut list = command("gst-inspect-1.0");
        list.args(["--plugin", plugin]);
        let text = run(list, TIMEOUT).assert_success().stdout;
        // The plugin's elements are listed with two spaces of indentation, followed by their long name.
        let found = text.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(": "));
        let found = found.filter(|(name, _)| !name.contains(' ')).map(|(name, _)| name.to_owned());
        let documented = ELEMENTS.iter().filter(|element| element.plugin == plugin);
        assert_same(plugin, found, documented.map(|element| element.name.to_owned()).collect());
        assert!(text.contains("License") && text.contains("MIT"), "{text}");
    }
}

#[test]
fn the_readme_names_existing_elements_and_properties() {
    let readme = fs::read_to_string(paths::workspace_root().join("README.md")).unwrap();
    let table = readme.lines().skip_while(|line| !line.starts_with("| element |"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    let mut named = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`');
        let element = ELEMENTS.iter().find(|element| element.name == name).expect(name);
        for property in cells[3].split(", ").map(|property| property.trim_matches('`')) {
            assert!(element.properties.iter().any(|known| known.0 == property), "{name} has no {property}");
        }
        named.insert(name.to_owned());
    }
    assert_same("README", named, ELEMENTS.iter().map(|element| element.name.to_owned()).collect());
}

#[test]
fn inspecting_prints_nothing_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = ["facedetect", "emotionclassify", "moodplayer"].into_iter();
    for name in plugins.chain(ELEMENTS.iter().map(|element| element.name)) {
        let mut inspect = command("gst-inspect-1.0");
        // Only our plugins: those of the system may print warnings about the machine.
        inspect.env("GST_PLUGIN_SYSTEM_PATH_1_0", "").env("GST_REGISTRY", folder.path().join("registry.bin"));
        inspect.env("G_DEBUG", "fatal-criticals").arg(name);
        let output = run(inspect, TIMEOUT).assert_success();
        assert_eq!(output.stderr, "", "{name}");
    }
}

#[test]
fn opencv_s_plugin_and_ours_work_side_by_side() {
    let mut exists = command("gst-inspect-1.0");
    exists.args(["--exists", "facedetect"]);
    if run(exists, TIMEOUT).code != Some(0) {
        println!("skipped: no element facedetect here; Debian's package gstreamer1.0-opencv has it");
        return;
    }
    // Our plugin facedetect does not hide OpenCV's element facedetect.
    let opencv = inspect("opencv");
    assert!(opencv.contains("libgstopencv.so") && opencv.contains("  facedetect: "), "{opencv}");
    mood_tests::gst_launch(
        "videotestsrc num-buffers=2 ! video/x-raw,width=160,height=120 ! videoconvert ! facedetect ! videoconvert ! \
         haarfacedetect ! emotionclassify ! fakesink",
    )
    .assert_success();
}

#[test]
fn the_filters_keep_the_sequence_numbers_of_events() {
    LazyLock::force(&PLUGINS);
    for name in ["haarfacedetect", "emotionclassify", "emotionoverlay", "emotionlog", "emotionpublish"] {
        let folder = tempfile::tempdir().unwrap();
        let element = gst::ElementFactory::make(name).build().unwrap();
        if name == "emotionlog" {
            element.set_property("location", folder.path().join("log.jsonl").to_str().unwrap());
        }
        if name == "emotionpublish" {
            element.set_property("uri", format!("file://{}/published.jsonl", folder.path().display()));
        }
        let source = gst::Pad::builder(gst::PadDirection::Src).build();
        source.link(&element.static_pad("sink").unwrap()).unwrap();
        let (send, received) = std::sync::mpsc::channel();
        let sink = gst::Pad::builder(gst::PadDirection::Sink)
            .chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok))
            .event_function(move |_, _, event| {
                send.send((event.type_(), event.seqnum())).unwrap();
                true
            })
            .build();
        element.static_pad("src").unwrap().link(&sink).unwrap();
        sink.set_active(true).unwrap();
        source.set_active(true).unwrap();
        element.set_state(gst::State::Playing).unwrap();
        let caps = "video/x-raw,format=GRAY8,width=64,height=48,framerate=25/1".parse::<gst::Caps>().unwrap();
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let mut sent = Vec::new();
        let mut push = |event: gst::Event| {
            sent.push((event.type_(), event.seqnum()));
            assert!(source.push_event(event), "{name}");
        };
        let frame = || {
            let mut buffer = gst::Buffer::from_slice(vec![0u8; 64 * 48]);
            buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
            buffer
        };
        push(gst::event::StreamStart::new("video"));
        push(gst::event::Caps::new(&caps));
        push(gst::event::Segment::new(&segment));
        source.push(frame()).unwrap();
        push(gst::event::SegmentDone::new(gst::ClockTime::SECOND));
        push(gst::event::FlushStart::new());
        push(gst::event::FlushStop::new(true));
        push(gst::event::Segment::new(&segment));
        source.push(frame()).unwrap();
        push(gst::event::Eos::new());
        element.set_state(gst::State::Null).unwrap();
        let kept: Vec<_> = received.try_iter().filter(|event| sent.contains(event)).collect();
        let expected: Vec<_> =
            sent.iter().filter(|(kind, _)| *kind != gst::EventType::Caps).copied().collect();
        let kept: Vec<_> = kept.into_iter().filter(|(kind, _)| *kind != gst::EventType::Caps).collect();
        assert_eq!(kept, expected, "{name}");
    }
}

/// The pages of the elements are written anew where this variable is set.
const UPDATE_VARIABLE: &str = "MOOD_UPDATE_DOCS";

/// The page of an element in docs/elements: what gst-inspect-1.0 shows of it, and the docs in its source.
fn element_page(element: &Element) -> String {
    let factory = element.factory();
    let metadata = |key: &str| factory.metadata(key).unwrap().to_string();
    let folder =
        element_docs::FOLDERS.iter().find(|folder| folder.ends_with(element.name)).expect(element.name);
    let docs = element_docs::head(&element_docs::file(folder));
    let (_, docs) = docs.split_once('\n').unwrap();
    let (prose, examples) = docs.split_once("## Example pipelines").unwrap();
    // Sections of the docs are sections of the page; the tables follow them.
    let mut page = format!(
        "<!-- Made by make element-pages from the element's own docs and from what gst-inspect-1.0 shows. -->\n\n\
         # {}\n\n{}: {}.\n\n{} in plugin `{}`.\n\n{}\n\n",
        element.name,
        metadata("long-name"),
        metadata("description"),
        metadata("klass"),
        element.plugin,
        prose.trim(),
    );
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    page += "## Properties in full\n\n| property | type, range or values | default | may change | |\n|---|---|---|---|---|\n";
    let instance = factory.create().build().unwrap();
    let mut properties = element.own_properties();
    properties.sort_by_key(|property| property.name().to_owned());
    for property in properties {
        let (kind, default, mutability) = describe(&instance, &property);
        let mutability = match mutability {
            ReadOnly => "read only",
            Ready => "in NULL and READY",
            Playing => "always",
        };
        let blurb = cell(property.blurb().unwrap_or_default());
        let default = if default.is_empty() { "empty".to_owned() } else { format!("`{}`", cell(&default)) };
        page +=
            &format!("| `{}` | {} | {default} | {mutability} | {blurb} |\n", property.name(), cell(&kind));
    }
    page += "\n## Pad templates\n\n";
    for template in factory.static_pad_templates() {
        let (direction, presence) =
            (format!("{:?}", template.direction()), format!("{:?}", template.presence()));
        /// No list that an element itself states is as long.
        const MANY_FORMATS: usize = 80;
        let formats = template.caps().structure(0).and_then(|caps| caps.get::<gst::List>("format").ok());
        let caps = match formats {
            // Which ones depends on GStreamer's version.
            Some(formats) if formats.len() > MANY_FORMATS => {
                "raw video of nearly every format that GStreamer has".to_owned()
            }
            _ => format!("`{}`", template.caps()),
        };
        page += &format!("- `{}`, {direction}, {presence}: {caps}\n", template.name_template());
    }
    if !element.signals.is_empty() {
        page += "\n## Signals in full\n\n";
        for signal in element.signals {
            page += &format!("- {signal}\n");
        }
    }
    page += &format!("\n## Example pipelines\n\n{}\n", examples.trim());
    page
}

#[test]
fn the_pages_of_the_elements_are_up_to_date() {
    let folder = paths::workspace_root().join("docs/elements");
    for element in &ELEMENTS {
        let page = element_page(element);
        let path = folder.join(format!("{}.md", element.name));
        if std::env::var_os(UPDATE_VARIABLE).is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        // Not the pages: their difference would be long.
        let first = page.lines().zip(found.lines()).find(|(made, found)| made != found);
        assert!(page == found, "{}: run make element-pages; {first:#?}", path.display());
    }
}
