//! The element: properties, states and actions.
//!
//! Locks, never held while waiting for anything but [`MoodPlayer::changed`], nor while posting, notifying or pushing:
//! `settings`, `state`, `performance` and `playing`, taken one at a time. The task takes the performance out of its lock
//! and works on it alone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood_meta::lock;
use music_library::{Database, Library};
use playout::{Command, DecisionLog, ListenerRecord, ListenerRecordError, Performance};
use serde_json::{Map, Value};

use super::format::{self, SampleEncoding};
use super::input::Inputs;
use super::loader::Loader;
use super::settings::Settings;

pub(crate) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("moodplayer", gst::DebugColorFlags::empty(), Some("Music that follows a mood"))
});

/// What the threads share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) inputs: Inputs,
    /// Waiting must end, nothing may be pushed.
    pub(crate) flushing: bool,
    /// PLAYING.
    pub(crate) playing: bool,
    /// Time begins anew with the next segment.
    pub(crate) restart: bool,
    pub(crate) discont: bool,
    pub(crate) eos_requested: bool,
    pub(crate) settings_changed: bool,
    pub(crate) commands: Vec<Command>,
    /// Cameras gone since the last turn.
    pub(crate) removed: Vec<u32>,
    /// What the elements upstream say of themselves, for the log.
    pub(crate) upstream_settings: Map<String, Value>,
    /// How the source pad's caps want samples written.
    pub(crate) encoding: SampleEncoding,
    /// Where the audio is.
    pub(crate) stream_time: Option<gst::ClockTime>,
    /// What the task waits for.
    pub(crate) clock_wait: Option<gst::ClockId>,
    /// How downstream takes the audio: mood pads are told.
    pub(crate) flow: Result<(), gst::FlowError>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            inputs: Inputs::default(),
            flushing: true,
            playing: false,
            restart: false,
            discont: true,
            eos_requested: false,
            settings_changed: false,
            commands: Vec::new(),
            removed: Vec::new(),
            upstream_settings: Map::new(),
            encoding: SampleEncoding::default(),
            stream_time: None,
            clock_wait: None,
            flow: Ok(()),
        }
    }
}

#[derive(Debug, Default)]
struct Playing {
    mood: String,
    track: String,
}

pub struct MoodPlayer {
    pub(crate) src: gst::Pad,
    pub(crate) settings: Mutex<Settings>,
    pub(crate) state: Mutex<State>,
    /// Something in the state has changed.
    pub(crate) changed: Condvar,
    pub(crate) performance: Mutex<Option<Performance<Loader>>>,
    playing: Mutex<Playing>,
    /// Set while decoders must not be waited for.
    interrupt: Arc<AtomicBool>,
}

impl MoodPlayer {
    /// Ends all waiting and lets nothing through.
    pub fn interrupt(&self) {
        let mut state = lock(&self.state);
        state.flushing = true;
        if let Some(id) = &state.clock_wait {
            id.unschedule();
        }
        drop(state);
        self.interrupt.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Lets everything through again.
    pub fn resume(&self) {
        let mut state = lock(&self.state);
        (state.flushing, state.eos_requested, state.flow) = (false, false, Ok(()));
        drop(state);
        self.interrupt.store(false, Ordering::Release);
        self.changed.notify_all();
    }

    pub fn set_flow(&self, flow: Result<(), gst::FlowError>) {
        lock(&self.state).flow = flow;
        self.changed.notify_all();
    }

    /// Starts or goes on with the task.
    pub fn start_task(&self) -> Result<(), glib::BoolError> {
        let element = self.obj().downgrade();
        self.src.start_task(move || {
            let Some(element) = element.upgrade() else { return };
            let imp = element.imp();
            // A panic becomes an error message.
            imp.catch_panic(|| _ = imp.src.pause_task(), MoodPlayer::run_task_once);
        })
    }

    /// Publishes what is felt and what plays.
    pub fn publish_playing(&self, mood: String, track: String) {
        let (mood_changed, track_changed) = {
            let mut playing = lock(&self.playing);
            let changed = (playing.mood != mood, playing.track != track);
            *playing = Playing { mood, track };
            changed
        };
        if mood_changed {
            self.obj().notify("mood");
        }
        if track_changed {
            self.obj().notify("track");
        }
    }

    fn command(&self, command: Command) {
        lock(&self.state).commands.push(command);
    }

    /// Opens the library and the decision log. The error says what to do.
    fn open_performance(&self) -> Result<Performance<Loader>, gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let source = settings.library.as_deref().unwrap_or_default();
        let cannot_open =
            |error: &dyn std::fmt::Display| gst::error_msg!(gst::ResourceError::NotFound, ("{error}"));
        let opened = Library::open_with_database(source, &settings.client, settings.access());
        let (library, database) = opened.map_err(|error| cannot_open(&error))?;
        let listener = database.map(|database| self.open_listener(database, settings.client.clone()));
        let listener = listener.transpose().map_err(|error| cannot_open(&error))?;
        gst::info!(CAT, imp = self, "{} tracks, {} left out", library.tracks.len(), library.skipped.len());
        let log = settings.log_location.as_ref().map(|location| {
            let generator = concat!("moodplayer ", env!("CARGO_PKG_VERSION"));
            DecisionLog::create(Path::new(location), generator).map_err(|error| {
                gst::error_msg!(
                    gst::ResourceError::OpenWrite,
                    ("cannot write the decision log {location}: {error}; set log-location to a file that can be written")
                )
            })
        });
        let loader = Loader::new(settings.allow_network, self.interrupt.clone()).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::Failed,
                ("cannot start the thread that opens tracks: {error}")
            )
        })?;
        let log = log.transpose()?;
        let settings = settings
            .performance()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        Ok(Performance::new(library, &settings, log, listener, loader))
    }

    /// Opens the client's record in the library database.
    fn open_listener(
        &self,
        database: Database,
        client: String,
    ) -> Result<ListenerRecord, ListenerRecordError> {
        let element = self.obj().downgrade();
        ListenerRecord::new(database, client, move |error| {
            if let Some(element) = element.upgrade() {
                gst::element_warning!(
                    element,
                    gst::ResourceError::Write,
                    ("what is heard and rated is not all remembered: {error}")
                );
            }
        })
    }

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let performance = self.open_performance()?;
        self.publish_playing(performance.mood(), String::new());
        *lock(&self.performance) = Some(performance);
        let mut state = lock(&self.state);
        let pads: Vec<u32> = state.inputs.pads.keys().copied().collect();
        pads.into_iter().for_each(|pad| state.inputs.flush(pad));
        let inputs = std::mem::take(&mut state.inputs);
        *state = State { inputs, ..State::default() };
        Ok(())
    }

    fn stop(&self) {
        // Out of the lock first: closing waits for threads.
        let performance = lock(&self.performance).take();
        if let Some(mut performance) = performance {
            performance.finish();
            self.report(performance.take_events());
        }
        self.publish_playing(String::new(), String::new());
    }

    /// Whether any mood pad's source is live.
    pub fn is_upstream_live(&self) -> bool {
        let pads: Vec<gst::Pad> = lock(&self.state).inputs.linked().map(|input| input.pad.clone()).collect();
        pads.iter().any(|pad| {
            let mut query = gst::query::Latency::new();
            pad.peer_query(&mut query) && query.result().0
        })
    }
}

#[glib::object_subclass]
impl ObjectSubclass for MoodPlayer {
    const NAME: &'static str = "GstMoodPlayer";
    type Type = super::MoodPlayer;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        #[allow(clippy::expect_used, reason = "the class is given this template below")]
        let template = class.pad_template("src").expect("src template");
        let src = gst::Pad::builder_from_template(&template)
            .activatemode_function(|_, parent, mode, active| {
                let failed = || Err(gst::loggable_error!(CAT, "panicked"));
                Self::catch_panic_pad_function(parent, failed, |imp| imp.activate_src(mode, active))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.src_event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.src_query(pad, query))
            })
            .build();
        Self {
            src,
            settings: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
            performance: Mutex::new(None),
            playing: Mutex::default(),
            interrupt: Arc::default(),
        }
    }
}

impl ObjectImpl for MoodPlayer {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(Settings::properties);
        &PROPERTIES
    }

    fn signals() -> &'static [glib::subclass::Signal] {
        static SIGNALS: LazyLock<Vec<glib::subclass::Signal>> = LazyLock::new(|| {
            let action = |name: &str, command: fn(&[glib::Value]) -> Option<Command>| {
                glib::subclass::Signal::builder(name).run_last().action().class_handler(move |values| {
                    let element = values.first()?.get::<super::MoodPlayer>().ok()?;
                    element.imp().command(command(values)?);
                    None
                })
            };
            let rate = |values: &[glib::Value]| Some(Command::Rate(values.get(1)?.get().ok()?));
            vec![
                // Fades over to another track for the same mood.
                action("skip", |_| Some(Command::Skip)).build(),
                // Fades to silence; music returns with the next mood or skip.
                action("fade-out", |_| Some(Command::FadeOut)).build(),
                // The listener's word on the track that plays, -2 (never while anything else fits) to 2 (a favourite).
                action("rate", rate).param_types([i32::static_type()]).build(),
            ]
        });
        &SIGNALS
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = lock(&self.settings).set(pspec.name(), value);
        if let Err(error) = result {
            gst::error!(CAT, imp = self, "cannot set {}: {error}", pspec.name());
        }
        lock(&self.state).settings_changed = true;
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "mood" => lock(&self.playing).mood.to_value(),
            "track" => lock(&self.playing).track.to_value(),
            name => lock(&self.settings).get(name).unwrap_or_else(|| pspec.default_value().clone()),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        if let Err(error) = element.add_pad(&self.src) {
            gst::error!(CAT, imp = self, "{error}");
        }
        // Until a mood pad exists, this is where a stream begins.
        element.set_element_flags(gst::ElementFlags::SOURCE);
    }
}

impl GstObjectImpl for MoodPlayer {}

impl ElementImpl for MoodPlayer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Mood player",
                "Source/Audio",
                "Plays music that follows the mood seen by haarfacedetect and emotionclassify",
                mood_meta::AUTHOR,
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let any = gst::Caps::new_any();
            let audio = format::template_caps();
            let templates = [
                ("mood", gst::PadDirection::Sink, gst::PadPresence::Request, &any),
                ("mood_%u", gst::PadDirection::Sink, gst::PadPresence::Request, &any),
                ("src", gst::PadDirection::Src, gst::PadPresence::Always, &audio),
            ];
            let make = |(name, direction, presence, caps): (&str, _, _, _)| {
                gst::PadTemplate::new(name, direction, presence, caps).ok()
            };
            templates.into_iter().filter_map(make).collect()
        });
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        self.add_mood_pad(template, name)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        self.remove_mood_pad(pad);
    }

    fn send_event(&self, event: gst::Event) -> bool {
        if event.type_() != gst::EventType::Eos {
            return self.parent_send_event(event);
        }
        let mut state = lock(&self.state);
        state.eos_requested = true;
        if let Some(id) = &state.clock_wait {
            id.unschedule();
        }
        drop(state);
        self.changed.notify_all();
        true
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        use gst::StateChange::{PausedToPlaying, PausedToReady, PlayingToPaused, ReadyToPaused};
        match transition {
            ReadyToPaused => {
                if let Err(error) = self.start() {
                    self.post_error_message(error);
                    return Err(gst::StateChangeError);
                }
            }
            PlayingToPaused => {
                let mut state = lock(&self.state);
                state.playing = false;
                if let Some(id) = &state.clock_wait {
                    id.unschedule();
                }
            }
            PausedToReady => self.interrupt(),
            _ => {}
        }
        let changed = self.parent_change_state(transition);
        match transition {
            ReadyToPaused if changed.is_err() => {
                self.interrupt();
                self.stop();
            }
            PausedToPlaying => {
                lock(&self.state).playing = true;
                self.changed.notify_all();
            }
            PausedToReady => self.stop(),
            _ => {}
        }
        let success = changed?;
        // Live music comes only while the clock runs.
        let live = matches!(transition, ReadyToPaused | PlayingToPaused) && self.is_upstream_live();
        Ok(if live { gst::StateChangeSuccess::NoPreroll } else { success })
    }
}
