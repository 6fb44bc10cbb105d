//! Statistics of a model's contrasts over one run or several, into maps or tables.

use super::excluded::Excluded;
use super::failure::Failure;
use super::model_outputs::ModelOutputs;
use super::plan::Plan;
use super::plan_run::RunPlan;
use super::run_data::TemporalMean;
use super::run_job::FittedRun;
use crate::error::CancelToken;
use crate::inference::{RunContrast, contrast_statistics};
use crate::inputs::Support;

/// The contrasts of one model.
pub(super) struct ContrastMaps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) model: usize,
    pub(super) cancel: &'a CancelToken,
}

impl ContrastMaps<'_> {
    /// Writes every contrast that one of `runs` enters; with `mean`, pictures of z over it as well.
    pub(super) fn write(
        &self,
        runs: &[(&RunPlan, &FittedRun)],
        outputs: &ModelOutputs<'_>,
        support: &Support,
        mean: Option<&TemporalMean>,
    ) -> Result<(), Failure> {
        let glm = &self.plan.settings.glms[self.model];
        for (index, contrast) in self.plan.contrasts[self.model].iter().enumerate() {
            let entering: Vec<(&RunPlan, &FittedRun, RunContrast<'_>)> = runs
                .iter()
                .filter_map(|(run, fitted)| {
                    let contrast = run.models[self.model].contrasts[index].as_ref()?;
                    Some((*run, *fitted, RunContrast { fit: &fitted.fit, contrast }))
                })
                .collect();
            if entering.is_empty() {
                continue;
            }
            let of_runs: Vec<RunContrast<'_>> = entering.iter().map(|(_, _, run)| *run).collect();
            let map = contrast_statistics(&of_runs, glm.fixed_effects, &self.plan.settings.numerics, self.cancel)?;
            let excluded = Excluded::of_all(entering.iter().map(|(_, fitted, _)| &fitted.excluded));
            let designs: Vec<_> =
                entering.iter().map(|(run, _, own)| (&run.models[self.model].design, own.contrast)).collect();
            let z = mean.map(|mean| (mean, excluded.cleared(&map.z)));
            let picture =
                || z.map_or(Ok(()), |(mean, z)| outputs.write_picture(&contrast.settings.name, &z, support, mean));
            let maps = || outputs.write_contrast(&contrast.settings, map, &excluded, &designs, support);
            let (pictured, written) = rayon::join(picture, maps);
            pictured.and(written)?;
        }
        Ok(())
    }
}
