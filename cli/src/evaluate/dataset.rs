//! Datasets of labelled faces: folders of images by class, and FER-2013's CSV file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mini_xception::GrayImage;
use mood_schema::Emotion;

use crate::error::CommandError;

/// Width and height of FER-2013's images, pixels.
const FER_SIDE: usize = 48;

/// A part of FER-2013.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    /// 28,709 faces
    Training,
    /// 3,589 faces
    #[default]
    PublicTest,
    /// 3,589 faces
    PrivateTest,
}

impl Split {
    /// The part's name in the column `Usage` of the CSV file.
    fn usage(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::PublicTest => "PublicTest",
            Self::PrivateTest => "PrivateTest",
        }
    }
}

/// An image that a face fills, with its label.
pub struct LabelledFace {
    /// Grey values, row by row without gaps.
    pub pixels: Vec<u8>,
    /// Width, pixels.
    pub width: usize,
    /// Height, pixels.
    pub height: usize,
    /// The emotion that the dataset gives.
    pub truth: Emotion,
    /// Whose face it is, as far as the dataset says: the column `person`, or what stands before the first `.` or `_` of an
    /// image's file name.
    pub person: String,
}

/// Finds the images in the class folders of `folder`, sorted by name so that every run has the same order.
/// Folders that are not named after an emotion are left out with a warning.
pub fn find_images(folder: &Path) -> Result<Vec<(PathBuf, Emotion)>, CommandError> {
    let mut images = Vec::new();
    for class in sorted_entries(folder)? {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.parse::<Emotion>() {
            Ok(emotion) if class.is_dir() => {
                let files = sorted_entries(&class)?.into_iter().filter(|path| path.is_file());
                images.extend(files.map(|path| (path, emotion)));
            }
            _ => eprintln!("gst-mood: {} is not a folder named after an emotion: left out", class.display()),
        }
    }
    Ok(images)
}

/// The paths in a folder, sorted.
fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let io_error = |error| CommandError::io(folder, &error);
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(io_error)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(io_error)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Reads an image file. The error names the file; a side of more than [`GrayImage::MAX_SIDE`] pixels is one.
pub fn load_image(path: &Path, truth: Emotion) -> Result<LabelledFace, String> {
    let broken = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    // By its content: a name may promise another format.
    let reader = image::ImageReader::open(path).and_then(image::ImageReader::with_guessed_format);
    let image = reader.map_err(|error| broken(&error))?.decode().map_err(|error| broken(&error))?;
    let image = image.into_luma8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    if width.max(height) > GrayImage::MAX_SIDE {
        return Err(format!(
            "{}: {width}x{height} pixels are too many: scale it to at most {} a side",
            path.display(),
            GrayImage::MAX_SIDE
        ));
    }
    Ok(LabelledFace { pixels: image.into_raw(), width, height, truth, person: person_from_path(path) })
}

/// The person whom an image's file name names: what stands before the first `.` or `_`.
fn person_from_path(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split(['.', '_']).next().unwrap_or_default().to_owned()
}

/// Reads a part of FER-2013's CSV file, whose columns are emotion (0-6), pixels (2304 grey values), Usage and, in a file of
/// one's own, person. Fails if people are needed and there is no such column.
pub fn load_fer2013(
    path: &Path,
    split: Split,
    needs_people: bool,
) -> Result<Vec<LabelledFace>, CommandError> {
    let dataset_error = |what: String| CommandError::Failed(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| CommandError::io(path, &error))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|error| dataset_error(error.to_string()))?.clone();
    let find_column = |name: &str| {
        headers.iter().position(|header| header.eq_ignore_ascii_case(name)).ok_or_else(|| {
            dataset_error(format!("no column '{name}': FER-2013's csv has emotion, pixels and Usage"))
        })
    };
    let (emotion_column, pixels_column, usage_column) =
        (find_column("emotion")?, find_column("pixels")?, find_column("usage")?);
    let person_column = headers.iter().position(|header| header.eq_ignore_ascii_case("person"));
    if needs_people && person_column.is_none() {
        return Err(dataset_error(
            "no column 'person': --baseline needs to know whose face each is; add the column, or leave it out".into(),
        ));
    }
    let mut faces = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| dataset_error(error.to_string()))?;
        if record.get(usage_column) != Some(split.usage()) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let truth =
            record.get(emotion_column).and_then(|text| text.parse().ok()).and_then(Emotion::from_index);
        let pixels: Option<Vec<u8>> = record
            .get(pixels_column)
            .and_then(|text| text.split_whitespace().map(|value| value.parse().ok()).collect());
        match (truth, pixels) {
            (Some(truth), Some(pixels)) if pixels.len() == FER_SIDE * FER_SIDE => {
                let person =
                    person_column.and_then(|column| record.get(column)).unwrap_or_default().to_owned();
                faces.push(LabelledFace { pixels, width: FER_SIDE, height: FER_SIDE, truth, person });
            }
            _ => {
                return Err(dataset_error(format!(
                    "line {line} is not an emotion 0-6 with 2304 grey values 0-255"
                )));
            }
        }
    }
    Ok(faces)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_claims_more_pixels_than_memory_holds_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.bmp");
        // The header of a bitmap: 30,000 x 30,000 pixels of 24 bits, without any of them.
        let [size, depth] = [30_000_i32.to_le_bytes(), 0x0018_0001_i32.to_le_bytes()];
        let header =
            [&b"BM"[..], &[0; 8], &[54, 0, 0, 0, 40, 0, 0, 0], &size, &size, &depth, &[0; 24]].concat();
        std::fs::write(&path, header).unwrap();
        let error = load_image(&path, Emotion::Happy).err().unwrap();
        assert!(error.contains("huge.bmp: Memory limit exceeded"), "{error}");
    }

    #[test]
    fn images_that_are_too_long_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panorama.png");
        image::GrayImage::new(32_767, 1).save(&path).unwrap();
        assert!(load_image(&path, Emotion::Happy).is_ok());
        image::GrayImage::new(1, 32_768).save(&path).unwrap();
        let error = load_image(&path, Emotion::Happy).err().unwrap();
        assert!(error.contains("panorama.png: 1x32768 pixels are too many"), "{error}");
    }
}
