//! Pixelation of faces in raw video: a face becomes a coarse mosaic.
//!
//! Every pixel of a block is replaced by the block's mean, in all components of the format. The mean is all that is
//! kept of a block, so that the face cannot be reconstructed.

use frame_witness::LumaSample;
use gst_video::prelude::*;
use mood_meta::{luma, video_frame};
use mood_schema::Rect;

use super::geometry::{Area, visible_area};

/// Number of blocks along the side of a face's box: too few for people or machines to recognise the face.
const BLOCKS: f64 = 6.0;
/// Margin around the box on each side, as a share of its side, because hair, ears and chin identify a person too.
const MARGIN: f64 = 0.25;
/// The smallest side of a block, pixels, so that small faces are hidden as well.
const MIN_BLOCK: f64 = 4.0;

/// Whether [`pixelate`] supports a format: GStreamer must be able to unpack its rows to four components a pixel and to
/// pack them again. Formats with a palette are not supported because it may lack the mean, and tiled formats because
/// their rows are not contiguous.
pub(super) fn is_supported(format: gst_video::VideoFormat) -> bool {
    let info = gst_video::VideoFormatInfo::from_format(format);
    let unsupported = gst_video::VideoFormatFlags::TILED
        | gst_video::VideoFormatFlags::PALETTE
        | gst_video::VideoFormatFlags::SUBTILES;
    !info.flags().intersects(unsupported) && UnpackedDepth::for_format(info).is_some()
}

/// The area to pixelate for the box of a face, and the side of a block in pixels. `None` where the box has no pixel in
/// the frame.
pub(super) fn mosaic_area(face: &Rect, frame: Area) -> Option<(Area, i32)> {
    let visible = visible_area(face, frame)?;
    // The complete face, not its visible part, determines the size of the blocks, within the size of the frame.
    let side =
        (face.w * f64::from(frame.w)).max(face.h * f64::from(frame.h)).min(f64::from(frame.w.max(frame.h)));
    let area = visible.expand((side * MARGIN).ceil() as i32);
    // Outwards to multiples of 4, the largest chroma subsampling of any format.
    let (x, y) = (area.x & !3, area.y & !3);
    let area = Area { x, y, w: (area.right() - x + 3) & !3, h: (area.bottom() - y + 3) & !3 };
    Some((area.intersection(&frame)?, (side / BLOCKS).max(MIN_BLOCK).ceil() as i32))
}

/// The depth of the components of unpacked pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnpackedDepth {
    /// One byte each: AYUV or ARGB.
    Bits8,
    /// Two bytes each in native byte order: AYUV64 or ARGB64.
    Bits16,
}

impl UnpackedDepth {
    /// The depth to which GStreamer unpacks a format; `None` where it unpacks it to another layout.
    fn for_format(info: gst_video::VideoFormatInfo) -> Option<Self> {
        use gst_video::VideoFormat;
        match info.unpack_format() {
            VideoFormat::Ayuv | VideoFormat::Argb => Some(Self::Bits8),
            VideoFormat::Ayuv64 | VideoFormat::Argb64 => Some(Self::Bits16),
            _ => None,
        }
    }

    /// Bytes of a pixel.
    fn pixel_bytes(self) -> usize {
        match self {
            Self::Bits8 => 4,
            Self::Bits16 => 8,
        }
    }

    /// Converts the bytes of a pixel to its four components.
    fn read_pixel(self, pixel: &[u8]) -> [u64; 4] {
        std::array::from_fn(|index| match self {
            Self::Bits8 => pixel.get(index).copied().unwrap_or(0).into(),
            Self::Bits16 => {
                let bytes = pixel.get(2 * index..).and_then(|rest| rest.first_chunk()).copied();
                u16::from_ne_bytes(bytes.unwrap_or_default()).into()
            }
        })
    }

    /// Converts four components to the bytes of a pixel, the first [`Self::pixel_bytes`] of the array.
    fn write_pixel(self, components: [u64; 4]) -> [u8; 8] {
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
/// [`is_supported`]. `area` must lie inside the frame and begin at multiples of four pixels; it and its blocks are enlarged to
/// multiples of [`row_group`], so that no chroma sample belongs to two of them.
///
/// GStreamer's own functions for the format unpack and pack the rows. Fails where the planes hold fewer bytes than the
/// format says: the area may then still be recognisable, and the frame must not be shown. [`hide_field_rows`] must follow.
pub(super) fn pixelate(
    frame: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
    area: Area,
    block: i32,
) -> Result<(), IncompletePlaneError> {
    let group = row_group(frame.info());
    let block = (block.max(1) + group - 1) & !(group - 1);
    let mut top = area.y.max(0) & !(group - 1);
    let end = ((area.bottom() + group - 1) & !(group - 1)).min(frame.height() as i32);
    while top < end {
        // A remainder of less than half a block is added to the last block.
        let bottom = if end - top < block + block / 2 { end } else { top + block };
        let mut band = Band::read(frame, top as usize, bottom as usize).ok_or(IncompletePlaneError)?;
        band.average_blocks(area, block);
        band.write(frame).ok_or(IncompletePlaneError)?;
        top = bottom;
    }
    Ok(())
}

/// Number of rows, at least 4, that have no chroma sample in common with other rows. In interlaced frames, the chroma of
/// each field is subsampled by itself.
fn row_group(info: &gst_video::VideoInfo) -> i32 {
    let shift = info.format_info().h_sub().iter().copied().max().unwrap_or(0);
    (if info.is_interlaced() { 2 << shift } else { 1 << shift }).max(4)
}

/// Hides the chroma of the last row of an interlaced frame in `areas` after [`pixelate`]: where the second field has a row
/// less than its chroma needs, GStreamer stores that chroma behind the plane's last row. There it gets that of the row
/// above, which is the other field's. Does nothing where the planes have no such row.
pub(super) fn hide_field_rows<'a>(
    buffer: &mut gst::BufferRef,
    info: &gst_video::VideoInfo,
    areas: impl Iterator<Item = &'a Area> + Clone,
) -> Result<(), IncompletePlaneError> {
    let format = info.format_info();
    let last_row = |component: u8| {
        let rows = info.comp_height(component);
        (info.is_interlaced() && format.h_sub()[component as usize] > 0 && rows % 2 == 1)
            .then_some(rows as usize)
    };
    let components = 0..format.n_components() as u8;
    if components.clone().all(|component| last_row(component).is_none()) {
        return Ok(());
    }
    // The one that GStreamer takes.
    let (offsets, strides) = match buffer.iter_meta::<gst_video::VideoMeta>().min_by_key(|meta| meta.id()) {
        Some(meta) => (meta.offset().to_vec(), meta.stride().to_vec()),
        None => (info.offset().to_vec(), info.stride().to_vec()),
    };
    let group = row_group(info);
    let is_at_bottom = |area: &&Area| (area.bottom() + group - 1) & !(group - 1) >= info.height() as i32;
    let mut bytes = buffer.map_writable().map_err(|_| IncompletePlaneError)?;
    for component in components {
        let Some(rows) = last_row(component) else { continue };
        let plane = info.comp_plane(component) as usize;
        let (Some(&offset), Some(&stride)) = (offsets.get(plane), strides.get(plane)) else { continue };
        let stride = usize::try_from(stride).map_err(|_| IncompletePlaneError)?;
        let next = offsets.iter().copied().filter(|&next| next > offset).min().unwrap_or(usize::MAX);
        let row = offset + rows * stride;
        for area in areas.clone().filter(is_at_bottom) {
            let (first, end) = row_bytes(info, component, area).unwrap_or((0, stride));
            // Without room for it nobody reads this row.
            if row + end <= next.min(bytes.len()) {
                bytes.copy_within(row - stride + first..row - stride + end, row + first);
            }
        }
    }
    Ok(())
}

/// The bytes of a row, first and end, that hold a component of the pixels of `area`; `None` where several pixels share words.
fn row_bytes(info: &gst_video::VideoInfo, component: u8, area: &Area) -> Option<(usize, usize)> {
    let step = usize::try_from(info.comp_pstride(component)).ok().filter(|step| *step > 0)?;
    let shift = info.format_info().w_sub()[component as usize];
    let (left, right) = (area.x.max(0) as usize, area.right().max(0) as usize);
    let end = ((right + (1 << shift) - 1) >> shift).min(info.comp_width(component) as usize);
    // All components of the pixels are copied at once where they share the plane.
    Some(((left >> shift) * step, end * step))
}

/// Reads a reduced copy of the luma of a frame in any format that [`is_supported`]. Fails as [`pixelate`] does.
pub(super) fn read_luma(
    frame: &gst_video::VideoFrameRef<&gst::BufferRef>,
    sample: &mut LumaSample,
) -> Result<(), IncompletePlaneError> {
    if luma::has_luma_plane(frame.format_info()) && luma::FORMATS.contains(&frame.format()) {
        // The plane is borrowed where it lies.
        let mut unused = Vec::new();
        sample.read_image(&luma::read(frame, &mut unused).map_err(|_| IncompletePlaneError)?);
        return Ok(());
    }
    sample.read_rows(frame.width() as usize, frame.height() as usize, |y, row| {
        let band = Band::read(frame, y, y + 1).ok_or(IncompletePlaneError)?;
        band.copy_luma(row);
        Ok(())
    })
}

/// A plane of a frame holds fewer bytes than its format says.
#[derive(Debug, thiserror::Error)]
#[error("a plane of the frame holds fewer bytes than its format says, so that faces cannot be hidden")]
pub(super) struct IncompletePlaneError;

/// A band of rows of a frame: a copy of the planes' bytes and the unpacked pixels.
struct Band {
    format: gst_video::VideoFormatInfo,
    depth: UnpackedDepth,
    flags: gst_video::VideoPackFlags,
    chroma_site: gst_video::VideoChromaSite,
    /// The band's first row in the frame, a multiple of four.
    top: usize,
    /// Number of rows.
    rows: usize,
    /// Pixels in a row.
    width: usize,
    /// The band's part of each plane.
    planes: Vec<Vec<u8>>,
    /// Bytes between the starts of rows of `planes`: multiples of 16, because GStreamer's packing writes whole words and ends
    /// the process where a frame's stride puts them at odd addresses.
    strides: Vec<i32>,
    /// `rows` x `width` unpacked pixels, in rows of [`Self::row_bytes`].
    pixels: Vec<u8>,
}

impl Band {
    /// Reads the rows `top..bottom`. `None` where the planes are smaller than the format says.
    fn read<T>(frame: &gst_video::VideoFrameRef<T>, top: usize, bottom: usize) -> Option<Self> {
        let format = frame.format_info();
        let depth = UnpackedDepth::for_format(format)?;
        let (rows, width) = (bottom - top, frame.width() as usize);
        let (mut planes, mut strides) = (Vec::new(), Vec::new());
        for (plane, &stride) in frame.plane_stride().get(..format.n_planes() as usize)?.iter().enumerate() {
            let stride = usize::try_from(stride).ok()?;
            let own_stride = stride.next_multiple_of(16);
            // One row for each row of pixels in subsampled planes too, which the bounds check of gstreamer-rs demands.
            let mut copy = vec![0; (rows + 1) * own_stride];
            let bytes = video_frame::plane_data(frame, plane)?;
            let range = plane_rows(format, plane, top, bottom);
            let bytes = bytes.get(range.start * stride..)?;
            for (own, row) in copy.chunks_exact_mut(own_stride).zip(bytes.chunks(stride)).take(range.len()) {
                own[..row.len()].copy_from_slice(row);
            }
            if frame.info().is_interlaced() && range.len() % 2 == 1 {
                // The second field's last row of chroma is not in the plane, see `hide_field_rows`.
                let end = range.len() * own_stride;
                copy.copy_within(end - own_stride..end, end);
            }
            planes.push(copy);
            strides.push(i32::try_from(own_stride).ok()?);
        }
        let flags = if frame.info().is_interlaced() {
            gst_video::VideoPackFlags::INTERLACED
        } else {
            gst_video::VideoPackFlags::empty()
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
            pixels: Vec::new(),
        };
        let row_bytes = band.row_bytes();
        band.pixels = vec![0; rows * row_bytes];
        let planes: Vec<&[u8]> = band.planes.iter().map(Vec::as_slice).collect();
        for (y, row) in band.pixels.chunks_exact_mut(row_bytes).enumerate() {
            format.unpack(flags, row, &planes, &band.strides, 0, y as i32, width as i32);
        }
        Some(band)
    }

    /// Bytes between the starts of rows of `pixels`: multiples of 16, because GStreamer 1.22 packs and unpacks some formats
    /// (VYUY) otherwise in rows that are not aligned, with exchanged chroma.
    fn row_bytes(&self) -> usize {
        (self.width * self.depth.pixel_bytes()).next_multiple_of(16)
    }

    /// Replaces each pixel between the left and right edges of `area` by the mean of its block. A block is `block`
    /// pixels wide and as high as the band.
    fn average_blocks(&mut self, area: Area, block: i32) {
        let bytes = self.depth.pixel_bytes();
        let row_bytes = self.row_bytes();
        let mut left = area.x.max(0);
        while left < area.right() {
            let right = if area.right() - left < block + block / 2 { area.right() } else { left + block };
            let columns = left as usize * bytes..(right as usize * bytes).min(self.width * bytes);
            let mut sums = [0u64; 4];
            for row in self.pixels.chunks_exact(row_bytes) {
                for pixel in row[columns.clone()].chunks_exact(bytes) {
                    let components = self.depth.read_pixel(pixel);
                    sums.iter_mut().zip(components).for_each(|(sum, component)| *sum += component);
                }
            }
            let count = ((columns.len() / bytes) * self.rows).max(1) as u64;
            let mean = self.depth.write_pixel(sums.map(|sum| (sum + count / 2) / count));
            for row in self.pixels.chunks_exact_mut(row_bytes) {
                for pixel in row[columns.clone()].chunks_exact_mut(bytes) {
                    pixel.copy_from_slice(&mean[..bytes]);
                }
            }
            left = right;
        }
    }

    /// Writes the luma of the first row, 8 bits.
    fn copy_luma(&self, row: &mut [u8]) {
        let is_rgb = gst_video::VideoFormatInfo::from_format(self.format.unpack_format()).is_rgb();
        for (pixel, luma) in self.pixels.chunks_exact(self.depth.pixel_bytes()).zip(row) {
            let [_, a, b, c] = self.depth.read_pixel(pixel);
            // The weights of ITU-R BT.601.
            let value = if is_rgb { (77 * a + 150 * b + 29 * c) >> 8 } else { a };
            *luma = match self.depth {
                UnpackedDepth::Bits8 => value,
                UnpackedDepth::Bits16 => value >> 8,
            } as u8;
        }
    }

    /// Packs the pixels and copies the rows back to the frame's planes. `None` where one of them is too small.
    fn write(&mut self, frame: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>) -> Option<()> {
        let row_bytes = self.row_bytes();
        let mut planes: Vec<&mut [u8]> = self.planes.iter_mut().map(Vec::as_mut_slice).collect();
        for (y, row) in self.pixels.chunks_exact(row_bytes).enumerate() {
            self.format.pack(
                self.flags,
                row,
                row_bytes as i32,
                &mut planes,
                &self.strides,
                self.chroma_site,
                y as i32,
                self.width as i32,
            );
        }
        for (plane, copy) in self.planes.iter().enumerate() {
            let stride = usize::try_from(*frame.plane_stride().get(plane)?).ok()?;
            let range = plane_rows(self.format, plane, self.top, self.top + self.rows);
            let bytes = video_frame::plane_data_mut(frame, plane)?.get_mut(range.start * stride..)?;
            let own_rows = copy.chunks_exact(self.strides[plane] as usize);
            for (row, own) in bytes.chunks_mut(stride).zip(own_rows).take(range.len()) {
                row.copy_from_slice(&own[..row.len()]);
            }
        }
        Some(())
    }
}

/// The rows of a plane that hold the rows `top..bottom` of the frame.
fn plane_rows(
    format: gst_video::VideoFormatInfo,
    plane: usize,
    top: usize,
    bottom: usize,
) -> std::ops::Range<usize> {
    let component = format.plane().iter().position(|&of_component| of_component as usize == plane);
    let shift = component.and_then(|index| format.h_sub().get(index)).copied().unwrap_or(0);
    top >> shift..(bottom + (1 << shift) - 1) >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Area = Area { x: 0, y: 0, w: 640, h: 360 };

    #[test]
    fn mosaic_area_has_a_margin_and_complete_chroma_samples() {
        let (area, block) = mosaic_area(&Rect { x: 0.3, y: 0.3, w: 0.25, h: 0.4 }, FRAME).unwrap();
        assert!(
            area.x <= 192 - 40 && area.right() >= 352 + 40 && area.y <= 108 - 40 && area.bottom() >= 252 + 40
        );
        assert!(area.x % 4 == 0 && area.y % 4 == 0 && area.w % 4 == 0 && area.h % 4 == 0);
        assert!(block * 6 >= 160, "{block}");
    }

    #[test]
    fn face_half_outside_gets_blocks_of_the_same_size() {
        let inside = mosaic_area(&Rect { x: 0.5, y: 0.3, w: 0.2, h: 0.3 }, FRAME).unwrap();
        let half_outside = mosaic_area(&Rect { x: -0.1, y: 0.3, w: 0.2, h: 0.3 }, FRAME).unwrap();
        assert_eq!(inside.1, half_outside.1);
        assert!(FRAME.contains(&half_outside.0));
        let huge = mosaic_area(&Rect { x: -1e9, y: -1e9, w: 2e9, h: 2e9 }, FRAME).unwrap();
        assert_eq!(huge.0, FRAME);
        assert!(mosaic_area(&Rect { x: f64::NAN, y: 0.0, w: 1.0, h: 1.0 }, FRAME).is_none());
    }

    #[test]
    fn palettes_and_tiles_are_not_supported() {
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
    fn blocks_become_their_mean_and_other_pixels_stay() {
        gst::init().unwrap();
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Gray8, 16, 12).build().unwrap();
        let mut buffer = gst::Buffer::from_mut_slice((0..16 * 12).collect::<Vec<u8>>());
        let mut frame =
            gst_video::VideoFrameRef::from_buffer_ref_writable(buffer.get_mut().unwrap(), &info).unwrap();
        pixelate(&mut frame, Area { x: 4, y: 4, w: 8, h: 4 }, 4).unwrap();
        let plane = frame.plane_data(0).unwrap();
        for (index, value) in plane.iter().enumerate() {
            let expected = match (index % 16, index / 16) {
                (4..8, 4..8) => 94, // the mean of 68..=71 and of the same columns in the three rows below
                (8..12, 4..8) => 98,
                _ => index as u8,
            };
            assert_eq!(*value, expected, "at {}, {}", index % 16, index / 16);
        }
    }
}
