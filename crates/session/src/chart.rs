//! The chart of a session as SVG: probabilities of the emotions, valence and arousal, episodes, mood, music and
//! markers over one time axis.

use std::collections::BTreeMap;
use std::ops::Range;

use mood_schema::{Affect, Emotion, Label, Mood};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::time_format::format_timestamp;
use crate::{Episode, Summary, Timeline, export};

/// Width and height, px; the page scales the chart to its own width.
const SIZE: (u32, u32) = (1000, 564);
/// Left margin with the labels of the value axes, px.
const LEFT: u32 = 74;
/// Right margin, px.
const RIGHT: u32 = 12;
/// Largest number of columns into which the classifications are averaged. It limits the size of the page for
/// long sessions.
const MAX_COLUMNS: usize = 500;

/// Height of a lane, px.
const LANE_HEIGHT: u32 = 44;

/// Width and height of a session's chart, px. Where something was marked, it has one lane more.
fn chart_size(summary: &Summary) -> (u32, u32) {
    (SIZE.0, SIZE.1 + if summary.markers.is_empty() { 0 } else { LANE_HEIGHT })
}

/// Left, right and bottom edge of the plot within the chart, px, for the page's time cursor.
pub(crate) fn plot_edges(summary: &Summary) -> [u32; 3] {
    [LEFT, SIZE.0 - RIGHT, chart_size(summary).1 - 36]
}

/// Colour of axes and text. The page's style sheet replaces it by one that suits a light or dark background.
pub(crate) const INK: RGBColor = RGBColor(0x44, 0x44, 0x44);
/// Colour of the valence line; blue of the colour-blind safe palette of Okabe and Ito
/// (<https://jfly.uni-koeln.de/color/>).
pub(crate) const VALENCE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Colour of the arousal line; vermilion of the same palette.
pub(crate) const AROUSAL: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// A mood's colour.
pub(crate) fn mood_color(mood: Mood) -> RGBColor {
    let [red, green, blue] = mood.colour();
    RGBColor(red, green, blue)
}

/// Order of the emotions in the stacked areas, from bottom to top.
const STACKING_ORDER: [Emotion; 7] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Fear,
    Emotion::Angry,
    Emotion::Disgust,
];

/// The subject's classification averaged over one column of the time axis.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    /// Middle of the column, seconds from the start.
    time: f64,
    /// Mean probability of each emotion, in the order of `Emotion::ALL`.
    pub(crate) probabilities: [f64; 7],
    /// Mean valence and arousal.
    pub(crate) affect: Affect,
}

/// The subject's columns over the duration of the session; `None` where the subject was not classified. Empty
/// without a subject.
pub(crate) fn subject_columns(timeline: &Timeline, summary: &Summary) -> Vec<Option<Column>> {
    summary.subject().map(|subject| average_columns(timeline, subject.id)).unwrap_or_default()
}

/// Averages a person's classifications in columns of equal duration, weighted by the duration of the frames.
fn average_columns(timeline: &Timeline, person_id: u32) -> Vec<Option<Column>> {
    let [begin, end] = timeline.span();
    let count = MAX_COLUMNS.min(timeline.frames.len()).max(1);
    let width = ((end - begin) as f64 / count as f64).max(1.0);
    let mut sums = vec![([0.0f64; 7], Affect::default(), 0.0f64); count];
    for (frame, duration) in timeline.frames_with_duration() {
        let Some(classification) =
            Timeline::find_face(frame, person_id).and_then(|face| face.classification.as_ref())
        else {
            continue;
        };
        let middle = frame.pts.saturating_sub(begin) as f64 + duration as f64 / 2.0;
        let Some((probabilities, affect, time)) = sums.get_mut((middle / width) as usize) else { continue };
        let duration = duration.max(1) as f64;
        for (sum, probability) in probabilities.iter_mut().zip(classification.probabilities) {
            *sum += probability * duration;
        }
        affect.valence += classification.affect.valence * duration;
        affect.arousal += classification.affect.arousal * duration;
        *time += duration;
    }
    let column = |(index, (probabilities, affect, time)): (usize, ([f64; 7], Affect, f64))| {
        (time > 0.0).then(|| Column {
            time: (index as f64 + 0.5) * width / 1e9,
            probabilities: probabilities.map(|sum| sum / time),
            affect: Affect { valence: affect.valence / time, arousal: affect.arousal / time },
        })
    };
    sums.into_iter().enumerate().map(column).collect()
}

/// Sequences of columns without a gap. A single column is left out, as it is too narrow to draw.
fn contiguous_runs(columns: &[Option<Column>]) -> impl Iterator<Item = Vec<Column>> {
    columns
        .split(Option::is_none)
        .map(|run| run.iter().flatten().copied().collect())
        .filter(|run: &Vec<_>| run.len() > 1)
}

/// The error of plotters' SVG backend.
type DrawError = Box<dyn std::error::Error>;
/// A rectangle of the chart to draw in.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A plot with seconds on the horizontal axis.
type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws the chart as an `<svg>` element.
///
/// # Errors
/// The error of plotters where it cannot draw.
pub(crate) fn draw_session(timeline: &Timeline, summary: &Summary) -> Result<String, DrawError> {
    let mut text = String::new();
    let size = chart_size(summary);
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let seconds = (summary.duration as f64 / 1e9).max(1e-3);
        let columns = subject_columns(timeline, summary);
        let (stack, rest) = root.split_vertically(230);
        let (affect, rest) = rest.split_vertically(160);
        let (episodes, rest) = rest.split_vertically(LANE_HEIGHT);
        let (mood, rest) = rest.split_vertically(LANE_HEIGHT);
        let (music, rest) = rest.split_vertically(LANE_HEIGHT);
        let axis = if summary.markers.is_empty() {
            rest
        } else {
            let (markers, axis) = rest.split_vertically(LANE_HEIGHT);
            draw_markers(&markers, summary, seconds)?;
            axis
        };
        draw_probabilities(&stack, &columns, seconds)?;
        draw_affect(&affect, &columns, seconds)?;
        draw_lane(&episodes, "shown", &episode_bars(summary), seconds)?;
        draw_lane(&mood, "mood", &mood_bars(timeline), seconds)?;
        draw_lane(&music, "music", &music_bars(timeline, summary), seconds)?;
        draw_time_axis(&axis, seconds)?;
        root.present()?;
    }
    Ok(strip_for_inlining(&text, size))
}

/// Removes the namespace and the fixed size of an SVG document, for use inside an HTML page, where the
/// namespace is implied and the style sheet sets the size.
pub(crate) fn strip_for_inlining(svg: &str, size: (u32, u32)) -> String {
    let size = format!(r#"width="{}" height="{}""#, size.0, size.1);
    svg.replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1).replacen(&size, "", 1)
}

/// The text style of the charts; `size` in px.
pub(crate) fn text_style(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// A plot over a time axis of `seconds` with a value axis of range `y` and `margins` px above and below;
/// `label` formats the values.
fn build_plot<'a>(
    area: &Area<'a>,
    margins: [u32; 2],
    seconds: f64,
    y: Range<f64>,
    label: &dyn Fn(&f64) -> String,
) -> Result<Plot<'a>, DrawError> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(margins[0])
        .margin_bottom(margins[1])
        .margin_right(RIGHT)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .build_cartesian_2d(0.0..seconds, y)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK)
        .y_labels(5)
        .y_label_style(text_style(15))
        .y_label_formatter(label)
        .draw()?;
    Ok(chart)
}

/// Draws the stacked areas of the emotions' probabilities.
fn draw_probabilities(area: &Area, columns: &[Option<Column>], seconds: f64) -> Result<(), DrawError> {
    let mut chart = build_plot(area, [8, 0], seconds, 0.0..1.0, &|share| format!("{:.0} %", share * 100.0))?;
    for run in contiguous_runs(columns) {
        let mut lower = vec![0.0; run.len()];
        for emotion in STACKING_ORDER {
            let upper: Vec<f64> = run
                .iter()
                .zip(&lower)
                .map(|(column, lower)| {
                    lower + column.probabilities.get(emotion.index()).copied().unwrap_or_default()
                })
                .collect();
            let edge = |heights: &[f64]| -> Vec<_> {
                run.iter().zip(heights).map(|(column, &height)| (column.time, height)).collect()
            };
            let outline: Vec<_> = edge(&upper).into_iter().chain(edge(&lower).into_iter().rev()).collect();
            chart.draw_series([Polygon::new(outline, mood_color(emotion.into()).filled())])?;
            lower = upper;
        }
    }
    Ok(())
}

/// Draws the lines of valence and arousal.
fn draw_affect(area: &Area, columns: &[Option<Column>], seconds: f64) -> Result<(), DrawError> {
    let label = |value: &f64| if value.abs() < 1e-9 { "0".into() } else { format!("{value:+.1}") };
    let mut chart = build_plot(area, [12, 6], seconds, -1.0..1.0, &label)?;
    for run in contiguous_runs(columns) {
        let valence = run.iter().map(|column| (column.time, column.affect.valence));
        chart.draw_series(LineSeries::new(valence, VALENCE.stroke_width(2)))?;
        let arousal = run.iter().map(|column| (column.time, column.affect.arousal));
        chart.draw_series(LineSeries::new(arousal, AROUSAL.stroke_width(2)))?;
    }
    Ok(())
}

/// A labelled bar of a lane; times in seconds from the start.
struct Bar {
    start: f64,
    end: f64,
    text: String,
    color: RGBColor,
}

/// Seconds from `begin` to `pts` (both ns).
fn seconds_since(begin: u64, pts: u64) -> f64 {
    pts.saturating_sub(begin) as f64 / 1e9
}

/// The subject's episodes other than neutral.
fn episode_bars(summary: &Summary) -> Vec<Bar> {
    let episodes = summary.subject().map(|subject| subject.episodes.as_slice()).unwrap_or_default();
    // The duration that two pixels of the chart stand for. If an episode is shorter, the session is divided into
    // intervals of that duration, and each shows its most frequent label.
    let min_visible_duration = summary.duration / u64::from(SIZE.0) * 2;
    let all_visible = episodes.iter().all(|episode| episode.duration() >= min_visible_duration);
    let shown: Vec<(u64, u64, Label)> = if all_visible {
        episodes.iter().map(|episode| (episode.start, episode.end, episode.label)).collect()
    } else {
        majority_labels(episodes, summary.begin, min_visible_duration)
    };
    let expressive = shown.into_iter().filter(|(_, _, label)| *label != Emotion::Neutral.into());
    let bar = |(start, end, label): (u64, u64, Label)| Bar {
        start: seconds_since(summary.begin, start),
        end: seconds_since(summary.begin, end),
        text: label.to_string(),
        color: mood_color(label.into()),
    };
    expressive.map(bar).collect()
}

/// The label shown longest in each interval of `width` ns from `begin` on, as (start, end, label);
/// neighbouring intervals of the same label are joined.
fn majority_labels(episodes: &[Episode], begin: u64, width: u64) -> Vec<(u64, u64, Label)> {
    let width = width.max(1);
    let mut times: BTreeMap<u64, BTreeMap<Label, u64>> = BTreeMap::new();
    for episode in episodes {
        let (mut from, end) = (episode.start.saturating_sub(begin), episode.end.saturating_sub(begin));
        while from < end {
            let interval = from / width;
            let to = end.min((interval + 1).saturating_mul(width));
            *times.entry(interval).or_default().entry(episode.label).or_default() += to - from;
            from = to;
        }
    }
    let mut shown: Vec<(u64, u64, Label)> = Vec::new();
    for (interval, labels) in times {
        let Some((&label, _)) = labels.iter().max_by_key(|(_, time)| **time) else { continue };
        let (start, end) = (begin + interval * width, begin + (interval + 1) * width);
        match shown.last_mut() {
            Some(last) if last.2 == label && last.1 == start => last.1 = end,
            _ => shown.push((start, end, label)),
        }
    }
    shown
}

/// The moods the player held.
fn mood_bars(timeline: &Timeline) -> Vec<Bar> {
    let [begin, end] = timeline.span();
    let bar = |(start, end, mood): (u64, u64, Mood)| Bar {
        start: seconds_since(begin, start),
        end: seconds_since(begin, end),
        text: mood.as_str().into(),
        color: mood_color(mood),
    };
    export::mood_intervals(timeline, begin, end).map(bar).collect()
}

/// The tracks; where two overlap in a crossfade, the later one is shown.
fn music_bars(timeline: &Timeline, summary: &Summary) -> Vec<Bar> {
    let [begin, _] = timeline.span();
    let next = summary.tracks.iter().skip(1).map(|play| play.start).chain([u64::MAX]);
    let bar = |(play, next): (&crate::TrackPlay, u64)| Bar {
        start: seconds_since(begin, play.start),
        end: seconds_since(begin, play.end.min(next)),
        text: play.title.clone(),
        color: mood_color(play.mood.unwrap_or(Mood::Uncertain)),
    };
    summary.tracks.iter().zip(next).map(bar).collect()
}

/// Draws a row of labelled bars, or the text "none" without bars.
fn draw_lane(area: &Area, name: &str, bars: &[Bar], seconds: f64) -> Result<(), DrawError> {
    let plot_width = f64::from(SIZE.0 - LEFT - RIGHT);
    let x = |time: f64| LEFT as i32 + (time.clamp(0.0, seconds) / seconds * plot_width).round() as i32;
    let label = text_style(15).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(name.to_owned(), (LEFT as i32 - 8, 22), label))?;
    if bars.is_empty() {
        let none = text_style(15).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new("none".to_owned(), (LEFT as i32 + 4, 22), none))?;
    }
    for bar in bars {
        let (left, right) = (x(bar.start), x(bar.end));
        if right <= left {
            continue;
        }
        area.draw(&Rectangle::new([(left, 6), (right, 38)], bar.color.filled()))?;
        area.draw(&Rectangle::new([(left, 6), (left + 1, 38)], WHITE.filled()))?;
        let text = truncate_to_width(&bar.text, right - left);
        if !text.is_empty() {
            let RGBColor(r, g, b) = bar.color;
            let is_bright = 0.3 * f64::from(r) + 0.59 * f64::from(g) + 0.11 * f64::from(b) > 120.0;
            let style = text_style(15).color(if is_bright { &BLACK } else { &WHITE });
            area.draw(&Text::new(text, (left + 6, 22), style.pos(Pos::new(HPos::Left, VPos::Center))))?;
        }
    }
    Ok(())
}

/// Draws the lane of the markers: a line at each, and beside it as much of its text as there is room for.
fn draw_markers(area: &Area, summary: &Summary, seconds: f64) -> Result<(), DrawError> {
    let plot_width = f64::from(SIZE.0 - LEFT - RIGHT);
    let x = |pts: u64| {
        let time = seconds_since(summary.begin, pts).clamp(0.0, seconds);
        LEFT as i32 + (time / seconds * plot_width).round() as i32
    };
    let label = text_style(15).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new("marked".to_owned(), (LEFT as i32 - 8, 22), label))?;
    let next = summary.markers.iter().skip(1).map(|marker| x(marker.pts)).chain([(SIZE.0 - RIGHT) as i32]);
    for (marker, next) in summary.markers.iter().zip(next) {
        let left = x(marker.pts);
        area.draw(&PathElement::new([(left, 6), (left, 38)], INK.stroke_width(2)))?;
        let text = truncate_to_width(&marker.text, next - left);
        if !text.is_empty() {
            let style = text_style(15).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(text, (left + 6, 22), style))?;
        }
    }
    Ok(())
}

/// Shortens a text with an ellipsis to `width` px; empty where fewer than three letters would remain.
fn truncate_to_width(text: &str, width: i32) -> String {
    /// Width of a letter at the lanes' font size, px; on the wide side.
    const LETTER_WIDTH: i32 = 9;
    let max_letters = ((width - 10) / LETTER_WIDTH).max(0) as usize;
    if text.chars().count() <= max_letters {
        text.to_owned()
    } else if max_letters >= 4 {
        text.chars().take(max_letters - 1).chain(['…']).collect()
    } else {
        String::new()
    }
}

/// Draws the time axis with at most 13 ticks at round times.
fn draw_time_axis(area: &Area, seconds: f64) -> Result<(), DrawError> {
    const STEPS: [f64; 13] =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    let step = STEPS.into_iter().find(|step| seconds / step <= 12.0).unwrap_or((seconds / 12.0).ceil());
    let plot_width = f64::from(SIZE.0 - LEFT - RIGHT);
    let style = text_style(15).pos(Pos::new(HPos::Center, VPos::Top));
    let right = (SIZE.0 - RIGHT) as i32;
    area.draw(&PathElement::new([(LEFT as i32, 2), (right, 2)], INK))?;
    let mut time = 0.0;
    while time <= seconds {
        let x = LEFT as i32 + (time / seconds * plot_width).round() as i32;
        area.draw(&PathElement::new([(x, 2), (x, 7)], INK))?;
        // A label at the right end would extend beyond the chart.
        if x <= right - LEFT as i32 / 3 || time == 0.0 {
            area.draw(&Text::new(format_timestamp((time * 1e9) as u64), (x, 11), style.clone()))?;
        }
        time += step;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majority_labels_shows_the_longest_label_of_each_interval() {
        let episode = |start, end, emotion: Emotion| Episode {
            label: emotion.into(),
            start,
            end,
            peak: start,
            probability: 1.0,
        };
        let (sad, happy) = (Label::Known(Emotion::Sad), Label::Known(Emotion::Happy));
        let episodes = [
            episode(100, 106, Emotion::Sad),
            episode(106, 110, Emotion::Happy),
            episode(110, 117, Emotion::Sad),
            episode(117, 120, Emotion::Happy),
            episode(135, 152, Emotion::Happy),
        ];
        let shown = majority_labels(&episodes, 100, 10);
        assert_eq!(shown, [(100, 120, sad), (130, 160, happy)]);
        assert_eq!(majority_labels(&[], 0, 0), []);
    }
}
