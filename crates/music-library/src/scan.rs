//! Reads folders and playlists into a database: what is new or changed, on several threads, in transactions.
//!
//! A file is read again where its size or time changed. Where its content then proves the same (SHA-256), its analysis
//! stands; content that was known under a name now gone has been renamed, and keeps all that was said of it. A scan can
//! be stopped or killed at any moment: what was written stands, and the next one goes on from there.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::analysis::{self, Listener, Sound};
use crate::database::Database;
use crate::decode::Decode;
use crate::listing::{Listed, Listing};
use crate::store::Known;
use crate::tags::{self, Tags};
use crate::{Access, Error, Skipped, folder, retag, store};

mod write;

pub(crate) use write::rewritten;

/// Results are written at the latest when so many have come, or so much time has passed.
const BATCH: usize = 64;
const SOON: Duration = Duration::from_secs(1);
/// Bytes read at once.
const PIECE: usize = 1 << 18;

/// What to read, and how.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Folders and playlists, as paths or `file://` addresses.
    pub sources: &'a [String],
    /// How many files are read at once, at least 1.
    pub threads: usize,
    /// Where playlists may lead besides their own folders, those that are scanned, and what the library holds already.
    /// What is on the network is not analysed.
    pub access: Access,
    /// Write what the library knows better than a file's tags into them: mood words, names, tempo, key, ReplayGain.
    /// Otherwise no music file is ever changed.
    pub write_tags: bool,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Files read.
    pub done: usize,
    /// Files to read.
    pub of: usize,
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Tracks that the sources hold.
    pub listed: usize,
    /// Of those, new to the library.
    pub added: usize,
    /// Of those, read again because they changed.
    pub changed: usize,
    /// Of those, known under another name.
    pub moved: usize,
    /// Of those, as they were.
    pub unchanged: usize,
    /// Known tracks below the sources that are no longer there.
    pub missing: usize,
    /// Music files whose tags were written.
    pub written: usize,
    /// What cannot be played, listed or written, and why.
    pub failed: Vec<Skipped>,
    /// Seconds of sound that were analysed.
    pub audio: f64,
    /// It was stopped before its end.
    pub cancelled: bool,
}

/// What a file is, from the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: i64,
    time: i64,
}

/// What reading a file gave.
struct Found {
    /// Its place in the list.
    index: usize,
    stamp: Option<Stamp>,
    hash: Vec<u8>,
    tags: Tags,
    heard: Heard,
}

enum Heard {
    /// Nobody listened.
    Nothing,
    /// The content of a file that is known.
    Known(String),
    Sound(Sound),
    Failed(String),
}

/// What the threads share.
struct Work<'a> {
    files: &'a [Listed],
    known: &'a HashMap<String, Known>,
    /// Uris of what was analysed, by content.
    contents: HashMap<&'a [u8], Vec<&'a str>>,
    decoder: Option<&'a dyn Decode>,
    cancel: &'a AtomicBool,
}

impl Scan<'_> {
    /// Brings the database up to date with the sources. Without a decoder only tags are read, and what they do not say
    /// stays unknown until a scan with one. `cancel` stops it as soon as it is set.
    ///
    /// # Errors
    /// A source that cannot be listed or holds no music (nothing is changed then: a disk that is not there is no reason
    /// to forget its music), or the database's own.
    pub fn run(
        &self,
        database: &Database,
        decoder: Option<&dyn Decode>,
        cancel: &AtomicBool,
        mut progress: impl FnMut(Progress),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let (mut files, mut seen) = (Vec::new(), HashSet::new());
        let places =
            self.sources.iter().map(|source| folder::place(source)).collect::<Result<Vec<_>, _>>()?;
        let folders: Vec<_> = places.iter().filter(|path| path.is_dir()).cloned().collect();
        let known = database.known()?;
        let holds = |path: &Path, uri: &str| {
            known.contains_key(uri) || folders.iter().any(|folder| path.starts_with(folder))
        };
        for path in &places {
            let listing = Listing::of(path, self.access, &holds)?;
            report.failed.extend(listing.skipped);
            files.extend(listing.files.into_iter().filter(|file| seen.insert(file.uri.clone())));
        }
        report.listed = files.len();
        let contents = contents(&known);
        let work = Work { files: &files, known: &known, contents, decoder, cancel };
        let (unchanged, reading) = work.sort();
        write::unchanged(database, &work, &unchanged, &mut report)?;
        work.read(database, self.threads.max(1), &reading, &mut report, &mut progress)?;
        if cancel.load(Ordering::Relaxed) {
            report.cancelled = true;
            return Ok(report);
        }
        write::missing(database, &work, &folders, &seen, &mut report)?;
        if self.write_tags {
            retag::run(database, &files, cancel, &mut report)?;
        }
        report.failed.sort_by(|a, b| a.what.cmp(&b.what));
        Ok(report)
    }
}

fn contents(known: &HashMap<String, Known>) -> HashMap<&[u8], Vec<&str>> {
    let mut contents: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for (uri, known) in known {
        if known.analysed == analysis::VERSION && !known.hash.is_empty() {
            contents.entry(&known.hash).or_default().push(uri);
        }
    }
    // What a map hands out in any order must not decide anything.
    contents.values_mut().for_each(|uris| uris.sort_unstable());
    contents
}

impl Work<'_> {
    /// Places of what is as it was, and of what is to be read.
    fn sort(&self) -> (Vec<usize>, Vec<usize>) {
        let same = |index: &usize| {
            let file = &self.files[*index];
            let Some(known) = self.known.get(&file.uri) else { return false };
            let Some(path) = &file.path else { return true };
            let heard = self.decoder.is_none() || known.analysed == analysis::VERSION;
            let stamp = Stamp { size: known.size, time: known.stamp };
            heard && self::stamp(path).is_ok_and(|now| now == stamp)
        };
        (0..self.files.len()).partition(same)
    }

    /// Reads files on several threads, and writes what they give on this one.
    fn read(
        &self,
        database: &Database,
        threads: usize,
        reading: &[usize],
        report: &mut Report,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::sync_channel(BATCH);
        let (mut done, of) = (0, reading.len());
        progress(Progress { done, of });
        thread::scope(|scope| {
            for _ in 0..threads.min(of) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while let Some(&index) = reading.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Nobody listens any more where writing failed.
                        let sent = self.look(index).is_some_and(|found| sender.send(found).is_ok());
                        if !sent {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut batch = Vec::new();
            let mut moved = HashSet::new();
            let mut written = Instant::now();
            let result = loop {
                let all = match receiver.recv_timeout(SOON) {
                    Ok(found) => {
                        batch.push(found);
                        done += 1;
                        progress(Progress { done, of });
                        false
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => false,
                    Err(mpsc::RecvTimeoutError::Disconnected) => true,
                };
                if all || batch.len() >= BATCH || written.elapsed() >= SOON {
                    if let Err(error) = write::found(database, self, &batch, &mut moved, report) {
                        break Err(error);
                    }
                    batch.clear();
                    written = Instant::now();
                }
                if all {
                    break Ok(());
                }
            };
            drop(receiver);
            result
        })
    }

    /// Reads one file; `None` once cancelled.
    fn look(&self, index: usize) -> Option<Found> {
        let file = self.files.get(index)?;
        let known = self.known.get(&file.uri);
        let mut found =
            Found { index, stamp: None, hash: Vec::new(), tags: Tags::default(), heard: Heard::Nothing };
        let Some(path) = &file.path else { return Some(found) };
        let opened = stamp(path).and_then(|stamp| Ok((stamp, self.hash(path)?)));
        found.heard = match opened {
            Err(error) => {
                Heard::Failed(format!("cannot be read: {error}; check the file and its permissions"))
            }
            Ok((_, None)) => return None,
            Ok((stamp, Some(_))) if stamp.size == 0 => {
                found.stamp = Some(stamp);
                Heard::Failed("is empty; copy it again from where it came".into())
            }
            Ok((stamp, Some(hash))) => {
                (found.stamp, found.hash, found.tags) = (Some(stamp), hash, tags::read(path, true));
                self.listen(path, known, &found)
            }
        };
        (!self.cancel.load(Ordering::Relaxed)).then_some(found)
    }

    fn listen(&self, path: &Path, known: Option<&Known>, found: &Found) -> Heard {
        let uri = &self.files[found.index].uri;
        let stands =
            known.is_some_and(|known| known.hash == found.hash && known.analysed == analysis::VERSION);
        if stands {
            return Heard::Known(uri.clone());
        }
        if let Some(uris) = self.contents.get(&found.hash[..]) {
            // Best one that is gone: this is where it went.
            let gone = uris.iter().find(|uri| store::path_of(uri).is_some_and(|path| !path.exists()));
            return Heard::Known(String::from(*gone.unwrap_or(&uris[0])));
        }
        let Some(decoder) = self.decoder else { return Heard::Nothing };
        // The sound is a stranger's: should a codec's or an analysis' arithmetic ever give up on it, it is this file only.
        let heard = catch_unwind(AssertUnwindSafe(|| self.hear(decoder, path, found.tags.duration)));
        match heard.unwrap_or_else(|_| Err("the analysis failed".into())) {
            Ok(sound) => Heard::Sound(sound),
            Err(why) => Heard::Failed(format!("cannot be played: {why}")),
        }
    }

    fn hear(&self, decoder: &dyn Decode, path: &Path, duration: Option<f64>) -> Result<Sound, String> {
        let mut listener: Option<Listener> = None;
        let mut unfit = None;
        decoder.decode(path, &mut |block| {
            if self.cancel.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            if listener.is_none() {
                match Listener::new(block.rate, block.channels, duration) {
                    Ok(new) => listener = Some(new),
                    Err(error) => unfit = Some(error.to_string()),
                }
            }
            match &mut listener {
                // A chain of different streams in one file is judged by its first.
                Some(listener) if listener.hears(block.rate, block.channels) => {
                    listener.push(block.samples);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            }
        })?;
        match (listener, unfit) {
            (Some(listener), None) => Ok(listener.finish()),
            (_, Some(unfit)) => Err(unfit),
            (None, None) => Err("has no sound".into()),
        }
    }

    /// SHA-256 of a file's content; `None` once cancelled.
    fn hash(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
        let mut piece = vec![0; PIECE];
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
            match file.read(&mut piece) {
                Ok(0) => return Ok(Some(hasher.finalize().to_vec())),
                Ok(length) => hasher.update(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let data = fs::metadata(path)?;
    let time = |data: &fs::Metadata| {
        let since = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
    };
    // The mood file beside it comes, changes and goes without the music.
    let beside = fs::metadata(tags::sidecar_of(path)).map_or(0, |data| time(&data));
    let size = i64::try_from(data.len()).unwrap_or(i64::MAX);
    Ok(Stamp { size, time: time(&data).wrapping_add(beside) })
}

/// What a file is after its tags were written.
pub(crate) fn reread(path: &Path) -> io::Result<(Stamp, Vec<u8>)> {
    Ok((stamp(path)?, Sha256::digest(fs::read(path)?).to_vec()))
}
