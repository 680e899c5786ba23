//! A library that is not ONNX Runtime or too old is refused with an error about what was expected and what was found.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mini_xception::{Runtime, RuntimeError};

/// The entry point of ONNX Runtime's API in version 1.20.1, the last one that is too old.
const OLD_API: &str = r#"
struct base { const void *(*api)(unsigned); const char *(*version)(void); };
static const void *api(unsigned version) { return (void *)0; }
static const char *version(void) { return "1.20.1"; }
static const struct base base = { api, version };
const struct base *OrtGetApiBase(void) { return &base; }
"#;

/// Compiles a shared library with the C compiler that Rust links with.
fn compile_library(folder: &Path, code: &str) -> PathBuf {
    let (source, library) = (folder.join("code.c"), folder.join("libonnxruntime.so"));
    fs::write(&source, code).unwrap();
    let status =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(status.success());
    library
}

#[test]
fn unusable_libraries_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (code, found) in [(OLD_API, "'1.20.1'"), ("int something_else;", "OrtGetApiBase")] {
        let library = compile_library(folder.path(), code);
        let error = Runtime::load(Some(&library), &[]).err().unwrap();
        assert!(matches!(error, RuntimeError::Unusable { .. }));
        let text = error.to_string();
        assert!(
            text.contains("1.21 or later") && text.contains(found) && text.contains("libonnxruntime.so"),
            "{text}"
        );
    }
}
