//! Every kernel against the scalar one, on generated rows, images and cascades.

use super::*;
use crate::cascade::{Cascade, Feature, Node, Stage, Tree, WeightedRect};
use crate::compiled::CompiledCascade;
use crate::layout::ROW_PADDING;
use crate::{Detector, GrayImage, Params, PixelRect};

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// A number below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// One of the values.
    fn choose<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// The vector kernels that this CPU supports.
fn vector_kernels() -> Vec<AnyKernel> {
    let vectors = Backend::ALL.into_iter().filter(|&backend| backend != Backend::Scalar);
    vectors.filter_map(AnyKernel::new).collect()
}

#[test]
fn every_kernel_resizes_rows_alike() {
    let mut random = Random(1);
    for round in 0..600 {
        let source = 2 + random.below(400);
        // Mostly down to a quarter, which vectors support; also up, and down to a single pixel.
        let target =
            if round % 5 == 0 { 1 + random.below(500) } else { source / 4 + 1 + random.below(source) };
        let axis = ResizeAxis::new(source, target);
        let rows = [random.bytes(source), vec![255; source]];
        let mut expected = [(); 2].map(|()| vec![0; target]);
        for (row, out) in rows.iter().zip(&mut expected) {
            Scalar.resize_row_horizontally(&axis, row, out);
        }
        let weight = random.next() % 257;
        let mut interpolated = vec![0; target];
        Scalar.interpolate_rows(&expected[0], &expected[1], weight, &mut interpolated);
        for kernel in vector_kernels() {
            for (row, expected) in rows.iter().zip(&expected) {
                let mut out = vec![0; target];
                kernel.resize_row_horizontally(&axis, row, &mut out);
                assert_eq!(&out, expected, "{kernel:?} from {source} to {target}");
            }
            let mut out = vec![0; target];
            kernel.interpolate_rows(&expected[0], &expected[1], weight, &mut out);
            assert_eq!(out, interpolated, "{kernel:?} with {weight}");
        }
    }
}

#[test]
fn every_kernel_integrates_rows_alike() {
    let mut random = Random(2);
    for round in 0..300 {
        let width = 1 + random.below(300);
        let stride = (width + 1 + ROW_PADDING).next_multiple_of(64);
        let layout = Layout { stride, rows: 2, tilted: false, step: 1 + round % 2 };
        let mut pixels = if round < 4 { vec![255; width] } else { random.bytes(width) };
        pixels.resize(width + ROW_PADDING, 0);
        // Includes sums that wrap around.
        let sums: Vec<i32> = (0..2 * stride).map(|_| (random.next() << 1) as i32).collect();
        let squares: Vec<u32> = sums.iter().map(|sum| sum.unsigned_abs().wrapping_mul(5)).collect();
        let integrate = |kernel: AnyKernel| {
            let (mut sums, mut squares) = (sums.clone(), squares.clone());
            kernel.integrate_row(layout, &pixels, (&mut sums, &mut squares));
            let corners = (0..=width as i32).map(|x| layout.offset(x, 1) as usize);
            corners.map(|corner| (sums[corner], squares[corner])).collect::<Vec<_>>()
        };
        for kernel in vector_kernels() {
            assert_eq!(
                integrate(kernel),
                integrate(AnyKernel::Scalar(Scalar)),
                "{kernel:?}, {layout:?}, {width}"
            );
        }
    }
}

/// A cascade with features of every shape that OpenCV trains. About half of the windows pass a stage, many of
/// them with votes so close to the threshold that rounding matters.
fn random_cascade(random: &mut Random, (width, height): (i32, i32)) -> Cascade {
    let rect =
        |x: i32, y: i32, w: i32, h: i32, weight: f32| WeightedRect { rect: PixelRect { x, y, w, h }, weight };
    let features: Vec<_> = (0..40)
        .map(|_| {
            let (w, h) =
                (1 + random.below(width as usize / 4) as i32, 1 + random.below(height as usize / 4) as i32);
            let x = random.below((width - 4 * w + 1) as usize) as i32;
            let y = random.below((height - 4 * h + 1) as usize) as i32;
            let [one, two, three] = match random.below(6) {
                0 => [rect(x, y, 2 * w, h, -1.0), rect(x, y, w, h, 2.0), WeightedRect::default()],
                1 => [rect(x, y, w, 2 * h, -1.0), rect(x, y + h, w, h, 2.0), WeightedRect::default()],
                2 => [rect(x, y, 3 * w, h, -1.0), rect(x + w, y, w, h, 3.0), WeightedRect::default()],
                3 => [rect(x, y, 4 * w, h, -1.0), rect(x + w, y, 2 * w, h, 2.0), WeightedRect::default()],
                4 => [rect(x, y, 3 * w, 3 * h, -1.0), rect(x + w, y + h, w, h, 9.0), WeightedRect::default()],
                _ => [rect(x, y, 2 * w, 2 * h, -1.0), rect(x, y, w, h, 2.0), rect(x + w, y + h, w, h, 2.0)],
            };
            Feature { rects: [one, two, three], tilted: false }
        })
        .collect();
    let largest_tree = random.choose(&[1, 1, 2, 4, 9]);
    let stages = (0..1 + random.below(8))
        .map(|_| {
            let trees = (0..1 + random.below(12))
                .map(|_| random_tree(random, features.len(), largest_tree))
                .collect();
            Stage { threshold: random.choose(&[-0.8, -0.2, 0.00001, 0.1]), trees }
        })
        .collect();
    Cascade::new(width, height, features, stages).unwrap()
}

/// A tree of at most `largest` nodes, the last of which has the last two leaves.
fn random_tree(random: &mut Random, features: usize, largest: usize) -> Tree {
    let size = 1 + random.below(largest);
    let mut leaves: Vec<_> = (0..size).map(|_| random.choose(&[-0.3, -0.1, 0.1, 0.7])).collect();
    leaves.push(random.choose(&[-0.7, 0.1, 0.3]));
    let node = |index: usize| {
        let mut next = [-(index as i32), if index + 1 < size { index as i32 + 1 } else { -(size as i32) }];
        if random.below(2) == 0 {
            next.reverse();
        }
        let threshold = random.choose(&[-0.02, -0.004, 0.0, 0.004, 0.02]);
        Node { feature: random.below(features), threshold, left: next[0], right: next[1] }
    };
    Tree { nodes: (0..size).map(node).collect(), leaves }
}

#[test]
fn every_backend_detects_the_same_windows() {
    let mut random = Random(3);
    let (mut windows, mut vector_cascades) = (0, 0);
    for round in 0..100 {
        let window = random.choose(&[(24, 24), (20, 20), (30, 14), (12, 36)]);
        let cascade = std::sync::Arc::new(random_cascade(&mut random, window));
        let (width, height) = (30 + random.below(400), 30 + random.below(200));
        let pixels: Vec<u8> = match round % 3 {
            0 => random.bytes(width * height),
            // Smooth, with flat areas.
            1 => (0..width * height).map(|i| ((i % width) * (i / width) / 40) as u8 & 0xf0).collect(),
            _ => random.bytes(width * height).iter().map(|value| 200 + value / 32).collect(),
        };
        let image = GrayImage::new(&pixels, width, height, width).unwrap();
        let params =
            Params { scale_factor: 1.2, min_neighbors: 0, threads: 1 + round % 2, ..Params::default() };
        let detect = |backend| {
            Detector::new(cascade.clone(), params).unwrap().with_backend(backend).unwrap().detect(&image)
        };
        let layout = Layout { stride: 512, rows: 64, tilted: false, step: 1 };
        let compiled = CompiledCascade::new(&cascade, layout, None);
        vector_cascades += usize::from(matches!(compiled, CompiledCascade::Vector(_)));
        let expected = detect(Backend::Scalar);
        windows += expected.len();
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            assert_eq!(detect(backend), expected, "{backend}, round {round}");
        }
    }
    assert!(windows > 10_000, "{windows} windows found");
    assert!(vector_cascades > 80, "{vector_cascades} cascades compiled for vectors");
}
