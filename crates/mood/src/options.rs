//! The choices a user has about how music follows the mood. `moodplayer` has a property for each.

use crate::nick::impl_nicks;

/// How the music relates to the mood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Music that fits the held mood.
    #[default]
    Match,
    /// Music for the target point, whatever the mood.
    Target,
    /// Music that starts at the mood and moves to the target in steps, each at least a dwell time or a track
    /// long (the iso principle: Altshuler 1948). A new mood starts again from that mood.
    Iso,
    /// Music that fits the first mood, from then on.
    Hold,
}

impl_nicks!(Strategy, "strategy", { Match => "match", Target => "target", Iso => "iso", Hold => "hold" });

/// What is played while no face is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnNoFace {
    /// The music continues; before the first mood there is silence.
    #[default]
    Hold,
    /// Music for the emotion neutral.
    Neutral,
    /// Silence until a face is found again.
    Fade,
}

impl_nicks!(OnNoFace, "on-no-face", { Hold => "hold", Neutral => "neutral", Fade => "fade" });

/// When a changed request changes the music. The policy does not use it: it is for whoever plays the tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SwitchAt {
    /// Immediately, with a crossfade.
    #[default]
    Now,
    /// When the current track ends.
    TrackEnd,
}

impl_nicks!(SwitchAt, "switch-at", { Now => "now", TrackEnd => "track-end" });

/// What happens to a mood's last track when that mood returns. The policy does not use it: it is for whoever
/// plays the tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resume {
    /// Another track is selected.
    #[default]
    Next,
    /// The track continues where it was interrupted.
    Continue,
    /// The track is played from its beginning.
    Restart,
}

impl_nicks!(Resume, "resume", { Next => "next", Continue => "resume", Restart => "restart" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks_round_trip() {
        assert!(Strategy::ALL.iter().all(|value| value.nick().parse() == Ok(*value)));
        assert!(OnNoFace::ALL.iter().all(|value| value.nick().parse() == Ok(*value)));
        assert!(SwitchAt::ALL.iter().all(|value| value.nick().parse() == Ok(*value)));
        assert!(Resume::ALL.iter().all(|value| value.nick().parse() == Ok(*value)));
        assert_eq!(SwitchAt::TrackEnd.to_string(), "track-end");
    }

    #[test]
    fn unknown_nicks_name_the_choices() {
        let error = "Match".parse::<Strategy>().unwrap_err();
        assert_eq!(error.to_string(), "unknown strategy 'Match': use one of match, target, iso, hold");
    }
}
