//! `gst-mood process` on people who leave and return: who is who, for how much of the time they were found, and what was
//! too small to be searched for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use mood_tests::process::TIMEOUT;
use mood_tests::sandbox::{FAST_ENCODING, Sandbox};
use mood_tests::{command, media, run};
use serde_json::Value;

/// A talking head, about 2.4 s.
const CLIP: &str = "video/single_face.mp4";

/// Makes the recording `name`: the clip's face, nothing for `gap` seconds, and the face again, later in the clip and as
/// the ffmpeg filters `later` show it. It has 10 frames a second.
fn make_gap(sandbox: &Sandbox, clip: &Path, name: &str, gap: u32, later: &str) {
    let filters = format!(
        "[0:v]fps=10,format=yuv420p,setsar=1,split[a][b];[a]trim=0:1.2,setpts=PTS-STARTPTS[first];\
         [b]trim=1.2:2.4,setpts=PTS-STARTPTS,{later},setsar=1[second];\
         color=black:s=640x360:r=10:d={gap},format=yuv420p,setsar=1[gap];[first][gap][second]concat=n=3:v=1"
    );
    let arguments = [&["-filter_complex", &filters, "-an"][..], &FAST_ENCODING].concat();
    sandbox.transcode(name, clip, &arguments);
}

/// Shows the face mirrored, narrower and with other grey values: alike, but not clearly the same person.
const ALTERED: &str = "hflip,scale=560:360,pad=640:360:40:0,curves=all='0/0 0.35/0.6 1/1'";

/// The ids of the people of a session.
fn ids(sandbox: &Sandbox, session: &str) -> Vec<u64> {
    let summary = sandbox.summary(session);
    let mut ids: Vec<u64> =
        summary["subjects"].as_array().unwrap().iter().map(|person| person["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// The text of a session's warning of a kind.
fn warning(sandbox: &Sandbox, session: &str, kind: &str) -> Option<String> {
    let summary = sandbox.summary(session);
    let warnings = summary["warnings"].as_array().unwrap().iter();
    let mut texts = warnings.filter(|warning| warning["kind"] == kind).map(|warning| &warning["text"]);
    texts.next().and_then(Value::as_str).map(str::to_owned)
}

#[test]
fn a_face_that_was_gone_for_a_while_is_the_same_person() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    let gaps = [1, 3, 6, 12];
    let names = gaps.map(|gap| format!("gap{gap}.mp4"));
    for (gap, name) in gaps.iter().zip(&names) {
        make_gap(&sandbox, &clip, name, *gap, "null");
    }
    let output = sandbox.process(&names.each_ref().map(String::as_str)).assert_success();
    for gap in gaps {
        let session = format!("gap{gap}");
        assert_eq!(ids(&sandbox, &session), [1], "{session}");
        let share = sandbox.summary(&session)["face_share"].as_f64().unwrap();
        assert!((share - 2.4 / (2.4 + f64::from(gap))).abs() < 0.06, "{session}: {share}");
    }
    // The page begins with what is missing, and the run ends with it.
    let text = warning(&sandbox, "gap12", "seldom-found").unwrap();
    assert!(text.starts_with("the face of Person 1 was found 1") && output.stderr.contains(&text), "{text}");
    let page = fs::read_to_string(sandbox.path("out/gap12/report.html")).unwrap();
    let [lead, overview] = ["class=\"lead\"", "class=\"said\""].map(|part| page.find(part).unwrap());
    assert!(lead < overview && !page.contains("in view"));
    assert!(warning(&sandbox, "gap1", "small-faces").is_none());
}

#[test]
fn how_many_people_there_are_decides_who_returns_and_merging_later_is_as_good() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    make_gap(&sandbox, &clip, "plain.mp4", 2, ALTERED);
    for copy in ["option.mp4", "notes.mp4", "merged.mp4", "film7.mp4"] {
        fs::copy(sandbox.path("plain.mp4"), sandbox.path(copy)).unwrap();
    }
    fs::write(sandbox.path("notes.mp4.toml"), "people = 1").unwrap();
    sandbox.process(&["plain.mp4", "notes.mp4"]).assert_success();
    sandbox.process(&["option.mp4", "--people", "1"]).assert_success();
    assert_eq!(ids(&sandbox, "plain"), [1, 2]);
    assert_eq!(ids(&sandbox, "option"), [1]);
    assert_eq!(ids(&sandbox, "notes"), [1]);

    // Merged from the start, and when the session was there already.
    let results = ["report.html", "timeline.jsonl", "timeline.csv", "session.vtt", "summary.json"];
    let read = |session: &str, name: &str| {
        let text = fs::read_to_string(sandbox.path("out").join(session).join(name)).unwrap();
        // What differs between two copies of a recording.
        let input = sandbox.summary(session)["made_from"]["input"]["name"].as_str().unwrap().to_owned();
        text.replace(&input, "INPUT").replace(session, "SESSION")
    };
    let merge = ["--merge", "1,2"];
    sandbox.process(&[&["plain.mp4", "merged.mp4"], &merge[..]].concat()).assert_success();
    for name in results {
        assert_eq!(read("plain", name), read("merged", name), "{name}");
    }
    assert_eq!(ids(&sandbox, "plain"), [1]);

    // The film is drawn again with the ids of the report.
    let film = |session: &str| {
        let mut ffmpeg = command("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(sandbox.path("out").join(session).join("annotated.mp4"));
        ffmpeg.args(["-map", "0:v", "-f", "md5", "-"]);
        run(ffmpeg, TIMEOUT).assert_success().stdout
    };
    sandbox.process(&["film7.mp4", "--overlay"]).assert_success();
    let before = film("film7");
    sandbox.process(&[&["film7.mp4", "merged.mp4", "--overlay"], &merge[..]].concat()).assert_success();
    assert_ne!(film("film7"), before);
    assert_eq!(film("film7"), film("merged"));
    assert_eq!(read("film7", "report.html"), read("merged", "report.html"));
}

#[test]
fn faces_that_are_too_small_to_be_searched_for_are_named_with_what_finds_them() {
    let Some(clip) = media(CLIP) else { return };
    let sandbox = Sandbox::new();
    // Faces of 60 pixels and more are searched for; this one is smaller.
    let filters = "fps=5,scale=144:80,pad=1280:720:500:300:gray";
    let arguments = [&["-vf", filters, "-an"][..], &FAST_ENCODING].concat();
    sandbox.transcode("far.mp4", &clip, &arguments);
    sandbox.transcode("photo.png", &clip, &["-vf", filters, "-frames:v", "1"]);
    let output = sandbox.process(&["far.mp4", "photo.png"]).assert_success();
    assert!(warning(&sandbox, "photo", "small-faces").unwrap().contains("1 of 1 frames"));
    let text = warning(&sandbox, "far", "small-faces").expect("a warning");
    assert!(
        text.contains("smaller than the 60 pixels searched for") && output.stderr.contains(&text),
        "{text}"
    );
    assert_eq!(sandbox.summary("far")["face_share"], 0.0);
    let limit = text.split("--min-face ").nth(1).unwrap().split(' ').next().unwrap();
    sandbox.process(&["far.mp4", "--min-face", limit]).assert_success();
    assert!(sandbox.summary("far")["face_share"].as_f64().unwrap() > 0.9, "{limit}");
    assert_eq!(warning(&sandbox, "far", "small-faces"), None);
}
