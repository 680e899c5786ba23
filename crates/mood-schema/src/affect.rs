//! Valence and arousal, of an emotion or of a distribution over the seven emotions.

use serde::{Deserialize, Serialize};

use crate::Emotion;

/// A point of the circumplex of affect (Russell 1980, doi:10.1037/h0077714): valence and arousal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affect {
    /// From -1, unpleasant, to 1, pleasant.
    pub valence: f64,
    /// From -1, calm, to 1, activated; 0 for a neutral face.
    pub arousal: f64,
}

/// The norm of arousal for the word "neutral". It is subtracted from all emotions' arousal, so that a neutral
/// face has an arousal of 0.
const NEUTRAL_AROUSAL: f64 = -0.39;

impl Affect {
    /// The point of an emotion: the norms of Warriner, Kuperman and Brysbaert 2013
    /// (doi:10.3758/s13428-012-0314-x), rescaled from 1-9 to -1..1, with arousal shifted so that neutral is
    /// the origin. A surprised face may be pleased or not, so the valence of surprise is 0.
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

    /// The mean of the seven emotions' points weighted by `probabilities`, which are in [`Emotion`]'s order
    /// and sum to 1.
    pub fn from_distribution(probabilities: &[f64; 7]) -> Self {
        Emotion::ALL.iter().zip(probabilities).fold(Self::default(), |sum, (&emotion, &p)| {
            let point = Self::from_emotion(emotion);
            Self { valence: sum.valence + p * point.valence, arousal: sum.arousal + p * point.arousal }
        })
    }

    /// The Euclidean distance between two points, 0 to about 2.8.
    pub fn distance(self, other: Self) -> f64 {
        (self.valence - other.valence).hypot(self.arousal - other.arousal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_is_the_origin_and_surprise_has_no_valence() {
        assert_eq!(Affect::from_emotion(Emotion::Neutral), Affect::default());
        let surprise = Affect::from_emotion(Emotion::Surprise);
        assert_eq!(surprise.valence, 0.0);
        assert!(surprise.arousal > 0.7);
    }

    #[test]
    fn mixture_lies_between_its_emotions() {
        let mut probabilities = [0.0; 7];
        probabilities[Emotion::Happy.index()] = 0.5;
        probabilities[Emotion::Neutral.index()] = 0.5;
        let mixture = Affect::from_distribution(&probabilities);
        assert!((mixture.valence - 0.435).abs() < 1e-12 && (mixture.arousal - 0.325).abs() < 1e-12);
        for emotion in Emotion::ALL {
            let point = Affect::from_emotion(emotion);
            assert!(point.valence.abs() <= 1.0 && point.arousal.abs() <= 1.0);
        }
    }
}
