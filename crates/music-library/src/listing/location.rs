//! Resolves the locations in playlists, as the programs that write playlists write them.
//!
//! A location is tried in this order, and the first way that leads to a file counts:
//!
//! 1. as a `file://` URI
//! 2. as a path, exactly as written, relative to the playlist's folder
//! 3. percent-decoded (VLC writes `Mike%20Posner.flac` in M3U)
//! 4. with backslashes as separators (players on Windows), then also percent-decoded
//! 5. for a path of another machine (`C:\Music\a.flac`, `\\server\Music\a.flac`): its longest end that exists below the
//!    playlist's folder; where that is the file's name alone, several folders of the other machine may have had one, so that
//!    it is reported, and no file is taken for two locations
//!
//! Each path is first looked up exactly, then with each name compared in Unicode's canonical composition (NFC: macOS writes
//! file names decomposed), then also without regard to case; in the last two cases only where a single name of the folder matches.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;
use url::Url;

/// What a location refers to.
#[derive(Debug, PartialEq)]
pub(super) enum Location {
    /// A local file that exists.
    File(PathBuf),
    /// A local file of which only the name agrees with the path of another machine.
    SameName(PathBuf),
    /// A local file that does not exist, as the location's most likely path.
    Missing(PathBuf),
    /// An `http` or `https` address.
    Network(Url),
    /// A URI of another scheme.
    Unsupported,
}

/// Resolves the locations of one playlist.
pub(super) struct LocationResolver {
    /// The playlist's folder, an absolute path.
    folder: PathBuf,
    /// The names in folders where a name was not found as written.
    names: HashMap<PathBuf, FolderNames>,
}

/// The names in a folder by their normal forms; `None` where several names have the same one.
#[derive(Default)]
struct FolderNames {
    /// Unicode's canonical composition.
    composed: HashMap<String, Option<OsString>>,
    /// Canonical composition in lower case.
    folded: HashMap<String, Option<OsString>>,
}

impl LocationResolver {
    /// A resolver for a playlist in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, names: HashMap::new() }
    }

    /// Resolves a location, which is not empty.
    pub(super) fn resolve(&mut self, location: &str) -> Location {
        let url = Url::parse(location.trim()).ok();
        let is_file_url = url.as_ref().is_some_and(|url| url.scheme() == "file");
        match &url {
            Some(url) if matches!(url.scheme(), "http" | "https") => return Location::Network(url.clone()),
            Some(url) if !is_file_url && location.trim()[url.scheme().len()..].starts_with("://") => {
                return Location::Unsupported;
            }
            _ => {}
        }
        let mut paths = Vec::new();
        let text = match url.filter(|_| is_file_url) {
            Some(url) => {
                paths.extend(url.to_file_path().ok());
                // Some programs do not encode `#`, `?` and `%`.
                let path = &location.trim()["file:".len()..];
                path.strip_prefix("//localhost").or_else(|| path.strip_prefix("//")).unwrap_or(path)
            }
            None => location,
        };
        for text in [text.to_owned(), text.replace('\\', "/")] {
            for text in [text.as_str(), text.trim()] {
                let decoded = percent_decode_str(text).decode_utf8().ok();
                paths.push(self.folder.join(text));
                paths.extend(decoded.map(|decoded| self.folder.join(&*decoded)));
            }
        }
        let mut paths: Vec<PathBuf> = paths.iter().map(|path| normalize(path)).collect();
        paths.dedup();
        if let Some(file) = paths.iter().find_map(|path| self.find_file(path)) {
            return Location::File(file);
        }
        self.find_foreign(location)
            .unwrap_or_else(|| paths.into_iter().next().map_or(Location::Unsupported, Location::Missing))
    }

    /// The file at `path`, or one whose name differs in its Unicode normal form or in case only.
    fn find_file(&mut self, path: &Path) -> Option<PathBuf> {
        if path.is_file() {
            return Some(path.into());
        }
        let mut found = PathBuf::new();
        for component in path.components() {
            let next = found.join(component);
            found = if next.exists() { next } else { self.find_similar(&found, component.as_os_str())? };
        }
        found.is_file().then_some(found)
    }

    /// The only entry of `folder` whose name equals `name` in NFC, or else also without regard to case.
    fn find_similar(&mut self, folder: &Path, name: &OsStr) -> Option<PathBuf> {
        let name = compose(name)?;
        let names = self.names.entry(folder.into()).or_insert_with(|| FolderNames::read(folder));
        let found = names.composed.get(&name).or_else(|| names.folded.get(&fold(&name)));
        found?.as_ref().map(|name| folder.join(name))
    }

    /// Looks in the playlist's folder for the file of a Windows path with a drive or a server: first all of the path behind
    /// the drive or server, then ever shorter ends of it.
    fn find_foreign(&mut self, location: &str) -> Option<Location> {
        let location = location.trim();
        let path = location.strip_prefix("file:").unwrap_or(location);
        let path = percent_decode_str(path).decode_utf8().ok()?.replace('\\', "/");
        let has_server = path.starts_with("//") && !path.starts_with("///");
        let path = path.trim_start_matches('/');
        let has_drive = path.starts_with(|c: char| c.is_ascii_alphabetic()) && path.get(1..3) == Some(":/");
        if !has_server && !has_drive {
            return None;
        }
        let is_name = |name: &&str| !matches!(*name, "" | "." | "..");
        let names: Vec<&str> = path.split('/').skip(1).filter(is_name).collect();
        (0..names.len()).find_map(|start| {
            let file = self.find_file(&self.folder.join(names[start..].join("/")))?;
            let is_name_alone = start > 0 && start + 1 == names.len();
            Some(if is_name_alone { Location::SameName(file) } else { Location::File(file) })
        })
    }
}

impl FolderNames {
    /// Reads the names in a folder; none where it cannot be read.
    fn read(folder: &Path) -> Self {
        let mut names = Self::default();
        for name in folder.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()))
        {
            let Some(composed) = compose(&name) else { continue };
            for (normal_forms, key) in [(&mut names.folded, fold(&composed)), (&mut names.composed, composed)]
            {
                let is_new = !normal_forms.contains_key(&key);
                normal_forms.insert(key, is_new.then(|| name.clone()));
            }
        }
        names
    }
}

/// A name in Unicode's canonical composition; `None` where it is not Unicode.
fn compose(name: &OsStr) -> Option<String> {
    Some(name.to_str()?.nfc().collect())
}

/// A composed name without regard to case.
fn fold(composed: &str) -> String {
    composed.to_lowercase().nfc().collect()
}

/// Removes `.` and `..` from a path without looking at the file system.
pub(super) fn normalize(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = normalized.pop(),
            component => normalized.push(component),
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes empty files with these names below a new folder.
    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn locations_of_other_programs_lead_to_their_files() {
        let decomposed = "Cafe\u{301} Torme\u{301}.flac";
        let names = [
            "party/Mike - Ibiza (Remix).flac",
            "50% off.flac",
            "folder/song.flac",
            "#1 Crush.flac",
            decomposed,
        ];
        let more = [
            "Song: Part 2.flac",
            "Question?.flac",
            "a;b.flac",
            "Über/Lied.FLAC",
            "100%25.flac",
            "back\\slash.flac",
        ];
        let folder = folder_with(&[&names[..], &more].concat());
        let root = folder.path().to_str().unwrap();
        let mut resolver = LocationResolver::new(folder.path().into());
        for (location, name) in [
            ("party/Mike%20-%20Ibiza%20%28Remix%29.flac", names[0]),
            (".\\party\\Mike%20-%20Ibiza (Remix).flac", names[0]),
            ("50%25%20off.flac", names[1]),
            ("50% off.flac", names[1]),
            ("folder\\song.flac", names[2]),
            ("  folder/SONG.flac ", names[2]),
            ("C:\\Users\\Anna\\Music\\folder\\song.flac", names[2]),
            ("\\\\NAS\\Music\\folder\\song.flac", names[2]),
            ("file:///D:/Music/folder/song.flac", names[2]),
            ("file://nas/Music/folder/song.flac", names[2]),
            ("#1 Crush.flac", names[3]),
            ("Café Tormé.flac", decomposed),
            ("Caf%C3%A9%20Torm%C3%A9.flac", decomposed),
            ("Song: Part 2.flac", more[0]),
            ("Question?.flac", more[1]),
            ("a;b.flac", more[2]),
            ("u\u{308}ber\\lied.flac", more[3]),
            // A name that exists as written is not decoded.
            ("100%25.flac", more[4]),
            ("back\\slash.flac", more[5]),
            (&format!("file://{root}/folder/song.flac"), names[2]),
            (&format!("file://localhost{root}/50%25%20off.flac"), names[1]),
            (&format!("file://{root}/#1 Crush.flac"), names[3]),
            (&format!("{root}/party/../folder/./song.flac"), names[2]),
        ] {
            assert_eq!(resolver.resolve(location), Location::File(folder.path().join(name)), "{location}");
        }
    }

    #[test]
    fn a_name_alone_is_told_from_a_longer_end_of_a_path() {
        let folder = folder_with(&["01.flac", "Queen/02.flac"]);
        let mut resolver = LocationResolver::new(folder.path().into());
        let name = Location::SameName(folder.path().join("01.flac"));
        assert_eq!(resolver.resolve("C:\\Music\\Queen\\01.flac"), name);
        assert_eq!(resolver.resolve("\\\\NAS\\Abba\\01.FLAC"), name);
        let file = Location::File(folder.path().join("Queen/02.flac"));
        assert_eq!(resolver.resolve("C:\\Music\\Queen\\02.flac"), file);
        // The root of a drive is the playlist's folder.
        assert_eq!(resolver.resolve("D:\\01.flac"), Location::File(folder.path().join("01.flac")));
    }

    #[test]
    fn nothing_is_guessed_where_several_files_fit() {
        let folder = folder_with(&["A.flac", "a.flac", "B.flac", "b.flac"]);
        let mut resolver = LocationResolver::new(folder.path().into());
        assert_eq!(resolver.resolve("a.flac"), Location::File(folder.path().join("a.flac")));
        assert_eq!(resolver.resolve("a.FLAC"), Location::Missing(folder.path().join("a.FLAC")));
        assert_eq!(resolver.resolve("/nowhere/b.flac"), Location::Missing("/nowhere/b.flac".into()));
        assert_eq!(resolver.resolve("C:/c.flac"), Location::Missing(folder.path().join("C:/c.flac")));
    }

    #[test]
    fn addresses_are_no_files() {
        let mut resolver = LocationResolver::new("/music".into());
        assert!(matches!(resolver.resolve("http://a/b"), Location::Network(_)));
        assert_eq!(resolver.resolve("smb://a/b"), Location::Unsupported);
        assert_eq!(resolver.resolve("a/../../etc/./b.ogg"), Location::Missing("/etc/b.ogg".into()));
    }
}
