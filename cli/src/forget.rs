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
    let client = Client::open(name)?;
    // What cannot be read is removed all the same.
    let folders = client.folders().unwrap_or_default();
    let sessions = client.forget()?;
    if opinions > 0 {
        println!("{opinions} ratings, exclusions and tracks heard are forgotten");
    }
    match sessions {
        Some(0) => println!("the consent note is forgotten"),
        Some(1) => println!("1 session and the baseline are forgotten"),
        Some(count) => println!("{count} sessions and the baseline are forgotten"),
        None if opinions == 0 => {
            return Err(CommandError::Failed(format!("nothing is stored of a client '{name}'")));
        }
        None => {}
    }
    match folders.len() {
        0 if sessions.is_some_and(|count| count > 0) => {
            println!("remove the sessions' folders, the recordings and their notes yourself");
        }
        0 => {}
        _ => {
            println!("what is left to remove yourself, with the recordings and the notes beside them:");
            folders.iter().for_each(|folder| println!("{}", folder.display()));
        }
    }
    Ok(())
}
