//! The database file: what is ours and what is not, opinions and history, tables out and in.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ear, scan, tone};
use music_library::{Access, Chooser, Database, Error, Field, Library, Query, Value, table};
use tempfile::TempDir;

/// Two tones in a library.
fn filled(folder: &Path) -> (Database, [PathBuf; 2]) {
    let music = folder.join("music");
    let tracks = [tone(&music, "a.wav", 440.0, 1), tone(&music, "b.wav", 550.0, 1)];
    let database = Database::create(folder.join("library.db")).unwrap();
    scan(&database, &music, &Ear::default());
    (database, tracks)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_library_opens_from_a_database_as_from_a_folder() {
    let folder = TempDir::new().unwrap();
    let (database, tracks) = filled(folder.path());
    let path = folder.path().join("library.db");
    assert!(Database::is_one(&path) && !Database::is_one(&tracks[0]));
    let library = Library::open(text(&path), Access::default()).unwrap();
    assert_eq!(library.tracks.iter().map(|track| track.title.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(library, Library::open(&format!("file://{}", path.display()), Access::default()).unwrap());
    assert_eq!(library, Library::of(&database, "", Access::default()).unwrap());
    assert!(library.tracks[0].true_peak.is_some());
}

#[test]
fn opinions_are_a_clients_own_or_else_everybodys() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = filled(folder.path());
    database.rate("", text(&a), 9).unwrap();
    database.exclude("", text(&a), true).unwrap();
    database.rate("anna", text(&a), -1).unwrap();
    database.exclude("anna", text(&b), true).unwrap();
    let seen = |client| {
        let library = Library::of(&database, client, Access::default()).unwrap();
        library.tracks.iter().map(|track| (track.rating, track.excluded)).collect::<Vec<_>>()
    };
    assert_eq!(seen(""), [(2, true), (0, false)]);
    assert_eq!(seen("ben"), seen(""));
    assert_eq!(seen("anna"), [(-1, true), (0, true)]);
    database.exclude("anna", text(&a), false).unwrap();
    assert_eq!(seen("anna"), [(-1, false), (0, true)]);
    let library = Library::of(&database, "anna", Access::default()).unwrap();
    let query = Query { at: Default::default(), emotion: None };
    let ranked = Chooser::new(0, 3).rank(&library, &query, 9);
    assert_eq!(ranked.len(), 1);
    assert!(ranked[0].reason.contains("disliked"), "{}", ranked[0].reason);
    assert!(matches!(database.rate("", "/nowhere.wav", 1), Err(Error::NoSuchTrack(_))));
}

#[test]
fn history_is_kept_by_client_in_its_order() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = filled(folder.path());
    for (client, track, at) in [("", &a, 10), ("anna", &b, 20), ("", &b, 30), ("", &a, 40)] {
        database.record_played(client, text(track), at).unwrap();
    }
    let times =
        |client, last| database.history(client, last).unwrap().iter().map(|play| play.at).collect::<Vec<_>>();
    assert_eq!(times("", 9), [10, 30, 40]);
    assert_eq!(times("", 2), [30, 40]);
    assert_eq!(times("anna", 9), [20]);
    assert!(database.history("", 1).unwrap()[0].uri.ends_with("/a.wav"));
}

#[test]
fn what_is_not_ours_is_refused_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.db"), "hello").unwrap();
    fs::create_dir(path("folder")).unwrap();
    let other = rusqlite::Connection::open(path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE track (id INTEGER)").unwrap();
    for name in ["text.db", "folder", "other.db"] {
        assert!(matches!(Database::create(path(name)), Err(Error::NotADatabase(_))), "{name}");
    }
    assert_eq!(fs::read(path("text.db")).unwrap(), b"hello");
    assert!(matches!(Database::open(path("missing.db")), Err(Error::Missing(_))));
    assert!(!path("missing.db").exists());
    assert!(matches!(Library::open(text(&path("text.db")), Access::default()), Err(Error::UnknownKind(_))));
    assert!(matches!(Library::open(text(&path("other.db")), Access::default()), Err(Error::NotADatabase(_))));
    // What SQLite leaves when it is killed at the very beginning.
    fs::write(path("empty.db"), "").unwrap();
    assert_eq!(Database::create(path("empty.db")).unwrap().count().unwrap(), 0);
}

#[test]
fn a_newer_database_asks_for_a_newer_program() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("library.db");
    drop(filled(folder.path()));
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Library::open(text(&path), Access::default()).unwrap_err();
    assert!(
        error.to_string().contains("version 99") && error.to_string().contains("newer gst-mood"),
        "{error}"
    );
}

#[test]
fn a_damaged_database_is_told_of_wherever_it_is_damaged() {
    let folder = TempDir::new().unwrap();
    drop(filled(folder.path()));
    let path = folder.path().join("library.db");
    let whole = fs::read(&path).unwrap();
    let (mut told, pages) = (0, whole.len() / 4096);
    for page in 0..pages {
        let mut bytes = whole.clone();
        bytes[4096 * page + if page == 0 { 100 } else { 0 }..4096 * (page + 1)].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        match Library::open(text(&path), Access::default()) {
            Err(error @ Error::Damaged { .. }) => {
                assert!(error.to_string().contains("scan again"), "{error}");
                told += 1;
            }
            // A page that reading does not come by.
            Ok(library) => assert_eq!(library.tracks.len(), 2),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(told >= 3, "{told} of {pages}");
    // Cut off.
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(Library::open(text(&path), Access::default()), Err(Error::Damaged { .. })));
}

#[test]
fn a_table_goes_out_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = filled(folder.path());
    let said = [
        (Field::Mood, Some(Value::Text("calm; \"half\" awake".into()))),
        (Field::Title, Some(Value::Text("One, two\nthree".into()))),
        (Field::Bpm, Some(Value::Number(93.7))),
    ];
    database.set(text(&a), &said).unwrap();
    database.rate("", text(&b), -2).unwrap();
    database.exclude("", text(&b), true).unwrap();
    let export = |database: &Database| {
        let mut out = Vec::new();
        table::export(database, "", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let out = export(&database);
    let again = table::import(&database, "", out.as_bytes()).unwrap();
    assert_eq!((again.changed, again.unchanged, again.failed.len()), (0, 2, 0), "{again:?}");

    let other = Database::create(folder.path().join("other.db")).unwrap();
    scan(&other, &folder.path().join("music"), &Ear::default());
    assert_ne!(export(&other), out);
    assert_eq!(table::import(&other, "", out.as_bytes()).unwrap().changed, 2);
    assert_eq!(export(&other), out);
}

#[test]
fn a_table_of_a_few_columns_is_enough_and_its_errors_are_told_by_line() {
    let folder = TempDir::new().unwrap();
    let (database, [a, b]) = filled(folder.path());
    let table = format!(
        "mood,Rating,uri,remark\nhappy,2,{},x\n,,{},\nsad,7,{},\ncalm,,/nowhere.wav,\n",
        a.display(),
        b.display(),
        b.display()
    );
    let done = table::import(&database, "", table.as_bytes()).unwrap();
    assert_eq!((done.changed, done.unchanged), (2, 1));
    let why: Vec<&str> = done.failed.iter().map(|skipped| skipped.why.as_str()).collect();
    assert!(why[0].starts_with("line 4: rating") && why[1].starts_with("line 5: not in"), "{why:?}");
    let found = database.find(text(&a), "").unwrap();
    assert_eq!((found.text(Field::Mood), found.rating), (Some("happy"), 2));
    assert!(matches!(table::import(&database, "", &b"title\nx\n"[..]), Err(Error::Table(_))));
}
