//! `gst-mood library` on real files: formats, changes, corrections, tables, pictures, and processes that are killed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::process::{LIMIT, Running};
use mood_tests::{Done, command, gst_mood, launch, run, sound};
use serde_json::Value;
use tempfile::TempDir;

fn mood(arguments: &[&str], library: &Path) -> Command {
    let mut command = gst_mood(arguments);
    command.arg("--library").arg(library);
    command
}

#[track_caller]
fn library(arguments: &[&str], library: &Path) -> Done {
    run(mood(&[&["library"], arguments].concat(), library), LIMIT)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `library list --json` says, by file name.
fn listed(database: &Path, name: &str) -> Value {
    let out = library(&["list", "--json", name], database).ok().stdout;
    serde_json::from_str::<Value>(&out).unwrap()[0].clone()
}

/// An empty folder for music, and where the database shall be.
fn folder() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (music, database) = (folder.path().join("music"), folder.path().join("new/library.db"));
    fs::create_dir(&music).unwrap();
    (folder, music, database)
}

/// Re-encodes a tone with tags.
fn encode(source: &Path, to: &Path, tags: &[&str]) {
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(source);
    for tag in tags {
        ffmpeg.args(["-metadata", tag]);
    }
    run(
        {
            ffmpeg.arg(to);
            ffmpeg
        },
        LIMIT,
    )
    .ok();
}

#[test]
fn every_format_gives_the_same_tone_and_its_tags() {
    let (folder, music, database) = folder();
    let source = sound::tone(folder.path(), "source.wav", 440.0, 3, "");
    for format in ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"] {
        let tags = ["title=Morning", "artist=Nobody", "album=Days", "genre=Ambient"];
        encode(&source, &music.join(format!("{format}.{format}")), &tags);
    }
    let done = library(&["scan", text(&music), "--json"], &database).ok();
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&report["added"], &report["failed"]), (&7.into(), &Value::Array(Vec::new())), "{done}");
    assert!((report["audio_seconds"].as_f64().unwrap() - 21.0).abs() < 0.5, "{done}");
    for format in ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"] {
        let found = listed(&database, &format!("{format}.{format}"));
        let value = |field: &str| found["values"][field]["value"].clone();
        assert_eq!(value("title"), "Morning", "{found:#}");
        // By BS.1770 a sine of amplitude 0.3 in one channel; lossy coders overshoot its peaks.
        let (loudness, peak) = (value("loudness").as_f64().unwrap(), value("true_peak").as_f64().unwrap());
        assert!((loudness + 14.1).abs() < 0.7 && (peak + 10.5).abs() < 1.0, "{found:#}");
        assert_eq!(found["values"]["loudness"]["from"], "estimated");
    }
}

#[test]
fn moods_are_read_in_every_convention() {
    let (folder, music, database) = folder();
    let source = sound::tone(folder.path(), "source.wav", 440.0, 1, "");
    encode(&source, &music.join("vorbis.ogg"), &["MOOD=calm"]);
    encode(&source, &music.join("flac.flac"), &["MOOD=calm"]);
    encode(&source, &music.join("id3.mp3"), &["TMOO=calm", "TBPM=93", "TKEY=F#m"]);
    encode(&source, &music.join("asf.wma"), &["WM/Mood=calm"]);
    encode(&source, &music.join("itunes.m4a"), &["tmpo=93"]);
    for name in ["beets.flac", "beets.ogg", "beets.mp3"] {
        encode(&source, &music.join(name), &["mood_relaxed=0.9", "mood_sad=0.1", "mood_acoustic=0.99"]);
    }
    library(&["scan", text(&music), "--tags-only"], &database).ok();
    for name in ["vorbis.ogg", "flac.flac", "id3.mp3", "asf.wma"] {
        let mood = &listed(&database, name)["values"]["mood"];
        assert_eq!((&mood["value"], &mood["from"]), (&"calm".into(), &"tag".into()), "{name}: {mood}");
    }
    for name in ["beets.flac", "beets.ogg", "beets.mp3"] {
        let mood = &listed(&database, name)["values"]["mood"];
        assert_eq!(mood["value"], "relaxed", "{name}");
        assert!((mood["confidence"].as_f64().unwrap() - 0.9).abs() < 1e-9, "{name}: {mood}");
    }
    let id3 = listed(&database, "id3.mp3");
    assert_eq!(
        (&id3["values"]["bpm"]["value"], &id3["values"]["key"]["value"]),
        (&93.0.into(), &"F#m".into())
    );
}

#[test]
fn tags_are_written_into_every_format_once_and_only_on_request() {
    let (folder, music, database) = folder();
    let source = sound::tone(folder.path(), "source.wav", 440.0, 2, "");
    let files = ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"].map(|format| {
        let path = music.join(format!("{format}.{format}"));
        encode(&source, &path, &["title=Morning"]);
        path
    });
    library(&["scan", text(&music)], &database).ok();
    for file in &files {
        library(&["set", text(file), "--mood", "calm, warm"], &database).ok();
    }
    let read = || files.each_ref().map(|file| fs::read(file).unwrap());
    let before = read();
    library(&["scan", text(&music)], &database).ok();
    assert!(read() == before, "no file may change without a request");
    for written in ["tags written into 7 files", "tags written into 0 files"] {
        let done = library(&["scan", text(&music), "--write-tags"], &database).ok();
        assert!(done.stdout.contains(written), "{done}");
    }
    let other = database.with_file_name("other.db");
    library(&["scan", text(&music)], &other).ok();
    for file in &files {
        let found = listed(&other, text(file));
        let value = |field: &str| &found["values"][field];
        assert_eq!((&value("mood")["value"], &value("mood")["from"]), (&"calm; warm".into(), &"tag".into()));
        assert_eq!((&value("title")["value"], &found["problem"]), (&"Morning".into(), &Value::Null));
        assert_eq!(value("loudness")["from"], "tag", "{found:#}");
    }
}

#[test]
fn what_is_set_is_listed_exported_and_imported_elsewhere() {
    let (_folder, music, database) = folder();
    let track = sound::tone(&music, "a.wav", 440.0, 1, "sad");
    sound::tone(&music, "b.wav", 550.0, 1, "happy");
    library(&["scan", text(&music)], &database).ok();
    let set = ["set", text(&track), "--mood", "calm, warm", "--rating=-1", "--bpm", "70"];
    let anna = ["--client", "anna", "--consent", "signed"];
    assert!(library(&[&set[..], &anna].concat(), &database).ok().stdout.contains("calm, warm"));
    let values = listed(&database, "a.wav")["values"].clone();
    assert_eq!((&values["mood"]["value"], &values["mood"]["from"]), (&"calm; warm".into(), &"user".into()));

    let table = database.with_file_name("table.csv");
    library(&["export", text(&table), "--client", "anna"], &database).ok();
    let other = database.with_file_name("other.db");
    library(&["scan", text(&music)], &other).ok();
    let done = library(&["import", text(&table), "--client", "anna"], &other).ok();
    assert!(done.stdout.contains("1 tracks changed, 1 as they were"), "{done}");
    let out = library(&["export", "--client", "anna"], &other).ok().stdout;
    assert_eq!(out, fs::read_to_string(&table).unwrap());
    library(&["set", text(&track), "--clear", "mood", "--clear", "bpm"], &other).ok();
    assert_eq!(listed(&other, "a.wav")["values"]["mood"]["value"], "sad");
}

#[test]
fn the_plane_shows_every_track_that_has_a_place() {
    let (_folder, music, database) = folder();
    for (name, mood) in [("one.wav", "happy"), ("two.wav", "sad")] {
        sound::tone(&music, name, 440.0, 1, mood);
    }
    library(&["scan", text(&music)], &database).ok();
    let plot = database.with_file_name("plane.svg");
    library(&["list", "--plot", text(&plot)], &database).ok();
    let svg = fs::read_to_string(plot).unwrap();
    for word in ["<svg", "one", "two", "pleasant", "surprise", "2 of 2 tracks"] {
        assert!(svg.contains(word), "{word}");
    }
}

#[test]
fn bad_files_are_named_and_the_others_scanned() {
    let (_folder, music, database) = folder();
    let good = sound::tone(&music, "good.wav", 440.0, 2, "happy");
    let whole = fs::read(&good).unwrap();
    // A tag that says it is a quarter of a gigabyte, in front of nothing.
    let huge = [b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f".as_slice(), &[0; 64]].concat();
    let noise: Vec<u8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes) in [
        ("empty.flac", &b""[..]),
        ("text.mp3", b"This is not music but a letter.\n"),
        ("noise.ogg", &noise),
        ("huge.mp3", &huge),
        ("header.wav", &whole[..40]),
        ("stream.mp3", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:9/x.m3u8\n"),
    ] {
        fs::write(music.join(name), bytes).unwrap();
    }
    fs::write(music.join("mislabelled.mp3"), &whole).unwrap();
    for _ in 0..2 {
        let done = library(&["scan", text(&music)], &database);
        assert_eq!(done.code, Some(1), "{done}");
        for name in ["empty.flac", "text.mp3", "noise.ogg", "huge.mp3", "header.wav", "stream.mp3"] {
            assert!(done.stderr.lines().any(|line| line.contains(&format!("{name}: "))), "{name}\n{done}");
        }
        assert!(!done.stderr.contains("good.wav") && !done.stderr.contains("mislabelled"), "{done}");
    }
    let playable = run(mood(&["recommend", "--mood", "happy", "--m3u8", "-n", "99"], &database), LIMIT).ok();
    assert_eq!(playable.stdout.lines().filter(|line| !line.starts_with('#')).count(), 2, "{playable}");
}

#[test]
fn a_scan_that_is_killed_or_interrupted_goes_on_from_there() {
    let (_folder, music, database) = folder();
    for number in 0..150 {
        sound::tone(&music, &format!("{number}.wav"), 200.0 + f64::from(number), 5, "calm");
    }
    // At whatever moment that is on this machine.
    for (signal, wait) in [("KILL", 300), ("INT", 600), ("KILL", 900)] {
        let scan = Running::start(mood(&["library", "scan", text(&music), "--threads", "2"], &database));
        let begun = Instant::now();
        while begun.elapsed() < LIMIT && !database.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(wait));
        scan.signal(signal);
        let done = scan.finish(Duration::from_secs(20));
        assert!(signal == "KILL" || done.code.is_some(), "{done}");
        library(&["list"], &database).ok();
    }
    library(&["scan", text(&music)], &database).ok();
    let out = library(&["export"], &database).ok().stdout;
    assert_eq!(out.lines().count(), 151);
    let again = library(&["scan", text(&music)], &database).ok().stdout;
    assert!(again.contains("150 as they were"), "{again}");
}

#[test]
fn databases_that_cannot_be_used_are_told_of_in_one_line() {
    let (_folder, music, database) = folder();
    sound::tone(&music, "a.wav", 440.0, 1, "calm");
    library(&["scan", text(&music), "--tags-only"], &database).ok();
    library(&["list"], &database.with_file_name("missing.db")).fails_with(&["missing.db", "library scan"]);
    let letter = database.with_file_name("letter.txt");
    fs::write(&letter, "Dear Sir").unwrap();
    library(&["scan", text(&music)], &letter).fails_with(&["letter.txt", "not a library database"]);
    assert_eq!(fs::read(&letter).unwrap(), b"Dear Sir");
    let damaged = database.with_file_name("damaged.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(&damaged, bytes).unwrap();
    library(&["list"], &damaged).fails_with(&["damaged.db", "damaged"]);
    library(&["scan", "/nowhere"], &database).fails_with(&["/nowhere", "does not exist"]);
    let empty = database.with_file_name("empty");
    fs::create_dir(&empty).unwrap();
    library(&["scan", text(&empty)], &database).fails_with(&["no music in"]);
    library(&["set", "/nowhere.wav", "--mood", "calm"], &database)
        .fails_with(&["/nowhere.wav", "scan it first"]);
    for usage in [&["set", "x"][..], &["set", "x", "--valence", "2", "--arousal", "0"], &["scan"]] {
        assert_eq!(library(usage, &database).code, Some(2), "{usage:?}");
    }
}

#[test]
fn the_player_plays_from_a_database() {
    let (_folder, music, database) = folder();
    for (name, hertz, mood) in [("happy.wav", 880.0, "happy"), ("sad.wav", 220.0, "sad")] {
        sound::tone(&music, name, hertz, 3, mood);
    }
    library(&["scan", text(&music), "--tags-only"], &database).ok();
    let log = database.with_file_name("music.jsonl");
    launch(&format!(
        "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=64,framerate=25/1 ! player.mood moodplayer name=player \
         library={} manual-mood=happy log-location={} ! fakesink",
        database.display(),
        log.display()
    ))
    .ok();
    assert!(fs::read_to_string(log).unwrap().contains("music/happy.wav"));
    launch(&format!("moodplayer library={} ! fakesink", database.with_file_name("no.db").display()))
        .fails_with(&["no.db"]);
}
