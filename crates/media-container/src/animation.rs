//! Animated images, of which decoders play the first: GIF (GIF89a specification), PNG (ISO/IEC 15948) and WebP (RFC 9649).

use std::io::{self, Read, Seek, SeekFrom};

use crate::Extent;

/// The signature of PNG.
pub(crate) const PNG: [u8; 8] = *b"\x89PNG\r\n\x1A\n";

/// Where an image ends, and whether `is_image` says that another begins there.
fn at_end(
    file: &mut (impl Read + Seek),
    end: u64,
    length: u64,
    is_image: impl Fn(&[u8; 12]) -> bool,
) -> io::Result<Extent> {
    let mut header = [0; 12];
    if end.saturating_add(header.len() as u64) > length {
        return Ok(Extent::default());
    }
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut header)?;
    Ok(if is_image(&header) { Extent::from_next(end) } else { Extent::default() })
}

/// The GIF behind a GIF.
pub(crate) fn gif(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    /// Bytes of a table of colours, by the flags in front of it.
    fn table(flags: u8) -> i64 {
        if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
    }
    let mut screen = [0; 13];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut screen)?;
    file.seek_relative(table(screen[10]))?;
    loop {
        let mut kind = [0; 2];
        file.read_exact(&mut kind[..1])?;
        match kind[0] {
            // An extension, with its kind; an image, with place, size and flags, and the size of its codes.
            0x21 => file.read_exact(&mut kind[1..])?,
            0x2C => {
                let mut image = [0; 9];
                file.read_exact(&mut image)?;
                file.seek_relative(table(image[8]) + 1)?;
            }
            0x3B => {
                let end = file.stream_position()?;
                return at_end(file, end, length, |header| header.starts_with(b"GIF8"));
            }
            _ => return Ok(Extent::default()),
        }
        // Blocks of data, the last of which is empty.
        loop {
            let mut size = [0];
            file.read_exact(&mut size)?;
            if size == [0] {
                break;
            }
            file.seek_relative(size[0].into())?;
        }
    }
}

/// The PNG behind a PNG.
pub(crate) fn png(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut position = PNG.len() as u64;
    loop {
        let mut header = [0; 8];
        file.seek(SeekFrom::Start(position))?;
        file.read_exact(&mut header)?;
        let [a, b, c, d, kind @ ..] = header;
        // Size, kind, data, checksum.
        position += u64::from(u32::from_be_bytes([a, b, c, d])) + 12;
        if &kind == b"IEND" {
            return at_end(file, position, length, |header| header.starts_with(&PNG));
        }
    }
}

/// The WebP behind a WebP.
pub(crate) fn webp(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    let mut header = [0; 8];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    let end = (u64::from(u32::from_le_bytes([a, b, c, d])) + 8).next_multiple_of(2);
    at_end(file, end, length, |header| matches!(header, [b'R', b'I', b'F', b'F', .., b'W', b'E', b'B', b'P']))
}
