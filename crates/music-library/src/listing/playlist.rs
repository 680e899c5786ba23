//! M3U, M3U8, PLS and XSPF playlists.
//!
//! M3U has no specification: a line is a location, `#EXTINF:SECONDS,ARTIST - TITLE` describes the next one. M3U8 is the same in
//! UTF-8. HTTP Live Streaming (RFC 8216) uses the format for the segments of a single stream; such a list is an error. PLS
//! has no specification either: the section `[playlist]` of an INI file with `File1=`, `Title1=` and so on. XSPF is version 1 of
//! <https://www.xspf.org/spec>.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use url::Url;

use super::location::{Location, LocationResolver, normalize};
use super::{ListedTrack, Listing};
use crate::{Error, SkippedItem, SourceAccess, text};

/// The XML namespace of XSPF, versions 0 and 1.
const XSPF_NAMESPACE: &str = "http://xspf.org/ns/0/";
/// The namespace of the attribute `xml:base` (<https://www.w3.org/TR/xmlbase/>).
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// An entry of a playlist.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    /// A URI or a path, as the playlist has it.
    location: String,
    title: Option<String>,
    artist: Option<String>,
    /// Whether it is a line of an M3U list that begins with `#`: a comment, unless there is a file with this name.
    may_be_comment: bool,
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
        "pls" => parse_pls,
        "xspf" => parse_xspf,
        _ => return Err(Error::UnknownKind(path.into())),
    };
    let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let entries = parse(&text::decode(&bytes))
        .map_err(|reason| Error::BrokenPlaylist { path: path.into(), reason: reason.to_string() })?;
    let mut listing = Listing::default();
    let mut uris = HashSet::new();
    let folder = PlaylistFolder::containing(path);
    let mut resolver = LocationResolver::new(folder.path.clone());
    let is_allowed = |file: &Path, uri: &str| folder.contains(file) || is_known(file, uri);
    let entries: Vec<(Entry, Location)> = entries
        .into_iter()
        .map(|entry| {
            let location = resolver.resolve(&entry.location);
            (entry, location)
        })
        .filter(|(entry, location)| !entry.may_be_comment || matches!(location, Location::File(_)))
        .collect();
    let claims = count_claims(&entries);
    for (entry, location) in entries {
        let name = entry.location.clone();
        let location = match location {
            Location::SameName(path) if claims.get(&path).is_some_and(|count| *count > 1) => {
                let reason = format!(
                    "only its name agrees with {}, which other entries mean too; correct the playlist, or put the file there",
                    path.display()
                );
                listing.skipped.push(SkippedItem { name, reason });
                continue;
            }
            Location::SameName(path) => {
                let reason = format!("taken for {}, of which only the name agrees", path.display());
                listing.assumed.push(SkippedItem { name: name.clone(), reason });
                Location::File(path)
            }
            location => location,
        };
        match to_track(entry, location, access, &is_allowed) {
            Ok(track) if uris.insert(track.uri.clone()) => listing.tracks.push(track),
            Ok(_) => {}
            Err(reason) => listing.skipped.push(SkippedItem { name, reason }),
        }
    }
    Ok(listing)
}

/// How many different locations mean each file that is the only one of its name.
fn count_claims(entries: &[(Entry, Location)]) -> HashMap<PathBuf, usize> {
    let mut locations: HashMap<PathBuf, HashSet<&str>> = HashMap::new();
    for (entry, location) in entries {
        if let Location::File(path) | Location::SameName(path) = location {
            locations.entry(path.clone()).or_default().insert(entry.location.trim());
        }
    }
    locations.into_iter().map(|(path, locations)| (path, locations.len())).collect()
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

/// The track of an entry whose location is resolved. The error says for the user why that is not possible or not allowed.
fn to_track(
    entry: Entry,
    location: Location,
    access: SourceAccess,
    is_allowed: &dyn Fn(&Path, &str) -> bool,
) -> Result<ListedTrack, String> {
    let track = match location {
        Location::File(path) | Location::SameName(path) => {
            let track =
                ListedTrack::from_file(path.clone()).ok_or_else(|| String::from("not an absolute path"))?;
            if !access.outside_folder && !is_allowed(&path, &track.uri) {
                return Err("outside the playlist's folder; set allow-outside to play it".into());
            }
            track
        }
        Location::Missing(path) => {
            return Err(format!(
                "no such file: {}; correct the playlist, or put the file there",
                path.display()
            ));
        }
        Location::Network(_) if !access.network => {
            return Err("on the network; set allow-network to play it".into());
        }
        Location::Network(url) => ListedTrack { uri: url.into(), ..ListedTrack::default() },
        Location::Unsupported => return Err("neither a file nor an http or https address".into()),
    };
    Ok(ListedTrack { title: entry.title, artist: entry.artist, ..track })
}

/// Splits `ARTIST - TITLE`, or the title alone, into title and artist; empty parts are `None`.
fn split_name(name: &str) -> (Option<String>, Option<String>) {
    let to_option = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match name.split_once(" - ") {
        Some((artist, title)) => (to_option(title), to_option(artist)),
        None => (to_option(name), None),
    }
}

/// Parses M3U and M3U8. Lines end with any of CR, LF and CR LF. Fails for a list of HTTP Live Streaming, which has tags such
/// as `#EXT-X-VERSION`.
fn parse_m3u(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let mut entries = Vec::new();
    let mut next = Entry::default();
    for line in text.split(['\r', '\n']).filter(|line| !line.trim().is_empty()) {
        let tag = line.trim_start();
        if tag.starts_with("#EXT-X-") {
            return Err("it lists the pieces of one stream (HLS), not music".into());
        } else if let Some(info) = tag.strip_prefix("#EXTINF:") {
            // Attributes such as `tvg-name="a, b"` may stand between the duration and the comma.
            let mut is_quoted = false;
            let comma = info.find(|c: char| {
                is_quoted ^= c == '"';
                c == ',' && !is_quoted
            });
            (next.title, next.artist) = split_name(comma.map_or("", |comma| &info[comma + 1..]));
        } else if tag.starts_with("#EXT") {
            // Another tag, such as `#EXTM3U` or `#EXTALB:`.
        } else if tag.starts_with('#') {
            entries.push(Entry { location: line.into(), may_be_comment: true, ..next.clone() });
        } else {
            entries.push(Entry { location: line.into(), ..std::mem::take(&mut next) });
        }
    }
    Ok(entries)
}

/// Parses PLS. Keys may be in upper or lower case, and the entries in any order.
fn parse_pls(text: &str) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let mut lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
    if !lines.next().is_some_and(|line| line.eq_ignore_ascii_case("[playlist]")) {
        return Err("it does not begin with [playlist]".into());
    }
    let mut entries: BTreeMap<u32, Entry> = BTreeMap::new();
    for (key, value) in lines.filter_map(|line| line.split_once('=')) {
        let key = key.trim().to_ascii_lowercase();
        let number = |prefix| key.strip_prefix(prefix).and_then(|number: &str| number.parse::<u32>().ok());
        if let Some(number) = number("file") {
            entries.entry(number).or_default().location = value.into();
        } else if let Some(number) = number("title") {
            let entry = entries.entry(number).or_default();
            (entry.title, entry.artist) = split_name(value);
        }
    }
    Ok(entries.into_values().filter(|entry| !entry.location.trim().is_empty()).collect())
}

/// Parses XSPF. Tracks without a location are left out. A location is a URI reference, relative to `xml:base` where there is one.
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
        let location = text("location")?;
        let base = track.ancestors().find_map(|node| node.attribute((XML_NAMESPACE, "base")));
        let location = base.and_then(|base| resolve_reference(base, &location)).unwrap_or(location);
        Some(Entry { location, title: text("title"), artist: text("creator"), may_be_comment: false })
    });
    Ok(entries.collect())
}

/// The location that a URI reference has behind a base; `None` where the reference is itself a URI or an absolute path.
/// A relative base stays relative, to the playlist's folder.
fn resolve_reference(base: &str, reference: &str) -> Option<String> {
    if reference.starts_with('/') || Url::parse(reference).is_ok() {
        return None;
    }
    match Url::parse(base) {
        Ok(base) => base.join(reference).ok().map(String::from),
        // RFC 3986 section 5.2.3: all behind the last slash of the base is replaced.
        Err(_) => Some(format!("{}{reference}", base.rfind('/').map_or("", |slash| &base[..=slash]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3u_entries_with_titles() {
        let text = "#EXTM3U\r\n#EXTINF:12 logo=\"a,b\",Nobody - Morning\r\na/b.flac\r\r\n# a remark\n#EXTALB:x\nc d.ogg\r";
        let entries = parse_m3u(text).unwrap();
        let first = Entry {
            location: "a/b.flac".into(),
            title: Some("Morning".into()),
            artist: Some("Nobody".into()),
            may_be_comment: false,
        };
        let comment = Entry { location: "# a remark".into(), may_be_comment: true, ..Entry::default() };
        assert_eq!(entries, [first, comment, Entry { location: "c d.ogg".into(), ..Entry::default() }]);
        assert!(parse_m3u("#EXTM3U\n#EXT-X-VERSION:3\n").is_err());
    }

    #[test]
    fn a_file_is_not_taken_for_the_songs_of_two_albums() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["01.flac", "02.flac", "03.flac"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let playlist = folder.path().join("list.m3u");
        let lines = [
            "C:\\Queen\\01.flac",
            "C:\\Abba\\01.flac",
            "C:\\Queen\\02.flac",
            "C:\\Queen\\03.flac",
            "03.flac",
        ];
        std::fs::write(&playlist, lines.join("\r\n")).unwrap();
        let listing = list(&playlist, SourceAccess::default(), &|_, _| false).unwrap();
        let names = |items: &[SkippedItem]| items.iter().map(|item| item.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&listing.skipped), [lines[0], lines[1], lines[3]]);
        assert_eq!(names(&listing.assumed), [lines[2]]);
        let titles: Vec<String> = listing.tracks.iter().map(ListedTrack::default_title).collect();
        assert_eq!(titles, ["02", "03"]);
    }

    #[test]
    fn pls_entries() {
        let text = "[Playlist]\nFile2=b.ogg\r\nfile1=a=1.flac\nTitle1=Nobody - Morning\nLength1=-1\nNumberOfEntries=2\nVersion=2\n";
        let entries = parse_pls(text).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].location.as_str(), entries[0].title.as_deref()),
            ("a=1.flac", Some("Morning"))
        );
        assert_eq!((entries[1].location.as_str(), &entries[1].title), ("b.ogg", &None));
        assert!(parse_pls("File1=a.flac").is_err());
    }

    #[test]
    fn references_are_resolved_against_their_base() {
        for (base, reference, expected) in [
            ("file:///music/old/", "a%20b.flac", Some("file:///music/old/a%20b.flac")),
            ("folder/", "a.flac", Some("folder/a.flac")),
            ("folder/list.xspf", "a.flac", Some("folder/a.flac")),
            ("https://example.org/m/", "a.flac", Some("https://example.org/m/a.flac")),
            ("folder/", "file:///x/a.flac", None),
            ("folder/", "/x/a.flac", None),
        ] {
            assert_eq!(resolve_reference(base, reference).as_deref(), expected, "{base} {reference}");
        }
    }

    #[test]
    fn xspf_entries() {
        let text = r#"<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
            <track><location>c%20d.ogg</location><title>Evening</title><creator>Nobody</creator></track>
            <track><title>no location</title></track>
            <track><location>https://example.org/x.mp3</location></track></trackList></playlist>"#;
        let entries = parse_xspf(text).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].location.as_str(), entries[0].title.as_deref()),
            ("c%20d.ogg", Some("Evening"))
        );
        assert_eq!(entries[1].location, "https://example.org/x.mp3");
        assert!(parse_xspf("<playlist/>").is_err() && parse_xspf("<playl").is_err());
    }
}
