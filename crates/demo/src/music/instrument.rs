//! Instruments: a note's samples from its pitch, length and strength.

use std::f32::consts::TAU;

use super::RATE;

/// How an instrument sounds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instrument {
    Tone(Tone),
    Drum(Drum),
}

/// Harmonics under an envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    /// Strength of the first harmonic, the second...: when struck.
    bright: &'static [f32],
    /// After the sound has mellowed.
    dark: &'static [f32],
    /// Seconds for the mellowing to get two thirds of the way.
    mellow: f32,
    /// Seconds from nothing to full.
    attack: f32,
    /// Seconds in which a held note dies to a third; infinite for blown and bowed sounds.
    decay: f32,
    /// Seconds from release to nothing.
    release: f32,
    /// Depth of the vibrato, share of the frequency.
    vibrato: f32,
    /// Two voices this far apart, share of the frequency: warmth.
    detune: f32,
}

/// Unpitched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drum {
    Kick,
    Clap,
    Shaker,
    Block,
}

const fn tone(
    bright: &'static [f32],
    dark: &'static [f32],
    mellow: f32,
    [attack, decay, release]: [f32; 3],
) -> Tone {
    Tone { bright, dark, mellow, attack, decay, release, vibrato: 0.0, detune: 0.0 }
}

const PURE: &[f32] = &[1.0];

pub(super) const MARIMBA: Instrument =
    Instrument::Tone(tone(&[1.0, 0.15, 0.1, 0.55, 0.0, 0.0, 0.0, 0.12], PURE, 0.06, [0.002, 0.35, 0.12]));
pub(super) const UKULELE: Instrument = Instrument::Tone(tone(
    &[0.8, 1.0, 0.7, 0.5, 0.45, 0.3, 0.2, 0.15],
    &[1.0, 0.4, 0.1],
    0.08,
    [0.002, 0.25, 0.08],
));
pub(super) const BASS: Instrument =
    Instrument::Tone(tone(&[1.0, 0.7, 0.35, 0.15], &[1.0, 0.25], 0.15, [0.005, 0.7, 0.08]));
pub(super) const PIANO: Instrument = Instrument::Tone(Tone {
    detune: 0.0008,
    ..tone(&[1.0, 0.6, 0.35, 0.3, 0.15, 0.1, 0.06], &[1.0, 0.25, 0.08], 0.4, [0.004, 1.4, 0.5])
});
pub(super) const ELECTRIC_PIANO: Instrument = Instrument::Tone(Tone {
    detune: 0.0012,
    ..tone(&[1.0, 0.25, 0.05, 0.0, 0.0, 0.0, 0.2], &[1.0, 0.12], 0.25, [0.004, 1.6, 0.4])
});
pub(super) const GLASS: Instrument =
    Instrument::Tone(tone(&[1.0, 0.0, 0.35, 0.0, 0.0, 0.18], PURE, 0.3, [0.003, 0.9, 0.8]));
pub(super) const PAD: Instrument = Instrument::Tone(Tone {
    detune: 0.003,
    ..tone(&[1.0, 0.4, 0.2, 0.1], &[1.0, 0.5, 0.28, 0.15, 0.06], 1.5, [0.9, f32::INFINITY, 1.2])
});
pub(super) const CELLO: Instrument = Instrument::Tone(Tone {
    vibrato: 0.004,
    detune: 0.001,
    ..tone(
        &[1.0, 0.75, 0.5, 0.35, 0.25, 0.15, 0.1],
        &[1.0, 0.65, 0.4, 0.25, 0.15, 0.08],
        0.5,
        [0.12, f32::INFINITY, 0.3],
    )
});
pub(super) const XYLOPHONE: Instrument =
    Instrument::Tone(tone(&[1.0, 0.0, 0.9, 0.0, 0.0, 0.5, 0.0, 0.3], PURE, 0.03, [0.001, 0.12, 0.06]));
pub(super) const BRASS: Instrument = Instrument::Tone(Tone {
    detune: 0.0025,
    ..tone(
        &[0.7, 1.0, 0.95, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22, 0.16],
        &[1.0, 0.8, 0.5, 0.3, 0.15],
        0.12,
        [0.012, 0.5, 0.07],
    )
});

/// One cycle of a harmonic sound, read with interpolation.
struct Cycle(Vec<f32>);

impl Cycle {
    const LENGTH: usize = 1024;

    /// Harmonics above half the sampling rate are left out: they would fold back.
    fn new(harmonics: &[f32], frequency: f32) -> Self {
        let audible = (RATE as f32 * 0.45 / frequency) as usize;
        let sum: f32 = harmonics.iter().sum();
        // One sample more than a cycle, so that interpolation needs no wrapping.
        let table = (0..=Self::LENGTH)
            .map(|index| {
                let phase = index as f32 / Self::LENGTH as f32 * TAU;
                let heard = harmonics.iter().take(audible).enumerate();
                heard.map(|(h, strength)| strength * (phase * (h + 1) as f32).sin()).sum::<f32>() / sum
            })
            .collect();
        Self(table)
    }

    /// `phase` is 0 up to 1.
    fn at(&self, phase: f32) -> f32 {
        let place = phase * Self::LENGTH as f32;
        let index = (place as usize).min(Self::LENGTH - 1);
        match self.0.get(index..index + 2) {
            Some(&[a, b]) => a + (b - a) * (place - index as f32),
            _ => 0.0,
        }
    }
}

/// The note's samples, ringing out after `seconds`. `pitch` counts semitones, 69 is 440 Hz; drums ignore it.
pub(super) fn play(instrument: Instrument, pitch: f32, seconds: f32) -> Vec<f32> {
    match instrument {
        Instrument::Tone(tone) => tone.play(440.0 * ((pitch - 69.0) / 12.0).exp2(), seconds),
        Instrument::Drum(drum) => drum.play(),
    }
}

impl Tone {
    fn play(&self, frequency: f32, seconds: f32) -> Vec<f32> {
        let (bright, dark) = (Cycle::new(self.bright, frequency), Cycle::new(self.dark, frequency));
        let step = 1.0 / RATE as f32;
        let held = (seconds * RATE as f32) as usize;
        let released = (self.release * RATE as f32) as usize;
        let (dying, mellowing) = ((-step / self.decay).exp(), (-step / self.mellow).exp());
        let (mut body, mut brightness) = (1.0f32, 1.0f32);
        let mut phases = [0.0f32, 0.25];
        let voices = if self.detune > 0.0 { 2 } else { 1 };
        (0..held + released)
            .map(|index| {
                let t = index as f32 * step;
                let attack = (t / self.attack).min(1.0);
                let release = 1.0 - (index.saturating_sub(held) as f32 / released as f32);
                body *= dying;
                brightness *= mellowing;
                // Vibrato sets in late, as a player's does.
                let sway = self.vibrato * (t * 1.5).min(1.0) * (t * 5.3 * TAU).sin();
                let mut sample = 0.0;
                for (voice, phase) in phases.iter_mut().take(voices).enumerate() {
                    let apart = if voice == 0 { -self.detune } else { self.detune };
                    let (a, b) = (bright.at(*phase), dark.at(*phase));
                    sample += b + (a - b) * brightness;
                    *phase = (*phase + frequency * step * (1.0 + sway + apart)).fract();
                }
                sample / voices as f32 * attack * attack * release * release * body
            })
            .collect()
    }
}

impl Drum {
    fn play(self) -> Vec<f32> {
        let seconds = match self {
            Self::Kick => 0.28,
            Self::Clap => 0.2,
            Self::Shaker => 0.07,
            Self::Block => 0.12,
        };
        let mut noise = Noise(0x2545_f491);
        let (mut low, mut phase) = (0.0f32, 0.0f32);
        (0..(seconds * RATE as f32) as usize)
            .map(|index| {
                let t = index as f32 / RATE as f32;
                let end = 1.0 - t / seconds;
                let hiss = noise.next();
                low += 0.3 * (hiss - low);
                let sample = match self {
                    Self::Kick => {
                        phase += (48.0 + 110.0 * (-t * 45.0).exp()) / RATE as f32;
                        (phase * TAU).sin() * (-t * 11.0).exp()
                    }
                    Self::Clap => {
                        (hiss - low) * 0.6 * (-t * 24.0).exp() * (0.6 + 0.4 * (t * 95.0 * TAU).cos())
                    }
                    Self::Shaker => (hiss - low) * 0.5 * (t * 120.0).min(1.0) * (-t * 45.0).exp(),
                    Self::Block => {
                        let knock = (t * 950.0 * TAU).sin() + 0.6 * (t * 1530.0 * TAU).sin();
                        knock * 0.6 * (-t * 55.0).exp()
                    }
                };
                sample * end * (t * 2000.0).min(1.0)
            })
            .collect()
    }
}

/// White noise that is the same on every run (Marsaglia 2003, doi:10.18637/jss.v008.i14).
struct Noise(u32);

impl Noise {
    /// -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}
