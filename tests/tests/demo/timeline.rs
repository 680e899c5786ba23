//! The timeline and the decision log against the actor's script.

use std::collections::BTreeSet;

use mood_schema::{Emotion, Label, Mood, TrackEvent};
use mood_tests::Timeline;
use mood_tests::timeline::{face_label, share};

use crate::{FRAMES, FRAMES_PER_SECOND, SECONDS, demo};

/// The actor's script: start and end in seconds, and the emotion shown.
const SCRIPT: [(f64, f64, Emotion); 5] = [
    (0.0, 8.0, Emotion::Neutral),
    (8.0, 17.0, Emotion::Happy),
    (17.0, 26.0, Emotion::Sad),
    (26.0, 35.0, Emotion::Surprise),
    (35.0, 44.0, Emotion::Happy),
];
/// Length of the demo's crossfades, seconds.
const CROSSFADE: f64 = 2.0;

/// The demo's timeline.
fn timeline() -> Timeline {
    Timeline::read(&demo().join("timeline.jsonl")).assert_in_order()
}

/// The demo's decision log.
fn decision_log() -> Timeline {
    Timeline::read(&demo().join("music.jsonl"))
}

#[test]
fn one_face_with_one_id_in_every_frame() {
    let timeline = timeline();
    assert_eq!(timeline.frames.len(), FRAMES);
    assert_eq!(timeline.end.as_ref().map(|end| end.frames), Some(FRAMES as u64));
    let one_face = timeline.share(|faces| faces == 1);
    println!("exactly one face in {:.1} % of the frames", one_face * 100.0);
    assert!(one_face >= 0.98, "{one_face}");
    assert_eq!(timeline.face_ids().len(), 1, "{:?}", timeline.face_ids());
    for frame in &timeline.frames {
        let expected = frame.frame as f64 / FRAMES_PER_SECOND;
        assert!((frame.pts as f64 / 1e9 - expected).abs() < 0.5 / FRAMES_PER_SECOND, "{frame:?}");
    }
}

#[test]
fn every_emotion_is_labelled_correctly_in_70_percent_of_its_frames() {
    let timeline = timeline();
    let mut below = Vec::new();
    for (start, end, emotion) in SCRIPT {
        let frames = timeline.frames_between(start, end);
        let correct =
            share(&frames, |frame| frame.faces.first().and_then(face_label) == Some(Label::Known(emotion)));
        println!("{start:>4.0} s {emotion}: {:.1} % correct", correct * 100.0);
        if correct < 0.7 {
            below.push((emotion, correct));
        }
    }
    assert!(below.is_empty(), "{below:?}");
}

#[test]
fn the_music_follows_every_emotion_of_the_script() {
    let music = decision_log();
    assert_eq!(music.end.as_ref().map(|end| (end.pts as f64 / 1e9).round()), Some(SECONDS));
    let started = music.track_events(TrackEvent::Started);
    let collect_moods =
        |moods: &mut dyn Iterator<Item = Option<Mood>>| moods.flatten().collect::<BTreeSet<_>>();
    let expected: BTreeSet<Mood> = SCRIPT.iter().map(|(_, _, emotion)| Mood::from(*emotion)).collect();
    assert_eq!(collect_moods(&mut started.iter().map(|track| track.mood)), expected, "{started:?}");
    for (start, end, emotion) in SCRIPT {
        let matching = started.iter().find(|track| {
            let time = track.pts as f64 / 1e9;
            track.mood == Some(emotion.into()) && (start..end).contains(&time)
        });
        let track =
            matching.unwrap_or_else(|| panic!("no music for {emotion} from {start} s on: {started:?}"));
        println!("{emotion} from {start} s on: {} at {:.1} s", track.title, track.pts as f64 / 1e9);
        assert!(!track.title.is_empty() && !track.reason.is_empty(), "{track:?}");
    }
    // The two happy scenes may share a track; four moods need four.
    let titles: BTreeSet<&str> = started.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles.len(), 4, "{titles:?}");
    assert!(music.track_events(TrackEvent::Failed).is_empty());
}

#[test]
fn tracks_change_through_crossfades() {
    let music = decision_log();
    let started = music.track_events(TrackEvent::CrossfadeStarted);
    let done = music.track_events(TrackEvent::CrossfadeDone);
    assert!((4..=8).contains(&started.len()), "{started:?}");
    assert_eq!(started.len(), done.len());
    for (started, done) in started.iter().zip(&done) {
        assert_eq!(started.uri, done.uri);
        let seconds = (done.pts - started.pts) as f64 / 1e9;
        assert!((seconds - CROSSFADE).abs() < 0.1, "{seconds} s");
    }
    for pair in started.windows(2) {
        assert!(
            pair[1].pts - pair[0].pts >= 4_000_000_000,
            "no two switches closer than min-dwell: {pair:?}"
        );
    }
}

#[test]
fn the_timeline_has_the_moods_and_tracks_of_the_decision_log() {
    let (timeline, music) = (timeline(), decision_log());
    assert_eq!(timeline.moods, music.moods);
    assert_eq!(timeline.tracks, music.tracks);
    assert!(timeline.moods.len() >= 4, "{:?}", timeline.moods);
}
