//! The tables of a session's report, as sections of HTML.

use std::fmt::Write as _;

use mood_schema::{Emotion, Label};

use super::format::{count_of, describe_change, escape_html, format_estimate, format_signed, seek_button};
use super::html_table::render_table;
use super::people_section::listed_people;
use super::section::{SessionPage, is_short, section};
use crate::percent::format_percent;
use crate::time_format::{format_duration, format_time};
use crate::track_play::join_restarts;
use crate::{Episode, PersonSummary, Summary};

/// Largest number of rows of a table; the rest is only counted.
const MAX_ROWS: usize = 200;
/// Largest number of episodes listed, the longest ones.
const MAX_EPISODES: usize = 100;
/// A table with more rows is folded where the page has its script.
const MAX_UNFOLDED: usize = 10;

/// A paragraph on how many of `count` items are not among the `listed` ones; empty where all are.
fn describe_omitted(listed: usize, count: usize, singular: &str, plural: &str) -> String {
    match count.saturating_sub(listed) {
        0 => String::new(),
        omitted => format!("<p>And {}.</p>", count_of(omitted, singular, plural)),
    }
}

/// A table that the page's script folds where it is long.
pub(super) fn fold(table: String, rows: usize) -> String {
    if rows > MAX_UNFOLDED { format!(r#"<div class="fold" data-rows="{rows}">{table}</div>"#) } else { table }
}

/// A moment of the session, as a button that goes there.
pub(super) fn moment(summary: &Summary, pts: u64) -> String {
    let time = pts.saturating_sub(summary.begin);
    seek_button(time, &format_time(time, is_short(summary)))
}

/// The labels that any of the people showed, in their usual order.
fn shown_labels(people: &[&PersonSummary]) -> Vec<Label> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let is_shown =
        |label: &Label| people.iter().any(|p| p.labels.get(label).is_some_and(|&share| share > 0.0));
    labels.filter(is_shown).collect()
}

/// For how long everybody was found, shares of the labels, and mean valence and arousal.
pub(super) fn render_shares(page: &SessionPage) -> String {
    let summary = page.summary;
    if summary.people.is_empty() {
        return String::new();
    }
    let listed: Vec<_> = listed_people(summary).collect();
    let labels = shown_labels(&listed);
    let headers = [("Person", false), ("Number", true), ("Found for", true)];
    let headers = headers.into_iter().chain(labels.iter().map(|label| (label.as_str(), true)));
    let headers = headers.chain([("Valence", true), ("Arousal", true)]);
    let unlisted = summary.people.len() - listed.len();
    let rows = listed.iter().take(MAX_ROWS).map(|person| {
        let tenths = is_short(summary);
        let mut row =
            vec![escape_html(&person.name), person.id.to_string(), format_time(person.found, tenths)];
        row.extend(labels.iter().map(|label| {
            let share = person.labels.get(label).copied().unwrap_or_default();
            escape_html(&format_percent(share))
        }));
        let mean = |mean: &Option<_>| mean.as_ref().map(format_estimate).unwrap_or_default();
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
    let mut means = listed.iter().flat_map(|person| [person.valence, person.arousal]).flatten();
    let has_interval = means.any(|mean| mean.interval.is_some());
    let intervals = if has_interval {
        "<p>In brackets: 95 % confidence intervals of the means, as far as there are enough independent stretches of time.</p>"
    } else {
        "<p>The means have no confidence intervals: there is too little to tell how far they would differ elsewhere.</p>"
    };
    let table = render_table("Who showed what, for how much of the time found", headers, rows)
        + &describe_omitted(MAX_ROWS, listed.len(), "person", "people")
        + &describe_omitted(
            0,
            unlisted,
            "more that was found for less than a second",
            "more that were found for less than a second",
        )
        + intervals
        + &baseline.unwrap_or_default();
    section("Share of time", &table)
}

/// The subject's longest episodes other than neutral, in order of time.
pub(super) fn render_episodes(page: &SessionPage) -> String {
    let summary = page.summary;
    let Some(subject) = summary.subject() else { return String::new() };
    let expressive =
        |episode: &&Episode| !matches!(episode.label, Label::Uncertain | Label::Known(Emotion::Neutral));
    let mut expressive: Vec<&Episode> = subject.episodes.iter().filter(expressive).collect();
    if expressive.is_empty() {
        return String::new();
    }
    expressive.sort_by_key(|episode| std::cmp::Reverse(episode.duration()));
    let count = expressive.len();
    expressive.truncate(MAX_EPISODES);
    expressive.sort_by_key(|episode| episode.start);
    let listed = expressive.len();
    let rows = expressive.into_iter().map(|episode| {
        vec![
            moment(summary, episode.start),
            episode.label.to_string(),
            format_duration(episode.duration()),
            moment(summary, episode.peak),
            escape_html(&format_percent(episode.probability)),
        ]
    });
    let headers = [
        ("From", true),
        ("Expression", false),
        ("Lasted", true),
        ("Clearest at", true),
        ("Probability then", true),
    ];
    let caption = format!("What {} showed other than neutral, the longest episodes", subject.name);
    let table = fold(render_table(&caption, headers, rows), listed)
        + &describe_omitted(
            MAX_EPISODES,
            count,
            "more episode, a shorter one",
            "more episodes, shorter ones",
        );
    section("Episodes", &table)
}

/// How often each of the subject's labels was followed directly by each other.
pub(super) fn render_transitions(page: &SessionPage) -> String {
    let Some(subject) = page.summary.subject().filter(|subject| !subject.transitions.is_empty()) else {
        return String::new();
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
    let caption = format!("How often one expression of {} gave way to another", subject.name);
    section("From one expression to the next", &render_table(&caption, headers, rows))
}

/// The tracks played; one that began again is in one row.
pub(super) fn render_tracks(page: &SessionPage) -> String {
    let summary = page.summary;
    let pieces = join_restarts(&summary.tracks);
    if pieces.is_empty() {
        return String::new();
    }
    let rows = pieces.iter().take(MAX_ROWS).map(|piece| {
        let again = match piece.restarts {
            0 => String::new(),
            1 => " <small>began again once</small>".into(),
            n => format!(" <small>began again {n} times</small>"),
        };
        let play = &piece.play;
        vec![
            moment(summary, play.start),
            format_duration(play.end.saturating_sub(play.start)),
            format!("{}{again}", escape_html(&play.title)),
            play.mood.map(|mood| mood.to_string()).unwrap_or_default(),
            escape_html(&play.reason),
        ]
    });
    let headers = [("From", true), ("Lasted", true), ("Track", false), ("For", false), ("Why", false)];
    let table = fold(render_table("What was played", headers, rows), pieces.len().min(MAX_ROWS))
        + &describe_omitted(MAX_ROWS, pieces.len(), "more track", "more tracks");
    section("Music", &table)
}

/// What was marked in a live session.
pub(super) fn render_markers(page: &SessionPage) -> String {
    let summary = page.summary;
    if summary.markers.is_empty() {
        return String::new();
    }
    let rows = summary
        .markers
        .iter()
        .take(MAX_ROWS)
        .map(|marker| vec![moment(summary, marker.pts), escape_html(&marker.text)]);
    let table = render_table("What was marked", [("At", true), ("What happened", false)], rows);
    let omitted = describe_omitted(MAX_ROWS, summary.markers.len(), "more marker", "more markers");
    section("Markers", &(fold(table, summary.markers.len().min(MAX_ROWS)) + &omitted))
}

/// The subject's response to each track.
pub(super) fn render_responses(page: &SessionPage) -> String {
    let summary = page.summary;
    if summary.responses.is_empty() {
        return String::new();
    }
    let rows = summary.responses.iter().take(MAX_ROWS).map(|response| {
        vec![
            moment(summary, response.start),
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
    let table = render_table("Half a minute before and after each track began", headers, rows);
    let mut text = fold(table, summary.responses.len().min(MAX_ROWS));
    text += &describe_omitted(MAX_ROWS, summary.responses.len(), "more track", "more tracks");
    text += "<p>That something followed a change of music does not say that the music caused it.";
    if let Some((valence, arousal)) = summary.response_valence.zip(summary.response_arousal) {
        let _ = write!(
            text,
            " Over all of them: valence {} ({}), arousal {} ({}).",
            format_estimate(&valence),
            describe_change(&valence),
            format_estimate(&arousal),
            describe_change(&arousal)
        );
    }
    section("Response to music", &(text + "</p>"))
}
