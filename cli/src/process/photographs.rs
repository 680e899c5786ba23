//! One table over all the photographs in the folder of the results: what a folder of them is processed for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder::{self, FACES, SUMMARY};

/// Beside the photographs' folders.
const TABLE: &str = "photographs.csv";

/// What stands before the columns of a photograph's own table.
const FIRST: [&str; 2] = ["folder", "file"];

/// Writes the table: the rows of every finished photograph in `output`, of this run and of earlier ones. One without a
/// face has a row too, with nothing but where it lies and `success` 0.
pub(super) fn write(output: &Path) -> Result<(), Failure> {
    let entries = fs::read_dir(output).map_err(|error| Failure::file(output, &error))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join(FACES).is_file() && folder.join(SUMMARY).is_file());
    folders.sort();
    let table = output.join(TABLE);
    let mut photographs = folders.iter().map(|folder| Photograph::read(folder)).peekable();
    let Some(first) = photographs.peek() else { return folder::remove(&table) };
    let columns = first.as_ref().map_or_else(|_| csv::StringRecord::new(), |first| first.columns.clone());
    let photographs: Vec<Photograph> = photographs.collect::<Result<_, _>>()?;
    folder::write_whole(&table, |file| {
        let mut rows = csv::Writer::from_writer(file);
        rows.write_record(FIRST.into_iter().chain(&columns))?;
        for photograph in &photographs {
            for row in photograph.rows() {
                let place = [photograph.folder.as_str(), photograph.file.as_str()];
                rows.write_record(place.into_iter().chain(row.iter()))?;
            }
        }
        rows.flush()
    })
}

struct Photograph {
    /// Name of the folder of its results.
    folder: String,
    /// Where it lies; nothing where that may not be told.
    file: String,
    columns: csv::StringRecord,
    faces: Vec<csv::StringRecord>,
}

impl Photograph {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let table = folder.join(FACES);
        let broken = |error: csv::Error| {
            Failure::Work(format!("{}: {error}; remove it and run process again", table.display()))
        };
        let source = folder::read_summary(&folder.join(SUMMARY))?.source;
        let file = source.and_then(|uri| url::Url::parse(&uri).ok()?.to_file_path().ok());
        let mut reader = csv::Reader::from_path(&table).map_err(broken)?;
        Ok(Self {
            folder: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            file: file.unwrap_or_default().display().to_string(),
            columns: reader.headers().map_err(broken)?.clone(),
            faces: reader.records().collect::<Result<_, _>>().map_err(broken)?,
        })
    }

    fn rows(&self) -> Vec<csv::StringRecord> {
        if !self.faces.is_empty() {
            return self.faces.clone();
        }
        vec![self.columns.iter().map(|column| if column == "success" { "0" } else { "" }).collect()]
    }
}
