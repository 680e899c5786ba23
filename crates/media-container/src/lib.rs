//! What the container of a media file says about its parts: the length that the file should have, and where its large tags
//! are.
//!
//! An interrupted download or copy leaves a file whose beginning can be played. Demuxers play that part
//! and end without an error, so the container's own sizes are compared with the length of the file. MP4 and
//! QuickTime, Matroska and WebM, AVI, and MPEG transport streams are supported. A [`FileView`] leaves out tags that a
//! player need not read.

mod view;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

pub use view::FileView;

/// Number of top-level boxes of an MP4 file that are read; a fragment has two. If a file has more, the length
/// up to the last box read counts as declared.
const MAX_BOXES: usize = 10_000;

/// Packets at the beginning of a file that must have a sync byte for it to be taken for a transport stream.
const SYNC_PACKETS: u64 = 5;

/// The length in bytes that the container of the file at `path` declares, if the file is shorter. `None` if it
/// is complete, if its container declares no length or is not supported, or if it cannot be read.
pub fn declared_length_if_truncated(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let declared = declared_length(&mut file, length).ok()??;
    (declared > length).then_some(declared)
}

/// The length in bytes that a container declares; `length` is the actual one. A transport stream declares
/// none, but consists of complete packets only. `None` if the container is not supported, or was recorded live
/// without a length. Fails if reading fails, for example because the file ends within a header.
pub fn declared_length(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut header = [0; 12];
    file.read_exact(&mut header)?;
    match &header {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4_length(file, length),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska_length(file),
        [b'R', b'I', b'F', b'F', size @ .., b'A', b'V', b'I', b' '] => {
            Ok(Some(u64::from(u32::from_le_bytes(*size)) + 8))
        }
        _ => transport_stream_length(file, length),
    }
}

/// The end of the last packet of an MPEG transport stream (ISO/IEC 13818-1, 2.4.3), or of one with timestamps
/// (M2TS).
fn transport_stream_length(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    // Size of a packet and the offset of its sync byte.
    for (size, sync_offset) in [(188, 0), (192, 4)] {
        let mut synced = 0;
        for packet in 0..SYNC_PACKETS {
            let mut byte = [0];
            file.seek(SeekFrom::Start(packet * size + sync_offset))?;
            synced += u64::from(file.read(&mut byte)? == 1 && byte == [0x47]);
        }
        if synced == SYNC_PACKETS {
            return Ok(Some(length.next_multiple_of(size)));
        }
    }
    Ok(None)
}

/// The end of the last box of an MP4 or QuickTime file (ISO/IEC 14496-12, 4.2).
fn mp4_length(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut position = 0u64;
    for _ in 0..MAX_BOXES {
        if position >= length {
            break;
        }
        file.seek(SeekFrom::Start(position))?;
        let mut header = [0; 8];
        // Fewer bytes than a header at the end are padding.
        if file.read_exact(&mut header).is_err() {
            break;
        }
        let [a, b, c, d, ..] = header;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            // The box reaches to the end of the file, so nothing can be missing.
            0 => break,
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                u64::from_be_bytes(large)
            }
            size => u64::from(size),
        };
        // Not a box: some programs append other data.
        if size < 8 {
            break;
        }
        position = position.saturating_add(size);
    }
    Ok(Some(position))
}

/// The end of the segment of a Matroska or WebM file (RFC 8794, RFC 9559), or `None` if its size is not
/// known.
fn matroska_length(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(4))?;
    let Some(header) = read_ebml_size(file)? else { return Ok(None) };
    file.seek_relative(i64::try_from(header).unwrap_or(i64::MAX))?;
    let mut id = [0; 4];
    file.read_exact(&mut id)?;
    if id != [0x18, 0x53, 0x80, 0x67] {
        return Ok(None);
    }
    let size = read_ebml_size(file)?;
    let begin = file.stream_position()?;
    Ok(size.map(|size| begin.saturating_add(size)))
}

/// Reads a data size of EBML (RFC 8794, 6): the leading zeros of the first byte count the bytes that follow;
/// if all other bits are ones, the size is unknown.
fn read_ebml_size(file: &mut impl Read) -> io::Result<Option<u64>> {
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
    Ok((!is_unknown).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn declared(bytes: &[u8]) -> Option<u64> {
        declared_length(&mut Cursor::new(bytes), bytes.len() as u64).ok().flatten()
    }

    #[test]
    fn length_is_read_from_every_container() {
        let mp4 = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 1, 0], b"mdat"].concat();
        assert_eq!(declared(&mp4), Some(16 + 256));
        let large =
            [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 0, 1], b"mdat", &[0, 0, 0, 2, 0, 0, 0, 0]]
                .concat();
        assert_eq!(declared(&large), Some(16 + (2 << 32)));
        let open = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 0, 0], b"mdat", &[7; 50]].concat();
        assert_eq!(declared(&open), Some(16), "a box that reaches to the end of the file");
        let head = [0x1A, 0x45, 0xDF, 0xA3, 0x83, 1, 2, 3, 0x18, 0x53, 0x80, 0x67];
        assert_eq!(declared(&[&head[..], &[0x41, 0x00], &[0; 9]].concat()), Some(14 + 256));
        assert_eq!(declared(&[&head[..], &[0x01, 255, 255, 255, 255, 255, 255, 255]].concat()), None);
        assert_eq!(declared(b"RIFF\x00\x01\x00\x00AVI LIST"), Some(264));
        let packet = [&[0x47][..], &[0; 187]].concat();
        assert_eq!(declared(&packet.repeat(6)), Some(6 * 188));
        assert_eq!(declared(&packet.repeat(6)[..1000]), Some(6 * 188));
        let with_timestamps = [&[0, 0, 0, 9][..], &packet].concat().repeat(7);
        assert_eq!(declared(&with_timestamps[..1200]), Some(7 * 192));
        for unknown in
            [&b""[..], b"RIFF", b"nothing of the kind", &[0x1A, 0x45, 0xDF, 0xA3, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(declared(unknown), None, "{unknown:?}");
        }
    }
}
