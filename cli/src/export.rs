//! `gst-mood export`: a session in the format of another program.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use session::export::{self, Format};
use session::{BaselineSource, Summary};

use crate::arguments::{parse_seconds, path_parser};
use crate::error::CommandError;
use crate::files;
use crate::folder::SessionFolder;
use crate::output;

/// The arguments of `export`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A timeline.jsonl, or the folder of a session
    #[arg(value_parser = path_parser())]
    timeline: PathBuf,
    /// csv, jsonl, eaf (ELAN), textgrid (Praat), boris, vtt, srt, bids (events.tsv with its JSON) or audacity
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// The file to write, - for standard output [default: session.FORMAT beside the timeline, of bids session_events.tsv]
    #[arg(short, long, value_parser = path_parser())]
    output: Option<PathBuf>,
    /// Episodes of an expression shorter than this count as the expression before them; without it, the
    /// episodes of summary.json are written
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    shortest: Option<f64>,
}

/// Exports one session.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    let mut session = SessionFolder::load(&arguments.timeline)?;
    if let Some(seconds) = arguments.shortest {
        let person_map = session.summary.person_map.clone();
        let shortest = (seconds * 1e9) as u64;
        let summary = Summary::compute_with(&session.timeline, &person_map, &BaselineSource::None, shortest);
        session.summary = Summary { title: session.summary.title, source: session.summary.source, ..summary };
    }
    let output = match arguments.output {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(path),
        None => Some(session.path.join(default_name(arguments.to))),
    };
    let recording = session.recording(output.as_deref());
    let write =
        |to: &mut dyn Write| export::write(arguments.to, &session.timeline, &session.summary, &recording, to);
    match output {
        None => {
            let mut out = BufWriter::new(output::stdout());
            match write(&mut out).and_then(|()| out.flush()) {
                // The reader has closed the pipe, for example `head`.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result.map_err(|error| CommandError::Failed(format!("standard output: {error}"))),
            }
        }
        Some(path) => {
            // What is no file, such as a pipe, gets the table only.
            let is_file = std::fs::metadata(&path).map_or(true, |found| found.is_file());
            let description = path.with_extension("json");
            let has_description = arguments.to == Format::Bids && is_file;
            if has_description && description == path {
                let text = "-o: name the table, such as session_events.tsv; its description gets the same name with .json";
                return Err(CommandError::Usage(text.into()));
            }
            files::write_atomically(&path, |file| write(file))?;
            println!("{}", path.display());
            if has_description {
                files::write_json(&description, &export::describe_bids_columns())?;
                println!("{}", description.display());
            }
            Ok(())
        }
    }
}

/// The name of the file where none is given.
fn default_name(format: Format) -> String {
    match format {
        // As the specification has it.
        Format::Bids => "session_events.tsv".into(),
        format => format!("session.{}", format.extension()),
    }
}
