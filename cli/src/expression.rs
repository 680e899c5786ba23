//! The expression of the main person in an image or a video, estimated by the same elements as in all other
//! pipelines.

use std::path::Path;
use std::time::Duration;

use session::{Expression, Timeline};

use crate::error::CommandError;
use crate::progress::Progress;
use crate::{doctor, pipeline};

/// From the file to a timeline, without paths.
const PIPELINE: &str = "filesrc name=medium ! decodebin ! queue name=frames ! videoconvert \
    ! haarfacedetect ! emotionclassify ! emotionlog name=timeline ! fakesink sync=false";

/// Estimates the expression of the main person in the file `medium`: the one with a face in most frames, of
/// several the one with the largest face. An error if the file cannot be decoded or has no face.
pub fn estimate(medium: &Path) -> Result<Expression, CommandError> {
    if !medium.is_file() {
        return Err(CommandError::Failed(format!("{}: no such file", medium.display())));
    }
    pipeline::init_gstreamer()?;
    doctor::check_requirements()?;
    let folder = tempfile::tempdir()
        .map_err(|error| CommandError::Failed(format!("no temporary folder can be made: {error}")))?;
    let log = folder.path().join("timeline.jsonl");
    let pipeline = pipeline::parse(PIPELINE)?;
    pipeline::set_path(&pipeline, "medium", "location", medium)?;
    pipeline::set_path(&pipeline, "timeline", "location", &log)?;
    // The duration is not known before the pipeline runs.
    let progress = Progress::start("looking", 0);
    pipeline::run_file(&pipeline, &progress).map_err(|error| match error {
        CommandError::Failed(reason) => {
            CommandError::Failed(format!("{}: {reason}; name a picture or a video", medium.display()))
        }
        other => other,
    })?;
    let timeline = Timeline::load(&log)
        .map_err(|error| CommandError::Failed(format!("{}: {error}", medium.display())))?;
    let [begin, end] = timeline.span();
    progress.finish((end > begin).then(|| Duration::from_nanos(end - begin)));
    Expression::from_main_face(&timeline).ok_or_else(|| {
        CommandError::Failed(format!(
            "no face found in {}: use a picture of a face that looks into the camera, or give --mood",
            medium.display()
        ))
    })
}
