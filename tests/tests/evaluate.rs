//! `gst-mood evaluate`: the same faces as class folders and as FER-2013's csv, and data that it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use mood_schema::Emotion;
use mood_tests::process::TIMEOUT;
use mood_tests::{gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

/// Side of a face image, pixels.
const SIDE: u32 = 48;

fn evaluate_command(arguments: &[&str]) -> Command {
    gst_mood(&[&["evaluate"], arguments].concat())
}

/// The grey values of a pattern that differs from seed to seed.
fn make_pattern(seed: u32) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| ((i * (7 + seed) / 5) ^ (i / SIDE * (3 + seed))) as u8).collect()
}

/// Writes two images of every emotion, as class folders and as a csv.
fn write_faces(folder: &Path) {
    let mut csv = String::from("emotion,pixels,Usage\n");
    for (seed, emotion) in Emotion::ALL.into_iter().cycle().take(14).enumerate() {
        let class = folder.join("faces").join(emotion.as_str());
        fs::create_dir_all(&class).unwrap();
        let pixels = make_pattern(seed as u32);
        let text: Vec<String> = pixels.iter().map(u8::to_string).collect();
        writeln!(csv, "{},{},PublicTest", emotion.index(), text.join(" ")).unwrap();
        image::GrayImage::from_raw(SIDE, SIDE, pixels)
            .unwrap()
            .save(class.join(format!("{seed}.png")))
            .unwrap();
    }
    // A row of another split, which is not evaluated.
    writeln!(csv, "3,{},Training", vec!["128"; (SIDE * SIDE) as usize].join(" ")).unwrap();
    fs::write(folder.join("fer2013.csv"), csv).unwrap();
}

/// Evaluates `data` and returns the figures.
fn evaluate_to_json(data: &Path) -> Value {
    let json = data.with_extension("json");
    run(evaluate_command(&[data.to_str().unwrap(), "--json", json.to_str().unwrap()]), TIMEOUT)
        .assert_success();
    serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap()
}

#[test]
fn a_folder_and_a_csv_give_the_same_figures() {
    let folder = TempDir::new().unwrap();
    write_faces(folder.path());
    let (images, csv) = (
        evaluate_to_json(&folder.path().join("faces")),
        evaluate_to_json(&folder.path().join("fer2013.csv")),
    );
    for figure in ["samples", "confusion", "per_class_recall"] {
        assert_eq!(images[figure], csv[figure], "{figure}");
    }
    assert_eq!(csv["samples"], 14);
    let confusion: Vec<Vec<u64>> = serde_json::from_value(csv["confusion"].clone()).unwrap();
    assert!(confusion.iter().all(|row| row.len() == 7 && row.iter().sum::<u64>() == 2), "{confusion:?}");
    let correct: u64 = (0..7).map(|class| confusion[class][class]).sum();
    assert!((csv["accuracy"].as_f64().unwrap() - correct as f64 / 14.0).abs() < 1e-12);
    for figure in ["accuracy", "macro_f1", "ece", "coverage_at_92"] {
        let [one, other] = [&csv, &images].map(|figures| figures[figure].as_f64().unwrap());
        // The order of the faces changes the last digits of the sums.
        assert!((0.0..=1.0).contains(&one) && (one - other).abs() < 1e-6, "{figure}: {one} {other}");
    }
    assert_eq!(csv["per_class_recall"].as_object().unwrap().len(), 7);
}

#[test]
fn an_unreadable_image_is_named_and_the_others_are_evaluated() {
    let folder = TempDir::new().unwrap();
    write_faces(folder.path());
    let faces = folder.path().join("faces");
    fs::write(faces.join("happy/broken.png"), "no picture").unwrap();
    let output = run(evaluate_command(&[faces.to_str().unwrap()]), TIMEOUT);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("broken.png") && output.stdout.contains("on 14 faces"), "{output}");
}

#[test]
fn unusable_data_is_refused_with_the_remedy() {
    let folder = TempDir::new().unwrap();
    let csv = folder.path().join("other.csv");
    fs::write(&csv, "a,b\n1,2\n").unwrap();
    let broken = folder.path().join("broken.csv");
    fs::write(&broken, "emotion,pixels,Usage\n3,1 2 3,PublicTest\n").unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (data, words) in [
        (csv.as_path(), "FER-2013's csv has emotion, pixels and Usage"),
        (&broken, "line 2"),
        (&empty, "folders angry, disgust"),
        (Path::new("/nowhere"), "/nowhere"),
    ] {
        let output = run(evaluate_command(&[data.to_str().unwrap()]), TIMEOUT);
        assert_eq!(output.code, Some(1), "{output}");
        assert!(output.stderr.contains(words), "{output}");
    }
}
