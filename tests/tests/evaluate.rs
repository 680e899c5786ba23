//! `gst-mood evaluate`: the same faces as class folders and as FER-2013's csv, and data that it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use mood_schema::Emotion;
use mood_tests::process::TIMEOUT;
use mood_tests::{gst_mood, media, run};
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
    evaluate_with(data, &[], &data.with_extension("json"))
}

/// Evaluates `data` with more options and returns the figures, which are written to the file `json`.
fn evaluate_with(data: &Path, options: &[&str], json: &Path) -> Value {
    let arguments = [&[data.to_str().unwrap(), "--json", json.to_str().unwrap()], options].concat();
    run(evaluate_command(&arguments), TIMEOUT).assert_success();
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
fn what_differs_from_the_resting_face_is_right_more_often() {
    let Some(data) = media("person") else { return };
    let folder = TempDir::new().unwrap();
    let models = mood_tests::paths::workspace_root().join("models");
    let large = format!("--model={}", models.join("mini_xception_large.onnx").display());
    for (options, accuracy, recall) in [
        (vec!["--baseline=neutral"], 0.6, 0.58),
        (vec!["--baseline=neutral", &large], 0.6, 0.58),
        (vec!["--baseline=mean"], 0.6, 0.58),
    ] {
        let figures = evaluate_with(&data, &options, &folder.path().join("figures.json"));
        let number = |key: &str| figures[key].as_f64().unwrap();
        println!("{options:?}: {} without {}", number("accuracy"), number("accuracy_without_baseline"));
        assert!(
            number("accuracy") >= accuracy && number("accuracy_without_baseline") < accuracy,
            "{figures}"
        );
        assert!(number("mean_recall_of_expressions") >= recall, "{figures}");
        assert_eq!(figures["samples_with_baseline"], figures["samples"]);
        for key in ["per_class_recall", "per_class_recall_without_baseline"] {
            assert_eq!(figures[key].as_object().unwrap().len(), 7, "{key}");
        }
    }
    // Nothing taken off is what the network says itself.
    let json = folder.path().join("figures.json");
    let none = evaluate_with(&data, &["--baseline=neutral", "--baseline-share=0"], &json);
    let plain = evaluate_with(&data, &[], &json);
    for key in ["accuracy", "ece", "confusion"] {
        assert_eq!(none[key], plain[key]);
        assert_eq!(none[format!("{key}_without_baseline")], plain[key]);
    }
}

#[test]
fn photographs_of_any_format_count_by_person_and_who_has_no_neutral_one_is_named() {
    let Some(data) = media("person") else { return };
    let folder = TempDir::new().unwrap();
    let photographs = folder.path().join("photographs");
    let mut counts = [0, 0];
    for class in fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()) {
        let target = photographs.join(class.file_name().unwrap());
        fs::create_dir_all(&target).unwrap();
        let mut images: Vec<_> = fs::read_dir(&class).unwrap().map(|entry| entry.unwrap().path()).collect();
        images.sort();
        for path in images {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_unknown = name.starts_with("KR.");
            let is_wanted = if is_unknown { !class.ends_with("neutral") } else { name.starts_with("KM.") };
            if !is_wanted {
                continue;
            }
            let number = counts[0] + counts[1];
            counts[usize::from(is_unknown)] += 1;
            let image = image::open(&path).unwrap().resize(256, 256, image::imageops::FilterType::Triangle);
            let image = if number % 2 == 0 { image.into_rgb8().into() } else { image };
            let extension = ["jpg", "tiff", "bmp", "png", "tif"][number % 5];
            let target = target.join(format!("{name}.{extension}"));
            image.save(&target).unwrap();
            if number == 3 {
                fs::rename(&target, target.with_extension("jpg")).unwrap();
            }
        }
    }
    let json = folder.path().join("figures.json");
    let arguments = [photographs.to_str().unwrap(), "--baseline=neutral", "--json", json.to_str().unwrap()];
    let output = run(evaluate_command(&arguments), TIMEOUT).assert_success();
    let [known, unknown] = counts;
    assert!(output.stderr.contains(&format!("off faces of: KR ({unknown})\n")), "{output}");
    let figures: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(
        (&figures["samples"], &figures["samples_with_baseline"]),
        (&(known + unknown).into(), &known.into())
    );
    let number = |key: &str| figures[key].as_f64().unwrap();
    assert!(number("accuracy") > number("accuracy_without_baseline"), "{figures}");
    assert!(figures["per_class_recall"]["neutral"].is_f64(), "{figures}");
    assert!(figures["per_class_recall_without_baseline"]["neutral"].is_f64(), "{figures}");
}

#[test]
fn people_come_from_file_names_or_the_column_person() {
    let folder = TempDir::new().unwrap();
    write_faces(folder.path());
    let (faces, csv) = (folder.path().join("faces"), folder.path().join("fer2013.csv"));
    // Every image is of another person.
    for (data, words) in [(&faces, "another image of the same person"), (&csv, "no column 'person'")] {
        let output = run(evaluate_command(&[data.to_str().unwrap(), "--baseline=neutral"]), TIMEOUT);
        assert_eq!(output.code, Some(1), "{output}");
        assert!(output.stderr.contains(words), "{output}");
    }
    let with_people: String = fs::read_to_string(&csv)
        .unwrap()
        .lines()
        .enumerate()
        .map(|(index, line)| format!("{line},{}\n", if index == 0 { "person" } else { "A" }))
        .collect();
    fs::write(&csv, with_people).unwrap();
    for class in fs::read_dir(&faces).unwrap() {
        for image in fs::read_dir(class.unwrap().path()).unwrap() {
            let path = image.unwrap().path();
            let name = format!("A_{}", path.file_name().unwrap().to_str().unwrap());
            fs::rename(&path, path.with_file_name(name)).unwrap();
        }
    }
    let json = folder.path().join("figures.json");
    let [one, other] = [&faces, &csv].map(|data| evaluate_with(data, &["--baseline=neutral"], &json));
    assert_eq!(
        (&one["samples_with_baseline"], &one["confusion"]),
        (&other["samples_with_baseline"], &other["confusion"])
    );
    assert_eq!(one["samples_with_baseline"], 14);
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
