//! Shared by the tests: registration of the plugin, drawn faces, frames in any format and stride.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
// Each test uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use gst::prelude::*;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoInfo, VideoMeta};

/// Initialises GStreamer and registers the plugin, once.
pub fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstfacedetect::plugin_register_static().unwrap();
    });
}

/// The path of a test medium; `None`, with a message, where it is missing.
pub fn media(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("MOOD_TEST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let path = data.join(name);
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return None;
    }
    Some(path.canonicalize().unwrap())
}

/// Centre (x, y) and radius of a drawn head, pixels.
pub type Head = (i64, i64, i64);

/// The grey value of a pixel of drawn faces on a background. The cascade frontalface_default finds faces from
/// a radius of about 20 on.
pub fn grey(heads: &[Head], x: usize, y: usize) -> u8 {
    let (x, y) = (x as i64, y as i64);
    let mut value = 60 + (x + y) / 8 % 60;
    for &(cx, cy, r) in heads {
        let inside = |ex: i64, ey: i64, a: i64, b: i64| {
            let (dx, dy) = ((x - cx) * 1000 - ex * r, (y - cy) * 1000 - ey * r);
            let share = (dx.abs() * 1000 / (a * r)).pow(2) + (dy.abs() * 1000 / (b * r)).pow(2);
            (share < 1_000_000).then_some(share)
        };
        if let Some(share) = inside(0, 0, 750, 1000) {
            value = 200 - share * 50 / 1_000_000;
        }
        for side in [-300, 300] {
            for (y, a, b, shade) in [(-330, 200, 60, 80), (-150, 170, 90, 105), (-150, 80, 80, 30)] {
                if inside(side, y, a, b).is_some() {
                    value = shade;
                }
            }
        }
        for (y, a, b, shade) in [(130, 90, 190, 215), (330, 130, 40, 130), (560, 300, 80, 90)] {
            if inside(0, y, a, b).is_some() {
                value = shade;
            }
        }
    }
    value as u8
}

/// Video of a format and a size at 25 frames a second.
pub fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    init();
    VideoInfo::builder(format, width, height).fps(gst::Fraction::new(25, 1)).build().unwrap()
}

/// Frame `number`, at `number` times 40 ms, with drawn heads. If `padding` is not 0, as many bytes follow
/// every row, and a video meta gives the strides.
pub fn frame(info: &VideoInfo, heads: &[Head], number: u64, padding: usize) -> gst::Buffer {
    let rows = |plane: u32| {
        let components =
            (0..info.n_components() as u8).filter(|&component| info.comp_plane(component) == plane);
        components.map(|component| info.comp_height(component) as usize).max().unwrap()
    };
    let strides: Vec<i32> = info.stride().iter().map(|stride| stride + padding as i32).collect();
    let mut offsets = Vec::new();
    let mut size = 0;
    for plane in 0..info.n_planes() {
        offsets.push(size);
        size += strides[plane as usize] as usize * rows(plane);
    }
    let mut buffer = gst::Buffer::from_mut_slice(vec![128u8; size.max(info.size())]);
    {
        let buffer = buffer.get_mut().unwrap();
        buffer.set_pts(gst::ClockTime::from_mseconds(40 * number));
        buffer.set_duration(gst::ClockTime::from_mseconds(40));
        if padding > 0 {
            let flags = gst_video::VideoFrameFlags::empty();
            let (width, height) = (info.width(), info.height());
            VideoMeta::add_full(buffer, flags, info.format(), width, height, &offsets, &strides).unwrap();
        }
        let mut frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, info).unwrap();
        let drawn = draw(info, heads);
        let drawn = gst_video::VideoFrame::from_buffer_readable(drawn.0, &drawn.1).unwrap();
        // GStreamer writes the format, so that what is read is not what we take it to be.
        let mut config = gst_video::VideoConverterConfig::new();
        config.set_dither_method(gst_video::VideoDitherMethod::None);
        let converter = gst_video::VideoConverter::new(drawn.info(), info, Some(config)).unwrap();
        converter.frame_ref(&drawn.as_video_frame_ref(), &mut frame);
    }
    buffer
}

/// Drawn heads in a format of 8 bits with the same components as that of `info`.
fn draw(info: &VideoInfo, heads: &[Head]) -> (gst::Buffer, VideoInfo) {
    let (width, height) = (info.width() as usize, info.height() as usize);
    let format = info.format_info();
    let (format, components) = match (format.is_rgb(), format.is_gray()) {
        (true, _) => (VideoFormat::Argb, 4),
        (false, true) => (VideoFormat::Gray8, 1),
        (false, false) => (VideoFormat::Ayuv, 4),
    };
    let drawn = VideoInfo::builder(format, info.width(), info.height());
    let drawn = drawn.fps(info.fps()).colorimetry(&info.colorimetry()).build().unwrap();
    let mut bytes = vec![128u8; drawn.size()];
    let stride = drawn.stride()[0] as usize;
    for (y, row) in bytes.chunks_mut(stride).take(height).enumerate() {
        for (x, pixel) in row.chunks_mut(components).take(width).enumerate() {
            let value = grey(heads, x, y);
            match format {
                VideoFormat::Argb => pixel.copy_from_slice(&[255, value, value, value]),
                VideoFormat::Ayuv => pixel.copy_from_slice(&[255, value, 128, 128]),
                _ => pixel[0] = value,
            }
        }
    }
    (gst::Buffer::from_mut_slice(bytes), drawn)
}

/// A harness around the element, with properties given as `name=value name=value`.
pub fn harness(properties: &str, info: &VideoInfo) -> gst_check::Harness {
    init();
    let element = gst::ElementFactory::make("haarfacedetect").build().unwrap();
    for (name, value) in properties.split_whitespace().filter_map(|property| property.split_once('=')) {
        element.set_property_from_str(name, value);
    }
    let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
    let caps = info.to_caps().unwrap();
    harness.set_caps(caps.clone(), caps);
    harness
}
