//! The panel of a live session as a program without a browser uses it.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::process::TIMEOUT;

/// The link to a panel.
pub struct PanelLink {
    /// Host and port.
    address: String,
    /// The path with the token.
    path: String,
}

impl PanelLink {
    /// Finds the link in what `gst-mood live --panel` prints; `None` before that.
    pub fn find(text: &str) -> Option<Self> {
        let (address, path) = text.split_once("panel: http://")?.1.split_once('/')?;
        let path = path.lines().next().filter(|path| path.ends_with('/'))?;
        Some(Self { address: address.into(), path: format!("/{path}") })
    }

    /// Sends a command, JSON; returns the status of the answer.
    #[track_caller]
    pub fn send(&self, command: &str) -> u16 {
        self.try_send(command).unwrap()
    }

    /// As [`Self::send`]; an error where the session ends meanwhile.
    pub fn try_send(&self, command: &str) -> io::Result<u16> {
        let Self { address, path } = self;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        write!(
            stream,
            "POST {path}command HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{command}",
            command.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
