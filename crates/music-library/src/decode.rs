//! What an analysis wants from a decoder. This crate has none: a program brings the one it plays with, so that what can be
//! scanned is what can be played.

use std::ops::ControlFlow;
use std::path::Path;

/// A stretch of decoded sound.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Frames a second.
    pub rate: u32,
    /// How many.
    pub channels: u32,
    /// Interleaved, full scale is 1.
    pub samples: &'a [f32],
}

/// Decodes files, several at once.
pub trait Decode: Sync {
    /// Hands out the sound of a file block by block, until its end or until `take` breaks off.
    ///
    /// # Errors
    /// In words for a person: why the file cannot be played to its end.
    fn decode(&self, file: &Path, take: &mut dyn FnMut(Block<'_>) -> ControlFlow<()>) -> Result<(), String>;
}
