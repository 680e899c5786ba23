//! Which track sounds when: turns goals into voices, frame by frame.
//!
//! Knows nothing of GStreamer: a [`Stage`] opens tracks and a [`Source`] gives their samples. At most one voice leads;
//! the others fade out. While a track plays, the next one for the same mood is opened ahead, so that it can begin on the
//! frame where the track ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use mood::MusicTarget;
use mood_schema::{Candidate, Emotion, Mood, TrackEvent, TrackLine};
use music_library::{Choice, Chooser, Library, Play, Query};

use super::format::Format;
use super::limiter::Limiter;
use super::mixer::Fade;
use super::settings::{Resume, Settings, SwitchAt};
use super::stage::{Ending, Interrupted, Loaded, Patience, Request, Source, Stage};
use voice::Voice;

/// Something happened at a frame; the line's own time is not set.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub frame: u64,
    pub line: TrackLine,
}

/// A cut is at least this long, in parts of a second: no click.
const DECLICK: u64 = 200;
/// Music that begins in silence comes in over at most half a second.
const FADE_IN: u64 = 2;
/// Of a short track, at most a quarter is faded.
const FADE_SHARE: u64 = 4;
/// More voices than this at once, and the oldest goes quickly.
const VOICES: usize = 8;
/// A track that gives nothing for this many seconds, while others wait, is broken.
const STARVED_SECONDS: u64 = 5;
/// Where no track is left, one is tried again after this many seconds.
const RETRY_SECONDS: u64 = 10;

/// The next track.
struct Upcoming<S> {
    choice: Choice,
    goal: MusicTarget,
    from: u64,
    state: Opening<S>,
}

enum Opening<S> {
    Under(u64),
    Done(Loaded<S>),
}

/// Why a track is to begin before the present one ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Mood,
    Skip,
}

struct Options {
    crossfade: u64,
    switch_at: SwitchAt,
    resume: Resume,
    target_lufs: f64,
    no_repeat: usize,
}

impl Options {
    fn new(settings: &Settings, format: Format) -> Self {
        Self {
            crossfade: (settings.crossfade().as_secs_f64() * f64::from(format.rate)) as u64,
            switch_at: settings.switch_at,
            resume: settings.resume,
            target_lufs: settings.target_lufs,
            no_repeat: settings.no_repeat as usize,
        }
    }
}

pub struct Player<S: Stage> {
    stage: S,
    library: Arc<Library>,
    chooser: Chooser,
    format: Format,
    options: Options,
    voices: Vec<Voice<S::Source>>,
    goal: Option<MusicTarget>,
    due: Option<Due>,
    upcoming: Option<Upcoming<S::Source>>,
    /// Where each emotion's track was left.
    left: BTreeMap<Emotion, (usize, u64)>,
    /// Faded out by hand: silent until the goal changes.
    resting: bool,
    crossfading: bool,
    at_a_loss: bool,
    last_heard: Option<usize>,
    /// At a loss: the frame at which a track is tried again.
    retry_at: Option<u64>,
    limiter: Limiter,
    /// The limiter has been given as much as it looks ahead.
    primed: bool,
    scratch: Vec<f32>,
    events: Vec<Event>,
}

impl<S: Stage> Player<S> {
    pub fn new(stage: S, library: Arc<Library>, settings: &Settings, format: Format) -> Self {
        Self {
            stage,
            library,
            chooser: Chooser::new(settings.seed, settings.no_repeat as usize),
            format,
            options: Options::new(settings, format),
            voices: Vec::new(),
            goal: None,
            due: None,
            upcoming: None,
            left: BTreeMap::new(),
            resting: false,
            crossfading: false,
            at_a_loss: false,
            last_heard: None,
            retry_at: None,
            limiter: Limiter::new(format.rate, format.width()),
            primed: false,
            scratch: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Fades and choices from now on follow these.
    pub fn set_settings(&mut self, settings: &Settings) {
        self.options = Options::new(settings, self.format);
    }

    /// The address of the track that leads.
    pub fn playing(&self) -> Option<&str> {
        let track = self.leading().map(|voice| voice.track)?;
        self.library.tracks.get(track).map(|track| track.uri.as_str())
    }

    /// Whether music is wanted and no track is left that can be played.
    pub fn is_at_a_loss(&self) -> bool {
        self.at_a_loss
    }

    /// What happened up to a frame since the last call. What is mixed already but not yet heard comes later.
    pub fn take_events(&mut self, until: u64) -> Vec<Event> {
        let heard = self.events.iter().take_while(|event| event.frame <= until).count();
        self.events.drain(..heard).collect()
    }

    /// Frames are counted from 0 again.
    pub fn rewind(&mut self) {
        self.events.iter_mut().for_each(|event| event.frame = 0);
        self.retry_at = None;
    }

    /// Wants music for a goal from now on, or silence. What plays goes on where it fits the new goal as well. `at` is the
    /// frame that is rendered next.
    pub fn set_goal(&mut self, at: u64, goal: Option<MusicTarget>) {
        if goal == self.goal {
            return;
        }
        let now = at + self.ahead();
        self.goal = goal;
        self.resting = false;
        self.due = None;
        self.drop_upcoming();
        let Some(goal) = goal else {
            self.fade_out_all();
            return;
        };
        if self.options.resume == Resume::Continue && self.raise(now, &goal) {
            return;
        }
        let fits =
            self.leading().is_some_and(|voice| self.chooser.fits(&self.library, voice.track, &query(&goal)));
        if fits {
            if let Some(voice) = self.voices.iter_mut().find(|voice| voice.leads) {
                voice.goal = goal;
            }
        } else if self.leading().is_none() || self.options.switch_at == SwitchAt::Now {
            self.due = Some(Due::Mood);
        }
    }

    /// On to another track for the same goal.
    pub fn skip(&mut self) {
        self.resting = false;
        if self.goal.is_some() {
            self.drop_upcoming();
            self.due = Some(Due::Skip);
        }
    }

    /// To silence, until the goal changes.
    pub fn fade_out(&mut self) {
        self.resting = true;
        self.due = None;
        self.drop_upcoming();
        self.fade_out_all();
    }

    /// A person's word on the track that leads.
    pub fn rate(&mut self, rating: i32) {
        if let Some(track) = self.leading().map(|voice| voice.track) {
            self.chooser.rate(track, rating);
        }
    }

    /// Takes over what was heard before, the oldest first.
    pub fn remember(&mut self, past: &[Play]) {
        self.chooser.remember(&self.library, past);
    }

    /// How far what is mixed is ahead of what is heard, so that the limiter can look ahead.
    fn ahead(&self) -> u64 {
        if self.primed { self.limiter.delay() as u64 } else { 0 }
    }

    /// The next frames of sound, into the whole frames of `out`. `at` is the first one's number.
    pub fn render(&mut self, at: u64, out: &mut [f32], patience: Patience) -> Result<(), Interrupted> {
        if !self.primed {
            let mut first = vec![0.0; self.limiter.delay() * self.format.width()];
            self.perform(at, &mut first, patience)?;
            self.limiter.apply(&mut first);
            self.primed = true;
        }
        self.perform(at + self.ahead(), out, patience)?;
        self.limiter.apply(out);
        Ok(())
    }

    /// Mixes the frames from `at` on, before the limiter.
    fn perform(&mut self, at: u64, out: &mut [f32], patience: Patience) -> Result<(), Interrupted> {
        out.fill(0.0);
        let width = self.format.width();
        let total = out.len() / width;
        let mut done = 0;
        while done < total {
            let now = at + done as u64;
            self.decide(now, patience)?;
            let frames = self.span(total - done);
            self.mix(&mut out[done * width..(done + frames) * width], patience != Patience::Never)?;
            done += frames;
            self.settle(at + done as u64);
        }
        Ok(())
    }

    fn leading(&self) -> Option<&Voice<S::Source>> {
        self.voices.iter().find(|voice| voice.leads)
    }

    /// Begins a track where one is due.
    fn decide(&mut self, now: u64, patience: Patience) -> Result<(), Interrupted> {
        // Far enough ahead to know where the track ends before its last fade begins.
        let ahead = (self.options.crossfade + u64::from(self.format.rate) / 10) as usize;
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.leads) {
            voice.source.fill(ahead, patience != Patience::Never)?;
        }
        self.avoid_broken();
        let ends = self.leading().is_some_and(|voice| match voice.remaining() {
            Some(left) => left <= self.last_fade(voice, left),
            None => false,
        });
        let begins =
            self.goal.is_some() && !self.resting && (self.leading().is_none() || self.due.is_some() || ends);
        if begins {
            let wait = match patience {
                Patience::Always => true,
                Patience::Decoding => self.due.is_none() || ends || self.leading().is_none(),
                Patience::Never => false,
            };
            if self.ready(now, wait)? {
                self.begin(now);
                if patience != Patience::Always {
                    self.measure_ahead();
                }
            }
        } else if patience == Patience::Always {
            // Opened ahead; when it turns out whether it can be played must not depend on the machine's speed.
            self.choose(now);
        } else {
            self.ready(now, false)?;
        }
        Ok(())
    }

    /// Has those tracks measured that a change of mood would bring: then it need not wait for that.
    fn measure_ahead(&mut self) {
        for emotion in Emotion::ALL {
            let choice = self.chooser.choose(&self.library, &query(&MusicTarget::for_emotion(emotion)));
            if let Some(track) = choice.and_then(|choice| self.library.tracks.get(choice.track)) {
                self.stage.measure(&track.uri, self.format);
            }
        }
    }

    /// A track that will break off is not chosen to follow itself; it is reported when it does.
    fn avoid_broken(&mut self) {
        let broken = |voice: &&Voice<S::Source>| matches!(voice.source.ending(), Some(Ending::Broken(_)));
        let Some(track) = self.leading().filter(broken).map(|voice| voice.track) else { return };
        self.chooser.failed(track);
        if self.upcoming.as_ref().is_some_and(|upcoming| upcoming.choice.track == track) {
            self.drop_upcoming();
        }
    }

    /// How long the fade at a track's end is.
    fn last_fade(&self, voice: &Voice<S::Source>, left: u64) -> u64 {
        self.options.crossfade.min((voice.position - voice.began + left) / FADE_SHARE)
    }

    /// Chooses the next track and has it opened, where that is not done yet.
    fn choose(&mut self, now: u64) {
        let Some(goal) = self.goal.filter(|_| self.upcoming.is_none() && !self.resting) else { return };
        let returning = match (self.due, self.options.resume, goal.emotion) {
            (Some(Due::Mood), Resume::Continue | Resume::Restart, Some(emotion)) => {
                self.left.get(&emotion).copied()
            }
            _ => None,
        };
        let returning = returning.and_then(|(track, position)| {
            let distance = self.library.tracks.get(track)?.affect.unwrap_or_default().distance(goal.affect);
            let from = if self.options.resume == Resume::Restart { 0 } else { position };
            let reason = if from == 0 {
                "the mood's track, from its beginning"
            } else {
                "the mood's track, where it was left"
            };
            Some((Choice { track, distance, reason: reason.into(), runners_up: Vec::new() }, from))
        });
        let chosen = returning.or_else(|| {
            // Skipping leads to another track wherever there is one.
            let no_repeat = self.options.no_repeat.max(usize::from(self.due == Some(Due::Skip)));
            self.chooser.set_no_repeat(no_repeat);
            self.chooser.choose(&self.library, &query(&goal)).map(|choice| (choice, 0))
        });
        self.at_a_loss = chosen.is_none();
        let Some((choice, from)) = chosen.or_else(|| self.retry(now, &goal)) else { return };
        let Some(track) = self.library.tracks.get(choice.track) else { return };
        let ticket = self.stage.load(Request { uri: track.uri.clone(), format: self.format, from });
        self.upcoming = Some(Upcoming { choice, goal, from, state: Opening::Under(ticket) });
    }

    /// What is to be played where nothing can be: the track heard last, now and then, for its disk may be back.
    fn retry(&mut self, now: u64, goal: &MusicTarget) -> Option<(Choice, u64)> {
        let track = self.last_heard?;
        let pause = RETRY_SECONDS * u64::from(self.format.rate);
        if now < *self.retry_at.get_or_insert(now + pause) {
            return None;
        }
        self.retry_at = Some(now + pause);
        let distance = self.library.tracks.get(track)?.affect.unwrap_or_default().distance(goal.affect);
        let reason = "can be played again".into();
        Some((Choice { track, distance, reason, runners_up: Vec::new() }, 0))
    }

    /// A track can be played again: so may be the others.
    fn recover(&mut self) {
        (self.at_a_loss, self.retry_at) = (false, None);
        self.chooser.forgive();
    }

    /// Whether the next track is open. Those that cannot be played are reported and passed over.
    fn ready(&mut self, now: u64, wait: bool) -> Result<bool, Interrupted> {
        loop {
            self.choose(now);
            let Some(upcoming) = &mut self.upcoming else { return Ok(false) };
            let Opening::Under(ticket) = upcoming.state else { return Ok(true) };
            match self.stage.take(ticket, wait)? {
                Some(Ok(loaded)) => upcoming.state = Opening::Done(loaded),
                Some(Err(error)) => {
                    let track = upcoming.choice.track;
                    self.upcoming = None;
                    if self.at_a_loss {
                        // Known already.
                        return Ok(false);
                    }
                    self.fail(now, track, error);
                }
                None => return Ok(false),
            }
        }
    }

    /// Begins the next track, fading out whatever sounds.
    fn begin(&mut self, now: u64) {
        let Some(Upcoming { choice, goal, from, state: Opening::Done(loaded) }) = self.upcoming.take() else {
            return;
        };
        if self.at_a_loss {
            self.recover();
        }
        self.last_heard = Some(choice.track);
        let rate = u64::from(self.format.rate);
        let ending = self.leading().and_then(Voice::remaining);
        let length = match (self.due, ending) {
            _ if self.voices.is_empty() => self.options.crossfade.min(rate / FADE_IN),
            (None, Some(left)) => left,
            _ => self.cut(),
        };
        if self.due == Some(Due::Mood) {
            self.note_place();
        }
        self.due = None;
        let sounding = self.voices.iter().any(|voice| voice.remaining() != Some(0));
        for voice in &mut self.voices {
            voice.leads = false;
            voice.fade = Fade::new(voice.fade.gain(), 0.0, length);
        }
        if self.voices.len() >= VOICES {
            self.voices[0].fade = Fade::new(self.voices[0].fade.gain(), 0.0, rate / DECLICK);
        }
        let gain = loaded.loudness.gain(self.options.target_lufs);
        self.chooser.played(choice.track);
        let (first, length) = if from == 0 && !sounding { (1.0, 0) } else { (0.0, length) };
        self.voices.push(Voice {
            source: loaded.source,
            track: choice.track,
            goal,
            fade: Fade::new(first, 1.0, length),
            volume: gain,
            began: loaded.from,
            position: loaded.from,
            leads: true,
            starved: 0,
            dry: false,
        });
        let mut line = self.line(TrackEvent::Started, choice.track, Some(&goal));
        line.distance = Some(choice.distance);
        line.reason = choice.reason;
        let uri =
            |index: usize| self.library.tracks.get(index).map(|track| track.uri.clone()).unwrap_or_default();
        line.runners_up = choice
            .runners_up
            .iter()
            .map(|&(index, distance)| Candidate { uri: uri(index), distance })
            .collect();
        self.events.push(Event { frame: now, line });
        if sounding && length > 0 {
            self.crossfading = true;
            let line = self.line(TrackEvent::CrossfadeStarted, choice.track, Some(&goal));
            self.events.push(Event { frame: now, line });
        }
    }

    /// A voice still fading out for this very emotion leads again.
    fn raise(&mut self, now: u64, goal: &MusicTarget) -> bool {
        let same = |voice: &Voice<S::Source>| {
            voice.goal.emotion.is_some()
                && voice.goal.emotion == goal.emotion
                && voice.source.ending().is_none()
        };
        let Some(index) = self.voices.iter().rposition(same) else { return false };
        if self.voices[index].leads {
            return true;
        }
        self.note_place();
        let length = self.cut();
        for (other, voice) in self.voices.iter_mut().enumerate() {
            voice.leads = other == index;
            voice.fade = Fade::new(voice.fade.gain(), if voice.leads { 1.0 } else { 0.0 }, length);
        }
        if self.voices.len() > 1 {
            self.crossfading = true;
            let line = self.line(TrackEvent::CrossfadeStarted, self.voices[index].track, Some(goal));
            self.events.push(Event { frame: now, line });
        }
        true
    }

    /// Notes where the leading track is left; one that was ending anyway begins anew.
    fn note_place(&mut self) {
        let left = self.leading().and_then(|voice| {
            let position = if voice.source.ending().is_some() { 0 } else { voice.position };
            Some((voice.goal.emotion?, (voice.track, position)))
        });
        self.left.extend(left);
    }

    fn fade_out_all(&mut self) {
        self.note_place();
        let length = self.cut();
        for voice in &mut self.voices {
            voice.leads = false;
            voice.fade = Fade::new(voice.fade.gain(), 0.0, length);
        }
    }

    /// How long a fade in the midst of a track is.
    fn cut(&self) -> u64 {
        self.options.crossfade.max(u64::from(self.format.rate) / DECLICK)
    }

    fn drop_upcoming(&mut self) {
        match self.upcoming.take().map(|upcoming| upcoming.state) {
            Some(Opening::Under(ticket)) => self.stage.cancel(ticket),
            Some(Opening::Done(loaded)) => self.stage.dispose(loaded.source),
            None => {}
        }
    }

    /// How many frames can be mixed before something may begin or end; at least one.
    fn span(&self, rest: usize) -> usize {
        let voices = self.voices.iter().map(|voice| {
            let fade = voice.fade.left();
            let end = voice.remaining().map_or(u64::MAX, |left| {
                let fade = if voice.leads { self.last_fade(voice, left) } else { 0 };
                if left > fade { left - fade } else { left }
            });
            end.min(if fade > 0 { fade } else { u64::MAX })
        });
        voices.fold(rest as u64, u64::min).max(1) as usize
    }

    fn mix(&mut self, out: &mut [f32], wait: bool) -> Result<(), Interrupted> {
        let width = self.format.width();
        let frames = out.len() / width;
        // Without waiting, a little more tells whether it is about to run dry.
        let wanted = if wait { frames } else { frames + self.format.rate as usize / 10 };
        for voice in &mut self.voices {
            voice.source.fill(wanted, wait)?;
        }
        for voice in &mut self.voices {
            self.scratch.clear();
            self.scratch.resize(out.len(), 0.0);
            let read = if wait {
                voice.source.read(&mut self.scratch)
            } else {
                voice.read_unwaiting(&mut self.scratch, self.format)
            };
            voice.position += read as u64;
            voice.starved = if read == frames { 0 } else { voice.starved + (frames - read) as u64 };
            voice.fade.mix(out, &self.scratch, width, voice.volume);
        }
        Ok(())
    }

    /// Closes what has ended.
    fn settle(&mut self, now: u64) {
        let patience = STARVED_SECONDS * u64::from(self.format.rate);
        let mut index = 0;
        while let Some(voice) = self.voices.get(index) {
            let faded = voice.fade.left() == 0 && voice.fade.to() == 0.0;
            let ran_out = voice.remaining() == Some(0);
            let starved = voice.starved >= patience;
            if !(faded || ran_out || starved) {
                index += 1;
                continue;
            }
            let voice = self.voices.remove(index);
            match voice.source.ending() {
                Some(Ending::Broken(error)) if ran_out => self.fail(now, voice.track, error.clone()),
                None if starved => self.fail(now, voice.track, "gave no sound for too long".into()),
                _ => {
                    let line = self.line(TrackEvent::Ended, voice.track, Some(&voice.goal));
                    self.events.push(Event { frame: now, line });
                }
            }
            self.stage.dispose(voice.source);
        }
        if self.crossfading && self.voices.len() <= 1 {
            self.crossfading = false;
            if let Some((track, goal)) = self.leading().map(|voice| (voice.track, voice.goal)) {
                let line = self.line(TrackEvent::CrossfadeDone, track, Some(&goal));
                self.events.push(Event { frame: now, line });
            }
        }
    }

    fn fail(&mut self, now: u64, track: usize, error: String) {
        self.chooser.failed(track);
        self.left.retain(|_, (left, _)| *left != track);
        let mut line = self.line(TrackEvent::Failed, track, None);
        line.reason = error;
        self.events.push(Event { frame: now, line });
    }

    fn line(&self, event: TrackEvent, track: usize, goal: Option<&MusicTarget>) -> TrackLine {
        let track = self.library.tracks.get(track);
        TrackLine {
            pts: 0,
            event,
            uri: track.map(|track| track.uri.clone()).unwrap_or_default(),
            title: track.map(|track| track.title.clone()).unwrap_or_default(),
            mood: goal.and_then(|goal| goal.emotion).map(Mood::Known),
            distance: None,
            reason: String::new(),
            runners_up: Vec::new(),
        }
    }
}

impl<S: Stage> Drop for Player<S> {
    fn drop(&mut self) {
        self.drop_upcoming();
        for voice in self.voices.drain(..) {
            self.stage.dispose(voice.source);
        }
    }
}

fn query(goal: &MusicTarget) -> Query {
    Query { at: goal.affect, emotion: goal.emotion }
}

#[cfg(test)]
mod tests;
mod voice;
