//! The page that compares several sessions of one person.

use plotters::prelude::*;

use super::across_section::render_across;
use super::format::{describe_change, escape_html, format_estimate, format_tick};
use super::html_table::render_table;
use super::text::describe_warnings;
use super::{LIMITS_SECTION, PageMedia, line_sample, render_page};
use crate::percent::format_percent;
use crate::time_format::format_timestamp;
use crate::{ComparedSession, Comparison, Estimate, SessionMean, chart};

/// Renders the page that compares sessions: means with their confidence intervals as a chart and as tables, and the changes in
/// words. Like [`render_session`](super::render_session) it loads nothing from elsewhere.
pub fn render_comparison(comparison: &Comparison) -> String {
    let chart = draw_means(comparison).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape_html(&error.to_string()))
    });
    let change = |change: Option<Estimate>| {
        change.map_or("·".into(), |change| {
            format!("{}: {}", describe_change(&change), format_estimate(&change))
        })
    };
    let numbered_title = |(index, session): (usize, &ComparedSession)| {
        format!("{}. {}", index + 1, escape_html(&session.title))
    };
    let valence = comparison.sessions.iter().enumerate().map(|(index, session)| {
        let most_shown = session.labels.iter().max_by(|one, two| one.1.total_cmp(two.1));
        let most_shown =
            most_shown.map(|(label, share)| escape_html(&format!("{label}, {}", format_percent(*share))));
        vec![
            numbered_title((index, session)),
            escape_html(&session.name),
            format_timestamp(session.classified),
            most_shown.unwrap_or_default(),
            format_estimate(&session.valence.level),
            change(session.valence.since_previous),
            change(session.valence.since_first),
        ]
    });
    let arousal = comparison.sessions.iter().enumerate().map(|(index, session)| {
        let SessionMean { level, since_previous, since_first } = session.arousal;
        vec![
            numbered_title((index, session)),
            format_estimate(&level),
            change(since_previous),
            change(since_first),
        ]
    });
    let changes = [("Since the last", false), ("Since the first", false)];
    let valence_headers = [
        ("Session", false),
        ("Person", false),
        ("Estimated for", true),
        ("Mostly", false),
        ("Valence", true),
    ];
    let arousal_headers = [("Session", false), ("Arousal", true)];
    let (first, last) = (comparison.sessions.first(), comparison.sessions.last());
    let overview = match first.zip(last.and_then(|last| last.valence.since_first)) {
        Some((_, change)) => format!(
            "<ul class=\"said\"><li>{} sessions are compared.</li><li>Valence from the first to the last: {}, {}.</li></ul>",
            comparison.sessions.len(),
            describe_change(&change),
            format_estimate(&change)
        ),
        None => String::new(),
    };
    let body = format!(
        r#"{overview}
{warnings}<h2>Session by session</h2>
<figure>
<ul class="key"><li>{}valence</li><li>{}arousal</li></ul>
<div class="scroll" role="img" aria-label="Mean valence and arousal of each session; the table has the numbers" tabindex="0">{chart}</div>
<figcaption>Means with their 95 % confidence intervals, -1 to 1.</figcaption>
</figure>
{across}<h2>In numbers</h2>
{}
{}
{LIMITS_SECTION}
<p>Differences between sessions may also come from another room, light, camera or time of day. Ranges in brackets are 95 %
confidence intervals.</p></section>"#,
        line_sample(chart::VALENCE),
        line_sample(chart::AROUSAL),
        render_table("Valence: unpleasant to pleasant", valence_headers.into_iter().chain(changes), valence),
        render_table("Arousal: calm to activated", arousal_headers.into_iter().chain(changes), arousal),
        across = render_across(comparison),
        warnings = describe_warnings(&comparison.warnings)
    );
    render_page("Sessions compared", &body, "Made by gst-mood", None, PageMedia::default())
}

/// Draws each session's mean valence and arousal with their confidence intervals as an `<svg>` element.
fn draw_means(comparison: &Comparison) -> Result<String, Box<dyn std::error::Error>> {
    const SIZE: (u32, u32) = (1000, 320);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let count = comparison.sessions.len() as f64;
        let mut plot = ChartBuilder::on(&root)
            .margin(10)
            .set_label_area_size(LabelAreaPosition::Left, 64)
            .set_label_area_size(LabelAreaPosition::Bottom, 30)
            .build_cartesian_2d(0.5..count + 0.5, -1.0..1.0)?;
        plot.configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(chart::INK.mix(0.15))
            .axis_style(chart::INK)
            .x_labels(comparison.sessions.len().min(30))
            .x_label_style(chart::text_style(15))
            .y_label_style(chart::text_style(15))
            .x_label_formatter(&|x: &f64| {
                if x.fract().abs() < 1e-6 { format!("{x:.0}") } else { String::new() }
            })
            .y_label_formatter(&|y: &f64| format_tick(*y))
            .draw()?;
        let valence: fn(&ComparedSession) -> SessionMean = |session| session.valence;
        let arousal: fn(&ComparedSession) -> SessionMean = |session| session.arousal;
        // Side by side, so that neither hides the other.
        for (mean, color, offset) in [(valence, chart::VALENCE, -0.04), (arousal, chart::AROUSAL, 0.04)] {
            let points: Vec<(f64, Estimate)> = comparison
                .sessions
                .iter()
                .enumerate()
                .map(|(index, session)| (index as f64 + 1.0 + offset, mean(session).level))
                .collect();
            plot.draw_series(LineSeries::new(
                points.iter().map(|(x, y)| (*x, y.mean)),
                color.stroke_width(2),
            ))?;
            plot.draw_series(points.iter().map(|(x, y)| Circle::new((*x, y.mean), 5, color.filled())))?;
            let intervals = points.iter().filter_map(|(x, y)| Some((*x, y.interval?)));
            plot.draw_series(intervals.map(|(x, interval)| {
                let (low, high) = (interval.low.clamp(-1.0, 1.0), interval.high.clamp(-1.0, 1.0));
                PathElement::new([(x, low), (x, high)], color.stroke_width(3))
            }))?;
        }
        root.present()?;
    }
    Ok(chart::strip_for_inlining(&text, SIZE))
}
