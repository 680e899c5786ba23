//! `gst-mood evaluate`: measures a model on labelled faces, with the same crop, resampling and inference as
//! the element.

mod dataset;

use std::fs;
use std::path::PathBuf;

use mini_xception::evaluation::{Evaluation, Sample};
use mini_xception::patch::{self, Crop};
use mini_xception::{Classifier, GrayImage, Model, Provider, Runtime};
use mood_schema::Emotion;
use serde_json::json;

use crate::error::CommandError;
use crate::progress::Progress;
use dataset::{LabelledFace, Split};

/// Faces in one run of the network.
const BATCH_SIZE: usize = 64;

/// The arguments of `evaluate`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A folder of class folders (angry, disgust, fear, happy, sad, surprise, neutral) with images of
    /// faces, or FER-2013's CSV file
    data: PathBuf,
    /// The part of FER-2013
    #[arg(long, value_enum, default_value_t)]
    split: Split,
    /// An ONNX model instead of the built-in one
    #[arg(long)]
    model: Option<PathBuf>,
    /// Write the figures to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Classifies all faces, prints the figures and writes them to the JSON file if one is named. Images that
/// cannot be read are left out; the function then returns an error at the end.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let runtime = Runtime::load(None, &[]).map_err(|error| CommandError::Environment(error.to_string()))?;
    let model = arguments.model.clone().map_or(Model::BuiltIn, Model::File);
    let mut classifier = Classifier::load(&runtime, &model, Provider::Cpu)
        .map_err(|error| CommandError::Failed(error.to_string()))?;

    let data = &arguments.data;
    let faces: Box<dyn Iterator<Item = Result<LabelledFace, String>>>;
    let count;
    if data.is_dir() {
        let images = dataset::find_images(data)?;
        count = images.len();
        faces = Box::new(images.into_iter().map(|(path, truth)| dataset::load_image(&path, truth)));
    } else {
        let rows = dataset::load_fer2013(data, arguments.split)?;
        count = rows.len();
        faces = Box::new(rows.into_iter().map(Ok));
    }
    let progress = Progress::start("evaluating", count as u64);
    let mut batch = Batch::default();
    let mut unreadable = 0;
    for face in faces {
        match face {
            Ok(face) => batch.push(&face, &mut classifier)?,
            Err(error) => {
                eprintln!("gst-mood: {error}");
                unreadable += 1;
            }
        }
        progress.set_position((batch.samples.len() + batch.truths.len()) as u64);
    }
    batch.classify(&mut classifier)?;
    progress.finish(None);

    let Some(evaluation) = Evaluation::from_samples(&batch.samples) else {
        return Err(CommandError::Failed(format!(
            "no faces in {}: name a folder with folders angry, disgust, fear, happy, sad, surprise, neutral, or \
             FER-2013's csv",
            data.display()
        )));
    };
    print(classifier.name(), &evaluation);
    if let Some(path) = &arguments.json {
        let text = format!("{:#}\n", to_json(&evaluation));
        fs::write(path, text).map_err(|error| CommandError::io(path, &error))?;
    }
    match unreadable {
        0 => Ok(()),
        count => Err(CommandError::Failed(format!(
            "{count} images could not be read; the figures are of the others"
        ))),
    }
}

/// Faces that are classified [`BATCH_SIZE`] at a time, and the results.
#[derive(Default)]
struct Batch {
    /// The classifier's input for the pending faces.
    patches: Vec<u8>,
    /// The labels of the pending faces.
    truths: Vec<Emotion>,
    /// The labels and probabilities of the classified faces.
    samples: Vec<Sample>,
}

impl Batch {
    /// Adds a face, and classifies the batch once it is full. An image without pixels, or with a side longer
    /// than [`GrayImage::MAX_SIDE`], is left out.
    fn push(&mut self, face: &LabelledFace, classifier: &mut Classifier) -> Result<(), CommandError> {
        let Ok(image) = GrayImage::new(&face.pixels, face.width, face.height, face.width) else {
            return Ok(());
        };
        if image.is_empty() {
            return Ok(());
        }
        // The face fills the image, so it is cropped without a margin.
        let bbox = [0.0, 0.0, face.width as f32, face.height as f32];
        patch::append_crop(&image, Crop::from_box(bbox, 0.0, 0.0), classifier.side(), &mut self.patches);
        self.truths.push(face.truth);
        if self.truths.len() == BATCH_SIZE { self.classify(classifier) } else { Ok(()) }
    }

    /// Classifies the pending faces.
    fn classify(&mut self, classifier: &mut Classifier) -> Result<(), CommandError> {
        let results =
            classifier.classify(&self.patches).map_err(|error| CommandError::Failed(error.to_string()))?;
        let truths = self.truths.drain(..);
        self.samples
            .extend(truths.zip(results).map(|(truth, probabilities)| Sample { truth, probabilities }));
        self.patches.clear();
        Ok(())
    }
}

/// The figures as the JSON object that `--json` writes.
fn to_json(evaluation: &Evaluation) -> serde_json::Value {
    let recall: serde_json::Map<String, serde_json::Value> = Emotion::ALL
        .iter()
        .zip(evaluation.per_class_recall)
        .map(|(emotion, recall)| (emotion.to_string(), recall.into()))
        .collect();
    json!({
        "accuracy": evaluation.accuracy,
        "macro_f1": evaluation.macro_f1,
        "ece": evaluation.ece,
        "coverage_at_92": evaluation.coverage_at_92,
        "per_class_recall": recall,
        "confusion": evaluation.confusion,
        "samples": evaluation.samples,
    })
}

/// Prints the figures and the confusion matrix.
fn print(model: &str, evaluation: &Evaluation) {
    println!("{model} on {} faces", evaluation.samples);
    println!("accuracy                 {:5.1} %", 100.0 * evaluation.accuracy);
    println!("macro F1                 {:7.3}", evaluation.macro_f1);
    println!("calibration error        {:7.3}", evaluation.ece);
    println!("coverage at 92 % right   {:5.1} %", 100.0 * evaluation.coverage_at_92);
    println!("\nrows: the label; columns: what the model says");
    print!("{:>9}", "");
    for emotion in Emotion::ALL {
        print!("{emotion:>9}");
    }
    println!("   recall");
    for (emotion, row) in Emotion::ALL.iter().zip(evaluation.confusion) {
        print!("{emotion:>9}");
        for count in row {
            print!("{count:>9}");
        }
        println!("{:>7.1} %", 100.0 * evaluation.per_class_recall[emotion.index()]);
    }
}
