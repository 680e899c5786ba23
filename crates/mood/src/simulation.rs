//! A person, a classifier whose errors stay for a while, and how often the music would switch.

use mood_schema::{Emotion, Frame, Mood};

use crate::policy::tests::face;
use crate::{Policy, SECOND, Settings};

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

    fn other(&mut self, than: Emotion) -> Emotion {
        let step = 1 + (self.unit() * 6.0) as usize;
        Emotion::from_index((than.index() + step) % 7).unwrap()
    }
}

#[test]
fn correlated_errors_make_few_switches() {
    const HOURS: u64 = 4;
    let period = SECOND / 10;
    let mut random = Random(2);
    let mut policy = Policy::new(Settings::default());
    let (mut truth, mut truth_ends, mut changes) = (Emotion::Neutral, 0.0, 0u32);
    let (mut seen, mut seen_ends) = (Emotion::Neutral, 0.0);
    let (mut last_seen, mut argmax_switches, mut argmax_right) = (seen, 0u32, 0u32);
    let (mut switches, mut right) = (0u32, 0u32);
    let (mut waiting, mut delays) = (None, Vec::new());
    let frames = HOURS * 3600 * 10;
    for frame in 0..frames {
        let seconds = frame as f64 / 10.0;
        if seconds >= truth_ends {
            truth = random.other(truth);
            truth_ends = seconds + random.exponential(3600.0 / 42.0);
            (seen_ends, changes, waiting) = (seconds, changes + 1, Some(seconds));
        }
        // 62 % right a frame, in spells of 0.5 to 2 s.
        if seconds >= seen_ends {
            seen = if random.unit() < 0.62 { truth } else { random.other(truth) };
            seen_ends = seconds + 0.5 + 1.5 * random.unit();
        }
        argmax_switches += u32::from(seen != last_seen);
        argmax_right += u32::from(seen == truth);
        last_seen = seen;

        let now = frame * period;
        policy.observe(0, now, &Frame { faces: vec![face(1, 0.3, seen)] });
        let before = policy.mood();
        policy.step(now);
        switches += u32::from(policy.mood() != before);
        right += u32::from(policy.mood() == Mood::Known(truth));
        if policy.mood() == Mood::Known(truth)
            && let Some(since) = waiting.take()
        {
            delays.push(seconds - since);
        }
    }
    delays.sort_by(f64::total_cmp);
    let median = delays[delays.len() / 2];
    let share = |count: u32| f64::from(count) / frames as f64;
    println!(
        "{changes} true changes; argmax: {argmax_switches} switches, right {:.3}; policy: {switches}, right {:.3}, \
         median delay {median:.1} s",
        share(argmax_right),
        share(right),
    );
    assert!(share(argmax_right) < 0.65);
    assert!(
        switches * 30 < argmax_switches && f64::from(switches) < 1.3 * f64::from(changes),
        "{switches} switches"
    );
    assert!(share(right) > 0.85, "right {:.3} of the time", share(right));
    assert!(median < 10.0, "median delay {median} s");
}
