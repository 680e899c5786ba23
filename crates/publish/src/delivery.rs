//! What an open destination does.

use std::io;

use crate::Publication;

/// An open destination.
pub(crate) trait Connection {
    /// Hands a publication over completely, or fails.
    fn send(&mut self, publication: &Publication) -> io::Result<()>;
}
