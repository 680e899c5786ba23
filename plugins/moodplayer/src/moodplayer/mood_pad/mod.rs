//! The pad type of the mood pads.

mod imp;

pub(crate) use imp::{PadState, StreamEnd};

use std::sync::MutexGuard;

use gst::subclass::prelude::*;
use mood::InputId;
use mood_meta::lock;

glib::wrapper! {
    /// A sink pad that takes video for its faces. It holds what is known of its stream.
    pub struct MoodPad(ObjectSubclass<imp::MoodPad>) @extends gst::Pad, gst::Object;
}

impl MoodPad {
    /// The pad's number among the inputs: 0 for `mood`, N + 1 for `mood_N`.
    pub(crate) fn id(&self) -> InputId {
        self.imp().id()
    }

    /// Locks what is known of the pad's stream. Where the element's state is locked too, that comes first.
    pub(crate) fn state(&self) -> MutexGuard<'_, PadState> {
        lock(&self.imp().state)
    }
}

/// The number that the name of a mood pad stands for; `None` for any other name.
pub(crate) fn id_from_name(name: &str) -> Option<InputId> {
    if name == "mood" {
        return Some(InputId(0));
    }
    let number: u32 = name.strip_prefix("mood_")?.parse().ok()?;
    number.checked_add(1).map(InputId)
}

/// The name of the mood pad with this number.
pub(crate) fn name_from_id(id: InputId) -> String {
    match id.0.checked_sub(1) {
        None => "mood".into(),
        Some(number) => format!("mood_{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_match() {
        for (name, id) in [("mood", 0), ("mood_0", 1), ("mood_12", 13)] {
            assert_eq!((id_from_name(name), name_from_id(InputId(id))), (Some(InputId(id)), name.into()));
        }
        for name in ["", "mood_", "mood_x", "mood_-1", "mood_4294967295", "src"] {
            assert_eq!(id_from_name(name), None, "{name}");
        }
    }
}
