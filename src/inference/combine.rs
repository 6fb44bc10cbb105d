//! Fixed effects: one contrast combined over the runs of a subject.
//!
//! With effects `e_r`, variances `v_r`, dof `d_r` of R runs:
//!
//! ```text
//! mean       e = sum e_r / R          v = sum v_r / R^2    dof (sum v_r)^2 / sum(v_r^2 / d_r)   (Satterthwaite 1946)
//! precision  e = sum w_r e_r / W      v = (1 + 4 sum (w_r/W)(1 - w_r/W) / d_r) / W,  w_r = 1 / v_r,  W = sum w_r
//! ```
//!
//! The bracket is Meier's correction (1953, doi 10.2307/3001633): estimated weights make 1 / W too small. Plain
//! variances leave it out, and their dof is the sum. Of an F the same with covariance matrices, dof the sum; with
//! `S = sum V_r^-1` the bracket becomes `S^-1 + 4 sum (P_r - P_r P_r) S^-1 / d_r`, `P_r = S^-1 V_r^-1`, by the same two
//! first-order terms (as Kenward and Roger 1997, doi 10.2307/2533558): without it, three null runs of some 45 dof give
//! .060 where .05 is meant. Where effects were whitened (nilearn), whitened effects and dispersions are averaged like
//! effects and variances of a mean, whatever the method: nilearn's approximation.

use super::field::{ContrastField, Dof, Spread};
use crate::config::{ContrastKind, FixedEffects, FixedEffectsVariance, Numerics};
use crate::model::{invert_packed, packed_length};
use ndarray::{Array2, ArrayView1};

/// Combines the fields of several runs, all of the same contrast and columns.
///
/// A single field is given back as it is. A column that was excluded from one run (all zero) must be excluded by
/// the caller from all.
pub fn combine_runs(fields: Vec<ContrastField>, method: FixedEffects, numerics: &Numerics) -> Option<ContrastField> {
    if fields.len() == 1 {
        return fields.into_iter().next();
    }
    let first = fields.first()?;
    let whitened = fields.iter().any(|field| matches!(field.spread, Spread::Dispersion(_)));
    let combined = match (first.kind, method) {
        (ContrastKind::T, FixedEffects::Precision) if !whitened => weigh(&fields, numerics.fixed_effects_variance),
        (ContrastKind::F, FixedEffects::Precision) if !whitened => pool(&fields, numerics.fixed_effects_variance),
        _ => average(&fields, numerics.fixed_effects_variance),
    };
    Some(combined)
}

fn summed_dof(fields: &[ContrastField], column: usize) -> f64 {
    fields.iter().map(|field| field.dof.at(column)).sum()
}

/// The sum of the dof, one number where it can be.
fn sum_of_dof(fields: &[ContrastField]) -> Dof {
    if fields.iter().all(|field| matches!(field.dof, Dof::Same(_))) {
        return Dof::Same(summed_dof(fields, 0));
    }
    Dof::PerColumn((0..fields[0].effect.ncols()).map(|column| summed_dof(fields, column)).collect())
}

/// Effects averaged, covariances summed.
fn average(fields: &[ContrastField], rule: FixedEffectsVariance) -> ContrastField {
    let n = fields.len() as f64;
    let mut combined = fields[0].clone();
    for field in &fields[1..] {
        combined.effect += &field.effect;
        match (&mut combined.spread, &field.spread) {
            (Spread::Covariance(sum), Spread::Covariance(other)) => *sum += other,
            (Spread::Dispersion(sum), Spread::Dispersion(other)) => {
                sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
            }
            // fields of one contrast are made by one rule
            (Spread::Covariance(_), Spread::Dispersion(_)) | (Spread::Dispersion(_), Spread::Covariance(_)) => {}
        }
    }
    combined.effect /= n;
    match &mut combined.spread {
        Spread::Covariance(sum) => *sum /= n * n,
        Spread::Dispersion(sum) => sum.iter_mut().for_each(|sum| *sum /= n * n),
    }
    combined.dof = match (rule, combined.kind) {
        (FixedEffectsVariance::Corrected, ContrastKind::T) => satterthwaite(fields),
        _ => sum_of_dof(fields),
    };
    combined
}

fn satterthwaite(fields: &[ContrastField]) -> Dof {
    let of_column = |column: usize| {
        let (mut sum, mut weighted_squares) = (0.0, 0.0);
        for field in fields {
            let variance = field.variance(0, column);
            sum += variance;
            weighted_squares += variance * variance / field.dof.at(column);
        }
        if weighted_squares > 0.0 { sum * sum / weighted_squares } else { summed_dof(fields, column) }
    };
    Dof::PerColumn((0..fields[0].effect.ncols()).map(of_column).collect())
}

/// Effects of one row weighted by inverse variance.
fn weigh(fields: &[ContrastField], rule: FixedEffectsVariance) -> ContrastField {
    let n_columns = fields[0].effect.ncols();
    let (mut effect, mut variance) = (Array2::zeros((1, n_columns)), Array2::zeros((1, n_columns)));
    for column in 0..n_columns {
        let precision = |field: &ContrastField| field.variance(0, column).recip();
        let total: f64 = fields.iter().map(precision).sum();
        if !total.is_finite() {
            // runs without any noise outweigh the others: their mean, without variance
            let exact: Vec<f64> = fields
                .iter()
                .filter(|field| field.variance(0, column) == 0.0)
                .map(|field| field.effect[(0, column)])
                .collect();
            effect[(0, column)] = exact.iter().sum::<f64>() / exact.len() as f64;
            continue;
        }
        let (mut sum, mut uncertainty) = (0.0, 0.0);
        for field in fields {
            let share = precision(field) / total;
            sum += share * field.effect[(0, column)];
            uncertainty += share * (1.0 - share) / field.dof.at(column);
        }
        effect[(0, column)] = sum;
        variance[(0, column)] = match rule {
            FixedEffectsVariance::Corrected => (1.0 + 4.0 * uncertainty) / total,
            FixedEffectsVariance::Plain => total.recip(),
        };
    }
    let spread = Spread::Covariance(variance);
    ContrastField { kind: ContrastKind::T, effect, spread, dof: sum_of_dof(fields) }
}

/// Effects of several rows weighted by inverse covariance.
fn pool(fields: &[ContrastField], rule: FixedEffectsVariance) -> ContrastField {
    let (q, n_columns) = fields[0].effect.dim();
    let length = packed_length(q);
    let mut combined = fields[0].clone();
    let mut covariances = Array2::zeros((length, n_columns));
    let mut scratch = vec![0.0; length + q];
    let mut precisions = vec![0.0; length * fields.len()];
    for column in 0..n_columns {
        let mut total = vec![0.0; length];
        let mut weighted = vec![0.0; q];
        let mut regular = true;
        for (field, precision) in fields.iter().zip(precisions.chunks_mut(length)) {
            let Spread::Covariance(packed) = &field.spread else { continue };
            precision.iter_mut().zip(packed.column(column)).for_each(|(out, entry)| *out = *entry);
            regular &= invert_packed(precision, q, &mut scratch);
            total.iter_mut().zip(&*precision).for_each(|(total, entry)| *total += entry);
            add_symmetric_product(precision, &field.effect.column(column).to_vec(), &mut weighted);
        }
        regular &= invert_packed(&mut total, q, &mut scratch);
        let mut effect = vec![0.0; q];
        if regular {
            add_symmetric_product(&total, &weighted, &mut effect);
            let mut covariance = total.clone();
            if rule == FixedEffectsVariance::Corrected {
                for (field, precision) in fields.iter().zip(precisions.chunks(length)) {
                    add_weight_uncertainty(q, &mut covariance, &total, precision, 4.0 / field.dof.at(column));
                }
            }
            covariances.column_mut(column).iter_mut().zip(&covariance).for_each(|(out, entry)| *out = *entry);
        } else {
            // a run without any noise has no weight that could be compared: the mean, without variance
            let mean = |row: usize| fields.iter().map(|field| field.effect[(row, column)]).sum::<f64>();
            effect.iter_mut().enumerate().for_each(|(row, effect)| *effect = mean(row) / fields.len() as f64);
        }
        combined.effect.column_mut(column).iter_mut().zip(&effect).for_each(|(out, effect)| *out = *effect);
    }
    combined.spread = Spread::Covariance(covariances);
    combined.dof = sum_of_dof(fields);
    combined
}

/// Adds `factor (U - U P')`, `U = S^-1 W S^-1` and `P = S^-1 W`, of one run's precision `W` and `inverse = S^-1`.
fn add_weight_uncertainty(q: usize, covariance: &mut [f64], inverse: &[f64], precision: &[f64], factor: f64) {
    let multiply = |a: &[f64], x: &[f64]| {
        let mut product = vec![0.0; q];
        add_symmetric_product(a, x, &mut product);
        product
    };
    for j in 0..q {
        let column: Vec<f64> = (0..q).map(|i| inverse[packed_length(i.max(j)) + i.min(j)]).collect();
        let once = multiply(inverse, &multiply(precision, &column));
        let twice = multiply(inverse, &multiply(precision, &once));
        for i in j..q {
            covariance[packed_length(i) + j] += factor * (once[i] - twice[i]);
        }
    }
}

/// `out + a x` for a packed symmetric `a`.
fn add_symmetric_product(a: &[f64], x: &[f64], out: &mut [f64]) {
    for i in 0..x.len() {
        for j in 0..=i {
            let entry = a[packed_length(i) + j];
            out[i] += entry * x[j];
            if i != j {
                out[j] += entry * x[i];
            }
        }
    }
}

impl ContrastField {
    /// Variances of one row's effect.
    pub fn variances(&self, row: usize) -> ArrayView1<'_, f64> {
        match &self.spread {
            Spread::Covariance(packed) => packed.row(packed_length(row) + row),
            Spread::Dispersion(dispersion) => ArrayView1::from(dispersion),
        }
    }

    /// Variance of one row's effect in one column.
    pub fn variance(&self, row: usize, column: usize) -> f64 {
        match &self.spread {
            Spread::Covariance(packed) => packed[(packed_length(row) + row, column)],
            Spread::Dispersion(dispersion) => dispersion[column],
        }
    }
}
