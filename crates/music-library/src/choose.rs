//! Chooses the piece that fits a mood, and says why.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use mood_schema::{Affect, Emotion};

use crate::index::{self, Index};
use crate::{Library, Play, Track};

/// Pieces that cost at most this much more than the best fit as well.
const TOLERANCE: f32 = 0.2;
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

/// A piece as it stands in a ranked list.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its place in the library.
    pub track: usize,
    /// From the point asked for, in the plane; an unknown mood counts as neutral.
    pub distance: f64,
    /// In words.
    pub reason: String,
}

/// Remembers what was played, rated and failed, and chooses accordingly. The same seed and calls give the same choices.
///
/// Of the pieces about as fitting as the best, those heard lately are left out; where all were, the one heard longest
/// ago returns: a small library repeats itself rather than play what does not fit. Among those left the nearest mood
/// wins, a person's ratings and a smooth transition from the piece before (tempo, key) weighing in, and the seed
/// decides between equals. A chooser serves one library.
#[derive(Clone, Debug, Default)]
pub struct Chooser {
    seed: u64,
    no_repeat: usize,
    plays: u64,
    last: Option<usize>,
    last_play: BTreeMap<usize, u64>,
    ratings: BTreeMap<usize, i32>,
    failed: BTreeSet<usize>,
    index: OnceLock<Index>,
}

/// What a place in the order of choice depends on; lower is better, compared in this order.
#[derive(Clone, Copy, Debug)]
struct Rank {
    misses: bool,
    stale: u64,
    cost: f32,
    track: usize,
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
        self.last = Some(track);
    }

    /// Takes over what was heard before, the oldest first. What the library does not hold is left out.
    pub fn remember(&mut self, library: &Library, plays: &[Play]) {
        let places: HashMap<&str, usize> =
            library.tracks.iter().enumerate().map(|(place, track)| (track.uri.as_str(), place)).collect();
        for place in plays.iter().filter_map(|play| places.get(play.uri.as_str())) {
            self.played(*place);
        }
    }

    /// A piece cannot be played: it is not chosen again.
    pub fn failed(&mut self, track: usize) {
        self.failed.insert(track);
    }

    /// Pieces that failed may be chosen again.
    pub fn forgive(&mut self) {
        self.failed.clear();
    }

    /// A person's word on a piece, -2 (never while anything else fits) to 2 (a favourite); 0 takes it back. It counts
    /// instead of the library's.
    pub fn rate(&mut self, track: usize, rating: i32) {
        self.ratings.insert(track, rating.clamp(-2, 2));
    }

    /// Whether a piece is about as fitting as the best.
    pub fn fits(&self, library: &Library, track: usize, query: &Query) -> bool {
        // What plays already needs no transition.
        let costs = self.costs(library, query, None);
        let best = costs.iter().copied().fold(f32::INFINITY, f32::min);
        costs.get(track).is_some_and(|cost| cost.is_finite() && *cost <= best + TOLERANCE)
    }

    /// The piece that fits best, or `None` where none can be played. [`Self::played`] tells once it is heard.
    pub fn choose(&self, library: &Library, query: &Query) -> Option<Choice> {
        let mut ranked = self.rank(library, query, RUNNERS_UP + 1).into_iter();
        let Ranked { track, distance, reason } = ranked.next()?;
        let runners_up = ranked.map(|ranked| (ranked.track, ranked.distance)).collect();
        Some(Choice { track, distance, reason, runners_up })
    }

    /// The best so many pieces in the order they would be chosen in now.
    pub fn rank(&self, library: &Library, query: &Query, count: usize) -> Vec<Ranked> {
        let costs = self.costs(library, query, self.last);
        let best = costs.iter().copied().fold(f32::INFINITY, f32::min);
        if best.is_infinite() || count == 0 {
            return Vec::new();
        }
        let recent = self.recent();
        let fitting = |cost: f32| cost <= best + TOLERANCE;
        let fresh = costs.iter().enumerate().any(|(track, cost)| fitting(*cost) && !recent.contains(&track));
        // What does not fit is looked at only where too little does.
        let enough = costs.iter().filter(|cost| fitting(**cost)).take(count).count() == count;
        let reach = if enough { best + TOLERANCE } else { f32::MAX };
        let mut top: Vec<Rank> = Vec::with_capacity(count.min(costs.len()) + 1);
        for (track, &cost) in costs.iter().enumerate().filter(|(_, cost)| **cost <= reach) {
            let stale = match (fitting(cost), fresh) {
                (false, _) => 0,
                (true, true) => u64::from(recent.contains(&track)),
                (true, false) => self.last_play.get(&track).copied().unwrap_or(0),
            };
            let rank = Rank { misses: !fitting(cost), stale, cost, track };
            // Nearly all end at this comparison.
            if top.len() < count || top.last().is_some_and(|last| self.before(&rank, last)) {
                let at = top.partition_point(|other| self.before(other, &rank));
                top.insert(at, rank);
                top.truncate(count);
            }
        }
        let ranked = top.into_iter().filter_map(|Rank { track, .. }| {
            let found = library.tracks.get(track)?;
            let distance = found.affect.unwrap_or_default().distance(query.at);
            let again = !fresh && recent.contains(&track);
            Some(Ranked { track, distance, reason: self.reason(library, track, query, distance, again) })
        });
        ranked.collect()
    }

    fn index(&self, library: &Library) -> &Index {
        let index = self.index.get_or_init(|| Index::of(library));
        debug_assert_eq!(index.len(), library.tracks.len(), "a chooser serves one library");
        index
    }

    fn costs(&self, library: &Library, query: &Query, last: Option<usize>) -> Vec<f32> {
        let index = self.index(library);
        let mut costs = index.costs(query.at, query.emotion, last);
        for (&track, &rating) in &self.ratings {
            if let Some(cost) = costs.get_mut(track) {
                let own = library.tracks.get(track).map_or(0, |track| track.rating.clamp(-2, 2));
                *cost += index::rated(rating) - index::rated(own);
            }
        }
        for &track in &self.failed {
            if let Some(cost) = costs.get_mut(track) {
                *cost = f32::INFINITY;
            }
        }
        costs
    }

    /// Whether one comes before another.
    fn before(&self, one: &Rank, other: &Rank) -> bool {
        let order = (one.misses, one.stale).cmp(&(other.misses, other.stale));
        let order = order.then(one.cost.total_cmp(&other.cost));
        order.then_with(|| self.tie(one.track).cmp(&self.tie(other.track))).is_lt()
    }

    /// What was heard too lately to return.
    fn recent(&self) -> BTreeSet<usize> {
        let recent = |last: &u64| self.plays - last < self.no_repeat as u64;
        self.last_play.iter().filter(|(_, last)| recent(last)).map(|(&track, _)| track).collect()
    }

    fn rating(&self, track: usize, found: &Track) -> i32 {
        self.ratings.get(&track).copied().unwrap_or(found.rating)
    }

    /// Decides between equals: a mix of seed, piece and time (the finaliser of SplitMix64, doi:10.1145/2714064.2660195).
    fn tie(&self, index: usize) -> u64 {
        let mut z =
            self.seed ^ self.plays.rotate_left(32) ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn reason(&self, library: &Library, at: usize, query: &Query, distance: f64, again: bool) -> String {
        let Some(track) = library.tracks.get(at) else { return String::new() };
        let place = match query.emotion {
            Some(emotion) => emotion.to_string(),
            None => format!("valence {:.2}, arousal {:.2}", query.at.valence, query.at.arousal),
        };
        let mut reason = match query.emotion.filter(|emotion| track.emotions.contains(emotion)) {
            Some(emotion) => format!("named {emotion}, distance {distance:.2}"),
            None if track.affect.is_some() => format!("distance {distance:.2} to {place}"),
            None => format!("mood unknown, taken as neutral, distance {distance:.2} to {place}"),
        };
        if track.affect.is_some() && track.doubt > 0.5 {
            reason.push_str("; mood guessed from its sound");
        }
        match self.rating(at, track) {
            1.. => reason.push_str("; liked"),
            0 => {}
            _ => reason.push_str("; disliked"),
        }
        let last = self.last.and_then(|last| library.tracks.get(last));
        if let Some(last) = last.filter(|last| last.uri != track.uri) {
            if let (Some(one), Some(other)) = (last.bpm, track.bpm)
                && index::tempos_near(one, other)
            {
                reason.push_str(&format!("; {other:.0} bpm after {one:.0}"));
            }
            if let (Some(one), Some(other)) = (last.key, track.key)
                && one.distance(other) <= 1
            {
                reason.push_str(&format!("; {other} after {one}"));
            }
        }
        if again {
            reason.push_str("; heard lately, but nothing else fits");
        }
        reason
    }
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
        Query { at: Affect::from_emotion(emotion), emotion: Some(emotion) }
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
    fn a_smooth_transition_decides_where_moods_are_alike() {
        let mut library = library(&["calm"; 4]);
        for (track, (bpm, key)) in
            library.tracks.iter_mut().zip([(60.0, "C"), (91.0, "F#"), (122.0, "G"), (95.0, "Ebm")])
        {
            (track.bpm, track.key) = (Some(bpm), key.parse().ok());
        }
        for seed in 0..8 {
            let mut chooser = Chooser::new(seed, 3);
            chooser.played(0);
            let choice = chooser.choose(&library, &Query { at: Affect::default(), emotion: None }).unwrap();
            assert_eq!(choice.track, 2, "{}", choice.reason);
            assert!(choice.reason.ends_with("122 bpm after 60; G after C"), "{}", choice.reason);
        }
    }

    #[test]
    fn a_guess_counts_less_than_a_word_and_what_is_excluded_not_at_all() {
        let mut library = library(&["happy", "happy", "exciting"]);
        library.tracks[0].excluded = true;
        library.tracks[1].doubt = 0.8;
        library.tracks[1].emotions.clear();
        let ranked = Chooser::new(0, 0).rank(&library, &of(Emotion::Happy), 9);
        assert_eq!(ranked.iter().map(|ranked| ranked.track).collect::<Vec<_>>(), [1, 2]);
        assert!(ranked[0].reason.contains("guessed"), "{}", ranked[0].reason);
        library.tracks[2].set_moods(vec!["happy".into(), "exciting".into()]);
        assert_eq!(Chooser::new(0, 0).choose(&library, &of(Emotion::Happy)).unwrap().track, 2);
    }

    #[test]
    fn what_was_heard_before_is_remembered() {
        let (library, mut chooser) = (library(&["happy"; 3]), Chooser::new(0, 3));
        let play = |uri: &str| Play { uri: uri.into(), client: String::new(), at: 0 };
        chooser.remember(&library, &[play("file:///2"), play("file:///gone"), play("file:///0")]);
        assert_eq!(chooser.choose(&library, &of(Emotion::Happy)).unwrap().track, 1);
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
