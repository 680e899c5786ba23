//! The built-in model in the real ONNX Runtime, and the errors of what cannot work. Needs `make setup`.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::path::PathBuf;

use mini_xception::{Classifier, ClassifierError, Model, Provider, Runtime, RuntimeError};

fn runtime() -> Runtime {
    Runtime::load(None, &[]).expect("ONNX Runtime, which `make setup` installs")
}

fn built_in() -> Classifier {
    Classifier::load(&runtime(), &Model::BuiltIn, Provider::Cpu).unwrap()
}

/// Grey values that differ from face to face.
fn patches(count: usize, side: usize) -> Vec<u8> {
    (0..count * side * side).map(|i| (i * 31 % 251) as u8 ^ (i / side / side * 40) as u8).collect()
}

#[test]
fn the_built_in_model_describes_itself() {
    let classifier = built_in();
    assert_eq!(classifier.name(), "mini_xception");
    assert_eq!(classifier.side(), 48);
    assert_eq!(classifier.sha256().len(), 64);
    assert_eq!(classifier.provider(), Provider::Cpu);
}

#[test]
fn a_batch_gives_what_each_face_gives_alone() {
    let mut classifier = built_in();
    let side = classifier.side();
    let patches = patches(5, side);
    let together = classifier.classify(&patches).unwrap();
    assert_eq!(together.len(), 5);
    for (face, batched) in patches.chunks(side * side).zip(&together) {
        assert!((batched.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let alone = classifier.classify(face).unwrap();
        for (a, b) in alone[0].iter().zip(batched) {
            assert!((a - b).abs() < 1e-5, "{alone:?} {batched:?}");
        }
    }
    assert_ne!(together[0], together[1]);
    assert_eq!(classifier.classify(&[]).unwrap().len(), 0);
}

#[test]
fn a_provider_that_is_not_there_gives_way_to_the_processor() {
    // The wheel that `make setup` takes has no accelerator in it.
    for wanted in [Provider::Cuda, Provider::TensorRt, Provider::OpenVino, Provider::Auto] {
        let mut classifier = Classifier::load(&runtime(), &Model::BuiltIn, wanted).unwrap();
        assert_eq!(classifier.provider(), Provider::Cpu, "{wanted:?}");
        assert!(!classifier.fallback().unwrap().is_empty());
        assert_eq!(classifier.classify(&patches(1, 48)).unwrap().len(), 1);
    }
    assert_eq!(built_in().fallback(), None);
}

#[test]
fn what_cannot_work_says_what_to_do() {
    let missing = Runtime::load(Some(&PathBuf::from("/nowhere/libonnxruntime.so")), &[]).err().unwrap();
    assert!(matches!(missing, RuntimeError::Missing(_)) && missing.to_string().contains("runtime-library"));

    let load = |path: PathBuf| Classifier::load(&runtime(), &Model::File(path), Provider::Cpu).err().unwrap();
    assert!(matches!(load("/nowhere/model.onnx".into()), ClassifierError::Read { .. }));

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.onnx");
    std::fs::write(&broken, b"not a model").unwrap();
    let error = load(broken.clone());
    assert!(
        matches!(error, ClassifierError::Load { .. }) && error.to_string().contains("broken.onnx"),
        "{error}"
    );

    // A model cut short, as an interrupted download leaves it.
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mini_xception.onnx");
    let bytes = std::fs::read(model).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(load(broken), ClassifierError::Load { .. }));
}
