//! The second pass over a recorded session: each person's resting face from all of it, and labels by what differs from it.

use std::collections::BTreeMap;

use mini_xception::resting_face::{LogitShift, RestingProfile, learn_people, relabel};
use mini_xception::smoothing::LabelThresholds;
use mood_schema::SessionHeader;
use serde_json::{Value, json};
use session::{PersonMap, RESTING_FACES, Timeline};

/// Where the resting face of the session's subject comes from; that of the others is found in the recording.
#[derive(Clone, Debug, PartialEq)]
pub enum RestSource {
    /// Labels are those of the network.
    Off,
    /// It is found in the recording.
    Automatic,
    /// The subject is at rest in this many seconds of classified time at the start.
    SessionStart(f64),
    /// It is known; what is found in the recording is added.
    Known(RestingProfile),
}

/// What became of a timeline.
pub struct Relabelling {
    /// Whether the timeline is another one than before.
    pub has_changed: bool,
    /// What the recording teaches about the subject's resting face; what was known before is not part of that.
    pub learnt: Option<RestingProfile>,
}

/// Labels the timeline anew and notes in its header whose resting face was taken off.
pub fn apply(timeline: &mut Timeline, people: &PersonMap, source: &RestSource) -> Relabelling {
    let thresholds = thresholds(&timeline.header);
    let model =
        setting(&timeline.header, "model-sha256").and_then(Value::as_str).unwrap_or_default().to_owned();
    let person_of = |id: u32| people.person_id(id);
    let mut profiles = BTreeMap::new();
    let mut learnt = None;
    if *source != RestSource::Off {
        let subject = subject(timeline, people);
        let begin = |person: u32| match source {
            RestSource::SessionStart(seconds) if Some(person) == subject => {
                told_profile(timeline, people, person, *seconds, &model)
            }
            _ => RestingProfile::new(&model),
        };
        profiles = learn_people(&timeline.frames, person_of, begin);
        learnt = subject.and_then(|subject| profiles.get(&subject)).cloned();
        if let (RestSource::Known(known), Some(subject)) = (source, subject) {
            let profile = profiles.entry(subject).or_insert_with(|| RestingProfile::new(&model));
            profile.merge(known);
        }
    }
    let shifts: BTreeMap<u32, LogitShift> =
        profiles.iter().map(|(&person, profile)| (person, profile.shift(1.0))).collect();
    let has_changed = relabel(&mut timeline.frames, person_of, &shifts, thresholds);
    let described = profiles.iter().map(|(person, profile)| {
        let origin = if profile.is_rest_known() { "told" } else { "found" };
        let shift = profile.shift(1.0).values();
        (person.to_string(), json!({ "seconds": profile.seconds(), "origin": origin, "shift": shift }))
    });
    let described = Value::Object(described.collect());
    let before = timeline.header.settings.insert(RESTING_FACES.into(), described.clone());
    Relabelling { has_changed: has_changed || before != Some(described), learnt }
}

/// The setting `name` of the classifier that wrote the timeline.
fn setting<'a>(header: &'a SessionHeader, name: &str) -> Option<&'a Value> {
    header.settings.get("emotionclassify")?.get(name)
}

/// The thresholds that the timeline's labels were decided with.
fn thresholds(header: &SessionHeader) -> LabelThresholds {
    let threshold = |name: &str| setting(header, name).and_then(Value::as_f64).unwrap_or(0.0);
    LabelThresholds { min_confidence: threshold("min-confidence"), min_quality: threshold("min-quality") }
}

/// The person the report is about: the one named, or whoever is found for longest.
fn subject(timeline: &Timeline, people: &PersonMap) -> Option<u32> {
    let mut times: BTreeMap<u32, u64> = BTreeMap::new();
    for (frame, duration) in timeline.frames_with_duration() {
        for face in &frame.faces {
            *times.entry(people.person_id(face.id)).or_default() += duration;
        }
    }
    let named = people.subject.map(|id| people.person_id(id)).filter(|id| times.contains_key(id));
    named.or_else(|| {
        times.into_iter().max_by_key(|&(id, time)| (time, std::cmp::Reverse(id))).map(|(id, _)| id)
    })
}

/// The profile of a person who is at rest in the first `seconds` of their classified time.
fn told_profile(
    timeline: &Timeline,
    people: &PersonMap,
    person: u32,
    seconds: f64,
    model: &str,
) -> RestingProfile {
    let mut profile = RestingProfile::new_for_known_rest(model);
    let mut remaining = seconds;
    for (frame, duration) in timeline.frames_with_duration() {
        let face = frame.faces.iter().find(|face| people.person_id(face.id) == person);
        let Some(classification) = face.and_then(|face| face.classification.as_ref()) else { continue };
        if remaining <= 0.0 {
            break;
        }
        let duration = duration as f64 / 1e9;
        profile.observe(classification.raw_probabilities(), duration.min(remaining));
        remaining -= duration;
    }
    profile
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// A minute at 5 frames a second of a woman whose face looks sad at rest, who gets another id after 30 s.
    fn timeline() -> Timeline {
        let settings = json!({ "model-sha256": "m", "min-confidence": 0.4, "min-quality": 0.3 });
        let header = json!({ "type": "session", "schema": 1, "generator": "", "settings": { "emotionclassify": settings } });
        let mut text = format!("{header}\n");
        for frame in 0..300u64 {
            let face = json!({
                "id": if frame < 150 { 1 } else { 3 }, "box": [0.2, 0.3, 0.1, 0.2], "label": "sad",
                "confidence": 0.62, "probabilities": [0.04, 0.03, 0.07, 0.02, 0.62, 0.02, 0.2],
                "valence": -0.4, "arousal": 0.0, "quality": 1.0
            });
            let pts = frame * 200_000_000;
            text += &format!("{}\n", json!({ "type": "frame", "frame": frame, "pts": pts, "faces": [face] }));
        }
        Timeline::from_reader(text.as_bytes()).unwrap()
    }

    #[test]
    fn ids_that_stand_for_one_person_share_one_profile() {
        let mut one_person = PersonMap::default();
        one_person.set_groups(vec![vec![1, 3]]);
        let (mut apart, mut joined) = (timeline(), timeline());
        apply(&mut apart, &PersonMap::default(), &RestSource::Automatic);
        let Relabelling { has_changed, learnt } = apply(&mut joined, &one_person, &RestSource::Automatic);
        assert!(has_changed && (learnt.unwrap().seconds() - 59.8).abs() < 1e-6);
        let seconds = |timeline: &Timeline| -> Vec<(String, f64)> {
            let people = timeline.header.settings[RESTING_FACES].as_object().unwrap();
            people.iter().map(|(id, rest)| (id.clone(), rest["seconds"].as_f64().unwrap().round())).collect()
        };
        assert_eq!(seconds(&apart), [("1".into(), 30.0), ("3".into(), 30.0)]);
        assert_eq!(seconds(&joined), [("1".into(), 60.0)]);
        let classifications = |timeline: &Timeline| -> Vec<_> {
            timeline.frames.iter().map(|frame| frame.faces[0].classification.clone().unwrap()).collect()
        };
        let joined_labels = classifications(&joined);
        assert!(joined_labels.windows(2).all(|pair| pair[0] == pair[1]), "no step where the id changes");
        assert_ne!(joined_labels, classifications(&apart));
        // Separated and put together again, and undone.
        apply(&mut joined, &PersonMap::default(), &RestSource::Automatic);
        assert_eq!(joined, apart);
        let mut off = timeline();
        apply(&mut off, &PersonMap::default(), &RestSource::Off);
        apply(&mut joined, &PersonMap::default(), &RestSource::Off);
        assert_eq!(joined, off);
    }
}
