//! Classifies images of faces from standard input, for scripts that measure models (training/robustness.py):
//! `faces SIDE [MODEL] < faces.raw`, where the input is SIDE x SIDE grey bytes for each image, one after the
//! other.
//!
//! Prints a line for each image: its quality, then its seven probabilities, from the same crop and network as
//! in the element.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool for measurements may panic")]

use std::env;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use mini_xception::patch::{self, Crop};
use mini_xception::{Classifier, GrayImage, Model, Provider, Runtime, quality};

fn main() {
    let mut arguments = env::args_os().skip(1);
    let image_side: usize = arguments.next().and_then(|side| side.to_str()?.parse().ok()).expect("SIDE");
    let model = arguments.next().map_or(Model::BuiltIn, |path| Model::File(PathBuf::from(path)));
    let runtime = Runtime::load(None, &[]).expect("ONNX Runtime: run `make setup`");
    let mut classifier = Classifier::load(&runtime, &model, Provider::Cpu).unwrap();
    let mut images = Vec::new();
    io::stdin().read_to_end(&mut images).unwrap();
    let side = classifier.side();
    let bbox = [0.0, 0.0, image_side as f32, image_side as f32];
    let mut out = io::BufWriter::new(io::stdout().lock());
    for batch in images.chunks(64 * image_side * image_side) {
        let mut patches = Vec::new();
        for image in batch.chunks_exact(image_side * image_side) {
            let image = GrayImage::new(image, image_side, image_side, image_side).unwrap();
            patch::append_crop(&image, Crop::from_box(bbox, 0.0, 0.0), side, &mut patches);
        }
        let results = classifier.classify(&patches).unwrap();
        for (patch, probabilities) in patches.chunks(side * side).zip(results) {
            write!(out, "{:.4}", quality::assess(patch, side, image_side as f32, 0.0).score).unwrap();
            for probability in probabilities {
                write!(out, " {probability:.6}").unwrap();
            }
            writeln!(out).unwrap();
        }
    }
}
