//! Is a file all there? Demuxers play what they find and end without a word, so the container's own sizes are asked.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Boxes of an MP4 that are looked at; the ones that matter come early, and a file of more is odd but may be fine.
const BOXES: usize = 10_000;

/// Packets of a transport stream that make one sure that it is one.
const PACKETS: u64 = 5;

/// How long the file should be, where its container says so and that is longer than it is.
pub fn missing(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let declared = declared(&mut file, length).ok()??;
    (declared > length).then_some(declared)
}

/// The length that the container gives itself: MP4 and QuickTime, Matroska and WebM, AVI. An MPEG transport stream gives
/// none, but has whole packets only.
fn declared(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    match &head {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => boxes(file, length),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => segment(file),
        [b'R', b'I', b'F', b'F', size @ .., b'A', b'V', b'I', b' '] => {
            Ok(Some(u64::from(u32::from_le_bytes(*size)) + 8))
        }
        _ => packets(file, length),
    }
}

/// The end of the last packet of an MPEG transport stream (ISO/IEC 13818-1, 2.4.3), or of one with times (M2TS).
fn packets(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    for (size, sync) in [(188, 0), (192, 4)] {
        let mut starts = 0;
        for packet in 0..PACKETS {
            let mut byte = [0];
            file.seek(SeekFrom::Start(packet * size + sync))?;
            starts += u64::from(file.read(&mut byte)? == 1 && byte == [0x47]);
        }
        if starts == PACKETS {
            return Ok(Some(length.next_multiple_of(size)));
        }
    }
    Ok(None)
}

/// The end of the last box (ISO/IEC 14496-12, 4.2).
fn boxes(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut at = 0u64;
    for _ in 0..BOXES {
        if at >= length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        // Less than a box's head at the end is padding.
        if file.read_exact(&mut head).is_err() {
            break;
        }
        let [a, b, c, d, ..] = head;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file, whatever that is.
            0 => break,
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                u64::from_be_bytes(large)
            }
            size => u64::from(size),
        };
        // Not a box: what follows the last one is somebody else's.
        if size < 8 {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(Some(at))
}

/// The end of the segment (RFC 8794, RFC 9559); of a live recording it is not known.
fn segment(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(4))?;
    let Some(header) = size(file)? else { return Ok(None) };
    file.seek_relative(i64::try_from(header).unwrap_or(i64::MAX))?;
    let mut id = [0; 4];
    file.read_exact(&mut id)?;
    if id != [0x18, 0x53, 0x80, 0x67] {
        return Ok(None);
    }
    let size = size(file)?;
    let begin = file.stream_position()?;
    Ok(size.map(|size| begin.saturating_add(size)))
}

/// An EBML size: the leading zeros of the first byte say how many bytes follow; all ones is unknown.
fn size(file: &mut impl Read) -> io::Result<Option<u64>> {
    let mut first = [0];
    file.read_exact(&mut first)?;
    let [first] = first;
    let more = first.leading_zeros() as usize;
    if more > 7 {
        return Ok(None);
    }
    let mut value = u64::from(first) & (0x7F >> more);
    let mut unknown = value == 0x7F >> more;
    for _ in 0..more {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        let [byte] = byte;
        unknown &= byte == 0xFF;
        value = value << 8 | u64::from(byte);
    }
    Ok((!unknown).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn declared_of(bytes: &[u8]) -> Option<u64> {
        declared(&mut Cursor::new(bytes), bytes.len() as u64).ok().flatten()
    }

    #[test]
    fn every_container_says_how_long_it_is() {
        let mp4 = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 1, 0], b"mdat"].concat();
        assert_eq!(declared_of(&mp4), Some(16 + 256));
        let large =
            [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 0, 1], b"mdat", &[0, 0, 0, 2, 0, 0, 0, 0]]
                .concat();
        assert_eq!(declared_of(&large), Some(16 + (2 << 32)));
        let open = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 0, 0], b"mdat", &[7; 50]].concat();
        assert_eq!(declared_of(&open), Some(16), "never more than there is");
        let head = [0x1A, 0x45, 0xDF, 0xA3, 0x83, 1, 2, 3, 0x18, 0x53, 0x80, 0x67];
        assert_eq!(declared_of(&[&head[..], &[0x41, 0x00], &[0; 9]].concat()), Some(14 + 256));
        assert_eq!(declared_of(&[&head[..], &[0x01, 255, 255, 255, 255, 255, 255, 255]].concat()), None);
        assert_eq!(declared_of(b"RIFF\x00\x01\x00\x00AVI LIST"), Some(264));
        let packet = [&[0x47][..], &[0; 187]].concat();
        assert_eq!(declared_of(&packet.repeat(6)), Some(6 * 188));
        assert_eq!(declared_of(&packet.repeat(6)[..1000]), Some(6 * 188));
        let timed = [&[0, 0, 0, 9][..], &packet].concat().repeat(7);
        assert_eq!(declared_of(&timed[..1200]), Some(7 * 192));
        for odd in
            [&b""[..], b"RIFF", b"nothing of the kind", &[0x1A, 0x45, 0xDF, 0xA3, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(declared_of(odd), None, "{odd:?}");
        }
    }
}
