//! Decodes any bytes as a photo, with its EXIF orientation: refused in one line, or an image of some pixels. The files of the
//! command are included, because a binary cannot be linked.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../cli/src/error.rs"]
mod error;
#[path = "../../cli/src/process/image_file.rs"]
mod image_file;
#[allow(dead_code)]
#[path = "../../cli/src/media_kind.rs"]
mod media_kind;

use media_kind::MediaKind;

fuzz_target!(|bytes: &[u8]| {
    let path = fuzz::folder().join("photo");
    fs::write(&path, bytes).unwrap();
    if !matches!(MediaKind::detect(&path), MediaKind::Photo) {
        return;
    }
    match image_file::decode_upright(&path) {
        Ok(image) => assert_eq!(image.as_raw().len(), 3 * image.width() as usize * image.height() as usize),
        Err(error) => {
            let error = error.to_string();
            assert_eq!(error.lines().count(), 1, "unreadable error: {error}");
        }
    }
});
