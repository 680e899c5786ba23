//! `gst-mood live`: a camera drives the music until Ctrl-C, or until a user interface ends it.
//!
//! Only the main thread changes the pipeline's state ([`session`]). Ctrl-C and the pipeline's bus reach it as a flag and
//! messages; user interfaces, on threads of their own, use a [`control::SessionControl`].

mod arguments;
pub mod control;
mod graph;
mod panel;
mod player_status;
mod record;
mod session;
mod steering;

use self::panel::LivePanel;
use crate::data_folder::default_library;
use crate::error::CommandError;
use crate::files::path_to_str;
use crate::mpris::LibrarySource;
use crate::pipeline;
use crate::process::{ReportOptions, live_folder};
pub use arguments::Arguments;
use session::LiveSession;

/// Plays until the camera ends, Ctrl-C is pressed, or a user interface ends the session.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    arguments.client.require_consent()?;
    pipeline::init_gstreamer()?;
    let library = arguments.library.clone().map_or_else(default_library, Ok)?;
    let library = path_to_str(&library)?.to_owned();
    let pipeline = graph::build(arguments, &library)?;
    let mut session = LiveSession::new(pipeline, arguments)?;
    let _panel = LivePanel::start(&arguments.panel, &session, arguments.json)?;
    let source =
        (!arguments.no_mpris).then_some(LibrarySource { library, access: arguments.access.to_access() });
    let played = session.run(source);
    // It has the folder for itself until then.
    drop(session);
    let Some(folder) = &arguments.output else { return played };
    let finished = live_folder::finish(folder, &ReportOptions::default());
    // Why the session ended early matters more than why nothing can be made of it.
    played?;
    live_folder::print_warnings(folder, &finished?);
    Ok(())
}
