//! Where the lines of a timeline go: a file, what the process was given (`/dev/stdout`), or a pipe whose reader comes and goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// How long a pipe may stay full before lines are dropped, ms: a reader that is merely slow empties it sooner, and one that
/// has been stopped must not hold up the video for longer.
const READER_TIMEOUT: u16 = 1000;

/// Takes complete lines. Each is handed over with one system call and nothing is buffered, so that a killed process leaves
/// every line it has written.
#[derive(Debug)]
pub(super) enum Destination {
    /// A file, a terminal or another device. A slow one holds up the writer: nothing is lost.
    File(File),
    /// A named pipe, or one that the process was given.
    Pipe(Pipe),
}

impl Destination {
    /// Opens `path`. A file is created, or with `append` continued behind a line that is ended where it was cut off. Nobody
    /// needs to read from a pipe yet. Returns also whether something stands in the file already.
    pub fn open(path: &Path, append: bool) -> io::Result<(Self, bool)> {
        let kind = fs::metadata(path).map(|metadata| metadata.file_type()).ok();
        if kind.is_some_and(|kind| kind.is_fifo()) {
            return Ok((Self::Pipe(Pipe::new(path)), false));
        }
        // The process' own: neither truncated nor written at another position than the process does.
        if let Some(file) = inherited_file(path) {
            return Ok((Self::File(file?), false));
        }
        if !append {
            return Ok((Self::File(File::create(path)?), false));
        }
        if kind.is_some_and(|kind| !kind.is_file()) {
            return Ok((Self::File(OpenOptions::new().append(true).open(path)?), false));
        }
        let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        if length > 0 {
            let mut last = [0];
            file.read_exact_at(&mut last, length - 1)?;
            if last != *b"\n" {
                (&file).write_all(b"\n")?;
            }
        }
        Ok((Self::File(file), length > 0))
    }

    /// Writes a line, or several. `header` is what a reader of the pipe needs first, and gets where it is new.
    ///
    /// # Errors
    /// Those of the system, such as that of a full disk. A pipe without a reader is none: its lines are counted as lost.
    pub fn write(&mut self, header: &[u8], line: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => {
                let mut rest = line;
                while !rest.is_empty() {
                    match write_without_signal(file, rest) {
                        Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                        Ok(written) => rest = &rest[written..],
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            Self::Pipe(pipe) => pipe.write(header, line),
        }
    }

    /// Writes the header of a session. Of a pipe, it is what each later reader gets first.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub fn write_header(&mut self, header: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(Pipe { end: None, .. }) => self.write(header, &[]),
            _ => self.write(&[], header),
        }
    }

    /// Number of lines that nobody has read and nobody will.
    pub fn lost_lines(&self) -> u64 {
        match self {
            Self::File(_) => 0,
            Self::Pipe(pipe) => pipe.lost_lines,
        }
    }
}

/// A pipe, opened whenever somebody reads from it.
#[derive(Debug)]
pub(super) struct Pipe {
    path: PathBuf,
    /// The end to write to, which does not block; `None` while nobody reads.
    end: Option<File>,
    /// The lines that the reader has not taken completely.
    pending: Vec<u8>,
    /// The reader has taken nothing for [`READER_TIMEOUT`].
    is_stalled: bool,
    lost_lines: u64,
}

impl Pipe {
    fn new(path: &Path) -> Self {
        Self { path: path.into(), end: None, pending: Vec::new(), is_stalled: false, lost_lines: 0 }
    }

    /// Hands a line over, behind `header` where the reader is new. The line is lost where there is no reader, or one that
    /// has not taken the lines before.
    fn write(&mut self, header: &[u8], line: &[u8]) -> io::Result<()> {
        self.write_pending()?;
        if self.end.is_none() {
            let opened =
                OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&self.path);
            match opened {
                Ok(end) => (self.end, self.pending) = (Some(end), header.to_vec()),
                // Nobody has opened the other end.
                Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENXIO as i32) => {}
                Err(error) => return Err(error),
            }
        } else if !self.pending.is_empty() {
            self.lost_lines += count_lines(line);
            return Ok(());
        }
        if self.end.is_none() {
            self.lost_lines += count_lines(line);
            return Ok(());
        }
        self.pending.extend_from_slice(line);
        self.write_pending()
    }

    /// Writes what is pending, as far as the reader takes it in time.
    fn write_pending(&mut self) -> io::Result<()> {
        while let Some(end) = &self.end
            && !self.pending.is_empty()
        {
            match write_without_signal(end, &self.pending) {
                Ok(written) => {
                    self.pending.drain(..written);
                    self.is_stalled = false;
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock if self.is_stalled => break,
                    io::ErrorKind::WouldBlock => self.is_stalled = !wait_until_writable(end)?,
                    // The reader has left.
                    io::ErrorKind::BrokenPipe => {
                        self.lost_lines += count_lines(&self.pending);
                        self.pending.clear();
                        (self.end, self.is_stalled) = (None, false);
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // What the reader has room for; the stream has ended, so there is nobody to wait for it.
        self.is_stalled = true;
        let _ = self.write_pending();
    }
}

/// Number of lines that end in `bytes`.
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Waits for [`READER_TIMEOUT`] at most; returns whether a write would not block.
fn wait_until_writable(file: &File) -> io::Result<bool> {
    match poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLOUT)], READER_TIMEOUT) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Writes once. A pipe without a reader gives [`io::ErrorKind::BrokenPipe`] in any process: by default SIGPIPE would end the
/// process, as it does with `gst-launch-1.0`.
fn write_without_signal(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
    let signal = SigSet::from(Signal::SIGPIPE);
    let mask = signal.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let written = file.write(bytes);
    if matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        // The kernel has sent it to this thread, where it waits until it is taken.
        signal.wait()?;
    }
    mask.thread_set_mask()?;
    written
}

/// A file that the process has open, by the names that Linux gives to these; `None` for any other path.
fn inherited_file(path: &Path) -> Option<io::Result<File>> {
    let descriptor = match path.to_str()? {
        "/dev/stdout" => "1",
        "/dev/stderr" => "2",
        path => path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?,
    };
    let duplicate = match descriptor {
        "1" => io::stdout().as_fd().try_clone_to_owned(),
        "2" => io::stderr().as_fd().try_clone_to_owned(),
        // Opened anew, so written at its end.
        _ => return Some(OpenOptions::new().append(true).open(path)),
    };
    Some(duplicate.map(File::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::{BufRead, BufReader, Read};

    const HEADER: &[u8] = b"header\n";

    fn pipe(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        path
    }

    fn reader(path: &Path) -> BufReader<File> {
        let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).unwrap();
        BufReader::new(file)
    }

    fn read_line(reader: &mut impl BufRead) -> String {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line
    }

    #[test]
    fn every_reader_of_a_pipe_gets_the_header_and_complete_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let (mut destination, _) = Destination::open(&path, false).unwrap();
        destination.write(HEADER, b"nobody\n").unwrap();
        assert_eq!(destination.lost_lines(), 1);
        for _ in 0..2 {
            let mut first = reader(&path);
            destination.write(HEADER, b"one\n").unwrap();
            destination.write(HEADER, b"two\n").unwrap();
            assert_eq!([(); 3].map(|()| read_line(&mut first)), ["header\n", "one\n", "two\n"]);
            drop(first);
            let lost = destination.lost_lines();
            destination.write(HEADER, b"lost\n").unwrap();
            assert_eq!(destination.lost_lines(), lost + 1);
        }
    }

    #[test]
    fn a_reader_that_stops_loses_whole_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let (mut destination, _) = Destination::open(&path, true).unwrap();
        let mut stopped = reader(&path);
        // Longer than what a pipe takes at once, so that one is cut in the middle.
        let line = "x".repeat(9_999) + "\n";
        for _ in 0..20 {
            destination.write(b"", line.as_bytes()).unwrap();
        }
        let lost = destination.lost_lines();
        assert!((1..20).contains(&lost), "{lost}");
        let mut taken = Vec::new();
        // Not to its end: there is none while the pipe is open, and this reader does not block.
        let _ = stopped.read_to_end(&mut taken);
        destination.write(b"", b"last\n").unwrap();
        let _ = stopped.read_to_end(&mut taken);
        let text = String::from_utf8(taken).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len() as u64, 20 - lost + 1);
        assert!(lines[..lines.len() - 1].iter().all(|taken| *taken == line.trim_end()));
        assert_eq!(lines.last(), Some(&"last"));
    }

    #[test]
    fn appending_ends_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        for (before, expected) in [("{\"type\":\"fra", "{\"type\":\"fra\n"), ("{}\n", "{}\n"), ("", "")] {
            fs::write(&path, before).unwrap();
            let (_, has_content) = Destination::open(&path, true).unwrap();
            assert_eq!(has_content, !before.is_empty());
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
    }
}
