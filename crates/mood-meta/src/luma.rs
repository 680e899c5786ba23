//! The luma of a video frame: its Y plane without a copy, or a plane unpacked or computed from a packed format.

use gray_image::{GrayImage, ImageError};
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef};

use crate::video_frame;

/// The formats whose luma [`read`] can read.
pub const FORMATS: [VideoFormat; 19] = [
    VideoFormat::Gray8,
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::Y42b,
    VideoFormat::Y444,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Xrgb,
    VideoFormat::Xbgr,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Argb,
    VideoFormat::Abgr,
];

/// The caps of raw video in system memory in any of [`FORMATS`], of any size and rate.
pub fn caps() -> gst::Caps {
    gst_video::VideoCapsBuilder::new().format_list(FORMATS).build()
}

/// A frame whose luma cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LumaError {
    /// The format is not among [`FORMATS`].
    #[error("the luma of a frame in format {0:?} cannot be read")]
    Format(VideoFormat),
    /// The frame has no pixels, or its memory is shorter than its size and strides need.
    #[error("the frame is smaller than its caps say")]
    TooSmall,
    /// The frame is larger than an image may be.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Reads the luma of `frame`. A format with a Y plane is not copied; a packed format is unpacked into `scratch`, which
/// the caller keeps from frame to frame to reuse its memory.
///
/// RGB is converted with the weights of ITU-R BT.601 in the fixed-point arithmetic of OpenCV's `cvtColor`.
pub fn read<'a>(
    frame: &'a VideoFrameRef<&gst::BufferRef>,
    scratch: &'a mut Vec<u8>,
) -> Result<GrayImage<'a>, LumaError> {
    let info = frame.format_info();
    if !FORMATS.contains(&frame.format()) {
        return Err(LumaError::Format(frame.format()));
    }
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let stride = frame
        .plane_stride()
        .first()
        .and_then(|&stride| usize::try_from(stride).ok())
        .ok_or(LumaError::TooSmall)?;
    let data = video_frame::plane_data(frame, 0).ok_or(LumaError::TooSmall)?;
    let step = info.pixel_stride().first().map_or(1, |&step| step as usize);
    let first = info.poffset().first().map_or(0, |&offset| offset as usize);
    let is_rgb = info.is_rgb();
    let limited_range =
        !is_rgb && frame.info().colorimetry().range() == gst_video::VideoColorRange::Range16_235;
    let row_bytes = if step == 1 { width } else { width * step };
    if width == 0 || height == 0 || stride < row_bytes || data.len() < stride * (height - 1) + row_bytes {
        return Err(LumaError::TooSmall);
    }
    if step == 1 {
        let luma = GrayImage::new(data, width, height, stride)?;
        return Ok(luma.with_limited_range(limited_range));
    }
    scratch.resize(width * height, 0);
    let rows = data.chunks(stride).zip(scratch.chunks_exact_mut(width));
    if is_rgb {
        let [r, g, b] = [0, 1, 2].map(|component| info.poffset()[component] as usize);
        for (row, luma_row) in rows {
            for (pixel, luma) in row.chunks_exact(step).zip(luma_row) {
                let sum =
                    u32::from(pixel[r]) * 4899 + u32::from(pixel[g]) * 9617 + u32::from(pixel[b]) * 1868;
                *luma = ((sum + (1 << 13)) >> 14) as u8;
            }
        }
    } else {
        for (row, luma_row) in rows {
            for (pixel, luma) in row[first..].iter().step_by(step).zip(luma_row) {
                *luma = *pixel;
            }
        }
    }
    Ok(GrayImage::new(scratch, width, height, width)?.with_limited_range(limited_range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_gives_the_same_luma() {
        gst::init().unwrap();
        for format in FORMATS {
            for (width, height) in [(33, 7), (1, 1), (64, 48)] {
                let info = gst_video::VideoInfo::builder(format, width, height).build().unwrap();
                let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
                let buffer = buffer.get_mut().unwrap();
                {
                    let mut frame =
                        gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, &info).unwrap();
                    fill(&mut frame);
                }
                let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info).unwrap();
                let mut scratch = Vec::new();
                let luma = read(&frame, &mut scratch).unwrap();
                assert_eq!((luma.width(), luma.height()), (width as usize, height as usize));
                for y in 0..luma.height() {
                    for x in 0..luma.width() {
                        let value = luma.pixel(x, y);
                        assert_eq!(value, grey(x, y), "{format:?} {width}x{height} at {x},{y}");
                    }
                }
            }
        }
    }

    /// The test image.
    fn grey(x: usize, y: usize) -> u8 {
        (x * 5 + y * 11) as u8
    }

    /// Writes the same value into the luma, or into the red, green and blue, of each pixel.
    fn fill(frame: &mut VideoFrameRef<&mut gst::BufferRef>) {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let info = frame.format_info();
        let stride = frame.plane_stride()[0] as usize;
        let step = info.pixel_stride()[0] as usize;
        let offsets: Vec<usize> =
            info.poffset().iter().take(if info.is_rgb() { 3 } else { 1 }).map(|&o| o as usize).collect();
        let data = frame.plane_data_mut(0).unwrap();
        for y in 0..height {
            for x in 0..width {
                for offset in &offsets {
                    data[y * stride + x * step + offset] = grey(x, y);
                }
            }
        }
    }
}
