//! M3U, M3U8 and XSPF playlists.
//!
//! M3U has no specification: a line is a location, `#EXTINF:SECONDS,ARTIST - TITLE` describes the next one.
//! M3U8 is the same in UTF-8. HTTP Live Streaming (RFC 8216) uses the format for the segments of a single
//! stream; such a list is an error. XSPF is version 1 of <https://www.xspf.org/spec>.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::{ListedTrack, Listing};
use crate::{Error, SkippedItem, SourceAccess};

/// The XML namespace of XSPF, versions 0 and 1.
const XSPF_NAMESPACE: &str = "http://xspf.org/ns/0/";

/// An entry of a playlist.
#[derive(Debug, Default, PartialEq)]
struct Entry {
    /// A URI or a path, as the playlist has it.
    location: String,
    title: Option<String>,
    artist: Option<String>,
}

/// Lists the tracks of a playlist in its order; see [`Listing::read`].
pub(super) fn list(
    path: &Path,
    access: SourceAccess,
    is_known: &dyn Fn(&Path, &str) -> bool,
) -> Result<Listing, Error> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let parse = match extension.to_ascii_lowercase().as_str() {
        "m3u8" | "m3u" => parse_m3u,
        "xspf" => parse_xspf,
        _ => return Err(Error::UnknownKind(path.into())),
    };
    let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let entries = parse(&decode_text(&bytes))
        .map_err(|reason| Error::BrokenPlaylist { path: path.into(), reason: reason.to_string() })?;
    let mut listing = Listing::default();
    let mut uris = HashSet::new();
    let folder = PlaylistFolder::containing(path);
    let is_allowed = |file: &Path, uri: &str| folder.contains(file) || is_known(file, uri);
    for entry in entries {
        let location = entry.location.clone();
        match resolve_entry(entry, path, access, &is_allowed) {
            Ok(track) if uris.insert(track.uri.clone()) => listing.tracks.push(track),
            Ok(_) => {}
            Err(reason) => listing.skipped.push(SkippedItem { name: location, reason }),
        }
    }
    Ok(listing)
}

/// Decodes UTF-8 where it is valid, otherwise Latin-1, the encoding of older M3U files.
fn decode_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').into(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Tells whether files lie in the folder of a playlist. A playlist is untrusted input and may refer to other
/// files only with permission.
struct PlaylistFolder {
    /// The folder as the playlist's path has it, without `.` and `..`.
    path: PathBuf,
    /// The folder with links resolved; `None` where it cannot be read.
    canonical_path: Option<PathBuf>,
}

impl PlaylistFolder {
    /// The folder that contains a playlist.
    fn containing(playlist: &Path) -> Self {
        let path = normalize(playlist.parent().unwrap_or(Path::new("/")));
        Self { canonical_path: path.canonicalize().ok(), path }
    }

    /// Whether the folder contains a file, as its path says or with links resolved. A link in the folder may
    /// lead out of it: the folder's owner has made it.
    fn contains(&self, file: &Path) -> bool {
        let canonical = || file.canonicalize().ok().zip(self.canonical_path.as_ref());
        file.starts_with(&self.path) || canonical().is_some_and(|(file, folder)| file.starts_with(folder))
    }
}

/// Removes `.` and `..` from a path without looking at the file system.
fn normalize(path: &Path) -> PathBuf {
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

/// Resolves an entry to a track. The error says for the user why that is not possible or not allowed.
fn resolve_entry(
    entry: Entry,
    playlist: &Path,
    access: SourceAccess,
    is_allowed: &dyn Fn(&Path, &str) -> bool,
) -> Result<ListedTrack, String> {
    let track = match resolve_location(&entry.location, playlist) {
        Location::File(path) if path.is_file() => {
            let track =
                ListedTrack::from_file(path.clone()).ok_or_else(|| String::from("not an absolute path"))?;
            if !access.outside_folder && !is_allowed(&path, &track.uri) {
                return Err("outside the playlist's folder; set allow-outside to play it".into());
            }
            track
        }
        Location::File(path) => return Err(format!("no such file: {}", path.display())),
        Location::Network(_) if !access.network => {
            return Err("on the network; set allow-network to play it".into());
        }
        Location::Network(url) => ListedTrack { uri: url.into(), ..ListedTrack::default() },
        Location::Unsupported => return Err("neither a file nor an http or https address".into()),
    };
    Ok(ListedTrack { title: entry.title, artist: entry.artist, ..track })
}

/// What the location of an entry refers to.
enum Location {
    /// A local file, which need not exist.
    File(PathBuf),
    /// An `http` or `https` address.
    Network(Url),
    /// A URI of another scheme.
    Unsupported,
}

/// Resolves a location: a URI, an absolute path, or a path relative to the playlist's folder.
fn resolve_location(location: &str, playlist: &Path) -> Location {
    match Url::parse(location) {
        Ok(url) if url.scheme() == "file" => {
            url.to_file_path().map_or(Location::Unsupported, |path| Location::File(normalize(&path)))
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") => Location::Network(url),
        Ok(url) if location[url.scheme().len()..].starts_with("://") => Location::Unsupported,
        _ => Location::File(normalize(&playlist.parent().unwrap_or(Path::new("/")).join(location))),
    }
}

/// Parses M3U and M3U8. Fails for a list of HTTP Live Streaming, which has tags such as `#EXT-X-VERSION`.
fn parse_m3u(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let mut entries = Vec::new();
    let mut next = Entry::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("#EXT-X-") {
            return Err("it lists the pieces of one stream (HLS), not music".into());
        } else if let Some(info) = line.strip_prefix("#EXTINF:") {
            let name = info.split_once(',').map_or("", |(_, name)| name.trim());
            let (artist, title) = match name.split_once(" - ") {
                Some((artist, title)) => (Some(artist), title),
                None => (None, name),
            };
            next.title = (!title.is_empty()).then(|| title.trim().into());
            next.artist = artist.map(|artist| artist.trim().into());
        } else if !line.starts_with('#') {
            entries.push(Entry { location: line.into(), ..std::mem::take(&mut next) });
        }
    }
    Ok(entries)
}

/// Parses XSPF. Tracks without a location are left out.
fn parse_xspf(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let document = roxmltree::Document::parse(text)?;
    let playlist = document.root_element();
    if !playlist.has_tag_name((XSPF_NAMESPACE, "playlist")) {
        return Err(format!("its root is not a playlist of namespace {XSPF_NAMESPACE}").into());
    }
    let tracks = playlist.children().filter(|node| node.has_tag_name((XSPF_NAMESPACE, "trackList")));
    let tracks =
        tracks.flat_map(|list| list.children()).filter(|node| node.has_tag_name((XSPF_NAMESPACE, "track")));
    let entries = tracks.filter_map(|track| {
        let text = |name| {
            let node = track.children().find(|node| node.has_tag_name((XSPF_NAMESPACE, name)))?;
            node.text().map(str::trim).filter(|text| !text.is_empty()).map(String::from)
        };
        // A location is a URI reference: a relative path is percent-encoded, too.
        let location = text("location")?;
        let location = match Url::parse(&location) {
            Ok(_) => location,
            Err(_) => percent_encoding::percent_decode_str(&location).decode_utf8_lossy().into_owned(),
        };
        Some(Entry { location, title: text("title"), artist: text("creator") })
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3u_entries_with_titles() {
        let text = "#EXTM3U\r\n#EXTINF:12,Nobody - Morning\r\na/b.flac\r\n\r\n# a remark\nc d.ogg\n";
        let entries = parse_m3u(text).unwrap();
        let first = Entry {
            location: "a/b.flac".into(),
            title: Some("Morning".into()),
            artist: Some("Nobody".into()),
        };
        assert_eq!(entries, [first, Entry { location: "c d.ogg".into(), ..Entry::default() }]);
        assert!(parse_m3u("#EXTM3U\n#EXT-X-VERSION:3\n").is_err());
    }

    #[test]
    fn xspf_entries() {
        let text = r#"<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
            <track><location>c%20d.ogg</location><title>Evening</title><creator>Nobody</creator></track>
            <track><title>no location</title></track>
            <track><location>https://example.org/x.mp3</location></track></trackList></playlist>"#;
        let entries = parse_xspf(text).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].location.as_str(), entries[0].title.as_deref()), ("c d.ogg", Some("Evening")));
        assert_eq!(entries[1].location, "https://example.org/x.mp3");
        assert!(parse_xspf("<playlist/>").is_err() && parse_xspf("<playl").is_err());
    }

    #[test]
    fn locations_are_resolved() {
        let playlist = Path::new("/music/list.m3u8");
        let file = |text| match resolve_location(text, playlist) {
            Location::File(path) => path,
            _ => panic!("{text}"),
        };
        assert_eq!(file("a/b.ogg"), Path::new("/music/a/b.ogg"));
        assert_eq!(file("/x/b.ogg"), Path::new("/x/b.ogg"));
        assert_eq!(file("file:///x/b%20c.ogg"), Path::new("/x/b c.ogg"));
        assert_eq!(file("Suite: I.ogg"), Path::new("/music/Suite: I.ogg"));
        assert_eq!(file("a/../../etc/./b.ogg"), Path::new("/etc/b.ogg"));
        assert!(matches!(resolve_location("http://a/b", playlist), Location::Network(_)));
        assert!(matches!(resolve_location("smb://a/b", playlist), Location::Unsupported));
    }
}
