//! Which label of one coder stands for which of the other's.

use std::collections::BTreeMap;

/// Words that people use for the seven expressions, with the label they stand for.
const SYNONYMS: [(&str, &[&str]); 8] = [
    ("angry", &["anger", "annoyed", "annoyance", "rage"]),
    ("disgust", &["disgusted"]),
    ("fear", &["afraid", "fearful", "scared", "anxious", "anxiety"]),
    ("happy", &["happiness", "joy", "joyful", "smile", "smiling"]),
    ("sad", &["sadness", "downcast"]),
    ("surprise", &["surprised", "surprize"]),
    ("neutral", &["calm", "rest", "at rest", "no expression", "neutrality"]),
    ("uncertain", &["unsure", "unclear", "hard to read"]),
];

/// Translates the labels of one coder into those of another: explicit rules first, then the words that people use for the
/// seven expressions, without regard to case and surrounding spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelMap {
    /// Lower-case label to what it stands for; `None` leaves it out.
    rules: BTreeMap<String, Option<String>>,
}

impl LabelMap {
    /// Adds a rule: `from` stands for `to`; an empty `to` leaves annotations with that label out.
    pub fn insert(&mut self, from: &str, to: &str) {
        let to = to.trim();
        self.rules.insert(normalize(from), (!to.is_empty()).then(|| normalize(to)));
    }

    /// What the label stands for; `None` where it is to be left out, and for an empty label.
    pub fn translate(&self, label: &str) -> Option<String> {
        let label = normalize(label);
        if label.is_empty() {
            return None;
        }
        match self.rules.get(&label) {
            Some(rule) => rule.clone(),
            None => Some(
                SYNONYMS
                    .iter()
                    .find(|(_, words)| words.contains(&label.as_str()))
                    .map_or(label, |(name, _)| (*name).to_owned()),
            ),
        }
    }

    /// The rules whose label is not among `labels`, as they were given apart from case.
    pub fn unused<'a>(&'a self, labels: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let found: Vec<String> = labels.into_iter().map(normalize).collect();
        self.rules
            .keys()
            .map(String::as_str)
            .filter(|rule| !found.iter().any(|label| label == rule))
            .collect()
    }
}

/// A label in the form in which labels are compared.
fn normalize(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_before_synonyms() {
        let mut map = LabelMap::default();
        map.insert("Laughs", "happy");
        map.insert("calm", "sad");
        map.insert("off  camera", "");
        assert_eq!(map.translate(" laughs ").as_deref(), Some("happy"));
        assert_eq!(map.translate("Calm").as_deref(), Some("sad"));
        assert_eq!(map.translate("Off camera"), None);
        assert_eq!(map.translate("Happiness").as_deref(), Some("happy"));
        assert_eq!(map.translate("Plays along").as_deref(), Some("plays along"));
        assert_eq!(map.translate("  "), None);
        assert_eq!(map.unused(["LAUGHS", "off camera"]), ["calm"]);
    }
}
