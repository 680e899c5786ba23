//! What may go wrong, and what is said of it.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::studio::{Session, camera, init, library, perform, player, show, tone};

use Emotion::{Happy, Sad};

#[test]
fn tracks_that_cannot_be_played_are_reported_and_passed_over() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    tone(folder.path(), "good.wav", 600, 3, "channels=1", "happy");
    let noise: Vec<u8> = (0..50_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let good = std::fs::read(folder.path().join("good.wav")).unwrap();
    for (name, bytes) in [
        ("empty.mp3", &[][..]),
        ("noise.flac", &noise),
        ("text.ogg", b"not music at all"),
        ("head.wav", &good[..60]),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        std::fs::write(folder.path().join(format!("{name}.mood")), "happy").unwrap();
    }
    let player = player(folder.path());
    player.set_property("no-repeat", 10u32);
    let recording = perform(player, &[(Some(Happy), 20)]);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 20.0);
    let failed = recording.messages.iter().filter(|m| m.name() == "track-failed");
    let mut failed: Vec<(&str, &str)> =
        failed.map(|m| (m.get("uri").unwrap(), m.get::<&str>("error").unwrap())).collect();
    failed.sort();
    assert!((3..=4).contains(&failed.len()), "each once: {failed:?}");
    assert!(failed.iter().all(|(uri, error)| !uri.ends_with("good.wav") && !error.is_empty()), "{failed:?}");
    for at in [5.5, 10.5, 19.5] {
        assert!(recording.level(at, 600) > 0.1, "music goes on at {at}");
    }
}

#[test]
fn a_track_deleted_while_it_waits_is_passed_over() {
    let library = library();
    let player = player(library.path());
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    session.pipeline.set_state(gst::State::Paused).unwrap();
    std::fs::remove_file(library.path().join("happy.flac")).unwrap();
    let camera = camera();
    session.player.set_property("manual-mood", "happy");
    session.watch(camera.upcast_ref(), "mood");
    camera.sync_state_with_parent().unwrap();
    show(&[(Some(Happy), 5)]).into_iter().for_each(|buffer| _ = camera.push_buffer(buffer).unwrap());
    camera.end_of_stream().unwrap();
    let recording = session.play().record(f64::MAX);
    let failed = recording.messages.iter().find(|m| m.name() == "track-failed").unwrap();
    assert!(failed.get::<&str>("uri").unwrap().ends_with("/happy.flac"));
    assert!(recording.heard(4.5).is_some(), "the next best plays");
}

#[test]
fn a_local_file_does_not_lead_to_the_network() {
    init();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://{}/a.ts\n#EXT-X-ENDLIST\n",
        server.local_addr().unwrap()
    );
    std::fs::write(folder.path().join("song.mp3"), text).unwrap();
    let recording = perform(player(folder.path()), &[(Some(Happy), 5)]);
    assert_eq!((recording.seconds(), recording.count("track-failed")), (5.0, 1));
    assert!(recording.complaints.iter().any(|text| text.contains("none of the library's tracks")));
    assert!(server.accept().is_err(), "somebody called");
}

/// The errors of a player that does not come up.
fn refused(change: impl FnOnce(&gst::Element)) -> String {
    init();
    let player = gst::ElementFactory::make("moodplayer").build().unwrap();
    change(&player);
    let session = Session::new(player, "audio/x-raw");
    assert!(session.pipeline.set_state(gst::State::Paused).is_err());
    session.errors().join("\n")
}

#[test]
fn what_cannot_work_is_refused_with_a_remedy() {
    let library = library();
    let path = library.path().to_str().unwrap();
    let empty = tempfile::TempDir::new().unwrap();
    for (property, value, remedy) in [
        ("library", "", "name a folder"),
        ("library", empty.path().to_str().unwrap(), "put audio files there"),
        ("library", "/nowhere", "check the path"),
        ("subject", "tallest", "id:N"),
        ("manual-mood", "giddy", "surprise"),
        ("log-location", "/nowhere/log.jsonl", "log-location"),
    ] {
        let error = refused(|player| {
            player.set_property("library", path);
            player.set_property(property, value);
        });
        assert!(error.contains(remedy), "{property}={value}: {error}");
    }
}

#[test]
fn a_word_misspelt_while_playing_is_warned_of_and_changes_nothing() {
    let library = library();
    let player = player(library.path());
    player.set_property("manual-mood", "happy");
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    session.play().record(1.0);
    session.player.set_property("subject", "tallest");
    let recording = session.record(1.0);
    assert_eq!(recording.heard(0.8), Some(Happy));
    assert!(recording.complaints.iter().any(|text| text.contains("tallest")), "{:?}", recording.complaints);
}

#[test]
fn an_end_before_the_first_frame_is_a_clean_end() {
    let library = library();
    let session = Session::new(player(library.path()), "audio/x-raw");
    let camera = camera();
    session.watch(camera.upcast_ref(), "mood");
    camera.end_of_stream().unwrap();
    let recording = session.play().record(f64::MAX);
    assert_eq!(recording.times, []);
    let pad = session.sink.static_pad("sink").unwrap();
    assert!(pad.current_caps().is_some() && pad.sticky_event::<gst::event::Segment>(0).is_some());
    assert!(session.errors().is_empty());
}

#[test]
fn any_caps_and_their_change_are_taken() {
    let library = library();
    let session = Session::new(player(library.path()), "audio/x-raw,format=F32LE");
    let camera = camera();
    session.watch(camera.upcast_ref(), "mood");
    for (index, buffer) in show(&[(Some(Sad), 6)]).into_iter().enumerate() {
        match index {
            0 => camera.set_caps(Some(&gst::Caps::new_empty_simple("application/x-anything"))),
            30 => camera.set_caps(Some(&"video/x-raw,width=1,height=1,framerate=0/1".parse().unwrap())),
            _ => {}
        }
        camera.push_buffer(buffer).unwrap();
    }
    camera.end_of_stream().unwrap();
    let recording = session.play().record(f64::MAX);
    assert_eq!((recording.seconds(), recording.heard(5.5)), (6.0, Some(Sad)));
}

#[test]
fn pads_are_named_as_asked_and_none_twice() {
    init();
    let player = gst::ElementFactory::make("moodplayer").build().unwrap();
    for (asked, given) in
        [("mood", "mood"), ("mood_0", "mood_0"), ("mood_3", "mood_3"), ("mood_%u", "mood_1")]
    {
        assert_eq!(player.request_pad_simple(asked).unwrap().name(), given);
    }
}

#[test]
fn stopping_while_it_waits_for_pictures_is_quick() {
    let library = library();
    let session = Session::new(player(library.path()), "audio/x-raw");
    let camera = camera();
    session.watch(camera.upcast_ref(), "mood");
    show(&[(Some(Happy), 2)]).into_iter().for_each(|buffer| _ = camera.push_buffer(buffer).unwrap());
    session.play().record(1.5);
    let begun = std::time::Instant::now();
    session.pipeline.set_state(gst::State::Null).unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}
