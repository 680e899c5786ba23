//! `gst-mood report`: makes a session's page again, or compares several sessions of one person.

use std::io::Write as _;
use std::path::PathBuf;

use session::{Comparison, Summary, report};

use crate::arguments::path_parser;
use crate::clients::Client;
use crate::error::CommandError;
use crate::files;
use crate::folder::{REPORT, SessionFolder, write_report_to};
use crate::progress::replace_control_characters;

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
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the page.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    if let [one] = &arguments.sessions[..] {
        let session = SessionFolder::load(one)?;
        let path = arguments.output.unwrap_or_else(|| session.path.join(REPORT));
        write_report_to(&path, &session.path, &session.timeline, &session.summary)?;
        println!("{}", path.display());
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
        eprintln!("gst-mood: warning: {}", replace_control_characters(&warning.text));
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
