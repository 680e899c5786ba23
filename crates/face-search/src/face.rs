//! A face that was found.

use haar::Detection;

/// A face in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundFace {
    /// The same for one face in every frame of a scene; ids count up from 1.
    pub id: u32,
    /// The face, an upright square.
    pub face: Detection,
    /// In-plane rotation, degrees, clockwise positive, off by 5 to 15 degrees; `None` without a search for tilted
    /// faces.
    pub roll: Option<f64>,
    /// Its eyes, none to two, from left to right in the image.
    pub eyes: Vec<Detection>,
    /// Whether it was followed by its appearance, because the cascade did not find it.
    pub is_followed: bool,
    /// An earlier id whose face looks much like this one and was never in the same frame.
    pub resembles: Option<u32>,
}
