//! What a library database keeps about a listener: the tracks that were heard and the ratings that were
//! given.
//!
//! It is written on a thread of its own, because another program may hold the database locked for seconds and
//! the music must not wait for that.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use music_library::{Database, Error, HISTORY_LENGTH, PlayRecord};

/// What the thread writes.
enum Entry {
    /// The track with this address began, at this Unix time in seconds.
    Played(String, i64),
    /// The track with this address was rated.
    Rated(String, i32),
    /// The track with this address was excluded, or allowed again.
    Excluded(String, bool),
}

/// The history and the ratings of one listener in a library database.
#[derive(Debug)]
pub struct ListenerRecord {
    history: Vec<PlayRecord>,
    /// To the thread; `None` only while this is dropped.
    entries: Option<mpsc::Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

/// The record could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenerRecordError {
    /// The database could not be read.
    #[error(transparent)]
    Library(#[from] Error),
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes what was heard: {0}")]
    Thread(#[from] std::io::Error),
}

impl ListenerRecord {
    /// Reads the history of `client`, where `""` stands for everybody. The first time that
    /// something cannot be written, `on_error` is called on the writing thread; the rest is written where it
    /// can be.
    pub fn new(
        database: Database,
        client: String,
        on_error: impl FnOnce(Error) + Send + 'static,
    ) -> Result<Self, ListenerRecordError> {
        let history = database.play_history(&client, HISTORY_LENGTH)?;
        let (entries, received) = mpsc::channel();
        let mut on_error = Some(on_error);
        let write = move || {
            for entry in received {
                let result = match entry {
                    Entry::Played(uri, time) => database.record_play(&client, &uri, time),
                    Entry::Rated(uri, rating) => database.set_rating(&client, &uri, rating),
                    Entry::Excluded(uri, excluded) => database.set_excluded(&client, &uri, excluded),
                };
                if let Err(error) = result
                    && let Some(on_error) = on_error.take()
                {
                    on_error(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("listener-record".into()).spawn(write)?;
        Ok(Self { history, entries: Some(entries), thread: Some(thread) })
    }

    /// What was heard before this was opened, the oldest first.
    pub fn history(&self) -> &[PlayRecord] {
        &self.history
    }

    /// Records that a track begins now.
    pub fn record_played(&self, uri: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.send(Entry::Played(uri.into(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX)));
    }

    /// Records the listener's rating of a track, -2 to 2.
    pub fn record_rating(&self, uri: &str, rating: i32) {
        self.send(Entry::Rated(uri.into(), rating));
    }

    /// Records whether a track is never to be played to the listener.
    pub fn record_exclusion(&self, uri: &str, excluded: bool) {
        self.send(Entry::Excluded(uri.into(), excluded));
    }

    /// Hands an entry to the thread.
    fn send(&self, entry: Entry) {
        if let Some(entries) = &self.entries {
            // Cannot fail: the thread receives until the sender is dropped.
            let _ = entries.send(entry);
        }
    }
}

impl Drop for ListenerRecord {
    fn drop(&mut self) {
        // Without a sender, the thread writes what is queued and ends.
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use music_library::{Scan, SourceAccess};

    use super::*;

    #[test]
    fn the_first_failure_is_reported_and_the_rest_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let track = folder.path().join("a.wav");
        std::fs::write(&track, "no sound").unwrap();
        let open = || Database::open_or_create(folder.path().join("library.db")).unwrap();
        let sources = [folder.path().to_str().unwrap().to_owned()];
        let scan = Scan { sources: &sources, threads: 1, access: SourceAccess::default(), write_tags: false };
        scan.run(&open(), None, &AtomicBool::new(false), |_| ()).unwrap();
        let (send, errors) = mpsc::channel();
        let record =
            ListenerRecord::new(open(), "anna".into(), move |error| send.send(error.to_string()).unwrap())
                .unwrap();
        record.record_played("file:///nowhere.wav");
        record.record_rating("file:///nowhere.wav", 1);
        record.record_played(track.to_str().unwrap());
        record.record_rating(track.to_str().unwrap(), 2);
        drop(record);
        assert_eq!(errors.iter().count(), 1);
        assert_eq!(open().find_track(track.to_str().unwrap(), "anna").unwrap().rating, 2);
        let reopened = ListenerRecord::new(open(), "anna".into(), |_| ()).unwrap();
        assert_eq!(reopened.history().len(), 1);
        assert!(reopened.history()[0].started_at > 0);
    }
}
