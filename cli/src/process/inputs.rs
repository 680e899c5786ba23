//! Expands the arguments to a list of files and assigns each its folder for the results.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::fingerprint::InputId;
use crate::digest::path_hash;
use crate::error::CommandError;
use crate::folder;
use crate::media_kind::{MediaKind, has_extension};

/// A file to process.
pub struct Input {
    /// The video or photo.
    pub path: PathBuf,
    /// The folder for its results; no other input of the run has the same.
    pub folder: PathBuf,
    /// How it is decoded.
    pub kind: MediaKind,
}

/// What the arguments name.
#[derive(Default)]
pub struct Inputs {
    /// The files to process, each once, in order.
    pub files: Vec<Input>,
    /// The folders that were searched in which something else lies.
    pub passed_over: Vec<PassedOver>,
}

/// What a search of a folder has passed over.
pub struct PassedOver {
    /// The folder, as the argument names it.
    pub folder: PathBuf,
    /// Files, and links to folders, that were not taken, in order.
    pub paths: Vec<PathBuf>,
}

/// Lowercase extensions of the files that are taken from folders. A file given as an argument may have any. Photographs that
/// cannot be decoded are among them: a message then says what to convert.
const EXTENSIONS: [&str; 67] = [
    // Videos.
    "264", "265", "3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "h265", "hevc", "ivf",
    "m2t", "m2ts", "m2v", "m4v", "mjpeg", "mjpg", "mkv", "mod", "mov", "mp4", "mpe", "mpeg", "mpg", "mts",
    "mxf", "ogm", "ogv", "qt", "tod", "ts", "vob", "webm", "wmv", "y4m", // Images.
    "apng", "bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp",
    // Photographs to be converted.
    "arw", "avif", "cr2", "cr3", "dng", "heic", "heics", "heif", "hif", "jxl", "nef", "nrw", "orf", "pef",
    "raf", "rw2", "sr2", "srw",
];

/// Finds the files that the arguments name, each once, in order. Folders are searched and patterns expanded.
/// Fails with a usage error if an argument matches no file, and with an I/O error if a folder cannot be read.
pub fn expand_inputs(arguments: &[PathBuf], output: &Path) -> Result<Inputs, CommandError> {
    let (mut files, mut passed_over) = (Vec::new(), Vec::new());
    for argument in arguments {
        if argument.is_dir() {
            let before = files.len();
            let mut paths = Vec::new();
            collect_media(argument, output, &mut files, &mut paths)?;
            if !paths.is_empty() && files.len() > before {
                passed_over.push(PassedOver { folder: argument.clone(), paths });
            }
            if files.len() == before {
                return Err(CommandError::Usage(format!(
                    "{} holds no video or photograph; name the files themselves if they end unusually",
                    argument.display()
                )));
            }
        } else if argument.exists() {
            files.push(argument.clone());
        } else {
            files.extend(expand_pattern(argument)?);
        }
    }
    let mut canonical_paths = HashSet::new();
    files.retain(|file| canonical_paths.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    let mut taken = HashSet::new();
    let files = files.into_iter().map(|path| assign_folder(path, output, &mut taken)).collect();
    Ok(Inputs { files, passed_over })
}

/// The files that match a glob pattern. Fails with a usage error if there are none.
fn expand_pattern(pattern: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let missing = || {
        CommandError::Usage(format!("{}: no such file, folder, or pattern that finds one", pattern.display()))
    };
    let text = pattern.to_str().ok_or_else(missing)?;
    let matches: Vec<PathBuf> =
        glob::glob(text).map_err(|_| missing())?.flatten().filter(|path| path.is_file()).collect();
    if matches.is_empty() { Err(missing()) } else { Ok(matches) }
}

/// Appends the media files in `folder` and below to `files`, sorted by name, without hidden ones and without those in
/// the folder of the results; what else there is, to `passed_over`. Notes belong to recordings and are in neither.
fn collect_media(
    folder: &Path,
    output: &Path,
    files: &mut Vec<PathBuf>,
    passed_over: &mut Vec<PathBuf>,
) -> Result<(), CommandError> {
    let io_error = |error| CommandError::io(folder, &error);
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(io_error)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(io_error)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden || has_extension(&path, &["toml"]) {
            continue;
        }
        if path.is_symlink() && path.is_dir() {
            passed_over.push(path);
        } else if path.is_dir() {
            let is_output =
                path.canonicalize().ok().zip(output.canonicalize().ok()).is_some_and(|(a, b)| a == b);
            if !is_output {
                collect_media(&path, output, files, passed_over)?;
            }
        } else if has_extension(&path, &EXTENSIONS) {
            files.push(path);
        } else {
            passed_over.push(path);
        }
    }
    Ok(())
}

/// Chooses the folder for a file's results: named by its stem; by its full name if another file has that
/// folder; by its name and a number if that is taken too.
fn assign_folder(path: PathBuf, output: &Path, taken: &mut HashSet<PathBuf>) -> Input {
    let name = path.file_name().unwrap_or_default();
    let stem = path.file_stem().filter(|stem| *stem != "." && *stem != "..").unwrap_or(name);
    let numbered = (2..).map(|number| {
        let mut name = name.to_os_string();
        name.push(format!("-{number}"));
        output.join(name)
    });
    let folder = [output.join(stem), output.join(name)]
        .into_iter()
        .chain(numbered)
        .find(|folder| !taken.contains(folder) && !belongs_to_other(folder, &path))
        .unwrap_or_else(|| output.join(name));
    taken.insert(folder.clone());
    Input { kind: MediaKind::detect(&path), path, folder }
}

/// Whether the folder has the results of another file than `path`.
fn belongs_to_other(folder: &Path, path: &Path) -> bool {
    let Ok(summary) = folder::read_summary(&folder.join(folder::SUMMARY)) else { return false };
    InputId::from_summary(&summary).is_some_and(|id| id.path_hash != path_hash(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_gets_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in
            ["a/x.mp4", "a/x.mov", "b/x.mp4", "b/y.txt", "b/.hidden.mp4", "out/z/annotated.mp4", "..mp4"]
        {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let out = root.join("out");
        let expand = |arguments: &[&str]| {
            let arguments: Vec<PathBuf> = arguments.iter().map(|name| root.join(name)).collect();
            let inputs = expand_inputs(&arguments, &out).map_err(|error| error.to_string())?;
            let relative = |path: &Path, root: &Path| path.strip_prefix(root).unwrap().display().to_string();
            let relative_pair = |input: Input| (relative(&input.path, root), relative(&input.folder, &out));
            Ok::<_, String>(inputs.files.into_iter().map(relative_pair).collect::<Vec<_>>())
        };
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|&(path, folder)| (path.to_owned(), folder.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            expand(&["a", "b", "a/x.mp4"]).unwrap(),
            pairs(&[("a/x.mov", "x"), ("a/x.mp4", "x.mp4"), ("b/x.mp4", "x.mp4-2")])
        );
        assert_eq!(expand(&["b/y.txt"]).unwrap(), pairs(&[("b/y.txt", "y")]));
        assert_eq!(expand(&["*/x.mp4"]).unwrap(), pairs(&[("a/x.mp4", "x"), ("b/x.mp4", "x.mp4")]));
        assert_eq!(expand(&["..mp4"]).unwrap(), pairs(&[("..mp4", "..mp4")]));
        assert!(
            !expand(&["."]).unwrap().iter().any(|(path, _)| path.starts_with("out")),
            "results are no inputs"
        );
        assert!(expand(&["c.mp4"]).unwrap_err().contains("no such file"));
        assert!(expand(&["out/z/none"]).is_err() && expand(&["q*"]).is_err());
    }
}
