//! Reading the files of annotation programs.

mod audacity;
mod boris;
mod eaf;
mod table;
mod textgrid;
mod time;

use std::fs;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::{Annotation, Tier};

/// Largest file that is read, bytes. A day of annotations has some megabytes.
const MAX_SIZE: u64 = 64 << 20;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ELAN annotation format, `.eaf` (<http://www.mpi.nl/tools/elan/EAFv3.0.xsd>).
    Eaf,
    /// Praat TextGrid, long or short (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>).
    TextGrid,
    /// BORIS project, `.boris` (<https://www.boris.unito.it>).
    Boris,
    /// Audacity label track, `.txt` (<https://manual.audacityteam.org/man/importing_and_exporting_labels.html>).
    Audacity,
    /// A table with a header: our own columns, BORIS's exported events, ELAN's tab-delimited text.
    Table,
}

/// The tiers of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationFile {
    /// Its format.
    pub format: Format,
    /// The tiers in the order of the file; those without annotations are left out.
    pub tiers: Vec<Tier>,
    /// Who made it, where the file says so.
    pub author: Option<String>,
    /// What was passed over, for the user.
    pub warnings: Vec<String>,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is larger than any annotation file.
    #[error("{} has more than 64 MB: give a file of annotations", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Its content is broken or not of a known format.
    #[error("{0}")]
    Content(String),
}

/// Tiers as they are read: name and annotations in order of appearance.
type RawTiers = Vec<(String, Vec<Annotation>)>;

/// What a reader of one format returns: the tiers, and what it passed over.
struct Parsed {
    tiers: RawTiers,
    author: Option<String>,
    warnings: Vec<String>,
}

impl Parsed {
    fn new() -> Self {
        Self { tiers: Vec::new(), author: None, warnings: Vec::new() }
    }

    /// Adds an annotation to the tier of that name.
    fn add(&mut self, tier: &str, annotation: Annotation) {
        match self.tiers.iter_mut().find(|(name, _)| name == tier) {
            Some((_, annotations)) => annotations.push(annotation),
            None => self.tiers.push((tier.to_owned(), vec![annotation])),
        }
    }

    /// Adds a warning on `count` things, if there are any.
    fn warn_of(&mut self, count: usize, what: &str) {
        if count > 0 {
            self.warnings.push(format!("{count} {what}"));
        }
    }
}

/// Reads a file. The format follows from the content, and from the name where the content could be several.
///
/// # Errors
/// [`FileError`] for a file that cannot be opened, is too large, or is of no known format.
pub fn read_file(path: &Path) -> Result<AnnotationFile, FileError> {
    let io = |source| FileError::Io { path: path.to_path_buf(), source };
    let metadata = fs::metadata(path).map_err(io)?;
    if metadata.is_file() && metadata.len() > MAX_SIZE {
        return Err(FileError::TooLarge { path: path.to_path_buf() });
    }
    let bytes = fs::read(path).map_err(io)?;
    read(&bytes).map_err(|error| match error {
        FileError::Content(text) => FileError::Content(format!("{}: {text}", path.display())),
        other => other,
    })
}

/// Reads the content of a file.
///
/// # Errors
/// [`FileError::Content`] where it is broken or of no known format.
pub fn read(bytes: &[u8]) -> Result<AnnotationFile, FileError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(FileError::Content("it is compressed: unpack it with gunzip first".into()));
    }
    let text = decode(bytes);
    let content = text.trim_start();
    let (format, parsed) = if content.starts_with('<') {
        (Format::Eaf, eaf::parse(&text)?)
    } else if content.starts_with('{') {
        (Format::Boris, boris::parse(&text)?)
    } else if textgrid::is_textgrid(content) {
        (Format::TextGrid, textgrid::parse(&text)?)
    } else if audacity::is_label_track(content) {
        (Format::Audacity, audacity::parse(&text)?)
    } else {
        (Format::Table, table::parse(&text)?)
    };
    let mut warnings = parsed.warnings;
    let tiers: Vec<Tier> = parsed
        .tiers
        .into_iter()
        .map(|(name, annotations)| Tier::new(name, annotations))
        .filter(|tier| !tier.annotations().is_empty())
        .collect();
    for tier in tiers.iter().filter(|tier| tier.overlaps() > 0) {
        let (count, name) = (tier.overlaps(), &tier.name);
        warnings.push(format!("{count} annotations of {name} overlap; each ends where the next begins"));
    }
    if tiers.is_empty() {
        return Err(FileError::Content("it holds no annotations with a beginning and an end".into()));
    }
    Ok(AnnotationFile { format, tiers, author: parsed.author, warnings })
}

/// Decodes a text: UTF-8 or UTF-16 by its byte-order mark, UTF-16 without one by its zero bytes, else UTF-8 where it is valid,
/// else Windows-1252.
fn decode(bytes: &[u8]) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if bytes.len() > 1 && bytes[0] == 0 => encoding_rs::UTF_16BE,
        None if bytes.len() > 1 && bytes[1] == 0 => encoding_rs::UTF_16LE,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode(bytes).0.into_owned()
}
