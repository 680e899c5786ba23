//! The arguments of `gst-mood live`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use mood::Subject;
use remote_player::PlayerAddress;

use crate::arguments::{AccessArguments, ClientArguments, MusicOptions, parse_coordinate, path_parser};
use crate::data_folder::default_library;
use crate::error::CommandError;

/// The arguments of `live`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A device such as /dev/video2, a video file, which is played again and again, or a source in gst-launch's notation
    /// [default: the first camera there is]
    #[arg(long)]
    pub camera: Option<String>,
    /// Play a video file once, and end with it
    #[arg(long, requires = "camera")]
    pub once: bool,
    /// Try it without camera and music of one's own: with the built-in actor and music, which are made the first time; where
    /// there is no sound output, it is silent
    #[arg(long, conflicts_with_all = ["camera", "library"])]
    pub demo: bool,
    /// Record the camera's picture and the room's sound into that folder too; needs --consent NOTE
    #[arg(long, requires_all = ["output", "consent"])]
    pub record_video: bool,
    /// Where the room's sound comes from, in gst-launch's notation
    #[arg(long, value_name = "SOURCE", default_value = "autoaudiosrc", requires = "record_video")]
    pub microphone: String,
    /// Where the picture goes, in gst-launch's notation [default: a window]
    #[arg(long, value_name = "SINK")]
    pub video_sink: Option<String>,
    /// Show no picture
    #[arg(long, conflicts_with = "video_sink")]
    pub no_window: bool,
    /// What it has in common with other sessions.
    #[command(flatten)]
    pub session: SessionArguments,
}

/// The arguments of a session, wherever its mood comes from.
#[derive(clap::Args)]
pub struct SessionArguments {
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long, value_parser = path_parser())]
    pub library: Option<PathBuf>,
    /// Whose ratings and exclusions count, and whose resting face is expected.
    #[command(flatten)]
    pub client: ClientArguments,
    /// How the music follows the mood.
    #[command(flatten)]
    pub music: MusicOptions,
    /// Where target and iso lead, in place of --target: unpleasant -1 to pleasant 1
    #[arg(long, value_name = "V", allow_hyphen_values = true, value_parser = parse_coordinate,
          conflicts_with = "target")]
    pub target_valence: Option<f64>,
    /// Where target and iso lead, in place of --target: calm -1 to activated 1
    #[arg(long, value_name = "A", allow_hyphen_values = true, value_parser = parse_coordinate,
          conflicts_with = "target")]
    pub target_arousal: Option<f64>,
    /// Whose face counts: largest, mean, or id:N with the id of a face, as the window shows it
    #[arg(long, value_name = "WHO", default_value = "largest")]
    pub subject: Subject,
    /// What playlists may refer to.
    #[command(flatten)]
    pub access: AccessArguments,
    /// Keep a record in this folder: timeline and markers while the session runs, then all that process makes
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Let another player play the music: mpd://HOST:PORT, mpd:///run/mpd/socket, or mpris:NAME for one on the desktop's bus.
    /// MPD's password is read from GST_MOOD_MPD_PASSWORD
    #[arg(long, value_name = "PLAYER", conflicts_with = "audio_sink")]
    pub player: Option<PlayerAddress>,
    /// Where the sound goes, in gst-launch's notation
    #[arg(long, value_name = "SINK", default_value = "autoaudiosink")]
    pub audio_sink: String,
    /// Do not register with the desktop's media control (MPRIS)
    #[arg(long)]
    pub no_mpris: bool,
    /// The page for the therapist.
    #[command(flatten)]
    pub panel: PanelArguments,
    /// Publish moods, faces, tracks and markers while the session runs: mqtt://USER@HOST/TOPIC, mqtts://..., osc://HOST:PORT,
    /// lsl:, file:///PATH, unix:///PATH; more than once for several. The password of MQTT is read from GST_MOOD_MQTT_PASSWORD
    #[arg(long, value_name = "URI", value_parser = parse_destination)]
    pub publish: Vec<String>,
    /// Let whoever may write to the MQTT broker of --publish steer the session below TOPIC/set: mood, strategy, pause, hold, skip,
    /// previous, like, dislike, exclude. Nobody can without it
    #[arg(long, requires = "publish")]
    pub allow_mqtt_commands: bool,
    /// Print JSON, one line for whatever the player decides and plays, as in its decision log
    #[arg(long)]
    pub json: bool,
}

impl SessionArguments {
    /// The library that is named, or the user's own.
    pub fn library(&self) -> Result<PathBuf, CommandError> {
        self.library.clone().map_or_else(default_library, Ok)
    }

    /// Where the sound goes, in gst-launch's notation. Where another player sounds, the mix only keeps the time.
    pub fn audio_sink(&self) -> &str {
        if self.player.is_some() { "fakesink sync=true" } else { &self.audio_sink }
    }
}

/// The arguments about the panel.
#[derive(clap::Args)]
pub struct PanelArguments {
    /// Serve a page from which the session is watched and steered, and print its link [default address: 127.0.0.1 and a
    /// free port]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1",
          value_parser = parse_address)]
    pub panel: Option<SocketAddr>,
    /// Allow an address for --panel that other machines can reach, although what the page shows is not encrypted on its way
    #[arg(long, requires = "panel")]
    pub panel_anyone: bool,
}

/// A URI that `emotionpublish` understands.
fn parse_destination(text: &str) -> Result<String, String> {
    let uri = text.replace(' ', "%20");
    uri.parse::<publish::Destination>().map(|_| uri).map_err(|error| error.to_string())
}

/// Parses an address with or without a port, or a port alone.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    }
    let address = text.parse::<IpAddr>();
    address
        .map(|address| SocketAddr::new(address, 0))
        .map_err(|_| "use an IP address, a port, or both, such as 127.0.0.1:8000".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_lack_a_port_or_be_one() {
        for (text, address) in [
            ("127.0.0.1", "127.0.0.1:0"),
            ("8000", "127.0.0.1:8000"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("::1", "[::1]:0"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(parse_address(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["localhost", "", "70000", "127.0.0.1:x", "http://127.0.0.1"] {
            assert!(parse_address(text).is_err(), "{text}");
        }
    }
}
