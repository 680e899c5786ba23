//! JSON Lines: one object a line.

use std::io::{self, Write};

use crate::Publication;
use crate::delivery::Connection;

/// Writes each publication as a line, with one call, so that a reader never waits for the rest of a line.
#[derive(Debug)]
pub(crate) struct JsonLines<W>(pub W);

impl<W: Write> Connection for JsonLines<W> {
    fn send(&mut self, publication: &Publication) -> io::Result<()> {
        let mut line = publication.to_json();
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        self.0.flush()
    }
}
