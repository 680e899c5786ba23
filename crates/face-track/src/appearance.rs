//! What a face looks like, as far as two sightings of one person have it in common.
//!
//! A descriptor consists of histograms of uniform local binary patterns (Ojala et al. 2002,
//! doi:10.1109/TPAMI.2002.1017623) of the levelled face in a grid of cells (Ahonen et al. 2006,
//! doi:10.1109/TPAMI.2006.244), and of the same for the clothes below it. The patterns compare each pixel with its
//! neighbours, so brightness and contrast do not matter.

use gray_image::GrayImage;

use crate::dot::dot;
use crate::patch::{Pose, Region, sample};

/// Number of histogram bins: the 58 uniform patterns of eight neighbours, and one for all others.
const PATTERNS: usize = 59;
/// Number of values of the face's patch along a side.
const FACE_SIDE: usize = 66;
/// Cells of the face along a side.
const FACE_CELLS: usize = 5;
/// The face's patch: the box that the detector found and what is around it, the hair above all. Without it the
/// sightings of six people in six clips are told apart less well.
const FACE: Region = Region::centred(1.4);
/// Distance of a pixel's neighbours, in values of a patch.
const RADIUS: usize = 2;
/// Columns and rows of the patch of the clothes.
const CLOTHES_SIZE: (usize, usize) = (66, 34);
/// Cells of the clothes along its sides.
const CLOTHES_CELLS: (usize, usize) = (4, 2);
/// The patch of the clothes: below the chin.
const CLOTHES: Region = Region { x: -0.8, y: 0.75, w: 1.6, h: 0.8 };
/// The clothes count where at least this share of their patch lies in the image.
const MIN_VISIBLE_CLOTHES: f64 = 0.75;

/// A descriptor of one sighting of a person. It is compared within one stream and never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Appearance {
    /// Square roots of the shares of each pattern, cell after cell.
    face: Vec<f32>,
    /// The same for the clothes; `None` where they are out of the image.
    clothes: Option<Vec<f32>>,
}

impl Appearance {
    /// Describes the person whose face is at `pose`.
    pub fn describe(image: &GrayImage, pose: &Pose) -> Self {
        let mut patch = Vec::new();
        sample(image, pose, &FACE, (FACE_SIDE, FACE_SIDE), &mut patch);
        let face = histograms(&patch, FACE_SIDE, (FACE_CELLS, FACE_CELLS));
        // The body stays upright where the head leans.
        let body = Pose { roll: pose.roll / 2.0, ..*pose };
        let bottom = pose.centre.1 + (CLOTHES.y + CLOTHES.h * MIN_VISIBLE_CLOTHES) * pose.side;
        let clothes = (bottom <= image.height() as f64).then(|| {
            sample(image, &body, &CLOTHES, CLOTHES_SIZE, &mut patch);
            histograms(&patch, CLOTHES_SIZE.0, CLOTHES_CELLS)
        });
        Self { face, clothes }
    }

    /// How different two faces look, 0-1: the mean Hellinger distance squared of their histograms.
    pub fn face_distance(&self, other: &Self) -> f32 {
        distance(&self.face, &other.face)
    }

    /// The same for the clothes; `None` where one of them was not visible.
    pub fn clothes_distance(&self, other: &Self) -> Option<f32> {
        Some(distance(self.clothes.as_ref()?, other.clothes.as_ref()?))
    }
}

/// One minus the mean Bhattacharyya coefficient of the cells' histograms.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let cells = (a.len() / PATTERNS).max(1) as f32;
    1.0 - dot(a, b) / cells
}

/// The square roots of the shares of each pattern in each cell of a patch with `columns` values in a row.
fn histograms(patch: &[f32], columns: usize, (cells_x, cells_y): (usize, usize)) -> Vec<f32> {
    let rows = patch.len() / columns;
    let (inner_columns, inner_rows) = (columns - 2 * RADIUS, rows - 2 * RADIUS);
    let mut counts = vec![0.0f32; cells_x * cells_y * PATTERNS];
    let codes = uniform_codes();
    for y in 0..inner_rows {
        for x in 0..inner_columns {
            let at = |dx: usize, dy: usize| patch[(y + dy * RADIUS) * columns + x + dx * RADIUS];
            let centre = at(1, 1);
            // Clockwise from the upper left.
            let neighbours = [at(0, 0), at(1, 0), at(2, 0), at(2, 1), at(2, 2), at(1, 2), at(0, 2), at(0, 1)];
            let pattern = neighbours
                .iter()
                .enumerate()
                .fold(0, |pattern, (bit, &value)| pattern | usize::from(value >= centre) << bit);
            let cell = y * cells_y / inner_rows * cells_x + x * cells_x / inner_columns;
            counts[cell * PATTERNS + usize::from(codes[pattern])] += 1.0;
        }
    }
    for cell in counts.chunks_exact_mut(PATTERNS) {
        let total: f32 = cell.iter().sum::<f32>().max(1.0);
        cell.iter_mut().for_each(|count| *count = (*count / total).sqrt());
    }
    counts
}

/// The bin of each pattern of eight bits: those with at most two changes between neighbouring bits have one each.
fn uniform_codes() -> [u8; 256] {
    let mut codes = [PATTERNS as u8 - 1; 256];
    let mut next = 0;
    for (pattern, code) in codes.iter_mut().enumerate() {
        let pattern = pattern as u8;
        if (pattern ^ pattern.rotate_right(1)).count_ones() <= 2 {
            *code = next;
            next += 1;
        }
    }
    codes
}
