//! Responses delay by delay, for tables and regions: one table at each level, figures at that of the group.

use super::ModelOutputs;
use crate::config::MapKind;
use crate::inference::Response;
use crate::outputs::response::{figure_labels, response_figure, write_responses};
use crate::outputs::sidecar;
use crate::pipeline::failure::Failure;
use crate::pipeline::plan_run::display_name;
use rayon::prelude::*;
use std::io::Write;

impl ModelOutputs<'_> {
    /// The responses of the columns `names`; those of `excluded` (ascending) are 0 in the table and have no figure.
    pub(in crate::pipeline) fn write_responses(
        &self,
        responses: &[Response],
        names: &[String],
        excluded: &[usize],
    ) -> Result<(), Failure> {
        if responses.is_empty() {
            return Ok(());
        }
        let outputs = self.names()?;
        let path = match self.regions {
            Some(regions) => outputs.roi_response_stats(regions)?,
            None => outputs.response_stats()?,
        };
        self.staged.write(&path, |file| write_responses(file, names, responses))?;
        if !self.level.is_group {
            return Ok(()); // a figure a region and run would be many; the run's table holds the same
        }
        let units = sidecar::units(MapKind::Beta, self.plan.settings.preprocess.scaling);
        let of_whom = display_name(self.level.labels);
        let labels = figure_labels(names);
        let drawn = names.par_iter().zip(labels).enumerate();
        drawn.filter(|(column, _)| excluded.binary_search(column).is_err()).try_for_each(|(column, (name, label))| {
            let path = match self.regions {
                Some(regions) => outputs.roi_response_figure(regions, &label)?,
                None => outputs.response_figure(&label)?,
            };
            let title = format!("{name} in {of_whom}: model {}", *self.glm.name);
            let svg = response_figure(&title, units, responses, column).svg();
            Ok(self.staged.write(&path, |file| file.write_all(svg.as_bytes()))?)
        })
    }
}
