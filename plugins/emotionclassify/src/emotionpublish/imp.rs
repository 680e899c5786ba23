//! The element `emotionpublish`: start and stop, and what it takes from buffers and events.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use mood_meta::filter::FrameTimes;
use mood_meta::wiring::WiringCheck;
use mood_meta::{event, filter, lock, property};
use mood_schema::Line;
use publish::{Notice, Publication, Publisher, Statistics, Tracker};

use super::settings::Settings;

/// How long stopping waits until a destination has taken what is queued.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// What exists between start and stop.
#[derive(Default)]
struct State {
    publishers: Vec<Publisher>,
    tracker: Tracker,
    times: FrameTimes,
    /// Width and height of the frame in pixels, which face regions need; `None` for streams that are not video.
    frame_size: Option<(u32, u32)>,
    wiring: WiringCheck,
}

/// The implementation of `emotionpublish`: its properties, and what exists while it runs.
///
/// Lock order: the two locks are never held together. Messages are posted only when no lock is held.
#[derive(Default)]
pub struct EmotionPublish {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
}

#[glib::object_subclass]
impl ObjectSubclass for EmotionPublish {
    const NAME: &'static str = "GstEmotionPublish";
    type Type = super::EmotionPublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for EmotionPublish {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::properties);
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        property::set(&*self.obj(), pspec, || lock(&self.settings).set(pspec.name(), value));
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let statistics = lock(&self.state).as_ref().map(State::statistics).unwrap_or_default();
            return gst::Structure::builder("stats")
                .field("sent", statistics.sent)
                .field("dropped", statistics.dropped)
                .build()
                .to_value();
        }
        lock(&self.settings).get(pspec.name()).unwrap_or_else(|| pspec.default_value().clone())
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_passthrough(true);
    }
}

impl GstObjectImpl for EmotionPublish {}

impl ElementImpl for EmotionPublish {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            filter::element_metadata(
                "Emotion publisher",
                "Filter/Analyzer/Video/Network",
                "Publishes moods, faces and tracks: MQTT with Home Assistant discovery, OSC, LabStreamingLayer, JSON Lines",
            )
        });
        Some(&METADATA)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        self.parent_post_message(mood_meta::message::redact(message))
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| filter::pad_templates(&gst::Caps::new_any()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for EmotionPublish {
    const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        if let Some(refusal) = settings.refusal {
            return Err(gst::error_msg!(gst::LibraryError::Settings, ("uri: {refusal}")));
        }
        if settings.destinations.is_empty() {
            return Err(gst::error_msg!(
                gst::ResourceError::NotFound,
                ("nowhere to publish to: set the property uri, to mqtt://localhost for example")
            ));
        }
        let publishers = settings.destinations.iter().map(|destination| {
            let element = self.obj().downgrade();
            Publisher::start(destination, settings.queue_size as usize, move |notice| {
                if let Some(element) = element.upgrade() {
                    post_notice(&element, &notice);
                }
            })
        });
        let publishers = publishers.collect::<Result<_, _>>().map_err(|error| {
            gst::error_msg!(gst::ResourceError::Failed, ("cannot start a thread to publish: {error}"))
        })?;
        *lock(&self.state) = Some(State { publishers, ..State::default() });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(state) = lock(&self.state).take() else { return Ok(()) };
        let statistics = total(state.publishers.into_iter().map(|publisher| publisher.stop(STOP_PATIENCE)));
        if statistics.dropped > 0 {
            let Statistics { sent, dropped } = statistics;
            gst::element_imp_info!(
                self,
                gst::ResourceError::Write,
                ("{dropped} publications were dropped while a destination was slow or gone; {sent} were published")
            );
        }
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        if let Some(state) = lock(&self.state).as_mut() {
            state.frame_size = filter::frame_size(incaps);
            state.times.set_caps(incaps);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.publish_player_line(&event);
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.publish_player_line(&event);
        self.parent_src_event(event)
    }

    fn transform_ip_passthrough(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let pacing = lock(&self.settings).pacing;
        let segment = self.obj().segment();
        let (faults, overflowing) = {
            let mut state = lock(&self.state);
            let Some(state) = state.as_mut() else { return Ok(gst::FlowSuccess::Ok) };
            let (pts, _) = state.times.observe(&segment, buffer);
            let (width, height) = state.frame_size.unwrap_or_default();
            let frame = mood_meta::read_faces(buffer, width, height);
            let faults = [state.wiring.observe_timestamp(buffer.pts()), state.wiring.observe(frame.as_ref())];
            let publications = frame.map(|frame| state.tracker.observe_frame(pacing, pts, frame));
            (faults, state.publish(publications.unwrap_or_default()))
        };
        self.post_overflows(&overflowing);
        for fault in faults.into_iter().flatten() {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{fault}"));
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl State {
    /// Queues publications for every destination; returns the destinations for which there was no place for the first time.
    #[must_use = "users are to be told"]
    fn publish(&self, publications: Vec<Publication>) -> Vec<String> {
        let mut overflowing = Vec::new();
        for publication in publications {
            for publisher in &self.publishers {
                if publisher.publish(publication.clone()) {
                    overflowing.push(publisher.name().to_string());
                }
            }
        }
        overflowing
    }

    fn statistics(&self) -> Statistics {
        total(self.publishers.iter().map(Publisher::statistics))
    }
}

impl EmotionPublish {
    /// Publishes what a player has decided or an application has marked, of either direction.
    fn publish_player_line(&self, event: &gst::EventRef) {
        let Some(line) = event::parse_player_line(event) else { return };
        if !matches!(line, Line::Mood(_) | Line::Track(_) | Line::Safety(_) | Line::Marker(_)) {
            return;
        }
        let overflowing = lock(&self.state).as_mut().map(|state| {
            let publications = state.tracker.observe_line(line);
            state.publish(publications)
        });
        self.post_overflows(&overflowing.unwrap_or_default());
    }

    /// Tells users which destinations lose publications. Call it without a lock.
    fn post_overflows(&self, destinations: &[String]) {
        for destination in destinations {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Write,
                ("{destination} is gone or too slow: the oldest publications are dropped; raise interval or queue-size")
            );
        }
    }
}

/// Tells users what a destination does. Called on its thread, without a lock.
fn post_notice(element: &super::EmotionPublish, notice: &Notice) {
    match notice {
        Notice::Failed(text) => gst::element_warning!(element, gst::ResourceError::Write, ("{text}")),
        Notice::Restored(text) => gst::element_info!(element, gst::ResourceError::Write, ("{text}")),
    }
}

fn total(statistics: impl Iterator<Item = Statistics>) -> Statistics {
    statistics.fold(Statistics::default(), |sum, one| Statistics {
        sent: sum.sent + one.sent,
        dropped: sum.dropped + one.dropped,
    })
}
