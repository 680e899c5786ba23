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

/// Whether [`pixelate`] can do its work in a format: every component a byte or a 16-bit word of its own.
pub(super) fn can(format: gst_video::VideoFormat) -> bool {
    let info = gst_video::VideoFormatInfo::from_format(format);
    let odd = gst_video::VideoFormatFlags::COMPLEX
        | gst_video::VideoFormatFlags::TILED
        | gst_video::VideoFormatFlags::PALETTE
        | gst_video::VideoFormatFlags::SUBTILES;
    let whole = |(depth, shift): (&u32, &u32)| {
        if *depth == 8 { *shift == 0 } else { *depth > 8 && depth + shift <= 16 }
    };
    !info.flags().intersects(odd)
        && info.n_components() > 0
        && info.depth().iter().zip(info.shift()).all(whole)
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

/// Writes the mosaic. A plane that is not as its format says is left alone.
pub(super) fn pixelate(frame: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>, area: Area, block: i32) {
    let info = frame.info().clone();
    let format = info.format_info();
    let (columns, rows) = ((area.w / block).max(1) as usize, (area.h / block).max(1) as usize);
    for component in 0..info.n_components() as u8 {
        let index = usize::from(component);
        let scale = |value: i32, shift: &[u32]| {
            let shift = shift.get(index).copied().unwrap_or(0);
            // Rounded up, as the number of samples is.
            ((value.max(0) as usize) + (1 << shift) - 1) >> shift
        };
        let grid = Grid {
            x: edges(scale(area.x, format.w_sub()), scale(area.right(), format.w_sub()), columns),
            y: edges(scale(area.y, format.h_sub()), scale(area.bottom(), format.h_sub()), rows),
            offset: info.comp_poffset(component) as usize,
            step: info.comp_pstride(component).max(0) as usize,
            stride: info.comp_stride(component).max(0) as usize,
        };
        let wide = format.depth().get(index).is_some_and(|depth| *depth > 8);
        let little = format.flags().contains(gst_video::VideoFormatFlags::LE);
        let Ok(plane) = frame.plane_data_mut(info.comp_plane(component)) else { continue };
        match (wide, little) {
            (false, _) => grid.flatten(plane, |[v]: [u8; 1]| v.into(), |mean| [mean as u8]),
            (true, true) => {
                grid.flatten(plane, |v| u16::from_le_bytes(v).into(), |mean| (mean as u16).to_le_bytes())
            }
            (true, false) => {
                grid.flatten(plane, |v| u16::from_be_bytes(v).into(), |mean| (mean as u16).to_be_bytes())
            }
        }
    }
}

/// `parts` + 1 edges from `start` to `end`, evenly.
fn edges(start: usize, end: usize, parts: usize) -> Vec<usize> {
    (0..=parts).map(|part| start + end.saturating_sub(start) * part / parts).collect()
}

/// Blocks of one component, and how its samples lie in the plane.
struct Grid {
    x: Vec<usize>,
    y: Vec<usize>,
    offset: usize,
    step: usize,
    stride: usize,
}

impl Grid {
    /// Every sample of `N` bytes becomes its block's mean.
    fn flatten<const N: usize>(
        &self,
        plane: &mut [u8],
        read: impl Fn([u8; N]) -> u64,
        write: impl Fn(u64) -> [u8; N],
    ) {
        for y in self.y.windows(2) {
            for x in self.x.windows(2) {
                let (&[top, bottom], &[left, right]) = (y, x) else { continue };
                let places = || {
                    (top..bottom).flat_map(move |row| {
                        let start = row * self.stride + self.offset;
                        (left..right).map(move |column| start + column * self.step)
                    })
                };
                let samples = places().filter_map(|at| plane.get(at..)?.first_chunk::<N>());
                let (sum, count) =
                    samples.fold((0, 0), |(sum, count), sample| (sum + read(*sample), count + 1));
                if count == 0 {
                    continue;
                }
                let mean = write((sum + count / 2) / count);
                for at in places() {
                    if let Some(sample) = plane.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
                        *sample = mean;
                    }
                }
            }
        }
    }
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
    fn formats_without_whole_samples_are_refused() {
        use gst_video::VideoFormat;
        gst::init().unwrap();
        for format in [VideoFormat::I420, VideoFormat::Yuy2, VideoFormat::Gray8, VideoFormat::P01010le] {
            assert!(can(format), "{format}");
        }
        for format in [VideoFormat::V210, VideoFormat::Rgb8p, VideoFormat::Rgb16, VideoFormat::Y410] {
            assert!(!can(format), "{format}");
        }
    }

    #[test]
    fn a_block_becomes_its_mean_and_the_rest_stays() {
        let mut plane: Vec<u8> = (0..64).collect();
        let grid = Grid { x: vec![2, 4, 6], y: vec![0, 2], offset: 0, step: 1, stride: 8 };
        grid.flatten(&mut plane, |[v]: [u8; 1]| v.into(), |mean| [mean as u8]);
        assert_eq!(plane[..8], [0, 1, 7, 7, 9, 9, 6, 7]);
        assert_eq!(plane[8..16], [8, 9, 7, 7, 9, 9, 14, 15]);
        assert_eq!(plane[16..], (16..64).collect::<Vec<u8>>());
    }
}
