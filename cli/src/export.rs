//! `gst-mood export`: a session in the format of another program.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use session::export::{self, Format};
use session::{BaselineSource, Summary};

use crate::failure::Failure;
use crate::folder;

/// What to write, and where.
#[derive(clap::Args)]
pub struct Arguments {
    /// A timeline.jsonl, or the folder of a session
    timeline: PathBuf,
    /// csv, jsonl, eaf (ELAN), textgrid (Praat), boris, vtt, srt or audacity
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// The file to write, - for standard output; without it, session.FORMAT beside the timeline
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Stretches of an expression shorter than this count as what was before them; half a second unless another
    /// summary.json says so
    #[arg(long, value_name = "SECONDS", value_parser = crate::process::seconds)]
    shortest: Option<f64>,
}

/// Exports one session.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    folder::keep_private();
    let mut session = folder::load(&arguments.timeline)?;
    if let Some(seconds) = arguments.shortest {
        let cast = session.summary.person_map.clone();
        let shortest = (seconds * 1e9) as u64;
        let counted = Summary::compute_with(&session.timeline, &cast, &BaselineSource::None, shortest);
        session.summary = Summary { title: session.summary.title, source: session.summary.source, ..counted };
    }
    let recording = session.recording();
    let write =
        |to: &mut dyn Write| export::write(arguments.to, &session.timeline, &session.summary, &recording, to);
    match arguments.output {
        Some(path) if path.as_os_str() == "-" => {
            let mut out = BufWriter::new(io::stdout().lock());
            match write(&mut out).and_then(|()| out.flush()) {
                // Whoever reads has read enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.map_err(|error| Failure::Work(format!("standard output: {error}"))),
            }
        }
        path => {
            let name = format!("session.{}", arguments.to.extension());
            let path = path.unwrap_or_else(|| session.folder.join(name));
            folder::write_whole(&path, |file| write(file))?;
            println!("{}", path.display());
            Ok(())
        }
    }
}
