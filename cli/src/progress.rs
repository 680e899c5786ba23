//! How far the work has come: bars on a terminal, a line a step elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step of the work.
pub struct Progress {
    bar: ProgressBar,
    name: &'static str,
    begun: Instant,
    terminal: bool,
}

impl Progress {
    /// Begins a step of `length` units.
    pub fn start(name: &'static str, length: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = "{prefix:>20} {wide_bar} {percent:>3} % {eta:>4}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        if !terminal {
            eprintln!("{name} ...");
        }
        Self { bar, name, begun: Instant::now(), terminal }
    }

    /// So many units are done.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// The step is done; `media` is how much of the medium went through it, if that says something.
    pub fn finish(self, media: Option<Duration>) {
        self.bar.finish_and_clear();
        let taken = self.begun.elapsed().as_secs_f64();
        let speed =
            media.map(|media| format!(", {:.1} times real time", media.as_secs_f64() / taken.max(1e-3)));
        let indent = if self.terminal { 20 } else { 0 };
        eprintln!("{:>indent$} done in {taken:.1} s{}", self.name, speed.unwrap_or_default());
    }
}
