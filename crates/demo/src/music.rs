//! Four short pieces, composed and synthesised here, of clearly different mood: tempo, mode, loudness and timbre all
//! follow the emotion (Juslin and Laukka 2003, doi:10.1037/0033-2909.129.5.770). Each loops without a seam.

mod instrument;
mod room;
mod score;

use std::time::Duration;

use mood_schema::Emotion;

use score::Score;

/// Samples a second and channel.
pub const RATE: u32 = 48_000;

/// A piece of music.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// File name without its ending.
    pub slug: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it plays for.
    pub emotion: Emotion,
    /// The word for a `MOOD` tag.
    pub mood: &'static str,
    /// Beats a minute.
    pub tempo: f32,
    /// Length.
    pub beats: u16,
    /// Largest sample, 0-1: how loud the piece is against the others.
    pub peak: f32,
    compose: fn(&mut Score),
}

const PIECES: [Piece; 4] = [
    Piece {
        slug: "level-ground",
        title: "Level Ground",
        emotion: Emotion::Neutral,
        mood: "neutral",
        tempo: 84.0,
        beats: 64,
        peak: 0.5,
        compose: score::level_ground,
    },
    Piece {
        slug: "sunny-side",
        title: "Sunny Side",
        emotion: Emotion::Happy,
        mood: "happy",
        tempo: 126.0,
        beats: 96,
        peak: 0.8,
        compose: score::sunny_side,
    },
    Piece {
        slug: "rain-on-glass",
        title: "Rain on Glass",
        emotion: Emotion::Sad,
        mood: "sad",
        tempo: 58.0,
        beats: 48,
        peak: 0.35,
        compose: score::rain_on_glass,
    },
    Piece {
        slug: "trapdoor",
        title: "Trapdoor",
        emotion: Emotion::Surprise,
        mood: "surprise",
        tempo: 152.0,
        beats: 112,
        peak: 0.85,
        compose: score::trapdoor,
    },
];

/// Neutral, happy, sad, surprise.
pub fn pieces() -> &'static [Piece] {
    &PIECES
}

impl Piece {
    /// How long the piece is.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.frames() as f64 / f64::from(RATE))
    }

    fn frames(&self) -> usize {
        (f32::from(self.beats) * 60.0 / self.tempo * RATE as f32) as usize
    }

    /// Left and right in turn, [`RATE`] frames a second, within -[`Self::peak`] to [`Self::peak`]. What rings on at the
    /// end is heard at the beginning, so that the piece can follow itself.
    pub fn render(&self) -> Vec<f32> {
        let mut score = Score::new(self.tempo);
        (self.compose)(&mut score);
        let mut stereo = room::mix(&score, self.frames());
        let loudest = stereo.iter().fold(f32::MIN_POSITIVE, |peak, sample| peak.max(sample.abs()));
        for sample in &mut stereo {
            *sample *= self.peak / loudest;
        }
        stereo
    }
}
