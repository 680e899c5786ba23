//! Matroska and WebM (RFC 8794, RFC 9559): elements of an id, a size and data. Programs that record live write segments, and
//! often clusters, without a size; their children are followed instead.

use std::io::{self, Read, Seek, SeekFrom};

use crate::Extent;

/// The element with which a recording begins, in front of its segment.
const EBML_HEADER: u32 = 0x1A45_DFA3;
/// All of a recording.
const SEGMENT: u32 = 0x1853_8067;
/// A few seconds of all streams.
const CLUSTER: u32 = 0x1F43_B675;

/// The end of the last element, and the second EBML header, with which another recording begins. Where a segment has no
/// size, the last element of the file counts: if it ends behind the file, the file is cut off.
pub(crate) fn extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut position = 0u64;
    // Whether the length of all is the sum of what has been read; else there may be any number of further elements.
    let mut has_segment = false;
    file.seek(SeekFrom::Start(0))?;
    while position < length {
        let begin = position;
        let Some((id, size, header)) = read_header(file)? else {
            // The file ends within the header of an element, or something follows that is no Matroska.
            let is_cut = length - begin < 12 && has_segment;
            return Ok(Extent { declared_length: is_cut.then_some(length + 1), next_recording: None });
        };
        if id == EBML_HEADER && has_segment {
            return Ok(Extent::from_next(begin));
        }
        position = begin + header;
        match size {
            Some(size) => {
                has_segment |= id == SEGMENT;
                position = position.saturating_add(size);
                if position > length {
                    break;
                }
                file.seek_relative(i64::try_from(size).unwrap_or(i64::MAX))?;
            }
            None if matches!(id, SEGMENT | CLUSTER) => has_segment = true,
            // Nothing else may lack a size.
            None => return Ok(Extent::default()),
        }
    }
    Ok(Extent {
        declared_length: (position > length || has_segment).then_some(position),
        next_recording: None,
    })
}

/// Reads the id and the size of an element, and how many bytes they take; `None` where the file ends in them or they are none.
fn read_header(file: &mut impl Read) -> io::Result<Option<(u32, Option<u64>, u64)>> {
    let mut first = [0];
    if file.read(&mut first)? == 0 {
        return Ok(None);
    }
    let [first] = first;
    let following = first.leading_zeros() as usize;
    let mut rest = [0; 3];
    let Some(rest) = rest.get_mut(..following) else { return Ok(None) };
    if file.read_exact(rest).is_err() {
        return Ok(None);
    }
    let id = rest.iter().fold(u32::from(first), |id, byte| id << 8 | u32::from(*byte));
    match read_size(file) {
        Ok(Some((size, bytes))) => Ok(Some((id, size, 1 + following as u64 + bytes))),
        Ok(None) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a data size of EBML (RFC 8794, 6), and how many bytes it takes: the leading zeros of the first byte count the bytes
/// that follow; if all other bits are ones, the size is unknown. `None` where it is no size.
fn read_size(file: &mut impl Read) -> io::Result<Option<(Option<u64>, u64)>> {
    let mut first = [0];
    file.read_exact(&mut first)?;
    let [first] = first;
    let following = first.leading_zeros() as usize;
    if following > 7 {
        return Ok(None);
    }
    let mut value = u64::from(first) & (0x7F >> following);
    let mut is_unknown = value == 0x7F >> following;
    for _ in 0..following {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        let [byte] = byte;
        is_unknown &= byte == 0xFF;
        value = value << 8 | u64::from(byte);
    }
    Ok(Some(((!is_unknown).then_some(value), following as u64 + 1)))
}
