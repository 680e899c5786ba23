//! The layout of boxes, tags, bars and the line about the music. It only calculates: a [`TextMeasure`] gives the
//! sizes of texts, and nothing is drawn here.

use std::collections::BTreeMap;

use mood_schema::{Classification, Emotion, Face, Label};

use super::geometry::{Area, visible_area};

/// Gives the sizes of texts.
pub(super) trait TextMeasure {
    /// Width and height, in pixels, of one line of `text` in a font size of `font` pixels.
    fn text_size(&self, text: &str, font: f64) -> (i32, i32);
}

/// What the layout depends on besides the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayoutOptions<'a> {
    /// Whether faces get bars for their distribution.
    pub show_distribution: bool,
    /// Whether tags begin with the face's id.
    pub show_id: bool,
    /// What stands for ids in tags.
    pub names: &'a BTreeMap<u32, String>,
    /// Factor on all font sizes and line widths.
    pub font_scale: f64,
}

/// The track that is playing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NowPlaying {
    /// One line of text.
    pub title: String,
    /// The mood for which the track was chosen, where known.
    pub mood: Option<mood_schema::Mood>,
}

/// Everything to draw on a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OverlayLayout {
    /// Later faces are drawn over earlier ones.
    pub faces: Vec<FaceLayout>,
    /// `None` where no music is playing or there is no space for it.
    pub music: Option<MusicLayout>,
}

/// Everything to draw for one face.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FaceLayout {
    /// The visible part of the face's box.
    pub area: Area,
    /// `None` for a face without classification.
    pub label: Option<Label>,
    /// Width of the box's line, pixels.
    pub line_width: i32,
    /// `None` where there is no text or no space for it.
    pub tag: Option<TagLayout>,
    /// `None` where bars are not wanted, there is no distribution or no space for them.
    pub bars: Option<BarsLayout>,
}

/// The tag at a face's box: id, label and confidence in one line of text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TagLayout {
    /// Background of the text.
    pub area: Area,
    /// The text.
    pub text: String,
    /// Font size, pixels.
    pub font: f64,
    /// Space between the text and the left and right edges of the area, pixels.
    pub padding: i32,
}

/// The bars of a distribution: seven rows with a name and a bar, in [`Emotion`]'s order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BarsLayout {
    /// Background of the rows.
    pub area: Area,
    /// Font size of the names, pixels.
    pub font: f64,
    /// Space around the rows and between names and bars, pixels.
    pub padding: i32,
    /// Height of a row, pixels.
    pub row_height: i32,
    /// Width of the longest name, pixels; 0 where there is no space for names, so that only colours distinguish the
    /// bars.
    pub name_width: i32,
    /// Lengths of the bars as shares of the longest possible, 0-1.
    pub shares: [f64; 7],
    /// The emotion to highlight: that of the label.
    pub highlighted: Option<Emotion>,
}

impl BarsLayout {
    /// Distance of the bars from the left edge of the area, pixels.
    pub fn bar_start(&self) -> i32 {
        self.padding + if self.name_width > 0 { self.name_width + self.padding } else { 0 }
    }
}

/// The line about the music: a note, the title and the mood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MusicLayout {
    /// Background of the line.
    pub area: Area,
    /// Font size, pixels.
    pub font: f64,
    /// Space between the parts and at the ends, pixels.
    pub padding: i32,
    /// Width of the note symbol, pixels.
    pub note_width: i32,
    /// Space for the title, pixels; a longer title ends with an ellipsis.
    pub title_width: i32,
    /// Title and mood.
    pub playing: NowPlaying,
}

/// Sizes that depend on the frame's size.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Largest font size of tags, pixels.
    font: f64,
    /// Smallest font size of tags, pixels.
    min_font: f64,
    /// Width of the boxes' lines, pixels.
    line_width: i32,
}

impl Style {
    fn for_frame(frame: Area, font_scale: f64) -> Self {
        let side = f64::from(frame.w.min(frame.h));
        // The constant part keeps text readable in small frames: 11 px at 240 lines, 27 at 1080, 47 at 2160.
        let font = (6.0 + 0.019 * side) * font_scale;
        // An even number of pixels, so that chroma subsampling does not dilute the line's colour.
        let line_width = (2 * (side * 0.002 * font_scale).round() as i32).max(2);
        Self { font, min_font: (font * 0.65).max(9.0).min(font), line_width }
    }

    /// The font size for a face; smaller faces get smaller text.
    fn font_for(&self, face: &Area) -> f64 {
        (f64::from(face.w) / 7.0).clamp(self.min_font, self.font)
    }
}

/// The smallest readable font size, pixels. Text that would have to be smaller is left out.
const MIN_READABLE_FONT: f64 = 4.0;
/// The smallest font size of bars where the frame has space for it, pixels.
const MIN_BARS_FONT: f64 = 8.0;

/// Computes the layout of a frame. Everything lies inside `frame`. Tags and bars overlap neither other faces nor each
/// other. What finds no free position is left out; the first face keeps its tag in any case. `faces` come in order of
/// importance.
pub(super) fn compute_layout(
    frame: Area,
    faces: &[Face],
    music: Option<&NowPlaying>,
    options: LayoutOptions,
    measure: &impl TextMeasure,
) -> OverlayLayout {
    let style = Style::for_frame(frame, options.font_scale);
    let music = music.and_then(|playing| place_music(frame, playing, style.font * 0.9, measure));
    let visible_faces: Vec<(Area, &Face)> =
        faces.iter().filter_map(|face| Some((visible_area(&face.bbox, frame)?, face))).collect();
    let mut space = Space {
        frame,
        occupied: music.iter().map(|music| music.area).collect(),
        faces: visible_faces.iter().map(|(area, _)| *area).collect(),
    };

    let mut layouts: Vec<FaceLayout> = Vec::with_capacity(visible_faces.len());
    for (index, (area, face)) in visible_faces.iter().enumerate() {
        let tag = place_tag(
            &mut space,
            index,
            &tag_text(face, &options),
            style.font_for(area),
            style.line_width,
            measure,
        );
        let label = face.classification.as_ref().map(|result| result.label);
        layouts.push(FaceLayout { area: *area, label, line_width: style.line_width, tag, bars: None });
    }
    // After all tags, because a tag is more important than bars.
    if options.show_distribution {
        for (index, ((area, face), layout)) in visible_faces.iter().zip(&mut layouts).enumerate() {
            layout.bars = face.classification.as_ref().and_then(|result| {
                let font = style.font_for(area) * 0.85;
                place_bars(&mut space, index, result, font, style.line_width, measure)
            });
        }
    }
    OverlayLayout { faces: layouts, music }
}

/// The space of a frame and what occupies it.
struct Space {
    frame: Area,
    /// Tags, bars and the line about the music.
    occupied: Vec<Area>,
    /// The visible boxes of all faces.
    faces: Vec<Area>,
}

impl Space {
    /// Whether `area` lies in the frame and overlaps nothing but, possibly, the face with index `own`.
    fn is_free(&self, area: &Area, own: usize) -> bool {
        self.frame.contains(area)
            && !self.is_occupied(area)
            && !self.faces.iter().enumerate().any(|(index, face)| index != own && face.overlaps(area))
    }

    /// Whether `area` overlaps a tag, bars or the line about the music.
    fn is_occupied(&self, area: &Area) -> bool {
        self.occupied.iter().any(|occupied| occupied.overlaps(area))
    }
}

/// The text of a tag.
struct TagText {
    full: String,
    /// For a place with little space: the name or id alone; may be empty.
    short: String,
}

/// The text of a face's tag; empty for a face without classification when the id is not wanted.
fn tag_text(face: &Face, options: &LayoutOptions) -> TagText {
    let name = || options.names.get(&face.id).cloned().unwrap_or_else(|| format!("#{}", face.id));
    let id = options.show_id.then(name);
    let short = id.clone().unwrap_or_default();
    let label = face.classification.as_ref().map(|result| match result.label {
        Label::Known(emotion) if result.confidence.is_finite() => {
            format!("{emotion} {:.0} %", result.confidence.clamp(0.0, 1.0) * 100.0)
        }
        // No percentage for `uncertain`: the confidence is that of the likeliest emotion.
        label => label.to_string(),
    });
    TagText { full: id.into_iter().chain(label).collect::<Vec<_>>().join(" "), short }
}

/// Fits `text` and `padding`, the latter in units of the font size, into the frame: returns the font size, `font` or as
/// much smaller as necessary, and the size of the text. `None` where the font would be too small to read.
fn fit_text(
    text: &str,
    font: f64,
    padding: f64,
    frame: Area,
    measure: &impl TextMeasure,
) -> Option<(f64, (i32, i32))> {
    let (w, h) = measure.text_size(text, font);
    let (w, h) = (f64::from(w) + padding * font, f64::from(h));
    let shrink = (f64::from(frame.w) / w).min(f64::from(frame.h) / h).min(1.0);
    // 5 % more, because the width of text is not quite proportional to the font size.
    let font = if shrink < 1.0 { font * shrink * 0.95 } else { font };
    (font.is_finite() && font >= MIN_READABLE_FONT).then(|| (font, measure.text_size(text, font)))
}

/// Places a tag above or below the box of face `own`: on free space, else over other faces, else shortened; `None`
/// where even that does not fit.
fn place_tag(
    space: &mut Space,
    own: usize,
    text: &TagText,
    font: f64,
    line_width: i32,
    measure: &impl TextMeasure,
) -> Option<TagLayout> {
    let face = space.faces.get(own).copied()?;
    let full = fit_tag(&text.full, font, space.frame, measure);
    let fit_short = || fit_tag(&text.short, font, space.frame, measure);
    let place = |tag: TagLayout, is_suitable: &dyn Fn(&Area) -> bool| {
        let positions = tag_positions(&face, line_width, tag.area, space.frame);
        let area = positions.into_iter().flatten().find(|area| is_suitable(area))?;
        Some(TagLayout { area, ..tag })
    };
    let is_unoccupied = |area: &Area| !space.is_occupied(area);
    let tag = full
        .clone()
        .and_then(|tag| place(tag, &|area| space.is_free(area, own)))
        .or_else(|| full.clone().and_then(|tag| place(tag, &is_unoccupied)))
        .or_else(|| fit_short().and_then(|tag| place(tag, &is_unoccupied)))
        // The first face is the most important one and keeps its tag in any case.
        .or_else(|| full.filter(|_| own == 0).and_then(|tag| place(tag, &|_| true)))?;
    space.occupied.push(tag.area);
    Some(tag)
}

/// The possible positions of a tag, best first; `None` for those that do not lie in the frame.
fn tag_positions(face: &Area, line_width: i32, tag: Area, frame: Area) -> [Option<Area>; 6] {
    let outline = face.expand(line_width / 2);
    let (left, right) = (outline.x, outline.right() - tag.w);
    let (above, below) = (outline.y - tag.h, outline.bottom());
    let at_the_box =
        [(left, above), (left, below), (right, above), (right, below), (left, face.y)].map(|(x, y)| {
            // A tag may be moved sideways into the frame; moved up or down it would cover the box's line.
            Area { x, y, ..tag }.move_into(&frame).filter(|area| area.y == y)
        });
    let [a, b, c, d, e] = at_the_box;
    [a, b, c, d, e, Area { x: left, y: face.y, ..tag }.move_into(&frame)]
}

/// Builds a tag in `font` or as much smaller as necessary to fit into the frame. `None` for an empty text and where the
/// font would be too small to read.
fn fit_tag(text: &str, font: f64, frame: Area, measure: &impl TextMeasure) -> Option<TagLayout> {
    let (font, (w, h)) = fit_text(text, font, 1.0, frame, measure)?;
    let padding = (font * 0.4).round() as i32;
    let area = Area { x: 0, y: 0, w: w + 2 * padding, h };
    (w > 0).then(|| TagLayout { area, text: text.into(), font, padding })
}

/// Places the bars of face `own` beside its box, else over at most a third of it; `None` where there is no space.
fn place_bars(
    space: &mut Space,
    own: usize,
    result: &Classification,
    font: f64,
    line_width: i32,
    measure: &impl TextMeasure,
) -> Option<BarsLayout> {
    let face = space.faces.get(own).copied()?;
    let font = font.max(MIN_BARS_FONT);
    let fit = |font: f64, with_names: bool| fit_bars(result, font, with_names, space.frame, measure);
    let gap = 2 * line_width;
    let place_beside = |bars: BarsLayout| {
        let area = bars_positions_beside(&face, gap, bars.area).into_iter().find_map(|position| {
            // Moving into the frame must neither cover the face nor lead far away from it.
            let area = position.move_into(&space.frame)?;
            let is_adjacent = !area.overlaps(&face) && area.overlaps(&face.expand(3 * gap + bars.row_height));
            (is_adjacent && space.is_free(&area, own)).then_some(area)
        })?;
        Some(BarsLayout { area, ..bars })
    };
    let place_over = |bars: BarsLayout| {
        let positions = bars_positions_over(&face, line_width, bars.area, space.frame);
        let area = positions.into_iter().find_map(|position| {
            let area = position.move_into(&space.frame)?;
            let covered = area.intersection(&face).map_or(0, |part| part.area());
            let covers_at_most_a_third = covered > 0 && 3 * covered <= face.area();
            (covers_at_most_a_third && space.is_free(&area, own)).then_some(area)
        })?;
        Some(BarsLayout { area, ..bars })
    };
    // Smaller bars beside the face are better than bars over it, and those are better than bars without names.
    let small_font = (font * 0.8).max(MIN_BARS_FONT);
    let bars = fit(font, true)
        .and_then(place_beside)
        .or_else(|| fit(small_font, true).and_then(place_beside))
        .or_else(|| fit(font, true).and_then(place_over))
        .or_else(|| fit(small_font, false).and_then(place_beside))?;
    space.occupied.push(bars.area);
    Some(bars)
}

/// Positions of bars beside a face, best first: at the sides, below and above. Above and below there is a second
/// position further away, which leaves space for a tag of about a row's height.
fn bars_positions_beside(face: &Area, gap: i32, bars: Area) -> [Area; 8] {
    let edge = face.expand(gap);
    let tag = bars.h / 5;
    [
        (edge.right(), face.y),
        (edge.right(), face.bottom() - bars.h),
        (edge.x - bars.w, face.y),
        (edge.x - bars.w, face.bottom() - bars.h),
        (face.x, edge.bottom()),
        (face.x, edge.bottom() + tag),
        (face.x, edge.y - bars.h),
        (face.x, edge.y - bars.h - tag),
    ]
    .map(|(x, y)| Area { x, y, ..bars })
}

/// Positions of bars over a face without space around it, best first: at the frame's edge on the side with more space,
/// then in the corners of the box.
fn bars_positions_over(face: &Area, line_width: i32, bars: Area, frame: Area) -> [Area; 6] {
    let inside = face.expand(-line_width);
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

/// Builds bars in `font` or as much smaller as necessary to fit into the frame. `None` where the font would be too
/// small to read.
fn fit_bars(
    result: &Classification,
    font: f64,
    with_names: bool,
    frame: Area,
    measure: &impl TextMeasure,
) -> Option<BarsLayout> {
    let bars = build_bars(result, font, with_names, measure);
    let ratio = |available: i32, needed: i32| f64::from(available) / f64::from(needed.max(1));
    let shrink = ratio(frame.w, bars.area.w).min(ratio(frame.h, bars.area.h));
    let bars =
        if shrink < 1.0 { build_bars(result, font * shrink * 0.95, with_names, measure) } else { bars };
    (bars.font >= MIN_READABLE_FONT).then_some(bars)
}

/// Builds bars in `font`, with their size but no position yet.
fn build_bars(
    result: &Classification,
    font: f64,
    with_names: bool,
    measure: &impl TextMeasure,
) -> BarsLayout {
    let name_sizes = Emotion::ALL.map(|emotion| measure.text_size(emotion.as_str(), font));
    let max_width = name_sizes.iter().map(|&(width, _)| width).max().unwrap_or(0);
    let max_height = name_sizes.iter().map(|&(_, height)| height).max().unwrap_or(0);
    let mut bars = BarsLayout {
        area: Area::default(),
        font,
        padding: (font * 0.45).round() as i32,
        row_height: max_height.max(1),
        name_width: if with_names { max_width } else { 0 },
        shares: result.probabilities.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 }),
        highlighted: match result.label {
            Label::Known(emotion) => Some(emotion),
            Label::Uncertain => None,
        },
    };
    let max_bar_length = (font * 4.5).round() as i32;
    bars.area.w = bars.bar_start() + max_bar_length + bars.padding;
    bars.area.h = 7 * bars.row_height + 2 * bars.padding;
    bars
}

/// Places the line about the music at the lower left. `None` where the frame is too small for it.
fn place_music(
    frame: Area,
    playing: &NowPlaying,
    font: f64,
    measure: &impl TextMeasure,
) -> Option<MusicLayout> {
    let mood = playing.mood.map(|mood| mood.as_str()).unwrap_or_default();
    // There must be space for at least four letters of the title.
    let (font, (_, h)) = fit_text(&format!("oooo {mood}"), font, 4.0, frame, measure)?;
    let full_title_width = measure.text_size(&playing.title, font).0;
    let mood_width = measure.text_size(mood, font).0;
    let padding = (font * 0.5).round() as i32;
    let note_width = font.round() as i32;
    let gaps = if playing.mood.is_some() { 4 } else { 3 };
    let fixed_width = note_width + mood_width + gaps * padding;
    // Not the complete width of the frame, whose lower edge may have captions.
    let max_width = (f64::from(frame.w) * 0.55) as i32;
    let title_width =
        full_title_width.min((max_width - fixed_width).max(4 * note_width)).min(frame.w - fixed_width).max(0);
    let margin = padding.min((frame.w - fixed_width - title_width) / 2).max(0);
    let area = Area { x: margin, y: frame.h - margin - h, w: fixed_width + title_width, h };
    let area = area.move_into(&frame)?;
    Some(MusicLayout { area, font, padding, note_width, title_width, playing: playing.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::geometry::frame_area;
    use super::*;
    use mood_schema::{Affect, Rect};

    /// All letters are 0.6 times the font size wide and 1.2 times the font size high.
    struct UniformFont;

    impl TextMeasure for UniformFont {
        fn text_size(&self, text: &str, font: f64) -> (i32, i32) {
            ((text.chars().count() as f64 * font * 0.6).ceil() as i32, (font * 1.2).ceil() as i32)
        }
    }

    const NO_NAMES: &BTreeMap<u32, String> = &BTreeMap::new();
    const ALL: LayoutOptions =
        LayoutOptions { show_distribution: true, show_id: true, names: NO_NAMES, font_scale: 1.0 };
    const SIZES: [(u32, u32); 9] = [
        (320, 240),
        (640, 360),
        (1920, 1080),
        (3840, 2160),
        (1080, 1920),
        (64, 48),
        (33, 200),
        (8, 8),
        (1, 1),
    ];

    fn face(id: u32, x: f64, y: f64, w: f64, h: f64) -> Face {
        let probabilities = [0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01];
        let affect = Affect::from_distribution(&probabilities);
        let result = Classification {
            label: Emotion::Happy.into(),
            confidence: 0.94,
            probabilities,
            raw: None,
            affect,
        };
        Face {
            id,
            bbox: Rect { x, y, w, h },
            classification: Some(result),
            quality: 1.0,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        }
    }

    fn layout_at(size: (u32, u32), faces: &[Face]) -> OverlayLayout {
        let music = NowPlaying { title: "A Title of Some Length".into(), mood: Some(Emotion::Sad.into()) };
        compute_layout(frame_area(size.0, size.1), faces, Some(&music), ALL, &UniformFont)
    }

    /// The areas of all tags, bars and the line about the music.
    fn part_areas(layout: &OverlayLayout) -> Vec<Area> {
        let tags = layout.faces.iter().filter_map(|face| Some(face.tag.as_ref()?.area));
        let bars = layout.faces.iter().filter_map(|face| Some(face.bars.as_ref()?.area));
        tags.chain(bars).chain(layout.music.iter().map(|music| music.area)).collect()
    }

    #[test]
    fn all_parts_are_inside_the_frame_and_do_not_overlap() {
        let crowd = (0..200)
            .map(|n| face(n, f64::from(n % 17) / 17.0 - 0.02, f64::from(n % 13) / 13.0 - 0.02, 0.05, 0.08));
        let scenes = [
            vec![face(1, 0.3, 0.3, 0.3, 0.4)],
            vec![face(1, 0.1, 0.2, 0.25, 0.4), face(2, 0.6, 0.2, 0.25, 0.4)],
            vec![
                face(1, -0.1, 0.4, 0.2, 0.3),
                face(2, 0.4, -0.1, 0.2, 0.3),
                face(3, 0.9, 0.4, 0.2, 0.3),
                face(4, 0.4, 0.9, 0.2, 0.3),
            ],
            vec![face(1, 0.0, 0.0, 1.0, 1.0)],
            crowd.collect(),
        ];
        for size in SIZES {
            for faces in &scenes {
                let layout = layout_at(size, faces);
                let frame = frame_area(size.0, size.1);
                let parts = part_areas(&layout);
                for (index, part) in parts.iter().enumerate() {
                    assert!(frame.contains(part), "{size:?}: {part:?}");
                    // In a frame with hardly enough space for one tag, that tag may cover the music.
                    let has_space = size.0 >= 320;
                    let is_clear = parts[index + 1..].iter().all(|other| !other.overlaps(part));
                    assert!(is_clear || !has_space, "{size:?}, {} faces: {part:?}", faces.len());
                }
                for (index, face) in layout.faces.iter().enumerate() {
                    let Some(bars) = &face.bars else { continue };
                    let mut other_faces =
                        layout.faces.iter().enumerate().filter(|(other, _)| *other != index);
                    assert!(other_faces.all(|(_, other)| !other.area.overlaps(&bars.area)), "{size:?}");
                }
            }
        }
    }

    #[test]
    fn tag_is_placed_above_or_below_or_inside_the_box() {
        let place_tag = |y: f64, h: f64| {
            let layout = layout_at((640, 360), &[face(1, 0.3, y, 0.3, h)]);
            let face = layout.faces.into_iter().next().unwrap();
            (face.area, face.tag.unwrap().area)
        };
        let (face, area) = place_tag(0.3, 0.4);
        assert!(area.bottom() <= face.y && face.y - area.bottom() < 3 && (area.x - face.x).abs() < 3);
        let (face, area) = place_tag(0.0, 0.4);
        assert!(area.y >= face.bottom() && area.y - face.bottom() < 3);
        let (face, area) = place_tag(0.0, 1.0);
        assert!(face.contains(&Area { x: face.x, ..area }));
    }

    #[test]
    fn bars_are_placed_on_the_side_with_space() {
        let place_bars = |x: f64, w: f64, h: f64| {
            let layout = layout_at((640, 360), &[face(1, x, 0.2, w, h)]);
            let face = layout.faces.into_iter().next().unwrap();
            (face.area, face.bars.unwrap())
        };
        let (face, right) = place_bars(0.2, 0.3, 0.5);
        assert!(right.area.x >= face.right() && right.name_width > 0);
        let (face, left) = place_bars(0.69, 0.3, 0.5);
        assert!(left.area.right() <= face.x && left.name_width > 0);
        let (face, over) = place_bars(0.01, 0.98, 0.8);
        assert!(over.area.overlaps(&face) && over.name_width > 0);
    }

    #[test]
    fn bars_between_close_faces_have_no_names() {
        let layout = layout_at((320, 240), &[face(1, 0.12, 0.25, 0.22, 0.39), face(2, 0.52, 0.3, 0.2, 0.36)]);
        let bars: Vec<_> = layout.faces.iter().map(|face| face.bars.as_ref().unwrap()).collect();
        assert!(bars[0].name_width == 0 && bars[1].name_width > 0);
        assert_eq!(bars[0].bar_start(), bars[0].padding);
    }

    #[test]
    fn sizes_depend_on_the_frame_and_the_font_scale() {
        let font_and_line = |size, font_scale| {
            let options = LayoutOptions { font_scale, ..ALL };
            let faces = [face(1, 0.3, 0.2, 0.4, 0.6)];
            let layout = compute_layout(frame_area(size, size), &faces, None, options, &UniformFont);
            (layout.faces[0].tag.as_ref().unwrap().font, layout.faces[0].line_width)
        };
        let sizes = [240, 360, 1080, 2160].map(|size| font_and_line(size, 1.0));
        assert!(sizes.iter().all(|(font, line)| *font >= 10.0 && *line >= 2 && line % 2 == 0));
        assert!(sizes.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
        let (scaled, normal) = (font_and_line(1080, 2.0), font_and_line(1080, 1.0));
        assert!(scaled.0 > normal.0 && scaled.1 > normal.1);
    }

    #[test]
    fn tag_text_has_id_label_and_confidence() {
        let text = |face: &Face, show_id| tag_text(face, &LayoutOptions { show_id, ..ALL }).full;
        let mut face = face(3, 0.0, 0.0, 1.0, 1.0);
        assert_eq!(text(&face, true), "#3 happy 94 %");
        assert_eq!(text(&face, false), "happy 94 %");
        let names = [(3, "Ada".to_owned())].into();
        assert_eq!(tag_text(&face, &LayoutOptions { names: &names, ..ALL }).full, "Ada happy 94 %");
        if let Some(result) = &mut face.classification {
            result.confidence = f64::NAN;
        }
        assert_eq!(text(&face, false), "happy");
        if let Some(result) = &mut face.classification {
            result.label = Label::Uncertain;
        }
        assert_eq!(text(&face, true), "#3 uncertain");
        face.classification = None;
        assert_eq!((text(&face, true), text(&face, false)), ("#3".into(), String::new()));
    }

    #[test]
    fn bars_of_invalid_probabilities_are_empty() {
        let mut face = face(1, 0.3, 0.3, 0.3, 0.3);
        if let Some(result) = &mut face.classification {
            result.probabilities = [f64::NAN, f64::INFINITY, -1.0, 2.0, 0.5, f64::NEG_INFINITY, 0.0];
        }
        let layout = layout_at((640, 360), &[face]);
        assert_eq!(layout.faces[0].bars.as_ref().unwrap().shares, [0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn long_title_is_shortened_and_a_short_one_is_not() {
        let width = |title: &str| {
            let music = NowPlaying { title: title.into(), mood: None };
            let layout = compute_layout(frame_area(640, 360), &[], Some(&music), ALL, &UniformFont);
            layout.music.unwrap().area.w
        };
        assert!(width("A") < width("A longer one"));
        assert!(width(&"long ".repeat(1000)) <= 352);
    }
}
