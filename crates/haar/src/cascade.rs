//! A cascade as trained: stages of weak classifiers over Haar features, validated so that evaluation needs no
//! checks.

use gray_image::PixelRect;

use crate::error::CascadeError;

/// What OpenCV subtracts from every stage threshold when it reads a cascade (`THRESHOLD_EPS`).
const THRESHOLD_EPS: f32 = 1e-5;

/// Largest side of a detection window, pixels: the sum of squares over a window of this side still fits 32
/// bits.
const MAX_WINDOW: i32 = 256;

/// A boosted cascade of Haar features (Viola and Jones 2001, doi:10.1109/CVPR.2001.990517; tilted features:
/// Lienhart and Maydt 2002, doi:10.1109/ICIP.2002.1038171) in the format of OpenCV 2 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// Width and height of the detection window, pixels.
    pub(crate) window: (u32, u32),
    /// The features that nodes refer to by index.
    pub(crate) features: Vec<Feature>,
    /// The stages in the order of evaluation.
    pub(crate) stages: Vec<Stage>,
}

/// A Haar feature: up to three weighted rectangles; a weight of 0 marks an unused one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Feature {
    /// The rectangles, in pixels of the window.
    pub(crate) rects: [WeightedRect; 3],
    /// Rotated by 45 degrees: (x, y) is the upper corner, the width runs down right, the height down left.
    pub(crate) tilted: bool,
}

/// A rectangle whose pixel sum counts with a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WeightedRect {
    /// The rectangle, in pixels of the window.
    pub(crate) rect: PixelRect<i32>,
    /// The factor of its pixel sum.
    pub(crate) weight: f32,
}

/// A strong classifier: a window passes if the sum of the trees' votes reaches the threshold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// Already lowered by [`THRESHOLD_EPS`].
    pub(crate) threshold: f32,
    /// The weak classifiers.
    pub(crate) trees: Vec<Tree>,
}

/// A weak classifier: a decision tree; one with a single node is a stump.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    /// Parents before their children; the first is the root.
    pub(crate) nodes: Vec<Node>,
    /// The votes, one more than nodes.
    pub(crate) leaves: Vec<f32>,
}

/// A node of a tree. A branch above 0 is the index of a later node, else minus the index of a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// Index of the feature compared.
    pub(crate) feature: usize,
    /// Compared with the feature's value, which is normalised by the window's area and standard deviation.
    pub(crate) threshold: f32,
    /// The branch for values below the threshold.
    pub(crate) left: i32,
    /// The branch for other values.
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

    /// Builds a cascade from its parts; stage thresholds are as in the file.
    ///
    /// # Errors
    /// [`CascadeError::Invalid`] unless every index exists, every tree ends and every rectangle lies inside
    /// the window.
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
            if !feature.fits_window(width, height) {
                return invalid(format!("feature {index} reaches outside the window of {width}x{height}"));
            }
        }
        for (index, stage) in stages.iter_mut().enumerate() {
            if stage.trees.is_empty() {
                return invalid(format!("stage {index} has no weak classifiers"));
            }
            for tree in &stage.trees {
                tree.check(features.len()).or_else(|problem| invalid(format!("stage {index}: {problem}")))?;
            }
            stage.threshold -= THRESHOLD_EPS;
        }
        Ok(Self { window: (width.unsigned_abs(), height.unsigned_abs()), features, stages })
    }
}

fn invalid<T>(problem: String) -> Result<T, CascadeError> {
    Err(CascadeError::Invalid(problem))
}

impl Feature {
    fn fits_window(&self, width: i32, height: i32) -> bool {
        let in_bounds = |value: i32| (0..=MAX_WINDOW).contains(&value);
        self.rects.iter().all(|WeightedRect { rect: r, .. }| {
            // Checked first, so that the sums below cannot overflow.
            [r.x, r.y, r.w, r.h].into_iter().all(in_bounds)
                && if self.tilted {
                    r.x - r.h >= 0 && r.x + r.w <= width && r.y + r.w + r.h <= height
                } else {
                    r.x + r.w <= width && r.y + r.h <= height
                }
        })
    }
}

impl Tree {
    /// Checks that every index exists and that children come after their parent, so that a walk ends.
    fn check(&self, features: usize) -> Result<(), String> {
        if self.nodes.is_empty() || self.leaves.len() != self.nodes.len() + 1 {
            return Err(format!("a tree of {} nodes has {} leaves", self.nodes.len(), self.leaves.len()));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if node.feature >= features {
                return Err(format!("feature {} does not exist", node.feature));
            }
            for branch in [node.left, node.right] {
                let target = branch.unsigned_abs() as usize;
                let is_valid = if branch > 0 {
                    target > index && target < self.nodes.len()
                } else {
                    target < self.leaves.len()
                };
                if !is_valid {
                    return Err(format!("node {index} of a tree leads to {branch}"));
                }
            }
        }
        Ok(())
    }
}
