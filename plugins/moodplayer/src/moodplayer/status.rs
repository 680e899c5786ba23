//! The property `status`.

use mood::MusicRequest;
use playout::{PerformanceStatus, TrackStatus};

/// Builds the property's value, with the fields that the element's documentation lists.
pub(crate) fn to_structure(status: &PerformanceStatus) -> gst::Structure {
    let PerformanceStatus { policy, player } = status;
    let request = match policy.request {
        MusicRequest::Silence => None,
        MusicRequest::Music(target) => Some(target.affect),
    };
    gst::Structure::builder("status")
        .field("mood", policy.mood.as_str())
        .field("confidence", policy.confidence)
        .field("candidate", policy.candidate.as_str())
        .field("candidate-confidence", policy.candidate_confidence)
        .field("switch-allowed-in", policy.switch_allowed_in)
        .field_if_some("restraint", policy.restraint.map(|restraint| restraint.nick()))
        .field_if_some("valence", request.map(|affect| affect.valence))
        .field_if_some("arousal", request.map(|affect| affect.arousal))
        .field("has-previous", player.has_previous)
        .field_if_some("playing", player.playing.as_ref().map(track_to_structure))
        .field_if_some("next", player.next.as_ref().map(track_to_structure))
        .build()
}

fn track_to_structure(track: &TrackStatus) -> gst::Structure {
    gst::Structure::builder("track")
        .field("uri", &track.uri)
        .field("title", &track.title)
        .field("artist", &track.artist)
        .field("rating", track.rating)
        .field("position", track.position)
        .field_if_some("duration", track.duration)
        .field_if_some("mood", track.mood.map(|mood| mood.as_str()))
        .field_if_some("distance", track.distance)
        .field("reason", &track.reason)
        .build()
}
