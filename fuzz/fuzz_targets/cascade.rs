//! Parses any text as a cascade: it is refused, or valid enough to search with.

#![no_main]

use haar::{Cascade, Detector, GrayImage, Params};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let cascade = match Cascade::parse(text) {
        Ok(cascade) => cascade,
        Err(error) => {
            let message = error.to_string();
            assert!(message.lines().count() == 1 && message.len() < 2000, "unreadable error: {message}");
            return;
        }
    };
    let pixels: Vec<u8> = (0..48 * 40_u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let Ok(image) = GrayImage::new(&pixels, 48, 40, 48) else { return };
    if let Ok(mut detector) = Detector::new(cascade, Params::default()) {
        detector.detect(&image);
    }
});
