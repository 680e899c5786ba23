//! 8 lanes of AVX2.

use std::arch::x86_64::*;

use super::Block;
use super::lanes::{self, Lanes};
use crate::dense::Dense;
use crate::program::Program;

/// Proof of AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    pub(super) fn judge(self, program: &Program, dense: &Dense, block: &mut Block) -> u64 {
        // SAFETY: `self` proves the feature.
        unsafe { judge(self, program, dense, block) }
    }
}

#[target_feature(enable = "avx2")]
fn judge(lanes: Avx2, program: &Program, dense: &Dense, block: &mut Block) -> u64 {
    lanes::judge(lanes, program, dense, block)
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
    fn reach(self, votes: __m256, bound: f32) -> u64 {
        // SAFETY: see above.
        let mask = unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(votes, _mm256_set1_ps(bound))) };
        u64::from(mask.unsigned_abs())
    }

    #[inline(always)]
    fn norms(self, sums: __m256i, squares: __m256i, area: f64) -> (__m256, u64) {
        // SAFETY: see above.
        unsafe {
            let area = _mm256_set1_pd(area);
            let half = |sums: __m128i, squares: __m128i| {
                let sums = _mm256_cvtepi32_pd(sums);
                let squares = _mm256_mul_pd(area, _mm256_cvtepi32_pd(squares));
                let variance = _mm256_sub_pd(squares, _mm256_mul_pd(sums, sums));
                let norm = _mm256_cvtpd_ps(_mm256_div_pd(_mm256_set1_pd(1.0), _mm256_sqrt_pd(variance)));
                let spread = _mm256_mul_pd(area, _mm256_cvtps_pd(norm));
                // No number and infinity, from variances of 0 and less, are not below.
                let below = _mm256_cmp_pd::<_CMP_LT_OQ>(spread, _mm256_set1_pd(1e-1));
                (norm, u64::from(_mm256_movemask_pd(below).unsigned_abs()))
            };
            let (low, low_mask) = half(_mm256_castsi256_si128(sums), _mm256_castsi256_si128(squares));
            let (high, high_mask) =
                half(_mm256_extracti128_si256::<1>(sums), _mm256_extracti128_si256::<1>(squares));
            (_mm256_set_m128(high, low), low_mask | high_mask << 4)
        }
    }
}
