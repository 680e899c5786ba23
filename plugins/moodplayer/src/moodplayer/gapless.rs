//! What an MP3 encoder has added before and after the music, from the tag that LAME writes into the first frame (Sabin and
//! Taylor, "Mp3 Info Tag revision 1"). GStreamer before 1.24 plays it: some 20 ms of silence at either end.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A decoder's own delay, frames: it begins that much late.
const DECODER_DELAY: u64 = 529;

/// Counted in frames of the file's own rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    pub rate: u64,
    /// Of the decoded file, with what was added.
    pub frames: u64,
    pub before: u64,
    pub after: u64,
}

/// Reads a file's tag; `None` where there is none.
pub fn padding(path: &Path) -> Option<Padding> {
    let mut file = File::open(path).ok()?;
    let mut head = [0; 10];
    file.read_exact(&mut head).ok()?;
    // ID3v2: sizes in seven bits a byte.
    let skipped = match &head {
        [b'I', b'D', b'3', _, _, flags, size @ ..] => {
            let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
            10 + size + if flags & 0x10 != 0 { 10 } else { 0 }
        }
        _ => 0,
    };
    file.seek(SeekFrom::Start(skipped)).ok()?;
    let mut frame = Vec::new();
    file.take(512).read_to_end(&mut frame).ok()?;
    parse(&frame)
}

fn parse(frame: &[u8]) -> Option<Padding> {
    let &[0xff, second, third, fourth] = frame.get(..4)? else { return None };
    // Layer III of MPEG 1, 2 or 2.5.
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    let rate = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))?;
    let (rate, samples, stereo, mono) = match (second & 0xe0, layer, version) {
        (0xe0, 1, 3) => (*rate, 1_152, 32, 17),
        (0xe0, 1, 2) => (rate / 2, 576, 17, 9),
        (0xe0, 1, 0) => (rate / 4, 576, 17, 9),
        _ => return None,
    };
    let tag = frame.get(4 + if fourth >> 6 == 3 { mono } else { stereo }..)?;
    let flags = tag.get(7)?;
    // Frames, bytes, table of contents, quality: the number of frames must be there.
    if !(tag.starts_with(b"Xing") || tag.starts_with(b"Info")) || flags & 1 == 0 {
        return None;
    }
    let count = u32::from_be_bytes(tag.get(8..12)?.try_into().ok()?);
    let parts = [4, 4, 100, 4].iter().enumerate().filter(|(bit, _)| flags >> bit & 1 != 0);
    let encoder = tag.get(8 + parts.map(|(_, size)| size).sum::<usize>()..)?;
    let added = encoder.get(21..24)?;
    let delay = u64::from(added[0]) << 4 | u64::from(added[1] >> 4);
    let padding = u64::from(added[1] & 0xf) << 8 | u64::from(added[2]);
    if !encoder[..4].iter().all(u8::is_ascii_alphanumeric) || padding < DECODER_DELAY {
        return None;
    }
    Some(Padding {
        rate,
        frames: u64::from(count) * samples,
        before: delay + DECODER_DELAY,
        after: padding - DECODER_DELAY,
    })
}

impl Padding {
    /// The music's first frame and the one after its last, at another rate; `None` where what was decoded, so many frames
    /// of that rate, does not hold the padding any more.
    pub fn music(&self, decoded: u64, rate: u32) -> Option<(u64, u64)> {
        let scaled = |frames: u64| (frames as f64 * f64::from(rate) / self.rate as f64).round() as u64;
        let whole = scaled(self.frames).abs_diff(decoded) < scaled(self.before) / 2;
        let music = (scaled(self.before), decoded.saturating_sub(scaled(self.after)));
        (whole && music.0 < music.1).then_some(music)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged() -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x94, 0xc4];
        frame.extend([0; 17]);
        frame.extend(b"Info\0\0\0\x0f");
        frame.extend(85u32.to_be_bytes());
        frame.extend([0; 108]);
        frame.extend(b"LAME3.100");
        frame.extend([0; 12]);
        // 576 before, 1344 after.
        frame.extend([0x24, 0x05, 0x40]);
        frame
    }

    #[test]
    fn lames_tag_says_what_was_added() {
        let padding = parse(&tagged()).unwrap();
        assert_eq!(padding, Padding { rate: 48_000, frames: 97_920, before: 1_105, after: 815 });
        assert_eq!(padding.music(97_920, 48_000), Some((1_105, 97_105)));
        assert_eq!(padding.music(48_960, 24_000), Some((553, 48_552)));
        assert_eq!(padding.music(96_000, 48_000), None, "already cut");
    }

    #[test]
    fn anything_else_says_nothing() {
        let tagged = tagged();
        for length in 0..tagged.len() {
            assert_eq!(parse(&tagged[..length]), None);
        }
        assert_eq!(parse(&[0xff; 400]), None);
        assert_eq!(parse(&[0; 400]), None);
        assert_eq!(padding(Path::new("/nowhere.mp3")), None);
    }
}
