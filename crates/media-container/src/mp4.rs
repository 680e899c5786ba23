//! MP4 and QuickTime (ISO/IEC 14496-12, 4.2): boxes of a size and a type.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::Extent;

/// Number of boxes of a file that are read; a fragment has two. If a file has more, the length up to the last box read
/// counts as declared.
const MAX_BOXES: usize = 10_000;

/// The header of a box.
struct BoxHeader {
    kind: [u8; 4],
    /// Where its content begins, bytes.
    content: u64,
    /// Where it ends, bytes; `None`: at the end of the file.
    end: Option<u64>,
}

/// Reads the header of the box at `position`; `None` where there is none.
fn read_box(file: &mut (impl Read + Seek), position: u64) -> io::Result<Option<BoxHeader>> {
    file.seek(SeekFrom::Start(position))?;
    let mut header = [0; 8];
    // Fewer bytes than a header at the end are padding.
    if file.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    let [a, b, c, d, kind @ ..] = header;
    let (size, content) = match u32::from_be_bytes([a, b, c, d]) {
        0 => return Ok(Some(BoxHeader { kind, content: position + 8, end: None })),
        1 => {
            let mut large = [0; 8];
            file.read_exact(&mut large)?;
            (u64::from_be_bytes(large), position + 16)
        }
        size => (u64::from(size), position + 8),
    };
    // Smaller than its own header: not a box. Some programs append other data.
    Ok((size >= 8).then(|| BoxHeader { kind, content, end: Some(position.saturating_add(size)) }))
}

/// The end of the last box, and the second `ftyp`, with which another recording begins.
pub(crate) fn extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut position = 0u64;
    for _ in 0..MAX_BOXES {
        if position >= length {
            break;
        }
        let Some(header) = read_box(file, position)? else { break };
        if &header.kind == b"ftyp" && position > 0 {
            return Ok(Extent::from_next(position));
        }
        // A box that reaches to the end of the file cannot lack anything.
        let Some(end) = header.end else { break };
        position = end;
    }
    Ok(Extent::from_length(position))
}

/// Whether the file at `path` is an MP4 or QuickTime file with a video track that GStreamer does not play, because it lasts for less
/// than a fifth of the movie, empty time included, and is taken for a preview; false where it cannot be read.
pub fn has_preview_only(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut movie = Movie::default();
    movie.read_boxes(&mut BufReader::new(file), 0, length).is_ok() && movie.has_preview_only()
}

/// Times of a movie and of its video tracks, in seconds.
#[derive(Default)]
struct Movie {
    duration: f64,
    videos: Vec<f64>,
    /// Duration of the track whose boxes are being read.
    track: f64,
}

impl Movie {
    /// Reads the boxes from `position` to `end`, and those in them.
    fn read_boxes(&mut self, file: &mut (impl Read + Seek), mut position: u64, end: u64) -> io::Result<()> {
        for _ in 0..MAX_BOXES {
            if position >= end {
                break;
            }
            let Some(header) = read_box(file, position)? else { break };
            let box_end = header.end.map_or(end, |box_end| box_end.min(end));
            match &header.kind {
                b"moov" | b"trak" | b"mdia" => self.read_boxes(file, header.content, box_end)?,
                b"mvhd" => self.duration = read_duration(file, header.content)?,
                b"mdhd" => self.track = read_duration(file, header.content)?,
                b"hdlr" => {
                    // Version and flags, a reserved field, the type of the handler.
                    let mut fields = [0; 12];
                    file.seek(SeekFrom::Start(header.content))?;
                    if file.read_exact(&mut fields).is_ok() && fields.ends_with(b"vide") {
                        self.videos.push(self.track);
                    }
                }
                _ => {}
            }
            position = box_end;
        }
        Ok(())
    }

    fn has_preview_only(&self) -> bool {
        !self.videos.is_empty() && self.videos.iter().all(|video| video * 5.0 < self.duration)
    }
}

/// The duration, seconds, of the header of a movie or of a medium (`mvhd`, 8.2.2; `mdhd`, 8.4.2); 0 where it is not stated.
fn read_duration(file: &mut (impl Read + Seek), content: u64) -> io::Result<f64> {
    file.seek(SeekFrom::Start(content))?;
    let mut fields = [0; 32];
    file.read_exact(&mut fields[..20])?;
    let number = |at: usize| u32::from_be_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]);
    // Version and flags, two times of creation, the time scale, the duration.
    if fields[0] == 0 {
        let (scale, duration) = (number(12), number(16));
        return Ok(if duration == u32::MAX { 0.0 } else { f64::from(duration) / f64::from(scale.max(1)) });
    }
    file.read_exact(&mut fields[20..])?;
    let number = |at: usize| u32::from_be_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]);
    let duration = f64::from(number(24)) * 4_294_967_296.0 + f64::from(number(28));
    Ok(if number(24) == u32::MAX { 0.0 } else { duration / f64::from(number(20).max(1)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn make_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    #[test]
    fn videos_that_are_taken_for_previews_are_found() {
        let times = |scale: u32, duration: u32| {
            [[0; 4], [0; 4], [0; 4], scale.to_be_bytes(), duration.to_be_bytes()].concat()
        };
        let long_times = |scale: u32, duration: u64| {
            [&[1, 0, 0, 0][..], &[0; 16], &scale.to_be_bytes(), &duration.to_be_bytes()].concat()
        };
        let track = |handler: &[u8; 4], header: Vec<u8>| {
            let handler = make_box(b"hdlr", &[&[0; 8][..], handler, &[0; 12]].concat());
            let media = [make_box(b"mdhd", &header), handler].concat();
            make_box(b"trak", &[make_box(b"tkhd", &[0; 84]), make_box(b"mdia", &media)].concat())
        };
        let has_preview_only = |movie: Vec<u8>, tracks: &[Vec<u8>]| {
            let content = [make_box(b"mvhd", &movie), tracks.concat()].concat();
            let file = [make_box(b"ftyp", b"isom\0\0\0\0"), make_box(b"moov", &content)].concat();
            let (mut movie, length) = (Movie::default(), file.len() as u64);
            movie.read_boxes(&mut Cursor::new(file), 0, length).unwrap();
            movie.has_preview_only()
        };
        let sound = || track(b"soun", times(48_000, 480_000));
        assert!(has_preview_only(times(1000, 10_000), &[sound(), track(b"vide", times(30, 59))]));
        assert!(!has_preview_only(times(1000, 10_000), &[sound(), track(b"vide", times(30, 60))]));
        // A long movie that is empty for most of the time, and headers of the other version.
        assert!(has_preview_only(long_times(600, 600 * 3600), &[track(b"vide", long_times(30, 30 * 600))]));
        assert!(!has_preview_only(long_times(1, u64::MAX), &[track(b"vide", times(30, 3))]), "not stated");
        let both = [track(b"vide", times(30, 3)), track(b"vide", times(30, 300))];
        assert!(!has_preview_only(times(1000, 10_000), &both) && !has_preview_only(times(1, 9), &[sound()]));
    }
}
