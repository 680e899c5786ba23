//! `gst-mood process`: videos and photos in, a folder of results for each out.

mod arguments;
mod baseline;
mod film;
mod fingerprint;
mod graph;
mod image_file;
mod inputs;
mod job;
mod media_clock;
mod notes;
mod outputs;
mod photo;
mod resting;
mod small_faces;
mod streams;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;
use session::Warning;

use crate::error::CommandError;
use crate::progress::replace_control_characters;
use crate::{doctor, pipeline};
pub use arguments::Arguments;
use inputs::Input;
use job::JobOutcome;

/// What happened to an input, as `--json` prints it.
#[derive(Debug, Serialize)]
struct InputResult {
    input: PathBuf,
    folder: PathBuf,
    #[serde(flatten)]
    state: InputState,
    /// What a reader of its results has to know.
    warnings: Vec<Warning>,
}

/// How the processing of an input ended.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum InputState {
    /// Its results were written.
    Done,
    /// Its results were up to date.
    Skipped,
    /// Ctrl-C was pressed.
    Interrupted,
    /// It has no results, or only those of a part.
    Failed {
        /// The reason, for the user.
        error: String,
    },
}

/// Processes every input, as many side by side as wanted; an input that fails does not stop the others.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    let inputs = inputs::expand_inputs(&arguments.inputs, &arguments.output)?;
    arguments.analysis.check_files()?;
    pipeline::init_gstreamer()?;
    doctor::check_requirements()?;
    std::fs::create_dir_all(&arguments.output)
        .map_err(|error| CommandError::io(&arguments.output, &error))?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..usize::from(arguments.jobs).min(inputs.len()) {
            scope.spawn(|| {
                while !pipeline::is_interrupted()
                    && let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let result = process_input(input, &arguments);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by(|one, other| one.input.cmp(&other.input));
    let has_photos = inputs.iter().any(|input| input.is_photo);
    let table = if has_photos { photo::write_table(&arguments.output) } else { Ok(()) };
    if arguments.json {
        println!("{:#}", serde_json::json!(results));
    }
    for result in &results {
        for warning in &result.warnings {
            let text = format!("{}: {}", result.input.display(), warning.text);
            eprintln!("gst-mood: warning: {}", replace_control_characters(&text));
        }
    }
    let failed = results.iter().filter(|result| matches!(result.state, InputState::Failed { .. })).count();
    match failed {
        _ if pipeline::is_interrupted() => Err(CommandError::Interrupted),
        0 => table,
        // The reason of a single input has been printed.
        1 if inputs.len() == 1 => table.and(Err(CommandError::AlreadyReported)),
        count => {
            let text = format!("{count} of {} inputs failed; the others are done", inputs.len());
            table.and(Err(CommandError::Failed(text)))
        }
    }
}

/// Processes one input and prints how it ended.
fn process_input(input: &Input, arguments: &Arguments) -> InputResult {
    let mut warnings = Vec::new();
    let state = match job::run(input, arguments, &mut warnings) {
        Ok(JobOutcome::Processed) => InputState::Done,
        Ok(JobOutcome::UpToDate) => InputState::Skipped,
        Err(CommandError::Interrupted | CommandError::InterruptedUnfinished) => InputState::Interrupted,
        Err(error) => {
            let error = error.to_string();
            let text = format!("{}: {error}", input.path.display());
            eprintln!("gst-mood: {}", replace_control_characters(&text));
            InputState::Failed { error }
        }
    };
    if !arguments.json && !matches!(state, InputState::Failed { .. }) {
        let skipped = if matches!(state, InputState::Skipped) { " (finished before)" } else { "" };
        println!("{}{skipped}", replace_control_characters(&input.folder.to_string_lossy()));
    }
    InputResult { input: input.path.clone(), folder: input.folder.clone(), state, warnings }
}
