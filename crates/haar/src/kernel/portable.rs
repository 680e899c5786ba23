//! 4 lanes in plain code, which compilers turn into the vectors that every machine of a kind has, such as SSE2.

use super::lanes::{self, Lanes};
use super::{BATCH, Block, Survivors};
use crate::dense::Dense;
use crate::integral::Layout;
use crate::program::Program;
use crate::resize::{Axis, Eight};

/// Needs no proof.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Portable {
    pub(super) fn judge(self, program: &Program, dense: &Dense, block: &mut Block) -> u64 {
        lanes::judge((self, self), program, dense, block)
    }

    pub(super) fn narrow(self, program: &Program, dense: &Dense, sums: &[i32], survivors: &mut Survivors) {
        lanes::narrow(self, program, dense, sums, survivors);
    }

    pub(super) fn sum_up(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
        lanes::sum_up(self, layout, pixels, rows);
    }

    pub(super) fn across(self, axis: &Axis, source: &[u8], target: &mut [u16]) {
        let mut done = 0;
        for (eight, out) in axis.eights().iter().zip(target.as_chunks_mut::<8>().0) {
            let Some(span) = source[eight.start as usize..].first_chunk::<{ Eight::SPAN }>() else { break };
            let (pairs, _) = eight.picks.as_chunks::<2>();
            for ((out, pair), &weight) in out.iter_mut().zip(pairs).zip(&eight.weights) {
                // No pick is beyond the span; the remainder spares the check.
                let [left, right] = pair.map(|pick| u16::from(span[pick as usize % Eight::SPAN]));
                *out = left * (256 - weight) + right * weight;
            }
            done += 8;
        }
        axis.across(source, target, done);
    }
}

type Ints = [i32; 4];
type Floats = [f32; 4];

#[inline(always)]
fn each(of: impl Fn(usize) -> i32) -> Ints {
    std::array::from_fn(of)
}

/// A bit a lane.
#[inline(always)]
fn mask(of: impl Fn(usize) -> bool) -> u64 {
    (0..4).fold(0, |mask, lane| mask | u64::from(of(lane)) << lane)
}

impl Lanes for Portable {
    const LANES: usize = 4;
    type Ints = Ints;
    type Floats = Floats;

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> Ints {
        // SAFETY: the caller's promise; arrays of numbers have their alignment.
        unsafe { from.cast::<Ints>().read() }
    }

    #[inline(always)]
    fn zero(self) -> Ints {
        [0; 4]
    }

    #[inline(always)]
    fn add(self, a: Ints, b: Ints) -> Ints {
        each(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn sub(self, a: Ints, b: Ints) -> Ints {
        each(|lane| a[lane].wrapping_sub(b[lane]))
    }

    #[inline(always)]
    fn times(self, a: Ints, factor: i32) -> Ints {
        each(|lane| a[lane].wrapping_mul(factor))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Floats {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load_floats(self, from: *const f32) -> Floats {
        // SAFETY: as in `load`.
        unsafe { from.cast::<Floats>().read() }
    }

    #[inline(always)]
    unsafe fn store_floats(self, to: *mut f32, floats: Floats) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<Floats>().write(floats) }
    }

    #[inline(always)]
    fn vote(self, votes: Floats, value: Ints, norm: Floats, (threshold, below): (f32, f32)) -> Floats {
        std::array::from_fn(|lane| {
            let is_below = value[lane] as f32 * norm[lane] < threshold;
            // All bits or none, as vectors compare: no branch.
            let bits = below.to_bits() & u32::from(is_below).wrapping_neg();
            votes[lane] + f32::from_bits(bits)
        })
    }

    #[inline(always)]
    fn choose(self, value: Ints, norm: Floats, threshold: f32, (below, above): (Floats, Floats)) -> Floats {
        std::array::from_fn(|lane| {
            if value[lane] as f32 * norm[lane] < threshold { below[lane] } else { above[lane] }
        })
    }

    #[inline(always)]
    fn add_floats(self, a: Floats, b: Floats) -> Floats {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn reach(self, votes: Floats, bound: f32) -> u64 {
        mask(|lane| votes[lane] >= bound)
    }

    #[inline(always)]
    fn norms(self, sums: Ints, squares: Ints, area: f64) -> (Floats, u64) {
        let norms: Floats = std::array::from_fn(|lane| {
            let sum = f64::from(sums[lane]);
            let variance = area * f64::from(squares[lane]) - sum * sum;
            (1.0 / variance.sqrt()) as f32
        });
        // No number and infinity, from variances of 0 and less, are not below.
        (norms, mask(|lane| area * f64::from(norms[lane]) < 1e-1))
    }

    #[inline(always)]
    unsafe fn widen(self, from: *const u8) -> Ints {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[u8; 4]>().read() }.map(i32::from)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32, ints: Ints) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<Ints>().write(ints) }
    }

    #[inline(always)]
    fn square(self, ints: Ints) -> Ints {
        each(|lane| ints[lane] * ints[lane])
    }

    #[inline(always)]
    fn running_sums(self, [a, b, c, d]: Ints) -> Ints {
        [a, a + b, a + b + c, a + b + c + d]
    }

    #[inline(always)]
    fn last(self, ints: Ints) -> Ints {
        [ints[3]; 4]
    }

    #[inline(always)]
    fn split(self, a: Ints, b: Ints) -> (Ints, Ints) {
        ([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]])
    }

    #[inline(always)]
    unsafe fn transpose(self, from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe {
            let rows: [Ints; 4] = std::array::from_fn(|row| self.load(from[first + row].add(at)));
            let columns: [Ints; 4] = std::array::from_fn(|column| rows.map(|row| row[column]));
            for (column, &ints) in columns.iter().enumerate() {
                self.store(to.add(column * BATCH + first), ints);
            }
        }
    }
}
