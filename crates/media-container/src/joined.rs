//! Recordings that stand one behind the other in a file that demuxers play as one: MPEG transport and program streams, and
//! Ogg. Their parts have clocks of their own.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::pictures::Pictures;
use crate::{ogg_chain, program_stream, transport_stream};

/// Bytes of a file that are read at a time.
const BLOCK: usize = 1 << 18;

/// The places in the file at `path` at which another recording begins, or where a part of the recording is missing: as shares of
/// its pictures, between 0 and 1, rising. All of the file is read. Empty where there is none, the container is not one of those
/// that demuxers play as one, or the file cannot be read.
pub fn joins(path: &Path) -> Vec<f64> {
    File::open(path)
        .and_then(|file| find_joins(&mut BufReader::with_capacity(BLOCK, file)))
        .unwrap_or_default()
}

/// The same for a file that is read from its beginning.
fn find_joins(file: &mut impl BufRead) -> io::Result<Vec<f64>> {
    let mut pictures = Pictures::default();
    match file.fill_buf()? {
        [b'O', b'g', b'g', b'S', ..] => ogg_chain::count(file, &mut pictures)?,
        [0, 0, 1, 0xBA, ..] => program_stream::count(file, &mut pictures)?,
        head => {
            if let Some(form) = transport_stream::form_of(head) {
                transport_stream::count(file, form, &mut pictures)?;
            }
        }
    }
    Ok(pictures.joins())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_container_has_no_joins() {
        for bytes in [&b""[..], b"OggS", b"\0\0\x01\xBA", b"nothing of the kind", &[0x47; 100], b"RIFF"] {
            assert_eq!(find_joins(&mut &bytes[..]).unwrap_or_default(), [0.0; 0], "{bytes:?}");
        }
    }
}
