//! The search for tilted faces: in copies of the image that are turned so that such a face stands upright.

use std::cmp::Reverse;
use std::sync::Arc;

use gray_image::{ReducedImage, Turn, TurnedImage};
use haar::{Cascade, Detection, Detector, GrayImage, Params, ParamsError, PixelRect, Size};

/// How far beyond the roll of an orientation faces are still found well, degrees. On photographs that were
/// turned, frontalface_default finds 92 % of the faces upright, 82 % at 15 degrees, 26 % at 30 (`benches/tilt.py`).
const TOLERANCE: f64 = 10.0;
/// Largest angle between neighbouring orientations, degrees. With 35 more faces are found at 45 degrees than with
/// 30 (92 and 78 %), and as many at 15.
const MAX_SPACING: f64 = 35.0;
/// Where the full image is searched, the side of the smallest face in the reduced copy, in windows of the cascade.
/// Smaller copies take less time, but the search goes in steps of two pixels up to faces of twice the window's
/// size, so that fewer windows agree.
const FULL_SEARCH_MIN_WINDOWS: f64 = 1.5;
/// The same where a known face is searched for.
const NEARBY_MIN_WINDOWS: f64 = 2.0;
/// Distance of the centre of a face from the frame's edges, in sides of the face, at which most of its square
/// lies in the frame.
const EDGE_MARGIN: f64 = 0.35;
/// Windows of one orientation whose intersection over union with those of another exceeds this are of one face.
const SAME_FACE_OVERLAP: f64 = 0.4;
/// Other orientations, and the search around a known face with its lower threshold, find parts of a face as smaller
/// squares: two of which one covers more than this share of the smaller are of one face. The larger is the face.
const MAX_COVERED_SHARE: f64 = 0.5;
/// A part of a face has at most this many times the evidence of the whole.
const MAX_PART_EVIDENCE: u32 = 3;
/// How many times the evidence of an upright face a tilted one needs. Each orientation that is searched adds its
/// own false detections, which mostly have little evidence: without this their number doubles, with it they are a
/// few more than in an upright search, and hardly a tilted face is lost (`benches/tilt.py`).
const TILTED_EVIDENCE: u32 = 2;
/// A detection with this many times the required windows is confident evidence for a new face.
const CONFIDENT_FACTOR: u32 = 3;
/// Windows that must be exceeded for a detection to take part in merging, where it counts for the roll.
pub(crate) const MIN_NEIGHBORS_MERGED: u32 = 1;

/// A detection with the roll of the orientation that it was found in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TiltedDetection {
    /// The face as an upright square around its centre, and its evidence.
    pub(crate) detection: Detection,
    /// Degrees, clockwise positive.
    pub(crate) roll: f64,
    /// Whether it was found around a known face only, where half of the evidence is enough: it is no new face.
    pub(crate) is_around_known: bool,
}

impl TiltedDetection {
    /// Whether the evidence is enough for a new face at once.
    pub(crate) fn is_confident(&self, min_neighbors: u32) -> bool {
        self.detection.neighbors >= confident_neighbors(min_neighbors, self.roll)
    }
}

/// Number of windows that are confident evidence for a face that leans by `roll` degrees.
pub(crate) fn confident_neighbors(min_neighbors: u32, roll: f64) -> u32 {
    let factor = if roll == 0.0 { CONFIDENT_FACTOR } else { CONFIDENT_FACTOR * TILTED_EVIDENCE };
    min_neighbors.saturating_mul(factor)
}

/// The rolls other than 0 at which faces are searched for so that none within `range` degrees is missed, nearest
/// to upright first.
pub(crate) fn tilted_orientations(range: f64) -> Vec<f64> {
    let outermost = range - TOLERANCE;
    if outermost <= 0.0 {
        return Vec::new();
    }
    let count = (outermost / MAX_SPACING).ceil();
    (1..=count as usize)
        .map(|index| outermost * index as f64 / count)
        .flat_map(|roll| [roll, -roll])
        .collect()
}

/// Searches turned copies of an image.
#[derive(Debug)]
pub(crate) struct TurnedSearch {
    full_detector: Detector,
    nearby_detector: Detector,
    reduced: ReducedImage,
    /// The factor of `reduced`; `None` where it is not of the current image.
    reduced_by: Option<usize>,
    turned: TurnedImage,
    /// Side of the cascade's window, pixels.
    window: u32,
    detections: Vec<Detection>,
}

impl TurnedSearch {
    /// A search for the faces of `cascade`. Fails only if the detector's default settings were invalid.
    pub(crate) fn new(cascade: &Arc<Cascade>) -> Result<Self, ParamsError> {
        Ok(Self {
            full_detector: Detector::new(Arc::clone(cascade), Params::default())?,
            nearby_detector: Detector::new(Arc::clone(cascade), Params::default())?,
            reduced: ReducedImage::default(),
            reduced_by: None,
            turned: TurnedImage::default(),
            window: cascade.window().0.max(1),
            detections: Vec::new(),
        })
    }

    /// Begins another image.
    pub(crate) fn start_image(&mut self) {
        self.reduced_by = None;
    }

    /// Searches all of an image for faces that lean by `roll` degrees and appends them to `found`. `params` are
    /// those of an upright search; every detection that takes part in merging is returned.
    pub(crate) fn search_image(
        &mut self,
        image: &GrayImage,
        roll: f64,
        params: &Params,
        found: &mut Vec<TiltedDetection>,
    ) -> Result<(), ParamsError> {
        let reduction = self.choose_reduction(params, FULL_SEARCH_MIN_WINDOWS);
        let factor = reduction as usize;
        if factor > 1 && self.reduced_by != Some(factor) {
            self.reduced.draw(image, factor);
            self.reduced_by = Some(factor);
        }
        let source = if factor > 1 { self.reduced.image() } else { *image };
        let turn = Turn::of_image(&source, roll, reduction / factor as f64);
        self.turned.draw(&source, &turn);
        let params = Params { min_neighbors: MIN_NEIGHBORS_MERGED, ..*params };
        self.full_detector.set_params(reduce_sizes(&params, reduction))?;
        let area = turn.image_in_copy(source.width(), source.height());
        self.full_detector.detect_within(&self.turned.image(), &area, EDGE_MARGIN, &mut self.detections);
        found.extend(self.detections.iter().filter_map(|detection| {
            let rect = scale(&turn.rect_to_image(&detection.rect), factor as f64);
            Some(TiltedDetection {
                detection: Detection { rect: place_in_image(&rect, image)?, ..*detection },
                roll,
                is_around_known: false,
            })
        }));
        Ok(())
    }

    /// Searches the surroundings of one face, `region`, for faces that lean by `roll` degrees and appends them to
    /// `found`. `params` are those of the upright search there.
    pub(crate) fn search_region(
        &mut self,
        image: &GrayImage,
        region: PixelRect,
        roll: f64,
        params: &Params,
        found: &mut Vec<TiltedDetection>,
    ) -> Result<(), ParamsError> {
        let reduction = self.choose_reduction(params, NEARBY_MIN_WINDOWS);
        let factor = reduction as usize;
        // The corners of the turned copy lie outside the region.
        let border = region.w.max(region.h) / 4;
        let (x, y) = (region.x.saturating_sub(border), region.y.saturating_sub(border));
        let around = PixelRect {
            x,
            y,
            w: (region.x - x).saturating_add(region.w).saturating_add(border),
            h: (region.y - y).saturating_add(region.h).saturating_add(border),
        };
        let crop = image.crop(around);
        self.reduced_by = None;
        self.reduced.draw(&crop, factor);
        let source = self.reduced.image();
        let scale_in_crop = |value: f64, origin: u32| (value - f64::from(origin)) / factor as f64;
        let (centre_x, centre_y) = region.to_f64().centre();
        let side =
            |length: u32| ((f64::from(length) / reduction).ceil() as usize).clamp(1, GrayImage::MAX_SIDE);
        let turn = Turn {
            centre: (scale_in_crop(centre_x, x), scale_in_crop(centre_y, y)),
            width: side(region.w),
            height: side(region.h),
            degrees: roll,
            reduction: reduction / factor as f64,
        };
        self.turned.draw(&source, &turn);
        self.nearby_detector.set_params(reduce_sizes(params, reduction))?;
        self.nearby_detector.detect_into(&self.turned.image(), &mut self.detections);
        found.extend(self.detections.iter().filter_map(|detection| {
            let in_crop = scale(&turn.rect_to_image(&detection.rect), factor as f64);
            let rect = PixelRect { x: in_crop.x + f64::from(x), y: in_crop.y + f64::from(y), ..in_crop };
            Some(TiltedDetection {
                detection: Detection { rect: place_in_image(&rect, image)?, ..*detection },
                roll,
                is_around_known: true,
            })
        }));
        Ok(())
    }

    /// Pixels of the image for one of the copy, so that the smallest face searched has `windows` times the side of
    /// the cascade's window there. At least 1.
    fn choose_reduction(&self, params: &Params, windows: f64) -> f64 {
        (f64::from(params.min_size.width) / (f64::from(self.window) * windows)).max(1.0)
    }
}

/// The settings with sizes in a reduced copy.
fn reduce_sizes(params: &Params, reduction: f64) -> Params {
    let reduce = |size: Size, round: fn(f64) -> f64| {
        let side = |value: u32| round(f64::from(value) / reduction) as u32;
        Size { width: side(size.width), height: side(size.height) }
    };
    Params {
        min_size: reduce(params.min_size, f64::floor),
        max_size: reduce(params.max_size, f64::ceil),
        ..*params
    }
}

fn scale(rect: &PixelRect<f64>, factor: f64) -> PixelRect<f64> {
    PixelRect { x: rect.x * factor, y: rect.y * factor, w: rect.w * factor, h: rect.h * factor }
}

/// The part of a square inside the image, in whole pixels; `None` unless its centre is [`EDGE_MARGIN`] sides away
/// from the image's edges.
fn place_in_image(rect: &PixelRect<f64>, image: &GrayImage) -> Option<PixelRect> {
    let (x, y) = rect.centre();
    let margin = EDGE_MARGIN * rect.w;
    let is_inside = |value: f64, side: usize| (margin..=side as f64 - margin).contains(&value);
    if !is_inside(x, image.width()) || !is_inside(y, image.height()) {
        return None;
    }
    let clip = |from: f64, length: f64, limit: usize| {
        let (start, end) = (from.round().max(0.0) as u32, (from + length).round() as u32);
        (start, end.min(limit as u32).saturating_sub(start))
    };
    let (x, w) = clip(rect.x, rect.w, image.width());
    let (y, h) = clip(rect.y, rect.h, image.height());
    (w > 0 && h > 0).then_some(PixelRect { x, y, w, h })
}

/// One face for the detections of all orientations that overlap: the best supported detection, with the mean of the
/// rolls, weighted by evidence. Upright detections of a full search are not merged with each other.
///
/// A face is kept if any of its detections has the evidence that its orientation needs, `min_neighbors` windows
/// exceeded, for tilted ones [`TILTED_EVIDENCE`] times as many. Those around known faces were accepted where they were
/// found.
pub(crate) fn merge_orientations(detections: &[TiltedDetection], min_neighbors: u32) -> Vec<TiltedDetection> {
    /// Detections of one face.
    struct Face {
        best: TiltedDetection,
        windows: f64,
        weighted_roll: f64,
        is_accepted: bool,
    }
    let mut order: Vec<usize> = (0..detections.len()).collect();
    order.sort_by_key(|&index| Reverse(detections[index].detection.neighbors));
    let mut faces: Vec<Face> = Vec::new();
    for index in order {
        let found = detections[index];
        let needed =
            if found.roll == 0.0 { min_neighbors } else { min_neighbors.saturating_mul(TILTED_EVIDENCE) };
        let has_evidence = found.detection.neighbors > needed;
        let is_accepted = found.is_around_known || has_evidence;
        let windows = f64::from(found.detection.neighbors);
        let rect = found.detection.rect.to_f64();
        let is_upright = |face: &TiltedDetection| !face.is_around_known && face.roll == 0.0;
        let is_pair_upright = |face: &Face| is_upright(&found) && is_upright(&face.best);
        let same = faces.iter_mut().filter(|face| !is_pair_upright(face)).find_map(|face| {
            let best = face.best.detection.rect.to_f64();
            let is_same = are_same_face(&best, &rect);
            (is_same || covered_share(&best, &rect) > MAX_COVERED_SHARE).then_some((face, is_same))
        });
        let new = Face { best: found, windows, weighted_roll: windows * found.roll, is_accepted };
        match same {
            Some((face, true)) => {
                face.windows += windows;
                face.weighted_roll += windows * found.roll;
                face.is_accepted |= is_accepted;
                face.best.is_around_known &= !has_evidence || found.is_around_known;
            }
            // Small windows lie closer together, so a part of the face may have more evidence than the face.
            Some((face, false)) => {
                let best = face.best.detection;
                let is_comparable =
                    found.detection.neighbors.saturating_mul(MAX_PART_EVIDENCE) >= best.neighbors;
                if is_accepted && is_comparable && found.detection.rect.area() > best.rect.area() {
                    *face = new;
                }
            }
            None => faces.push(new),
        }
    }
    let merged = faces.into_iter().filter(|face| face.is_accepted);
    merged.map(|face| TiltedDetection { roll: face.weighted_roll / face.windows, ..face.best }).collect()
}

/// Of several detections of one face the best supported one.
pub(crate) fn remove_duplicates(mut detections: Vec<TiltedDetection>) -> Vec<TiltedDetection> {
    detections.sort_by_key(|face| Reverse(face.detection.neighbors));
    let mut faces: Vec<TiltedDetection> = Vec::new();
    for face in detections {
        if faces
            .iter()
            .all(|other| !are_same_face(&other.detection.rect.to_f64(), &face.detection.rect.to_f64()))
        {
            faces.push(face);
        }
    }
    faces
}

/// The share of the smaller of two squares that the other one covers.
pub(crate) fn covered_share(a: &PixelRect<f64>, b: &PixelRect<f64>) -> f64 {
    let overlap = a.intersection_over_union(b);
    let intersection = overlap / (1.0 + overlap) * (a.w * a.h + b.w * b.h);
    intersection / (a.w * a.h).min(b.w * b.h)
}

/// Whether two squares are of one face.
pub(crate) fn are_same_face(a: &PixelRect<f64>, b: &PixelRect<f64>) -> bool {
    a.intersection_over_union(b) > SAME_FACE_OVERLAP
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(x: u32, y: u32, side: u32, neighbors: u32, roll: f64) -> TiltedDetection {
        TiltedDetection {
            detection: Detection { rect: PixelRect { x, y, w: side, h: side }, neighbors },
            roll,
            is_around_known: false,
        }
    }

    #[test]
    fn orientations_cover_the_range() {
        assert!(tilted_orientations(0.0).is_empty() && tilted_orientations(TOLERANCE).is_empty());
        assert_eq!(tilted_orientations(45.0), [35.0, -35.0]);
        assert_eq!(tilted_orientations(90.0).len(), 6);
        for range in 11..=90 {
            let mut rolls = tilted_orientations(f64::from(range));
            rolls.push(0.0);
            rolls.sort_by(f64::total_cmp);
            assert!(rolls.windows(2).all(|pair| pair[1] - pair[0] <= MAX_SPACING + 1e-9), "{range}");
            assert_eq!(rolls.last(), Some(&(f64::from(range) - TOLERANCE)));
        }
    }

    #[test]
    fn a_tilted_face_needs_twice_the_evidence() {
        let merge = |faces: &[TiltedDetection]| merge_orientations(faces, 3);
        assert_eq!(merge(&[found(10, 10, 50, 4, 0.0)]), [found(10, 10, 50, 4, 0.0)]);
        assert!(merge(&[found(10, 10, 50, 3, 0.0)]).is_empty());
        assert!(merge(&[found(10, 10, 50, 6, 35.0)]).is_empty());
        assert_eq!(merge(&[found(10, 10, 50, 7, 35.0)]), [found(10, 10, 50, 7, 35.0)]);
        let around_known = [TiltedDetection { is_around_known: true, ..found(10, 10, 50, 2, 35.0) }];
        assert_eq!(merge(&around_known), around_known, "accepted where it was found");
        let both = [around_known[0], found(12, 10, 50, 7, 35.0)];
        assert!(!merge(&both)[0].is_around_known, "it would be found without the known face");
    }

    #[test]
    fn orientations_agree_on_one_face() {
        let faces = [found(10, 10, 50, 5, 0.0), found(12, 11, 52, 15, 35.0), found(200, 10, 50, 9, -35.0)];
        let merged = merge_orientations(&faces, 3);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].detection, faces[1].detection);
        assert_eq!(merged[0].roll, 35.0 * 15.0 / 20.0);
        assert_eq!(merged[1], faces[2]);
        let part_of_face = [found(304, 58, 85, 36, -35.0), found(288, 80, 59, 6, 0.0)];
        assert_eq!(merge_orientations(&part_of_face, 3).len(), 1);
        let part_with_more = [found(430, 230, 110, 19, 35.0), found(316, 103, 250, 12, 0.0)];
        assert_eq!(merge_orientations(&part_with_more, 3), [part_with_more[1]]);
        let upright = [found(10, 10, 50, 9, 0.0), found(14, 10, 50, 5, 0.0)];
        assert_eq!(merge_orientations(&upright, 3).len(), 2, "upright detections are as OpenCV groups them");
        let around_known = TiltedDetection { is_around_known: true, ..found(12, 10, 50, 12, 0.0) };
        assert_eq!(merge_orientations(&[upright[0], around_known], 3).len(), 1);
    }

    #[test]
    fn squares_that_reach_far_out_of_the_image_are_refused() {
        let pixels = [0; 100 * 80];
        let image = GrayImage::new(&pixels, 100, 80, 100).unwrap();
        let place = |x: f64, y: f64| place_in_image(&PixelRect { x, y, w: 40.0, h: 40.0 }, &image);
        assert_eq!(place(-5.4, 60.0), None);
        assert_eq!(place(-5.4, 42.0), Some(PixelRect { x: 0, y: 42, w: 35, h: 38 }));
        assert_eq!(place(-7.0, 10.0), None);
        assert_eq!(place(f64::NAN, 10.0), None);
    }
}
