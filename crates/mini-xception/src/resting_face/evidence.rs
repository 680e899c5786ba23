//! How much each image of a face in a recording says about the face at rest.

use mood_schema::Rect;

/// A gap longer than this between two images is not evidence for what lies between, seconds.
const MAX_STEP: f64 = 1.0;
/// Time over which the speed of a face is measured, seconds: a detector's box trembles from frame to frame.
const SPEED_TIME: f64 = 0.2;
/// Quality at which an image counts for nothing, and for everything.
const QUALITY_RAMP: [f64; 2] = [0.3, 0.7];
/// Speed of the face at which an image counts for everything, and for nothing, sides of the face's box a second: a nod is
/// about 0.5, walking past the camera 2.
const SPEED_RAMP: [f64; 2] = [0.5, 2.0];

/// How much an image says about the resting face, 0-1, by its quality ([`crate::quality`]: size, sharpness, light, tilt)
/// and the face's speed, in sides of its box a second.
pub fn evidence_weight(quality: f64, speed: f64) -> f64 {
    let ramp = |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low)).clamp(0.0, 1.0);
    let weight = ramp(quality, QUALITY_RAMP) * (1.0 - ramp(speed, SPEED_RAMP));
    if weight.is_nan() { 0.0 } else { weight }
}

/// Follows one face through a recording and gives the weight of each of its images, seconds.
#[derive(Debug, Default)]
pub(super) struct EvidenceMeter {
    /// Time of the last image, ns.
    last: Option<u64>,
    /// Time, ns, and centre from which the speed is measured.
    anchor: Option<(u64, [f64; 2])>,
    /// Speed of the face, sides of its box a second.
    speed: f64,
}

impl EvidenceMeter {
    /// The evidence in the image at `now` (ns) of a face in the box `bbox`, seconds. The first image has none, nor has one
    /// after a gap of more than a second.
    pub fn step(&mut self, now: u64, bbox: &Rect, quality: f64) -> f64 {
        let centre = [bbox.x + bbox.w / 2.0, bbox.y + bbox.h / 2.0];
        let seconds_since = |then: u64| now.checked_sub(then).map(|time| time as f64 / 1e9);
        let step =
            self.last.replace(now).and_then(seconds_since).filter(|&step| step > 0.0 && step <= MAX_STEP);
        let Some(step) = step else {
            self.anchor = Some((now, centre));
            self.speed = 0.0;
            return 0.0;
        };
        if let Some((then, start)) = self.anchor
            && let Some(time) = seconds_since(then).filter(|&time| time >= SPEED_TIME)
        {
            let (dx, dy) = ((centre[0] - start[0]) / bbox.w, (centre[1] - start[1]) / bbox.h);
            self.speed = dx.hypot(dy) / time;
            self.anchor = Some((now, centre));
        }
        step * evidence_weight(quality, self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const BOX: Rect = Rect { x: 0.4, y: 0.3, w: 0.1, h: 0.2 };

    /// The evidence of ten images, `step` ns apart.
    fn evidence(step: u64, face: impl Fn(f64) -> (Rect, f64)) -> f64 {
        let mut meter = EvidenceMeter::default();
        (0..10)
            .map(|frame| {
                let (bbox, quality) = face(frame as f64);
                meter.step(frame * step, &bbox, quality)
            })
            .sum()
    }

    #[test]
    fn time_of_good_still_images_counts() {
        assert!((evidence(SECOND / 5, |_| (BOX, 1.0)) - 1.8).abs() < 1e-9);
        // A trembling box is no motion.
        let trembling = |frame: f64| (Rect { x: 0.4 + 0.002 * (frame % 2.0), ..BOX }, 1.0);
        assert!((evidence(SECOND / 25, trembling) - 0.36).abs() < 1e-9);
    }

    #[test]
    fn poor_or_moving_images_single_images_and_gaps_count_for_nothing() {
        assert_eq!(evidence(0, |_| (BOX, 1.0)), 0.0);
        assert_eq!(evidence(2 * SECOND, |_| (BOX, 1.0)), 0.0);
        assert_eq!(evidence(SECOND / 5, |_| (BOX, 0.3)), 0.0);
        assert_eq!(evidence(SECOND / 5, |_| (BOX, f64::NAN)), 0.0);
        assert_eq!(evidence(SECOND / 5, |frame| (Rect { x: 0.08 * frame, ..BOX }, 1.0)), 0.0);
        assert_eq!(evidence(SECOND / 5, |_| (Rect { w: 0.0, ..BOX }, 1.0)), 0.0);
    }
}
