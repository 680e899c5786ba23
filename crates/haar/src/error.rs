//! Errors of finding, reading and parsing a cascade.

use std::path::PathBuf;

/// Why a cascade could not be found, read or used.
#[derive(Debug, thiserror::Error)]
pub enum CascadeError {
    /// The file cannot be read.
    #[error("cannot read the cascade {}: {source}; take one of OpenCV's haarcascade_*.xml", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Neither an existing file nor the name of an installed cascade.
    #[error(
        "no cascade '{name}': it is not a file, and haarcascade_{name}.xml is in none of {searched}. Install OpenCV's \
         cascades (Debian, Ubuntu: opencv-data), or name their folder in GST_MOOD_CASCADE_PATH"
    )]
    NotFound {
        /// The name or path as given.
        name: String,
        /// The folders searched, separated by commas.
        searched: String,
    },
    /// The file is not well-formed XML.
    #[error("not a cascade: the XML is broken: {}; take one of OpenCV's haarcascade_*.xml", escape_and_cut(.0))]
    Xml(#[from] roxmltree::Error),
    /// A part of the cascade is missing or inconsistent.
    #[error("not a cascade: {}; take one of OpenCV's haarcascade_*.xml", escape_and_cut(.0))]
    Invalid(String),
    /// The features are not Haar features, or their splits are categorical.
    #[error(
        "the cascade has {} features; only HAAR is understood: take one of OpenCV's haarcascade_*.xml",
        escape_and_cut(.0)
    )]
    UnsupportedFeatures(String),
    /// The file is in the format of OpenCV 1.
    #[error(
        "the cascade is in OpenCV 1's format (opencv-haar-classifier): load and save it with OpenCV 2 to 4's \
         CascadeClassifier::convert, or take a newer file"
    )]
    OldFormat,
}

/// At most 200 characters on one line, with control characters escaped: the text may quote a hostile file.
fn escape_and_cut(text: &impl std::fmt::Display) -> String {
    let text = text.to_string();
    let mut escaped = String::new();
    for character in text.chars().take(200) {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}
