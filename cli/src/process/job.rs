//! The processing of one input: decides whether it is finished, whether only its timeline must be evaluated
//! again, or whether it must be decoded.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mini_xception::resting_face::RestingProfile;
use session::hiding::HidingPlan;
use session::{PersonMap, Summary, Timeline, Warning, WarningKind, format_percent};

use super::arguments::Arguments;
use super::baseline::BaselineOption;
use super::film::{self, FilmConfig};
use super::fingerprint::{AnalysisFingerprint, Fingerprint, InputId, music_subject, people_count};
use super::graph::{self, Analysis, GraphConfig};
use super::inputs::Input;
use super::media_clock::{self, Beginning};
use super::notes::Notes;
use super::outputs::{self, MadeFrom, RecordedSession};
use super::photo;
use super::resting::{self, Relabelling, RestSource};
use crate::clients::Client;
use crate::digest::path_hash;
use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present, write_atomically, write_json};
use crate::folder::{
    self, ANNOTATED_PHOTO, FACES, FILM_MUSIC, MUSIC, RESTING_FACE, SUMMARY, TIMELINE, commit_media,
    discard_media, read_timeline, write_resting_face,
};
use crate::lock::lock_folder;
use crate::media_kind::MediaKind;
use crate::pipeline::RunLimit;
use crate::progress::Progress;

/// How long the annotated video of what was analysed may take after Ctrl-C.
const REMAINDER_TIME: Duration = Duration::from_secs(8);

/// The most places that a text names at which recordings are joined.
const MAX_JOINS: usize = 5;

/// What a job did.
pub enum JobOutcome {
    /// The results were written.
    Processed,
    /// The results of an earlier run are up to date.
    UpToDate,
}

/// Brings the folder of an input up to date. `warnings` gets what a reader of the results has to know, also where
/// the input fails.
pub fn run(
    input: &Input,
    arguments: &Arguments,
    warnings: &mut Vec<Warning>,
) -> Result<JobOutcome, CommandError> {
    if !input.path.is_file() {
        return Err(CommandError::Failed("it is not a file".into()));
    }
    if input.kind == MediaKind::UnsupportedPhoto {
        return Err(photo::unsupported_error());
    }
    let notes = Notes::load(&input.path, &arguments.report)?;
    let fingerprint = Fingerprint::compute(&input.path, arguments, &notes)?;
    let stored = folder::read_summary(&input.folder.join(SUMMARY)).ok();
    if !arguments.force && stored.as_ref().and_then(Fingerprint::from_summary).as_ref() == Some(&fingerprint)
    {
        return Ok(JobOutcome::UpToDate);
    }
    let mut has_waited = false;
    let lock = lock_folder(&input.folder, || {
        has_waited = true;
        let text = format!("{}: waits for another gst-mood that works on it", input.folder.display());
        eprintln!("gst-mood: {text}");
    })?;
    let outcome = run_locked(input, arguments, notes, fingerprint, has_waited, warnings);
    drop(lock);
    // Fails unless nothing was written.
    let _ = fs::remove_dir(&input.folder);
    outcome
}

/// Does the same with the exclusive use of the input's folder; `has_waited`: another process has had it until now.
fn run_locked(
    input: &Input,
    arguments: &Arguments,
    notes: Notes,
    fingerprint: Fingerprint,
    has_waited: bool,
    warnings: &mut Vec<Warning>,
) -> Result<JobOutcome, CommandError> {
    let summary = input.folder.join(SUMMARY);
    let stored_summary = folder::read_summary(&summary).ok().filter(|_| !arguments.force || has_waited);
    if has_waited
        && let Some(owner) = stored_summary.as_ref().and_then(InputId::from_summary)
        && owner != fingerprint.input
    {
        return Err(CommandError::Failed(format!(
            "{} has got the results of another recording meanwhile: run it again, and it gets another folder",
            input.folder.display()
        )));
    }
    let stored = stored_summary.as_ref().and_then(Fingerprint::from_summary);
    if stored.as_ref() == Some(&fingerprint) {
        return Ok(JobOutcome::UpToDate);
    }
    let options = &arguments.analysis;
    // The film shows the labels and who is who, and the music follows the labels: another baseline makes both anew, other
    // people, and other names, the film.
    let has_label_media = options.overlay || options.library.is_some();
    let is_timeline_current = stored.is_some_and(|stored| {
        stored.analysis == fingerprint.analysis
            && (!has_label_media || stored.report.baseline == fingerprint.report.baseline)
            && (!options.overlay || stored.report.people.merge == fingerprint.report.people.merge)
            && (!options.overlay
                || options.blur_faces
                || stored.report.people.names == fingerprint.report.people.names)
    });
    // Without a summary the session counts as unfinished, should this run be killed.
    remove_if_present(&summary)?;
    let job = Job { input, arguments, notes: &notes, fingerprint };
    if input.kind == MediaKind::Photo {
        job.process_photo(warnings)?;
    } else if is_timeline_current && input.folder.join(TIMELINE).exists() {
        // What there was to say about decoding still holds.
        let decoding = stored_summary.map(|summary| summary.warnings).unwrap_or_default();
        warnings.extend(decoding.into_iter().filter(|warning| warning.kind.is_about_decoding()));
        let (timeline, resting_face) = job.finish_timeline()?;
        let beginning = job.find_beginning();
        job.write_outputs(true, timeline, resting_face.as_ref(), &beginning, warnings)?;
    } else {
        job.process_video(warnings)?;
    }
    Ok(JobOutcome::Processed)
}

/// A warning if the frames end long before the file does: by more than 2 s and a tenth of its duration. It is
/// no error, because the file's audio may be longer. `end` is the end of the last frame.
fn early_end_warning(end: Duration, declared: Duration) -> Option<Warning> {
    let missing = declared.saturating_sub(end);
    (missing > Duration::from_secs(2) && missing > declared / 10).then(|| {
        let (end, declared) = (end.as_secs_f64(), declared.as_secs_f64());
        let text =
            format!("its pictures end at {end:.0} s, the file says {declared:.0} s: it may be damaged");
        Warning::new(WarningKind::EndsEarly, text)
    })
}

/// What a reader has to know about the hiding of faces in the annotated video.
fn describe_hiding(plan: &HidingPlan, people: Option<u32>) -> Option<Warning> {
    let share = plan.unverified_share();
    let text = if share > 0.0 {
        let count = match people {
            None => "say with --people how many people there are, since who is never found is visible, and ",
            Some(_) => "",
        };
        format!(
            "in {} of the annotated video it is not known where all faces are, and the whole picture is hidden there: \
             {count}check the video before you pass it on",
            format_percent(share)
        )
    } else if !plan.has_faces && people.is_none() {
        "no face was found, so nothing is hidden in the annotated video: if people are in it, say with --people how many"
            .to_owned()
    } else if people.is_none() {
        "whoever was never found is visible in the annotated video: say with --people how many people there are, and check the \
         video before you pass it on"
            .to_owned()
    } else {
        return None;
    };
    let share = Some(share).filter(|share| *share > 0.0);
    Some(Warning { share, ..Warning::new(WarningKind::UnverifiedFaces, text) })
}

/// Labels a timeline that was read from `folder` by what differs from each person's resting face, and writes it again where that
/// changes it or lines of it are not in order of time. Also returns what it teaches about the subject's resting face, which is
/// written into the folder.
pub fn finish_timeline(
    folder: &Path,
    mut timeline: Timeline,
    notes: &Notes,
    rest_source: &RestSource,
    has_late_lines: bool,
) -> Result<(Timeline, Option<RestingProfile>), CommandError> {
    let Relabelling { has_changed, learnt } = resting::apply(&mut timeline, &notes.people, rest_source);
    // Of a file with broken lines, what could not be read stays as it is.
    let is_whole = timeline.broken_lines.count == 0 && timeline.further_sessions == 0;
    if is_whole && (has_changed || has_late_lines) {
        write_atomically(&folder.join(TIMELINE), |file| timeline.write_to(file))?;
    }
    let profile_path = folder.join(RESTING_FACE);
    match &learnt {
        Some(profile) => write_resting_face(&profile_path, profile)?,
        None => remove_if_present(&profile_path)?,
    }
    Ok((timeline, learnt))
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
    /// Where the subject's resting face comes from.
    fn rest_source(&self) -> Result<RestSource, CommandError> {
        let client = self.notes.client.as_ref().map(|client| Client::open(&client.name)).transpose()?;
        let AnalysisFingerprint { sha256, model, .. } = &self.fingerprint.analysis;
        BaselineOption::parse(self.arguments.report.baseline.as_deref())?.resting_face(
            client.as_ref(),
            sha256,
            model,
        )
    }

    fn graph_config<'a>(&'a self, beginning: &'a Beginning, rest_source: &'a RestSource) -> GraphConfig<'a> {
        GraphConfig {
            rest_source,
            input: &self.input.path,
            kind: self.input.kind,
            folder: &self.input.folder,
            options: &self.arguments.analysis,
            people: people_count(&self.arguments.analysis, self.notes),
            client: self.notes.client_name(),
            music_subject: music_subject(self.notes),
            is_anonymous: self.arguments.report.pseudonym,
            beginning,
        }
    }

    /// How the input begins, as far as that has a meaning for its kind.
    fn find_beginning(&self) -> Beginning {
        match self.input.kind {
            MediaKind::Video => media_clock::find_beginning(&self.input.path),
            _ => Beginning::default(),
        }
    }

    fn start_progress(&self) -> Progress {
        let name = self.input.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Progress::start(name, 0)
    }

    /// Decodes a video and writes all its results. If decoding fails or is interrupted, the
    /// results cover the part before, and do not count as finished.
    fn process_video(&self, warnings: &mut Vec<Warning>) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        outputs::clear_folder(folder)?;
        let beginning = self.find_beginning();
        if beginning.has_lost_times {
            return Err(CommandError::Failed(
                "its times are lost in GStreamer, because the clock of the stream begins later than its sound: copy it to Matroska \
                 (ffmpeg -i FILE -c copy FILE.mkv encodes nothing anew), and process that"
                    .into(),
            ));
        }
        if beginning.is_uncertain {
            let text = "its beginning could not be read in time, so that its times may count from another moment than in a player: \
                 copy it to a faster disk and process it again";
            warnings.push(Warning::new(WarningKind::TimesAssumed, text));
        }
        let rest_source = self.rest_source()?;
        let progress = self.start_progress();
        let (analysis, played) =
            graph::analyse_video(&self.graph_config(&beginning, &rest_source), &progress);
        let has_frames =
            Timeline::load(folder.join(TIMELINE)).is_ok_and(|timeline| !timeline.frames.is_empty());
        warnings.extend(analysis.warnings.iter().cloned());
        let mut played = self.explain_incompleteness(played, has_frames, warnings);
        if !has_frames {
            outputs::clear_folder(folder)?;
            let no_frames = || CommandError::Failed("it has no pictures: is it a video?".into());
            return Err(played.err().unwrap_or_else(no_frames));
        }
        let (timeline, resting_face) = self.finish_timeline()?;
        let is_joined = self.explain_joins(&timeline, warnings);
        warnings.extend(analysis.small_faces.warning(&timeline));
        if let (Ok(()), Some(declared), false) = (&played, progress.media_duration(), is_joined) {
            let [_, end] = timeline.span();
            // Some containers count their duration from the origin of their clock.
            let end = Duration::from_nanos(end.saturating_add(beginning.origin.stream_time()));
            warnings.extend(early_end_warning(end, declared));
        }
        progress.finish(progress.media_position());
        let mut media = if matches!(played, Ok(()) | Err(CommandError::Interrupted)) {
            let drawn = self.draw_film(&beginning, &analysis, &timeline, played.is_ok(), warnings);
            let committed =
                commit_media(folder, drawn.is_ok() || matches!(drawn, Err(CommandError::Interrupted)));
            // The rest of the results is of use without the film.
            if played.is_ok() {
                played = drawn;
            }
            committed
        } else {
            discard_media(folder)
        };
        media = media.and(remove_if_present(&partial_path(&folder.join(FILM_MUSIC))));
        let written = media.and_then(|()| {
            self.write_outputs(played.is_ok(), timeline, resting_face.as_ref(), &beginning, warnings)
        });
        // Why the recording is incomplete matters more than an error of the results.
        played.and(written)
    }

    /// Completes the timeline that the first pass has written, for everything that is made from it: puts the
    /// player's lines, which arrive late in it, in order of time, and labels the faces by what differs from each person's
    /// resting face, now that all of the recording is known. What changes a recorded timeline belongs here, before the
    /// film is drawn and the results are written. Also returns what the recording teaches about the subject's resting
    /// face, which is written into the folder.
    fn finish_timeline(&self) -> Result<(Timeline, Option<RestingProfile>), CommandError> {
        let folder = &self.input.folder;
        let timeline = read_timeline(&folder.join(TIMELINE), folder)?;
        let has_late_lines = folder.join(MUSIC).exists();
        finish_timeline(folder, timeline, self.notes, &self.rest_source()?, has_late_lines)
    }

    /// Draws the annotated video, if it is wanted; of an interrupted recording as much of the part before as a few
    /// seconds allow.
    fn draw_film(
        &self,
        beginning: &Beginning,
        analysis: &Analysis,
        timeline: &Timeline,
        is_complete: bool,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), CommandError> {
        let (true, Some(size)) = (self.arguments.analysis.overlay, analysis.picture_size) else {
            return Ok(());
        };
        let options = &self.arguments.analysis;
        let plan = if options.blur_faces {
            let people = people_count(options, self.notes);
            let plan = HidingPlan::new(timeline, people.map(|people| people as usize));
            warnings.extend(describe_hiding(&plan, people));
            plan
        } else {
            HidingPlan::default()
        };
        let config = FilmConfig {
            input: &self.input.path,
            kind: self.input.kind,
            folder: &self.input.folder,
            options,
            beginning,
            timeline,
            people: &self.notes.people,
            plan: &plan,
            size,
        };
        let limit = if is_complete {
            RunLimit::Interruption
        } else {
            let last = timeline.frames.last().map_or(0, |frame| frame.pts);
            RunLimit::Remainder { last, within: REMAINDER_TIME }
        };
        let name = self.input.path.file_name().unwrap_or_default().to_string_lossy();
        let progress = Progress::start(format!("{name}, annotated"), 0);
        warnings.extend(film::draw(&config, &progress, limit)?);
        progress.finish(progress.media_position());
        Ok(())
    }

    /// Replaces the result of playing a file of which a part is missing or follows by an error that says so: demuxers reach
    /// the end of such files without an error. Adds what a reader of the results has to know to `warnings`.
    fn explain_incompleteness(
        &self,
        played: Result<(), CommandError>,
        has_frames: bool,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), CommandError> {
        let path = &self.input.path;
        if matches!(played, Err(CommandError::Interrupted)) {
            return played;
        }
        if !has_frames && played.is_err() && media_container::has_preview_only(path) {
            return Err(CommandError::Failed(
                "its video covers so little of it that GStreamer takes it for a preview and does not play it: copy it to Matroska \
                 (ffmpeg -i FILE -c copy FILE.mkv encodes nothing anew), and process that"
                    .into(),
            ));
        }
        let fault = if let Some(length) = media_container::declared_length_if_truncated(path) {
            let text = format!("it ends in the middle, it should have at least {length} bytes");
            Warning::new(WarningKind::Truncated, text)
        } else if let Some(position) = media_container::next_recording(path) {
            let length = fs::metadata(path).map_or(position, |metadata| metadata.len());
            let share = format_percent(1.0 - position as f64 / length.max(1) as f64);
            let text = format!(
                "another recording begins at byte {position} of the file, and the {share} of it from there on are not analysed: \
                 split it (head -c {position} FILE and tail -c +{} FILE), and process both",
                position + 1
            );
            Warning::new(WarningKind::FurtherRecording, text)
        } else {
            return played;
        };
        let part = if has_frames { "the part before is done" } else { "the part before cannot be played" };
        let reason = played.err().map(|error| format!(" ({error})")).unwrap_or_default();
        let error = CommandError::Failed(format!("{}; {part}{reason}", fault.text));
        warnings.push(fault);
        Err(error)
    }

    /// Says where recordings are joined that were read as one, in the place of what their times alone have told; whether any are.
    /// The duration that such a file states is of no meaning.
    fn explain_joins(&self, timeline: &Timeline, warnings: &mut Vec<Warning>) -> bool {
        let joins = match self.input.kind {
            MediaKind::Video => media_container::joins(&self.input.path),
            _ => Vec::new(),
        };
        let begin = |share: f64| {
            let frame = timeline.frames.get((share * timeline.frames.len() as f64).round() as usize)?;
            Some(format!("{:.1} s", frame.pts as f64 / 1e9))
        };
        let begins: Vec<String> = joins.iter().filter_map(|share| begin(*share)).collect();
        let Some((first, others)) = begins.split_first() else { return false };
        let others = match others.len() {
            0 => String::new(),
            count if count < MAX_JOINS => format!(", {}", others.join(", ")),
            count => format!(", {} and {} more", others[..MAX_JOINS - 1].join(", "), count + 1 - MAX_JOINS),
        };
        let text = format!(
            "its clock begins anew at about {first}{others}: several recordings stand in the file, or parts of one are missing; all \
             is read as one recording, and times count on from what comes before"
        );
        warnings.retain(|warning| warning.kind != WarningKind::JoinedRecordings);
        warnings.push(Warning::new(WarningKind::JoinedRecordings, text));
        true
    }

    /// Fails if the options or the notes name people who are not in the timeline. Its people are not merged.
    fn check_people(&self, timeline: &Timeline) -> Result<(), CommandError> {
        let map = &self.notes.people;
        let seen = timeline.observations();
        let is_seen = |id: u32| seen.keys().any(|seen| map.person_id(*seen) == map.person_id(id));
        let mut merged = self.arguments.report.merge.iter().flat_map(|ids| ids.0.iter().copied());
        let missing =
            map.subject.filter(|id| !is_seen(*id)).or_else(|| merged.find(|id| !seen.contains_key(id)));
        let Some(missing) = missing else { return Ok(()) };
        let people: Vec<String> = seen
            .iter()
            .map(|(&id, observations)| {
                let seconds =
                    observations.iter().map(|observation| observation.duration()).sum::<u64>() as f64 / 1e9;
                format!("{id} ({}, found for {seconds:.1} s)", map.name(id))
            })
            .collect();
        let people = match people.as_slice() {
            [] => "nobody was found in it".into(),
            people => format!("there are {}", people.join(", ")),
        };
        Err(CommandError::Failed(format!("there is no person {missing} in the recording: {people}")))
    }

    /// Writes everything that is made from the timeline. Unless it `is_complete`, the next run will process
    /// the input again.
    fn write_outputs(
        &self,
        is_complete: bool,
        mut timeline: Timeline,
        resting_face: Option<&RestingProfile>,
        beginning: &Beginning,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        if !is_complete {
            timeline.end = None;
        }
        let mut fingerprint = self.fingerprint.clone();
        let checked = self.check_people(&timeline);
        let mut notes = self.notes.clone();
        if checked.is_err() {
            // The results are those of a run that names nobody, so that a run with other people need not decode it again.
            notes.people = PersonMap::default();
            fingerprint.report.people = PersonMap::default();
        }
        timeline.merge_people(&notes.people);
        let made_from = is_complete.then(|| MadeFrom::from_fingerprint(&fingerprint)).transpose()?;
        let session = RecordedSession {
            timeline: &timeline,
            title: self.title(),
            made_from,
            resting_face,
            recorded: beginning.recorded,
            warnings: warnings.clone(),
        };
        *warnings = outputs::write_outputs(session, folder, &self.arguments.report, &notes)?;
        checked
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
    fn process_photo(&self, warnings: &mut Vec<Warning>) -> Result<(), CommandError> {
        let folder = &self.input.folder;
        let timeline_path = partial_path(&folder.join("faces.jsonl"));
        let annotated = folder.join(ANNOTATED_PHOTO);
        let partial = partial_path(&annotated);
        let progress = self.start_progress();
        let processed = photo::process_photo(
            &self.graph_config(&Beginning::default(), &RestSource::Off),
            &timeline_path,
            &partial,
            &progress,
        );
        let mut timeline = processed.and_then(|(found, small_faces)| {
            warnings.extend(found);
            let timeline = read_timeline(&timeline_path, folder)?;
            warnings.extend(small_faces.warning(&timeline));
            Ok(timeline)
        });
        if let Ok(timeline) = &mut timeline
            && !self.arguments.report.pseudonym
        {
            let path = self.input.path.canonicalize().unwrap_or_else(|_| self.input.path.clone());
            timeline.header.source = gst::glib::filename_to_uri(path, None).ok().map(Into::into);
        }
        remove_if_present(&timeline_path)?;
        let mut timeline = timeline.inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })?;
        progress.finish(None);
        fs::rename(&partial, &annotated).map_err(|error| CommandError::io(&annotated, &error))?;
        let fault = warnings.iter().find(|warning| warning.kind == WarningKind::Truncated).cloned();
        if fault.is_some() {
            timeline.end = None;
        }
        let mut summary = Summary::compute(&timeline, &PersonMap::default());
        summary.title = self.title();
        summary.warnings.splice(0..0, warnings.iter().cloned());
        *warnings = summary.warnings.clone();
        outputs::write_export(&folder.join(FACES), session::export::Format::Csv, &timeline, &summary)?;
        if fault.is_none() {
            summary.made_from = Some(self.fingerprint.to_value()?);
        }
        write_json(&folder.join(SUMMARY), &summary)?;
        fault.map_or(Ok(()), |fault| {
            Err(CommandError::Failed(format!("{}; the part before is done", fault.text)))
        })
    }
}
