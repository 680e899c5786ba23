//! The tables of the report.

use std::fmt::Write as _;

use mood_schema::{Emotion, Label};

use super::words::{escape, estimate, level, percent, signed, verdict};
use crate::clock::{spoken, stamp};
use crate::{Episode, Subject, Summary};

/// Rows of a table; what is more is only counted.
const ROWS: usize = 50;
/// Who is in view for less is a passer-by, or no face at all, ns.
const GLIMPSE: u64 = 1_000_000_000;
/// Episodes listed: what lasted longest is what one looks at.
const EPISODES: usize = 20;

/// A column's head, and whether it holds numbers.
type Head<'a> = (&'a str, bool);

/// A table that scrolls by itself where the page is narrow; the first cell of a row is its head. Cells are markup.
pub(super) fn table<'a>(
    caption: &str,
    heads: impl IntoIterator<Item = Head<'a>>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let caption = escape(caption);
    let heads: Vec<Head> = heads.into_iter().collect();
    let class = |numeric: bool| if numeric { r#" class="n""# } else { "" };
    let mut text = format!(
        r#"<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption><thead><tr>"#
    );
    for (head, numeric) in &heads {
        let _ = write!(text, r#"<th scope="col"{}>{}</th>"#, class(*numeric), escape(head));
    }
    text += "</tr></thead><tbody>";
    for row in rows {
        text += "<tr>";
        for (index, (cell, (_, numeric))) in row.iter().zip(&heads).enumerate() {
            let class = class(*numeric);
            let _ = match index {
                0 => write!(text, r#"<th scope="row"{class}>{cell}</th>"#),
                _ => write!(text, "<td{class}>{cell}</td>"),
            };
        }
        text += "</tr>";
    }
    text + "</tbody></table></div>"
}

fn more(count: usize, one: &str, many: &str) -> String {
    beyond(ROWS, count, one, many)
}

fn beyond(rows: usize, count: usize, one: &str, many: &str) -> String {
    match count.saturating_sub(rows) {
        0 => String::new(),
        1 => format!("<p>And 1 more {one}.</p>"),
        n => format!("<p>And {n} more {many}.</p>"),
    }
}

/// The labels that anybody of these showed.
fn labels(subjects: &[&Subject]) -> Vec<Label> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let shown = |label: &Label| subjects.iter().any(|s| s.labels.get(label).is_some_and(|&x| x > 0.0));
    labels.filter(shown).collect()
}

pub(super) fn shares(summary: &Summary) -> String {
    if summary.subjects.is_empty() {
        return "<p>Nobody was seen.</p>".into();
    }
    let listed: Vec<_> = summary
        .subjects
        .iter()
        .filter(|subject| subject.seen >= GLIMPSE || Some(subject.id) == summary.subject)
        .collect();
    let labels = labels(&listed);
    let heads = [("Person", false), ("Number", true), ("In view", true)];
    let heads = heads.into_iter().chain(labels.iter().map(|label| (label.as_str(), true)));
    let heads = heads.chain([("Valence", true), ("Arousal", true)]);
    let glimpses = summary.subjects.len() - listed.len();
    let rows = listed.iter().take(ROWS).map(|subject| {
        let mut row = vec![escape(&subject.name), subject.id.to_string(), stamp(subject.seen)];
        row.extend(labels.iter().map(|label| {
            let share = subject.labels.get(label).copied().unwrap_or_default();
            escape(&percent(share))
        }));
        let mean = |mean: &Option<_>| mean.as_ref().map(level).unwrap_or_default();
        row.extend([mean(&subject.valence), mean(&subject.arousal)]);
        row
    });
    let baseline =
        summary.main_subject().and_then(|subject| Some((subject, subject.above_baseline.as_ref()?)));
    let baseline = baseline.map(|(subject, above)| {
        format!(
            "<p>Against the usual expression of {}: valence {} ({}), arousal {} ({}).</p>",
            escape(&subject.name),
            estimate(&above.valence),
            verdict(&above.valence),
            estimate(&above.arousal),
            verdict(&above.arousal)
        )
    });
    table("Who showed what, for how much of the time", heads, rows)
        + &more(listed.len(), "person", "people")
        + &beyond(
            0,
            glimpses,
            "that was in view for less than a second",
            "that were in view for less than a second",
        )
        + &baseline.unwrap_or_default()
}

/// The subject's episodes other than neutral, those that lasted longest.
pub(super) fn episodes(summary: &Summary) -> String {
    let Some(subject) = summary.main_subject() else { return "<p>Nobody was seen.</p>".into() };
    let telling =
        |episode: &&Episode| !matches!(episode.label, Label::Uncertain | Label::Known(Emotion::Neutral));
    let mut telling: Vec<&Episode> = subject.episodes.iter().filter(telling).collect();
    if telling.is_empty() {
        return "<p>No expression other than neutral lasted half a second.</p>".into();
    }
    telling.sort_by_key(|episode| std::cmp::Reverse(episode.length()));
    let count = telling.len();
    telling.truncate(EPISODES);
    telling.sort_by_key(|episode| episode.start);
    let at = |pts: u64| stamp(pts.saturating_sub(summary.begin));
    let rows = telling.into_iter().map(|episode| {
        vec![
            at(episode.start),
            at(episode.end),
            episode.label.to_string(),
            spoken(episode.length()),
            at(episode.peak),
            escape(&percent(episode.probability)),
        ]
    });
    let heads = [
        ("From", true),
        ("To", true),
        ("Expression", false),
        ("Lasted", true),
        ("Clearest at", true),
        ("Probability then", true),
    ];
    table(&format!("What {} showed other than neutral, the longest episodes", subject.name), heads, rows)
        + &beyond(EPISODES, count, "episode, a shorter one", "episodes, shorter ones")
}

pub(super) fn transitions(summary: &Summary) -> String {
    let changes = summary.main_subject().map(|subject| (subject, &subject.transitions));
    let Some((subject, changes)) = changes.filter(|(_, changes)| !changes.is_empty()) else {
        return "<p>No expression followed another without a gap.</p>".into();
    };
    let labels: Vec<Label> = labels(&[subject])
        .into_iter()
        .filter(|label| changes.contains_key(label) || changes.values().any(|to| to.contains_key(label)))
        .collect();
    let heads = [("From / to", false)].into_iter().chain(labels.iter().map(|label| (label.as_str(), true)));
    let rows = labels.iter().map(|from| {
        let counts = labels
            .iter()
            .map(|to| changes.get(from).and_then(|row| row.get(to)).map_or("·".into(), u64::to_string));
        [from.to_string()].into_iter().chain(counts).collect()
    });
    table(&format!("How often one expression of {} gave way to another", subject.name), heads, rows)
}

pub(super) fn tracks(summary: &Summary) -> String {
    if summary.tracks.is_empty() {
        return "<p>No music took part.</p>".into();
    }
    let at = |pts: u64| stamp(pts.saturating_sub(summary.begin));
    let rows = summary.tracks.iter().take(ROWS).map(|play| {
        vec![
            at(play.start),
            at(play.end),
            escape(&play.title),
            play.mood.map(|mood| mood.to_string()).unwrap_or_default(),
            escape(&play.reason),
        ]
    });
    let heads = [("From", true), ("To", true), ("Track", false), ("For", false), ("Why", false)];
    table("What was played", heads, rows) + &more(summary.tracks.len(), "track", "tracks")
}

pub(super) fn responses(summary: &Summary) -> String {
    if summary.responses.is_empty() {
        return String::new();
    }
    let rows = summary.responses.iter().take(ROWS).map(|response| {
        vec![
            stamp(response.at.saturating_sub(summary.begin)),
            escape(response.from.as_deref().unwrap_or("silence")),
            escape(&response.to),
            signed(response.valence.before.mean),
            signed(response.valence.after.mean),
            format!("{}: {}", verdict(&response.valence.change), estimate(&response.valence.change)),
            format!("{}: {}", verdict(&response.arousal.change), estimate(&response.arousal.change)),
        ]
    });
    let heads = [
        ("At", true),
        ("From", false),
        ("To", false),
        ("Valence before", true),
        ("Valence after", true),
        ("Change of valence", false),
        ("Change of arousal", false),
    ];
    let mut text = String::from("<h2>Response to music</h2>");
    text += &table("Half a minute before and after each track began", heads, rows);
    text += &more(summary.responses.len(), "track", "tracks");
    if let Some((valence, arousal)) = summary.response_valence.zip(summary.response_arousal) {
        let _ = write!(
            text,
            "<p>Over all of them: valence {} ({}), arousal {} ({}). That something followed a change of music does not say that \
             the music caused it.</p>",
            estimate(&valence),
            verdict(&valence),
            estimate(&arousal),
            verdict(&arousal)
        );
    }
    text
}
