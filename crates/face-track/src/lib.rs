//! Ids that stay with a face from frame to frame: where it should be by now, and who fits best.
//!
//! The tracker has no clock. Every frame brings its time, in nanoseconds of any scale that does not run backwards while
//! a scene lasts; a step backwards starts a new scene, in which no earlier id returns.
//!
//! Each face has a Kalman filter of constant velocity for its centre and its size. Of all pairs of a face and a sighting
//! that may be the same ([`Params`]), the most likely one is matched first, then the most likely of what is left, and so
//! on. That is greedy: over simulated crossings with dropouts and noise the best total (Hungarian) assignment switched
//! ids as often, as a wrong pair is wrong by itself there and no sum makes up for it.
//!
//! ```
//! use face_track::{PixelRect, Sighting, Tracker};
//!
//! let mut tracker = Tracker::default();
//! let at = |x, y, side| Sighting { rect: PixelRect { x, y, w: side, h: side }, sure: true };
//! assert_eq!(tracker.update(0, &[at(100.0, 80.0, 60.0)]), [Some(1)]);
//! assert_eq!(tracker.update(40_000_000, &[at(104.0, 81.0, 62.0)]), [Some(1)]);
//! ```

mod motion;
mod tracker;

pub use gray_image::PixelRect;
pub use tracker::{Expected, Params, Sighting, Tracker};
