//! What is around the actor: a plain wall, and the light that drifts over everything.

use tiny_skia::Path;

use super::Pose;
use super::canvas::{Canvas, Pen, color};

/// The whole picture, `size` in head units, however the drawing's origin lies in it.
fn everything([width, height]: [f32; 2]) -> Option<Path> {
    let (x, y) = (width, height);
    Pen::at(-x, -y).line(x, -y).line(x, y).line(-x, y).path()
}

/// The wall.
pub(super) fn behind(canvas: &mut Canvas, size: [f32; 2], pose: &Pose) {
    let Some(all) = everything(size) else { return };
    let wall = [(0.0, color(0xaebcc2, 1.0)), (0.55, color(0x9fb0b6, 1.0)), (1.0, color(0x7f9197, 1.0))];
    canvas.fill_linear(&all, [0.0, -size[1] * 0.5], [0.0, size[1] * 0.5], &wall);
    let across = pose.lamp * size[0] * 0.3;
    canvas.soft([across, -size[1] * 0.15], [size[0] * 0.6, size[1] * 0.7], 0xf4efe2, 0.35);
}

/// The light over wall and actor: brighter and warmer, or dimmer and cooler, and darker towards the corners.
pub(super) fn light(canvas: &mut Canvas, size: [f32; 2], pose: &Pose) {
    let Some(all) = everything(size) else { return };
    let (tint, strength) = if pose.light > 0.0 { (0xfff0d0, 0.10) } else { (0x101830, 0.16) };
    canvas.fill(&all, tint, strength * pose.light.abs());
    let (near, far) = (color(0x14182a, 0.0), color(0x14182a, 0.22));
    let side = if pose.lamp < 0.0 { 0.5 } else { -0.5 };
    canvas.fill_linear(&all, [-side * size[0] * 0.3, 0.0], [side * size[0], 0.0], &[(0.0, near), (1.0, far)]);
}
