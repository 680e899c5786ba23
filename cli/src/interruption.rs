//! Ctrl-C and SIGTERM, with which service managers and cluster schedulers end a process: a flag that everything looks at that
//! takes long. A later signal ends the process at once.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// Signals that come within this time of the first are part of it: timeout(1), for one, signals the process and then its group.
const FIRST_SIGNAL: Duration = Duration::from_millis(500);

/// Set by the first signal. Where no handler can be installed, that ends the process.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let (is_fatal, wakers) = match start_timer() {
        Ok((is_over, wakers)) => (is_over, wakers.map(Some)),
        // Every second signal ends the process then.
        Err(_) => (Arc::clone(&is_interrupted), [None, None]),
    };
    for (signal, waker) in [SIGINT, SIGTERM].into_iter().zip(wakers) {
        // Handlers run in this order, so that the first signal finds the flags unset.
        let _ = flag::register_conditional_default(signal, Arc::clone(&is_fatal));
        let _ = flag::register(signal, Arc::clone(&is_interrupted));
        let _ = waker.map(|waker| pipe::register(signal, waker));
    }
    is_interrupted
});

/// Whether Ctrl-C was pressed, or SIGTERM sent.
pub fn is_interrupted() -> bool {
    interrupt_flag().load(Ordering::Relaxed)
}

/// The flag that Ctrl-C and SIGTERM set, from the first call on.
pub fn interrupt_flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// Starts a thread that sets the returned flag [`FIRST_SIGNAL`] after the first byte is written to either socket.
fn start_timer() -> io::Result<(Arc<AtomicBool>, [UnixStream; 2])> {
    let (mut reader, writer) = UnixStream::pair()?;
    let writers = [writer.try_clone()?, writer];
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = reader.read_exact(&mut [0]);
        thread::sleep(FIRST_SIGNAL);
        ends.store(true, Ordering::Relaxed);
    })?;
    Ok((is_over, writers))
}
