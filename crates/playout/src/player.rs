//! Which track sounds when: turns targets into voices, sample by sample.
//!
//! At most one voice leads; the others fade out. While a track plays, the next one for the same mood is
//! opened ahead, so that it can begin on the very sample where the track ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mood::{MusicTarget, Resume, SwitchAt};
use mood_schema::{Candidate, Emotion, Mood, TrackEvent, TrackLine, redact_addresses};
use music_library::{Library, PlayRecord, Selection, SelectionQuery, TrackSelector};
use serde::Serialize;

use crate::gain::GainRamp;
use crate::{
    AnalysisProgress, AudioFormat, Fade, Interrupted, Limiter, LoadId, LoadRequest, LoadedTrack, Loudness,
    PlayoutOptions, TrackEnd, TrackError, TrackLoader, TrackSource, WaitMode,
};
use voice::Voice;

/// Something happened to a track.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerEvent {
    /// The sample at which it is heard.
    pub sample: u64,
    /// What happened. Its own time is 0: the player knows no times.
    pub line: TrackLine,
}

/// A track that plays or follows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TrackStatus {
    /// Its address, without credentials.
    pub uri: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its artist; may be empty.
    pub artist: String,
    /// The mood that it was selected for, where that is one and not just a point.
    pub mood: Option<Mood>,
    /// Its distance from the point that was asked for; `None` where it plays.
    pub distance: Option<f64>,
    /// Why it was selected; empty where it plays.
    pub reason: String,
    /// How much of it has been played, ns.
    pub position: u64,
    /// How long it sounds, from where it was begun, silence at its end left out, ns; the library's duration until it has
    /// been listened to, and `None` where that is not known.
    pub duration: Option<u64>,
    /// Its rating, -2 to 2.
    pub rating: i32,
}

/// What a player plays, for a user to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlayerStatus {
    /// The track that leads.
    pub playing: Option<TrackStatus>,
    /// The track that follows it as things are.
    pub next: Option<TrackStatus>,
    /// Whether there is a track to go back to.
    pub has_previous: bool,
}

/// The shortest fade that makes no click, as a divisor of a second: 5 ms.
const DECLICK_DIVISOR: u64 = 200;
/// The longest fade-in of music that begins in silence, as a divisor of a second: 500 ms.
const FADE_IN_DIVISOR: u64 = 2;
/// The longest crossfade at a track's end, as a divisor of the track's length: a quarter of it.
const FADE_SHARE: u64 = 4;
/// With this many voices at once, the oldest is faded out quickly.
const MAX_VOICES: usize = 8;
/// How far beyond the crossfade a track is decoded ahead, as a divisor of a second: 100 ms.
const LOOKAHEAD_DIVISOR: u64 = 10;
/// A track that gives no samples for this long, in seconds of audio, is taken for broken.
const STALL_SECONDS: u64 = 5;
/// Where no track can be played, how often one is tried again, in seconds of audio.
const RETRY_SECONDS: u64 = 10;
/// How often missing files are looked for, in seconds of audio.
const LOOK_SECONDS: u64 = 1;

/// The track to play next.
struct NextTrack<S> {
    /// The track, and why it was selected.
    selection: Selection,
    /// What it was selected for.
    target: MusicTarget,
    /// The position in the track to begin at, samples.
    start: u64,
    /// Whether it is open.
    state: LoadState<S>,
}

/// Whether a track is open yet.
enum LoadState<S> {
    /// The loader is at it.
    Loading(LoadId),
    /// It is open.
    Loaded(LoadedTrack<S>),
}

/// Why a track is to begin before the present one ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SwitchReason {
    /// The target has changed.
    Mood,
    /// Somebody asked for another track.
    Skip,
    /// Somebody asked for the track before.
    Previous,
}

/// How many tracks one can go back.
const MAX_BACK: usize = 1_000;

/// Plays tracks of a library for a target that may change at any time.
pub struct Player<L: TrackLoader> {
    loader: L,
    library: Arc<Library>,
    selector: TrackSelector,
    format: AudioFormat,
    options: PlayoutOptions,
    /// The tracks that sound, in the order in which they began.
    voices: Vec<Voice<L::Source>>,
    /// What music is wanted; `None` is silence.
    target: Option<MusicTarget>,
    /// Set while a track is to begin before the present one ends.
    pending_switch: Option<SwitchReason>,
    next_track: Option<NextTrack<L::Source>>,
    /// For each emotion, the track that played for it and the position where it was left.
    resume_points: BTreeMap<Emotion, (usize, u64)>,
    /// Faded out by a command: silent until the target changes.
    faded_out: bool,
    /// A crossfade has begun and not ended.
    crossfading: bool,
    /// Music is wanted and no track can be played.
    nothing_playable: bool,
    /// Tracks that were not found, by index. They are played again once they are there.
    missing: BTreeSet<usize>,
    /// A track could not be played for another reason.
    has_unplayable: bool,
    /// The sample from which on missing files are looked for again.
    look_at: u64,
    /// The track that was begun last.
    last_track: Option<usize>,
    /// The tracks that were begun, the latest last, without those that were gone back from.
    begun: Vec<usize>,
    /// Whether the track that plays follows itself.
    loop_track: bool,
    /// While nothing can be played: the sample at which a track is tried again.
    retry_at: Option<u64>,
    limiter: Limiter,
    /// Whether the limiter has been given as many samples as it looks ahead.
    limiter_primed: bool,
    /// One voice's samples, before they are mixed.
    scratch: Vec<f32>,
    /// In the order of their samples.
    events: Vec<PlayerEvent>,
}

impl<L: TrackLoader> Player<L> {
    /// A player that is silent until it is given a target. The output has the given format, which is also
    /// what tracks are decoded to.
    pub fn new(loader: L, library: Arc<Library>, options: &PlayoutOptions, format: AudioFormat) -> Self {
        Self {
            loader,
            library,
            selector: TrackSelector::new(options.seed, options.no_repeat as usize),
            format,
            options: *options,
            voices: Vec::new(),
            target: None,
            pending_switch: None,
            next_track: None,
            resume_points: BTreeMap::new(),
            faded_out: false,
            crossfading: false,
            nothing_playable: false,
            missing: BTreeSet::new(),
            has_unplayable: false,
            look_at: 0,
            last_track: None,
            begun: Vec::new(),
            loop_track: false,
            retry_at: None,
            limiter: Limiter::new(format.rate, format.channel_count()),
            limiter_primed: false,
            scratch: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The format of the output.
    pub fn format(&self) -> AudioFormat {
        self.format
    }

    /// The loader, for tests that change its behaviour.
    #[cfg(test)]
    pub(crate) fn loader_mut(&mut self) -> &mut L {
        &mut self.loader
    }

    /// Sets the options for the fades and selections from now on.
    pub fn set_options(&mut self, options: &PlayoutOptions) {
        self.options = *options;
    }

    /// The address of the track that leads.
    pub fn playing(&self) -> Option<&str> {
        let track = self.leading().map(|voice| voice.track)?;
        self.library.tracks.get(track).map(|track| track.uri.as_str())
    }

    /// Whether music is wanted and no track can be played.
    pub fn is_nothing_playable(&self) -> bool {
        self.nothing_playable
    }

    /// Whether all tracks that failed did so because their files are not there.
    pub fn is_only_missing(&self) -> bool {
        !self.missing.is_empty() && !self.has_unplayable
    }

    /// Takes the events up to the sample `until` that were not taken yet. Those of audio that has been mixed
    /// but is not yet heard follow later.
    pub fn take_events(&mut self, until: u64) -> Vec<PlayerEvent> {
        let heard = self.events.iter().take_while(|event| event.sample <= until).count();
        self.events.drain(..heard).collect()
    }

    /// Begins to count samples from 0 again. Tracks play on.
    pub fn restart_count(&mut self) {
        self.events.iter_mut().for_each(|event| event.sample = 0);
        (self.retry_at, self.look_at) = (None, 0);
    }

    /// Sets what music is wanted from now on; `None` is silence. A track that also fits the new target plays
    /// on. `at` is the sample that is rendered next.
    pub fn set_target(&mut self, at: u64, target: Option<MusicTarget>) {
        if target == self.target {
            return;
        }
        let now = at + self.limiter_delay();
        self.target = target;
        self.faded_out = false;
        self.pending_switch = None;
        self.drop_next_track();
        let Some(target) = target else {
            self.fade_out_voices();
            return;
        };
        if self.options.resume == Resume::Continue && self.revive_voice(now, &target) {
            return;
        }
        let fits = self
            .leading()
            .is_some_and(|voice| self.selector.is_fitting(&self.library, voice.track, &query(&target)));
        if fits {
            if let Some(voice) = self.voices.iter_mut().find(|voice| voice.leads) {
                voice.target = target;
            }
        } else if self.leading().is_none() || self.options.switch_at == SwitchAt::Now {
            self.pending_switch = Some(SwitchReason::Mood);
        }
    }

    /// Goes on to another track for the same target. The one that plays stays away for a while.
    pub fn skip(&mut self) {
        self.faded_out = false;
        if let Some(track) = self.leading().map(|voice| voice.track) {
            self.selector.record_skip(track);
        }
        if self.target.is_some() {
            self.drop_next_track();
            self.pending_switch = Some(SwitchReason::Skip);
        }
    }

    /// Goes back to the track that was begun before the last one; does nothing where there is none.
    pub fn previous(&mut self) {
        let Some(track) = self.previous_track().filter(|_| self.target.is_some()) else { return };
        self.faded_out = false;
        self.selector.clear_skip(track);
        self.drop_next_track();
        self.pending_switch = Some(SwitchReason::Previous);
    }

    /// The track that [`Self::previous`] goes back to.
    fn previous_track(&self) -> Option<usize> {
        let before = self.begun.len().checked_sub(2)?;
        self.begun.get(before).copied()
    }

    /// Fades to silence, until the target changes or [`Self::skip`] is called.
    pub fn fade_out(&mut self) {
        self.faded_out = true;
        self.pending_switch = None;
        self.drop_next_track();
        self.fade_out_voices();
    }

    /// Rates the track with this address, also one without credentials, -2 to 2. Returns the address by which the
    /// library knows it.
    pub fn rate(&mut self, uri: &str, rating: i32) -> Option<String> {
        let track = self.find_track(uri)?;
        self.selector.set_rating(track, rating);
        self.forget_next_track(track);
        self.library.tracks.get(track).map(|track| track.uri.clone())
    }

    /// Sets whether a track is never played, by its address as [`Self::rate`] does. One that plays ends where
    /// [`Self::skip`] is called.
    pub fn set_excluded(&mut self, uri: &str, excluded: bool) -> Option<String> {
        let track = self.find_track(uri)?;
        self.selector.set_excluded(track, excluded);
        if excluded {
            self.resume_points.retain(|_, (resumable, _)| *resumable != track);
            self.forget_begun(track);
            self.forget_next_track(track);
        } else {
            self.selector.clear_skip(track);
        }
        self.library.tracks.get(track).map(|track| track.uri.clone())
    }

    /// The index of the track with this address, also one without credentials.
    fn find_track(&self, uri: &str) -> Option<usize> {
        let tracks = &self.library.tracks;
        let position = tracks.iter().position(|track| track.uri == uri);
        position.or_else(|| tracks.iter().position(|track| redact_addresses(&track.uri) == uri))
    }

    /// Has another track selected to follow, where this one would.
    fn forget_next_track(&mut self, track: usize) {
        if self.next_track.as_ref().is_some_and(|next| next.selection.track == track) {
            self.drop_next_track();
        }
    }

    /// Takes a track out of those that one can go back to. The latest stays: it is what one goes back from.
    fn forget_begun(&mut self, track: usize) {
        let latest = self.begun.pop();
        self.begun.retain(|begun| *begun != track);
        self.begun.extend(latest);
    }

    /// Sets whether the track that plays follows itself.
    pub fn set_loop_track(&mut self, loop_track: bool) {
        if std::mem::replace(&mut self.loop_track, loop_track) != loop_track {
            self.drop_next_track();
        }
    }

    /// What plays and what follows it.
    pub fn status(&self) -> PlayerStatus {
        let nanoseconds =
            |samples: u64| (u128::from(samples) * 1_000_000_000 / u128::from(self.format.rate.max(1))) as u64;
        let status_of = |track: usize| {
            let track_info = self.library.tracks.get(track)?;
            Some(TrackStatus {
                uri: redact_addresses(&track_info.uri).into_owned(),
                title: track_info.title.clone(),
                artist: track_info.artist.clone(),
                rating: self.selector.rating(&self.library, track),
                ..TrackStatus::default()
            })
        };
        let playing = self.leading().and_then(|voice| {
            let known = self.library.tracks.get(voice.track).and_then(|track| track.duration);
            let known = known.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let end = voice.end.or_else(|| voice.remaining().map(|remaining| voice.position + remaining));
            Some(TrackStatus {
                mood: voice.target.emotion.map(Mood::Known),
                position: nanoseconds(voice.position.saturating_sub(voice.start)),
                duration: match end {
                    Some(end) => Some(nanoseconds(end.saturating_sub(voice.start))),
                    None => known.map(|known| {
                        let known = u64::try_from(known.as_nanos()).unwrap_or(u64::MAX);
                        known.saturating_sub(nanoseconds(voice.start))
                    }),
                },
                ..status_of(voice.track)?
            })
        });
        let next = self.next_track.as_ref().and_then(|next| {
            Some(TrackStatus {
                mood: next.target.emotion.map(Mood::Known),
                distance: Some(next.selection.distance),
                reason: next.selection.reason.clone(),
                ..status_of(next.selection.track)?
            })
        });
        PlayerStatus { playing, next, has_previous: self.previous_track().is_some() }
    }

    /// Takes into account what was heard before, the oldest first.
    pub fn set_history(&mut self, history: &[PlayRecord]) {
        self.selector.load_history(&self.library, history);
    }

    /// By how many samples the mix is ahead of what is heard, so that the limiter can look ahead.
    fn limiter_delay(&self) -> u64 {
        if self.limiter_primed { self.limiter.delay() as u64 } else { 0 }
    }

    /// Fills the interleaved `out` with the audio from the sample `at` on. After an interruption, the
    /// block can be asked for again; samples of tracks that were mixed into it already are skipped.
    pub fn render(&mut self, at: u64, out: &mut [f32], wait: WaitMode) -> Result<(), Interrupted> {
        let now = at + self.limiter_delay();
        self.correct_estimates(now);
        if wait != WaitMode::Always {
            self.look_for_missing(now, false);
        }
        if !self.limiter_primed {
            let mut first = vec![0.0; self.limiter.delay() * self.format.channel_count()];
            self.mix_block(at, &mut first, wait)?;
            self.limiter.process(&mut first);
            self.limiter_primed = true;
        }
        self.mix_block(at + self.limiter_delay(), out, wait)?;
        self.limiter.process(out);
        Ok(())
    }

    /// Fills `out` with the mix from the sample `at` on, before the limiter.
    fn mix_block(&mut self, at: u64, out: &mut [f32], wait: WaitMode) -> Result<(), Interrupted> {
        out.fill(0.0);
        let channels = self.format.channel_count();
        let total = out.len() / channels;
        let mut done = 0;
        while done < total {
            let now = at + done as u64;
            self.begin_if_due(now, wait)?;
            let samples = self.samples_to_next_change(total - done);
            let part = &mut out[done * channels..(done + samples) * channels];
            self.mix_voices(part, wait != WaitMode::Never)?;
            done += samples;
            self.remove_ended_voices(at + done as u64);
        }
        Ok(())
    }

    /// The voice that leads.
    fn leading(&self) -> Option<&Voice<L::Source>> {
        self.voices.iter().find(|voice| voice.leads)
    }

    /// Begins a track where one is due, and has the next one opened where none is.
    fn begin_if_due(&mut self, now: u64, wait: WaitMode) -> Result<(), Interrupted> {
        // Far enough ahead to know where the track ends before its last fade begins.
        let lookahead = self.crossfade() + self.format.second_divided_by(LOOKAHEAD_DIVISOR);
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.leads) {
            voice.source.fill(lookahead as usize, wait != WaitMode::Never)?;
        }
        self.exclude_broken_track();
        let ends = self.leading().is_some_and(|voice| match voice.remaining() {
            Some(remaining) => remaining <= self.final_fade(voice, remaining),
            None => false,
        });
        let silent = self.leading().is_none();
        let is_due =
            self.target.is_some() && !self.faded_out && (silent || self.pending_switch.is_some() || ends);
        if is_due {
            let wait_for_track = match wait {
                WaitMode::Always => true,
                WaitMode::UnlessPlaying => self.pending_switch.is_none() || ends || silent,
                WaitMode::Never => false,
            };
            // A listener waits for the first track, too; one that follows another has been measured meanwhile.
            let is_urgent = match wait {
                WaitMode::Always => false,
                WaitMode::UnlessPlaying => silent || !wait_for_track,
                WaitMode::Never => true,
            };
            if self.load_next_track(now, wait, is_urgent, wait_for_track)? {
                self.begin_next_track(now);
                if wait != WaitMode::Always {
                    self.measure_ahead();
                }
            }
        } else if wait == WaitMode::Always {
            // Only has it opened: when it turns out that it cannot be played must not depend on the machine's
            // speed.
            self.select_next_track(now, wait);
        } else {
            self.load_next_track(now, wait, false, false)?;
        }
        Ok(())
    }

    /// Takes up what the loader has found out about tracks that began with an estimate: gains are corrected,
    /// slowly, and the ends of tracks set.
    fn correct_estimates(&mut self, now: u64) {
        let mut silent = Vec::new();
        for voice in self.voices.iter_mut().filter(|voice| voice.is_estimate) {
            let Some(track) = self.library.tracks.get(voice.track) else { continue };
            match self.loader.analysis(&track.uri) {
                Some(Ok(AnalysisProgress { analysis, is_complete })) => {
                    voice.gain.set_target(analysis.loudness.gain_for(self.options.target_lufs));
                    voice.is_estimate = !is_complete;
                    if let Some(end) = analysis.cue.end {
                        voice.source.set_end(end);
                        voice.end = Some(end);
                    }
                }
                Some(Err(error)) => {
                    voice.is_estimate = false;
                    if voice.leads {
                        silent.push((voice.track, error));
                    }
                }
                None => {}
            }
        }
        for (track, error) in silent {
            self.drop_next_track();
            self.fade_out_voices();
            self.report_failure(now, track, error);
        }
    }

    /// Has missing files looked for, and makes the tracks that are there again eligible. With `wait`, waits
    /// for that.
    fn look_for_missing(&mut self, now: u64, wait: bool) {
        if self.missing.is_empty() || now < self.look_at {
            return;
        }
        self.look_at = now + self.format.seconds(LOOK_SECONDS);
        let uri = |track: &usize| self.library.tracks.get(*track).map(|track| track.uri.clone());
        let found = self.loader.look_for(self.missing.iter().filter_map(uri).collect(), wait);
        let is_found = |track: &usize| uri(track).is_some_and(|uri| found.contains(&uri));
        let returned: Vec<usize> = self.missing.iter().copied().filter(is_found).collect();
        for track in returned {
            self.missing.remove(&track);
            self.selector.clear_failure(track);
        }
    }

    /// Has those tracks measured that a change of mood would bring, so that the change need not wait for
    /// that.
    fn measure_ahead(&mut self) {
        self.selector.set_prefer_fit(true);
        for emotion in Emotion::ALL {
            let selection = self.selector.select(&self.library, &query(&MusicTarget::for_emotion(emotion)));
            if let Some(track) = selection.and_then(|selection| self.library.tracks.get(selection.track)) {
                self.loader.measure(&track.uri, self.format);
            }
        }
    }

    /// Excludes a track that is going to break off, so that it does not follow itself. It is reported when it
    /// does.
    fn exclude_broken_track(&mut self) {
        let is_broken = |voice: &&Voice<L::Source>| matches!(voice.source.end(), Some(TrackEnd::Broken(_)));
        let Some(track) = self.leading().filter(is_broken).map(|voice| voice.track) else { return };
        self.selector.record_failure(track);
        if self.next_track.as_ref().is_some_and(|next| next.selection.track == track) {
            self.drop_next_track();
        }
    }

    /// The crossfade in samples.
    fn crossfade(&self) -> u64 {
        (self.options.crossfade.as_secs_f64() * f64::from(self.format.rate)) as u64
    }

    /// The length of the fade at the end of a voice's track that has `remaining` samples.
    fn final_fade(&self, voice: &Voice<L::Source>, remaining: u64) -> u64 {
        self.crossfade().min((voice.position - voice.start + remaining) / FADE_SHARE)
    }

    /// The length of a fade in the middle of a track.
    fn switch_fade(&self) -> u64 {
        self.crossfade().max(self.format.second_divided_by(DECLICK_DIVISOR))
    }

    /// Selects the next track and has it opened, unless that has been done.
    fn select_next_track(&mut self, now: u64, wait: WaitMode) {
        let Some(target) = self.target.filter(|_| self.next_track.is_none() && !self.faded_out) else {
            return;
        };
        if wait == WaitMode::Always {
            // Here, where a track is selected, so that the result does not depend on the machine's speed.
            self.look_for_missing(now, true);
        }
        let returning = self.returning_track(&target).or_else(|| self.repeated_track(&target));
        let selected = returning.or_else(|| {
            // Skipping leads to another track wherever there is one.
            let skips = self.pending_switch == Some(SwitchReason::Skip);
            let no_repeat = (self.options.no_repeat as usize).max(usize::from(skips));
            self.selector.set_no_repeat(no_repeat);
            self.selector.set_shuffle(self.options.shuffle);
            // Where a track has ended or was skipped, another is better than the same again.
            let is_new_mood = self.pending_switch == Some(SwitchReason::Mood) || self.leading().is_none();
            self.selector.set_prefer_fit(is_new_mood);
            self.selector.select(&self.library, &query(&target)).map(|selection| (selection, 0))
        });
        self.nothing_playable = selected.is_none();
        let Some((selection, start)) = selected.or_else(|| self.retry_last_track(now, &target)) else {
            return;
        };
        let Some(track) = self.library.tracks.get(selection.track) else { return };
        let known = track.loudness.map(|integrated| Loudness {
            integrated,
            true_peak: track.true_peak.map_or(1.0, |peak| 10f64.powf(peak / 20.0)),
        });
        let id = self.loader.load(LoadRequest { uri: track.uri.clone(), format: self.format, start, known });
        self.next_track = Some(NextTrack { selection, target, start, state: LoadState::Loading(id) });
    }

    /// The track that played for this emotion before and its start, where the mood has returned and the
    /// options say so.
    fn returning_track(&self, target: &MusicTarget) -> Option<(Selection, u64)> {
        let (track, position) = match (self.pending_switch, self.options.resume, target.emotion) {
            (Some(SwitchReason::Mood), Resume::Continue | Resume::Restart, Some(emotion)) => {
                *self.resume_points.get(&emotion)?
            }
            _ => return None,
        };
        let start = if self.options.resume == Resume::Restart { 0 } else { position };
        let reason = if start == 0 {
            "the mood's track, from its beginning"
        } else {
            "the mood's track, where it was left"
        };
        Some((self.selection_without_alternatives(track, target, reason)?, start))
    }

    /// The track that somebody goes back to, or that follows itself.
    fn repeated_track(&self, target: &MusicTarget) -> Option<(Selection, u64)> {
        let (track, reason) = match self.pending_switch {
            Some(SwitchReason::Previous) => (self.previous_track()?, "the track before"),
            None if self.loop_track => (self.leading()?.track, "repeated, as asked for"),
            _ => return None,
        };
        let is_selectable = self.selector.is_selectable(&self.library, track);
        is_selectable.then(|| Some((self.selection_without_alternatives(track, target, reason)?, 0)))?
    }

    /// Where nothing can be played: the track heard last, every few seconds, for its disk may be back.
    fn retry_last_track(&mut self, now: u64, target: &MusicTarget) -> Option<(Selection, u64)> {
        let track = self.last_track?;
        let pause = self.format.seconds(RETRY_SECONDS);
        if now < *self.retry_at.get_or_insert(now + pause) {
            return None;
        }
        self.retry_at = Some(now + pause);
        Some((self.selection_without_alternatives(track, target, "can be played again")?, 0))
    }

    /// A selection that the selector did not make.
    fn selection_without_alternatives(
        &self,
        track: usize,
        target: &MusicTarget,
        reason: &str,
    ) -> Option<Selection> {
        let distance = self.library.tracks.get(track)?.affect.unwrap_or_default().distance(target.affect);
        Some(Selection { track, distance, reason: reason.into(), runners_up: Vec::new() })
    }

    /// Has all tracks tried again, because one can be played again.
    fn end_retries(&mut self) {
        (self.nothing_playable, self.retry_at, self.has_unplayable) = (false, None, false);
        self.missing.clear();
        self.selector.clear_failures();
    }

    /// Whether the next track is open. Tracks that cannot be played are reported, and others selected. With
    /// `wait_for_track`, waits until one is open. One that `is_urgent` begins with an estimate of its loudness
    /// rather than late.
    fn load_next_track(
        &mut self,
        now: u64,
        wait: WaitMode,
        is_urgent: bool,
        wait_for_track: bool,
    ) -> Result<bool, Interrupted> {
        loop {
            self.select_next_track(now, wait);
            let Some(next) = &mut self.next_track else { return Ok(false) };
            let LoadState::Loading(id) = next.state else { return Ok(true) };
            if is_urgent {
                self.loader.expedite(id);
            }
            match self.loader.take(id, wait_for_track)? {
                Some(Ok(loaded)) => next.state = LoadState::Loaded(loaded),
                Some(Err(error)) => {
                    let track = next.selection.track;
                    self.next_track = None;
                    if self.nothing_playable {
                        // A retry; its failure has been reported before.
                        return Ok(false);
                    }
                    self.report_failure(now, track, error);
                }
                None => return Ok(false),
            }
        }
    }

    /// Begins the next track, which is open, and fades out whatever sounds.
    fn begin_next_track(&mut self, now: u64) {
        let Some(NextTrack { selection, target, start, state: LoadState::Loaded(loaded) }) =
            self.next_track.take()
        else {
            return;
        };
        if self.nothing_playable {
            self.end_retries();
        }
        self.last_track = Some(selection.track);
        if self.pending_switch == Some(SwitchReason::Previous) {
            self.begun.truncate(self.begun.len().saturating_sub(2));
        }
        if self.begun.len() == MAX_BACK {
            self.begun.remove(0);
        }
        self.begun.push(selection.track);
        let remaining = self.leading().and_then(Voice::remaining);
        let length = match (self.pending_switch, remaining) {
            _ if self.voices.is_empty() => {
                self.crossfade().min(self.format.second_divided_by(FADE_IN_DIVISOR))
            }
            (None, Some(remaining)) => remaining,
            _ => self.switch_fade(),
        };
        if self.pending_switch == Some(SwitchReason::Mood) {
            self.save_resume_point();
        }
        self.pending_switch = None;
        let sounding = self.voices.iter().any(|voice| voice.remaining() != Some(0));
        for voice in &mut self.voices {
            voice.leads = false;
            voice.fade = Fade::new(voice.fade.gain(), 0.0, length);
        }
        if self.voices.len() >= MAX_VOICES {
            let quick = self.format.second_divided_by(DECLICK_DIVISOR);
            self.voices[0].fade = Fade::new(self.voices[0].fade.gain(), 0.0, quick);
        }
        let gain = loaded.loudness.gain_for(self.options.target_lufs);
        self.selector.record_play(selection.track);
        // A track's own beginning needs no fade where nothing else sounds.
        let fade = if start == 0 && !sounding { Fade::new(1.0, 1.0, 0) } else { Fade::new(0.0, 1.0, length) };
        let crossfades = sounding && fade.remaining() > 0;
        self.voices.push(Voice {
            source: loaded.source,
            track: selection.track,
            target,
            fade,
            gain: GainRamp::new(gain, self.format.rate),
            is_estimate: loaded.is_estimate,
            start: loaded.start,
            end: loaded.end,
            position: loaded.start,
            leads: true,
            missing: 0,
            ran_dry: false,
        });
        let mut line = self.line(TrackEvent::Started, selection.track, Some(&target));
        line.distance = Some(selection.distance);
        line.reason = selection.reason;
        let uri =
            |index: usize| self.library.tracks.get(index).map(|track| track.uri.clone()).unwrap_or_default();
        line.runners_up = selection
            .runners_up
            .iter()
            .map(|&(index, distance)| Candidate { uri: uri(index), distance })
            .collect();
        self.events.push(PlayerEvent { sample: now, line });
        if crossfades {
            self.begin_crossfade(now, selection.track, &target);
        }
    }

    /// Reports that two tracks sound from now on.
    fn begin_crossfade(&mut self, now: u64, track: usize, target: &MusicTarget) {
        self.crossfading = true;
        let line = self.line(TrackEvent::CrossfadeStarted, track, Some(target));
        self.events.push(PlayerEvent { sample: now, line });
    }

    /// Lets a voice that is still fading out for this very emotion lead again; false where there is none.
    fn revive_voice(&mut self, now: u64, target: &MusicTarget) -> bool {
        let has_same_emotion = |voice: &Voice<L::Source>| {
            voice.target.emotion.is_some()
                && voice.target.emotion == target.emotion
                && voice.source.end().is_none()
        };
        let Some(index) = self.voices.iter().rposition(has_same_emotion) else { return false };
        if self.voices[index].leads {
            return true;
        }
        self.save_resume_point();
        let length = self.switch_fade();
        for (other, voice) in self.voices.iter_mut().enumerate() {
            voice.leads = other == index;
            voice.fade = Fade::new(voice.fade.gain(), if voice.leads { 1.0 } else { 0.0 }, length);
        }
        if self.voices.len() > 1 {
            self.begin_crossfade(now, self.voices[index].track, target);
        }
        true
    }

    /// Records where the leading track is left. One whose end is near begins anew.
    fn save_resume_point(&mut self) {
        let point = self.leading().and_then(|voice| {
            let position = if voice.source.end().is_some() { 0 } else { voice.position };
            Some((voice.target.emotion?, (voice.track, position)))
        });
        self.resume_points.extend(point);
    }

    /// Fades all voices out, so that none leads.
    fn fade_out_voices(&mut self) {
        self.save_resume_point();
        let length = self.switch_fade();
        for voice in &mut self.voices {
            voice.leads = false;
            voice.fade = Fade::new(voice.fade.gain(), 0.0, length);
        }
    }

    /// Gives up the next track.
    fn drop_next_track(&mut self) {
        match self.next_track.take().map(|next| next.state) {
            Some(LoadState::Loading(id)) => self.loader.cancel(id),
            Some(LoadState::Loaded(loaded)) => self.loader.close(loaded.source),
            None => {}
        }
    }

    /// How many samples, at most `limit` and at least one, can be mixed before a track or a fade may begin or
    /// end.
    fn samples_to_next_change(&self, limit: usize) -> usize {
        let changes = self.voices.iter().map(|voice| {
            let fade = voice.fade.remaining();
            let end = voice.remaining().map_or(u64::MAX, |remaining| {
                let fade = if voice.leads { self.final_fade(voice, remaining) } else { 0 };
                if remaining > fade { remaining - fade } else { remaining }
            });
            end.min(if fade > 0 { fade } else { u64::MAX })
        });
        changes.fold(limit as u64, u64::min).max(1) as usize
    }

    /// Adds the next samples of all voices to `out`.
    fn mix_voices(&mut self, out: &mut [f32], wait: bool) -> Result<(), Interrupted> {
        let channels = self.format.channel_count();
        let samples = out.len() / channels;
        // Without waiting, a little more shows whether a source is about to run dry.
        let lookahead = if wait { 0 } else { self.format.second_divided_by(LOOKAHEAD_DIVISOR) as usize };
        for voice in &mut self.voices {
            voice.source.fill(samples + lookahead, wait)?;
        }
        for voice in &mut self.voices {
            self.scratch.clear();
            self.scratch.resize(out.len(), 0.0);
            let read = if wait {
                voice.source.read(&mut self.scratch)
            } else {
                voice.read_decoded(&mut self.scratch, self.format)
            };
            voice.position += read as u64;
            voice.missing = if read == samples { 0 } else { voice.missing + (samples - read) as u64 };
            voice.fade.mix_into(out, &self.scratch, channels, &mut voice.gain);
        }
        Ok(())
    }

    /// Closes the tracks of voices that have faded out, ended or broken, and reports that.
    fn remove_ended_voices(&mut self, now: u64) {
        let max_missing = self.format.seconds(STALL_SECONDS);
        let mut index = 0;
        while let Some(voice) = self.voices.get(index) {
            let has_faded_out = voice.fade.remaining() == 0 && voice.fade.target() == 0.0;
            let has_ended = voice.remaining() == Some(0);
            let has_stalled = voice.missing >= max_missing;
            if !(has_faded_out || has_ended || has_stalled) {
                index += 1;
                continue;
            }
            let voice = self.voices.remove(index);
            match voice.source.end() {
                Some(TrackEnd::Broken(error)) if has_ended => {
                    self.report_failure(now, voice.track, error.clone());
                }
                None if has_stalled => {
                    self.report_failure(now, voice.track, "gave no sound for too long".into());
                }
                _ => {
                    let line = self.line(TrackEvent::Ended, voice.track, Some(&voice.target));
                    self.events.push(PlayerEvent { sample: now, line });
                }
            }
            self.loader.close(voice.source);
        }
        if self.crossfading && self.voices.len() <= 1 {
            self.crossfading = false;
            if let Some((track, target)) = self.leading().map(|voice| (voice.track, voice.target)) {
                let line = self.line(TrackEvent::CrossfadeDone, track, Some(&target));
                self.events.push(PlayerEvent { sample: now, line });
            }
        }
    }

    /// Reports that a track cannot be played, and excludes it.
    fn report_failure(&mut self, now: u64, track: usize, error: TrackError) {
        self.selector.record_failure(track);
        match error {
            TrackError::NotFound => _ = self.missing.insert(track),
            TrackError::Unplayable(_) => self.has_unplayable = true,
        }
        self.resume_points.retain(|_, (resumable, _)| *resumable != track);
        self.forget_begun(track);
        let mut line = self.line(TrackEvent::Failed, track, None);
        line.reason = error.to_string();
        self.events.push(PlayerEvent { sample: now, line });
    }

    /// A line for the decision log about a track, without what only the start of a track has.
    fn line(&self, event: TrackEvent, track: usize, target: Option<&MusicTarget>) -> TrackLine {
        let track = self.library.tracks.get(track);
        TrackLine {
            pts: 0,
            event,
            uri: track.map(|track| track.uri.clone()).unwrap_or_default(),
            title: track.map(|track| track.title.clone()).unwrap_or_default(),
            mood: target.and_then(|target| target.emotion).map(Mood::Known),
            distance: None,
            reason: String::new(),
            runners_up: Vec::new(),
        }
    }
}

impl<L: TrackLoader> Drop for Player<L> {
    fn drop(&mut self) {
        self.drop_next_track();
        for voice in self.voices.drain(..) {
            self.loader.close(voice.source);
        }
    }
}

/// What the selector is asked for.
fn query(target: &MusicTarget) -> SelectionQuery {
    SelectionQuery { affect: target.affect, emotion: target.emotion }
}

#[cfg(test)]
mod tests;
mod voice;
