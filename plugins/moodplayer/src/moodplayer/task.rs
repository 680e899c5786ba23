//! The source pad's task: waits until the next block of audio may be made, makes it, pushes it.

use std::sync::PoisonError;

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood_meta::lock;
use mood_schema::{Line, TrackEvent, TrackLine};
use playout::{
    AudioBlock, BlockInput, BlockTiming, ClockState, Interrupted, Performance, PerformanceEvent, Running,
    SampleClock, WaitMode, WaitingForStart,
};

use super::format::{self, OutputFormat};
use super::imp::{CAT, MoodPlayer};
use super::loader::Loader;
use super::mood_pad::MoodPad;
use super::segment::audio_segment;

/// Blocks of audio in a second. A block is the unit in which decisions take effect.
const BLOCKS_PER_SECOND: u64 = 100;

/// Why an iteration of the task made no block.
enum StopReason {
    /// The element is flushing or stopping.
    Flushing,
    /// A flush has ended: the next iteration waits for a new segment.
    Restart,
    /// The last sample has been pushed, or downstream takes no more.
    Eos,
    /// An error that has been posted.
    Failed(gst::FlowError),
}

impl From<Interrupted> for StopReason {
    fn from(_: Interrupted) -> Self {
        Self::Flushing
    }
}

/// What determines the segment of the audio.
struct Start {
    /// The segment of the mood pad that the audio follows.
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    /// The sequence number of that segment.
    seqnum: Option<gst::Seqnum>,
    /// The earliest running time of the first sample, ns.
    earliest: u64,
}

impl MoodPlayer {
    /// One iteration of the task.
    pub(crate) fn run_task_once(&self) {
        // Taken out of its lock, because nothing may be posted or pushed under it. Nobody else uses it while
        // the task runs.
        let Some(performance) = lock(&self.performance).take() else {
            let _ = self.src.pause_task();
            return;
        };
        let (mut performance, result) = self.advance(performance);
        if matches!(result, Err(StopReason::Eos)) {
            performance.finish();
        }
        let events = performance.take_events();
        let (mood, track) = (performance.mood(), performance.track());
        *lock(&self.performance) = Some(performance);
        self.report(events);
        self.publish_playing(mood, track);
        let Err(reason) = result else { return };
        if !matches!(reason, StopReason::Restart) {
            let _ = self.src.pause_task();
        }
        match reason {
            StopReason::Flushing | StopReason::Restart => {}
            StopReason::Eos => {
                gst::debug!(CAT, imp = self, "end of stream");
                self.set_flow(Err(gst::FlowError::Eos));
                self.src.push_event(gst::event::Eos::new());
            }
            StopReason::Failed(error) => {
                self.set_flow(Err(error));
                self.src.push_event(gst::event::Eos::new());
            }
        }
    }

    /// Starts a performance that is not running yet, and plays its next block.
    fn advance(&self, performance: Performance<Loader>) -> (Performance<Loader>, Result<(), StopReason>) {
        match self.apply_changes(performance) {
            Performance::Running(running) => self.play_block(running),
            Performance::WaitingForStart(waiting) => match self.wait_for_start() {
                Ok(start) => self.play_block(self.begin(waiting, start)),
                Err(reason) => (waiting.into(), Err(reason)),
            },
            Performance::WaitingForFormat(waiting) => {
                match self.wait_for_start().and_then(|start| Ok((start, self.negotiate()?))) {
                    Ok((start, format)) => {
                        let options = lock(&self.settings).playout();
                        let is_live = lock(&self.state).inputs.is_live();
                        // Live, tracks that the client has heard before are avoided; with a recording, the
                        // same input must give the same music.
                        let waiting = waiting.set_format(format.audio, &options, is_live);
                        self.play_block(self.begin(waiting, start))
                    }
                    Err(reason) => (waiting.into(), Err(reason)),
                }
            }
        }
    }

    /// Applies what has changed about the inputs since the last iteration.
    fn apply_changes(&self, performance: Performance<Loader>) -> Performance<Loader> {
        let (restart, removed) = {
            let mut state = lock(&self.state);
            (std::mem::take(&mut state.restart), std::mem::take(&mut state.removed_inputs))
        };
        let mut performance = match performance {
            Performance::Running(running) if restart => running.stop().into(),
            other => other,
        };
        for input in removed {
            performance.remove_input(input);
        }
        performance
    }

    /// Pushes the segment and begins to count samples.
    fn begin(&self, waiting: WaitingForStart<Loader>, start: Start) -> Running<Loader> {
        let (segment, start_time) = audio_segment(start.segment.as_ref(), start.earliest);
        self.src.push_event(gst::event::Segment::builder(&segment).seqnum_if_some(start.seqnum).build());
        let mut state = lock(&self.state);
        (state.discont, state.inputs.audio_time) = (true, start_time.running_time);
        drop(state);
        waiting.start(start_time)
    }

    /// Plays the next block.
    fn play_block(&self, mut running: Running<Loader>) -> (Performance<Loader>, Result<(), StopReason>) {
        let result = self.make_and_push_block(&mut running);
        (running.into(), result)
    }

    /// Waits until the next block is due, makes, reports and pushes it.
    fn make_and_push_block(&self, running: &mut Running<Loader>) -> Result<(), StopReason> {
        self.refresh_settings(running);
        let (clock, start) = (running.clock(), running.position());
        let next_block = self.wait_for_block(&clock, start);
        // Not earlier, because elements upstream announce their settings between the segment and their first
        // buffer.
        if matches!(next_block, Ok(_) | Err(StopReason::Eos)) {
            running.write_header(|| self.settings_for_log());
        }
        let (samples, input) = next_block?;
        let block = running.render(samples as usize, input)?;
        self.report(running.take_events());
        self.publish_playing(running.mood(), running.track());
        let end = running.position();
        let mut state = lock(&self.state);
        state.inputs.audio_time = clock.running_time(end);
        state.stream_time = Some(gst::ClockTime::from_nseconds(clock.stream_time(end)));
        drop(state);
        self.changed.notify_all();
        self.push(&clock, start, end, block)
    }

    /// The settings of the elements upstream and of this one.
    fn settings_for_log(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut settings = lock(&self.state).upstream_settings.clone();
        settings.insert("moodplayer".into(), lock(&self.settings).to_json().into());
        settings
    }

    /// Waits until every linked mood pad has a segment or has ended and, with live inputs, until the element
    /// is PLAYING.
    fn wait_for_start(&self) -> Result<Start, StopReason> {
        let mut state = lock(&self.state);
        loop {
            if state.flushing {
                return Err(StopReason::Flushing);
            }
            let live = state.inputs.is_live();
            if state.eos_requested || (state.inputs.are_ready() && (state.playing || !live)) {
                let reference = state.inputs.reference_pad().map(MoodPad::state);
                let mut start = Start {
                    segment: reference.as_ref().and_then(|pad| pad.segment.clone()),
                    seqnum: reference.as_ref().and_then(|pad| pad.seqnum),
                    earliest: 0,
                };
                drop(reference);
                drop(state);
                if live {
                    start.earliest = self.obj().current_running_time().map_or(0, |time| time.nseconds());
                }
                return Ok(start);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Pushes the stream-start event, in the group of the first mood pad's stream.
    fn push_stream_start(&self) {
        let upstream = self.linked_pads().into_iter().next();
        let upstream = upstream.and_then(|pad| pad.sticky_event::<gst::event::StreamStart>(0));
        let id =
            upstream.as_ref().map_or_else(|| self.obj().name().to_string(), |event| event.stream_id().into());
        let group = upstream.and_then(|event| event.group_id()).unwrap_or_else(gst::GroupId::next);
        let event = gst::event::StreamStart::builder(&format!("{id}/music")).group_id(group).build();
        self.src.push_event(event);
    }

    /// Chooses a format that downstream accepts, and pushes the events that come before the segment.
    fn negotiate(&self) -> Result<OutputFormat, StopReason> {
        self.push_stream_start();
        let accepted = self.src.peer_query_caps(Some(&format::template_caps()));
        let Some((format, caps)) = OutputFormat::choose(&accepted) else {
            gst::element_imp_error!(
                self,
                gst::CoreError::Negotiation,
                ("downstream takes no audio that moodplayer makes: put audioconvert and audioresample behind it")
            );
            return Err(StopReason::Failed(gst::FlowError::NotNegotiated));
        };
        gst::debug!(CAT, imp = self, "negotiated {caps}");
        lock(&self.state).encoding = format.encoding;
        self.src.push_event(gst::event::Caps::new(&caps));
        Ok(format)
    }

    /// Applies changed properties. If one is invalid, none is applied, and a warning is posted.
    fn refresh_settings(&self, running: &mut Running<Loader>) {
        if !std::mem::take(&mut lock(&self.state).settings_changed) {
            return;
        }
        let settings = lock(&self.settings).performance();
        match settings {
            Ok(settings) => running.set_settings(&settings),
            Err(error) => gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("{error}; what was set before stays")
            ),
        }
    }

    /// Waits until the block that begins with the sample `start` may be made. Returns its length in samples
    /// and what to make it from.
    fn wait_for_block(
        &self,
        sample_clock: &SampleClock,
        start: u64,
    ) -> Result<(u64, BlockInput), StopReason> {
        let block_samples = (u64::from(sample_clock.rate()) / BLOCKS_PER_SECOND).max(1);
        let block_start = sample_clock.running_time(start);
        let clock = self.obj().clock();
        let mut state = lock(&self.state);
        let samples = loop {
            if state.flushing {
                return Err(StopReason::Flushing);
            }
            if state.restart {
                return Err(StopReason::Restart);
            }
            if state.eos_requested {
                return Err(StopReason::Eos);
            }
            let clock_state = match (&clock, state.playing) {
                (None, _) => ClockState::Missing,
                (Some(_), false) => ClockState::Stopped,
                (Some(_), true) => ClockState::Running,
            };
            match state.inputs.block_timing(sample_clock.running_time(start + block_samples), clock_state) {
                BlockTiming::Now => break block_samples,
                BlockTiming::EndsAt(end) => match sample_clock.samples_until(end).saturating_sub(start) {
                    0 => return Err(StopReason::Eos),
                    remaining => break block_samples.min(remaining),
                },
                BlockTiming::AtClockTime => {
                    let Some((clock, base_time)) = clock.as_ref().zip(self.obj().base_time()) else {
                        break block_samples;
                    };
                    let id = clock.new_single_shot_id(base_time + gst::ClockTime::from_nseconds(block_start));
                    state.clock_wait = Some(id.clone().into());
                    drop(state);
                    let (wait_result, _) = id.wait();
                    state = lock(&self.state);
                    state.clock_wait = None;
                    if wait_result != Err(gst::ClockError::Unscheduled) && !state.flushing {
                        break block_samples;
                    }
                }
                BlockTiming::Wait => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let has_inputs = state.inputs.linked().next().is_some();
        let input = BlockInput {
            frames: state.inputs.frames.take_until(block_start),
            commands: std::mem::take(&mut state.commands),
            has_inputs,
            wait: match has_inputs {
                false => WaitMode::UnlessPlaying,
                true if state.inputs.is_live() => WaitMode::Never,
                true => WaitMode::Always,
            },
        };
        Ok((samples, input))
    }

    /// Pushes a block; `start` and `end` are the positions of its first sample and of the one after its last.
    fn push(&self, clock: &SampleClock, start: u64, end: u64, block: AudioBlock) -> Result<(), StopReason> {
        let (encoding, discont) = {
            let mut state = lock(&self.state);
            (state.encoding, std::mem::take(&mut state.discont))
        };
        let mut buffer = gst::Buffer::from_mut_slice(encoding.encode(&block.samples));
        if let Some(buffer) = buffer.get_mut() {
            let pts = gst::ClockTime::from_nseconds(clock.pts(start));
            buffer.set_pts(pts);
            buffer.set_duration(gst::ClockTime::from_nseconds(clock.pts(end)) - pts);
            buffer.set_offset(start);
            buffer.set_offset_end(end);
            if block.is_silent {
                buffer.set_flags(gst::BufferFlags::GAP);
            }
            if discont {
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
        }
        match self.src.push(buffer) {
            Ok(_) => Ok(()),
            Err(gst::FlowError::Flushing) => Err(StopReason::Flushing),
            Err(gst::FlowError::Eos) => Err(StopReason::Eos),
            Err(error) => {
                gst::element_imp_error!(
                    self,
                    gst::StreamError::Failed,
                    ("nothing takes the music: link moodplayer's src pad to an audio sink or an encoder"),
                    ["streaming stopped, reason {error:?}"]
                );
                Err(StopReason::Failed(error))
            }
        }
    }

    /// Posts events as messages and sends them upstream, for overlays and logs.
    pub(crate) fn report(&self, events: Vec<PerformanceEvent>) {
        if events.is_empty() {
            return;
        }
        let pads = self.linked_pads();
        for event in events {
            match event {
                PerformanceEvent::Line(line) => self.report_line(&line, &pads),
                PerformanceEvent::NothingPlayable => gst::element_imp_warning!(
                    self,
                    gst::ResourceError::Read,
                    ("none of the library's tracks can be played; check the files, or install what decodes them: \
                         gstreamer1.0-plugins-good, gstreamer1.0-plugins-ugly, gstreamer1.0-libav")
                ),
                PerformanceEvent::LogFailed(error) => gst::element_imp_warning!(
                    self,
                    gst::ResourceError::Write,
                    ("the decision log cannot be written any more: {error}; is the disk full?")
                ),
            }
        }
    }

    /// Posts a line of the decision log as a message and sends it upstream.
    fn report_line(&self, line: &Line, pads: &[MoodPad]) {
        let structure = match line {
            Line::Mood(change) => mood_meta::message::build_mood_changed(change),
            Line::Track(track) => {
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
            Line::Safety(limit) => mood_meta::message::build_safety_limit(limit),
            Line::Session(_) | Line::Frame(_) | Line::Settings(_) | Line::End(_) => return,
        };
        gst::info!(CAT, imp = self, "{structure}");
        mood_meta::message::post(&*self.obj(), structure);
        for pad in pads {
            pad.push_event(mood_meta::event::build_player_line(line));
        }
    }
}
