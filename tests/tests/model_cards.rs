//! The figures of the model cards are those that `gst-mood evaluate` measures on FER-2013's PublicTest.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::imageops;
use mood_tests::process::TIMEOUT;
use mood_tests::{gst_mood, paths, run};
use npyz::NpyFile;
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipArchive;

/// Side of a face image, pixels.
const SIDE: u32 = 48;
/// Faces in a row, and rows, of a sheet that packs many faces into one image.
const FACES_PER_ROW: usize = 60;
/// The value of `usage` for PublicTest.
const PUBLIC_TEST: u8 = 1;
/// Faces whose label may differ on another processor, which rounds differently.
const MAX_DIFFERING_FACES: i64 = 5;

/// PublicTest in the format of FER-2013's csv, read from the packed copy of the data in `data`.
fn public_test_csv(data: &Path) -> String {
    let mut labels = ZipArchive::new(fs::File::open(data.join("labels.npz")).unwrap()).unwrap();
    let mut column =
        |name: &str| NpyFile::new(labels.by_name(name).unwrap()).unwrap().into_vec::<u8>().unwrap();
    let (emotion, usage) = (column("emotion.npy"), column("usage.npy"));
    let mut csv = String::from("emotion,pixels,Usage\n");
    for (number, rows) in usage
        .chunks(FACES_PER_ROW * FACES_PER_ROW)
        .enumerate()
        .filter(|(_, rows)| rows.contains(&PUBLIC_TEST))
    {
        let sheet = image::open(data.join(format!("pixels_{number:02}.webp"))).unwrap().into_luma8();
        for index in (0..rows.len()).filter(|index| rows[*index] == PUBLIC_TEST) {
            let [left, top] = [index % FACES_PER_ROW, index / FACES_PER_ROW].map(|cell| cell as u32 * SIDE);
            let face = imageops::crop_imm(&sheet, left, top, SIDE, SIDE).to_image();
            let pixels: Vec<String> = face.iter().map(u8::to_string).collect();
            writeln!(
                csv,
                "{},{},PublicTest",
                emotion[number * FACES_PER_ROW * FACES_PER_ROW + index],
                pixels.join(" ")
            )
            .unwrap();
        }
    }
    csv
}

/// The value of a figure in the table of a card: `63.3 %` is 0.633.
fn figure_of(card: &str, figure: &str) -> f64 {
    let row = card.lines().find_map(|line| line.strip_prefix(&format!("| {figure} | "))).expect(figure);
    let words: Vec<&str> = row.split([' ', ',', ':']).collect();
    let value: f64 = words[0].parse().expect(row);
    if words[1] == "%" { value / 100.0 } else { value }
}

/// The confusion matrix of a card.
fn confusion_matrix(card: &str) -> Vec<Vec<i64>> {
    let rows = card.lines().filter(|line| line.starts_with("| **"));
    rows.map(|row| row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()).collect()
}

#[test]
fn the_figures_of_the_cards_are_what_evaluate_measures() {
    let Some(data) = paths::media("fer2013") else { return };
    let folder = TempDir::new().unwrap();
    let faces = folder.path().join("fer2013.csv");
    fs::write(&faces, public_test_csv(&data)).unwrap();
    for (card, model) in [("README.md", None), ("mini_xception_large.md", Some("mini_xception_large.onnx"))] {
        let models = paths::workspace_root().join("models");
        let text = fs::read_to_string(models.join(card)).unwrap();
        let json = folder.path().join("figures.json");
        let mut evaluate = gst_mood(&["evaluate"]);
        evaluate.arg(&faces).arg("--json").arg(&json);
        evaluate.args(model.map(|model| format!("--model={}", models.join(model).display())));
        run(evaluate, TIMEOUT).assert_success();
        let measured: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        assert_eq!(measured["samples"], 3589);
        let confusion: Vec<Vec<i64>> = serde_json::from_value(measured["confusion"].clone()).unwrap();
        let written = confusion_matrix(&text).concat();
        assert_eq!(written.len(), 49, "{card}: a matrix of seven rows");
        let counts = confusion.iter().flatten().zip(written);
        // A face with another label is missing from one cell and added to another.
        let difference: i64 = counts.map(|(one, other)| (one - other).abs()).sum();
        assert!(difference <= 2 * MAX_DIFFERING_FACES, "{card}: its matrix is not {confusion:?}");
        for (figure, name, rounding) in [
            ("accuracy", "accuracy", 0.0005),
            ("macro F1", "macro_f1", 0.0005),
            ("expected calibration error", "ece", 0.0005),
            // One wrong label among the most confident ones changes it most.
            ("coverage at 92 % accuracy", "coverage_at_92", 0.005),
        ] {
            let (written, value) = (figure_of(&text, figure), measured[name].as_f64().unwrap());
            let tolerance = rounding + MAX_DIFFERING_FACES as f64 / 3589.0;
            assert!(
                (written - value).abs() <= tolerance,
                "{card} says {written} for {name}, which is {value}"
            );
        }
    }
}
