//! The same recording, music and settings give the same sound and the same decisions, sample for sample.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_tests::{Timeline, launch, media, sound};
use tempfile::TempDir;

/// Plays music for a clip into raw audio; returns audio and decision log. `threads` of the detector and what stands
/// before the player change only the pace.
fn perform(clip: &Path, music: &Path, folder: &Path, threads: u32, before: &str) -> (Vec<u8>, String) {
    let (raw, log) = (folder.join("audio.raw"), folder.join("music.jsonl"));
    launch(&format!(
        "filesrc location='{}' ! decodebin ! videoconvert ! haarfacedetect threads={threads} \
         scan-interval=500000000 ! emotionclassify ! {before} player.mood \
         moodplayer name=player library='{}' hold-time=500000000 min-dwell=2000000000 crossfade=1000000000 seed=7 \
         no-repeat=0 log-location='{}' ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! filesink location='{}'",
        clip.display(),
        music.display(),
        log.display(),
        raw.display()
    ))
    .ok();
    (fs::read(&raw).unwrap(), fs::read_to_string(&log).unwrap())
}

#[test]
fn twice_the_same_sound_and_the_same_decisions() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let (audio, log) = perform(&clip, &music, folder.path(), 0, "");
    let (again, log_again) = perform(&clip, &music, folder.path(), 1, "queue max-size-buffers=3 !");
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

/// However late the elements upstream come to speak, the first line of the decision log has their settings.
#[test]
fn the_decision_log_says_what_saw_the_faces() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let log = folder.path().join("music.jsonl");
    launch(&format!(
        "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=64 ! haarfacedetect ! emotionclassify ! queue ! \
         player.mood moodplayer name=player library='{}' log-location='{}' ! fakesink",
        music.display(),
        log.display()
    ))
    .ok();
    let session = Timeline::read(&log).session;
    for element in ["haarfacedetect", "emotionclassify", "moodplayer"] {
        assert!(session.settings.contains_key(element), "{element} in {session:?}");
    }
}
