//! Which face ids belong to which person, and each person's observations over the recording.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mood_schema::{Classification, Face};
use serde::{Deserialize, Serialize};

use crate::Timeline;

/// Which face ids belong to one person, what the people are called, and which of them the report is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonMap {
    /// Groups of face ids that belong to one person, because a cut or a long absence gave that person a new id. The first id
    /// of a group becomes the person's id.
    pub merge: Vec<Vec<u32>>,
    /// Display names by person id. A person without an entry is called `Person` and the id.
    pub names: BTreeMap<u32, String>,
    /// Face id of the person the report is about. `None`: the person who is found for the longest.
    pub subject: Option<u32>,
}

impl PersonMap {
    /// Sets the groups of ids that belong to one person. Groups that share an id are joined, and groups of a single id
    /// are dropped.
    pub fn set_groups(&mut self, groups: Vec<Vec<u32>>) {
        let mut joined: Vec<Vec<u32>> = Vec::new();
        for mut group in groups {
            while let Some(index) = joined.iter().position(|other| other.iter().any(|id| group.contains(id)))
            {
                let mut other = joined.remove(index);
                other.extend(group);
                group = other;
            }
            let mut unique = Vec::new();
            for id in group {
                if !unique.contains(&id) {
                    unique.push(id);
                }
            }
            joined.push(unique);
        }
        joined.retain(|group| group.len() > 1);
        self.merge = joined;
    }

    /// The id of the person that the face `id` belongs to; `id` itself where no group contains it.
    pub fn person_id(&self, id: u32) -> u32 {
        let group = self.merge.iter().find(|group| group.contains(&id));
        group.and_then(|group| group.first()).copied().unwrap_or(id)
    }

    /// All ids of the person that the face `id` belongs to.
    pub fn ids_of(&self, id: u32) -> Vec<u32> {
        let group = self.merge.iter().find(|group| group.contains(&id));
        group.cloned().unwrap_or_else(|| vec![id])
    }

    /// The display name of the person with this id.
    pub fn name(&self, person_id: u32) -> String {
        self.names.get(&person_id).cloned().unwrap_or_else(|| format!("Person {person_id}"))
    }
}

impl Timeline {
    /// Replaces the id of every face by that of its person. Where a person thereby gets two faces in one frame, only the
    /// first is kept, which is the larger one, as faces are recorded by size.
    pub fn merge_people(&mut self, people: &PersonMap) {
        if people.merge.is_empty() {
            return;
        }
        for frame in &mut self.frames {
            let mut kept = Vec::new();
            frame.faces.retain_mut(|face| {
                face.id = people.person_id(face.id);
                face.resembles = face.resembles.map(|id| people.person_id(id)).filter(|id| *id != face.id);
                let is_first = !kept.contains(&face.id);
                kept.push(face.id);
                is_first
            });
        }
    }

    /// Groups of people who look much alike and are never in the same frame, so that they may be one person. Each group has at
    /// least two ids, in ascending order, and each id is in one group at most.
    pub fn look_alikes(&self) -> Vec<Vec<u32>> {
        let faces = self.frames.iter().flat_map(|frame| &frame.faces);
        let pairs: BTreeSet<(u32, u32)> = faces
            .filter_map(|face| face.resembles.map(|other| (face.id.min(other), face.id.max(other))))
            .collect();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (first, second) in pairs {
            let mut joined = vec![first, second];
            let (related, others): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| group.contains(&first) || group.contains(&second));
            joined.extend(related.iter().flatten());
            joined.sort_unstable();
            joined.dedup();
            groups = others;
            if self.meet(&joined) {
                groups.extend(related);
            } else {
                groups.push(joined);
            }
        }
        groups.sort();
        groups
    }

    /// Whether two of these people are in the same frame anywhere.
    fn meet(&self, ids: &[u32]) -> bool {
        self.frames.iter().any(|frame| frame.faces.iter().filter(|face| ids.contains(&face.id)).count() > 1)
    }

    /// The observations of every person in frame order, by person id.
    pub fn observations(&self) -> BTreeMap<u32, Vec<Observation<'_>>> {
        let mut observations: HashMap<u32, Vec<Observation>> = HashMap::new();
        for (frame, duration) in self.frames_with_duration() {
            for face in &frame.faces {
                let end = frame.pts.saturating_add(duration);
                observations.entry(face.id).or_default().push(Observation { start: frame.pts, end, face });
            }
        }
        observations.into_iter().collect()
    }
}

/// One person's face in one frame.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Start of the frame, stream time, ns.
    pub start: u64,
    /// End of the frame, stream time, ns; at least `start`.
    pub end: u64,
    /// The detected face.
    pub face: &'a Face,
}

impl<'a> Observation<'a> {
    /// Duration of the frame, ns.
    pub fn duration(&self) -> u64 {
        self.end - self.start
    }

    /// The classifier's result; `None` where the face was not classified in this frame.
    pub fn classification(&self) -> Option<&'a Classification> {
        self.face.classification.as_ref()
    }
}

/// A dimension of the circumplex model of affect (Russell 1980, doi:10.1037/h0077714).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// From unpleasant (-1) to pleasant (1).
    Valence,
    /// From calm (-1) to activated (1).
    Arousal,
}

impl Dimension {
    /// The classification's value in this dimension, -1 to 1.
    pub fn value(self, classification: &Classification) -> f64 {
        match self {
            Self::Valence => classification.affect.valence,
            Self::Arousal => classification.affect.arousal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_share_an_id_are_joined() {
        let mut people = PersonMap::default();
        people.set_groups(vec![vec![1], vec![2, 3], vec![5, 5], vec![4, 1], vec![3, 6, 2]]);
        assert_eq!(people.merge, [vec![1, 4], vec![2, 3, 6]]);
        assert_eq!((people.person_id(6), people.person_id(5)), (2, 5));
    }
}
