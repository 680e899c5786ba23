//! What a model's probabilities are worth against known labels.

use mood_schema::Emotion;

/// Bins of the calibration error.
const BINS: usize = 15;
/// The accuracy that coverage is asked for.
pub const WANTED_ACCURACY: f64 = 0.92;

/// A classified face with a known label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What it shows.
    pub truth: Emotion,
    /// What the model says, in [`Emotion`]'s order.
    pub probabilities: [f64; 7],
}

impl Sample {
    /// The likeliest emotion, the first of equals, and its probability.
    fn guess(&self) -> (usize, f64) {
        let first = (0, self.probabilities[0]);
        (1..7).fold(first, |best, index| {
            let probability = self.probabilities[index];
            if probability > best.1 { (index, probability) } else { best }
        })
    }

    fn is_right(&self) -> bool {
        self.guess().0 == self.truth.index()
    }
}

/// The figures. Those of a class without a sample are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Share of faces whose likeliest emotion is the label.
    pub accuracy: f64,
    /// Mean over the classes of the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// Expected calibration error over 15 equal bins of confidence (Guo et al. 2017, arXiv:1706.04599).
    pub ece: f64,
    /// The largest share of faces, surest first, of which [`WANTED_ACCURACY`] are right.
    pub coverage_at_92: f64,
    /// Share of a class's faces that are labelled so.
    pub per_class_recall: [f64; 7],
    /// Rows are the labels, columns what the model says.
    pub confusion: [[u64; 7]; 7],
    /// Faces.
    pub samples: usize,
}

impl Evaluation {
    /// The figures of `samples`; `None` where there are none.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        if samples.is_empty() {
            return None;
        }
        let count = samples.len() as f64;
        let mut confusion = [[0u64; 7]; 7];
        let mut bins = [(0.0, 0.0); BINS];
        for sample in samples {
            let (guess, confidence) = sample.guess();
            confusion[sample.truth.index()][guess] += 1;
            let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += confidence;
            bin.1 += f64::from(u8::from(sample.is_right()));
        }
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let recall: [f64; 7] =
            std::array::from_fn(|class| share(confusion[class][class], confusion[class].iter().sum()));
        let f1 = |class: usize| {
            let precision = share(confusion[class][class], confusion.iter().map(|row| row[class]).sum());
            let sum = precision + recall[class];
            if sum > 0.0 { 2.0 * precision * recall[class] / sum } else { 0.0 }
        };
        Some(Self {
            accuracy: (0..7).map(|class| confusion[class][class]).sum::<u64>() as f64 / count,
            macro_f1: (0..7).map(f1).sum::<f64>() / 7.0,
            ece: bins.iter().map(|(confidence, right)| (right - confidence).abs()).sum::<f64>() / count,
            coverage_at_92: coverage(samples) / count,
            per_class_recall: recall,
            confusion,
            samples: samples.len(),
        })
    }
}

/// How many faces can be labelled, surest first, before accuracy falls below the wanted one for good.
fn coverage(samples: &[Sample]) -> f64 {
    let mut surest: Vec<(f64, bool)> =
        samples.iter().map(|sample| (sample.guess().1, sample.is_right())).collect();
    surest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut right = 0.0;
    let mut covered = 0.0;
    for (index, (_, is_right)) in surest.into_iter().enumerate() {
        right += f64::from(u8::from(is_right));
        let labelled = (index + 1) as f64;
        if right / labelled >= WANTED_ACCURACY {
            covered = labelled;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(truth: usize, guess: usize, confidence: f64) -> Sample {
        let mut probabilities = [(1.0 - confidence) / 6.0; 7];
        probabilities[guess] = confidence;
        Sample { truth: Emotion::from_index(truth).unwrap(), probabilities }
    }

    #[test]
    fn figures_counted_by_hand() {
        // Three of four right; happy found twice of two, sad once of two.
        let samples = [sample(3, 3, 0.9), sample(3, 3, 0.8), sample(4, 4, 0.6), sample(4, 3, 0.5)];
        let evaluation = Evaluation::of(&samples).unwrap();
        assert_eq!(evaluation.samples, 4);
        assert_eq!(evaluation.accuracy, 0.75);
        assert_eq!(evaluation.per_class_recall, [0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]);
        assert_eq!((evaluation.confusion[4][3], evaluation.confusion[4][4]), (1, 1));
        // Happy: precision 2/3, recall 1, F1 0.8; sad: precision 1, recall 1/2, F1 2/3.
        assert!((evaluation.macro_f1 - (0.8 + 2.0 / 3.0) / 7.0).abs() < 1e-12);
        // Each face stands alone in its bin.
        assert!((evaluation.ece - (0.1 + 0.2 + 0.4 + 0.5) / 4.0).abs() < 1e-12);
        assert_eq!(evaluation.coverage_at_92, 0.75);
        assert_eq!(Evaluation::of(&[]), None);
    }

    #[test]
    fn coverage_may_recover_after_an_early_mistake() {
        let mut samples = vec![sample(0, 1, 0.99)];
        samples.extend((0..20).map(|_| sample(0, 0, 0.9)));
        assert_eq!(Evaluation::of(&samples).unwrap().coverage_at_92, 1.0);
        assert_eq!(Evaluation::of(&samples[..3]).unwrap().coverage_at_92, 0.0);
    }
}
