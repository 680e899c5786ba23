//! Object detection with Haar cascades: OpenCV's cascade files, OpenCV 4's rectangles, no OpenCV.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use haar::{Cascade, Detector, GrayImage, Params};
//!
//! let cascade = Cascade::load(haar::find("frontalface_default")?)?;
//! let mut detector = Detector::new(cascade, Params::default())?;
//! let pixels = vec![128; 640 * 480];
//! for face in detector.detect(&GrayImage::new(&pixels, 640, 480, 640)?) {
//!     println!("{} x {} at ({}, {})", face.w, face.h, face.x, face.y);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A search goes over a pyramid of the picture: at each level the picture is resized so that the cascade's fixed window
//! covers larger and larger faces. Levels are cut into stripes of rows whose integral pictures stay in the cache, and
//! threads take stripe after stripe. Every step follows OpenCV to the bit (resizing, normalisation, float rounding, the
//! windows it skips, grouping), so that a cascade behaves as its users know it.

#![deny(unsafe_code)]

mod backend;
mod cascade;
mod dense;
mod detector;
mod error;
mod find;
mod group;
mod image;
mod integral;
mod kernel;
mod parse;
mod program;
mod pyramid;
mod resize;
mod scan;

pub use backend::Backend;
pub use cascade::Cascade;
pub use detector::{Detection, Detector, Params, Size};
pub use error::{CascadeError, ImageError, ParamsError};
pub use find::{PATH_VARIABLE, find};
pub use image::GrayImage;
