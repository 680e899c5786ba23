//! The motion of a face: a Kalman filter (Kalman 1960, doi:10.1115/1.3662552) of constant velocity for its
//! centre and its size.
//!
//! Each axis (centre x, centre y, logarithm of the side) is a filter of its own whose state is a value and
//! its velocity, with white-noise acceleration (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to
//! Tracking and Navigation, 2001, section 6.2; doi:10.1002/0471221279). Times are in seconds, so any frame
//! rate gives the same motion. Noise is in sides of the face, so any image size does too.

use gray_image::PixelRect;

/// The noise of one axis, in sides of the face (centre) or in natural logarithms (size).
struct Noise {
    /// Standard deviation of the detector's error.
    observation: f64,
    /// Standard deviation of the velocity of a new face, 1/s.
    initial_velocity: f64,
    /// Standard deviation of the change of velocity within a second, 1/s.
    acceleration: f64,
}

/// The noise of the centre's axes.
const CENTRE: Noise = Noise { observation: 0.04, initial_velocity: 1.0, acceleration: 0.5 };
/// The noise of the size.
const SIZE: Noise = Noise { observation: 0.06, initial_velocity: 0.2, acceleration: 0.2 };

/// Smaller sides are raised to this one, in pixels, so that the logarithm is finite and every face has some
/// uncertainty.
const MIN_SIDE: f64 = 1e-6;

/// The state of one axis. `unit` is the face's side in its methods, 1 for the size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    /// Position of the centre, pixels, or natural logarithm of the side in pixels.
    value: f64,
    /// Change of the value a second.
    velocity: f64,
    /// Variance of the value, covariance of value and velocity, variance of the velocity.
    covariance: [f64; 3],
}

impl Axis {
    fn new(value: f64, noise: &Noise, unit: f64) -> Self {
        let variance = |deviation: f64| (deviation * unit).powi(2);
        Self {
            value,
            velocity: 0.0,
            covariance: [variance(noise.observation), 0.0, variance(noise.initial_velocity)],
        }
    }

    fn predict(mut self, seconds: f64, noise: &Noise, unit: f64) -> Self {
        let t = seconds;
        let acceleration = (noise.acceleration * unit).powi(2);
        let [value, covariance, velocity] = self.covariance;
        self.value += t * self.velocity;
        self.covariance = [
            value + t * (2.0 * covariance + t * velocity) + acceleration * t.powi(3) / 3.0,
            covariance + t * velocity + acceleration * t.powi(2) / 2.0,
            velocity + acceleration * t,
        ];
        self
    }

    /// The variance of an observation around the predicted value.
    fn innovation_variance(&self, noise: &Noise, unit: f64) -> f64 {
        self.covariance[0] + (noise.observation * unit).powi(2)
    }

    fn correct(&mut self, observed: f64, noise: &Noise, unit: f64) {
        let [value, covariance, velocity] = self.covariance;
        let variance = self.innovation_variance(noise, unit);
        let (gain, velocity_gain) = (value / variance, covariance / variance);
        let innovation = observed - self.value;
        self.value += gain * innovation;
        self.velocity += velocity_gain * innovation;
        self.covariance =
            [(1.0 - gain) * value, (1.0 - gain) * covariance, velocity - velocity_gain * covariance];
    }

    /// The squared distance of an observation in standard deviations.
    fn squared_distance(&self, observed: f64, noise: &Noise, unit: f64) -> f64 {
        (observed - self.value).powi(2) / self.innovation_variance(noise, unit)
    }
}

/// How well an observation fits a motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// Squared Mahalanobis distance; for observations of the face it follows a chi-squared distribution with
    /// three degrees of freedom.
    pub(crate) distance: f64,
    /// Minus twice the log-likelihood, up to a constant: comparable between motions.
    pub(crate) cost: f64,
}

/// The motion of a face at a point in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Motion {
    x: Axis,
    y: Axis,
    /// Natural logarithm of the side in pixels.
    log_side: Axis,
    /// Width over height.
    aspect_ratio: f64,
}

impl Axis {
    /// The same motion in pixels that are `factor` times as many.
    fn scale(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            velocity: self.velocity * factor,
            covariance: self.covariance.map(|covariance| covariance * factor * factor),
        }
    }
}

impl Motion {
    /// The same motion in a frame whose sides have `factor` times as many pixels.
    pub(crate) fn scale(self, factor: f64) -> Self {
        let log_side = Axis { value: self.log_side.value + factor.ln(), ..self.log_side };
        Self { x: self.x.scale(factor), y: self.y.scale(factor), log_side, ..self }
    }
}

fn side(rect: &PixelRect<f64>) -> f64 {
    rect.side().max(MIN_SIDE)
}

impl Motion {
    /// The motion of a face observed for the first time.
    pub(crate) fn new(observed: &PixelRect<f64>) -> Self {
        let ((x, y), side) = (observed.centre(), side(observed));
        Self {
            x: Axis::new(x, &CENTRE, side),
            y: Axis::new(y, &CENTRE, side),
            log_side: Axis::new(side.ln(), &SIZE, 1.0),
            aspect_ratio: aspect_ratio(observed),
        }
    }

    fn side(&self) -> f64 {
        self.log_side.value.exp()
    }

    /// The motion predicted for a later time, without observations in between.
    pub(crate) fn predict(&self, seconds: f64) -> Self {
        let side = self.side();
        Self {
            x: self.x.predict(seconds, &CENTRE, side),
            y: self.y.predict(seconds, &CENTRE, side),
            log_side: self.log_side.predict(seconds, &SIZE, 1.0),
            aspect_ratio: self.aspect_ratio,
        }
    }

    /// Corrects the motion by an observation at its time.
    pub(crate) fn correct(&mut self, observed: &PixelRect<f64>) {
        let (x, y) = observed.centre();
        let unit = self.side();
        self.x.correct(x, &CENTRE, unit);
        self.y.correct(y, &CENTRE, unit);
        self.log_side.correct(side(observed).ln(), &SIZE, 1.0);
        self.aspect_ratio = aspect_ratio(observed);
    }

    /// How well an observation at the motion's time fits.
    pub(crate) fn fit(&self, observed: &PixelRect<f64>) -> Fit {
        let (x, y) = observed.centre();
        let unit = self.side();
        let distance = self.x.squared_distance(x, &CENTRE, unit)
            + self.y.squared_distance(y, &CENTRE, unit)
            + self.log_side.squared_distance(side(observed).ln(), &SIZE, 1.0);
        let variances = self.x.innovation_variance(&CENTRE, unit)
            * self.y.innovation_variance(&CENTRE, unit)
            * self.log_side.innovation_variance(&SIZE, 1.0);
        Fit { distance, cost: distance + variances.ln() }
    }

    /// The larger standard deviation of the centre's axes, in pixels.
    pub(crate) fn deviation(&self) -> f64 {
        self.x.covariance[0].max(self.y.covariance[0]).sqrt()
    }

    /// The place of the face at the motion's time, in pixels.
    pub(crate) fn rect(&self) -> PixelRect<f64> {
        let side = self.side();
        let (w, h) = (side * self.aspect_ratio.sqrt(), side / self.aspect_ratio.sqrt());
        PixelRect { x: self.x.value - w / 2.0, y: self.y.value - h / 2.0, w, h }
    }
}

/// Width over height; 1 for an empty or invalid rectangle.
fn aspect_ratio(rect: &PixelRect<f64>) -> f64 {
    let ratio = rect.w / rect.h;
    if ratio.is_normal() && ratio > 0.0 { ratio } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64) -> PixelRect<f64> {
        PixelRect { x, y, w: side, h: side }
    }

    #[test]
    fn a_steady_motion_is_predicted_at_any_frame_rate() {
        for rate in [5.0, 24.0, 60.0] {
            let place =
                |time: f64| square(100.0 + 150.0 * time, 300.0 - 60.0 * time, 80.0 * (0.1 * time).exp());
            let mut motion = Motion::new(&place(0.0));
            for frame in 1..=(2.0 * rate) as u32 {
                motion = motion.predict(1.0 / rate);
                motion.correct(&place(f64::from(frame) / rate));
            }
            let (predicted, truth) = (motion.predict(0.5).rect(), place(2.5));
            assert!(predicted.intersection_over_union(&truth) > 0.9, "{rate}: {predicted:?} for {truth:?}");
        }
    }

    #[test]
    fn uncertainty_grows_with_time_and_shrinks_with_observations() {
        let mut motion = Motion::new(&square(0.0, 0.0, 50.0));
        let variance = |motion: &Motion| motion.x.innovation_variance(&CENTRE, 50.0);
        let later = motion.predict(0.5);
        assert!(variance(&later) > 2.0 * variance(&motion));
        let far = square(30.0, 0.0, 50.0);
        assert!(later.fit(&far).distance < motion.fit(&far).distance);
        for _ in 0..20 {
            motion = motion.predict(0.04);
            motion.correct(&square(0.0, 0.0, 50.0));
        }
        assert!(variance(&motion.predict(0.5)) < variance(&later));
    }

    #[test]
    fn the_image_size_does_not_matter() {
        let distance = |unit: f64| {
            let mut motion = Motion::new(&square(unit, 2.0 * unit, unit)).predict(0.04);
            motion.correct(&square(1.1 * unit, 2.0 * unit, unit));
            motion.predict(0.2).fit(&square(1.5 * unit, 2.0 * unit, 1.1 * unit)).distance
        };
        assert!((distance(1.0) - distance(400.0)).abs() < 1e-6);
    }

    #[test]
    fn empty_and_invalid_rectangles_are_harmless() {
        for side in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut motion = Motion::new(&square(0.0, 0.0, side)).predict(1.0);
            motion.correct(&square(1.0, 1.0, side));
            let _ = (motion.fit(&square(0.0, 0.0, 10.0)), motion.rect());
        }
        let rect = Motion::new(&PixelRect { x: 0.0, y: 0.0, w: 20.0, h: 10.0 }).rect();
        assert!((rect.w - 20.0).abs() < 1e-9 && (rect.h - 10.0).abs() < 1e-9);
    }
}
