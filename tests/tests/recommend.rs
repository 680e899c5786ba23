//! `gst-mood recommend`: moods, points, images and videos asked for; text, JSON and playlists as answers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_tests::process::TIMEOUT;
use mood_tests::{ProcessOutput, audio, command, gst_mood, media, pipeline_script, run};
use serde_json::Value;
use tempfile::TempDir;

/// Runs `gst-mood`.
#[track_caller]
fn mood(arguments: &[&str]) -> ProcessOutput {
    run(gst_mood(arguments), TIMEOUT)
}

/// The same three tracks as a folder and as a database.
fn make_libraries() -> (TempDir, [PathBuf; 2]) {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let database = folder.path().join("library.db");
    mood(&["library", "scan", text(&music), "--tags-only", "-l", text(&database)]).assert_success();
    (folder, [music, database])
}

/// A path as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names of the recommended files, best first.
fn recommend(arguments: &[&str], library: &Path) -> Vec<String> {
    let output =
        mood(&[&["recommend", "--json", "--library", text(library)], arguments].concat()).assert_success();
    let found: Value = serde_json::from_str(&output.stdout).unwrap();
    let tracks = found["tracks"].as_array().unwrap().iter();
    tracks.map(|track| track["uri"].as_str().unwrap().rsplit('/').next().unwrap().into()).collect()
}

#[test]
fn a_folder_and_a_database_rank_alike_by_mood_word_and_point() {
    let (_folder, libraries) = make_libraries();
    for library in &libraries {
        for (arguments, first) in [
            (["--mood", "Sad"], "sad.wav"),
            (["--mood", "cheerful"], "happy.wav"),
            (["--va", "-0.7,0.0"], "sad.wav"),
            (["--va", "0.8, 0.6"], "happy.wav"),
        ] {
            let names = recommend(&arguments, library);
            assert_eq!((names.len(), names[0].as_str()), (3, first), "{arguments:?} {}", library.display());
        }
        assert_eq!(recommend(&["--mood", "happy", "-n", "1"], library), ["happy.wav"]);
    }
    let output = mood(&["recommend", "--mood", "happy", "-l", text(&libraries[0])]).assert_success();
    assert!(output.stdout.contains("1. happy: named happy, distance 0.00"), "{output}");
}

#[test]
fn ratings_exclusions_and_clients_count() {
    let (_folder, [music, database]) = make_libraries();
    let happy = music.join("happy.wav");
    let set = |change: &[&str]| {
        mood(&[&["library", "set", text(&happy), "-l", text(&database)], change].concat()).assert_success();
    };
    set(&["--exclude", "--client", "anna", "--consent", "signed 3 May 2026"]);
    assert_eq!(recommend(&["--mood", "happy"], &database).len(), 3);
    let anna = recommend(&["--mood", "happy", "--client", "anna"], &database);
    assert!(anna.len() == 2 && !anna.contains(&"happy.wav".into()), "{anna:?}");
    set(&["--rating=-2"]);
    assert_eq!(recommend(&["--mood", "happy"], &database).last().unwrap(), "happy.wav");
}

#[test]
fn recommendations_can_be_a_playlist() {
    let (folder, [_, database]) = make_libraries();
    let output =
        mood(&["recommend", "--mood", "happy", "--m3u8", "-n", "2", "-l", text(&database)]).assert_success();
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "#EXTM3U"), "{output}");
    assert!(lines[1].starts_with("#EXTINF:5,happy") && Path::new(lines[2]).is_file(), "{output}");
    // Our own playlist reader stands for other players.
    let list = folder.path().join("list.m3u8");
    fs::write(&list, &output.stdout).unwrap();
    assert_eq!(recommend(&["--mood", "happy"], &list)[0], "happy.wav");
}

#[test]
fn an_image_or_a_video_gives_the_mood() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let (folder, [_, database]) = make_libraries();
    // The clip ends with a smile.
    let image = folder.path().join("smile.png");
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-v", "error", "-ss", "15", "-i"]).arg(&clip).args(["-frames:v", "1"]).arg(&image);
    run(ffmpeg, TIMEOUT).assert_success();
    let video = folder.path().join("smile.mkv");
    let mut ffmpeg = command("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-ss", "14", "-t", "2", "-i"])
        .arg(&clip)
        .args(["-an", "-c:v", "mjpeg"])
        .arg(&video);
    run(ffmpeg, TIMEOUT).assert_success();
    for medium in [&image, &video] {
        assert_eq!(recommend(&[text(medium)], &database)[0], "happy.wav", "{}", medium.display());
    }
    let list = folder.path().join("once.m3u8");
    let mut once = pipeline_script("once.sh");
    once.arg(&database).arg(&list);
    once.env("CAMERA", format!("filesrc location={} ! decodebin", video.display()));
    run(once, TIMEOUT).assert_success();
    assert!(fs::read_to_string(&list).unwrap().lines().nth(2).unwrap().ends_with("happy.wav"));
}

#[test]
fn input_without_a_mood_is_reported_in_one_line() {
    let (folder, [music, database]) = make_libraries();
    let image = folder.path().join("grey.png");
    image::GrayImage::from_pixel(320, 240, image::Luma([128])).save(&image).unwrap();
    let recommend = |arguments: &[&str]| mood(&[&["recommend", "-l", text(&database)], arguments].concat());
    recommend(&[text(&image)]).assert_error(&["no face found", "--mood"]);
    recommend(&[text(&music.join("happy.wav.mood"))])
        .assert_error(&["happy.wav.mood", "name a picture or a video"]);
    recommend(&["/nowhere.png"]).assert_error(&["/nowhere.png", "no such file"]);
    mood(&["recommend", "--mood", "sad", "-l", "/nowhere.db"])
        .assert_error(&["/nowhere.db", "does not exist"]);
    for usage in [
        &[][..],
        &["--mood", "xyzzy"],
        &["--va", "2,0"],
        &["--va", "1"],
        &["--mood", "sad", "--va", "0,0"],
        &["--mood", "sad", "--json", "--m3u8"],
    ] {
        assert_eq!(recommend(usage).code, Some(2), "{usage:?}");
    }
}

#[test]
fn home_sh_scans_and_plays_and_scripts_report_wrong_arguments() {
    let (folder, [music, _]) = make_libraries();
    fs::write(music.join("broken.mp3"), "not music").unwrap();
    let mut home = pipeline_script("home.sh");
    home.arg(&music).env("LIBRARY", folder.path().join("home.db"));
    home.env("CAMERA", "videotestsrc num-buffers=25 is-live=true");
    home.env("VIDEO_SINK", "fakesink sync=true").env("AUDIO_SINK", "fakesink sync=true");
    let output = run(home, TIMEOUT).assert_success();
    assert!(output.stderr.contains("broken.mp3"), "{output}");
    for (name, count) in [("home.sh", 1), ("once.sh", 2)] {
        let output = run(pipeline_script(name), TIMEOUT);
        assert!(output.code == Some(2) && output.stderr.contains("usage: "), "{name}\n{output}");
        let mut missing = pipeline_script(name);
        missing.args(["/nowhere", "/nowhere"].iter().take(count));
        assert!(run(missing, TIMEOUT).stderr.contains("/nowhere: no such file"), "{name}");
    }
}
