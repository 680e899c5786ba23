//! A cascade made ready for many neighbouring windows at once.
//!
//! Three liberties against the order of evaluation change no result. Corners that rectangles share are loaded once:
//! with whole weights every sum is a whole number that fits single precision, so any order gives the same. Stumps of a
//! stage are sorted by shape, to loop without branches. Votes are added in single precision, and only where they come
//! so close to the stage's threshold that rounding could matter does the exact sum decide.

use std::ops::Range;
use std::sync::Arc;

use crate::integral::Layout;
use crate::kernel::BATCH;
use crate::program::{self, CompiledNode, CompiledTree, Rects, Stage, Stump};

/// Largest whole number up to which single precision has every one.
const EXACT: f64 = (1 << 24) as f64;

/// The largest value of a pixel.
const WHITE: f64 = 255.0;

/// Stages in which neighbouring windows are looked at together. After them, most have failed.
const NEAR: usize = 4;

/// The stages in order.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    /// The first ones, for neighbouring windows in the integrals.
    pub(crate) near: Vec<DenseStage>,
    /// The others, for a patch: a copy of the integrals of a batch of windows, with a line of lanes for each corner.
    pub(crate) far: Arc<[DenseStage]>,
    /// How the corners' lines lie in a patch.
    pub(crate) patch: Layout,
    /// The largest offset from a window's corner.
    pub(crate) reach: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DenseStage {
    pub(crate) halves: Vec<Weak<Halves>>,
    pub(crate) insides: Vec<Weak<Inside>>,
    pub(crate) quarters: Vec<Weak<Quarters>>,
    /// In a cascade of trees, all of them; else none.
    pub(crate) trees: Vec<DenseTree>,
    /// The votes where the value of every stump reaches its threshold.
    pub(crate) base: f32,
    /// From here on the stage is passed, whatever the rounding.
    pub(crate) passed: f32,
    /// Below this it is not.
    pub(crate) failed: f32,
}

/// Two halves: corners 0 and 1 less 2 and 3, and `factor` times 4 less 5.
pub(crate) type Halves = Value<6, 1>;

/// A rectangle inside another: corners 0 and 1 less 2 and 3, and `factor` times 4 and 5 less 6 and 7.
pub(crate) type Inside = Value<8, 1>;

/// Four quarters: corners 0 to 3, 4 to 7, and 8, each with its factor.
pub(crate) type Quarters = Value<9, 3>;

/// A feature's value as a sum of corners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<const CORNERS: usize, const FACTORS: usize> {
    pub(crate) corners: [u32; CORNERS],
    pub(crate) factors: [i32; FACTORS],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Halves(Halves),
    Inside(Inside),
    Quarters(Quarters),
}

/// A stump.
#[derive(Clone, Debug)]
pub(crate) struct Weak<V> {
    pub(crate) value: V,
    pub(crate) threshold: f32,
    /// What a value below the threshold adds to the votes.
    pub(crate) below: f32,
}

/// At most [`MAX_NODES`] nodes, parents before their children.
#[derive(Clone, Debug)]
pub(crate) struct DenseTree {
    pub(crate) nodes: Vec<DenseNode>,
    pub(crate) leaves: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(crate) struct DenseNode {
    pub(crate) value: Shape,
    pub(crate) threshold: f32,
    /// Below the threshold, and from it on: above 0 a node, else minus a leaf.
    pub(crate) next: [i32; 2],
}

/// In a tree all of whose nodes are looked at, as windows take different ways.
pub(crate) const MAX_NODES: usize = 8;

impl Dense {
    /// `None` where a feature has another shape than those of OpenCV's training, sums might not be exact, or trees are
    /// too large. `weak` are the stages for this layout, `stages` gives them for another; `far` may come from a layout
    /// of the same step.
    pub(crate) fn new(
        layout: Layout,
        (width, height): (i32, i32),
        weak: &program::Weak,
        far: Option<Arc<[DenseStage]>>,
        stages: impl Fn(Layout) -> program::Weak,
    ) -> Option<Self> {
        // Sums of squares have to fit a signed number too.
        if f64::from(width * height) * WHITE * WHITE > f64::from(i32::MAX) {
            return None;
        }
        let patch =
            Layout { stride: (width as usize + 1).next_multiple_of(2), rows: height as usize + 1, ..layout };
        let near = DenseStage::all(weak, 0..NEAR, 1)?;
        let far = match far {
            Some(far) => far,
            None => DenseStage::all(&stages(patch), NEAR..usize::MAX, BATCH as u32)?.into(),
        };
        // The last corner of the window, in either half of a row.
        let reach = layout.offset(width, height).max(layout.offset(width - 1, height)) as usize;
        Some(Self { near, far, patch, reach })
    }
}

impl DenseStage {
    /// Some of the stages, every offset times `spread`.
    fn all(stages: &program::Weak, some: Range<usize>, spread: u32) -> Option<Vec<Self>> {
        let (skip, take) = (some.start, some.len());
        match stages {
            program::Weak::Stumps(stages) => {
                stages.iter().skip(skip).take(take).map(|stage| Self::stumps(stage, spread)).collect()
            }
            program::Weak::Trees(stages) => {
                stages.iter().skip(skip).take(take).map(|stage| Self::trees(stage, spread)).collect()
            }
        }
    }

    fn stumps(stage: &Stage<Stump>, spread: u32) -> Option<Self> {
        let mut dense = Self::default();
        let (mut base, mut largest) = (0.0, 0.0);
        for stump in &stage.weak {
            let [below, above] = stump.leaves.map(f64::from);
            base += above;
            largest += above.abs() + (below - above).abs();
            let (threshold, below) = (stump.threshold, (below - above) as f32);
            match Shape::new(&stump.rects, spread)? {
                Shape::Halves(value) => dense.halves.push(Weak { value, threshold, below }),
                Shape::Inside(value) => dense.insides.push(Weak { value, threshold, below }),
                Shape::Quarters(value) => dense.quarters.push(Weak { value, threshold, below }),
            }
        }
        dense.base = base as f32;
        dense.bounded(stage, largest)
    }

    fn trees(stage: &Stage<CompiledTree>, spread: u32) -> Option<Self> {
        let node = |node: &CompiledNode| {
            let value = Shape::new(&node.rects, spread)?;
            Some(DenseNode { value, threshold: node.threshold, next: node.next })
        };
        let tree = |tree: &CompiledTree| {
            let nodes: Vec<_> = tree.nodes.iter().map(node).collect::<Option<_>>()?;
            (nodes.len() <= MAX_NODES).then(|| DenseTree { nodes, leaves: tree.leaves.clone() })
        };
        let trees = stage.weak.iter().map(tree).collect::<Option<_>>()?;
        let largest =
            |tree: &CompiledTree| tree.leaves.iter().map(|leaf| f64::from(leaf.abs())).fold(0.0, f64::max);
        Self { trees, ..Self::default() }.bounded(stage, stage.weak.iter().map(largest).sum())
    }

    /// Sets the bounds beyond which votes are certain; they and all their sums on the way are `largest` at most.
    fn bounded<T>(mut self, stage: &Stage<T>, largest: f64) -> Option<Self> {
        // Each addition, and the making of each summand, errs by half a unit in the last place of at most `largest`:
        // twice that for every summand is more than all of it.
        let summands = (stage.weak.len() + 4) as f64;
        let error = summands * f64::from(f32::EPSILON) * largest + f64::from(f32::EPSILON);
        self.passed = ((stage.threshold + error) as f32).next_up();
        self.failed = ((stage.threshold - error) as f32).next_down();
        let finite =
            largest < f64::from(f32::MAX) / 4.0 && self.passed.is_finite() && self.failed.is_finite();
        finite.then_some(self)
    }
}

impl Shape {
    /// `None` where weights are no whole numbers, or a sum might not be exact, or the shape is another one.
    fn new(rects: &Rects, spread: u32) -> Option<Self> {
        // How often each corner counts.
        let mut corners: Vec<(u32, i32)> = Vec::with_capacity(12);
        let mut largest = 0.0;
        for ((rect, &weight), &area) in rects.corners.iter().zip(&rects.weights).zip(&rects.areas) {
            largest += f64::from(weight).abs() * f64::from(area) * WHITE;
            if weight.fract() != 0.0 || f64::from(weight).abs() >= EXACT {
                return None;
            }
            for (&corner, sign) in rect.iter().zip([1, -1, -1, 1]) {
                let factor = sign * weight as i32;
                match corners.iter_mut().find(|(known, _)| *known == corner) {
                    Some((_, sum)) => *sum += factor,
                    None => corners.push((corner, factor)),
                }
            }
        }
        corners.retain(|&(_, factor)| factor != 0);
        // Units first, and pluses before minuses.
        corners.sort_unstable_by_key(|&(corner, factor)| (factor.abs(), -factor, corner));
        let value = |index: usize| corners.get(index).map_or(0, |&(_, factor)| factor);
        let factors: [i32; 9] = std::array::from_fn(value);
        let shape = match (corners.len(), factors) {
            (6, [1, 1, -1, -1, a, b, ..]) if a == -b => Self::Halves(picked(&corners, spread, [a])?),
            (8, [1, 1, -1, -1, a, b, c, d, _]) if a == b && c == -a && d == -a => {
                Self::Inside(picked(&corners, spread, [a])?)
            }
            (9, [a, b, c, d, e, f, g, h, i]) if [b, c, d] == [a; 3] && [f, g, h] == [e; 3] => {
                Self::Quarters(picked(&corners, spread, [a, e, i])?)
            }
            _ => return None,
        };
        (largest < EXACT).then_some(shape)
    }
}

fn picked<const CORNERS: usize, const FACTORS: usize>(
    corners: &[(u32, i32)],
    spread: u32,
    factors: [i32; FACTORS],
) -> Option<Value<CORNERS, FACTORS>> {
    let corners = <&[_; CORNERS]>::try_from(corners).ok()?.map(|(corner, _)| corner * spread);
    Some(Value { corners, factors })
}
