//! What a destination's thread tells whoever publishes: counts and notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What whoever publishes should tell the user. Both name the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The destination does not take publications; it is tried again. Told once until it has taken some again.
    Failed(String),
    /// The destination takes publications again.
    Restored(String),
}

/// What has become of the publications so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Publications that were handed over.
    pub sent: u64,
    /// Publications that were lost, because the destination was gone or too slow.
    pub dropped: u64,
}

/// What has happened, counted by both threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sent: AtomicU64,
    dropped: AtomicU64,
    /// Whether the queue has been full.
    has_overflowed: AtomicBool,
}

impl Counters {
    /// Counts a publication for which there was no place in the queue; whether it is the first.
    pub fn drop_one(&self) -> bool {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        !self.has_overflowed.swap(true, Ordering::Relaxed)
    }

    /// The numbers of publications so far.
    pub fn statistics(&self) -> Statistics {
        Statistics { sent: self.sent.load(Ordering::Relaxed), dropped: self.dropped.load(Ordering::Relaxed) }
    }
}

/// What the thread tells: counts and notices.
pub(crate) struct Outbox {
    counters: Arc<Counters>,
    name: String,
    notify: Box<dyn Fn(Notice) + Send>,
    has_failed: AtomicBool,
}

impl Outbox {
    /// Of a destination that has not failed yet. `name` is what users know it by.
    pub fn new(counters: Arc<Counters>, name: String, notify: Box<dyn Fn(Notice) + Send>) -> Self {
        Self { counters, name, notify, has_failed: AtomicBool::new(false) }
    }

    /// The destination took a publication.
    pub fn succeed(&self) {
        self.counters.sent.fetch_add(1, Ordering::Relaxed);
        self.restore();
    }

    /// The destination is there.
    pub fn restore(&self) {
        if self.has_failed.swap(false, Ordering::Relaxed) {
            let lost = self.counters.dropped.load(Ordering::Relaxed);
            let text = format!("{} takes publications again; {lost} were lost so far", self.name);
            (self.notify)(Notice::Restored(text));
        }
    }

    /// The destination failed, with what to do about it.
    pub fn fail(&self, reason: String) {
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            let reason = mood_schema::redact_addresses(&reason);
            (self.notify)(Notice::Failed(format!(
                "cannot publish to {}: {reason}; it is tried again",
                self.name
            )));
        }
    }

    /// Publications were lost.
    pub fn lose(&self, count: u64) {
        self.counters.dropped.fetch_add(count, Ordering::Relaxed);
    }
}
