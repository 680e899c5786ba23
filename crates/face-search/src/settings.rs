//! What to search for, and when.

use haar::{GrayImage, Params, Size};

/// What to search for in a frame, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Ratio of one window size to the next smaller one, 1.001-100.
    pub scale_factor: f64,
    /// A face needs more than this many similar windows.
    pub min_neighbors: u32,
    /// Smallest face, pixels; 0 is a twelfth of the shorter side of the frame.
    pub min_size: u32,
    /// Largest face, pixels; 0 is no limit.
    pub max_size: u32,
    /// Time between full searches, ns; 0 searches every frame completely.
    pub scan_interval: u64,
    /// Most faces returned, the largest ones; 0 is no limit.
    pub max_faces: usize,
    /// Number of threads of a full search; 0 is as many as are useful.
    pub threads: usize,
    /// How far faces may lean to either side, degrees, 0-90; 0 searches upright only, as OpenCV does.
    pub roll_range: f64,
    /// How long a face that is no longer detected is followed by its appearance at most, ns; 0: not.
    pub follow: u64,
    /// Number of people in the video, which decides doubtful cases; 0 where it is unknown.
    pub people: usize,
    /// Whether people keep their ids where the time steps back.
    pub keep_people: bool,
}

impl SearchSettings {
    /// Side of the smallest face that is searched for in a frame of `width` x `height`, pixels.
    pub fn smallest_face(&self, width: usize, height: usize) -> u32 {
        smallest_face(self.min_size, width, height)
    }

    /// The detector's settings for a full search of an image.
    pub(crate) fn detector_params(&self, image: &GrayImage) -> Params {
        Params {
            scale_factor: self.scale_factor,
            min_neighbors: self.min_neighbors,
            min_size: Size::square(smallest_face(self.min_size, image.width(), image.height())),
            max_size: Size::square(self.max_size),
            threads: self.threads,
        }
    }
}

/// Side of the smallest face that is searched for in an image of `width` x `height`, pixels, with the setting `min_size`.
pub(crate) fn smallest_face(min_size: u32, width: usize, height: usize) -> u32 {
    match min_size {
        0 => (width.min(height) / 12) as u32,
        size => size,
    }
}
