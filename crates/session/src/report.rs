//! The report: a self-contained HTML page for readers who know neither the recording nor the program.

mod agreement_page;
mod comparison_page;
mod format;
mod html_table;
mod script_data;
mod session_tables;
mod text;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mood_schema::{Emotion, Mood};
use plotters::style::RGBColor;
use sha2::{Digest, Sha256};

use crate::{Summary, Timeline, chart};
pub use agreement_page::{AgreementPage, render_agreement};
pub use comparison_page::render_comparison;
use format::escape_html;

/// Style sheet of all pages.
const STYLE: &str = include_str!("report/style.css");
/// Script of a session's page: moves a time cursor over the chart, shows the values there, and seeks the video. It reads the JSON
/// of [`script_data`]. The script is part of every page, and its hash of the policy, so any change to it changes all reports.
const SCRIPT: &str = include_str!("report/script.js");

/// Start of the section that states the limits of the method; the page that includes it closes it.
const LIMITS_SECTION: &str = r#"<section class="limits" aria-labelledby="limits">
<h2 id="limits">What this is, and what it is not</h2>
<p>What you see here is an estimate from facial expression, not felt emotion. A face can hide a feeling or show one that
is not there, and the program is often wrong about single moments; trust long stretches more than short ones.
It is not a medical device and gives no diagnosis.</p>"#;

/// Renders the page of a session. `video` is the name of a video file in the folder of the page, to be shown in it. The page
/// loads nothing but that video; a Content Security Policy (<https://www.w3.org/TR/CSP3/>) makes browsers refuse anything else,
/// so that a mistake in escaping a text could not run code either.
pub fn render_session(timeline: &Timeline, summary: &Summary, title: &str, video: Option<&str>) -> String {
    let chart = chart::draw_session(timeline, summary).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape_html(&error.to_string()))
    });
    let sentences = text::describe_session(summary);
    let overview: String =
        sentences.iter().map(|sentence| format!("<li>{}</li>", escape_html(sentence))).collect();
    let video_element = video.map(|name| {
        format!(
            r#"<video controls preload="metadata" src="{}" aria-label="The annotated recording"></video>"#,
            escape_html(name)
        )
    });
    let seek_hint = if video.is_some() { " A click on the picture goes there in the film." } else { "" };
    let marker_hint = if summary.markers.is_empty() { "" } else { " Last, what was marked." };
    let body = format!(
        r#"{lead}<ul class="said">{overview}</ul>
{warnings}{video_element}<h2>Over time</h2>
<figure>
{legend}
<div class="scroll" id="picture" role="img" aria-label="{aria}" tabindex="0">{chart}</div>
<div class="probe"><label for="time">Look at a moment</label><input type="range" id="time" min="0" max="1000" value="0" step="1"><output id="moment" for="time"></output></div>
<figcaption>Top: how likely each expression is. Then valence (unpleasant to pleasant) and arousal (calm to activated), -1 to
1; the expressions that lasted; the mood the music followed; and the music.{marker_hint}{seek_hint}</figcaption>
</figure>
{markers}<h2>Share of time</h2>
{shares}
<h2>Episodes</h2>
{episodes}
<h2>From one expression to the next</h2>
{transitions}
<h2>Music</h2>
{tracks}
{responses}
{LIMITS_SECTION}
{quality}</section>
<script type="application/json" id="data">{data}</script>"#,
        video_element = video_element.unwrap_or_default(),
        lead = text::describe_seldom_found(&summary.warnings),
        legend = render_legend(),
        warnings = text::describe_warnings(&summary.warnings),
        aria = escape_html(&format!("Timeline. {}", sentences.join(" "))),
        shares = session_tables::render_shares(summary),
        episodes = session_tables::render_episodes(summary),
        transitions = session_tables::render_transitions(summary),
        markers = session_tables::render_markers(summary),
        tracks = session_tables::render_tracks(summary),
        responses = session_tables::render_responses(summary),
        quality = text::describe_quality(summary),
        data = script_data::to_json(timeline, summary),
    );
    render_page(
        title,
        &body,
        &render_footer(timeline, summary),
        Some(SCRIPT),
        PageMedia { beside: video.is_some(), picked: false },
    )
}

/// Which videos a page may load.
#[derive(Clone, Copy, Default)]
struct PageMedia {
    /// Those in the folder of the page.
    beside: bool,
    /// One that the reader picks in a file dialog.
    picked: bool,
}

/// Renders a page around `body` and `footer`, which are HTML; `title` is plain text. The policy allows the style sheet, the
/// script and the videos of `media`.
fn render_page(title: &str, body: &str, footer: &str, script: Option<&str>, media: PageMedia) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let title = escape_html(title);
    let mut policy = format!("default-src 'none'; style-src 'sha256-{}'", hash(STYLE));
    if let Some(script) = script {
        policy += &format!("; script-src 'sha256-{}'", hash(script));
    }
    // Where the page is opened as a local file, 'self' matches nothing.
    let sources = [(media.beside, " 'self' file:"), (media.picked, " blob:")];
    let sources: String = sources.iter().filter(|source| source.0).map(|source| source.1).collect();
    if !sources.is_empty() {
        policy += &format!("; media-src{sources}");
    }
    policy += "; base-uri 'none'; form-action 'none'";
    let script = script.map(|script| format!("<script>{script}</script>\n")).unwrap_or_default();
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
<footer>{footer}</footer>
{script}</body>
</html>
"#
    )
}

/// A square of a colour, for the legend.
fn color_square(color: RGBColor) -> String {
    let RGBColor(r, g, b) = color;
    format!(
        r##"<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="#{r:02X}{g:02X}{b:02X}"/></svg>"##
    )
}

/// A piece of a line, for the legend. The style sheet gives it the dash pattern of the chart, so that lines can be told apart
/// without their colours.
fn line_sample(color: RGBColor) -> String {
    let RGBColor(r, g, b) = color;
    format!(
        r##"<svg viewBox="0 0 20 10" aria-hidden="true" class="line"><line x1="0" y1="5" x2="20" y2="5" stroke-width="3" stroke="#{r:02X}{g:02X}{b:02X}"/></svg>"##
    )
}

/// The legend: squares for the emotions and the label `uncertain`, line samples for valence and arousal.
fn render_legend() -> String {
    let emotions: String = Emotion::ALL
        .iter()
        .map(|&emotion| format!("<li>{}{emotion}</li>", color_square(chart::mood_color(emotion.into()))))
        .collect();
    format!(
        r#"<ul class="key">{emotions}<li>{}uncertain</li><li>{}valence</li><li>{}arousal</li></ul>"#,
        color_square(chart::mood_color(Mood::Uncertain)),
        line_sample(chart::VALENCE),
        line_sample(chart::AROUSAL)
    )
}

/// The footer: the program and, where it is known, the source of the recording.
fn render_footer(timeline: &Timeline, summary: &Summary) -> String {
    let program = format!("Made by {}", escape_html(&timeline.header.generator));
    match &summary.source {
        Some(source) => format!("{program} from {}", escape_html(source)),
        None => program,
    }
}
