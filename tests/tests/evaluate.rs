//! `gst-mood evaluate`: the same faces as a folder and as FER-2013's csv, and what it says of data it cannot use.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use mood_schema::Emotion;
use mood_tests::process::LIMIT;
use mood_tests::{gst_mood, run};
use serde_json::Value;
use tempfile::TempDir;

const SIDE: u32 = 48;

fn evaluate(arguments: &[&str]) -> Command {
    gst_mood(&[&["evaluate"], arguments].concat())
}

/// Grey values that differ from picture to picture.
fn picture(seed: u32) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| ((i * (7 + seed) / 5) ^ (i / SIDE * (3 + seed))) as u8).collect()
}

/// Two pictures of every emotion, as class folders and as a csv.
fn faces(folder: &Path) {
    let mut csv = String::from("emotion,pixels,Usage\n");
    for (seed, emotion) in Emotion::ALL.into_iter().cycle().take(14).enumerate() {
        let class = folder.join("faces").join(emotion.as_str());
        fs::create_dir_all(&class).unwrap();
        let grey = picture(seed as u32);
        let text: Vec<String> = grey.iter().map(u8::to_string).collect();
        writeln!(csv, "{},{},PublicTest", emotion.index(), text.join(" ")).unwrap();
        image::GrayImage::from_raw(SIDE, SIDE, grey)
            .unwrap()
            .save(class.join(format!("{seed}.png")))
            .unwrap();
    }
    // Of the other splits, which do not count.
    writeln!(csv, "3,{},Training", vec!["128"; 2304].join(" ")).unwrap();
    fs::write(folder.join("fer2013.csv"), csv).unwrap();
}

fn figures(data: &Path) -> Value {
    let json = data.with_extension("json");
    run(evaluate(&[data.to_str().unwrap(), "--json", json.to_str().unwrap()]), LIMIT).ok();
    serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap()
}

#[test]
fn a_folder_and_a_csv_give_the_same_figures() {
    let folder = TempDir::new().unwrap();
    faces(folder.path());
    let (pictures, csv) =
        (figures(&folder.path().join("faces")), figures(&folder.path().join("fer2013.csv")));
    for figure in ["samples", "confusion", "per_class_recall"] {
        assert_eq!(pictures[figure], csv[figure], "{figure}");
    }
    assert_eq!(csv["samples"], 14);
    let confusion: Vec<Vec<u64>> = serde_json::from_value(csv["confusion"].clone()).unwrap();
    assert!(confusion.iter().all(|row| row.len() == 7 && row.iter().sum::<u64>() == 2), "{confusion:?}");
    let right: u64 = (0..7).map(|class| confusion[class][class]).sum();
    assert!((csv["accuracy"].as_f64().unwrap() - right as f64 / 14.0).abs() < 1e-12);
    for figure in ["accuracy", "macro_f1", "ece", "coverage_at_92"] {
        let [one, other] = [&csv, &pictures].map(|figures| figures[figure].as_f64().unwrap());
        // In another order the network's and the sums' last digits differ.
        assert!((0.0..=1.0).contains(&one) && (one - other).abs() < 1e-6, "{figure}: {one} {other}");
    }
    assert_eq!(csv["per_class_recall"].as_object().unwrap().len(), 7);
}

#[test]
fn an_unreadable_picture_is_named_and_the_others_count() {
    let folder = TempDir::new().unwrap();
    faces(folder.path());
    let faces = folder.path().join("faces");
    fs::write(faces.join("happy/broken.png"), "no picture").unwrap();
    let done = run(evaluate(&[faces.to_str().unwrap()]), LIMIT);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("broken.png") && done.stdout.contains("on 14 faces"), "{done}");
}

#[test]
fn data_that_is_none_is_refused_with_the_remedy() {
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
        let done = run(evaluate(&[data.to_str().unwrap()]), LIMIT);
        assert_eq!(done.code, Some(1), "{done}");
        assert!(done.stderr.contains(words), "{done}");
    }
}
