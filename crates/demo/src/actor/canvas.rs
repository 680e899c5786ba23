//! A picture with what a portrait needs: filled shapes, brush strokes and soft patches of light and shade.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Mask, Paint, Path, PathBuilder, Pixmap,
    Point, RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

/// 0xRRGGBB.
pub(super) type Rgb = u32;

pub(super) fn color(rgb: Rgb, alpha: f32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    let mut color = Color::from_rgba8(r, g, b, 255);
    color.set_alpha(alpha.clamp(0.0, 1.0));
    color
}

/// A path drawn point by point.
pub(super) struct Pen(PathBuilder);

impl Pen {
    pub(super) fn at(x: f32, y: f32) -> Self {
        let mut path = PathBuilder::new();
        path.move_to(x, y);
        Self(path)
    }

    pub(super) fn line(mut self, x: f32, y: f32) -> Self {
        self.0.line_to(x, y);
        self
    }

    pub(super) fn quad(mut self, [cx, cy]: [f32; 2], [x, y]: [f32; 2]) -> Self {
        self.0.quad_to(cx, cy, x, y);
        self
    }

    pub(super) fn curve(mut self, [ax, ay]: [f32; 2], [bx, by]: [f32; 2], [x, y]: [f32; 2]) -> Self {
        self.0.cubic_to(ax, ay, bx, by, x, y);
        self
    }

    pub(super) fn oval(cx: f32, cy: f32, rx: f32, ry: f32) -> Self {
        // A circle's control points lie this share of the radius away.
        const K: f32 = 0.552_285;
        Self::at(cx - rx, cy)
            .curve([cx - rx, cy - ry * K], [cx - rx * K, cy - ry], [cx, cy - ry])
            .curve([cx + rx * K, cy - ry], [cx + rx, cy - ry * K], [cx + rx, cy])
            .curve([cx + rx, cy + ry * K], [cx + rx * K, cy + ry], [cx, cy + ry])
            .curve([cx - rx * K, cy + ry], [cx - rx, cy + ry * K], [cx - rx, cy])
    }

    /// Empty where nothing finite was drawn: then nothing is painted.
    pub(super) fn path(self) -> Option<Path> {
        self.0.finish()
    }
}

/// The picture, the place where shapes land in it, and the region they are kept to.
pub(super) struct Canvas {
    pixmap: Pixmap,
    /// From the drawing's units to pixels.
    pub(super) place: Transform,
    clip: Option<Mask>,
}

impl Canvas {
    pub(super) fn new(pixmap: Pixmap, place: Transform) -> Self {
        Self { pixmap, place, clip: None }
    }

    pub(super) fn into_pixmap(self) -> Pixmap {
        self.pixmap
    }

    /// Runs `draw` in units and axes changed by `change`.
    pub(super) fn within(&mut self, change: Transform, draw: impl FnOnce(&mut Self)) {
        let place = self.place;
        self.place = place.pre_concat(change);
        draw(self);
        self.place = place;
    }

    /// Runs `draw` with everything outside `shape` left as it is.
    pub(super) fn clipped(&mut self, shape: &Path, draw: impl FnOnce(&mut Self)) {
        let before = self.clip.take();
        let mut mask = before.clone().or_else(|| {
            let mut all = Mask::new(self.pixmap.width(), self.pixmap.height())?;
            all.data_mut().fill(255);
            Some(all)
        });
        if let Some(mask) = &mut mask {
            mask.intersect_path(shape, FillRule::Winding, true, self.place);
        }
        self.clip = mask;
        draw(self);
        self.clip = before;
    }

    fn paint(&mut self, path: &Path, shader: Shader<'_>) {
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, self.place, self.clip.as_ref());
    }

    pub(super) fn fill(&mut self, path: &Path, rgb: Rgb, alpha: f32) {
        self.paint(path, Shader::SolidColor(color(rgb, alpha)));
    }

    /// Fills with colours that change along the line from `from` to `to`; `stops` are (place 0-1, colour).
    pub(super) fn fill_linear(&mut self, path: &Path, from: [f32; 2], to: [f32; 2], stops: &[(f32, Color)]) {
        let stops = stops.iter().map(|&(at, color)| GradientStop::new(at, color)).collect();
        let [from, to] = [from, to].map(|[x, y]| Point::from_xy(x, y));
        if let Some(shader) = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()) {
            self.paint(path, shader);
        }
    }

    /// A soft-edged ellipse: `alpha` in the middle, nothing at the radius.
    pub(super) fn soft(&mut self, [cx, cy]: [f32; 2], [rx, ry]: [f32; 2], rgb: Rgb, alpha: f32) {
        if alpha <= 0.0 || rx <= 0.0 || ry <= 0.0 {
            return;
        }
        // A bell: the share of alpha left at each tenth of the radius.
        let bell = [(0.0, 1.0), (0.25, 0.85), (0.5, 0.5), (0.75, 0.15), (1.0, 0.0)];
        let stops =
            bell.iter().map(|&(at, share)| GradientStop::new(at, color(rgb, alpha * share))).collect();
        let centre = Point::from_xy(0.0, 0.0);
        let shader =
            RadialGradient::new(centre, 0.0, centre, 1.0, stops, SpreadMode::Pad, Transform::identity());
        if let (Some(shader), Some(disc)) = (shader, PathBuilder::from_circle(0.0, 0.0, 1.0)) {
            let ellipse = Transform::from_row(rx, 0.0, 0.0, ry, cx, cy);
            self.within(ellipse, |canvas| canvas.paint(&disc, shader));
        }
    }

    pub(super) fn stroke(&mut self, path: &Path, width: f32, rgb: Rgb, alpha: f32) {
        let shader = Shader::SolidColor(color(rgb, alpha));
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint, &stroke, self.place, self.clip.as_ref());
    }

    /// A stroke that fades out over its width: several thin ones, each narrower than the last.
    pub(super) fn soft_stroke(&mut self, path: &Path, width: f32, rgb: Rgb, alpha: f32) {
        const LAYERS: u16 = 6;
        if alpha <= 0.0 {
            return;
        }
        // Layers of this opacity, one over the other, make `alpha` in the middle.
        let each = 1.0 - (1.0 - alpha.min(1.0)).powf(1.0 / f32::from(LAYERS));
        for layer in 1..=LAYERS {
            self.stroke(path, width * f32::from(layer) / f32::from(LAYERS), rgb, each);
        }
    }
}
