//! The arguments of `gst-mood process`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use session::RecordingTime;

use crate::arguments::{MusicOptions, local_path, parse_rate, parse_seconds, path_parser};
use crate::error::CommandError;

/// What to process, and how.
#[derive(Args)]
pub struct Arguments {
    /// Videos, photographs, folders of them, or patterns such as 'archive/**/*.mp4'; each is a session of its own, so join the parts
    /// that a camera makes of one: ffmpeg -f concat
    #[arg(required = true, value_parser = path_parser())]
    pub inputs: Vec<PathBuf>,
    /// Folder for the results, one folder in it for each input
    #[arg(short, long, required_unless_present = "resume", value_parser = path_parser())]
    pub output: Option<PathBuf>,
    /// The inputs are folders that gst-mood live -o was recording into when it was cut off: make the results in them
    #[arg(long, conflicts_with = "output")]
    pub resume: bool,
    /// Process inputs again that are finished
    #[arg(long)]
    pub force: bool,
    /// How many inputs are processed side by side
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    /// Options of the analysis.
    #[command(flatten)]
    pub analysis: AnalysisOptions,
    /// Options of the statistics.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// Options that take effect while the video is decoded: a change makes it be decoded again. They are part of
/// the fingerprint in `summary.json`, so their serialized form must not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct AnalysisOptions {
    /// Also make annotated.mp4: boxes, labels, music
    #[arg(long)]
    pub overlay: bool,
    /// Make faces in annotated.mp4 unrecognisable
    #[arg(long, requires = "overlay")]
    pub blur_faces: bool,
    /// How many people are in the recording: once so many were seen, who returns is one of them; with --blur-faces, the
    /// whole picture is hidden where fewer are found; without this, where fewer are found than shortly before or after
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// Side of the smallest face that is searched for, pixels; without this, a twelfth of the picture's shorter side. A few
    /// frames are searched for smaller faces, too, and the run says if there are any
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(1..=16_384))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_face: Option<u32>,
    /// What becomes of the recording's own sound in annotated.mp4; without this, ducked under music and kept
    /// otherwise
    #[arg(long, value_enum, requires = "overlay")]
    pub audio: Option<RecordingAudio>,
    /// Music that follows the mood, a folder, a playlist or a database: soundtrack.ogg and music.jsonl
    #[arg(long, value_parser = path_parser())]
    pub library: Option<PathBuf>,
    /// Which video stream, counted from 0; cover pictures do not count
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub video: u32,
    /// Frames a second of recordings whose frames have no times, such as raw H.264; without this, the rate that the stream
    /// states, or 25
    #[arg(long, value_name = "FPS", value_parser = parse_rate)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Faces are searched in the whole picture this often, and followed in between; 0 searches every frame
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = parse_seconds)]
    pub scan_interval: f64,
    /// An expression is estimated this often; 0 estimates it in every frame
    #[arg(long, value_name = "SECONDS", default_value_t = 0.2, value_parser = parse_seconds)]
    pub classify_interval: f64,
    /// An ONNX model instead of the built-in one
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    pub model: Option<PathBuf>,
    /// How the music follows the mood.
    #[command(flatten)]
    #[serde(default, skip_serializing_if = "MusicOptions::is_empty")]
    pub music: MusicOptions,
}

/// What happens to the recording's own sound in the annotated video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingAudio {
    /// As recorded, mixed with the music
    Keep,
    /// 12 dB quieter under the music
    Duck,
    /// Left out
    Drop,
}

impl AnalysisOptions {
    /// Fails if a file that an option names does not exist: every input would fail because of it.
    pub fn check_files(&self) -> Result<(), CommandError> {
        let missing = |option: &str, path: &Path, what: &str| {
            CommandError::Usage(format!("{option} {}: no such {what}", path.display()))
        };
        match (&self.library, &self.model) {
            (Some(library), _) if !library.exists() => {
                Err(missing("--library", library, "folder, playlist or database"))
            }
            (_, Some(model)) if !model.is_file() => Err(missing("--model", model, "file")),
            (None, _) if !self.music.is_empty() => {
                Err(CommandError::Usage("there is no music without --library: name one".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Options that only affect what is made from the timeline: a change does not make the video be decoded again.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportOptions {
    /// Id of the person the report is about and the music follows; without it or a subject in the notes, the report is
    /// about whoever is found for longest, and the music follows the largest face
    #[arg(long, value_name = "ID")]
    pub subject: Option<u32>,
    /// Ids that are one person, such as 3,7; may be given several times
    #[arg(long, value_name = "IDS", value_parser = parse_merged_ids)]
    pub merge: Vec<MergedIds>,
    /// What labels and means are measured against: off (the network's own labels), automatic (everybody's resting face
    /// is found in the recording; the default), the subject's first SECONDS, the baseline.json or resting_face.json
    /// of an earlier session or its folder, or a client with a history
    #[arg(long, value_name = "off|automatic|SECONDS|FILE|CLIENT", value_parser = parse_baseline)]
    pub baseline: Option<String>,
    /// Keep the session in this client's history; needs a consent note
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// The note that the people named have consented: who, when, where the signed form is
    #[arg(long, value_name = "NOTE")]
    pub consent: Option<String>,
    /// When it was recorded, such as 2026-05-03 or 2026-05-03T14:05+02:00; without this or a date in the notes, what the
    /// file says
    #[arg(long, value_name = "DATE")]
    pub date: Option<RecordingTime>,
    /// No names and no file names in the results
    #[arg(long)]
    pub pseudonym: bool,
}

/// Face ids that belong to one person, at least two.
#[derive(Clone, Debug)]
pub struct MergedIds(pub Vec<u32>);

/// Parses face ids with commas between them.
pub fn parse_merged_ids(text: &str) -> Result<MergedIds, String> {
    let ids: Result<Vec<u32>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    match ids {
        Ok(ids) if ids.len() > 1 => Ok(MergedIds(ids)),
        _ => Err("give the ids of one person, such as 3,7".into()),
    }
}

/// Checks the number of seconds of `--baseline`, if it is one: 1 to 86,400, a day.
fn parse_baseline(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(seconds) if !(1.0..=86_400.0).contains(&seconds) => {
            Err("give 1 to 86400 seconds, which is a day, or a file".into())
        }
        _ => Ok(local_path(Path::new(text)).to_str().unwrap_or(text).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_a_baseline_are_those_of_a_day() {
        for text in ["1", "86400", "12.5", "baseline.json", "folder", ""] {
            assert_eq!(parse_baseline(text).as_deref(), Ok(text));
        }
        for text in ["0", "0.5", "-3", "86400.5", "1e9", "inf", "NaN"] {
            assert!(parse_baseline(text).is_err_and(|error| error.contains("1 to 86400 seconds")), "{text}");
        }
    }

    #[test]
    fn merged_ids_need_at_least_two_numbers() {
        assert!(parse_merged_ids("3").is_err() && parse_merged_ids("3,x").is_err());
        assert_eq!(parse_merged_ids("3, 7").unwrap().0, [3, 7]);
    }
}
