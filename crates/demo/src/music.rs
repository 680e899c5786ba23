//! Four short synthesised pieces of clearly different mood. Tempo, mode, loudness and timbre follow the acoustic cues of
//! emotions in music (Juslin and Laukka 2003, doi:10.1037/0033-2909.129.5.770). Each piece loops without a discontinuity.

mod arrangement;
mod compositions;
mod mixer;
mod reverb;
mod synthesis;

use std::time::Duration;

use mood_schema::Emotion;

use arrangement::Arrangement;

/// Sample rate of all pieces, Hz.
pub const SAMPLE_RATE: u32 = 48_000;

/// A piece of music.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// File name without extension.
    pub slug: &'static str,
    /// Display title.
    pub title: &'static str,
    /// The emotion it expresses.
    pub emotion: Emotion,
    /// Value of the file's `MOOD` tag.
    pub mood: &'static str,
    /// Tempo, beats per minute.
    pub tempo: f32,
    /// Length in beats.
    pub beats: u16,
    /// Sample peak after normalisation, 0-1, which sets the loudness of the piece relative to the others.
    pub peak: f32,
    /// Adds the parts of the piece to an empty arrangement.
    compose: fn(&mut Arrangement),
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
        compose: compositions::level_ground,
    },
    Piece {
        slug: "sunny-side",
        title: "Sunny Side",
        emotion: Emotion::Happy,
        mood: "happy",
        tempo: 126.0,
        beats: 96,
        peak: 0.8,
        compose: compositions::sunny_side,
    },
    Piece {
        slug: "rain-on-glass",
        title: "Rain on Glass",
        emotion: Emotion::Sad,
        mood: "sad",
        tempo: 58.0,
        beats: 48,
        peak: 0.35,
        compose: compositions::rain_on_glass,
    },
    Piece {
        slug: "trapdoor",
        title: "Trapdoor",
        emotion: Emotion::Surprise,
        mood: "surprise",
        tempo: 152.0,
        beats: 112,
        peak: 0.85,
        compose: compositions::trapdoor,
    },
];

/// All pieces, in the order neutral, happy, sad, surprise.
pub fn pieces() -> &'static [Piece] {
    &PIECES
}

impl Piece {
    /// Duration of the piece.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.sample_count() as f64 / f64::from(SAMPLE_RATE))
    }

    /// Length in samples per channel.
    fn sample_count(&self) -> usize {
        (f32::from(self.beats) * 60.0 / self.tempo * SAMPLE_RATE as f32) as usize
    }

    /// Renders the piece as interleaved stereo at [`SAMPLE_RATE`], peaking at [`Self::peak`]. Notes and reverberation that reach
    /// beyond the end continue at the beginning, so that the piece can be looped.
    pub fn render(&self) -> Vec<f32> {
        let mut arrangement = Arrangement::new(self.tempo);
        (self.compose)(&mut arrangement);
        let mut stereo = mixer::mix(&arrangement, self.sample_count());
        let peak = stereo.iter().fold(f32::MIN_POSITIVE, |peak, sample| peak.max(sample.abs()));
        for sample in &mut stereo {
            *sample *= self.peak / peak;
        }
        stereo
    }
}
