//! The mouth: lips, teeth and the dark inside, in head units (half the width of the face).

use super::Pose;
use super::canvas::{Canvas, Pen, Rgb};
use super::palette::{SKIN_HIGHLIGHT, SKIN_SHADE};

/// Lips.
const LIP: Rgb = 0xb5604f;
/// Shade on the lips.
const LIP_SHADE: Rgb = 0x7d3328;
/// Inside of the open mouth.
const INSIDE: Rgb = 0x3a1113;

/// Geometry of the mouth; heights grow downwards.
struct MouthShape {
    /// Half the width of the mouth.
    half_width: f32,
    /// Height of the corners.
    corner: f32,
    /// Height of the lower edge of the upper lip, in the middle.
    upper: f32,
    /// Height of the upper edge of the lower lip, in the middle.
    lower: f32,
    /// Thickness of the lips.
    thickness: f32,
    /// Distance of the control points of the edges from the middle, as a share of the half width: a larger one is rounder.
    roundness: f32,
}

impl MouthShape {
    fn from_pose(pose: &Pose) -> Self {
        let e = &pose.expression;
        let y = 0.77 + 0.03 * e.jaw_drop - 0.02 * e.lip_corner_depress;
        Self {
            half_width: 0.38 + 0.13 * e.lip_corner_pull - 0.14 * e.jaw_drop + 0.02 * e.lip_corner_depress,
            corner: y - 0.11 * e.lip_corner_pull + 0.14 * e.lip_corner_depress + 0.09 * e.jaw_drop,
            upper: y - 0.01 - 0.02 * e.lip_corner_pull - 0.06 * e.jaw_drop - 0.03 * e.lip_corner_depress,
            lower: y + 0.01 + 0.19 * e.lips_part + 0.30 * e.jaw_drop - 0.03 * e.lip_corner_depress,
            thickness: 0.085 - 0.015 * e.lip_corner_pull,
            roundness: 0.5 + 0.12 * e.lips_part + 0.45 * e.jaw_drop,
        }
    }

    /// Adds an edge from corner to corner whose middle is at height `y`; `direction` is 1 from left to right, -1 back.
    fn add_edge(&self, pen: Pen, y: f32, direction: f32) -> Pen {
        // The middle of a cubic Bézier curve lies three quarters of the way to its control points.
        let control = self.corner + (y - self.corner) * 4.0 / 3.0;
        let x = direction * self.half_width;
        pen.curve([-x * self.roundness, control], [x * self.roundness, control], [x, self.corner])
    }
}

/// Draws the mouth.
pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    let e = &pose.expression;
    let m = MouthShape::from_pose(pose);
    canvas.fill_soft_ellipse(
        [0.0, m.lower + m.thickness + 0.1],
        [0.3, 0.1],
        SKIN_SHADE,
        0.5 + 0.3 * e.lip_corner_depress,
    );
    canvas.fill_soft_ellipse([0.0, m.upper - 0.13], [0.05, 0.1], SKIN_SHADE, 0.25);

    let outer = m.add_edge(Pen::new(-m.half_width, m.corner), m.upper - m.thickness, 1.0);
    if let Some(lips) = m.add_edge(outer, m.lower + m.thickness * 1.15, -1.0).finish() {
        canvas.stroke_soft(&lips, 0.04, LIP_SHADE, 0.35);
        canvas.fill(&lips, LIP, 1.0);
        canvas.with_clip(&lips, |canvas| {
            canvas.fill_soft_ellipse(
                [0.0, m.upper - m.thickness * 0.4],
                [m.half_width, m.thickness * 0.9],
                LIP_SHADE,
                0.55,
            );
            canvas.fill_soft_ellipse(
                [0.0, m.lower + m.thickness * 0.55],
                [m.half_width * 0.5, m.thickness * 0.45],
                0xf0b0a0,
                0.55,
            );
        });
    }
    let inner = m.add_edge(Pen::new(-m.half_width, m.corner), m.upper, 1.0);
    if let Some(opening) = m.add_edge(inner, m.lower, -1.0).finish() {
        canvas.fill(&opening, INSIDE, 1.0);
        canvas.with_clip(&opening, |canvas| {
            canvas.fill_soft_ellipse(
                [0.0, m.lower],
                [m.half_width * 0.6, 0.12],
                0xa04a48,
                0.8 * e.lips_part.max(e.jaw_drop),
            );
            draw_teeth(canvas, &m, e.lips_part, e.jaw_drop);
        });
        canvas.stroke_soft(&opening, 0.03, LIP_SHADE, 0.8);
    }
    for side in [-1.0, 1.0] {
        let x = side * m.half_width;
        canvas.fill_soft_ellipse([x, m.corner], [0.07, 0.06], 0x5a2018, 0.55);
        canvas.fill_soft_ellipse(
            [x + side * 0.09, m.corner + 0.02],
            [0.06, 0.1],
            SKIN_SHADE,
            0.2 * e.lip_corner_pull,
        );
        canvas.fill_soft_ellipse(
            [x + side * 0.05, m.corner + 0.08],
            [0.11, 0.15],
            SKIN_SHADE,
            0.6 * e.lip_corner_depress,
        );
    }
    // A raised chin is dimpled.
    canvas.fill_soft_ellipse([0.0, 1.1], [0.16, 0.05], SKIN_SHADE, 0.35 * e.lip_corner_depress);
    canvas.fill_soft_ellipse([0.0, m.upper - 0.1], [0.12, 0.03], SKIN_HIGHLIGHT, 0.25);
}

/// Draws the upper teeth.
fn draw_teeth(canvas: &mut Canvas, m: &MouthShape, lips_part: f32, jaw_drop: f32) {
    let opacity = lips_part.max(0.35 * jaw_drop);
    let bottom = m.upper + (m.lower - m.upper) * (0.72 * lips_part).max(0.22 * jaw_drop);
    let row = m.add_edge(Pen::new(-m.half_width, m.corner), m.upper - 0.05, 1.0);
    if let Some(row) = m.add_edge(row, bottom, -1.0).finish() {
        canvas.fill(&row, 0xf7f1e8, opacity.min(1.0));
        canvas.with_clip(&row, |canvas| {
            for gap in [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3] {
                if let Some(gap) = Pen::new(gap, m.upper - 0.1).line(gap, bottom).finish() {
                    canvas.stroke(&gap, 0.008, 0x9a8478, 0.45 * lips_part);
                }
            }
            canvas.fill_soft_ellipse([-m.half_width, m.corner], [m.half_width * 0.5, 0.2], INSIDE, 0.7);
            canvas.fill_soft_ellipse([m.half_width, m.corner], [m.half_width * 0.5, 0.2], INSIDE, 0.7);
        });
    }
}
