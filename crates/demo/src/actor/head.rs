//! Shoulders, neck, face and hair, painted from back to front.
//!
//! Coordinates are in head units: half the width of the face is 1, the origin lies between the eyes and the
//! tip of the nose, y grows downwards. `side` is -1 for the left and 1 for the right of the frame.

use tiny_skia::{Path, Transform};

use super::canvas::{Canvas, Pen, Rgb};
use super::palette::{HAIR, SKIN, SKIN_HIGHLIGHT, SKIN_SHADE};
use super::{Pose, eyes, mouth};

/// Colour of the cheeks.
const CHEEK: Rgb = 0xd9705a;
/// Colour of the highlights on the hair.
const HAIR_HIGHLIGHT: Rgb = 0x8a5e45;
/// Colour of the jumper.
const JUMPER: Rgb = 0x2f6670;
/// Colour of the shade on the jumper.
const JUMPER_SHADE: Rgb = 0x163740;

/// Draws the actor from the shoulders up.
pub(super) fn draw(canvas: &mut Canvas, pose: &Pose) {
    let [x, y] = pose.position;
    let head_down = pose.expression.head_down;
    // The shoulders follow the movement of the head with a smaller amplitude.
    let body = Transform::from_translate(x * 0.4, y * 0.3).pre_scale(pose.zoom, pose.zoom);
    canvas.with_transform(body, |canvas| {
        draw_back_hair(canvas, x * 0.6);
        draw_shoulders(canvas, x * 0.3);
    });
    // The head rolls about the neck.
    let head = Transform::from_translate(x, y + head_down * 0.06)
        .pre_scale(pose.zoom, pose.zoom)
        .pre_concat(Transform::from_rotate_at(pose.roll, 0.0, 1.4));
    canvas.with_transform(head, |canvas| draw_face(canvas, pose));
}

/// Draws the hair behind the head, around the horizontal position `x`.
fn draw_back_hair(canvas: &mut Canvas, x: f32) {
    let outline = Pen::new(x - 0.62, 1.3)
        .curve([x - 0.95, 1.42], [x - 1.12, 1.2], [x - 1.06, 0.7])
        .curve([x - 1.2, 0.2], [x - 1.15, -1.2], [x, -1.55])
        .curve([x + 1.15, -1.2], [x + 1.2, 0.2], [x + 1.06, 0.7])
        .curve([x + 1.12, 1.2], [x + 0.95, 1.42], [x + 0.62, 1.3])
        .curve([x + 0.4, 1.1], [x - 0.4, 1.1], [x - 0.62, 1.3])
        .finish();
    if let Some(outline) = outline {
        canvas.fill_soft_ellipse([x, 0.1], [1.5, 1.9], 0x20262c, 0.25);
        canvas.fill(&outline, 0x2a1b16, 1.0);
    }
}

/// Draws neck, jumper and collar; `neck_x` is the horizontal position of the top of the neck.
fn draw_shoulders(canvas: &mut Canvas, neck_x: f32) {
    let neck = Pen::new(neck_x - 0.52, 0.7)
        .curve([neck_x - 0.5, 1.3], [-0.52, 1.5], [-0.78, 1.72])
        .line(0.78, 1.72)
        .curve([0.52, 1.5], [neck_x + 0.5, 1.3], [neck_x + 0.52, 0.7])
        .finish();
    if let Some(neck) = neck {
        canvas.fill(&neck, 0xd3a080, 1.0);
        canvas.with_clip(&neck, |canvas| {
            canvas.fill_soft_ellipse([neck_x, 1.25], [0.95, 0.5], SKIN_SHADE, 0.75);
            canvas.fill_soft_ellipse([neck_x + 0.5, 1.5], [0.35, 0.7], SKIN_SHADE, 0.4);
        });
    }
    let jumper = Pen::new(-0.62, 1.55)
        .curve([-0.4, 1.86], [0.4, 1.86], [0.62, 1.55])
        .curve([1.2, 1.72], [1.75, 1.78], [2.05, 2.3])
        .curve([2.2, 2.7], [2.25, 3.2], [2.3, 4.0])
        .line(-2.3, 4.0)
        .curve([-2.25, 3.2], [-2.2, 2.7], [-2.05, 2.3])
        .curve([-1.75, 1.78], [-1.2, 1.72], [-0.62, 1.55])
        .finish();
    if let Some(jumper) = jumper {
        canvas.fill(&jumper, JUMPER, 1.0);
        canvas.with_clip(&jumper, |canvas| {
            canvas.fill_soft_ellipse([-0.9, 1.9], [1.0, 0.6], 0x6fa6ab, 0.5);
            canvas.fill_soft_ellipse([1.7, 2.5], [1.1, 1.3], JUMPER_SHADE, 0.8);
            canvas.fill_soft_ellipse([0.0, 2.6], [0.7, 1.0], JUMPER_SHADE, 0.4);
        });
    }
    let collar = Pen::new(-0.64, 1.56).curve([-0.42, 1.92], [0.42, 1.92], [0.64, 1.56]).finish();
    if let Some(collar) = collar {
        canvas.stroke_soft(&collar, 0.2, JUMPER_SHADE, 0.6);
        canvas.stroke(&collar, 0.1, 0x3d7983, 1.0);
    }
}

/// Outline of the face with the jaw dropped by 0-1.
fn face_outline(jaw_drop: f32) -> Option<Path> {
    let chin = 1.32 + 0.12 * jaw_drop;
    Pen::new(0.0, -1.38)
        .curve([0.62, -1.38], [0.98, -0.88], [0.96, -0.2])
        .curve([0.95, 0.35], [0.84, 0.8], [0.52, chin - 0.2])
        .curve([0.36, chin - 0.05], [0.2, chin], [0.0, chin])
        .curve([-0.2, chin], [-0.36, chin - 0.05], [-0.52, chin - 0.2])
        .curve([-0.84, 0.8], [-0.95, 0.35], [-0.96, -0.2])
        .curve([-0.98, -0.88], [-0.62, -1.38], [0.0, -1.38])
        .finish()
}

/// Draws ears, face with its features, and hair.
fn draw_face(canvas: &mut Canvas, pose: &Pose) {
    let Some(outline) = face_outline(pose.expression.jaw_drop) else { return };
    for side in [-1.0, 1.0] {
        draw_ear(canvas, side, pose.yaw);
    }
    canvas.fill(&outline, SKIN, 1.0);
    // Where the head turns or nods, the features move farther than the outline of the face.
    let (turn, nod) = (pose.yaw * 0.07, pose.expression.head_down * 0.05);
    canvas.with_clip(&outline, |canvas| {
        draw_shading(canvas, pose);
        canvas.with_transform(Transform::from_translate(turn, nod - 0.02).pre_scale(1.12, 1.1), |canvas| {
            draw_relief(canvas, pose);
            eyes::draw(canvas, pose);
            mouth::draw(canvas, pose);
            canvas.with_transform(Transform::from_translate(turn * 0.5, nod * 0.5), draw_nose);
        });
    });
    draw_front_hair(canvas, pose.yaw * 0.03);
}

/// Draws an ear of a head turned by `yaw`.
fn draw_ear(canvas: &mut Canvas, side: f32, yaw: f32) {
    let x = side * (1.0 - 0.04 * side * yaw);
    if let Some(ear) = Pen::ellipse(x, 0.08, 0.14, 0.28).finish() {
        canvas.fill(&ear, 0xd79f80, 1.0);
        canvas.with_clip(&ear, |canvas| {
            canvas.fill_soft_ellipse([x + side * 0.01, 0.1], [0.1, 0.2], SKIN_SHADE, 0.55)
        });
    }
}

/// Draws light and shade of the face as a rounded volume lit from one side.
fn draw_shading(canvas: &mut Canvas, pose: &Pose) {
    let light = pose.light_position;
    for side in [-1.0, 1.0] {
        let shade = 0.5 - 0.35 * side * light;
        canvas.fill_soft_ellipse([side * 1.12, 0.15], [0.5, 1.5], SKIN_SHADE, 0.45 + 0.35 * shade);
        canvas.fill_soft_ellipse([side * 0.8, 1.05], [0.5, 0.5], SKIN_SHADE, 0.3);
    }
    canvas.fill_soft_ellipse([0.0, 1.5], [0.9, 0.3], SKIN_SHADE, 0.5);
    canvas.fill_soft_ellipse([0.0, -1.35], [1.1, 0.55], SKIN_SHADE, 0.55);
    canvas.fill_soft_ellipse([light * 0.3, -0.75], [0.6, 0.4], SKIN_HIGHLIGHT, 0.5);
}

/// Draws cheeks, folds, chin and forehead, which move with the features.
fn draw_relief(canvas: &mut Canvas, pose: &Pose) {
    let e = &pose.expression;
    for side in [-1.0, 1.0] {
        let lit = 0.45 + 0.25 * side * pose.light_position;
        let cheek = 0.36 - 0.08 * e.cheek_raise;
        canvas.fill_soft_ellipse(
            [side * 0.58, cheek + 0.06],
            [0.36, 0.28],
            CHEEK,
            0.22 + 0.15 * e.cheek_raise,
        );
        canvas.fill_soft_ellipse(
            [side * 0.5, cheek - 0.04],
            [0.26, 0.2],
            SKIN_HIGHLIGHT,
            lit + 0.25 * e.cheek_raise,
        );
        // Nasolabial fold, from the wing of the nose around the corner of the mouth.
        let corner = 0.47 + 0.13 * e.lip_corner_pull;
        let fold = Pen::new(side * 0.21, 0.36)
            .curve(
                [side * 0.36, 0.42],
                [side * (corner + 0.04), 0.54],
                [side * corner, 0.84 - 0.08 * e.lip_corner_pull],
            )
            .finish();
        if let Some(fold) = fold {
            canvas.stroke_soft(
                &fold,
                0.11,
                SKIN_SHADE,
                0.12 + 0.38 * e.lip_corner_pull + 0.15 * e.lip_corner_depress,
            );
        }
        if e.jaw_drop > 0.0 {
            canvas.fill_soft_ellipse([side * 0.56, 0.78], [0.24, 0.5], SKIN_SHADE, 0.28 * e.jaw_drop);
        }
    }
    canvas.fill_soft_ellipse([0.0, 1.17 + 0.1 * e.jaw_drop], [0.26, 0.16], SKIN_HIGHLIGHT, 0.45);
    draw_forehead(canvas, e.inner_brow_raise, e.outer_brow_raise, e.brow_lower);
}

/// Draws the creases of the forehead and between the brows; the parameters are strengths of movements as in
/// `Expression`.
fn draw_forehead(canvas: &mut Canvas, inner_brow_raise: f32, outer_brow_raise: f32, brow_lower: f32) {
    for line in 0..3u8 {
        let y = -0.74 - 0.11 * f32::from(line);
        let half_width = 0.3 + 0.15 * outer_brow_raise;
        let rise = 0.02 * (outer_brow_raise - inner_brow_raise);
        let crease = Pen::new(-half_width, y - rise)
            .curve(
                [-half_width * 0.5, y - 0.02 + rise],
                [half_width * 0.5, y - 0.02 + rise],
                [half_width, y - rise],
            )
            .finish();
        if let Some(crease) = crease {
            canvas.stroke_soft(
                &crease,
                0.06,
                SKIN_SHADE,
                0.1 * inner_brow_raise.max(0.0) + 0.15 * outer_brow_raise.max(0.0),
            );
        }
    }
    for side in [-1.0, 1.0] {
        let crease = Pen::new(side * 0.08, -0.5).quad([side * 0.05, -0.42], [side * 0.07, -0.3]).finish();
        if let Some(crease) = crease {
            canvas.stroke_soft(&crease, 0.06, SKIN_SHADE, 0.6 * brow_lower);
        }
    }
}

/// Draws the nose.
fn draw_nose(canvas: &mut Canvas) {
    for side in [-1.0, 1.0] {
        let flank = Pen::new(side * 0.12, -0.22)
            .curve([side * 0.07, 0.0], [side * 0.1, 0.2], [side * 0.19, 0.36])
            .finish();
        if let Some(flank) = flank {
            canvas.stroke_soft(&flank, 0.12, SKIN_SHADE, 0.28);
        }
        let wing = Pen::new(side * 0.17, 0.28)
            .curve([side * 0.24, 0.34], [side * 0.23, 0.45], [side * 0.13, 0.45])
            .finish();
        if let Some(wing) = wing {
            canvas.stroke_soft(&wing, 0.05, SKIN_SHADE, 0.6);
        }
    }
    canvas.fill_soft_ellipse([0.0, 0.02], [0.09, 0.4], SKIN_HIGHLIGHT, 0.75);
    canvas.fill_soft_ellipse([0.0, 0.5], [0.3, 0.12], SKIN_SHADE, 0.5);
    canvas.fill_soft_ellipse([0.0, 0.32], [0.13, 0.13], SKIN_HIGHLIGHT, 0.8);
    for side in [-1.0, 1.0] {
        canvas.fill_soft_ellipse([side * 0.09, 0.44], [0.075, 0.045], 0x3a1a14, 0.95);
    }
}

/// Draws the hair above the forehead with its strands, moved sideways by `turn`.
fn draw_front_hair(canvas: &mut Canvas, turn: f32) {
    let fringe = Pen::new(-1.03, 0.12)
        .curve([-1.2, -0.6], [-1.1, -1.72], [0.0, -1.74])
        .curve([1.1, -1.72], [1.2, -0.6], [1.03, 0.12])
        .curve([0.98, -0.2], [0.95, -0.5], [0.82 + turn, -0.72])
        .curve([0.7 + turn, -0.92], [0.5 + turn, -1.05], [0.36 + turn, -1.2])
        .curve([0.1 + turn, -0.98], [-0.45 + turn, -0.92], [-0.74 + turn, -0.74])
        .curve([-0.92, -0.6], [-0.97, -0.25], [-1.03, 0.12])
        .finish();
    let Some(fringe) = fringe else { return };
    canvas.fill(&fringe, HAIR, 1.0);
    canvas.with_clip(&fringe, |canvas| {
        canvas.fill_soft_ellipse([-0.4 + turn, -1.32], [0.7, 0.28], HAIR_HIGHLIGHT, 0.55);
        canvas.fill_soft_ellipse([0.72 + turn, -1.15], [0.3, 0.3], HAIR_HIGHLIGHT, 0.35);
        for strand in 0..14u8 {
            let position = f32::from(strand) / 13.0;
            let (rgb, alpha) = if strand % 2 == 0 { (HAIR_HIGHLIGHT, 0.28) } else { (0x140b08, 0.4) };
            let left_strand = Pen::new(0.36 + turn, -1.24 - 0.35 * position)
                .curve(
                    [-0.1, -1.25 - 0.4 * position],
                    [-0.65 - 0.3 * position, -1.15 - 0.2 * position],
                    [-0.78 - 0.3 * position, -0.7 + 0.5 * position],
                )
                .finish();
            let right_strand = Pen::new(0.38 + turn, -1.24 - 0.35 * position)
                .curve(
                    [0.6, -1.22 - 0.3 * position],
                    [0.82 + 0.2 * position, -1.0],
                    [0.88 + 0.2 * position, -0.6 + 0.6 * position],
                )
                .finish();
            for path in [left_strand, right_strand].into_iter().flatten() {
                canvas.stroke(&path, 0.018, rgb, alpha);
            }
        }
    });
}
