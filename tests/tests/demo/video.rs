//! The annotated video: its streams, and what is drawn around the face.

use mood_schema::{Rect, TrackEvent};
use mood_tests::Timeline;

use crate::{FRAMES, FRAMES_PER_SECOND, SECONDS, demo, parse_seconds, probe_streams, run_tool};

/// Frame width, pixels.
const WIDTH: usize = 640;
/// Frame height, pixels.
const HEIGHT: usize = 360;

#[test]
fn video_and_audio_are_as_long_as_the_script() {
    let streams = probe_streams("annotated.mp4");
    let kind = |kind: &str| streams.iter().filter(|stream| stream["codec_type"] == kind).collect::<Vec<_>>();
    let (video, audio) = (kind("video"), kind("audio"));
    assert_eq!((streams.len(), video.len(), audio.len()), (2, 1, 1), "{streams:?}");
    assert_eq!((&video[0]["codec_name"], &audio[0]["codec_name"]), (&"h264".into(), &"aac".into()));
    assert_eq!((&video[0]["width"], &video[0]["height"]), (&WIDTH.into(), &HEIGHT.into()));
    assert_eq!(video[0]["nb_frames"].as_str(), Some(FRAMES.to_string().as_str()));
    for stream in [video[0], audio[0]] {
        assert!((parse_seconds(&stream["duration"]) - SECONDS).abs() < 0.2, "{stream}");
        assert!(parse_seconds(&stream["start_time"]).abs() < 0.1, "{stream}");
    }
}

/// One frame per second of a video, as luma.
fn luma_frames(file: &str) -> Vec<Vec<u8>> {
    let select = format!("select=not(mod(n\\,{FRAMES_PER_SECOND}))");
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("grey.raw");
    let out = raw.to_str().unwrap();
    run_tool(
        "ffmpeg",
        &["-i", file, "-an", "-vf", &select, "-vsync", "0", "-pix_fmt", "gray", "-f", "rawvideo", out],
    );
    let bytes = std::fs::read(&raw).unwrap();
    bytes.chunks_exact(WIDTH * HEIGHT).map(<[u8]>::to_vec).collect()
}

/// Mean absolute difference of two frames over the pixels, given as shares of width and height, that `is_inside` selects.
fn mean_difference(a: &[u8], b: &[u8], is_inside: impl Fn(f64, f64) -> bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for (index, (a, b)) in a.iter().zip(b).enumerate() {
        let (x, y) = (index % WIDTH, index / WIDTH);
        if is_inside((x as f64 + 0.5) / WIDTH as f64, (y as f64 + 0.5) / HEIGHT as f64) {
            sum += f64::from(a.abs_diff(*b));
            count += 1;
        }
    }
    assert!(count > 0, "nothing to compare");
    sum / f64::from(count)
}

/// The rectangle, larger by a number of pixels on every side.
fn grow(rect: Rect, pixels: f64) -> Rect {
    let (x, y) = (pixels / WIDTH as f64, pixels / HEIGHT as f64);
    Rect { x: rect.x - x, y: rect.y - y, w: rect.w + 2.0 * x, h: rect.h + 2.0 * y }
}

/// Whether a point is in a rectangle.
fn contains(rect: &Rect, x: f64, y: f64) -> bool {
    (rect.x..rect.x + rect.w).contains(&x) && (rect.y..rect.y + rect.h).contains(&y)
}

#[test]
fn box_and_text_are_drawn_around_the_face_and_not_over_it() {
    let (plain, drawn) = (luma_frames("material/actor.mp4"), luma_frames("annotated.mp4"));
    assert_eq!((plain.len(), drawn.len()), (SECONDS as usize, SECONDS as usize));
    let timeline = Timeline::read(&demo().join("timeline.jsonl"));
    for (second, (plain, drawn)) in plain.iter().zip(&drawn).enumerate() {
        let frame = &timeline.frames[second * FRAMES_PER_SECOND as usize];
        let Some(face) = frame.faces.first() else { continue };
        let (edge, inner, outer) = (grow(face.bbox, 3.0), grow(face.bbox, -3.0), grow(face.bbox, 40.0));
        let on_edge = mean_difference(plain, drawn, |x, y| contains(&edge, x, y) && !contains(&inner, x, y));
        let around = mean_difference(plain, drawn, |x, y| contains(&outer, x, y) && !contains(&edge, x, y));
        let middle = grow(face.bbox, -0.25 * face.bbox.w * WIDTH as f64);
        let inside = mean_difference(plain, drawn, |x, y| contains(&middle, x, y));
        println!("{second:>2} s: box {on_edge:.1}, around {around:.1}, inside {inside:.1}");
        assert!(on_edge > 10.0, "no box at {second} s: {on_edge}");
        assert!(around > 3.0, "no text around the face at {second} s: {around}");
        assert!(inside < 6.0, "something is drawn over the face at {second} s: {inside}");
    }
}

#[test]
fn the_title_of_the_track_is_drawn_in_the_corner_while_it_plays() {
    let (plain, drawn) = (luma_frames("material/actor.mp4"), luma_frames("annotated.mp4"));
    let music = Timeline::read(&demo().join("music.jsonl"));
    let first_start = music.track_events(TrackEvent::Started)[0].pts as f64 / 1e9;
    for (second, (plain, drawn)) in plain.iter().zip(&drawn).enumerate() {
        let title = mean_difference(plain, drawn, |x, y| x < 0.2 && y > 0.93);
        // The player reports its tracks up to about a second before or after the frame.
        let since_start = second as f64 - first_start;
        assert!(
            since_start.abs() < 1.5 || (title > 5.0) == (since_start > 0.0),
            "at {second} s: difference {title}, music from {first_start} s on"
        );
    }
}
