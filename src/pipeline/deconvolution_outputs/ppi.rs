//! Regressors of psychophysiological interactions, as a table that a GLM takes as its confounds.

use super::{DeconvolutionOutputs, Deconvolved};
use crate::config::PpiSettings;
use crate::design::ppi::{PpiInput, SampleTimes, WeightedEvent, psychological_by_coverage};
use crate::error::{Diagnostic, Place};
use crate::outputs::tables;
use crate::pipeline::failure::Failure;

impl DeconvolutionOutputs<'_> {
    /// For each interaction a row a volume (discarded ones n/a): `NAME_ppi` and `NAME_physiological` of each column or region,
    /// and `psychological`, the conditions convolved.
    pub(super) fn write_ppis(
        &self,
        deconvolved: &Deconvolved<'_>,
        names: &[String],
        roi: Option<&str>,
    ) -> Result<(), Failure> {
        for ppi in &self.settings.ppis {
            let table = self.ppi_table(ppi, deconvolved, names)?;
            let header: Vec<String> = table.iter().map(|(name, _)| name.clone()).collect();
            let discarded = self.own.nuisance.timing.discarded;
            let n_frames = deconvolved.series.n_frames;
            let value = |frame: usize, values: &Vec<f64>| {
                frame.checked_sub(discarded).and_then(|frame| values.get(frame)).copied().unwrap_or(f64::NAN)
            };
            let rows = (0..discarded + n_frames)
                .map(|frame| table.iter().map(|(_, values)| value(frame, values)).collect::<Vec<f64>>());
            let path = self.names()?.ppi_regressors(&ppi.name, roi)?;
            self.run.space.staged.write(&path, |file| tables::write_series(file, &header, rows))?;
        }
        Ok(())
    }

    fn ppi_table(
        &self,
        ppi: &PpiSettings,
        deconvolved: &Deconvolved<'_>,
        names: &[String],
    ) -> Result<Vec<(String, Vec<f64>)>, Failure> {
        let activity = &deconvolved.activity.activity;
        // with the samples before the first frame, whose responses are in the data
        let n_before = deconvolved.activity.n_before;
        let upsample = self.settings.upsample;
        let first_s = self.start_s() - n_before as f64 * self.step_s();
        let times = SampleTimes::around(first_s, self.step_s(), activity.n_frames());
        let psychological = psychological_by_coverage(&self.weighted_events(ppi), times);
        let frame_samples: Vec<usize> =
            (0..deconvolved.series.n_frames).map(|frame| n_before + frame * upsample).collect();
        let mut table = Vec::new();
        let mut of_conditions = Vec::new();
        for (column, name) in names.iter().enumerate() {
            let values: Vec<f64> = activity.column(column)?.into_iter().map(f64::from).collect();
            let input = PpiInput {
                activity: &values,
                psychological: &psychological,
                kernel: &self.own.kernel,
                frame_samples: &frame_samples,
            };
            let regressors = input
                .regressors()
                .map_err(|error| Diagnostic::from(error).at(Place::file(self.run.run.data_path())))?;
            table.push((format!("{name}_ppi"), regressors.ppi));
            table.push((format!("{name}_physiological"), regressors.physiological));
            of_conditions = regressors.psychological;
        }
        table.push(("psychological".to_owned(), of_conditions));
        Ok(table)
    }

    /// The events of the interaction's conditions, weighed.
    fn weighted_events(&self, ppi: &PpiSettings) -> Vec<WeightedEvent> {
        let weight = |condition: &str| {
            let among = |names: &[crate::config::Located<String>]| names.iter().any(|name| name.value == condition);
            if among(&ppi.plus) {
                1.0
            } else if among(&ppi.minus) {
                -1.0
            } else {
                0.0
            }
        };
        let events = self.run.run.events.iter().flat_map(|events| &events.events);
        let weighted = events.map(|event| WeightedEvent {
            onset_s: event.onset_s,
            duration_s: event.duration_s,
            weight: weight(&event.condition),
        });
        weighted.filter(|event| event.weight != 0.0).collect()
    }
}
