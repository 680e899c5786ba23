//! The source pad's task: waits until the next block of audio may be made, makes it, pushes it.

use std::sync::PoisonError;
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood_meta::lock;
use mood_schema::{Line, TrackEvent, TrackLine};
use playout::{
    BlockInput, BlockTiming, ClockState, Interrupted, Performance, PerformanceEvent, Running, SampleClock,
    WaitMode, WaitingForStart,
};

use super::format::{self, OutputFormat};
use super::imp::{CAT, MoodPlayer};
use super::loader::Loader;
use super::mood_pad::{MoodPad, StreamEnd};
use super::output::Output;
use super::segment::audio_segment;

/// Blocks of audio in a second. A block is the unit in which decisions take effect.
const BLOCKS_PER_SECOND: u64 = 100;
/// Blocks between two renewals of the property `status`.
const STATUS_BLOCKS: u64 = 10;
/// How often audio is offered again that nothing takes. Only a new link further downstream, of which the source
/// pad may not be told, is not noticed at once.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Why an iteration of the task made no block.
enum StopReason {
    /// The element is flushing or stopping.
    Flushing,
    /// A flush has ended: the next iteration waits for a new segment.
    Restart,
    /// The last sample has been pushed: of the stream, or of a segment that another may follow. `None` where
    /// downstream takes no more.
    Ended(Option<StreamEnd>),
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
        if let Err(StopReason::Ended(end)) = &result {
            match end {
                Some(StreamEnd { segment_done: Some(_), .. }) => {
                    lock(&self.state).inputs.await_next_segments();
                    performance = performance.stop();
                }
                _ => performance.finish(),
            }
        }
        let events = performance.take_events();
        let (mood, track) = (performance.mood(), performance.track());
        *lock(&self.performance) = Some(performance);
        self.report(events);
        self.publish_playing(mood, track);
        let Err(reason) = result else { return };
        match reason {
            StopReason::Restart => {}
            StopReason::Flushing => _ = self.src.pause_task(),
            StopReason::Ended(Some(StreamEnd { seqnum, segment_done: Some(position) })) => {
                gst::debug!(CAT, imp = self, "end of segment");
                self.src.push_event(gst::event::SegmentDone::builder(position).seqnum(seqnum).build());
                self.wake_all();
            }
            StopReason::Ended(end) => {
                gst::debug!(CAT, imp = self, "end of stream");
                self.push_eos(gst::FlowError::Eos, end.map(|end| end.seqnum));
            }
            StopReason::Failed(error) => self.push_eos(error, None),
        }
    }

    /// Ends the stream and the task. The mood pads return `flow` from now on.
    fn push_eos(&self, flow: gst::FlowError, seqnum: Option<gst::Seqnum>) {
        let _ = self.src.pause_task();
        self.set_flow(Err(flow));
        self.src.push_event(gst::event::Eos::builder().seqnum_if_some(seqnum).build());
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
        let mut performance = if restart { performance.stop() } else { performance };
        for input in removed {
            performance.remove_input(input);
        }
        performance
    }

    /// Pushes the segment and begins to count samples.
    fn begin(&self, waiting: WaitingForStart<Loader>, start: Start) -> Running<Loader> {
        let (segment, start_time) = audio_segment(start.segment.as_ref(), start.earliest);
        self.src.push_event(gst::event::Segment::builder(&segment).seqnum_if_some(start.seqnum).build());
        if let Some(output) = &mut *lock(&self.output) {
            output.restart();
        }
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
        if matches!(next_block, Ok(_) | Err(StopReason::Ended(_))) {
            running.write_header(|| self.settings_for_log());
        }
        let (samples, input) = match next_block {
            Err(StopReason::Ended(end)) => {
                // What a conversion has kept.
                self.push(&clock, None)?;
                return Err(StopReason::Ended(end));
            }
            next_block => next_block?,
        };
        let block = running.render(samples as usize, input)?;
        self.report(running.take_events());
        self.publish_playing(running.mood(), running.track());
        if (start / samples.max(1)).is_multiple_of(STATUS_BLOCKS) {
            self.publish_status(Some(running.status()));
        }
        let end = running.position();
        let mut state = lock(&self.state);
        state.inputs.audio_time = clock.running_time(end);
        state.stream_time = Some(gst::ClockTime::from_nseconds(clock.stream_time(end)));
        drop(state);
        self.changed.notify_all();
        self.push(&clock, Some(&block.samples))
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
            if state.eos_requested.is_some() || (state.inputs.are_ready() && (state.playing || !live)) {
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
        let _ = self.src.check_reconfigure();
        let (format, caps) = self.choose_format(&self.accepted_caps())?;
        self.src.push_event(gst::event::Caps::new(&caps));
        *lock(&self.output) = Some(Output::new(format, caps));
        Ok(format)
    }

    /// The caps that downstream accepts.
    fn accepted_caps(&self) -> gst::Caps {
        self.src.peer_query_caps(Some(&format::template_caps()))
    }

    /// The best of the formats that downstream accepts.
    fn choose_format(&self, accepted: &gst::Caps) -> Result<(OutputFormat, gst::Caps), StopReason> {
        let Some((format, caps)) = OutputFormat::choose(accepted) else {
            gst::element_imp_error!(
                self,
                gst::CoreError::Negotiation,
                ("downstream takes no audio that moodplayer makes: put audioconvert and audioresample behind it")
            );
            return Err(StopReason::Failed(gst::FlowError::NotNegotiated));
        };
        gst::debug!(CAT, imp = self, "negotiated {caps}");
        Ok((format, caps))
    }

    /// Changes the format of the output where downstream does not accept it any more. Returns whether it has
    /// changed.
    fn renegotiate(&self, output: &mut Output) -> Result<bool, StopReason> {
        let accepted = self.accepted_caps();
        if accepted.can_intersect(output.caps()) {
            return Ok(false);
        }
        let (format, caps) = self.choose_format(&accepted)?;
        self.src.push_event(gst::event::Caps::new(&caps));
        output.set_format(format, caps);
        Ok(true)
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
            if let Some(seqnum) = state.eos_requested {
                return Err(StopReason::Ended(Some(StreamEnd { seqnum, segment_done: None })));
            }
            let clock_state = match (&clock, state.playing) {
                (None, _) => ClockState::Missing,
                (Some(_), false) => ClockState::Stopped,
                (Some(_), true) => ClockState::Running,
            };
            match state.inputs.block_timing(sample_clock.running_time(start + block_samples), clock_state) {
                BlockTiming::Now => break block_samples,
                BlockTiming::EndsAt(end) => match sample_clock.samples_until(end).saturating_sub(start) {
                    0 => return Err(StopReason::Ended(state.inputs.end())),
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

    /// Pushes the next samples of the mix; `None` is its end.
    fn push(&self, clock: &SampleClock, samples: Option<&[f32]>) -> Result<(), StopReason> {
        let Some(mut output) = lock(&self.output).take() else { return Ok(()) };
        let result = self.push_from(&mut output, clock, samples);
        *lock(&self.output) = Some(output);
        result
    }

    /// Pushes the next samples of the mix in the format that downstream accepts. Where nothing takes them any
    /// more, live audio is dropped, and other audio waits for what will take it.
    fn push_from(
        &self,
        output: &mut Output,
        clock: &SampleClock,
        samples: Option<&[f32]>,
    ) -> Result<(), StopReason> {
        let (mut is_first_attempt, mut is_reported) = (true, false);
        loop {
            if self.src.check_reconfigure() {
                self.renegotiate(output)?;
            }
            let mut advanced = output.clone();
            let Some(mut buffer) = advanced.next_buffer(clock, samples) else {
                *output = advanced;
                return Ok(());
            };
            if std::mem::take(&mut lock(&self.state).discont)
                && let Some(buffer) = buffer.get_mut()
            {
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
            let pushed = self.src.push(buffer);
            let (is_flushing, has_pushed, is_live) = {
                let mut state = lock(&self.state);
                state.has_pushed |= pushed.is_ok();
                state.discont |= pushed.is_err();
                (state.flushing, state.has_pushed, state.inputs.is_live())
            };
            match pushed {
                Ok(_) => {
                    *output = advanced;
                    return Ok(());
                }
                Err(gst::FlowError::Flushing) if is_flushing => return Err(StopReason::Flushing),
                Err(gst::FlowError::Eos) => return Err(StopReason::Ended(None)),
                // What was linked meanwhile may accept another format; a second refusal of the same one is an error.
                Err(gst::FlowError::NotNegotiated) if self.renegotiate(output)? => {}
                // A sink that stops while this element does not is flushing, too.
                Err(gst::FlowError::NotLinked) if !has_pushed => {
                    return Err(self.post_push_error(gst::FlowError::NotLinked));
                }
                Err(error @ (gst::FlowError::NotLinked | gst::FlowError::Flushing)) => {
                    if error == gst::FlowError::NotLinked && !is_reported {
                        self.warn_unlinked();
                        is_reported = true;
                    }
                    if is_first_attempt {
                        self.renew_sticky_events();
                    }
                    if is_live {
                        *output = advanced;
                        return Ok(());
                    }
                    self.wait_for_link()?;
                }
                Err(error) => return Err(self.post_push_error(error)),
            }
            is_first_attempt = false;
        }
    }

    /// Posts why downstream does not take the audio.
    fn post_push_error(&self, error: gst::FlowError) -> StopReason {
        let (domain, text) = match error {
            gst::FlowError::NotLinked => (
                gst::StreamError::Failed,
                "nothing takes the music: link moodplayer's src pad to an audio sink or an encoder",
            ),
            gst::FlowError::NotNegotiated => (
                gst::StreamError::Format,
                "what is linked to moodplayer does not take its audio: put audioconvert and audioresample behind it",
            ),
            _ => (
                gst::StreamError::Failed,
                "an element behind moodplayer has failed: the error that it posted itself says why",
            ),
        };
        gst::element_imp_error!(self, domain, ("{text}"), ["streaming stopped, reason {error:?}"]);
        StopReason::Failed(error)
    }

    /// Warns that the audio has nowhere to go.
    fn warn_unlinked(&self) {
        gst::element_imp_warning!(
            self,
            gst::StreamError::Failed,
            ("nothing takes the music any more: it goes on once moodplayer's src pad leads to an audio sink or an \
              encoder again")
        );
    }

    /// Has the sticky events sent again before the next buffer: a sink that was stopped and started has lost
    /// them.
    fn renew_sticky_events(&self) {
        let mut events = Vec::new();
        self.src.sticky_events_foreach(|event| {
            events.push(event.copy());
            std::ops::ControlFlow::Continue(gst::EventForeachAction::Keep)
        });
        for event in events {
            self.src.push_event(event);
        }
    }

    /// Waits until the source pad may have been linked again.
    fn wait_for_link(&self) -> Result<(), StopReason> {
        let state = lock(&self.state);
        let (state, _) =
            self.changed.wait_timeout(state, RETRY_INTERVAL).unwrap_or_else(PoisonError::into_inner);
        if state.flushing {
            return Err(StopReason::Flushing);
        }
        if state.restart {
            return Err(StopReason::Restart);
        }
        match state.eos_requested {
            Some(seqnum) => Err(StopReason::Ended(Some(StreamEnd { seqnum, segment_done: None }))),
            None => Ok(()),
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
                PerformanceEvent::NothingPlayable { is_only_missing: true } => gst::element_imp_warning!(
                    self,
                    gst::ResourceError::NotFound,
                    ("none of the library's tracks was found: mount its disk or put its folder back, and the \
                      music goes on")
                ),
                PerformanceEvent::NothingPlayable { is_only_missing: false } => gst::element_imp_warning!(
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
            Line::Session(_)
            | Line::Frame(_)
            | Line::Settings(_)
            | Line::Marker(_)
            | Line::Clock(_)
            | Line::Correction(_)
            | Line::End(_) => return,
        };
        gst::info!(CAT, imp = self, "{structure}");
        mood_meta::message::post(&*self.obj(), structure);
        for pad in pads {
            pad.push_event(mood_meta::event::build_player_line(line));
        }
    }
}
