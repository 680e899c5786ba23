//! A library in memory: the tracks of a folder, a playlist or a database.

use crate::listing::Listing;
use crate::{Database, Error, SkippedItem, SourceAccess, Track, uri};

/// The tracks of a folder, a playlist or a database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// At least one track. The order is that of the file names, of the playlist, or of the URIs in the
    /// database, and the same on every machine.
    pub tracks: Vec<Track>,
    /// Entries that were left out, with the reasons.
    pub skipped: Vec<SkippedItem>,
    /// Entries of a playlist that were taken for a file without certainty, with what was assumed.
    pub assumed: Vec<SkippedItem>,
}

impl Library {
    /// Opens a folder, a playlist or a database, given as a path or as a `file://` URI. Tracks that `access`
    /// does not allow are left out. For a folder or playlist the tags of every file are read, which takes
    /// seconds for thousands of files.
    ///
    /// # Errors
    /// The source does not exist, cannot be read, is of another kind, or has no track that can be used.
    pub fn open(source: &str, access: SourceAccess) -> Result<Self, Error> {
        Self::open_for_client(source, "", access)
    }

    /// Opens a library as [`Self::open`], with the ratings and exclusions of a database that apply to
    /// `client`. For a folder or playlist the client makes no difference.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_for_client(source: &str, client: &str, access: SourceAccess) -> Result<Self, Error> {
        Self::open_with_database(source, client, access).map(|(library, _)| library)
    }

    /// Opens a library as [`Self::open_for_client`], and also returns the database where it is one, which has
    /// the client's listening history.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_with_database(
        source: &str,
        client: &str,
        access: SourceAccess,
    ) -> Result<(Self, Option<Database>), Error> {
        if let Some(database) = Database::open_if_database(source)? {
            return Ok((Self::from_database(&database, client, access)?, Some(database)));
        }
        let Listing { tracks, skipped, assumed } =
            Listing::read(&uri::resolve_source(source)?, access, &|_, _| false)?;
        Ok((Self { tracks: tracks.into_iter().map(Track::from_listed).collect(), skipped, assumed }, None))
    }

    /// The tracks of a database, with the ratings and exclusions that apply to `client`. Left out are tracks
    /// that were missing when last looked for and still are, that cannot be played, or that are on the network
    /// unless `access` allows them. Local files were allowed when they were scanned.
    ///
    /// # Errors
    /// The database fails, or has no track that can be used.
    pub fn from_database(database: &Database, client: &str, access: SourceAccess) -> Result<Self, Error> {
        let mut library = Self::default();
        database.for_each_track(client, |record| {
            let reason = if record.missing && !record.path().is_some_and(|path| path.exists()) {
                Some("not there when last looked for; scan again once it is back".into())
            } else if !access.network && !record.uri.starts_with("file://") {
                Some("on the network; set allow-network to play it".into())
            } else {
                record.problem.clone()
            };
            match reason {
                Some(reason) => library.skipped.push(SkippedItem { name: record.uri, reason }),
                None => library.tracks.push(Track::from_record(&record)),
            }
        })?;
        if library.tracks.is_empty() {
            return Err(Error::Empty { path: database.path().into(), skipped: library.skipped });
        }
        Ok(library)
    }
}
