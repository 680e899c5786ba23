//! What the elements' properties have in common.

use std::fmt::Display;

use gst::prelude::*;

/// The largest value of a property that is a duration: a day.
pub const MAX_DURATION: gst::ClockTime = gst::ClockTime::from_seconds(24 * 60 * 60);

/// Sets a property: calls `set`, unless `element` is PAUSED or PLAYING and `pspec` is declared mutable in NULL and READY
/// only. Where the value is refused, for that reason or with an error of `set`, a WARNING message says so; the old value is
/// then to stay in force. Returns whether the value was accepted. Call it without a lock that a message handler may need.
pub fn set<E: Display>(
    element: &impl IsA<gst::Element>,
    pspec: &glib::ParamSpec,
    set: impl FnOnce() -> Result<(), E>,
) -> bool {
    let refusal = if is_locked(element.as_ref(), pspec) {
        let name = pspec.name();
        format!(
            "{name} cannot change while the element runs, so it stays as it is: set it to READY or NULL first"
        )
    } else if let Err(error) = set() {
        format!("{error}; what was set before stays")
    } else {
        return true;
    };
    gst::element_warning!(element.as_ref(), gst::LibraryError::Settings, ("{refusal}"));
    false
}

fn is_locked(element: &gst::Element, pspec: &glib::ParamSpec) -> bool {
    let flags = pspec.flags();
    flags.contains(gst::PARAM_FLAG_MUTABLE_READY)
        && !flags.intersects(gst::PARAM_FLAG_MUTABLE_PAUSED | gst::PARAM_FLAG_MUTABLE_PLAYING)
        && element.current_state() > gst::State::Ready
}
