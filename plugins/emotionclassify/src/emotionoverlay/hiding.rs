//! Decides what `blur-faces` hides in a frame, and where boxes are drawn: follows the frame's geometry since its faces were
//! found, and remembers lost faces.

use face_track::{LostFaces, PresenceCheck};
use frame_witness::{Locator, LumaSample, Placement, Size, Witness};
use gray_image::PixelRect;
use mood_meta::filter::UNTIMED_FRAME_DURATION;
use mood_meta::witness::InvalidWitnessError;
use mood_schema::{Face, Frame, Rect};

/// How long the place of a lost face stays hidden, ns. Documented in the property's blurb.
const HOLD: u64 = 3_000_000_000;
/// How long nobody must be found for nobody to be there with `blur-strict`, ns. Documented in the property's blurb.
const ABSENCE: u64 = 10_000_000_000;
/// The largest step backwards of the timestamps within a scene, ns.
const MAX_STEP_BACK: u64 = 1_000_000_000;

/// What is hidden in a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hidden {
    /// These areas, in shares of the frame.
    Areas(Vec<Rect>),
    /// All of it.
    Everything(Reason),
}

/// Why a complete frame is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The buffer has no face metadata.
    NoMetadata,
    /// The witness cannot be read.
    InvalidWitness,
    /// The boxes do not lie on the frame, and it is unknown where they do.
    UnknownPlacement,
    /// `blur-strict`: somebody may be there who is not found.
    Uncertain,
    /// Another shot has begun, and not everybody who was there before it is found.
    Cut,
}

/// The result for a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// What is hidden where faces are hidden at all.
    pub hidden: Hidden,
    /// The faces at their places in this frame, as far as these are known.
    pub faces: Vec<Face>,
    /// The boxes of the witness in this frame with their ids, for a new witness; `None` where there is none or their places
    /// are unknown.
    pub boxes: Option<Vec<(u32, Rect)>>,
    /// Whether the boxes do not lie on the frame.
    pub is_misplaced: bool,
}

/// The state of a stream.
#[derive(Debug)]
pub(super) struct FaceHider {
    locator: Locator,
    /// Of the frame in progress; kept to reuse its memory.
    sample: LumaSample,
    lost: LostFaces,
    presence: PresenceCheck,
    /// Since the last cut, until everybody is found.
    cut: Option<Cut>,
    /// Time of the last frame, ns.
    last_time: Option<u64>,
    /// Number of the last frame's shot.
    last_shot: Option<u32>,
}

/// A cut behind which not everybody has been found yet.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// ns.
    time: u64,
    /// Number of people who were known before it.
    people: usize,
}

impl Default for FaceHider {
    fn default() -> Self {
        Self {
            locator: Locator::default(),
            sample: LumaSample::default(),
            lost: LostFaces::new(HOLD),
            presence: PresenceCheck::new(ABSENCE),
            cut: None,
            last_time: None,
            last_shot: None,
        }
    }
}

/// What `blur-faces` and `blur-strict` ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing is hidden.
    Show,
    /// Known faces are hidden.
    Faces,
    /// And everything where a person may be there who is not found.
    Strict,
}

impl FaceHider {
    /// Forgets the faces of the stream, as after a seek.
    pub fn clear(&mut self) {
        self.lost.clear();
        self.presence.clear();
        self.cut = None;
        self.last_time = None;
        self.last_shot = None;
    }

    /// The time of a frame with the timestamp `pts`, ns, in the order of the frames: a small step backwards is an
    /// irregularity of the source, a large one begins a new scene.
    fn advance(&mut self, pts: Option<u64>) -> u64 {
        let time = match (pts, self.last_time) {
            (Some(pts), Some(last)) if pts < last => {
                if last - pts > MAX_STEP_BACK {
                    self.clear();
                    pts
                } else {
                    last
                }
            }
            (Some(pts), _) => pts,
            (None, last) => last.map_or(0, |last| last + UNTIMED_FRAME_DURATION.nseconds()),
        };
        self.last_time = Some(time);
        time
    }

    /// Whether a frame at `time`, ns, of a shot, in which so many faces are `found`, comes after a cut behind which not
    /// everybody is found who was there before. Places before a cut are worth nothing, and are forgotten.
    fn is_behind_cut(&mut self, time: u64, shot: u32, found: usize, mode: Mode) -> bool {
        if self.last_shot.replace(shot).is_some_and(|last| last != shot) {
            let people = self.lost.count().max(self.cut.map_or(0, |cut| cut.people));
            self.lost.clear();
            self.cut = Some(Cut { time, people });
        }
        let hold = if mode == Mode::Strict { ABSENCE } else { HOLD };
        self.cut = self.cut.filter(|cut| found < cut.people && time - cut.time <= hold);
        self.cut.is_some()
    }

    /// Decides about a frame with the timestamp `pts`, ns, of size `size`, whose metadata is `frame` with its `witness`.
    /// `read_sample` reads the frame's luma and is called only where it is needed.
    ///
    /// # Errors
    ///
    /// That of `read_sample`.
    pub fn decide<E>(
        &mut self,
        mode: Mode,
        pts: Option<u64>,
        size: Size,
        frame: Option<&Frame>,
        witness: Result<Option<&Witness>, InvalidWitnessError>,
        read_sample: impl FnOnce(&mut LumaSample) -> Result<(), E>,
    ) -> Result<Decision, E> {
        let faces = frame.map(|frame| frame.faces.clone()).unwrap_or_default();
        let unplaced = |reason, is_misplaced| Decision {
            hidden: Hidden::Everything(reason),
            faces: faces.clone(),
            boxes: None,
            is_misplaced,
        };
        let known = witness.unwrap_or_default();
        // Places are remembered in pixels of the frame that was searched, which a moving crop does not change.
        let searched = known.map_or(size, |witness| witness.size);
        let boxes = boxes(&faces, known);
        let (mut is_complete, mut is_behind_cut) = (true, false);
        let mut lost = Vec::new();
        if mode != Mode::Show {
            let time = self.advance(pts);
            let found: Vec<_> = boxes.iter().map(|(id, bbox)| (*id, to_pixels(bbox, searched))).collect();
            // A frame without metadata says nothing about its shot.
            let shot = frame.map(|frame| frame.shot).or(self.last_shot).unwrap_or_default();
            is_behind_cut = self.is_behind_cut(time, shot, found.len(), mode);
            let expected = self.lost.update(time, &found);
            // A program that writes boxes without a witness plans itself what is hidden.
            if known.is_some() {
                lost.extend(expected.iter().map(|face| to_shares(&face.rect, searched)));
            }
            is_complete = self.presence.is_complete(time, &found);
        }
        if frame.is_none() {
            return Ok(unplaced(Reason::NoMetadata, false));
        }
        if witness.is_err() {
            return Ok(unplaced(Reason::InvalidWitness, false));
        }
        let placements = match known {
            Some(witness) if !boxes.is_empty() || !lost.is_empty() => {
                read_sample(&mut self.sample)?;
                self.locator.locate(witness, &self.sample, size)
            }
            // Without a witness another program wrote the boxes, and there is nothing to compare.
            _ => vec![Placement::default()],
        };
        let Some(likeliest) = placements.first() else {
            return Ok(unplaced(Reason::UnknownPlacement, true));
        };
        let place_all = |boxes: &[Rect]| -> Vec<Rect> {
            placements.iter().flat_map(|placement| boxes.iter().map(|bbox| placement.map(bbox))).collect()
        };
        let mut areas = place_all(&boxes.iter().map(|(_, bbox)| *bbox).chain(lost).collect::<Vec<_>>());
        // A face that the witness does not know was found in this frame as it is now, or as it was then.
        areas.extend(faces.iter().filter(|face| !is_witnessed(known, face.id)).map(|face| face.bbox));
        let hidden = if mode == Mode::Strict && !is_complete {
            Hidden::Everything(Reason::Uncertain)
        } else if is_behind_cut {
            Hidden::Everything(Reason::Cut)
        } else {
            Hidden::Areas(areas)
        };
        Ok(Decision {
            hidden,
            boxes: known.map(|_| {
                let placed = placements
                    .iter()
                    .flat_map(|placement| boxes.iter().map(|(id, bbox)| (*id, placement.map(bbox))));
                placed.collect()
            }),
            faces: if likeliest.is_identity() {
                faces
            } else {
                let bbox = |face: &Face| {
                    let known = boxes.iter().find(|(id, _)| *id == face.id);
                    likeliest.map(known.map_or(&face.bbox, |(_, bbox)| bbox))
                };
                faces.iter().map(|face| Face { bbox: bbox(face), ..face.clone() }).collect()
            },
            is_misplaced: false,
        })
    }
}

fn is_witnessed(witness: Option<&Witness>, id: u32) -> bool {
    witness.is_some_and(|witness| witness.faces.iter().any(|face| face.id == id))
}

/// The boxes of the frame that was searched: those of the witness, and those of faces that it does not know.
fn boxes(faces: &[Face], witness: Option<&Witness>) -> Vec<(u32, Rect)> {
    let witnessed = witness.iter().flat_map(|witness| &witness.faces).map(|face| (face.id, face.bbox));
    let others = faces.iter().filter(|face| !is_witnessed(witness, face.id)).map(|face| (face.id, face.bbox));
    witnessed.chain(others).collect()
}

fn to_pixels(rect: &Rect, size: Size) -> PixelRect<f64> {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    PixelRect { x: rect.x * width, y: rect.y * height, w: rect.w * width, h: rect.h * height }
}

fn to_shares(rect: &PixelRect<f64>, size: Size) -> Rect {
    let (width, height) = (f64::from(size.width.max(1)), f64::from(size.height.max(1)));
    Rect { x: rect.x / width, y: rect.y / height, w: rect.w / width, h: rect.h / height }
}
