//! Control from outside: MPRIS2 on the session's D-Bus, where desktops, media keys and `playerctl` look for players.
//!
//! What peers ask for goes to the command as [`Request`]s, what the command does comes back as [`News`]. A thread of its
//! own talks to the bus: one that is slow, or not there, holds nothing up.
//!
//! <https://specifications.freedesktop.org/mpris-spec/latest/>

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::{io, process, thread};

use gio::glib::variant::{ObjectPath, StaticVariantType, ToVariant, Variant};
use gio::glib::{self, MainContext, VariantDict};
use gio::{DBusConnection, DBusMethodInvocation};
use music_library::{Access, Database, Library, Track};

/// The interfaces: D-Bus calls that do not fit them end in GLib.
const INTERFACES: &str = include_str!("mpris.xml");
const NAME: &str = "org.mpris.MediaPlayer2.gst_mood";
const PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
const TRACKS: &str = "/org/gst_mood/track";
/// How long the bus may take to answer, ms.
const PATIENCE: i32 = 10_000;

/// What a peer asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    Play,
    Pause,
    PlayPause,
    Stop,
    Next,
    /// A factor of the amplitude, 0-1.
    Volume(f64),
    Quit,
}

/// What the command does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    Playing,
    Paused,
    #[default]
    Stopped,
}

/// What peers are told.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    Status(Status),
    /// This begins, at that position of the pipeline.
    Began {
        uri: String,
        title: String,
        at: Duration,
    },
    /// Nothing plays any more.
    Silence,
}

/// Where the pipeline is.
pub type Position = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Where tracks come from.
#[derive(Clone, Debug)]
pub struct Source {
    pub library: String,
    pub access: Access,
}

/// What the bus shows.
#[derive(Debug)]
struct Now {
    status: Status,
    volume: f64,
    track: Option<Track>,
    /// Of the tracks so far: each has a path of its own.
    number: u64,
    began: Duration,
}

/// The player on the bus.
pub struct Mpris {
    now: Arc<Mutex<Now>>,
    /// The names of properties.
    changes: mpsc::Sender<&'static str>,
    context: MainContext,
}

impl Mpris {
    /// Appears on the bus, or says on stderr why not; from then on `requests` gets what peers ask for.
    pub fn start(source: Source, requests: mpsc::Sender<Request>, position: Position) -> io::Result<Self> {
        let now = Now { status: Status::Stopped, volume: 1.0, track: None, number: 0, began: Duration::ZERO };
        let now = Arc::new(Mutex::new(now));
        let (changes, changed) = mpsc::channel();
        let context = MainContext::new();
        let player = Player { now: now.clone(), requests, position, changes: changes.clone() };
        let own = context.clone();
        thread::Builder::new().name("mpris".into()).spawn(move || {
            // The context is new: nobody else has it.
            if let Ok(Err(error)) = own.with_thread_default(|| serve(player, &own, &changed, &source)) {
                warn(&error);
            }
        })?;
        Ok(Self { now, changes, context })
    }

    /// Tells peers.
    pub fn tell(&self, news: News) {
        let mut now = lock(&self.now);
        let change = match news {
            News::Status(status) => {
                now.status = status;
                "PlaybackStatus"
            }
            News::Began { uri, title, at } => {
                now.track = Some(Track { uri, title, ..Track::default() });
                now.number += 1;
                now.began = at;
                "Metadata"
            }
            News::Silence => {
                now.track = None;
                "Metadata"
            }
        };
        drop(now);
        // A thread without a bus has ended.
        let _ = self.changes.send(change);
        self.context.wakeup();
    }
}

fn warn(error: &glib::Error) {
    eprintln!("gst-mood: warning: no control over D-Bus (MPRIS), but it plays: {}", error.message());
}

fn lock(now: &Mutex<Now>) -> MutexGuard<'_, Now> {
    now.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread: answers peers and tells them, for as long as the program runs.
fn serve(
    player: Player,
    context: &MainContext,
    changed: &mpsc::Receiver<&'static str>,
    source: &Source,
) -> Result<(), glib::Error> {
    let connection = gio::bus_get_sync(gio::BusType::Session, gio::Cancellable::NONE)?;
    // The music outlives the desktop.
    connection.set_exit_on_close(false);
    let player = Rc::new(player);
    for interface in gio::DBusNodeInfo::for_xml(INTERFACES)?.interfaces() {
        let [calls, reads, writes] = [(); 3].map(|()| player.clone());
        connection
            .register_object(PATH, interface)
            .method_call(move |_, _, _, _, method, _, invocation| calls.call(method, invocation))
            .property(move |_, _, _, _, name| reads.get(name))
            .set_property(move |_, _, _, _, name, value| {
                writes.set(name, &value);
                true
            })
            .build()?;
    }
    take_name(&connection)?;
    let mut shelf = None;
    loop {
        for name in changed.try_iter() {
            if name == "Metadata" {
                player.complete(shelf.get_or_insert_with(|| Shelf::open(source)));
            }
            let values = HashMap::from([(name, player.get(name))]);
            let change = (PLAYER, values, Vec::<String>::new()).to_variant();
            let properties = "org.freedesktop.DBus.Properties";
            connection.emit_signal(None, PATH, properties, "PropertiesChanged", Some(&change))?;
        }
        context.iteration(true);
    }
}

/// The well-known name; beside another gst-mood, one of this process's own.
fn take_name(connection: &DBusConnection) -> Result<(), glib::Error> {
    // So that no other player's name waits for us.
    const DO_NOT_QUEUE: u32 = 4;
    const TAKEN: u32 = 3;
    let taken = |name: &str| -> Result<bool, glib::Error> {
        let answer = connection.call_sync(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "RequestName",
            Some(&(name, DO_NOT_QUEUE).to_variant()),
            Some(&<(u32,)>::static_variant_type()),
            gio::DBusCallFlags::NONE,
            PATIENCE,
            gio::Cancellable::NONE,
        )?;
        Ok(answer.get::<(u32,)>() == Some((TAKEN,)))
    };
    if taken(NAME)? {
        taken(&format!("{NAME}.instance{}", process::id()))?;
    }
    Ok(())
}

/// What the library knows of its tracks.
enum Shelf {
    Database(Database),
    Files(HashMap<String, Track>),
}

impl Shelf {
    /// The player has said what is wrong with a library that cannot be read: here it is one that knows nothing.
    fn open(source: &Source) -> Self {
        if let Ok(Some(database)) = Database::behind(&source.library) {
            return Self::Database(database);
        }
        let tracks = Library::open(&source.library, source.access).map(|library| library.tracks);
        Self::Files(tracks.unwrap_or_default().into_iter().map(|track| (track.uri.clone(), track)).collect())
    }

    fn find(&self, uri: &str) -> Option<Track> {
        match self {
            Self::Database(database) => database.find(uri, "").ok().map(|entry| Track::of(&entry)),
            Self::Files(tracks) => {
                tracks.get(uri).map(|track| Track { duration: music_library::length(uri), ..track.clone() })
            }
        }
    }
}

/// What peers see.
struct Player {
    now: Arc<Mutex<Now>>,
    requests: mpsc::Sender<Request>,
    position: Position,
    changes: mpsc::Sender<&'static str>,
}

impl Player {
    fn ask(&self, request: Request) {
        // Nobody listens any more where the command is about to end.
        let _ = self.requests.send(request);
    }

    fn call(&self, method: &str, invocation: DBusMethodInvocation) {
        match method {
            "Play" => self.ask(Request::Play),
            "Pause" => self.ask(Request::Pause),
            "PlayPause" => self.ask(Request::PlayPause),
            "Stop" => self.ask(Request::Stop),
            "Next" => self.ask(Request::Next),
            "Quit" => self.ask(Request::Quit),
            "OpenUri" => {
                let error = "org.freedesktop.DBus.Error.NotSupported";
                return invocation.return_dbus_error(error, "the mood chooses what plays");
            }
            // Raise, Previous, Seek and SetPosition are without effect, as CanRaise, CanGoPrevious and CanSeek say.
            _ => {}
        }
        invocation.return_value(None);
    }

    fn get(&self, name: &str) -> Variant {
        match name {
            "CanQuit" | "CanControl" | "CanPlay" | "CanPause" | "CanGoNext" => true.to_variant(),
            "CanRaise" | "HasTrackList" | "CanGoPrevious" | "CanSeek" => false.to_variant(),
            "Identity" => "gst-mood".to_variant(),
            "SupportedUriSchemes" | "SupportedMimeTypes" => Vec::<String>::new().to_variant(),
            "PlaybackStatus" => format!("{:?}", lock(&self.now).status).to_variant(),
            "Metadata" => {
                let now = lock(&self.now);
                let known = now.track.as_ref().map(|track| metadata(track, now.number));
                known.unwrap_or_default().end()
            }
            "Volume" => lock(&self.now).volume.to_variant(),
            "Position" => {
                let began = lock(&self.now).began;
                let position = (self.position)().map(|at| at.saturating_sub(began));
                micros(position.unwrap_or_default()).to_variant()
            }
            // Rate, MinimumRate, MaximumRate.
            _ => 1.0.to_variant(),
        }
    }

    fn set(&self, name: &str, value: &Variant) {
        let Some(number) = value.get::<f64>() else { return };
        match name {
            "Volume" => {
                // Whatever a peer sends: what is no number is silence.
                let volume = if number.is_nan() { 0.0 } else { number.clamp(0.0, 1.0) };
                lock(&self.now).volume = volume;
                self.ask(Request::Volume(volume));
                let _ = self.changes.send("Volume");
            }
            // There is one rate, and 0 means a pause.
            "Rate" if number == 0.0 => self.ask(Request::Pause),
            _ => {}
        }
    }

    /// Adds what the library knows of the track that plays.
    fn complete(&self, shelf: &Shelf) {
        let uri = lock(&self.now).track.as_ref().map(|track| track.uri.clone());
        let found = uri.and_then(|uri| shelf.find(&uri));
        // Another track may have begun meanwhile: its own change comes next.
        if let (Some(found), Some(track)) = (found, &mut lock(&self.now).track)
            && found.uri == track.uri
        {
            *track = found;
        }
    }
}

/// <https://www.freedesktop.org/wiki/Specifications/mpris-spec/metadata/>: what is not known is left out.
fn metadata(track: &Track, number: u64) -> VariantDict {
    let metadata = VariantDict::default();
    if let Ok(path) = ObjectPath::try_from(format!("{TRACKS}/{number}")) {
        metadata.insert_value("mpris:trackid", &path.to_variant());
    }
    // GLib ends its texts with a NUL.
    let text = |text: &str| text.replace('\0', "");
    for (key, value) in
        [("xesam:url", &track.uri), ("xesam:title", &track.title), ("xesam:album", &track.album)]
    {
        if !value.is_empty() {
            metadata.insert_value(key, &text(value).to_variant());
        }
    }
    for (key, value) in [("xesam:artist", &track.artist), ("xesam:genre", &track.genre)] {
        if !value.is_empty() {
            metadata.insert_value(key, &vec![text(value)].to_variant());
        }
    }
    let length = track.duration.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(length) = length {
        metadata.insert_value("mpris:length", &micros(length).to_variant());
    }
    metadata
}

/// As D-Bus wants times.
fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn metadata_says_what_is_known_in_the_types_of_the_specification() {
        let mut track = Track { uri: "file:///a.ogg".into(), title: "A\0B".into(), ..Track::default() };
        for duration in [None, Some(f64::NAN), Some(-1.0), Some(f64::INFINITY)] {
            track.duration = duration;
            let known = metadata(&track, 3).end();
            assert_eq!(known.n_children(), 3, "{known:?}");
            let known = VariantDict::new(Some(&known));
            assert_eq!(known.lookup::<String>("xesam:title"), Ok(Some("AB".into())));
            let path = known.lookup::<ObjectPath>("mpris:trackid").unwrap().unwrap();
            assert_eq!(path.as_str(), "/org/gst_mood/track/3");
        }
        (track.artist, track.duration) = ("Anna".into(), Some(1.5));
        let known = metadata(&track, 3);
        assert_eq!(known.lookup::<Vec<String>>("xesam:artist"), Ok(Some(vec!["Anna".into()])));
        assert_eq!(known.lookup::<i64>("mpris:length"), Ok(Some(1_500_000)));
    }
}
