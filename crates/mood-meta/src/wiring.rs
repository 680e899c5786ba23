//! Notices a pipeline in which buffers lack what an element needs: face metadata, emotions, timestamps.

use std::fmt;

use mood_schema::Frame;

/// After this many frames without the metadata a warning is due: two seconds of video at 25 frames a second.
const FRAMES_BEFORE_WARNING: u32 = 50;

/// What is missing upstream of an element that reads face metadata. Its text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WiringFault {
    /// No buffer has carried face metadata.
    NoDetector,
    /// Faces have come, and none of them was classified.
    NoClassifier,
    /// A buffer has come without a timestamp.
    NoTimestamps,
}

impl fmt::Display for WiringFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDetector => {
                "no buffer carries face metadata: put haarfacedetect before this element, and between them no element that \
                 drops metadata, as deinterlace and compositor do"
            }
            Self::NoClassifier => {
                "the faces that arrive carry no emotions: put emotionclassify between haarfacedetect and this element"
            }
            Self::NoTimestamps => {
                "frames come without timestamps: their times are counted by the frame rate, or as 25 frames a second \
                 where there is none; put a parser or a demuxer that knows them before the decoder, or videorate behind it"
            }
        })
    }
}

impl std::error::Error for WiringFault {}

/// Notices buffers that lack something. One for each sink pad; a new one for every start.
#[derive(Clone, Debug, Default)]
pub struct WiringCheck {
    without_metadata: FrameCount,
    without_emotions: FrameCount,
    has_untimed_buffers: bool,
}

impl WiringCheck {
    /// A fault when it has become certain enough to be reported, which each is at most once. `frame` is what
    /// [`crate::read_faces`] gave for the next buffer.
    ///
    /// A fault is a suspicion: another project's detector may write nothing on frames without faces.
    pub fn observe(&mut self, frame: Option<&Frame>) -> Option<WiringFault> {
        let Some(frame) = frame else {
            return self.without_metadata.count().then_some(WiringFault::NoDetector);
        };
        self.without_metadata.stop();
        if frame.faces.iter().any(|face| face.classification.is_some()) {
            self.without_emotions.stop();
        } else if !frame.faces.is_empty() {
            return self.without_emotions.count().then_some(WiringFault::NoClassifier);
        }
        None
    }

    /// [`WiringFault::NoTimestamps`] for the first buffer without a timestamp.
    pub fn observe_timestamp(&mut self, pts: Option<gst::ClockTime>) -> Option<WiringFault> {
        let is_first = pts.is_none() && !std::mem::replace(&mut self.has_untimed_buffers, true);
        is_first.then_some(WiringFault::NoTimestamps)
    }
}

/// Frames counted up to [`FRAMES_BEFORE_WARNING`]; there the count stays.
#[derive(Clone, Debug, Default)]
struct FrameCount(u32);

impl FrameCount {
    /// Counts a frame; returns whether it was the last one needed.
    fn count(&mut self) -> bool {
        if self.0 >= FRAMES_BEFORE_WARNING {
            return false;
        }
        self.0 += 1;
        self.0 == FRAMES_BEFORE_WARNING
    }

    /// Counts no more frames.
    fn stop(&mut self) {
        self.0 = FRAMES_BEFORE_WARNING;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::happy_face;
    use mood_schema::Face;

    fn faults(check: &mut WiringCheck, frame: Option<&Frame>) -> Vec<WiringFault> {
        (0..3 * FRAMES_BEFORE_WARNING).filter_map(|_| check.observe(frame)).collect()
    }

    #[test]
    fn missing_metadata_is_reported_once() {
        assert_eq!(faults(&mut WiringCheck::default(), None), [WiringFault::NoDetector]);
    }

    #[test]
    fn missing_emotions_are_reported_once() {
        let face = Face { classification: None, ..happy_face(1) };
        let frame = Frame { faces: vec![face], shot: 0 };
        assert_eq!(faults(&mut WiringCheck::default(), Some(&frame)), [WiringFault::NoClassifier]);
    }

    #[test]
    fn missing_timestamps_are_reported_once() {
        let mut check = WiringCheck::default();
        assert_eq!(check.observe_timestamp(Some(gst::ClockTime::ZERO)), None);
        assert_eq!(check.observe_timestamp(None), Some(WiringFault::NoTimestamps));
        assert_eq!(check.observe_timestamp(None), None);
    }

    #[test]
    fn a_complete_pipeline_has_no_fault() {
        let mut check = WiringCheck::default();
        assert_eq!(check.observe(None), None, "the first buffers may lack it");
        assert_eq!(faults(&mut check, Some(&Frame::default())), []);
        assert_eq!(faults(&mut check, Some(&Frame { faces: vec![happy_face(1)], shot: 0 })), []);
        // Afterwards a single frame without metadata is no matter of wiring.
        let unclassified = Frame { faces: vec![Face { classification: None, ..happy_face(1) }], shot: 0 };
        assert_eq!(faults(&mut check, Some(&unclassified)), []);
        assert_eq!(faults(&mut check, None), []);
    }
}
