//! Assignment of observations to tracked faces, and the life of a track.

use gray_image::PixelRect;

use crate::motion::Motion;

/// A face that a detector found in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The face's rectangle, in pixels.
    pub rect: PixelRect<f64>,
    /// Whether the evidence is strong. A new face on weak evidence gets its id when it is observed in two
    /// consecutive frames: a detector mistakes a fold or a shadow for a face, but rarely twice.
    pub is_confident: bool,
    /// In-plane rotation, degrees, clockwise positive; 0 where it is not known.
    pub roll: f64,
    /// Whether it can be a new face: not where less evidence was enough because a known face was expected.
    pub may_be_new: bool,
}

/// When an observation may be a known face, and how long a face is remembered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// An observation may be a face if its intersection over union with the predicted or the last observed
    /// place of the face is at least this, 0-1.
    pub min_overlap: f64,
    /// An observation with less overlap may still be a face if it is likely given the face's motion and its
    /// centre is at most this far from the predicted one, in side lengths of the face.
    pub max_distance: f64,
    /// How long a face may be absent and still get its id back, ns: counted from the first frame without it,
    /// or, if there was none, from the last frame with it.
    pub max_absence: u64,
}

impl Default for Params {
    /// `min_overlap` is that of two squares that are two thirds of a side apart.
    fn default() -> Self {
        Self { min_overlap: 0.2, max_distance: 1.0, max_absence: 1_000_000_000 }
    }
}

/// The largest squared Mahalanobis distance of a likely observation: the 99th percentile of the chi-squared
/// distribution with three degrees of freedom.
const MAX_MAHALANOBIS: f64 = 11.34;

/// The cost of a match with a face that was missing in the frame before: minus twice the logarithm of the
/// probability, about one in seven, that such a face is back in this frame. So a face in view keeps its
/// observations when a hidden one may pass behind it.
const MISSING_COST: f64 = 4.0;

/// A tracked face at a given time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The face's id, from 1 on; `None` until a face on weak evidence is observed a second time.
    pub id: Option<u32>,
    /// The place predicted from its motion, in pixels.
    pub rect: PixelRect<f64>,
    /// The place where it was last observed, in pixels.
    pub last_rect: PixelRect<f64>,
    /// The roll with which it was last observed, degrees.
    pub roll: f64,
    /// Time since it was last observed, ns.
    pub unobserved_for: u64,
    /// Whether the last full search did not find it, so that it may have left.
    pub is_doubtful: bool,
    /// Whether it was ever observed on strong evidence.
    pub was_confident: bool,
}

/// A face in view, or out of view for a short time.
#[derive(Clone, Copy, Debug)]
struct Track {
    id: Option<u32>,
    /// Where it was last observed, in pixels.
    last_rect: PixelRect<f64>,
    /// Its roll then, degrees.
    roll: f64,
    /// When it was last observed, ns.
    last_time: u64,
    /// Its motion at that time.
    motion: Motion,
    /// Time of the first frame without it since, ns.
    missing_since: Option<u64>,
    /// Whether the last full search did not find it.
    is_doubtful: bool,
    /// Whether it was ever observed on strong evidence.
    was_confident: bool,
    /// Whether an observation of it in the frame before was rejected because the evidence was weak.
    has_rejected_match: bool,
}

impl Track {
    fn new(observation: &Observation, time: u64) -> Self {
        let Observation { rect, roll, .. } = *observation;
        Self {
            id: None,
            last_rect: rect,
            roll,
            last_time: time,
            motion: Motion::new(&rect),
            missing_since: None,
            is_doubtful: false,
            was_confident: observation.is_confident,
            has_rejected_match: false,
        }
    }

    /// Whether weak evidence is enough. A doubtful face is treated like a new one.
    fn accepts_weak_evidence(&self) -> bool {
        !self.is_doubtful || self.has_rejected_match || self.missing_since.is_none()
    }

    fn observe(&mut self, time: u64, observation: &Observation) {
        self.motion = self.predict_motion(time);
        self.motion.correct(&observation.rect);
        (self.last_rect, self.roll) = (observation.rect, observation.roll);
        (self.last_time, self.missing_since) = (time, None);
        self.was_confident |= observation.is_confident;
    }

    fn predict_motion(&self, time: u64) -> Motion {
        self.motion.predict(time.saturating_sub(self.last_time) as f64 / 1e9)
    }
}

/// Says who a face is, by more than its place.
pub trait Recognizer {
    /// Whether the observation with this index may be the person `id`, who was missing for `absence`, ns.
    fn may_be(&mut self, index: usize, id: u32, absence: u64) -> bool;

    /// The person with an earlier id whom the observation with this index shows; `None` for somebody new.
    /// `present` are the ids that the frame has already.
    fn identify(&mut self, index: usize, present: &[u32]) -> Option<u32>;
}

/// Recognizes nobody: only places and motion count.
impl Recognizer for () {
    fn may_be(&mut self, _index: usize, _id: u32, _absence: u64) -> bool {
        true
    }

    fn identify(&mut self, _index: usize, _present: &[u32]) -> Option<u32> {
        None
    }
}

/// The part of a frame in which the detector searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchScope {
    /// All of the frame: new faces begin, and a known one that was not observed may have left.
    FullFrame,
    /// All of the frame for faces of some rolls, and around the [predictions](Tracker::predict) for the others:
    /// new faces begin, but one that is missed is not thought to have left.
    SomeRolls,
    /// Only around the [predictions](Tracker::predict): no new face begins. A face that the last full search
    /// missed needs the evidence of a new one: a confident observation, or observations in two consecutive
    /// frames.
    AroundFaces,
}

/// Gives ids to the faces of consecutive frames. Times are in nanoseconds; a step backwards starts a new
/// scene.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    params: Params,
    /// Oldest first.
    tracks: Vec<Track>,
    /// Time of the last frame, ns.
    last_time: Option<u64>,
    /// Whether the current scene has had a frame.
    has_frame: bool,
    /// The last id given.
    last_id: u32,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(params: Params) -> Self {
        Self { params, ..Self::default() }
    }

    /// Updates the tracks with a frame that was searched completely. Returns the id of each observation in
    /// the order given; no id appears twice.
    ///
    /// An observation that matches no face gets the next id: at once if it is confident or in the first frame
    /// of a scene (a still image has no second frame), otherwise in the next frame, and `None` until then.
    pub fn update(&mut self, time: u64, observations: &[Observation]) -> Vec<Option<u32>> {
        self.update_with(time, observations, SearchScope::FullFrame, &mut ())
    }

    /// Adds that the face `id` was followed in the frame at `time`, after an update for that frame in which it was
    /// not observed. It stays as doubtful as the last full search left it.
    pub fn observe_followed(&mut self, time: u64, id: u32, observation: &Observation) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == Some(id)) {
            track.observe(time, observation);
        }
    }

    /// The faces remembered at `time`, oldest first: where to search for them.
    pub fn predict(&mut self, time: u64) -> Vec<Prediction> {
        self.drop_lost_tracks(time);
        let predict = |track: &Track| Prediction {
            id: track.id,
            rect: track.predict_motion(time).rect(),
            last_rect: track.last_rect,
            roll: track.roll,
            unobserved_for: time.saturating_sub(track.last_time),
            is_doubtful: track.is_doubtful,
            was_confident: track.was_confident,
        };
        self.tracks.iter().map(predict).collect()
    }

    /// Scales all places by `factor`, where the frame's size has changed.
    pub fn scale(&mut self, factor: f64) {
        for track in &mut self.tracks {
            let PixelRect { x, y, w, h } = track.last_rect;
            track.last_rect = PixelRect { x: x * factor, y: y * factor, w: w * factor, h: h * factor };
            track.motion = track.motion.scale(factor);
        }
    }

    /// Forgets where the faces are, as after a cut to another shot. Only a [`Recognizer`] can give them their ids
    /// back.
    pub fn forget_places(&mut self) {
        self.tracks.clear();
    }

    /// Drops every face, as after a seek. Ids continue to count up.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last_time = None;
        self.has_frame = false;
    }

    /// Like [`update`](Self::update), for a frame that was searched as `scope` says. `recognizer` is asked before a
    /// missing face is matched by its place, and before a new id is given.
    pub fn update_with(
        &mut self,
        time: u64,
        observations: &[Observation],
        scope: SearchScope,
        recognizer: &mut impl Recognizer,
    ) -> Vec<Option<u32>> {
        self.drop_lost_tracks(time);
        let is_first = !std::mem::replace(&mut self.has_frame, true);
        let is_full = scope == SearchScope::FullFrame;
        let is_known_only = scope == SearchScope::AroundFaces;
        let matches = self.match_observations(time, observations, recognizer);
        let mut present: Vec<u32> =
            matches.iter().flatten().filter_map(|&index: &usize| self.tracks[index].id).collect();
        let mut has_rejected_match = vec![false; self.tracks.len()];
        let mut ids = Vec::with_capacity(observations.len());
        for (index, (observation, known)) in observations.iter().zip(matches).enumerate() {
            let is_confident = observation.is_confident;
            let track_index = match known {
                Some(known) if is_full || is_confident || self.tracks[known].accepts_weak_evidence() => {
                    self.tracks[known].observe(time, observation);
                    Some(known)
                }
                Some(known) => {
                    has_rejected_match[known] = true;
                    None
                }
                None if !is_known_only && observation.may_be_new => {
                    self.tracks.push(Track::new(observation, time));
                    Some(self.tracks.len() - 1)
                }
                None => None,
            };
            ids.push(track_index.and_then(|track_index| {
                let needs_id = self.tracks[track_index].id.is_none();
                if needs_id && (is_confident || is_first || known.is_some()) {
                    let id = self.next_id(recognizer.identify(index, &present));
                    present.push(id);
                    self.tracks[track_index].id = Some(id);
                }
                self.tracks[track_index].id
            }));
        }
        has_rejected_match.resize(self.tracks.len(), false);
        for (track, has_rejected_match) in self.tracks.iter_mut().zip(has_rejected_match) {
            let is_missing = track.last_time != time;
            if is_missing {
                track.missing_since.get_or_insert(time);
            }
            if is_full {
                track.is_doubtful = is_missing;
            }
            track.has_rejected_match = has_rejected_match;
        }
        // A new face on weak evidence that is not observed again was a false detection.
        self.tracks.retain(|track| track.id.is_some() || track.last_time == time);
        ids
    }

    /// The id of a face that has none: that of the person who was recognised, who is no longer looked for
    /// elsewhere, or a new one.
    fn next_id(&mut self, recognised: Option<u32>) -> u32 {
        let Some(id) = recognised else {
            self.last_id += 1;
            return self.last_id;
        };
        self.last_id = self.last_id.max(id);
        // A track without id that is not observed in this frame is dropped.
        self.tracks.iter_mut().filter(|track| track.id == Some(id)).for_each(|track| track.id = None);
        id
    }

    /// The index of the track that each observation belongs to. Of all possible pairs the cheapest is matched
    /// first, then the cheapest of the remaining ones, and so on.
    fn match_observations(
        &self,
        time: u64,
        observations: &[Observation],
        recognizer: &mut impl Recognizer,
    ) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (track_index, track) in self.tracks.iter().enumerate() {
            let motion = track.predict_motion(time);
            for (index, observation) in observations.iter().enumerate() {
                let Some(cost) = self.match_cost(track, &motion, &observation.rect) else { continue };
                let may_match = match (track.id, track.missing_since) {
                    (Some(id), Some(since)) => recognizer.may_be(index, id, time.saturating_sub(since)),
                    _ => true,
                };
                if may_match {
                    pairs.push((cost, track_index, index));
                }
            }
        }
        // The older face wins a tie.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let mut matches = vec![None; observations.len()];
        let mut is_matched = vec![false; self.tracks.len()];
        for (_, track_index, index) in pairs {
            if !is_matched[track_index] && matches[index].is_none() {
                is_matched[track_index] = true;
                matches[index] = Some(track_index);
            }
        }
        matches
    }

    /// The cost of a match, which is lower the likelier it is; `None` where the observation cannot be the
    /// face. `motion` is that of the track, predicted for the frame.
    fn match_cost(&self, track: &Track, motion: &Motion, observed: &PixelRect<f64>) -> Option<f64> {
        let predicted = motion.rect();
        let overlap = predicted
            .intersection_over_union(observed)
            .max(track.last_rect.intersection_over_union(observed));
        let fit = motion.fit(observed);
        let ((ax, ay), (bx, by)) = (predicted.centre(), observed.centre());
        let is_near = (ax - bx).hypot(ay - by) <= self.params.max_distance * predicted.side();
        let is_possible =
            overlap > 0.0 && overlap >= self.params.min_overlap || is_near && fit.distance <= MAX_MAHALANOBIS;
        let missing_cost = if track.missing_since.is_some() { MISSING_COST } else { 0.0 };
        is_possible.then_some(fit.cost + missing_cost)
    }

    /// Drops the tracks that are absent for too long at `time`; all of them where time runs backwards.
    fn drop_lost_tracks(&mut self, time: u64) {
        if self.last_time.is_some_and(|last| time < last) {
            self.reset();
        }
        self.last_time = Some(time);
        let max_absence = self.params.max_absence;
        self.tracks.retain(|track| {
            time.saturating_sub(track.missing_since.unwrap_or(track.last_time)) <= max_absence
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time between frames at 25 frames per second, ns.
    const PERIOD: u64 = 40_000_000;

    fn square(x: f64, y: f64, side: f64) -> PixelRect<f64> {
        PixelRect { x, y, w: side, h: side }
    }

    fn strong(x: f64, y: f64, side: f64) -> Observation {
        Observation { rect: square(x, y, side), is_confident: true, roll: 0.0, may_be_new: true }
    }

    fn weak(x: f64, y: f64, side: f64) -> Observation {
        Observation { is_confident: false, ..strong(x, y, side) }
    }

    fn update_in(
        tracker: &mut Tracker,
        scope: SearchScope,
        time: u64,
        observations: &[Observation],
    ) -> Vec<Option<u32>> {
        tracker.update_with(time, observations, scope, &mut ())
    }

    fn ids<const N: usize>(ids: [u32; N]) -> Vec<Option<u32>> {
        ids.map(Some).to_vec()
    }

    #[test]
    fn a_moving_face_keeps_its_id() {
        let mut tracker = Tracker::default();
        for frame in 0..200 {
            let x = 300.0 + 200.0 * (frame as f64 / 15.0).sin();
            assert_eq!(tracker.update(frame * PERIOD, &[strong(x, 50.0 + frame as f64, 80.0)]), ids([1]));
        }
    }

    #[test]
    fn places_scale_with_the_frame() {
        let (mut tracker, mut scaled) = (Tracker::default(), Tracker::default());
        for frame in 0..10 {
            let x = 100.0 + 6.0 * frame as f64;
            assert_eq!(tracker.update(frame * PERIOD, &[strong(x, 50.0, 80.0)]), ids([1]));
            scaled.update(frame * PERIOD, &[strong(x / 2.0, 25.0, 40.0)]);
        }
        tracker.scale(0.5);
        let rect = |tracker: &mut Tracker| tracker.predict(11 * PERIOD)[0].rect;
        let (a, b) = (rect(&mut tracker), rect(&mut scaled));
        assert!((a.x - b.x).abs() + (a.y - b.y).abs() + (a.w - b.w).abs() < 1e-6, "{a:?} {b:?}");
        assert_eq!(tracker.update(12 * PERIOD, &[strong(86.0, 25.0, 40.0)]), ids([1]));
    }

    #[test]
    fn two_faces_keep_their_ids_in_any_order() {
        let mut tracker = Tracker::default();
        let (left, right) = (strong(100.0, 100.0, 80.0), strong(220.0, 100.0, 80.0));
        assert_eq!(tracker.update(0, &[left, right]), ids([1, 2]));
        assert_eq!(tracker.update(PERIOD, &[right, left]), ids([2, 1]));
        assert_eq!(tracker.update(2 * PERIOD, &[right]), ids([2]));
        assert_eq!(tracker.update(3 * PERIOD, &[strong(400.0, 0.0, 80.0), left, right]), ids([3, 1, 2]));
    }

    #[test]
    fn the_better_overlap_wins() {
        let mut tracker = Tracker::default();
        tracker.update(0, &[strong(100.0, 0.0, 80.0)]);
        assert_eq!(
            tracker.update(PERIOD, &[strong(140.0, 0.0, 80.0), strong(105.0, 0.0, 80.0)]),
            ids([2, 1])
        );
    }

    #[test]
    fn an_id_survives_a_short_absence_but_not_a_long_one() {
        let mut tracker = Tracker::default();
        let face = strong(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face]), ids([1]));
        assert_eq!(tracker.update(500_000_000, &[]), []);
        assert_eq!(tracker.predict(500_000_000).len(), 1);
        assert_eq!(tracker.update(1_000_000_000, &[face]), ids([1]));
        assert_eq!(tracker.update(2_000_000_001, &[face]), ids([2]));
        assert!(tracker.predict(u64::MAX).is_empty());
    }

    #[test]
    fn a_new_scene_gets_new_ids() {
        let mut tracker = Tracker::default();
        let face = strong(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(5 * PERIOD, &[face]), ids([1]));
        assert_eq!(tracker.update(4 * PERIOD, &[face]), ids([2]), "time ran backwards");
        tracker.reset();
        assert_eq!(tracker.update(0, &[face]), ids([3]));
    }

    #[test]
    fn a_weak_face_needs_two_consecutive_frames() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.update(0, &[strong(300.0, 50.0, 90.0)]), ids([1]));
        let both = [strong(300.0, 50.0, 90.0), weak(100.0, 50.0, 30.0)];
        assert_eq!(tracker.update(PERIOD, &both), [Some(1), None]);
        assert_eq!(tracker.update(2 * PERIOD, &both[..1]), ids([1]));
        assert_eq!(tracker.update(3 * PERIOD, &both), [Some(1), None], "not in consecutive frames");
        assert_eq!(tracker.predict(3 * PERIOD).len(), 2, "to be searched for");
        assert_eq!(tracker.update(4 * PERIOD, &both), ids([1, 2]));
        assert_eq!(tracker.update(5 * PERIOD, &both[1..]), ids([2]));
        tracker.reset();
        assert_eq!(tracker.update(6 * PERIOD, &both), ids([3, 4]), "a still image has no second frame");
    }

    #[test]
    fn the_same_rectangle_twice_is_two_faces() {
        let mut tracker = Tracker::default();
        let face = strong(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face, face]), ids([1, 2]));
        assert_eq!(tracker.update(PERIOD, &[face, face]), ids([1, 2]));
    }

    #[test]
    fn no_new_face_gets_an_id_between_full_searches() {
        let mut tracker = Tracker::default();
        assert_eq!(
            update_in(&mut tracker, SearchScope::AroundFaces, 0, &[strong(300.0, 50.0, 90.0)]),
            [None]
        );
        assert_eq!(tracker.update(PERIOD, &[strong(10.0, 10.0, 50.0)]), ids([1]));
        let both = [strong(10.0, 10.0, 50.0), strong(300.0, 50.0, 90.0)];
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, 2 * PERIOD, &both), [Some(1), None]);
        assert_eq!(tracker.update(3 * PERIOD, &both), ids([1, 2]));
        let both_weak = [weak(10.0, 10.0, 50.0), weak(100.0, 10.0, 30.0)];
        assert_eq!(tracker.update(4 * PERIOD, &both_weak), [Some(1), None]);
        assert_eq!(
            update_in(&mut tracker, SearchScope::AroundFaces, 5 * PERIOD, &both_weak),
            ids([1, 3]),
            "observed in two consecutive frames"
        );
    }

    #[test]
    fn a_face_that_a_full_search_missed_needs_the_evidence_of_a_new_one() {
        let mut tracker = Tracker::default();
        let (strong, weak) = (strong(10.0, 10.0, 50.0), weak(10.0, 10.0, 50.0));
        assert_eq!(tracker.update(0, &[strong]), ids([1]));
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, PERIOD, &[]), []);
        assert_eq!(
            update_in(&mut tracker, SearchScope::AroundFaces, 2 * PERIOD, &[weak]),
            ids([1]),
            "not doubtful"
        );
        assert_eq!(tracker.update(3 * PERIOD, &[]), []);
        assert!(tracker.predict(4 * PERIOD)[0].is_doubtful);
        for frame in [4, 6] {
            assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, frame * PERIOD, &[weak]), [None]);
            assert_eq!(
                update_in(&mut tracker, SearchScope::AroundFaces, (frame + 1) * PERIOD, &[]),
                [],
                "not in consecutive frames"
            );
        }
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, 8 * PERIOD, &[weak]), [None]);
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, 9 * PERIOD, &[weak]), ids([1]));
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, 10 * PERIOD, &[weak]), ids([1]));
        assert_eq!(tracker.update(11 * PERIOD, &[]), []);
        assert_eq!(update_in(&mut tracker, SearchScope::AroundFaces, 12 * PERIOD, &[strong]), ids([1]));
        assert_eq!(tracker.update(13 * PERIOD, &[weak]), ids([1]));
        assert!(!tracker.predict(14 * PERIOD)[0].is_doubtful);
    }

    #[test]
    fn the_prediction_extrapolates_the_motion() {
        let mut tracker = Tracker::default();
        for frame in 0..25 {
            tracker.update(frame * PERIOD, &[strong(4.0 * frame as f64, 10.0, 50.0)]);
        }
        let prediction = tracker.predict(29 * PERIOD)[0];
        assert!((prediction.rect.x - 116.0).abs() < 1.0, "{prediction:?}");
        assert_eq!(
            (prediction.id, prediction.last_rect.x, prediction.unobserved_for),
            (Some(1), 96.0, 5 * PERIOD)
        );
    }

    #[test]
    fn invalid_rectangles_do_not_disturb_other_faces() {
        let mut tracker = Tracker::default();
        for (frame, side) in [0.0, f64::NAN, f64::INFINITY, -5.0, 1e300, 0.0].into_iter().enumerate() {
            let time = frame as u64 * PERIOD;
            let ids = tracker.update(time, &[strong(0.0, 0.0, side), strong(300.0, 50.0, 90.0)]);
            assert_eq!(ids[1], Some(2), "{side}");
            assert!(!tracker.predict(time).is_empty());
        }
    }

    /// Takes every new face for person 1 unless that one is present, and nobody for whom he was before.
    struct EverybodyIsFirst;

    impl Recognizer for EverybodyIsFirst {
        fn may_be(&mut self, _index: usize, _id: u32, absence: u64) -> bool {
            absence < PERIOD
        }

        fn identify(&mut self, _index: usize, present: &[u32]) -> Option<u32> {
            (!present.contains(&1)).then_some(1)
        }
    }

    #[test]
    fn a_recognised_face_gets_its_id_back_elsewhere_and_only_once() {
        let mut tracker = Tracker::default();
        let (left, right) = (strong(100.0, 100.0, 80.0), strong(500.0, 100.0, 80.0));
        let mut update = |time: u64, observations: &[Observation]| {
            tracker.update_with(time, observations, SearchScope::FullFrame, &mut EverybodyIsFirst)
        };
        assert_eq!(update(0, &[left]), ids([1]));
        assert_eq!(
            update(PERIOD, &[right]),
            ids([1]),
            "the missing face is no longer looked for on the left"
        );
        assert_eq!(update(2 * PERIOD, &[left, right]), ids([2, 1]));
        assert_eq!(update(60 * PERIOD, &[left, right]), ids([1, 3]), "both were gone for long");
    }

    #[test]
    fn a_followed_face_is_not_missing_and_cuts_forget_places() {
        let mut tracker = Tracker::default();
        let face = strong(100.0, 100.0, 80.0);
        tracker.update(0, &[face]);
        for frame in 1..60 {
            tracker.update(frame * PERIOD, &[]);
            tracker.observe_followed(frame * PERIOD, 1, &weak(100.0 + frame as f64, 100.0, 80.0));
        }
        let predictions = tracker.predict(60 * PERIOD);
        assert!((predictions[0].last_rect.x - 159.0).abs() < 1e-9 && predictions[0].is_doubtful);
        assert_eq!(tracker.update(60 * PERIOD, &[strong(160.0, 100.0, 80.0)]), ids([1]));
        tracker.forget_places();
        assert_eq!(tracker.update(61 * PERIOD, &[strong(161.0, 100.0, 80.0)]), ids([2]));
    }
}
