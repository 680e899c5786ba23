//! The last ten minutes for the chart: the subject's classification averaged over each second, and what was held, played and
//! marked when. Its size is limited, whatever comes in.

use std::collections::VecDeque;

use mood_schema::{Classification, Mood};
use serde::Serialize;

/// How much of the past is kept, seconds.
pub const SECONDS_SHOWN: u64 = 600;
/// The largest number of spans and markers that are kept of each kind: one every second.
const MAX_SPANS: usize = SECONDS_SHOWN as usize;

/// The subject's mean classification over one second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Column {
    /// The second, counted from the beginning of the session.
    pub second: u64,
    /// Mean probabilities in [`mood_schema::Emotion`]'s order, then valence and arousal; `None` where the subject was not
    /// classified.
    pub values: Option<[f64; 9]>,
}

/// What lasts for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanKind {
    /// A mood is held.
    Mood,
    /// A track plays.
    Track,
}

/// A mood or track from `start` until the next of its kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// When it began, seconds.
    pub start: f64,
    /// Name of the mood, or title of the track; empty for silence.
    pub text: String,
    /// The mood that gives the colour.
    pub mood: Mood,
}

/// The columns and spans of the last [`SECONDS_SHOWN`].
#[derive(Debug, Default)]
pub(crate) struct History {
    columns: VecDeque<Column>,
    spans: VecDeque<Span>,
    /// Sums over the frames of the current second, and their number.
    sums: ([f64; 9], u32),
    /// The current second.
    second: u64,
}

impl History {
    /// Adds a frame at `time`, seconds; the columns that it completes, which [`columns`](Self::columns) then ends with.
    pub(crate) fn record_frame(&mut self, time: f64, classification: Option<&Classification>) -> Vec<Column> {
        let completed = self.advance(time);
        if let Some(classification) = classification {
            let (sums, count) = &mut self.sums;
            let affect = [classification.affect.valence, classification.affect.arousal];
            let values = classification.probabilities.iter().chain(&affect);
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            *count += 1;
        }
        completed
    }

    /// Completes the seconds before `time`. After a gap of more than is shown, only what is shown.
    fn advance(&mut self, time: f64) -> Vec<Column> {
        // A cast of a float saturates, and turns what is no number into 0.
        let now = time as u64;
        let mut completed = Vec::new();
        if now > self.second {
            let (sums, count) = std::mem::take(&mut self.sums);
            let mean = (count > 0).then(|| sums.map(|sum| (sum / f64::from(count) * 1e4).round() / 1e4));
            completed.push(Column { second: self.second, values: mean });
            let gap = now.saturating_sub(SECONDS_SHOWN).max(self.second + 1)..now;
            completed.extend(gap.map(|second| Column { second, values: None }));
            self.second = now;
        }
        self.columns.extend(completed.iter().cloned());
        let surplus = self.columns.len().saturating_sub(SECONDS_SHOWN as usize);
        self.columns.drain(..surplus);
        completed
    }

    /// Adds what lasts from now on.
    pub(crate) fn record_span(&mut self, span: Span) {
        let same_kind = || self.spans.iter().filter(|other| other.kind == span.kind).count();
        if same_kind() >= MAX_SPANS
            && let Some(oldest) = self.spans.iter().position(|other| other.kind == span.kind)
        {
            self.spans.remove(oldest);
        }
        // The one that lasts into what is shown stays, those that ended before do not.
        let begin = span.start - SECONDS_SHOWN as f64;
        while let Some(next) =
            self.spans.iter().filter(|other| other.kind == span.kind).nth(1).map(|next| next.start)
            && next < begin
            && let Some(oldest) = self.spans.iter().position(|other| other.kind == span.kind)
        {
            self.spans.remove(oldest);
        }
        self.spans.push_back(span);
    }

    /// The columns, oldest first.
    pub(crate) fn columns(&self) -> &VecDeque<Column> {
        &self.columns
    }

    /// The spans in the order in which they began.
    pub(crate) fn spans(&self) -> &VecDeque<Span> {
        &self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Emotion};

    fn classification(emotion: Emotion) -> Classification {
        let mut probabilities = [0.0; 7];
        probabilities[emotion.index()] = 1.0;
        let affect = Affect::from_distribution(&probabilities);
        Classification { label: emotion.into(), confidence: 1.0, probabilities, raw: None, affect }
    }

    #[test]
    fn a_second_is_averaged_and_gaps_are_empty() {
        let mut history = History::default();
        assert_eq!(history.record_frame(0.1, Some(&classification(Emotion::Happy))), []);
        history.record_frame(0.6, Some(&classification(Emotion::Sad)));
        history.record_frame(0.9, None);
        let completed = history.record_frame(3.2, None);
        assert_eq!(completed.iter().map(|column| column.second).collect::<Vec<_>>(), [0, 1, 2]);
        let values = completed[0].values.unwrap();
        assert_eq!((values[Emotion::Happy.index()], values[Emotion::Sad.index()]), (0.5, 0.5));
        assert!(completed[1].values.is_none() && completed[2].values.is_none());
        assert_eq!(history.columns().len(), 3);
    }

    #[test]
    fn eight_hours_at_thirty_frames_a_second_do_not_grow() {
        let mut history = History::default();
        let frame = classification(Emotion::Happy);
        for n in 0..8 * 3600 * 30u64 {
            let time = n as f64 / 30.0;
            history.record_frame(time, Some(&frame));
            if n % 10 == 0 {
                let kind = if n % 20 == 0 { SpanKind::Mood } else { SpanKind::Track };
                history.record_span(Span { kind, start: time, text: "x".into(), mood: Mood::Absent });
            }
        }
        assert_eq!(history.columns().len(), 600);
        assert_eq!(history.spans().len(), 2 * MAX_SPANS);
    }

    #[test]
    fn a_clock_that_jumps_adds_no_more_than_is_shown() {
        let mut history = History::default();
        for time in [1e300, f64::INFINITY, f64::NAN, -5.0] {
            assert!(history.record_frame(time, None).len() <= 601, "{time}");
        }
        assert_eq!(history.columns().len(), 600);
    }

    #[test]
    fn the_span_that_lasts_into_what_is_shown_stays() {
        let mut history = History::default();
        for start in [0.0, 10.0, 700.0] {
            history.record_span(Span {
                kind: SpanKind::Mood,
                start,
                text: String::new(),
                mood: Mood::Absent,
            });
        }
        assert_eq!(history.spans().iter().map(|span| span.start).collect::<Vec<_>>(), [10.0, 700.0]);
    }
}
