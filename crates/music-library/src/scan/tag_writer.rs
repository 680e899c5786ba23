//! Writing of values that take precedence over the tags into audio files, only on request.
//!
//! The tags are written to a copy beside the file, which is then renamed over it, so that the file is
//! complete at any time.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use atomic_file::TemporaryFile;
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};

use super::{ScanReport, file_state, write};
use crate::database::{Database, TrackRecord};
use crate::listing::ListedTrack;
use crate::metadata::{Field, Provenance, SourcedValue};
use crate::tags::{FileTags, REPLAY_GAIN_REFERENCE};
use crate::{Error, SkippedItem};

/// Confidence from which an estimate is written to tags, 0 to 1.
const MIN_CONFIDENCE: f64 = 0.5;
/// Difference up to which two numbers count as the same: tags have few digits.
const NUMBER_TOLERANCE: f64 = 0.5;

/// Writes the tags of all local files of a scan, until `cancel` is set.
pub(super) fn write_tags(
    database: &Database,
    tracks: &[ListedTrack],
    cancel: &AtomicBool,
    report: &mut ScanReport,
) -> Result<(), Error> {
    for track in tracks {
        if cancel.load(Ordering::Relaxed) {
            report.cancelled = true;
            break;
        }
        let Some(path) = &track.path else { continue };
        let record = database.find_track(&track.uri, "")?;
        let items = collect_items(&record);
        if record.problem.is_some() || items.is_empty() {
            continue;
        }
        let new_state = rewrite_file(path, &items).and_then(|changed| {
            let state = changed.then(|| file_state::read_stamp_and_hash(path));
            state.transpose().map_err(|error| error.to_string())
        });
        match new_state {
            Ok(None) => {}
            Ok(Some((stamp, hash))) => {
                let tags = FileTags::read(path, true).to_values();
                database.map_sql_error(database.transaction(|connection| {
                    write::write_rewritten_file(connection, record.id, stamp, &hash, &tags)
                }))?;
                report.tags_written += 1;
            }
            Err(reason) => {
                let reason = format!("its tags cannot be written: {reason}");
                report.failed.push(SkippedItem { name: path.display().to_string(), reason });
            }
        }
    }
    Ok(())
}

/// Collects the tag items whose best value is certain enough and differs from the tags.
fn collect_items(record: &TrackRecord) -> Vec<(ItemKey, String)> {
    let value_to_write = |field: Field| {
        let best = record.best_value(field)?;
        let is_certain = best.provenance > Provenance::Estimated || best.confidence >= MIN_CONFIDENCE;
        let is_tagged = record.value_from(field, Provenance::Tag).is_some_and(|tag| is_same_value(tag, best));
        (is_certain && !is_tagged).then_some(best)
    };
    let text = |field: Field, key| value_to_write(field).map(|best| (key, best.value.to_string()));
    let gain =
        |best: &SourcedValue| Some(format!("{:.2} dB", REPLAY_GAIN_REFERENCE - best.value.as_number()?));
    // ReplayGain writes the peak as a linear factor of full scale.
    let peak = || Some(format!("{:.6}", 10f64.powf(record.number(Field::TruePeak)? / 20.0)));
    let loudness = value_to_write(Field::Loudness);
    [
        text(Field::Title, ItemKey::TrackTitle),
        text(Field::Artist, ItemKey::TrackArtist),
        text(Field::Album, ItemKey::AlbumTitle),
        text(Field::Genre, ItemKey::Genre),
        text(Field::Mood, ItemKey::Mood),
        text(Field::Key, ItemKey::InitialKey),
        value_to_write(Field::Bpm)
            .and_then(|best| Some((ItemKey::IntegerBpm, format!("{:.0}", best.value.as_number()?)))),
        loudness.and_then(|best| Some((ItemKey::ReplayGainTrackGain, gain(best)?))),
        loudness.and_then(|_| Some((ItemKey::ReplayGainTrackPeak, peak()?))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether two values are the same up to the precision of tags.
fn is_same_value(first: &SourcedValue, second: &SourcedValue) -> bool {
    match (first.value.as_number(), second.value.as_number()) {
        (Some(first), Some(second)) => (first - second).abs() <= NUMBER_TOLERANCE,
        _ => first.value == second.value,
    }
}

/// Writes tag items to a file by way of a copy; whether the file has changed. Where another program writes to the same file
/// meanwhile, what is written last counts.
fn rewrite_file(path: &Path, items: &[(ItemKey, String)]) -> Result<bool, String> {
    let to_text = |error: std::io::Error| error.to_string();
    let copy = TemporaryFile::create_for(path).map_err(to_text)?;
    fs::copy(path, copy.path()).map_err(to_text)?;
    let changed = catch_unwind(AssertUnwindSafe(|| insert_items(copy.path(), items)))
        .unwrap_or_else(|_| Err("its tags are broken".into()))?;
    if changed {
        copy.as_file().sync_all().and_then(|()| copy.persist()).map_err(to_text)?;
    }
    Ok(changed)
}

/// Inserts items into the primary tag of a file; whether the file has changed. Items that the type of tag
/// does not support are left out.
fn insert_items(path: &Path, items: &[(ItemKey, String)]) -> Result<bool, String> {
    let to_text = |error: &dyn std::fmt::Display| error.to_string();
    let probe = Probe::open(path).map_err(|error| to_text(&error))?.options(ParseOptions::new());
    let probe = probe.guess_file_type().map_err(|error| to_text(&error))?;
    let mut file = probe.read().map_err(|error| to_text(&error))?;
    let tag_type = file.primary_tag_type();
    if file.primary_tag().is_none() {
        file.insert_tag(Tag::new(tag_type));
    }
    let Some(tag) = file.primary_tag_mut() else { return Err("it takes no tags".into()) };
    let mut changed = false;
    for (key, text) in items {
        let key = match (key, tag_type) {
            // These store the tempo as a text.
            (ItemKey::IntegerBpm, TagType::VorbisComments | TagType::Mp4Ilst) => ItemKey::Bpm,
            (key, _) => *key,
        };
        changed |= tag.get_string(key) != Some(text) && tag.insert_text(key, text.clone());
    }
    if changed {
        file.save_to_path(path, WriteOptions::default()).map_err(|error| to_text(&error))?;
    }
    Ok(changed)
}
