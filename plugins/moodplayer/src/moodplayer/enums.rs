//! The enumerations among the element's properties. They are GObject types, which only a plugin
//! may define; each maps to an enumeration of the crate `mood`.

use glib::prelude::*;
use gst::prelude::*;

/// How the music relates to the mood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerStrategy")]
#[repr(i32)]
pub(crate) enum Strategy {
    /// Music that fits the mood.
    #[default]
    #[enum_value(name = "Play what fits the mood", nick = "match")]
    Match,
    /// Music near the target, whatever the mood.
    #[enum_value(name = "Play the target, whatever the mood", nick = "target")]
    Target,
    /// Music that begins at the mood and moves to the target in steps.
    #[enum_value(name = "Start at the mood and step towards the target", nick = "iso")]
    Iso,
    /// Music that fits the first mood.
    #[enum_value(name = "Keep what fitted the first mood", nick = "hold")]
    Hold,
}

impl From<Strategy> for mood::Strategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Match => Self::Match,
            Strategy::Target => Self::Target,
            Strategy::Iso => Self::Iso,
            Strategy::Hold => Self::Hold,
        }
    }
}

/// When a changed mood changes the music.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerSwitchAt")]
#[repr(i32)]
pub(crate) enum SwitchAt {
    /// At once, with a crossfade.
    #[default]
    #[enum_value(name = "At once", nick = "now")]
    Now,
    /// When the track that plays ends.
    #[enum_value(name = "When the track ends", nick = "track-end")]
    TrackEnd,
}

impl From<SwitchAt> for mood::SwitchAt {
    fn from(switch_at: SwitchAt) -> Self {
        match switch_at {
            SwitchAt::Now => Self::Now,
            SwitchAt::TrackEnd => Self::TrackEnd,
        }
    }
}

/// What plays when a mood returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerResume")]
#[repr(i32)]
pub(crate) enum Resume {
    /// Another track.
    #[default]
    #[enum_value(name = "Another track is played", nick = "next")]
    Next,
    /// The track that played for it, from where it was left.
    #[enum_value(name = "The track goes on where it was left", nick = "resume")]
    Continue,
    /// The track that played for it, from its beginning.
    #[enum_value(name = "The track is played from its beginning", nick = "restart")]
    Restart,
}

impl From<Resume> for mood::Resume {
    fn from(resume: Resume) -> Self {
        match resume {
            Resume::Next => Self::Next,
            Resume::Continue => Self::Continue,
            Resume::Restart => Self::Restart,
        }
    }
}

/// What plays while there is no face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerOnNoFace")]
#[repr(i32)]
pub(crate) enum OnNoFace {
    /// The music goes on.
    #[default]
    #[enum_value(name = "The music goes on", nick = "hold")]
    Hold,
    /// Neutral music.
    #[enum_value(name = "Neutral music", nick = "neutral")]
    Neutral,
    /// Silence, until there is a face.
    #[enum_value(name = "Fade to silence until a face comes", nick = "fade")]
    Fade,
}

impl From<OnNoFace> for mood::OnNoFace {
    fn from(on_no_face: OnNoFace) -> Self {
        match on_no_face {
            OnNoFace::Hold => Self::Hold,
            OnNoFace::Neutral => Self::Neutral,
            OnNoFace::Fade => Self::Fade,
        }
    }
}

/// Marks the enumerations as API of the plugin, for its documentation.
pub(crate) fn mark_as_plugin_api() {
    for enum_type in
        [Strategy::static_type(), SwitchAt::static_type(), Resume::static_type(), OnNoFace::static_type()]
    {
        enum_type.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
}
