//! Where a track's sound begins and ends: silence at either end is not played.

/// -60 dB: below this is silence.
const AUDIBLE: f32 = 0.001;
/// What is kept before and after, parts of a second: the softest of an attack, the last of a reverberation.
const MARGIN: u64 = 50;

/// The frames of a track that are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cue {
    /// The first.
    pub from: u64,
    /// The first that is not; `None` where the end is not known.
    pub until: Option<u64>,
}

/// Listens to a track from its beginning.
#[derive(Debug, Default)]
pub struct Listener {
    heard: u64,
    audible: Option<(u64, u64)>,
}

impl Listener {
    /// Interleaved samples, `width` a frame.
    pub fn add(&mut self, samples: &[f32], width: usize) {
        let audible = |frame: &[f32]| frame.iter().any(|sample| sample.abs() >= AUDIBLE);
        let mut frames = samples.chunks_exact(width);
        let count = frames.len() as u64;
        if let Some(first) = frames.clone().position(audible) {
            let (first, last) = (first as u64, frames.rposition(audible).unwrap_or(first) as u64);
            let begin = self.audible.map_or(self.heard + first, |(begin, _)| begin);
            self.audible = Some((begin, self.heard + last + 1));
        }
        self.heard += count;
    }

    /// What to play; `None` where nothing was audible. `complete`: the track has been heard to its end.
    pub fn cue(&self, rate: u32, complete: bool) -> Option<Cue> {
        let margin = u64::from(rate) / MARGIN;
        let (begin, end) = self.audible?;
        let until = complete.then_some((end + margin).min(self.heard));
        Some(Cue { from: begin.saturating_sub(margin), until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_at_both_ends_is_left_out_but_for_a_margin() {
        let mut listener = Listener::default();
        let mut samples = vec![0.0; 2 * 8_000];
        samples[2 * 3_000 + 1] = -0.01;
        samples[2 * 5_000] = 0.002;
        samples.chunks(700).for_each(|part| listener.add(part, 2));
        assert_eq!(listener.cue(8_000, true), Some(Cue { from: 2_840, until: Some(5_161) }));
        assert_eq!(listener.cue(8_000, false), Some(Cue { from: 2_840, until: None }));
    }

    #[test]
    fn sound_to_the_edges_is_kept_whole_and_silence_has_no_cue() {
        let mut listener = Listener::default();
        listener.add(&[0.5; 100], 1);
        assert_eq!(listener.cue(8_000, true), Some(Cue { from: 0, until: Some(100) }));
        let mut silent = Listener::default();
        silent.add(&[0.000_5; 100], 1);
        assert_eq!(silent.cue(8_000, true), None);
    }
}
