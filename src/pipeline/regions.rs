//! Regions of interest: which columns of the data they hold, and their mean series.

use crate::config::{RoiSettings, RoiSource};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::{self, Support};
use crate::preprocess::{PassError, Series};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The regions of one `[[roi]]`: one for a mask, one a label for an atlas.
#[derive(Debug)]
pub(super) struct RegionSet {
    /// Name of the `[[roi]]`.
    pub(super) name: String,
    /// Its regions, in the order of their labels; none is empty.
    regions: Vec<Region>,
}

#[derive(Debug)]
struct Region {
    name: String,
    columns: Vec<usize>,
}

impl RegionSet {
    /// Reads every `[[roi]]` onto the columns of `support`; a table has none.
    pub(super) fn read_all(rois: &[RoiSettings], support: &Support) -> Result<(Vec<Self>, Diagnostics), Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut sets = Vec::new();
        if let Support::Voxels { index, .. } = support {
            for roi in rois {
                let mut warnings = Diagnostics::new();
                sets.extend(problems.collect(Self::read(roi, index, &mut warnings)));
                problems.extend(warnings);
            }
        }
        problems.finish(sets)
    }

    fn read(roi: &RoiSettings, index: &[u32], warnings: &mut Diagnostics) -> Result<Self, Diagnostics> {
        let name = roi.name.value.clone();
        let regions = match &roi.source {
            RoiSource::Mask(path) => {
                let (_, mask, found) = inputs::read_mask(path)?;
                warnings.extend(found);
                let inside = index.iter().enumerate().filter(|(_, voxel)| mask[**voxel as usize]);
                vec![Region { name: name.clone(), columns: inside.map(|(column, _)| column).collect() }]
            }
            RoiSource::Atlas { atlas, labels } => {
                let (_, values, found) = inputs::read_atlas(atlas)?;
                warnings.extend(found);
                let names =
                    labels.as_ref().map(|path| inputs::read_atlas_labels(path)).transpose()?.unwrap_or_default();
                let mut columns: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
                for (column, voxel) in index.iter().enumerate() {
                    let label = values[*voxel as usize];
                    if label != 0 {
                        columns.entry(label).or_default().push(column);
                    }
                }
                let named = |label: &i32| names.get(label).cloned().unwrap_or_else(|| format!("label-{label}"));
                columns.into_iter().map(|(label, columns)| Region { name: named(&label), columns }).collect()
            }
        };
        let path = match &roi.source {
            RoiSource::Mask(path) | RoiSource::Atlas { atlas: path, .. } => path,
        };
        if regions.is_empty() || regions.iter().any(|region| region.columns.is_empty()) {
            return Err(Diagnostic::error("roi-empty", format!("region `{name}` holds no analysed voxel"))
                .at(Place::file(path))
                .hint("check that it overlaps the mask")
                .into());
        }
        Ok(Self { name, regions })
    }

    /// Names of its regions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.regions.iter().map(|region| region.name.as_str())
    }

    /// The regions as columns of a table.
    pub(super) fn support(&self) -> Support {
        Support::Columns { names: self.regions.iter().map(|region| region.name.clone()).collect() }
    }

    /// Mean over each region's voxels, frame by frame, leaving out the columns that are `excluded` (ascending);
    /// f64 sums in the columns' order. A region all of whose voxels are excluded is constant at 0, and so excluded in its turn.
    ///
    /// # Errors
    /// The series cannot be read.
    pub(super) fn mean_series(&self, series: &Series, excluded: &[usize]) -> Result<Series, PassError> {
        let members: Vec<Vec<usize>> = self
            .regions
            .iter()
            .map(|region| {
                region.columns.iter().copied().filter(|column| excluded.binary_search(column).is_err()).collect()
            })
            .collect();
        let mean_of = |columns: &Vec<usize>, values: &dyn Fn(usize) -> f64| {
            columns.iter().map(|&column| values(column)).sum::<f64>() / columns.len().max(1) as f64
        };
        let first: Vec<f32> =
            members.iter().map(|columns| mean_of(columns, &|column| f64::from(series.first[column])) as f32).collect();
        let rows: Vec<Vec<f32>> = (0..series.n_frames)
            .into_par_iter()
            .map(|frame| {
                let row = series.frame(frame)?;
                let of_region = |columns| mean_of(columns, &|column| f64::from(row[column])) as f32;
                Ok(members.iter().map(of_region).collect())
            })
            .collect::<Result<_, PassError>>()?;
        Ok(Series::new(self.support(), first, rows.concat()))
    }
}
