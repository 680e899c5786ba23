//! What kind of recording a file is, judged by its content, not by its name.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

use image::ImageFormat;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder as _, Frames, ImageDecoder, ImageResult, Limits};
use media_container::jpeg;

/// Bytes at the beginning of a file that its format is recognised by.
const HEADER_SIZE: usize = 32;

/// How a file is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A still image, decoded by the crate `image`.
    Photo,
    /// A photograph in a format that nothing here decodes.
    UnsupportedPhoto,
    /// A GIF, WebP or PNG with several images, decoded by the crate `image`: GStreamer gives neither their times nor, for a
    /// GIF, an end.
    Animation,
    /// Anything else, decoded by GStreamer.
    Video,
}

impl MediaKind {
    /// The kind of the file at `path`. What cannot be read is [`Self::Video`], and fails when it is decoded.
    pub fn detect(path: &Path) -> Self {
        let mut header = [0; HEADER_SIZE];
        let length = File::open(path).and_then(|mut file| file.read(&mut header)).unwrap_or(0);
        let header = header.get(..length).unwrap_or_default();
        if is_unsupported_photo(header) || is_raw_photo(path, header) {
            return Self::UnsupportedPhoto;
        }
        match image::guess_format(header) {
            Ok(ImageFormat::Jpeg) if jpeg::examine(path) == Some(jpeg::Content::MotionJpeg) => Self::Video,
            Ok(ImageFormat::Gif | ImageFormat::WebP | ImageFormat::Png) if is_animated(path) => {
                Self::Animation
            }
            Ok(format) if format.reading_enabled() => Self::Photo,
            _ => Self::Video,
        }
    }
}

/// Whether a file with this header is in the format of a photograph that nothing here decodes: HEIC and AVIF (ISO/IEC 23008-12,
/// recognised by the brand in their first box), JPEG XL.
fn is_unsupported_photo(header: &[u8]) -> bool {
    const BRANDS: [&[u8; 4]; 10] =
        [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"];
    let brand = header.get(4..8).filter(|kind| *kind == b"ftyp").and(header.get(8..12));
    brand.is_some_and(|brand| BRANDS.iter().any(|known| brand == *known))
        || header.starts_with(b"\xFF\x0A")
        || header.starts_with(b"\0\0\0\x0CJXL \r\n\x87\n")
}

/// Whether the file is a TIFF with the extension of a camera's raw format, of which only a small preview would be decoded.
fn is_raw_photo(path: &Path, header: &[u8]) -> bool {
    const EXTENSIONS: [&str; 8] = ["arw", "cr2", "dng", "nef", "nrw", "pef", "sr2", "srw"];
    matches!(image::guess_format(header), Ok(ImageFormat::Tiff)) && has_extension(path, &EXTENSIONS)
}

/// Whether the path ends with one of these extensions, which are in lower case.
pub fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extensions.contains(&extension.to_ascii_lowercase().as_str())
}

/// Whether the image has more than one frame.
fn is_animated(path: &Path) -> bool {
    open_animation(path).is_ok_and(|frames| frames.take(2).filter(Result::is_ok).count() > 1)
}

/// The frames of a GIF, WebP or PNG, decoded one after the other. Fails where the file cannot be read, has no animation, or
/// claims frames for which 512 MiB are too little.
pub fn open_animation(path: &Path) -> ImageResult<Frames<'static>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut header = [0; HEADER_SIZE];
    let length = file.read(&mut header)?;
    file.rewind()?;
    match image::guess_format(header.get(..length).unwrap_or_default())? {
        ImageFormat::Gif => Ok(limit(GifDecoder::new(file)?)?.into_frames()),
        ImageFormat::WebP => {
            let decoder = limit(WebPDecoder::new(file)?)?;
            if decoder.has_animation() {
                Ok(decoder.into_frames())
            } else {
                Err(no_animation(ImageFormat::WebP))
            }
        }
        ImageFormat::Png => {
            let decoder = limit(PngDecoder::new(file)?)?;
            if decoder.is_apng()? {
                Ok(decoder.apng()?.into_frames())
            } else {
                Err(no_animation(ImageFormat::Png))
            }
        }
        format => Err(no_animation(format)),
    }
}

/// Sets and checks the limit of the memory for a frame: a few bytes can claim to be more, and memory that is not there would end
/// the process.
fn limit<D: ImageDecoder>(mut decoder: D) -> ImageResult<D> {
    let limits = Limits::default();
    limits.clone().reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    Ok(decoder)
}

/// The error for an image of one frame.
fn no_animation(format: ImageFormat) -> image::ImageError {
    let kind = image::error::UnsupportedErrorKind::GenericFeature("an animation".into());
    image::ImageError::Unsupported(image::error::UnsupportedError::from_format_and_kind(format.into(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_animation_that_claims_more_pixels_than_memory_holds_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.gif");
        // The screen of a GIF, 65,535 x 65,535 pixels, and two images of one.
        let image = b"\x2c\0\0\0\0\x01\0\x01\0\x80\0\0\0\xff\xff\xff\x02\x02\x44\x01\0";
        let file = [&b"GIF89a\xff\xff\xff\xff\0\0\0"[..], image, image, b"\x3b"].concat();
        std::fs::write(&path, &file).unwrap();
        assert!(matches!(open_animation(&path).err(), Some(image::ImageError::Limits(_))));
        assert!(!is_animated(&path));
        let small = [&b"GIF89a\x01\0\x01\0\0\0\0"[..], image, image, b"\x3b"].concat();
        std::fs::write(&path, small).unwrap();
        assert!(is_animated(&path), "the images are valid");
    }
    use std::fs;

    #[test]
    fn kinds_are_told_by_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let image = image::RgbImage::from_pixel(16, 8, image::Rgb([90, 120, 150]));
        for name in ["a.jpg", "a.png", "a.tif", "a.bmp", "a.webp", "a.gif"] {
            image.save(path(name)).unwrap();
            assert_eq!(MediaKind::detect(&path(name)), MediaKind::Photo, "{name}");
        }
        // Frames without a container, and a photograph that a phone has added something to.
        let jpeg = fs::read(path("a.jpg")).unwrap();
        fs::write(path("camera.jpg"), jpeg.repeat(2)).unwrap();
        fs::write(path("phone.jpg"), [&jpeg[..], b"\0\0\0\x18ftypmp42"].concat()).unwrap();
        let mut encoder = image::codecs::gif::GifEncoder::new(File::create(path("moves.gif")).unwrap());
        for _ in 0..2 {
            encoder.encode_frame(image::Frame::new(image::RgbaImage::new(16, 8))).unwrap();
        }
        drop(encoder);
        fs::copy(path("a.tif"), path("raw.DNG")).unwrap();
        // An iPhone's photograph under another name.
        fs::write(path("iphone.jpg"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
        fs::write(path("film.mp4"), b"\0\0\0\x18ftypisom\0\0\0\0").unwrap();
        for (name, kind) in [
            ("camera.jpg", MediaKind::Video),
            ("phone.jpg", MediaKind::Photo),
            ("moves.gif", MediaKind::Animation),
            ("raw.DNG", MediaKind::UnsupportedPhoto),
            ("iphone.jpg", MediaKind::UnsupportedPhoto),
            ("film.mp4", MediaKind::Video),
            ("none", MediaKind::Video),
        ] {
            assert_eq!(MediaKind::detect(&path(name)), kind, "{name}");
        }
    }
}
