//! What music is wanted: subject, held mood, strategy and safety limit together.

use std::collections::BTreeMap;

use mood_schema::{Affect, Emotion, Face, Frame, Mood};

use crate::holder::{Holder, MoodChange};
use crate::path::Path;
use crate::{Confusion, Filter, SECOND, Subject};

/// A camera that has been silent this long no longer counts.
const STALE: u64 = SECOND;

/// How the music relates to the mood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// What fits the mood.
    #[default]
    Match,
    /// The target, whatever the mood.
    Target,
    /// From the mood in steps to the target (the iso principle: Altshuler 1948), each at least a dwell or a track long; a
    /// new mood starts the way anew.
    Iso,
    /// What fitted the first mood, from then on.
    Hold,
}

/// What happens while nobody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNoFace {
    /// The music goes on; before the first mood there is silence.
    #[default]
    Hold,
    /// Neutral music.
    Neutral,
    /// Silence until somebody comes.
    Fade,
}

/// What a person can set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How the music relates to the mood.
    pub strategy: Strategy,
    /// Where target and iso lead.
    pub target: Affect,
    /// Whose face counts.
    pub subject: Subject,
    /// A new mood must last this long, ns.
    pub hold_time: u64,
    /// No two switches of the music's mood are closer than this, ns.
    pub min_dwell: u64,
    /// A step towards a target lasts at least a track, told by [`Policy::track_began`], and not only a dwell.
    pub step_by_track: bool,
    /// What happens while nobody is there.
    pub on_no_face: OnNoFace,
    /// After this long in a mood of negative valence the music leads out of it, ns; 0 is never.
    pub max_negative_time: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            target: Affect { valence: 0.5, arousal: -0.3 },
            subject: Subject::default(),
            hold_time: 2 * SECOND,
            min_dwell: 20 * SECOND,
            step_by_track: false,
            on_no_face: OnNoFace::default(),
            max_negative_time: 0,
        }
    }
}

/// Music for a point of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The emotion the music is for, where there is one: a track that names it fits better.
    pub emotion: Option<Emotion>,
    /// Where in the plane.
    pub at: Affect,
}

impl Goal {
    /// Music that fits an emotion.
    pub fn of(emotion: Emotion) -> Self {
        Self { emotion: Some(emotion), at: Affect::from_emotion(emotion) }
    }
}

/// What should be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Wish {
    /// Nothing.
    #[default]
    Silence,
    /// Music.
    Music(Goal),
}

/// What came out of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// The held mood changed.
    Mood(MoodChange),
    /// Something else should be heard from now on.
    Wish(Wish),
    /// Since when the mood has been negative; from now on the music leads out of it.
    SafetyLimit(u64),
}

/// Decides what should be heard.
#[derive(Clone, Debug)]
pub struct Policy {
    settings: Settings,
    filter: Filter,
    holder: Holder,
    cameras: BTreeMap<u32, (u64, Vec<Face>)>,
    manual: Option<Emotion>,
    /// The emotion the music follows: stays while the mood is uncertain or, with hold, nobody there.
    followed: Option<Emotion>,
    /// What the strategy hold keeps.
    kept: Option<Emotion>,
    /// When the music's mood last switched.
    switched: Option<u64>,
    path: Option<Path>,
    negative_since: Option<u64>,
    leading_out: bool,
    wish: Wish,
}

impl Policy {
    /// Starts with nobody there and silence. For the classifier built into `emotionclassify`.
    pub fn new(settings: Settings) -> Self {
        Self::with_confusion(settings, Confusion::default())
    }

    /// The same for a classifier that errs like this.
    pub fn with_confusion(settings: Settings, confusion: Confusion) -> Self {
        Self {
            settings,
            filter: Filter::new(confusion),
            holder: Holder::default(),
            cameras: BTreeMap::new(),
            manual: None,
            followed: None,
            kept: None,
            switched: None,
            path: None,
            negative_since: None,
            leading_out: false,
            wish: Wish::Silence,
        }
    }

    /// Changes the settings from the next step on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Overrides the cameras, at once, until set to `None` again.
    pub fn set_manual(&mut self, emotion: Option<Emotion>) {
        self.manual = emotion;
    }

    /// A track begins to be heard.
    pub fn track_began(&mut self) {
        if let Some(path) = &mut self.path {
            path.track_began();
        }
    }

    /// The mood held.
    pub fn mood(&self) -> Mood {
        self.holder.mood()
    }

    /// What should be heard.
    pub fn wish(&self) -> Wish {
        self.wish
    }

    /// Takes a frame of a camera in.
    pub fn observe(&mut self, camera: u32, time: u64, frame: &Frame) {
        self.cameras.insert(camera, (time, frame.faces.clone()));
        self.cameras.retain(|_, (seen, _)| time.saturating_sub(*seen) <= STALE);
        let faces = self.cameras.values().flat_map(|(_, faces)| faces);
        self.filter.observe(time, &self.settings.subject.observe(faces));
    }

    /// A camera is gone: what it saw no longer counts.
    pub fn remove_camera(&mut self, camera: u32) {
        self.cameras.remove(&camera);
    }

    /// Time has jumped to `now`: forgets all evidence, keeps the mood and the music.
    pub fn forget(&mut self, now: u64) {
        self.filter.forget();
        self.holder.forget();
        self.cameras.clear();
        self.switched = None;
        self.negative_since = self.negative_since.map(|_| now);
        if let Some(path) = &mut self.path {
            path.rest(now);
        }
    }

    /// Decides for the moment `now`, to be called often: nothing changes between two steps.
    pub fn step(&mut self, now: u64) -> Vec<Decision> {
        let mut decisions = Vec::new();
        if let Some(change) = self.step_mood(now) {
            decisions.push(Decision::Mood(change));
        }
        self.follow(now);
        if let Some(since) = self.check_safety(now) {
            decisions.push(Decision::SafetyLimit(since));
        }
        let wish = self.next_wish(now);
        if wish != self.wish {
            self.wish = wish;
            decisions.push(Decision::Wish(wish));
        }
        decisions
    }

    fn step_mood(&mut self, now: u64) -> Option<MoodChange> {
        if let Some(emotion) = self.manual {
            return self.holder.set(emotion.into(), now);
        }
        let settings = self.settings;
        let rested = self.switched.is_none_or(|at| now.saturating_sub(at) >= settings.min_dwell);
        let followed = self.followed;
        let switches = |mood| followed.is_some() && target(mood, followed, settings.on_no_face) != followed;
        self.holder.step(now, &self.filter, settings.hold_time, |mood| rested || !switches(mood))
    }

    /// Lets the music's mood follow the held one. What plays for want of any mood yet is no switch: the first real mood
    /// need not wait for a dwell.
    fn follow(&mut self, now: u64) {
        let mood = self.holder.mood();
        let target = target(mood, self.followed, self.settings.on_no_face);
        let Some(emotion) = target.filter(|_| target != self.followed) else { return };
        if self.followed.is_some() || mood == Mood::Known(emotion) {
            self.switched = Some(now);
        }
        self.followed = target;
        self.path = Some(Path::from(Affect::from_emotion(emotion), now));
    }

    /// Watches how long the mood has been negative; the time at which it began where the limit is reached now.
    fn check_safety(&mut self, now: u64) -> Option<u64> {
        let negative = match self.holder.mood() {
            Mood::Known(emotion) => Affect::from_emotion(emotion).valence < 0.0,
            // Nobody says that it is over.
            Mood::Uncertain | Mood::Absent => self.negative_since.is_some(),
        };
        if !negative {
            (self.negative_since, self.leading_out) = (None, false);
            return None;
        }
        let since = *self.negative_since.get_or_insert(now);
        let limit = self.settings.max_negative_time;
        if limit == 0 {
            self.leading_out = false;
        } else if !self.leading_out && now.saturating_sub(since) >= limit {
            self.leading_out = true;
            let from = match self.wish {
                Wish::Music(goal) => goal.at,
                Wish::Silence => Affect::default(),
            };
            self.path = Some(Path::leaving(from));
            return Some(since);
        }
        None
    }

    fn next_wish(&mut self, now: u64) -> Wish {
        let Settings { strategy, target, on_no_face, .. } = self.settings;
        if self.holder.mood() == Mood::Absent {
            match on_no_face {
                OnNoFace::Hold => {}
                OnNoFace::Neutral => return Wish::Music(Goal::of(Emotion::Neutral)),
                OnNoFace::Fade => return Wish::Silence,
            }
        }
        if self.leading_out {
            // A target that is itself negative leads nowhere better.
            let out = if target.valence < 0.0 { Affect::default() } else { target };
            return self.walk(now, out);
        }
        self.kept = (strategy == Strategy::Hold).then(|| self.kept.or(self.followed)).flatten();
        match (strategy, self.followed) {
            (Strategy::Target, _) => Wish::Music(Goal { emotion: None, at: target }),
            (_, None) => Wish::Silence,
            (Strategy::Match | Strategy::Hold, Some(emotion)) => {
                Wish::Music(Goal::of(self.kept.unwrap_or(emotion)))
            }
            (Strategy::Iso, Some(_)) => self.walk(now, target),
        }
    }

    fn walk(&mut self, now: u64, target: Affect) -> Wish {
        let Some(path) = &mut self.path else { return self.wish };
        path.step(now, target, self.settings.min_dwell, self.settings.step_by_track);
        let emotion = self.followed.filter(|&emotion| Affect::from_emotion(emotion) == path.at());
        Wish::Music(Goal { emotion, at: path.at() })
    }
}

/// The emotion that the music is to follow in a mood: an unreadable face changes nothing once there is music.
fn target(mood: Mood, followed: Option<Emotion>, on_no_face: OnNoFace) -> Option<Emotion> {
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
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.9,
            roll: 0.0,
        }
    }

    /// Shows an emotion (or nobody) for some seconds; the decisions with their times.
    fn show(
        policy: &mut Policy,
        now: &mut u64,
        emotion: Option<Emotion>,
        seconds: u64,
    ) -> Vec<(u64, Decision)> {
        let frame = Frame { faces: emotion.map(|emotion| face(1, 0.3, emotion)).into_iter().collect() };
        let end = *now + seconds * SECOND;
        let mut decisions = Vec::new();
        while *now < end {
            policy.observe(0, *now, &frame);
            decisions.extend(policy.step(*now).into_iter().map(|decision| (*now, decision)));
            *now += PERIOD;
        }
        decisions
    }

    fn moods(decisions: &[(u64, Decision)]) -> Vec<Mood> {
        let mood = |decision: &Decision| match decision {
            Decision::Mood(change) => Some(change.to),
            _ => None,
        };
        decisions.iter().filter_map(|(_, decision)| mood(decision)).collect()
    }

    fn wishes(decisions: &[(u64, Decision)]) -> Vec<Wish> {
        let wish = |decision: &Decision| match decision {
            Decision::Wish(wish) => Some(*wish),
            _ => None,
        };
        decisions.iter().filter_map(|(_, decision)| wish(decision)).collect()
    }

    fn music(emotion: Emotion) -> Wish {
        Wish::Music(Goal::of(emotion))
    }

    fn policy(change: impl FnOnce(&mut Settings)) -> Policy {
        let mut settings = Settings::default();
        change(&mut settings);
        Policy::new(settings)
    }

    #[test]
    fn the_first_mood_starts_music_and_the_next_waits_for_the_dwell() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        let first = show(&mut policy, &mut now, Some(Emotion::Happy), 8);
        assert_eq!(moods(&first), [Emotion::Happy.into()]);
        assert_eq!(wishes(&first), [music(Emotion::Happy)]);
        assert!(first[0].0 >= 2 * SECOND, "hold time");
        let second = show(&mut policy, &mut now, Some(Emotion::Sad), 30);
        assert_eq!(moods(&second), [Emotion::Sad.into()]);
        assert!(second[0].0 - first[0].0 >= 20 * SECOND, "dwell");
        let Decision::Mood(change) = second[0].1 else { panic!() };
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
            wishes(&all)
        };
        let (happy, neutral) = (music(Emotion::Happy), music(Emotion::Neutral));
        assert_eq!(run(OnNoFace::Hold), [happy]);
        assert_eq!(run(OnNoFace::Neutral), [neutral, happy, neutral, happy]);
        assert_eq!(run(OnNoFace::Fade), [happy, Wish::Silence, happy]);
    }

    #[test]
    fn a_manual_mood_overrides_at_once() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        policy.set_manual(Some(Emotion::Sad));
        let at = now;
        let decisions = show(&mut policy, &mut now, Some(Emotion::Happy), 30);
        assert_eq!(decisions[0].0, at);
        assert_eq!(wishes(&decisions), [music(Emotion::Sad)]);
        policy.set_manual(None);
        assert_eq!(wishes(&show(&mut policy, &mut now, Some(Emotion::Happy), 30)), [music(Emotion::Happy)]);
    }

    #[test]
    fn target_plays_the_target_and_hold_keeps_the_first() {
        let (mut target, mut now) = (policy(|s| s.strategy = Strategy::Target), 0);
        let decisions = show(&mut target, &mut now, Some(Emotion::Sad), 10);
        let at = Affect { valence: 0.5, arousal: -0.3 };
        assert_eq!(wishes(&decisions), [Wish::Music(Goal { emotion: None, at })]);
        assert_eq!(moods(&decisions), [Emotion::Sad.into()]);

        let (mut hold, mut now) = (policy(|s| (s.strategy, s.min_dwell) = (Strategy::Hold, 0)), 0);
        let mut decisions = show(&mut hold, &mut now, Some(Emotion::Happy), 10);
        decisions.extend(show(&mut hold, &mut now, Some(Emotion::Sad), 20));
        assert_eq!(wishes(&decisions), [music(Emotion::Happy)]);
        assert_eq!(moods(&decisions).len(), 2);
    }

    #[test]
    fn iso_walks_from_the_mood_to_the_target() {
        let (mut policy, mut now) = (policy(|s| s.strategy = Strategy::Iso), 0);
        let decisions = show(&mut policy, &mut now, Some(Emotion::Sad), 240);
        let wishes = wishes(&decisions);
        assert_eq!(wishes[0], music(Emotion::Sad));
        let target = Affect { valence: 0.5, arousal: -0.3 };
        assert_eq!(wishes.last(), Some(&Wish::Music(Goal { emotion: None, at: target })));
        let at = |wish: &Wish| match wish {
            Wish::Music(goal) => goal.at.distance(target),
            Wish::Silence => panic!(),
        };
        assert!(wishes.len() >= 5 && wishes.is_sorted_by(|a, b| at(a) > at(b)));
        let times: Vec<u64> =
            decisions.iter().filter(|d| matches!(d.1, Decision::Wish(_))).map(|d| d.0).collect();
        assert!(times.windows(2).all(|t| t[1] - t[0] >= 20 * SECOND));
    }

    #[test]
    fn iso_can_step_with_the_tracks() {
        let (mut policy, mut now) = (policy(|s| (s.strategy, s.step_by_track) = (Strategy::Iso, true)), 0);
        let first = wishes(&show(&mut policy, &mut now, Some(Emotion::Sad), 120));
        assert_eq!(first, [music(Emotion::Sad)], "no track has begun");
        policy.track_began();
        assert_eq!(wishes(&show(&mut policy, &mut now, Some(Emotion::Sad), 120)).len(), 1);
        policy.track_began();
        policy.track_began();
        assert_eq!(wishes(&show(&mut policy, &mut now, Some(Emotion::Sad), 10)).len(), 1, "a step a track");
    }

    #[test]
    fn a_long_negative_mood_is_led_out_of() {
        let (mut policy, mut now) = (policy(|s| s.max_negative_time = 60 * SECOND), 0);
        let decisions = show(&mut policy, &mut now, Some(Emotion::Sad), 180);
        let limits: Vec<_> = decisions.iter().filter(|d| matches!(d.1, Decision::SafetyLimit(_))).collect();
        let [(at, Decision::SafetyLimit(since))] = limits[..] else { panic!("{limits:?}") };
        assert_eq!(at - since, 60 * SECOND);
        let Wish::Music(last) = policy.wish() else { panic!() };
        assert!(last.at.valence > 0.0 && last.emotion.is_none());
        assert_eq!(
            wishes(&show(&mut policy, &mut now, Some(Emotion::Happy), 30)).last(),
            Some(&music(Emotion::Happy))
        );
    }

    #[test]
    fn several_cameras_make_one_subject() {
        let mut policy = policy(|_| {});
        let near = Frame { faces: vec![face(1, 0.5, Emotion::Happy)] };
        for frame in 0..100 {
            policy.observe(0, frame * PERIOD, &Frame::default());
            policy.observe(1, frame * PERIOD + 7, &near);
            policy.step(frame * PERIOD + 8);
        }
        assert_eq!(policy.mood(), Emotion::Happy.into());
        policy.remove_camera(1);
        for frame in 100..200 {
            policy.observe(0, frame * PERIOD, &Frame::default());
            policy.step(frame * PERIOD);
        }
        assert_eq!(policy.mood(), Mood::Absent);
    }

    #[test]
    fn forgetting_keeps_mood_and_music() {
        let (mut policy, mut now) = (policy(|_| {}), 0);
        show(&mut policy, &mut now, Some(Emotion::Happy), 10);
        policy.forget(0);
        now = 0;
        assert!(show(&mut policy, &mut now, Some(Emotion::Happy), 30).is_empty());
        assert_eq!(policy.wish(), music(Emotion::Happy));
    }
}
