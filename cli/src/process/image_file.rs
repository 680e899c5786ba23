//! Image files, decoded.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, RgbImage};

use crate::error::CommandError;

/// Most memory of a decoded image, bytes: 700 megapixels of 8-bit RGB. A few bytes can claim to be more, and memory that is not
/// there would end the process.
const MAX_IMAGE_SIZE: u64 = 2 << 30;

/// Decodes a photo and turns it as the camera was held (EXIF orientation). GStreamer's decoders ignore the
/// orientation and do not know all formats.
pub fn decode_upright(path: &Path) -> Result<RgbImage, CommandError> {
    let broken = |error: ImageError| {
        let error = error.to_string().replace('\n', " ");
        CommandError::Failed(format!("it is damaged, or nothing that can be shown ({error})"))
    };
    let reader = image::ImageReader::open(path).map_err(|error| CommandError::io(path, &error))?;
    let reader = reader.with_guessed_format().map_err(|error| CommandError::io(path, &error))?;
    let mut decoder = reader.into_decoder().map_err(broken)?;
    if decoder.total_bytes() > MAX_IMAGE_SIZE {
        let (width, height) = decoder.dimensions();
        return Err(CommandError::Failed(format!(
            "its {width} x {height} pixels are too many: make it smaller"
        )));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_claims_more_pixels_than_memory_holds_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // The header of a bitmap: 30,000 x 30,000 pixels of 24 bits, without any of them.
        let [size, depth] = [30_000_i32.to_le_bytes(), 0x0018_0001_i32.to_le_bytes()];
        let header =
            [&b"BM"[..], &[0; 8], &[54, 0, 0, 0, 40, 0, 0, 0], &size, &size, &depth, &[0; 24]].concat();
        std::fs::write(file.path(), header).unwrap();
        let error = decode_upright(file.path()).unwrap_err().to_string();
        assert!(error.contains("30000 x 30000"), "{error}");
    }
}
