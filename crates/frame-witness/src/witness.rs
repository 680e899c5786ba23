//! What a frame looked like when its faces were found, and its form as bytes.

use mood_schema::Rect;

use crate::placement::WHOLE;
use crate::sample::LumaSample;

/// Cells along each side of the grid over the frame.
pub(crate) const FRAME_SIDE: usize = 32;
/// Cells along each side of the grid over a face.
pub(crate) const FACE_SIDE: usize = 16;
/// The first byte of the form as bytes.
const VERSION: u8 = 1;

/// The size of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Stored pixels in a row.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    /// Width of a pixel over its height; 1 for square pixels.
    pub pixel_aspect: f64,
}

impl Size {
    /// Width over height as the frame is displayed, of a frame that may be turned by a quarter; at least a tiny number.
    pub(crate) fn display(&self, is_transposed: bool) -> (f64, f64) {
        let (width, height) = (f64::from(self.width.max(1)), f64::from(self.height.max(1)));
        let aspect = if self.pixel_aspect.is_normal() { self.pixel_aspect.abs() } else { 1.0 };
        if is_transposed { (height, width * aspect) } else { (width * aspect, height) }
    }
}

/// A face of a [`Witness`].
#[derive(Clone, Debug, PartialEq)]
pub struct FaceWitness {
    /// The face's track id.
    pub id: u32,
    /// The face's box, in shares of the frame.
    pub bbox: Rect,
    /// Mean luma of the cells of a grid over the box, row by row; cells outside the frame have the value of the others' mean.
    pub(crate) luma: [u8; FACE_SIDE * FACE_SIDE],
}

/// What a frame looked like when its faces were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The frame's size.
    pub size: Size,
    /// The faces, in the order given.
    pub faces: Vec<FaceWitness>,
    /// Mean luma of the cells of a grid over the frame, row by row.
    pub(crate) luma: [u8; FRAME_SIDE * FRAME_SIDE],
}

impl Witness {
    /// The witness of a frame with its faces: their ids, and their boxes in shares of the frame.
    pub fn capture(sample: &LumaSample, size: Size, faces: impl IntoIterator<Item = (u32, Rect)>) -> Self {
        let faces = faces.into_iter().map(|(id, bbox)| FaceWitness {
            id,
            bbox,
            luma: means(sample, &bbox, FACE_SIDE),
        });
        Self { size, faces: faces.collect(), luma: means(sample, &WHOLE, FRAME_SIDE) }
    }

    /// The form as bytes, about 1 KiB and 300 bytes a face; little endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.size.width.to_le_bytes());
        bytes.extend(self.size.height.to_le_bytes());
        bytes.extend(self.size.pixel_aspect.to_le_bytes());
        bytes.extend(self.luma);
        for face in &self.faces {
            bytes.extend(face.id.to_le_bytes());
            for value in <[f64; 4]>::from(face.bbox) {
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend(face.luma);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        if take::<1>(&mut rest)? != [VERSION] {
            return None;
        }
        let size = Size {
            width: u32::from_le_bytes(take(&mut rest)?),
            height: u32::from_le_bytes(take(&mut rest)?),
            pixel_aspect: f64::from_le_bytes(take(&mut rest)?),
        };
        let luma = take(&mut rest)?;
        let mut faces = Vec::new();
        while !rest.is_empty() {
            let id = u32::from_le_bytes(take(&mut rest)?);
            let mut bbox = [0.0; 4];
            for value in &mut bbox {
                *value = f64::from_le_bytes(take(&mut rest)?);
            }
            faces.push(FaceWitness { id, bbox: bbox.into(), luma: take(&mut rest)? });
        }
        Some(Self { size, faces, luma })
    }
}

/// Takes the first `N` bytes off.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// The means of the cells of a grid over `area`; `N` is `side` squared.
fn means<const N: usize>(sample: &LumaSample, area: &Rect, side: usize) -> [u8; N] {
    let means = sample.cell_means(area, side);
    let visible = means.iter().flatten();
    let mean = visible.clone().sum::<f32>() / visible.count().max(1) as f32;
    std::array::from_fn(|index| means.get(index).copied().flatten().unwrap_or(mean).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gray_image::GrayImage;

    #[test]
    fn bytes_survive_the_round_trip_and_others_are_refused() {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| (i % 251) as u8).collect();
        let mut sample = LumaSample::default();
        sample.read_image(&GrayImage::new(&pixels, 64, 64, 64).unwrap());
        let size = Size { width: 64, height: 64, pixel_aspect: 4.0 / 3.0 };
        let faces =
            [(3, Rect { x: 0.1, y: 0.2, w: 0.3, h: 0.3 }), (9, Rect { x: f64::NAN, y: 0.0, w: 1.0, h: 1.0 })];
        for count in 0..=1 {
            let witness = Witness::capture(&sample, size, faces[..count].iter().copied());
            assert_eq!(Witness::from_bytes(&witness.to_bytes()), Some(witness));
        }
        let bytes = Witness::capture(&sample, size, faces).to_bytes();
        for length in 0..bytes.len() {
            let is_complete = (length as i64 - 1041) % 292 == 0 && length >= 1041;
            assert_eq!(Witness::from_bytes(&bytes[..length]).is_some(), is_complete, "{length}");
        }
        assert!(Witness::from_bytes(&[0; 1041]).is_none());
    }
}
