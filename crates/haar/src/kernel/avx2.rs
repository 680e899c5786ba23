//! The kernel for x86-64 with AVX2: 8 lanes.

use std::arch::x86_64::*;

use super::lanes::{self, Lanes, entry_points};
use super::scalar;
use super::{BATCH, Block, Kernel, Survivors};
use crate::axis::{ResizeAxis, TapGroup};
use crate::backend::Backend;
use crate::compiled::vector::VectorCascade;
use crate::layout::Layout;

/// Proof that the CPU has AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// `None` where the CPU lacks AVX2.
    pub(super) fn new() -> Option<Self> {
        Backend::Avx2.is_available().then_some(Self(()))
    }
}

entry_points! {
    token: Avx2,
    features: "avx2",
    lanes: |kernel| (kernel, kernel)
}

impl Kernel for Avx2 {
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        // SAFETY: `self` proves AVX2.
        unsafe { evaluate_block(self, cascade, block) }
    }

    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        // SAFETY: `self` proves AVX2.
        unsafe { filter_survivors(self, cascade, sums, survivors) }
    }

    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        // SAFETY: `self` proves AVX2.
        unsafe { resize_row_horizontally(axis, source, target) }
    }

    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        // SAFETY: `self` proves AVX2.
        unsafe { interpolate_rows(upper, lower, weight, target) }
    }

    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        // SAFETY: `self` proves AVX2.
        unsafe { integrate_row(self, layout, pixels, rows) }
    }
}

/// The scalar code, which the compiler turns into vectors of these features.
#[target_feature(enable = "avx2")]
fn interpolate_rows(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    scalar::interpolate_rows(upper, lower, weight, target);
}

/// Computes sixteen output pixels at a time: shuffles their taps into place, then adds left * 256 and
/// (right - left) * weight.
#[target_feature(enable = "avx2")]
fn resize_row_horizontally(axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
    let (pairs, _) = axis.groups().as_chunks::<2>();
    let (outs, _) = target.as_chunks_mut::<16>();
    let done = 16 * pairs.len().min(outs.len());
    for ([a, b], out) in pairs.iter().zip(outs) {
        let (a_low, a_high) = source[a.start as usize..][..TapGroup::SPAN].split_at(16);
        let (b_low, b_high) = source[b.start as usize..][..TapGroup::SPAN].split_at(16);
        // SAFETY: each pointer is to 16 bytes, or to eight integers of 16 bits.
        let (low, high, taps, weights) = unsafe {
            (
                _mm256_loadu2_m128i(b_low.as_ptr().cast(), a_low.as_ptr().cast()),
                _mm256_loadu2_m128i(b_high.as_ptr().cast(), a_high.as_ptr().cast()),
                _mm256_loadu2_m128i(b.taps.as_ptr().cast(), a.taps.as_ptr().cast()),
                _mm256_loadu2_m128i(b.weights.as_ptr().cast(), a.weights.as_ptr().cast()),
            )
        };
        // A tap with its highest bit set gives 0: taps in the high half get it for the low half, and vice
        // versa.
        let from_low = _mm256_shuffle_epi8(low, _mm256_adds_epu8(taps, _mm256_set1_epi8(0x70)));
        let from_high = _mm256_shuffle_epi8(high, _mm256_sub_epi8(taps, _mm256_set1_epi8(16)));
        let both = _mm256_or_si256(from_low, from_high);
        let left = _mm256_and_si256(both, _mm256_set1_epi16(0xff));
        let right = _mm256_srli_epi16::<8>(both);
        let change = _mm256_mullo_epi16(_mm256_sub_epi16(right, left), weights);
        let sum = _mm256_add_epi16(_mm256_slli_epi16::<8>(left), change);
        // SAFETY: `out` holds sixteen integers of 16 bits.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sum) };
    }
    scalar::resize_row_from(axis, source, target, done);
}

// SAFETY: a value exists only where the CPU has the instructions, and every load and store touches `LANES`
// elements.
unsafe impl Lanes for Avx2 {
    const LANES: usize = 8;
    type Ints = __m256i;
    type Floats = __m256;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> __m256i {
        // SAFETY: `self` proves AVX2; the caller guarantees `LANES` integers.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn zero(self) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn subtract(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: __m256i, factor: i32) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_mullo_epi32(a, _mm256_set1_epi32(factor)) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> __m256 {
        // SAFETY: `self` proves AVX2; the caller guarantees `LANES` floats.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: __m256) {
        // SAFETY: `self` proves AVX2; the caller guarantees room for `LANES` floats.
        unsafe { _mm256_storeu_ps(to, floats) }
    }

    #[inline(always)]
    fn add_votes(
        self,
        votes: __m256,
        value: __m256i,
        norm: __m256,
        (threshold, vote_below): (f32, f32),
    ) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let value = _mm256_mul_ps(_mm256_cvtepi32_ps(value), norm);
            let is_below = _mm256_cmp_ps::<_CMP_LT_OQ>(value, _mm256_set1_ps(threshold));
            _mm256_add_ps(votes, _mm256_and_ps(is_below, _mm256_set1_ps(vote_below)))
        }
    }

    #[inline(always)]
    fn select_branch(
        self,
        value: __m256i,
        norm: __m256,
        threshold: f32,
        (below, above): (__m256, __m256),
    ) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let value = _mm256_mul_ps(_mm256_cvtepi32_ps(value), norm);
            let is_below = _mm256_cmp_ps::<_CMP_LT_OQ>(value, _mm256_set1_ps(threshold));
            _mm256_blendv_ps(above, below, is_below)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn at_least(self, votes: __m256, bound: f32) -> u64 {
        // SAFETY: `self` proves AVX2.
        let mask = unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(votes, _mm256_set1_ps(bound))) };
        u64::from(mask.unsigned_abs())
    }

    #[inline(always)]
    fn window_norms(self, sums: __m256i, squares: __m256i, area: f64) -> (__m256, u64) {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let (low, low_mask) =
                partial_norms(_mm256_castsi256_si128(sums), _mm256_castsi256_si128(squares), area);
            let (high, high_mask) = partial_norms(
                _mm256_extracti128_si256::<1>(sums),
                _mm256_extracti128_si256::<1>(squares),
                area,
            );
            (_mm256_set_m128(high, low), low_mask | high_mask << 4)
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> __m256i {
        // SAFETY: `self` proves AVX2; the caller guarantees `LANES` bytes.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: __m256i) {
        // SAFETY: `self` proves AVX2; the caller guarantees room for `LANES` integers.
        unsafe { _mm256_storeu_si256(to.cast(), ints) }
    }

    #[inline(always)]
    fn square(self, ints: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_madd_epi16(ints, ints) }
    }

    #[inline(always)]
    fn prefix_sums(self, ints: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe {
            // Sums within each half; then the lower half's last sum is added to the upper half.
            let ints = _mm256_add_epi32(ints, _mm256_slli_si256::<4>(ints));
            let ints = _mm256_add_epi32(ints, _mm256_slli_si256::<8>(ints));
            let lower = _mm256_permute2x128_si256::<0x08>(ints, ints);
            _mm256_add_epi32(ints, _mm256_shuffle_epi32::<0b11_11_11_11>(lower))
        }
    }

    #[inline(always)]
    fn broadcast_last(self, ints: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_permutevar8x32_epi32(ints, _mm256_set1_epi32(7)) }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
            let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
            let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
            // The shuffles work within each half.
            (_mm256_permute4x64_epi64::<0b11_01_10_00>(even), _mm256_permute4x64_epi64::<0b11_01_10_00>(odd))
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
        // SAFETY: `self` proves AVX2; the caller guarantees the rows and the room for the columns.
        unsafe { transpose(from, start, first, to) }
    }
}

/// See [`Lanes::transpose`].
///
/// # Safety
/// As for [`Lanes::transpose`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn transpose(from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
    let mut rows = [_mm256_setzero_si256(); 8];
    for (row, &from) in rows.iter_mut().zip(&from[first..]) {
        // SAFETY: the caller guarantees the rows.
        *row = unsafe { _mm256_loadu_si256(from.add(start).cast()) };
    }
    // Pairs of rows, then fours, then the halves of the fours.
    let mut pairs = rows;
    for i in 0..4 {
        pairs[2 * i] = _mm256_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm256_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    let mut fours = pairs;
    for i in 0..2 {
        fours[4 * i] = _mm256_unpacklo_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 1] = _mm256_unpackhi_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 2] = _mm256_unpacklo_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
        fours[4 * i + 3] = _mm256_unpackhi_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
    }
    for i in 0..4 {
        let lower = _mm256_permute2x128_si256::<0x20>(fours[i], fours[4 + i]);
        let upper = _mm256_permute2x128_si256::<0x31>(fours[i], fours[4 + i]);
        // SAFETY: the caller guarantees the room for the columns.
        unsafe {
            let to = to.add(i * BATCH + first);
            _mm256_storeu_si256(to.cast(), lower);
            _mm256_storeu_si256(to.add(4 * BATCH).cast(), upper);
        }
    }
}

/// Four lanes of [`Lanes::window_norms`].
#[inline]
#[target_feature(enable = "avx2")]
fn partial_norms(sums: __m128i, squares: __m128i, area: f64) -> (__m128, u64) {
    let area = _mm256_set1_pd(area);
    let sums = _mm256_cvtepi32_pd(sums);
    let squares = _mm256_mul_pd(area, _mm256_cvtepi32_pd(squares));
    let variance = _mm256_sub_pd(squares, _mm256_mul_pd(sums, sums));
    let norm = _mm256_cvtpd_ps(_mm256_div_pd(_mm256_set1_pd(1.0), _mm256_sqrt_pd(variance)));
    let scaled_norm = _mm256_mul_pd(area, _mm256_cvtps_pd(norm));
    // A variance of 0 gives infinity, a negative one NaN: neither is below the limit.
    let is_below = _mm256_cmp_pd::<_CMP_LT_OQ>(scaled_norm, _mm256_set1_pd(1e-1));
    (norm, u64::from(_mm256_movemask_pd(is_below).unsigned_abs()))
}
