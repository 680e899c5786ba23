//! `gst-mood live` controlled over MPRIS2 on a private D-Bus, with GLib's and D-Bus's own tools as clients.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mood_schema::{ClockLine, Emotion, Line, Mood, TrackEvent};
use mood_tests::bus::{PrivateBus, wait_for};
use mood_tests::panel::PanelLink;
use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::readers::assert_valid;
use mood_tests::{ProcessOutput, actor, audio, command, gst_mood, media, paths, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The player's name on the bus.
const NAME: &str = "org.mpris.MediaPlayer2.gst_mood";
/// The path of its object.
const PATH: &str = "/org/mpris/MediaPlayer2";
/// The interface that controls playback.
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
/// Length of the tracks, seconds: longer than any test, so that tracks change on request only.
const SECONDS: u32 = 180;

/// A private session bus and a temporary folder.
struct Desktop {
    folder: TempDir,
    bus: PrivateBus,
}

impl Desktop {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let bus = PrivateBus::start(folder.path());
        Self { folder, bus }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that uses the private bus.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command(program);
        self.bus.use_in(&mut command);
        command.env("GST_MOOD_DATA", self.path("data"));
        command
    }

    /// Starts `gst-mood live` without a window; its standard output goes to the file `live.jsonl`.
    fn start_live(&self, camera: &str, sink: &str, library: &Path, options: &[&str]) -> RunningProcess {
        let mut live = self.command("sh");
        live.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(self.path("live.jsonl"));
        live.arg(paths::release_folder().join("gst-mood")).args(["live", "--json", "--no-window"]);
        live.args(options);
        live.args(["--camera", camera, "--audio-sink", sink, "--library"]).arg(library);
        RunningProcess::start(live)
    }

    /// Calls a D-Bus method.
    fn call(&self, name: &str, path: &str, method: &str, arguments: &[&str]) -> ProcessOutput {
        let mut call = self.command("gdbus");
        call.args(["call", "--session", "--dest", name, "--object-path", path, "--method", method]);
        call.args(arguments);
        run(call, TIMEOUT)
    }

    /// The names on the bus; `None` where the bus does not answer.
    fn names(&self) -> Option<String> {
        let output =
            self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames", &[]);
        (output.code == Some(0)).then_some(output.stdout)
    }

    /// Calls a method of the player.
    #[track_caller]
    fn call_player(&self, method: &str) {
        self.call(NAME, PATH, &format!("{PLAYER}.{method}"), &[]).assert_success();
    }

    /// The value of a property of the player, in GVariant's text format.
    #[track_caller]
    fn get(&self, property: &str) -> String {
        let get = "org.freedesktop.DBus.Properties.Get";
        let output = self.call(NAME, PATH, get, &[PLAYER, property]).assert_success();
        output.stdout.trim().trim_start_matches("(<").trim_end_matches(">,)").to_owned()
    }

    /// The playback position, microseconds.
    fn position(&self) -> i64 {
        self.get("Position").trim_start_matches("int64 ").parse().unwrap()
    }

    /// Sets a property of the player with `dbus-send`; `value` has the form `double:0.5`.
    fn set(&self, property: &str, value: &str) -> ProcessOutput {
        let mut set = self.command("dbus-send");
        set.args(["--session", "--print-reply", &format!("--dest={NAME}"), PATH]);
        set.arg("org.freedesktop.DBus.Properties.Set").arg(format!("string:{PLAYER}"));
        set.arg(format!("string:{property}")).arg(format!("variant:{value}"));
        run(set, TIMEOUT)
    }

    /// Waits for a playback status.
    #[track_caller]
    fn wait_for_status(&self, status: &str) {
        wait_for(status, || (self.get("PlaybackStatus") == format!("'{status}'")).then_some(()));
    }

    /// Waits until the track with this number, counted from 1 in playing order, plays; returns its metadata.
    #[track_caller]
    fn wait_for_track(&self, number: u32) -> String {
        let path = format!("'mpris:trackid': <objectpath '/org/gst_mood/track/{number}'>");
        wait_for("track", || Some(self.get("Metadata")).filter(|metadata| metadata.contains(&path)))
    }
}

/// A playlist of three long tracks; two of them are happy.
fn make_playlist(folder: &Path) -> PathBuf {
    let mut list = "#EXTM3U\n".to_owned();
    for (name, hertz, mood) in [("Up", 880.0, "happy"), ("High", 660.0, "happy"), ("Down", 220.0, "sad")] {
        audio::write_tone(folder, &format!("{name}.wav"), hertz, SECONDS, mood);
        list += &format!("#EXTINF:{SECONDS},The Tones - {name}\n{name}.wav\n");
    }
    let path = folder.join("list.m3u8");
    fs::write(&path, list).unwrap();
    path
}

/// Waits until a raw file has grown by `seconds`, and reads all of its samples.
#[track_caller]
fn read_after(path: &Path, seconds: usize) -> Vec<f32> {
    let bytes = || fs::metadata(path).map_or(0, |file| file.len() as usize);
    let target = bytes() + seconds * audio::RATE as usize * 4;
    wait_for("audio", || (bytes() >= target).then_some(()));
    let raw = fs::read(path).unwrap();
    raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The samples of the last half second.
fn last_half_second(samples: &[f32]) -> &[f32] {
    &samples[samples.len() - audio::RATE as usize / 2..]
}

#[test]
fn a_desktop_controls_playback_volume_and_track() {
    let desktop = Desktop::new();
    let mut monitor = desktop.command("sh");
    monitor.args(["-c", "exec gdbus monitor --session --dest \"$1\" >\"$2\"", "sh", NAME]);
    monitor.arg(desktop.path("signals"));
    let _monitor = RunningProcess::start(monitor);
    let recording = desktop.path("recording.raw");
    let sink = format!(
        "capsfilter caps=audio/x-raw,format=F32LE,rate={},channels=1 ! filesink buffer-mode=unbuffered sync=true location={}",
        audio::RATE,
        recording.display()
    );
    let live = desktop.start_live(
        &actor::camera(desktop.folder.path(), -1),
        &sink,
        &make_playlist(desktop.folder.path()),
        &[
            "-o",
            desktop.path("record").to_str().unwrap(),
            "--client",
            "Ada",
            "--consent",
            "signed 3 May 2026",
        ],
    );
    wait_for("player on the bus", || desktop.names().filter(|names| names.contains(NAME)));
    desktop.wait_for_status("Playing");

    desktop.wait_for_track(1);
    // The tags are read after the track has started.
    let first =
        wait_for("artist", || Some(desktop.get("Metadata")).filter(|metadata| metadata.contains("artist")));
    let title = if first.contains("'Up'") { "Up" } else { "High" };
    for entry in [
        format!("'xesam:title': <'{title}'>"),
        format!("/{title}.wav'>"),
        "'xesam:artist': <['The Tones']>".into(),
        "'mpris:length': <int64 180000000>".into(),
    ] {
        assert!(first.contains(&entry), "{entry} in {first}");
    }

    desktop.call_player("Pause");
    desktop.wait_for_status("Paused");
    let position = desktop.position();
    let faded = read_after(&recording, 0);
    let tail = &faded[faded.len() - audio::RATE as usize / 10..];
    assert!(tail.iter().all(|sample| *sample == 0.0), "it fades out before it pauses");
    thread::sleep(Duration::from_millis(500));
    assert_eq!(desktop.position(), position, "a paused track does not advance");
    desktop.call_player("Pause");
    desktop.call_player("PlayPause");
    desktop.wait_for_status("Playing");
    wait_for("progress", || (desktop.position() > position).then_some(()));

    desktop.call_player("Next");
    let second = desktop.wait_for_track(2);
    assert!(!second.contains(&format!("'{title}'")) && !second.contains("Down"), "{second}");

    // Longer than the crossfade.
    let before = read_after(&recording, 5);
    let loud = audio::rms(last_half_second(&before));
    desktop.set("Volume", "double:0.25").assert_success();
    assert_eq!(desktop.get("Volume"), "0.25");
    let quiet = audio::rms(last_half_second(&read_after(&recording, 2)));
    assert!((quiet / loud - 0.25).abs() < 0.01, "{quiet} / {loud}");
    for (requested, clamped) in
        [("-1", "0.0"), ("7", "1.0"), ("nan", "0.0"), ("inf", "1.0"), ("-inf", "0.0"), ("1", "1.0")]
    {
        desktop.set("Volume", &format!("double:{requested}")).assert_success();
        assert_eq!(desktop.get("Volume"), clamped, "{requested}");
    }
    let after = read_after(&recording, 2);
    assert!((audio::rms(last_half_second(&after)) / loud - 1.0).abs() < 0.01);
    let (step, music_step) = (audio::largest_step(&after), audio::largest_step(&before));
    assert!(step < 1.02 * music_step, "a click: {step}, while the largest step of the music is {music_step}");

    // Requests that are not supported are refused or ignored.
    for (property, value) in
        [("Volume", "string:loud"), ("PlaybackStatus", "string:Playing"), ("Nothing", "int32:1")]
    {
        assert_ne!(desktop.set(property, value).code, Some(0), "{property} {value}");
    }
    desktop.set("Rate", "double:2").assert_success();
    desktop.call(NAME, PATH, &format!("{PLAYER}.Seek"), &["--", "-9223372036854775808"]).assert_success();
    desktop.call(NAME, PATH, &format!("{PLAYER}.SetPosition"), &["/", "5"]).assert_success();
    let open = desktop.call(NAME, PATH, &format!("{PLAYER}.OpenUri"), &["file:///etc/passwd"]);
    assert!(open.code != Some(0) && open.stderr.contains("NotSupported"), "{open}");
    for (property, value) in [("CanSeek", "false"), ("Rate", "1.0"), ("CanControl", "true")] {
        assert_eq!(desktop.get(property), value, "{property}");
    }

    wait_for("track to go back to", || (desktop.get("CanGoPrevious") == "true").then_some(()));
    desktop.call_player("Previous");
    let third = desktop.wait_for_track(3);
    assert!(third.contains(&format!("/{title}.wav'>")), "{third}");
    wait_for("end of the way back", || (desktop.get("CanGoPrevious") == "false").then_some(()));
    for (property, default, value) in
        [("LoopStatus", "'Playlist'", "string:Track"), ("Shuffle", "true", "boolean:false")]
    {
        assert_eq!(desktop.get(property), default, "{property}");
        desktop.set(property, value).assert_success();
    }
    assert_eq!((desktop.get("LoopStatus"), desktop.get("Shuffle")), ("'Track'".into(), "false".into()));
    // What MPRIS has no place for.
    let session = |method: &str, arguments: &[&str]| {
        desktop.call(NAME, PATH, &format!("org.gst_mood.Session.{method}"), arguments).assert_success();
    };
    session("Like", &[]);
    session("AddMarker", &["laughs"]);
    wait_for("rating", || {
        Some(desktop.get("Metadata")).filter(|text| text.contains("'xesam:userRating': <1.0>"))
    });
    let metadata = desktop.get("Metadata");
    assert!(metadata.contains("'gst_mood:mood': <'happy'>"), "{metadata}");
    session("Undo", &[]);
    session("Undo", &[]);
    wait_for("no rating", || Some(desktop.get("Metadata")).filter(|text| !text.contains("userRating")));
    session("Dislike", &[]);
    session("HoldMusic", &["true"]);
    playerctl(&desktop);

    desktop.call_player("Stop");
    desktop.wait_for_status("Stopped");
    assert!(!desktop.get("Metadata").contains("xesam:url"));
    desktop.call_player("Pause");
    desktop.call_player("Next");
    assert_eq!(desktop.get("PlaybackStatus"), "'Stopped'");
    desktop.call_player("Play");
    desktop.wait_for_status("Playing");
    let fourth = desktop.wait_for_track(4);
    assert!(!fourth.contains(&format!("/{title}.wav'>")), "it was disliked: {fourth}");
    session("AddMarker", &["plays <along>"]);

    desktop.call(NAME, PATH, "org.mpris.MediaPlayer2.Quit", &[]).assert_success();
    let output = live.wait(TIMEOUT).assert_success();
    assert!(output.stderr.is_empty(), "{output}");
    check_record(&desktop.path("record"));
    let mut clients = gst_mood(&["clients"]);
    clients.env("GST_MOOD_DATA", desktop.path("data"));
    let clients = run(clients, TIMEOUT).assert_success().stdout;
    let known =
        ["Ada: 1 sessions", "4 tracks heard and 1 rated in live sessions", "consent: signed 3 May 2026"];
    assert!(known.iter().all(|words| clients.contains(words)), "{clients}");
    let lines = read_lines(&desktop.path("live.jsonl"));
    assert!(
        lines.iter().any(|line| matches!(line, Line::Mood(mood) if mood.to == Mood::from(Emotion::Happy)))
    );
    let is_start = |line: &&Line| matches!(line, Line::Track(track) if track.event == TrackEvent::Started);
    assert_eq!(lines.iter().filter(is_start).count(), 4, "{lines:?}");

    let signals = fs::read_to_string(desktop.path("signals")).unwrap();
    for change in [
        "{'PlaybackStatus': <'Paused'>}",
        "{'PlaybackStatus': <'Stopped'>}",
        "{'Volume': <0.25>}",
        "{'Metadata': <{",
    ] {
        let is_reported = |line: &str| line.contains("PropertiesChanged") && line.contains(change);
        assert!(signals.lines().any(is_reported), "{change} in\n{signals}");
    }
}

/// The record of a session that was paused, stopped and started again, with two markers, the first of which was taken back.
fn check_record(folder: &Path) {
    for name in ["timeline.jsonl", "markers.jsonl", "music.jsonl"] {
        assert_valid("timeline.schema.json", &folder.join(name));
    }
    assert_valid("summary.schema.json", &folder.join("summary.json"));
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["complete"], &summary["warnings"]), (&json!(true), &json!([])), "{summary:#}");
    assert_eq!(summary["markers"].as_array().unwrap().len(), 1);
    assert_eq!(summary["markers"][0]["text"], "plays <along>");
    let lines = read_lines(&folder.join("timeline.jsonl"));
    let clocks: Vec<&ClockLine> = lines
        .iter()
        .filter_map(|line| if let Line::Clock(clock) = line { Some(clock) } else { None })
        .collect();
    assert_eq!(clocks.len(), 3, "at the start, after the pause, after the stop: {clocks:?}");
    // The clock of the session and that of the day run alike.
    let day = |clock: &ClockLine| {
        let seconds = clock.utc.rsplit_once(':').unwrap().1.trim_end_matches('Z').parse::<f64>().unwrap();
        let minutes = clock.utc.get(14..16).unwrap().parse::<f64>().unwrap();
        60.0 * minutes + seconds
    };
    for pair in clocks.windows(2) {
        let [of_day, of_session] = [day(pair[1]) - day(pair[0]), (pair[1].time - pair[0].time) as f64 / 1e9]
            .map(|time| time.rem_euclid(3600.0));
        assert!((of_day - of_session).abs() < 0.1, "{of_day} s of the day, {of_session} s of the session");
    }
    let frames: Vec<u64> = lines
        .iter()
        .filter_map(|line| if let Line::Frame(frame) = line { Some(frame.pts) } else { None })
        .collect();
    assert!(frames.is_sorted() && frames.last() > Some(&clocks[2].time), "{clocks:?} {:?}", frames.last());
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("<h2>Markers</h2>") && report.contains("plays &lt;along&gt;"));
    assert!(fs::read_to_string(folder.join("session.vtt")).unwrap().contains("[plays &lt;along&gt;]"));
    assert!(fs::read_to_string(folder.join("session.eaf")).unwrap().contains("plays &lt;along&gt;"));
}

/// A live session that records picture and sound into a folder, and prints its links into a file there.
struct RecordedSession {
    folder: PathBuf,
    live: RunningProcess,
}

impl RecordedSession {
    fn start(folder: PathBuf, camera: &str, music: &Path) -> Self {
        fs::create_dir(&folder).unwrap();
        let mut live = command("sh");
        live.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(folder.join("links"));
        live.arg(paths::release_folder().join("gst-mood"));
        live.args(["live", "--no-window", "--no-mpris", "--panel", "--audio-sink", "fakesink sync=true"]);
        live.env("GST_MOOD_DATA", folder.with_file_name("data"));
        live.args(["--client", "Ada", "--consent", "signed 3 May 2026", "--record-video", "--microphone"]);
        live.args(["audiotestsrc is-live=true volume=0.1", "--camera", camera, "--library"]).arg(music);
        live.arg("-o").arg(folder.join("record"));
        Self { live: RunningProcess::start(live), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join("record").join(name)
    }

    /// Waits until a file of the record has a text, and more than `size` bytes.
    #[track_caller]
    fn wait_for_text(&self, name: &str, text: &str, size: usize) {
        let path = self.path(name);
        let read = || fs::read(&path).unwrap_or_default();
        let has_text = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        wait_for_quickly(text, || Some(read()).filter(|bytes| bytes.len() > size && has_text(bytes)));
    }

    fn panel(&self) -> PanelLink {
        wait_for("link", || {
            PanelLink::find(&fs::read_to_string(self.folder.join("links")).unwrap_or_default())
        })
    }
}

/// As [`wait_for`], for what lasts a moment only.
#[track_caller]
fn wait_for_quickly<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(Instant::now() < deadline, "no {what} within {TIMEOUT:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A moment of a session at which it is killed: its name, and what waits for it.
type Moment = (&'static str, fn(&RecordedSession));

/// The moments at which no frame has come; on a busy machine one would come before the kill, so the cameras give none.
const WITHOUT_FRAMES: [&str; 2] = ["start", "before the first frame"];

/// The moments of a session at which it is killed.
const MOMENTS: [Moment; 7] = [
    ("start", |session| session.wait_for_text("markers.jsonl", "session", 0)),
    ("before the first frame", |session| {
        session.wait_for_text("markers.jsonl", "session", 0);
        assert_eq!(session.panel().send(r#"{"command":"mark","text":"waits"}"#), 202);
        session.wait_for_text("markers.jsonl", "waits", 0);
    }),
    ("a track fades", |session| session.wait_for_text("timeline.jsonl", "crossfade-started", 0)),
    ("a marker is written", |session| {
        session.wait_for_text("timeline.jsonl", "frame", 0);
        let panel = session.panel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut numbers = 0..20;
                // It is killed before the last one.
                while let Some(number) = numbers.next()
                    && panel.try_send(&format!(r#"{{"command":"mark","text":"laughs {number}"}}"#)).is_ok()
                {
                }
            });
            session.wait_for_text("markers.jsonl", "laughs 2", 0);
            session.live.signal("KILL");
        });
    }),
    ("the video is recorded", |session| {
        session.wait_for_text("recording.mkv", "matroska", 30_000);
        thread::sleep(Duration::from_millis(1200));
    }),
    ("it stops", |session| {
        session.wait_for_text("timeline.jsonl", "frame", 3_000);
        session.live.signal("INT");
        thread::sleep(Duration::from_millis(100));
    }),
    ("the results are written", |session| {
        session.wait_for_text("timeline.jsonl", "frame", 3_000);
        session.live.signal("INT");
        session.wait_for_text("session.eaf", "ANNOTATION", 0);
    }),
];

#[test]
fn what_is_killed_at_any_moment_can_be_read_and_finished() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    // Short, so that one fades into the next soon.
    for (name, hertz) in [("one.wav", 880.0), ("two.wav", 660.0)] {
        audio::write_tone(&music, name, hertz, 2, "happy");
    }
    let camera = actor::camera(folder.path(), -1);
    let mut sessions: Vec<RecordedSession> = MOMENTS
        .iter()
        .map(|(name, _)| {
            let blind = format!("{camera} ! valve drop=true");
            let camera = if WITHOUT_FRAMES.contains(name) { &blind } else { &camera };
            RecordedSession::start(folder.path().join(name.replace(' ', "-")), camera, &music)
        })
        .collect();
    thread::scope(|scope| {
        for (session, (_, wait)) in sessions.iter().zip(MOMENTS) {
            scope.spawn(move || {
                wait(session);
                session.live.signal_if_running("KILL");
            });
        }
    });
    // A killed process holds its lock until the last of its threads has ended.
    for session in &mut sessions {
        wait_for("end of a killed session", || (!session.live.is_running()).then_some(()));
    }
    let records = || sessions.iter().map(|session| session.folder.join("record"));
    for record in records().skip(2).take(5) {
        let lines = read_timeline(&record.join("timeline.jsonl"));
        assert!(lines.iter().any(|line| matches!(line, Line::Frame(_))), "{}", record.display());
    }
    let mut resume = gst_mood(&["process", "--resume"]);
    resume.env("GST_MOOD_DATA", folder.path().join("data")).args(records());
    run(resume, TIMEOUT).assert_success();
    let read_summary = |record: &Path| -> Value {
        serde_json::from_str(&fs::read_to_string(record.join("summary.json")).unwrap()).unwrap()
    };
    for (record, (name, _)) in records().zip(MOMENTS) {
        assert_valid("timeline.schema.json", &record.join("timeline.jsonl"));
        assert_valid("summary.schema.json", &record.join("summary.json"));
        let summary = read_summary(&record);
        if name != "the results are written" {
            assert_eq!(summary["complete"], false, "{name}");
            assert_eq!(summary["warnings"][0]["kind"], "ends-early", "{name}: {summary:#}");
        }
        let has_frames = summary["frames"].as_u64() > Some(0);
        assert_eq!(has_frames, !WITHOUT_FRAMES.contains(&name), "{name}");
        for file in ["report.html", "session.eaf", "session.vtt", "timeline.csv", "music.jsonl"] {
            assert!(record.join(file).exists(), "{name}: {file}");
        }
    }
    let [_, waiting, _, marked, filmed, _, finished] = &sessions[..] else { panic!("seven") };
    let markers = |session: &RecordedSession| read_summary(&session.path(""))["markers"].clone();
    assert_eq!(markers(waiting)[0]["text"], "waits");
    assert_eq!(markers(marked)[1]["text"], "laughs 1");
    for session in [filmed, finished] {
        assert!(fs::read_to_string(session.path("report.html")).unwrap().contains("src=\"recording.mp4\""));
        assert!(
            fs::read_to_string(session.path("session.eaf")).unwrap().contains("/recording.mp4\" MIME_TYPE")
        );
        assert!(!session.path("recording.mkv").exists());
    }
    let probed = probe(&filmed.path("recording.mp4"), "stream=codec_name:format=duration");
    assert!(probed.contains("h264") && probed.contains("aac"), "{probed}");
    let seconds: f64 = probed.lines().find_map(|line| line.strip_prefix("format,")?.parse().ok()).unwrap();
    assert!(seconds > 1.0, "{probed}");
    let mut again = gst_mood(&["process", "--resume"]);
    again.arg(filmed.path(""));
    assert!(run(again, TIMEOUT).assert_success().stdout.contains("finished before"));
}

/// What `ffprobe` finds in a video that it reads without an error, as CSV.
#[track_caller]
fn probe(video: &Path, entries: &str) -> String {
    let mut probe = command("ffprobe");
    probe.args(["-v", "error", "-show_entries", entries, "-of", "csv"]).arg(video);
    let probed = run(probe, TIMEOUT).assert_success();
    assert!(probed.stderr.is_empty(), "{probed}");
    probed.stdout
}

#[test]
fn a_camera_that_goes_and_returns_is_taken_up_again_and_its_videos_are_one() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("camera");
    let caps = "video/x-raw,format=I420,width=160,height=120,framerate=10/1";
    let start_camera = || {
        let _ = fs::remove_file(&socket);
        let mut camera = command("gst-launch-1.0");
        camera.args(["-q", "videotestsrc", "is-live=true", "!", caps, "!", "shmsink"]);
        camera.arg(format!("socket-path={}", socket.display())).arg("wait-for-connection=false");
        let camera = RunningProcess::start(camera);
        wait_for("camera", || socket.exists().then_some(()));
        camera
    };
    let camera = start_camera();
    let record = folder.path().join("record");
    let mut live = gst_mood(&["live", "--no-window", "--no-mpris", "--audio-sink", "fakesink sync=true"]);
    live.env("XDG_DATA_HOME", folder.path().join("data"));
    live.args(["--client", "Ada", "--consent", "signed 3 May 2026", "--record-video"]);
    live.args(["--microphone", "audiotestsrc is-live=true volume=0.1"]);
    let source = format!("shmsrc is-live=true do-timestamp=true socket-path={} ! {caps}", socket.display());
    live.args(["--camera", &source, "--library"]).arg(audio::make_library(&folder.path().join("music")));
    live.arg("-o").arg(&record);
    let live = RunningProcess::start(live);
    let text = || fs::read_to_string(record.join("timeline.jsonl")).unwrap_or_default();
    let has_parts = |count: usize| text().matches(r#""type":"clock""#).count() == count;
    wait_for("frames", || has_parts(1).then_some(()));
    thread::sleep(Duration::from_millis(500));
    camera.signal("KILL");
    drop(camera);
    thread::sleep(Duration::from_millis(500));
    let _camera = start_camera();
    wait_for("frames", || has_parts(2).then_some(()));
    thread::sleep(Duration::from_millis(500));
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    let warnings: Vec<&str> = output.stderr.lines().filter(|line| line.contains("warning")).collect();
    assert!(matches!(warnings[..], [one] if one.contains("as soon as the device is back")), "{output}");

    // One film, each frame at the time at which the timeline has it.
    let frames: Vec<f64> = read_lines(&record.join("timeline.jsonl"))
        .iter()
        .filter_map(|line| if let Line::Frame(frame) = line { Some(frame.pts as f64 / 1e9) } else { None })
        .collect();
    let packets = probe(&record.join("recording.mp4"), "packet=codec_type,pts_time");
    let film: Vec<f64> = packets
        .lines()
        .filter_map(|line| line.strip_prefix("packet,video,")?.trim_end_matches(',').parse().ok())
        .collect();
    let gap = |times: &[f64]| {
        let pairs = times.windows(2).map(|pair| (pair[1] - pair[0], pair[1]));
        pairs.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap()
    };
    let ((of_timeline, at), (of_film, film_at)) = (gap(&frames), gap(&film));
    assert!(of_timeline > 0.8 && (of_film - of_timeline).abs() < 0.3, "{of_film} {of_timeline}");
    assert!((at - film_at).abs() < 0.3, "{at} {film_at}");
    let files: Vec<String> = fs::read_dir(&record)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("recording"))
        .collect();
    assert_eq!(files, ["recording.mp4"]);
    let address = format!("file://{}/recording.mp4", record.canonicalize().unwrap().display());
    let eaf = fs::read_to_string(record.join("session.eaf")).unwrap();
    assert_eq!(eaf.matches("<MEDIA_DESCRIPTOR").count(), 1);
    assert!(eaf.contains(&address) && eaf.contains("\"./recording.mp4\""), "{eaf}");
    assert!(fs::read_to_string(record.join("report.html")).unwrap().contains("src=\"recording.mp4\""));
}

#[test]
fn a_sound_output_that_fails_is_replaced_while_session_and_record_go_on() {
    let folder = TempDir::new().unwrap();
    let (record, sound) = (folder.path().join("record"), folder.path().join("sound.raw"));
    let mut live = gst_mood(&["live", "--no-window", "--no-mpris", "--audio-sink"]);
    // After a second and a half it fails, as a device does that is unplugged.
    live.arg(format!(
        "identity error-after=150 ! filesink sync=true append=true buffer-mode=unbuffered location={}",
        sound.display()
    ));
    live.args(["--camera", &actor::camera(folder.path(), -1), "--library"]);
    live.arg(audio::make_library(&folder.path().join("music"))).arg("-o").arg(&record);
    let live = RunningProcess::start(live);
    let size = || fs::metadata(&sound).map_or(0, |file| file.len());
    wait_for("sound", || (size() > 0).then_some(()));
    let mut last = (0, Instant::now());
    let failed = wait_for("failure", || {
        if size() != last.0 {
            last = (size(), Instant::now());
        }
        (last.1.elapsed() > Duration::from_millis(500)).then_some(last.0)
    });
    wait_for("sound that returns", || (size() > failed + 1000).then_some(()));
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    let is_expected = |line: &str| line.contains("goes on without sound until the sound output is back");
    assert!(output.stderr.lines().count() > 0 && output.stderr.lines().all(is_expected), "{output}");
    let lines = read_lines(&record.join("timeline.jsonl"));
    assert_eq!(lines.iter().filter(|line| matches!(line, Line::Session(_))).count(), 1);
    let frames: Vec<u64> = lines
        .iter()
        .filter_map(|line| if let Line::Frame(frame) = line { Some(frame.pts) } else { None })
        .collect();
    let gap = frames.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(gap < 500_000_000, "{gap} ns without a frame");
}

#[test]
fn the_demo_plays_its_film_again_and_again_through_a_stop_without_any_device() {
    let folder = TempDir::new().unwrap();
    // What the demo makes the first time, which takes long.
    let material = folder.path().join("data/demo");
    fs::create_dir_all(&material).unwrap();
    actor::write_recording(&material, "actor.mp4");
    audio::make_library(&material.join("music"));
    fs::write(material.join("version"), env!("CARGO_PKG_VERSION")).unwrap();
    let (links, record) = (folder.path().join("links"), folder.path().join("record"));
    let mut live = command("sh");
    live.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(&links);
    live.arg(paths::release_folder().join("gst-mood"));
    live.args(["live", "--demo", "--panel", "--no-mpris", "-o"]).arg(&record);
    live.env("GST_MOOD_DATA", folder.path().join("data"));
    for display in ["DISPLAY", "WAYLAND_DISPLAY"] {
        live.env_remove(display);
    }
    // As on a machine without a sound card.
    let sinks = ["alsa", "pulse", "pipewire", "jackaudio", "openal", "oss", "oss4"];
    live.env("GST_PLUGIN_FEATURE_RANK", sinks.map(|name| format!("{name}sink:NONE")).join(","));
    let live = RunningProcess::start(live);
    let times = || -> Vec<u64> {
        let lines = if record.join("timeline.jsonl").exists() {
            read_timeline(&record.join("timeline.jsonl"))
        } else {
            Vec::new()
        };
        lines
            .iter()
            .filter_map(|line| if let Line::Frame(frame) = line { Some(frame.pts) } else { None })
            .collect()
    };
    // The film has two seconds.
    wait_for("third beginning", || (times().last() > Some(&4_500_000_000)).then_some(()));
    let panel = PanelLink::find(&fs::read_to_string(&links).unwrap()).unwrap();
    assert_eq!(panel.send(r#"{"command":"stop"}"#), 202);
    let stopped = wait_for("stop", || {
        let before = times().len();
        thread::sleep(Duration::from_millis(500));
        (times().len() == before).then_some(before)
    });
    assert_eq!(panel.send(r#"{"command":"play"}"#), 202);
    wait_for("film", || (times().len() > stopped + 60).then_some(()));
    let (first, second) = {
        let times = times();
        (times[..stopped].to_vec(), times[stopped..].to_vec())
    };
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    assert!(first.is_sorted() && second.is_sorted(), "time goes on");
    let gap = first.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    // The film has two seconds; a machine that is busy drops frames.
    assert!(gap < 1_000_000_000, "{gap} ns between the end of the film and its beginning");
    let words = ["no display, so no window", "no sound output found", "was found"];
    let is_expected = |line: &str| words.iter().any(|word| line.contains(word));
    assert!(output.stderr.lines().all(is_expected), "{output}");
    assert!(words[..2].iter().all(|word| output.stderr.contains(word)), "{output}");
    let report = fs::read_to_string(record.join("report.html")).unwrap();
    assert!(report.contains("<svg"), "{report}");
    let summary = fs::read_to_string(record.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["subjects"].as_array().unwrap().len(), 1, "after the stop too: {summary:#}");
}

/// The complete lines of a timeline.
fn read_timeline(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `playerctl`, which many desktops use, makes of the player.
fn playerctl(desktop: &Desktop) {
    let ask = |arguments: &[&str]| {
        let mut playerctl = desktop.command("playerctl");
        playerctl.args(["--player", "gst_mood"]).args(arguments);
        run(playerctl, TIMEOUT).assert_success().stdout.trim().to_owned()
    };
    assert_eq!(ask(&["status"]), "Playing");
    assert_eq!(ask(&["loop"]), "Track");
    ask(&["loop", "Playlist"]);
    assert_eq!((ask(&["loop"]), ask(&["shuffle"])), ("Playlist".into(), "Off".into()));
    assert_eq!(ask(&["metadata", "mpris:length"]), "180000000");
}

/// Reads a file of timeline lines.
fn read_lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn a_second_instance_gets_its_own_name_and_ctrl_c_ends_both() {
    let desktop = Desktop::new();
    let music = audio::make_library(&desktop.path("music"));
    let start = || desktop.start_live("videotestsrc is-live=true", "fakesink sync=true", &music, &[]);
    let first = start();
    wait_for("player on the bus", || desktop.names().filter(|names| names.contains(NAME)));
    let second = start();
    wait_for("second name", || desktop.names().filter(|names| names.contains(&format!("{NAME}.instance"))));
    for live in [second, first] {
        live.signal("INT");
        live.wait(TIMEOUT).assert_success();
    }
    wait_for("free name", || desktop.names().filter(|names| !names.contains(NAME)));
}

#[test]
fn live_plays_without_a_bus_until_the_video_ends() {
    let folder = TempDir::new().unwrap();
    let camera = media("video/single_face.mp4").map(|clip| clip.to_str().unwrap().to_owned());
    let camera = camera.unwrap_or_else(|| "videotestsrc num-buffers=50 is-live=true".into());
    let mut live = gst_mood(&[
        "live",
        "--once",
        "--strategy",
        "target",
        "--target-valence",
        "-0.7",
        "--camera",
        &camera,
    ]);
    live.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.path().join("none").display()));
    live.args(["--video-sink", "fakesink sync=true", "--audio-sink", "fakesink sync=true", "--library"]);
    live.arg(audio::make_library(&folder.path().join("music")));
    let output = run(live, TIMEOUT).assert_success();
    assert!(output.stdout.contains("plays sad"), "{output}");
    let warnings: Vec<&str> = output.stderr.lines().collect();
    assert!(warnings.len() == 1 && warnings[0].contains("no control over D-Bus"), "{output}");
}

#[test]
fn a_clients_resting_face_is_learnt_and_expected_the_next_time() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let run_with_data = |mut command: Command| {
        run(
            {
                command.env("GST_MOOD_DATA", folder.path().join("data"));
                command
            },
            TIMEOUT,
        )
    };
    let live = |options: &[&str]| {
        let mut live = gst_mood(&[
            "live",
            "--no-mpris",
            "--no-window",
            "--audio-sink",
            "fakesink sync=true",
            "--library",
        ]);
        live.arg(&music).args(["--camera", &actor::camera(folder.path(), 12)]).args(options);
        live.env("GST_DEBUG", "emotionclassify:4").env("GST_DEBUG_NO_COLOR", "1");
        run_with_data(live)
    };
    let known = || -> Vec<f64> {
        let output = run_with_data(gst_mood(&["clients", "--json"])).assert_success();
        let clients: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let clients = clients.as_array().unwrap().iter();
        clients.map(|client| client["resting_face_seconds"].as_f64().unwrap()).collect()
    };
    live(&["--client", "Ada"]).assert_error(&["consent"]);
    live(&[]).assert_success();
    assert_eq!(known(), [0.0; 0], "without a client, nothing is kept");
    let first = live(&["--client", "Ada", "--consent", "signed 3 May 2026"]).assert_success();
    assert!(!first.stderr.contains("begins with"), "{first}");
    let [seconds] = known()[..] else { panic!("one client") };
    assert!(seconds > 0.3, "{seconds} s");
    let second = live(&["--client", "Ada"]).assert_success();
    assert!(second.stderr.contains(&format!("begins with {seconds:.1} s of a resting face")), "{second}");
    let [both] = known()[..] else { panic!("one client") };
    assert!(both > seconds + 0.3 && both < 3.0 * seconds, "{seconds} {both}");
    // What a recorded session teaches counts once, also where its results are made again.
    let record = folder.path().join("record");
    live(&["--client", "Ada", "-o", record.to_str().unwrap()]).assert_success();
    let [all] = known()[..] else { panic!("one client") };
    assert!(all > both + 0.3 && all < both + 2.0 * seconds, "{seconds} {both} {all}");
    let mut again = gst_mood(&["process", "--resume", "--force"]);
    again.arg(&record);
    run_with_data(again).assert_success();
    assert_eq!(known(), [all]);
    let listed = run_with_data(gst_mood(&["clients"])).assert_success();
    assert!(listed.stdout.starts_with("Ada: 1 sessions"), "{listed}");
    run_with_data(gst_mood(&["forget", "Ada"])).assert_success();
    assert_eq!(known(), [0.0; 0]);
}

#[test]
fn a_missing_camera_library_or_file_is_reported_in_one_line() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let live = |library: &Path, options: &[&str]| {
        let mut live =
            gst_mood(&["live", "--no-mpris", "--no-window", "--audio-sink", "fakesink", "--library"]);
        live.arg(library).args(options);
        run(live, TIMEOUT)
    };
    let camera = ["--camera", "videotestsrc num-buffers=5"];
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (output, code, words) in [
        (live(&music, &["--camera", "/dev/video99"]), 3, ["/dev/video99", "doctor"]),
        (live(&music, &["--camera", "nosuchsrc"]), 3, ["nosuchsrc", "doctor"]),
        (live(&empty, &camera), 1, ["empty", "no music"]),
        (live(Path::new("/nowhere"), &camera), 1, ["/nowhere", "does not exist"]),
        (live(&music, &["--camera", "filesrc location=/nowhere"]), 1, ["/nowhere", "No such file"]),
    ] {
        assert_eq!(output.code, Some(code), "{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
        output.assert_error(&words);
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
