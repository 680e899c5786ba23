//! What the command prints: on standard output and standard error, without the credentials of addresses, and on standard error
//! one line at a time, whatever the names, values and messages in it contain.
//!
//! [`println!`], [`print!`] and [`eprintln!`] of this crate take the place of the standard library's, so that no line of any
//! module evades it. A reader that has closed the pipe is no error.

use std::fmt;
use std::io::{self, Write};

use mood_schema::redact_addresses;

/// As the standard library's, without credentials.
macro_rules! println {
    ($($argument:tt)*) => {
        $crate::output::print(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// As the standard library's, without credentials. An address must be printed in one call.
macro_rules! print {
    ($($argument:tt)*) => {
        $crate::output::print(format_args!($($argument)*))
    };
}

/// As the standard library's for one line, without credentials and control characters.
macro_rules! eprintln {
    ($($argument:tt)*) => {
        $crate::output::print_error(format_args!($($argument)*))
    };
}

/// Prints on standard output; see [`println!`].
pub fn print(text: fmt::Arguments<'_>) {
    // Nobody reads it any more, or the disk that it is redirected to is full: there is nobody to tell.
    let _ = io::stdout().write_all(redact_addresses(&text.to_string()).as_bytes());
}

/// Prints a line on standard error; see [`eprintln!`].
pub fn print_error(text: fmt::Arguments<'_>) {
    let text = replace_control_characters(&text.to_string());
    let _ = io::stderr().write_all(format!("{}\n", redact_addresses(&text)).as_bytes());
}

/// Prints a text of several lines on standard error, with its control sequences, without credentials.
pub fn print_error_text(text: &str) {
    let _ = io::stderr().write_all(redact_addresses(text).as_bytes());
}

/// Makes a text safe to print in a line: names of files, values of notes and messages of libraries may contain line breaks, which
/// become blanks, and control sequences of the terminal, whose first character becomes U+FFFD.
pub fn replace_control_characters(text: &str) -> String {
    let replace = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(replace).collect()
}

/// Standard output for a writer of long texts, without the credentials of addresses.
pub fn stdout() -> RedactingWriter<io::StdoutLock<'static>> {
    RedactingWriter { to: io::stdout().lock(), line: Vec::new() }
}

/// Passes lines on once they are complete, without the credentials of addresses.
pub struct RedactingWriter<W: Write> {
    to: W,
    /// The beginning of the line that is not complete.
    line: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    fn write_line(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.line);
        match redact_addresses(&text) {
            redacted if redacted == text => self.to.write_all(&self.line)?,
            redacted => self.to.write_all(redacted.as_bytes())?,
        }
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.write_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_line()?;
        self.to.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_and_controls_no_terminal() {
        assert_eq!(replace_control_characters("a\tb\r\nc \x1b[2J\u{9b}é"), "a b  c \u{fffd}[2J\u{fffd}é");
    }

    #[test]
    fn written_lines_have_no_credentials_however_they_are_cut() {
        let text = b"a http://ada:secret@h/x?secret b\n\xff\nlast rtsp://ada:secret@h";
        for size in [1, 7, text.len()] {
            let mut writer = RedactingWriter { to: Vec::new(), line: Vec::new() };
            for part in text.chunks(size) {
                writer.write_all(part).unwrap();
            }
            writer.flush().unwrap();
            assert_eq!(writer.to, b"a http://h/x b\n\xff\nlast rtsp://h");
        }
    }
}
