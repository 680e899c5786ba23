//! Folders of sessions whose timelines a test writes itself.

use std::fs;
use std::path::Path;

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, Rect, SessionEnd, SessionHeader,
};

/// What a face shows in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Id of the face.
    pub id: u32,
    /// Its label.
    pub label: Label,
    /// Valence and arousal; `None`: those of the label's distribution.
    pub affect: Option<Affect>,
}

impl Shown {
    /// A face with a label.
    pub fn new(id: u32, label: impl Into<Label>) -> Self {
        Self { id, label: label.into(), affect: None }
    }
}

/// Time between frames, ns: 25 a second.
pub const PERIOD: u64 = 40_000_000;

/// Timestamp of a frame, ns, where the frames come every `period` ns. It is no whole number of milliseconds, as in most recordings.
pub fn pts(frame: u64, period: u64) -> u64 {
    frame * period + 123
}

/// Writes `timeline.jsonl` of a frame for every item of `frames`, every `period` ns; an item has the faces of its frame. Faces with
/// different ids are at different places.
pub fn write_timeline(
    folder: &Path,
    source: Option<&str>,
    period: u64,
    frames: impl IntoIterator<Item = Vec<Shown>>,
) {
    let header = SessionHeader {
        schema: 1,
        generator: "test".into(),
        source: source.map(Into::into),
        settings: Default::default(),
    };
    let mut lines = vec![Line::Session(header)];
    let mut count = 0;
    for (frame, shown) in (0..).zip(frames) {
        let faces = shown.into_iter().map(face).collect();
        lines.push(Line::Frame(FrameLine { frame, pts: pts(frame, period), faces, shot: 0 }));
        count = frame + 1;
    }
    lines.push(Line::End(SessionEnd { pts: pts(count, period), frames: count }));
    let text: String = lines.iter().map(|line| line.to_json() + "\n").collect();
    fs::write(folder.join("timeline.jsonl"), text).unwrap();
}

/// A face with a label, of which the classifier is 0.7 sure. Faces with different ids are at different places.
pub fn face(shown: Shown) -> Face {
    let mut probabilities = [0.05; 7];
    match shown.label {
        Label::Known(emotion) => probabilities[emotion.index()] = 0.7,
        Label::Uncertain => probabilities = [1.0 / 7.0; 7],
    }
    let affect = shown.affect.unwrap_or_else(|| Affect::from_distribution(&probabilities));
    let confidence = if shown.label == Label::Uncertain { 1.0 / 7.0 } else { 0.7 };
    Face {
        id: shown.id,
        bbox: Rect { x: 0.1 + 0.25 * f64::from(shown.id - 1), y: 0.2, w: 0.2, h: 0.4 },
        classification: Some(Classification {
            label: shown.label,
            confidence,
            probabilities,
            raw: None,
            affect,
        }),
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// Labels in episodes of 1.6 to 6.4 s, one in seven without a face; another sequence for every `seed`.
pub fn label_sequence(frames: u64, seed: u64) -> Vec<Option<Label>> {
    let labels =
        [Emotion::Happy, Emotion::Neutral, Emotion::Sad, Emotion::Neutral, Emotion::Angry].map(Label::Known);
    let mut sequence = Vec::new();
    let mut state = seed;
    while (sequence.len() as u64) < frames {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let label = match (state >> 40) % 7 {
            5 => Some(Label::Uncertain),
            6 => None,
            index => Some(labels[index as usize]),
        };
        sequence.extend((0..40 + (state >> 33) % 121).map(|_| label));
    }
    sequence.truncate(frames as usize);
    sequence
}
