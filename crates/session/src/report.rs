//! The report: a self-contained HTML page for readers who know neither the recording nor the program.

mod across_section;
mod agreement_page;
mod comparison_page;
mod correction_section;
mod dyad_section;
mod format;
mod html_table;
mod people_section;
mod script_data;
mod section;
mod session_page;
mod session_tables;
mod text;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plotters::style::RGBColor;
use sha2::{Digest, Sha256};

pub use agreement_page::{AgreementPage, render_agreement};
pub use comparison_page::render_comparison;
use format::escape_html;
pub use people_section::{describe_presence, listed_people};
pub use section::Film;
pub use session_page::render_session;

/// Style sheet of all pages.
const STYLE: &str = include_str!("report/style.css");

/// Start of the section that states the limits of the method; the page that includes it closes it.
const LIMITS_SECTION: &str = r#"<section class="limits" aria-labelledby="limits">
<h2 id="limits">What this is, and what it is not</h2>
<p>What you see here is an estimate from facial expression, not felt emotion. A face can hide a feeling or show one that
is not there, and the program is often wrong about single moments; trust long stretches more than short ones.
It is not a medical device and gives no diagnosis.</p>"#;

/// Which videos a page may load.
#[derive(Clone, Copy, Default)]
struct PageMedia {
    /// Those in the folder of the page.
    beside: bool,
    /// One that the reader picks in a file dialog.
    picked: bool,
}

/// Renders a page around `body` and `footer`, which are HTML; `title` is plain text. A Content Security Policy
/// (<https://www.w3.org/TR/CSP3/>) makes browsers refuse everything but what is named here, so that a mistake in escaping a text
/// could not run code either. It allows the style sheet, the
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
