//! Which method a column is given, when none is named: the one under which the data are most probable.
//!
//! For column `v` and method `m`, with the logarithm of the evidence `E_m(v)` of [`Solution::log_evidence`],
//!
//! ```text
//! chosen(v) = argmax_m  mean of E_m(u) over the neighbours u of v
//! ```
//!
//! Evidence weighs fit against freedom in one currency for all methods. For a Gaussian prior the activity is integrated out
//! exactly (MacKay 1992, doi 10.1162/neco.1992.4.3.415), at the lambda that makes data likeliest. For a sparse one it is the evidence
//! of the likeliest support, which pays for the number of supports of its size (Chen & Chen 2008, doi 10.1093/biomet/asn034) and
//! is credited with those that fit nearly as well. Cross-validation and information criteria with effective degrees of freedom
//! fail in some of the cases of `benches/accuracy`: what predicts the data equally well can be far apart in activity.
//!
//! Where signal and noise are equally strong, the evidence of one column errs now and then, and that of neighbours
//! with the same kind of activity does not. Who is a neighbour is the caller's to say. Noise that is autocorrelated and taken to
//! be white turns the choice towards ridge.
//!
//! [`Solution::log_evidence`]: super::Solution::log_evidence

/// The method with the largest criterion in each column; the earlier one where two are equal, so that the simplest comes first.
///
/// `criteria` has a vector a method, with an entry a column. NaN never wins over a number.
pub fn choose(criteria: &[Vec<f64>]) -> Vec<usize> {
    let columns = criteria.first().map_or(0, Vec::len);
    let mut best = vec![(f64::NEG_INFINITY, 0); columns];
    for (method, values) in criteria.iter().enumerate() {
        for (best, value) in best.iter_mut().zip(values) {
            if *value > best.0 {
                *best = (*value, method);
            }
        }
    }
    best.into_iter().map(|(_, method)| method).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_wins_and_the_first_of_equals() {
        let criteria = [vec![0.0, 1.0, 2.0, f64::NAN], vec![1.0, 1.0, f64::NAN, f64::NAN], vec![0.5, 3.0, -1.0, -9.0]];
        assert_eq!(choose(&criteria), [1, 2, 0, 2]);
        assert_eq!(choose(&[vec![f64::NAN], vec![f64::NAN]]), [0]);
        assert!(choose(&[]).is_empty());
    }
}
