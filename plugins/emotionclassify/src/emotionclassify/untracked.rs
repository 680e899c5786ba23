//! Ids for the faces of detectors that give none.

use std::collections::HashSet;

use face_track::{Observation, Tracker};
use mood_meta::region::FaceRegion;

/// Follows the faces of a detector that gives all of them the same id, such as the opencv plugin's, by their places.
#[derive(Debug, Default)]
pub(super) struct UntrackedFaces {
    tracker: Tracker,
}

impl UntrackedFaces {
    /// Gives the faces of a frame at `time`, ns, ids of their own unless the detector has done so: two faces with one id would
    /// be averaged as one person's.
    pub fn identify(&mut self, regions: &mut [FaceRegion], time: Option<u64>) {
        let mut ids = HashSet::new();
        if regions.iter().all(|region| region.id != 0 && ids.insert(region.id)) {
            return;
        }
        let observations: Vec<Observation> = regions
            .iter()
            .map(|region| Observation {
                rect: region.bbox.to_f64(),
                is_confident: true,
                roll: region.roll().unwrap_or(0.0),
                may_be_new: true,
            })
            .collect();
        for (region, id) in regions.iter_mut().zip(self.tracker.update(time.unwrap_or(0), &observations)) {
            region.id = id.unwrap_or(region.id);
        }
    }
}
