//! The design matrix of one run, and a contrast in its columns.

use crate::config::ContrastKind;
use crate::inputs::Timing;
use ndarray::Array2;

/// What a column of a design matrix is for.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnRole {
    /// A convolved regressor of a condition.
    Task {
        /// The condition.
        condition: String,
        /// What makes it different from the condition's main column: `derivative`, `dispersion`, `delay_3`, a
        /// modulator's name; empty for the main column.
        part: String,
        /// When after an onset the column speaks of the response, seconds: of an FIR where its window begins, of a tent
        /// its knot. `None` where the column is a response of given shape.
        delay_s: Option<f64>,
    },
    /// A confound.
    Confound,
    /// Slow drift.
    Drift,
    /// The constant.
    Constant,
}

/// The design matrix of one run: frame x regressor, censored frames included (models drop their rows).
#[derive(Debug, Clone)]
pub struct RunDesign {
    /// How messages call the run, such as `sub-01 run-01`.
    pub run: String,
    /// Names of the columns, unique.
    pub names: Vec<String>,
    /// What each is for.
    pub roles: Vec<ColumnRole>,
    /// `timing.n_frames()` x `names.len()`.
    pub matrix: Array2<f64>,
    /// When each row was measured, and which rows enter the model.
    pub timing: Timing,
    /// Largest absolute value of each column.
    pub peak_heights: Vec<f64>,
}

impl RunDesign {
    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// The rows that enter the model: `timing.n_kept()` x columns.
    pub fn kept_matrix(&self) -> Array2<f64> {
        self.matrix.select(ndarray::Axis(0), &self.timing.kept_frames())
    }
}

/// A contrast in the columns of one run's design.
#[derive(Debug, Clone)]
pub struct ContrastMatrix {
    /// Its name.
    pub name: String,
    /// t or F.
    pub kind: ContrastKind,
    /// Rows x design columns.
    pub weights: Array2<f64>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A design with the columns given, every frame kept; names tell the roles (`drift_*`, `constant`, `confound*`,
    /// `condition_part`, `condition`).
    pub(in crate::design) fn design_of(names: &[&str], matrix: Array2<f64>) -> RunDesign {
        let role = |name: &str| match name {
            "constant" => ColumnRole::Constant,
            _ if name.starts_with("drift_") => ColumnRole::Drift,
            _ if name.starts_with("confound") => ColumnRole::Confound,
            _ => {
                let (condition, part) = name.split_once('_').unwrap_or((name, ""));
                ColumnRole::Task { condition: condition.to_owned(), part: part.to_owned(), delay_s: None }
            }
        };
        RunDesign {
            run: "sub-01 run-01".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            roles: names.iter().map(|name| role(name)).collect(),
            timing: Timing::new(2.0, matrix.nrows(), 0, 0.0),
            peak_heights: matrix
                .columns()
                .into_iter()
                .map(|column| column.iter().fold(0.0, |peak: f64, value| peak.max(value.abs())))
                .collect(),
            matrix,
        }
    }

    /// Six frames of `face`, `house`, `drift_1` and `constant`.
    pub(in crate::design) fn small_design() -> RunDesign {
        design_of(
            &["face", "house", "drift_1", "constant"],
            ndarray::array![
                [0.0, 0.0, -2.5, 1.0],
                [1.0, 0.0, -1.5, 1.0],
                [0.5, 0.25, -0.5, 1.0],
                [0.0, 1.0, 0.5, 1.0],
                [0.0, -0.5, 1.5, 1.0],
                [0.0, 0.0, 2.5, 1.0]
            ],
        )
    }

    #[test]
    fn censored_rows_leave_the_model() {
        let mut design = small_design();
        design.timing.kept[1] = false;
        assert_eq!(design.n_columns(), 4);
        let kept = design.kept_matrix();
        assert_eq!(kept.nrows(), 5);
        assert_eq!(kept.row(1), design.matrix.row(2));
    }
}
