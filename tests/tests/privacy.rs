//! What docs/PRIVACY.md claims, where it can be tested: no files in the user's home, no connections, permissions.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mood_tests::process::{TIMEOUT, shell};
use mood_tests::{gst_mood, run};
use tempfile::TempDir;

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

#[test]
fn classification_leaves_no_files_in_the_users_home() {
    let home = TempDir::new().unwrap();
    let line = "gst-launch-1.0 -q videotestsrc num-buffers=20 ! haarfacedetect ! emotionclassify ! fakesink";
    let mut command = shell(line);
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("XDG_DATA_HOME");
    run(command, TIMEOUT).assert_success();
    // Newer wheels of ONNX Runtime would leave a telemetry database.
    assert_eq!(files_below(home.path()), Vec::<PathBuf>::new());
}

/// A folder with files whose content leads to `address`, under the names of music and video.
fn tempting_files(address: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let hls = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2,\n\
         http://{address}/segment.ts\n#EXT-X-ENDLIST\n"
    );
    let dash = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" mediaPresentationDuration=\"PT2S\"><Period><AdaptationSet \
         mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>http://{address}/</BaseURL>\
         <SegmentTemplate media=\"$Number$.m4s\" initialization=\"init.mp4\" duration=\"2\"/></Representation>\
         </AdaptationSet></Period></MPD>"
    );
    for (extension, text) in [("ogg", &hls), ("mp4", &hls), ("mp3", &dash), ("mkv", &dash)] {
        write(&format!("list.{extension}"), text.clone());
    }
    write("list.m3u8", format!("#EXTM3U\nhttp://{address}/a.ogg\n"));
    write(
        "list.xspf",
        format!(
            "<?xml version=\"1.0\"?><playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\"><trackList><track>\
         <location>http://{address}/a.ogg</location></track></trackList></playlist>"
        ),
    );
    folder
}

#[test]
fn without_allow_network_no_connection_is_opened() {
    // Nobody answers: a connection would wait in the queue.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let folder = tempting_files(&listener.local_addr().unwrap().to_string());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (everything, results) = (folder.path().display().to_string(), TempDir::new().unwrap());
    let results = results.path().display().to_string();
    let database = format!("{results}/library.db");
    let player = |library: &str| {
        shell(&format!(
            "exec gst-launch-1.0 -q moodplayer library='{library}' ! audio/x-raw,rate=8000 ! identity eos-after=20 ! fakesink"
        ))
    };
    let camera = ["live", "--no-mpris", "--no-window", "--audio-sink", "fakesink", "--library", &everything];
    for command in [
        gst_mood(&["process", &file("list.mp4"), &file("list.mkv"), "-o", &results]),
        gst_mood(&["recommend", &file("list.mp4"), "--library", &everything]),
        gst_mood(&["recommend", "--mood", "happy", "--library", &file("list.m3u8")]),
        gst_mood(&["recommend", "--mood", "happy", "--library", &file("list.xspf")]),
        gst_mood(&["library", "scan", &everything, &file("list.m3u8"), "--library", &database]),
        gst_mood(&[&camera[..], &["--camera", &file("list.mp4")]].concat()),
        player(&everything),
        player(&file("list.m3u8")),
    ] {
        let output = run(command, TIMEOUT);
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{output}");
    }
    // The test would notice one.
    let mut allowed = player(&format!("{}' manual-mood=happy allow-network='true", file("list.m3u8")));
    allowed.env("GST_DEBUG", "none");
    let connected = std::thread::spawn(move || {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            // The connection is closed at once, so that nobody waits for an answer.
            if listener.accept().is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    });
    run(allowed, TIMEOUT);
    assert!(connected.join().unwrap());
}

#[test]
fn results_and_library_are_readable_by_their_owner_only() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().display().to_string();
    let video = format!("{path}/film.avi");
    let line = format!(
        "gst-launch-1.0 -q videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! jpegenc ! avimux \
         ! filesink location='{video}' audiotestsrc num-buffers=20 ! wavenc ! filesink location='{path}/a.wav'"
    );
    run(shell(&line), TIMEOUT).assert_success();
    let results = format!("{path}/results");
    run(gst_mood(&["process", &video, "-o", &results]), TIMEOUT).assert_success();
    let database = format!("{results}/library.db");
    run(gst_mood(&["library", "scan", &format!("{path}/a.wav"), "--library", &database]), TIMEOUT);
    run(gst_mood(&["library", "scan", &path, "--library", &database]), TIMEOUT).assert_success();
    let mut found = files_below(Path::new(&results));
    assert!(found.len() > 5, "{found:?}");
    found.extend([PathBuf::from(&results), PathBuf::from(format!("{results}/film"))]);
    for file in found {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has the mode {mode:o}", file.display());
    }
}

#[test]
fn files_and_tests_that_documents_name_exist() {
    let root = mood_tests::paths::workspace_root();
    for document in ["docs/SECURITY.md", "docs/RELIABILITY.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once(" | "));
        let rows = rows.filter(|(_, place)| place.starts_with('`'));
        let mut claims = 0;
        for (_, place) in rows {
            for claim in place.split(['`']).collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1)) {
                claims += 1;
                if claim.contains('/') || claim.contains('.') {
                    assert!(root.join(claim).exists(), "{document}: {claim} does not exist");
                    continue;
                }
                // A function or test, which the place names a file for.
                let files = place.split('`').filter(|word| word.contains(".rs") || word.contains(".toml"));
                let is_there =
                    |file: &str| fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(claim));
                assert!(
                    files.clone().any(is_there),
                    "{document}: {claim} is in none of {:?}",
                    files.collect::<Vec<_>>()
                );
            }
        }
        assert!(claims > 20, "{document}: {claims}");
    }
}
