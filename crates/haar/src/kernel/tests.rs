//! Every backend against portable code, on made-up rows, pictures and cascades.

use super::*;
use crate::cascade::{Cascade, Feature, Node, Stage, Tree, WeightedRect};
use crate::integral::ROOM;
use crate::{Detector, GrayImage, Params};

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// One of a few.
    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

fn kernels() -> Vec<Kernel> {
    Backend::ALL.into_iter().filter(|&backend| backend != Backend::Scalar).filter_map(Kernel::new).collect()
}

#[test]
fn rows_are_resized_alike() {
    let mut random = Random(1);
    for round in 0..600 {
        let source = 2 + random.below(400);
        // Mostly down to a quarter, where there are shuffles for it, also up and down to a pixel.
        let target =
            if round % 5 == 0 { 1 + random.below(500) } else { source / 4 + 1 + random.below(source) };
        let axis = Axis::new(source, target);
        let rows = [random.bytes(source), vec![255; source]];
        let mut expected = [(); 2].map(|()| vec![0; target]);
        for (row, out) in rows.iter().zip(&mut expected) {
            axis.across(row, out, 0);
        }
        let weight = random.next() % 257;
        let mut between = vec![0; target];
        resize::down(&expected[0], &expected[1], weight, &mut between);
        for kernel in kernels() {
            for (row, expected) in rows.iter().zip(&expected) {
                let mut out = vec![0; target];
                kernel.across(&axis, row, &mut out);
                assert_eq!(&out, expected, "{kernel:?} from {source} to {target}");
            }
            let mut out = vec![0; target];
            kernel.down(&expected[0], &expected[1], weight, &mut out);
            assert_eq!(out, between, "{kernel:?} with {weight}");
        }
    }
}

#[test]
fn rows_are_summed_up_alike() {
    let mut random = Random(2);
    for round in 0..300 {
        let width = 1 + random.below(300);
        let stride = (width + 1 + ROOM).next_multiple_of(64);
        let layout = Layout { stride, rows: 2, tilted: false, step: 1 + round % 2 };
        let mut pixels = if round < 4 { vec![255; width] } else { random.bytes(width) };
        pixels.resize(width + ROOM, 0);
        // Sums that wrap around too.
        let sums: Vec<i32> = (0..2 * stride).map(|_| (random.next() << 1) as i32).collect();
        let squares: Vec<u32> = sums.iter().map(|sum| sum.unsigned_abs().wrapping_mul(5)).collect();
        let run = |kernel: Kernel| {
            let (mut sums, mut squares) = (sums.clone(), squares.clone());
            kernel.sum_up(layout, &pixels, (&mut sums, &mut squares));
            let corners = (0..=width as i32).map(|x| layout.offset(x, 1) as usize);
            corners.map(|at| (sums[at], squares[at])).collect::<Vec<_>>()
        };
        for kernel in kernels() {
            assert_eq!(run(kernel), run(Kernel::Scalar), "{kernel:?}, {layout:?}, {width}");
        }
    }
}

/// Features of every shape that OpenCV trains, and stages that about half of the windows pass: many of them by votes
/// as near to the threshold as rounding.
fn cascade(random: &mut Random, (width, height): (i32, i32)) -> Cascade {
    let rect = |x: i32, y: i32, w: i32, h: i32, weight: f32| WeightedRect { x, y, w, h, weight };
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
    let largest_tree = random.of(&[1, 1, 2, 4, 9]);
    let stages = (0..1 + random.below(8))
        .map(|_| {
            let trees =
                (0..1 + random.below(12)).map(|_| tree(random, features.len(), largest_tree)).collect();
            Stage { threshold: random.of(&[-0.8, -0.2, 0.00001, 0.1]), trees }
        })
        .collect();
    Cascade::new(width, height, features, stages).unwrap()
}

/// A tree of up to so many nodes, the last of which has the last two leaves.
fn tree(random: &mut Random, features: usize, largest: usize) -> Tree {
    let size = 1 + random.below(largest);
    let mut leaves: Vec<_> = (0..size).map(|_| random.of(&[-0.3, -0.1, 0.1, 0.7])).collect();
    leaves.push(random.of(&[-0.7, 0.1, 0.3]));
    let node = |index: usize| {
        let mut next = [-(index as i32), if index + 1 < size { index as i32 + 1 } else { -(size as i32) }];
        if random.below(2) == 0 {
            next.reverse();
        }
        let threshold = random.of(&[-0.02, -0.004, 0.0, 0.004, 0.02]);
        Node { feature: random.below(features), threshold, left: next[0], right: next[1] }
    };
    Tree { nodes: (0..size).map(node).collect(), leaves }
}

#[test]
fn every_backend_finds_the_same_windows() {
    let mut random = Random(3);
    let (mut windows, mut dense) = (0, 0);
    for round in 0..100 {
        let window = random.of(&[(24, 24), (20, 20), (30, 14), (12, 36)]);
        let cascade = std::sync::Arc::new(cascade(&mut random, window));
        let (width, height) = (30 + random.below(400), 30 + random.below(200));
        let pixels: Vec<u8> = match round % 3 {
            0 => random.bytes(width * height),
            // Smooth, with flat parts.
            1 => (0..width * height).map(|i| ((i % width) * (i / width) / 40) as u8 & 0xf0).collect(),
            _ => random.bytes(width * height).iter().map(|value| 200 + value / 32).collect(),
        };
        let image = GrayImage::new(&pixels, width, height, width).unwrap();
        let params =
            Params { scale_factor: 1.2, min_neighbors: 0, threads: 1 + round % 2, ..Params::default() };
        let find = |backend| {
            Detector::new(cascade.clone(), params).unwrap().with_backend(backend).unwrap().detect(&image)
        };
        let layout = Layout { stride: 512, rows: 64, tilted: false, step: 1 };
        dense += usize::from(Program::new(&cascade, layout, None).dense.is_some());
        let expected = find(Backend::Scalar);
        windows += expected.len();
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            assert_eq!(find(backend), expected, "{backend}, round {round}");
        }
    }
    assert!(windows > 10_000 && dense > 80, "{windows} windows found, {dense} cascades are fit for lanes");
}
