//! `gst-mood process` on real recordings: containers and codecs, outputs, repeated runs, photos, stored clients.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use mood_tests::process::TIMEOUT;
use mood_tests::readers::{assert_valid, read_with, reader_script};
use mood_tests::sandbox::{Sandbox, read_json, turn_when_shown, with_fast_encoding};
use mood_tests::{audio, command, media, run};
use serde_json::Value;

/// A talking head, about 2.4 s with audio.
const CLIP: &str = "video/single_face.mp4";

#[test]
fn process_writes_valid_private_files_and_a_line_for_every_frame() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let output = sandbox.process(&[clip.to_str().unwrap()]).assert_success();
    assert_eq!(output.stdout.trim(), "out/single_face");
    let names = sandbox.file_names("single_face");
    assert_eq!(
        names,
        [
            "report.html",
            "resting_face.json",
            "session.eaf",
            "session.vtt",
            "summary.json",
            "timeline.csv",
            "timeline.jsonl"
        ]
    );
    let folder = sandbox.path("out/single_face");
    for name in &names {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for folder in [&folder, &sandbox.path("out")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_valid("timeline.schema.json", &folder.join("timeline.jsonl"));
    assert_valid("summary.schema.json", &folder.join("summary.json"));

    let timeline = sandbox.timeline("single_face");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time"]);
    probe.args(["-of", "csv=p=0"]).arg(&clip);
    let times = run(probe, TIMEOUT).assert_success().stdout;
    let times: Vec<f64> = times.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    assert_eq!(times.len(), timeline.frames.len(), "a line for every frame");
    for (frame, time) in timeline.frames.iter().zip(times) {
        assert!(
            (frame.pts as f64 / 1e9 - time).abs() < 1e-3,
            "the frame's own timestamp: {} {time}",
            frame.pts
        );
    }
    let rows = fs::read_to_string(folder.join("timeline.csv")).unwrap().lines().count() - 1;
    assert_eq!(rows, timeline.frames.iter().map(|frame| frame.faces.len().max(1)).sum::<usize>());
    let mut annotations = reader_script("annotations.py");
    annotations.arg("eaf");
    let found = read_with(annotations, &folder.join("session.eaf"));
    assert!(found["spans"][0][0] == "Person 1" && found["types"]["Person 1"] == "expression", "{found}");
    let summary = sandbox.summary("single_face");
    assert!(summary["complete"] == true && summary["face_share"].as_f64().unwrap() > 0.9, "{summary}");
}

#[test]
fn a_finished_input_is_skipped_until_its_options_change() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    fs::copy(&clip, sandbox.path("a.mp4")).unwrap();
    let modified = |name: &str| fs::metadata(sandbox.path("out/a").join(name)).unwrap().modified().unwrap();
    sandbox.process(&["a.mp4"]).assert_success();
    let first = (modified("timeline.jsonl"), modified("summary.json"));
    let again = sandbox.process(&["a.mp4"]).assert_success();
    assert!(again.stdout.contains("finished before"), "{again}");
    assert_eq!((modified("timeline.jsonl"), modified("summary.json")), first);

    // The subject is chosen from the timeline: the video is not decoded again.
    sandbox.process(&["a.mp4", "--subject", "1"]).assert_success();
    assert_eq!(modified("timeline.jsonl"), first.0);
    assert!(modified("summary.json") > first.1);
    sandbox.process(&["a.mp4", "--baseline", "1"]).assert_success();
    assert!(sandbox.path("out/a/baseline.json").exists());
    assert_valid("summary.schema.json", &sandbox.path("out/a/summary.json"));
    sandbox.process(&["a.mp4", "--baseline", "out/a"]).assert_success();
    assert!(sandbox.summary("a")["subjects"][0]["above_baseline"]["valence"]["mean"].is_f64());

    sandbox.process(&["a.mp4", "--force"]).assert_success();
    let forced = modified("timeline.jsonl");
    assert!(forced > first.0);
    // The same name, but another recording.
    sandbox.transcode("a.mp4", &clip, &with_fast_encoding(&["-t", "1"]));
    sandbox.process(&["a.mp4"]).assert_success();
    assert!(modified("timeline.jsonl") > forced && sandbox.timeline("a").frames.len() < 40);
}

#[test]
fn labels_say_what_differs_from_the_resting_face_and_it_can_be_undone() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let Some(other) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let [clip, other] = [&clip, &other].map(|path| path.to_str().unwrap());
    let name = "WolfgangLanger_Pexels";
    let consent = ["--client", "Ada L.", "--consent", "signed 3 May 2026"];
    let subject = || sandbox.summary(name)["subjects"][0].clone();
    let share = |labels: &Value, label: &str| labels[label].as_f64().unwrap_or(0.0);

    sandbox.process(&[clip]).assert_success();
    assert_valid("timeline.schema.json", &sandbox.path("out").join(name).join("timeline.jsonl"));
    assert_valid("summary.schema.json", &sandbox.path("out").join(name).join("summary.json"));
    let automatic = subject();
    let without = &automatic["resting_face"]["labels_without"];
    let with = &automatic["labels"];
    println!("{with} without: {without}");
    assert!(share(with, "neutral") > share(without, "neutral") + 0.05, "a face that looks sad at rest");
    assert!(
        share(with, "sad") < share(without, "sad") && share(with, "happy") > share(without, "happy") - 0.02
    );
    assert!(automatic["resting_face"]["seconds"].as_f64().unwrap() > 15.0);
    let report = fs::read_to_string(sandbox.path("out").join(name).join("report.html")).unwrap();
    assert!(report.contains("The labels say what differs from the resting face of Person 1"));
    let profile = fs::metadata(sandbox.path("out").join(name).join("resting_face.json")).unwrap();
    assert!(profile.len() < 1024, "{} bytes", profile.len());

    // Undone from the timeline: the same as had nothing ever been taken off.
    sandbox.process(&[clip, "--baseline", "off"]).assert_success();
    let off = subject();
    assert_eq!(&off["labels"], without);
    assert!(off["resting_face"].is_null() && !sandbox.file_names(name).contains(&"resting_face.json".into()));
    // To the last digit.
    let undone = sandbox.timeline(name).frames;
    sandbox.process(&[clip, "--baseline", "off", "--force"]).assert_success();
    assert!(undone == sandbox.timeline(name).frames);
    sandbox.process(&[clip, "--baseline", "5"]).assert_success();
    assert_eq!(subject()["resting_face"]["origin"], "told");
    sandbox.process(&[clip, "--baseline", "Nobody"]).assert_error(&["no such file", "client"]);

    // What one session taught counts in the next one, and once only.
    sandbox.process(&[&[clip], &consent[..]].concat()).assert_success();
    sandbox.process(&[&[other], &consent[..]].concat()).assert_success();
    let seconds =
        |name: &str| sandbox.summary(name)["subjects"][0]["resting_face"]["seconds"].as_f64().unwrap();
    let (first, second) = (seconds(name), seconds("single_face"));
    assert!(second > first + 1.0 && second < first + 3.0, "{first} {second}");
    sandbox.process(&[&[other, "--force"], &consent[..]].concat()).assert_success();
    assert!((seconds("single_face") - second).abs() < 0.1, "{second}");
    sandbox.process(&[other, "--baseline", "Ada L."]).assert_success();
    assert!((seconds("single_face") - second).abs() < 0.1);
    let clients = || -> Value {
        let output = run(sandbox.command(&["clients", "--json"]), TIMEOUT).assert_success();
        serde_json::from_str(&output.stdout).unwrap()
    };
    assert_eq!((&clients()[0]["name"], &clients()[0]["sessions"]), (&"Ada L.".into(), &2.into()));
    assert!((clients()[0]["resting_face_seconds"].as_f64().unwrap() - second).abs() < 0.1);
    run(sandbox.command(&["forget", "Ada L."]), TIMEOUT).assert_success();
    assert_eq!(clients(), serde_json::json!([]));
    sandbox.process(&[other, "--baseline", "Ada L."]).assert_error(&["client"]);
}

#[test]
fn a_changed_library_makes_a_new_soundtrack() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("a.mp4", &clip, &with_fast_encoding(&["-t", "1", "-an"]));
    let music = audio::make_library(&sandbox.path("music"));
    let process = |library: &str| sandbox.process(&["a.mp4", "--library", library]).assert_success().stdout;
    let skipped = |library: &str| process(library).contains("finished before");
    assert!(!skipped("music") && skipped("music"));
    fs::write(music.join("happy.wav.mood"), "sad").unwrap();
    assert!(!skipped("music") && skipped("music"), "a mood changed");
    audio::write_tone(&music, "more.wav", 330.0, 1, "angry");
    assert!(!skipped("music"), "a track was added");
    fs::write(sandbox.path("list.m3u8"), "music/happy.wav\n").unwrap();
    assert!(!skipped("list.m3u8") && skipped("list.m3u8"));
    fs::write(sandbox.path("list.m3u8"), "music/sad.wav\n").unwrap();
    assert!(!skipped("list.m3u8"));
    let mut scan = sandbox.command(&["library", "scan", "music", "--library", "music.db"]);
    scan.env_remove("GST_PLUGIN_PATH");
    run(scan, TIMEOUT).assert_success();
    assert!(
        !skipped("music.db") && skipped("music.db"),
        "playing from a database does not count as a change"
    );
    let set = ["library", "set", "music/sad.wav", "--library", "music.db", "--mood", "happy"];
    run(sandbox.command(&set), TIMEOUT).assert_success();
    assert!(!skipped("music.db"));
    let ada = ["--client", "Ada", "--consent", "signed 3 May 2026"];
    let exclude = ["library", "set", "music/sad.wav", "--library", "music.db", "--exclude"];
    run(sandbox.command(&[&exclude[..], &ada].concat()), TIMEOUT).assert_success();
    assert!(skipped("music.db"), "a client's exclusion does not count for others");
    let with_client = [&["a.mp4", "--library", "music.db"], &ada[..]].concat();
    assert!(!sandbox.process(&with_client).assert_success().stdout.contains("finished before"));
    assert!(sandbox.process(&with_client).assert_success().stdout.contains("finished before"));
    let missing = sandbox.process(&["a.mp4", "--library", "none"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("--library none"), "{missing}");
}

#[test]
fn faces_are_found_in_every_kind_of_video() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    // A phone held on its side: rotated pixels, and metadata that says so.
    sandbox.transcode("phone.mp4", &clip, &with_fast_encoding(&["-vf", "transpose=cclock"]));
    turn_when_shown(&sandbox.path("phone.mp4"), 90);
    sandbox.transcode(
        "uneven.mkv",
        &clip,
        &with_fast_encoding(&["-vf", "select='lt(n,20)+not(mod(n,4))'", "-vsync", "vfr", "-an"]),
    );
    sandbox.transcode("wide.webm", &clip, &["-t", "1", "-c:v", "libvpx", "-deadline", "realtime", "-an"]);
    sandbox.transcode("grey10.mkv", &clip, &["-t", "1", "-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-an"]);
    sandbox.transcode(
        "odd.mp4",
        &clip,
        &with_fast_encoding(&["-t", "1", "-vf", "scale=321:181", "-pix_fmt", "yuv444p"]),
    );
    fs::copy(&clip, sandbox.path("a video.jpg")).unwrap();
    let inputs = ["phone.mp4", "uneven.mkv", "wide.webm", "grey10.mkv", "odd.mp4", "a video.jpg"];
    sandbox.process(&[&inputs[..], &["--jobs", "2"]].concat()).assert_success();
    for session in ["phone", "uneven", "wide", "grey10", "odd", "a video"] {
        let share = sandbox.summary(session)["face_share"].as_f64().unwrap();
        assert!(share > 0.8, "{session}: {share}");
    }
    let uneven = sandbox.timeline("uneven").frames;
    let gaps: Vec<u64> = uneven.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
    let (shortest, longest) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(*longest > 3 * shortest, "the frame rate varies: {shortest} {longest}");
}

#[test]
fn the_option_video_selects_a_stream() {
    let Some(clip) = media(CLIP) else { return };
    let Some(empty) = media("video/no_face.mp4") else { return };
    let sandbox = Sandbox::new();
    let other = clip.to_str().unwrap();
    sandbox.transcode(
        "two.mkv",
        &empty,
        &with_fast_encoding(&["-i", other, "-t", "2", "-map", "0:v", "-map", "1:v"]),
    );
    sandbox.process(&["two.mkv"]).assert_success();
    assert_eq!(sandbox.summary("two")["face_share"], 0.0);
    sandbox.process(&["two.mkv", "--video", "1"]).assert_success();
    assert!(sandbox.summary("two")["face_share"].as_f64().unwrap() > 0.9);
    sandbox.process(&["two.mkv", "--video", "2"]).assert_error(&["two.mkv", "2 video streams", "--video 2"]);
    assert!(!sandbox.path("out/two").exists(), "no results of another stream");
}

#[test]
fn invalid_arguments_are_usage_errors() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("nothing")).unwrap();
    for arguments in [&["none.mp4"][..], &["nothing"], &["*.mp4"], &["--jobs", "0", "nothing"], &[]] {
        let output = sandbox.process(arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}\n{output}");
        assert!(!sandbox.path("out").exists());
    }
    fs::write(sandbox.path("a.mp4"), "x").unwrap();
    fs::write(sandbox.path("a.mp4.toml"), "[people.x]\nnaem = 'typo'\n").unwrap();
    sandbox.process(&["a.mp4"]).assert_error(&["a.mp4.toml", "line 2", "naem"]);
}

#[test]
fn the_annotated_video_has_the_soundtrack_or_its_own_audio() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("talk.mp4", &clip, &["-t", "6", "-c", "copy"]);
    audio::make_library(&sandbox.path("music"));
    let probe = |entries: &str, file: &str| {
        let mut probe = command("ffprobe");
        probe.args(["-v", "error", "-show_entries", entries, "-of", "csv=p=0"]);
        run(
            {
                probe.arg(sandbox.path(file));
                probe
            },
            TIMEOUT,
        )
        .assert_success()
        .stdout
    };
    for audio in [&[][..], &["--audio", "keep"], &["--audio", "drop"]] {
        sandbox
            .process(&[&["talk.mp4", "--overlay", "--blur-faces", "--library", "music"], audio].concat())
            .assert_success();
        let streams = probe("stream=codec_name,duration", "out/talk/annotated.mp4");
        let streams: Vec<(&str, f64)> = streams
            .lines()
            .filter_map(|line| line.split_once(','))
            .map(|(codec, seconds)| (codec, seconds.trim_end_matches(',').parse().unwrap()))
            .collect();
        let codecs: Vec<&str> = streams.iter().map(|stream| stream.0).collect();
        assert_eq!(codecs, ["h264", "aac"], "{audio:?}");
        assert!(streams.iter().all(|stream| (stream.1 - 6.1).abs() < 0.5), "{audio:?} {streams:?}");
    }
    assert!(probe("stream=codec_name", "out/talk/soundtrack.ogg").contains("vorbis"));
    let folder = sandbox.path("out/talk");
    assert_valid("timeline.schema.json", &folder.join("music.jsonl"));
    assert_valid("timeline.schema.json", &folder.join("timeline.jsonl"));
    assert_valid("summary.schema.json", &folder.join("summary.json"));
    assert!(!sandbox.summary("talk")["tracks"].as_array().unwrap().is_empty());
    sandbox.process(&["talk.mp4", "--overlay"]).assert_success();
    assert_eq!(probe("stream=codec_name", "out/talk/annotated.mp4").lines().count(), 2, "its own audio");
    assert!(
        !sandbox.path("out/talk/soundtrack.ogg").exists(),
        "the soundtrack of the earlier run is removed"
    );
    sandbox.process(&["talk.mp4", "--overlay", "--audio", "drop"]).assert_success();
    assert_eq!(probe("stream=codec_name", "out/talk/annotated.mp4").trim().trim_end_matches(','), "h264");
}

#[test]
fn photos_get_table_rows_and_an_annotated_image() {
    let Some(photos) = media("images/dlib") else { return };
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("in/more")).unwrap();
    fs::copy(photos.join("2009_004587.jpg"), sandbox.path("in/a.jpg")).unwrap();
    fs::copy(photos.join("bald_guys.jpg"), sandbox.path("in/more/b.jpeg")).unwrap();
    fs::copy(&clip, sandbox.path("in/more/c.mp4")).unwrap();
    fs::write(sandbox.path("in/readme.txt"), "not a picture").unwrap();
    sandbox.process(&["in"]).assert_success();
    for session in ["a", "b"] {
        assert_eq!(sandbox.summary(session)["face_share"], 1.0);
        assert_eq!(sandbox.file_names(session), ["annotated.jpg", "faces.csv", "summary.json"]);
        let rows = fs::read_to_string(sandbox.path("out").join(session).join("faces.csv")).unwrap();
        assert!(rows.lines().count() > 1 && rows.contains("Person 1"), "{rows}");
        let [original, annotated] = [sandbox.path("in/a.jpg"), sandbox.path("out/a/annotated.jpg")]
            .map(|path| image::open(path).unwrap().to_rgb8());
        assert!(original.dimensions() == annotated.dimensions() && original != annotated);
    }
    assert!(sandbox.file_names("c").contains(&"timeline.jsonl".into()));
    let again = sandbox.process(&["in/**/*.jp*g"]).assert_success();
    assert_eq!(again.stdout.matches("finished before").count(), 2, "{again}");

    // One table of all photos, including those of earlier runs.
    image::GrayImage::new(64, 48).save(sandbox.path("nobody, here.png")).unwrap();
    sandbox.process(&["nobody, here.png"]).assert_success();
    let table = fs::read_to_string(sandbox.path("out/photographs.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("folder,file,frame,timestamp,face_id,"), "{table}");
    let rows_of = |folder: &str| rows.iter().filter(|row| row.starts_with(folder)).count();
    let face_count = |folder: &str| {
        fs::read_to_string(sandbox.path("out").join(folder).join("faces.csv")).unwrap().lines().count() - 1
    };
    assert_eq!((rows_of("a,"), rows_of("b,")), (face_count("a"), face_count("b")));
    assert_eq!(rows.len(), 1 + face_count("a") + face_count("b") + 1, "a photo without a face has a row too");
    let file = sandbox.path("in/a.jpg").canonicalize().unwrap();
    assert!(rows[1].starts_with(&format!("a,{},0,", file.display())), "{}", rows[1]);
    assert!(rows.last().unwrap().starts_with("\"nobody, here\",") && table.contains(",,0,,"), "{table}");
}

#[test]
fn a_photo_is_rotated_as_its_exif_orientation_says() {
    let Some(photo) = media("images/dlib/2009_004587.jpg") else { return };
    let sandbox = Sandbox::new();
    let upright = image::open(&photo).unwrap().into_rgb8();
    upright.save(sandbox.path("upright.tiff")).unwrap();
    // Rotated pixels and EXIF's orientation (tag 0x112; 6: rotate by 90 degrees clockwise), as phones write them.
    let rotated = sandbox.path("rotated.jpg");
    image::imageops::rotate270(&upright).save(&rotated).unwrap();
    let tag = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    let exif = [&b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0"[..], &tag, &[0; 4]].concat();
    let mut bytes = fs::read(&rotated).unwrap();
    bytes.splice(2..2, exif);
    fs::write(&rotated, bytes).unwrap();
    sandbox.process(&["upright.tiff", "rotated.jpg"]).assert_success();
    let faces = |session: &str| sandbox.summary(session)["subjects"].as_array().unwrap().len();
    assert!(faces("upright") > 0 && faces("rotated") > 0, "{} {}", faces("upright"), faces("rotated"));
    let annotated = image::open(sandbox.path("out/rotated/annotated.jpg")).unwrap();
    assert_eq!((annotated.width(), annotated.height()), upright.dimensions());
}

#[test]
fn a_client_is_stored_with_consent_only_and_can_be_forgotten() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    for name in ["one.mp4", "two.mp4"] {
        sandbox.transcode(
            name,
            &clip,
            &with_fast_encoding(&["-t", if name == "one.mp4" { "2" } else { "1.5" }]),
        );
    }
    sandbox.process(&["one.mp4", "--client", "Ada L."]).assert_error(&["consent"]);
    // A yes that says not when, and a consent that is over.
    sandbox
        .process(&["one.mp4", "--client", "Ada L.", "--consent", "yes"])
        .assert_error(&["consent", "when"]);
    fs::write(sandbox.path("one.toml"), "[consent]\non = 2020-01-01\nuntil = 2020-12-31\n").unwrap();
    sandbox.process(&["one.mp4", "--client", "Ada L."]).assert_error(&["ended on 2020-12-31"]);
    fs::remove_file(sandbox.path("one.toml")).unwrap();
    assert!(!sandbox.path("data").exists());
    let consent = ["--client", "Ada L.", "--consent", "signed 3 May 2026"];
    sandbox.process(&[&["one.mp4", "--baseline", "1"], &consent[..]].concat()).assert_success();
    // What is stored is not asked for again.
    sandbox.process(&["two.mp4", "--client", "ada l."]).assert_success();
    let expected = serde_json::json!({ "by": "Ada L.", "date": "2026-05-03", "note": "signed 3 May 2026" });
    assert_eq!(sandbox.summary("two")["consent"], expected);
    let page = fs::read_to_string(sandbox.path("out/two/report.html")).unwrap();
    assert!(page.contains("Consent was given by Ada L. on 3 May 2026"));
    let listed = run(sandbox.command(&["clients", "--json"]), TIMEOUT).assert_success();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["by"], &listed[0]["date"]), (&"Ada L.".into(), &"2026-05-03".into()));
    assert_eq!(listed[0]["folders"].as_array().unwrap().len(), 2);
    assert!(
        sandbox.summary("two")["subjects"][0]["baseline"].is_object(),
        "the client's baseline, stored by the first run"
    );
    let stored: Vec<PathBuf> =
        fs::read_dir(sandbox.path("data/clients")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(stored.len(), 1);
    assert!(!stored[0].to_string_lossy().contains("Ada"));
    assert!(read_json(&stored[0].join("client.json"))["consent"] == "signed 3 May 2026");
    for (file, mode) in [(stored[0].join("client.json"), 0o600), (stored[0].clone(), 0o700)] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, mode);
    }
    let compared =
        run(sandbox.command(&["report", "--client", "Ada L.", "--json"]), TIMEOUT).assert_success();
    let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
    assert_eq!(compared["sessions"].as_array().unwrap().len(), 2);
    assert!(sandbox.path("comparison.html").exists());
    // Ratings of the same client need no second consent note, and are forgotten too.
    let tone = audio::write_tone(&sandbox.path(""), "a.wav", 440.0, 1, "calm");
    let tone = tone.to_str().unwrap();
    let library = |arguments: &[&str]| run(sandbox.command(&[&["library"], arguments].concat()), TIMEOUT);
    library(&["scan", "--tags-only", sandbox.path("").to_str().unwrap()]).assert_success();
    library(&["set", tone, "--rating", "2", "--client", "Nobody"]).assert_error(&["consent note"]);
    library(&["set", tone, "--rating", "-1", "--client", "ada l."]).assert_success();
    assert!(library(&["list", "--client", "Ada L. "]).assert_success().stdout.contains("rated -1"));
    let forgotten = run(sandbox.command(&["forget", "ada l."]), TIMEOUT).assert_success();
    assert!(forgotten.stdout.contains("2 sessions") && forgotten.stdout.contains("1 ratings"), "{forgotten}");
    assert!(forgotten.stdout.contains("out/one\n") && forgotten.stdout.contains("out/two\n"), "{forgotten}");
    assert!(!library(&["list", "--client", "Ada L."]).assert_success().stdout.contains("rated"));
    assert!(!String::from_utf8_lossy(&fs::read(sandbox.path("data/library.db")).unwrap()).contains("ada l."));
    assert_eq!(fs::read_dir(sandbox.path("data/clients")).unwrap().count(), 0);
    run(sandbox.command(&["forget", "Ada L."]), TIMEOUT).assert_error(&["nothing is stored"]);
}

#[test]
fn names_come_from_the_notes_file_and_are_hidden_by_pseudonyms() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    fs::copy(&clip, sandbox.path("Lovelace.mp4")).unwrap();
    let notes = "subject = 'client'\n[people.client]\nname = 'Ada <b>'\nids = [1]\n";
    fs::write(sandbox.path("Lovelace.toml"), notes).unwrap();
    sandbox.process(&["Lovelace.mp4"]).assert_error(&["Lovelace.toml", "consent"]);
    fs::write(sandbox.path("Lovelace.toml"), format!("consent = 'signed 3 May 2026'\n{notes}")).unwrap();
    sandbox.process(&["Lovelace.mp4"]).assert_success();
    assert_eq!(sandbox.summary("Lovelace")["subjects"][0]["name"], "Ada <b>");
    sandbox.process(&["Lovelace.mp4", "--pseudonym"]).assert_success();
    for name in sandbox.file_names("Lovelace") {
        let text = fs::read_to_string(sandbox.path("out/Lovelace").join(&name)).unwrap();
        assert!(!text.contains("Ada") && !text.contains("Lovelace"), "{name}");
    }
    assert_eq!(sandbox.summary("Lovelace")["subjects"][0]["name"], "client");
}
