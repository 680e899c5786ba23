//! Analysis of recorded sessions: reading a timeline, computing its statistics, rendering a report page, and exporting to the
//! file formats of other programs.
//!
//! ```no_run
//! # fn main() -> Result<(), session::ReadError> {
//! let timeline = session::Timeline::load("timeline.jsonl")?;
//! let summary = session::Summary::compute(&timeline, &session::PersonMap::default());
//! let page = session::report::render_session(&timeline, &summary, "Session of 3 May", None);
//! # let _ = page; Ok(())
//! # }
//! ```

mod across_sessions;
mod baseline;
mod chart;
mod comparison;
mod condition;
mod consent;
mod correction;
mod dyad;
mod episode;
mod estimate;
pub mod export;
mod expression;
mod finding;
pub mod hiding;
mod music_response;
mod people;
mod percent;
mod recording_time;
pub mod report;
mod resting_face;
mod session_date;
mod summary;
pub mod tables;
mod time_format;
mod timeline;
mod track_play;
mod warning;

pub use across_sessions::{AcrossEstimate, ConditionContrast, ConditionMean, SessionTrend, TrendUnit};
pub use baseline::{Baseline, BaselineDifference, BaselineSource};
pub use comparison::{ComparedSession, Comparison, SessionMean};
pub use condition::{ConditionPart, ConditionSummary, Conditions};
pub use consent::{ConsentRecord, ConsentTerms};
pub use correction::{Change, CorrectionSummary, MachineRecord, RecordAgreement, correct_episodes};
pub use dyad::{Dyad, SharedSmile, SharedSmiles, Synchrony};
pub use episode::{Episode, MIN_EPISODE, Transitions, count_transitions, find_episodes};
pub use estimate::{ConfidenceInterval, Estimate, Trend};
pub use expression::Expression;
pub use music_response::{BeforeAfter, MusicResponse};
pub use people::{Dimension, Observation, PersonMap};
pub use percent::format_percent;
pub use recording_time::{InvalidTimeError, Recorded, RecordedOrigin, RecordingTime};
pub use resting_face::{AppliedRest, RESTING_FACES, RestOrigin, RestingFaceSummary};
pub use summary::{PersonSummary, SUMMARY_SCHEMA_VERSION, Summary};
pub use timeline::{BrokenLines, ReadError, ReadLines, Timeline, VideoPart, player_line_time, read_lines};
pub use track_play::TrackPlay;
pub use warning::{Warning, WarningKind};
