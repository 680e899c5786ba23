//! The windows of a stripe, each evaluated by the stages of the cascade.

use std::ops::Range;

use gray_image::TurnedRect;

use crate::compiled::CompiledCascade;
use crate::compiled::scalar::{CompiledTree, ScalarCascade, Stage, Stages, Stump};
use crate::compiled::vector::VectorCascade;
use crate::integral::Integrals;
use crate::kernel::{BLOCK, Block, Kernel, Survivor, Survivors, window_norm};
use crate::scan_plan::{Level, Stripe};

/// The part of an image in which windows are searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SearchArea {
    /// Where the centres of the windows lie, in the image.
    pub(crate) rect: TurnedRect,
    /// Distance that a centre keeps from the sides of the rectangle, in sides of the window.
    pub(crate) margin: f64,
}

impl SearchArea {
    /// The columns of a level in which windows of row `row` begin; the first is a multiple of the step.
    fn columns(&self, level: &Level, row: usize) -> Range<usize> {
        let scale = f64::from(level.scale);
        let (half_width, half_height) = (f64::from(level.window.0) / 2.0, f64::from(level.window.1) / 2.0);
        let margin = self.margin * half_width.max(half_height) * 2.0;
        let Some((first, last)) = self.rect.span(row as f64 * scale + half_height, margin) else {
            return 0..0;
        };
        let column = |x: f64| ((x - half_width) / scale).max(0.0);
        let first = (column(first).ceil() as usize).next_multiple_of(level.step);
        // Below, a centre left of the first column is no column.
        if last < half_width {
            return 0..0;
        }
        first..(column(last).floor() as usize).saturating_add(1).min(level.columns)
    }
}

/// The columns in which windows of a row begin: those in `area`, or all of the level's.
fn columns(area: Option<&SearchArea>, level: &Level, row: usize) -> Range<usize> {
    area.map_or(0..level.columns, |area| area.columns(level, row))
}

/// Calls `report` with column and row (in the level) of each window that passes every stage.
///
/// As in OpenCV, the window after one that fails the first stage is skipped; a window too flat to be
/// normalised fails without that consequence.
#[allow(clippy::too_many_arguments, reason = "a stripe, what it is searched with, and what is found")]
pub(crate) fn scan(
    kernel: impl Kernel,
    cascade: &CompiledCascade,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    area: Option<&SearchArea>,
    survivors: &mut Survivors,
    mut report: impl FnMut(usize, usize),
) {
    match cascade {
        CompiledCascade::Scalar(cascade) => match &cascade.stages {
            Stages::Stumps(stages) => {
                scan_windows(cascade, stages, Stump::vote, integrals, level, stripe, area, report);
            }
            Stages::Trees(stages) => {
                scan_windows(cascade, stages, CompiledTree::vote, integrals, level, stripe, area, report);
            }
        },
        CompiledCascade::Vector(cascade) => {
            scan_blocks(kernel, cascade, integrals, level, stripe, area, survivors);
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
    area: Option<&SearchArea>,
    survivors: &mut Survivors,
) {
    survivors.windows.clear();
    for row in (0..stripe.window_rows).step_by(level.step) {
        let columns = columns(area, level, stripe.first_row + row);
        let (start, windows) = (columns.start / level.step, columns.end.div_ceil(level.step));
        let mut skip = false;
        for first in (start..windows).step_by(BLOCK) {
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
#[allow(clippy::too_many_arguments, reason = "a stripe, what it is searched with, and what is found")]
fn scan_windows<T>(
    cascade: &ScalarCascade,
    stages: &[Stage<T>],
    vote: impl Fn(&T, &[i32], f32) -> f32 + Copy,
    integrals: &Integrals,
    level: &Level,
    stripe: &Stripe,
    area: Option<&SearchArea>,
    mut report: impl FnMut(usize, usize),
) {
    for row in (0..stripe.window_rows).step_by(level.step) {
        let Range { start: mut column, end } = columns(area, level, stripe.first_row + row);
        while column < end {
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
