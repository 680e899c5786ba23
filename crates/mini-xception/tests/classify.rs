//! The built-in model in ONNX Runtime, and errors. Needs the library that `make setup` installs.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::path::PathBuf;

use mini_xception::{Classifier, ClassifierError, Model, Provider, Runtime, RuntimeError};

fn runtime() -> Runtime {
    Runtime::load(None, &[]).expect("ONNX Runtime, which `make setup` installs")
}

fn built_in() -> Classifier {
    Classifier::load(&runtime(), &Model::BuiltIn, Provider::Cpu).unwrap()
}

/// Synthetic patches, each different.
fn patches(count: usize, side: usize) -> Vec<u8> {
    (0..count * side * side).map(|i| (i * 31 % 251) as u8 ^ (i / side / side * 40) as u8).collect()
}

#[test]
fn built_in_model_has_its_description() {
    let classifier = built_in();
    assert_eq!(classifier.name(), "mini_xception");
    assert_eq!(classifier.side(), 48);
    assert_eq!(classifier.sha256().len(), 64);
    assert_eq!(classifier.provider(), Provider::Cpu);
}

#[test]
fn batch_and_single_runs_agree() {
    let mut classifier = built_in();
    let side = classifier.side();
    let patches = patches(5, side);
    let batched = classifier.classify(&patches).unwrap();
    assert_eq!(batched.len(), 5);
    for (patch, in_batch) in patches.chunks(side * side).zip(&batched) {
        assert!((in_batch.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let alone = classifier.classify(patch).unwrap();
        for (a, b) in alone[0].iter().zip(in_batch) {
            assert!((a - b).abs() < 1e-5, "{alone:?} {in_batch:?}");
        }
    }
    assert_ne!(batched[0], batched[1]);
    assert_eq!(classifier.classify(&[]).unwrap().len(), 0);
}

#[test]
fn missing_provider_falls_back_to_the_processor() {
    // The build of ONNX Runtime that `make setup` installs has no accelerators.
    for provider in [Provider::Cuda, Provider::TensorRt, Provider::OpenVino, Provider::Auto] {
        let mut classifier = Classifier::load(&runtime(), &Model::BuiltIn, provider).unwrap();
        assert_eq!(classifier.provider(), Provider::Cpu, "{provider:?}");
        assert!(!classifier.fallback_reason().unwrap().is_empty());
        assert_eq!(classifier.classify(&patches(1, 48)).unwrap().len(), 1);
    }
    assert_eq!(built_in().fallback_reason(), None);
}

#[test]
fn errors_name_the_file_and_the_remedy() {
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

    // Truncated as by an interrupted download.
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/mini_xception.onnx");
    let bytes = std::fs::read(model).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(load(broken), ClassifierError::Load { .. }));
}
