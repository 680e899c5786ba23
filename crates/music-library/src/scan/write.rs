//! What a scan writes, each step all or nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::{Found, Heard, Report, Stamp, Work};
use crate::database::Database;
use crate::listing::Listed;
use crate::store::{self, Known};
use crate::value::{Field, Provenance, Stated, Value};
use crate::{Error, Skipped, analysis};

/// What is as it was is there, and cannot be played if it could not; a playlist may have new names for it.
pub(super) fn unchanged(
    database: &Database,
    work: &Work<'_>,
    places: &[usize],
    report: &mut Report,
) -> Result<(), Error> {
    report.unchanged = places.len();
    let same =
        || places.iter().filter_map(|&at| Some((&work.files[at], work.known.get(&work.files[at].uri)?)));
    for (file, known) in same() {
        if let Some(why) = &known.problem {
            report.failed.push(Skipped { what: place(file), why: why.clone() });
        }
    }
    database.told(database.written(|connection| {
        for (file, known) in same() {
            if known.missing {
                connection.execute("UPDATE track SET missing = 0 WHERE id = ?", [known.id])?;
            }
            listed_as(connection, known.id, file)?;
        }
        Ok(())
    }))
}

/// A batch of what was read.
pub(super) fn found(
    database: &Database,
    work: &Work<'_>,
    batch: &[Found],
    moved: &mut HashSet<i64>,
    report: &mut Report,
) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    database.told(
        database.written(|connection| {
            batch.iter().try_for_each(|found| one(connection, work, found, moved, report))
        }),
    )
}

fn one(
    connection: &Connection,
    work: &Work<'_>,
    found: &Found,
    moved: &mut HashSet<i64>,
    report: &mut Report,
) -> rusqlite::Result<()> {
    let file = &work.files[found.index];
    let own = work.known.get(&file.uri);
    let twin = match &found.heard {
        Heard::Known(uri) => work.known.get(uri),
        _ => None,
    };
    let id = match (own, twin) {
        (Some(own), _) => {
            report.changed += 1;
            own.id
        }
        (None, Some(twin)) if is_gone(&found.heard) && moved.insert(twin.id) => {
            report.moved += 1;
            connection.execute("UPDATE track SET uri = ? WHERE id = ?", params![file.uri, twin.id])?;
            twin.id
        }
        _ => {
            report.added += 1;
            connection.execute("INSERT INTO track (uri) VALUES (?)", [&file.uri])?;
            connection.last_insert_rowid()
        }
    };
    let (analysed, problem) = match &found.heard {
        Heard::Nothing => (0, None),
        Heard::Known(_) => (analysis::VERSION, twin.and_then(|twin| twin.problem.clone())),
        Heard::Sound(_) => (analysis::VERSION, None),
        Heard::Failed(why) => (analysis::VERSION, Some(why.clone())),
    };
    let stamp = found.stamp;
    connection
        .prepare_cached(
            "UPDATE track SET size = ?, stamp = ?, hash = ?, analysed = ?, missing = 0, problem = ? WHERE id = ?",
        )?
        .execute(params![
            stamp.map(|stamp| stamp.size),
            stamp.map(|stamp| stamp.time),
            (!found.hash.is_empty()).then_some(&found.hash),
            analysed,
            problem,
            id
        ])?;
    store::replace(connection, id, Provenance::Tag, &found.tags.stated())?;
    match &found.heard {
        Heard::Known(_) => copy_estimates(connection, twin, id)?,
        Heard::Sound(sound) => {
            report.audio += sound.duration;
            store::replace(connection, id, Provenance::Estimated, &sound.stated())?;
        }
        Heard::Nothing | Heard::Failed(_) => store::replace(connection, id, Provenance::Estimated, &[])?,
    }
    if let Some(why) = problem {
        report.failed.push(Skipped { what: place(file), why });
    }
    listed_as(connection, id, file)
}

/// Whether what was known is no longer where it was.
fn is_gone(heard: &Heard) -> bool {
    matches!(heard, Heard::Known(uri) if store::path_of(uri).is_some_and(|path| !path.exists()))
}

fn copy_estimates(connection: &Connection, twin: Option<&Known>, id: i64) -> rusqlite::Result<()> {
    let Some(twin) = twin.filter(|twin| twin.id != id) else { return Ok(()) };
    store::replace(connection, id, Provenance::Estimated, &[])?;
    let sql = "INSERT INTO value SELECT ?, field, provenance, value, confidence FROM value
               WHERE track = ? AND provenance = 'estimated'";
    connection.execute(sql, [id, twin.id]).map(|_| ())
}

/// What the maker of a playlist calls a track.
fn listed_as(connection: &Connection, id: i64, file: &Listed) -> rusqlite::Result<()> {
    let names = [(Field::Title, &file.title), (Field::Artist, &file.artist)];
    names.into_iter().filter_map(|(field, name)| Some((field, name.clone()?))).try_for_each(
        |(field, name)| {
            store::put(connection, id, &Stated::sure(field, Value::Text(name), Provenance::Import))
        },
    )
}

/// Known tracks below the folders that were not found there. They stay in the library with all that persons said of
/// them, and are not offered until they are back.
pub(super) fn missing(
    database: &Database,
    work: &Work<'_>,
    folders: &[PathBuf],
    seen: &HashSet<String>,
    report: &mut Report,
) -> Result<(), Error> {
    let below = |uri: &str| {
        store::path_of(uri).is_some_and(|path| folders.iter().any(|folder| path.starts_with(folder)))
    };
    let mut missing = Vec::new();
    for (uri, known) in work.known.iter().filter(|(uri, _)| !seen.contains(*uri) && below(uri)) {
        // What was moved is no longer at that place in the database either.
        if database.told(is_at(&database.connection, known.id, uri))? {
            missing.push(known.id);
        }
    }
    report.missing = missing.len();
    database.told(database.written(|connection| {
        let mut sql = connection.prepare("UPDATE track SET missing = 1 WHERE id = ?")?;
        missing.iter().try_for_each(|id| sql.execute([id]).map(|_| ()))
    }))
}

/// Whether the database has a track at that place.
fn is_at(connection: &Connection, id: i64, uri: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM track WHERE id = ? AND uri = ?)";
    connection.prepare_cached(sql)?.query_row(params![id, uri], |row| row.get(0))
}

/// A file's tags were written by us: it is another file now, and nothing of its sound changed.
pub(crate) fn rewritten(
    connection: &Connection,
    id: i64,
    stamp: Stamp,
    hash: &[u8],
    tags: &[Stated],
) -> rusqlite::Result<()> {
    let sql = "UPDATE track SET size = ?, stamp = ?, hash = ? WHERE id = ?";
    connection.execute(sql, params![stamp.size, stamp.time, hash, id])?;
    store::replace(connection, id, Provenance::Tag, tags)
}

/// How a person names it.
fn place(file: &Listed) -> String {
    file.path.as_deref().map_or_else(|| file.uri.clone(), |path: &Path| path.display().to_string())
}
