//! `gst-mood live`, controlled as a desktop does it: MPRIS2 on a private bus, with GLib's and D-Bus's own tools as peers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mood_demo::Actor;
use mood_schema::{Emotion, Line, Mood, TrackEvent};
use mood_tests::process::{LIMIT, Running};
use mood_tests::{Done, command, gst_mood, media, place, run, sound};
use tempfile::TempDir;

const NAME: &str = "org.mpris.MediaPlayer2.gst_mood";
const PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
/// Longer than any test takes, so that only a peer changes the track.
const SECONDS: u32 = 180;

/// A bus of its own, and a folder.
struct Desktop {
    folder: TempDir,
    _daemon: Running,
}

impl Desktop {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut daemon = command("dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile"]);
        daemon.arg(format!("--address={}", address(folder.path())));
        let daemon = Running::start(daemon);
        let desktop = Self { folder, _daemon: daemon };
        until("a bus", || desktop.names().map(|_| ()));
        desktop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that finds this bus.
    fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", address(self.folder.path()));
        command
    }

    /// Starts `gst-mood live` without a window; what it prints goes to the file `live.jsonl`.
    fn live(&self, camera: &str, sink: &str, library: &Path) -> Running {
        let mut live = self.program("sh");
        live.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(self.path("live.jsonl"));
        live.arg(place::release().join("gst-mood")).args(["live", "--json", "--no-window"]);
        live.args(["--camera", camera, "--audio-sink", sink, "--library"]).arg(library);
        Running::start(live)
    }

    fn call(&self, name: &str, path: &str, method: &str, arguments: &[&str]) -> Done {
        let mut call = self.program("gdbus");
        call.args(["call", "--session", "--dest", name, "--object-path", path, "--method", method]);
        call.args(arguments);
        run(call, LIMIT)
    }

    /// The names on the bus.
    fn names(&self) -> Option<String> {
        let done =
            self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames", &[]);
        (done.code == Some(0)).then_some(done.stdout)
    }

    /// Calls a method of the player's.
    #[track_caller]
    fn ask(&self, method: &str) {
        self.call(NAME, PATH, &format!("{PLAYER}.{method}"), &[]).ok();
    }

    /// A property of the player's, as GVariant's text.
    #[track_caller]
    fn get(&self, property: &str) -> String {
        let get = "org.freedesktop.DBus.Properties.Get";
        let done = self.call(NAME, PATH, get, &[PLAYER, property]).ok();
        done.stdout.trim().trim_start_matches("(<").trim_end_matches(">,)").to_owned()
    }

    fn position(&self) -> i64 {
        self.get("Position").trim_start_matches("int64 ").parse().unwrap()
    }

    /// Sets a property of the player's with the other tool; its type and value are written as `double:0.5`.
    fn set(&self, property: &str, value: &str) -> Done {
        let mut set = self.program("dbus-send");
        set.args(["--session", "--print-reply", &format!("--dest={NAME}"), PATH]);
        set.arg("org.freedesktop.DBus.Properties.Set").arg(format!("string:{PLAYER}"));
        set.arg(format!("string:{property}")).arg(format!("variant:{value}"));
        run(set, LIMIT)
    }

    #[track_caller]
    fn becomes(&self, status: &str) {
        until(status, || (self.get("PlaybackStatus") == format!("'{status}'")).then_some(()));
    }

    /// What plays, once it is this one of the tracks so far.
    #[track_caller]
    fn track(&self, number: u32) -> String {
        let path = format!("'mpris:trackid': <objectpath '/org/gst_mood/track/{number}'>");
        until("track", || Some(self.get("Metadata")).filter(|metadata| metadata.contains(&path)))
    }
}

fn address(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

/// Asks until there is an answer.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "no {what} within {LIMIT:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A camera that sees the actor smile, for ever.
fn smile(folder: &Path) -> String {
    let (width, height) = (320, 240);
    let actor = Actor::new(width, height).unwrap();
    let scene = actor.script().iter().find(|scene| scene.emotion == Emotion::Happy).unwrap();
    let picture = actor.render(scene.start + (scene.end - scene.start) / 2);
    let path = folder.join("smile.png");
    image::RgbaImage::from_raw(width, height, picture).unwrap().save(&path).unwrap();
    format!(
        "filesrc location={} ! pngdec ! videoconvert ! imagefreeze is-live=true ! video/x-raw,framerate=10/1",
        path.display()
    )
}

/// Long tracks, in the words of a playlist; two of them for a smile.
fn playlist(folder: &Path) -> PathBuf {
    let mut list = "#EXTM3U\n".to_owned();
    for (name, hertz, mood) in [("Up", 880.0, "happy"), ("High", 660.0, "happy"), ("Down", 220.0, "sad")] {
        sound::tone(folder, &format!("{name}.wav"), hertz, SECONDS, mood);
        list += &format!("#EXTINF:{SECONDS},The Tones - {name}\n{name}.wav\n");
    }
    let path = folder.join("list.m3u8");
    fs::write(&path, list).unwrap();
    path
}

/// What a raw file holds once it has grown by so many seconds.
#[track_caller]
fn heard_after(path: &Path, seconds: usize) -> Vec<f32> {
    let bytes = || fs::metadata(path).map_or(0, |file| file.len() as usize);
    let enough = bytes() + seconds * sound::RATE as usize * 4;
    until("sound", || (bytes() >= enough).then_some(()));
    let raw = fs::read(path).unwrap();
    raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Of the last half second.
fn last(samples: &[f32]) -> &[f32] {
    &samples[samples.len() - sound::RATE as usize / 2..]
}

#[test]
fn a_desktop_controls_it() {
    let desktop = Desktop::new();
    let mut monitor = desktop.program("sh");
    monitor.args(["-c", "exec gdbus monitor --session --dest \"$1\" >\"$2\"", "sh", NAME]);
    monitor.arg(desktop.path("signals"));
    let _monitor = Running::start(monitor);
    let heard = desktop.path("heard.raw");
    let sink = format!(
        "capsfilter caps=audio/x-raw,format=F32LE,rate={},channels=1 ! filesink buffer-mode=unbuffered sync=true location={}",
        sound::RATE,
        heard.display()
    );
    let live = desktop.live(&smile(desktop.folder.path()), &sink, &playlist(desktop.folder.path()));
    until("player on the bus", || desktop.names().filter(|names| names.contains(NAME)));
    desktop.becomes("Playing");

    desktop.track(1);
    // The tags come when they are read.
    let first = until("artist", || Some(desktop.get("Metadata")).filter(|known| known.contains("artist")));
    let title = if first.contains("'Up'") { "Up" } else { "High" };
    for known in [
        format!("'xesam:title': <'{title}'>"),
        format!("/{title}.wav'>"),
        "'xesam:artist': <['The Tones']>".into(),
        "'mpris:length': <int64 180000000>".into(),
    ] {
        assert!(first.contains(&known), "{known} in {first}");
    }

    desktop.ask("Pause");
    desktop.becomes("Paused");
    let rests = desktop.position();
    let faded = heard_after(&heard, 0);
    let tail = &faded[faded.len() - sound::RATE as usize / 10..];
    assert!(tail.iter().all(|sample| *sample == 0.0), "it fades out before it rests");
    thread::sleep(Duration::from_millis(500));
    assert_eq!(desktop.position(), rests, "the music rests");
    desktop.ask("Pause");
    desktop.ask("PlayPause");
    desktop.becomes("Playing");
    until("progress", || (desktop.position() > rests).then_some(()));

    desktop.ask("Next");
    let second = desktop.track(2);
    assert!(!second.contains(&format!("'{title}'")) && !second.contains("Down"), "{second}");

    // Longer than the crossfade.
    let before = heard_after(&heard, 5);
    let loud = sound::level(last(&before));
    desktop.set("Volume", "double:0.25").ok();
    assert_eq!(desktop.get("Volume"), "0.25");
    let quiet = sound::level(last(&heard_after(&heard, 2)));
    assert!((quiet / loud - 0.25).abs() < 0.01, "{quiet} / {loud}");
    for (wild, tame) in
        [("-1", "0.0"), ("7", "1.0"), ("nan", "0.0"), ("inf", "1.0"), ("-inf", "0.0"), ("1", "1.0")]
    {
        desktop.set("Volume", &format!("double:{wild}")).ok();
        assert_eq!(desktop.get("Volume"), tame, "{wild}");
    }
    let after = heard_after(&heard, 2);
    assert!((sound::level(last(&after)) / loud - 1.0).abs() < 0.01);
    let (step, most) = (sound::largest_step(&after), sound::largest_step(&before));
    assert!(step < 1.02 * most, "a click: {step}, while the music's own steps are {most} at most");

    // What cannot be done is refused or without effect.
    for (property, value) in
        [("Volume", "string:loud"), ("PlaybackStatus", "string:Playing"), ("Nothing", "int32:1")]
    {
        assert_ne!(desktop.set(property, value).code, Some(0), "{property} {value}");
    }
    desktop.set("Rate", "double:2").ok();
    desktop.ask("Previous");
    desktop.call(NAME, PATH, &format!("{PLAYER}.Seek"), &["--", "-9223372036854775808"]).ok();
    desktop.call(NAME, PATH, &format!("{PLAYER}.SetPosition"), &["/", "5"]).ok();
    let open = desktop.call(NAME, PATH, &format!("{PLAYER}.OpenUri"), &["file:///etc/passwd"]);
    assert!(open.code != Some(0) && open.stderr.contains("NotSupported"), "{open}");
    for (cannot, what) in
        [("CanSeek", "false"), ("CanGoPrevious", "false"), ("Rate", "1.0"), ("CanControl", "true")]
    {
        assert_eq!(desktop.get(cannot), what, "{cannot}");
    }

    desktop.ask("Stop");
    desktop.becomes("Stopped");
    assert!(!desktop.get("Metadata").contains("xesam:url"));
    desktop.ask("Pause");
    desktop.ask("Next");
    assert_eq!(desktop.get("PlaybackStatus"), "'Stopped'");
    desktop.ask("Play");
    desktop.becomes("Playing");
    desktop.track(3);

    desktop.call(NAME, PATH, "org.mpris.MediaPlayer2.Quit", &[]).ok();
    let done = live.finish(LIMIT).ok();
    assert!(done.stderr.is_empty(), "{done}");
    let told = lines(&desktop.path("live.jsonl"));
    assert!(
        told.iter().any(|line| matches!(line, Line::Mood(mood) if mood.to == Mood::from(Emotion::Happy)))
    );
    let begun = |line: &&Line| matches!(line, Line::Track(track) if track.event == TrackEvent::Started);
    assert_eq!(told.iter().filter(begun).count(), 3, "{told:?}");

    let signals = fs::read_to_string(desktop.path("signals")).unwrap();
    for change in [
        "{'PlaybackStatus': <'Paused'>}",
        "{'PlaybackStatus': <'Stopped'>}",
        "{'Volume': <0.25>}",
        "{'Metadata': <{",
    ] {
        let told = |line: &str| line.contains("PropertiesChanged") && line.contains(change);
        assert!(signals.lines().any(told), "{change} in\n{signals}");
    }
}

fn lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn two_of_them_have_names_of_their_own_and_end_with_the_keyboard() {
    let desktop = Desktop::new();
    let music = sound::library(&desktop.path("music"));
    let start = || desktop.live("videotestsrc is-live=true", "fakesink sync=true", &music);
    let first = start();
    until("player on the bus", || desktop.names().filter(|names| names.contains(NAME)));
    let second = start();
    until("second name", || desktop.names().filter(|names| names.contains(&format!("{NAME}.instance"))));
    for live in [second, first] {
        live.signal("INT");
        live.finish(LIMIT).ok();
    }
    until("free name", || desktop.names().filter(|names| !names.contains(NAME)));
}

#[test]
fn it_plays_without_a_bus_until_the_film_ends() {
    let folder = TempDir::new().unwrap();
    let film = media("video/single_face.mp4").map(|film| film.to_str().unwrap().to_owned());
    let film = film.unwrap_or_else(|| "videotestsrc num-buffers=50 is-live=true".into());
    let mut live = gst_mood(&["live", "--strategy", "target", "--target-valence", "-0.7", "--camera", &film]);
    live.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.path().join("none").display()));
    live.args(["--video-sink", "fakesink sync=true", "--audio-sink", "fakesink sync=true", "--library"]);
    live.arg(sound::library(&folder.path().join("music")));
    let done = run(live, LIMIT).ok();
    assert!(done.stdout.contains("plays sad"), "{done}");
    let warnings: Vec<&str> = done.stderr.lines().collect();
    assert!(warnings.len() == 1 && warnings[0].contains("no control over D-Bus"), "{done}");
}

#[test]
fn what_is_missing_is_told_in_one_line() {
    let folder = TempDir::new().unwrap();
    let music = sound::library(&folder.path().join("music"));
    let live = |library: &Path, more: &[&str]| {
        let mut live =
            gst_mood(&["live", "--no-mpris", "--no-window", "--audio-sink", "fakesink", "--library"]);
        live.arg(library).args(more);
        run(live, LIMIT)
    };
    let camera = ["--camera", "videotestsrc num-buffers=5"];
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (done, code, words) in [
        (live(&music, &["--camera", "/dev/video99"]), 3, ["/dev/video99", "doctor"]),
        (live(&music, &["--camera", "nosuchsrc"]), 3, ["nosuchsrc", "doctor"]),
        (live(&empty, &camera), 1, ["empty", "no music"]),
        (live(Path::new("/nowhere"), &camera), 1, ["/nowhere", "does not exist"]),
        (live(&music, &["--camera", "filesrc location=/nowhere"]), 1, ["/nowhere", "No such file"]),
    ] {
        assert_eq!(done.code, Some(code), "{done}");
        assert_eq!(done.stderr.lines().count(), 1, "{done}");
        done.fails_with(&words);
    }
    for usage in [
        &["--strategy", "loud"][..],
        &["--target-valence", "2"],
        &["--target-arousal", "x"],
        &["--video-sink", "fakesink"],
    ] {
        assert_eq!(live(&music, usage).code, Some(2), "{usage:?}");
    }
}
