//! Control from outside: MPRIS2 on the session's D-Bus, where desktops, media keys and `playerctl` look for
//! players.
//!
//! Media controllers send commands to the session; the session posts [`PlayerEvent`]s for them. A thread of its own
//! talks to the bus, so that a bus that is slow or missing delays nothing.
//!
//! <https://specifications.freedesktop.org/mpris-spec/latest/>

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{io, process, thread};

use gio::glib::variant::{ObjectPath, StaticVariantType, ToVariant, Variant};
use gio::glib::{self, MainContext, VariantDict};
use gio::{DBusConnection, DBusMethodInvocation};
use mood_meta::lock;
use mood_schema::redact_addresses;
use music_library::{Database, Library, SourceAccess, Track};

use crate::data_folder;
use crate::digest::short_sha256;
use crate::files::write_atomically;
use crate::live::control::{PlaybackStatus, SessionCommand, SessionControl, TrackStatus};

/// The introspection data of the interfaces. GLib rejects calls that do not match them.
const INTERFACES: &str = include_str!("mpris.xml");
/// The well-known name on the bus.
const BUS_NAME: &str = "org.mpris.MediaPlayer2.gst_mood";
/// The path of the object that has both interfaces.
const OBJECT_PATH: &str = "/org/mpris/MediaPlayer2";
/// The interface whose properties change.
const PLAYER_INTERFACE: &str = "org.mpris.MediaPlayer2.Player";
/// Where the object paths of the tracks begin.
const TRACK_PATH: &str = "/org/gst_mood/track";
/// How long the bus may take to answer, milliseconds.
const BUS_TIMEOUT: i32 = 10_000;
/// How long a property that is set is waited for; one that has the value already does not change.
const CHANGE_TIMEOUT: Duration = Duration::from_millis(200);

/// What media controllers are informed of.
#[derive(Clone, Debug, PartialEq)]
pub enum PlayerEvent {
    /// The playback status changed.
    Status(PlaybackStatus),
    /// Another track plays.
    TrackStarted {
        /// URI of the track.
        uri: String,
        /// Title of the track.
        title: String,
        /// The pipeline's position at its first sample.
        position: Duration,
    },
    /// More is known of the track that plays: how long it sounds, or another rating.
    TrackChanged,
    /// No track plays any more.
    TrackEnded,
    /// A property with this name has another value in the session's state.
    Property(&'static str),
}

/// Queries the pipeline's position.
pub type QueryPosition = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// The library that tracks are looked up in.
#[derive(Clone, Debug)]
pub struct LibrarySource {
    /// A database, folder or playlist.
    pub library: String,
    /// What its playlists may refer to.
    pub access: SourceAccess,
}

/// The values of the properties on the bus.
#[derive(Debug)]
struct PlayerState {
    status: PlaybackStatus,
    track: Option<Track>,
    /// The address of its picture, if it has one.
    art: Option<String>,
    /// Number of tracks so far, from which each gets an object path of its own.
    track_number: u64,
    /// The pipeline's position at the track's first sample.
    track_start: Duration,
}

/// The player on the bus, as the command sees it.
pub struct Mpris {
    state: Arc<Mutex<PlayerState>>,
    /// Names of properties that changed.
    changes: mpsc::Sender<&'static str>,
    /// The main context of the thread, to wake it up.
    context: MainContext,
}

impl Mpris {
    /// Starts the thread, which registers the player on the bus, or prints a warning if there is no bus. From
    /// then on, `control` gets what media controllers ask for. Fails if the thread cannot be started.
    pub fn start(
        source: LibrarySource,
        control: SessionControl,
        query_position: QueryPosition,
    ) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(PlayerState {
            status: PlaybackStatus::Stopped,
            track: None,
            art: None,
            track_number: 0,
            track_start: Duration::ZERO,
        }));
        let (changes, changed) = mpsc::channel();
        let context = MainContext::new();
        let player = BusPlayer { state: state.clone(), control, query_position };
        let thread_context = context.clone();
        thread::Builder::new().name("mpris".into()).spawn(move || {
            // `with_thread_default` fails only if another thread owns the context, which is new.
            let served =
                thread_context.with_thread_default(|| serve(player, &thread_context, &changed, &source));
            if let Ok(Err(error)) = served {
                print_warning(&error);
            }
        })?;
        Ok(Self { state, changes, context })
    }

    /// Updates the properties on the bus and signals the change.
    pub fn post(&self, event: PlayerEvent) {
        let mut state = lock(&self.state);
        let changed = match event {
            PlayerEvent::Status(status) => {
                state.status = status;
                "PlaybackStatus"
            }
            PlayerEvent::TrackStarted { uri, title, position } => {
                state.track = Some(Track { uri, title, ..Track::default() });
                state.art = None;
                state.track_number += 1;
                state.track_start = position;
                "Metadata"
            }
            PlayerEvent::TrackChanged => "Metadata",
            PlayerEvent::Property(name) => name,
            PlayerEvent::TrackEnded => {
                state.track = None;
                "Metadata"
            }
        };
        drop(state);
        // Fails if the thread has ended because there is no bus.
        let _ = self.changes.send(changed);
        self.context.wakeup();
    }
}

/// Prints why there is no media control.
fn print_warning(error: &glib::Error) {
    eprintln!("gst-mood: warning: no control over D-Bus (MPRIS), but it plays: {}", error.message());
}

/// The thread's work: answers calls and signals changes, for as long as the program runs.
fn serve(
    player: BusPlayer,
    context: &MainContext,
    changed: &mpsc::Receiver<&'static str>,
    source: &LibrarySource,
) -> Result<(), glib::Error> {
    let connection = gio::bus_get_sync(gio::BusType::Session, gio::Cancellable::NONE)?;
    // The music plays on when the desktop's session ends.
    connection.set_exit_on_close(false);
    let player = Rc::new(player);
    for interface in gio::DBusNodeInfo::for_xml(INTERFACES)?.interfaces() {
        let [calls, reads, writes] = [(); 3].map(|()| player.clone());
        connection
            .register_object(OBJECT_PATH, interface)
            .method_call(move |_, _, _, _, method, _, invocation| calls.call(method, invocation))
            .property(move |_, _, _, _, name| reads.get(name))
            .set_property(move |_, _, _, _, name, value| {
                writes.set(name, &value);
                true
            })
            .build()?;
    }
    take_name(&connection)?;
    // Opened when the first track plays.
    let mut tracks = None;
    loop {
        for name in changed.try_iter() {
            if name == "Metadata" {
                player.complete_metadata(tracks.get_or_insert_with(|| TrackLookup::open(source)));
            }
            let values = HashMap::from([(name, player.get(name))]);
            let change = (PLAYER_INTERFACE, values, Vec::<String>::new()).to_variant();
            let properties = "org.freedesktop.DBus.Properties";
            connection.emit_signal(None, OBJECT_PATH, properties, "PropertiesChanged", Some(&change))?;
        }
        context.iteration(true);
    }
}

/// Requests the well-known name, or one with the number of this process if another gst-mood has it.
fn take_name(connection: &DBusConnection) -> Result<(), glib::Error> {
    // Flag and reply of RequestName in the D-Bus specification. Without the flag, the name would be ours once
    // the other program ends.
    const DO_NOT_QUEUE: u32 = 4;
    const REPLY_EXISTS: u32 = 3;
    let is_taken = |name: &str| -> Result<bool, glib::Error> {
        let answer = connection.call_sync(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "RequestName",
            Some(&(name, DO_NOT_QUEUE).to_variant()),
            Some(&<(u32,)>::static_variant_type()),
            gio::DBusCallFlags::NONE,
            BUS_TIMEOUT,
            gio::Cancellable::NONE,
        )?;
        Ok(answer.get::<(u32,)>() == Some((REPLY_EXISTS,)))
    };
    if is_taken(BUS_NAME)? {
        is_taken(&format!("{BUS_NAME}.instance{}", process::id()))?;
    }
    Ok(())
}

/// Finds what the library knows of a track.
enum TrackLookup {
    /// In a database, track by track.
    Database(Database),
    /// In what was read of a folder or playlist, by URI without credentials, as players report it.
    Files(HashMap<String, Track>),
}

impl TrackLookup {
    /// Opens the library. One that cannot be read counts as empty: the player has reported the error.
    fn open(source: &LibrarySource) -> Self {
        if let Ok(Some(database)) = Database::open_if_database(&source.library) {
            return Self::Database(database);
        }
        let tracks = Library::open(&source.library, source.access).map(|library| library.tracks);
        let by_address = |track: Track| (redact_addresses(&track.uri).into_owned(), track);
        Self::Files(tracks.unwrap_or_default().into_iter().map(by_address).collect())
    }

    /// The track with this URI, which has no credentials.
    fn find(&self, uri: &str) -> Option<Track> {
        match self {
            Self::Database(database) => {
                database.find_track(uri, "").ok().map(|entry| Track::from_record(&entry))
            }
            Self::Files(tracks) => tracks
                .get(uri)
                .map(|track| Track { duration: music_library::read_duration(uri), ..track.clone() }),
        }
    }
}

/// The player as media controllers see it.
struct BusPlayer {
    state: Arc<Mutex<PlayerState>>,
    control: SessionControl,
    query_position: QueryPosition,
}

impl BusPlayer {
    fn send(&self, command: SessionCommand) {
        // Fails if the session has ended.
        let _ = self.control.send(command);
    }

    /// Answers a method call.
    fn call(&self, method: &str, invocation: DBusMethodInvocation) {
        match method {
            "Play" => self.send(SessionCommand::Play),
            "Pause" => self.send(SessionCommand::Pause),
            "PlayPause" => self.send(SessionCommand::PlayPause),
            "Stop" => self.send(SessionCommand::Stop),
            "Next" => self.send(SessionCommand::Skip),
            "Quit" => self.send(SessionCommand::Quit),
            "OpenUri" => {
                let error = "org.freedesktop.DBus.Error.NotSupported";
                return invocation.return_dbus_error(error, "the mood chooses what plays");
            }
            "Previous" => self.send(SessionCommand::Previous),
            "Like" => self.send(SessionCommand::Like),
            "Dislike" => self.send(SessionCommand::Dislike),
            "Exclude" => self.send(SessionCommand::Exclude),
            "Undo" => self.send(SessionCommand::Undo),
            "HoldMusic" | "AddMarker" => {
                let parameters = invocation.parameters();
                if let Some((on,)) = parameters.get::<(bool,)>() {
                    self.send(SessionCommand::HoldMusic { on });
                } else if let Some((text,)) = parameters.get::<(String,)>() {
                    self.send(SessionCommand::AddMarker { text, ago: 0.0 });
                }
            }
            // Raise, Seek and SetPosition have no effect: CanRaise and CanSeek are false.
            _ => {}
        }
        invocation.return_value(None);
    }

    /// The value of a property.
    fn get(&self, name: &str) -> Variant {
        match name {
            "CanQuit" | "CanControl" | "CanPlay" | "CanPause" | "CanGoNext" => true.to_variant(),
            "CanRaise" | "HasTrackList" | "CanSeek" => false.to_variant(),
            "Identity" => "gst-mood".to_variant(),
            "SupportedUriSchemes" | "SupportedMimeTypes" => Vec::<String>::new().to_variant(),
            "PlaybackStatus" => format!("{:?}", lock(&self.state).status).to_variant(),
            "Metadata" => {
                let playing = self.control.state().playing.clone().unwrap_or_default();
                let state = lock(&self.state);
                let track = state.track.as_ref();
                track
                    .map(|track| build_metadata(track, state.art.as_deref(), state.track_number, &playing))
                    .unwrap_or_default()
                    .end()
            }
            "Volume" => self.control.state().settings.volume.to_variant(),
            "LoopStatus" => match self.control.state().settings.loop_track {
                true => "Track".to_variant(),
                // The music goes on as long as the session does.
                false => "Playlist".to_variant(),
            },
            "Shuffle" => self.control.state().settings.shuffle.to_variant(),
            "CanGoPrevious" => self.control.state().has_previous.to_variant(),
            "Mood" => self.control.state().mood.mood.as_str().to_variant(),
            "Confidence" => self.control.state().mood.confidence.to_variant(),
            "Position" => {
                let start = lock(&self.state).track_start;
                let position = (self.query_position)().map(|position| position.saturating_sub(start));
                to_microseconds(position.unwrap_or_default()).to_variant()
            }
            // Rate, MinimumRate, MaximumRate.
            _ => 1.0.to_variant(),
        }
    }

    /// Sets a property.
    fn set(&self, name: &str, value: &Variant) {
        match (name, value.get::<f64>()) {
            // The music never ends by itself, so that None is the same as Playlist.
            ("LoopStatus", _) => {
                self.change(SessionCommand::SetLoopTrack { on: value.str() == Some("Track") })
            }
            ("Shuffle", _) => self.change(SessionCommand::SetShuffle { on: value.get() == Some(true) }),
            ("Volume", Some(volume)) => self.change(SessionCommand::SetVolume { volume }),
            // The only rate is 1, but the specification defines 0 as a pause.
            ("Rate", Some(0.0)) => self.send(SessionCommand::Pause),
            _ => {}
        }
    }

    /// Sends a command about a setting and waits a moment until it is executed, so that who reads the property next finds
    /// what it was set to.
    fn change(&self, command: SessionCommand) {
        let before = self.control.state();
        let deadline = Instant::now() + CHANGE_TIMEOUT;
        self.send(command);
        let mut state = before.clone();
        while state.settings == before.settings && Instant::now() < deadline {
            state = self
                .control
                .wait_for_change(state.version, deadline.saturating_duration_since(Instant::now()));
        }
    }

    /// Adds what the library knows to the track that plays.
    fn complete_metadata(&self, tracks: &TrackLookup) {
        let uri = lock(&self.state).track.as_ref().map(|track| track.uri.clone());
        let found = uri.as_deref().and_then(|uri| tracks.find(uri));
        let cache = data_folder::cache_path();
        let art = uri.as_deref().and_then(|uri| find_art(uri, cache.as_deref()));
        let mut state = lock(&self.state);
        // If another track started meanwhile, its change follows.
        if let Some(track) = &mut state.track
            && uri.as_ref() == Some(&track.uri)
        {
            if let Some(found) = found {
                *track = Track { uri: track.uri.clone(), ..found };
            }
            state.art = art;
        }
    }
}

/// The property `Metadata`; what is not known is left out.
///
/// <https://www.freedesktop.org/wiki/Specifications/mpris-spec/metadata/>
fn build_metadata(track: &Track, art: Option<&str>, number: u64, playing: &TrackStatus) -> VariantDict {
    let metadata = VariantDict::default();
    if let Ok(path) = ObjectPath::try_from(format!("{TRACK_PATH}/{number}")) {
        metadata.insert_value("mpris:trackid", &path.to_variant());
    }
    // GLib's strings end at a NUL, and everybody on the bus can read them.
    let without_nul = |text: &str| redact_addresses(text).replace('\0', "");
    for (key, value) in
        [("xesam:url", &track.uri), ("xesam:title", &track.title), ("xesam:album", &track.album)]
    {
        if !value.is_empty() {
            metadata.insert_value(key, &without_nul(value).to_variant());
        }
    }
    for (key, value) in [("xesam:artist", &track.artist), ("xesam:genre", &track.genre)] {
        if !value.is_empty() {
            metadata.insert_value(key, &vec![without_nul(value)].to_variant());
        }
    }
    if let Some(art) = art {
        metadata.insert_value("mpris:artUrl", &without_nul(art).to_variant());
    }
    let is_playing = playing.uri == track.uri;
    if let Some(mood) = playing.mood.filter(|_| is_playing) {
        // MPRIS has no key for a mood.
        metadata.insert_value("gst_mood:mood", &mood.as_str().to_variant());
        let comment = format!("{mood}: {}", playing.reason);
        metadata.insert_value("xesam:comment", &vec![without_nul(&comment)].to_variant());
    }
    if is_playing && playing.rating != 0 {
        let rating = f64::from(playing.rating.clamp(-2, 2) + 2) / 4.0;
        metadata.insert_value("xesam:userRating", &rating.to_variant());
    }
    // What sounds of it, as soon as that is known.
    let sounding = playing.duration.filter(|_| is_playing).map(Duration::from_nanos);
    let known = || track.duration.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(length) = sounding.or_else(known) {
        metadata.insert_value("mpris:length", &to_microseconds(length).to_variant());
    }
    metadata
}

/// The address of a track's picture: one beside it, as albums have it, else a copy of the one in its file. `None` where there is
/// neither, or no copy can be made in the folder `cache`.
fn find_art(uri: &str, cache: Option<&Path>) -> Option<String> {
    let path = url::Url::parse(uri).ok()?.to_file_path().ok()?;
    find_cover(&path).or_else(|| {
        let cover = music_library::read_cover(uri)?;
        let folder = cache?.join("covers");
        // The same picture in the files of an album is one file.
        let copy = folder.join(short_sha256(&cover.data)).with_extension(cover.extension);
        if !copy.exists() {
            fs::create_dir_all(&folder).ok()?;
            write_atomically(&copy, |file| file.write_all(&cover.data)).ok()?;
        }
        url::Url::from_file_path(copy).ok().map(Into::into)
    })
}

/// The address of a picture beside a track, as albums have it; `None` where there is none.
fn find_cover(track: &Path) -> Option<String> {
    let names = ["cover", "folder", "front", "album"];
    let paths =
        names.iter().flat_map(|name| ["jpg", "jpeg", "png"].map(|extension| format!("{name}.{extension}")));
    let cover = paths.map(|name| track.with_file_name(name)).find(|path| path.is_file())?;
    url::Url::from_file_path(cover).ok().map(Into::into)
}

/// A time as MPRIS has it.
fn to_microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use lofty::config::WriteOptions;
    use lofty::picture::{MimeType, Picture};
    use lofty::tag::{Tag, TagExt, TagType};

    use super::*;

    #[test]
    fn metadata_has_what_is_known_in_the_types_of_the_specification() {
        let mut track = Track { uri: "file:///a.ogg".into(), title: "A\0B".into(), ..Track::default() };
        for duration in [None, Some(f64::NAN), Some(-1.0), Some(f64::INFINITY)] {
            track.duration = duration;
            let entries = build_metadata(&track, None, 3, &TrackStatus::default()).end();
            assert_eq!(entries.n_children(), 3, "{entries:?}");
            let entries = VariantDict::new(Some(&entries));
            assert_eq!(entries.lookup::<String>("xesam:title"), Ok(Some("AB".into())));
            let path = entries.lookup::<ObjectPath>("mpris:trackid").unwrap().unwrap();
            assert_eq!(path.as_str(), "/org/gst_mood/track/3");
        }
        track.uri = "http://ada:secret@h/a.ogg?token=secret".into();
        let entries = build_metadata(&track, None, 3, &TrackStatus::default());
        assert_eq!(entries.lookup::<String>("xesam:url"), Ok(Some("http://h/a.ogg".into())));
        (track.artist, track.duration) = ("Anna".into(), Some(1.5));
        let entries = build_metadata(&track, None, 3, &TrackStatus::default());
        assert_eq!(entries.lookup::<Vec<String>>("xesam:artist"), Ok(Some(vec!["Anna".into()])));
        assert_eq!(entries.lookup::<i64>("mpris:length"), Ok(Some(1_500_000)));
        // What sounds counts, not what the file says, and only of this track.
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cover.png"), "").unwrap();
        track.uri = url::Url::from_file_path(folder.path().join("a.ogg")).unwrap().into();
        let mut playing = TrackStatus {
            uri: track.uri.clone(),
            duration: Some(1_200_000_000),
            rating: 2,
            mood: Some(mood_schema::Emotion::Happy.into()),
            reason: "named happy".into(),
            ..TrackStatus::default()
        };
        let art = find_art(&track.uri, None);
        let entries = build_metadata(&track, art.as_deref(), 3, &playing);
        assert_eq!(entries.lookup::<i64>("mpris:length"), Ok(Some(1_200_000)));
        assert_eq!(entries.lookup::<f64>("xesam:userRating"), Ok(Some(1.0)));
        assert_eq!(entries.lookup::<String>("gst_mood:mood"), Ok(Some("happy".into())));
        assert_eq!(
            entries.lookup::<Vec<String>>("xesam:comment"),
            Ok(Some(vec!["happy: named happy".into()]))
        );
        assert!(entries.lookup::<String>("mpris:artUrl").unwrap().unwrap().ends_with("/cover.png"));
        playing.uri = "file:///other.ogg".into();
        let entries = build_metadata(&track, None, 3, &playing);
        assert_eq!(entries.lookup::<i64>("mpris:length"), Ok(Some(1_500_000)));
        assert_eq!(entries.lookup::<f64>("xesam:userRating"), Ok(None));
    }

    #[test]
    fn the_picture_in_a_file_is_copied_once_for_all_files_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (music, cache) = (folder.path().join("music"), folder.path().join("cache"));
        fs::create_dir(&music).unwrap();
        let uri = |name: &str| String::from(url::Url::from_file_path(music.join(name)).unwrap());
        // PCM, mono, 8 kHz, 8 bits, one sample.
        let header = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x02\0\0\0\x80\x80";
        for name in ["one.wav", "two.wav", "bare.wav"] {
            fs::write(music.join(name), header).unwrap();
        }
        let png = b"\x89PNG\r\n\x1a\n and so on".to_vec();
        let picture = Picture::unchecked(png.clone()).mime_type(MimeType::Png).build();
        let mut tag = Tag::new(TagType::Id3v2);
        tag.push_picture(picture);
        for name in ["one.wav", "two.wav"] {
            tag.save_to_path(music.join(name), WriteOptions::default()).unwrap();
        }
        let art = find_art(&uri("one.wav"), Some(&cache)).unwrap();
        let copy = url::Url::parse(&art).unwrap().to_file_path().unwrap();
        assert!(copy.starts_with(&cache) && copy.extension().is_some_and(|extension| extension == "png"));
        assert_eq!(fs::read(&copy).unwrap(), png);
        assert_eq!(find_art(&uri("two.wav"), Some(&cache)), Some(art.clone()));
        fs::write(music.join("broken.wav"), b"RIFF\xff\xff\xff\xffWAVEid3 ").unwrap();
        for (uri, cache) in [
            (uri("bare.wav"), Some(cache.as_path())),
            (uri("broken.wav"), Some(&cache)),
            (uri("none.wav"), Some(&cache)),
            (uri("one.wav"), None),
            ("http://h/one.wav".into(), Some(&cache)),
        ] {
            assert_eq!(find_art(&uri, cache), None, "{uri}");
        }
        // One beside the file comes first.
        fs::write(music.join("folder.jpg"), "").unwrap();
        assert!(find_art(&uri("one.wav"), Some(&cache)).unwrap().ends_with("/folder.jpg"));
    }
}
