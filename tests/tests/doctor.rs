//! `gst-mood doctor` on this machine and in broken environments, and the exit codes of `gst-mood`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::thread;
use std::time::Duration;

use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::{gst_mood, paths, run};
use serde_json::Value;

/// The findings in the output of `doctor --json`.
fn parse_findings(json: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    json["findings"].as_array().unwrap().clone()
}

/// The finding with the given name.
fn find_by_name<'a>(findings: &'a [Value], name: &str) -> &'a Value {
    findings
        .iter()
        .find(|finding| finding["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {findings:?}"))
}

#[test]
fn doctor_finds_everything_on_this_machine() {
    let output = run(gst_mood(&["doctor"]), TIMEOUT).assert_success();
    let json = parse_findings(&run(gst_mood(&["doctor", "--json"]), TIMEOUT).assert_success().stdout);
    for name in [
        "GStreamer",
        "plugin facedetect",
        "plugin emotionclassify",
        "plugin moodplayer",
        "cascade frontalface_default",
        "ONNX Runtime",
        "model",
    ] {
        let finding = find_by_name(&json, name);
        assert_eq!(finding["found"], true, "{finding}");
        assert!(output.stdout.contains(name), "{name}\n{output}");
    }
    let release = paths::release_folder().display().to_string();
    assert!(
        find_by_name(&json, "plugin moodplayer")["detail"].as_str().unwrap().contains(&release),
        "{json:?}"
    );
    assert!(
        find_by_name(&json, "ONNX Runtime")["detail"].as_str().unwrap().contains("onnxruntime"),
        "{json:?}"
    );
    assert!(json.iter().all(|finding| finding["found"] == true || finding["needed"] == false), "{json:?}");
    for device in ["camera", "audio sink", "video sink", "D-Bus"] {
        assert_eq!(find_by_name(&json, device)["needed"], false);
    }
}

#[test]
fn a_missing_runtime_is_reported_with_the_remedy() {
    for json in [false, true] {
        let mut doctor = gst_mood(if json { &["doctor", "--json"] } else { &["doctor"] });
        doctor.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
        let output = run(doctor, TIMEOUT);
        assert_eq!(output.code, Some(3), "{output}");
        assert!(output.stdout.contains("/nowhere/libonnxruntime.so"), "{output}");
        assert!(output.stdout.contains("correct runtime-library or ORT_DYLIB_PATH"), "{output}");
        if json {
            let runtime = parse_findings(&output.stdout);
            assert_eq!(find_by_name(&runtime, "ONNX Runtime")["found"], false);
        }
    }
}

#[test]
fn a_display_and_a_session_bus_are_tried() {
    for (display, remedies) in [
        ("", &["no display"][..]),
        (":77", &["install gstreamer1.0-x or gstreamer1.0-gl", "cannot open the display DISPLAY"]),
    ] {
        let mut doctor = gst_mood(&["doctor", "--json"]);
        doctor.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
        if !display.is_empty() {
            doctor.env("DISPLAY", display);
        }
        let json = parse_findings(&run(doctor, TIMEOUT).assert_success().stdout);
        let sink = find_by_name(&json, "video sink");
        let detail = sink["detail"].as_str().unwrap();
        assert!(sink["found"] == false && remedies.iter().any(|remedy| detail.contains(remedy)), "{sink}");
        let bus = find_by_name(&json, "D-Bus");
        assert!(
            bus["found"] == false && bus["detail"].as_str().unwrap().contains("dbus-user-session"),
            "{bus}"
        );
    }
}

#[test]
fn missing_elements_are_reported_with_their_packages() {
    let folder = tempfile::tempdir().unwrap();
    let mut doctor = gst_mood(&["doctor"]);
    doctor.env("GST_PLUGIN_PATH", "").env("GST_PLUGIN_SYSTEM_PATH_1_0", folder.path());
    doctor.env("GST_REGISTRY", folder.path().join("registry.bin"));
    let output = run(doctor, TIMEOUT);
    assert_eq!(output.code, Some(3), "{output}");
    for remedy in
        ["install gstreamer1.0-plugins-base", "install gstreamer1.0-libav", "export GST_PLUGIN_PATH="]
    {
        assert!(output.stdout.contains(remedy), "{remedy}\n{output}");
    }
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [&["dokter"][..], &["doctor", "--jsn"], &["demo", "--output"], &[]] {
        let output = run(gst_mood(arguments), TIMEOUT);
        assert_eq!(output.code, Some(2), "{arguments:?}\n{output}");
        assert!(output.stderr.contains("--help"), "{arguments:?}\n{output}");
    }
    run(gst_mood(&["--version"]), TIMEOUT).assert_success();
    assert!(run(gst_mood(&["--help"]), TIMEOUT).assert_success().stdout.contains("doctor"));
}

#[test]
fn a_demo_with_an_unwritable_output_folder_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let output = run(gst_mood(&["demo", "--output", file.to_str().unwrap()]), TIMEOUT);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains(file.to_str().unwrap()), "{output}");
}

#[test]
fn a_demo_without_a_runtime_refers_to_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = gst_mood(&["demo", "--output", folder.path().to_str().unwrap()]);
    demo.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so");
    let output = run(demo, TIMEOUT);
    assert_eq!(output.code, Some(3), "{output}");
    assert!(
        output.stderr.contains("/nowhere/libonnxruntime.so") && output.stderr.contains("doctor"),
        "{output}"
    );
}

#[test]
fn ctrl_c_ends_a_demo_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let demo = RunningProcess::start(gst_mood(&["demo", "--output", folder.path().to_str().unwrap()]));
    thread::sleep(Duration::from_millis(1500));
    demo.signal("INT");
    let output = demo.wait(Duration::from_secs(20));
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("gst-mood: interrupted"), "{output}");
}
