//! The scripts of pipelines/, run as a user runs them, without interaction.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mood_tests::process::TIMEOUT;
use mood_tests::sandbox::turn_when_shown;
use mood_tests::{Timeline, audio, command, media, pipeline_script, run};
use tempfile::TempDir;

/// A talking head, about 2.4 s with audio.
const CLIP: &str = "video/single_face.mp4";

#[test]
fn annotate_writes_a_video_with_a_soundtrack() {
    let Some(clip) = media(CLIP) else { return };
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("annotated.mp4");
    let mut annotate = pipeline_script("annotate.sh");
    annotate.arg(clip).arg(audio::make_library(&folder.path().join("music"))).arg(&out);
    run(annotate, TIMEOUT).assert_success();
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0"]).arg(&out);
    let streams = run(probe, TIMEOUT).assert_success().stdout;
    let streams: Vec<(&str, f64)> = streams
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(codec, seconds)| (codec, seconds.parse().unwrap()))
        .collect();
    let codecs: Vec<&str> = streams.iter().map(|(codec, _)| *codec).collect();
    assert_eq!(codecs, ["h264", "aac"]);
    assert!(streams.iter().all(|(_, seconds)| (seconds - 2.4).abs() < 0.2), "{streams:?}");
    let music = Timeline::read(&folder.path().join("annotated.mp4.music.jsonl"));
    assert!(music.end.is_some());
}

#[test]
fn timeline_writes_either_format() {
    let Some(clip) = media(CLIP) else { return };
    let folder = TempDir::new().unwrap();
    let out = ["out.jsonl", "out.csv"].map(|name| folder.path().join(name));
    for out in &out {
        let mut timeline = pipeline_script("timeline.sh");
        timeline.arg(&clip).arg(out);
        run(timeline, TIMEOUT).assert_success();
    }
    let faces = Timeline::read(&out[0]).frames.iter().map(|frame| frame.faces.len()).sum::<usize>();
    let rows = fs::read_to_string(&out[1]).unwrap();
    assert!(rows.starts_with("frame,timestamp,face_id"), "{rows}");
    assert_eq!(rows.lines().count(), 1 + faces);
}

#[test]
fn a_phone_held_upright_is_turned_in_every_pipeline_over_a_file() {
    let Some(clip) = media(CLIP) else { return };
    let folder = TempDir::new().unwrap();
    let [phone, out] = ["phone.mp4", "out.jsonl"].map(|name| folder.path().join(name));
    // The pictures lie on their side, and the container says how to turn them.
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(clip);
    ffmpeg.args(["-t", "0.5", "-an", "-vf", "transpose=clock"]).arg(&phone);
    run(ffmpeg, TIMEOUT).assert_success();
    turn_when_shown(&phone, 270);
    let mut timeline = pipeline_script("timeline.sh");
    timeline.arg(&phone).arg(&out);
    run(timeline, TIMEOUT).assert_success();
    let frames = Timeline::read(&out).frames;
    let found = frames.iter().filter(|frame| !frame.faces.is_empty()).count();
    assert!(found > 0 && found + 2 >= frames.len(), "{found} of {}", frames.len());
    // The others decode in the same way.
    let root = mood_tests::paths::workspace_root();
    let texts = walkdir::WalkDir::new(&root).max_depth(6).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || ["README.md", "docs", "pipelines", "plugins", "src"].contains(&&*name)
            || entry.depth() > 1 && name != "target"
    });
    for path in texts.flatten().map(walkdir::DirEntry::into_path).filter(|path| path.is_file()) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let is_example = |line: &&str| line.contains("filesrc") && line.contains("! decodebin !");
        for line in text
            .lines()
            .filter(is_example)
            .filter(|_| path.extension().is_some_and(|kind| kind != "rs") || path.ends_with("mod.rs"))
        {
            assert!(line.contains("videoflip"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn detect_prints_messages() {
    let Some(clip) = media(CLIP) else { return };
    for eyes in ["", "eye"] {
        let mut detect = pipeline_script("detect.sh");
        detect.arg(&clip).env("EYES", eyes);
        let output = run(detect, TIMEOUT).assert_success();
        assert!(output.stdout.contains("faces, timestamp="), "{output}");
    }
}

/// A music library, and the description of a live source of two seconds that replaces a camera.
fn library_and_camera(folder: &Path) -> (std::path::PathBuf, String) {
    let camera = match media(CLIP) {
        Some(clip) => format!("filesrc location={} ! decodebin ! identity sync=true", clip.display()),
        None => "videotestsrc num-buffers=50 is-live=true".into(),
    };
    (audio::make_library(&folder.join("music")), camera)
}

#[test]
fn live_plays_until_the_camera_ends() {
    let folder = TempDir::new().unwrap();
    let (music, recording) = library_and_camera(folder.path());
    for camera in ["videotestsrc num-buffers=50 is-live=true", &recording] {
        let mut live = pipeline_script("live.sh");
        live.arg(&music).env("CAMERA", camera);
        live.env("VIDEO_SINK", "fakesink sync=true").env("AUDIO_SINK", "fakesink sync=true");
        run(live, TIMEOUT).assert_success();
    }
}

#[test]
fn two_cameras_play_until_both_end() {
    let folder = TempDir::new().unwrap();
    let (music, recording) = library_and_camera(folder.path());
    let mut two = pipeline_script("two-cameras.sh");
    two.arg(&music).env("CAMERA_1", "videotestsrc num-buffers=50 is-live=true").env("CAMERA_2", recording);
    two.env("AUDIO_SINK", "fakesink sync=true");
    run(two, TIMEOUT).assert_success();
}

#[test]
fn wrong_arguments_are_reported_with_the_usage() {
    for name in [
        "annotate.sh",
        "timeline.sh",
        "detect.sh",
        "live.sh",
        "two-cameras.sh",
        "two-rooms.sh",
        "ges-effect.sh",
    ] {
        let output = run(pipeline_script(name), TIMEOUT);
        assert!(output.code == Some(2) && output.stderr.contains("usage: "), "{name}\n{output}");
        let mut missing = pipeline_script(name);
        missing.args(["/nowhere", "/nowhere", "/nowhere"].iter().take(match name {
            "annotate.sh" => 3,
            "timeline.sh" | "ges-effect.sh" => 2,
            _ => 1,
        }));
        let output = run(missing, TIMEOUT);
        assert!(
            output.code == Some(1) && output.stderr.contains("/nowhere: no such file"),
            "{name}\n{output}"
        );
    }
}

#[test]
fn packages_are_installed_without_starting_services_and_the_policy_of_the_machine_comes_back() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write_program = |name: &str, text: &str| {
        fs::write(path(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    // What invoke-rc.d asks before a package's service is started; then the installation may fail.
    write_program(
        "apt-get",
        "[ $1 = update ] || { \"$POLICY_RC_D\" mosquitto start; echo asked $? \"$@\"; [ $5 != none ]; }",
    );
    write_program("systemctl", "echo systemctl \"$@\"");
    let install = |package: &str| {
        let mut install = command(mood_tests::paths::workspace_root().join("scripts/apt_install.sh"));
        let search = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        install.arg(package).env("PATH", search).env("POLICY_RC_D", path("policy-rc.d"));
        run(install, TIMEOUT)
    };
    let output = install("mosquitto").assert_success();
    assert!(output.stdout.contains("asked 101 install -y -qq --no-install-recommends mosquitto"), "{output}");
    assert!(output.stdout.contains("systemctl --system disable mosquitto.service"), "{output}");
    assert!(!path("policy-rc.d").exists());
    write_program("policy-rc.d", "exit 104");
    // A run that was killed.
    fs::rename(path("policy-rc.d"), path("policy-rc.d.before-gst-mood")).unwrap();
    write_program("policy-rc.d", "# Written by gst-mood while packages are installed.\nexit 101");
    for (package, code) in [("mpd", 0), ("none", 1)] {
        assert_eq!(install(package).code, Some(code), "{package}");
        assert_eq!(fs::read_to_string(path("policy-rc.d")).unwrap(), "#!/bin/sh\nexit 104\n", "{package}");
        assert!(!path("policy-rc.d.before-gst-mood").exists());
    }
}

#[test]
fn every_python_package_is_pinned_with_its_checksums() {
    let root = mood_tests::paths::workspace_root();
    let folders = ["tests/readers", "pipelines/cluster", "packaging", "benches", "training"];
    for folder in folders {
        let read = |name: &str| fs::read_to_string(root.join(folder).join(name)).unwrap();
        let pinned = read("requirements.txt");
        // A package and its checksums are one line, continued with backslashes.
        let lines: Vec<String> = pinned.replace("\\\n", " ").lines().map(str::to_lowercase).collect();
        let packages: Vec<&String> = lines.iter().filter(|line| line.contains("==")).collect();
        assert!(
            packages.iter().all(|line| line.contains("--hash=sha256:")),
            "{folder}: run scripts/pin_wheels.sh"
        );
        let named = read("requirements.in").to_lowercase();
        for wanted in named.lines().filter(|line| line.contains("==")) {
            // Hyphens, underscores and dots are the same to pip.
            let normal = |text: &str| text.trim().replace(['_', '.'], "-");
            let is_pinned =
                packages.iter().any(|line| normal(line).starts_with(&format!("{} ", normal(wanted))));
            assert!(is_pinned, "{folder}: {wanted}: run scripts/pin_wheels.sh");
        }
    }
}

#[test]
fn the_notices_have_the_licence_of_every_crate_that_is_linked_in() {
    let folder = TempDir::new().unwrap();
    let notices = folder.path().join("notices.txt");
    let mut script = command(mood_tests::paths::workspace_root().join("scripts/third_party.py"));
    script.arg("notices").arg(&notices);
    run(script, TIMEOUT).assert_success();
    let text = fs::read_to_string(&notices).unwrap();
    let (names, texts) = text.split_once(&"=".repeat(80)).unwrap();
    let crates: Vec<&str> = names.lines().skip(2).filter(|line| !line.is_empty()).collect();
    assert!(crates.len() > 100 && crates.iter().any(|line| line.starts_with("gstreamer 0.")), "{crates:#?}");
    for line in crates {
        let (name, _) = line.split_once(": ").unwrap();
        assert!(texts.contains(name), "{name} has no text");
    }
    // Of tests and build scripts nothing is shipped, and what is ours is under the licences beside the notices.
    assert!(
        ["gst-plugin-version-helper", "allocation-counter", "mood-meta"]
            .iter()
            .all(|name| !names.contains(name))
    );
}
