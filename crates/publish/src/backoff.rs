//! The pause before a destination is tried again.

use std::time::Duration;

use flume::Receiver;
use tokio::time::{Instant, sleep};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// How often somebody who pauses looks whether it is still wanted.
pub(crate) const STEP: Duration = Duration::from_millis(50);

/// Pauses that double from half a second to half a minute.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// The next pause.
    pub fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }

    /// Waits for the next pause. Returns false, before its end, once the sender is gone.
    pub async fn wait<T>(&mut self, receiver: &Receiver<T>) -> bool {
        let end = Instant::now() + self.next();
        while Instant::now() < end {
            if receiver.is_disconnected() {
                return false;
            }
            sleep(STEP).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..8).map(|_| backoff.next().as_millis() as u64).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    }
}
