//! Columns of a run that a model left out.

use crate::preprocess::{Exclusion, ExclusionReason};

/// The columns left out, ascending, each with its reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Excluded(Vec<Exclusion>);

impl Excluded {
    /// From the preprocess room's list, which is ascending.
    pub(super) fn new(entries: Vec<Exclusion>) -> Self {
        Self(entries)
    }

    /// Adds columns in which the decoder met values that are not finite (they count as 0 in the series).
    pub(super) fn add_not_finite(&mut self, columns: &[usize]) {
        let own = std::mem::take(&mut self.0);
        let not_finite = columns.iter().map(|&column| Exclusion { column, reason: ExclusionReason::NotFinite });
        self.0 = not_finite.chain(own).collect();
        self.0.sort_by_key(|entry| entry.column); // stable: of two reasons, "not finite" comes first
        self.0.dedup_by_key(|entry| entry.column);
    }

    /// Columns that any of these left out.
    pub(super) fn of_all<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut entries: Vec<Exclusion> = all.flat_map(|excluded| excluded.0.iter().copied()).collect();
        entries.sort_by_key(|entry| entry.column);
        entries.dedup_by_key(|entry| entry.column);
        Self(entries)
    }

    /// All of them.
    pub(super) fn entries(&self) -> &[Exclusion] {
        &self.0
    }

    /// The columns alone, ascending.
    pub(super) fn columns(&self) -> Vec<usize> {
        self.0.iter().map(|entry| entry.column).collect()
    }

    /// The other columns of `n_columns`, ascending.
    pub(super) fn analysed(&self, n_columns: usize) -> Vec<usize> {
        let mut left_out = self.0.iter().map(|entry| entry.column).peekable();
        (0..n_columns).filter(|column| left_out.next_if_eq(column).is_none()).collect()
    }

    /// `values` with the excluded columns at 0.
    pub(super) fn cleared(&self, values: &[f64]) -> Vec<f64> {
        let mut values = values.to_vec();
        self.clear(&mut values);
        values
    }

    /// Sets the excluded columns of a map to 0, which is what a map holds where nothing was computed.
    pub(super) fn clear(&self, values: &mut [f64]) {
        self.0.iter().for_each(|entry| values[entry.column] = 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(of: &[usize], reason: ExclusionReason) -> Excluded {
        Excluded::new(of.iter().map(|&column| Exclusion { column, reason }).collect())
    }

    #[test]
    fn a_column_is_listed_once_with_its_gravest_reason() {
        let mut excluded = columns(&[1, 4], ExclusionReason::Constant);
        excluded.add_not_finite(&[0, 4]);
        assert_eq!(excluded.columns(), [0, 1, 4]);
        assert_eq!(excluded.analysed(6), [2, 3, 5]);
        assert_eq!(excluded.entries()[2].reason, ExclusionReason::NotFinite);
    }

    #[test]
    fn over_runs_a_column_left_out_of_one_is_left_out() {
        let (a, b) = (columns(&[2], ExclusionReason::Constant), columns(&[0, 2], ExclusionReason::MeanTooLow));
        let all = Excluded::of_all([&a, &b].into_iter());
        let mut map = [1.0, 2.0, f64::NAN];
        all.clear(&mut map);
        assert_eq!(map, [0.0, 2.0, 0.0]);
    }
}
