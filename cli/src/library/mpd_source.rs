//! The music of an MPD server, as files that a scan reads.

use std::fs;
use std::path::{Path, PathBuf};

use music_library::{Database, SkippedItem, TableError, csv_table};
use remote_player::{MpdDatabase, PlayerAddress};
use tempfile::TempDir;
use url::Url;

use crate::error::CommandError;
use crate::files::path_to_str;

/// The only source of a scan, where it is an MPD server.
///
/// # Errors
/// An address that is none, or one beside other sources.
pub fn find_server(sources: &[String]) -> Result<Option<PlayerAddress>, CommandError> {
    match sources {
        [source] if source.starts_with("mpd:") => source
            .parse()
            .map(Some)
            .map_err(|error: remote_player::AddressError| CommandError::Usage(error.to_string())),
        _ if sources.iter().any(|source| source.starts_with("mpd:")) => Err(CommandError::Usage(
            "an mpd:// server is scanned alone: scan the other sources with another command".into(),
        )),
        _ => Ok(None),
    }
}

/// The songs of a server that are files of this computer.
pub struct MpdSource {
    /// Holds a playlist of them.
    _folder: TempDir,
    sources: [String; 1],
    /// The songs that are no files here.
    missing: Vec<SkippedItem>,
    /// The moods that users have noted there, by file.
    moods: Vec<(PathBuf, String)>,
}

impl MpdSource {
    /// Asks a server for its songs, which are in `folder` or else where the server says.
    pub fn read(address: &PlayerAddress, folder: Option<&Path>) -> Result<Self, CommandError> {
        let database = MpdDatabase::read(address).map_err(|error| CommandError::Failed(error.to_string()))?;
        let Some(folder) = folder.or(database.music_directory.as_deref()) else {
            return Err(CommandError::Usage(format!(
                "{address} does not say where its music is, which MPD does over its Unix socket only: give the folder on this \
                 computer with --music-folder, or scan mpd:///run/mpd/socket"
            )));
        };
        let (mut playlist, mut missing, mut moods) = (String::new(), Vec::new(), Vec::new());
        for song in &database.songs {
            let path = folder.join(song);
            let uri = path.is_file().then(|| Url::from_file_path(&path).ok()).flatten();
            let Some(uri) = uri else {
                let reason = format!(
                    "MPD has it, but it is no file in {}, from which its mood and length are read",
                    folder.display()
                );
                missing.push(SkippedItem { name: song.clone(), reason });
                continue;
            };
            playlist += uri.as_str();
            playlist.push('\n');
            moods.extend(database.moods.get(song).map(|mood| (path, mood.clone())));
        }
        if playlist.is_empty() {
            let folder = folder.display();
            return Err(CommandError::Failed(match missing.len() {
                0 => format!("the database of {address} is empty: let MPD update it"),
                count => {
                    format!("none of the {count} songs of {address} is in {folder}: correct --music-folder")
                }
            }));
        }
        let failed =
            |error: std::io::Error| CommandError::io(Path::new("the folder for temporary files"), &error);
        let temporary = TempDir::new().map_err(failed)?;
        let list = temporary.path().join("mpd.m3u8");
        fs::write(&list, playlist).map_err(failed)?;
        Ok(Self { sources: [path_to_str(&list)?.to_owned()], _folder: temporary, missing, moods })
    }

    /// What is to be scanned.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The songs that cannot be scanned.
    pub fn missing(&self) -> &[SkippedItem] {
        &self.missing
    }

    /// Stores the moods that users have noted at the server.
    pub fn import_moods(&self, database: &Database) -> Result<(), CommandError> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let rows = self.moods.iter().filter_map(|(path, mood)| Some([path.to_str()?, mood.as_str()]));
        for row in std::iter::once(["path", "mood"]).chain(rows) {
            table.write_record(row).map_err(|error| music_library::Error::from(TableError::from(error)))?;
        }
        let table = table.into_inner().unwrap_or_default();
        let report = csv_table::import(database, "", table.as_slice())?;
        for SkippedItem { name, reason } in report.skipped {
            eprintln!("gst-mood: warning: {name}: {reason}");
        }
        Ok(())
    }
}
