//! Where boxes, labels, bars and the music's line go. Pure arithmetic: what a text measures comes from outside.

use mood_schema::{Classification, Emotion, Face, Label};

use super::area::Area;

/// How large a text is.
pub(super) trait Measure {
    /// Width and height in pixels of one line of `text` set in `font` pixels.
    fn size(&self, text: &str, font: f64) -> (i32, i32);
}

/// What to draw of a face.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub distribution: bool,
    pub id: bool,
    pub font_scale: f64,
}

/// The music that plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NowPlaying {
    pub title: String,
    /// The mood it plays for, where known.
    pub mood: Option<mood_schema::Mood>,
}

/// Everything to draw on a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Later ones are drawn over earlier ones.
    pub faces: Vec<FacePlan>,
    pub music: Option<MusicPlan>,
}

/// One face.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FacePlan {
    pub area: Area,
    pub label: Option<Label>,
    /// Width of the box's line.
    pub line: i32,
    pub tag: Option<TagPlan>,
    pub bars: Option<BarsPlan>,
}

/// The line of words at a face's box.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TagPlan {
    pub area: Area,
    pub text: String,
    pub font: f64,
    /// Between the area's left and right edges and the words.
    pub pad: i32,
}

/// The distribution: seven rows of name and bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BarsPlan {
    pub area: Area,
    pub font: f64,
    /// Around the rows.
    pub pad: i32,
    /// Height of a row.
    pub row: i32,
    /// Width of the longest name; bars begin a `pad` after it.
    pub names: i32,
    /// In [`Emotion`]'s order, each 0-1.
    pub shares: [f64; 7],
    /// The one to stress.
    pub top: Option<Emotion>,
}

/// The music's line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MusicPlan {
    pub area: Area,
    pub font: f64,
    pub pad: i32,
    /// Width of the note before the words.
    pub note: i32,
    /// Room for the title; a longer one is cut with an ellipsis.
    pub title_width: i32,
    pub playing: NowPlaying,
}

/// Sizes that follow from the frame's.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Of a label at a face large enough for it, pixels.
    font: f64,
    /// No label is set smaller, pixels.
    smallest: f64,
    line: i32,
}

impl Style {
    fn of(frame: Area, font_scale: f64) -> Self {
        let side = f64::from(frame.w.min(frame.h));
        // A constant part, as eyes do not shrink with the picture: 11 px at 240 lines, 27 at 1080, 47 at 2160.
        let font = (6.0 + 0.019 * side) * font_scale;
        // Even, so that 4:2:0 video keeps the line's colour.
        let line = (2 * (side * 0.0016 * font_scale).round() as i32).max(2);
        Self { font, smallest: (font * 0.65).max(9.0).min(font), line }
    }

    /// Smaller faces get smaller words.
    fn font_for(&self, face: &Area) -> f64 {
        (f64::from(face.w) / 7.0).clamp(self.smallest, self.font)
    }
}

/// Below this nobody can read: words are left out.
const UNREADABLE: f64 = 4.0;
/// Bars are set no smaller than this where the frame has room for it, pixels.
const SMALL_BARS: f64 = 8.0;

/// Where everything goes. Nothing planned lies outside `frame`; labels and bars keep clear of other faces and of each
/// other where there is room. Bars that could only cover another face are left out, labels never are unless the frame
/// itself is too small for them.
pub(super) fn plan(
    frame: Area,
    faces: &[Face],
    music: Option<&NowPlaying>,
    options: Options,
    measure: &impl Measure,
) -> Plan {
    let style = Style::of(frame, options.font_scale);
    let music = music.and_then(|playing| place_music(frame, playing, style.font * 0.9, measure));
    let seen: Vec<(Area, &Face)> =
        faces.iter().filter_map(|face| Some((Area::of_shares(&face.bbox, frame)?, face))).collect();
    let mut room = Room {
        frame,
        taken: music.iter().map(|music| music.area).collect(),
        faces: seen.iter().map(|seen| seen.0).collect(),
    };

    let mut planned: Vec<FacePlan> = Vec::with_capacity(seen.len());
    for (index, (area, face)) in seen.iter().enumerate() {
        let tag = place_tag(
            &mut room,
            index,
            &tag_text(face, options.id),
            style.font_for(area),
            style.line,
            measure,
        );
        let label = face.classification.as_ref().map(|result| result.label);
        planned.push(FacePlan { area: *area, label, line: style.line, tag, bars: None });
    }
    // After all labels: a label matters more than bars.
    if options.distribution {
        for (index, ((area, face), plan)) in seen.iter().zip(&mut planned).enumerate() {
            plan.bars = face.classification.as_ref().and_then(|result| {
                place_bars(&mut room, index, result, style.font_for(area) * 0.85, style.line, measure)
            });
        }
    }
    Plan { faces: planned, music }
}

/// What is taken already.
struct Room {
    frame: Area,
    /// Labels, bars and the music's line.
    taken: Vec<Area>,
    faces: Vec<Area>,
}

impl Room {
    /// Whether nothing stands there but, perhaps, face `own`.
    fn free(&self, area: &Area, own: usize) -> bool {
        self.frame.contains(area)
            && !self.taken.iter().any(|taken| taken.overlaps(area))
            && !self.faces.iter().enumerate().any(|(index, face)| index != own && face.overlaps(area))
    }
}

fn tag_text(face: &Face, show_id: bool) -> String {
    let id = show_id.then(|| format!("#{}", face.id));
    let label = face.classification.as_ref().map(|result| match result.label {
        Label::Known(emotion) if result.confidence.is_finite() => {
            format!("{emotion} {:.0} %", result.confidence.clamp(0.0, 1.0) * 100.0)
        }
        // The confidence is the likeliest emotion's: beside this word it would mislead.
        label => label.to_string(),
    });
    id.into_iter().chain(label).collect::<Vec<_>>().join(" ")
}

/// The size of `text` in `font`, or in as much less as makes it fit into the frame; `None` where nobody could read it.
fn fitted(
    text: &str,
    font: f64,
    pads: f64,
    frame: Area,
    measure: &impl Measure,
) -> Option<(f64, (i32, i32))> {
    let (w, h) = measure.size(text, font);
    let (w, h) = (f64::from(w) + pads * font, f64::from(h));
    let shrink = (f64::from(frame.w) / w).min(f64::from(frame.h) / h).min(1.0);
    // Letters do not shrink quite evenly.
    let font = if shrink < 1.0 { font * shrink * 0.95 } else { font };
    (font.is_finite() && font >= UNREADABLE).then(|| (font, measure.size(text, font)))
}

fn place_tag(
    room: &mut Room,
    own: usize,
    text: &str,
    font: f64,
    line: i32,
    measure: &impl Measure,
) -> Option<TagPlan> {
    if text.is_empty() {
        return None;
    }
    let (font, (w, h)) = fitted(text, font, 1.0, room.frame, measure)?;
    let pad = (font * 0.4).round() as i32;
    let (w, h) = (w + 2 * pad, h);
    let face = room.faces.get(own).copied()?;
    let edge = face.grown(line / 2);
    let at = |x, y| Area { x, y, w, h }.moved_into(&room.frame);
    let (left, right) = (edge.x, edge.right() - w);
    let (above, below, inside) = (edge.y - h, edge.bottom(), face.y);
    let places = [(left, above), (left, below), (right, above), (right, below), (left, inside)];
    // One that had to move up or down would lie across the box's own line.
    let beside = places.iter().filter_map(|(x, y)| at(*x, *y).filter(|area| area.y == *y));
    let area = beside.clone().find(|area| room.free(area, own));
    let area =
        area.or_else(|| beside.clone().find(|area| !room.taken.iter().any(|taken| taken.overlaps(area))));
    let area = area.or_else(|| beside.clone().next()).or_else(|| at(left, inside))?;
    room.taken.push(area);
    Some(TagPlan { area, text: text.into(), font, pad })
}

fn place_bars(
    room: &mut Room,
    own: usize,
    result: &Classification,
    font: f64,
    line: i32,
    measure: &impl Measure,
) -> Option<BarsPlan> {
    let face = room.faces.get(own).copied()?;
    let font = font.max(SMALL_BARS);
    let full = fitted_bars(result, font, room.frame, measure)?;
    // Rather small bars beside the face than large ones over it.
    let small =
        (font * 0.8 >= SMALL_BARS).then(|| fitted_bars(result, font * 0.8, room.frame, measure)).flatten();
    let gap = 2 * line;
    let beside = [Some(&full), small.as_ref()].into_iter().flatten().find_map(|bars| {
        let area = places_beside(&face, gap, bars.area).into_iter().find_map(|place| {
            // Along the box it may slide into the frame, but not onto the face.
            let area = place.moved_into(&room.frame)?;
            (!area.overlaps(&face) && area.overlaps(&face.grown(3 * gap + bars.row)) && room.free(&area, own))
                .then_some(area)
        })?;
        Some((bars, area))
    });
    let (bars, area) = beside.or_else(|| {
        let area = places_over(&face, line, full.area, room.frame).into_iter().find_map(|place| {
            let area = place.moved_into(&room.frame)?;
            let hidden = area.intersection(&face).map_or(0, |part| part.size());
            (hidden > 0 && 2 * hidden <= face.size() && room.free(&area, own)).then_some(area)
        })?;
        Some((&full, area))
    })?;
    room.taken.push(area);
    Some(BarsPlan { area, ..bars.clone() })
}

/// To the sides, below and above, best first; above and below also behind a label of about a row's height.
fn places_beside(face: &Area, gap: i32, bars: Area) -> [Area; 8] {
    let edge = face.grown(gap);
    let label = bars.h / 5;
    [
        (edge.right(), face.y),
        (edge.right(), face.bottom() - bars.h),
        (edge.x - bars.w, face.y),
        (edge.x - bars.w, face.bottom() - bars.h),
        (face.x, edge.bottom()),
        (face.x, edge.bottom() + label),
        (face.x, edge.y - bars.h),
        (face.x, edge.y - bars.h - label),
    ]
    .map(|(x, y)| Area { x, y, ..bars })
}

/// For a face that leaves no room around it: the frame's edge on the roomier side, then the box's corners.
fn places_over(face: &Area, line: i32, bars: Area, frame: Area) -> [Area; 6] {
    let inside = face.grown(-line);
    let edge = if frame.right() - face.right() >= face.x { frame.right() - bars.w } else { frame.x };
    [
        (edge, inside.y),
        (edge, inside.bottom() - bars.h),
        (inside.right() - bars.w, inside.y),
        (inside.x, inside.bottom() - bars.h),
        (inside.right() - bars.w, inside.bottom() - bars.h),
        (inside.x, inside.y),
    ]
    .map(|(x, y)| Area { x, y, ..bars })
}

/// The bars in `font`, or smaller where the frame is too small for that.
fn fitted_bars(result: &Classification, font: f64, frame: Area, measure: &impl Measure) -> Option<BarsPlan> {
    let bars = measure_bars(result, font, measure);
    let fits = |of: i32, into: i32| f64::from(into) / f64::from(of.max(1));
    let shrink = fits(bars.area.w, frame.w).min(fits(bars.area.h, frame.h));
    let bars = if shrink < 1.0 { measure_bars(result, font * shrink * 0.95, measure) } else { bars };
    (bars.font >= UNREADABLE).then_some(bars)
}

fn measure_bars(result: &Classification, font: f64, measure: &impl Measure) -> BarsPlan {
    let sizes = Emotion::ALL.map(|emotion| measure.size(emotion.as_str(), font));
    let names = sizes.iter().map(|size| size.0).max().unwrap_or(0);
    let row = sizes.iter().map(|size| size.1).max().unwrap_or(0).max(1);
    let pad = (font * 0.45).round() as i32;
    let bar = (font * 4.5).round() as i32;
    let area = Area { x: 0, y: 0, w: names + bar + 3 * pad, h: 7 * row + 2 * pad };
    let shares = result.probabilities.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 });
    let top = match result.label {
        Label::Known(emotion) => Some(emotion),
        Label::Uncertain => None,
    };
    BarsPlan { area, font, pad, row, names, shares, top }
}

fn place_music(frame: Area, playing: &NowPlaying, font: f64, measure: &impl Measure) -> Option<MusicPlan> {
    let mood = playing.mood.map(|mood| mood.as_str()).unwrap_or_default();
    // Four letters of the title at least.
    let (font, (_, h)) = fitted(&format!("oooo {mood}"), font, 4.0, frame, measure)?;
    let (title, mood) = (measure.size(&playing.title, font).0, measure.size(mood, font).0);
    let pad = (font * 0.5).round() as i32;
    let note = font.round() as i32;
    let gaps = if playing.mood.is_some() { 4 } else { 3 };
    let fixed = note + mood + gaps * pad;
    // Small: not the whole lower edge, where there may be captions.
    let room = (f64::from(frame.w) * 0.55) as i32;
    let title_width = title.min((room - fixed).max(4 * note)).min(frame.w - fixed).max(0);
    let margin = pad.min((frame.w - fixed - title_width) / 2).max(0);
    let area = Area { x: margin, y: frame.h - margin - h, w: fixed + title_width, h };
    let area = area.moved_into(&frame)?;
    Some(MusicPlan { area, font, pad, note, title_width, playing: playing.clone() })
}
