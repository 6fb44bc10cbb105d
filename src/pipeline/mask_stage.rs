//! Which voxels of a space are analysed.

use super::failure::Failure;
use super::plan::Plan;
use super::plan_subject::{SpacePlan, SubjectPlan};
use crate::config::MaskSettings;
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use crate::inputs::{self, NiftiFrames, Support};
use crate::preprocess;

/// The support of a space: voxels of its mask, or the columns of its tables.
///
/// # Errors
/// A mask that cannot be read or holds no voxel; an automatic mask that is empty, tiny or nearly everything.
pub(super) fn support(
    plan: &Plan,
    subject: &SubjectPlan,
    space: &SpacePlan,
    cancel: &CancelToken,
) -> Result<(Support, Diagnostics), Failure> {
    let Some(grid) = &space.grid else {
        let support = subject.runs[space.runs[0]].table_support();
        return Ok((support.unwrap_or(Support::Columns { names: Vec::new() }), Diagnostics::new()));
    };
    let mut warnings = Diagnostics::new();
    let mask = match &plan.settings.mask {
        MaskSettings::All => vec![true; grid.n_voxels()],
        MaskSettings::File(path) => {
            let (_, mask, found) = inputs::read_mask(path)?;
            warnings.extend(found);
            mask
        }
        MaskSettings::PerRun(combination) => {
            let mut masks = Vec::new();
            for mask in space.runs.iter().filter_map(|&run| subject.runs[run].mask.as_ref()) {
                let (_, mask, found) = inputs::read_mask(&mask.path)?;
                warnings.extend(found);
                masks.push(mask);
            }
            inputs::combine_masks(&masks, *combination)
        }
        MaskSettings::Auto => automatic(plan, subject, space, cancel)?,
    };
    if !mask.contains(&true) {
        return Err(Diagnostic::error("mask-empty", format!("the mask of sub-{} holds no voxel", subject.subject))
            .hint("check the image under `[mask] path`, or how the runs' masks overlap")
            .into());
    }
    Ok((Support::from_mask(grid.clone(), &mask), warnings))
}

/// The histogram mask over all runs of the space.
fn automatic(
    plan: &Plan,
    subject: &SubjectPlan,
    space: &SpacePlan,
    cancel: &CancelToken,
) -> Result<Vec<bool>, Failure> {
    let mut masks = Vec::new();
    let shape = space.grid.as_ref().map_or([0; 3], |grid| grid.shape);
    for &run in &space.runs {
        let run = &subject.runs[run];
        let (mut frames, _) = NiftiFrames::open(run.data_path())?;
        let mean = preprocess::mean_volume(&mut frames, plan.settings.preprocess.discard_volumes, cancel)?;
        let mask = preprocess::epi_mask(&mean.mean, shape).map_err(|problem| {
            Diagnostics::from(Diagnostic::from(problem).note(format!("mean of {}", run.display_name())))
        })?;
        masks.push(mask);
    }
    // Of a single run too: closing may have added a piece of its own beside the component that was dilated.
    preprocess::combine_epi_masks(&masks, shape).map_err(|problem| Diagnostic::from(problem).into())
}
