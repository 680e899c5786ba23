//! A session's folder: what lies where, read back, and written so that only its owner can read it and only whole.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use session::export::Recording;
use session::{PersonMap, Summary, Timeline};

use crate::failure::Failure;

pub const TIMELINE: &str = "timeline.jsonl";
pub const MUSIC: &str = "music.jsonl";
pub const SUMMARY: &str = "summary.json";
pub const REPORT: &str = "report.html";
pub const ANNOTATED: &str = "annotated.mp4";
/// The rows of a photograph, and the picture with its faces drawn.
pub const FACES: &str = "faces.csv";
pub const PICTURE: &str = "annotated.jpg";
pub const SOUNDTRACK: &str = "soundtrack.ogg";

/// A session read back.
pub struct Session {
    /// Where it lies.
    pub folder: PathBuf,
    pub timeline: Timeline,
    pub summary: Summary,
}

/// From here on, files of this process are readable by their owner only, whoever writes them.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Reads a session: its folder, or its timeline. Without a `summary.json` beside it, the timeline is counted anew.
pub fn load(path: &Path) -> Result<Session, Failure> {
    let is_folder = path.is_dir();
    let file = if is_folder { path.join(TIMELINE) } else { path.to_path_buf() };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.to_path_buf();
    let mut timeline = read_timeline(&file, &folder)?;
    let known = folder.join(SUMMARY);
    let of_this = file.file_name().is_some_and(|name| name == TIMELINE) && known.exists();
    let summary =
        if of_this { read_summary(&known)? } else { Summary::compute(&timeline, &PersonMap::default()) };
    timeline.merge_people(&summary.person_map);
    Ok(Session { folder, timeline, summary })
}

/// The lines of a timeline, with the decisions of the player beside it.
pub fn read_timeline(file: &Path, folder: &Path) -> Result<Timeline, Failure> {
    let failed = |path: &Path, error: session::ReadError| match error {
        session::ReadError::Open { .. } => Failure::Work(error.to_string()),
        error => Failure::Work(format!("{}: {error}", path.display())),
    };
    let mut timeline = Timeline::load(file).map_err(|error| failed(file, error))?;
    let music = folder.join(MUSIC);
    if music.exists() {
        let file = File::open(&music).map_err(|error| Failure::file(&music, &error))?;
        match session::read_lines(BufReader::new(file)) {
            Ok(decisions) => timeline.add_music(decisions),
            // A player that never began leaves an empty log.
            Err(session::ReadError::Empty) => {}
            Err(error) => return Err(failed(&music, error)),
        }
    }
    Ok(timeline)
}

/// A `summary.json`.
pub fn read_summary(path: &Path) -> Result<Summary, Failure> {
    let text = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let broken = |error| {
        Failure::Work(format!("{} is broken ({error}): remove it and run process again", path.display()))
    };
    let summary: Summary = serde_json::from_slice(&text).map_err(broken)?;
    if summary.schema > session::SUMMARY_SCHEMA_VERSION {
        let (found, known) = (summary.schema, session::SUMMARY_SCHEMA_VERSION);
        return Err(Failure::Work(format!(
            "{} has schema {found}, this program reads up to {known}: use a newer gst-mood",
            path.display()
        )));
    }
    Ok(summary)
}

impl Session {
    /// What exports say of the recording.
    pub fn recording(&self) -> Recording {
        Recording { title: self.summary.title.clone(), date: now(), media: self.summary.source.clone() }
    }
}

/// Makes the report page of a session, beside it.
pub fn write_report(folder: &Path, timeline: &Timeline, summary: &Summary) -> Result<(), Failure> {
    write_report_to(&folder.join(REPORT), folder, timeline, summary)
}

/// Makes the report page of the session in `folder`. Only a page beside it can show its film.
pub fn write_report_to(
    path: &Path,
    folder: &Path,
    timeline: &Timeline,
    summary: &Summary,
) -> Result<(), Failure> {
    let beside = path.parent() == Some(folder) && folder.join(ANNOTATED).exists();
    let page =
        session::report::render_session(timeline, summary, &summary.title, beside.then_some(ANNOTATED));
    write_whole(path, |file| file.write_all(page.as_bytes()))
}

/// The time, as ISO 8601 says it, UTC.
pub fn now() -> String {
    let now = gst::glib::DateTime::now_utc().and_then(|now| now.format("%Y-%m-%dT%H:%M:%SZ"));
    now.map_or_else(|_| "1970-01-01T00:00:00Z".into(), |text| text.to_string())
}

/// Writes a file under another name and gives it its own when it is whole. What a link points to is replaced, not the
/// link; what is no file, such as a pipe or `/dev/null`, is written to as it stands.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failure> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let is_other = fs::metadata(&real).is_ok_and(|there| !there.is_file() && !there.is_dir());
    let to = if is_other { real.clone() } else { part_of(&real) };
    let written = File::create(&to).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.flush()?;
        if is_other { Ok(()) } else { fs::rename(&to, &real) }
    });
    written.map_err(|error| {
        if !is_other {
            // What is half done helps nobody.
            let _ = fs::remove_file(&to);
        }
        Failure::file(path, &error)
    })
}

/// Gives the films and soundtracks of a folder their names: they are whole, if perhaps shorter.
pub fn name_films(folder: &Path) -> Result<(), Failure> {
    for name in [ANNOTATED, SOUNDTRACK] {
        let path = folder.join(name);
        if part_of(&path).exists() {
            fs::rename(part_of(&path), &path).map_err(|error| Failure::file(&path, &error))?;
        }
    }
    Ok(())
}

/// Removes those without an end: neither can be played.
pub fn drop_films(folder: &Path) -> Result<(), Failure> {
    remove(&part_of(&folder.join(ANNOTATED)))?;
    remove(&part_of(&folder.join(SOUNDTRACK)))
}

/// Removes a file that may not be there.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::file(path, &error)),
        _ => Ok(()),
    }
}

/// The name of a file while it is not whole.
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}
