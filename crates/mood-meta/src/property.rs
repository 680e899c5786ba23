//! What the elements' properties have in common.

use gst::prelude::*;

/// The largest value of a property that is a duration: a day.
pub const MAX_DURATION: gst::ClockTime = gst::ClockTime::from_seconds(24 * 60 * 60);

/// A property that its element cannot change while it runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot change while the element runs, so it stays as it is: set it to READY or NULL first")]
pub struct LockedPropertyError {
    /// The property's name.
    pub name: String,
}

/// Fails where `element` is PAUSED or PLAYING and `pspec` is declared mutable in NULL and READY only.
pub fn check_mutable(
    element: &impl IsA<gst::Element>,
    pspec: &glib::ParamSpec,
) -> Result<(), LockedPropertyError> {
    let flags = pspec.flags();
    let is_locked = flags.contains(gst::PARAM_FLAG_MUTABLE_READY)
        && !flags.intersects(gst::PARAM_FLAG_MUTABLE_PAUSED | gst::PARAM_FLAG_MUTABLE_PLAYING);
    if is_locked && element.as_ref().current_state() > gst::State::Ready {
        return Err(LockedPropertyError { name: pspec.name().into() });
    }
    Ok(())
}
