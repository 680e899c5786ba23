//! The cost of each track for a query: what a selection minimises. The features it depends on are stored
//! compactly, so that 200,000 tracks are compared in milliseconds.

use mood_schema::{Affect, Emotion};

use crate::{Library, MusicalKey, Track};

// Costs are in units of distance in the plane of valence and arousal, whose sides are 2 long.

/// Cost of a track whose mood is unknown (it counts as neutral). An uncertain mood costs the corresponding
/// part of it.
const UNKNOWN_MOOD_COST: f32 = 0.5;
/// Cost of a track that does not name the emotion asked for: it may be near in the plane and yet express
/// another emotion.
const OTHER_EMOTION_COST: f32 = 0.3;
/// Cost that a point of the rating takes off.
const RATING_COST: f32 = 0.1;
/// Cost of the lowest rating, -2: more than any distance in the plane.
const LOWEST_RATING_COST: f32 = 10.0;
/// Largest cost of a change of tempo, half of it where a tempo is unknown. Together with [`MAX_KEY_COST`] it
/// is less than the cost of another emotion.
const MAX_TEMPO_COST: f32 = 0.1;
/// Largest cost of a change of key, half of it where a key is unknown.
const MAX_KEY_COST: f32 = 0.05;
/// Difference of tempos from which the cost is the largest, octaves.
const MAX_TEMPO_DISTANCE: f32 = 0.25;
/// Distance of keys ([`MusicalKey::distance`]) from which the cost is the largest.
const MAX_KEY_DISTANCE: f32 = 3.0;
/// Difference below which two tempos count as similar, octaves: about 6 %.
const SIMILAR_TEMPO_DISTANCE: f32 = 0.09;
/// Number of keys, and the code of an unknown key.
const KEYS: usize = 24;

/// The features of all tracks of a library, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct CostTable {
    tracks: Vec<TrackFeatures>,
}

/// What a track's cost depends on.
#[derive(Clone, Copy, Debug)]
struct TrackFeatures {
    valence: f32,
    arousal: f32,
    /// Uncertainty of the mood, 0 to 1; 1 where it is unknown.
    uncertainty: f32,
    /// Tempo, octaves above 1 bpm; 0 where it is unknown.
    tempo: f32,
    /// Cost of the rating; infinite where the track is excluded.
    rating_cost: f32,
    /// Tonic of the key, 0 to 11, plus 12 in minor; [`KEYS`] where it is unknown.
    key: u8,
    /// A bit for each emotion that the mood words name, by its index.
    emotions: u8,
}

impl CostTable {
    /// Extracts the features of all tracks of a library.
    pub(super) fn new(library: &Library) -> Self {
        Self { tracks: library.tracks.iter().map(TrackFeatures::new).collect() }
    }

    /// The number of tracks.
    pub(super) fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Computes the cost of each track for music at a point of the plane that expresses an emotion, if one,
    /// and follows the track with the index `previous`. Infinite for excluded tracks.
    pub(super) fn compute_costs(
        &self,
        affect: Affect,
        emotion: Option<Emotion>,
        previous: Option<usize>,
    ) -> Vec<f32> {
        let emotion_bit = emotion.map_or(0, emotion_bit);
        let (valence, arousal) = (affect.valence as f32, affect.arousal as f32);
        let previous = previous.and_then(|previous| self.tracks.get(previous));
        let key_costs = compute_key_costs(previous.map_or(KEYS as u8, |previous| previous.key));
        let previous_tempo = previous.map_or(0.0, |previous| previous.tempo);
        let cost = |track: &TrackFeatures| {
            let (x, y) = (track.valence - valence, track.arousal - arousal);
            let is_other_emotion = emotion_bit != 0 && track.emotions & emotion_bit == 0;
            let emotion_cost = if is_other_emotion { OTHER_EMOTION_COST } else { 0.0 };
            (x * x + y * y).sqrt()
                + UNKNOWN_MOOD_COST * track.uncertainty
                + emotion_cost * (1.0 - track.uncertainty)
                + track.rating_cost
                + compute_tempo_cost(previous_tempo, track.tempo)
                + key_costs[usize::from(track.key).min(KEYS)]
        };
        self.tracks.iter().map(cost).collect()
    }
}

/// The cost of a rating, -2 to 2; negative for a positive rating.
pub(super) fn compute_rating_cost(rating: i32) -> f32 {
    match rating {
        ..=-2 => LOWEST_RATING_COST,
        _ => -RATING_COST * rating as f32,
    }
}

/// The bit of an emotion in [`TrackFeatures::emotions`].
fn emotion_bit(emotion: Emotion) -> u8 {
    1 << emotion.index()
}

impl TrackFeatures {
    /// Extracts the features of a track.
    fn new(track: &Track) -> Self {
        let affect = track.affect.unwrap_or_default();
        Self {
            valence: affect.valence as f32,
            arousal: affect.arousal as f32,
            uncertainty: if track.affect.is_some() { track.uncertainty.clamp(0.0, 1.0) as f32 } else { 1.0 },
            tempo: track.bpm.filter(|bpm| *bpm > 1.0).map_or(0.0, |bpm| bpm.log2() as f32),
            rating_cost: if track.excluded {
                f32::INFINITY
            } else {
                compute_rating_cost(track.rating.clamp(-2, 2))
            },
            key: track.key.map_or(KEYS as u8, |key| key.tonic % 12 + if key.minor { 12 } else { 0 }),
            emotions: track.emotions.iter().fold(0, |bits, emotion| bits | emotion_bit(*emotion)),
        }
    }
}

/// Computes the cost of going from the key with this code to each key, by code.
fn compute_key_costs(from: u8) -> [f32; KEYS + 1] {
    let key = |code: u8| MusicalKey { tonic: code % 12, minor: code >= 12 };
    let mut costs = [MAX_KEY_COST / 2.0; KEYS + 1];
    if usize::from(from) < KEYS {
        for (to, cost) in (0..KEYS as u8).zip(&mut costs) {
            let distance = f32::from(key(from).distance(key(to)));
            *cost = MAX_KEY_COST * (distance / MAX_KEY_DISTANCE).min(1.0);
        }
    }
    costs
}

/// Computes the cost of going from one tempo to another, both in octaves above 1 bpm and 0 where unknown.
fn compute_tempo_cost(from: f32, to: f32) -> f32 {
    if from > 0.0 && to > 0.0 {
        MAX_TEMPO_COST * (tempo_distance(from, to) / MAX_TEMPO_DISTANCE).min(1.0)
    } else {
        MAX_TEMPO_COST / 2.0
    }
}

/// The distance between two tempos (octaves above 1 bpm) where half and double time count as the same, 0 to
/// 0.5 octaves.
fn tempo_distance(first: f32, second: f32) -> f32 {
    let octaves = (first - second).abs();
    // Tempos differ by less than nine octaves, so the truncation is exact. It is faster than `fract`, a
    // function call.
    let octaves = octaves - octaves as u8 as f32;
    octaves.min(1.0 - octaves)
}

/// Whether two tempos (beats per minute) differ by a few percent only, or by that from half or double time.
pub(super) fn are_tempos_similar(first: f64, second: f64) -> bool {
    first > 1.0
        && second > 1.0
        && tempo_distance(first.log2() as f32, second.log2() as f32) < SIMILAR_TEMPO_DISTANCE
}
