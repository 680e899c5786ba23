//! Small music to play, and samples read back.

use std::fs;
use std::path::{Path, PathBuf};

/// Samples a second of everything here.
pub const RATE: u32 = 48_000;

/// Writes a tone as a WAV file, mono, 16 bits, and its mood beside it as `<file>.mood`.
pub fn tone(folder: &Path, name: &str, hertz: f64, seconds: u32, mood: &str) -> PathBuf {
    let count = RATE * seconds;
    let mut bytes = Vec::with_capacity(44 + 2 * count as usize);
    let header = [*b"RIFF", (36 + 2 * count).to_le_bytes(), *b"WAVE", *b"fmt ", 16u32.to_le_bytes()];
    bytes.extend(header.concat());
    for short in [1u16, 1] {
        bytes.extend(short.to_le_bytes());
    }
    for long in [RATE, 2 * RATE] {
        bytes.extend(long.to_le_bytes());
    }
    for short in [2u16, 16] {
        bytes.extend(short.to_le_bytes());
    }
    bytes.extend(*b"data");
    bytes.extend((2 * count).to_le_bytes());
    for index in 0..count {
        let phase = f64::from(index) * hertz / f64::from(RATE) * std::f64::consts::TAU;
        bytes.extend(((phase.sin() * 0.3 * f64::from(i16::MAX)) as i16).to_le_bytes());
    }
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::write(folder.join(format!("{name}.mood")), mood).unwrap();
    path
}

/// A library of three moods in `folder`, made if it is not there.
pub fn library(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    for (name, hertz, mood) in
        [("happy.wav", 880.0, "happy"), ("sad.wav", 220.0, "sad"), ("neutral.wav", 440.0, "neutral")]
    {
        tone(folder, name, hertz, 5, mood);
    }
    folder.to_path_buf()
}

/// The samples of a raw file, 32-bit floats in the machine's order.
pub fn samples(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (whole, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty(), "{} ends in the middle of a sample", path.display());
    whole.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
}

/// Root mean square.
pub fn level(samples: &[f32]) -> f64 {
    (samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// The most samples in a row that are quieter than `threshold`.
pub fn longest_silence(samples: &[f32], threshold: f32) -> usize {
    samples.split(|x| x.abs() >= threshold).map(<[f32]>::len).max().unwrap_or(0)
}

/// The largest difference between neighbours.
pub fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}
