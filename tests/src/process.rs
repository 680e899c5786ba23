//! Child processes: started in a controlled environment, killed when they exceed a timeout, and their output searched
//! for panics and GLib criticals.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::{paths, stacks};

/// The usual timeout: more than any single process of the tests takes on a slow and busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// The exit code and the output of a process that has ended.
#[derive(Debug)]
pub struct ProcessOutput {
    /// Exit code; `None` where a signal ended the process.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl ProcessOutput {
    /// Asserts that the exit code is 0.
    #[track_caller]
    pub fn assert_success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Asserts that the process failed by itself, and that the line of one error (not its debug details) contains every
    /// one of `words`.
    #[track_caller]
    pub fn assert_error(self, words: &[&str]) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "it should fail by itself\n{self}");
        let is_reported = self.stderr.lines().any(|line| {
            (line.starts_with("ERROR: from element") || line.starts_with("gst-mood: "))
                && words.iter().all(|word| line.contains(word))
        });
        assert!(is_reported, "no error line contains all of {words:?}\n{self}");
        self
    }
}

impl std::fmt::Display for ProcessOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        write!(
            f,
            "exit code {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            tail(&self.stdout),
            tail(&self.stderr)
        )
    }
}

/// A command that finds our plugins through `GST_PLUGIN_PATH`, with a plugin registry of this test program's own.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = clean_command(program);
    command.env("GST_PLUGIN_PATH", paths::release_folder()).env("GST_REGISTRY", registry());
    command
}

/// The release build of `gst-mood` with `arguments`.
pub fn gst_mood(arguments: &[&str]) -> Command {
    let mut command = command(paths::release_folder().join("gst-mood"));
    command.args(arguments);
    command
}

/// A command whose environment lacks the user's settings that would change results, and finds no plugins of ours.
fn clean_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in [
        "GST_DEBUG",
        "GST_DEBUG_DUMP_DOT_DIR",
        "GST_PLUGIN_PATH_1_0",
        "GST_PLUGIN_SYSTEM_PATH",
        "GST_PLUGIN_SYSTEM_PATH_1_0",
        "GST_REGISTRY_1_0",
        "GST_MOOD_CASCADE_PATH",
        "ORT_DYLIB_PATH",
        "G_DEBUG",
    ] {
        command.env_remove(name);
    }
    // Results must not depend on whether the machine has a display.
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env("GST_MOOD_DATA", data_folder());
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").current_dir(paths::workspace_root());
    command
}

/// The folder in which `gst-mood` stores data about clients; empty when the test program starts.
fn data_folder() -> &'static PathBuf {
    static DATA: OnceLock<PathBuf> = OnceLock::new();
    DATA.get_or_init(|| paths::kept_folder(&format!("data-{}", paths::test_program())))
}

/// The plugin registry. It is made once for each test program, because loading all plugins takes seconds, from that in
/// `MOOD_TEST_REGISTRY` where scripts/run_tests.py has made one for all; GStreamer loads what has changed since.
fn registry() -> &'static PathBuf {
    static REGISTRY: OnceLock<PathBuf> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let path = paths::kept_folder(&format!("registry-{}", paths::test_program())).join("registry.bin");
        if let Some(made) = env::var_os("MOOD_TEST_REGISTRY") {
            fs::copy(&made, &path).unwrap_or_else(|error| panic!("{}: {error}", made.display()));
        }
        let mut inspect = clean_command("gst-inspect-1.0");
        inspect.arg("--version").env("GST_PLUGIN_PATH", paths::release_folder()).env("GST_REGISTRY", &path);
        run(inspect, TIMEOUT).assert_success();
        path
    })
}

/// Runs `gst-launch-1.0` with arguments written as in a shell, quotes included.
#[track_caller]
pub fn gst_launch(line: &str) -> ProcessOutput {
    run(shell(&format!("exec gst-launch-1.0 {line}")), TIMEOUT)
}

/// A command line run by `sh`.
pub fn shell(line: &str) -> Command {
    let mut command = command("sh");
    command.arg("-c").arg(line);
    command
}

/// A script of pipelines/, run as users run it: it finds the built plugins by itself.
pub fn pipeline_script(name: &str) -> Command {
    let mut command = command(paths::workspace_root().join("pipelines").join(name));
    command.env_remove("GST_PLUGIN_PATH");
    command
}

/// A running process and the processes that it started. All of them are killed when the value is dropped.
pub struct RunningProcess {
    child: Child,
    stdout: File,
    stderr: File,
}

impl RunningProcess {
    /// Starts a command. Its output goes to files: a pipe could fill up, or be held open by a grandchild.
    pub fn start(mut command: Command) -> Self {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdin(Stdio::null()).stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child, stdout, stderr }
    }

    /// Sends a signal, such as `INT`, to the process and to all processes that it started.
    pub fn signal(&self, name: &str) {
        self.signal_with_all(&[name]);
    }

    /// Does so with several signals, one right after the other.
    pub fn signal_with_all(&self, names: &[&str]) {
        let kill: Vec<_> =
            names.iter().map(|name| format!("kill -s {name} -- -{}", self.child.id())).collect();
        let kill = kill.join(" && ");
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Like [`Self::signal`], for a process that may have ended.
    pub fn signal_if_running(&self, name: &str) {
        let kill = format!("kill -s {name} -- -{} 2>&1", self.child.id());
        let _ = Command::new("sh").arg("-c").arg(kill).output().unwrap();
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to end. A process that exceeds `timeout` is killed and fails the test with the stacks of its
    /// threads, as does one that panicked or caused a GLib critical.
    #[track_caller]
    pub fn wait(mut self, timeout: Duration) -> ProcessOutput {
        let deadline = Instant::now() + timeout;
        let mut stacks = String::new();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status.code());
            }
            if Instant::now() > deadline {
                stacks = stacks::describe_group(self.child.id());
                self.signal("KILL");
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        let output = ProcessOutput {
            code: code.flatten(),
            stdout: read_all(&mut self.stdout),
            stderr: read_all(&mut self.stderr),
        };
        assert!(code.is_some(), "the process was killed after {timeout:?}\n{output}\n{stacks}");
        for trace in ["panicked", "CRITICAL **", "GStreamer-CRITICAL", "GLib-CRITICAL"] {
            assert!(!output.stdout.contains(trace) && !output.stderr.contains(trace), "{trace}\n{output}");
        }
        output
    }
}

impl Drop for RunningProcess {
    /// A failing test leaves no process running.
    fn drop(&mut self) {
        if self.is_running() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

/// Runs a command until it ends; see [`RunningProcess::wait`].
#[track_caller]
pub fn run(command: Command, timeout: Duration) -> ProcessOutput {
    RunningProcess::start(command).wait(timeout)
}

fn read_all(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
