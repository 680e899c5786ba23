//! The processing of one input: decides whether it is finished, whether only its timeline must be evaluated
//! again, or whether it must be decoded.

use std::fs;
use std::time::Duration;

use session::{PersonMap, Summary, Timeline};

use super::arguments::Arguments;
use super::fingerprint::Fingerprint;
use super::graph::{self, GraphConfig};
use super::inputs::Input;
use super::notes::Notes;
use super::{outputs, photo};
use crate::digest::path_hash;
use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present, write_json};
use crate::folder::{
    self, ANNOTATED_PHOTO, FACES, SUMMARY, TIMELINE, commit_media, discard_media, read_timeline,
};
use crate::progress::{Progress, replace_control_characters};

/// What a job did.
pub enum JobOutcome {
    /// The results were written.
    Processed,
    /// The results of an earlier run are up to date.
    UpToDate,
}

/// Brings the folder of an input up to date.
pub fn run(input: &Input, arguments: &Arguments) -> Result<JobOutcome, CommandError> {
    if !input.path.is_file() {
        return Err(CommandError::Failed("it is not a file".into()));
    }
    let notes = Notes::load(&input.path, &arguments.report)?;
    let fingerprint = Fingerprint::compute(&input.path, arguments, &notes)?;
    let summary = input.folder.join(SUMMARY);
    let stored = folder::read_summary(&summary).ok().and_then(|summary| Fingerprint::from_summary(&summary));
    let stored = stored.filter(|_| !arguments.force);
    if stored.as_ref() == Some(&fingerprint) {
        return Ok(JobOutcome::UpToDate);
    }
    let is_timeline_current = stored.is_some_and(|stored| stored.analysis == fingerprint.analysis);
    fs::create_dir_all(&input.folder).map_err(|error| CommandError::io(&input.folder, &error))?;
    // Without a summary the session counts as unfinished, should this run be killed.
    remove_if_present(&summary)?;
    let job = Job { input, arguments, notes: &notes, fingerprint };
    if input.is_photo {
        job.process_photo()?;
    } else if is_timeline_current && input.folder.join(TIMELINE).exists() {
        job.write_outputs(true)?;
    } else {
        job.process_video()?;
    }
    Ok(JobOutcome::Processed)
}

/// The time from the first frame to the end of the last.
fn timeline_duration(timeline: &Timeline) -> Duration {
    let [begin, end] = timeline.span();
    Duration::from_nanos(end.saturating_sub(begin))
}

/// A warning if the frames end long before the file does: by more than 2 s and a tenth of its duration. It is
/// no error, because the file's audio may be longer.
fn early_end_warning(decoded: Duration, declared: Duration) -> Option<String> {
    let missing = declared.saturating_sub(decoded);
    (missing > Duration::from_secs(2) && missing > declared / 10).then(|| {
        let (decoded, declared) = (decoded.as_secs_f64(), declared.as_secs_f64());
        format!("its pictures end after {decoded:.0} s, the file says {declared:.0} s: it may be damaged")
    })
}

/// The processing of one input.
struct Job<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    notes: &'a Notes,
    /// Stored with complete results, so that a second run can skip the input.
    fingerprint: Fingerprint,
}

impl Job<'_> {
    fn graph_config(&self) -> GraphConfig<'_> {
        GraphConfig {
            input: &self.input.path,
            folder: &self.input.folder,
            options: &self.arguments.analysis,
            client: self.notes.client_name(),
            is_anonymous: self.arguments.report.pseudonym,
        }
    }

    fn start_progress(&self) -> Progress {
        let name = self.input.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Progress::start(name, 0)
    }

    /// Decodes a video and writes all its results. If decoding fails or is interrupted, the
    /// results cover the part before, and do not count as finished.
    fn process_video(&self) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        outputs::clear_folder(folder)?;
        fs::create_dir_all(folder).map_err(|error| CommandError::io(folder, &error))?;
        let progress = self.start_progress();
        let played = graph::process_video(&self.graph_config(), &progress);
        let media = match &played {
            Ok(()) | Err(CommandError::Interrupted) => commit_media(folder),
            Err(_) => discard_media(folder),
        };
        let (frames, decoded) = Timeline::load(folder.join(TIMELINE))
            .map_or((0, Duration::ZERO), |timeline| (timeline.frames.len(), timeline_duration(&timeline)));
        let played = self.explain_truncation(played, frames > 0);
        if frames == 0 {
            outputs::clear_folder(folder)?;
            let no_frames = || CommandError::Failed("it has no pictures: is it a video?".into());
            return Err(played.err().unwrap_or_else(no_frames));
        }
        if let (Ok(()), Some(declared)) = (&played, progress.media_duration())
            && let Some(warning) = early_end_warning(decoded, declared)
        {
            let text = format!("{}: {warning}", self.input.path.display());
            eprintln!("gst-mood: warning: {}", replace_control_characters(&text));
        }
        progress.finish(progress.media_position());
        let written = media.and_then(|()| self.write_outputs(played.is_ok()));
        // Why the recording is incomplete matters more than an error of the results.
        played.and(written)
    }

    /// Replaces the result of playing a truncated file by an error that says so: demuxers reach the end of a
    /// truncated file without an error.
    fn explain_truncation(
        &self,
        played: Result<(), CommandError>,
        has_frames: bool,
    ) -> Result<(), CommandError> {
        let Some(length) = media_container::declared_length_if_truncated(&self.input.path) else {
            return played;
        };
        if matches!(played, Err(CommandError::Interrupted)) {
            return played;
        }
        let part = if has_frames { "the part before is done" } else { "the part before cannot be played" };
        let reason = played.err().map(|error| format!(" ({error})")).unwrap_or_default();
        Err(CommandError::Failed(format!(
            "it ends in the middle, it should have {length} bytes; {part}{reason}"
        )))
    }

    /// Writes everything that is made from the timeline. Unless it `is_complete`, the next run will process
    /// the input again.
    fn write_outputs(&self, is_complete: bool) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        let mut timeline = read_timeline(&folder.join(TIMELINE), folder)?;
        if !is_complete {
            timeline.end = None;
        }
        timeline.merge_people(&self.notes.people);
        let fingerprint = is_complete.then_some(&self.fingerprint);
        outputs::write_outputs(
            &timeline,
            self.title(),
            fingerprint,
            folder,
            &self.arguments.report,
            self.notes,
        )
    }

    /// The session's title: the file's name without its extension, or a pseudonym.
    fn title(&self) -> String {
        if self.arguments.report.pseudonym {
            let hash = path_hash(&self.input.path);
            return format!("Session {}", hash.chars().take(8).collect::<String>());
        }
        self.input.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Decodes a photo and writes all its results: the table of its faces, the photo with the faces drawn,
    /// the summary.
    fn process_photo(&self) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        let timeline_path = partial_path(&folder.join("faces.jsonl"));
        let annotated = folder.join(ANNOTATED_PHOTO);
        let partial = partial_path(&annotated);
        let progress = self.start_progress();
        let processed = photo::process_photo(&self.graph_config(), &timeline_path, &partial, &progress);
        let mut timeline = processed.and_then(|()| read_timeline(&timeline_path, folder));
        if let Ok(timeline) = &mut timeline
            && !self.arguments.report.pseudonym
        {
            let path = self.input.path.canonicalize().unwrap_or_else(|_| self.input.path.clone());
            timeline.header.source = gst::glib::filename_to_uri(path, None).ok().map(Into::into);
        }
        remove_if_present(&timeline_path)?;
        let timeline = timeline.inspect_err(|_| {
            let _ = fs::remove_file(&partial);
            let _ = fs::remove_dir(folder);
        })?;
        progress.finish(None);
        fs::rename(&partial, &annotated).map_err(|error| CommandError::io(&annotated, &error))?;
        let mut summary = Summary::compute(&timeline, &PersonMap::default());
        summary.title = self.title();
        outputs::write_export(&folder.join(FACES), session::export::Format::Csv, &timeline, &summary)?;
        summary.made_from = Some(self.fingerprint.to_value()?);
        write_json(&folder.join(SUMMARY), &summary)
    }
}
