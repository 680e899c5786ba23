//! What the containers of media files say about their own extent, without decoding.
//!
//! An interrupted download or copy leaves a file whose beginning can be played, and of two recordings that were written one
//! behind the other demuxers may play the first. They end without an error in both cases, so the container's own
//! sizes are compared with the length of the file: of MP4 and QuickTime, Matroska and WebM, AVI, FLV, and MPEG transport
//! streams. A further recording is also found in ASF, IVF, MXF and YUV4MPEG2, and behind animated GIF, PNG and WebP;
//! [`joins`] finds those that demuxers play as one. [`jpeg`] tells photographs from Motion JPEG and finds those that are cut off. A
//! [`FileView`] leaves out tags that a player need not read.

mod animation;
mod chunks;
mod flv;
mod joined;
pub mod jpeg;
mod matroska;
mod mp4;
mod ogg;
mod ogg_chain;
mod pictures;
mod program_stream;
mod transport_stream;
mod view;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

pub use joined::joins;
pub use mp4::has_preview_only;
pub use transport_stream::has_private_stream;
pub use view::{FileView, ViewReader};

/// What a container says about where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The length in bytes that the container declares, at least; `None` where it declares none.
    pub declared_length: Option<u64>,
    /// The position, bytes, at which another recording begins behind the first.
    pub next_recording: Option<u64>,
}

impl Extent {
    /// The extent of a container that declares a length.
    fn from_length(length: u64) -> Self {
        Self { declared_length: Some(length), next_recording: None }
    }

    /// The extent of a recording behind which another begins.
    fn from_next(position: u64) -> Self {
        Self { declared_length: None, next_recording: Some(position) }
    }
}

/// The length in bytes that the container of the file at `path` declares, if the file is shorter. `None` if it
/// is complete, if its container declares no length or is not supported, or if it cannot be read.
pub fn declared_length_if_truncated(path: &Path) -> Option<u64> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let length = file.get_ref().metadata().ok()?.len();
    let declared = extent(&mut file, length).ok()?.declared_length?;
    (declared > length).then_some(declared)
}

/// The position, bytes, at which a second recording begins in the file at `path`, which most players do not reach. `None`
/// where there is none, the container is not supported, or the file cannot be read.
pub fn next_recording(path: &Path) -> Option<u64> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let length = file.get_ref().metadata().ok()?.len();
    extent(&mut file, length).ok()?.next_recording
}

/// What a container says about its end; `length` is the actual length, bytes. A transport stream declares none, but consists
/// of complete packets only. Everything is `None` if the container is not supported. Fails if reading fails, for example
/// because the file ends within its first header.
pub fn extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut header = [0; 12];
    file.read_exact(&mut header)?;
    match &header {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4::extent(file, length),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => matroska::extent(file, length),
        [b'R', b'I', b'F', b'F', .., b'A', b'V', b'I', b' '] => avi_extent(file, length),
        [b'F', b'L', b'V', ..] => flv::extent(file, length),
        [b'R', b'I', b'F', b'F', .., b'W', b'E', b'B', b'P'] => animation::webp(file, length),
        [b'G', b'I', b'F', b'8', ..] => animation::gif(file, length),
        [b'D', b'K', b'I', b'F', ..] => chunks::ivf(file, length),
        [b'Y', b'U', b'V', b'4', b'M', b'P', b'E', b'G', b'2', ..] => chunks::y4m(file, length),
        header if header.starts_with(&animation::PNG) => animation::png(file, length),
        header if header.starts_with(&chunks::ASF_HEADER) => chunks::asf(file, length),
        header if header.starts_with(&chunks::MXF_KEY) => chunks::mxf(file, length),
        _ => transport_stream::extent(file, length),
    }
}

/// The extent of an AVI file: RIFF chunks of the types `AVI ` and, where it has more than a gigabyte (OpenDML), `AVIX`. A
/// further `AVI ` is another recording.
fn avi_extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut position = 0u64;
    while position < length {
        file.seek(SeekFrom::Start(position))?;
        let mut header = [0; 12];
        if file.read_exact(&mut header).is_err() {
            break;
        }
        match &header {
            [b'R', b'I', b'F', b'F', .., b'A', b'V', b'I', b' '] if position > 0 => {
                return Ok(Extent::from_next(position));
            }
            [b'R', b'I', b'F', b'F', size @ .., b'A', b'V', b'I', _] => {
                // Chunks have an even length (a byte of padding).
                position += (u64::from(u32::from_le_bytes(*size)) + 8).next_multiple_of(2);
            }
            _ => break,
        }
    }
    // The padding of the last chunk may be missing.
    Ok(Extent::from_length(if position == length + 1 { length } else { position }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn declared(bytes: &[u8]) -> Option<u64> {
        extent(&mut Cursor::new(bytes), bytes.len() as u64).ok()?.declared_length
    }

    fn next(bytes: &[u8]) -> Option<u64> {
        extent(&mut Cursor::new(bytes), bytes.len() as u64).unwrap().next_recording
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
        // Recorded live: a segment without a size, a cluster without one, blocks.
        let live =
            [&head[..], &[0x01, 255, 255, 255, 255, 255, 255, 255], &[0x1F, 0x43, 0xB6, 0x75, 0xFF]].concat();
        let block = [0xA3, 0x84, 1, 2, 3, 4];
        let length = live.len() as u64;
        let live = [&live[..], &block, &block].concat();
        assert_eq!(declared(&live), Some(length + 12), "complete");
        assert_eq!(declared(&live[..live.len() - 2]), Some(length + 12), "cut off in a block");
        assert_eq!(declared(&live[..live.len() - 5]), Some(length + 8), "cut off in the header of a block");
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

    #[test]
    fn a_second_recording_is_found_in_every_container() {
        let mp4 = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0", &[0, 0, 0, 9], b"mdat", &[7]].concat();
        let matroska = [0x1A, 0x45, 0xDF, 0xA3, 0x83, 1, 2, 3, 0x18, 0x53, 0x80, 0x67, 0x82, 1, 2];
        let live = [&matroska[..12], &[0xFF, 0x1F, 0x43, 0xB6, 0x75, 0xFF, 0xA3, 0x81, 7]].concat();
        let avi = [&b"RIFF\x05\0\0\0AVI 7\0"[..], b"RIFF\x04\0\0\0AVIX"].concat();
        let tag = [9, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 13];
        let flv = [&b"FLV\x01\x05\0\0\0\x09\0\0\0\0"[..], &tag, &tag].concat();
        for one in [&mp4[..], &matroska, &live, &avi, &flv] {
            assert_eq!(next(one), None, "{one:?}");
            assert_eq!(next(&one.repeat(3)), Some(one.len() as u64), "{one:?}");
            assert_eq!(declared(one), Some(one.len() as u64), "{one:?}");
            // What other programs append is no recording.
            assert_eq!(next(&[one, b"appended by somebody"].concat()), None, "{one:?}");
        }
        let asf =
            [&chunks::ASF_HEADER[..], &[7; 12], &[25, 0, 0, 0, 0, 0, 0, 0], &[7], &[9; 16], &[24], &[0; 7]]
                .concat();
        let ivf = [&b"DKIF\0\0\x20\0"[..], &[7; 24], &[2, 0, 0, 0], &[7; 10]].concat();
        let pack = |kind: u8| {
            [&chunks::MXF_KEY[..], &[2, 5, 1, 1, 13, 1, 2, 1, 1, kind, 4, 0, 0x83, 0, 0, 1, 7]].concat()
        };
        let mxf = [pack(2), pack(3)].concat();
        let y4m = [&b"YUV4MPEG2 W3 H1 F25:1\nFRAME\n"[..], &[7; 7], b"FRAME Ip\n", &[7; 7]].concat();
        let y4m_wide = [&b"YUV4MPEG2 W3 H1 C420p10\nFRAME\n"[..], &[7; 14]].concat();
        let gif = [
            &b"GIF89a"[..],
            &[0, 0, 0, 0, 0x80, 0, 0],
            &[7; 6],
            &[0x21, 0xF9, 1, 7, 0, 0x2C],
            &[0; 9],
            &[2, 2, 7, 7, 0, 0x3B],
        ]
        .concat();
        let png = [&animation::PNG[..], &[0, 0, 0, 1], b"IDAT", &[7; 5], &[0; 4], b"IEND", &[7; 4]].concat();
        let webp = *b"RIFF\x05\0\0\0WEBP7\0";
        for one in [&asf[..], &ivf, &mxf, &y4m, &y4m_wide, &gif, &png, &webp] {
            assert_eq!(next(one), None, "{one:?}");
            assert_eq!(next(&one.repeat(3)), Some(one.len() as u64), "{one:?}");
            assert_eq!(declared(one), None, "{one:?}");
            let appended = [one, b"appended by somebody"].concat();
            let found = extent(&mut Cursor::new(&appended), appended.len() as u64);
            assert!(found.is_err() || found.unwrap().next_recording.is_none(), "{one:?}");
            // Cut off anywhere.
            for end in 0..one.len() {
                let _ = extent(&mut Cursor::new(&one[..end]), end as u64);
            }
        }
        assert_eq!(declared(&flv[..flv.len() - 3]), Some(flv.len() as u64));
        assert_eq!(declared(&avi[..avi.len() - 1]), Some(14), "cut off in a header");
    }
}
