//! A detector keeps its buffers: the second image of a size needs no allocation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use haar::{Cascade, Detector, GrayImage, Params};

const TREES: &str = include_str!("expected/made_up_trees.xml");
const STUMPS: &str = include_str!("expected/made_up_stumps.xml");

#[test]
fn the_second_image_of_a_size_allocates_nothing() {
    let pixels: Vec<u8> = (0..400 * 300_u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let image = GrayImage::new(&pixels, 400, 300, 400).unwrap();
    for (name, xml) in [("trees", TREES), ("stumps", STUMPS)] {
        for min_neighbors in [0, 3] {
            let params = Params { min_neighbors, threads: 1, ..Params::default() };
            let mut detector = Detector::new(Cascade::parse(xml).unwrap(), params).unwrap();
            let mut detections = Vec::new();
            let first = allocation_counter::measure(|| detector.detect_into(&image, &mut detections));
            assert!(first.count_total > 0 && !detections.is_empty(), "{name}: {detections:?}");
            let second = allocation_counter::measure(|| detector.detect_into(&image, &mut detections));
            assert_eq!(second.count_total, 0, "{name}, {min_neighbors} neighbours");
        }
    }
}
