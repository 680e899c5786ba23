//! Valence and arousal of a distribution over the seven emotions.

use serde::{Deserialize, Serialize};

use crate::Emotion;

/// A point of the circumplex of affect (Russell 1980, doi:10.1037/h0077714): how pleasant, how activated; -1 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affect {
    /// Unpleasant -1 to pleasant 1.
    pub valence: f64,
    /// Calm -1 to activated 1; a neutral face is 0.
    pub arousal: f64,
}

/// Arousal of the word for a neutral state: what the others are measured from.
const NEUTRAL_AROUSAL: f64 = -0.39;

impl Affect {
    /// Where an emotion lies: the norms of Warriner, Kuperman and Brysbaert 2013 (doi:10.3758/s13428-012-0314-x),
    /// 1-9 rescaled to -1..1, arousal recentred so that a neutral face is the origin. A surprised face may be pleased
    /// or not, so surprise moves arousal only.
    pub fn from_emotion(emotion: Emotion) -> Self {
        let (valence, arousal) = match emotion {
            Emotion::Angry => (-0.62, 0.30),
            Emotion::Disgust => (-0.42, 0.00),
            Emotion::Fear => (-0.52, 0.29),
            Emotion::Happy => (0.87, 0.26),
            Emotion::Sad => (-0.73, -0.38),
            Emotion::Surprise => (0.0, 0.39),
            Emotion::Neutral => (0.0, NEUTRAL_AROUSAL),
        };
        Self { valence, arousal: arousal - NEUTRAL_AROUSAL }
    }

    /// The probability-weighted mean over the seven emotions. `probabilities` are in [`Emotion`]'s order and sum to 1.
    pub fn from_distribution(probabilities: &[f64; 7]) -> Self {
        Emotion::ALL.iter().zip(probabilities).fold(Self::default(), |sum, (&emotion, &p)| {
            let at = Self::from_emotion(emotion);
            Self { valence: sum.valence + p * at.valence, arousal: sum.arousal + p * at.arousal }
        })
    }

    /// Euclidean distance in the plane.
    pub fn distance(self, other: Self) -> f64 {
        (self.valence - other.valence).hypot(self.arousal - other.arousal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_is_the_origin_and_surprise_moves_arousal_only() {
        assert_eq!(Affect::from_emotion(Emotion::Neutral), Affect::default());
        let surprise = Affect::from_emotion(Emotion::Surprise);
        assert_eq!(surprise.valence, 0.0);
        assert!(surprise.arousal > 0.7);
    }

    #[test]
    fn a_mixture_lies_between() {
        let mut probabilities = [0.0; 7];
        probabilities[Emotion::Happy.index()] = 0.5;
        probabilities[Emotion::Neutral.index()] = 0.5;
        let half = Affect::from_distribution(&probabilities);
        assert!((half.valence - 0.435).abs() < 1e-12 && (half.arousal - 0.325).abs() < 1e-12);
        for emotion in Emotion::ALL {
            let at = Affect::from_emotion(emotion);
            assert!(at.valence.abs() <= 1.0 && at.arousal.abs() <= 1.0);
        }
    }
}
