//! Reads what a file says of itself, and what the file beside it says of its mood.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag};

use crate::asf;

/// More than this beside a file is not a few words.
const SIDECAR_LIMIT: u64 = 4096;

/// What a file's tags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) moods: Vec<String>,
}

/// The tags of a file; none where they are missing or broken.
pub(crate) fn read(path: &Path) -> Tags {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("wma")) {
        return asf::read(path).unwrap_or_default();
    }
    // A tag is a stranger's bytes: should the parser ever give up on one, the file is untagged, nothing more.
    catch_unwind(AssertUnwindSafe(|| read_tags(path))).ok().flatten().unwrap_or_default()
}

fn read_tags(path: &Path) -> Option<Tags> {
    let options = ParseOptions::new().read_properties(false).read_cover_art(false);
    // By content where it can be told: an ending may lie.
    let file = Probe::open(path).ok()?.options(options).guess_file_type().ok()?.read().ok()?;
    let tags: Vec<&Tag> = file.primary_tag().into_iter().chain(file.tags()).collect();
    let first = |key| tags.iter().flat_map(|tag| tag.get_strings(key)).find_map(clean);
    let moods = tags.iter().map(|tag| tag.get_strings(ItemKey::Mood).filter_map(clean).collect::<Vec<_>>());
    Some(Tags {
        title: first(ItemKey::TrackTitle),
        artist: first(ItemKey::TrackArtist),
        moods: moods.into_iter().find(|moods| !moods.is_empty()).unwrap_or_default(),
    })
}

fn clean(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// The words of `<file>.mood`; `None` where there is no such file or it says nothing.
pub(crate) fn sidecar(path: &Path) -> Option<Vec<String>> {
    let mut name = OsString::from(path);
    name.push(".mood");
    if std::fs::metadata(&name).ok()?.len() > SIDECAR_LIMIT {
        return None;
    }
    let text = std::fs::read_to_string(&name).ok()?;
    let words: Vec<String> =
        text.trim_start_matches('\u{feff}').split([',', ';', '\n']).filter_map(clean).collect();
    (!words.is_empty()).then_some(words)
}
