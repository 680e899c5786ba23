//! What can be known of a track, who said it, and how sure that is.

use std::fmt;
use std::str::FromStr;

use crate::key::Key;

/// Who said a value. The later in this order is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// Measured or computed from the sound.
    Estimated,
    /// The file's tags, or the file beside it.
    Tag,
    /// A table or a playlist that a person chose.
    Import,
    /// A person, of this track.
    User,
}

/// Something that can be known of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Name of the piece.
    Title,
    /// Who made it.
    Artist,
    /// What it was published on.
    Album,
    /// Its kind.
    Genre,
    /// Words, with `; ` between them.
    Mood,
    /// Unpleasant -1 to pleasant 1.
    Valence,
    /// Calm -1 to activated 1; a neutral face is 0.
    Arousal,
    /// Beats a minute, 20-400.
    Bpm,
    /// As ID3v2 writes it: `Am`, `F#`.
    Key,
    /// Soft and dull 0 to loud and bright 1.
    Energy,
    /// Integrated loudness by EBU R 128, LUFS.
    Loudness,
    /// Highest true peak of all channels by ITU-R BS.1770, dBTP.
    TruePeak,
    /// Length, seconds.
    Duration,
}

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of words, names and keys.
    Text(String),
    /// Of everything measured. Finite.
    Number(f64),
}

/// A value, and why to believe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// Of what.
    pub field: Field,
    /// What is said.
    pub value: Value,
    /// By whom.
    pub provenance: Provenance,
    /// 0-1.
    pub confidence: f64,
}

macro_rules! names {
    ($type:ident, $what:literal, $($variant:ident $name:literal),+) => {
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The lower-case name, as the database and the tables write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = BadValue;
            fn from_str(name: &str) -> Result<Self, BadValue> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(BadValue(format!("'{name}' is no {}: use one of {}", $what, [$($name),+].join(", ")))),
                }
            }
        }
    };
}

names!(Provenance, "provenance", Estimated "estimated", Tag "tag", Import "import", User "user");
names!(
    Field, "field", Title "title", Artist "artist", Album "album", Genre "genre", Mood "mood", Valence "valence",
    Arousal "arousal", Bpm "bpm", Key "key", Energy "energy", Loudness "loudness", TruePeak "true_peak",
    Duration "duration"
);

/// A text that is no value of its field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(String);

impl Field {
    /// The smallest and the largest number; `None` for words and keys.
    fn range(self) -> Option<(f64, f64)> {
        match self {
            Self::Title | Self::Artist | Self::Album | Self::Genre | Self::Mood | Self::Key => None,
            Self::Valence | Self::Arousal => Some((-1.0, 1.0)),
            Self::Bpm => Some((20.0, 400.0)),
            Self::Energy => Some((0.0, 1.0)),
            Self::Loudness | Self::TruePeak => Some((-200.0, 40.0)),
            Self::Duration => Some((0.0, 1e7)),
        }
    }

    /// The value that a text stands for; the error says what the field takes.
    pub fn parse(self, text: &str) -> Result<Value, BadValue> {
        let text = text.trim();
        if let Some((low, high)) = self.range() {
            return match text.parse::<f64>() {
                Ok(number) if (low..=high).contains(&number) => Ok(Value::Number(number)),
                _ => Err(BadValue(format!("{self} is a number from {low} to {high}, not '{text}'"))),
            };
        }
        if text.is_empty() {
            return Err(BadValue(format!("{self} is empty")));
        }
        match self {
            Self::Key => text
                .parse::<Key>()
                .map(|key| Value::Text(key.to_string()))
                .map_err(|error| BadValue(error.to_string())),
            Self::Mood => Ok(Value::Text(join(&words(text)))),
            _ => Ok(Value::Text(text.into())),
        }
    }

    /// Whether a value is one of this field's: a database may hold anything.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match (self.range(), value) {
            (Some((low, high)), Value::Number(number)) => (low..=high).contains(number),
            (None, Value::Text(text)) => !text.is_empty(),
            _ => false,
        }
    }
}

impl Stated {
    /// A value that its sayer is sure of.
    pub fn sure(field: Field, value: Value, provenance: Provenance) -> Self {
        Self { field, value, provenance, confidence: 1.0 }
    }
}

impl Value {
    /// The text, of a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }

    /// The number, of a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(_) => None,
            Self::Number(number) => Some(*number),
        }
    }
}

impl fmt::Display for Value {
    /// Reads back as the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The words of a mood as they are kept and written.
pub(crate) fn words(text: &str) -> Vec<String> {
    let words = text.split([';', ',', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.map(String::from).collect()
}

/// The inverse of [`words`].
pub(crate) fn join(words: &[String]) -> String {
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_beats_a_tag_beats_an_estimate() {
        assert!(Provenance::User > Provenance::Import && Provenance::Import > Provenance::Tag);
        assert!(Provenance::Tag > Provenance::Estimated);
    }

    #[test]
    fn names_go_both_ways() {
        for field in Field::ALL {
            assert_eq!(field.as_str().parse(), Ok(*field));
        }
        assert!("mod".parse::<Field>().unwrap_err().to_string().contains("mood"));
    }

    #[test]
    fn texts_become_values_or_say_what_is_wanted() {
        assert_eq!(Field::Valence.parse(" -0.5 "), Ok(Value::Number(-0.5)));
        assert_eq!(Field::Mood.parse("calm,dark ;"), Ok(Value::Text("calm; dark".into())));
        assert_eq!(Field::Key.parse("8A"), Ok(Value::Text("Am".into())));
        for (field, text) in [
            (Field::Valence, "1.5"),
            (Field::Bpm, "NaN"),
            (Field::Energy, ""),
            (Field::Title, " "),
            (Field::Key, "X"),
        ] {
            assert!(field.parse(text).is_err(), "{field} {text}");
        }
    }
}
