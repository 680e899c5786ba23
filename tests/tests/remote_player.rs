//! `gst-mood live --player`: a real MPD, a real Mopidy, and mpv and a made player over MPRIS on a private D-Bus, play what the session
//! chooses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use mood_tests::bus::{PrivateBus, wait_for};
use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::{actor, audio, command, gst_mood, paths, run};
use tempfile::TempDir;

/// Length of the tracks, seconds: longer than any test.
const SECONDS: u32 = 180;

/// A temporary folder with music, and a private session bus.
struct Room {
    folder: TempDir,
    music: PathBuf,
    bus: PrivateBus,
}

impl Room {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let music = folder.path().join("Müsic");
        fs::create_dir(&music).unwrap();
        for (name, hertz, mood) in
            [("happy 1.wav", 880.0, "happy"), ("happy 2.wav", 660.0, "happy"), ("sad.wav", 220.0, "sad")]
        {
            audio::write_tone(&music, name, hertz, SECONDS, mood);
        }
        let bus = PrivateBus::start(folder.path());
        Self { folder, music, bus }
    }

    fn on_bus(&self, mut command: Command) -> Command {
        self.bus.use_in(&mut command);
        command
    }

    /// A session with the smiling actor before the camera.
    fn start_live(&self, player: &str) -> RunningProcess {
        let camera = actor::camera(self.folder.path(), -1);
        let library = self.music.to_str().unwrap();
        let arguments = [
            "live",
            "--no-window",
            "--min-dwell",
            "0",
            "--camera",
            &camera,
            "--library",
            library,
            "--player",
            player,
        ];
        RunningProcess::start(self.on_bus(gst_mood(&arguments)))
    }

    /// A made player of this kind and name, see tests/readers/mpris_player.py: its process, what its user does, and the calls
    /// that it gets.
    fn start_made_player(&self, kind: &str) -> (Child, ChildStdin, Receiver<String>) {
        let mut player = self.on_bus(command("/usr/bin/python3"));
        player.arg(paths::workspace_root().join("tests/readers/mpris_player.py")).args([kind, kind]);
        let mut player = player.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(player.stdout.take().unwrap()).lines();
        let (sender, calls) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        assert_eq!(calls.recv_timeout(TIMEOUT).unwrap(), "ready");
        let user = player.stdin.take().unwrap();
        (player, user, calls)
    }

    fn playerctl(&self, arguments: &[&str]) -> String {
        let mut playerctl = self.on_bus(command("playerctl"));
        playerctl.args(arguments);
        run(playerctl, TIMEOUT).stdout.trim().into()
    }
}

/// The answer to a command in MPD's protocol; `None` where the connection ends before.
#[track_caller]
fn ask(mut stream: impl Read + Write, line: &str) -> Option<String> {
    stream.write_all(format!("{line}\n").as_bytes()).ok()?;
    let mut answer = String::new();
    let mut lines = BufReader::new(stream).lines();
    lines.next()?.ok()?;
    for line in lines {
        let line = line.ok()?;
        if line == "OK" {
            return Some(answer);
        }
        assert!(!line.starts_with("ACK"), "{line}");
        writeln!(answer, "{line}").unwrap();
    }
    None
}

/// MPD with a silent output, reached at `socket` and at a port.
struct Mpd {
    process: RunningProcess,
    folder: PathBuf,
    port: u16,
}

impl Mpd {
    fn start(folder: &Path, music: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut configuration = String::new();
        let path = |name: &str| folder.join(name).display().to_string();
        for (key, value) in [
            ("music_directory", music.display().to_string()),
            ("db_file", path("mpd.db")),
            ("sticker_file", path("stickers.db")),
            ("bind_to_address", path("socket")),
            ("bind_to_address", "127.0.0.1".into()),
            ("port", port.to_string()),
        ] {
            writeln!(configuration, "{key} \"{value}\"").unwrap();
        }
        configuration += "audio_output {\n type \"null\"\n name \"silent\"\n mixer_type \"software\"\n}\n";
        fs::write(folder.join("mpd.conf"), configuration).unwrap();
        let mpd = Self { process: Self::run(folder), folder: folder.into(), port };
        mpd.wait_until_up();
        mpd
    }

    fn run(folder: &Path) -> RunningProcess {
        let mut mpd = command("mpd");
        mpd.arg("--no-daemon").arg(folder.join("mpd.conf"));
        RunningProcess::start(mpd)
    }

    fn wait_until_up(&self) {
        wait_for("MPD", || self.ask("update"));
        wait_for("a database", || self.ask("stats").filter(|stats| stats.contains("songs: 3")));
        wait_for("the end of the update", || {
            self.ask("status").filter(|status| !status.contains("updating_db"))
        });
    }

    /// The answer to a command; `None` where MPD is not there.
    fn ask(&self, line: &str) -> Option<String> {
        let stream = UnixStream::connect(self.folder.join("socket")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        ask(stream, line)
    }

    /// Waits until MPD plays a file whose name begins so.
    #[track_caller]
    fn wait_for_song(&self, name: &str) -> String {
        wait_for(name, || {
            let plays = self.ask("status")?.contains("state: play");
            let song = self.ask("currentsong")?.lines().next()?.strip_prefix("file: ")?.to_string();
            (plays && song.rsplit('/').next()?.starts_with(name)).then_some(song)
        })
    }

    #[track_caller]
    fn wait_for_state(&self, state: &str) {
        wait_for(state, || self.ask("status")?.contains(&format!("state: {state}")).then_some(()));
    }
}

#[test]
fn mpd_plays_what_the_session_chooses_and_its_users_win() {
    let room = Room::new();
    let mut mpd = Mpd::start(room.folder.path(), &room.music);
    mpd.ask("crossfade 7").unwrap();
    let live = room.start_live(&format!("mpd://127.0.0.1:{}", mpd.port));
    // By its name in MPD's database, since files of one's own are for the Unix socket.
    let first = mpd.wait_for_song("happy");
    assert!(!first.contains('/'), "{first}");
    assert!(mpd.ask("status").unwrap().contains("xfade: 4"), "as the session fades");

    // What is done at MPD happens to the session.
    mpd.ask("pause 1").unwrap();
    wait_for("pause", || (room.playerctl(&["-p", "gst_mood", "status"]) == "Paused").then_some(()));
    mpd.ask("pause 0").unwrap();
    wait_for("play", || (room.playerctl(&["-p", "gst_mood", "status"]) == "Playing").then_some(()));
    mpd.ask("stop").unwrap();
    let second = mpd.wait_for_song("happy");
    assert_ne!(first, second, "a song that was stopped is not begun again");
    mpd.ask("add sad.wav").unwrap();
    mpd.ask("next").unwrap();
    mpd.wait_for_song("sad");
    thread::sleep(Duration::from_secs(1));
    mpd.wait_for_song("sad");
    // It ends, and the session's choice comes again.
    mpd.ask(&format!("seekcur {}", SECONDS - 1)).unwrap();
    mpd.wait_for_song("happy");

    // What is done to the session happens to MPD.
    room.playerctl(&["-p", "gst_mood", "pause"]);
    mpd.wait_for_state("pause");
    room.playerctl(&["-p", "gst_mood", "play"]);
    mpd.wait_for_state("play");

    // It goes, and returns.
    mpd.process.signal("KILL");
    mpd.process = Mpd::run(room.folder.path());
    mpd.wait_until_up();
    mpd.wait_for_song("happy");
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    assert!(output.stderr.contains("no music from mpd://"), "{output}");
    assert!(output.stderr.contains("sad.wav was chosen in the player"), "{output}");
    mpd.wait_for_state("stop");
}

#[test]
fn mpd_without_the_tracks_says_what_to_do_and_plays_any_file_over_its_socket() {
    let room = Room::new();
    let empty = room.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::copy(room.music.join("sad.wav"), empty.join("other.wav")).unwrap();
    for name in ["b.wav", "c.wav"] {
        fs::copy(room.music.join("sad.wav"), empty.join(name)).unwrap();
    }
    let mpd = Mpd::start(room.folder.path(), &empty);
    let live = room.start_live(&format!("mpd://127.0.0.1:{}", mpd.port));
    thread::sleep(Duration::from_secs(4));
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    assert!(
        output.stderr.contains("music_directory") && output.stderr.contains("mpd:///run/mpd/socket"),
        "{output}"
    );

    let live = room.start_live(&format!("mpd://{}", room.folder.path().join("socket").display()));
    let song = mpd.wait_for_song("happy");
    assert!(song.contains('/'), "{song}");
    live.signal("INT");
    live.wait(TIMEOUT).assert_success();
}

#[test]
fn what_is_scanned_from_mpd_is_played_there_without_a_camera() {
    let room = Room::new();
    let mpd = Mpd::start(room.folder.path(), &room.music);
    // The mood in the file beside it is for others.
    mpd.ask("sticker set song sad.wav mood angry").unwrap();
    let database = room.folder.path().join("library.db");
    let scan = |source: &str, more: &[&str]| {
        let mut scan = gst_mood(&["library", "scan", source, "--tags-only", "--library"]);
        scan.arg(&database).args(more);
        run(scan, TIMEOUT)
    };
    let address = format!("mpd://127.0.0.1:{}", mpd.port);
    let output = scan(&address, &[]);
    assert!(output.code == Some(2) && output.stderr.contains("--music-folder"), "{output}");
    scan(&address, &["--music-folder", "/nowhere"]).assert_error(&["none of the 3 songs", "/nowhere"]);
    let output = scan(&address, &["/tmp"]);
    assert!(output.code == Some(2) && output.stderr.contains("scanned alone"), "{output}");
    scan("mpd://127.0.0.1:1", &[]).assert_error(&["start MPD"]);
    assert!(!database.exists());
    scan(&format!("mpd://{}", room.folder.path().join("socket").display()), &[]).assert_success();
    fs::remove_file(room.music.join("happy 1.wav")).unwrap();
    let output = scan(&address, &["--music-folder", room.music.to_str().unwrap()]);
    assert!(output.code == Some(1) && output.stderr.contains("happy 1.wav: MPD has it"), "{output}");
    let mut list = gst_mood(&["library", "list", "--library"]);
    list.arg(&database);
    let list = run(list, TIMEOUT).assert_success().stdout;
    assert!(list.lines().count() == 3 && list.contains("angry"), "{list}");

    let mut follow = gst_mood(&["follow", "-", "--no-mpris", "--player", &address, "--library"]);
    follow.arg(&database).stdin(Stdio::piped());
    let mut follow = follow.spawn().unwrap();
    let mut input = follow.stdin.take().unwrap();
    writeln!(input, "angry").unwrap();
    assert_eq!(mpd.wait_for_song("sad"), "sad.wav");
    writeln!(input, "happy").unwrap();
    mpd.wait_for_song("happy 2");
    drop(input);
    assert!(follow.wait().unwrap().success());
    mpd.wait_for_state("stop");
}

#[test]
fn mopidy_plays_what_the_session_chooses() {
    let room = Room::new();
    let path = |name: &str| room.folder.path().join(name).display().to_string();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = format!(
        "[core]\ncache_dir = {0}/cache\nconfig_dir = {0}/config\ndata_dir = {0}/data\n[audio]\nmixer = software\n\
         output = fakesink sync=true\n[file]\nmedia_dirs = {1}\n[http]\nenabled = false\n\
         [mpd]\nhostname = 127.0.0.1\nport = {port}\n",
        room.folder.path().display(),
        room.music.display()
    );
    fs::write(path("mopidy.conf"), configuration).unwrap();
    // Debian's, whose Python has Debian's bindings to GStreamer.
    let mut mopidy = command("/usr/bin/mopidy");
    mopidy.args(["--config", &path("mopidy.conf")]).env_remove("GST_PLUGIN_PATH");
    let mopidy = RunningProcess::start(mopidy);
    let ask = |line: &str| ask(TcpStream::connect(("127.0.0.1", port)).ok()?, line);
    let plays = |name: &str| {
        wait_for(name, || {
            let song = ask("currentsong")?;
            (ask("status")?.contains("state: play") && song.contains(name)).then_some(())
        });
    };
    wait_for("Mopidy", || ask("status"));

    let address = format!("mpd://127.0.0.1:{port}");
    let mut follow =
        gst_mood(&["follow", "-", "--no-mpris", "--min-dwell", "0", "--player", &address, "--library"]);
    follow.arg(&room.music).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut follow = follow.spawn().unwrap();
    let mut input = follow.stdin.take().unwrap();
    for mood in ["happy", "sad"] {
        writeln!(input, "{mood}").unwrap();
        plays(mood);
    }
    // What was played is not left behind.
    wait_for("one song", || (ask("playlistinfo")?.matches("file: ").count() == 1).then_some(()));
    drop(input);
    let output = follow.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    wait_for("silence", || ask("status")?.contains("state: stop").then_some(()));
    mopidy.signal("TERM");
    mopidy.wait(TIMEOUT);
}

#[test]
fn a_player_on_the_desktops_bus_plays_what_the_session_chooses() {
    let room = Room::new();
    let live = room.start_live("mpris:mpv");
    wait_for("session", || (!room.playerctl(&["-p", "gst_mood", "status"]).is_empty()).then_some(()));
    // So long that it has looked for a player.
    thread::sleep(Duration::from_secs(2));
    let mpv = || {
        let mut mpv = room.on_bus(command("mpv"));
        // Paused: what is opened while it is idle is called stopped by mpv-mpris, although it plays.
        mpv.args(["--idle", "--pause", "--no-video", "--ao=null", "--no-terminal"]);
        mpv
    };
    let first = RunningProcess::start(mpv());
    let playing = |name: &str| {
        wait_for(name, || {
            let state = room.playerctl(&["-p", "mpv", "metadata", "--format", "{{status}} {{xesam:url}}"]);
            (state.starts_with("Playing") && state.contains(name)).then_some(state)
        })
    };
    playing("happy");
    room.playerctl(&["-p", "mpv", "pause"]);
    wait_for("pause", || (room.playerctl(&["-p", "gst_mood", "status"]) == "Paused").then_some(()));
    room.playerctl(&["-p", "gst_mood", "play"]);
    playing("happy");
    // It goes, and returns.
    drop(first);
    let _second = RunningProcess::start(mpv());
    playing("happy");
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    assert_eq!(output.stderr.matches("there is no such player").count(), 2, "{output}");
}

#[test]
fn a_player_that_opens_nothing_is_a_warning_and_the_session_goes_on() {
    let room = Room::new();
    let (mut player, _, _) = room.start_made_player("fixed");
    let mut follow =
        room.on_bus(gst_mood(&["follow", "-", "--no-mpris", "--player", "mpris:fixed", "--library"]));
    follow.arg(&room.music).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut follow = follow.spawn().unwrap();
    let mut input = follow.stdin.take().unwrap();
    writeln!(input, "sad").unwrap();
    let warning = BufReader::new(follow.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(warning.contains("fixed has no OpenUri; choose another player"), "{warning}");
    writeln!(input, "happy").unwrap();
    let mut output = BufReader::new(follow.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(output.any(|line| line.starts_with("mood: happy")));
    drop(input);
    assert!(follow.wait().unwrap().success());
    player.kill().unwrap();
    player.wait().unwrap();
}

#[test]
fn a_player_without_a_position_that_opens_paused_and_writes_uris_otherwise_plays_and_its_user_wins() {
    let room = Room::new();
    let (mut player, mut user, calls) = room.start_made_player("paused");
    let live = room.start_live("mpris:paused");
    let next = || calls.recv_timeout(TIMEOUT).unwrap();
    let opened = next();
    assert!(opened.starts_with("OpenUri file:///") && opened.contains("happy%20"), "{opened}");
    assert_eq!(next(), "Play");
    let status = |expected: &str| {
        wait_for(expected, || (room.playerctl(&["-p", "gst_mood", "status"]) == expected).then_some(()));
    };
    status("Playing");
    writeln!(user, "Paused").unwrap();
    status("Paused");
    room.playerctl(&["-p", "gst_mood", "play"]);
    assert_eq!(next(), "Play", "and nothing while it was paused");
    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    assert!(!output.stderr.contains("was chosen in the player"), "{output}");
    assert_eq!(next(), "Stop");
    player.kill().unwrap();
    player.wait().unwrap();
}

#[test]
fn an_address_that_names_no_player_is_refused() {
    let output = run(gst_mood(&["live", "--player", "mopidy"]), TIMEOUT);
    assert!(output.code == Some(2) && output.stderr.contains("mpd://HOST"), "{output}");
    let output = run(gst_mood(&["live", "--player", "mpd://me:secret@host"]), TIMEOUT);
    assert!(output.stderr.contains("GST_MOOD_MPD_PASSWORD"), "{output}");
}
