//! `gst-mood library`: scans music into a database; lists, corrects, exports and imports the tracks' values.

mod mpd_source;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use music_library::{
    AudioDecoder, Database, Field, Scan, SkippedItem, SourceAccess, TableError, Track, TrackRecord, Value,
    csv_table, vocabulary,
};
use serde_json::json;

use crate::arguments::{AccessArguments, ClientArguments, ClientName, DatabaseArgument, path_parser};
use crate::decode::Decoder;
use crate::error::CommandError;
use crate::files::write_atomically;
use crate::progress::Progress;
use crate::{interruption, output, pipeline, plot};
use mpd_source::MpdSource;

/// Tracks with a larger [`Track::uncertainty`] have their valence and arousal listed as a guess.
const MAX_UNCERTAINTY: f64 = 0.5;

/// The subcommands of `library`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Read folders and playlists into the library: tags, loudness, tempo, key, an estimate of the mood
    Scan {
        /// Folders and playlists (m3u8, m3u, pls, xspf); or, alone, mpd:///run/mpd/socket or mpd://HOST:PORT: the music that this
        /// MPD server has, so that it can play what is chosen
        #[arg(required = true)]
        sources: Vec<String>,
        /// Where the music of the MPD server is on this computer [default: what a server says over its Unix socket]
        #[arg(long, value_name = "DIR", value_parser = path_parser())]
        music_folder: Option<PathBuf>,
        /// The library database.
        #[command(flatten)]
        library: DatabaseArgument,
        /// How many files are read at once [default: as many as the machine has cores]
        #[arg(long)]
        threads: Option<std::num::NonZero<usize>>,
        /// Read tags only; do not analyse the audio
        #[arg(long)]
        tags_only: bool,
        /// Write values that take precedence over a file's tags into the tags; without it, no music file is
        /// changed
        #[arg(long)]
        write_tags: bool,
        /// What playlists may refer to.
        #[command(flatten)]
        access: AccessArguments,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the tracks with their values
    List {
        /// Only tracks with this text in their title, artist, album, mood or address
        text: Option<String>,
        /// The library database.
        #[command(flatten)]
        library: DatabaseArgument,
        /// The client whose ratings and exclusions are read.
        #[command(flatten)]
        client: ClientName,
        /// Plot the tracks by valence and arousal into this SVG file
        #[arg(long, value_name = "FILE.svg", value_parser = path_parser())]
        plot: Option<PathBuf>,
        /// Print all values with their sources as JSON
        #[arg(long)]
        json: bool,
    },
    /// Set values of tracks; they take precedence over tags and estimates
    Set(Box<SetArguments>),
    /// Import values from a CSV table in the format of export
    Import {
        /// The table; - for standard input
        #[arg(value_parser = path_parser())]
        table: PathBuf,
        /// The library database.
        #[command(flatten)]
        library: DatabaseArgument,
        /// The client whose ratings and exclusions are stored.
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Write all values as a CSV table
    Export {
        /// The table [default: standard output]
        #[arg(value_parser = path_parser())]
        table: Option<PathBuf>,
        /// The library database.
        #[command(flatten)]
        library: DatabaseArgument,
        /// The client whose ratings and exclusions are read.
        #[command(flatten)]
        client: ClientName,
    },
}

/// The arguments of `set`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("change").multiple(true).required(true).args([
    "title", "artist", "album", "genre", "mood", "valence", "arousal", "bpm", "key", "rating", "exclude", "include",
    "clear",
]))]
pub struct SetArguments {
    /// Paths or URIs of the tracks
    #[arg(required = true)]
    tracks: Vec<String>,
    /// The library database.
    #[command(flatten)]
    library: DatabaseArgument,
    /// The client whose ratings and exclusions are stored.
    #[command(flatten)]
    client: ClientArguments,
    /// The track's title
    #[arg(long, value_parser = |text: &str| Field::Title.parse(text))]
    title: Option<Value>,
    /// The artist
    #[arg(long, value_parser = |text: &str| Field::Artist.parse(text))]
    artist: Option<Value>,
    /// The album
    #[arg(long, value_parser = |text: &str| Field::Album.parse(text))]
    album: Option<Value>,
    /// The genre
    #[arg(long, value_parser = |text: &str| Field::Genre.parse(text))]
    genre: Option<Value>,
    /// Mood words, separated by commas
    #[arg(long, value_parser = parse_moods)]
    mood: Option<Value>,
    /// Valence, from -1 (unpleasant) to 1 (pleasant)
    #[arg(long, requires = "arousal", allow_hyphen_values = true,
          value_parser = |text: &str| Field::Valence.parse(text))]
    valence: Option<Value>,
    /// Arousal, from -1 (calm) to 1 (activated)
    #[arg(long, requires = "valence", allow_hyphen_values = true,
          value_parser = |text: &str| Field::Arousal.parse(text))]
    arousal: Option<Value>,
    /// Tempo, beats per minute
    #[arg(long, value_parser = |text: &str| Field::Bpm.parse(text))]
    bpm: Option<Value>,
    /// Musical key, such as C, F#m or 8A
    #[arg(long, value_parser = |text: &str| Field::Key.parse(text))]
    key: Option<Value>,
    /// Rating, from -2 (only when nothing else fits) to 2 (a favourite)
    #[arg(long, allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-2..=2))]
    rating: Option<i32>,
    /// Never play the tracks
    #[arg(long, conflicts_with = "include")]
    exclude: bool,
    /// Undo an earlier --exclude
    #[arg(long)]
    include: bool,
    /// Remove the value of this field that was set with this command
    #[arg(long, value_name = "FIELD", value_parser = |text: &str| text.parse::<Field>())]
    clear: Vec<Field>,
}

/// Runs a subcommand.
pub fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Scan { sources, music_folder, library, threads, tags_only, write_tags, access, json } => {
            let threads = threads.map_or_else(pipeline::available_threads, std::num::NonZero::get);
            let server = mpd_source::find_server(&sources)?;
            if server.is_none() && music_folder.is_some() {
                return Err(CommandError::Usage(
                    "--music-folder is for the music of an mpd:// server".into(),
                ));
            }
            let server =
                server.map(|address| MpdSource::read(&address, music_folder.as_deref())).transpose()?;
            let access = access.to_access();
            let scan = match &server {
                // Its list may lead anywhere.
                Some(server) => {
                    let access = SourceAccess { outside_folder: true, ..access };
                    Scan { sources: server.sources(), threads, access, write_tags }
                }
                None => Scan { sources: &sources, threads, access, write_tags },
            };
            run_scan(&scan, server.as_ref(), &library.path()?, tags_only, json)
        }
        Command::List { text, library, client, plot, json } => {
            list(&library.open()?, &client.client, text.as_deref(), plot.as_deref(), json)
        }
        Command::Set(arguments) => run_set(&arguments),
        Command::Import { table, library, client } => {
            client.require_consent()?;
            import(&library.open()?, &client.client, &table)
        }
        Command::Export { table, library, client } => {
            export(&library.open()?, &client.client, table.as_deref())
        }
    }
}

/// Parses mood words, each of which must be known.
fn parse_moods(text: &str) -> Result<Value, String> {
    let unknown = vocabulary::find_unknown(text);
    if let Some(word) = unknown.first() {
        return Err(format!(
            "'{word}' is not a known mood: use words such as happy, calm or energetic, without a negation, or --valence and \
             --arousal for what it means"
        ));
    }
    Field::Mood.parse(text).map_err(|error| error.to_string())
}

/// Scans into the database at `path`, which is created if there is none, and prints a report.
fn run_scan(
    scan: &Scan<'_>,
    server: Option<&MpdSource>,
    path: &Path,
    tags_only: bool,
    json: bool,
) -> Result<(), CommandError> {
    let decoder = if tags_only { None } else { Some(Decoder::new()?) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| CommandError::io(folder, &error))?;
    }
    let database = Database::open_or_create(path)?;
    let mut bar = None;
    let mut report = scan.run(
        &database,
        decoder.as_ref().map(|decoder| decoder as &dyn AudioDecoder),
        interruption::interrupt_flag(),
        |state| {
            let bar = bar.get_or_insert_with(|| Progress::start("scanning", state.total as u64));
            bar.set_position(state.done as u64);
        },
    )?;
    if let Some(server) = server {
        server.import_moods(&database)?;
        report.failed.extend(server.missing().iter().cloned());
    }
    if let Some(bar) = bar {
        bar.finish(
            (report.analysed_duration > 0.0).then(|| Duration::from_secs_f64(report.analysed_duration)),
        );
    }
    if json {
        let to_json = |items: &[SkippedItem]| -> Vec<serde_json::Value> {
            items.iter().map(|SkippedItem { name, reason }| json!({ "what": name, "why": reason })).collect()
        };
        let (failed, assumed) = (to_json(&report.failed), to_json(&report.assumed));
        let report = json!({
            "library": path, "listed": report.listed, "added": report.added, "changed": report.changed,
            "moved": report.moved, "unchanged": report.unchanged, "missing": report.missing,
            "written": report.tags_written, "audio_seconds": report.analysed_duration, "failed": failed, "assumed": assumed,
            "unknown_moods": report.unknown_moods, "interrupted": report.cancelled,
        });
        println!("{report:#}");
    } else {
        println!(
            "{} tracks: {} new, {} changed, {} renamed, {} as they were; {} no longer there",
            report.listed, report.added, report.changed, report.moved, report.unchanged, report.missing
        );
        if scan.write_tags {
            println!("tags written into {} files", report.tags_written);
        }
        for (word, tracks) in &report.unknown_moods {
            println!(
                "mood '{word}' is not known and has no effect: {}{}; `library set --mood` or `--valence --arousal` says \
                 what it means",
                tracks[0],
                if tracks.len() > 1 { format!(" and {} more", tracks.len() - 1) } else { String::new() }
            );
        }
    }
    for SkippedItem { name, reason } in &report.assumed {
        eprintln!("gst-mood: warning: {name}: {reason}");
    }
    if report.cancelled {
        return Err(CommandError::Interrupted);
    }
    report_skipped(&report.failed, "the others are in the library")
}

/// Prints the entries that were left out and returns an error if there are any; `rest` says what happened to
/// the others.
fn report_skipped(failed: &[SkippedItem], rest: &str) -> Result<(), CommandError> {
    for SkippedItem { name, reason } in failed {
        eprintln!("gst-mood: {name}: {reason}");
    }
    match failed.len() {
        0 => Ok(()),
        1 => Err(CommandError::Failed(format!("1 entry was left out; {rest}"))),
        count => Err(CommandError::Failed(format!("{count} entries were left out; {rest}"))),
    }
}

/// Prints the tracks with `text` in a field, and plots them into the file `plot_path`.
fn list(
    database: &Database,
    client: &str,
    text: Option<&str>,
    plot_path: Option<&Path>,
    json: bool,
) -> Result<(), CommandError> {
    let text = text.map(str::to_lowercase);
    let matches = |entry: &TrackRecord| {
        let Some(text) = &text else { return true };
        let fields = [Field::Title, Field::Artist, Field::Album, Field::Genre, Field::Mood];
        let path = entry.path().map(|path| path.display().to_string());
        let values = fields.iter().filter_map(|field| entry.text(*field)).chain(path.as_deref());
        values.chain([entry.uri.as_str()]).any(|value| value.to_lowercase().contains(text))
    };
    let mut entries = Vec::new();
    database.for_each_track(client, |entry: TrackRecord| entries.extend(matches(&entry).then_some(entry)))?;
    if let Some(path) = plot_path {
        let tracks: Vec<Track> =
            entries.iter().filter(|entry| !entry.missing).map(Track::from_record).collect();
        let plot = plot::plot_tracks(&tracks)?;
        write_atomically(path, |file| file.write_all(plot.as_bytes()))?;
    }
    let out = &mut BufWriter::new(output::stdout());
    let result = if json { write_json(out, &entries) } else { write_lines(out, &entries) };
    match result.and_then(|()| out.flush()) {
        // The reader has closed the pipe, for example `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| CommandError::io(Path::new("standard output"), &error)),
    }
}

/// Writes the entries as an array of JSON objects.
fn write_json(out: &mut impl Write, entries: &[TrackRecord]) -> io::Result<()> {
    let entries: Vec<_> = entries.iter().map(to_json).collect();
    writeln!(out, "{:#}", serde_json::Value::from(entries))
}

/// Converts an entry to JSON: all values with their sources.
fn to_json(entry: &TrackRecord) -> serde_json::Value {
    let values = Field::ALL.iter().filter_map(|field| entry.best_value(*field)).map(|stored| {
        let value = match &stored.value {
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
        };
        let from = stored.provenance.as_str();
        (stored.field.to_string(), json!({ "value": value, "from": from, "confidence": stored.confidence }))
    });
    json!({
        "uri": entry.uri, "missing": entry.missing, "problem": entry.problem, "rating": entry.rating,
        "excluded": entry.excluded, "values": values.collect::<serde_json::Map<_, _>>(),
    })
}

/// Writes one line per entry.
fn write_lines(out: &mut impl Write, entries: &[TrackRecord]) -> io::Result<()> {
    for entry in entries {
        writeln!(out, "{}", describe(entry))?;
    }
    Ok(())
}

/// Describes an entry in one line: name, valence and arousal, mood words, tempo, key and loudness, where
/// known.
fn describe(entry: &TrackRecord) -> String {
    let track = Track::from_record(entry);
    let mut parts = vec![track.title.clone()];
    if !track.artist.is_empty() {
        parts[0] = format!("{} - {}", track.artist, track.title);
    }
    if let Some(affect) = track.affect {
        let guess = if track.uncertainty > MAX_UNCERTAINTY { " (a guess)" } else { "" };
        parts.push(format!("valence {:+.2} arousal {:+.2}{guess}", affect.valence, affect.arousal));
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

/// Stores the values given for tracks, and prints what is known about each afterwards.
fn run_set(set: &SetArguments) -> Result<(), CommandError> {
    let database = set.library.open()?;
    let fields = [
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
    let given = fields.into_iter().filter(|(_, value)| value.is_some());
    let values: Vec<_> = cleared.chain(given.map(|(field, value)| (field, value.clone()))).collect();
    let excluded = set.exclude.then_some(true).or(set.include.then_some(false));
    set.client.require_consent()?;
    let client = &set.client.client;
    let mut errors = Vec::new();
    for track in &set.tracks {
        let result = database
            .set_user_values(track, &values)
            .and_then(|()| set.rating.map_or(Ok(()), |rating| database.set_rating(client, track, rating)))
            .and_then(|()| {
                excluded.map_or(Ok(()), |excluded| database.set_excluded(client, track, excluded))
            });
        match result {
            Ok(()) => println!("{}", describe(&database.find_track(track, client)?)),
            Err(error @ music_library::Error::NoSuchTrack(_)) => errors.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    // `main` prints the first error.
    errors.iter().skip(1).for_each(|error| eprintln!("gst-mood: {error}"));
    errors.into_iter().next().map_or(Ok(()), |error| Err(CommandError::Failed(error)))
}

/// Imports the table at `path`, or standard input if that is `-`.
fn import(database: &Database, client: &str, path: &Path) -> Result<(), CommandError> {
    let imported = if path == Path::new("-") {
        csv_table::import(database, client, io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|error| CommandError::io(path, &error))?;
        csv_table::import(database, client, BufReader::new(file))
    };
    let imported = imported?;
    println!("{} tracks changed, {} as they were", imported.changed, imported.unchanged);
    report_skipped(&imported.skipped, "the rest was imported")
}

/// Whether a table could not be written because nobody reads it.
fn is_broken_pipe(error: &music_library::Error) -> bool {
    let error = match error {
        music_library::Error::Table(TableError::Write(error)) => error,
        music_library::Error::Table(TableError::Csv(error)) => match error.kind() {
            csv::ErrorKind::Io(error) => error,
            _ => return false,
        },
        _ => return false,
    };
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Exports a table to `path`, or to standard output.
fn export(database: &Database, client: &str, path: Option<&Path>) -> Result<(), CommandError> {
    match path {
        None => match csv_table::export(database, client, output::stdout()) {
            // The reader has closed the pipe, for example `head`.
            Err(error) if is_broken_pipe(&error) => {}
            exported => exported?,
        },
        Some(path) => {
            let mut table = Vec::new();
            csv_table::export(database, client, &mut table)?;
            write_atomically(path, |file| file.write_all(&table))?;
        }
    }
    Ok(())
}
