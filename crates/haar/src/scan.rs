//! The hot loop: every window of a stripe through the stages of the cascade.

use crate::integral::Integrals;
use crate::program::{CompiledTree, Program, Rects, Stage, Stump, Weak};
use crate::pyramid::{Level, Stripe};

/// Calls `found` with column and row (in the level) of each window that passes every stage.
///
/// As in OpenCV, a window whose first stage fails lets the next one be skipped; one that is too flat to be normalised
/// does not.
pub(crate) fn scan(
    program: &Program,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    found: impl FnMut(usize, usize),
) {
    match &program.weak {
        Weak::Stumps(stages) => windows(program, integrals, level, stripe, found, |window, norm| {
            passed(stages, |stump| stump.vote(window, norm))
        }),
        Weak::Trees(stages) => windows(program, integrals, level, stripe, found, |window, norm| {
            passed(stages, |tree| tree.vote(window, norm))
        }),
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
            let corner = row * program.layout.stride + column;
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
        let votes: f64 = stage.weak.iter().fold(0.0, |votes, weak| votes + f64::from(vote(weak)));
        if votes < stage.threshold {
            return if index == 0 { Verdict::FailedFirst } else { Verdict::FailedLater };
        }
    }
    Verdict::Passed
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
