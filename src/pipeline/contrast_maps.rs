//! Statistics of a model's contrasts and responses over one run or several, into maps or tables.

use super::excluded::Excluded;
use super::failure::Failure;
use super::model_outputs::ModelOutputs;
use super::plan::Plan;
use super::plan_run::RunPlan;
use super::residual_noise::GroupNoise;
use super::run_data::TemporalMean;
use super::run_job::FittedRun;
use crate::config::ContrastSettings;
use crate::design::{ContrastMatrix, RunDesign};
use crate::error::CancelToken;
use crate::inference::{ModelledRun, RunContrast, StatMap, contrast_statistics, responses};
use crate::inputs::Support;

/// The contrasts of one model over `runs`, and where they go.
pub(super) struct ContrastMaps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) model: usize,
    pub(super) runs: &'a [(&'a RunPlan, &'a FittedRun)],
    pub(super) outputs: &'a ModelOutputs<'a>,
    pub(super) support: &'a Support,
    /// What pictures of z are drawn over; none are where there is none.
    pub(super) mean: Option<&'a TemporalMean>,
    pub(super) cancel: &'a CancelToken,
}

/// A contrast on its way to disk.
struct Computed<'a> {
    settings: &'a ContrastSettings,
    map: StatMap,
    excluded: Excluded,
    designs: Vec<(&'a RunDesign, &'a ContrastMatrix)>,
}

impl<'a> ContrastMaps<'a> {
    /// Writes every contrast that one of the runs enters; each while the next is computed.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let noise = GroupNoise::of_runs(self.runs.iter().map(|(_, fitted)| fitted.noise.as_ref()));
        let mut pending: Option<Computed<'a>> = None;
        for index in 0..self.plan.contrasts[self.model].len() {
            let before = pending.take();
            let (written, computed) = rayon::join(
                || before.map_or(Ok(()), |before| self.write_one(before, noise.as_ref())),
                || self.compute(index),
            );
            written?;
            pending = computed?;
        }
        pending.map_or(Ok(()), |last| self.write_one(last, noise.as_ref()))?;
        self.write_responses()
    }

    /// The response to each condition, where the model has a column a delay and its data are a table or regions.
    fn write_responses(&self) -> Result<(), Failure> {
        let Self { plan, model, runs, cancel, outputs, support, .. } = *self;
        let Support::Columns { names } = support else { return Ok(()) };
        let modelled: Vec<ModelledRun<'_>> = runs
            .iter()
            .map(|(run, fitted)| ModelledRun { fit: &fitted.fit, design: &run.models[model].design })
            .collect();
        let method = plan.settings.glms[model].fixed_effects;
        let mut found = responses(&modelled, method, &plan.settings.numerics, cancel)?;
        for delay in found.iter_mut().flat_map(|response| &mut response.delays) {
            let excluded = Excluded::of_all(delay.runs.iter().map(|&run| &runs[run].1.excluded));
            excluded.clear(&mut delay.estimate);
            excluded.clear(&mut delay.standard_error);
        }
        let excluded = Excluded::of_all(runs.iter().map(|(_, fitted)| &fitted.excluded)).columns();
        outputs.write_responses(&found, names, &excluded)
    }

    /// `None` where no run enters.
    fn compute(&self, index: usize) -> Result<Option<Computed<'a>>, Failure> {
        let Self { plan, model, runs, cancel, .. } = *self;
        let mut entering = Vec::new();
        let mut excluded = Vec::new();
        let mut designs = Vec::new();
        for &(run, fitted) in runs {
            if let Some(contrast) = run.models[model].contrasts[index].as_ref() {
                entering.push(RunContrast { fit: &fitted.fit, contrast });
                excluded.push(&fitted.excluded);
                designs.push((&run.models[model].design, contrast));
            }
        }
        if entering.is_empty() {
            return Ok(None);
        }
        let method = plan.settings.glms[model].fixed_effects;
        let map = contrast_statistics(&entering, method, &plan.settings.numerics, cancel)?;
        let excluded = Excluded::of_all(excluded.into_iter());
        Ok(Some(Computed { settings: &plan.contrasts[model][index].settings, map, excluded, designs }))
    }

    fn write_one(&self, computed: Computed<'a>, noise: Option<&GroupNoise>) -> Result<(), Failure> {
        let Computed { settings, map, excluded, designs } = computed;
        let Self { outputs, support, mean, cancel, .. } = *self;
        let z = mean.map(|mean| (mean, excluded.cleared(&map.z)));
        let picture = || z.map_or(Ok(()), |(mean, z)| outputs.write_picture(&settings.name, &z, support, mean));
        let maps = || outputs.write_contrast(settings, map, &excluded, &designs, support, (noise, cancel));
        let (pictured, written) = rayon::join(picture, maps);
        pictured.and(written)
    }
}
