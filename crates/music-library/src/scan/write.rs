//! What a scan writes to the database. Each function writes in one transaction.

use std::collections::HashSet;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};

use super::file_state::FileStamp;
use super::{AudioResult, ReadFile, ScanContext, ScanReport};
use crate::database::{self, Database, ScannedFile};
use crate::listing::ListedTrack;
use crate::metadata::{Field, Provenance, SourcedValue, Value};
use crate::{Error, SkippedItem, analysis, uri, vocabulary};

/// Writes tracks whose files have not changed: they are no longer missing, and a playlist may have new names
/// for them. Those that could not be played before are reported again.
pub(super) fn write_unchanged(
    database: &Database,
    context: &ScanContext<'_>,
    indices: &[usize],
    report: &mut ScanReport,
) -> Result<(), Error> {
    let unchanged = || {
        indices.iter().filter_map(|&index| {
            let track = &context.tracks[index];
            Some((track, context.known.get(&track.uri)?))
        })
    };
    for (track, known) in unchanged() {
        match &known.problem {
            Some(problem) => record_problem(track, problem.clone(), report),
            None => report.unchanged += 1,
        }
    }
    database.map_sql_error(database.transaction(|connection| {
        for (track, known) in unchanged() {
            if known.missing {
                connection.execute("UPDATE track SET missing = 0 WHERE id = ?", [known.id])?;
            }
            store_listed_names(connection, known.id, track)?;
        }
        Ok(())
    }))
}

/// Writes a batch of files that were read. `moved` collects the tracks that got a new URI in this scan.
pub(super) fn write_batch(
    database: &Database,
    context: &ScanContext<'_>,
    batch: &[ReadFile],
    moved: &mut HashSet<i64>,
    report: &mut ScanReport,
) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    database.map_sql_error(database.transaction(|connection| {
        batch.iter().try_for_each(|file| write_file(connection, context, file, moved, report))
    }))
}

/// Writes one file that was read.
fn write_file(
    connection: &Connection,
    context: &ScanContext<'_>,
    file: &ReadFile,
    moved: &mut HashSet<i64>,
    report: &mut ScanReport,
) -> rusqlite::Result<()> {
    let track = &context.tracks[file.index];
    // Another scan may have added the track since this one began.
    let present: Option<i64> = connection
        .prepare_cached("SELECT id FROM track WHERE uri = ?")?
        .query_row([&track.uri], |row| row.get(0))
        .optional()?;
    let same_content = match &file.audio {
        AudioResult::SameAs(uri) => context.known.get(uri),
        _ => None,
    };
    let (analysis_version, problem) = match &file.audio {
        AudioResult::NotAnalysed => (0, None),
        AudioResult::SameAs(_) => (analysis::VERSION, same_content.and_then(|same| same.problem.clone())),
        AudioResult::Analysed(_) => (analysis::VERSION, None),
        AudioResult::Failed(reason) => (analysis::VERSION, Some(reason.clone())),
    };
    let count = usize::from(problem.is_none());
    let id = match (present, same_content) {
        (Some(id), _) => {
            let is_known = context.known.contains_key(&track.uri);
            *(if is_known { &mut report.changed } else { &mut report.added }) += count;
            id
        }
        (None, Some(previous)) if is_gone(&file.audio) && moved.insert(previous.id) => {
            report.moved += count;
            connection.execute("UPDATE track SET uri = ? WHERE id = ?", params![track.uri, previous.id])?;
            previous.id
        }
        _ => {
            report.added += count;
            connection.execute("INSERT INTO track (uri) VALUES (?)", [&track.uri])?;
            connection.last_insert_rowid()
        }
    };
    let stamp = file.stamp;
    connection
        .prepare_cached(
            "UPDATE track SET size = ?, stamp = ?, hash = ?, analysed = ?, missing = 0, problem = ? WHERE id = ?",
        )?
        .execute(params![
            stamp.map(|stamp| stamp.size),
            stamp.map(|stamp| stamp.modified),
            (!file.hash.is_empty()).then_some(&file.hash),
            analysis_version,
            problem,
            id
        ])?;
    database::replace_values(connection, id, Provenance::Tag, &file.tags.to_values())?;
    match &file.audio {
        AudioResult::SameAs(_) => copy_estimates(connection, same_content, id)?,
        AudioResult::Analysed(features) => {
            report.analysed_duration += features.duration;
            database::replace_values(connection, id, Provenance::Estimated, &features.to_values())?;
        }
        AudioResult::NotAnalysed | AudioResult::Failed(_) => {
            database::replace_values(connection, id, Provenance::Estimated, &[])?;
        }
    }
    match problem {
        Some(reason) => record_problem(track, reason, report),
        None => {
            for word in file.tags.moods.iter().flat_map(|text| vocabulary::find_unknown(text)) {
                report.unknown_moods.entry(word.into()).or_default().push(track.display_name());
            }
        }
    }
    store_listed_names(connection, id, track)
}

/// Records that a listed track cannot be played.
fn record_problem(track: &ListedTrack, reason: String, report: &mut ScanReport) {
    report.listed -= 1;
    report.failed.push(SkippedItem { name: track.display_name(), reason });
}

/// Whether the file that had the same content no longer exists.
fn is_gone(audio: &AudioResult) -> bool {
    matches!(audio, AudioResult::SameAs(uri) if uri::to_path(uri).is_some_and(|path| !path.exists()))
}

/// Copies the estimates of a file with the same content to a track.
fn copy_estimates(
    connection: &Connection,
    same_content: Option<&ScannedFile>,
    id: i64,
) -> rusqlite::Result<()> {
    let Some(source) = same_content.filter(|source| source.id != id) else { return Ok(()) };
    database::replace_values(connection, id, Provenance::Estimated, &[])?;
    let sql = "INSERT INTO value SELECT ?, field, provenance, value, confidence FROM value
               WHERE track = ? AND provenance = 'estimated'";
    connection.execute(sql, [id, source.id]).map(|_| ())
}

/// Stores the names that a playlist has for a track.
fn store_listed_names(connection: &Connection, id: i64, track: &ListedTrack) -> rusqlite::Result<()> {
    let names = [(Field::Title, &track.title), (Field::Artist, &track.artist)];
    names.into_iter().filter_map(|(field, name)| Some((field, name.clone()?))).try_for_each(
        |(field, name)| {
            let value = SourcedValue::certain(field, Value::Text(name), Provenance::Import);
            database::store_value(connection, id, &value)
        },
    )
}

/// Marks tracks below the folders that were not listed as missing. They stay in the database with all their
/// values and are left out of libraries until a scan finds them again.
pub(super) fn mark_missing(
    database: &Database,
    context: &ScanContext<'_>,
    folders: &[PathBuf],
    listed_uris: &HashSet<String>,
    report: &mut ScanReport,
) -> Result<(), Error> {
    let is_below_folders = |uri: &str| {
        uri::to_path(uri).is_some_and(|path| folders.iter().any(|folder| path.starts_with(folder)))
    };
    let unlisted = context.known.iter().filter(|(uri, _)| !listed_uris.contains(*uri));
    let mut missing = Vec::new();
    for (uri, known) in unlisted.filter(|(uri, _)| is_below_folders(uri)) {
        // A track that was moved has another URI by now.
        if database.map_sql_error(has_uri(&database.connection, known.id, uri))? {
            missing.push(known.id);
        }
    }
    report.missing = missing.len();
    database.map_sql_error(database.transaction(|connection| {
        let mut sql = connection.prepare("UPDATE track SET missing = 1 WHERE id = ?")?;
        missing.iter().try_for_each(|id| sql.execute([id]).map(|_| ()))
    }))
}

/// Whether a track has this URI in the database.
fn has_uri(connection: &Connection, id: i64, uri: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM track WHERE id = ? AND uri = ?)";
    connection.prepare_cached(sql)?.query_row(params![id, uri], |row| row.get(0))
}

/// Writes the new state of a file whose tags the scan has written. Its audio, and so its analysis,
/// is unchanged.
pub(super) fn write_rewritten_file(
    connection: &Connection,
    id: i64,
    stamp: FileStamp,
    hash: &[u8],
    tags: &[SourcedValue],
) -> rusqlite::Result<()> {
    let sql = "UPDATE track SET size = ?, stamp = ?, hash = ? WHERE id = ?";
    connection.execute(sql, params![stamp.size, stamp.modified, hash, id])?;
    database::replace_values(connection, id, Provenance::Tag, tags)
}
