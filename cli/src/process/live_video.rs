//! The recorded video of a live session: the files that it was recorded into become one whose times are those of the session.

use std::fs;
use std::path::{Path, PathBuf};

use gst::prelude::*;
use session::{VideoPart, Warning, WarningKind};

use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present};
use crate::folder::{RECORDED_VIDEO, recording_path};
use crate::interruption;
use crate::pipeline;
use crate::progress::Progress;

/// A file with a part of the recording.
struct Piece {
    path: PathBuf,
    name: String,
    /// Where its parts belong, in their order.
    parts: Vec<VideoPart>,
}

/// What is to be added to a time of a file with these parts, ns.
fn find_shift(parts: &[VideoPart], time: u64) -> u64 {
    let part = parts.iter().rev().find(|part| part.from <= time).or(parts.first());
    part.map_or(0, |part| part.shift)
}

/// Joins the recorded files to one MP4, which every browser plays and seeks in, without encoding them again: each frame
/// stands at its time of the session, and where nothing was recorded, the last frame stays. `parts` say where the files belong. A
/// file that cannot be joined stays as it is.
pub fn join(folder: &Path, parts: &[VideoPart], warnings: &mut Vec<Warning>) -> Result<(), CommandError> {
    let joined = folder.join(RECORDED_VIDEO);
    if joined.exists() {
        return Ok(());
    }
    let mut pieces = Vec::new();
    for piece in find_pieces(folder, parts)? {
        let is_empty = fs::metadata(&piece.path).is_ok_and(|metadata| metadata.len() == 0);
        let problem = if is_empty {
            remove_if_present(&piece.path)?;
            continue;
        } else if piece.parts.is_empty() && !parts.is_empty() {
            Some("it is not known when it was recorded".to_owned())
        } else {
            read_through(&piece).err().map(|error| error.to_string())
        };
        match problem {
            Some(problem) => warnings.push(left_warning(&piece, &problem)),
            None => pieces.push(piece),
        }
    }
    if pieces.is_empty() {
        return Ok(());
    }
    // The first piece alone is better than none, should the camera have had another format later.
    while let Err(error) = write_joined(&pieces, &joined) {
        let Some(last) = pieces.pop() else { return Ok(()) };
        warnings.push(left_warning(&last, &error.to_string()));
        if pieces.is_empty() || interruption::is_interrupted() {
            return Ok(());
        }
    }
    pieces.iter().try_for_each(|piece| remove_if_present(&piece.path))
}

fn left_warning(piece: &Piece, problem: &str) -> Warning {
    let text = format!("{} is no part of {RECORDED_VIDEO} and stays as it is: {problem}", piece.name);
    Warning::new(WarningKind::Other, text)
}

/// The recorded files, in their order.
fn find_pieces(folder: &Path, parts: &[VideoPart]) -> Result<Vec<Piece>, CommandError> {
    let count = fs::read_dir(folder).map_err(|error| CommandError::io(folder, &error))?.count();
    let paths = (1..=count).map(|number| recording_path(folder, number)).filter(|path| path.exists());
    let piece = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parts = parts.iter().filter(|part| part.file == name).cloned().collect();
        Piece { path, name, parts }
    };
    Ok(paths.map(piece).collect())
}

/// Fails where a file cannot be read.
fn read_through(piece: &Piece) -> Result<(), CommandError> {
    let pipeline = pipeline::parse(
        "filesrc name=in ! matroskademux name=demux
         demux.video_0 ! queue ! h264parse ! fakesink name=frames
         demux.audio_0 ! queue ! fakesink",
    )?;
    pipeline::set_path(&pipeline, "in", "location", &piece.path)?;
    run(&pipeline)
}

fn write_joined(pieces: &[Piece], joined: &Path) -> Result<(), CommandError> {
    let partial = partial_path(joined);
    let inputs: String = (0..pieces.len())
        .map(|index| {
            format!(
                "filesrc name=in{index} ! matroskademux name=demux{index}
                 demux{index}.video_0 ! queue ! h264parse name=video{index} ! video.
                 demux{index}.audio_0 ! queue ! aacparse name=sound{index} ! sound. "
            )
        })
        .collect();
    let pipeline = pipeline::parse(&format!(
        "concat name=video adjust-base=false ! queue ! mux.video_0 mp4mux name=mux faststart=true ! filesink name=out
         concat name=sound adjust-base=false ! queue ! mux.audio_0 {inputs}"
    ))?;
    pipeline::set_path(&pipeline, "out", "location", &partial)?;
    for (index, piece) in pieces.iter().enumerate() {
        pipeline::set_path(&pipeline, &format!("in{index}"), "location", &piece.path)?;
        for name in ["video", "sound"] {
            let parser = pipeline::element(&pipeline, &format!("{name}{index}"))?;
            if let Some(pad) = parser.static_pad("src") {
                move_to_session(&pad, piece.parts.clone());
            }
        }
    }
    let written = run(&pipeline);
    if written.is_err() {
        let _ = fs::remove_file(&partial);
        return written;
    }
    fs::rename(&partial, joined).map_err(|error| CommandError::io(joined, &error))
}

/// Gives what passes a pad of a file with these parts the times of the session.
fn move_to_session(pad: &gst::Pad, parts: Vec<VideoPart>) {
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(mask, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let buffer = buffer.make_mut();
                let time = buffer.pts().or(buffer.dts()).unwrap_or_default();
                let shift = gst::ClockTime::from_nseconds(find_shift(&parts, time.nseconds()));
                let (pts, dts) = (buffer.pts(), buffer.dts());
                buffer.set_pts(pts.map(|pts| pts + shift));
                buffer.set_dts(dts.map(|dts| dts + shift));
            }
            // A demuxer begins time with its file's first frame.
            Some(gst::PadProbeData::Event(event)) if event.type_() == gst::EventType::Segment => {
                *event = gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new());
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

fn run(pipeline: &gst::Pipeline) -> Result<(), CommandError> {
    let progress = Progress::start("the recorded video", 0);
    let played = pipeline::run(pipeline, &progress);
    progress.finish(None);
    played
}
