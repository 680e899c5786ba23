//! Compares the time of the crate with that of bare ONNX Runtime, in one process, on the same batches,
//! alternating: `cargo run --release -p mini-xception --example time_classify [MODEL]`.
//!
//! Bare ONNX Runtime is a session with default options except for a single thread, and gets normalised floats.
//! The crate starts from grey values and ends with checked distributions. Prints medians in microseconds a
//! face, and the time from the search for the library to the first result.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may panic")]

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use mini_xception::{Classifier, Model, Provider, Runtime};
use ort::session::Session;
use ort::value::TensorRef;

/// Number of faces classified for each batch size.
const FACES: usize = 4000;

/// The median; of an even number of values the upper one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The duration of a call of `work`, microseconds.
fn measure(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

fn main() {
    let file = env::args_os().nth(1).map(PathBuf::from);
    let start = Instant::now();
    let runtime = Runtime::load(None, &[]).expect("ONNX Runtime: run `make setup`");
    let model = file.clone().map_or(Model::BuiltIn, Model::File);
    let mut classifier = Classifier::load(&runtime, &model, Provider::Cpu).unwrap();
    let side = classifier.side();
    let face: Vec<u8> = (0..side * side).map(|i| (i * 31 % 251) as u8).collect();
    classifier.classify(&face).unwrap();
    println!("{}: first answer after {:.0} ms", classifier.name(), start.elapsed().as_secs_f64() * 1e3);

    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mini_xception.onnx");
    let bytes = fs::read(file.unwrap_or_else(|| built_in.into())).unwrap();
    let builder = Session::builder(runtime.environment()).unwrap().with_intra_threads(1).unwrap();
    let mut session = { builder }.commit_from_memory(&bytes).unwrap();
    for count in [1, 2, 4, 8, 16] {
        let patches = face.repeat(count);
        let input: Vec<f32> = patches.iter().map(|&grey| (f32::from(grey) - 127.5) / 127.5).collect();
        let (mut crate_times, mut bare_times) = (Vec::new(), Vec::new());
        for _ in 0..FACES / count {
            bare_times.push(measure(|| {
                let tensor = TensorRef::from_array_view(([count, 1, side, side], input.as_slice())).unwrap();
                let outputs = session.run(ort::inputs![tensor]).unwrap();
                assert_eq!(outputs[0].try_extract_tensor::<f32>().unwrap().1.len(), count * 7);
            }));
            crate_times.push(measure(|| assert_eq!(classifier.classify(&patches).unwrap().len(), count)));
        }
        let [crate_time, bare_time] = [crate_times, bare_times].map(|times| median(times) / count as f64);
        println!(
            "batch {count:2}: bare {bare_time:6.1} us a face, the crate {crate_time:6.1} us, {:.3} times",
            crate_time / bare_time
        );
    }
}
