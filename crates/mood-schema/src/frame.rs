//! One frame of video: its faces, and what each shows.

use serde::{Deserialize, Serialize};

use crate::{Affect, Label};

/// A box in shares of the frame's width and height, so that scaling the picture changes nothing. Written [x, y, w, h].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Rect {
    /// Left edge, 0-1.
    pub x: f64,
    /// Upper edge, 0-1.
    pub y: f64,
    /// Width, 0-1.
    pub w: f64,
    /// Height, 0-1.
    pub h: f64,
}

impl From<[f64; 4]> for Rect {
    fn from([x, y, w, h]: [f64; 4]) -> Self {
        Self { x, y, w, h }
    }
}

impl From<Rect> for [f64; 4] {
    fn from(rect: Rect) -> Self {
        [rect.x, rect.y, rect.w, rect.h]
    }
}

impl Rect {
    /// The share of the frame covered, 0-1.
    pub fn area(&self) -> f64 {
        self.w * self.h
    }
}

/// What a classifier says of a face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The emotion, or `uncertain`.
    pub label: Label,
    /// Probability of the likeliest emotion, also where the label is `uncertain`.
    pub confidence: f64,
    /// In [`crate::Emotion`]'s order; sums to 1.
    pub probabilities: [f64; 7],
    /// Valence and arousal of the distribution.
    #[serde(flatten)]
    pub affect: Affect,
}

/// A face in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Follows the person through the clip.
    pub id: u32,
    /// Where it is.
    #[serde(rename = "box")]
    pub bbox: Rect,
    /// Absent where nothing classified the face.
    #[serde(flatten)]
    pub classification: Option<Classification>,
    /// How far the picture of the face can be trusted, 0-1.
    #[serde(default)]
    pub quality: f64,
    /// In-plane rotation, degrees, clockwise positive; 0 where unknown.
    #[serde(default)]
    pub roll: f64,
}

/// The faces of one frame, largest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// May be empty: nobody was seen.
    pub faces: Vec<Face>,
}
