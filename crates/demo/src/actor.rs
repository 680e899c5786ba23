//! An animated portrait that performs a script of emotions as if filmed: the head sways, the eyes blink, the light changes
//! slowly. The script is the ground truth for the emotions in the frames.

mod background;
mod canvas;
mod expression;
mod eyes;
mod head;
mod mouth;
mod palette;

use std::f32::consts::TAU;
use std::time::Duration;

use mood_schema::Emotion;
use tiny_skia::{Pixmap, Transform};

use canvas::Canvas;
use expression::Expression;

/// A part of the script in which one emotion is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Start, from the beginning of the script.
    pub start: Duration,
    /// End, which is the start of the next scene.
    pub end: Duration,
    /// The emotion shown. The face changes from one to the next within [`TRANSITION`] around the boundary of two scenes.
    pub emotion: Emotion,
}

/// Time the face takes from one emotion to the next, half of it on either side of the boundary of two scenes.
pub const TRANSITION: Duration = Duration::from_millis(700);

/// A scene with its times in seconds.
const fn scene(start: u64, end: u64, emotion: Emotion) -> Scene {
    Scene { start: Duration::from_secs(start), end: Duration::from_secs(end), emotion }
}

/// The scenes, without gaps.
const SCRIPT: [Scene; 5] = [
    scene(0, 8, Emotion::Neutral),
    scene(8, 17, Emotion::Happy),
    scene(17, 26, Emotion::Sad),
    scene(26, 35, Emotion::Surprise),
    scene(35, 44, Emotion::Happy),
];

/// Times at which the eyes are closed in a blink, seconds from the beginning of the script.
const BLINK_TIMES: [f32; 11] = [1.9, 5.6, 10.4, 14.1, 18.8, 22.3, 24.9, 30.7, 36.9, 40.2, 42.8];
/// Duration of a blink, seconds.
const BLINK_DURATION: f32 = 0.22;

/// Duration of the script.
const DURATION: Duration = SCRIPT[SCRIPT.len() - 1].end;

/// The requested frame has a side of 0 or more than [`Actor::MAX_SIDE`] pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSizeError;

impl std::fmt::Display for FrameSizeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the picture's sides must be 1 to {} pixels", Actor::MAX_SIDE)
    }
}

impl std::error::Error for FrameSizeError {}

/// Pose, expression and lighting of the head at one time.
#[derive(Clone, Copy, Debug)]
struct Pose {
    expression: Expression,
    /// Closure of the eyes, 0 (open) to 1 (closed).
    eye_closure: f32,
    /// Gaze direction, right and down, -1 to 1 each.
    gaze: [f32; 2],
    /// Position of the head relative to the middle, right and down, in head units (half the width of the face).
    position: [f32; 2],
    /// Rotation about the vertical axis, positive to the right of the frame, in shares of the largest that the drawing can
    /// show, -1 to 1.
    yaw: f32,
    /// Rotation in the plane of the frame, degrees, clockwise.
    roll: f32,
    /// Scale factor of the actor; 1 is the normal size.
    zoom: f32,
    /// Brightness of the light, -1 (dim) to 1 (bright).
    brightness: f32,
    /// Horizontal position of the light source, -1 (left) to 1 (right).
    light_position: f32,
}

/// The actor as filmed by a camera with a given frame size.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    width: u32,
    height: u32,
}

impl Actor {
    /// Largest width and height of a frame, px.
    pub const MAX_SIDE: u32 = 8192;

    /// An actor for frames of `width` x `height` px.
    ///
    /// # Errors
    /// [`FrameSizeError`] unless both are 1 to [`Self::MAX_SIDE`].
    pub fn new(width: u32, height: u32) -> Result<Self, FrameSizeError> {
        let is_valid = |side| (1..=Self::MAX_SIDE).contains(&side);
        if is_valid(width) && is_valid(height) { Ok(Self { width, height }) } else { Err(FrameSizeError) }
    }

    /// Duration of the script.
    pub fn duration(&self) -> Duration {
        DURATION
    }

    /// The scenes in order of time, without gaps.
    pub fn script(&self) -> &'static [Scene] {
        &SCRIPT
    }

    /// Renders the frame at `time` (the script repeats): opaque RGBA with 8 bits per channel, `width` x `height` x 4 bytes, rows
    /// from top to bottom without padding.
    pub fn render(&self, time: Duration) -> Vec<u8> {
        let Some(pixmap) = Pixmap::new(self.width, self.height) else { return Vec::new() };
        let pose = Pose::at_time(Duration::from_nanos((time.as_nanos() % DURATION.as_nanos()) as u64));
        let (width, height) = (self.width as f32, self.height as f32);
        // A head unit, half the width of the face, is a fifth of the shorter side, so that head and shoulders fill the frame.
        let unit = width.min(height) * 0.205;
        let transform = Transform::from_row(unit, 0.0, 0.0, unit, width * 0.5, height * 0.47);
        let mut canvas = Canvas::new(pixmap, transform);
        background::draw_wall(&mut canvas, [width / unit, height / unit], &pose);
        head::draw(&mut canvas, &pose);
        background::draw_lighting(&mut canvas, [width / unit, height / unit], &pose);
        canvas.into_pixmap().take()
    }
}

impl Pose {
    /// The pose at `time`, which must be within the script.
    fn at_time(time: Duration) -> Self {
        let t = time.as_secs_f32();
        let mut expression = Expression::from_emotion(SCRIPT[0].emotion);
        for scene in &SCRIPT[1..] {
            let elapsed = t - scene.start.as_secs_f32() + TRANSITION.as_secs_f32() / 2.0;
            let share = smoothstep(elapsed / TRANSITION.as_secs_f32());
            expression = expression.interpolate(Expression::from_emotion(scene.emotion), share);
        }
        // The strength of an expression varies slightly, as nobody holds one quite still.
        let strength = 0.96 + 0.04 * wave(t, 2.9, 0.3);
        let expression = Expression::default().interpolate(expression, strength);
        let closure = BLINK_TIMES
            .iter()
            .map(|time| 1.0 - ((t - time).abs() * 2.0 / BLINK_DURATION).min(1.0))
            .fold(0.0, f32::max);
        Self {
            expression,
            eye_closure: smoothstep(closure),
            gaze: [0.35 * wave(t, 6.1, 0.1) * wave(t, 2.7, 0.0), 0.25 * wave(t, 4.3, 0.6)],
            position: [0.22 * wave(t, 7.3, 0.0) + 0.05 * wave(t, 2.3, 0.4), 0.05 * wave(t, 3.7, 0.2)],
            yaw: 0.7 * wave(t, 8.9, 0.35) + 0.2 * wave(t, 3.1, 0.8),
            roll: 2.4 * wave(t, 5.9, 0.15) + 0.8 * wave(t, 2.1, 0.5),
            zoom: 1.0 + 0.05 * wave(t, 11.0, 0.7),
            brightness: wave(t, 14.7, 0.25),
            light_position: -0.5 + 0.5 * wave(t, 19.0, 0.0),
        }
    }
}

/// A sine at time `t` (seconds) with a period in seconds and a phase in cycles.
fn wave(t: f32, period: f32, phase: f32) -> f32 {
    ((t / period + phase) * TAU).sin()
}

/// Cubic interpolation from 0 to 1 with zero slope at both ends.
fn smoothstep(share: f32) -> f32 {
    let share = share.clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
