//! The windows of a stripe, each evaluated by the stages of the cascade.

use crate::compiled::CompiledCascade;
use crate::compiled::scalar::{CompiledTree, ScalarCascade, Stage, Stages, Stump};
use crate::compiled::vector::VectorCascade;
use crate::integral::Integrals;
use crate::kernel::{BLOCK, Block, Kernel, Survivor, Survivors, window_norm};
use crate::scan_plan::{Level, Stripe};

/// Calls `report` with column and row (in the level) of each window that passes every stage.
///
/// As in OpenCV, the window after one that fails the first stage is skipped; a window too flat to be
/// normalised fails without that consequence.
pub(crate) fn scan(
    kernel: impl Kernel,
    cascade: &CompiledCascade,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    survivors: &mut Survivors,
    mut report: impl FnMut(usize, usize),
) {
    match cascade {
        CompiledCascade::Scalar(cascade) => match &cascade.stages {
            Stages::Stumps(stages) => {
                scan_windows(cascade, stages, Stump::vote, integrals, level, stripe, report);
            }
            Stages::Trees(stages) => {
                scan_windows(cascade, stages, CompiledTree::vote, integrals, level, stripe, report);
            }
        },
        CompiledCascade::Vector(cascade) => {
            scan_blocks(kernel, cascade, integrals, level, stripe, survivors);
            for survivor in &survivors.windows {
                report(survivor.column, survivor.row);
            }
        }
    }
}

/// Leaves in `survivors` the windows that pass every stage.
fn scan_blocks(
    kernel: impl Kernel,
    cascade: &VectorCascade,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    survivors: &mut Survivors,
) {
    let windows = level.columns.div_ceil(level.step);
    survivors.windows.clear();
    for row in (0..stripe.window_rows).step_by(level.step) {
        let mut skip = false;
        for first in (0..windows).step_by(BLOCK) {
            let corner = row * cascade.exact.layout.stride + first;
            let mut block = Block {
                sums: &integrals.sums[corner..],
                squares: &integrals.squares[corner..],
                windows: BLOCK.min(windows - first),
                skip,
                norms: [0.0; BLOCK],
            };
            let mut passed = kernel.evaluate_block(cascade, &mut block);
            skip = block.skip;
            while passed != 0 {
                let index = passed.trailing_zeros() as usize;
                survivors.windows.push(Survivor {
                    corner: corner + index,
                    norm: block.norms[index],
                    column: (first + index) * level.step,
                    row: stripe.first_row + row,
                });
                passed &= passed - 1;
            }
        }
    }
    kernel.filter_survivors(cascade, &integrals.sums, survivors);
}

/// Reports the windows that pass every stage, evaluated one at a time.
#[inline(always)]
fn scan_windows<T>(
    cascade: &ScalarCascade,
    stages: &[Stage<T>],
    vote: impl Fn(&T, &[i32], f32) -> f32 + Copy,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    mut report: impl FnMut(usize, usize),
) {
    for row in (0..stripe.window_rows).step_by(level.step) {
        let mut column = 0;
        while column < level.columns {
            let corner = row * cascade.layout.stride + column / cascade.layout.step;
            let window = &integrals.sums[corner..];
            if let Some(norm) = window_norm(cascade, window, &integrals.squares[corner..]) {
                match stages.iter().position(|stage| !stage.passes(vote, window, norm)) {
                    Some(0) => column += level.step,
                    Some(_) => {}
                    None => report(column, stripe.first_row + row),
                }
            }
            column += level.step;
        }
    }
}
