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
//! threads take stripes by shares. Every step follows OpenCV to the bit (resizing, normalisation, float rounding, the
//! windows it skips, grouping), so that a cascade behaves as its users know it.
//!
//! # Speed
//!
//! [`Backend`] names the instructions: AVX-512, AVX2, NEON, portable vectors, or one window at a time. The fastest that the
//! machine has is taken, [`Detector::with_backend`] takes another, and all find the same. Unsafe code is in the kernels
//! only; each is tested against the plain code on made-up rows, pictures and cascades (NEON in an emulator, see
//! CONTRIBUTING.md), fuzzed against it (`fuzz/`), and tested against OpenCV's rectangles: 768 searches in 319 pictures with
//! five cascades and more, scale factors from 1.05 to 1.5 and limits of every kind, all equal to the pixel before and
//! after grouping. No rectangle is allowed to differ by rounding, and none does.
//!
//! - **Neighbours first.** 64 windows of a row are a block. Neighbouring windows are neighbouring lanes, so that every
//!   corner is one contiguous load. Where OpenCV only looks at every second column, even columns of the integral picture
//!   lie before odd ones, which makes it so again. OpenCV skips the window after one that fails the first stage; that is
//!   replayed on the block's bits. After the first stage the next lanes to look at begin wherever the next window left
//!   over is, not at multiples of the lanes.
//! - **Then batches.** After four stages about one window in ten is left, without neighbours. 16 such windows from
//!   anywhere in the stripe have their integrals copied, transposed, into a patch of lines of 16 lanes: all lanes are
//!   busy, and loads aligned. Every four stages the windows left over move together again.
//! - **Fewer loads.** Corners that a feature's rectangles share are loaded once: 6, 8 or 9 for 8 to 12. Weights
//!   are small whole numbers, so sums are exact in any order; a cascade of which that is not true, or with features of
//!   other shapes than OpenCV trains, is searched one window at a time, as are tilted features and trees of more than
//!   8 nodes.
//! - **Votes in single precision.** OpenCV adds votes in double precision. Half as wide they need one masked addition
//!   a stump; the rounding error is bounded beforehand, and where a window's votes come that close to the threshold of a
//!   stage, the exact sum decides. This also frees the order of the stumps: they are sorted by shape, without branches.
//! - **Resizing and integrals.** Eight pixels of a resized row are a shuffle of 32 of the picture's. Running sums are made
//!   in vectors. A stripe that follows another takes over the rows both need.
//!
//! The search with AVX-512 now goes: first four stages 52 %, batches 27 %, resizing 8 %, integrals 7 %.
//!
//! What did not help: gathers (16 numbers take as long as 12 contiguous loads across cache lines, so batches are copied
//! first: about 600 ns, the price of some stages); levels made from smaller levels instead of from the picture (cheaper,
//! but no longer OpenCV's pixels, so no longer its rectangles); 16 lanes instead of 8 after the first stage (a load of 64 bytes
//! that crosses a cache line costs two, and only a few lanes are busy); going down columns of blocks instead of along
//! rows, and stripes of a third or twice the size (no difference on a second-level cache of 1 MiB).
//!
//! Measured on an AMD EPYC of 2024 (Zen 5) with OpenCV 4.14, frontalface_default, scale factor 1.25, smallest window
//! 30, one thread, frames of a talking head, OpenCV and this crate in alternation (`make bench PARTS=haar`):
//!
//! | Size | OpenCV | AVX-512 | AVX2 | Portable (SSE2) | Scalar |
//! |---|---|---|---|---|---|
//! | 640x360 | 20.5 ms | 1.9 ms, 10.8 times | 2.2 ms, 9.5 times | 4.4 ms, 4.7 times | 7.9 ms, 2.7 times |
//! | 1280x720 | 59.7 ms | 6.7 ms, 9.0 times | 7.7 ms, 7.8 times | 15.4 ms, 3.9 times | 25.4 ms, 2.4 times |
//! | 1920x1080 | 114 ms | 14.0 ms, 8.1 times | 15.8 ms, 7.3 times | 31.9 ms, 3.6 times | 50.4 ms, 2.2 times |
//!
//! A search from 30 pixels on costs 7 to 12 ns a pixel from 320x240 to 3840x2160, and one from a twelfth of the shorter side
//! 1 to 5 ms at any of these sizes; reading a frame once would cost 0.03 ns a pixel. A second thread makes it 1.8 to 1.9
//! times faster (the row of 1280x720 with AVX-512 varies from run to run, 1.6 to 1.9). The trees of frontalface_alt2, all of whose nodes lanes have to look at, gain least: 7.9 times OpenCV's
//! speed at 640x360 with AVX-512, 1.1 times one window at a time.

#![deny(unsafe_code)]

mod backend;
mod cascade;
mod dense;
mod detector;
mod error;
mod find;
mod group;
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
pub use error::{CascadeError, ParamsError};
pub use find::{PATH_VARIABLE, find};
pub use gray_image::{GrayImage, ImageError, PixelRect};
