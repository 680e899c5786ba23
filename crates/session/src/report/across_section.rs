//! The part of the comparison page on all sessions together: expressions, trend and conditions.

use mood_schema::{Emotion, Label};

use super::color_square;
use super::format::{escape_html, format_signed};
use super::html_table::render_table;
use crate::{AcrossEstimate, Comparison, ConditionContrast, SessionTrend, TrendUnit, chart};

/// Width of the bars and height of one, in units of the drawing.
const BAR: (f64, f64) = (800.0, 26.0);
/// Left margin with the numbers of the sessions.
const LEFT: f64 = 40.0;

/// The sections, as HTML.
pub(super) fn render_across(comparison: &Comparison) -> String {
    let trend = comparison
        .trend
        .as_ref()
        .map(|trend| format!("<h2>From session to session</h2>\n<p>{}</p>\n", describe_trend(trend)));
    render_expressions(comparison) + &trend.unwrap_or_default() + &render_conditions(comparison)
}

/// The shares of the expressions of each session as bars.
fn render_expressions(comparison: &Comparison) -> String {
    let labels: Vec<Label> = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]).collect();
    let is_shown =
        |label: &&Label| comparison.sessions.iter().any(|session| session.labels.contains_key(label));
    let color = |label: Label| {
        let color = chart::mood_color(label.into());
        format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
    };
    let legend: String = labels
        .iter()
        .filter(is_shown)
        .map(|&label| format!("<li>{}{label}</li>", color_square(chart::mood_color(label.into()))))
        .collect();
    let mut bars = String::new();
    for (index, session) in comparison.sessions.iter().enumerate() {
        let y = index as f64 * (BAR.1 + 8.0);
        bars += &format!(
            r##"<text x="{:.0}" y="{:.0}" text-anchor="end" font-size="15" fill="#444444">{}</text>"##,
            LEFT - 8.0,
            y + BAR.1 * 0.7,
            index + 1
        );
        let mut x = LEFT;
        for &label in &labels {
            let width = session.labels.get(&label).copied().unwrap_or_default() * BAR.0;
            if width > 0.0 {
                bars += &format!(
                    r#"<rect x="{x:.1}" y="{y:.0}" width="{width:.1}" height="{}" fill="{}"><title>{label}: {:.0} %</title></rect>"#,
                    BAR.1,
                    color(label),
                    width / BAR.0 * 100.0
                );
            }
            x += width;
        }
    }
    let height = comparison.sessions.len() as f64 * (BAR.1 + 8.0);
    format!(
        r#"<h2>Expressions</h2>
<figure>
<ul class="key">{legend}</ul>
<div class="scroll" role="img" aria-label="Share of the time of each expression in each session" tabindex="0"><svg viewBox="0 0 {:.0} {height:.0}">{bars}</svg></div>
<figcaption>Share of the labelled time of each expression, by session.</figcaption>
</figure>
"#,
        LEFT + BAR.0 + 4.0
    )
}

/// The trend in words.
fn describe_trend(trend: &SessionTrend) -> String {
    let unit = match trend.per {
        TrendUnit::Week => "week",
        TrendUnit::Session => "session",
    };
    let direction = |estimate: &AcrossEstimate| match estimate {
        AcrossEstimate { low: None, .. } => "too few sessions to tell",
        estimate if !estimate.is_significant() => "no clear trend",
        estimate if estimate.value > 0.0 => "rose",
        _ => "fell",
    };
    let describe =
        |estimate: &AcrossEstimate| format!("{} ({})", format_across(estimate), direction(estimate));
    format!(
        "Over {} sessions, by the {unit}: valence {}, arousal {}. Each session counts once, since one differs from the next by more than \
         its own interval says; intervals come from resampling whole sessions, and fewer than six have none.",
        trend.sessions,
        describe(&trend.valence),
        describe(&trend.arousal)
    )
}

/// The means by condition and the differences between conditions; empty where the notes name none.
fn render_conditions(comparison: &Comparison) -> String {
    if comparison.conditions.is_empty() {
        return String::new();
    }
    let rows = comparison.conditions.iter().map(|mean| {
        vec![
            escape_html(&mean.condition),
            mean.sessions.to_string(),
            format_across(&mean.valence),
            format_across(&mean.arousal),
        ]
    });
    let headers = [("Condition", false), ("Sessions", true), ("Valence", true), ("Arousal", true)];
    let means = render_table("Means of the sessions' means", headers, rows);
    let rows = comparison.contrasts.iter().map(|contrast| {
        let ConditionContrast { first, second, paired, sessions, valence, arousal } = contrast;
        vec![
            escape_html(&format!("{first} minus {second}")),
            if *paired { "within sessions" } else { "between sessions" }.to_owned(),
            sessions.to_string(),
            format_across(valence),
            format_across(arousal),
        ]
    });
    let headers = [
        ("Difference", false),
        ("Compared", false),
        ("Sessions", true),
        ("Valence", true),
        ("Arousal", true),
    ];
    let contrasts = if comparison.contrasts.is_empty() {
        String::new()
    } else {
        render_table("What differs between conditions", headers, rows)
    };
    format!(
        "<h2>Conditions</h2>\n{means}{contrasts}\n<p>Ranges are 95 % intervals from resampling whole sessions. Within sessions takes six \
         that have both conditions, between sessions four of each; fewer have no range.</p>\n"
    )
}

/// A value with its interval as HTML.
fn format_across(estimate: &AcrossEstimate) -> String {
    match estimate.low.zip(estimate.high) {
        Some((low, high)) => format!(
            "{} <small>({} to {})</small>",
            format_signed(estimate.value),
            format_signed(low),
            format_signed(high)
        ),
        None => format_signed(estimate.value),
    }
}
