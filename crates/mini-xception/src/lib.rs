//! Facial expression classification with Mini-Xception (Arriaga, Valdenegro-Toro, Plöger 2017, arXiv:1710.07557)
//! through ONNX Runtime.
//!
//! From a luma picture and a face's box to seven probabilities:
//! [`patch`] cuts the face out upright and scales it to the model's input, [`quality`] says how far that patch can be
//! trusted, [`Classifier`] runs all faces of a frame in one batch, and [`Runtime`] finds ONNX Runtime's library.
//! The same code serves a live pipeline and an evaluation over a folder of faces.

pub mod evaluation;
pub mod patch;
pub mod quality;
pub mod smoothing;

mod classifier;
mod description;
mod provider;
mod runtime;

pub use classifier::{Classifier, ClassifierError, Model};
pub use gray_image::GrayImage;
pub use provider::Provider;
pub use runtime::{Runtime, RuntimeError};
