//! What the timeline and the decision log say, against the actor's script.

use std::collections::BTreeSet;

use mood_schema::{Emotion, Label, Mood, TrackEvent};
use mood_tests::Timeline;
use mood_tests::timeline::{label, share};

use crate::{FRAMES, FRAMES_PER_SECOND, SECONDS, demo};

/// What the actor shows from when to when, seconds.
const SCRIPT: [(f64, f64, Emotion); 5] = [
    (0.0, 8.0, Emotion::Neutral),
    (8.0, 17.0, Emotion::Happy),
    (17.0, 26.0, Emotion::Sad),
    (26.0, 35.0, Emotion::Surprise),
    (35.0, 44.0, Emotion::Happy),
];
const CROSSFADE: f64 = 2.0;

fn timeline() -> Timeline {
    Timeline::read(&demo().join("timeline.jsonl")).in_order()
}

fn music() -> Timeline {
    Timeline::read(&demo().join("music.jsonl"))
}

#[test]
fn one_face_with_one_id_in_every_frame() {
    let timeline = timeline();
    assert_eq!(timeline.frames.len(), FRAMES);
    assert_eq!(timeline.end.as_ref().map(|end| end.frames), Some(FRAMES as u64));
    let one = timeline.share(|faces| faces == 1);
    println!("exactly one face in {:.1} % of the frames", one * 100.0);
    assert!(one >= 0.98, "{one}");
    assert_eq!(timeline.ids().len(), 1, "{:?}", timeline.ids());
    for frame in &timeline.frames {
        let due = frame.frame as f64 / FRAMES_PER_SECOND;
        assert!((frame.pts as f64 / 1e9 - due).abs() < 0.5 / FRAMES_PER_SECOND, "{frame:?}");
    }
}

#[test]
fn every_expression_is_labelled_right_most_of_the_time() {
    let timeline = timeline();
    let mut wrong = Vec::new();
    for (start, end, emotion) in SCRIPT {
        let frames = timeline.between(start, end);
        let right =
            share(&frames, |frame| frame.faces.first().and_then(label) == Some(Label::Known(emotion)));
        println!("{start:>4.0} s {emotion}: {:.1} % right", right * 100.0);
        if right < 0.7 {
            wrong.push((emotion, right));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_music_follows_every_expression() {
    let music = music();
    assert_eq!(music.end.as_ref().map(|end| (end.pts as f64 / 1e9).round()), Some(SECONDS));
    let started = music.events(TrackEvent::Started);
    let of = |moods: &mut dyn Iterator<Item = Option<Mood>>| moods.flatten().collect::<BTreeSet<_>>();
    let all: BTreeSet<Mood> = SCRIPT.iter().map(|(_, _, emotion)| Mood::from(*emotion)).collect();
    assert_eq!(of(&mut started.iter().map(|track| track.mood)), all, "{started:?}");
    for (start, end, emotion) in SCRIPT {
        let fitting = started.iter().find(|track| {
            let at = track.pts as f64 / 1e9;
            track.mood == Some(emotion.into()) && (start..end).contains(&at)
        });
        let track =
            fitting.unwrap_or_else(|| panic!("no music for {emotion} from {start} s on: {started:?}"));
        println!("{emotion} from {start} s on: {} at {:.1} s", track.title, track.pts as f64 / 1e9);
        assert!(!track.title.is_empty() && !track.reason.is_empty(), "{track:?}");
    }
    // The two happy scenes may share a track; four moods need four.
    let titles: BTreeSet<&str> = started.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles.len(), 4, "{titles:?}");
    assert!(music.events(TrackEvent::Failed).is_empty());
}

#[test]
fn tracks_change_through_crossfades() {
    let music = music();
    let begun = music.events(TrackEvent::CrossfadeStarted);
    let done = music.events(TrackEvent::CrossfadeDone);
    assert!((4..=8).contains(&begun.len()), "{begun:?}");
    assert_eq!(begun.len(), done.len());
    for (begun, done) in begun.iter().zip(&done) {
        assert_eq!(begun.uri, done.uri);
        let took = (done.pts - begun.pts) as f64 / 1e9;
        assert!((took - CROSSFADE).abs() < 0.1, "{took} s");
    }
    for pair in begun.windows(2) {
        assert!(
            pair[1].pts - pair[0].pts >= 4_000_000_000,
            "no two switches closer than min-dwell: {pair:?}"
        );
    }
}

#[test]
fn the_timeline_has_the_music_s_moods_and_tracks_too() {
    let (timeline, music) = (timeline(), music());
    assert_eq!(timeline.moods, music.moods);
    assert_eq!(timeline.tracks, music.tracks);
    assert!(timeline.moods.len() >= 4, "{:?}", timeline.moods);
}
