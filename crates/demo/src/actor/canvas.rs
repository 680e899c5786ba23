//! A drawing surface with the operations that a portrait needs: filled shapes, strokes, and ellipses and
//! strokes with soft edges.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Mask, Paint, Path, PathBuilder, Pixmap,
    Point, RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

/// An opaque colour, 0xRRGGBB.
pub(super) type Rgb = u32;

/// A colour with an opacity of 0-1.
pub(super) fn color(rgb: Rgb, alpha: f32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    let mut color = Color::from_rgba8(r, g, b, 255);
    color.set_alpha(alpha.clamp(0.0, 1.0));
    color
}

/// Builds a path point by point, in the units of the drawing.
pub(super) struct Pen(PathBuilder);

impl Pen {
    /// Starts a path at a point.
    pub(super) fn new(x: f32, y: f32) -> Self {
        let mut path = PathBuilder::new();
        path.move_to(x, y);
        Self(path)
    }

    /// Adds a straight line to a point.
    pub(super) fn line(mut self, x: f32, y: f32) -> Self {
        self.0.line_to(x, y);
        self
    }

    /// Adds a quadratic Bézier curve with one control point.
    pub(super) fn quad(mut self, [cx, cy]: [f32; 2], [x, y]: [f32; 2]) -> Self {
        self.0.quad_to(cx, cy, x, y);
        self
    }

    /// Adds a cubic Bézier curve with two control points.
    pub(super) fn curve(mut self, [ax, ay]: [f32; 2], [bx, by]: [f32; 2], [x, y]: [f32; 2]) -> Self {
        self.0.cubic_to(ax, ay, bx, by, x, y);
        self
    }

    /// An ellipse with its centre and radii.
    pub(super) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Self {
        // Distance of the control points with which four cubic curves approximate a circle, in radii:
        // 4 / 3 (sqrt(2) - 1).
        const CONTROL_DISTANCE: f32 = 0.552_285;
        let (dx, dy) = (rx * CONTROL_DISTANCE, ry * CONTROL_DISTANCE);
        Self::new(cx - rx, cy)
            .curve([cx - rx, cy - dy], [cx - dx, cy - ry], [cx, cy - ry])
            .curve([cx + dx, cy - ry], [cx + rx, cy - dy], [cx + rx, cy])
            .curve([cx + rx, cy + dy], [cx + dx, cy + ry], [cx, cy + ry])
            .curve([cx - dx, cy + ry], [cx - rx, cy + dy], [cx - rx, cy])
    }

    /// Finishes the path; `None` where it is empty or not finite, in which case there is nothing to paint.
    pub(super) fn finish(self) -> Option<Path> {
        self.0.finish()
    }
}

/// The frame being drawn, with the current transform and clip region.
pub(super) struct Canvas {
    pixmap: Pixmap,
    /// From the units of the drawing to pixels.
    transform: Transform,
    /// The region to which painting is restricted; `None` for no restriction.
    clip: Option<Mask>,
}

impl Canvas {
    /// A canvas on a pixmap, with the transform from the units of the drawing to pixels.
    pub(super) fn new(pixmap: Pixmap, transform: Transform) -> Self {
        Self { pixmap, transform, clip: None }
    }

    /// The finished drawing.
    pub(super) fn into_pixmap(self) -> Pixmap {
        self.pixmap
    }

    /// Runs `draw` with `change` applied before the current transform.
    pub(super) fn with_transform(&mut self, change: Transform, draw: impl FnOnce(&mut Self)) {
        let transform = self.transform;
        self.transform = transform.pre_concat(change);
        draw(self);
        self.transform = transform;
    }

    /// Runs `draw` with painting restricted to the inside of `shape`, in addition to the current clip region.
    pub(super) fn with_clip(&mut self, shape: &Path, draw: impl FnOnce(&mut Self)) {
        let previous = self.clip.take();
        let mut mask = previous.clone().or_else(|| {
            let mut full = Mask::new(self.pixmap.width(), self.pixmap.height())?;
            full.data_mut().fill(255);
            Some(full)
        });
        if let Some(mask) = &mut mask {
            mask.intersect_path(shape, FillRule::Winding, true, self.transform);
        }
        self.clip = mask;
        draw(self);
        self.clip = previous;
    }

    fn paint(&mut self, path: &Path, shader: Shader<'_>) {
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, self.transform, self.clip.as_ref());
    }

    /// Fills a path with a colour.
    pub(super) fn fill(&mut self, path: &Path, rgb: Rgb, alpha: f32) {
        self.paint(path, Shader::SolidColor(color(rgb, alpha)));
    }

    /// Fills a path with a linear gradient along the line from `from` to `to`; `stops` are positions on it
    /// (0-1) with colours.
    pub(super) fn fill_linear(&mut self, path: &Path, from: [f32; 2], to: [f32; 2], stops: &[(f32, Color)]) {
        let stops = stops.iter().map(|&(position, color)| GradientStop::new(position, color)).collect();
        let [from, to] = [from, to].map(|[x, y]| Point::from_xy(x, y));
        if let Some(shader) = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()) {
            self.paint(path, shader);
        }
    }

    /// Fills an ellipse whose opacity falls from `alpha` in the middle to 0 at the edge.
    pub(super) fn fill_soft_ellipse(&mut self, [cx, cy]: [f32; 2], [rx, ry]: [f32; 2], rgb: Rgb, alpha: f32) {
        if alpha <= 0.0 || rx <= 0.0 || ry <= 0.0 {
            return;
        }
        // A bell-shaped profile: position on the radius, share of `alpha`.
        let profile = [(0.0, 1.0), (0.25, 0.85), (0.5, 0.5), (0.75, 0.15), (1.0, 0.0)];
        let stops = profile
            .iter()
            .map(|&(position, share)| GradientStop::new(position, color(rgb, alpha * share)))
            .collect();
        let centre = Point::from_xy(0.0, 0.0);
        let shader =
            RadialGradient::new(centre, 0.0, centre, 1.0, stops, SpreadMode::Pad, Transform::identity());
        if let (Some(shader), Some(disc)) = (shader, PathBuilder::from_circle(0.0, 0.0, 1.0)) {
            let ellipse = Transform::from_row(rx, 0.0, 0.0, ry, cx, cy);
            self.with_transform(ellipse, |canvas| canvas.paint(&disc, shader));
        }
    }

    /// Strokes a path with round caps and joins; `width` in the units of the drawing.
    pub(super) fn stroke(&mut self, path: &Path, width: f32, rgb: Rgb, alpha: f32) {
        let shader = Shader::SolidColor(color(rgb, alpha));
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint, &stroke, self.transform, self.clip.as_ref());
    }

    /// Strokes a path with an opacity that falls from `alpha` in the middle to 0 at the edge of `width`:
    /// several strokes of increasing width, one over the other.
    pub(super) fn stroke_soft(&mut self, path: &Path, width: f32, rgb: Rgb, alpha: f32) {
        const LAYERS: u16 = 6;
        if alpha <= 0.0 {
            return;
        }
        // The opacity of one layer, such that all layers together have the opacity `alpha` in the middle.
        let layer_alpha = 1.0 - (1.0 - alpha.min(1.0)).powf(1.0 / f32::from(LAYERS));
        for layer in 1..=LAYERS {
            self.stroke(path, width * f32::from(layer) / f32::from(LAYERS), rgb, layer_alpha);
        }
    }
}
