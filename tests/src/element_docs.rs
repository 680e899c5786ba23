//! The docs of the elements, in the `mod.rs` of each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::paths;

/// The folders of the elements below `plugins/`, each with the docs in its `mod.rs`.
pub const FOLDERS: [&str; 6] = [
    "facedetect/src/haarfacedetect",
    "emotionclassify/src/emotionclassify",
    "emotionclassify/src/emotionoverlay",
    "emotionclassify/src/emotionpublish",
    "emotionclassify/src/emotionlog",
    "moodplayer/src/moodplayer",
];

/// The docs file of an element, by one of [`FOLDERS`].
pub fn file(folder: &str) -> PathBuf {
    paths::workspace_root().join("plugins").join(folder).join("mod.rs")
}

/// The text of the docs in a Rust file, outer and inner, without the comment markers.
pub fn text(file: &Path) -> String {
    docs(file, &["//!", "///"])
}

/// The text at the head of a Rust file.
pub fn head(file: &Path) -> String {
    docs(file, &["//!"])
}

fn docs(file: &Path, markers: &[&str]) -> String {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let docs = source.lines().filter_map(|line| {
        let line = line.trim_start();
        let text = markers.iter().find_map(|marker| line.strip_prefix(marker))?;
        Some(text.strip_prefix(' ').unwrap_or(text))
    });
    docs.collect::<Vec<_>>().join("\n")
}
