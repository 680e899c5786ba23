//! `gst-mood library` on real files: formats, tags, corrections, tables, plots, and scans that are killed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::{ProcessOutput, audio, command, gst_launch, gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// `gst-mood` with `arguments` and a library.
fn mood_command(arguments: &[&str], library: &Path) -> Command {
    let mut command = gst_mood(arguments);
    command.arg("--library").arg(library);
    command
}

/// Runs `gst-mood library`.
#[track_caller]
fn library(arguments: &[&str], library: &Path) -> ProcessOutput {
    run(mood_command(&[&["library"], arguments].concat(), library), TIMEOUT)
}

/// A path as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The entry of the file `name` in `library list --json`.
fn list_entry(database: &Path, name: &str) -> Value {
    let out = library(&["list", "--json", name], database).assert_success().stdout;
    serde_json::from_str::<Value>(&out).unwrap()[0].clone()
}

/// A temporary folder, an empty folder for music in it, and the path of a database that does not exist yet.
fn make_folders() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (music, database) = (folder.path().join("music"), folder.path().join("new/library.db"));
    fs::create_dir(&music).unwrap();
    (folder, music, database)
}

/// Encodes a tone in the format of the extension of `to`, with tags.
fn encode(source: &Path, to: &Path, tags: &[&str]) {
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(source);
    for tag in tags {
        ffmpeg.args(["-metadata", tag]);
    }
    ffmpeg.arg(to);
    run(ffmpeg, TIMEOUT).assert_success();
}

#[test]
fn every_audio_format_gives_the_same_loudness_and_its_tags() {
    let (folder, music, database) = make_folders();
    let source = audio::write_tone(folder.path(), "source.wav", 440.0, 3, "");
    for format in ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"] {
        let tags = ["title=Morning", "artist=Nobody", "album=Days", "genre=Ambient"];
        encode(&source, &music.join(format!("{format}.{format}")), &tags);
    }
    let output = library(&["scan", text(&music), "--json"], &database).assert_success();
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&report["added"], &report["failed"]), (&7.into(), &Value::Array(Vec::new())), "{output}");
    assert!((report["audio_seconds"].as_f64().unwrap() - 21.0).abs() < 0.5, "{output}");
    for format in ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"] {
        let found = list_entry(&database, &format!("{format}.{format}"));
        let value = |field: &str| found["values"][field]["value"].clone();
        assert_eq!(value("title"), "Morning", "{found:#}");
        // The loudness, by BS.1770, of a mono sine of amplitude 0.3. Lossy codecs overshoot its peaks.
        let (loudness, peak) = (value("loudness").as_f64().unwrap(), value("true_peak").as_f64().unwrap());
        assert!((loudness + 14.1).abs() < 0.7 && (peak + 10.5).abs() < 1.0, "{found:#}");
        assert_eq!(found["values"]["loudness"]["from"], "estimated");
    }
}

#[test]
fn aiff_files_open_every_time() {
    let (folder, music, _) = make_folders();
    // As CDs, studios and old samplers have them, with the tags of a music library, and AIFF-C of little endian or floats.
    let kinds = [
        ("aiff", "pcm_s16be"),
        ("aif", "pcm_s24be"),
        ("aiff", "pcm_s8"),
        ("aifc", "pcm_f32be"),
        ("aifc", "pcm_s16le"),
    ];
    for (index, (extension, codec)) in (0..10).zip(kinds.into_iter().cycle()) {
        let source = audio::write_tone(folder.path(), "source.wav", 200.0 + 10.0 * f64::from(index), 1, "");
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(&source).args([
            "-c:a",
            codec,
            "-f",
            "aiff",
            "-write_id3v2",
            "1",
        ]);
        ffmpeg.args(["-metadata", "title=Morning"]).arg(music.join(format!("{index}.{extension}")));
        run(ffmpeg, TIMEOUT).assert_success();
        fs::remove_file(source).unwrap();
    }
    let scans = ["a.db", "b.db", "c.db"].map(|name| {
        let database = folder.path().join(name);
        library(&["scan", text(&music)], &database).assert_success();
        library(&["export"], &database).assert_success().stdout
    });
    assert!(scans[0].lines().count() == 11 && scans.iter().all(|scan| *scan == scans[0]), "{scans:?}");
}

#[test]
fn sound_in_rare_containers_is_taken_or_named_at_once() {
    let (folder, music, database) = make_folders();
    let source = audio::write_tone(folder.path(), "source.wav", 440.0, 1, "");
    // Of W64, which `decodebin` began in most runs only, several.
    let taken = ["a.webm", "b.mp4", "c.w64", "d.au", "e.mka", "i.w64", "j.w64", "k.w64", "l.w64"];
    for name in taken {
        encode(&source, &music.join(name), &[]);
    }
    // Compressed AIFF-C, for which GStreamer's decodebin waits in some runs, and what no package plays.
    for (name, codec) in [("f.aifc", "pcm_mulaw"), ("g.aifc", "adpcm_ima_qt"), ("h.caf", "pcm_s16le")] {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(&source).args(["-c:a", codec]).arg(music.join(name));
        run(ffmpeg, TIMEOUT).assert_success();
    }
    let started = Instant::now();
    let output = library(&["scan", text(&music), "--json"], &database);
    // It is no timing: a scan that waits for sound gives up after 20 s.
    assert!(started.elapsed() < Duration::from_secs(20), "{output}");
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((output.code, &report["added"]), (Some(1), &taken.len().into()), "{output}");
    for (name, what) in [
        ("f.aifc", "compressed samples (ulaw)"),
        ("g.aifc", "compressed samples (ima4)"),
        ("h.caf", "convert it"),
    ] {
        let is_named = |line: &str| line.contains(name) && line.contains(what) && line.contains("ffmpeg");
        assert!(output.stderr.lines().any(is_named), "{name}\n{output}");
    }
}

#[test]
fn moods_are_read_from_the_tags_of_every_convention() {
    let (folder, music, database) = make_folders();
    let source = audio::write_tone(folder.path(), "source.wav", 440.0, 1, "");
    encode(&source, &music.join("vorbis.ogg"), &["MOOD=calm"]);
    encode(&source, &music.join("flac.flac"), &["MOOD=calm"]);
    encode(&source, &music.join("id3.mp3"), &["TMOO=calm", "TBPM=93", "TKEY=F#m"]);
    encode(&source, &music.join("asf.wma"), &["WM/Mood=calm"]);
    encode(&source, &music.join("itunes.m4a"), &["tmpo=93"]);
    for name in ["beets.flac", "beets.ogg", "beets.mp3"] {
        encode(&source, &music.join(name), &["mood_relaxed=0.9", "mood_sad=0.1", "mood_acoustic=0.99"]);
    }
    library(&["scan", text(&music), "--tags-only"], &database).assert_success();
    for name in ["vorbis.ogg", "flac.flac", "id3.mp3", "asf.wma"] {
        let mood = &list_entry(&database, name)["values"]["mood"];
        assert_eq!((&mood["value"], &mood["from"]), (&"calm".into(), &"tag".into()), "{name}: {mood}");
    }
    for name in ["beets.flac", "beets.ogg", "beets.mp3"] {
        let mood = &list_entry(&database, name)["values"]["mood"];
        assert_eq!(mood["value"], "relaxed", "{name}");
        assert!((mood["confidence"].as_f64().unwrap() - 0.9).abs() < 1e-9, "{name}: {mood}");
    }
    let id3 = list_entry(&database, "id3.mp3");
    assert_eq!(
        (&id3["values"]["bpm"]["value"], &id3["values"]["key"]["value"]),
        (&93.0.into(), &"F#m".into())
    );
}

#[test]
fn tags_are_written_into_every_format_once_and_only_on_request() {
    let (folder, music, database) = make_folders();
    let source = audio::write_tone(folder.path(), "source.wav", 440.0, 2, "");
    let files = ["flac", "ogg", "mp3", "m4a", "opus", "wav", "wv"].map(|format| {
        let path = music.join(format!("{format}.{format}"));
        encode(&source, &path, &["title=Morning"]);
        path
    });
    library(&["scan", text(&music)], &database).assert_success();
    for file in &files {
        library(&["set", text(file), "--mood", "calm, warm"], &database).assert_success();
    }
    let read = || files.each_ref().map(|file| fs::read(file).unwrap());
    let before = read();
    library(&["scan", text(&music)], &database).assert_success();
    assert!(read() == before, "no file may change without a request");
    for message in ["tags written into 7 files", "tags written into 0 files"] {
        let output = library(&["scan", text(&music), "--write-tags"], &database).assert_success();
        assert!(output.stdout.contains(message), "{output}");
    }
    let other = database.with_file_name("other.db");
    library(&["scan", text(&music)], &other).assert_success();
    for file in &files {
        let found = list_entry(&other, text(file));
        let value = |field: &str| &found["values"][field];
        assert_eq!((&value("mood")["value"], &value("mood")["from"]), (&"calm; warm".into(), &"tag".into()));
        assert_eq!((&value("title")["value"], &found["problem"]), (&"Morning".into(), &Value::Null));
        assert_eq!(value("loudness")["from"], "tag", "{found:#}");
    }
}

#[test]
fn corrections_are_listed_exported_and_imported_into_another_database() {
    let (_folder, music, database) = make_folders();
    let track = audio::write_tone(&music, "a.wav", 440.0, 1, "sad");
    audio::write_tone(&music, "b.wav", 550.0, 1, "happy");
    library(&["scan", text(&music)], &database).assert_success();
    let set = ["set", text(&track), "--mood", "calm, warm", "--rating=-1", "--bpm", "70"];
    let anna = ["--client", "anna", "--consent", "signed 3 May 2026"];
    assert!(library(&[&set[..], &anna].concat(), &database).assert_success().stdout.contains("calm, warm"));
    let values = list_entry(&database, "a.wav")["values"].clone();
    assert_eq!((&values["mood"]["value"], &values["mood"]["from"]), (&"calm; warm".into(), &"user".into()));

    let table = database.with_file_name("table.csv");
    library(&["export", text(&table), "--client", "anna"], &database).assert_success();
    let other = database.with_file_name("other.db");
    library(&["scan", text(&music)], &other).assert_success();
    let output = library(&["import", text(&table), "--client", "anna"], &other).assert_success();
    assert!(output.stdout.contains("1 tracks changed, 1 as they were"), "{output}");
    let out = library(&["export", "--client", "anna"], &other).assert_success().stdout;
    assert_eq!(out, fs::read_to_string(&table).unwrap());
    library(&["set", text(&track), "--clear", "mood", "--clear", "bpm"], &other).assert_success();
    assert_eq!(list_entry(&other, "a.wav")["values"]["mood"]["value"], "sad");
}

#[test]
fn the_plot_shows_every_track_with_a_mood() {
    let (_folder, music, database) = make_folders();
    for (name, mood) in [("one.wav", "happy"), ("two.wav", "sad")] {
        audio::write_tone(&music, name, 440.0, 1, mood);
    }
    library(&["scan", text(&music)], &database).assert_success();
    let plot = database.with_file_name("plane.svg");
    library(&["list", "--plot", text(&plot)], &database).assert_success();
    let svg = fs::read_to_string(plot).unwrap();
    for word in ["<svg", "one", "two", "pleasant", "surprise", "2 of 2 tracks"] {
        assert!(svg.contains(word), "{word}");
    }
}

#[test]
fn unreadable_files_are_named_and_the_others_scanned() {
    let (_folder, music, database) = make_folders();
    let good = audio::write_tone(&music, "good.wav", 440.0, 2, "happy");
    let wav = fs::read(&good).unwrap();
    // A tag that claims a length of a quarter of a gigabyte.
    let huge = [b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f".as_slice(), &[0; 64]].concat();
    let noise: Vec<u8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes) in [
        ("empty.flac", &b""[..]),
        ("text.mp3", b"This is not music but a letter.\n"),
        ("noise.ogg", &noise),
        ("huge.mp3", &huge),
        ("header.wav", &wav[..40]),
        ("stream.mp3", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:9/x.m3u8\n"),
    ] {
        fs::write(music.join(name), bytes).unwrap();
    }
    fs::write(music.join("mislabelled.mp3"), &wav).unwrap();
    for _ in 0..2 {
        let output = library(&["scan", text(&music)], &database);
        assert_eq!(output.code, Some(1), "{output}");
        for name in ["empty.flac", "text.mp3", "noise.ogg", "huge.mp3", "header.wav", "stream.mp3"] {
            assert!(
                output.stderr.lines().any(|line| line.contains(&format!("{name}: "))),
                "{name}\n{output}"
            );
        }
        assert!(!output.stderr.contains("good.wav") && !output.stderr.contains("mislabelled"), "{output}");
    }
    let playable =
        run(mood_command(&["recommend", "--mood", "happy", "--m3u8", "-n", "99"], &database), TIMEOUT)
            .assert_success();
    assert_eq!(playable.stdout.lines().filter(|line| !line.starts_with('#')).count(), 2, "{playable}");
}

#[test]
fn a_killed_or_interrupted_scan_continues_where_it_stopped() {
    let (_folder, music, database) = make_folders();
    for number in 0..150 {
        audio::write_tone(&music, &format!("{number}.wav"), 200.0 + f64::from(number), 5, "calm");
    }
    // How far the scan has come by then depends on the machine.
    for (signal, wait) in [("KILL", 300), ("INT", 600), ("KILL", 900)] {
        let scan = RunningProcess::start(mood_command(
            &["library", "scan", text(&music), "--threads", "2"],
            &database,
        ));
        let start = Instant::now();
        while start.elapsed() < TIMEOUT && !database.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(wait));
        scan.signal(signal);
        let output = scan.wait(Duration::from_secs(20));
        assert!(signal == "KILL" || output.code.is_some(), "{output}");
        library(&["list"], &database).assert_success();
    }
    library(&["scan", text(&music)], &database).assert_success();
    let out = library(&["export"], &database).assert_success().stdout;
    assert_eq!(out.lines().count(), 151);
    let again = library(&["scan", text(&music)], &database).assert_success().stdout;
    assert!(again.contains("150 as they were"), "{again}");
}

#[test]
fn unusable_databases_are_reported_in_one_line() {
    let (_folder, music, database) = make_folders();
    audio::write_tone(&music, "a.wav", 440.0, 1, "calm");
    library(&["scan", text(&music), "--tags-only"], &database).assert_success();
    library(&["list"], &database.with_file_name("missing.db")).assert_error(&["missing.db", "library scan"]);
    let letter = database.with_file_name("letter.txt");
    fs::write(&letter, "Dear Sir").unwrap();
    library(&["scan", text(&music)], &letter).assert_error(&["letter.txt", "not a library database"]);
    assert_eq!(fs::read(&letter).unwrap(), b"Dear Sir");
    let damaged = database.with_file_name("damaged.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(&damaged, bytes).unwrap();
    library(&["list"], &damaged).assert_error(&["damaged.db", "damaged"]);
    library(&["scan", "/nowhere"], &database).assert_error(&["/nowhere", "does not exist"]);
    let empty = database.with_file_name("empty");
    fs::create_dir(&empty).unwrap();
    library(&["scan", text(&empty)], &database).assert_error(&["no music in"]);
    library(&["set", "/nowhere.wav", "--mood", "calm"], &database)
        .assert_error(&["/nowhere.wav", "scan it first"]);
    for usage in [&["set", "x"][..], &["set", "x", "--valence", "2", "--arousal", "0"], &["scan"]] {
        assert_eq!(library(usage, &database).code, Some(2), "{usage:?}");
    }
}

#[test]
fn the_player_plays_from_a_database() {
    let (_folder, music, database) = make_folders();
    for (name, hertz, mood) in [("happy.wav", 880.0, "happy"), ("sad.wav", 220.0, "sad")] {
        audio::write_tone(&music, name, hertz, 3, mood);
    }
    library(&["scan", text(&music), "--tags-only"], &database).assert_success();
    let log = database.with_file_name("music.jsonl");
    gst_launch(&format!(
        "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=64,framerate=25/1 ! player.mood moodplayer name=player \
         library={} manual-mood=happy log-location={} ! fakesink",
        database.display(),
        log.display()
    ))
    .assert_success();
    assert!(fs::read_to_string(log).unwrap().contains("music/happy.wav"));
    gst_launch(&format!("moodplayer library={} ! fakesink", database.with_file_name("no.db").display()))
        .assert_error(&["no.db"]);
}

#[test]
fn many_processes_that_store_the_same_client_or_create_a_library_at_once_all_succeed() {
    let (folder, music, database) = make_folders();
    audio::write_tone(&music, "tone.wav", 440.0, 1, "calm");
    let data = folder.path().join("data");
    let start_all = |arguments: &dyn Fn(usize) -> Vec<String>, database: &Path| {
        let running: Vec<RunningProcess> = (0..8)
            .map(|number| {
                let arguments = [vec!["library".to_owned()], arguments(number)].concat();
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let mut command = mood_command(&arguments, database);
                command.env("GST_MOOD_DATA", &data);
                RunningProcess::start(command)
            })
            .collect();
        running.into_iter().for_each(|running| {
            running.wait(TIMEOUT).assert_success();
        });
    };
    let scan = ["scan", text(&music), "--tags-only"].map(String::from);
    start_all(&|_| scan.to_vec(), &database);
    assert_eq!(list_entry(&database, "tone.wav")["values"]["mood"]["value"], "calm");
    let track = music.join("tone.wav");
    let set = |number: usize| -> Vec<String> {
        let consent = format!("form {number}, 3 May 2026");
        ["set", text(&track), "--rating", "1", "--client", "Ada", "--consent", &consent]
            .map(String::from)
            .to_vec()
    };
    start_all(&set, &database);
    let mut clients = gst_mood(&["clients", "--json"]);
    clients.env("GST_MOOD_DATA", &data);
    let output = run(clients, TIMEOUT).assert_success();
    let clients: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(clients.as_array().unwrap().len() == 1 && clients[0]["name"] == "Ada", "{output}");
    assert!(clients[0]["consent"].as_str().unwrap().starts_with("form "), "{output}");
    let files: Vec<PathBuf> = walkdir::WalkDir::new(&data)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .collect();
    assert!(files.len() == 1 && files[0].ends_with("client.json"), "{files:?}");
}
