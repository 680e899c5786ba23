//! What can be wrong with a cascade, with the settings of a search, or with a picture.

use std::path::PathBuf;

/// Why a cascade could not be found, read or used.
#[derive(Debug, thiserror::Error)]
pub enum CascadeError {
    /// The file cannot be read.
    #[error("cannot read the cascade {}: {source}; take one of OpenCV's haarcascade_*.xml", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Neither a file nor a known name.
    #[error(
        "no cascade '{name}': it is not a file, and haarcascade_{name}.xml is in none of {searched}. Install OpenCV's \
         cascades (Debian, Ubuntu: opencv-data), or name their folder in GST_MOOD_CASCADE_PATH"
    )]
    NotFound {
        /// As asked for.
        name: String,
        /// The folders looked into, separated by commas.
        searched: String,
    },
    /// No XML.
    #[error("not a cascade: the XML is broken: {}; take one of OpenCV's haarcascade_*.xml", brief(.0))]
    Xml(#[from] roxmltree::Error),
    /// XML, but a part of a cascade is missing or makes no sense.
    #[error("not a cascade: {}; take one of OpenCV's haarcascade_*.xml", brief(.0))]
    Invalid(String),
    /// Features other than Haar's.
    #[error("the cascade has {} features; only HAAR is understood: take one of OpenCV's haarcascade_*.xml", brief(.0))]
    Features(String),
    /// Written by OpenCV 1.
    #[error(
        "the cascade is in OpenCV 1's format (opencv-haar-classifier): load and save it with OpenCV 2 to 4's \
         CascadeClassifier::convert, or take a newer file"
    )]
    OldFormat,
}

/// On one line and no longer than one reads, whatever words of the file are in it.
fn brief(what: &impl std::fmt::Display) -> String {
    let what = what.to_string();
    let mut brief = String::new();
    for letter in what.chars().take(200) {
        if letter.is_control() { brief.extend(letter.escape_default()) } else { brief.push(letter) }
    }
    brief
}

/// Settings that cannot be searched with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParamsError {
    /// The pyramid would never end, or have no second level.
    #[error("the scale factor {0} is not a number from 1.001 to 100")]
    ScaleFactor(f64),
    /// The machine lacks the instructions.
    #[error("this machine has no {0}: choose another backend, or none for the fastest there is")]
    Backend(crate::Backend),
}
