//! A library that is no ONNX Runtime, or one too old, is refused with what was expected and what was found.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mini_xception::{Runtime, RuntimeError};

/// What all of ONNX Runtime is reached through, in the version before the oldest that will do.
const OLD: &str = r#"
struct base { const void *(*api)(unsigned); const char *(*version)(void); };
static const void *api(unsigned version) { return (void *)0; }
static const char *version(void) { return "1.20.1"; }
static const struct base base = { api, version };
const struct base *OrtGetApiBase(void) { return &base; }
"#;

/// Compiles a library with the C compiler that Rust links with.
fn library(folder: &Path, code: &str) -> PathBuf {
    let (source, library) = (folder.join("code.c"), folder.join("libonnxruntime.so"));
    fs::write(&source, code).unwrap();
    let done =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(done.success());
    library
}

#[test]
fn a_library_that_will_not_do_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (code, found) in [(OLD, "'1.20.1'"), ("int something_else;", "OrtGetApiBase")] {
        let library = library(folder.path(), code);
        let error = Runtime::load(Some(&library), &[]).err().unwrap();
        assert!(matches!(error, RuntimeError::Unusable { .. }));
        let text = error.to_string();
        assert!(
            text.contains("1.21 or later") && text.contains(found) && text.contains("libonnxruntime.so"),
            "{text}"
        );
    }
}
