//! The tables of a session's report, as HTML.

use std::fmt::Write as _;

use mood_schema::{Emotion, Label};

use super::format::{
    describe_change, escape_html, format_estimate, format_level, format_percent, format_signed,
};
use super::html_table::render_table;
use crate::time_format::{format_duration, format_timestamp};
use crate::{Episode, PersonSummary, Summary};

/// Largest number of rows of a table; the rest is only counted.
const MAX_ROWS: usize = 50;
/// A person found for less time, ns, is not listed: a passer-by, or a false detection.
const MIN_TIME_FOUND: u64 = 1_000_000_000;
/// Largest number of episodes listed, the longest ones.
const MAX_EPISODES: usize = 20;

/// A paragraph on how many of `count` items are not among the `listed` ones; empty where all are.
fn describe_omitted(listed: usize, count: usize, singular: &str, plural: &str) -> String {
    match count.saturating_sub(listed) {
        0 => String::new(),
        1 => format!("<p>And 1 more {singular}.</p>"),
        n => format!("<p>And {n} more {plural}.</p>"),
    }
}

/// The labels that any of the people showed, in their usual order.
fn shown_labels(people: &[&PersonSummary]) -> Vec<Label> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let is_shown =
        |label: &Label| people.iter().any(|p| p.labels.get(label).is_some_and(|&share| share > 0.0));
    labels.filter(is_shown).collect()
}

/// For how long everybody was found, shares of the labels, and mean valence and arousal.
pub(super) fn render_shares(summary: &Summary) -> String {
    if summary.people.is_empty() {
        return "<p>Nobody was found.</p>".into();
    }
    let listed: Vec<_> = summary
        .people
        .iter()
        .filter(|person| person.found >= MIN_TIME_FOUND || Some(person.id) == summary.subject_id)
        .collect();
    let labels = shown_labels(&listed);
    let headers = [("Person", false), ("Number", true), ("Found for", true)];
    let headers = headers.into_iter().chain(labels.iter().map(|label| (label.as_str(), true)));
    let headers = headers.chain([("Valence", true), ("Arousal", true)]);
    let unlisted = summary.people.len() - listed.len();
    let rows = listed.iter().take(MAX_ROWS).map(|person| {
        let mut row = vec![escape_html(&person.name), person.id.to_string(), format_timestamp(person.found)];
        row.extend(labels.iter().map(|label| {
            let share = person.labels.get(label).copied().unwrap_or_default();
            escape_html(&format_percent(share))
        }));
        let mean = |mean: &Option<_>| mean.as_ref().map(format_level).unwrap_or_default();
        row.extend([mean(&person.valence), mean(&person.arousal)]);
        row
    });
    let baseline = summary.subject().and_then(|subject| Some((subject, subject.above_baseline.as_ref()?)));
    let baseline = baseline.map(|(subject, difference)| {
        format!(
            "<p>Against the usual expression of {}: valence {} ({}), arousal {} ({}).</p>",
            escape_html(&subject.name),
            format_estimate(&difference.valence),
            describe_change(&difference.valence),
            format_estimate(&difference.arousal),
            describe_change(&difference.arousal)
        )
    });
    render_table("Who showed what, for how much of the time", headers, rows)
        + &describe_omitted(MAX_ROWS, listed.len(), "person", "people")
        + &describe_omitted(
            0,
            unlisted,
            "that was found for less than a second",
            "that were found for less than a second",
        )
        + &baseline.unwrap_or_default()
}

/// The subject's longest episodes other than neutral, in order of time.
pub(super) fn render_episodes(summary: &Summary) -> String {
    let Some(subject) = summary.subject() else { return "<p>Nobody was found.</p>".into() };
    let expressive =
        |episode: &&Episode| !matches!(episode.label, Label::Uncertain | Label::Known(Emotion::Neutral));
    let mut expressive: Vec<&Episode> = subject.episodes.iter().filter(expressive).collect();
    if expressive.is_empty() {
        return "<p>No expression other than neutral lasted half a second.</p>".into();
    }
    expressive.sort_by_key(|episode| std::cmp::Reverse(episode.duration()));
    let count = expressive.len();
    expressive.truncate(MAX_EPISODES);
    expressive.sort_by_key(|episode| episode.start);
    let time = |pts: u64| format_timestamp(pts.saturating_sub(summary.begin));
    let rows = expressive.into_iter().map(|episode| {
        vec![
            time(episode.start),
            time(episode.end),
            episode.label.to_string(),
            format_duration(episode.duration()),
            time(episode.peak),
            escape_html(&format_percent(episode.probability)),
        ]
    });
    let headers = [
        ("From", true),
        ("To", true),
        ("Expression", false),
        ("Lasted", true),
        ("Clearest at", true),
        ("Probability then", true),
    ];
    render_table(
        &format!("What {} showed other than neutral, the longest episodes", subject.name),
        headers,
        rows,
    ) + &describe_omitted(MAX_EPISODES, count, "episode, a shorter one", "episodes, shorter ones")
}

/// How often each of the subject's labels was followed directly by each other.
pub(super) fn render_transitions(summary: &Summary) -> String {
    let Some(subject) = summary.subject().filter(|subject| !subject.transitions.is_empty()) else {
        return "<p>No expression followed another without a gap.</p>".into();
    };
    let changes = &subject.transitions;
    let labels: Vec<Label> = shown_labels(&[subject])
        .into_iter()
        .filter(|label| changes.contains_key(label) || changes.values().any(|to| to.contains_key(label)))
        .collect();
    let headers = [("From / to", false)].into_iter().chain(labels.iter().map(|label| (label.as_str(), true)));
    let rows = labels.iter().map(|from| {
        let counts = labels
            .iter()
            .map(|to| changes.get(from).and_then(|row| row.get(to)).map_or("·".into(), u64::to_string));
        [from.to_string()].into_iter().chain(counts).collect()
    });
    render_table(&format!("How often one expression of {} gave way to another", subject.name), headers, rows)
}

/// The tracks played.
pub(super) fn render_tracks(summary: &Summary) -> String {
    if summary.tracks.is_empty() {
        return "<p>No music took part.</p>".into();
    }
    let time = |pts: u64| format_timestamp(pts.saturating_sub(summary.begin));
    let rows = summary.tracks.iter().take(MAX_ROWS).map(|play| {
        vec![
            time(play.start),
            time(play.end),
            escape_html(&play.title),
            play.mood.map(|mood| mood.to_string()).unwrap_or_default(),
            escape_html(&play.reason),
        ]
    });
    let headers = [("From", true), ("To", true), ("Track", false), ("For", false), ("Why", false)];
    render_table("What was played", headers, rows)
        + &describe_omitted(MAX_ROWS, summary.tracks.len(), "track", "tracks")
}

/// The section on what was marked in a live session; empty where nothing was.
pub(super) fn render_markers(summary: &Summary) -> String {
    if summary.markers.is_empty() {
        return String::new();
    }
    let rows = summary.markers.iter().take(MAX_ROWS).map(|marker| {
        vec![format_timestamp(marker.pts.saturating_sub(summary.begin)), escape_html(&marker.text)]
    });
    let table = render_table("What was marked", [("At", true), ("What happened", false)], rows);
    let omitted = describe_omitted(MAX_ROWS, summary.markers.len(), "marker", "markers");
    format!("<h2>Markers</h2>\n{table}{omitted}\n")
}

/// The section on the subject's response to each track; empty without responses.
pub(super) fn render_responses(summary: &Summary) -> String {
    if summary.responses.is_empty() {
        return String::new();
    }
    let rows = summary.responses.iter().take(MAX_ROWS).map(|response| {
        vec![
            format_timestamp(response.start.saturating_sub(summary.begin)),
            escape_html(response.from.as_deref().unwrap_or("silence")),
            escape_html(&response.to),
            format_signed(response.valence.before.mean),
            format_signed(response.valence.after.mean),
            format!(
                "{}: {}",
                describe_change(&response.valence.change),
                format_estimate(&response.valence.change)
            ),
            format!(
                "{}: {}",
                describe_change(&response.arousal.change),
                format_estimate(&response.arousal.change)
            ),
        ]
    });
    let headers = [
        ("At", true),
        ("From", false),
        ("To", false),
        ("Valence before", true),
        ("Valence after", true),
        ("Change of valence", false),
        ("Change of arousal", false),
    ];
    let mut text = String::from("<h2>Response to music</h2>");
    text += &render_table("Half a minute before and after each track began", headers, rows);
    text += &describe_omitted(MAX_ROWS, summary.responses.len(), "track", "tracks");
    if let Some((valence, arousal)) = summary.response_valence.zip(summary.response_arousal) {
        let _ = write!(
            text,
            "<p>Over all of them: valence {} ({}), arousal {} ({}). That something followed a change of music does not say that \
             the music caused it.</p>",
            format_estimate(&valence),
            describe_change(&valence),
            format_estimate(&arousal),
            describe_change(&arousal)
        );
    }
    text
}
