//! The kernel for 64-bit ARM with NEON: 4 lanes.

use std::arch::aarch64::*;

use super::lanes::{self, Lanes, entry_points};
use super::scalar;
use super::{BATCH, Block, Kernel, Survivors};
use crate::axis::{ResizeAxis, TapGroup};
use crate::backend::Backend;
use crate::compiled::vector::VectorCascade;
use crate::layout::Layout;

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// `None` where the CPU lacks NEON.
    pub(super) fn new() -> Option<Self> {
        Backend::Neon.is_available().then_some(Self(()))
    }
}

entry_points! {
    token: Neon,
    features: "neon",
    lanes: |kernel| (kernel, kernel)
}

impl Kernel for Neon {
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        // SAFETY: `self` proves NEON.
        unsafe { evaluate_block(self, cascade, block) }
    }

    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        // SAFETY: `self` proves NEON.
        unsafe { filter_survivors(self, cascade, sums, survivors) }
    }

    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        // SAFETY: `self` proves NEON.
        unsafe { resize_row_horizontally(axis, source, target) }
    }

    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        // SAFETY: `self` proves NEON.
        unsafe { interpolate_rows(upper, lower, weight, target) }
    }

    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        // SAFETY: `self` proves NEON.
        unsafe { integrate_row(self, layout, pixels, rows) }
    }
}

/// The scalar code, which the compiler turns into vectors of these features.
#[target_feature(enable = "neon")]
fn interpolate_rows(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    scalar::interpolate_rows(upper, lower, weight, target);
}

/// Eight output pixels at a time: their sixteen taps are looked up in the span, then left * (256 - weight) +
/// right * wgroup.
#[target_feature(enable = "neon")]
fn resize_row_horizontally(axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
    let (outs, _) = target.as_chunks_mut::<8>();
    let mut done = 0;
    for (group, out) in axis.groups().iter().zip(outs) {
        let Some(span) = source[group.start as usize..].first_chunk::<{ TapGroup::SPAN }>() else { break };
        // SAFETY: the pointers are to twice 16 bytes of the span, to 16 bytes, and to eight integers of 16
        // bits.
        let (span, taps, weights) = unsafe {
            (
                uint8x16x2_t(vld1q_u8(span.as_ptr()), vld1q_u8(span[16..].as_ptr())),
                vld1q_u8(group.taps.as_ptr()),
                vld1q_u16(group.weights.as_ptr()),
            )
        };
        // Left and right tap alternate: the low and the high byte of each integer.
        let both = vreinterpretq_u16_u8(vqtbl2q_u8(span, taps));
        let left = vandq_u16(both, vdupq_n_u16(0xff));
        let right = vshrq_n_u16::<8>(both);
        let sum = vmlaq_u16(vmulq_u16(left, vsubq_u16(vdupq_n_u16(256), weights)), right, weights);
        // SAFETY: `out` holds eight integers of 16 bits.
        unsafe { vst1q_u16(out.as_mut_ptr(), sum) };
        done += 8;
    }
    scalar::resize_row_from(axis, source, target, done);
}

/// A bit for each lane, from lanes that are all ones or all zeros.
#[inline]
#[target_feature(enable = "neon")]
fn mask(lanes: uint32x4_t) -> u64 {
    // By how much each lane's bit is shifted.
    const SHIFTS: [i32; 4] = [0, 1, 2, 3];
    // SAFETY: the array holds four integers.
    let shifts = unsafe { vld1q_s32(SHIFTS.as_ptr()) };
    u64::from(vaddvq_u32(vshlq_u32(vshrq_n_u32::<31>(lanes), shifts)))
}

// SAFETY: a value exists only where the CPU has the instructions, and every load and store touches `LANES`
// elements.
unsafe impl Lanes for Neon {
    const LANES: usize = 4;
    type Ints = int32x4_t;
    type Floats = float32x4_t;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> int32x4_t {
        // SAFETY: `self` proves NEON; the caller guarantees `LANES` integers.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    fn zero(self) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    fn add(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vaddq_s32(a, b) }
    }

    #[inline(always)]
    fn subtract(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vsubq_s32(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: int32x4_t, factor: i32) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vmulq_n_s32(a, factor) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> float32x4_t {
        // SAFETY: `self` proves NEON; the caller guarantees `LANES` floats.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: float32x4_t) {
        // SAFETY: `self` proves NEON; the caller guarantees room for `LANES` floats.
        unsafe { vst1q_f32(to, floats) }
    }

    #[inline(always)]
    fn add_votes(
        self,
        votes: float32x4_t,
        value: int32x4_t,
        norm: float32x4_t,
        (threshold, vote_below): (f32, f32),
    ) -> float32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe {
            let value = vmulq_f32(vcvtq_f32_s32(value), norm);
            let is_below = vcltq_f32(value, vdupq_n_f32(threshold));
            let below = vandq_u32(is_below, vdupq_n_u32(vote_below.to_bits()));
            vaddq_f32(votes, vreinterpretq_f32_u32(below))
        }
    }

    #[inline(always)]
    fn select_branch(
        self,
        value: int32x4_t,
        norm: float32x4_t,
        threshold: f32,
        (below, above): (float32x4_t, float32x4_t),
    ) -> float32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe {
            let value = vmulq_f32(vcvtq_f32_s32(value), norm);
            vbslq_f32(vcltq_f32(value, vdupq_n_f32(threshold)), below, above)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn at_least(self, votes: float32x4_t, bound: f32) -> u64 {
        // SAFETY: `self` proves NEON.
        unsafe { mask(vcgeq_f32(votes, vdupq_n_f32(bound))) }
    }

    #[inline(always)]
    fn window_norms(self, sums: int32x4_t, squares: int32x4_t, area: f64) -> (float32x4_t, u64) {
        // SAFETY: `self` proves NEON.
        unsafe {
            let (low, low_below) = partial_norms(vget_low_s32(sums), vget_low_s32(squares), area);
            let (high, high_below) = partial_norms(vget_high_s32(sums), vget_high_s32(squares), area);
            (vcombine_f32(low, high), mask(vcombine_u32(low_below, high_below)))
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> int32x4_t {
        // SAFETY: `self` proves NEON; the caller guarantees `LANES` bytes.
        unsafe {
            let bytes = vreinterpret_u8_u32(vdup_n_u32(from.cast::<u32>().read_unaligned()));
            vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: int32x4_t) {
        // SAFETY: `self` proves NEON; the caller guarantees room for `LANES` integers.
        unsafe { vst1q_s32(to, ints) }
    }

    #[inline(always)]
    fn square(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vmulq_s32(ints, ints) }
    }

    #[inline(always)]
    fn prefix_sums(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe {
            let ints = vaddq_s32(ints, vextq_s32::<3>(vdupq_n_s32(0), ints));
            vaddq_s32(ints, vextq_s32::<2>(vdupq_n_s32(0), ints))
        }
    }

    #[inline(always)]
    fn broadcast_last(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: `self` proves NEON.
        unsafe { vdupq_laneq_s32::<3>(ints) }
    }

    #[inline(always)]
    fn deinterleave(self, a: int32x4_t, b: int32x4_t) -> (int32x4_t, int32x4_t) {
        // SAFETY: `self` proves NEON.
        unsafe { (vuzp1q_s32(a, b), vuzp2q_s32(a, b)) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
        // SAFETY: `self` proves NEON; the caller guarantees the rows and the room for the columns.
        unsafe { transpose(from, start, first, to) }
    }
}

/// See [`Lanes::transpose`].
///
/// # Safety
/// As for [`Lanes::transpose`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn transpose(from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
    let mut rows = [vdupq_n_s32(0); 4];
    for (row, &from) in rows.iter_mut().zip(&from[first..]) {
        // SAFETY: the caller guarantees the rows.
        *row = unsafe { vld1q_s32(from.add(start)) };
    }
    let [a, b, c, d] = rows;
    let pair = |a, b| (vreinterpretq_s64_s32(vtrn1q_s32(a, b)), vreinterpretq_s64_s32(vtrn2q_s32(a, b)));
    let ((even, odd), (even_below, odd_below)) = (pair(a, b), pair(c, d));
    let columns = [
        vzip1q_s64(even, even_below),
        vzip1q_s64(odd, odd_below),
        vzip2q_s64(even, even_below),
        vzip2q_s64(odd, odd_below),
    ];
    for (column, ints) in columns.into_iter().enumerate() {
        // SAFETY: the caller guarantees the room for the columns.
        unsafe { vst1q_s32(to.add(column * BATCH + first), vreinterpretq_s32_s64(ints)) };
    }
}

/// Two lanes of [`Lanes::window_norms`]. Multiplication and subtraction are separate: fused they would round
/// differently.
#[inline]
#[target_feature(enable = "neon")]
fn partial_norms(sums: int32x2_t, squares: int32x2_t, area: f64) -> (float32x2_t, uint32x2_t) {
    let area = vdupq_n_f64(area);
    let sums = vcvtq_f64_s64(vmovl_s32(sums));
    let squares = vmulq_f64(area, vcvtq_f64_s64(vmovl_s32(squares)));
    let variance = vsubq_f64(squares, vmulq_f64(sums, sums));
    let norm = vcvt_f32_f64(vdivq_f64(vdupq_n_f64(1.0), vsqrtq_f64(variance)));
    let scaled_norm = vmulq_f64(area, vcvt_f64_f32(norm));
    // A variance of 0 gives infinity, a negative one NaN: neither is below the limit.
    (norm, vmovn_u64(vcltq_f64(scaled_norm, vdupq_n_f64(1e-1))))
}
