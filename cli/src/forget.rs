//! `gst-mood forget`: what is stored of a client goes.

use std::path::PathBuf;

use music_library::Database;

use crate::clients;
use crate::failure::Failure;
use crate::library::{default_library, failed};

/// Whom to forget.
#[derive(clap::Args)]
pub struct Arguments {
    /// The name given with --client, or in the notes
    client: String,
    /// A library database that knows them, besides the user's own; may be repeated
    #[arg(short, long, value_name = "FILE")]
    library: Vec<PathBuf>,
}

/// Removes a client's history, baseline, ratings and exclusions; results in other folders are the user's to remove.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.client;
    if name.trim().is_empty() {
        return Err(Failure::Work("forget whom? name a client".into()));
    }
    // First what may not be there: a library that cannot be read leaves nothing half forgotten.
    let own = default_library().ok().filter(|path| path.exists());
    let mut opinions = 0;
    for library in arguments.library.iter().cloned().chain(own) {
        opinions += Database::open(library).and_then(|library| library.forget(name)).map_err(failed)?;
    }
    let sessions = clients::open(name)?.forget()?;
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
            return Err(Failure::Work(format!("nothing is stored of a client '{name}'")));
        }
        None => {}
    }
    Ok(())
}
