//! The probability of each mood given all frames so far: a hidden Markov model with tempered likelihoods.
//!
//! The hidden state is the mood (seven emotions, uncertain, absent), the observation is the classifier's
//! result for the subject's face. The filter is the forward algorithm (Rabiner 1989, doi:10.1109/5.18626).
//! For an observation `o` that comes `t` ns after the last one:
//!
//! ```text
//! stay       = exp(-t / MEAN_MOOD_DURATION)
//! prior(m)   = stay p(m) + (1 - stay) (1 - p(m)) / 8          (all other moods are equally likely)
//! p(m)      <- prior(m) P(o | m)^a / sum over m,  a = min(1, t / ERROR_CORRELATION_TIME)
//! ```
//!
//! The exponent `a` tempers the likelihood. A face that is misclassified in one frame is misclassified in the
//! next ones, too: errors are correlated for about a second. Frames taken as independent would make the
//! filter certain of a wrong mood after a quarter of a second. Raised to `a`, the observations of one
//! correlation time together weigh as much as a single independent observation, whatever the frame rate.
//!
//! `P(o | m)` comes from the classifier's [`ConfusionMatrix`]: a face labelled sad may well be a frightened
//! one, hardly a happy one.

use mood_schema::{Emotion, Mood};

use crate::{ConfusionMatrix, SECOND};

/// Number of moods: the seven emotions, uncertain, absent.
const STATES: usize = 9;
/// Time over which the classifier's errors are correlated, ns. [`crate::simulation`] assumes 0.5 to 2 s.
const ERROR_CORRELATION_TIME: f64 = 1.0 * SECOND as f64;
/// Mean duration of a mood, ns: 40 changes an hour, as in [`crate::simulation`].
const MEAN_MOOD_DURATION: f64 = 90.0 * SECOND as f64;
/// The classifier's probabilities are raised to this power before they weigh the labels. The confusion matrix
/// accounts for the classifier's errors already, so only a second label that is nearly as probable as the
/// first should count.
const SHARPENING_EXPONENT: i32 = 4;

/// Likelihood of a face with a known label when the mood is a known emotion, uncertain, and absent. This and
/// the next two constants are assumptions, not measurements; for each mood the three sum to 1.
const LIKELIHOOD_OF_LABEL: [f64; 3] = [0.80, 0.30, 0.02];
/// Likelihood of a face without a known label when the mood is a known emotion, uncertain, and absent.
const LIKELIHOOD_OF_UNCERTAIN: [f64; 3] = [0.15, 0.65, 0.03];
/// Likelihood of no face found when the mood is a known emotion, uncertain, and absent.
const LIKELIHOOD_OF_ABSENT: [f64; 3] = [0.05, 0.05, 0.95];

/// One observation of the subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observation {
    /// A face with a known label: its seven probabilities in the order of [`Emotion`], which sum to 1.
    Face([f64; 7]),
    /// A face that is not classified or labelled uncertain.
    Uncertain,
    /// No face found.
    Absent,
}

/// The probability of each mood given the observations so far.
#[derive(Clone, Debug)]
pub struct MoodFilter {
    confusion: ConfusionMatrix,
    /// By [`state_index`]; sums to 1.
    probabilities: [f64; STATES],
    /// Time of the latest observation, ns.
    last_time: Option<u64>,
}

impl Default for MoodFilter {
    /// A filter for the classifier built into `emotionclassify`.
    fn default() -> Self {
        Self::new(ConfusionMatrix::default())
    }
}

impl MoodFilter {
    /// A filter for a classifier with this confusion matrix; all moods are equally probable.
    pub fn new(confusion: ConfusionMatrix) -> Self {
        Self { confusion, probabilities: [1.0 / STATES as f64; STATES], last_time: None }
    }

    /// Discards all observations.
    pub fn reset(&mut self) {
        *self = Self::new(self.confusion);
    }

    /// Updates the probabilities with an observation at `time` (ns). The first observation only
    /// sets the time. Later ones are weighted by the time since the previous one, at most as one independent
    /// observation. A time before the previous one counts as equal to it.
    pub fn update(&mut self, time: u64, observation: &Observation) {
        let Some(last_time) = self.last_time else {
            self.last_time = Some(time);
            return;
        };
        let elapsed = time.saturating_sub(last_time) as f64;
        self.last_time = Some(last_time.max(time));
        let stay = (-elapsed / MEAN_MOOD_DURATION).exp();
        let exponent = (elapsed / ERROR_CORRELATION_TIME).min(1.0);
        let likelihoods = self.likelihoods(observation);
        for (probability, likelihood) in self.probabilities.iter_mut().zip(likelihoods) {
            let prior = *probability * stay + (1.0 - *probability) * (1.0 - stay) / (STATES - 1) as f64;
            *probability = prior * likelihood.powf(exponent);
        }
        let sum: f64 = self.probabilities.iter().sum();
        self.probabilities.iter_mut().for_each(|probability| *probability /= sum);
    }

    /// The probability of a mood, 0 to 1; those of all moods sum to 1.
    pub fn probability(&self, mood: Mood) -> f64 {
        self.probabilities[state_index(mood)]
    }

    /// The most probable mood and its probability.
    pub fn most_probable(&self) -> (Mood, f64) {
        let moods = Emotion::ALL.into_iter().map(Mood::Known).chain([Mood::Uncertain, Mood::Absent]);
        moods.zip(self.probabilities).fold((Mood::Uncertain, 0.0), |best, (mood, probability)| {
            if probability > best.1 { (mood, probability) } else { best }
        })
    }

    /// The likelihood of each mood, P(observation | mood), up to a common factor.
    ///
    /// A person with a known emotion is sometimes missed by the detector and more often labelled uncertain.
    /// An unreadable face is still given a label at times and, rarely, so is an empty room.
    fn likelihoods(&self, observation: &Observation) -> [f64; STATES] {
        let for_states = |emotions: [f64; 7], uncertain: f64, absent: f64| {
            let mut likelihoods = [0.0; STATES];
            likelihoods[..7].copy_from_slice(&emotions);
            (likelihoods[7], likelihoods[8]) = (uncertain, absent);
            likelihoods
        };
        let [known, uncertain, absent] = LIKELIHOOD_OF_UNCERTAIN;
        let no_label = for_states([known; 7], uncertain, absent);
        match observation {
            Observation::Absent => {
                let [known, uncertain, absent] = LIKELIHOOD_OF_ABSENT;
                for_states([known; 7], uncertain, absent)
            }
            Observation::Uncertain => no_label,
            Observation::Face(probabilities) => {
                let weights = probabilities.map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 });
                let weights = weights.map(|p| p.powi(SHARPENING_EXPONENT));
                let sum: f64 = weights.iter().sum();
                if sum <= 0.0 {
                    return no_label;
                }
                let emotions = self.confusion.likelihoods(&weights.map(|weight| weight / sum));
                let [known, uncertain, absent] = LIKELIHOOD_OF_LABEL;
                // Seven labels share the likelihood of a label where the mood says nothing about which one
                // it is.
                for_states(emotions.map(|likelihood| known * likelihood), uncertain / 7.0, absent / 7.0)
            }
        }
    }
}

/// The index of a mood's probability.
fn state_index(mood: Mood) -> usize {
    match mood {
        Mood::Known(emotion) => emotion.index(),
        Mood::Uncertain => 7,
        Mood::Absent => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time between frames at 25 frames per second, ns.
    const PERIOD: u64 = SECOND / 25;

    fn confident(emotion: Emotion) -> Observation {
        let mut probabilities = [0.05; 7];
        probabilities[emotion.index()] = 0.7;
        Observation::Face(probabilities)
    }

    /// Gives the filter the same observation for some seconds, every `period` ns from the time `from` on.
    /// Returns the time at the end, ns.
    fn feed(filter: &mut MoodFilter, from: u64, seconds: u64, period: u64, observation: Observation) -> u64 {
        let end = from + seconds * SECOND;
        (from..end).step_by(period as usize).for_each(|time| filter.update(time, &observation));
        end
    }

    #[test]
    fn a_lasting_expression_prevails_and_a_short_one_does_not() {
        let mut filter = MoodFilter::default();
        let end = feed(&mut filter, 0, 20, PERIOD, confident(Emotion::Happy));
        assert!(filter.probability(Emotion::Happy.into()) > 0.9);
        let end = feed(&mut filter, end, 1, PERIOD, confident(Emotion::Sad));
        assert_eq!(filter.most_probable().0, Emotion::Happy.into());
        feed(&mut filter, end, 8, PERIOD, confident(Emotion::Sad));
        assert_eq!(filter.most_probable().0, Emotion::Sad.into());
    }

    #[test]
    fn the_result_hardly_depends_on_the_frame_rate() {
        let probability_of_sad = |period| {
            let mut filter = MoodFilter::default();
            let end = feed(&mut filter, 0, 20, period, confident(Emotion::Happy));
            feed(&mut filter, end, 4, period, confident(Emotion::Sad));
            filter.probability(Emotion::Sad.into())
        };
        assert!((probability_of_sad(SECOND / 5) - probability_of_sad(SECOND / 60)).abs() < 0.1);
    }

    #[test]
    fn uncertain_and_absent_are_moods_of_their_own() {
        let mut filter = MoodFilter::default();
        let end = feed(&mut filter, 0, 10, PERIOD, Observation::Uncertain);
        assert_eq!(filter.most_probable().0, Mood::Uncertain);
        let end = feed(&mut filter, end, 10, PERIOD, Observation::Absent);
        assert_eq!(filter.most_probable().0, Mood::Absent);
        feed(&mut filter, end, 10, PERIOD, confident(Emotion::Fear));
        assert_eq!(filter.most_probable().0, Emotion::Fear.into());
    }

    #[test]
    fn a_face_uncertain_in_every_other_frame_keeps_its_mood() {
        let mut filter = MoodFilter::default();
        for frame in 0..1000 {
            let observation = if frame % 2 == 0 { confident(Emotion::Happy) } else { Observation::Uncertain };
            filter.update(frame * PERIOD, &observation);
        }
        assert_eq!(filter.most_probable().0, Emotion::Happy.into());
    }

    #[test]
    fn invalid_probabilities_leave_a_valid_distribution() {
        let mut filter = MoodFilter::default();
        for (time, value) in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300].into_iter().enumerate() {
            filter.update(time as u64 * SECOND, &Observation::Face([value; 7]));
            filter.update(0, &Observation::Absent);
        }
        let sum: f64 = filter.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9, "{:?}", filter.probabilities);
    }
}
