//! Which autocorrelation the noise of each column has: a few values, so that each costs one factorisation.

use crate::config::ActivityNoise;

/// Width of a bin of autocorrelations that a GLM found. Within half of it the weights of a least-squares estimate lose less
/// than a thousandth of their efficiency, and a run needs some twenty factorisations instead of one a voxel.
const BIN_WIDTH: f64 = 0.05;

/// Autocorrelations that the likelihood chooses from: a step of a tenth costs a least-squares estimate less than a hundredth
/// of its efficiency, and each is a factorisation and a fit.
pub const RHO_CHOICES: [f64; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// The logarithm of the probability of an autocorrelation `rho` from frame to frame before data are seen: `3 ln(1 - rho_2)`,
/// `rho_2` what it is over 2 s. It has a mean of .2 and is below .53 in 19 of 20: what is left of noise when drift and confounds
/// are out. Smooth activity and smooth noise look so much alike that without it, now and then, noise of .8 would be likeliest
/// and activity nothing; where data do tell them apart it hardly matters (`benches/accuracy`).
#[must_use]
pub fn rho_log_prior(rho: f64, tr_s: f64) -> f64 {
    3.0 * libm::log1p(-libm::pow(rho, 2.0 / tr_s))
}

/// The autocorrelations at work, and which of them each column has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NoiseBins {
    /// Ascending.
    pub(super) values: Vec<f64>,
    of_column: OfColumn,
}

#[derive(Debug, Clone, PartialEq)]
enum OfColumn {
    /// The only one.
    Same,
    /// One each.
    Own(Vec<u16>),
    /// The one under which its data are likeliest, weighed with what is known of noise beforehand.
    Likeliest,
}

impl NoiseBins {
    /// For a noise model; `rho` is what a GLM found in each column, where the noise is from one.
    pub(super) fn new(noise: &ActivityNoise, rho: Option<&[f64]>) -> Self {
        match (noise, rho) {
            (ActivityNoise::Rho(rho), _) => Self { values: vec![*rho], of_column: OfColumn::Same },
            (ActivityNoise::Evidence, _) => Self { values: RHO_CHOICES.to_vec(), of_column: OfColumn::Likeliest },
            (ActivityNoise::FromGlm(_), Some(rho)) => Self::of_glm(rho),
            (ActivityNoise::White | ActivityNoise::FromGlm(_), _) => {
                Self { values: vec![0.0], of_column: OfColumn::Same }
            }
        }
    }

    /// The values themselves, an entry a column.
    pub(super) fn exactly(rho: &[f64]) -> Self {
        let mut values = rho.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup_by(|a, b| a == b);
        let place = |rho: &f64| values.partition_point(|other| other < rho) as u16;
        let own = rho.iter().map(place).collect();
        Self { values, of_column: OfColumn::Own(own) }
    }

    fn of_glm(rho: &[f64]) -> Self {
        // a coefficient of 1 has no stationary process
        let step = |rho: &f64| (rho.clamp(-0.95, 0.95) / BIN_WIDTH).round() as i32;
        let mut steps: Vec<i32> = rho.iter().map(step).collect();
        let own = steps.clone();
        steps.sort_unstable();
        steps.dedup();
        let place = |step: i32| steps.partition_point(|other| *other < step) as u16;
        Self {
            values: steps.iter().map(|step| f64::from(*step) * BIN_WIDTH).collect(),
            of_column: OfColumn::Own(own.into_iter().map(place).collect()),
        }
    }

    /// Whether each column is to have the one that makes its data likeliest.
    pub(super) fn are_open(&self) -> bool {
        self.of_column == OfColumn::Likeliest
    }

    /// The logarithm of the probability of a bin's autocorrelation before data are seen, where it is to be chosen; else 0.
    pub(super) fn log_prior(&self, bin: usize, tr_s: f64) -> f64 {
        if self.are_open() { rho_log_prior(self.values[bin], tr_s) } else { 0.0 }
    }

    /// Place of the autocorrelation that a column has.
    pub(super) fn bin(&self, column: usize) -> usize {
        match &self.of_column {
            OfColumn::Own(own) => usize::from(own[column]),
            OfColumn::Same | OfColumn::Likeliest => 0,
        }
    }

    /// The columns of `columns` (as places in it) that are to be tried with the bin.
    pub(super) fn columns(&self, bin: usize, columns: &std::ops::Range<usize>) -> Vec<usize> {
        match &self.of_column {
            OfColumn::Same | OfColumn::Likeliest => (0..columns.len()).collect(),
            OfColumn::Own(own) => {
                let of_columns = &own[columns.clone()];
                (0..columns.len()).filter(|&at| usize::from(of_columns[at]) == bin).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_nearest_bin() {
        let bins = NoiseBins::new(
            &ActivityNoise::FromGlm(crate::config::Located::unplaced("glm".into())),
            Some(&[0.31, 0.0, 0.29, 0.99, -0.02]),
        );
        // 0.95 is the last step
        assert_eq!(bins.values.iter().map(|rho| (rho * 100.0).round()).collect::<Vec<_>>(), [0.0, 30.0, 95.0]);
        assert_eq!(bins.columns(0, &(0..5)), [1, 4]);
        assert_eq!(bins.columns(1, &(0..5)), [0, 2]);
        assert_eq!((bins.columns(2, &(3..5)), bins.bin(2), bins.are_open()), (vec![0], 1, false));
    }

    #[test]
    fn values_that_were_chosen_stay() {
        let bins = NoiseBins::exactly(&[0.3, -0.1, 0.3]);
        assert_eq!(bins.values, [-0.1, 0.3]);
        assert_eq!((bins.columns(0, &(0..3)), bins.columns(1, &(0..3))), (vec![1], vec![0, 2]));
    }

    #[test]
    fn one_value_or_all_of_them_for_every_column() {
        let same = NoiseBins::new(&ActivityNoise::Rho(0.3), None);
        assert_eq!((same.values.as_slice(), same.columns(0, &(4..6))), ([0.3].as_slice(), vec![0, 1]));
        let likeliest = NoiseBins::new(&ActivityNoise::Evidence, None);
        assert!(likeliest.values.contains(&0.0) && likeliest.are_open() && !same.are_open());
        assert_eq!((likeliest.log_prior(0, 2.0), same.log_prior(0, 2.0)), (0.0, 0.0));
        // (1 - .5)^3 over 2 s; the same noise at half the time between frames has the root of the autocorrelation
        assert!((likeliest.log_prior(5, 2.0) - 0.125_f64.ln()).abs() < 1e-15);
        assert!((rho_log_prior(0.5_f64.sqrt(), 1.0) - 0.125_f64.ln()).abs() < 1e-15);
        assert!((0..likeliest.values.len()).all(|bin| likeliest.columns(bin, &(0..3)).len() == 3));
    }
}
