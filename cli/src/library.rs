//! `gst-mood library`: a database of music that is scanned, listed, corrected, exported and imported.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use music_library::{Access, Database, Decode, Entry, Field, Scan, Skipped, Track, Value, table};
use serde_json::json;

use crate::clients;
use crate::data;
use crate::decode::Decoder;
use crate::failure::Failure;
use crate::pipeline;
use crate::plane;
use crate::progress::Progress;

/// What can be done with a library.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Read folders and playlists into the library: tags, loudness, tempo, key, a guess at the mood
    Scan {
        /// Folders and playlists (m3u8, m3u, xspf)
        #[arg(required = true)]
        sources: Vec<String>,
        #[command(flatten)]
        library: Place,
        /// How many files are read at once [default: as many as the machine has cores]
        #[arg(long)]
        threads: Option<std::num::NonZero<usize>>,
        /// Only read tags; do not listen
        #[arg(long)]
        tags_only: bool,
        /// Write what the library knows better into the files' tags; otherwise no music file is ever changed
        #[arg(long)]
        write_tags: bool,
        #[command(flatten)]
        reach: Reach,
        /// Print what was done as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the tracks and what is known of them
    List {
        /// Only tracks with this text in their title, artist, album, mood or address
        text: Option<String>,
        #[command(flatten)]
        library: Place,
        #[command(flatten)]
        client: Client,
        /// Draw them in the plane of valence and arousal, into this SVG file
        #[arg(long, value_name = "FILE.svg")]
        plot: Option<PathBuf>,
        /// Print all values with who said them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is right of a track; your word beats its tags and every estimate
    Set(Box<Set>),
    /// Take values over from a CSV table, as export writes it
    Import {
        /// The table; - for standard input
        table: PathBuf,
        #[command(flatten)]
        library: Place,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Write all that is known as a CSV table
    Export {
        /// The table; standard output where none is named
        table: Option<PathBuf>,
        #[command(flatten)]
        library: Place,
        #[command(flatten)]
        client: Client,
    },
}

/// Where the database is.
#[derive(clap::Args)]
pub struct Place {
    /// The database [default: ~/.local/share/gst-mood/library.db]
    #[arg(short, long, value_name = "FILE")]
    library: Option<PathBuf>,
}

/// Where playlists may lead.
#[derive(clap::Args)]
pub struct Reach {
    /// Take network addresses in playlists too
    #[arg(long)]
    pub allow_network: bool,
    /// Take files outside a playlist's own folder too
    #[arg(long)]
    pub allow_outside: bool,
}

impl Reach {
    /// As the library takes it.
    pub fn access(&self) -> Access {
        Access { network: self.allow_network, outside: self.allow_outside }
    }
}

/// Whose opinions are meant.
#[derive(clap::Args)]
pub struct Client {
    /// Whose ratings and exclusions are meant; everybody's where nobody is named
    #[arg(long, default_value = "")]
    client: String,
}

/// Whose opinions are stored.
#[derive(clap::Args)]
pub struct ClientArguments {
    /// Whose opinions these are; everybody's where nobody is named
    #[arg(long, default_value = "")]
    pub client: String,
    /// The note that the client has consented to being stored, once: who, when, where the signed form is
    #[arg(long, value_name = "NOTE", requires = "client")]
    pub consent: Option<String>,
}

impl ClientArguments {
    /// Fails where nothing may be stored of the client.
    pub fn check(&self) -> Result<(), Failure> {
        clients::agree(&self.client, self.consent.as_deref())
    }
}

/// The arguments of `set`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("change").multiple(true).required(true).args([
    "title", "artist", "album", "genre", "mood", "valence", "arousal", "bpm", "key", "rating", "exclude", "include",
    "clear",
]))]
pub struct Set {
    /// Paths or addresses
    #[arg(required = true)]
    tracks: Vec<String>,
    #[command(flatten)]
    library: Place,
    #[command(flatten)]
    client: ClientArguments,
    #[arg(long, value_parser = |text: &str| Field::Title.parse(text))]
    title: Option<Value>,
    #[arg(long, value_parser = |text: &str| Field::Artist.parse(text))]
    artist: Option<Value>,
    #[arg(long, value_parser = |text: &str| Field::Album.parse(text))]
    album: Option<Value>,
    #[arg(long, value_parser = |text: &str| Field::Genre.parse(text))]
    genre: Option<Value>,
    /// Words with commas between them
    #[arg(long, value_parser = |text: &str| Field::Mood.parse(text))]
    mood: Option<Value>,
    /// Unpleasant -1 to pleasant 1
    #[arg(long, requires = "arousal", allow_hyphen_values = true,
          value_parser = |text: &str| Field::Valence.parse(text))]
    valence: Option<Value>,
    /// Calm -1 to activated 1
    #[arg(long, requires = "valence", allow_hyphen_values = true,
          value_parser = |text: &str| Field::Arousal.parse(text))]
    arousal: Option<Value>,
    /// Beats a minute
    #[arg(long, value_parser = |text: &str| Field::Bpm.parse(text))]
    bpm: Option<Value>,
    /// Such as C, F#m or 8A
    #[arg(long, value_parser = |text: &str| Field::Key.parse(text))]
    key: Option<Value>,
    /// -2 (never while anything else fits) to 2 (a favourite)
    #[arg(long, allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-2..=2))]
    rating: Option<i32>,
    /// Never play it
    #[arg(long, conflicts_with = "include")]
    exclude: bool,
    /// Play it again
    #[arg(long)]
    include: bool,
    /// Take back what was set of this field
    #[arg(long, value_name = "FIELD", value_parser = |text: &str| text.parse::<Field>())]
    clear: Vec<Field>,
}

/// Runs one of them.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Scan { sources, library, threads, tags_only, write_tags, reach, json } => {
            let threads = threads.map_or_else(cores, std::num::NonZero::get);
            let scan = Scan { sources: &sources, threads, access: reach.access(), write_tags };
            run_scan(&scan, &library.path()?, tags_only, json)
        }
        Command::List { text, library, client, plot, json } => {
            list(&library.open()?, &client.client, text.as_deref(), plot.as_deref(), json)
        }
        Command::Set(set) => run_set(&set),
        Command::Import { table, library, client } => {
            client.check()?;
            import(&library.open()?, &client.client, &table)
        }
        Command::Export { table, library, client } => {
            export(&library.open()?, &client.client, table.as_deref())
        }
    }
}

/// The database of the user who says nothing else.
pub fn default_library() -> Result<PathBuf, Failure> {
    Ok(data::folder()?.join("library.db"))
}

/// An error of the library's.
pub fn failed(error: music_library::Error) -> Failure {
    Failure::Work(error.to_string())
}

impl Place {
    fn path(&self) -> Result<PathBuf, Failure> {
        self.library.clone().map_or_else(default_library, Ok)
    }

    /// One that is there.
    fn open(&self) -> Result<Database, Failure> {
        let path = self.path()?;
        if !path.exists() {
            let path = path.display();
            return Err(Failure::Work(format!(
                "no library database {path}: gst-mood library scan makes one"
            )));
        }
        Database::open(path).map_err(failed)
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn run_scan(scan: &Scan<'_>, path: &Path, tags_only: bool, json: bool) -> Result<(), Failure> {
    let decoder = if tags_only { None } else { Some(Decoder::new()?) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    let database = Database::create(path).map_err(failed)?;
    let mut bar = None;
    let report = scan
        .run(
            &database,
            decoder.as_ref().map(|decoder| decoder as &dyn Decode),
            pipeline::interrupt(),
            |now| {
                bar.get_or_insert_with(|| Progress::start("scanning", now.of as u64)).set(now.done as u64);
            },
        )
        .map_err(failed)?;
    if let Some(bar) = bar {
        bar.finish((report.audio > 0.0).then(|| Duration::from_secs_f64(report.audio)));
    }
    if json {
        let failed: Vec<_> =
            report.failed.iter().map(|Skipped { what, why }| json!({ "what": what, "why": why })).collect();
        let report = json!({
            "library": path, "listed": report.listed, "added": report.added, "changed": report.changed,
            "moved": report.moved, "unchanged": report.unchanged, "missing": report.missing,
            "written": report.written, "audio_seconds": report.audio, "failed": failed,
            "interrupted": report.cancelled,
        });
        println!("{report:#}");
    } else {
        println!(
            "{} tracks: {} new, {} changed, {} renamed, {} as they were; {} no longer there",
            report.listed, report.added, report.changed, report.moved, report.unchanged, report.missing
        );
        if scan.write_tags {
            println!("tags written into {} files", report.written);
        }
    }
    if report.cancelled {
        return Err(Failure::Interrupted);
    }
    told(&report.failed, "the others are in the library")
}

/// Prints what was left out; that is a failure in part.
fn told(failed: &[Skipped], rest: &str) -> Result<(), Failure> {
    for Skipped { what, why } in failed {
        eprintln!("gst-mood: {what}: {why}");
    }
    match failed.len() {
        0 => Ok(()),
        1 => Err(Failure::Work(format!("1 entry was left out; {rest}"))),
        some => Err(Failure::Work(format!("{some} entries were left out; {rest}"))),
    }
}

fn list(
    database: &Database,
    client: &str,
    text: Option<&str>,
    plot: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let text = text.map(str::to_lowercase);
    let asked = |entry: &Entry| {
        let Some(text) = &text else { return true };
        let fields = [Field::Title, Field::Artist, Field::Album, Field::Genre, Field::Mood];
        let place = entry.path().map(|path| path.display().to_string());
        let texts = fields.iter().filter_map(|field| entry.text(*field)).chain(place.as_deref());
        texts.chain([entry.uri.as_str()]).any(|found| found.to_lowercase().contains(text))
    };
    let mut entries = Vec::new();
    let take = |entry: Entry| entries.extend(asked(&entry).then_some(entry));
    database.each(client, take).map_err(failed)?;
    if let Some(plot) = plot {
        let tracks: Vec<Track> = entries.iter().filter(|entry| !entry.missing).map(Track::of).collect();
        fs::write(plot, plane::draw(&tracks)?).map_err(|error| Failure::file(plot, &error))?;
    }
    let out = &mut BufWriter::new(io::stdout().lock());
    let written = if json { write_json(out, &entries) } else { write_lines(out, &entries) };
    match written.and_then(|()| out.flush()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::file(Path::new("standard output"), &error)),
    }
}

fn write_json(out: &mut impl Write, entries: &[Entry]) -> io::Result<()> {
    let entries: Vec<_> = entries.iter().map(as_json).collect();
    writeln!(out, "{:#}", serde_json::Value::from(entries))
}

fn as_json(entry: &Entry) -> serde_json::Value {
    let values = Field::ALL.iter().filter_map(|field| entry.get(*field)).map(|said| {
        let value = match &said.value {
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
        };
        let from = said.provenance.as_str();
        (said.field.to_string(), json!({ "value": value, "from": from, "confidence": said.confidence }))
    });
    json!({
        "uri": entry.uri, "missing": entry.missing, "problem": entry.problem, "rating": entry.rating,
        "excluded": entry.excluded, "values": values.collect::<serde_json::Map<_, _>>(),
    })
}

fn write_lines(out: &mut impl Write, entries: &[Entry]) -> io::Result<()> {
    for entry in entries {
        writeln!(out, "{}", as_line(entry))?;
    }
    Ok(())
}

/// Name, place in the plane, words, tempo, key, loudness; what is unknown stays out.
fn as_line(entry: &Entry) -> String {
    let track = Track::of(entry);
    let mut parts = vec![track.title.clone()];
    if !track.artist.is_empty() {
        parts[0] = format!("{} - {}", track.artist, track.title);
    }
    if let Some(at) = track.affect {
        let guess = if track.doubt > 0.5 { " (a guess)" } else { "" };
        parts.push(format!("valence {:+.2} arousal {:+.2}{guess}", at.valence, at.arousal));
    }
    parts.extend((!track.moods.is_empty()).then(|| track.moods.join(", ")));
    parts.extend(track.bpm.map(|bpm| format!("{bpm:.0} bpm")));
    parts.extend(track.key.map(|key| key.to_string()));
    parts.extend(track.loudness.map(|loudness| format!("{loudness:.1} LUFS")));
    parts.extend((track.rating != 0).then(|| format!("rated {:+}", track.rating)));
    parts.extend(track.excluded.then(|| "excluded".into()));
    parts.extend(entry.missing.then(|| "not there".into()));
    parts.extend(entry.problem.clone());
    parts.join("; ")
}

fn run_set(set: &Set) -> Result<(), Failure> {
    let database = set.library.open()?;
    let said = [
        (Field::Title, &set.title),
        (Field::Artist, &set.artist),
        (Field::Album, &set.album),
        (Field::Genre, &set.genre),
        (Field::Mood, &set.mood),
        (Field::Valence, &set.valence),
        (Field::Arousal, &set.arousal),
        (Field::Bpm, &set.bpm),
        (Field::Key, &set.key),
    ];
    let cleared = set.clear.iter().map(|field| (*field, None));
    let said = said.into_iter().filter(|(_, value)| value.is_some());
    let values: Vec<_> = cleared.chain(said.map(|(field, value)| (field, value.clone()))).collect();
    let excluded = set.exclude.then_some(true).or(set.include.then_some(false));
    set.client.check()?;
    let client = &set.client.client;
    let mut wrong = Vec::new();
    for track in &set.tracks {
        let done = database
            .set(track, &values)
            .and_then(|()| set.rating.map_or(Ok(()), |rating| database.rate(client, track, rating)))
            .and_then(|()| excluded.map_or(Ok(()), |excluded| database.exclude(client, track, excluded)));
        match done {
            Ok(()) => println!("{}", as_line(&database.find(track, client).map_err(failed)?)),
            Err(error @ music_library::Error::NoSuchTrack(_)) => wrong.push(error.to_string()),
            Err(error) => return Err(failed(error)),
        }
    }
    // One line each.
    wrong.iter().skip(1).for_each(|wrong| eprintln!("gst-mood: {wrong}"));
    wrong.into_iter().next().map_or(Ok(()), |wrong| Err(Failure::Work(wrong)))
}

fn import(database: &Database, client: &str, path: &Path) -> Result<(), Failure> {
    let imported = if path == Path::new("-") {
        table::import(database, client, io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
        table::import(database, client, BufReader::new(file))
    };
    let imported = imported.map_err(failed)?;
    println!("{} tracks changed, {} as they were", imported.changed, imported.unchanged);
    told(&imported.failed, "the rest was taken over")
}

fn export(database: &Database, client: &str, path: Option<&Path>) -> Result<(), Failure> {
    match path {
        None => table::export(database, client, io::stdout().lock()).map_err(failed),
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::file(path, &error))?;
            table::export(database, client, BufWriter::new(file)).map_err(failed)
        }
    }
}
