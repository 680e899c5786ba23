//! What a process holds: memory, file descriptors and threads, read from `/proc`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How long the number of threads must stay the same to count as final. A streaming thread of GStreamer without work waits
/// half a second for more before GLib takes it back.
const SETTLING_TIME: Duration = Duration::from_secs(1);

/// What a process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Resident memory, KiB.
    pub memory: u64,
    /// Open file descriptors.
    pub files: usize,
    /// Threads that have not ended, without those that GLib keeps to use them again: up to 2 in GLib 2.80, up to 8 in 2.84.
    pub threads: usize,
}

impl Resources {
    /// Of this process.
    pub fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let unused = glib::ThreadPool::num_unused_threads() as usize;
        Self {
            memory: memory.trim().trim_end_matches(" kB").parse().unwrap(),
            // Reading the folder takes one descriptor itself.
            files: fs::read_dir("/proc/self/fd").unwrap().count() - 1,
            threads: fs::read_dir("/proc/self/task").unwrap().count() - unused,
        }
    }

    /// Of this process once all threads without work have ended, and with them what libraries keep for each: Pango 1.56 has a
    /// thread of its own for the fonts of every thread that has drawn text.
    pub fn settled() -> Self {
        let (mut last, mut since) = (Self::default(), Instant::now());
        while since.elapsed() < SETTLING_TIME {
            // Those that GLib has taken back; it would keep some for seconds.
            glib::ThreadPool::stop_unused_threads();
            thread::sleep(Duration::from_millis(20));
            let now = Self::of_this_process();
            if now.threads != last.threads {
                since = Instant::now();
            }
            last = now;
        }
        last
    }

    /// The larger of each.
    pub fn max(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            files: self.files.max(other.files),
            threads: self.threads.max(other.threads),
        }
    }

    /// Asserts that no more files and threads are held than `before`, and at most `memory` KiB more.
    #[track_caller]
    pub fn assert_no_more_than(self, before: Self, memory: u64) {
        let is_flat = self.files <= before.files
            && self.threads <= before.threads
            && self.memory <= before.memory + memory;
        assert!(is_flat, "before {before:?}, after {self:?}, {memory} KiB more are allowed");
    }
}

impl std::fmt::Display for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { memory, files, threads } = self;
        write!(f, "{:.1} MiB, {files} files, {threads} threads", *memory as f64 / 1024.0)
    }
}
