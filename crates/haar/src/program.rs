//! A cascade made ready for integrals of a given layout: each rectangle as four offsets from the window's corner.

use std::sync::Arc;

use crate::cascade::{self, Cascade, Feature, Node, Tree};
use crate::dense::Dense;
use crate::integral::Layout;

/// Offsets, weights and thresholds in the order in which they are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) layout: Layout,
    /// The corners of the window less a pixel at each side, over which brightness is normalised.
    pub(crate) inner: [u32; 4],
    pub(crate) inner_area: f64,
    pub(crate) weak: Weak,
    /// For many windows at once, where the cascade allows it.
    pub(crate) dense: Option<Dense>,
}

/// The stages. Stumps need no walk through a tree and are by far the commonest.
#[derive(Clone, Debug)]
pub(crate) enum Weak {
    Stumps(Vec<Stage<Stump>>),
    Trees(Vec<Stage<CompiledTree>>),
}

#[derive(Clone, Debug)]
pub(crate) struct Stage<T> {
    pub(crate) threshold: f64,
    pub(crate) weak: Vec<T>,
}

#[derive(Clone, Debug)]
pub(crate) struct Stump {
    pub(crate) rects: Rects,
    pub(crate) threshold: f32,
    /// Below the threshold, and from it on.
    pub(crate) leaves: [f32; 2],
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledTree {
    pub(crate) nodes: Vec<CompiledNode>,
    pub(crate) leaves: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledNode {
    pub(crate) rects: Rects,
    pub(crate) threshold: f32,
    /// Below the threshold, and from it on: above 0 a node, else minus a leaf.
    pub(crate) next: [i32; 2],
}

/// A feature's rectangles; a third weight of 0 means two.
#[derive(Clone, Debug)]
pub(crate) struct Rects {
    pub(crate) corners: [[u32; 4]; 3],
    pub(crate) weights: [f32; 3],
    /// Pixels.
    pub(crate) areas: [i32; 3],
}

impl Program {
    /// `before` is the same cascade for a layout of the same step, if there is one: what does not depend on the layout
    /// is taken over.
    pub(crate) fn new(cascade: &Cascade, layout: Layout, before: Option<&Self>) -> Self {
        let (width, height) = (cascade.window.0 as i32, cascade.window.1 as i32);
        let rects = |feature: usize, layout| Rects::new(&cascade.features[feature], layout);
        let stump = |tree: &Tree, layout| match (&tree.nodes[..], &tree.leaves[..]) {
            ([node], &[below, above]) => {
                let rects = rects(node.feature, layout);
                Some(Stump { rects, threshold: node.threshold, leaves: [below, above] })
            }
            _ => None,
        };
        let node = |node: &Node, layout| CompiledNode {
            rects: rects(node.feature, layout),
            threshold: node.threshold,
            next: [node.left, node.right],
        };
        let tree = |tree: &Tree, layout| CompiledTree {
            nodes: tree.nodes.iter().map(|one| node(one, layout)).collect(),
            leaves: tree.leaves.clone(),
        };
        let threshold = |stage: &cascade::Stage| f64::from(stage.threshold);
        let stumps = |layout| {
            let stage = |stage: &cascade::Stage| {
                let weak = stage.trees.iter().map(|tree| stump(tree, layout)).collect::<Option<_>>()?;
                Some(Stage { threshold: threshold(stage), weak })
            };
            cascade.stages.iter().map(stage).collect::<Option<_>>()
        };
        let trees = |layout| {
            let stage = |stage: &cascade::Stage| Stage {
                threshold: threshold(stage),
                weak: stage.trees.iter().map(|one| tree(one, layout)).collect(),
            };
            cascade.stages.iter().map(stage).collect()
        };
        let weak = |layout| stumps(layout).map_or_else(|| Weak::Trees(trees(layout)), Weak::Stumps);
        let inner = upright(layout, 1, 1, width - 2, height - 2);
        let inner_area = f64::from((width - 2) * (height - 2));
        let stages = weak(layout);
        let far = before.and_then(|before| Some(Arc::clone(&before.dense.as_ref()?.far)));
        let dense =
            if layout.tilted { None } else { Dense::new(layout, (width, height), &stages, far, weak) };
        Self { layout, inner, inner_area, weak: stages, dense }
    }
}

impl Rects {
    fn new(feature: &Feature, layout: Layout) -> Self {
        let corners = feature.rects.map(|r| {
            if feature.tilted {
                let shift = layout.tilted_offset();
                let at = |x, y| layout.offset(x, y) + shift;
                [
                    at(r.x, r.y),
                    at(r.x - r.h, r.y + r.h),
                    at(r.x + r.w, r.y + r.w),
                    at(r.x + r.w - r.h, r.y + r.w + r.h),
                ]
            } else {
                upright(layout, r.x, r.y, r.w, r.h)
            }
        });
        Self { corners, weights: feature.rects.map(|r| r.weight), areas: feature.rects.map(|r| r.w * r.h) }
    }
}

/// Upper left, upper right, lower left, lower right.
fn upright(layout: Layout, x: i32, y: i32, w: i32, h: i32) -> [u32; 4] {
    [layout.offset(x, y), layout.offset(x + w, y), layout.offset(x, y + h), layout.offset(x + w, y + h)]
}
