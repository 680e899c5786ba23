//! The luma of a video frame: its Y plane without a copy, or a plane unpacked or computed from a packed format.

use gray_image::{GrayImage, ImageError};
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef};

use crate::video_frame;

/// The formats whose luma [`read`] can read.
///
/// Formats with alpha and more than 8 bits, and GBRA, are left out: sources that offer every format, such as
/// `videotestsrc`, would choose them before the small ones. Tiled formats, and those that pack three components into a word,
/// are left to `videoconvert`.
pub const FORMATS: [VideoFormat; 66] = [
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
    // 8 bits, more layouts.
    VideoFormat::Nv16,
    VideoFormat::Nv61,
    VideoFormat::Nv24,
    VideoFormat::Y41b,
    VideoFormat::Yuv9,
    VideoFormat::Yvu9,
    VideoFormat::A420,
    VideoFormat::Av12,
    VideoFormat::Yvyu,
    VideoFormat::Vyuy,
    VideoFormat::Ayuv,
    VideoFormat::Vuya,
    VideoFormat::V308,
    VideoFormat::Iyu2,
    VideoFormat::Gbr,
    VideoFormat::Rgbp,
    VideoFormat::Bgrp,
    // 10, 12 and 16 bits, of which the upper 8 are read.
    VideoFormat::P01010le,
    VideoFormat::P01010be,
    VideoFormat::P012Le,
    VideoFormat::P012Be,
    VideoFormat::P016Le,
    VideoFormat::P016Be,
    VideoFormat::I42010le,
    VideoFormat::I42010be,
    VideoFormat::I42012le,
    VideoFormat::I42012be,
    VideoFormat::I42210le,
    VideoFormat::I42210be,
    VideoFormat::I42212le,
    VideoFormat::I42212be,
    VideoFormat::Y44410le,
    VideoFormat::Y44410be,
    VideoFormat::Y44412le,
    VideoFormat::Y44412be,
    VideoFormat::Y44416le,
    VideoFormat::Y44416be,
    VideoFormat::Y210,
    VideoFormat::Y212Le,
    VideoFormat::Y212Be,
    VideoFormat::V216,
    VideoFormat::Gray16Le,
    VideoFormat::Gray16Be,
    VideoFormat::Gbr10le,
    VideoFormat::Gbr10be,
    VideoFormat::Gbr12le,
    VideoFormat::Gbr12be,
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

/// Reads the luma of `frame`. A plane of 8-bit luma is not copied; other formats are unpacked into `scratch`, which the caller
/// keeps from frame to frame to reuse its memory.
///
/// Of samples with more than 8 bits the upper 8 are read. RGB is converted with the weights of ITU-R BT.601 in the fixed-point
/// arithmetic of OpenCV's `cvtColor`.
pub fn read<'a>(
    frame: &'a VideoFrameRef<&gst::BufferRef>,
    scratch: &'a mut Vec<u8>,
) -> Result<GrayImage<'a>, LumaError> {
    let info = frame.format_info();
    if !FORMATS.contains(&frame.format()) {
        return Err(LumaError::Format(frame.format()));
    }
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let is_rgb = info.is_rgb();
    let limited_range =
        !is_rgb && frame.info().colorimetry().range() == gst_video::VideoColorRange::Range16_235;
    let first = Component::read(frame, 0)?;
    if has_luma_plane(info) {
        let luma = GrayImage::new(first.data, width, height, first.stride)?;
        return Ok(luma.with_limited_range(limited_range));
    }
    // Behind the luma, a row of each of three components.
    scratch.resize(width * height + 3 * width, 0);
    let (pixels, rgb_rows) = scratch.split_at_mut(width * height);
    let luma_rows = pixels.chunks_exact_mut(width);
    if !is_rgb {
        for (row, luma_row) in first.rows().zip(luma_rows) {
            first.copy_row(row, luma_row);
        }
    } else if info.n_planes() == 1 {
        let [r, g, b] = [0, 1, 2].map(|component| info.poffset()[component] as usize);
        for (row, luma_row) in first.rows().zip(luma_rows) {
            for (pixel, luma) in row.chunks_exact(first.step).zip(luma_row) {
                *luma = rgb_to_luma(pixel[r], pixel[g], pixel[b]);
            }
        }
    } else {
        let (green, blue) = (Component::read(frame, 1)?, Component::read(frame, 2)?);
        let (r, rest) = rgb_rows.split_at_mut(width);
        let (g, b) = rest.split_at_mut(width);
        let planes = first.rows().zip(green.rows()).zip(blue.rows());
        for (((r_row, g_row), b_row), luma_row) in planes.zip(luma_rows) {
            first.copy_row(r_row, r);
            green.copy_row(g_row, g);
            blue.copy_row(b_row, b);
            for (((luma, r), g), b) in luma_row.iter_mut().zip(&*r).zip(&*g).zip(&*b) {
                *luma = rgb_to_luma(*r, *g, *b);
            }
        }
    }
    Ok(GrayImage::new(pixels, width, height, width)?.with_limited_range(limited_range))
}

/// Whether a format has a plane of 8-bit luma, which [`read`] does not copy.
pub fn has_luma_plane(info: gst_video::VideoFormatInfo) -> bool {
    !info.is_rgb() && info.pixel_stride().first() == Some(&1) && info.depth().first() == Some(&8)
}

fn rgb_to_luma(r: u8, g: u8, b: u8) -> u8 {
    let sum = u32::from(r) * 4899 + u32::from(g) * 9617 + u32::from(b) * 1868;
    ((sum + (1 << 13)) >> 14) as u8
}

/// How a sample is stored.
#[derive(Clone, Copy)]
enum Sample {
    /// In a byte.
    Bits8,
    /// In a little-endian word, whose lowest bits to be left out are counted.
    Little(u32),
    /// In a big-endian word.
    Big(u32),
}

impl Sample {
    /// The samples of a component of one of [`FORMATS`].
    fn of(info: gst_video::VideoFormatInfo, component: usize) -> Self {
        let (depth, shift) = (info.depth()[component], info.shift()[component]);
        // GStreamer's description of these two differs from what its own functions read and write.
        match info.format() {
            VideoFormat::Y210 => return Self::Little(8),
            VideoFormat::V216 => return Self::Little(8),
            _ if depth <= 8 => return Self::Bits8,
            _ => {}
        }
        let unread = shift + depth - 8;
        if info.flags().contains(gst_video::VideoFormatFlags::LE) {
            Self::Little(unread)
        } else {
            Self::Big(unread)
        }
    }
}

/// One component of a frame: luma, red, green or blue, not subsampled.
struct Component<'a> {
    /// The plane, from its first pixel to its last.
    data: &'a [u8],
    /// Bytes from one row to the next.
    stride: usize,
    /// Bytes from the start of a row to the first sample.
    offset: usize,
    /// Bytes from one sample to the next.
    step: usize,
    sample: Sample,
}

impl<'a> Component<'a> {
    /// A component of a frame whose format is one of [`FORMATS`].
    fn read(frame: &'a VideoFrameRef<&gst::BufferRef>, component: usize) -> Result<Self, LumaError> {
        let info = frame.format_info();
        let plane = info.plane()[component] as usize;
        let stride = frame.plane_stride().get(plane).and_then(|&stride| usize::try_from(stride).ok());
        let stride = stride.ok_or(LumaError::TooSmall)?;
        let data = video_frame::plane_data(frame, plane).ok_or(LumaError::TooSmall)?;
        let sample = Sample::of(info, component);
        let step = info.pixel_stride()[component] as usize;
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let row_bytes = width * step;
        if width == 0 || height == 0 || stride < row_bytes || data.len() < stride * (height - 1) + row_bytes {
            return Err(LumaError::TooSmall);
        }
        Ok(Self { data, stride, offset: info.poffset()[component] as usize, step, sample })
    }

    fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        self.data.chunks(self.stride)
    }

    /// Copies the upper 8 bits of the samples of a row.
    fn copy_row(&self, row: &[u8], values: &mut [u8]) {
        let Some(row) = row.get(self.offset..) else { return };
        let words = row.chunks(self.step);
        match self.sample {
            Sample::Bits8 => {
                row.iter().step_by(self.step).zip(values).for_each(|(byte, value)| *value = *byte)
            }
            Sample::Little(unread) => {
                copy_words(words, values, |bytes| (u16::from_le_bytes(bytes) >> unread) as u8)
            }
            Sample::Big(unread) => {
                copy_words(words, values, |bytes| (u16::from_be_bytes(bytes) >> unread) as u8)
            }
        }
    }
}

fn copy_words<'a>(words: impl Iterator<Item = &'a [u8]>, values: &mut [u8], convert: impl Fn([u8; 2]) -> u8) {
    for (bytes, value) in words.zip(values) {
        if let Some(&word) = bytes.first_chunk() {
            *value = convert(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use gst_video::{VideoFormatInfo, VideoInfo};

    use super::*;

    /// A frame of arbitrary bytes, and its luma by GStreamer's own unpacking, 8 bits.
    fn random_frame(format: VideoFormat, width: u32, height: u32) -> (gst::Buffer, VideoInfo, Vec<u8>) {
        let info = VideoInfo::builder(format, width, height).build().unwrap();
        let bytes: Vec<u8> =
            (0..info.size() as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 22) as u8).collect();
        let buffer = gst::Buffer::from_mut_slice(bytes);
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
        let format = frame.format_info();
        let unpacked = VideoFormatInfo::from_format(format.unpack_format());
        let is_deep = unpacked.depth()[0] > 8;
        let (components, bytes) = (4, if is_deep { 2 } else { 1 });
        let mut expected = Vec::new();
        let mut row = vec![0; width as usize * components * bytes];
        // A copy with room for what gstreamer-rs demands of subsampled planes.
        let planes: Vec<Vec<u8>> = (0..format.n_planes())
            .map(|plane| {
                let mut data = frame.plane_data(plane).unwrap().to_vec();
                data.resize(frame.plane_stride()[plane as usize] as usize * (height as usize + 1), 0);
                data
            })
            .collect();
        let planes: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();
        for y in 0..height as i32 {
            let flags = gst_video::VideoPackFlags::empty();
            format.unpack(flags, &mut row, &planes, frame.plane_stride(), 0, y, width as i32);
            // Alpha, then luma or red, green and blue; words are in the order of this machine.
            let high = if cfg!(target_endian = "little") { bytes - 1 } else { 0 };
            for pixel in row.chunks_exact(components * bytes) {
                let value = |component: usize| pixel[component * bytes + high];
                expected.push(if format.is_rgb() {
                    rgb_to_luma(value(1), value(2), value(3))
                } else {
                    value(1)
                });
            }
        }
        drop(frame);
        (buffer, info, expected)
    }

    #[test]
    fn the_luma_of_every_format_is_that_which_gstreamer_unpacks() {
        gst::init().unwrap();
        let mut scratch = Vec::new();
        for format in FORMATS {
            for (width, height) in [(33, 7), (1, 1), (64, 48)] {
                let (buffer, info, expected) = random_frame(format, width, height);
                let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
                let luma = read(&frame, &mut scratch).unwrap();
                assert_eq!((luma.width(), luma.height()), (width as usize, height as usize));
                let found: Vec<u8> = (0..luma.height()).flat_map(|y| luma.row(y).to_vec()).collect();
                assert_eq!(found, expected, "{format:?} {width}x{height}");
            }
        }
    }

    #[test]
    fn sources_of_every_format_do_not_choose_large_ones() {
        gst::init().unwrap();
        // GStreamer's order, which `videotestsrc` has too: ABGR is the first of ours in 1.22, AYUV in 1.26.
        let chosen = gst_video::VIDEO_FORMATS_ALL.iter().find(|format| FORMATS.contains(format)).unwrap();
        let frame = VideoInfo::builder(*chosen, 64, 64).build().unwrap();
        assert!(frame.size() <= 64 * 64 * 4, "{chosen:?}");
        let formats: std::collections::HashSet<_> = FORMATS.iter().map(|format| format.to_str()).collect();
        assert_eq!(formats.len(), FORMATS.len(), "each format once");
    }
}
