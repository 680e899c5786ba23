//! `gst-mood doctor` on this machine and on broken ones, and the command's exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::thread;
use std::time::Duration;

use mood_tests::process::{LIMIT, Running};
use mood_tests::{gst_mood, place, run};
use serde_json::Value;

fn findings(json: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    json["findings"].as_array().unwrap().clone()
}

fn find<'a>(findings: &'a [Value], name: &str) -> &'a Value {
    findings
        .iter()
        .find(|finding| finding["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {findings:?}"))
}

#[test]
fn this_machine_is_well() {
    let done = run(gst_mood(&["doctor"]), LIMIT).ok();
    let json = findings(&run(gst_mood(&["doctor", "--json"]), LIMIT).ok().stdout);
    for name in [
        "GStreamer",
        "plugin facedetect",
        "plugin emotionclassify",
        "plugin moodplayer",
        "cascade frontalface_default",
        "ONNX Runtime",
        "model",
    ] {
        let finding = find(&json, name);
        assert_eq!(finding["found"], true, "{finding}");
        assert!(done.stdout.contains(name), "{name}\n{done}");
    }
    let release = place::release().display().to_string();
    assert!(find(&json, "plugin moodplayer")["detail"].as_str().unwrap().contains(&release), "{json:?}");
    assert!(find(&json, "ONNX Runtime")["detail"].as_str().unwrap().contains("onnxruntime"), "{json:?}");
    assert!(json.iter().all(|finding| finding["found"] == true || finding["needed"] == false), "{json:?}");
    for device in ["camera", "audio sink"] {
        assert_eq!(find(&json, device)["needed"], false);
    }
}

#[test]
fn a_runtime_that_is_not_there_is_told_with_the_remedy() {
    for json in [false, true] {
        let mut doctor = gst_mood(if json { &["doctor", "--json"] } else { &["doctor"] });
        doctor.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
        let done = run(doctor, LIMIT);
        assert_eq!(done.code, Some(3), "{done}");
        assert!(done.stdout.contains("/nowhere/libonnxruntime.so"), "{done}");
        assert!(done.stdout.contains("correct runtime-library or ORT_DYLIB_PATH"), "{done}");
        if json {
            let runtime = findings(&done.stdout);
            assert_eq!(find(&runtime, "ONNX Runtime")["found"], false);
        }
    }
}

#[test]
fn missing_elements_are_told_with_their_packages() {
    let folder = tempfile::tempdir().unwrap();
    let mut doctor = gst_mood(&["doctor"]);
    doctor.env("GST_PLUGIN_PATH", "").env("GST_PLUGIN_SYSTEM_PATH_1_0", folder.path());
    doctor.env("GST_REGISTRY", folder.path().join("registry.bin"));
    let done = run(doctor, LIMIT);
    assert_eq!(done.code, Some(3), "{done}");
    for remedy in
        ["install gstreamer1.0-plugins-base", "install gstreamer1.0-libav", "export GST_PLUGIN_PATH="]
    {
        assert!(done.stdout.contains(remedy), "{remedy}\n{done}");
    }
}

#[test]
fn what_was_typed_wrongly_exits_with_2() {
    for arguments in [&["dokter"][..], &["doctor", "--jsn"], &["demo", "--output"], &[]] {
        let done = run(gst_mood(arguments), LIMIT);
        assert_eq!(done.code, Some(2), "{arguments:?}\n{done}");
        assert!(done.stderr.contains("--help"), "{arguments:?}\n{done}");
    }
    run(gst_mood(&["--version"]), LIMIT).ok();
    assert!(run(gst_mood(&["--help"]), LIMIT).ok().stdout.contains("doctor"));
}

#[test]
fn a_demo_that_cannot_be_written_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let done = run(gst_mood(&["demo", "--output", file.to_str().unwrap()]), LIMIT);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains(file.to_str().unwrap()), "{done}");
}

#[test]
fn a_demo_without_a_runtime_refers_to_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = gst_mood(&["demo", "--output", folder.path().to_str().unwrap()]);
    demo.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
    let done = run(demo, LIMIT);
    assert_eq!(done.code, Some(3), "{done}");
    assert!(done.stderr.contains("/nowhere/libonnxruntime.so") && done.stderr.contains("doctor"), "{done}");
}

#[test]
fn ctrl_c_ends_a_demo_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Running::start(gst_mood(&["demo", "--output", folder.path().to_str().unwrap()]));
    thread::sleep(Duration::from_millis(1500));
    demo.signal("INT");
    let done = demo.finish(Duration::from_secs(20));
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("gst-mood: interrupted"), "{done}");
}
