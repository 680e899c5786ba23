//! Tags of audio files, and the mood words of sidecar files.

mod asf;

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lofty::ape::ApeTag;
use lofty::config::{GlobalOptions, ParseOptions};
use lofty::file::{AudioFile, FileType, TaggedFileExt};
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::mp4::{AtomData, AtomIdent, Ilst};
use lofty::ogg::tag::VorbisComments;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};
use media_container::FileView;

use asf::AsfTags;

use crate::metadata::{Field, Provenance, SourcedValue, Value, join_moods};
use crate::{MusicalKey, text};

/// Largest size of a sidecar file, bytes: a larger one does not hold mood words and is ignored.
const MAX_SIDECAR_SIZE: u64 = 4096;
/// The memory that one part of a file's tags may always take, bytes: lofty's default.
const MIN_ALLOCATION: u64 = 16 * 1024 * 1024;
/// The memory that one part of the tags of a large file may take, bytes.
const MAX_ALLOCATION: u64 = 256 * 1024 * 1024;
/// Loudness of a track whose gain by ReplayGain 2.0 is 0 dB, LUFS.
pub(crate) const REPLAY_GAIN_REFERENCE: f64 = -18.0;
/// Loudness of a track whose `R128_TRACK_GAIN` is 0, LUFS (RFC 7845 section 5.2.1, after EBU R 128).
const R128_REFERENCE: f64 = -23.0;
/// Units of `R128_TRACK_GAIN` per dB: it is a fixed-point number with 8 fractional bits (RFC 7845
/// section 5.2.1).
const R128_UNITS_PER_DB: f64 = 256.0;
/// Moods whose probability (0 to 1) the xtractor plugin of beets and AcousticBrainz write to tags such as
/// `mood_happy`. Their other two, acoustic and electronic, are no moods.
const ESTIMATED_MOODS: [&str; 5] = ["aggressive", "happy", "party", "relaxed", "sad"];
/// Probability from which an estimated mood counts as present.
const MIN_MOOD_PROBABILITY: f64 = 0.5;

/// The tags of an audio file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileTags {
    /// Title: ID3v2 `TIT2`, Vorbis comment and APE `TITLE`, MP4 `©nam`.
    pub(crate) title: Option<String>,
    /// Artist: ID3v2 `TPE1`, Vorbis comment and APE `ARTIST`, MP4 `©ART`.
    pub(crate) artist: Option<String>,
    /// Album: ID3v2 `TALB`, Vorbis comment and APE `ALBUM`, MP4 `©alb`.
    pub(crate) album: Option<String>,
    /// Genre: ID3v2 `TCON`, Vorbis comment and APE `GENRE`, MP4 `©gen`.
    pub(crate) genre: Option<String>,
    /// Mood words: from the sidecar file, else from ID3v2.4 `TMOO`, Vorbis comment and APE `MOOD`, MP4
    /// `----:com.apple.iTunes:MOOD` or ASF `WM/Mood`, else from ID3v2 `TXXX:MOOD`, else from `mood_happy` and the like.
    pub(crate) moods: Vec<String>,
    /// Uncertainty of the moods, 0 to 1: above 0 only where a program has estimated them.
    pub(crate) mood_uncertainty: f64,
    /// Tempo, beats per minute: ID3v2 `TBPM`, Vorbis comment and APE `BPM`, MP4 `tmpo`.
    pub(crate) bpm: Option<f64>,
    /// Musical key: ID3v2 `TKEY`, Vorbis comment `INITIALKEY`.
    pub(crate) key: Option<MusicalKey>,
    /// Integrated loudness, LUFS, computed from the gain that brings the track to a reference loudness.
    pub(crate) loudness: Option<f64>,
    /// Duration by the container, seconds.
    pub(crate) duration: Option<f64>,
}

impl FileTags {
    /// Reads the tags of a file. Missing or broken tags are empty. The mood words of a sidecar file take
    /// precedence over those of the tags. `with_duration`: whether to determine the duration, which may take
    /// longer than everything else.
    pub(crate) fn read(path: &Path, with_duration: bool) -> Self {
        let mut tags = if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wma")) {
            let AsfTags { title, author, moods } = asf::read(path).unwrap_or_default();
            Self { title, artist: author, moods, ..Self::default() }
        } else {
            // Tags are untrusted input. A panic of the parser makes the file an untagged one.
            catch_unwind(AssertUnwindSafe(|| read_tags(path, with_duration)))
                .ok()
                .flatten()
                .unwrap_or_default()
        };
        if let Some(moods) = read_sidecar(path) {
            (tags.moods, tags.mood_uncertainty) = (moods, 0.0);
        }
        tags
    }

    /// The values for the database. Values out of their field's range are left out.
    pub(crate) fn to_values(&self) -> Vec<SourcedValue> {
        let text = |field, text: Option<String>| text.map(|text| (field, Value::Text(text)));
        let number = |field, number: Option<f64>| number.map(|number| (field, Value::Number(number)));
        let values = [
            text(Field::Title, self.title.clone()),
            text(Field::Artist, self.artist.clone()),
            text(Field::Album, self.album.clone()),
            text(Field::Genre, self.genre.clone()),
            text(Field::Mood, (!self.moods.is_empty()).then(|| join_moods(&self.moods))),
            number(Field::Bpm, self.bpm),
            text(Field::Key, self.key.map(|key| key.to_string())),
            number(Field::Loudness, self.loudness),
            number(Field::Duration, self.duration),
        ];
        let values = values.into_iter().flatten().filter(|(field, value)| field.accepts(value));
        values
            .map(|(field, value)| SourcedValue {
                confidence: if field == Field::Mood { 1.0 - self.mood_uncertainty } else { 1.0 },
                ..SourcedValue::certain(field, value, Provenance::Tag)
            })
            .collect()
    }
}

/// A picture in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The picture as it is stored.
    pub data: Vec<u8>,
    /// The extension that its format has: `jpg`, `png`, `gif`, `bmp` or `tiff`.
    pub extension: &'static str,
}

/// Reads the picture in a file, of several that of the front; `None` where there is none of a known format, or the file is broken.
pub(crate) fn read_cover(path: &Path) -> Option<Cover> {
    // As in `FileTags::read`.
    catch_unwind(AssertUnwindSafe(|| find_cover(path))).ok().flatten()
}

fn find_cover(path: &Path) -> Option<Cover> {
    lofty::config::apply_global_options(GlobalOptions::new().allocation_limit(MIN_ALLOCATION as usize));
    let options = ParseOptions::new().read_properties(false);
    let file = Probe::open(path).ok()?.options(options).guess_file_type().ok()?.read().ok()?;
    let pictures: Vec<&Picture> = file.tags().iter().flat_map(|tag| tag.pictures()).collect();
    let front = pictures.iter().find(|picture| picture.pic_type() == PictureType::CoverFront);
    let picture = front.or(pictures.first())?;
    let extension = match picture.mime_type()? {
        MimeType::Jpeg => "jpg",
        MimeType::Png => "png",
        MimeType::Gif => "gif",
        MimeType::Bmp => "bmp",
        MimeType::Tiff => "tiff",
        _ => return None,
    };
    Some(Cover { data: picture.data().to_vec(), extension })
}

/// Reads the tags of a file of any format but ASF; `None` where lofty does not know the format or the file
/// is broken.
fn read_tags(path: &Path, with_duration: bool) -> Option<FileTags> {
    let options = ParseOptions::new().read_properties(with_duration).read_cover_art(false);
    // Where lofty reads all of the tags to skip a cover, as in MP4, a large one must not make it give up. A
    // broken file does not make it allocate more than the file has.
    let size = std::fs::metadata(path).ok()?.len().clamp(MIN_ALLOCATION, MAX_ALLOCATION);
    lofty::config::apply_global_options(GlobalOptions::new().allocation_limit(size as usize));
    // The content determines the format where it can: a file extension may be wrong.
    let probe = Probe::open(path).ok()?.options(options).guess_file_type().ok()?;
    let kind = probe.file_type();
    let is_ogg = matches!(kind, Some(FileType::Vorbis | FileType::Opus));
    let file = if let Some(bytes) = read_without_repeated_id3(path) {
        Probe::with_file_type(Cursor::new(bytes), kind?).options(options).read().ok()?
    } else if is_ogg && let Some(view) = FileView::open_without_large_tags(path) {
        // lofty reads all comments of Ogg, those with pictures too. Where it skips pictures, the file is read as it is.
        let reader = BufReader::new(view.into_reader());
        Probe::with_file_type(reader, kind?).options(options).read().ok()?
    } else {
        probe.read().ok()?
    };
    let primary = file.primary_tag();
    let others = file.tags().iter().filter(|tag| primary.is_none_or(|primary| !std::ptr::eq(primary, *tag)));
    let tags: Vec<&Tag> = primary.into_iter().chain(others).collect();
    let custom_items: Vec<(String, String)> = tags.iter().flat_map(|tag| collect_custom_items(tag)).collect();
    let custom = |name: &str| {
        let items = custom_items.iter().filter(move |(item, _)| item.eq_ignore_ascii_case(name));
        items.flat_map(|(_, text)| text.split('\0')).filter_map(trim).collect::<Vec<_>>()
    };
    let first = |key| tags.iter().flat_map(|tag| tag.get_strings(key)).find_map(trim);
    let number = |key, name: &str| {
        let text = first(key).or_else(|| custom(name).into_iter().next())?;
        parse_leading_number(&text)
    };
    let moods = tags.iter().map(|tag| tag.get_strings(ItemKey::Mood).filter_map(trim).collect::<Vec<_>>());
    // ID3v2.3 has no frame for moods; programs write them into `TXXX`, as others do into `mood` in any case.
    let moods = moods.chain([custom("mood"), custom("WM/Mood")]).find(|moods| !moods.is_empty());
    let (moods, mood_uncertainty) = match moods {
        Some(moods) => (moods, 0.0),
        None => select_estimated_moods(custom_items.iter()),
    };
    let replay_gain = number(ItemKey::ReplayGainTrackGain, "REPLAYGAIN_TRACK_GAIN");
    let replay_gain = replay_gain.map(|gain| REPLAY_GAIN_REFERENCE - gain);
    let r128_gain = number(ItemKey::R128TrackGain, "R128_TRACK_GAIN")
        .map(|gain| R128_REFERENCE - gain / R128_UNITS_PER_DB);
    let duration = file.properties().duration().as_secs_f64();
    Some(FileTags {
        title: first(ItemKey::TrackTitle),
        artist: first(ItemKey::TrackArtist),
        album: first(ItemKey::AlbumTitle),
        genre: first(ItemKey::Genre),
        moods,
        mood_uncertainty,
        bpm: number(ItemKey::Bpm, "BPM").or_else(|| number(ItemKey::IntegerBpm, "TBPM")),
        key: first(ItemKey::InitialKey).and_then(|text| text.parse().ok()),
        loudness: replay_gain.or(r128_gain),
        duration: (duration > 0.0).then_some(duration),
    })
}

/// The content of a file that begins with several ID3v2 tags, with the first of them only; `None` for any other file. Of the
/// same frame in both, lofty would return the last one, but players show the first tag.
fn read_without_repeated_id3(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let first = read_id3_size(&mut file, 0)?;
    let mut end = first;
    while let Some(size) = read_id3_size(&mut file, end) {
        end += size;
    }
    if end == first {
        return None;
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    Read::by_ref(&mut file).take(first).read_to_end(&mut bytes).ok()?;
    file.seek(SeekFrom::Start(end)).ok()?;
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The size in bytes of the ID3v2 tag at a position of a file, with its header and footer (ID3v2.4.0, section 3.1); `None` where
/// there is none.
fn read_id3_size(file: &mut File, position: u64) -> Option<u64> {
    let mut header = [0; 10];
    file.seek(SeekFrom::Start(position)).ok()?;
    file.read_exact(&mut header).ok()?;
    let has_footer = header[5] & 0x10 != 0;
    let size = header[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
    header.starts_with(b"ID3").then_some(10 + size + if has_footer { 10 } else { 0 })
}

/// Parses the number at the beginning of a text such as `-7.2 dB` or `120,5`.
fn parse_leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start().replace('\u{2212}', "-").replace(',', ".");
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The names and texts of items that have no common key in lofty. Only the format's own tag type still
/// has them.
fn collect_custom_items(tag: &Tag) -> Vec<(String, String)> {
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

/// Selects the estimated moods that count as present, with their mean uncertainty, 0 to 1 (0 where there
/// is none).
fn select_estimated_moods<'a>(items: impl Iterator<Item = &'a (String, String)>) -> (Vec<String>, f64) {
    let mut moods: Vec<(&str, f64)> = Vec::new();
    for (name, text) in items {
        let name = name.to_ascii_lowercase();
        let mood = ESTIMATED_MOODS.into_iter().find(|mood| name.strip_prefix("mood_") == Some(mood));
        if let (Some(mood), Ok(probability)) = (mood, text.trim().replace(',', ".").parse::<f64>())
            && (MIN_MOOD_PROBABILITY..=1.0).contains(&probability)
            && moods.iter().all(|(other, _)| *other != mood)
        {
            moods.push((mood, probability));
        }
    }
    let mean = moods.iter().map(|(_, probability)| probability).sum::<f64>() / moods.len().max(1) as f64;
    let uncertainty = if moods.is_empty() { 0.0 } else { 1.0 - mean };
    (moods.into_iter().map(|(mood, _)| mood.into()).collect(), uncertainty)
}

/// Trims white space and zero characters; `None` for an empty text.
fn trim(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the mood words of a file's sidecar file; `None` where there is no such file or it has no words.
fn read_sidecar(path: &Path) -> Option<Vec<String>> {
    let sidecar = find_sidecar(path)?;
    if std::fs::metadata(&sidecar).ok()?.len() > MAX_SIDECAR_SIZE {
        return None;
    }
    let text = text::decode(&std::fs::read(&sidecar).ok()?);
    let words: Vec<String> = text.split([',', ';', '\n', '\r']).filter_map(trim).collect();
    (!words.is_empty()).then_some(words)
}

/// The sidecar file of a file, which may hold mood words: `<file>.mood`, whose ending may be in upper case.
pub(crate) fn find_sidecar(path: &Path) -> Option<PathBuf> {
    let sidecars = [".mood", ".MOOD", ".Mood"].map(|extension| {
        let mut name = OsString::from(path);
        name.push(extension);
        PathBuf::from(name)
    });
    sidecars.into_iter().find(|sidecar| sidecar.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_may_have_a_unit() {
        for (text, number) in [
            ("-7.25 dB", Some(-7.25)),
            ("+3", Some(3.0)),
            ("120", Some(120.0)),
            ("dB", None),
            ("-6,40 dB", Some(-6.4)),
            ("\u{2212}3,5", Some(-3.5)),
        ] {
            assert_eq!(parse_leading_number(text), number);
        }
    }

    #[test]
    fn estimated_moods_count_where_they_are_probable() {
        let items =
            [("MOOD_HAPPY", "0.9"), ("mood_sad", "0.2"), ("mood_party", "0.7"), ("mood_acoustic", "0.9")];
        let items = items.map(|(name, text)| (String::from(name), String::from(text)));
        let (moods, uncertainty) = select_estimated_moods(items.iter());
        assert_eq!(moods, ["happy", "party"]);
        assert!((uncertainty - 0.2).abs() < 1e-9);
        assert_eq!(select_estimated_moods([("mood_happy".into(), "yes".into())].iter()), (Vec::new(), 0.0));
    }

    /// A box of MP4: its size, its name, its content.
    fn mp4_box(name: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [&(content.len() as u32 + 8).to_be_bytes()[..], name, &content].concat()
    }

    #[test]
    fn a_large_cover_costs_neither_the_tags_nor_memory() {
        const COVER: usize = 20 * 1024 * 1024;
        let cover = vec![0x55; COVER];
        let text = mp4_box(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], b"Title"]);
        let image = mp4_box(b"data", &[&[0, 0, 0, 13, 0, 0, 0, 0], &cover]);
        let items = mp4_box(b"ilst", &[&mp4_box(b"covr", &[&image]), &mp4_box(b"\xa9nam", &[&text])]);
        let meta = mp4_box(b"udta", &[&mp4_box(b"meta", &[&[0; 4], &items])]);
        let mp4 = [mp4_box(b"ftyp", &[b"M4A \0\0\0\0M4A "]), mp4_box(b"moov", &[&meta])].concat();

        let id3_frame = |name: &[u8], content: &[&[u8]]| {
            let content = content.concat();
            [name, &(content.len() as u32).to_be_bytes(), &[0, 0], &content].concat()
        };
        let frames =
            [id3_frame(b"APIC", &[b"\0image/png\0\x03\0", &cover]), id3_frame(b"TIT2", &[b"\0Title"])];
        let frames = frames.concat();
        let size: Vec<u8> = [21, 14, 7, 0].map(|shift| (frames.len() >> shift & 0x7f) as u8).to_vec();
        let mp3 = [b"ID3\x03\0\0", &size[..], &frames, &[0xff, 0xfb, 0x90, 0x64], &[0; 413]].concat();

        let block = |kind: u8, content: &[u8]| {
            [&[kind], &(content.len() as u32).to_be_bytes()[1..], content].concat()
        };
        let picture =
            [&3u32.to_be_bytes(), &[0; 24][..], &(COVER as u32 / 2).to_be_bytes(), &cover[..COVER / 2]];
        let comment = b"\0\0\0\0\x01\0\0\0\x0b\0\0\0TITLE=Title";
        let flac = [b"fLaC", &block(0, &[0; 34])[..], &block(6, &picture.concat()), &block(0x84, comment)];

        // Ogg: pages of 255 segments at most; their number and checksum are not looked at.
        let page = |segments: &[u8], content: &[u8]| {
            [b"OggS\0\0", &[0; 20][..], &[segments.len() as u8], segments, content].concat()
        };
        let picture = [b"METADATA_BLOCK_PICTURE=", &cover[..]].concat();
        let mut packet = b"OpusTags\0\0\0\0\x02\0\0\0".to_vec();
        for text in [&picture[..], b"TITLE=Title"] {
            packet.extend((text.len() as u32).to_le_bytes());
            packet.extend(text);
        }
        let head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
        let mut ogg = page(&[head.len() as u8], head);
        ogg[5] = 2;
        let mut chunks = packet.chunks_exact(255 * 255);
        chunks.by_ref().for_each(|chunk| ogg.extend(page(&[255; 255], chunk)));
        let rest = chunks.remainder();
        ogg.extend(page(&[vec![255; rest.len() / 255], vec![(rest.len() % 255) as u8]].concat(), rest));

        // All of MP4's items are read at once, but only for a moment.
        for (extension, bytes, most) in [
            ("m4a", mp4, COVER as u64 + 1_000_000),
            ("mp3", mp3, 1_000_000),
            ("flac", flac.concat(), 1_000_000),
            ("opus", ogg, 1_000_000),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("a.{extension}"));
            std::fs::write(&path, bytes).unwrap();
            let mut tags = FileTags::default();
            let allocated = allocation_counter::measure(|| tags = FileTags::read(&path, false));
            assert_eq!(tags.title.as_deref(), Some("Title"), "{extension}");
            assert!(allocated.bytes_max < most, "{extension}: {allocated:?}");
        }
    }
}
