//! Several sessions of one person side by side: what changed from the first, and from one to the next.

use std::collections::BTreeMap;

use mood_schema::Label;
use serde::{Deserialize, Serialize};

use crate::Summary;
use crate::estimate::Estimate;

/// Sessions in the order given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Those in which the subject's expression was estimated.
    pub sessions: Vec<Compared>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What the session is called.
    pub title: String,
    /// What its subject is called.
    pub name: String,
    /// Time classified, ns.
    pub classified: u64,
    /// Share of the classified time.
    pub labels: BTreeMap<Label, f64>,
    /// Level and changes of valence.
    pub valence: Course,
    /// Level and changes of arousal.
    pub arousal: Course,
}

/// A mean of one session among others. Differences take each session's own uncertainty into account, not that of
/// another room, light or camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The mean: above the baseline where every session has one, else as it is.
    pub level: Estimate,
    /// Less the session before; of the first, nothing.
    pub since_last: Option<Estimate>,
    /// Less the first session.
    pub since_first: Option<Estimate>,
}

impl Comparison {
    /// Compares the subjects of summaries.
    pub fn of(summaries: &[Summary]) -> Self {
        let subjects: Vec<_> = summaries
            .iter()
            .filter_map(|summary| Some((summary, summary.main_subject()?)))
            .filter(|(_, subject)| subject.valence.is_some())
            .collect();
        let against_baseline = subjects.iter().all(|(_, subject)| subject.above_baseline.is_some());
        let levels: Vec<[Estimate; 2]> = subjects
            .iter()
            .filter_map(|(_, subject)| match &subject.above_baseline {
                Some(above) if against_baseline => Some([above.valence, above.arousal]),
                _ => Some([subject.valence?, subject.arousal?]),
            })
            .collect();
        let course = |index: usize, which: usize| {
            let level = |index: usize| levels.get(index).and_then(|levels| levels.get(which)).copied();
            let own = level(index)?;
            let minus = |other: Option<Estimate>| other.filter(|_| index > 0).map(|other| own.minus(&other));
            let last = index.checked_sub(1).and_then(level);
            Some(Course { level: own, since_last: minus(last), since_first: minus(level(0)) })
        };
        let compared = |(index, (summary, subject)): (usize, &(&Summary, &crate::Subject))| {
            Some(Compared {
                title: summary.title.clone(),
                name: subject.name.clone(),
                classified: subject.classified,
                labels: subject.labels.clone(),
                valence: course(index, 0)?,
                arousal: course(index, 1)?,
            })
        };
        Self { sessions: subjects.iter().enumerate().filter_map(compared).collect() }
    }
}
