//! The seven emotions of FER-2013, the label of a face and the mood of a person over time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An emotion as a facial expression shows it. The order is that of FER-2013 (Goodfellow et al. 2013, arXiv:1307.0414)
/// and of all distributions over emotions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Emotion {
    /// Index 0.
    Angry,
    /// Index 1.
    Disgust,
    /// Index 2.
    Fear,
    /// Index 3.
    Happy,
    /// Index 4.
    Sad,
    /// Index 5.
    Surprise,
    /// Index 6: no expression of an emotion.
    Neutral,
}

impl Emotion {
    /// All emotions in the order of distributions.
    pub const ALL: [Self; 7] =
        [Self::Angry, Self::Disgust, Self::Fear, Self::Happy, Self::Sad, Self::Surprise, Self::Neutral];

    /// The index in a distribution, 0-6.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The emotion at an index of a distribution; `None` above 6.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The name used in FER-2013, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Angry => "angry",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Surprise => "surprise",
            Self::Neutral => "neutral",
        }
    }
}

/// The label of a face: an emotion, or `uncertain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// The face shows this emotion.
    Known(Emotion),
    /// The classifier's confidence or the image's quality is too low for a label.
    Uncertain,
}

impl Label {
    /// The emotion's index, 0-6, or -1 for uncertain.
    pub fn id(self) -> i32 {
        match self {
            Self::Known(emotion) => emotion.index() as i32,
            Self::Uncertain => -1,
        }
    }

    /// The name, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known(emotion) => emotion.as_str(),
            Self::Uncertain => "uncertain",
        }
    }
}

/// The mood of a person over time: a label, or `absent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mood {
    /// The person shows this emotion.
    Known(Emotion),
    /// There is a face, but its emotion is uncertain.
    Uncertain,
    /// There is no face.
    Absent,
}

impl Mood {
    /// The name, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known(emotion) => emotion.as_str(),
            Self::Uncertain => "uncertain",
            Self::Absent => "absent",
        }
    }
}

/// A name that is none of an emotion, a label or a mood. Names are parsed without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name '{0}': use one of angry, disgust, fear, happy, sad, surprise, neutral{1}")]
pub struct UnknownNameError(String, &'static str);

/// Implements display, parsing and serde for a type with an `as_str` and a function that parses it.
macro_rules! impl_text {
    ($type:ident, $parse:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownNameError;
            fn from_str(name: &str) -> Result<Self, UnknownNameError> {
                ($parse)(name)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn parse_emotion(name: &str) -> Option<Emotion> {
    Emotion::ALL.into_iter().find(|emotion| emotion.as_str().eq_ignore_ascii_case(name))
}

impl_text!(Emotion, |name: &str| parse_emotion(name).ok_or_else(|| UnknownNameError(name.into(), "")));
impl_text!(Label, |name: &str| match parse_emotion(name) {
    Some(emotion) => Ok(Label::Known(emotion)),
    None if name.eq_ignore_ascii_case("uncertain") => Ok(Label::Uncertain),
    None => Err(UnknownNameError(name.into(), ", uncertain")),
});
impl_text!(Mood, |name: &str| match parse_emotion(name) {
    Some(emotion) => Ok(Mood::Known(emotion)),
    None if name.eq_ignore_ascii_case("uncertain") => Ok(Mood::Uncertain),
    None if name.eq_ignore_ascii_case("absent") => Ok(Mood::Absent),
    None => Err(UnknownNameError(name.into(), ", uncertain, absent")),
});

impl From<Emotion> for Label {
    fn from(emotion: Emotion) -> Self {
        Self::Known(emotion)
    }
}

impl From<Emotion> for Mood {
    fn from(emotion: Emotion) -> Self {
        Self::Known(emotion)
    }
}

impl From<Label> for Mood {
    fn from(label: Label) -> Self {
        match label {
            Label::Known(emotion) => Self::Known(emotion),
            Label::Uncertain => Self::Uncertain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_survive_the_round_trip() {
        for (index, emotion) in Emotion::ALL.into_iter().enumerate() {
            assert_eq!(emotion.index(), index);
            assert_eq!(Emotion::from_index(index), Some(emotion));
            assert_eq!(emotion.as_str().parse(), Ok(emotion));
            assert_eq!(Label::from(emotion).id(), index as i32);
        }
        assert_eq!(Emotion::from_index(7), None);
        assert_eq!("Uncertain".parse(), Ok(Label::Uncertain));
        assert_eq!("absent".parse(), Ok(Mood::Absent));
    }

    #[test]
    fn error_for_an_unknown_name_lists_the_known_ones() {
        let error = "cheerful".parse::<Mood>().unwrap_err().to_string();
        assert!(
            error.contains("cheerful") && error.contains("surprise") && error.contains("absent"),
            "{error}"
        );
    }
}
