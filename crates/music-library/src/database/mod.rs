//! The library database: one SQLite file. Opening, schema migrations and transactions.
//!
//! Write-ahead logging lets a player read while a scan writes, and a process that is killed leaves the
//! database as it was after the last transaction. `PRAGMA user_version` is the number of migrations that
//! were applied.

mod clients;
mod tracks;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use clients::store_opinion;
pub use clients::{HISTORY_LENGTH, PlayRecord, normalize_client_name};
pub use tracks::TrackRecord;
pub(crate) use tracks::{ScannedFile, replace_values, store_value};

use crate::{Error, uri};

/// The first bytes of every SQLite file (<https://www.sqlite.org/fileformat.html>).
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// `PRAGMA application_id` of a library database: "mood" in ASCII.
const APPLICATION_ID: i32 = 0x6d6f_6f64;
/// How long to wait for a transaction of another program.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How often to try again what SQLite does not wait for itself.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// The migrations: the n-th brings a database from version n to n + 1. They are only appended to and never
/// edited, comments included, as SQLite stores the text of the statements in the schema.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE track (
        id INTEGER PRIMARY KEY,
        uri TEXT NOT NULL UNIQUE,
        -- Of the file when it was read: bytes, the sum of its time and of that of the file beside it in nanoseconds
        -- since 1970, and SHA-256; NULL for what is not a file.
        size INTEGER,
        stamp INTEGER,
        hash BLOB,
        -- The version of the analysis that its estimates come from; 0: only tags were read.
        analysed INTEGER NOT NULL DEFAULT 0,
        -- It was not there when last looked for.
        missing INTEGER NOT NULL DEFAULT 0,
        -- Why it cannot be played.
        problem TEXT
    ) STRICT;
    CREATE INDEX track_hash ON track (hash);
    CREATE TABLE value (
        track INTEGER NOT NULL REFERENCES track ON DELETE CASCADE,
        field TEXT NOT NULL,
        provenance TEXT NOT NULL,
        value ANY NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (track, field, provenance)
    ) STRICT, WITHOUT ROWID;
    -- Whose client is '' is everybody's, unless a client has a word of their own.
    CREATE TABLE opinion (
        client TEXT NOT NULL,
        track INTEGER NOT NULL REFERENCES track ON DELETE CASCADE,
        rating INTEGER,
        forbidden INTEGER,
        PRIMARY KEY (client, track)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE play (
        id INTEGER PRIMARY KEY,
        client TEXT NOT NULL,
        track INTEGER NOT NULL REFERENCES track ON DELETE CASCADE,
        -- Seconds since 1970.
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX play_client ON play (client, id);
"];

/// A library database.
///
/// Every method that takes `path_or_uri` of a track fails with [`Error::NoSuchTrack`] where the database
/// does not have it, and every method with [`Error::Locked`], [`Error::Damaged`] or [`Error::Database`]
/// where SQLite does. In every parameter `client` the empty text stands for the opinions and the history
/// without a client.
#[derive(Debug)]
pub struct Database {
    /// The connection, for transactions of the modules of this crate.
    pub(crate) connection: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the database at a path, or creates an empty one where there is no file. An older schema
    /// is migrated.
    ///
    /// # Errors
    /// The file is not a library database, damaged, of a newer version, locked by another program for 5 s, or
    /// cannot be written.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::connect(path.into(), OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the database at a path. An older schema is migrated.
    ///
    /// # Errors
    /// Those of [`Self::open_or_create`], and [`Error::Missing`] where there is no file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        if !path.exists() {
            return Err(Error::Missing(path));
        }
        Self::connect(path, OpenFlags::empty())
    }

    /// Opens the database that `source` names, a path or a `file://` URI; `None` where it names a folder or
    /// a playlist.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_if_database(source: &str) -> Result<Option<Self>, Error> {
        let path = uri::resolve_source(source)?;
        if path.is_file() && Self::is_database(&path) { Self::open(path).map(Some) } else { Ok(None) }
    }

    /// Whether a file is an SQLite database, going by its first bytes.
    pub fn is_database(path: &Path) -> bool {
        use std::io::Read;
        let mut head = [0; SQLITE_MAGIC.len()];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
            && head == *SQLITE_MAGIC
    }

    /// The path of the database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file and prepares the database. `extra_flags` are those besides reading and writing.
    fn connect(path: PathBuf, extra_flags: OpenFlags) -> Result<Self, Error> {
        // Files of other programs are never changed. An empty file is what SQLite leaves when it is killed at
        // the start.
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if path.is_dir() || (size > 0 && !Self::is_database(&path)) {
            return Err(Error::NotADatabase(path));
        }
        if extra_flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            create_private_file(&path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra_flags;
        let connection =
            Connection::open_with_flags(&path, flags).map_err(|error| convert_error(&path, error))?;
        let database = Self { connection, path };
        database.initialize()?;
        Ok(database)
    }

    /// Checks that the database is one of this program, sets the connection up, and migrates the schema.
    fn initialize(&self) -> Result<(), Error> {
        let connection = &self.connection;
        self.map_sql_error(connection.busy_timeout(LOCK_TIMEOUT))?;
        let (version, application_id, has_tables) = self.map_sql_error(self.identity())?;
        let known = MIGRATIONS.len() as i64;
        let is_ours = application_id == i64::from(APPLICATION_ID);
        if !is_ours && (version != 0 || application_id != 0 || has_tables) {
            return Err(Error::NotADatabase(self.path.clone()));
        }
        if version > known {
            return Err(Error::NewerDatabase { path: self.path.clone(), found: version, known });
        }
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let set_up = || {
            self.map_sql_error(connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
            ))
        };
        // SQLite does not wait where another program switches a new database to write-ahead logging as well.
        while let Err(error) = set_up() {
            if !matches!(error, Error::Locked(_)) || Instant::now() > deadline {
                return Err(error);
            }
            thread::sleep(LOCK_INTERVAL);
        }
        if version == known { Ok(()) } else { self.migrate() }
    }

    /// The schema's version, the id of the program that it belongs to, and whether the database has any table; all from one
    /// transaction, because another program may be creating the database.
    fn identity(&self) -> rusqlite::Result<(i64, i64, bool)> {
        let transaction = self.connection.unchecked_transaction()?;
        let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get(0));
        let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
        let has_tables = transaction.query_row(tables, [], |row| row.get(0))?;
        Ok((pragma("user_version")?, pragma("application_id")?, has_tables))
    }

    /// Applies the migrations that are missing.
    fn migrate(&self) -> Result<(), Error> {
        self.map_sql_error(self.transaction(|connection| {
            // Read again within the transaction: another program may have migrated meanwhile.
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for migration in MIGRATIONS.iter().skip(version.max(0) as usize) {
                connection.execute_batch(migration)?;
            }
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", MIGRATIONS.len() as i64)
        }))
    }

    /// Runs `write` in a transaction: either all of its changes are committed or, on an error, none.
    pub(crate) fn transaction<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // The lock for writing is taken at once. A transaction that begins by reading fails, without waiting
        // for the timeout, where another program has written in between.
        let behaviour = rusqlite::TransactionBehavior::Immediate;
        let transaction = rusqlite::Transaction::new_unchecked(&self.connection, behaviour)?;
        let result = write(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Converts the error of an SQLite result to one of this crate that names the file.
    pub(crate) fn map_sql_error<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| convert_error(&self.path, error))
    }
}

/// Creates an empty file that only its owner can read, where there is none: the database holds clients'
/// preferences and history. SQLite gives its auxiliary files the same permissions.
fn create_private_file(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Database { path: path.into(), reason: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// Converts an SQLite error to one of this crate.
fn convert_error(path: &Path, error: rusqlite::Error) -> Error {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Damaged { path, reason: error.to_string() }
        }
        _ => Error::Database { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_database_is_an_error_for_writers_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.db");
        let (first, second) = (Database::open_or_create(&path).unwrap(), Database::open(&path).unwrap());
        second.connection.busy_timeout(Duration::ZERO).unwrap();
        first.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = second.map_sql_error(second.transaction(|_| Ok(()))).unwrap_err();
        assert!(matches!(error, Error::Locked(_)), "{error}");
        assert_eq!(second.track_count().unwrap(), 0, "reading is possible");
        first.connection.execute_batch("COMMIT").unwrap();
        second.map_sql_error(second.transaction(|_| Ok(()))).unwrap();
    }

    #[test]
    fn many_create_one_database_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            let path = folder.path().join(format!("{number}.db"));
            let start = std::sync::Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        assert_eq!(Database::open_or_create(&path).unwrap().track_count().unwrap(), 0);
                    });
                }
            });
        }
    }

    #[test]
    fn a_failed_transaction_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_or_create(folder.path().join("library.db")).unwrap();
        let insert = "INSERT INTO track (uri) VALUES ('file:///a')";
        let result = database.transaction(|connection| {
            connection.execute(insert, [])?;
            connection.execute(insert, [])
        });
        assert!(result.is_err());
        assert_eq!(database.track_count().unwrap(), 0);
    }
}
