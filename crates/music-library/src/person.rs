//! What persons think of tracks, and what they have heard: per client, `""` standing for everybody. Clients' names differ
//! neither in case nor in the space around them.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::Error;
use crate::database::Database;

/// How many plays of the past a choice looks back on: more than anybody lets pass before a track may return.
pub const HISTORY: usize = 1_000;

/// What is thought of a track; `None` where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opinion {
    pub(crate) rating: Option<i32>,
    pub(crate) excluded: Option<bool>,
}

/// What a client is called where something of them is stored: who types the name otherwise means the same client.
pub fn called(client: &str) -> String {
    client.trim().to_lowercase()
}

/// By track, as a client sees it: their own word, else everybody's.
pub(crate) fn opinions(connection: &Connection, client: &str) -> rusqlite::Result<HashMap<i64, Opinion>> {
    let sql = "SELECT track, rating, forbidden FROM opinion WHERE client IN ('', ?) ORDER BY client";
    let mut opinions: HashMap<i64, Opinion> = HashMap::new();
    let mut sql = connection.prepare_cached(sql)?;
    let mut rows = sql.query([called(client)])?;
    while let Some(row) = rows.next()? {
        let opinion = opinions.entry(row.get(0)?).or_default();
        opinion.rating = row.get::<_, Option<i32>>(1)?.or(opinion.rating);
        opinion.excluded = row.get::<_, Option<bool>>(2)?.or(opinion.excluded);
    }
    Ok(opinions)
}

/// Keeps an opinion; what is `None` stays as it was.
pub(crate) fn put(
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
    connection.prepare_cached(sql)?.execute(params![called(client), track, rating, excluded]).map(|_| ())
}

/// Something that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// What.
    pub uri: String,
    /// To whom.
    pub client: String,
    /// When it began, seconds since 1970.
    pub at: i64,
}

impl Database {
    /// A client's word on a track (a uri or a path), -2 (never while anything else fits) to 2 (a favourite).
    pub fn rate(&self, client: &str, place: &str, rating: i32) -> Result<(), Error> {
        let id = self.id_of(place)?;
        self.told(self.written(|connection| put(connection, client, id, Some(rating), None)))
    }

    /// Whether a track must never be played to a client.
    pub fn exclude(&self, client: &str, place: &str, excluded: bool) -> Result<(), Error> {
        let id = self.id_of(place)?;
        self.told(self.written(|connection| put(connection, client, id, None, Some(excluded))))
    }

    /// A track was played to a client, at that time in seconds since 1970.
    pub fn record_played(&self, client: &str, place: &str, at: i64) -> Result<(), Error> {
        let sql = "INSERT INTO play (client, track, at) VALUES (?, ?, ?)";
        let id = self.id_of(place)?;
        self.told(self.written(|connection| connection.execute(sql, params![called(client), id, at])))
            .map(|_| ())
    }

    /// What a client heard last, the oldest first, at most so many.
    pub fn history(&self, client: &str, last: usize) -> Result<Vec<Play>, Error> {
        let sql = "SELECT uri, client, at FROM play JOIN track ON track.id = play.track
                   WHERE client = ? ORDER BY play.id DESC LIMIT ?";
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        let plays = self.connection.prepare(sql).and_then(|mut sql| {
            let play =
                |row: &rusqlite::Row<'_>| Ok(Play { uri: row.get(0)?, client: row.get(1)?, at: row.get(2)? });
            sql.query_map(params![called(client), last], play)?.collect::<rusqlite::Result<Vec<Play>>>()
        });
        self.told(plays).map(|mut plays| {
            plays.reverse();
            plays
        })
    }

    /// Removes what is known of a client; how many opinions and plays that were.
    pub fn forget(&self, client: &str) -> Result<usize, Error> {
        let client = called(client);
        let forgotten = self.written(|connection| {
            let opinions = connection.execute("DELETE FROM opinion WHERE client = ?", [&client])?;
            Ok(opinions + connection.execute("DELETE FROM play WHERE client = ?", [&client])?)
        });
        let forgotten = self.told(forgotten)?;
        // What is deleted would stay in the file and in its log until something else is written there.
        self.told(
            self.connection
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"),
        )?;
        Ok(forgotten)
    }
}
