//! Lookup of installed cascades.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::CascadeError;

/// The environment variable that lists folders to search first, separated as in `PATH`.
pub const PATH_VARIABLE: &str = "GST_MOOD_CASCADE_PATH";

/// Data prefixes of OpenCV's packages: Debian and Fedora, local builds, Homebrew on macOS and on Linux.
const PREFIXES: [&str; 4] =
    ["/usr/share", "/usr/local/share", "/opt/homebrew/share", "/home/linuxbrew/.linuxbrew/share"];

/// The file of a cascade: `name_or_path` itself where it is a file, else `haarcascade_<name>.xml` in the
/// folders of [`PATH_VARIABLE`], then in OpenCV's data folders under /usr/share, /usr/local/share and
/// Homebrew's.
///
/// # Errors
/// [`CascadeError::NotFound`] with the folders searched.
pub fn find(name_or_path: impl AsRef<Path>) -> Result<PathBuf, CascadeError> {
    find_in(name_or_path.as_ref(), std::env::var_os(PATH_VARIABLE).as_deref())
}

/// [`find`] with `search_path` as the value of [`PATH_VARIABLE`].
fn find_in(name: &Path, search_path: Option<&OsStr>) -> Result<PathBuf, CascadeError> {
    if name.is_file() {
        return Ok(name.into());
    }
    let file = format!("haarcascade_{}.xml", name.display());
    let listed = search_path
        .into_iter()
        .flat_map(std::env::split_paths)
        .filter(|folder| !folder.as_os_str().is_empty());
    let installed = PREFIXES.iter().flat_map(|prefix| {
        ["opencv4", "opencv"].map(|package| Path::new(prefix).join(package).join("haarcascades"))
    });
    let folders: Vec<PathBuf> = listed.chain(installed).collect();
    // Anything with a slash is a path that does not exist, and joining it could leave the folder.
    let is_plain_name = name.components().count() == 1;
    folders.iter().map(|folder| folder.join(&file)).find(|path| is_plain_name && path.is_file()).ok_or_else(
        || CascadeError::NotFound {
            name: name.display().to_string(),
            searched: folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_folders_come_first() {
        let folder = std::env::temp_dir().join(format!("haar-find-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("haarcascade_mine.xml");
        std::fs::write(&file, "").unwrap();
        let listed = std::env::join_paths([Path::new("/nowhere"), &folder]).unwrap();
        assert_eq!(find_in(Path::new("mine"), Some(&listed)).unwrap(), file);
        assert_eq!(find_in(&file, None).unwrap(), file, "an existing path is returned unchanged");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_error_for_a_missing_cascade_names_the_remedy() {
        let message =
            find_in(Path::new("no_such"), Some(OsStr::new("/my/cascades"))).unwrap_err().to_string();
        for part in ["no_such", "/my/cascades", "/usr/share/opencv4", "opencv-data", PATH_VARIABLE] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(find_in(Path::new("../opencv/no_such"), None).is_err());
        assert!(find_in(Path::new(""), None).is_err());
    }
}
