//! Ids that stay with a face from frame to frame: whoever overlaps best keeps the number.
//!
//! The tracker has no clock. Every frame brings its time, in nanoseconds of any scale that does not run backwards while
//! a scene lasts; a step backwards starts a new scene, in which no earlier id returns.
//!
//! ```
//! use face_track::{Rect, Tracker};
//!
//! let mut tracker = Tracker::default();
//! assert_eq!(tracker.update(0, &[Rect { x: 100.0, y: 80.0, w: 60.0, h: 60.0 }]), [1]);
//! assert_eq!(tracker.update(40_000_000, &[Rect { x: 104.0, y: 81.0, w: 62.0, h: 62.0 }]), [1]);
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
    /// Counts up from 1.
    pub id: u32,
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
    used: u32,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(params: Params) -> Self {
        Self { params, ..Self::default() }
    }

    /// The id of each box, in the order given; no id appears twice.
    ///
    /// Of all pairs of a track and a box, the one that overlaps most is matched first, then the best of what is left,
    /// and so on; the older track wins a tie. A box without a match gets the next new id.
    pub fn update(&mut self, time: u64, boxes: &[Rect]) -> Vec<u32> {
        self.forget(time);
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (place, rect) in boxes.iter().enumerate() {
            let near = self.tracks.iter().map(|track| track.rect.overlap(rect)).enumerate();
            let near = near.filter(|&(_, overlap)| overlap >= self.params.min_overlap && overlap > 0.0);
            pairs.extend(near.map(|(track, overlap)| (overlap, track, place)));
        }
        // Tracks are ordered by age, so that a stable sort leaves the older one first.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let mut ids = vec![None; boxes.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, track, place) in pairs {
            if !taken[track] && ids[place].is_none() {
                taken[track] = true;
                let track = &mut self.tracks[track];
                (track.rect, track.seen) = (boxes[place], time);
                ids[place] = Some(track.id);
            }
        }
        let new = |(id, &rect): (Option<u32>, &Rect)| {
            id.unwrap_or_else(|| {
                self.used += 1;
                self.tracks.push(Track { id: self.used, rect, seen: time });
                self.used
            })
        };
        ids.into_iter().zip(boxes).map(new).collect()
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
            assert_eq!(tracker.update(frame * FRAME, &[square(x, 50.0 + frame as f64, 80.0)]), [1]);
        }
    }

    #[test]
    fn two_faces_keep_theirs_in_any_order() {
        let mut tracker = Tracker::default();
        let (left, right) = (square(100.0, 100.0, 80.0), square(220.0, 100.0, 80.0));
        assert_eq!(tracker.update(0, &[left, right]), [1, 2]);
        assert_eq!(tracker.update(FRAME, &[right, left]), [2, 1]);
        assert_eq!(tracker.update(2 * FRAME, &[right]), [2]);
        assert_eq!(tracker.update(3 * FRAME, &[square(400.0, 0.0, 80.0), left, right]), [3, 1, 2]);
    }

    #[test]
    fn the_better_overlap_wins() {
        let mut tracker = Tracker::default();
        tracker.update(0, &[square(100.0, 0.0, 80.0)]);
        assert_eq!(tracker.update(FRAME, &[square(140.0, 0.0, 80.0), square(105.0, 0.0, 80.0)]), [2, 1]);
    }

    #[test]
    fn a_short_loss_is_survived_and_a_long_one_is_not() {
        let mut tracker = Tracker::default();
        let face = square(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face]), [1]);
        assert_eq!(tracker.update(500_000_000, &[]), []);
        assert_eq!(tracker.tracks(500_000_000).len(), 1);
        assert_eq!(tracker.update(1_000_000_000, &[face]), [1]);
        assert_eq!(tracker.update(2_000_000_001, &[face]), [2]);
        assert!(tracker.tracks(u64::MAX).is_empty());
    }

    #[test]
    fn a_new_scene_has_new_ids() {
        let mut tracker = Tracker::default();
        let face = square(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(5 * FRAME, &[face]), [1]);
        assert_eq!(tracker.update(4 * FRAME, &[face]), [2], "time ran backwards");
        tracker.reset();
        assert_eq!(tracker.update(0, &[face]), [3]);
    }

    #[test]
    fn the_same_box_twice_is_two_faces() {
        let mut tracker = Tracker::default();
        let face = square(10.0, 10.0, 50.0);
        assert_eq!(tracker.update(0, &[face, face]), [1, 2]);
        assert_eq!(tracker.update(FRAME, &[face, face]), [1, 2]);
    }
}
