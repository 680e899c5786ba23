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
    /// Of the frame.
    pub width: i32,
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

impl FacePlan {
    /// All that is drawn of the face.
    pub fn extent(&self) -> Area {
        let parts = self.tag.iter().map(|tag| tag.area).chain(self.bars.iter().map(|bars| bars.area));
        parts.fold(self.area, |extent, part| extent.union(&part))
    }
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

/// The distribution: seven rows of name and bar, in [`Emotion`]'s order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BarsPlan {
    pub area: Area,
    pub font: f64,
    /// Around the rows, and between names and bars.
    pub pad: i32,
    /// Height of a row.
    pub row: i32,
    /// Width of the longest name; 0 where there is no room for names, and colours alone must do.
    pub names: i32,
    /// Lengths of the bars, each 0-1.
    pub shares: [f64; 7],
    /// The one to stress.
    pub top: Option<Emotion>,
}

impl BarsPlan {
    /// Where the bars begin, from the area's left edge.
    pub fn start(&self) -> i32 {
        self.pad + if self.names > 0 { self.names + self.pad } else { 0 }
    }
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
        let line = (2 * (side * 0.002 * font_scale).round() as i32).max(2);
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
/// other; what finds no place is left out, the first face's label last.
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
    Plan { width: frame.w, faces: planned, music }
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

/// A label's words, and what remains of them in a crowd.
struct TagText {
    full: String,
    short: String,
}

fn tag_text(face: &Face, show_id: bool) -> TagText {
    let id = show_id.then(|| format!("#{}", face.id));
    let short = id.clone().unwrap_or_default();
    let label = face.classification.as_ref().map(|result| match result.label {
        Label::Known(emotion) if result.confidence.is_finite() => {
            format!("{emotion} {:.0} %", result.confidence.clamp(0.0, 1.0) * 100.0)
        }
        // The confidence is the likeliest emotion's: beside this word it would mislead.
        label => label.to_string(),
    });
    TagText { full: id.into_iter().chain(label).collect::<Vec<_>>().join(" "), short }
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

/// Above or below the box, where nothing stands; in a crowd with no room for all of it only the id, or nothing.
fn place_tag(
    room: &mut Room,
    own: usize,
    text: &TagText,
    font: f64,
    line: i32,
    measure: &impl Measure,
) -> Option<TagPlan> {
    let face = room.faces.get(own).copied()?;
    let full = fitted_tag(&text.full, font, room.frame, measure);
    let short = || fitted_tag(&text.short, font, room.frame, measure);
    let places = |tag: &TagPlan| places_of_tag(&face, line, tag.area, room.frame);
    let clear = |area: &Area| !room.taken.iter().any(|taken| taken.overlaps(area));
    let find = |tag: TagPlan, fits: &dyn Fn(&Area) -> bool| {
        let area = places(&tag).into_iter().flatten().find(|area| fits(area))?;
        Some(TagPlan { area, ..tag })
    };
    let tag = full
        .clone()
        .and_then(|tag| find(tag, &|area| room.free(area, own)))
        .or_else(|| full.clone().and_then(|tag| find(tag, &clear)))
        .or_else(|| short().and_then(|tag| find(tag, &clear)))
        // The first face is the largest: it has its label in any case.
        .or_else(|| full.filter(|_| own == 0).and_then(|tag| find(tag, &|_| true)))?;
    room.taken.push(tag.area);
    Some(tag)
}

/// Best first; those outside the frame are none.
fn places_of_tag(face: &Area, line: i32, tag: Area, frame: Area) -> [Option<Area>; 6] {
    let edge = face.grown(line / 2);
    let (left, right) = (edge.x, edge.right() - tag.w);
    let (above, below) = (edge.y - tag.h, edge.bottom());
    let beside =
        [(left, above), (left, below), (right, above), (right, below), (left, face.y)].map(|(x, y)| {
            // Sideways it may slide into the frame; up or down it would lie across the box's line.
            Area { x, y, ..tag }.moved_into(&frame).filter(|area| area.y == y)
        });
    let [a, b, c, d, e] = beside;
    [a, b, c, d, e, Area { x: left, y: face.y, ..tag }.moved_into(&frame)]
}

/// A label in `font`, or in as much less as makes it fit into the frame; `None` where nobody could read it.
fn fitted_tag(text: &str, font: f64, frame: Area, measure: &impl Measure) -> Option<TagPlan> {
    let (font, (w, h)) = fitted(text, font, 1.0, frame, measure)?;
    let pad = (font * 0.4).round() as i32;
    let area = Area { x: 0, y: 0, w: w + 2 * pad, h };
    (w > 0).then(|| TagPlan { area, text: text.into(), font, pad })
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
    let bars = |font: f64, names: bool| fitted_bars(result, font, names, room.frame, measure);
    let gap = 2 * line;
    let beside = |bars: BarsPlan| {
        let area = places_beside(&face, gap, bars.area).into_iter().find_map(|place| {
            // Along the box it may slide into the frame, but neither onto the face nor far away.
            let area = place.moved_into(&room.frame)?;
            let near = !area.overlaps(&face) && area.overlaps(&face.grown(3 * gap + bars.row));
            (near && room.free(&area, own)).then_some(area)
        })?;
        Some(BarsPlan { area, ..bars })
    };
    let over = |bars: BarsPlan| {
        let area = places_over(&face, line, bars.area, room.frame).into_iter().find_map(|place| {
            let area = place.moved_into(&room.frame)?;
            let hidden = area.intersection(&face).map_or(0, |part| part.size());
            (hidden > 0 && 3 * hidden <= face.size() && room.free(&area, own)).then_some(area)
        })?;
        Some(BarsPlan { area, ..bars })
    };
    // Rather small bars beside the face than large ones over it, and those rather than bars without names.
    let small = (font * 0.8).max(SMALL_BARS);
    let bars = bars(font, true)
        .and_then(beside)
        .or_else(|| bars(small, true).and_then(beside))
        .or_else(|| bars(font, true).and_then(over))
        .or_else(|| bars(small, false).and_then(beside))?;
    room.taken.push(bars.area);
    Some(bars)
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
fn fitted_bars(
    result: &Classification,
    font: f64,
    names: bool,
    frame: Area,
    measure: &impl Measure,
) -> Option<BarsPlan> {
    let bars = measure_bars(result, font, names, measure);
    let fits = |of: i32, into: i32| f64::from(into) / f64::from(of.max(1));
    let shrink = fits(bars.area.w, frame.w).min(fits(bars.area.h, frame.h));
    let bars = if shrink < 1.0 { measure_bars(result, font * shrink * 0.95, names, measure) } else { bars };
    (bars.font >= UNREADABLE).then_some(bars)
}

fn measure_bars(result: &Classification, font: f64, names: bool, measure: &impl Measure) -> BarsPlan {
    let sizes = Emotion::ALL.map(|emotion| measure.size(emotion.as_str(), font));
    let longest = |side: fn(&(i32, i32)) -> i32| sizes.iter().map(side).max().unwrap_or(0);
    let pad = (font * 0.45).round() as i32;
    let row = longest(|size| size.1).max(1);
    let names = if names { longest(|size| size.0) } else { 0 };
    let shares = result.probabilities.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 });
    let top = match result.label {
        Label::Known(emotion) => Some(emotion),
        Label::Uncertain => None,
    };
    let mut bars = BarsPlan { area: Area::default(), font, pad, row, names, shares, top };
    bars.area =
        Area { w: bars.start() + (font * 4.5).round() as i32 + pad, h: 7 * row + 2 * pad, ..bars.area };
    bars
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

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Rect};

    /// Letters of 0.6 by 1.2 times the font.
    struct Even;

    impl Measure for Even {
        fn size(&self, text: &str, font: f64) -> (i32, i32) {
            ((text.chars().count() as f64 * font * 0.6).ceil() as i32, (font * 1.2).ceil() as i32)
        }
    }

    const ALL: Options = Options { distribution: true, id: true, font_scale: 1.0 };
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
        let result = Classification { label: Emotion::Happy.into(), confidence: 0.94, probabilities, affect };
        Face { id, bbox: Rect { x, y, w, h }, classification: Some(result), quality: 1.0, roll: 0.0 }
    }

    fn at(size: (u32, u32), faces: &[Face]) -> Plan {
        let music = NowPlaying { title: "A Title of Some Length".into(), mood: Some(Emotion::Sad.into()) };
        plan(Area::frame(size.0, size.1), faces, Some(&music), ALL, &Even)
    }

    fn parts(plan: &Plan) -> Vec<Area> {
        let tags = plan.faces.iter().filter_map(|face| Some(face.tag.as_ref()?.area));
        let bars = plan.faces.iter().filter_map(|face| Some(face.bars.as_ref()?.area));
        tags.chain(bars).chain(plan.music.iter().map(|music| music.area)).collect()
    }

    #[test]
    fn everything_stays_in_the_frame_and_off_everything_else() {
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
                let plan = at(size, faces);
                let frame = Area::frame(size.0, size.1);
                let parts = parts(&plan);
                for (index, part) in parts.iter().enumerate() {
                    assert!(frame.contains(part), "{size:?}: {part:?}");
                    // On a frame with hardly room for one label, that label may lie over the music.
                    let room = size.0 >= 320;
                    let clear = parts[index + 1..].iter().all(|other| !other.overlaps(part));
                    assert!(clear || !room, "{size:?}, {} faces: {part:?}", faces.len());
                }
                for (index, face) in plan.faces.iter().enumerate() {
                    let Some(bars) = &face.bars else { continue };
                    let others = plan.faces.iter().enumerate().filter(|(other, _)| *other != index);
                    assert!(
                        others.into_iter().all(|(_, other)| !other.area.overlaps(&bars.area)),
                        "{size:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_label_goes_above_or_below_or_inside() {
        let tag = |y: f64, h: f64| {
            let plan = at((640, 360), &[face(1, 0.3, y, 0.3, h)]);
            let face = plan.faces.into_iter().next().unwrap();
            (face.area, face.tag.unwrap().area)
        };
        let (face, area) = tag(0.3, 0.4);
        assert!(area.bottom() <= face.y && face.y - area.bottom() < 3 && (area.x - face.x).abs() < 3);
        let (face, area) = tag(0.0, 0.4);
        assert!(area.y >= face.bottom() && area.y - face.bottom() < 3);
        let (face, area) = tag(0.0, 1.0);
        assert!(face.contains(&Area { x: face.x, ..area }));
    }

    #[test]
    fn bars_go_to_the_side_with_room() {
        let bars = |x: f64, w: f64, h: f64| {
            let plan = at((640, 360), &[face(1, x, 0.2, w, h)]);
            let face = plan.faces.into_iter().next().unwrap();
            (face.area, face.bars.unwrap())
        };
        let (face, right) = bars(0.2, 0.3, 0.5);
        assert!(right.area.x >= face.right() && right.names > 0);
        let (face, left) = bars(0.69, 0.3, 0.5);
        assert!(left.area.right() <= face.x && left.names > 0);
        let (face, over) = bars(0.01, 0.98, 0.8);
        assert!(over.area.overlaps(&face) && over.names > 0);
    }

    #[test]
    fn between_close_faces_bars_lose_their_names_before_they_hide_a_face() {
        let plan = at((320, 240), &[face(1, 0.12, 0.25, 0.22, 0.39), face(2, 0.52, 0.3, 0.2, 0.36)]);
        let bars: Vec<_> = plan.faces.iter().map(|face| face.bars.as_ref().unwrap()).collect();
        assert!(bars[0].names == 0 && bars[1].names > 0);
        assert_eq!(bars[0].start(), bars[0].pad);
    }

    #[test]
    fn sizes_follow_the_frame_and_the_scale() {
        let font = |size, font_scale| {
            let options = Options { font_scale, ..ALL };
            let faces = [face(1, 0.3, 0.2, 0.4, 0.6)];
            let plan = plan(Area::frame(size, size), &faces, None, options, &Even);
            (plan.faces[0].tag.as_ref().unwrap().font, plan.faces[0].line)
        };
        let sizes = [240, 360, 1080, 2160].map(|size| font(size, 1.0));
        assert!(sizes.iter().all(|(font, line)| *font >= 10.0 && *line >= 2 && line % 2 == 0));
        assert!(sizes.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
        assert!(font(1080, 2.0).0 > font(1080, 1.0).0 && font(1080, 2.0).1 > font(1080, 1.0).1);
    }

    #[test]
    fn words_say_what_is_known() {
        let text = |face: &Face, id| tag_text(face, id).full;
        let mut one = face(3, 0.0, 0.0, 1.0, 1.0);
        assert_eq!(text(&one, true), "#3 happy 94 %");
        assert_eq!(text(&one, false), "happy 94 %");
        if let Some(result) = &mut one.classification {
            result.confidence = f64::NAN;
        }
        assert_eq!(text(&one, false), "happy");
        if let Some(result) = &mut one.classification {
            result.label = Label::Uncertain;
        }
        assert_eq!(text(&one, true), "#3 uncertain");
        one.classification = None;
        assert_eq!((text(&one, true), text(&one, false)), ("#3".into(), String::new()));
    }

    #[test]
    fn what_is_no_number_is_no_bar() {
        let mut one = face(1, 0.3, 0.3, 0.3, 0.3);
        if let Some(result) = &mut one.classification {
            result.probabilities = [f64::NAN, f64::INFINITY, -1.0, 2.0, 0.5, f64::NEG_INFINITY, 0.0];
        }
        let plan = at((640, 360), &[one]);
        assert_eq!(plan.faces[0].bars.as_ref().unwrap().shares, [0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn a_long_title_is_cut_and_a_short_one_is_not() {
        let width = |title: &str| {
            let music = NowPlaying { title: title.into(), mood: None };
            let plan = plan(Area::frame(640, 360), &[], Some(&music), ALL, &Even);
            plan.music.unwrap().area.w
        };
        assert!(width("A") < width("A longer one"));
        assert!(width(&"long ".repeat(1000)) <= 352);
    }
}
