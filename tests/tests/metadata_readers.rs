//! The programs of docs/METADATA.md, in C, Python and Rust, compiled and run as they stand there and in their files: they read the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use mood_tests::process::TIMEOUT;
use mood_tests::{actor, command, paths, run};
use tempfile::TempDir;

/// The Rust program.
#[path = "../../crates/mood-meta/examples/read_metadata.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod read_metadata;

/// The program of one language.
fn program(language: &str) -> String {
    let text = fs::read_to_string(paths::workspace_root().join("docs/METADATA.md")).unwrap();
    let block = text.split(&format!("```{language}\n")).nth(1).expect(language);
    block.split("\n```").next().unwrap().to_owned()
}

#[test]
fn the_programs_of_all_languages_print_the_same() {
    let folder = TempDir::new().unwrap();
    let video = actor::write_recording(folder.path(), "video.mp4");

    // In C.
    let source = paths::workspace_root().join("pipelines/read_meta.c");
    assert_eq!(program("c"), fs::read_to_string(&source).unwrap().trim_end(), "the document has the program");
    let flags =
        Command::new("pkg-config").args(["--cflags", "--libs", "gstreamer-video-1.0"]).output().unwrap();
    let binary = folder.path().join("read_meta");
    let mut compiler = command("cc");
    compiler
        .args(["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"])
        .arg(&source)
        .arg("-o")
        .arg(&binary);
    compiler.args(String::from_utf8(flags.stdout).unwrap().split_whitespace());
    run(compiler, TIMEOUT).assert_success();
    let mut in_c = command(&binary);
    in_c.arg(&video);
    let output = run(in_c, TIMEOUT).assert_success();
    assert_eq!(output.stderr, "");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines.len() >= 40, "{lines:#?}");
    for line in &lines {
        let columns: Vec<&str> = line.split(' ').collect();
        let sum: f64 = columns[8..].iter().map(|probability| probability.parse::<f64>().unwrap()).sum();
        let is_classified = columns.len() == 15 && (sum - 1.0).abs() < 0.01;
        assert!(is_classified || columns.len() == 8 && columns[2] == "unclassified", "{line}");
    }
    assert!(lines.iter().filter(|line| line.contains(" happy ")).count() > 30, "{lines:#?}");

    let mut in_c = command(&binary);
    in_c.arg("/nowhere");
    let output = run(in_c, TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("/nowhere"), "{output}");

    // In Python, with Debian's bindings.
    let mut in_python = command("/usr/bin/python3");
    in_python.args(["-c", &program("python")]).arg(&video);
    let output = run(in_python, TIMEOUT).assert_success();
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), lines);

    // In Rust.
    let root = paths::workspace_root();
    let example = fs::read_to_string(root.join("crates/mood-meta/examples/read_metadata.rs")).unwrap();
    assert_eq!(program("rust"), example.trim_end(), "the document has the example");
    gst::init().unwrap();
    for plugin in ["facedetect", "emotionclassify"] {
        gst::Plugin::load_file(paths::release_folder().join(format!("libgst{plugin}.so"))).unwrap();
    }
    let found = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&found);
    read_metadata::print_faces(video.to_str().unwrap(), move |line| collected.lock().unwrap().push(line))
        .unwrap();
    assert_eq!(*found.lock().unwrap(), lines);
}
