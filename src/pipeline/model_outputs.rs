//! What one model writes for a run, or over the runs of a group: maps for voxels, tables for columns.

mod responses;
mod thresholds;
mod whiteness;

use super::designs::write_design;
use super::excluded::Excluded;
use super::failure::Failure;
use super::passing::Thresholdable;
use super::plan::Plan;
use super::plan_run::{RunPlan, display_name};
use super::plan_subject::{RunGroup, map_applies};
use super::residual_noise::GroupNoise;
use super::run_data::TemporalMean;
use super::run_job::FittedRun;
use super::summary::Summary;
use crate::config::{ContrastKind, ContrastSettings, GlmSettings, Labels, MapKind};
use crate::design::{ContrastMatrix, RunDesign};
use crate::error::CancelToken;
use crate::inference::{Dof, StatMap};
use crate::inputs::Support;
use crate::model::{RunFit, Whiteness, residual_frame};
use crate::outputs::image_sidecar::{ImageFields, MaskSidecar};
use crate::outputs::names::stat_label;
use crate::outputs::picture::Mosaic;
use crate::outputs::sidecar::{ContrastEntry, Sidecar};
use crate::outputs::tables::{self, Column, ContrastColumns};
use crate::outputs::{
    FrameWriter, Geometry, ImageDescription, Intent, OutputError, OutputNames, RelativePath, SeriesAxis, StagedOutputs,
    write_map, write_mask,
};
use crate::preprocess::{PassError, Scaler, Series};
use rayon::prelude::*;
use std::io::Write;
use thresholds::ThresholdedContrast;

/// Absolute z from which the picture of a map is coloured: two-sided p of .002.
const PICTURE_THRESHOLD: f32 = 3.1;

/// Whether files speak of one run among several, or of the whole group.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    labels: &'a Labels,
    is_group: bool,
}

impl<'a> Level<'a> {
    pub(super) fn of_run(labels: &'a Labels) -> Self {
        Self { labels, is_group: false }
    }

    pub(super) fn of_group(group: &'a RunGroup) -> Self {
        Self { labels: &group.labels, is_group: true }
    }
}

/// Writes what one model says at one level.
pub(super) struct ModelOutputs<'a> {
    plan: &'a Plan,
    glm: &'a GlmSettings,
    model: usize,
    staged: &'a StagedOutputs,
    geometry: Option<&'a Geometry>,
    level: Level<'a>,
    /// Name of the `[[roi]]` whose regions the columns are.
    regions: Option<&'a str>,
}

impl<'a> ModelOutputs<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        model: usize,
        staged: &'a StagedOutputs,
        geometry: Option<&'a Geometry>,
        level: Level<'a>,
    ) -> Self {
        Self { plan, glm: &plan.settings.glms[model], model, staged, geometry, level, regions: None }
    }

    /// The same for the regions of a `[[roi]]`.
    pub(super) fn of_regions(&self, name: &'a str) -> Self {
        Self { regions: Some(name), geometry: None, ..*self }
    }

    fn names(&self) -> Result<OutputNames, OutputError> {
        OutputNames::of_run(&self.glm.name, self.level.labels)
    }

    fn wants(&self, map: MapKind) -> bool {
        self.glm.maps.contains(&map)
    }

    /// The design matrix of a run as table, sidecar and figure; once a run, under the run's labels.
    pub(super) fn write_design(&self, run: &RunPlan) -> Result<(), Failure> {
        let design = &run.models[self.model].design;
        write_design(self.staged, &self.names()?, design, &run.design_sidecar(self.model))
    }

    /// The mean series of regions.
    pub(super) fn write_region_series(&self, series: &Series) -> Result<(), Failure> {
        let (Some(regions), Support::Columns { names }) = (self.regions, &series.support) else { return Ok(()) };
        // Every model has its own folder, which is complete in itself.
        let path = self.names()?.roi_series(regions)?;
        let row = |frame: usize| -> Result<Vec<f64>, PassError> {
            let values = series.frame(frame)?;
            Ok(values.iter().zip(&series.first).map(|(value, first)| f64::from(*value) + f64::from(*first)).collect())
        };
        self.write_series(&path, names, (0..series.n_frames).map(row))
    }

    /// Maps of the fit itself: beta, r2, sigma, rho, whiteness.
    pub(super) fn write_fit(
        &self,
        (fit, whiteness): (&RunFit, Option<&Whiteness>),
        excluded: &Excluded,
        support: &Support,
        design: &RunDesign,
    ) -> Result<(), Failure> {
        let cleared = |mut values: Vec<f64>| {
            excluded.clear(&mut values);
            values
        };
        if let Support::Columns { names } = support {
            return self.write_fit_table((fit, whiteness), &cleared, names, design);
        }
        for map in MAPS_OF_A_FIT {
            if self.wants(map) {
                let (path, values) = (self.names()?.model_map(map)?, cleared(map_of_fit(map, fit, whiteness)));
                self.write_image(&path, map, Intent::Estimate, support, &values, None, &[design])?;
            }
        }
        if self.wants(MapKind::Beta) {
            let volumes = (0..design.n_columns()).map(|column| Ok(cleared(fit.beta.row(column).to_vec())));
            let axis = SeriesAxis { n_frames: design.n_columns(), tr_s: None };
            self.write_volumes(MapKind::Beta, support, design, axis, volumes)?;
        }
        Ok(())
    }

    /// The residuals, where they are wanted: a 4-D map of voxels, a table of columns.
    pub(super) fn write_residuals(
        &self,
        fit: &RunFit,
        series: &Series,
        scaler: &Scaler,
        design: &RunDesign,
    ) -> Result<(), Failure> {
        if !self.wants(MapKind::Residuals) || self.regions.is_some() {
            return Ok(());
        }
        let frames = (0..series.n_frames).map(|frame| residual_frame(fit, series, scaler, design, frame));
        if let Support::Columns { names } = &series.support {
            return self.write_series(&self.names()?.residual_series()?, names, frames);
        }
        let axis = SeriesAxis { n_frames: series.n_frames, tr_s: Some(design.timing.tr_s) };
        self.write_volumes(MapKind::Residuals, &series.support, design, axis, frames)
    }

    /// A table of series; those of tables and regions are small.
    fn write_series(
        &self,
        path: &RelativePath,
        names: &[String],
        frames: impl Iterator<Item = Result<Vec<f64>, PassError>>,
    ) -> Result<(), Failure> {
        let frames: Vec<Vec<f64>> = frames.collect::<Result<_, _>>()?;
        Ok(self.staged.write(path, |file| tables::write_series(file, names, frames))?)
    }

    /// A 4-D map, volume by volume.
    fn write_volumes(
        &self,
        map: MapKind,
        support: &Support,
        design: &RunDesign,
        axis: SeriesAxis,
        volumes: impl Iterator<Item = Result<Vec<f64>, PassError>>,
    ) -> Result<(), Failure> {
        let Some(geometry) = self.geometry else { return Ok(()) };
        let path = self.names()?.model_map(map)?;
        let description = self.description(map, Intent::Estimate, None);
        let file = self.staged.create(&path)?;
        let mut writer = FrameWriter::new(file, geometry, support, &description, axis)?;
        for volume in volumes {
            writer.push(&volume?)?;
        }
        writer.finish()?.finish()?;
        let mut sidecar = self.sidecar(map, &[design]);
        if map == MapKind::Beta {
            sidecar.volumes.clone_from(&design.names);
        } else {
            sidecar.repetition_time = axis.tr_s;
            sidecar.start_time = Some(design.timing.frame_times_s.first().copied().unwrap_or_default());
            sidecar.image = Some(ImageFields::masked(self.level.labels, &self.plan.settings.mask));
        }
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    /// The fit of a table or of regions: a row a column with its coefficients, r2, sigma, rho and whiteness.
    fn write_fit_table(
        &self,
        (fit, whiteness): (&RunFit, Option<&Whiteness>),
        cleared: &dyn Fn(Vec<f64>) -> Vec<f64>,
        rows: &[String],
        design: &RunDesign,
    ) -> Result<(), Failure> {
        let mut columns: Vec<(&str, Vec<f64>)> = Vec::new();
        if self.wants(MapKind::Beta) {
            columns.extend(
                design.names.iter().enumerate().map(|(at, name)| (name.as_str(), cleared(fit.beta.row(at).to_vec()))),
            );
        }
        for map in MAPS_OF_A_FIT.into_iter().filter(|map| self.wants(*map)) {
            columns.push((stat_label(map), cleared(map_of_fit(map, fit, whiteness))));
        }
        let names = self.names()?;
        if !columns.is_empty() {
            let path = match self.regions {
                Some(regions) => names.roi_model_stats(regions)?,
                None => names.model_stats()?,
            };
            let mut table = vec![("name", Column::Text(rows))];
            table.extend(columns.iter().map(|(name, values)| (*name, Column::Numbers(values))));
            self.staged.write(&path, |file| tables::write_table(file, &table))?;
        }
        Ok(())
    }

    /// The statistics of a contrast: maps of voxels, a table of columns or regions.
    pub(super) fn write_contrast(
        &self,
        contrast: &ContrastSettings,
        mut map: StatMap,
        excluded: &Excluded,
        runs: &[(&RunDesign, &ContrastMatrix)],
        support: &Support,
        (noise, cancel): (Option<&GroupNoise>, &CancelToken),
    ) -> Result<(), Failure> {
        excluded.clear(&mut map.stat);
        excluded.clear(&mut map.z);
        // a table lists p, a map of it is seldom asked for
        let wants_p = self.wants(MapKind::P) || matches!(support, Support::Columns { .. });
        let p = if wants_p { excluded.cleared(&map.p(&self.plan.settings.numerics)) } else { Vec::new() };
        let mut effect = map.effect.row(0).to_vec();
        let mut variance = map.variance.row(0).to_vec();
        excluded.clear(&mut effect);
        excluded.clear(&mut variance);
        let names = self.names()?;
        let designs: Vec<&RunDesign> = runs.iter().map(|(design, _)| *design).collect();
        let expression: Vec<&str> = contrast.rows.iter().map(|row| row.as_str()).collect();
        let entry = ContrastEntry::new(&contrast.name, contrast.kind, &expression, runs);
        let sidecar = self.contrast_sidecar(MapKind::Z, &entry, &map, &designs);
        let statistics = Thresholdable { map: &map, excluded, support, noise, cancel };
        self.write_thresholds(ThresholdedContrast { entry: &entry, sidecar: &sidecar, statistics })?;
        if let Support::Columns { names: rows } = support {
            let path = match self.regions {
                Some(regions) => names.roi_stats(regions, &contrast.name)?,
                None => names.contrast_stats(&contrast.name)?,
            };
            let dof: Vec<f64> = map.dof.each(rows.len());
            let columns = ContrastColumns {
                effect: &effect,
                variance: &variance,
                statistic: &map.stat,
                dof: &dof,
                z: &map.z,
                p: &p,
            };
            return Ok(self.staged.write(&path, |file| tables::write_contrast(file, rows, contrast.kind, &columns))?);
        }
        let each_dof =
            if self.wants(MapKind::Dof) { excluded.cleared(&map.dof.each(map.stat.len())) } else { Vec::new() };
        let n_rows = map.effect.nrows() as f64;
        let dof = representative_dof(&map.dof);
        let statistic = match map.kind {
            ContrastKind::T => (MapKind::T, Intent::Ttest { dof }),
            ContrastKind::F => (MapKind::F, Intent::Ftest { numerator_dof: n_rows, denominator_dof: dof }),
        };
        let maps = [
            (MapKind::Effect, Intent::Estimate, &effect),
            (MapKind::Variance, Intent::Estimate, &variance),
            (statistic.0, statistic.1, &map.stat),
            (MapKind::Z, Intent::Zscore, &map.z),
            (MapKind::P, Intent::Pvalue, &p),
            (MapKind::Dof, Intent::Estimate, &each_dof),
        ];
        // one thread compresses a map
        maps.into_par_iter().filter(|(kind, ..)| self.wants(*kind) && map_applies(*kind, map.kind)).try_for_each(
            |(kind, intent, values)| {
                let path = names.contrast_map(&contrast.name, kind)?;
                self.write_image(&path, kind, intent, support, values, Some((&entry, &map)), &designs)
            },
        )
    }

    /// One 3-D map with its sidecar; a contrast comes with the statistic, whose dof every map of it says.
    #[expect(
        clippy::too_many_arguments,
        reason = "a map's file, meaning, place, values and provenance are separate facts"
    )]
    fn write_image(
        &self,
        path: &RelativePath,
        map: MapKind,
        intent: Intent,
        support: &Support,
        values: &[f64],
        contrast: Option<(&ContrastEntry, &StatMap)>,
        designs: &[&RunDesign],
    ) -> Result<(), Failure> {
        let Some(geometry) = self.geometry else { return Ok(()) };
        let description = self.description(map, intent, contrast.map(|(entry, _)| entry));
        write_map(self.staged.create(path)?, geometry, support, &description, values)?.finish()?;
        let sidecar = match contrast {
            Some((entry, statistic)) => self.contrast_sidecar(map, entry, statistic, designs),
            None => self.sidecar(map, designs),
        };
        Ok(self.staged.write_json(&path.sidecar(), &sidecar)?)
    }

    fn contrast_sidecar(&self, map: MapKind, entry: &ContrastEntry, of: &StatMap, designs: &[&RunDesign]) -> Sidecar {
        let dof = representative_dof(&of.dof);
        Sidecar {
            contrast: Some(entry.clone()),
            degrees_of_freedom: match of.kind {
                ContrastKind::T => vec![dof],
                ContrastKind::F => vec![of.effect.nrows() as f64, dof],
            },
            degrees_of_freedom_vary: matches!(of.dof, Dof::PerColumn(_)),
            ..self.sidecar(map, designs)
        }
    }

    fn sidecar(&self, map: MapKind, designs: &[&RunDesign]) -> Sidecar {
        let settings = &self.plan.settings;
        let fwhm_mm = settings.preprocess.smooth_fwhm_mm;
        let noise = self.glm.noise.of_support(self.regions.is_none());
        Sidecar {
            p_value_sides: (map == MapKind::P).then_some(settings.numerics.p_sides),
            fixed_effects: (designs.len() > 1).then_some(self.glm.fixed_effects),
            profile: Some(settings.profile),
            smoothing_fwhm_mm: if fwhm_mm == [0.0; 3] { Vec::new() } else { fwhm_mm.to_vec() },
            ..Sidecar::new(&self.glm.name, map, noise, settings.preprocess.scaling, designs)
        }
    }

    fn description(&self, map: MapKind, intent: Intent, contrast: Option<&ContrastEntry>) -> ImageDescription {
        let name = contrast.map_or_else(|| format!("{map:?}"), |contrast| contrast.name.clone());
        ImageDescription {
            intent,
            description: format!("boldly {}: {} of model {}", env!("CARGO_PKG_VERSION"), name, *self.glm.name),
            intent_name: name,
            compression_level: self.plan.settings.output.compression_level,
        }
    }

    /// Mask, mean and temporal signal-to-noise ratio of a group.
    pub(super) fn write_group_images(&self, support: &Support, mean: &TemporalMean) -> Result<(), Failure> {
        let Some(geometry) = self.geometry.filter(|_| self.level.is_group) else { return Ok(()) };
        let names = self.names()?;
        let level = self.plan.settings.output.compression_level;
        let path = names.mask()?;
        write_mask(self.staged.create(&path)?, geometry, support, level)?.finish()?;
        let sidecar = MaskSidecar::new(&self.glm.name, self.level.labels, &self.plan.settings.mask);
        self.staged.write_json(&path.sidecar(), &sidecar)?;
        for (path, what, values) in [
            (names.mean()?, "mean over time", mean.mean()),
            (names.tsnr()?, "temporal signal-to-noise ratio", mean.tsnr()),
        ] {
            let description = ImageDescription {
                intent: Intent::None,
                intent_name: String::new(),
                description: format!("boldly {}: {what}", env!("CARGO_PKG_VERSION")),
                compression_level: level,
            };
            write_map(self.staged.create(&path)?, geometry, support, &description, &values)?.finish()?;
        }
        Ok(())
    }

    /// The z map of a contrast as a picture over the mean image.
    pub(super) fn write_picture(
        &self,
        contrast: &str,
        z: &[f64],
        support: &Support,
        mean: &TemporalMean,
    ) -> Result<(), Failure> {
        let Support::Voxels { grid, index } = support else { return Ok(()) };
        let spread = |values: &[f64]| {
            let mut volume = vec![0.0_f32; grid.n_voxels()];
            index.iter().zip(values).for_each(|(&voxel, value)| volume[voxel as usize] = *value as f32);
            volume
        };
        let (background, statistic) = (spread(&mean.mean()), spread(z));
        let mosaic = Mosaic { grid, background: &background, statistic: &statistic, threshold: PICTURE_THRESHOLD };
        let png = mosaic.png().map_err(|problem| std::io::Error::other(problem.to_string()))?;
        Ok(self.staged.write(&self.names()?.contrast_picture(contrast)?, |file| file.write_all(&png))?)
    }

    /// What was done and found, in figures.
    pub(super) fn write_summary(&self, runs: &[(&RunPlan, &FittedRun)], support: &Support) -> Result<(), Failure> {
        let summary = Summary::new(&display_name(self.level.labels), self.model, runs, support);
        Ok(self.staged.write_json(&self.names()?.summary()?, &summary)?)
    }
}

/// Maps with one value a column that are of a fit, not of a contrast.
const MAPS_OF_A_FIT: [MapKind; 6] =
    [MapKind::R2, MapKind::Sigma, MapKind::Rho, MapKind::ArmaA, MapKind::ArmaB, MapKind::Whiteness];

/// Values of one of [`MAPS_OF_A_FIT`].
fn map_of_fit(map: MapKind, fit: &RunFit, whiteness: Option<&Whiteness>) -> Vec<f64> {
    let values = match map {
        MapKind::R2 => Some(fit.r2.clone()),
        MapKind::Sigma => Some(fit.sigma()),
        MapKind::Rho => fit.rho(),
        MapKind::ArmaA => fit.arma11().map(|[a, _]| a),
        MapKind::ArmaB => fit.arma11().map(|[_, b]| b),
        _ => whiteness.map(|whiteness| whiteness.ljung_box.clone()),
    };
    values.unwrap_or_else(|| vec![0.0; fit.n_columns()])
}

/// The dof a header says: the common one, or the median where each voxel has its own.
fn representative_dof(dof: &Dof) -> f64 {
    match dof {
        Dof::Same(dof) => *dof,
        Dof::PerColumn(each) => {
            let mut sorted = each.clone();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
        }
    }
}
