//! From the luma of one frame after the other to faces with ids and eyes, free of GStreamer.

use std::cmp::Reverse;
use std::sync::Arc;

use face_track::{Expected, Sighting, Tracker};
use haar::{Cascade, Detection, Detector, GrayImage, Params, ParamsError, PixelRect, Size};

/// Window sizes searched around a face, at least: from its size over this to its size times this. Windows of a fifth more
/// or less still agree on a face.
const NEARBY_SIZES: f64 = 1.3;
/// The same as steps of the pyramid, where these are coarse.
const NEARBY_LEVELS: f64 = 1.5;
/// How far around a face's place it is searched for, sides of the face.
const NEARBY_MARGIN: f64 = 0.35;
/// And how much farther for each second since it was seen.
const MARGIN_A_SECOND: f64 = 1.0;
/// A new face with this many times the neighbours it needs is believed at once, others when they are seen again.
const SURE: u32 = 3;
/// A search around one face finds another that overlaps it so much, too.
const SAME_PLACE: f64 = 0.6;
/// Two searches that overlap may find one face twice.
const SAME_FACE: f64 = 0.4;
/// A frame that does not know its time is taken to come this long after the one before, ns.
const UNTIMED_FRAME: u64 = 40_000_000;
/// The rows of a face that an eye's window may cover, %: on filmed faces centres lie at 30 to 50.
const EYE_ROWS: (u32, u32) = (12, 62);
/// The sides such windows have, % of the face's: on filmed faces 18 to 35.
const EYE_SIZES: (u32, u32) = (18, 36);

/// What to look for in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    pub scale_factor: f64,
    pub min_neighbors: u32,
    /// Pixels; 0 is a twelfth of the shorter side.
    pub min_size: u32,
    /// Pixels; 0 is no limit.
    pub max_size: u32,
    /// Between searches of the whole frame, ns; 0 searches all of every frame.
    pub scan_interval: u64,
    /// The largest ones; 0 is all.
    pub max_faces: usize,
    pub threads: usize,
}

/// A face of the frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub id: u32,
    pub face: Detection,
    /// None to two, from left to right on the screen.
    pub eyes: Vec<Detection>,
}

/// Searches and follows. Ids count up from 1 and never return once forgotten.
pub struct Finder {
    whole: Detector,
    nearby: Detector,
    eyes: Option<Detector>,
    tracker: Tracker,
    /// When the whole frame was last searched.
    scanned: Option<u64>,
    now: Option<u64>,
}

impl Finder {
    pub fn new(cascade: Arc<Cascade>, eyes: Option<Arc<Cascade>>) -> Result<Self, ParamsError> {
        // Eyes are few pixels wide and hidden by hair, glasses and shade: finer steps.
        let eyes_params = Params { scale_factor: 1.1, ..Params::default() };
        Ok(Self {
            whole: Detector::new(Arc::clone(&cascade), Params::default())?,
            nearby: Detector::new(cascade, Params::default())?,
            eyes: eyes.map(|cascade| Detector::new(cascade, eyes_params)).transpose()?,
            tracker: Tracker::default(),
            scanned: None,
            now: None,
        })
    }

    /// Starts a new scene: the next frame is searched whole, and its faces get new ids.
    pub fn reset(&mut self) {
        self.tracker.reset();
        self.scanned = None;
        self.now = None;
    }

    /// The faces of a frame, largest first. `time` is in ns; where it runs backwards, a new scene begins.
    pub fn find(
        &mut self,
        image: &GrayImage,
        time: Option<u64>,
        search: &Search,
    ) -> Result<Vec<Found>, ParamsError> {
        let time = time.unwrap_or_else(|| self.now.map_or(0, |now| now.saturating_add(UNTIMED_FRAME)));
        if self.now.is_some_and(|now| time < now) {
            self.reset();
        }
        self.now = Some(time);
        let due = self.scanned.is_none_or(|scanned| time - scanned >= search.scan_interval);
        let mut faces = if due {
            self.scanned = Some(time);
            self.whole.set_params(params(search, image))?;
            self.whole.detect(image)
        } else {
            self.around_faces(image, time, search)?
        };
        faces.sort_by_key(|face| Reverse(u64::from(face.w) * u64::from(face.h)));
        let enough = search.min_neighbors.saturating_mul(SURE);
        let sighting = |face: &Detection| Sighting { rect: rect(face), sure: face.neighbors >= enough };
        let sightings: Vec<Sighting> = faces.iter().map(sighting).collect();
        let ids = match due {
            true => self.tracker.update(time, &sightings),
            false => self.tracker.follow(time, &sightings),
        };
        let limit = if search.max_faces == 0 { usize::MAX } else { search.max_faces };
        let mut found = Vec::new();
        let known = ids.into_iter().zip(faces).filter_map(|(id, face)| Some((id?, face)));
        for (id, face) in known.take(limit) {
            let eyes = self.eyes.as_mut().map(|detector| eyes(detector, image, &face)).transpose()?;
            found.push(Found { id, face, eyes: eyes.unwrap_or_default() });
        }
        Ok(found)
    }

    /// Looks for the known faces where they should be by now, at about their size. A face found in several places at once
    /// counts where the evidence is best.
    fn around_faces(
        &mut self,
        image: &GrayImage,
        time: u64,
        search: &Search,
    ) -> Result<Vec<Detection>, ParamsError> {
        let whole = params(search, image);
        let mut candidates: Vec<Detection> = Vec::new();
        let mut expected = self.tracker.expected(time);
        // Those in doubt come last: what is found around the others will do for them.
        expected.sort_by_key(|expected| expected.doubted);
        let mut searched: Vec<PixelRect<f64>> = Vec::new();
        for expected in expected {
            if searched.iter().any(|rect| rect.intersection_over_union(&expected.rect) > SAME_PLACE) {
                continue;
            }
            searched.push(expected.rect);
            let PixelRect { x, y, w, h } = surroundings(&expected);
            self.nearby.set_params(nearby(&expected, &whole))?;
            let found = self.nearby.detect(&image.crop(PixelRect { x, y, w, h }));
            candidates.extend(found.iter().map(|face| Detection { x: face.x + x, y: face.y + y, ..*face }));
        }
        candidates.sort_by_key(|face| Reverse(face.neighbors));
        let mut faces: Vec<Detection> = Vec::new();
        for face in candidates {
            if faces.iter().all(|other| rect(other).intersection_over_union(&rect(&face)) <= SAME_FACE) {
                faces.push(face);
            }
        }
        Ok(faces)
    }
}

fn params(search: &Search, image: &GrayImage) -> Params {
    let min = match search.min_size {
        0 => (image.width().min(image.height()) / 12) as u32,
        size => size,
    };
    Params {
        scale_factor: search.scale_factor,
        min_neighbors: search.min_neighbors,
        min_size: Size::square(min),
        max_size: Size::square(search.max_size),
        threads: search.threads,
    }
}

/// The settings for a search around a face, inside the limits of the whole frame's. So few windows are one thread's work.
fn nearby(expected: &Expected, whole: &Params) -> Params {
    let face = expected.rect;
    let ratio = NEARBY_SIZES.max(whole.scale_factor.powf(NEARBY_LEVELS));
    let shrunk = |side: f64, limit: u32| ((side / ratio) as u32).max(limit);
    let grown = |side: f64, limit: u32| match limit {
        0 => (side * ratio).ceil() as u32,
        limit => ((side * ratio).ceil() as u32).min(limit),
    };
    let (min, max) = (whole.min_size, whole.max_size);
    Params {
        min_size: Size { width: shrunk(face.w, min.width), height: shrunk(face.h, min.height) },
        max_size: Size { width: grown(face.w, max.width), height: grown(face.h, max.height) },
        // Where there is a face, half the evidence will do.
        min_neighbors: if expected.doubted { whole.min_neighbors } else { whole.min_neighbors.div_ceil(2) },
        threads: 1,
        ..*whole
    }
}

/// Where to look for a face: from where it was last seen to where it should be, and a margin that grows with the time
/// since; may reach beyond the right and the bottom.
fn surroundings(expected: &Expected) -> PixelRect {
    let margin = NEARBY_MARGIN + MARGIN_A_SECOND * expected.unseen as f64 / 1e9;
    let side = |from: f64, from_length: f64, to: f64, to_length: f64| {
        let start = (from.min(to) - margin * to_length).max(0.0) as u32;
        let end = (from + from_length).max(to + to_length) + margin * to_length;
        (start, (end.ceil() as u32).saturating_sub(start))
    };
    let (last, rect) = (expected.last, expected.rect);
    let (x, w) = side(last.x, last.w, rect.x, rect.w);
    let (y, h) = side(last.y, last.h, rect.y, rect.h);
    PixelRect { x, y, w, h }
}

/// The best supported eye of each half of a face. Where the two would make the head lean by more than 30 degrees, one of
/// them is a mouth corner or a brow: the better one stays.
fn eyes(detector: &mut Detector, image: &GrayImage, face: &Detection) -> Result<Vec<Detection>, ParamsError> {
    let (top, bottom) = (face.h * EYE_ROWS.0 / 100, face.h * EYE_ROWS.1 / 100);
    let band = image.crop(PixelRect { x: face.x, y: face.y + top, w: face.w, h: bottom - top });
    detector.set_params(Params {
        min_size: Size::square(face.w * EYE_SIZES.0 / 100),
        max_size: Size::square(face.w * EYE_SIZES.1 / 100),
        ..*detector.params()
    })?;
    let mut candidates = detector.detect(&band);
    candidates.iter_mut().for_each(|eye| eye.y += top);
    let centre = |eye: &Detection| (2 * eye.x + eye.w, 2 * eye.y + eye.h);
    let best = |left: bool| {
        candidates
            .iter()
            .filter(|eye| centre(eye).1 <= face.h && (centre(eye).0 < face.w) == left)
            .max_by_key(|eye| (eye.neighbors, eye.w))
    };
    let level = |a: &Detection, b: &Detection| {
        let ((ax, ay), (bx, by)) = (centre(a), centre(b));
        f64::from(ay.abs_diff(by)) <= f64::from(ax.abs_diff(bx)) * 30f64.to_radians().tan()
    };
    let chosen = match (best(true), best(false)) {
        (Some(left), Some(right)) if level(left, right) => vec![left, right],
        (Some(left), Some(right)) => vec![if left.neighbors >= right.neighbors { left } else { right }],
        (left, right) => left.into_iter().chain(right).collect(),
    };
    Ok(chosen.into_iter().map(|eye| Detection { x: eye.x + face.x, y: eye.y + face.y, ..*eye }).collect())
}

fn rect(face: &Detection) -> PixelRect<f64> {
    PixelRect { x: f64::from(face.x), y: f64::from(face.y), w: f64::from(face.w), h: f64::from(face.h) }
}
