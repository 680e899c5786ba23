//! Tones written as WAV files, and measurements on samples read back.

use std::fs;
use std::path::{Path, PathBuf};

/// Sample rate of all audio here, hertz.
pub const RATE: u32 = 48_000;

/// Amplitude of the tones; full scale is 1.
const AMPLITUDE: f64 = 0.3;

/// Writes a sine tone of amplitude 0.3 as a WAV file, mono, 16 bits, and its mood beside it as `<file>.mood`.
pub fn write_tone(folder: &Path, name: &str, hertz: f64, seconds: u32, mood: &str) -> PathBuf {
    let count = RATE * seconds;
    let mut bytes = Vec::with_capacity(44 + 2 * count as usize);
    let header = [*b"RIFF", (36 + 2 * count).to_le_bytes(), *b"WAVE", *b"fmt ", 16u32.to_le_bytes()];
    bytes.extend(header.concat());
    let (pcm, channels) = (1u16, 1u16);
    for field in [pcm, channels] {
        bytes.extend(field.to_le_bytes());
    }
    let bytes_per_second = 2 * RATE;
    for field in [RATE, bytes_per_second] {
        bytes.extend(field.to_le_bytes());
    }
    let (bytes_per_sample, bits) = (2u16, 16u16);
    for field in [bytes_per_sample, bits] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(*b"data");
    bytes.extend((2 * count).to_le_bytes());
    for sample in 0..count {
        let phase = f64::from(sample) * hertz / f64::from(RATE) * std::f64::consts::TAU;
        bytes.extend(((phase.sin() * AMPLITUDE * f64::from(i16::MAX)) as i16).to_le_bytes());
    }
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::write(folder.join(format!("{name}.mood")), mood).unwrap();
    path
}

/// Makes a music library in `folder`, which is created where it is missing: a happy, a sad and a neutral
/// tone, 5 s each.
pub fn make_library(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    for (name, hertz, mood) in
        [("happy.wav", 880.0, "happy"), ("sad.wav", 220.0, "sad"), ("neutral.wav", 440.0, "neutral")]
    {
        write_tone(folder, name, hertz, 5, mood);
    }
    folder.to_path_buf()
}

/// Reads a raw file of 32-bit floats in native byte order.
pub fn read_samples(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (samples, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty(), "{} ends in the middle of a sample", path.display());
    samples.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
}

/// Root mean square; 0 of no samples.
pub fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// The length, in samples, of the longest run of samples whose absolute value is below `threshold`.
pub fn longest_silence(samples: &[f32], threshold: f32) -> usize {
    samples.split(|x| x.abs() >= threshold).map(<[f32]>::len).max().unwrap_or(0)
}

/// The largest absolute difference between neighbouring samples: a click shows here.
pub fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}
