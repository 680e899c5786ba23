//! A volume that changes gradually: a sudden change in the middle of a wave is heard as a click.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::prelude::*;
use gst_controller::prelude::*;
use gst_controller::{DirectControlBinding, InterpolationControlSource, InterpolationMode};
use mood_meta::lock;

use crate::error::CommandError;

/// How long a change from silence to full volume takes; smaller changes take less.
const FULL_RAMP: gst::ClockTime = gst::ClockTime::from_mseconds(200);

/// Controls the gain of a `volume` element.
pub struct VolumeRamp {
    /// Bits of the gain (`f64`) that the ramp leads to.
    target: Arc<AtomicU64>,
    /// Duration of the silence that has been output since the last audible sample, nanoseconds.
    silence: Arc<AtomicU64>,
}

/// The state of the ramp, on the streaming thread.
struct RampState {
    /// The gain at the end of the last buffer.
    gain: f64,
    /// Whether the element has been given that gain as a constant.
    is_settled: bool,
}

impl VolumeRamp {
    /// Takes control of an element that is not running yet, at full volume.
    pub fn new(element: &gst::Element) -> Result<Self, CommandError> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandError::Failed(format!("the volume cannot be controlled: {error}"))
        };
        let source = InterpolationControlSource::new();
        source.set_mode(InterpolationMode::Linear);
        let binding = DirectControlBinding::new_absolute(element, "volume", &source);
        element.add_control_binding(&binding).map_err(|error| failed(&error))?;
        let pad = element.static_pad("sink").ok_or_else(|| failed(&"no sink pad"))?;
        let target = Arc::new(AtomicU64::new(1f64.to_bits()));
        let silence = Arc::new(AtomicU64::new(0));
        let (probe_target, probe_silence) = (target.clone(), silence.clone());
        let state = Mutex::new(RampState { gain: 1.0, is_settled: false });
        // Runs on the streaming thread right before the element takes the buffer, so that the element
        // interpolates from the first sample to the last.
        let probe = pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let mut state = lock(&state);
            let target = f64::from_bits(probe_target.load(Ordering::Relaxed));
            if state.gain != target
                && let Some((begin, duration)) = info.buffer().and_then(|buffer| buffer_span(pad, buffer))
            {
                let max_step = duration.nseconds() as f64 / FULL_RAMP.nseconds() as f64;
                let next = state.gain + (target - state.gain).clamp(-max_step, max_step);
                source.unset_all();
                source.set(begin, state.gain);
                source.set(begin + duration, next);
                *state = RampState { gain: next, is_settled: false };
            } else if !state.is_settled {
                source.unset_all();
                source.set(gst::ClockTime::ZERO, state.gain);
                state.is_settled = true;
            }
            let duration = info.buffer().and_then(|buffer| buffer.duration()).unwrap_or_default();
            match state.gain {
                0.0 => _ = probe_silence.fetch_add(duration.nseconds(), Ordering::Relaxed),
                _ => probe_silence.store(0, Ordering::Relaxed),
            }
            gst::PadProbeReturn::Ok
        });
        probe.map(|_| Self { target, silence }).ok_or_else(|| failed(&"its pad cannot be watched"))
    }

    /// Changes the gain, a linear factor from 0 to 1, within [`FULL_RAMP`].
    pub fn set_gain(&self, gain: f64) {
        self.target.store(gain.to_bits(), Ordering::Relaxed);
    }

    /// Duration of the silence that has been output since the last audible sample.
    pub fn silence(&self) -> Duration {
        Duration::from_nanos(self.silence.load(Ordering::Relaxed))
    }
}

/// When a buffer begins, in stream time as control sources use it, and its duration.
fn buffer_span(pad: &gst::Pad, buffer: &gst::Buffer) -> Option<(gst::ClockTime, gst::ClockTime)> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    Some((segment.to_stream_time(buffer.pts()?)?, buffer.duration()?))
}
