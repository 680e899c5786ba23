//! The search for a frame that was scaled, cropped or bordered.

use mood_schema::Rect;

use crate::agreement::{Seen, compare};
use crate::placement::{Orientation, Placement};
use crate::witness::{FRAME_SIDE, Size, Witness};

/// Cells along each side of the coarse grid.
const COARSE_SIDE: usize = 8;
/// Steps between two places that are tried, for each side of the source frame: two thirds of a coarse cell.
const STEPS: f64 = 12.0;
/// Ratio of a scale that is tried to the next.
const SCALE_RATIO: f64 = 1.2;
/// The smallest and the largest scale that is tried, relative to the one at which the source frame just fits.
const SCALES: std::ops::Range<f64> = 0.5..3.0;
/// The least share of each side of the source frame that must be visible.
const MIN_VISIBLE: f64 = 0.3;
/// The least correlation of the coarse grid for a closer look.
const MIN_COARSE_CORRELATION: f64 = 0.5;
/// How many of the best coarse places are looked at closely.
const MAX_REFINED: usize = 12;

/// The likeliest placements of the witness in a frame of size `size`: turned by quarters, with the same scale in both
/// directions as far as the frames' pixel aspect ratios tell, cropped or with borders. They may be wrong.
pub(crate) fn search(seen: &Seen, witness: &Witness, size: Size) -> Vec<Placement> {
    let expected = coarse_grid(witness);
    let mut found: Vec<(f64, Placement)> = Vec::new();
    for is_transposed in [false, true] {
        let source = witness.size.display(is_transposed);
        let target = size.display(false);
        let fit = (target.0 / source.0).min(target.1 / source.1);
        let fill = (target.0 / source.0).max(target.1 / source.1);
        let ladder = std::iter::successors(Some(fit * SCALES.start), |scale| Some(scale * SCALE_RATIO));
        let scales = ladder.take_while(|scale| *scale < fit * SCALES.end).chain([1.0, fit, fill]);
        for scale in scales {
            let (w, h) = (scale * source.0 / target.0, scale * source.1 / target.1);
            for y in positions(h) {
                for x in positions(w) {
                    let area = Rect { x, y, w, h };
                    let means = seen.sample.cell_means(&area, COARSE_SIDE);
                    let visible = means.iter().flatten().count();
                    if visible * 10 < COARSE_SIDE * COARSE_SIDE {
                        continue;
                    }
                    let turned = Orientation::all().filter(|turn| turn.is_transposed == is_transposed);
                    found.extend(turned.filter_map(|orientation| {
                        let score = compare(&expected, &means, orientation, COARSE_SIDE).correlation;
                        // A correlation of few cells is high by chance.
                        let weight = (visible as f64 / (COARSE_SIDE * COARSE_SIDE) as f64).sqrt().sqrt();
                        (score >= MIN_COARSE_CORRELATION)
                            .then_some((score * weight, Placement { orientation, area }))
                    }));
                }
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut refined: Vec<Placement> = Vec::new();
    let mut begun: Vec<Placement> = Vec::new();
    for (_, placement) in found {
        if begun.len() >= MAX_REFINED {
            break;
        }
        if begun.iter().all(|other| !is_near(other, &placement)) {
            begun.push(placement);
            refined.push(refine(seen, witness, placement));
        }
    }
    refined
}

/// The positions along one axis at which a source frame of `length` shares of the frame is tried.
fn positions(length: f64) -> impl Iterator<Item = f64> {
    let (first, last) = (-length * (1.0 - MIN_VISIBLE), 1.0 - length * MIN_VISIBLE);
    let count = ((last - first) / (length / STEPS)).ceil().max(1.0) as usize;
    // The middle is among them: elements that add borders or cut on both sides centre the frame.
    let middle = (1.0 - length) / 2.0;
    (0..=count).map(move |index| first + (last - first) * index as f64 / count as f64).chain([middle])
}

/// Whether two placements are neighbours on the grid of those that are tried.
fn is_near(a: &Placement, b: &Placement) -> bool {
    let limit = |length: f64| 1.6 * length / STEPS;
    a.orientation == b.orientation
        && (a.area.w / b.area.w).ln().abs() < 1.6 * SCALE_RATIO.ln()
        && (a.area.x + a.area.w / 2.0 - b.area.x - b.area.w / 2.0).abs() < limit(a.area.w)
        && (a.area.y + a.area.h / 2.0 - b.area.y - b.area.h / 2.0).abs() < limit(a.area.h)
}

/// Moves and scales a placement to the nearest one of the highest correlation, in steps that become smaller.
fn refine(seen: &Seen, witness: &Witness, placement: Placement) -> Placement {
    let correlation =
        |area: &Rect| seen.compare_frame(witness, &Placement { area: *area, ..placement }).correlation;
    let mut best = (correlation(&placement.area), placement.area);
    let mut step = 0.5 / STEPS;
    while step > 0.001 {
        let Rect { x, y, w, h } = best.1;
        let scaled = |factor: f64| Rect {
            x: x + w * (1.0 - factor) / 2.0,
            y: y + h * (1.0 - factor) / 2.0,
            w: w * factor,
            h: h * factor,
        };
        let neighbours = [
            Rect { x: x - step * w, ..best.1 },
            Rect { x: x + step * w, ..best.1 },
            Rect { y: y - step * h, ..best.1 },
            Rect { y: y + step * h, ..best.1 },
            scaled(1.0 - step),
            scaled(1.0 + step),
        ];
        let scored = neighbours.map(|area| (correlation(&area), area));
        match scored.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).filter(|better| better.0 > best.0) {
            Some(better) => best = better,
            None => step /= 2.0,
        }
    }
    Placement { area: best.1, ..placement }
}

/// The witness's grid, coarser.
fn coarse_grid(witness: &Witness) -> Vec<u8> {
    const CELLS: usize = FRAME_SIDE / COARSE_SIDE;
    let cell = |index: usize| {
        let (left, top) = (index % COARSE_SIDE * CELLS, index / COARSE_SIDE * CELLS);
        let rows = witness.luma.chunks_exact(FRAME_SIDE).skip(top).take(CELLS);
        let sum: usize = rows.flat_map(|row| &row[left..left + CELLS]).map(|&luma| usize::from(luma)).sum();
        (sum / (CELLS * CELLS)) as u8
    };
    (0..COARSE_SIDE * COARSE_SIDE).map(cell).collect()
}
