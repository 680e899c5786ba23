//! `gst-mood process`: recordings and photographs in, a folder for each out.

mod container;
pub mod fingerprint;
mod graph;
mod inputs;
mod notes;
mod outputs;
mod photographs;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use crate::failure::Failure;
use crate::progress::printable;
use crate::{doctor, folder, pipeline, start_gstreamer};
use inputs::Input;
pub use notes::Consented;

/// What to process, and how.
#[derive(clap::Args)]
pub struct Arguments {
    /// Videos, photographs, folders of them, or patterns such as 'archive/**/*.mp4'
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Folder for the results, one folder in it for each input
    #[arg(short, long)]
    output: PathBuf,
    /// Process again what is finished
    #[arg(long)]
    force: bool,
    /// Inputs side by side
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    reading: Reading,
}

/// What needs the video to be decoded again when it changes.
#[derive(Clone, Debug, Serialize, clap::Args)]
struct Settings {
    /// Also make annotated.mp4: boxes, labels, music
    #[arg(long)]
    overlay: bool,
    /// Make faces in annotated.mp4 unrecognisable
    #[arg(long, requires = "overlay")]
    blur_faces: bool,
    /// What becomes of the recording's own sound in annotated.mp4; without this, ducked under music and kept otherwise
    #[arg(long, value_enum, requires = "overlay")]
    audio: Option<Audio>,
    /// Music that follows the mood, a folder, a playlist or a database: soundtrack.ogg and music.jsonl
    #[arg(long)]
    library: Option<PathBuf>,
    /// Which video stream, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    video: u32,
    /// Faces are searched in the whole picture this often, and followed in between; 0 searches every frame
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    scan_interval: f64,
    /// An expression is estimated this often; 0 estimates it in every frame
    #[arg(long, value_name = "SECONDS", default_value_t = 0.2, value_parser = seconds)]
    classify_interval: f64,
    /// An ONNX model instead of the built-in one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// What becomes of the recording's own sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Audio {
    Keep,
    Duck,
    Drop,
}

impl Settings {
    /// What is named must be there, or every input would fail for it.
    fn check(&self) -> Result<(), Failure> {
        let missing = |option: &str, path: &Path, what: &str| {
            Failure::Usage(format!("{option} {}: no such {what}", path.display()))
        };
        match (&self.library, &self.model) {
            (Some(library), _) if !fingerprint::local(library).exists() => {
                Err(missing("--library", library, "folder, playlist or database"))
            }
            (_, Some(model)) if !model.is_file() => Err(missing("--model", model, "file")),
            _ => Ok(()),
        }
    }
}

/// What is only a matter of reading the timeline.
#[derive(Clone, Debug, Serialize, clap::Args)]
struct Reading {
    /// Id of the person the report is about; without it, whoever is longest in view
    #[arg(long, value_name = "ID")]
    subject: Option<u32>,
    /// Ids that are one person, such as 3,7; may be given several times
    #[arg(long, value_name = "IDS", value_parser = notes::ids)]
    merge: Vec<Ids>,
    /// The subject's usual expression: its first SECONDS, or the baseline.json of an earlier session
    #[arg(long, value_name = "SECONDS|FILE")]
    baseline: Option<String>,
    /// Keep the session in this client's history; needs a consent note
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// The note that the people named have consented: who, when, where the signed form is
    #[arg(long, value_name = "NOTE")]
    consent: Option<String>,
    /// No names and no file names in the results
    #[arg(long)]
    pseudonym: bool,
}

/// Ids of one person.
#[derive(Clone, Debug, Serialize)]
struct Ids(Vec<u32>);

/// A number of seconds on the command line.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds, from 0 to 86400".into()),
    }
}

/// What became of an input.
#[derive(Debug, Serialize)]
struct Outcome {
    input: PathBuf,
    folder: PathBuf,
    #[serde(flatten)]
    state: State,
}

#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum State {
    Done,
    /// It was finished before.
    Skipped,
    Interrupted,
    Failed {
        error: String,
    },
}

/// Processes every input; those that fail do not stop the others.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    folder::keep_private();
    let inputs = inputs::expand(&arguments.inputs, &arguments.output)?;
    arguments.settings.check()?;
    start_gstreamer()?;
    doctor::check()?;
    std::fs::create_dir_all(&arguments.output).map_err(|error| Failure::file(&arguments.output, &error))?;
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..usize::from(arguments.jobs).min(inputs.len()) {
            scope.spawn(|| {
                while !pipeline::interrupted()
                    && let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let outcome = process(input, &arguments);
                    outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by(|one, two| one.input.cmp(&two.input));
    let photographs = inputs.iter().any(|input| input.is_picture);
    let table = if photographs { photographs::write(&arguments.output) } else { Ok(()) };
    if arguments.json {
        println!("{:#}", serde_json::json!(outcomes));
    }
    let failed = outcomes.iter().filter(|outcome| matches!(outcome.state, State::Failed { .. })).count();
    match failed {
        _ if pipeline::interrupted() => Err(Failure::Interrupted),
        0 => table,
        // Its own line has said why.
        1 if inputs.len() == 1 => table.and(Err(Failure::Told)),
        some => {
            let told = format!("{some} of {} inputs failed; the others are done", inputs.len());
            table.and(Err(Failure::Work(told)))
        }
    }
}

fn process(input: &Input, arguments: &Arguments) -> Outcome {
    let state = match work::process(input, arguments) {
        Ok(work::Done::Made) => State::Done,
        Ok(work::Done::Already) => State::Skipped,
        Err(Failure::Interrupted) => State::Interrupted,
        Err(failure) => {
            let error = failure.to_string();
            eprintln!("gst-mood: {}", printable(&format!("{}: {error}", input.path.display())));
            State::Failed { error }
        }
    };
    if !arguments.json && !matches!(state, State::Failed { .. }) {
        let skipped = if matches!(state, State::Skipped) { " (finished before)" } else { "" };
        println!("{}{skipped}", printable(&input.folder.to_string_lossy()));
    }
    Outcome { input: input.path.clone(), folder: input.folder.clone(), state }
}
