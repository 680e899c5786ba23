//! From arguments to a list of files, each with a folder of its own for its results.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;

/// A file to process.
pub struct Input {
    pub path: PathBuf,
    /// Where its results go.
    pub folder: PathBuf,
    pub is_picture: bool,
}

/// Endings of what is taken out of folders; a file that is named itself may be called anything.
const MEDIA: [&str; 22] = [
    "3gp", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts",
    "webm", "wmv", "bmp", "jpeg", "jpg", "png", "tiff", "webp",
];

/// The files that the arguments mean, each once, in order. What is not there is a mistake of the user's.
pub fn expand(arguments: &[PathBuf], output: &Path) -> Result<Vec<Input>, Failure> {
    let mut files = Vec::new();
    for argument in arguments {
        if argument.is_dir() {
            let before = files.len();
            walk(argument, output, &mut files)?;
            if files.len() == before {
                return Err(Failure::Usage(format!(
                    "{} holds no video or photograph; name the files themselves if they end unusually",
                    argument.display()
                )));
            }
        } else if argument.exists() {
            files.push(argument.clone());
        } else {
            files.extend(matching(argument)?);
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    let mut taken = HashSet::new();
    Ok(files.into_iter().map(|path| input(path, output, &mut taken)).collect())
}

/// What a pattern finds.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let missing =
        || Failure::Usage(format!("{}: no such file, folder, or pattern that finds one", pattern.display()));
    let text = pattern.to_str().ok_or_else(missing)?;
    let found: Vec<PathBuf> =
        glob::glob(text).map_err(|_| missing())?.flatten().filter(|path| path.is_file()).collect();
    if found.is_empty() { Err(missing()) } else { Ok(found) }
}

/// Media in a folder and in the folders below, in order; not the results of an earlier run.
fn walk(folder: &Path, output: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error| Failure::file(folder, &error);
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden || path.is_symlink() && path.is_dir() {
            continue;
        }
        if path.is_dir() {
            let same = path.canonicalize().ok().zip(output.canonicalize().ok()).is_some_and(|(a, b)| a == b);
            if !same {
                walk(&path, output, files)?;
            }
        } else if is_media(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_media(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    MEDIA.contains(&extension.as_str())
}

/// Gives a file its folder: its stem, or its whole name where another file has that already.
fn input(path: PathBuf, output: &Path, taken: &mut HashSet<PathBuf>) -> Input {
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
        .find(|folder| !taken.contains(folder) && !is_anothers(folder, &path))
        .unwrap_or_else(|| output.join(name));
    taken.insert(folder.clone());
    Input { is_picture: is_picture(&path), path, folder }
}

/// The folder holds the results of another file.
fn is_anothers(folder: &Path, path: &Path) -> bool {
    let Ok(summary) = folder::read_summary(&folder.join(folder::SUMMARY)) else { return false };
    let input = summary.made_from.as_ref().and_then(|made_from| made_from.get("input"));
    let known = input.and_then(|input| input.get("name")).and_then(|name| name.as_str());
    known.is_some_and(|known| known != super::fingerprint::name(path))
}

/// By what it is, not by what it is called. What only moves, such as a GIF, is a video.
fn is_picture(path: &Path) -> bool {
    let mut head = [0; 32];
    let length = File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    head.get(..length)
        .is_some_and(|head| image::guess_format(head).is_ok_and(|format| format.reading_enabled()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_folder_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in
            ["a/x.mp4", "a/x.mov", "b/x.mp4", "b/y.txt", "b/.hidden.mp4", "out/z/annotated.mp4", "..mp4"]
        {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let out = root.join("out");
        let names = |arguments: &[&str]| {
            let arguments: Vec<PathBuf> = arguments.iter().map(|name| root.join(name)).collect();
            let inputs = expand(&arguments, &out).map_err(|failure| failure.to_string())?;
            let relative = |path: &Path, root: &Path| path.strip_prefix(root).unwrap().display().to_string();
            let name = |input: Input| (relative(&input.path, root), relative(&input.folder, &out));
            Ok::<_, String>(inputs.into_iter().map(name).collect::<Vec<_>>())
        };
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|&(path, folder)| (path.to_owned(), folder.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&["a", "b", "a/x.mp4"]).unwrap(),
            pairs(&[("a/x.mov", "x"), ("a/x.mp4", "x.mp4"), ("b/x.mp4", "x.mp4-2")])
        );
        assert_eq!(names(&["b/y.txt"]).unwrap(), pairs(&[("b/y.txt", "y")]));
        assert_eq!(names(&["*/x.mp4"]).unwrap(), pairs(&[("a/x.mp4", "x"), ("b/x.mp4", "x.mp4")]));
        assert_eq!(names(&["..mp4"]).unwrap(), pairs(&[("..mp4", "..mp4")]));
        assert!(!names(&["."]).unwrap().iter().any(|(path, _)| path.starts_with("out")), "its own results");
        assert!(names(&["c.mp4"]).unwrap_err().contains("no such file"));
        assert!(names(&["out/z/none"]).is_err() && names(&["q*"]).is_err());
    }
}
