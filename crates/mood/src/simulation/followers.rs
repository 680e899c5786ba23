//! Simpler ways to follow a mood, to compare with.

use std::collections::VecDeque;

use mood_schema::{Emotion, Mood};

use super::{Follower, top};
use crate::SECOND;

/// What every frame says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Argmax;

impl Follower for Argmax {
    fn follow(&mut self, _time: u64, probabilities: &[f64; 7]) -> Mood {
        top(probabilities).0.into()
    }
}

/// The commonest label of some last frames or of some last time; the present one where it is among the commonest.
#[derive(Clone, Debug)]
pub struct Commonest {
    frames: usize,
    time: u64,
    seen: VecDeque<(u64, Emotion)>,
    mood: Emotion,
}

impl Commonest {
    /// Of so many frames.
    pub fn of_frames(frames: usize) -> Self {
        Self { frames, time: u64::MAX, seen: VecDeque::new(), mood: Emotion::Neutral }
    }

    /// Of a time in ns.
    pub fn of_time(time: u64) -> Self {
        Self { frames: usize::MAX, time, seen: VecDeque::new(), mood: Emotion::Neutral }
    }
}

impl Follower for Commonest {
    fn follow(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        self.seen.push_back((time, top(probabilities).0));
        while self.seen.len() > self.frames
            || self.seen.front().is_some_and(|(seen, _)| time.saturating_sub(*seen) >= self.time)
        {
            self.seen.pop_front();
        }
        let mut counts = [0.0; 7];
        self.seen.iter().for_each(|(_, emotion)| counts[emotion.index()] += 1.0);
        let (commonest, count) = top(&counts);
        if count > counts[self.mood.index()] {
            self.mood = commonest;
        }
        self.mood.into()
    }
}

/// The exponential mean of the probabilities over 5 s; a new mood must lead by a tenth, and 20 s must have passed.
#[derive(Clone, Debug, Default)]
pub struct Smoothed {
    mean: [f64; 7],
    last: Option<u64>,
    /// Since when it is held.
    mood: Option<(Emotion, u64)>,
}

impl Smoothed {
    const TIME: f64 = 5.0 * SECOND as f64;
    const LEAD: f64 = 0.1;
    const DWELL: u64 = 20 * SECOND;
}

impl Follower for Smoothed {
    fn follow(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        let elapsed = self.last.map_or(f64::INFINITY, |last| time.saturating_sub(last) as f64);
        self.last = Some(time);
        let keep = (-elapsed / Self::TIME).exp();
        for (mean, p) in self.mean.iter_mut().zip(probabilities) {
            *mean = *mean * keep + p * (1.0 - keep);
        }
        let (leading, share) = top(&self.mean);
        let (mood, _) = *self.mood.get_or_insert((leading, time));
        if let Some((_, since)) = self.mood
            && time.saturating_sub(since) >= Self::DWELL
            && share > self.mean[mood.index()] + Self::LEAD
        {
            self.mood = Some((leading, time));
        }
        self.mood.map_or(Mood::Uncertain, |(mood, _)| mood.into())
    }
}
