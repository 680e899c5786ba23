//! The report: one page that needs nothing else, for somebody who was not there.

mod comparison;
mod data;
mod tables;
mod words;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mood_schema::{Emotion, Mood};
use plotters::style::RGBColor;
use sha2::{Digest, Sha256};

use crate::{Summary, Timeline, chart};
pub use comparison::comparison;
use words::escape;

const STYLE: &str = include_str!("report/style.css");
const SCRIPT: &str = include_str!("report/script.js");

const LIMITS: &str = r#"<section class="limits" aria-labelledby="limits">
<h2 id="limits">What this is, and what it is not</h2>
<p>What you see here is an estimate from facial expression, not felt emotion. A face can hide a feeling or show one that
is not there, and the program is often wrong about single moments; trust long stretches more than short ones.
It is not a medical device and gives no diagnosis.</p>"#;

/// The page of a session. It loads nothing but, where there is one, the film beside it (`video`, a file's name), and its
/// policy forbids browsers to: even a text that escaped its escaping would stay a text.
pub fn html(timeline: &Timeline, summary: &Summary, title: &str, video: Option<&str>) -> String {
    let picture = chart::svg(timeline, summary).unwrap_or_else(|error| {
        format!("<p>The picture could not be drawn: {}</p>", escape(&error.to_string()))
    });
    let sentences = words::sentences(summary);
    let said: String = sentences.iter().map(|sentence| format!("<li>{}</li>", escape(sentence))).collect();
    let film = video.map(|name| {
        format!(
            r#"<video controls preload="metadata" src="{}" aria-label="The annotated recording"></video>"#,
            escape(name)
        )
    });
    let seeks = if video.is_some() { " A click on the picture goes there in the film." } else { "" };
    let body = format!(
        r#"<ul class="said">{said}</ul>
{film}<h2>Over time</h2>
<figure>
{key}
<div class="scroll" id="picture" role="img" aria-label="{aria}" tabindex="0">{picture}</div>
<div class="probe"><label for="time">Look at a moment</label><input type="range" id="time" min="0" max="1000" value="0" step="1"><output id="moment" for="time"></output></div>
<figcaption>Top: how likely each expression is. Then valence (unpleasant to pleasant) and arousal (calm to activated), -1 to
1; the expressions that lasted; the mood the music followed; and the music.{seeks}</figcaption>
</figure>
<h2>Share of time</h2>
{shares}
<h2>Episodes</h2>
{episodes}
<h2>From one expression to the next</h2>
{transitions}
<h2>Music</h2>
{tracks}
{responses}
{LIMITS}
{quality}</section>
<script type="application/json" id="data">{data}</script>"#,
        film = film.unwrap_or_default(),
        key = key(),
        aria = escape(&format!("Timeline. {}", sentences.join(" "))),
        shares = tables::shares(summary),
        episodes = tables::episodes(summary),
        transitions = tables::transitions(summary),
        tracks = tables::tracks(summary),
        responses = tables::responses(summary),
        quality = words::quality(summary),
        data = data::json(timeline, summary),
    );
    page(title, &body, &footer(timeline, summary), Some(SCRIPT), video.is_some())
}

/// A page around a body. Only what is named here may run or load.
fn page(title: &str, body: &str, footer: &str, script: Option<&str>, film: bool) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let title = escape(title);
    let mut policy = format!("default-src 'none'; style-src 'sha256-{}'", hash(STYLE));
    if let Some(script) = script {
        policy += &format!("; script-src 'sha256-{}'", hash(script));
    }
    if film {
        // A page opened from a disk has no 'self'.
        policy += "; media-src 'self' file:";
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

fn swatch(color: RGBColor) -> String {
    let RGBColor(r, g, b) = color;
    format!(
        r##"<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="#{r:02X}{g:02X}{b:02X}"/></svg>"##
    )
}

/// A line as it is drawn, so that it can be told without its colour.
fn stroke(color: RGBColor) -> String {
    let RGBColor(r, g, b) = color;
    format!(
        r##"<svg viewBox="0 0 20 10" aria-hidden="true" class="line"><line x1="0" y1="5" x2="20" y2="5" stroke-width="3" stroke="#{r:02X}{g:02X}{b:02X}"/></svg>"##
    )
}

fn key() -> String {
    let emotions: String = Emotion::ALL
        .iter()
        .map(|&emotion| format!("<li>{}{emotion}</li>", swatch(chart::color(emotion.into()))))
        .collect();
    format!(
        r#"<ul class="key">{emotions}<li>{}uncertain</li><li>{}valence</li><li>{}arousal</li></ul>"#,
        swatch(chart::color(Mood::Uncertain)),
        stroke(chart::VALENCE),
        stroke(chart::AROUSAL)
    )
}

fn footer(timeline: &Timeline, summary: &Summary) -> String {
    let by = format!("Made by {}", escape(&timeline.session.generator));
    match &summary.source {
        Some(source) => format!("{by} from {}", escape(source)),
        None => by,
    }
}
