//! The four pieces: clean, alive, different, the same every time.

use std::sync::LazyLock;

use mood_demo::music::{Piece, RATE, pieces};

/// Every piece and its samples, rendered once.
static RENDERED: LazyLock<Vec<(&Piece, Vec<f32>)>> =
    LazyLock::new(|| pieces().iter().map(|piece| (piece, piece.render())).collect());

/// Root mean square of a stretch.
fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

#[test]
fn every_piece_is_clean_and_never_silent() {
    for (piece, samples) in RENDERED.iter() {
        assert_eq!(samples.len() as f64 / 2.0, (piece.duration().as_secs_f64() * f64::from(RATE)).round());
        assert!((30.0..=60.0).contains(&piece.duration().as_secs_f64()), "{}", piece.slug);
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - piece.peak).abs() < 1e-3 && peak < 1.0, "{}: {peak}", piece.slug);
        for second in samples.chunks_exact(2 * RATE as usize) {
            assert!(rms(second) > 0.005, "{} falls silent", piece.slug);
        }
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        assert!(mean.abs() < 2e-3, "{} is off centre by {mean}", piece.slug);
    }
}

#[test]
fn no_piece_clicks_not_even_where_it_starts_again() {
    for (piece, samples) in RENDERED.iter() {
        let next = samples.iter().skip(2).chain(&samples[..2]);
        let step = samples.iter().zip(next).map(|(a, b)| (b - a).abs()).fold(0.0, f32::max);
        // A full-scale 10 kHz sine steps by more than one.
        assert!(step < 0.5 * piece.peak, "{}: {step}", piece.slug);
        let seam: f32 = (0..2).map(|c| (samples[c] - samples[samples.len() - 2 + c]).abs()).sum();
        assert!(seam < 0.1, "{}: {seam}", piece.slug);
    }
}

#[test]
fn loudness_follows_the_mood() {
    let level: Vec<_> = RENDERED.iter().map(|(_, samples)| 20.0 * rms(samples).log10()).collect();
    let [neutral, happy, sad, surprise] = level[..] else { panic!("four pieces") };
    assert!(sad + 1.5 < neutral && neutral + 1.5 < happy && neutral + 1.5 < surprise, "{level:?}");
}

#[test]
fn the_same_every_time() {
    for (piece, samples) in RENDERED.iter() {
        assert!(&piece.render() == samples, "{}", piece.slug);
    }
}
