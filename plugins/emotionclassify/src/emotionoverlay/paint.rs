//! Draws a layout with cairo and pango, as overlay rectangles that GStreamer blends into any format.

use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::{FRAC_PI_2, PI};

use mood_schema::{Emotion, Label, Mood};
use pango::prelude::*;

use super::geometry::Area;
use super::layout::{BarsLayout, FaceLayout, MusicLayout, OverlayLayout, TagLayout, TextMeasure};
use super::palette::{self, Rgb};

/// Opacity of backgrounds, 0-1: text is readable over a white image, and motion behind it remains visible.
const BACKGROUND_OPACITY: f64 = 0.72;

/// Why a layout could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum PaintError {
    /// Drawing failed.
    #[error("cairo: {0}")]
    Cairo(#[from] cairo::Error),
    /// The pixels of a drawing could not be taken out of cairo.
    #[error("the drawing's pixels are still in use: {0}")]
    Pixels(#[from] cairo::BorrowError),
    /// GStreamer could not wrap or blend the drawing.
    #[error("{0}")]
    Video(#[from] glib::BoolError),
}

/// Measures and draws text. There is a new one for each frame, because pango's objects are bound to a thread; creating
/// them is cheap.
pub(super) struct Typesetter {
    context: pango::Context,
    has_fonts: bool,
    /// Sizes in pixels by text and bits of the font size, because the same seven names are measured for every face.
    sizes: RefCell<HashMap<(String, u64), (i32, i32)>>,
}

impl Typesetter {
    /// A typesetter that knows whether the system has fonts.
    pub fn new() -> Self {
        let context = pangocairo::FontMap::default().create_context();
        let mut typesetter = Self { context, has_fonts: true, sizes: RefCell::default() };
        // Without fonts pango still lists families and draws a box for each unknown letter, so a trial is needed.
        let trial = typesetter.build_line("x", 12.0);
        typesetter.has_fonts = trial.unknown_glyphs_count() == 0 && trial.pixel_size().0 > 0;
        typesetter
    }

    /// Whether the system has fonts. Without fonts, text has no width and is not drawn.
    pub fn has_fonts(&self) -> bool {
        self.has_fonts
    }

    /// Builds one line of text in a font size of `font` pixels.
    fn build_line(&self, text: &str, font: f64) -> pango::Layout {
        let layout = pango::Layout::new(&self.context);
        let mut description = pango::FontDescription::new();
        description.set_family("Sans");
        description.set_weight(pango::Weight::Bold);
        description.set_absolute_size(font * f64::from(pango::SCALE));
        layout.set_font_description(Some(&description));
        layout.set_single_paragraph_mode(true);
        layout.set_text(text);
        layout
    }
}

impl TextMeasure for Typesetter {
    fn text_size(&self, text: &str, font: f64) -> (i32, i32) {
        if !self.has_fonts {
            return (0, font.ceil() as i32);
        }
        let key = (text.to_owned(), font.to_bits());
        *self.sizes.borrow_mut().entry(key).or_insert_with(|| self.build_line(text, font).pixel_size())
    }
}

/// Draws a layout as rectangles to blend into the frame.
pub(super) fn paint(
    layout: &OverlayLayout,
    typesetter: &Typesetter,
) -> Result<gst_video::VideoOverlayComposition, PaintError> {
    let groups = group_faces(&layout.faces, layout.frame_width);
    let faces = groups.iter().map(|(area, faces)| {
        paint_rectangle(*area, |cr| faces.iter().try_for_each(|face| draw_face(cr, face, typesetter)))
    });
    let music =
        layout.music.iter().map(|music| paint_rectangle(music.area, |cr| draw_music(cr, music, typesetter)));
    let rectangles = faces.chain(music).collect::<Result<Vec<_>, _>>()?;
    // By reference: gstreamer-rs 0.25 leaks the rectangles when a composition is collected from owned ones.
    Ok(gst_video::VideoOverlayComposition::new(&rectangles)?)
}

/// Groups faces that are cheaper to blend as one rectangle than as one each, in a frame `width` pixels wide. GStreamer
/// reads and writes complete rows of the frame for each rectangle it blends.
fn group_faces(faces: &[FaceLayout], width: i32) -> Vec<(Area, Vec<&FaceLayout>)> {
    let cost = |area: &Area| i64::from(area.h) * (i64::from(width) + i64::from(area.w));
    let mut groups: Vec<(Area, Vec<&FaceLayout>)> = Vec::new();
    for face in faces {
        let area = face.extent();
        let saving = |group: &Area| cost(group) + cost(&area) - cost(&group.union(&area));
        let best = groups.iter_mut().max_by_key(|(group, _)| saving(group));
        match best.filter(|(group, _)| saving(group) > 0) {
            Some((group, members)) => {
                *group = group.union(&area);
                members.push(face);
            }
            None => groups.push((area, vec![face])),
        }
    }
    groups
}

fn draw_face(cr: &cairo::Context, face: &FaceLayout, typesetter: &Typesetter) -> Result<(), cairo::Error> {
    draw_box(cr, face, palette::label_colour(face.label))?;
    if let Some(bars) = &face.bars {
        draw_bars(cr, bars, typesetter)?;
    }
    face.tag.as_ref().map_or(Ok(()), |tag| draw_tag(cr, tag, face.label, typesetter))
}

/// Paints the rectangle `area`; `draw` draws in the coordinates of the frame.
fn paint_rectangle(
    area: Area,
    draw: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
) -> Result<gst_video::VideoOverlayRectangle, PaintError> {
    let mut surface = cairo::ImageSurface::create(cairo::Format::ARgb32, area.w, area.h)?;
    surface.set_device_offset(f64::from(-area.x), f64::from(-area.y));
    draw(&cairo::Context::new(&surface)?)?;
    let stride = surface.stride();
    let (w, h) = (area.w.max(0) as u32, area.h.max(0) as u32);
    let mut buffer = gst::Buffer::from_slice(surface.data()?.to_vec());
    // Cairo's ARGB is a word in native byte order; GStreamer's format names give the order of the bytes.
    let format = if cfg!(target_endian = "little") {
        gst_video::VideoFormat::Bgra
    } else {
        gst_video::VideoFormat::Argb
    };
    let flags = gst_video::VideoFrameFlags::empty();
    gst_video::VideoMeta::add_full(buffer.make_mut(), flags, format, w, h, &[0], &[stride])?;
    let premultiplied = gst_video::VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA;
    Ok(gst_video::VideoOverlayRectangle::new_raw(&buffer, area.x, area.y, w, h, premultiplied))
}

fn set_colour(cr: &cairo::Context, [r, g, b]: Rgb, alpha: f64) {
    cr.set_source_rgba(r, g, b, alpha);
}

/// Adds a rectangle with rounded corners to the path.
fn rounded_rectangle(cr: &cairo::Context, x: f64, y: f64, w: f64, h: f64, radius: f64) {
    let radius = radius.min(w / 2.0).min(h / 2.0).max(0.0);
    cr.new_sub_path();
    for (quarter, cx, cy) in [
        (-1.0, x + w - radius, y + radius),
        (0.0, x + w - radius, y + h - radius),
        (1.0, x + radius, y + h - radius),
        (2.0, x + radius, y + radius),
    ] {
        cr.arc(cx, cy, radius, quarter * FRAC_PI_2, (quarter + 1.0) * FRAC_PI_2);
    }
    cr.close_path();
}

/// Draws a face's box. Its line lies just inside the area, with a dark border on both sides for light images; an
/// uncertain face has a dashed line.
fn draw_box(cr: &cairo::Context, face: &FaceLayout, colour: Rgb) -> Result<(), cairo::Error> {
    let line = f64::from(face.line_width);
    // A whole number of pixels, so that edges stay sharp.
    let border = (line * 0.25).round().max(1.0);
    let Area { x, y, w, h } = face.area;
    let [x, y, w, h] = [x, y, w, h].map(f64::from);
    let is_uncertain = face.label == Some(Label::Uncertain);
    for (width, colour, alpha) in [(line + 2.0 * border, palette::BACKGROUND, 0.55), (line, colour, 1.0)] {
        let inset = border + line / 2.0;
        rounded_rectangle(cr, x + inset, y + inset, w - 2.0 * inset, h - 2.0 * inset, 2.0 * line);
        cr.set_line_width(width);
        set_colour(cr, colour, alpha);
        if is_uncertain {
            cr.set_dash(&[3.0 * line, 2.0 * line], 0.0);
        }
        cr.stroke()?;
    }
    cr.set_dash(&[], 0.0);
    Ok(())
}

/// Draws one line of text with its upper left corner at `x`, `y`.
fn draw_text(cr: &cairo::Context, typesetter: &Typesetter, text: &str, font: f64, x: f64, y: f64) {
    if typesetter.has_fonts() {
        cr.move_to(x, y);
        pangocairo::functions::show_layout(cr, &typesetter.build_line(text, font));
    }
}

fn draw_tag(
    cr: &cairo::Context,
    tag: &TagLayout,
    label: Option<Label>,
    typesetter: &Typesetter,
) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = tag.area;
    let [x, y, w, h] = [x, y, w, h].map(f64::from);
    rounded_rectangle(cr, x, y, w, h, tag.font * 0.2);
    let text_colour = match label {
        Some(Label::Known(emotion)) => {
            let background = palette::emotion_colour(emotion);
            set_colour(cr, background, 0.95);
            palette::text_colour(background)
        }
        Some(Label::Uncertain) => {
            set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
            palette::MUTED
        }
        None => {
            set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
            palette::FOREGROUND
        }
    };
    cr.fill()?;
    set_colour(cr, text_colour, 1.0);
    draw_text(cr, typesetter, &tag.text, tag.font, x + f64::from(tag.padding), y);
    Ok(())
}

fn draw_bars(cr: &cairo::Context, bars: &BarsLayout, typesetter: &Typesetter) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = bars.area;
    let [x, y, w, h, padding, row_height] = [x, y, w, h, bars.padding, bars.row_height].map(f64::from);
    rounded_rectangle(cr, x, y, w, h, bars.font * 0.35);
    set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
    cr.fill()?;
    let start = x + f64::from(bars.bar_start());
    let (length, thickness) = (x + w - padding - start, (row_height * 0.56).round());
    for (index, (emotion, share)) in Emotion::ALL.into_iter().zip(bars.shares).enumerate() {
        let top = y + padding + index as f64 * row_height;
        let is_highlighted = bars.highlighted == Some(emotion);
        set_colour(cr, palette::FOREGROUND, if is_highlighted { 1.0 } else { 0.8 });
        if bars.name_width > 0 {
            draw_text(cr, typesetter, emotion.as_str(), bars.font, x + padding, top);
        }
        let bar_top = top + ((row_height - thickness) / 2.0).round();
        cr.rectangle(start, bar_top, length, thickness);
        set_colour(cr, palette::FOREGROUND, 0.14);
        cr.fill()?;
        cr.rectangle(start, bar_top, length * share, thickness);
        set_colour(cr, palette::emotion_colour(emotion), 1.0);
        cr.fill()?;
    }
    Ok(())
}

fn draw_music(cr: &cairo::Context, music: &MusicLayout, typesetter: &Typesetter) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = music.area;
    let [x, y, w, h, padding, note] = [x, y, w, h, music.padding, music.note_width].map(f64::from);
    rounded_rectangle(cr, x, y, w, h, h / 2.0);
    set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
    cr.fill()?;
    let colour = match music.playing.mood {
        Some(Mood::Known(emotion)) => palette::emotion_colour(emotion),
        Some(Mood::Uncertain | Mood::Absent) => palette::MUTED,
        None => palette::FOREGROUND,
    };
    draw_note(cr, x + padding, y + h / 2.0, note, colour)?;
    let title_start = x + 2.0 * padding + note;
    set_colour(cr, palette::FOREGROUND, 1.0);
    if typesetter.has_fonts() {
        let line = typesetter.build_line(&music.playing.title, music.font);
        line.set_ellipsize(pango::EllipsizeMode::End);
        line.set_width(music.title_width.saturating_add(1).saturating_mul(pango::SCALE));
        cr.move_to(title_start, y);
        pangocairo::functions::show_layout(cr, &line);
    }
    if let Some(mood) = music.playing.mood {
        set_colour(cr, palette::MUTED, 1.0);
        draw_text(
            cr,
            typesetter,
            mood.as_str(),
            music.font,
            title_start + f64::from(music.title_width) + padding,
            y,
        );
    }
    Ok(())
}

/// Draws an eighth note in a square of side `size` with its left edge at `x`. It is not taken from a font, because many
/// fonts lack it.
fn draw_note(cr: &cairo::Context, x: f64, middle: f64, size: f64, colour: Rgb) -> Result<(), cairo::Error> {
    let (top, bottom) = (middle - size * 0.42, middle + size * 0.24);
    let stem = x + size * 0.52;
    set_colour(cr, colour, 1.0);
    cr.save()?;
    cr.translate(x + size * 0.34, bottom);
    cr.rotate(-PI / 9.0);
    cr.scale(size * 0.21, size * 0.16);
    cr.arc(0.0, 0.0, 1.0, 0.0, 2.0 * PI);
    cr.restore()?;
    cr.fill()?;
    cr.set_line_width(size * 0.1);
    cr.move_to(stem, bottom);
    cr.line_to(stem, top);
    cr.curve_to(
        stem + size * 0.05,
        top + size * 0.2,
        stem + size * 0.36,
        top + size * 0.2,
        stem + size * 0.26,
        top + size * 0.5,
    );
    cr.stroke()
}
