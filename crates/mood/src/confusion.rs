//! The classifier's confusion matrix: how often it gives each label to faces of each emotion.

/// Counts for the model built into `emotionclassify` on the PublicTest split of FER-2013 (3,589 faces;
/// Goodfellow et al. 2013, arXiv:1307.0414), from `gst-mood evaluate`; `models/README.md` has the same table.
/// Rows are FER-2013's labels, columns the model's, both in the order of [`mood_schema::Emotion`].
const BUILT_IN_COUNTS: [[u32; 7]; 7] = [
    [270, 4, 16, 18, 34, 18, 107],
    [23, 22, 0, 2, 5, 0, 4],
    [48, 1, 141, 14, 118, 52, 122],
    [6, 1, 3, 801, 6, 20, 58],
    [42, 1, 26, 20, 315, 9, 240],
    [11, 0, 16, 22, 4, 339, 23],
    [18, 1, 7, 46, 39, 8, 488],
];
/// Share of labels that the filter takes as given at random, 0 to 1: a label that was never counted for an
/// emotion is unlikely, not impossible.
const RANDOM_LABEL_SHARE: f64 = 0.02;

/// The probability of each label given the emotion that a face shows, P(label | emotion): seven rows
/// (emotions) of seven labels, both in the order of [`mood_schema::Emotion`]. Each row sums to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfusionMatrix([[f64; 7]; 7]);

/// A row of counts without any face, of which no probabilities can be computed. Holds the row's index (0-6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the confusion matrix has no faces in row {0}: measure the classifier on faces of all seven emotions"
)]
pub struct EmptyRowError(usize);

impl Default for ConfusionMatrix {
    /// The matrix measured for the model built into `emotionclassify`.
    fn default() -> Self {
        Self(BUILT_IN_COUNTS.map(|row| normalize(row.map(f64::from))))
    }
}

impl ConfusionMatrix {
    /// Computes the probabilities from counts of faces: rows are the true emotions, columns the classifier's
    /// labels, as in the key `confusion` of `gst-mood evaluate --json`. Fails where a row has no faces.
    pub fn from_counts(counts: &[[u32; 7]; 7]) -> Result<Self, EmptyRowError> {
        match counts.iter().position(|row| row.iter().all(|count| *count == 0)) {
            Some(row) => Err(EmptyRowError(row)),
            None => Ok(Self(counts.map(|row| normalize(row.map(f64::from))))),
        }
    }

    /// The probability of each label for a face that shows the emotion with this index (0 to 6); their sum is
    /// one. Equal probabilities for any other index.
    pub fn label_probabilities(&self, emotion: usize) -> [f64; 7] {
        self.0.get(emotion).copied().unwrap_or([1.0 / 7.0; 7])
    }

    /// The likelihood of each emotion, P(labels | emotion), for a mixture of labels given as weights that sum
    /// to 1.
    pub(crate) fn likelihoods(&self, weights: &[f64; 7]) -> [f64; 7] {
        self.0.map(|row| {
            let likelihood: f64 = row.iter().zip(weights).map(|(share, weight)| share * weight).sum();
            (1.0 - RANDOM_LABEL_SHARE) * likelihood + RANDOM_LABEL_SHARE / 7.0
        })
    }
}

/// Scales counts so that they sum to 1.
fn normalize(row: [f64; 7]) -> [f64; 7] {
    let sum: f64 = row.iter().sum();
    row.map(|count| count / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::Emotion;

    #[test]
    fn rows_sum_to_one_and_an_empty_row_is_an_error() {
        let built_in = ConfusionMatrix::default();
        for emotion in Emotion::ALL {
            let probabilities = built_in.label_probabilities(emotion.index());
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(ConfusionMatrix::from_counts(&BUILT_IN_COUNTS), Ok(built_in));
        let mut counts = BUILT_IN_COUNTS;
        counts[2] = [0; 7];
        assert!(ConfusionMatrix::from_counts(&counts).unwrap_err().to_string().contains("row 2"));
    }

    #[test]
    fn a_label_supports_the_emotions_it_is_given_to() {
        let mut sad = [0.0; 7];
        sad[Emotion::Sad.index()] = 1.0;
        let likelihoods = ConfusionMatrix::default().likelihoods(&sad);
        let likelihood_of = |emotion: Emotion| likelihoods[emotion.index()];
        assert!(likelihood_of(Emotion::Sad) > likelihood_of(Emotion::Fear));
        assert!(likelihood_of(Emotion::Fear) > 5.0 * likelihood_of(Emotion::Happy));
        assert!(likelihoods.iter().all(|likelihood| *likelihood > 0.0));
    }

    #[test]
    fn the_built_in_matrix_equals_the_model_card() {
        let card =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/README.md")).unwrap();
        let rows = card.lines().filter(|line| line.starts_with("| **") && line.ends_with("% |"));
        let counts = rows.map(|row| {
            let cells: Vec<u32> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            <[u32; 7]>::try_from(cells).unwrap()
        });
        let counts: Vec<[u32; 7]> = counts.collect();
        assert_eq!(counts, BUILT_IN_COUNTS, "copy the new model's table from models/README.md");
    }
}
