//! The four pieces: peak, continuity, order of their RMS levels, determinism.

use std::sync::LazyLock;

use mood_demo::music::{Piece, SAMPLE_RATE, pieces};

/// Every piece with its interleaved stereo samples, rendered once.
static RENDERED: LazyLock<Vec<(&Piece, Vec<f32>)>> =
    LazyLock::new(|| pieces().iter().map(|piece| (piece, piece.render())).collect());

/// Root mean square of samples.
fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

#[test]
fn pieces_have_their_peak_and_neither_silence_nor_offset() {
    for (piece, samples) in RENDERED.iter() {
        assert_eq!(
            samples.len() as f64 / 2.0,
            (piece.duration().as_secs_f64() * f64::from(SAMPLE_RATE)).round()
        );
        assert!((30.0..=60.0).contains(&piece.duration().as_secs_f64()), "{}", piece.slug);
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - piece.peak).abs() < 1e-3 && peak < 1.0, "{}: {peak}", piece.slug);
        for second in samples.chunks_exact(2 * SAMPLE_RATE as usize) {
            assert!(rms(second) > 0.005, "{} has a silent second", piece.slug);
        }
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        assert!(mean.abs() < 2e-3, "{} has a DC offset of {mean}", piece.slug);
    }
}

#[test]
fn pieces_have_no_discontinuity_even_where_they_loop() {
    for (piece, samples) in RENDERED.iter() {
        let next = samples.iter().skip(2).chain(&samples[..2]);
        let step = samples.iter().zip(next).map(|(a, b)| (b - a).abs()).fold(0.0, f32::max);
        // A full-scale 10 kHz sine steps by more than one.
        assert!(step < 0.5 * piece.peak, "{}: {step}", piece.slug);
        let loop_step: f32 = (0..2).map(|c| (samples[c] - samples[samples.len() - 2 + c]).abs()).sum();
        assert!(loop_step < 0.1, "{}: {loop_step}", piece.slug);
    }
}

#[test]
fn rms_level_follows_the_mood() {
    let level: Vec<_> = RENDERED.iter().map(|(_, samples)| 20.0 * rms(samples).log10()).collect();
    let [neutral, happy, sad, surprise] = level[..] else { panic!("four pieces") };
    assert!(sad + 1.5 < neutral && neutral + 1.5 < happy && neutral + 1.5 < surprise, "{level:?}");
}

#[test]
fn rendering_is_deterministic() {
    for (piece, samples) in RENDERED.iter() {
        assert!(&piece.render() == samples, "{}", piece.slug);
    }
}
