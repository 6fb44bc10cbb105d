//! How white a model left the residuals of its runs: their spectra as a table and a figure.

use super::ModelOutputs;
use crate::config::MapKind;
use crate::outputs::whiteness::{RunSpectrum, whiteness_figure, write_spectra};
use crate::pipeline::failure::Failure;
use crate::pipeline::plan_run::{RunPlan, display_name};
use crate::pipeline::run_job::FittedRun;
use crate::preprocess::column_blocks;
use std::io::Write;
use std::ops::Range;

/// Columns that are looked at where no map of all is wanted: what a spectrum over them says is sure to a hundredth.
const LOOKED_AT: usize = 4096;

impl ModelOutputs<'_> {
    /// The columns of a run whose residuals are looked at: all where the map is wanted, else the first few of each block, so
    /// that they come from everywhere and the others need not be read.
    pub(in crate::pipeline) fn columns_looked_at(&self, n_columns: usize) -> Vec<usize> {
        if self.wants(MapKind::Whiteness) {
            return (0..n_columns).collect();
        }
        let of_block = |block: Range<usize>| {
            let share = (block.len() * LOOKED_AT).div_ceil(n_columns);
            block.take(share)
        };
        column_blocks(n_columns).flat_map(of_block).collect()
    }

    /// The spectra of the runs' whitened residuals, where they were looked at.
    pub(in crate::pipeline) fn write_whiteness(&self, runs: &[(&RunPlan, &FittedRun)]) -> Result<(), Failure> {
        let spectrum = |(run, fitted): &(&RunPlan, &FittedRun)| {
            let found = fitted.whiteness.as_ref()?;
            Some((run.display_name(), found.spectrum.clone()))
        };
        let found: Vec<_> = runs.iter().filter_map(spectrum).collect();
        if found.is_empty() {
            return Ok(());
        }
        let spectra: Vec<RunSpectrum<'_>> =
            found.iter().map(|(run, points)| RunSpectrum { run: run.clone(), points }).collect();
        let names = self.names()?;
        self.staged.write(&names.whiteness(self.regions, "tsv")?, |file| write_spectra(file, &spectra))?;
        let of_whom = display_name(self.level.labels);
        let title = format!("whitened residuals of {of_whom}: model {}", *self.glm.name);
        let svg = whiteness_figure(&title, &spectra).svg();
        Ok(self.staged.write(&names.whiteness(self.regions, "svg")?, |file| file.write_all(svg.as_bytes()))?)
    }
}
