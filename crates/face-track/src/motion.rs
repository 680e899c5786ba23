//! Where a face will be: a Kalman filter of constant velocity for its centre and its size.
//!
//! Every axis (centre x, centre y, logarithm of the side) is a filter of its own with the state value and speed, and
//! white-noise acceleration (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation,
//! 2001, section 6.2; DOI 10.1002/0471221279). Times are seconds, so any frame rate gives the same motion. Noise is told
//! in sides of the face, so any picture size does too.

use gray_image::PixelRect;

/// How one axis of a face behaves, in sides of the face (centre) or powers of e (size).
struct Noise {
    /// A detector's error, standard deviation.
    sighting: f64,
    /// The speed of a face seen for the first time, standard deviation, 1/s.
    first_speed: f64,
    /// How much the speed changes in a second, standard deviation, 1/s.
    restless: f64,
}

const CENTRE: Noise = Noise { sighting: 0.04, first_speed: 1.0, restless: 0.5 };
const SIZE: Noise = Noise { sighting: 0.06, first_speed: 0.2, restless: 0.2 };

/// A smaller side is taken for this one, so that every face has some uncertainty.
const LEAST_SIDE: f64 = 1e-6;

/// Value and speed, and how far to trust them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    value: f64,
    speed: f64,
    /// Variance of the value, of both together, of the speed.
    variance: [f64; 3],
}

impl Axis {
    fn new(value: f64, noise: &Noise, unit: f64) -> Self {
        let square = |share: f64| (share * unit).powi(2);
        Self { value, speed: 0.0, variance: [square(noise.sighting), 0.0, square(noise.first_speed)] }
    }

    fn after(mut self, seconds: f64, noise: &Noise, unit: f64) -> Self {
        let t = seconds;
        let change = (noise.restless * unit).powi(2);
        let [value, both, speed] = self.variance;
        self.value += t * self.speed;
        self.variance = [
            value + t * (2.0 * both + t * speed) + change * t.powi(3) / 3.0,
            both + t * speed + change * t.powi(2) / 2.0,
            speed + change * t,
        ];
        self
    }

    /// The variance of what a sighting says.
    fn spread(&self, noise: &Noise, unit: f64) -> f64 {
        self.variance[0] + (noise.sighting * unit).powi(2)
    }

    fn correct(&mut self, seen: f64, noise: &Noise, unit: f64) {
        let [value, both, speed] = self.variance;
        let spread = self.spread(noise, unit);
        let (gain, speed_gain) = (value / spread, both / spread);
        let surprise = seen - self.value;
        self.value += gain * surprise;
        self.speed += speed_gain * surprise;
        self.variance = [(1.0 - gain) * value, (1.0 - gain) * both, speed - speed_gain * both];
    }

    /// How far off a sighting is, squared, in standard deviations.
    fn surprise(&self, seen: f64, noise: &Noise, unit: f64) -> f64 {
        (seen - self.value).powi(2) / self.spread(noise, unit)
    }
}

/// How well a sighting fits a motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// Squared Mahalanobis distance; of a right sighting it follows a chi-squared distribution of three degrees.
    pub(crate) distance: f64,
    /// Minus twice the logarithm of the likelihood, but for a constant: what to compare motions by.
    pub(crate) cost: f64,
}

/// A face's motion up to a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Motion {
    x: Axis,
    y: Axis,
    /// The side's logarithm.
    size: Axis,
    /// Width over height.
    shape: f64,
}

fn side(rect: &PixelRect<f64>) -> f64 {
    rect.side().max(LEAST_SIDE)
}

impl Motion {
    /// Of a face seen for the first time.
    pub(crate) fn new(seen: &PixelRect<f64>) -> Self {
        let ((x, y), side) = (seen.centre(), side(seen));
        Self {
            x: Axis::new(x, &CENTRE, side),
            y: Axis::new(y, &CENTRE, side),
            size: Axis::new(side.ln(), &SIZE, 1.0),
            shape: shape(seen),
        }
    }

    fn side(&self) -> f64 {
        self.size.value.exp()
    }

    /// The motion some time later, if nothing is seen in between.
    pub(crate) fn after(&self, seconds: f64) -> Self {
        let side = self.side();
        Self {
            x: self.x.after(seconds, &CENTRE, side),
            y: self.y.after(seconds, &CENTRE, side),
            size: self.size.after(seconds, &SIZE, 1.0),
            shape: self.shape,
        }
    }

    /// Learns from a sighting at this moment.
    pub(crate) fn correct(&mut self, seen: &PixelRect<f64>) {
        let (x, y) = seen.centre();
        let unit = self.side();
        self.x.correct(x, &CENTRE, unit);
        self.y.correct(y, &CENTRE, unit);
        self.size.correct(side(seen).ln(), &SIZE, 1.0);
        self.shape = shape(seen);
    }

    /// How well a sighting at this moment fits.
    pub(crate) fn fit(&self, seen: &PixelRect<f64>) -> Fit {
        let (x, y) = seen.centre();
        let unit = self.side();
        let distance = self.x.surprise(x, &CENTRE, unit)
            + self.y.surprise(y, &CENTRE, unit)
            + self.size.surprise(side(seen).ln(), &SIZE, 1.0);
        let spreads =
            self.x.spread(&CENTRE, unit) * self.y.spread(&CENTRE, unit) * self.size.spread(&SIZE, 1.0);
        Fit { distance, cost: distance + spreads.ln() }
    }

    /// Where the face is at this moment.
    pub(crate) fn rect(&self) -> PixelRect<f64> {
        let side = self.side();
        let (w, h) = (side * self.shape.sqrt(), side / self.shape.sqrt());
        PixelRect { x: self.x.value - w / 2.0, y: self.y.value - h / 2.0, w, h }
    }
}

fn shape(rect: &PixelRect<f64>) -> f64 {
    let shape = rect.w / rect.h;
    if shape.is_normal() && shape > 0.0 { shape } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64) -> PixelRect<f64> {
        PixelRect { x, y, w: side, h: side }
    }

    #[test]
    fn a_steady_motion_is_foreseen_at_any_frame_rate() {
        for rate in [5.0, 24.0, 60.0] {
            let at = |time: f64| square(100.0 + 150.0 * time, 300.0 - 60.0 * time, 80.0 * (0.1 * time).exp());
            let mut motion = Motion::new(&at(0.0));
            for frame in 1..=(2.0 * rate) as u32 {
                motion = motion.after(1.0 / rate);
                motion.correct(&at(f64::from(frame) / rate));
            }
            let (expected, truth) = (motion.after(0.5).rect(), at(2.5));
            assert!(expected.intersection_over_union(&truth) > 0.9, "{rate}: {expected:?} for {truth:?}");
        }
    }

    #[test]
    fn doubt_grows_with_time_and_shrinks_with_sightings() {
        let mut motion = Motion::new(&square(0.0, 0.0, 50.0));
        let spread = |motion: &Motion| motion.x.spread(&CENTRE, 50.0);
        let later = motion.after(0.5);
        assert!(spread(&later) > 2.0 * spread(&motion));
        let far = square(30.0, 0.0, 50.0);
        assert!(later.fit(&far).distance < motion.fit(&far).distance);
        for _ in 0..20 {
            motion = motion.after(0.04);
            motion.correct(&square(0.0, 0.0, 50.0));
        }
        assert!(spread(&motion.after(0.5)) < spread(&later));
    }

    #[test]
    fn the_unit_does_not_matter() {
        let scaled = |unit: f64| {
            let mut motion = Motion::new(&square(unit, 2.0 * unit, unit)).after(0.04);
            motion.correct(&square(1.1 * unit, 2.0 * unit, unit));
            motion.after(0.2).fit(&square(1.5 * unit, 2.0 * unit, 1.1 * unit)).distance
        };
        assert!((scaled(1.0) - scaled(400.0)).abs() < 1e-6);
    }

    #[test]
    fn empty_and_impossible_boxes_do_no_harm() {
        for side in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut motion = Motion::new(&square(0.0, 0.0, side)).after(1.0);
            motion.correct(&square(1.0, 1.0, side));
            let _ = (motion.fit(&square(0.0, 0.0, 10.0)), motion.rect());
        }
        let shape = Motion::new(&PixelRect { x: 0.0, y: 0.0, w: 20.0, h: 10.0 }).rect();
        assert!((shape.w - 20.0).abs() < 1e-9 && (shape.h - 10.0).abs() < 1e-9);
    }
}
