//! A person's resting face: how the network reads the face at rest, and expressions measured against it.
//!
//! Some faces at rest look sad, angry or frightened to any network. Those who code faces by hand or with OpenFace
//! (Baltrušaitis et al. 2015, doi:10.1109/FG.2015.7284869, which subtracts a person's median) therefore look at the
//! person at rest first and judge what differs from that. This module does so with the network's distribution.
//!
//! # What is taken off
//!
//! Let `d(k) = ln p(k) - ln p(neutral)`, emotion `k`'s log odds against neutral, be the coordinates of a distribution,
//! and `r(k)` their value at rest ([`RestingProfile`]). The adjusted distribution is
//!
//! ```text
//! d'(k) = d(k) - s(k),   s(k) = share * w * max(0, r(k) + margin)
//! ```
//!
//! An emotion that the face at rest shows within `margin` nats of neutral is taken off as far as it exceeds that, so
//! that rest reads neutral by the margin. `s` is never negative, and neutral never becomes less likely. `w`, 0 to 1,
//! says how far the profile can be trusted; without evidence it is 0 and the distribution stays as it is. That is the
//! population's prior: most faces at rest read neutral already.
//!
//! Where somebody has *told* which images show the person at rest ([`RestingProfile::new_for_known_rest`]), the estimate has no
//! selection to correct for, and `s(k) = share * w * (r(k) + margin)` may be negative: what the face never shows at
//! rest counts for more.
//!
//! # How rest is found
//!
//! [`RestingProfile::observe`] collects the person's distributions in bins by the log odds of neutral; each bin has its
//! time, its mean probability of neutral and its mean `d`. Rest is the third of the time in which the network found
//! this person most neutral, each frame weighted by its probability of neutral. The rule is relative to the person, so
//! it works where a face at rest never reads neutral, and it does not depend on the order of the frames, so a smile in
//! the first minute does not mislead it for longer than that. `w` is the product of
//!
//! - `t / (t + 3 s)` for `t` seconds of evidence,
//! - a ramp on the mean probability of neutral in that third, with the same weights, from 0 at 0.08 to 1 at 0.2 on a
//!   logarithmic scale: a person who was never seen near rest has no resting face yet. The weights let a tenth of the time
//!   at rest suffice where somebody smiles in all the rest of it,
//! - for each emotion, a ramp on its mean `d` in the other two thirds of the time, from 1 at 2 to 0 at 3.5: what
//!   somebody shows that strongly most of the time is an expression. For happy it goes from 0 to 1.5, since few faces at
//!   rest look happy. Who smiles throughout stays happy, also where the smile is slight.
//!
//! The constants were chosen on the clips and photographs that CONTRIBUTING.md's test media describe, that for happy on
//! FER-2013; models/README.md has the figures, those for people on whom nothing was chosen among them.
//!
//! A profile belongs to the network that it was learnt with: logits of two networks differ.

mod evidence;
mod profile;
mod recording;
mod shift;
mod tracker;

pub use evidence::evidence_weight;
pub use profile::{ProfileError, RestingProfile};
pub use recording::{learn_people, relabel};
pub use shift::{LogitShift, log_odds};
pub use tracker::{FaceObservation, RestingFaces};
