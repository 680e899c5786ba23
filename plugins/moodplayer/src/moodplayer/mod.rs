//! The element `moodplayer`.
//!
//! The mood pads' threads leave what they see in [`input`]; one task on the source pad reads it, lets a
//! [`mood::Policy`] decide ([`performance`]), has a [`player`] turn the wishes into sound, and pushes that. Decks decode
//! in pipelines of their own ([`deck`]), opened and measured by a worker ([`loader`]).

mod deck;
mod format;
mod imp;
mod input;
mod loader;
mod log;
mod loudness;
mod mixer;
mod pads;
mod performance;
mod player;
mod settings;
mod task;
mod timeline;

use glib::prelude::*;

glib::wrapper! {
    pub struct MoodPlayer(ObjectSubclass<imp::MoodPlayer>) @extends gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    settings::mark_enums_as_plugin_api();
    gst::Element::register(Some(plugin), "moodplayer", gst::Rank::NONE, MoodPlayer::static_type())
}
