//! How many connections there are at once. One that has shown no token gives way to newer ones, so that a flood of them cannot
//! lock the therapist out; those that have shown one are counted separately.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// The most connections that have shown no token.
pub(crate) const MAX_UNKNOWN: usize = 128;
/// The most connections that have shown a token.
pub(crate) const MAX_KNOWN: usize = 64;

/// The connections of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    next_id: u64,
    /// Those that have shown no token, oldest first.
    unknown: VecDeque<(u64, AbortHandle)>,
    known: usize,
}

/// A connection's place; it is given back when the value is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Connections,
    id: u64,
    is_known: bool,
}

impl Connections {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new connection.
    pub(crate) fn next_id(&self) -> u64 {
        let mut counts = self.counts();
        counts.next_id += 1;
        counts.next_id
    }

    /// Adds the task that serves the connection `id`. Where there are too many, the oldest one ends.
    pub(crate) fn add(&self, id: u64, task: AbortHandle) {
        let mut counts = self.counts();
        counts.unknown.push_back((id, task));
        let oldest = if counts.unknown.len() > MAX_UNKNOWN { counts.unknown.pop_front() } else { None };
        drop(counts);
        if let Some((_, task)) = oldest {
            task.abort();
        }
    }

    /// The place of the connection `id`.
    pub(crate) fn place(&self, id: u64) -> Place {
        Place { connections: self.clone(), id, is_known: false }
    }

    /// How many connections there are: without and with a token.
    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        let counts = self.counts();
        (counts.unknown.len(), counts.known)
    }
}

impl Place {
    /// Records that the connection has shown a token. Whether there is room for it.
    pub(crate) fn make_known(&mut self) -> bool {
        if self.is_known {
            return true;
        }
        let mut counts = self.connections.counts();
        if counts.known >= MAX_KNOWN {
            return false;
        }
        counts.known += 1;
        counts.unknown.retain(|(id, _)| *id != self.id);
        drop(counts);
        self.is_known = true;
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.connections.counts();
        if self.is_known {
            counts.known -= 1;
        } else {
            counts.unknown.retain(|(id, _)| *id != self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unknown_connection_gives_way_and_known_ones_stay() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _guard = runtime.enter();
        let connections = Connections::default();
        let add = || {
            let id = connections.next_id();
            let task = runtime.spawn(std::future::pending::<()>());
            connections.add(id, task.abort_handle());
            (connections.place(id), task)
        };
        let (mut known, known_task) = add();
        assert!(known.make_known() && known.make_known());
        let mut others: Vec<_> = (0..MAX_UNKNOWN + 2).map(|_| add()).collect();
        assert_eq!(connections.len(), (MAX_UNKNOWN, 1));
        runtime.block_on(tokio::task::yield_now());
        assert!(others[0].1.is_finished() && others[1].1.is_finished() && !others[2].1.is_finished());
        assert!(!known_task.is_finished());
        let admitted =
            others.iter_mut().rev().filter_map(|(place, _)| place.make_known().then_some(())).count();
        assert_eq!(admitted, MAX_KNOWN - 1);
        drop(others);
        assert_eq!(connections.len(), (0, 1));
        drop(known);
        assert_eq!(connections.len(), (0, 0));
    }
}
