//! The files that all subjects share: the mask, the regions, the models' responses. One that cannot be read is a mistake
//! of the pipeline, said once, before any subject is looked at.

use super::plan_run::{found_from, image_files};
use crate::config::{ConvolveKernel, HrfSettings, KernelSettings, Located, MaskSettings, RoiSource, Settings};
use crate::error::Diagnostics;
use crate::inputs::{self, ImageHeader};
use std::path::{Path, PathBuf};

/// What all subjects share.
#[derive(Debug, Default)]
pub struct SharedFiles {
    /// Headers of the images that must lie on the grid of the data: the mask and the regions.
    pub(super) images: Vec<ImageHeader>,
    /// Response of each model of series (GLMs first) that names a table: times after the event, seconds, and amplitudes.
    pub(super) responses: Vec<Option<(Vec<f64>, Vec<f64>)>>,
    /// Kernel of each deconvolution that names a table, in the same form.
    pub(super) kernels: Vec<Option<(Vec<f64>, Vec<f64>)>>,
    /// Weights of each convolution that names a table.
    pub(super) weights: Vec<Option<Vec<f64>>>,
    /// Every one of the files.
    pub(super) files: Vec<PathBuf>,
}

impl SharedFiles {
    /// Reads headers and tables.
    pub(super) fn read(settings: &Settings) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut shared = Self::default();
        if let MaskSettings::File(path) = &settings.mask {
            shared.add_image(path, &mut problems);
        }
        for roi in &settings.rois {
            match &roi.source {
                RoiSource::Mask(path) => shared.add_image(path, &mut problems),
                RoiSource::Atlas { atlas, labels } => {
                    shared.add_image(atlas, &mut problems);
                    if let Some(path) = labels {
                        // read again with the voxels; here to find its mistakes in time
                        problems.collect(inputs::read_atlas_labels(path));
                        shared.files.push(path.value.clone());
                    }
                }
            }
        }
        for model in settings.series_models() {
            let path = if let HrfSettings::File(path) = &model.design.hrf { Some(path) } else { None };
            let response = path.and_then(|path| shared.table(path, inputs::read_hrf_table, &mut problems));
            shared.responses.push(response);
        }
        for model in &settings.deconvolutions {
            let path = if let KernelSettings::File(path) = &model.kernel { Some(path) } else { None };
            let kernel = path.and_then(|path| shared.table(path, inputs::read_hrf_table, &mut problems));
            shared.kernels.push(kernel);
        }
        for model in &settings.convolutions {
            let path = if let ConvolveKernel::File(path) = &model.kernel { Some(path) } else { None };
            let weights = path.and_then(|path| shared.table(path, inputs::read_kernel_weights, &mut problems));
            shared.weights.push(weights);
        }
        // two models may name one table
        let problems = problems.said_once();
        if problems.has_errors() { Err(problems) } else { Ok(shared) }
    }

    /// Reads a table and notes its file.
    fn table<T>(
        &mut self,
        path: &Located<PathBuf>,
        read: fn(&Path) -> Result<T, Diagnostics>,
        problems: &mut Diagnostics,
    ) -> Option<T> {
        self.files.push(path.value.clone());
        problems.collect(read(path).map_err(|found| found_from(found, path)))
    }

    fn add_image(&mut self, path: &Located<PathBuf>, problems: &mut Diagnostics) {
        // an image's warnings come with its voxels
        if let Some((header, _)) = problems.collect(inputs::read_header(path).map_err(|found| found_from(found, path)))
        {
            self.files.extend(image_files(&header));
            self.images.push(header);
        }
    }
}
