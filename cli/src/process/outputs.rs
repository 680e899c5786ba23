//! The files that are made from a session's timeline.

use std::path::Path;

use mini_xception::resting_face::RestingProfile;
use serde_json::Value;
use session::export::{self, Format};
use session::{
    BaselineSource, MIN_EPISODE, Recorded, RecordedOrigin, RecordingTime, Summary, Timeline, Warning,
    WarningKind,
};

use super::arguments::ReportOptions;
use super::baseline::BaselineOption;
use super::fingerprint::Fingerprint;
use super::notes::Notes;
use crate::clients::Client;
use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present, write_atomically, write_json};
use crate::folder::{
    self, ANNOTATED_PHOTO, ANNOTATED_VIDEO, BASELINE, FACES, FILM_MUSIC, MUSIC, REPORT, RESTING_FACE,
    SOUNDTRACK, SUMMARY, TIMELINE,
};

/// The exports that every recording gets, by file name.
const EXPORTS: [(&str, Format); 3] =
    [("timeline.csv", Format::Csv), ("session.eaf", Format::Eaf), ("session.vtt", Format::Vtt)];

/// What is known of a session once its timeline is complete.
pub struct RecordedSession<'a> {
    /// The timeline, with merged people.
    pub timeline: &'a Timeline,
    /// The session's title.
    pub title: String,
    /// What it was made from. Without it, the session is not marked as finished and enters no history.
    pub made_from: Option<MadeFrom>,
    /// What it taught about the subject's resting face.
    pub resting_face: Option<&'a RestingProfile>,
    /// When the file says that it was recorded.
    pub recorded: Option<RecordingTime>,
    /// What there is to say about decoding.
    pub warnings: Vec<Warning>,
}

/// What a finished session was made from.
pub struct MadeFrom {
    /// As [`Summary::made_from`] holds it.
    pub settings: Value,
    /// Hash that tells recordings apart in a client's history.
    pub recording: String,
}

impl MadeFrom {
    /// The session of a recording.
    pub fn from_fingerprint(fingerprint: &Fingerprint) -> Result<Self, CommandError> {
        Ok(Self { settings: fingerprint.to_value()?, recording: fingerprint.analysis.sha256.clone() })
    }
}

/// Writes everything that is made from a timeline into the session's folder, `summary.json` last, and adds the
/// session to the client's history. Returns all warnings: those given, and those about what is made here.
pub fn write_outputs(
    session: RecordedSession,
    folder: &Path,
    options: &ReportOptions,
    notes: &Notes,
) -> Result<Vec<Warning>, CommandError> {
    let RecordedSession { timeline, title, made_from, resting_face, recorded, warnings } = session;
    let client = notes.client.as_ref().map(|client| Client::open(&client.name)).transpose()?;
    let baseline_source =
        BaselineOption::parse(options.baseline.as_deref())?.usual_expression(client.as_ref())?;
    let mut summary = Summary::compute_with(timeline, &notes.people, &baseline_source, MIN_EPISODE);
    summary.title = title;
    summary.note.clone_from(&notes.note);
    let by_file = recorded.map(|at| Recorded { at, origin: RecordedOrigin::File });
    summary.recorded = notes.recorded.or(summary.recorded).or(by_file);
    summary.warnings.splice(0..0, warnings);
    summary.consent = notes.consent.as_ref().map(|consent| consent.to_record(options.pseudonym));
    summary.set_conditions(timeline, &notes.conditions);
    let baseline = summary.subject().and_then(|subject| subject.baseline.clone());
    if matches!(baseline_source, BaselineSource::SessionStart(_)) && baseline.is_none() {
        let text = "the subject is not found for long enough for a baseline";
        summary.warnings.push(Warning::new(WarningKind::BaselineMissing, text));
    }
    write_views(folder, timeline, &summary)?;
    if let Some(baseline) = &baseline {
        write_json(&folder.join(BASELINE), baseline)?;
    }
    summary.made_from = made_from.as_ref().map(|made_from| made_from.settings.clone());
    if let (Some(client), Some(consented), Some(made_from)) = (client, &notes.client, &made_from) {
        client.add_session(consented, &made_from.recording, &summary, baseline.as_ref(), resting_face)?;
        client.remember_folder(folder)?;
    }
    write_json(&folder.join(SUMMARY), &summary)?;
    Ok(summary.warnings)
}

/// Writes the exports and the page of a session.
pub fn write_views(folder: &Path, timeline: &Timeline, summary: &Summary) -> Result<(), CommandError> {
    for (name, format) in EXPORTS {
        write_export(&folder.join(name), format, timeline, summary)?;
    }
    folder::write_report(folder, timeline, summary)
}

/// Writes a session to `path` in the format of another program.
pub fn write_export(
    path: &Path,
    format: Format,
    timeline: &Timeline,
    summary: &Summary,
) -> Result<(), CommandError> {
    let recording = folder::recording(summary, path.parent().unwrap_or(path), Some(path));
    write_atomically(path, |file| export::write(format, timeline, summary, &recording, file))
}

/// Removes all files that `process` writes from a session's folder.
pub fn clear_folder(folder: &Path) -> Result<(), CommandError> {
    let others = [
        SUMMARY,
        TIMELINE,
        MUSIC,
        ANNOTATED_VIDEO,
        SOUNDTRACK,
        FILM_MUSIC,
        REPORT,
        BASELINE,
        RESTING_FACE,
        FACES,
        ANNOTATED_PHOTO,
    ];
    for name in EXPORTS.iter().map(|(name, _)| *name).chain(others) {
        remove_if_present(&folder.join(name))?;
        remove_if_present(&partial_path(&folder.join(name)))?;
    }
    atomic_file::remove_leftovers(folder);
    Ok(())
}
