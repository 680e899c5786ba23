//! Who is who: faces' ids become people, and each person's way through the recording is one list of samples.

use std::collections::{BTreeMap, HashMap};

use mood_schema::{Classification, Face};
use serde::{Deserialize, Serialize};

use crate::Timeline;

/// What is known of the people in a recording beyond what the picture says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cast {
    /// Ids that are one person each: a cut or a long absence may have split it. The first of them is the person's.
    pub merge: Vec<Vec<u32>>,
    /// How people are called; others are `Person` and their id.
    pub names: BTreeMap<u32, String>,
    /// Whom the report is about; without it, whoever is longest in view.
    pub subject: Option<u32>,
}

impl Cast {
    /// The id that a face's id stands for.
    pub fn person(&self, id: u32) -> u32 {
        let group = self.merge.iter().find(|group| group.contains(&id));
        group.and_then(|group| group.first()).copied().unwrap_or(id)
    }

    /// What a person is called.
    pub fn name(&self, id: u32) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| format!("Person {id}"))
    }
}

impl Timeline {
    /// Makes every face's id that of its person. Where that gives a person two faces in one frame, the larger stays.
    pub fn recast(&mut self, cast: &Cast) {
        if cast.merge.is_empty() {
            return;
        }
        for frame in &mut self.frames {
            let mut seen = Vec::new();
            frame.faces.retain_mut(|face| {
                face.id = cast.person(face.id);
                let new = !seen.contains(&face.id);
                seen.push(face.id);
                new
            });
        }
    }

    /// Everybody's samples, by id.
    pub fn people(&self) -> BTreeMap<u32, Vec<Sample<'_>>> {
        let mut people: HashMap<u32, Vec<Sample>> = HashMap::new();
        for (frame, length) in self.frames_with_length() {
            for face in &frame.faces {
                let end = frame.pts.saturating_add(length);
                people.entry(face.id).or_default().push(Sample { start: frame.pts, end, face });
            }
        }
        people.into_iter().collect()
    }
}

/// A person in one frame.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// When the frame begins, stream time, ns.
    pub start: u64,
    /// When it ends.
    pub end: u64,
    /// What was seen.
    pub face: &'a Face,
}

impl<'a> Sample<'a> {
    /// How long the frame lasts, ns.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }

    /// What the classifier said, where it looked.
    pub fn classification(&self) -> Option<&'a Classification> {
        self.face.classification.as_ref()
    }
}

/// One of the two numbers that are followed over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Unpleasant to pleasant.
    Valence,
    /// Calm to activated.
    Arousal,
}

impl Dimension {
    /// Its value, -1 to 1.
    pub fn of(self, classification: &Classification) -> f64 {
        match self {
            Self::Valence => classification.affect.valence,
            Self::Arousal => classification.affect.arousal,
        }
    }
}
