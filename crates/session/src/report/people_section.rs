//! Who is in a session: where and when each person was found, so that the reader knows who is meant by which number without a
//! picture of anybody.

use std::fmt::Write as _;

use mood_schema::Rect;

use super::format::{count_of, escape_html};
use super::section::{SessionPage, is_short, section};
use crate::people::Observation;
use crate::percent::format_percent;
use crate::time_format::{format_duration, format_time};
use crate::{PersonSummary, Summary, Timeline};

/// A person found for less time, ns, is not listed: a passer-by, or a false detection.
const MIN_TIME_FOUND: u64 = 1_000_000_000;
/// Most people that are shown.
const MAX_PEOPLE: usize = 24;
/// Width of the bar of times, in units of its picture; the resolution in which it shows when somebody was found.
const BAR_WIDTH: u64 = 200;
/// Most places of a person that are drawn.
const MAX_PLACES: usize = 30;

/// The people whom a page lists: those that were found for a second, and the subject.
pub fn listed_people(summary: &Summary) -> impl Iterator<Item = &PersonSummary> {
    let is_listed =
        |person: &&PersonSummary| person.found >= MIN_TIME_FOUND || Some(person.id) == summary.subject_id;
    summary.people.iter().filter(is_listed)
}

/// A schematic of each person; empty with fewer than two, who need not be told apart.
pub(super) fn render_people(page: &SessionPage) -> String {
    let SessionPage { timeline, summary } = page;
    if summary.people.len() < 2 || listed_people(summary).count() < 2 {
        return String::new();
    }
    let observations = timeline.observations();
    let mut items = String::new();
    for person in listed_people(summary).take(MAX_PEOPLE) {
        let observations = observations.get(&person.id).map_or(&[][..], Vec::as_slice);
        let ids: Vec<String> = summary.person_map.ids_of(person.id).iter().map(u32::to_string).collect();
        let numbers = if ids.len() == 1 { "number" } else { "numbers" };
        let subject = if Some(person.id) == summary.subject_id { ", whom the report is about" } else { "" };
        let _ = write!(
            items,
            r#"<li>{place}<div><b>{name}</b>{subject}<br>{numbers} {ids}: {presence}{times}</div><canvas data-person="{id}" width="96" height="96" hidden></canvas></li>"#,
            place = draw_places(observations),
            name = escape_html(&person.name),
            ids = ids.join(", "),
            presence = escape_html(&describe_observations(observations, summary)),
            times = draw_times(observations, summary),
            id = person.id,
        );
    }
    let unlisted = summary.people.len() - listed_people(summary).take(MAX_PEOPLE).count();
    let unlisted = match unlisted {
        0 => String::new(),
        count => format!(
            "<p>{} found for a short time only.</p>",
            count_of(count, "more person was", "more people were")
        ),
    };
    let body = format!(
        r#"<p>Where in the picture, and when, each was found.<span class="live-only"> <button type="button" id="faces" hidden>Show faces from the film</button></span></p>
<ul class="people">{items}</ul>
{unlisted}<p class="screen">To name them, or to say which numbers are one person, write it in the notes: <code>gst-mood notes</code> makes a file to fill in.</p>"#
    );
    section("People", &body)
}

/// Whether a person was mostly on the left, in the middle or on the right of the picture.
fn describe_side(observations: &[Observation]) -> &'static str {
    let middle = mean_place(observations).map_or(0.5, |place| place.x + place.w / 2.0);
    match middle {
        middle if middle < 0.4 => "on the left",
        middle if middle > 0.6 => "on the right",
        _ => "in the middle",
    }
}

/// Where, for how long and when a person was found, such as `on the left, found for 5 seconds (50 %), 0:00 to 0:05`.
pub fn describe_presence(timeline: &Timeline, summary: &Summary, person: &PersonSummary) -> String {
    let observations = timeline.observations();
    describe_observations(observations.get(&person.id).map_or(&[][..], Vec::as_slice), summary)
}

fn describe_observations(observations: &[Observation], summary: &Summary) -> String {
    let found = observations.iter().fold(0u64, |found, o| found.saturating_add(o.duration()));
    let share = found as f64 / summary.duration.max(1) as f64;
    let mut text = format!(
        "{}, found for {} ({})",
        describe_side(observations),
        format_duration(found),
        format_percent(share.min(1.0))
    );
    if let Some((first, last)) = observations.first().zip(observations.last()) {
        let time = |pts: u64| format_time(pts.saturating_sub(summary.begin), is_short(summary));
        text += &format!(", {} to {}", time(first.start), time(last.end));
    }
    text
}

/// The mean box of a person, weighted by time.
fn mean_place(observations: &[Observation]) -> Option<Rect> {
    let mut sums = [0.0; 4];
    let mut time = 0.0;
    for observation in observations {
        let Rect { x, y, w, h } = observation.face.bbox;
        let weight = observation.duration().max(1) as f64;
        sums.iter_mut().zip([x, y, w, h]).for_each(|(sum, value)| *sum += value * weight);
        time += weight;
    }
    let [x, y, w, h] = sums.map(|sum| sum / time);
    (time > 0.0).then_some(Rect { x, y, w, h })
}

/// The picture as a small frame with the places of a person: some faintly, and the mean of all.
fn draw_places(observations: &[Observation]) -> String {
    let draw = |place: &Rect, class: &str| {
        let [x, y, w, h] = [place.x * 160.0, place.y * 90.0, place.w * 160.0, place.h * 90.0].map(f64::round);
        format!(r#"<rect{class} x="{x}" y="{y}" width="{w}" height="{h}"/>"#)
    };
    let step = observations.len().div_ceil(MAX_PLACES).max(1);
    let mut seen: Vec<String> = observations.iter().step_by(step).map(|o| draw(&o.face.bbox, "")).collect();
    seen.sort();
    seen.dedup();
    let mean = mean_place(observations).map(|place| draw(&place, r#" class="mean""#));
    format!(
        r#"<svg class="place" viewBox="-1 -1 162 92" aria-hidden="true"><rect class="frame" width="160" height="90"/>{}{}</svg>"#,
        seen.concat(),
        mean.unwrap_or_default()
    )
}

/// A bar over the session that is filled where a person was found.
fn draw_times(observations: &[Observation], summary: &Summary) -> String {
    let width = (summary.duration / BAR_WIDTH).max(1);
    let mut runs: Vec<[u64; 2]> = Vec::new();
    for observation in observations {
        let bin = |pts: u64| pts.saturating_sub(summary.begin) / width;
        let (from, to) = (bin(observation.start), bin(observation.end) + 1);
        match runs.last_mut() {
            Some(run) if run[1] >= from => run[1] = run[1].max(to),
            _ => runs.push([from, to]),
        }
    }
    let rects: String = runs
        .iter()
        .filter(|run| run[0] < BAR_WIDTH)
        .map(|run| format!(r#"<rect x="{}" width="{}" height="8"/>"#, run[0], run[1].min(BAR_WIDTH) - run[0]))
        .collect();
    format!(
        r#"<svg class="times" viewBox="0 0 {BAR_WIDTH} 8" preserveAspectRatio="none" aria-hidden="true"><rect class="frame" width="{BAR_WIDTH}" height="8"/>{rects}</svg>"#
    )
}
