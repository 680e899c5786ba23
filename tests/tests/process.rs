//! `gst-mood process` on real recordings: every kind of video, and what is made of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use mood_tests::practice::{Practice, json, quick, valid};
use mood_tests::process::LIMIT;
use mood_tests::reader::{read, reader};
use mood_tests::{command, media, run, sound};
use serde_json::Value;

const CLIP: &str = "video/single_face.mp4";

#[test]
fn everything_is_there_valid_and_private() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    let done = practice.process(&[clip.to_str().unwrap()]).ok();
    assert_eq!(done.stdout.trim(), "out/single_face");
    let names = practice.files("single_face");
    assert_eq!(
        names,
        ["report.html", "session.eaf", "session.vtt", "summary.json", "timeline.csv", "timeline.jsonl"]
    );
    let folder = practice.path("out/single_face");
    for name in &names {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for folder in [&folder, &practice.path("out")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    valid("timeline.schema.json", &folder.join("timeline.jsonl"));
    valid("summary.schema.json", &folder.join("summary.json"));

    let timeline = practice.timeline("single_face");
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time"]);
    probe.args(["-of", "csv=p=0"]).arg(&clip);
    let times = run(probe, LIMIT).ok().stdout;
    let times: Vec<f64> = times.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    assert_eq!(times.len(), timeline.frames.len(), "every frame");
    for (frame, time) in timeline.frames.iter().zip(times) {
        assert!((frame.pts as f64 / 1e9 - time).abs() < 1e-3, "the medium's own time: {} {time}", frame.pts);
    }
    let rows = fs::read_to_string(folder.join("timeline.csv")).unwrap().lines().count() - 1;
    assert_eq!(rows, timeline.frames.iter().map(|frame| frame.faces.len()).sum::<usize>());
    let mut annotations = reader("annotations.py");
    annotations.arg("eaf");
    let found = read(annotations, &folder.join("session.eaf"));
    assert!(found["spans"][0][0] == "Person 1" && found["types"]["Person 1"] == "expression", "{found}");
    let summary = practice.summary("single_face");
    assert!(summary["complete"] == true && summary["face_share"].as_f64().unwrap() > 0.9, "{summary}");
}

#[test]
fn what_is_finished_is_not_done_again() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    fs::copy(&clip, practice.path("a.mp4")).unwrap();
    let made = |name: &str| fs::metadata(practice.path("out/a").join(name)).unwrap().modified().unwrap();
    practice.process(&["a.mp4"]).ok();
    let first = (made("timeline.jsonl"), made("summary.json"));
    let again = practice.process(&["a.mp4"]).ok();
    assert!(again.stdout.contains("finished before"), "{again}");
    assert_eq!((made("timeline.jsonl"), made("summary.json")), first);

    // Who is who is a matter of reading: the video is not played again.
    practice.process(&["a.mp4", "--subject", "1", "--baseline", "1"]).ok();
    assert_eq!(made("timeline.jsonl"), first.0);
    assert!(made("summary.json") > first.1 && practice.path("out/a/baseline.json").exists());
    valid("summary.schema.json", &practice.path("out/a/summary.json"));
    practice.process(&["a.mp4", "--baseline", "out/a"]).ok();
    assert!(practice.summary("a")["subjects"][0]["above_baseline"]["valence"]["mean"].is_f64());

    practice.process(&["a.mp4", "--force"]).ok();
    let forced = made("timeline.jsonl");
    assert!(forced > first.0);
    // The same name, but another recording.
    practice.film("a.mp4", &clip, &quick(&["-t", "1"]));
    practice.process(&["a.mp4"]).ok();
    assert!(made("timeline.jsonl") > forced && practice.timeline("a").frames.len() < 40);
}

#[test]
fn another_library_is_another_soundtrack() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    practice.film("a.mp4", &clip, &quick(&["-t", "1", "-an"]));
    let music = sound::library(&practice.path("music"));
    let process = |library: &str| practice.process(&["a.mp4", "--library", library]).ok().stdout;
    let skipped = |library: &str| process(library).contains("finished before");
    assert!(!skipped("music") && skipped("music"));
    fs::write(music.join("happy.wav.mood"), "sad").unwrap();
    assert!(!skipped("music") && skipped("music"), "its moods changed");
    sound::tone(&music, "more.wav", 330.0, 1, "angry");
    assert!(!skipped("music"), "there is more of it");
    fs::write(practice.path("list.m3u8"), "music/happy.wav\n").unwrap();
    assert!(!skipped("list.m3u8") && skipped("list.m3u8"));
    fs::write(practice.path("list.m3u8"), "music/sad.wav\n").unwrap();
    assert!(!skipped("list.m3u8"));
    let mut scan = practice.command(&["library", "scan", "music", "--library", "music.db"]);
    scan.env_remove("GST_PLUGIN_PATH");
    run(scan, LIMIT).ok();
    assert!(!skipped("music.db") && skipped("music.db"), "to play from it does not change it");
    let set = ["library", "set", "music/sad.wav", "--library", "music.db", "--mood", "happy"];
    run(practice.command(&set), LIMIT).ok();
    assert!(!skipped("music.db"));
    let ada = ["--client", "Ada", "--consent", "signed"];
    let exclude = ["library", "set", "music/sad.wav", "--library", "music.db", "--exclude"];
    run(practice.command(&[&exclude[..], &ada].concat()), LIMIT).ok();
    assert!(skipped("music.db"), "hers is another's opinion");
    let hers = [&["a.mp4", "--library", "music.db"], &ada[..]].concat();
    assert!(!practice.process(&hers).ok().stdout.contains("finished before"));
    assert!(practice.process(&hers).ok().stdout.contains("finished before"));
    let missing = practice.process(&["a.mp4", "--library", "none"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("--library none"), "{missing}");
}

#[test]
fn every_kind_of_video() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    // A phone held on its side: turned pixels, and a note that they are.
    practice.film("turned.mp4", &clip, &quick(&["-vf", "transpose=2"]));
    practice.film("phone.mp4", &practice.path("turned.mp4"), &["-c", "copy", "-metadata:s:v", "rotate=270"]);
    practice.film(
        "uneven.mkv",
        &clip,
        &quick(&["-vf", "select='lt(n,20)+not(mod(n,4))'", "-vsync", "vfr", "-an"]),
    );
    practice.film("wide.webm", &clip, &["-t", "1", "-c:v", "libvpx", "-deadline", "realtime", "-an"]);
    practice.film("grey10.mkv", &clip, &["-t", "1", "-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-an"]);
    practice.film("odd.mp4", &clip, &quick(&["-t", "1", "-vf", "scale=321:181", "-pix_fmt", "yuv444p"]));
    fs::copy(&clip, practice.path("a video.jpg")).unwrap();
    let inputs = ["phone.mp4", "uneven.mkv", "wide.webm", "grey10.mkv", "odd.mp4", "a video.jpg"];
    practice.process(&[&inputs[..], &["--jobs", "2"]].concat()).ok();
    for session in ["phone", "uneven", "wide", "grey10", "odd", "a video"] {
        let share = practice.summary(session)["face_share"].as_f64().unwrap();
        assert!(share > 0.8, "{session}: {share}");
    }
    let uneven = practice.timeline("uneven").frames;
    let gaps: Vec<u64> = uneven.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
    let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(*most > 3 * least, "the rate varies: {least} {most}");
}

#[test]
fn the_video_stream_is_chosen() {
    let Some(clip) = media(CLIP) else { return };
    let Some(empty) = media("video/no_face.mp4") else { return };
    let practice = Practice::new();
    let other = clip.to_str().unwrap();
    practice.film("two.mkv", &empty, &quick(&["-i", other, "-t", "2", "-map", "0:v", "-map", "1:v"]));
    practice.process(&["two.mkv"]).ok();
    assert_eq!(practice.summary("two")["face_share"], 0.0);
    practice.process(&["two.mkv", "--video", "1"]).ok();
    assert!(practice.summary("two")["face_share"].as_f64().unwrap() > 0.9);
    practice.process(&["two.mkv", "--video", "2"]).fails_with(&["two.mkv", "2 video streams", "--video 2"]);
    assert!(!practice.path("out/two").exists(), "no results of something else");
}

#[test]
fn arguments_that_cannot_be_meant() {
    let practice = Practice::new();
    fs::create_dir(practice.path("nothing")).unwrap();
    for arguments in [&["none.mp4"][..], &["nothing"], &["*.mp4"], &["--jobs", "0", "nothing"], &[]] {
        let done = practice.process(arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}\n{done}");
        assert!(!practice.path("out").exists());
    }
    fs::write(practice.path("a.mp4"), "x").unwrap();
    fs::write(practice.path("a.mp4.toml"), "[people.x]\nnaem = 'typo'\n").unwrap();
    practice.process(&["a.mp4"]).fails_with(&["a.mp4.toml", "line 2", "naem"]);
}

#[test]
fn a_film_with_music() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let practice = Practice::new();
    practice.film("talk.mp4", &clip, &["-t", "6", "-c", "copy"]);
    sound::library(&practice.path("music"));
    let probe = |entries: &str, file: &str| {
        let mut probe = command("ffprobe");
        probe.args(["-v", "error", "-show_entries", entries, "-of", "csv=p=0"]);
        run(
            {
                probe.arg(practice.path(file));
                probe
            },
            LIMIT,
        )
        .ok()
        .stdout
    };
    for audio in [&[][..], &["--audio", "keep"], &["--audio", "drop"]] {
        practice
            .process(&[&["talk.mp4", "--overlay", "--blur-faces", "--library", "music"], audio].concat())
            .ok();
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
    let folder = practice.path("out/talk");
    valid("timeline.schema.json", &folder.join("music.jsonl"));
    valid("timeline.schema.json", &folder.join("timeline.jsonl"));
    valid("summary.schema.json", &folder.join("summary.json"));
    assert!(!practice.summary("talk")["tracks"].as_array().unwrap().is_empty());
    practice.process(&["talk.mp4", "--overlay"]).ok();
    assert_eq!(probe("stream=codec_name", "out/talk/annotated.mp4").lines().count(), 2, "its own sound");
    assert!(!practice.path("out/talk/soundtrack.ogg").exists(), "that was of another run");
    practice.process(&["talk.mp4", "--overlay", "--audio", "drop"]).ok();
    assert_eq!(probe("stream=codec_name", "out/talk/annotated.mp4").trim().trim_end_matches(','), "h264");
}

#[test]
fn photographs_have_rows_and_a_picture() {
    let Some(photographs) = media("images/dlib") else { return };
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    fs::create_dir_all(practice.path("in/more")).unwrap();
    fs::copy(photographs.join("2009_004587.jpg"), practice.path("in/a.jpg")).unwrap();
    fs::copy(photographs.join("bald_guys.jpg"), practice.path("in/more/b.jpeg")).unwrap();
    fs::copy(&clip, practice.path("in/more/c.mp4")).unwrap();
    fs::write(practice.path("in/readme.txt"), "not a picture").unwrap();
    practice.process(&["in"]).ok();
    for session in ["a", "b"] {
        assert_eq!(practice.files(session), ["annotated.jpg", "faces.csv", "summary.json"]);
        let rows = fs::read_to_string(practice.path("out").join(session).join("faces.csv")).unwrap();
        assert!(rows.lines().count() > 1 && rows.contains("Person 1"), "{rows}");
        let [before, after] = [practice.path("in/a.jpg"), practice.path("out/a/annotated.jpg")]
            .map(|path| image::open(path).unwrap().to_rgb8());
        assert!(before.dimensions() == after.dimensions() && before != after);
    }
    assert!(practice.files("c").contains(&"timeline.jsonl".into()));
    let again = practice.process(&["in/**/*.jp*g"]).ok();
    assert_eq!(again.stdout.matches("finished before").count(), 2, "{again}");

    // One table over all of them, of this run and of those before.
    image::GrayImage::new(64, 48).save(practice.path("nobody, here.png")).unwrap();
    practice.process(&["nobody, here.png"]).ok();
    let table = fs::read_to_string(practice.path("out/photographs.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("folder,file,frame,timestamp,face_id,"), "{table}");
    let of = |folder: &str| rows.iter().filter(|row| row.starts_with(folder)).count();
    let faces = |folder: &str| {
        fs::read_to_string(practice.path("out").join(folder).join("faces.csv")).unwrap().lines().count() - 1
    };
    assert_eq!((of("a,"), of("b,")), (faces("a"), faces("b")));
    assert_eq!(rows.len(), 1 + faces("a") + faces("b") + 1, "one without a face has a row too");
    let file = practice.path("in/a.jpg").canonicalize().unwrap();
    assert!(rows[1].starts_with(&format!("a,{},0,", file.display())), "{}", rows[1]);
    assert!(rows.last().unwrap().starts_with("\"nobody, here\",") && table.contains(",,0,,"), "{table}");
}

#[test]
fn a_photograph_is_seen_as_the_camera_was_held() {
    let Some(photograph) = media("images/dlib/2009_004587.jpg") else { return };
    let practice = Practice::new();
    let upright = image::open(&photograph).unwrap().into_rgb8();
    upright.save(practice.path("upright.tiff")).unwrap();
    // Turned pixels, and a note that they are (EXIF's tag 0x112, 6: turn it clockwise), as phones write them.
    let turned = practice.path("turned.jpg");
    image::imageops::rotate270(&upright).save(&turned).unwrap();
    let tag = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    let note = [&b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0"[..], &tag, &[0; 4]].concat();
    let mut bytes = fs::read(&turned).unwrap();
    bytes.splice(2..2, note);
    fs::write(&turned, bytes).unwrap();
    practice.process(&["upright.tiff", "turned.jpg"]).ok();
    let faces = |session: &str| practice.summary(session)["subjects"].as_array().unwrap().len();
    assert!(faces("upright") > 0 && faces("turned") > 0, "{} {}", faces("upright"), faces("turned"));
    let drawn = image::open(practice.path("out/turned/annotated.jpg")).unwrap();
    assert_eq!((drawn.width(), drawn.height()), upright.dimensions());
}

#[test]
fn clients_are_kept_with_consent_and_forgotten() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    for name in ["one.mp4", "two.mp4"] {
        practice.film(name, &clip, &quick(&["-t", if name == "one.mp4" { "2" } else { "1.5" }]));
    }
    practice.process(&["one.mp4", "--client", "Ada L."]).fails_with(&["consent"]);
    assert!(!practice.path("data").exists());
    let consent = ["--client", "Ada L.", "--consent", "signed 3 May 2026"];
    practice.process(&[&["one.mp4", "--baseline", "1"], &consent[..]].concat()).ok();
    practice.process(&[&["two.mp4"], &consent[..]].concat()).ok();
    assert!(
        practice.summary("two")["subjects"][0]["baseline"].is_object(),
        "the client's own, kept from before"
    );
    let stored: Vec<PathBuf> =
        fs::read_dir(practice.path("data/clients")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(stored.len(), 1);
    assert!(!stored[0].to_string_lossy().contains("Ada"));
    assert!(json(&stored[0].join("client.json"))["consent"] == "signed 3 May 2026");
    for (file, mode) in [(stored[0].join("client.json"), 0o600), (stored[0].clone(), 0o700)] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, mode);
    }
    let compared = run(practice.command(&["report", "--client", "Ada L.", "--json"]), LIMIT).ok();
    let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
    assert_eq!(compared["sessions"].as_array().unwrap().len(), 2);
    assert!(practice.path("comparison.html").exists());
    // Their opinions of music need no second note, and go as well.
    let tone = sound::tone(&practice.path(""), "a.wav", 440.0, 1, "calm");
    let tone = tone.to_str().unwrap();
    let library = |arguments: &[&str]| run(practice.command(&[&["library"], arguments].concat()), LIMIT);
    library(&["scan", "--tags-only", practice.path("").to_str().unwrap()]).ok();
    library(&["set", tone, "--rating", "2", "--client", "Nobody"]).fails_with(&["consent note"]);
    library(&["set", tone, "--rating", "-1", "--client", "ada l."]).ok();
    assert!(library(&["list", "--client", "Ada L. "]).ok().stdout.contains("rated -1"));
    let forgotten = run(practice.command(&["forget", "ada l."]), LIMIT).ok();
    assert!(forgotten.stdout.contains("2 sessions") && forgotten.stdout.contains("1 ratings"), "{forgotten}");
    assert!(!library(&["list", "--client", "Ada L."]).ok().stdout.contains("rated"));
    assert!(
        !String::from_utf8_lossy(&fs::read(practice.path("data/library.db")).unwrap()).contains("ada l.")
    );
    assert_eq!(fs::read_dir(practice.path("data/clients")).unwrap().count(), 0);
    run(practice.command(&["forget", "Ada L."]), LIMIT).fails_with(&["nothing is stored"]);
}

#[test]
fn names_come_from_the_notes_and_stay_out_with_pseudonyms() {
    let Some(clip) = media(CLIP) else { return };
    let practice = Practice::new();
    fs::copy(&clip, practice.path("Lovelace.mp4")).unwrap();
    let notes = "subject = 'client'\n[people.client]\nname = 'Ada <b>'\nids = [1]\n";
    fs::write(practice.path("Lovelace.toml"), notes).unwrap();
    practice.process(&["Lovelace.mp4"]).fails_with(&["Lovelace.toml", "consent"]);
    fs::write(practice.path("Lovelace.toml"), format!("consent = 'signed'\n{notes}")).unwrap();
    practice.process(&["Lovelace.mp4"]).ok();
    assert_eq!(practice.summary("Lovelace")["subjects"][0]["name"], "Ada <b>");
    practice.process(&["Lovelace.mp4", "--pseudonym"]).ok();
    for name in practice.files("Lovelace") {
        let text = fs::read_to_string(practice.path("out/Lovelace").join(&name)).unwrap();
        assert!(!text.contains("Ada") && !text.contains("Lovelace"), "{name}");
    }
    assert_eq!(practice.summary("Lovelace")["subjects"][0]["name"], "client");
}
