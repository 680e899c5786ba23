//! `gst-mood recommend`: what is asked for in every way, and answered for people, programs and players.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_tests::process::LIMIT;
use mood_tests::{Done, command, gst_mood, media, run, script, sound};
use serde_json::Value;
use tempfile::TempDir;

#[track_caller]
fn mood(arguments: &[&str]) -> Done {
    run(gst_mood(arguments), LIMIT)
}

/// Three moods as a folder, and scanned.
fn libraries() -> (TempDir, [PathBuf; 2]) {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let database = folder.path().join("library.db");
    mood(&["library", "scan", text(&music), "--tags-only", "-l", text(&database)]).ok();
    (folder, [music, database])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The files' names in the order recommended.
fn names(asked: &[&str], library: &Path) -> Vec<String> {
    let done = mood(&[&["recommend", "--json", "--library", text(library)], asked].concat()).ok();
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    let tracks = found["tracks"].as_array().unwrap().iter();
    tracks.map(|track| track["uri"].as_str().unwrap().rsplit('/').next().unwrap().into()).collect()
}

#[test]
fn a_folder_and_a_database_rank_alike_by_mood_word_and_point() {
    let (_folder, libraries) = libraries();
    for library in &libraries {
        for (asked, first) in [
            (["--mood", "Sad"], "sad.wav"),
            (["--mood", "cheerful"], "happy.wav"),
            (["--va", "-0.7,0.0"], "sad.wav"),
            (["--va", "0.8, 0.6"], "happy.wav"),
        ] {
            let names = names(&asked, library);
            assert_eq!((names.len(), names[0].as_str()), (3, first), "{asked:?} {}", library.display());
        }
        assert_eq!(names(&["--mood", "happy", "-n", "1"], library), ["happy.wav"]);
    }
    let done = mood(&["recommend", "--mood", "happy", "-l", text(&libraries[0])]).ok();
    assert!(done.stdout.contains("1. happy: named happy, distance 0.00"), "{done}");
}

#[test]
fn ratings_exclusions_and_clients_count() {
    let (_folder, [music, database]) = libraries();
    let happy = music.join("happy.wav");
    let set = |change: &[&str]| {
        mood(&[&["library", "set", text(&happy), "-l", text(&database)], change].concat()).ok();
    };
    set(&["--exclude", "--client", "anna", "--consent", "signed"]);
    assert_eq!(names(&["--mood", "happy"], &database).len(), 3);
    let anna = names(&["--mood", "happy", "--client", "anna"], &database);
    assert!(anna.len() == 2 && !anna.contains(&"happy.wav".into()), "{anna:?}");
    set(&["--rating=-2"]);
    assert_eq!(names(&["--mood", "happy"], &database).last().unwrap(), "happy.wav");
}

#[test]
fn a_playlist_that_any_player_reads() {
    let (folder, [_, database]) = libraries();
    let done = mood(&["recommend", "--mood", "happy", "--m3u8", "-n", "2", "-l", text(&database)]).ok();
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "#EXTM3U"), "{done}");
    assert!(lines[1].starts_with("#EXTINF:5,happy") && Path::new(lines[2]).is_file(), "{done}");
    // Our own reading of it is one more player's.
    let list = folder.path().join("list.m3u8");
    fs::write(&list, &done.stdout).unwrap();
    assert_eq!(names(&["--mood", "happy"], &list)[0], "happy.wav");
}

#[test]
fn a_picture_and_a_video_say_the_mood_themselves() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let (folder, [_, database]) = libraries();
    // Downcast at the beginning, smiling at the end.
    let picture = folder.path().join("smile.png");
    let mut cut = command("ffmpeg");
    cut.args(["-v", "error", "-ss", "15", "-i"]).arg(&clip).args(["-frames:v", "1"]).arg(&picture);
    run(cut, LIMIT).ok();
    let film = folder.path().join("smile.mkv");
    let mut cut = command("ffmpeg");
    cut.args(["-v", "error", "-ss", "14", "-t", "2", "-i"])
        .arg(&clip)
        .args(["-an", "-c:v", "mjpeg"])
        .arg(&film);
    run(cut, LIMIT).ok();
    for medium in [&picture, &film] {
        assert_eq!(names(&[text(medium)], &database)[0], "happy.wav", "{}", medium.display());
    }
    let list = folder.path().join("once.m3u8");
    let mut once = script("once.sh");
    once.arg(&database).arg(&list);
    once.env("CAMERA", format!("filesrc location={} ! decodebin", film.display()));
    run(once, LIMIT).ok();
    assert!(fs::read_to_string(&list).unwrap().lines().nth(2).unwrap().ends_with("happy.wav"));
}

#[test]
fn what_cannot_be_answered_is_told_in_one_line() {
    let (folder, [music, database]) = libraries();
    let picture = folder.path().join("grey.png");
    image::GrayImage::from_pixel(320, 240, image::Luma([128])).save(&picture).unwrap();
    let asked = |what: &[&str]| mood(&[&["recommend", "-l", text(&database)], what].concat());
    asked(&[text(&picture)]).fails_with(&["no face found", "--mood"]);
    asked(&[text(&music.join("happy.wav.mood"))])
        .fails_with(&["happy.wav.mood", "name a picture or a video"]);
    asked(&["/nowhere.png"]).fails_with(&["/nowhere.png", "no such file"]);
    mood(&["recommend", "--mood", "sad", "-l", "/nowhere.db"]).fails_with(&["/nowhere.db", "does not exist"]);
    for usage in [
        &[][..],
        &["--mood", "xyzzy"],
        &["--va", "2,0"],
        &["--va", "1"],
        &["--mood", "sad", "--va", "0,0"],
        &["--mood", "sad", "--json", "--m3u8"],
    ] {
        assert_eq!(asked(usage).code, Some(2), "{usage:?}");
    }
}

#[test]
fn a_home_is_scanned_and_then_plays() {
    let (folder, [music, _]) = libraries();
    fs::write(music.join("broken.mp3"), "not music").unwrap();
    let mut home = script("home.sh");
    home.arg(&music).env("LIBRARY", folder.path().join("home.db"));
    home.env("CAMERA", "videotestsrc num-buffers=25 is-live=true");
    home.env("VIDEO_SINK", "fakesink sync=true").env("AUDIO_SINK", "fakesink sync=true");
    let done = run(home, LIMIT).ok();
    assert!(done.stderr.contains("broken.mp3"), "{done}");
    for (name, count) in [("home.sh", 1), ("once.sh", 2)] {
        let done = run(script(name), LIMIT);
        assert!(done.code == Some(2) && done.stderr.contains("usage: "), "{name}\n{done}");
        let mut missing = script(name);
        missing.args(["/nowhere", "/nowhere"].iter().take(count));
        assert!(run(missing, LIMIT).stderr.contains("/nowhere: no such file"), "{name}");
    }
}
