//! Tracks and what is known of them, in and out of the database.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use url::Url;

use crate::database::Database;
use crate::value::{Field, Provenance, Stated, Value};
use crate::{Error, person};

/// A track of a database with all that is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Of this database, for good.
    pub id: i64,
    /// Where it is: `file://...`, or a network address.
    pub uri: String,
    /// It was not there when last looked for.
    pub missing: bool,
    /// Why it cannot be played.
    pub problem: Option<String>,
    /// By field, the most believed first.
    pub stated: Vec<Stated>,
    /// -2 (never while anything else fits) to 2 (a favourite), by the client asked for.
    pub rating: i32,
    /// Never to be played to the client asked for.
    pub excluded: bool,
}

impl Entry {
    /// What is believed of a field: a person's word before a tag before an estimate.
    pub fn get(&self, field: Field) -> Option<&Stated> {
        self.stated.iter().find(|said| said.field == field)
    }

    /// The believed text of a field.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.get(field)?.value.text()
    }

    /// The believed number of a field.
    pub fn number(&self, field: Field) -> Option<f64> {
        self.get(field)?.value.number()
    }

    /// What one sayer says of a field.
    pub(crate) fn said(&self, field: Field, provenance: Provenance) -> Option<&Stated> {
        self.stated.iter().find(|said| said.field == field && said.provenance == provenance)
    }

    /// The file, of a file.
    pub fn path(&self) -> Option<PathBuf> {
        path_of(&self.uri)
    }
}

/// What a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) size: i64,
    pub(crate) stamp: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) analysed: i64,
    pub(crate) missing: bool,
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
    /// Hands out every track in the order of the uris, as `client` (`""` for everybody) sees it. What the database holds
    /// of fields and sayers that are not known here is left out.
    pub fn each(&self, client: &str, mut take: impl FnMut(Entry)) -> Result<(), Error> {
        self.told(each(&self.connection, client, "TRUE", [], &mut take))
    }

    /// The track at that place, a uri or a path, as `client` (`""` for everybody) sees it.
    ///
    /// # Errors
    /// [`Error::NoSuchTrack`] where it is not in the library.
    pub fn find(&self, place: &str, client: &str) -> Result<Entry, Error> {
        let id = self.id_of(place)?;
        let mut found = None;
        self.told(each(&self.connection, client, "track.id = ?1", [id], |entry| found = Some(entry)))?;
        found.ok_or_else(|| Error::NoSuchTrack(place.into()))
    }

    pub(crate) fn id_of(&self, place: &str) -> Result<i64, Error> {
        let uri = uri_of(place);
        let id = "SELECT id FROM track WHERE uri = ?1";
        let id = self.connection.prepare_cached(id).and_then(|mut sql| {
            sql.query_row([uri.as_deref().unwrap_or(place)], |row| row.get(0)).optional()
        });
        self.told(id)?.ok_or_else(|| Error::NoSuchTrack(place.into()))
    }

    /// A person's words of a track: each value replaces what a person said before, `None` takes it back.
    pub fn set(&self, place: &str, values: &[(Field, Option<Value>)]) -> Result<(), Error> {
        let id = self.id_of(place)?;
        self.told(self.written(|connection| {
            values.iter().try_for_each(|(field, value)| match value {
                Some(value) => put(connection, id, &Stated::sure(*field, value.clone(), Provenance::User)),
                None => remove(connection, id, *field, Provenance::User),
            })
        }))
    }

    /// How many tracks there are, missing ones and all.
    pub fn count(&self) -> Result<u64, Error> {
        let count = self.connection.query_row("SELECT count(*) FROM track", [], |row| row.get::<_, i64>(0));
        self.told(count).map(i64::unsigned_abs)
    }

    /// Every track by its uri.
    pub(crate) fn known(&self) -> Result<HashMap<String, Known>, Error> {
        let sql = "SELECT uri, id, size, stamp, hash, analysed, missing, problem FROM track";
        let row = |row: &Row<'_>| {
            let known = Known {
                id: row.get(1)?,
                size: row.get::<_, Option<i64>>(2)?.unwrap_or(-1),
                stamp: row.get::<_, Option<i64>>(3)?.unwrap_or(-1),
                hash: row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default(),
                analysed: row.get(5)?,
                missing: row.get(6)?,
                problem: row.get(7)?,
            };
            Ok((row.get(0)?, known))
        };
        self.told(self.connection.prepare(sql).and_then(|mut sql| sql.query_map([], row)?.collect()))
    }
}

fn each(
    connection: &Connection,
    client: &str,
    which: &str,
    parameters: impl rusqlite::Params,
    mut take: impl FnMut(Entry),
) -> rusqlite::Result<()> {
    // Values come as a track's rows in one go: the primary key keeps them together.
    let sql = format!(
        "SELECT track.id, uri, missing, problem, field, provenance, value, confidence FROM track
         LEFT JOIN value ON value.track = track.id WHERE {which} ORDER BY uri"
    );
    let opinions = person::opinions(connection, client)?;
    let mut sql = connection.prepare_cached(&sql)?;
    let mut rows = sql.query(parameters)?;
    let mut current: Option<Entry> = None;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if current.as_ref().is_none_or(|entry| entry.id != id) {
            let opinion = opinions.get(&id).copied().unwrap_or_default();
            let entry = Entry {
                id,
                uri: row.get(1)?,
                missing: row.get(2)?,
                problem: row.get(3)?,
                stated: Vec::new(),
                rating: opinion.rating.unwrap_or(0).clamp(-2, 2),
                excluded: opinion.excluded.unwrap_or(false),
            };
            if let Some(done) = current.replace(entry) {
                take(sorted(done));
            }
        }
        if let (Some(entry), Some(stated)) = (&mut current, stated(row)) {
            entry.stated.push(stated);
        }
    }
    if let Some(done) = current {
        take(sorted(done));
    }
    Ok(())
}

fn sorted(mut entry: Entry) -> Entry {
    entry.stated.sort_by_key(|said| (said.field, std::cmp::Reverse(said.provenance)));
    entry
}

/// What a row says, where it is something known here.
fn stated(row: &Row<'_>) -> Option<Stated> {
    let field: Field = row.get_ref(4).ok()?.as_str().ok()?.parse().ok()?;
    let provenance = row.get_ref(5).ok()?.as_str().ok()?.parse().ok()?;
    let value: Value = row.get(6).ok()?;
    let confidence: f64 = row.get(7).ok()?;
    field.takes(&value).then(|| Stated { field, value, provenance, confidence: confidence.clamp(0.0, 1.0) })
}

pub(crate) fn put(connection: &Connection, track: i64, said: &Stated) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO value (track, field, provenance, value, confidence) VALUES (?, ?, ?, ?, ?)";
    let Stated { field, value, provenance, confidence } = said;
    let row = params![track, field.as_str(), provenance.as_str(), value, confidence];
    connection.prepare_cached(sql)?.execute(row).map(|_| ())
}

pub(crate) fn remove(
    connection: &Connection,
    track: i64,
    field: Field,
    provenance: Provenance,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM value WHERE track = ? AND field = ? AND provenance = ?";
    connection.prepare_cached(sql)?.execute(params![track, field.as_str(), provenance.as_str()]).map(|_| ())
}

/// Replaces all that one sayer says of a track.
pub(crate) fn replace(
    connection: &Connection,
    track: i64,
    provenance: Provenance,
    stated: &[Stated],
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM value WHERE track = ? AND provenance = ?";
    connection.prepare_cached(sql)?.execute(params![track, provenance.as_str()])?;
    stated.iter().try_for_each(|said| put(connection, track, said))
}

/// The uri of a path, and of what is a uri already.
pub(crate) fn uri_of(place: &str) -> Option<String> {
    match Url::parse(place) {
        Ok(url) if url.scheme().len() > 1 && place[url.scheme().len()..].starts_with("://") => {
            Some(url.into())
        }
        _ => file_uri(Path::new(place)),
    }
}

pub(crate) fn file_uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(Url::from_file_path(path).ok()?.into())
}

pub(crate) fn path_of(uri: &str) -> Option<PathBuf> {
    Url::parse(uri).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}
