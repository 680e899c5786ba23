//! The queue in front of a destination, and the thread that empties it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flume::{Receiver, Sender, TrySendError};

use crate::connection::{self, Endpoint};
use crate::outbox::{Counters, Notice, Outbox, Statistics};
use crate::{Destination, Publication, mqtt};

/// Publishes to one destination from a thread of its own. Dropping it ends the thread as [`Self::stop`] does, without waiting.
#[derive(Debug)]
pub struct Publisher {
    sender: Sender<Publication>,
    /// To take the oldest out where the queue is full.
    receiver: Receiver<Publication>,
    counters: Arc<Counters>,
    name: String,
    thread: JoinHandle<()>,
}

impl Publisher {
    /// Starts to publish to `destination`, which need not be there yet. At most `capacity` publications wait. `notify` is called on
    /// the publisher's thread.
    ///
    /// # Errors
    /// Those of the system where it cannot start a thread.
    pub fn start(
        destination: &Destination,
        capacity: usize,
        notify: impl Fn(Notice) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = flume::bounded(capacity.max(1));
        let counters = Arc::new(Counters::default());
        let name = destination.to_string();
        let outbox = Outbox::new(counters.clone(), name.clone(), Box::new(notify));
        let queue = receiver.clone();
        let destination = destination.clone();
        let thread = thread::Builder::new().name("mood-publish".into()).spawn(move || {
            let endpoint = match destination {
                Destination::Mqtt(broker) => return mqtt::serve(&broker, &queue, &outbox),
                Destination::Osc(osc) => Endpoint::Osc(osc),
                Destination::Lsl(lsl) => Endpoint::Lsl(lsl),
                Destination::File(path) => Endpoint::File(path),
                Destination::Socket(path) => Endpoint::Socket(path),
                Destination::Stdout => Endpoint::Stdout,
            };
            connection::serve(&endpoint, &queue, &outbox);
        })?;
        Ok(Self { sender, receiver, counters, name, thread })
    }

    /// Hands a publication over to the thread, and never waits: where the queue is full its oldest publication is dropped. Returns
    /// whether that happened for the first time.
    pub fn publish(&self, publication: Publication) -> bool {
        let (mut publication, mut is_first) = (publication, false);
        // The thread may fill the place that was made, but only by emptying the queue: a second round is enough.
        for _ in 0..2 {
            match self.sender.try_send(publication) {
                Ok(()) => return is_first,
                Err(TrySendError::Disconnected(_)) => break,
                Err(TrySendError::Full(returned)) => {
                    publication = returned;
                    if self.receiver.try_recv().is_ok() {
                        is_first |= self.counters.drop_one();
                    }
                }
            }
        }
        is_first | self.counters.drop_one()
    }

    /// The destination, for users.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What has become of the publications so far.
    pub fn statistics(&self) -> Statistics {
        self.counters.statistics()
    }

    /// Ends: what is queued is handed over, for at most `patience`. A thread that needs longer, as with a host that does not answer,
    /// ends by itself later.
    pub fn stop(self, patience: Duration) -> Statistics {
        let Self { sender, receiver, counters, name: _, thread } = self;
        drop((sender, receiver));
        let deadline = Instant::now() + patience;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        counters.statistics()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc;

    fn state(pts: u64) -> Publication {
        Publication::State(State { pts, ..State::default() })
    }

    fn wait_until(mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !condition() {
            assert!(Instant::now() < deadline, "timed out");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn everything_queued_is_in_the_file_when_it_stops() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        for _ in 0..2 {
            let publisher = Publisher::start(&Destination::File(path.clone()), 100, |_| {}).unwrap();
            assert!((0..50).all(|pts| !publisher.publish(state(pts))));
            assert_eq!(publisher.stop(Duration::from_secs(20)), Statistics { sent: 50, dropped: 0 });
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let times: Vec<u64> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["pts"].as_u64().unwrap())
            .collect();
        assert_eq!(times, (0..50).chain(0..50).collect::<Vec<_>>(), "continued, in order");
    }

    #[test]
    fn a_listener_that_comes_late_and_leaves_is_told_once_each_and_drops_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let (notices, told) = mpsc::channel();
        let publisher = Publisher::start(&Destination::Socket(path.clone()), 4, move |notice| {
            let _ = notices.send(notice);
        })
        .unwrap();
        let notice = told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(
            matches!(&notice, Notice::Failed(text) if text.contains("start the program that listens")),
            "{notice:?}"
        );
        // Nobody waits for a destination that is gone, and the latest remain.
        let first_drops: Vec<u64> = (0..10).filter(|&pts| publisher.publish(state(pts))).collect();
        assert_eq!(first_drops, [4]);
        assert_eq!(publisher.statistics(), Statistics { sent: 0, dropped: 6 });

        let listener = UnixListener::bind(&path).unwrap();
        let mut lines = BufReader::new(listener.accept().unwrap().0).lines();
        for pts in 6..10 {
            assert!(lines.next().unwrap().unwrap().contains(&format!("\"pts\":{pts},")));
        }
        assert_eq!(
            told.recv_timeout(Duration::from_secs(20)).unwrap(),
            Notice::Restored(format!(
                "unix://{} takes publications again; 6 were lost so far",
                path.display()
            ))
        );
        drop((lines, listener));
        wait_until(|| {
            publisher.publish(state(11));
            told.try_recv().is_ok_and(|notice| matches!(notice, Notice::Failed(_)))
        });
    }

    #[test]
    fn stopping_does_not_wait_for_who_is_not_there() {
        let publisher =
            Publisher::start(&Destination::Socket("/nonexistent/socket".into()), 4, |_| {}).unwrap();
        publisher.publish(state(0));
        let start = Instant::now();
        publisher.stop(Duration::from_secs(20));
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
