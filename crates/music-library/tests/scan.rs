//! Scans: what is read again and what is not, what stays of what people said, and files that are not what they seem.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use common::{Ear, scan, sources, tone, wav};
use lofty::tag::ItemKey;
use music_library::{Access, Database, Error, Field, Library, Provenance, Report, Scan, Value};
use tempfile::TempDir;

fn place() -> (TempDir, std::path::PathBuf, Database) {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    let database = Database::create(folder.path().join("library.db")).unwrap();
    (folder, music, database)
}

fn counts(report: &Report) -> [usize; 5] {
    [report.added, report.changed, report.moved, report.unchanged, report.missing]
}

fn from(database: &Database, path: &Path, field: Field) -> Option<(String, Provenance)> {
    let entry = database.find(path.to_str().unwrap(), "").unwrap();
    entry.get(field).map(|said| (said.value.to_string(), said.provenance))
}

fn words(text: &str) -> [(Field, Option<Value>); 1] {
    [(Field::Mood, Some(Value::Text(text.into())))]
}

#[test]
fn only_what_changed_is_read_again_and_only_new_content_is_heard() {
    let (_folder, music, database) = place();
    let (a, ear) = (tone(&music, "a.wav", 440.0, 1), Ear::default());
    tone(&music, "b.wav", 550.0, 1);
    assert_eq!(counts(&scan(&database, &music, &ear)), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 0, 0, 2, 0]);
    assert_eq!(ear.heard.load(Ordering::Relaxed), 2);

    // The same content at another time: read, not heard.
    let later = SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(&a).unwrap().set_modified(later).unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 1, 0, 1, 0]);
    assert_eq!(ear.heard.load(Ordering::Relaxed), 2);

    tone(&music, "a.wav", 660.0, 2);
    let report = scan(&database, &music, &ear);
    assert_eq!((counts(&report), report.audio), ([0, 1, 0, 1, 0], 2.0));
    assert_eq!(from(&database, &a, Field::Duration).unwrap().0, "2");

    // The file beside it is looked at as well.
    fs::write(music.join("a.wav.mood"), "calm, warm").unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 1, 0, 1, 0]);
    assert_eq!(from(&database, &a, Field::Mood), Some(("calm; warm".into(), Provenance::Tag)));
    assert_eq!(ear.heard.load(Ordering::Relaxed), 3);
}

#[test]
fn a_renamed_file_keeps_what_was_said_of_it_and_a_lost_one_comes_back_with_it() {
    let (folder, music, database) = place();
    let (old, ear) = (tone(&music, "old.wav", 440.0, 1), Ear::default());
    tone(&music, "other.wav", 550.0, 1);
    scan(&database, &music, &ear);
    database.set(old.to_str().unwrap(), &words("hopeful")).unwrap();
    database.rate("", old.to_str().unwrap(), 2).unwrap();

    let new = music.join("sub/new.wav");
    fs::create_dir(music.join("sub")).unwrap();
    fs::rename(&old, &new).unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 0, 1, 1, 0]);
    assert_eq!(from(&database, &new, Field::Mood), Some(("hopeful".into(), Provenance::User)));
    assert_eq!((ear.heard.load(Ordering::Relaxed), database.count().unwrap()), (2, 2));

    let away = folder.path().join("away.wav");
    fs::rename(&new, &away).unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 0, 0, 1, 1]);
    let library = Library::of(&database, "", Access::default()).unwrap();
    assert_eq!((library.tracks.len(), library.skipped.len()), (1, 1));
    fs::rename(&away, &new).unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [0, 0, 0, 2, 0]);
    let library = Library::of(&database, "", Access::default()).unwrap();
    assert!(library.tracks.iter().any(|track| track.moods == ["hopeful"] && track.rating == 2));
}

#[test]
fn a_copy_is_another_track() {
    let (_folder, music, database) = place();
    let (one, ear) = (tone(&music, "one.wav", 440.0, 1), Ear::default());
    scan(&database, &music, &ear);
    fs::copy(&one, music.join("two.wav")).unwrap();
    assert_eq!(counts(&scan(&database, &music, &ear)), [1, 0, 0, 1, 0]);
    assert_eq!(ear.heard.load(Ordering::Relaxed), 1, "its content was known");
    let loudness = |path: &Path| from(&database, path, Field::Loudness).unwrap();
    assert_eq!(loudness(&music.join("two.wav")), loudness(&one));
}

#[test]
fn a_person_beats_a_tag_beats_an_estimate() {
    let (_folder, music, database) = place();
    let path = wav(&music, "a.wav", &[(ItemKey::Mood, "sad"), (ItemKey::ReplayGainTrackGain, "+2.00 dB")]);
    scan(&database, &music, &Ear::default());
    assert_eq!(from(&database, &path, Field::Loudness), Some(("-20".into(), Provenance::Tag)));
    let track = |database: &Database| Library::of(database, "", Access::default()).unwrap().tracks.remove(0);
    assert!(track(&database).affect.unwrap().valence < 0.0);

    let place = path.to_str().unwrap();
    let number = |number| Some(Value::Number(number));
    database.set(place, &[(Field::Valence, number(0.5)), (Field::Arousal, number(-0.25))]).unwrap();
    let found = track(&database);
    assert_eq!((found.affect.unwrap().valence, found.doubt), (0.5, 0.0));
    assert_eq!(found.moods, ["sad"], "the words stay the tag's");
    assert!(found.emotions.is_empty(), "but the person's place is not theirs");
    database.set(place, &[(Field::Valence, None), (Field::Arousal, None)]).unwrap();
    assert!(track(&database).affect.unwrap().valence < 0.0);
}

#[test]
fn stopped_at_any_moment_it_goes_on_from_there() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let (_folder, music, database) = place();
    for number in 0..20 {
        tone(&music, &format!("{number}.wav"), 300.0 + 10.0 * f64::from(number), 1);
    }
    let ear = Ear { stop_after: Some((5, &STOP)), ..Ear::default() };
    let sources = sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 3, access: Access::default(), write_tags: false };
    let report = scan.run(&database, Some(&ear), &STOP, |_| ()).unwrap();
    assert!(report.cancelled && report.added < 20, "{report:?}");
    assert_eq!(database.count().unwrap(), report.added as u64);
    let before = report.added;
    let report = common::scan(&database, &music, &Ear::default());
    assert_eq!((report.added, report.unchanged), (20 - before, before));
}

#[test]
fn files_that_are_not_what_they_seem_are_told_of_and_not_offered() {
    let (_folder, music, database) = place();
    tone(&music, "good.wav", 440.0, 1);
    for (name, bytes) in [("empty.wav", &b""[..]), ("text.mp3", b"hello"), ("panic.ogg", b"panic")] {
        fs::write(music.join(name), bytes).unwrap();
    }
    // The second time from what is known.
    for _ in 0..2 {
        let report = scan(&database, &music, &Ear::default());
        let failed: Vec<&str> =
            report.failed.iter().map(|skipped| skipped.what.rsplit('/').next().unwrap()).collect();
        assert_eq!(failed, ["empty.wav", "panic.ogg", "text.mp3"]);
        assert!(report.failed[2].why.contains("no sound in it"), "{:?}", report.failed);
    }
    let library = Library::of(&database, "", Access::default()).unwrap();
    assert_eq!((library.tracks.len(), library.skipped.len()), (1, 3));
    // Mended, it is one of the others.
    tone(&music, "empty.wav", 220.0, 1);
    assert_eq!(scan(&database, &music, &Ear::default()).failed.len(), 2);
    assert_eq!(Library::of(&database, "", Access::default()).unwrap().tracks.len(), 2);
}

#[test]
fn no_music_file_is_changed_unless_asked() {
    let (_folder, music, database) = place();
    let (path, ear) = (tone(&music, "a.wav", 440.0, 1), Ear::default());
    let before = fs::read(&path).unwrap();
    scan(&database, &music, &ear);
    database.set(path.to_str().unwrap(), &words("hopeful")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);

    let sources = sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 1, access: Access::default(), write_tags: true };
    let write = || scan.run(&database, Some(&ear), &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!((write().written, write().written), (1, 0));
    assert_eq!(fs::read_dir(&music).unwrap().count(), 1);
    let library = Library::open(music.to_str().unwrap(), Access::default()).unwrap();
    assert_eq!(library.tracks[0].moods, ["hopeful"]);
    let measured = database.find(path.to_str().unwrap(), "").unwrap().number(Field::Loudness).unwrap();
    assert!((library.tracks[0].loudness.unwrap() - measured).abs() < 0.01);
    assert_eq!(counts(&common::scan(&database, &music, &ear)), [0, 0, 0, 1, 0]);
    assert_eq!(ear.heard.load(Ordering::Relaxed), 1, "the sound is as it was");
}

#[test]
fn a_disk_that_is_not_there_takes_nothing_along() {
    let (folder, music, database) = place();
    tone(&music, "a.wav", 440.0, 1);
    scan(&database, &music, &Ear::default());
    let run = || {
        let sources = sources(&[&music]);
        let scan = Scan { sources: &sources, threads: 1, access: Access::default(), write_tags: false };
        scan.run(&database, None, &AtomicBool::new(false), |_| ())
    };
    fs::rename(&music, folder.path().join("away")).unwrap();
    assert!(matches!(run(), Err(Error::Missing(_))));
    fs::create_dir(&music).unwrap();
    assert!(matches!(run(), Err(Error::Empty { .. })), "an empty place to mount it");
    assert_eq!(Library::of(&database, "", Access::default()).unwrap().tracks.len(), 1);
}

#[test]
fn a_playlist_brings_its_names_and_the_network_only_where_it_may() {
    let (_folder, music, database) = place();
    let path = tone(&music, "a.wav", 440.0, 1);
    let list = music.join("list.m3u8");
    let text = "#EXTM3U\n#EXTINF:1,Somebody - A Name\na.wav\nhttp://127.0.0.1:9/b.mp3\nmissing.wav\n";
    fs::write(&list, text).unwrap();
    let report = scan(&database, &list, &Ear::default());
    assert_eq!((report.added, report.failed.len()), (1, 2));
    assert_eq!(from(&database, &path, Field::Title), Some(("A Name".into(), Provenance::Import)));

    let sources = sources(&[&list]);
    let scan = Scan {
        sources: &sources,
        threads: 1,
        access: Access { network: true, ..Access::default() },
        write_tags: false,
    };
    let ear = Ear::default();
    let report = scan.run(&database, Some(&ear), &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!((report.added, report.unchanged, ear.heard.load(Ordering::Relaxed)), (1, 1, 0));
    assert_eq!(Library::of(&database, "", Access::default()).unwrap().tracks.len(), 1);
    assert_eq!(
        Library::of(&database, "", Access { network: true, ..Access::default() }).unwrap().tracks.len(),
        2
    );
}

#[test]
fn a_playlist_may_lead_to_what_the_library_holds_or_is_given_along_with_it() {
    let (folder, music, database) = place();
    wav(&music, "a.wav", &[]);
    wav(folder.path(), "elsewhere/b.wav", &[]);
    let list = folder.path().join("lists/list.m3u8");
    fs::create_dir(list.parent().unwrap()).unwrap();
    let up = "../music/a.wav\n../elsewhere/b.wav\n";
    fs::write(&list, up.replace("music", music.file_name().unwrap().to_str().unwrap())).unwrap();
    let run = |given: &[&Path], access| {
        let sources = sources(given);
        let scan = Scan { sources: &sources, threads: 1, access, write_tags: false };
        let report = scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
        (report.added, report.unchanged, report.failed.len())
    };
    assert_eq!(run(&[&list, &music], Access::default()), (1, 0, 1));
    assert_eq!(run(&[&list], Access::default()), (0, 1, 1), "known by now");
    assert_eq!(run(&[&list], Access { outside: true, ..Access::default() }), (1, 1, 0));
    assert_eq!(run(&[&list], Access::default()), (0, 2, 0));
}

#[test]
fn without_a_decoder_tags_are_read_and_the_rest_is_made_up_for() {
    let (_folder, music, database) = place();
    let path = wav(&music, "a.wav", &[(ItemKey::TrackTitle, "Morning"), (ItemKey::InitialKey, "8A")]);
    let sources = sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 1, access: Access::default(), write_tags: false };
    scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!(from(&database, &path, Field::Title), Some(("Morning".into(), Provenance::Tag)));
    assert_eq!(from(&database, &path, Field::Key), Some(("Am".into(), Provenance::Tag)));
    assert_eq!(from(&database, &path, Field::TruePeak), None);
    assert_eq!(counts(&common::scan(&database, &music, &Ear::default())), [0, 1, 0, 0, 0]);
}
