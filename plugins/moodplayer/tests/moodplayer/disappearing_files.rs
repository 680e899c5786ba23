//! Files that are broken, or deleted while they play.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::harness::{Recording, TestPipeline, frames_showing, init, make_player, video_source};
use crate::noise_files::NoiseFile;

use Emotion::{Angry, Happy, Sad};

const MOODS: [Emotion; 3] = [Happy, Sad, Angry];

/// Makes `count` tracks in four formats for the three moods in turn.
fn make_tracks(folder: &Path, count: u64, seconds: f64) {
    for index in 0..count {
        let name = format!("{index:02}.{}", ["flac", "ogg", "wav", "mp3"][index as usize % 4]);
        let mood = MOODS[index as usize % 3].as_str();
        NoiseFile { name: &name, seconds, seed: index, mood, ..NoiseFile::default() }.make(folder);
    }
}

/// Records a player that has opened its library before `change` changes the files.
fn record_moods_after(
    player: gst::Element,
    moods: &[(Option<Emotion>, u64)],
    change: impl FnOnce(),
) -> Recording {
    let pipeline = TestPipeline::new(player, "audio/x-raw,format=F32LE");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    change();
    frames_showing(moods).into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    pipeline.play().record(f64::MAX)
}

impl Recording {
    /// The time at which the sound begins, in seconds, and whether no quarter of a second after that is
    /// silent.
    fn sound_start_and_continuity(&self) -> (f64, bool) {
        let first = self.samples.iter().position(|sample| *sample != 0.0).unwrap();
        let window = self.rate / 4 * self.channels;
        let is_silent = |window: &[f32]| window.iter().all(|sample| sample.abs() < 1e-4);
        let is_continuous = !self.samples[first..].chunks_exact(window).any(is_silent);
        ((first / self.channels) as f64 / self.rate as f64, is_continuous)
    }

    /// The names of the tracks that `track-failed` was posted for, sorted.
    fn failed_tracks(&self) -> Vec<&str> {
        let failed = self.messages.iter().filter(|message| message.name() == "track-failed");
        let mut failed: Vec<&str> =
            failed.map(|message| message.get::<&str>("uri").unwrap().rsplit('/').next().unwrap()).collect();
        failed.sort();
        failed
    }
}

#[test]
fn corrupt_and_missing_tracks_are_skipped_reproducibly() {
    init();
    let run = |log: &Path| {
        let folder = tempfile::TempDir::new().unwrap();
        let folder = folder.path();
        make_tracks(folder, 30, 4.0);
        std::fs::write(folder.join("04.flac"), [0x5a; 40_000]).unwrap();
        // Truncated in the middle: its first half is played.
        let bytes = std::fs::read(folder.join("13.ogg")).unwrap();
        std::fs::write(folder.join("13.ogg"), &bytes[..bytes.len() / 2]).unwrap();
        let player = make_player(folder);
        player.set_property("min-dwell", 2_000_000_000u64);
        player.set_property("no-repeat", 10u32);
        player.set_property("log-location", log.to_str().unwrap());
        let moods: Vec<_> = (0..30).map(|index| (Some(MOODS[index % 3]), 8)).collect();
        let recording =
            record_moods_after(player, &moods, || std::fs::remove_file(folder.join("22.wav")).unwrap());
        recording.assert_continuous();
        assert_eq!(recording.seconds(), 240.0);
        assert_eq!(recording.failed_tracks(), ["04.flac", "22.wav"]);
        let has_warning = |name: &str| recording.problems.iter().any(|text| text.contains(name));
        assert!(has_warning("04.flac") && has_warning("22.wav"), "{:?}", recording.problems);
        assert!(recording.samples.iter().all(|sample| sample.is_finite()));
        let (start, is_continuous) = recording.sound_start_and_continuity();
        assert!(start < 5.0 && is_continuous);
        // The folder has another name in each run.
        let decisions = std::fs::read_to_string(log).unwrap().replace(folder.to_str().unwrap(), "");
        (recording.bytes, decisions)
    };
    let log = tempfile::NamedTempFile::new().unwrap();
    let (audio, decisions) = run(log.path());
    let (audio_again, decisions_again) = run(log.path());
    assert!(audio == audio_again, "the audio differs");
    assert_eq!(decisions, decisions_again);
}

#[test]
fn a_track_deleted_or_truncated_while_it_plays_is_followed_by_another() {
    for truncate in [false, true] {
        init();
        let folder = tempfile::TempDir::new().unwrap();
        make_tracks(folder.path(), 12, 20.0);
        let pipeline = TestPipeline::new(make_player(folder.path()), "audio/x-raw,format=F32LE");
        pipeline.player.set_property("manual-mood", "happy");
        let first = pipeline.play().record(3.0);
        let track: String = pipeline.player.property("track");
        let path = folder.path().join(track.rsplit('/').next().unwrap());
        if truncate {
            std::fs::File::options().write(true).open(&path).unwrap().set_len(200_000).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let rest = pipeline.record(40.0);
        first.assert_continuous();
        rest.assert_continuous();
        assert!(rest.sound_start_and_continuity().1, "the music stops");
        assert_ne!(pipeline.player.property::<String>("track"), track);
        assert!(pipeline.errors().is_empty());
    }
}

#[test]
fn a_removed_folder_gives_silence_and_no_error() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    make_tracks(folder.path(), 6, 4.0);
    let removed = folder.path().to_owned();
    let recording =
        record_moods_after(make_player(folder.path()), &[(Some(Happy), 5), (Some(Sad), 15)], || {
            std::fs::remove_dir_all(removed).unwrap();
        });
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 20.0);
    assert_eq!(recording.failed_tracks().len(), 6, "each once");
    let warnings = recording.problems.iter().filter(|text| text.contains("none of the library's tracks"));
    assert_eq!(warnings.count(), 1, "{:?}", recording.problems);
}

#[test]
fn playlist_entries_on_the_network_are_reported_and_the_rest_plays() {
    init();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    NoiseFile { name: "here.flac", seconds: 20.0, ..NoiseFile::default() }.make(folder.path());
    let list = folder.path().join("list.m3u8");
    let address = server.local_addr().unwrap();
    std::fs::write(&list, format!("#EXTM3U\nhttp://{address}/a.mp3\nhere.flac\nmissing.ogg\n")).unwrap();
    let recording = record_moods_after(make_player(&list), &[(Some(Happy), 10)], || {});
    assert_eq!(recording.failed_tracks().len(), 2, "{:?}", recording.failed_tracks());
    assert!(recording.problems.iter().any(|text| text.contains(&address.to_string())));
    recording.assert_level(4.0, 9.9, "the local track");
    assert!(server.accept().is_err(), "a connection was made");
}

#[test]
fn a_folder_that_returns_is_played_at_the_next_choice() {
    init();
    let parent = tempfile::TempDir::new().unwrap();
    let (folder, elsewhere) = (parent.path().join("music"), parent.path().join("elsewhere"));
    std::fs::create_dir(&folder).unwrap();
    make_tracks(&folder, 3, 4.0);
    let move_away = || std::fs::rename(&folder, &elsewhere).unwrap();
    let move_back = || std::fs::rename(&elsewhere, &folder).unwrap();

    // With recorded video.
    let pipeline = TestPipeline::new(make_player(&folder), "audio/x-raw,format=F32LE");
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    move_away();
    let mut frames = frames_showing(&[(Some(Happy), 30)]);
    let rest = frames.split_off(100);
    frames.into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    let silence = pipeline.play().record(9.0);
    assert!(silence.samples.iter().all(|sample| *sample == 0.0));
    assert_eq!(silence.failed_tracks().len(), 3, "each once");
    let words = |text: &&String| text.contains("none of the library's tracks");
    let warnings: Vec<&String> = silence.problems.iter().filter(words).collect();
    assert!(
        matches!(warnings[..], [text] if text.contains("was found") && !text.contains("install")),
        "{warnings:?}"
    );
    let is_not_found = |text: &String| text.contains("not found") || text.contains("was found");
    assert!(silence.problems.iter().all(is_not_found), "{:?}", silence.problems);
    move_back();
    rest.into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    let music = pipeline.record(f64::MAX);
    music.assert_level(5.0, 15.0, "the folder is back");
    assert!(music.failed_tracks().is_empty());
    drop(pipeline);

    // By hand, while a track plays: those that were left out are taken up again.
    let pipeline = TestPipeline::new(make_player(&folder), "audio/x-raw,format=F32LE");
    pipeline.player.set_property("manual-mood", "happy");
    pipeline.gst_pipeline.set_state(gst::State::Paused).unwrap();
    move_away();
    let silence = pipeline.play().record(3.0);
    assert!(!silence.failed_tracks().is_empty());
    move_back();
    let started = std::time::Instant::now();
    while pipeline.record(1.0).samples.iter().all(|sample| *sample == 0.0) {
        assert!(started.elapsed() < crate::harness::TIMEOUT, "the folder is not taken up again");
    }
}
