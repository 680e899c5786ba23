//! Selection of the track that fits a mood, with the reason.

mod costs;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use mood_schema::{Affect, Emotion};

use costs::CostTable;

use crate::{Library, PlayRecord};

/// Tracks whose cost exceeds the lowest cost by at most this count as fitting equally well.
const COST_TOLERANCE: f32 = 0.2;
/// Tracks whose cost is at most this are within reach: rather than repeat a track that was heard lately, one of them is
/// played. Neutral music is within reach of every emotion, music of the opposite valence of none.
const REACH_COST: f32 = 1.6;
/// For how many plays a track that was skipped stays away while another is within reach.
const SKIP_PLAYS: u64 = 10;
/// Number of runners-up that a selection names.
const RUNNERS_UP: usize = 3;

/// What the music should express.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelectionQuery {
    /// The point in the plane of valence and arousal, each -1 to 1.
    pub affect: Affect,
    /// The emotion, where one is asked for and not just a point: tracks that name it fit better.
    pub emotion: Option<Emotion>,
}

/// A selected track.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Index in [`Library::tracks`].
    pub track: usize,
    /// Distance from the query's point in the plane, 0 to about 2.8; a track with an unknown mood counts
    /// as neutral.
    pub distance: f64,
    /// Why the track was selected, a text for the user.
    pub reason: String,
    /// The next best tracks, at most three: index and distance.
    pub runners_up: Vec<(usize, f64)>,
}

/// A track in a ranked list.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedTrack {
    /// Index in [`Library::tracks`].
    pub track: usize,
    /// Distance from the query's point in the plane, 0 to about 2.8; a track with an unknown mood counts
    /// as neutral.
    pub distance: f64,
    /// Why the track would be selected, a text for the user.
    pub reason: String,
}

/// Selects tracks of one library by mood, ratings and what was played before.
///
/// A track's cost is its distance from the query's point, plus costs for another emotion than the one asked
/// for, an uncertain mood, a low rating, and an abrupt change of tempo or key from the track before. Tracks that cost at
/// most 0.2 more than the best fit; the lowest cost decides among them, and the seed between equal costs. Those among the
/// last `no_repeat` plays, skipped lately, or disliked by [`Self::set_rating`] are left out; where that leaves none that
/// fits, the next best within reach is selected, and only where there is none either, the one that was played longest ago:
/// a small library repeats tracks rather than play the opposite of what is asked for. Where the mood has just changed
/// ([`Self::set_prefer_fit`]), a track that fits is repeated before another is played. The same seed and calls give the same
/// selections.
#[derive(Clone, Debug, Default)]
pub struct TrackSelector {
    seed: u64,
    /// Number of other plays before a track may be repeated.
    no_repeat: usize,
    /// Number of plays so far.
    plays: u64,
    /// The track played last.
    last_track: Option<usize>,
    /// For each track the number of its latest play, from 1.
    latest_plays: BTreeMap<usize, u64>,
    /// Ratings in place of the library's.
    ratings: BTreeMap<usize, i32>,
    /// Tracks that cannot be played.
    failed: BTreeSet<usize>,
    /// Tracks that are never played.
    excluded: BTreeSet<usize>,
    /// For each track that was skipped or disliked, the number of plays up to which it stays away.
    set_aside: BTreeMap<usize, u64>,
    /// Whether a track that fits is repeated before one that fits less is played.
    prefer_fit: bool,
    /// Whether the library's order decides between tracks of equal cost, and not the seed.
    in_order: bool,
    /// Computed from the library at the first selection.
    cost_table: OnceLock<CostTable>,
}

/// The sort key of a ranked list; lower is better, compared in the order of the fields.
#[derive(Clone, Copy, Debug)]
struct RankKey {
    class: RankClass,
    /// The number of the track's latest play where that decides, otherwise 0.
    recency: u64,
    cost: f32,
    track: usize,
}

/// How well a track is suited, apart from its cost; lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RankClass {
    /// It fits and was not heard lately.
    Fresh,
    /// It fits and was heard lately, but the mood has just changed to one that it fits.
    FitBefore,
    /// It is within reach and was not heard lately.
    WithinReach,
    /// It was heard lately.
    Recent,
    /// It was skipped or disliked.
    SetAside,
    /// It was played last.
    Last,
    /// It does not fit at all.
    OutOfReach,
}

impl TrackSelector {
    /// A selector without any history. `seed` decides between tracks of equal cost; `no_repeat` is the number
    /// of other plays before a track may be repeated.
    pub fn new(seed: u64, no_repeat: usize) -> Self {
        Self { seed, no_repeat, ..Self::default() }
    }

    /// Sets the number of other plays before a track may be repeated.
    pub fn set_no_repeat(&mut self, no_repeat: usize) {
        self.no_repeat = no_repeat;
    }

    /// Sets whether a track that fits and was heard lately is selected before one within reach that was not: where the
    /// mood has just changed, not where a track has ended or was skipped.
    pub fn set_prefer_fit(&mut self, prefer_fit: bool) {
        self.prefer_fit = prefer_fit;
    }

    /// Sets whether the seed decides between tracks of equal cost, as it does at first, or the library's order.
    pub fn set_shuffle(&mut self, shuffle: bool) {
        self.in_order = !shuffle;
    }

    /// Records that a track was skipped: for the next ten plays it is selected only where nothing else is within reach.
    pub fn record_skip(&mut self, track: usize) {
        let until = self.set_aside.entry(track).or_default();
        *until = (*until).max(self.plays + SKIP_PLAYS);
    }

    /// Makes a track eligible again that [`Self::record_skip`] has set aside.
    pub fn clear_skip(&mut self, track: usize) {
        if self.ratings.get(&track).is_none_or(|rating| *rating >= 0) {
            self.set_aside.remove(&track);
        }
    }

    /// Sets whether a track is never selected, beside those that the library excludes.
    pub fn set_excluded(&mut self, track: usize, excluded: bool) {
        if excluded {
            self.excluded.insert(track);
        } else {
            self.excluded.remove(&track);
        }
    }

    /// The rating of a track, -2 to 2: that of [`Self::set_rating`], otherwise the library's.
    pub fn rating(&self, library: &Library, track: usize) -> i32 {
        let known = || library.tracks.get(track).map_or(0, |track| track.rating.clamp(-2, 2));
        self.ratings.get(&track).copied().unwrap_or_else(known)
    }

    /// Records that a track is played.
    pub fn record_play(&mut self, track: usize) {
        self.plays += 1;
        self.latest_plays.insert(track, self.plays);
        self.last_track = Some(track);
    }

    /// Records earlier plays, the oldest first. Tracks that the library does not have are ignored.
    pub fn load_history(&mut self, library: &Library, plays: &[PlayRecord]) {
        let indices: HashMap<&str, usize> =
            library.tracks.iter().enumerate().map(|(index, track)| (track.uri.as_str(), index)).collect();
        for index in plays.iter().filter_map(|play| indices.get(play.uri.as_str())) {
            self.record_play(*index);
        }
    }

    /// Records that a track cannot be played: it is not selected until [`Self::clear_failure`] is called.
    pub fn record_failure(&mut self, track: usize) {
        self.failed.insert(track);
    }

    /// Whether a track can be selected: it is not excluded, and no failure was recorded.
    pub fn is_selectable(&self, library: &Library, track: usize) -> bool {
        let is_excluded = library.tracks.get(track).is_none_or(|track| track.excluded);
        !is_excluded && !self.excluded.contains(&track) && !self.failed.contains(&track)
    }

    /// Makes a track whose failure was recorded eligible again.
    pub fn clear_failure(&mut self, track: usize) {
        self.failed.remove(&track);
    }

    /// Makes all tracks whose failure was recorded eligible again.
    pub fn clear_failures(&mut self) {
        self.failed.clear();
    }

    /// Sets the rating of a track in place of the library's, from -2 (only when nothing else fits) to 2 (a
    /// favourite); clamped to that range. One that gets a negative rating stays away while another is within reach.
    pub fn set_rating(&mut self, track: usize, rating: i32) {
        self.ratings.insert(track, rating.clamp(-2, 2));
        if rating < 0 {
            self.set_aside.insert(track, u64::MAX);
        } else {
            self.set_aside.remove(&track);
        }
    }

    /// Whether a track fits about as well as the best one, transitions and repetitions disregarded.
    pub fn is_fitting(&self, library: &Library, track: usize, query: &SelectionQuery) -> bool {
        let costs = self.compute_costs(library, query, None);
        let lowest = costs.iter().copied().fold(f32::INFINITY, f32::min);
        costs.get(track).is_some_and(|cost| cost.is_finite() && *cost <= lowest + COST_TOLERANCE)
    }

    /// Selects the track that fits best; `None` where no track can be played. The play is not recorded, see
    /// [`Self::record_play`].
    pub fn select(&self, library: &Library, query: &SelectionQuery) -> Option<Selection> {
        let mut ranked = self.rank(library, query, RUNNERS_UP + 1).into_iter();
        let RankedTrack { track, distance, reason } = ranked.next()?;
        let runners_up = ranked.map(|ranked| (ranked.track, ranked.distance)).collect();
        Some(Selection { track, distance, reason, runners_up })
    }

    /// The best `count` tracks in the order in which they would be selected now.
    pub fn rank(&self, library: &Library, query: &SelectionQuery, count: usize) -> Vec<RankedTrack> {
        let costs = self.compute_costs(library, query, self.last_track);
        let lowest = costs.iter().copied().fold(f32::INFINITY, f32::min);
        if lowest.is_infinite() || count == 0 {
            return Vec::new();
        }
        let recent = self.find_recent_tracks();
        let is_fitting = |cost: f32| cost <= lowest + COST_TOLERANCE;
        let classify = |track: usize, cost: f32| {
            let is_recent = recent.contains(&track);
            let is_last = is_recent && self.last_track == Some(track);
            let is_set_aside = self.set_aside.get(&track).is_some_and(|until| self.plays < *until);
            match is_fitting(cost) {
                false if cost > REACH_COST => RankClass::OutOfReach,
                _ if is_last && !self.prefer_fit => RankClass::Last,
                _ if is_set_aside => RankClass::SetAside,
                true if !is_recent => RankClass::Fresh,
                true if self.prefer_fit => RankClass::FitBefore,
                _ if is_recent => RankClass::Recent,
                _ => RankClass::WithinReach,
            }
        };
        // Other tracks are considered only where there are fewer than `count` that fit and are fresh.
        let is_fresh = |(track, cost): &(usize, &f32)| classify(*track, **cost) == RankClass::Fresh;
        let has_enough = costs.iter().enumerate().filter(is_fresh).take(count).count() == count;
        let max_cost = if has_enough { lowest + COST_TOLERANCE } else { f32::MAX };
        let mut best: Vec<RankKey> = Vec::with_capacity(count.min(costs.len()) + 1);
        for (track, &cost) in costs.iter().enumerate().filter(|(_, cost)| **cost <= max_cost) {
            let class = classify(track, cost);
            let recency = match class {
                RankClass::FitBefore | RankClass::Recent | RankClass::SetAside => {
                    self.latest_plays.get(&track).copied().unwrap_or(0)
                }
                _ => 0,
            };
            let key = RankKey { class, recency, cost, track };
            // In a large library nearly all tracks are dismissed by this comparison.
            if best.len() < count || best.last().is_some_and(|last| self.ranks_before(&key, last)) {
                let position = best.partition_point(|other| self.ranks_before(other, &key));
                best.insert(position, key);
                best.truncate(count);
            }
        }
        let ranked = best.into_iter().filter_map(|RankKey { track: index, class, .. }| {
            let track = library.tracks.get(index)?;
            let distance = track.affect.unwrap_or_default().distance(query.affect);
            let reason = self.describe_reason(library, index, query, distance, class);
            Some(RankedTrack { track: index, distance, reason })
        });
        ranked.collect()
    }

    /// The cost table of the library.
    fn cost_table(&self, library: &Library) -> &CostTable {
        let table = self.cost_table.get_or_init(|| CostTable::new(library));
        debug_assert_eq!(table.len(), library.tracks.len(), "a selector is for one library");
        table
    }

    /// Computes the cost of each track after the track `previous`; infinite for tracks that cannot
    /// be selected.
    fn compute_costs(&self, library: &Library, query: &SelectionQuery, previous: Option<usize>) -> Vec<f32> {
        let mut costs = self.cost_table(library).compute_costs(query.affect, query.emotion, previous);
        for (&track, &rating) in &self.ratings {
            if let Some(cost) = costs.get_mut(track) {
                let library_rating = library.tracks.get(track).map_or(0, |track| track.rating.clamp(-2, 2));
                *cost += costs::compute_rating_cost(rating) - costs::compute_rating_cost(library_rating);
            }
        }
        for &track in self.failed.union(&self.excluded) {
            if let Some(cost) = costs.get_mut(track) {
                *cost = f32::INFINITY;
            }
        }
        costs
    }

    /// Whether the first track ranks before the second one.
    fn ranks_before(&self, first: &RankKey, second: &RankKey) -> bool {
        let order = (first.class, first.recency).cmp(&(second.class, second.recency));
        let order = order.then(first.cost.total_cmp(&second.cost));
        order.then_with(|| self.tie_breaker(first.track).cmp(&self.tie_breaker(second.track))).is_lt()
    }

    /// The tracks that were played too recently to be repeated.
    fn find_recent_tracks(&self) -> BTreeSet<usize> {
        let is_recent = |play: &u64| self.plays - play < self.no_repeat as u64;
        self.latest_plays.iter().filter(|(_, play)| is_recent(play)).map(|(&track, _)| track).collect()
    }

    /// The order of tracks with equal cost: a hash of seed, number of plays and index (the finaliser of
    /// SplitMix64, doi:10.1145/2660193.2660195).
    fn tie_breaker(&self, index: usize) -> u64 {
        if self.in_order {
            return index as u64;
        }
        let mut z =
            self.seed ^ self.plays.rotate_left(32) ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Describes for the user why a track is selected.
    fn describe_reason(
        &self,
        library: &Library,
        index: usize,
        query: &SelectionQuery,
        distance: f64,
        class: RankClass,
    ) -> String {
        let Some(track) = library.tracks.get(index) else { return String::new() };
        let target = match query.emotion {
            Some(emotion) => emotion.to_string(),
            None => format!("valence {:.2}, arousal {:.2}", query.affect.valence, query.affect.arousal),
        };
        let mut reason = match query.emotion.filter(|emotion| track.emotions.contains(emotion)) {
            Some(emotion) => format!("named {emotion}, distance {distance:.2}"),
            None if track.affect.is_some() => format!("distance {distance:.2} to {target}"),
            None => format!("mood unknown, taken as neutral, distance {distance:.2} to {target}"),
        };
        if track.affect.is_some() && track.uncertainty > 0.5 {
            reason.push_str("; mood guessed from its sound");
        }
        match self.ratings.get(&index).copied().unwrap_or(track.rating) {
            1.. => reason.push_str("; liked"),
            0 => {}
            _ => reason.push_str("; disliked"),
        }
        let previous = self.last_track.and_then(|previous| library.tracks.get(previous));
        if let Some(previous) = previous.filter(|previous| previous.uri != track.uri) {
            if let (Some(from), Some(to)) = (previous.bpm, track.bpm)
                && costs::are_tempos_similar(from, to)
            {
                reason.push_str(&format!("; {to:.0} bpm after {from:.0}"));
            }
            if let (Some(from), Some(to)) = (previous.key, track.key)
                && from.distance(to) <= 1
            {
                reason.push_str(&format!("; {to} after {from}"));
            }
        }
        match class {
            RankClass::Fresh | RankClass::OutOfReach => {}
            // In a library that nothing was played from, the best always fits.
            RankClass::WithinReach if self.plays == 0 => {}
            RankClass::WithinReach => reason.push_str("; what fits better was heard lately"),
            RankClass::FitBefore | RankClass::Recent | RankClass::Last => {
                reason.push_str("; heard lately, but nothing else fits");
            }
            RankClass::SetAside => reason.push_str("; skipped or disliked, but nothing else fits"),
        }
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Track;

    fn library(moods: &[&str]) -> Library {
        let tracks = moods.iter().enumerate().map(|(index, mood)| {
            let mut track = Track { uri: format!("file:///{index}"), ..Track::default() };
            track.set_moods(if mood.is_empty() { Vec::new() } else { vec![(*mood).into()] });
            track
        });
        Library { tracks: tracks.collect(), ..Library::default() }
    }

    fn query(emotion: Emotion) -> SelectionQuery {
        SelectionQuery { affect: Affect::from_emotion(emotion), emotion: Some(emotion) }
    }

    #[test]
    fn a_track_that_names_the_emotion_is_selected_and_explained() {
        let library = library(&["sad", "happy", "exciting", "", "neutral"]);
        let selection = TrackSelector::new(0, 3).select(&library, &query(Emotion::Happy)).unwrap();
        assert_eq!(selection.track, 1);
        assert_eq!(selection.distance, 0.0);
        assert!(selection.reason.contains("happy"), "{}", selection.reason);
        assert_eq!(selection.runners_up.len(), 3);
        assert_eq!(selection.runners_up[0].0, 2);
        let calm = SelectionQuery { affect: Affect { valence: 0.5, arousal: -0.3 }, emotion: None };
        assert_eq!(TrackSelector::new(0, 3).select(&library, &calm).unwrap().track, 4);
    }

    #[test]
    fn the_only_track_of_a_mood_plays_whenever_the_mood_returns() {
        let (library, mut selector) =
            (library(&["happy", "sad", "angry", "neutral"]), TrackSelector::new(0, 3));
        selector.set_prefer_fit(true);
        for emotion in [Emotion::Happy, Emotion::Sad, Emotion::Happy, Emotion::Angry, Emotion::Happy] {
            let selection = selector.select(&library, &query(emotion)).unwrap();
            assert!(library.tracks[selection.track].emotions.contains(&emotion));
            selector.record_play(selection.track);
        }
        assert!(selector.select(&library, &query(Emotion::Happy)).unwrap().reason.contains("lately"));
    }

    /// The tracks that are played one after the other for an emotion.
    fn play(selector: &mut TrackSelector, library: &Library, emotion: Emotion, count: usize) -> Vec<usize> {
        let mut play = |_| {
            let track = selector.select(library, &query(emotion)).unwrap().track;
            selector.record_play(track);
            track
        };
        (0..count).map(&mut play).collect()
    }

    #[test]
    fn another_mood_within_reach_comes_before_a_repetition_and_the_opposite_mood_does_not() {
        // The third is neutral, which is within reach of happy; sad is not.
        let library = library(&["happy", "sad", "neutral"]);
        let order = play(&mut TrackSelector::new(0, 3), &library, Emotion::Happy, 6);
        assert_eq!(order, [0, 2, 0, 2, 0, 2], "never twice in a row, and never the opposite");
        let mut selector = TrackSelector::new(0, 3);
        selector.record_play(0);
        assert!(selector.select(&library, &query(Emotion::Happy)).unwrap().reason.contains("fits better"));
        let alone = self::library(&["happy", "sad"]);
        assert_eq!(play(&mut TrackSelector::new(0, 3), &alone, Emotion::Happy, 3), [0, 0, 0]);
        assert_eq!(play(&mut TrackSelector::new(0, 0), &library, Emotion::Happy, 3), [0, 0, 0]);
    }

    #[test]
    fn a_skipped_or_disliked_track_stays_away_while_another_is_within_reach() {
        let library = library(&["happy", "happy", "happy", "sad", "neutral"]);
        for is_skip in [true, false] {
            let mut selector = TrackSelector::new(0, 1);
            selector.record_play(0);
            if is_skip {
                selector.record_skip(0)
            } else {
                selector.set_rating(0, -1)
            }
            selector.set_prefer_fit(true);
            let order = play(&mut selector, &library, Emotion::Happy, 10);
            assert!(order.iter().all(|track| [1, 2, 4].contains(track)), "{order:?}");
            selector.set_prefer_fit(false);
            let later = play(&mut selector, &library, Emotion::Happy, 10);
            assert_eq!(later.contains(&0), is_skip, "{later:?}");
            selector.set_excluded(0, true);
            for track in [1, 2, 3] {
                selector.record_failure(track);
            }
            assert_eq!(play(&mut selector, &library, Emotion::Happy, 2), [4, 4]);
            selector.set_excluded(0, false);
            selector.record_failure(4);
            assert_eq!(play(&mut selector, &library, Emotion::Happy, 2), [0, 0], "it is all there is");
            assert_eq!(selector.rating(&library, 0), if is_skip { 0 } else { -1 });
        }
    }

    #[test]
    fn other_tracks_come_before_a_repetition_and_the_seed_decides_between_equals() {
        let library = library(&["happy"; 6]);
        let run = |seed| {
            let mut selector = TrackSelector::new(seed, 3);
            (0..40)
                .map(|_| {
                    let track = selector.select(&library, &query(Emotion::Happy)).unwrap().track;
                    selector.record_play(track);
                    track
                })
                .collect::<Vec<_>>()
        };
        let order = run(1);
        assert!(order.windows(4).all(|four| (1..4).all(|i| !four[..i].contains(&four[i]))), "{order:?}");
        assert_eq!(order, run(1));
        assert_ne!(order, run(2));
        assert!((0..6).all(|track| order.contains(&track)));
        let mut selector = TrackSelector::new(1, 3);
        selector.set_shuffle(false);
        assert_eq!(play(&mut selector, &library, Emotion::Happy, 3), [0, 1, 2]);
    }

    #[test]
    fn tracks_of_unknown_mood_are_selected_last() {
        let library = library(&["", ""]);
        let mut selector = TrackSelector::new(0, 1);
        let first = selector.select(&library, &query(Emotion::Fear)).unwrap();
        assert!(first.reason.contains("unknown"));
        selector.record_play(first.track);
        assert_ne!(selector.select(&library, &query(Emotion::Fear)).unwrap().track, first.track);
    }

    #[test]
    fn failures_and_ratings_change_the_selection() {
        let (library, mut selector) = (library(&["happy", "happy", "cheerful"]), TrackSelector::new(0, 0));
        selector.set_rating(2, 2);
        assert_eq!(selector.select(&library, &query(Emotion::Happy)).unwrap().track, 2);
        selector.set_rating(2, -2);
        assert_ne!(selector.select(&library, &query(Emotion::Happy)).unwrap().track, 2);
        selector.record_failure(0);
        selector.record_failure(1);
        assert_eq!(selector.select(&library, &query(Emotion::Happy)).unwrap().track, 2);
        selector.record_failure(2);
        assert_eq!(selector.select(&library, &query(Emotion::Happy)), None);
    }

    #[test]
    fn a_smooth_transition_decides_between_equal_moods() {
        let mut library = library(&["calm"; 4]);
        for (track, (bpm, key)) in
            library.tracks.iter_mut().zip([(60.0, "C"), (91.0, "F#"), (122.0, "G"), (95.0, "Ebm")])
        {
            (track.bpm, track.key) = (Some(bpm), key.parse().ok());
        }
        for seed in 0..8 {
            let mut selector = TrackSelector::new(seed, 3);
            selector.record_play(0);
            let selection = selector
                .select(&library, &SelectionQuery { affect: Affect::default(), emotion: None })
                .unwrap();
            assert_eq!(selection.track, 2, "{}", selection.reason);
            assert!(selection.reason.ends_with("122 bpm after 60; G after C"), "{}", selection.reason);
        }
    }

    #[test]
    fn a_named_mood_ranks_before_an_estimate_and_excluded_tracks_are_not_ranked() {
        let mut library = library(&["happy", "happy", "exciting"]);
        library.tracks[0].excluded = true;
        library.tracks[1].uncertainty = 0.8;
        library.tracks[1].emotions.clear();
        let ranked = TrackSelector::new(0, 0).rank(&library, &query(Emotion::Happy), 9);
        assert_eq!(ranked.iter().map(|ranked| ranked.track).collect::<Vec<_>>(), [1, 2]);
        assert!(ranked[0].reason.contains("guessed"), "{}", ranked[0].reason);
        library.tracks[2].set_moods(vec!["happy".into(), "exciting".into()]);
        assert_eq!(TrackSelector::new(0, 0).select(&library, &query(Emotion::Happy)).unwrap().track, 2);
    }

    #[test]
    fn tracks_of_the_history_count_as_played() {
        let (library, mut selector) = (library(&["happy"; 3]), TrackSelector::new(0, 3));
        let play = |uri: &str| PlayRecord { uri: uri.into(), client: String::new(), started_at: 0 };
        selector.load_history(&library, &[play("file:///2"), play("file:///gone"), play("file:///0")]);
        assert_eq!(selector.select(&library, &query(Emotion::Happy)).unwrap().track, 1);
    }

    #[test]
    fn the_playing_track_may_still_fit() {
        let library = library(&["happy", "exciting", "sad"]);
        let selector = TrackSelector::new(0, 3);
        assert!(selector.is_fitting(&library, 0, &query(Emotion::Happy)));
        assert!(!selector.is_fitting(&library, 2, &query(Emotion::Happy)));
        assert!(!selector.is_fitting(&library, 7, &query(Emotion::Happy)));
    }
}
