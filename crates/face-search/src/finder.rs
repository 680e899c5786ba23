//! The search schedule: full searches, searches around known faces, and which detections become faces.

use std::cmp::Reverse;
use std::sync::Arc;

use face_track::{
    ChangeDetector, CutDetector, FrameSamples, Observation, Prediction, SearchScope, ShotCounter, Tracker,
};
use haar::{Cascade, Detection, Detector, GrayImage, Params, ParamsError, PixelRect};

use crate::eyes::EyeFinder;
use crate::face::FoundFace;
use crate::following::FaceFollower;
use crate::nearby;
use crate::recognition::FaceRecognizer;
use crate::schedule::{Attention, Due, Schedule};
use crate::settings::SearchSettings;
use crate::turned::{self, TiltedDetection, TurnedSearch};

/// A predicted face whose intersection over union with another exceeds this is searched for together with it.
const SAME_SEARCH_OVERLAP: f64 = 0.6;
/// A known face that leans by at most this much is searched for upright, degrees.
const UPRIGHT_ROLL: f64 = 10.0;
/// How far a known face may have turned since it was last observed, degrees: where the evidence at its own roll is
/// not strong, it is searched for at these rolls too.
const ROLL_STEP: f64 = 20.0;
/// Time from the frame before to a frame without a timestamp, ns.
const UNTIMED_FRAME_DURATION: u64 = 40_000_000;

/// Finds faces in the frames of a video and follows them. The id of a forgotten face is not given again.
#[derive(Debug)]
pub struct FaceFinder {
    full_detector: Detector,
    nearby_detector: Detector,
    turned: TurnedSearch,
    eyes: Option<EyeFinder>,
    tracker: Tracker,
    follower: FaceFollower,
    recognizer: FaceRecognizer,
    /// Of the current frame; kept to reuse its memory.
    samples: FrameSamples,
    cuts: CutDetector,
    shots: ShotCounter,
    /// Compares with the frame when tilted faces were last searched for.
    change: ChangeDetector,
    schedule: Schedule,
    /// Time of the last frame, ns.
    last_frame: Option<u64>,
}

/// The people whom a [`FaceFinder`] knows: their ids and what they look like. In memory only.
#[derive(Debug)]
pub struct KnownPeople {
    tracker: Tracker,
    recognizer: FaceRecognizer,
}

impl FaceFinder {
    /// A finder for the faces of `cascade`; with a cascade for eyes, it searches each face for eyes too.
    ///
    /// # Errors
    /// None: the detectors begin with their default settings, which are valid.
    pub fn new(cascade: Arc<Cascade>, eyes: Option<Arc<Cascade>>) -> Result<Self, ParamsError> {
        Ok(Self {
            full_detector: Detector::new(Arc::clone(&cascade), Params::default())?,
            nearby_detector: Detector::new(Arc::clone(&cascade), Params::default())?,
            turned: TurnedSearch::new(&cascade)?,
            eyes: eyes.map(EyeFinder::new).transpose()?,
            tracker: Tracker::default(),
            follower: FaceFollower::default(),
            recognizer: FaceRecognizer::default(),
            samples: FrameSamples::default(),
            cuts: CutDetector::default(),
            shots: ShotCounter::default(),
            change: ChangeDetector::default(),
            schedule: Schedule::default(),
            last_frame: None,
        })
    }

    /// Goes on with the people whom an earlier finder knew, whatever its cascades were: who returns gets the id of then, and no
    /// id of then is given to somebody else.
    pub fn remember(&mut self, people: KnownPeople) {
        (self.tracker, self.recognizer) = (people.tracker, people.recognizer);
        self.restart();
    }

    /// What is known of the people, for [`Self::remember`].
    pub fn into_people(self) -> KnownPeople {
        KnownPeople { tracker: self.tracker, recognizer: self.recognizer }
    }

    /// Starts a new scene: the next frame is searched completely, and its faces get new ids.
    pub fn reset(&mut self) {
        self.recognizer.clear();
        self.restart();
    }

    /// Starts anew with the same people, as where a camera was switched off: the next frame is searched completely, and who
    /// returns gets the same id.
    pub fn restart(&mut self) {
        self.tracker.reset();
        self.follower.clear();
        self.recognizer.restart_time();
        self.cuts.reset();
        self.shots.begin_shot();
        self.schedule = Schedule::default();
        self.last_frame = None;
    }

    /// Continues in frames of another size, in which all places are `factor` times as far from the corner.
    pub fn scale(&mut self, factor: f64) {
        self.tracker.scale(factor);
        // They learn the faces of this size anew, and another size is no cut.
        self.follower.clear();
        self.cuts.reset();
    }

    /// Number of the shot that the last frame belongs to, from 0. Where it changes, places of faces before say nothing of those
    /// after. Other than for tracking, which also knows faces by their looks, a doubtful change counts.
    pub fn shot(&self) -> u32 {
        self.shots.shot()
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
        let all = PixelRect { x: 0, y: 0, w: image.width() as u32, h: image.height() as u32 };
        self.find_faces_within(image, time, settings, &[all])
    }

    /// Finds the faces in parts of a frame, `areas` in pixels, as [`find_faces`](Self::find_faces) does in all of it. A new
    /// face must lie inside one of the areas completely; a known one is found while its centre lies inside. Without areas
    /// nothing is found.
    ///
    /// # Errors
    /// The scale factor is out of range.
    pub fn find_faces_within(
        &mut self,
        image: &GrayImage,
        time: Option<u64>,
        settings: &SearchSettings,
        areas: &[PixelRect],
    ) -> Result<Vec<FoundFace>, ParamsError> {
        let time = time
            .unwrap_or_else(|| self.last_frame.map_or(0, |last| last.saturating_add(UNTIMED_FRAME_DURATION)));
        if self.last_frame.is_some_and(|last| time < last) {
            if settings.keep_people { self.restart() } else { self.reset() }
        }
        self.last_frame = Some(time);
        self.samples.read(image);
        let is_cut = self.cuts.is_cut(&self.samples);
        let shot = self.shots.shot();
        self.shots.observe(&self.samples, time, is_cut);
        if is_cut {
            self.tracker.forget_places();
            self.follower.clear();
        }
        if self.shots.shot() != shot {
            self.schedule.begin_shot(time);
        }
        let params = settings.detector_params(image);
        let rolls = turned::tilted_orientations(settings.roll_range);
        let known = self.tracker.predict(time);
        let is_found = |face: &Prediction| face.id.is_some() && !face.is_doubtful;
        let is_nobody_missed =
            !known.is_empty() && known.len() >= settings.people && known.iter().all(is_found);
        let attention = if !is_nobody_missed {
            Attention::SomebodyMissed
        } else if self.has_changed_beside(&known) {
            Attention::Moving
        } else {
            Attention::Still
        };
        let due = self.schedule.advance(time, settings.scan_interval, rolls.len(), attention);
        if due.begins_round {
            self.change.remember(&self.samples);
        }
        let mut faces = self.search(image, areas, time, &params, &rolls, &due, settings.roll_range)?;
        faces.retain(|face| has_centre_inside(&face.detection.rect, areas));
        faces.sort_by_key(|face| Reverse(face.detection.rect.area()));
        let observe = |face: &TiltedDetection| Observation {
            rect: face.detection.rect.to_f64(),
            is_confident: face.is_confident(settings.min_neighbors),
            roll: face.roll,
            may_be_new: !face.is_around_known,
        };
        let observations: Vec<Observation> = faces.iter().map(observe).collect();
        let scope = match due {
            Due { upright: true, .. } => SearchScope::FullFrame,
            Due { tilted, .. } if !tilted.is_empty() => SearchScope::SomeRolls,
            _ => SearchScope::AroundFaces,
        };
        let mut recognizer = self.recognizer.for_frame(image, &observations, settings.people);
        let ids = self.tracker.update_with(time, &observations, scope, &mut recognizer);
        let mut found = Vec::new();
        for (id, TiltedDetection { detection: face, roll, .. }) in ids.into_iter().zip(faces) {
            let Some(id) = id else { continue };
            let roll = (!rolls.is_empty()).then_some(roll);
            found.push(FoundFace { id, face, roll, eyes: Vec::new(), is_followed: false, resembles: None });
        }
        if settings.follow > 0 {
            self.follower.follow(image, time, settings, &mut self.tracker, &self.recognizer, &mut found);
            found.retain(|found| has_centre_inside(&found.face.rect, areas));
            found.sort_by_key(|found| Reverse(found.face.rect.area()));
        }
        self.recognizer.learn(image, time, &mut found);
        if settings.max_faces > 0 {
            found.truncate(settings.max_faces);
        }
        if let Some(eyes) = &mut self.eyes {
            for found in &mut found {
                found.eyes = eyes.find_level(image, &found.face.rect, found.roll.unwrap_or(0.0))?;
            }
        }
        Ok(found)
    }

    /// Whether anything but the known faces has moved since tilted faces were last searched for.
    fn has_changed_beside(&self, known: &[Prediction]) -> bool {
        let faces: Vec<PixelRect<f64>> = known.iter().map(|face| face.last_rect).collect();
        self.change.has_changed(&self.samples, &faces)
    }

    /// Searches what is due of the areas, and around the known faces that this leaves out.
    #[expect(clippy::too_many_arguments, reason = "what is searched, and for what")]
    fn search(
        &mut self,
        image: &GrayImage,
        areas: &[PixelRect],
        time: u64,
        params: &Params,
        rolls: &[f64],
        due: &Due,
        roll_range: f64,
    ) -> Result<Vec<TiltedDetection>, ParamsError> {
        let mut found: Vec<TiltedDetection> = Vec::new();
        for area in areas {
            let added = self.search_area(&image.crop(*area), params, rolls, due)?;
            add_area(&mut found, added, area);
        }
        let full_search = found.clone();
        let is_left_out = |face: &Prediction| {
            let is_found = |other: &TiltedDetection| {
                other.is_confident(params.min_neighbors)
                    && turned::are_same_face(&other.detection.rect.to_f64(), &face.rect)
            };
            // Without an id the face is new, and needs the evidence of a full search once more. One that never had
            // strong evidence needs it in every full search.
            !due.upright
                || !rolls.is_empty()
                    && face.id.is_some()
                    && face.was_confident
                    && nearby::is_in_limits(face, params)
                    && !full_search.iter().any(is_found)
        };
        self.search_around_faces(image, time, params, roll_range, is_left_out, &mut found)?;
        Ok(match rolls {
            // What a full search finds is what OpenCV finds.
            [] if due.upright => found,
            [] => turned::remove_duplicates(found),
            _ => turned::merge_orientations(&found, params.min_neighbors),
        })
    }

    /// Searches what is due of an area of the frame. Places are those in the area.
    fn search_area(
        &mut self,
        area: &GrayImage,
        params: &Params,
        rolls: &[f64],
        due: &Due,
    ) -> Result<Vec<TiltedDetection>, ParamsError> {
        let mut found = Vec::new();
        if due.upright {
            let min_neighbors = match rolls {
                [] => params.min_neighbors,
                // Those with little evidence count for the roll.
                _ => params.min_neighbors.min(turned::MIN_NEIGHBORS_MERGED),
            };
            self.full_detector.set_params(Params { min_neighbors, ..*params })?;
            let upright = self.full_detector.detect(area);
            found.extend(upright.into_iter().map(|detection| TiltedDetection {
                detection,
                roll: 0.0,
                is_around_known: false,
            }));
        }
        self.turned.start_image();
        for &index in &due.tilted {
            self.turned.search_image(area, rolls[index], params, &mut found)?;
        }
        Ok(found)
    }

    /// Searches for the known faces that `is_searched` chooses where they are predicted, at about their size and
    /// roll, and appends what is found.
    fn search_around_faces(
        &mut self,
        image: &GrayImage,
        time: u64,
        full_params: &Params,
        roll_range: f64,
        is_searched: impl Fn(&Prediction) -> bool,
        found: &mut Vec<TiltedDetection>,
    ) -> Result<(), ParamsError> {
        let mut predictions = self.tracker.predict(time);
        predictions.retain(is_searched);
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
            let first = found.len();
            let roll = if prediction.roll.abs() <= UPRIGHT_ROLL { 0.0 } else { prediction.roll };
            self.search_around(image, &prediction, roll, full_params, found)?;
            let is_confident = |face: &TiltedDetection| face.is_confident(full_params.min_neighbors);
            if !found[first..].iter().any(is_confident) {
                for roll in [roll - ROLL_STEP, roll + ROLL_STEP] {
                    if roll.abs() <= roll_range {
                        self.search_around(image, &prediction, roll, full_params, found)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Searches around a known face for faces of one roll.
    fn search_around(
        &mut self,
        image: &GrayImage,
        prediction: &Prediction,
        roll: f64,
        full_params: &Params,
        found: &mut Vec<TiltedDetection>,
    ) -> Result<(), ParamsError> {
        let region = nearby::search_region(prediction, roll);
        let params = nearby::search_params(prediction, full_params);
        if roll != 0.0 {
            return self.turned.search_region(image, region, roll, &params, found);
        }
        let region = nearby::snap(prediction, region);
        self.nearby_detector.set_params(params)?;
        let detections = self.nearby_detector.detect(&image.crop(region));
        found.extend(detections.iter().map(|&Detection { rect, neighbors }| {
            let rect = PixelRect { x: rect.x + region.x, y: rect.y + region.y, ..rect };
            TiltedDetection { detection: Detection { rect, neighbors }, roll: 0.0, is_around_known: true }
        }));
        Ok(())
    }
}

/// Whether the centre of a face lies inside one of the areas.
fn has_centre_inside(face: &PixelRect, areas: &[PixelRect]) -> bool {
    let (x, y) = (face.x + face.w / 2, face.y + face.h / 2);
    areas.iter().any(|area| (area.x..area.x + area.w).contains(&x) && (area.y..area.y + area.h).contains(&y))
}

/// Adds what was found in an area to what was found in others. Of one face in two areas that overlap, the detection with more
/// evidence is kept.
fn add_area(found: &mut Vec<TiltedDetection>, added: Vec<TiltedDetection>, area: &PixelRect) {
    let others = found.len();
    for mut face in added {
        let rect = face.detection.rect;
        face.detection.rect = PixelRect { x: rect.x + area.x, y: rect.y + area.y, ..rect };
        let same = found[..others].iter_mut().find(|other| {
            let (a, b) = (other.detection.rect.to_f64(), face.detection.rect.to_f64());
            other.roll == face.roll && turned::are_same_face(&a, &b)
        });
        match same {
            Some(other) if other.detection.neighbors < face.detection.neighbors => *other = face,
            Some(_) => {}
            None => found.push(face),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A cascade that every window with more than one grey value passes.
    pub(crate) const PASSES_EVERY_WINDOW: &str = "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType>\
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
        roll_range: 0.0,
        follow: 0,
        people: 0,
        keep_people: false,
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
            assert_eq!(finder.schedule.last_full_search(), Some(last_full_search), "{time}");
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
    fn of_a_face_in_two_areas_the_better_detection_is_kept() {
        let face = |x, neighbors, roll| TiltedDetection {
            detection: Detection { rect: PixelRect { x, y: 5, w: 40, h: 40 }, neighbors },
            roll,
            is_around_known: false,
        };
        let mut found = Vec::new();
        add_area(
            &mut found,
            vec![face(10, 7, 0.0), face(12, 9, 0.0)],
            &PixelRect { x: 0, y: 0, w: 90, h: 50 },
        );
        assert_eq!(found.len(), 2, "detections of one area stay as they were grouped");
        let area = PixelRect { x: 8, y: 0, w: 90, h: 50 };
        add_area(&mut found, vec![face(2, 20, 0.0), face(2, 5, 35.0)], &area);
        assert_eq!(found, [face(10, 20, 0.0), face(12, 9, 0.0), face(10, 5, 35.0)]);
    }

    #[test]
    fn without_areas_nothing_is_found_and_all_of_the_frame_is_one() {
        let pixels: Vec<u8> = (0..40 * 30_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let image = GrayImage::new(&pixels, 40, 30, 40).unwrap();
        let settings = SearchSettings { roll_range: 45.0, ..SETTINGS };
        let everywhere = finder().find_faces(&image, Some(0), &settings).unwrap();
        let mut other = finder();
        let all = PixelRect { x: 0, y: 0, w: 40, h: 30 };
        assert_eq!(other.find_faces_within(&image, Some(0), &settings, &[all]).unwrap(), everywhere);
        assert!(!everywhere.is_empty());
        assert_eq!(other.find_faces_within(&image, Some(1), &settings, &[]).unwrap(), []);
    }

    #[test]
    fn a_scale_factor_out_of_range_is_an_error() {
        let image = GrayImage::new(&[], 0, 0, 0).unwrap();
        let settings = SearchSettings { scale_factor: 1.0, ..SETTINGS };
        assert!(finder().find_faces(&image, None, &settings).is_err());
    }
}
