//! Where faces may be that a detector has lost, for those who must not show them.

use gray_image::PixelRect;

use crate::motion::Motion;

/// How far the motion is extrapolated, ns: the velocity of a face that turns away tells little of where it is a second later.
const MAX_EXTRAPOLATION: u64 = 500_000_000;
/// How many standard deviations of its place a lost face may be away from the expected one.
const DEVIATIONS: f64 = 2.0;
/// The largest distance of a lost face from the expected place, in sides of the face.
const MAX_DISTANCE: f64 = 1.0;
/// The least intersection over union with the last place of a lost face at which a new one is taken for it.
const MIN_OVERLAP: f64 = 0.2;

/// A face that was found before and is not found now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LostFace {
    /// The id it had.
    pub id: u32,
    /// The rectangle in which it probably is, in pixels; it grows with time.
    pub rect: PixelRect<f64>,
    /// Whether a face with a new id has been found where it was, probably the same one.
    pub is_replaced: bool,
}

/// A face found before.
#[derive(Clone, Copy, Debug)]
struct KnownFace {
    id: u32,
    /// When it was found first and last, ns.
    first_time: u64,
    last_time: u64,
    /// Where it was found last, in pixels.
    last_rect: PixelRect<f64>,
    /// Its motion then.
    motion: Motion,
    is_replaced: bool,
}

/// Remembers for a limited time the faces that were found, and expects those that are lost to be near their last place.
///
/// It has no clock: every frame comes with its time. A step backwards forgets all faces.
#[derive(Clone, Debug)]
pub struct LostFaces {
    /// How long a lost face is remembered, ns.
    hold: u64,
    faces: Vec<KnownFace>,
    last_time: u64,
}

impl LostFaces {
    /// Remembers lost faces for `hold` ns after they were found last.
    pub fn new(hold: u64) -> Self {
        Self { hold, faces: Vec::new(), last_time: 0 }
    }

    /// Whether a face is remembered, lost or not.
    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// Number of faces that are remembered, lost or not, without those that probably have another id now.
    pub fn count(&self) -> usize {
        self.faces.iter().filter(|face| !face.is_replaced).count()
    }

    /// Forgets all faces, as after a seek.
    pub fn clear(&mut self) {
        self.faces.clear();
    }

    /// Updates the memory with the faces found in a frame, by id and rectangle in pixels, and returns those that are lost.
    pub fn update(&mut self, time: u64, found: &[(u32, PixelRect<f64>)]) -> Vec<LostFace> {
        if time < self.last_time {
            self.clear();
        }
        self.last_time = time;
        self.faces.retain(|face| time - face.last_time <= self.hold);
        for (id, rect) in found {
            match self.faces.iter_mut().find(|face| face.id == *id) {
                Some(face) => {
                    face.motion = face.motion.predict(seconds(time - face.last_time));
                    face.motion.correct(rect);
                    (face.last_time, face.last_rect, face.is_replaced) = (time, *rect, false);
                }
                None => self.faces.push(KnownFace {
                    id: *id,
                    first_time: time,
                    last_time: time,
                    last_rect: *rect,
                    motion: Motion::new(rect),
                    is_replaced: false,
                }),
            }
        }
        let found_faces: Vec<KnownFace> =
            self.faces.iter().copied().filter(|face| face.last_time == time).collect();
        let mut lost = Vec::new();
        for face in self.faces.iter_mut().filter(|face| face.last_time != time) {
            face.is_replaced |= found_faces.iter().any(|other| {
                other.first_time > face.last_time
                    && other.last_rect.intersection_over_union(&face.last_rect) >= MIN_OVERLAP
            });
            lost.push(LostFace {
                id: face.id,
                rect: face.expected_rect(time),
                is_replaced: face.is_replaced,
            });
        }
        lost
    }
}

impl KnownFace {
    /// The rectangle in which it probably is at `time`: around the last and the expected place, grown by the uncertainty.
    fn expected_rect(&self, time: u64) -> PixelRect<f64> {
        let since = time - self.last_time;
        let expected = self.motion.predict(seconds(since.min(MAX_EXTRAPOLATION))).rect();
        let deviation = self.motion.predict(seconds(since)).deviation();
        let last = self.last_rect;
        let margin = (DEVIATIONS * deviation).min(MAX_DISTANCE * last.side());
        let (x, y) = (last.x.min(expected.x), last.y.min(expected.y));
        let right = (last.x + last.w).max(expected.x + expected.w);
        let bottom = (last.y + last.h).max(expected.y + expected.h);
        PixelRect { x: x - margin, y: y - margin, w: right - x + 2.0 * margin, h: bottom - y + 2.0 * margin }
    }
}

fn seconds(time: u64) -> f64 {
    time as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 40_000_000;

    fn square(x: f64, y: f64, side: f64) -> PixelRect<f64> {
        PixelRect { x, y, w: side, h: side }
    }

    fn contains(outer: &PixelRect<f64>, inner: &PixelRect<f64>) -> bool {
        outer.x <= inner.x
            && outer.y <= inner.y
            && outer.x + outer.w >= inner.x + inner.w
            && outer.y + outer.h >= inner.y + inner.h
    }

    #[test]
    fn lost_face_is_expected_along_its_motion_for_the_time_given() {
        let mut lost = LostFaces::new(1_000_000_000);
        let place = |frame: u64| square(3.0 * frame as f64, 50.0, 60.0);
        for frame in 0..20 {
            assert_eq!(lost.update(frame * PERIOD, &[(7, place(frame))]), []);
        }
        let mut last_width = 0.0;
        for frame in 20..32 {
            let [face] = lost.update(frame * PERIOD, &[])[..] else { panic!("not expected") };
            assert!(
                contains(&face.rect, &place(frame)) && contains(&face.rect, &place(19)),
                "{frame} {face:?}"
            );
            assert!(face.id == 7 && face.rect.w > last_width && face.rect.w < 260.0, "{face:?}");
            last_width = face.rect.w;
        }
        assert_eq!(lost.update(44 * PERIOD, &[]).len(), 1);
        assert_eq!(lost.update(45 * PERIOD, &[]), []);
        assert!(lost.is_empty());
    }

    #[test]
    fn face_that_returns_is_not_lost() {
        let mut lost = LostFaces::new(1_000_000_000);
        let (left, right) = ((1, square(0.0, 0.0, 50.0)), (2, square(200.0, 0.0, 50.0)));
        lost.update(0, &[left, right]);
        assert_eq!(lost.update(PERIOD, &[left]).len(), 1);
        assert_eq!(lost.update(2 * PERIOD, &[left, right]), []);
        assert_eq!(lost.update(PERIOD, &[]), [], "time ran backwards");
    }

    #[test]
    fn face_that_returns_with_another_id_replaces_the_lost_one() {
        let mut lost = LostFaces::new(1_000_000_000);
        let face = |id: u32, x: f64| (id, square(x, 0.0, 50.0));
        lost.update(0, &[face(1, 0.0), face(2, 40.0)]);
        let replaced: Vec<bool> =
            lost.update(PERIOD, &[face(2, 20.0)]).iter().map(|face| face.is_replaced).collect();
        assert_eq!(replaced, [false], "a face that was there before replaces none");
        let replaced = lost.update(2 * PERIOD, &[face(2, 40.0), face(3, 5.0)]);
        assert!(matches!(replaced[..], [LostFace { id: 1, is_replaced: true, .. }]), "{replaced:?}");
    }

    #[test]
    fn invalid_rectangles_are_harmless() {
        let mut lost = LostFaces::new(u64::MAX);
        for side in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            lost.update(5, &[(1, square(0.0, side, side))]);
            lost.update(u64::MAX, &[]);
        }
    }
}
