//! Reads what any bytes declare as a media file: a truncated one declares more than it has, and without its large tags it has
//! less. The first byte puts a large tag before the others, so that short inputs reach what follows it.

#![no_main]

use std::fs;
use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use media_container::FileView;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let path = fuzz::folder().join("media");
    fs::write(&path, rest).unwrap();
    if let Some(length) = media_container::declared_length_if_truncated(&path) {
        assert!(length > rest.len() as u64);
    }
    // An ID3v2 tag, or FLAC with a picture, of 1 MiB; an Ogg file with as long a comment; or nothing before.
    let tag = match first % 4 {
        0 => Vec::new(),
        1 => [&b"ID3\x04\0\0\0\x40\0\0"[..], &[0; 1 << 20]].concat(),
        2 => [&b"fLaC\x06\x10\0\0"[..], &[0; 1 << 20]].concat(),
        _ => ogg(),
    };
    let file = [&tag, rest].concat();
    let length = file.len() as u64;
    let Ok(Some(mut view)) = FileView::without_large_tags(Cursor::new(&file), length) else { return };
    assert!(!view.is_empty() && view.len() < length);
    let mut whole = vec![0; view.len() as usize + 1];
    assert_eq!(view.read_at(0, &mut whole).unwrap() as u64, view.len());
    // In steps it is the same.
    let step = 1 + usize::from(*first);
    for position in (0..view.len() as usize).step_by(step * (1 + view.len() as usize / 4096)) {
        let mut part = vec![0; step];
        let read = view.read_at(position as u64, &mut part).unwrap();
        assert_eq!(part[..read], whole[position..position + read]);
    }
});

/// The beginning of an Ogg Opus file, up to its second comment; the first fills 17 pages.
fn ogg() -> Vec<u8> {
    const PAGE: usize = 255 * 255;
    const PAGES: usize = 17;
    let page = |flags: u8, segments: &[u8], content: &[u8]| {
        [b"OggS\0", &[flags][..], &[0; 20], &[segments.len() as u8], segments, content].concat()
    };
    let length = (PAGES * PAGE - 20) as u32;
    let mut packet = [&b"OpusTags\0\0\0\0\x02\0\0\0"[..], &length.to_le_bytes()].concat();
    packet.resize(PAGES * PAGE, b'A');
    let pages = packet.chunks(PAGE).flat_map(|content| page(0, &[255; 255], content));
    page(2, &[9], b"OpusHead\x01").into_iter().chain(pages).collect()
}
