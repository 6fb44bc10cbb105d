//! The noise models under test.

use crate::simulation::Shape;
use boldly::config::{ArOrder, Arma11Grid, ContrastKind, FixedEffects, Noise, Numerics, Profile, Scaling};
use boldly::design::{ColumnRole, ContrastMatrix, RunDesign};
use boldly::error::CancelToken;
use boldly::inference::{RunContrast, contrast_statistics};
use boldly::inputs::{Grid, Support, Timing};
use boldly::model::{RunFit, fit_run};
use boldly::preprocess::{Scaler, Series, TimeStatistics};
use ndarray::Array2;

/// A noise model with its numerics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Ordinary least squares.
    Ols,
    /// AR(1) of the profile `nilearn`.
    NilearnAr1,
    /// AR(1) of the profile `native`.
    Ar1,
    /// ARMA(1,1) on AFNI's grid.
    AfniGrid,
    /// ARMA(1,1), refined between the points of the grid.
    Arma11,
    /// The default for images.
    PooledAr,
    /// Autoregressive of this order, each voxel's own.
    Ar(usize),
    /// FILM's without its smoothing in space.
    TukeyAr,
    /// One covariance for all voxels; not among the methods of the tables.
    #[allow(dead_code, reason = "measured by `tests/null_rates.rs` alone")]
    GlobalAr1,
}

pub const METHODS: [Method; 6] =
    [Method::Ols, Method::NilearnAr1, Method::Ar1, Method::AfniGrid, Method::Arma11, Method::PooledAr];

/// Those that look at each voxel alone, by autocovariances; `--methods own` measures them.
pub const OWN: [Method; 5] = [Method::Ar(2), Method::Ar(3), Method::Ar(6), Method::Ar(12), Method::TukeyAr];

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ols => "ols",
            Self::NilearnAr1 => "nilearn-ar1",
            Self::Ar1 => "ar1",
            Self::AfniGrid => "afni-grid",
            Self::Arma11 => "arma11",
            Self::PooledAr => "pooled-ar",
            Self::Ar(2) => "ar2",
            Self::Ar(3) => "ar3",
            Self::Ar(6) => "ar6",
            Self::Ar(_) => "ar12",
            Self::TukeyAr => "tukey-ar",
            Self::GlobalAr1 => "global-ar1",
        }
    }

    /// Whether it looks at each voxel alone and long: some voxels then stand for all.
    pub fn is_sampled(self) -> bool {
        matches!(self, Self::AfniGrid | Self::Arma11)
    }

    fn noise(self) -> Noise {
        match self {
            Self::Ols => Noise::Ols,
            Self::NilearnAr1 | Self::Ar1 => Noise::Ar1,
            Self::AfniGrid | Self::Arma11 => Noise::Arma11,
            Self::PooledAr => Noise::PooledAr,
            Self::Ar(order) => Noise::Ar(ArOrder::new(order).unwrap()),
            Self::TukeyAr => Noise::TukeyAr,
            Self::GlobalAr1 => Noise::GlobalAr1,
        }
    }

    pub fn numerics(self) -> Numerics {
        match self {
            Self::NilearnAr1 => Numerics::of(Profile::Nilearn),
            Self::AfniGrid => Numerics { arma11_grid: Arma11Grid::AFNI, ..Numerics::of(Profile::Native) },
            _ => Numerics::of(Profile::Native),
        }
    }

    pub fn fit(self, series: &Series, design: &RunDesign) -> RunFit {
        let numerics = self.numerics();
        let statistics = TimeStatistics::of_series(series, &design.timing.kept_frames()).unwrap();
        let scaler = Scaler::new(Scaling::None, numerics.scaling_arithmetic, &statistics, &[]).unwrap();
        fit_run(series, &scaler, design, self.noise(), &numerics, &CancelToken::new()).unwrap()
    }
}

/// Estimates of the first coefficient.
pub struct Estimates {
    pub effect: Vec<f64>,
    pub variance: Vec<f64>,
    /// Of each voxel.
    pub dof: Vec<f64>,
}

impl Estimates {
    /// Over runs, as a pipeline has them.
    pub fn of(fits: &[RunFit], method: FixedEffects, numerics: &Numerics) -> Self {
        let mut weights = Array2::zeros((1, fits[0].beta.nrows()));
        weights[(0, 0)] = 1.0;
        let contrast = ContrastMatrix { name: "task".to_owned(), kind: ContrastKind::T, weights };
        let runs: Vec<_> = fits.iter().map(|fit| RunContrast { fit, contrast: &contrast }).collect();
        let map = contrast_statistics(&runs, method, numerics, &CancelToken::new()).unwrap();
        let dof = (0..map.effect.ncols()).map(|column| map.dof.at(column)).collect();
        Self { effect: map.effect.row(0).to_vec(), variance: map.variance.row(0).to_vec(), dof }
    }
}

/// Voxels of the box as a run's series.
pub fn series(data: &Array2<f32>, shape: Shape) -> Series {
    let grid = Grid { shape: shape.0, affine: std::array::from_fn(|i| std::array::from_fn(|j| f64::from(i == j))) };
    of_support(data, Support::Voxels { grid, index: (0..shape.n_voxels() as u32).collect() })
}

/// Columns that have no neighbours.
pub fn columns(data: &Array2<f32>) -> Series {
    of_support(data, Support::Columns { names: (0..data.ncols()).map(|column| format!("v{column}")).collect() })
}

/// A series of data, frame x column.
pub fn of_support(data: &Array2<f32>, support: Support) -> Series {
    let first = data.row(0).to_vec();
    let values = data.rows().into_iter().flat_map(|row| row.iter().zip(&first).map(|(v, f)| v - f).collect::<Vec<_>>());
    Series::new(support, first.clone(), values.collect())
}

pub fn run_design(matrix: Array2<f64>, tr_s: f64) -> RunDesign {
    RunDesign {
        run: "simulated".to_owned(),
        names: (0..matrix.ncols()).map(|column| format!("x{column}")).collect(),
        roles: vec![ColumnRole::Confound; matrix.ncols()],
        peak_heights: vec![1.0; matrix.ncols()],
        timing: Timing::new(tr_s, matrix.nrows(), 0, 0.0),
        matrix,
    }
}
