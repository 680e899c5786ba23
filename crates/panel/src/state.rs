//! What the pages show.

use mood_schema::{Affect, Classification, Emotion, Mood, Rect};
use serde::Serialize;

/// Whether camera and music run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaybackStatus {
    /// Camera and music run.
    Playing,
    /// Both are paused.
    Paused,
    /// Both are stopped.
    #[default]
    Stopped,
    /// The session is over.
    Ended,
}

/// The state of a session. Everything that changes with each frame is in [`FaceView`] instead.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct State {
    /// Whether camera and music run.
    pub status: PlaybackStatus,
    /// Whether the music is kept as it is.
    pub is_held: bool,
    /// Linear gain, 0 to 1.
    pub volume: f64,
    /// The mood that the music follows.
    pub mood: MoodView,
    /// The nick of the strategy.
    pub strategy: String,
    /// The nicks of all strategies.
    pub strategies: Vec<String>,
    /// Where `target` and `iso` lead.
    pub target: Affect,
    /// What the music is asked to express now; `None` in silence.
    pub requested: Option<Affect>,
    /// The largest step that `iso` takes at once, in the plane of valence and arousal.
    pub step_length: f64,
    /// How long a step takes at least, seconds.
    pub step_seconds: f64,
    /// Whose face counts: `largest`, `mean` or `id:N`.
    pub subject: String,
    /// Limit on the time in negative moods, seconds; 0 for none.
    pub negative_limit: u32,
    /// When the mood became negative.
    pub negative_since: Option<f64>,
    /// What plays; `None` in silence.
    pub track: Option<TrackView>,
    /// What would come next.
    pub next: Option<NextTrackView>,
    /// The time from which the music may follow another mood; `None` where nothing prevents it.
    pub switch_allowed_at: Option<f64>,
    /// Why the music does not follow what is seen now, in words; `None` where it does.
    pub held_back: Option<String>,
    /// The latest markers, oldest first.
    pub markers: Vec<MarkerView>,
    /// Texts of the markers that have a key.
    pub marker_keys: Vec<String>,
    /// What [`crate::Command::Undo`] would take back.
    pub undo: Option<String>,
    /// Whether the camera's picture is shown.
    pub shows_picture: bool,
    /// Width of the camera's picture divided by its height; 0 where it is not known.
    pub aspect_ratio: f64,
    /// Whether the client's screen shows what plays.
    pub shows_title_on_screen: bool,
    /// What is recorded, in words; `None` where nothing is.
    pub recording: Option<String>,
    /// The latest thing to be read once, such as why a command had no effect.
    pub notice: Option<Notice>,
}

/// The mood that the music follows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MoodView {
    /// The mood.
    pub mood: Mood,
    /// How sure the player is of it, 0-1; `None` before the first mood.
    pub confidence: Option<f64>,
    /// The mood that a therapist has set, if one is.
    pub manual: Option<Emotion>,
}

impl Default for MoodView {
    fn default() -> Self {
        Self { mood: Mood::Absent, confidence: None, manual: None }
    }
}

/// The track that plays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TrackView {
    /// Counts the tracks of the session, from 1.
    pub number: u64,
    /// Its title or file name.
    pub title: String,
    /// Its artist; may be empty.
    pub artist: String,
    /// Why it was chosen.
    pub reason: String,
    /// When it began.
    pub started_at: f64,
    /// How long it sounds, seconds, where that is known.
    pub duration: Option<f64>,
    /// -2 to 2; 0 without a rating.
    pub rating: i32,
    /// Whether there is a track before it to go back to.
    pub has_previous: bool,
}

/// The track that would come next.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NextTrackView {
    /// Its title or file name.
    pub title: String,
    /// Why.
    pub reason: String,
}

/// A marked moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarkerView {
    /// Counts the markers of the session, from 1.
    pub number: u64,
    /// The moment.
    pub time: f64,
    /// What happened.
    pub text: String,
}

/// A text to be read once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// Differs from the number before where the text is new.
    pub number: u64,
    /// The text.
    pub text: String,
}

/// A face of the latest frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaceView {
    /// Track id.
    pub id: u32,
    /// The face's box, shares of the frame.
    #[serde(rename = "box")]
    pub bbox: Rect,
    /// Whether the music follows it.
    pub is_followed: bool,
    /// `None` where no classifier has processed the face.
    #[serde(flatten)]
    pub classification: Option<Classification>,
}

/// What the client's screen shows. It holds nothing else, so that nothing else can reach that screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScreenContent {
    /// Title of the track that plays; empty where nothing is to be shown.
    pub title: String,
    /// Its artist; may be empty.
    pub artist: String,
}

impl ScreenContent {
    /// What of `state` is for the client.
    pub fn from_state(state: &State) -> Self {
        let track = state.track.as_ref().filter(|_| state.shows_title_on_screen);
        let playing = track.filter(|_| state.status == PlaybackStatus::Playing);
        playing
            .map(|track| Self { title: track.title.clone(), artist: track.artist.clone() })
            .unwrap_or_default()
    }
}
