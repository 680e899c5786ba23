//! The hot loops, once for each instruction set. The only unsafe code of the crate is here.
//!
//! [`Kernel`] lists the operations. [`Scalar`] is the reference: plain code that every other kernel must
//! agree with to the bit. `lanes` has the loops over windows for any vectors, and `portable`, `avx2`,
//! `avx512` and `neon` the vectors.

#![allow(unsafe_code, reason = "intrinsics, and loads without bounds checks")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod scalar;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use crate::axis::ResizeAxis;
use crate::backend::Backend;
use crate::compiled::vector::{BATCH, VectorCascade};
use crate::layout::Layout;

pub(crate) use scalar::{Scalar, window_norm};

/// Number of neighbouring windows evaluated in one call; each has one bit of a `u64`.
pub(crate) const BLOCK: usize = 64;

/// Sums that must follow the last one that a window of a block needs, as vectors are loaded as a whole.
pub(crate) const MARGIN: usize = 2 * BLOCK;

/// The hot loops in one instruction set.
///
/// # Safety of the implementors
/// A value of an implementing type is the proof that the CPU has the type's instructions: the type has a
/// private field, and its only constructor asks [`Backend::is_available`]. So the methods are safe to call,
/// and may call functions with these `target_feature`s. They check the lengths of the slices that they access
/// without bounds checks.
///
/// Every implementor writes exactly what [`Scalar`] writes, except for padding behind rows.
pub(crate) trait Kernel: Copy + Debug {
    /// Evaluates the block stages for the windows of a block. Returns a bit for each window that passes them,
    /// lowest bit first, with its factor in `block.norms`.
    ///
    /// As OpenCV does, skips the window after one that fails the first stage, and leaves in `block.skip`
    /// whether the window after the block is skipped.
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64;

    /// Keeps the survivors that also pass the batch stages, in their order. `sums` are the integral image
    /// that their corners refer to.
    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors);

    /// Resizes a row of pixels to `target`, in 1/256 of a pixel value.
    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]);

    /// Interpolates between two resized rows; `weight` is the lower one's, 0-256.
    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]);

    /// Extends an integral image, and one of squares, by a row: `rows` are two rows each, of which the second
    /// is written. `pixels` end with [`ROW_PADDING`](crate::layout::ROW_PADDING) zeros. Sums wrap around.
    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32]));
}

/// Neighbouring windows of a row.
pub(crate) struct Block<'a> {
    /// The integral image from the first window's corner on, at least [`MARGIN`] sums more than its last
    /// corner needs.
    pub(crate) sums: &'a [i32],
    /// The integral image of squares, likewise.
    pub(crate) squares: &'a [u32],
    /// Number of windows, 1 to [`BLOCK`].
    pub(crate) windows: usize,
    /// Whether the first window is skipped, because the one before it failed the first stage.
    pub(crate) skip: bool,
    /// The factors that normalise the features of each window; written by the kernel, valid for windows that
    /// pass.
    pub(crate) norms: [f32; BLOCK],
}

/// The windows of a stripe that passed every stage so far, and the memory for evaluating them in batches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survivors {
    /// The windows, in the order in which they were found.
    pub(crate) windows: Vec<Survivor>,
    /// The integral image under each of [`BATCH`] windows, interleaved.
    patch: Vec<PatchLine>,
}

/// A window that passed every stage so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survivor {
    /// Index of its upper left sum in the integral image.
    pub(crate) corner: usize,
    /// The factor that normalises its features.
    pub(crate) norm: f32,
    /// Column of its upper left pixel in the level of the image pyramid.
    pub(crate) column: usize,
    /// Row of its upper left pixel in the level of the image pyramid.
    pub(crate) row: usize,
}

/// The sums at one corner of each window of a batch.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct PatchLine {
    _sums: [i32; BATCH],
}

/// A kernel chosen at run time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnyKernel {
    /// One window at a time.
    Scalar(Scalar),
    /// Vectors in portable code.
    Portable(portable::Portable),
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
}

impl AnyKernel {
    /// The kernel of a backend; `None` where the CPU lacks its instructions.
    pub(crate) fn new(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Scalar => Some(Self::Scalar(Scalar)),
            Backend::Portable => Some(Self::Portable(portable::Portable)),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => avx2::Avx2::new().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => avx512::Avx512::new().map(Self::Avx512),
            #[cfg(target_arch = "aarch64")]
            Backend::Neon => neon::Neon::new().map(Self::Neon),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx2 | Backend::Avx512 => None,
            #[cfg(not(target_arch = "aarch64"))]
            Backend::Neon => None,
        }
    }
}

/// Calls a method of the kernel that `$any` holds.
macro_rules! dispatch {
    ($any:expr, $kernel:ident => $call:expr) => {
        match $any {
            AnyKernel::Scalar($kernel) => $call,
            AnyKernel::Portable($kernel) => $call,
            #[cfg(target_arch = "x86_64")]
            AnyKernel::Avx2($kernel) => $call,
            #[cfg(target_arch = "x86_64")]
            AnyKernel::Avx512($kernel) => $call,
            #[cfg(target_arch = "aarch64")]
            AnyKernel::Neon($kernel) => $call,
        }
    };
}

impl Kernel for AnyKernel {
    #[inline]
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        dispatch!(self, kernel => kernel.evaluate_block(cascade, block))
    }

    #[inline]
    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        dispatch!(self, kernel => kernel.filter_survivors(cascade, sums, survivors))
    }

    #[inline]
    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        dispatch!(self, kernel => kernel.resize_row_horizontally(axis, source, target))
    }

    #[inline]
    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        dispatch!(self, kernel => kernel.interpolate_rows(upper, lower, weight, target))
    }

    #[inline]
    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        dispatch!(self, kernel => kernel.integrate_row(layout, pixels, rows))
    }
}
