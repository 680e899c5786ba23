//! The picture of a session: expressions, valence and arousal, mood and music over one time axis, as SVG.

use std::collections::BTreeMap;
use std::ops::Range;

use mood_schema::{Affect, Emotion, Label, Mood};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::clock::stamp;
use crate::{Episode, Summary, Timeline, export};

/// Pixels of the drawing; the page scales it.
const SIZE: (u32, u32) = (1000, 564);
const LEFT: u32 = 74;
const RIGHT: u32 = 12;
/// Columns the time is cut into, however long the session: what keeps the page small.
const COLUMNS: usize = 500;

/// Where time begins and ends in the drawing, and how far down it reaches: what a cursor needs.
pub(crate) const PLOT: [u32; 3] = [LEFT, SIZE.0 - RIGHT, SIZE.1 - 36];

/// Axes and text: the page recolours it to fit light and dark.
pub(crate) const INK: RGBColor = RGBColor(0x44, 0x44, 0x44);
pub(crate) const VALENCE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(crate) const AROUSAL: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// A mood's colour as plotters takes it.
pub(crate) fn color(mood: Mood) -> RGBColor {
    let [red, green, blue] = mood.colour();
    RGBColor(red, green, blue)
}

/// From the bottom of the stack to its top.
const STACK: [Emotion; 7] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Fear,
    Emotion::Angry,
    Emotion::Disgust,
];

/// What the main subject showed in a column of time, averaged.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    /// Middle, seconds from the begin.
    at: f64,
    pub(crate) probabilities: [f64; 7],
    pub(crate) affect: Affect,
}

/// The columns of the person the report is about, over the whole time.
pub(crate) fn subject_columns(timeline: &Timeline, summary: &Summary) -> Vec<Option<Column>> {
    summary.main_subject().map(|subject| columns(timeline, subject.id)).unwrap_or_default()
}

/// Columns without a classified face are `None`.
fn columns(timeline: &Timeline, subject: u32) -> Vec<Option<Column>> {
    let [begin, end] = timeline.span();
    let count = COLUMNS.min(timeline.frames.len()).max(1);
    let width = ((end - begin) as f64 / count as f64).max(1.0);
    let mut sums = vec![([0.0f64; 7], Affect::default(), 0.0f64); count];
    for (frame, length) in timeline.frames_with_length() {
        let Some(classification) =
            Timeline::face(frame, subject).and_then(|face| face.classification.as_ref())
        else {
            continue;
        };
        let middle = frame.pts.saturating_sub(begin) as f64 + length as f64 / 2.0;
        let Some((probabilities, affect, time)) = sums.get_mut((middle / width) as usize) else { continue };
        let length = length.max(1) as f64;
        for (sum, probability) in probabilities.iter_mut().zip(classification.probabilities) {
            *sum += probability * length;
        }
        affect.valence += classification.affect.valence * length;
        affect.arousal += classification.affect.arousal * length;
        *time += length;
    }
    let column = |(index, (probabilities, affect, time)): (usize, ([f64; 7], Affect, f64))| {
        (time > 0.0).then(|| Column {
            at: (index as f64 + 0.5) * width / 1e9,
            probabilities: probabilities.map(|sum| sum / time),
            affect: Affect { valence: affect.valence / time, arousal: affect.arousal / time },
        })
    };
    sums.into_iter().enumerate().map(column).collect()
}

/// Stretches without a gap. A lone column is too narrow to draw.
fn runs(columns: &[Option<Column>]) -> impl Iterator<Item = Vec<Column>> {
    columns
        .split(Option::is_none)
        .map(|run| run.iter().flatten().copied().collect())
        .filter(|run: &Vec<_>| run.len() > 1)
}

type Failed = Box<dyn std::error::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Panel<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The picture, an `<svg>` element.
pub(crate) fn svg(timeline: &Timeline, summary: &Summary) -> Result<String, Failed> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let seconds = (summary.duration as f64 / 1e9).max(1e-3);
        let columns = subject_columns(timeline, summary);
        let (stack, rest) = root.split_vertically(230);
        let (affect, rest) = rest.split_vertically(160);
        let (shown, rest) = rest.split_vertically(44);
        let (mood, rest) = rest.split_vertically(44);
        let (music, axis) = rest.split_vertically(44);
        probabilities(&stack, &columns, seconds)?;
        valence_arousal(&affect, &columns, seconds)?;
        lane(&shown, "shown", &episodes_of(summary), seconds)?;
        lane(&mood, "mood", &moods(timeline), seconds)?;
        lane(&music, "music", &music_of(timeline, summary), seconds)?;
        time_axis(&axis, seconds)?;
        root.present()?;
    }
    Ok(inline(&text, SIZE))
}

/// A drawing for a page: there the namespace goes without saying, and the size is the style's.
pub(crate) fn inline(svg: &str, size: (u32, u32)) -> String {
    let size = format!(r#"width="{}" height="{}""#, size.0, size.1);
    svg.replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1).replacen(&size, "", 1)
}

pub(crate) fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// An empty panel of the time line with `y` as its height, `margins` pixels above and below, and its axis' labels.
fn panel<'a>(
    area: &Area<'a>,
    margins: [u32; 2],
    seconds: f64,
    y: Range<f64>,
    label: &dyn Fn(&f64) -> String,
) -> Result<Panel<'a>, Failed> {
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
        .y_label_style(font(15))
        .y_label_formatter(label)
        .draw()?;
    Ok(chart)
}

fn probabilities(area: &Area, columns: &[Option<Column>], seconds: f64) -> Result<(), Failed> {
    let mut chart = panel(area, [8, 0], seconds, 0.0..1.0, &|share| format!("{:.0} %", share * 100.0))?;
    for run in runs(columns) {
        let mut below = vec![0.0; run.len()];
        for emotion in STACK {
            let above: Vec<f64> = run
                .iter()
                .zip(&below)
                .map(|(column, below)| {
                    below + column.probabilities.get(emotion.index()).copied().unwrap_or_default()
                })
                .collect();
            let edge = |heights: &[f64]| -> Vec<_> {
                run.iter().zip(heights).map(|(column, &height)| (column.at, height)).collect()
            };
            let outline: Vec<_> = edge(&above).into_iter().chain(edge(&below).into_iter().rev()).collect();
            chart.draw_series([Polygon::new(outline, color(emotion.into()).filled())])?;
            below = above;
        }
    }
    Ok(())
}

fn valence_arousal(area: &Area, columns: &[Option<Column>], seconds: f64) -> Result<(), Failed> {
    let label = |value: &f64| if value.abs() < 1e-9 { "0".into() } else { format!("{value:+.1}") };
    let mut chart = panel(area, [12, 6], seconds, -1.0..1.0, &label)?;
    for run in runs(columns) {
        let valence = run.iter().map(|column| (column.at, column.affect.valence));
        chart.draw_series(LineSeries::new(valence, VALENCE.stroke_width(2)))?;
        let arousal = run.iter().map(|column| (column.at, column.affect.arousal));
        chart.draw_series(LineSeries::new(arousal, AROUSAL.stroke_width(2)))?;
    }
    Ok(())
}

/// A stretch of a lane, seconds from the begin.
struct Block {
    start: f64,
    end: f64,
    text: String,
    color: RGBColor,
}

fn seconds_from(begin: u64, pts: u64) -> f64 {
    pts.saturating_sub(begin) as f64 / 1e9
}

/// What was shown from when to when; neutral is left out: what is not, is what one looks for.
fn episodes_of(summary: &Summary) -> Vec<Block> {
    let episodes = summary.main_subject().map(|subject| subject.episodes.as_slice()).unwrap_or_default();
    // Two pixels: of what is shorter, what filled most of them stands for all.
    let visible = summary.duration / u64::from(SIZE.0) * 2;
    let exact = episodes.iter().all(|episode| episode.length() >= visible);
    let shown: Vec<(u64, u64, Label)> = if exact {
        episodes.iter().map(|episode| (episode.start, episode.end, episode.label)).collect()
    } else {
        prevailing(episodes, summary.begin, visible)
    };
    let telling = shown.into_iter().filter(|(_, _, label)| *label != Emotion::Neutral.into());
    let block = |(start, end, label): (u64, u64, Label)| Block {
        start: seconds_from(summary.begin, start),
        end: seconds_from(summary.begin, end),
        text: label.to_string(),
        color: color(label.into()),
    };
    telling.map(block).collect()
}

/// For each stretch of `width` from `begin` on the label that was shown longest in it; the same in a row are one.
fn prevailing(episodes: &[Episode], begin: u64, width: u64) -> Vec<(u64, u64, Label)> {
    let width = width.max(1);
    let mut times: BTreeMap<u64, BTreeMap<Label, u64>> = BTreeMap::new();
    for episode in episodes {
        let (mut from, end) = (episode.start.saturating_sub(begin), episode.end.saturating_sub(begin));
        while from < end {
            let stretch = from / width;
            let to = end.min((stretch + 1).saturating_mul(width));
            *times.entry(stretch).or_default().entry(episode.label).or_default() += to - from;
            from = to;
        }
    }
    let mut shown: Vec<(u64, u64, Label)> = Vec::new();
    for (stretch, labels) in times {
        let Some((&label, _)) = labels.iter().max_by_key(|(_, time)| **time) else { continue };
        let (start, end) = (begin + stretch * width, begin + (stretch + 1) * width);
        match shown.last_mut() {
            Some(last) if last.2 == label && last.1 == start => last.1 = end,
            _ => shown.push((start, end, label)),
        }
    }
    shown
}

fn moods(timeline: &Timeline) -> Vec<Block> {
    let [begin, end] = timeline.span();
    let block = |(start, end, mood): (u64, u64, Mood)| Block {
        start: seconds_from(begin, start),
        end: seconds_from(begin, end),
        text: mood.as_str().into(),
        color: color(mood),
    };
    export::moods(timeline, begin, end).map(block).collect()
}

/// Where two tracks overlap, the later one is drawn.
fn music_of(timeline: &Timeline, summary: &Summary) -> Vec<Block> {
    let [begin, _] = timeline.span();
    let next = summary.tracks.iter().skip(1).map(|play| play.start).chain([u64::MAX]);
    let block = |(play, next): (&crate::TrackPlay, u64)| Block {
        start: seconds_from(begin, play.start),
        end: seconds_from(begin, play.end.min(next)),
        text: play.title.clone(),
        color: color(play.mood.unwrap_or(Mood::Uncertain)),
    };
    summary.tracks.iter().zip(next).map(block).collect()
}

fn lane(area: &Area, name: &str, blocks: &[Block], seconds: f64) -> Result<(), Failed> {
    let plot = f64::from(SIZE.0 - LEFT - RIGHT);
    let x = |at: f64| LEFT as i32 + (at.clamp(0.0, seconds) / seconds * plot).round() as i32;
    let label = font(15).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(name.to_owned(), (LEFT as i32 - 8, 22), label))?;
    if blocks.is_empty() {
        let none = font(15).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new("none".to_owned(), (LEFT as i32 + 4, 22), none))?;
    }
    for block in blocks {
        let (left, right) = (x(block.start), x(block.end));
        if right <= left {
            continue;
        }
        area.draw(&Rectangle::new([(left, 6), (right, 38)], block.color.filled()))?;
        area.draw(&Rectangle::new([(left, 6), (left + 1, 38)], WHITE.filled()))?;
        let text = fitting(&block.text, right - left);
        if !text.is_empty() {
            let RGBColor(r, g, b) = block.color;
            let bright = 0.3 * f64::from(r) + 0.59 * f64::from(g) + 0.11 * f64::from(b) > 120.0;
            let style = font(15).color(if bright { &BLACK } else { &WHITE });
            area.draw(&Text::new(text, (left + 6, 22), style.pos(Pos::new(HPos::Left, VPos::Center))))?;
        }
    }
    Ok(())
}

/// As much of a text as a width in pixels holds, or nothing where that would be a stump.
fn fitting(text: &str, width: i32) -> String {
    const LETTER: i32 = 9;
    let room = ((width - 10) / LETTER).max(0) as usize;
    if text.chars().count() <= room {
        text.to_owned()
    } else if room >= 4 {
        text.chars().take(room - 1).chain(['…']).collect()
    } else {
        String::new()
    }
}

fn time_axis(area: &Area, seconds: f64) -> Result<(), Failed> {
    const STEPS: [f64; 13] =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    let step = STEPS.into_iter().find(|step| seconds / step <= 12.0).unwrap_or((seconds / 12.0).ceil());
    let plot = f64::from(SIZE.0 - LEFT - RIGHT);
    let style = font(15).pos(Pos::new(HPos::Center, VPos::Top));
    let right = (SIZE.0 - RIGHT) as i32;
    area.draw(&PathElement::new([(LEFT as i32, 2), (right, 2)], INK))?;
    let mut at = 0.0;
    while at <= seconds {
        let x = LEFT as i32 + (at / seconds * plot).round() as i32;
        area.draw(&PathElement::new([(x, 2), (x, 7)], INK))?;
        // A label at the very end would reach over it.
        if x <= right - LEFT as i32 / 3 || at == 0.0 {
            area.draw(&Text::new(stamp((at * 1e9) as u64), (x, 11), style.clone()))?;
        }
        at += step;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_most_of_a_stretch_stands_for_it() {
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
        let shown = prevailing(&episodes, 100, 10);
        assert_eq!(shown, [(100, 120, sad), (130, 160, happy)]);
        assert_eq!(prevailing(&[], 0, 0), []);
    }
}
