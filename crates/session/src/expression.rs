//! The expression of the main face of an image or a video, in one label and one point.

use std::collections::BTreeMap;

use mood_schema::{Affect, Emotion, Label};

use crate::Timeline;

/// A face's expression over all frames in which it was classified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expression {
    /// The label in most frames.
    pub label: Label,
    /// Mean confidence over the frames with that label, 0-1.
    pub confidence: f64,
    /// Mean valence and arousal over all frames, -1 to 1.
    pub affect: Affect,
}

/// Sums over the frames in which a face was classified.
#[derive(Default)]
struct FaceSums {
    /// Number of frames.
    frames: u32,
    /// Sum of the face's area, as shares of the frame.
    area: f64,
    /// Number of frames and sum of the confidence, by label.
    labels: BTreeMap<Label, (u32, f64)>,
    /// Sums of valence and arousal.
    affect: Affect,
}

impl Expression {
    /// The expression of the face that was classified in most frames, of several the one with the largest
    /// mean area. `None` if no face was classified.
    pub fn from_main_face(timeline: &Timeline) -> Option<Self> {
        let mut sums_by_id: BTreeMap<u32, FaceSums> = BTreeMap::new();
        for face in timeline.frames.iter().flat_map(|frame| &frame.faces) {
            let Some(classification) = &face.classification else { continue };
            let sums = sums_by_id.entry(face.id).or_default();
            sums.frames += 1;
            sums.area += face.bbox.area();
            sums.affect.valence += classification.affect.valence;
            sums.affect.arousal += classification.affect.arousal;
            let label = sums.labels.entry(classification.label).or_default();
            *label = (label.0 + 1, label.1 + classification.confidence);
        }
        let main = sums_by_id
            .into_values()
            .max_by(|one, other| one.frames.cmp(&other.frames).then(one.area.total_cmp(&other.area)))?;
        let (label, (frames, confidence)) = main.labels.into_iter().max_by_key(|(_, (frames, _))| *frames)?;
        let mean = |sum: f64| sum / f64::from(main.frames);
        Some(Self {
            label,
            confidence: confidence / f64::from(frames),
            affect: Affect { valence: mean(main.affect.valence), arousal: mean(main.affect.arousal) },
        })
    }

    /// The emotion, or `None` if the label is uncertain.
    pub fn emotion(&self) -> Option<Emotion> {
        match self.label {
            Label::Known(emotion) => Some(emotion),
            Label::Uncertain => None,
        }
    }
}
