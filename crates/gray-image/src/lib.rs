//! The luma of an image, borrowed, and rectangles in it: what the detector, the tracker, the classifier and
//! the elements hand to each other.
//!
//! ```
//! use gray_image::{GrayImage, PixelRect};
//!
//! # fn main() -> Result<(), gray_image::ImageError> {
//! let pixels = vec![128; 640 * 480];
//! let image = GrayImage::new(&pixels, 640, 480, 640)?;
//! let face = PixelRect { x: 600, y: 100, w: 80, h: 80 };
//! assert_eq!(image.crop(face).width(), 40);
//! # Ok(())
//! # }
//! ```

mod image;
mod rect;
mod stretch;
mod turn;

pub use image::{GrayImage, ImageError};
pub use rect::PixelRect;
pub use stretch::StretchedImage;
pub use turn::{ReducedImage, Turn, TurnedImage, TurnedRect};
