//! The metadata of a track: fields, their values, and for each value its provenance and confidence.

use std::fmt;
use std::str::FromStr;

use crate::MusicalKey;

/// Where a value comes from, in ascending order of precedence: of several values of a field the one with the
/// highest provenance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// Measured or estimated from the audio.
    Estimated,
    /// The tags of the file, or its sidecar file (`<file>.mood`).
    Tag,
    /// A CSV table or a playlist that a user imported.
    Import,
    /// Set by a user for this track.
    User,
}

/// A field of a track's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Title of the track.
    Title,
    /// Artist.
    Artist,
    /// Album.
    Album,
    /// Genre.
    Genre,
    /// Mood words, separated by `; `.
    Mood,
    /// Valence, -1 (unpleasant) to 1 (pleasant).
    Valence,
    /// Arousal, -1 (calm) to 1 (activated), relative to a neutral face.
    Arousal,
    /// Tempo, beats per minute, 20 to 400.
    Bpm,
    /// Musical key in the notation of ID3v2: `Am`, `F#`.
    Key,
    /// Perceived energy, 0 (soft and dull) to 1 (loud and bright).
    Energy,
    /// Integrated loudness after EBU R 128, LUFS, -200 to 40.
    Loudness,
    /// Highest true peak of all channels after ITU-R BS.1770-4, dBTP, -200 to 40.
    TruePeak,
    /// Duration, seconds.
    Duration,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The value of title, artist, album, genre, mood and key. Not empty.
    Text(String),
    /// The value of any other field. Finite.
    Number(f64),
}

/// A value of a field with its provenance and confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcedValue {
    /// The field.
    pub field: Field,
    /// The field's value.
    pub value: Value,
    /// Where the value comes from.
    pub provenance: Provenance,
    /// How certain the source is of the value, 0 to 1.
    pub confidence: f64,
}

/// Implements `ALL`, `as_str`, `Display` and `FromStr` for an enum without fields from its names.
macro_rules! impl_names {
    ($type:ident, $kind:literal, $($variant:ident $name:literal),+) => {
        impl $type {
            /// Every value, in the order of the enum.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The lower-case name, as the database and CSV tables have it.
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
            type Err = ParseValueError;
            fn from_str(name: &str) -> Result<Self, ParseValueError> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(ParseValueError(format!("'{name}' is no {}: use one of {}", $kind, [$($name),+].join(", ")))),
                }
            }
        }
    };
}

impl_names!(Provenance, "provenance", Estimated "estimated", Tag "tag", Import "import", User "user");
impl_names!(
    Field, "field", Title "title", Artist "artist", Album "album", Genre "genre", Mood "mood", Valence "valence",
    Arousal "arousal", Bpm "bpm", Key "key", Energy "energy", Loudness "loudness", TruePeak "true_peak",
    Duration "duration"
);

/// A text that is not a valid value of its field. Holds a text for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseValueError(String);

impl Field {
    /// The smallest and the largest number; `None` for a field whose value is a text.
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

    /// Parses the value of this field from a text. A number may have a decimal comma. A key may have any notation of [`MusicalKey`]; mood words
    /// may be separated by commas, semicolons or line breaks.
    ///
    /// # Errors
    /// The text is empty, not a number, or out of the field's range.
    pub fn parse(self, text: &str) -> Result<Value, ParseValueError> {
        let text = text.trim();
        if let Some((low, high)) = self.range() {
            // Spreadsheets of many countries write decimal commas.
            return match text.replace(',', ".").parse::<f64>() {
                Ok(number) if (low..=high).contains(&number) => Ok(Value::Number(number)),
                _ => Err(ParseValueError(format!("{self} is a number from {low} to {high}, not '{text}'"))),
            };
        }
        if text.is_empty() {
            return Err(ParseValueError(format!("{self} is empty")));
        }
        match self {
            Self::Key => text
                .parse::<MusicalKey>()
                .map(|key| Value::Text(key.to_string()))
                .map_err(|error| ParseValueError(error.to_string())),
            Self::Mood => Ok(Value::Text(join_moods(&split_moods(text)))),
            _ => Ok(Value::Text(text.into())),
        }
    }

    /// Whether a value is valid for this field. Values from a database or from tags may not be.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match (self.range(), value) {
            (Some((low, high)), Value::Number(number)) => (low..=high).contains(number),
            (None, Value::Text(text)) => !text.is_empty(),
            _ => false,
        }
    }
}

impl SourcedValue {
    /// A value with confidence 1.
    pub fn certain(field: Field, value: Value, provenance: Provenance) -> Self {
        Self { field, value, provenance, confidence: 1.0 }
    }
}

impl Value {
    /// The text, or `None` for a number.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }

    /// The number, or `None` for a text.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Text(_) => None,
            Self::Number(number) => Some(*number),
        }
    }
}

impl fmt::Display for Value {
    /// Formats the value so that [`Field::parse`] gives the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// Splits the text of a mood field at commas, semicolons and line breaks into its mood words.
pub(crate) fn split_moods(text: &str) -> Vec<String> {
    let words = text.split([';', ',', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.map(String::from).collect()
}

/// Joins mood words to the text of a mood field; the inverse of [`split_moods`].
pub(crate) fn join_moods(words: &[String]) -> String {
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_takes_precedence_over_import_tag_and_estimate() {
        assert!(Provenance::User > Provenance::Import && Provenance::Import > Provenance::Tag);
        assert!(Provenance::Tag > Provenance::Estimated);
    }

    #[test]
    fn names_round_trip() {
        for field in Field::ALL {
            assert_eq!(field.as_str().parse(), Ok(*field));
        }
        assert!("mod".parse::<Field>().unwrap_err().to_string().contains("mood"));
    }

    #[test]
    fn texts_are_parsed_or_rejected() {
        assert_eq!(Field::Valence.parse(" -0.5 "), Ok(Value::Number(-0.5)));
        assert_eq!(Field::Bpm.parse("120,5"), Ok(Value::Number(120.5)));
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
