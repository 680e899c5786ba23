//! Independent readers of the files that `gst-mood` writes: Python programs in the environment made by `make setup`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::TIMEOUT;
use crate::{command, paths, run};

/// The command that runs a script of tests/readers; arguments can be added.
pub fn reader_script(name: &str) -> Command {
    let python = paths::workspace_root().join("target/readers/bin/python");
    assert!(python.exists(), "no {}: run `make setup` first", python.display());
    let mut reader = command(python);
    reader.arg(paths::workspace_root().join("tests/readers").join(name)).env_remove("GST_PLUGIN_PATH");
    reader
}

/// Runs a reader on `file` and returns the JSON that it prints.
#[track_caller]
pub fn read_with(mut reader: Command, file: &Path) -> Value {
    reader.arg(file);
    let output = run(reader, TIMEOUT).assert_success();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

/// Asserts that a JSON or JSON Lines file is valid by a schema of docs/.
#[track_caller]
pub fn assert_valid(schema: &str, file: &Path) {
    let mut validator = reader_script("validate.py");
    validator.arg(paths::workspace_root().join("docs").join(schema));
    let result = read_with(validator, file);
    assert_eq!(result["errors"], serde_json::json!([]), "{}", file.display());
    assert!(result["values"].as_u64().unwrap() > 0);
}
