//! Files of the kinds that people report: those of the test media, and neighbours made here, with the right answer for each.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mood_tests::process::TIMEOUT;
use mood_tests::sandbox::{Sandbox, turn_when_shown, with_fast_encoding};
use mood_tests::{ProcessOutput, Timeline, audio, command, gst_mood, media, run};
use serde_json::Value;
use tempfile::TempDir;

/// A talking head, about 2.4 s with audio, 30 frames a second.
const CLIP: &str = "video/single_face.mp4";

#[test]
fn recordings_of_reported_kinds_are_analysed() {
    // Frames, whether complete, warnings; of each frame with a face, one person.
    let cases: [(&str, u64, bool, &[&str]); 6] = [
        ("cam.mjpeg", 72, true, &["times-assumed"]),
        ("concat2.webm", 72, false, &["further-recording"]),
        ("anim.gif", 24, true, &[]),
        ("phone_rot.mp4", 72, true, &[]),
        ("cover_first.mkv", 122, true, &["stream-skipped"]),
        ("anamorphic.mp4", 72, true, &[]),
    ];
    let paths: Option<Vec<PathBuf>> =
        cases.iter().map(|(name, ..)| media(&format!("cases/{name}"))).collect();
    let Some(paths) = paths else { return };
    let sandbox = Sandbox::new();
    let output = sandbox.process(&paths.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>());
    assert!(output.code == Some(1) && output.stderr.contains("1 of 6 inputs failed"), "{output}");
    for (name, frames, is_complete, warnings) in cases {
        let session = name.split_once('.').unwrap().0;
        let summary = sandbox.summary(session);
        let found = summary["frames"].as_u64().unwrap();
        // A demuxer may give a frame of a second recording.
        assert!(found == frames || !is_complete && found == frames + 1, "{name}: {found}");
        assert_eq!(summary["complete"], is_complete, "{name}");
        let found: Vec<String> = sandbox
            .warning_kinds(session)
            .into_iter()
            .filter(|kind| is_complete || kind != "times-assumed")
            .collect();
        assert_eq!(found, warnings, "{name}");
        let timeline = sandbox.timeline(session);
        assert_eq!(timeline.face_ids(), BTreeSet::from([1]), "{name}");
        assert!(timeline.share(|faces| faces == 1) > 0.9, "{name}");
    }
    let Some(photo) = media("cases/x.tif") else { return };
    fs::create_dir(sandbox.path("photos")).unwrap();
    fs::copy(&photo, sandbox.path("photos/x.tif")).unwrap();
    for input in [photo.to_str().unwrap(), "photos"] {
        let output =
            run(sandbox.command(&["process", "-o", input.rsplit('/').next().unwrap(), input]), TIMEOUT);
        assert!(output.assert_success().stdout.contains("/x"), "{input}");
    }
}

/// One frame rate, other sizes, turns, sounds and containers than those of the test media.
#[test]
fn neighbours_of_reported_kinds_are_analysed_or_refused_with_what_to_do() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("clip.mp4", &clip, &with_fast_encoding(&["-t", "0.4", "-vf", "scale=320:-2"]));
    let clip = sandbox.path("clip.mp4");
    let make = |name: &str, arguments: &[&str]| sandbox.transcode(name, &clip, arguments);
    // Phones held upside down and on the other side.
    for (degrees, filter) in [(180, "hflip,vflip"), (90, "transpose=cclock")] {
        let name = format!("phone{degrees}.mp4");
        make(&name, &with_fast_encoding(&["-an", "-vf", filter]));
        turn_when_shown(&sandbox.path(&name), degrees);
    }
    // One stream begins later than the other.
    let delay = |name: &str, seconds: &str, maps: [&str; 2], more: &[&str]| {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-itsoffset", seconds, "-i"]).arg(&clip).arg("-i").arg(&clip);
        ffmpeg.args(["-map", maps[0], "-map", maps[1], "-c", "copy"]).args(more).arg(sandbox.path(name));
        run(ffmpeg, TIMEOUT).assert_success();
    };
    let late = |name: &str, seconds: &str, more: &[&str]| delay(name, seconds, ["0:v", "1:a"], more);
    late("late.mp4", "0.3", &[]);
    late("near.ts", "0.3", &[]);
    // GStreamer 1.22 loses all times of this one.
    late("late.ts", "1.5", &[]);
    // The sound ends before the pictures begin, and the reverse. In the transport stream the clock begins with the pictures.
    for (early, after, seconds) in
        [("early.ts", "after.ts", "3"), ("early.mkv", "after.mkv", "3"), ("early.mp4", "after.mp4", "1")]
    {
        late(early, seconds, &[]);
        delay(after, seconds, ["1:v", "0:a"], &[]);
    }
    sandbox.transcode("remedy.mkv", &sandbox.path("late.ts"), &["-c", "copy"]);
    // All of it lies behind an hour without anything.
    late("hour.mov", "0.3", &["-output_ts_offset", "3600"]);
    // Raw streams with and without a rate.
    let x265 = "log-level=none:vui-timing-info=0";
    make("raw.h265", &["-an", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", x265]);
    make("raw.m2v", &["-an", "-c:v", "mpeg2video"]);
    make("raw.m4v", &["-an", "-c:v", "mpeg4", "-f", "m4v"]);
    make("moves.webp", &["-an", "-r", "10", "-frames:v", "5", "-loop", "0"]);
    // A size that changes in mid-stream, without a container.
    make("a.h264", &with_fast_encoding(&["-an"]));
    make("b.h264", &with_fast_encoding(&["-an", "-vf", "scale=240:-2"]));
    let parts = ["a.h264", "b.h264", "a.h264"].map(|part| fs::read(sandbox.path(part)).unwrap());
    fs::write(sandbox.path("sizes.h264"), parts.concat()).unwrap();
    image::RgbImage::new(64, 64).save(sandbox.path("cover.png")).unwrap();
    let cover = sandbox.path("cover.png");
    let attach =
        ["-map", "0", "-map", "1:v", "-c", "copy", "-c:v:1", "png", "-disposition:v:1", "attached_pic"];
    make("cover.mp4", &[&["-i", cover.to_str().unwrap()], &attach[..]].concat());
    // Eight channels without a layout, samples of 64 bits, and a code that nobody knows.
    let eight = "pan=octagonal|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0|c6=c0|c7=c0";
    make("eight.mov", &["-c:v", "copy", "-af", eight, "-c:a", "pcm_s16le"]);
    make("floats.mov", &["-c:v", "copy", "-c:a", "pcm_f64le", "-ar", "96000"]);
    let mut bytes = fs::read(&clip).unwrap();
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == *b"mp4a" {
            bytes[at..at + 4].copy_from_slice(b"xyz1");
        }
    }
    fs::write(sandbox.path("unknown.mov"), bytes).unwrap();
    let names = [
        "phone180.mp4",
        "phone90.mp4",
        "late.mp4",
        "near.ts",
        "late.ts",
        "early.ts",
        "early.mkv",
        "early.mp4",
        "after.ts",
        "after.mkv",
        "after.mp4",
        "remedy.mkv",
        "hour.mov",
        "raw.h265",
        "raw.m2v",
        "raw.m4v",
        "moves.webp",
        "sizes.h264",
        "cover.mp4",
        "eight.mov",
        "floats.mov",
        "unknown.mov",
    ];
    let output = sandbox.process(&names);
    assert!(output.code == Some(1) && output.stderr.contains("2 of 22 inputs failed"), "{output}");
    for (name, what) in [("late.ts", "its times are lost"), ("hour.mov", "preview")] {
        let is_reported = |line: &str| line.contains(name) && line.contains(what) && line.contains("-c copy");
        assert!(output.stderr.lines().any(is_reported), "{name}\n{output}");
    }
    // FFmpeg 7 does not state the rate of this one.
    let is_assumed = |line: &str| line.contains("raw.m4v") && line.contains("25 are assumed");
    let is_rate_known = !output.stderr.lines().any(is_assumed);
    // Frames, begin and duration in milliseconds, warnings.
    let results: [(&str, u64, u64, u64, &[&str]); 20] = [
        ("phone180", 12, 0, 400, &[]),
        ("phone90", 12, 0, 400, &[]),
        ("late", 12, 300, 400, &[]),
        ("near", 12, 300, 400, &[]),
        ("early", 12, 3000, 400, &[]),
        ("early.mkv", 12, 3000, 400, &[]),
        ("early.mp4", 12, 1000, 400, &[]),
        ("after", 12, 0, 400, &[]),
        ("after.mkv", 12, 0, 400, &[]),
        ("after.mp4", 12, 0, 400, &[]),
        ("remedy", 12, 1500, 400, &[]),
        ("raw", 12, 0, 480, &["times-assumed"]),
        ("raw.m2v", 12, 0, 400, &[]),
        ("raw.m4v", 12, 0, if is_rate_known { 400 } else { 480 }, &["times-assumed"]),
        ("moves", 5, 0, 500, &[]),
        ("sizes", 36, 0, 1200, &[]),
        ("cover", 12, 0, 400, &[]),
        ("eight", 12, 0, 400, &[]),
        ("floats", 12, 0, 400, &[]),
        ("unknown", 12, 0, 400, &[]),
    ];
    for (session, frames, begin, duration, warnings) in results {
        let summary = sandbox.summary(session);
        assert!(summary["frames"] == frames && summary["complete"] == true, "{session}: {summary}");
        for (key, expected) in [("begin", begin), ("duration", duration)] {
            // A frame of audio, by which containers round.
            let found = summary[key].as_u64().unwrap() / 1_000_000;
            assert!(found.abs_diff(expected) <= 34, "{session}: {key} {found}");
        }
        assert_eq!(sandbox.warning_kinds(session), warnings, "{session}");
        let timeline = sandbox.timeline(session);
        assert_eq!(timeline.face_ids(), BTreeSet::from([1]), "{session}");
        assert!(timeline.share(|faces| faces == 1) > 0.9, "{session}");
    }
    // Upside down a detector finds something as well, but elsewhere.
    let upright = describe(&sandbox.timeline("late"));
    for phone in ["phone180", "phone90"] {
        let turned = describe(&sandbox.timeline(phone));
        let is_near = upright.iter().zip(turned).all(|(one, other)| (one - other).abs() < 0.05);
        assert!(is_near, "{phone}: {turned:?}, not {upright:?}");
    }
    let films = ["eight.mov", "floats.mov", "unknown.mov", "early.ts"];
    sandbox.process(&[&films[..], &["--overlay"]].concat()).assert_success();
    // GStreamer 1.26 reads where these channels belong, and mixes them by that.
    let eight: &[&str] = if gst::version() < (1, 26, 0, 0) { &["sound-mixed"] } else { &[] };
    for (session, warnings) in
        [("eight", eight), ("floats", &[]), ("unknown", &["sound-missing"]), ("early", &[])]
    {
        assert_eq!(sandbox.warning_kinds(session), warnings, "{session}");
        assert!(sandbox.path("out").join(session).join("annotated.mp4").exists(), "{session}");
    }
}

/// The mean valence of all faces, and the width and the height of the mean box, shares of the frame.
fn describe(timeline: &Timeline) -> [f64; 3] {
    let faces: Vec<_> = timeline.frames.iter().flat_map(|frame| &frame.faces).collect();
    let mean = |value: &dyn Fn(&mood_schema::Face) -> f64| {
        faces.iter().map(|face| value(face)).sum::<f64>() / faces.len() as f64
    };
    [
        mean(&|face| face.classification.as_ref().map_or(0.0, |result| result.affect.valence)),
        mean(&|face| face.bbox.w),
        mean(&|face| face.bbox.h),
    ]
}

#[test]
fn pixels_of_any_shape_give_the_same_person_labels_and_places() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    // As on a DVD with a wide picture, on one with a narrow one, and half as high as wide.
    let shapes = [
        ("square", "scale=1024:576"),
        ("wide", "scale=720:576,setsar=64/45"),
        ("narrow", "scale=1440:576,setsar=32/45"),
        ("flat", "scale=1024:288,setsar=1/2"),
    ];
    for (name, filter) in shapes {
        let arguments = with_fast_encoding(&["-t", "0.8", "-an", "-crf", "10", "-vf", filter]);
        sandbox.transcode(&format!("{name}.mkv"), &clip, &arguments);
    }
    sandbox.process(&["square.mkv", "wide.mkv", "narrow.mkv", "flat.mkv"]).assert_success();
    let square = describe(&sandbox.timeline("square"));
    for (name, _) in shapes {
        let timeline = sandbox.timeline(name);
        assert_eq!((timeline.frames.len(), timeline.face_ids()), (24, BTreeSet::from([1])), "{name}");
        assert_eq!(timeline.share(|faces| faces == 1), 1.0, "{name}");
        // Shares of the frame are the same, whatever the shape of its pixels.
        for (found, expected) in describe(&timeline).iter().zip(square) {
            assert!((found - expected).abs() < 0.05, "{name}: {found} {expected}");
        }
    }
}

#[test]
fn films_of_streams_that_state_absurd_rates_are_not_grey() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    // A tick of H.264 is a field's time, half a frame's.
    for (name, rate) in [("usual.ts", 30), ("thousand.ts", 1000), ("clock.ts", 90000)] {
        let filter = format!("h264_metadata=tick_rate={}", 2 * rate);
        let arguments = ["-t", "0.8", "-an", "-vf", "scale=320:-2", "-bsf:v", &filter];
        sandbox.transcode(name, &clip, &with_fast_encoding(&arguments));
    }
    sandbox.process(&["usual.ts", "thousand.ts", "clock.ts", "--overlay"]).assert_success();
    let luma = |session: &str| {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(sandbox.path("out").join(session).join("annotated.mp4"));
        ffmpeg.args(["-vf", "scale=8:8,format=gray", "-f", "rawvideo", "-"]);
        let pixels = ffmpeg.output().unwrap().stdout;
        assert_eq!(pixels.len() / 64, 24, "{session}");
        pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / pixels.len() as f64
    };
    let usual = luma("usual");
    for session in ["thousand", "clock"] {
        assert!((luma(session) - usual).abs() < 2.0, "{session}: {} {usual}", luma(session));
        assert_eq!(sandbox.warning_kinds(session), [""; 0], "{session}");
    }
}

/// Runs `gst-mood library` with the database `l.db` in a folder.
#[track_caller]
fn library(folder: &Path, arguments: &[&str]) -> ProcessOutput {
    let mut command = gst_mood(&[&["library"], arguments].concat());
    command.arg("--library").arg(folder.join("l.db")).current_dir(folder);
    run(command, TIMEOUT)
}

/// The tracks of the database, as `library list --json` prints them.
fn list(folder: &Path) -> Vec<Value> {
    serde_json::from_str(&library(folder, &["list", "--json"]).assert_success().stdout).unwrap()
}

#[test]
fn every_entry_of_other_programs_playlists_is_found() {
    let decomposed = ["Cafe\u{301} Torme\u{301}.flac", "Tromsø A\u{30a}se Mu\u{308}ller.flac"];
    let cases: [(&str, &[&str]); 5] = [
        ("pl_vlc.m3u8", &["party/Mike Posner - Ibiza (SeeB Remix).flac", decomposed[0], "50% off.flac"]),
        ("pl_windows.m3u8", &["folder/song.flac"]),
        ("pl_cp1252.m3u", &["Preis 5€ “Live” – Teil 1.flac", "Café Tormé.flac"]),
        ("pl_apple_nfc.m3u8", &[decomposed[1]]),
        (
            "pl_hash.m3u8",
            &["#1 Crush.flac", "Song: Part 2.flac", "Question?.flac", "50% off.flac", "a;b.flac"],
        ),
    ];
    for (list_name, names) in cases {
        let Some(playlist) = media(&format!("cases/{list_name}")) else { return };
        let folder = TempDir::new().unwrap();
        fs::copy(&playlist, folder.path().join(list_name)).unwrap();
        let track = audio::write_tone(folder.path(), "track.wav", 440.0, 1, "");
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(&track).arg(folder.path().join("track.flac"));
        run(ffmpeg, TIMEOUT).assert_success();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(folder.path().join("track.flac"), path).unwrap();
        }
        let output = library(folder.path(), &["scan", list_name, "--tags-only", "--json"]).assert_success();
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(
            (&report["added"], &report["failed"]),
            (&names.len().into(), &Value::Array(vec![])),
            "{output}"
        );
        assert_eq!(list(folder.path()).len(), names.len(), "{list_name}");
    }
}

#[test]
fn lengths_are_counted_and_moods_in_user_tags_are_read() {
    let folder = TempDir::new().unwrap();
    // Noise in front of silence: of variable bit rate without a header, its length by the first frames is far too short.
    let [short, long] = [2, 3].map(|seconds| {
        audio::write_tone(folder.path(), &format!("{seconds}.wav"), 440.0, seconds, "");
        folder.path().join(format!("{seconds}.wav"))
    });
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    let encode = |input: &[&str], arguments: &[&str], to: &Path| {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error"]).args(input).args(arguments).arg(to);
        run(ffmpeg, TIMEOUT).assert_success();
    };
    let noise = "anoisesrc=d=4:a=0.5[n];anullsrc=r=44100:cl=mono:d=16[s];[n]aresample=44100[m];[m][s]concat=n=2:v=0:a=1";
    let variable = ["-q:a", "2", "-write_xing", "0", "-id3v2_version", "0"];
    encode(&["-filter_complex", noise], &variable, &music.join("variable.mp3"));
    for (name, codec) in [("chained.ogg", "libvorbis"), ("chained.opus", "libopus")] {
        let parts = [&short, &long].map(|part| {
            let to = part.with_extension(name);
            encode(&["-i", part.to_str().unwrap()], &["-c:a", codec, "-f", "ogg"], &to);
            fs::read(to).unwrap()
        });
        fs::write(music.join(name), parts.concat()).unwrap();
    }
    let mut expected = vec![("variable.mp3", 20.0), ("chained.ogg", 5.0), ("chained.opus", 5.0)];
    for (name, seconds) in [("noxing.mp3", 240.0), ("plain.aiff", 3.0)] {
        if let Some(case) = media(&format!("cases/{name}")) {
            fs::copy(case, music.join(name)).unwrap();
            expected.push((name, seconds));
        }
    }
    let has_mood =
        media("cases/txxx_mood.mp3").map(|case| fs::copy(case, music.join("txxx_mood.mp3")).unwrap());
    library(folder.path(), &["scan", "music"]).assert_success();
    let tracks = list(folder.path());
    let track = |name: &str| {
        tracks
            .iter()
            .find(|track| track["uri"].as_str().unwrap().ends_with(name))
            .unwrap_or_else(|| panic!("{name}"))
    };
    for (name, seconds) in expected {
        let duration = &track(name)["values"]["duration"]["value"];
        let found = duration.as_f64().unwrap();
        assert!((found - seconds).abs() < 0.1, "{name}: {found}");
    }
    if has_mood.is_some() {
        let mood = &track("txxx_mood.mp3")["values"]["mood"];
        assert_eq!((&mood["from"], mood["value"].is_string()), (&"tag".into(), true), "{mood}");
    }
}

#[test]
fn moods_may_be_set_in_five_languages_and_unknown_words_are_refused() {
    let folder = TempDir::new().unwrap();
    let track = audio::write_tone(folder.path(), "a.wav", 440.0, 1, "sad");
    library(folder.path(), &["scan", ".", "--tags-only"]).assert_success();
    let set = |mood: &str| library(folder.path(), &["set", track.to_str().unwrap(), "--mood", mood]);
    for mood in ["calm", "fröhlich", "heureux", "triste", "felice", "alegre", "CALM; Ruhig"] {
        set(mood).assert_success();
        assert_eq!(list(folder.path())[0]["values"]["mood"]["value"], mood, "{mood}");
    }
    for mood in ["xyzzy", "calm, xyzzy"] {
        let output = set(mood);
        assert!(output.code == Some(2) && output.stderr.contains("'xyzzy' is not a known mood"), "{output}");
        assert_eq!(list(folder.path())[0]["values"]["mood"]["value"], "CALM; Ruhig", "it stays as it was");
    }
}
