//! `gst-mood process`: videos and photos in, a folder of results for each out.

mod animation;
mod arguments;
mod baseline;
mod film;
mod fingerprint;
mod graph;
mod image_file;
mod inputs;
mod job;
pub mod live_folder;
mod live_video;
pub mod media_clock;
mod notes;
pub mod notes_file;
mod outputs;
pub mod photo;
mod resting;
mod small_faces;
pub mod streams;
mod table;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;
use session::{Warning, WarningKind};

use crate::error::CommandError;
use crate::media_kind::MediaKind;
use crate::output::replace_control_characters;
use crate::{doctor, interruption, pipeline};
pub use arguments::{Arguments, ReportOptions};
use inputs::{Input, Inputs, PassedOver};
use job::JobOutcome;
pub use outputs::write_views;

/// What happened to an input, as `--json` prints it.
#[derive(Debug, Serialize)]
struct InputResult {
    input: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
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
    /// It is a folder, in which files were passed over.
    PassedOver {
        /// Those files, and links to folders.
        files: Vec<PathBuf>,
    },
}

/// Processes every input, as many side by side as wanted; an input that fails does not stop the others.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    let Some(output) = &arguments.output else { return live_folder::resume(&arguments) };
    let Inputs { files: inputs, passed_over } = inputs::expand_inputs(&arguments.inputs, output)?;
    arguments.analysis.check_files()?;
    pipeline::init_gstreamer()?;
    doctor::check_requirements()?;
    std::fs::create_dir_all(output).map_err(|error| CommandError::io(output, &error))?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..usize::from(arguments.jobs).min(inputs.len()) {
            scope.spawn(|| {
                while !interruption::is_interrupted()
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
    results.extend(passed_over.into_iter().map(describe_passed_over));
    let is_photo = |input: &Input| input.kind == MediaKind::Photo;
    let mut table = if inputs.iter().any(is_photo) { photo::write_table(output) } else { Ok(()) };
    if !inputs.iter().all(is_photo) {
        table = table.and(table::write(output));
    }
    if arguments.json {
        println!("{:#}", serde_json::json!(results));
    }
    for result in &results {
        for warning in &result.warnings {
            let text = format!("{}: {}", result.input.display(), warning.text);
            eprintln!("gst-mood: warning: {text}");
        }
    }
    let failed = results.iter().filter(|result| matches!(result.state, InputState::Failed { .. })).count();
    match failed {
        _ if interruption::is_interrupted() => Err(CommandError::Interrupted),
        0 => table,
        // The reason of a single input has been printed.
        1 if inputs.len() == 1 => table.and(Err(CommandError::AlreadyReported)),
        count => {
            let text = format!("{count} of {} inputs failed; the others are done", inputs.len());
            table.and(Err(CommandError::Failed(text)))
        }
    }
}

/// Writes the tables over all recordings that lie beside the folder of a session, where there are any.
pub fn update_tables(session: &Path) -> Result<(), CommandError> {
    let session = session.canonicalize().map_err(|error| CommandError::io(session, &error))?;
    session.parent().map_or(Ok(()), table::update)
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
            eprintln!("gst-mood: {text}");
            InputState::Failed { error }
        }
    };
    if !arguments.json && !matches!(state, InputState::Failed { .. }) {
        let skipped = if matches!(state, InputState::Skipped) { " (finished before)" } else { "" };
        println!("{}{skipped}", replace_control_characters(&input.folder.to_string_lossy()));
    }
    InputResult { input: input.path.clone(), folder: Some(input.folder.clone()), state, warnings }
}

/// The most files that are named in a text.
const MAX_NAMES: usize = 5;

/// The result of a folder in which files were passed over.
fn describe_passed_over(PassedOver { folder, paths }: PassedOver) -> InputResult {
    let name = |path: &PathBuf| path.strip_prefix(&folder).unwrap_or(path).display().to_string();
    let names: Vec<String> = paths.iter().take(MAX_NAMES).map(name).collect();
    let more = match paths.len().saturating_sub(MAX_NAMES) {
        0 => String::new(),
        count => format!(" and {count} more (--json lists them)"),
    };
    let (count, they) = match paths.len() {
        1 => ("1 file was".to_owned(), "it if it is a recording"),
        count => (format!("{count} files were"), "those that are recordings"),
    };
    let text = format!("{count} passed over: {}{more}; name {they}", names.join(", "));
    let warnings = vec![Warning::new(WarningKind::FilesSkipped, text)];
    InputResult { input: folder, folder: None, state: InputState::PassedOver { files: paths }, warnings }
}
