//! Annotations of recordings: reads the files of ELAN, BORIS, Praat, Audacity and tables, and measures how far two coders agree.
//!
//! ```
//! use annotation::{Agreement, Annotation, Options, Tier};
//!
//! let annotate = |start, end, label: &str| Annotation { start, end, label: label.into() };
//! const SECOND: u64 = 1_000_000_000;
//! let human = Tier::new("Ada", vec![annotate(0, 6 * SECOND, "happy"), annotate(6 * SECOND, 10 * SECOND, "sad")]);
//! let machine = Tier::new("Person 1", vec![annotate(0, 5 * SECOND, "happy"), annotate(5 * SECOND, 10 * SECOND, "sad")]);
//! let agreement = Agreement::measure(&human, &machine, &Options::default())?;
//! assert!((agreement.percent_agreement - 90.0).abs() < 1e-9);
//! # Ok::<(), annotation::AgreementError>(())
//! ```

mod agreement;
mod bootstrap;
mod confusion;
mod label_map;
mod read;
mod tier;

pub use agreement::{Agreement, AgreementError, Disagreement, Intervals, LabelAgreement, Options};
pub use bootstrap::Interval;
pub use label_map::LabelMap;
pub use read::{AnnotationFile, FileError, Format, read, read_file};
pub use tier::{Annotation, Tier};
