//! The design matrices of a plan as files, without results.

use super::failure::Failure;
use super::plan::Plan;
use crate::design::{RunDesign, figure};
use crate::outputs::design_sidecar::DesignSidecar;
use crate::outputs::tables;
use crate::outputs::{
    Digest, ManifestKey, OutputLock, OutputNames, StagedOutputs, open_output_folder, provenance::portable_settings,
};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Writes one design as table, sidecar and figure.
pub(super) fn write_design(
    staged: &StagedOutputs,
    names: &OutputNames,
    design: &RunDesign,
    sidecar: &DesignSidecar,
) -> Result<(), Failure> {
    let table = names.design_table()?;
    staged.write(&table, |file| tables::write_design(file, design))?;
    staged.write_json(&table.sidecar(), sidecar)?;
    Ok(staged.write(&names.design_figure()?, |file| file.write_all(figure::svg(design).as_bytes()))?)
}

/// Writes the design of every run and model below `folder`, under the names that results have; says how many there are.
///
/// # Errors
/// The folder is not ours, or cannot be written.
pub fn write_designs(plan: &Plan, folder: &Path) -> Result<usize, Failure> {
    let folder = open_output_folder(folder)?;
    folder.claim(&plan.settings.name)?;
    let settings = portable_settings(&plan.settings, &plan.pipeline_folder).map_err(std::io::Error::from)?;
    let digest = Digest::of_json(&settings).map_err(std::io::Error::from)?;
    let mut n_designs = 0;
    for subject in &plan.subjects {
        let staged = StagedOutputs::new(OutputLock::acquire(&folder, &subject.subject)?)?;
        for run in &subject.runs {
            for (index, (model, glm)) in run.models.iter().zip(&plan.settings.glms).enumerate() {
                let names = OutputNames::of_run(&glm.name, &run.labels)?;
                write_design(&staged, &names, &model.design, &run.design_sidecar(index))?;
                n_designs += 1;
            }
        }
        staged.commit(ManifestKey {
            settings: serde_json::Value::Null,
            plan: digest,
            numerics_version: super::NUMERICS_VERSION,
            inputs: BTreeMap::new(),
        })?;
    }
    Ok(n_designs)
}
