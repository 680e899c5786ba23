//! The mouth: lips, teeth, and the dark between.

use super::Pose;
use super::canvas::{Canvas, Pen};
use super::head::{GLOW, SHADE};

const LIP: u32 = 0xb5604f;
const LIP_SHADE: u32 = 0x7d3328;
const INSIDE: u32 = 0x3a1113;

/// Half a mouth's width and the heights of what lies between its corners.
struct Shape {
    half: f32,
    /// Of the corners.
    corner: f32,
    /// Edges of the opening in the middle: lower edge of the upper lip, upper edge of the lower lip.
    upper: f32,
    lower: f32,
    /// Lip thickness.
    thick: f32,
    /// Control points of the edges, share of `half`: larger is rounder.
    round: f32,
}

impl Shape {
    fn of(pose: &Pose) -> Self {
        let e = &pose.expression;
        let y = 0.77 + 0.03 * e.jaw - 0.02 * e.pout;
        Self {
            half: 0.38 + 0.13 * e.smile - 0.14 * e.jaw + 0.02 * e.pout,
            corner: y - 0.11 * e.smile + 0.14 * e.pout + 0.09 * e.jaw,
            upper: y - 0.01 - 0.02 * e.smile - 0.06 * e.jaw - 0.03 * e.pout,
            lower: y + 0.01 + 0.19 * e.part + 0.30 * e.jaw - 0.03 * e.pout,
            thick: 0.085 - 0.015 * e.smile,
            round: 0.5 + 0.12 * e.part + 0.45 * e.jaw,
        }
    }

    /// An edge from corner to corner that passes the middle at `y`; from left to right, or back.
    fn edge(&self, pen: Pen, y: f32, direction: f32) -> Pen {
        // A cubic's middle lies three quarters of the way to its control points.
        let control = self.corner + (y - self.corner) * 4.0 / 3.0;
        let x = direction * self.half;
        pen.curve([-x * self.round, control], [x * self.round, control], [x, self.corner])
    }
}

pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    let e = &pose.expression;
    let m = Shape::of(pose);
    canvas.soft([0.0, m.lower + m.thick + 0.1], [0.3, 0.1], SHADE, 0.5 + 0.3 * e.pout);
    canvas.soft([0.0, m.upper - 0.13], [0.05, 0.1], SHADE, 0.25);

    let outer = m.edge(Pen::at(-m.half, m.corner), m.upper - m.thick, 1.0);
    if let Some(lips) = m.edge(outer, m.lower + m.thick * 1.15, -1.0).path() {
        canvas.soft_stroke(&lips, 0.04, LIP_SHADE, 0.35);
        canvas.fill(&lips, LIP, 1.0);
        canvas.clipped(&lips, |canvas| {
            canvas.soft([0.0, m.upper - m.thick * 0.4], [m.half, m.thick * 0.9], LIP_SHADE, 0.55);
            canvas.soft([0.0, m.lower + m.thick * 0.55], [m.half * 0.5, m.thick * 0.45], 0xf0b0a0, 0.55);
        });
    }
    let inner = m.edge(Pen::at(-m.half, m.corner), m.upper, 1.0);
    if let Some(opening) = m.edge(inner, m.lower, -1.0).path() {
        canvas.fill(&opening, INSIDE, 1.0);
        canvas.clipped(&opening, |canvas| {
            canvas.soft([0.0, m.lower], [m.half * 0.6, 0.12], 0xa04a48, 0.8 * e.part.max(e.jaw));
            teeth(canvas, &m, e.part, e.jaw);
        });
        canvas.soft_stroke(&opening, 0.03, LIP_SHADE, 0.8);
    }
    for side in [-1.0, 1.0] {
        let x = side * m.half;
        canvas.soft([x, m.corner], [0.07, 0.06], 0x5a2018, 0.55);
        canvas.soft([x + side * 0.09, m.corner + 0.02], [0.06, 0.1], SHADE, 0.2 * e.smile);
        canvas.soft([x + side * 0.05, m.corner + 0.08], [0.11, 0.15], SHADE, 0.6 * e.pout);
    }
    // A chin pushed up is dimpled.
    canvas.soft([0.0, 1.1], [0.16, 0.05], SHADE, 0.35 * e.pout);
    canvas.soft([0.0, m.upper - 0.1], [0.12, 0.03], GLOW, 0.25);
}

fn teeth(canvas: &mut Canvas, m: &Shape, part: f32, jaw: f32) {
    let reach = part.max(0.35 * jaw);
    let below = m.upper + (m.lower - m.upper) * (0.72 * part).max(0.22 * jaw);
    let row = m.edge(Pen::at(-m.half, m.corner), m.upper - 0.05, 1.0);
    if let Some(row) = m.edge(row, below, -1.0).path() {
        canvas.fill(&row, 0xf7f1e8, reach.min(1.0));
        canvas.clipped(&row, |canvas| {
            for gap in [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3] {
                if let Some(gap) = Pen::at(gap, m.upper - 0.1).line(gap, below).path() {
                    canvas.stroke(&gap, 0.008, 0x9a8478, 0.45 * part);
                }
            }
            canvas.soft([-m.half, m.corner], [m.half * 0.5, 0.2], INSIDE, 0.7);
            canvas.soft([m.half, m.corner], [m.half * 0.5, 0.2], INSIDE, 0.7);
        });
    }
}
