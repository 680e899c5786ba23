//! With a database: ratings, exclusions and history of a client.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use gst::prelude::*;
use mood_schema::Emotion::Neutral;
use music_library::{Access, Database, Scan};

use crate::live::watched_by_a_camera;
use crate::studio::{LIMIT, Session, init, perform, player, tone};

/// A database of three pieces that are about as neutral as each other.
fn database() -> (tempfile::TempDir, Database) {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (name, hertz) in [("a.wav", 300), ("b.wav", 400), ("c.wav", 500)] {
        tone(folder.path(), name, hertz, 30, "channels=1", "neutral");
    }
    let database = Database::create(folder.path().join("library.db")).unwrap();
    let sources = [folder.path().to_str().unwrap().to_owned()];
    let scan = Scan { sources: &sources, threads: 1, access: Access::default(), write_tags: false };
    scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
    (folder, database)
}

fn of_anna(database: &Database) -> gst::Element {
    let player = player(database.path());
    player.set_property("client", "anna");
    player
}

/// Plays for a little while before a live camera; the track that led.
fn listen(player: gst::Element) -> String {
    let session = watched_by_a_camera(player);
    session.play();
    leading(&session)
}

fn leading(session: &Session) -> String {
    let begun = Instant::now();
    loop {
        session.record(0.1);
        let track: String = session.player.property("track");
        if !track.is_empty() {
            return track;
        }
        assert!(begun.elapsed() < LIMIT, "no track in time");
    }
}

fn heard(database: &Database, client: &str) -> Vec<String> {
    database.history(client, 10).unwrap().into_iter().map(|play| play.uri).collect()
}

fn name(uri: &str) -> &str {
    Path::new(uri).file_name().unwrap().to_str().unwrap()
}

#[test]
fn what_was_heard_live_does_not_return_at_once_and_belongs_to_the_client() {
    let (_folder, database) = database();
    let tracks: Vec<String> = (0..3).map(|_| listen(of_anna(&database))).collect();
    assert_eq!(heard(&database, "anna"), tracks);
    let mut names: Vec<&str> = tracks.iter().map(|uri| name(uri)).collect();
    names.sort_unstable();
    assert_eq!(names, ["a.wav", "b.wav", "c.wav"], "each once");
    assert!(heard(&database, "").is_empty());
}

#[test]
fn a_file_gives_the_same_music_whatever_was_heard() {
    let (_folder, database) = database();
    let begun = || {
        let recording = perform(of_anna(&database), &[(Some(Neutral), 6)]);
        let started = recording.messages.iter().find(|message| message.name() == "track-started").unwrap();
        started.get::<String>("uri").unwrap()
    };
    let first = begun();
    database.record_played("anna", &first, 0).unwrap();
    assert_eq!(begun(), first);
    assert_eq!(heard(&database, "anna"), [first], "and nothing is added");
}

#[test]
fn exclusions_and_ratings_are_the_clients_and_a_rating_given_stays() {
    let (folder, database) = database();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    database.exclude("anna", &path("a.wav"), true).unwrap();
    database.exclude("", &path("b.wav"), true).unwrap();
    let session = watched_by_a_camera(of_anna(&database));
    session.play();
    assert_eq!(name(&leading(&session)), "c.wav");
    session.player.emit_by_name::<()>("rate", &[&-1]);
    session.record(0.2);
    drop(session);
    assert_eq!(database.find(&path("c.wav"), "anna").unwrap().rating, -1);
    assert_eq!(database.find(&path("c.wav"), "").unwrap().rating, 0);
    assert_eq!(name(&listen(player(database.path()))), "a.wav", "liked as much by everybody else");
}
