//! What a reader of a session's results has to know about how they came about: `warnings` of `summary.json`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Timeline;

/// Something that was passed over, assumed or joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about, for programs.
    pub kind: WarningKind,
    /// One sentence, without a full stop.
    pub text: String,
    /// The share of the frames that it applies to, 0-1; `None` where it applies to all or is not about frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl Warning {
    /// A warning that is about the whole recording.
    pub fn new(kind: WarningKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), share: None }
    }
}

/// What a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// Lines of the timeline were passed over.
    BrokenLines,
    /// The timeline holds several sessions, which are read as one.
    JoinedSessions,
    /// Settings changed while the session was recorded.
    ChangedSettings,
    /// The pictures end long before the file does.
    EndsEarly,
    /// The file is cut off: what follows is not in the results.
    Truncated,
    /// Another recording follows in the same file, which is not in the results.
    FurtherRecording,
    /// The clock of the recording begins again, and the parts are read as one.
    JoinedRecordings,
    /// The frames, or some of them, have no times of their own.
    TimesAssumed,
    /// Another stream of the file was not analysed.
    StreamSkipped,
    /// Files of a folder were passed over.
    FilesSkipped,
    /// The image was made smaller before it was analysed.
    Scaled,
    /// In a part of the annotated video it is not known where all faces are.
    UnverifiedFaces,
    /// The annotated video lacks the recording's own sound.
    SoundMissing,
    /// The channels of the recording's sound were mixed without knowing where they belong.
    SoundMixed,
    /// Frames of the annotated video have no record in the timeline.
    FramesUnknown,
    /// Smaller faces than those that were searched for are in the recording.
    SmallFaces,
    /// The person that the report is about was found for less than four fifths of the time.
    SeldomFound,
    /// People who are never seen together look alike, and may be one person.
    LookAlikes,
    /// The baseline that was asked for could not be measured.
    BaselineMissing,
    /// Of the sessions compared, some have a baseline and others have none.
    MissingBaselines,
    /// The sessions compared are about people of different names.
    DifferentPeople,
    /// The notes name a part of the session that is not in it.
    ConditionMissing,
    /// Of the sessions compared, some have a date and others have none.
    MissingDates,
    /// A human's correction has no effect, because the person whom it is about is not found any more.
    CorrectionLost,
    /// A kind that a newer version writes.
    #[serde(other)]
    Other,
}

impl WarningKind {
    /// Whether it is about what humans corrected.
    pub fn is_about_corrections(self) -> bool {
        self == Self::CorrectionLost
    }

    /// Whether it is found out while the recording is decoded, so that the timeline alone does not tell it.
    pub fn is_about_decoding(self) -> bool {
        match self {
            Self::EndsEarly
            | Self::Truncated
            | Self::FurtherRecording
            | Self::JoinedRecordings
            | Self::TimesAssumed
            | Self::StreamSkipped
            | Self::Scaled
            | Self::UnverifiedFaces
            | Self::SoundMissing
            | Self::SoundMixed
            | Self::FramesUnknown
            | Self::SmallFaces => true,
            Self::BrokenLines
            | Self::JoinedSessions
            | Self::ChangedSettings
            | Self::SeldomFound
            | Self::FilesSkipped
            | Self::LookAlikes
            | Self::BaselineMissing
            | Self::MissingBaselines
            | Self::DifferentPeople
            | Self::ConditionMissing
            | Self::MissingDates
            | Self::CorrectionLost
            | Self::Other => false,
        }
    }
}

/// The warnings about reading a timeline.
pub(crate) fn find_warnings(timeline: &Timeline) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |kind, text: String| warnings.push(Warning::new(kind, text));
    match timeline.broken_lines.count {
        0 => {}
        1 => warn(
            WarningKind::BrokenLines,
            format!("line {} of the timeline is broken and was passed over", timeline.broken_lines.first),
        ),
        count => warn(
            WarningKind::BrokenLines,
            format!(
                "{count} lines of the timeline are broken and were passed over, the first of them is line {}",
                timeline.broken_lines.first
            ),
        ),
    }
    if timeline.further_sessions > 0 {
        let text =
            format!("the timeline holds {} sessions, which are read as one", timeline.further_sessions + 1);
        warn(WarningKind::JoinedSessions, text);
    }
    let changed: BTreeSet<&str> = timeline
        .settings_changes
        .iter()
        .flat_map(|change| change.settings.keys().map(String::as_str))
        .collect();
    if !changed.is_empty() {
        let elements = changed.into_iter().collect::<Vec<_>>().join(", ");
        warn(
            WarningKind::ChangedSettings,
            format!("settings changed during the recording, those of {elements}"),
        );
    }
    for ids in timeline.look_alikes() {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        let last = ids.last().map_or("", String::as_str);
        let text = format!(
            "persons {} and {last} are never seen together and look alike: if they are one person, say --merge {}",
            ids[..ids.len() - 1].join(", "),
            ids.join(",")
        );
        warn(WarningKind::LookAlikes, text);
    }
    warnings
}
