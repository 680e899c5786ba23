//! The folder of a session: which files it has, and how they are read back.

use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use mini_xception::resting_face::RestingProfile;
use session::export::Recording;
use session::report::Film;
use session::{BrokenLines, PersonMap, Summary, Timeline};

use crate::error::CommandError;
use crate::files::{partial_path, remove_if_present, utc_now, write_atomically};

/// The recorded timeline, JSON Lines.
pub const TIMELINE: &str = "timeline.jsonl";
/// The player's decision log, JSON Lines.
pub const MUSIC: &str = "music.jsonl";
/// What was marked in a live session, JSON Lines.
pub const MARKERS: &str = "markers.jsonl";
/// What humans corrected, JSON Lines.
pub const CORRECTIONS: &str = "corrections.jsonl";
/// Notes about a live session, in the form of those beside a recording.
pub const NOTES: &str = "session.toml";
/// The recorded video of a live session, once the session is over.
pub const RECORDED_VIDEO: &str = "recording.mp4";
/// The statistics; written last, so that it marks a finished session.
pub const SUMMARY: &str = "summary.json";
/// The subject's usual expression, where one was measured.
pub const BASELINE: &str = "baseline.json";
/// What the session taught about the subject's resting face.
pub const RESTING_FACE: &str = "resting_face.json";
/// The report page.
pub const REPORT: &str = "report.html";
/// The video with boxes, labels and music.
pub const ANNOTATED_VIDEO: &str = "annotated.mp4";
/// The table of a photo's faces.
pub const FACES: &str = "faces.csv";
/// A photo with its faces drawn.
pub const ANNOTATED_PHOTO: &str = "annotated.jpg";
/// The music that the player chose.
pub const SOUNDTRACK: &str = "soundtrack.ogg";

/// The same music without loss, for the annotated video; only while that is made, under its partial name.
pub const FILM_MUSIC: &str = "soundtrack.flac";

/// Where a live session records its video after the pipeline was started for the `number`th time: Matroska, which can be read
/// up to where it was cut off.
pub fn recording_path(folder: &Path, number: usize) -> PathBuf {
    folder.join(match number {
        1 => "recording.mkv".to_owned(),
        number => format!("recording-{number}.mkv"),
    })
}

/// A session read from its folder.
pub struct SessionFolder {
    /// Where the folder is.
    pub path: PathBuf,
    /// The timeline with the player's decisions; the ids of its faces are merged to those of people.
    pub timeline: Timeline,
    /// The statistics of `summary.json`, or computed from the timeline.
    pub summary: Summary,
}

impl SessionFolder {
    /// Loads a session from `path`, its folder or its timeline. Without a `summary.json` beside the timeline,
    /// the statistics are computed.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        let file = if path.is_dir() { path.join(TIMELINE) } else { path.to_path_buf() };
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = parent.to_path_buf();
        let mut timeline = read_timeline(&file, &folder)?;
        let summary_path = folder.join(SUMMARY);
        // A timeline of another name is not the one that the summary is about.
        let has_summary = file.file_name().is_some_and(|name| name == TIMELINE) && summary_path.exists();
        let summary = if has_summary {
            read_summary(&summary_path)?
        } else {
            Summary::compute(&timeline, &PersonMap::default())
        };
        timeline.merge_people(&summary.person_map);
        Ok(Self { path: folder, timeline, summary })
    }

    /// Title, date and media of the recording, for an export to `output`; `None` for standard output.
    pub fn recording(&self, output: Option<&Path>) -> Recording {
        recording(&self.summary, &self.path, output)
    }
}

/// Title, date and media of the recording of the session in `folder`, for an export to `output`.
pub fn recording(summary: &Summary, folder: &Path, output: Option<&Path>) -> Recording {
    let canonical = |folder: &Path| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.canonicalize().ok()
    };
    let mut films = [RECORDED_VIDEO, ANNOTATED_VIDEO].into_iter().map(|name| folder.join(name));
    let film = films.find(|film| film.exists()).and_then(|film| film.canonicalize().ok());
    Recording {
        title: summary.title.clone(),
        date: utc_now(),
        media: summary.source.clone(),
        film,
        folder: output.and_then(Path::parent).and_then(canonical),
    }
}

/// Reads the timeline `file` together with the player's decisions, the markers and the corrections in `folder`, if there are any.
pub fn read_timeline(file: &Path, folder: &Path) -> Result<Timeline, CommandError> {
    let describe = |path: &Path, error: session::ReadError| match error {
        session::ReadError::Open { .. } => CommandError::Failed(error.to_string()),
        error => CommandError::Failed(format!("{}: {error}", path.display())),
    };
    let mut timeline = Timeline::load(file).map_err(|error| describe(file, error))?;
    warn_of_broken_lines(file, timeline.broken_lines);
    for path in
        [MUSIC, MARKERS, CORRECTIONS].map(|name| folder.join(name)).into_iter().filter(|path| path.exists())
    {
        let file = File::open(&path).map_err(|error| CommandError::io(&path, &error))?;
        match session::read_lines(BufReader::new(file)) {
            Ok(read) => {
                timeline.add_music(read.lines);
                warn_of_broken_lines(&path, read.broken);
            }
            // A player that was never started leaves an empty log.
            Err(session::ReadError::Empty) => {}
            Err(error) => return Err(describe(&path, error)),
        }
    }
    Ok(timeline)
}

/// Prints how many lines of a file were passed over, if any.
fn warn_of_broken_lines(path: &Path, broken: BrokenLines) {
    let BrokenLines { count, first } = broken;
    if count > 0 {
        let path = path.display();
        eprintln!("gst-mood: warning: {path}: {count} broken lines, from line {first} on, were passed over");
    }
}

/// Reads a `summary.json`. Fails if it is broken or of a newer schema.
pub fn read_summary(path: &Path) -> Result<Summary, CommandError> {
    let text = fs::read(path).map_err(|error| CommandError::io(path, &error))?;
    let broken = |error| {
        CommandError::Failed(format!(
            "{} is broken ({error}): remove it and run process again",
            path.display()
        ))
    };
    let summary: Summary = serde_json::from_slice(&text).map_err(broken)?;
    if summary.schema > session::SUMMARY_SCHEMA_VERSION {
        let (found, supported) = (summary.schema, session::SUMMARY_SCHEMA_VERSION);
        return Err(CommandError::Failed(format!(
            "{} has schema {found}, this program reads up to {supported}: use a newer gst-mood",
            path.display()
        )));
    }
    Ok(summary)
}

/// Writes a resting profile to `path`, as one line of less than 1 KB.
pub fn write_resting_face(path: &Path, profile: &RestingProfile) -> Result<(), CommandError> {
    write_atomically(path, |file| writeln!(file, "{}", profile.to_json()))
}

/// Writes the report page of a session into its folder.
pub fn write_report(folder: &Path, timeline: &Timeline, summary: &Summary) -> Result<(), CommandError> {
    write_report_to(&folder.join(REPORT), folder, timeline, summary)
}

/// Writes the report page of the session in `folder` to `path`. Only a page in that folder can show its
/// video.
pub fn write_report_to(
    path: &Path,
    folder: &Path,
    timeline: &Timeline,
    summary: &Summary,
) -> Result<(), CommandError> {
    let is_beside = path.parent() == Some(folder);
    let mut videos = [ANNOTATED_VIDEO, RECORDED_VIDEO].into_iter();
    let video = videos.find(|name| is_beside && folder.join(name).exists());
    // Both begin with the session's clock.
    let film = video.map(|name| Film { file: name.into(), start: 0, has_labels: name == ANNOTATED_VIDEO });
    let page = session::report::render_session(timeline, summary, &summary.title, film);
    write_atomically(path, |file| file.write_all(page.as_bytes()))
}

/// Renames the soundtrack that a pipeline finished, and the video if that `is_finished` too, from their partial
/// names; an unfinished video is removed. They can be played, even if an interruption made them shorter.
pub fn commit_media(folder: &Path, is_video_finished: bool) -> Result<(), CommandError> {
    if !is_video_finished {
        remove_if_present(&partial_path(&folder.join(ANNOTATED_VIDEO)))?;
    }
    for name in [ANNOTATED_VIDEO, SOUNDTRACK] {
        let path = folder.join(name);
        if partial_path(&path).exists() {
            fs::rename(partial_path(&path), &path).map_err(|error| CommandError::io(&path, &error))?;
        }
    }
    Ok(())
}

/// Removes the video and the soundtrack that a pipeline did not finish: they cannot be played.
pub fn discard_media(folder: &Path) -> Result<(), CommandError> {
    remove_if_present(&partial_path(&folder.join(ANNOTATED_VIDEO)))?;
    remove_if_present(&partial_path(&folder.join(SOUNDTRACK)))
}
