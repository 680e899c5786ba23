//! The data that the page's script shows for the time under the cursor, as JSON inside the page. Columns are whole hundredths,
//! which keeps the page small.

use mood_schema::Emotion;
use serde_json::json;

use crate::{Summary, Timeline, chart, export};

/// The data as JSON that is safe inside a `script` element. Keys: `begin` and `seconds` (stream time, s), `plot` (edges, px),
/// `emotions` (names), `columns` (per column the probabilities, valence and arousal in hundredths, or null), `moods` and
/// `tracks` (start and end in seconds from the begin, and a name).
pub(super) fn to_json(timeline: &Timeline, summary: &Summary) -> String {
    let seconds = |pts: u64| (pts.saturating_sub(summary.begin) as f64 / 1e7).round() / 100.0;
    let end = summary.begin.saturating_add(summary.duration);
    let hundredths = |value: f64| (value * 100.0).round() as i64;
    let columns: Vec<Option<[i64; 9]>> = chart::subject_columns(timeline, summary)
        .into_iter()
        .map(|column| {
            column.map(|column| {
                let mut row = [0; 9];
                let values =
                    column.probabilities.into_iter().chain([column.affect.valence, column.affect.arousal]);
                row.iter_mut().zip(values).for_each(|(cell, value)| *cell = hundredths(value));
                row
            })
        })
        .collect();
    let moods = export::mood_intervals(timeline, summary.begin, end);
    let next = summary.tracks.iter().skip(1).map(|play| play.start).chain([u64::MAX]);
    let tracks = summary.tracks.iter().zip(next);
    let data = json!({
        "begin": summary.begin as f64 / 1e9,
        "seconds": summary.duration as f64 / 1e9,
        "plot": chart::plot_edges(summary),
        "emotions": Emotion::ALL,
        "columns": columns,
        "moods": moods.map(|(from, to, mood)| json!([seconds(from), seconds(to), mood])).collect::<Vec<_>>(),
        "tracks": tracks
            .map(|(play, next)| json!([seconds(play.start), seconds(play.end.min(next)), play.title]))
            .collect::<Vec<_>>(),
    });
    // Only a `<` could end the element.
    data.to_string().replace('<', "\\u003c")
}
