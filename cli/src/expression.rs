//! The expression of the main person in an image or a video, estimated by the same elements as in all other
//! pipelines.

use std::path::Path;
use std::time::Duration;

use session::{Expression, Timeline};

use crate::error::CommandError;
use crate::progress::Progress;
use crate::{doctor, pipeline};

/// Writes the timeline of a file; the elements `input` and `timeline` still need their `location`.
const PIPELINE: &str = "filesrc name=input ! decodebin ! queue name=frames ! videoconvert \
    ! haarfacedetect ! emotionclassify ! emotionlog name=timeline ! fakesink sync=false";

/// Estimates the expression of the main person in an image or a video, see [`Expression::from_main_face`].
///
/// # Errors
/// The file does not exist, cannot be decoded or has no face.
pub fn estimate(input: &Path) -> Result<Expression, CommandError> {
    if !input.is_file() {
        return Err(CommandError::Failed(format!("{}: no such file", input.display())));
    }
    pipeline::init_gstreamer()?;
    doctor::check_requirements()?;
    let folder = tempfile::tempdir()
        .map_err(|error| CommandError::Failed(format!("no temporary folder can be made: {error}")))?;
    let timeline_path = folder.path().join("timeline.jsonl");
    let pipeline = pipeline::parse(PIPELINE)?;
    pipeline::set_path(&pipeline, "input", "location", input)?;
    pipeline::set_path(&pipeline, "timeline", "location", &timeline_path)?;
    // The duration is not known before the pipeline runs.
    let progress = Progress::start("analysing", 0);
    pipeline::run_file(&pipeline, &progress, pipeline::RunLimit::Interruption).map_err(
        |error| match error {
            CommandError::Failed(reason) => {
                CommandError::Failed(format!("{}: {reason}; name a picture or a video", input.display()))
            }
            other => other,
        },
    )?;
    let timeline = Timeline::load(&timeline_path)
        .map_err(|error| CommandError::Failed(format!("{}: {error}", input.display())))?;
    let [begin, end] = timeline.span();
    progress.finish((end > begin).then(|| Duration::from_nanos(end - begin)));
    Expression::from_main_face(&timeline).ok_or_else(|| {
        CommandError::Failed(format!(
            "no face found in {}: use a picture of a face that looks into the camera, or give --mood",
            input.display()
        ))
    })
}
