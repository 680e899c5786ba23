//! The element's properties as plain values.

use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;
use mood_schema::{Affect, Emotion};
use music_library::Access;
use serde_json::{Map, Value, json};

/// How the music relates to the mood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerStrategy")]
#[repr(i32)]
pub enum Strategy {
    #[default]
    #[enum_value(name = "Play what fits the mood", nick = "match")]
    Match,
    #[enum_value(name = "Play the target, whatever the mood", nick = "target")]
    Target,
    #[enum_value(name = "Start at the mood and step towards the target", nick = "iso")]
    Iso,
    #[enum_value(name = "Keep what fitted the first mood", nick = "hold")]
    Hold,
}

/// When a changed mood changes the music.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerSwitchAt")]
#[repr(i32)]
pub enum SwitchAt {
    #[default]
    #[enum_value(name = "At once", nick = "now")]
    Now,
    #[enum_value(name = "When the track ends", nick = "track-end")]
    TrackEnd,
}

/// What a mood's track does when the mood returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerResume")]
#[repr(i32)]
pub enum Resume {
    #[default]
    #[enum_value(name = "Another track is played", nick = "next")]
    Next,
    #[enum_value(name = "It goes on where it was left", nick = "resume")]
    Continue,
    #[enum_value(name = "It is played from its beginning", nick = "restart")]
    Restart,
}

/// What happens while nobody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstMoodPlayerOnNoFace")]
#[repr(i32)]
pub enum OnNoFace {
    #[default]
    #[enum_value(name = "The music goes on", nick = "hold")]
    Hold,
    #[enum_value(name = "Neutral music", nick = "neutral")]
    Neutral,
    #[enum_value(name = "Fade to silence until somebody comes", nick = "fade")]
    Fade,
}

pub(crate) fn mark_enums_as_plugin_api() {
    for enum_type in
        [Strategy::static_type(), SwitchAt::static_type(), Resume::static_type(), OnNoFace::static_type()]
    {
        enum_type.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
}

/// Every writable property.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub library: Option<String>,
    pub client: String,
    pub strategy: Strategy,
    pub target: Affect,
    pub subject: String,
    pub hold_time: gst::ClockTime,
    pub min_dwell: gst::ClockTime,
    pub switch_at: SwitchAt,
    pub crossfade: gst::ClockTime,
    pub target_lufs: f64,
    pub resume: Resume,
    pub no_repeat: u32,
    pub on_no_face: OnNoFace,
    pub manual_mood: String,
    pub max_negative_time: gst::ClockTime,
    pub allow_network: bool,
    pub allow_outside: bool,
    pub seed: u64,
    pub log_location: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let policy = mood::PolicySettings::default();
        Self {
            library: None,
            client: String::new(),
            strategy: Strategy::default(),
            target: policy.target,
            subject: policy.subject.to_string(),
            hold_time: gst::ClockTime::from_nseconds(policy.hold_time),
            min_dwell: gst::ClockTime::from_nseconds(policy.min_dwell),
            switch_at: SwitchAt::default(),
            crossfade: gst::ClockTime::from_seconds(4),
            target_lufs: -16.0,
            resume: Resume::default(),
            no_repeat: 3,
            on_no_face: OnNoFace::default(),
            manual_mood: String::new(),
            max_negative_time: gst::ClockTime::ZERO,
            allow_network: false,
            allow_outside: false,
            seed: 0,
            log_location: None,
        }
    }
}

/// A text that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum Misspelt {
    #[error("subject: {0}")]
    Subject(#[from] mood::ParseSubjectError),
    #[error("manual-mood: {0}")]
    ManualMood(#[from] mood_schema::UnknownNameError),
}

impl Settings {
    /// What concerns the policy.
    pub fn policy(&self) -> Result<mood::PolicySettings, Misspelt> {
        Ok(mood::PolicySettings {
            strategy: match self.strategy {
                Strategy::Match => mood::Strategy::Match,
                Strategy::Target => mood::Strategy::Target,
                Strategy::Iso => mood::Strategy::Iso,
                Strategy::Hold => mood::Strategy::Hold,
            },
            target: self.target,
            subject: self.subject.parse()?,
            hold_time: self.hold_time.nseconds(),
            min_dwell: self.min_dwell.nseconds(),
            step_once_per_track: self.switch_at == SwitchAt::TrackEnd,
            on_no_face: match self.on_no_face {
                OnNoFace::Hold => mood::OnNoFace::Hold,
                OnNoFace::Neutral => mood::OnNoFace::Neutral,
                OnNoFace::Fade => mood::OnNoFace::Fade,
            },
            max_negative_time: self.max_negative_time.nseconds(),
        })
    }

    /// The mood set by hand, if one is.
    pub fn manual(&self) -> Result<Option<Emotion>, Misspelt> {
        if self.manual_mood.is_empty() { Ok(None) } else { Ok(Some(self.manual_mood.parse()?)) }
    }

    pub fn crossfade(&self) -> Duration {
        self.crossfade.into()
    }

    /// Where playlists may lead.
    pub fn access(&self) -> Access {
        Access { network: self.allow_network, outside: self.allow_outside }
    }

    /// For the decision log; without the client, whose name is nobody else's business.
    pub fn to_json(&self) -> Map<String, Value> {
        let nick = |value: glib::Value| {
            let nick = glib::EnumValue::from_value(&value).map(|(_, value)| value.nick().to_owned());
            Value::from(nick)
        };
        let settings = json!({
            "library": self.library,
            "strategy": nick(self.strategy.to_value()),
            "target-valence": self.target.valence,
            "target-arousal": self.target.arousal,
            "subject": self.subject,
            "hold-time": self.hold_time.nseconds(),
            "min-dwell": self.min_dwell.nseconds(),
            "switch-at": nick(self.switch_at.to_value()),
            "crossfade": self.crossfade.nseconds(),
            "target-lufs": self.target_lufs,
            "resume": nick(self.resume.to_value()),
            "no-repeat": self.no_repeat,
            "on-no-face": nick(self.on_no_face.to_value()),
            "manual-mood": self.manual_mood,
            "max-negative-time": self.max_negative_time.nseconds(),
            "allow-network": self.allow_network,
            "allow-outside": self.allow_outside,
            "seed": self.seed,
        });
        match settings {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}
