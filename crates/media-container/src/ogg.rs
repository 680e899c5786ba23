//! The comments of Ogg Vorbis and Opus files, which may hold pictures as text (`METADATA_BLOCK_PICTURE`,
//! <https://wiki.xiph.org/VorbisComment>). Pages are those of RFC 3533, comments those of RFC 7845 (5.2).

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Most pages that comments are followed over: 4 GiB.
const MAX_PAGES: usize = 1 << 16;
/// Most comments of a file; usual are a dozen.
const MAX_COMMENTS: u32 = 10_000;
/// A comment of this length in bytes is left out: the longest that are text, such as lyrics, are shorter.
const MIN_LARGE_COMMENT: u64 = 64 << 10;
/// Most segments of a page, and most bytes of one. A packet ends with a segment of fewer.
const MAX_SEGMENT: usize = 255;
/// Bytes of a page's header before its table of segments.
const HEADER_SIZE: u64 = 27;
/// Bit of a page's flags: it is the last of its stream.
const IS_LAST: u8 = 4;

/// A page of a file.
struct Page {
    header: [u8; HEADER_SIZE as usize],
    /// Lengths of its segments.
    segments: Vec<u8>,
    /// Where its content begins in the file.
    content: u64,
}

impl Page {
    fn read(file: &mut (impl Read + Seek), position: u64) -> io::Result<Self> {
        let mut header = [0; HEADER_SIZE as usize];
        file.seek(SeekFrom::Start(position))?;
        file.read_exact(&mut header)?;
        if !header.starts_with(b"OggS\0") {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut segments = vec![0; usize::from(header[26])];
        file.read_exact(&mut segments)?;
        let content = position + HEADER_SIZE + segments.len() as u64;
        Ok(Self { header, segments, content })
    }

    /// Where the page ends in the file.
    fn end(&self) -> u64 {
        self.content + self.segments.iter().map(|length| u64::from(*length)).sum::<u64>()
    }

    fn serial(&self) -> &[u8] {
        &self.header[14..18]
    }

    /// The number of segments and of bytes of the first packet; `None` where it does not end in this page.
    fn first_packet(&self) -> Option<(usize, u64)> {
        let segments = 1 + self.segments.iter().position(|length| usize::from(*length) < MAX_SEGMENT)?;
        Some((segments, self.segments[..segments].iter().map(|length| u64::from(*length)).sum()))
    }
}

/// Reads a packet that is spread over several ranges of a file.
struct PacketReader<'a, F> {
    file: &'a mut F,
    /// What has not been read.
    ranges: std::vec::IntoIter<Range<u64>>,
    range: Range<u64>,
}

impl<F: Read + Seek> PacketReader<'_, F> {
    /// The next `length` bytes.
    fn read(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.advance(length, |file, range| {
            let read = bytes.len();
            bytes.resize(read + (range.end - range.start) as usize, 0);
            file.seek(SeekFrom::Start(range.start))?;
            file.read_exact(&mut bytes[read..])
        })?;
        Ok(bytes)
    }

    fn read_u32(&mut self) -> io::Result<u32> {
        let bytes = self.read(4)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// Goes on by `length` bytes, and calls `visit` with each of the ranges in which they are.
    fn advance(
        &mut self,
        mut length: u64,
        mut visit: impl FnMut(&mut F, Range<u64>) -> io::Result<()>,
    ) -> io::Result<()> {
        while length > 0 {
            if self.range.is_empty() {
                self.range = self.ranges.next().ok_or(io::ErrorKind::UnexpectedEof)?;
                continue;
            }
            let end = self.range.end.min(self.range.start.saturating_add(length));
            visit(self.file, self.range.start..end)?;
            length -= end - self.range.start;
            self.range.start = end;
        }
        Ok(())
    }
}

/// Finds the pages of the comments in an Ogg file of one Vorbis or Opus stream that begins at `start`, where comments of `min_size`
/// bytes or more can be left out. Returns where these pages are and the page that takes their place. It has the number of the
/// last of them, so that those that follow keep theirs; for a reader, pages before it are lost, and no packet with them.
pub(crate) fn without_large_comments(
    file: &mut (impl Read + Seek),
    start: u64,
    min_size: u64,
) -> io::Result<Option<(Range<u64>, Vec<u8>)>> {
    let first = Page::read(file, start)?;
    let mut magic = [0; 8];
    file.read_exact(&mut magic)?;
    let (magic, has_framing_bit) = match &magic {
        b"OpusHead" => (&b"OpusTags"[..], false),
        [1, b'v', b'o', b'r', b'b', b'i', b's', _] => (&b"\x03vorbis"[..], true),
        _ => return Ok(None),
    };
    let begin = first.end();
    let (mut position, mut ranges) = (begin, Vec::new());
    let (last, last_segments) = loop {
        let page = Page::read(file, position)?;
        if page.serial() != first.serial() || ranges.len() == MAX_PAGES {
            return Ok(None);
        }
        position = page.end();
        if let Some((segments, length)) = page.first_packet() {
            ranges.push(page.content..page.content + length);
            break (page, segments);
        }
        ranges.push(page.content..position);
    };
    let size: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    if size < min_size {
        return Ok(None);
    }
    let rest = ranges.last().map_or(position, |range| range.end)..position;
    let mut packet = PacketReader { file, ranges: ranges.into_iter(), range: 0..0 };
    let Some(comments) = read_small_comments(&mut packet, magic, has_framing_bit)? else { return Ok(None) };
    if size - (comments.len() as u64) < min_size {
        return Ok(None);
    }

    let mut segments = vec![MAX_SEGMENT as u8; comments.len() / MAX_SEGMENT];
    segments.push((comments.len() % MAX_SEGMENT) as u8);
    segments.extend(&last.segments[last_segments..]);
    let Ok(count) = u8::try_from(segments.len()) else { return Ok(None) };
    let mut page = last.header.to_vec();
    // No packet continues in it.
    page[5] &= IS_LAST;
    page[22..26].fill(0);
    page[26] = count;
    page.extend(segments);
    page.extend(comments);
    let content = page.len();
    page.resize(content + (rest.end - rest.start) as usize, 0);
    file.seek(SeekFrom::Start(rest.start))?;
    file.read_exact(&mut page[content..])?;
    let checksum = checksum(&page);
    page[22..26].copy_from_slice(&checksum.to_le_bytes());
    Ok(Some((begin..position, page)))
}

/// A packet of comments without the large ones; `None` where it is none.
fn read_small_comments<F: Read + Seek>(
    packet: &mut PacketReader<F>,
    magic: &[u8],
    has_framing_bit: bool,
) -> io::Result<Option<Vec<u8>>> {
    if packet.read(magic.len() as u64)? != magic {
        return Ok(None);
    }
    let vendor = packet.read_u32()?;
    if u64::from(vendor) >= MIN_LARGE_COMMENT {
        return Ok(None);
    }
    let vendor_text = packet.read(vendor.into())?;
    let count = packet.read_u32()?;
    if count > MAX_COMMENTS {
        return Ok(None);
    }
    let (mut kept, mut kept_count) = (Vec::new(), 0_u32);
    for _ in 0..count {
        let length = packet.read_u32()?;
        if u64::from(length) >= MIN_LARGE_COMMENT {
            packet.advance(length.into(), |_, _| Ok(()))?;
        } else {
            kept.extend(length.to_le_bytes());
            kept.extend(packet.read(length.into())?);
            kept_count += 1;
        }
        // More does not fit into a page.
        if kept.len() > MAX_SEGMENT * MAX_SEGMENT {
            return Ok(None);
        }
    }
    let mut comments =
        [magic, &vendor.to_le_bytes(), &vendor_text, &kept_count.to_le_bytes(), &kept].concat();
    comments.extend(has_framing_bit.then_some(1));
    Ok(Some(comments))
}

/// The checksum of a page whose own checksum is 0: CRC-32 with the polynomial 0x04C11DB7, from 0, without reflection.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            sum << 1 ^ if sum & 1 << 31 == 0 { 0 } else { 0x04C1_1DB7 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// The pages of packets, each of which begins a page and is continued by others, but for those that are `joined`, which
    /// begin in the page in which the one before ends.
    fn pages(packets: &[(&[u8], bool)]) -> Vec<u8> {
        let mut pages: Vec<(Vec<u8>, Vec<u8>, u8)> = Vec::new();
        for (packet, is_joined) in packets {
            let mut lengths = vec![255; packet.len() / 255];
            lengths.push((packet.len() % 255) as u8);
            let mut rest = *packet;
            for (index, length) in lengths.into_iter().enumerate() {
                let is_new = index == 0 && !is_joined;
                if is_new || pages.last().is_none_or(|page| page.0.len() == 255) {
                    pages.push((Vec::new(), Vec::new(), u8::from(index > 0)));
                }
                let page = pages.last_mut().unwrap();
                let (part, after) = rest.split_at(length.into());
                page.0.push(length);
                page.1.extend(part);
                rest = after;
            }
        }
        let pages = pages.into_iter().enumerate().map(|(index, (lengths, content, continued))| {
            let flags = continued | if index == 0 { 2 } else { 0 };
            let number = (index as u32).to_le_bytes();
            let header = [&b"OggS\0"[..], &[flags], &[0; 8], b"\x01\x02\x03\x04", &number, &[0; 4]].concat();
            let mut page = [&header[..], &[lengths.len() as u8], &lengths, &content].concat();
            let sum = checksum(&page);
            page[22..26].copy_from_slice(&sum.to_le_bytes());
            page
        });
        pages.flatten().collect()
    }

    fn comments(magic: &[u8], list: &[&[u8]], end: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
        let texts: Vec<u8> = list.iter().flat_map(|comment| [&length(comment), *comment].concat()).collect();
        [magic, &length(b"me"), b"me", &(list.len() as u32).to_le_bytes(), &texts, end].concat()
    }

    fn cut(file: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let found = without_large_comments(&mut Cursor::new(file), 0, 1 << 20)?;
        Ok(found.map(|(range, page)| {
            [&file[..range.start as usize], &page, &file[range.end as usize..]].concat()
        }))
    }

    #[test]
    fn checksums_are_those_of_other_programs() {
        // The check value of CRC-32/POSIX, 0x765E7680, without its final inversion.
        assert_eq!(checksum(b"123456789"), 0x89A1_897F);
    }

    #[test]
    fn pictures_are_left_out_and_what_follows_keeps_its_place() {
        let picture = [&b"METADATA_BLOCK_PICTURE="[..], &vec![b'A'; 3 << 20]].concat();
        let setup = vec![5; 4_000];
        for (magic, head, end) in [
            (&b"OpusTags"[..], &b"OpusHead\x01\x01"[..], &b""[..]),
            (b"\x03vorbis", b"\x01vorbis\0", b"\x01"),
        ] {
            let list: [&[u8]; 3] = [b"TITLE=a", &picture, b"MOOD=happy"];
            let large = comments(magic, &list, end);
            let small = comments(magic, &[list[0], list[2]], end);
            let file = pages(&[(head, false), (&large, false), (&setup, true), (b"audio", false)]);
            let left = cut(&file).unwrap().unwrap();
            let expected = pages(&[(head, false), (&small, false), (&setup, true), (b"audio", false)]);
            // All but the pages' numbers and checksums.
            let contents = |file: &[u8]| {
                let (mut position, mut contents) = (0, Vec::new());
                while position < file.len() as u64 {
                    let page = Page::read(&mut Cursor::new(file), position).unwrap();
                    let mut whole = file[position as usize..page.end() as usize].to_vec();
                    let stated = whole[22..26].to_vec();
                    whole[22..26].fill(0);
                    assert_eq!(checksum(&whole).to_le_bytes()[..], stated, "at {position}");
                    position = page.end();
                    contents.push((page.header[5], file[page.content as usize..position as usize].to_vec()));
                }
                contents
            };
            assert!(contents(&left) == contents(&expected));
            assert!(cut(&left).unwrap().is_none(), "nothing is left to cut");
            assert!(cut(&file[..2 << 20]).is_err(), "it ends within the picture");
        }
    }

    #[test]
    fn other_files_stay() {
        let magic = b"OpusTags";
        let head: (&[u8], bool) = (b"OpusHead\x01\x01", false);
        let large = comments(magic, &[&vec![b'A'; 2 << 20]], b"");
        let many = comments(magic, &vec![&[b'A'; 60_000][..]; 40], b"");
        let small = comments(magic, &[b"TITLE=a"], b"");
        assert!(cut(&pages(&[head, (&large, false)])).unwrap().is_some());
        for packet in [&many, &small, &large[1..].to_vec()] {
            assert!(cut(&pages(&[head, (packet, false)])).unwrap().is_none());
        }
        assert!(cut(&pages(&[(b"\x80theora\0\0", false), (&large, false)])).unwrap().is_none());
        let mut lying = large.clone();
        lying[magic.len() + 6] = 9;
        assert!(cut(&pages(&[head, (&lying, false)])).is_err());
        let mut other_stream = pages(&[head, (&large, false)]);
        let second = Page::read(&mut Cursor::new(&other_stream), 0).unwrap().end() as usize;
        other_stream[second + 14] = 9;
        assert!(cut(&other_stream).unwrap().is_none());
    }
}
