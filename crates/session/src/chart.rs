//! The chart of a session as SVG: probabilities of the emotions, valence and arousal, episodes, mood, music and
//! markers over one time axis.

use std::collections::BTreeMap;
use std::ops::Range;

use mood_schema::{Affect, Emotion, Label, Mood};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::time_format::format_time;
use crate::track_play::{Piece, join_restarts};
use crate::{Episode, Summary, Timeline, export};

/// Width, px; the page scales the chart to its own width.
const WIDTH: u32 = 1000;
/// Height of the areas of the probabilities, px.
const STACK_HEIGHT: u32 = 230;
/// Height of the lines of valence and arousal, px.
const AFFECT_HEIGHT: u32 = 160;
/// Height of the time axis, px.
const AXIS_HEIGHT: u32 = 42;
/// Left margin with the labels of the value axes, px.
const LEFT: u32 = 74;
/// Right margin, px.
const RIGHT: u32 = 12;
/// Largest number of columns into which the classifications are averaged. It limits the size of the chart of long sessions.
const MAX_COLUMNS: usize = 500;

/// Height of a lane, px.
const LANE_HEIGHT: u32 = 44;

/// Width of a bin of a lane in which not every episode can be seen, px.
const BIN_WIDTH: u32 = 6;

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
pub(crate) const STACKING_ORDER: [Emotion; 7] = [
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

/// The subject's columns over the duration of the session, at most `max_count`; `None` where the subject was not classified.
/// Empty without a subject.
pub(crate) fn subject_columns(
    timeline: &Timeline,
    summary: &Summary,
    max_count: usize,
) -> Vec<Option<Column>> {
    let subject = summary.subject();
    subject.map(|subject| average_columns(timeline, subject.id, max_count)).unwrap_or_default()
}

/// Averages a person's classifications in columns of equal duration, weighted by the duration of the frames.
fn average_columns(timeline: &Timeline, person_id: u32, max_count: usize) -> Vec<Option<Column>> {
    let [begin, end] = timeline.span();
    let count = max_count.min(timeline.frames.len()).max(1);
    let width = ((end - begin) as f64 / count as f64).max(1.0);
    let mut sums = vec![([0.0f64; 7], Affect::default(), 0.0f64); count];
    for (frame, duration) in timeline.frames_with_duration() {
        let Some(classification) =
            Timeline::find_face(frame, person_id).and_then(|face| face.classification.as_ref())
        else {
            continue;
        };
        // A frame counts in every column that it covers, so that a slow recording has no gaps.
        let start = frame.pts.saturating_sub(begin) as f64;
        let end = start + duration.max(1) as f64;
        let [first, last] = [start, end].map(|time| ((time / width) as usize).min(count - 1));
        for (index, (probabilities, affect, time)) in sums.iter_mut().enumerate().take(last + 1).skip(first) {
            let column_start = index as f64 * width;
            let share = end.min(column_start + width) - start.max(column_start);
            if share <= 0.0 {
                continue;
            }
            for (sum, probability) in probabilities.iter_mut().zip(classification.probabilities) {
                *sum += probability * share;
            }
            affect.valence += classification.affect.valence * share;
            affect.arousal += classification.affect.arousal * share;
            *time += share;
        }
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

/// What a lane of the chart shows.
enum Lane {
    /// Labelled bars.
    Bars(Vec<Bar>),
    /// Lines at moments, with texts.
    Marks(Vec<(f64, String)>),
}

/// The lanes that have something to show, with their names.
fn lanes(timeline: &Timeline, summary: &Summary) -> Vec<(&'static str, Lane)> {
    let marks = summary.markers.iter();
    let marks = marks.map(|marker| (seconds_since(summary.begin, marker.pts), marker.text.clone()));
    let lanes = [
        ("shown", Lane::Bars(episode_bars(summary))),
        ("mood", Lane::Bars(mood_bars(timeline))),
        ("music", Lane::Bars(music_bars(timeline, summary))),
        ("marked", Lane::Marks(marks.collect())),
    ];
    let is_shown = |lane: &Lane| match lane {
        Lane::Bars(bars) => !bars.is_empty(),
        Lane::Marks(marks) => !marks.is_empty(),
    };
    lanes.into_iter().filter(|(_, lane)| is_shown(lane)).collect()
}

/// Draws the chart as an `<svg>` element; `None` where there is nothing to draw.
///
/// # Errors
/// The error of plotters where it cannot draw.
pub(crate) fn draw_session(timeline: &Timeline, summary: &Summary) -> Result<Option<String>, DrawError> {
    let mut text = String::new();
    let seconds = (summary.duration as f64 / 1e9).max(1e-3);
    let columns = subject_columns(timeline, summary, MAX_COLUMNS);
    let lanes = lanes(timeline, summary);
    if columns.is_empty() && lanes.is_empty() {
        return Ok(None);
    }
    let curves = if columns.is_empty() { 0 } else { STACK_HEIGHT + AFFECT_HEIGHT };
    let size = (WIDTH, curves + lanes.len() as u32 * LANE_HEIGHT + AXIS_HEIGHT);
    {
        let mut rest = SVGBackend::with_string(&mut text, size).into_drawing_area();
        if !columns.is_empty() {
            let (stack, below) = rest.split_vertically(STACK_HEIGHT);
            let (affect, below) = below.split_vertically(AFFECT_HEIGHT);
            draw_probabilities(&stack, &columns, seconds)?;
            draw_affect(&affect, &columns, seconds)?;
            rest = below;
        }
        for (name, lane) in &lanes {
            let (area, below) = rest.split_vertically(LANE_HEIGHT);
            match lane {
                Lane::Bars(bars) => draw_bars(&area, name, bars, seconds)?,
                Lane::Marks(marks) => draw_marks(&area, name, marks, seconds)?,
            }
            rest = below;
        }
        draw_time_axis(&rest, seconds)?;
        rest.present()?;
    }
    Ok(Some(strip_for_inlining(&text, size)))
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
    /// Height as a share of the lane's.
    height: f64,
    text: String,
    color: RGBColor,
    /// Whether the colour is that of a mood that is none, which a dark page replaces.
    is_pale: bool,
}

impl Bar {
    /// A bar of a mood from `start` to `end`, ns of stream time, in a session that begins at `begin`.
    fn new(begin: u64, [start, end]: [u64; 2], mood: Mood, text: String) -> Self {
        Self {
            start: seconds_since(begin, start),
            end: seconds_since(begin, end),
            height: 1.0,
            text,
            color: mood_color(mood),
            is_pale: matches!(mood, Mood::Uncertain | Mood::Absent),
        }
    }
}

/// Seconds from `begin` to `pts` (both ns).
fn seconds_since(begin: u64, pts: u64) -> f64 {
    pts.saturating_sub(begin) as f64 / 1e9
}

/// One in so many episodes may be too short to be seen before a lane shows bins.
const MAX_HIDDEN: usize = 5;

/// The subject's episodes other than neutral. Where more than a fifth are too short to be seen, the session is divided into bins, and each
/// shows the one label other than neutral that was shown longest in it, as high as its share of the bin.
fn episode_bars(summary: &Summary) -> Vec<Bar> {
    let episodes = summary.subject().map(|subject| subject.episodes.as_slice()).unwrap_or_default();
    let bin = summary.duration / u64::from((WIDTH - LEFT - RIGHT) / BIN_WIDTH);
    let hidden = episodes.iter().filter(|episode| episode.duration() < bin / 2).count();
    if hidden <= episodes.len() / MAX_HIDDEN {
        let expressive = episodes.iter().filter(|episode| episode.label != Emotion::Neutral.into());
        let bar = |episode: &Episode| {
            let span = [episode.start, episode.end];
            Bar::new(summary.begin, span, episode.label.into(), episode.label.to_string())
        };
        return expressive.map(bar).collect();
    }
    let bar = |(start, label, share): (u64, Label, f64)| Bar {
        height: share,
        ..Bar::new(summary.begin, [start, start.saturating_add(bin)], label.into(), String::new())
    };
    dominant_labels(episodes, summary.begin, bin).into_iter().map(bar).collect()
}

/// The label other than neutral that was shown longest in each bin of `width` ns from `begin` on, with its share of the bin, as
/// (start, label, share), by time; bins with no such label are left out.
fn dominant_labels(episodes: &[Episode], begin: u64, width: u64) -> Vec<(u64, Label, f64)> {
    let width = width.max(1);
    let mut times: BTreeMap<u64, BTreeMap<Label, u64>> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.label != Emotion::Neutral.into()) {
        let (mut from, end) = (episode.start.saturating_sub(begin), episode.end.saturating_sub(begin));
        while from < end {
            let bin = from / width;
            let to = end.min((bin + 1).saturating_mul(width));
            *times.entry(bin).or_default().entry(episode.label).or_default() += to - from;
            from = to;
        }
    }
    let dominant = |(bin, labels): (u64, BTreeMap<Label, u64>)| {
        let (label, time) = labels.into_iter().max_by_key(|(_, time)| *time)?;
        Some((begin + bin * width, label, time as f64 / width as f64))
    };
    times.into_iter().filter_map(dominant).collect()
}

/// The moods the player held.
fn mood_bars(timeline: &Timeline) -> Vec<Bar> {
    let [begin, end] = timeline.span();
    export::mood_intervals(timeline, begin, end)
        .map(|(start, end, mood)| Bar::new(begin, [start, end], mood, mood.to_string()))
        .collect()
}

/// The tracks; where two overlap in a crossfade, the later one is shown.
fn music_bars(timeline: &Timeline, summary: &Summary) -> Vec<Bar> {
    let [begin, _] = timeline.span();
    let pieces = join_restarts(&summary.tracks);
    let next = pieces.iter().skip(1).map(|piece| piece.play.start).chain([u64::MAX]);
    let bar = |(Piece { play, .. }, next): (&Piece, u64)| {
        let span = [play.start, play.end.min(next)];
        Bar::new(begin, span, play.mood.unwrap_or(Mood::Uncertain), play.title.clone())
    };
    pieces.iter().zip(next).map(bar).collect()
}

/// The horizontal position of a time in a lane, px.
fn lane_x(time: f64, seconds: f64) -> i32 {
    let plot_width = f64::from(WIDTH - LEFT - RIGHT);
    LEFT as i32 + (time.clamp(0.0, seconds) / seconds * plot_width).round() as i32
}

fn draw_lane_name(area: &Area, name: &str) -> Result<(), DrawError> {
    let label = text_style(15).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(name.to_owned(), (LEFT as i32 - 8, 22), label))?;
    Ok(())
}

/// Draws a row of labelled bars.
fn draw_bars(area: &Area, name: &str, bars: &[Bar], seconds: f64) -> Result<(), DrawError> {
    draw_lane_name(area, name)?;
    for bar in bars {
        let (left, right) = (lane_x(bar.start, seconds), lane_x(bar.end, seconds));
        if right <= left {
            continue;
        }
        let top = 38 - (bar.height.clamp(0.0, 1.0) * 32.0).round().max(2.0) as i32;
        area.draw(&Rectangle::new([(left, top), (right, 38)], bar.color.filled()))?;
        if bar.height >= 1.0 {
            area.draw(&Rectangle::new([(left, 6), (left + 1, 38)], WHITE.filled()))?;
        }
        let text = truncate_to_width(&bar.text, right - left);
        if !text.is_empty() {
            let RGBColor(r, g, b) = bar.color;
            let is_bright = 0.3 * f64::from(r) + 0.59 * f64::from(g) + 0.11 * f64::from(b) > 120.0;
            let color = match (bar.is_pale, is_bright) {
                (true, _) => &INK,
                (false, true) => &BLACK,
                (false, false) => &WHITE,
            };
            let style = text_style(15).color(color).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(text, (left + 6, 22), style))?;
        }
    }
    Ok(())
}

/// Draws a line at each moment, and beside it as much of its text as there is room for.
fn draw_marks(area: &Area, name: &str, marks: &[(f64, String)], seconds: f64) -> Result<(), DrawError> {
    draw_lane_name(area, name)?;
    let x = |mark: &(f64, String)| lane_x(mark.0, seconds);
    let next = marks.iter().skip(1).map(x).chain([(WIDTH - RIGHT) as i32]);
    for (mark, next) in marks.iter().zip(next) {
        let left = x(mark);
        area.draw(&PathElement::new([(left, 6), (left, 38)], INK.stroke_width(2)))?;
        let text = truncate_to_width(&mark.1, next - left);
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
    const STEPS: [f64; 16] =
        [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    let step = STEPS.into_iter().find(|step| seconds / step <= 12.0).unwrap_or((seconds / 12.0).ceil());
    let style = text_style(15).pos(Pos::new(HPos::Center, VPos::Top));
    let right = (WIDTH - RIGHT) as i32;
    area.draw(&PathElement::new([(LEFT as i32, 2), (right, 2)], INK))?;
    // Counted, so that a long sum of tenths does not drift.
    for tick in 0..=(seconds / step) as u32 {
        let time = f64::from(tick) * step;
        let x = lane_x(time, seconds);
        area.draw(&PathElement::new([(x, 2), (x, 7)], INK))?;
        // A label at the right end would extend beyond the chart.
        if x <= right - LEFT as i32 / 3 || tick == 0 {
            let label = format_time((time * 1e9).round() as u64, step < 1.0);
            area.draw(&Text::new(label, (x, 11), style.clone()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_shows_what_was_shown_longest_beside_neutral_and_for_which_share() {
        let episode = |start, end, emotion: Emotion| Episode {
            label: emotion.into(),
            start,
            end,
            peak: start,
            probability: 1.0,
            correction: None,
        };
        let (sad, happy) = (Label::Known(Emotion::Sad), Label::Known(Emotion::Happy));
        let episodes = [
            episode(100, 106, Emotion::Neutral),
            episode(106, 110, Emotion::Happy),
            episode(110, 117, Emotion::Sad),
            episode(117, 120, Emotion::Happy),
            episode(120, 131, Emotion::Neutral),
            episode(135, 152, Emotion::Happy),
        ];
        let shown = dominant_labels(&episodes, 100, 10);
        let expected =
            [(100, happy, 0.4), (110, sad, 0.7), (130, happy, 0.5), (140, happy, 1.0), (150, happy, 0.2)];
        assert_eq!(shown, expected);
        assert_eq!(dominant_labels(&[], 0, 0), []);
    }
}
