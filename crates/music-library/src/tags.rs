//! Reads what a file says of itself, and what the file beside it says of its mood.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::ape::ApeTag;
use lofty::config::ParseOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::mp4::{AtomData, AtomIdent, Ilst};
use lofty::ogg::tag::VorbisComments;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};

use crate::asf;
use crate::key::Key;
use crate::value::{Field, Provenance, Stated, Value, join};

/// More than this beside a file is not a few words.
const SIDECAR_LIMIT: u64 = 4096;
/// What a gain of 0 dB stands for: ReplayGain 2.0, and RFC 7845 for Opus.
const REPLAY_GAIN: f64 = -18.0;
const R128: f64 = -23.0;
/// The moods that beets' xtractor and AcousticBrainz judge, `mood_happy` and so on, with a share 0-1. Those it judges
/// besides, acoustic and electronic, are no moods.
const JUDGED: [&str; 5] = ["aggressive", "happy", "party", "relaxed", "sad"];
/// From here on a judged mood counts as there.
const LIKELY: f64 = 0.5;

/// What a file's tags say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tags {
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) album: Option<String>,
    pub(crate) genre: Option<String>,
    pub(crate) moods: Vec<String>,
    /// How unsure the moods are, 0-1: people are not, judging programs are.
    pub(crate) doubt: f64,
    pub(crate) bpm: Option<f64>,
    pub(crate) key: Option<Key>,
    /// LUFS, out of the gain that brings it to a known level.
    pub(crate) loudness: Option<f64>,
    /// Seconds, as the container says.
    pub(crate) duration: Option<f64>,
}

/// The tags of a file with the moods of the file beside it, which win; none where they are missing or broken. Finding out
/// how long it is may take longer than all the rest.
pub(crate) fn read(path: &Path, length: bool) -> Tags {
    let mut tags = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wma")) {
        asf::read(path).unwrap_or_default()
    } else {
        // A tag is a stranger's bytes: should the parser ever give up on one, the file is untagged, nothing more.
        catch_unwind(AssertUnwindSafe(|| read_tags(path, length))).ok().flatten().unwrap_or_default()
    };
    if let Some(moods) = sidecar(path) {
        (tags.moods, tags.doubt) = (moods, 0.0);
    }
    tags
}

fn read_tags(path: &Path, length: bool) -> Option<Tags> {
    let options = ParseOptions::new().read_properties(length).read_cover_art(false);
    // By content where it can be told: an ending may lie.
    let file = Probe::open(path).ok()?.options(options).guess_file_type().ok()?.read().ok()?;
    let tags: Vec<&Tag> = file.primary_tag().into_iter().chain(file.tags()).collect();
    let first = |key| tags.iter().flat_map(|tag| tag.get_strings(key)).find_map(clean);
    let number = |key| first(key).and_then(|text| leading_number(&text));
    let moods = tags.iter().map(|tag| tag.get_strings(ItemKey::Mood).filter_map(clean).collect::<Vec<_>>());
    let moods = moods.into_iter().find(|moods| !moods.is_empty());
    let (moods, doubt) = match moods {
        Some(moods) => (moods, 0.0),
        None => judged(tags.iter().flat_map(|tag| free_items(tag))),
    };
    let opus = number(ItemKey::R128TrackGain).map(|steps| R128 - steps / 256.0);
    let duration = file.properties().duration().as_secs_f64();
    Some(Tags {
        title: first(ItemKey::TrackTitle),
        artist: first(ItemKey::TrackArtist),
        album: first(ItemKey::AlbumTitle),
        genre: first(ItemKey::Genre),
        moods,
        doubt,
        bpm: number(ItemKey::Bpm).or_else(|| number(ItemKey::IntegerBpm)),
        key: first(ItemKey::InitialKey).and_then(|text| text.parse().ok()),
        loudness: number(ItemKey::ReplayGainTrackGain).map(|gain| REPLAY_GAIN - gain).or(opus),
        duration: (duration > 0.0).then_some(duration),
    })
}

/// The number that a text begins with, such as that of `-7.2 dB`.
fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// Names and texts that only this kind of tag has: a tag's own form still has what the common one does not.
fn free_items(tag: &Tag) -> Vec<(String, String)> {
    match tag.tag_type() {
        TagType::VorbisComments => VorbisComments::from(tag.clone()).take_items().collect(),
        TagType::Id3v2 => {
            let frames = Id3v2Tag::from(tag.clone()).into_iter();
            frames
                .filter_map(|frame| match frame {
                    Frame::UserText(text) => Some((text.description.into(), text.content.into())),
                    _ => None,
                })
                .collect()
        }
        TagType::Mp4Ilst => {
            let atoms = Ilst::from(tag.clone()).into_iter();
            atoms
                .filter_map(|atom| match (atom.ident(), atom.data().next()?) {
                    (AtomIdent::Freeform { name, .. }, AtomData::UTF8(text)) => {
                        Some((name.to_string(), text.clone()))
                    }
                    _ => None,
                })
                .collect()
        }
        TagType::Ape => ApeTag::from(tag.clone())
            .into_iter()
            .filter_map(|item| Some((item.key().to_owned(), item.text_values()?.next()?.to_owned())))
            .collect(),
        _ => Vec::new(),
    }
}

/// The moods that are likelier than not, and the doubt that stays.
fn judged(items: impl Iterator<Item = (String, String)>) -> (Vec<String>, f64) {
    let mut found: Vec<(&str, f64)> = Vec::new();
    for (name, text) in items {
        let name = name.to_ascii_lowercase();
        let word = JUDGED.into_iter().find(|word| name.strip_prefix("mood_") == Some(word));
        if let (Some(word), Ok(share)) = (word, text.trim().parse::<f64>())
            && (LIKELY..=1.0).contains(&share)
            && found.iter().all(|(other, _)| *other != word)
        {
            found.push((word, share));
        }
    }
    let mean = found.iter().map(|(_, share)| share).sum::<f64>() / found.len().max(1) as f64;
    let doubt = if found.is_empty() { 0.0 } else { 1.0 - mean };
    (found.into_iter().map(|(word, _)| word.into()).collect(), doubt)
}

pub(crate) fn clean(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// The words of `<file>.mood`; `None` where there is no such file or it says nothing.
fn sidecar(path: &Path) -> Option<Vec<String>> {
    let name = sidecar_of(path);
    if std::fs::metadata(&name).ok()?.len() > SIDECAR_LIMIT {
        return None;
    }
    let text = std::fs::read_to_string(&name).ok()?;
    let words: Vec<String> =
        text.trim_start_matches('\u{feff}').split([',', ';', '\n']).filter_map(clean).collect();
    (!words.is_empty()).then_some(words)
}

/// The place of the file beside a file.
pub(crate) fn sidecar_of(path: &Path) -> OsString {
    let mut name = OsString::from(path);
    name.push(".mood");
    name
}

impl Tags {
    /// As values of the database; what is out of its range is not said.
    pub(crate) fn stated(&self) -> Vec<Stated> {
        let text = |field, text: Option<String>| text.map(|text| (field, Value::Text(text)));
        let number = |field, number: Option<f64>| number.map(|number| (field, Value::Number(number)));
        let said = [
            text(Field::Title, self.title.clone()),
            text(Field::Artist, self.artist.clone()),
            text(Field::Album, self.album.clone()),
            text(Field::Genre, self.genre.clone()),
            text(Field::Mood, (!self.moods.is_empty()).then(|| join(&self.moods))),
            number(Field::Bpm, self.bpm),
            text(Field::Key, self.key.map(|key| key.to_string())),
            number(Field::Loudness, self.loudness),
            number(Field::Duration, self.duration),
        ];
        let said = said.into_iter().flatten().filter(|(field, value)| field.takes(value));
        said.map(|(field, value)| Stated {
            confidence: if field == Field::Mood { 1.0 - self.doubt } else { 1.0 },
            ..Stated::sure(field, value, Provenance::Tag)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_read_as_people_write_them() {
        for (text, number) in
            [("-7.25 dB", Some(-7.25)), ("+3", Some(3.0)), ("120", Some(120.0)), ("dB", None)]
        {
            assert_eq!(leading_number(text), number);
        }
    }

    #[test]
    fn judged_moods_count_where_they_are_likely() {
        let items =
            [("MOOD_HAPPY", "0.9"), ("mood_sad", "0.2"), ("mood_party", "0.7"), ("mood_acoustic", "0.9")];
        let items = items.map(|(name, text)| (String::from(name), String::from(text)));
        let (moods, doubt) = judged(items.into_iter());
        assert_eq!(moods, ["happy", "party"]);
        assert!((doubt - 0.2).abs() < 1e-9);
        assert_eq!(judged([("mood_happy".into(), "yes".into())].into_iter()), (Vec::new(), 0.0));
    }
}
