//! What changes a summary after it was computed: corrections by humans, and the conditions that notes name.

use std::collections::BTreeMap;

use mood_schema::{CorrectionLine, Emotion, Label};

use super::{PersonSummary, Summary};
use crate::condition::{ConditionSpans, ConditionSummary, Conditions};
use crate::correction::{
    Change, CorrectionSummary, MachineRecord, correct_episodes, describe_lost, find_changes, label_times,
    measure_agreement,
};
use crate::dyad::{Dyad, DyadMember, MAX_PAIRS, MIN_COMMON_UNNAMED};
use crate::episode::count_transitions;
use crate::people::Observation;
use crate::{Timeline, WarningKind};

impl Summary {
    /// Brings the record of each person, and what depends on it, in line with the timeline's corrections: those taken back since the summary was made no
    /// longer have an effect. A correction whose person cannot be found becomes a warning.
    pub fn apply_corrections(&mut self, timeline: &Timeline) {
        self.warnings.retain(|warning| warning.kind != WarningKind::CorrectionLost);
        self.corrections.clear();
        let mut by_person: BTreeMap<u32, Vec<&CorrectionLine>> = BTreeMap::new();
        for correction in &timeline.corrections {
            match timeline.find_corrected(correction) {
                Some(person) => {
                    by_person.entry(person).or_default().push(correction);
                    self.corrections.push(CorrectionSummary::new(correction, person));
                }
                None => self.warnings.push(describe_lost(correction)),
            }
        }
        let observations = if by_person.is_empty() { BTreeMap::new() } else { timeline.observations() };
        for person in &mut self.people {
            if let Some(machine) = person.machine.take() {
                person.restore(machine);
            }
            if let Some(corrections) = by_person.get(&person.id) {
                let observations = observations.get(&person.id).map_or(&[][..], Vec::as_slice);
                person.correct(corrections, observations, timeline);
            }
        }
        self.update_conditions(timeline);
        // Whom they smile with depends on the record.
        self.dyads = find_dyads(timeline, self);
    }
}

impl Summary {
    /// Takes in what the notes say of the session's conditions.
    pub fn set_conditions(&mut self, timeline: &Timeline, conditions: &Conditions) {
        let (spans, warnings) = conditions.resolve(timeline);
        self.warnings.extend(warnings);
        self.describe_conditions(timeline, spans);
    }

    /// Computes what the subject showed under each condition anew, after labels were corrected.
    fn update_conditions(&mut self, timeline: &Timeline) {
        let spans = self.conditions.drain(..).map(|condition| (condition.condition, condition.spans));
        let spans = spans.collect();
        self.describe_conditions(timeline, spans);
    }

    fn describe_conditions(&mut self, timeline: &Timeline, conditions: ConditionSpans) {
        if conditions.is_empty() {
            return;
        }
        let observations = timeline.observations();
        let id = self.subject_id;
        let observations = id.and_then(|id| observations.get(&id)).map_or(&[][..], Vec::as_slice);
        let changes = self.subject().map(PersonSummary::changes).unwrap_or_default();
        self.conditions = conditions
            .into_iter()
            .map(|(condition, spans)| {
                ConditionSummary::new(timeline, id, observations, &changes, condition, spans)
            })
            .collect();
    }

    /// The condition at a stream time, ns.
    pub fn condition_at(&self, time: u64) -> Option<&str> {
        let is_at = |condition: &&ConditionSummary| {
            condition.spans.iter().any(|[start, end]| (*start..*end).contains(&time))
        };
        self.conditions.iter().find(is_at).map(|condition| condition.condition.as_str())
    }
}

/// Finds the pairs: the subject with everybody else who has a name, or where nobody has, with the one other who is there for at
/// least a minute in common.
fn find_dyads(timeline: &Timeline, summary: &Summary) -> Vec<Dyad> {
    let map = &summary.person_map;
    let Some(subject) = summary.subject() else { return Vec::new() };
    let dyad = |other: &PersonSummary| Dyad::new(timeline, &subject.as_member(), &other.as_member());
    let others = summary.people.iter().filter(|person| person.id != subject.id && person.classified > 0);
    let named: Vec<&PersonSummary> = if map.names.contains_key(&subject.id) {
        others.clone().filter(|person| map.names.contains_key(&person.id)).collect()
    } else {
        Vec::new()
    };
    if named.is_empty() {
        // People are ordered by the time for which they were found.
        let dyads = others.take(1).map(dyad);
        return dyads.filter(|dyad| dyad.common >= MIN_COMMON_UNNAMED).collect();
    }
    named.into_iter().take(MAX_PAIRS).map(dyad).collect()
}

impl PersonSummary {
    /// Where the corrected record differs from the classifier's, in order of time; nowhere without a correction.
    pub fn changes(&self) -> Vec<Change> {
        self.machine.as_ref().map_or_else(Vec::new, |machine| find_changes(&self.episodes, &machine.episodes))
    }
}

impl PersonSummary {
    /// Replaces the corrected record by the classifier's.
    fn restore(&mut self, machine: MachineRecord) {
        let MachineRecord { classified, uncertain, labels, transitions, episodes, agreement: _ } = machine;
        (self.classified, self.uncertain, self.labels) = (classified, uncertain, labels);
        (self.transitions, self.episodes) = (transitions, episodes);
    }

    /// Applies the corrections of this person, the later ones over the earlier ones.
    fn correct(
        &mut self,
        corrections: &[&CorrectionLine],
        observations: &[Observation],
        timeline: &Timeline,
    ) {
        let episodes = correct_episodes(&self.episodes, corrections, observations);
        let changes = find_changes(&episodes, &self.episodes);
        let times = label_times(timeline, self.id, &changes, |_| true);
        let classified = times.values().fold(0u64, |total, &time| total.saturating_add(time));
        let share = |time: u64| time as f64 / classified.max(1) as f64;
        let machine = MachineRecord {
            classified: std::mem::replace(&mut self.classified, classified),
            uncertain: std::mem::replace(
                &mut self.uncertain,
                times.get(&Label::Uncertain).copied().unwrap_or_default(),
            ),
            labels: std::mem::replace(
                &mut self.labels,
                times.into_iter().map(|(label, time)| (label, share(time))).collect(),
            ),
            transitions: std::mem::replace(&mut self.transitions, count_transitions(&episodes)),
            agreement: measure_agreement(&episodes, &self.episodes),
            episodes: std::mem::replace(&mut self.episodes, episodes),
        };
        self.machine = Some(machine);
    }

    fn as_member(&self) -> DyadMember<'_> {
        let smile_share = self.labels.get(&Label::Known(Emotion::Happy)).copied().unwrap_or_default();
        DyadMember { id: self.id, name: &self.name, episodes: &self.episodes, smile_share }
    }
}
