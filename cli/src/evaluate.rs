//! `gst-mood evaluate`: measures a model on labelled faces, with the same crop, resampling and inference as
//! the element.

mod dataset;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use mini_xception::evaluation::{Evaluation, RestImages, Sample, take_off_rest};
use mini_xception::patch::{self, Crop};
use mini_xception::{Classifier, GrayImage, Model, Provider, Runtime};
use mood_schema::Emotion;
use serde_json::json;

use crate::arguments::path_parser;
use crate::error::CommandError;
use crate::files::write_atomically;
use crate::progress::Progress;
use dataset::{LabelledFace, Split};

/// Most people that a warning names.
const MAX_NAMES: usize = 10;
/// Faces in one run of the network.
const BATCH_SIZE: usize = 64;

/// The arguments of `evaluate`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A folder of class folders (angry, disgust, fear, happy, sad, surprise, neutral) with images of
    /// faces, or FER-2013's CSV file
    #[arg(value_parser = path_parser())]
    data: PathBuf,
    /// The part of FER-2013
    #[arg(long, value_enum, default_value_t)]
    split: Split,
    /// An ONNX model instead of the built-in one
    #[arg(long, value_parser = path_parser())]
    model: Option<PathBuf>,
    /// Judge each face by what differs from the same person's resting face, which other images show: the person
    /// is the column `person`, or what stands before the first `.` or `_` of the file's name
    #[arg(long, value_enum)]
    baseline: Option<Baseline>,
    /// How much of the resting face is taken off, 0 to 1
    #[arg(long, default_value_t = 1.0, requires = "baseline", value_parser = parse_share)]
    baseline_share: f64,
    /// Write the figures to this file as JSON
    #[arg(long, value_parser = path_parser())]
    json: Option<PathBuf>,
}

/// Which of a person's other images stand for the resting face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Baseline {
    /// The other neutral ones
    Neutral,
    /// All others, whatever they show
    Mean,
}

impl From<Baseline> for RestImages {
    fn from(baseline: Baseline) -> Self {
        match baseline {
            Baseline::Neutral => Self::Neutral,
            Baseline::Mean => Self::All,
        }
    }
}

/// Parses a number from 0 to 1.
fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".into()),
    }
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
        let rows = dataset::load_fer2013(data, arguments.split, arguments.baseline.is_some())?;
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
    let mut figures = to_json(&evaluation);
    if let Some(baseline) = arguments.baseline {
        let people: Vec<&str> = batch.people.iter().map(String::as_str).collect();
        let (samples, has_rest) =
            take_off_rest(&batch.samples, &people, baseline.into(), arguments.baseline_share);
        let count = has_rest.iter().filter(|&&has_rest| has_rest).count();
        if count == 0 {
            return Err(CommandError::Failed(format!(
                "no face in {} has another image of the same person to take the resting face from: the person is what \
                 stands before the first '.' or '_' of a file's name, or in the column 'person'",
                data.display()
            )));
        }
        if let Some(warning) = describe_missing_rest(&people, &has_rest, baseline) {
            eprintln!("gst-mood: warning: {warning}");
        }
        let adjusted = Evaluation::from_samples(&samples).unwrap_or_else(|| evaluation.clone());
        figures = to_json_with_baseline(&adjusted, &evaluation, count);
        print(classifier.name(), &adjusted);
        print_comparison(&adjusted, &evaluation, count);
    } else {
        print(classifier.name(), &evaluation);
    }
    if let Some(path) = &arguments.json {
        write_atomically(path, |file| writeln!(file, "{figures:#}"))?;
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
    /// The people of all faces, classified or pending.
    people: Vec<String>,
}

impl Batch {
    /// Adds a face, and classifies the batch once it is full.
    fn push(&mut self, face: &LabelledFace, classifier: &mut Classifier) -> Result<(), CommandError> {
        let image = GrayImage::new(&face.pixels, face.width, face.height, face.width)
            .map_err(|error| CommandError::Failed(error.to_string()))?;
        // The face fills the image, so it is cropped without a margin.
        let bbox = [0.0, 0.0, face.width as f32, face.height as f32];
        patch::append_crop(&image, Crop::from_box(bbox, 0.0, 0.0), classifier.side(), &mut self.patches);
        self.truths.push(face.truth);
        self.people.push(face.person.clone());
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

/// The figures with the resting face taken off, and beside them those without.
fn to_json_with_baseline(adjusted: &Evaluation, plain: &Evaluation, faces: usize) -> serde_json::Value {
    let mut figures = to_json(adjusted);
    let without = to_json(plain);
    for key in ["accuracy", "macro_f1", "ece", "coverage_at_92", "per_class_recall", "confusion"] {
        figures[format!("{key}_without_baseline")] = without[key].clone();
    }
    figures["mean_recall_of_expressions"] = adjusted.mean_recall_of_expressions().into();
    figures["mean_recall_of_expressions_without_baseline"] = plain.mean_recall_of_expressions().into();
    figures["samples_with_baseline"] = faces.into();
    figures
}

/// Whose faces are judged as they are, because no other image shows the person at rest; `None` where there is nobody.
fn describe_missing_rest(people: &[&str], has_rest: &[bool], baseline: Baseline) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (&person, _) in people.iter().zip(has_rest).filter(|(_, has_rest)| !**has_rest) {
        *counts.entry(person).or_default() += 1;
    }
    let names: Vec<String> =
        counts.iter().take(MAX_NAMES).map(|(person, count)| format!("{person} ({count})")).collect();
    let further = match counts.len().saturating_sub(MAX_NAMES) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let image = match baseline {
        Baseline::Neutral => "other neutral image",
        Baseline::Mean => "other image",
    };
    (!names.is_empty()).then(|| {
        format!(
            "no {image} of the same person, so nothing is taken off faces of: {}{further}",
            names.join(", ")
        )
    })
}

/// Prints the main figures with and without the resting face taken off.
fn print_comparison(adjusted: &Evaluation, plain: &Evaluation, faces: usize) {
    println!("\nresting face taken off {faces} of {} faces      with   without", adjusted.samples);
    let percent = |name: &str, one: f64, other: f64| {
        println!("{name:<42}{:5.1} %   {:5.1} %", 100.0 * one, 100.0 * other);
    };
    percent("accuracy", adjusted.accuracy, plain.accuracy);
    let recalls = [adjusted, plain].map(Evaluation::mean_recall_of_expressions);
    percent("mean recall of the six expressions", recalls[0], recalls[1]);
    for (emotion, (one, other)) in
        Emotion::ALL.iter().zip(adjusted.per_class_recall.iter().zip(plain.per_class_recall))
    {
        percent(&format!("recall of {emotion}"), *one, other);
    }
    println!("{:<42}{:7.3}   {:7.3}", "calibration error", adjusted.ece, plain.ece);
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
