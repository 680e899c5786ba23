//! Destinations that take one publication after the other: how each is opened, and the loop that serves them.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flume::Receiver;

use crate::backoff::{Backoff, STEP};
use crate::delivery::Connection;
use crate::json_lines::JsonLines;
use crate::lsl::LslOutlets;
use crate::osc::OscSender;
use crate::outbox::Outbox;
use crate::{LslDestination, OscDestination, Publication};

/// How long a write to a socket may take before its reader counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// What [`serve`] opens, again and again where it fails.
#[derive(Debug)]
pub(crate) enum Endpoint {
    /// A file, continued.
    File(PathBuf),
    /// A Unix stream socket.
    Socket(PathBuf),
    /// Standard output of the process.
    Stdout,
    /// An OSC receiver.
    Osc(OscDestination),
    /// Two streams of LabStreamingLayer.
    Lsl(LslDestination),
}

impl Endpoint {
    fn open(&self) -> io::Result<Box<dyn Connection>> {
        Ok(match self {
            Self::File(path) => Box::new(JsonLines(open_file(path)?)),
            Self::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                Box::new(JsonLines(stream))
            }
            Self::Stdout => Box::new(JsonLines(io::stdout())),
            Self::Osc(osc) => Box::new(OscSender::open(osc)?),
            Self::Lsl(lsl) => Box::new(LslOutlets::open(lsl).map_err(io::Error::other)?),
        })
    }

    /// What is wrong and what to do, for a user.
    fn describe(&self, error: &io::Error) -> String {
        match self {
            Self::File(_) => format!("{error}; choose another file, or free space"),
            Self::Socket(_) => format!("{error}; start the program that listens there"),
            Self::Stdout => format!("{error}; the program behind the pipe has ended"),
            Self::Osc(osc) => format!("{error}; check the host {} and that its receiver runs", osc.host),
            Self::Lsl(_) => error.to_string(),
        }
    }
}

fn open_file(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Hands the publications over until their sender is gone. Where that fails it is tried again after a pause, and the first failure
/// of a series is told.
pub(crate) fn serve(endpoint: &Endpoint, receiver: &Receiver<Publication>, outbox: &Outbox) {
    let mut backoff = Backoff::default();
    let mut connection: Option<Box<dyn Connection>> = None;
    loop {
        if connection.is_none() {
            match endpoint.open() {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    outbox.fail(endpoint.describe(&error));
                    if pause(backoff.next(), receiver, outbox) {
                        continue;
                    }
                    return;
                }
            }
        }
        let Ok(publication) = receiver.recv() else { return };
        let Some(open) = &mut connection else { continue };
        match open.send(&publication) {
            Ok(()) => {
                backoff = Backoff::default();
                outbox.succeed();
            }
            Err(error) => {
                outbox.lose(1);
                outbox.fail(endpoint.describe(&error));
                connection = None;
                if !pause(backoff.next(), receiver, outbox) {
                    return;
                }
            }
        }
    }
}

/// Waits. Returns false once the sender is gone; what is queued then is lost.
fn pause(duration: Duration, receiver: &Receiver<Publication>, outbox: &Outbox) -> bool {
    let mut left = duration;
    while !left.is_zero() {
        if receiver.is_disconnected() {
            outbox.lose(receiver.drain().count() as u64);
            return false;
        }
        let step = left.min(STEP);
        std::thread::sleep(step);
        left -= step;
    }
    true
}
