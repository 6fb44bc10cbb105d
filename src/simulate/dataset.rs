//! The files around the images: sidecars, tables, and the truth.

use super::folder::{Folder, table, timed_table};
use super::head::Head;
use super::image::{write_map, write_mask};
use super::motion::{COLUMNS, DECIMALS, framewise_displacement};
use super::noise::RunItem;
use super::run::{RunMeasures, RunTruth, World};
use super::{RoiSpec, SimulationSpec, neural};
use crate::error::Diagnostics;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A dataset that is written.
#[derive(Debug)]
pub(super) struct Dataset<'a> {
    spec: &'a SimulationSpec,
    /// Where it is written.
    pub(super) folder: Folder<'a>,
}

impl<'a> Dataset<'a> {
    /// Opens a folder for a new dataset.
    ///
    /// # Errors
    /// It already holds one, or cannot be written.
    pub(super) fn create(spec: &'a SimulationSpec, root: &'a Path) -> Result<Self, Diagnostics> {
        let taken = ["dataset_description.json", "participants.tsv", "truth", "sub-01"];
        let mut folder = Folder::open(root, &taken)?;
        folder.make_folder(Path::new("truth"))?;
        for subject in 0..spec.subjects {
            folder.make_folder(&func_folder(subject))?;
        }
        Ok(Self { spec, folder })
    }

    /// Name of one of a run's files, relative to the root.
    pub(super) fn run_file(&self, item: RunItem, ending: &str) -> PathBuf {
        func_folder(item.subject).join(format!(
            "sub-{:02}_task-{}_run-{:02}_{ending}",
            item.subject + 1,
            self.spec.task,
            item.run + 1
        ))
    }

    /// Name of one of the files of a run's truth.
    fn truth_file(&self, item: RunItem, ending: &str) -> PathBuf {
        Path::new("truth").join(self.run_file(item, ending).file_name().unwrap_or_default())
    }

    /// What describes the dataset as a whole, written last: where it is, the dataset is complete.
    pub(super) fn write_description(&mut self) -> Result<(), Diagnostics> {
        let mut participants = String::from("participant_id\n");
        for subject in 1..=self.spec.subjects {
            let _ = writeln!(participants, "sub-{subject:02}");
        }
        self.folder.write_text("participants.tsv".into(), &participants)?;
        self.folder.write_description(&self.spec.name)
    }

    /// The maps and tables of what is true in every run.
    pub(super) fn write_truth(&mut self, world: &World<'_>) -> Result<(), Diagnostics> {
        let head = &world.head;
        let map = |dataset: &mut Self, name: String, values: &[f32], what: &str| -> Result<(), Diagnostics> {
            let path = dataset.folder.place(Path::new("truth").join(name));
            write_map(&path, &head.grid, &head.scatter(|place| values[place]), what)
        };
        for (condition, effect) in self.spec.conditions.iter().zip(&world.effects) {
            map(self, format!("effect_{}.nii.gz", condition.name), effect, "percent signal change, sustained")?;
        }
        for (source, loading) in self.spec.neural.iter().zip(&world.neural_loadings) {
            map(self, format!("neural_{}.nii.gz", source.name), loading, "percent signal change, sustained activity")?;
        }
        map(self, "rho.nii.gz".to_owned(), &world.noise.rho, "autoregressive coefficient of the noise")?;
        map(self, "sigma.nii.gz".to_owned(), &world.noise.sigma, "standard deviation of the noise, percent")?;
        map(self, "baseline.nii.gz".to_owned(), &head.baseline, "mean over a run without noise")?;
        let mask = brain_mask(head);
        let path = self.folder.place(Path::new("truth").join("mask.nii.gz"));
        write_mask(&path, &head.grid, &mask, "brain")?;

        let rois: Vec<serde_json::Value> = region_truths(world);
        let mut truth = serde_json::json!({
            "units": "effects: percent of the voxel's mean over the run, response to sustained stimulation (response of \
                      unit area, boxcar of height 1, event of no duration of area 1 s)",
            "response": "SPM double gamma, gamma(t; 6) - gamma(t; 16) / 6 on 0 to 32 s, unit area",
            "noise": "n[t] = rho n[t-1] + w[t] + theta w[t-1], standard deviation sigma percent",
            "theta": self.spec.noise.theta,
            "noise_fwhm_mm": self.spec.noise.fwhm_mm,
            "brain_voxels": mask.iter().filter(|inside| **inside == 1).count(),
            "regions": rois,
            "specification": self.spec,
        });
        if !self.spec.neural.is_empty() {
            truth["neural"] =
                "activity is constant over steps and 0 before the run; its response is the convolution with \
                               the response above, in units of that to sustained activity of height 1"
                    .into();
            truth["neural_step_s"] = neural::step_s(self.spec).into();
        }
        self.folder.write_json(Path::new("truth").join("truth.json"), &truth)
    }

    /// The mask beside a subject's runs.
    pub(super) fn write_subject_mask(&mut self, subject: usize, head: &Head) -> Result<(), Diagnostics> {
        let name = format!("sub-{:02}_task-{}_desc-brain_mask.nii.gz", subject + 1, self.spec.task);
        let path = self.folder.place(func_folder(subject).join(name));
        write_mask(&path, &head.grid, &brain_mask(head), "brain")
    }

    /// The tables and sidecars of one run.
    pub(super) fn write_run_tables(
        &mut self,
        world: &World<'_>,
        truth: &RunTruth,
        measures: &RunMeasures,
    ) -> Result<(), Diagnostics> {
        let spec = self.spec;
        let item = truth.item;
        let sidecar = serde_json::json!({ "RepetitionTime": spec.tr_s, "TaskName": spec.task });
        self.folder.write_json(self.run_file(item, "bold.json"), &sidecar)?;

        let mut events = String::from("onset\tduration\ttrial_type\n");
        for event in &truth.events {
            let name = &spec.conditions[event.condition].name;
            let _ = writeln!(events, "{:.3}\t{}\t{name}", event.onset_s, event.duration_s);
        }
        self.folder.write_text(self.run_file(item, "events.tsv"), &events)?;

        let moved = framewise_displacement(&truth.motion);
        let optional = |value: Option<f64>| value.map_or("n/a".to_owned(), |value| format!("{value:.6}"));
        let mut confounds = format!("{}\tframewise_displacement\tstd_dvars\n", COLUMNS.join("\t"));
        for volume in 0..spec.volumes {
            for column in &truth.motion {
                let _ = write!(confounds, "{:.DECIMALS$}\t", column[volume]);
            }
            let _ = writeln!(confounds, "{}\t{}", optional(moved[volume]), optional(measures.std_dvars[volume]));
        }
        self.folder.write_text(self.run_file(item, "desc-confounds_timeseries.tsv"), &confounds)?;
        let described = serde_json::json!({
            "trans_x": { "Units": "mm" }, "trans_y": { "Units": "mm" }, "trans_z": { "Units": "mm" },
            "rot_x": { "Units": "rad" }, "rot_y": { "Units": "rad" }, "rot_z": { "Units": "rad" },
            "framewise_displacement": { "Units": "mm", "Description": "Power et al. 2012, 50 mm sphere" },
            "std_dvars": { "Description": "root mean square change over the brain, divided by its median over the run" },
        });
        self.folder.write_json(self.run_file(item, "desc-confounds_timeseries.json"), &described)?;

        if !spec.rois.is_empty() {
            let names: Vec<&str> = spec.rois.iter().map(|roi| roi.name.as_str()).collect();
            let name = self.run_file(item, "desc-roi_timeseries.tsv");
            self.folder.write_text(name, &plain_table(&names, &measures.region_means, 4))?;
        }
        if !spec.conditions.is_empty() {
            let names: Vec<&str> = spec.conditions.iter().map(|condition| condition.name.as_str()).collect();
            let name = self.truth_file(item, "regressors.tsv");
            self.folder.write_text(name, &plain_table(&names, &truth.regressors, 9))?;
        }
        if !spec.neural.is_empty() {
            let names: Vec<&str> = spec.neural.iter().map(|source| source.name.as_str()).collect();
            let step_s = neural::step_s(spec);
            let times_s: Vec<f64> = (0..neural::steps(spec)).map(|step| step as f64 * step_s).collect();
            let name = self.truth_file(item, "neural.tsv");
            self.folder.write_text(name, &timed_table(&names, &times_s, 3, &truth.activity, 6))?;
            let name = self.truth_file(item, "neuralresponse.tsv");
            let text = timed_table(&names, &world.frame_times_s(), 3, &truth.neural_responses, 6);
            self.folder.write_text(name, &text)?;
        }
        Ok(())
    }
}

/// What is true of the mean series of each region: effects are those of its voxels, weighted by brightness.
fn region_truths(world: &World<'_>) -> Vec<serde_json::Value> {
    let spec = world.spec;
    let one = |(roi, places): (&RoiSpec, &Vec<usize>)| {
        let brightness = |place: usize| f64::from(world.head.baseline[place]);
        let total: f64 = places.iter().map(|&place| brightness(place)).sum();
        let mean = |map: &[f32]| {
            let sum: f64 = places.iter().map(|&place| brightness(place) * f64::from(map[place])).sum();
            serde_json::Value::from(sum / total)
        };
        let conditions = spec.conditions.iter().zip(&world.effects);
        let effects: serde_json::Map<String, serde_json::Value> =
            conditions.map(|(condition, effect)| (condition.name.clone(), mean(effect))).collect();
        let mut truth = serde_json::json!({ "name": roi.name, "voxels": places.len(), "effect_percent": effects });
        if !spec.neural.is_empty() {
            let sources = spec.neural.iter().zip(&world.neural_loadings);
            let loadings: serde_json::Map<String, serde_json::Value> =
                sources.map(|(source, loading)| (source.name.clone(), mean(loading))).collect();
            truth["neural_percent"] = loadings.into();
        }
        truth
    };
    spec.rois.iter().zip(&world.regions).map(one).collect()
}

/// Columns as a table.
fn plain_table(names: &[&str], columns: &[Vec<f64>], decimals: usize) -> String {
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    table(names, &columns, &vec![decimals; names.len()])
}

fn func_folder(subject: usize) -> PathBuf {
    Path::new(&format!("sub-{:02}", subject + 1)).join("func")
}

fn brain_mask(head: &Head) -> Vec<i16> {
    let mut mask = vec![0; head.grid.n_voxels()];
    for (&at, &brain) in head.index.iter().zip(&head.brain) {
        mask[at as usize] = i16::from(brain);
    }
    mask
}
