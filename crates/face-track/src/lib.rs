//! Ids that stay with a face from frame to frame: whoever overlaps best keeps the number.
//!
//! The tracker has no clock. Every frame brings its time, in nanoseconds of any scale that does not run backwards while
//! a scene lasts; a step backwards starts a new scene, in which no earlier id returns.
//!
//! ```
//! use face_track::{Rect, Sighting, Tracker};
//!
//! let mut tracker = Tracker::default();
//! let at = |x, y, side| Sighting { rect: Rect { x, y, w: side, h: side }, sure: true };
//! assert_eq!(tracker.update(0, &[at(100.0, 80.0, 60.0)]), [Some(1)]);
//! assert_eq!(tracker.update(40_000_000, &[at(104.0, 81.0, 62.0)]), [Some(1)]);
//! ```

/// A box, in any unit that stays the same from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The area both cover over the area either covers (Jaccard index), 0-1; 0 where a box is empty.
    pub fn overlap(&self, other: &Self) -> f64 {
        let side = |a: f64, a_length: f64, b: f64, b_length: f64| {
            ((a + a_length).min(b + b_length) - a.max(b)).max(0.0)
        };
        let both = side(self.x, self.w, other.x, other.w) * side(self.y, self.h, other.y, other.h);
        let either = self.w * self.h + other.w * other.h - both;
        if both > 0.0 { both / either } else { 0.0 }
    }
}

/// What a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// Where.
    pub rect: Rect,
    /// Whether the evidence is strong. A new face of weak evidence gets its id when it is seen in a second frame running:
    /// detectors mistake a fold or a shadow for a face, but seldom twice.
    pub sure: bool,
}

/// What counts as the same face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// The least overlap of a face with where it was last seen, 0-1.
    pub min_overlap: f64,
    /// How long a face may be gone and still get its id back, ns.
    pub forget: u64,
}

impl Default for Params {
    /// A fifth of overlap, which is a face that moves by two thirds of its width; one second.
    fn default() -> Self {
        Self { min_overlap: 0.2, forget: 1_000_000_000 }
    }
}

/// A face in view, or out of it for a short time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Counts up from 1; `None` while the face waits for a second sighting.
    pub id: Option<u32>,
    /// Where it was last seen.
    pub rect: Rect,
    /// When, ns.
    pub seen: u64,
}

/// Gives ids to the faces of one frame after the other.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    params: Params,
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

    /// The id of each sighting, in the order given; no id appears twice.
    ///
    /// Of all pairs of a track and a sighting, the one that overlaps most is matched first, then the best of what is
    /// left, and so on; the older track wins a tie. A sighting without a match gets the next new id, at once where it is
    /// sure or the first frame of a scene (a still picture has no second), else in the next frame.
    pub fn update(&mut self, time: u64, sightings: &[Sighting]) -> Vec<Option<u32>> {
        self.forget(time);
        let first = !std::mem::replace(&mut self.in_scene, true);
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (place, sighting) in sightings.iter().enumerate() {
            let near = self.tracks.iter().map(|track| track.rect.overlap(&sighting.rect)).enumerate();
            let near = near.filter(|&(_, overlap)| overlap >= self.params.min_overlap && overlap > 0.0);
            pairs.extend(near.map(|(track, overlap)| (overlap, track, place)));
        }
        // Tracks are ordered by age.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let mut matches = vec![None; sightings.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, track, place) in pairs {
            if !taken[track] && matches[place].is_none() {
                taken[track] = true;
                matches[place] = Some(track);
            }
        }
        let mut ids = Vec::with_capacity(sightings.len());
        for (&Sighting { rect, sure }, known) in sightings.iter().zip(matches) {
            let mut track = known.map_or(Track { id: None, rect, seen: time }, |known| self.tracks[known]);
            (track.rect, track.seen) = (rect, time);
            if track.id.is_none() && (sure || first || known.is_some()) {
                self.used += 1;
                track.id = Some(self.used);
            }
            ids.push(track.id);
            match known {
                Some(known) => self.tracks[known] = track,
                None => self.tracks.push(track),
            }
        }
        // A weak sighting that was not repeated was no face.
        self.tracks.retain(|track| track.id.is_some() || track.seen == time);
        ids
    }

    /// The faces that would still be recognised at `time`, oldest first: where to look for them.
    pub fn tracks(&mut self, time: u64) -> &[Track] {
        self.forget(time);
        &self.tracks
    }

    /// Forgets every face, as after a cut or a seek. Ids go on counting.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last = None;
        self.in_scene = false;
    }

    fn forget(&mut self, time: u64) {
        if self.last.is_some_and(|last| time < last) {
            self.reset();
        }
        self.last = Some(time);
        let forget = self.params.forget;
        self.tracks.retain(|track| time - track.seen <= forget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 40_000_000;

    fn square(x: f64, y: f64, side: f64) -> Rect {
        Rect { x, y, w: side, h: side }
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
    fn overlap_is_the_jaccard_index() {
        let one = square(0.0, 0.0, 10.0);
        assert_eq!(one.overlap(&one), 1.0);
        assert_eq!(one.overlap(&square(5.0, 0.0, 10.0)), 50.0 / 150.0);
        assert_eq!(one.overlap(&square(10.0, 0.0, 10.0)), 0.0);
        assert_eq!(one.overlap(&square(2.0, 2.0, 0.0)), 0.0);
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
        assert_eq!(tracker.tracks(500_000_000).len(), 1);
        assert_eq!(tracker.update(1_000_000_000, &[face]), ids([1]));
        assert_eq!(tracker.update(2_000_000_001, &[face]), ids([2]));
        assert!(tracker.tracks(u64::MAX).is_empty());
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
        assert_eq!(tracker.tracks(3 * FRAME).len(), 2, "worth looking for");
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
}
