//! The library database: one SQLite file, opened, made and brought up to date.
//!
//! Write-ahead logging lets a player read while a scan writes, and a process that is killed leaves what it had committed.
//! `PRAGMA user_version` counts the migrations a file has seen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Error, folder};

/// How every SQLite file begins (https://www.sqlite.org/fileformat.html).
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Marks a database as ours in its header: "mood".
const APPLICATION: i32 = 0x6d6f_6f64;
/// How long another program may write before we give up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each brings a database from the version of its place to the next. Never changed once released, only added to.
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
#[derive(Debug)]
pub struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the database at a path, or makes an empty one where there is no file. An older one is brought up to date.
    ///
    /// # Errors
    /// The file is something else, damaged, from a newer version, locked by another program for 5 s, or cannot be
    /// written.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::connect(path.into(), OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the database at a path.
    ///
    /// # Errors
    /// As [`Self::create`], and where there is no file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        if !path.exists() {
            return Err(Error::Missing(path));
        }
        Self::connect(path, OpenFlags::empty())
    }

    /// The database that `source` names in any way [`crate::Library::open`] takes; `None` where it names a folder or a
    /// playlist.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn behind(source: &str) -> Result<Option<Self>, Error> {
        let path = folder::place(source)?;
        if path.is_file() && Self::is_one(&path) { Self::open(path).map(Some) } else { Ok(None) }
    }

    /// Whether a file begins as a database does.
    pub fn is_one(path: &Path) -> bool {
        use std::io::Read;
        let mut head = [0; MAGIC.len()];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *MAGIC
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn connect(path: PathBuf, more: OpenFlags) -> Result<Self, Error> {
        // What is not a database is none of ours to change; an empty file is what SQLite itself leaves when it is killed.
        let length = std::fs::metadata(&path).map_or(0, |data| data.len());
        if path.is_dir() || (length > 0 && !Self::is_one(&path)) {
            return Err(Error::NotADatabase(path));
        }
        if more.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            make_private(&path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(&path, flags).map_err(|error| in_words(&path, error))?;
        let database = Self { connection, path };
        database.prepare()?;
        Ok(database)
    }

    fn prepare(&self) -> Result<(), Error> {
        let connection = &self.connection;
        self.told(connection.busy_timeout(PATIENCE))?;
        let number =
            |name: &str| self.told(connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)));
        let (version, application) = (number("user_version")?, number("application_id")?);
        let known = MIGRATIONS.len() as i64;
        if application != i64::from(APPLICATION) && (version != 0 || application != 0 || self.has_tables()?) {
            return Err(Error::NotADatabase(self.path.clone()));
        }
        if version > known {
            return Err(Error::NewerDatabase { path: self.path.clone(), found: version, known });
        }
        self.told(connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
        ))?;
        if version == known { Ok(()) } else { self.migrate() }
    }

    fn has_tables(&self) -> Result<bool, Error> {
        let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
        self.told(self.connection.query_row(tables, [], |row| row.get(0)))
    }

    fn migrate(&self) -> Result<(), Error> {
        self.told(self.written(|connection| {
            // Another program may have been faster.
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for migration in MIGRATIONS.iter().skip(version.max(0) as usize) {
                connection.execute_batch(migration)?;
            }
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", MIGRATIONS.len() as i64)
        }))
    }

    /// Writes all or nothing.
    pub(crate) fn written<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // From the beginning as a writer: a reader that becomes one later is turned away when another was faster.
        let behaviour = rusqlite::TransactionBehavior::Immediate;
        let transaction = rusqlite::Transaction::new_unchecked(&self.connection, behaviour)?;
        let result = write(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// A result of SQLite's with an error in words.
    pub(crate) fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| in_words(&self.path, error))
    }
}

/// Makes an empty file where there is none. It will say what people like: that is its owner's to read. What SQLite puts
/// beside it is as private.
fn make_private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Database { path: path.into(), reason: error.to_string() })
        }
        _ => Ok(()),
    }
}

fn in_words(path: &Path, error: rusqlite::Error) -> Error {
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
    fn what_another_writes_is_waited_for_and_then_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.db");
        let (one, other) = (Database::create(&path).unwrap(), Database::open(&path).unwrap());
        other.connection.busy_timeout(Duration::ZERO).unwrap();
        one.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = other.told(other.written(|_| Ok(()))).unwrap_err();
        assert!(matches!(error, Error::Locked(_)), "{error}");
        assert_eq!(other.count().unwrap(), 0, "readers go on");
        one.connection.execute_batch("COMMIT").unwrap();
        other.told(other.written(|_| Ok(()))).unwrap();
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create(folder.path().join("library.db")).unwrap();
        let insert = "INSERT INTO track (uri) VALUES ('file:///a')";
        let twice = database.written(|connection| {
            connection.execute(insert, [])?;
            connection.execute(insert, [])
        });
        assert!(twice.is_err());
        assert_eq!(database.count().unwrap(), 0);
    }
}
