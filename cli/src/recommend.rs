//! `gst-mood recommend`: lists the music that fits a mood, the best first, each with a reason; as text, JSON
//! or a playlist.

use std::path::PathBuf;

use mood_schema::{Affect, Emotion};
use music_library::{HISTORY_LENGTH, Library, RankedTrack, SelectionQuery, Track, TrackSelector, vocabulary};
use serde_json::json;
use session::Expression;

use crate::arguments::{AccessArguments, parse_coordinate, path_parser};
use crate::data_folder::default_library;
use crate::error::CommandError;
use crate::expression;
use crate::files::path_to_str;

/// The arguments of `recommend`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).args(["medium", "mood", "va"]))]
pub struct Arguments {
    /// A picture or video of a face
    #[arg(value_name = "IMAGE|VIDEO", value_parser = path_parser())]
    medium: Option<PathBuf>,
    /// An emotion (angry, disgust, fear, happy, sad, surprise, neutral), or another mood such as calm
    #[arg(long, value_parser = parse_mood)]
    mood: Option<WantedMood>,
    /// Valence and arousal, each from -1 to 1, such as 0.5,-0.3
    #[arg(long, value_name = "V,A", allow_hyphen_values = true, value_parser = parse_point)]
    va: Option<Affect>,
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long, value_parser = path_parser())]
    library: Option<PathBuf>,
    /// How many tracks to list
    #[arg(short = 'n', long, default_value_t = 5)]
    count: usize,
    /// Client whose ratings, exclusions and history count; everybody's if none is named
    #[arg(long, default_value = "")]
    client: String,
    /// How many of the tracks heard last are not listed
    #[arg(long, default_value_t = 3)]
    no_repeat: usize,
    /// Seed for the choice between tracks that fit equally well
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What playlists may refer to.
    #[command(flatten)]
    access: AccessArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print an M3U8 playlist
    #[arg(long, conflicts_with = "json")]
    m3u8: bool,
}

/// The mood that music is wanted for.
#[derive(Clone, Debug)]
struct WantedMood {
    /// Description for the user.
    name: String,
    /// Valence and arousal.
    affect: Affect,
    /// The emotion, if it is one: a track that names it fits better.
    emotion: Option<Emotion>,
}

/// Parses an emotion or another word for a mood.
fn parse_mood(text: &str) -> Result<WantedMood, String> {
    let meaning = vocabulary::look_up(text).ok_or_else(|| {
        format!(
            "not a known mood; use {}, or another word for a mood such as calm or energetic",
            Emotion::ALL.map(Emotion::as_str).join(", ")
        )
    })?;
    Ok(WantedMood { name: text.to_lowercase(), affect: meaning.affect, emotion: meaning.emotion })
}

/// Parses valence and arousal with a comma between them.
fn parse_point(text: &str) -> Result<Affect, String> {
    let coordinate = |text: &str| parse_coordinate(text.trim()).ok();
    let point = text.split_once(',').and_then(|(valence, arousal)| {
        Some(Affect { valence: coordinate(valence)?, arousal: coordinate(arousal)? })
    });
    point.ok_or_else(|| "two numbers from -1 to 1 with a comma between them, such as 0.5,-0.3".into())
}

/// Ranks the library's tracks and prints the best.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let path = arguments.library.clone().map_or_else(default_library, Ok)?;
    let source = path_to_str(&path)?;
    // The library first: an error in it is found faster than a face.
    let (library, database) =
        Library::open_with_database(source, &arguments.client, arguments.access.to_access())?;
    for item in &library.assumed {
        eprintln!("gst-mood: warning: {}: {}", item.name, item.reason);
    }
    let wanted = match (&arguments.medium, &arguments.mood, arguments.va) {
        (Some(medium), ..) => mood_of_expression(expression::estimate(medium)?),
        (_, Some(mood), _) => mood.clone(),
        (.., va) => {
            let affect = va.unwrap_or_default();
            let name = format!("valence {}, arousal {}", affect.valence, affect.arousal);
            WantedMood { name, affect, emotion: None }
        }
    };
    let mut selector = TrackSelector::new(arguments.seed, arguments.no_repeat);
    if let Some(database) = database {
        let history = database.play_history(&arguments.client, HISTORY_LENGTH)?;
        selector.load_history(&library, &history);
    }
    let query = SelectionQuery { affect: wanted.affect, emotion: wanted.emotion };
    let ranked = selector.rank(&library, &query, arguments.count);
    if ranked.is_empty() {
        return Err(CommandError::Failed(
            "every track is excluded: gst-mood library set --include brings one back".into(),
        ));
    }
    print(arguments, &wanted, &library, &ranked);
    Ok(())
}

/// The mood of a person with this expression.
fn mood_of_expression(expression: Expression) -> WantedMood {
    let name = format!("{} ({:.0} % sure)", expression.label, 100.0 * expression.confidence);
    match expression.emotion() {
        Some(emotion) => WantedMood { name, affect: Affect::from_emotion(emotion), emotion: Some(emotion) },
        // An uncertain label: the mean valence and arousal still say something.
        None => WantedMood { name, affect: expression.affect, emotion: None },
    }
}

/// Prints the ranking in the form that the arguments ask for.
fn print(arguments: &Arguments, wanted: &WantedMood, library: &Library, ranked: &[RankedTrack]) {
    let tracks = ranked.iter().filter_map(|ranked| Some((ranked, library.tracks.get(ranked.track)?)));
    if arguments.json {
        let tracks = tracks.map(|(ranked, track)| {
            json!({
                "uri": track.uri, "title": track.title, "artist": track.artist, "moods": track.moods,
                "valence": track.affect.map(|affect| affect.valence),
                "arousal": track.affect.map(|affect| affect.arousal),
                "bpm": track.bpm, "key": track.key.map(|key| key.to_string()),
                "distance": ranked.distance, "reason": ranked.reason,
            })
        });
        let wanted = json!({
            "mood": wanted.name, "emotion": wanted.emotion,
            "valence": wanted.affect.valence, "arousal": wanted.affect.arousal,
        });
        println!("{:#}", json!({ "wanted": wanted, "tracks": tracks.collect::<Vec<_>>() }));
    } else if arguments.m3u8 {
        println!("#EXTM3U");
        for (_, track) in tracks {
            println!("#EXTINF:{:.0},{}", track.duration.unwrap_or(-1.0), single_line(&display_name(track)));
            println!("{}", location(track));
        }
    } else {
        println!("for {}", wanted.name);
        for (rank, (ranked, track)) in tracks.enumerate() {
            println!("{:>3}. {}: {}", rank + 1, display_name(track), ranked.reason);
            println!("     {}", location(track));
        }
    }
}

/// Artist and title as playlists write them.
fn display_name(track: &Track) -> String {
    if track.artist.is_empty() { track.title.clone() } else { format!("{} - {}", track.artist, track.title) }
}

/// The track's path if it has one that fits on a line, else its URI.
fn location(track: &Track) -> String {
    let path = url::Url::parse(&track.uri).ok().and_then(|url| url.to_file_path().ok());
    let path = path.and_then(|path| path.into_os_string().into_string().ok());
    path.filter(|path| !path.contains(['\n', '\r'])).unwrap_or_else(|| track.uri.clone())
}

/// Replaces line breaks by spaces.
fn single_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
