//! What is known of a run's design: matrix, roles, events, contrasts.

use super::saved::{Saved, SavedFile};
use crate::design::RunDesign;
use crate::error::{Diagnostic, Place};
use crate::outputs::design_sidecar::DesignSidecar;
use ndarray::Array2;

/// A design as it was saved.
pub(super) struct SavedDesign<'a> {
    /// Its picture.
    pub(super) figure: Option<&'a SavedFile>,
    /// Names of the columns and the matrix.
    pub(super) table: Option<(Vec<String>, Array2<f64>)>,
    /// Roles, events and contrasts.
    pub(super) sidecar: Option<DesignSidecar>,
}

impl<'a> SavedDesign<'a> {
    /// Reads the design among the files of one run; `None` where there is none.
    pub(super) fn read(saved: &Saved<'_>, files: &[&'a SavedFile]) -> Option<Self> {
        let find = |suffix: &str| files.iter().copied().find(|file| file.is(suffix, &[]));
        let (figure, table, sidecar) = (find("design.svg"), find("design.tsv"), find("design.json"));
        if figure.is_none() && table.is_none() {
            return None;
        }
        Some(Self {
            figure,
            table: table.and_then(|file| read_matrix(saved, file)),
            sidecar: sidecar.and_then(|file| saved.json(file)),
        })
    }

    /// The design as it was, where table and sidecar are there and fit each other.
    pub(super) fn design(&self) -> Option<RunDesign> {
        let (names, matrix) = self.table.as_ref()?;
        self.sidecar.as_ref()?.design(names, matrix.clone())
    }
}

fn read_matrix(saved: &Saved<'_>, file: &SavedFile) -> Option<(Vec<String>, Array2<f64>)> {
    let (names, rows) = saved.table(file)?;
    let values: Option<Vec<f64>> = rows.iter().flatten().map(|cell| cell.parse().ok()).collect();
    let matrix = values.and_then(|values| Array2::from_shape_vec((rows.len(), names.len()), values).ok());
    if matrix.is_none() {
        let problem = Diagnostic::error("report-output-unreadable", "a design with a cell that is no number");
        saved.note(problem.at(Place::File(file.path.as_str().into())));
    }
    Some((names, matrix?))
}
