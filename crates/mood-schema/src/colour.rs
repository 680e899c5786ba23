//! The colours of the moods, the same in the overlay and in the report: the palette of Okabe and Ito (Color Universal
//! Design, 2008), which colour-blind people can tell apart, and greys. The palette's yellow is left out because it is
//! hard to see on a white page.

use crate::{Emotion, Mood};

impl Mood {
    /// The mood's colour: red, green and blue, sRGB.
    pub fn colour(self) -> [u8; 3] {
        match self {
            Self::Known(Emotion::Angry) => [0xD5, 0x5E, 0x00],
            Self::Known(Emotion::Disgust) => [0x00, 0x9E, 0x73],
            Self::Known(Emotion::Fear) => [0xCC, 0x79, 0xA7],
            Self::Known(Emotion::Happy) => [0xE6, 0x9F, 0x00],
            Self::Known(Emotion::Sad) => [0x00, 0x72, 0xB2],
            Self::Known(Emotion::Surprise) => [0x56, 0xB4, 0xE9],
            Self::Known(Emotion::Neutral) => [0xA6, 0xA6, 0xA6],
            Self::Uncertain => [0xDD, 0xDD, 0xDD],
            Self::Absent => [0xF2, 0xF2, 0xF2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_moods_share_a_colour() {
        let moods: Vec<Mood> =
            Emotion::ALL.into_iter().map(Mood::Known).chain([Mood::Uncertain, Mood::Absent]).collect();
        for (index, mood) in moods.iter().enumerate() {
            assert!(moods[index + 1..].iter().all(|other| other.colour() != mood.colour()), "{mood}");
        }
    }
}
