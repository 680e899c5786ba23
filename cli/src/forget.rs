//! `gst-mood forget`: removes what is stored of a client.

use std::path::PathBuf;

use music_library::Database;

use crate::arguments::path_parser;
use crate::clients::Client;
use crate::consent::is_blank;
use crate::data_folder::default_library;
use crate::error::CommandError;

/// The arguments of `forget`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The name given with --client, or in the notes
    client: String,
    /// A library database that knows them, besides the user's own; may be repeated
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    library: Vec<PathBuf>,
}

/// Removes a client's history, baseline, ratings and exclusions; results in other folders are the user's to
/// remove.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let name = &arguments.client;
    if is_blank(name) {
        return Err(CommandError::Failed("forget whom? name a client".into()));
    }
    // The libraries first: if one cannot be read, the rest is not removed either.
    let own_library = default_library().ok().filter(|path| path.exists());
    let mut opinions = 0;
    for library in arguments.library.iter().cloned().chain(own_library) {
        opinions += Database::open(library).and_then(|library| library.delete_client(name))?;
    }
    let sessions = Client::open(name)?.forget()?;
    if opinions > 0 {
        println!("{opinions} ratings, exclusions and tracks heard are forgotten");
    }
    match sessions {
        Some(0) => println!("the consent note is forgotten"),
        Some(1) => println!("1 session and the baseline are forgotten; remove the session's folder yourself"),
        Some(count) => {
            println!("{count} sessions and the baseline are forgotten; remove the sessions' folders yourself")
        }
        None if opinions == 0 => {
            return Err(CommandError::Failed(format!("nothing is stored of a client '{name}'")));
        }
        None => {}
    }
    Ok(())
}
