//! Eyes and brows, in head units (half the width of the face).

use super::Pose;
use super::canvas::{Canvas, Pen};
use super::palette::{HAIR, SKIN_SHADE};

/// Centre of the eye on the right of the frame.
const EYE_CENTRE: [f32; 2] = [0.41, -0.1];

/// Draws both eyes and brows.
pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    for side in [-1.0, 1.0] {
        draw_eye(canvas, pose, side);
        draw_brow(canvas, pose, side);
    }
}

/// Draws an eye; `side` is -1 for the left and 1 for the right of the frame.
fn draw_eye(canvas: &mut Canvas, pose: &Pose, side: f32) {
    let e = &pose.expression;
    let [x, y] = [side * EYE_CENTRE[0], EYE_CENTRE[1]];
    let openness = 1.0 - pose.eye_closure;
    let upper = ((0.094 + 0.1 * e.lid_raise.max(0.0) + 0.06 * e.lid_raise.min(0.0) - 0.02 * e.cheek_raise)
        * openness)
        .max(-0.03);
    let lower = 0.075 + 0.02 * e.lid_raise.max(0.0) - 0.05 * e.cheek_raise;
    let upper = if openness < 0.05 { -lower * 0.7 } else { upper };
    let (inner, outer) = (x - side * 0.2, x + side * 0.21);
    let (inner_y, outer_y) = (y + 0.035, y + 0.005 + 0.05 * (-e.lid_raise).max(0.0));

    // Eye socket: shade under the brow, towards the nose and below.
    canvas.fill_soft_ellipse([x - side * 0.05, y - 0.14], [0.36, 0.26], SKIN_SHADE, 0.6);
    canvas.fill_soft_ellipse([x - side * 0.22, y - 0.02], [0.14, 0.2], SKIN_SHADE, 0.42);
    canvas.fill_soft_ellipse([x, y + 0.13], [0.28, 0.13], SKIN_SHADE, 0.3);

    let above = [[x - side * 0.12, y - upper * 1.3], [x + side * 0.11, y - upper * 1.35]];
    let below = [[x + side * 0.12, y + lower * 1.3], [x - side * 0.1, y + lower * 1.3]];
    let opening = Pen::new(inner, inner_y)
        .curve(above[0], above[1], [outer, outer_y])
        .curve(below[0], below[1], [inner, inner_y])
        .finish();
    if let Some(opening) = opening {
        canvas.fill(&opening, 0xf3ece6, 1.0);
        canvas.with_clip(&opening, |canvas| {
            let (iris_x, iris_y) =
                (x + 0.05 * pose.gaze[0], y - 0.01 + 0.03 * pose.gaze[1] + 0.04 * e.head_down);
            draw_iris(canvas, iris_x, iris_y);
            canvas.fill_soft_ellipse([x, y - upper], [0.26, 0.09], 0x2a1812, 0.6);
            canvas.fill_soft_ellipse([inner, inner_y], [0.06, 0.06], 0xb5675a, 0.6);
        });
    }
    let lashes = Pen::new(inner, inner_y).curve(above[0], above[1], [outer, outer_y]).finish();
    if let Some(lashes) = lashes {
        canvas.stroke_soft(&lashes, 0.075, 0x1c0f0b, 0.9);
    }
    let fold = Pen::new(inner + side * 0.03, inner_y - 0.08)
        .curve(
            [x - side * 0.1, y - upper * 1.25 - 0.09],
            [x + side * 0.12, y - upper * 1.25 - 0.09],
            [outer + side * 0.03, outer_y - 0.05],
        )
        .finish();
    if let Some(fold) = fold {
        canvas.stroke_soft(&fold, 0.045, SKIN_SHADE, 0.7);
    }
    let lower_lid = Pen::new(outer, outer_y).curve(below[0], below[1], [inner, inner_y]).finish();
    if let Some(lower_lid) = lower_lid {
        canvas.stroke_soft(&lower_lid, 0.035, SKIN_SHADE, 0.75);
    }
    // Raised cheeks make a fold under the eye and crow's feet at its outer corner.
    let bag = Pen::new(inner + side * 0.04, y + 0.14)
        .curve([x - side * 0.05, y + 0.22], [x + side * 0.12, y + 0.2], [outer, y + 0.1])
        .finish();
    if let Some(bag) = bag {
        canvas.stroke_soft(&bag, 0.06, SKIN_SHADE, 0.18 + 0.4 * e.cheek_raise);
    }
    for wrinkle_y in [-0.05, 0.03] {
        let wrinkle = Pen::new(outer + side * 0.05, y + 0.02 + wrinkle_y)
            .line(outer + side * 0.15, y + 0.02 + 2.0 * wrinkle_y)
            .finish();
        if let Some(wrinkle) = wrinkle {
            canvas.stroke_soft(&wrinkle, 0.03, SKIN_SHADE, 0.45 * e.cheek_raise);
        }
    }
}

/// Draws iris, pupil and their highlight around a centre.
fn draw_iris(canvas: &mut Canvas, x: f32, y: f32) {
    let discs = [(0.112, 0x2b1a12), (0.1, 0x6b4426), (0.05, 0x0c0706)];
    for (radius, rgb) in discs {
        if let Some(disc) = Pen::ellipse(x, y, radius, radius).finish() {
            canvas.fill(&disc, rgb, 1.0);
        }
    }
    canvas.fill_soft_ellipse([x, y + 0.06], [0.07, 0.05], 0xb07a45, 0.6);
    if let Some(highlight) = Pen::ellipse(x - 0.035, y - 0.04, 0.024, 0.024).finish() {
        canvas.fill(&highlight, 0xffffff, 0.95);
    }
}

/// Draws a brow; `side` as for [`draw_eye`].
fn draw_brow(canvas: &mut Canvas, pose: &Pose, side: f32) {
    let e = &pose.expression;
    let inner =
        [side * (0.17 - 0.05 * e.brow_lower), -0.325 - 0.14 * e.inner_brow_raise + 0.11 * e.brow_lower];
    let peak =
        [side * 0.46, -0.415 - 0.04 * e.inner_brow_raise - 0.13 * e.outer_brow_raise + 0.07 * e.brow_lower];
    let outer = [
        side * 0.7,
        -0.345 - 0.11 * e.outer_brow_raise + 0.09 * e.inner_brow_raise * (1.0 - e.outer_brow_raise),
    ];
    let arc = |lift: f32| {
        let control = [peak[0] - side * 0.06, peak[1] - 0.05 - lift];
        (control, [inner[0], inner[1] - lift * 0.6])
    };
    let (upper, top) = arc(0.05);
    let (lower, bottom) = arc(-0.045);
    let shape = Pen::new(top[0], top[1]).quad(upper, outer).quad(lower, bottom).finish();
    if let Some(shape) = shape {
        canvas.stroke_soft(&shape, 0.06, HAIR, 0.3);
        canvas.fill(&shape, HAIR, 0.62);
    }
}
