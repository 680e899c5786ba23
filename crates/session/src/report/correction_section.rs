//! The part of the report on what humans corrected.

use std::cmp::Reverse;

use mood_schema::{Emotion, Label};

use super::format::escape_html;
use super::html_table::render_table;
use super::section::{SessionPage, section};
use super::session_tables::{fold, moment};
use crate::export::corrected_by;
use crate::percent::format_percent;
use crate::time_format::format_duration;
use crate::{CorrectionSummary, MachineRecord, PersonSummary, RecordingTime, Summary};

/// Largest number of changes listed of a person, the longest ones.
const MAX_ROWS: usize = 50;

/// A sentence for the head of the page; `None` where nothing is corrected.
pub(super) fn describe_corrections(summary: &Summary) -> Option<String> {
    let last = summary.corrections.last()?;
    let mut names: Vec<&str> = summary.corrections.iter().map(|correction| correction.by.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.join(", ");
    Some(format!(
        "What was shown, and when, was corrected by {names}, last on {}; valence and arousal are the program's.",
        day(&last.utc)
    ))
}

/// The section, as HTML; empty where nothing is corrected.
pub(super) fn render_corrections(page: &SessionPage) -> String {
    let SessionPage { summary, .. } = page;
    if summary.corrections.is_empty() {
        return String::new();
    }
    let sources: String = summary
        .corrections
        .iter()
        .map(|correction| format!("<li>{}</li>", escape_html(&describe_source(summary, correction))))
        .collect();
    let people = summary.people.iter().filter_map(|person| {
        let machine = person.machine.as_ref()?;
        Some(render_person(summary, person, machine))
    });
    let people: String = people.collect();
    section("Corrected by humans", &format!("<ul class=\"said\">{sources}</ul>\n{people}"))
}

/// Who corrected whose record, when and from which file.
fn describe_source(summary: &Summary, correction: &CorrectionSummary) -> String {
    let person = summary.people.iter().find(|person| person.id == correction.person);
    let person = person.map_or_else(|| format!("Person {}", correction.person), |person| person.name.clone());
    let file = correction.file.as_deref().map(|file| format!(" (from {file})")).unwrap_or_default();
    let extent = if correction.partial { "parts of the record" } else { "the record" };
    format!("{} corrected {extent} of {person} on {}{file}.", correction.by, day(&correction.utc))
}

/// The date of an ISO 8601 time in words.
fn day(utc: &str) -> String {
    let date = utc.split('T').next().unwrap_or_default();
    utc.parse::<RecordingTime>().map_or_else(|_| date.to_owned(), |time| time.describe_date())
}

/// What became of a person's record.
fn render_person(summary: &Summary, person: &PersonSummary, machine: &MachineRecord) -> String {
    let mut changes = person.changes();
    let name = escape_html(&person.name);
    if changes.is_empty() {
        return format!("<p>The record of {name} is what the program said.</p>\n");
    }
    let time: u64 = changes.iter().map(|change| change.end - change.start).sum();
    let agreement = machine.agreement.map_or_else(String::new, |agreement| {
        let kappa = agreement.kappa.map(|kappa| format!(" (kappa {kappa:.2})")).unwrap_or_default();
        format!(
            " For {:.0} % of the time that both labelled, the program said what the corrected record says{kappa}.",
            agreement.percent_agreement
        )
    });
    let places = if changes.len() == 1 { "1 place".into() } else { format!("{} places", changes.len()) };
    let overview = format!(
        "<p>The record of {name} differs from the program's in {places}, {} together.{agreement}</p>\n",
        format_duration(time)
    );
    let count = changes.len();
    changes.sort_by_key(|change| Reverse(change.end - change.start));
    changes.truncate(MAX_ROWS);
    changes.sort_by_key(|change| change.start);
    let rows = changes.iter().map(|change| {
        vec![
            moment(summary, change.start),
            format!("{:.1} s", (change.end - change.start) as f64 / 1e9),
            label_name(change.machine).to_owned(),
            label_name(change.label).to_owned(),
            escape_html(corrected_by(summary, person.id, change)),
        ]
    });
    let headers =
        [("From", true), ("For", true), ("The program", false), ("Corrected", false), ("By", false)];
    let table = render_table(&format!("Where the record of {} was corrected", person.name), headers, rows);
    let table = fold(table, changes.len());
    let omitted = match count.saturating_sub(MAX_ROWS) {
        0 => String::new(),
        omitted => format!("<p>And {omitted} shorter ones.</p>"),
    };
    overview + &render_shares(person, machine) + &table + &omitted
}

/// The shares of the labels before and after.
fn render_shares(person: &PersonSummary, machine: &MachineRecord) -> String {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let share = |labels: &std::collections::BTreeMap<Label, f64>, label: Label| {
        escape_html(&format_percent(labels.get(&label).copied().unwrap_or_default()))
    };
    let is_shown = |label: &Label| machine.labels.contains_key(label) || person.labels.contains_key(label);
    let rows = labels
        .filter(is_shown)
        .map(|label| vec![label.to_string(), share(&machine.labels, label), share(&person.labels, label)]);
    let headers = [("Expression", false), ("The program", true), ("Corrected", true)];
    render_table(&format!("Share of the labelled time of {}", person.name), headers, rows)
}

/// A label's name, or that there is none.
fn label_name(label: Option<Label>) -> &'static str {
    label.map_or("nothing", Label::as_str)
}
