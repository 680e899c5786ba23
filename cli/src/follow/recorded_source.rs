//! The faces of a timeline, as fast as they were recorded.

use std::path::Path;
use std::time::Duration;

use mood_schema::{Frame, FrameLine};

use super::source::FaceSource;
use crate::error::CommandError;
use crate::folder::{TIMELINE, read_timeline};

/// A timeline that is played.
pub struct RecordedSource {
    /// In the order of their times.
    frames: Vec<FrameLine>,
    /// The time of the first one, ns.
    start: u64,
    /// When the last one is over, ns after the first.
    end: u64,
}

impl RecordedSource {
    /// Reads a timeline, or the one in a session's folder. Fails where it has no frame.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        let (file, folder) = match path.is_dir() {
            true => (path.join(TIMELINE), path.to_owned()),
            false => (path.to_owned(), path.parent().unwrap_or(Path::new("")).to_owned()),
        };
        let timeline = read_timeline(&file, &folder)?;
        let period = timeline.frame_period();
        let mut frames = timeline.frames;
        frames.sort_by_key(|frame| frame.pts);
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else {
            let file = file.display();
            return Err(CommandError::Failed(format!(
                "{file} has no frames, so that there is no mood to follow"
            )));
        };
        let (start, end) = (first.pts, last.pts - first.pts + period);
        Ok(Self { frames, start, end })
    }
}

impl FaceSource for RecordedSource {
    fn faces(&mut self, elapsed: Duration) -> Option<Frame> {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        if elapsed >= self.end {
            return None;
        }
        let next = self.frames.partition_point(|frame| frame.pts - self.start <= elapsed);
        let frame = self.frames.get(next.checked_sub(1)?)?;
        Some(Frame { faces: frame.faces.clone(), shot: frame.shot })
    }
}
