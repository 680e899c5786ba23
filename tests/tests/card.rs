//! The models' cards say what `gst-mood evaluate` measures: on FER-2013's PublicTest, from the test data.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::imageops;
use mood_tests::process::LIMIT;
use mood_tests::{gst_mood, place, run};
use npyz::NpyFile;
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipArchive;

/// Pixels along a face's side, and faces along a sheet's.
const SIDE: u32 = 48;
const FACES: usize = 60;
/// `usage` of PublicTest.
const PUBLIC_TEST: u8 = 1;
/// Faces on which other processors' roundings may tip the scales.
const TIPPED: i64 = 5;

/// PublicTest as FER-2013's csv, from the folder with the same data packed.
fn csv(data: &Path) -> String {
    let mut labels = ZipArchive::new(fs::File::open(data.join("labels.npz")).unwrap()).unwrap();
    let mut column =
        |name: &str| NpyFile::new(labels.by_name(name).unwrap()).unwrap().into_vec::<u8>().unwrap();
    let (emotion, usage) = (column("emotion.npy"), column("usage.npy"));
    let mut csv = String::from("emotion,pixels,Usage\n");
    for (number, rows) in
        usage.chunks(FACES * FACES).enumerate().filter(|(_, rows)| rows.contains(&PUBLIC_TEST))
    {
        let sheet = image::open(data.join(format!("pixels_{number:02}.webp"))).unwrap().into_luma8();
        for place in (0..rows.len()).filter(|place| rows[*place] == PUBLIC_TEST) {
            let [left, top] = [place % FACES, place / FACES].map(|face| face as u32 * SIDE);
            let face = imageops::crop_imm(&sheet, left, top, SIDE, SIDE).to_image();
            let grey: Vec<String> = face.iter().map(u8::to_string).collect();
            writeln!(csv, "{},{},PublicTest", emotion[number * FACES * FACES + place], grey.join(" "))
                .unwrap();
        }
    }
    csv
}

/// What the card says of a figure, as it is written there: `63.3 %` is 0.633.
fn said(card: &str, figure: &str) -> f64 {
    let row = card.lines().find_map(|line| line.strip_prefix(&format!("| {figure} | "))).expect(figure);
    let words: Vec<&str> = row.split([' ', ',', ':']).collect();
    let value: f64 = words[0].parse().expect(row);
    if words[1] == "%" { value / 100.0 } else { value }
}

/// The card's confusion matrix.
fn matrix(card: &str) -> Vec<Vec<i64>> {
    let rows = card.lines().filter(|line| line.starts_with("| **"));
    rows.map(|row| row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()).collect()
}

#[test]
fn the_cards_figures_are_what_evaluate_measures() {
    let Some(data) = place::media("fer2013") else { return };
    let folder = TempDir::new().unwrap();
    let faces = folder.path().join("fer2013.csv");
    fs::write(&faces, csv(&data)).unwrap();
    for (card, model) in [("README.md", None), ("mini_xception_large.md", Some("mini_xception_large.onnx"))] {
        let models = place::root().join("models");
        let text = fs::read_to_string(models.join(card)).unwrap();
        let json = folder.path().join("figures.json");
        let mut evaluate = gst_mood(&["evaluate"]);
        evaluate.arg(&faces).arg("--json").arg(&json);
        evaluate.args(model.map(|model| format!("--model={}", models.join(model).display())));
        run(evaluate, LIMIT).ok();
        let measured: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        assert_eq!(measured["samples"], 3589);
        let confusion: Vec<Vec<i64>> = serde_json::from_value(measured["confusion"].clone()).unwrap();
        let written = matrix(&text).concat();
        assert_eq!(written.len(), 49, "{card}: a matrix of seven rows");
        let counts = confusion.iter().flatten().zip(written);
        let tipped: i64 = counts.map(|(one, other)| (one - other).abs()).sum();
        assert!(tipped <= 2 * TIPPED, "{card}: its matrix is not {confusion:?}");
        for (figure, name, rounding) in [
            ("accuracy", "accuracy", 0.0005),
            ("macro F1", "macro_f1", 0.0005),
            ("expected calibration error", "ece", 0.0005),
            // One wrong answer more or less among the surest moves it most.
            ("coverage at 92 % accuracy", "coverage_at_92", 0.005),
        ] {
            let (said, is) = (said(&text, figure), measured[name].as_f64().unwrap());
            let within = rounding + TIPPED as f64 / 3589.0;
            assert!((said - is).abs() <= within, "{card} says {said} for {name}, which is {is}");
        }
    }
}
