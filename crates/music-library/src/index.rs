//! A library's tracks as a choice looks at them: what it compares lies side by side, so that 200,000 take milliseconds.

use mood_schema::{Affect, Emotion};

use crate::{Key, Library, Track};

/// What a piece costs that has no known mood: a neutral guess, and not a good one. A doubtful one costs a part of it.
const UNKNOWN_MOOD: f64 = 0.5;
/// What a piece costs that does not name the emotion asked for: near in the plane, but of another feeling.
const OTHER_EMOTION: f64 = 0.3;
/// What one point of a person's rating is worth.
const RATING: f64 = 0.1;
/// What the worst transition costs by tempo and by key: less than it takes to miss the mood.
const TEMPO: f64 = 0.1;
const KEY: f64 = 0.05;
/// Tempos that differ by more than this, in octaves, and keys by more steps than this, do not follow each other at all.
const TEMPO_REACH: f64 = 0.25;
const KEY_REACH: f64 = 3.0;

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
    key: Option<Key>,
    rating: i8,
    /// A bit each that its words name.
    emotions: u8,
    excluded: bool,
}

impl Index {
    pub(crate) fn of(library: &Library) -> Self {
        Self { items: library.tracks.iter().map(Item::of).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn rating(&self, track: usize) -> i32 {
        self.items.get(track).map_or(0, |item| i32::from(item.rating))
    }

    /// What each track costs for a mood after track `last`; endless where it must not be played.
    pub(crate) fn costs(&self, at: Affect, emotion: Option<Emotion>, last: Option<usize>) -> Vec<f64> {
        let wanted = emotion.map_or(0, bit);
        let last = last.and_then(|last| self.items.get(last));
        let cost = |item: &Item| {
            if item.excluded {
                return f64::INFINITY;
            }
            let (x, y) = (f64::from(item.valence) - at.valence, f64::from(item.arousal) - at.arousal);
            let doubt = f64::from(item.doubt);
            let other = if wanted != 0 && item.emotions & wanted == 0 { OTHER_EMOTION } else { 0.0 };
            let follows = last.map_or(0.0, |last| last.then(item));
            (x * x + y * y).sqrt()
                + UNKNOWN_MOOD * doubt
                + other * (1.0 - doubt)
                + rated(i32::from(item.rating))
                + follows
        };
        self.items.iter().map(cost).collect()
    }
}

/// What a rating adds to a cost.
pub(crate) fn rated(rating: i32) -> f64 {
    match rating {
        // Further than anything in the plane.
        ..=-2 => 10.0,
        _ => -RATING * f64::from(rating),
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
            key: track.key,
            rating: track.rating.clamp(-2, 2) as i8,
            emotions: track.emotions.iter().fold(0, |bits, emotion| bits | bit(*emotion)),
            excluded: track.excluded,
        }
    }

    /// What it costs to go on to another track; half of the most where tempo or key are unknown.
    fn then(&self, next: &Self) -> f64 {
        let tempo = if self.octave > 0.0 && next.octave > 0.0 {
            (f64::from(octaves_apart(self.octave, next.octave)) / TEMPO_REACH).min(1.0)
        } else {
            0.5
        };
        let key = match (self.key, next.key) {
            (Some(one), Some(other)) => (f64::from(one.distance(other)) / KEY_REACH).min(1.0),
            _ => 0.5,
        };
        TEMPO * tempo + KEY * key
    }
}

/// How far two tempos are from each other where half and double time are the same, 0 to 0.5.
fn octaves_apart(one: f32, other: f32) -> f32 {
    let apart = (one - other).abs().fract();
    apart.min(1.0 - apart)
}

/// Whether a piece in that tempo may follow one in the other without a break: a few percent, or half or double time.
pub(crate) fn tempos_near(one: f64, other: f64) -> bool {
    one > 1.0 && other > 1.0 && octaves_apart(one.log2() as f32, other.log2() as f32) < 0.09
}
