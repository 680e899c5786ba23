//! Other programs' readers of what we write: Python, in the environment that `make setup` leaves.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::{command, place, run};

/// One of tests/readers, ready for arguments.
pub fn reader(name: &str) -> Command {
    let python = place::root().join("target/readers/bin/python");
    assert!(python.exists(), "no {}: run `make setup` first", python.display());
    let mut reader = command(python);
    reader.arg(place::root().join("tests/readers").join(name)).env_remove("GST_PLUGIN_PATH");
    reader
}

/// What a reader says of a file, as JSON.
#[track_caller]
pub fn read(mut reader: Command, file: &Path) -> Value {
    reader.arg(file);
    let done = run(reader, Duration::from_secs(120)).ok();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{done}"))
}
