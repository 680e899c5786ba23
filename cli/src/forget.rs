//! `gst-mood forget`: what is stored of a client goes.

use crate::clients;
use crate::failure::Failure;

/// Whom to forget.
#[derive(clap::Args)]
pub struct Arguments {
    /// The name given with --client, or in the notes
    client: String,
}

/// Removes a client's history and baseline; results in other folders are the user's to remove.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match clients::open(&arguments.client)?.forget()? {
        Some(1) => println!("1 session and the baseline are forgotten; remove the session's folder yourself"),
        Some(count) => {
            println!("{count} sessions and the baseline are forgotten; remove the sessions' folders yourself")
        }
        None => return Err(Failure::Work(format!("nothing is stored of a client '{}'", arguments.client))),
    }
    Ok(())
}
