//! A track of a library: its metadata, reduced to what playing and selecting need.

use mood_schema::{Affect, Emotion};

use crate::database::TrackRecord;
use crate::listing::ListedTrack;
use crate::metadata::{Field, Provenance, split_moods};
use crate::tags::{self, Cover, FileTags};
use crate::{MusicalKey, uri, vocabulary};

/// Determines the duration of an audio file in seconds from its container; `None` where the container does
/// not have it, and for a URI that is not a local file.
///
/// [`Library::open`](crate::Library::open) does not do that for folders and playlists, as it may take longer
/// than everything else.
pub fn read_duration(uri: &str) -> Option<f64> {
    FileTags::read(&uri::to_path(uri)?, true).duration
}

/// The picture in a track's file; `None` where there is none, or the file is not on this machine.
pub fn read_cover(uri: &str) -> Option<Cover> {
    tags::read_cover(&uri::to_path(uri)?)
}

/// A track of a library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// URI: `file://`, `http://` or `https://`.
    pub uri: String,
    /// Title, or the file's name without its extension.
    pub title: String,
    /// Artist; empty where it is unknown.
    pub artist: String,
    /// Album; empty where it is unknown.
    pub album: String,
    /// Genre; empty where it is unknown.
    pub genre: String,
    /// Mood words as they are written, in their order.
    pub moods: Vec<String>,
    /// The mood as a point in the plane of valence and arousal, each -1 to 1: numbers set by a user, else the
    /// mean of the known mood words, else the estimate from the audio. `None` where nothing is known.
    pub affect: Option<Affect>,
    /// Uncertainty of `affect`, 0 to 1.
    pub uncertainty: f64,
    /// The emotions that the mood words name, each once.
    pub emotions: Vec<Emotion>,
    /// Tempo, beats per minute.
    pub bpm: Option<f64>,
    /// Musical key.
    pub key: Option<MusicalKey>,
    /// Energy, 0 (soft and dull) to 1 (loud and bright).
    pub energy: Option<f64>,
    /// Integrated loudness after EBU R 128, LUFS.
    pub loudness: Option<f64>,
    /// Highest true peak of all channels after ITU-R BS.1770-4, dBTP.
    pub true_peak: Option<f64>,
    /// Duration, seconds.
    pub duration: Option<f64>,
    /// Rating, -2 (only when nothing else fits) to 2 (a favourite); 0 where there is none.
    pub rating: i32,
    /// Whether the track must not be played.
    pub excluded: bool,
}

impl Track {
    /// Sets mood words with the point and the emotions that follow from them.
    pub(crate) fn set_moods(&mut self, moods: Vec<String>) {
        (self.affect, self.emotions) = interpret_moods(&moods);
        self.moods = moods;
    }

    /// The track of a folder or playlist, with the tags of its file. A file whose tags cannot be read is a
    /// track without tags: only decoding it shows whether it can be played.
    pub(crate) fn from_listed(listed: ListedTrack) -> Self {
        let tags = listed.path.as_deref().map(|path| FileTags::read(path, false)).unwrap_or_default();
        let default_title = listed.default_title();
        let mut track = Self {
            uri: listed.uri,
            // A playlist was written for its user and takes precedence over tags.
            title: listed.title.or(tags.title).unwrap_or(default_title),
            artist: listed.artist.or(tags.artist).unwrap_or_default(),
            album: tags.album.unwrap_or_default(),
            genre: tags.genre.unwrap_or_default(),
            uncertainty: tags.mood_uncertainty,
            bpm: tags.bpm,
            key: tags.key,
            loudness: tags.loudness,
            duration: tags.duration,
            ..Self::default()
        };
        track.set_moods(tags.moods);
        track
    }

    /// The track of a database, with the best value of each field.
    pub fn from_record(record: &TrackRecord) -> Self {
        let text = |field| record.text(field).unwrap_or_default().to_owned();
        let default_title = || uri::default_title(&record.uri, record.path().as_deref());
        let mut track = Self {
            title: record.text(Field::Title).map_or_else(default_title, String::from),
            artist: text(Field::Artist),
            album: text(Field::Album),
            genre: text(Field::Genre),
            bpm: record.number(Field::Bpm),
            key: record.text(Field::Key).and_then(|text| text.parse().ok()),
            energy: record.number(Field::Energy),
            loudness: record.number(Field::Loudness),
            true_peak: record.number(Field::TruePeak),
            duration: record.number(Field::Duration),
            rating: record.rating,
            excluded: record.excluded,
            uri: record.uri.clone(),
            ..Self::default()
        };
        track.moods = record.text(Field::Mood).map(split_moods).unwrap_or_default();
        // The point is that of the highest provenance that has one. Of the same provenance, numbers take
        // precedence over mood words as the point; the words give the emotions in either case.
        for provenance in Provenance::ALL.iter().rev().copied() {
            let value = |field| record.value_from(field, provenance);
            let words = value(Field::Mood)
                .and_then(|mood| Some((interpret_moods(&split_moods(mood.value.as_text()?)), mood)));
            if let Some(((affect, emotions), mood)) = words {
                (track.affect, track.emotions, track.uncertainty) = (affect, emotions, 1.0 - mood.confidence);
            }
            if let (Some(valence), Some(arousal)) = (value(Field::Valence), value(Field::Arousal))
                && let (Some(v), Some(a)) = (valence.value.as_number(), arousal.value.as_number())
            {
                track.affect = Some(Affect { valence: v, arousal: a });
                track.uncertainty = 1.0 - (valence.confidence + arousal.confidence) / 2.0;
            }
            if track.affect.is_some() {
                break;
            }
        }
        track
    }
}

/// The mean point of the known mood words, and the emotions that they name.
fn interpret_moods(moods: &[String]) -> (Option<Affect>, Vec<Emotion>) {
    let meanings: Vec<_> = moods.iter().flat_map(|text| vocabulary::find_meanings(text)).collect();
    let affect = (!meanings.is_empty()).then(|| {
        let mean = |coordinate: fn(&Affect) -> f64| {
            meanings.iter().map(|meaning| coordinate(&meaning.affect)).sum::<f64>() / meanings.len() as f64
        };
        Affect { valence: mean(|affect| affect.valence), arousal: mean(|affect| affect.arousal) }
    });
    let mut emotions: Vec<Emotion> = meanings.iter().filter_map(|meaning| meaning.emotion).collect();
    emotions.sort();
    emotions.dedup();
    (affect, emotions)
}
