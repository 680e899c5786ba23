//! Ratings, exclusions and listening history of therapy clients.
//!
//! The client `""` stands for everybody: its ratings and exclusions apply to every client who has none.
//! Client names are compared without regard to case and surrounding white space.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::Database;
use crate::Error;

/// Number of plays of a client's history that a [`TrackSelector`](crate::TrackSelector) needs: more than any
/// reasonable number of tracks before one may be repeated.
pub const HISTORY_LENGTH: usize = 1_000;

/// A client's opinion of a track; a field is `None` where the client has no opinion.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opinion {
    /// Rating, -2 to 2.
    pub(super) rating: Option<i32>,
    /// Whether the track must not be played.
    pub(super) excluded: Option<bool>,
}

/// The form of a client's name that is stored: trimmed and in lower case.
pub fn normalize_client_name(client: &str) -> String {
    client.trim().to_lowercase()
}

/// Reads the opinions that apply to a client, its own or else everybody's, by the id of the track.
pub(super) fn read_opinions(
    connection: &Connection,
    client: &str,
) -> rusqlite::Result<HashMap<i64, Opinion>> {
    let sql = "SELECT track, rating, forbidden FROM opinion WHERE client IN ('', ?) ORDER BY client";
    let mut opinions: HashMap<i64, Opinion> = HashMap::new();
    let mut sql = connection.prepare_cached(sql)?;
    let mut rows = sql.query([normalize_client_name(client)])?;
    while let Some(row) = rows.next()? {
        let opinion = opinions.entry(row.get(0)?).or_default();
        opinion.rating = row.get::<_, Option<i32>>(1)?.or(opinion.rating);
        opinion.excluded = row.get::<_, Option<bool>>(2)?.or(opinion.excluded);
    }
    Ok(opinions)
}

/// Stores a client's opinion of a track; a part that is `None` is not changed. The rating is clamped to -2
/// to 2.
pub(crate) fn store_opinion(
    connection: &Connection,
    client: &str,
    track: i64,
    rating: Option<i32>,
    excluded: Option<bool>,
) -> rusqlite::Result<()> {
    if rating.is_none() && excluded.is_none() {
        return Ok(());
    }
    let sql = "INSERT INTO opinion (client, track, rating, forbidden) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (client, track) DO UPDATE SET
               rating = coalesce(?3, rating), forbidden = coalesce(?4, forbidden)";
    let rating = rating.map(|rating| rating.clamp(-2, 2));
    connection
        .prepare_cached(sql)?
        .execute(params![normalize_client_name(client), track, rating, excluded])
        .map(|_| ())
}

/// An entry of the listening history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayRecord {
    /// URI of the track.
    pub uri: String,
    /// Name of the client as stored; empty without one.
    pub client: String,
    /// When the track started, seconds since 1970-01-01 UTC.
    pub started_at: i64,
}

impl Database {
    /// Sets a client's rating of a track, from -2 (only when nothing else fits) to 2 (a favourite); clamped
    /// to that range.
    pub fn set_rating(&self, client: &str, path_or_uri: &str, rating: i32) -> Result<(), Error> {
        let id = self.track_id(path_or_uri)?;
        self.map_sql_error(
            self.transaction(|connection| store_opinion(connection, client, id, Some(rating), None)),
        )
    }

    /// Sets whether a track must never be played to a client.
    pub fn set_excluded(&self, client: &str, path_or_uri: &str, excluded: bool) -> Result<(), Error> {
        let id = self.track_id(path_or_uri)?;
        self.map_sql_error(
            self.transaction(|connection| store_opinion(connection, client, id, None, Some(excluded))),
        )
    }

    /// Appends to a client's history that a track started at a time in seconds since 1970-01-01 UTC.
    pub fn record_play(&self, client: &str, path_or_uri: &str, started_at: i64) -> Result<(), Error> {
        let sql = "INSERT INTO play (client, track, at) VALUES (?, ?, ?)";
        let id = self.track_id(path_or_uri)?;
        self.map_sql_error(self.transaction(|connection| {
            connection.execute(sql, params![normalize_client_name(client), id, started_at])
        }))
        .map(|_| ())
    }

    /// The last `limit` entries of a client's history, the oldest first.
    pub fn play_history(&self, client: &str, limit: usize) -> Result<Vec<PlayRecord>, Error> {
        let sql = "SELECT uri, client, at FROM play JOIN track ON track.id = play.track
                   WHERE client = ? ORDER BY play.id DESC LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let plays = self.connection.prepare(sql).and_then(|mut sql| {
            let play = |row: &rusqlite::Row<'_>| {
                Ok(PlayRecord { uri: row.get(0)?, client: row.get(1)?, started_at: row.get(2)? })
            };
            sql.query_map(params![normalize_client_name(client), limit], play)?
                .collect::<rusqlite::Result<Vec<PlayRecord>>>()
        });
        self.map_sql_error(plays).map(|mut plays| {
            plays.reverse();
            plays
        })
    }

    /// Deletes a client's opinions and history, from the file as well; the number of deleted rows.
    pub fn delete_client(&self, client: &str) -> Result<usize, Error> {
        let client = normalize_client_name(client);
        let deleted = self.transaction(|connection| {
            let opinions = connection.execute("DELETE FROM opinion WHERE client = ?", [&client])?;
            Ok(opinions + connection.execute("DELETE FROM play WHERE client = ?", [&client])?)
        });
        let deleted = self.map_sql_error(deleted)?;
        // Deleted rows stay in the file and in the write-ahead log until they are overwritten.
        self.map_sql_error(
            self.connection
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"),
        )?;
        Ok(deleted)
    }
}
