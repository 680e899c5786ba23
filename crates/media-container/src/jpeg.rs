//! JPEG (ITU-T T.81, annex B): whether a file is one photograph or Motion JPEG, and whether it is cut off.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// What a file that begins with a JPEG image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// One photograph, perhaps with previews, depth or gain maps behind it.
    Photo,
    /// One photograph without its end: decoders fill the rest with grey, or with the coarse shapes of a progressive image.
    TruncatedPhoto,
    /// Images of one size one behind the other, without a container: the frames of a video.
    MotionJpeg,
}

/// What the file at `path` holds; `None` where it does not begin with a JPEG image or cannot be read.
pub fn examine(path: &Path) -> Option<Content> {
    examine_reader(&mut BufReader::new(File::open(path).ok()?)).ok()?
}

/// What an image says about itself, up to its end.
struct Image {
    /// Height and width, big-endian; zeros where it has no frame header.
    size: [u8; 4],
    /// Whether it says that further images of the same file belong to it (CIPA DC-007, Multi-Picture Format).
    is_multi_picture: bool,
    /// Whether its end is there.
    has_end: bool,
}

fn examine_reader(file: &mut impl BufRead) -> io::Result<Option<Content>> {
    let mut start = [0; 2];
    if file.read_exact(&mut start).is_err() || start != [0xFF, 0xD8] {
        return Ok(None);
    }
    let first = read_image(file)?;
    if !first.has_end {
        return Ok(Some(Content::TruncatedPhoto));
    }
    // Some cameras write line breaks or zeros between the frames.
    let mut bytes = file.bytes();
    let mut next = || -> io::Result<Option<u8>> {
        for byte in bytes.by_ref() {
            let byte = byte?;
            if !matches!(byte, 0 | b'\r' | b'\n') {
                return Ok(Some(byte));
            }
        }
        Ok(None)
    };
    let follows = next()? == Some(0xFF) && next()? == Some(0xD8);
    let is_video = follows && !first.is_multi_picture && read_image(file)?.size == first.size;
    Ok(Some(if is_video { Content::MotionJpeg } else { Content::Photo }))
}

/// Reads an image behind its start marker, up to its end marker or the end of the file.
fn read_image(file: &mut impl Read) -> io::Result<Image> {
    let mut image = Image { size: [0; 4], is_multi_picture: false, has_end: false };
    let read = read_segments(file, &mut image);
    match read {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(image),
    }
}

/// Reads segments into `image` until its end marker. Fails with [`io::ErrorKind::UnexpectedEof`] at the end of the file.
fn read_segments(file: &mut impl Read, image: &mut Image) -> io::Result<()> {
    let read_byte = |file: &mut dyn Read| -> io::Result<u8> {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    };
    loop {
        // What is no marker is coded image data; in it, 0xFF is followed by 0.
        while read_byte(file)? != 0xFF {}
        let mut marker = read_byte(file)?;
        // Any number of 0xFF may stand before a marker.
        while marker == 0xFF {
            marker = read_byte(file)?;
        }
        match marker {
            // A byte of image data, restart markers, a marker without a segment.
            0 | 1 | 0xD0..=0xD8 => {}
            0xD9 => {
                image.has_end = true;
                return Ok(());
            }
            _ => {
                let length = u16::from_be_bytes([read_byte(file)?, read_byte(file)?]).saturating_sub(2);
                let mut content = Vec::new();
                file.take(u64::from(length)).read_to_end(&mut content)?;
                // Frame headers, without the tables among their numbers: precision, height, width.
                let is_frame = matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
                if let (true, Some(&[a, b, c, d])) = (is_frame, content.get(1..5)) {
                    image.size = [a, b, c, d];
                }
                image.is_multi_picture |= marker == 0xE2 && content.starts_with(b"MPF\0");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image of this many lines, with an application segment of this content, and coded data with a restart marker.
    fn image(lines: u8, application: &[u8]) -> Vec<u8> {
        let segment = |marker: u8, content: &[u8]| {
            [&[0xFF, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat()
        };
        let data = [7, 0xFF, 0, 9, 0xFF, 0xD0, 0xFF, 0xFF, 0xD9];
        let frame = segment(0xC2, &[8, 0, lines, 0, 8, 1, 1, 0x11, 0]);
        // A thumbnail in a segment has markers of its own.
        let thumbnail = segment(0xE1, &[0xFF, 0xD8, 0xFF, 0xD9]);
        [
            &[0xFF, 0xD8][..],
            &thumbnail,
            &segment(0xE2, application),
            &frame,
            &segment(0xDA, &[1, 1, 0]),
            &data,
        ]
        .concat()
    }

    #[test]
    fn photographs_and_motion_jpeg_are_told_apart() {
        let content = |bytes: &[u8]| examine_reader(&mut &bytes[..]).unwrap();
        let whole = image(16, b"ICC");
        assert_eq!(content(&whole), Some(Content::Photo));
        assert_eq!(content(&[&whole[..], b"more of a phone"].concat()), Some(Content::Photo));
        assert_eq!(content(&whole.repeat(3)), Some(Content::MotionJpeg));
        assert_eq!(
            content(&[&whole[..], b"\r\n\0", &whole[..whole.len() - 3]].concat()),
            Some(Content::MotionJpeg)
        );
        // A preview, and a gain map that the Multi-Picture Format announces.
        assert_eq!(content(&[whole.clone(), image(8, b"ICC")].concat()), Some(Content::Photo));
        assert_eq!(content(&image(16, b"MPF\0II").repeat(2)), Some(Content::Photo));
        for length in [3, 12, 40, whole.len() - 1] {
            assert_eq!(content(&whole[..length]), Some(Content::TruncatedPhoto), "{length}");
        }
        assert_eq!(content(b"\xFF"), None);
        assert_eq!(content(b"GIF89a"), None);
    }
}
