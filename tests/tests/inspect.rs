//! `gst-inspect-1.0` shows every plugin and element as documented, quietly, also with OpenCV's plugin beside ours.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use mood_tests::process::TIMEOUT;
use mood_tests::{command, paths, run};

/// A property: its type as gst-inspect-1.0 names it, and its default.
type Expected = (&'static str, &'static str, &'static str);

const NANOSECONDS: &str = "Unsigned Integer64";

const HAARFACEDETECT: &[Expected] = &[
    ("cascade", "String", "\"frontalface_default\""),
    ("eyes-cascade", "String", "\"\""),
    ("scale-factor", "Double", "1.2"),
    ("min-neighbors", "Unsigned Integer", "3"),
    ("min-size", "Unsigned Integer", "0"),
    ("max-size", "Unsigned Integer", "0"),
    ("scan-interval", NANOSECONDS, "0"),
    ("max-faces", "Unsigned Integer", "0"),
    ("threads", "Unsigned Integer", "0"),
    ("messages", "Enum", "\"none\""),
];

const EMOTIONCLASSIFY: &[Expected] = &[
    ("model", "String", "\"\""),
    ("runtime-library", "String", "\"\""),
    ("execution-provider", "Enum", "\"cpu\""),
    ("interval", NANOSECONDS, "0"),
    ("margin", "Double", ""),
    ("smoothing", NANOSECONDS, "300000000"),
    ("min-confidence", "Double", "0.4"),
    ("min-quality", "Double", "0.3"),
    ("messages", "Enum", "\"on-change\""),
];

const EMOTIONOVERLAY: &[Expected] = &[
    ("show-distribution", "Boolean", "true"),
    ("show-id", "Boolean", "true"),
    ("blur-faces", "Boolean", "false"),
    ("font-scale", "Double", "1"),
];

const EMOTIONLOG: &[Expected] =
    &[("location", "String", "null"), ("format", "Enum", "\"jsonl\""), ("append", "Boolean", "false")];

const MOODPLAYER: &[Expected] = &[
    ("library", "String", "null"),
    ("strategy", "Enum", "\"match\""),
    ("target-valence", "Double", "0.5"),
    ("target-arousal", "Double", "-0.3"),
    ("subject", "String", "\"largest\""),
    ("hold-time", NANOSECONDS, "2000000000"),
    ("min-dwell", NANOSECONDS, "20000000000"),
    ("switch-at", "Enum", "\"now\""),
    ("crossfade", NANOSECONDS, "4000000000"),
    ("target-lufs", "Double", "-16"),
    ("resume", "Enum", "\"next\""),
    ("no-repeat", "Unsigned Integer", "3"),
    ("on-no-face", "Enum", "\"hold\""),
    ("manual-mood", "String", "\"\""),
    ("max-negative-time", NANOSECONDS, "0"),
    ("allow-network", "Boolean", "false"),
    ("seed", NANOSECONDS, "0"),
    ("log-location", "String", "null"),
    ("mood", "String", ""),
    ("track", "String", ""),
];

const ELEMENTS: [(&str, &str, &[Expected]); 5] = [
    ("haarfacedetect", "facedetect", HAARFACEDETECT),
    ("emotionclassify", "emotionclassify", EMOTIONCLASSIFY),
    ("emotionoverlay", "emotionclassify", EMOTIONOVERLAY),
    ("emotionlog", "emotionclassify", EMOTIONLOG),
    ("moodplayer", "moodplayer", MOODPLAYER),
];

/// What gst-inspect-1.0 says of `what`, among all the system's plugins.
fn inspect(what: &str) -> String {
    let mut inspect = command("gst-inspect-1.0");
    inspect.arg(what);
    run(inspect, TIMEOUT).assert_success().stdout
}

/// The lines of each property, joined.
fn properties(text: &str) -> BTreeMap<&str, String> {
    let mut properties: BTreeMap<&str, String> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().skip_while(|line| *line != "Element Properties:").skip(1) {
        // A new property stands two columns in; what belongs to it further.
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            Some(rest) => current = rest.split_once(':').map(|(name, _)| name.trim()),
            None if !line.starts_with(' ') && !line.is_empty() => break,
            None => {}
        }
        if let Some(name) = current {
            let text = properties.entry(name).or_default();
            text.push_str(line.trim());
            text.push('\n');
        }
    }
    properties
}

fn default_of(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.contains("Default:"))?;
    // An enum's default stands as number and nick, with its type name before.
    let value = line.rsplit_once("Default: ")?.1.trim();
    Some(value.split_once(", ").map_or(value, |(_, nick)| nick))
}

#[test]
fn every_element_has_its_properties() {
    for (element, plugin, expected) in ELEMENTS {
        let text = inspect(element);
        let file = paths::release_folder().join(format!("libgst{plugin}.so"));
        assert!(text.contains(&file.display().to_string()), "{element} comes from elsewhere:\n{text}");
        let properties = properties(&text);
        for &(name, kind, default) in expected {
            let text =
                properties.get(name).unwrap_or_else(|| panic!("{element} has no {name}: {properties:?}"));
            assert!(text.lines().any(|line| line.starts_with(kind)), "{element} {name} is no {kind}: {text}");
            assert!(
                default_of(text).is_some_and(|found| found.starts_with(default)),
                "{element} {name}: {text}"
            );
            let writable = !matches!(name, "mood" | "track");
            assert_eq!(text.contains("writable"), writable, "{element} {name}: {text}");
            assert!(!writable || text.contains("changeable"), "{element} {name} says not when: {text}");
        }
    }
}

#[test]
fn every_plugin_lists_its_elements() {
    for plugin in ["facedetect", "emotionclassify", "moodplayer"] {
        // As a plugin: OpenCV's has an element called facedetect.
        let mut list = command("gst-inspect-1.0");
        list.args(["--plugin", plugin]);
        let text = run(list, TIMEOUT).assert_success().stdout;
        for (element, _, _) in ELEMENTS.iter().filter(|(_, of, _)| *of == plugin) {
            assert!(text.contains(&format!("  {element}: ")), "{plugin}: {text}");
        }
        assert!(text.contains("License") && text.contains("MIT"), "{text}");
    }
}

#[test]
fn the_player_has_its_pads_and_actions() {
    let text = inspect("moodplayer");
    for part in ["SINK template: 'mood'", "SINK template: 'mood_%u'", "SRC template: 'src'", "audio/x-raw"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for action in ["skip", "fade-out", "rate"] {
        assert!(text.contains(&format!("\"{action}\"")), "{action} in {text}");
    }
}

#[test]
fn loading_and_inspecting_says_nothing_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    for what in
        ["facedetect", "emotionclassify", "moodplayer", "haarfacedetect", "emotionoverlay", "emotionlog"]
    {
        let mut inspect = command("gst-inspect-1.0");
        // Ours alone: the system's plugins may complain of the machine.
        inspect.env("GST_PLUGIN_SYSTEM_PATH_1_0", "").env("GST_REGISTRY", folder.path().join("registry.bin"));
        inspect.env("G_DEBUG", "fatal-criticals").arg(what);
        let output = run(inspect, TIMEOUT).assert_success();
        assert_eq!(output.stderr, "", "{what}");
    }
}

#[test]
fn opencv_s_plugin_and_ours_live_side_by_side() {
    let mut exists = command("gst-inspect-1.0");
    exists.args(["--exists", "facedetect"]);
    if run(exists, TIMEOUT).code != Some(0) {
        println!("skipped: no element facedetect here; Debian's package gstreamer1.0-opencv has it");
        return;
    }
    // Our plugin of that name is not in the way of their element of that name.
    let theirs = inspect("opencv");
    assert!(theirs.contains("libgstopencv.so") && theirs.contains("  facedetect: "), "{theirs}");
    let launch = mood_tests::gst_launch(
        "videotestsrc num-buffers=2 ! video/x-raw,width=160,height=120 ! videoconvert ! facedetect ! videoconvert ! \
         haarfacedetect ! emotionclassify ! fakesink",
    );
    launch.assert_success();
}
