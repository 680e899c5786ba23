//! The demo's input as real files: the actor as an H.264 video, the music as tagged FLAC.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gst::prelude::*;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::{Accessor, ItemKey, Tag, TagType};
use mood_demo::Actor;
use mood_demo::music::{self, Piece};

use crate::failure::Failure;
use crate::folder::part_of;
use crate::pipeline;
use crate::progress::Progress;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const FRAMES_PER_SECOND: u32 = 25;
/// Frames a buffer of audio.
const AUDIO_BLOCK: usize = 4800;

/// Films the actor into `path`; returns how long the film is.
pub fn film(path: &Path) -> Result<Duration, Failure> {
    let actor = Actor::new(WIDTH, HEIGHT).map_err(|error| Failure::Work(error.to_string()))?;
    let length = actor.duration();
    let frames = (length.as_secs_f64() * f64::from(FRAMES_PER_SECOND)) as u64;
    let frame_time = gst::ClockTime::SECOND / u64::from(FRAMES_PER_SECOND);
    let pictures = (0..frames).map(move |index| {
        let pts = frame_time * index;
        (actor.render(pts.into()), pts, frame_time)
    });
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "RGBA")
        .field("width", WIDTH as i32)
        .field("height", HEIGHT as i32)
        .field("framerate", gst::Fraction::new(FRAMES_PER_SECOND as i32, 1))
        .build();
    let encoder =
        "videoconvert ! video/x-raw,format=I420 ! x264enc speed-preset=veryfast ! h264parse ! mp4mux";
    let progress = Progress::start("filming the actor", length.as_millis() as u64);
    encode(encoder, &caps, pictures, path, &progress)?;
    progress.finish(Some(length));
    Ok(length)
}

/// Plays the pieces into `folder`, each a FLAC file with title and mood tags.
pub fn record(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    let pieces = music::pieces();
    let length: Duration = pieces.iter().map(Piece::duration).sum();
    let progress = Progress::start("recording the music", length.as_millis() as u64);
    for piece in pieces {
        let path = folder.join(piece.slug).with_extension("flac");
        play(piece, &path, &progress)?;
        tag(piece, &path)?;
    }
    progress.finish(Some(length));
    Ok(())
}

fn play(piece: &Piece, path: &Path, progress: &Progress) -> Result<(), Failure> {
    let samples = piece.render();
    let rate = u64::from(music::SAMPLE_RATE);
    let mut done = 0;
    let blocks: Vec<_> = samples
        .chunks(2 * AUDIO_BLOCK)
        .map(|block| {
            let time = |frames: u64| gst::ClockTime::SECOND.mul_div_floor(frames, rate).unwrap_or_default();
            let frames = block.len() as u64 / 2;
            let pts = time(done);
            done += frames;
            (block.iter().flat_map(|sample| sample.to_le_bytes()).collect(), pts, time(frames))
        })
        .collect();
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "F32LE")
        .field("layout", "interleaved")
        .field("rate", music::SAMPLE_RATE as i32)
        .field("channels", 2i32)
        .build();
    encode("audioconvert ! flacenc", &caps, blocks.into_iter(), path, progress)
}

fn tag(piece: &Piece, path: &Path) -> Result<(), Failure> {
    let failed = |reason: String| Failure::Work(format!("{}: {reason}", path.display()));
    let mut file = lofty::read_from_path(path).map_err(|error| failed(error.to_string()))?;
    let mut tag = Tag::new(TagType::VorbisComments);
    tag.set_title(piece.title.into());
    tag.set_artist("gst-mood".into());
    tag.insert_text(ItemKey::Mood, piece.mood.into());
    file.insert_tag(tag);
    file.save_to_path(path, WriteOptions::default()).map_err(|error| failed(error.to_string()))
}

/// Sends `buffers` (bytes, timestamp, duration) through `encoder` into the file at `path`.
fn encode(
    encoder: &str,
    caps: &gst::Caps,
    buffers: impl Iterator<Item = (Vec<u8>, gst::ClockTime, gst::ClockTime)> + Send,
    path: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let part = part_of(path);
    let pipeline =
        pipeline::parse(&format!("appsrc name=in format=time block=true ! {encoder} ! filesink name=out"))?;
    pipeline::element(&pipeline, "out")?.set_property("location", &part);
    let source = pipeline::element(&pipeline, "in")?;
    let source = source.downcast::<gst_app::AppSrc>().map_err(|_| Failure::Work("no appsrc".into()))?;
    source.set_caps(Some(caps));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (bytes, pts, duration) in buffers {
                let mut buffer = gst::Buffer::from_mut_slice(bytes);
                if let Some(buffer) = buffer.get_mut() {
                    buffer.set_pts(pts);
                    buffer.set_duration(duration);
                }
                // A pipeline that stopped says why on its bus.
                if source.push_buffer(buffer).is_err() {
                    return;
                }
            }
            let _ = source.end_of_stream();
        });
        pipeline::run(&pipeline, progress)
    })?;
    fs::rename(&part, path).map_err(|error| Failure::file(path, &error))
}
