//! A correlation filter that finds a patch again: MOSSE (Bolme et al. 2010, doi:10.1109/CVPR.2010.5539960).
//!
//! The filter is the one whose correlation with the patches that it was trained on comes closest, in the least
//! squares, to a narrow peak in their centre. It is computed in the frequency domain. The ratio of the peak of a
//! correlation to the spread of its surroundings says how much a patch resembles what was trained.

use std::f32::consts::PI;
use std::fmt;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Side of the patches, pixels.
pub(crate) const SIDE: usize = 64;
/// Number of values of a patch.
const AREA: usize = SIDE * SIDE;
/// Standard deviation of the wanted peak, pixels of the patch.
const PEAK_DEVIATION: f32 = 2.0;
/// Added to the energy of every frequency, as a share of the mean energy, so that frequencies that the patches
/// do not have are not amplified.
const REGULARISATION: f32 = 0.01;
/// Half the side of the square around the peak that does not belong to its surroundings, pixels.
const PEAK_RADIUS: i32 = 5;

/// The transforms, the window and the wanted response, which all filters share, with the memory of a
/// computation.
pub(crate) struct Workspace {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex<f32>>,
    transposed: Vec<Complex<f32>>,
    /// The transform of the patch that was loaded last.
    spectrum: Vec<Complex<f32>>,
    response: Vec<Complex<f32>>,
    /// Cosine window along a side.
    window: Vec<f32>,
    /// The transform of the wanted response.
    wanted: Vec<Complex<f32>>,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Workspace").finish_non_exhaustive()
    }
}

impl Default for Workspace {
    fn default() -> Self {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(SIDE), planner.plan_fft_inverse(SIDE));
        let scratch_length = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let zeros = || vec![Complex::default(); AREA];
        let mut workspace = Self {
            forward,
            inverse,
            scratch: vec![Complex::default(); scratch_length],
            transposed: zeros(),
            spectrum: zeros(),
            response: zeros(),
            window: (0..SIDE)
                .map(|i| 0.5 - 0.5 * (2.0 * PI * (i as f32 + 0.5) / SIDE as f32).cos())
                .collect(),
            wanted: zeros(),
        };
        for (index, value) in workspace.spectrum.iter_mut().enumerate() {
            let distance = |i: usize| i as f32 - (SIDE / 2) as f32;
            let squared = distance(index % SIDE).powi(2) + distance(index / SIDE).powi(2);
            *value = Complex::new((-squared / (2.0 * PEAK_DEVIATION * PEAK_DEVIATION)).exp(), 0.0);
        }
        workspace.transform_spectrum();
        workspace.wanted.copy_from_slice(&workspace.spectrum);
        workspace
    }
}

impl Workspace {
    /// Transforms a patch of [`SIDE`] x [`SIDE`] grey values. Light and contrast are taken out of it before.
    pub(crate) fn load(&mut self, patch: &[f32]) {
        for (value, grey) in self.spectrum.iter_mut().zip(patch) {
            *value = Complex::new((grey + 1.0).ln(), 0.0);
        }
        let mean = self.spectrum.iter().map(|value| value.re).sum::<f32>() / AREA as f32;
        let mut energy = 0.0;
        for (index, value) in self.spectrum.iter_mut().enumerate() {
            let weight = self.window[index % SIDE] * self.window[index / SIDE];
            value.re = (value.re - mean) * weight;
            energy += value.re * value.re;
        }
        let gain = 1.0 / energy.sqrt().max(1e-3);
        self.spectrum.iter_mut().for_each(|value| *value *= gain);
        self.transform_spectrum();
    }

    /// The two-dimensional transform of `spectrum` in place. Its axes are exchanged, as in all spectra here.
    fn transform_spectrum(&mut self) {
        self.forward.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        transpose(&self.spectrum, &mut self.transposed);
        self.forward.process_with_scratch(&mut self.transposed, &mut self.scratch);
        std::mem::swap(&mut self.spectrum, &mut self.transposed);
    }

    /// The inverse of [`Self::transform_spectrum`] on `response`, which exchanges the axes again.
    fn transform_response(&mut self) {
        self.inverse.process_with_scratch(&mut self.response, &mut self.scratch);
        transpose(&self.response, &mut self.transposed);
        self.inverse.process_with_scratch(&mut self.transposed, &mut self.scratch);
        std::mem::swap(&mut self.response, &mut self.transposed);
    }
}

fn transpose(from: &[Complex<f32>], to: &mut [Complex<f32>]) {
    for (row, values) in from.chunks_exact(SIDE).enumerate() {
        for (column, &value) in values.iter().enumerate() {
            to[column * SIDE + row] = value;
        }
    }
}

/// Where a correlation has its peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peak {
    /// Displacement from the centre of the patch, pixels of the patch, x and y.
    pub(crate) shift: (f32, f32),
    /// The value there; about 1 for the patch that was trained.
    pub(crate) value: f32,
    /// Peak-to-sidelobe ratio: how many standard deviations the peak is above the mean of its surroundings.
    pub(crate) ratio: f32,
}

/// The appearance of one face, learned from one patch or more.
#[derive(Clone, Debug)]
pub(crate) struct CorrelationFilter {
    numerator: Vec<Complex<f32>>,
    denominator: Vec<f32>,
}

impl CorrelationFilter {
    /// A filter trained on the patch that `workspace` has loaded.
    pub(crate) fn new(workspace: &Workspace) -> Self {
        let mut filter = Self { numerator: vec![Complex::default(); AREA], denominator: vec![0.0; AREA] };
        filter.learn(workspace, 1.0);
        filter
    }

    /// Trains with the patch that `workspace` has loaded. `rate`, 0-1, is its share in the result.
    pub(crate) fn learn(&mut self, workspace: &Workspace, rate: f32) {
        let spectra = workspace.spectrum.iter().zip(&workspace.wanted);
        for ((numerator, denominator), (value, wanted)) in
            self.numerator.iter_mut().zip(&mut self.denominator).zip(spectra)
        {
            *numerator = *numerator * (1.0 - rate) + wanted * value.conj() * rate;
            *denominator = *denominator * (1.0 - rate) + value.norm_sqr() * rate;
        }
    }

    /// Correlates with the patch that `workspace` has loaded. `None` where the patch or the filter is empty or
    /// flat.
    pub(crate) fn correlate(&self, workspace: &mut Workspace) -> Option<Peak> {
        let regularisation = REGULARISATION * self.denominator.iter().sum::<f32>() / AREA as f32;
        let spectra = self.numerator.iter().zip(&self.denominator).zip(&workspace.spectrum);
        for (response, ((numerator, denominator), value)) in workspace.response.iter_mut().zip(spectra) {
            *response = numerator * value / (denominator + regularisation).max(1e-9);
        }
        workspace.transform_response();
        find_peak(&workspace.response)
    }
}

fn find_peak(response: &[Complex<f32>]) -> Option<Peak> {
    let (index, value) =
        response.iter().map(|value| value.re).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (x, y) = ((index % SIDE) as i32, (index / SIDE) as i32);
    let (mut count, mut sum, mut sum_of_squares) = (0, 0.0, 0.0);
    for (index, value) in response.iter().enumerate() {
        let (dx, dy) = ((index % SIDE) as i32 - x, (index / SIDE) as i32 - y);
        if dx.abs() > PEAK_RADIUS || dy.abs() > PEAK_RADIUS {
            count += 1;
            sum += f64::from(value.re);
            sum_of_squares += f64::from(value.re).powi(2);
        }
    }
    let mean = sum / f64::from(count);
    let deviation = (sum_of_squares / f64::from(count) - mean * mean).max(0.0).sqrt();
    let ratio = ((f64::from(value) - mean) / deviation) as f32;
    // The transforms are not normalised.
    let value = value / AREA as f32;
    let centre = (SIDE / 2) as f32;
    let at = |x: i32, y: i32| {
        let index = y.rem_euclid(SIDE as i32) as usize * SIDE + x.rem_euclid(SIDE as i32) as usize;
        response[index].re
    };
    let shift = (
        x as f32 + vertex(at(x - 1, y), at(x, y), at(x + 1, y)) - centre,
        y as f32 + vertex(at(x, y - 1), at(x, y), at(x, y + 1)) - centre,
    );
    (ratio.is_finite() && value > 0.0).then_some(Peak { shift, value, ratio })
}

/// Where the parabola through three equidistant values has its peak, -0.5 to 0.5 from the middle one.
fn vertex(before: f32, middle: f32, after: f32) -> f32 {
    let curvature = before - 2.0 * middle + after;
    if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern of blobs that has no other symmetry, moved by (x, y).
    fn pattern(x: f32, y: f32, seed: f32) -> Vec<f32> {
        let value = |i: usize| {
            let (u, v) = ((i % SIDE) as f32 - x, (i / SIDE) as f32 - y);
            128.0
                + 50.0 * ((u * 0.31 + seed).sin() * (v * 0.23 + 2.0 * seed).cos())
                + 40.0 * (u * 0.11 + v * 0.17 + 3.0 * seed).sin()
        };
        (0..AREA).map(value).collect()
    }

    #[test]
    fn the_peak_is_where_the_patch_moved() {
        let mut workspace = Workspace::default();
        workspace.load(&pattern(0.0, 0.0, 0.3));
        let filter = CorrelationFilter::new(&workspace);
        for (x, y) in [(0.0, 0.0), (5.0, -3.0), (-8.5, 6.25)] {
            workspace.load(&pattern(x, y, 0.3));
            let peak = filter.correlate(&mut workspace).unwrap();
            assert!((peak.shift.0 - x).abs() < 0.7 && (peak.shift.1 - y).abs() < 0.7, "{peak:?} for {x} {y}");
            assert!(peak.ratio > 6.0, "{peak:?}");
        }
    }

    #[test]
    fn light_does_not_matter_and_another_pattern_is_no_match() {
        let mut workspace = Workspace::default();
        workspace.load(&pattern(0.0, 0.0, 0.3));
        let filter = CorrelationFilter::new(&workspace);
        let darker: Vec<f32> = pattern(0.0, 0.0, 0.3).iter().map(|value| value * 0.4).collect();
        workspace.load(&darker);
        let same = filter.correlate(&mut workspace).unwrap();
        workspace.load(&pattern(0.0, 0.0, 1.7));
        let other = filter.correlate(&mut workspace).unwrap();
        assert!(same.ratio > 2.0 * other.ratio && same.value > 2.0 * other.value, "{same:?} {other:?}");
    }

    #[test]
    fn flat_patches_have_no_peak() {
        let mut workspace = Workspace::default();
        workspace.load(&[0.0; AREA]);
        let filter = CorrelationFilter::new(&workspace);
        assert_eq!(filter.correlate(&mut workspace), None);
        workspace.load(&pattern(0.0, 0.0, 0.3));
        assert_eq!(filter.correlate(&mut workspace), None);
    }
}
