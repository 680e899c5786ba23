//! Draws a plan with cairo and pango, as overlay rectangles for GStreamer to blend into any format.

use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::{FRAC_PI_2, PI};

use mood_schema::{Emotion, Label, Mood};
use pango::prelude::*;

use super::area::Area;
use super::layout::{BarsPlan, FacePlan, Measure, MusicPlan, Plan, TagPlan};
use super::palette::{self, Rgb};

/// Opacity behind words: enough for them on a white picture, little enough to see a face move behind.
const BACKING: f64 = 0.72;

/// Why a plan could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cairo: {0}")]
    Cairo(#[from] cairo::Error),
    #[error("the drawing's pixels are still in use: {0}")]
    Pixels(#[from] cairo::BorrowError),
    #[error("{0}")]
    Video(#[from] glib::BoolError),
}

/// Sets and draws text. Made anew for a frame: pango's objects belong to one thread, and making them is cheap.
pub(super) struct Typesetter {
    context: pango::Context,
    fonts: bool,
    /// By text and the font's bits: seven names are measured over and over.
    sizes: RefCell<HashMap<(String, u64), (i32, i32)>>,
}

impl Typesetter {
    pub fn new() -> Self {
        let context = pangocairo::FontMap::default().create_context();
        let mut new = Self { context, fonts: true, sizes: RefCell::default() };
        // Pango lists families where there is no font, and frames each letter it cannot draw: only trying tells.
        let trial = new.line("x", 12.0);
        new.fonts = trial.unknown_glyphs_count() == 0 && trial.pixel_size().0 > 0;
        new
    }

    /// Whether the system has fonts. Without, words have no width and are not drawn.
    pub fn has_fonts(&self) -> bool {
        self.fonts
    }

    fn line(&self, text: &str, font: f64) -> pango::Layout {
        let layout = pango::Layout::new(&self.context);
        let mut face = pango::FontDescription::new();
        face.set_family("Sans");
        face.set_weight(pango::Weight::Bold);
        face.set_absolute_size(font * f64::from(pango::SCALE));
        layout.set_font_description(Some(&face));
        layout.set_single_paragraph_mode(true);
        layout.set_text(text);
        layout
    }
}

impl Measure for Typesetter {
    fn size(&self, text: &str, font: f64) -> (i32, i32) {
        if !self.fonts {
            return (0, font.ceil() as i32);
        }
        let key = (text.to_owned(), font.to_bits());
        *self.sizes.borrow_mut().entry(key).or_insert_with(|| self.line(text, font).pixel_size())
    }
}

/// The plan as pictures at their places.
pub(super) fn paint(plan: &Plan, type_: &Typesetter) -> Result<gst_video::VideoOverlayComposition, Error> {
    let faces = together(&plan.faces, plan.width);
    let faces = faces.iter().map(|(area, faces)| {
        picture(*area, |cr| faces.iter().try_for_each(|face| draw_face(cr, face, type_)))
    });
    let music = plan.music.iter().map(|music| paint_music(music, type_));
    let pictures = faces.chain(music).collect::<Result<Vec<_>, _>>()?;
    // By reference: a composition collected from rectangles that are given away never frees them (gstreamer-rs 0.25).
    Ok(gst_video::VideoOverlayComposition::new(&pictures)?)
}

/// Faces that are cheaper to draw in one picture than in one each, in a frame `width` wide: GStreamer reads and writes
/// whole lines of the frame for each picture that it blends.
fn together(faces: &[FacePlan], width: i32) -> Vec<(Area, Vec<&FacePlan>)> {
    let cost = |area: &Area| i64::from(area.h) * (i64::from(width) + i64::from(area.w));
    let mut groups: Vec<(Area, Vec<&FacePlan>)> = Vec::new();
    for face in faces {
        let area = face.extent();
        let gain = |group: &Area| cost(group) + cost(&area) - cost(&group.union(&area));
        match groups.iter_mut().max_by_key(|(group, _)| gain(group)).filter(|(group, _)| gain(group) > 0) {
            Some((group, members)) => {
                *group = group.union(&area);
                members.push(face);
            }
            None => groups.push((area, vec![face])),
        }
    }
    groups
}

fn draw_face(cr: &cairo::Context, face: &FacePlan, type_: &Typesetter) -> Result<(), cairo::Error> {
    frame_box(cr, face, palette::of_label(face.label))?;
    if let Some(bars) = &face.bars {
        draw_bars(cr, bars, type_)?;
    }
    face.tag.as_ref().map_or(Ok(()), |tag| draw_tag(cr, tag, face.label, type_))
}

fn paint_music(music: &MusicPlan, type_: &Typesetter) -> Result<gst_video::VideoOverlayRectangle, Error> {
    picture(music.area, |cr| draw_music(cr, music, type_))
}

/// A picture of `area`, drawn in the frame's coordinates.
fn picture(
    area: Area,
    draw: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
) -> Result<gst_video::VideoOverlayRectangle, Error> {
    let mut surface = cairo::ImageSurface::create(cairo::Format::ARgb32, area.w, area.h)?;
    surface.set_device_offset(f64::from(-area.x), f64::from(-area.y));
    draw(&cairo::Context::new(&surface)?)?;
    let stride = surface.stride();
    let (w, h) = (area.w.max(0) as u32, area.h.max(0) as u32);
    let mut buffer = gst::Buffer::from_slice(surface.data()?.to_vec());
    // What cairo calls ARGB is a native word; GStreamer names the order of bytes.
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

fn source(cr: &cairo::Context, [r, g, b]: Rgb, alpha: f64) {
    cr.set_source_rgba(r, g, b, alpha);
}

fn rounded(cr: &cairo::Context, x: f64, y: f64, w: f64, h: f64, radius: f64) {
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

/// The face's box, its line just inside the area, dark on both sides to stand out from a light picture too.
fn frame_box(cr: &cairo::Context, face: &FacePlan, colour: Rgb) -> Result<(), cairo::Error> {
    let line = f64::from(face.line);
    // Whole pixels, so that no edge is smeared over two.
    let dark = (line * 0.25).round().max(1.0);
    let Area { x, y, w, h } = face.area;
    let [x, y, w, h] = [x, y, w, h].map(f64::from);
    let muted = face.label == Some(Label::Uncertain);
    for (width, colour, alpha) in [(line + 2.0 * dark, palette::BACKING, 0.55), (line, colour, 1.0)] {
        let inset = dark + line / 2.0;
        rounded(cr, x + inset, y + inset, w - 2.0 * inset, h - 2.0 * inset, 2.0 * line);
        cr.set_line_width(width);
        source(cr, colour, alpha);
        if muted {
            cr.set_dash(&[3.0 * line, 2.0 * line], 0.0);
        }
        cr.stroke()?;
    }
    cr.set_dash(&[], 0.0);
    Ok(())
}

fn words(cr: &cairo::Context, type_: &Typesetter, text: &str, font: f64, x: f64, y: f64) {
    if type_.has_fonts() {
        cr.move_to(x, y);
        pangocairo::functions::show_layout(cr, &type_.line(text, font));
    }
}

fn draw_tag(
    cr: &cairo::Context,
    tag: &TagPlan,
    label: Option<Label>,
    type_: &Typesetter,
) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = tag.area;
    let [x, y, w, h] = [x, y, w, h].map(f64::from);
    rounded(cr, x, y, w, h, tag.font * 0.2);
    let ink = match label {
        Some(Label::Known(emotion)) => {
            let ground = palette::of_emotion(emotion);
            source(cr, ground, 0.95);
            palette::ink_on(ground)
        }
        Some(Label::Uncertain) => {
            source(cr, palette::BACKING, BACKING);
            palette::MUTED
        }
        None => {
            source(cr, palette::BACKING, BACKING);
            palette::PLAIN
        }
    };
    cr.fill()?;
    source(cr, ink, 1.0);
    words(cr, type_, &tag.text, tag.font, x + f64::from(tag.pad), y);
    Ok(())
}

fn draw_bars(cr: &cairo::Context, bars: &BarsPlan, type_: &Typesetter) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = bars.area;
    let [x, y, w, h, pad, row] = [x, y, w, h, bars.pad, bars.row].map(f64::from);
    rounded(cr, x, y, w, h, bars.font * 0.35);
    source(cr, palette::BACKING, BACKING);
    cr.fill()?;
    let start = x + f64::from(bars.start());
    let (length, thick) = (x + w - pad - start, (row * 0.56).round());
    for (index, (emotion, share)) in Emotion::ALL.into_iter().zip(bars.shares).enumerate() {
        let top = y + pad + index as f64 * row;
        let stressed = bars.top == Some(emotion);
        source(cr, palette::PLAIN, if stressed { 1.0 } else { 0.8 });
        if bars.names > 0 {
            words(cr, type_, emotion.as_str(), bars.font, x + pad, top);
        }
        let middle = top + ((row - thick) / 2.0).round();
        cr.rectangle(start, middle, length, thick);
        source(cr, palette::PLAIN, 0.14);
        cr.fill()?;
        cr.rectangle(start, middle, length * share, thick);
        source(cr, palette::of_emotion(emotion), 1.0);
        cr.fill()?;
    }
    Ok(())
}

fn draw_music(cr: &cairo::Context, music: &MusicPlan, type_: &Typesetter) -> Result<(), cairo::Error> {
    let Area { x, y, w, h } = music.area;
    let [x, y, w, h, pad, note] = [x, y, w, h, music.pad, music.note].map(f64::from);
    rounded(cr, x, y, w, h, h / 2.0);
    source(cr, palette::BACKING, BACKING);
    cr.fill()?;
    let colour = match music.playing.mood {
        Some(Mood::Known(emotion)) => palette::of_emotion(emotion),
        Some(Mood::Uncertain | Mood::Absent) => palette::MUTED,
        None => palette::PLAIN,
    };
    draw_note(cr, x + pad, y + h / 2.0, note, colour)?;
    let title = x + 2.0 * pad + note;
    source(cr, palette::PLAIN, 1.0);
    if type_.has_fonts() {
        let line = type_.line(&music.playing.title, music.font);
        line.set_ellipsize(pango::EllipsizeMode::End);
        line.set_width(music.title_width.saturating_add(1).saturating_mul(pango::SCALE));
        cr.move_to(title, y);
        pangocairo::functions::show_layout(cr, &line);
    }
    if let Some(mood) = music.playing.mood {
        source(cr, palette::MUTED, 1.0);
        words(cr, type_, mood.as_str(), music.font, title + f64::from(music.title_width) + pad, y);
    }
    Ok(())
}

/// An eighth note in a square of `size` from `x` on, as fonts without one are common.
fn draw_note(cr: &cairo::Context, x: f64, middle: f64, size: f64, colour: Rgb) -> Result<(), cairo::Error> {
    let (top, bottom) = (middle - size * 0.42, middle + size * 0.24);
    let stem = x + size * 0.52;
    source(cr, colour, 1.0);
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
