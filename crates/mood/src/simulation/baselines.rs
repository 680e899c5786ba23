//! Simpler estimators of the mood, to compare the policy with.

use std::collections::VecDeque;

use mood_schema::{Emotion, Mood};

use super::{MoodEstimator, most_probable};
use crate::SECOND;

/// The most probable emotion of each frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Argmax;

impl MoodEstimator for Argmax {
    fn estimate(&mut self, _time: u64, probabilities: &[f64; 7]) -> Mood {
        most_probable(probabilities).0.into()
    }
}

/// The most frequent label of the latest frames, limited by their number or age. The estimate changes only to
/// a label that is more frequent than the present one.
#[derive(Clone, Debug)]
pub struct MajorityVote {
    /// Number of latest frames that count.
    max_frames: usize,
    /// Age below which frames count, ns.
    max_age: u64,
    /// Times (ns) and labels of the frames that count, oldest first.
    labels: VecDeque<(u64, Emotion)>,
    mood: Emotion,
}

impl MajorityVote {
    /// A vote over the latest `max_frames` frames.
    pub fn over_frames(max_frames: usize) -> Self {
        Self { max_frames, max_age: u64::MAX, labels: VecDeque::new(), mood: Emotion::Neutral }
    }

    /// A vote over the latest `max_age` ns.
    pub fn over_time(max_age: u64) -> Self {
        Self { max_frames: usize::MAX, max_age, labels: VecDeque::new(), mood: Emotion::Neutral }
    }
}

impl MoodEstimator for MajorityVote {
    fn estimate(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        self.labels.push_back((time, most_probable(probabilities).0));
        while self.labels.len() > self.max_frames
            || self.labels.front().is_some_and(|(oldest, _)| time.saturating_sub(*oldest) >= self.max_age)
        {
            self.labels.pop_front();
        }
        let mut counts = [0.0; 7];
        self.labels.iter().for_each(|(_, emotion)| counts[emotion.index()] += 1.0);
        let (most_frequent, count) = most_probable(&counts);
        if count > counts[self.mood.index()] {
            self.mood = most_frequent;
        }
        self.mood.into()
    }
}

/// The most probable emotion of an exponential moving average (time constant 5 s), with hysteresis (another
/// emotion must lead by 0.1) and a dwell time (20 s).
#[derive(Clone, Debug, Default)]
pub struct MovingAverage {
    average: [f64; 7],
    /// Time of the latest frame, ns.
    last_time: Option<u64>,
    /// The estimate and since when it holds, ns.
    mood: Option<(Emotion, u64)>,
}

impl MovingAverage {
    const TIME_CONSTANT: f64 = 5.0 * SECOND as f64;
    const HYSTERESIS: f64 = 0.1;
    const DWELL: u64 = 20 * SECOND;
}

impl MoodEstimator for MovingAverage {
    fn estimate(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        let elapsed = self.last_time.map_or(f64::INFINITY, |last| time.saturating_sub(last) as f64);
        self.last_time = Some(time);
        let decay = (-elapsed / Self::TIME_CONSTANT).exp();
        for (average, p) in self.average.iter_mut().zip(probabilities) {
            *average = *average * decay + p * (1.0 - decay);
        }
        let (leading, probability) = most_probable(&self.average);
        let (mood, _) = *self.mood.get_or_insert((leading, time));
        if let Some((_, since)) = self.mood
            && time.saturating_sub(since) >= Self::DWELL
            && probability > self.average[mood.index()] + Self::HYSTERESIS
        {
            self.mood = Some((leading, time));
        }
        self.mood.map_or(Mood::Uncertain, |(mood, _)| mood.into())
    }
}
