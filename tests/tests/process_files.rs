//! `gst-mood process` on files of the kinds that people have: without times, several in one, cut off, with covers, moving images,
//! photographs in other formats, folders with all sorts of files. Nothing is passed over, assumed or joined without a word.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use mood_tests::process::TIMEOUT;
use mood_tests::readers::assert_valid;
use mood_tests::sandbox::{Sandbox, with_fast_encoding};
use mood_tests::{ProcessOutput, audio, command, media, run};
use serde_json::Value;

/// A talking head, about 2.4 s with audio, 30 frames a second.
const CLIP: &str = "video/single_face.mp4";

/// Asserts that a line of stderr about this input contains every one of `words`.
#[track_caller]
fn assert_reported(output: &ProcessOutput, input: &str, words: &[&str]) {
    let mut lines = output.stderr.lines().filter(|line| line.contains(input));
    assert!(lines.any(|line| words.iter().all(|word| line.contains(word))), "{input}: {words:?}\n{output}");
}

/// Writes the file `name` several times one behind the other into `to`.
fn concatenate(sandbox: &Sandbox, name: &str, to: &str) {
    fs::write(sandbox.path(to), fs::read(sandbox.path(name)).unwrap().repeat(2)).unwrap();
}

/// Writes the part of a file before `share` of its length, 0 to 1, into `to`.
fn cut(sandbox: &Sandbox, name: &str, share: f64, to: &str) {
    let bytes = fs::read(sandbox.path(name)).unwrap();
    fs::write(sandbox.path(to), &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
}

#[test]
fn frames_without_times_get_some_and_moving_images_are_videos() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let make = |name: &str, arguments: &[&str]| {
        let short = ["-t", "0.4", "-an", "-vf", "scale=320:-2"];
        sandbox.transcode(name, &clip, &[&short[..], arguments].concat());
    };
    make("camera.mjpg", &["-c:v", "mjpeg", "-f", "mjpeg"]);
    make("network.mjpeg", &["-c:v", "mjpeg", "-f", "mpjpeg"]);
    make("stated.y4m", &["-pix_fmt", "yuv420p"]);
    make("moves.gif", &["-r", "10"]);
    make("moves.png", &["-r", "10", "-f", "apng"]);
    make("still.gif", &["-frames:v", "1"]);
    // Twelve frames whose duration is not stated, as old programs write them.
    make("fast.gif", &["-r", "100", "-frames:v", "12"]);
    let mut bytes = fs::read(sandbox.path("fast.gif")).unwrap();
    for at in 0..bytes.len() - 8 {
        // The graphic control extensions: flags, duration in hundredths of a second, transparent index.
        if bytes[at..at + 3] == [0x21, 0xF9, 4] && bytes[at + 7] == 0 {
            bytes[at + 4..at + 6].fill(0);
        }
    }
    fs::write(sandbox.path("fast.gif"), bytes).unwrap();
    let names =
        ["camera.mjpg", "network.mjpeg", "stated.y4m", "moves.gif", "moves.png", "still.gif", "fast.gif"];
    let output = sandbox.process(&names).assert_success();
    // Frames, duration in milliseconds, warnings.
    for (session, frames, duration, warnings) in [
        ("camera", 12, 480, &["times-assumed"][..]),
        ("network", 12, 480, &["times-assumed"]),
        ("stated", 12, 400, &[]),
        ("moves", 4, 400, &[]),
        ("moves.png", 4, 400, &[]),
        ("fast", 12, 1200, &["times-assumed"]),
    ] {
        let summary = sandbox.summary(session);
        assert_eq!(summary["frames"], frames, "{session}");
        let found = summary["duration"].as_u64().unwrap() / 1_000_000;
        assert!(found.abs_diff(duration) <= 1, "{session}: {found}");
        assert_eq!(sandbox.warning_kinds(session), warnings, "{session}");
        assert_eq!(summary["complete"], true, "{session}");
        assert_valid("summary.schema.json", &sandbox.path("out").join(session).join("summary.json"));
    }
    assert!(sandbox.file_names("still").contains(&"faces.csv".into()));
    let last = output.stderr.lines().rfind(|line| line.contains("camera.mjpg")).unwrap();
    assert!(last.contains("25 are assumed") && last.contains("--rate"), "{output}");
    let page = fs::read_to_string(sandbox.path("out/camera/report.html")).unwrap();
    assert!(page.contains("25 are assumed"), "the report says so");

    // A stated rate is no guess. The film has the frames at the same times.
    sandbox.process(&["camera.mjpg", "moves.gif", "--rate", "10", "--overlay"]).assert_success();
    assert_eq!(sandbox.summary("camera")["duration"], 1_200_000_000);
    assert_eq!(sandbox.warning_kinds("camera"), [""; 0]);
    for session in ["camera", "moves"] {
        let mut probe = command("ffprobe");
        probe.args([
            "-v",
            "error",
            "-count_frames",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
        ]);
        probe.arg(sandbox.path("out").join(session).join("annotated.mp4"));
        let frames = run(probe, TIMEOUT).assert_success().stdout;
        assert_eq!(
            frames.trim().trim_end_matches(','),
            sandbox.summary(session)["frames"].to_string(),
            "{session}"
        );
    }
    assert_eq!(sandbox.process(&["camera.mjpg", "--rate", "0"]).code, Some(2));

    if let Some(raw) = media("cases/raspi_novui.h264") {
        sandbox.process(&[raw.to_str().unwrap()]).assert_success();
        assert_eq!(sandbox.warning_kinds("raspi_novui"), ["times-assumed"]);
        assert_eq!(sandbox.summary("raspi_novui")["duration"], 2_880_000_000u64);
    }
}

#[test]
fn a_second_recording_a_missing_part_and_other_streams_are_told() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let make = |name: &str, arguments: &[&str]| {
        sandbox.transcode(name, &clip, &[&["-t", "0.4", "-vf", "scale=320:-2"], arguments].concat());
    };
    let vp8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"];
    make("a.webm", &[&vp8[..], &["-c:a", "libvorbis"]].concat());
    make("live.mkv", &with_fast_encoding(&["-an", "-live", "1"]));
    make("a.mp4", &with_fast_encoding(&["-c:a", "aac"]));
    make("a.avi", &with_fast_encoding(&["-an"]));
    make("a.flv", &["-c:v", "flv", "-an"]);
    make("a.ogv", &["-c:v", "libtheora", "-an"]);
    make("a.ts", &with_fast_encoding(&["-an"]));
    make("a.mpg", &["-c:v", "mpeg1video", "-c:a", "mp2"]);
    make("a.vob", &["-c:v", "mpeg2video", "-an"]);
    make("a.wmv", &["-c:v", "wmv2", "-an"]);
    make("a.mxf", &["-c:v", "mpeg2video", "-an"]);
    make("a.ivf", &[&vp8[..], &["-an"]].concat());
    make("a.y4m", &["-pix_fmt", "yuv420p", "-an"]);
    make("a.gif", &["-r", "10"]);
    // Neighbours: other streams under other numbers, another codec and size, a clock that jumps forward.
    make("numbered.ts", &with_fast_encoding(&["-an", "-streamid", "0:300", "-mpegts_pmt_start_pid", "4000"]));
    make("mpeg2.ts", &["-c:v", "mpeg2video", "-an", "-s", "160x90"]);
    make("late.ts", &with_fast_encoding(&["-an", "-output_ts_offset", "3600"]));
    make("late.mpg", &["-c:v", "mpeg1video", "-an", "-output_ts_offset", "3600"]);
    make("small.ogv", &["-c:v", "libtheora", "-an", "-s", "160x90"]);
    make("sound.ogv", &["-c:v", "libtheora", "-c:a", "libvorbis"]);
    let neighbours = [
        "a.ts+numbered.ts",
        "a.ts+mpeg2.ts",
        "a.ts+late.ts",
        "late.ts+a.ts",
        "a.mpg+late.mpg",
        "a.vob+a.mpg",
    ];
    let neighbours = neighbours.map(|names| {
        let extension = names.rsplit_once('.').unwrap().1;
        let name = format!("{}.{extension}", names.replace('.', "_"));
        let parts = names.split('+').map(|part| fs::read(sandbox.path(part)).unwrap());
        fs::write(sandbox.path(&name), parts.collect::<Vec<_>>().concat()).unwrap();
        name
    });
    // Twice the frames from these containers, and a part of them from those.
    let (joined, further) =
        (["ogv", "ts", "mpg", "vob"], ["webm", "mkv", "mp4", "avi", "flv", "wmv", "mxf", "ivf", "gif"]);
    for kind in joined.iter().chain(&further).chain(&["y4m"]) {
        let name = if *kind == "mkv" { "live.mkv".into() } else { format!("a.{kind}") };
        concatenate(&sandbox, &name, &format!("{kind}2.{kind}"));
    }
    for (name, to) in [("live.mkv", "cut.mkv"), ("a.flv", "cut.flv"), ("a.webm", "cut.webm")] {
        cut(&sandbox, name, 0.7, to);
    }
    cut(&sandbox, "a.webm", 1.0, "whole.webm");
    cut(&sandbox, "live.mkv", 1.0, "whole.mkv");
    let inputs: Vec<String> = ["cut.mkv", "cut.flv", "cut.webm", "whole.webm", "whole.mkv"]
        .map(String::from)
        .into_iter()
        .chain(joined.iter().chain(&further).map(|kind| format!("{kind}2.{kind}")))
        .chain(neighbours.iter().cloned())
        .chain(["y4m2.y4m".into()])
        .collect();
    let output = sandbox.process(&inputs.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("13 of 25 inputs failed"), "{output}");
    for kind in further {
        let session = format!("{kind}2");
        // A demuxer may give a frame of the second recording.
        assert!(sandbox.warning_kinds(&session).contains(&"further-recording".into()), "{kind}");
        assert_eq!(sandbox.summary(&session)["complete"], false, "{kind}");
        let length = fs::metadata(sandbox.path(&format!("{kind}2.{kind}"))).unwrap().len();
        let position = format!("begins at byte {} ", length / 2);
        assert_reported(&output, &format!("{kind}2.{kind}: "), &["another recording", &position, "the 50 %"]);
    }
    for kind in joined {
        let summary = sandbox.summary(&format!("{kind}2"));
        assert!(summary["complete"] == true && summary["frames"] == 24, "{kind}: {summary}");
        let duration = summary["duration"].as_u64().unwrap();
        // Of program streams the time between the first pack and the first picture is added.
        assert!((750..1400).contains(&(duration / 1_000_000)), "{kind}: {duration}");
        let found = sandbox.warning_kinds(&format!("{kind}2"));
        assert!(found.iter().all(|kind| kind == "times-assumed" || kind == "joined-recordings"), "{kind}");
        assert!(found.contains(&"joined-recordings".into()), "{kind}: {found:?}");
        // It is told where: at the time of the thirteenth frame.
        let begin = sandbox.timeline(&format!("{kind}2")).frames[12].pts as f64 / 1e9;
        let place = format!("begins anew at about {begin:.1} s:");
        assert_reported(&output, &format!("{kind}2.{kind}: "), &[&place, "several recordings"]);
        let page = fs::read_to_string(sandbox.path("out").join(format!("{kind}2/report.html"))).unwrap();
        assert!(page.contains(&place), "{kind}");
    }
    // Of this one, GStreamer 1.22 plays nothing.
    assert_reported(&output, "y4m2.y4m: ", &["another recording", "the 50 %"]);
    for name in &neighbours {
        let session = name.rsplit_once('.').unwrap().0;
        let summary = sandbox.summary(session);
        assert!(summary["complete"] == true, "{name}: {summary}");
        assert!((22..=24).contains(&summary["frames"].as_u64().unwrap()), "{name}: {summary}");
        let found = sandbox.warning_kinds(session);
        assert!(
            found.contains(&"joined-recordings".into()) && !found.contains(&"ends-early".into()),
            "{name}: {found:?}"
        );
    }
    // The film has the sound of one recording, if the other has none.
    let parts = ["sound.ogv", "small.ogv"].map(|part| fs::read(sandbox.path(part)).unwrap());
    fs::write(sandbox.path("film.ogv"), parts.concat()).unwrap();
    sandbox.process(&["film.ogv", "--overlay"]).assert_success();
    assert_eq!(
        (sandbox.warning_kinds("film"), &sandbox.summary("film")["frames"]),
        (["joined-recordings", "sound-missing"].map(String::from).to_vec(), &24.into())
    );
    for session in ["cut", "cut.flv", "cut.webm"] {
        assert_eq!(sandbox.warning_kinds(session), ["truncated"], "{session}");
        assert_eq!(sandbox.summary(session)["complete"], false, "{session}");
    }
    for session in ["whole", "whole.mkv"] {
        assert_eq!(sandbox.warning_kinds(session), [""; 0], "{session}");
        assert_eq!(sandbox.summary(session)["complete"], true, "{session}");
    }

    // One table over all of them, a row for everybody.
    let table = fs::read_to_string(sandbox.path("out/recordings.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{table}");
    let column = |name: &str| rows[0].iter().position(|column| *column == name).expect(name);
    let row = rows.iter().find(|row| row[0] == "webm2").unwrap();
    assert!(
        row[column("complete")] == "0" && row[column("warnings")].contains("further-recording"),
        "{row:?}"
    );
    assert!(row[column("file")].ends_with("/webm2.webm") && row[column("person")] == "1", "{row:?}");
    assert!(rows.iter().any(|row| row[0] == "ts2" && row[column("duration")] == "0.800"), "{table}");
}

#[test]
fn covers_short_videos_and_sound_of_any_kind_do_not_stop_the_analysis() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("clip.mp4", &clip, &with_fast_encoding(&["-t", "0.6", "-vf", "scale=320:-2"]));
    let clip = sandbox.path("clip.mp4");
    image::RgbImage::from_pixel(64, 64, image::Rgb([200, 40, 40])).save(sandbox.path("cover.jpg")).unwrap();
    image::RgbImage::from_pixel(64, 64, image::Rgb([20, 40, 200])).save(sandbox.path("cover.png")).unwrap();
    for (name, cover) in
        [("cover_first.mkv", "cover.jpg"), ("cover_png.mkv", "cover.png"), ("cover_last.mkv", "cover.jpg")]
    {
        let cover = sandbox.path(cover);
        let order = if name == "cover_last.mkv" { ["0:v", "1:v"] } else { ["1:v", "0:v"] };
        let maps =
            ["-i", cover.to_str().unwrap(), "-map", order[0], "-map", order[1], "-map", "0:a", "-c", "copy"];
        sandbox.transcode(name, &clip, &maps);
    }
    let two = ["-map", "0:v", "-map", "0:v", "-c:v:0", "copy", "-c:v:1", "mpeg4", "-s:v:1", "160x90"];
    sandbox.transcode("two.mkv", &clip, &two);
    sandbox.transcode("camcorder.m2ts", &clip, &["-c", "copy", "-f", "mpegts", "-mpegts_m2ts_mode", "1"]);
    sandbox.transcode("camera.ts", &clip, &["-c", "copy"]);
    sandbox.transcode(
        "camera.mts",
        &clip,
        &["-c:v", "copy", "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"],
    );
    let surround = ["-af", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0", "-c:v", "copy", "-c:a", "ac3"];
    sandbox.transcode("surround.mkv", &clip, &surround);
    let tone = audio::write_tone(&sandbox.path(""), "tone.wav", 440.0, 9, "happy");
    let short = ["-i", clip.to_str().unwrap(), "-map", "1:v", "-map", "0:a", "-c:v", "copy", "-c:a", "aac"];
    sandbox.transcode("preview.mp4", &tone, &short);
    let names = [
        "cover_first.mkv",
        "cover_png.mkv",
        "cover_last.mkv",
        "two.mkv",
        "camcorder.m2ts",
        "camera.ts",
        "camera.mts",
        "surround.mkv",
        "preview.mp4",
    ];
    let output = sandbox.process(&[&names[..], &["--overlay"]].concat());
    assert_eq!(output.code, Some(1), "{output}");
    assert_reported(&output, "preview.mp4: ", &["preview", "Matroska", "-c copy"]);
    assert!(output.stderr.contains("1 of 9 inputs failed"), "{output}");
    for (session, warnings) in [
        ("cover_first", &["stream-skipped"][..]),
        ("cover_png", &["stream-skipped"]),
        ("cover_last", &["stream-skipped"]),
        ("two", &["stream-skipped"]),
        ("camcorder", &["sound-missing"]),
        ("camera", &[]),
        ("camera.mts", &[]),
        ("surround", &[]),
    ] {
        let summary = sandbox.summary(session);
        assert!(summary["frames"] == 18 && summary["complete"] == true, "{session}: {summary}");
        assert_eq!(sandbox.warning_kinds(session), warnings, "{session}");
        let mut probe = command("ffprobe");
        probe.args(["-v", "error", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0"]);
        probe.arg(sandbox.path("out").join(session).join("annotated.mp4"));
        let streams = run(probe, TIMEOUT).assert_success().stdout;
        assert!(streams.starts_with("h264,320"), "{session}: {streams}");
        let is_mute = matches!(session, "two" | "camcorder");
        assert_eq!(streams.contains("aac"), !is_mute, "{session}: {streams}");
    }
    sandbox.transcode("remedy.mkv", &sandbox.path("preview.mp4"), &["-c", "copy"]);
    sandbox.process(&["remedy.mkv"]).assert_success();
    assert_eq!(sandbox.summary("remedy")["frames"], 18);
    sandbox.process(&["two.mkv", "--video", "1"]).assert_success();
    sandbox
        .process(&["cover_first.mkv", "--video", "1"])
        .assert_error(&["one video stream", "--video 1 is none"]);
}

#[test]
fn photographs_are_done_or_it_is_said_what_to_convert() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("in")).unwrap();
    let path = |name: &str| sandbox.path("in").join(name);
    let photo = match media("images/dlib/2009_004587.jpg") {
        Some(photo) => image::open(photo).unwrap().into_rgb8(),
        None => image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([x as u8, y as u8, 90])),
    };
    photo.save(path("a.tif")).unwrap();
    photo.save(path("b.jpg")).unwrap();
    let jpeg = fs::read(path("b.jpg")).unwrap();
    fs::write(path("c.jpe"), &jpeg).unwrap();
    // What phones append is no damage.
    fs::write(path("d.jfif"), [&jpeg[..], b"appended by a phone"].concat()).unwrap();
    fs::write(path("e cut.jpg"), &jpeg[..jpeg.len() * 2 / 3]).unwrap();
    // Neighbours: other compressions, depths and colours, and other formats that are cut off.
    sandbox.transcode("in/lzw.tif", &path("a.tif"), &["-compression_algo", "lzw", "-pix_fmt", "gray"]);
    sandbox.transcode(
        "in/deep.tiff",
        &path("a.tif"),
        &["-compression_algo", "deflate", "-pix_fmt", "rgb48le"],
    );
    for (whole, cut_off) in [("a.tif", "cut.tif"), ("cut.png", "cut.png"), ("cut.bmp", "cut.bmp")] {
        if !path(whole).exists() {
            photo.save(path(whole)).unwrap();
        }
        let bytes = fs::read(path(whole)).unwrap();
        fs::write(path(cut_off), &bytes[..bytes.len() * 2 / 3]).unwrap();
    }
    image::GrayImage::from_pixel(33_000, 40, image::Luma([90])).save(path("f panorama.jpg")).unwrap();
    fs::write(path("g.heic"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    fs::write(path("h.avif"), b"\0\0\0\x1cftypavif\0\0\0\0avifmif1").unwrap();
    fs::copy(path("a.tif"), path("i.dng")).unwrap();
    for name in ["letter.txt", "sound.wav", "table.ods", "x.zip", "y", "z.doc"] {
        fs::write(path(name), "no recording").unwrap();
    }
    fs::write(path("b.jpg.toml"), "").unwrap();
    let output = sandbox.process(&["in", "--json"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("7 of 14 inputs failed"), "{output}");
    for name in ["cut.tif", "cut.png", "cut.bmp"] {
        assert_reported(&output, name, &["it is damaged"]);
    }
    let results: Value = serde_json::from_str(&output.stdout).unwrap();
    let result = |name: &str| {
        let path = format!("in/{name}");
        results
            .as_array()
            .unwrap()
            .iter()
            .find(|result| result["input"] == path.trim_end_matches('/'))
            .unwrap()
    };
    for name in ["a.tif", "b.jpg", "c.jpe", "d.jfif", "deep.tiff", "f panorama.jpg", "lzw.tif"] {
        assert_eq!(result(name)["state"], "done", "{name}");
    }
    for name in ["g.heic", "h.avif", "i.dng"] {
        assert_reported(&output, name, &["convert it to JPEG", "heif-convert"]);
    }
    assert_reported(&output, "e cut.jpg", &["ends in the middle"]);
    assert_eq!(result("e cut.jpg")["warnings"][0]["kind"], "truncated");
    assert!(sandbox.summary("e cut")["complete"] == false && sandbox.warning_kinds("e cut") == ["truncated"]);
    assert_eq!(sandbox.warning_kinds("f panorama"), ["scaled"]);
    let drawn = image::open(sandbox.path("out/f panorama/annotated.jpg")).unwrap();
    assert_eq!(drawn.width(), 16_384);
    assert_eq!(sandbox.warning_kinds("d"), [""; 0]);
    let passed_over = result("");
    assert_eq!(passed_over["state"], "passed-over");
    assert_eq!(passed_over["files"].as_array().unwrap().len(), 6);
    assert_eq!(passed_over["warnings"][0]["kind"], "files-skipped");
    assert_reported(&output, "6 files were passed over", &["letter.txt", "1 more"]);
    // A second run does the cut one again, and no other.
    let again = sandbox.process(&["in"]);
    assert_eq!(again.stdout.matches("finished before").count(), 7, "{again}");
    sandbox.process(&["in/g.heic"]).assert_error(&["g.heic", "convert"]);
    if let Some(cut) = media("cases/trunc.jpg") {
        sandbox.process(&[cut.to_str().unwrap()]).assert_error(&["trunc.jpg", "ends in the middle"]);
    }
}

#[test]
fn a_person_who_is_not_there_is_an_error_that_lists_who_is() {
    let Some(clip) = media("video/two_people.mp4") else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("two.mp4", &clip, &["-t", "1", "-c", "copy"]);
    let ids: Vec<String> = {
        sandbox.process(&["two.mp4"]).assert_success();
        let people = sandbox.summary("two")["subjects"].as_array().unwrap().clone();
        people.iter().map(|person| person["id"].to_string()).collect()
    };
    let first = format!("{} (Person {}, found for", ids[0], ids[0]);
    for arguments in [&["--subject", "99"][..], &["--merge", "99,1"]] {
        // The second time as well, and without decoding it again.
        for _ in 0..2 {
            let output = sandbox.process(&[&["two.mp4"], arguments].concat());
            assert_eq!(output.code, Some(1), "{output}");
            assert!(!output.stderr.contains("times real time"), "it is not decoded again\n{output}");
            output.assert_error(&["two.mp4", "no person 99", &first]);
        }
    }
    sandbox.process(&["two.mp4", "--subject", &ids[ids.len() - 1]]).assert_success();
    assert_eq!(sandbox.summary("two")["subject"].to_string(), ids[ids.len() - 1]);
    fs::write(sandbox.path("two.toml"), "subject = 'client'\n[people.client]\nids = [99]\n").unwrap();
    sandbox.process(&["two.mp4"]).assert_error(&["no person 99", "found for"]);
}

/// A command whose standard output is closed as soon as it has printed a line, as `| head -1` does.
fn run_with_closed_pipe(mut command: Command) -> (Option<i32>, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn files_may_be_uris_and_a_closed_pipe_is_no_error() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let name = "a clip.mp4";
    sandbox.transcode(name, &clip, &with_fast_encoding(&["-t", "0.4", "-vf", "scale=320:-2"]));
    let music = sandbox.path("music");
    audio::make_library(&music);
    let uri = |path: &Path| url::Url::from_file_path(path).unwrap().to_string();
    let (input, library) = (uri(&sandbox.path(name)), uri(&music));
    let session = uri(&sandbox.path("out/a clip"));
    let database = uri(&sandbox.path("l.db"));
    let page = uri(&sandbox.path("page.html"));
    let commands: &[&[&str]] = &[
        &["process", "-o", &uri(&sandbox.path("out")), &input, "--library", &library],
        &["process", "-o", "out", &input, "--library", &library, "--json"],
        &["report", &session, "-o", &page],
        &["export", &session, "--to", "csv", "-o", "-"],
        &["export", &session, "--to", "vtt", "-o", "-"],
        &["recommend", &input, "--library", &library],
        &["library", "scan", &library, "--library", &database, "--tags-only"],
        &["library", "list", "--library", &database],
        &["library", "list", "--library", &database, "--json"],
        &["library", "export", "--library", &database],
        &[
            "live",
            "--camera",
            &input,
            "--once",
            "--library",
            &library,
            "--no-window",
            "--no-mpris",
            "--audio-sink",
            "fakesink",
        ],
        &["clients"],
        &["doctor"],
        &["--help"],
    ];
    for arguments in commands {
        run(sandbox.command(arguments), TIMEOUT).assert_success();
    }
    assert!(sandbox.path("out/a clip/timeline.csv").exists() && sandbox.path("page.html").exists());
    assert!(sandbox.path("l.db").exists());
    for arguments in commands {
        let (code, errors) = run_with_closed_pipe(sandbox.command(arguments));
        assert_eq!(code, Some(0), "{arguments:?}: {errors}");
        assert!(!errors.contains("panic") && !errors.contains("pipe"), "{arguments:?}: {errors}");
    }
}
