//! Scans: which files are read again, which values are kept, and broken files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use common::{TestDecoder, scan, to_sources, write_tone, write_wav};
use lofty::tag::ItemKey;
use music_library::{Database, Error, Field, Library, Provenance, Scan, ScanReport, SourceAccess, Value};
use tempfile::TempDir;

/// A temporary folder, an empty music folder in it, and an empty database.
fn create_library() -> (TempDir, std::path::PathBuf, Database) {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    let database = Database::open_or_create(folder.path().join("library.db")).unwrap();
    (folder, music, database)
}

/// Numbers of added, changed, moved, unchanged and missing tracks.
fn counts(report: &ScanReport) -> [usize; 5] {
    [report.added, report.changed, report.moved, report.unchanged, report.missing]
}

/// The best value of a field with its provenance.
fn best_value(database: &Database, path: &Path, field: Field) -> Option<(String, Provenance)> {
    let track = database.find_track(path.to_str().unwrap(), "").unwrap();
    track.best_value(field).map(|best| (best.value.to_string(), best.provenance))
}

/// Mood words as a value to set.
fn mood(text: &str) -> [(Field, Option<Value>); 1] {
    [(Field::Mood, Some(Value::Text(text.into())))]
}

#[test]
fn only_changed_files_are_read_and_only_new_content_is_decoded() {
    let (_folder, music, database) = create_library();
    let (a, decoder) = (write_tone(&music, "a.wav", 440.0, 1), TestDecoder::default());
    write_tone(&music, "b.wav", 550.0, 1);
    assert_eq!(counts(&scan(&database, &music, &decoder)), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 0, 0, 2, 0]);
    assert_eq!(decoder.decoded.load(Ordering::Relaxed), 2);

    // The same content with another modification time: read, not decoded.
    let later = SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(&a).unwrap().set_modified(later).unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 1, 0, 1, 0]);
    assert_eq!(decoder.decoded.load(Ordering::Relaxed), 2);

    write_tone(&music, "a.wav", 660.0, 2);
    let report = scan(&database, &music, &decoder);
    assert_eq!((counts(&report), report.analysed_duration), ([0, 1, 0, 1, 0], 2.0));
    assert_eq!(best_value(&database, &a, Field::Duration).unwrap().0, "2");
    // The counted duration, not what the header declares, here a tenth.
    let mut bytes = fs::read(&a).unwrap();
    let declared = (bytes.len() as u32 - 44) / 10;
    bytes[40..44].copy_from_slice(&declared.to_le_bytes());
    fs::write(&a, bytes).unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 1, 0, 1, 0]);
    assert_eq!(best_value(&database, &a, Field::Duration), Some(("2".into(), Provenance::Estimated)));

    // A sidecar file counts as a change.
    fs::write(music.join("a.wav.mood"), "calm, warm").unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 1, 0, 1, 0]);
    assert_eq!(best_value(&database, &a, Field::Mood), Some(("calm; warm".into(), Provenance::Tag)));
    assert_eq!(decoder.decoded.load(Ordering::Relaxed), 4);
}

#[test]
fn moved_and_missing_files_keep_their_values() {
    let (folder, music, database) = create_library();
    let (old, decoder) = (write_tone(&music, "old.wav", 440.0, 1), TestDecoder::default());
    write_tone(&music, "other.wav", 550.0, 1);
    scan(&database, &music, &decoder);
    database.set_user_values(old.to_str().unwrap(), &mood("hopeful")).unwrap();
    database.set_rating("", old.to_str().unwrap(), 2).unwrap();

    let new = music.join("sub/new.wav");
    fs::create_dir(music.join("sub")).unwrap();
    fs::rename(&old, &new).unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 0, 1, 1, 0]);
    assert_eq!(best_value(&database, &new, Field::Mood), Some(("hopeful".into(), Provenance::User)));
    assert_eq!((decoder.decoded.load(Ordering::Relaxed), database.track_count().unwrap()), (2, 2));

    let away = folder.path().join("away.wav");
    fs::rename(&new, &away).unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 0, 0, 1, 1]);
    let library = Library::from_database(&database, "", SourceAccess::default()).unwrap();
    assert_eq!((library.tracks.len(), library.skipped.len()), (1, 1));
    fs::rename(&away, &new).unwrap();
    let library = Library::from_database(&database, "", SourceAccess::default()).unwrap();
    assert_eq!(library.tracks.len(), 2, "it is there again, scanned or not");
    assert_eq!(counts(&scan(&database, &music, &decoder)), [0, 0, 0, 2, 0]);
    let library = Library::from_database(&database, "", SourceAccess::default()).unwrap();
    assert!(library.tracks.iter().any(|track| track.moods == ["hopeful"] && track.rating == 2));
}

#[test]
fn a_copy_is_a_track_of_its_own() {
    let (_folder, music, database) = create_library();
    let (first, decoder) = (write_tone(&music, "one.wav", 440.0, 1), TestDecoder::default());
    scan(&database, &music, &decoder);
    fs::copy(&first, music.join("two.wav")).unwrap();
    assert_eq!(counts(&scan(&database, &music, &decoder)), [1, 0, 0, 1, 0]);
    assert_eq!(decoder.decoded.load(Ordering::Relaxed), 1, "the content was analysed before");
    let loudness = |path: &Path| best_value(&database, path, Field::Loudness).unwrap();
    assert_eq!(loudness(&music.join("two.wav")), loudness(&first));
}

#[test]
fn user_values_take_precedence_over_tags_and_tags_over_estimates() {
    let (_folder, music, database) = create_library();
    let path =
        write_wav(&music, "a.wav", &[(ItemKey::Mood, "sad"), (ItemKey::ReplayGainTrackGain, "+2.00 dB")]);
    scan(&database, &music, &TestDecoder::default());
    assert_eq!(best_value(&database, &path, Field::Loudness), Some(("-20".into(), Provenance::Tag)));
    let track = |database: &Database| {
        Library::from_database(database, "", SourceAccess::default()).unwrap().tracks.remove(0)
    };
    assert!(track(&database).affect.unwrap().valence < 0.0);

    let name = path.to_str().unwrap();
    let number = |number| Some(Value::Number(number));
    database
        .set_user_values(name, &[(Field::Valence, number(0.5)), (Field::Arousal, number(-0.25))])
        .unwrap();
    let changed = track(&database);
    assert_eq!((changed.affect.unwrap().valence, changed.uncertainty), (0.5, 0.0));
    assert_eq!(changed.moods, ["sad"], "the words are still the tag's");
    assert!(changed.emotions.is_empty(), "the point is not that of the words");
    database.set_user_values(name, &[(Field::Valence, None), (Field::Arousal, None)]).unwrap();
    assert!(track(&database).affect.unwrap().valence < 0.0);
}

#[test]
fn a_cancelled_scan_is_continued_by_the_next() {
    static CANCEL: AtomicBool = AtomicBool::new(false);
    let (_folder, music, database) = create_library();
    for number in 0..20 {
        write_tone(&music, &format!("{number}.wav"), 300.0 + 10.0 * f64::from(number), 1);
    }
    let decoder = TestDecoder { cancel_after: Some((5, &CANCEL)), ..TestDecoder::default() };
    let sources = to_sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 3, access: SourceAccess::default(), write_tags: false };
    let report = scan.run(&database, Some(&decoder), &CANCEL, |_| ()).unwrap();
    assert!(report.cancelled && report.added < 20, "{report:?}");
    assert_eq!(database.track_count().unwrap(), report.added as u64);
    let before = report.added;
    let report = common::scan(&database, &music, &TestDecoder::default());
    assert_eq!((report.added, report.unchanged), (20 - before, before));
}

#[test]
fn broken_files_are_reported_and_left_out() {
    let (_folder, music, database) = create_library();
    write_tone(&music, "good.wav", 440.0, 1);
    for (name, bytes) in [("empty.wav", &b""[..]), ("text.mp3", b"hello"), ("panic.ogg", b"panic")] {
        fs::write(music.join(name), bytes).unwrap();
    }
    fs::write(music.join("good.wav.mood"), "calm, xyzzy").unwrap();
    // The second scan reports them from the database.
    for (added, unchanged) in [(1, 0), (0, 1)] {
        let report = scan(&database, &music, &TestDecoder::default());
        assert_eq!((report.listed, report.added, report.unchanged), (1, added, unchanged));
        assert_eq!(report.unknown_moods.keys().collect::<Vec<_>>(), vec!["xyzzy"; added]);
        let failed: Vec<&str> =
            report.failed.iter().map(|skipped| skipped.name.rsplit('/').next().unwrap()).collect();
        assert_eq!(failed, ["empty.wav", "panic.ogg", "text.mp3"]);
        assert!(report.failed[2].reason.contains("no sound in it"), "{:?}", report.failed);
    }
    let library = Library::from_database(&database, "", SourceAccess::default()).unwrap();
    // An empty file is not even listed.
    assert_eq!((library.tracks.len(), library.skipped.len()), (1, 2));
    // A repaired file is a track like any other.
    write_tone(&music, "empty.wav", 220.0, 1);
    assert_eq!(scan(&database, &music, &TestDecoder::default()).failed.len(), 2);
    assert_eq!(Library::from_database(&database, "", SourceAccess::default()).unwrap().tracks.len(), 2);
}

#[test]
fn audio_files_are_changed_only_on_request() {
    let (_folder, music, database) = create_library();
    let (path, decoder) = (write_tone(&music, "a.wav", 440.0, 1), TestDecoder::default());
    let before = fs::read(&path).unwrap();
    scan(&database, &music, &decoder);
    database.set_user_values(path.to_str().unwrap(), &mood("hopeful")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);

    let sources = to_sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 1, access: SourceAccess::default(), write_tags: true };
    let write = || scan.run(&database, Some(&decoder), &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!((write().tags_written, write().tags_written), (1, 0));
    assert_eq!(fs::read_dir(&music).unwrap().count(), 1);
    let library = Library::open(music.to_str().unwrap(), SourceAccess::default()).unwrap();
    assert_eq!(library.tracks[0].moods, ["hopeful"]);
    let measured = database.find_track(path.to_str().unwrap(), "").unwrap().number(Field::Loudness).unwrap();
    assert!((library.tracks[0].loudness.unwrap() - measured).abs() < 0.01);
    assert_eq!(counts(&common::scan(&database, &music, &decoder)), [0, 0, 0, 1, 0]);
    assert_eq!(decoder.decoded.load(Ordering::Relaxed), 1, "the audio has not changed");
}

#[test]
fn an_absent_disk_does_not_make_tracks_missing() {
    let (folder, music, database) = create_library();
    write_tone(&music, "a.wav", 440.0, 1);
    scan(&database, &music, &TestDecoder::default());
    let run = || {
        let sources = to_sources(&[&music]);
        let scan = Scan { sources: &sources, threads: 1, access: SourceAccess::default(), write_tags: false };
        scan.run(&database, None, &AtomicBool::new(false), |_| ())
    };
    fs::rename(&music, folder.path().join("away")).unwrap();
    assert!(matches!(run(), Err(Error::Missing(_))));
    fs::create_dir(&music).unwrap();
    assert!(matches!(run(), Err(Error::Empty { .. })), "an empty mount point");
    assert_eq!(Library::from_database(&database, "", SourceAccess::default()).unwrap().tracks.len(), 1);
}

#[test]
fn a_playlist_gives_names_and_network_tracks_with_permission() {
    let (_folder, music, database) = create_library();
    let path = write_tone(&music, "a.wav", 440.0, 1);
    let list = music.join("list.m3u8");
    let text = "#EXTM3U\n#EXTINF:1,Somebody - A Name\na.wav\nhttp://127.0.0.1:9/b.mp3\nmissing.wav\n";
    fs::write(&list, text).unwrap();
    let report = scan(&database, &list, &TestDecoder::default());
    assert_eq!((report.added, report.failed.len()), (1, 2));
    assert_eq!(best_value(&database, &path, Field::Title), Some(("A Name".into(), Provenance::Import)));

    let sources = to_sources(&[&list]);
    let scan = Scan {
        sources: &sources,
        threads: 1,
        access: SourceAccess { network: true, ..SourceAccess::default() },
        write_tags: false,
    };
    let decoder = TestDecoder::default();
    let report = scan.run(&database, Some(&decoder), &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!((report.added, report.unchanged, decoder.decoded.load(Ordering::Relaxed)), (1, 1, 0));
    assert_eq!(Library::from_database(&database, "", SourceAccess::default()).unwrap().tracks.len(), 1);
    assert_eq!(
        Library::from_database(&database, "", SourceAccess { network: true, ..SourceAccess::default() })
            .unwrap()
            .tracks
            .len(),
        2
    );
}

#[test]
fn a_playlist_may_refer_to_known_tracks_and_scanned_folders() {
    let (folder, music, database) = create_library();
    write_wav(&music, "a.wav", &[]);
    write_wav(folder.path(), "elsewhere/b.wav", &[]);
    let list = folder.path().join("lists/list.m3u8");
    fs::create_dir(list.parent().unwrap()).unwrap();
    let up = "../music/a.wav\n../elsewhere/b.wav\n";
    fs::write(&list, up.replace("music", music.file_name().unwrap().to_str().unwrap())).unwrap();
    let run = |given: &[&Path], access| {
        let sources = to_sources(given);
        let scan = Scan { sources: &sources, threads: 1, access, write_tags: false };
        let report = scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
        (report.added, report.unchanged, report.failed.len())
    };
    assert_eq!(run(&[&list, &music], SourceAccess::default()), (1, 0, 1));
    assert_eq!(run(&[&list], SourceAccess::default()), (0, 1, 1), "the library has it by now");
    assert_eq!(run(&[&list], SourceAccess { outside_folder: true, ..SourceAccess::default() }), (1, 1, 0));
    assert_eq!(run(&[&list], SourceAccess::default()), (0, 2, 0));
}

#[test]
fn without_a_decoder_only_tags_are_read() {
    let (_folder, music, database) = create_library();
    let path = write_wav(&music, "a.wav", &[(ItemKey::TrackTitle, "Morning"), (ItemKey::InitialKey, "8A")]);
    let sources = to_sources(&[&music]);
    let scan = Scan { sources: &sources, threads: 1, access: SourceAccess::default(), write_tags: false };
    scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
    assert_eq!(best_value(&database, &path, Field::Title), Some(("Morning".into(), Provenance::Tag)));
    assert_eq!(best_value(&database, &path, Field::Key), Some(("Am".into(), Provenance::Tag)));
    assert_eq!(best_value(&database, &path, Field::TruePeak), None);
    assert_eq!(counts(&common::scan(&database, &music, &TestDecoder::default())), [0, 1, 0, 0, 0]);
}

#[test]
fn scans_of_one_folder_at_once_all_succeed() {
    let (folder, music, database) = create_library();
    let path = folder.path().join("shared.db");
    drop(database);
    for number in 0..20 {
        write_tone(&music, &format!("{number}.wav"), 200.0 + f64::from(number), 1);
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let database = Database::open_or_create(&path).unwrap();
                for _ in 0..3 {
                    assert_eq!(scan(&database, &music, &TestDecoder::default()).failed, []);
                }
            });
        }
    });
    let database = Database::open(&path).unwrap();
    assert_eq!(database.track_count().unwrap(), 20);
    assert_eq!(counts(&scan(&database, &music, &TestDecoder::default())), [0, 0, 0, 20, 0]);
}
