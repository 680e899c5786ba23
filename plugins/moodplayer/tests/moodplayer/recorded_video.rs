//! Recorded video: the audio follows its timestamps.

use gst::prelude::*;
use mood_schema::{Emotion, Frame, Line, SafetyLine};

use crate::harness::{
    TestPipeline, face, frames_showing, frequency, make_player, record_moods, tone_library, video_source,
    write_tone,
};

use Emotion::{Angry, Happy, Neutral, Sad};

#[test]
fn music_follows_the_mood() {
    let library = tone_library();
    let log = library.path().join("log.jsonl");
    let player = make_player(library.path());
    player.set_property("log-location", log.to_str().unwrap());
    let recording = record_moods(player, &[(Some(Neutral), 8), (Some(Happy), 12), (Some(Sad), 12)]);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 32.0, "as long as the video");
    assert_eq!(recording.times[0].0, 0);
    assert_eq!((recording.rate, recording.channels), (48_000, 2));
    for (at, expected) in [(0.5, None), (7.5, Some(Neutral)), (18.5, Some(Happy)), (31.5, Some(Sad))] {
        assert_eq!(recording.emotion_at(at), expected, "at {at} s");
    }
    for (message, count) in [
        ("mood-changed", 3),
        ("track-started", 3),
        ("crossfade-started", 2),
        ("crossfade-done", 2),
        ("track-failed", 0),
    ] {
        assert_eq!(recording.count_messages(message), count, "{message}");
    }
    let happy = recording.messages.iter().filter(|m| m.name() == "track-started").nth(1).unwrap();
    assert!(happy.get::<&str>("uri").unwrap().ends_with("/happy.flac"));
    assert_eq!(happy.get::<&str>("title").unwrap(), "600 Hz");
    assert_eq!(happy.get::<&str>("mood").unwrap(), "happy");
    // The track starts after the decision, delayed by the limiter's look-ahead.
    let changed = recording.messages.iter().filter(|m| m.name() == "mood-changed").nth(1).unwrap();
    let delay = happy.get::<u64>("timestamp").unwrap() - changed.get::<u64>("timestamp").unwrap();
    assert!(delay < 5_000_000, "{delay} ns");

    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(&lines[0], Line::Session(header) if header.settings.contains_key("moodplayer")));
    assert!(matches!(lines.last(), Some(Line::End(end)) if end.pts == 32_000_000_000));
    let moods = lines.iter().filter(|line| matches!(line, Line::Mood(_))).count();
    let tracks = lines.iter().filter(|line| matches!(line, Line::Track(_))).count();
    assert_eq!((moods, tracks), (3, 3 + 2 + 2 + 2));
}

#[test]
fn repeated_runs_give_identical_audio_and_logs_at_any_speed() {
    let library = tone_library();
    let log = library.path().join("log.jsonl");
    let moods = [(Some(Happy), 6), (Some(Angry), 8), (None, 3), (Some(Sad), 8), (Some(Happy), 8)];
    let run = |slow: bool| {
        let player = make_player(library.path());
        player.set_property("log-location", log.to_str().unwrap());
        player.set_property_from_str("resume", "resume");
        let pipeline = TestPipeline::new(player, "audio/x-raw,format=S16LE,rate=44100,channels=1");
        let source = video_source();
        pipeline.link_input(source.upcast_ref(), "mood");
        pipeline.play();
        let feed = std::thread::spawn(move || {
            for (index, buffer) in frames_showing(&moods).into_iter().enumerate() {
                if slow && index % 20 == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(30));
                }
                source.push_buffer(buffer).unwrap();
            }
            source.end_of_stream().unwrap();
        });
        let recording = pipeline.record(f64::MAX);
        feed.join().unwrap();
        drop(pipeline);
        (recording.bytes, std::fs::read(&log).unwrap())
    };
    let (audio, decisions) = run(false);
    assert_eq!(audio.len(), 33 * 44_100 * 2);
    for slow in [true, false] {
        let (again, decisions_again) = run(slow);
        assert!(audio == again, "the audio differs");
        assert_eq!(
            String::from_utf8(decisions.clone()).unwrap(),
            String::from_utf8(decisions_again).unwrap()
        );
    }
}

#[test]
fn every_format_is_decoded_and_brought_to_the_target_loudness() {
    crate::harness::init();
    for (name, format) in [
        ("a.wav", "format=S24LE,rate=96000,channels=2"),
        ("b.flac", "format=S16LE,rate=44100,channels=1"),
        ("c.ogg", "rate=48000,channels=6,channel-mask=(bitmask)0x3f"),
        ("d.mp3", "rate=44100,channels=2"),
        ("e.m4a", "rate=48000,channels=2"),
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        write_tone(folder.path(), name, 997, 4, format, "happy");
        let player = make_player(folder.path());
        player.set_property("target-lufs", -20.0);
        let recording = record_moods(player, &[(Some(Happy), 5)]);
        assert_eq!(recording.count_messages("track-failed"), 0, "{name}: {:?}", recording.messages);
        let started = recording.messages.iter().find(|m| m.name() == "track-started").unwrap();
        assert_eq!(started.get::<f64>("distance").unwrap(), 0.0, "{name}: its mood was not read");
        // A full-scale stereo sine is at 0 LUFS, so -20 LUFS is a tenth of full scale. Measured in the
        // track's middle, between its fades.
        let level = recording.tone_level(recording.message_times("track-started")[0] + 2.0, 997);
        assert!((20.0 * (level / 0.1).log10()).abs() < 0.5, "{name}: {level}");
    }
}

#[test]
fn two_inputs_share_one_subject_and_the_last_ends_the_audio() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,format=F32LE");
    let (near, far) = (video_source(), video_source());
    pipeline.link_input(near.upcast_ref(), "mood_%u");
    pipeline.link_input(far.upcast_ref(), "mood_%u");
    for mut buffer in frames_showing(&[(Some(Happy), 10)]) {
        let mut small = face(Sad);
        small.bbox.w = 0.1;
        let mut other = buffer.copy();
        mood_meta::frame::write(other.make_mut(), &Frame { faces: vec![small], shot: 0 }).unwrap();
        near.push_buffer(std::mem::take(&mut buffer)).unwrap();
        if other.pts().unwrap() < gst::ClockTime::from_seconds(7) {
            far.push_buffer(other).unwrap();
        }
    }
    far.end_of_stream().unwrap();
    near.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 10.0);
    assert_eq!(recording.emotion_at(9.5), Some(Happy));
}

#[test]
fn unclassified_faces_are_uncertain_and_missing_faces_absent() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    source.set_caps(Some(&gst::Caps::builder("video/x-raw").field("width", 64).field("height", 48).build()));
    for index in 0..160 {
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_mseconds(100 * index));
        writable.set_duration(gst::ClockTime::from_mseconds(100));
        if index < 80 {
            gst_video::VideoRegionOfInterestMeta::add(writable, "face", (10, 10, 20, 20));
        }
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let recording = pipeline.play().record(f64::MAX);
    let moods: Vec<_> = recording.messages.iter().filter(|m| m.name() == "mood-changed").collect();
    let to: Vec<&str> = moods.iter().map(|m| m.get::<&str>("to").unwrap()).collect();
    assert_eq!(to, ["uncertain", "absent"]);
    assert_eq!(recording.count_messages("track-started"), 1, "neutral music, which goes on without a face");
}

#[test]
fn moods_and_tracks_are_sent_upstream() {
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw");
    let source = video_source();
    let pad = pipeline.link_input(source.upcast_ref(), "mood");
    let (send, received) = std::sync::mpsc::channel();
    pad.peer().unwrap().add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if let Some(line) = info.event().and_then(|event| mood_meta::event::parse_player_line(event)) {
            send.send(line).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    frames_showing(&[(Some(Happy), 6)])
        .into_iter()
        .for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    pipeline.play().record(f64::MAX);
    let lines: Vec<Line> = received.try_iter().collect();
    assert!(matches!(lines[0], Line::Mood(_)) && matches!(lines[1], Line::Track(_)), "{lines:?}");
}

#[test]
fn after_a_seek_time_restarts_and_the_track_continues() {
    let library = tone_library();
    let player = make_player(library.path());
    player.set_property_from_str("on-no-face", "neutral");
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    let video = gst::parse::bin_from_description(
        "videotestsrc ! capsfilter caps=video/x-raw,width=16,height=16,framerate=25/1",
        true,
    );
    pipeline.link_input(video.unwrap().upcast_ref(), "mood");
    let before = pipeline.play().record(2.0);
    assert_eq!(before.emotion_at(1.5), Some(Neutral));
    let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
    let (begin, end) = (gst::ClockTime::from_seconds(15), gst::ClockTime::from_seconds(20));
    pipeline.gst_pipeline.seek(1.0, flags, gst::SeekType::Set, begin, gst::SeekType::Set, end).unwrap();
    let after = pipeline.record(f64::MAX);
    after.assert_continuous();
    assert_eq!(after.times[0].0, 15_000_000_000);
    assert_eq!(after.seconds(), 5.0, "to the end of the segment");
    assert_eq!(after.emotion_at(0.5), Some(Neutral));
    assert_eq!(after.count_messages("track-started"), 0);
    assert_eq!(pipeline.player.query_position::<gst::ClockTime>(), Some(gst::ClockTime::from_seconds(20)));
}

#[test]
fn video_is_not_blocked_by_slow_audio() {
    // Like a muxer that takes all video before any audio.
    let library = tone_library();
    let pipeline = TestPipeline::new(make_player(library.path()), "audio/x-raw,format=F32LE");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    pipeline.play();
    frames_showing(&[(Some(Happy), 20)])
        .into_iter()
        .for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    let started = std::time::Instant::now();
    while source.current_level_bytes() > 0 || source.current_level_buffers() > 0 {
        assert!(started.elapsed() < crate::harness::TIMEOUT, "video waits for audio");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let recording = pipeline.record(f64::MAX);
    assert_eq!((recording.seconds(), recording.emotion_at(19.8)), (20.0, Some(Happy)));
    assert!(recording.tone_level(19.8, frequency(Happy)) > 0.1);
}

#[test]
fn the_safety_limit_ends_negative_music_and_absence_fades_to_silence() {
    let library = tone_library();
    let player = make_player(library.path());
    let log = library.path().join("log.jsonl");
    player.set_property("log-location", log.to_str().unwrap());
    player.set_property("max-negative-time", 6_000_000_000u64);
    player.set_property("target-valence", 0.87);
    player.set_property("target-arousal", 0.65);
    player.set_property_from_str("on-no-face", "fade");
    let recording = record_moods(player, &[(Some(Sad), 40), (None, 12)]);
    let limit = recording.messages.iter().find(|m| m.name() == "safety-limit").unwrap();
    assert_eq!(limit.get::<u64>("negative-time").unwrap(), 6_000_000_000);
    let at = limit.get::<u64>("timestamp").unwrap() as f64 / 1e9;
    assert_eq!(recording.emotion_at(at - 1.0), Some(Sad));
    assert_eq!(recording.emotion_at(39.5), Some(Happy), "the target is reached");
    assert_eq!(recording.count_messages("safety-limit"), 1);
    let lines = std::fs::read_to_string(log).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
    let logged: Vec<_> = lines.filter(|line| matches!(line, Line::Safety(_))).collect();
    let pts = limit.get::<u64>("timestamp").unwrap();
    assert_eq!(logged, [Line::Safety(SafetyLine { pts, negative_time: 6_000_000_000 })]);
    assert_eq!(recording.emotion_at(51.5), None);
}
