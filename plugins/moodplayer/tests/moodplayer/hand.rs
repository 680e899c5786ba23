//! By hand, without a camera or with one that goes.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::studio::{LIMIT, Recording, Session, camera, library, player, show, tone};

use Emotion::{Angry, Happy, Neutral, Sad};

/// Plays until another track leads than `before`, and on until it is alone: what is heard last.
fn next(session: &Session, before: &str) -> (String, Recording) {
    let begun = std::time::Instant::now();
    loop {
        assert!(begun.elapsed() < LIMIT, "no other track in time");
        session.record(0.1);
        let track: String = session.player.property("track");
        if track != before && !track.is_empty() {
            return (track, session.record(1.5));
        }
        // As fast as it goes, a track is over before the next is open.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn without_a_camera_it_plays_by_hand_until_told_to_end() {
    let library = library();
    let session = Session::new(player(library.path()), "audio/x-raw,format=F32LE");
    let neutral = session.play().record(2.0);
    neutral.assert_continuous();
    assert_eq!(neutral.heard(1.5), Some(Neutral));
    assert_eq!(session.player.property::<String>("mood"), "neutral");
    assert!(session.player.property::<String>("track").ends_with("/neutral.flac"));
    session.player.set_property("manual-mood", "sad");
    let (track, sad) = next(&session, &session.player.property::<String>("track"));
    assert!(track.ends_with("/sad.flac"));
    assert_eq!(sad.heard(1.3), Some(Sad));
    assert_eq!(session.player.property::<String>("mood"), "sad");
    assert!(session.player.send_event(gst::event::Eos::new()));
    let rest = session.record(f64::MAX);
    assert!(rest.seconds() < 1.0 && session.sink.is_eos());
}

#[test]
fn skip_fade_out_and_rate_are_actions() {
    crate::studio::init();
    let folder = tempfile::TempDir::new().unwrap();
    for (name, hertz) in [("a.wav", 300), ("b.wav", 400), ("c.wav", 500)] {
        tone(folder.path(), name, hertz, 30, "channels=1", "happy");
    }
    let player = player(folder.path());
    player.set_property("manual-mood", "happy");
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    let (first, _) = next(session.play(), "");
    session.player.emit_by_name::<()>("rate", &[&-2]);
    let skip = |track: &str| {
        session.player.emit_by_name::<()>("skip", &[]);
        next(&session, track).0
    };
    let second = skip(&first);
    let third = skip(&second);
    let fourth = skip(&third);
    assert!(second != first && third != first && third != second, "{first} {second} {third}");
    assert_eq!(fourth, second, "the first is rated down");
    session.player.emit_by_name::<()>("fade-out", &[]);
    assert_eq!(session.record(2.0).heard(1.5), None);
    assert_eq!(session.player.property::<String>("track"), "");
}

#[test]
fn a_camera_may_go_and_come_while_it_plays() {
    let library = library();
    let session = Session::new(player(library.path()), "audio/x-raw,format=F32LE");
    let first = camera();
    let pad = session.watch(first.upcast_ref(), "mood");
    show(&[(Some(Happy), 6)]).into_iter().for_each(|buffer| _ = first.push_buffer(buffer).unwrap());
    let happy = session.play().record(5.0);
    assert_eq!(happy.heard(4.8), Some(Happy));
    // It still waits for more pictures; now it plays by hand.
    first.set_state(gst::State::Null).unwrap();
    first.unlink(&session.player);
    session.player.release_request_pad(&pad);
    session.pipeline.remove(&first).unwrap();
    session.player.set_property("manual-mood", "angry");
    let (track, angry) = next(&session, &session.player.property::<String>("track"));
    angry.assert_continuous();
    assert!(track.ends_with("/angry.flac") && angry.heard(1.3) == Some(Angry));
    session.player.set_property("manual-mood", "");
    let second = camera();
    session.watch(second.upcast_ref(), "mood_%u");
    second.sync_state_with_parent().unwrap();
    // Its pictures begin at the beginning: what is past is past.
    show(&[(Some(Sad), 25)]).into_iter().for_each(|buffer| _ = second.push_buffer(buffer).unwrap());
    second.end_of_stream().unwrap();
    let sad = session.record(f64::MAX);
    sad.assert_continuous();
    assert_eq!(sad.heard(sad.seconds() - 0.5), Some(Sad));
}

#[test]
fn pausing_loses_nothing() {
    let library = library();
    let player = player(library.path());
    player.set_property("manual-mood", "happy");
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    let before = session.play().record(1.0);
    session.pipeline.set_state(gst::State::Paused).unwrap();
    session.play();
    let after = session.record(1.0);
    after.assert_continuous();
    let (begin, duration) = *before.times.last().unwrap();
    assert_eq!(after.times[0].0, begin + duration);
    assert_eq!(after.heard(0.5), Some(Happy));
    session.pipeline.set_state(gst::State::Null).unwrap();
    let again = session.play().record(1.0);
    assert_eq!((again.times[0].0, again.heard(0.5)), (0, Some(Happy)));
}
