//! `gst-mood recommend`: the music that fits, best first, each with its reason, for people, programs and other players.

use std::path::PathBuf;

use mood_schema::{Affect, Emotion};
use music_library::{Chooser, HISTORY, Library, Query, Ranked, Track, vocabulary};
use serde_json::json;

use crate::failure::Failure;
use crate::library::{Reach, default_library, failed};
use crate::seen;

/// The arguments of `recommend`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).args(["medium", "mood", "va"]))]
pub struct Arguments {
    /// A picture or video of a face
    #[arg(value_name = "IMAGE|VIDEO")]
    medium: Option<PathBuf>,
    /// An emotion (angry, disgust, fear, happy, sad, surprise, neutral), or another mood such as calm
    #[arg(long, value_parser = mood)]
    mood: Option<Wanted>,
    /// Valence and arousal, each from -1 to 1, such as 0.5,-0.3
    #[arg(long, value_name = "V,A", allow_hyphen_values = true, value_parser = point)]
    va: Option<Affect>,
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long)]
    library: Option<PathBuf>,
    /// How many tracks to name
    #[arg(short = 'n', long, default_value_t = 5)]
    count: usize,
    /// Whose ratings, exclusions and history count; everybody's where nobody is named
    #[arg(long, default_value = "")]
    client: String,
    /// How many of the tracks heard last do not return
    #[arg(long, default_value_t = 3)]
    no_repeat: usize,
    /// Decides between equals
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    reach: Reach,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a playlist
    #[arg(long, conflicts_with = "json")]
    m3u8: bool,
}

/// What music is wanted for, in words and in the plane.
#[derive(Clone, Debug)]
struct Wanted {
    name: String,
    at: Affect,
    emotion: Option<Emotion>,
}

fn mood(text: &str) -> Result<Wanted, String> {
    let meaning = vocabulary::meaning(text).ok_or_else(|| {
        format!(
            "no mood that is known; use {}, or another word for a mood such as calm or energetic",
            Emotion::ALL.map(Emotion::as_str).join(", ")
        )
    })?;
    Ok(Wanted { name: text.to_lowercase(), at: meaning.affect, emotion: meaning.emotion })
}

fn point(text: &str) -> Result<Affect, String> {
    let number = |text: &str| text.trim().parse().ok().filter(|number| (-1.0..=1.0).contains(number));
    let point = text
        .split_once(',')
        .and_then(|(valence, arousal)| Some(Affect { valence: number(valence)?, arousal: number(arousal)? }));
    point.ok_or_else(|| "two numbers from -1 to 1 with a comma between them, such as 0.5,-0.3".into())
}

/// Ranks and prints.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.library.clone().map_or_else(default_library, Ok)?;
    let source = path
        .to_str()
        .ok_or_else(|| Failure::Work(format!("{} is not UTF-8: choose another path", path.display())))?;
    // Before the looking, which takes longer.
    let opened = Library::open_with_database(source, &arguments.client, arguments.reach.access());
    let (library, database) = opened.map_err(failed)?;
    let wanted = match (&arguments.medium, &arguments.mood, arguments.va) {
        (Some(medium), ..) => shown(seen::look(medium)?),
        (_, Some(mood), _) => mood.clone(),
        (.., va) => {
            let at = va.unwrap_or_default();
            Wanted { name: format!("valence {}, arousal {}", at.valence, at.arousal), at, emotion: None }
        }
    };
    let mut chooser = Chooser::new(arguments.seed, arguments.no_repeat);
    if let Some(database) = database {
        let history = database.history(&arguments.client, HISTORY).map_err(failed)?;
        chooser.remember(&library, &history);
    }
    let query = Query { at: wanted.at, emotion: wanted.emotion };
    let ranked = chooser.rank(&library, &query, arguments.count);
    if ranked.is_empty() {
        return Err(Failure::Work(
            "every track is excluded: gst-mood library set --include brings one back".into(),
        ));
    }
    print(arguments, &wanted, &library, &ranked);
    Ok(())
}

fn shown(seen: seen::Seen) -> Wanted {
    let name = format!("{} ({:.0} % sure)", seen.label, 100.0 * seen.confidence);
    match seen.emotion() {
        Some(emotion) => Wanted { name, at: Affect::from_emotion(emotion), emotion: Some(emotion) },
        // Something between the labels: the place in the plane says what can be said.
        None => Wanted { name, at: seen.affect, emotion: None },
    }
}

fn print(arguments: &Arguments, wanted: &Wanted, library: &Library, ranked: &[Ranked]) {
    let tracks = ranked.iter().filter_map(|ranked| Some((ranked, library.tracks.get(ranked.track)?)));
    if arguments.json {
        let tracks = tracks.map(|(ranked, track)| {
            json!({
                "uri": track.uri, "title": track.title, "artist": track.artist, "moods": track.moods,
                "valence": track.affect.map(|at| at.valence), "arousal": track.affect.map(|at| at.arousal),
                "bpm": track.bpm, "key": track.key.map(|key| key.to_string()),
                "distance": ranked.distance, "reason": ranked.reason,
            })
        });
        let wanted = json!({
            "mood": wanted.name, "emotion": wanted.emotion,
            "valence": wanted.at.valence, "arousal": wanted.at.arousal,
        });
        println!("{:#}", json!({ "wanted": wanted, "tracks": tracks.collect::<Vec<_>>() }));
    } else if arguments.m3u8 {
        println!("#EXTM3U");
        for (_, track) in tracks {
            println!("#EXTINF:{:.0},{}", track.duration.unwrap_or(-1.0), line(&name(track)));
            println!("{}", place(track));
        }
    } else {
        println!("for {}", wanted.name);
        for (rank, (ranked, track)) in tracks.enumerate() {
            println!("{:>3}. {}: {}", rank + 1, name(track), ranked.reason);
            println!("     {}", place(track));
        }
    }
}

/// As playlists write it.
fn name(track: &Track) -> String {
    if track.artist.is_empty() { track.title.clone() } else { format!("{} - {}", track.artist, track.title) }
}

/// A path where it is one that a line can hold, else the address.
fn place(track: &Track) -> String {
    let path = url::Url::parse(&track.uri).ok().and_then(|url| url.to_file_path().ok());
    let path = path.and_then(|path| path.into_os_string().into_string().ok());
    path.filter(|path| !path.contains(['\n', '\r'])).unwrap_or_else(|| track.uri.clone())
}

fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
