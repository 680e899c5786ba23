//! The page of a session: film and chart, and the sections about what they show.

use mood_schema::{Emotion, Mood};

use super::correction_section::{describe_corrections, render_corrections};
use super::dyad_section::render_dyads;
use super::format::escape_html;
use super::people_section::render_people;
use super::section::{Film, SessionPage, has_outdated_labels, section};
use super::session_tables::{
    render_episodes, render_markers, render_responses, render_shares, render_tracks, render_transitions,
};
use super::{PageMedia, color_square, line_sample, render_page, script_data, text};
use crate::{ConsentRecord, Summary, Timeline, chart};

/// Script of the page. It reads the JSON of [`script_data`]. Its parts are one script, and the hash of the policy is that of all
/// of it, so that any change to it changes all reports.
const SCRIPT: &str = concat!(
    include_str!("session/record.js"),
    include_str!("session/plot.js"),
    include_str!("session/film.js"),
    include_str!("session/page.js"),
);

/// Renders a section as HTML; empty where it has nothing to say.
type RenderSection = fn(&SessionPage) -> String;

/// The sections beside the film, in their order; each is a function of a module of its own concern. The first is the chart.
const SECTIONS: [RenderSection; 10] = [
    render_chart,
    render_markers,
    render_episodes,
    render_people,
    render_shares,
    render_transitions,
    render_dyads,
    render_corrections,
    render_tracks,
    render_responses,
];

/// Renders the page of a session. `films` are shown in it as one, by their starts; without any, the reader can pick the
/// recording. The page loads nothing but videos.
pub fn render_session(
    timeline: &Timeline,
    summary: &Summary,
    title: &str,
    films: impl IntoIterator<Item = Film>,
) -> String {
    let films: Vec<Film> = films.into_iter().collect();
    let page = SessionPage { timeline, summary };
    let mut sentences = text::describe_session(timeline, summary);
    sentences.extend(describe_corrections(summary));
    sentences.extend(summary.consent.as_ref().map(ConsentRecord::describe));
    let overview: String =
        sentences.iter().map(|sentence| format!("<li>{}</li>", escape_html(sentence))).collect();
    let sections: String = SECTIONS.iter().map(|render| render(&page)).collect();
    let body = format!(
        r##"{lead}<ul class="said">{overview}</ul>
<p class="caution"><strong>Estimates from facial expression, not felt emotion.</strong> The program is often wrong about single
moments; trust long stretches more than short ones. <a href="#limits">What this is, and what it is not</a></p>
{warnings}{note}<div class="desk">
{view}<div class="record">
{sections}{limits}</div>
</div>
<script type="application/json" id="data">{data}</script>"##,
        lead = text::describe_seldom_found(&summary.warnings),
        warnings = text::describe_warnings(&summary.warnings),
        note = render_note(summary),
        view = render_view(summary, &films),
        limits = render_limits(summary),
        data = script_data::to_json(timeline, summary, &films),
    );
    let media = PageMedia { beside: !films.is_empty(), picked: true };
    render_page(title, &body, &render_footer(timeline, summary), Some(SCRIPT), media)
}

/// What somebody wrote about the session.
fn render_note(summary: &Summary) -> String {
    let paragraphs = summary.note.as_deref().unwrap_or_default().split('\n').map(str::trim);
    let paragraphs = paragraphs.filter(|text| !text.is_empty());
    let text: String = paragraphs.map(|text| format!("<p>{}</p>", escape_html(text))).collect();
    if text.is_empty() {
        text
    } else {
        format!("<section class=\"note\">\n<h2>Note</h2>\n{text}\n</section>\n")
    }
}

/// The film, or what to do without one, and the moment that is looked at in words.
fn render_view(summary: &Summary, films: &[Film]) -> String {
    let outdated = if has_outdated_labels(summary, films) {
        "<p class=\"drawn\">The labels drawn in the film are the program's, from before the correction. Its subtitles show the \
         corrected record.</p>\n"
    } else {
        ""
    };
    let source = films.first().map(|film| format!(r#" src="{}""#, escape_html(&film.file)));
    let hidden = if source.is_none() { " hidden" } else { "" };
    let picker_hidden = if source.is_none() { "" } else { " hidden" };
    let link = summary.source.as_deref().filter(|_| source.is_none()).map(|source| {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        // Nothing else that a header may name is a recording to be opened.
        if source.starts_with("file:///") {
            format!(
                r#"<p class="screen link">The recording: <a href="{}">{}</a></p>"#,
                escape_html(source),
                escape_html(&name)
            )
        } else {
            String::new()
        }
    });
    format!(
        r#"<div class="view">
<video controls playsinline preload="metadata"{source}{hidden} aria-label="The film of the session"></video>
<p id="film-state" role="status" hidden></p>
{outdated}<p class="pick"{picker_hidden}><label for="recording">To watch the recording beside the chart, pick its file. It stays on this device.</label>
<input type="file" id="recording" multiple accept="video/*,audio/*,.mkv,.mts,.ts"></p>
{link}<div id="moment"></div>
</div>
"#,
        source = source.unwrap_or_default(),
        link = link.unwrap_or_default(),
    )
}

/// The chart with what is needed to read and to use it.
fn render_chart(page: &SessionPage) -> String {
    let SessionPage { timeline, summary } = page;
    let chart = match chart::draw_session(timeline, summary) {
        Ok(Some(chart)) => chart,
        Ok(None) => return String::new(),
        Err(error) => format!("<p>The picture could not be drawn: {}</p>", escape_html(&error.to_string())),
    };
    let seconds = summary.duration as f64 / 1e9;
    let step = match seconds {
        seconds if seconds <= 10.0 => 0.02,
        seconds if seconds <= 120.0 => 0.1,
        _ => 1.0,
    };
    let mut caption = String::new();
    let subject = summary.subject();
    if subject.is_some() {
        caption += "Top: how likely each expression is; uncertain: the program could not tell. Then valence (unpleasant to pleasant) \
                    and arousal (calm to activated), -1 to 1. ";
    }
    if subject.is_some_and(|subject| subject.episodes.iter().any(|e| e.label != Emotion::Neutral.into())) {
        caption += "The expressions other than neutral that lasted: where several share a bar, the longest, as high as its share of \
                    that time. ";
    }
    if !timeline.moods.is_empty() {
        caption += "The mood that the music followed, and the music. ";
    }
    if !summary.markers.is_empty() {
        caption += "Last, what was marked. ";
    }
    let sentences = text::describe_session(timeline, summary);
    section(
        "Over time",
        &format!(
            r#"<figure>
{legend}
<div class="scroll" id="picture" role="img" aria-label="{aria}" tabindex="0">{chart}</div>
<div class="probe"><label for="time">Moment</label><input type="range" id="time" min="0" max="{seconds:.3}" value="0" step="{step}"></div>
<div class="zoom" role="group" aria-label="Part of the session that the chart shows"><button type="button" data-zoom="in">Zoom in</button><button type="button" data-zoom="out">Zoom out</button><button type="button" data-zoom="back" aria-label="Earlier">◀</button><button type="button" data-zoom="on" aria-label="Later">▶</button><button type="button" data-zoom="all">All</button><span id="shown-part"></span></div>
<figcaption>{caption}<span class="live-only">A click goes to that moment. Zoom with the buttons, Ctrl and the wheel, or two fingers; drag to move.</span></figcaption>
</figure>"#,
            legend = render_legend(summary),
            aria = escape_html(&format!("Timeline. {}", sentences.join(" "))),
        ),
    )
}

/// The legend: squares for the emotions and the label `uncertain`, line samples for valence and arousal; empty without a subject.
fn render_legend(summary: &Summary) -> String {
    if summary.subject().is_none() {
        return String::new();
    }
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

/// What the results are worth.
fn render_limits(summary: &Summary) -> String {
    format!("{}\n{}</section>\n", super::LIMITS_SECTION, text::describe_quality(summary))
}

/// The footer: the program and, where it is known, the source of the recording.
fn render_footer(timeline: &Timeline, summary: &Summary) -> String {
    let program = format!("Made by {}", escape_html(&timeline.header.generator));
    match &summary.source {
        Some(source) => format!("{program} from {}", escape_html(source)),
        None => program,
    }
}
