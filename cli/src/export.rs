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
    /// csv, jsonl, eaf (ELAN), textgrid (Praat), boris, vtt, srt or audacity
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// The file to write, - for standard output [default: session.FORMAT beside the timeline]
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
    let recording = session.recording();
    let write =
        |to: &mut dyn Write| export::write(arguments.to, &session.timeline, &session.summary, &recording, to);
    match arguments.output {
        Some(path) if path.as_os_str() == "-" => {
            let mut out = BufWriter::new(output::stdout());
            match write(&mut out).and_then(|()| out.flush()) {
                // The reader has closed the pipe, for example `head`.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result.map_err(|error| CommandError::Failed(format!("standard output: {error}"))),
            }
        }
        path => {
            let name = format!("session.{}", arguments.to.extension());
            let path = path.unwrap_or_else(|| session.path.join(name));
            files::write_atomically(&path, |file| write(file))?;
            println!("{}", path.display());
            Ok(())
        }
    }
}
