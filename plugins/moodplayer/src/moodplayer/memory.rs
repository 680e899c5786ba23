//! What a library database remembers of its listener: what was heard, and what was thought of it. Written on a thread of
//! its own, for another program may hold the database for seconds and the music must not wait.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use music_library::{Database, Error, HISTORY, Play};

enum Note {
    Played(String, i64),
    Rated(String, i32),
}

/// A listener's memory.
#[derive(Debug)]
pub struct Memory {
    past: Vec<Play>,
    notes: Option<mpsc::Sender<Note>>,
    thread: Option<JoinHandle<()>>,
}

/// It could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Library(#[from] Error),
    #[error("cannot start the thread that writes what was heard: {0}")]
    Thread(#[from] std::io::Error),
}

impl Memory {
    /// Of a client, `""` being everybody. `failed` hears why something could not be written, the first time.
    pub fn new(
        database: Database,
        client: String,
        failed: impl FnOnce(Error) + Send + 'static,
    ) -> Result<Self, Unavailable> {
        let past = database.history(&client, HISTORY)?;
        let (notes, received) = mpsc::channel();
        let mut failed = Some(failed);
        let write = move || {
            for note in received {
                let written = match note {
                    Note::Played(uri, at) => database.record_played(&client, &uri, at),
                    Note::Rated(uri, rating) => database.rate(&client, &uri, rating),
                };
                if let Err(error) = written
                    && let Some(failed) = failed.take()
                {
                    failed(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("moodplayer-memory".into()).spawn(write)?;
        Ok(Self { past, notes: Some(notes), thread: Some(thread) })
    }

    /// What was heard before, the oldest first.
    pub fn past(&self) -> &[Play] {
        &self.past
    }

    /// A track has begun, now.
    pub fn played(&self, uri: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.note(Note::Played(uri.into(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX)));
    }

    /// The listener's word on a track.
    pub fn rated(&self, uri: &str, rating: i32) {
        self.note(Note::Rated(uri.into(), rating));
    }

    fn note(&self, note: Note) {
        if let Some(notes) = &self.notes {
            // The thread receives as long as this is there.
            let _ = notes.send(note);
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // The thread writes what is left, and ends with the last sender.
        self.notes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use music_library::{Access, Scan};

    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_once_and_the_rest_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let track = folder.path().join("a.wav");
        std::fs::write(&track, "").unwrap();
        let open = || Database::create(folder.path().join("library.db")).unwrap();
        let sources = [folder.path().to_str().unwrap().to_owned()];
        let scan = Scan { sources: &sources, threads: 1, access: Access::default(), write_tags: false };
        scan.run(&open(), None, &AtomicBool::new(false), |_| ()).unwrap();
        let (send, told) = mpsc::channel();
        let memory =
            Memory::new(open(), "anna".into(), move |error| send.send(error.to_string()).unwrap()).unwrap();
        memory.played("file:///nowhere.wav");
        memory.rated("file:///nowhere.wav", 1);
        memory.played(track.to_str().unwrap());
        memory.rated(track.to_str().unwrap(), 2);
        drop(memory);
        assert_eq!(told.iter().count(), 1);
        assert_eq!(open().find(track.to_str().unwrap(), "anna").unwrap().rating, 2);
        let again = Memory::new(open(), "anna".into(), |_| ()).unwrap();
        assert_eq!(again.past().len(), 1);
        assert!(again.past()[0].at > 0);
    }
}
