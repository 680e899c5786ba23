//! The panel of a live session: translates between the session's control and the pages of the crate `panel`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gst::prelude::*;
use mood::{Restraint, STEP_LENGTH, Strategy, Subject};
use mood_meta::lock;
use mood_schema::{Affect, Classification, Emotion, Face, Label, Mood};
use panel::{
    Command, FaceView, MarkerView, MoodView, NextTrackView, Notice, Options, Panel, PanelError, Refusal,
    SpanKind, State, TrackView,
};

use super::arguments::SessionArguments;
use super::control::{MoodState, PlaybackStatus, SessionCommand, SessionControl, SessionState, TrackStatus};
use super::session::LiveSession;
use crate::error::CommandError;

/// The shortest time between two updates of the pages.
const UPDATE_INTERVAL: Duration = Duration::from_millis(20);
/// How soon what a page has changed in the panel itself is shown.
const SETTINGS_INTERVAL: Duration = Duration::from_millis(100);
/// How long pages that are open have to learn that the session has ended.
const END_INTERVAL: Duration = Duration::from_millis(200);
/// A time that is computed from a moving one counts as the same within this, seconds.
const TIME_TOLERANCE: f64 = 0.3;
/// How many markers the pages show.
const MARKERS_SHOWN: usize = 100;
/// The time between two pictures of the camera.
const PICTURE_INTERVAL: Duration = Duration::from_millis(200);
/// Width of the camera's picture on the panel, px.
const PICTURE_WIDTH: i32 = 480;
/// How long a picture may take to be encoded.
const PICTURE_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(2);
/// The texts on the keys before a therapist changes them.
const MARKER_KEYS: [&str; 6] = ["verbalises", "plays along", "sings along", "moves", "looks away", "rests"];

/// What the pages change that is not the session's.
#[derive(Clone, Debug)]
struct PanelSettings {
    marker_keys: Vec<String>,
    shows_picture: bool,
    shows_title_on_screen: bool,
}

/// What the threads share.
struct Shared {
    control: SessionControl,
    settings: Mutex<PanelSettings>,
    /// What is kept of the session, for the therapist.
    recording: &'static str,
    /// [`TrackView::number`] of the track that plays.
    track_number: AtomicU64,
}

/// A running panel. It ends with the session, or when the value is dropped.
pub struct LivePanel {
    is_dropped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LivePanel {
    /// Starts the panel if it is asked for, and prints its links. `records_video` is for what it says about that.
    pub fn start(
        arguments: &SessionArguments,
        session: &LiveSession,
        records_video: bool,
    ) -> Result<Option<Self>, CommandError> {
        let Some(address) = arguments.panel.panel else { return Ok(None) };
        let shared = Arc::new(Shared {
            control: session.control(),
            settings: Mutex::new(PanelSettings {
                marker_keys: MARKER_KEYS.map(String::from).into(),
                shows_picture: false,
                shows_title_on_screen: true,
            }),
            recording: describe_recording(arguments.output.is_some(), records_video),
            track_number: AtomicU64::new(0),
        });
        let (origin, pad) = (session.origin(), session.frame_pad()?);
        let options = Options { address, allows_network: arguments.panel.panel_anyone, origin };
        let handler = Arc::clone(&shared);
        let panel = Panel::start(&options, Box::new(move |command| handler.handle(command)));
        let panel = Arc::new(panel.map_err(to_command_error)?);
        if !address.ip().is_loopback() {
            eprintln!(
                "gst-mood: warning: other machines can reach the panel, and nothing that it sends is encrypted: whoever can \
                 read along in this network sees the session, and can steer it"
            );
        }
        let lines =
            [format!("panel: {}", panel.links().panel), format!("client's screen: {}", panel.links().screen)];
        // Standard output is for JSON then.
        if arguments.json {
            lines.iter().for_each(|line| eprintln!("{line}"));
        } else {
            lines.iter().for_each(|line| println!("{line}"));
        }
        watch_pictures(&pad, &panel, &shared)?;
        let is_dropped = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&is_dropped);
        let thread = thread::Builder::new()
            .name("panel-state".into())
            .spawn(move || update_pages(&panel, &shared, &pad, origin, &is_over))
            .map_err(CommandError::thread)?;
        Ok(Some(Self { is_dropped, thread: Some(thread) }))
    }
}

impl Drop for LivePanel {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is kept of a session, for the therapist.
fn describe_recording(keeps_record: bool, records_video: bool) -> &'static str {
    match (keeps_record, records_video) {
        (true, true) => "Picture and sound are recorded",
        (true, false) => "Moods and markers are kept, no picture",
        (false, _) => "Nothing is kept",
    }
}

/// The error of the command for one of the panel.
fn to_command_error(error: PanelError) -> CommandError {
    match error {
        PanelError::Network(_) => {
            CommandError::Usage(format!("--panel: {error}; --panel-anyone allows it all the same"))
        }
        PanelError::Bind(..) => CommandError::Failed(format!("--panel: {error}")),
        PanelError::Random(_) | PanelError::Thread(_) => CommandError::Failed(error.to_string()),
    }
}

impl Shared {
    /// Carries out a command of a page.
    fn handle(&self, command: Command) -> Result<(), Refusal> {
        let refuse = |text: &str| Err(Refusal(text.to_owned()));
        let send = |command| self.control.send(command).map_err(|error| Refusal(error.to_string()));
        let send_for_track = |track: u64, command| {
            if track != self.track_number.load(Ordering::Relaxed) {
                return refuse("Another piece plays by now.");
            }
            send(command)
        };
        match command {
            Command::Play => send(SessionCommand::Play),
            Command::Pause => send(SessionCommand::Pause),
            Command::Stop => send(SessionCommand::Stop),
            Command::Hold { on } => send(SessionCommand::HoldMusic { on }),
            Command::Skip { track } => send_for_track(track, SessionCommand::Skip),
            Command::Previous { track } => send_for_track(track, SessionCommand::Previous),
            Command::Like { track } => send_for_track(track, SessionCommand::Like),
            Command::Dislike { track } => send_for_track(track, SessionCommand::Dislike),
            Command::Exclude { track } => send_for_track(track, SessionCommand::Exclude),
            Command::Volume { volume } => send(SessionCommand::SetVolume { volume }),
            Command::Mood { mood } => send(SessionCommand::SetMood { mood }),
            Command::Strategy { strategy, target } => {
                let Ok(strategy) = strategy.parse::<Strategy>() else {
                    return refuse("There is no such strategy.");
                };
                if let Some([valence, arousal]) = target {
                    send(SessionCommand::SetTarget { valence, arousal })?;
                }
                send(SessionCommand::SetStrategy { strategy })
            }
            Command::Target { valence, arousal } => send(SessionCommand::SetTarget { valence, arousal }),
            Command::NegativeLimit { seconds } => {
                send(SessionCommand::SetMaxNegativeTime { seconds: seconds.into() })
            }
            Command::Subject { subject } => match subject.parse::<Subject>() {
                Ok(subject) => send(SessionCommand::SetSubject { subject }),
                Err(error) => refuse(&error.to_string()),
            },
            Command::Mark { text, ago } => send(SessionCommand::AddMarker { text, ago }),
            Command::Undo => send(SessionCommand::Undo),
            Command::MarkerKeys { keys } => {
                lock(&self.settings).marker_keys = keys;
                Ok(())
            }
            Command::Picture { on } => {
                lock(&self.settings).shows_picture = on;
                Ok(())
            }
            Command::Screen { on } => {
                lock(&self.settings).shows_title_on_screen = on;
                Ok(())
            }
        }
    }
}

/// Keeps the pages up to date until the session ends.
fn update_pages(panel: &Panel, shared: &Shared, pad: &gst::Pad, origin: Instant, is_over: &AtomicBool) {
    let mut view = SessionView::default();
    let mut version = 0;
    loop {
        let state = shared.control.wait_for_change(version, SETTINGS_INTERVAL);
        version = state.version;
        let now = origin.elapsed().as_secs_f64();
        let has_ended = state.has_ended || is_over.load(Ordering::Relaxed);
        for (kind, text, mood) in view.update(&state, now) {
            panel.add_span(kind, now, text, mood);
        }
        shared.track_number.store(view.track_number, Ordering::Relaxed);
        let settings = lock(&shared.settings).clone();
        let mut shown = view.show(&state, settings, aspect_ratio(pad));
        shown.recording = Some(shared.recording.into());
        if has_ended {
            shown.status = panel::PlaybackStatus::Ended;
        }
        panel.set_state(&shown);
        if view.is_new_frame(&state) {
            let faces: Vec<_> = state.faces.iter().map(|face| show_face(face, &state)).collect();
            panel.set_faces(seconds(state.time), &faces, classify_subject(&state).as_ref());
        }
        if has_ended {
            thread::sleep(END_INTERVAL);
            return;
        }
        thread::sleep(UPDATE_INTERVAL);
    }
}

/// A time of the session's clock, ns, in seconds.
fn seconds(time: u64) -> f64 {
    time as f64 / 1e9
}

/// Width of the camera's picture divided by its height; 0 where it is not known.
fn aspect_ratio(pad: &gst::Pad) -> f64 {
    let info = pad.current_caps().and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok());
    let shape = |info: gst_video::VideoInfo| {
        let pixel = info.par();
        let pixel = f64::from(pixel.numer()) / f64::from(pixel.denom().max(1));
        f64::from(info.width()) * pixel / f64::from(info.height().max(1))
    };
    info.map_or(0.0, shape)
}

/// What the panel remembers of the session's past.
#[derive(Debug, Default)]
struct SessionView {
    mood: Option<Mood>,
    /// Address of the track that plays; empty in silence.
    uri: String,
    track_number: u64,
    /// How much of it has been played, seconds.
    position: f64,
    started_at: f64,
    switch_allowed_at: Option<f64>,
    negative_since: Option<f64>,
    frame_time: u64,
    warning: Option<String>,
    warnings: u64,
}

impl SessionView {
    /// Follows the session to `now`, seconds; the moods and tracks that begin.
    fn update(&mut self, state: &SessionState, now: f64) -> Vec<(SpanKind, String, Mood)> {
        let mut begun = Vec::new();
        let mood = state.mood.mood;
        if self.mood != Some(mood) {
            self.mood = Some(mood);
            begun.push((SpanKind::Mood, mood.to_string(), mood));
        }
        match mood {
            Mood::Known(emotion) if Affect::from_emotion(emotion).valence < 0.0 => {
                self.negative_since.get_or_insert(now);
            }
            Mood::Known(_) => self.negative_since = None,
            // As for the safety limit: there is no sign that a negative mood has ended.
            Mood::Uncertain | Mood::Absent => {}
        }
        let uri = state.playing.as_ref().map(|track| track.uri.as_str()).unwrap_or_default();
        let position = state.playing.as_ref().map_or(0.0, |track| seconds(track.position));
        let started_at = now - position;
        // A piece that is played again begins at its beginning.
        let is_new = uri != self.uri || position + 1.0 < self.position;
        self.position = position;
        if is_new {
            self.uri = uri.to_owned();
            self.track_number += u64::from(!uri.is_empty());
            let title = state.playing.as_ref().map(title).unwrap_or_default();
            let colour = state.playing.as_ref().and_then(|track| track.mood).unwrap_or(Mood::Uncertain);
            begun.push((SpanKind::Track, title, colour));
        }
        if is_new || (started_at - self.started_at).abs() > TIME_TOLERANCE {
            self.started_at = started_at;
        }
        let wait = seconds(state.mood.switch_allowed_in);
        let allowed_at = (wait > 0.0).then_some(now + wait);
        let is_same = |(a, b): (f64, f64)| (a - b).abs() <= TIME_TOLERANCE;
        if !self.switch_allowed_at.zip(allowed_at).is_some_and(is_same) {
            self.switch_allowed_at = allowed_at;
        }
        if state.warning != self.warning {
            self.warning.clone_from(&state.warning);
            self.warnings += 1;
        }
        begun
    }

    /// Whether there is a frame that this was not asked about before.
    fn is_new_frame(&mut self, state: &SessionState) -> bool {
        let is_new = state.time != self.frame_time;
        self.frame_time = state.time;
        // A session that has stopped shows no faces.
        is_new || state.faces.is_empty()
    }

    /// What the pages show.
    fn show(&self, state: &SessionState, settings: PanelSettings, aspect_ratio: f64) -> State {
        let SessionState { mood, settings: steering, .. } = state;
        let markers = &state.markers[state.markers.len().saturating_sub(MARKERS_SHOWN)..];
        let two_digits = |value: f64| (value * 100.0).round() / 100.0;
        State {
            status: match state.status {
                PlaybackStatus::Playing => panel::PlaybackStatus::Playing,
                PlaybackStatus::Paused => panel::PlaybackStatus::Paused,
                PlaybackStatus::Stopped => panel::PlaybackStatus::Stopped,
            },
            is_held: steering.hold_music,
            volume: steering.volume,
            mood: MoodView {
                mood: mood.mood,
                confidence: Some(two_digits(mood.confidence)),
                manual: steering.manual_mood,
            },
            strategy: steering.strategy.nick().into(),
            strategies: Strategy::ALL.iter().map(|strategy| strategy.nick().to_owned()).collect(),
            target: steering.target,
            requested: mood.requested,
            step_length: STEP_LENGTH,
            step_seconds: seconds(steering.min_dwell).max(1.0),
            subject: steering.subject.to_string(),
            negative_limit: seconds(steering.max_negative_time).round() as u32,
            negative_since: self.negative_since,
            track: state.playing.as_ref().map(|track| TrackView {
                number: self.track_number,
                title: title(track),
                artist: track.artist.clone(),
                reason: track.reason.clone(),
                started_at: self.started_at,
                duration: track.duration.map(seconds),
                rating: track.rating,
                has_previous: state.has_previous,
            }),
            next: state
                .next
                .as_ref()
                .map(|track| NextTrackView { title: title(track), reason: track.reason.clone() }),
            switch_allowed_at: self.switch_allowed_at,
            held_back: mood.held_back_by.map(|restraint| describe_restraint(restraint, mood)),
            markers: markers
                .iter()
                .map(|marker| MarkerView {
                    number: marker.id,
                    time: seconds(marker.time),
                    text: marker.text.clone(),
                })
                .collect(),
            marker_keys: settings.marker_keys,
            undo: state.undo.clone(),
            shows_picture: settings.shows_picture,
            aspect_ratio,
            shows_title_on_screen: settings.shows_title_on_screen,
            recording: None,
            notice: self.warning.clone().map(|text| Notice { number: self.warnings, text }),
        }
    }
}

/// The title of a track, or its file's name.
fn title(track: &TrackStatus) -> String {
    if !track.title.is_empty() {
        return track.title.clone();
    }
    let path = url::Url::parse(&track.uri).ok().and_then(|url| url.to_file_path().ok());
    let path = path.unwrap_or_else(|| track.uri.clone().into());
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What holds the music back, for the therapist.
fn describe_restraint(restraint: Restraint, mood: &MoodState) -> String {
    let candidate = mood.candidate;
    match restraint {
        Restraint::Manual => "You have set the mood.".into(),
        Restraint::HoldMusic => "You hold the music.".into(),
        Restraint::SafetyLimit => "The mood has been negative for long: the music leads out of it.".into(),
        Restraint::Absent => "No face that counts is found.".into(),
        Restraint::Uncertain => "The face cannot be read.".into(),
        Restraint::Confidence => {
            format!("Perhaps {candidate}, but only {:.0} % sure.", 100.0 * mood.candidate_confidence)
        }
        Restraint::HoldTime => format!("Now {candidate}, but not for long enough yet."),
        Restraint::MinDwell => format!("Now {candidate}, but the music changed a moment ago."),
    }
}

/// A face for the schematic.
fn show_face(face: &Face, state: &SessionState) -> FaceView {
    FaceView {
        id: face.id,
        bbox: face.bbox,
        is_followed: state.followed_face == Some(face.id)
            || (state.settings.subject == Subject::Mean && is_known(face)),
        classification: face.classification.clone(),
    }
}

/// Whether a face has a label that is not `uncertain`.
fn is_known(face: &Face) -> bool {
    face.classification.as_ref().is_some_and(|classification| classification.label != Label::Uncertain)
}

/// The classification of the subject: that of the face that is followed, or the mean of all.
fn classify_subject(state: &SessionState) -> Option<Classification> {
    if state.settings.subject != Subject::Mean {
        let face = state.faces.iter().find(|face| Some(face.id) == state.followed_face)?;
        return face.classification.clone();
    }
    let known: Vec<_> = state
        .faces
        .iter()
        .filter(|face| is_known(face))
        .filter_map(|face| face.classification.as_ref())
        .collect();
    let count = known.len() as f64;
    let mut probabilities = [0.0; 7];
    for classification in &known {
        let pairs = probabilities.iter_mut().zip(classification.probabilities);
        pairs.for_each(|(mean, probability)| *mean += probability / count);
    }
    let likeliest = (0..7).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))?;
    let emotion = Emotion::from_index(likeliest).filter(|_| !known.is_empty())?;
    Some(Classification {
        label: emotion.into(),
        confidence: probabilities[likeliest],
        probabilities,
        raw: None,
        affect: Affect::from_distribution(&probabilities),
    })
}

/// Gives the panel the camera's picture from the frames that pass `pad`, while it is switched on.
fn watch_pictures(pad: &gst::Pad, panel: &Arc<Panel>, shared: &Arc<Shared>) -> Result<(), CommandError> {
    // A frame that comes while another is encoded is left out.
    let (samples, received) = mpsc::sync_channel::<gst::Sample>(1);
    let encoder_panel = Arc::downgrade(panel);
    thread::Builder::new()
        .name("panel-picture".into())
        .spawn(move || {
            while let Ok(sample) = received.recv() {
                let Some(panel) = encoder_panel.upgrade() else { return };
                // A picture that cannot be encoded is left out; the schematic stays.
                if let Some(jpeg) = encode_picture(&sample) {
                    panel.set_picture(jpeg);
                }
            }
        })
        .map_err(CommandError::thread)?;
    let shared = Arc::downgrade(shared);
    let next = Mutex::new(Instant::now());
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(shared) = shared.upgrade() else { return gst::PadProbeReturn::Remove };
        let now = Instant::now();
        if lock(&shared.settings).shows_picture
            && now >= *lock(&next)
            && let (Some(buffer), Some(caps)) = (info.buffer(), pad.current_caps())
        {
            *lock(&next) = now + PICTURE_INTERVAL;
            let sample = gst::Sample::builder().buffer(buffer).caps(&caps).build();
            let _ = samples.try_send(sample);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// A frame as a small JPEG.
fn encode_picture(sample: &gst::Sample) -> Option<Vec<u8>> {
    let info = gst_video::VideoInfo::from_caps(sample.caps()?).ok()?;
    let height =
        (f64::from(PICTURE_WIDTH) * f64::from(info.height()) / f64::from(info.width().max(1))).round();
    let caps = gst::Caps::builder("image/jpeg")
        .field("width", PICTURE_WIDTH)
        .field("height", (height as i32).max(2))
        .build();
    let jpeg = gst_video::convert_sample(sample, &caps, Some(PICTURE_TIMEOUT)).ok()?;
    Some(jpeg.buffer()?.map_readable().ok()?.to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn playing(uri: &str, position: f64) -> SessionState {
        let track = TrackStatus {
            uri: uri.into(),
            position: (position * 1e9) as u64,
            mood: Some(Emotion::Sad.into()),
            ..TrackStatus::default()
        };
        let mut state = SessionState { playing: Some(track), ..SessionState::default() };
        state.mood.mood = Emotion::Sad.into();
        state
    }

    #[test]
    fn tracks_are_counted_also_when_one_is_played_again() {
        let mut view = SessionView::default();
        let mut numbers = Vec::new();
        for (now, uri, position) in [
            (1.0, "a", 0.1),
            (9.0, "a", 8.1),
            (10.0, "b", 0.0),
            (15.0, "b", 5.0),
            (16.0, "b", 0.2),
            (17.0, "b", 1.2),
        ] {
            view.update(&playing(uri, position), now);
            numbers.push(view.track_number);
        }
        assert_eq!(numbers, [1, 1, 2, 2, 3, 3]);
        assert!((view.started_at - 15.8).abs() < 0.01);
        assert_eq!(view.update(&SessionState::default(), 20.0).len(), 2, "another mood, and silence");
        assert_eq!(view.track_number, 3);
    }

    #[test]
    fn a_negative_mood_lasts_until_there_is_another_that_is_not() {
        let mut view = SessionView::default();
        view.update(&playing("a", 0.0), 5.0);
        for mood in [Mood::Uncertain, Mood::Absent, Emotion::Fear.into()] {
            let mut state = playing("a", 0.0);
            state.mood.mood = mood;
            view.update(&state, 9.0);
            assert_eq!(view.negative_since, Some(5.0), "{mood}");
        }
        let mut state = playing("a", 0.0);
        state.mood.mood = Emotion::Neutral.into();
        view.update(&state, 10.0);
        assert_eq!(view.negative_since, None);
    }

    #[test]
    fn a_page_gets_the_latest_markers_and_a_title_for_every_track() {
        let mut view = SessionView::default();
        let mut state = playing("file:///music/Slow%20air.flac", 3.0);
        let marker = |id| super::super::control::Marker { id, time: id * 1_000_000_000, text: "x".into() };
        state.markers = (1..=500).map(marker).collect();
        view.update(&state, 7.0);
        let settings =
            PanelSettings { marker_keys: Vec::new(), shows_picture: false, shows_title_on_screen: true };
        let shown = view.show(&state, settings, 1.5);
        assert_eq!((shown.markers.len(), shown.markers[99].number), (MARKERS_SHOWN, 500));
        let track = shown.track.unwrap();
        assert_eq!((track.title.as_str(), track.number, track.started_at), ("Slow air", 1, 4.0));
    }
}
