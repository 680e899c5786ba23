//! A person whose mood changes, a classifier whose errors stay for a while, and who follows them how well.
//!
//! The person has one of the seven emotions for a random time (exponential, on average 90 s: 40 changes an hour). The
//! classifier looks ten times a second. Within a spell of 0.5 to 2 s (uniform) it says the same; each spell, and each
//! change of the person, is a new draw from the row of its [`Confusion`] matrix. It is as sure as the built-in model is
//! on average, 69 %, whether right or wrong.
//!
//! Four hours each, 16 seeds, mean and range, of the matrix measured for the built-in model
//! (`cargo run --release -p mood --example simulate`):
//!
//! | follower | switches per true change | right, % of time | median delay, s |
//! |---|---|---|---|
//! | this crate's policy | 1.10 (1.02-1.22) | 87.3 (85.0-88.8) | 7.2 (5.7-9.1) |
//! | argmax | 37.62 (32.13-44.09) | 57.4 (52.8-62.4) | 0.0 (0.0-0.0) |
//! | mode of 10 frames | 37.48 (32.03-43.99) | 57.1 (52.6-62.1) | 0.5 (0.5-0.5) |
//! | majority over 10 s | 7.77 (6.37-9.60) | 68.7 (63.2-74.3) | 5.2 (4.7-5.8) |
//! | mean of 5 s, hysteresis, dwell | 2.51 (2.21-2.96) | 63.5 (58.2-68.4) | 8.3 (6.0-10.1) |
//! | the policy, all spells 0.5 s | 0.92 (0.88-0.95) | 90.2 (86.7-92.1) | 6.9 (6.3-7.6) |
//! | the policy, all spells 1 s | 0.95 (0.88-1.02) | 89.5 (87.7-91.5) | 7.1 (5.8-7.8) |
//! | the policy, all spells 2 s | 1.39 (1.30-1.55) | 83.2 (80.7-85.9) | 7.2 (6.2-8.4) |
//!
//! What the policy is compared with: the label itself ([`Argmax`]), the commonest of the last ten frames and of the last ten
//! seconds ([`Commonest`]), and an exponential mean with hysteresis and dwell ([`Smoothed`]). The delay is from a change
//! to the first moment in which the follower is right; changes that it never follows have none.

mod followers;

use mood_schema::{Affect, Classification, Emotion, Face, Frame, Mood, Rect};

pub use followers::{Argmax, Commonest, Smoothed};

use crate::{Confusion, Policy, SECOND};

/// How sure the built-in model is on average: its accuracy and its calibration error together.
const CONFIDENCE: f64 = 0.69;

/// Who follows a mood from frame to frame.
pub trait Follower {
    /// Takes a frame in at a time in ns; the mood believed now.
    fn follow(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood;
}

impl Follower for Policy {
    fn follow(&mut self, time: u64, probabilities: &[f64; 7]) -> Mood {
        self.observe(0, time, &Frame { faces: vec![face(probabilities)] });
        self.step(time);
        self.mood()
    }
}

fn face(probabilities: &[f64; 7]) -> Face {
    let (top, confidence) = top(probabilities);
    Face {
        id: 1,
        bbox: Rect { x: 0.3, y: 0.3, w: 0.4, h: 0.4 },
        classification: Some(Classification {
            label: top.into(),
            confidence,
            probabilities: *probabilities,
            affect: Affect::from_distribution(probabilities),
        }),
        quality: 1.0,
        roll: 0.0,
    }
}

/// The most likely emotion, the first of equals, and its share.
fn top(shares: &[f64; 7]) -> (Emotion, f64) {
    Emotion::ALL
        .into_iter()
        .zip(*shares)
        .fold((Emotion::Neutral, f64::NEG_INFINITY), |top, next| if next.1 > top.1 { next } else { top })
}

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// How the classifier errs.
    pub confusion: Confusion,
    /// Length, ns.
    pub duration: u64,
    /// From frame to frame, ns.
    pub period: u64,
    /// How long a mood lasts on average, ns.
    pub mood: u64,
    /// The shortest and the longest time for which the classifier says the same, ns.
    pub spell: (u64, u64),
}

impl Default for Scenario {
    /// Four hours at ten frames a second, 40 changes an hour, spells of 0.5 to 2 s.
    fn default() -> Self {
        Self {
            confusion: Confusion::default(),
            duration: 4 * 3600 * SECOND,
            period: SECOND / 10,
            mood: 90 * SECOND,
            spell: (SECOND / 2, 2 * SECOND),
        }
    }
}

/// How well a mood was followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Changes of the person's mood.
    pub changes: u32,
    /// Changes of the follower's.
    pub switches: u32,
    /// Share of the time in which both were the same.
    pub right: f64,
    /// From a change to the first moment in which the follower was right, median, seconds.
    pub delay: f64,
}

impl Outcome {
    /// How often the follower switched for every change.
    pub fn switches_per_change(&self) -> f64 {
        f64::from(self.switches) / f64::from(self.changes.max(1))
    }
}

/// Lets a follower follow. The same scenario and seed show every follower the same.
pub fn simulate(scenario: &Scenario, seed: u64, follower: &mut dyn Follower) -> Outcome {
    let mut random = Random(seed);
    let (mut truth, mut truth_ends, mut changes) = (Emotion::Neutral, 0.0, 0u32);
    let (mut shown, mut spell_ends) = ([0.0; 7], 0.0);
    let (mut believed, mut switches, mut right) = (None, 0u32, 0u64);
    let (mut waiting, mut delays) = (None, Vec::new());
    let frames = scenario.duration / scenario.period.max(1);
    for frame in 0..frames {
        let time = frame * scenario.period;
        let now = time as f64;
        if now >= truth_ends {
            truth = random.other(truth);
            truth_ends = now + random.exponential(scenario.mood as f64);
            (spell_ends, changes, waiting) = (now, changes + 1, Some(now));
        }
        if now >= spell_ends {
            let label = random.draw(&scenario.confusion.labels(truth.index()));
            shown = [(1.0 - CONFIDENCE) / 6.0; 7];
            shown[label] = CONFIDENCE;
            let (shortest, longest) = (scenario.spell.0 as f64, scenario.spell.1 as f64);
            spell_ends = now + shortest + (longest - shortest) * random.unit();
        }
        let mood = follower.follow(time, &shown);
        switches += u32::from(believed.replace(mood).is_some_and(|before| before != mood));
        if mood == Mood::Known(truth) {
            right += 1;
            delays.extend(waiting.take().map(|since| (now - since) / SECOND as f64));
        }
    }
    delays.sort_by(f64::total_cmp);
    let delay = delays.get(delays.len() / 2).copied().unwrap_or(f64::INFINITY);
    Outcome { changes, switches, right: right as f64 / frames.max(1) as f64, delay }
}

/// Steele, Lea and Flood's SplitMix64 (doi:10.1145/2714064.2660195).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// An index, as often as its share says.
    fn draw(&mut self, shares: &[f64; 7]) -> usize {
        let mut left = self.unit();
        let found = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        found.unwrap_or(6)
    }

    fn other(&mut self, than: Emotion) -> Emotion {
        let step = 1 + (self.unit() * 6.0) as usize;
        Emotion::from_index((than.index() + step) % 7).unwrap_or(than)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    /// The means of eight seeds.
    fn mean(make: impl Fn() -> Box<dyn Follower>) -> (f64, f64, f64) {
        let outcomes = (1..=8).map(|seed| simulate(&Scenario::default(), seed, make().as_mut()));
        outcomes.fold((0.0, 0.0, 0.0), |sum, o| {
            (sum.0 + o.switches_per_change() / 8.0, sum.1 + o.right / 8.0, sum.2 + o.delay / 8.0)
        })
    }

    #[test]
    fn measured_errors_make_few_switches_and_the_mood_is_mostly_right() {
        let (switches, right, delay) = mean(|| Box::new(Policy::new(Settings::default())));
        assert!(switches <= 1.25, "{switches} switches for every change");
        assert!(right >= 0.85, "right {right} of the time");
        assert!(delay <= 8.0, "median delay {delay} s");
    }

    #[test]
    fn simpler_followers_do_worse() {
        let others: [fn() -> Box<dyn Follower>; 4] = [
            || Box::new(Argmax),
            || Box::new(Commonest::of_frames(10)),
            || Box::new(Commonest::of_time(10 * SECOND)),
            || Box::new(Smoothed::default()),
        ];
        for other in others {
            let (switches, right, _) = mean(other);
            assert!(switches > 1.4 || right < 0.8, "{switches} switches, right {right}");
        }
    }

    #[test]
    fn a_classifier_without_errors_is_followed_all_the_way() {
        let mut counts = [[0; 7]; 7];
        (0..7).for_each(|index| counts[index][index] = 1);
        let confusion = Confusion::from_counts(&counts).unwrap();
        let scenario = Scenario { confusion, ..Scenario::default() };
        let outcome = simulate(&scenario, 1, &mut Argmax);
        assert_eq!((outcome.right, outcome.delay), (1.0, 0.0));
        assert_eq!(outcome.switches + 1, outcome.changes);
        assert!((120..200).contains(&outcome.changes), "{outcome:?}");
    }
}
