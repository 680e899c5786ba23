//! The page that shows how far two coders agree, with their disagreements to look at in the recording.

use annotation::{Agreement, Interval, LabelAgreement};

use super::format::{escape_html, format_signed_to};
use super::html_table::render_table;
use super::text::describe_texts;
use super::{PageMedia, render_page};
use crate::time_format::format_timestamp;

/// Plays the recording at a disagreement.
const SCRIPT: &str = include_str!("agreement.js");
/// How many disagreements the page lists, the longest ones; the JSON has all.
const MAX_LISTED: usize = 200;

/// What a page on the agreement of two coders shows.
pub struct AgreementPage<'a> {
    /// The figures.
    pub agreement: &'a Agreement,
    /// Whom both describe, where they call that person the same.
    pub person: Option<&'a str>,
    /// What the first coder, a human, is called.
    pub first: &'a str,
    /// What the second coder, a machine or another human, is called.
    pub second: &'a str,
    /// Name of a video file beside the page. `None`: the reader picks the recording.
    pub video: Option<&'a str>,
    /// What the reader must know, such as labels that only one coder used.
    pub warnings: &'a [String],
}

/// Renders the page. Like [`render_session`](super::render_session) it loads nothing but the video.
pub fn render_agreement(page: &AgreementPage) -> String {
    let AgreementPage { agreement, first, second, .. } = page;
    let (first, second) = (escape_html(first), escape_html(second));
    let percent = |interval: Option<Interval>| format_interval(interval, 0, " %");
    let figures = [
        (
            "Agreement",
            format!("{:.0} %", agreement.percent_agreement),
            percent(agreement.intervals.percent_agreement),
        ),
        (
            "Cohen's kappa",
            format_coefficient(agreement.kappa),
            format_interval(agreement.intervals.kappa, 2, ""),
        ),
        (
            "Krippendorff's alpha",
            format_coefficient(agreement.alpha),
            format_interval(agreement.intervals.alpha, 2, ""),
        ),
    ];
    let figures = figures.map(|(name, value, interval)| vec![name.replace('\'', "&#39;"), value, interval]);
    let minutes = |seconds: f64| format_timestamp((seconds * 1e9).round() as u64);
    let mut overview = format!(
        "<li>{first} and {second} gave the same label for {:.0} % of the {} that both labelled.</li><li>{}</li>",
        agreement.percent_agreement,
        minutes(agreement.compared_seconds),
        describe_kappa(agreement),
    );
    if agreement.first_only_seconds + agreement.second_only_seconds >= 1.0 {
        overview += &format!(
            "<li>Only {first} labelled another {}; only {second} another {}. That time is not compared.</li>",
            minutes(agreement.first_only_seconds),
            minutes(agreement.second_only_seconds),
        );
    }
    let body = format!(
        r#"<ul class="said">{overview}</ul>
{warnings}{figures}
<h2>Where they disagree</h2>
<video controls preload="metadata"{source} aria-label="The recording"></video>
<p class="probe"><label for="recording">{pick}</label><input type="file" id="recording" accept="video/*"></p>
{disagreements}
<h2>By label</h2>
{labels}
{confusion}
<section class="limits" aria-labelledby="limits">
<h2 id="limits">How this is computed</h2>
<p>The recording is cut into units of {step} s. Each unit has the label that a coder gave at its middle, and units that only one
coder labelled are left out. Kappa (Cohen 1960) and alpha (Krippendorff 2011, nominal) are 1 for full agreement and 0 for that of
chance. Ranges are 95 % confidence intervals from 1,000 resamples of blocks of {block:.0} s, since neighbouring moments are not
independent; a recording of less than ten blocks has none. An onset error is positive where {second} is later than {first}.
Agreement says that two coders see the same, not that what they see is felt.</p></section>"#,
        warnings = describe_texts(page.warnings.iter().map(String::as_str)),
        figures = render_table("Agreement", [("", false), ("Value", true), ("95 % interval", true)], figures),
        source = page.video.map_or(" hidden".into(), |name| format!(r#" src="{}""#, escape_html(name))),
        pick = if page.video.is_some() { "Show another recording" } else { "Show the recording" },
        disagreements = render_disagreements(page),
        labels = render_labels(page),
        confusion = render_confusion(page),
        step = agreement.step_seconds,
        block = agreement.block_seconds,
    );
    let media = PageMedia { beside: page.video.is_some(), picked: true };
    let title = match page.person {
        Some(person) => format!("Agreement on {person}: {} and {}", page.first, page.second),
        None => format!("Agreement: {} and {}", page.first, page.second),
    };
    render_page(&title, &body, "Made by gst-mood", Some(SCRIPT), media)
}

/// The figures of kappa in words. No verbal scale: those in use contradict each other (Hallgren 2012, doi:10.20982/tqmp.08.1.p023).
fn describe_kappa(agreement: &Agreement) -> String {
    match agreement.kappa {
        Some(kappa) => format!(
            "Beyond what chance gives, that is a kappa of {kappa:.2} (0 is chance, 1 is full agreement)."
        ),
        None => "Both gave one and the same label throughout, so agreement beyond chance cannot be computed."
            .into(),
    }
}

/// The disagreements, the longest first, as buttons that play them.
fn render_disagreements(page: &AgreementPage) -> String {
    let mut spans: Vec<_> = page.agreement.disagreements.iter().collect();
    if spans.is_empty() {
        return "<p>Nowhere in the compared time.</p>".into();
    }
    spans.sort_by_key(|span| (std::cmp::Reverse(span.end - span.start), span.start));
    let omitted = spans.len().saturating_sub(MAX_LISTED);
    let seconds = |ns: u64| ns as f64 / 1e9;
    let rows = spans.iter().take(MAX_LISTED).map(|span| {
        let time = format_timestamp(span.start);
        vec![
            format!(
                r#"<button type="button" data-start="{}" data-end="{}" aria-label="Play from {time}">{time}</button>"#,
                seconds(span.start),
                seconds(span.end)
            ),
            format!("{:.1} s", seconds(span.end - span.start)),
            escape_html(&span.first),
            escape_html(&span.second),
        ]
    });
    let headers = [("From", false), ("For", true), (page.first, false), (page.second, false)];
    let table = render_table("The longest disagreements first", headers, rows);
    let omitted = if omitted > 0 {
        format!("<p>{omitted} shorter ones are not listed here.</p>")
    } else {
        String::new()
    };
    table + &omitted
}

/// The agreement by label.
fn render_labels(page: &AgreementPage) -> String {
    let rows = page.agreement.per_label.iter().map(|(label, figures)| {
        let LabelAgreement { first_seconds, second_seconds, recall, precision, kappa, .. } = figures;
        let share =
            |share: &Option<f64>| share.map_or("·".into(), |share| format!("{:.0} %", share * 100.0));
        vec![
            escape_html(label),
            format!("{first_seconds:.1} s"),
            format!("{second_seconds:.1} s"),
            share(recall),
            share(precision),
            format_coefficient(*kappa),
            format!("{} of {}", figures.matched_episodes, figures.first_episodes),
            figures
                .onset_error_seconds
                .map_or("·".into(), |error| format!("{} s", format_signed_to(error, 1))),
        ]
    });
    let (found, right) = (format!("Found by {}", page.second), format!("Confirmed by {}", page.first));
    let headers = [
        ("Label", false),
        (page.first, true),
        (page.second, true),
        (&found, true),
        (&right, true),
        ("Kappa", true),
        ("Episodes met", true),
        ("Onset error, median", true),
    ];
    render_table("Time with each label, and how much of it the other confirms", headers, rows)
}

/// The confusion matrix in seconds.
fn render_confusion(page: &AgreementPage) -> String {
    let agreement = page.agreement;
    let labels: Vec<&str> = agreement.per_label.keys().map(String::as_str).collect();
    let rows = labels.iter().map(|first| {
        let cells = labels.iter().map(|second| {
            let seconds = agreement.confusion.get(*first).and_then(|row| row.get(*second));
            seconds.map_or("·".into(), |seconds| format!("{seconds:.1}"))
        });
        std::iter::once(escape_html(first)).chain(cells).collect()
    });
    let headers = std::iter::once(("", false)).chain(labels.iter().map(|label| (*label, true)));
    let caption = format!("Seconds by the label of {} (rows) and of {} (columns)", page.first, page.second);
    render_table(&caption, headers, rows)
}

/// A coefficient with two decimals; a dot where it is undefined.
fn format_coefficient(value: Option<f64>) -> String {
    value.map_or("·".into(), |value| format!("{value:.2}"))
}

/// An interval with so many decimals and a unit; words where there is none.
fn format_interval(interval: Option<Interval>, decimals: usize, unit: &str) -> String {
    match interval {
        Some(Interval { low, high }) => format!("{low:.decimals$} to {high:.decimals$}{unit}"),
        None => "too short to tell".into(),
    }
}
