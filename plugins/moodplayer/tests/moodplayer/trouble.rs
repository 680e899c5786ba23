//! Disks and files that go while they play.

use std::path::Path;

use gst::prelude::*;
use mood_schema::Emotion;

use crate::material::Material;
use crate::studio::{Recording, Session, camera, init, player, show};

use Emotion::{Angry, Happy, Sad};

const MOODS: [Emotion; 3] = [Happy, Sad, Angry];

fn tracks(folder: &Path, count: u64, seconds: f64) {
    for index in 0..count {
        let name = format!("{index:02}.{}", ["flac", "ogg", "wav", "mp3"][index as usize % 4]);
        let mood = MOODS[index as usize % 3].as_str();
        Material { name: &name, seconds, seed: index, mood, ..Material::default() }.make(folder);
    }
}

/// Shows a player that has seen its library some moods, after something has happened.
fn perform_after(
    player: gst::Element,
    moods: &[(Option<Emotion>, u64)],
    happens: impl FnOnce(),
) -> Recording {
    let session = Session::new(player, "audio/x-raw,format=F32LE");
    let camera = camera();
    session.watch(camera.upcast_ref(), "mood");
    session.pipeline.set_state(gst::State::Paused).unwrap();
    happens();
    show(moods).into_iter().for_each(|buffer| _ = camera.push_buffer(buffer).unwrap());
    camera.end_of_stream().unwrap();
    session.play().record(f64::MAX)
}

impl Recording {
    /// From when on there is sound, seconds, and whether it then never stops for a quarter of a second.
    fn sounds(&self) -> (f64, bool) {
        let begun = self.samples.iter().position(|sample| *sample != 0.0).unwrap();
        let window = self.rate / 4 * self.channels;
        let silent = |window: &[f32]| window.iter().all(|sample| sample.abs() < 1e-4);
        let goes_on = !self.samples[begun..].chunks_exact(window).any(silent);
        ((begun / self.channels) as f64 / self.rate as f64, goes_on)
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.messages.iter().filter(|message| message.name() == "track-failed");
        let mut failed: Vec<&str> =
            failed.map(|message| message.get::<&str>("uri").unwrap().rsplit('/').next().unwrap()).collect();
        failed.sort();
        failed
    }
}

#[test]
fn one_track_in_ten_corrupt_or_gone_is_skipped_and_reported_the_same_way_twice() {
    init();
    let run = |log: &Path| {
        let folder = tempfile::TempDir::new().unwrap();
        let folder = folder.path();
        tracks(folder, 30, 4.0);
        std::fs::write(folder.join("04.flac"), [0x5a; 40_000]).unwrap();
        // Broken off in the middle: what there is is played.
        let bytes = std::fs::read(folder.join("13.ogg")).unwrap();
        std::fs::write(folder.join("13.ogg"), &bytes[..bytes.len() / 2]).unwrap();
        let player = player(folder);
        player.set_property("min-dwell", 2_000_000_000u64);
        player.set_property("no-repeat", 10u32);
        player.set_property("log-location", log.to_str().unwrap());
        let moods: Vec<_> = (0..30).map(|index| (Some(MOODS[index % 3]), 8)).collect();
        let recording =
            perform_after(player, &moods, || std::fs::remove_file(folder.join("22.wav")).unwrap());
        recording.assert_continuous();
        assert_eq!(recording.seconds(), 240.0);
        assert_eq!(recording.failed(), ["04.flac", "22.wav"]);
        let warned = |name: &str| recording.complaints.iter().any(|text| text.contains(name));
        assert!(warned("04.flac") && warned("22.wav"), "{:?}", recording.complaints);
        assert!(recording.samples.iter().all(|sample| sample.is_finite()));
        let (begins, goes_on) = recording.sounds();
        assert!(begins < 5.0 && goes_on);
        // The folder has another name every time.
        let decisions = std::fs::read_to_string(log).unwrap().replace(folder.to_str().unwrap(), "");
        (recording.bytes, decisions)
    };
    let log = tempfile::NamedTempFile::new().unwrap();
    let (audio, decisions) = run(log.path());
    let (audio_again, decisions_again) = run(log.path());
    assert!(audio == audio_again, "other audio");
    assert_eq!(decisions, decisions_again);
}

#[test]
fn a_track_deleted_or_cut_short_while_it_plays_is_followed_by_another() {
    for cut in [false, true] {
        init();
        let folder = tempfile::TempDir::new().unwrap();
        tracks(folder.path(), 12, 20.0);
        let session = Session::new(player(folder.path()), "audio/x-raw,format=F32LE");
        session.player.set_property("manual-mood", "happy");
        let first = session.play().record(3.0);
        let track: String = session.player.property("track");
        let path = folder.path().join(track.rsplit('/').next().unwrap());
        if cut {
            std::fs::File::options().write(true).open(&path).unwrap().set_len(200_000).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let rest = session.record(40.0);
        first.assert_continuous();
        rest.assert_continuous();
        assert!(rest.sounds().1, "music goes on");
        assert_ne!(session.player.property::<String>("track"), track);
        assert!(session.errors().is_empty());
    }
}

#[test]
fn a_removed_disk_ends_in_silence_and_not_in_an_error() {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    tracks(folder.path(), 6, 4.0);
    let removed = folder.path().to_owned();
    let recording = perform_after(player(folder.path()), &[(Some(Happy), 5), (Some(Sad), 15)], || {
        std::fs::remove_dir_all(removed).unwrap();
    });
    recording.assert_continuous();
    assert_eq!(recording.seconds(), 20.0);
    assert_eq!(recording.failed().len(), 6, "each once");
    let told = recording.complaints.iter().filter(|text| text.contains("none of the library's tracks"));
    assert_eq!(told.count(), 1, "{:?}", recording.complaints);
}

#[test]
fn playlist_entries_that_lead_elsewhere_are_reported_and_the_rest_plays() {
    init();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    Material { name: "here.flac", seconds: 20.0, ..Material::default() }.make(folder.path());
    let list = folder.path().join("list.m3u8");
    let address = server.local_addr().unwrap();
    std::fs::write(&list, format!("#EXTM3U\nhttp://{address}/a.mp3\nhere.flac\nmissing.ogg\n")).unwrap();
    let recording = perform_after(player(&list), &[(Some(Happy), 10)], || {});
    assert_eq!(recording.failed().len(), 2, "{:?}", recording.failed());
    assert!(recording.complaints.iter().any(|text| text.contains(&address.to_string())));
    recording.assert_level(4.0, 9.9, "what is there");
    assert!(server.accept().is_err(), "somebody called");
}
