//! Flash video (Adobe, Video File Format Specification 10.1, annex E): tags, each followed by its size.

use std::io::{self, Read, Seek, SeekFrom};

use crate::Extent;

/// The end of the last tag, and the second header, with which another recording begins.
pub(crate) fn extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut header = [0; 9];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    // The header, and the size of the tag before the first, which is 0.
    let mut position = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
    file.seek(SeekFrom::Start(position))?;
    while position < length {
        let mut tag = [0; 11];
        match file.read_exact(&mut tag) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Extent::from_length(position + tag.len() as u64));
            }
            result => result?,
        }
        let size = match tag {
            [b'F', b'L', b'V', 1, ..] => {
                return Ok(Extent::from_next(position));
            }
            // Audio, video, data.
            [8 | 9 | 18, a, b, c, ..] => u64::from(u32::from_be_bytes([0, a, b, c])),
            // Something else is appended.
            _ => return Ok(Extent::from_length(position)),
        };
        let rest = size + 4;
        position += tag.len() as u64 + rest;
        file.seek_relative(i64::try_from(rest).unwrap_or(i64::MAX))?;
    }
    Ok(Extent::from_length(position))
}
