//! Models that cannot be used: every one is refused when it is loaded, with what was expected and what was found.
//!
//! They are written here, byte by byte: the mean of the picture, seven times over, through a softmax.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;

use mini_xception::{Classifier, ClassifierError, Model, Provider, Runtime};

/// ONNX's numbers for element types.
const F32: u64 = 1;
const U8: u64 = 2;
const F64: u64 = 11;

/// A message of protocol buffers, as ONNX files are (onnx.proto).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 128 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: Self) -> Self {
        self.bytes(field, &message.0)
    }
}

/// An input or output; a dimension of 0 is free.
fn value(name: &str, kind: u64, shape: &[u64]) -> Message {
    let dimensions = shape.iter().fold(Message::default(), |shape, &side| {
        let free = Message::default().text(2, "n");
        shape.message(1, if side == 0 { free } else { Message::default().int(1, side) })
    });
    let tensor = Message::default().int(1, kind).message(2, dimensions);
    Message::default().text(1, name).message(2, Message::default().message(1, tensor))
}

fn node(operator: &str, inputs: &[&str], output: &str, attribute: Option<(&str, u64)>) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
    let node = node.text(2, output).text(4, operator);
    match attribute {
        // 2: an integer.
        Some((name, value)) => node.message(5, Message::default().text(1, name).int(3, value).int(20, 2)),
        None => node,
    }
}

/// A model to spoil.
struct Spoilt {
    opset: u64,
    input: (u64, Vec<u64>),
    classes: usize,
    outputs: usize,
    output_type: u64,
    metadata: Vec<(&'static str, &'static str)>,
}

const LABELS: &str = r#"["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]"#;

/// One that is all right.
fn good() -> Spoilt {
    let metadata =
        vec![("labels", LABELS), ("input_side", "48"), ("input_mean", "127.5"), ("input_std", "127.5")];
    Spoilt { opset: 17, input: (F32, vec![0, 1, 48, 48]), classes: 7, outputs: 1, output_type: F32, metadata }
}

impl Spoilt {
    fn without(mut self, key: &str) -> Self {
        self.metadata.retain(|(name, _)| *name != key);
        self
    }

    fn with(self, key: &'static str, value: &'static str) -> Self {
        let mut spoilt = self.without(key);
        spoilt.metadata.push((key, value));
        spoilt
    }

    fn bytes(&self) -> Vec<u8> {
        let (kind, shape) = &self.input;
        let batch = shape[0];
        let mut graph = Message::default()
            .message(1, node("Cast", &["faces"], "grey", Some(("to", F32))))
            .message(1, node("GlobalAveragePool", &["grey"], "mean", None))
            .message(1, node("Flatten", &["mean"], "flat", None))
            .message(1, node("Concat", &vec!["flat"; self.classes], "seven", Some(("axis", 1))))
            .message(1, node("Softmax", &["seven"], "probabilities", None))
            .text(2, "spoilt")
            .message(11, value("faces", *kind, shape));
        for index in 0..self.outputs {
            let name = format!("out{index}");
            graph = graph
                .message(1, node("Cast", &["probabilities"], &name, Some(("to", self.output_type))))
                .message(12, value(&name, self.output_type, &[batch, self.classes as u64]));
        }
        let model =
            Message::default().int(1, 8).message(8, Message::default().int(2, self.opset)).message(7, graph);
        let property = |(key, value): &(&str, &str)| Message::default().text(1, key).text(2, value);
        self.metadata.iter().map(property).fold(model, |model, property| model.message(14, property)).0
    }

    fn load(&self) -> Result<Classifier, ClassifierError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spoilt.onnx");
        fs::write(&path, self.bytes()).unwrap();
        let runtime = Runtime::load(None, &[]).expect("ONNX Runtime, which `make setup` installs");
        Classifier::load(&runtime, &Model::File(path), Provider::Cpu)
    }

    /// Loading it fails with all these words, and names the file.
    #[track_caller]
    fn fails_with(&self, words: &[&str]) {
        let error = self.load().err().expect("it is spoilt").to_string();
        for word in words.iter().chain(&["spoilt.onnx"]) {
            assert!(error.contains(word), "no '{word}' in: {error}");
        }
    }
}

#[test]
fn an_unspoilt_one_works() {
    let mut classifier = good().load().unwrap();
    assert_eq!((classifier.name(), classifier.side()), ("spoilt", 48));
    let results = classifier.classify(&[77; 2 * 48 * 48]).unwrap();
    assert!(results.len() == 2 && results[0].iter().all(|value| (value - 1.0 / 7.0).abs() < 1e-6));
}

#[test]
fn other_input_shapes() {
    let wanted = "its input should be Tensor<f32>(n, 1, 48, 48) or Tensor<f32>(n, 48, 48, 1)";
    for (shape, found) in [
        (vec![0, 3, 48, 48], "is Tensor<f32>(n, 3, 48, 48)"),
        (vec![0, 1, 64, 64], "is Tensor<f32>(n, 1, 64, 64)"),
        (vec![0, 1, 48], "is Tensor<f32>(n, 1, 48)"),
        (vec![1, 1, 48, 48], "is Tensor<f32>(1, 1, 48, 48)"),
    ] {
        Spoilt { input: (F32, shape), ..good() }.fails_with(&[wanted, found]);
    }
    Spoilt { input: (F32, vec![0, 1, 64, 64]), ..good() }.with("input_side", "64").load().unwrap();
}

#[test]
fn other_types() {
    Spoilt { input: (U8, vec![0, 1, 48, 48]), ..good() }
        .fails_with(&["Tensor<f32>(n, 1, 48, 48)", "is Tensor<u8>"]);
    Spoilt { output_type: F64, ..good() }
        .fails_with(&["its output should be Tensor<f32>(n, 7)", "is Tensor<f64>"]);
}

#[test]
fn other_outputs() {
    Spoilt { classes: 8, ..good() }
        .fails_with(&["its output should be Tensor<f32>(n, 7)", "is Tensor<f32>(n, 8)"]);
    Spoilt { outputs: 2, ..good() }.fails_with(&["it should have one output", "has 2"]);
}

#[test]
fn an_opset_of_the_future() {
    // ONNX Runtime says up to which opset it knows.
    Spoilt { opset: 999, ..good() }.fails_with(&["can load", "pset 999", "is till opset"]);
}

#[test]
fn labels_that_are_missing_or_others() {
    good().without("labels").fails_with(&["its metadata has no 'labels'", "training/README.md"]);
    good().with("labels", "angry,disgust").fails_with(&["should be a JSON list of names", "angry,disgust"]);
    good()
        .with("labels", r#"["angry", "disgust", "fear", "happy", "sad", "surprise", "contempt"]"#)
        .fails_with(&["contempt"]);
    good()
        .with("labels", r#"["angry", "disgust", "fear", "happy", "sad", "surprise"]"#)
        .fails_with(&["lack 'neutral'"]);
}

#[test]
fn numbers_that_are_missing_or_senseless() {
    for key in ["input_side", "input_mean", "input_std"] {
        good().without(key).fails_with(&[&format!("no '{key}'")]);
        good().with(key, "wide").fails_with(&[key, "should be a number", "'wide'"]);
        good().with(key, "NaN").fails_with(&[key]);
    }
    good().with("input_side", "1e9").fails_with(&["from 8 to 1024"]);
    good().with("input_std", "0").fails_with(&["above 0", "and 0"]);
}
