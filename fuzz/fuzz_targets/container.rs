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
    // An ID3v2 tag, or FLAC with a picture, of 1 MiB; or nothing before.
    let tag: &[u8] = match first % 3 {
        0 => b"",
        1 => b"ID3\x04\0\0\0\x40\0\0",
        _ => b"fLaC\x06\x10\0\0",
    };
    let content = if tag.is_empty() { 0 } else { 1 << 20 };
    let file = [tag, &vec![0; content], rest].concat();
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
