//! A volume that glides: a step in the middle of a wave clicks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gst_controller::prelude::*;
use gst_controller::{DirectControlBinding, InterpolationControlSource, InterpolationMode};

use crate::failure::Failure;

/// How long it takes from silence to all.
const GLIDE: gst::ClockTime = gst::ClockTime::from_mseconds(200);

/// The hand on a `volume` element.
pub struct Volume {
    /// The bits of the factor wanted.
    wanted: Arc<AtomicU64>,
    /// How long nothing has been let through, ns.
    silence: Arc<AtomicU64>,
}

/// Where the glide is.
struct Level {
    now: f64,
    /// The element knows that it stays there.
    settled: bool,
}

impl Volume {
    /// Takes hold of an element that is not running yet, at full volume.
    pub fn of(element: &gst::Element) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Work(format!("the volume cannot be controlled: {error}"))
        };
        let source = InterpolationControlSource::new();
        source.set_mode(InterpolationMode::Linear);
        let binding = DirectControlBinding::new_absolute(element, "volume", &source);
        element.add_control_binding(&binding).map_err(|error| failed(&error))?;
        let pad = element.static_pad("sink").ok_or_else(|| failed(&"no sink pad"))?;
        let wanted = Arc::new(AtomicU64::new(1f64.to_bits()));
        let silence = Arc::new(AtomicU64::new(0));
        let (target, quiet) = (wanted.clone(), silence.clone());
        let level = Mutex::new(Level { now: 1.0, settled: false });
        // On the streaming thread, right before the element works on the buffer: it glides from sample to sample.
        let probe = pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let mut level = level.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = f64::from_bits(target.load(Ordering::Relaxed));
            if level.now != wanted
                && let Some((begin, length)) = info.buffer().and_then(|buffer| span(pad, buffer))
            {
                let most = length.nseconds() as f64 / GLIDE.nseconds() as f64;
                let next = level.now + (wanted - level.now).clamp(-most, most);
                source.unset_all();
                source.set(begin, level.now);
                source.set(begin + length, next);
                *level = Level { now: next, settled: false };
            } else if !level.settled {
                source.unset_all();
                source.set(gst::ClockTime::ZERO, level.now);
                level.settled = true;
            }
            let length = info.buffer().and_then(|buffer| buffer.duration()).unwrap_or_default();
            match level.now {
                0.0 => _ = quiet.fetch_add(length.nseconds(), Ordering::Relaxed),
                _ => quiet.store(0, Ordering::Relaxed),
            }
            gst::PadProbeReturn::Ok
        });
        probe.map(|_| Self { wanted, silence }).ok_or_else(|| failed(&"its pad cannot be watched"))
    }

    /// From now on, or within [`GLIDE`]: a factor of the amplitude, 0-1.
    pub fn set(&self, volume: f64) {
        self.wanted.store(volume.to_bits(), Ordering::Relaxed);
    }

    /// How long nothing has been let through.
    pub fn silence(&self) -> Duration {
        Duration::from_nanos(self.silence.load(Ordering::Relaxed))
    }
}

/// When a buffer begins, in the element's time, and how long it is.
fn span(pad: &gst::Pad, buffer: &gst::Buffer) -> Option<(gst::ClockTime, gst::ClockTime)> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    Some((segment.to_stream_time(buffer.pts()?)?, buffer.duration()?))
}
