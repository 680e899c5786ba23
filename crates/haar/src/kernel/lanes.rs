//! Neighbouring windows as lanes: what all vectors share.

use super::{BATCH, BLOCK, Block, Line, MARGIN, Survivors};
use crate::dense::{Dense, DenseStage, DenseTree, Halves, Inside, MAX_NODES, Quarters, Shape};
use crate::integral::{Layout, ROOM};
use crate::program::Program;
use crate::scan;

/// Copying a batch takes about as long as some stages: after so many, the lanes of windows that failed are filled anew.
const STAGES_A_ROUND: usize = 4;

/// Vectors of a backend. A value of the type is the proof that the machine has the instructions.
///
/// Masks have one bit a lane, the first lane's lowest.
pub(super) trait Lanes: Copy {
    /// Lanes in a vector.
    const LANES: usize;
    type Ints: Copy;
    type Floats: Copy;

    /// # Safety
    /// There are `LANES` numbers from `from` on.
    unsafe fn load(self, from: *const i32) -> Self::Ints;
    fn zero(self) -> Self::Ints;
    fn add(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    fn sub(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    fn times(self, a: Self::Ints, factor: i32) -> Self::Ints;
    fn splat(self, value: f32) -> Self::Floats;
    /// # Safety
    /// There are `LANES` numbers from `from` on.
    unsafe fn load_floats(self, from: *const f32) -> Self::Floats;
    /// # Safety
    /// There is room for `LANES` numbers from `to` on.
    unsafe fn store_floats(self, to: *mut f32, floats: Self::Floats);
    /// `votes`, and `below` more where value times norm is below the threshold.
    fn vote(
        self,
        votes: Self::Floats,
        value: Self::Ints,
        norm: Self::Floats,
        weak: (f32, f32),
    ) -> Self::Floats;
    /// Where value times norm is below the threshold the first, else the second.
    fn choose(
        self,
        value: Self::Ints,
        norm: Self::Floats,
        threshold: f32,
        leads_to: (Self::Floats, Self::Floats),
    ) -> Self::Floats;
    fn add_floats(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Where `votes` is `bound` or more.
    fn reach(self, votes: Self::Floats, bound: f32) -> u64;
    /// As [`scan::norm`], from the sums over the inner window: the norms, and where there is one.
    fn norms(self, sums: Self::Ints, squares: Self::Ints, area: f64) -> (Self::Floats, u64);

    /// # Safety
    /// There are `LANES` bytes from `from` on.
    unsafe fn widen(self, from: *const u8) -> Self::Ints;
    /// # Safety
    /// There is room for `LANES` numbers from `to` on.
    unsafe fn store(self, to: *mut i32, ints: Self::Ints);
    /// Of numbers up to 255.
    fn square(self, ints: Self::Ints) -> Self::Ints;
    /// Each with all those before it.
    fn running_sums(self, ints: Self::Ints) -> Self::Ints;
    /// The last in every lane.
    fn last(self, ints: Self::Ints) -> Self::Ints;
    /// Of the lanes of `a` and then `b`, the first, third, fifth... and the second, fourth, sixth...
    fn split(self, a: Self::Ints, b: Self::Ints) -> (Self::Ints, Self::Ints);

    /// From `LANES` rows, those from the first on, each from `at` on, to as many columns [`BATCH`] apart, of which these lanes are filled.
    ///
    /// # Safety
    /// There are `LANES` numbers in each row, and room for `LANES` columns of a batch from `to` on.
    unsafe fn transpose(self, from: &[*const i32; BATCH], at: usize, first: usize, to: *mut i32);
}

/// The ways from plain code into a backend's: methods of its proof, each around a function with its instructions.
///
/// `proof`: the type; `features`: what a value of it proves; `pair`: lanes for the first stage and those after it.
macro_rules! entries {
    (proof: $proof:ty, features: $features:literal, pair: |$lanes:ident| $pair:expr) => {
        impl $proof {
            pub(super) fn judge(self, program: &Program, dense: &Dense, block: &mut Block) -> u64 {
                #[target_feature(enable = $features)]
                fn judge($lanes: $proof, program: &Program, dense: &Dense, block: &mut Block) -> u64 {
                    lanes::judge($pair, program, dense, block)
                }
                // SAFETY: `self` proves the features.
                unsafe { judge(self, program, dense, block) }
            }

            pub(super) fn narrow(
                self,
                program: &Program,
                dense: &Dense,
                sums: &[i32],
                survivors: &mut Survivors,
            ) {
                #[target_feature(enable = $features)]
                fn narrow(
                    lanes: $proof,
                    program: &Program,
                    dense: &Dense,
                    sums: &[i32],
                    survivors: &mut Survivors,
                ) {
                    lanes::narrow(lanes, program, dense, sums, survivors);
                }
                // SAFETY: `self` proves the features.
                unsafe { narrow(self, program, dense, sums, survivors) }
            }

            pub(super) fn sum_up(self, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
                #[target_feature(enable = $features)]
                fn sum_up(lanes: $proof, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
                    lanes::sum_up(lanes, layout, pixels, rows);
                }
                // SAFETY: `self` proves the features.
                unsafe { sum_up(self, layout, pixels, rows) }
            }
        }
    };
}
pub(super) use entries;

/// See [`super::Kernel::sum_up`].
#[inline(always)]
pub(super) fn sum_up<L: Lanes>(
    lanes: L,
    layout: Layout,
    pixels: &[u8],
    (sums, squares): (&mut [i32], &mut [u32]),
) {
    let Layout { stride, step, .. } = layout;
    let width = pixels.len() - ROOM;
    // Pairs of vectors, the last of which may reach as far as the room behind the row.
    assert!(sums.len() == 2 * stride && squares.len() == 2 * stride && width + ROOM < stride);
    assert!(step == 1 || (step == 2 && stride % 2 == 0));
    const { assert!(2 * L::LANES <= ROOM) };
    let (sums, squares) = (sums.as_mut_ptr(), squares.as_mut_ptr().cast::<i32>());
    let zero = lanes.zero();
    let (mut carry, mut carry_squares) = (zero, zero);
    // SAFETY: rows are a stride long by the assertions above.
    unsafe {
        *sums.add(stride) = 0;
        *squares.add(stride) = 0;
    }
    // Where the vectors of a pair go: one behind the other, or odd columns and even ones.
    let (one, other) = if step == 1 { (1, 1 + L::LANES) } else { (stride / 2, 1) };
    for at in (0..width).step_by(2 * L::LANES) {
        // SAFETY: `at` and two vectors end in the pixels' room, and at most there in the rows, or their halves.
        unsafe {
            let (a, b) =
                (lanes.widen(pixels.as_ptr().add(at)), lanes.widen(pixels.as_ptr().add(at + L::LANES)));
            let places = (at / step + one, at / step + other);
            carry = add_up(lanes, (a, b), carry, step, sums, stride, places);
            let squared = (lanes.square(a), lanes.square(b));
            carry_squares = add_up(lanes, squared, carry_squares, step, squares, stride, places);
        }
    }
}

/// The sums of two vectors of values. Returns the row's sum so far.
///
/// # Safety
/// In both rows from `row` on there is room at both places.
#[inline(always)]
unsafe fn add_up<L: Lanes>(
    lanes: L,
    (a, b): (L::Ints, L::Ints),
    carry: L::Ints,
    step: usize,
    row: *mut i32,
    stride: usize,
    places: (usize, usize),
) -> L::Ints {
    let a = lanes.add(lanes.running_sums(a), carry);
    let b = lanes.add(lanes.running_sums(b), lanes.last(a));
    let (one, other) = if step == 1 { (a, b) } else { lanes.split(a, b) };
    // SAFETY: the caller's promise.
    unsafe {
        for (place, sums) in [(places.0, one), (places.1, other)] {
            lanes.store(row.add(stride + place), lanes.add(sums, lanes.load(row.add(place))));
        }
    }
    lanes.last(b)
}

/// See [`super::Kernel::judge`]. After the first stage come `few` lanes, of which less lie idle.
#[inline(always)]
pub(super) fn judge<L: Lanes, N: Lanes>(
    (lanes, few): (L, N),
    program: &Program,
    dense: &Dense,
    block: &mut Block,
) -> u64 {
    // Every load below begins at an offset of the program, at most `reach`, from one of the windows.
    let needed = dense.reach + MARGIN;
    assert!(
        block.sums.len() >= needed && block.squares.len() >= needed && (1..=BLOCK).contains(&block.windows)
    );
    const { assert!(BLOCK + 2 * L::LANES <= MARGIN && N::LANES <= L::LANES) };
    let (sums, squares) = (block.sums.as_ptr(), block.squares.as_ptr().cast::<i32>());
    let inside = mask(block.windows);
    let (mut usable, mut passed, mut doubtful) = (0, 0, 0);
    let Some((first, later)) = dense.near.split_first() else { return 0 };
    let mut at = 0;
    while at < block.windows {
        // SAFETY: by the assertions above; `at` is a multiple of `LANES`, which divides the norms.
        let (norm, some) = unsafe {
            let sum = rect(lanes, sums.add(at), &program.inner);
            let square = rect(lanes, squares.add(at), &program.inner);
            let (norm, some) = lanes.norms(sum, square, program.inner_area);
            lanes.store_floats(block.norms.as_mut_ptr().add(at), norm);
            (norm, some)
        };
        // SAFETY: by the assertions above.
        let (pass, doubt) = unsafe { votes(lanes, first, sums.add(at), norm) };
        usable |= some << at;
        passed |= pass << at;
        doubtful |= doubt << at;
        at += L::LANES;
    }
    usable &= inside;
    let exact = |stage: usize, at: usize| scan::passes(program, stage, &block.sums[at..], block.norms[at]);
    passed = settle(passed, doubtful & usable, |at| exact(0, at));
    let mut alive = visited(!passed & usable, &mut block.skip) & passed & usable;
    for (index, stage) in later.iter().enumerate() {
        let (mut left, mut passed, mut doubtful) = (alive, 0, 0);
        if left == 0 {
            return 0;
        }
        while left != 0 {
            let at = (left.trailing_zeros() as usize).min(BLOCK - N::LANES);
            // SAFETY: by the assertions above; `at` leaves room for `LANES` norms.
            let (pass, doubt) = unsafe {
                let norm = few.load_floats(block.norms.as_ptr().add(at));
                votes(few, stage, sums.add(at), norm)
            };
            passed |= pass << at;
            doubtful |= doubt << at;
            left &= !(mask(N::LANES) << at);
        }
        alive &= settle(passed, doubtful & alive, |at| exact(index + 1, at));
    }
    alive
}

/// See [`super::Kernel::narrow`].
#[inline(always)]
pub(super) fn narrow<L: Lanes>(
    lanes: L,
    program: &Program,
    dense: &Dense,
    sums: &[i32],
    survivors: &mut Survivors,
) {
    let Survivors { windows, patch } = survivors;
    let needed = dense.patch.stride * dense.patch.rows + BATCH;
    if patch.len() < needed {
        patch.resize(needed, Line::default());
    }
    for (round, stages) in dense.far.chunks(STAGES_A_ROUND).enumerate() {
        let mut kept = 0;
        for first in (0..windows.len()).step_by(BATCH) {
            let batch = &windows[first..windows.len().min(first + BATCH)];
            // Where they are fewer, the first stands for those that lack.
            let member = |lane: usize| batch.get(lane).unwrap_or(&batch[0]);
            let norms: [f32; BATCH] = std::array::from_fn(|lane| member(lane).norm);
            let corners: [&[i32]; BATCH] = std::array::from_fn(|lane| &sums[member(lane).corner..]);
            copy(lanes, program, dense, &corners, patch);
            let mut alive = mask(batch.len());
            for (index, stage) in stages.iter().enumerate() {
                let (mut passed, mut doubtful) = (0, 0);
                for at in (0..BATCH).step_by(L::LANES).filter(|at| alive >> at & mask(L::LANES) != 0) {
                    // SAFETY: a patch has a line for each corner of its stages, and a batch of norms.
                    let (pass, doubt) = unsafe {
                        let norm = lanes.load_floats(norms.as_ptr().add(at));
                        votes(lanes, stage, patch.as_ptr().cast::<i32>().add(at), norm)
                    };
                    passed |= pass << at;
                    doubtful |= doubt << at;
                }
                let stage = dense.near.len() + round * STAGES_A_ROUND + index;
                let exact = |lane: usize| scan::passes(program, stage, corners[lane], norms[lane]);
                alive &= settle(passed, doubtful & alive, exact);
                if alive == 0 {
                    break;
                }
            }
            while alive != 0 {
                windows[kept] = windows[first + alive.trailing_zeros() as usize];
                kept += 1;
                alive &= alive - 1;
            }
        }
        windows.truncate(kept);
    }
}

/// Copies the integrals that a batch of windows covers to a patch: a line of lanes for each corner.
#[inline(always)]
fn copy<L: Lanes>(lanes: L, program: &Program, dense: &Dense, corners: &[&[i32]; BATCH], patch: &mut [Line]) {
    // Every load below begins at a corner of the window, or at the one behind its last.
    let needed = dense.reach + MARGIN;
    assert!(corners.iter().all(|sums| sums.len() >= needed));
    assert!(patch.len() >= dense.patch.stride * dense.patch.rows + BATCH);
    let (from, to, step) = (program.layout.stride, dense.patch.stride, dense.patch.step);
    let columns = to / step;
    let corners = corners.map(<[i32]>::as_ptr);
    for row in 0..dense.patch.rows {
        for part in 0..step {
            for column in (0..columns).step_by(L::LANES) {
                let from = row * from + part * (from / step) + column;
                let to = row * to + part * columns + column;
                for first in (0..BATCH).step_by(L::LANES) {
                    // SAFETY: by the assertions above; columns that are too many are overwritten by the next.
                    unsafe {
                        lanes.transpose(
                            &corners,
                            from,
                            first,
                            patch.as_mut_ptr().cast::<i32>().add(to * BATCH),
                        )
                    };
                }
            }
        }
    }
}

/// The lowest bits, 1 to 64.
#[inline(always)]
fn mask(bits: usize) -> u64 {
    u64::MAX >> (BLOCK - bits)
}

/// OpenCV skips the window after one that it looked at and that failed the first stage: of a row of failures every
/// second is looked at.
fn visited(failed: u64, skip: &mut bool) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let skipped = u64::from(*skip);
    let failed = failed & !skipped;
    // A carry from the first of a run to behind its last clears the runs that begin at even places.
    let starts = failed & !(failed << 1);
    let even = failed & !failed.wrapping_add(starts & EVEN);
    let failed = (even & EVEN) | (failed & !even & !EVEN);
    *skip = failed >> (BLOCK - 1) != 0;
    !(failed << 1 | skipped)
}

/// Where the rounding leaves windows doubtful, the exact sum decides.
#[inline(always)]
fn settle(passed: u64, mut doubtful: u64, exact: impl Fn(usize) -> bool) -> u64 {
    let mut settled = passed;
    while doubtful != 0 {
        let at = doubtful.trailing_zeros() as usize;
        settled |= u64::from(exact(at)) << at;
        doubtful &= doubtful - 1;
    }
    settled
}

/// Where the stage is passed, and where that is open.
///
/// # Safety
/// At each corner of the stage, counted from `sums`, there are `LANES` numbers.
#[inline(always)]
unsafe fn votes<L: Lanes>(lanes: L, stage: &DenseStage, sums: *const i32, norm: L::Floats) -> (u64, u64) {
    let mut votes = lanes.splat(stage.base);
    for weak in &stage.halves {
        // SAFETY: the caller's promise.
        let value = unsafe { halves(lanes, sums, &weak.value) };
        votes = lanes.vote(votes, value, norm, (weak.threshold, weak.below));
    }
    for weak in &stage.insides {
        // SAFETY: the caller's promise.
        let value = unsafe { inside(lanes, sums, &weak.value) };
        votes = lanes.vote(votes, value, norm, (weak.threshold, weak.below));
    }
    for weak in &stage.quarters {
        // SAFETY: the caller's promise.
        let value = unsafe { quarters(lanes, sums, &weak.value) };
        votes = lanes.vote(votes, value, norm, (weak.threshold, weak.below));
    }
    for tree in &stage.trees {
        // What each node leads to, children before their parents.
        let mut leads_to = [lanes.splat(0.0); MAX_NODES];
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            // SAFETY: the caller's promise.
            let value = unsafe {
                match &node.value {
                    Shape::Halves(value) => halves(lanes, sums, value),
                    Shape::Inside(value) => inside(lanes, sums, value),
                    Shape::Quarters(value) => quarters(lanes, sums, value),
                }
            };
            let [below, above] = node.next;
            let below = follow(lanes, tree, &leads_to, below);
            let above = follow(lanes, tree, &leads_to, above);
            leads_to[index] = lanes.choose(value, norm, node.threshold, (below, above));
        }
        votes = lanes.add_floats(votes, leads_to[0]);
    }
    let passed = lanes.reach(votes, stage.passed);
    (passed, lanes.reach(votes, stage.failed) & !passed)
}

#[inline(always)]
fn follow<L: Lanes>(lanes: L, tree: &DenseTree, leads_to: &[L::Floats; MAX_NODES], next: i32) -> L::Floats {
    let index = next.unsigned_abs() as usize;
    if next > 0 { leads_to[index] } else { lanes.splat(tree.leaves[index]) }
}

/// # Safety
/// At each corner, counted from `sums`, there are `LANES` numbers.
#[inline(always)]
unsafe fn halves<L: Lanes>(lanes: L, sums: *const i32, value: &Halves) -> L::Ints {
    // SAFETY: the caller's promise.
    let at = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f] = value.corners;
    let whole = lanes.add(lanes.sub(at(a), at(c)), lanes.sub(at(b), at(d)));
    lanes.add(whole, lanes.times(lanes.sub(at(e), at(f)), value.factors[0]))
}

/// # Safety
/// At each corner, counted from `sums`, there are `LANES` numbers.
#[inline(always)]
unsafe fn inside<L: Lanes>(lanes: L, sums: *const i32, value: &Inside) -> L::Ints {
    // SAFETY: the caller's promise.
    let at = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f, g, h] = value.corners;
    let outer = lanes.add(lanes.sub(at(a), at(c)), lanes.sub(at(b), at(d)));
    let inner = lanes.add(lanes.sub(at(e), at(g)), lanes.sub(at(f), at(h)));
    lanes.add(outer, lanes.times(inner, value.factors[0]))
}

/// # Safety
/// At each corner, counted from `sums`, there are `LANES` numbers.
#[inline(always)]
unsafe fn quarters<L: Lanes>(lanes: L, sums: *const i32, value: &Quarters) -> L::Ints {
    // SAFETY: the caller's promise.
    let at = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f, g, h, i] = value.corners;
    let [outer, between, centre] = value.factors;
    let sum = |a, b, c, d| lanes.add(lanes.add(at(a), at(b)), lanes.add(at(c), at(d)));
    let value = lanes.add(lanes.times(sum(a, b, c, d), outer), lanes.times(sum(e, f, g, h), between));
    lanes.add(value, lanes.times(at(i), centre))
}

/// # Safety
/// At each corner, counted from `sums`, there are `LANES` numbers.
#[inline(always)]
unsafe fn rect<L: Lanes>(lanes: L, sums: *const i32, corners: &[u32; 4]) -> L::Ints {
    // SAFETY: the caller's promise.
    let [a, b, c, d] = corners.map(|corner| unsafe { lanes.load(sums.add(corner as usize)) });
    lanes.add(lanes.sub(a, b), lanes.sub(d, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_failure_of_a_run_is_visited() {
        let mut state = 1u64;
        let (mut skip, mut skip_one_by_one) = (false, false);
        for round in 0..3000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            // Sparse, dense and full words.
            let failed = match round % 4 {
                0 => state & state >> 9,
                1 => state | state << 7,
                2 => state,
                _ => u64::MAX >> (state >> 58) | state >> 50,
            };
            let mut expected = 0u64;
            for at in 0..BLOCK {
                if !skip_one_by_one {
                    expected |= 1 << at;
                }
                skip_one_by_one = !skip_one_by_one && failed >> at & 1 == 1;
            }
            assert_eq!(visited(failed, &mut skip), expected, "{failed:x}");
            assert_eq!(skip, skip_one_by_one);
        }
    }
}
