//! The decision log: JSON Lines, each of them written before the audio that follows it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use mood_schema::{Line, SCHEMA_VERSION, SessionEnd, SessionHeader};
use serde_json::{Map, Value};

/// Writes what is decided and played to a file, in the format of a timeline.
#[derive(Debug)]
pub struct DecisionLog {
    file: File,
    /// The program that writes it.
    generator: String,
    header_written: bool,
    /// Whether the last line that was written is that of the end.
    has_ended: bool,
}

impl DecisionLog {
    /// Creates the file, in place of an older one. `generator` is the name and version of the program, for
    /// the header.
    pub fn create(path: &Path, generator: &str) -> io::Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            generator: generator.into(),
            header_written: false,
            has_ended: false,
        })
    }

    /// Writes the first line. `settings` has one object for each element that took part.
    pub fn write_header(&mut self, settings: Map<String, Value>) -> io::Result<()> {
        self.header_written = true;
        let generator = self.generator.clone();
        self.write(&Line::Session(SessionHeader {
            schema: SCHEMA_VERSION,
            generator,
            source: None,
            settings,
        }))
    }

    /// Writes a line in one call, so that a killed process leaves no part of a line behind.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        self.file.write_all(format!("{}\n", line.to_json()).as_bytes())
    }

    /// Writes the last line, unless there is no first one or it has been written. `pts` is the stream time where
    /// the audio ends, ns.
    pub fn finish(&mut self, pts: u64) -> io::Result<()> {
        if !self.header_written || std::mem::replace(&mut self.has_ended, true) {
            return Ok(());
        }
        self.write(&Line::End(SessionEnd { pts, frames: 0 }))
    }

    /// Goes on after the last line: more audio follows, and another end.
    pub fn resume(&mut self) {
        self.has_ended = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_end_enclose_the_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut log = DecisionLog::create(file.path(), "test 1").unwrap();
        log.write_header(Map::new()).unwrap();
        log.finish(7).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["generator"], "test 1");
        assert_eq!((&lines[1]["type"], &lines[1]["pts"]), (&"end".into(), &7.into()));
    }

    #[test]
    fn without_a_header_the_file_stays_empty() {
        let file = tempfile::NamedTempFile::new().unwrap();
        DecisionLog::create(file.path(), "test 1").unwrap().finish(7).unwrap();
        assert_eq!(std::fs::metadata(file.path()).unwrap().len(), 0);
    }
}
