//! Ratings, exclusions and the listening history of a client in a library database.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use gst::prelude::*;
use mood_schema::Emotion::Neutral;
use music_library::{Database, Scan, SourceAccess};

use crate::harness::{TIMEOUT, TestPipeline, init, make_player, record_moods, write_tone};
use crate::live::build_live_pipeline;

/// Makes a database of three tracks that fit the neutral mood equally well.
fn make_database() -> (tempfile::TempDir, Database) {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (name, frequency) in [("a.wav", 300), ("b.wav", 400), ("c.wav", 500)] {
        write_tone(folder.path(), name, frequency, 30, "channels=1", "neutral");
    }
    let database = Database::open_or_create(folder.path().join("library.db")).unwrap();
    let sources = [folder.path().to_str().unwrap().to_owned()];
    let scan = Scan { sources: &sources, threads: 1, access: SourceAccess::default(), write_tags: false };
    scan.run(&database, None, &AtomicBool::new(false), |_| ()).unwrap();
    (folder, database)
}

/// Makes a player for the client anna.
fn make_player_for_anna(database: &Database) -> gst::Element {
    let player = make_player(database.path());
    player.set_property("client", "anna");
    player
}

/// Plays with a live input until the first track starts, and returns its URI.
fn listen_live(player: gst::Element) -> String {
    let pipeline = build_live_pipeline(player);
    pipeline.play();
    wait_for_track(&pipeline)
}

/// Waits until a track starts, and returns its URI.
fn wait_for_track(pipeline: &TestPipeline) -> String {
    let started = Instant::now();
    loop {
        pipeline.record(0.1);
        let track: String = pipeline.player.property("track");
        if !track.is_empty() {
            return track;
        }
        assert!(started.elapsed() < TIMEOUT, "no track in time");
    }
}

/// The URIs of the tracks that a client has heard, the oldest first.
fn played_tracks(database: &Database, client: &str) -> Vec<String> {
    database.play_history(client, 10).unwrap().into_iter().map(|play| play.uri).collect()
}

/// The file name in a track's URI.
fn file_name(uri: &str) -> &str {
    Path::new(uri).file_name().unwrap().to_str().unwrap()
}

#[test]
fn tracks_heard_live_are_avoided_next_time_for_that_client_only() {
    let (_folder, database) = make_database();
    let tracks: Vec<String> = (0..3).map(|_| listen_live(make_player_for_anna(&database))).collect();
    assert_eq!(played_tracks(&database, "anna"), tracks);
    let mut names: Vec<&str> = tracks.iter().map(|uri| file_name(uri)).collect();
    names.sort_unstable();
    assert_eq!(names, ["a.wav", "b.wav", "c.wav"], "each once");
    assert!(played_tracks(&database, "").is_empty());
}

#[test]
fn recorded_video_ignores_the_history() {
    let (_folder, database) = make_database();
    let first_track = || {
        let recording = record_moods(make_player_for_anna(&database), &[(Some(Neutral), 6)]);
        let started = recording.messages.iter().find(|message| message.name() == "track-started").unwrap();
        started.get::<String>("uri").unwrap()
    };
    let first = first_track();
    database.record_play("anna", &first, 0).unwrap();
    assert_eq!(first_track(), first);
    assert_eq!(played_tracks(&database, "anna"), [first], "nothing is added");
}

#[test]
fn exclusions_and_ratings_belong_to_a_client_and_are_kept() {
    let (folder, database) = make_database();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    database.set_excluded("anna", &path("a.wav"), true).unwrap();
    database.set_excluded("", &path("b.wav"), true).unwrap();
    let pipeline = build_live_pipeline(make_player_for_anna(&database));
    pipeline.play();
    assert_eq!(file_name(&wait_for_track(&pipeline)), "c.wav");
    pipeline.player.emit_by_name::<()>("rate", &[&-1]);
    pipeline.record(0.2);
    drop(pipeline);
    assert_eq!(database.find_track(&path("c.wav"), "anna").unwrap().rating, -1);
    assert_eq!(database.find_track(&path("c.wav"), "").unwrap().rating, 0);
    assert_eq!(
        file_name(&listen_live(make_player(database.path()))),
        "a.wav",
        "anna's exclusion and rating do not count for others"
    );
}
