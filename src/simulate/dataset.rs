//! The files around the images: sidecars, tables, and the truth.

use super::head::Head;
use super::image::{temporary_path, write_error, write_map, write_mask};
use super::motion::{COLUMNS, DECIMALS, framewise_displacement};
use super::noise::RunItem;
use super::run::{RunMeasures, RunTruth, World};
use super::{SimulationReport, SimulationSpec};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The folder a dataset is written to.
#[derive(Debug)]
pub(super) struct Dataset<'a> {
    spec: &'a SimulationSpec,
    root: &'a Path,
    /// What has been written, relative to the root, in order.
    pub(super) report: SimulationReport,
}

impl<'a> Dataset<'a> {
    /// Opens a folder for a new dataset.
    ///
    /// # Errors
    /// It already holds one, or cannot be written.
    pub(super) fn create(spec: &'a SimulationSpec, root: &'a Path) -> Result<Self, Diagnostics> {
        let taken = ["dataset_description.json", "participants.tsv", "truth", "sub-01"];
        if let Some(there) = taken.iter().map(|name| root.join(name)).find(|path| path.exists()) {
            return Err(Diagnostic::error("simulation-output-exists", "the output folder already holds a dataset")
                .at(Place::file(&there))
                .hint("name a new folder, or remove the old dataset first")
                .into());
        }
        let dataset = Self { spec, root, report: SimulationReport::default() };
        dataset.make_folder(Path::new("truth"))?;
        for subject in 0..spec.subjects {
            dataset.make_folder(&func_folder(subject))?;
        }
        Ok(dataset)
    }

    fn make_folder(&self, relative: &Path) -> Result<(), Diagnostics> {
        let path = self.root.join(relative);
        std::fs::create_dir_all(&path).map_err(|error| write_error(&path, &error))
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

    /// Notes a file and gives its path.
    pub(super) fn place(&mut self, relative: PathBuf) -> PathBuf {
        let path = self.root.join(&relative);
        self.report.files.push(relative);
        path
    }

    fn write_text(&mut self, relative: PathBuf, text: &str) -> Result<(), Diagnostics> {
        let path = self.place(relative);
        let temporary = temporary_path(&path);
        std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &path)).map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            write_error(&path, &error)
        })
    }

    fn write_json(&mut self, relative: PathBuf, value: &serde_json::Value) -> Result<(), Diagnostics> {
        self.write_text(relative, &format!("{value:#}\n"))
    }

    /// What describes the dataset as a whole, written last: where it is, the dataset is complete.
    pub(super) fn write_description(&mut self) -> Result<(), Diagnostics> {
        let mut participants = String::from("participant_id\n");
        for subject in 1..=self.spec.subjects {
            let _ = writeln!(participants, "sub-{subject:02}");
        }
        self.write_text("participants.tsv".into(), &participants)?;
        let description = serde_json::json!({
            "Name": self.spec.name,
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": [{ "Name": "boldly", "Description": "boldly simulate: made data with known truth" }],
            "License": "CC0",
        });
        self.write_json("dataset_description.json".into(), &description)
    }

    /// The maps and tables of what is true in every run.
    pub(super) fn write_truth(&mut self, world: &World<'_>) -> Result<(), Diagnostics> {
        let head = &world.head;
        let map = |dataset: &mut Self, name: String, values: &[f32], what: &str| -> Result<(), Diagnostics> {
            let path = dataset.place(Path::new("truth").join(name));
            write_map(&path, &head.grid, &head.scatter(|place| values[place]), what)
        };
        for (condition, effect) in self.spec.conditions.iter().zip(&world.effects) {
            map(self, format!("effect_{}.nii.gz", condition.name), effect, "percent signal change, sustained")?;
        }
        map(self, "rho.nii.gz".to_owned(), &world.noise.rho, "autoregressive coefficient of the noise")?;
        map(self, "sigma.nii.gz".to_owned(), &world.noise.sigma, "standard deviation of the noise, percent")?;
        map(self, "baseline.nii.gz".to_owned(), &head.baseline, "mean over a run without noise")?;
        let mask = brain_mask(head);
        let path = self.place(Path::new("truth").join("mask.nii.gz"));
        write_mask(&path, &head.grid, &mask, "brain")?;

        let rois: Vec<serde_json::Value> = self
            .spec
            .rois
            .iter()
            .zip(&world.regions)
            .map(|(roi, places)| {
                let brightness = |place: usize| f64::from(head.baseline[place]);
                let total: f64 = places.iter().map(|&place| brightness(place)).sum();
                let effects: serde_json::Map<String, serde_json::Value> = self
                    .spec
                    .conditions
                    .iter()
                    .zip(&world.effects)
                    .map(|(condition, effect)| {
                        let sum: f64 = places.iter().map(|&place| brightness(place) * f64::from(effect[place])).sum();
                        (condition.name.clone(), (sum / total).into())
                    })
                    .collect();
                serde_json::json!({ "name": roi.name, "voxels": places.len(), "effect_percent": effects })
            })
            .collect();
        let truth = serde_json::json!({
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
        self.write_json(Path::new("truth").join("truth.json"), &truth)
    }

    /// The mask beside a subject's runs.
    pub(super) fn write_subject_mask(&mut self, subject: usize, head: &Head) -> Result<(), Diagnostics> {
        let name = format!("sub-{:02}_task-{}_desc-brain_mask.nii.gz", subject + 1, self.spec.task);
        let path = self.place(func_folder(subject).join(name));
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
        self.write_json(self.run_file(item, "bold.json"), &sidecar)?;

        let mut events = String::from("onset\tduration\ttrial_type\n");
        for event in &truth.events {
            let name = &spec.conditions[event.condition].name;
            let _ = writeln!(events, "{:.3}\t{}\t{name}", event.onset_s, event.duration_s);
        }
        self.write_text(self.run_file(item, "events.tsv"), &events)?;

        let moved = framewise_displacement(&truth.motion);
        let optional = |value: Option<f64>| value.map_or("n/a".to_owned(), |value| format!("{value:.6}"));
        let mut confounds = format!("{}\tframewise_displacement\tstd_dvars\n", COLUMNS.join("\t"));
        for volume in 0..spec.volumes {
            for column in &truth.motion {
                let _ = write!(confounds, "{:.DECIMALS$}\t", column[volume]);
            }
            let _ = writeln!(confounds, "{}\t{}", optional(moved[volume]), optional(measures.std_dvars[volume]));
        }
        self.write_text(self.run_file(item, "desc-confounds_timeseries.tsv"), &confounds)?;
        let described = serde_json::json!({
            "trans_x": { "Units": "mm" }, "trans_y": { "Units": "mm" }, "trans_z": { "Units": "mm" },
            "rot_x": { "Units": "rad" }, "rot_y": { "Units": "rad" }, "rot_z": { "Units": "rad" },
            "framewise_displacement": { "Units": "mm", "Description": "Power et al. 2012, 50 mm sphere" },
            "std_dvars": { "Description": "root mean square change over the brain, divided by its median over the run" },
        });
        self.write_json(self.run_file(item, "desc-confounds_timeseries.json"), &described)?;

        if !spec.rois.is_empty() {
            let names: Vec<&str> = spec.rois.iter().map(|roi| roi.name.as_str()).collect();
            let table = table(&names, &measures.region_means, spec.volumes, 4);
            self.write_text(self.run_file(item, "desc-roi_timeseries.tsv"), &table)?;
        }
        if !spec.conditions.is_empty() {
            let names: Vec<&str> = spec.conditions.iter().map(|condition| condition.name.as_str()).collect();
            let table = table(&names, &truth.regressors, world.spec.volumes, 9);
            let name = self.run_file(item, "regressors.tsv");
            let name = name.file_name().map(PathBuf::from).unwrap_or_default();
            self.write_text(Path::new("truth").join(name), &table)?;
        }
        Ok(())
    }
}

/// Columns as a table.
fn table(names: &[&str], columns: &[Vec<f64>], rows: usize, decimals: usize) -> String {
    let mut text = format!("{}\n", names.join("\t"));
    for row in 0..rows {
        let cells: Vec<String> = columns.iter().map(|column| format!("{:.decimals$}", column[row])).collect();
        let _ = writeln!(text, "{}", cells.join("\t"));
    }
    text
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

/// Removes what an unfinished simulation left, so that the next one finds an empty folder.
pub(super) fn remove_unfinished(root: &Path, report: &SimulationReport, spec: &SimulationSpec) -> io::Result<()> {
    for file in &report.files {
        match std::fs::remove_file(root.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for subject in 0..spec.subjects {
        std::fs::remove_dir(root.join(func_folder(subject)))?;
        std::fs::remove_dir(root.join(format!("sub-{:02}", subject + 1)))?;
    }
    std::fs::remove_dir(root.join("truth"))
}
