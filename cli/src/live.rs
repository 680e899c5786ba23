//! `gst-mood live`: a camera drives the music until Ctrl-C, or until a user interface ends it.
//!
//! Only the main thread changes the pipeline's state ([`session`]). Ctrl-C and the pipeline's bus reach it as a flag and
//! messages; user interfaces, on threads of their own, use a [`control::SessionControl`].

mod arguments;
pub mod control;
mod film;
mod graph;
mod mpris_client;
mod panel;
mod player_status;
mod record;
mod remote_playback;
mod session;
mod speaker;
mod steering;

use self::panel::LivePanel;
use crate::data_folder::{self, default_library};
use crate::demo;
use crate::error::CommandError;
use crate::files::path_to_str;
use crate::mpris::LibrarySource;
use crate::pipeline;
use crate::process::{ReportOptions, live_folder};
pub use arguments::Arguments;
use remote_playback::RemotePlayback;
use session::LiveSession;

/// Plays until the camera ends, Ctrl-C is pressed, or a user interface ends the session.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    arguments.client.require_consent()?;
    pipeline::init_gstreamer()?;
    let (library, camera) = if arguments.demo {
        let (video, music) = demo::make_material(&data_folder::path()?.join("demo"))?;
        (music, Some(path_to_str(&video)?.to_owned()))
    } else {
        (arguments.library.clone().map_or_else(default_library, Ok)?, arguments.camera.clone())
    };
    let library = path_to_str(&library)?.to_owned();
    let pipeline = graph::build(arguments, camera.as_deref(), &library)?;
    let client = arguments.client.consented()?;
    let mut session = LiveSession::new(pipeline, arguments, client.as_ref())?;
    let crossfade = session.crossfade();
    let start_player = |address| RemotePlayback::start(address, crossfade, session.control());
    let player = arguments.player.as_ref().map(start_player).transpose()?;
    let _panel = LivePanel::start(arguments, &session)?;
    let source =
        (!arguments.no_mpris).then_some(LibrarySource { library, access: arguments.access.to_access() });
    let played = session.run(source);
    // The other player stops before the record is finished, which takes a while.
    drop(player);
    // It has the folder for itself until then.
    drop(session);
    let Some(folder) = &arguments.output else { return played };
    if played.is_err() && live_folder::discard_empty(folder)? {
        return played;
    }
    let options = ReportOptions { client: client.map(|client| client.name), ..ReportOptions::default() };
    let finished = live_folder::finish(folder, &options);
    // Why the session ended early matters more than why nothing can be made of it.
    played?;
    live_folder::print_warnings(folder, &finished?);
    Ok(())
}
