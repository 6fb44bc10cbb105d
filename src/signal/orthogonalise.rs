//! Sequential orthogonalisation of columns.

/// Makes each column orthogonal to all before it, in order; the first stays as it is, none is centred or rescaled.
/// Columns (time) must be equally long.
pub fn orthogonalise_in_order(columns: &mut [Vec<f64>]) {
    for index in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(index);
        orthogonalise_to(before, &mut rest[0]);
    }
}

/// Takes out of `column` what lies along each of `others`, which must be orthogonal to each other.
///
/// Gram-Schmidt with every projection taken twice: the second pass removes what rounding leaves of the first, so that
/// the result is orthogonal to 1e-15 of its length.
pub fn orthogonalise_to(others: &[Vec<f64>], column: &mut [f64]) {
    for _pass in 0..2 {
        for other in others {
            let squares = dot(other, other);
            if squares > 0.0 {
                let share = dot(column, other) / squares;
                for (value, other) in column.iter_mut().zip(other) {
                    *value -= share * other;
                }
            }
        }
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_vanish_and_the_first_column_stays() {
        let first = vec![1.0, 2.0, 3.0, 4.0];
        let mut columns = vec![first.clone(), vec![1.0; 4], vec![0.0; 4], vec![1.0, 4.0, 9.0, 17.0]];
        orthogonalise_in_order(&mut columns);
        assert_eq!(columns[0], first);
        for i in 0..4 {
            for j in 0..i {
                // columns of order 1 to 10: a few ulps of their product
                assert!(dot(&columns[i], &columns[j]).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_column_in_the_span_of_the_first_becomes_zero() {
        let mut columns = vec![vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]];
        orthogonalise_in_order(&mut columns);
        assert!(columns[1].iter().all(|value| value.abs() < 1e-15));
    }
}
