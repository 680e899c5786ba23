//! The annotated video of `gst-mood process`: drawn from the finished timeline, the same in every run, in step with the
//! recording, of one size, with what sound there is, and without faces that the detector has missed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_schema::{Line, Rect};
use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::readers::assert_valid;
use mood_tests::sandbox::{Sandbox, with_fast_encoding};
use mood_tests::{audio, command, media, run};
use serde_json::Value;

/// A talking head, about 2.4 s with audio.
const CLIP: &str = "video/single_face.mp4";

/// The luma of all frames of a video, scaled to `width` x `height`, each at its time in seconds.
fn frames(path: &Path, width: usize, height: usize) -> Vec<(f64, Vec<u8>)> {
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time"]);
    probe.args(["-of", "csv=p=0"]).arg(path);
    let times = run(probe, TIMEOUT).assert_success().stdout;
    let times = times.lines().filter_map(|line| line.trim_end_matches(',').parse().ok());
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-i"]).arg(path).args(["-vsync", "passthrough", "-vf"]);
    ffmpeg.arg(format!("scale={width}:{height}:flags=area,format=gray"));
    let output = ffmpeg.args(["-f", "rawvideo", "-"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pictures: Vec<Vec<u8>> = output.stdout.chunks_exact(width * height).map(<[u8]>::to_vec).collect();
    let frames: Vec<(f64, Vec<u8>)> = times.zip(pictures).collect();
    assert!(!frames.is_empty(), "{}", path.display());
    frames
}

fn mean(values: &[u8]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

/// The mean difference of horizontal neighbours: how much detail a picture has.
fn detail(picture: &[u8], width: usize) -> f64 {
    let rows = picture.chunks_exact(width);
    let differences: Vec<u8> =
        rows.flat_map(|row| row.windows(2).map(|pair| pair[0].abs_diff(pair[1]))).collect();
    mean(&differences)
}

/// Codec, width, height and channels of the streams of an annotated video.
fn streams(sandbox: &Sandbox, session: &str) -> Vec<String> {
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", "stream=codec_name,width,height,channels", "-of", "csv=p=0"]);
    probe.arg(sandbox.path("out").join(session).join("annotated.mp4"));
    run(probe, TIMEOUT).assert_success().stdout.lines().map(str::to_owned).collect()
}

/// The correlation, -1 to 1, of the differences of horizontal neighbours in a part of two images of this size: near 1
/// where the same details are seen.
fn similarity(one: &[u8], other: &[u8], (width, height): (usize, usize), part: &Rect) -> f64 {
    let to_pixel = |share: f64, length: usize| (share.clamp(0.0, 1.0) * length as f64) as usize;
    let columns = to_pixel(part.x, width)..to_pixel(part.x + part.w, width);
    let rows = to_pixel(part.y, height)..to_pixel(part.y + part.h, height);
    let differences = |image: &[u8]| -> Vec<f64> {
        let rows = rows.clone().map(|row| &image[row * width..][columns.clone()]);
        rows.flat_map(|row| {
            row.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0])).collect::<Vec<_>>()
        })
        .collect()
    };
    let (one, other) = (differences(one), differences(other));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&one, &other) / (product(&one, &one) * product(&other, &other)).sqrt().max(1.0)
}

#[test]
fn two_runs_give_the_same_pictures_and_timeline() {
    let Some(clip) = media("video/WolfgangLanger_Pexels.mp4") else { return };
    let sandbox = Sandbox::new();
    sandbox.transcode("talk.mp4", &clip, &["-t", "4", "-c", "copy"]);
    audio::make_library(&sandbox.path("music"));
    let arguments = ["talk.mp4", "--overlay", "--library", "music", "--force"];
    let run_once = || {
        sandbox.process(&arguments).assert_success();
        let timeline = fs::read_to_string(sandbox.path("out/talk/timeline.jsonl")).unwrap();
        (timeline, frames(&sandbox.path("out/talk/annotated.mp4"), 320, 180))
    };
    let (timeline, pictures) = run_once();
    let (timeline_again, pictures_again) = run_once();
    assert_eq!(timeline, timeline_again);
    assert_eq!(pictures.len(), sandbox.timeline("talk").frames.len());
    let different = pictures.iter().zip(&pictures_again).position(|(one, other)| one != other);
    assert_eq!(different, None, "the first frame that differs");

    // Every line is in order of time, and the badge of the track appears with the frame that is shown when it starts.
    let lines: Vec<Line> = timeline.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<u64> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Frame(frame) => Some(frame.pts),
            Line::Mood(mood) => Some(mood.pts),
            Line::Track(track) => Some(track.pts),
            _ => None,
        })
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let start = sandbox.timeline("talk").tracks.first().expect("a track started").pts;
    // The badge is in the lower left corner.
    let corner = |picture: &[u8]| {
        let rows = picture.chunks_exact(320).skip(170).take(6);
        mean(&rows.flat_map(|row| row[6..40].to_vec()).collect::<Vec<u8>>())
    };
    let mut source = frames(&sandbox.path("talk.mp4"), 320, 180).into_iter();
    let first = pictures.iter().position(|(_, picture)| {
        let (_, original) = source.next().unwrap();
        (corner(picture) - corner(&original)).abs() > 10.0
    });
    let frames = sandbox.timeline("talk").frames;
    let shown = frames.partition_point(|frame| frame.pts <= start).checked_sub(1);
    assert_eq!(first, shown, "started at {start}");
}

#[test]
fn films_of_unusual_recordings_show_their_pictures_in_step() {
    let Some(clip) = media(CLIP) else { return };
    let cases: Option<Vec<_>> =
        ["cut5_grey_film.mp4", "webrtc_resize.webm", "w.ts", "ambi4.mov", "only_apac.mov"]
            .map(|name| media(&format!("cases/{name}")))
            .into_iter()
            .collect();
    let Some(cases) = cases else { return };
    let sandbox = Sandbox::new();
    // Half as wide as it is shown.
    sandbox.transcode(
        "anamorphic.mp4",
        &clip,
        &with_fast_encoding(&["-t", "1", "-vf", "scale=320:360,setsar=2", "-an"]),
    );
    // Sound from 0, pictures from 3 s on.
    let late =
        ["-itsoffset", "3", "-i", clip.to_str().unwrap(), "-map", "1:v", "-map", "0:a", "-c:v", "copy"];
    sandbox.transcode(
        "late.mkv",
        &audio::write_tone(&sandbox.path(""), "tone.wav", 440.0, 5, "happy"),
        &late,
    );
    // The clock of the file begins at an hour.
    sandbox.transcode("hour.flv", &clip, &with_fast_encoding(&["-t", "1", "-output_ts_offset", "3600"]));
    let mut inputs: Vec<&str> = cases.iter().map(|path| path.to_str().unwrap()).collect();
    inputs.extend(["anamorphic.mp4", "late.mkv", "hour.flv"]);
    let output = sandbox.process(&[&inputs[..], &["--overlay", "--jobs", "2"]].concat()).assert_success();
    let film = |session: &str| sandbox.path("out").join(session).join("annotated.mp4");

    let source = frames(&cases[0], 320, 180);
    let drawn = frames(&film("cut5_grey_film"), 320, 180);
    let luma = |frames: &[(f64, Vec<u8>)]| {
        frames.iter().map(|(_, picture)| mean(picture)).sum::<f64>() / frames.len() as f64
    };
    assert!((luma(&source) - luma(&drawn)).abs() < 2.0, "{} {}", luma(&source), luma(&drawn));

    assert_eq!(streams(&sandbox, "webrtc_resize")[0], "h264,640,360");
    let resized = frames(&film("webrtc_resize"), 320, 180);
    for (time, picture) in &resized {
        // The small picture fills the film, too.
        assert!(detail(&picture[..320 * 20], 320) > 0.1, "a black border at {time}");
    }
    assert_eq!(streams(&sandbox, "anamorphic")[0], "h264,640,360");

    for (session, begin) in [("w", 0.0), ("hour", 0.0), ("late", 3.0)] {
        let timeline = sandbox.timeline(session);
        let first = timeline.frames[0].pts as f64 / 1e9;
        assert!((first - begin).abs() < 0.05, "{session}: {first}");
        let film = frames(&film(session), 320, 180);
        for frame in &timeline.frames {
            let time = frame.pts as f64 / 1e9;
            assert!(
                film.iter().any(|(shown, _)| (shown - time).abs() < 0.005),
                "{session}: no frame at {time}"
            );
        }
        let black: Vec<f64> =
            film.iter().filter(|(_, picture)| mean(picture) < 20.0).map(|(time, _)| *time).collect();
        // One black frame stands for the time before the first picture, if that is half a frame or more.
        assert_eq!(black, if first < 0.01 { vec![] } else { vec![0.0] }, "{session}");
        assert_eq!(sandbox.warning_kinds(session), [""; 0], "{session}");
        assert_eq!(streams(&sandbox, session).len(), 2, "{session} has sound");
    }

    assert_eq!(streams(&sandbox, "ambi4")[1], "aac,2");
    // The channels have places (4.0), which GStreamer reads from 1.26 on.
    let mixed: &[&str] = if gst::version() < (1, 26, 0, 0) { &["sound-mixed"] } else { &[] };
    assert_eq!(sandbox.warning_kinds("ambi4"), mixed);
    assert_eq!(streams(&sandbox, "only_apac").len(), 1);
    assert_eq!(sandbox.warning_kinds("only_apac"), ["sound-missing"]);
    assert!(output.stderr.lines().last().unwrap().contains("has no sound"), "the last line\n{output}");
    let page = fs::read_to_string(sandbox.path("out/only_apac/report.html")).unwrap();
    let warning = page.find("has no sound").unwrap();
    assert!(warning < page.find("Over time").unwrap(), "it stands at the top");
    assert_valid("summary.schema.json", &sandbox.path("out/only_apac/summary.json"));
}

#[test]
fn faces_that_are_not_found_are_hidden() {
    let Some(clip) = media("video/two_people.mp4") else { return };
    let sandbox = Sandbox::new();
    let hide = ["--overlay", "--blur-faces"];
    // Heads are not found in a negative.
    let make = |name: &str, filter: &str| {
        let path = sandbox.path(name);
        let mut ffmpeg = command("ffmpeg");
        ffmpeg
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(&clip)
            .args(["-vf", filter, "-an", "-c:v", "libx264"]);
        ffmpeg.args(["-preset", "ultrafast", "-crf", "12"]).arg(&path);
        run(ffmpeg, TIMEOUT).assert_success();
        path
    };
    let negative = make("negative.mp4", "negate=components=y:enable='between(n,20,35)'");
    // A camera that is turned upside down and back, where the heads are not found either at first.
    let turned = make(
        "turned.mp4",
        "rotate=PI:enable='between(n,20,35)',negate=components=y:enable='between(n,36,40)'",
    );
    let inputs = [negative.to_str().unwrap(), turned.to_str().unwrap()];
    sandbox.process(&[&inputs[..], &hide[..], &["--people", "2"]].concat()).assert_success();
    let (source, film) =
        (frames(&negative, 480, 270), frames(&sandbox.path("out/negative/annotated.mp4"), 480, 270));
    let timeline = sandbox.timeline("negative");
    assert_eq!(film.len(), timeline.frames.len());
    assert!(timeline.frames[20..=35].iter().all(|frame| frame.faces.len() < 2));
    // Both heads are hidden there too, where they were last found.
    let mut heads: Vec<Rect> = Vec::new();
    for (index, frame) in timeline.frames.iter().enumerate() {
        if frame.faces.len() == 2 {
            heads = frame.faces.iter().map(|face| face.bbox).collect();
        } else {
            for head in &heads {
                let similarity = similarity(&source[index].1, &film[index].1, (480, 270), head);
                assert!(similarity < 0.5, "frame {index}: {similarity}");
            }
        }
    }
    assert_eq!(sandbox.summary("negative")["complete"], true);

    let (source, film) =
        (frames(&turned, 480, 270), frames(&sandbox.path("out/turned/annotated.mp4"), 480, 270));
    let timeline = sandbox.timeline("turned");
    let shots = |frame: usize| timeline.frames[frame].shot;
    assert!(shots(0) == shots(19) && shots(20) > shots(19) && shots(36) > shots(35));
    let heads: Vec<Rect> = timeline.frames[19].faces.iter().map(|face| face.bbox).collect();
    assert_eq!(heads.len(), 2);
    for (index, frame) in timeline.frames.iter().enumerate().take(41).skip(20) {
        assert!(frame.faces.len() < 2, "frame {index}");
        for head in &heads {
            let upside_down = Rect { x: 1.0 - head.x - head.w, y: 1.0 - head.y - head.h, ..*head };
            let head = if index < 36 { upside_down } else { *head };
            let similarity = similarity(&source[index].1, &film[index].1, (480, 270), &head);
            assert!(similarity < 0.5, "frame {index}: {similarity}");
        }
    }

    // The notes say the same as the option, so the film is made already.
    fs::copy(&clip, sandbox.path("two_people.mp4")).unwrap();
    fs::write(sandbox.path("two_people.toml"), "people = 1\n").unwrap();
    let arguments = [&["two_people.mp4"], &hide[..], &["-o", "noted"]].concat();
    let run_again =
        || run(sandbox.command(&[&["process"], &arguments[..]].concat()), TIMEOUT).assert_success();
    run_again();
    assert!(run_again().stdout.contains("finished before"));
    // Where the third is, is never known, so every frame is hidden, and the run says so.
    fs::write(sandbox.path("two_people.toml"), "people = 3\n").unwrap();
    assert!(!run_again().stdout.contains("finished before"));
    let path = sandbox.path("noted/two_people/summary.json");
    let summary: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let warnings = summary["warnings"].as_array().unwrap();
    let unverified = warnings.iter().find(|warning| warning["kind"] == "unverified-faces");
    assert_eq!(unverified.unwrap()["share"], 1.0, "{summary}");
    assert_valid("summary.schema.json", &path);
}

#[test]
fn behind_a_cut_and_in_a_cross_fade_faces_are_hidden_until_they_are_found() {
    let (Some(one), Some(two)) = (media(CLIP), media("video/two_people.mp4")) else { return };
    let sandbox = Sandbox::new();
    // Two people follow on one, where nobody is; in a negative their heads are hardly found.
    let make = |name: &str, join: &str| {
        let part = "setpts=PTS-STARTPTS,fps=24,scale=480:270,setsar=1,format=yuv420p,settb=1/24";
        let graph = format!(
            "[0:v]trim=duration=1.2,{part}[one];\
             [1:v]trim=duration=0.8,{part},negate=components=y:enable='lt(n,4)'[two];[one][two]{join}"
        );
        let path = sandbox.path(name);
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-i"]).arg(&one).arg("-i").arg(&two);
        ffmpeg.args(["-filter_complex", &graph, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "12"]);
        ffmpeg.arg(&path);
        run(ffmpeg, TIMEOUT).assert_success();
        path
    };
    // The other recording begins with frame 29; in the cross-fade, of frames 17 to 28, most is seen of it from frame 23 on.
    let recordings = [
        ("cut", make("cut.mp4", "concat"), 29),
        ("fade", make("fade.mp4", "xfade=duration=0.5:offset=0.7"), 23),
    ];
    let inputs: Vec<&str> = recordings.iter().map(|(_, path, _)| path.to_str().unwrap()).collect();
    sandbox.process(&[&inputs[..], &["--overlay", "--blur-faces"]].concat()).assert_success();
    for (name, path, begin) in recordings {
        // Nobody has said how many people there are.
        let summary = sandbox.summary(name);
        let warnings = summary["warnings"].as_array().unwrap();
        let unverified = warnings.iter().find(|warning| warning["kind"] == "unverified-faces").unwrap();
        assert!(unverified["text"].as_str().unwrap().contains("never found"), "{summary}");
        let source = frames(&path, 480, 270);
        let film = frames(&sandbox.path("out").join(name).join("annotated.mp4"), 480, 270);
        let timeline = sandbox.timeline(name);
        let shot = timeline.frames.last().unwrap().shot;
        let found = timeline.frames.iter().position(|frame| frame.faces.len() == 2 && frame.shot == shot);
        let found = found.unwrap_or_else(|| panic!("{name}: both are found"));
        assert!(found > begin, "{name}: {found}");
        let heads: Vec<Rect> = timeline.frames[found].faces.iter().map(|face| face.bbox).collect();
        for index in begin..found {
            for head in &heads {
                let similarity = similarity(&source[index].1, &film[index].1, (480, 270), head);
                assert!(similarity < 0.5, "{name}, frame {index}: {similarity}");
            }
        }
    }
}

#[test]
fn an_interrupted_film_is_finished_or_removed() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    sandbox.make_long_recording(&clip);
    let running = RunningProcess::start(sandbox.command(&["process", "-o", "out", "long.mkv", "--overlay"]));
    let part = sandbox.path("out/long/annotated.mp4.part");
    let deadline = std::time::Instant::now() + TIMEOUT;
    while !part.exists() {
        assert!(std::time::Instant::now() < deadline, "the second pass begins");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The muxer writes the file at the end, so that it does not show how far the film is.
    std::thread::sleep(std::time::Duration::from_millis(300));
    running.signal("INT");
    let output = running.wait(TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("interrupted"), "{output}");
    let names = sandbox.file_names("long");
    assert!(names.iter().all(|name| !name.ends_with(".part")), "{names:?}");
    assert_eq!(streams(&sandbox, "long").len(), 2, "it can be played");
    let summary = sandbox.summary("long");
    assert!(summary["made_from"].is_null() && summary["complete"] == false, "{summary}");
    assert!(sandbox.timeline("long").end.is_some(), "the timeline is complete");
}

/// Sounds that reach the mixer in any order are taken: `cargo test --release --workspace --test process_film -- --ignored`.
#[test]
#[ignore = "takes half a minute; it looks for a race"]
fn music_and_sound_are_mixed_in_every_one_of_many_runs() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    audio::make_library(&sandbox.path("music"));
    fs::create_dir(sandbox.path("clips")).unwrap();
    sandbox.transcode("clips/0.mp4", &clip, &with_fast_encoding(&["-t", "0.4"]));
    for copy in 1..120 {
        fs::copy(sandbox.path("clips/0.mp4"), sandbox.path(&format!("clips/{copy}.mp4"))).unwrap();
    }
    sandbox.process(&["clips", "--overlay", "--library", "music", "--jobs", "2"]).assert_success();
    for copy in 0..120 {
        assert_eq!(streams(&sandbox, &copy.to_string()).len(), 2, "{copy}");
    }
}
