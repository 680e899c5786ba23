//! Reads M3U8 (and M3U) and XSPF playlists.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::listing::{Listed, Listing};
use crate::{Access, Error, Skipped};

/// The namespace of XSPF 1 (https://www.xspf.org/spec).
const XSPF: &str = "http://xspf.org/ns/0/";

/// A line of a playlist.
#[derive(Debug, Default, PartialEq)]
struct Entry {
    location: String,
    title: Option<String>,
    artist: Option<String>,
}

/// `holds`: whether the library holds a file in any case, given its path and its uri.
pub(crate) fn list(
    path: &Path,
    access: Access,
    holds: &dyn Fn(&Path, &str) -> bool,
) -> Result<Listing, Error> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let parse = match ending.as_str() {
        "m3u8" | "m3u" => m3u,
        "xspf" => xspf,
        _ => return Err(Error::UnknownKind(path.into())),
    };
    let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let entries = parse(&decode(&bytes))
        .map_err(|reason| Error::BrokenPlaylist { path: path.into(), reason: reason.to_string() })?;
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    let inside = Inside::of(path);
    for entry in entries {
        let location = entry.location.clone();
        match find(entry, path, access, &|path, uri| inside.holds(path) || holds(path, uri)) {
            Ok(listed) if seen.insert(listed.uri.clone()) => listing.files.push(listed),
            Ok(_) => {}
            Err(why) => listing.skipped.push(Skipped { what: location, why }),
        }
    }
    Ok(listing)
}

/// UTF-8 where it is valid, else Latin-1, which old M3U files are written in.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').into(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// What lies below a playlist's folder. A list comes from anywhere: it must not reach for what its folder does not hold.
struct Inside {
    folder: PathBuf,
    /// Without links; `None` where the folder cannot be read.
    real: Option<PathBuf>,
}

impl Inside {
    fn of(playlist: &Path) -> Self {
        let folder = plain(playlist.parent().unwrap_or(Path::new("/")));
        Self { real: folder.canonicalize().ok(), folder }
    }

    /// A link inside that leads out is its owner's word.
    fn holds(&self, path: &Path) -> bool {
        let real = || path.canonicalize().ok().zip(self.real.as_ref());
        path.starts_with(&self.folder) || real().is_some_and(|(path, folder)| path.starts_with(folder))
    }
}

/// Without `.` and `..`, as written.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            part => plain.push(part),
        }
    }
    plain
}

fn find(
    entry: Entry,
    playlist: &Path,
    access: Access,
    holds: &dyn Fn(&Path, &str) -> bool,
) -> Result<Listed, String> {
    let found = match locate(&entry.location, playlist) {
        Location::File(path) if path.is_file() => {
            let listed = Listed::file(path.clone()).ok_or_else(|| String::from("not an absolute path"))?;
            if !access.outside && !holds(&path, &listed.uri) {
                return Err("outside the playlist's folder; set allow-outside to play it".into());
            }
            listed
        }
        Location::File(path) => return Err(format!("no such file: {}", path.display())),
        Location::Network(_) if !access.network => {
            return Err("on the network; set allow-network to play it".into());
        }
        Location::Network(url) => Listed { uri: url.into(), ..Listed::default() },
        Location::Unknown => return Err("neither a file nor an http or https address".into()),
    };
    Ok(Listed { title: entry.title, artist: entry.artist, ..found })
}

enum Location {
    File(PathBuf),
    Network(Url),
    Unknown,
}

fn locate(location: &str, playlist: &Path) -> Location {
    match Url::parse(location) {
        Ok(url) if url.scheme() == "file" => {
            url.to_file_path().map_or(Location::Unknown, |path| Location::File(plain(&path)))
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") => Location::Network(url),
        Ok(url) if location[url.scheme().len()..].starts_with("://") => Location::Unknown,
        _ => Location::File(plain(&playlist.parent().unwrap_or(Path::new("/")).join(location))),
    }
}

fn m3u(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
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

fn xspf(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let document = roxmltree::Document::parse(text)?;
    let playlist = document.root_element();
    if !playlist.has_tag_name((XSPF, "playlist")) {
        return Err(format!("its root is not a playlist of namespace {XSPF}").into());
    }
    let tracks = playlist.children().filter(|node| node.has_tag_name((XSPF, "trackList")));
    let tracks = tracks.flat_map(|list| list.children()).filter(|node| node.has_tag_name((XSPF, "track")));
    let entries = tracks.filter_map(|track| {
        let text = |name| {
            let node = track.children().find(|node| node.has_tag_name((XSPF, name)))?;
            node.text().map(str::trim).filter(|text| !text.is_empty()).map(String::from)
        };
        // A location is a URI: what is relative is still percent-encoded.
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
    fn m3u_lines_and_their_titles() {
        let text = "#EXTM3U\r\n#EXTINF:12,Nobody - Morning\r\na/b.flac\r\n\r\n# a remark\nc d.ogg\n";
        let entries = m3u(text).unwrap();
        let first = Entry {
            location: "a/b.flac".into(),
            title: Some("Morning".into()),
            artist: Some("Nobody".into()),
        };
        assert_eq!(entries, [first, Entry { location: "c d.ogg".into(), ..Entry::default() }]);
        assert!(m3u("#EXTM3U\n#EXT-X-VERSION:3\n").is_err());
    }

    #[test]
    fn xspf_tracks() {
        let text = r#"<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
            <track><location>c%20d.ogg</location><title>Evening</title><creator>Nobody</creator></track>
            <track><title>no location</title></track>
            <track><location>https://example.org/x.mp3</location></track></trackList></playlist>"#;
        let entries = xspf(text).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].location.as_str(), entries[0].title.as_deref()), ("c d.ogg", Some("Evening")));
        assert_eq!(entries[1].location, "https://example.org/x.mp3");
        assert!(xspf("<playlist/>").is_err() && xspf("<playl").is_err());
    }

    #[test]
    fn locations_are_files_addresses_or_neither() {
        let list = Path::new("/music/list.m3u8");
        let file = |text| match locate(text, list) {
            Location::File(path) => path,
            _ => panic!("{text}"),
        };
        assert_eq!(file("a/b.ogg"), Path::new("/music/a/b.ogg"));
        assert_eq!(file("/x/b.ogg"), Path::new("/x/b.ogg"));
        assert_eq!(file("file:///x/b%20c.ogg"), Path::new("/x/b c.ogg"));
        assert_eq!(file("Suite: I.ogg"), Path::new("/music/Suite: I.ogg"));
        assert_eq!(file("a/../../etc/./b.ogg"), Path::new("/etc/b.ogg"));
        assert!(matches!(locate("http://a/b", list), Location::Network(_)));
        assert!(matches!(locate("smb://a/b", list), Location::Unknown));
    }
}
