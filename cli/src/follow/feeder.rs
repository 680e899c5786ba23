//! Gives a pipeline frames without pixels, with the faces of a source.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::source::FaceSource;
use crate::error::CommandError;
use crate::pipeline;

/// The name of the `appsrc` that is fed.
pub const FEED: &str = "feed";
/// The time between two frames: that of a camera with 25 frames a second.
const INTERVAL: Duration = Duration::from_millis(40);

/// A thread that feeds a pipeline as long as that plays. A pipeline that was stopped is fed from the beginning again.
pub struct Feeder {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Feeds the `appsrc` of a pipeline.
    pub fn start(pipeline: &gst::Pipeline, source: Box<dyn FaceSource>) -> Result<Self, CommandError> {
        let feed = pipeline::element(pipeline, FEED)?.downcast::<gst_app::AppSrc>();
        let feed = feed.map_err(|_| CommandError::Failed("the pipeline takes no frames".into()))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let thread = thread::Builder::new()
            .name("faces".into())
            .spawn(move || serve(&feed, source, &ends))
            .map_err(CommandError::thread)?;
        Ok(Self { is_over, thread: Some(thread) })
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(feed: &gst_app::AppSrc, mut source: Box<dyn FaceSource>, is_over: &AtomicBool) {
    // How long the pipeline has played since it was started.
    let mut elapsed = Duration::ZERO;
    let mut playing_since = None;
    let mut has_ended = false;
    while !is_over.load(Ordering::Relaxed) {
        match feed.current_state() {
            gst::State::Playing => {
                let since = *playing_since.get_or_insert_with(Instant::now);
                if !has_ended {
                    has_ended = !push(feed, source.faces(elapsed + since.elapsed()));
                }
            }
            state => {
                elapsed += playing_since.take().map_or(Duration::ZERO, |since: Instant| since.elapsed());
                if state != gst::State::Paused {
                    (elapsed, has_ended) = (Duration::ZERO, false);
                }
            }
        }
        thread::sleep(INTERVAL);
    }
}

/// Gives the pipeline a frame, or the end. Returns whether more can follow.
fn push(feed: &gst_app::AppSrc, frame: Option<mood_schema::Frame>) -> bool {
    let Some(frame) = frame else {
        // A pipeline that is being stopped needs no end.
        let _ = feed.end_of_stream();
        return false;
    };
    let mut buffer = gst::Buffer::new();
    // The meta was registered with the plugins.
    let written = buffer.get_mut().map(|buffer| mood_meta::frame::write(buffer, &frame));
    if matches!(written, Some(Ok(()))) {
        // It is refused while the pipeline is being stopped.
        let _ = feed.push_buffer(buffer);
    }
    true
}
