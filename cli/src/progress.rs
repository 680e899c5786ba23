//! How far the work has come: bars on a terminal, a line a step elsewhere.

use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Steps that go side by side have a line each.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A name as it may be printed: a file may be called anything, line breaks and a terminal's commands included.
pub fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A step of the work.
pub struct Progress {
    bar: ProgressBar,
    name: String,
    begun: Instant,
    terminal: bool,
}

impl Progress {
    /// Begins a step of `length` units, milliseconds where it is media; 0 where that is not known yet.
    pub fn start(name: impl Into<String>, length: u64) -> Self {
        let name = printable(&name.into());
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::hidden();
        let bar = if terminal { BARS.add(bar) } else { bar };
        bar.set_length(length);
        let template = "{prefix:>20.20} {wide_bar} {percent:>3} % {eta:>4} {msg:>6}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.clone());
        if !terminal {
            eprintln!("{name} ...");
        }
        Self { bar, name, begun: Instant::now(), terminal }
    }

    /// How long the step is has become known.
    pub fn set_length(&self, length: u64) {
        if self.bar.length() != Some(length) {
            self.bar.set_length(length);
        }
    }

    /// So many milliseconds of the medium are done.
    pub fn set_media(&self, done: u64) {
        self.set(done);
        let speed = Duration::from_millis(done).as_secs_f64() / self.begun.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{speed:.1}x"));
    }

    /// How long the medium says it is.
    pub fn length(&self) -> Option<Duration> {
        self.bar.length().map(Duration::from_millis).filter(|length| !length.is_zero())
    }

    /// How much of the medium is done.
    pub fn media(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.bar.position())).filter(|media| !media.is_zero())
    }

    /// So many units are done.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// The step is done; `media` is how much of the medium went through it, if that says something.
    pub fn finish(&self, media: Option<Duration>) {
        self.bar.finish_and_clear();
        let taken = self.begun.elapsed().as_secs_f64();
        let speed =
            media.map(|media| format!(", {:.1} times real time", media.as_secs_f64() / taken.max(1e-3)));
        let indent = if self.terminal { 20 } else { 0 };
        eprintln!("{:>indent$} done in {taken:.1} s{}", self.name, speed.unwrap_or_default());
    }
}
