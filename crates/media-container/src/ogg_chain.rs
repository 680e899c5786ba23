//! Ogg (RFC 3533): pages of packets; a recording begins with pages that begin its streams.

use std::collections::HashMap;
use std::io::{self, BufRead};

use crate::pictures::{Pictures, fill, skip};

/// Flag of a page that begins a stream.
const BEGINS_STREAM: u8 = 2;
/// What the first packet of a video stream begins with: Theora, VP8, Dirac, and what OGM calls video.
const VIDEO: [&[u8]; 4] = [b"\x80theora", b"OVP80", b"BBCD", b"\x01video"];

/// Counts the packets of the video streams, and notes where streams begin behind others.
pub(crate) fn count(file: &mut impl BufRead, pictures: &mut Pictures) -> io::Result<()> {
    // Whether each stream, by its serial number, is video.
    let mut streams: HashMap<[u8; 4], bool> = HashMap::new();
    let mut is_beginning = true;
    loop {
        let mut header = [0; 27];
        if !fill(file, &mut header)? {
            return Ok(());
        }
        let [b'O', b'g', b'g', b'S', _, flags, .., segments] = header else { return Ok(()) };
        let serial = [header[14], header[15], header[16], header[17]];
        let mut lengths = vec![0; usize::from(segments)];
        if !fill(file, &mut lengths)? {
            return Ok(());
        }
        let size: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let mut head = vec![0; usize::try_from(size.min(16)).unwrap_or(0)];
        if !fill(file, &mut head)? {
            return Ok(());
        }
        skip(file, size - head.len() as u64)?;
        if flags & BEGINS_STREAM != 0 {
            if !is_beginning {
                pictures.jump();
                streams.clear();
            }
            is_beginning = true;
            streams.insert(serial, VIDEO.iter().any(|video| head.starts_with(video)));
        } else {
            is_beginning = false;
            if streams.get(&serial) == Some(&true) {
                for _ in lengths.iter().filter(|length| **length < 255) {
                    pictures.add();
                }
            }
        }
    }
}
