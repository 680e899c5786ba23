//! `gst-mood evaluate`: a model against faces whose expression is known, through the same crop, resize and inference
//! code as the element.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mini_xception::evaluation::{Evaluation, Sample};
use mini_xception::patch::{self, Crop};
use mini_xception::{Classifier, GrayImage, Model, Provider, Runtime};
use mood_schema::Emotion;
use serde_json::json;

use crate::failure::Failure;
use crate::progress::Progress;

/// Faces in one run of the network.
const BATCH: usize = 64;
/// FER-2013's pictures.
const FER_SIDE: usize = 48;

/// The part of FER-2013's csv to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    Training,
    #[default]
    PublicTest,
    PrivateTest,
}

impl Split {
    fn usage(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::PublicTest => "PublicTest",
            Self::PrivateTest => "PrivateTest",
        }
    }
}

/// A face and what it shows.
struct Face {
    grey: Vec<u8>,
    width: usize,
    height: usize,
    truth: Emotion,
}

/// Evaluates `model`, or the built-in one, on `data`; writes the figures to `report` as JSON where one is named.
pub fn run(data: &Path, split: Split, model: Option<PathBuf>, report: Option<&Path>) -> Result<(), Failure> {
    let runtime = Runtime::load(None, &[]).map_err(|error| Failure::Environment(error.to_string()))?;
    let model = model.map_or(Model::BuiltIn, Model::File);
    let mut classifier = Classifier::load(&runtime, &model, Provider::Cpu)
        .map_err(|error| Failure::Work(error.to_string()))?;

    let mut unreadable = 0;
    let faces: Box<dyn Iterator<Item = Result<Face, String>>>;
    let count;
    if data.is_dir() {
        let pictures = pictures(data)?;
        count = pictures.len();
        faces = Box::new(pictures.into_iter().map(|(path, truth)| open(&path, truth)));
    } else {
        let rows = fer(data, split)?;
        count = rows.len();
        faces = Box::new(rows.into_iter().map(Ok));
    }
    let progress = Progress::start("evaluating", count as u64);
    let mut batch = Batch::default();
    for face in faces {
        match face {
            Ok(face) => batch.add(&face, &mut classifier)?,
            Err(error) => {
                eprintln!("gst-mood: {error}");
                unreadable += 1;
            }
        }
        progress.set((batch.samples.len() + batch.truths.len()) as u64);
    }
    batch.classify(&mut classifier)?;
    progress.finish(None);

    let Some(evaluation) = Evaluation::of(&batch.samples) else {
        return Err(Failure::Work(format!(
            "no faces in {}: name a folder with folders angry, disgust, fear, happy, sad, surprise, neutral, or \
             FER-2013's csv",
            data.display()
        )));
    };
    print(classifier.name(), &evaluation);
    if let Some(path) = report {
        let text = format!("{:#}\n", to_json(&evaluation));
        fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
    }
    match unreadable {
        0 => Ok(()),
        some => {
            Err(Failure::Work(format!("{some} pictures could not be read; the figures are of the others")))
        }
    }
}

/// Faces on their way through the network.
#[derive(Default)]
struct Batch {
    patches: Vec<u8>,
    truths: Vec<Emotion>,
    samples: Vec<Sample>,
}

impl Batch {
    fn add(&mut self, face: &Face, classifier: &mut Classifier) -> Result<(), Failure> {
        let Ok(picture) = GrayImage::new(&face.grey, face.width, face.height, face.width) else {
            return Ok(());
        };
        if picture.is_empty() {
            return Ok(());
        }
        // The picture is the face's box.
        let bbox = [0.0, 0.0, face.width as f32, face.height as f32];
        patch::append_crop(&picture, Crop::from_box(bbox, 0.0, 0.0), classifier.side(), &mut self.patches);
        self.truths.push(face.truth);
        if self.truths.len() == BATCH { self.classify(classifier) } else { Ok(()) }
    }

    fn classify(&mut self, classifier: &mut Classifier) -> Result<(), Failure> {
        let results = classifier.classify(&self.patches).map_err(|error| Failure::Work(error.to_string()))?;
        let truths = self.truths.drain(..);
        self.samples
            .extend(truths.zip(results).map(|(truth, probabilities)| Sample { truth, probabilities }));
        self.patches.clear();
        Ok(())
    }
}

/// The pictures in the class folders, sorted, so that every run sees the same order.
fn pictures(folder: &Path) -> Result<Vec<(PathBuf, Emotion)>, Failure> {
    let mut pictures = Vec::new();
    for class in list(folder)? {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.parse::<Emotion>() {
            Ok(emotion) if class.is_dir() => {
                pictures.extend(
                    list(&class)?.into_iter().filter(|path| path.is_file()).map(|path| (path, emotion)),
                );
            }
            _ => eprintln!("gst-mood: {} is not a folder named after an emotion: left out", class.display()),
        }
    }
    Ok(pictures)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::file(folder, &error);
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn open(path: &Path, truth: Emotion) -> Result<Face, String> {
    let picture = image::open(path).map_err(|error| format!("{}: {error}", path.display()))?.into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Ok(Face { grey: picture.into_raw(), width, height, truth })
}

/// The rows of FER-2013's csv that belong to the split: emotion 0-6, 2304 grey values, usage.
fn fer(path: &Path, split: Split) -> Result<Vec<Face>, Failure> {
    let broken = |what: String| Failure::Work(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|error| broken(error.to_string()))?.clone();
    let column = |name: &str| {
        headers.iter().position(|header| header.eq_ignore_ascii_case(name)).ok_or_else(|| {
            broken(format!("no column '{name}': FER-2013's csv has emotion, pixels and Usage"))
        })
    };
    let (emotion, pixels, usage) = (column("emotion")?, column("pixels")?, column("usage")?);
    let mut faces = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(error.to_string()))?;
        if record.get(usage) != Some(split.usage()) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let truth = record.get(emotion).and_then(|text| text.parse().ok()).and_then(Emotion::from_index);
        let grey: Option<Vec<u8>> = record
            .get(pixels)
            .and_then(|text| text.split_whitespace().map(|value| value.parse().ok()).collect());
        match (truth, grey) {
            (Some(truth), Some(grey)) if grey.len() == FER_SIDE * FER_SIDE => {
                faces.push(Face { grey, width: FER_SIDE, height: FER_SIDE, truth });
            }
            _ => {
                return Err(broken(format!("line {line} is not an emotion 0-6 with 2304 grey values 0-255")));
            }
        }
    }
    Ok(faces)
}

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
