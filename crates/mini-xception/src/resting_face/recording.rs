//! The second look at a recording: each person's resting face from all of it, and labels by what differs from it.

use std::collections::{BTreeMap, HashMap};

use mood_schema::FrameLine;

use super::evidence::EvidenceMeter;
use super::profile::RestingProfile;
use super::shift::LogitShift;
use crate::smoothing::LabelThresholds;

/// Learns the profile of every person in a recording, by the raw distributions in its frames. `person_of` gives the
/// person whom a face id stands for, `begin` the profile that a person begins with; a told one learns nothing more.
/// People of whom there is no evidence are left out.
pub fn learn_people(
    frames: &[FrameLine],
    person_of: impl Fn(u32) -> u32,
    begin: impl Fn(u32) -> RestingProfile,
) -> BTreeMap<u32, RestingProfile> {
    let mut people: HashMap<u32, (RestingProfile, EvidenceMeter)> = HashMap::new();
    for frame in frames {
        for face in &frame.faces {
            let Some(classification) = &face.classification else { continue };
            let person = person_of(face.id);
            let (profile, evidence) =
                people.entry(person).or_insert_with(|| (begin(person), EvidenceMeter::default()));
            let seconds = evidence.step(frame.pts, &face.bbox, face.quality);
            if !profile.is_rest_known() {
                profile.observe(classification.raw_probabilities(), seconds);
            }
        }
    }
    let profiles = people.into_iter().map(|(person, (profile, _))| (person, profile));
    profiles.filter(|(_, profile)| profile.seconds() > 0.0).collect()
}

/// Replaces the classification of every face by that of its raw distribution, from which its person's shift is taken
/// off; of people without a shift nothing is. `person_of` is as in [`learn_people`]. Returns whether anything has changed.
pub fn relabel(
    frames: &mut [FrameLine],
    person_of: impl Fn(u32) -> u32,
    shifts: &BTreeMap<u32, LogitShift>,
    thresholds: LabelThresholds,
) -> bool {
    let mut has_changed = false;
    for face in frames.iter_mut().flat_map(|frame| &mut frame.faces) {
        if let Some(classification) = &mut face.classification {
            let shift = shifts.get(&person_of(face.id)).copied().unwrap_or_default();
            let relabelled = thresholds.classify(classification.raw_probabilities(), &shift, face.quality);
            has_changed |= *classification != relabelled;
            *classification = relabelled;
        }
    }
    has_changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Emotion, Face, Label, Rect};

    const SAD_REST: [f64; 7] = [0.04, 0.03, 0.07, 0.02, 0.62, 0.02, 0.2];
    const SMILE: [f64; 7] = [0.004, 0.003, 0.006, 0.95, 0.01, 0.007, 0.02];
    const THRESHOLDS: LabelThresholds = LabelThresholds { min_confidence: 0.4, min_quality: 0.3 };

    /// A minute at 5 frames a second: face 1 (after 30 s face 3, the same person) looks sad at rest and smiles at the end;
    /// face 2 smiles throughout.
    fn frames() -> Vec<FrameLine> {
        let face = |id: u32, x: f64, probabilities: &[f64; 7]| Face {
            id,
            bbox: Rect { x, y: 0.3, w: 0.1, h: 0.2 },
            classification: Some(THRESHOLDS.classify(probabilities, &LogitShift::ZERO, 1.0)),
            quality: 1.0,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        };
        let frame = |frame: u64| {
            let first =
                face(if frame < 150 { 1 } else { 3 }, 0.2, if frame < 250 { &SAD_REST } else { &SMILE });
            FrameLine { frame, pts: frame * 200_000_000, faces: vec![first, face(2, 0.7, &SMILE)], shot: 0 }
        };
        (0..300).map(frame).collect()
    }

    fn labels(frames: &[FrameLine], index: usize) -> Vec<Label> {
        frames.iter().map(|frame| frame.faces[index].classification.as_ref().unwrap().label).collect()
    }

    #[test]
    fn each_persons_rest_reads_neutral_over_the_whole_recording_and_can_be_undone() {
        let original = frames();
        let mut frames = frames();
        let person_of = |id: u32| if id == 3 { 1 } else { id };
        let profiles = learn_people(&frames, person_of, |_| RestingProfile::new("model"));
        assert_eq!(profiles.keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert!((profiles[&1].seconds() - 59.8).abs() < 1e-6, "{}", profiles[&1].seconds());
        let shifts: BTreeMap<u32, LogitShift> =
            profiles.iter().map(|(&person, profile)| (person, profile.shift(1.0))).collect();
        assert!(relabel(&mut frames, person_of, &shifts, THRESHOLDS));
        assert!(!relabel(&mut frames, person_of, &shifts, THRESHOLDS), "the same again");
        let first = labels(&frames, 0);
        assert!(
            first[..250].iter().all(|&label| label == Emotion::Neutral.into()),
            "from the first frame on"
        );
        assert!(first[250..].iter().all(|&label| label == Emotion::Happy.into()));
        assert!(labels(&frames, 1).iter().all(|&label| label == Emotion::Happy.into()));
        let raw = frames[0].faces[0].classification.as_ref().unwrap().raw;
        assert_eq!(raw, Some(SAD_REST));
        // Again, from the labels of the first time: the raw distributions are what counts.
        let again = learn_people(&frames, person_of, |_| RestingProfile::new("model"));
        assert_eq!(again, profiles);
        relabel(&mut frames, person_of, &BTreeMap::new(), THRESHOLDS);
        assert_eq!(frames, original);
    }

    #[test]
    fn known_profile_is_where_learning_begins() {
        let mut told = RestingProfile::new_for_known_rest("model");
        told.observe(&SAD_REST, 10.0);
        let profiles = learn_people(
            &frames(),
            |id| id,
            |id| match id {
                1 => told.clone(),
                _ => RestingProfile::new("model"),
            },
        );
        assert_eq!(profiles[&1], told);
        assert!(profiles[&2].seconds() > 59.0);
    }
}
