//! Eyes and brows.

use super::Pose;
use super::canvas::{Canvas, Pen};
use super::head::{HAIR, SHADE};

const EYE: [f32; 2] = [0.41, -0.1];

pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    for side in [-1.0, 1.0] {
        eye(canvas, pose, side);
        brow(canvas, pose, side);
    }
}

fn eye(canvas: &mut Canvas, pose: &Pose, side: f32) {
    let e = &pose.expression;
    let [x, y] = [side * EYE[0], EYE[1]];
    let open = 1.0 - pose.blink;
    let upper =
        ((0.094 + 0.1 * e.wide.max(0.0) + 0.06 * e.wide.min(0.0) - 0.02 * e.cheeks) * open).max(-0.03);
    let lower = 0.075 + 0.02 * e.wide.max(0.0) - 0.05 * e.cheeks;
    let upper = if open < 0.05 { -lower * 0.7 } else { upper };
    let (inner, outer) = (x - side * 0.2, x + side * 0.21);
    let (inner_y, outer_y) = (y + 0.035, y + 0.005 + 0.05 * (-e.wide).max(0.0));

    // The socket: shade under the brow, towards the nose and below.
    canvas.soft([x - side * 0.05, y - 0.14], [0.36, 0.26], SHADE, 0.6);
    canvas.soft([x - side * 0.22, y - 0.02], [0.14, 0.2], SHADE, 0.42);
    canvas.soft([x, y + 0.13], [0.28, 0.13], SHADE, 0.3);

    let above = [[x - side * 0.12, y - upper * 1.3], [x + side * 0.11, y - upper * 1.35]];
    let below = [[x + side * 0.12, y + lower * 1.3], [x - side * 0.1, y + lower * 1.3]];
    let opening = Pen::at(inner, inner_y)
        .curve(above[0], above[1], [outer, outer_y])
        .curve(below[0], below[1], [inner, inner_y])
        .path();
    if let Some(opening) = opening {
        canvas.fill(&opening, 0xf3ece6, 1.0);
        canvas.clipped(&opening, |canvas| {
            let (ix, iy) = (x + 0.05 * pose.gaze[0], y - 0.01 + 0.03 * pose.gaze[1] + 0.04 * e.bow);
            iris(canvas, ix, iy);
            canvas.soft([x, y - upper], [0.26, 0.09], 0x2a1812, 0.6);
            canvas.soft([inner, inner_y], [0.06, 0.06], 0xb5675a, 0.6);
        });
    }
    let lashes = Pen::at(inner, inner_y).curve(above[0], above[1], [outer, outer_y]).path();
    if let Some(lashes) = lashes {
        canvas.soft_stroke(&lashes, 0.075, 0x1c0f0b, 0.9);
    }
    let fold = Pen::at(inner + side * 0.03, inner_y - 0.08)
        .curve(
            [x - side * 0.1, y - upper * 1.25 - 0.09],
            [x + side * 0.12, y - upper * 1.25 - 0.09],
            [outer + side * 0.03, outer_y - 0.05],
        )
        .path();
    if let Some(fold) = fold {
        canvas.soft_stroke(&fold, 0.045, SHADE, 0.7);
    }
    let lid = Pen::at(outer, outer_y).curve(below[0], below[1], [inner, inner_y]).path();
    if let Some(lid) = lid {
        canvas.soft_stroke(&lid, 0.035, SHADE, 0.75);
    }
    // Cheeks pushed up make a bag under the eye and feet at its corner.
    let bag = Pen::at(inner + side * 0.04, y + 0.14)
        .curve([x - side * 0.05, y + 0.22], [x + side * 0.12, y + 0.2], [outer, y + 0.1])
        .path();
    if let Some(bag) = bag {
        canvas.soft_stroke(&bag, 0.06, SHADE, 0.18 + 0.4 * e.cheeks);
    }
    for toe in [-0.05, 0.03] {
        let foot = Pen::at(outer + side * 0.05, y + 0.02 + toe)
            .line(outer + side * 0.15, y + 0.02 + 2.0 * toe)
            .path();
        if let Some(foot) = foot {
            canvas.soft_stroke(&foot, 0.03, SHADE, 0.45 * e.cheeks);
        }
    }
}

fn iris(canvas: &mut Canvas, x: f32, y: f32) {
    let discs = [(0.112, 0x2b1a12), (0.1, 0x6b4426), (0.05, 0x0c0706)];
    for (radius, rgb) in discs {
        if let Some(disc) = Pen::oval(x, y, radius, radius).path() {
            canvas.fill(&disc, rgb, 1.0);
        }
    }
    canvas.soft([x, y + 0.06], [0.07, 0.05], 0xb07a45, 0.6);
    if let Some(light) = Pen::oval(x - 0.035, y - 0.04, 0.024, 0.024).path() {
        canvas.fill(&light, 0xffffff, 0.95);
    }
}

fn brow(canvas: &mut Canvas, pose: &Pose, side: f32) {
    let e = &pose.expression;
    let inner = [side * (0.17 - 0.05 * e.frown), -0.325 - 0.14 * e.inner_brow + 0.11 * e.frown];
    let peak = [side * 0.46, -0.415 - 0.04 * e.inner_brow - 0.13 * e.outer_brow + 0.07 * e.frown];
    let outer = [side * 0.7, -0.345 - 0.11 * e.outer_brow + 0.09 * e.inner_brow * (1.0 - e.outer_brow)];
    let arc = |lift: f32| {
        let control = [peak[0] - side * 0.06, peak[1] - 0.05 - lift];
        (control, [inner[0], inner[1] - lift * 0.6])
    };
    let (upper, top) = arc(0.05);
    let (lower, bottom) = arc(-0.045);
    let shape = Pen::at(top[0], top[1]).quad(upper, outer).quad(lower, bottom).path();
    if let Some(shape) = shape {
        canvas.soft_stroke(&shape, 0.06, HAIR, 0.3);
        canvas.fill(&shape, HAIR, 0.62);
    }
}
