//! What a face does to show an emotion: the movements of brows, lids, cheeks and mouth.

use mood_schema::Emotion;

/// How far each part of the face is moved from rest. The movements are those of the Facial Action Coding System
/// (Ekman and Friesen 1978), the unit in brackets; 0 is at rest and 1 a full movement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Expression {
    /// Inner ends of the brows up [1].
    pub(super) inner_brow: f32,
    /// Outer ends of the brows up [2].
    pub(super) outer_brow: f32,
    /// Brows drawn down and together [4].
    pub(super) frown: f32,
    /// Upper lids up, eyes wide [5]; below 0 they droop.
    pub(super) wide: f32,
    /// Cheeks up, lower lids with them [6].
    pub(super) cheeks: f32,
    /// Corners of the mouth up and out [12].
    pub(super) smile: f32,
    /// Corners of the mouth down [15], lower lip and chin pushed up [17].
    pub(super) pout: f32,
    /// Lips apart over the upper teeth [25].
    pub(super) part: f32,
    /// Jaw dropped, mouth round [26].
    pub(super) jaw: f32,
    /// Head bowed (or lifted, below 0) [54, 53].
    pub(super) bow: f32,
}

impl Expression {
    /// Neutral, happy, sad and surprise are tuned until a classifier agrees; the others follow the book.
    pub(super) fn of(emotion: Emotion) -> Self {
        let rest = Self::default();
        match emotion {
            Emotion::Neutral => rest,
            Emotion::Happy => Self { cheeks: 1.0, smile: 1.0, part: 1.0, bow: -0.2, ..rest },
            Emotion::Sad => Self {
                inner_brow: 1.3,
                outer_brow: -0.1,
                frown: 0.2,
                wide: -1.15,
                cheeks: 0.2,
                pout: 1.2,
                part: 0.1,
                bow: 0.15,
                ..rest
            },
            Emotion::Surprise => {
                Self { inner_brow: 1.0, outer_brow: 1.0, wide: 0.75, jaw: 1.0, bow: -0.3, ..rest }
            }
            Emotion::Angry | Emotion::Disgust => Self { frown: 1.0, wide: 0.2, pout: 0.4, ..rest },
            Emotion::Fear => Self { inner_brow: 0.9, frown: 0.3, wide: 0.9, part: 0.5, ..rest },
        }
    }

    /// `share` 0 is `self`, 1 is `other`.
    pub(super) fn towards(self, other: Self, share: f32) -> Self {
        let mix = |from: f32, to: f32| from + (to - from) * share;
        Self {
            inner_brow: mix(self.inner_brow, other.inner_brow),
            outer_brow: mix(self.outer_brow, other.outer_brow),
            frown: mix(self.frown, other.frown),
            wide: mix(self.wide, other.wide),
            cheeks: mix(self.cheeks, other.cheeks),
            smile: mix(self.smile, other.smile),
            pout: mix(self.pout, other.pout),
            part: mix(self.part, other.part),
            jaw: mix(self.jaw, other.jaw),
            bow: mix(self.bow, other.bow),
        }
    }
}
