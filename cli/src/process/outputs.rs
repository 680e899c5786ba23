//! What is made of a timeline: tables, annotations, subtitles, report, and, when all else is there, the summary.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use session::export::{self, Format, Recording};
use session::{Baseline, BaselineSource, MIN_EPISODE, Summary, Timeline};

use super::Reading;
use super::notes::Notes;
use crate::clients;
use crate::failure::Failure;
use crate::folder::{self, ANNOTATED, FACES, MUSIC, PICTURE, REPORT, SOUNDTRACK, SUMMARY, TIMELINE};

const BASELINE: &str = "baseline.json";

/// The files that every recording has.
const EXPORTS: [(&str, Format); 3] =
    [("timeline.csv", Format::Csv), ("session.eaf", Format::Eaf), ("session.vtt", Format::Vtt)];

/// Writes everything into the folder. `made_from` is what makes the session a finished one.
pub(super) fn write(
    timeline: &Timeline,
    title: String,
    made_from: Option<Value>,
    folder: &Path,
    reading: &Reading,
    notes: &Notes,
) -> Result<(), Failure> {
    let client = notes.client.as_ref().map(|client| clients::open(&client.name)).transpose()?;
    let from = baseline(reading, client.as_ref())?;
    let mut summary = Summary::compute_with(timeline, &notes.cast, &from, MIN_EPISODE);
    summary.title = title;
    for (name, format) in EXPORTS {
        export(&folder.join(name), format, timeline, &summary)?;
    }
    folder::write_report(folder, timeline, &summary)?;
    let measured = summary.subject().and_then(|subject| subject.baseline.clone());
    if matches!(from, BaselineSource::SessionStart(_)) && measured.is_none() {
        eprintln!(
            "gst-mood: warning: {}: the subject is not in view long enough for a baseline",
            folder.join(REPORT).display()
        );
    }
    if let Some(baseline) = &measured {
        write_json(&folder.join(BASELINE), baseline)?;
    }
    summary.made_from = made_from;
    if let (Some(client), Some(notes), Some(_)) = (client, &notes.client, &summary.made_from) {
        client.keep(notes, &summary, measured.as_ref())?;
    }
    write_json(&folder.join(SUMMARY), &summary)
}

/// One export.
pub(super) fn export(
    path: &Path,
    format: Format,
    timeline: &Timeline,
    summary: &Summary,
) -> Result<(), Failure> {
    let recording =
        Recording { title: summary.title.clone(), date: folder::now(), media: summary.source.clone() };
    folder::write_whole(path, |file| export::write(format, timeline, summary, &recording, file))
}

/// A value as a file that people can read too.
fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Failure> {
    folder::write_whole(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        writeln!(file)
    })
}

/// Empties a session's folder of all that is ours, and removes it where that was all.
pub(super) fn clear(folder: &Path) -> Result<(), Failure> {
    let others = [SUMMARY, TIMELINE, MUSIC, ANNOTATED, SOUNDTRACK, REPORT, BASELINE, FACES, PICTURE];
    for name in EXPORTS.iter().map(|(name, _)| *name).chain(others) {
        folder::remove(&folder.join(name))?;
        folder::remove(&folder::part_of(&folder.join(name)))?;
    }
    // Whatever else lies there is the user's.
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// Where `--baseline FILE` is: a session's folder will do.
pub(super) fn baseline_file(text: &str) -> PathBuf {
    let path = PathBuf::from(text);
    if path.is_dir() { path.join(BASELINE) } else { path }
}

/// The one asked for, or else the client's.
fn baseline(reading: &Reading, client: Option<&clients::Client>) -> Result<BaselineSource, Failure> {
    let Some(wanted) = &reading.baseline else {
        let kept = client.map(clients::Client::baseline).transpose()?.flatten();
        return Ok(kept.map_or(BaselineSource::None, BaselineSource::Existing));
    };
    if let Ok(seconds) = wanted.parse::<f64>() {
        let usable = (1.0..=86_400.0).contains(&seconds);
        let wrong =
            || Failure::Work(format!("--baseline {wanted}: give at least 1 second, or a baseline.json"));
        return usable.then_some(BaselineSource::SessionStart(seconds)).ok_or_else(wrong);
    }
    let path = baseline_file(wanted);
    let text = fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
    let read: Result<Baseline, _> = serde_json::from_slice(&text);
    let broken = |error| Failure::Work(format!("{} is no baseline ({error})", path.display()));
    read.map(BaselineSource::Existing).map_err(broken)
}
