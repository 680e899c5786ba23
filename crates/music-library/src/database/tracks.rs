//! Tracks and their metadata in the database.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Database, clients};
use crate::metadata::{Field, Provenance, SourcedValue, Value};
use crate::{Error, uri};
use mood_schema::redact_addresses;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A track of the database with the values of all its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackRecord {
    /// Primary key in this database; it stays the same when the file is moved.
    pub id: i64,
    /// URI: `file://`, `http://` or `https://`.
    pub uri: String,
    /// Whether the last scan did not find the file.
    pub missing: bool,
    /// Why the track cannot be played, a text for the user; `None` where it can.
    pub problem: Option<String>,
    /// The values by field and, within a field, descending provenance.
    pub values: Vec<SourcedValue>,
    /// The rating that applies to the client, -2 (only when nothing else fits) to 2 (a favourite); 0 where
    /// there is none.
    pub rating: i32,
    /// Whether the track must not be played to the client.
    pub excluded: bool,
}

impl TrackRecord {
    /// The value of a field with the highest provenance. Only for the duration, what was measured takes precedence over the
    /// file's own statement: an MP3 file of variable bit rate without a Xing header, or chained Ogg, does not have it right.
    pub fn best_value(&self, field: Field) -> Option<&SourcedValue> {
        let best = self.values.iter().find(|value| value.field == field)?;
        let measured = match (field, best.provenance) {
            (Field::Duration, Provenance::Tag) => self.value_from(field, Provenance::Estimated),
            _ => None,
        };
        Some(measured.unwrap_or(best))
    }

    /// The text of a field's best value.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.best_value(field)?.value.as_text()
    }

    /// The number of a field's best value.
    pub fn number(&self, field: Field) -> Option<f64> {
        self.best_value(field)?.value.as_number()
    }

    /// The value of a field with this provenance.
    pub(crate) fn value_from(&self, field: Field, provenance: Provenance) -> Option<&SourcedValue> {
        self.values.iter().find(|value| value.field == field && value.provenance == provenance)
    }

    /// The path of the file; `None` for a track on the network.
    pub fn path(&self) -> Option<PathBuf> {
        uri::to_path(&self.uri)
    }
}

/// The state of a track's file when a scan last read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScannedFile {
    /// Primary key of the track.
    pub(crate) id: i64,
    /// Size, bytes; -1 for what is no file.
    pub(crate) size: i64,
    /// Modification time of the file plus that of its sidecar file, ns since 1970; -1 for what is no file.
    pub(crate) modified: i64,
    /// SHA-256 of the content; empty for what is no file.
    pub(crate) hash: Vec<u8>,
    /// Version of the analysis; 0 where only tags were read.
    pub(crate) analysis_version: i64,
    /// Whether the last scan did not find the file.
    pub(crate) missing: bool,
    /// Why the track cannot be played.
    pub(crate) problem: Option<String>,
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
        }
    }
}

impl FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Text(text) => Ok(Self::Text(String::from_utf8_lossy(text).into())),
            ValueRef::Real(number) if number.is_finite() => Ok(Self::Number(number)),
            ValueRef::Integer(number) => Ok(Self::Number(number as f64)),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl Database {
    /// Calls `visit` for every track in the order of the URIs, with rating and exclusion as they apply to
    /// `client`. Values of unknown fields and provenances are left out.
    pub fn for_each_track(&self, client: &str, mut visit: impl FnMut(TrackRecord)) -> Result<(), Error> {
        self.map_sql_error(visit_tracks(&self.connection, client, "TRUE", [], &mut visit))
    }

    /// Finds a track by its path or URI, also by a URI without its credentials, with rating and exclusion as they apply to `client`.
    pub fn find_track(&self, path_or_uri: &str, client: &str) -> Result<TrackRecord, Error> {
        let id = self.track_id(path_or_uri)?;
        let mut track = None;
        self.map_sql_error(visit_tracks(&self.connection, client, "track.id = ?1", [id], |found| {
            track = Some(found);
        }))?;
        track.ok_or_else(|| Error::NoSuchTrack(path_or_uri.into()))
    }

    /// Finds the primary key of a track by its path or URI.
    pub(super) fn track_id(&self, path_or_uri: &str) -> Result<i64, Error> {
        let uri = uri::from_path_or_uri(path_or_uri);
        let sql = "SELECT id FROM track WHERE uri = ?1";
        let id = self.connection.prepare_cached(sql).and_then(|mut sql| {
            sql.query_row([uri.as_deref().unwrap_or(path_or_uri)], |row| row.get(0)).optional()
        });
        match self.map_sql_error(id)? {
            Some(id) => Ok(id),
            None => self
                .track_id_without_credentials(uri.as_deref().unwrap_or(path_or_uri))?
                .ok_or_else(|| Error::NoSuchTrack(path_or_uri.into())),
        }
    }

    /// Finds the primary key of a track on the network by its URI without credentials, which is all that leaves this program;
    /// `None` where no track, or more than one, has such a URI.
    fn track_id_without_credentials(&self, wanted: &str) -> Result<Option<i64>, Error> {
        if wanted.starts_with("file:") {
            return Ok(None);
        }
        let sql = "SELECT id, uri FROM track WHERE uri NOT LIKE 'file:%'";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let tracks: Vec<(i64, String)> = self.map_sql_error(
            self.connection.prepare_cached(sql).and_then(|mut sql| sql.query_map([], row)?.collect()),
        )?;
        let mut found = tracks.iter().filter(|(_, uri)| redact_addresses(uri) == wanted).map(|(id, _)| *id);
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    /// Sets values of a track with the provenance [`Provenance::User`]; `None` removes the value of
    /// that provenance.
    pub fn set_user_values(&self, path_or_uri: &str, values: &[(Field, Option<Value>)]) -> Result<(), Error> {
        let id = self.track_id(path_or_uri)?;
        self.map_sql_error(self.transaction(|connection| {
            values.iter().try_for_each(|(field, value)| match value {
                Some(value) => store_value(
                    connection,
                    id,
                    &SourcedValue::certain(*field, value.clone(), Provenance::User),
                ),
                None => remove_value(connection, id, *field, Provenance::User),
            })
        }))
    }

    /// The number of tracks, including missing ones.
    pub fn track_count(&self) -> Result<u64, Error> {
        let count = self.connection.query_row("SELECT count(*) FROM track", [], |row| row.get::<_, i64>(0));
        self.map_sql_error(count).map(i64::unsigned_abs)
    }

    /// Reads the states of all files, by the track's URI.
    pub(crate) fn scanned_files(&self) -> Result<HashMap<String, ScannedFile>, Error> {
        let sql = "SELECT uri, id, size, stamp, hash, analysed, missing, problem FROM track";
        let row = |row: &Row<'_>| {
            let file = ScannedFile {
                id: row.get(1)?,
                size: row.get::<_, Option<i64>>(2)?.unwrap_or(-1),
                modified: row.get::<_, Option<i64>>(3)?.unwrap_or(-1),
                hash: row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default(),
                analysis_version: row.get(5)?,
                missing: row.get(6)?,
                problem: row.get(7)?,
            };
            Ok((row.get(0)?, file))
        };
        self.map_sql_error(self.connection.prepare(sql).and_then(|mut sql| sql.query_map([], row)?.collect()))
    }
}

/// Calls `visit` for the tracks that meet an SQL condition, in the order of the URIs.
fn visit_tracks(
    connection: &Connection,
    client: &str,
    condition: &str,
    parameters: impl rusqlite::Params,
    mut visit: impl FnMut(TrackRecord),
) -> rusqlite::Result<()> {
    // A row for each value. The rows of a track are adjacent, as the URI is unique.
    let sql = format!(
        "SELECT track.id, uri, missing, problem, field, provenance, value, confidence FROM track
         LEFT JOIN value ON value.track = track.id WHERE {condition} ORDER BY uri"
    );
    let opinions = clients::read_opinions(connection, client)?;
    let mut sql = connection.prepare_cached(&sql)?;
    let mut rows = sql.query(parameters)?;
    let mut current: Option<TrackRecord> = None;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if current.as_ref().is_none_or(|track| track.id != id) {
            let opinion = opinions.get(&id).copied().unwrap_or_default();
            let track = TrackRecord {
                id,
                uri: row.get(1)?,
                missing: row.get(2)?,
                problem: row.get(3)?,
                values: Vec::new(),
                rating: opinion.rating.unwrap_or(0).clamp(-2, 2),
                excluded: opinion.excluded.unwrap_or(false),
            };
            if let Some(complete) = current.replace(track) {
                visit(sort_values(complete));
            }
        }
        if let (Some(track), Some(value)) = (&mut current, read_value(row)) {
            track.values.push(value);
        }
    }
    if let Some(complete) = current {
        visit(sort_values(complete));
    }
    Ok(())
}

/// Sorts the values as [`TrackRecord::values`] documents it.
fn sort_values(mut track: TrackRecord) -> TrackRecord {
    track.values.sort_by_key(|value| (value.field, std::cmp::Reverse(value.provenance)));
    track
}

/// Reads the value of a row; `None` where its field or provenance is unknown or the value is invalid.
fn read_value(row: &Row<'_>) -> Option<SourcedValue> {
    let field: Field = row.get_ref(4).ok()?.as_str().ok()?.parse().ok()?;
    let provenance = row.get_ref(5).ok()?.as_str().ok()?.parse().ok()?;
    let value: Value = row.get(6).ok()?;
    let confidence: f64 = row.get(7).ok()?;
    field.accepts(&value).then(|| SourcedValue {
        field,
        value,
        provenance,
        confidence: confidence.clamp(0.0, 1.0),
    })
}

/// Stores a value of a track, in place of the one with the same field and provenance.
pub(crate) fn store_value(connection: &Connection, track: i64, value: &SourcedValue) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO value (track, field, provenance, value, confidence) VALUES (?, ?, ?, ?, ?)";
    let SourcedValue { field, value, provenance, confidence } = value;
    let row = params![track, field.as_str(), provenance.as_str(), value, confidence];
    connection.prepare_cached(sql)?.execute(row).map(|_| ())
}

/// Removes the value of a track with this field and provenance.
fn remove_value(
    connection: &Connection,
    track: i64,
    field: Field,
    provenance: Provenance,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM value WHERE track = ? AND field = ? AND provenance = ?";
    connection.prepare_cached(sql)?.execute(params![track, field.as_str(), provenance.as_str()]).map(|_| ())
}

/// Replaces all values of a track with this provenance.
pub(crate) fn replace_values(
    connection: &Connection,
    track: i64,
    provenance: Provenance,
    values: &[SourcedValue],
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM value WHERE track = ? AND provenance = ?";
    connection.prepare_cached(sql)?.execute(params![track, provenance.as_str()])?;
    values.iter().try_for_each(|value| store_value(connection, track, value))
}
