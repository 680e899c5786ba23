//! Facial expressions as movements of brows, lids, cheeks and mouth.

use mood_schema::Emotion;

/// Strength of each facial movement, 0 at rest and 1 for a full movement. The movements are action units (AU) of the Facial
/// Action Coding System (Ekman and Friesen 1978, doi:10.1037/t27734-000).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Expression {
    /// AU 1, inner brow raiser.
    pub(super) inner_brow_raise: f32,
    /// AU 2, outer brow raiser.
    pub(super) outer_brow_raise: f32,
    /// AU 4, brow lowerer: brows down and together.
    pub(super) brow_lower: f32,
    /// AU 5, upper lid raiser; negative: lids droop.
    pub(super) lid_raise: f32,
    /// AU 6, cheek raiser, which lifts the lower lids too.
    pub(super) cheek_raise: f32,
    /// AU 12, lip corner puller: corners of the mouth up and out.
    pub(super) lip_corner_pull: f32,
    /// AU 15 and 17, lip corner depressor and chin raiser: corners of the mouth down, lower lip and chin up.
    pub(super) lip_corner_depress: f32,
    /// AU 25, lips part, showing the upper teeth.
    pub(super) lips_part: f32,
    /// AU 26, jaw drop, with a round mouth.
    pub(super) jaw_drop: f32,
    /// AU 54, head down; negative: AU 53, head up.
    pub(super) head_down: f32,
}

impl Expression {
    /// The expression of an emotion. Neutral, happy, sad and surprise are tuned so that the shipped classifier recognises them;
    /// the others, which the script does not use, are plain combinations of their action units.
    pub(super) fn from_emotion(emotion: Emotion) -> Self {
        let rest = Self::default();
        match emotion {
            Emotion::Neutral => rest,
            Emotion::Happy => {
                Self { cheek_raise: 1.0, lip_corner_pull: 1.0, lips_part: 1.0, head_down: -0.2, ..rest }
            }
            Emotion::Sad => Self {
                inner_brow_raise: 1.3,
                outer_brow_raise: -0.1,
                brow_lower: 0.2,
                lid_raise: -1.15,
                cheek_raise: 0.2,
                lip_corner_depress: 1.2,
                lips_part: 0.1,
                head_down: 0.15,
                ..rest
            },
            Emotion::Surprise => Self {
                inner_brow_raise: 1.0,
                outer_brow_raise: 1.0,
                lid_raise: 0.75,
                jaw_drop: 1.0,
                head_down: -0.3,
                ..rest
            },
            Emotion::Angry | Emotion::Disgust => {
                Self { brow_lower: 1.0, lid_raise: 0.2, lip_corner_depress: 0.4, ..rest }
            }
            Emotion::Fear => {
                Self { inner_brow_raise: 0.9, brow_lower: 0.3, lid_raise: 0.9, lips_part: 0.5, ..rest }
            }
        }
    }

    /// Linear interpolation from `self` (`share` 0) to `other` (1).
    pub(super) fn interpolate(self, other: Self, share: f32) -> Self {
        let lerp = |from: f32, to: f32| from + (to - from) * share;
        Self {
            inner_brow_raise: lerp(self.inner_brow_raise, other.inner_brow_raise),
            outer_brow_raise: lerp(self.outer_brow_raise, other.outer_brow_raise),
            brow_lower: lerp(self.brow_lower, other.brow_lower),
            lid_raise: lerp(self.lid_raise, other.lid_raise),
            cheek_raise: lerp(self.cheek_raise, other.cheek_raise),
            lip_corner_pull: lerp(self.lip_corner_pull, other.lip_corner_pull),
            lip_corner_depress: lerp(self.lip_corner_depress, other.lip_corner_depress),
            lips_part: lerp(self.lips_part, other.lips_part),
            jaw_drop: lerp(self.jaw_drop, other.jaw_drop),
            head_down: lerp(self.head_down, other.head_down),
        }
    }
}
