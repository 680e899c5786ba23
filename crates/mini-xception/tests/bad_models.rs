//! Models that cannot be used are refused when they are loaded, with an error about what was expected and
//! what was found.
//!
//! The models are built here as ONNX files: the mean of the image, seven times, through a softmax.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;

use mini_xception::{Classifier, ClassifierError, Model, Provider, Runtime};

/// ONNX's number (TensorProto.DataType) of 32-bit floats.
const F32: u64 = 1;
/// ONNX's number of unsigned bytes.
const U8: u64 = 2;
/// ONNX's number of 64-bit floats.
const F64: u64 = 11;

/// An encoded message of protocol buffers; an ONNX file is one (onnx.proto).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn push_varint(&mut self, mut value: u64) {
        while value >= 128 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: u64) -> Self {
        self.push_varint(field << 3);
        self.push_varint(value);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.push_varint(field << 3 | 2);
        self.push_varint(bytes.len() as u64);
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

/// A ValueInfoProto: an input or output. A dimension of 0 is free.
fn value_info(name: &str, kind: u64, shape: &[u64]) -> Message {
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
        // The attribute's type 2 is an integer.
        Some((name, value)) => node.message(5, Message::default().text(1, name).int(3, value).int(20, 2)),
        None => node,
    }
}

/// The specification of a model.
struct TestModel {
    /// Version of ONNX's operators.
    opset: u64,
    /// Element type and shape of the input; a dimension of 0 is free.
    input: (u64, Vec<u64>),
    /// Number of values in a row of an output.
    classes: usize,
    /// Number of outputs.
    outputs: usize,
    /// Element type of the outputs.
    output_type: u64,
    /// Keys and values.
    metadata: Vec<(&'static str, &'static str)>,
}

const LABELS: &str = r#"["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]"#;

/// A valid model.
fn valid_model() -> TestModel {
    let metadata =
        vec![("labels", LABELS), ("input_side", "48"), ("input_mean", "127.5"), ("input_std", "127.5")];
    TestModel {
        opset: 17,
        input: (F32, vec![0, 1, 48, 48]),
        classes: 7,
        outputs: 1,
        output_type: F32,
        metadata,
    }
}

impl TestModel {
    fn without(mut self, key: &str) -> Self {
        self.metadata.retain(|(name, _)| *name != key);
        self
    }

    fn with(self, key: &'static str, value: &'static str) -> Self {
        let mut model = self.without(key);
        model.metadata.push((key, value));
        model
    }

    /// The ONNX file.
    fn encode(&self) -> Vec<u8> {
        let (kind, shape) = &self.input;
        let batch = shape[0];
        let mut graph = Message::default()
            .message(1, node("Cast", &["faces"], "grey", Some(("to", F32))))
            .message(1, node("GlobalAveragePool", &["grey"], "mean", None))
            .message(1, node("Flatten", &["mean"], "flat", None))
            .message(1, node("Concat", &vec!["flat"; self.classes], "seven", Some(("axis", 1))))
            .message(1, node("Softmax", &["seven"], "probabilities", None))
            .text(2, "test")
            .message(11, value_info("faces", *kind, shape));
        for index in 0..self.outputs {
            let name = format!("out{index}");
            graph = graph
                .message(1, node("Cast", &["probabilities"], &name, Some(("to", self.output_type))))
                .message(12, value_info(&name, self.output_type, &[batch, self.classes as u64]));
        }
        let model =
            Message::default().int(1, 8).message(8, Message::default().int(2, self.opset)).message(7, graph);
        let property = |(key, value): &(&str, &str)| Message::default().text(1, key).text(2, value);
        self.metadata.iter().map(property).fold(model, |model, property| model.message(14, property)).0
    }

    fn load(&self) -> Result<Classifier, ClassifierError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.onnx");
        fs::write(&path, self.encode()).unwrap();
        let runtime = Runtime::load(None, &[]).expect("ONNX Runtime, which `make setup` installs");
        Classifier::load(&runtime, &Model::File(path), Provider::Cpu)
    }

    /// Checks that loading fails with an error that contains the file's name and all of `texts`.
    #[track_caller]
    fn assert_error(&self, texts: &[&str]) {
        let error = self.load().err().expect("loading fails").to_string();
        for text in texts.iter().chain(&["test.onnx"]) {
            assert!(error.contains(text), "no '{text}' in: {error}");
        }
    }
}

#[test]
fn valid_model_works() {
    let mut classifier = valid_model().load().unwrap();
    assert_eq!((classifier.name(), classifier.side()), ("test", 48));
    let results = classifier.classify(&[77; 2 * 48 * 48]).unwrap();
    assert!(results.len() == 2 && results[0].iter().all(|value| (value - 1.0 / 7.0).abs() < 1e-6));
}

#[test]
fn wrong_input_shapes_are_refused() {
    let expected = "its input should be Tensor<f32>(n, 1, 48, 48) or Tensor<f32>(n, 48, 48, 1)";
    for (shape, found) in [
        (vec![0, 3, 48, 48], "is Tensor<f32>(n, 3, 48, 48)"),
        (vec![0, 1, 64, 64], "is Tensor<f32>(n, 1, 64, 64)"),
        (vec![0, 1, 48], "is Tensor<f32>(n, 1, 48)"),
        (vec![1, 1, 48, 48], "is Tensor<f32>(1, 1, 48, 48)"),
    ] {
        TestModel { input: (F32, shape), ..valid_model() }.assert_error(&[expected, found]);
    }
    TestModel { input: (F32, vec![0, 1, 64, 64]), ..valid_model() }.with("input_side", "64").load().unwrap();
}

#[test]
fn wrong_types_are_refused() {
    TestModel { input: (U8, vec![0, 1, 48, 48]), ..valid_model() }
        .assert_error(&["Tensor<f32>(n, 1, 48, 48)", "is Tensor<u8>"]);
    TestModel { output_type: F64, ..valid_model() }
        .assert_error(&["its output should be Tensor<f32>(n, 7)", "is Tensor<f64>"]);
}

#[test]
fn wrong_outputs_are_refused() {
    TestModel { classes: 8, ..valid_model() }
        .assert_error(&["its output should be Tensor<f32>(n, 7)", "is Tensor<f32>(n, 8)"]);
    TestModel { outputs: 2, ..valid_model() }.assert_error(&["it should have one output", "has 2"]);
}

#[test]
fn unknown_opset_is_refused() {
    // ONNX Runtime's message names the newest opset it supports.
    TestModel { opset: 999, ..valid_model() }.assert_error(&["can load", "pset 999", "is till opset"]);
}

#[test]
fn missing_and_wrong_labels_are_refused() {
    valid_model().without("labels").assert_error(&["its metadata has no 'labels'", "training/README.md"]);
    valid_model()
        .with("labels", "angry,disgust")
        .assert_error(&["should be a JSON list of names", "angry,disgust"]);
    valid_model()
        .with("labels", r#"["angry", "disgust", "fear", "happy", "sad", "surprise", "contempt"]"#)
        .assert_error(&["contempt"]);
    valid_model()
        .with("labels", r#"["angry", "disgust", "fear", "happy", "sad", "surprise"]"#)
        .assert_error(&["lack 'neutral'"]);
}

#[test]
fn missing_and_invalid_numbers_are_refused() {
    for key in ["input_side", "input_mean", "input_std"] {
        valid_model().without(key).assert_error(&[&format!("no '{key}'")]);
        valid_model().with(key, "wide").assert_error(&[key, "should be a number", "'wide'"]);
        valid_model().with(key, "NaN").assert_error(&[key]);
    }
    valid_model().with("input_side", "1e9").assert_error(&["from 8 to 1024"]);
    valid_model().with("input_std", "0").assert_error(&["above 0", "and 0"]);
}
