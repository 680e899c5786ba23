//! Mixes the parts of an arrangement to stereo: panning, and a reverberation that all parts share.

use super::SAMPLE_RATE;
use super::arrangement::Arrangement;
use super::reverb::Reverb;
use super::synthesis;

/// Samples from the end of the piece that the reverberation processes before its beginning, so that the piece
/// can be looped: 3 s, the time in which the reverberation becomes inaudible.
const PRE_ROLL: usize = 3 * SAMPLE_RATE as usize;

/// Mixes to interleaved stereo of `sample_count` samples per channel. Notes and reverberation that reach
/// beyond the end continue at the beginning.
pub(super) fn mix(arrangement: &Arrangement, sample_count: usize) -> Vec<f32> {
    let mut dry = vec![[0.0f32; 2]; sample_count];
    let mut reverb_send = vec![0.0f32; sample_count];
    if sample_count == 0 {
        return Vec::new();
    }
    for part in &arrangement.parts {
        // Constant-power panning.
        let angle = (part.pan + 1.0) * std::f32::consts::FRAC_PI_4;
        let (left, right) = (angle.cos(), angle.sin());
        for note in &part.notes {
            let begin = (arrangement.beats_to_seconds(note.start) * SAMPLE_RATE as f32) as usize;
            let samples =
                synthesis::render_note(part.instrument, note.pitch, arrangement.beats_to_seconds(note.beats));
            let note_gain = part.gain * note.velocity;
            for (index, sample) in samples.into_iter().enumerate() {
                let position = (begin + index) % sample_count;
                let sample = sample * note_gain;
                if let (Some(dry), Some(reverb_send)) = (dry.get_mut(position), reverb_send.get_mut(position))
                {
                    dry[0] += sample * left;
                    dry[1] += sample * right;
                    *reverb_send += sample * part.reverb_send;
                }
            }
        }
    }
    let mut reverbs = [Reverb::new(0), Reverb::new(23)];
    for &sample in reverb_send.iter().cycle().skip(sample_count - PRE_ROLL % sample_count).take(PRE_ROLL) {
        for reverb in &mut reverbs {
            reverb.process(sample);
        }
    }
    let [left, right] = &mut reverbs;
    dry.iter()
        .zip(&reverb_send)
        .flat_map(|(dry, &reverb_send)| {
            [dry[0] + left.process(reverb_send), dry[1] + right.process(reverb_send)]
        })
        .collect()
}
