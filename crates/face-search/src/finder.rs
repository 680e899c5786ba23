//! The search schedule: full searches, searches around known faces, and which detections become faces.

use std::cmp::Reverse;
use std::sync::Arc;

use face_track::{Observation, Tracker};
use haar::{Cascade, Detection, Detector, GrayImage, Params, ParamsError, PixelRect, Size};

use crate::eyes::EyeFinder;
use crate::nearby;

/// A detection with this many times the required windows is confident evidence for a new face.
const CONFIDENT_FACTOR: u32 = 3;
/// A predicted face whose intersection over union with another exceeds this is searched for together with it.
const SAME_SEARCH_OVERLAP: f64 = 0.6;
/// Detections of different searches whose intersection over union exceeds this are of one face.
const SAME_FACE_OVERLAP: f64 = 0.4;
/// Time from the frame before to a frame without a timestamp, ns.
const UNTIMED_FRAME_DURATION: u64 = 40_000_000;

/// What to search for in a frame, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Ratio of one window size to the next smaller one, 1.001-100.
    pub scale_factor: f64,
    /// A face needs more than this many similar windows.
    pub min_neighbors: u32,
    /// Smallest face, pixels; 0 is a twelfth of the shorter side of the frame.
    pub min_size: u32,
    /// Largest face, pixels; 0 is no limit.
    pub max_size: u32,
    /// Time between full searches, ns; 0 searches every frame completely.
    pub scan_interval: u64,
    /// Most faces returned, the largest ones; 0 is no limit.
    pub max_faces: usize,
    /// Number of threads of a full search; 0 is as many as are useful.
    pub threads: usize,
}

impl SearchSettings {
    /// The detector's settings for a full search of an image.
    fn detector_params(&self, image: &GrayImage) -> Params {
        let min_size = match self.min_size {
            0 => (image.width().min(image.height()) / 12) as u32,
            size => size,
        };
        Params {
            scale_factor: self.scale_factor,
            min_neighbors: self.min_neighbors,
            min_size: Size::square(min_size),
            max_size: Size::square(self.max_size),
            threads: self.threads,
        }
    }
}

/// A face in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundFace {
    /// The same for one face in every frame of a scene; ids count up from 1.
    pub id: u32,
    /// The face.
    pub face: Detection,
    /// Its eyes, none to two, from left to right in the image.
    pub eyes: Vec<Detection>,
}

/// Finds faces in the frames of a video and follows them. The id of a forgotten face is not given again.
#[derive(Debug)]
pub struct FaceFinder {
    full_detector: Detector,
    nearby_detector: Detector,
    eyes: Option<EyeFinder>,
    tracker: Tracker,
    /// Time of the last full search, ns.
    last_full_search: Option<u64>,
    /// Time of the last frame, ns.
    last_frame: Option<u64>,
}

impl FaceFinder {
    /// A finder for the faces of `cascade`; with a cascade for eyes, it searches each face for eyes too.
    ///
    /// # Errors
    /// None: the detectors begin with their default settings, which are valid.
    pub fn new(cascade: Arc<Cascade>, eyes: Option<Arc<Cascade>>) -> Result<Self, ParamsError> {
        Ok(Self {
            full_detector: Detector::new(Arc::clone(&cascade), Params::default())?,
            nearby_detector: Detector::new(cascade, Params::default())?,
            eyes: eyes.map(EyeFinder::new).transpose()?,
            tracker: Tracker::default(),
            last_full_search: None,
            last_frame: None,
        })
    }

    /// Starts a new scene: the next frame is searched completely, and its faces get new ids.
    pub fn reset(&mut self) {
        self.tracker.reset();
        self.last_full_search = None;
        self.last_frame = None;
    }

    /// Finds the faces of a frame, largest first.
    ///
    /// `time` is in ns; a step backwards starts a new scene. A frame without a time is taken to come 40 ms
    /// after the one before.
    ///
    /// # Errors
    /// The scale factor is out of range.
    pub fn find_faces(
        &mut self,
        image: &GrayImage,
        time: Option<u64>,
        settings: &SearchSettings,
    ) -> Result<Vec<FoundFace>, ParamsError> {
        let time = time
            .unwrap_or_else(|| self.last_frame.map_or(0, |last| last.saturating_add(UNTIMED_FRAME_DURATION)));
        if self.last_frame.is_some_and(|last| time < last) {
            self.reset();
        }
        self.last_frame = Some(time);
        let full_params = settings.detector_params(image);
        let is_full_search_due =
            self.last_full_search.is_none_or(|last| time - last >= settings.scan_interval);
        let mut faces = if is_full_search_due {
            self.last_full_search = Some(time);
            self.full_detector.set_params(full_params)?;
            self.full_detector.detect(image)
        } else {
            self.search_around_faces(image, time, &full_params)?
        };
        faces.sort_by_key(|face| Reverse(face.rect.area()));
        let confident_neighbors = settings.min_neighbors.saturating_mul(CONFIDENT_FACTOR);
        let observe = |face: &Detection| Observation {
            rect: face.rect.to_f64(),
            is_confident: face.neighbors >= confident_neighbors,
        };
        let observations: Vec<Observation> = faces.iter().map(observe).collect();
        let ids = if is_full_search_due {
            self.tracker.update(time, &observations)
        } else {
            self.tracker.update_known(time, &observations)
        };
        let limit = if settings.max_faces == 0 { usize::MAX } else { settings.max_faces };
        let mut found = Vec::new();
        let accepted = ids.into_iter().zip(faces).filter_map(|(id, face)| Some((id?, face)));
        for (id, face) in accepted.take(limit) {
            let eyes = self.eyes.as_mut().map(|eyes| eyes.find(image, &face.rect)).transpose()?;
            found.push(FoundFace { id, face, eyes: eyes.unwrap_or_default() });
        }
        Ok(found)
    }

    /// Searches for the known faces where they are predicted, at about their size. Of several detections of
    /// one face the best supported one is returned.
    fn search_around_faces(
        &mut self,
        image: &GrayImage,
        time: u64,
        full_params: &Params,
    ) -> Result<Vec<Detection>, ParamsError> {
        let mut candidates: Vec<Detection> = Vec::new();
        let mut predictions = self.tracker.predict(time);
        // Doubtful ones come last: a search around another face in the same place serves them too.
        predictions.sort_by_key(|prediction| prediction.is_doubtful);
        let mut searched: Vec<PixelRect<f64>> = Vec::new();
        for prediction in predictions {
            let overlaps =
                |rect: &PixelRect<f64>| rect.intersection_over_union(&prediction.rect) > SAME_SEARCH_OVERLAP;
            if searched.iter().any(overlaps) {
                continue;
            }
            searched.push(prediction.rect);
            let region = nearby::search_region(&prediction);
            self.nearby_detector.set_params(nearby::search_params(&prediction, full_params))?;
            let detections = self.nearby_detector.detect(&image.crop(region));
            candidates.extend(detections.iter().map(|&Detection { rect, neighbors }| Detection {
                rect: PixelRect { x: rect.x + region.x, y: rect.y + region.y, ..rect },
                neighbors,
            }));
        }
        candidates.sort_by_key(|face| Reverse(face.neighbors));
        let mut faces: Vec<Detection> = Vec::new();
        for face in candidates {
            let overlap =
                |other: &Detection| other.rect.to_f64().intersection_over_union(&face.rect.to_f64());
            if faces.iter().all(|other| overlap(other) <= SAME_FACE_OVERLAP) {
                faces.push(face);
            }
        }
        Ok(faces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cascade that every window with more than one grey value passes.
    const PASSES_EVERY_WINDOW: &str = "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType>\
        <height>9</height><width>9</width><stages><_><stageThreshold>-9</stageThreshold><weakClassifiers><_>\
        <internalNodes>0 -1 0 0.5</internalNodes><leafValues>0 1</leafValues></_></weakClassifiers></_></stages>\
        <features><_><rects><_>0 0 2 2 1</_></rects></_></features></cascade></opencv_storage>";

    const SETTINGS: SearchSettings = SearchSettings {
        scale_factor: 1.2,
        min_neighbors: 3,
        min_size: 0,
        max_size: 0,
        scan_interval: 1000,
        max_faces: 0,
        threads: 1,
    };

    fn finder() -> FaceFinder {
        FaceFinder::new(Arc::new(Cascade::parse(PASSES_EVERY_WINDOW).unwrap()), None).unwrap()
    }

    #[test]
    fn full_searches_come_once_an_interval() {
        let pixels: Vec<u8> = (0..40 * 30_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&pixels, 40, 30, 40).unwrap();
        let mut finder = finder();
        for (time, last_full_search) in [(0, 0), (999, 0), (1000, 1000), (1500, 1000), (2100, 2100), (50, 50)]
        {
            let faces = finder.find_faces(&image, Some(time), &SETTINGS).unwrap();
            assert!(!faces.is_empty(), "{time}");
            assert_eq!(finder.last_full_search, Some(last_full_search), "{time}");
        }
    }

    #[test]
    fn untimed_frames_are_40_ms_apart_and_sizes_are_limited() {
        let pixels: Vec<u8> = (0..40 * 30_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&pixels, 40, 30, 40).unwrap();
        let mut finder = finder();
        let settings = SearchSettings { max_faces: 1, max_size: 12, ..SETTINGS };
        for frame in 0..3 {
            let faces = finder.find_faces(&image, None, &settings).unwrap();
            assert_eq!(finder.last_frame, Some(frame * 40_000_000));
            assert!(faces.len() <= 1 && faces.iter().all(|face| face.face.rect.w <= 13));
        }
    }

    #[test]
    fn a_scale_factor_out_of_range_is_an_error() {
        let image = GrayImage::new(&[], 0, 0, 0).unwrap();
        let settings = SearchSettings { scale_factor: 1.0, ..SETTINGS };
        assert!(finder().find_faces(&image, None, &settings).is_err());
    }
}
