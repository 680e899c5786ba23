//! The interface of an audio decoder, as a scan needs one for the analysis.
//!
//! This crate has no decoder: the program brings the one it plays with, so that exactly what can be played
//! can be scanned.

use std::ops::ControlFlow;
use std::path::Path;

/// A block of decoded audio, of any length.
#[derive(Clone, Copy, Debug)]
pub struct DecodedAudio<'a> {
    /// Sampling rate, Hz.
    pub rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Interleaved samples, full scale at -1 to 1. The length is a multiple of `channels`.
    pub samples: &'a [f32],
}

/// Decodes audio files. Several threads use one decoder at the same time.
pub trait AudioDecoder: Sync {
    /// Decodes a file and passes its audio to `consume` block by block, until the end of the file or until
    /// `consume` returns [`ControlFlow::Break`], which is no error.
    ///
    /// # Errors
    /// Why the file cannot be decoded to its end, as a text for the user.
    fn decode(
        &self,
        file: &Path,
        consume: &mut dyn FnMut(DecodedAudio<'_>) -> ControlFlow<()>,
    ) -> Result<(), String>;
}
