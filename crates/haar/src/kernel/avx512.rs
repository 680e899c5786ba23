//! 16 lanes of AVX-512.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::lanes::{self, Lanes, entries};
use super::{BATCH, Block, Survivors};
use crate::dense::Dense;
use crate::integral::Layout;
use crate::program::Program;

/// Proof of AVX-512 F, BW, DQ, VL and VBMI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512 {
    /// Comes with AVX-512.
    pub(super) avx2: Avx2,
}

entries! {
    proof: Avx512,
    features: "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi",
    pair: |lanes| (lanes, lanes.avx2)
}

impl Avx512 {
    pub(super) fn new() -> Option<Self> {
        let available = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        Avx2::new().filter(|_| available).map(|avx2| Self { avx2 })
    }
}

// In every block below: `self` proves the features, loads and stores are inside what the caller promises.
impl Lanes for Avx512 {
    const LANES: usize = 16;
    type Ints = __m512i;
    type Floats = __m512;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_loadu_epi32(from) }
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn times(self, a: __m512i, factor: i32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_mullo_epi32(a, _mm512_set1_epi32(factor)) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: __m512) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to, floats) }
    }

    #[inline(always)]
    fn vote(self, votes: __m512, value: __m512i, norm: __m512, (threshold, below): (f32, f32)) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(value), norm);
            let is_below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, _mm512_set1_ps(threshold));
            _mm512_mask_add_ps(votes, is_below, votes, _mm512_set1_ps(below))
        }
    }

    #[inline(always)]
    fn choose(
        self,
        value: __m512i,
        norm: __m512,
        threshold: f32,
        (below, above): (__m512, __m512),
    ) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(value), norm);
            let is_below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, _mm512_set1_ps(threshold));
            _mm512_mask_blend_ps(is_below, above, below)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn reach(self, votes: __m512, bound: f32) -> u64 {
        // SAFETY: see above.
        unsafe { u64::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(votes, _mm512_set1_ps(bound))) }
    }

    #[inline(always)]
    fn norms(self, sums: __m512i, squares: __m512i, area: f64) -> (__m512, u64) {
        // SAFETY: see above.
        unsafe {
            let (low, low_mask) = norms(_mm512_castsi512_si256(sums), _mm512_castsi512_si256(squares), area);
            let (high, high_mask) =
                norms(_mm512_extracti64x4_epi64::<1>(sums), _mm512_extracti64x4_epi64::<1>(squares), area);
            (_mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high), low_mask | high_mask << 8)
        }
    }

    #[inline(always)]
    unsafe fn widen(self, from: *const u8) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: __m512i) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_epi32(to, ints) }
    }

    #[inline(always)]
    fn square(self, ints: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_madd_epi16(ints, ints) }
    }

    #[inline(always)]
    fn running_sums(self, ints: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe {
            let zero = _mm512_setzero_si512();
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<15>(ints, zero));
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<14>(ints, zero));
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<12>(ints, zero));
            _mm512_add_epi32(ints, _mm512_alignr_epi32::<8>(ints, zero))
        }
    }

    #[inline(always)]
    fn last(self, ints: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_permutexvar_epi32(_mm512_set1_epi32(15), ints) }
    }

    #[inline(always)]
    fn split(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: see above.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
            (_mm512_permutex2var_epi32(a, even, b), _mm512_permutex2var_epi32(a, odd, b))
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32) {
        debug_assert!(first == 0);
        // SAFETY: see above.
        unsafe { transpose(from, at, to) }
    }
}

/// See [`Lanes::transpose`].
///
/// # Safety
/// As there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
unsafe fn transpose(from: &[*const i32; BATCH], at: usize, to: *mut i32) {
    let mut rows = [_mm512_setzero_si512(); 16];
    for (row, &from) in rows.iter_mut().zip(from) {
        // SAFETY: the caller's promise.
        *row = unsafe { _mm512_loadu_epi32(from.add(at)) };
    }
    // Pairs of rows, then fours; then the quarters of the fours, twice.
    let mut pairs = rows;
    for i in 0..8 {
        pairs[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    let mut fours = pairs;
    for i in 0..4 {
        fours[4 * i] = _mm512_unpacklo_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 1] = _mm512_unpackhi_epi64(pairs[4 * i], pairs[4 * i + 2]);
        fours[4 * i + 2] = _mm512_unpacklo_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
        fours[4 * i + 3] = _mm512_unpackhi_epi64(pairs[4 * i + 1], pairs[4 * i + 3]);
    }
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    for i in 0..4 {
        let even_above = _mm512_shuffle_i32x4::<EVEN>(fours[i], fours[4 + i]);
        let odd_above = _mm512_shuffle_i32x4::<ODD>(fours[i], fours[4 + i]);
        let even_below = _mm512_shuffle_i32x4::<EVEN>(fours[8 + i], fours[12 + i]);
        let odd_below = _mm512_shuffle_i32x4::<ODD>(fours[8 + i], fours[12 + i]);
        // SAFETY: the caller's promise.
        unsafe {
            let to = to.add(i * BATCH);
            _mm512_storeu_epi32(to, _mm512_shuffle_i32x4::<EVEN>(even_above, even_below));
            _mm512_storeu_epi32(to.add(4 * BATCH), _mm512_shuffle_i32x4::<EVEN>(odd_above, odd_below));
            _mm512_storeu_epi32(to.add(8 * BATCH), _mm512_shuffle_i32x4::<ODD>(even_above, even_below));
            _mm512_storeu_epi32(to.add(12 * BATCH), _mm512_shuffle_i32x4::<ODD>(odd_above, odd_below));
        }
    }
}

/// Eight of [`Lanes::norms`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
fn norms(sums: __m256i, squares: __m256i, area: f64) -> (__m256, u64) {
    let area = _mm512_set1_pd(area);
    let sums = _mm512_cvtepi32_pd(sums);
    let squares = _mm512_mul_pd(area, _mm512_cvtepi32_pd(squares));
    let variance = _mm512_sub_pd(squares, _mm512_mul_pd(sums, sums));
    let norm = _mm512_cvtpd_ps(_mm512_div_pd(_mm512_set1_pd(1.0), _mm512_sqrt_pd(variance)));
    let spread = _mm512_mul_pd(area, _mm512_cvtps_pd(norm));
    // No number and infinity, from variances of 0 and less, are not below.
    (norm, u64::from(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(spread, _mm512_set1_pd(1e-1))))
}
