//! The kernel for x86-64 with AVX-512: 16 lanes.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::lanes::{self, Lanes, entry_points};
use super::{BATCH, Block, Kernel, Survivors};
use crate::axis::ResizeAxis;
use crate::backend::Backend;
use crate::compiled::vector::VectorCascade;
use crate::layout::Layout;

/// Proof that the CPU has AVX-512 F, BW, DQ, VL and VBMI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512 {
    /// Proof of AVX2, which [`Backend::Avx512`] requires too.
    avx2: Avx2,
}

impl Avx512 {
    /// `None` where the CPU lacks one of the extensions.
    pub(super) fn new() -> Option<Self> {
        Avx2::new().filter(|_| Backend::Avx512.is_available()).map(|avx2| Self { avx2 })
    }
}

// After the first stage, 8 lanes are faster than 16: a load of 64 bytes that crosses a cache line costs two
// loads, and few lanes hold windows that are still evaluated.
entry_points! {
    token: Avx512,
    features: "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi",
    lanes: |kernel| (kernel, kernel.avx2)
}

impl Kernel for Avx512 {
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { evaluate_block(self, cascade, block) }
    }

    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { filter_survivors(self, cascade, sums, survivors) }
    }

    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        self.avx2.resize_row_horizontally(axis, source, target);
    }

    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        self.avx2.interpolate_rows(upper, lower, weight, target);
    }

    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { integrate_row(self, layout, pixels, rows) }
    }
}

// SAFETY: a value exists only where the CPU has the instructions, and every load and store touches `LANES`
// elements.
unsafe impl Lanes for Avx512 {
    const LANES: usize = 16;
    type Ints = __m512i;
    type Floats = __m512;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees `LANES` integers.
        unsafe { _mm512_loadu_epi32(from) }
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn subtract(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: __m512i, factor: i32) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_mullo_epi32(a, _mm512_set1_epi32(factor)) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> __m512 {
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees `LANES` floats.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: __m512) {
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees room for `LANES` floats.
        unsafe { _mm512_storeu_ps(to, floats) }
    }

    #[inline(always)]
    fn add_votes(
        self,
        votes: __m512,
        value: __m512i,
        norm: __m512,
        (threshold, vote_below): (f32, f32),
    ) -> __m512 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe {
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(value), norm);
            let is_below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, _mm512_set1_ps(threshold));
            _mm512_mask_add_ps(votes, is_below, votes, _mm512_set1_ps(vote_below))
        }
    }

    #[inline(always)]
    fn select_branch(
        self,
        value: __m512i,
        norm: __m512,
        threshold: f32,
        (below, above): (__m512, __m512),
    ) -> __m512 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe {
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(value), norm);
            let is_below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, _mm512_set1_ps(threshold));
            _mm512_mask_blend_ps(is_below, above, below)
        }
    }

    #[inline(always)]
    fn add_floats(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn at_least(self, votes: __m512, bound: f32) -> u64 {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { u64::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(votes, _mm512_set1_ps(bound))) }
    }

    #[inline(always)]
    fn window_norms(self, sums: __m512i, squares: __m512i, area: f64) -> (__m512, u64) {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe {
            let (low, low_mask) =
                partial_norms(_mm512_castsi512_si256(sums), _mm512_castsi512_si256(squares), area);
            let (high, high_mask) = partial_norms(
                _mm512_extracti64x4_epi64::<1>(sums),
                _mm512_extracti64x4_epi64::<1>(squares),
                area,
            );
            (_mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high), low_mask | high_mask << 8)
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees `LANES` bytes.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: __m512i) {
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees room for `LANES` integers.
        unsafe { _mm512_storeu_epi32(to, ints) }
    }

    #[inline(always)]
    fn square(self, ints: __m512i) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_madd_epi16(ints, ints) }
    }

    #[inline(always)]
    fn prefix_sums(self, ints: __m512i) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe {
            let zero = _mm512_setzero_si512();
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<15>(ints, zero));
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<14>(ints, zero));
            let ints = _mm512_add_epi32(ints, _mm512_alignr_epi32::<12>(ints, zero));
            _mm512_add_epi32(ints, _mm512_alignr_epi32::<8>(ints, zero))
        }
    }

    #[inline(always)]
    fn broadcast_last(self, ints: __m512i) -> __m512i {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe { _mm512_permutexvar_epi32(_mm512_set1_epi32(15), ints) }
    }

    #[inline(always)]
    fn deinterleave(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves the AVX-512 extensions.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
            (_mm512_permutex2var_epi32(a, even, b), _mm512_permutex2var_epi32(a, odd, b))
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
        // A vector is as long as a batch.
        debug_assert!(first == 0);
        // SAFETY: `self` proves the AVX-512 extensions; the caller guarantees the rows and the room for the
        // columns.
        unsafe { transpose(from, start, to) }
    }
}

/// See [`Lanes::transpose`].
///
/// # Safety
/// As for [`Lanes::transpose`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
unsafe fn transpose(from: &[*const i32; BATCH], start: usize, to: *mut i32) {
    let mut rows = [_mm512_setzero_si512(); 16];
    for (row, &from) in rows.iter_mut().zip(from) {
        // SAFETY: the caller guarantees the rows.
        *row = unsafe { _mm512_loadu_epi32(from.add(start)) };
    }
    // Interleaves pairs of rows, then groups of four; then rearranges their 128-bit quarters in two steps.
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
        // SAFETY: the caller guarantees the room for the columns.
        unsafe {
            let to = to.add(i * BATCH);
            _mm512_storeu_epi32(to, _mm512_shuffle_i32x4::<EVEN>(even_above, even_below));
            _mm512_storeu_epi32(to.add(4 * BATCH), _mm512_shuffle_i32x4::<EVEN>(odd_above, odd_below));
            _mm512_storeu_epi32(to.add(8 * BATCH), _mm512_shuffle_i32x4::<ODD>(even_above, even_below));
            _mm512_storeu_epi32(to.add(12 * BATCH), _mm512_shuffle_i32x4::<ODD>(odd_above, odd_below));
        }
    }
}

/// Eight lanes of [`Lanes::window_norms`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
fn partial_norms(sums: __m256i, squares: __m256i, area: f64) -> (__m256, u64) {
    let area = _mm512_set1_pd(area);
    let sums = _mm512_cvtepi32_pd(sums);
    let squares = _mm512_mul_pd(area, _mm512_cvtepi32_pd(squares));
    let variance = _mm512_sub_pd(squares, _mm512_mul_pd(sums, sums));
    let norm = _mm512_cvtpd_ps(_mm512_div_pd(_mm512_set1_pd(1.0), _mm512_sqrt_pd(variance)));
    let scaled_norm = _mm512_mul_pd(area, _mm512_cvtps_pd(norm));
    // A variance of 0 gives infinity, a negative one NaN: neither is below the limit.
    (norm, u64::from(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(scaled_norm, _mm512_set1_pd(1e-1))))
}
