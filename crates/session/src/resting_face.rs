//! What was taken off a person's labels as the resting face, and what that changed.

use std::collections::BTreeMap;

use mood_schema::{Classification, Emotion, Label, SessionHeader};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::people::Observation;

/// The key in the settings of a timeline's header under which `process` notes whose resting face was taken off: an object
/// with [`AppliedRest`] by person id.
pub const RESTING_FACES: &str = "resting-faces";

/// How a resting face became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestOrigin {
    /// It was found in the recordings of the person.
    Found,
    /// Somebody said when the person was at rest.
    Told,
}

/// The resting face that was taken off one person's labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedRest {
    /// What it is known from, seconds of good images of the still face; earlier sessions included.
    pub seconds: f64,
    /// How it is known.
    pub origin: RestOrigin,
    /// What was taken off the log odds of each emotion against neutral, nats, in the order of `mood_schema::Emotion::ALL`.
    pub shift: [f64; 7],
}

/// The resting face that was taken off a person's labels, and the labels without that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestingFaceSummary {
    /// What was taken off.
    #[serde(flatten)]
    pub applied: AppliedRest,
    /// Share of the classified time of each label as it would be had nothing been taken off.
    pub labels_without: BTreeMap<Label, f64>,
    /// Share of the classified time in which the label is another than it would be, 0-1.
    pub changed: f64,
}

impl RestingFaceSummary {
    /// Compares the labels of a person with those without the resting face. `None` where none was taken off.
    pub(crate) fn compute(header: &SessionHeader, id: u32, observations: &[Observation]) -> Option<Self> {
        let people = header.settings.get(RESTING_FACES)?;
        let applied: AppliedRest = serde_json::from_value(people.get(id.to_string())?.clone()).ok()?;
        let threshold = |name: &str| {
            let setting = header.settings.get("emotionclassify").and_then(|settings| settings.get(name));
            setting.and_then(Value::as_f64).unwrap_or(0.0)
        };
        let (min_confidence, min_quality) = (threshold("min-confidence"), threshold("min-quality"));
        let (mut time, mut changed) = (0u64, 0u64);
        let mut labels: BTreeMap<Label, u64> = BTreeMap::new();
        for observation in observations {
            let Some(classification) = observation.classification() else { continue };
            let label = match observation.face.quality >= min_quality {
                true => raw_label(classification, min_confidence),
                false => Label::Uncertain,
            };
            let duration = observation.duration();
            time = time.saturating_add(duration);
            *labels.entry(label).or_default() += duration;
            if label != classification.label {
                changed = changed.saturating_add(duration);
            }
        }
        if time == 0 {
            return None;
        }
        let share = |part: u64| part as f64 / time as f64;
        let labels_without = labels.into_iter().map(|(label, time)| (label, share(time))).collect();
        Some(Self { applied, labels_without, changed: share(changed) })
    }
}

/// The label of the distribution before the resting face was taken off.
fn raw_label(classification: &Classification, min_confidence: f64) -> Label {
    let raw = classification.raw_probabilities();
    let first = (Emotion::Angry, raw[Emotion::Angry.index()]);
    let (emotion, confidence) = Emotion::ALL
        .into_iter()
        .zip(*raw)
        .fold(first, |best, next| if next.1 > best.1 { next } else { best });
    if confidence >= min_confidence { emotion.into() } else { Label::Uncertain }
}
