//! What happens when cameras, loudspeakers, disks, clocks and processes fail, in real pipelines and commands.
//!
//! The short form runs with all tests. `make test-faults` runs the long one: `MOOD_FAULTS` is a factor for what is
//! repeated, 1 where it is not set.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::bus::wait_for;
use mood_tests::process::{RunningProcess, TIMEOUT};
use mood_tests::sandbox::{Sandbox, read_json};
use mood_tests::{actor, audio, command, gst_mood, run};
use walkdir::WalkDir;

/// How often what the short form does once is repeated.
fn factor() -> u64 {
    env::var("MOOD_FAULTS").map_or(1, |factor| factor.parse().expect("MOOD_FAULTS is a number"))
}

/// Runs one fault of `fault_pipeline` in a process of its own.
#[track_caller]
fn inject(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    audio::make_library(&folder.path().join("library"));
    // Ignored by the shell, the signal of a file that is too large is ignored by the program: writing fails instead.
    let mut fault = command("sh");
    fault.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_fault_pipeline"), name]);
    fault.arg(folder.path()).arg(factor().to_string());
    // Memory that the allocator keeps for each thread is no leak, and its amount differs from run to run.
    fault.env("G_DEBUG", "fatal-criticals").env("MALLOC_ARENA_MAX", "2");
    let hours: f64 = env::var("MOOD_SOAK_HOURS").map_or(0.0, |hours| hours.parse().unwrap());
    let timeout = Duration::from_secs(60 + 20 * factor()) + Duration::from_secs_f64(600.0 * hours);
    let output = run(fault, timeout).assert_success();
    output.stdout.lines().filter(|line| line.contains(" MiB, ")).for_each(|line| println!("{line}"));
}

/// A test for each fault.
macro_rules! faults {
    ($($name:ident)*) => {
        $(#[test] fn $name() { inject(stringify!($name)); })*
        #[test]
        fn every_fault_of_the_program_has_a_test() {
            let mut list = command(env!("CARGO_BIN_EXE_fault_pipeline"));
            list.arg("--list");
            let listed = run(list, TIMEOUT).assert_success().stdout;
            assert_eq!(listed.lines().collect::<Vec<_>>(), [$(stringify!($name)),*]);
        }
    };
}

faults! {
    a_camera_that_stalls_does_not_stop_the_music
    a_camera_that_fails_ends_cleanly_and_can_start_again
    a_camera_that_is_exchanged_while_playing_goes_on
    a_camera_that_returns_after_its_end_goes_on
    a_camera_may_change_its_format_at_any_frame
    a_loudspeaker_that_fails_is_an_error_and_stops
    a_loudspeaker_that_takes_nothing_stops_neither_picture_nor_state_changes
    a_loudspeaker_may_be_exchanged_while_playing
    a_full_disk_is_an_error_and_keeps_complete_lines
    a_full_disk_for_the_decision_log_is_reported_and_the_music_plays
    a_slow_disk_loses_no_line
    a_folder_that_is_removed_while_playing_stops_nothing
    a_music_folder_that_vanishes_and_returns_is_played_again
    timestamps_that_repeat_go_back_or_are_missing_stop_nothing
    timestamps_that_jump_are_followed_in_lock_step
    a_clock_that_jumps_stops_nothing
    state_cycles_leave_nothing_behind
    seeks_while_crossfading_go_on
    two_chains_in_a_process_do_the_same
    flushes_at_any_moment_go_on
    hours_of_video_leave_nothing_behind
    hours_of_music_need_less_than_80_mib
}

/// The signals that end a process, and whether it can still finish its files.
const SIGNALS: [(&str, bool); 3] = [("INT", true), ("TERM", true), ("KILL", false)];

/// A command that is interrupted at some moment and run again.
struct Interruption<'a> {
    /// Makes the command.
    command: &'a dyn Fn() -> Command,
    /// The folder it writes to, which is removed before each interruption.
    folder: &'a Path,
    /// Called on the folder that an uninterrupted run has filled.
    check: &'a dyn Fn(&Path),
}

impl Interruption<'_> {
    /// Interrupts the command by each signal, at moments all over its usual duration. What is left can be read, and the
    /// next run completes it.
    fn run(&self) {
        let start = Instant::now();
        run((self.command)(), TIMEOUT).assert_success();
        let duration = start.elapsed();
        (self.check)(self.folder);
        let moments = 3 * factor();
        for index in 0..moments {
            // Spread evenly; how far the process has come by then varies anyway.
            let (signal, is_graceful) = SIGNALS[index as usize % SIGNALS.len()];
            let moment = duration.mul_f64((index as f64 + 0.5) / moments as f64);
            println!("{signal} after {moment:?} of {duration:?}");
            fs::remove_dir_all(self.folder).unwrap();
            let running = RunningProcess::start((self.command)());
            thread::sleep(moment);
            running.signal_if_running(signal);
            let output = running.wait(TIMEOUT);
            // A process that has ended before, or that dies of the signal before it can handle it, is as good.
            assert!(matches!(output.code, Some(0 | 1) | None), "{output}");
            assert_readable(self.folder, is_graceful && output.code.is_some());
            run((self.command)(), TIMEOUT).assert_success();
            (self.check)(self.folder);
        }
    }
}

/// Asserts that a reader understands every file in a folder. Where the process could finish, no file is incomplete.
fn assert_readable(folder: &Path, is_finished: bool) {
    for entry in
        WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file())
    {
        let path = entry.path();
        let name = entry.file_name().to_str().unwrap();
        if name.ends_with(".part") {
            assert!(!is_finished, "{} is left", path.display());
        } else if name.ends_with(".jsonl") {
            let bytes = fs::read(path).unwrap();
            match session::read_lines(&bytes[..]) {
                // Killed before the first frame.
                Err(session::ReadError::Empty) if !is_finished => {}
                read => assert_eq!(read.unwrap().broken.count, 0, "{}", path.display()),
            }
            assert!(!is_finished || bytes.ends_with(b"\n"), "{}", path.display());
        } else if name.ends_with(".json") {
            read_json(path);
        } else if name.ends_with(".html") {
            assert!(fs::read_to_string(path).unwrap().trim_end().ends_with("</html>"), "{}", path.display());
        } else if name.ends_with(".db") {
            run(gst_mood(&["library", "list", "--library", path.to_str().unwrap()]), TIMEOUT)
                .assert_success();
        }
    }
}

/// The text of a file without what names the machine's time.
fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn process_interrupted_at_any_moment_leaves_readable_files_and_completes_the_next_time() {
    let sandbox = Sandbox::new();
    let clip = actor::write_recording(&sandbox.path(""), "clip.mp4");
    sandbox.transcode("long.mkv", &clip, &["-c", "copy"]);
    let library = audio::make_library(&sandbox.path("library"));
    let out = sandbox.path("out");
    let expected = std::cell::OnceCell::new();
    Interruption {
        command: &|| {
            let arguments = ["process", "-o", "out", "long.mkv", "--overlay", "--library"];
            let mut command = sandbox.command(&arguments);
            command.arg(&library);
            command
        },
        folder: &out,
        check: &|folder| {
            let texts = ["timeline.jsonl", "timeline.csv", "music.jsonl"]
                .map(|name| read(&folder.join("long"), name));
            assert_eq!(expected.get_or_init(|| texts.clone()), &texts);
            assert_eq!(read_json(&folder.join("long/summary.json"))["complete"], true);
            assert!(folder.join("long/annotated.mp4").exists());
            assert_readable(folder, true);
        },
    }
    .run();
}

#[test]
fn a_scan_interrupted_at_any_moment_leaves_a_readable_library_and_completes_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("out"));
    fs::create_dir(&music).unwrap();
    for number in 0..8 {
        audio::write_tone(&music, &format!("{number}.wav"), 200.0 + 50.0 * f64::from(number), 5, "happy");
    }
    let database = out.join("library.db");
    let database = database.to_str().unwrap();
    Interruption {
        command: &|| gst_mood(&["library", "scan", music.to_str().unwrap(), "--library", database]),
        folder: &out,
        check: &|_| {
            let list = gst_mood(&["library", "list", "--json", "--library", database]);
            let tracks: serde_json::Value =
                serde_json::from_str(&run(list, TIMEOUT).assert_success().stdout).unwrap();
            let tracks = tracks.as_array().unwrap();
            assert_eq!(tracks.len(), 8);
            assert!(tracks.iter().all(|track| track["values"]["loudness"]["value"].is_f64()), "{tracks:?}");
        },
    }
    .run();
}

#[test]
fn live_ends_by_a_signal_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let library = audio::make_library(&folder.path().join("library"));
    let camera = actor::camera(folder.path(), -1);
    for index in 0..3 * factor() {
        let (signal, is_graceful) = SIGNALS[index as usize % SIGNALS.len()];
        let mut live = gst_mood(&["live", "--json", "--no-window", "--no-mpris", "--camera", &camera]);
        live.args(["--audio-sink", "fakesink sync=true", "--library"]).arg(&library);
        let running = RunningProcess::start(live);
        let moment = Duration::from_millis(600 + index * 377 % 1000);
        thread::sleep(moment);
        running.signal_if_running(signal);
        let output = running.wait(TIMEOUT);
        println!("{signal} after {moment:?}: exit code {:?}", output.code);
        assert!(
            if is_graceful { matches!(output.code, Some(0 | 1) | None) } else { output.code.is_none() },
            "{output}"
        );
        for line in output.stdout.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            serde_json::from_str::<mood_schema::Line>(line).unwrap();
        }
    }
}

#[test]
fn a_second_signal_ends_at_once_what_the_first_cannot_end() {
    let folder = tempfile::tempdir().unwrap();
    let library = audio::make_library(&folder.path().join("library"));
    // The second frame comes after a minute, and stopping waits for it.
    let camera = "videotestsrc is-live=true ! identity sleep-time=60000000";
    for (first, second) in [("INT", "TERM"), ("TERM", "TERM")] {
        let mut live = gst_mood(&["live", "--no-window", "--no-mpris", "--camera", camera]);
        live.args(["--audio-sink", "fakesink sync=true", "--library"]).arg(&library);
        let mut running = RunningProcess::start(live);
        thread::sleep(Duration::from_millis(1000));
        running.signal(first);
        // Until then it is the first signal that is repeated.
        thread::sleep(Duration::from_millis(600));
        let deadline = Instant::now() + Duration::from_secs(10);
        while running.is_running() && Instant::now() < deadline {
            running.signal_if_running(second);
            thread::sleep(Duration::from_millis(50));
        }
        let output = running.wait(Duration::from_secs(10));
        assert_eq!(output.code, None, "ended by the signal: {output}");
    }
}

#[test]
fn signals_that_come_together_end_a_session_as_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let library = audio::make_library(&folder.path().join("library"));
    let published = folder.path().join("published.jsonl");
    let mut follow = gst_mood(&["follow", "--no-mpris", "--audio-sink", "fakesink sync=true", "--library"]);
    follow.arg(&library).args(["--publish", &format!("file://{}", published.display())]);
    let running = RunningProcess::start(follow);
    wait_for("the session", || fs::metadata(&published).is_ok_and(|file| file.len() > 0).then_some(()));
    // As timeout(1) and service managers do: to the process, and to its group.
    running.signal_with_all(&["INT", "TERM", "INT"]);
    running.wait(TIMEOUT).assert_success();
}

#[test]
fn demo_interrupted_at_any_moment_leaves_readable_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for index in 0..3 * factor() {
        let (signal, is_graceful) = SIGNALS[index as usize % SIGNALS.len()];
        let running = RunningProcess::start(gst_mood(&["demo", "--output", out.to_str().unwrap()]));
        let moment = Duration::from_millis(700 + index * 2311 % 9000);
        thread::sleep(moment);
        running.signal_if_running(signal);
        let output = running.wait(TIMEOUT);
        println!("{signal} after {moment:?}: exit code {:?}", output.code);
        assert!(matches!(output.code, Some(0 | 1) | None), "{output}");
        assert_readable(&out, is_graceful && output.code.is_some());
    }
}
