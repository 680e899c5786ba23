//! Conversions between paths and URIs. Tracks are identified by their URI.

use std::path::{Path, PathBuf};

use mood_schema::redact_addresses;
use url::Url;

use crate::Error;

/// The URI of a path; a URI is returned in its normal form. `None` where a path cannot be made absolute.
pub(crate) fn from_path_or_uri(path_or_uri: &str) -> Option<String> {
    match Url::parse(path_or_uri) {
        Ok(url) if url.scheme().len() > 1 && path_or_uri[url.scheme().len()..].starts_with("://") => {
            Some(url.into())
        }
        _ => from_path(Path::new(path_or_uri)),
    }
}

/// The `file://` URI of a path; `None` where it cannot be made absolute.
pub(crate) fn from_path(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(Url::from_file_path(path).ok()?.into())
}

/// The path of a `file://` URI; `None` for any other URI.
pub(crate) fn to_path(uri: &str) -> Option<PathBuf> {
    Url::parse(uri).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// The title of a track that has none: the file name without its extension, or the last part of the URI's path.
pub(crate) fn default_title(uri: &str, path: Option<&Path>) -> String {
    match path {
        Some(path) => path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        None => redact_addresses(uri).rsplit('/').next().unwrap_or_default().into(),
    }
}

/// The absolute path of a library that is given as a path or as a `file://` URI.
///
/// # Errors
/// The text is empty, a URI of another scheme, or names nothing that exists.
pub(crate) fn resolve_source(source: &str) -> Result<PathBuf, Error> {
    if source.is_empty() {
        return Err(Error::NotGiven);
    }
    let path = match Url::parse(source) {
        // A scheme of a single letter is the drive of a path.
        Ok(url) if url.scheme().len() > 1 => {
            url.to_file_path().map_err(|()| Error::NotLocal(source.into()))?
        }
        _ => PathBuf::from(source),
    };
    match std::path::absolute(&path) {
        Ok(absolute) if absolute.exists() => Ok(absolute),
        _ => Err(Error::Missing(path)),
    }
}
