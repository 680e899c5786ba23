//! Small audio files for the tests, and a decoder for them.

// Not every test program uses everything.
#![allow(dead_code, clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lofty::config::WriteOptions;
use lofty::tag::{ItemKey, Tag, TagExt, TagType};
use music_library::{AudioDecoder, Database, DecodedAudio, Scan, ScanProgress, ScanReport, SourceAccess};

/// Writes a WAV file with 0.1 s of silence and these ID3v2 tags.
pub fn write_wav(folder: &Path, name: &str, tags: &[(ItemKey, &str)]) -> PathBuf {
    let samples = 4_800u32;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + 2 * samples).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(48_000u32.to_le_bytes());
    bytes.extend(96_000u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((2 * samples).to_le_bytes());
    bytes.resize(44 + 2 * samples as usize, 0);
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    if !tags.is_empty() {
        let mut tag = Tag::new(TagType::Id3v2);
        tags.iter().for_each(|(key, text)| assert!(tag.insert_text(*key, (*text).into())));
        tag.save_to_path(&path, WriteOptions::default()).unwrap();
    }
    path
}

/// Writes a WAV file with a sine of a number of seconds: mono, 16 bits, 8 kHz.
pub fn write_tone(folder: &Path, name: &str, hertz: f64, seconds: usize) -> PathBuf {
    let path = write_wav(folder, name, &[]);
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(44);
    let samples = (0..8_000 * seconds).map(|i| (i as f64 * hertz / 8_000.0 * std::f64::consts::TAU).sin());
    bytes.extend(samples.flat_map(|sample| ((sample * 9_000.0) as i16).to_le_bytes()));
    let length = (bytes.len() - 44) as u32;
    bytes[4..8].copy_from_slice(&(36 + length).to_le_bytes());
    bytes[24..28].copy_from_slice(&8_000u32.to_le_bytes());
    bytes[28..32].copy_from_slice(&16_000u32.to_le_bytes());
    bytes[40..44].copy_from_slice(&length.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    path
}

/// Decodes the files that this module writes.
#[derive(Default)]
pub struct TestDecoder {
    /// Number of files that were decoded.
    pub decoded: AtomicUsize,
    /// A flag that is set when more than this number of files are decoded.
    pub cancel_after: Option<(usize, &'static AtomicBool)>,
}

impl AudioDecoder for TestDecoder {
    fn decode(
        &self,
        file: &Path,
        consume: &mut dyn FnMut(DecodedAudio<'_>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let decoded = self.decoded.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some((_, cancel)) = self.cancel_after.filter(|(after, _)| decoded > *after) {
            cancel.store(true, Ordering::Relaxed);
        }
        let bytes = fs::read(file).map_err(|error| error.to_string())?;
        assert!(!bytes.starts_with(b"panic"), "a codec may panic");
        if !bytes.starts_with(b"RIFF") {
            return Err("no sound in it".into());
        }
        let rate = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
        let samples = bytes[44..].as_chunks().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)));
        let samples: Vec<f32> = samples.map(|sample| sample / 32_768.0).collect();
        for samples in samples.chunks(1_000) {
            if consume(DecodedAudio { rate, channels: 1, samples }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Paths as the sources of a scan.
pub fn to_sources(paths: &[&Path]) -> Vec<String> {
    paths.iter().map(|path| path.to_str().unwrap().into()).collect()
}

/// Scans a folder or a playlist to the end.
pub fn scan(database: &Database, path: &Path, decoder: &TestDecoder) -> ScanReport {
    let sources = to_sources(&[path]);
    let scan = Scan { sources: &sources, threads: 2, access: SourceAccess::default(), write_tags: false };
    let mut last = ScanProgress { done: 0, total: 0 };
    let report =
        scan.run(database, Some(decoder), &AtomicBool::new(false), |progress| last = progress).unwrap();
    assert_eq!(last.done, last.total);
    report
}
