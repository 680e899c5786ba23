//! Musical keys: their notations, and the distance between two keys on the circle of fifths.

use std::fmt;
use std::str::FromStr;

/// A major or minor key in equal temperament.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MusicalKey {
    /// Pitch class of the tonic, in semitones above C: 0 (C) to 11 (B).
    pub tonic: u8,
    /// Whether the mode is minor; otherwise it is major.
    pub minor: bool,
}

/// Names of the pitch classes.
const PITCH_NAMES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Number of steps on the circle of fifths between opposite scales: the largest distance.
const OPPOSITE: u8 = 6;

impl MusicalKey {
    /// The distance between two keys: steps on the circle of fifths between their scales, plus 1 for another
    /// mode. 0 for the same key, 1 for the relative key and for the neighbours on the circle (one note of the
    /// scale differs), at most 7.
    pub fn distance(self, other: Self) -> u8 {
        let steps = (self.fifths() + 12 - other.fifths()) % 12;
        steps.min(12 - steps).min(OPPOSITE) + u8::from(self.minor != other.minor)
    }

    /// Position of the scale on the circle of fifths, 0 (no accidentals) to 11; relative keys share it.
    fn fifths(self) -> u8 {
        let major = if self.minor { self.tonic + 3 } else { self.tonic };
        major % 12 * 7 % 12
    }

    /// The key whose scale has this position on the circle of fifths.
    fn from_fifths(fifths: u8, minor: bool) -> Self {
        let major = fifths % 12 * 7 % 12;
        Self { tonic: if minor { (major + 9) % 12 } else { major }, minor }
    }
}

impl fmt::Display for MusicalKey {
    /// Formats the key as ID3v2.4's frame `TKEY` does: `Am`, `F#`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PITCH_NAMES[usize::from(self.tonic) % 12];
        f.pad(&format!("{name}{}", if self.minor { "m" } else { "" }))
    }
}

/// A text that does not name a key. Holds the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no key: write C, F#m, Bb minor, 8A or 1d")]
pub struct ParseKeyError(String);

impl FromStr for MusicalKey {
    type Err = ParseKeyError;

    /// Parses note names (`F#m`, `Gb minor`, `A maj`), Camelot notation (`8A`; A is minor, B is major) and
    /// Open Key notation (`1d`; m is minor, d is major).
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let trimmed = text.trim();
        parse_wheel_position(trimmed)
            .or_else(|| parse_note_name(trimmed))
            .ok_or_else(|| ParseKeyError(text.into()))
    }
}

/// Parses Camelot and Open Key notation: a position 1 to 12 on the circle of fifths and a letter for
/// the mode.
fn parse_wheel_position(text: &str) -> Option<MusicalKey> {
    let number: u8 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    if !(1..=12).contains(&number) {
        return None;
    }
    // C major is 8B in Camelot notation and 1d in Open Key notation.
    match text.as_bytes().last()? {
        b'A' | b'a' => Some(MusicalKey::from_fifths(number + 4, true)),
        b'B' | b'b' => Some(MusicalKey::from_fifths(number + 4, false)),
        b'm' | b'M' => Some(MusicalKey::from_fifths(number - 1, true)),
        b'd' | b'D' => Some(MusicalKey::from_fifths(number - 1, false)),
        _ => None,
    }
}

/// Parses a note name with an optional accidental and mode.
fn parse_note_name(text: &str) -> Option<MusicalKey> {
    let mut chars = text.chars();
    let natural = match chars.next()?.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' | 'H' => 11,
        _ => return None,
    };
    let rest = chars.as_str();
    let (accidental, rest) = if let Some(rest) = rest.strip_prefix(['#', '♯']) {
        (1, rest)
    } else if let Some(rest) = rest.strip_prefix(['b', '♭']) {
        (11, rest)
    } else {
        (0, rest)
    };
    let minor = match rest.trim().trim_start_matches('-') {
        "" | "M" => false,
        "m" => true,
        word if word.eq_ignore_ascii_case("maj") || word.eq_ignore_ascii_case("major") => false,
        word if word.eq_ignore_ascii_case("min") || word.eq_ignore_ascii_case("minor") => true,
        _ => return None,
    };
    Some(MusicalKey { tonic: (natural + accidental) % 12, minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> MusicalKey {
        text.parse().unwrap()
    }

    #[test]
    fn every_notation_is_parsed() {
        for tonic in 0..12 {
            for minor in [false, true] {
                let expected = MusicalKey { tonic, minor };
                assert_eq!(key(&expected.to_string()), expected);
                assert_eq!(MusicalKey::from_fifths(expected.fifths(), minor), expected);
            }
        }
        for (text, equivalent) in
            [("C", "8B"), ("Am", "8A"), ("F#m", "Gb minor"), ("C", "1d"), ("Am", "1m"), ("Ebm", "2A")]
        {
            assert_eq!(key(text), key(equivalent), "{text}, {equivalent}");
        }
        for text in ["", "o", "8C", "0A", "13B", "Cx", "é", "♯", "H#q"] {
            assert!(text.parse::<MusicalKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_distance_follows_the_circle_of_fifths() {
        assert_eq!(key("C").distance(key("C")), 0);
        for neighbour in ["Am", "G", "F"] {
            assert_eq!(key("C").distance(key(neighbour)), 1, "{neighbour}");
        }
        assert_eq!(key("C").distance(key("F#")), 6);
        assert_eq!(key("C").distance(key("Ebm")), 7);
        assert_eq!(key("B").distance(key("Gb")), 1);
    }
}
