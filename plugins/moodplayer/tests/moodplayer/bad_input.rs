//! Broken files, wrong settings and odd streams.

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{
    TestPipeline, frames_showing, frequency, init, make_player, record_moods, tone_library, video_source,
    write_tone,
};

use Emotion::{Happy, Sad};

#[test]
fn unplayable_tracks_are_reported_and_skipped() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    write_tone(folder.path(), "good.wav", 600, 3, "channels=1", "happy");
    let random: Vec<u8> = (0..50_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let good = std::fs::read(folder.path().join("good.wav")).unwrap();
    for (name, bytes) in [
        ("empty.mp3", &[][..]),
        ("noise.flac", &random),
        ("text.ogg", b"not music at all"),
        ("head.wav", &good[..60]),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        std::fs::write(folder.path().join(format!("{name}.mood")), "happy").unwrap();
    }
    let player = make_player(folder.path());
    player.set_property("no-repeat", 10u32);
    let recording = record_moods(player, &[(Some(Happy), 20)]);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 20.0);
    let failed = recording.messages.iter().filter(|m| m.name() == "track-failed");
    let mut failed: Vec<(&str, &str)> =
        failed.map(|m| (m.get("uri").unwrap(), m.get::<&str>("error").unwrap())).collect();
    failed.sort();
    assert!((3..=4).contains(&failed.len()), "each once: {failed:?}");
    assert!(failed.iter().all(|(uri, error)| !uri.ends_with("good.wav") && !error.is_empty()), "{failed:?}");
    for at in [5.5, 10.5, 19.5] {
        assert!(recording.tone_level(at, 600) > 0.1, "no music at {at} s");
    }
}

#[test]
fn a_track_deleted_before_it_is_opened_is_skipped() {
    let library = tone_library();
    let player = make_player(library.path());
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    std::fs::remove_file(library.path().join("happy.flac")).unwrap();
    let source = video_source();
    pipeline.player.set_property("manual-mood", "happy");
    pipeline.link_input(source.upcast_ref(), "mood");
    source.sync_state_with_parent().unwrap();
    frames_showing(&[(Some(Happy), 5)])
        .into_iter()
        .for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    let failed = recording.messages.iter().find(|m| m.name() == "track-failed").unwrap();
    assert!(failed.get::<&str>("uri").unwrap().ends_with("/happy.flac"));
    assert!(recording.emotion_at(4.5).is_some(), "no other track plays");
}

#[test]
fn a_local_hls_playlist_does_not_open_the_network() {
    init();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://{}/a.ts\n#EXT-X-ENDLIST\n",
        server.local_addr().unwrap()
    );
    std::fs::write(folder.path().join("song.mp3"), text).unwrap();
    let recording = record_moods(make_player(folder.path()), &[(Some(Happy), 5)]);
    assert_eq!((recording.seconds(), recording.count_messages("track-failed")), (5.0, 1));
    assert!(recording.problems.iter().any(|text| text.contains("none of the library's tracks")));
    assert!(server.accept().is_err(), "a connection was made");
}

/// The errors of a player that cannot be started with the settings that `change` makes.
fn startup_errors(change: impl FnOnce(&gst::Element)) -> String {
    init();
    let player = gst::ElementFactory::make("moodplayer").build().unwrap();
    change(&player);
    let pipeline = TestPipeline::new(player, "audio/x-raw");
    assert!(pipeline.gst_pipeline.set_state(gst::State::Paused).is_err());
    pipeline.errors().join("\n")
}

#[test]
fn settings_that_cannot_work_fail_at_startup_and_name_a_remedy() {
    let library = tone_library();
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
        let error = startup_errors(|player| {
            player.set_property("library", path);
            player.set_property(property, value);
        });
        assert!(error.contains(remedy), "{property}={value}: {error}");
    }
}

#[test]
fn an_unknown_value_set_while_playing_gives_a_warning_and_changes_nothing() {
    let library = tone_library();
    let player = make_player(library.path());
    player.set_property("manual-mood", "happy");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    pipeline.play().record(1.0);
    pipeline.player.set_property("subject", "tallest");
    assert_eq!(pipeline.player.property::<String>("subject"), "largest", "what is in force");
    let recording = pipeline.record(1.0);
    assert_eq!(recording.emotion_at(0.8), Some(Happy));
    assert!(recording.problems.iter().any(|text| text.contains("tallest")), "{:?}", recording.problems);

    // The next valid value of any property still takes effect.
    pipeline.player.set_property("manual-mood", "sad");
    let recording = pipeline.record(40.0);
    // When it begins depends on the machine, and what follows it on when it ends.
    let is_heard = |emotion, at| recording.tone_level(at, frequency(emotion)) > 0.01;
    assert!((0..80).map(|half| f64::from(half) / 2.0).any(|at| is_heard(Sad, at) && !is_heard(Happy, at)));
    assert_eq!(recording.problems, Vec::<String>::new(), "one warning for one change");
}

#[test]
fn a_property_that_cannot_change_while_playing_keeps_its_value() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    pipeline.play().record(0.5);
    pipeline.player.set_property("library", "/nowhere");
    pipeline.player.set_property("seed", 7u64);
    let library = library.path().to_str().unwrap();
    assert_eq!(pipeline.player.property::<String>("library"), library);
    assert_eq!(pipeline.player.property::<u64>("seed"), 0);
    let problems = pipeline.record(0.5).problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|text| text.contains("cannot change while")), "{problems:?}");
}

#[test]
fn audio_linked_to_a_mood_pad_is_refused() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let source = video_source();
    source
        .set_caps(Some(&"audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved".parse().unwrap()));
    pipeline.link_input(source.upcast_ref(), "mood");
    source.push_buffer(gst::Buffer::with_size(1600).unwrap()).unwrap();
    source.end_of_stream().unwrap();
    pipeline.play();
    let started = std::time::Instant::now();
    let mut errors = Vec::new();
    while errors.is_empty() && started.elapsed() < std::time::Duration::from_secs(20) {
        std::thread::sleep(std::time::Duration::from_millis(10));
        errors = pipeline.errors();
    }
    assert!(errors.iter().any(|text| text.contains("audio is linked to mood")), "{errors:?}");
}

#[test]
fn missing_metadata_is_reported_once() {
    for (frames, word) in [
        (frames_showing(&[(Some(Happy), 10)]), None),
        ((0..250).map(untagged_frame).collect::<Vec<_>>(), Some("put haarfacedetect")),
        ((0..250).map(unclassified_frame).collect(), Some("put emotionclassify")),
    ] {
        let library = tone_library();
        let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
        let source = video_source();
        pipeline.link_input(source.upcast_ref(), "mood");
        frames.into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
        source.end_of_stream().unwrap();
        let problems = pipeline.play().record(f64::MAX).problems;
        assert_eq!(problems.len(), usize::from(word.is_some()), "{problems:?}");
        assert!(word.is_none_or(|word| problems[0].contains(word)), "{problems:?}");
    }
}

/// A frame of 40 ms that no detector has looked at.
fn untagged_frame(index: u64) -> gst::Buffer {
    let mut buffer = gst::Buffer::new();
    let buffer_ref = buffer.get_mut().unwrap();
    buffer_ref.set_pts(gst::ClockTime::from_mseconds(40 * index));
    buffer_ref.set_duration(gst::ClockTime::from_mseconds(40));
    buffer
}

/// A frame of 40 ms with a face that no classifier has looked at: the player takes its mood for uncertain.
fn unclassified_frame(index: u64) -> gst::Buffer {
    let mut buffer = untagged_frame(index);
    let bbox = mood_schema::Rect { x: 0.4, y: 0.4, w: 0.2, h: 0.2 };
    let face = mood_schema::Face {
        id: 1,
        bbox,
        classification: None,
        quality: 1.0,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    };
    mood_meta::frame::write(buffer.get_mut().unwrap(), &mood_schema::Frame { faces: vec![face], shot: 0 })
        .unwrap();
    buffer
}

#[test]
fn eos_before_the_first_frame_ends_cleanly() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    source.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    assert_eq!(recording.times, []);
    let pad = pipeline.sink.static_pad("sink").unwrap();
    assert!(pad.current_caps().is_some() && pad.sticky_event::<gst::event::Segment>(0).is_some());
    assert!(pipeline.errors().is_empty());
}

#[test]
fn any_caps_are_accepted_and_may_change() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,format=F32LE");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    for (index, buffer) in frames_showing(&[(Some(Sad), 6)]).into_iter().enumerate() {
        match index {
            0 => source.set_caps(Some(&gst::Caps::new_empty_simple("application/x-anything"))),
            30 => source.set_caps(Some(&"video/x-raw,width=1,height=1,framerate=0/1".parse().unwrap())),
            _ => {}
        }
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    assert_eq!((recording.seconds(), recording.emotion_at(5.5)), (6.0, Some(Sad)));
}

#[test]
fn mood_pads_get_the_requested_or_the_next_free_name() {
    init();
    let player = gst::ElementFactory::make("moodplayer").build().unwrap();
    for (asked, given) in
        [("mood", "mood"), ("mood_0", "mood_0"), ("mood_3", "mood_3"), ("mood_%u", "mood_1")]
    {
        assert_eq!(player.request_pad_simple(asked).unwrap().name(), given);
    }
    let template = player.pad_template("mood").unwrap();
    assert_eq!(player.request_pad(&template, None, None), None, "there is one already");
}

#[test]
fn stopping_does_not_wait_for_frames() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    frames_showing(&[(Some(Happy), 2)])
        .into_iter()
        .for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    pipeline.play().record(1.5);
    let started = std::time::Instant::now();
    pipeline.gst_pipeline.set_state(gst::State::Null).unwrap();
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
