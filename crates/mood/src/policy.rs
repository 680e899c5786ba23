//! The policy: which music to ask for, from subject, held mood, strategy and safety limit together.

use std::collections::BTreeMap;
use std::fmt;

use mood_schema::{Affect, Emotion, Face, Frame, Mood};

use crate::hysteresis::{HeldMood, MoodChange};
use crate::nick::impl_nicks;
use crate::trajectory::AffectTrajectory;
use crate::{ConfusionMatrix, MoodFilter, OnNoFace, SECOND, Strategy, Subject};

/// The faces of a video input count no longer once its latest frame is this much older than the newest frame
/// of all inputs, ns.
const INPUT_TIMEOUT: u64 = SECOND;

/// Identifies one video input of a policy. The caller chooses the numbers; `moodplayer` uses 0 for its pad
/// `mood` and N + 1 for `mood_N`. Of equally large faces that of the input with the lowest number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputId(pub u32);

impl fmt::Display for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a user can set.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySettings {
    /// How the music relates to the mood.
    pub strategy: Strategy,
    /// The point that [`Strategy::Target`] and [`Strategy::Iso`] lead to, each coordinate -1 to 1. The
    /// safety limit leads there, too, unless its valence is negative. Default: valence 0.5, arousal -0.3
    /// (calm and pleasant).
    pub target: Affect,
    /// Which face counts.
    pub subject: Subject,
    /// How long another mood must be the most probable one before it is held, ns. Default: 2 s.
    pub hold_time: u64,
    /// Minimum time between two switches of the music's mood, ns, and minimum duration of a step towards a
    /// target. Default: 20 s.
    pub min_dwell: u64,
    /// Whether a step towards a target also lasts at least until the next [`Policy::record_track_start`].
    /// Default: no.
    pub step_once_per_track: bool,
    /// What is played while no face is found.
    pub on_no_face: OnNoFace,
    /// Safety limit: after this long in a mood of negative valence the music leads out of it, ns. 0, the
    /// default: never.
    pub max_negative_time: u64,
    /// Whether the request stays as it is whatever the mood, except beyond the safety limit. Default: no.
    pub hold_music: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            target: Affect { valence: 0.5, arousal: -0.3 },
            subject: Subject::default(),
            hold_time: 2 * SECOND,
            min_dwell: 20 * SECOND,
            step_once_per_track: false,
            on_no_face: OnNoFace::default(),
            max_negative_time: 0,
            hold_music: false,
        }
    }
}

/// What the requested music should express.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MusicTarget {
    /// The emotion, where the target is one and not just a point: a track tagged with that emotion
    /// fits better.
    pub emotion: Option<Emotion>,
    /// The point in the plane of valence and arousal, each -1 to 1.
    pub affect: Affect,
}

impl MusicTarget {
    /// Music that expresses an emotion.
    pub fn for_emotion(emotion: Emotion) -> Self {
        Self { emotion: Some(emotion), affect: Affect::from_emotion(emotion) }
    }

    /// Music for a point of the plane.
    pub fn for_affect(affect: Affect) -> Self {
        Self { emotion: None, affect }
    }
}

/// What should be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MusicRequest {
    /// No music.
    #[default]
    Silence,
    /// Music for this target.
    Music(MusicTarget),
}

/// A result of [`Policy::update`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PolicyEvent {
    /// The held mood has changed.
    MoodChanged(MoodChange),
    /// The requested music has changed.
    MusicRequested(MusicRequest),
    /// The mood has been negative for the maximum time; from now on the music leads out of it.
    SafetyLimitReached {
        /// When the mood became negative, ns.
        negative_since: u64,
    },
}

/// What keeps the music from following the mood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restraint {
    /// The mood is set by hand.
    Manual,
    /// [`PolicySettings::hold_music`].
    HoldMusic,
    /// The safety limit was reached: the music leads out of the negative mood.
    SafetyLimit,
    /// No face that counts is found.
    Absent,
    /// The face that counts cannot be read.
    Uncertain,
    /// Another mood is the most probable one, but not probable enough.
    Confidence,
    /// Another mood has not been the most probable one for [`PolicySettings::hold_time`] yet.
    HoldTime,
    /// The music's mood changed less than [`PolicySettings::min_dwell`] ago.
    MinDwell,
}

impl_nicks!(Restraint, "restraint", {
    Manual => "manual",
    HoldMusic => "hold-music",
    SafetyLimit => "safety-limit",
    Absent => "absent",
    Uncertain => "uncertain",
    Confidence => "confidence",
    HoldTime => "hold-time",
    MinDwell => "min-dwell",
});

/// How things are, for a user to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyStatus {
    /// The mood that is held.
    pub mood: Mood,
    /// Its probability given all frames so far, 0 to 1; 1 for a mood that was set by hand.
    pub confidence: f64,
    /// The most probable mood.
    pub candidate: Mood,
    /// Its probability, 0 to 1.
    pub candidate_confidence: f64,
    /// How long until the dwell time allows another mood of the music, ns; 0 where it does.
    pub switch_allowed_in: u64,
    /// What keeps the music from following the mood; `None` where nothing does.
    pub restraint: Option<Restraint>,
    /// What should be heard.
    pub request: MusicRequest,
}

/// Decides which music should be heard.
#[derive(Clone, Debug)]
pub struct Policy {
    settings: PolicySettings,
    filter: MoodFilter,
    held: HeldMood,
    /// Time (ns) and faces of each input's latest frame.
    latest_frames: BTreeMap<InputId, (u64, Vec<Face>)>,
    manual_emotion: Option<Emotion>,
    /// The emotion the music follows. It stays while the mood is uncertain or, with
    /// [`OnNoFace::Hold`], absent.
    followed: Option<Emotion>,
    /// The first emotion followed, which [`Strategy::Hold`] keeps.
    first_emotion: Option<Emotion>,
    /// When `followed` last changed from one mood to another, ns.
    last_switch: Option<u64>,
    /// The way to the target with [`Strategy::Iso`] or beyond the safety limit.
    trajectory: Option<AffectTrajectory>,
    /// When the held mood became negative, ns.
    negative_since: Option<u64>,
    /// Whether the safety limit has been reached in this negative mood.
    is_leading_out: bool,
    request: MusicRequest,
}

impl Policy {
    /// A policy for the classifier built into `emotionclassify`. It starts with the mood absent and
    /// with silence.
    pub fn new(settings: PolicySettings) -> Self {
        Self::with_confusion_matrix(settings, ConfusionMatrix::default())
    }

    /// A policy for a classifier with another confusion matrix.
    pub fn with_confusion_matrix(settings: PolicySettings, confusion: ConfusionMatrix) -> Self {
        Self {
            settings,
            filter: MoodFilter::new(confusion),
            held: HeldMood::default(),
            latest_frames: BTreeMap::new(),
            manual_emotion: None,
            followed: None,
            first_emotion: None,
            last_switch: None,
            trajectory: None,
            negative_since: None,
            is_leading_out: false,
            request: MusicRequest::Silence,
        }
    }

    /// Replaces the settings, from the next [`update`](Self::update) on.
    pub fn set_settings(&mut self, settings: PolicySettings) {
        self.settings = settings;
    }

    /// Sets an emotion by hand. It overrides the video inputs at once, until it is set to `None` again.
    pub fn set_manual_emotion(&mut self, emotion: Option<Emotion>) {
        self.manual_emotion = emotion;
    }

    /// Records that a track has started to sound, for [`PolicySettings::step_once_per_track`].
    pub fn record_track_start(&mut self) {
        if let Some(trajectory) = &mut self.trajectory {
            trajectory.record_track_start();
        }
    }

    /// The held mood.
    pub fn mood(&self) -> Mood {
        self.held.mood()
    }

    /// What should be heard now.
    pub fn request(&self) -> MusicRequest {
        self.request
    }

    /// How things are at the time `now`, ns.
    pub fn status(&self, now: u64) -> PolicyStatus {
        let PolicySettings { min_dwell, hold_time, hold_music, .. } = self.settings;
        let (candidate, candidate_confidence) = self.filter.most_probable();
        let mood = self.held.mood();
        let is_manual = self.manual_emotion.is_some();
        let elapsed = self.last_switch.map_or(u64::MAX, |time| now.saturating_sub(time));
        let switch_allowed_in = min_dwell.saturating_sub(elapsed);
        let restraint = match (candidate, mood) {
            _ if self.is_leading_out => Some(Restraint::SafetyLimit),
            _ if hold_music => Some(Restraint::HoldMusic),
            _ if is_manual => Some(Restraint::Manual),
            (Mood::Absent, _) => Some(Restraint::Absent),
            (Mood::Uncertain, _) => Some(Restraint::Uncertain),
            (candidate, mood) if candidate == mood => None,
            _ if !self.held.is_believed(&self.filter) => Some(Restraint::Confidence),
            _ if !self.held.is_lasting(now, hold_time) => Some(Restraint::HoldTime),
            _ if switch_allowed_in > 0 => Some(Restraint::MinDwell),
            _ => None,
        };
        PolicyStatus {
            mood,
            confidence: if is_manual { 1.0 } else { self.filter.probability(mood) },
            candidate,
            candidate_confidence,
            switch_allowed_in,
            restraint,
            request: self.request,
        }
    }

    /// Processes a frame of a video input at `time`, ns. Frames of all inputs must come in the order of
    /// their times.
    pub fn observe(&mut self, input: InputId, time: u64, frame: &Frame) {
        self.latest_frames.insert(input, (time, frame.faces.clone()));
        self.latest_frames.retain(|_, (frame_time, _)| time.saturating_sub(*frame_time) <= INPUT_TIMEOUT);
        let faces = self.latest_frames.values().flat_map(|(_, faces)| faces);
        self.filter.update(time, &self.settings.subject.observe(faces));
    }

    /// Removes a video input: its faces no longer count.
    pub fn remove_input(&mut self, input: InputId) {
        self.latest_frames.remove(&input);
    }

    /// Discards all evidence after a jump of the time to `now` (ns), such as a seek. The held mood and the
    /// request stay.
    pub fn reset_evidence(&mut self, now: u64) {
        self.filter.reset();
        self.held.reset_evidence();
        self.latest_frames.clear();
        self.last_switch = None;
        self.negative_since = self.negative_since.map(|_| now);
        if let Some(trajectory) = &mut self.trajectory {
            trajectory.restart_step(now);
        }
    }

    /// Brings mood and request up to the time `now` (ns); the changes, in the order in which they follow
    /// from each other. To be called regularly, for example once per block of audio: nothing changes between
    /// two calls.
    pub fn update(&mut self, now: u64) -> Vec<PolicyEvent> {
        let mut events = Vec::new();
        if let Some(change) = self.update_mood(now) {
            events.push(PolicyEvent::MoodChanged(change));
        }
        self.update_followed_emotion(now);
        if let Some(negative_since) = self.update_safety_limit(now) {
            events.push(PolicyEvent::SafetyLimitReached { negative_since });
        }
        let is_held =
            self.settings.hold_music && !self.is_leading_out && self.request != MusicRequest::Silence;
        let request = if is_held { self.request } else { self.next_request(now) };
        if request != self.request {
            self.request = request;
            events.push(PolicyEvent::MusicRequested(request));
        }
        events
    }

    fn update_mood(&mut self, now: u64) -> Option<MoodChange> {
        if let Some(emotion) = self.manual_emotion {
            return self.held.set(emotion.into(), now);
        }
        let PolicySettings { min_dwell, hold_time, on_no_face, .. } = self.settings;
        let followed = self.followed;
        let dwell_over = self.last_switch.is_none_or(|time| now.saturating_sub(time) >= min_dwell);
        let would_switch =
            |mood| followed.is_some() && emotion_to_follow(mood, followed, on_no_face) != followed;
        self.held.update(now, &self.filter, hold_time, |mood| dwell_over || !would_switch(mood))
    }

    /// Lets the music's emotion follow the held mood. The neutral music that plays before any mood is known
    /// does not count as a switch, so that the first known mood need not wait for the dwell time.
    fn update_followed_emotion(&mut self, now: u64) {
        let mood = self.held.mood();
        let next = emotion_to_follow(mood, self.followed, self.settings.on_no_face);
        let Some(emotion) = next.filter(|_| next != self.followed) else { return };
        if self.followed.is_some() || mood == Mood::Known(emotion) {
            self.last_switch = Some(now);
        }
        self.followed = next;
        self.trajectory = Some(AffectTrajectory::starting_at(Affect::from_emotion(emotion), now));
    }

    /// Updates how long the mood has been negative. Where the safety limit is reached now, the time (ns) at
    /// which the mood became negative.
    fn update_safety_limit(&mut self, now: u64) -> Option<u64> {
        let is_negative = match self.held.mood() {
            Mood::Known(emotion) => Affect::from_emotion(emotion).valence < 0.0,
            // There is no sign that a negative mood has ended.
            Mood::Uncertain | Mood::Absent => self.negative_since.is_some(),
        };
        if !is_negative {
            (self.negative_since, self.is_leading_out) = (None, false);
            return None;
        }
        let since = *self.negative_since.get_or_insert(now);
        let limit = self.settings.max_negative_time;
        if limit == 0 {
            self.is_leading_out = false;
        } else if !self.is_leading_out && now.saturating_sub(since) >= limit {
            self.is_leading_out = true;
            let start = match self.request {
                MusicRequest::Music(target) => target.affect,
                MusicRequest::Silence => Affect::default(),
            };
            self.trajectory = Some(AffectTrajectory::leaving(start));
            return Some(since);
        }
        None
    }

    fn next_request(&mut self, now: u64) -> MusicRequest {
        let PolicySettings { strategy, target, on_no_face, .. } = self.settings;
        if self.held.mood() == Mood::Absent {
            match on_no_face {
                OnNoFace::Hold => {}
                OnNoFace::Neutral => return MusicRequest::Music(MusicTarget::for_emotion(Emotion::Neutral)),
                OnNoFace::Fade => return MusicRequest::Silence,
            }
        }
        if self.is_leading_out {
            // A target of negative valence would not lead out of the negative mood.
            let destination = if target.valence < 0.0 { Affect::default() } else { target };
            return self.advance_towards(now, destination);
        }
        self.first_emotion =
            (strategy == Strategy::Hold).then(|| self.first_emotion.or(self.followed)).flatten();
        match (strategy, self.followed) {
            (Strategy::Target, _) => MusicRequest::Music(MusicTarget::for_affect(target)),
            (_, None) => MusicRequest::Silence,
            (Strategy::Match | Strategy::Hold, Some(emotion)) => {
                MusicRequest::Music(MusicTarget::for_emotion(self.first_emotion.unwrap_or(emotion)))
            }
            (Strategy::Iso, Some(_)) => self.advance_towards(now, target),
        }
    }

    /// Requests music for the trajectory's position after a step, if one is due, towards the destination.
    fn advance_towards(&mut self, now: u64, destination: Affect) -> MusicRequest {
        let Some(trajectory) = &mut self.trajectory else { return self.request };
        let PolicySettings { min_dwell, step_once_per_track, .. } = self.settings;
        trajectory.advance(now, destination, min_dwell, step_once_per_track);
        let affect = trajectory.position();
        let emotion = self.followed.filter(|&emotion| Affect::from_emotion(emotion) == affect);
        MusicRequest::Music(MusicTarget { emotion, affect })
    }
}

/// The emotion that the music follows in a mood: an uncertain mood changes nothing once there is music.
fn emotion_to_follow(mood: Mood, followed: Option<Emotion>, on_no_face: OnNoFace) -> Option<Emotion> {
    match mood {
        Mood::Known(emotion) => Some(emotion),
        Mood::Uncertain => followed.or(Some(Emotion::Neutral)),
        Mood::Absent if on_no_face == OnNoFace::Neutral => Some(Emotion::Neutral),
        Mood::Absent => followed,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mood_schema::{Classification, Rect};

    const PERIOD: u64 = SECOND / 10;

    pub(crate) fn face(id: u32, width: f64, emotion: Emotion) -> Face {
        let mut probabilities = [0.05; 7];
        probabilities[emotion.index()] = 0.7;
        Face {
            id,
            bbox: Rect { x: 0.1, y: 0.1, w: width, h: width },
            classification: Some(Classification {
                label: emotion.into(),
                confidence: 0.7,
                probabilities,
                raw: None,
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.9,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        }
    }

    /// Shows an emotion (or an empty frame) for some seconds; the events with their times.
    fn show(
        policy: &mut Policy,
        now: &mut u64,
        emotion: Option<Emotion>,
        seconds: u64,
    ) -> Vec<(u64, PolicyEvent)> {
        let frame =
            Frame { faces: emotion.map(|emotion| face(1, 0.3, emotion)).into_iter().collect(), shot: 0 };
        let end = *now + seconds * SECOND;
        let mut events = Vec::new();
        while *now < end {
            policy.observe(InputId(0), *now, &frame);
            events.extend(policy.update(*now).into_iter().map(|event| (*now, event)));
            *now += PERIOD;
        }
        events
    }

    fn moods(events: &[(u64, PolicyEvent)]) -> Vec<Mood> {
        let mood = |event: &PolicyEvent| match event {
            PolicyEvent::MoodChanged(change) => Some(change.to),
            _ => None,
        };
        events.iter().filter_map(|(_, event)| mood(event)).collect()
    }

    fn requests(events: &[(u64, PolicyEvent)]) -> Vec<MusicRequest> {
        let request = |event: &PolicyEvent| match event {
            PolicyEvent::MusicRequested(request) => Some(*request),
            _ => None,
        };
        events.iter().filter_map(|(_, event)| request(event)).collect()
    }

    fn music(emotion: Emotion) -> MusicRequest {
        MusicRequest::Music(MusicTarget::for_emotion(emotion))
    }

    fn policy(change: impl FnOnce(&mut PolicySettings)) -> Policy {
        let mut settings = PolicySettings::default();
        change(&mut settings);
        Policy::new(settings)
    }

    #[test]
    fn the_first_mood_starts_music_and_the_next_waits_for_the_dwell() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        let first = show(&mut policy, &mut now, Some(Emotion::Happy), 8);
        assert_eq!(moods(&first), [Emotion::Happy.into()]);
        assert_eq!(requests(&first), [music(Emotion::Happy)]);
        assert!(first[0].0 >= 2 * SECOND, "hold time");
        let second = show(&mut policy, &mut now, Some(Emotion::Sad), 30);
        assert_eq!(moods(&second), [Emotion::Sad.into()]);
        assert!(second[0].0 - first[0].0 >= 20 * SECOND, "dwell");
        let PolicyEvent::MoodChanged(change) = second[0].1 else { panic!() };
        assert!(change.confidence >= 0.6 && change.evidence.1 == second[0].0);
        assert!(change.evidence.0 > 8 * SECOND && change.evidence.0 < 14 * SECOND, "{change:?}");
    }

    #[test]
    fn a_passing_expression_changes_nothing() {
        let (mut policy, mut now) = (policy(|s| s.min_dwell = 0), 0);
        show(&mut policy, &mut now, Some(Emotion::Neutral), 30);
        assert!(show(&mut policy, &mut now, Some(Emotion::Surprise), 1).is_empty());
        assert!(show(&mut policy, &mut now, Some(Emotion::Neutral), 10).is_empty());
    }

    #[test]
    fn on_no_face_holds_goes_neutral_or_fades() {
        let run = |on_no_face| {
            let (mut policy, mut now) = (policy(|s| (s.on_no_face, s.min_dwell) = (on_no_face, 0)), 0);
            let mut all = show(&mut policy, &mut now, None, 10);
            all.extend(show(&mut policy, &mut now, Some(Emotion::Happy), 15));
            all.extend(show(&mut policy, &mut now, None, 15));
            all.extend(show(&mut policy, &mut now, Some(Emotion::Happy), 15));
            assert_eq!(moods(&all), [Emotion::Happy.into(), Mood::Absent, Emotion::Happy.into()]);
            requests(&all)
        };
        let (happy, neutral) = (music(Emotion::Happy), music(Emotion::Neutral));
        assert_eq!(run(OnNoFace::Hold), [happy]);
        assert_eq!(run(OnNoFace::Neutral), [neutral, happy, neutral, happy]);
        assert_eq!(run(OnNoFace::Fade), [happy, MusicRequest::Silence, happy]);
    }

    #[test]
    fn a_manual_emotion_overrides_at_once() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        policy.set_manual_emotion(Some(Emotion::Sad));
        let start = now;
        let events = show(&mut policy, &mut now, Some(Emotion::Happy), 30);
        assert_eq!(events[0].0, start);
        assert_eq!(requests(&events), [music(Emotion::Sad)]);
        policy.set_manual_emotion(None);
        assert_eq!(requests(&show(&mut policy, &mut now, Some(Emotion::Happy), 30)), [music(Emotion::Happy)]);
    }

    #[test]
    fn target_plays_the_target_and_hold_keeps_the_first() {
        let (mut target, mut now) = (policy(|s| s.strategy = Strategy::Target), 0);
        let events = show(&mut target, &mut now, Some(Emotion::Sad), 10);
        let affect = Affect { valence: 0.5, arousal: -0.3 };
        assert_eq!(requests(&events), [MusicRequest::Music(MusicTarget::for_affect(affect))]);
        assert_eq!(moods(&events), [Emotion::Sad.into()]);

        let (mut hold, mut now) = (policy(|s| (s.strategy, s.min_dwell) = (Strategy::Hold, 0)), 0);
        let mut events = show(&mut hold, &mut now, Some(Emotion::Happy), 10);
        events.extend(show(&mut hold, &mut now, Some(Emotion::Sad), 20));
        assert_eq!(requests(&events), [music(Emotion::Happy)]);
        assert_eq!(moods(&events).len(), 2);
    }

    #[test]
    fn iso_leads_from_the_mood_to_the_target() {
        let (mut policy, mut now) = (policy(|s| s.strategy = Strategy::Iso), 0);
        let events = show(&mut policy, &mut now, Some(Emotion::Sad), 240);
        let requests = requests(&events);
        assert_eq!(requests[0], music(Emotion::Sad));
        let target = Affect { valence: 0.5, arousal: -0.3 };
        assert_eq!(requests.last(), Some(&MusicRequest::Music(MusicTarget::for_affect(target))));
        let distance = |request: &MusicRequest| match request {
            MusicRequest::Music(music) => music.affect.distance(target),
            MusicRequest::Silence => panic!(),
        };
        assert!(requests.len() >= 5 && requests.is_sorted_by(|a, b| distance(a) > distance(b)));
        let times: Vec<u64> =
            events.iter().filter(|e| matches!(e.1, PolicyEvent::MusicRequested(_))).map(|e| e.0).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 20 * SECOND));
    }

    #[test]
    fn iso_can_step_once_per_track() {
        let (mut policy, mut now) =
            (policy(|s| (s.strategy, s.step_once_per_track) = (Strategy::Iso, true)), 0);
        let first = requests(&show(&mut policy, &mut now, Some(Emotion::Sad), 120));
        assert_eq!(first, [music(Emotion::Sad)], "no track has started");
        policy.record_track_start();
        assert_eq!(requests(&show(&mut policy, &mut now, Some(Emotion::Sad), 120)).len(), 1);
        policy.record_track_start();
        policy.record_track_start();
        assert_eq!(
            requests(&show(&mut policy, &mut now, Some(Emotion::Sad), 10)).len(),
            1,
            "one step per track"
        );
    }

    #[test]
    fn the_safety_limit_leads_out_of_a_long_negative_mood() {
        let (mut policy, mut now) = (policy(|s| s.max_negative_time = 60 * SECOND), 0);
        let events = show(&mut policy, &mut now, Some(Emotion::Sad), 180);
        let limits: Vec<_> =
            events.iter().filter(|e| matches!(e.1, PolicyEvent::SafetyLimitReached { .. })).collect();
        let [(time, PolicyEvent::SafetyLimitReached { negative_since })] = limits[..] else {
            panic!("{limits:?}")
        };
        assert_eq!(time - negative_since, 60 * SECOND);
        let MusicRequest::Music(last) = policy.request() else { panic!() };
        assert!(last.affect.valence > 0.0 && last.emotion.is_none());
        assert_eq!(
            requests(&show(&mut policy, &mut now, Some(Emotion::Happy), 30)).last(),
            Some(&music(Emotion::Happy))
        );
    }

    #[test]
    fn held_music_stays_and_the_safety_limit_still_leads_out() {
        let (mut policy, mut now) = (policy(|settings| settings.max_negative_time = 60 * SECOND), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        policy.set_settings(PolicySettings { hold_music: true, ..policy.settings.clone() });
        assert!(requests(&show(&mut policy, &mut now, Some(Emotion::Sad), 40)).is_empty());
        assert_eq!(policy.mood(), Emotion::Sad.into());
        assert_eq!(policy.status(now).restraint, Some(Restraint::HoldMusic));
        assert!(!requests(&show(&mut policy, &mut now, Some(Emotion::Sad), 60)).is_empty());
        assert_eq!(policy.status(now).restraint, Some(Restraint::SafetyLimit));
    }

    #[test]
    fn the_status_says_what_holds_the_music_back() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        let status = policy.status(now);
        assert_eq!((status.mood, status.restraint), (Emotion::Happy.into(), None));
        assert!(status.confidence > 0.9, "{status:?}");
        let mut restraints = Vec::new();
        for _ in 0..200 {
            show(&mut policy, &mut now, Some(Emotion::Sad), 1);
            let PolicyStatus { restraint, switch_allowed_in, .. } = policy.status(now);
            assert!(switch_allowed_in <= policy.settings.min_dwell);
            restraints.push(restraint);
            if policy.mood() == Emotion::Sad.into() {
                break;
            }
        }
        restraints.dedup();
        assert_eq!(policy.mood(), Emotion::Sad.into());
        assert!(restraints.contains(&Some(Restraint::MinDwell)), "{restraints:?}");
        assert_eq!(restraints.last(), Some(&None));
        show(&mut policy, &mut now, None, 20);
        assert_eq!(policy.status(now).restraint, Some(Restraint::Absent));
        policy.set_manual_emotion(Some(Emotion::Fear));
        policy.update(now);
        assert_eq!(policy.status(now).restraint, Some(Restraint::Manual));
        assert_eq!(policy.status(now).confidence, 1.0);
    }

    #[test]
    fn the_subject_is_selected_among_all_inputs() {
        let mut policy = policy(|_| {});
        let near = Frame { faces: vec![face(1, 0.5, Emotion::Happy)], shot: 0 };
        for frame in 0..100 {
            policy.observe(InputId(0), frame * PERIOD, &Frame::default());
            policy.observe(InputId(1), frame * PERIOD + 7, &near);
            policy.update(frame * PERIOD + 8);
        }
        assert_eq!(policy.mood(), Emotion::Happy.into());
        policy.remove_input(InputId(1));
        for frame in 100..200 {
            policy.observe(InputId(0), frame * PERIOD, &Frame::default());
            policy.update(frame * PERIOD);
        }
        assert_eq!(policy.mood(), Mood::Absent);
    }

    #[test]
    fn resetting_the_evidence_keeps_mood_and_request() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        policy.reset_evidence(0);
        now = 0;
        assert!(show(&mut policy, &mut now, Some(Emotion::Happy), 30).is_empty());
        assert_eq!(policy.request(), music(Emotion::Happy));
    }
}
