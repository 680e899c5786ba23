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

/// Whether the file at `path` is an MP4 or QuickTime file with a video track, whatever plays it; false where it cannot be read.
pub fn has_video_track(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    has_video(&mut BufReader::new(file), 0, length).unwrap_or(false)
}

/// Whether one of the boxes from `position` to `end`, or in them, is the handler of a video track (`hdlr`, 8.4.3).
fn has_video(file: &mut (impl Read + Seek), mut position: u64, end: u64) -> io::Result<bool> {
    for _ in 0..MAX_BOXES {
        if position >= end {
            break;
        }
        let Some(header) = read_box(file, position)? else { break };
        let box_end = header.end.map_or(end, |box_end| box_end.min(end));
        let found = match &header.kind {
            b"moov" | b"trak" | b"mdia" => has_video(file, header.content, box_end)?,
            b"hdlr" => {
                // Version and flags, a reserved field, the type of the handler.
                let mut fields = [0; 12];
                file.seek(SeekFrom::Start(header.content))?;
                file.read_exact(&mut fields).is_ok() && fields.ends_with(b"vide")
            }
            _ => false,
        };
        if found {
            return Ok(true);
        }
        position = box_end;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn make_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    #[test]
    fn a_video_track_is_found_behind_others() {
        let track = |handler: &[u8; 4]| {
            let handler = make_box(b"hdlr", &[&[0; 8][..], handler, &[0; 12]].concat());
            make_box(b"trak", &[make_box(b"tkhd", &[0; 84]), make_box(b"mdia", &handler)].concat())
        };
        let file = |tracks: &[&[u8; 4]]| {
            let tracks: Vec<u8> = tracks.iter().flat_map(|handler| track(handler)).collect();
            [make_box(b"ftyp", b"isom\0\0\0\0"), make_box(b"mdat", &[7; 30]), make_box(b"moov", &tracks)]
                .concat()
        };
        let has_video = |bytes: &[u8]| has_video(&mut Cursor::new(bytes), 0, bytes.len() as u64).unwrap();
        assert!(has_video(&file(&[b"soun", b"vide"])));
        assert!(!has_video(&file(&[b"soun", b"text"])) && !has_video(b"") && !has_video(&[0; 40]));
    }
}
