//! Finishes the folder of a live session: from what [`live`](crate::live) writes while it runs to all that `process` makes of a
//! recording.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use mood_schema::{Line, SessionEnd, SessionHeader};
use serde_json::json;
use session::{Timeline, Warning, WarningKind};

use super::arguments::{Arguments, ReportOptions};
use super::baseline::BaselineOption;
use super::job::finish_timeline;
use super::notes::{LIVE_RECORDING, Notes};
use super::outputs::{self, MadeFrom, RecordedSession};
use crate::clients::Client;
use crate::digest::{path_hash, short_sha256};
use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present, write_atomically};
use crate::folder::{self, MUSIC, RECORDED_VIDEO, SUMMARY, TIMELINE, recording_path};
use crate::lock::try_lock_folder;
use crate::pipeline;
use crate::progress::{Progress, replace_control_characters};

/// Finishes the sessions in folders; one that fails does not stop the others.
pub fn resume(arguments: &Arguments) -> Result<(), CommandError> {
    pipeline::init_gstreamer()?;
    let mut failed = 0;
    for folder in &arguments.inputs {
        let is_finished =
            folder::read_summary(&folder.join(SUMMARY)).is_ok_and(|summary| summary.made_from.is_some());
        let name = replace_control_characters(&folder.to_string_lossy());
        if is_finished && !arguments.force {
            println!("{name} (finished before)");
            continue;
        }
        match finish(folder, &arguments.report) {
            Ok(warnings) => {
                print_warnings(folder, &warnings);
                println!("{name}");
            }
            Err(error) => {
                eprintln!("gst-mood: {name}: {error}");
                failed += 1;
            }
        }
    }
    match failed {
        0 => Ok(()),
        1 if arguments.inputs.len() == 1 => Err(CommandError::AlreadyReported),
        count => {
            let total = arguments.inputs.len();
            Err(CommandError::Failed(format!("{count} of {total} sessions failed; the others are done")))
        }
    }
}

/// Prints what a reader of the results has to know.
pub fn print_warnings(folder: &Path, warnings: &[Warning]) {
    for warning in warnings {
        let text = format!("{}: {}", folder.display(), warning.text);
        eprintln!("gst-mood: warning: {}", replace_control_characters(&text));
    }
}

/// Makes everything that can be made of the session in a folder. Notes may be in `session.toml` in it. Returns what a reader of
/// the results has to know. What the session has left stays where this fails.
pub fn finish(folder: &Path, options: &ReportOptions) -> Result<Vec<Warning>, CommandError> {
    if !folder.join(TIMELINE).is_file() {
        return Err(CommandError::Failed(format!(
            "there is no {TIMELINE} in it: name the folder of a live session"
        )));
    }
    let Some(_lock) = try_lock_folder(folder)? else {
        return Err(CommandError::Failed(format!(
            "another gst-mood records or finishes the session in {}: end that first",
            folder.display()
        )));
    };
    // Without a summary the session counts as unfinished, should this be killed.
    remove_if_present(&folder.join(SUMMARY))?;
    atomic_file::remove_leftovers(folder);
    let notes = Notes::load(&folder.join(LIVE_RECORDING), options)?;
    let timeline = folder::read_timeline(&folder.join(TIMELINE), folder)?;
    let identity = identity(&timeline, folder);
    let client = notes.client.as_ref().map(|client| Client::open(&client.name)).transpose()?;
    let rest_source = BaselineOption::parse(options.baseline.as_deref())?.resting_face(
        client.as_ref(),
        &identity,
        &model_hash(&timeline),
    )?;
    let (mut timeline, resting_face) = finish_timeline(folder, timeline, &notes, &rest_source, true)?;
    write_music(folder, &timeline)?;
    let mut warnings = Vec::new();
    if timeline.end.is_none() {
        let text = "the session was cut off: what was recorded before is there";
        warnings.push(Warning::new(WarningKind::EndsEarly, text));
    }
    convert_videos(folder, &mut warnings)?;
    timeline.merge_people(&notes.people);
    let session = RecordedSession {
        timeline: &timeline,
        title: title(folder, options),
        made_from: Some(MadeFrom {
            settings: json!({ "live": { "program": concat!("gst-mood ", env!("CARGO_PKG_VERSION")) } }),
            recording: identity,
        }),
        resting_face: resting_face.as_ref(),
        // The clock lines say it.
        recorded: None,
        warnings,
    };
    outputs::write_outputs(session, folder, options, &notes)
}

/// Tells sessions apart in a client's history: a hash of when it began, or of where it is if it was cut off before it wrote that.
fn identity(timeline: &Timeline, folder: &Path) -> String {
    match timeline.clocks.first() {
        Some(clock) => short_sha256(clock.utc.as_bytes()),
        None => path_hash(folder),
    }
}

/// SHA-256 of the network, from the timeline's header.
fn model_hash(timeline: &Timeline) -> String {
    let hash =
        timeline.header.settings.get("emotionclassify").and_then(|settings| settings.get("model-sha256"));
    hash.and_then(|hash| hash.as_str()).unwrap_or_default().into()
}

/// The session's title: the name of its folder, or a pseudonym.
fn title(folder: &Path, options: &ReportOptions) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if options.pseudonym {
        let hash = short_sha256(name.as_bytes());
        return format!("Session {}", hash.chars().take(8).collect::<String>());
    }
    name
}

/// Writes the player's decisions as `process` does, by the clock of the session.
fn write_music(folder: &Path, timeline: &Timeline) -> Result<(), CommandError> {
    let header = Line::Session(SessionHeader { ..timeline.header.clone() });
    let [_, pts] = timeline.span();
    let end = timeline.end.map(|_| Line::End(SessionEnd { pts, frames: 0 }));
    let lines = timeline.player_lines().into_iter();
    let decisions = lines.filter(|line| matches!(line, Line::Mood(_) | Line::Track(_) | Line::Safety(_)));
    write_atomically(&folder.join(MUSIC), |file| {
        for line in [header].into_iter().chain(decisions).chain(end) {
            writeln!(file, "{}", line.to_json())?;
        }
        Ok(())
    })
}

/// Converts the recorded videos into MP4, which every browser plays and seeks in, without encoding them again. One that cannot
/// be converted stays as it is.
fn convert_videos(folder: &Path, warnings: &mut Vec<Warning>) -> Result<(), CommandError> {
    let mut pieces = 0;
    for number in 1.. {
        let recorded = recording_path(folder, number);
        let converted = recorded.with_extension("mp4");
        if !recorded.exists() {
            if converted.exists() {
                continue;
            }
            break;
        }
        pieces = number;
        if let Err(error) = convert_video(&recorded, &converted) {
            let name = recorded.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = format!("{name} cannot be converted to MP4 and stays as it is: {error}");
            warnings.push(Warning::new(WarningKind::Other, text));
        }
    }
    if pieces > 1 {
        let text = format!(
            "the session was stopped and started again: {RECORDED_VIDEO} has its first part, {pieces} files all"
        );
        warnings.push(Warning::new(WarningKind::JoinedSessions, text));
    }
    Ok(())
}

fn convert_video(recorded: &Path, converted: &PathBuf) -> Result<(), CommandError> {
    let partial = partial_path(converted);
    let pipeline = pipeline::parse(
        "filesrc name=in ! matroskademux name=demux
         demux.video_0 ! queue ! h264parse ! mp4mux name=mux faststart=true ! filesink name=out
         demux.audio_0 ! queue ! aacparse ! mux.",
    )?;
    pipeline::set_path(&pipeline, "in", "location", recorded)?;
    pipeline::set_path(&pipeline, "out", "location", &partial)?;
    let progress = Progress::start("the recorded video", 0);
    let played = pipeline::run(&pipeline, &progress);
    progress.finish(None);
    if played.is_err() {
        let _ = fs::remove_file(&partial);
        return played;
    }
    fs::rename(&partial, converted).map_err(|error| CommandError::io(converted, &error))?;
    remove_if_present(recorded)
}
