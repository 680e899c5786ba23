//! A file without the parts that a player has no use for: large tags, which mostly hold pictures.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ogg;

/// Tags below this size are left where they are, bytes: what they cost does not matter.
const MIN_LARGE_TAG: u64 = 1 << 20;
/// Most metadata blocks of a FLAC file, or boxes at one level of an MP4 file, that are read; encoders write fewer than ten,
/// but a fragmented file has two a fragment.
const MAX_BLOCKS: usize = 1000;
/// Where an MP4 file has its pictures: boxes in boxes, from the top.
const COVER_PATH: [[u8; 4]; 5] = [*b"moov", *b"udta", *b"meta", *b"ilst", *b"covr"];

/// A part of a [`FileView`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Bytes of the file.
    File { offset: u64, length: u64 },
    /// Bytes that replace those of the file.
    Replacement(Vec<u8>),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Replacement(bytes) => bytes.len() as u64,
        }
    }
}

/// A file without its large tags. What is left is a file of the same format. Only MP4 keeps its length: the positions of its
/// samples count from the beginning, so its pictures move into boxes that nobody reads.
///
/// Demuxers read a tag into memory as a whole, copy its pictures, and keep them as long as the file is open.
#[derive(Debug)]
pub struct FileView<F = File> {
    file: F,
    /// In order; none is empty.
    parts: Vec<Part>,
}

impl FileView {
    /// Opens the file at `path` if it has tags of 1 MiB or more that can be left out: ID3v2 tags at its beginning,
    /// pictures and padding among FLAC's metadata blocks, large comments of Ogg Vorbis and Opus, or the pictures of an MP4
    /// file. `None` if it has not, is no regular file, or cannot be read.
    pub fn open_without_large_tags(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() {
            return None;
        }
        Self::without_large_tags(file, metadata.len()).ok()?
    }
}

impl<F: Read + Seek> FileView<F> {
    /// Leaves out the large tags of a file of `length` bytes. `None` if it has none.
    ///
    /// # Errors
    /// Where reading fails, for example because the file ends within a header.
    pub fn without_large_tags(mut file: F, length: u64) -> io::Result<Option<Self>> {
        let start = end_of_id3v2(&mut file, length)?;
        let mut parts = Vec::new();
        let mut moved = 0;
        let magic = if length.saturating_sub(start) >= 8 { read_array(&mut file, start)? } else { [0; 8] };
        match magic {
            [b'f', b'L', b'a', b'C', ..] => add_flac_parts(&mut file, start, length, &mut parts)?,
            [b'O', b'g', b'g', b'S', ..] => {
                match ogg::without_large_comments(&mut file, start, MIN_LARGE_TAG)? {
                    Some((comments, page)) => {
                        add_part(&mut parts, start, comments.start);
                        parts.push(Part::Replacement(page));
                        add_part(&mut parts, comments.end, length);
                    }
                    None => add_part(&mut parts, start, length),
                }
            }
            [_, _, _, _, b'f', b't', b'y', b'p'] => {
                moved = add_mp4_parts(&mut file, start, length, &mut parts)?
            }
            _ => add_part(&mut parts, start, length),
        }
        let view = Self { file, parts };
        let left_out = length.saturating_sub(view.len()) + moved;
        Ok((!view.is_empty() && left_out >= MIN_LARGE_TAG).then_some(view))
    }

    /// A reader of what is left, at its beginning.
    pub fn into_reader(self) -> ViewReader<F> {
        ViewReader { view: self, position: 0 }
    }

    /// The length without the tags, bytes.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads from a position in what is left. Returns the number of bytes read, which is less than asked for at the
    /// end only.
    ///
    /// # Errors
    /// Where reading fails, or the file became shorter.
    pub fn read_at(&mut self, position: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let (mut begin, mut read) = (0, 0);
        for part in &self.parts {
            let end = begin + part.len();
            let position = position + read as u64;
            if read == bytes.len() {
                break;
            }
            if position < end {
                let skipped = position - begin;
                let rest = bytes.get_mut(read..).unwrap_or_default();
                let count = rest.len().min(usize::try_from(end - position).unwrap_or(usize::MAX));
                let (target, _) = rest.split_at_mut(count);
                match part {
                    Part::File { offset, .. } => {
                        self.file.seek(SeekFrom::Start(offset + skipped))?;
                        self.file.read_exact(target)?;
                    }
                    Part::Replacement(replacement) => {
                        let source = replacement.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
                        target.iter_mut().zip(source).for_each(|(target, byte)| *target = *byte);
                    }
                }
                read += count;
            }
            begin = end;
        }
        Ok(read)
    }
}

/// Reads what is left of a file, at any position.
#[derive(Debug)]
pub struct ViewReader<F = File> {
    view: FileView<F>,
    position: u64,
}

impl<F: Read + Seek> Read for ViewReader<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.view.len().saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = bytes.len().min(rest);
        let read = self.view.read_at(self.position, bytes.get_mut(..length).unwrap_or_default())?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<F: Read + Seek> Seek for ViewReader<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.view.len().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Reads bytes at an offset.
fn read_array<const N: usize>(file: &mut (impl Read + Seek), offset: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Appends the bytes from `begin` to `end` of the file.
fn add_part(parts: &mut Vec<Part>, begin: u64, end: u64) {
    match parts.last_mut() {
        _ if begin >= end => {}
        Some(Part::File { offset, length }) if *offset + *length == begin => *length += end - begin,
        _ => parts.push(Part::File { offset: begin, length: end - begin }),
    }
}

/// Where the ID3v2 tags at the beginning of a file end (<https://id3.org/id3v2.4.0-structure>, 3.1); some files have
/// several.
fn end_of_id3v2(file: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let mut end = 0;
    while length.saturating_sub(end) >= 10 {
        let [b'I', b'D', b'3', _, _, flags, size @ ..] = read_array::<10>(file, end)? else { break };
        // Seven bits a byte; a tag whose size has others is broken.
        if size.iter().any(|byte| byte & 0x80 != 0) {
            break;
        }
        let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(*byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        end += 10 + size + footer;
    }
    Ok(end.min(length))
}

/// Appends the parts of a FLAC file (RFC 9639, 8) that begins at `start`, without padding and pictures.
fn add_flac_parts(
    file: &mut (impl Read + Seek),
    start: u64,
    length: u64,
    parts: &mut Vec<Part>,
) -> io::Result<()> {
    const PADDING: u8 = 1;
    const PICTURE: u8 = 6;
    const IS_LAST: u8 = 0x80;
    let mut position = start + 4;
    // Type, size and position of the blocks that stay.
    let mut blocks = Vec::new();
    let mut is_last = false;
    while !is_last && position < length && blocks.len() < MAX_BLOCKS {
        let [kind, size @ ..] = read_array::<4>(file, position)?;
        let [a, b, c] = size.map(u64::from);
        let content = position + 4;
        position = content + (a << 16 | b << 8 | c);
        is_last = kind & IS_LAST != 0;
        if !matches!(kind & !IS_LAST, PADDING | PICTURE) {
            blocks.push((kind & !IS_LAST, size, content, position));
        }
    }
    // Something else, or it ends within its metadata.
    if !is_last || position > length {
        add_part(parts, start, length);
        return Ok(());
    }
    add_part(parts, start, start + 4);
    let last = blocks.len().saturating_sub(1);
    for (index, (kind, [a, b, c], content, end)) in blocks.into_iter().enumerate() {
        let flag = if index == last { IS_LAST } else { 0 };
        parts.push(Part::Replacement(vec![kind | flag, a, b, c]));
        add_part(parts, content, end);
    }
    add_part(parts, position, length);
    Ok(())
}

/// A box of an MP4 file (ISO/IEC 14496-12, 4.2) with a size of four bytes.
#[derive(Clone, Copy)]
struct Mp4Box {
    name: [u8; 4],
    begin: u64,
    end: u64,
}

impl Mp4Box {
    fn len(&self) -> u64 {
        self.end - self.begin
    }

    /// The boxes between two positions. Fewer bytes than a header may follow them.
    fn read_all(file: &mut (impl Read + Seek), mut begin: u64, limit: u64) -> io::Result<Vec<Self>> {
        let mut boxes = Vec::new();
        while limit.saturating_sub(begin) >= 8 && boxes.len() < MAX_BLOCKS {
            let [a, b, c, d, name @ ..] = read_array::<8>(file, begin)?;
            let size = match u32::from_be_bytes([a, b, c, d]) {
                0 => limit - begin,
                1 => u64::from_be_bytes(read_array(file, begin + 8)?),
                size => u64::from(size),
            };
            let end = begin.saturating_add(size);
            if size < 8 || end > limit {
                return Err(io::ErrorKind::InvalidData.into());
            }
            boxes.push(Self { name, begin, end });
            begin = end;
        }
        Ok(boxes)
    }

    /// Appends the parts of the box without the boxes at `path` in it, which are appended to `removed`. Returns their
    /// length.
    fn add_without(
        self,
        file: &mut (impl Read + Seek),
        path: &[[u8; 4]],
        parts: &mut Vec<Part>,
        removed: &mut Vec<Self>,
    ) -> io::Result<u64> {
        let Ok(size) = u32::try_from(self.len()) else { return Err(io::ErrorKind::InvalidData.into()) };
        let is_full = self.name == *b"meta" && self.len() >= 16 && {
            // QuickTime's has no version and flags before its first box.
            let [_, _, _, _, name @ ..] = read_array::<8>(file, self.begin + 8)?;
            name != *b"hdlr"
        };
        let content = self.begin + if is_full { 12 } else { 8 };
        let (mut inner, mut position, mut removed_length) = (Vec::new(), content, 0);
        for child in Self::read_all(file, content, self.end)? {
            match path {
                [name] if child.name == *name => {
                    removed_length += child.len();
                    removed.push(child);
                }
                [name, path @ ..] if child.name == *name && !path.is_empty() => {
                    removed_length += child.add_without(file, path, &mut inner, removed)?;
                }
                _ => add_part(&mut inner, child.begin, child.end),
            }
            position = child.end;
        }
        add_part(&mut inner, position, self.end);
        let left = u64::from(size).saturating_sub(removed_length);
        parts.push(Part::Replacement(u32::try_from(left).unwrap_or(size).to_be_bytes().to_vec()));
        add_part(parts, self.begin + 4, content);
        parts.append(&mut inner);
        Ok(removed_length)
    }
}

/// Appends the parts of an MP4 file that begins at `start`. Its pictures become free space behind the box that they were in, so
/// that everything behind that keeps its place. Returns the number of bytes moved.
fn add_mp4_parts(
    file: &mut (impl Read + Seek),
    start: u64,
    length: u64,
    parts: &mut Vec<Part>,
) -> io::Result<u64> {
    let [top, path @ ..] = COVER_PATH;
    let boxes = Mp4Box::read_all(file, start, length)?;
    let Some(movie) = boxes.into_iter().find(|found| found.name == top) else {
        add_part(parts, start, length);
        return Ok(0);
    };
    add_part(parts, start, movie.begin);
    let mut pictures = Vec::new();
    let moved = movie.add_without(file, &path, parts, &mut pictures)?;
    for picture in pictures {
        add_part(parts, picture.begin, picture.begin + 4);
        parts.push(Part::Replacement(b"free".to_vec()));
        add_part(parts, picture.begin + 8, picture.end);
    }
    add_part(parts, movie.end, length);
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const LARGE: usize = MIN_LARGE_TAG as usize;

    fn id3v2(size: usize) -> Vec<u8> {
        let digits = [21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8);
        [&b"ID3\x04\0\0"[..], &digits, &vec![7; size]].concat()
    }

    fn block(kind: u8, content: &[u8]) -> Vec<u8> {
        let [_, size @ ..] = (content.len() as u32).to_be_bytes();
        [&[kind][..], &size, content].concat()
    }

    /// All of what is left, read in steps of `step` bytes.
    fn left(file: &[u8], step: usize) -> Option<Vec<u8>> {
        let mut view = FileView::without_large_tags(Cursor::new(file), file.len() as u64).unwrap()?;
        let mut all = Vec::new();
        loop {
            let mut bytes = vec![0; step];
            let read = view.read_at(all.len() as u64, &mut bytes).unwrap();
            all.extend(&bytes[..read]);
            if read < step {
                assert_eq!(all.len() as u64, view.len());
                return Some(all);
            }
        }
    }

    #[test]
    fn large_id3v2_tags_are_left_out() {
        let audio = b"\xFF\xFBaudio";
        let file = [id3v2(LARGE), id3v2(20), audio.to_vec()].concat();
        for step in [1, 3, 100] {
            assert_eq!(left(&file, step).unwrap(), audio);
        }
        assert_eq!(left(&[id3v2(2000), audio.to_vec()].concat(), 9), None, "a small tag stays");
        assert_eq!(left(&id3v2(LARGE), 9), None, "a tag without audio stays");
        assert_eq!(left(audio, 9), None);
        assert_eq!(left(b"", 9), None);
    }

    #[test]
    fn pictures_and_padding_of_flac_are_left_out_and_the_last_block_is_marked() {
        let [info, comment] = [block(0, &[1; 34]), block(4, b"comment")];
        let [picture, padding] = [block(6, &vec![9; LARGE]), block(0x81, &[0; 50])];
        let file = [b"fLaC", &info[..], &picture, &comment, &padding, b"\xFF\xF8audio"].concat();
        let expected = [b"fLaC", &info[..], &block(0x84, b"comment"), b"\xFF\xF8audio"].concat();
        for step in [1, 5, 1000] {
            assert_eq!(left(&file, step).unwrap(), expected);
        }
        assert_eq!(left(&[&id3v2(40)[..], &file].concat(), 64).unwrap(), expected);
        assert_eq!(left(&file[..LARGE], 64), None, "a file that ends within the picture is left as it is");
    }

    fn mp4_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(8 + content.len() as u32).to_be_bytes(), &name[..], content].concat()
    }

    #[test]
    fn pictures_of_mp4_move_where_nobody_reads_them() {
        let (title, cover) = (mp4_box(b"name", b"title"), mp4_box(b"covr", &vec![9; LARGE]));
        let free = mp4_box(b"free", &vec![9; LARGE]);
        let file = |cover: &[u8], free: &[u8], version: &[u8]| {
            let handler = mp4_box(b"hdlr", b"mdir");
            let list = mp4_box(b"ilst", &[&title, cover].concat());
            let meta = mp4_box(b"meta", &[version, &handler, &list].concat());
            let movie = mp4_box(b"moov", &[mp4_box(b"trak", b"offsets"), mp4_box(b"udta", &meta)].concat());
            [mp4_box(b"ftyp", b"M4A "), movie, free.to_vec(), mp4_box(b"mdat", b"audio")].concat()
        };
        for version in [&[0; 4][..], &[]] {
            let left = left(&file(&cover, &[], version), 4096).unwrap();
            assert_eq!(left, file(&[], &free, version));
        }
        assert_eq!(left(&file(&[], &[], &[0; 4]), 64), None);
        let broken = file(&[&cover[..], &[0, 0, 0, 3, 1, 2, 3, 4]].concat(), &[], &[0; 4]);
        assert!(FileView::without_large_tags(Cursor::new(&broken), broken.len() as u64).is_err());
    }

    #[test]
    fn broken_sizes_are_no_tags() {
        let mut file = [id3v2(LARGE), b"audio".to_vec()].concat();
        file[7] |= 0x80;
        assert_eq!(left(&file, 9), None);
        let picture = block(6, &vec![9; LARGE]);
        let endless = [b"fLaC", &picture[..], &block(3, b"").repeat(MAX_BLOCKS + 5)].concat();
        assert_eq!(left(&endless, 9), None);
    }
}
