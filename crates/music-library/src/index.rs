//! A library's tracks as a choice looks at them: what it compares lies side by side, so that 200,000 take milliseconds.

use mood_schema::{Affect, Emotion};

use crate::{Key, Library, Track};

/// What a piece costs that has no known mood: a neutral guess, and not a good one. A doubtful one costs a part of it.
const UNKNOWN_MOOD: f32 = 0.5;
/// What a piece costs that does not name the emotion asked for: near in the plane, but of another feeling.
const OTHER_EMOTION: f32 = 0.3;
/// What one point of a person's rating is worth.
const RATING: f32 = 0.1;
/// What the worst transition costs by tempo and by key: less than it takes to miss the mood. Half of it where one of the
/// two is unknown.
const TEMPO: f32 = 0.1;
const KEY: f32 = 0.05;
/// Tempos that differ by more than this, in octaves, and keys by more steps than this, do not follow each other at all.
const TEMPO_REACH: f32 = 0.25;
const KEY_REACH: f32 = 3.0;
/// The number of keys, and that of an unknown one.
const KEYS: usize = 24;

#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    valence: f32,
    arousal: f32,
    /// 1 where the mood is unknown.
    doubt: f32,
    /// Of the tempo, octaves above 1 bpm; 0 where unknown.
    octave: f32,
    /// What a person's rating adds; endless where it must not be played.
    rated: f32,
    /// Its tonic, 12 more in minor; [`KEYS`] where unknown.
    key: u8,
    /// A bit each that its words name.
    emotions: u8,
}

impl Index {
    pub(crate) fn of(library: &Library) -> Self {
        Self { items: library.tracks.iter().map(Item::of).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// What each track costs for a mood after track `last`; endless where it must not be played.
    pub(crate) fn costs(&self, at: Affect, emotion: Option<Emotion>, last: Option<usize>) -> Vec<f32> {
        let wanted = emotion.map_or(0, bit);
        let (valence, arousal) = (at.valence as f32, at.arousal as f32);
        let last = last.and_then(|last| self.items.get(last));
        let keys = key_costs(last.map_or(KEYS as u8, |last| last.key));
        let octave = last.map_or(0.0, |last| last.octave);
        let cost = |item: &Item| {
            let (x, y) = (item.valence - valence, item.arousal - arousal);
            let other = if wanted != 0 && item.emotions & wanted == 0 { OTHER_EMOTION } else { 0.0 };
            (x * x + y * y).sqrt()
                + UNKNOWN_MOOD * item.doubt
                + other * (1.0 - item.doubt)
                + item.rated
                + tempo_cost(octave, item.octave)
                + keys[usize::from(item.key).min(KEYS)]
        };
        self.items.iter().map(cost).collect()
    }
}

/// What a rating adds to a cost.
pub(crate) fn rated(rating: i32) -> f32 {
    match rating {
        // Further than anything in the plane.
        ..=-2 => 10.0,
        _ => -RATING * rating as f32,
    }
}

fn bit(emotion: Emotion) -> u8 {
    1 << emotion.index()
}

impl Item {
    fn of(track: &Track) -> Self {
        let at = track.affect.unwrap_or_default();
        Self {
            valence: at.valence as f32,
            arousal: at.arousal as f32,
            doubt: if track.affect.is_some() { track.doubt.clamp(0.0, 1.0) as f32 } else { 1.0 },
            octave: track.bpm.filter(|bpm| *bpm > 1.0).map_or(0.0, |bpm| bpm.log2() as f32),
            rated: if track.excluded { f32::INFINITY } else { rated(track.rating.clamp(-2, 2)) },
            key: track.key.map_or(KEYS as u8, |key| key.tonic % 12 + if key.minor { 12 } else { 0 }),
            emotions: track.emotions.iter().fold(0, |bits, emotion| bits | bit(*emotion)),
        }
    }
}

/// What it costs to go on from one key to each.
fn key_costs(from: u8) -> [f32; KEYS + 1] {
    let key = |code: u8| Key { tonic: code % 12, minor: code >= 12 };
    let mut costs = [KEY / 2.0; KEYS + 1];
    if usize::from(from) < KEYS {
        for (to, cost) in (0..KEYS as u8).zip(&mut costs) {
            *cost = KEY * (f32::from(key(from).distance(key(to))) / KEY_REACH).min(1.0);
        }
    }
    costs
}

fn tempo_cost(one: f32, other: f32) -> f32 {
    if one > 0.0 && other > 0.0 {
        TEMPO * (octaves_apart(one, other) / TEMPO_REACH).min(1.0)
    } else {
        TEMPO / 2.0
    }
}

/// How far two tempos are from each other where half and double time are the same, 0 to 0.5.
fn octaves_apart(one: f32, other: f32) -> f32 {
    let apart = (one - other).abs();
    // Tempos lie less than nine octaves apart, so that truncating is exact; `fract` is a call.
    let apart = apart - apart as u8 as f32;
    apart.min(1.0 - apart)
}

/// Whether a piece in that tempo may follow one in the other without a break: a few percent, or half or double time.
pub(crate) fn tempos_near(one: f64, other: f64) -> bool {
    one > 1.0 && other > 1.0 && octaves_apart(one.log2() as f32, other.log2() as f32) < 0.09
}
