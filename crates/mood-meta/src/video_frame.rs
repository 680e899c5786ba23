//! Mapping a buffer as a video frame whose planes lie in the buffer's memory.
//!
//! GStreamer compares the size of a buffer with its caps, but takes offsets and strides of a `GstVideoMeta` as they are, and
//! gstreamer-rs makes slices of them. Elements of other programs write that metadata, so it is checked here before a frame is
//! mapped.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoMeta};

/// A buffer that cannot be read as a frame of its caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapFrameError {
    /// The buffer has fewer bytes than the caps demand, or its memory cannot be mapped.
    #[error("A buffer does not hold what its caps say ({size} of {expected} bytes)")]
    Incomplete {
        /// Bytes of the buffer.
        size: usize,
        /// Bytes that a frame of the caps has without metadata.
        expected: usize,
    },
    /// The `GstVideoMeta` is that of another format or size, or has fewer planes. GStreamer itself takes that of a larger
    /// frame, from which a `GstVideoCropMeta` would cut what the caps mean.
    #[error("The video metadata of a buffer is not that of its caps")]
    OtherFrame,
    /// By its `GstVideoMeta`, rows of a plane overlap, run backwards or lie beside the buffer's memory.
    #[error("By its video metadata, plane {plane} of a frame does not lie in the memory of its buffer")]
    PlaneOutside {
        /// Index of the plane.
        plane: usize,
    },
}

/// Maps `buffer` for reading. `info` is that of its caps.
pub fn map_readable<'a>(
    buffer: &'a gst::BufferRef,
    info: &VideoInfo,
) -> Result<VideoFrameRef<&'a gst::BufferRef>, MapFrameError> {
    check_planes(buffer, info)?;
    let error = incomplete(buffer, info);
    VideoFrameRef::from_buffer_ref_readable(buffer, info).map_err(|_| error)
}

/// Maps `buffer` for reading and writing. `info` is that of its caps.
pub fn map_writable<'a>(
    buffer: &'a mut gst::BufferRef,
    info: &VideoInfo,
) -> Result<VideoFrameRef<&'a mut gst::BufferRef>, MapFrameError> {
    check_planes(buffer, info)?;
    let error = incomplete(buffer, info);
    VideoFrameRef::from_buffer_ref_writable(buffer, info).map_err(|_| error)
}

/// The bytes of a plane from its first pixel to its last one: the slices of gstreamer-rs go on to the end of the last row's
/// stride, where the memory may have ended. `None` without this plane.
pub fn plane_data<T>(frame: &VideoFrameRef<T>, plane: usize) -> Option<&[u8]> {
    let length = plane_length(frame, plane)?;
    frame.plane_data(plane.try_into().ok()?).ok()?.get(..length)
}

/// As [`plane_data`], for writing.
pub fn plane_data_mut<'a>(
    frame: &'a mut VideoFrameRef<&mut gst::BufferRef>,
    plane: usize,
) -> Option<&'a mut [u8]> {
    let length = plane_length(frame, plane)?;
    frame.plane_data_mut(plane.try_into().ok()?).ok()?.get_mut(..length)
}

fn plane_length<T>(frame: &VideoFrameRef<T>, plane: usize) -> Option<usize> {
    plane_extent(frame.info(), plane, *frame.plane_stride().get(plane)?)
}

fn incomplete(buffer: &gst::BufferRef, info: &VideoInfo) -> MapFrameError {
    MapFrameError::Incomplete { size: buffer.size(), expected: info.size() }
}

/// Whether the buffer's `GstVideoMeta`, where it has one, describes planes in its memory. Without one, GStreamer compares the
/// sizes.
fn check_planes(buffer: &gst::BufferRef, info: &VideoInfo) -> Result<(), MapFrameError> {
    // The one that GStreamer takes.
    let Some(meta) = buffer.iter_meta::<VideoMeta>().min_by_key(|meta| meta.id()) else { return Ok(()) };
    let planes = info.n_planes();
    if meta.format() != info.format()
        || meta.width() != info.width()
        || meta.height() != info.height()
        || meta.n_planes() < planes
    {
        return Err(MapFrameError::OtherFrame);
    }
    for plane in 0..planes as usize {
        let is_inside = || {
            let length = plane_extent(info, plane, *meta.stride().get(plane)?)?;
            let offset = *meta.offset().get(plane)?;
            // A plane is mapped with the block of memory in which it begins.
            let (blocks, skip) = buffer.find_memory(offset..offset.checked_add(1)?)?;
            let available = buffer.peek_memory(blocks.start).size().checked_sub(skip)?;
            // Readers make copies of rows, so a frame of one row must not have a stride of gigabytes.
            Some(length <= available && meta.stride()[plane] as usize <= buffer.size())
        };
        if !is_inside().unwrap_or(false) {
            return Err(MapFrameError::PlaneOutside { plane });
        }
    }
    Ok(())
}

/// Bytes from the first pixel of a plane to its last. `None` without pixels, and where rows overlap or run backwards.
fn plane_extent(info: &VideoInfo, plane: usize, stride: i32) -> Option<usize> {
    let format = info.format_info();
    if format.has_palette() && plane == 1 {
        return Some(256 * 4);
    }
    let stride = usize::try_from(stride).ok()?;
    let components =
        (0..format.n_components() as u8).filter(|&index| info.comp_plane(index) as usize == plane);
    let sizes = components.map(|index| {
        // Formats that pack several pixels into words have no distance between pixels: their rows are as long as the stride.
        let row_bytes = match info.comp_pstride(index) {
            0 => stride.max(usize::try_from(info.stride()[plane]).unwrap_or(usize::MAX)),
            step => info.comp_width(index) as usize * step as usize,
        };
        (info.comp_height(index) as usize, row_bytes)
    });
    let (rows, row_bytes) = sizes.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))?;
    if row_bytes == 0 || stride < row_bytes {
        return None;
    }
    stride.checked_mul(rows.checked_sub(1)?)?.checked_add(row_bytes)
}

#[cfg(test)]
mod tests {
    use gst_video::{VideoFormat, VideoFrameFlags};

    use super::*;

    /// A buffer of `size` bytes whose metadata says that its planes have these offsets and strides.
    fn buffer(format: VideoFormat, size: usize, planes: &[(usize, i32)]) -> gst::Buffer {
        let mut buffer = gst::Buffer::from_mut_slice(vec![0; size]);
        let (offsets, strides): (Vec<_>, Vec<_>) = planes.iter().copied().unzip();
        let flags = VideoFrameFlags::empty();
        VideoMeta::add_full(buffer.make_mut(), flags, format, 32, 10, &offsets, &strides).unwrap();
        buffer
    }

    fn map(buffer: &gst::BufferRef, info: &VideoInfo) -> Result<(), MapFrameError> {
        map_readable(buffer, info).map(|_| ())
    }

    #[test]
    fn planes_beside_their_memory_are_refused() {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::Gray8, 32, 10).build().unwrap();
        let map_plane =
            |size, offset, stride| map(&buffer(VideoFormat::Gray8, size, &[(offset, stride)]), &info);
        for (size, offset, stride) in [(320, 0, 32), (9 * 100 + 32, 0, 100), (7 + 320, 7, 32)] {
            assert_eq!(map_plane(size, offset, stride), Ok(()), "{size} {offset} {stride}");
            let error = Err(MapFrameError::PlaneOutside { plane: 0 });
            assert_eq!(map_plane(size - 1, offset, stride), error, "{size} {offset} {stride}");
        }
        for (offset, stride) in [
            (0, 31),
            (0, 0),
            (0, -32),
            (320, -32),
            (0, i32::MIN),
            (0, i32::MAX),
            (0, 321),
            (usize::MAX, 32),
            (usize::MAX - 300, 32),
            (320, 32),
        ] {
            let error = Err(MapFrameError::PlaneOutside { plane: 0 });
            assert_eq!(map_plane(320, offset, stride), error, "{offset} {stride}");
        }
        let chroma = [(0, 32), (320, 16), (400, 16)];
        let info = VideoInfo::builder(VideoFormat::I420, 32, 10).build().unwrap();
        assert_eq!(map(&buffer(VideoFormat::I420, 480, &chroma), &info), Ok(()));
        let error = Err(MapFrameError::PlaneOutside { plane: 2 });
        assert_eq!(map(&buffer(VideoFormat::I420, 479, &chroma), &info), error);
    }

    #[test]
    fn metadata_of_other_caps_is_refused() {
        gst::init().unwrap();
        let grey = buffer(VideoFormat::Gray8, 3200, &[(0, 32)]);
        for (format, width, height) in
            [(VideoFormat::Rgb, 32, 10), (VideoFormat::Gray8, 33, 10), (VideoFormat::Gray8, 32, 9)]
        {
            let info = VideoInfo::builder(format, width, height).build().unwrap();
            assert_eq!(map(&grey, &info), Err(MapFrameError::OtherFrame), "{format} {width} {height}");
        }
        let info = VideoInfo::builder(VideoFormat::Gray8, 32, 10).build().unwrap();
        assert_eq!(map(&grey, &info), Ok(()));
        let short = gst::Buffer::with_size(100).unwrap();
        assert_eq!(map(&short, &info), Err(MapFrameError::Incomplete { size: 100, expected: info.size() }));
    }

    #[test]
    fn slices_end_with_the_last_pixel() {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::I420, 32, 10).build().unwrap();
        let mut buffer = buffer(VideoFormat::I420, 1200, &[(3, 40), (400, 20), (600, 30)]);
        let lengths = [9 * 40 + 32, 4 * 20 + 16, 4 * 30 + 16];
        let mut frame = map_writable(buffer.make_mut(), &info).unwrap();
        for (plane, length) in lengths.into_iter().enumerate() {
            assert_eq!(plane_data(&frame, plane).map(<[u8]>::len), Some(length));
            assert_eq!(plane_data_mut(&mut frame, plane).map(|bytes| bytes.len()), Some(length));
        }
        assert_eq!(plane_data(&frame, 3), None);
    }
}
