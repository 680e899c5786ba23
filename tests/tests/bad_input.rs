//! Whatever is wrong with what comes in: a process that ends in time, says why, and says what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mood_schema::TrackEvent;
use mood_tests::process::{Running, shell};
use mood_tests::sound::{self, RATE};
use mood_tests::{Done, Timeline, launch, media};
use tempfile::TempDir;

const PICTURES: &str = "videotestsrc num-buffers=50 ! video/x-raw,width=160,height=120,framerate=25/1";

/// The same as from a camera: nothing flows before PLAYING. gst-launch-1.0 of GStreamer 1.22 sometimes waits for ever
/// after an error that comes while it still prerolls (`videotestsrc num-buffers=50 ! identity error-after=1 ! fakesink`).
const LIVE_PICTURES: &str =
    "videotestsrc is-live=true num-buffers=500 ! video/x-raw,width=160,height=120,framerate=25/1";

/// A pipeline of one filter with properties.
fn filter(element: &str) -> Done {
    launch(&format!("{PICTURES} ! {element} ! fakesink"))
}

/// A player that watches two seconds of pictures without faces.
fn player(properties: &str) -> Done {
    launch(&format!("{PICTURES} ! player.mood moodplayer name=player {properties} ! fakesink"))
}

fn garbage() -> Vec<u8> {
    (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn a_missing_cascade() {
    filter("haarfacedetect cascade=/nowhere/x.xml").fails_with(&[
        "/nowhere/x.xml",
        "opencv-data",
        "GST_MOOD_CASCADE_PATH",
    ]);
    filter("haarfacedetect cascade=no_such_face").fails_with(&["no_such_face", "opencv-data"]);
    filter("haarfacedetect eyes-cascade=no_such_eye").fails_with(&["no_such_eye", "opencv-data"]);
}

#[test]
fn a_broken_cascade() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("broken.xml");
    let whole = fs::read("/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml").ok();
    let half = whole.map(|whole| whole[..whole.len() / 2].to_vec());
    let kinds =
        [Some(garbage()), Some(b"<?xml version=\"1.0\"?><nothing/>".to_vec()), Some(Vec::new()), half];
    for bytes in kinds.into_iter().flatten() {
        fs::write(&path, bytes).unwrap();
        filter(&format!("haarfacedetect cascade='{}'", path.display()))
            .fails_with(&["broken.xml", "haarcascade_*.xml"]);
    }
    let lbp = Path::new("/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml");
    if lbp.exists() {
        filter(&format!("haarfacedetect cascade={}", lbp.display())).fails_with(&["LBP", "haarcascade_"]);
    }
}

#[test]
fn a_missing_or_broken_model() {
    filter("emotionclassify model=/nowhere/m.onnx").fails_with(&["/nowhere/m.onnx", "built-in"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("broken.onnx");
    let whole = fs::read(mood_tests::place::root().join("models/mini_xception.onnx")).unwrap();
    for bytes in [garbage(), Vec::new(), whole[..whole.len() / 2].to_vec()] {
        fs::write(&path, bytes).unwrap();
        filter(&format!("emotionclassify model='{}'", path.display()))
            .fails_with(&["broken.onnx", "built-in"]);
    }
}

#[test]
fn a_missing_or_broken_runtime_library() {
    filter("emotionclassify runtime-library=/nowhere").fails_with(&["/nowhere", "runtime-library"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("libonnxruntime.so");
    fs::write(&path, garbage()).unwrap();
    filter(&format!("emotionclassify runtime-library='{}'", path.display()))
        .fails_with(&["libonnxruntime.so", "1.21"]);
}

#[test]
fn a_missing_or_empty_library() {
    player("").fails_with(&["no music library given", "folder"]);
    player("library=/nowhere").fails_with(&["/nowhere", "check the path"]);
    let folder = TempDir::new().unwrap();
    let empty = folder.path().display();
    player(&format!("library='{empty}'")).fails_with(&["no music in", "put audio files there"]);
    fs::write(folder.path().join("notes.txt"), "no music").unwrap();
    player(&format!("library='{empty}'")).fails_with(&["no music in", "put audio files there"]);
    fs::write(folder.path().join("list.xspf"), "<playlist").unwrap();
    player(&format!("library='{empty}/list.xspf'")).fails_with(&["list.xspf", "broken"]);
}

#[test]
fn broken_tracks_are_passed_over_without_a_gap() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    for (name, hertz) in [("a.wav", 440.0), ("d.wav", 660.0)] {
        sound::tone(&music, name, hertz, 2, "happy");
    }
    for name in ["b.flac", "c.mp3"] {
        fs::write(music.join(name), garbage()).unwrap();
        fs::write(music.join(format!("{name}.mood")), "happy").unwrap();
    }
    let (raw, log) = (folder.path().join("audio.raw"), folder.path().join("music.jsonl"));
    // Twelve seconds of two-second tracks: every track is due several times.
    let done = launch(&format!(
        "-m videotestsrc num-buffers=300 pattern=black ! video/x-raw,width=16,height=16,framerate=25/1 ! player.mood \
         moodplayer name=player library='{}' manual-mood=happy crossfade=0 log-location='{}' ! \
         audio/x-raw,format=F32LE,rate={RATE},channels=1 ! filesink location='{}'",
        music.display(),
        log.display(),
        raw.display()
    ))
    .ok();
    assert!(done.stdout.contains("track-failed"), "{done}");
    let failed = Timeline::read(&log);
    let failed = failed.events(TrackEvent::Failed);
    assert!(!failed.is_empty() && failed.iter().all(|track| !track.reason.is_empty()), "{failed:?}");
    assert!(failed.iter().all(|track| track.uri.ends_with("b.flac") || track.uri.ends_with("c.mp3")));
    let samples = sound::samples(&raw);
    assert_eq!(samples.len(), 12 * RATE as usize);
    assert!(sound::longest_silence(&samples, 1e-3) < RATE as usize / 100, "no track's failure is heard");
}

#[test]
fn a_place_that_cannot_be_written() {
    filter("emotionlog").fails_with(&["location"]);
    filter("emotionlog location=/nowhere/out.jsonl").fails_with(&["/nowhere/out.jsonl", "choose another"]);
    launch(&format!("{LIVE_PICTURES} ! emotionlog location=/dev/full ! fakesink"))
        .fails_with(&["cannot write to /dev/full", "what was written before is kept"]);
    let folder = TempDir::new().unwrap();
    let music = sound::library(folder.path());
    player(&format!("library='{}' log-location=/nowhere/music.jsonl", music.display()))
        .fails_with(&["/nowhere/music.jsonl", "log-location"]);
    // For music that already plays, a full disk is no reason to stop.
    let done = player(&format!("library='{}' log-location=/dev/full", music.display())).ok();
    assert!(done.stdout.contains("the decision log cannot be written any more"), "{done}");
}

#[test]
fn pictures_of_any_size() {
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
        launch(&sizes.iter().map(chain).collect::<Vec<_>>().join(" ")).ok();
        for size in sizes {
            let timeline = Timeline::read(&out(size));
            assert_eq!(timeline.frames.len(), 5, "{format} {size:?}");
        }
    }
}

#[test]
fn pictures_without_a_size() {
    let without_size = "capssetter join=true caps=video/x-raw,width=0,height=0";
    let done = launch(&format!("{PICTURES} ! {without_size} ! haarfacedetect ! fakesink"));
    assert!(done.code.is_some_and(|code| code != 0) && done.stderr.contains("haarfacedetect"), "{done}");
}

#[test]
fn no_pictures_at_all() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let (out, log) = (folder.path().join("out.jsonl"), folder.path().join("music.jsonl"));
    launch(&format!(
        "videotestsrc num-buffers=0 ! video/x-raw,width=64,height=64 ! haarfacedetect ! emotionclassify ! \
         emotionlog location='{}' ! emotionoverlay ! player.mood \
         moodplayer name=player library='{}' log-location='{}' ! fakesink",
        out.display(),
        music.display(),
        log.display()
    ))
    .ok();
    let timeline = Timeline::read(&out);
    assert_eq!((timeline.frames.len(), timeline.end.map(|end| end.frames)), (0, Some(0)));
}

#[test]
fn nobody_to_be_seen() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    for (on_no_face, is_heard) in [("neutral", true), ("hold", false)] {
        let raw = folder.path().join(format!("{on_no_face}.raw"));
        launch(&format!(
            "{PICTURES} ! haarfacedetect ! emotionclassify ! player.mood \
             moodplayer name=player library='{}' on-no-face={on_no_face} hold-time=0 ! \
             audio/x-raw,format=F32LE,rate={RATE},channels=1 ! filesink location='{}'",
            music.display(),
            raw.display()
        ))
        .ok();
        let samples = sound::samples(&raw);
        assert_eq!(samples.len(), 2 * RATE as usize, "{on_no_face}");
        assert_eq!(sound::level(&samples) > 0.01, is_heard, "{on_no_face}");
    }
}

#[test]
fn sizes_and_formats_that_change_in_mid_stream() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let out = folder.path().join("out.jsonl");
    let sources = [("I420", 320, 240), ("RGB", 65, 49), ("GRAY8", 1, 1), ("NV12", 640, 360)].map(|(format, w, h)| {
        format!("videotestsrc num-buffers=10 ! video/x-raw,format={format},width={w},height={h},framerate=25/1 ! join.")
    });
    launch(&format!(
        "concat name=join ! haarfacedetect ! emotionclassify ! emotionlog location='{}' ! player.mood \
         moodplayer name=player library='{}' ! fakesink {}",
        out.display(),
        music.display(),
        sources.join(" ")
    ))
    .ok();
    let timeline = Timeline::read(&out);
    assert_eq!(timeline.frames.len(), 40);
    let draw = ["320", "64", "640"].map(|width| {
        format!("videotestsrc num-buffers=5 ! video/x-raw,format=I420,width={width},height=240,framerate=25/1 ! join.")
    });
    launch(&format!(
        "concat name=join ! haarfacedetect ! emotionclassify ! emotionoverlay ! fakesink {}",
        draw.join(" ")
    ))
    .ok();
}

#[test]
fn a_recording_that_breaks_off() {
    let Some(clip) = media("video/book.mkv") else { return };
    let folder = TempDir::new().unwrap();
    let (cut, out) = (folder.path().join("cut.mkv"), folder.path().join("out.jsonl"));
    let whole = fs::read(clip).unwrap();
    fs::write(&cut, &whole[..whole.len() / 4]).unwrap();
    launch(&format!(
        "filesrc location='{}' ! decodebin ! videoconvert ! haarfacedetect scan-interval=1000000000 ! \
         emotionclassify ! emotionlog location='{}' ! fakesink",
        cut.display(),
        out.display()
    ));
    let timeline = Timeline::read(&out).in_order();
    assert!(timeline.frames.len() > 10, "what could be decoded is there: {}", timeline.frames.len());
    assert_eq!(timeline.end.map(|end| end.frames), Some(timeline.frames.len() as u64));
}

#[test]
fn no_audio_device() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(folder.path());
    let begun = Instant::now();
    let done = launch(&format!(
        "{LIVE_PICTURES} ! player.mood moodplayer name=player library='{}' ! audioconvert ! \
         alsasink device=nonexistent",
        music.display()
    ));
    done.fails_with(&["audio"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// Starts logging a live picture that never ends, and waits until some frames are in the log.
fn live_log(out: &Path, clip: Option<&Path>) -> Running {
    let source = match clip {
        Some(clip) => format!("filesrc location='{}' ! decodebin ! identity sync=true", clip.display()),
        None => "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1".into(),
    };
    let running = Running::start(shell(&format!(
        "exec gst-launch-1.0 -e {source} ! videoconvert ! haarfacedetect ! emotionclassify ! \
         emotionlog location='{}' ! fakesink",
        out.display()
    )));
    let until = Instant::now() + Duration::from_secs(60);
    while fs::read_to_string(out).unwrap_or_default().lines().count() < 20 {
        assert!(Instant::now() < until, "no frames come");
        thread::sleep(Duration::from_millis(20));
    }
    running
}

#[test]
fn a_killed_process_leaves_a_readable_log() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.jsonl");
    let clip = media("video/WolfgangLanger_Pexels.mp4");
    let running = live_log(&out, clip.as_deref());
    running.signal("KILL");
    let done = running.finish(Duration::from_secs(10));
    assert_eq!(done.code, None, "{done}");
    let text = fs::read_to_string(&out).unwrap();
    let whole = text.rfind('\n').unwrap();
    let timeline = Timeline::parse(&text[..whole]);
    assert!(timeline.frames.len() >= 19 && timeline.end.is_none(), "{}", timeline.frames.len());
    assert!(clip.is_none() || timeline.share(|faces| faces > 0) > 0.5);
}

#[test]
fn an_interrupted_process_ends_its_log_cleanly() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.jsonl");
    let running = live_log(&out, None);
    running.signal("INT");
    running.finish(Duration::from_secs(10)).ok();
    let timeline = Timeline::read(&out);
    assert_eq!(timeline.end.map(|end| end.frames), Some(timeline.frames.len() as u64));
}
