//! User names, passwords and tokens in addresses are used to fetch what they are for, and appear nowhere else: in no file,
//! message, log line or output.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use mood_tests::process::{TIMEOUT, shell};
use mood_tests::{ProcessOutput, gst_mood, run};
use tempfile::TempDir;

/// What must not appear anywhere.
const SECRETS: [&str; 4] = ["uSeR", "sEcReT", "tOkEn", "fRaG"];
/// The debug categories of our elements.
const OWN_CATEGORIES: &str = "haarfacedetect:9,emotionclassify:9,emotionlog:9,emotionoverlay:9,moodplayer:9";

/// An address with all of them.
fn address(scheme: &str, host: &str, path: &str) -> String {
    format!("{scheme}://uSeR:sEcReT@{host}/{path}?token=tOkEn#fRaG")
}

/// Serves the files of a folder to requests with the token, on a port of this machine. Returns host and port.
fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let folder = folder.to_owned();
    let answer = move |stream: TcpStream| -> std::io::Result<()> {
        let mut lines = BufReader::new(&stream).lines();
        let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let content = fs::read(folder.join(path.trim_start_matches('/'))).ok();
        let mut stream = &stream;
        match content.filter(|_| query == "token=tOkEn") {
            Some(content) => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    content.len()
                )?;
                stream.write_all(&content)
            }
            None => {
                write!(stream, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            }
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A client that leaves early is no error.
            thread::spawn(move || _ = answer(stream));
        }
    });
    host
}

/// Fails where a secret is in the text.
#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        let found = text.lines().find(|line| line.contains(secret));
        assert!(found.is_none(), "{what} gives {secret} away: {}", found.unwrap_or_default());
    }
}

/// Fails where a secret is in what a process printed.
#[track_caller]
fn assert_output_clean(output: ProcessOutput) -> ProcessOutput {
    assert_clean("standard output", &output.stdout);
    assert_clean("standard error", &output.stderr);
    output
}

/// Fails where a secret is in a file below the folder.
#[track_caller]
fn assert_files_clean(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_files_clean(&path);
        } else {
            assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
}

#[track_caller]
fn launch(line: &str) -> ProcessOutput {
    let mut command = shell(&format!("exec gst-launch-1.0 {line}"));
    command.env("GST_DEBUG", OWN_CATEGORIES).env("GST_DEBUG_NO_COLOR", "1");
    run(command, TIMEOUT)
}

#[test]
fn credentials_play_music_and_leave_no_trace() {
    let (served, results) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let made = launch(&format!(
        "-q audiotestsrc num-buffers=200 ! audio/x-raw,rate=44100 ! wavenc ! filesink location={0}/good.wav \
         videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! jpegenc ! avimux ! filesink location={0}/film.avi",
        served.path().display()
    ));
    made.assert_success();
    let host = serve(served.path());
    let library = TempDir::new().unwrap();
    let playlist = library.path().join("radio.m3u8");
    let (good, refused) = (address("http", &host, "good.wav"), address("http", "127.0.0.1:1", "refused.ogg"));
    fs::write(&playlist, format!("#EXTM3U\n{good}\n{refused}\nrtsp://uSeR:sEcReT@[::1]:1/x\n")).unwrap();

    // The elements: their files, messages and logs, and that the track is played.
    let folder = results.path().display().to_string();
    let output = assert_output_clean(launch(&format!(
        "-v -m moodplayer name=player library={} allow-network=true manual-mood=happy log-location={folder}/music.jsonl \
         ! audioconvert ! fakesink videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48,framerate=5/1 \
         ! haarfacedetect ! emotionclassify ! emotionlog location={folder}/timeline.jsonl ! emotionoverlay ! player.mood",
        playlist.display()
    )))
    .assert_success();
    let played = fs::read_to_string(results.path().join("timeline.jsonl")).unwrap();
    assert!(played.contains(r#""type":"track""#), "{played}");
    // Without -m and -v: souphttpsrc itself prints its address.
    assert_output_clean(launch(&format!(
        "souphttpsrc location='{}' ! decodebin ! videoconvert ! haarfacedetect ! emotionclassify \
         ! emotionlog location={folder}/timeline.jsonl append=true ! fakesink",
        address("http", &host, "film.avi")
    )))
    .assert_success();
    let log = fs::read_to_string(results.path().join("music.jsonl")).unwrap();
    let timeline = fs::read_to_string(results.path().join("timeline.jsonl")).unwrap();
    assert!(log.contains(&format!(r#""event":"started","uri":"http://{host}/good.wav""#)), "{log}\n{output}");
    assert!(log.contains(r#""event":"failed""#) && output.stdout.contains("track-failed"), "{log}\n{output}");
    assert!(timeline.contains(&format!(r#""source":"http://{host}/film.avi""#)), "{timeline}");
    assert_files_clean(results.path());

    // What is made of the timeline.
    for format in ["csv", "jsonl", "eaf", "textgrid", "boris", "vtt", "srt", "audacity"] {
        let export = gst_mood(&["export", &folder, "--to", format]);
        assert_output_clean(run(export, TIMEOUT)).assert_success();
    }
    assert_output_clean(run(gst_mood(&["report", &folder]), TIMEOUT)).assert_success();
    let agreement = ["agreement", &format!("{folder}/session.eaf"), &folder, "--ignore", "uncertain"];
    assert_output_clean(run(gst_mood(&agreement), TIMEOUT));
    assert_files_clean(results.path());

    // A live session with all that it keeps.
    let camera = format!("souphttpsrc location={} ! decodebin", address("http", &host, "film.avi"));
    let session = results.path().join("live");
    let mut live = gst_mood(&["live", "--no-mpris", "--no-window", "--panel", "--json", "--allow-network"]);
    live.args(["--audio-sink", "fakesink sync=true", "--library"]).arg(&playlist);
    live.args([
        "--camera",
        &camera,
        "--microphone",
        "audiotestsrc num-buffers=20",
        "--record-video",
        "--client",
        "C1",
        "--consent",
        "signed 3 May 2026",
        "-o",
    ])
    .arg(&session);
    live.env("GST_DEBUG", OWN_CATEGORIES).env("GST_DEBUG_NO_COLOR", "1");
    assert_output_clean(run(live, TIMEOUT)).assert_success();
    for file in ["timeline.jsonl", "summary.json", "report.html", "recording.mp4"] {
        assert!(session.join(file).exists(), "{file}");
    }
    assert_files_clean(results.path());

    // The library, whose database keeps the addresses, because they are needed to play.
    let database = library.path().join("library.db").display().to_string();
    let table = results.path().join("table.csv").display().to_string();
    let playlist = playlist.display().to_string();
    let library_arguments = ["--library", &database];
    let scan =
        ["library", "scan", &playlist, "--allow-network", "--tags-only", "--json", "--library", &database];
    assert_output_clean(run(gst_mood(&scan), TIMEOUT));
    for arguments in [
        &["library", "list"][..],
        &["library", "list", "--json"],
        &["library", "export"],
        &["library", "export", &table],
        &["recommend", "--mood", "happy", "--allow-network"],
        &["recommend", "--mood", "happy", "--allow-network", "--json"],
        &["recommend", "--mood", "happy", "--allow-network", "--m3u8"],
    ] {
        let arguments = [arguments, &library_arguments].concat();
        let output = assert_output_clean(run(gst_mood(&arguments), TIMEOUT)).assert_success();
        assert!(output.stdout.contains("good.wav") || arguments.contains(&table.as_str()), "{output}");
    }
    assert_files_clean(results.path());
    // The table finds the tracks again.
    let text = fs::read_to_string(&table).unwrap();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    let rating = rows[0].split(',').position(|name| name == "rating").unwrap();
    for row in &mut rows[1..] {
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[rating] = "2";
        *row = cells.join(",");
    }
    fs::write(&table, rows.join("\n")).unwrap();
    let import = ["library", "import", &table, "--library", &database];
    let output = assert_output_clean(run(gst_mood(&import), TIMEOUT)).assert_success();
    assert!(output.stdout.contains("2 tracks changed"), "{output}");
}

#[test]
fn errors_that_quote_addresses_quote_no_credentials() {
    let results = TempDir::new().unwrap();
    let folder = results.path().display().to_string();
    let [rtsp, rtspt, http] = ["rtsp", "rtspt", "http"].map(|scheme| address(scheme, "127.0.0.1:1", "path"));
    let library = TempDir::new().unwrap();
    launch(&format!(
        "-q audiotestsrc num-buffers=10 ! wavenc ! filesink location={}/a.wav",
        library.path().display()
    ))
    .assert_success();
    let library = library.path().display().to_string();
    let cameras = [
        format!("rtspsrc location={rtsp} name=camera ! decodebin"),
        format!("rtspsrc location={rtspt} name=camera ! decodebin"),
        format!("souphttpsrc location={http} name=camera ! hlsdemux ! decodebin"),
        format!("uridecodebin uri={http} name=camera"),
        format!("nosuchelement location={http}"),
        http.clone(),
    ];
    for camera in &cameras {
        let options = [
            "live",
            "--no-mpris",
            "--no-window",
            "--audio-sink",
            "fakesink",
            "--json",
            "--library",
            &library,
        ];
        let mut command = gst_mood(&[&options[..], &["--camera", camera]].concat());
        command.env("GST_DEBUG", OWN_CATEGORIES).env("GST_DEBUG_NO_COLOR", "1");
        let output = assert_output_clean(run(command, TIMEOUT));
        assert!(output.code.is_some_and(|code| code != 0), "{camera}: {output}");
    }
    for (arguments, code) in [
        (&["process", &rtsp, "-o", &folder][..], 2),
        (
            &[
                "live",
                "--no-mpris",
                "--no-window",
                "--camera",
                "videotestsrc",
                "--audio-sink",
                "fakesink",
                "-l",
                &http,
            ],
            1,
        ),
        (&["live", "--strategy", &http], 2),
        (&["export", &http, "--to", "vtt"], 1),
        (&["export", &folder, "--to", &http], 2),
        (&["report", &http], 1),
        (&["recommend", "--mood", "happy", "--library", &http], 1),
        (&["library", "scan", &http, "--library", &format!("{folder}/library.db")], 1),
        (&["evaluate", &http], 1),
        (&["nonsense", &http], 2),
        (&["process", &folder, "-o", &folder, "--baseline", "86401"], 2),
    ] {
        let output = assert_output_clean(run(gst_mood(arguments), TIMEOUT));
        assert_eq!(output.code, Some(code), "{arguments:?}: {output}");
    }
    for line in [
        format!("-m moodplayer library={http} ! fakesink"),
        format!("-m videotestsrc ! emotionclassify model={http} ! fakesink"),
        format!("-m videotestsrc ! emotionclassify runtime-library={http} ! fakesink"),
        format!("-m videotestsrc ! haarfacedetect cascade={http} ! fakesink"),
        format!("-m videotestsrc ! emotionlog location={http} ! fakesink"),
    ] {
        let output = assert_output_clean(launch(&line));
        assert!(output.stderr.contains("ERROR: from element"), "{line}: {output}");
    }
    assert_files_clean(results.path());
}
