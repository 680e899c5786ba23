//! Shoulders, neck, face and hair, and the order in which they are painted.
//!
//! Units: half a face's width is 1; the origin lies between the eyes and the nose's tip; y grows downwards.

use tiny_skia::{Path, Transform};

use super::canvas::{Canvas, Pen, Rgb};
use super::{Pose, eyes, mouth};

pub(super) const SKIN: Rgb = 0xe3b596;
pub(super) const SHADE: Rgb = 0x7d4630;
pub(super) const GLOW: Rgb = 0xffe6cf;
const BLUSH: Rgb = 0xd9705a;
pub(super) const HAIR: Rgb = 0x3b2720;
const HAIR_SHINE: Rgb = 0x8a5e45;
const WOOL: Rgb = 0x2f6670;
const WOOL_SHADE: Rgb = 0x163740;

/// The actor, from the shoulders up.
pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    let [x, y] = pose.shift;
    let bow = pose.expression.bow;
    // The shoulders follow the head at a distance.
    let body = Transform::from_translate(x * 0.4, y * 0.3).pre_scale(pose.zoom, pose.zoom);
    canvas.within(body, |canvas| {
        hair_behind(canvas, x * 0.6);
        shoulders(canvas, x * 0.3);
    });
    // The head turns about the neck.
    let head = Transform::from_translate(x, y + bow * 0.06)
        .pre_scale(pose.zoom, pose.zoom)
        .pre_concat(Transform::from_rotate_at(pose.roll, 0.0, 1.4));
    canvas.within(head, |canvas| face(canvas, pose));
}

fn hair_behind(canvas: &mut Canvas, x: f32) {
    let mass = Pen::at(x - 0.62, 1.3)
        .curve([x - 0.95, 1.42], [x - 1.12, 1.2], [x - 1.06, 0.7])
        .curve([x - 1.2, 0.2], [x - 1.15, -1.2], [x, -1.55])
        .curve([x + 1.15, -1.2], [x + 1.2, 0.2], [x + 1.06, 0.7])
        .curve([x + 1.12, 1.2], [x + 0.95, 1.42], [x + 0.62, 1.3])
        .curve([x + 0.4, 1.1], [x - 0.4, 1.1], [x - 0.62, 1.3])
        .path();
    if let Some(mass) = mass {
        canvas.soft([x, 0.1], [1.5, 1.9], 0x20262c, 0.25);
        canvas.fill(&mass, 0x2a1b16, 1.0);
    }
}

fn shoulders(canvas: &mut Canvas, lean: f32) {
    let neck = Pen::at(lean - 0.52, 0.7)
        .curve([lean - 0.5, 1.3], [-0.52, 1.5], [-0.78, 1.72])
        .line(0.78, 1.72)
        .curve([0.52, 1.5], [lean + 0.5, 1.3], [lean + 0.52, 0.7])
        .path();
    if let Some(neck) = neck {
        canvas.fill(&neck, 0xd3a080, 1.0);
        canvas.clipped(&neck, |canvas| {
            canvas.soft([lean, 1.25], [0.95, 0.5], SHADE, 0.75);
            canvas.soft([lean + 0.5, 1.5], [0.35, 0.7], SHADE, 0.4);
        });
    }
    let jumper = Pen::at(-0.62, 1.55)
        .curve([-0.4, 1.86], [0.4, 1.86], [0.62, 1.55])
        .curve([1.2, 1.72], [1.75, 1.78], [2.05, 2.3])
        .curve([2.2, 2.7], [2.25, 3.2], [2.3, 4.0])
        .line(-2.3, 4.0)
        .curve([-2.25, 3.2], [-2.2, 2.7], [-2.05, 2.3])
        .curve([-1.75, 1.78], [-1.2, 1.72], [-0.62, 1.55])
        .path();
    if let Some(jumper) = jumper {
        canvas.fill(&jumper, WOOL, 1.0);
        canvas.clipped(&jumper, |canvas| {
            canvas.soft([-0.9, 1.9], [1.0, 0.6], 0x6fa6ab, 0.5);
            canvas.soft([1.7, 2.5], [1.1, 1.3], WOOL_SHADE, 0.8);
            canvas.soft([0.0, 2.6], [0.7, 1.0], WOOL_SHADE, 0.4);
        });
    }
    let collar = Pen::at(-0.64, 1.56).curve([-0.42, 1.92], [0.42, 1.92], [0.64, 1.56]).path();
    if let Some(collar) = collar {
        canvas.soft_stroke(&collar, 0.2, WOOL_SHADE, 0.6);
        canvas.stroke(&collar, 0.1, 0x3d7983, 1.0);
    }
}

fn outline(jaw: f32) -> Option<Path> {
    let chin = 1.32 + 0.12 * jaw;
    Pen::at(0.0, -1.38)
        .curve([0.62, -1.38], [0.98, -0.88], [0.96, -0.2])
        .curve([0.95, 0.35], [0.84, 0.8], [0.52, chin - 0.2])
        .curve([0.36, chin - 0.05], [0.2, chin], [0.0, chin])
        .curve([-0.2, chin], [-0.36, chin - 0.05], [-0.52, chin - 0.2])
        .curve([-0.84, 0.8], [-0.95, 0.35], [-0.96, -0.2])
        .curve([-0.98, -0.88], [-0.62, -1.38], [0.0, -1.38])
        .path()
}

fn face(canvas: &mut Canvas, pose: &Pose) {
    let Some(outline) = outline(pose.expression.jaw) else { return };
    for side in [-1.0, 1.0] {
        ear(canvas, side, pose.turn);
    }
    canvas.fill(&outline, SKIN, 1.0);
    // What is on the face moves more than its outline when the head turns or nods.
    let (turn, nod) = (pose.turn * 0.07, pose.expression.bow * 0.05);
    canvas.clipped(&outline, |canvas| {
        shading(canvas, pose);
        canvas.within(Transform::from_translate(turn, nod - 0.02).pre_scale(1.12, 1.1), |canvas| {
            modelling(canvas, pose);
            eyes::draw(canvas, pose);
            mouth::draw(canvas, pose);
            canvas.within(Transform::from_translate(turn * 0.5, nod * 0.5), nose);
        });
    });
    hair(canvas, pose.turn * 0.03);
}

fn ear(canvas: &mut Canvas, side: f32, turn: f32) {
    let x = side * (1.0 - 0.04 * side * turn);
    if let Some(ear) = Pen::oval(x, 0.08, 0.14, 0.28).path() {
        canvas.fill(&ear, 0xd79f80, 1.0);
        canvas.clipped(&ear, |canvas| canvas.soft([x + side * 0.01, 0.1], [0.1, 0.2], SHADE, 0.55));
    }
}

/// Light and shade over the whole face: round like an egg, lit from the lamp's side.
fn shading(canvas: &mut Canvas, pose: &Pose) {
    let lamp = pose.lamp;
    for side in [-1.0, 1.0] {
        let away = 0.5 - 0.35 * side * lamp;
        canvas.soft([side * 1.12, 0.15], [0.5, 1.5], SHADE, 0.45 + 0.35 * away);
        canvas.soft([side * 0.8, 1.05], [0.5, 0.5], SHADE, 0.3);
    }
    canvas.soft([0.0, 1.5], [0.9, 0.3], SHADE, 0.5);
    canvas.soft([0.0, -1.35], [1.1, 0.55], SHADE, 0.55);
    canvas.soft([lamp * 0.3, -0.75], [0.6, 0.4], GLOW, 0.5);
}

/// Cheeks, chin, forehead: what lies under the features and moves with them.
fn modelling(canvas: &mut Canvas, pose: &Pose) {
    let e = &pose.expression;
    for side in [-1.0, 1.0] {
        let lit = 0.45 + 0.25 * side * pose.lamp;
        let cheek = 0.36 - 0.08 * e.cheeks;
        canvas.soft([side * 0.58, cheek + 0.06], [0.36, 0.28], BLUSH, 0.22 + 0.15 * e.cheeks);
        canvas.soft([side * 0.5, cheek - 0.04], [0.26, 0.2], GLOW, lit + 0.25 * e.cheeks);
        // The fold from the nose's wing round the corner of the mouth.
        let corner = 0.47 + 0.13 * e.smile;
        let fold = Pen::at(side * 0.21, 0.36)
            .curve(
                [side * 0.36, 0.42],
                [side * (corner + 0.04), 0.54],
                [side * corner, 0.84 - 0.08 * e.smile],
            )
            .path();
        if let Some(fold) = fold {
            canvas.soft_stroke(&fold, 0.11, SHADE, 0.12 + 0.38 * e.smile + 0.15 * e.pout);
        }
        if e.jaw > 0.0 {
            canvas.soft([side * 0.56, 0.78], [0.24, 0.5], SHADE, 0.28 * e.jaw);
        }
    }
    canvas.soft([0.0, 1.17 + 0.1 * e.jaw], [0.26, 0.16], GLOW, 0.45);
    forehead(canvas, e.inner_brow, e.outer_brow, e.frown);
}

fn forehead(canvas: &mut Canvas, inner: f32, outer: f32, frown: f32) {
    for line in 0..3u8 {
        let y = -0.74 - 0.11 * f32::from(line);
        let reach = 0.3 + 0.15 * outer;
        let rise = 0.02 * (outer - inner);
        let crease = Pen::at(-reach, y - rise)
            .curve([-reach * 0.5, y - 0.02 + rise], [reach * 0.5, y - 0.02 + rise], [reach, y - rise])
            .path();
        if let Some(crease) = crease {
            canvas.soft_stroke(&crease, 0.06, SHADE, 0.1 * inner.max(0.0) + 0.15 * outer.max(0.0));
        }
    }
    for side in [-1.0, 1.0] {
        let crease = Pen::at(side * 0.08, -0.5).quad([side * 0.05, -0.42], [side * 0.07, -0.3]).path();
        if let Some(crease) = crease {
            canvas.soft_stroke(&crease, 0.06, SHADE, 0.6 * frown);
        }
    }
}

fn nose(canvas: &mut Canvas) {
    for side in [-1.0, 1.0] {
        let flank = Pen::at(side * 0.12, -0.22)
            .curve([side * 0.07, 0.0], [side * 0.1, 0.2], [side * 0.19, 0.36])
            .path();
        if let Some(flank) = flank {
            canvas.soft_stroke(&flank, 0.12, SHADE, 0.28);
        }
        let wing = Pen::at(side * 0.17, 0.28)
            .curve([side * 0.24, 0.34], [side * 0.23, 0.45], [side * 0.13, 0.45])
            .path();
        if let Some(wing) = wing {
            canvas.soft_stroke(&wing, 0.05, SHADE, 0.6);
        }
    }
    canvas.soft([0.0, 0.02], [0.09, 0.4], GLOW, 0.75);
    canvas.soft([0.0, 0.5], [0.3, 0.12], SHADE, 0.5);
    canvas.soft([0.0, 0.32], [0.13, 0.13], GLOW, 0.8);
    for side in [-1.0, 1.0] {
        canvas.soft([side * 0.09, 0.44], [0.075, 0.045], 0x3a1a14, 0.95);
    }
}

fn hair(canvas: &mut Canvas, turn: f32) {
    let fringe = Pen::at(-1.03, 0.12)
        .curve([-1.2, -0.6], [-1.1, -1.72], [0.0, -1.74])
        .curve([1.1, -1.72], [1.2, -0.6], [1.03, 0.12])
        .curve([0.98, -0.2], [0.95, -0.5], [0.82 + turn, -0.72])
        .curve([0.7 + turn, -0.92], [0.5 + turn, -1.05], [0.36 + turn, -1.2])
        .curve([0.1 + turn, -0.98], [-0.45 + turn, -0.92], [-0.74 + turn, -0.74])
        .curve([-0.92, -0.6], [-0.97, -0.25], [-1.03, 0.12])
        .path();
    let Some(fringe) = fringe else { return };
    canvas.fill(&fringe, HAIR, 1.0);
    canvas.clipped(&fringe, |canvas| {
        canvas.soft([-0.4 + turn, -1.32], [0.7, 0.28], HAIR_SHINE, 0.55);
        canvas.soft([0.72 + turn, -1.15], [0.3, 0.3], HAIR_SHINE, 0.35);
        for strand in 0..14u8 {
            let s = f32::from(strand) / 13.0;
            let (rgb, alpha) = if strand % 2 == 0 { (HAIR_SHINE, 0.28) } else { (0x140b08, 0.4) };
            let sweep = Pen::at(0.36 + turn, -1.24 - 0.35 * s)
                .curve(
                    [-0.1, -1.25 - 0.4 * s],
                    [-0.65 - 0.3 * s, -1.15 - 0.2 * s],
                    [-0.78 - 0.3 * s, -0.7 + 0.5 * s],
                )
                .path();
            let other = Pen::at(0.38 + turn, -1.24 - 0.35 * s)
                .curve([0.6, -1.22 - 0.3 * s], [0.82 + 0.2 * s, -1.0], [0.88 + 0.2 * s, -0.6 + 0.6 * s])
                .path();
            for path in [sweep, other].into_iter().flatten() {
                canvas.stroke(&path, 0.018, rgb, alpha);
            }
        }
    });
}
