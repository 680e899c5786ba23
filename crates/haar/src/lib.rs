//! Object detection with Haar cascades in pure Rust: reads OpenCV's cascade files and finds the same
//! rectangles as OpenCV 4.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use haar::{Cascade, Detector, GrayImage, Params};
//!
//! let cascade = Cascade::load(haar::find("frontalface_default")?)?;
//! let mut detector = Detector::new(cascade, Params::default())?;
//! let pixels = vec![128; 640 * 480];
//! for face in detector.detect(&GrayImage::new(&pixels, 640, 480, 640)?) {
//!     println!("{:?}, {} windows agree", face.rect, face.neighbors);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Algorithm
//!
//! A cascade (Viola and Jones 2001, doi:10.1109/CVPR.2001.990517) is a sequence of stages, each a boosted sum
//! of decision trees over Haar features: differences between the sums of rectangles, some of them rotated by
//! 45 degrees (Lienhart and Maydt 2002, doi:10.1109/ICIP.2002.1038171). A window is a detection if it passes
//! every stage. Integral images give a rectangle's sum from its four corners.
//!
//! A search goes over a pyramid: at each level the image is resized so that the cascade's fixed window covers
//! larger and larger objects. Levels are cut into stripes of rows whose integral images stay in the cache,
//! and threads share the stripes. Windows that pass are grouped, and a detection needs more than
//! `min_neighbors` of them.
//!
//! Every step follows OpenCV 4's `detectMultiScale` to the bit, so that a cascade behaves as its users know
//! it: the choice of levels and of their last row, INTER_LINEAR_EXACT resizing, normalisation by a window one
//! pixel smaller on every side, the rounding of single and double precision, steps of two columns below a
//! scale of 2, the window skipped after one that fails the first stage, and `groupRectangles`. Tests compare
//! searches in hundreds of images with OpenCV's results, before and after grouping.
//!
//! # Vectors
//!
//! [`Backend`] names the instruction sets: AVX-512, AVX2, NEON, portable vectors, or one window at a time.
//! The fastest that the CPU has is used unless [`Detector::with_backend`] says otherwise, and all find the
//! same rectangles. Unsafe code is in the kernels only; each is tested and fuzzed against the scalar kernel.
//!
//! - **Blocks.** 64 windows of a row are a block, and neighbouring windows are neighbouring lanes, so that
//!   every corner is one contiguous load. Where windows are two columns apart, the integral image stores even
//!   columns before odd ones. The skipped windows of OpenCV are derived from the block's bit mask.
//! - **Batches.** After four stages about one window in ten is left, without neighbours. 16 such windows from
//!   anywhere in the stripe have the integral image under them copied, transposed, into a patch, so that all
//!   lanes are busy and loads are aligned. Every four stages the survivors are regrouped.
//! - **Shared corners.** Corners that a feature's rectangles share are loaded once: 6, 8 or 9 loads instead
//!   of 8 to 12. Weights are small integers, so sums are exact in any order. A cascade with other weights or
//!   shapes, with tilted features or with trees of more than 8 nodes is evaluated one window at a time.
//! - **Votes in single precision.** OpenCV adds votes in double precision. The error of single precision is
//!   bounded when the cascade is compiled, and where a window's sum comes that close to a stage's threshold,
//!   the exact sum decides.
//! - **Resizing and integral images** are computed in vectors too, and a stripe takes over the rows that it
//!   shares with the one before.
//!
//! Figures, and what was tried without success, are in benches/RESULTS.md.

#![deny(unsafe_code)]

mod axis;
mod backend;
mod cascade;
mod compiled;
mod detector;
mod error;
mod find;
mod group;
mod integral;
mod kernel;
mod layout;
mod params;
mod parse;
mod resize;
mod scan;
mod scan_plan;

pub use backend::Backend;
pub use cascade::Cascade;
pub use detector::{Detection, Detector};
pub use error::CascadeError;
pub use find::{PATH_VARIABLE, find};
pub use gray_image::{GrayImage, ImageError, PixelRect, TurnedRect};
pub use params::{Params, ParamsError, Size};
