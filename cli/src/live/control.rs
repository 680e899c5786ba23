//! What a user interface needs of a running live session: commands to it, and its state.
//!
//! A [`SessionControl`] is cheap to clone and may be used on any thread, by any number of user interfaces at once.
//! Nothing in it waits for the session or for the audio:
//!
//! - [`SessionControl::send`] queues a [`SessionCommand`]; the session executes it within a few milliseconds, and
//!   the state shows what has become of it.
//! - [`SessionControl::state`] is the present [`SessionState`], a complete snapshot: a page that is loaded again, or
//!   a reader that was slow, misses nothing, and what waits for a reader never grows.
//! - [`SessionControl::wait_for_change`] waits for a newer one. The faces change with every frame, so that an
//!   interface that draws at most N times a second waits that long between two calls.
//! - [`SessionControl::history`] is the mood of the last ten minutes, one [`MoodSample`] a second.
//!
//! State, history and commands are serialized as JSON as `serde` does it here; `docs/timeline.md` explains what a
//! face and a mood have. Times are nanoseconds of the session's clock, which runs on while the session is stopped
//! and is that of the record.

use std::collections::VecDeque;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use mood::{Restraint, Strategy, Subject};
use mood_meta::lock;
use mood_schema::{Affect, Emotion, Face, Mood};
pub use playout::TrackStatus;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How far the history reaches back, ns: ten minutes.
const HISTORY_LENGTH: u64 = 600 * 1_000_000_000;
/// Time between two samples of the history, ns.
const HISTORY_INTERVAL: u64 = 1_000_000_000;

/// What a user asks a session for. As JSON, an object with the command's name in kebab case under `command`:
/// `{"command": "set-target", "valence": 0.5, "arousal": -0.3}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum SessionCommand {
    /// Start or go on.
    Play,
    /// Pause music and analysis, and keep the camera.
    Pause,
    /// Go on after a pause. A session that is stopped stays so.
    Resume,
    /// Pause if playing, else play.
    PlayPause,
    /// Stop and release the camera; [`Self::Play`] starts again.
    Stop,
    /// End the session.
    Quit,
    /// Change to another track for the same mood.
    Skip,
    /// Change back to the track that played before.
    Previous,
    /// Rate the track that plays: it is preferred from now on.
    Like,
    /// Rate the track that plays: it stays away from now on as long as another can be played. It plays on.
    Dislike,
    /// Change to another track and never play this one again, in this session and, with a library database, in the
    /// client's later ones.
    Exclude,
    /// Whether the music stays as it is whatever the mood; the safety limit still leads out of it.
    HoldMusic {
        /// Whether it stays.
        on: bool,
    },
    /// Set whether a track that ends is played again as long as the mood stays.
    SetLoopTrack {
        /// Whether it is.
        on: bool,
    },
    /// Set whether tracks that fit equally well come in random order, and not in the library's.
    SetShuffle {
        /// Whether they do.
        on: bool,
    },
    /// Set the volume.
    SetVolume {
        /// Linear gain, clamped to 0 to 1.
        volume: f64,
    },
    /// Override the mood that the camera shows.
    SetMood {
        /// The mood to follow; `None` follows the camera again.
        mood: Option<Emotion>,
    },
    /// Set how the music relates to the mood.
    SetStrategy {
        /// By its nick: `match`, `target`, `iso` or `hold`.
        #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
        strategy: Strategy,
    },
    /// Set where the strategies `target` and `iso` lead, each clamped to -1 to 1.
    SetTarget {
        /// Unpleasant to pleasant.
        valence: f64,
        /// Calm to activated.
        arousal: f64,
    },
    /// Set the safety limit: how long the mood may be negative before the music leads out of it.
    SetMaxNegativeTime {
        /// Seconds; 0 for no limit.
        seconds: f64,
    },
    /// Set whose face counts.
    SetSubject {
        /// `largest`, `mean`, or `id:N` with the id of a face; `id:N,M` with several of one person.
        #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
        subject: Subject,
    },
    /// Record that something happened.
    AddMarker {
        /// What happened, in the user's words. Line breaks become spaces; an empty text is ignored.
        text: String,
        /// How long ago, seconds: a text takes time to write.
        #[serde(default)]
        ago: f64,
    },
    /// Take back the latest command that [`SessionState::undo`] names.
    Undo,
}

/// Whether a session plays. The names are those of MPRIS's property `PlaybackStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybackStatus {
    /// Camera and music run.
    Playing,
    /// The pipeline is paused.
    Paused,
    /// The pipeline is stopped, and the camera free for other programs.
    #[default]
    Stopped,
}

/// Everything that a user interface shows, at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SessionState {
    /// Increases with every change.
    pub version: u64,
    /// Time of the newest frame, ns of the session's clock.
    pub time: u64,
    /// Whether it plays.
    pub status: PlaybackStatus,
    /// Whether the session is over: nothing will change any more.
    pub has_ended: bool,
    /// The faces of the newest frame, the largest first: ids, boxes, labels, as in a `frame` line of the timeline.
    pub faces: Vec<Face>,
    /// The id of the face that the music follows; `None` where none does, or the mean of all counts.
    pub followed_face: Option<u32>,
    /// The mood that the music follows, and what keeps it from changing.
    pub mood: MoodState,
    /// The track that plays.
    pub playing: Option<TrackStatus>,
    /// The track that follows it as things are.
    pub next: Option<TrackStatus>,
    /// Whether there is a track to go back to.
    pub has_previous: bool,
    /// The settings that commands change.
    pub settings: SteeringSettings,
    /// The markers that were set and not taken back, in the order of their times.
    pub markers: Vec<Marker>,
    /// What [`SessionCommand::Undo`] would take back, for the user: `skip`, `marker "laughs"`. `None` for nothing.
    pub undo: Option<String>,
    /// The latest thing that went wrong and did not end the session, for the user.
    pub warning: Option<String>,
}

/// The mood that the music follows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MoodState {
    /// The mood that is held: one of the seven emotions, `uncertain` or `absent`.
    pub mood: Mood,
    /// Its probability by what the camera shows, 0 to 1; 1 for a mood that was set by hand.
    pub confidence: f64,
    /// The most probable mood at present, which may follow.
    pub candidate: Mood,
    /// Its probability, 0 to 1.
    pub candidate_confidence: f64,
    /// How long until a change of the mood may change the music, ns; 0 where it may at once.
    pub switch_allowed_in: u64,
    /// What holds the music back at present, by its nick: `manual` (the mood is set by hand), `hold-music`,
    /// `safety-limit` (the music leads out of a negative mood), `absent` (no face that counts is found), `uncertain` (that
    /// face cannot be read), `confidence` (another mood is not probable enough), `hold-time` (another mood has not lasted long
    /// enough) or `min-dwell` (the music changed too lately). `None` where nothing does, or nothing is about to change.
    #[serde(serialize_with = "to_optional_text")]
    pub held_back_by: Option<Restraint>,
    /// Where the requested music is in the plane; `None` in silence. With the strategy `iso` this is the present step.
    pub requested: Option<Affect>,
}

impl Default for MoodState {
    fn default() -> Self {
        Self {
            mood: Mood::Absent,
            confidence: 0.0,
            candidate: Mood::Absent,
            candidate_confidence: 0.0,
            switch_allowed_in: 0,
            held_back_by: None,
            requested: None,
        }
    }
}

/// The settings that commands change, as they are now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SteeringSettings {
    /// How the music relates to the mood.
    #[serde(serialize_with = "to_text")]
    pub strategy: Strategy,
    /// Where `target` and `iso` lead.
    pub target: Affect,
    /// Whose face counts: `largest`, `mean` or `id:N`.
    #[serde(serialize_with = "to_text")]
    pub subject: Subject,
    /// The mood that was set by hand.
    pub manual_mood: Option<Emotion>,
    /// Whether the music is held.
    pub hold_music: bool,
    /// Whether a track that ends is played again.
    pub loop_track: bool,
    /// Whether tracks that fit equally well come in random order.
    pub shuffle: bool,
    /// Linear gain, 0 to 1.
    pub volume: f64,
    /// The safety limit, ns; 0 for none.
    pub max_negative_time: u64,
    /// Minimum time between two changes of the music's mood, and duration of a step with `iso`, ns.
    pub min_dwell: u64,
    /// How long another mood must last, ns.
    pub hold_time: u64,
}

impl Default for SteeringSettings {
    fn default() -> Self {
        let policy = mood::PolicySettings::default();
        Self {
            strategy: policy.strategy,
            target: policy.target,
            subject: policy.subject,
            manual_mood: None,
            hold_music: false,
            loop_track: false,
            shuffle: true,
            volume: 1.0,
            max_negative_time: policy.max_negative_time,
            min_dwell: policy.min_dwell,
            hold_time: policy.hold_time,
        }
    }
}

/// A moment that a user marked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Marker {
    /// Unique in the session, from 1.
    pub id: u64,
    /// When it was set, ns of the session's clock.
    pub time: u64,
    /// What happened, in the user's words.
    pub text: String,
}

/// The mood at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MoodSample {
    /// When, ns of the session's clock.
    pub time: u64,
    /// The mood that was held.
    pub mood: Mood,
    /// Its probability, 0 to 1.
    pub confidence: f64,
    /// Valence and arousal of the followed face; `None` where it was not found or not classified.
    pub affect: Option<Affect>,
}

/// The session has ended and takes no commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct SessionEnded;

/// A running session as user interfaces see it.
#[derive(Clone, Debug)]
pub struct SessionControl {
    shared: Arc<Shared>,
}

/// What the session and its user interfaces share.
#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<SessionCommand>,
    /// The bus that the session's thread waits at.
    bus: gst::Bus,
    published: Mutex<Published>,
    /// Notified when `published` has changed.
    changed: Condvar,
}

/// What user interfaces can read.
#[derive(Debug, Default)]
struct Published {
    state: Arc<SessionState>,
    history: VecDeque<MoodSample>,
}

impl SessionControl {
    /// A control for a session whose thread waits for messages at `bus`, and the commands for that thread.
    pub(super) fn new(bus: gst::Bus) -> (Self, mpsc::Receiver<SessionCommand>) {
        let (commands, received) = mpsc::channel();
        let shared = Shared { commands, bus, published: Mutex::default(), changed: Condvar::new() };
        (Self { shared: Arc::new(shared) }, received)
    }

    /// Queues a command.
    ///
    /// # Errors
    /// [`SessionEnded`] where nobody would execute it.
    pub fn send(&self, command: SessionCommand) -> Result<(), SessionEnded> {
        self.shared.commands.send(command).map_err(|_| SessionEnded)?;
        // Wakes the session's thread. A stopped pipeline's bus takes no messages; the thread looks soon anyway.
        let _ = self.shared.bus.post(gst::message::Application::new(gst::Structure::new_empty("command")));
        Ok(())
    }

    /// The present state.
    pub fn state(&self) -> Arc<SessionState> {
        lock(&self.shared.published).state.clone()
    }

    /// Waits until the state has a newer version than `version`, for `timeout` at most, and returns it. With the version
    /// of the state that was shown last, no change is missed.
    pub fn wait_for_change(&self, version: u64, timeout: Duration) -> Arc<SessionState> {
        let deadline = Instant::now() + timeout;
        let mut published = lock(&self.shared.published);
        while published.state.version <= version && !published.state.has_ended {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(published, remaining);
            (published, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        published.state.clone()
    }

    /// The mood of the last ten minutes after `time` (ns), the oldest first; with 0, all of it.
    #[allow(dead_code, reason = "for user interfaces beside MPRIS")]
    pub fn history(&self, time: u64) -> Vec<MoodSample> {
        let published = lock(&self.shared.published);
        published.history.iter().filter(|sample| time == 0 || sample.time > time).copied().collect()
    }

    /// Changes the state, and tells those who wait where it differs.
    pub fn update(&self, change: impl FnOnce(&mut SessionState)) {
        let mut published = lock(&self.shared.published);
        let before = published.state.clone();
        let state = Arc::make_mut(&mut published.state);
        change(state);
        if *state == *before {
            return;
        }
        state.version += 1;
        drop(published);
        self.shared.changed.notify_all();
    }

    /// Tells the user, on standard error and in the state, what went wrong and does not end the session.
    pub fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("gst-mood: warning: {text}");
        self.update(|state| state.warning = Some(text));
    }

    /// Adds a sample to the history, unless the last one is less than a second older.
    pub(super) fn record_mood(&self, sample: MoodSample) {
        let mut published = lock(&self.shared.published);
        let is_due = |last: &MoodSample| sample.time.saturating_sub(last.time) >= HISTORY_INTERVAL;
        if published.history.back().is_none_or(is_due) {
            published.history.push_back(sample);
        }
        let is_old = |first: &MoodSample| sample.time.saturating_sub(first.time) > HISTORY_LENGTH;
        while published.history.front().is_some_and(is_old) {
            published.history.pop_front();
        }
    }
}

/// Serializes a value by its name.
fn to_text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Serializes a value, if there is one, by its name.
fn to_optional_text<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

/// Deserializes a value by its name.
fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn control() -> (SessionControl, mpsc::Receiver<SessionCommand>) {
        gst::init().unwrap();
        SessionControl::new(gst::Bus::new())
    }

    #[test]
    fn commands_arrive_in_order_until_the_session_ends() {
        let (control, received) = control();
        control.send(SessionCommand::Skip).unwrap();
        control.clone().send(SessionCommand::Undo).unwrap();
        assert_eq!(received.try_iter().collect::<Vec<_>>(), [SessionCommand::Skip, SessionCommand::Undo]);
        drop(received);
        assert_eq!(control.send(SessionCommand::Skip), Err(SessionEnded));
    }

    #[test]
    fn commands_have_the_documented_json() {
        for (json, command) in [
            (r#"{"command":"play-pause"}"#, SessionCommand::PlayPause),
            (r#"{"command":"hold-music","on":true}"#, SessionCommand::HoldMusic { on: true }),
            (r#"{"command":"set-mood","mood":"sad"}"#, SessionCommand::SetMood { mood: Some(Emotion::Sad) }),
            (r#"{"command":"set-mood","mood":null}"#, SessionCommand::SetMood { mood: None }),
            (
                r#"{"command":"set-strategy","strategy":"iso"}"#,
                SessionCommand::SetStrategy { strategy: Strategy::Iso },
            ),
            (
                r#"{"command":"set-subject","subject":"id:3"}"#,
                SessionCommand::SetSubject { subject: Subject::Id(3) },
            ),
            (
                r#"{"command":"set-target","valence":0.5,"arousal":-0.25}"#,
                SessionCommand::SetTarget { valence: 0.5, arousal: -0.25 },
            ),
        ] {
            assert_eq!(serde_json::from_str::<SessionCommand>(json).unwrap(), command);
            assert_eq!(serde_json::to_string(&command).unwrap(), json);
        }
        for json in [r#"{"command":"set-subject","subject":"nobody"}"#, r#"{"command":"shout"}"#, "[]"] {
            assert!(serde_json::from_str::<SessionCommand>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_change_ends_the_wait_and_an_equal_state_does_not() {
        let (control, _received) = control();
        let before = control.state();
        control.update(|state| state.time = 0);
        assert_eq!(control.wait_for_change(before.version, Duration::ZERO), before);
        let waiting = control.clone();
        let waiter = std::thread::spawn(move || waiting.wait_for_change(0, Duration::from_secs(60)));
        control.update(|state| state.time = 7);
        assert_eq!(waiter.join().unwrap().time, 7);
        assert_eq!(before.time, 0, "a snapshot does not change");
        control.update(|state| state.has_ended = true);
        assert!(control.wait_for_change(u64::MAX, Duration::from_secs(60)).has_ended);
    }

    #[test]
    fn the_history_has_a_sample_a_second_and_ten_minutes() {
        let (control, _received) = control();
        let sample = |time| MoodSample { time, mood: Mood::Absent, confidence: 0.5, affect: None };
        for frame in 0..12 * 60 * 4 {
            control.record_mood(sample(frame * HISTORY_INTERVAL / 4));
        }
        let history = control.history(0);
        assert_eq!(history.len(), 600);
        assert_eq!(history[0].time, 120 * HISTORY_INTERVAL);
        assert_eq!(control.history(718 * HISTORY_INTERVAL), [sample(719 * HISTORY_INTERVAL)]);
    }
}
