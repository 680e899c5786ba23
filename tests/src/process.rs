//! Processes: started in a known environment, ended at the latest when their time is up, and looked through for the
//! traces of what must never happen.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::place;

/// More than any single pipeline of the tests takes on a slow and busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// What a process said, and how it ended.
#[derive(Debug)]
pub struct Done {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// All of it.
    pub stdout: String,
    /// All of it.
    pub stderr: String,
}

impl Done {
    /// The process was successful.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// The process failed by itself, and an error's own line (not only its debug details) names every one of `words`.
    #[track_caller]
    pub fn fails_with(self, words: &[&str]) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "it should fail, and by itself\n{self}");
        let told = self.stderr.lines().any(|line| {
            (line.starts_with("ERROR: from element") || line.starts_with("gst-mood: "))
                && words.iter().all(|word| line.contains(word))
        });
        assert!(told, "no error's line has all of {words:?}\n{self}");
        self
    }
}

impl std::fmt::Display for Done {
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

/// A command that finds our plugins as the README says, with a registry that is new in this test program.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = bare_command(program);
    command.env("GST_PLUGIN_PATH", place::release()).env("GST_REGISTRY", registry());
    command
}

/// The command line `gst-mood`, as it was built for release, with `arguments`.
pub fn gst_mood(arguments: &[&str]) -> Command {
    let mut command = command(place::release().join("gst-mood"));
    command.args(arguments);
    command
}

/// A command in an environment without anything of the user's that would change results.
fn bare_command(program: impl AsRef<OsStr>) -> Command {
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
    // Without a display or sound server the same happens everywhere.
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env("GST_MOOD_DATA", data());
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").current_dir(place::root());
    command
}

/// Where the command keeps what is stored of clients, empty when the test program begins.
fn data() -> &'static PathBuf {
    static DATA: OnceLock<PathBuf> = OnceLock::new();
    DATA.get_or_init(|| place::lasting_folder(&format!("data-{}", place::program())))
}

/// Made once a test program: reading all plugins takes seconds.
fn registry() -> &'static PathBuf {
    static REGISTRY: OnceLock<PathBuf> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let path = place::lasting_folder(&format!("registry-{}", place::program())).join("registry.bin");
        let mut inspect = bare_command("gst-inspect-1.0");
        inspect.arg("--version").env("GST_PLUGIN_PATH", place::release()).env("GST_REGISTRY", &path);
        run(inspect, LIMIT).ok();
        path
    })
}

/// Runs `gst-launch-1.0` with arguments as one types them in a shell, quotes and all.
#[track_caller]
pub fn launch(line: &str) -> Done {
    run(shell(&format!("exec gst-launch-1.0 {line}")), LIMIT)
}

/// A shell's line.
pub fn shell(line: &str) -> Command {
    let mut command = command("sh");
    command.arg("-c").arg(line);
    command
}

/// One of pipelines/, in the way a user runs it: it finds the built plugins by itself.
pub fn script(name: &str) -> Command {
    let mut command = command(place::root().join("pipelines").join(name));
    command.env_remove("GST_PLUGIN_PATH");
    command
}

/// A process that runs, with everything it started.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Starts it. What it says goes to files, so that no pipe can fill up or be held open.
    pub fn start(mut command: Command) -> Self {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdin(Stdio::null()).stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child, stdout, stderr }
    }

    /// Sends a signal, such as `INT`, to it and to all that it started.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} -- -{}", self.child.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Waits for its end. A process that takes longer than `limit` is killed and fails the test, as does one that
    /// panicked or broke a rule of GLib's.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) -> Done {
        let until = Instant::now() + limit;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status.code());
            }
            if Instant::now() > until {
                self.signal("KILL");
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        let done =
            Done { code: code.flatten(), stdout: read(&mut self.stdout), stderr: read(&mut self.stderr) };
        assert!(code.is_some(), "it takes longer than {limit:?} and was killed\n{done}");
        for trace in ["panicked", "CRITICAL **", "GStreamer-CRITICAL", "GLib-CRITICAL"] {
            assert!(!done.stdout.contains(trace) && !done.stderr.contains(trace), "{trace}\n{done}");
        }
        done
    }
}

impl Drop for Running {
    /// A test that fails leaves nothing running.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

/// Runs a command to its end; see [`Running::finish`].
#[track_caller]
pub fn run(command: Command, limit: Duration) -> Done {
    Running::start(command).finish(limit)
}

fn read(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
