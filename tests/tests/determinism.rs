//! The same recording, music and settings give the same audio and the same decision log, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_tests::{Timeline, audio, gst_launch, media};
use tempfile::TempDir;

/// Plays music for a clip; returns the raw audio and the decision log. The number of `threads` of the detector and the
/// elements `filters` before the player may change nothing but the speed.
fn play(clip: &Path, music: &Path, folder: &Path, threads: u32, filters: &str) -> (Vec<u8>, String) {
    let (raw, log) = (folder.join("audio.raw"), folder.join("music.jsonl"));
    gst_launch(&format!(
        "filesrc location='{}' ! decodebin ! videoconvert ! haarfacedetect threads={threads} \
         scan-interval=500000000 ! emotionclassify ! {filters} player.mood \
         moodplayer name=player library='{}' hold-time=500000000 min-dwell=2000000000 crossfade=1000000000 seed=7 \
         no-repeat=0 log-location='{}' ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! filesink location='{}'",
        clip.display(),
        music.display(),
        log.display(),
        raw.display()
    ))
    .assert_success();
    (fs::read(&raw).unwrap(), fs::read_to_string(&log).unwrap())
}

#[test]
fn two_runs_give_the_same_audio_and_decision_log() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let (audio, log) = play(&clip, &music, folder.path(), 0, "");
    let (again, log_again) = play(&clip, &music, folder.path(), 1, "queue max-size-buffers=3 !");
    assert!(log.contains("\"started\"") && log.contains("\"crossfade-done\""), "{log}");
    for (line, again) in log.lines().zip(log_again.lines()) {
        assert_eq!(line, again);
    }
    assert_eq!(log, log_again);
    assert_eq!(audio.len(), again.len());
    assert!(
        audio == again,
        "the audio differs from byte {:?} on",
        audio.iter().zip(&again).position(|(a, b)| a != b)
    );
    // 19.7 s of stereo.
    assert!((audio.len() as f64 / (4.0 * 48_000.0) - 19.7).abs() < 0.3, "{}", audio.len());
}

/// The settings of the elements upstream arrive with the first buffer, also behind a queue.
#[test]
fn the_decision_log_begins_with_the_settings_of_all_elements() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let log = folder.path().join("music.jsonl");
    gst_launch(&format!(
        "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=64 ! haarfacedetect ! emotionclassify ! queue ! \
         player.mood moodplayer name=player library='{}' log-location='{}' ! fakesink",
        music.display(),
        log.display()
    ))
    .assert_success();
    let header = Timeline::read(&log).header;
    for element in ["haarfacedetect", "emotionclassify", "moodplayer"] {
        assert!(header.settings.contains_key(element), "{element} in {header:?}");
    }
}
