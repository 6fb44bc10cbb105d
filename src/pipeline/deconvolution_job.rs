//! One deconvolution of one run: of its voxels or columns, and of the mean series of regions.

use super::deconvolution_outputs::{DeconvolutionOutputs, Deconvolved};
use super::excluded::Excluded;
use super::failure::Failure;
use super::plan_deconvolution::RunDeconvolution;
use super::regions::RegionSet;
use super::run_data::Gathered;
use super::run_job::{FittedModel, RunJob, excluded_warning};
use crate::config::{ActivityNoise, DeconvolutionMap, DeconvolutionSettings};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::{Support, average_around};
use crate::model::deconvolve::{ConvolutionMatrix, Extras, FailedColumn, RunActivity, RunProblem, solve_calcium};
use crate::preprocess::{Scaler, Series, SeriesPlace, TimeStatistics, excluded_columns, too_many_excluded};

/// Columns that a message names at most.
const NAMED: usize = 5;

/// A deconvolution, and what the run's GLMs found of the noise.
pub(super) struct DeconvolutionJob<'a> {
    pub(super) run: &'a RunJob<'a>,
    /// Its place among the deconvolutions.
    pub(super) model: usize,
    pub(super) fitted: &'a [FittedModel],
}

/// The data it is of.
pub(super) struct GatheredRef<'a> {
    pub(super) statistics: &'a TimeStatistics,
    pub(super) series: Option<&'a Series>,
    pub(super) never_finite: &'a [usize],
}

impl<'a> GatheredRef<'a> {
    pub(super) fn of(gathered: &'a Gathered) -> Self {
        let Gathered { statistics, series, never_finite } = gathered;
        Self { statistics, series: series.as_ref(), never_finite }
    }
}

impl DeconvolutionJob<'_> {
    /// Solves and writes; samples are held, since every deconvolution asks for them.
    pub(super) fn run(&self, data: &GatheredRef<'_>, warnings: &mut Diagnostics) -> Result<(), Failure> {
        let Some(series) = data.series else { return Ok(()) };
        let own = self.own();
        let kept = own.nuisance.timing.kept_frames();
        let of_kept = (kept.len() < series.n_frames).then(|| TimeStatistics::of_series(series, &kept)).transpose()?;
        let statistics = of_kept.as_ref().unwrap_or(data.statistics);
        let outputs = DeconvolutionOutputs::new(self.run, self.model);
        outputs.write_nuisance()?;
        self.deconvolve(series, statistics, data.never_finite, None, &outputs, warnings)?;
        for (index, set) in self.run.regions.iter().enumerate() {
            let series = set.mean_series(series, data.never_finite)?;
            let statistics = TimeStatistics::of_series(&series, &kept)?;
            self.deconvolve(&series, &statistics, &[], Some((index, set)), &outputs, warnings)?;
        }
        Ok(())
    }

    fn settings(&self) -> &DeconvolutionSettings {
        &self.run.space.plan.settings.deconvolutions[self.model]
    }

    fn own(&self) -> &RunDeconvolution {
        &self.run.run.deconvolutions[self.model]
    }

    fn deconvolve(
        &self,
        series: &Series,
        statistics: &TimeStatistics,
        never_finite: &[usize],
        region: Option<(usize, &RegionSet)>,
        outputs: &DeconvolutionOutputs<'_>,
        warnings: &mut Diagnostics,
    ) -> Result<(), Failure> {
        let settings = &self.run.space.plan.settings;
        let support = &series.support;
        let mut excluded = Excluded::new(excluded_columns(statistics, settings.preprocess.scaling));
        excluded.add_not_finite(never_finite);
        if let Some(problem) = too_many_excluded(&self.run.run.display_name(), support, excluded.entries()) {
            return Err(problem.into());
        }
        if !excluded.entries().is_empty() {
            warnings.push(excluded_warning(self.run.run, &excluded, support));
        }
        let (scaling, arithmetic) = (settings.preprocess.scaling, settings.numerics.scaling_arithmetic);
        let scaler = Scaler::new(scaling, arithmetic, statistics, &excluded.columns())?;
        let maps = &self.settings().maps;
        let draws = !self.settings().figures.is_empty() && matches!(support, Support::Columns { .. })
            || self.settings().figures.iter().any(|figure| matches!(figure, crate::config::FigureOf::Voxel(_)));
        let extras = Extras {
            fitted: draws || maps.contains(&DeconvolutionMap::Fitted),
            standard_error: draws || maps.contains(&DeconvolutionMap::StandardError),
        };
        // regions are few columns
        let place = if region.is_some() { SeriesPlace::Memory } else { self.run.place };
        let activity = if self.settings().kernel.is_calcium() {
            self.calcium(series, &scaler, (place, extras), warnings)?
        } else {
            let rho = self.noise_of_glm(region.map(|(index, _)| index));
            self.activity(series, &scaler, (place, extras), rho.as_deref())?
        };
        let deconvolved = Deconvolved { series, scaler: &scaler, excluded: &excluded, activity: &activity };
        outputs.write(&deconvolved, region.map(|(_, set)| set), warnings)
    }

    fn activity(
        &self,
        series: &Series,
        scaler: &Scaler,
        (place, extras): (SeriesPlace<'_>, Extras),
        rho: Option<&[f64]>,
    ) -> Result<RunActivity, Failure> {
        let own = self.own();
        let problem = RunProblem {
            series,
            scaler,
            nuisance: &own.nuisance,
            convolution: &ConvolutionMatrix::new(&own.kernel, series.n_frames, self.settings().upsample),
            settings: self.settings(),
            rho,
            average_around: &|field| average_around(&series.support, field),
            cancel: self.run.space.cancel,
        };
        Ok(problem.solve(place, extras)?)
    }

    fn calcium(
        &self,
        series: &Series,
        scaler: &Scaler,
        kept: (SeriesPlace<'_>, Extras),
        warnings: &mut Diagnostics,
    ) -> Result<RunActivity, Failure> {
        let dt_s = self.run.run.tr_s;
        let solved = solve_calcium(series, scaler, self.settings(), dt_s, kept, self.run.space.cancel)?;
        self.refuse(&solved.failed, &series.support)?;
        if !solved.unsettled.is_empty() {
            let named: Vec<String> =
                solved.unsettled.iter().take(NAMED).map(|&column| series.support.describe(column)).collect();
            let more = if solved.unsettled.len() > NAMED { ", …" } else { "" };
            let message = format!(
                "the fit of {} of {} of {} did not come to rest, or leaves more than the noise",
                solved.unsettled.len(),
                counted(series.n_columns(), "column"),
                self.run.run.display_name()
            );
            let warning = Diagnostic::warning("calcium-unsettled", message).at(Place::file(self.run.run.data_path()));
            warnings.push(warning.note(format!("{}{more}", named.join(", "))).hint("look at the fitted series"));
        }
        Ok(solved.activity)
    }

    /// Says which columns are no fluorescence that can be deconvolved.
    fn refuse(&self, failed: &[FailedColumn], support: &Support) -> Result<(), Failure> {
        if failed.is_empty() {
            return Ok(());
        }
        let path = self.run.run.data_path();
        let of_column = |(column, error): &FailedColumn| {
            let message = format!("{}: {error}", support.describe(*column));
            Diagnostic::error("calcium-not-deconvolved", message)
                .at(Place::file(path))
                .hint("leave the column out with `columns`, or give the time constants of the indicator")
        };
        let mut problems: Diagnostics = failed.iter().take(NAMED).map(of_column).collect();
        if failed.len() > NAMED {
            let message =
                format!("and {} of {}", counted(failed.len() - NAMED, "more column"), self.run.run.display_name());
            problems.push(Diagnostic::error("calcium-not-deconvolved", message).at(Place::file(path)));
        }
        Err(problems.into())
    }

    /// The autocorrelation that the GLM named by `noise` found in each column, or in each region of a set.
    fn noise_of_glm(&self, region: Option<usize>) -> Option<Vec<f64>> {
        let ActivityNoise::FromGlm(name) = &self.settings().noise else { return None };
        let glms = &self.run.space.plan.settings.glms;
        let fitted = &self.fitted[glms.iter().position(|glm| glm.name.value == name.value)?];
        let run = region.map_or(&fitted.columns, |region| &fitted.regions[region]);
        run.fit.rho()
    }
}
