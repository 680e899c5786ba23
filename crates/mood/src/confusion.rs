//! How a classifier errs: which labels it gives to faces of each emotion.

/// What `gst-mood evaluate` counts for the model built into `emotionclassify` on FER-2013's PublicTest (3,589 faces);
/// `models/README.md` has the same table. Rows are what the faces show, columns what the model says.
const MEASURED: [[u32; 7]; 7] = [
    [270, 4, 16, 18, 34, 18, 107],
    [23, 22, 0, 2, 5, 0, 4],
    [48, 1, 141, 14, 118, 52, 122],
    [6, 1, 3, 801, 6, 20, 58],
    [42, 1, 26, 20, 315, 9, 240],
    [11, 0, 16, 22, 4, 339, 23],
    [18, 1, 7, 46, 39, 8, 488],
];
/// A label that was never given is not impossible: this share of all labels is taken as given at random.
const UNFORESEEN: f64 = 0.02;

/// The share of each label among faces of each emotion, both in the order of [`mood_schema::Emotion`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confusion([[f64; 7]; 7]);

/// Counts of which no shares can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the confusion matrix has no faces in row {0}: measure the classifier on faces of all seven emotions"
)]
pub struct EmptyRow(usize);

impl Default for Confusion {
    /// As measured for the model built into `emotionclassify`.
    fn default() -> Self {
        Self(MEASURED.map(|row| shares(row.map(f64::from))))
    }
}

impl Confusion {
    /// From counts of faces: rows are what they show, columns what the classifier says, as the key `confusion` of
    /// `gst-mood evaluate --json` has them. Fails where a row is empty.
    pub fn from_counts(counts: &[[u32; 7]; 7]) -> Result<Self, EmptyRow> {
        match counts.iter().position(|row| row.iter().all(|count| *count == 0)) {
            Some(row) => Err(EmptyRow(row)),
            None => Ok(Self(counts.map(|row| shares(row.map(f64::from))))),
        }
    }

    /// The share of each label among faces of the emotion with this index; the shares make 1.
    pub fn labels(&self, emotion: usize) -> [f64; 7] {
        self.0.get(emotion).copied().unwrap_or([1.0 / 7.0; 7])
    }

    /// How likely each emotion makes a mixture of labels, given as weights that make 1.
    pub(crate) fn likelihood(&self, weights: &[f64; 7]) -> [f64; 7] {
        self.0.map(|row| {
            let likelihood: f64 = row.iter().zip(weights).map(|(share, weight)| share * weight).sum();
            (1.0 - UNFORESEEN) * likelihood + UNFORESEEN / 7.0
        })
    }
}

fn shares(row: [f64; 7]) -> [f64; 7] {
    let sum: f64 = row.iter().sum();
    row.map(|count| count / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::Emotion;

    #[test]
    fn rows_make_one_and_an_empty_row_is_refused() {
        let measured = Confusion::default();
        for emotion in Emotion::ALL {
            let labels = measured.labels(emotion.index());
            assert!((labels.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(Confusion::from_counts(&MEASURED), Ok(measured));
        let mut counts = MEASURED;
        counts[2] = [0; 7];
        assert!(Confusion::from_counts(&counts).unwrap_err().to_string().contains("row 2"));
    }

    #[test]
    fn a_label_speaks_for_whatever_is_called_so() {
        let mut sad = [0.0; 7];
        sad[Emotion::Sad.index()] = 1.0;
        let likelihood = Confusion::default().likelihood(&sad);
        let of = |emotion: Emotion| likelihood[emotion.index()];
        assert!(of(Emotion::Sad) > of(Emotion::Fear) && of(Emotion::Fear) > 5.0 * of(Emotion::Happy));
        assert!(likelihood.iter().all(|likelihood| *likelihood > 0.0));
    }

    #[test]
    fn the_matrix_is_the_model_cards() {
        let card =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/README.md")).unwrap();
        let rows = card.lines().filter(|line| line.starts_with("| **") && line.ends_with("% |"));
        let counts = rows.map(|row| {
            let cells: Vec<u32> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            <[u32; 7]>::try_from(cells).unwrap()
        });
        let counts: Vec<[u32; 7]> = counts.collect();
        assert_eq!(counts, MEASURED, "a new model: copy its table from models/README.md to MEASURED");
    }
}
