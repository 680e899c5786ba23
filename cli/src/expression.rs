//! The expression of the main person in an image or a video, estimated by the same elements as in all other
//! pipelines.

use std::path::Path;
use std::time::Duration;

use session::{Expression, Timeline};

use crate::error::CommandError;
use crate::media_kind::MediaKind;
use crate::process::photo;
use crate::process::streams::{self, StreamRequest};
use crate::progress::Progress;
use crate::{doctor, pipeline};

/// From a photo to frames.
const PHOTO_SOURCE: &str = "appsrc name=source format=time ! videoconvert !";
/// From upright frames to a timeline; the element `timeline` still needs its `location`.
const ANALYSIS: &str = "haarfacedetect ! emotionclassify ! emotionlog name=timeline ! fakesink sync=false";

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
    let describe = |error| match error {
        CommandError::Failed(reason) => {
            CommandError::Failed(format!("{}: {reason}; name a picture or a video", input.display()))
        }
        other => other,
    };
    let kind = MediaKind::detect(input);
    let source = match kind {
        MediaKind::Photo => PHOTO_SOURCE.to_owned(),
        MediaKind::UnsupportedPhoto => return Err(describe(photo::unsupported_error())),
        MediaKind::Animation | MediaKind::Video => streams::source(kind),
    };
    let pipeline = pipeline::parse(&format!("{source} {ANALYSIS}"))?;
    pipeline::set_path(&pipeline, "timeline", "location", &timeline_path)?;
    // The duration is not known before the pipeline runs.
    let progress = Progress::start("analysing", 0);
    let mut warnings = Vec::new();
    let mut play = || {
        if kind == MediaKind::Photo {
            let photo = photo::Photo::decode(input)?;
            warnings.extend(photo.warnings);
            photo::push_image(&pipeline, &photo.image)?;
            return pipeline::run(&pipeline, &progress);
        }
        let request = StreamRequest::default();
        let links = streams::connect(&pipeline, input, kind, request)?;
        pipeline::run_file(&pipeline, &progress, pipeline::RunLimit::Interruption)?;
        warnings.extend(links.video_warnings());
        links.check()
    };
    let played = play();
    for warning in &warnings {
        let text = format!("{}: {}", input.display(), warning.text);
        eprintln!("gst-mood: warning: {text}");
    }
    played.map_err(describe)?;
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
