//! Animated images as videos: their frames, decoded by the crate `image`, are pushed into a pipeline.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use gst::prelude::*;
use image::ImageResult;
use mood_meta::lock;
use session::{Warning, WarningKind};

use crate::error::CommandError;
use crate::media_kind::open_animation;
use crate::pipeline;

/// The element that takes the frames, in gst-launch's notation.
pub const SOURCE: &str = "appsrc name=animation format=time block=true max-buffers=4";

/// Browsers show frames with a shorter duration, in milliseconds, as long as [`DEFAULT_DURATION`]: most state none.
const MIN_DURATION: u64 = 20;
/// How long a frame without a duration is shown, ms.
const DEFAULT_DURATION: u64 = 100;

/// What became of an animation.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Number of frames without a duration.
    untimed: u64,
    /// Number of frames.
    frames: u64,
    /// Why the rest of it cannot be decoded.
    error: Option<String>,
}

impl Outcome {
    /// What there is to say about the durations.
    pub fn warnings(&self) -> Vec<Warning> {
        let text = format!(
            "{} of its {} frames state no duration: a tenth of a second each is assumed, as browsers do",
            self.untimed, self.frames
        );
        let share = self.untimed as f64 / self.frames as f64;
        let warning = Warning {
            share: Some(share).filter(|share| *share < 1.0),
            ..Warning::new(WarningKind::TimesAssumed, text)
        };
        Vec::from_iter((self.untimed > 0).then_some(warning))
    }

    /// Fails if a part could not be decoded.
    pub fn check(&self) -> Result<(), CommandError> {
        match &self.error {
            Some(error) if self.frames > 0 => Err(CommandError::Failed(format!(
                "it is damaged behind image {}, the part before is done ({error})",
                self.frames
            ))),
            Some(error) => Err(CommandError::Failed(format!("it is damaged ({error})"))),
            None => Ok(()),
        }
    }
}

/// Makes the pipeline's source push the frames of the animation at `path`, once through, as soon as it plays.
pub fn feed(pipeline: &gst::Pipeline, path: &Path) -> Result<Arc<Mutex<Outcome>>, CommandError> {
    let source = pipeline::element(pipeline, "animation")?;
    let source = source
        .downcast::<gst_app::AppSrc>()
        .map_err(|_| CommandError::Failed("the source is of another type".into()))?;
    let (start, started) = mpsc::channel();
    source.set_callbacks(
        gst_app::AppSrcCallbacks::builder()
            .need_data(move |_, _| {
                // Only the first request counts: after it, pushing waits.
                let _ = start.send(());
            })
            .build(),
    );
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let (path, written) = (PathBuf::from(path), Arc::clone(&outcome));
    let weak_source = source.downgrade();
    thread::spawn(move || {
        // Fails for a pipeline that was never started.
        if started.recv().is_ok()
            && let Some(source) = weak_source.upgrade()
        {
            if let Err(error) = push_frames(&source, &path, &written) {
                lock(&written).error = Some(error.to_string());
            }
            // A pipeline that was stopped takes no end either.
            let _ = source.end_of_stream();
        }
    });
    Ok(outcome)
}

/// Pushes all frames, or those up to the end of the pipeline.
fn push_frames(source: &gst_app::AppSrc, path: &Path, outcome: &Mutex<Outcome>) -> ImageResult<()> {
    let mut time = 0;
    for frame in open_animation(path)? {
        let frame = frame?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let stated = u64::from(numerator) / u64::from(denominator.max(1));
        let is_untimed = stated < MIN_DURATION;
        let duration = gst::ClockTime::from_mseconds(if is_untimed { DEFAULT_DURATION } else { stated });
        let image = frame.into_buffer();
        let (width, height) = image.dimensions();
        // All frames of an animation have the size of the whole picture.
        if time == 0
            && let Ok(info) =
                gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgbx, width, height).build()
        {
            source.set_caps(info.to_caps().ok().as_ref());
        }
        let mut buffer = gst::Buffer::from_mut_slice(image.into_raw());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(time));
            buffer.set_duration(duration);
        }
        if source.push_buffer(buffer).is_err() {
            break;
        }
        time += duration.nseconds();
        let mut outcome = lock(outcome);
        outcome.frames += 1;
        outcome.untimed += u64::from(is_untimed);
    }
    Ok(())
}
