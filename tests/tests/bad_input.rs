//! Bad input of every kind: the process ends in time, with an error that names the cause and the remedy.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mood_schema::TrackEvent;
use mood_tests::audio::{self, RATE};
use mood_tests::process::{RunningProcess, shell};
use mood_tests::{ProcessOutput, Timeline, gst_launch, media};
use tempfile::TempDir;

/// Two seconds of video without faces.
const VIDEO: &str = "videotestsrc num-buffers=50 ! video/x-raw,width=160,height=120,framerate=25/1";

/// Live video, which starts in PLAYING. gst-launch-1.0 of GStreamer 1.22 sometimes waits forever after an error that comes
/// during preroll (`videotestsrc num-buffers=50 ! identity error-after=1 ! fakesink`).
const LIVE_VIDEO: &str =
    "videotestsrc is-live=true num-buffers=500 ! video/x-raw,width=160,height=120,framerate=25/1";

/// Runs two seconds of video through one filter.
fn run_filter(element: &str) -> ProcessOutput {
    gst_launch(&format!("{VIDEO} ! {element} ! fakesink"))
}

/// Runs `moodplayer` on two seconds of video without faces.
fn run_player(properties: &str) -> ProcessOutput {
    gst_launch(&format!("{VIDEO} ! player.mood moodplayer name=player {properties} ! fakesink"))
}

/// 20,000 pseudo-random bytes.
fn garbage() -> Vec<u8> {
    (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn a_missing_cascade_is_an_error() {
    run_filter("haarfacedetect cascade=/nowhere/x.xml").assert_error(&[
        "/nowhere/x.xml",
        "opencv-data",
        "GST_MOOD_CASCADE_PATH",
    ]);
    run_filter("haarfacedetect cascade=no_such_face").assert_error(&["no_such_face", "opencv-data"]);
    run_filter("haarfacedetect eyes-cascade=no_such_eye").assert_error(&["no_such_eye", "opencv-data"]);
}

#[test]
fn a_broken_cascade_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("broken.xml");
    let cascade = fs::read("/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml").ok();
    let truncated = cascade.map(|cascade| cascade[..cascade.len() / 2].to_vec());
    let contents =
        [Some(garbage()), Some(b"<?xml version=\"1.0\"?><nothing/>".to_vec()), Some(Vec::new()), truncated];
    for bytes in contents.into_iter().flatten() {
        fs::write(&path, bytes).unwrap();
        run_filter(&format!("haarfacedetect cascade='{}'", path.display()))
            .assert_error(&["broken.xml", "haarcascade_*.xml"]);
    }
    let lbp = Path::new("/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml");
    if lbp.exists() {
        run_filter(&format!("haarfacedetect cascade={}", lbp.display()))
            .assert_error(&["LBP", "haarcascade_"]);
    }
}

#[test]
fn a_missing_or_broken_model_is_an_error() {
    run_filter("emotionclassify model=/nowhere/m.onnx").assert_error(&["/nowhere/m.onnx", "built-in"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("broken.onnx");
    let model = fs::read(mood_tests::paths::workspace_root().join("models/mini_xception.onnx")).unwrap();
    for bytes in [garbage(), Vec::new(), model[..model.len() / 2].to_vec()] {
        fs::write(&path, bytes).unwrap();
        run_filter(&format!("emotionclassify model='{}'", path.display()))
            .assert_error(&["broken.onnx", "built-in"]);
    }
}

#[test]
fn a_missing_or_broken_runtime_library_is_an_error() {
    run_filter("emotionclassify runtime-library=/nowhere").assert_error(&["/nowhere", "runtime-library"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("libonnxruntime.so");
    fs::write(&path, garbage()).unwrap();
    run_filter(&format!("emotionclassify runtime-library='{}'", path.display()))
        .assert_error(&["libonnxruntime.so", "1.21"]);
}

#[test]
fn a_missing_or_empty_music_library_is_an_error() {
    run_player("").assert_error(&["no music library given", "folder"]);
    run_player("library=/nowhere").assert_error(&["/nowhere", "check the path"]);
    let folder = TempDir::new().unwrap();
    let empty = folder.path().display();
    run_player(&format!("library='{empty}'")).assert_error(&["no music in", "put audio files there"]);
    fs::write(folder.path().join("notes.txt"), "no music").unwrap();
    run_player(&format!("library='{empty}'")).assert_error(&["no music in", "put audio files there"]);
    fs::write(folder.path().join("list.xspf"), "<playlist").unwrap();
    run_player(&format!("library='{empty}/list.xspf'")).assert_error(&["list.xspf", "broken"]);
}

#[test]
fn broken_tracks_are_skipped_without_a_gap() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    for (name, hertz) in [("a.wav", 440.0), ("d.wav", 660.0)] {
        audio::write_tone(&music, name, hertz, 2, "happy");
    }
    for name in ["b.flac", "c.mp3"] {
        fs::write(music.join(name), garbage()).unwrap();
        fs::write(music.join(format!("{name}.mood")), "happy").unwrap();
    }
    let (raw, log) = (folder.path().join("audio.raw"), folder.path().join("music.jsonl"));
    // Twelve seconds of two-second tracks: every track is chosen several times.
    let output = gst_launch(&format!(
        "-m videotestsrc num-buffers=300 pattern=black ! video/x-raw,width=16,height=16,framerate=25/1 ! player.mood \
         moodplayer name=player library='{}' manual-mood=happy crossfade=0 log-location='{}' ! \
         audio/x-raw,format=F32LE,rate={RATE},channels=1 ! filesink location='{}'",
        music.display(),
        log.display(),
        raw.display()
    ))
    .assert_success();
    assert!(output.stdout.contains("track-failed"), "{output}");
    let failed = Timeline::read(&log);
    let failed = failed.track_events(TrackEvent::Failed);
    assert!(!failed.is_empty() && failed.iter().all(|track| !track.reason.is_empty()), "{failed:?}");
    assert!(failed.iter().all(|track| track.uri.ends_with("b.flac") || track.uri.ends_with("c.mp3")));
    let samples = audio::read_samples(&raw);
    assert_eq!(samples.len(), 12 * RATE as usize);
    assert!(audio::longest_silence(&samples, 1e-3) < RATE as usize / 100, "no gap is heard");
}

#[test]
fn an_unwritable_location_is_an_error() {
    run_filter("emotionlog").assert_error(&["location"]);
    run_filter("emotionlog location=/nowhere/out.jsonl")
        .assert_error(&["/nowhere/out.jsonl", "choose another"]);
    gst_launch(&format!("{LIVE_VIDEO} ! emotionlog location=/dev/full ! fakesink"))
        .assert_error(&["cannot write to /dev/full", "what was written before is kept"]);
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(folder.path());
    run_player(&format!("library='{}' log-location=/nowhere/music.jsonl", music.display()))
        .assert_error(&["/nowhere/music.jsonl", "log-location"]);
    // A full disk does not stop the music.
    let output =
        run_player(&format!("library='{}' log-location=/dev/full", music.display())).assert_success();
    assert!(output.stdout.contains("the decision log cannot be written any more"), "{output}");
}

#[test]
fn frames_of_any_size_and_format_pass() {
    let folder = TempDir::new().unwrap();
    let sizes = [(1, 1), (1, 7), (3, 2), (23, 23), (25, 24), (321, 241)];
    for format in ["I420", "NV12", "YUY2", "RGB", "GRAY8"] {
        let out = |(w, h)| folder.path().join(format!("{format}-{w}x{h}.jsonl"));
        let chain = |size: &(u32, u32)| {
            format!(
                "videotestsrc num-buffers=5 ! video/x-raw,format={format},width={},height={} ! haarfacedetect ! \
                 emotionclassify ! emotionlog location='{}' ! videoconvert ! emotionoverlay ! fakesink",
                size.0,
                size.1,
                out(*size).display()
            )
        };
        gst_launch(&sizes.iter().map(chain).collect::<Vec<_>>().join(" ")).assert_success();
        for size in sizes {
            let timeline = Timeline::read(&out(size));
            assert_eq!(timeline.frames.len(), 5, "{format} {size:?}");
        }
    }
}

#[test]
fn frames_without_a_size_are_an_error() {
    let without_size = "capssetter join=true caps=video/x-raw,width=0,height=0";
    let output = gst_launch(&format!("{VIDEO} ! {without_size} ! haarfacedetect ! fakesink"));
    assert!(
        output.code.is_some_and(|code| code != 0) && output.stderr.contains("haarfacedetect"),
        "{output}"
    );
}

#[test]
fn a_stream_without_frames_gives_an_empty_timeline() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let (out, log) = (folder.path().join("out.jsonl"), folder.path().join("music.jsonl"));
    gst_launch(&format!(
        "videotestsrc num-buffers=0 ! video/x-raw,width=64,height=64 ! haarfacedetect ! emotionclassify ! \
         emotionlog location='{}' ! emotionoverlay ! player.mood \
         moodplayer name=player library='{}' log-location='{}' ! fakesink",
        out.display(),
        music.display(),
        log.display()
    ))
    .assert_success();
    let timeline = Timeline::read(&out);
    assert_eq!((timeline.frames.len(), timeline.end.map(|end| end.frames)), (0, Some(0)));
}

#[test]
fn without_a_face_on_no_face_decides_what_plays() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    for (on_no_face, is_heard) in [("neutral", true), ("hold", false)] {
        let raw = folder.path().join(format!("{on_no_face}.raw"));
        gst_launch(&format!(
            "{VIDEO} ! haarfacedetect ! emotionclassify ! player.mood \
             moodplayer name=player library='{}' on-no-face={on_no_face} hold-time=0 ! \
             audio/x-raw,format=F32LE,rate={RATE},channels=1 ! filesink location='{}'",
            music.display(),
            raw.display()
        ))
        .assert_success();
        let samples = audio::read_samples(&raw);
        assert_eq!(samples.len(), 2 * RATE as usize, "{on_no_face}");
        assert_eq!(audio::rms(&samples) > 0.01, is_heard, "{on_no_face}");
    }
}

#[test]
fn size_and_format_may_change_within_a_stream() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let out = folder.path().join("out.jsonl");
    let sources = [("I420", 320, 240), ("RGB", 65, 49), ("GRAY8", 1, 1), ("NV12", 640, 360)].map(|(format, w, h)| {
        format!("videotestsrc num-buffers=10 ! video/x-raw,format={format},width={w},height={h},framerate=25/1 ! join.")
    });
    gst_launch(&format!(
        "concat name=join ! haarfacedetect ! emotionclassify ! emotionlog location='{}' ! player.mood \
         moodplayer name=player library='{}' ! fakesink {}",
        out.display(),
        music.display(),
        sources.join(" ")
    ))
    .assert_success();
    let timeline = Timeline::read(&out);
    assert_eq!(timeline.frames.len(), 40);
    let draw = ["320", "64", "640"].map(|width| {
        format!("videotestsrc num-buffers=5 ! video/x-raw,format=I420,width={width},height=240,framerate=25/1 ! join.")
    });
    gst_launch(&format!(
        "concat name=join ! haarfacedetect ! emotionclassify ! emotionoverlay ! fakesink {}",
        draw.join(" ")
    ))
    .assert_success();
}

#[test]
fn a_truncated_recording_gives_the_frames_it_has() {
    let Some(clip) = media("video/book.mkv") else { return };
    let folder = TempDir::new().unwrap();
    let (truncated, out) = (folder.path().join("truncated.mkv"), folder.path().join("out.jsonl"));
    let recording = fs::read(clip).unwrap();
    fs::write(&truncated, &recording[..recording.len() / 4]).unwrap();
    gst_launch(&format!(
        "filesrc location='{}' ! decodebin ! videoconvert ! haarfacedetect scan-interval=1000000000 ! \
         emotionclassify ! emotionlog location='{}' ! fakesink",
        truncated.display(),
        out.display()
    ));
    let timeline = Timeline::read(&out).assert_in_order();
    assert!(timeline.frames.len() > 10, "the frames that can be decoded: {}", timeline.frames.len());
    assert_eq!(timeline.end.map(|end| end.frames), Some(timeline.frames.len() as u64));
}

#[test]
fn a_missing_audio_device_is_an_error() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(folder.path());
    let start = Instant::now();
    let output = gst_launch(&format!(
        "{LIVE_VIDEO} ! player.mood moodplayer name=player library='{}' ! audioconvert ! \
         alsasink device=nonexistent",
        music.display()
    ));
    output.assert_error(&["audio"]);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

/// Starts a process that logs live video, and waits until 20 lines are in the log. Without a clip the video never ends.
fn start_live_log(out: &Path, clip: Option<&Path>) -> RunningProcess {
    let source = match clip {
        Some(clip) => format!("filesrc location='{}' ! decodebin ! identity sync=true", clip.display()),
        None => "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1".into(),
    };
    let running = RunningProcess::start(shell(&format!(
        "exec gst-launch-1.0 -e {source} ! videoconvert ! haarfacedetect ! emotionclassify ! \
         emotionlog location='{}' ! fakesink",
        out.display()
    )));
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::read_to_string(out).unwrap_or_default().lines().count() < 20 {
        assert!(Instant::now() < deadline, "no frames are logged");
        thread::sleep(Duration::from_millis(20));
    }
    running
}

#[test]
fn a_killed_process_leaves_a_readable_log() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.jsonl");
    let clip = media("video/WolfgangLanger_Pexels.mp4");
    let running = start_live_log(&out, clip.as_deref());
    running.signal("KILL");
    let output = running.wait(Duration::from_secs(10));
    assert_eq!(output.code, None, "{output}");
    let text = fs::read_to_string(&out).unwrap();
    let end_of_last_line = text.rfind('\n').unwrap();
    let timeline = Timeline::parse(&text[..end_of_last_line]);
    assert!(timeline.frames.len() >= 19 && timeline.end.is_none(), "{}", timeline.frames.len());
    assert!(clip.is_none() || timeline.share(|faces| faces > 0) > 0.5);
}

#[test]
fn an_interrupted_process_writes_an_end_line() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.jsonl");
    let running = start_live_log(&out, None);
    running.signal("INT");
    running.wait(Duration::from_secs(10)).assert_success();
    let timeline = Timeline::read(&out);
    assert_eq!(timeline.end.map(|end| end.frames), Some(timeline.frames.len() as u64));
}
