//! The element: properties, states and actions.
//!
//! # Locks
//!
//! `settings`, `state`, `performance`, `output` and `playing` are taken one at a time. Under that of `state`, the state
//! of a mood pad may be locked: always the element's first. None is held while a message is posted, a
//! property notified, or data or an event pushed, nor while waiting for anything but [`MoodPlayer::changed`].
//! The task takes performance and output out of their locks and works on them alone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood::InputId;
use mood_meta::{lock, property};
use music_library::{Database, Library};
use playout::{Command, DecisionLog, ListenerRecord, ListenerRecordError, Performance, PerformanceStatus};
use serde_json::{Map, Value};

use super::format;
use super::inputs::Inputs;
use super::loader::Loader;
use super::mood_pad::MoodPad;
use super::output::Output;
use super::settings::Settings;
use super::status;

pub(crate) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("moodplayer", gst::DebugColorFlags::empty(), Some("Music that follows a mood"))
});

/// What the threads of the pads, the task and the application share.
#[derive(Debug)]
pub(crate) struct State {
    /// The mood pads.
    pub inputs: Inputs,
    /// Nobody may wait or push: the element is being flushed or stopped.
    pub flushing: bool,
    /// The element is PLAYING.
    pub playing: bool,
    /// A flush has ended, so the audio begins again with the next segment.
    pub restart: bool,
    /// The next buffer is the first of its segment.
    pub discont: bool,
    /// The sequence number of an EOS event that the application has sent to the element.
    pub eos_requested: Option<gst::Seqnum>,
    /// A property was set since the task looked last.
    pub settings_changed: bool,
    /// Actions since the last block, the oldest first.
    pub commands: Vec<Command>,
    /// The inputs that were removed or unlinked since the last block.
    pub removed_inputs: Vec<InputId>,
    /// The settings of the elements upstream, by element, for the log.
    pub upstream_settings: Map<String, Value>,
    /// Downstream has taken audio: where it takes none any more, something else will.
    pub has_pushed: bool,
    /// The stream time of the next block.
    pub stream_time: Option<gst::ClockTime>,
    /// What the task waits for on the clock, for others to cut it short.
    pub clock_wait: Option<gst::ClockId>,
    /// What became of the last push downstream. Mood pads return an error here to their peers.
    pub flow: Result<(), gst::FlowError>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            inputs: Inputs::default(),
            flushing: true,
            playing: false,
            restart: false,
            discont: true,
            eos_requested: None,
            settings_changed: false,
            commands: Vec::new(),
            removed_inputs: Vec::new(),
            upstream_settings: Map::new(),
            has_pushed: false,
            stream_time: None,
            clock_wait: None,
            flow: Ok(()),
        }
    }
}

/// The values of the read-only properties.
#[derive(Debug, Default)]
struct Playing {
    mood: String,
    track: String,
    status: Option<PerformanceStatus>,
}

/// The element's implementation.
pub struct MoodPlayer {
    /// The source pad, whose task makes the audio.
    pub(crate) src: gst::Pad,
    /// The writable properties.
    pub(crate) settings: Mutex<Settings>,
    /// What the threads share.
    pub(crate) state: Mutex<State>,
    /// Notified when `state`, or that of a mood pad, has changed.
    pub(crate) changed: Condvar,
    /// What plays, from PAUSED on. `None` also while the task works on it.
    pub(crate) performance: Mutex<Option<Performance<Loader>>>,
    /// What the source pad gives, once a format is negotiated. `None` also while the task works on it.
    pub(crate) output: Mutex<Option<Output>>,
    playing: Mutex<Playing>,
    /// Set while the task must not wait for decoders.
    interrupt: Arc<AtomicBool>,
}

impl MoodPlayer {
    /// Ends all waits, and has what comes refused.
    pub(crate) fn interrupt(&self) {
        let mut state = lock(&self.state);
        state.flushing = true;
        if let Some(id) = &state.clock_wait {
            id.unschedule();
        }
        drop(state);
        self.interrupt.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Undoes [`Self::interrupt`].
    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        (state.flushing, state.eos_requested, state.flow) = (false, None, Ok(()));
        drop(state);
        self.interrupt.store(false, Ordering::Release);
        self.changed.notify_all();
    }

    /// Has all that wait look again. The lock is taken so that nobody who has just looked misses it.
    pub(crate) fn wake_all(&self) {
        drop(lock(&self.state));
        self.changed.notify_all();
    }

    /// Sets what the mood pads return to their peers.
    pub(crate) fn set_flow(&self, flow: Result<(), gst::FlowError>) {
        lock(&self.state).flow = flow;
        self.changed.notify_all();
    }

    /// Starts the task, or continues it where it is paused.
    pub(crate) fn start_task(&self) -> Result<(), glib::BoolError> {
        let element = self.obj().downgrade();
        self.src.start_task(move || {
            let Some(element) = element.upgrade() else { return };
            let imp = element.imp();
            // A panic is posted as an error message.
            imp.catch_panic(|| _ = imp.src.pause_task(), MoodPlayer::run_task_once);
        })
    }

    /// Sets the read-only properties and notifies those that change.
    pub(crate) fn publish_playing(&self, mood: String, track: String) {
        let (mood_changed, track_changed) = {
            let mut playing = lock(&self.playing);
            let changed = (playing.mood != mood, playing.track != track);
            (playing.mood, playing.track) = (mood, track);
            changed
        };
        if mood_changed {
            self.obj().notify("mood");
        }
        if track_changed {
            self.obj().notify("track");
        }
    }

    /// Sets the read-only property `status`.
    pub(crate) fn publish_status(&self, status: Option<PerformanceStatus>) {
        lock(&self.playing).status = status;
    }

    /// Queues a command, which the task executes with its next block.
    fn queue_command(&self, command: Command) {
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
        if let Some(first) = library.assumed.first() {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                (
                    "{} entries of the playlist were matched by their names only, such as {}: {}",
                    library.assumed.len(),
                    first.name,
                    first.reason
                )
            );
        }
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
        *lock(&self.output) = None;
        let mut state = lock(&self.state);
        state.inputs.flush();
        let inputs = std::mem::take(&mut state.inputs);
        *state = State { inputs, ..State::default() };
        Ok(())
    }

    fn stop(&self) {
        // Dropped without the lock, because that waits for threads.
        let performance = lock(&self.performance).take();
        if let Some(mut performance) = performance {
            performance.finish();
            self.report(performance.take_events());
        }
        self.publish_playing(String::new(), String::new());
        self.publish_status(None);
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
            output: Mutex::new(None),
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
                    element.imp().queue_command(command(values)?);
                    None
                })
            };
            let rate = |values: &[glib::Value]| Some(Command::Rate(values.get(1)?.get().ok()?));
            let rate_track = |values: &[glib::Value]| {
                Some(Command::RateTrack(values.get(1)?.get().ok()?, values.get(2)?.get().ok()?))
            };
            let exclude_track = |values: &[glib::Value]| {
                Some(Command::ExcludeTrack(values.get(1)?.get().ok()?, values.get(2)?.get().ok()?))
            };
            vec![
                action("skip", |_| Some(Command::Skip)).build(),
                action("fade-out", |_| Some(Command::FadeOut)).build(),
                action("rate", rate).param_types([i32::static_type()]).build(),
                action("previous", |_| Some(Command::Previous)).build(),
                action("rate-track", rate_track)
                    .param_types([String::static_type(), i32::static_type()])
                    .build(),
                action("exclude-track", exclude_track)
                    .param_types([String::static_type(), bool::static_type()])
                    .build(),
            ]
        });
        &SIGNALS
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        // Before start, a text that cannot be understood stays until start fails with it: nobody may watch the bus yet.
        let is_running = self.obj().current_state() > gst::State::Ready;
        let accepted = property::set(&*self.obj(), pspec, || {
            let mut settings = lock(&self.settings);
            let mut changed = settings.clone();
            changed.set(pspec.name(), value).map_err(|error| error.to_string())?;
            if is_running {
                changed.performance().map_err(|error| error.to_string())?;
            }
            *settings = changed;
            Ok::<(), String>(())
        });
        if accepted {
            lock(&self.state).settings_changed = true;
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "mood" => lock(&self.playing).mood.to_value(),
            "track" => lock(&self.playing).track.to_value(),
            "status" => {
                let status = lock(&self.playing).status.clone();
                status.as_ref().map(status::to_structure).to_value()
            }
            name => lock(&self.settings).get(name).unwrap_or_else(|| pspec.default_value().clone()),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        if let Err(error) = element.add_pad(&self.src) {
            gst::error!(CAT, imp = self, "{error}");
        }
        let weak = element.downgrade();
        self.src.connect_linked(move |_, _| {
            if let Some(element) = weak.upgrade() {
                element.imp().wake_all();
            }
        });
        // Without a mood pad, the element is a source.
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
                "Plays music that follows the mood of the faces in a video",
                mood_meta::AUTHOR,
            )
        });
        Some(&METADATA)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        self.parent_post_message(mood_meta::message::redact(message))
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let any = gst::Caps::new_any();
            let audio = format::template_caps();
            let mood_pad = |name| {
                let (direction, presence) = (gst::PadDirection::Sink, gst::PadPresence::Request);
                gst::PadTemplate::with_gtype(name, direction, presence, &any, MoodPad::static_type())
            };
            let templates = [
                mood_pad("mood"),
                mood_pad("mood_%u"),
                gst::PadTemplate::new("src", gst::PadDirection::Src, gst::PadPresence::Always, &audio),
            ];
            templates.into_iter().filter_map(Result::ok).collect()
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
        state.eos_requested = Some(event.seqnum());
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
        // Live audio is made only while the clock runs.
        let live = matches!(transition, ReadyToPaused | PlayingToPaused) && self.is_upstream_live();
        Ok(if live { gst::StateChangeSuccess::NoPreroll } else { success })
    }
}
