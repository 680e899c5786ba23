//! Whether and where a video frame still shows what it showed when its faces were found.
//!
//! Between a face detector and an element that hides faces a pipeline may flip, turn, crop, scale or distort the frame,
//! and the boxes of the faces do not follow. So the detector keeps a [`Witness`] with the boxes: mean luma of a coarse grid
//! over the frame and of a finer one over each face. Later a [`Locator`] compares it with the frame as it is then, and finds
//! the [`Placement`]s under which the frame agrees with the witness: unchanged, flipped or turned by quarters, scaled,
//! cropped, or with borders. If none does, nobody knows where the faces are.
//!
//! Agreement is normalised correlation (Lewis 1995, "Fast Normalized Cross-Correlation"), so that a conversion of the
//! format, a change of brightness or a lossy codec does not matter. Several placements may agree, where the frame is nearly
//! symmetric; the faces are then in one of them.
//!
//! ```
//! use frame_witness::{Locator, LumaSample, Size, Witness};
//! use gray_image::{GrayImage, ImageError};
//! use mood_schema::Rect;
//!
//! # fn main() -> Result<(), ImageError> {
//! let pixels: Vec<u8> = (0..64 * 48).map(|i| (i % 64 * 3 + i / 64 * (i / 512) * 2) as u8).collect();
//! let mirrored: Vec<u8> = pixels.chunks(64).flat_map(|row| row.iter().rev().copied()).collect();
//! let face = Rect { x: 0.1, y: 0.2, w: 0.25, h: 0.25 };
//!
//! let mut sample = LumaSample::default();
//! sample.read_image(&GrayImage::new(&pixels, 64, 48, 64)?);
//! let size = Size { width: 64, height: 48, pixel_aspect: 1.0 };
//! let witness = Witness::capture(&sample, size, [(1, face)]);
//!
//! sample.read_image(&GrayImage::new(&mirrored, 64, 48, 64)?);
//! let placements = Locator::default().locate(&witness, &sample, size);
//! assert!((placements[0].map(&face).x - 0.65).abs() < 0.01);
//! # Ok(())
//! # }
//! ```

mod agreement;
mod locator;
mod placement;
mod sample;
mod search;
mod witness;

pub use locator::Locator;
pub use placement::{Orientation, Placement};
pub use sample::LumaSample;
pub use witness::{FaceWitness, Size, Witness};
