//! Chooses the piece that fits a mood, and says why.

use std::collections::{BTreeMap, BTreeSet};

use mood_schema::{Affect, Emotion};

use crate::{Library, Track};

/// What a piece costs that has no known mood: a neutral guess, and not a good one.
const UNKNOWN_MOOD: f64 = 0.5;
/// What a piece costs that does not name the emotion asked for: near in the plane, but of another feeling.
const OTHER_EMOTION: f64 = 0.3;
/// What one point of a person's rating is worth.
const RATING: f64 = 0.1;
/// Pieces that cost at most this much more than the best fit as well.
const TOLERANCE: f64 = 0.2;
/// How many of those not chosen are named.
const RUNNERS_UP: usize = 3;

/// What music is wanted for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Query {
    /// Where in the plane.
    pub at: Affect,
    /// The emotion, where it is for one: pieces that name it fit better.
    pub emotion: Option<Emotion>,
}

/// A chosen piece.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its place in the library.
    pub track: usize,
    /// From the point asked for, in the plane; an unknown mood counts as neutral.
    pub distance: f64,
    /// In words.
    pub reason: String,
    /// The next best with their distances.
    pub runners_up: Vec<(usize, f64)>,
}

/// Remembers what was played, rated and failed, and chooses accordingly. The same seed and calls give the same choices.
///
/// Of the pieces about as fitting as the best, those heard lately are left out; where all were, the one heard longest
/// ago returns: a small library repeats itself rather than play what does not fit.
#[derive(Clone, Debug, Default)]
pub struct Chooser {
    seed: u64,
    no_repeat: usize,
    plays: u64,
    last_play: BTreeMap<usize, u64>,
    ratings: BTreeMap<usize, i32>,
    failed: BTreeSet<usize>,
}

impl Chooser {
    /// `no_repeat`: how many other pieces come before one returns.
    pub fn new(seed: u64, no_repeat: usize) -> Self {
        Self { seed, no_repeat, ..Self::default() }
    }

    /// Changes how many other pieces come before one returns.
    pub fn set_no_repeat(&mut self, no_repeat: usize) {
        self.no_repeat = no_repeat;
    }

    /// A piece is played.
    pub fn played(&mut self, track: usize) {
        self.plays += 1;
        self.last_play.insert(track, self.plays);
    }

    /// A piece cannot be played: it is not chosen again.
    pub fn failed(&mut self, track: usize) {
        self.failed.insert(track);
    }

    /// A person's word on a piece, -2 (never while anything else fits) to 2 (a favourite); 0 takes it back.
    pub fn rate(&mut self, track: usize, rating: i32) {
        self.ratings.insert(track, rating.clamp(-2, 2));
    }

    /// Whether a piece is about as fitting as the best.
    pub fn fits(&self, library: &Library, track: usize, query: &Query) -> bool {
        let best =
            self.candidates(library).map(|(index, track)| self.cost(index, track, query)).reduce(f64::min);
        library.tracks.get(track).zip(best).is_some_and(|(found, best)| {
            !self.failed.contains(&track) && self.cost(track, found, query) <= best + TOLERANCE
        })
    }

    /// The piece that fits best, or `None` where none can be played. [`Self::played`] tells once it is heard.
    pub fn choose(&self, library: &Library, query: &Query) -> Option<Choice> {
        let mut ranked: Vec<(usize, f64)> =
            self.candidates(library).map(|(index, track)| (index, self.cost(index, track, query))).collect();
        let best = ranked.iter().map(|(_, cost)| *cost).reduce(f64::min)?;
        let fitting = |cost: f64| cost <= best + TOLERANCE;
        let fresh = ranked.iter().any(|&(index, cost)| fitting(cost) && !self.recent(index));
        // Lower is better, compared in this order.
        let rank = |&(index, cost): &(usize, f64)| {
            let stale = if fresh { u64::from(self.recent(index)) } else { self.last(index) };
            (!fitting(cost), if fitting(cost) { stale } else { 0 }, cost, self.tie(index))
        };
        let order = |a: &(usize, f64), b: &(usize, f64)| {
            let (a, b) = (rank(a), rank(b));
            (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
        };
        if ranked.len() > RUNNERS_UP + 1 {
            ranked.select_nth_unstable_by(RUNNERS_UP, order);
            ranked.truncate(RUNNERS_UP + 1);
        }
        ranked.sort_unstable_by(order);
        let distances: Vec<(usize, f64)> =
            ranked.iter().map(|&(index, _)| (index, distance(&library.tracks[index], query))).collect();
        let (&(track, distance), runners_up) = distances.split_first()?;
        let reason = reason(&library.tracks[track], query, distance, !fresh && self.recent(track));
        Some(Choice { track, distance, reason, runners_up: runners_up.to_vec() })
    }

    fn candidates<'a>(&self, library: &'a Library) -> impl Iterator<Item = (usize, &'a Track)> {
        library.tracks.iter().enumerate().filter(|(index, _)| !self.failed.contains(index))
    }

    fn cost(&self, index: usize, track: &Track, query: &Query) -> f64 {
        let mut cost = distance(track, query);
        if track.affect.is_none() {
            cost += UNKNOWN_MOOD;
        } else if query.emotion.is_some_and(|emotion| !track.emotions.contains(&emotion)) {
            cost += OTHER_EMOTION;
        }
        match self.ratings.get(&index) {
            // Further than anything in the plane.
            Some(-2) => cost + 10.0,
            Some(rating) => cost - RATING * f64::from(*rating),
            None => cost,
        }
    }

    fn last(&self, index: usize) -> u64 {
        self.last_play.get(&index).copied().unwrap_or(0)
    }

    fn recent(&self, index: usize) -> bool {
        self.last_play.get(&index).is_some_and(|last| self.plays - last < self.no_repeat as u64)
    }

    /// Decides between equals: a mix of seed, piece and time (the finaliser of SplitMix64, doi:10.1145/2714064.2660195).
    fn tie(&self, index: usize) -> u64 {
        let mut z =
            self.seed ^ self.plays.rotate_left(32) ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn distance(track: &Track, query: &Query) -> f64 {
    track.affect.unwrap_or_default().distance(query.at)
}

fn reason(track: &Track, query: &Query, distance: f64, again: bool) -> String {
    let place = match query.emotion {
        Some(emotion) => emotion.to_string(),
        None => format!("valence {:.2}, arousal {:.2}", query.at.valence, query.at.arousal),
    };
    let mut reason = match query.emotion.filter(|emotion| track.emotions.contains(emotion)) {
        Some(emotion) => format!("named {emotion}, distance {distance:.2}"),
        None if track.affect.is_some() => format!("nearest to {place}, distance {distance:.2}"),
        None => format!("mood unknown, taken as neutral, distance {distance:.2} to {place}"),
    };
    if again {
        reason.push_str("; heard lately, but nothing else fits");
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(moods: &[&str]) -> Library {
        let tracks = moods.iter().enumerate().map(|(index, mood)| {
            let mut track = Track { uri: format!("file:///{index}"), ..Track::default() };
            track.set_moods(if mood.is_empty() { Vec::new() } else { vec![(*mood).into()] });
            track
        });
        Library { tracks: tracks.collect(), skipped: Vec::new() }
    }

    fn of(emotion: Emotion) -> Query {
        Query { at: Affect::of_emotion(emotion), emotion: Some(emotion) }
    }

    #[test]
    fn a_track_named_after_the_mood_is_chosen_and_explained() {
        let library = library(&["sad", "happy", "exciting", "", "neutral"]);
        let choice = Chooser::new(0, 3).choose(&library, &of(Emotion::Happy)).unwrap();
        assert_eq!(choice.track, 1);
        assert_eq!(choice.distance, 0.0);
        assert!(choice.reason.contains("happy"), "{}", choice.reason);
        assert_eq!(choice.runners_up.len(), 3);
        assert_eq!(choice.runners_up[0].0, 2);
        let calm = Query { at: Affect { valence: 0.5, arousal: -0.3 }, emotion: None };
        assert_eq!(Chooser::new(0, 3).choose(&library, &calm).unwrap().track, 4);
    }

    #[test]
    fn one_track_a_mood_repeats_rather_than_missing_the_mood() {
        let (library, mut chooser) = (library(&["happy", "sad", "angry", "neutral"]), Chooser::new(0, 3));
        for emotion in [Emotion::Happy, Emotion::Happy, Emotion::Sad, Emotion::Happy] {
            let choice = chooser.choose(&library, &of(emotion)).unwrap();
            assert!(library.tracks[choice.track].emotions.contains(&emotion));
            chooser.played(choice.track);
        }
        assert!(chooser.choose(&library, &of(Emotion::Happy)).unwrap().reason.contains("lately"));
    }

    #[test]
    fn others_come_before_a_track_returns_and_the_seed_decides_between_equals() {
        let library = library(&["happy"; 6]);
        let run = |seed| {
            let mut chooser = Chooser::new(seed, 3);
            (0..40)
                .map(|_| {
                    let track = chooser.choose(&library, &of(Emotion::Happy)).unwrap().track;
                    chooser.played(track);
                    track
                })
                .collect::<Vec<_>>()
        };
        let order = run(1);
        assert!(order.windows(4).all(|four| (1..4).all(|i| !four[..i].contains(&four[i]))), "{order:?}");
        assert_eq!(order, run(1));
        assert_ne!(order, run(2));
        assert!((0..6).all(|track| order.contains(&track)));
    }

    #[test]
    fn unknown_moods_come_last_but_play() {
        let library = library(&["", ""]);
        let mut chooser = Chooser::new(0, 1);
        let first = chooser.choose(&library, &of(Emotion::Fear)).unwrap();
        assert!(first.reason.contains("unknown"));
        chooser.played(first.track);
        assert_ne!(chooser.choose(&library, &of(Emotion::Fear)).unwrap().track, first.track);
    }

    #[test]
    fn failures_and_ratings_count() {
        let (library, mut chooser) = (library(&["happy", "happy", "cheerful"]), Chooser::new(0, 0));
        chooser.rate(2, 2);
        assert_eq!(chooser.choose(&library, &of(Emotion::Happy)).unwrap().track, 2);
        chooser.rate(2, -2);
        assert_ne!(chooser.choose(&library, &of(Emotion::Happy)).unwrap().track, 2);
        chooser.failed(0);
        chooser.failed(1);
        assert_eq!(chooser.choose(&library, &of(Emotion::Happy)).unwrap().track, 2);
        chooser.failed(2);
        assert_eq!(chooser.choose(&library, &of(Emotion::Happy)), None);
    }

    #[test]
    fn what_plays_may_still_fit() {
        let library = library(&["happy", "exciting", "sad"]);
        let chooser = Chooser::new(0, 3);
        assert!(chooser.fits(&library, 0, &of(Emotion::Happy)));
        assert!(!chooser.fits(&library, 2, &of(Emotion::Happy)));
        assert!(!chooser.fits(&library, 7, &of(Emotion::Happy)));
    }
}
