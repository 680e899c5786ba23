//! The pads: what arrives on the mood pads, and events and queries on either side.

use std::sync::PoisonError;

use gst::prelude::*;
use gst::subclass::prelude::*;
use mood_meta::lock;
use playout::InputFrame;

use super::imp::{CAT, MoodPlayer};
use super::mood_pad::{MoodPad, PadState, StreamEnd, id_from_name, name_from_id};

/// How late live audio leaves: a block of 10 ms, and time to mix and push it on a busy machine.
const LATENCY: gst::ClockTime = gst::ClockTime::from_mseconds(40);

impl MoodPlayer {
    /// Starts or stops the source pad's task.
    pub(crate) fn activate_src(&self, mode: gst::PadMode, active: bool) -> Result<(), gst::LoggableError> {
        if mode != gst::PadMode::Push {
            return Err(gst::loggable_error!(CAT, "moodplayer pushes its audio"));
        }
        if active {
            self.resume();
            self.start_task().map_err(Into::into)
        } else {
            self.interrupt();
            self.src.stop_task().map_err(Into::into)
        }
    }

    /// Adds a mood pad. `name` is the name that was asked for; `None` where it is taken or there is no such
    /// name.
    pub(crate) fn add_mood_pad(&self, template: &gst::PadTemplate, name: Option<&str>) -> Option<gst::Pad> {
        let pad = {
            // From the choice of the number to the insertion, so that no two threads choose the same.
            let mut state = lock(&self.state);
            let id = match name {
                _ if template.name_template() == "mood" => id_from_name("mood"),
                Some(name) => id_from_name(name),
                None => state.inputs.first_free_id(),
            };
            id.filter(|id| !state.inputs.is_taken(*id)).map(|id| {
                let pad = self.build_mood_pad(template, &name_from_id(id));
                state.inputs.insert(pad.clone());
                pad
            })
        };
        let Some(pad) = pad else {
            gst::error!(CAT, imp = self, "this mood pad exists already: ask for mood_%u");
            return None;
        };
        // A pad that is added to a running element must be active before it is linked.
        if self.obj().current_state() >= gst::State::Paused
            && let Err(error) = pad.set_active(true)
        {
            gst::error!(CAT, imp = self, "{error}");
        }
        if let Err(error) = self.obj().add_pad(&pad) {
            gst::error!(CAT, imp = self, "{error}");
            lock(&self.state).inputs.remove(&pad);
            return None;
        }
        self.obj().unset_element_flags(gst::ElementFlags::SOURCE);
        Some(pad.upcast())
    }

    /// Makes a mood pad that calls this element.
    fn build_mood_pad(&self, template: &gst::PadTemplate, name: &str) -> MoodPad {
        let pad = gst::PadBuilder::<MoodPad>::from_template(template)
            .name(name)
            .chain_function(|pad, parent, buffer| {
                let failed = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, failed, |imp| imp.mood_chain(pad, &buffer))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.mood_event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.mood_query(pad, query))
            })
            .build();
        for (signal, linked) in [("linked", true), ("unlinked", false)] {
            let element = self.obj().downgrade();
            pad.connect(signal, false, move |values| {
                let pad = values.first()?.get::<MoodPad>().ok()?;
                element.upgrade()?.imp().set_linked(&pad, linked);
                None
            });
        }
        pad
    }

    /// Removes a mood pad.
    pub(crate) fn remove_mood_pad(&self, pad: &gst::Pad) {
        let Some(pad) = pad.downcast_ref::<MoodPad>() else { return };
        let was_last = {
            let mut state = lock(&self.state);
            if state.inputs.contains(pad) {
                state.inputs.remove(pad);
                state.removed_inputs.push(pad.id());
            }
            state.inputs.is_empty()
        };
        self.changed.notify_all();
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
        if was_last {
            self.obj().set_element_flags(gst::ElementFlags::SOURCE);
        }
    }

    /// Changes what is known of a pad's stream, and wakes all that wait for a change.
    fn update_pad(&self, pad: &MoodPad, change: impl FnOnce(&mut PadState)) {
        // The element's state is locked, too, so that nobody who has just looked misses the change.
        let state = lock(&self.state);
        change(&mut pad.state());
        drop(state);
        self.changed.notify_all();
    }

    /// Follows the linking and unlinking of a pad. An unlinked pad is not waited for, and what it showed is
    /// forgotten.
    fn set_linked(&self, pad: &MoodPad, linked: bool) {
        let mut state = lock(&self.state);
        pad.state().linked = linked;
        if !linked && state.inputs.contains(pad) {
            state.inputs.reset_pad(pad);
            state.removed_inputs.push(pad.id());
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Keeps the faces of a buffer and drops its video, once the pad is not too far ahead of the audio.
    fn mood_chain(&self, pad: &MoodPad, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut state = lock(&self.state);
        loop {
            let (flushing, progress) = {
                let pad_state = pad.state();
                (pad_state.flushing, pad_state.progress())
            };
            if flushing || state.flushing || !state.inputs.contains(pad) {
                return Err(gst::FlowError::Flushing);
            }
            state
                .flow
                .map_err(|error| if error == gst::FlowError::Eos { error } else { gst::FlowError::Error })?;
            if !progress.is_too_far_ahead(state.inputs.audio_time) {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut pad_state = pad.state();
        if pad_state.segment.is_none() {
            drop(pad_state);
            drop(state);
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ("a mood pad got a frame before its segment: put a parser or decoder in front of it")
            );
            return Err(gst::FlowError::Error);
        }
        let (width, height) = pad_state.size;
        let received = pad_state.advance(buffer.pts(), buffer.duration());
        let frame = mood_meta::read_faces(buffer, width, height);
        let wiring = &mut pad_state.wiring;
        let faults = [wiring.observe_timestamp(buffer.pts()), wiring.observe(frame.as_ref())];
        drop(pad_state);
        if let Some(running_time) = received {
            // A buffer without metadata shows no faces.
            let frame = frame.unwrap_or_default();
            state.inputs.frames.push(InputFrame { running_time, input: pad.id(), frame });
        }
        drop(state);
        self.changed.notify_all();
        for fault in faults.into_iter().flatten() {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{}: {fault}", pad.name()));
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Where the segment of a pad has ended, waits until the audio has come that far, too. False where the pad
    /// is being flushed or removed.
    fn wait_for_segment_end(&self, pad: &MoodPad) -> bool {
        let mut state = lock(&self.state);
        loop {
            let (flushing, has_ended) = {
                let pad_state = pad.state();
                let has_ended = pad_state.end.as_ref().is_some_and(|end| end.segment_done.is_some());
                (pad_state.flushing, has_ended)
            };
            if !has_ended || state.flow.is_err() {
                return true;
            }
            if flushing || state.flushing || !state.inputs.contains(pad) {
                return false;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Handles a downstream event on a mood pad. None is forwarded but flushes.
    fn mood_event(&self, pad: &MoodPad, event: gst::Event) -> bool {
        use gst::EventView;
        match event.view() {
            EventView::FlushStart(_) => {
                self.update_pad(pad, |state| state.flushing = true);
                self.interrupt();
                self.src.push_event(event);
                let _ = self.src.pause_task();
            }
            EventView::FlushStop(_) => {
                {
                    let mut state = lock(&self.state);
                    state.inputs.flush_pad(pad);
                    state.restart = true;
                    pad.state().flushing = false;
                }
                self.changed.notify_all();
                self.src.push_event(event);
                self.resume();
                if let Err(error) = self.start_task() {
                    gst::error!(CAT, imp = self, "{error}");
                    return false;
                }
            }
            EventView::StreamStart(_) => self.update_pad(pad, |state| state.end = None),
            EventView::Caps(caps) if is_audio(caps.caps()) => {
                gst::element_imp_error!(
                    self,
                    gst::CoreError::Negotiation,
                    (
                        "audio is linked to {}: a mood pad takes video with faces, and the music leaves by src",
                        pad.name()
                    )
                );
                return false;
            }
            EventView::Caps(caps) => self.update_pad(pad, |state| state.set_caps(caps.caps())),
            EventView::Segment(segment) => {
                // Where a segment is not in time, buffers may still have timestamps.
                let (seqnum, segment) = (segment.seqnum(), segment.segment().downcast_ref().cloned());
                let segment = segment.or_else(|| Some(gst::FormattedSegment::new()));
                let live = is_peer_live(pad.upcast_ref());
                if !self.wait_for_segment_end(pad) {
                    return false;
                }
                self.update_pad(pad, |state| {
                    (state.segment, state.seqnum, state.live) = (segment, Some(seqnum), live);
                });
                if live {
                    let _ =
                        self.obj().post_message(gst::message::Latency::builder().src(&*self.obj()).build());
                }
            }
            EventView::Gap(gap) => {
                let (pts, duration) = gap.get();
                self.update_pad(pad, |state| _ = state.advance(Some(pts), duration));
            }
            EventView::Eos(_) => {
                let end = StreamEnd { seqnum: event.seqnum(), segment_done: None };
                self.update_pad(pad, |state| state.end = Some(end));
            }
            EventView::SegmentDone(done) => {
                let end = StreamEnd { seqnum: event.seqnum(), segment_done: Some(done.get()) };
                self.update_pad(pad, |state| state.end = Some(end));
            }
            EventView::CustomDownstreamSticky(_) => {
                if let Some((element, settings)) = mood_meta::event::parse_settings(&event) {
                    lock(&self.state).upstream_settings.insert(element, settings.into());
                }
            }
            // Tags and the like are about the video.
            _ => {}
        }
        true
    }

    /// Answers a query on a mood pad.
    fn mood_query(&self, pad: &MoodPad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let answer = caps.filter().map_or_else(gst::Caps::new_any, |filter| filter.to_owned());
                caps.set_result(&answer);
                true
            }
            gst::QueryViewMut::AcceptCaps(caps) => {
                caps.set_result(true);
                true
            }
            // No memory of ours for video that is dropped.
            gst::QueryViewMut::Allocation(_) => false,
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }

    /// The linked mood pads, for calls that must not be made under the lock.
    pub(crate) fn linked_pads(&self) -> Vec<MoodPad> {
        lock(&self.state).inputs.linked().cloned().collect()
    }

    /// Whether the source of a linked mood pad is live.
    pub(crate) fn is_upstream_live(&self) -> bool {
        self.linked_pads().iter().any(|pad| is_peer_live(pad.upcast_ref()))
    }

    /// Handles an upstream event on the source pad.
    pub(crate) fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            // The audio follows the video, so seeking is up to the mood pads. Each gets the event, even where
            // the first refuses.
            gst::EventView::Seek(_) => {
                let pads = self.linked_pads();
                let accepted = pads.iter().map(|pad| pad.push_event(event.clone()));
                accepted.fold(false, |any, accepted| any | accepted)
            }
            // The task sees by the pad's flag that it must negotiate again.
            gst::EventView::Reconfigure(_) => {
                self.wake_all();
                true
            }
            // It is about audio, and nothing upstream makes any.
            gst::EventView::Qos(_) => true,
            _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
        }
    }

    /// Answers a query on the source pad.
    pub(crate) fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                let live = self.is_upstream_live();
                latency.set(live, if live { LATENCY } else { gst::ClockTime::ZERO }, gst::ClockTime::NONE);
                true
            }
            gst::QueryViewMut::Position(position) if position.format() == gst::Format::Time => {
                let Some(stream_time) = lock(&self.state).stream_time else { return false };
                // The last frame may last longer than the container says.
                let first = self.linked_pads().into_iter().next();
                let duration = first.and_then(|pad| pad.peer_query_duration::<gst::ClockTime>());
                position.set(duration.map_or(stream_time, |duration| stream_time.min(duration)));
                true
            }
            gst::QueryViewMut::Seeking(_) | gst::QueryViewMut::Duration(_) => {
                self.linked_pads().first().is_some_and(|pad| pad.peer_query(query))
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }
}

/// Whether caps are those of audio.
fn is_audio(caps: &gst::CapsRef) -> bool {
    caps.structure(0).is_some_and(|structure| structure.name().starts_with("audio/"))
}

/// Whether the source that a sink pad is linked to is live.
fn is_peer_live(pad: &gst::Pad) -> bool {
    let mut query = gst::query::Latency::new();
    pad.peer_query(&mut query) && query.result().0
}
