//! The hot loop: every window of a stripe through the stages of the cascade.

use crate::dense::Dense;
use crate::integral::Integrals;
use crate::kernel::{BLOCK, Block, Kernel, Survivor, Survivors};
use crate::program::{CompiledTree, Program, Rects, Stage, Stump, Weak};
use crate::pyramid::{Level, Stripe};

/// Calls `found` with column and row (in the level) of each window that passes every stage.
///
/// As in OpenCV, a window whose first stage fails lets the next one be skipped; one that is too flat to be normalised
/// does not.
pub(crate) fn scan(
    kernel: Kernel,
    program: &Program,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    survivors: &mut Survivors,
    mut found: impl FnMut(usize, usize),
) {
    if let Some(dense) = &program.dense
        && blocks(kernel, program, dense, integrals, level, stripe, survivors).is_some()
    {
        for survivor in &survivors.windows {
            found(survivor.column, survivor.row);
        }
        return;
    }
    match &program.weak {
        Weak::Stumps(stages) => windows(program, integrals, level, stripe, found, |window, norm| {
            passed(stages, |stump| stump.vote(window, norm))
        }),
        Weak::Trees(stages) => windows(program, integrals, level, stripe, found, |window, norm| {
            passed(stages, |tree| tree.vote(window, norm))
        }),
    }
}

/// Leaves those windows that pass, looked at many at once; `None` where the kernel cannot.
fn blocks(
    kernel: Kernel,
    program: &Program,
    dense: &Dense,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    survivors: &mut Survivors,
) -> Option<()> {
    let windows = level.columns.div_ceil(level.step);
    survivors.windows.clear();
    for row in (0..stripe.window_rows).step_by(level.step) {
        let mut skip = false;
        for first in (0..windows).step_by(BLOCK) {
            let corner = row * program.layout.stride + first;
            let mut block = Block {
                sums: &integrals.sums[corner..],
                squares: &integrals.squares[corner..],
                windows: BLOCK.min(windows - first),
                skip,
                norms: [0.0; BLOCK],
            };
            let mut passed = kernel.judge(program, dense, &mut block)?;
            skip = block.skip;
            while passed != 0 {
                let at = passed.trailing_zeros() as usize;
                survivors.windows.push(Survivor {
                    corner: corner + at,
                    norm: block.norms[at],
                    column: (first + at) * level.step,
                    row: stripe.first_row + row,
                });
                passed &= passed - 1;
            }
        }
    }
    kernel.narrow(program, dense, &integrals.sums, survivors);
    Some(())
}

/// Whether a window passes one stage.
pub(crate) fn passes(program: &Program, stage: usize, window: &[i32], norm: f32) -> bool {
    match &program.weak {
        Weak::Stumps(stages) => passes_stage(&stages[stage], |stump| stump.vote(window, norm)),
        Weak::Trees(stages) => passes_stage(&stages[stage], |tree| tree.vote(window, norm)),
    }
}

/// How far a window came.
enum Verdict {
    FailedFirst,
    FailedLater,
    Passed,
}

#[inline(always)]
fn windows(
    program: &Program,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    mut found: impl FnMut(usize, usize),
    judge: impl Fn(&[i32], f32) -> Verdict,
) {
    for row in (0..stripe.window_rows).step_by(level.step) {
        let mut column = 0;
        while column < level.columns {
            let corner = row * program.layout.stride + column / program.layout.step;
            let window = &integrals.sums[corner..];
            if let Some(norm) = norm(program, window, &integrals.squares[corner..]) {
                match judge(window, norm) {
                    Verdict::FailedFirst => column += level.step,
                    Verdict::FailedLater => (),
                    Verdict::Passed => found(column, stripe.first_row + row),
                }
            }
            column += level.step;
        }
    }
}

/// One over area times standard deviation, `None` for a window so flat that the division would amplify noise.
#[inline(always)]
fn norm(program: &Program, sums: &[i32], squares: &[u32]) -> Option<f32> {
    let [a, b, c, d] = program.inner.map(|corner| squares[corner as usize]);
    let squares = a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d);
    let sum = f64::from(sum(sums, &program.inner));
    let variance = program.inner_area * f64::from(squares) - sum * sum;
    if variance <= 0.0 {
        return None;
    }
    let norm = (1.0 / variance.sqrt()) as f32;
    (program.inner_area * f64::from(norm) < 1e-1).then_some(norm)
}

#[inline(always)]
fn passed<T>(stages: &[Stage<T>], vote: impl Fn(&T) -> f32) -> Verdict {
    for (index, stage) in stages.iter().enumerate() {
        if !passes_stage(stage, &vote) {
            return if index == 0 { Verdict::FailedFirst } else { Verdict::FailedLater };
        }
    }
    Verdict::Passed
}

#[inline(always)]
fn passes_stage<T>(stage: &Stage<T>, vote: impl Fn(&T) -> f32) -> bool {
    let votes = stage.weak.iter().fold(0.0, |votes, weak| votes + f64::from(vote(weak)));
    votes >= stage.threshold
}

impl Stump {
    #[inline(always)]
    fn vote(&self, window: &[i32], norm: f32) -> f32 {
        let [below, above] = self.leaves;
        if self.rects.value(window) * norm < self.threshold { below } else { above }
    }
}

impl CompiledTree {
    #[inline(always)]
    fn vote(&self, window: &[i32], norm: f32) -> f32 {
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            let [below, above] = node.next;
            let next = if node.rects.value(window) * norm < node.threshold { below } else { above };
            if next <= 0 {
                return self.leaves[next.unsigned_abs() as usize];
            }
            at = next as usize;
        }
    }
}

impl Rects {
    /// The weighted sum; the order of the additions is OpenCV's.
    #[inline(always)]
    fn value(&self, window: &[i32]) -> f32 {
        let [first, second, third] = &self.corners;
        let value =
            self.weights[0] * sum(window, first) as f32 + self.weights[1] * sum(window, second) as f32;
        if self.weights[2] == 0.0 { value } else { value + self.weights[2] * sum(window, third) as f32 }
    }
}

#[inline(always)]
fn sum(window: &[i32], corners: &[u32; 4]) -> i32 {
    let [a, b, c, d] = corners.map(|corner| window[corner as usize]);
    a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d)
}
