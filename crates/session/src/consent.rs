//! The consent to a session, as its results show it.

use serde::{Deserialize, Serialize};

use crate::RecordingTime;

/// Who agreed to what is stored, and when. Dates are ISO 8601, such as `2026-05-03`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTerms {
    /// Name of who agreed; `None` where names are to be kept private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Date of the agreement; `None` in what an older version stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// To what, in words; `None`: the note does not limit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The last day on which it holds; `None`: until it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A consent as the results of a session show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Who agreed to what, and when.
    #[serde(flatten)]
    pub terms: ConsentTerms,
    /// The note itself; `None` where it is empty or may name somebody who is to be kept private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ConsentRecord {
    /// A sentence for the report.
    pub(crate) fn describe(&self) -> String {
        let ConsentTerms { by, date, scope, until } = &self.terms;
        let by = by.as_ref().map(|by| format!(" by {by}"));
        let date = date.as_ref().map(|date| format!(" on {}", describe_date(date)));
        let scope = scope.as_ref().map(|scope| format!(" for {scope}"));
        let until = until.as_ref().map(|until| format!(", until {}", describe_date(until)));
        let note = self.note.as_ref().map(|note| format!(" ({note})"));
        let parts: String = [by, date, scope, until, note].into_iter().flatten().collect();
        format!("Consent was given{parts}.")
    }
}

/// A date in words, without the weekday; what is no date stays as it is.
fn describe_date(date: &str) -> String {
    date.parse::<RecordingTime>().map_or_else(|_| date.to_owned(), |date| date.describe_date())
}
