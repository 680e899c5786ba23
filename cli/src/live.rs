//! `gst-mood live`: a camera drives the music until Ctrl-C, or until a user interface ends it.
//!
//! Only the main thread changes the pipeline's state ([`session`]). Ctrl-C and the pipeline's bus reach it as a flag and
//! messages; user interfaces, on threads of their own, use a [`control::SessionControl`].

mod arguments;
pub mod control;
mod film;
pub mod graph;
mod mpris_client;
mod mqtt_commands;
mod panel;
mod player_status;
mod record;
mod remote_playback;
mod session;
mod speaker;
mod steering;

pub use self::panel::LivePanel;
use crate::consent::ConsentedClient;
use crate::data_folder;
use crate::demo;
use crate::error::CommandError;
use crate::files::path_to_str;
use crate::mpris::LibrarySource;
use crate::pipeline;
use crate::process::{ReportOptions, live_folder};
pub use arguments::{Arguments, SessionArguments};
use mqtt_commands::MqttCommands;
use remote_playback::RemotePlayback;
pub use session::{FACES, LiveSession};

/// Plays until the camera ends, Ctrl-C is pressed, or a user interface ends the session.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    arguments.session.client.require_consent()?;
    pipeline::init_gstreamer()?;
    let (library, camera) = if arguments.demo {
        let (video, music) = demo::make_material(&data_folder::path()?.join("demo"))?;
        (music, Some(path_to_str(&video)?.to_owned()))
    } else {
        (arguments.session.library()?, arguments.camera.clone())
    };
    let library = path_to_str(&library)?.to_owned();
    let pipeline = graph::build(arguments, camera.as_deref(), &library)?;
    let client = arguments.session.client.consented()?;
    let session =
        LiveSession::new(pipeline, &arguments.session, client.as_ref(), !arguments.once, arguments.demo)?;
    let panel = LivePanel::start(&arguments.session, &session, arguments.record_video)?;
    run_session(session, panel, &arguments.session, library, client)
}

/// Plays until the session ends, with everything that steers it and takes part in it; then makes the results of a record.
pub fn run_session(
    mut session: LiveSession,
    panel: Option<LivePanel>,
    arguments: &SessionArguments,
    library: String,
    client: Option<ConsentedClient>,
) -> Result<(), CommandError> {
    let crossfade = session.crossfade();
    let start_player = |address| RemotePlayback::start(address, crossfade, session.control());
    let player = arguments.player.as_ref().map(start_player).transpose()?;
    let commands = arguments
        .allow_mqtt_commands
        .then(|| MqttCommands::start(&arguments.publish, &session.control()))
        .transpose()?;
    let source =
        (!arguments.no_mpris).then_some(LibrarySource { library, access: arguments.access.to_access() });
    let played = session.run(source);
    // The other player stops before the record is finished, which takes a while.
    drop(player);
    drop(commands);
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
    // Pages that are open learn that the session has ended.
    drop(panel);
    Ok(())
}
