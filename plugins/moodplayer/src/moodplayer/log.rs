//! The decision log: JSON Lines, each on the disk before the next sound.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use mood_schema::{Line, SCHEMA_VERSION, SessionEnd, SessionHeader};
use serde_json::{Map, Value};

pub struct DecisionLog {
    file: File,
    begun: bool,
}

impl DecisionLog {
    /// Begins a new file, in place of an older one.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)?, begun: false })
    }

    /// The first line.
    pub fn begin(&mut self, settings: Map<String, Value>) -> std::io::Result<()> {
        self.begun = true;
        let generator = concat!("moodplayer ", env!("CARGO_PKG_VERSION")).into();
        self.write(&Line::Session(SessionHeader {
            schema: SCHEMA_VERSION,
            generator,
            source: None,
            settings,
        }))
    }

    /// One line, whole or not at all as far as a file can promise that.
    pub fn write(&mut self, line: &Line) -> std::io::Result<()> {
        self.file.write_all(format!("{}\n", line.to_json()).as_bytes())
    }

    /// The last line; `pts` is where the audio ends.
    pub fn end(mut self, pts: u64) -> std::io::Result<()> {
        if self.begun { self.write(&Line::End(SessionEnd { pts, frames: 0 })) } else { Ok(()) }
    }
}
