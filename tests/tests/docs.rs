//! The example pipelines of the documentation, run for real: those in the `SECTION` docs of the elements, and README's.
//!
//! A pipeline runs in a temporary folder that is also its home, with a short recording under every name that it reads and
//! a small music library. Cameras are replaced by two seconds of the drawn actor, displays and loudspeakers by sinks that
//! discard what they get.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::Duration;

use mood_tests::process::{RunningProcess, TIMEOUT, shell};
use mood_tests::{actor, audio, element_docs, paths};
use tempfile::TempDir;

/// Sources that need a device.
const CAMERAS: [&str; 3] = ["v4l2src", "autovideosrc", "libcamerasrc"];
/// How long a pipeline without an end runs before it is interrupted.
const ENDLESS_TIME: Duration = Duration::from_secs(4);

/// The commands in the fenced `shell` blocks of a Markdown text. Lines that end in a backslash are joined.
fn shell_commands(markdown: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in markdown.split("```shell\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default().replace("\\\n", " ");
        let lines = block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        commands.extend(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    commands
}

/// The section of README.md with the pipelines to copy.
fn readme_pipelines() -> Vec<String> {
    let readme = fs::read_to_string(paths::workspace_root().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with("Six pipelines")).unwrap();
    shell_commands(section)
}

/// The values of `key=value` in a command.
fn values<'a>(command: &'a str, key: &str) -> Vec<&'a str> {
    command.split(' ').filter_map(|word| word.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Replaces what needs a device or has no end.
fn replace_devices(command: &str, folder: &Path) -> String {
    let mut elements: Vec<String> = Vec::new();
    let mut is_camera = false;
    for word in command.split(' ') {
        // The camera's properties go with it.
        if is_camera && word.contains('=') {
            continue;
        }
        is_camera = CAMERAS.contains(&word);
        elements.push(match word {
            _ if is_camera => actor::camera(folder, 20),
            "videotestsrc" if !command.contains("num-buffers") => "videotestsrc num-buffers=50".into(),
            "autovideosink" | "ximagesink" | "xvimagesink" | "glimagesink" => "fakesink sync=true".into(),
            "autoaudiosink" | "alsasink" | "pulsesink" => "fakeaudiosink".into(),
            word => word.into(),
        });
    }
    elements.join(" ")
}

/// Makes the files that a command reads: recordings, a music library, the models of the repository.
fn make_inputs(command: &str, folder: &Path) {
    symlink(paths::workspace_root().join("models"), folder.join("models")).unwrap();
    let home_path = |path: &str| folder.join(path.trim_start_matches("$HOME/").trim_start_matches("~/"));
    for element in command.split(" ! ").filter(|element| element.contains("filesrc ")) {
        for location in values(element, "location") {
            actor::write_recording(folder, location);
        }
    }
    for library in values(command, "library") {
        let path = home_path(library);
        assert!(path.starts_with(folder), "{library}: examples use paths below $HOME or the working folder");
        audio::make_library(&path);
    }
}

/// Runs an example command in a folder of its own; a failure fails the test.
fn run_example(origin: &str, command: &str) {
    println!("{origin}: {command}");
    let folder = TempDir::new().unwrap();
    make_inputs(command, folder.path());
    let has_end = ["filesrc", "videotestsrc"].iter().chain(&CAMERAS).any(|source| command.contains(source));
    // With -e an interrupt ends the pipeline cleanly.
    let line =
        replace_devices(command, folder.path()).replacen("gst-launch-1.0", "exec gst-launch-1.0 -e", 1);
    let mut process = shell(&line);
    process.current_dir(folder.path()).env("HOME", folder.path());
    let running = RunningProcess::start(process);
    if !has_end {
        thread::sleep(ENDLESS_TIME);
        running.signal("INT");
    }
    let output = running.wait(TIMEOUT).assert_success();
    assert!(!output.stderr.contains("ERROR"), "{origin}\n{output}");
}

#[test]
fn the_example_pipelines_of_the_elements_run() {
    for element in element_docs::FOLDERS {
        let commands = shell_commands(&element_docs::text(&element_docs::file(element)));
        let pipelines: Vec<_> = commands.iter().filter(|line| line.starts_with("gst-launch-1.0 ")).collect();
        assert!(!pipelines.is_empty(), "{element} has no example pipeline");
        for pipeline in pipelines {
            run_example(element, pipeline);
        }
    }
}

#[test]
fn the_pipelines_of_the_readme_run() {
    let commands = readme_pipelines();
    assert_eq!(commands.len(), 6, "{commands:#?}");
    for command in commands {
        if command.starts_with("gst-launch-1.0 ") {
            run_example("README", &command);
        } else {
            // A script: tests/metadata_in_python.rs and tests/scripts.rs run it.
            let script = command.split(' ').next().unwrap();
            assert!(paths::workspace_root().join(script).is_file(), "{script}");
        }
    }
}

#[test]
fn every_element_is_documented_in_the_same_form() {
    for element in element_docs::FOLDERS {
        let name = element.rsplit('/').next().unwrap();
        let source = fs::read_to_string(element_docs::file(element)).unwrap();
        let first = source.lines().next().unwrap();
        assert_eq!(first, format!("//! SECTION:element-{name}"), "{element}");
        let docs = element_docs::text(&element_docs::file(element));
        let headings: Vec<&str> = docs.lines().filter(|line| line.starts_with('#')).collect();
        let order = ["## Properties", "## Pads", "## Signals", "## Messages", "## Example pipelines"];
        let positions: Vec<Option<usize>> =
            headings.iter().map(|heading| order.iter().position(|known| known == heading)).collect();
        assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{element}: {headings:?}");
        assert_eq!(headings.last(), Some(&"## Example pipelines"), "{element}");
    }
}
