//! A cascade compiled for exact evaluation of one window at a time, in OpenCV's order of additions.

use crate::cascade::{self, Cascade, Feature, Node, Tree, WeightedRect};
use crate::layout::Layout;

/// Offsets, weights and thresholds in the order of evaluation.
#[derive(Clone, Debug)]
pub(crate) struct ScalarCascade {
    /// The layout that the offsets are for.
    pub(crate) layout: Layout,
    /// The corners of the window shrunk by a pixel on every side, over which brightness is normalised.
    pub(crate) inner: [u32; 4],
    /// Pixels of that inner window.
    pub(crate) inner_area: f64,
    /// The stages in order.
    pub(crate) stages: Stages,
}

/// The stages of a cascade. Stumps need no walk through a tree and are by far the most common.
#[derive(Clone, Debug)]
pub(crate) enum Stages {
    /// Every tree has a single node.
    Stumps(Vec<Stage<Stump>>),
    /// Some trees have several nodes.
    Trees(Vec<Stage<CompiledTree>>),
}

/// A stage of weak classifiers of one type.
#[derive(Clone, Debug)]
pub(crate) struct Stage<T> {
    /// The sum of votes from which on a window passes.
    pub(crate) threshold: f64,
    /// The weak classifiers.
    pub(crate) classifiers: Vec<T>,
}

/// A tree of one node.
#[derive(Clone, Debug)]
pub(crate) struct Stump {
    /// The feature compared.
    pub(crate) rects: FeatureRects,
    /// Compared with the feature's normalised value.
    pub(crate) threshold: f32,
    /// The votes of a value below the threshold and of one not below it.
    pub(crate) leaves: [f32; 2],
}

/// A tree of any number of nodes, the root first.
#[derive(Clone, Debug)]
pub(crate) struct CompiledTree {
    /// Parents before their children.
    pub(crate) nodes: Vec<CompiledNode>,
    /// The votes.
    pub(crate) leaves: Vec<f32>,
}

/// A node of a tree.
#[derive(Clone, Debug)]
pub(crate) struct CompiledNode {
    /// The feature compared.
    pub(crate) rects: FeatureRects,
    /// Compared with the feature's normalised value.
    pub(crate) threshold: f32,
    /// The branches of a value below the threshold and of one not below it: above 0 a node, else minus a
    /// leaf.
    pub(crate) branches: [i32; 2],
}

/// The rectangles of a feature; where the third weight is 0 there are two.
#[derive(Clone, Debug)]
pub(crate) struct FeatureRects {
    /// The offsets of each rectangle's corners: upper left, upper right, lower left, lower right.
    pub(crate) corners: [[u32; 4]; 3],
    /// The factor of each rectangle's pixel sum.
    pub(crate) weights: [f32; 3],
    /// Pixels in each rectangle.
    pub(crate) areas: [i32; 3],
}

impl ScalarCascade {
    /// Compiles a cascade for a layout.
    pub(crate) fn new(cascade: &Cascade, layout: Layout) -> Self {
        let (width, height) = (cascade.window.0 as i32, cascade.window.1 as i32);
        Self {
            layout,
            inner: upright_corners(layout, 1, 1, width - 2, height - 2),
            inner_area: f64::from((width - 2) * (height - 2)),
            stages: Stages::new(cascade, layout),
        }
    }
}

impl Stages {
    /// Compiles the stages of a cascade for a layout.
    pub(crate) fn new(cascade: &Cascade, layout: Layout) -> Self {
        let rects = |feature: usize| FeatureRects::new(&cascade.features[feature], layout);
        let stump = |tree: &Tree| match (&tree.nodes[..], &tree.leaves[..]) {
            ([node], &[below, above]) => {
                let rects = rects(node.feature);
                Some(Stump { rects, threshold: node.threshold, leaves: [below, above] })
            }
            _ => None,
        };
        let node = |node: &Node| CompiledNode {
            rects: rects(node.feature),
            threshold: node.threshold,
            branches: [node.left, node.right],
        };
        let tree = |tree: &Tree| CompiledTree {
            nodes: tree.nodes.iter().map(node).collect(),
            leaves: tree.leaves.clone(),
        };
        let threshold = |stage: &cascade::Stage| f64::from(stage.threshold);
        let stump_stage = |stage: &cascade::Stage| {
            let classifiers = stage.trees.iter().map(stump).collect::<Option<_>>()?;
            Some(Stage { threshold: threshold(stage), classifiers })
        };
        let tree_stage = |stage: &cascade::Stage| Stage {
            threshold: threshold(stage),
            classifiers: stage.trees.iter().map(tree).collect(),
        };
        match cascade.stages.iter().map(stump_stage).collect::<Option<_>>() {
            Some(stages) => Self::Stumps(stages),
            None => Self::Trees(cascade.stages.iter().map(tree_stage).collect()),
        }
    }
}

impl FeatureRects {
    fn new(feature: &Feature, layout: Layout) -> Self {
        let corners = feature.rects.map(|WeightedRect { rect: r, .. }| {
            if feature.tilted {
                let offset = |x, y| layout.offset(x, y) + layout.tilted_offset();
                [
                    offset(r.x, r.y),
                    offset(r.x - r.h, r.y + r.h),
                    offset(r.x + r.w, r.y + r.w),
                    offset(r.x + r.w - r.h, r.y + r.w + r.h),
                ]
            } else {
                upright_corners(layout, r.x, r.y, r.w, r.h)
            }
        });
        let areas = feature.rects.map(|WeightedRect { rect, .. }| rect.w * rect.h);
        Self { corners, weights: feature.rects.map(|rect| rect.weight), areas }
    }
}

/// The offsets of the upper left, upper right, lower left and lower right corner.
fn upright_corners(layout: Layout, x: i32, y: i32, w: i32, h: i32) -> [u32; 4] {
    [layout.offset(x, y), layout.offset(x + w, y), layout.offset(x, y + h), layout.offset(x + w, y + h)]
}
