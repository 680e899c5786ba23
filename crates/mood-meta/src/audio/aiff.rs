//! Recognises AIFF files (Audio Interchange File Format 1.3 and AIFF-C) that GStreamer's `aiffparse` reads.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Compression types of AIFF-C whose samples `aiffparse` passes on: linear PCM in big and little endian, and floats.
const RAW_TYPES: [&[u8; 4]; 6] = [b"NONE", b"sowt", b"fl32", b"FL32", b"fl64", b"FL64"];
/// Chunks that are looked at for the one that describes the samples. Files have less than ten.
const MAX_CHUNKS: usize = 1000;

/// Whether `path` is an AIFF file with samples that need no decoder. `false` for a file that cannot be read.
pub(super) fn has_raw_samples(path: &Path) -> bool {
    File::open(path).and_then(read_is_raw).unwrap_or(false)
}

/// Reads the file's header, and the chunks up to `COMM`.
fn read_is_raw(mut file: impl Read + Seek) -> io::Result<bool> {
    let mut header = [0; 12];
    file.read_exact(&mut header)?;
    let is_compressed = match (&header[..4], &header[8..]) {
        (b"FORM", b"AIFF") => return Ok(true),
        (b"FORM", b"AIFC") => true,
        _ => false,
    };
    for _ in 0..if is_compressed { MAX_CHUNKS } else { 0 } {
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        if chunk.starts_with(b"COMM") {
            // Channels, number of samples, bits, rate as an 80-bit float, compression type.
            let mut common = [0; 22];
            file.read_exact(&mut common)?;
            return Ok(RAW_TYPES.iter().any(|raw| common[18..] == raw[..]));
        }
        let size = u32::from_be_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        // Chunks have an even length.
        file.seek(SeekFrom::Current(i64::from(size) + i64::from(size % 2)))?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn only_raw_samples_are_recognised() {
        let compressed = |kind: &[u8]| {
            let version = [&b"FVER\0\0\0\x03"[..], &[0; 4]].concat();
            [&b"FORM\0\0\0\0AIFC"[..], &version, b"COMM\0\0\0\x16", &[0; 18], kind].concat()
        };
        let is_raw = |bytes: &[u8]| read_is_raw(Cursor::new(bytes)).unwrap_or(false);
        assert!(is_raw(b"FORM\0\0\0\0AIFF") && is_raw(&compressed(b"sowt")) && is_raw(&compressed(b"fl32")));
        assert!(!is_raw(&compressed(b"ulaw")) && !is_raw(&compressed(b"")));
        assert!(!is_raw(b"FORM\0\0\0\0ILBM") && !is_raw(b"RIFF") && !is_raw(b""));
    }
}
