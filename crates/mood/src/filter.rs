//! What is believed of the mood after all frames so far: a hidden Markov model whose likelihood is tempered.
//!
//! A face misread in one frame is misread in the next: errors stay for seconds. Counting frames as independent would
//! make the filter sure of a mood after a quarter of a second of one error. So a frame's likelihood is raised to the
//! power of the time it stands for over the time that errors stay alike: a second of video weighs the same at 5 and at
//! 60 frames a second. How likely a mood makes a label is what the classifier's [`Confusion`] says: a face called sad may
//! well be a frightened one, hardly a happy one.

use mood_schema::{Emotion, Mood};

use crate::{Confusion, SECOND};

/// The seven emotions, uncertain, absent.
const STATES: usize = 9;
/// How long classification errors stay alike.
const ERROR_CORRELATION: f64 = 1.0 * SECOND as f64;
/// How long a mood lasts on average.
const MOOD_DURATION: f64 = 90.0 * SECOND as f64;
/// Probabilities are raised to this power before they share a look between labels: the confusion matrix knows already how
/// the classifier errs, so only a close second counts beside the first.
const SHARPNESS: i32 = 4;

/// What one moment shows of the subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observation {
    /// A classified face: probabilities in [`Emotion`]'s order.
    Face([f64; 7]),
    /// A face that says nothing.
    Uncertain,
    /// No face.
    Absent,
}

/// The belief over moods.
#[derive(Clone, Debug)]
pub struct Filter {
    confusion: Confusion,
    belief: [f64; STATES],
    last: Option<u64>,
}

impl Default for Filter {
    /// For the classifier built into `emotionclassify`.
    fn default() -> Self {
        Self::new(Confusion::default())
    }
}

impl Filter {
    /// For a classifier that errs like this. Believes all moods equally.
    pub fn new(confusion: Confusion) -> Self {
        Self { confusion, belief: [1.0 / STATES as f64; STATES], last: None }
    }

    /// Forgets all evidence.
    pub fn forget(&mut self) {
        *self = Self::new(self.confusion);
    }

    /// Takes an observation in. The first one only starts the time; later ones weigh as much as the time since the last,
    /// and never more than one independent look. Time running backwards counts as no time.
    pub fn observe(&mut self, time: u64, observation: &Observation) {
        let Some(last) = self.last else {
            self.last = Some(time);
            return;
        };
        let elapsed = time.saturating_sub(last) as f64;
        self.last = Some(last.max(time));
        let stay = (-elapsed / MOOD_DURATION).exp();
        let temper = (elapsed / ERROR_CORRELATION).min(1.0);
        let likelihood = self.likelihood(observation);
        for (belief, likelihood) in self.belief.iter_mut().zip(likelihood) {
            let predicted = *belief * stay + (1.0 - *belief) * (1.0 - stay) / (STATES - 1) as f64;
            *belief = predicted * likelihood.powf(temper);
        }
        let sum: f64 = self.belief.iter().sum();
        self.belief.iter_mut().for_each(|belief| *belief /= sum);
    }

    /// How much a mood is believed, 0-1; all moods together make 1.
    pub fn belief(&self, mood: Mood) -> f64 {
        self.belief[index(mood)]
    }

    /// The mood believed most, and how much.
    pub fn top(&self) -> (Mood, f64) {
        let moods = Emotion::ALL.into_iter().map(Mood::Known).chain([Mood::Uncertain, Mood::Absent]);
        moods.zip(self.belief).fold(
            (Mood::Uncertain, 0.0),
            |top, (mood, belief)| {
                if belief > top.1 { (mood, belief) } else { top }
            },
        )
    }

    /// How likely each mood makes the observation, up to a common factor.
    ///
    /// A person with a mood is missed by the detector now and then and unreadable more often. Somebody unreadable still
    /// gets a reading at times, and so, rarely, does an empty room.
    fn likelihood(&self, observation: &Observation) -> [f64; STATES] {
        let of = |emotions: [f64; 7], uncertain: f64, absent: f64| {
            let mut row = [0.0; STATES];
            row[..7].copy_from_slice(&emotions);
            (row[7], row[8]) = (uncertain, absent);
            row
        };
        let unreadable = of([0.15; 7], 0.65, 0.03);
        match observation {
            Observation::Absent => of([0.05; 7], 0.05, 0.95),
            Observation::Uncertain => unreadable,
            Observation::Face(probabilities) => {
                let weights = probabilities.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 });
                let weights = weights.map(|p| p.powi(SHARPNESS));
                let sum: f64 = weights.iter().sum();
                if sum <= 0.0 {
                    return unreadable;
                }
                let emotions = self.confusion.likelihood(&weights.map(|weight| weight / sum));
                of(emotions.map(|likelihood| 0.80 * likelihood), 0.30 / 7.0, 0.02 / 7.0)
            }
        }
    }
}

fn index(mood: Mood) -> usize {
    match mood {
        Mood::Known(emotion) => emotion.index(),
        Mood::Uncertain => 7,
        Mood::Absent => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = SECOND / 25;

    fn sure(emotion: Emotion) -> Observation {
        let mut probabilities = [0.05; 7];
        probabilities[emotion.index()] = 0.7;
        Observation::Face(probabilities)
    }

    fn feed(filter: &mut Filter, from: u64, seconds: u64, period: u64, observation: Observation) -> u64 {
        let end = from + seconds * SECOND;
        (from..end).step_by(period as usize).for_each(|time| filter.observe(time, &observation));
        end
    }

    #[test]
    fn a_lasting_expression_is_believed_and_a_short_one_is_not() {
        let mut filter = Filter::default();
        let end = feed(&mut filter, 0, 20, PERIOD, sure(Emotion::Happy));
        assert!(filter.belief(Emotion::Happy.into()) > 0.9);
        let end = feed(&mut filter, end, 1, PERIOD, sure(Emotion::Sad));
        assert_eq!(filter.top().0, Emotion::Happy.into());
        feed(&mut filter, end, 8, PERIOD, sure(Emotion::Sad));
        assert_eq!(filter.top().0, Emotion::Sad.into());
    }

    #[test]
    fn the_frame_rate_hardly_matters() {
        let after = |period| {
            let mut filter = Filter::default();
            let end = feed(&mut filter, 0, 20, period, sure(Emotion::Happy));
            feed(&mut filter, end, 4, period, sure(Emotion::Sad));
            filter.belief(Emotion::Sad.into())
        };
        assert!((after(SECOND / 5) - after(SECOND / 60)).abs() < 0.1);
    }

    #[test]
    fn unreadable_and_missing_faces_are_moods_of_their_own() {
        let mut filter = Filter::default();
        let end = feed(&mut filter, 0, 10, PERIOD, Observation::Uncertain);
        assert_eq!(filter.top().0, Mood::Uncertain);
        let end = feed(&mut filter, end, 10, PERIOD, Observation::Absent);
        assert_eq!(filter.top().0, Mood::Absent);
        feed(&mut filter, end, 10, PERIOD, sure(Emotion::Fear));
        assert_eq!(filter.top().0, Emotion::Fear.into());
    }

    #[test]
    fn a_face_unreadable_every_other_frame_keeps_its_mood() {
        let mut filter = Filter::default();
        for frame in 0..1000 {
            let observation = if frame % 2 == 0 { sure(Emotion::Happy) } else { Observation::Uncertain };
            filter.observe(frame * PERIOD, &observation);
        }
        assert_eq!(filter.top().0, Emotion::Happy.into());
    }

    #[test]
    fn nonsense_leaves_a_belief() {
        let mut filter = Filter::default();
        for (time, value) in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300].into_iter().enumerate() {
            filter.observe(time as u64 * SECOND, &Observation::Face([value; 7]));
            filter.observe(0, &Observation::Absent);
        }
        let sum: f64 = filter.belief.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9, "{:?}", filter.belief);
    }
}
