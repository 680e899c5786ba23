//! The wall behind the actor, and the lighting of the frame, which changes slowly.
//!
//! `size` is the frame's width and height in head units (half the width of the face).

use tiny_skia::Path;

use super::Pose;
use super::canvas::{Canvas, Pen, color};

/// A rectangle that covers the frame wherever the origin of the drawing lies in it.
fn frame_outline([width, height]: [f32; 2]) -> Option<Path> {
    let (x, y) = (width, height);
    Pen::new(-x, -y).line(x, -y).line(x, y).line(-x, y).finish()
}

/// Draws the wall: a vertical gradient, brighter near the light.
pub(super) fn draw_wall(canvas: &mut Canvas, size: [f32; 2], pose: &Pose) {
    let Some(frame) = frame_outline(size) else { return };
    let wall = [(0.0, color(0xaebcc2, 1.0)), (0.55, color(0x9fb0b6, 1.0)), (1.0, color(0x7f9197, 1.0))];
    canvas.fill_linear(&frame, [0.0, -size[1] * 0.5], [0.0, size[1] * 0.5], &wall);
    let x = pose.light_position * size[0] * 0.3;
    canvas.fill_soft_ellipse([x, -size[1] * 0.15], [size[0] * 0.6, size[1] * 0.7], 0xf4efe2, 0.35);
}

/// Draws the lighting over wall and actor: brighter and warmer or dimmer and cooler, and darker on the side
/// away from the light.
pub(super) fn draw_lighting(canvas: &mut Canvas, size: [f32; 2], pose: &Pose) {
    let Some(frame) = frame_outline(size) else { return };
    let (tint, strength) = if pose.brightness > 0.0 { (0xfff0d0, 0.10) } else { (0x101830, 0.16) };
    canvas.fill(&frame, tint, strength * pose.brightness.abs());
    let (near, far) = (color(0x14182a, 0.0), color(0x14182a, 0.22));
    let side = if pose.light_position < 0.0 { 0.5 } else { -0.5 };
    canvas.fill_linear(
        &frame,
        [-side * size[0] * 0.3, 0.0],
        [side * size[0], 0.0],
        &[(0.0, near), (1.0, far)],
    );
}
