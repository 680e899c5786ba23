//! Writes into music files what the library knows better than their tags. Only ever on request.
//!
//! A copy is tagged beside the file and renamed into its place, so that a file is whole at every moment.

use std::ffi::OsString;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};

use crate::database::Database;
use crate::listing::Listed;
use crate::scan::{Report, reread, rewritten};
use crate::store::Entry;
use crate::value::{Field, Provenance, Stated};
use crate::{Error, Skipped, tags};

/// An estimate that is less sure than this stays in the database.
const SURE: f64 = 0.5;
/// What ReplayGain 2.0 brings a track to, LUFS.
const REPLAY_GAIN: f64 = -18.0;

pub(crate) fn run(
    database: &Database,
    files: &[Listed],
    cancel: &AtomicBool,
    report: &mut Report,
) -> Result<(), Error> {
    for file in files {
        if cancel.load(Ordering::Relaxed) {
            report.cancelled = true;
            break;
        }
        let Some(path) = &file.path else { continue };
        let entry = database.find(&file.uri, "")?;
        let items = items(&entry);
        if entry.problem.is_some() || items.is_empty() {
            continue;
        }
        let written = write(path, &items)
            .and_then(|changed| changed.then(|| reread(path)).transpose().map_err(|error| error.to_string()));
        match written {
            Ok(None) => {}
            Ok(Some((stamp, hash))) => {
                let tags = tags::read(path, true).stated();
                database.told(
                    database.written(|connection| rewritten(connection, entry.id, stamp, &hash, &tags)),
                )?;
                report.written += 1;
            }
            Err(why) => {
                let why = format!("its tags cannot be written: {why}");
                report.failed.push(Skipped { what: path.display().to_string(), why });
            }
        }
    }
    Ok(())
}

/// What the tags of a track should say and do not.
fn items(entry: &Entry) -> Vec<(ItemKey, String)> {
    let better = |field: Field| {
        let said = entry.get(field)?;
        let sure = said.provenance > Provenance::Estimated || said.confidence >= SURE;
        let known = entry.said(field, Provenance::Tag).is_some_and(|tag| same(tag, said));
        (sure && !known).then_some(said)
    };
    let text = |field: Field, key| better(field).map(|said| (key, said.value.to_string()));
    let gain = |said: &Stated| Some(format!("{:.2} dB", REPLAY_GAIN - said.value.number()?));
    let peak = |entry: &Entry| Some(format!("{:.6}", 10f64.powf(entry.number(Field::TruePeak)? / 20.0)));
    let loudness = better(Field::Loudness);
    [
        text(Field::Title, ItemKey::TrackTitle),
        text(Field::Artist, ItemKey::TrackArtist),
        text(Field::Album, ItemKey::AlbumTitle),
        text(Field::Genre, ItemKey::Genre),
        text(Field::Mood, ItemKey::Mood),
        text(Field::Key, ItemKey::InitialKey),
        better(Field::Bpm)
            .and_then(|said| Some((ItemKey::IntegerBpm, format!("{:.0}", said.value.number()?)))),
        loudness.and_then(|said| Some((ItemKey::ReplayGainTrackGain, gain(said)?))),
        loudness.and_then(|_| Some((ItemKey::ReplayGainTrackPeak, peak(entry)?))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Tags write numbers with few digits.
fn same(one: &Stated, other: &Stated) -> bool {
    match (one.value.number(), other.value.number()) {
        (Some(one), Some(other)) => (one - other).abs() <= 0.5,
        _ => one.value == other.value,
    }
}

/// Whether the file is another now.
fn write(path: &Path, items: &[(ItemKey, String)]) -> Result<bool, String> {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".gst-mood");
    let copy = path.with_file_name(name);
    let written = fs::copy(path, &copy).map_err(|error| error.to_string()).and_then(|_| {
        let changed = catch_unwind(AssertUnwindSafe(|| tag(&copy, items)))
            .unwrap_or_else(|_| Err("its tags are broken".into()))?;
        if changed {
            let whole = fs::File::open(&copy).and_then(|file| file.sync_all());
            whole.and_then(|()| fs::rename(&copy, path)).map_err(|error| error.to_string())?;
        }
        Ok(changed)
    });
    if written != Ok(true) {
        // What cannot be removed is a copy, nothing lost.
        let _ = fs::remove_file(&copy);
    }
    written
}

/// Whether there was anything to write.
fn tag(path: &Path, items: &[(ItemKey, String)]) -> Result<bool, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let probe = Probe::open(path).map_err(|error| words(&error))?.options(ParseOptions::new());
    let probe = probe.guess_file_type().map_err(|error| words(&error))?;
    let mut file = probe.read().map_err(|error| words(&error))?;
    let kind = file.primary_tag_type();
    if file.primary_tag().is_none() {
        file.insert_tag(Tag::new(kind));
    }
    let Some(tag) = file.primary_tag_mut() else { return Err("it takes no tags".into()) };
    let mut changed = false;
    for (key, text) in items {
        let key = match (key, kind) {
            // These have a place for it as a text.
            (ItemKey::IntegerBpm, TagType::VorbisComments | TagType::Mp4Ilst) => ItemKey::Bpm,
            (key, _) => *key,
        };
        // What this kind of tag has no place for stays unsaid.
        changed |= tag.get_string(key) != Some(text) && tag.insert_text(key, text.clone());
    }
    if changed {
        file.save_to_path(path, WriteOptions::default()).map_err(|error| words(&error))?;
    }
    Ok(changed)
}
