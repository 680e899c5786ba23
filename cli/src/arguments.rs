//! Groups of arguments and value parsers that several commands share.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PathBufValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use gst::prelude::*;
use mood::Strategy;
use mood_schema::Affect;
use music_library::{Database, SourceAccess};
use serde::{Deserialize, Serialize};

use crate::clients::{self, Client};
use crate::consent::{ConsentedClient, is_blank};
use crate::data_folder::default_library;
use crate::error::CommandError;

/// Where the library database is.
#[derive(clap::Args)]
pub struct DatabaseArgument {
    /// The database [default: ~/.local/share/gst-mood/library.db]
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
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

    /// The client with the consent note, given now or earlier; `None` for everybody.
    pub fn consented(&self) -> Result<Option<ConsentedClient>, CommandError> {
        let client = (!is_blank(&self.client)).then(|| Client::open(&self.client));
        client.transpose()?.map(|client| client.consented()).transpose().map(Option::flatten)
    }
}

/// Parses a path, which may be given as a `file:` URI, as file managers and browsers copy it.
pub fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| local_path(&path))
}

/// The path that is meant by a path or a `file:` URI.
pub fn local_path(source: &Path) -> PathBuf {
    let uri = source.to_str().and_then(|text| text.strip_prefix("file:").and(url::Url::parse(text).ok()));
    uri.and_then(|uri| uri.to_file_path().ok()).unwrap_or_else(|| source.to_path_buf())
}

/// Parses a number of frames a second, 0.01 to 1000.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|rate| (0.01..=1000.0).contains(rate));
    number.ok_or_else(|| "give frames a second, from 0.01 to 1000".into())
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

/// How the music follows the mood. What is not given is as the player has it. A recording's results are made again where they
/// change, so that the serialized form must not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MusicOptions {
    /// How the music relates to the mood [default: match]
    #[arg(long, value_parser = strategy_parser())]
    #[serde(default, skip_serializing_if = "Option::is_none", with = "strategy_nick")]
    pub strategy: Option<Strategy>,
    /// Where target and iso lead: from unpleasant -1 to pleasant 1, and from calm -1 to activated 1 [default: 0.5,-0.3]
    #[arg(long, value_name = "VALENCE,AROUSAL", allow_hyphen_values = true, value_parser = parse_target)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Affect>,
    /// The shortest time between two changes of the music's mood, and the duration of a step with iso [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_dwell: Option<f64>,
    /// How long another mood must last before it counts [default: 2]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_time: Option<f64>,
    /// How long two tracks overlap, 0 to 60 [default: 4]
    #[arg(long, value_name = "SECONDS", value_parser = parse_crossfade)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossfade: Option<f64>,
    /// How many other tracks play before one is repeated [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_repeat: Option<u32>,
    /// After this long in a negative mood the music leads out of it; 0 for no limit [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_negative_time: Option<f64>,
    /// Decides between tracks that fit equally well [default: 0]
    #[arg(long, value_name = "N")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl MusicOptions {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sets the properties of a player that is not running yet.
    pub fn configure(&self, player: &gst::Element) {
        let times = [
            ("min-dwell", self.min_dwell),
            ("hold-time", self.hold_time),
            ("crossfade", self.crossfade),
            ("max-negative-time", self.max_negative_time),
        ];
        for (name, seconds) in times {
            if let Some(seconds) = seconds {
                player.set_property(name, (seconds * 1e9) as u64);
            }
        }
        if let Some(strategy) = self.strategy {
            player.set_property_from_str("strategy", strategy.nick());
        }
        if let Some(target) = self.target {
            player.set_property("target-valence", target.valence);
            player.set_property("target-arousal", target.arousal);
        }
        if let Some(no_repeat) = self.no_repeat {
            player.set_property("no-repeat", no_repeat);
        }
        if let Some(seed) = self.seed {
            player.set_property("seed", seed);
        }
    }
}

/// A strategy by its nick in JSON.
mod strategy_nick {
    use mood::Strategy;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Serializes the nick.
    pub fn serialize<S: Serializer>(strategy: &Option<Strategy>, serializer: S) -> Result<S::Ok, S::Error> {
        strategy.map(Strategy::nick).serialize(serializer)
    }

    /// Deserializes a nick.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Strategy>, D::Error> {
        let nick = Option::<String>::deserialize(deserializer)?;
        nick.map(|nick| nick.parse()).transpose().map_err(serde::de::Error::custom)
    }
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

/// Parses valence and arousal with a comma between them.
fn parse_target(text: &str) -> Result<Affect, String> {
    let coordinates = text.split_once(',').map(|(valence, arousal)| {
        Ok::<_, String>(Affect {
            valence: parse_coordinate(valence.trim())?,
            arousal: parse_coordinate(arousal.trim())?,
        })
    });
    coordinates
        .and_then(Result::ok)
        .ok_or_else(|| "give valence and arousal, each -1 to 1, such as 0.5,-0.3".into())
}

/// Parses the duration of a crossfade, 0 to 60 seconds.
fn parse_crossfade(text: &str) -> Result<f64, String> {
    let seconds = f64::from_str(text).ok().filter(|seconds| (0.0..=60.0).contains(seconds));
    seconds.ok_or_else(|| "give seconds, from 0 to 60".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn targets_and_crossfades_have_their_ranges() {
        assert_eq!(parse_target("-0.5, 1").unwrap(), Affect { valence: -0.5, arousal: 1.0 });
        for text in ["", "0.5", "0.5,2", "a,b", "0,0,0", "NaN,0"] {
            assert!(parse_target(text).is_err_and(|error| error.contains("0.5,-0.3")), "{text}");
        }
        assert_eq!((parse_crossfade("0"), parse_crossfade("61").is_err()), (Ok(0.0), true));
    }

    #[test]
    fn only_given_music_options_are_serialized() {
        assert_eq!(serde_json::to_string(&MusicOptions::default()).unwrap(), "{}");
        let options =
            MusicOptions { strategy: Some(Strategy::Iso), seed: Some(7), ..MusicOptions::default() };
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(json, r#"{"strategy":"iso","seed":7}"#);
        assert_eq!(serde_json::from_str::<MusicOptions>(&json).unwrap(), options);
    }

    #[test]
    fn files_may_be_given_as_uris() {
        for (given, path) in [
            ("file:///a/b%20c.mp4", "/a/b c.mp4"),
            ("file://localhost/a.mp4", "/a.mp4"),
            ("/a/b%20c.mp4", "/a/b%20c.mp4"),
            ("http://host/a.mp4", "http://host/a.mp4"),
            ("a.mp4", "a.mp4"),
        ] {
            assert_eq!(local_path(Path::new(given)), Path::new(path), "{given}");
        }
    }
}
