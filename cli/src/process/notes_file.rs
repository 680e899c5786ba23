//! `gst-mood notes`: writes the notes of a recording to fill in, with the people who were found in it.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use session::{RecordedOrigin, WarningKind, report};
use url::Url;

use super::fingerprint::InputId;
use super::notes;
use crate::arguments::path_parser;
use crate::digest::path_hash;
use crate::error::CommandError;
use crate::folder::{MARKERS, SUMMARY, SessionFolder, TIMELINE, read_summary};
use crate::output::replace_control_characters;

/// The arguments of `notes`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A recording, or the folder of its results or of a live session
    #[arg(value_parser = path_parser())]
    path: PathBuf,
    /// The folder for results that was given to process, where it is not found beside the recording or here
    #[arg(short, long, value_parser = path_parser())]
    output: Option<PathBuf>,
}

/// Writes the notes, unless there are some, and prints their path.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let Arguments { path, output } = arguments;
    let (recording, results) = if path.is_dir() {
        let session = SessionFolder::load(path)?;
        (find_recording(path, &session)?, Some(session))
    } else if path.is_file() {
        let folder = find_results(path, output.as_deref());
        if let (None, Some(output)) = (&folder, output) {
            let text = format!("{} has no results of {}", output.display(), path.display());
            return Err(CommandError::Failed(text));
        }
        (path.clone(), folder.map(|folder| SessionFolder::load(&folder)).transpose()?)
    } else {
        return Err(CommandError::Failed(format!("{}: no such file or folder", path.display())));
    };
    if let Some(existing) = notes::paths(&recording).into_iter().find(|path| path.exists()) {
        let text = format!("{} is there already: edit it, or remove it first", existing.display());
        return Err(CommandError::Failed(text));
    }
    let notes = recording.with_extension("toml");
    let name = recording.file_name().unwrap_or_default().to_string_lossy();
    write_new(&notes, &fill_in(&name, results.as_ref())).map_err(|error| CommandError::io(&notes, &error))?;
    println!("{}", notes.display());
    Ok(())
}

/// Writes a file that must not exist.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// The recording that the notes of the session in `folder` belong to; for a live session the name that stands for it.
fn find_recording(folder: &Path, session: &SessionFolder) -> Result<PathBuf, CommandError> {
    if session.summary.clock.is_some() || folder.join(MARKERS).exists() {
        return Ok(folder.join(notes::LIVE_RECORDING));
    }
    let path =
        session.summary.source.as_deref().and_then(|source| Url::parse(source).ok()?.to_file_path().ok());
    path.filter(|path| path.is_file()).ok_or_else(|| {
        CommandError::Failed(format!(
            "where the recording of {} is, is not known: name it (gst-mood notes VIDEO -o {})",
            folder.display(),
            folder
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or(Path::new("."))
                .display()
        ))
    })
}

/// The folder with the results of a recording: below `output`, or else below the recording's folder or this one, at most two
/// folders deep.
fn find_results(recording: &Path, output: Option<&Path>) -> Option<PathBuf> {
    let hash = path_hash(recording);
    let is_of_recording = |folder: &PathBuf| {
        let summary = read_summary(&folder.join(SUMMARY)).ok();
        let input = summary.as_ref().and_then(InputId::from_summary);
        input.is_some_and(|input| input.path_hash == hash) && folder.join(TIMELINE).is_file()
    };
    let bases = match output {
        Some(output) => vec![output.to_path_buf()],
        None => vec![recording.parent().map(Path::to_path_buf).unwrap_or_default(), PathBuf::from(".")],
    };
    let bases = bases.into_iter().map(|base| if base.as_os_str().is_empty() { ".".into() } else { base });
    let folders: Vec<PathBuf> = bases
        .flat_map(|base| {
            let children = subfolders(&base);
            let grandchildren: Vec<PathBuf> = children.iter().flat_map(|child| subfolders(child)).collect();
            [vec![base], children, grandchildren].concat()
        })
        .collect();
    folders.into_iter().find(is_of_recording)
}

/// The most folders in one that are looked at.
const MAX_FOLDERS: usize = 10_000;

/// The folders in a folder, in order; none where it cannot be read.
fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<PathBuf> = folders.take(MAX_FOLDERS).map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

/// The notes for a recording called `name`, filled in with what its results say.
fn fill_in(name: &str, results: Option<&SessionFolder>) -> String {
    let mut text = format!(
        "# Notes on {}, which gst-mood process reads. A line that begins with # says nothing to it.\n",
        replace_control_characters(name)
    );
    let recorded = results.and_then(|session| session.summary.recorded);
    text += &match recorded {
        Some(recorded) if matches!(recorded.origin, RecordedOrigin::File | RecordedOrigin::Clock) => {
            format!("\n# When it was recorded, where this is wrong:\n# date = {}\n", recorded.at)
        }
        Some(recorded) => format!("\n# When it was recorded:\ndate = {}\n", recorded.at),
        None => {
            "\n# When it was recorded, where the file does not say it:\n# date = 2026-05-03T14:05:00\n".into()
        }
    };
    text += r##"
# What the report is to say about the session:
# note = """
# What was planned, what happened, what to look at.
# """

# What the session is compared by with others, such as music or no music; parts of it under another condition: docs/analysis.md
# condition = "music"

# People and clients are named only with a note that they agree: who, when, where the signed form is.
# consent = "signed on 3 May 2026, in the practice's files"
# Or, instead of that line, a table with all that a form says, at the end of this file:
# [consent]
# by = "Ada Lovelace"
# on = 2026-05-03
# scope = "analysis of the videos"
# until = 2036-05-03
# note = "form 12, in the practice's files"

# Keeps the session in this client's history:
# client = "the client's name"

# Whom the report is about and the music follows, one of the people below:
"##;
    let people: Vec<_> =
        results.map(|session| report::listed_people(&session.summary).collect()).unwrap_or_default();
    let subject = results.and_then(|session| session.summary.subject_id);
    let is_chosen = results.is_some_and(|session| session.summary.person_map.subject.is_some());
    let mark = if is_chosen { "" } else { "# " };
    let _ = writeln!(text, "{mark}subject = \"person{}\"", subject.unwrap_or(1));
    let Some(session) = results.filter(|_| !people.is_empty()) else {
        let why = if results.is_some() {
            "Nobody was found."
        } else {
            "Who was found is known after gst-mood process."
        };
        let _ = write!(
            text,
            "\n# {why} How many people there are:\n# people = 2\n# or who they are, by the numbers of the report:\n\
             # [people.person1]\n# name = \"Ada\"\n# ids = [1, 4]\n"
        );
        return text;
    };
    for warning in session.summary.warnings.iter().filter(|warning| warning.kind == WarningKind::LookAlikes) {
        let _ = writeln!(text, "\n# {}: then write their numbers in one list of ids below.", warning.text);
    }
    for person in people {
        let ids: Vec<String> =
            session.summary.person_map.ids_of(person.id).iter().map(u32::to_string).collect();
        let place = report::describe_presence(&session.timeline, &session.summary, person);
        let _ = write!(
            text,
            "\n# {place}\n[people.person{id}]\n# name = \"...\"   # shown instead of person{id}\nids = [{ids}]\n",
            id = person.id,
            ids = ids.join(", ")
        );
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::process::ReportOptions;
    use crate::process::notes::Notes;

    /// A session of 20 s in `folder`, in which person 1 is on the left, and person 3 for half the time on the right.
    fn write_session(folder: &Path) {
        let mut lines = r#"{"type":"session","schema":1,"generator":"test","settings":{}}"#.to_owned() + "\n";
        for frame in 0..200 {
            let face = |id, x| format!(r#"{{"id":{id},"box":[{x},0.2,0.2,0.3],"quality":0.8}}"#);
            let mut faces = vec![face(1, 0.1)];
            if frame < 100 {
                faces.push(face(3, 0.7));
            }
            let (pts, faces) = (frame * 100_000_000u64, faces.join(","));
            lines += &format!(r#"{{"type":"frame","frame":{frame},"pts":{pts},"faces":[{faces}]}}"#);
            lines += "\n";
        }
        fs::write(folder.join(TIMELINE), lines).unwrap();
    }

    #[test]
    fn notes_of_a_session_name_the_people_found_and_are_valid() {
        let folder = tempfile::tempdir().unwrap();
        write_session(folder.path());
        let session = SessionFolder::load(folder.path()).unwrap();
        let text = fill_in("a\nb.mp4", Some(&session));
        assert!(text.starts_with("# Notes on a b.mp4, "), "{text}");
        assert!(
            text.contains("# on the right, found for 10 seconds (50 %), 0:00.0 to 0:10.0\n[people.person3]"),
            "{text}"
        );
        fs::write(folder.path().join("a.toml"), &text).unwrap();
        let load = || Notes::load(&folder.path().join("a.mp4"), &ReportOptions::default());
        let notes = load().unwrap();
        assert_eq!(
            (notes.people.name(3).as_str(), notes.people.subject, notes.recorded),
            ("person3", None, None)
        );
        // What is proposed is valid too, once the marks are removed: the consent as a text, or as a table at the end.
        let (before, rest) = text.split_once("# [consent]\n").unwrap();
        let (table, after) = rest.split_once("\n\n").unwrap();
        let unmark = |text: &str| -> String {
            let is_proposed =
                |line: &&str| line.contains(" = ") || *line == "\"\"\"" || line.starts_with("What was p");
            let unmarked =
                |line: &str| line.strip_prefix("# ").filter(is_proposed).unwrap_or(line).to_owned();
            text.lines().map(|line| unmarked(line) + "\n").collect()
        };
        let with_table = format!(
            "{}[consent]\n{}",
            unmark(&format!("{before}\n{after}")).replace("\nconsent = ", "\n# consent = "),
            unmark(table)
        );
        let text = unmark(&format!("{before}\n{after}"));
        fs::write(folder.path().join("a.toml"), &with_table).unwrap();
        let terms = load().unwrap_or_else(|error| panic!("{error}\n{with_table}")).consent.unwrap().terms;
        assert_eq!(
            crate::consent::describe_terms(&terms),
            "by Ada Lovelace, on 2026-05-03, for analysis of the videos, until 2036-05-03"
        );
        fs::write(folder.path().join("a.toml"), &text).unwrap();
        let notes = load().unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(
            notes.people.subject == Some(1) && notes.note.is_some() && notes.recorded.is_some(),
            "{text}"
        );
        assert_eq!(notes.conditions.condition.as_deref(), Some("music"));
        assert_eq!(notes.client.unwrap().note, "signed on 3 May 2026, in the practice's files");
    }

    #[test]
    fn notes_are_written_beside_the_recording_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("a.mp4");
        fs::write(&video, "").unwrap();
        let notes = |path: &Path| {
            run(&Arguments { path: path.into(), output: None }).map_err(|error| error.to_string())
        };
        notes(&video).unwrap();
        assert!(fs::read_to_string(folder.path().join("a.toml")).unwrap().contains("# people = 2"));
        assert!(notes(&video).unwrap_err().contains("is there already"));
        fs::rename(folder.path().join("a.toml"), folder.path().join("a.mp4.toml")).unwrap();
        assert!(notes(&video).unwrap_err().contains("a.mp4.toml is there already"));
        write_session(folder.path());
        assert!(notes(folder.path()).unwrap_err().contains("gst-mood notes VIDEO -o"));
        fs::write(
            folder.path().join(MARKERS),
            r#"{"type":"session","schema":1,"generator":"","settings":{}}"#.to_owned() + "\n",
        )
        .unwrap();
        notes(folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("session.toml")).unwrap();
        assert!(text.contains("[people.person1]"), "{text}");
        assert!(notes(&folder.path().join("none.mp4")).unwrap_err().contains("no such file"));
    }
}
