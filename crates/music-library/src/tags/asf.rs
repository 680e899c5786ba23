//! Title, author and mood from the header of a Windows Media file (ASF), which the tag library lofty does
//! not support.
//!
//! The format is that of Microsoft's Advanced Systems Format (ASF) Specification, revision 01.20.05: section
//! 3.1 (header object), 3.10 (content description object) and 3.11 (extended content description object).

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Identifier of the header object, which contains the other two.
const HEADER_OBJECT: [u8; 16] = guid(0x75b2_2630, 0x668e, 0x11cf, 0xa6d9_00aa_0062_ce6c);
/// Identifier of the content description object: title and author.
const CONTENT_DESCRIPTION_OBJECT: [u8; 16] = guid(0x75b2_2633, 0x668e, 0x11cf, 0xa6d9_00aa_0062_ce6c);
/// Identifier of the extended content description object: named attributes.
const EXTENDED_CONTENT_DESCRIPTION_OBJECT: [u8; 16] =
    guid(0xd2d0_a440, 0xe307, 0x11d2, 0x97f0_00a0_c95e_a850);
/// Length of an object's identifier and size, bytes.
const OBJECT_HEADER_LENGTH: usize = 24;
/// Length after which the rest of a header is ignored, bytes: 8 MiB, because headers may hold cover images.
const MAX_HEADER_LENGTH: u64 = 8 << 20;

/// The bytes of a GUID in a file: the first three parts little endian, the last two, `d`, big endian.
const fn guid(a: u32, b: u16, c: u16, d: u64) -> [u8; 16] {
    let (a, b, c, d) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes(), d.to_be_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]
}

/// The tags of an ASF file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct AsfTags {
    /// Title of the content description; `None` where it is missing or empty.
    pub(super) title: Option<String>,
    /// Author of the content description; `None` where it is missing or empty.
    pub(super) author: Option<String>,
    /// Values of the attribute `WM/Mood`.
    pub(super) moods: Vec<String>,
}

/// Reads the tags of a file; `None` where it is no ASF file or cannot be read.
pub(super) fn read(path: &Path) -> Option<AsfTags> {
    let mut header = Vec::new();
    File::open(path).ok()?.take(MAX_HEADER_LENGTH).read_to_end(&mut header).ok()?;
    parse(&header)
}

/// Parses the objects of a header. A header that is cut off gives the tags before the cut.
fn parse(file: &[u8]) -> Option<AsfTags> {
    let mut rest = file.strip_prefix(&HEADER_OBJECT)?.get(OBJECT_HEADER_LENGTH - 16 + 6..)?;
    let mut tags = AsfTags::default();
    while let (Some(id), Some(size)) = (rest.get(..16), read_uint(rest, 16, 8)) {
        let size = usize::try_from(size).ok()?;
        let Some(body) = rest.get(OBJECT_HEADER_LENGTH..size) else { break };
        // Where an object is broken, the values before the fault are kept.
        if id == CONTENT_DESCRIPTION_OBJECT {
            parse_content_description(body, &mut tags);
        } else if id == EXTENDED_CONTENT_DESCRIPTION_OBJECT {
            parse_extended_content_description(body, &mut tags);
        }
        rest = &rest[size..];
    }
    Some(tags)
}

/// Reads title and author, which follow the lengths of five texts.
fn parse_content_description(body: &[u8], tags: &mut AsfTags) -> Option<()> {
    let title_length = read_uint(body, 0, 2)? as usize;
    let author_length = read_uint(body, 2, 2)? as usize;
    let author_start = 10 + title_length;
    tags.title = decode_text(body.get(10..author_start)?);
    tags.author = decode_text(body.get(author_start..author_start + author_length)?);
    Some(())
}

/// Reads the moods from a list of attributes, each with name, type and value. Texts have type 0.
fn parse_extended_content_description(body: &[u8], tags: &mut AsfTags) -> Option<()> {
    let count = read_uint(body, 0, 2)?;
    let mut offset = 2;
    for _ in 0..count {
        let length = read_uint(body, offset, 2)? as usize;
        let name = decode_text(body.get(offset + 2..offset + 2 + length)?);
        offset += 2 + length;
        let data_type = read_uint(body, offset, 2)?;
        let length = read_uint(body, offset + 2, 2)? as usize;
        let value = body.get(offset + 4..offset + 4 + length)?;
        offset += 4 + length;
        if data_type == 0 && name.is_some_and(|name| name.eq_ignore_ascii_case("WM/Mood")) {
            tags.moods.extend(decode_text(value));
        }
    }
    Some(())
}

/// Reads an unsigned little-endian integer of `length` bytes; `None` beyond the end.
fn read_uint(bytes: &[u8], offset: usize, length: usize) -> Option<u64> {
    Some(bytes.get(offset..offset + length)?.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// Decodes UTF-16 up to a terminating zero; `None` for an empty text.
fn decode_text(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units.take_while(|&unit| unit != 0)).filter_map(Result::ok).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode_text(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn make_object(id: [u8; 16], body: &[u8]) -> Vec<u8> {
        [&id[..], &((OBJECT_HEADER_LENGTH + body.len()) as u64).to_le_bytes(), body].concat()
    }

    fn make_file() -> Vec<u8> {
        let (title, author) = (encode_text("Morning"), encode_text("Nobody"));
        let lengths =
            [title.len(), author.len(), 0, 0, 0].map(|length| (length as u16).to_le_bytes()).concat();
        let content = make_object(CONTENT_DESCRIPTION_OBJECT, &[lengths, title, author].concat());
        let (name, value) = (encode_text("WM/Mood"), encode_text("joyful"));
        let mut body = 1u16.to_le_bytes().to_vec();
        for part in [
            &(name.len() as u16).to_le_bytes()[..],
            &name,
            &[0, 0],
            &(value.len() as u16).to_le_bytes(),
            &value,
        ] {
            body.extend(part);
        }
        let objects = [
            content,
            make_object([7; 16], b"something else"),
            make_object(EXTENDED_CONTENT_DESCRIPTION_OBJECT, &body),
        ]
        .concat();
        make_object(HEADER_OBJECT, &[&[3, 0, 0, 0, 1, 2][..], &objects].concat())
    }

    #[test]
    fn title_author_and_mood_are_found() {
        let tags = parse(&make_file()).unwrap();
        assert_eq!(tags.title.as_deref(), Some("Morning"));
        assert_eq!(tags.author.as_deref(), Some("Nobody"));
        assert_eq!(tags.moods, ["joyful"]);
    }

    #[test]
    fn a_file_cut_off_anywhere_does_not_panic() {
        let file = make_file();
        for length in 0..file.len() {
            parse(&file[..length]);
        }
        assert_eq!(parse(b"RIFF"), None);
        let mut with_empty_object = file[..30].to_vec();
        with_empty_object.extend([0; 100]);
        assert_eq!(parse(&with_empty_object), Some(AsfTags::default()), "an object of size 0 ends the list");
    }
}
