//! A private D-Bus session bus, so that a test meets no player of the desktop that it runs on.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::process::{RunningProcess, TIMEOUT};

/// A running bus.
pub struct PrivateBus {
    address: String,
    _daemon: RunningProcess,
}

impl PrivateBus {
    /// Starts a bus whose socket is in `folder`, and waits until it takes connections.
    #[track_caller]
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("bus");
        let address = format!("unix:path={}", socket.display());
        let mut daemon = command("dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile", &format!("--address={address}")]);
        let daemon = RunningProcess::start(daemon);
        wait_for("a bus", || std::os::unix::net::UnixStream::connect(&socket).ok());
        Self { address, _daemon: daemon }
    }

    /// Has a command use the bus.
    pub fn use_in(&self, command: &mut Command) {
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }
}

/// Polls until there is a value; `what` names it in the message of the timeout.
#[track_caller]
pub fn wait_for<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(Instant::now() < deadline, "no {what} within {TIMEOUT:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
