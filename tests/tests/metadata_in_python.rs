//! The metadata read by other programs, without code of ours: from Python through PyGObject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::process::Command;

use mood_tests::process::TIMEOUT;
use mood_tests::{audio, command, media, paths, run};
use tempfile::TempDir;

/// Debian's Python, which has PyGObject; `None` with a printed reason where it is missing.
fn python() -> Option<Command> {
    for name in ["/usr/bin/python3", "python3"] {
        let mut probe = Command::new(name);
        let imports = "import gi; gi.require_version('GstVideo', '1.0'); from gi.repository import Gst, GstVideo; \
                     Gst.init(None); Gst.Structure.new_empty('a').get_value";
        if probe.args(["-c", imports]).output().is_ok_and(|output| output.status.success()) {
            return Some(command(name));
        }
    }
    println!("skipped: no Python with PyGObject; Debian's packages python3-gi and python3-gst-1.0 have it");
    None
}

#[test]
fn read_meta_prints_one_line_per_face() {
    let (Some(mut python), Some(clip)) = (python(), media("video/single_face.mp4")) else { return };
    // It finds the built plugins by itself.
    python
        .env_remove("GST_PLUGIN_PATH")
        .arg(paths::workspace_root().join("pipelines/read_meta.py"))
        .arg(clip);
    let output = run(python, TIMEOUT).assert_success();
    let lines: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines.len() > 60, "{output}");
    for line in lines {
        assert_eq!(line.len(), 6, "{line:?}");
        assert!(
            ["neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "uncertain"]
                .contains(&line[2])
        );
        let confidence: f64 = line[3].parse().unwrap();
        assert!((0.0..=1.0).contains(&confidence), "{line:?}");
    }
}

#[test]
fn read_meta_reports_a_missing_file() {
    let Some(mut python) = python() else { return };
    python.arg(paths::workspace_root().join("pipelines/read_meta.py")).arg("/nowhere/clip.mp4");
    let output = run(python, TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("/nowhere/clip.mp4"), "{output}");
    assert!(!output.stderr.contains("Traceback"), "{output}");
}

/// A program that compares the params of the regions, by DL Streamer's conventions, with the custom meta of the same face.
const COMPARE_METADATA: &str = r#"
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstVideo
Gst.init(None)
line = "filesrc name=source ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! fakesink name=sink"
pipeline = Gst.parse_launch(line)
pipeline.get_by_name("source").set_property("location", sys.argv[1])
labels = []

def inspect(pad, info):
    try:
        buffer = info.get_buffer()
        # What Caps.get_structure() returns depends on the version of gst-python.
        video = GstVideo.VideoInfo.new_from_caps(pad.get_current_caps())
        width, height = video.width, video.height
        custom = buffer.get_custom_meta("GstMoodFrame").get_structure()
        assert custom.get_value("version") == 1
        for face in custom.get_value("faces"):
            region = GstVideo.buffer_get_video_region_of_interest_meta_id(buffer, face.get_value("id"))
            assert GLib.quark_to_string(region.roi_type) == "face"
            found = region.get_param("detection")
            for low, high, start, length, side in (
                ("x_min", "x_max", region.x, region.w, width), ("y_min", "y_max", region.y, region.h, height)
            ):
                assert abs(found.get_value(low) - start / side) < 1e-6, found.to_string()
                assert abs(found.get_value(high) - (start + length) / side) < 1e-6, found.to_string()
            assert 0 <= found.get_value("confidence") <= 1 and found.get_value("label_id") is not None
            assert abs(face.get_value("x") - region.x / width) < 1e-6
            result = region.get_param("classification")
            for name in ("label", "confidence"):
                assert result.get_value(name) == face.get_value(name), (result.to_string(), face.to_string())
            assert result.get_value("label_id") == face.get_value("label-id")
            assert result.get_value("attribute_name") == "emotion" and result.get_value("model_name")
            assert result.get_value("type") == "classification_result"
            probabilities = list(face.get_value("probabilities"))
            assert len(probabilities) == 7 and abs(sum(probabilities) - 1) < 1e-3
            labels.append(face.get_value("label"))
    except BaseException as error:
        labels.append(error)
        raise
    return Gst.PadProbeReturn.OK

pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, inspect)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
assert message and message.type == Gst.MessageType.EOS, message
assert len(labels) > 60 and all(isinstance(label, str) for label in labels), labels
"#;

#[test]
fn regions_follow_dl_streamer_s_conventions() {
    let (Some(mut python), Some(clip)) = (python(), media("video/single_face.mp4")) else { return };
    python.args(["-c", COMPARE_METADATA]).arg(clip);
    run(python, TIMEOUT).assert_success();
}

/// A program that pauses, resumes and seeks a pipeline with a player, and plays it to its end.
const SEEK: &str = r#"
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
clip, music, log = sys.argv[1:]
pipeline = Gst.parse_launch(
    "filesrc name=source ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify ! emotionlog name=log ! "
    "queue ! player.mood moodplayer name=player on-no-face=neutral hold-time=0 ! fakesink name=sink"
)
for element, name, value in (
    ("source", "location", clip), ("log", "location", log), ("player", "library", music), ("player", "seed", 7)
):
    pipeline.get_by_name(element).set_property(name, value)
bus = pipeline.get_bus()
last = [0]

def record_position(pad, info):
    segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
    last[0] = segment.to_stream_time(Gst.Format.TIME, info.get_buffer().pts)
    return Gst.PadProbeReturn.OK

def wait_for_state():
    result = pipeline.get_state(30 * Gst.SECOND)
    assert result[0] in (Gst.StateChangeReturn.SUCCESS, Gst.StateChangeReturn.NO_PREROLL), result

pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, record_position)
pipeline.set_state(Gst.State.PAUSED)
wait_for_state()
assert pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT, 1 * Gst.SECOND)
wait_for_state()
pipeline.set_state(Gst.State.PLAYING)
wait_for_state()
pipeline.set_state(Gst.State.PAUSED)
wait_for_state()
pipeline.set_state(Gst.State.PLAYING)
assert pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE, 2 * Gst.SECOND)
message = bus.timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
assert message and message.type == Gst.MessageType.EOS, message and message.parse_error()
pipeline.set_state(Gst.State.NULL)
print(last[0] / Gst.SECOND)
"#;

#[test]
fn pause_resume_and_seek_reach_the_end() {
    let (Some(mut python), Some(clip)) = (python(), media("video/no_face.mp4")) else { return };
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("out.jsonl");
    python.args(["-c", SEEK]).arg(clip).arg(audio::make_library(&folder.path().join("music"))).arg(&log);
    let output = run(python, TIMEOUT).assert_success();
    let end: f64 = output.stdout.trim().parse().unwrap();
    assert!((3.8..4.0).contains(&end), "the last audio buffer is at {end} s of 3.9");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.lines().last().unwrap().contains("\"end\""), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<mood_schema::Line>(line).is_ok()));
}
