//! 8 lanes of AVX2.

use std::arch::x86_64::*;

use super::lanes::{self, Lanes, entries};
use super::{BATCH, Block, Survivors};
use crate::dense::Dense;
use crate::integral::Layout;
use crate::program::Program;
use crate::resize::{self, Axis, Eight};

/// Proof of AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

entries! {
    proof: Avx2,
    features: "avx2",
    pair: |lanes| (lanes, lanes)
}

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
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
#[target_feature(enable = "avx2")]
fn down(upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
    resize::down(upper, lower, weight, target);
}

/// Two eights at a time: their input pixels shuffled into place, then left + (right - left) * weight.
#[target_feature(enable = "avx2")]
fn across(axis: &Axis, source: &[u8], target: &mut [u16]) {
    let (pairs, _) = axis.eights().as_chunks::<2>();
    let (outs, _) = target.as_chunks_mut::<16>();
    let done = 16 * pairs.len().min(outs.len());
    for ([a, b], out) in pairs.iter().zip(outs) {
        let (a_low, a_high) = source[a.start as usize..][..Eight::SPAN].split_at(16);
        let (b_low, b_high) = source[b.start as usize..][..Eight::SPAN].split_at(16);
        // SAFETY: 16 bytes, or eight numbers of 16 bits, at each pointer.
        let (low, high, picks, weights) = unsafe {
            (
                _mm256_loadu2_m128i(b_low.as_ptr().cast(), a_low.as_ptr().cast()),
                _mm256_loadu2_m128i(b_high.as_ptr().cast(), a_high.as_ptr().cast()),
                _mm256_loadu2_m128i(b.picks.as_ptr().cast(), a.picks.as_ptr().cast()),
                _mm256_loadu2_m128i(b.weights.as_ptr().cast(), a.weights.as_ptr().cast()),
            )
        };
        // A pick with its highest bit set gives 0: picks of the high 16 do so in the low ones, and the other way.
        let from_low = _mm256_shuffle_epi8(low, _mm256_adds_epu8(picks, _mm256_set1_epi8(0x70)));
        let from_high = _mm256_shuffle_epi8(high, _mm256_sub_epi8(picks, _mm256_set1_epi8(16)));
        let both = _mm256_or_si256(from_low, from_high);
        let left = _mm256_and_si256(both, _mm256_set1_epi16(0xff));
        let right = _mm256_srli_epi16::<8>(both);
        let change = _mm256_mullo_epi16(_mm256_sub_epi16(right, left), weights);
        let sum = _mm256_add_epi16(_mm256_slli_epi16::<8>(left), change);
        // SAFETY: sixteen numbers of 16 bits.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sum) };
    }
    axis.across(source, target, done);
}

// In every block below: `self` proves the feature, loads and stores are inside what the caller promises.
impl Lanes for Avx2 {
    const LANES: usize = 8;
    type Ints = __m256i;
    type Floats = __m256;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn zero(self) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn times(self, a: __m256i, factor: i32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_mullo_epi32(a, _mm256_set1_epi32(factor)) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: __m256) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, floats) }
    }

    #[inline(always)]
    fn vote(self, votes: __m256, value: __m256i, norm: __m256, (threshold, below): (f32, f32)) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let value = _mm256_mul_ps(_mm256_cvtepi32_ps(value), norm);
            let is_below = _mm256_cmp_ps::<_CMP_LT_OQ>(value, _mm256_set1_ps(threshold));
            _mm256_add_ps(votes, _mm256_and_ps(is_below, _mm256_set1_ps(below)))
        }
    }

    #[inline(always)]
    fn choose(
        self,
        value: __m256i,
        norm: __m256,
        threshold: f32,
        (below, above): (__m256, __m256),
    ) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let value = _mm256_mul_ps(_mm256_cvtepi32_ps(value), norm);
            let is_below = _mm256_cmp_ps::<_CMP_LT_OQ>(value, _mm256_set1_ps(threshold));
            _mm256_blendv_ps(above, below, is_below)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn reach(self, votes: __m256, bound: f32) -> u64 {
        // SAFETY: see above.
        let mask = unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(votes, _mm256_set1_ps(bound))) };
        u64::from(mask.unsigned_abs())
    }

    #[inline(always)]
    fn norms(self, sums: __m256i, squares: __m256i, area: f64) -> (__m256, u64) {
        // SAFETY: see above.
        unsafe {
            let (low, low_mask) = norms(_mm256_castsi256_si128(sums), _mm256_castsi256_si128(squares), area);
            let (high, high_mask) =
                norms(_mm256_extracti128_si256::<1>(sums), _mm256_extracti128_si256::<1>(squares), area);
            (_mm256_set_m128(high, low), low_mask | high_mask << 4)
        }
    }

    #[inline(always)]
    unsafe fn widen(self, from: *const u8) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: __m256i) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(to.cast(), ints) }
    }

    #[inline(always)]
    fn square(self, ints: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_madd_epi16(ints, ints) }
    }

    #[inline(always)]
    fn running_sums(self, ints: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe {
            // In each half, and then the lower half's last in the upper half too.
            let ints = _mm256_add_epi32(ints, _mm256_slli_si256::<4>(ints));
            let ints = _mm256_add_epi32(ints, _mm256_slli_si256::<8>(ints));
            let lower = _mm256_permute2x128_si256::<0x08>(ints, ints);
            _mm256_add_epi32(ints, _mm256_shuffle_epi32::<0b11_11_11_11>(lower))
        }
    }

    #[inline(always)]
    fn last(self, ints: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_permutevar8x32_epi32(ints, _mm256_set1_epi32(7)) }
    }

    #[inline(always)]
    fn split(self, a: __m256i, b: __m256i) -> (__m256i, __m256i) {
        // SAFETY: see above.
        unsafe {
            let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
            let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
            let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
            // The instruction works in each half by itself.
            (_mm256_permute4x64_epi64::<0b11_01_10_00>(even), _mm256_permute4x64_epi64::<0b11_01_10_00>(odd))
        }
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
#[target_feature(enable = "avx2")]
unsafe fn transpose(from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32) {
    let mut rows = [_mm256_setzero_si256(); 8];
    for (row, &from) in rows.iter_mut().zip(&from[first..]) {
        // SAFETY: the caller's promise.
        *row = unsafe { _mm256_loadu_si256(from.add(at).cast()) };
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
        // SAFETY: the caller's promise.
        unsafe {
            let to = to.add(i * BATCH + first);
            _mm256_storeu_si256(to.cast(), lower);
            _mm256_storeu_si256(to.add(4 * BATCH).cast(), upper);
        }
    }
}

/// Four of [`Lanes::norms`].
#[inline]
#[target_feature(enable = "avx2")]
fn norms(sums: __m128i, squares: __m128i, area: f64) -> (__m128, u64) {
    let area = _mm256_set1_pd(area);
    let sums = _mm256_cvtepi32_pd(sums);
    let squares = _mm256_mul_pd(area, _mm256_cvtepi32_pd(squares));
    let variance = _mm256_sub_pd(squares, _mm256_mul_pd(sums, sums));
    let norm = _mm256_cvtpd_ps(_mm256_div_pd(_mm256_set1_pd(1.0), _mm256_sqrt_pd(variance)));
    let spread = _mm256_mul_pd(area, _mm256_cvtps_pd(norm));
    // No number and infinity, from variances of 0 and less, are not below.
    let below = _mm256_cmp_pd::<_CMP_LT_OQ>(spread, _mm256_set1_pd(1e-1));
    (norm, u64::from(_mm256_movemask_pd(below).unsigned_abs()))
}
