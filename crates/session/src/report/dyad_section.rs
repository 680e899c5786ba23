//! The part of the report on two people together: both curves, who leads, smiles that both share.

use plotters::prelude::*;

use super::format::{escape_html, format_signed, format_signed_to, format_tick};
use super::html_table::render_table;
use super::line_sample;
use super::section::{SessionPage, section};
use super::session_tables::{fold, moment};
use crate::dyad::{STEP_SECONDS, sample_curve};
use crate::people::Dimension;
use crate::time_format::{format_duration, format_timestamp};
use crate::{Dyad, SharedSmiles, Summary, Synchrony, Timeline, chart};

/// Width and height of a chart, px.
const SIZE: (u32, u32) = (1000, 330);
/// Height of the time axis, px.
const AXIS_HEIGHT: u32 = 30;
/// Left margin with the labels of the values, px, as in the chart of the session.
const LEFT: u32 = 74;
/// Largest number of points of a curve, which limits the size of the page for long sessions.
const MAX_POINTS: usize = 500;
/// Largest number of shared smiles listed, the longest ones.
const MAX_SMILES: usize = 20;

/// The sections of all pairs, as HTML; empty without a pair.
pub(super) fn render_dyads(page: &SessionPage) -> String {
    let SessionPage { timeline, summary } = page;
    summary.dyads.iter().map(|dyad| render_dyad(timeline, summary, dyad)).collect()
}

/// The section of a pair.
fn render_dyad(timeline: &Timeline, summary: &Summary, dyad: &Dyad) -> String {
    let [first, second] = dyad.names.each_ref().map(|name| escape_html(name));
    let sentences: String =
        describe(dyad).iter().map(|sentence| format!("<li>{}</li>", escape_html(sentence))).collect();
    let chart = draw(timeline, dyad).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape_html(&error.to_string()))
    });
    let figure = format!(
        r#"<figure>
<ul class="key"><li>{}{first}</li><li>{}{second}</li></ul>
<div class="scroll" role="img" aria-label="Valence and arousal of {first} and {second} over time" tabindex="0">{chart}</div>
<figcaption>Valence (unpleasant to pleasant) above, arousal (calm to activated) below, -1 to 1.</figcaption>
</figure>
"#,
        line_sample(chart::VALENCE),
        line_sample(chart::AROUSAL),
    );
    let limits = if dyad.is_too_short() {
        ""
    } else {
        "<p>Curves are compared in windows of a minute at shifts of up to 5 seconds, and with windows of different times, which are \
         together by chance only (Ramseyer and Tschacher 2011). Of pairs without any relation, one in twenty seems to have one by each \
         of these tests. Going along says nothing of why: both may follow the same music.</p>\n"
    };
    let figures = render_figures(dyad);
    let smiles = render_smiles(summary, dyad);
    section(
        &format!("{first} and {second} together"),
        &format!("<ul class=\"said\">{sentences}</ul>\n{figure}{figures}{smiles}{limits}"),
    )
}

/// What there is to say, as plain text.
fn describe(dyad: &Dyad) -> Vec<String> {
    let [first, second] = &dyad.names;
    let mut sentences = vec![format!("Both were in view and readable for {}.", format_duration(dyad.common))];
    if dyad.is_too_short() {
        sentences.push(format!(
            "Too little to tell whether they go along with each other: that takes {} minutes with both, and there are {}.",
            Dyad::MIN_WINDOWS,
            dyad.windows
        ));
    } else {
        for (name, synchrony) in [("valence", &dyad.valence), ("arousal", &dyad.arousal)] {
            sentences.push(describe_synchrony(dyad, name, synchrony.as_ref()));
        }
    }
    sentences.push(describe_smiles(dyad, first, second));
    sentences
}

/// One sentence on how the two go along in a dimension.
fn describe_synchrony(dyad: &Dyad, name: &str, synchrony: Option<&Synchrony>) -> String {
    let Some(synchrony) = synchrony else {
        return format!("In {name} at least one of them hardly moved, so nothing can be said of it.");
    };
    if !synchrony.is_significant() {
        return format!("In {name} they do not go along with each other more than chance would have it.");
    }
    let direction = if synchrony.correlation >= 0.0 { "the same way" } else { "opposite ways" };
    let leader = synchrony.leader.and_then(|id| dyad.people.iter().position(|other| *other == id));
    let leads = match leader.and_then(|index| Some((dyad.names.get(index)?, dyad.names.get(1 - index)?))) {
        Some((leader, follower)) => {
            let lag = synchrony.lag_seconds.abs();
            let lag = if lag > 0.0 { format!(", by about {lag:.1} s") } else { String::new() };
            format!("{leader} leads and {follower} follows{lag}")
        }
        None => "neither leads".into(),
    };
    format!("In {name} they go along with each other more than by chance, mostly {direction}; {leads}.")
}

/// One sentence on the smiles that both share.
fn describe_smiles(dyad: &Dyad, first: &str, second: &str) -> String {
    let SharedSmiles { time, expected, smiles } = &dyad.smiles;
    if smiles.is_empty() {
        return "They never smiled at the same time for half a second.".into();
    }
    let times = if smiles.len() == 1 { "once".into() } else { format!("{} times", smiles.len()) };
    let begun = |id: u32| smiles.iter().filter(|smile| smile.first == Some(id)).count();
    format!(
        "They smiled together {times}, for {} in all ({} if they smiled as much independently); {first} began {}, {second} {}.",
        format_duration(*time),
        format_duration(*expected),
        begun(dyad.people[0]),
        begun(dyad.people[1])
    )
}

/// The figures of both dimensions; empty where there are none.
fn render_figures(dyad: &Dyad) -> String {
    let rows: Vec<Vec<String>> = [("Valence", &dyad.valence), ("Arousal", &dyad.arousal)]
        .into_iter()
        .filter_map(|(name, synchrony)| {
            let synchrony = synchrony.as_ref()?;
            Some(vec![
                name.to_owned(),
                format!("{:.2}", synchrony.strength),
                format!("{:.2}", synchrony.chance),
                format_signed(synchrony.effect_size),
                format!("{:.3}", synchrony.p),
                format_signed(synchrony.lead),
                format!("{:.3}", synchrony.lead_p),
                format!("{} s", format_signed_to(synchrony.lag_seconds, 1)),
                format_signed(synchrony.correlation),
            ])
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let headers = [
        ("", false),
        ("Strength", true),
        ("By chance", true),
        ("Effect size", true),
        ("p", true),
        ("Lead", true),
        ("p of lead", true),
        ("Lag", true),
        ("Correlation", true),
    ];
    let caption = format!(
        "In numbers, from {} windows of a minute; lead above 0: {} leads",
        dyad.windows, dyad.names[0]
    );
    render_table(&caption, headers, rows)
}

/// The longest of the smiles that both share, in order of time; empty without any.
fn render_smiles(summary: &Summary, dyad: &Dyad) -> String {
    let mut smiles = dyad.smiles.smiles.clone();
    if smiles.is_empty() {
        return String::new();
    }
    let omitted = smiles.len().saturating_sub(MAX_SMILES);
    smiles.sort_by_key(|smile| std::cmp::Reverse(smile.end - smile.start));
    smiles.truncate(MAX_SMILES);
    smiles.sort_by_key(|smile| smile.start);
    let name = |id: Option<u32>| {
        let index = id.and_then(|id| dyad.people.iter().position(|other| *other == id));
        index.and_then(|index| dyad.names.get(index)).map_or("both at once".into(), |name| escape_html(name))
    };
    let rows = smiles.iter().map(|smile| {
        vec![
            moment(summary, smile.start),
            format!("{:.1} s", (smile.end - smile.start) as f64 / 1e9),
            name(smile.first),
        ]
    });
    let headers = [("From", true), ("For", true), ("Who began", false)];
    let table = render_table("Smiles of both at the same time, the longest", headers, rows);
    let table = fold(table, smiles.len());
    let more = if omitted > 0 { format!("<p>And {omitted} shorter ones.</p>") } else { String::new() };
    table + &more
}

/// Draws both people's valence and arousal as an `<svg>` element.
fn draw(timeline: &Timeline, dyad: &Dyad) -> Result<String, Box<dyn std::error::Error>> {
    let [begin, end] = timeline.span();
    let seconds = ((end - begin) as f64 / 1e9).max(1e-3);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let (upper, lower) = root.split_vertically(SIZE.1 / 2 - AXIS_HEIGHT / 2);
        let areas = [(upper, Dimension::Valence, 0), (lower, Dimension::Arousal, AXIS_HEIGHT)];
        for (area, dimension, axis_height) in areas {
            let mut plot = ChartBuilder::on(&area)
                .margin_top(8)
                .margin_bottom(8)
                .margin_right(12)
                .set_label_area_size(LabelAreaPosition::Left, LEFT)
                .set_label_area_size(LabelAreaPosition::Bottom, axis_height)
                .build_cartesian_2d(0.0..seconds, -1.0..1.0)?;
            plot.configure_mesh()
                .disable_x_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(chart::INK.mix(0.15))
                .axis_style(chart::INK)
                .x_labels(10)
                .x_label_style(chart::text_style(15))
                .x_label_formatter(&|x: &f64| format_timestamp((x * 1e9) as u64))
                .y_labels(5)
                .y_label_style(chart::text_style(15))
                .y_label_formatter(&|y: &f64| format_tick(*y))
                .draw()?;
            // Colours and dashes of the two lines are those of the style sheet.
            for (id, color) in dyad.people.into_iter().zip([chart::VALENCE, chart::AROUSAL]) {
                let curve = sample_curve(timeline, id, dimension);
                for run in average(&curve) {
                    plot.draw_series(LineSeries::new(run, color.stroke_width(2)))?;
                }
            }
        }
        root.present()?;
    }
    Ok(chart::strip_for_inlining(&text, SIZE))
}

/// The points of a curve (s, value), averaged to at most [`MAX_POINTS`], in runs without a gap. A single point is left out, as it is too
/// narrow to draw.
fn average(curve: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let width = curve.len().div_ceil(MAX_POINTS).max(1);
    let points: Vec<Option<(f64, f64)>> = curve
        .chunks(width)
        .enumerate()
        .map(|(index, values)| {
            let known: Vec<f64> = values.iter().copied().flatten().collect();
            let time = (index as f64 + 0.5) * width as f64 * STEP_SECONDS;
            (!known.is_empty()).then(|| (time, known.iter().sum::<f64>() / known.len() as f64))
        })
        .collect();
    let runs = points.split(Option::is_none).map(|run| run.iter().flatten().copied().collect());
    runs.filter(|run: &Vec<_>| run.len() > 1).collect()
}
