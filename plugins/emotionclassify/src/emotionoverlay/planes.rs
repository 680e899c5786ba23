//! Blends drawings into frames whose luma and chroma are 8-bit planes, where they lie: GStreamer's blending would unpack the
//! rows and pack them again.
//!
//! The frames are the same. GStreamer repeats each chroma sample over the pixels that share it, blends those, and keeps the
//! first one of the first row.

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef};

use super::geometry::{Area, frame_area};
use super::stretch::Stretch;

/// Whether drawings are blended into the planes of a format.
pub(super) fn is_supported(format: VideoFormat) -> bool {
    matches!(
        format,
        VideoFormat::I420
            | VideoFormat::Yv12
            | VideoFormat::Nv12
            | VideoFormat::Nv21
            | VideoFormat::Y42b
            | VideoFormat::Y444
    )
}

/// The pixels of a drawing as planes in its full size, rows without padding.
#[derive(Clone, Debug)]
pub(super) struct YuvPlanes {
    /// Opacity, 0-255.
    alpha: Vec<u8>,
    /// Y, U and V; not premultiplied.
    components: [Vec<u8>; 3],
}

impl YuvPlanes {
    /// The planes of pixels whose bytes are A, Y, U, V.
    pub fn from_ayuv(pixels: &[[u8; 4]]) -> Self {
        let plane = |component: usize| pixels.iter().map(|pixel| pixel[component]).collect();
        Self { alpha: plane(0), components: [plane(1), plane(2), plane(3)] }
    }

    /// A part of the drawing, stretched.
    pub fn stretch(&self, stretch: &Stretch) -> Self {
        let [y, u, v] = &self.components;
        Self { alpha: stretch.apply(&self.alpha), components: [y, u, v].map(|values| stretch.apply(values)) }
    }

    /// Blends the drawing, which is as large as `area`, into a frame whose format [`is_supported`]. The part of it outside
    /// the frame is left out. `None` where a plane is smaller than its format says.
    pub fn blend(&self, frame: &mut VideoFrameRef<&mut gst::BufferRef>, area: Area) -> Option<()> {
        let Some(visible) = area.intersection(&frame_area(frame.width(), frame.height())) else {
            return Some(());
        };
        let format = frame.format_info();
        for (component, values) in self.components.iter().enumerate() {
            let (w_sub, h_sub) = (format.w_sub()[component], format.h_sub()[component]);
            let (columns, rows) = (1 << w_sub, 1 << h_sub);
            let [x, y] = [(visible.x, columns), (visible.y, rows)]
                .map(|(start, step): (i32, i32)| (start + step - 1) / step * step);
            let count = (visible.right() - x + columns - 1) >> w_sub;
            if count <= 0 {
                continue;
            }
            let plane = format.plane()[component];
            let pixel = format.pixel_stride()[component];
            let stride = usize::try_from(*frame.plane_stride().get(plane as usize)?).ok()?;
            let offset = format.poffset()[component] as usize + usize::try_from((x >> w_sub) * pixel).ok()?;
            let pixel = usize::try_from(pixel).ok()?;
            let (count, columns) = (usize::try_from(count).ok()?, usize::try_from(columns).ok()?);
            let data = frame.plane_data_mut(plane).ok()?;
            for y in (y..visible.bottom()).step_by(rows as usize) {
                let row = usize::try_from(y >> h_sub).ok()? * stride + offset;
                let target = data.get_mut(row..)?.get_mut(..=(count - 1) * pixel)?;
                let source = usize::try_from((y - area.y) * area.w + x - area.x).ok()?;
                let source = source..=source + (count - 1) * columns;
                let (values, alpha) = (values.get(source.clone())?, self.alpha.get(source)?);
                match (pixel, columns) {
                    (1, 1) => blend_row(target, values, alpha),
                    _ => blend_row_in_steps(target, pixel, values, alpha, columns),
                }
            }
        }
        Some(())
    }
}

/// Blends a row of values into one of a plane.
fn blend_row(target: &mut [u8], values: &[u8], alpha: &[u8]) {
    for ((target, &value), &alpha) in target.iter_mut().zip(values).zip(alpha) {
        *target = mix(*target, value, alpha);
    }
}

/// Blends every `columns`-th value of a row into every `pixel`-th byte of one of a plane.
fn blend_row_in_steps(target: &mut [u8], pixel: usize, values: &[u8], alpha: &[u8], columns: usize) {
    let source = values.iter().step_by(columns).zip(alpha.iter().step_by(columns));
    for (target, (&value, &alpha)) in target.iter_mut().step_by(pixel).zip(source) {
        *target = mix(*target, value, alpha);
    }
}

/// `value` with the opacity `alpha`, 0-255, over `below`, rounded down.
#[inline(always)]
fn mix(below: u8, value: u8, alpha: u8) -> u8 {
    let sum = u16::from(value) * u16::from(alpha) + u16::from(below) * u16::from(255 - alpha);
    // The sum divided by 255, for all sums up to 255 x 255.
    ((sum + 1 + (sum >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_divides_exactly() {
        for alpha in 0..=255u8 {
            for value in (0..=255u8).step_by(3) {
                for below in 0..=255u8 {
                    let sum = u32::from(value) * u32::from(alpha) + u32::from(below) * u32::from(255 - alpha);
                    assert_eq!(u32::from(mix(below, value, alpha)), sum / 255, "{value} {alpha} {below}");
                }
            }
        }
    }
}
