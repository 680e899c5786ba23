//! Confusion matrix of two coders, and the coefficients computed from it.

/// How often two coders gave each pair of labels: rows are the first coder's labels, columns the second's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confusion {
    labels: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// An empty matrix of `labels` rows and columns.
    pub(crate) fn new(labels: usize) -> Self {
        Self { labels, counts: vec![0; labels * labels] }
    }

    /// Counts a unit that the first coder called `first` and the second `second` (indices of labels).
    pub(crate) fn add(&mut self, first: usize, second: usize) {
        if let Some(count) = self.counts.get_mut(first * self.labels + second) {
            *count += 1;
        }
    }

    /// Adds all counts of a matrix of the same size.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// Number of units of the pair of labels.
    pub(crate) fn count(&self, first: usize, second: usize) -> u64 {
        self.counts.get(first * self.labels + second).copied().unwrap_or_default()
    }

    /// Number of units.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How often the first coder gave the label.
    pub(crate) fn first_total(&self, label: usize) -> u64 {
        (0..self.labels).map(|second| self.count(label, second)).sum()
    }

    /// How often the second coder gave the label.
    pub(crate) fn second_total(&self, label: usize) -> u64 {
        (0..self.labels).map(|first| self.count(first, label)).sum()
    }

    /// Number of units with equal labels.
    fn agreeing(&self) -> u64 {
        (0..self.labels).map(|label| self.count(label, label)).sum()
    }

    /// Share of the units with equal labels, 0-1; `None` without units.
    pub(crate) fn observed_agreement(&self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| self.agreeing() as f64 / total as f64)
    }

    /// Cohen's kappa (Cohen 1960, doi:10.1177/001316446002000104), at most 1; `None` where both coders gave the same single
    /// label throughout, because chance alone then agrees as well, and without units.
    pub(crate) fn kappa(&self) -> Option<f64> {
        let observed = self.observed_agreement()?;
        let total = self.total() as f64;
        let by_chance: f64 = (0..self.labels)
            .map(|label| self.first_total(label) as f64 * self.second_total(label) as f64 / (total * total))
            .sum();
        let room = 1.0 - by_chance;
        (room > 1e-12).then(|| (observed - by_chance) / room)
    }

    /// Krippendorff's alpha for nominal data and two coders without missing values (Krippendorff 2011, "Computing
    /// Krippendorff's Alpha-Reliability"), at most 1; `None` where only one label occurs.
    pub(crate) fn alpha(&self) -> Option<f64> {
        let units = self.total() as f64;
        let values = 2.0 * units;
        let squares: f64 = (0..self.labels)
            .map(|label| ((self.first_total(label) + self.second_total(label)) as f64).powi(2))
            .sum();
        let expected = values * values - squares;
        if units == 0.0 || expected <= 0.0 {
            return None;
        }
        let disagreeing = 2.0 * (units - self.agreeing() as f64);
        Some(1.0 - (values - 1.0) * disagreeing / expected)
    }

    /// The matrix of one label against all others.
    pub(crate) fn one_against_rest(&self, label: usize) -> Self {
        let (both, first, second) =
            (self.count(label, label), self.first_total(label), self.second_total(label));
        let neither = (self.total() + both).saturating_sub(first + second);
        Self { labels: 2, counts: vec![both, first - both, second - both, neither] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u64]]) -> Confusion {
        Confusion { labels: rows.len(), counts: rows.concat() }
    }

    #[test]
    fn coefficients_are_those_of_published_examples() {
        // Two readers of 50 grant proposals, the usual example of Cohen's kappa: 0.4.
        let proposals = matrix(&[&[20, 5], &[10, 15]]);
        assert!((proposals.kappa().unwrap_or_default() - 0.4).abs() < 1e-12);
        // Krippendorff 2011, section B: ten units, two coders, binary data: alpha 0.095.
        let binary = matrix(&[&[5, 3], &[1, 1]]);
        assert!((binary.alpha().unwrap_or_default() - 0.095).abs() < 5e-4);
        // Section C of the same, without the units that only one of the coders judged.
        assert_eq!(matrix(&[&[7, 0], &[0, 0]]).kappa(), None);
        assert_eq!(matrix(&[&[7, 0], &[0, 0]]).alpha(), None);
        assert_eq!(Confusion::new(2).observed_agreement(), None);
    }

    #[test]
    fn one_label_against_the_rest_keeps_the_totals() {
        let confusion = matrix(&[&[5, 1, 2], &[0, 7, 3], &[4, 0, 9]]);
        for label in 0..3 {
            let rest = confusion.one_against_rest(label);
            assert_eq!(rest.total(), confusion.total());
            assert_eq!(rest.first_total(0), confusion.first_total(label));
            assert_eq!(rest.second_total(0), confusion.second_total(label));
        }
    }
}
