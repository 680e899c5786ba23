//! Classifies pictures of faces from standard input, for scripts that measure models (training/robustness.py):
//! `faces SIDE [MODEL] < faces.raw`, the pictures being SIDE x SIDE grey bytes, one after the other.
//!
//! A line for each face: its quality, then its seven probabilities, through the element's own crop and network.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool for measurements may panic")]

use std::env;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use mini_xception::patch::{self, Crop};
use mini_xception::{Classifier, GrayImage, Model, Provider, Runtime, quality};

fn main() {
    let mut arguments = env::args_os().skip(1);
    let picture_side: usize = arguments.next().and_then(|side| side.to_str()?.parse().ok()).expect("SIDE");
    let model = arguments.next().map_or(Model::BuiltIn, |path| Model::File(PathBuf::from(path)));
    let runtime = Runtime::load(None, &[]).expect("ONNX Runtime: run `make setup`");
    let mut classifier = Classifier::load(&runtime, &model, Provider::Cpu).unwrap();
    let mut pictures = Vec::new();
    io::stdin().read_to_end(&mut pictures).unwrap();
    let side = classifier.side();
    let bbox = [0.0, 0.0, picture_side as f32, picture_side as f32];
    let mut out = io::BufWriter::new(io::stdout().lock());
    for pictures in pictures.chunks(64 * picture_side * picture_side) {
        let mut patches = Vec::new();
        for picture in pictures.chunks_exact(picture_side * picture_side) {
            let luma = GrayImage::new(picture, picture_side, picture_side, picture_side).unwrap();
            patch::append_crop(&luma, Crop::from_box(bbox, 0.0, 0.0), side, &mut patches);
        }
        let results = classifier.classify(&patches).unwrap();
        for (patch, probabilities) in patches.chunks(side * side).zip(results) {
            write!(out, "{:.4}", quality::score(patch, side, picture_side as f32, 0.0)).unwrap();
            for probability in probabilities {
                write!(out, " {probability:.6}").unwrap();
            }
            writeln!(out).unwrap();
        }
    }
}
