//! Any text as a cascade: refused, or sound enough to search with.

#![no_main]

use haar::{Cascade, Detector, GrayImage, Params};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let cascade = match Cascade::parse(text) {
        Ok(cascade) => cascade,
        Err(error) => {
            let told = error.to_string();
            assert!(told.lines().count() == 1 && told.len() < 2000, "no error one can read: {told}");
            return;
        }
    };
    let pixels: Vec<u8> = (0..48 * 40_u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let Ok(image) = GrayImage::new(&pixels, 48, 40, 48) else { return };
    if let Ok(mut detector) = Detector::new(cascade, Params::default()) {
        detector.detect(&image);
    }
});
