//! The soundtrack as samples: as long as the film, never silent once it has begun, and without a click.

use mood_schema::TrackEvent;
use mood_tests::{Timeline, sound};

use crate::{SECONDS, demo, seconds, streams, tool};

/// Samples a second asked of ffmpeg.
const RATE: usize = 48_000;

/// The left channel, and the right.
fn channels(file: &str) -> [Vec<f32>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("audio.raw");
    let out = raw.to_str().unwrap();
    tool("ffmpeg", &["-i", file, "-vn", "-ac", "2", "-ar", "48000", "-f", "f32le", out]);
    let samples = sound::samples(&raw);
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}

/// When the first track starts, in samples.
fn first_track() -> usize {
    let music = Timeline::read(&demo().join("music.jsonl"));
    let pts = music.events(TrackEvent::Started).first().expect("a track").pts;
    (pts as f64 / 1e9 * RATE as f64) as usize
}

#[test]
fn it_is_vorbis_and_as_long_as_the_film() {
    let streams = streams("soundtrack.ogg");
    assert_eq!(streams.len(), 1, "{streams:?}");
    assert_eq!(streams[0]["codec_name"], "vorbis");
    assert!((seconds(&streams[0]["duration"]) - SECONDS).abs() < 0.2, "{streams:?}");
    for channel in channels("soundtrack.ogg") {
        // Lost blocks would make it shorter.
        assert!((channel.len() as f64 / RATE as f64 - SECONDS).abs() < 0.03, "{}", channel.len());
    }
}

#[test]
fn music_sounds_from_the_first_track_on() {
    let begins = first_track();
    assert!(begins < 4 * RATE, "{begins}");
    for channel in channels("soundtrack.ogg") {
        let heard = &channel[begins..];
        let silence = sound::longest_silence(heard, 1e-4) as f64 / RATE as f64;
        println!("level {:.3}, longest silence {silence:.4} s", sound::level(heard));
        assert!(sound::level(heard) > 0.02, "{}", sound::level(heard));
        assert!(silence < 0.05, "{silence} s");
        for (second, samples) in heard.chunks_exact(RATE).enumerate() {
            assert!(sound::level(samples) > 0.003, "second {second} after the first track's start");
        }
        assert!(channel.iter().all(|x| x.abs() <= 1.0));
    }
}

#[test]
fn nothing_clicks() {
    for channel in channels("soundtrack.ogg") {
        let step = sound::largest_step(&channel);
        println!("largest step {step:.3}");
        assert!(step < 0.3, "{step}");
    }
}

#[test]
fn the_film_s_packets_follow_each_other_without_gaps() {
    for (file, stream) in [("annotated.mp4", "a:0"), ("annotated.mp4", "v:0")] {
        let entries = ["-select_streams", stream, "-show_entries", "packet=pts_time,duration_time", "-of"];
        let done = tool("ffprobe", &[&entries[..], &["csv=p=0", file]].concat());
        let mut packets: Vec<(f64, f64)> = done.stdout.lines().filter_map(packet).collect();
        packets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(packets.len() > 500, "{file} {stream}: {}", packets.len());
        for pair in packets.windows(2) {
            let [(pts, duration), (next, _)] = [pair[0], pair[1]];
            assert!(
                (pts + duration - next).abs() < 0.005,
                "{file} {stream}: {pts} + {duration}, then {next}"
            );
        }
    }
}

fn packet(line: &str) -> Option<(f64, f64)> {
    let mut fields = line.split(',').map(|field| field.parse().ok());
    Some((fields.next()??, fields.next()??))
}
