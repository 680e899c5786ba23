//! Selection of the face that the music follows.

use std::fmt;
use std::str::FromStr;

use mood_schema::{Face, Label};

use crate::Observation;

/// Which face counts when several are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The face that covers the largest share of its frame.
    #[default]
    Largest,
    /// The mean distribution of all faces with a known label.
    Mean,
    /// The face with this track id, as `haarfacedetect` assigns them.
    Id(u32),
    /// The face with one of these track ids, which belong to one person; of several that are found the largest.
    Ids(Vec<u32>),
}

/// A text that does not name a subject. Holds the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown subject '{0}': use largest, mean, or id:N with N the number of a tracked face; id:N,M for several of one person"
)]
pub struct ParseSubjectError(String);

impl FromStr for Subject {
    type Err = ParseSubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "largest" => Ok(Self::Largest),
            "mean" => Ok(Self::Mean),
            _ => {
                let ids = text.strip_prefix("id:").map(|ids| ids.split(',').map(str::parse).collect());
                match ids {
                    Some(Ok::<Vec<u32>, _>(ids)) => Ok(Self::of_ids(ids)),
                    _ => Err(ParseSubjectError(text.into())),
                }
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Largest => f.write_str("largest"),
            Self::Mean => f.write_str("mean"),
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
                write!(f, "id:{}", ids.join(","))
            }
        }
    }
}

impl Subject {
    /// The person to whom these track ids belong.
    pub fn of_ids(ids: Vec<u32>) -> Self {
        match ids[..] {
            [id] => Self::Id(id),
            _ => Self::Ids(ids),
        }
    }

    /// The face that counts among those found; `None` where there is none, and for [`Self::Mean`].
    pub fn find_face<'a>(&self, mut faces: impl Iterator<Item = &'a Face>) -> Option<&'a Face> {
        // Of equal faces the first, so that the order of inputs decides.
        let largest = |a: &'a Face, b: &'a Face| if b.bbox.area() > a.bbox.area() { b } else { a };
        match self {
            Self::Largest => faces.reduce(largest),
            Self::Id(id) => faces.find(|face| face.id == *id),
            Self::Ids(ids) => faces.filter(|face| ids.contains(&face.id)).reduce(largest),
            Self::Mean => None,
        }
    }

    /// The observation of the subject among all faces found, in the order of the video inputs.
    pub(crate) fn observe<'a>(&self, faces: impl Iterator<Item = &'a Face> + Clone) -> Observation {
        match self {
            Self::Mean => observe_mean(faces),
            _ => observe_one(self.find_face(faces)),
        }
    }
}

/// The probabilities of a face whose label is not uncertain.
fn known_probabilities(face: &Face) -> Option<[f64; 7]> {
    face.classification.as_ref().filter(|c| c.label != Label::Uncertain).map(|c| c.probabilities)
}

/// The observation of a single face.
fn observe_one(face: Option<&Face>) -> Observation {
    match face {
        None => Observation::Absent,
        Some(face) => known_probabilities(face).map_or(Observation::Uncertain, Observation::Face),
    }
}

/// The mean over all faces with a known label.
fn observe_mean<'a>(faces: impl Iterator<Item = &'a Face> + Clone) -> Observation {
    let mut sum = [0.0; 7];
    let mut count = 0u32;
    for probabilities in faces.clone().filter_map(known_probabilities) {
        sum.iter_mut().zip(probabilities).for_each(|(sum, p)| *sum += p);
        count += 1;
    }
    match (count, faces.count()) {
        (0, 0) => Observation::Absent,
        (0, _) => Observation::Uncertain,
        _ => Observation::Face(sum.map(|sum| sum / f64::from(count))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::face;
    use mood_schema::Emotion;

    fn top(observation: Observation) -> usize {
        match observation {
            Observation::Face(p) => (0..7).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_round_trip() {
        for name in ["largest", "mean", "id:12", "id:3,1,4"] {
            assert_eq!(name.parse::<Subject>().unwrap().to_string(), name);
        }
        for name in ["", "id:", "id:-1", "id:1,", "smallest"] {
            assert!(name.parse::<Subject>().unwrap_err().to_string().contains("id:N"));
        }
    }

    #[test]
    fn largest_mean_and_id_select_their_faces() {
        let faces = [face(1, 0.1, Emotion::Happy), face(2, 0.3, Emotion::Sad), face(3, 0.2, Emotion::Happy)];
        assert_eq!(top(Subject::Largest.observe(faces.iter())), Emotion::Sad.index());
        assert_eq!(top(Subject::Mean.observe(faces.iter())), Emotion::Happy.index());
        assert_eq!(top(Subject::Id(2).observe(faces.iter())), Emotion::Sad.index());
        assert_eq!(top(Subject::Ids(vec![9, 3, 1]).observe(faces.iter())), Emotion::Happy.index());
        assert_eq!(
            Subject::Ids(vec![3, 1]).find_face(faces.iter()).map(|face| face.id),
            Some(3),
            "the largest"
        );
        assert_eq!(Subject::Id(9).observe(faces.iter()), Observation::Absent);
    }

    #[test]
    fn unclassified_faces_are_uncertain() {
        let faces = [Face { classification: None, ..face(1, 0.1, Emotion::Happy) }];
        for subject in [Subject::Largest, Subject::Mean, Subject::Id(1)] {
            assert_eq!(subject.observe(faces.iter()), Observation::Uncertain);
            assert_eq!(subject.observe([].iter()), Observation::Absent);
        }
    }
}
