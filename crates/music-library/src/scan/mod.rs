//! Scanning of folders and playlists into a database: only what is new or changed is read, on several
//! threads, and written in transactions.
//!
//! A file is read again where its size or modification time has changed. Where its content is the same
//! (SHA-256), the analysis stays valid. Content that the database has under a path that no longer exists was
//! moved: its track gets the new path and keeps all its values. A scan can be stopped or killed at any time:
//! what was written stays, and the next scan continues from there.

mod file_state;
mod tag_writer;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use file_state::FileStamp;

use crate::analysis::{self, AudioAnalyzer, AudioFeatures};
use crate::database::{Database, ScannedFile};
use crate::decoder::AudioDecoder;
use crate::error::{EMPTY_FILE, describe_unreadable};
use crate::listing::{ListedTrack, Listing};
use crate::tags::FileTags;
use crate::{Error, SkippedItem, SourceAccess, uri};

/// Number of files after which a transaction is written.
const BATCH_SIZE: usize = 64;
/// Time after which a transaction is written, however few files have been read.
const BATCH_TIMEOUT: Duration = Duration::from_secs(1);

/// The parameters of a scan.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Folders and playlists, as paths or `file://` URIs.
    pub sources: &'a [String],
    /// Number of files that are read at the same time; 0 counts as 1.
    pub threads: usize,
    /// What playlists may refer to besides their own folders, the folders of this scan, and what the library
    /// has already. Tracks on the network are not analysed.
    pub access: SourceAccess,
    /// Whether to write values that take precedence over the tags into the files: names, mood words, tempo,
    /// key and ReplayGain. Otherwise no audio file is changed.
    pub write_tags: bool,
}

/// The progress of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanProgress {
    /// Number of files that have been read.
    pub done: usize,
    /// Number of files to read.
    pub total: usize,
}

/// The result of a scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanReport {
    /// Number of tracks in the sources, without those that cannot be played.
    pub listed: usize,
    /// Number of tracks that are new to the library. Here and below, tracks that cannot be played do not count.
    pub added: usize,
    /// Number of tracks that were read again because their files have changed.
    pub changed: usize,
    /// Number of tracks that the library had under another path.
    pub moved: usize,
    /// Number of tracks whose files have not changed.
    pub unchanged: usize,
    /// Number of tracks in the library, below the folders of the scan, whose files no longer exist.
    pub missing: usize,
    /// Number of audio files whose tags were written.
    pub tags_written: usize,
    /// Entries that cannot be played or listed, and files whose tags cannot be written, with the reasons.
    pub failed: Vec<SkippedItem>,
    /// Entries of playlists that were taken for a file without certainty, with what was assumed.
    pub assumed: Vec<SkippedItem>,
    /// Mood words of new and changed tracks that are not in the vocabulary, so that they have no effect, with the tracks.
    pub unknown_moods: BTreeMap<String, Vec<String>>,
    /// Duration of the audio that was analysed, seconds.
    pub analysed_duration: f64,
    /// Whether the scan was stopped before its end.
    pub cancelled: bool,
}

/// The data read from a file.
struct ReadFile {
    /// Index in the list of tracks.
    index: usize,
    /// `None` for a track on the network and for a file that cannot be read.
    stamp: Option<FileStamp>,
    /// SHA-256 of the content; empty where it was not read.
    hash: Vec<u8>,
    tags: FileTags,
    audio: AudioResult,
}

/// The result of the analysis of a file.
enum AudioResult {
    /// It was not analysed: the track is on the network or there is no decoder.
    NotAnalysed,
    /// Its content is that of the track with this URI, whose analysis is valid.
    SameAs(String),
    /// Its audio was analysed.
    Analysed(AudioFeatures),
    /// It cannot be read or decoded, for the reason that the text gives to the user.
    Failed(String),
}

/// The data that the threads of a scan share.
struct ScanContext<'a> {
    tracks: &'a [ListedTrack],
    /// The files in the database, by URI.
    known: &'a HashMap<String, ScannedFile>,
    /// The URIs of files with a valid analysis, by content hash.
    analysed_contents: HashMap<&'a [u8], Vec<&'a str>>,
    decoder: Option<&'a dyn AudioDecoder>,
    cancel: &'a AtomicBool,
}

impl Scan<'_> {
    /// Brings the database up to date with the sources. Without a decoder only tags are read; the next scan
    /// with a decoder analyses what is missing. The scan stops as soon as `cancel` is set.
    ///
    /// # Errors
    /// A source cannot be listed or has no track, or the database fails. In the first case nothing is
    /// changed, so that a disk that is not mounted does not mark its tracks as missing.
    pub fn run(
        &self,
        database: &Database,
        decoder: Option<&dyn AudioDecoder>,
        cancel: &AtomicBool,
        mut progress: impl FnMut(ScanProgress),
    ) -> Result<ScanReport, Error> {
        let mut report = ScanReport::default();
        let (mut tracks, mut listed_uris) = (Vec::new(), HashSet::new());
        let sources =
            self.sources.iter().map(|source| uri::resolve_source(source)).collect::<Result<Vec<_>, _>>()?;
        let folders: Vec<_> = sources.iter().filter(|path| path.is_dir()).cloned().collect();
        let known = database.scanned_files()?;
        let is_known = |path: &Path, uri: &str| {
            known.contains_key(uri) || folders.iter().any(|folder| path.starts_with(folder))
        };
        for path in &sources {
            let listing = Listing::read(path, self.access, &is_known)?;
            report.failed.extend(listing.skipped);
            report.assumed.extend(listing.assumed);
            tracks.extend(listing.tracks.into_iter().filter(|track| listed_uris.insert(track.uri.clone())));
        }
        report.listed = tracks.len();
        let analysed_contents = index_analysed_contents(&known);
        let context = ScanContext { tracks: &tracks, known: &known, analysed_contents, decoder, cancel };
        let (unchanged, outdated) = context.partition_unchanged();
        write::write_unchanged(database, &context, &unchanged, &mut report)?;
        context.read_files(database, self.threads.max(1), &outdated, &mut report, &mut progress)?;
        if cancel.load(Ordering::Relaxed) {
            report.cancelled = true;
            return Ok(report);
        }
        write::mark_missing(database, &context, &folders, &listed_uris, &mut report)?;
        if self.write_tags {
            tag_writer::write_tags(database, &tracks, cancel, &mut report)?;
        }
        report.failed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(report)
    }
}

/// The URIs of files whose analysis is valid, by content hash.
fn index_analysed_contents(known: &HashMap<String, ScannedFile>) -> HashMap<&[u8], Vec<&str>> {
    let mut contents: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for (uri, file) in known {
        if file.analysis_version == analysis::VERSION && !file.hash.is_empty() {
            contents.entry(&file.hash).or_default().push(uri);
        }
    }
    // Sorted, so that the result does not depend on the order of a hash map.
    contents.values_mut().for_each(|uris| uris.sort_unstable());
    contents
}

impl ScanContext<'_> {
    /// The indices of tracks whose files have not changed, and of those to read.
    fn partition_unchanged(&self) -> (Vec<usize>, Vec<usize>) {
        let is_unchanged = |index: &usize| {
            let track = &self.tracks[*index];
            let Some(known) = self.known.get(&track.uri) else { return false };
            let Some(path) = &track.path else { return true };
            let is_analysed = self.decoder.is_none() || known.analysis_version == analysis::VERSION;
            let known_stamp = FileStamp { size: known.size, modified: known.modified };
            is_analysed && FileStamp::read(path).is_ok_and(|stamp| stamp == known_stamp)
        };
        (0..self.tracks.len()).partition(is_unchanged)
    }

    /// Reads files on several threads and writes the results to the database on the calling thread.
    fn read_files(
        &self,
        database: &Database,
        threads: usize,
        indices: &[usize],
        report: &mut ScanReport,
        progress: &mut impl FnMut(ScanProgress),
    ) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::sync_channel(BATCH_SIZE);
        let (mut done, total) = (0, indices.len());
        progress(ScanProgress { done, total });
        thread::scope(|scope| {
            for _ in 0..threads.min(total) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while let Some(&index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // The receiver is gone where writing failed.
                        let sent = self.read_file(index).is_some_and(|file| sender.send(file).is_ok());
                        if !sent {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut batch = Vec::new();
            let mut moved = HashSet::new();
            let mut last_write = Instant::now();
            let result = loop {
                let is_finished = match receiver.recv_timeout(BATCH_TIMEOUT) {
                    Ok(file) => {
                        batch.push(file);
                        done += 1;
                        progress(ScanProgress { done, total });
                        false
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => false,
                    Err(mpsc::RecvTimeoutError::Disconnected) => true,
                };
                if is_finished || batch.len() >= BATCH_SIZE || last_write.elapsed() >= BATCH_TIMEOUT {
                    if let Err(error) = write::write_batch(database, self, &batch, &mut moved, report) {
                        break Err(error);
                    }
                    batch.clear();
                    last_write = Instant::now();
                }
                if is_finished {
                    break Ok(());
                }
            };
            drop(receiver);
            result
        })
    }

    /// Reads one file; `None` once the scan is cancelled.
    fn read_file(&self, index: usize) -> Option<ReadFile> {
        let track = self.tracks.get(index)?;
        let known = self.known.get(&track.uri);
        let mut file = ReadFile {
            index,
            stamp: None,
            hash: Vec::new(),
            tags: FileTags::default(),
            audio: AudioResult::NotAnalysed,
        };
        let Some(path) = &track.path else { return Some(file) };
        let state =
            FileStamp::read(path).and_then(|stamp| Ok((stamp, file_state::hash_file(path, self.cancel)?)));
        file.audio = match state {
            Err(error) => AudioResult::Failed(describe_unreadable(&error)),
            Ok((_, None)) => return None,
            Ok((stamp, Some(_))) if stamp.size == 0 => {
                file.stamp = Some(stamp);
                AudioResult::Failed(EMPTY_FILE.into())
            }
            Ok((stamp, Some(hash))) => {
                (file.stamp, file.hash, file.tags) = (Some(stamp), hash, FileTags::read(path, true));
                self.analyse_file(path, known, &file)
            }
        };
        (!self.cancel.load(Ordering::Relaxed)).then_some(file)
    }

    /// Analyses the audio of a file, unless there is a valid analysis of the same content.
    fn analyse_file(&self, path: &Path, known: Option<&ScannedFile>, file: &ReadFile) -> AudioResult {
        let uri = &self.tracks[file.index].uri;
        let is_valid =
            known.is_some_and(|known| known.hash == file.hash && known.analysis_version == analysis::VERSION);
        if is_valid {
            return AudioResult::SameAs(uri.clone());
        }
        if let Some(uris) = self.analysed_contents.get(&file.hash[..]) {
            // A file that no longer exists is preferred: it was moved here.
            let gone = uris.iter().find(|uri| uri::to_path(uri).is_some_and(|path| !path.exists()));
            return AudioResult::SameAs(String::from(*gone.unwrap_or(&uris[0])));
        }
        let Some(decoder) = self.decoder else { return AudioResult::NotAnalysed };
        // Audio is untrusted input. A panic in the decoder or the analysis makes this file fail, not
        // the scan.
        let features = catch_unwind(AssertUnwindSafe(|| self.decode(decoder, path, file.tags.duration)));
        match features.unwrap_or_else(|_| Err("the analysis failed".into())) {
            Ok(features) => AudioResult::Analysed(features),
            Err(reason) => AudioResult::Failed(format!("cannot be played: {reason}")),
        }
    }

    /// Decodes a file and computes its features. `duration` is the expected duration, seconds.
    fn decode(
        &self,
        decoder: &dyn AudioDecoder,
        path: &Path,
        duration: Option<f64>,
    ) -> Result<AudioFeatures, String> {
        let mut analyzer: Option<AudioAnalyzer> = None;
        let mut unsupported = None;
        decoder.decode(path, &mut |block| {
            if self.cancel.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            if analyzer.is_none() {
                match AudioAnalyzer::new(block.rate, block.channels, duration) {
                    Ok(created) => analyzer = Some(created),
                    Err(error) => unsupported = Some(error.to_string()),
                }
            }
            match &mut analyzer {
                // Of a file with several streams of different formats in sequence only the first one
                // is analysed.
                Some(analyzer) if analyzer.has_format(block.rate, block.channels) => {
                    analyzer.push(block.samples);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            }
        })?;
        match (analyzer, unsupported) {
            (Some(analyzer), None) => Ok(analyzer.finish()),
            (_, Some(unsupported)) => Err(unsupported),
            (None, None) => Err("has no sound".into()),
        }
    }
}
