//! Facial expression classification with Mini-Xception (Arriaga, Valdenegro-Toro and Plöger 2017,
//! arXiv:1710.07557) through ONNX Runtime.
//!
//! The path from an image and a face's box to a label:
//!
//! 1. [`patch`] crops the face, rotates it until its eyes are level and scales it to the model's input, and
//!    [`quality`] scores the patch.
//! 2. [`Classifier`] runs all faces of a frame in one batch and returns a distribution over the seven emotions
//!    of FER-2013 (Goodfellow et al. 2013, arXiv:1307.0414) for each. [`Runtime`] finds and loads the library
//!    of ONNX Runtime.
//! 3. [`smoothing`] averages the distributions of a face over time and decides the label, after [`resting_face`] has taken
//!    off how the person's face looks at rest.
//!
//! The built-in model is trained on FER-2013 with the votes of FER+ (Barsoum et al. 2016, arXiv:1608.01041).
//! Its probabilities are calibrated by a temperature (Guo et al. 2017, arXiv:1706.04599), which is part of its
//! last layer; models/README.md is its card. [`evaluation`] measures a model against labels, with the same code
//! that serves a live pipeline.

pub mod evaluation;
pub mod patch;
pub mod quality;
pub mod resting_face;
pub mod smoothing;

mod classifier;
mod description;
mod provider;
mod runtime;

pub use classifier::{Classifier, ClassifierError, Model};
pub use gray_image::GrayImage;
pub use provider::Provider;
pub use runtime::{Runtime, RuntimeError};
