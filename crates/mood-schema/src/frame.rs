//! A video frame: its faces and their classification.

use serde::{Deserialize, Serialize};

use crate::{Affect, Label};

/// A box in shares of the frame's width and height, which scaling of the video does not change. Serialized as
/// [x, y, w, h].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Rect {
    /// Left edge; 0-1 inside the frame.
    pub x: f64,
    /// Upper edge; 0-1 inside the frame.
    pub y: f64,
    /// Width as a share of the frame's width.
    pub w: f64,
    /// Height as a share of the frame's height.
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
    /// The area as a share of the frame's.
    pub fn area(&self) -> f64 {
        self.w * self.h
    }
}

/// The classification of a face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The likeliest emotion, or `uncertain`.
    pub label: Label,
    /// Probability of the likeliest emotion, 0-1; also where the label is `uncertain`.
    pub confidence: f64,
    /// The distribution over the emotions in [`crate::Emotion`]'s order; sums to 1.
    pub probabilities: [f64; 7],
    /// The distribution before the person's resting face was taken off; `None` where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<[f64; 7]>,
    /// Valence and arousal of the distribution.
    #[serde(flatten)]
    pub affect: Affect,
}

impl Classification {
    /// The distribution before the person's resting face was taken off.
    pub fn raw_probabilities(&self) -> &[f64; 7] {
        self.raw.as_ref().unwrap_or(&self.probabilities)
    }
}

/// How a face was found in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaceSource {
    /// By the detector.
    #[default]
    Detected,
    /// By its appearance in earlier frames, because the detector no longer found it.
    Followed,
}

impl FaceSource {
    /// The name in metadata and timelines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Followed => "followed",
        }
    }

    /// The source with this name; [`Detected`](Self::Detected) for any other name.
    pub fn from_name(name: &str) -> Self {
        if name == Self::Followed.as_str() { Self::Followed } else { Self::Detected }
    }

    /// Whether the detector found the face.
    pub fn is_detected(&self) -> bool {
        *self == Self::Detected
    }
}

/// What keeps the quality of a face's image below that of a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityLimit {
    /// The face is small in the frame.
    Small,
    /// The image has no fine detail.
    Blurred,
    /// The image has grain.
    Noisy,
    /// The face is dark.
    Dark,
    /// The face is bright.
    Bright,
    /// The image has little contrast.
    Flat,
    /// The head is tilted to a side.
    Tilted,
    /// The detector no longer found the face: it is turned away, or partly hidden.
    Turned,
    /// One that a newer version names.
    #[serde(other)]
    Other,
}

impl QualityLimit {
    /// The name in metadata and timelines, an adjective.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Blurred => "blurred",
            Self::Noisy => "noisy",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Flat => "flat",
            Self::Tilted => "tilted",
            Self::Turned => "turned",
            Self::Other => "other",
        }
    }

    /// The limit with this name; [`Other`](Self::Other) for an unknown name.
    pub fn from_name(name: &str) -> Self {
        let known = [
            Self::Small,
            Self::Blurred,
            Self::Noisy,
            Self::Dark,
            Self::Bright,
            Self::Flat,
            Self::Tilted,
            Self::Turned,
        ];
        known.into_iter().find(|limit| limit.as_str() == name).unwrap_or(Self::Other)
    }
}

/// A face in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Track id: the same for all faces of a person in a stream, as far as tracking succeeds.
    pub id: u32,
    /// The face's box.
    #[serde(rename = "box")]
    pub bbox: Rect,
    /// `None` where no classifier has processed the face.
    #[serde(flatten)]
    pub classification: Option<Classification>,
    /// Quality of the face's image for classification, from 0, useless, to 1; 0 where it was not determined.
    #[serde(default)]
    pub quality: f64,
    /// In-plane rotation, degrees, clockwise positive; 0 where unknown.
    #[serde(default)]
    pub roll: f64,
    /// How it was found. Timelines name it only where it was followed.
    #[serde(default, skip_serializing_if = "FaceSource::is_detected")]
    pub source: FaceSource,
    /// Id of an earlier face that looks much like this one and was never in the same frame: perhaps the same
    /// person. Only in some frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resembles: Option<u32>,
    /// What keeps `quality` low; `None` where it is good or was not determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_limit: Option<QualityLimit>,
}

/// The faces of one frame, largest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Empty where no face was found.
    pub faces: Vec<Face>,
    /// Number of the shot, from 0. Where it differs from that of the frame before, the picture has become another one, by a
    /// cut or a cross-fade, or because the camera was knocked or turned: places of faces before say nothing of those after.
    #[serde(default)]
    pub shot: u32,
}
