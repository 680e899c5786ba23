//! Whether every face in view is found, as far as the faces found before tell.

use gray_image::PixelRect;

use crate::lost::LostFaces;

/// How many consecutive frames must have a face before the first picture is trusted: more than a detector's error lasts.
const FRAMES_AT_START: u32 = 5;

/// Judges whether every face in view is found: not at the start, and not while a face is lost that was there.
///
/// A person whom the detector has never found does not count: there is no evidence of them.
#[derive(Clone, Debug)]
pub struct PresenceCheck {
    /// For how long nobody must be found to be believed to be there, ns.
    absence: u64,
    lost: LostFaces,
    /// Time of the first frame, and of the last one, ns.
    start: Option<u64>,
    last_time: u64,
    /// Consecutive frames with a face so far.
    frames: u32,
    /// Whether the start is over.
    has_started: bool,
}

impl PresenceCheck {
    /// Believes a lost face, or anybody at the start, to be absent when it has not been found for `absence` ns.
    pub fn new(absence: u64) -> Self {
        let lost = LostFaces::new(absence);
        Self { absence, lost, start: None, last_time: 0, frames: 0, has_started: false }
    }

    /// Begins anew, as after a seek.
    pub fn clear(&mut self) {
        *self = Self::new(self.absence);
    }

    /// Whether every face in view is found in the frame at `time`, in which faces with these ids and rectangles are.
    pub fn is_complete(&mut self, time: u64, found: &[(u32, PixelRect<f64>)]) -> bool {
        if time < self.last_time {
            self.clear();
        }
        self.last_time = time;
        let start = *self.start.get_or_insert(time);
        self.frames = if found.is_empty() { 0 } else { self.frames.saturating_add(1) };
        self.has_started |= self.frames >= FRAMES_AT_START || time - start > self.absence;
        let lost = self.lost.update(time, found);
        self.has_started && lost.iter().all(|face| face.is_replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 40_000_000;
    const ABSENCE: u64 = 25 * PERIOD;

    fn face(id: u32, x: f64) -> (u32, PixelRect<f64>) {
        (id, PixelRect { x, y: 0.0, w: 50.0, h: 50.0 })
    }

    /// Frames, among those given by the ids found in them, that are complete.
    fn complete(check: &mut PresenceCheck, frames: std::ops::Range<u64>, ids: &[u32]) -> Vec<u64> {
        let found: Vec<_> = ids.iter().map(|&id| face(id, 100.0 * f64::from(id % 10))).collect();
        frames.filter(|frame| check.is_complete(frame * PERIOD, &found)).collect()
    }

    #[test]
    fn start_needs_some_frames_with_a_face_or_a_long_time_without() {
        let mut check = PresenceCheck::new(ABSENCE);
        assert_eq!(complete(&mut check, 0..10, &[1]), [4, 5, 6, 7, 8, 9]);
        check.clear();
        assert_eq!(complete(&mut check, 10..12, &[1]), []);
        assert_eq!(complete(&mut check, 12..14, &[]), []);
        assert_eq!(complete(&mut check, 14..18, &[1]), []);
        assert_eq!(complete(&mut check, 18..20, &[1]), [18, 19]);
        assert_eq!(complete(&mut PresenceCheck::new(ABSENCE), 0..30, &[]), [26, 27, 28, 29]);
    }

    #[test]
    fn lost_face_makes_it_incomplete_until_found_or_believed_absent() {
        let mut check = PresenceCheck::new(ABSENCE);
        complete(&mut check, 0..10, &[1, 2]);
        assert_eq!(complete(&mut check, 10..15, &[2]), []);
        assert_eq!(complete(&mut check, 15..17, &[1, 2]), [15, 16]);
        assert_eq!(complete(&mut check, 17..20, &[]), []);
        assert_eq!(complete(&mut check, 20..22, &[1, 12]), [20, 21], "with another id in the same place");
        assert_eq!(complete(&mut check, 22..50, &[3]), [47, 48, 49]);
    }
}
