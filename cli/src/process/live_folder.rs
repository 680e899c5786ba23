//! Finishes the folder of a live session: from what [`live`](crate::live) writes while it runs to all that `process` makes of a
//! recording.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use mood_schema::{Line, SCHEMA_VERSION, SessionEnd, SessionHeader};
use serde_json::json;
use session::{Timeline, Warning, WarningKind};

use super::arguments::{Arguments, ReportOptions};
use super::baseline::BaselineOption;
use super::job::finish_timeline;
use super::live_video;
use super::notes::{LIVE_RECORDING, Notes};
use super::outputs::{self, MadeFrom, RecordedSession};
use crate::clients::Client;
use crate::digest::{path_hash, short_sha256};
use crate::error::CommandError;
use crate::files::{remove_if_present, write_atomically};
use crate::folder::{self, MARKERS, MUSIC, NOTES, RECORDED_VIDEO, SUMMARY, TIMELINE, recording_path};
use crate::lock::try_lock_folder;
use crate::output::replace_control_characters;
use crate::pipeline;

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
        eprintln!("gst-mood: warning: {text}");
    }
}

/// Makes everything that can be made of the session in a folder. Notes may be in `session.toml` in it. Returns what a reader of
/// the results has to know. What the session has left stays where this fails.
pub fn finish(folder: &Path, options: &ReportOptions) -> Result<Vec<Warning>, CommandError> {
    if !folder.join(TIMELINE).is_file() && !folder.join(MARKERS).is_file() {
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
    complete_timeline(folder)?;
    // Without a summary the session counts as unfinished, should this be killed.
    remove_if_present(&folder.join(SUMMARY))?;
    atomic_file::remove_leftovers(folder);
    let mut notes = Notes::load(&folder.join(LIVE_RECORDING), options)?;
    let mut timeline = folder::read_timeline(&folder.join(TIMELINE), folder)?;
    let mut warnings = Vec::new();
    // Before the timeline is written anew: the files' times are those of the one that was recorded.
    live_video::join(folder, &timeline.videos, &mut warnings)?;
    timeline.header.source = recorded_video(folder).filter(|_| !options.pseudonym);
    if timeline.frames.is_empty() {
        // Nothing of a client is known from it.
        notes.client = None;
    }
    let identity = match timeline.clocks.first() {
        Some(clock) => identity(&clock.utc),
        // It was cut off before it wrote when it began.
        None => path_hash(folder),
    };
    let client = notes.client.as_ref().map(|client| Client::open(&client.name)).transpose()?;
    let rest_source = BaselineOption::parse(options.baseline.as_deref())?.resting_face(
        client.as_ref(),
        &identity,
        &model_hash(&timeline),
    )?;
    let (mut timeline, resting_face) = finish_timeline(folder, timeline, &notes, &rest_source, true)?;
    write_music(folder, &timeline)?;
    if timeline.end.is_none() {
        let text = "the session was cut off: what was recorded before is there";
        warnings.push(Warning::new(WarningKind::EndsEarly, text));
    }
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

/// Gives a session that was cut off before its first frame a timeline without frames.
fn complete_timeline(folder: &Path) -> Result<(), CommandError> {
    let timeline = folder.join(TIMELINE);
    // What is no timeline stays, and is reported by who reads it.
    let is_empty = fs::metadata(&timeline).map_or(true, |metadata| metadata.len() == 0);
    if has_header(&timeline) || !(is_empty || folder.join(MARKERS).is_file()) {
        return Ok(());
    }
    let header = SessionHeader {
        schema: SCHEMA_VERSION,
        generator: concat!("gst-mood ", env!("CARGO_PKG_VERSION")).into(),
        ..SessionHeader::default()
    };
    write_atomically(&timeline, |file| writeln!(file, "{}", Line::Session(header).to_json()))
}

/// Whether the first line of a timeline is there and complete.
fn has_header(timeline: &Path) -> bool {
    let mut line = Vec::new();
    let read = File::open(timeline).and_then(|file| BufReader::new(file).read_until(b'\n', &mut line));
    read.is_ok() && line.last() == Some(&b'\n')
}

/// The address of the video that was recorded.
fn recorded_video(folder: &Path) -> Option<String> {
    let path = folder.join(RECORDED_VIDEO).canonicalize().ok()?;
    url::Url::from_file_path(path).ok().map(Into::into)
}

/// Tells sessions apart in a client's history: a hash of when it began, ISO 8601.
pub fn identity(began: &str) -> String {
    short_sha256(began.as_bytes())
}

/// Removes what a session has left that failed before its first frame and in which nothing was marked. Whether it did.
pub fn discard_empty(folder: &Path) -> Result<bool, CommandError> {
    let (timeline, markers) = (folder.join(TIMELINE), folder.join(MARKERS));
    let lines = fs::read_to_string(&markers).map_or(0, |text| text.lines().count());
    if lines > 1 || has_header(&timeline) {
        return Ok(false);
    }
    [timeline, markers, folder.join(NOTES), recording_path(folder, 1)]
        .iter()
        .try_for_each(|path| remove_if_present(path))?;
    // Fails if other files are in it, which belong to the user.
    let _ = fs::remove_dir(folder);
    Ok(true)
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
