//! A cascade compiled for a memory layout of the integral images: each corner of a rectangle becomes an
//! offset.

pub(crate) mod scalar;
pub(crate) mod vector;

use std::sync::Arc;

use crate::cascade::Cascade;
use crate::layout::Layout;
use scalar::ScalarCascade;
use vector::VectorCascade;

/// A cascade compiled for a layout, for the fastest evaluation that it allows.
#[derive(Clone, Debug)]
pub(crate) enum CompiledCascade {
    /// Windows are evaluated one at a time.
    Scalar(ScalarCascade),
    /// Many windows are evaluated at once.
    Vector(VectorCascade),
}

impl CompiledCascade {
    /// Compiles `cascade` for `layout`. `previous` is the same cascade for another layout of the same step,
    /// whose parts that do not depend on the layout are reused.
    pub(crate) fn new(cascade: &Cascade, layout: Layout, previous: Option<&Self>) -> Self {
        let batch_stages = match previous {
            Some(Self::Vector(previous)) => Some(Arc::clone(&previous.batch_stages)),
            _ => None,
        };
        match VectorCascade::try_new(cascade, layout, batch_stages) {
            Some(cascade) => Self::Vector(cascade),
            None => Self::Scalar(ScalarCascade::new(cascade, layout)),
        }
    }

    /// The layout that the cascade is compiled for.
    pub(crate) fn layout(&self) -> Layout {
        match self {
            Self::Scalar(cascade) => cascade.layout,
            Self::Vector(cascade) => cascade.exact.layout,
        }
    }
}
