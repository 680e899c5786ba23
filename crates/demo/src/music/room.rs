//! The room the players sit in: each at a place from left to right, all in the same reverberation.

use super::RATE;
use super::instrument;
use super::score::Score;

/// Seconds that the reverberation runs over the end of the piece before its beginning: as long as it is heard.
const RUN_IN: usize = 3 * RATE as usize;

/// Left and right in turn, `frames` of each. Notes and reverberation that reach over the end go on at the beginning.
pub(super) fn mix(score: &Score, frames: usize) -> Vec<f32> {
    let mut dry = vec![[0.0f32; 2]; frames];
    let mut sent = vec![0.0f32; frames];
    if frames == 0 {
        return Vec::new();
    }
    for part in &score.parts {
        // Equal power from left to right.
        let angle = (part.pan + 1.0) * std::f32::consts::FRAC_PI_4;
        let (left, right) = (angle.cos(), angle.sin());
        for note in &part.notes {
            let begin = (score.seconds(note.start) * RATE as f32) as usize;
            let samples = instrument::play(part.instrument, note.pitch, score.seconds(note.beats));
            let level = part.level * note.strength;
            for (index, sample) in samples.into_iter().enumerate() {
                let at = (begin + index) % frames;
                let sample = sample * level;
                if let (Some(dry), Some(sent)) = (dry.get_mut(at), sent.get_mut(at)) {
                    dry[0] += sample * left;
                    dry[1] += sample * right;
                    *sent += sample * part.echo;
                }
            }
        }
    }
    let mut walls = [Reverb::new(0), Reverb::new(23)];
    for &sample in sent.iter().cycle().skip(frames - RUN_IN % frames).take(RUN_IN) {
        for wall in &mut walls {
            wall.next(sample);
        }
    }
    let [left, right] = &mut walls;
    dry.iter()
        .zip(&sent)
        .flat_map(|(dry, &sent)| [dry[0] + left.next(sent), dry[1] + right.next(sent)])
        .collect()
}

/// Parallel combs with damping, then all-passes (Schroeder 1962; Moorer 1979, doi:10.2307/3680280).
struct Reverb {
    combs: [Delay; 6],
    damped: [f32; 6],
    diffusers: [Delay; 2],
}

impl Reverb {
    /// `spread` makes two walls differ, samples.
    fn new(spread: usize) -> Self {
        // Lengths without common factors, 25 to 40 ms, so that echoes do not pile up.
        let combs = [1213, 1327, 1471, 1601, 1753, 1907].map(|length| Delay::new(length + spread));
        Self { combs, damped: [0.0; 6], diffusers: [Delay::new(241 + spread), Delay::new(607 + spread)] }
    }

    fn next(&mut self, input: f32) -> f32 {
        const FEEDBACK: f32 = 0.84;
        const DAMPING: f32 = 0.35;
        let mut sum = 0.0;
        for (comb, damped) in self.combs.iter_mut().zip(&mut self.damped) {
            let echo = comb.read();
            *damped = echo * (1.0 - DAMPING) + *damped * DAMPING;
            comb.write(input + *damped * FEEDBACK);
            sum += echo;
        }
        let mut sample = sum / self.combs.len() as f32;
        for diffuser in &mut self.diffusers {
            let echo = diffuser.read();
            diffuser.write(sample + echo * 0.5);
            sample = echo - sample * 0.5;
        }
        sample
    }
}

/// A ring of past samples.
struct Delay {
    ring: Vec<f32>,
    at: usize,
}

impl Delay {
    fn new(length: usize) -> Self {
        Self { ring: vec![0.0; length], at: 0 }
    }

    fn read(&self) -> f32 {
        self.ring.get(self.at).copied().unwrap_or_default()
    }

    /// Replaces what was read and goes on.
    fn write(&mut self, sample: f32) {
        if let Some(place) = self.ring.get_mut(self.at) {
            // Numbers too small to hear make processors slow.
            *place = if sample.abs() < 1e-15 { 0.0 } else { sample };
        }
        self.at = (self.at + 1) % self.ring.len().max(1);
    }
}
