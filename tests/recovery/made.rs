//! What a simulated dataset says of itself: its tables, its truth, and pipelines over its runs.

use crate::estimator::Design;
use crate::support::image;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A dataset written by `boldly simulate`.
pub(crate) struct Made {
    pub(crate) folder: PathBuf,
    pub(crate) task: &'static str,
    pub(crate) tr_s: f64,
    pub(crate) runs: usize,
}

/// One model of a pipeline.
pub(crate) struct Model<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: &'a str,
    pub(crate) contrasts: &'a [(&'a str, &'a str)],
}

impl Made {
    /// The dataset that ships with the program.
    pub(crate) fn sample_data() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/dataset");
        Self { folder, task: "objects", tr_s: 2.0, runs: 2 }
    }

    pub(crate) fn truth(&self, map: &str) -> Vec<f64> {
        image(&self.folder.join(format!("truth/{map}.nii.gz")))
    }

    /// Indices of the brain's voxels.
    pub(crate) fn brain(&self) -> Vec<usize> {
        let mask = self.truth("mask");
        (0..mask.len()).filter(|&voxel| mask[voxel] != 0.0).collect()
    }

    fn run_file(&self, subject: usize, run: usize, ending: &str) -> PathBuf {
        let task = self.task;
        self.folder.join(format!("sub-{subject:02}/func/sub-{subject:02}_task-{task}_run-{run:02}_{ending}"))
    }

    /// True regressors of a run by condition.
    pub(crate) fn regressors(&self, subject: usize, run: usize) -> BTreeMap<String, Vec<f64>> {
        let name = format!("truth/sub-{subject:02}_task-{}_run-{run:02}_regressors.tsv", self.task);
        columns(&self.folder.join(name))
    }

    /// When the events of each condition begin in a run, seconds.
    pub(crate) fn onsets(&self, subject: usize, run: usize) -> BTreeMap<String, Vec<f64>> {
        let text = std::fs::read_to_string(self.run_file(subject, run, "events.tsv")).unwrap();
        let mut onsets = BTreeMap::<String, Vec<f64>>::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            onsets.entry(cells[2].to_owned()).or_default().push(cells[0].parse().unwrap());
        }
        onsets
    }

    /// The designs of a subject's runs, from the true regressors and the tables beside the data.
    pub(crate) fn designs(&self, subject: usize, conditions: &[&str], motion: bool) -> Vec<Design> {
        (1..=self.runs)
            .map(|run| {
                let regressors = self.regressors(subject, run);
                let confounds = columns(&self.run_file(subject, run, "desc-confounds_timeseries.tsv"));
                let of_motion =
                    confounds.iter().filter(|(name, _)| name.starts_with("trans_") || name.starts_with("rot_"));
                let nuisance: Vec<Vec<f64>> =
                    if motion { of_motion.map(|(_, values)| values.clone()).collect() } else { Vec::new() };
                let conditions: Vec<Vec<f64>> = conditions.iter().map(|name| regressors[*name].clone()).collect();
                Design::new(&conditions, &nuisance, self.tr_s, 0.01)
            })
            .collect()
    }

    /// A pipeline over the runs of `subjects`, within the true brain.
    pub(crate) fn pipeline(&self, subjects: &[usize], head: &str, motion: bool, models: &[Model<'_>]) -> String {
        let mut text = format!("schema = 1\nname = \"recovery\"\n{head}\n");
        for &subject in subjects {
            for run in 1..=self.runs {
                let bold = self.run_file(subject, run, "bold.nii.gz");
                let events = self.run_file(subject, run, "events.tsv");
                let _ = write!(text, "[[run]]\nbold = '{}'\nevents = '{}'\n", bold.display(), events.display());
                if motion {
                    let confounds = self.run_file(subject, run, "desc-confounds_timeseries.tsv");
                    let _ = writeln!(text, "confounds = '{}'", confounds.display());
                }
            }
        }
        let _ = writeln!(text, "[mask]\npath = '{}'", self.folder.join("truth/mask.nii.gz").display());
        if motion {
            text.push_str("[confounds]\ncolumns = [\"trans_*\", \"rot_*\"]\n");
        }
        for model in models {
            let _ = writeln!(text, "[[glm]]\nname = \"{}\"\n{}", model.name, model.settings);
            for (name, expression) in model.contrasts {
                let _ = writeln!(text, "[[glm.contrast]]\nname = \"{name}\"\nexpr = {expression}");
            }
        }
        text
    }

    /// A map over a subject's runs, or one of a single run (`run-01_...`).
    pub(crate) fn map(&self, project: &Path, model: &str, subject: usize, rest: &str) -> Vec<f64> {
        let task = self.task;
        image(
            &project.join(format!(
                "results/{model}/sub-{subject:02}/func/sub-{subject:02}_task-{task}_{rest}_statmap.nii.gz"
            )),
        )
    }

    /// The design that a model used.
    pub(crate) fn written_design(
        &self,
        project: &Path,
        model: &str,
        subject: usize,
        run: usize,
    ) -> BTreeMap<String, Vec<f64>> {
        let task = self.task;
        columns(&project.join(format!(
            "results/{model}/sub-{subject:02}/func/sub-{subject:02}_task-{task}_run-{run:02}_design.tsv"
        )))
    }
}

/// Columns of a table, `n/a` as NaN.
fn columns(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let column = |at: usize| rows[1..].iter().map(|row| row[at].parse().unwrap_or(f64::NAN)).collect();
    rows[0].iter().enumerate().map(|(at, name)| ((*name).to_owned(), column(at))).collect()
}

/// Mean of some values.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0_f64), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}
