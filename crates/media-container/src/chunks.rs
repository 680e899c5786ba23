//! Containers that are a header and chunks with sizes, of which demuxers play the first recording: ASF, IVF, MXF and YUV4MPEG2.

use std::io::{self, Read, Seek, SeekFrom};

use crate::Extent;

/// What an ASF file begins with (Advanced Systems Format Specification 1.2, 10.1): the id of the header object.
pub(crate) const ASF_HEADER: [u8; 4] = [0x30, 0x26, 0xB2, 0x75];
/// What an MXF file begins with (SMPTE ST 377-1, 7.1): the key of a partition pack.
pub(crate) const MXF_KEY: [u8; 4] = [0x06, 0x0E, 0x2B, 0x34];

/// Where the next chunk begins, or that there is none.
enum Next {
    At(u64),
    /// A recording begins here.
    Recording,
    End,
}

/// Goes from chunk to chunk, from `position` on; `next` reads the header of the one at a position.
fn walk<F: Read + Seek>(
    file: &mut F,
    mut position: u64,
    length: u64,
    next: impl Fn(&mut F, u64) -> io::Result<Next>,
) -> io::Result<Extent> {
    while position < length {
        file.seek(SeekFrom::Start(position))?;
        match next(file, position) {
            Ok(Next::At(next)) if next > position => position = next,
            Ok(Next::Recording) => return Ok(Extent::from_next(position)),
            Ok(Next::At(_) | Next::End) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Extent::default())
}

/// Reads some bytes.
fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The second header object of an ASF file. Objects have an id of 16 bytes and a size.
pub(crate) fn asf(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    walk(file, 0, length, |file, position| {
        let id: [u8; 16] = read(file)?;
        if id.starts_with(&ASF_HEADER) && position > 0 {
            return Ok(Next::Recording);
        }
        Ok(Next::At(position.saturating_add(u64::from_le_bytes(read(file)?))))
    })
}

/// The second header of an IVF file. Frames have a size and a time.
pub(crate) fn ivf(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    file.seek(SeekFrom::Start(6))?;
    let header = u64::from(u16::from_le_bytes(read(file)?));
    walk(file, header, length, |file, position| {
        Ok(match read(file)? {
            [b'D', b'K', b'I', b'F'] => Next::Recording,
            size => Next::At(position + 12 + u64::from(u32::from_le_bytes(size))),
        })
    })
}

/// The second header partition of an MXF file (SMPTE ST 377-1, 7). Packets have a key of 16 bytes and a size in BER.
pub(crate) fn mxf(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    walk(file, 0, length, |file, position| {
        let key: [u8; 16] = read(file)?;
        if !key.starts_with(&MXF_KEY) {
            return Ok(Next::End);
        }
        // Registry, kind and status of the pack.
        if matches!(key, [.., 0x0D, 0x01, 0x02, 0x01, 0x01, 0x02, _, 0]) && position > 0 {
            return Ok(Next::Recording);
        }
        let [first] = read(file)?;
        let following = usize::from(first & 0x7F);
        let (size, header) = if first & 0x80 == 0 {
            (u64::from(first), 17)
        } else if following <= 8 {
            let mut bytes = [0; 8];
            file.read_exact(&mut bytes[8 - following..])?;
            (u64::from_be_bytes(bytes), 17 + following as u64)
        } else {
            return Ok(Next::End);
        };
        Ok(Next::At(position.saturating_add(header).saturating_add(size)))
    })
}

/// The second header of a YUV4MPEG2 file (manual page yuv4mpeg(5)). Frames are a line and the samples.
pub(crate) fn y4m(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    file.seek(SeekFrom::Start(0))?;
    let header = read_line(file)?;
    let Some(size) = y4m_frame_size(&header) else { return Ok(Extent::default()) };
    walk(file, header.len() as u64 + 1, length, |file, position| {
        let line = read_line(file)?;
        Ok(match line.as_slice() {
            [b'F', b'R', b'A', b'M', b'E', ..] => {
                Next::At(position.saturating_add(line.len() as u64 + 1).saturating_add(size))
            }
            [b'Y', b'U', b'V', b'4', b'M', b'P', b'E', b'G', b'2', ..] => Next::Recording,
            _ => Next::End,
        })
    })
}

/// Reads up to a line break, which is left out; no more than a header can have.
fn read_line(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < 1024 {
        match read(file)? {
            [b'\n'] => break,
            [byte] => line.push(byte),
        }
    }
    Ok(line)
}

/// The bytes of a frame's samples, by the header's width (W), height (H) and sampling (C); `None` where these are not stated.
fn y4m_frame_size(header: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(header).ok()?;
    let value = |name: char| text.split(' ').skip(1).find_map(|word| word.strip_prefix(name));
    let [width, height]: [u64; 2] = [value('W')?.parse().ok()?, value('H')?.parse().ok()?];
    let sampling = value('C').unwrap_or("420");
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let chroma = match sampling {
        "444alpha" => 3 * width.checked_mul(height)?,
        _ if sampling.starts_with("420") => 2 * half_width.checked_mul(half_height)?,
        _ if sampling.starts_with("422") => 2 * half_width.checked_mul(height)?,
        _ if sampling.starts_with("444") => 2 * width.checked_mul(height)?,
        _ if sampling.starts_with("411") => 2 * width.div_ceil(4).checked_mul(height)?,
        _ if sampling.starts_with("mono") => 0,
        _ => return None,
    };
    // Sampling with more than 8 bits, such as 420p10, has two bytes for each.
    let has_wide_samples = sampling.split_once('p').is_some_and(|(_, bits)| bits.parse::<u8>().is_ok())
        || sampling.strip_prefix("mono").is_some_and(|bits| bits.parse::<u8>().is_ok_and(|bits| bits > 8));
    (width.checked_mul(height)?.checked_add(chroma)?).checked_mul(if has_wide_samples { 2 } else { 1 })
}
