//! Faces in the frames of a video, with ids that follow them and with their eyes: when to search all of a
//! frame, where to search otherwise, and which detections to believe.
//!
//! [`FaceFinder`] joins a cascade detector ([`haar`]) and a tracker ([`face_track`]).
//!
//! # Search schedule
//!
//! The first frame that comes at least [`scan_interval`](SearchSettings::scan_interval) after the last full
//! search is searched completely. In the other frames each known face is searched for between the place where
//! it was last observed and the place that its motion predicts, with a margin that grows while it is absent,
//! and at window sizes near its own. Faces that are predicted in one place are searched for together.
//!
//! # Tilted faces
//!
//! With a [`roll_range`](SearchSettings::roll_range), a full search covers copies of the image that are turned so
//! that a face which leans by the orientation's roll is upright, in the same frame without a scan interval, in later
//! frames of the interval otherwise: all of them while no face is known, while one is missed, or while fewer are known
//! than there are people; else all of them every two intervals or two seconds, whichever is longer, and a third as often while
//! nothing but the known people moves. Detections of different orientations that overlap are one face: the best
//! supported one, with the mean of the rolls weighted by windows. A known face that a full
//! search does not find on confident evidence is also searched for where it is predicted, at its own roll and, where
//! the evidence is weak, 20 degrees to either side of it.
//!
//! # Evidence
//!
//! A cascade accepts or rejects a window, so the number of windows that agree is the evidence for a face.
//!
//! - A new face begins in a full search. It is reported at once if three times the required windows agree, or
//!   in the first frame of a scene; otherwise from the second consecutive frame on, since a false detection
//!   rarely lasts.
//! - Around a known face half of the required windows are enough.
//!   A full search that finds none of this around a face that never had the evidence of three times the required
//!   windows does not search there again: what comes and goes with little evidence is mostly no face.
//! - A face that a full search missed is doubtful until a full search finds it again: in the frames between
//!   it is reported only with all required windows and in a second consecutive frame, or at once with three
//!   times as many.
//!
//! - A tilted face, where no upright detection supports it, needs twice the required windows: each orientation adds
//!   its own false detections, which mostly have few windows.
//!
//! So a new face appears within one interval (and one frame, on weak evidence), a tilted one beside others within
//! two, and a face that left is no longer reported after one interval.
//!
//! # Areas
//!
//! [`FaceFinder::find_faces_within`] searches parts of the frame only. Each is searched as if it were a frame, so that a new
//! face must lie inside one of them completely; a known face is reported while its centre lies inside.

mod area;
mod eyes;
mod face;
mod finder;
mod following;
mod nearby;
mod recognition;
mod schedule;
mod settings;
mod small_faces;
mod turned;

pub use area::{ParseAreaError, SearchArea};
pub use face::FoundFace;
pub use finder::{FaceFinder, KnownPeople};
pub use settings::SearchSettings;
pub use small_faces::{SampledFrame, SmallFaceSearch};
