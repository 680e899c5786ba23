//! Opens, measures and closes tracks on a thread of its own.
//!
//! One lock, that of [`Queue`]. It is never held while a track is opened, measured or closed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use mood_meta::lock;
use playout::{
    AudioFormat, CuePoints, EncoderPadding, Interrupted, LoadId, LoadRequest, LoadResult, LoadedTrack,
    TrackAnalysis, TrackLoader, analyze_track,
};

use super::deck::Deck;

/// How often a wait checks whether it is interrupted: short enough for a state change to seem immediate.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Something that the thread has to do.
enum Job {
    Load(LoadId, LoadRequest),
    Close(Deck),
}

/// A track that is being opened or measured.
struct CurrentWork {
    /// The request; `None` for a track that is only measured.
    id: Option<LoadId>,
    /// Set to stop the work.
    stop: Arc<AtomicBool>,
}

/// What the thread has to do and has done.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Tracks to measure while there is no job.
    measurements: VecDeque<(String, AudioFormat)>,
    /// Tracks that are open and have not been taken.
    results: BTreeMap<LoadId, LoadResult<Deck>>,
    current: Option<CurrentWork>,
    /// The thread is to end.
    stopped: bool,
}

impl Queue {
    /// Stops the work for a request, or the measurement of a track for `None`, where that is under way.
    fn stop_work(&self, id: Option<LoadId>) {
        if let Some(current) = self.current.as_ref().filter(|current| current.id == id) {
            current.stop.store(true, Ordering::Release);
        }
    }
}

/// What the thread shares with its owner.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Notified whenever the queue changes.
    changed: Condvar,
}

/// Opens tracks as [`Deck`]s on a thread, which ends when this is dropped.
pub(crate) struct Loader {
    shared: Arc<Shared>,
    /// `None` only while this is dropped.
    thread: Option<JoinHandle<()>>,
    last_id: u64,
    /// Set while the streaming thread must not wait.
    interrupt: Arc<AtomicBool>,
}

impl Loader {
    /// Starts the thread. With `allow_network`, tracks may make decoders open other addresses. Waits end
    /// while `interrupt` is set.
    pub fn new(allow_network: bool, interrupt: Arc<AtomicBool>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker { shared: shared.clone(), allow_network, analyses: BTreeMap::new() };
        let thread =
            std::thread::Builder::new().name("moodplayer-loader".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Some(thread), last_id: 0, interrupt })
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        queue.stopped = true;
        if let Some(current) = &queue.current {
            current.stop.store(true, Ordering::Release);
        }
        drop(queue);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl TrackLoader for Loader {
    type Source = Deck;

    fn load(&mut self, request: LoadRequest) -> LoadId {
        self.last_id += 1;
        let id = LoadId(self.last_id);
        let mut queue = lock(&self.shared.queue);
        queue.jobs.push_back(Job::Load(id, request));
        queue.stop_work(None);
        drop(queue);
        self.shared.changed.notify_all();
        id
    }

    fn take(&mut self, id: LoadId, wait: bool) -> Result<Option<LoadResult<Deck>>, Interrupted> {
        let mut queue = lock(&self.shared.queue);
        loop {
            if let Some(mut result) = queue.results.remove(&id) {
                if let Ok(loaded) = &mut result {
                    loaded.source.set_interrupt(self.interrupt.clone());
                }
                return Ok(Some(result));
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
            let waited = self.shared.changed.wait_timeout(queue, POLL_INTERVAL);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn measure(&mut self, uri: &str, format: AudioFormat) {
        let mut queue = lock(&self.shared.queue);
        let measurement = (uri.to_owned(), format);
        if !queue.measurements.contains(&measurement) {
            queue.measurements.push_back(measurement);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    fn cancel(&mut self, id: LoadId) {
        let mut queue = lock(&self.shared.queue);
        queue.jobs.retain(|job| !matches!(job, Job::Load(queued, _) if *queued == id));
        queue.stop_work(Some(id));
        if let Some(Ok(loaded)) = queue.results.remove(&id) {
            queue.jobs.push_back(Job::Close(loaded.source));
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    fn close(&mut self, source: Deck) {
        lock(&self.shared.queue).jobs.push_back(Job::Close(source));
        self.shared.changed.notify_all();
    }
}

/// What the thread does next.
enum Work {
    Load(LoadId, LoadRequest),
    Measure(String, AudioFormat),
}

/// The thread's side.
struct Worker {
    shared: Arc<Shared>,
    allow_network: bool,
    /// By address: a track is listened to once only.
    analyses: BTreeMap<String, TrackAnalysis>,
}

impl Worker {
    fn run(mut self) {
        while let Some((work, stop)) = self.next_work() {
            let (id, request) = match work {
                Work::Load(id, request) => (id, request),
                Work::Measure(uri, format) => {
                    // A track that cannot be played is reported when it is to be played.
                    let _ = self.analyze(&uri, format, &stop);
                    lock(&self.shared.queue).current = None;
                    continue;
                }
            };
            let result = self.open(&request, &stop);
            let mut queue = lock(&self.shared.queue);
            queue.current = None;
            // Where the request was cancelled meanwhile, nobody takes the result. It is closed without the
            // lock, because that takes time.
            let unwanted =
                if stop.load(Ordering::Acquire) { Some(result) } else { queue.results.insert(id, result) };
            drop(queue);
            self.shared.changed.notify_all();
            drop(unwanted);
        }
    }

    /// Waits for the next track to open or measure, and closes those to be closed meanwhile. `None` at the
    /// end.
    fn next_work(&self) -> Option<(Work, Arc<AtomicBool>)> {
        let mut queue = lock(&self.shared.queue);
        loop {
            if queue.stopped {
                return None;
            }
            let (id, work) = match queue.jobs.pop_front() {
                Some(Job::Load(id, request)) => (Some(id), Work::Load(id, request)),
                Some(Job::Close(deck)) => {
                    // Stopping a pipeline waits for its threads.
                    drop(queue);
                    drop(deck);
                    queue = lock(&self.shared.queue);
                    continue;
                }
                None => match queue.measurements.pop_front() {
                    Some((uri, format)) => (None, Work::Measure(uri, format)),
                    None => {
                        queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                        continue;
                    }
                },
            };
            let stop = Arc::new(AtomicBool::new(false));
            queue.current = Some(CurrentWork { id, stop: stop.clone() });
            return Some((work, stop));
        }
    }

    /// What listening to a track shows, now or earlier.
    fn analyze(
        &mut self,
        uri: &str,
        format: AudioFormat,
        stop: &Arc<AtomicBool>,
    ) -> Result<TrackAnalysis, String> {
        if let Some(analysis) = self.analyses.get(uri) {
            return Ok(*analysis);
        }
        let mut deck = Deck::open(uri, format, CuePoints::default(), self.allow_network, stop.clone())?;
        let path = glib::filename_from_uri(uri).ok().map(|(path, _)| path);
        let padding = path.and_then(|path| EncoderPadding::read(&path));
        let analysis = analyze_track(&mut deck, format, padding, stop)?;
        self.analyses.insert(uri.into(), analysis);
        Ok(analysis)
    }

    fn open(&mut self, request: &LoadRequest, stop: &Arc<AtomicBool>) -> LoadResult<Deck> {
        let LoadRequest { uri, format, start } = request;
        let TrackAnalysis { loudness, cue } = self.analyze(uri, *format, stop)?;
        let cue = cue.starting_at(*start);
        let source = Deck::open(uri, *format, cue, self.allow_network, stop.clone())?;
        Ok(LoadedTrack { source, start: cue.start, loudness })
    }
}
