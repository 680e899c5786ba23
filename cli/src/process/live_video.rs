//! The recorded video of a live session: the files that it was recorded into become one whose times are those of the session.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
                 demux{index}.video_0 ! queue name=video{index} ! h264parse ! video.
                 demux{index}.audio_0 ! queue name=sound{index} ! aacparse ! sound. "
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
            let queue = pipeline::element(&pipeline, &format!("{name}{index}"))?;
            if let Some(pad) = queue.static_pad("src") {
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

/// Matroska's unit of time as we record it. Frames of a camera that delivers several at once may stand at the same time.
const TIME_UNIT: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// Gives what passes a pad of a file with these parts the times of the session, each later than the one before: parsers take the
/// time from a frame that repeats it, and an MP4 file needs one. The encoder does not reorder frames, so they are also those of
/// decoding.
fn move_to_session(pad: &gst::Pad, parts: Vec<VideoPart>) {
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    let next = AtomicU64::new(0);
    pad.add_probe(mask, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let time = buffer.pts().or(buffer.dts()).unwrap_or_default();
                let shift = gst::ClockTime::from_nseconds(find_shift(&parts, time.nseconds()));
                let moved = (time + shift).max(gst::ClockTime::from_nseconds(next.load(Ordering::Relaxed)));
                next.store((moved + TIME_UNIT).nseconds(), Ordering::Relaxed);
                let buffer = buffer.make_mut();
                buffer.set_pts(moved);
                buffer.set_dts(moved);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Records a second of picture and sound as a live session does; three frames at a time come at the same moment.
    fn record(path: &Path) {
        let pipeline = pipeline::parse(
            "videotestsrc num-buffers=30 name=camera ! video/x-raw,width=64,height=48,framerate=30/1
             ! x264enc tune=zerolatency speed-preset=ultrafast ! video/x-h264,profile=baseline ! matroskamux name=mux ! filesink name=out
             audiotestsrc num-buffers=43 ! audio/x-raw,rate=44100 ! avenc_aac ! mux.",
        )
        .unwrap();
        pipeline::set_path(&pipeline, "out", "location", path).unwrap();
        let pad = pipeline::element(&pipeline, "mux").unwrap().static_pad("video_0").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
            if let Some(buffer) = info.buffer_mut() {
                let time = buffer.pts().unwrap().mseconds() / 100 * 100;
                buffer.make_mut().set_pts(gst::ClockTime::from_mseconds(time));
            }
            gst::PadProbeReturn::Ok
        });
        run(&pipeline).unwrap();
    }

    #[test]
    fn recordings_whose_frames_share_times_become_one() {
        gst::init().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let parts = [1, 2].map(|number| {
            let path = recording_path(folder.path(), number);
            record(&path);
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            VideoPart { file, from: 0, shift: (number as u64 - 1) * 5_000_000_000 }
        });
        let mut warnings = Vec::new();
        join(folder.path(), &parts, &mut warnings).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [RECORDED_VIDEO]);
        let pipeline =
            pipeline::parse("filesrc name=in ! qtdemux ! h264parse ! fakesink name=frames sync=false")
                .unwrap();
        pipeline::set_path(&pipeline, "in", "location", &folder.path().join(RECORDED_VIDEO)).unwrap();
        let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&times);
        let pad = pipeline::element(&pipeline, "frames").unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            seen.lock().unwrap().push(info.buffer().and_then(|buffer| buffer.pts()).unwrap().mseconds());
            gst::PadProbeReturn::Ok
        });
        run(&pipeline).unwrap();
        let times = times.lock().unwrap();
        assert_eq!(times.len(), 60);
        assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
        // As recorded, but for the two frames that share the time of another.
        assert!(
            times[..30].iter().zip(0..).all(|(time, index)| *time == index / 3 * 100 + index % 3),
            "{times:?}"
        );
        assert_eq!(times.last(), Some(&5902));
    }
}
