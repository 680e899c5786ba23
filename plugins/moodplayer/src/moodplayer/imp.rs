//! The element: properties, states and actions.
//!
//! Locks, never held while waiting for anything but [`MoodPlayer::changed`], nor while posting, notifying or pushing:
//! `settings`, `state`, `performance` and `playing`, taken one at a time. The task takes the performance out of its lock
//! and works on it alone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use gst::prelude::*;
use gst::subclass::prelude::*;
use music_library::{Database, Library};
use serde_json::{Map, Value};

use super::format;
use super::input::Inputs;
use super::loader::Loader;
use super::log::DecisionLog;
use super::memory::{self, Memory};
use super::performance::{Command, Performance};
use super::settings::{OnNoFace, Resume, Settings, Strategy, SwitchAt};

pub static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("moodplayer", gst::DebugColorFlags::empty(), Some("Music that follows a mood"))
});

/// Everything behind these locks is whole after every statement: a panic elsewhere leaves it usable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads share.
#[derive(Debug)]
pub struct State {
    pub inputs: Inputs,
    /// Waiting must end, nothing may be pushed.
    pub flushing: bool,
    /// PLAYING.
    pub playing: bool,
    /// Time begins anew with the next segment.
    pub restart: bool,
    pub discont: bool,
    pub eos_requested: bool,
    pub settings_changed: bool,
    pub commands: Vec<Command>,
    /// Cameras gone since the last turn.
    pub removed: Vec<u32>,
    /// What the elements upstream say of themselves, for the log.
    pub upstream_settings: Map<String, Value>,
    /// Where the audio is.
    pub stream_time: Option<gst::ClockTime>,
    /// What the task waits for.
    pub clock_wait: Option<gst::ClockId>,
    /// How downstream takes the audio: mood pads are told.
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
            eos_requested: false,
            settings_changed: false,
            commands: Vec::new(),
            removed: Vec::new(),
            upstream_settings: Map::new(),
            stream_time: None,
            clock_wait: None,
            flow: Ok(()),
        }
    }
}

#[derive(Debug, Default)]
pub struct Playing {
    mood: String,
    track: String,
}

pub struct MoodPlayer {
    pub src: gst::Pad,
    pub settings: Mutex<Settings>,
    pub state: Mutex<State>,
    /// Something in the state has changed.
    pub changed: Condvar,
    pub performance: Mutex<Option<Performance>>,
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
            imp.catch_panic(|| _ = imp.src.pause_task(), MoodPlayer::iterate);
        })
    }

    /// Publishes what is felt and what plays.
    pub fn set_playing(&self, mood: String, track: String) {
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

    /// Opens library and log; the error says what to do.
    fn prepare(&self) -> Result<Performance, gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let source = settings.library.as_deref().unwrap_or_default();
        let unreadable =
            |error: &dyn std::fmt::Display| gst::error_msg!(gst::ResourceError::NotFound, ("{error}"));
        let opened = Library::open_with_database(source, &settings.client, settings.access());
        let (library, database) = opened.map_err(|error| unreadable(&error))?;
        let memory = database.map(|database| self.memory(database, settings.client.clone()));
        let memory = memory.transpose().map_err(|error| unreadable(&error))?;
        gst::info!(CAT, imp = self, "{} tracks, {} left out", library.tracks.len(), library.skipped.len());
        let log = settings.log_location.as_ref().map(|location| {
            DecisionLog::create(Path::new(location)).map_err(|error| {
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
        Performance::new(library, &settings, log.transpose()?, memory, loader)
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))
    }

    fn memory(&self, database: Database, client: String) -> Result<Memory, memory::Unavailable> {
        let element = self.obj().downgrade();
        Memory::new(database, client, move |error| {
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
        let performance = self.prepare()?;
        self.set_playing(performance.mood(), String::new());
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
            performance.end();
            self.tell(performance.take_notices());
        }
        self.set_playing(String::new(), String::new());
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
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(properties);
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
        let mut settings = lock(&self.settings);
        // GObject has checked the type.
        let set = match pspec.name() {
            "library" => value.get().map(|value| settings.library = value),
            "client" => value.get::<Option<String>>().map(|value| {
                settings.client = value.unwrap_or_default();
            }),
            "strategy" => value.get().map(|value| settings.strategy = value),
            "target-valence" => value.get().map(|value| settings.target.valence = value),
            "target-arousal" => value.get().map(|value| settings.target.arousal = value),
            "subject" => value.get::<Option<String>>().map(|value| {
                settings.subject = value.unwrap_or_else(|| mood::Subject::default().to_string());
            }),
            "hold-time" => {
                value.get::<u64>().map(|value| settings.hold_time = gst::ClockTime::from_nseconds(value))
            }
            "min-dwell" => {
                value.get::<u64>().map(|value| settings.min_dwell = gst::ClockTime::from_nseconds(value))
            }
            "switch-at" => value.get().map(|value| settings.switch_at = value),
            "crossfade" => {
                value.get::<u64>().map(|value| settings.crossfade = gst::ClockTime::from_nseconds(value))
            }
            "target-lufs" => value.get().map(|value| settings.target_lufs = value),
            "resume" => value.get().map(|value| settings.resume = value),
            "no-repeat" => value.get().map(|value| settings.no_repeat = value),
            "on-no-face" => value.get().map(|value| settings.on_no_face = value),
            "manual-mood" => value.get::<Option<String>>().map(|value| {
                settings.manual_mood = value.unwrap_or_default();
            }),
            "max-negative-time" => value.get::<u64>().map(|value| {
                settings.max_negative_time = gst::ClockTime::from_nseconds(value);
            }),
            "allow-network" => value.get().map(|value| settings.allow_network = value),
            "allow-outside" => value.get().map(|value| settings.allow_outside = value),
            "seed" => value.get().map(|value| settings.seed = value),
            "log-location" => value.get().map(|value| settings.log_location = value),
            _ => Ok(()),
        };
        drop(settings);
        if let Err(error) = set {
            gst::error!(CAT, imp = self, "{}: {error}", pspec.name());
        }
        lock(&self.state).settings_changed = true;
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings).clone();
        match pspec.name() {
            "library" => settings.library.to_value(),
            "client" => settings.client.to_value(),
            "strategy" => settings.strategy.to_value(),
            "target-valence" => settings.target.valence.to_value(),
            "target-arousal" => settings.target.arousal.to_value(),
            "subject" => settings.subject.to_value(),
            "hold-time" => settings.hold_time.nseconds().to_value(),
            "min-dwell" => settings.min_dwell.nseconds().to_value(),
            "switch-at" => settings.switch_at.to_value(),
            "crossfade" => settings.crossfade.nseconds().to_value(),
            "target-lufs" => settings.target_lufs.to_value(),
            "resume" => settings.resume.to_value(),
            "no-repeat" => settings.no_repeat.to_value(),
            "on-no-face" => settings.on_no_face.to_value(),
            "manual-mood" => settings.manual_mood.to_value(),
            "max-negative-time" => settings.max_negative_time.nseconds().to_value(),
            "allow-network" => settings.allow_network.to_value(),
            "allow-outside" => settings.allow_outside.to_value(),
            "seed" => settings.seed.to_value(),
            "log-location" => settings.log_location.to_value(),
            "mood" => lock(&self.playing).mood.to_value(),
            "track" => lock(&self.playing).track.to_value(),
            _ => pspec.default_value().clone(),
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

fn properties() -> Vec<glib::ParamSpec> {
    let settings = Settings::default();
    let text = |name: &'static str, blurb: &'static str| glib::ParamSpecString::builder(name).blurb(blurb);
    let time = |name: &'static str, blurb: &'static str, default: gst::ClockTime| {
        glib::ParamSpecUInt64::builder(name)
            .blurb(blurb)
            .default_value(default.nseconds())
            .mutable_playing()
            .build()
    };
    let number = |name: &'static str, blurb: &'static str, range: (f64, f64), default: f64| {
        glib::ParamSpecDouble::builder(name)
            .blurb(blurb)
            .minimum(range.0)
            .maximum(range.1)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    vec![
        text("library", "A folder with music, a playlist (m3u8, xspf), or a library database")
            .mutable_ready()
            .build(),
        text(
            "client",
            "Whose ratings and exclusions in the database count and, with a live camera, whose history; empty: everybody's",
        )
        .default_value("")
        .mutable_ready()
        .build(),
        glib::ParamSpecEnum::builder_with_default("strategy", Strategy::default())
            .blurb("How the music relates to the mood")
            .mutable_playing()
            .build(),
        number(
            "target-valence",
            "Where target and iso lead: pleasantness",
            (-1.0, 1.0),
            settings.target.valence,
        ),
        number(
            "target-arousal",
            "Where target and iso lead: activation",
            (-1.0, 1.0),
            settings.target.arousal,
        ),
        text("subject", "Whose face counts: largest, mean, or id:N")
            .default_value("largest")
            .mutable_playing()
            .build(),
        time("hold-time", "A new mood must last this long, ns", settings.hold_time),
        time("min-dwell", "No two switches are closer than this, ns", settings.min_dwell),
        glib::ParamSpecEnum::builder_with_default("switch-at", SwitchAt::default())
            .blurb("When a changed mood changes the music")
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("crossfade")
            .blurb("How long two tracks overlap, with equal power, ns; 0 is gapless at a track's end")
            .maximum(gst::ClockTime::from_seconds(60).nseconds())
            .default_value(settings.crossfade.nseconds())
            .mutable_playing()
            .build(),
        number(
            "target-lufs",
            "Loudness of every track, true peak at most -1 dBTP; from the next track on",
            (-70.0, 0.0),
            settings.target_lufs,
        ),
        glib::ParamSpecEnum::builder_with_default("resume", Resume::default())
            .blurb("What a mood's track does when the mood returns")
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("no-repeat")
            .blurb("Tracks before one may return, as far as others fit")
            .default_value(settings.no_repeat)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("on-no-face", OnNoFace::default())
            .blurb("What happens while nobody is there")
            .mutable_playing()
            .build(),
        text(
            "manual-mood",
            "Overrides the camera: angry, disgust, fear, happy, sad, surprise or neutral; empty: off",
        )
        .default_value("")
        .mutable_playing()
        .build(),
        time(
            "max-negative-time",
            "After this long in negative valence, lead out, ns; 0 is never",
            settings.max_negative_time,
        ),
        glib::ParamSpecBoolean::builder("allow-network")
            .blurb("Whether playlists may lead to other machines")
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("allow-outside")
            .blurb("Whether playlists may lead to files outside their own folders")
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt64::builder("seed")
            .blurb("Decides between tracks that fit equally")
            .mutable_ready()
            .build(),
        text("log-location", "Where decisions and track events are written as JSON Lines")
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("mood").blurb("The mood held").read_only().build(),
        glib::ParamSpecString::builder("track")
            .blurb("The address of the track that plays")
            .read_only()
            .build(),
    ]
}

impl GstObjectImpl for MoodPlayer {}

impl ElementImpl for MoodPlayer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Mood player",
                "Source/Audio",
                "Plays music that follows the mood seen by haarfacedetect and emotionclassify",
                env!("CARGO_PKG_REPOSITORY"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let any = gst::Caps::new_any();
            let audio = format::template();
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
