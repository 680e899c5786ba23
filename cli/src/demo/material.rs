//! The demo's input as files: the actor as an H.264 video, the music as tagged FLAC.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gst::prelude::*;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::{Accessor, ItemKey, Tag, TagType};
use mood_demo::Actor;
use mood_demo::music::{self, Piece};

use crate::error::CommandError;
use crate::files::partial_path;
use crate::pipeline;
use crate::progress::Progress;

/// Width of the actor's video, pixels.
const WIDTH: u32 = 640;
/// Height of the actor's video, pixels.
const HEIGHT: u32 = 360;
/// Frame rate of the actor's video, frames a second.
const FRAME_RATE: u32 = 25;
/// Channels of the music, interleaved.
const CHANNELS: usize = 2;
/// Samples (per channel) in one buffer of audio: 100 ms.
const BUFFER_SAMPLES: usize = 4800;

/// Bytes, timestamp and duration of a buffer.
type MediaBuffer = (Vec<u8>, gst::ClockTime, gst::ClockTime);

/// Encodes the actor's whole script into the file `path`; returns its duration.
pub fn write_actor_video(path: &Path) -> Result<Duration, CommandError> {
    let actor = Actor::new(WIDTH, HEIGHT).map_err(|error| CommandError::Failed(error.to_string()))?;
    let duration = actor.duration();
    let frame_count = (duration.as_secs_f64() * f64::from(FRAME_RATE)) as u64;
    let frame_duration = gst::ClockTime::SECOND / u64::from(FRAME_RATE);
    let frames = (0..frame_count).map(move |index| {
        let pts = frame_duration * index;
        (actor.render(pts.into()), pts, frame_duration)
    });
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "RGBA")
        .field("width", WIDTH as i32)
        .field("height", HEIGHT as i32)
        .field("framerate", gst::Fraction::new(FRAME_RATE as i32, 1))
        .build();
    let encoder = "videoconvert ! video/x-raw,format=I420 ! x264enc pass=qual speed-preset=veryfast ! h264parse ! mp4mux";
    let progress = Progress::start("filming the actor", duration.as_millis() as u64);
    encode(encoder, &caps, frames, path, &progress)?;
    progress.finish(Some(duration));
    Ok(duration)
}

/// Encodes the pieces of music into `folder`, each a FLAC file with title, artist and mood tags.
pub fn write_music(folder: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(folder).map_err(|error| CommandError::io(folder, &error))?;
    let pieces = music::pieces();
    let duration: Duration = pieces.iter().map(Piece::duration).sum();
    let progress = Progress::start("recording the music", duration.as_millis() as u64);
    for piece in pieces {
        let path = folder.join(piece.slug).with_extension("flac");
        write_piece(piece, &path, &progress)?;
        write_tags(piece, &path)?;
    }
    progress.finish(Some(duration));
    Ok(())
}

/// Encodes a piece into the FLAC file `path`.
fn write_piece(piece: &Piece, path: &Path, progress: &Progress) -> Result<(), CommandError> {
    let samples = piece.render();
    let rate = u64::from(music::SAMPLE_RATE);
    let to_time = |samples: u64| gst::ClockTime::SECOND.mul_div_floor(samples, rate).unwrap_or_default();
    let mut position = 0;
    let buffers: Vec<_> = samples
        .chunks(CHANNELS * BUFFER_SAMPLES)
        .map(|block| {
            let length = (block.len() / CHANNELS) as u64;
            let pts = to_time(position);
            position += length;
            (block.iter().flat_map(|sample| sample.to_le_bytes()).collect(), pts, to_time(length))
        })
        .collect();
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "F32LE")
        .field("layout", "interleaved")
        .field("rate", music::SAMPLE_RATE as i32)
        .field("channels", CHANNELS as i32)
        .build();
    encode("audioconvert ! flacenc", &caps, buffers.into_iter(), path, progress)
}

/// Writes title, artist and mood into the tags of the FLAC file `path`.
fn write_tags(piece: &Piece, path: &Path) -> Result<(), CommandError> {
    let failed = |reason: String| CommandError::Failed(format!("{}: {reason}", path.display()));
    let mut file = lofty::read_from_path(path).map_err(|error| failed(error.to_string()))?;
    let mut tag = Tag::new(TagType::VorbisComments);
    tag.set_title(piece.title.into());
    tag.set_artist("gst-mood".into());
    tag.insert_text(ItemKey::Mood, piece.mood.into());
    file.insert_tag(tag);
    file.save_to_path(path, WriteOptions::default()).map_err(|error| failed(error.to_string()))
}

/// Sends `buffers` of the format `caps` through `encoder`, in gst-launch's notation, into the file `path`.
fn encode(
    encoder: &str,
    caps: &gst::Caps,
    buffers: impl Iterator<Item = MediaBuffer> + Send,
    path: &Path,
    progress: &Progress,
) -> Result<(), CommandError> {
    let partial = partial_path(path);
    let pipeline =
        pipeline::parse(&format!("appsrc name=in format=time block=true ! {encoder} ! filesink name=out"))?;
    pipeline::element(&pipeline, "out")?.set_property("location", &partial);
    let source = pipeline::element(&pipeline, "in")?;
    let source =
        source.downcast::<gst_app::AppSrc>().map_err(|_| CommandError::Failed("no appsrc".into()))?;
    source.set_caps(Some(caps));
    let encoded = std::thread::scope(|scope| {
        scope.spawn(|| {
            for (bytes, pts, duration) in buffers {
                let mut buffer = gst::Buffer::from_mut_slice(bytes);
                if let Some(buffer) = buffer.get_mut() {
                    buffer.set_pts(pts);
                    buffer.set_duration(duration);
                }
                // The pipeline has failed; its bus has the reason.
                if source.push_buffer(buffer).is_err() {
                    return;
                }
            }
            let _ = source.end_of_stream();
        });
        pipeline::run(&pipeline, progress)
    });
    if encoded.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
    }
    encoded?;
    fs::rename(&partial, path).map_err(|error| CommandError::io(path, &error))
}
