//! What the report of a subject needs: the maps that are being drawn, and the page.

use super::BASE_BYTES;
use crate::config::MapKind;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_subject::{SpacePlan, SubjectPlan};

/// Bytes a voxel of what a group's contrasts share: the mean image, the mask as an image and as yes or no, signal-to-noise.
const SHARED_BYTES: usize = 3 * 4 + 1;

/// Bytes a voxel of a contrast that is being drawn: a map as it is read and as it is held, its clusters, the effect, the
/// steps of the viewer.
const MAP_BYTES: usize = 8 + 2 * 4 + 4 + 4 + 2 + 2;

/// Bytes a column of a map in the viewer, compressed, as text: hundredths of z hardly compress.
const VIEWER_BYTES: usize = 3;

/// Bytes of the pictures and tables of a contrast, as text, at 2 mm.
const SECTION_BYTES: usize = 250 << 10;

/// Bytes of a run's design, figures and tables, as text; what is the same in all pages is small beside the program.
const RUN_BYTES: usize = 50 << 10;

/// Times a page is held while it grows: the piece, and what it is put into.
const COPIES: usize = 2;

impl Plan {
    /// Bytes that the report of a subject takes when all else of it is done; 0 where none is made.
    pub(super) fn report_bytes(&self, subject: &SubjectPlan, threads: usize, mask_voxels: Option<usize>) -> u64 {
        if !self.settings.output.report {
            return 0;
        }
        let mut page = RUN_BYTES * subject.runs.len();
        let mut drawing = 0;
        for space in &subject.spaces {
            let n_voxels = space.grid.as_ref().map_or(0, crate::inputs::Grid::n_voxels);
            let n_contrasts = self.n_shown(space);
            let n_columns = self.n_columns(subject, space, mask_voxels);
            page += n_contrasts * (VIEWER_BYTES * n_columns + SECTION_BYTES);
            drawing = drawing.max(n_voxels * (SHARED_BYTES + MAP_BYTES * threads.min(n_contrasts)));
        }
        BASE_BYTES + (drawing + COPIES * page) as u64
    }

    /// Contrasts that a report shows: those with a z map, of each group of runs.
    fn n_shown(&self, space: &SpacePlan) -> usize {
        if space.grid.is_none() {
            return 0;
        }
        let with_z = self.settings.glms.iter().zip(&self.contrasts).filter(|(glm, _)| glm.maps.contains(&MapKind::Z));
        space.groups.len() * with_z.map(|(_, contrasts)| contrasts.len()).sum::<usize>()
    }
}
