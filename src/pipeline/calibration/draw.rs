//! What is found in one set of null data.

use super::job::ModelCalibration;
use super::null_data::{Draw, NullData, NullSource};
use super::rates::{LEVELS, NOT_WHITE, has_family};
use crate::config::Sides;
use crate::config::{ContrastKind, Noise};
use crate::inference::threshold::uncorrected;
use crate::inference::{RunContrast, StatMap, contrast_statistics};
use crate::model::{RunFit, fit_run, whiteness, whiteness_lags};
use crate::pipeline::excluded::Excluded;
use crate::pipeline::failure::Failure;
use crate::pipeline::passing::{Family, Found, Thresholdable};
use crate::pipeline::residual_noise::GroupNoise;

/// Columns whose residuals are tested for whiteness at most.
const LOOKED_AT: usize = 1024;

/// What each noise model found.
pub(super) struct DrawFound {
    pub(super) models: Vec<NoiseFound>,
}

/// What was found under one noise model.
pub(super) struct NoiseFound {
    /// Share of columns that are not white, mean over runs.
    pub(super) not_white: f64,
    /// Of each contrast of the plan; none where no run enters it.
    pub(super) contrasts: Vec<Option<ContrastFound>>,
}

/// What was found of one contrast.
pub(super) struct ContrastFound {
    /// Share of columns below each level.
    pub(super) shares: [f64; LEVELS.len()],
    /// Whether anything passed each threshold of the contrast that has a familywise error, in the model's order.
    pub(super) passed: Vec<bool>,
}

impl ModelCalibration<'_> {
    /// Fits and tests one set of data, `of_run` giving those of each run.
    pub(super) fn found<'d>(
        &self,
        sources: &[NullSource<'_>],
        of_run: impl Fn(usize) -> Draw<'d>,
        noise: Option<&GroupNoise>,
    ) -> Result<DrawFound, Failure> {
        let mut data = Vec::new();
        for (number, source) in sources.iter().enumerate() {
            self.cancel.check()?;
            data.push(source.data(self.plan, of_run(number))?);
        }
        let models = self.noises().into_iter().map(|model| self.found_by(model, sources, &data, noise));
        Ok(DrawFound { models: models.collect::<Result<_, Failure>>()? })
    }

    fn found_by(
        &self,
        noise: Noise,
        sources: &[NullSource<'_>],
        data: &[NullData],
        spatial: Option<&GroupNoise>,
    ) -> Result<NoiseFound, Failure> {
        let numerics = &self.plan.settings.numerics;
        let mut fits: Vec<RunFit> = Vec::new();
        let mut not_white = 0.0;
        for (source, NullData { series, scaler, .. }) in sources.iter().zip(data) {
            let design = &source.run.models[self.model].design;
            let fit = fit_run(series, scaler, design, noise, numerics, self.cancel)?;
            let step = series.n_columns().div_ceil(LOOKED_AT);
            let asked = ((0..series.n_columns()).step_by(step).collect(), whiteness_lags(design.timing.n_kept()));
            let found = whiteness(&fit, asked, (series, scaler), design, numerics, self.cancel)?;
            not_white += found.share_not_white(NOT_WHITE) / sources.len() as f64;
            fits.push(fit);
        }
        let contrasts = 0..self.plan.contrasts[self.model].len();
        let contrasts = contrasts.map(|contrast| self.contrast_found(contrast, sources, (&fits, data), spatial));
        Ok(NoiseFound { not_white, contrasts: contrasts.collect::<Result<_, Failure>>()? })
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
            passed.push(found.is_some_and(|found| match family.voxels {
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
