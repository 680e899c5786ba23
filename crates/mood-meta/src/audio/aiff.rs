//! Recognises AIFF-C files that GStreamer's `aiffparse` does not read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Compression types of AIFF-C whose samples `aiffparse` passes on: linear PCM in big and little endian, and floats.
const RAW_TYPES: [&[u8; 4]; 6] = [b"NONE", b"sowt", b"fl32", b"FL32", b"fl64", b"FL64"];
/// Chunks that are looked at for the one that describes the samples. Files have less than ten.
const MAX_CHUNKS: usize = 1000;

/// The compression type, such as `ulaw`, of an AIFF-C file that `aiffparse` refuses; `None` for any other file.
pub(super) fn find_compression(path: &Path) -> Option<String> {
    File::open(path).and_then(read_compression).ok().flatten()
}

/// Reads the file's header, and the chunks up to `COMM`.
fn read_compression(mut file: impl Read + Seek) -> io::Result<Option<String>> {
    let mut header = [0; 12];
    file.read_exact(&mut header)?;
    let is_compressed = &header[..4] == b"FORM" && &header[8..] == b"AIFC";
    for _ in 0..if is_compressed { MAX_CHUNKS } else { 0 } {
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        if chunk.starts_with(b"COMM") {
            // Channels, number of samples, bits, rate as an 80-bit float, compression type.
            let mut common = [0; 22];
            file.read_exact(&mut common)?;
            let compression = &common[18..];
            let is_raw = RAW_TYPES.iter().any(|raw| compression == &raw[..]);
            let name = || String::from_utf8_lossy(compression).replace(|c: char| !c.is_ascii_graphic(), "?");
            return Ok((!is_raw).then(name));
        }
        let size = u32::from_be_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        // Chunks have an even length.
        file.seek(SeekFrom::Current(i64::from(size) + i64::from(size % 2)))?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn only_compressed_samples_are_named() {
        let file = |kind: &[u8]| {
            let version = [&b"FVER\0\0\0\x03"[..], &[0; 4]].concat();
            [&b"FORM\0\0\0\0AIFC"[..], &version, b"COMM\0\0\0\x16", &[0; 18], kind].concat()
        };
        let find = |bytes: &[u8]| read_compression(Cursor::new(bytes)).ok().flatten();
        assert_eq!(find(&file(b"ulaw")), Some("ulaw".into()));
        assert_eq!(find(&file(b"a\n\xffb")), Some("a??b".into()));
        for raw in [b"FORM\0\0\0\0AIFF".to_vec(), file(b"sowt"), file(b"fl32")] {
            assert_eq!(find(&raw), None, "{raw:?}");
        }
        for other in [&b"FORM\0\0\0\0ILBM"[..], b"RIFF", b"", &file(b"")] {
            assert_eq!(find(other), None, "{other:?}");
        }
    }
}
