//! The loops over windows for vectors of any width: neighbouring windows are lanes.

use super::scalar::passes_stage;
use super::{BATCH, BLOCK, Block, MARGIN, PatchLine, Survivors};
use crate::compiled::vector::{
    CentreSum, DiagonalSum, EdgeSum, FeatureSum, MAX_NODES, VectorCascade, VectorStage, VectorTree,
};
use crate::layout::{Layout, ROW_PADDING};

/// Batch stages between two regroupings of the survivors. Copying a batch into the patch takes about as long
/// as some stages, and without it the lanes of windows that failed stay idle.
const STAGES_PER_ROUND: usize = 4;

/// The vectors of an instruction set: `LANES` integers or floats.
///
/// Masks have one bit per lane; the lowest bit is that of the first lane.
///
/// # Safety
/// A value of an implementing type is the proof that the CPU has the instructions that its methods use. Loads
/// and stores touch exactly the memory that their descriptions name, and need no alignment beyond the
/// element's.
pub(super) unsafe trait Lanes: Copy {
    /// Number of lanes: a power of two, 4 to 16.
    const LANES: usize;
    /// A vector of `i32`.
    type Ints: Copy;
    /// A vector of `f32`.
    type Floats: Copy;

    /// Loads `LANES` integers.
    ///
    /// # Safety
    /// `LANES` integers are readable from `from` on.
    unsafe fn load(self, from: *const i32) -> Self::Ints;
    /// Zero in every lane.
    fn zero(self) -> Self::Ints;
    /// The wrapping sum.
    fn add(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// The wrapping difference.
    fn subtract(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// The wrapping product of every lane with a factor.
    fn multiply(self, a: Self::Ints, factor: i32) -> Self::Ints;
    /// One value in every lane.
    fn splat(self, value: f32) -> Self::Floats;
    /// Loads `LANES` floats.
    ///
    /// # Safety
    /// `LANES` floats are readable from `from` on.
    unsafe fn load_floats(self, from: *const f32) -> Self::Floats;
    /// Stores `LANES` floats.
    ///
    /// # Safety
    /// `LANES` floats are writable from `to` on.
    unsafe fn store_floats(self, to: *mut f32, floats: Self::Floats);
    /// Adds `vote_below` to `votes` in the lanes where value times norm is below the threshold.
    fn add_votes(
        self,
        votes: Self::Floats,
        value: Self::Ints,
        norm: Self::Floats,
        stump: (f32, f32),
    ) -> Self::Floats;
    /// The first of `branches` in the lanes where value times norm is below the threshold, the second in the
    /// others.
    fn select_branch(
        self,
        value: Self::Ints,
        norm: Self::Floats,
        threshold: f32,
        branches: (Self::Floats, Self::Floats),
    ) -> Self::Floats;
    /// The sum of floats.
    fn add_floats(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// A mask of the lanes where `votes` is `bound` or more.
    fn at_least(self, votes: Self::Floats, bound: f32) -> u64;
    /// The factors of [`window_norm`](super::window_norm) from sums over the inner window, and a mask of the
    /// lanes that have one.
    fn window_norms(self, sums: Self::Ints, squares: Self::Ints, area: f64) -> (Self::Floats, u64);

    /// Loads `LANES` bytes.
    ///
    /// # Safety
    /// `LANES` bytes are readable from `from` on.
    unsafe fn load_bytes(self, from: *const u8) -> Self::Ints;
    /// Stores `LANES` integers.
    ///
    /// # Safety
    /// `LANES` integers are writable from `to` on.
    unsafe fn store(self, to: *mut i32, ints: Self::Ints);
    /// The squares of integers from 0 to 255.
    fn square(self, ints: Self::Ints) -> Self::Ints;
    /// In each lane the sum of that lane and all before it.
    fn prefix_sums(self, ints: Self::Ints) -> Self::Ints;
    /// The last lane in every lane.
    fn broadcast_last(self, ints: Self::Ints) -> Self::Ints;
    /// Of the lanes of `a` followed by those of `b`, the first, third, fifth... and the second, fourth,
    /// sixth...
    fn deinterleave(self, a: Self::Ints, b: Self::Ints) -> (Self::Ints, Self::Ints);

    /// Copies a square of `LANES` x `LANES` integers to its transpose. The rows begin `start` integers after
    /// the pointers `from[first..]`; column `i` goes to `to + i * BATCH + first`.
    ///
    /// # Safety
    /// From `start` on `LANES` integers are readable in each of those rows, and `LANES * BATCH` are writable
    /// from `to` on.
    unsafe fn transpose(self, from: &[*const i32; BATCH], start: usize, first: usize, to: *mut i32);
}

/// Defines functions with a kernel's `target_feature`s around the loops of this module, which are inlined
/// into them.
///
/// `token`: the kernel's type, a value of which proves the features; `lanes`: the vectors for the first stage
/// and for those after it.
macro_rules! entry_points {
    (token: $token:ty, features: $features:literal, lanes: |$kernel:ident| $lanes:expr) => {
        /// [`lanes::evaluate_block`] with this kernel's instructions.
        #[target_feature(enable = $features)]
        fn evaluate_block($kernel: $token, cascade: &VectorCascade, block: &mut Block) -> u64 {
            lanes::evaluate_block($lanes, cascade, block)
        }

        /// [`lanes::filter_survivors`] with this kernel's instructions.
        #[target_feature(enable = $features)]
        fn filter_survivors(
            kernel: $token,
            cascade: &VectorCascade,
            sums: &[i32],
            survivors: &mut Survivors,
        ) {
            lanes::filter_survivors(kernel, cascade, sums, survivors);
        }

        /// [`lanes::integrate_row`] with this kernel's instructions.
        #[target_feature(enable = $features)]
        fn integrate_row(kernel: $token, layout: Layout, pixels: &[u8], rows: (&mut [i32], &mut [u32])) {
            lanes::integrate_row(kernel, layout, pixels, rows);
        }
    };
}
pub(super) use entry_points;

/// See [`Kernel::integrate_row`](super::Kernel::integrate_row).
#[inline(always)]
pub(super) fn integrate_row<L: Lanes>(
    lanes: L,
    layout: Layout,
    pixels: &[u8],
    (sums, squares): (&mut [i32], &mut [u32]),
) {
    let Layout { stride, step, .. } = layout;
    let width = pixels.len() - ROW_PADDING;
    // The last pair of vectors may reach as far as the padding behind the row.
    assert!(sums.len() == 2 * stride && squares.len() == 2 * stride && width + ROW_PADDING < stride);
    assert!(step == 1 || (step == 2 && stride % 2 == 0));
    const { assert!(2 * L::LANES <= ROW_PADDING) };
    let (sums, squares) = (sums.as_mut_ptr(), squares.as_mut_ptr().cast::<i32>());
    let zero = lanes.zero();
    let (mut carry, mut carry_squares) = (zero, zero);
    // SAFETY: both hold two rows of a stride each, by the assertions above.
    unsafe {
        *sums.add(stride) = 0;
        *squares.add(stride) = 0;
    }
    // Positions of the two vectors of a pair in a row: one after the other, or odd columns and even columns.
    let (first, second) = if step == 1 { (1, 1 + L::LANES) } else { (stride / 2, 1) };
    for start in (0..width).step_by(2 * L::LANES) {
        // SAFETY: two vectors from `start` on end at most in the padding behind the pixels, and so at most in
        // the padding of a row of sums or of its halves.
        unsafe {
            let a = lanes.load_bytes(pixels.as_ptr().add(start));
            let b = lanes.load_bytes(pixels.as_ptr().add(start + L::LANES));
            let positions = (start / step + first, start / step + second);
            carry = add_prefix_sums(lanes, (a, b), carry, step, sums, stride, positions);
            let squared = (lanes.square(a), lanes.square(b));
            carry_squares = add_prefix_sums(lanes, squared, carry_squares, step, squares, stride, positions);
        }
    }
}

/// Writes the sums of two vectors of values to the row below `row`. Returns the sum of the row so far in
/// every lane.
///
/// # Safety
/// In the row from `row` on and in the one a stride later, `LANES` integers are readable and writable at both
/// positions.
#[inline(always)]
unsafe fn add_prefix_sums<L: Lanes>(
    lanes: L,
    (a, b): (L::Ints, L::Ints),
    carry: L::Ints,
    step: usize,
    row: *mut i32,
    stride: usize,
    positions: (usize, usize),
) -> L::Ints {
    let a = lanes.add(lanes.prefix_sums(a), carry);
    let b = lanes.add(lanes.prefix_sums(b), lanes.broadcast_last(a));
    let (first, second) = if step == 1 { (a, b) } else { lanes.deinterleave(a, b) };
    // SAFETY: the caller guarantees both positions in both rows.
    unsafe {
        for (position, sums) in [(positions.0, first), (positions.1, second)] {
            lanes.store(row.add(stride + position), lanes.add(sums, lanes.load(row.add(position))));
        }
    }
    lanes.broadcast_last(b)
}

/// See [`Kernel::evaluate_block`](super::Kernel::evaluate_block). The stages after the first use `narrow`
/// vectors, since few windows are left and more of their lanes are busy.
#[inline(always)]
pub(super) fn evaluate_block<L: Lanes, N: Lanes>(
    (lanes, narrow): (L, N),
    cascade: &VectorCascade,
    block: &mut Block,
) -> u64 {
    // Every load below begins at an offset of the cascade, at most `max_offset`, from the corner of a window.
    let needed = cascade.max_offset + MARGIN;
    assert!(block.sums.len() >= needed && block.squares.len() >= needed);
    assert!((1..=BLOCK).contains(&block.windows));
    const { assert!(BLOCK + 2 * L::LANES <= MARGIN && N::LANES <= L::LANES) };
    let exact = &cascade.exact;
    let (sums, squares) = (block.sums.as_ptr(), block.squares.as_ptr().cast::<i32>());
    let (mut has_norm, mut passed, mut doubtful) = (0, 0, 0);
    let Some((first_stage, later_stages)) = cascade.block_stages.split_first() else { return 0 };
    let mut index = 0;
    while index < block.windows {
        // SAFETY: the slices are long enough by the assertions above; `index` is a multiple of `LANES`, which
        // divides the number of norms.
        let (norm, mask) = unsafe {
            let sum = load_rect(lanes, sums.add(index), &exact.inner);
            let square_sum = load_rect(lanes, squares.add(index), &exact.inner);
            let (norm, mask) = lanes.window_norms(sum, square_sum, exact.inner_area);
            lanes.store_floats(block.norms.as_mut_ptr().add(index), norm);
            (norm, mask)
        };
        // SAFETY: as above; the offsets of the stages are those of the cascade.
        let (pass, doubt) = unsafe { evaluate_stage(lanes, first_stage, sums.add(index), norm) };
        has_norm |= mask << index;
        passed |= pass << index;
        doubtful |= doubt << index;
        index += L::LANES;
    }
    has_norm &= low_bits(block.windows);
    let passes_exactly =
        |stage: usize, index: usize| passes_stage(exact, stage, &block.sums[index..], block.norms[index]);
    passed = resolve_doubts(passed, doubtful & has_norm, |index| passes_exactly(0, index));
    let mut alive = unskipped_windows(!passed & has_norm, &mut block.skip) & passed & has_norm;
    for (stage_index, stage) in later_stages.iter().enumerate() {
        let (mut remaining, mut passed, mut doubtful) = (alive, 0, 0);
        if remaining == 0 {
            return 0;
        }
        while remaining != 0 {
            // The next vector begins at the next window that is alive, not at a multiple of the lanes.
            let index = (remaining.trailing_zeros() as usize).min(BLOCK - N::LANES);
            // SAFETY: the sums are long enough by the assertions above, and `LANES` norms follow `index`.
            let (pass, doubt) = unsafe {
                let norm = narrow.load_floats(block.norms.as_ptr().add(index));
                evaluate_stage(narrow, stage, sums.add(index), norm)
            };
            passed |= pass << index;
            doubtful |= doubt << index;
            remaining &= !(low_bits(N::LANES) << index);
        }
        alive &= resolve_doubts(passed, doubtful & alive, |index| passes_exactly(stage_index + 1, index));
    }
    alive
}

/// See [`Kernel::filter_survivors`](super::Kernel::filter_survivors).
#[inline(always)]
pub(super) fn filter_survivors<L: Lanes>(
    lanes: L,
    cascade: &VectorCascade,
    sums: &[i32],
    survivors: &mut Survivors,
) {
    let Survivors { windows, patch } = survivors;
    let needed = cascade.patch_layout.plane_len() + BATCH;
    if patch.len() < needed {
        patch.resize(needed, PatchLine::default());
    }
    for (round, stages) in cascade.batch_stages.chunks(STAGES_PER_ROUND).enumerate() {
        let mut kept = 0;
        for first in (0..windows.len()).step_by(BATCH) {
            let batch = &windows[first..windows.len().min(first + BATCH)];
            // Where the batch is not full, its first window fills the other lanes.
            let window_of_lane = |lane: usize| batch.get(lane).unwrap_or(&batch[0]);
            let norms: [f32; BATCH] = std::array::from_fn(|lane| window_of_lane(lane).norm);
            let corners: [&[i32]; BATCH] = std::array::from_fn(|lane| &sums[window_of_lane(lane).corner..]);
            copy_to_patch(lanes, cascade, &corners, patch);
            let mut alive = low_bits(batch.len());
            for (index, stage) in stages.iter().enumerate() {
                let (mut passed, mut doubtful) = (0, 0);
                let is_alive = |first: &usize| alive >> first & low_bits(L::LANES) != 0;
                for first in (0..BATCH).step_by(L::LANES).filter(is_alive) {
                    // SAFETY: the patch has a line of `BATCH` sums for each corner of its stages, and there
                    // are `BATCH` norms; `first + LANES` is at most `BATCH`.
                    let (pass, doubt) = unsafe {
                        let norm = lanes.load_floats(norms.as_ptr().add(first));
                        evaluate_stage(lanes, stage, patch.as_ptr().cast::<i32>().add(first), norm)
                    };
                    passed |= pass << first;
                    doubtful |= doubt << first;
                }
                let stage = cascade.block_stages.len() + round * STAGES_PER_ROUND + index;
                let passes_exactly =
                    |lane: usize| passes_stage(&cascade.exact, stage, corners[lane], norms[lane]);
                alive &= resolve_doubts(passed, doubtful & alive, passes_exactly);
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

/// Copies the integral image under each window of a batch to the patch: a line of [`BATCH`] sums for each
/// corner.
#[inline(always)]
fn copy_to_patch<L: Lanes>(
    lanes: L,
    cascade: &VectorCascade,
    corners: &[&[i32]; BATCH],
    patch: &mut [PatchLine],
) {
    // Every load below begins at a corner of the window, or at the one after its last.
    let needed = cascade.max_offset + MARGIN;
    assert!(corners.iter().all(|sums| sums.len() >= needed));
    assert!(patch.len() >= cascade.patch_layout.plane_len() + BATCH);
    let Layout { stride, rows, step, .. } = cascade.patch_layout;
    let source_stride = cascade.exact.layout.stride;
    let columns = stride / step;
    let corners = corners.map(<[i32]>::as_ptr);
    for row in 0..rows {
        for part in 0..step {
            for column in (0..columns).step_by(L::LANES) {
                let from = row * source_stride + part * (source_stride / step) + column;
                let to = row * stride + part * columns + column;
                for first in (0..BATCH).step_by(L::LANES) {
                    // SAFETY: the slices are long enough by the assertions above. The last vector of a row
                    // may write lines of the next row, which are written after it, or of the `BATCH` lines
                    // behind the last row.
                    unsafe {
                        let to = patch.as_mut_ptr().cast::<i32>().add(to * BATCH);
                        lanes.transpose(&corners, from, first, to);
                    }
                }
            }
        }
    }
}

/// A mask of the lowest `bits` bits (1 to 64).
#[inline(always)]
fn low_bits(bits: usize) -> u64 {
    u64::MAX >> (BLOCK - bits)
}

/// The windows that OpenCV evaluates, given those that would fail the first stage: it skips the window after
/// one that it evaluated and that failed, so of a run of failures it evaluates every second.
fn unskipped_windows(failed: u64, skip: &mut bool) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let skipped = u64::from(*skip);
    let failed = failed & !skipped;
    // A carry from the first bit of a run to the bit after its last clears the runs that begin at even
    // positions.
    let starts = failed & !(failed << 1);
    let even = failed & !failed.wrapping_add(starts & EVEN);
    let failed = (even & EVEN) | (failed & !even & !EVEN);
    *skip = failed >> (BLOCK - 1) != 0;
    !(failed << 1 | skipped)
}

/// Adds to `passed` the doubtful windows, those too close to the threshold for rounded sums, whose exact sum
/// of votes passes.
#[inline(always)]
fn resolve_doubts(passed: u64, mut doubtful: u64, passes_exactly: impl Fn(usize) -> bool) -> u64 {
    let mut resolved = passed;
    while doubtful != 0 {
        let index = doubtful.trailing_zeros() as usize;
        resolved |= u64::from(passes_exactly(index)) << index;
        doubtful &= doubtful - 1;
    }
    resolved
}

/// Masks of the lanes that certainly pass the stage, and of those where rounding could change the result.
///
/// # Safety
/// `LANES` integers are readable at each corner of the stage, counted from `sums`.
#[inline(always)]
unsafe fn evaluate_stage<L: Lanes>(
    lanes: L,
    stage: &VectorStage,
    sums: *const i32,
    norm: L::Floats,
) -> (u64, u64) {
    let mut votes = lanes.splat(stage.base_votes);
    for stump in &stage.edges {
        // SAFETY: the caller guarantees the corners of the stage.
        let value = unsafe { load_edge(lanes, sums, &stump.value) };
        votes = lanes.add_votes(votes, value, norm, (stump.threshold, stump.vote_below));
    }
    for stump in &stage.centres {
        // SAFETY: the caller guarantees the corners of the stage.
        let value = unsafe { load_centre(lanes, sums, &stump.value) };
        votes = lanes.add_votes(votes, value, norm, (stump.threshold, stump.vote_below));
    }
    for stump in &stage.diagonals {
        // SAFETY: the caller guarantees the corners of the stage.
        let value = unsafe { load_diagonal(lanes, sums, &stump.value) };
        votes = lanes.add_votes(votes, value, norm, (stump.threshold, stump.vote_below));
    }
    for tree in &stage.trees {
        // The vote that each node leads to, children before their parents.
        let mut node_votes = [lanes.splat(0.0); MAX_NODES];
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            // SAFETY: the caller guarantees the corners of the stage.
            let value = unsafe {
                match &node.value {
                    FeatureSum::Edge(value) => load_edge(lanes, sums, value),
                    FeatureSum::Centre(value) => load_centre(lanes, sums, value),
                    FeatureSum::Diagonal(value) => load_diagonal(lanes, sums, value),
                }
            };
            let [below, above] = node.branches;
            let below = branch_vote(lanes, tree, &node_votes, below);
            let above = branch_vote(lanes, tree, &node_votes, above);
            node_votes[index] = lanes.select_branch(value, norm, node.threshold, (below, above));
        }
        votes = lanes.add_floats(votes, node_votes[0]);
    }
    let passed = lanes.at_least(votes, stage.pass_bound);
    (passed, lanes.at_least(votes, stage.fail_bound) & !passed)
}

/// The vote that a branch leads to: that of a later node, or a leaf.
#[inline(always)]
fn branch_vote<L: Lanes>(
    lanes: L,
    tree: &VectorTree,
    node_votes: &[L::Floats; MAX_NODES],
    branch: i32,
) -> L::Floats {
    let index = branch.unsigned_abs() as usize;
    if branch > 0 { node_votes[index] } else { lanes.splat(tree.leaves[index]) }
}

/// The value of a two-rectangle feature.
///
/// # Safety
/// `LANES` integers are readable at each corner, counted from `sums`.
#[inline(always)]
unsafe fn load_edge<L: Lanes>(lanes: L, sums: *const i32, value: &EdgeSum) -> L::Ints {
    // SAFETY: the caller guarantees each corner.
    let load = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f] = value.corners;
    let both = lanes.add(lanes.subtract(load(a), load(c)), lanes.subtract(load(b), load(d)));
    lanes.add(both, lanes.multiply(lanes.subtract(load(e), load(f)), value.factors[0]))
}

/// The value of a feature of a rectangle inside another.
///
/// # Safety
/// `LANES` integers are readable at each corner, counted from `sums`.
#[inline(always)]
unsafe fn load_centre<L: Lanes>(lanes: L, sums: *const i32, value: &CentreSum) -> L::Ints {
    // SAFETY: the caller guarantees each corner.
    let load = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f, g, h] = value.corners;
    let outer = lanes.add(lanes.subtract(load(a), load(c)), lanes.subtract(load(b), load(d)));
    let inner = lanes.add(lanes.subtract(load(e), load(g)), lanes.subtract(load(f), load(h)));
    lanes.add(outer, lanes.multiply(inner, value.factors[0]))
}

/// The value of a four-rectangle feature.
///
/// # Safety
/// `LANES` integers are readable at each corner, counted from `sums`.
#[inline(always)]
unsafe fn load_diagonal<L: Lanes>(lanes: L, sums: *const i32, value: &DiagonalSum) -> L::Ints {
    // SAFETY: the caller guarantees each corner.
    let load = |corner: u32| unsafe { lanes.load(sums.add(corner as usize)) };
    let [a, b, c, d, e, f, g, h, i] = value.corners;
    let [first, second, last] = value.factors;
    let sum_of_four = |a, b, c, d| lanes.add(lanes.add(load(a), load(b)), lanes.add(load(c), load(d)));
    let firsts = lanes.multiply(sum_of_four(a, b, c, d), first);
    let seconds = lanes.multiply(sum_of_four(e, f, g, h), second);
    lanes.add(lanes.add(firsts, seconds), lanes.multiply(load(i), last))
}

/// The sum over a rectangle, from its upper left, upper right, lower left and lower right corner.
///
/// # Safety
/// `LANES` integers are readable at each corner, counted from `sums`.
#[inline(always)]
unsafe fn load_rect<L: Lanes>(lanes: L, sums: *const i32, corners: &[u32; 4]) -> L::Ints {
    // SAFETY: the caller guarantees each corner.
    let [a, b, c, d] = corners.map(|corner| unsafe { lanes.load(sums.add(corner as usize)) });
    lanes.add(lanes.subtract(a, b), lanes.subtract(d, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_failure_of_a_run_is_evaluated() {
        let mut state = 1u64;
        let (mut skip, mut reference_skip) = (false, false);
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
            for index in 0..BLOCK {
                if !reference_skip {
                    expected |= 1 << index;
                }
                reference_skip = !reference_skip && failed >> index & 1 == 1;
            }
            assert_eq!(unskipped_windows(failed, &mut skip), expected, "{failed:x}");
            assert_eq!(skip, reference_skip);
        }
    }
}
