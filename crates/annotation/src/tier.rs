//! Annotations and the tiers they are in.

use serde::{Deserialize, Serialize};

/// A label given to a span of a recording. Times are nanoseconds from the beginning of the recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Where the span begins, ns.
    pub start: u64,
    /// Where it ends, ns, above `start`; the span does not include it.
    pub end: u64,
    /// What the coder saw.
    pub label: String,
}

/// What one coder said about one person: annotations in order of time and without overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The name in the file: a tier of ELAN or Praat, a subject of BORIS.
    pub name: String,
    annotations: Vec<Annotation>,
    overlaps: usize,
}

impl Tier {
    /// A tier of `annotations` in any order; empty ones are dropped. Where two overlap, the one that begins later counts from
    /// its beginning on, since a coder who gives a new label has ended the old one.
    pub fn new(name: impl Into<String>, mut annotations: Vec<Annotation>) -> Self {
        annotations.retain(|annotation| annotation.start < annotation.end);
        annotations.sort_by_key(|annotation| (annotation.start, annotation.end));
        let mut overlaps = 0;
        for index in 1..annotations.len() {
            let next = annotations[index].start;
            let previous = &mut annotations[index - 1];
            if previous.end > next {
                previous.end = next;
                overlaps += 1;
            }
        }
        annotations.retain(|annotation| annotation.start < annotation.end);
        Self { name: name.into(), annotations, overlaps }
    }

    /// The annotations in order of time, without overlap.
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// How many annotations were shortened because the next one began before their end.
    pub fn overlaps(&self) -> usize {
        self.overlaps
    }

    /// End of the last annotation, ns; 0 without annotations.
    pub fn end(&self) -> u64 {
        self.annotations.last().map_or(0, |annotation| annotation.end)
    }

    /// The same tier with other labels. Annotations for which `map` returns `None` are left out.
    pub fn map_labels(&self, mut map: impl FnMut(&str) -> Option<String>) -> Self {
        let annotations = self.annotations.iter().filter_map(|annotation| {
            Some(Annotation { label: map(&annotation.label)?, start: annotation.start, end: annotation.end })
        });
        Self { name: self.name.clone(), annotations: annotations.collect(), overlaps: self.overlaps }
    }

    /// The annotation at a time (ns), if there is one.
    pub fn at(&self, time: u64) -> Option<&Annotation> {
        let index = self.annotations.partition_point(|annotation| annotation.start <= time);
        self.annotations.get(index.checked_sub(1)?).filter(|annotation| annotation.end > time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(start: u64, end: u64, label: &str) -> Annotation {
        Annotation { start, end, label: label.into() }
    }

    #[test]
    fn annotations_are_sorted_and_shortened_where_they_overlap() {
        let tier = Tier::new(
            "a",
            vec![
                annotation(50, 90, "sad"),
                annotation(0, 60, "happy"),
                annotation(95, 95, "point"),
                annotation(90, 100, "sad"),
            ],
        );
        let expected = [annotation(0, 50, "happy"), annotation(50, 90, "sad"), annotation(90, 100, "sad")];
        assert_eq!(tier.annotations(), expected);
        assert_eq!(tier.overlaps(), 1);
        assert_eq!(tier.at(49).map(|found| found.label.as_str()), Some("happy"));
        assert_eq!(tier.at(50).map(|found| found.label.as_str()), Some("sad"));
        assert_eq!(tier.at(100), None);
    }
}
