//! Additive synthesis of notes and synthesis of drum sounds.

use std::f32::consts::TAU;

use super::SAMPLE_RATE;

/// The sound of a part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instrument {
    /// A pitched sound.
    Tone(Tone),
    /// An unpitched sound.
    Drum(Drum),
}

/// A pitched sound of harmonics under an attack-decay-release envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    /// Relative amplitudes of the harmonics, from the fundamental up, at the onset.
    onset_harmonics: &'static [f32],
    /// Relative amplitudes of the harmonics that the spectrum approaches after the onset.
    sustain_harmonics: &'static [f32],
    /// Time constant with which the spectrum changes from the one to the other, s.
    spectrum_decay: f32,
    /// Time from silence to full amplitude, s.
    attack: f32,
    /// Time constant of the decay of a held note, s; infinite for sustained sounds.
    decay: f32,
    /// Time from the release to silence, s.
    release: f32,
    /// Depth of the vibrato as a share of the frequency; 0: none.
    vibrato: f32,
    /// Detuning of two unison voices, one up and one down, as a share of the frequency; 0: a single voice.
    detune: f32,
}

/// A drum or percussion sound.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drum {
    /// Bass drum: a sine with falling pitch.
    Kick,
    /// Hand clap: amplitude-modulated noise.
    Clap,
    /// Shaker: a short burst of noise.
    Shaker,
    /// Wood block: two damped sines.
    WoodBlock,
}

/// A tone without vibrato and detuning; see the fields of [`Tone`] for the parameters.
const fn tone(
    onset_harmonics: &'static [f32],
    sustain_harmonics: &'static [f32],
    spectrum_decay: f32,
    [attack, decay, release]: [f32; 3],
) -> Tone {
    Tone {
        onset_harmonics,
        sustain_harmonics,
        spectrum_decay,
        attack,
        decay,
        release,
        vibrato: 0.0,
        detune: 0.0,
    }
}

/// A sine.
const PURE: &[f32] = &[1.0];

/// Marimba.
pub(super) const MARIMBA: Instrument =
    Instrument::Tone(tone(&[1.0, 0.15, 0.1, 0.55, 0.0, 0.0, 0.0, 0.12], PURE, 0.06, [0.002, 0.35, 0.12]));
/// Ukulele, plucked.
pub(super) const UKULELE: Instrument = Instrument::Tone(tone(
    &[0.8, 1.0, 0.7, 0.5, 0.45, 0.3, 0.2, 0.15],
    &[1.0, 0.4, 0.1],
    0.08,
    [0.002, 0.25, 0.08],
));
/// Plucked bass.
pub(super) const BASS: Instrument =
    Instrument::Tone(tone(&[1.0, 0.7, 0.35, 0.15], &[1.0, 0.25], 0.15, [0.005, 0.7, 0.08]));
/// Piano.
pub(super) const PIANO: Instrument = Instrument::Tone(Tone {
    detune: 0.0008,
    ..tone(&[1.0, 0.6, 0.35, 0.3, 0.15, 0.1, 0.06], &[1.0, 0.25, 0.08], 0.4, [0.004, 1.4, 0.5])
});
/// Electric piano.
pub(super) const ELECTRIC_PIANO: Instrument = Instrument::Tone(Tone {
    detune: 0.0012,
    ..tone(&[1.0, 0.25, 0.05, 0.0, 0.0, 0.0, 0.2], &[1.0, 0.12], 0.25, [0.004, 1.6, 0.4])
});
/// Glass bells.
pub(super) const GLASS: Instrument =
    Instrument::Tone(tone(&[1.0, 0.0, 0.35, 0.0, 0.0, 0.18], PURE, 0.3, [0.003, 0.9, 0.8]));
/// Synthesiser pad, a soft sustained background.
pub(super) const PAD: Instrument = Instrument::Tone(Tone {
    detune: 0.003,
    ..tone(&[1.0, 0.4, 0.2, 0.1], &[1.0, 0.5, 0.28, 0.15, 0.06], 1.5, [0.9, f32::INFINITY, 1.2])
});
/// Bowed cello.
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
/// Xylophone: odd partials, decaying within an eighth of a second.
pub(super) const XYLOPHONE: Instrument =
    Instrument::Tone(tone(&[1.0, 0.0, 0.9, 0.0, 0.0, 0.5, 0.0, 0.3], PURE, 0.03, [0.001, 0.12, 0.06]));
/// Short brass accents.
pub(super) const BRASS: Instrument = Instrument::Tone(Tone {
    detune: 0.0025,
    ..tone(
        &[0.7, 1.0, 0.95, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22, 0.16],
        &[1.0, 0.8, 0.5, 0.3, 0.15],
        0.12,
        [0.012, 0.5, 0.07],
    )
});

/// One period of a harmonic waveform as a table, read with linear interpolation.
struct Wavetable(Vec<f32>);

impl Wavetable {
    /// Samples per period.
    const LENGTH: usize = 1024;

    /// The waveform of harmonics of `frequency` (Hz), normalised by the sum of their amplitudes. Harmonics above
    /// 0.45 of the sample rate are left out, since they would alias.
    fn new(harmonics: &[f32], frequency: f32) -> Self {
        let max_harmonics = (SAMPLE_RATE as f32 * 0.45 / frequency) as usize;
        let sum: f32 = harmonics.iter().sum();
        // One sample more than a period, so that interpolation needs no wrapping.
        let table = (0..=Self::LENGTH)
            .map(|index| {
                let phase = index as f32 / Self::LENGTH as f32 * TAU;
                let partials = harmonics.iter().take(max_harmonics).enumerate();
                partials.map(|(h, amplitude)| amplitude * (phase * (h + 1) as f32).sin()).sum::<f32>() / sum
            })
            .collect();
        Self(table)
    }

    /// The value at a phase of 0 (inclusive) to 1 (exclusive).
    fn sample(&self, phase: f32) -> f32 {
        let position = phase * Self::LENGTH as f32;
        let index = (position as usize).min(Self::LENGTH - 1);
        match self.0.get(index..index + 2) {
            Some(&[a, b]) => a + (b - a) * (position - index as f32),
            _ => 0.0,
        }
    }
}

/// Renders a note held for `seconds`, with its release after that, mono at [`SAMPLE_RATE`]. `pitch` is a MIDI
/// note number (69 is 440 Hz); drums ignore it and `seconds`.
pub(super) fn render_note(instrument: Instrument, pitch: f32, seconds: f32) -> Vec<f32> {
    match instrument {
        Instrument::Tone(tone) => tone.render(440.0 * ((pitch - 69.0) / 12.0).exp2(), seconds),
        Instrument::Drum(drum) => drum.render(),
    }
}

impl Tone {
    /// Renders a note of `frequency` (Hz) held for `seconds`.
    fn render(&self, frequency: f32, seconds: f32) -> Vec<f32> {
        let onset = Wavetable::new(self.onset_harmonics, frequency);
        let sustain = Wavetable::new(self.sustain_harmonics, frequency);
        let period = 1.0 / SAMPLE_RATE as f32;
        let held_samples = (seconds * SAMPLE_RATE as f32) as usize;
        let release_samples = (self.release * SAMPLE_RATE as f32) as usize;
        let (decay_factor, spectrum_factor) =
            ((-period / self.decay).exp(), (-period / self.spectrum_decay).exp());
        let (mut amplitude, mut onset_share) = (1.0f32, 1.0f32);
        let mut phases = [0.0f32, 0.25];
        let voices = if self.detune > 0.0 { 2 } else { 1 };
        (0..held_samples + release_samples)
            .map(|index| {
                let t = index as f32 * period;
                let attack = (t / self.attack).min(1.0);
                let release = 1.0 - (index.saturating_sub(held_samples) as f32 / release_samples as f32);
                amplitude *= decay_factor;
                onset_share *= spectrum_factor;
                // The vibrato starts gradually, as a player's does.
                let vibrato = self.vibrato * (t * 1.5).min(1.0) * (t * 5.3 * TAU).sin();
                let mut sample = 0.0;
                for (voice, phase) in phases.iter_mut().take(voices).enumerate() {
                    let detune = if voice == 0 { -self.detune } else { self.detune };
                    let (a, b) = (onset.sample(*phase), sustain.sample(*phase));
                    sample += b + (a - b) * onset_share;
                    *phase = (*phase + frequency * period * (1.0 + vibrato + detune)).fract();
                }
                sample / voices as f32 * attack * attack * release * release * amplitude
            })
            .collect()
    }
}

impl Drum {
    /// Renders a stroke.
    fn render(self) -> Vec<f32> {
        let seconds = match self {
            Self::Kick => 0.28,
            Self::Clap => 0.2,
            Self::Shaker => 0.07,
            Self::WoodBlock => 0.12,
        };
        let mut noise = Noise(0x2545_f491);
        let (mut lowpass, mut phase) = (0.0f32, 0.0f32);
        (0..(seconds * SAMPLE_RATE as f32) as usize)
            .map(|index| {
                let t = index as f32 / SAMPLE_RATE as f32;
                let fade_out = 1.0 - t / seconds;
                let noise_sample = noise.next_sample();
                lowpass += 0.3 * (noise_sample - lowpass);
                let sample = match self {
                    Self::Kick => {
                        phase += (48.0 + 110.0 * (-t * 45.0).exp()) / SAMPLE_RATE as f32;
                        (phase * TAU).sin() * (-t * 11.0).exp()
                    }
                    Self::Clap => {
                        (noise_sample - lowpass)
                            * 0.6
                            * (-t * 24.0).exp()
                            * (0.6 + 0.4 * (t * 95.0 * TAU).cos())
                    }
                    Self::Shaker => (noise_sample - lowpass) * 0.5 * (t * 120.0).min(1.0) * (-t * 45.0).exp(),
                    Self::WoodBlock => {
                        let knock = (t * 950.0 * TAU).sin() + 0.6 * (t * 1530.0 * TAU).sin();
                        knock * 0.6 * (-t * 55.0).exp()
                    }
                };
                sample * fade_out * (t * 2000.0).min(1.0)
            })
            .collect()
    }
}

/// Reproducible white noise: a 32-bit xorshift generator (Marsaglia 2003, doi:10.18637/jss.v008.i14).
struct Noise(u32);

impl Noise {
    /// The next sample, -1 to 1.
    fn next_sample(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}
