//! Evaluation of a model's distributions against known labels: accuracy, F1, calibration, coverage.

use mood_schema::Emotion;

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
    fn coverage_recovers_after_an_error_of_high_confidence() {
        let mut samples = vec![sample(0, 1, 0.99)];
        samples.extend((0..20).map(|_| sample(0, 0, 0.9)));
        assert_eq!(Evaluation::from_samples(&samples).unwrap().coverage_at_92, 1.0);
        assert_eq!(Evaluation::from_samples(&samples[..3]).unwrap().coverage_at_92, 0.0);
    }
}
