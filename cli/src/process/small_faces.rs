//! Whether a recording has faces that are smaller than the smallest that is searched for: a few frames are searched with a
//! smaller limit while it is decoded.

use std::sync::{Arc, Mutex};

use face_search::SmallFaceSearch;
use gst::prelude::*;
use gst_video::VideoInfo;
use haar::Cascade;
use mood_meta::pixel_aspect::PixelAspect;
use mood_meta::{lock, luma, video_frame};
use mood_schema::Rect;
use session::{Timeline, Warning, WarningKind};

use crate::error::CommandError;

/// What the sample of a recording holds.
#[derive(Clone, Debug, Default)]
pub struct SmallFaceSample(Arc<Mutex<Option<SmallFaceSearch>>>);

impl SmallFaceSample {
    /// Searches a sample of the frames that enter the detector, whose property `min-size` is `min_size`.
    pub fn watch(detector: &gst::Element, min_size: u32) -> Result<Self, CommandError> {
        let path = haar::find("frontalface_default");
        let cascade = path.and_then(Cascade::load);
        let cascade = Arc::new(cascade.map_err(|error| CommandError::Environment(error.to_string()))?);
        let sample = Self::default();
        let Some(pad) = detector.static_pad("sink") else { return Ok(sample) };
        let search = Arc::clone(&sample.0);
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some(buffer) = info.buffer() {
                let mut search = lock(&search);
                if search.is_none() {
                    let duration = pad.peer_query_duration::<gst::ClockTime>().map(gst::ClockTime::nseconds);
                    *search = SmallFaceSearch::new(Arc::clone(&cascade), min_size, duration).ok();
                }
                if let Some(search) = search.as_mut() {
                    // A frame that cannot be read is an error of the detector.
                    let _ = search_buffer(search, pad, buffer);
                }
            }
            gst::PadProbeReturn::Ok
        });
        Ok(sample)
    }

    /// Says how many frames have faces that are smaller than the limit and that the timeline lacks, and which limit would
    /// find them.
    pub fn warning(&self, timeline: &Timeline) -> Option<Warning> {
        let search = lock(&self.0);
        let search = search.as_ref()?;
        let mut sides: Vec<u32> = Vec::new();
        let mut frames_with_faces = 0;
        let mut limit = 0;
        for frame in search.frames() {
            let found = timeline.frames.iter().find(|line| line.pts == frame.time);
            let is_excluded = |rect: &haar::PixelRect| {
                let (x, y) = rect.to_f64().centre();
                let (x, y) = (x / frame.size.0 as f64, y / frame.size.1 as f64);
                found.is_some_and(|line| !line.faces.iter().any(|face| contains(&face.bbox, x, y)))
            };
            let excluded: Vec<u32> =
                frame.faces.iter().filter(|rect| is_excluded(rect)).map(|rect| rect.w).collect();
            if !excluded.is_empty() {
                frames_with_faces += 1;
                limit = frame.smallest_face;
                sides.extend(excluded);
            }
        }
        let (smallest, largest) = (*sides.iter().min()?, *sides.iter().max()?);
        let count = search.frames().len();
        let size =
            if smallest == largest { smallest.to_string() } else { format!("{smallest} to {largest}") };
        let text = format!(
            "in {frames_with_faces} of {count} frames looked at, faces of {size} pixels are smaller than the {limit} pixels searched for: say --min-face {} to find them",
            search.min_size_for(smallest)
        );
        let share = Some(f64::from(frames_with_faces) / count as f64);
        Some(Warning { share, ..Warning::new(WarningKind::SmallFaces, text) })
    }
}

/// Whether a point lies in a box.
fn contains(rect: &Rect, x: f64, y: f64) -> bool {
    (rect.x..=rect.x + rect.w).contains(&x) && (rect.y..=rect.y + rect.h).contains(&y)
}

/// Searches a frame if one is due; `None` where it cannot be read.
fn search_buffer(search: &mut SmallFaceSearch, pad: &gst::Pad, buffer: &gst::Buffer) -> Option<()> {
    let time = buffer.pts()?.nseconds();
    if !search.is_due(time) {
        return Some(());
    }
    let info = VideoInfo::from_caps(pad.current_caps()?.as_ref()).ok()?;
    let frame = video_frame::map_readable(buffer, &info).ok()?;
    let (mut unpacked, mut stretched) = Default::default();
    let image = luma::read(&frame, &mut unpacked).ok()?;
    let image = PixelAspect::from_info(&info).square_image(image, &mut stretched);
    search.search(time, &image).ok()
}
