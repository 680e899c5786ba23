//! Loads any text as the notes beside a recording: refused in one line that names the file, or people whose ids and names agree.
//! The files of the command are included, because a binary cannot be linked.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use process::arguments::ReportOptions;
use process::notes::Notes;

#[allow(dead_code)]
#[path = "../../cli/src/consent.rs"]
mod consent;
#[allow(dead_code)]
#[path = "../../cli/src/error.rs"]
mod error;

/// Nothing is stored of any client.
mod clients {
    use crate::consent::ConsentedClient;
    use crate::error::CommandError;

    pub struct Client;

    impl Client {
        pub fn open(_name: &str) -> Result<Self, CommandError> {
            Ok(Self)
        }

        pub fn consented(&self) -> Result<Option<ConsentedClient>, CommandError> {
            Ok(None)
        }
    }
}

#[allow(dead_code)]
#[path = "../../cli/src/process"]
mod process {
    /// What notes need of the command line.
    pub mod arguments {
        pub struct MergedIds(pub Vec<u32>);

        #[derive(Default)]
        pub struct ReportOptions {
            pub subject: Option<u32>,
            pub merge: Vec<MergedIds>,
            pub client: Option<String>,
            pub consent: Option<String>,
            pub pseudonym: bool,
            pub date: Option<session::RecordingTime>,
        }
    }
    pub mod notes;
}

fuzz_target!(|text: &str| {
    let recording = fuzz::folder().join("recording.mp4");
    fs::write(recording.with_extension("mp4.toml"), text).unwrap();
    for pseudonym in [false, true] {
        let options = ReportOptions { pseudonym, ..ReportOptions::default() };
        match Notes::load(&recording, &options) {
            Ok(notes) => {
                for id in notes.people.names.keys() {
                    assert_eq!(notes.people.person_id(*id), *id, "a name of a merged id");
                }
                let has_consent = |terms: &session::ConsentTerms| terms.by.is_some() && terms.date.is_some();
                assert!(notes.client.is_none_or(|client| has_consent(&client.terms)), "no consent");
            }
            Err(error) => {
                let error = error.to_string();
                assert_eq!(error.lines().count(), 1, "unreadable error: {error}");
            }
        }
    }
});
