//! The date of a session, as far as it is known.

use crate::Summary;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

impl Summary {
    /// When the session was recorded, ISO 8601; `None` where that is unknown.
    pub fn date(&self) -> Option<String> {
        self.recorded.map(|recorded| recorded.at.to_string())
    }

    /// Days from the beginning of 1970 to the session; `None` where the date is unknown.
    pub(crate) fn day(&self) -> Option<f64> {
        self.recorded.map(|recorded| recorded.at.unix_seconds() as f64 / DAY)
    }
}
