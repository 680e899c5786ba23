//! On the clock.

use std::time::{Duration, Instant};

use gst::prelude::*;
use mood_schema::Emotion;

use crate::studio::{Session, library, player};

fn live() -> (tempfile::TempDir, Session) {
    let library = library();
    let session = watched_by_a_camera(player(library.path()));
    (library, session)
}

/// Before a live camera that sees nobody: neutral music.
pub fn watched_by_a_camera(player: gst::Element) -> Session {
    player.set_property_from_str("on-no-face", "neutral");
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    let camera = gst::parse::bin_from_description(
        "videotestsrc is-live=true ! capsfilter caps=video/x-raw,width=16,height=16,framerate=25/1",
        true,
    );
    session.watch(camera.unwrap().upcast_ref(), "mood");
    session
}

#[test]
fn live_music_keeps_time() {
    let (_library, session) = live();
    assert_eq!(session.pipeline.set_state(gst::State::Paused), Ok(gst::StateChangeSuccess::NoPreroll));
    assert!(
        session.sink.try_pull_sample(gst::ClockTime::from_mseconds(300)).is_none(),
        "nothing before PLAYING"
    );
    session.play();
    let first = session.record(0.5);
    let begun = Instant::now();
    let rest = session.record(2.0);
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(1_700) && took < Duration::from_millis(3_500), "{took:?} for 2 s");
    first.assert_continuous();
    rest.assert_continuous();
    assert_eq!(rest.heard(1.5), Some(Emotion::Neutral));

    let mut latency = gst::query::Latency::new();
    assert!(session.player.query(&mut latency));
    let (live, least, most) = latency.result();
    assert!(live && least >= gst::ClockTime::from_mseconds(10) && most.is_none());

    let running = session.player.current_running_time().unwrap();
    let (begin, _) = session.record(0.1).times[0];
    assert!(begin.abs_diff(running.nseconds()) < 500_000_000, "at {running}, plays {begin}");
}

#[test]
fn live_music_stops_with_the_clock_and_goes_on_with_it() {
    let (_library, session) = live();
    session.play().record(0.5);
    session.pipeline.set_state(gst::State::Paused).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    while session.sink.try_pull_sample(gst::ClockTime::ZERO).is_some() {}
    assert!(
        session.sink.try_pull_sample(gst::ClockTime::from_mseconds(300)).is_none(),
        "silent while paused"
    );
    session.play();
    let after = session.record(0.5);
    after.assert_continuous();
    let begun = Instant::now();
    session.pipeline.set_state(gst::State::Null).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}
