//! Musical keys: the ways they are written, and how near two are to each other.

use std::fmt;
use std::str::FromStr;

/// A key in equal temperament.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Pitch class of the tonic, 0 (C) to 11 (B).
    pub tonic: u8,
    /// Minor, or major.
    pub minor: bool,
}

const NAMES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Steps on the circle of fifths that are as far as it gets.
const OPPOSITE: u8 = 6;

impl Key {
    /// Steps between two keys: 0 for the same, 1 for the relative and for the neighbours on the circle of fifths, up to
    /// 7. Moving between neighbours changes one note of the scale.
    pub fn distance(self, other: Self) -> u8 {
        let apart = (self.fifths() + 12 - other.fifths()) % 12;
        apart.min(12 - apart).min(OPPOSITE) + u8::from(self.minor != other.minor)
    }

    /// Place of the scale on the circle of fifths, 0 (no accidentals) to 11; relatives share it.
    fn fifths(self) -> u8 {
        let major = if self.minor { self.tonic + 3 } else { self.tonic };
        major % 12 * 7 % 12
    }

    fn from_fifths(fifths: u8, minor: bool) -> Self {
        let major = fifths % 12 * 7 % 12;
        Self { tonic: if minor { (major + 9) % 12 } else { major }, minor }
    }
}

impl fmt::Display for Key {
    /// As ID3v2 writes it: `Am`, `F#`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES[usize::from(self.tonic) % 12];
        f.pad(&format!("{name}{}", if self.minor { "m" } else { "" }))
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no key: write C, F#m, Bb minor, 8A or 1d")]
pub struct UnknownKey(String);

impl FromStr for Key {
    type Err = UnknownKey;

    /// Reads `F#m`, `Gb minor`, `A maj`, Camelot's `8A` (A is minor) and Open Key's `1d` (d is major).
    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let trimmed = text.trim();
        wheel(trimmed).or_else(|| note(trimmed)).ok_or_else(|| UnknownKey(text.into()))
    }
}

fn wheel(text: &str) -> Option<Key> {
    let number: u8 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    if !(1..=12).contains(&number) {
        return None;
    }
    // C major is 8B with the one and 1d with the other.
    match text.as_bytes().last()? {
        b'A' | b'a' => Some(Key::from_fifths(number + 4, true)),
        b'B' | b'b' => Some(Key::from_fifths(number + 4, false)),
        b'm' | b'M' => Some(Key::from_fifths(number - 1, true)),
        b'd' | b'D' => Some(Key::from_fifths(number - 1, false)),
        _ => None,
    }
}

fn note(text: &str) -> Option<Key> {
    let mut letters = text.chars();
    let natural = match letters.next()?.to_ascii_uppercase() {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' | 'H' => 11,
        _ => return None,
    };
    let rest = letters.as_str();
    let (shift, rest) = if let Some(rest) = rest.strip_prefix(['#', '♯']) {
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
    Some(Key { tonic: (natural + shift) % 12, minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn written_and_read_in_every_notation() {
        for tonic in 0..12 {
            for minor in [false, true] {
                let at = Key { tonic, minor };
                assert_eq!(key(&at.to_string()), at);
                assert_eq!(Key::from_fifths(at.fifths(), minor), at);
            }
        }
        for (one, same) in
            [("C", "8B"), ("Am", "8A"), ("F#m", "Gb minor"), ("C", "1d"), ("Am", "1m"), ("Ebm", "2A")]
        {
            assert_eq!(key(one), key(same), "{one}, {same}");
        }
        for text in ["", "o", "8C", "0A", "13B", "Cx", "é", "♯", "H#q"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn neighbours_are_near_and_opposites_far() {
        assert_eq!(key("C").distance(key("C")), 0);
        for neighbour in ["Am", "G", "F"] {
            assert_eq!(key("C").distance(key(neighbour)), 1, "{neighbour}");
        }
        assert_eq!(key("C").distance(key("F#")), 6);
        assert_eq!(key("C").distance(key("Ebm")), 7);
        assert_eq!(key("B").distance(key("Gb")), 1);
    }
}
