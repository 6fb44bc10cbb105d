//! The files that all subjects share: the mask, the regions, the models' responses. One that cannot be read is a mistake
//! of the pipeline, said once, before any subject is looked at.

use super::plan_run::{found_from, image_files};
use crate::config::{HrfSettings, Located, MaskSettings, RoiSource, Settings};
use crate::error::Diagnostics;
use crate::inputs::{self, ImageHeader};
use std::path::PathBuf;

/// What all subjects share.
#[derive(Debug, Default)]
pub struct SharedFiles {
    /// Headers of the images that must lie on the grid of the data: the mask and the regions.
    pub(super) images: Vec<ImageHeader>,
    /// Response of each model that names a table: times after the event, seconds, and amplitudes.
    pub(super) responses: Vec<Option<(Vec<f64>, Vec<f64>)>>,
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
        for glm in &settings.glms {
            let mut response = None;
            if let HrfSettings::File(path) = &glm.design.hrf {
                response = problems.collect(inputs::read_hrf_table(path).map_err(|found| found_from(found, path)));
                shared.files.push(path.value.clone());
            }
            shared.responses.push(response);
        }
        // two models may name one table
        let problems = problems.said_once();
        if problems.has_errors() { Err(problems) } else { Ok(shared) }
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
