//! A drawn actor who goes through a script of emotions, as if filmed: the head sways, the eyes blink, the light drifts.
//!
//! The script is the ground truth for whatever looks at the pictures.

mod canvas;
mod expression;
mod eyes;
mod head;
mod mouth;
mod room;

use std::f32::consts::TAU;
use std::time::Duration;

use mood_schema::Emotion;
use tiny_skia::{Pixmap, Transform};

use canvas::Canvas;
use expression::Expression;

/// A stretch of the script in which one emotion shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// First moment.
    pub start: Duration,
    /// First moment of what follows.
    pub end: Duration,
    /// What the face shows; it changes over within [`CHANGE`] around the edges.
    pub emotion: Emotion,
}

/// How long a face takes from one emotion to the next, half of it on either side of a scene's edge.
pub const CHANGE: Duration = Duration::from_millis(700);

const fn scene(start: u64, end: u64, emotion: Emotion) -> Scene {
    Scene { start: Duration::from_secs(start), end: Duration::from_secs(end), emotion }
}

const SCRIPT: [Scene; 5] = [
    scene(0, 8, Emotion::Neutral),
    scene(8, 17, Emotion::Happy),
    scene(17, 26, Emotion::Sad),
    scene(26, 35, Emotion::Surprise),
    scene(35, 44, Emotion::Happy),
];

/// When the eyes close and open again, seconds; the script repeats after [`DURATION`].
const BLINKS: [f32; 11] = [1.9, 5.6, 10.4, 14.1, 18.8, 22.3, 24.9, 30.7, 36.9, 40.2, 42.8];
const BLINK: f32 = 0.22;

const DURATION: Duration = SCRIPT[SCRIPT.len() - 1].end;

/// The picture is too small or too large to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSize;

impl std::fmt::Display for BadSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the picture's sides must be 1 to {} pixels", Actor::MAX_SIDE)
    }
}

impl std::error::Error for BadSize {}

/// How the head is held, what it shows and how it is lit at one moment.
#[derive(Clone, Copy, Debug)]
struct Pose {
    expression: Expression,
    /// 0 open, 1 closed.
    blink: f32,
    /// Where the eyes look, -1 to 1 each way.
    gaze: [f32; 2],
    /// Of the head, in head units (half a face's width).
    shift: [f32; 2],
    /// Turned to its left, shares of what the drawing allows, -1 to 1.
    turn: f32,
    /// Degrees, clockwise on the screen.
    roll: f32,
    zoom: f32,
    /// -1 dim to 1 bright.
    light: f32,
    /// Where the light comes from, -1 left to 1 right.
    lamp: f32,
}

/// The actor before a camera of a given size.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    width: u32,
    height: u32,
}

impl Actor {
    /// Longest side of a picture.
    pub const MAX_SIDE: u32 = 8192;

    /// A camera of `width` x `height` pixels, each 1 to [`Self::MAX_SIDE`].
    pub fn new(width: u32, height: u32) -> Result<Self, BadSize> {
        let fits = |side| (1..=Self::MAX_SIDE).contains(&side);
        if fits(width) && fits(height) { Ok(Self { width, height }) } else { Err(BadSize) }
    }

    /// Of the whole script.
    pub fn duration(&self) -> Duration {
        DURATION
    }

    /// What is shown when, without gaps.
    pub fn script(&self) -> &'static [Scene] {
        &SCRIPT
    }

    /// The picture at `time`: RGBA, 8 bits each, opaque, rows from the top without padding. After the end of the
    /// script it starts again.
    pub fn render(&self, time: Duration) -> Vec<u8> {
        let Some(pixmap) = Pixmap::new(self.width, self.height) else { return Vec::new() };
        let pose = Pose::at(Duration::from_nanos((time.as_nanos() % DURATION.as_nanos()) as u64));
        let (width, height) = (self.width as f32, self.height as f32);
        // Half a face's width is a fifth of the shorter side: head and shoulders fill the picture.
        let unit = width.min(height) * 0.205;
        let place = Transform::from_row(unit, 0.0, 0.0, unit, width * 0.5, height * 0.47);
        let mut canvas = Canvas::new(pixmap, place);
        room::behind(&mut canvas, [width / unit, height / unit], &pose);
        head::draw(&mut canvas, &pose);
        room::light(&mut canvas, [width / unit, height / unit], &pose);
        canvas.into_pixmap().take()
    }
}

impl Pose {
    /// `time` lies within the script.
    fn at(time: Duration) -> Self {
        let t = time.as_secs_f32();
        let mut expression = Expression::of(SCRIPT[0].emotion);
        for scene in &SCRIPT[1..] {
            let since = t - scene.start.as_secs_f32() + CHANGE.as_secs_f32() / 2.0;
            let share = ease(since / CHANGE.as_secs_f32());
            expression = expression.towards(Expression::of(scene.emotion), share);
        }
        // Nobody holds an expression quite still.
        let alive = 0.96 + 0.04 * wave(t, 2.9, 0.3);
        let expression = Expression::default().towards(expression, alive);
        let blink = BLINKS.iter().map(|at| 1.0 - ((t - at).abs() * 2.0 / BLINK).min(1.0)).fold(0.0, f32::max);
        Self {
            expression,
            blink: ease(blink),
            gaze: [0.35 * wave(t, 6.1, 0.1) * wave(t, 2.7, 0.0), 0.25 * wave(t, 4.3, 0.6)],
            shift: [0.22 * wave(t, 7.3, 0.0) + 0.05 * wave(t, 2.3, 0.4), 0.05 * wave(t, 3.7, 0.2)],
            turn: 0.7 * wave(t, 8.9, 0.35) + 0.2 * wave(t, 3.1, 0.8),
            roll: 2.4 * wave(t, 5.9, 0.15) + 0.8 * wave(t, 2.1, 0.5),
            zoom: 1.0 + 0.05 * wave(t, 11.0, 0.7),
            light: wave(t, 14.7, 0.25),
            lamp: -0.5 + 0.5 * wave(t, 19.0, 0.0),
        }
    }
}

/// A sine of `period` seconds that starts `phase` turns in.
fn wave(t: f32, period: f32, phase: f32) -> f32 {
    ((t / period + phase) * TAU).sin()
}

/// 0 to 1 with a soft start and end.
fn ease(share: f32) -> f32 {
    let share = share.clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
