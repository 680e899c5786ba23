//! The scalar product of vectors.

/// Sums that are kept apart, so that the compiler can use vectors of any CPU.
const LANES: usize = 16;

/// The sum of the products of the values of `a` and `b`; what one of them has more is left out.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let length = a.len().min(b.len());
    let ((a, a_rest), (b, b_rest)) = (a[..length].as_chunks::<LANES>(), b[..length].as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_once() {
        for length in 0..70 {
            let a: Vec<f32> = (0..length).map(|i| (i % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..length + 5).map(|i| (i % 5) as f32 + 1.0).collect();
            let expected: f32 = (0..length).map(|i| a[i] * b[i]).sum();
            assert_eq!(dot(&a, &b), expected, "{length}");
        }
    }
}
