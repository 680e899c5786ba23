//! From a timeline to what a person reads: the lines of a recorded session, their statistics, and a report page.
//!
//! ```no_run
//! # fn main() -> Result<(), session::ReadError> {
//! let timeline = session::Timeline::load("timeline.jsonl")?;
//! let summary = session::Summary::of(&timeline);
//! let page = session::report::html(&timeline, &summary, "Session of 3 May");
//! # let _ = page; Ok(())
//! # }
//! ```

mod chart;
mod clock;
pub mod report;
mod summary;
mod timeline;

pub use summary::{Subject, Summary, TrackPlay};
pub use timeline::{ReadError, Timeline, read_lines};
