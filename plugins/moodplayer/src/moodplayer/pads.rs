//! The pads: what comes in on the mood pads, what is asked of either side.

use std::sync::PoisonError;

use gst::prelude::*;
use gst::subclass::prelude::*;

use mood_meta::lock;

use super::imp::{CAT, MoodPlayer};
use super::input::Input;

/// How late live audio leaves: chunks of 10 ms, and time to mix and push them on a busy machine.
const LATENCY: gst::ClockTime = gst::ClockTime::from_mseconds(40);

impl MoodPlayer {
    pub fn activate_src(&self, mode: gst::PadMode, active: bool) -> Result<(), gst::LoggableError> {
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

    pub fn add_mood_pad(&self, template: &gst::PadTemplate, name: Option<&str>) -> Option<gst::Pad> {
        let index = {
            let state = lock(&self.state);
            let taken = |index: &u32| state.inputs.pads.contains_key(index);
            let asked = name
                .and_then(|name| name.strip_prefix("mood_"))
                .and_then(|number| number.parse::<u32>().ok());
            let index = match asked {
                _ if template.name_template() == "mood" => 0,
                Some(number) => number.checked_add(1)?,
                None => (1..=u32::MAX).find(|index| !taken(index))?,
            };
            if taken(&index) {
                gst::error!(CAT, imp = self, "this mood pad exists already: ask for mood_%u");
                return None;
            }
            index
        };
        let name = if index == 0 { "mood".into() } else { format!("mood_{}", index - 1) };
        let pad = gst::Pad::builder_from_template(template)
            .name(name)
            .chain_function(move |_, parent, buffer| {
                let failed = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, failed, |imp| imp.mood_chain(index, &buffer))
            })
            .event_function(move |_, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.mood_event(index, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.mood_query(pad, query))
            })
            .build();
        for (signal, linked) in [("linked", true), ("unlinked", false)] {
            let element = self.obj().downgrade();
            pad.connect(signal, false, move |_| {
                if let Some(element) = element.upgrade() {
                    element.imp().set_linked(index, linked);
                }
                None
            });
        }
        lock(&self.state).inputs.pads.insert(index, Input::new(pad.clone()));
        // In a running element a new pad must be awake before it is linked.
        if self.obj().current_state() >= gst::State::Paused
            && let Err(error) = pad.set_active(true)
        {
            gst::error!(CAT, imp = self, "{error}");
        }
        if let Err(error) = self.obj().add_pad(&pad) {
            gst::error!(CAT, imp = self, "{error}");
            lock(&self.state).inputs.remove(index);
            return None;
        }
        self.obj().unset_element_flags(gst::ElementFlags::SOURCE);
        Some(pad)
    }

    pub fn remove_mood_pad(&self, pad: &gst::Pad) {
        let last = {
            let mut state = lock(&self.state);
            let index =
                state.inputs.pads.iter().find(|(_, input)| input.pad == *pad).map(|(index, _)| *index);
            if let Some(index) = index {
                state.inputs.remove(index);
                state.removed.push(index);
            }
            state.inputs.pads.is_empty()
        };
        self.changed.notify_all();
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
        if last {
            self.obj().set_element_flags(gst::ElementFlags::SOURCE);
        }
    }

    fn set_linked(&self, index: u32, linked: bool) {
        let mut state = lock(&self.state);
        if let Some(input) = state.inputs.pads.get_mut(&index) {
            input.linked = linked;
        }
        if !linked {
            state.inputs.forget(index);
            state.removed.push(index);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Reads a frame's faces and lets the picture go.
    fn mood_chain(&self, index: u32, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut state = lock(&self.state);
        loop {
            let Some(input) = state.inputs.pads.get(&index) else { return Err(gst::FlowError::Flushing) };
            if input.flushing || state.flushing {
                return Err(gst::FlowError::Flushing);
            }
            state
                .flow
                .map_err(|error| if error == gst::FlowError::Eos { error } else { gst::FlowError::Error })?;
            if !state.inputs.is_ahead(index) {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(input) = state.inputs.pads.get_mut(&index) else { return Err(gst::FlowError::Flushing) };
        if input.segment.is_none() {
            drop(state);
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ("a mood pad got a frame before its segment: put a parser or decoder in front of it")
            );
            return Err(gst::FlowError::Error);
        }
        let (width, height) = input.size;
        let seen = input.advance(buffer.pts(), buffer.duration());
        if let Some(time) = seen {
            // A buffer that says nothing shows nobody.
            let frame = mood_meta::read_faces(buffer, width, height).unwrap_or_default();
            state.inputs.push(index, time, frame);
        }
        drop(state);
        self.changed.notify_all();
        Ok(gst::FlowSuccess::Ok)
    }

    fn mood_event(&self, index: u32, event: gst::Event) -> bool {
        use gst::EventView;
        match event.view() {
            EventView::FlushStart(_) => {
                self.with_input(index, |input| input.flushing = true);
                self.interrupt();
                self.src.push_event(event);
                let _ = self.src.pause_task();
            }
            EventView::FlushStop(_) => {
                {
                    let mut state = lock(&self.state);
                    state.inputs.flush(index);
                    state.restart = true;
                }
                self.with_input(index, |input| input.flushing = false);
                self.src.push_event(event);
                self.resume();
                if let Err(error) = self.start_task() {
                    gst::error!(CAT, imp = self, "{error}");
                    return false;
                }
            }
            EventView::StreamStart(_) => self.with_input(index, |input| input.eos = false),
            EventView::Caps(caps) => self.with_input(index, |input| input.set_caps(caps.caps())),
            EventView::Segment(segment) => {
                // Frames counted in something other than time may still carry timestamps.
                let (seqnum, segment) = (segment.seqnum(), segment.segment().downcast_ref().cloned());
                let segment = segment.or_else(|| Some(gst::FormattedSegment::new()));
                let live = self.is_peer_live(index);
                self.with_input(index, |input| {
                    (input.segment, input.seqnum, input.live) = (segment, Some(seqnum), live);
                });
                if live {
                    let _ =
                        self.obj().post_message(gst::message::Latency::builder().src(&*self.obj()).build());
                }
            }
            EventView::Gap(gap) => {
                let (pts, duration) = gap.get();
                self.with_input(index, |input| _ = input.advance(Some(pts), duration));
            }
            EventView::Eos(_) => self.with_input(index, |input| input.eos = true),
            EventView::CustomDownstreamSticky(_) => {
                if let Some((element, settings)) = mood_meta::event::parse_settings(&event) {
                    lock(&self.state).upstream_settings.insert(element, settings.into());
                }
            }
            // Pictures' tags and the like have no place in the music.
            _ => {}
        }
        true
    }

    fn with_input(&self, index: u32, change: impl FnOnce(&mut Input)) {
        if let Some(input) = lock(&self.state).inputs.pads.get_mut(&index) {
            change(input);
        }
        self.changed.notify_all();
    }

    fn is_peer_live(&self, index: u32) -> bool {
        let pad = lock(&self.state).inputs.pads.get(&index).map(|input| input.pad.clone());
        let mut query = gst::query::Latency::new();
        pad.is_some_and(|pad| pad.peer_query(&mut query)) && query.result().0
    }

    fn mood_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
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
            // No memory of ours for pictures that are dropped.
            gst::QueryViewMut::Allocation(_) => false,
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }

    fn mood_pads(&self) -> Vec<gst::Pad> {
        lock(&self.state).inputs.linked().map(|input| input.pad.clone()).collect()
    }

    pub fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            // Seeking is up to the pictures; the music follows. All of them, even where the first refuses.
            gst::EventView::Seek(_) => self
                .mood_pads()
                .iter()
                .map(|pad| pad.push_event(event.clone()))
                .fold(false, |any, done| any | done),
            // About sound, which the mood pads know nothing of.
            gst::EventView::Qos(_) | gst::EventView::Reconfigure(_) => true,
            _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
        }
    }

    pub fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                let live = self.is_upstream_live();
                latency.set(live, if live { LATENCY } else { gst::ClockTime::ZERO }, gst::ClockTime::NONE);
                true
            }
            gst::QueryViewMut::Position(position) if position.format() == gst::Format::Time => {
                let Some(stream) = lock(&self.state).stream_time else { return false };
                position.set(stream);
                true
            }
            gst::QueryViewMut::Seeking(_) | gst::QueryViewMut::Duration(_) => {
                self.mood_pads().first().is_some_and(|pad| pad.peer_query(query))
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }
}
