//! Progress of the work: bars on a terminal, a line at the beginning and the end of each step
//! elsewhere.

use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mood_schema::redact_addresses;

use crate::output::replace_control_characters;

/// Gives steps that run side by side a line each.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// The progress of one step.
pub struct Progress {
    bar: ProgressBar,
    name: String,
    started: Instant,
    is_terminal: bool,
}

impl Progress {
    /// Begins a step of `length` units. They are milliseconds if the step plays media; 0 if the length is not
    /// known yet.
    pub fn start(name: impl Into<String>, length: u64) -> Self {
        let name = redact_addresses(&replace_control_characters(&name.into())).into_owned();
        let is_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::hidden();
        let bar = if is_terminal { BARS.add(bar) } else { bar };
        bar.set_length(length);
        let template = "{prefix:>20.20} {wide_bar} {percent:>3} % {eta:>4} {msg:>6}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.clone());
        if !is_terminal {
            eprintln!("{name} ...");
        }
        Self { bar, name, started: Instant::now(), is_terminal }
    }

    /// Sets the length, in the units of [`start`](Self::start), once it is known.
    pub fn set_length(&self, length: u64) {
        if self.bar.length() != Some(length) {
            self.bar.set_length(length);
        }
    }

    /// Sets the position in units.
    pub fn set_position(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Sets the position in milliseconds of media, and shows the speed relative to real time.
    pub fn set_media_position(&self, milliseconds: u64) {
        self.set_position(milliseconds);
        let media = Duration::from_millis(milliseconds).as_secs_f64();
        let speed = media / self.started.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{speed:.1}x"));
    }

    /// The duration that the media declares, for a step counted in milliseconds.
    pub fn media_duration(&self) -> Option<Duration> {
        self.bar.length().map(Duration::from_millis).filter(|length| !length.is_zero())
    }

    /// How much of the media has been played, for a step counted in milliseconds.
    pub fn media_position(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.bar.position())).filter(|position| !position.is_zero())
    }

    /// Ends the step and prints the time taken; with the duration of the media, also the speed relative to
    /// real time.
    pub fn finish(&self, media: Option<Duration>) {
        self.bar.finish_and_clear();
        let taken = self.started.elapsed().as_secs_f64();
        let speed =
            media.map(|media| format!(", {:.1} times real time", media.as_secs_f64() / taken.max(1e-3)));
        let indent = if self.is_terminal { 20 } else { 0 };
        eprintln!("{:>indent$} done in {taken:.1} s{}", self.name, speed.unwrap_or_default());
    }
}
