//! The whole chain of elements in this process, between a camera and a loudspeaker that a test controls: for tests of
//! what happens when either fails.
//!
//! Waits have no deadline of their own. The process that uses a [`Chain`] is started by a test with
//! [`crate::process::run`], which prints the stacks of its threads and kills it after a timeout; the last line of its
//! standard output says what it waited for.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gst::prelude::*;
use mood_demo::Actor;
use mood_schema::Emotion;

/// Frames a second of the camera.
pub const FRAME_RATE: u64 = 25;
/// Time between two frames of the camera.
pub const PERIOD: gst::ClockTime = gst::ClockTime::from_mseconds(1000 / FRAME_RATE);

/// Prints what happens next, flushed, so that it is the last line where the process hangs or aborts.
pub fn announce(step: &str) {
    println!("{step}");
    std::io::stdout().flush().unwrap();
}

/// A source of frames that show the smiling actor, pushed by the test.
#[derive(Debug)]
pub struct Camera {
    source: gst_app::AppSrc,
    frame: gst::Buffer,
    /// Timestamp of the next frame.
    pub next_pts: gst::ClockTime,
}

impl Camera {
    /// A camera with a frame size, not linked.
    pub fn new(is_live: bool, (width, height): (u32, u32)) -> Self {
        let caps = format!("video/x-raw,format=RGBA,width={width},height={height},framerate={FRAME_RATE}/1");
        let source = gst_app::AppSrc::builder()
            .format(gst::Format::Time)
            .is_live(is_live)
            .caps(&caps.parse().unwrap())
            .build();
        let actor = Actor::new(width, height).unwrap();
        let scene = actor.script().iter().find(|scene| scene.emotion == Emotion::Happy).unwrap();
        let frame = gst::Buffer::from_slice(actor.render((scene.start + scene.end) / 2));
        Self { source, frame, next_pts: gst::ClockTime::ZERO }
    }

    /// The element that pushes the frames.
    pub fn element(&self) -> &gst::Element {
        self.source.upcast_ref()
    }

    /// Pushes a frame with a timestamp of the test's choice. Whether it was taken.
    pub fn push_at(&self, pts: Option<gst::ClockTime>) -> bool {
        let mut buffer = self.frame.copy();
        let fields = buffer.make_mut();
        fields.set_pts(pts);
        fields.set_duration(PERIOD);
        self.source.push_buffer(buffer).is_ok()
    }

    /// Pushes frames with consecutive timestamps at once.
    pub fn push(&mut self, count: u64) {
        for _ in 0..count {
            self.push_at(Some(self.next_pts));
            self.next_pts += PERIOD;
        }
    }

    /// Pushes frames at their rate, as a camera does.
    pub fn film(&mut self, count: u64) {
        for _ in 0..count {
            self.push(1);
            thread::sleep(PERIOD.into());
        }
    }

    /// Ends the stream.
    pub fn end(&self) {
        let _ = self.source.end_of_stream();
    }

    /// Posts the error of a device that was unplugged, and ends the stream, as v4l2src does.
    pub fn fail(&self) {
        gst::element_error!(self.source, gst::ResourceError::Read, ("the camera is gone"));
        self.end();
    }
}

/// What has reached a sink.
#[derive(Debug, Default)]
pub struct SinkCounter {
    /// Buffers.
    pub buffers: AtomicU64,
    /// The sum of their durations, ns.
    pub duration: AtomicU64,
    /// Ends of the stream.
    pub ends: AtomicU64,
}

impl SinkCounter {
    /// Counts what passes a pad.
    pub fn watch(pad: &gst::Pad) -> Arc<Self> {
        let counter = Arc::new(Self::default());
        let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        let counted = Arc::clone(&counter);
        pad.add_probe(types, move |_, info| {
            if let Some(buffer) = info.buffer() {
                counted.buffers.fetch_add(1, Ordering::Relaxed);
                let duration = buffer.duration().map_or(0, gst::ClockTime::nseconds);
                counted.duration.fetch_add(duration, Ordering::Relaxed);
            } else if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
                counted.ends.fetch_add(1, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
        counter
    }

    /// The number of buffers.
    pub fn count(&self) -> u64 {
        self.buffers.load(Ordering::Relaxed)
    }

    /// The time that was played.
    pub fn played(&self) -> Duration {
        Duration::from_nanos(self.duration.load(Ordering::Relaxed))
    }

    /// Whether the stream has ended.
    pub fn has_ended(&self) -> bool {
        self.ends.load(Ordering::Relaxed) > 0
    }
}

/// What a chain is made with.
#[derive(Clone, Debug)]
pub struct ChainOptions<'a> {
    /// Whether the camera is live, so that the music runs on the pipeline's clock.
    pub is_live: bool,
    /// More properties of the log; it writes `timeline.jsonl` in the folder otherwise.
    pub log: &'a str,
    /// More properties of the player, whose library is `library` in the folder.
    pub player: &'a str,
    /// The loudspeaker in gst-launch's notation; its sink must be called `sound`.
    pub audio_sink: &'a str,
}

impl Default for ChainOptions<'_> {
    fn default() -> Self {
        Self {
            is_live: true,
            log: "",
            player: "crossfade=300000000 hold-time=200000000 min-dwell=500000000",
            // Without async, a flush does not bring the live pipeline back to PAUSED, where the camera gives nothing.
            audio_sink: "fakesink name=sound sync=false async=false",
        }
    }
}

/// What the chain's messages said.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// Texts of errors.
    pub errors: Vec<String>,
    /// Texts of warnings.
    pub warnings: Vec<String>,
    /// Names of element messages.
    pub names: BTreeSet<String>,
    /// Whether the pipeline has ended.
    pub has_ended: bool,
}

/// Camera, all elements, picture and sound.
#[derive(Debug)]
pub struct Chain {
    /// The pipeline.
    pub pipeline: gst::Pipeline,
    /// The camera.
    pub camera: Camera,
    /// The annotated frames.
    pub picture: Arc<SinkCounter>,
    /// The music.
    pub sound: Arc<SinkCounter>,
    messages: Arc<Mutex<Messages>>,
}

impl Chain {
    /// Builds a chain; `folder` has the music `library` and gets the log.
    pub fn new(folder: &Path, options: &ChainOptions) -> Self {
        let ChainOptions { log, player, audio_sink, .. } = options;
        let place = folder.display();
        let description = format!(
            "queue name=input max-size-buffers=4 ! haarfacedetect name=detector ! emotionclassify name=classifier
             ! emotionlog name=log location={place}/timeline.jsonl {log} ! emotionoverlay name=overlay ! tee name=frames
             frames. ! queue ! fakesink name=picture sync=false async=false
             frames. ! queue ! player.mood
             moodplayer name=player library={place}/library {player} ! {audio_sink}"
        );
        let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
        let camera = Camera::new(options.is_live, (160, 120));
        pipeline.add(camera.element()).unwrap();
        camera.element().link(&pipeline.by_name("input").unwrap()).unwrap();
        let counter =
            |name: &str| SinkCounter::watch(&pipeline.by_name(name).unwrap().static_pad("sink").unwrap());
        let (picture, sound) = (counter("picture"), counter("sound"));
        let messages = Arc::<Mutex<Messages>>::default();
        let received = Arc::clone(&messages);
        pipeline.bus().unwrap().set_sync_handler(move |_, message| {
            let mut messages = received.lock().unwrap_or_else(PoisonError::into_inner);
            match message.view() {
                gst::MessageView::Error(error) => messages.errors.push(error.error().to_string()),
                gst::MessageView::Warning(warning) => messages.warnings.push(warning.error().to_string()),
                gst::MessageView::Element(element) => {
                    messages.names.extend(element.structure().map(|structure| structure.name().to_string()));
                }
                gst::MessageView::Eos(_) => messages.has_ended = true,
                _ => {}
            }
            // Nobody takes messages from the bus.
            gst::BusSyncReply::Drop
        });
        Self { pipeline, camera, picture, sound, messages }
    }

    /// An element by its name.
    pub fn element(&self, name: &str) -> gst::Element {
        self.pipeline.by_name(name).unwrap_or_else(|| panic!("no element {name}"))
    }

    /// What the messages said until now.
    pub fn messages(&self) -> Messages {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the state PLAYING. An earlier end is forgotten.
    pub fn play(&self) {
        announce("set the state PLAYING");
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).has_ended = false;
        self.pipeline.set_state(gst::State::Playing).unwrap();
    }

    /// Waits until something has happened.
    pub fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        announce(&format!("wait for {what}"));
        while !condition(self) {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Films, and waits until the frames have been shown and music plays. Panics where an element reports an error.
    pub fn film(&mut self, count: u64) {
        announce(&format!("film {count} frames"));
        let (frames, played, errors) =
            (self.picture.count() + count, self.sound.played(), self.messages().errors.len());
        self.camera.film(count);
        self.wait("the frames and music", |chain| {
            let messages = chain.messages();
            assert_eq!(messages.errors.len(), errors, "{:?}", messages.errors);
            chain.picture.count() >= frames && chain.sound.played() > played
        });
    }

    /// Pauses the pipeline and plays again at once. Waits until the camera goes on, whose frames then have the pipeline's time.
    ///
    /// The camera's thread is held meanwhile where it gives a frame. GStreamer 1.26 interrupts a live source that waits for
    /// its next buffer when it pauses. If the source plays again before its thread has noticed, the thread takes that for a
    /// flush and pauses for good: without an error, the source gives nothing any more (1.26.2; 1.22 does not interrupt it).
    pub fn pause_and_play(&mut self) {
        announce("pause and play again");
        let pad = self.camera.element().static_pad("src").unwrap();
        let held = pad
            .add_probe(gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER, |_, _| gst::PadProbeReturn::Ok);
        let shown = self.picture.count();
        self.camera.push(1);
        self.wait("the camera's thread to be held", |_| pad.is_blocking());
        self.pipeline.set_state(gst::State::Paused).unwrap();
        self.pipeline.set_state(gst::State::Playing).unwrap();
        pad.remove_probe(held.unwrap());
        // Until its thread goes on, the camera refuses frames.
        self.wait("the camera to take a frame", |chain| {
            chain.camera.push_at(chain.pipeline.current_running_time())
        });
        self.wait("the frames before and after the pause", |chain| chain.picture.count() >= shown + 2);
        self.camera.next_pts = self.pipeline.current_running_time().unwrap_or_default();
    }

    /// Ends the camera, waits for the end of the pipeline and stops it.
    pub fn end(&self) {
        self.camera.end();
        self.wait("the end", |chain| chain.messages().has_ended);
        self.stop();
    }

    /// Sets the state NULL.
    pub fn stop(&self) {
        announce("set the state NULL");
        self.pipeline.set_state(gst::State::Null).unwrap();
        announce("stopped");
    }

    /// Asserts that no element reported an error.
    #[track_caller]
    pub fn assert_no_errors(&self) {
        let errors = self.messages().errors;
        assert!(errors.is_empty(), "{errors:?}");
    }
}

impl Drop for Chain {
    /// A pipeline may not be dropped while it plays.
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
