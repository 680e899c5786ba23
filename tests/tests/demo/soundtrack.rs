//! The samples of the soundtrack: as long as the video, without silence after the first start, without clicks.

use mood_schema::TrackEvent;
use mood_tests::{Timeline, audio};

use crate::{SECONDS, demo, parse_seconds, probe_streams, run_tool};

/// Sample rate at which ffmpeg decodes, hertz.
const RATE: usize = 48_000;

/// The samples of the left and of the right channel of a file.
fn decode_channels(file: &str) -> [Vec<f32>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("audio.raw");
    let out = raw.to_str().unwrap();
    run_tool("ffmpeg", &["-i", file, "-vn", "-ac", "2", "-ar", "48000", "-f", "f32le", out]);
    let samples = audio::read_samples(&raw);
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}

/// The position at which the first track starts, samples.
fn first_start() -> usize {
    let music = Timeline::read(&demo().join("music.jsonl"));
    let pts = music.track_events(TrackEvent::Started).first().expect("a track").pts;
    (pts as f64 / 1e9 * RATE as f64) as usize
}

#[test]
fn the_soundtrack_is_vorbis_and_as_long_as_the_video() {
    let streams = probe_streams("soundtrack.ogg");
    assert_eq!(streams.len(), 1, "{streams:?}");
    assert_eq!(streams[0]["codec_name"], "vorbis");
    assert!((parse_seconds(&streams[0]["duration"]) - SECONDS).abs() < 0.2, "{streams:?}");
    for channel in decode_channels("soundtrack.ogg") {
        // Lost blocks would make it shorter.
        assert!((channel.len() as f64 / RATE as f64 - SECONDS).abs() < 0.03, "{}", channel.len());
    }
}

#[test]
fn the_music_is_not_silent_after_the_first_start() {
    let start = first_start();
    assert!(start < 4 * RATE, "{start}");
    for channel in decode_channels("soundtrack.ogg") {
        let music = &channel[start..];
        let silence = audio::longest_silence(music, 1e-4) as f64 / RATE as f64;
        println!("level {:.3}, longest silence {silence:.4} s", audio::rms(music));
        assert!(audio::rms(music) > 0.02, "{}", audio::rms(music));
        assert!(silence < 0.05, "{silence} s");
        for (second, samples) in music.chunks_exact(RATE).enumerate() {
            assert!(audio::rms(samples) > 0.003, "second {second} after the first track's start");
        }
        assert!(channel.iter().all(|x| x.abs() <= 1.0));
    }
}

#[test]
fn the_soundtrack_has_no_clicks() {
    for channel in decode_channels("soundtrack.ogg") {
        let step = audio::largest_step(&channel);
        println!("largest step {step:.3}");
        assert!(step < 0.3, "{step}");
    }
}

#[test]
fn the_packets_of_the_annotated_video_have_no_gaps() {
    for (file, stream) in [("annotated.mp4", "a:0"), ("annotated.mp4", "v:0")] {
        let entries = ["-select_streams", stream, "-show_entries", "packet=pts_time,duration_time", "-of"];
        let output = run_tool("ffprobe", &[&entries[..], &["csv=p=0", file]].concat());
        let mut packets: Vec<(f64, f64)> = output.stdout.lines().filter_map(parse_packet).collect();
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

/// Timestamp and duration of a packet, seconds, from a line of ffprobe's.
fn parse_packet(line: &str) -> Option<(f64, f64)> {
    let mut fields = line.split(',').map(|field| field.parse().ok());
    Some((fields.next()??, fields.next()??))
}
