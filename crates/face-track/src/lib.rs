//! Tracking of faces over the frames of a video: ids that stay with a face.
//!
//! The tracker has no clock. Every frame comes with its time, in nanoseconds on any scale that does not run
//! backwards within a scene; a step backwards starts a new scene, in which no earlier id returns.
//!
//! Each face has a Kalman filter of constant velocity for its centre and its size. Of all pairs of a face and
//! an observation that may belong together ([`Params`]), the most likely one is matched first, then the most
//! likely of the remaining ones, and so on. This assignment is greedy. In simulations of crossing faces with
//! dropouts and noise, the assignment of least total cost (Hungarian algorithm, Kuhn 1955,
//! doi:10.1002/nav.3800020109) switched ids just as often.
//!
//! ```
//! use face_track::{Observation, PixelRect, Tracker};
//!
//! let mut tracker = Tracker::default();
//! let face = |x, y, side| Observation {
//!     rect: PixelRect { x, y, w: side, h: side },
//!     is_confident: true,
//!     roll: 0.0,
//!     may_be_new: true,
//! };
//! assert_eq!(tracker.update(0, &[face(100.0, 80.0, 60.0)]), [Some(1)]);
//! assert_eq!(tracker.update(40_000_000, &[face(104.0, 81.0, 62.0)]), [Some(1)]);
//! ```

mod appearance;
mod change;
mod correlation;
mod dot;
mod follower;
mod lost;
mod motion;
mod patch;
mod people;
mod presence;
mod recognizer;
mod samples;
mod scene;
mod shot;
mod tracker;

pub use appearance::Appearance;
pub use change::ChangeDetector;
pub use follower::{FollowWorkspace, Followed, Follower};
pub use gray_image::PixelRect;
pub use lost::{LostFace, LostFaces};
pub use patch::Pose;
pub use people::People;
pub use presence::PresenceCheck;
pub use recognizer::FrameRecognizer;
pub use samples::FrameSamples;
pub use scene::CutDetector;
pub use shot::ShotCounter;
pub use tracker::{Observation, Params, Prediction, Recognizer, SearchScope, Tracker};
