//! The silence that an MP3 encoder has added before and after the music, some 20 ms each, read from the tag
//! that LAME writes into the first frame (Sabin and Taylor, "Mp3 Info Tag revision 1"). GStreamer before 1.24
//! does not remove it.
//!
//! "Frame" here is an MP3 frame of 576 or 1,152 samples.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Delay of an MP3 decoder's output, in samples; the delay in the tag does not include it.
const DECODER_DELAY: u64 = 529;
/// Number of bytes that are read of the first frame: more than the tag and everything before it.
const HEAD_BYTES: u64 = 512;

/// The silence that an encoder has added to a track, in samples at the file's own rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderPadding {
    /// Sample rate of the file, Hz.
    pub rate: u64,
    /// Number of samples of the decoded file, including those added.
    pub length: u64,
    /// Samples added before the music.
    pub before: u64,
    /// Samples added after the music.
    pub after: u64,
}

impl EncoderPadding {
    /// Reads the tag of a file; `None` where there is none, or the file cannot be read.
    pub fn read(path: &Path) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let mut head = [0; 10];
        file.read_exact(&mut head).ok()?;
        // An ID3v2 tag comes first. It writes its size with seven bits a byte.
        let tag_size = match &head {
            [b'I', b'D', b'3', _, _, flags, size @ ..] => {
                let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
                10 + size + if flags & 0x10 != 0 { 10 } else { 0 }
            }
            _ => 0,
        };
        file.seek(SeekFrom::Start(tag_size)).ok()?;
        let mut frame = Vec::new();
        file.take(HEAD_BYTES).read_to_end(&mut frame).ok()?;
        Self::parse(&frame)
    }

    /// Parses the first MP3 frame.
    fn parse(frame: &[u8]) -> Option<Self> {
        let &[0xff, second, third, fourth] = frame.get(..4)? else { return None };
        // Layer III of MPEG 1, 2 or 2.5, with the size of the side information for stereo and mono.
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
        // The flags say which fields follow: number of frames (required here), number of bytes, table of
        // contents, quality.
        if !(tag.starts_with(b"Xing") || tag.starts_with(b"Info")) || flags & 1 == 0 {
            return None;
        }
        let frames = u32::from_be_bytes(tag.get(8..12)?.try_into().ok()?);
        let fields = [4, 4, 100, 4].iter().enumerate().filter(|(bit, _)| flags >> bit & 1 != 0);
        let encoder = tag.get(8 + fields.map(|(_, size)| size).sum::<usize>()..)?;
        let added = encoder.get(21..24)?;
        let delay = u64::from(added[0]) << 4 | u64::from(added[1] >> 4);
        let padding = u64::from(added[1] & 0xf) << 8 | u64::from(added[2]);
        if !encoder[..4].iter().all(u8::is_ascii_alphanumeric) || padding < DECODER_DELAY {
            return None;
        }
        Some(Self {
            rate,
            length: u64::from(frames) * samples,
            before: delay + DECODER_DELAY,
            after: padding - DECODER_DELAY,
        })
    }

    /// The first sample of the music and the one after its last, at `rate` samples a second. `decoded` is the
    /// number of samples that the decoder gave; `None` where that is not the length with the padding.
    pub fn music_range(&self, decoded: u64, rate: u32) -> Option<(u64, u64)> {
        let scale = |samples: u64| (samples as f64 * f64::from(rate) / self.rate as f64).round() as u64;
        let is_padded = scale(self.length).abs_diff(decoded) < scale(self.before) / 2;
        let music = (scale(self.before), decoded.saturating_sub(scale(self.after)));
        (is_padded && music.0 < music.1).then_some(music)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a 48 kHz MPEG-1 file in mono, as LAME 3.100 writes it.
    fn tagged_frame() -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x94, 0xc4];
        frame.extend([0; 17]);
        frame.extend(b"Info\0\0\0\x0f");
        frame.extend(85u32.to_be_bytes());
        frame.extend([0; 108]);
        frame.extend(b"LAME3.100");
        frame.extend([0; 12]);
        // A delay of 576 samples and a padding of 1344.
        frame.extend([0x24, 0x05, 0x40]);
        frame
    }

    #[test]
    fn padding_is_read_from_the_tag() {
        let padding = EncoderPadding::parse(&tagged_frame()).unwrap();
        assert_eq!(padding, EncoderPadding { rate: 48_000, length: 97_920, before: 1_105, after: 815 });
        assert_eq!(padding.music_range(97_920, 48_000), Some((1_105, 97_105)));
        assert_eq!(padding.music_range(48_960, 24_000), Some((553, 48_552)));
        assert_eq!(padding.music_range(96_000, 48_000), None, "already cut");
    }

    #[test]
    fn anything_else_has_no_padding() {
        let frame = tagged_frame();
        for length in 0..frame.len() {
            assert_eq!(EncoderPadding::parse(&frame[..length]), None);
        }
        assert_eq!(EncoderPadding::parse(&[0xff; 400]), None);
        assert_eq!(EncoderPadding::parse(&[0; 400]), None);
        assert_eq!(EncoderPadding::read(Path::new("/nowhere.mp3")), None);
    }
}
