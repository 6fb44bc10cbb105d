//! What is found in one set of null data.

use super::job::ModelCalibration;
use super::null_data::{Draw, NullData, NullSource};
use super::rates::{LEVELS, NOT_WHITE, has_family};
use crate::config::{ContrastKind, Noise, Sides};
use crate::inference::threshold::uncorrected;
use crate::inference::{RunContrast, StatMap, contrast_statistics};
use crate::model::{RunFit, fit_run, whiteness, whiteness_lags};
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::passing::{Family, Found, Thresholdable};
use crate::pipeline::residual_noise::{GroupNoise, RunNoise};

/// Columns whose residuals are tested for whiteness at most.
const LOOKED_AT: usize = 1024;

/// What each noise model found.
pub(super) struct DrawFound {
    /// Of each noise model; of an alternative that these data could not be fitted with, what is wrong.
    pub(super) models: Vec<Result<NoiseFound, String>>,
}

/// What was found under one noise model.
pub(super) struct NoiseFound {
    /// Share of columns that are not white, mean over runs.
    pub(super) not_white: f64,
    /// Of each contrast of the plan; none where no run enters it.
    pub(super) contrasts: Vec<Option<ContrastFound>>,
    /// Noise in space, where a threshold depends on it.
    pub(super) space: Option<GroupNoise>,
}

/// What was found of one contrast.
pub(super) struct ContrastFound {
    /// Share of columns below each level.
    pub(super) shares: [f64; LEVELS.len()],
    /// Whether anything passed each threshold of the contrast that has a familywise error, in the model's order; none of one that
    /// could not be had.
    pub(super) passed: Vec<Option<bool>>,
}

impl ModelCalibration<'_> {
    /// Fits and tests one set of data, `of_run` giving those of each run, under each noise model. Smoothness is that of these data;
    /// clusters, whose sizes take long to simulate, are held against `clusters` where they are given.
    pub(super) fn found<'d>(
        &self,
        noises: &[Noise],
        sources: &[NullSource<'_>],
        of_run: impl Fn(usize) -> Draw<'d>,
        clusters: Option<&GroupNoise>,
    ) -> Result<DrawFound, Failure> {
        let mut data = Vec::new();
        for (number, source) in sources.iter().enumerate() {
            self.cancel.check()?;
            data.push(source.data(self.plan, of_run(number))?);
        }
        let mut models = Vec::new();
        for (number, &noise) in noises.iter().enumerate() {
            models.push(match self.found_by(noise, sources, &data, clusters) {
                Err(failure) if number > 0 && !failure.interrupted && !failure.machine => {
                    Err(failure.problems.into_iter().map(|problem| problem.to_string()).collect::<Vec<_>>().join("; "))
                }
                found => Ok(found?),
            });
        }
        Ok(DrawFound { models })
    }

    fn found_by(
        &self,
        noise: Noise,
        sources: &[NullSource<'_>],
        data: &[NullData],
        clusters: Option<&GroupNoise>,
    ) -> Result<NoiseFound, Failure> {
        let numerics = &self.plan.settings.numerics;
        let glm = &self.plan.settings.glms[self.model];
        let mut fits: Vec<RunFit> = Vec::new();
        let mut spaces = Vec::new();
        let mut not_white = 0.0;
        for (source, NullData { series, scaler, excluded }) in sources.iter().zip(data) {
            let design = &source.run.models[self.model].design;
            let fit = fit_run(series, scaler, design, noise, numerics, self.cancel)?;
            let step = series.n_columns().div_ceil(LOOKED_AT);
            let asked = ((0..series.n_columns()).step_by(step).collect(), whiteness_lags(design.timing.n_kept()));
            let found = whiteness(&fit, asked, (series, scaler), design, numerics, self.cancel)?;
            not_white += found.share_not_white(NOT_WHITE) / sources.len() as f64;
            spaces.push(RunNoise::measure(glm, &fit, (series, scaler), design, excluded, self.cancel)?);
            fits.push(fit);
        }
        let own = GroupNoise::of_runs(spaces.iter().map(Option::as_ref));
        let space = match (own, clusters) {
            (Some(own), Some(clusters)) => Some(own.with_clusters_of(clusters)),
            (own, _) => own,
        };
        let contrasts = 0..self.plan.contrasts[self.model].len();
        let contrasts = contrasts.map(|contrast| self.contrast_found(contrast, sources, (&fits, data), space.as_ref()));
        Ok(NoiseFound { not_white, contrasts: contrasts.collect::<Result<_, Failure>>()?, space })
    }

    fn contrast_found(
        &self,
        contrast: usize,
        sources: &[NullSource<'_>],
        (fits, data): (&[RunFit], &[NullData]),
        noise: Option<&GroupNoise>,
    ) -> Result<Option<ContrastFound>, Failure> {
        let mut entering = Vec::new();
        let mut excluded = Vec::new();
        for ((source, fit), data) in sources.iter().zip(fits).zip(data) {
            if let Some(contrast) = source.run.models[self.model].contrasts[contrast].as_ref() {
                entering.push(RunContrast { fit, contrast });
                excluded.push(&data.excluded);
            }
        }
        if entering.is_empty() {
            return Ok(None);
        }
        let glm = &self.plan.settings.glms[self.model];
        let map = contrast_statistics(&entering, glm.fixed_effects, &self.plan.settings.numerics, self.cancel)?;
        let excluded = Excluded::of_all(excluded.into_iter());
        let statistics =
            Thresholdable { map: &map, excluded: &excluded, support: self.support, noise, cancel: self.cancel };
        let own = glm.thresholds.iter().filter(|threshold| *threshold.contrast == map.name && has_family(threshold));
        let mut passed = Vec::new();
        for threshold in own {
            let family = Family::new(threshold, statistics);
            let found = Found::new(threshold, statistics, &family)?;
            passed.push(found.map(|found| match family.voxels {
                Some(_) => !found.clusters(threshold, &family).is_empty(),
                None => found.entry.passing > 0,
            }));
        }
        Ok(Some(ContrastFound { shares: shares(&map, &excluded), passed }))
    }
}

/// Share of the analysed columns with an absolute z (of an F: a z) beyond that of each level.
fn shares(map: &StatMap, excluded: &Excluded) -> [f64; LEVELS.len()] {
    let sides = if map.kind == ContrastKind::F { Sides::One } else { Sides::Two };
    let columns = excluded.analysed(map.z.len());
    LEVELS.map(|(level, _)| {
        let height = uncorrected(level, sides);
        let beyond = |&&column: &&usize| {
            let z = if sides == Sides::Two { map.z[column].abs() } else { map.z[column] };
            z > height
        };
        columns.iter().filter(beyond).count() as f64 / columns.len().max(1) as f64
    })
}
