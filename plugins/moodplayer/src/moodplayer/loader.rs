//! Opens, measures and closes tracks on a thread of its own.
//!
//! A track is listened to before it is opened. That can be put off: for a track that is asked for soon and has
//! not been heard to its end by then, what was heard gives an estimate, and the rest is heard while it plays. The
//! pipeline that was listened to then plays, because opening another takes as long again.
//!
//! One lock, that of [`Queue`]. It is never held while a track is opened, measured or closed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mood_meta::lock;
use playout::{
    AnalysisProgress, AudioFormat, CuePoints, EncoderPadding, Interrupted, LoadId, LoadRequest, LoadResult,
    LoadedTrack, Loudness, TrackAnalysis, TrackAnalyzer, TrackError, TrackLoader,
};

use super::deck::{Deck, REWINDABLE_SECONDS, is_missing};

/// How often a wait checks whether it is interrupted: short enough for a state change to seem immediate.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long a track that is asked for soon is listened to, with the time that it takes to open it. It ends earlier where
/// [`REWINDABLE_SECONDS`] have been heard: more would change the estimate little.
const LISTEN_TIME: Duration = Duration::from_millis(150);
/// How many tracks may be half measured. Each has a pipeline of its own.
const MAX_UNFINISHED: usize = 4;
/// How often an estimate is corrected, in blocks of the analysis, which are a tenth of a second long.
const BLOCKS_PER_CORRECTION: u64 = 100;

/// Something that the thread has to do.
enum Job {
    Load(LoadId, LoadRequest),
    Close(Deck),
    /// Look whether these files are there.
    LookFor(Vec<String>),
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
    measurements: VecDeque<LoadRequest>,
    /// The request that is to be answered soon, and since when.
    expedited: Option<(LoadId, Instant)>,
    /// Tracks that are open and have not been taken.
    results: BTreeMap<LoadId, LoadResult<Deck>>,
    /// By address, the tracks that were opened with an estimate, and what has been found out about them.
    analyses: BTreeMap<String, Option<Result<AnalysisProgress, TrackError>>>,
    /// Files that were looked for and found.
    found: BTreeSet<String>,
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

    /// Whether a request is to be answered now, measured or not. `is_enough` says that what was heard gives a good
    /// estimate.
    fn is_due(&self, id: LoadId, is_enough: bool) -> bool {
        let is_due = |since: Instant| is_enough || since.elapsed() >= LISTEN_TIME;
        self.expedited.is_some_and(|(expedited, since)| expedited == id && is_due(since))
    }

    /// Takes the next job. Tracks that are waited for come first: closing others waits for their threads, and looking
    /// for a file for its disk.
    fn next_job(&mut self) -> Option<Job> {
        let load = self.jobs.iter().position(|job| matches!(job, Job::Load(..)));
        self.jobs.remove(load.unwrap_or(0))
    }

    /// Leaves what was found out about a track to the owner, if it was opened with an estimate.
    fn report_analysis(&mut self, uri: &str, analysis: Result<AnalysisProgress, TrackError>) {
        if let Some(entry) = self.analyses.get_mut(uri) {
            *entry = Some(analysis);
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
        let worker = Worker {
            shared: shared.clone(),
            allow_network,
            analyses: BTreeMap::new(),
            unfinished: VecDeque::new(),
        };
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

    fn expedite(&mut self, id: LoadId) {
        let mut queue = lock(&self.shared.queue);
        if queue.expedited.is_none_or(|(expedited, _)| expedited != id) {
            queue.expedited = Some((id, Instant::now()));
        }
    }

    fn analysis(&mut self, uri: &str) -> Option<Result<AnalysisProgress, TrackError>> {
        let mut queue = lock(&self.shared.queue);
        let analysis = queue.analyses.get_mut(uri)?.take()?;
        if !matches!(analysis, Ok(AnalysisProgress { is_complete: false, .. })) {
            queue.analyses.remove(uri);
        }
        Some(analysis)
    }

    fn look_for(&mut self, uris: Vec<String>, wait: bool) -> Vec<String> {
        if wait {
            return uris.into_iter().filter(|uri| !is_missing(uri)).collect();
        }
        let mut queue = lock(&self.shared.queue);
        let found = std::mem::take(&mut queue.found);
        let is_queued = queue.jobs.iter().any(|job| matches!(job, Job::LookFor(_)));
        if !is_queued {
            queue.jobs.push_back(Job::LookFor(uris));
            queue.stop_work(None);
        }
        drop(queue);
        self.shared.changed.notify_all();
        found.into_iter().collect()
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
        if !queue.measurements.iter().any(|queued| queued.uri == uri && queued.format == format) {
            let uri = uri.to_owned();
            queue.measurements.push_back(LoadRequest { uri, format, start: 0, known: None });
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
    Measure(LoadRequest),
}

/// A track that is not yet measured to its end.
struct UnfinishedAnalysis {
    uri: String,
    deck: Deck,
    analyzer: TrackAnalyzer,
    /// The loudness according to the library.
    known: Option<Loudness>,
}

/// What listening to a track gave.
enum Listened {
    /// It was heard.
    Complete(TrackAnalysis),
    /// It is to begin before it was heard. With the pipeline that was listened to, where it has given all that it gave
    /// a second time.
    Estimate(TrackAnalysis, Option<Deck>),
    /// Other work comes first.
    Stopped,
}

/// The thread's side.
struct Worker {
    shared: Arc<Shared>,
    allow_network: bool,
    /// By address: a track is listened to once only.
    analyses: BTreeMap<String, TrackAnalysis>,
    /// The oldest first.
    unfinished: VecDeque<UnfinishedAnalysis>,
}

impl Worker {
    fn run(mut self) {
        while let Some((work, stop)) = self.next_work() {
            match work {
                Work::Load(id, request) => self.load(id, &request, &stop),
                Work::Measure(request) => self.measure(request, &stop),
            }
        }
    }

    /// Opens a track and leaves the result to the owner.
    fn load(&mut self, id: LoadId, request: &LoadRequest, stop: &Arc<AtomicBool>) {
        let result = self.open(id, request, stop);
        let mut queue = lock(&self.shared.queue);
        queue.current = None;
        if stop.load(Ordering::Acquire) {
            // The request was cancelled meanwhile, so nobody takes the result.
            queue.jobs.extend(result.ok().map(|loaded| Job::Close(loaded.source)));
        } else {
            if matches!(&result, Ok(loaded) if loaded.is_estimate) {
                queue.analyses.insert(request.uri.clone(), None);
                queue.measurements.push_front(request.clone());
            }
            queue.results.insert(id, result);
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Listens to a track, as long as there is nothing else to do.
    fn measure(&mut self, request: LoadRequest, stop: &Arc<AtomicBool>) {
        // A track that cannot be played is reported when it is to be played.
        let result = self.listen(None, &request, stop);
        let mut queue = lock(&self.shared.queue);
        queue.current = None;
        match result {
            Ok(Listened::Complete(analysis)) => {
                queue.report_analysis(&request.uri, Ok(AnalysisProgress { analysis, is_complete: true }));
            }
            Ok(Listened::Estimate(..) | Listened::Stopped) => queue.measurements.push_front(request),
            Err(error) => queue.report_analysis(&request.uri, Err(error)),
        }
    }

    /// Waits for the next track to open or measure, and does meanwhile what takes no time. `None` at the end.
    fn next_work(&self) -> Option<(Work, Arc<AtomicBool>)> {
        let mut queue = lock(&self.shared.queue);
        loop {
            if queue.stopped {
                return None;
            }
            let (id, work) = match queue.next_job() {
                Some(Job::Load(id, request)) => (Some(id), Work::Load(id, request)),
                Some(Job::Close(deck)) => {
                    // Stopping a pipeline waits for its threads.
                    drop(queue);
                    drop(deck);
                    queue = lock(&self.shared.queue);
                    continue;
                }
                Some(Job::LookFor(uris)) => {
                    drop(queue);
                    let found: Vec<String> = uris.into_iter().filter(|uri| !is_missing(uri)).collect();
                    queue = lock(&self.shared.queue);
                    queue.found.extend(found);
                    continue;
                }
                None => match queue.measurements.pop_front() {
                    Some(request) => (None, Work::Measure(request)),
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

    /// Listens to a track until it is heard or `stop` is set, or until the request `id` is due. What was
    /// heard so far is kept for the next time.
    fn listen(
        &mut self,
        id: Option<LoadId>,
        request: &LoadRequest,
        stop: &Arc<AtomicBool>,
    ) -> Result<Listened, TrackError> {
        let LoadRequest { uri, format, start, .. } = request;
        if let Some(analysis) = self.analyses.get(uri) {
            return Ok(Listened::Complete(*analysis));
        }
        let unfinished = self.unfinished.iter().position(|unfinished| unfinished.uri == *uri);
        let mut analysis = match unfinished.and_then(|index| self.unfinished.remove(index)) {
            Some(analysis) => analysis,
            None => match self.begin_analysis(request, stop) {
                Err(_) if stop.load(Ordering::Acquire) => return Ok(Listened::Stopped),
                analysis => {
                    let mut analysis = analysis?;
                    // Only a track that is asked for may have to play before it was heard.
                    if id.is_some() {
                        analysis.deck.keep_read();
                    }
                    analysis
                }
            },
        };
        analysis.deck.set_interrupt(stop.clone());
        let enough = format.seconds(REWINDABLE_SECONDS);
        for block in 1.. {
            match analysis.analyzer.advance(&mut analysis.deck) {
                Ok(Some(result)) => {
                    self.close_later(analysis.deck);
                    let complete = result?;
                    self.analyses.insert(uri.clone(), complete);
                    return Ok(Listened::Complete(complete));
                }
                Ok(None) if !stop.load(Ordering::Acquire) => {}
                Ok(None) | Err(Interrupted) => break,
            }
            let mut queue = lock(&self.shared.queue);
            if id.is_some_and(|id| queue.is_due(id, analysis.analyzer.heard() >= enough)) {
                drop(queue);
                let estimate = analysis.analyzer.estimate(analysis.known);
                if analysis.deck.rewind(estimate.cue.starting_at(*start).start) {
                    return Ok(Listened::Estimate(estimate, Some(analysis.deck)));
                }
                self.keep(analysis);
                return Ok(Listened::Estimate(estimate, None));
            }
            if block % BLOCKS_PER_CORRECTION == 0 && queue.analyses.contains_key(uri) {
                let estimate = analysis.analyzer.estimate(analysis.known);
                queue.report_analysis(uri, Ok(AnalysisProgress { analysis: estimate, is_complete: false }));
            }
        }
        self.keep(analysis);
        Ok(Listened::Stopped)
    }

    /// Opens a track to listen to it.
    fn begin_analysis(
        &self,
        request: &LoadRequest,
        stop: &Arc<AtomicBool>,
    ) -> Result<UnfinishedAnalysis, TrackError> {
        let LoadRequest { uri, format, known, .. } = request;
        let deck = Deck::open(uri, *format, CuePoints::default(), self.allow_network, stop.clone())?;
        let path = glib::filename_from_uri(uri).ok().map(|(path, _)| path);
        let padding = path.and_then(|path| EncoderPadding::read(&path));
        Ok(UnfinishedAnalysis {
            uri: uri.clone(),
            deck,
            analyzer: TrackAnalyzer::new(*format, padding)?,
            known: *known,
        })
    }

    /// Keeps an analysis to go on with it later.
    fn keep(&mut self, analysis: UnfinishedAnalysis) {
        self.unfinished.push_back(analysis);
        if self.unfinished.len() > MAX_UNFINISHED
            && let Some(oldest) = self.unfinished.pop_front()
        {
            self.close_later(oldest.deck);
        }
    }

    /// Has a track closed once there is nothing to load, because that waits for its threads.
    fn close_later(&self, deck: Deck) {
        lock(&self.shared.queue).jobs.push_back(Job::Close(deck));
    }

    fn open(&mut self, id: LoadId, request: &LoadRequest, stop: &Arc<AtomicBool>) -> LoadResult<Deck> {
        let LoadRequest { uri, format, start, .. } = request;
        let (TrackAnalysis { loudness, cue }, deck, is_estimate) =
            match self.listen(Some(id), request, stop)? {
                Listened::Complete(analysis) => (analysis, None, false),
                Listened::Estimate(analysis, deck) => (analysis, deck, true),
                Listened::Stopped => return Err("interrupted".into()),
            };
        let cue = cue.starting_at(*start);
        let source = match deck {
            Some(deck) => deck,
            None => Deck::open(uri, *format, cue, self.allow_network, stop.clone())?,
        };
        Ok(LoadedTrack { source, start: cue.start, end: cue.end, loudness, is_estimate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playout::TrackSource;

    const FORMAT: AudioFormat = AudioFormat { rate: 8_000, channels: 1 };
    /// Samples of silence at the beginning of the test track, half a second.
    const SILENCE: usize = 4_000;

    /// A mono track of so many seconds: half a second of silence, then values that differ from sample to sample.
    fn write_track(folder: &std::path::Path, seconds: usize) -> String {
        let value = |index: usize| if index < SILENCE { 0 } else { (index * 7_919 % 20_011) as i16 };
        let data: Vec<u8> = (0..8_000 * seconds).flat_map(|index| value(index).to_le_bytes()).collect();
        let mut file =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        let path = folder.join("track.wav");
        std::fs::write(&path, file).unwrap();
        glib::filename_to_uri(path, None).unwrap().into()
    }

    fn worker() -> Worker {
        gst::init().unwrap();
        let shared = Arc::new(Shared::default());
        Worker { shared, allow_network: false, analyses: BTreeMap::new(), unfinished: VecDeque::new() }
    }

    fn read(source: &mut Deck, samples: usize) -> Vec<f32> {
        source.fill(samples, true).unwrap();
        let mut values = vec![0.0; samples];
        assert_eq!(source.read(&mut values), samples);
        values
    }

    #[test]
    fn a_track_that_is_due_plays_from_the_pipeline_that_was_listened_to() {
        let folder = tempfile::tempdir().unwrap();
        let uri = write_track(folder.path(), 60);
        let now = Instant::now();
        // Due at once, after silence only; or, however slow the machine, after 20 seconds were heard.
        let (at_once, later) = (now - LISTEN_TIME, now + Duration::from_secs(3_600));
        for (start, since) in [(0, at_once), (0, later), (90_000, later)] {
            let mut worker = worker();
            let id = LoadId(1);
            lock(&worker.shared.queue).expedited = Some((id, since));
            let request = LoadRequest { uri: uri.clone(), format: FORMAT, start, known: None };
            let mut loaded =
                worker.open(id, &request, &Arc::default()).unwrap_or_else(|error| panic!("{error}"));
            assert!(loaded.is_estimate && loaded.end.is_none());
            assert!(worker.unfinished.is_empty(), "another pipeline was opened");
            let begin = if start > 0 { start } else { loaded.start };
            assert_eq!(loaded.start, begin);
            assert!(begin > 0 && begin <= SILENCE as u64 || start > 0, "{begin}");
            let cue = CuePoints { start: begin, end: None };
            let mut opened = Deck::open(&uri, FORMAT, cue, false, Arc::default()).ok().unwrap();
            let samples = 30 * 8_000;
            assert!(read(&mut loaded.source, samples) == read(&mut opened, samples), "from {begin}");
        }
    }

    #[test]
    fn what_was_heard_too_long_ago_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let request =
            LoadRequest { uri: write_track(folder.path(), 60), format: FORMAT, start: 0, known: None };
        let mut worker = worker();
        let mut analysis = worker.begin_analysis(&request, &Arc::default()).ok().unwrap();
        analysis.deck.keep_read();
        while analysis.analyzer.heard() < FORMAT.seconds(REWINDABLE_SECONDS + 2) {
            assert!(analysis.analyzer.advance(&mut analysis.deck).unwrap().is_none());
        }
        worker.keep(analysis);
        lock(&worker.shared.queue).expedited = Some((LoadId(1), Instant::now()));
        let mut loaded = worker.open(LoadId(1), &request, &Arc::default()).ok().unwrap();
        assert!(loaded.is_estimate && worker.unfinished.len() == 1, "the measurement goes on where it was");
        assert_eq!(loaded.start, SILENCE as u64 - 160);
        let values = read(&mut loaded.source, 200);
        assert!(values[..160].iter().all(|value| *value == 0.0) && values[161] != 0.0);
    }

    #[test]
    fn tracks_that_are_waited_for_come_before_everything_else() {
        let folder = tempfile::tempdir().unwrap();
        let uri = write_track(folder.path(), 1);
        gst::init().unwrap();
        let deck = Deck::open(&uri, FORMAT, CuePoints::default(), false, Arc::default()).ok().unwrap();
        let load = |id| {
            Job::Load(LoadId(id), LoadRequest { uri: uri.clone(), format: FORMAT, start: 0, known: None })
        };
        let jobs = VecDeque::from([Job::LookFor(Vec::new()), Job::Close(deck), load(1), load(2)]);
        let mut queue = Queue { jobs, ..Queue::default() };
        let order: Vec<_> = std::iter::from_fn(|| queue.next_job())
            .map(|job| match job {
                Job::Load(LoadId(id), _) => id,
                Job::LookFor(_) => 10,
                Job::Close(_) => 11,
            })
            .collect();
        assert_eq!(order, [1, 2, 10, 11]);
    }
}
