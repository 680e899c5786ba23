//! Makes a face unrecognisable: every component of its area becomes a coarse mosaic of means.
//!
//! What is gone is gone: nothing of the picture inside a block survives but its mean, written in every pixel.

use gst_video::prelude::*;
use mood_schema::Rect;

use super::area::Area;

/// Blocks along a face's side: too few for a person or a machine to know whose it is.
const BLOCKS: f64 = 6.0;
/// Added around the box on every side, as a share of the face's side: hair, ears and chin tell as well.
const MARGIN: f64 = 0.25;
/// No block is smaller, in pixels.
const SMALLEST: f64 = 4.0;

/// Whether [`pixelate`] works in a format: GStreamer can unpack its rows to four components a pixel and pack them again,
/// without a palette that could not hold the mean and without tiles, whose rows do not lie in one piece.
pub(super) fn is_supported(format: gst_video::VideoFormat) -> bool {
    let info = gst_video::VideoFormatInfo::from_format(format);
    let unsupported = gst_video::VideoFormatFlags::TILED
        | gst_video::VideoFormatFlags::PALETTE
        | gst_video::VideoFormatFlags::SUBTILES;
    !info.flags().intersects(unsupported) && UnpackedDepth::of_format(info).is_some()
}

/// The area to make unrecognisable for a face, and the side of a block.
pub(super) fn area(face: &Rect, frame: Area) -> Option<(Area, i32)> {
    let visible = Area::of_shares(face, frame)?;
    // The whole face, not its visible part, sets the coarseness; a box beyond measure does not.
    let side =
        (face.w * f64::from(frame.w)).max(face.h * f64::from(frame.h)).min(f64::from(frame.w.max(frame.h)));
    let area = visible.grown((side * MARGIN).ceil() as i32);
    // Outwards to fours: the coarsest chroma sample any format has.
    let (x, y) = (area.x & !3, area.y & !3);
    let area = Area { x, y, w: (area.right() - x + 3) & !3, h: (area.bottom() - y + 3) & !3 };
    Some((area.intersection(&frame)?, (side / BLOCKS).max(SMALLEST).ceil() as i32))
}

/// How wide the components of unpacked pixels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnpackedDepth {
    /// AYUV or ARGB.
    Bits8,
    /// AYUV64 or ARGB64, in the machine's byte order.
    Bits16,
}

impl UnpackedDepth {
    fn of_format(info: gst_video::VideoFormatInfo) -> Option<Self> {
        use gst_video::VideoFormat;
        match info.unpack_format() {
            VideoFormat::Ayuv | VideoFormat::Argb => Some(Self::Bits8),
            VideoFormat::Ayuv64 | VideoFormat::Argb64 => Some(Self::Bits16),
            _ => None,
        }
    }

    fn pixel_bytes(self) -> usize {
        match self {
            Self::Bits8 => 4,
            Self::Bits16 => 8,
        }
    }

    /// The four components of an unpacked pixel.
    fn read(self, pixel: &[u8]) -> [u64; 4] {
        std::array::from_fn(|index| match self {
            Self::Bits8 => pixel.get(index).copied().unwrap_or(0).into(),
            Self::Bits16 => {
                let bytes = pixel.get(2 * index..).and_then(|rest| rest.first_chunk()).copied();
                u16::from_ne_bytes(bytes.unwrap_or_default()).into()
            }
        })
    }

    /// The bytes of an unpacked pixel, the first [`Self::pixel_bytes`] of the array.
    fn write(self, components: [u64; 4]) -> [u8; 8] {
        let mut bytes = [0; 8];
        for (index, component) in components.into_iter().enumerate() {
            match self {
                Self::Bits8 => bytes[index] = component as u8,
                Self::Bits16 => {
                    bytes[2 * index..2 * index + 2].copy_from_slice(&(component as u16).to_ne_bytes());
                }
            }
        }
        bytes
    }
}

/// Replaces every pixel of `area` by the mean of its block of `block` x `block` pixels, in any format that
/// [`is_supported`]. `area` must lie inside the frame and begin at multiples of four pixels; blocks are enlarged to
/// multiples of four, so that no chroma sample belongs to two of them.
///
/// Rows are unpacked, averaged and packed by GStreamer's own functions for the format, so that no layout is
/// interpreted here.
pub(super) fn pixelate(frame: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>, area: Area, block: i32) {
    let block = (block.max(1) + 3) & !3;
    let mut top = area.y.max(0);
    while top < area.bottom() {
        // A last block lower than half a block is part of the one above.
        let bottom = if area.bottom() - top < block + block / 2 { area.bottom() } else { top + block };
        if let Some(mut band) = Band::read(frame, top as usize, bottom as usize) {
            band.flatten(area, block);
            band.write(frame);
        }
        top = bottom;
    }
}

/// Some rows of a frame: a copy of the planes' bytes, and the same as unpacked pixels.
struct Band {
    format: gst_video::VideoFormatInfo,
    depth: UnpackedDepth,
    flags: gst_video::VideoPackFlags,
    chroma_site: gst_video::VideoChromaSite,
    /// First row of the band in the frame, a multiple of four.
    top: usize,
    rows: usize,
    /// Pixels.
    width: usize,
    planes: Vec<Vec<u8>>,
    strides: Vec<i32>,
    /// `rows` x `width` pixels.
    pixels: Vec<u8>,
}

impl Band {
    /// `None` where the planes are smaller than the format says.
    fn read(
        frame: &gst_video::VideoFrameRef<&mut gst::BufferRef>,
        top: usize,
        bottom: usize,
    ) -> Option<Self> {
        let format = frame.format_info();
        let depth = UnpackedDepth::of_format(format)?;
        let (rows, width) = (bottom - top, frame.width() as usize);
        let strides: Vec<i32> = frame.plane_stride().get(..format.n_planes() as usize)?.to_vec();
        let mut planes = Vec::new();
        for (plane, &stride) in strides.iter().enumerate() {
            let stride = usize::try_from(stride).ok()?;
            // Subsampled planes too get a row of bytes for each row of pixels: gstreamer-rs' bounds check counts so.
            let mut copy = vec![0; (rows + 1) * stride];
            let bytes = frame.plane_data(plane as u32).ok()?;
            let range = plane_rows(format, plane, top, bottom);
            let bytes = bytes.get(range.start * stride..)?;
            let length = (range.len() * stride).min(bytes.len());
            copy.get_mut(..length)?.copy_from_slice(&bytes[..length]);
            planes.push(copy);
        }
        let flags = match frame.info().is_interlaced() {
            true => gst_video::VideoPackFlags::INTERLACED,
            false => gst_video::VideoPackFlags::empty(),
        };
        let mut band = Self {
            format,
            depth,
            flags,
            chroma_site: frame.info().chroma_site(),
            top,
            rows,
            width,
            planes,
            strides,
            pixels: vec![0; rows * width * depth.pixel_bytes()],
        };
        let line = width * depth.pixel_bytes();
        let planes: Vec<&[u8]> = band.planes.iter().map(Vec::as_slice).collect();
        for (y, row) in band.pixels.chunks_exact_mut(line).enumerate() {
            format.unpack(flags, row, &planes, &band.strides, 0, y as i32, width as i32);
        }
        Some(band)
    }

    /// Every pixel of the band inside `area` becomes its block's mean; a block is as high as the band.
    fn flatten(&mut self, area: Area, block: i32) {
        let bytes = self.depth.pixel_bytes();
        let line = self.width * bytes;
        let mut left = area.x.max(0);
        while left < area.right() {
            let right = if area.right() - left < block + block / 2 { area.right() } else { left + block };
            let columns = left as usize * bytes..(right as usize * bytes).min(line);
            let mut sums = [0u64; 4];
            for row in self.pixels.chunks_exact(line) {
                for pixel in row[columns.clone()].chunks_exact(bytes) {
                    let components = self.depth.read(pixel);
                    sums.iter_mut().zip(components).for_each(|(sum, component)| *sum += component);
                }
            }
            let count = ((columns.len() / bytes) * self.rows).max(1) as u64;
            let mean = self.depth.write(sums.map(|sum| (sum + count / 2) / count));
            for row in self.pixels.chunks_exact_mut(line) {
                for pixel in row[columns.clone()].chunks_exact_mut(bytes) {
                    pixel.copy_from_slice(&mean[..bytes]);
                }
            }
            left = right;
        }
    }

    /// Packs the pixels and copies the planes' rows back to the frame.
    fn write(&mut self, frame: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>) {
        let line = self.width * self.depth.pixel_bytes();
        let mut planes: Vec<&mut [u8]> = self.planes.iter_mut().map(Vec::as_mut_slice).collect();
        for (y, row) in self.pixels.chunks_exact(line).enumerate() {
            self.format.pack(
                self.flags,
                row,
                line as i32,
                &mut planes,
                &self.strides,
                self.chroma_site,
                y as i32,
                self.width as i32,
            );
        }
        for (plane, copy) in self.planes.iter().enumerate() {
            let stride = self.strides[plane] as usize;
            let range = plane_rows(self.format, plane, self.top, self.top + self.rows);
            let Ok(bytes) = frame.plane_data_mut(plane as u32) else { continue };
            let Some(bytes) = bytes.get_mut(range.start * stride..) else { continue };
            let length = (range.len() * stride).min(bytes.len());
            bytes[..length].copy_from_slice(&copy[..length]);
        }
    }
}

/// The rows of a plane that hold the frame's rows `top..bottom`.
fn plane_rows(
    format: gst_video::VideoFormatInfo,
    plane: usize,
    top: usize,
    bottom: usize,
) -> std::ops::Range<usize> {
    let component = format.plane().iter().position(|&of| of as usize == plane);
    let shift = component.and_then(|index| format.h_sub().get(index)).copied().unwrap_or(0);
    top >> shift..(bottom + (1 << shift) - 1) >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Area = Area { x: 0, y: 0, w: 640, h: 360 };

    #[test]
    fn the_area_has_a_margin_and_whole_chroma_samples() {
        let (area, block) = area(&Rect { x: 0.3, y: 0.3, w: 0.25, h: 0.4 }, FRAME).unwrap();
        assert!(
            area.x <= 192 - 40 && area.right() >= 352 + 40 && area.y <= 108 - 40 && area.bottom() >= 252 + 40
        );
        assert!(area.x % 4 == 0 && area.y % 4 == 0 && area.w % 4 == 0 && area.h % 4 == 0);
        assert!(block * 6 >= 160, "{block}");
    }

    #[test]
    fn a_face_half_outside_is_no_less_hidden() {
        let whole = area(&Rect { x: 0.5, y: 0.3, w: 0.2, h: 0.3 }, FRAME).unwrap();
        let half = area(&Rect { x: -0.1, y: 0.3, w: 0.2, h: 0.3 }, FRAME).unwrap();
        assert_eq!(whole.1, half.1);
        assert!(FRAME.contains(&half.0));
        let boundless = area(&Rect { x: -1e9, y: -1e9, w: 2e9, h: 2e9 }, FRAME).unwrap();
        assert_eq!(boundless.0, FRAME);
        assert!(area(&Rect { x: f64::NAN, y: 0.0, w: 1.0, h: 1.0 }, FRAME).is_none());
    }

    #[test]
    fn palettes_and_tiles_are_not_offered() {
        use gst_video::VideoFormat;
        gst::init().unwrap();
        for format in [VideoFormat::I420, VideoFormat::V210, VideoFormat::Rgb16, VideoFormat::P01010le] {
            assert!(is_supported(format), "{format}");
        }
        for format in [VideoFormat::Rgb8p, VideoFormat::Nv1264z32, VideoFormat::Encoded] {
            assert!(!is_supported(format), "{format}");
        }
    }

    #[test]
    fn every_block_becomes_its_mean_and_the_rest_stays() {
        gst::init().unwrap();
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Gray8, 16, 12).build().unwrap();
        let mut buffer = gst::Buffer::from_mut_slice((0..16 * 12).collect::<Vec<u8>>());
        let mut frame =
            gst_video::VideoFrameRef::from_buffer_ref_writable(buffer.get_mut().unwrap(), &info).unwrap();
        pixelate(&mut frame, Area { x: 4, y: 4, w: 8, h: 4 }, 4);
        let plane = frame.plane_data(0).unwrap();
        for (index, value) in plane.iter().enumerate() {
            let expected = match (index % 16, index / 16) {
                (4..8, 4..8) => 94, // the mean of 68..=71 and the rows 16, 32 and 48 above
                (8..12, 4..8) => 98,
                _ => index as u8,
            };
            assert_eq!(*value, expected, "at {}, {}", index % 16, index / 16);
        }
    }
}
