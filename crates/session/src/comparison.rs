//! Comparison of several sessions of one person: the change from the first session and from each to the next.

use std::collections::BTreeMap;

use mood_schema::Label;
use serde::{Deserialize, Serialize};

use crate::across_sessions::{
    ConditionContrast, ConditionMean, SessionPoint, SessionTrend, find_condition_means, find_contrasts,
    find_trend,
};
use crate::estimate::Estimate;
use crate::{PersonSummary, Summary, Warning, WarningKind};

/// Sessions compared in the order of their dates, where the date of each is known, else in the order given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The sessions in which the subject was classified.
    pub sessions: Vec<ComparedSession>,
    /// The trend over the sessions; `None` with fewer than three.
    #[serde(default)]
    pub trend: Option<SessionTrend>,
    /// The means of each condition that the notes of the sessions name.
    #[serde(default)]
    pub conditions: Vec<ConditionMean>,
    /// The difference between every two conditions.
    #[serde(default)]
    pub contrasts: Vec<ConditionContrast>,
    /// What was assumed.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// One session of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedSession {
    /// Title of the session.
    pub title: String,
    /// When it was recorded, ISO 8601; `None` where that is unknown.
    #[serde(default)]
    pub date: Option<String>,
    /// Display name of its subject.
    pub name: String,
    /// The subject's classified time, ns.
    pub classified: u64,
    /// Share of the classified time that each label was shown, 0-1.
    pub labels: BTreeMap<Label, f64>,
    /// Mean valence and its changes.
    pub valence: SessionMean,
    /// Mean arousal and its changes.
    pub arousal: SessionMean,
}

/// The mean of a dimension in one session, and its differences from other sessions. The differences account for each
/// session's own uncertainty, but not for a change of room, light or camera between sessions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionMean {
    /// The mean: the difference from the baseline where every session has one (-2 to 2), else the plain mean (-1 to 1).
    pub level: Estimate,
    /// The mean minus that of the session before; `None` in the first session.
    #[serde(rename = "since_last")]
    pub since_previous: Option<Estimate>,
    /// The mean minus that of the first session; `None` in the first session.
    pub since_first: Option<Estimate>,
}

impl Comparison {
    /// Compares the subjects of the summaries. Summaries without a classified subject are left out.
    pub fn from_summaries(summaries: &[Summary]) -> Self {
        let mut ordered: Vec<&Summary> = summaries.iter().collect();
        let dated = summaries.iter().filter(|summary| summary.day().is_some()).count();
        if dated == summaries.len() {
            ordered.sort_by(|one, other| one.day().unwrap_or(0.0).total_cmp(&other.day().unwrap_or(0.0)));
        }
        let subjects: Vec<_> = ordered
            .into_iter()
            .filter_map(|summary| Some((summary, summary.subject()?)))
            .filter(|(_, subject)| subject.valence.is_some())
            .collect();
        let all_have_baseline = subjects.iter().all(|(_, subject)| subject.above_baseline.is_some());
        let with_baseline = subjects.iter().filter(|(_, subject)| subject.above_baseline.is_some()).count();
        let mut warnings = Vec::new();
        if dated > 0 && dated < summaries.len() {
            let text = format!(
                "the date of {} of {} sessions is not known: they are compared in the order given, and the trend is one per session",
                summaries.len() - dated,
                summaries.len()
            );
            warnings.push(Warning::new(WarningKind::MissingDates, text));
        }
        if with_baseline > 0 && !all_have_baseline {
            let missing = subjects.iter().filter(|(_, subject)| subject.above_baseline.is_none());
            let titles: Vec<&str> = missing.map(|(summary, _)| summary.title.as_str()).collect();
            warnings.push(Warning::new(
                WarningKind::MissingBaselines,
                format!(
                    "plain means are compared instead of differences from the usual expression, because {} of {} sessions \
                     have no baseline: {}",
                    titles.len(),
                    subjects.len(),
                    titles.join(", ")
                ),
            ));
        }
        let mut names: Vec<&str> = Vec::new();
        for (_, subject) in &subjects {
            if !names.contains(&subject.name.as_str()) {
                names.push(&subject.name);
            }
        }
        if names.len() > 1 {
            let text = format!(
                "the sessions are about people of different names, {}: a difference may be one between people",
                names.join(", ")
            );
            warnings.push(Warning::new(WarningKind::DifferentPeople, text));
        }
        let levels: Vec<[Estimate; 2]> = subjects
            .iter()
            .filter_map(|(_, subject)| match &subject.above_baseline {
                Some(difference) if all_have_baseline => Some([difference.valence, difference.arousal]),
                _ => Some([subject.valence?, subject.arousal?]),
            })
            .collect();
        let points: Vec<SessionPoint> = subjects
            .iter()
            .zip(&levels)
            .map(|((summary, subject), levels)| {
                // Where means are differences from the usual expression, those of conditions are, too.
                let usual = subject.baseline.as_ref().filter(|_| all_have_baseline);
                let usual = usual.map_or([0.0; 2], |usual| [usual.valence.mean, usual.arousal.mean]);
                let conditions = summary.conditions.iter().filter_map(|condition| {
                    let means = [condition.valence?.mean - usual[0], condition.arousal?.mean - usual[1]];
                    Some((condition.condition.clone(), means))
                });
                let conditions = conditions.collect();
                SessionPoint { day: summary.day(), means: levels.map(|level| level.mean), conditions }
            })
            .collect();
        let session_mean = |index: usize, dimension: usize| {
            let level_in = |index: usize| levels.get(index).and_then(|levels| levels.get(dimension)).copied();
            let level = level_in(index)?;
            let change_from =
                |other: Option<Estimate>| other.filter(|_| index > 0).map(|other| level.subtract(&other));
            let previous = index.checked_sub(1).and_then(level_in);
            Some(SessionMean {
                level,
                since_previous: change_from(previous),
                since_first: change_from(level_in(0)),
            })
        };
        let compared = |(index, (summary, subject)): (usize, &(&Summary, &PersonSummary))| {
            Some(ComparedSession {
                title: summary.title.clone(),
                date: summary.date(),
                name: subject.name.clone(),
                classified: subject.classified,
                labels: subject.labels.clone(),
                valence: session_mean(index, 0)?,
                arousal: session_mean(index, 1)?,
            })
        };
        Self {
            sessions: subjects.iter().enumerate().filter_map(compared).collect(),
            trend: find_trend(&points),
            conditions: find_condition_means(&points),
            contrasts: find_contrasts(&points),
            warnings,
        }
    }
}
