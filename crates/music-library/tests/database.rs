//! The database file: other files, damage, opinions, history, export and import.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{TestDecoder, scan, write_tone};
use music_library::{
    Database, Error, Field, Library, SelectionQuery, SourceAccess, TrackSelector, Value, csv_table,
};
use tempfile::TempDir;

/// A database with two tracks, and the paths of those.
fn create_library(folder: &Path) -> (Database, [PathBuf; 2]) {
    let music = folder.join("music");
    let tracks = [write_tone(&music, "a.wav", 440.0, 1), write_tone(&music, "b.wav", 550.0, 1)];
    let database = Database::open_or_create(folder.join("library.db")).unwrap();
    scan(&database, &music, &TestDecoder::default());
    (database, tracks)
}

fn to_str(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_library_opens_from_a_database_as_from_a_folder() {
    let folder = TempDir::new().unwrap();
    let (database, tracks) = create_library(folder.path());
    let path = folder.path().join("library.db");
    assert!(Database::is_database(&path) && !Database::is_database(&tracks[0]));
    let library = Library::open(to_str(&path), SourceAccess::default()).unwrap();
    assert_eq!(library.tracks.iter().map(|track| track.title.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        library,
        Library::open(&format!("file://{}", path.display()), SourceAccess::default()).unwrap()
    );
    assert_eq!(library, Library::from_database(&database, "", SourceAccess::default()).unwrap());
    assert!(library.tracks[0].true_peak.is_some());
}

#[test]
fn a_client_without_opinion_has_that_of_everybody() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = create_library(folder.path());
    database.set_rating("", to_str(&a), 9).unwrap();
    database.set_excluded("", to_str(&a), true).unwrap();
    database.set_rating("anna", to_str(&a), -1).unwrap();
    database.set_excluded("anna", to_str(&b), true).unwrap();
    let opinions = |client| {
        let library = Library::from_database(&database, client, SourceAccess::default()).unwrap();
        library.tracks.iter().map(|track| (track.rating, track.excluded)).collect::<Vec<_>>()
    };
    assert_eq!(opinions(""), [(2, true), (0, false)]);
    assert_eq!(opinions("ben"), opinions(""));
    assert_eq!(opinions("anna"), [(-1, true), (0, true)]);
    database.set_excluded("anna", to_str(&a), false).unwrap();
    assert_eq!(opinions("anna"), [(-1, false), (0, true)]);
    let library = Library::from_database(&database, "anna", SourceAccess::default()).unwrap();
    let query = SelectionQuery { affect: Default::default(), emotion: None };
    let ranked = TrackSelector::new(0, 3).rank(&library, &query, 9);
    assert_eq!(ranked.len(), 1);
    assert!(ranked[0].reason.contains("disliked"), "{}", ranked[0].reason);
    assert!(matches!(database.set_rating("", "/nowhere.wav", 1), Err(Error::NoSuchTrack(_))));
}

#[test]
fn the_history_of_each_client_is_in_order() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = create_library(folder.path());
    for (client, track, started_at) in [("", &a, 10), ("anna", &b, 20), ("", &b, 30), ("", &a, 40)] {
        database.record_play(client, to_str(track), started_at).unwrap();
    }
    let times = |client, limit| {
        let plays = database.play_history(client, limit).unwrap();
        plays.iter().map(|play| play.started_at).collect::<Vec<_>>()
    };
    assert_eq!(times("", 9), [10, 30, 40]);
    assert_eq!(times("", 2), [30, 40]);
    assert_eq!(times("anna", 9), [20]);
    assert!(database.play_history("", 1).unwrap()[0].uri.ends_with("/a.wav"));
}

#[test]
fn other_files_are_refused_and_not_changed() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.db"), "hello").unwrap();
    fs::create_dir(path("folder")).unwrap();
    let other = rusqlite::Connection::open(path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE track (id INTEGER)").unwrap();
    for name in ["text.db", "folder", "other.db"] {
        assert!(matches!(Database::open_or_create(path(name)), Err(Error::NotADatabase(_))), "{name}");
    }
    assert_eq!(fs::read(path("text.db")).unwrap(), b"hello");
    assert!(matches!(Database::open(path("missing.db")), Err(Error::Missing(_))));
    assert!(!path("missing.db").exists());
    assert!(matches!(
        Library::open(to_str(&path("text.db")), SourceAccess::default()),
        Err(Error::UnknownKind(_))
    ));
    assert!(matches!(
        Library::open(to_str(&path("other.db")), SourceAccess::default()),
        Err(Error::NotADatabase(_))
    ));
    // SQLite leaves an empty file when it is killed at the start.
    fs::write(path("empty.db"), "").unwrap();
    assert_eq!(Database::open_or_create(path("empty.db")).unwrap().track_count().unwrap(), 0);
}

#[test]
fn a_newer_database_asks_for_a_newer_program() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("library.db");
    drop(create_library(folder.path()));
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Library::open(to_str(&path), SourceAccess::default()).unwrap_err();
    assert!(
        error.to_string().contains("version 99") && error.to_string().contains("newer gst-mood"),
        "{error}"
    );
}

#[test]
fn damage_is_reported_wherever_it_is_read() {
    let folder = TempDir::new().unwrap();
    drop(create_library(folder.path()));
    let path = folder.path().join("library.db");
    let intact = fs::read(&path).unwrap();
    let (mut reported, pages) = (0, intact.len() / 4096);
    for page in 0..pages {
        let mut bytes = intact.clone();
        bytes[4096 * page + if page == 0 { 100 } else { 0 }..4096 * (page + 1)].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        match Library::open(to_str(&path), SourceAccess::default()) {
            Err(error @ Error::Damaged { .. }) => {
                assert!(error.to_string().contains("scan again"), "{error}");
                reported += 1;
            }
            // A page that is not read.
            Ok(library) => assert_eq!(library.tracks.len(), 2),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(reported >= 3, "{reported} of {pages}");
    // A truncated file.
    fs::write(&path, &intact[..intact.len() / 2]).unwrap();
    assert!(matches!(Library::open(to_str(&path), SourceAccess::default()), Err(Error::Damaged { .. })));
}

#[test]
fn an_exported_table_can_be_imported() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = create_library(folder.path());
    let values = [
        (Field::Mood, Some(Value::Text("calm; \"half\" awake".into()))),
        (Field::Title, Some(Value::Text("One, two\nthree".into()))),
        (Field::Bpm, Some(Value::Number(93.7))),
    ];
    database.set_user_values(to_str(&a), &values).unwrap();
    database.set_rating("", to_str(&b), -2).unwrap();
    database.set_excluded("", to_str(&b), true).unwrap();
    let export = |database: &Database| {
        let mut out = Vec::new();
        csv_table::export(database, "", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let exported = export(&database);
    let report = csv_table::import(&database, "", exported.as_bytes()).unwrap();
    assert_eq!((report.changed, report.unchanged, report.skipped.len()), (0, 2, 0), "{report:?}");

    let other = Database::open_or_create(folder.path().join("other.db")).unwrap();
    scan(&other, &folder.path().join("music"), &TestDecoder::default());
    assert_ne!(export(&other), exported);
    assert_eq!(csv_table::import(&other, "", exported.as_bytes()).unwrap().changed, 2);
    assert_eq!(export(&other), exported);
}

#[test]
fn a_table_may_have_few_columns_and_errors_name_the_line() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = create_library(folder.path());
    let table = format!(
        "mood,Rating,uri,remark\nhappy,2,{},x\n,,{},\nsad,7,{},\ncalm,,/nowhere.wav,\n",
        a.display(),
        b.display(),
        b.display()
    );
    let report = csv_table::import(&database, "", table.as_bytes()).unwrap();
    assert_eq!((report.changed, report.unchanged), (2, 1));
    let reasons: Vec<&str> = report.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert!(
        reasons[0].starts_with("line 4: rating") && reasons[1].starts_with("line 5: not in"),
        "{reasons:?}"
    );
    let track = database.find_track(to_str(&a), "").unwrap();
    assert_eq!((track.text(Field::Mood), track.rating), (Some("happy"), 2));
    for (bpm, delimiter) in [(90.5, ';'), (91.5, '\t')] {
        let row = |path: &str, bpm: &str| format!("{path}{delimiter}{bpm}\r\n");
        let rows = [
            row("Path", "BPM"),
            row(to_str(&a), &bpm.to_string().replace('.', ",")),
            row("/nowhere.wav", "1"),
        ];
        let table = format!("\u{feff}sep={delimiter}\r\n{}", rows.concat());
        let utf16: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let imported = csv_table::import(&database, "", &utf16[..]).unwrap();
        assert!(
            imported.skipped.len() == 1 && imported.skipped[0].reason.starts_with("line 4: not in"),
            "{imported:?}"
        );
        assert_eq!(database.find_track(to_str(&a), "").unwrap().number(Field::Bpm), Some(bpm));
    }
    assert!(matches!(csv_table::import(&database, "", &b"title\nx\n"[..]), Err(Error::Table(_))));
}
