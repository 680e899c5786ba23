//! A cascade compiled for the evaluation of many windows at once.
//!
//! Three departures from OpenCV's order of evaluation leave every result unchanged. Corners that rectangles
//! share are loaded once: with integer weights every sum is an integer that single precision represents
//! exactly, so the order of additions does not matter. The stumps of a stage are sorted by shape, which makes
//! loops without branches. Votes are added in single precision, and where a sum comes so close to the stage's
//! threshold that rounding could matter, the exact sum of the scalar cascade decides.

use std::ops::Range;
use std::sync::Arc;

use super::scalar::{CompiledNode, CompiledTree, FeatureRects, ScalarCascade, Stage, Stages, Stump};
use crate::cascade::Cascade;
use crate::layout::Layout;

/// Integers up to this one are exact in single precision.
const MAX_EXACT: f64 = (1 << 24) as f64;

/// The largest pixel value.
const MAX_PIXEL: f64 = 255.0;

/// Number of stages in which neighbouring windows are evaluated together. After them about one window in ten
/// is left on images of faces.
const BLOCK_STAGES: usize = 4;

/// Windows evaluated together once the survivors have no neighbours left.
pub(crate) const BATCH: usize = 16;

/// Most nodes of a tree: all of them are evaluated, as the windows of a vector take different branches.
pub(crate) const MAX_NODES: usize = 8;

/// The stages of a cascade for vectors, together with its exact form.
#[derive(Clone, Debug)]
pub(crate) struct VectorCascade {
    /// The same cascade in exact arithmetic, for windows whose rounded sum is too close to a threshold.
    pub(crate) exact: ScalarCascade,
    /// The first stages, for neighbouring windows in the integral images.
    pub(crate) block_stages: Vec<VectorStage>,
    /// The other stages, for a patch: a copy of the integral images under a batch of windows, [`BATCH`] sums
    /// for each corner.
    pub(crate) batch_stages: Arc<[VectorStage]>,
    /// The layout of a patch, in units of [`BATCH`] sums.
    pub(crate) patch_layout: Layout,
    /// The largest offset from a window's upper left sum.
    pub(crate) max_offset: usize,
}

/// A stage; its stumps are sorted by the shape of their features.
#[derive(Clone, Debug, Default)]
pub(crate) struct VectorStage {
    /// Stumps over two-rectangle features.
    pub(crate) edges: Vec<VectorStump<EdgeSum>>,
    /// Stumps over three-rectangle and centre-surround features.
    pub(crate) centres: Vec<VectorStump<CentreSum>>,
    /// Stumps over four-rectangle features.
    pub(crate) diagonals: Vec<VectorStump<DiagonalSum>>,
    /// Every weak classifier, in a cascade of trees; else none.
    pub(crate) trees: Vec<VectorTree>,
    /// The sum of votes where no stump's value is below its threshold.
    pub(crate) base_votes: f32,
    /// A sum from here on passes the stage, whatever the rounding.
    pub(crate) pass_bound: f32,
    /// A sum below this fails the stage, whatever the rounding.
    pub(crate) fail_bound: f32,
}

/// The value of a two-rectangle feature, two halves side by side: corners 0 and 1 minus 2 and 3, plus the
/// factor times (4 minus 5).
pub(crate) type EdgeSum = CornerSum<6, 1>;

/// The value of a rectangle inside another, which includes lines of three parts: corners 0 and 1 minus 2 and
/// 3, plus the factor times (4 and 5 minus 6 and 7).
pub(crate) type CentreSum = CornerSum<8, 1>;

/// The value of a four-rectangle feature: corners 0 to 3, 4 to 7, and 8, each group with its factor.
pub(crate) type DiagonalSum = CornerSum<9, 3>;

/// A feature's value as a weighted sum over the distinct corners of its rectangles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CornerSum<const CORNERS: usize, const FACTORS: usize> {
    /// Offsets in the integral image, or, multiplied by [`BATCH`], in a patch.
    pub(crate) corners: [u32; CORNERS],
    /// The factors that are not 1 or -1.
    pub(crate) factors: [i32; FACTORS],
}

/// A feature's value, by shape.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FeatureSum {
    /// Two rectangles.
    Edge(EdgeSum),
    /// Three rectangles, or centre and surround.
    Centre(CentreSum),
    /// Four rectangles.
    Diagonal(DiagonalSum),
}

/// A tree of one node.
#[derive(Clone, Debug)]
pub(crate) struct VectorStump<V> {
    /// The feature's value.
    pub(crate) value: V,
    /// Compared with the normalised value.
    pub(crate) threshold: f32,
    /// What a value below the threshold adds to the stage's base votes.
    pub(crate) vote_below: f32,
}

/// A tree of at most [`MAX_NODES`] nodes, parents before their children.
#[derive(Clone, Debug)]
pub(crate) struct VectorTree {
    /// The nodes, the root first.
    pub(crate) nodes: Vec<VectorNode>,
    /// The vote of each leaf.
    pub(crate) leaves: Vec<f32>,
}

/// A node of a tree.
#[derive(Clone, Debug)]
pub(crate) struct VectorNode {
    /// The feature's value.
    pub(crate) value: FeatureSum,
    /// Compared with the normalised value.
    pub(crate) threshold: f32,
    /// The branches of a value below the threshold and of one not below it: above 0 a node, else minus a
    /// leaf.
    pub(crate) branches: [i32; 2],
}

impl VectorCascade {
    /// Compiles `cascade` for `layout`. `batch_stages` may come from another layout of the same step.
    ///
    /// `None` where a feature is tilted or has another shape than those that OpenCV trains, where a sum might
    /// not be exact, or where a tree is too large.
    pub(crate) fn try_new(
        cascade: &Cascade,
        layout: Layout,
        batch_stages: Option<Arc<[VectorStage]>>,
    ) -> Option<Self> {
        let (width, height) = (cascade.window.0 as i32, cascade.window.1 as i32);
        // Vectors hold sums of squares as signed numbers.
        if layout.tilted || f64::from(width * height) * MAX_PIXEL * MAX_PIXEL > f64::from(i32::MAX) {
            return None;
        }
        let patch_layout =
            Layout { stride: (width as usize + 1).next_multiple_of(2), rows: height as usize + 1, ..layout };
        let exact = ScalarCascade::new(cascade, layout);
        let block_stages = VectorStage::compile_range(&exact.stages, 0..BLOCK_STAGES, 1)?;
        let batch_stages = match batch_stages {
            Some(stages) => stages,
            None => {
                let stages = Stages::new(cascade, patch_layout);
                VectorStage::compile_range(&stages, BLOCK_STAGES..usize::MAX, BATCH as u32)?.into()
            }
        };
        // The last corner of the window, in either half of a row.
        let max_offset = layout.offset(width, height).max(layout.offset(width - 1, height)) as usize;
        Some(Self { exact, block_stages, batch_stages, patch_layout, max_offset })
    }
}

impl VectorStage {
    /// The stages in `range`, with every offset multiplied by `offset_scale`.
    fn compile_range(stages: &Stages, range: Range<usize>, offset_scale: u32) -> Option<Vec<Self>> {
        let (skip, take) = (range.start, range.len());
        match stages {
            Stages::Stumps(stages) => stages
                .iter()
                .skip(skip)
                .take(take)
                .map(|stage| Self::from_stumps(stage, offset_scale))
                .collect(),
            Stages::Trees(stages) => stages
                .iter()
                .skip(skip)
                .take(take)
                .map(|stage| Self::from_trees(stage, offset_scale))
                .collect(),
        }
    }

    fn from_stumps(stage: &Stage<Stump>, offset_scale: u32) -> Option<Self> {
        let mut compiled = Self::default();
        let (mut base_votes, mut largest_sum) = (0.0, 0.0);
        for stump in &stage.classifiers {
            let [below, above] = stump.leaves.map(f64::from);
            base_votes += above;
            largest_sum += above.abs() + (below - above).abs();
            let (threshold, vote_below) = (stump.threshold, (below - above) as f32);
            match FeatureSum::try_new(&stump.rects, offset_scale)? {
                FeatureSum::Edge(value) => {
                    compiled.edges.push(VectorStump { value, threshold, vote_below });
                }
                FeatureSum::Centre(value) => {
                    compiled.centres.push(VectorStump { value, threshold, vote_below });
                }
                FeatureSum::Diagonal(value) => {
                    compiled.diagonals.push(VectorStump { value, threshold, vote_below });
                }
            }
        }
        compiled.base_votes = base_votes as f32;
        compiled.with_bounds(stage, largest_sum)
    }

    fn from_trees(stage: &Stage<CompiledTree>, offset_scale: u32) -> Option<Self> {
        let compile_node = |node: &CompiledNode| {
            let value = FeatureSum::try_new(&node.rects, offset_scale)?;
            Some(VectorNode { value, threshold: node.threshold, branches: node.branches })
        };
        let compile_tree = |tree: &CompiledTree| {
            let nodes: Vec<_> = tree.nodes.iter().map(compile_node).collect::<Option<_>>()?;
            (nodes.len() <= MAX_NODES).then(|| VectorTree { nodes, leaves: tree.leaves.clone() })
        };
        let trees = stage.classifiers.iter().map(compile_tree).collect::<Option<_>>()?;
        let largest_leaf =
            |tree: &CompiledTree| tree.leaves.iter().map(|leaf| f64::from(leaf.abs())).fold(0.0, f64::max);
        Self { trees, ..Self::default() }.with_bounds(stage, stage.classifiers.iter().map(largest_leaf).sum())
    }

    /// Sets the bounds beyond which a sum of votes is certain. No partial sum exceeds `largest_sum`.
    fn with_bounds<T>(mut self, stage: &Stage<T>, largest_sum: f64) -> Option<Self> {
        // Each addition, and the rounding of each summand, errs by at most half a unit in the last place of
        // `largest_sum`: twice that for every summand exceeds the total error.
        let summands = (stage.classifiers.len() + 4) as f64;
        let error = summands * f64::from(f32::EPSILON) * largest_sum + f64::from(f32::EPSILON);
        self.pass_bound = ((stage.threshold + error) as f32).next_up();
        self.fail_bound = ((stage.threshold - error) as f32).next_down();
        let is_finite = largest_sum < f64::from(f32::MAX) / 4.0
            && self.pass_bound.is_finite()
            && self.fail_bound.is_finite();
        is_finite.then_some(self)
    }
}

impl FeatureSum {
    /// `None` where weights are not integers, a sum might not be exact, or the rectangles form another shape.
    fn try_new(rects: &FeatureRects, offset_scale: u32) -> Option<Self> {
        // Each distinct corner with its factor.
        let mut corners: Vec<(u32, i32)> = Vec::with_capacity(12);
        let mut largest_sum = 0.0;
        for ((rect, &weight), &area) in rects.corners.iter().zip(&rects.weights).zip(&rects.areas) {
            largest_sum += f64::from(weight).abs() * f64::from(area) * MAX_PIXEL;
            if weight.fract() != 0.0 || f64::from(weight).abs() >= MAX_EXACT {
                return None;
            }
            for (&corner, sign) in rect.iter().zip([1, -1, -1, 1]) {
                let factor = sign * weight as i32;
                match corners.iter_mut().find(|(offset, _)| *offset == corner) {
                    Some((_, sum)) => *sum += factor,
                    None => corners.push((corner, factor)),
                }
            }
        }
        corners.retain(|&(_, factor)| factor != 0);
        // Factors of 1 first, and positive ones before negative ones.
        corners.sort_unstable_by_key(|&(corner, factor)| (factor.abs(), -factor, corner));
        let factors: [i32; 9] = std::array::from_fn(|index| corners.get(index).map_or(0, |corner| corner.1));
        let sum = match (corners.len(), factors) {
            (6, [1, 1, -1, -1, a, b, ..]) if a == -b => {
                Self::Edge(CornerSum::try_new(&corners, offset_scale, [a])?)
            }
            (8, [1, 1, -1, -1, a, b, c, d, _]) if a == b && c == -a && d == -a => {
                Self::Centre(CornerSum::try_new(&corners, offset_scale, [a])?)
            }
            (9, [a, b, c, d, e, f, g, h, i]) if [b, c, d] == [a; 3] && [f, g, h] == [e; 3] => {
                Self::Diagonal(CornerSum::try_new(&corners, offset_scale, [a, e, i])?)
            }
            _ => return None,
        };
        (largest_sum < MAX_EXACT).then_some(sum)
    }
}

impl<const CORNERS: usize, const FACTORS: usize> CornerSum<CORNERS, FACTORS> {
    /// `None` where there are not exactly `CORNERS` corners.
    fn try_new(corners: &[(u32, i32)], offset_scale: u32, factors: [i32; FACTORS]) -> Option<Self> {
        let corners = <&[_; CORNERS]>::try_from(corners).ok()?.map(|(corner, _)| corner * offset_scale);
        Some(Self { corners, factors })
    }
}
