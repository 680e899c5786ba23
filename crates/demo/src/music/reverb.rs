//! Artificial reverberation.

/// One channel: parallel comb filters with low-pass filtered feedback, followed by all-pass filters in series (Schroeder 1962,
/// "Natural sounding artificial reverberation", J. Audio Eng. Soc. 10(3), 219-223; Moorer 1979, doi:10.2307/3680280).
pub(super) struct Reverb {
    combs: [DelayLine; 6],
    /// States of the one-pole low-pass filters in the combs' feedback.
    lowpass: [f32; 6],
    allpasses: [DelayLine; 2],
}

impl Reverb {
    /// A reverberation whose delays are `spread` samples longer, which decorrelates the two channels.
    pub(super) fn new(spread: usize) -> Self {
        // Delays of 25 to 40 ms (at 48 kHz) without common factors, so that the echoes do not coincide.
        let combs = [1213, 1327, 1471, 1601, 1753, 1907].map(|length| DelayLine::new(length + spread));
        Self {
            combs,
            lowpass: [0.0; 6],
            allpasses: [DelayLine::new(241 + spread), DelayLine::new(607 + spread)],
        }
    }

    /// Processes one sample.
    pub(super) fn process(&mut self, input: f32) -> f32 {
        /// Gain of the feedback of the combs.
        const FEEDBACK: f32 = 0.84;
        /// Coefficient of the low-pass filters in it, 0 (no damping) to 1.
        const DAMPING: f32 = 0.35;
        /// Gain of the all-pass filters.
        const DIFFUSION: f32 = 0.5;
        let mut sum = 0.0;
        for (comb, lowpass) in self.combs.iter_mut().zip(&mut self.lowpass) {
            let echo = comb.read();
            *lowpass = echo * (1.0 - DAMPING) + *lowpass * DAMPING;
            comb.write(input + *lowpass * FEEDBACK);
            sum += echo;
        }
        let mut sample = sum / self.combs.len() as f32;
        for allpass in &mut self.allpasses {
            let echo = allpass.read();
            allpass.write(sample + echo * DIFFUSION);
            sample = echo - sample * DIFFUSION;
        }
        sample
    }
}

/// A delay line of fixed length.
struct DelayLine {
    samples: Vec<f32>,
    position: usize,
}

impl DelayLine {
    fn new(length: usize) -> Self {
        Self { samples: vec![0.0; length], position: 0 }
    }

    /// The oldest sample.
    fn read(&self) -> f32 {
        self.samples.get(self.position).copied().unwrap_or_default()
    }

    /// Replaces the oldest sample and advances.
    fn write(&mut self, sample: f32) {
        if let Some(oldest) = self.samples.get_mut(self.position) {
            // Denormal numbers, far below audibility, would slow down the processor.
            *oldest = if sample.abs() < 1e-15 { 0.0 } else { sample };
        }
        self.position = (self.position + 1) % self.samples.len().max(1);
    }
}
