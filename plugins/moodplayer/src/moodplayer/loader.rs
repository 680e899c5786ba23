//! Opens and measures tracks on a thread of its own, and closes them there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::cue::{Cue, Listener};
use super::deck::Deck;
use super::format::Format;
use super::gapless;
use super::loudness::{Loudness, Meter};
use super::stage::{Ending, Interrupted, Loaded, Opened, Request, Source, Stage};

/// The measure of a track stops here: what comes later will not make much of a difference.
const MEASURED_SECONDS: u64 = 15 * 60;
/// How often a wait looks whether it should end.
const LOOK: Duration = Duration::from_millis(20);

enum Job {
    Load(u64, Request),
    Close(Deck),
}

/// Work on no ticket's behalf.
const NOBODY: u64 = 0;

#[derive(Default)]
struct Desk {
    jobs: VecDeque<Job>,
    /// To be measured when there is nothing else to do.
    idle: VecDeque<(String, Format)>,
    opened: BTreeMap<u64, Opened<Deck>>,
    /// The ticket in work, and how to stop it.
    current: Option<(u64, Arc<AtomicBool>)>,
    stopped: bool,
}

impl Desk {
    /// Stops the work for a ticket, where that is under way.
    fn stop(&self, ticket: u64) {
        if let Some((_, stop)) = self.current.as_ref().filter(|(current, _)| *current == ticket) {
            stop.store(true, Ordering::Release);
        }
    }
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Whole after every statement, so a panic elsewhere leaves it usable.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The worker.
pub struct Loader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    tickets: u64,
    /// Set when the streaming thread must not wait.
    interrupt: Arc<AtomicBool>,
}

impl Loader {
    pub fn new(allow_network: bool, interrupt: Arc<AtomicBool>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker { shared: shared.clone(), allow_network, measured: BTreeMap::new() };
        let thread =
            std::thread::Builder::new().name("moodplayer-loader".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Some(thread), tickets: 0, interrupt })
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let mut desk = self.shared.desk();
        desk.stopped = true;
        if let Some((_, stop)) = &desk.current {
            stop.store(true, Ordering::Release);
        }
        drop(desk);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Stage for Loader {
    type Source = Deck;

    fn load(&mut self, request: Request) -> u64 {
        self.tickets += 1;
        let mut desk = self.shared.desk();
        desk.jobs.push_back(Job::Load(self.tickets, request));
        desk.stop(NOBODY);
        drop(desk);
        self.shared.changed.notify_all();
        self.tickets
    }

    fn measure(&mut self, uri: &str, format: Format) {
        let mut desk = self.shared.desk();
        let wanted = (uri.to_owned(), format);
        if !desk.idle.contains(&wanted) {
            desk.idle.push_back(wanted);
        }
        drop(desk);
        self.shared.changed.notify_all();
    }

    fn take(&mut self, ticket: u64, wait: bool) -> Result<Option<Opened<Deck>>, Interrupted> {
        let mut desk = self.shared.desk();
        loop {
            if let Some(mut opened) = desk.opened.remove(&ticket) {
                if let Ok(loaded) = &mut opened {
                    loaded.source.set_interrupt(self.interrupt.clone());
                }
                return Ok(Some(opened));
            }
            if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
                return Ok(Some(Err("the decoder stopped".into())));
            }
            if !wait {
                return Ok(None);
            }
            if self.interrupt.load(Ordering::Acquire) {
                return Err(Interrupted);
            }
            let waited = self.shared.changed.wait_timeout(desk, LOOK);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn cancel(&mut self, ticket: u64) {
        let mut desk = self.shared.desk();
        desk.jobs.retain(|job| !matches!(job, Job::Load(queued, _) if *queued == ticket));
        desk.stop(ticket);
        if let Some(Ok(loaded)) = desk.opened.remove(&ticket) {
            desk.jobs.push_back(Job::Close(loaded.source));
        }
        drop(desk);
        self.shared.changed.notify_all();
    }

    fn dispose(&mut self, source: Deck) {
        self.shared.desk().jobs.push_back(Job::Close(source));
        self.shared.changed.notify_all();
    }
}

enum Work {
    Open(u64, Request),
    Measure(String, Format),
}

/// What is known of a track once it has been listened to.
#[derive(Clone, Copy)]
struct Measured {
    loudness: Loudness,
    cue: Cue,
}

struct Worker {
    shared: Arc<Shared>,
    allow_network: bool,
    measured: BTreeMap<String, Measured>,
}

impl Worker {
    fn run(mut self) {
        while let Some((work, stop)) = self.next() {
            let (ticket, request) = match work {
                Work::Open(ticket, request) => (ticket, request),
                Work::Measure(uri, format) => {
                    // What cannot be played is found out when it is to be played.
                    let _ = self.measure(&uri, format, &stop);
                    self.shared.desk().current = None;
                    continue;
                }
            };
            let opened = self.open(&request, &stop);
            let mut desk = self.shared.desk();
            desk.current = None;
            // Cancelled meanwhile: nobody asks for it. Closing it must not hold the others up.
            let unwanted =
                if stop.load(Ordering::Acquire) { Some(opened) } else { desk.opened.insert(ticket, opened) };
            drop(desk);
            self.shared.changed.notify_all();
            drop(unwanted);
        }
    }

    /// The next track to open or measure; closes what is to be closed on the way.
    fn next(&self) -> Option<(Work, Arc<AtomicBool>)> {
        let mut desk = self.shared.desk();
        loop {
            if desk.stopped {
                return None;
            }
            let (ticket, work) = match desk.jobs.pop_front() {
                Some(Job::Load(ticket, request)) => (ticket, Work::Open(ticket, request)),
                Some(Job::Close(deck)) => {
                    // Stopping a pipeline waits for its threads.
                    drop(desk);
                    drop(deck);
                    desk = self.shared.desk();
                    continue;
                }
                None => match desk.idle.pop_front() {
                    Some((uri, format)) => (NOBODY, Work::Measure(uri, format)),
                    None => {
                        desk = self.shared.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
                        continue;
                    }
                },
            };
            let stop = Arc::new(AtomicBool::new(false));
            desk.current = Some((ticket, stop.clone()));
            return Some((work, stop));
        }
    }

    fn measure(&mut self, uri: &str, format: Format, stop: &Arc<AtomicBool>) -> Result<Measured, String> {
        if let Some(measured) = self.measured.get(uri) {
            return Ok(*measured);
        }
        let deck = Deck::open(uri, format, Cue::default(), self.allow_network, stop.clone())?;
        let measured = listen(deck, uri, format, stop)?;
        self.measured.insert(uri.into(), measured);
        Ok(measured)
    }

    fn open(&mut self, request: &Request, stop: &Arc<AtomicBool>) -> Opened<Deck> {
        let Request { uri, format, from } = request;
        let Measured { loudness, mut cue } = self.measure(uri, *format, stop)?;
        if (cue.from..cue.until.unwrap_or(u64::MAX)).contains(from) {
            cue.from = *from;
        }
        let source = Deck::open(uri, *format, cue, self.allow_network, stop.clone())?;
        Ok(Loaded { source, from: cue.from, loudness })
    }
}

/// Listens to a track from its beginning. A track that breaks off later is measured up to there.
fn listen(mut deck: Deck, uri: &str, format: Format, stop: &AtomicBool) -> Result<Measured, String> {
    let mut meter = Meter::new(format.channels, format.rate)?;
    let mut listener = Listener::default();
    let mut samples = vec![0.0; format.rate as usize / 10 * format.width()];
    let most = MEASURED_SECONDS * u64::from(format.rate);
    let (mut listened, mut complete) = (0, false);
    while listened < most {
        let filled = deck.fill(samples.len() / format.width(), true);
        if filled.is_err() || stop.load(Ordering::Acquire) {
            return Err("interrupted".into());
        }
        let read = deck.read(&mut samples);
        let heard = &samples[..read * format.width()];
        meter.add(heard);
        listener.add(heard, format.width());
        listened += read as u64;
        if let Some(ending) = deck.ending().filter(|_| deck.buffered() == 0) {
            complete = *ending == Ending::Natural;
            break;
        }
    }
    let mut cue = match listener.cue(format.rate, complete) {
        None if complete => return Err("is silent from beginning to end".into()),
        cue => cue.unwrap_or_default(),
    };
    let padding = gst::glib::filename_from_uri(uri).ok().and_then(|(path, _)| gapless::padding(&path));
    let music = padding.filter(|_| complete).and_then(|padding| padding.music(listened, format.rate));
    if let Some((begin, end)) = music {
        cue = Cue { from: cue.from.max(begin), until: Some(cue.until.map_or(end, |until| until.min(end))) };
    }
    Ok(Measured { loudness: meter.loudness(), cue })
}
