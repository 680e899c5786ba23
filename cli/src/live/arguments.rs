//! The arguments of `gst-mood live`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use mood::Strategy;

use crate::arguments::{AccessArguments, ClientArguments, parse_coordinate};

/// The arguments of `live`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long)]
    pub library: Option<PathBuf>,
    /// Whose ratings and exclusions count.
    #[command(flatten)]
    pub client: ClientArguments,
    /// A device such as /dev/video2, a video file to try it with, or a source in gst-launch's notation
    /// [default: the first camera there is]
    #[arg(long)]
    pub camera: Option<String>,
    /// How the music relates to the mood
    #[arg(long, default_value_t, value_parser = strategy_parser())]
    pub strategy: Strategy,
    /// Where target and iso lead: unpleasant -1 to pleasant 1
    #[arg(long, value_name = "V", default_value_t = 0.5, allow_hyphen_values = true,
          value_parser = parse_coordinate)]
    pub target_valence: f64,
    /// Where target and iso lead: calm -1 to activated 1
    #[arg(long, value_name = "A", default_value_t = -0.3, allow_hyphen_values = true,
          value_parser = parse_coordinate)]
    pub target_arousal: f64,
    /// What playlists may refer to.
    #[command(flatten)]
    pub access: AccessArguments,
    /// Where the picture goes, in gst-launch's notation [default: a window]
    #[arg(long, value_name = "SINK")]
    pub video_sink: Option<String>,
    /// Where the sound goes, in gst-launch's notation
    #[arg(long, value_name = "SINK", default_value = "autoaudiosink")]
    pub audio_sink: String,
    /// Show no picture
    #[arg(long, conflicts_with = "video_sink")]
    pub no_window: bool,
    /// Do not register with the desktop's media control (MPRIS)
    #[arg(long)]
    pub no_mpris: bool,
    /// Print JSON, one line for whatever the player decides and plays, as in its decision log
    #[arg(long)]
    pub json: bool,
}

/// Parses a strategy by its nick; the help text lists them all.
fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    let values = Strategy::ALL.iter().map(|strategy| {
        PossibleValue::new(strategy.nick()).help(match strategy {
            Strategy::Match => "Play what fits the mood",
            Strategy::Target => "Play the target, whatever the mood",
            Strategy::Iso => "Start at the mood and step towards the target",
            Strategy::Hold => "Keep what fitted the first mood",
        })
    });
    PossibleValuesParser::new(values).try_map(|nick| nick.parse::<Strategy>())
}
