//! Blends drawings into frames of any format.
//!
//! GStreamer's blending unpacks complete rows of the frame and packs them again, however narrow the drawing is. So the part
//! of the frame that a drawing covers is copied out, blended there, and copied back. Into the formats that most video has
//! drawings are blended directly ([`planes`](super::planes)).

use std::ops::Range;
use std::sync::Arc;

use gst_video::prelude::*;
use gst_video::{VideoFormatFlags, VideoFrameRef, VideoInfo};

use super::geometry::{Area, frame_area};
use super::planes::{self, YuvPlanes};

/// The form in which drawings are blended into a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PixelForm {
    /// See [`Pixels::Rgb`].
    #[default]
    Rgb,
    /// See [`Pixels::Yuv`].
    Yuv,
    /// See [`Pixels::Planes`].
    Planes,
}

impl PixelForm {
    /// The form for frames of this kind.
    pub fn of_frame(info: &VideoInfo) -> Self {
        match info.format_info().unpack_format() {
            gst_video::VideoFormat::Ayuv if planes::is_supported(info.format()) && can_be_cut(info) => {
                Self::Planes
            }
            gst_video::VideoFormat::Ayuv => Self::Yuv,
            _ => Self::Rgb,
        }
    }
}

/// The pixels of a drawing.
#[derive(Clone, Debug)]
pub(super) enum Pixels {
    /// Cairo's ARGB with premultiplied alpha: a word in native byte order.
    Rgb(gst::Buffer),
    /// AYUV as GStreamer makes it of [`Rgb`](Self::Rgb) whenever that is blended into a frame of YUV; alpha is not
    /// premultiplied.
    Yuv(gst::Buffer),
    /// The same in planes, for frames that GStreamer's blending is not needed for.
    Planes(Arc<YuvPlanes>),
}

impl Pixels {
    /// The pixels in `bytes`, which are those of cairo's ARGB, rows of `width` pixels without padding, in the form of the frames
    /// that they will be blended into.
    pub fn new(mut bytes: Vec<u8>, width: i32, form: PixelForm) -> Result<Self, glib::BoolError> {
        let is_yuv = form != PixelForm::Rgb;
        if is_yuv {
            // Most pixels are like the one before, and the conversion divides.
            let mut last = (0, to_ayuv(0));
            for pixel in bytes.as_chunks_mut().0 {
                let argb = u32::from_ne_bytes(*pixel);
                if argb != last.0 {
                    last = (argb, to_ayuv(argb));
                }
                *pixel = last.1;
            }
        }
        if form == PixelForm::Planes {
            return Ok(Self::Planes(Arc::new(YuvPlanes::from_ayuv(bytes.as_chunks().0))));
        }
        let format = match is_yuv {
            true => gst_video::VideoFormat::Ayuv,
            // GStreamer's format names give the order of the bytes.
            false if cfg!(target_endian = "little") => gst_video::VideoFormat::Bgra,
            false => gst_video::VideoFormat::Argb,
        };
        let (width, height) = (width.max(1), (bytes.len() / (4 * width.max(1) as usize)) as u32);
        let mut buffer = gst::Buffer::from_slice(bytes);
        let (flags, stride) = (gst_video::VideoFrameFlags::empty(), [4 * width]);
        gst_video::VideoMeta::add_full(
            buffer.make_mut(),
            flags,
            format,
            width as u32,
            height,
            &[0],
            &stride,
        )?;
        Ok(if is_yuv { Self::Yuv(buffer) } else { Self::Rgb(buffer) })
    }
}

/// Converts a pixel of premultiplied ARGB to AYUV by ITU-R BT.601, in the integers of GStreamer's blending, so that the
/// frames are the same.
fn to_ayuv(argb: u32) -> [u8; 4] {
    let component = |shift: u32| (argb >> shift & 255) as i32;
    let alpha = component(24);
    let [r, g, b] = [16, 8, 0].map(|shift| match alpha {
        0 => component(shift),
        alpha => (component(shift) * 255 + alpha / 2) / alpha,
    });
    let weighted = |[red, green, blue]: [i32; 3], offset: i32| {
        ((red * r + green * g + blue * b + 256 * offset) >> 8).clamp(0, 255) as u8
    };
    [
        alpha as u8,
        weighted([47, 157, 16], 16),
        weighted([-26, -87, 112], 128),
        weighted([112, -102, -10], 128),
    ]
}

/// A drawing and its place in a frame.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Its place, as large as the drawing; it may reach beyond the frame.
    pub area: Area,
    /// What is blended there.
    pub pixels: Pixels,
}

impl Drawing {
    /// The drawing, whose pixels are those in `buffer`, as a composition for a picture that begins at `origin` in the frame.
    fn to_composition(
        &self,
        buffer: &gst::Buffer,
        flags: gst_video::VideoOverlayFormatFlags,
        (x, y): (i32, i32),
    ) -> Result<gst_video::VideoOverlayComposition, glib::BoolError> {
        let Area { w, h, .. } = self.area;
        let (w, h) = (w.max(0) as u32, h.max(0) as u32);
        let (x, y) = (self.area.x - x, self.area.y - y);
        let rectangle = gst_video::VideoOverlayRectangle::new_raw(buffer, x, y, w, h, flags);
        // By reference: gstreamer-rs 0.25 leaks the rectangles when a composition is collected from owned ones.
        gst_video::VideoOverlayComposition::new([&rectangle])
    }
}

/// Blends a drawing into a frame. The part of it outside the frame is left out.
pub(super) fn blend(
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    drawing: &Drawing,
) -> Result<(), glib::BoolError> {
    let (pixels, flags) = match &drawing.pixels {
        Pixels::Planes(planes) => return planes.blend(frame, drawing.area).ok_or_else(incomplete_plane),
        Pixels::Rgb(pixels) => (pixels, gst_video::VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA),
        Pixels::Yuv(pixels) => (pixels, gst_video::VideoOverlayFormatFlags::empty()),
    };
    // Outwards to multiples of 4, the largest chroma subsampling of any format.
    let Area { x, y, .. } = drawing.area;
    let (x, y) = (x & !3, y & !3);
    let covered =
        Area { x, y, w: (drawing.area.right() - x + 3) & !3, h: (drawing.area.bottom() - y + 3) & !3 };
    let Some(covered) = covered.intersection(&frame_area(frame.width(), frame.height())) else {
        return Ok(());
    };
    if !can_be_cut(frame.info()) {
        return drawing.to_composition(pixels, flags, (0, 0))?.blend(frame);
    }
    let info = VideoInfo::builder(frame.format(), covered.w as u32, covered.h as u32)
        .colorimetry(&frame.info().colorimetry())
        .chroma_site(frame.info().chroma_site())
        .build()?;
    let mut buffer = gst::Buffer::with_size(info.size())?;
    let mut cut = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), &info)?;
    copy_rows(frame, (covered.x, covered.y), &mut cut, (0, 0), covered).ok_or_else(incomplete_plane)?;
    drawing.to_composition(pixels, flags, (covered.x, covered.y))?.blend(&mut cut)?;
    copy_rows(&cut, (0, 0), frame, (covered.x, covered.y), covered).ok_or_else(incomplete_plane)
}

fn incomplete_plane() -> glib::BoolError {
    glib::bool_error!("a plane of the frame holds fewer bytes than its format says")
}

/// Whether a part of a frame that begins at multiples of 4 pixels consists of parts of the rows of its planes.
fn can_be_cut(info: &VideoInfo) -> bool {
    let format = info.format_info();
    let is_plain = !format.flags().intersects(VideoFormatFlags::COMPLEX | VideoFormatFlags::TILED);
    is_plain
        && info.interlace_mode() != gst_video::VideoInterlaceMode::Alternate
        && format.pixel_stride().iter().take(format.n_components() as usize).all(|stride| *stride > 0)
}

/// The part of a plane's rows in which the pixels of `area` are: the bytes of a row, and the rows.
fn plane_part(
    format: gst_video::VideoFormatInfo,
    plane: u32,
    (x, y): (i32, i32),
    area: Area,
) -> Option<(Range<usize>, Range<usize>)> {
    let mut part: Option<(Range<usize>, Range<usize>)> = None;
    for component in (0..format.n_components() as usize).filter(|&index| format.plane()[index] == plane) {
        let pixel = format.pixel_stride()[component];
        let subsampled = |length: i32, shift: u32| (length + (1 << shift) - 1) >> shift;
        let (w_sub, h_sub) = (format.w_sub()[component], format.h_sub()[component]);
        let first = (x >> w_sub) * pixel;
        let bytes = to_range(first, subsampled(area.w, w_sub) * pixel)?;
        let rows = to_range(y >> h_sub, subsampled(area.h, h_sub))?;
        part = Some(match part {
            None => (bytes, rows),
            Some((others, _)) => (others.start.min(bytes.start)..others.end.max(bytes.end), rows),
        });
    }
    part
}

fn to_range(start: i32, length: i32) -> Option<Range<usize>> {
    let start = usize::try_from(start).ok()?;
    Some(start..start + usize::try_from(length).ok()?)
}

/// Copies the pixels of an area as large as `area` that begins at `source` in one frame to `target` in another of the same
/// format; both begin at multiples of 4 pixels. `None` where a plane is smaller than its format says.
fn copy_rows(
    from: &VideoFrameRef<&gst::BufferRef>,
    source: (i32, i32),
    to: &mut VideoFrameRef<&mut gst::BufferRef>,
    target: (i32, i32),
    area: Area,
) -> Option<()> {
    let format = from.format_info();
    for plane in 0..format.n_planes() {
        let (from_bytes, from_rows) = plane_part(format, plane, source, area)?;
        let (to_bytes, to_rows) = plane_part(format, plane, target, area)?;
        let stride = |strides: &[i32]| usize::try_from(*strides.get(plane as usize)?).ok();
        let (from_stride, to_stride) = (stride(from.plane_stride())?, stride(to.plane_stride())?);
        let from_plane = from.plane_data(plane).ok()?;
        let to_plane = to.plane_data_mut(plane).ok()?;
        for (from_row, to_row) in from_rows.zip(to_rows) {
            let pixels = from_plane.get(from_row * from_stride..)?.get(from_bytes.clone())?;
            to_plane.get_mut(to_row * to_stride..)?.get_mut(to_bytes.clone())?.copy_from_slice(pixels);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotionoverlay::pixelation;

    /// A drawing with transparent, opaque and translucent pixels.
    fn drawing(area: Area, form: PixelForm) -> Drawing {
        let pixel = |index: u32| {
            let alpha = [0, 255, 120, 60][(index.wrapping_mul(2_654_435_761) >> 20) as usize % 4];
            let [r, g, b] =
                [index % 7 * 20, index % 5 * 30, index % 3 * 50].map(|value: u32| value.min(alpha));
            (alpha << 24 | r << 16 | g << 8 | b).to_ne_bytes()
        };
        let bytes: Vec<u8> = (0..area.area() as u32).flat_map(pixel).collect();
        Drawing { area, pixels: Pixels::new(bytes, area.w, form).unwrap() }
    }

    #[test]
    fn parts_are_blended_as_complete_frames_are() {
        gst::init().unwrap();
        let formats: Vec<_> =
            gst_video::VideoFormat::iter_raw().filter(|format| pixelation::is_supported(*format)).collect();
        let with_odd_width = [66, 65].into_iter().flat_map(|width| {
            let is_tried =
                move |format: &gst_video::VideoFormat| width == 66 || planes::is_supported(*format);
            formats.clone().into_iter().filter(is_tried).map(move |format| (width, format))
        });
        for (width, format) in with_odd_width {
            for area in [
                Area { x: 13, y: 7, w: 21, h: 10 },
                Area { x: -5, y: 30, w: 30, h: 40 },
                Area { x: 50, y: -3, w: 40, h: 9 },
                Area { x: 90, y: 0, w: 4, h: 4 },
            ] {
                let info = VideoInfo::builder(format, width, 50).build().unwrap();
                let bytes: Vec<u8> =
                    (0..info.size() as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as u8).collect();
                let blended = |bytes: &[u8], blend: &dyn Fn(&mut VideoFrameRef<&mut gst::BufferRef>)| {
                    let mut buffer = gst::Buffer::from_mut_slice(bytes.to_vec());
                    {
                        let buffer = buffer.make_mut();
                        blend(&mut VideoFrameRef::from_buffer_ref_writable(buffer, &info).unwrap());
                    }
                    buffer.map_readable().unwrap().to_vec()
                };
                let blend_whole = |bytes: &[u8], drawing: &Drawing| {
                    let Pixels::Rgb(pixels) = &drawing.pixels else { panic!("{drawing:?}") };
                    let flags = gst_video::VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA;
                    let composition = drawing.to_composition(pixels, flags, (0, 0)).unwrap();
                    blended(bytes, &|frame| composition.blend(frame).unwrap())
                };
                // Unused bits of all pixels become what packing makes them.
                let everywhere = Area { x: 0, y: 0, w: 66, h: 50 };
                let bytes = blend_whole(&bytes, &drawing(everywhere, PixelForm::Rgb));
                let whole = blend_whole(&bytes, &drawing(area, PixelForm::Rgb));
                let drawing = drawing(area, PixelForm::of_frame(&info));
                let part = blended(&bytes, &|frame| super::blend(frame, &drawing).unwrap());
                assert!(whole == part, "{format:?} {area:?}");
            }
        }
    }
}
