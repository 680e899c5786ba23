//! Groups of arguments and value parsers that several commands share.

use std::path::PathBuf;

use music_library::{Database, SourceAccess};

use crate::clients;
use crate::data_folder::default_library;
use crate::error::CommandError;

/// Where the library database is.
#[derive(clap::Args)]
pub struct DatabaseArgument {
    /// The database [default: ~/.local/share/gst-mood/library.db]
    #[arg(short, long, value_name = "FILE")]
    library: Option<PathBuf>,
}

impl DatabaseArgument {
    /// The path given, or that of the user's own database. The file need not exist.
    pub fn path(&self) -> Result<PathBuf, CommandError> {
        self.library.clone().map_or_else(default_library, Ok)
    }

    /// Opens the database. Fails if there is none.
    pub fn open(&self) -> Result<Database, CommandError> {
        let path = self.path()?;
        if !path.exists() {
            let path = path.display();
            return Err(CommandError::Failed(format!(
                "no library database {path}: gst-mood library scan makes one"
            )));
        }
        Ok(Database::open(path)?)
    }
}

/// What a playlist's entries may refer to.
#[derive(clap::Args)]
pub struct AccessArguments {
    /// Take network addresses in playlists too
    #[arg(long)]
    pub allow_network: bool,
    /// Take files outside a playlist's own folder too
    #[arg(long)]
    pub allow_outside: bool,
}

impl AccessArguments {
    /// Converts to the type of `music_library`.
    pub fn to_access(&self) -> SourceAccess {
        SourceAccess { network: self.allow_network, outside_folder: self.allow_outside }
    }
}

/// Whose ratings and exclusions a command reads.
#[derive(clap::Args)]
pub struct ClientName {
    /// Client whose ratings and exclusions count; everybody's if none is named
    #[arg(long, default_value = "")]
    pub client: String,
}

/// Whose ratings and exclusions a command stores.
#[derive(clap::Args)]
pub struct ClientArguments {
    /// Client whose ratings and exclusions are meant; everybody's if none is named
    #[arg(long, default_value = "")]
    pub client: String,
    /// The note that the client has consented to being stored, once: who, when, where the signed form is
    #[arg(long, value_name = "NOTE", requires = "client")]
    pub consent: Option<String>,
}

impl ClientArguments {
    /// Stores the consent note if one is given. Fails for a client without a consent note, now or earlier.
    pub fn require_consent(&self) -> Result<(), CommandError> {
        clients::require_consent(&self.client, self.consent.as_deref())
    }
}

/// Parses a number of seconds from 0 to a day.
pub fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds, from 0 to 86400".into()),
    }
}

/// Parses a coordinate of valence or arousal, -1 to 1.
pub fn parse_coordinate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (-1.0..=1.0).contains(number));
    number.ok_or_else(|| "a number from -1 to 1".into())
}
