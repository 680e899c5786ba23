//! Title, author and mood of a Windows Media file: the one common kind that the tag library does not read.
//!
//! After Microsoft's Advanced Systems Format specification, revision 01.20.05, sections 3.1, 3.10 and 3.11.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::tags::Tags;

const HEADER: [u8; 16] = guid(0x75b2_2630, 0x668e, 0x11cf, 0xa6d9_00aa_0062_ce6c);
const CONTENT: [u8; 16] = guid(0x75b2_2633, 0x668e, 0x11cf, 0xa6d9_00aa_0062_ce6c);
const EXTENDED: [u8; 16] = guid(0xd2d0_a440, 0xe307, 0x11d2, 0x97f0_00a0_c95e_a850);
/// Object id and size.
const OBJECT_HEAD: usize = 24;
/// Headers are read up to here; pictures may make them large.
const LIMIT: u64 = 8 << 20;

/// A GUID as its bytes stand in a file: the first three parts little endian, the rest as written.
const fn guid(a: u32, b: u16, c: u16, d: u64) -> [u8; 16] {
    let (a, b, c, d) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes(), d.to_be_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]
}

/// The tags of a file; `None` where it is not of this kind or cannot be read.
pub(crate) fn read(path: &Path) -> Option<Tags> {
    let mut header = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut header).ok()?;
    parse(&header)
}

fn parse(file: &[u8]) -> Option<Tags> {
    let mut rest = file.strip_prefix(&HEADER)?.get(OBJECT_HEAD - 16 + 6..)?;
    let mut tags = Tags::default();
    while let (Some(id), Some(size)) = (rest.get(..16), number(rest, 16, 8)) {
        let size = usize::try_from(size).ok()?;
        let Some(body) = rest.get(OBJECT_HEAD..size) else { break };
        // What a broken object said before it broke still counts.
        if id == CONTENT {
            content(body, &mut tags);
        } else if id == EXTENDED {
            extended(body, &mut tags);
        }
        rest = &rest[size..];
    }
    Some(tags)
}

fn content(body: &[u8], tags: &mut Tags) -> Option<()> {
    let title = number(body, 0, 2)? as usize;
    let author = number(body, 2, 2)? as usize;
    tags.title = text(body.get(10..10 + title)?);
    tags.artist = text(body.get(10 + title..10 + title + author)?);
    Some(())
}

fn extended(body: &[u8], tags: &mut Tags) -> Option<()> {
    let count = number(body, 0, 2)?;
    let mut at = 2;
    for _ in 0..count {
        let length = number(body, at, 2)? as usize;
        let name = text(body.get(at + 2..at + 2 + length)?);
        at += 2 + length;
        let (kind, length) = (number(body, at, 2)?, number(body, at + 2, 2)? as usize);
        let value = body.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        if kind == 0 && name.is_some_and(|name| name.eq_ignore_ascii_case("WM/Mood")) {
            tags.moods.extend(text(value));
        }
    }
    Some(())
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    Some(bytes.get(at..at + length)?.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

fn text(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units.take_while(|&unit| unit != 0)).filter_map(Result::ok).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn object(id: [u8; 16], body: &[u8]) -> Vec<u8> {
        [&id[..], &((OBJECT_HEAD + body.len()) as u64).to_le_bytes(), body].concat()
    }

    fn file() -> Vec<u8> {
        let (title, author) = (utf16("Morning"), utf16("Nobody"));
        let lengths =
            [title.len(), author.len(), 0, 0, 0].map(|length| (length as u16).to_le_bytes()).concat();
        let content = object(CONTENT, &[lengths, title, author].concat());
        let (name, value) = (utf16("WM/Mood"), utf16("joyful"));
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
        let objects = [content, object([7; 16], b"something else"), object(EXTENDED, &body)].concat();
        object(HEADER, &[&[3, 0, 0, 0, 1, 2][..], &objects].concat())
    }

    #[test]
    fn title_author_and_mood_are_found() {
        let tags = parse(&file()).unwrap();
        assert_eq!(tags.title.as_deref(), Some("Morning"));
        assert_eq!(tags.artist.as_deref(), Some("Nobody"));
        assert_eq!(tags.moods, ["joyful"]);
    }

    #[test]
    fn cut_anywhere_it_says_less_and_nothing_worse() {
        let file = file();
        for length in 0..file.len() {
            parse(&file[..length]);
        }
        assert_eq!(parse(b"RIFF"), None);
        let mut endless = file[..30].to_vec();
        endless.extend([0; 100]);
        assert_eq!(parse(&endless), Some(Tags::default()), "an object of size 0 ends the list");
    }
}
