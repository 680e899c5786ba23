//! `gst-mood report`: makes a session's page again, or compares several sessions of one person.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use session::tables::{SecondsTable, SessionsTable};
use session::{Comparison, Summary, report};

use crate::arguments::path_parser;
use crate::clients::Client;
use crate::error::CommandError;
use crate::files;
use crate::folder::{REPORT, SessionFolder, write_report_to};

/// The table with a row for every session and person.
const SESSIONS: &str = "sessions.csv";
/// The table with a row for every session, person and second.
const SECONDS: &str = "seconds.csv";

/// The arguments of `report`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folders of sessions, or timelines; one gives its report, several a comparison in their order
    #[arg(required_unless_present = "client", value_parser = path_parser())]
    sessions: Vec<PathBuf>,
    /// Compare the sessions kept of this client
    #[arg(long, value_name = "NAME", conflicts_with = "sessions")]
    client: Option<String>,
    /// The page to write; without it, report.html beside a single session, and comparison.html here
    #[arg(short, long, value_parser = path_parser())]
    output: Option<PathBuf>,
    /// Write the tidy tables sessions.csv and seconds.csv of the sessions into this folder: docs/analysis.md
    #[arg(long, value_name = "FOLDER", conflicts_with = "client", value_parser = path_parser())]
    tables: Option<PathBuf>,
    /// Print the comparison, or the statistics of a single session, as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the page.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    if let Some(folder) = &arguments.tables {
        write_tables(folder, &arguments.sessions)?;
    }
    if let [one] = &arguments.sessions[..] {
        let session = SessionFolder::load(one)?;
        let path = arguments.output.unwrap_or_else(|| session.path.join(REPORT));
        write_report_to(&path, &session.path, &session.timeline, &session.summary)?;
        if arguments.json {
            println!("{:#}", serde_json::json!(session.summary));
        } else {
            println!("{}", path.display());
        }
        return Ok(());
    }
    let summaries: Vec<Summary> = match &arguments.client {
        Some(name) => Client::open(name)?.sessions()?,
        None => {
            let sessions = arguments.sessions.iter().map(|path| SessionFolder::load(path));
            sessions.map(|session| session.map(|session| session.summary)).collect::<Result<_, _>>()?
        }
    };
    let comparison = Comparison::from_summaries(&summaries);
    if comparison.sessions.len() < 2 {
        return Err(CommandError::Failed(
            "a comparison takes at least two sessions in which a face was found".into(),
        ));
    }
    for warning in &comparison.warnings {
        eprintln!("gst-mood: warning: {}", warning.text);
    }
    if arguments.json {
        println!("{:#}", serde_json::json!(comparison));
    }
    let path = arguments.output.unwrap_or_else(|| "comparison.html".into());
    files::write_atomically(&path, |file| file.write_all(report::render_comparison(&comparison).as_bytes()))?;
    if !arguments.json {
        println!("{}", path.display());
    }
    Ok(())
}

/// Writes a row for every session and person, and one for every session, person and second.
fn write_tables(folder: &Path, sessions: &[PathBuf]) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder).map_err(|error| CommandError::io(folder, &error))?;
    let names = name_sessions(sessions);
    let mut rows = Vec::new();
    let mut people = SessionsTable::new(&mut rows).map_err(|error| CommandError::io(folder, &error))?;
    let mut unreadable = None;
    let written = files::write_atomically(&folder.join(SECONDS), |file| {
        let mut seconds = SecondsTable::new(file)?;
        for (name, path) in names.iter().zip(sessions) {
            // One at a time: a long session fills much memory.
            let session = SessionFolder::load(path).map_err(|error| {
                unreadable = Some(error);
                io::Error::other("a session cannot be read")
            })?;
            people.add(name, &session.summary)?;
            seconds.add(name, &session.timeline, &session.summary)?;
        }
        seconds.finish()
    });
    if let Some(error) = unreadable {
        return Err(error);
    }
    written?;
    people.finish().map_err(|error| CommandError::io(folder, &error))?;
    files::write_atomically(&folder.join(SESSIONS), |file| file.write_all(&rows))
}

/// A name for each session, by which the tables tell them apart: that of its folder, with a number where another has it.
fn name_sessions(sessions: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in sessions {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
        let name = folder.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let mut candidates =
            std::iter::once(name.clone()).chain((2..).map(|number| format!("{name} ({number})")));
        names.push(candidates.find(|candidate| !names.contains(candidate)).unwrap_or(name));
    }
    names
}
