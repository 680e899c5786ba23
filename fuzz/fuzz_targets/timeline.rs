//! Reads any bytes as a timeline: refused, or good for the statistics, the report and every export.

#![no_main]

use libfuzzer_sys::fuzz_target;
use session::export::{self, Format, Recording};
use session::{PersonMap, Summary, Timeline};

fuzz_target!(|bytes: &[u8]| {
    let timeline = match Timeline::from_reader(bytes) {
        Ok(timeline) => timeline,
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "unreadable error: {error}");
            return;
        }
    };
    let summary = Summary::compute(&timeline, &PersonMap::default());
    session::report::render_session(&timeline, &summary, "", None);
    let recording = Recording {
        title: String::new(),
        date: String::new(),
        media: summary.source.clone(),
        film: None,
        folder: None,
    };
    for format in Format::ALL {
        let _ = export::write(format, &timeline, &summary, &recording, &mut Vec::new());
    }
});
