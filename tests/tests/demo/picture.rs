//! The annotated film: its streams, and the drawing around the face.

use mood_schema::{Rect, TrackEvent};
use mood_tests::Timeline;

use crate::{FRAMES, FRAMES_PER_SECOND, SECONDS, demo, seconds, streams, tool};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

#[test]
fn it_has_picture_and_sound_of_the_script_s_length() {
    let streams = streams("annotated.mp4");
    let kind = |kind: &str| streams.iter().filter(|stream| stream["codec_type"] == kind).collect::<Vec<_>>();
    let (video, audio) = (kind("video"), kind("audio"));
    assert_eq!((streams.len(), video.len(), audio.len()), (2, 1, 1), "{streams:?}");
    assert_eq!((&video[0]["codec_name"], &audio[0]["codec_name"]), (&"h264".into(), &"aac".into()));
    assert_eq!((&video[0]["width"], &video[0]["height"]), (&WIDTH.into(), &HEIGHT.into()));
    assert_eq!(video[0]["nb_frames"].as_str(), Some(FRAMES.to_string().as_str()));
    for stream in [video[0], audio[0]] {
        assert!((seconds(&stream["duration"]) - SECONDS).abs() < 0.2, "{stream}");
        assert!(seconds(&stream["start_time"]).abs() < 0.1, "{stream}");
    }
}

/// One grey picture a second.
fn pictures(file: &str) -> Vec<Vec<u8>> {
    let select = format!("select=not(mod(n\\,{FRAMES_PER_SECOND}))");
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("grey.raw");
    let out = raw.to_str().unwrap();
    tool(
        "ffmpeg",
        &["-i", file, "-an", "-vf", &select, "-vsync", "0", "-pix_fmt", "gray", "-f", "rawvideo", out],
    );
    let bytes = std::fs::read(&raw).unwrap();
    bytes.chunks_exact(WIDTH * HEIGHT).map(<[u8]>::to_vec).collect()
}

/// Mean difference of two pictures where `within` says.
fn difference(a: &[u8], b: &[u8], within: impl Fn(f64, f64) -> bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for (index, (a, b)) in a.iter().zip(b).enumerate() {
        let (x, y) = (index % WIDTH, index / WIDTH);
        if within((x as f64 + 0.5) / WIDTH as f64, (y as f64 + 0.5) / HEIGHT as f64) {
            sum += f64::from(a.abs_diff(*b));
            count += 1;
        }
    }
    assert!(count > 0, "nothing to compare");
    sum / f64::from(count)
}

/// The rectangle, larger by `by` pixels on every side.
fn grown(rect: Rect, by: f64) -> Rect {
    let (x, y) = (by / WIDTH as f64, by / HEIGHT as f64);
    Rect { x: rect.x - x, y: rect.y - y, w: rect.w + 2.0 * x, h: rect.h + 2.0 * y }
}

fn holds(rect: &Rect, x: f64, y: f64) -> bool {
    (rect.x..rect.x + rect.w).contains(&x) && (rect.y..rect.y + rect.h).contains(&y)
}

#[test]
fn a_box_and_words_are_drawn_around_the_face_and_none_upon_it() {
    let (plain, drawn) = (pictures("material/actor.mp4"), pictures("annotated.mp4"));
    assert_eq!((plain.len(), drawn.len()), (SECONDS as usize, SECONDS as usize));
    let timeline = Timeline::read(&demo().join("timeline.jsonl"));
    for (second, (plain, drawn)) in plain.iter().zip(&drawn).enumerate() {
        let frame = &timeline.frames[second * FRAMES_PER_SECOND as usize];
        let Some(face) = frame.faces.first() else { continue };
        let (edge, inner, outer) = (grown(face.bbox, 3.0), grown(face.bbox, -3.0), grown(face.bbox, 40.0));
        let on_edge = difference(plain, drawn, |x, y| holds(&edge, x, y) && !holds(&inner, x, y));
        let around = difference(plain, drawn, |x, y| holds(&outer, x, y) && !holds(&edge, x, y));
        let middle = grown(face.bbox, -0.25 * face.bbox.w * WIDTH as f64);
        let inside = difference(plain, drawn, |x, y| holds(&middle, x, y));
        println!("{second:>2} s: box {on_edge:.1}, around {around:.1}, inside {inside:.1}");
        assert!(on_edge > 10.0, "no box at {second} s: {on_edge}");
        assert!(around > 3.0, "no words around the face at {second} s: {around}");
        assert!(inside < 6.0, "the face itself stays at {second} s: {inside}");
    }
}

#[test]
fn the_music_s_title_stands_in_the_corner_once_it_plays() {
    let (plain, drawn) = (pictures("material/actor.mp4"), pictures("annotated.mp4"));
    let music = Timeline::read(&demo().join("music.jsonl"));
    let begins = music.events(TrackEvent::Started)[0].pts as f64 / 1e9;
    for (second, (plain, drawn)) in plain.iter().zip(&drawn).enumerate() {
        let title = difference(plain, drawn, |x, y| x < 0.2 && y > 0.93);
        // The player tells of its tracks about a second ahead of or behind the picture.
        let at = second as f64 - begins;
        assert!(
            at.abs() < 1.5 || (title > 5.0) == (at > 0.0),
            "at {second} s: {title}, music from {begins} s on"
        );
    }
}
