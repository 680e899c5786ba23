//! The page of several sessions of one person.

use plotters::prelude::*;

use super::tables::table;
use super::words::{escape, estimate, level as level_of, percent, verdict};
use super::{LIMITS, page, stroke};
use crate::clock::stamp;
use crate::{Compared, Comparison, Course, Estimate, chart};

/// The page of a comparison: levels with their bands, changes in words.
pub fn comparison(comparison: &Comparison) -> String {
    let picture = svg(comparison).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape(&error.to_string()))
    });
    let change = |change: Option<Estimate>| {
        change.map_or("·".into(), |change| format!("{}: {}", verdict(&change), estimate(&change)))
    };
    let named = |(index, session): (usize, &Compared)| format!("{}. {}", index + 1, escape(&session.title));
    let valence = comparison.sessions.iter().enumerate().map(|(index, session)| {
        let strongest = session.labels.iter().max_by(|one, two| one.1.total_cmp(two.1));
        let strongest = strongest.map(|(label, share)| escape(&format!("{label}, {}", percent(*share))));
        vec![
            named((index, session)),
            escape(&session.name),
            stamp(session.classified),
            strongest.unwrap_or_default(),
            level_of(&session.valence.level),
            change(session.valence.since_last),
            change(session.valence.since_first),
        ]
    });
    let arousal = comparison.sessions.iter().enumerate().map(|(index, session)| {
        let Course { level, since_last, since_first } = session.arousal;
        vec![named((index, session)), level_of(&level), change(since_last), change(since_first)]
    });
    let changes = [("Since the last", false), ("Since the first", false)];
    let valence_heads = [
        ("Session", false),
        ("Person", false),
        ("Estimated for", true),
        ("Mostly", false),
        ("Valence", true),
    ];
    let arousal_heads = [("Session", false), ("Arousal", true)];
    let (first, last) = (comparison.sessions.first(), comparison.sessions.last());
    let said = match first.zip(last.and_then(|last| last.valence.since_first)) {
        Some((_, change)) => format!(
            "<ul class=\"said\"><li>{} sessions are compared.</li><li>Valence from the first to the last: {}, {}.</li></ul>",
            comparison.sessions.len(),
            verdict(&change),
            estimate(&change)
        ),
        None => String::new(),
    };
    let body = format!(
        r#"{said}<h2>Session by session</h2>
<figure>
<ul class="key"><li>{}valence</li><li>{}arousal</li></ul>
<div class="scroll" role="img" aria-label="Mean valence and arousal of each session; the table has the numbers" tabindex="0">{picture}</div>
<figcaption>Means with their 95 % confidence intervals, -1 to 1.</figcaption>
</figure>
<h2>In numbers</h2>
{}
{}
{LIMITS}
<p>Differences between sessions may also come from another room, light, camera or time of day. Ranges in brackets are 95 %
confidence intervals.</p></section>"#,
        stroke(chart::VALENCE),
        stroke(chart::AROUSAL),
        table("Valence: unpleasant to pleasant", valence_heads.into_iter().chain(changes), valence),
        table("Arousal: calm to activated", arousal_heads.into_iter().chain(changes), arousal)
    );
    page("Sessions compared", &body, "Made by gst-mood", None, false)
}

fn svg(comparison: &Comparison) -> Result<String, Box<dyn std::error::Error>> {
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
            .x_label_style(chart::font(15))
            .y_label_style(chart::font(15))
            .x_label_formatter(&|x: &f64| {
                if x.fract().abs() < 1e-6 { format!("{x:.0}") } else { String::new() }
            })
            .y_label_formatter(&|y: &f64| if y.abs() < 1e-9 { "0".into() } else { format!("{y:+.1}") })
            .draw()?;
        let valence: fn(&Compared) -> Course = |session| session.valence;
        let arousal: fn(&Compared) -> Course = |session| session.arousal;
        // Beside each other, so that neither hides the other.
        for (course, color, aside) in [(valence, chart::VALENCE, -0.04), (arousal, chart::AROUSAL, 0.04)] {
            let points: Vec<(f64, Estimate)> = comparison
                .sessions
                .iter()
                .enumerate()
                .map(|(index, session)| (index as f64 + 1.0 + aside, course(session).level))
                .collect();
            plot.draw_series(LineSeries::new(
                points.iter().map(|(x, y)| (*x, y.mean)),
                color.stroke_width(2),
            ))?;
            plot.draw_series(points.iter().map(|(x, y)| Circle::new((*x, y.mean), 5, color.filled())))?;
            let bands = points.iter().filter_map(|(x, y)| Some((*x, y.band?)));
            plot.draw_series(bands.map(|(x, band)| {
                let (low, high) = (band.low.clamp(-1.0, 1.0), band.high.clamp(-1.0, 1.0));
                PathElement::new([(x, low), (x, high)], color.stroke_width(3))
            }))?;
        }
        root.present()?;
    }
    Ok(chart::inline(&text, SIZE))
}
