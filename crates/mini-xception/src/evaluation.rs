//! Evaluation of a model's distributions against known labels: accuracy, F1, calibration, coverage; also after each
//! person's resting face was taken off.

use std::collections::HashMap;

use mood_schema::Emotion;

use crate::resting_face::{LogitShift, RestingProfile, log_odds};

/// Number of bins of the calibration error, as in Guo et al. 2017.
const BINS: usize = 15;
/// The accuracy, 0-1, at which [`Evaluation::coverage_at_92`] is measured.
pub const TARGET_ACCURACY: f64 = 0.92;

/// A classified face with a known label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The known label.
    pub truth: Emotion,
    /// The model's distribution in [`Emotion`]'s order; sums to 1.
    pub probabilities: [f64; 7],
}

impl Sample {
    /// Index and probability of the likeliest emotion, the first one where several are equal.
    fn prediction(&self) -> (usize, f64) {
        let first = (0, self.probabilities[0]);
        (1..7).fold(first, |best, index| {
            let probability = self.probabilities[index];
            if probability > best.1 { (index, probability) } else { best }
        })
    }

    fn is_correct(&self) -> bool {
        self.prediction().0 == self.truth.index()
    }
}

/// Which of a person's images stand for the resting face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestImages {
    /// Those labelled neutral. They are a told profile, see [`RestingProfile::new_for_known_rest`].
    Neutral,
    /// All. Their mean has no expression that should come first, so no margin for neutral is added.
    All,
}

/// What one image of a person at rest weighs in a profile, seconds: as much as half a minute of video, after which a
/// profile has settled, because somebody chose it.
const IMAGE_SECONDS: f64 = 30.0;

/// Takes the resting face of each sample's person off its distribution, `share` (0-1) of it. Rest is what `images` says,
/// without the sample itself. `people` names the person of each sample. Returns the samples in the same order, and of each
/// whether its person had another image to take rest from; the others stay as they are.
pub fn take_off_rest(
    samples: &[Sample],
    people: &[&str],
    images: RestImages,
    share: f64,
) -> (Vec<Sample>, Vec<bool>) {
    let is_rest = |sample: &Sample| images == RestImages::All || sample.truth == Emotion::Neutral;
    let mut rest_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, (sample, &person)) in samples.iter().zip(people).enumerate() {
        if is_rest(sample) {
            rest_of.entry(person).or_default().push(index);
        }
    }
    let mut adjusted = samples.to_vec();
    let mut has_rest = vec![false; samples.len()];
    for (index, ((sample, has_rest), person)) in
        adjusted.iter_mut().zip(&mut has_rest).zip(people).enumerate()
    {
        let rest = rest_of.get(person).map_or(&[][..], Vec::as_slice);
        let others = rest.iter().filter(|&&other| other != index).filter_map(|&other| samples.get(other));
        let others: Vec<&[f64; 7]> = others.map(|sample| &sample.probabilities).collect();
        if !others.is_empty() {
            *has_rest = true;
            sample.probabilities = shift_from_images(&others, images, share).apply(&sample.probabilities);
        }
    }
    (adjusted, has_rest)
}

/// The shift by the distributions of a person's images, of which there is at least one.
fn shift_from_images(distributions: &[&[f64; 7]], images: RestImages, share: f64) -> LogitShift {
    match images {
        RestImages::Neutral => {
            let mut profile = RestingProfile::new_for_known_rest("");
            distributions.iter().for_each(|distribution| profile.observe(distribution, IMAGE_SECONDS));
            profile.shift(share)
        }
        RestImages::All => {
            let mut mean = [0.0; 7];
            for distribution in distributions {
                for (mean, value) in mean.iter_mut().zip(log_odds(distribution)) {
                    *mean += value / distributions.len() as f64;
                }
            }
            LogitShift::from_rest(&mean, 0.0).scale(share)
        }
    }
}

/// The results of an evaluation, all 0-1 except for the counts. Those of a class without samples are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The share of samples whose likeliest emotion is the known label.
    pub accuracy: f64,
    /// The mean over the classes of F1, the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// The expected calibration error over 15 equal bins of confidence (Guo et al. 2017, arXiv:1706.04599).
    pub ece: f64,
    /// The largest share of samples, in order of descending confidence, of which [`TARGET_ACCURACY`] are correct.
    pub coverage_at_92: f64,
    /// For each class, the share of its samples that are predicted correctly.
    pub per_class_recall: [f64; 7],
    /// Counts of samples: rows are the known labels, columns the predictions.
    pub confusion: [[u64; 7]; 7],
    /// Number of samples.
    pub samples: usize,
}

impl Evaluation {
    /// Evaluates `samples`; `None` where there are none.
    pub fn from_samples(samples: &[Sample]) -> Option<Self> {
        if samples.is_empty() {
            return None;
        }
        let count = samples.len() as f64;
        let mut confusion = [[0u64; 7]; 7];
        // The sum of the confidences and the number of correct predictions in each bin.
        let mut bins = [(0.0, 0.0); BINS];
        for sample in samples {
            let (predicted, confidence) = sample.prediction();
            confusion[sample.truth.index()][predicted] += 1;
            let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += confidence;
            bin.1 += f64::from(u8::from(sample.is_correct()));
        }
        let ratio = |part: u64, total: u64| if total == 0 { 0.0 } else { part as f64 / total as f64 };
        let recall: [f64; 7] =
            std::array::from_fn(|class| ratio(confusion[class][class], confusion[class].iter().sum()));
        let f1 = |class: usize| {
            let precision = ratio(confusion[class][class], confusion.iter().map(|row| row[class]).sum());
            let sum = precision + recall[class];
            if sum > 0.0 { 2.0 * precision * recall[class] / sum } else { 0.0 }
        };
        Some(Self {
            accuracy: (0..7).map(|class| confusion[class][class]).sum::<u64>() as f64 / count,
            macro_f1: (0..7).map(f1).sum::<f64>() / 7.0,
            ece: bins.iter().map(|(confidence, correct)| (correct - confidence).abs()).sum::<f64>() / count,
            coverage_at_92: covered_samples(samples) / count,
            per_class_recall: recall,
            confusion,
            samples: samples.len(),
        })
    }
}

impl Evaluation {
    /// The mean recall of the six expressions, all classes but neutral.
    pub fn mean_recall_of_expressions(&self) -> f64 {
        let neutral = self.per_class_recall[Emotion::Neutral.index()];
        (self.per_class_recall.iter().sum::<f64>() - neutral) / 6.0
    }
}

/// The largest number of samples, in order of descending confidence, whose accuracy is at least [`TARGET_ACCURACY`].
fn covered_samples(samples: &[Sample]) -> f64 {
    let mut by_confidence: Vec<(f64, bool)> =
        samples.iter().map(|sample| (sample.prediction().1, sample.is_correct())).collect();
    by_confidence.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut correct = 0.0;
    let mut covered = 0.0;
    for (index, (_, is_correct)) in by_confidence.into_iter().enumerate() {
        correct += f64::from(u8::from(is_correct));
        let labelled = (index + 1) as f64;
        if correct / labelled >= TARGET_ACCURACY {
            covered = labelled;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(truth: usize, predicted: usize, confidence: f64) -> Sample {
        let mut probabilities = [(1.0 - confidence) / 6.0; 7];
        probabilities[predicted] = confidence;
        Sample { truth: Emotion::from_index(truth).unwrap(), probabilities }
    }

    #[test]
    fn results_agree_with_a_calculation_by_hand() {
        // Three of four are correct: both happy samples and one of the two sad ones.
        let samples = [sample(3, 3, 0.9), sample(3, 3, 0.8), sample(4, 4, 0.6), sample(4, 3, 0.5)];
        let evaluation = Evaluation::from_samples(&samples).unwrap();
        assert_eq!(evaluation.samples, 4);
        assert_eq!(evaluation.accuracy, 0.75);
        assert_eq!(evaluation.per_class_recall, [0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]);
        assert_eq!((evaluation.confusion[4][3], evaluation.confusion[4][4]), (1, 1));
        // Happy: precision 2/3, recall 1, F1 0.8; sad: precision 1, recall 1/2, F1 2/3.
        assert!((evaluation.macro_f1 - (0.8 + 2.0 / 3.0) / 7.0).abs() < 1e-12);
        // Each sample is alone in its bin.
        assert!((evaluation.ece - (0.1 + 0.2 + 0.4 + 0.5) / 4.0).abs() < 1e-12);
        assert_eq!(evaluation.coverage_at_92, 0.75);
        assert_eq!(Evaluation::from_samples(&[]), None);
    }

    #[test]
    fn rest_is_taken_from_the_persons_other_images() {
        // A's face looks sad at rest, B's does not; C has one image only.
        let with = |truth: usize, probabilities: [f64; 7]| Sample {
            truth: Emotion::from_index(truth).unwrap(),
            probabilities,
        };
        let sad_rest = [0.05, 0.01, 0.05, 0.04, 0.6, 0.05, 0.2];
        let sad_and_angry = [0.3, 0.01, 0.05, 0.04, 0.5, 0.05, 0.05];
        let samples = [
            with(6, sad_rest),
            with(6, sad_rest),
            with(0, sad_and_angry),
            with(6, [0.02, 0.01, 0.02, 0.02, 0.02, 0.01, 0.9]),
            with(6, [0.02, 0.01, 0.02, 0.02, 0.02, 0.01, 0.9]),
            with(4, sad_rest),
        ];
        let people = ["A", "A", "A", "B", "B", "C"];
        let (adjusted, has_rest) = take_off_rest(&samples, &people, RestImages::Neutral, 1.0);
        assert_eq!(has_rest, [true, true, true, true, true, false]);
        assert_eq!(Evaluation::from_samples(&samples).unwrap().accuracy, 3.0 / 6.0);
        assert_eq!(Evaluation::from_samples(&adjusted).unwrap().accuracy, 1.0);
        assert_eq!(adjusted[5], samples[5], "nothing is known of C");
        assert_eq!(take_off_rest(&samples, &people, RestImages::Neutral, 0.0).0, samples);
        // The judged image itself is no evidence: without the second neutral image, A's first one stays sad.
        let (alone, has_rest) = take_off_rest(&samples[1..3], &people[1..3], RestImages::Neutral, 1.0);
        assert_eq!((has_rest, alone[0]), (vec![false, true], samples[1]));
        let (by_mean, has_rest) = take_off_rest(&samples, &people, RestImages::All, 1.0);
        assert_eq!((&has_rest[4..], by_mean[2].is_correct()), (&[true, false][..], true));
    }

    #[test]
    fn coverage_recovers_after_an_error_of_high_confidence() {
        let mut samples = vec![sample(0, 1, 0.99)];
        samples.extend((0..20).map(|_| sample(0, 0, 0.9)));
        assert_eq!(Evaluation::from_samples(&samples).unwrap().coverage_at_92, 1.0);
        assert_eq!(Evaluation::from_samples(&samples[..3]).unwrap().coverage_at_92, 0.0);
    }
}
