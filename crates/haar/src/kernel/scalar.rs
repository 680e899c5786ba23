//! The reference kernel: one window and one pixel at a time, in OpenCV's order of operations.

use super::{Block, Kernel, Survivors};
use crate::axis::ResizeAxis;
use crate::compiled::scalar::{CompiledTree, FeatureRects, ScalarCascade, Stage, Stages, Stump};
use crate::compiled::vector::VectorCascade;
use crate::layout::{Layout, ROW_PADDING};

/// Plain code that runs on any CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar;

impl Kernel for Scalar {
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        let stages = cascade.block_stages.len();
        match &cascade.exact.stages {
            Stages::Stumps(all) => evaluate_windows(&cascade.exact, block, &all[..stages], Stump::vote),
            Stages::Trees(all) => evaluate_windows(&cascade.exact, block, &all[..stages], CompiledTree::vote),
        }
    }

    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        let first = cascade.block_stages.len();
        survivors.windows.retain(|survivor| {
            let window = &sums[survivor.corner..];
            match &cascade.exact.stages {
                Stages::Stumps(all) => {
                    all[first..].iter().all(|stage| stage.passes(Stump::vote, window, survivor.norm))
                }
                Stages::Trees(all) => {
                    all[first..].iter().all(|stage| stage.passes(CompiledTree::vote, window, survivor.norm))
                }
            }
        });
    }

    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        resize_row_from(axis, source, target, 0);
    }

    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        interpolate_rows(upper, lower, weight, target);
    }

    fn integrate_row(self, layout: Layout, pixels: &[u8], (sums, squares): (&mut [i32], &mut [u32])) {
        let pixels = &pixels[..pixels.len() - ROW_PADDING];
        let (above, below) = sums.split_at_mut(layout.stride);
        integrate(layout, pixels, above, below, |pixel| pixel as i32);
        let (above, below) = squares.split_at_mut(layout.stride);
        integrate(layout, pixels, above, below, |pixel| pixel * pixel);
    }
}

/// Evaluates `stages`, the first ones of the cascade, for the windows of a block.
#[inline(always)]
fn evaluate_windows<T>(
    cascade: &ScalarCascade,
    block: &mut Block,
    stages: &[Stage<T>],
    vote: impl Fn(&T, &[i32], f32) -> f32 + Copy,
) -> u64 {
    let Some((first, later)) = stages.split_first() else { return 0 };
    let mut passed = 0;
    for index in 0..block.windows {
        if std::mem::take(&mut block.skip) {
            continue;
        }
        let window = &block.sums[index..];
        let Some(norm) = window_norm(cascade, window, &block.squares[index..]) else { continue };
        if !first.passes(vote, window, norm) {
            block.skip = true;
        } else if later.iter().all(|stage| stage.passes(vote, window, norm)) {
            block.norms[index] = norm;
            passed |= 1 << index;
        }
    }
    passed
}

/// The factor that normalises a window's features, one over area times standard deviation. `None` for a
/// window so flat that the division would amplify noise.
#[inline(always)]
pub(crate) fn window_norm(cascade: &ScalarCascade, sums: &[i32], squares: &[u32]) -> Option<f32> {
    let [a, b, c, d] = cascade.inner.map(|corner| squares[corner as usize]);
    let squares = a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d);
    let sum = f64::from(rect_sum(sums, &cascade.inner));
    let variance = cascade.inner_area * f64::from(squares) - sum * sum;
    if variance <= 0.0 {
        return None;
    }
    let norm = (1.0 / variance.sqrt()) as f32;
    (cascade.inner_area * f64::from(norm) < 1e-1).then_some(norm)
}

/// Whether a window passes the stage of this index.
pub(super) fn passes_stage(cascade: &ScalarCascade, stage: usize, window: &[i32], norm: f32) -> bool {
    match &cascade.stages {
        Stages::Stumps(stages) => stages[stage].passes(Stump::vote, window, norm),
        Stages::Trees(stages) => stages[stage].passes(CompiledTree::vote, window, norm),
    }
}

impl<T> Stage<T> {
    /// Whether the votes reach the threshold. `window` are the sums from the window's corner on.
    #[inline(always)]
    pub(crate) fn passes(&self, vote: impl Fn(&T, &[i32], f32) -> f32, window: &[i32], norm: f32) -> bool {
        let add = |sum: f64, classifier| sum + f64::from(vote(classifier, window, norm));
        self.classifiers.iter().fold(0.0, add) >= self.threshold
    }
}

impl Stump {
    /// The vote for a window.
    #[inline(always)]
    pub(crate) fn vote(&self, window: &[i32], norm: f32) -> f32 {
        let [below, above] = self.leaves;
        if self.rects.value(window) * norm < self.threshold { below } else { above }
    }
}

impl CompiledTree {
    /// The vote for a window.
    #[inline(always)]
    pub(crate) fn vote(&self, window: &[i32], norm: f32) -> f32 {
        let mut index = 0;
        loop {
            let node = &self.nodes[index];
            let [below, above] = node.branches;
            let branch = if node.rects.value(window) * norm < node.threshold { below } else { above };
            if branch <= 0 {
                return self.leaves[branch.unsigned_abs() as usize];
            }
            index = branch as usize;
        }
    }
}

impl FeatureRects {
    /// The weighted sum of the rectangles, with the additions in OpenCV's order.
    #[inline(always)]
    fn value(&self, window: &[i32]) -> f32 {
        let [first, second, third] = &self.corners;
        let value = self.weights[0] * rect_sum(window, first) as f32
            + self.weights[1] * rect_sum(window, second) as f32;
        if self.weights[2] == 0.0 { value } else { value + self.weights[2] * rect_sum(window, third) as f32 }
    }
}

#[inline(always)]
fn rect_sum(window: &[i32], corners: &[u32; 4]) -> i32 {
    let [a, b, c, d] = corners.map(|corner| window[corner as usize]);
    a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d)
}

/// [`Kernel::resize_row_horizontally`] from output pixel `first` on.
pub(super) fn resize_row_from(axis: &ResizeAxis, source: &[u8], target: &mut [u16], first: usize) {
    for (out, (tap, weight)) in target[first..].iter_mut().zip(axis.taps().skip(first)) {
        if let [left, right] = source[tap..tap + 2] {
            *out = u16::from(left) * (256 - weight) + u16::from(right) * weight;
        }
    }
}

/// See [`Kernel::interpolate_rows`].
#[inline(always)]
pub(super) fn interpolate_rows(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    for ((out, &upper), &lower) in target.iter_mut().zip(upper).zip(lower) {
        *out = ((u32::from(upper) * (256 - weight) + u32::from(lower) * weight + (1 << 15)) >> 16) as u8;
    }
}

/// An integer whose sums wrap around.
trait WrappingSum: Copy + Default {
    fn wrapping_sum(self, other: Self) -> Self;
}

impl WrappingSum for i32 {
    fn wrapping_sum(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl WrappingSum for u32 {
    fn wrapping_sum(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// Writes the row of an integral image below `above`.
fn integrate<T: WrappingSum>(
    layout: Layout,
    pixels: &[u8],
    above: &[T],
    below: &mut [T],
    value: impl Fn(u32) -> T,
) {
    let mut row_sum = T::default();
    let mut next = |pixel: u8, above: T| {
        row_sum = row_sum.wrapping_sum(value(u32::from(pixel)));
        above.wrapping_sum(row_sum)
    };
    below[0] = T::default();
    if layout.step == 1 {
        for ((out, &above), &pixel) in below[1..].iter_mut().zip(&above[1..]).zip(pixels) {
            *out = next(pixel, above);
        }
    } else {
        let half = layout.stride / 2;
        let (even, odd) = below.split_at_mut(half);
        let (even_above, odd_above) = above.split_at(half);
        for (index, pair) in pixels.chunks(2).enumerate() {
            odd[index] = next(pair[0], odd_above[index]);
            if let Some(&pixel) = pair.get(1) {
                even[index + 1] = next(pixel, even_above[index + 1]);
            }
        }
    }
}
