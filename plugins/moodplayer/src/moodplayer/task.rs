//! The source pad's task: waits until the next chunk of audio may be made, makes it, pushes it.

use std::sync::PoisonError;

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood_schema::{Line, TrackEvent, TrackLine};

use super::format::{self, Format};
use super::imp::{CAT, MoodPlayer, lock};
use super::input::{Clock, Gate};
use super::performance::{Chunk, Moment, Notice, Performance};
use super::stage::{Interrupted, Patience};
use super::timeline::Timeline;

/// Chunks of audio a second: how finely decisions are placed.
const CHUNKS_A_SECOND: u64 = 100;

/// Why the task rests.
pub enum Stop {
    Flushing,
    /// Time begins anew: not at all.
    Again,
    /// The last sample has been pushed, or must not be.
    Eos,
    /// Already reported.
    Failed(gst::FlowError),
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Self::Flushing
    }
}

/// Where and how the audio begins.
struct Start {
    /// The mood's.
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    seqnum: Option<gst::Seqnum>,
    /// No earlier than this running time, ns.
    from: u64,
}

/// What may be made now.
struct Turn {
    frames: u64,
    moment: Moment,
}

impl MoodPlayer {
    /// One turn of the task.
    pub fn iterate(&self) {
        // Nobody else needs it while the task runs, and nothing is told under a lock.
        let Some(mut performance) = lock(&self.performance).take() else {
            let _ = self.src.pause_task();
            return;
        };
        let result = self.turn(&mut performance);
        if matches!(result, Err(Stop::Eos)) {
            performance.end();
        }
        let notices = performance.take_notices();
        let (mood, track) = (performance.mood(), performance.track());
        *lock(&self.performance) = Some(performance);
        self.tell(notices);
        self.set_playing(mood, track);
        let Err(stop) = result else { return };
        if !matches!(stop, Stop::Again) {
            let _ = self.src.pause_task();
        }
        match stop {
            Stop::Flushing | Stop::Again => {}
            Stop::Eos => {
                gst::debug!(CAT, imp = self, "the end");
                self.set_flow(Err(gst::FlowError::Eos));
                self.src.push_event(gst::event::Eos::new());
            }
            Stop::Failed(error) => {
                self.set_flow(Err(error));
                self.src.push_event(gst::event::Eos::new());
            }
        }
    }

    fn turn(&self, performance: &mut Performance) -> Result<(), Stop> {
        self.begin(performance)?;
        self.refresh_settings(performance);
        let (Some(timeline), Some(format)) = (performance.timeline.clone(), performance.format) else {
            return Err(Stop::Flushing);
        };
        let turn = self.wait_for_turn(&timeline, format, performance.frame);
        // Not before: the elements upstream say how they are set between the segment and their first frame.
        if matches!(turn, Ok(_) | Err(Stop::Eos)) {
            performance.open(|| self.settings_for_log());
        }
        let turn = turn?;
        let begins = performance.frame;
        let chunk = performance.play(turn.frames as usize, turn.moment)?;
        self.tell(performance.take_notices());
        self.set_playing(performance.mood(), performance.track());
        let mut state = lock(&self.state);
        state.inputs.audio = timeline.running(performance.frame);
        state.stream_time = Some(gst::ClockTime::from_nseconds(timeline.stream(performance.frame)));
        drop(state);
        self.changed.notify_all();
        self.push(&timeline, format, begins, turn.frames, chunk)
    }

    /// Agrees on a format and a segment where there is none yet.
    fn begin(&self, performance: &mut Performance) -> Result<(), Stop> {
        {
            let mut state = lock(&self.state);
            if std::mem::take(&mut state.restart) {
                performance.timeline = None;
            }
            for camera in std::mem::take(&mut state.removed) {
                performance.remove_camera(camera);
            }
        }
        if performance.timeline.is_some() {
            return Ok(());
        }
        let start = self.wait_for_start()?;
        if performance.format.is_none() {
            self.push_stream_start();
            let format = self.negotiate()?;
            let live = lock(&self.state).inputs.is_live();
            performance.set_format(format, &lock(&self.settings), live);
        }
        let Some(format) = performance.format else { return Err(Stop::Flushing) };
        let timeline = Timeline::new(start.segment.as_ref(), format.rate, start.from);
        let begins = timeline.running(0);
        let segment = gst::event::Segment::builder(timeline.segment()).seqnum_if_some(start.seqnum).build();
        self.src.push_event(segment);
        performance.set_timeline(timeline);
        let mut state = lock(&self.state);
        (state.discont, state.inputs.audio) = (true, begins);
        Ok(())
    }

    /// How the elements upstream and this one are set.
    fn settings_for_log(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut settings = lock(&self.state).upstream_settings.clone();
        settings.insert("moodplayer".into(), lock(&self.settings).to_json().into());
        settings
    }

    fn wait_for_start(&self) -> Result<Start, Stop> {
        let mut state = lock(&self.state);
        loop {
            if state.flushing {
                return Err(Stop::Flushing);
            }
            let live = state.inputs.is_live();
            if state.eos_requested || (state.inputs.are_ready() && (state.playing || !live)) {
                let first = state.inputs.first();
                let mut start = Start {
                    segment: first.and_then(|input| input.segment.clone()),
                    seqnum: first.and_then(|input| input.seqnum),
                    from: 0,
                };
                drop(state);
                if live {
                    start.from = self.obj().current_running_time().map_or(0, |time| time.nseconds());
                }
                return Ok(start);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push_stream_start(&self) {
        let upstream = lock(&self.state).inputs.linked().next().map(|input| input.pad.clone());
        let upstream = upstream.and_then(|pad| pad.sticky_event::<gst::event::StreamStart>(0));
        let id =
            upstream.as_ref().map_or_else(|| self.obj().name().to_string(), |event| event.stream_id().into());
        let group = upstream.and_then(|event| event.group_id()).unwrap_or_else(gst::GroupId::next);
        let event = gst::event::StreamStart::builder(&format!("{id}/music")).group_id(group).build();
        self.src.push_event(event);
    }

    fn negotiate(&self) -> Result<Format, Stop> {
        let offered = self.src.peer_query_caps(Some(&format::template()));
        let Some((format, caps)) = Format::best_of(&offered) else {
            gst::element_imp_error!(
                self,
                gst::CoreError::Negotiation,
                ("downstream takes no audio that moodplayer makes: put audioconvert and audioresample behind it")
            );
            return Err(Stop::Failed(gst::FlowError::NotNegotiated));
        };
        gst::debug!(CAT, imp = self, "playing as {caps}");
        self.src.push_event(gst::event::Caps::new(&caps));
        Ok(format)
    }

    fn refresh_settings(&self, performance: &mut Performance) {
        let settings = {
            let mut state = lock(&self.state);
            if !std::mem::take(&mut state.settings_changed) {
                return;
            }
            drop(state);
            lock(&self.settings).clone()
        };
        if let Err(error) = performance.set_settings(&settings) {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("{error}; what was set before stays")
            );
        }
    }

    /// Waits until the next chunk may be made.
    fn wait_for_turn(&self, timeline: &Timeline, format: Format, frame: u64) -> Result<Turn, Stop> {
        let chunk = (u64::from(format.rate) / CHUNKS_A_SECOND).max(1);
        let now = timeline.running(frame);
        let clock = self.obj().clock();
        let mut state = lock(&self.state);
        let frames = loop {
            if state.flushing {
                return Err(Stop::Flushing);
            }
            if state.restart {
                return Err(Stop::Again);
            }
            if state.eos_requested {
                return Err(Stop::Eos);
            }
            let runs = match (&clock, state.playing) {
                (None, _) => Clock::Missing,
                (Some(_), false) => Clock::Rests,
                (Some(_), true) => Clock::Runs,
            };
            match state.inputs.gate(timeline.running(frame + chunk), runs) {
                Gate::Open => break chunk,
                Gate::Until(end) => match timeline.frames_until(end).saturating_sub(frame) {
                    0 => return Err(Stop::Eos),
                    left => break chunk.min(left),
                },
                Gate::Paced => {
                    let due = clock.as_ref().zip(self.obj().base_time());
                    let Some((clock, base)) = due else { break chunk };
                    let id = clock.new_single_shot_id(base + gst::ClockTime::from_nseconds(now));
                    state.clock_wait = Some(id.clone().into());
                    drop(state);
                    let (waited, _) = id.wait();
                    state = lock(&self.state);
                    state.clock_wait = None;
                    if waited != Err(gst::ClockError::Unscheduled) && !state.flushing {
                        break chunk;
                    }
                }
                Gate::Wait => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let watched = state.inputs.linked().next().is_some();
        let moment = Moment {
            seen: state.inputs.take_until(now),
            commands: std::mem::take(&mut state.commands),
            watched,
            patience: match watched {
                false => Patience::Decoding,
                true if state.inputs.is_live() => Patience::Never,
                true => Patience::Always,
            },
        };
        Ok(Turn { frames, moment })
    }

    fn push(
        &self,
        timeline: &Timeline,
        format: Format,
        begins: u64,
        frames: u64,
        chunk: Chunk,
    ) -> Result<(), Stop> {
        let mut buffer = gst::Buffer::from_mut_slice(format.encode(&chunk.samples));
        if let Some(buffer) = buffer.get_mut() {
            let pts = timeline.pts(begins);
            buffer.set_pts(pts);
            buffer.set_duration(timeline.pts(begins + frames) - pts);
            buffer.set_offset(begins);
            buffer.set_offset_end(begins + frames);
            if chunk.silent {
                buffer.set_flags(gst::BufferFlags::GAP);
            }
            if std::mem::take(&mut lock(&self.state).discont) {
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
        }
        match self.src.push(buffer) {
            Ok(_) => Ok(()),
            Err(gst::FlowError::Flushing) => Err(Stop::Flushing),
            Err(gst::FlowError::Eos) => Err(Stop::Eos),
            Err(error) => {
                gst::element_imp_error!(
                    self,
                    gst::StreamError::Failed,
                    ("nothing takes the music: link moodplayer's src pad to an audio sink or an encoder"),
                    ["streaming stopped, reason {error:?}"]
                );
                Err(Stop::Failed(error))
            }
        }
    }

    /// Tells the bus and the elements upstream.
    pub fn tell(&self, notices: Vec<Notice>) {
        if notices.is_empty() {
            return;
        }
        let pads: Vec<gst::Pad> = lock(&self.state).inputs.linked().map(|input| input.pad.clone()).collect();
        for notice in notices {
            let structure = match &notice {
                Notice::Line(Line::Mood(change)) => mood_meta::message::build_mood_changed(change),
                Notice::Line(Line::Track(track)) => {
                    if track.event == TrackEvent::Failed {
                        let TrackLine { uri, reason, .. } = track;
                        gst::element_imp_warning!(
                            self,
                            gst::ResourceError::Read,
                            ("{uri} cannot be played and is left out: {reason}")
                        );
                    }
                    mood_meta::message::build_track(track)
                }
                Notice::Line(Line::Safety(limit)) => mood_meta::message::build_safety_limit(limit),
                Notice::Line(_) => continue,
                Notice::NothingPlays => {
                    gst::element_imp_warning!(
                        self,
                        gst::ResourceError::Read,
                        ("none of the library's tracks can be played; check the files, or install what decodes them: \
                             gstreamer1.0-plugins-good, gstreamer1.0-plugins-ugly, gstreamer1.0-libav")
                    );
                    continue;
                }
                Notice::LogFailed(error) => {
                    gst::element_imp_warning!(
                        self,
                        gst::ResourceError::Write,
                        ("the decision log cannot be written any more: {error}; is the disk full?")
                    );
                    continue;
                }
            };
            gst::info!(CAT, imp = self, "{structure}");
            let _ =
                self.obj().post_message(gst::message::Element::builder(structure).src(&*self.obj()).build());
            if let Notice::Line(line) = &notice {
                pads.iter().for_each(|pad| _ = pad.push_event(mood_meta::event::build_player_line(line)));
            }
        }
    }
}
