//! The kernel in portable code: 4 lanes, which the compiler turns into the vectors that every CPU of the
//! target has, such as SSE2.

use super::lanes::{self, Lanes};
use super::scalar;
use super::{BATCH, Block, Kernel, Survivors};
use crate::axis::{ResizeAxis, TapGroup};
use crate::compiled::vector::VectorCascade;
use crate::layout::Layout;

/// The portable kernel. It needs no instructions beyond those of every CPU of the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Kernel for Portable {
    fn evaluate_block(self, cascade: &VectorCascade, block: &mut Block) -> u64 {
        lanes::evaluate_block((self, self), cascade, block)
    }

    fn filter_survivors(self, cascade: &VectorCascade, sums: &[i32], survivors: &mut Survivors) {
        lanes::filter_survivors(self, cascade, sums, survivors);
    }

    fn resize_row_horizontally(self, axis: &ResizeAxis, source: &[u8], target: &mut [u16]) {
        let mut done = 0;
        for (group, out) in axis.groups().iter().zip(target.as_chunks_mut::<8>().0) {
            let Some(span) = source[group.start as usize..].first_chunk::<{ TapGroup::SPAN }>() else {
                break;
            };
            let (pairs, _) = group.taps.as_chunks::<2>();
            for ((out, pair), &weight) in out.iter_mut().zip(pairs).zip(&group.weights) {
                // No tap is beyond the span; the remainder spares the bounds check.
                let [left, right] = pair.map(|tap| u16::from(span[tap as usize % TapGroup::SPAN]));
                *out = left * (256 - weight) + right * weight;
            }
            done += 8;
        }
        scalar::resize_row_from(axis, source, target, done);
    }

    fn interpolate_rows(self, upper: &[u16], lower: &[u16], weight: u32, target: &mut [u8]) {
        scalar::interpolate_rows(upper, lower, weight, target);
    }

    fn integrate_row(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        lanes::integrate_row(self, layout, pixels, rows);
    }
}

type Ints = [i32; 4];
type Floats = [f32; 4];

#[inline(always)]
fn each_lane(lane_value: impl Fn(usize) -> i32) -> Ints {
    std::array::from_fn(lane_value)
}

/// Sets a bit for each lane where `lane_bit` is true.
#[inline(always)]
fn mask(lane_bit: impl Fn(usize) -> bool) -> u64 {
    (0..4).fold(0, |mask, lane| mask | u64::from(lane_bit(lane)) << lane)
}

// SAFETY: the code needs no particular instructions, and every load and store touches `LANES` elements.
unsafe impl Lanes for Portable {
    const LANES: usize = 4;
    type Ints = Ints;
    type Floats = Floats;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> Ints {
        // SAFETY: the caller guarantees `LANES` integers; an array has the alignment of its elements.
        unsafe { from.cast::<Ints>().read() }
    }

    #[inline(always)]
    fn zero(self) -> Ints {
        [0; 4]
    }

    #[inline(always)]
    fn add(self, a: Ints, b: Ints) -> Ints {
        each_lane(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn subtract(self, a: Ints, b: Ints) -> Ints {
        each_lane(|lane| a[lane].wrapping_sub(b[lane]))
    }

    #[inline(always)]
    fn multiply(self, a: Ints, factor: i32) -> Ints {
        each_lane(|lane| a[lane].wrapping_mul(factor))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Floats {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> Floats {
        // SAFETY: the caller guarantees `LANES` floats; an array has the alignment of its elements.
        unsafe { from.cast::<Floats>().read() }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: Floats) {
        // SAFETY: the caller guarantees room for `LANES` floats; an array has the alignment of its elements.
        unsafe { to.cast::<Floats>().write(floats) }
    }

    #[inline(always)]
    fn add_votes(
        self,
        votes: Floats,
        value: Ints,
        norm: Floats,
        (threshold, vote_below): (f32, f32),
    ) -> Floats {
        std::array::from_fn(|lane| {
            let is_below = value[lane] as f32 * norm[lane] < threshold;
            // All bits or none, as in a vector comparison: no branch.
            let bits = vote_below.to_bits() & u32::from(is_below).wrapping_neg();
            votes[lane] + f32::from_bits(bits)
        })
    }

    #[inline(always)]
    fn select_branch(
        self,
        value: Ints,
        norm: Floats,
        threshold: f32,
        (below, above): (Floats, Floats),
    ) -> Floats {
        std::array::from_fn(|lane| {
            if value[lane] as f32 * norm[lane] < threshold { below[lane] } else { above[lane] }
        })
    }

    #[inline(always)]
    fn add_floats(self, a: Floats, b: Floats) -> Floats {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn at_least(self, votes: Floats, bound: f32) -> u64 {
        mask(|lane| votes[lane] >= bound)
    }

    #[inline(always)]
    fn window_norms(self, sums: Ints, squares: Ints, area: f64) -> (Floats, u64) {
        let norms: Floats = std::array::from_fn(|lane| {
            let sum = f64::from(sums[lane]);
            let variance = area * f64::from(squares[lane]) - sum * sum;
            (1.0 / variance.sqrt()) as f32
        });
        // A variance of 0 gives infinity, a negative one NaN: neither is below the limit.
        (norms, mask(|lane| area * f64::from(norms[lane]) < 1e-1))
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> Ints {
        // SAFETY: the caller guarantees `LANES` bytes.
        unsafe { from.cast::<[u8; 4]>().read() }.map(i32::from)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: Ints) {
        // SAFETY: the caller guarantees room for `LANES` integers; an array has the alignment of its
        // elements.
        unsafe { to.cast::<Ints>().write(ints) }
    }

    #[inline(always)]
    fn square(self, ints: Ints) -> Ints {
        each_lane(|lane| ints[lane] * ints[lane])
    }

    #[inline(always)]
    fn prefix_sums(self, [a, b, c, d]: Ints) -> Ints {
        [a, a + b, a + b + c, a + b + c + d]
    }

    #[inline(always)]
    fn broadcast_last(self, ints: Ints) -> Ints {
        [ints[3]; 4]
    }

    #[inline(always)]
    fn deinterleave(self, a: Ints, b: Ints) -> (Ints, Ints) {
        ([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]])
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32) {
        // SAFETY: the caller guarantees the rows and the room for the columns.
        unsafe {
            let rows: [Ints; 4] = std::array::from_fn(|row| self.load(from[first + row].add(start)));
            let columns: [Ints; 4] = std::array::from_fn(|column| rows.map(|row| row[column]));
            for (column, &ints) in columns.iter().enumerate() {
                self.store(to.add(column * BATCH + first), ints);
            }
        }
    }
}
