//! Reads the property `status` of `moodplayer`.

use mood_schema::{Affect, Mood};

use super::control::{MoodState, SessionState, TrackStatus};

/// Updates what the status is about. A field that is missing leaves what was there.
pub fn apply(state: &mut SessionState, status: &gst::StructureRef) {
    if let Some(mood) = read_mood(status) {
        state.mood = mood;
    }
    // Two tracks in a crossfade: the one that has begun is in the track's message before.
    if let Ok(playing) = status.get::<gst::Structure>("playing") {
        let announced = state.playing.take();
        let playing = read_track(&playing);
        state.playing = match announced {
            Some(announced) if announced.uri == playing.uri => Some(TrackStatus {
                artist: playing.artist,
                position: playing.position,
                duration: playing.duration,
                rating: playing.rating,
                ..announced
            }),
            announced => announced,
        };
    }
    state.next = status.get::<gst::Structure>("next").ok().map(|next| read_track(&next));
    state.has_previous = status.get("has-previous").unwrap_or(false);
}

fn read_mood(status: &gst::StructureRef) -> Option<MoodState> {
    let mood = |field: &str| status.get::<String>(field).ok()?.parse::<Mood>().ok();
    let number = |field: &str| status.get::<f64>(field).ok();
    Some(MoodState {
        mood: mood("mood")?,
        confidence: number("confidence")?,
        candidate: mood("candidate")?,
        candidate_confidence: number("candidate-confidence")?,
        switch_allowed_in: status.get("switch-allowed-in").ok()?,
        held_back_by: status.get::<String>("restraint").ok().and_then(|nick| nick.parse().ok()),
        requested: number("valence")
            .zip(number("arousal"))
            .map(|(valence, arousal)| Affect { valence, arousal }),
    })
}

fn read_track(track: &gst::StructureRef) -> TrackStatus {
    let text = |field: &str| track.get::<String>(field).unwrap_or_default();
    TrackStatus {
        uri: text("uri"),
        title: text("title"),
        artist: text("artist"),
        mood: text("mood").parse().ok(),
        distance: track.get("distance").ok(),
        reason: text("reason"),
        position: track.get("position").unwrap_or_default(),
        duration: track.get("duration").ok(),
        rating: track.get("rating").unwrap_or_default(),
    }
}
