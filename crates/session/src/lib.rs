//! From a timeline to what a person reads: the lines of a recorded session, their statistics, a report page, and the
//! formats of other programs.
//!
//! ```no_run
//! # fn main() -> Result<(), session::ReadError> {
//! let timeline = session::Timeline::load("timeline.jsonl")?;
//! let summary = session::Summary::of(&timeline, &session::Cast::default());
//! let page = session::report::html(&timeline, &summary, "Session of 3 May", None);
//! # let _ = page; Ok(())
//! # }
//! ```

mod baseline;
mod chart;
mod clock;
mod compare;
mod episode;
mod estimate;
pub mod export;
mod person;
pub mod report;
mod response;
mod summary;
mod timeline;

pub use baseline::{AboveBaseline, Baseline};
pub use compare::{Compared, Comparison, Course};
pub use episode::{Episode, SHORTEST, Transitions, episodes, transitions};
pub use estimate::{Band, Estimate, Trend};
pub use person::{Cast, Dimension, Sample};
pub use response::{Response, Shift};
pub use summary::{BaselineFrom, SCHEMA, Subject, Summary, TrackPlay};
pub use timeline::{ReadError, Timeline, read_lines};
