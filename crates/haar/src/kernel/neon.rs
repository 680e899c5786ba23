//! 4 lanes of NEON, which every 64-bit ARM processor has.

use std::arch::aarch64::*;

use super::lanes::{self, Lanes, entries};
use super::{BATCH, Block, Survivors};
use crate::dense::Dense;
use crate::integral::Layout;
use crate::program::Program;
use crate::resize::{self, Axis, Eight};

/// Proof of NEON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

entries! {
    proof: Neon,
    features: "neon",
    pair: |lanes| (lanes, lanes)
}

impl Neon {
    pub(super) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    pub(super) fn across(self, axis: &Axis, source: &[u8], target: &mut [u16]) {
        // SAFETY: `self` proves the feature.
        unsafe { across(axis, source, target) }
    }

    pub(super) fn down(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        // SAFETY: `self` proves the feature.
        unsafe { down(upper, lower, weight, target) }
    }
}

/// Portable code that the compiler turns into vectors.
#[target_feature(enable = "neon")]
fn down(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    resize::down(upper, lower, weight, target);
}

/// Eight pixels at a time: the sixteen they lie between looked up among 32, then left * (256 - weight) + right * weight.
#[target_feature(enable = "neon")]
fn across(axis: &Axis, source: &[u8], target: &mut [u16]) {
    let (outs, _) = target.as_chunks_mut::<8>();
    let mut done = 0;
    for (eight, out) in axis.eights().iter().zip(outs) {
        let Some(span) = source[eight.start as usize..].first_chunk::<{ Eight::SPAN }>() else { break };
        // SAFETY: 32 bytes, 16 bytes, and eight numbers of 16 bits.
        let (span, picks, weights) = unsafe {
            (
                uint8x16x2_t(vld1q_u8(span.as_ptr()), vld1q_u8(span[16..].as_ptr())),
                vld1q_u8(eight.picks.as_ptr()),
                vld1q_u16(eight.weights.as_ptr()),
            )
        };
        // Left and right pixel in turn: the lower and the higher byte of a number.
        let both = vreinterpretq_u16_u8(vqtbl2q_u8(span, picks));
        let left = vandq_u16(both, vdupq_n_u16(0xff));
        let right = vshrq_n_u16::<8>(both);
        let sum = vmlaq_u16(vmulq_u16(left, vsubq_u16(vdupq_n_u16(256), weights)), right, weights);
        // SAFETY: eight numbers of 16 bits.
        unsafe { vst1q_u16(out.as_mut_ptr(), sum) };
        done += 8;
    }
    axis.across(source, target, done);
}

/// Bits from lanes that are all ones or zero.
#[inline]
#[target_feature(enable = "neon")]
fn mask(lanes: uint32x4_t) -> u64 {
    // Bit 0 moved to the lane's own place.
    const PLACES: [i32; 4] = [0, 1, 2, 3];
    // SAFETY: four numbers.
    let places = unsafe { vld1q_s32(PLACES.as_ptr()) };
    u64::from(vaddvq_u32(vshlq_u32(vshrq_n_u32::<31>(lanes), places)))
}

// In every block below: `self` proves the feature, loads and stores are inside what the caller promises.
impl Lanes for Neon {
    const LANES: usize = 4;
    type Ints = int32x4_t;
    type Floats = float32x4_t;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    fn zero(self) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    fn add(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_s32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vsubq_s32(a, b) }
    }

    #[inline(always)]
    fn times(self, a: int32x4_t, factor: i32) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vmulq_n_s32(a, factor) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: float32x4_t) {
        // SAFETY: see above.
        unsafe { vst1q_f32(to, floats) }
    }

    #[inline(always)]
    fn vote(
        self,
        votes: float32x4_t,
        value: int32x4_t,
        norm: float32x4_t,
        (threshold, below): (f32, f32),
    ) -> float32x4_t {
        // SAFETY: see above.
        unsafe {
            let value = vmulq_f32(vcvtq_f32_s32(value), norm);
            let is_below = vcltq_f32(value, vdupq_n_f32(threshold));
            let below = vandq_u32(is_below, vdupq_n_u32(below.to_bits()));
            vaddq_f32(votes, vreinterpretq_f32_u32(below))
        }
    }

    #[inline(always)]
    fn choose(
        self,
        value: int32x4_t,
        norm: float32x4_t,
        threshold: f32,
        (below, above): (float32x4_t, float32x4_t),
    ) -> float32x4_t {
        // SAFETY: see above.
        unsafe {
            let value = vmulq_f32(vcvtq_f32_s32(value), norm);
            vbslq_f32(vcltq_f32(value, vdupq_n_f32(threshold)), below, above)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn reach(self, votes: float32x4_t, bound: f32) -> u64 {
        // SAFETY: see above.
        unsafe { mask(vcgeq_f32(votes, vdupq_n_f32(bound))) }
    }

    #[inline(always)]
    fn norms(self, sums: int32x4_t, squares: int32x4_t, area: f64) -> (float32x4_t, u64) {
        // SAFETY: see above.
        unsafe {
            let (low, low_below) = norms(vget_low_s32(sums), vget_low_s32(squares), area);
            let (high, high_below) = norms(vget_high_s32(sums), vget_high_s32(squares), area);
            (vcombine_f32(low, high), mask(vcombine_u32(low_below, high_below)))
        }
    }

    #[inline(always)]
    unsafe fn widen(self, from: *const u8) -> int32x4_t {
        // SAFETY: see above.
        unsafe {
            let bytes = vreinterpret_u8_u32(vdup_n_u32(from.cast::<u32>().read_unaligned()));
            vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: int32x4_t) {
        // SAFETY: see above.
        unsafe { vst1q_s32(to, ints) }
    }

    #[inline(always)]
    fn square(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vmulq_s32(ints, ints) }
    }

    #[inline(always)]
    fn running_sums(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: see above.
        unsafe {
            let ints = vaddq_s32(ints, vextq_s32::<3>(vdupq_n_s32(0), ints));
            vaddq_s32(ints, vextq_s32::<2>(vdupq_n_s32(0), ints))
        }
    }

    #[inline(always)]
    fn last(self, ints: int32x4_t) -> int32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_laneq_s32::<3>(ints) }
    }

    #[inline(always)]
    fn split(self, a: int32x4_t, b: int32x4_t) -> (int32x4_t, int32x4_t) {
        // SAFETY: see above.
        unsafe { (vuzp1q_s32(a, b), vuzp2q_s32(a, b)) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32) {
        // SAFETY: see above.
        unsafe { transpose(from, at, first, to) }
    }
}

/// See [`Lanes::transpose`].
///
/// # Safety
/// As there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn transpose(from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32) {
    let mut rows = [vdupq_n_s32(0); 4];
    for (row, &from) in rows.iter_mut().zip(&from[first..]) {
        // SAFETY: the caller's promise.
        *row = unsafe { vld1q_s32(from.add(at)) };
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
        // SAFETY: the caller's promise.
        unsafe { vst1q_s32(to.add(column * BATCH + first), vreinterpretq_s32_s64(ints)) };
    }
}

/// Two of [`Lanes::norms`]; multiplied and subtracted one after the other, since both at once round differently.
#[inline]
#[target_feature(enable = "neon")]
fn norms(sums: int32x2_t, squares: int32x2_t, area: f64) -> (float32x2_t, uint32x2_t) {
    let area = vdupq_n_f64(area);
    let sums = vcvtq_f64_s64(vmovl_s32(sums));
    let squares = vmulq_f64(area, vcvtq_f64_s64(vmovl_s32(squares)));
    let variance = vsubq_f64(squares, vmulq_f64(sums, sums));
    let norm = vcvt_f32_f64(vdivq_f64(vdupq_n_f64(1.0), vsqrtq_f64(variance)));
    let spread = vmulq_f64(area, vcvt_f64_f32(norm));
    // No number and infinity, from variances of 0 and less, are not below.
    (norm, vmovn_u64(vcltq_f64(spread, vdupq_n_f64(1e-1))))
}
