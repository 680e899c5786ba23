//! Which sighting is which face, and which faces to keep in mind.

use crate::motion::Motion;
use gray_image::PixelRect;

/// What a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// Where.
    pub rect: PixelRect<f64>,
    /// Whether the evidence is strong. A new face of weak evidence gets its id when it is seen in a second frame running:
    /// detectors mistake a fold or a shadow for a face, but seldom twice.
    pub sure: bool,
}

/// What counts as the same face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// A sighting that overlaps as much with where the face is expected or was last seen may be that face, 0-1.
    pub min_overlap: f64,
    /// So may one that is likely by the face's motion, if its centre is at most this far from where the face is
    /// expected, sides of the face.
    pub max_distance: f64,
    /// How long a face may be gone and still get its id back, ns: from the first frame without it, or, where no frame
    /// came, from the last one with it.
    pub forget: u64,
}

impl Default for Params {
    /// A fifth of overlap, which is two thirds of a side off; one side; one second.
    fn default() -> Self {
        Self { min_overlap: 0.2, max_distance: 1.0, forget: 1_000_000_000 }
    }
}

/// A right sighting is less likely than this squared distance once in a hundred times: the chi-squared distribution's
/// 99th percentile for three degrees of freedom.
const LIKELY: f64 = 11.34;

/// What it costs to have been missed in the frame before: minus twice the logarithm of how seldom a face that was comes
/// back in this one, about one time in seven. A face in view so keeps its sightings when a hidden one may pass behind it.
const MISSED: f64 = 4.0;

/// Where to look for a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Counts up from 1; `None` while the face waits for a second sighting.
    pub id: Option<u32>,
    /// Where it should be by its motion.
    pub rect: PixelRect<f64>,
    /// Where it was last seen.
    pub last: PixelRect<f64>,
    /// How long ago, ns.
    pub unseen: u64,
    /// The last search of everything did not find it: it may be gone.
    pub doubted: bool,
}

/// A face in view, or out of it for a short time.
#[derive(Clone, Copy, Debug)]
struct Track {
    id: Option<u32>,
    last: PixelRect<f64>,
    seen: u64,
    /// The motion when it was last seen.
    motion: Motion,
    /// The first frame without it since.
    missed: Option<u64>,
    /// The last search of everything did not find it.
    doubted: bool,
    /// The frame before showed something there, on too weak evidence.
    hinted: bool,
}

impl Track {
    fn new(rect: PixelRect<f64>, time: u64) -> Self {
        let motion = Motion::new(&rect);
        Self { id: None, last: rect, seen: time, motion, missed: None, doubted: false, hinted: false }
    }

    /// Whether weak evidence will do: a face in doubt is treated like a new one.
    fn trusted(&self) -> bool {
        !self.doubted || self.hinted || self.missed.is_none()
    }

    fn see(&mut self, time: u64, rect: &PixelRect<f64>) {
        self.motion = self.at(time);
        self.motion.correct(rect);
        (self.last, self.seen, self.missed) = (*rect, time, None);
    }

    fn at(&self, time: u64) -> Motion {
        self.motion.after(time.saturating_sub(self.seen) as f64 / 1e9)
    }
}

/// Where sightings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Searched {
    Everywhere,
    AroundFaces,
}

/// Gives ids to the faces of one frame after the other.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    params: Params,
    /// Oldest first.
    tracks: Vec<Track>,
    last: Option<u64>,
    /// A frame of this scene was seen.
    in_scene: bool,
    used: u32,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(params: Params) -> Self {
        Self { params, ..Self::default() }
    }

    /// The id of each sighting of a frame that was searched everywhere, in the order given; no id appears twice.
    ///
    /// A sighting that fits no face gets the next new id, at once where it is sure or the first frame of a scene (a still
    /// picture has no second), else in the next frame.
    pub fn update(&mut self, time: u64, sightings: &[Sighting]) -> Vec<Option<u32>> {
        self.take(time, sightings, Searched::Everywhere)
    }

    /// Like [`update`](Self::update), for a frame that was searched only where faces are [`expected`](Self::expected):
    /// no new face begins. One that the last search of everything missed is believed like a new one, on strong evidence or
    /// when it is seen in a second frame running.
    pub fn follow(&mut self, time: u64, sightings: &[Sighting]) -> Vec<Option<u32>> {
        self.take(time, sightings, Searched::AroundFaces)
    }

    /// The faces that would still be recognised at `time`, oldest first: where to look for them.
    pub fn expected(&mut self, time: u64) -> Vec<Expected> {
        self.forget(time);
        let expected = |track: &Track| Expected {
            id: track.id,
            rect: track.at(time).rect(),
            last: track.last,
            unseen: time.saturating_sub(track.seen),
            doubted: track.doubted,
        };
        self.tracks.iter().map(expected).collect()
    }

    /// Forgets every face, as after a cut or a seek. Ids go on counting.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last = None;
        self.in_scene = false;
    }

    fn take(&mut self, time: u64, sightings: &[Sighting], searched: Searched) -> Vec<Option<u32>> {
        self.forget(time);
        let first = !std::mem::replace(&mut self.in_scene, true);
        let everywhere = searched == Searched::Everywhere;
        let matches = self.assign(time, sightings);
        let mut hinted = vec![false; self.tracks.len()];
        let mut ids = Vec::with_capacity(sightings.len());
        for (&Sighting { rect, sure }, known) in sightings.iter().zip(matches) {
            let track = match known {
                Some(known) if everywhere || sure || self.tracks[known].trusted() => {
                    self.tracks[known].see(time, &rect);
                    self.tracks.get_mut(known)
                }
                Some(known) => {
                    hinted[known] = true;
                    None
                }
                None if everywhere => {
                    self.tracks.push(Track::new(rect, time));
                    self.tracks.last_mut()
                }
                None => None,
            };
            ids.push(track.and_then(|track| {
                if track.id.is_none() && (sure || first || known.is_some()) {
                    self.used += 1;
                    track.id = Some(self.used);
                }
                track.id
            }));
        }
        hinted.resize(self.tracks.len(), false);
        for (track, hinted) in self.tracks.iter_mut().zip(hinted) {
            let missing = track.seen != time;
            if missing {
                track.missed.get_or_insert(time);
            }
            if everywhere {
                track.doubted = missing;
            }
            track.hinted = hinted;
        }
        // A weak sighting that was not repeated was no face.
        self.tracks.retain(|track| track.id.is_some() || track.seen == time);
        ids
    }

    /// The track of each sighting.
    fn assign(&self, time: u64, sightings: &[Sighting]) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (number, track) in self.tracks.iter().enumerate() {
            let motion = track.at(time);
            for (place, sighting) in sightings.iter().enumerate() {
                pairs.extend(self.cost(track, &motion, &sighting.rect).map(|cost| (cost, number, place)));
            }
        }
        // The older face wins a tie.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let mut matches = vec![None; sightings.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, number, place) in pairs {
            if !taken[number] && matches[place].is_none() {
                taken[number] = true;
                matches[place] = Some(number);
            }
        }
        matches
    }

    /// How unlikely it is that a face, expected by its motion, is the one seen; `None` where it cannot be.
    fn cost(&self, track: &Track, motion: &Motion, seen: &PixelRect<f64>) -> Option<f64> {
        let expected = motion.rect();
        let overlap = expected.intersection_over_union(seen).max(track.last.intersection_over_union(seen));
        let fit = motion.fit(seen);
        let ((ax, ay), (bx, by)) = (expected.centre(), seen.centre());
        let near = (ax - bx).hypot(ay - by) <= self.params.max_distance * expected.side();
        let may = overlap > 0.0 && overlap >= self.params.min_overlap || near && fit.distance <= LIKELY;
        may.then_some(if track.missed.is_some() { fit.cost + MISSED } else { fit.cost })
    }

    fn forget(&mut self, time: u64) {
        if self.last.is_some_and(|last| time < last) {
            self.reset();
        }
        self.last = Some(time);
        let forget = self.params.forget;
        self.tracks.retain(|track| time.saturating_sub(track.missed.unwrap_or(track.seen)) <= forget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 40_000_000;

    fn square(x: f64, y: f64, side: f64) -> PixelRect<f64> {
        PixelRect { x, y, w: side, h: side }
    }

    fn seen(x: f64, y: f64, side: f64) -> Sighting {
        Sighting { rect: square(x, y, side), sure: true }
    }

    fn weak(x: f64, y: f64, side: f64) -> Sighting {
        Sighting { sure: false, ..seen(x, y, side) }
    }

    fn ids<const N: usize>(ids: [u32; N]) -> Vec<Option<u32>> {
        ids.map(Some).to_vec()
    }

    #[test]
    fn a_moving_face_keeps_its_id() {
        let mut tracker = Tracker::default();
        for frame in 0..200 {
            let x = 300.0 + 200.0 * (frame as f64 / 15.0).sin();
            assert_eq!(tracker.update(frame * FRAME, &[seen(x, 50.0 + frame as f64, 80.0)]), ids([1]));
        }
    }

    #[test]
    fn two_faces_keep_theirs_in_any_order() {
        let mut tracker = Tracker::default();
        let (left, right) = (seen(100.0, 100.0, 80.0), seen(220.0, 100.0, 80.0));
        assert_eq!(tracker.update(0, &[left, right]), ids([1, 2]));
        assert_eq!(tracker.update(FRAME, &[right, left]), ids([2, 1]));
        assert_eq!(tracker.update(2 * FRAME, &[right]), ids([2]));
        assert_eq!(tracker.update(3 * FRAME, &[seen(400.0, 0.0, 80.0), left, right]), ids([3, 1, 2]));
    }

    #[test]
    fn the_better_overlap_wins() {
        let mut tracker = Tracker::default();
        tracker.update(0, &[seen(100.0, 0.0, 80.0)]);
        assert_eq!(tracker.update(FRAME, &[seen(140.0, 0.0, 80.0), seen(105.0, 0.0, 80.0)]), ids([2, 1]));
    }

    #[test]
    fn a_short_loss_is_survived_and_a_long_one_is_not() {
        let mut tracker = Tracker::default();
        let face = seen(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face]), ids([1]));
        assert_eq!(tracker.update(500_000_000, &[]), []);
        assert_eq!(tracker.expected(500_000_000).len(), 1);
        assert_eq!(tracker.update(1_000_000_000, &[face]), ids([1]));
        assert_eq!(tracker.update(2_000_000_001, &[face]), ids([2]));
        assert!(tracker.expected(u64::MAX).is_empty());
    }

    #[test]
    fn a_new_scene_has_new_ids() {
        let mut tracker = Tracker::default();
        let face = seen(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(5 * FRAME, &[face]), ids([1]));
        assert_eq!(tracker.update(4 * FRAME, &[face]), ids([2]), "time ran backwards");
        tracker.reset();
        assert_eq!(tracker.update(0, &[face]), ids([3]));
    }

    #[test]
    fn a_weak_face_must_be_seen_twice_running() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.update(0, &[seen(300.0, 50.0, 90.0)]), ids([1]));
        let both = [seen(300.0, 50.0, 90.0), weak(100.0, 50.0, 30.0)];
        assert_eq!(tracker.update(FRAME, &both), [Some(1), None]);
        assert_eq!(tracker.update(2 * FRAME, &both[..1]), ids([1]));
        assert_eq!(tracker.update(3 * FRAME, &both), [Some(1), None], "not running");
        assert_eq!(tracker.expected(3 * FRAME).len(), 2, "worth looking for");
        assert_eq!(tracker.update(4 * FRAME, &both), ids([1, 2]));
        assert_eq!(tracker.update(5 * FRAME, &both[1..]), ids([2]));
        tracker.reset();
        assert_eq!(tracker.update(6 * FRAME, &both), ids([3, 4]), "a still picture has no second frame");
    }

    #[test]
    fn the_same_box_twice_is_two_faces() {
        let mut tracker = Tracker::default();
        let face = seen(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face, face]), ids([1, 2]));
        assert_eq!(tracker.update(FRAME, &[face, face]), ids([1, 2]));
    }

    #[test]
    fn between_full_searches_no_face_begins() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.follow(0, &[seen(300.0, 50.0, 90.0)]), [None]);
        assert_eq!(tracker.update(FRAME, &[seen(10.0, 10.0, 50.0)]), ids([1]));
        let both = [seen(10.0, 10.0, 50.0), seen(300.0, 50.0, 90.0)];
        assert_eq!(tracker.follow(2 * FRAME, &both), [Some(1), None]);
        assert_eq!(tracker.update(3 * FRAME, &both), ids([1, 2]));
        let known = [weak(10.0, 10.0, 50.0), weak(100.0, 10.0, 30.0)];
        assert_eq!(tracker.update(4 * FRAME, &known), [Some(1), None]);
        assert_eq!(tracker.follow(5 * FRAME, &known), ids([1, 3]), "seen twice running");
    }

    #[test]
    fn a_face_that_a_full_search_missed_must_prove_itself() {
        let mut tracker = Tracker::default();
        let (strong, faint) = (seen(10.0, 10.0, 50.0), weak(10.0, 10.0, 50.0));
        assert_eq!(tracker.update(0, &[strong]), ids([1]));
        assert_eq!(tracker.follow(FRAME, &[]), []);
        assert_eq!(tracker.follow(2 * FRAME, &[faint]), ids([1]), "not in doubt");
        assert_eq!(tracker.update(3 * FRAME, &[]), []);
        assert!(tracker.expected(4 * FRAME)[0].doubted);
        for frame in [4, 6] {
            assert_eq!(tracker.follow(frame * FRAME, &[faint]), [None]);
            assert_eq!(tracker.follow((frame + 1) * FRAME, &[]), [], "not running");
        }
        assert_eq!(tracker.follow(8 * FRAME, &[faint]), [None]);
        assert_eq!(tracker.follow(9 * FRAME, &[faint]), ids([1]));
        assert_eq!(tracker.follow(10 * FRAME, &[faint]), ids([1]));
        assert_eq!(tracker.update(11 * FRAME, &[]), []);
        assert_eq!(tracker.follow(12 * FRAME, &[strong]), ids([1]));
        assert_eq!(tracker.update(13 * FRAME, &[faint]), ids([1]));
        assert!(!tracker.expected(14 * FRAME)[0].doubted);
    }

    #[test]
    fn the_expected_place_moves_on() {
        let mut tracker = Tracker::default();
        for frame in 0..25 {
            tracker.update(frame * FRAME, &[seen(4.0 * frame as f64, 10.0, 50.0)]);
        }
        let expected = tracker.expected(29 * FRAME)[0];
        assert!((expected.rect.x - 116.0).abs() < 1.0, "{expected:?}");
        assert_eq!((expected.id, expected.last.x, expected.unseen), (Some(1), 96.0, 5 * FRAME));
    }

    #[test]
    fn impossible_boxes_do_no_harm() {
        let mut tracker = Tracker::default();
        for (frame, side) in [0.0, f64::NAN, f64::INFINITY, -5.0, 1e300, 0.0].into_iter().enumerate() {
            let time = frame as u64 * FRAME;
            let found = tracker.update(time, &[seen(0.0, 0.0, side), seen(300.0, 50.0, 90.0)]);
            assert_eq!(found[1], Some(2), "{side}");
            assert!(!tracker.expected(time).is_empty());
        }
    }
}
