//! A cascade as trained: stages of weak classifiers over Haar features, checked so that evaluation cannot go wrong.

use crate::CascadeError;

/// What OpenCV takes off every stage threshold.
const THRESHOLD_EPS: f32 = 1e-5;

/// Largest side of a detection window: sums of squares over it still fit 32 bits.
const MAX_WINDOW: i32 = 256;

/// A boosted cascade of Haar features (Viola and Jones 2001, doi:10.1109/CVPR.2001.990517; tilted features: Lienhart
/// and Maydt 2002, doi:10.1109/ICIP.2002.1038171) in the format of OpenCV 2 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    pub(crate) window: (u32, u32),
    pub(crate) features: Vec<Feature>,
    pub(crate) stages: Vec<Stage>,
}

/// Up to three weighted rectangles; a weight of 0 marks an unused one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Feature {
    pub(crate) rects: [WeightedRect; 3],
    /// Rotated by 45 degrees: (x, y) is the upper corner, the width runs down right, the height down left.
    pub(crate) tilted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WeightedRect {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) w: i32,
    pub(crate) h: i32,
    pub(crate) weight: f32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) threshold: f32,
    pub(crate) trees: Vec<Tree>,
}

/// A decision tree; one node is a stump.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) leaves: Vec<f32>,
}

/// Where to go on: above 0 the index of a later node, else minus the index of a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) feature: usize,
    pub(crate) threshold: f32,
    pub(crate) left: i32,
    pub(crate) right: i32,
}

impl Cascade {
    /// Width and height of the detection window at scale 1, pixels.
    pub fn window(&self) -> (u32, u32) {
        self.window
    }

    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.stages.len()
    }

    /// Whether any feature is rotated by 45 degrees.
    pub fn has_tilted_features(&self) -> bool {
        self.features.iter().any(|feature| feature.tilted)
    }

    /// Puts the parts together. Fails unless every index, tree and rectangle is sound.
    pub(crate) fn new(
        width: i32,
        height: i32,
        features: Vec<Feature>,
        mut stages: Vec<Stage>,
    ) -> Result<Self, CascadeError> {
        if !(3..=MAX_WINDOW).contains(&width) || !(3..=MAX_WINDOW).contains(&height) {
            return invalid(format!(
                "a window of {width}x{height} is not between 3 and {MAX_WINDOW} pixels a side"
            ));
        }
        if stages.is_empty() {
            return invalid("no stages".into());
        }
        for (index, feature) in features.iter().enumerate() {
            if !feature.fits(width, height) {
                return invalid(format!("feature {index} reaches outside the window of {width}x{height}"));
            }
        }
        for (index, stage) in stages.iter_mut().enumerate() {
            if stage.trees.is_empty() {
                return invalid(format!("stage {index} has no weak classifiers"));
            }
            for tree in &stage.trees {
                tree.check(features.len()).or_else(|what| invalid(format!("stage {index}: {what}")))?;
            }
            stage.threshold -= THRESHOLD_EPS;
        }
        Ok(Self { window: (width.unsigned_abs(), height.unsigned_abs()), features, stages })
    }
}

fn invalid<T>(what: String) -> Result<T, CascadeError> {
    Err(CascadeError::Invalid(what))
}

impl Feature {
    fn fits(&self, width: i32, height: i32) -> bool {
        let bound = |value: i32| (0..=MAX_WINDOW).contains(&value);
        self.rects.iter().all(|r| {
            // Bounded first, so that the sums below cannot overflow.
            bound(r.x)
                && bound(r.y)
                && bound(r.w)
                && bound(r.h)
                && if self.tilted {
                    r.x - r.h >= 0 && r.x + r.w <= width && r.y + r.w + r.h <= height
                } else {
                    r.x + r.w <= width && r.y + r.h <= height
                }
        })
    }
}

impl Tree {
    /// Children lie behind their parent, so that a walk ends; every index exists.
    fn check(&self, features: usize) -> Result<(), String> {
        if self.nodes.is_empty() || self.leaves.len() != self.nodes.len() + 1 {
            return Err(format!("a tree of {} nodes has {} leaves", self.nodes.len(), self.leaves.len()));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if node.feature >= features {
                return Err(format!("feature {} does not exist", node.feature));
            }
            for child in [node.left, node.right] {
                let to = child.unsigned_abs() as usize;
                let sound =
                    if child > 0 { to > index && to < self.nodes.len() } else { to < self.leaves.len() };
                if !sound {
                    return Err(format!("node {index} of a tree leads to {child}"));
                }
            }
        }
        Ok(())
    }
}
