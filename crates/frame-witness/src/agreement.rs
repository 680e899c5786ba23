//! How well a frame agrees with a witness under a placement.

use mood_schema::Rect;

use crate::placement::{Orientation, Placement, WHOLE};
use crate::sample::LumaSample;
use crate::witness::{FACE_SIDE, FRAME_SIDE, Witness};

/// The least correlation of the frame's grid.
const MIN_FRAME_CORRELATION: f64 = 0.9;
/// The least correlation of a face's grid.
const MIN_FACE_CORRELATION: f64 = 0.9;
/// The least number of cells of the frame's grid that must be visible.
const MIN_VISIBLE_CELLS: usize = 64;
/// The share of a face's cells that must be visible for its grid to be compared.
const MIN_VISIBLE_SHARE: f64 = 0.3;
/// The largest share of the frame that something may be drawn over, or that changed in another way: a clock, subtitles, a
/// logo.
const MAX_CHANGED_SHARE: f64 = 0.2;
/// The least difference from the expected luma at which a cell has changed.
const MIN_CHANGE: f64 = 12.0;
/// The same as a share of the standard deviation of the grid.
const MIN_CHANGE_SHARE: f64 = 0.5;
/// The largest difference of a border's luma from its median.
const MAX_BORDER_DIFFERENCE: f32 = 12.0;

/// The comparison of two grids of luma.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// Normalised correlation, -1 to 1; 0 where one of the grids is uniform.
    pub correlation: f64,
    /// Cells that could be compared.
    pub visible: usize,
    /// Share of the cells compared, 0-1, whose luma is not that of the witness after the best change of gain and offset; 1
    /// where the correlation is below [`MIN_FRAME_CORRELATION`], which is the case of nearly all comparisons.
    pub changed: f64,
}

/// Compares the luma of a witness with that of the cells seen, which lie turned by `orientation`.
pub(crate) fn compare(
    expected: &[u8],
    seen: &[Option<f32>],
    orientation: Orientation,
    side: usize,
) -> Comparison {
    // By rows and columns: a division for each cell would take longer than the comparison.
    let pairs = || {
        seen.chunks_exact(side).enumerate().flat_map(move |(row, cells)| {
            cells.iter().enumerate().filter_map(move |(column, seen)| {
                let source = orientation.source_index(column, row, side);
                Some((f64::from(expected[source]), f64::from((*seen)?)))
            })
        })
    };
    let [mut n, mut x, mut y, mut xx, mut xy, mut yy] = [0.0; 6];
    pairs().for_each(|(a, b)| {
        n += 1.0;
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
        yy += b * b;
    });
    if n == 0.0 {
        return Comparison { correlation: 0.0, visible: 0, changed: 1.0 };
    }
    let (x, y) = (x / n, y / n);
    let (variance_x, variance_y, covariance) = (xx / n - x * x, yy / n - y * y, xy / n - x * y);
    // A grid whose cells differ by rounding errors alone proves nothing.
    if variance_x < 0.5 || variance_y < 0.5 {
        return Comparison { correlation: 0.0, visible: n as usize, changed: 1.0 };
    }
    let correlation = covariance / (variance_x * variance_y).sqrt();
    let changed = if correlation < MIN_FRAME_CORRELATION {
        1.0
    } else {
        let gain = covariance / variance_x;
        let limit = MIN_CHANGE.max(MIN_CHANGE_SHARE * variance_y.sqrt());
        pairs().filter(|(a, b)| (b - y - gain * (a - x)).abs() > limit).count() as f64 / n
    };
    Comparison { correlation, visible: n as usize, changed }
}

/// The frame that is compared with witnesses.
pub(crate) struct Seen<'a> {
    /// Its luma.
    pub sample: &'a LumaSample,
    /// The grid over the complete frame.
    pub whole: Vec<Option<f32>>,
}

impl<'a> Seen<'a> {
    /// The frame that `sample` was read from.
    pub fn new(sample: &'a LumaSample) -> Self {
        Self { sample, whole: sample.cell_means(&WHOLE, FRAME_SIDE) }
    }

    /// How well the frame agrees with the witness under a placement: the correlation of the frame's grid, 0-1. `None` where
    /// it does not agree.
    pub fn agreement(&self, witness: &Witness, placement: &Placement) -> Option<f64> {
        let frame = self.compare_frame(witness, placement);
        let agrees = frame.visible >= MIN_VISIBLE_CELLS
            && frame.correlation >= MIN_FRAME_CORRELATION
            && frame.changed <= MAX_CHANGED_SHARE;
        let agrees = agrees && self.has_plain_border(&placement.area) && self.has_faces(witness, placement);
        agrees.then_some(frame.correlation)
    }

    /// Compares the grid over the frame alone, without its faces.
    pub fn compare_frame(&self, witness: &Witness, placement: &Placement) -> Comparison {
        let seen = if placement.area == WHOLE {
            None
        } else {
            Some(self.sample.cell_means(&placement.area, FRAME_SIDE))
        };
        let seen = seen.as_ref().unwrap_or(&self.whole);
        compare(&witness.luma, seen, placement.orientation, FRAME_SIDE)
    }

    /// Whether each face that the placement leaves in the frame is there.
    fn has_faces(&self, witness: &Witness, placement: &Placement) -> bool {
        witness.faces.iter().all(|face| {
            let seen = self.sample.cell_means(&placement.map(&face.bbox), FACE_SIDE);
            let face = compare(&face.luma, &seen, placement.orientation, FACE_SIDE);
            // Of a face that lies nearly outside there is nothing to recognise.
            (face.visible as f64) < MIN_VISIBLE_SHARE * seen.len() as f64
                || face.correlation >= MIN_FACE_CORRELATION
        })
    }

    /// Whether what lies outside `area` has one luma, apart from small parts: a border, and not more picture.
    fn has_plain_border(&self, area: &Rect) -> bool {
        let position = |index: usize| index as f64 / FRAME_SIDE as f64;
        let is_outside = |index: usize, start: f64, length: f64| {
            position(index + 1) <= start || position(index) >= start + length
        };
        let cells = self.whole.iter().enumerate().filter(|(index, _)| {
            is_outside(index % FRAME_SIDE, area.x, area.w) || is_outside(index / FRAME_SIDE, area.y, area.h)
        });
        let mut cells: Vec<f32> = cells.filter_map(|(_, mean)| *mean).collect();
        if cells.is_empty() {
            return true;
        }
        cells.sort_unstable_by(f32::total_cmp);
        let median = cells[cells.len() / 2];
        let changed = cells.iter().filter(|&&mean| (mean - median).abs() > MAX_BORDER_DIFFERENCE).count();
        changed as f64 <= MAX_CHANGED_SHARE * self.whole.len() as f64
    }
}
