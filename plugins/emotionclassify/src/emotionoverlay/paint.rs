//! Draws a layout with cairo and pango, as drawings to blend into the frame.
//!
//! Most of what is drawn on a frame was on the frame before it, in another place: drawings are kept, and boxes of any size
//! are put together from one with straight edges of a few pixels.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use mood_schema::{Emotion, Label, Mood};
use pango::prelude::*;

use super::blend::{Drawing, PixelForm, Pixels};
use super::geometry::Area;
use super::layout::{BarsLayout, FaceLayout, MusicLayout, OverlayLayout, TagLayout, TextMeasure};
use super::palette::{self, Rgb};
use super::stretch::Stretch;

/// Opacity of backgrounds, 0-1: text is readable over a white image, and motion behind it remains visible.
const BACKGROUND_OPACITY: f64 = 0.72;
/// Most bytes of the drawings that are kept. They are all dropped when there would be more.
const MAX_DRAWING_BYTES: usize = 16 << 20;
/// Most sizes of texts that are kept. They are all dropped, too.
const MAX_TEXT_SIZES: usize = 1024;

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

/// Builds lines of text. Pango's objects are bound to a thread, so it lives as long as a frame is drawn.
struct Typesetter {
    context: pango::Context,
}

impl Typesetter {
    fn new() -> Self {
        Self { context: pangocairo::FontMap::default().create_context() }
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

    /// Whether the system has fonts. Without fonts pango still lists families and draws a box for each unknown letter, so a
    /// trial is needed.
    fn has_fonts(&self) -> bool {
        let trial = self.build_line("x", 12.0);
        trial.unknown_glyphs_count() == 0 && trial.pixel_size().0 > 0
    }
}

/// What a drawing that is kept depends on. Sizes are in pixels, fonts the bits of their size in pixels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum DrawingKey {
    /// The smallest box with straight edges.
    Box { label: Option<Label>, line_width: i32 },
    /// A tag.
    Tag { label: Option<Label>, text: String, font: u64, padding: i32, size: (i32, i32) },
    /// Bars, or what they lie on.
    Bars {
        highlighted: Option<Emotion>,
        font: u64,
        name_width: i32,
        row_height: i32,
        size: (i32, i32),
        /// Lengths of the bars.
        lengths: Option<[i32; 7]>,
    },
    /// The line about the music.
    Music { title: String, mood: Option<Mood>, font: u64, title_width: i32, size: (i32, i32) },
}

/// What is kept from frame to frame.
#[derive(Debug, Default)]
pub(super) struct PaintCache {
    /// `None` until it was asked for.
    has_fonts: Option<bool>,
    /// Width and height of texts by text and bits of the font size.
    text_sizes: HashMap<u64, HashMap<String, (i32, i32)>>,
    drawings: HashMap<DrawingKey, Kept>,
    /// Of the pixels of `drawings`.
    form: PixelForm,
}

/// A drawing that is kept.
#[derive(Clone, Debug)]
struct Kept {
    painting: Arc<Painting>,
    pixels: Pixels,
}

/// Pixels as cairo has them, rows without padding.
#[derive(Clone, Debug)]
struct Painting {
    width: i32,
    height: i32,
    bytes: Vec<u8>,
}

/// Measures text and draws layouts.
pub(super) struct Painter {
    cache: RefCell<PaintCache>,
    typesetter: OnceCell<Typesetter>,
}

impl Painter {
    /// A painter for frames that take drawings in `form`.
    pub fn new(mut cache: PaintCache, form: PixelForm) -> Self {
        if cache.form != form {
            cache.drawings.clear();
            cache.form = form;
        }
        Self { cache: RefCell::new(cache), typesetter: OnceCell::new() }
    }

    /// What is to be kept for the next frame.
    pub fn into_cache(self) -> PaintCache {
        self.cache.into_inner()
    }

    fn typesetter(&self) -> &Typesetter {
        self.typesetter.get_or_init(Typesetter::new)
    }

    /// Whether the system has fonts. Without fonts, text has no width and is not drawn.
    pub fn has_fonts(&self) -> bool {
        *self.cache.borrow_mut().has_fonts.get_or_insert_with(|| self.typesetter().has_fonts())
    }

    /// Draws a layout, in the order in which the drawings are to be blended.
    pub fn draw(&self, layout: &OverlayLayout) -> Result<Vec<Drawing>, PaintError> {
        let mut drawings = Vec::new();
        for face in &layout.faces {
            self.draw_box(face, &mut drawings)?;
            if let Some(bars) = &face.bars {
                drawings.push(self.draw_bars(bars)?);
            }
            if let Some(tag) = &face.tag {
                drawings.push(self.draw_tag(tag, face.label)?);
            }
        }
        if let Some(music) = &layout.music {
            drawings.push(self.draw_music(music)?);
        }
        Ok(drawings)
    }

    /// The drawing with this key, which `paint` paints with its upper left corner at the origin unless it is kept.
    fn kept(
        &self,
        key: DrawingKey,
        size: (i32, i32),
        paint: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
    ) -> Result<Kept, PaintError> {
        if let Some(kept) = self.cache.borrow().drawings.get(&key) {
            return Ok(kept.clone());
        }
        let painting = Painting::new(size, paint)?;
        let pixels = self.to_pixels(painting.clone())?;
        let kept = Kept { painting: Arc::new(painting), pixels };
        let drawings = &mut self.cache.borrow_mut().drawings;
        // As painted, and as it is blended.
        let bytes = |kept: &Kept| 2 * kept.painting.bytes.len();
        if drawings.values().map(bytes).sum::<usize>() + bytes(&kept) > MAX_DRAWING_BYTES {
            drawings.clear();
        }
        drawings.insert(key, kept.clone());
        Ok(kept)
    }

    fn to_pixels(&self, painting: Painting) -> Result<Pixels, PaintError> {
        Ok(Pixels::new(painting.bytes, painting.width, self.cache.borrow().form)?)
    }

    /// Draws a face's box: as four strips, since there is nothing inside, or as a whole where it is small.
    fn draw_box(&self, face: &FaceLayout, drawings: &mut Vec<Drawing>) -> Result<(), PaintError> {
        let Area { x, y, w, h } = face.area;
        let line = face.line_width;
        // The corners are round within this distance of the edges.
        let corner = box_border(line) + 3 * line + 1;
        // The smallest box with straight edges. Dashes depend on the size.
        let model = (2 * corner + 1, 2 * corner + 1);
        let (painted, planes) = if w < model.0 || h < model.1 || face.label == Some(Label::Uncertain) {
            (Arc::new(Painting::new((w, h), |cr| paint_box(cr, (w, h), line, face.label))?), None)
        } else {
            let key = DrawingKey::Box { label: face.label, line_width: line };
            let kept = self.kept(key, model, |cr| paint_box(cr, model, line, face.label))?;
            let planes = match kept.pixels {
                Pixels::Planes(planes) => Some(planes),
                Pixels::Rgb(_) | Pixels::Yuv(_) => None,
            };
            (kept.painting, planes)
        };
        if w <= 2 * corner || h <= 2 * corner {
            drawings.push(Drawing { area: face.area, pixels: self.to_pixels((*painted).clone())? });
            return Ok(());
        }
        let strips = [
            Area { x: 0, y: 0, w, h: corner },
            Area { x: 0, y: h - corner, w, h: corner },
            Area { x: 0, y: corner, w: corner, h: h - 2 * corner },
            Area { x: w - corner, y: corner, w: corner, h: h - 2 * corner },
        ];
        for strip in strips {
            let stretch = Stretch::new(strip, (painted.width, painted.height), (w, h), corner);
            let pixels = match &planes {
                Some(planes) => Pixels::Planes(Arc::new(planes.stretch(&stretch))),
                None => {
                    let bytes = stretch.apply::<[u8; 4]>(painted.bytes.as_chunks().0).into_flattened();
                    self.to_pixels(Painting { width: strip.w, height: strip.h, bytes })?
                }
            };
            drawings.push(Drawing { area: Area { x: x + strip.x, y: y + strip.y, ..strip }, pixels });
        }
        Ok(())
    }

    fn draw_tag(&self, tag: &TagLayout, label: Option<Label>) -> Result<Drawing, PaintError> {
        let size = (tag.area.w, tag.area.h);
        let (text, font) = (tag.text.clone(), tag.font.to_bits());
        let key = DrawingKey::Tag { label, text, font, padding: tag.padding, size };
        let pixels = self.kept(key, size, |cr| paint_tag(cr, tag, label, self))?.pixels;
        Ok(Drawing { area: tag.area, pixels })
    }

    fn draw_bars(&self, bars: &BarsLayout) -> Result<Drawing, PaintError> {
        let size = (bars.area.w, bars.area.h);
        let &BarsLayout { highlighted, name_width, row_height, .. } = bars;
        let font = bars.font.to_bits();
        let key = |lengths| DrawingKey::Bars { highlighted, font, name_width, row_height, size, lengths };
        let empty = self.kept(key(None), size, |cr| paint_empty_bars(cr, bars, self))?;
        // Mostly those of the frame before: the shares change a little from frame to frame, the lengths seldom.
        let filled = self.kept(key(Some(bar_lengths(bars))), size, |cr| {
            empty.painting.copy_to(cr)?;
            paint_shares(cr, bars)
        })?;
        Ok(Drawing { area: bars.area, pixels: filled.pixels })
    }

    fn draw_music(&self, music: &MusicLayout) -> Result<Drawing, PaintError> {
        let size = (music.area.w, music.area.h);
        let key = DrawingKey::Music {
            title: music.playing.title.clone(),
            mood: music.playing.mood,
            font: music.font.to_bits(),
            title_width: music.title_width,
            size,
        };
        let pixels = self.kept(key, size, |cr| paint_music(cr, music, self))?.pixels;
        Ok(Drawing { area: music.area, pixels })
    }
}

impl TextMeasure for Painter {
    fn text_size(&self, text: &str, font: f64) -> (i32, i32) {
        if !self.has_fonts() {
            return (0, font.ceil() as i32);
        }
        let sizes = &mut self.cache.borrow_mut().text_sizes;
        if let Some(size) = sizes.get(&font.to_bits()).and_then(|sizes| sizes.get(text)) {
            return *size;
        }
        if sizes.values().map(HashMap::len).sum::<usize>() >= MAX_TEXT_SIZES {
            sizes.clear();
        }
        let size = self.typesetter().build_line(text, font).pixel_size();
        sizes.entry(font.to_bits()).or_default().insert(text.to_owned(), size);
        size
    }
}

impl Painting {
    /// Paints on transparent pixels.
    fn new(
        (width, height): (i32, i32),
        paint: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
    ) -> Result<Self, PaintError> {
        let mut surface = cairo::ImageSurface::create(cairo::Format::ARgb32, width, height)?;
        paint(&cairo::Context::new(&surface)?)?;
        // Rows of whole words have no padding.
        let bytes = surface.data()?.to_vec();
        Ok(Self { width, height, bytes })
    }

    /// Copies it to the origin of an empty surface.
    fn copy_to(&self, cr: &cairo::Context) -> Result<(), cairo::Error> {
        let format = cairo::Format::ARgb32;
        let bytes = self.bytes.clone();
        let surface =
            cairo::ImageSurface::create_for_data(bytes, format, self.width, self.height, 4 * self.width)?;
        cr.set_source_surface(&surface, 0.0, 0.0)?;
        cr.paint()
    }
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

/// Width of the dark border on either side of a box's line: a whole number of pixels, so that edges stay sharp.
fn box_border(line: i32) -> i32 {
    (f64::from(line) * 0.25).round().max(1.0) as i32
}

/// Paints a face's box. Its line lies just inside the area, with a dark border on both sides for light images; an
/// uncertain face has a dashed line.
fn paint_box(
    cr: &cairo::Context,
    (w, h): (i32, i32),
    line: i32,
    label: Option<Label>,
) -> Result<(), cairo::Error> {
    let [w, h, line, border] = [w, h, line, box_border(line)].map(f64::from);
    for (width, colour, alpha) in
        [(line + 2.0 * border, palette::BACKGROUND, 0.55), (line, palette::label_colour(label), 1.0)]
    {
        let inset = border + line / 2.0;
        rounded_rectangle(cr, inset, inset, w - 2.0 * inset, h - 2.0 * inset, 2.0 * line);
        cr.set_line_width(width);
        set_colour(cr, colour, alpha);
        if label == Some(Label::Uncertain) {
            cr.set_dash(&[3.0 * line, 2.0 * line], 0.0);
        }
        cr.stroke()?;
    }
    Ok(())
}

/// Paints one line of text with its upper left corner at `x`, `y`.
fn paint_text(cr: &cairo::Context, painter: &Painter, text: &str, font: f64, x: f64, y: f64) {
    if painter.has_fonts() {
        cr.move_to(x, y);
        pangocairo::functions::show_layout(cr, &painter.typesetter().build_line(text, font));
    }
}

fn paint_tag(
    cr: &cairo::Context,
    tag: &TagLayout,
    label: Option<Label>,
    painter: &Painter,
) -> Result<(), cairo::Error> {
    rounded_rectangle(cr, 0.0, 0.0, tag.area.w.into(), tag.area.h.into(), tag.font * 0.2);
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
    paint_text(cr, painter, &tag.text, tag.font, tag.padding.into(), 0.0);
    Ok(())
}

/// The rows of bars: for each emotion the upper edge of its row, and of its bar.
fn bar_rows(bars: &BarsLayout) -> impl Iterator<Item = (Emotion, f64, f64)> {
    let (padding, row_height) = (f64::from(bars.padding), f64::from(bars.row_height));
    let inset = ((row_height - bar_thickness(bars)) / 2.0).round();
    Emotion::ALL.into_iter().enumerate().map(move |(index, emotion)| {
        let top = padding + index as f64 * row_height;
        (emotion, top, top + inset)
    })
}

fn bar_thickness(bars: &BarsLayout) -> f64 {
    (f64::from(bars.row_height) * 0.56).round()
}

/// Where bars begin, and their greatest length.
fn bar_span(bars: &BarsLayout) -> (f64, f64) {
    let start = bars.bar_start();
    (start.into(), (bars.area.w - bars.padding - start).into())
}

/// Paints bars of no length, with the names.
fn paint_empty_bars(cr: &cairo::Context, bars: &BarsLayout, painter: &Painter) -> Result<(), cairo::Error> {
    rounded_rectangle(cr, 0.0, 0.0, bars.area.w.into(), bars.area.h.into(), bars.font * 0.35);
    set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
    cr.fill()?;
    let (start, length) = bar_span(bars);
    for (emotion, top, bar_top) in bar_rows(bars) {
        let is_highlighted = bars.highlighted == Some(emotion);
        set_colour(cr, palette::FOREGROUND, if is_highlighted { 1.0 } else { 0.8 });
        if bars.name_width > 0 {
            paint_text(cr, painter, emotion.as_str(), bars.font, bars.padding.into(), top);
        }
        cr.rectangle(start, bar_top, length, bar_thickness(bars));
        set_colour(cr, palette::FOREGROUND, 0.14);
        cr.fill()?;
    }
    Ok(())
}

/// The lengths of the bars: whole pixels, so that their ends are as sharp as their other edges.
fn bar_lengths(bars: &BarsLayout) -> [i32; 7] {
    let (_, longest) = bar_span(bars);
    bars.shares.map(|share| (longest * share).round() as i32)
}

/// Paints the bars over those of no length.
fn paint_shares(cr: &cairo::Context, bars: &BarsLayout) -> Result<(), cairo::Error> {
    let (start, _) = bar_span(bars);
    for ((emotion, _, bar_top), length) in bar_rows(bars).zip(bar_lengths(bars)) {
        cr.rectangle(start, bar_top, length.into(), bar_thickness(bars));
        set_colour(cr, palette::emotion_colour(emotion), 1.0);
        cr.fill()?;
    }
    Ok(())
}

fn paint_music(cr: &cairo::Context, music: &MusicLayout, painter: &Painter) -> Result<(), cairo::Error> {
    let Area { w, h, .. } = music.area;
    let [w, h, padding, note] = [w, h, music.padding, music.note_width].map(f64::from);
    rounded_rectangle(cr, 0.0, 0.0, w, h, h / 2.0);
    set_colour(cr, palette::BACKGROUND, BACKGROUND_OPACITY);
    cr.fill()?;
    let colour = match music.playing.mood {
        Some(Mood::Known(emotion)) => palette::emotion_colour(emotion),
        Some(Mood::Uncertain | Mood::Absent) => palette::MUTED,
        None => palette::FOREGROUND,
    };
    paint_note(cr, padding, h / 2.0, note, colour)?;
    let title_start = 2.0 * padding + note;
    set_colour(cr, palette::FOREGROUND, 1.0);
    if painter.has_fonts() {
        let line = painter.typesetter().build_line(&music.playing.title, music.font);
        line.set_ellipsize(pango::EllipsizeMode::End);
        line.set_width(music.title_width.saturating_add(1).saturating_mul(pango::SCALE));
        cr.move_to(title_start, 0.0);
        pangocairo::functions::show_layout(cr, &line);
    }
    if let Some(mood) = music.playing.mood {
        set_colour(cr, palette::MUTED, 1.0);
        let mood_start = title_start + f64::from(music.title_width) + padding;
        paint_text(cr, painter, mood.as_str(), music.font, mood_start, 0.0);
    }
    Ok(())
}

/// Paints an eighth note in a square of side `size` with its left edge at `x`. It is not taken from a font, because many
/// fonts lack it.
fn paint_note(cr: &cairo::Context, x: f64, middle: f64, size: f64, colour: Rgb) -> Result<(), cairo::Error> {
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
