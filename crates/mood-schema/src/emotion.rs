//! The seven emotions of FER-2013, and what can be said of a face or of a moment beyond them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An emotion, in FER-2013's order (Goodfellow et al. 2013, arXiv:1307.0414): the index of a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Emotion {
    Angry,
    Disgust,
    Fear,
    Happy,
    Sad,
    Surprise,
    Neutral,
}

impl Emotion {
    /// Every emotion, in the order of the probabilities.
    pub const ALL: [Self; 7] =
        [Self::Angry, Self::Disgust, Self::Fear, Self::Happy, Self::Sad, Self::Surprise, Self::Neutral];

    /// The place in a distribution, 0-6.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The emotion at a place of a distribution, `None` above 6.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The lower-case name: FER-2013's word.
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

/// What is said of one face: an emotion, or that one cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// One of the seven.
    Known(Emotion),
    /// Confidence or quality too low to say.
    Uncertain,
}

impl Label {
    /// FER-2013's number, or -1 for uncertain.
    pub fn id(self) -> i32 {
        match self {
            Self::Known(emotion) => emotion.index() as i32,
            Self::Uncertain => -1,
        }
    }

    /// The lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known(emotion) => emotion.as_str(),
            Self::Uncertain => "uncertain",
        }
    }
}

/// What a player holds over time: a label, or that nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mood {
    /// One of the seven.
    Known(Emotion),
    /// Somebody is there, but one cannot tell.
    Uncertain,
    /// Nobody is there.
    Absent,
}

impl Mood {
    /// The lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known(emotion) => emotion.as_str(),
            Self::Uncertain => "uncertain",
            Self::Absent => "absent",
        }
    }
}

/// A word that names no emotion, label or mood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name '{0}': use one of angry, disgust, fear, happy, sad, surprise, neutral{1}")]
pub struct UnknownNameError(String, &'static str);

macro_rules! as_text {
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

fn emotion(name: &str) -> Option<Emotion> {
    Emotion::ALL.into_iter().find(|emotion| emotion.as_str().eq_ignore_ascii_case(name))
}

as_text!(Emotion, |name: &str| emotion(name).ok_or_else(|| UnknownNameError(name.into(), "")));
as_text!(Label, |name: &str| match emotion(name) {
    Some(emotion) => Ok(Label::Known(emotion)),
    None if name.eq_ignore_ascii_case("uncertain") => Ok(Label::Uncertain),
    None => Err(UnknownNameError(name.into(), ", uncertain")),
});
as_text!(Mood, |name: &str| match emotion(name) {
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
    fn names_and_numbers_go_both_ways() {
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
    fn an_unknown_name_says_what_is_known() {
        let error = "cheerful".parse::<Mood>().unwrap_err().to_string();
        assert!(
            error.contains("cheerful") && error.contains("surprise") && error.contains("absent"),
            "{error}"
        );
    }
}
