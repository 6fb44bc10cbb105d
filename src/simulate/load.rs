//! A simulation file read and checked: every problem is found at once and points at its place in the file.

use super::SimulationSpec;
use crate::error::{Diagnostic, Diagnostics, Place, TextSource};
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Voxels a grid may have: a volume of floats of this size is 1 GiB.
const LARGEST_GRID: usize = 1 << 28;

/// A step to a value in the file: a key, or the index of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Key(&'static str),
    Index(usize),
}
use Step::{Index, Key};

/// A value that cannot be simulated.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    at: Vec<Step>,
    message: String,
    expected: &'static str,
}

/// Reads and checks a simulation file.
///
/// # Errors
/// The file cannot be read, is not TOML, has an unknown key or a value of the wrong type (the first of these), or
/// values that cannot be simulated (all of them).
pub fn load_spec(path: &Path) -> Result<SimulationSpec, Diagnostics> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("simulation-spec-unreadable", format!("cannot read the simulation file: {error}"))
            .at(Place::file(path))
    })?;
    let source = Arc::new(TextSource { path: path.to_path_buf(), text });
    let spec: SimulationSpec = toml::from_str(&source.text).map_err(|error| {
        let diagnostic = Diagnostic::error("simulation-spec-invalid", error.message().replace('\n', ", "));
        match error.span() {
            Some(range) => diagnostic.at(Place::Span { source: Arc::clone(&source), range }),
            None => diagnostic.at(Place::file(path)),
        }
    })?;
    let faults = faults(&spec);
    if faults.is_empty() {
        return Ok(spec);
    }
    let table = DeTable::parse(&source.text).ok();
    Err(faults
        .into_iter()
        .map(|fault| {
            let place = match table.as_ref().and_then(|table| locate(table.get_ref(), &fault.at)) {
                Some(range) => Place::Span { source: Arc::clone(&source), range },
                None => Place::file(path),
            };
            fault.into_diagnostic().at(place)
        })
        .collect())
}

impl SimulationSpec {
    /// Checks a specification, wherever it came from.
    ///
    /// # Errors
    /// Every value that cannot be simulated.
    pub fn validate(&self) -> Result<(), Diagnostics> {
        let problems: Diagnostics = faults(self).into_iter().map(Fault::into_diagnostic).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Fault {
    fn into_diagnostic(self) -> Diagnostic {
        Diagnostic::error("simulation-spec-value", self.message).note(format!("expected {}", self.expected))
    }
}

/// The bytes of the deepest value on the way to `at` that stands in the file.
fn locate(table: &DeTable<'_>, at: &[Step]) -> Option<std::ops::Range<usize>> {
    let Some(Step::Key(first)) = at.first() else { return None };
    let mut value = table.get(*first)?;
    for step in &at[1..] {
        let next = match (step, value.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => table.get(*key),
            (Step::Index(index), DeValue::Array(array)) => array.get(*index),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => break,
        }
    }
    Some(value.span())
}

/// Collects faults.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn require(&mut self, holds: bool, at: &[Step], message: String, expected: &'static str) {
        if !holds {
            self.0.push(Fault { at: at.to_vec(), message, expected });
        }
    }

    fn positive(&mut self, value: f64, at: &[Step]) {
        let message = format!("`{}` is {value}", key_of(at));
        self.require(value.is_finite() && value > 0.0, at, message, "a positive number");
    }

    fn not_negative(&mut self, value: f64, at: &[Step]) {
        let message = format!("`{}` is {value}", key_of(at));
        self.require(value.is_finite() && value >= 0.0, at, message, "a number from 0 up");
    }

    fn finite(&mut self, values: &[f64], at: &[Step]) {
        let message = format!("`{}` is {values:?}", key_of(at));
        self.require(values.iter().all(|value| value.is_finite()), at, message, "finite numbers");
    }

    /// A name that is a file name, a table column and a contrast operand at once, and not `taken`.
    fn name<'a>(&mut self, name: &'a str, taken: &mut Vec<&'a str>, at: &[Step]) {
        let valid =
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
        self.require(valid, at, format!("`{name}` is no name"), "a letter, then letters and digits");
        let new = !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
        self.require(new, at, format!("`{name}` stands twice"), "names that differ by more than case");
        taken.push(name);
    }
}

/// The key a path ends in.
fn key_of(at: &[Step]) -> &'static str {
    let key = |step: &Step| if let Key(key) = step { Some(*key) } else { None };
    at.iter().rev().find_map(key).unwrap_or_default()
}

/// All values that cannot be simulated.
fn faults(spec: &SimulationSpec) -> Vec<Fault> {
    let mut faults = Faults::default();
    check_size(spec, &mut faults);
    check_signals(spec, &mut faults);
    check_conditions(spec, &mut faults);
    faults.0
}

/// Who, how long, which grid, how stored.
fn check_size(spec: &SimulationSpec, faults: &mut Faults) {
    let label = !spec.task.is_empty() && spec.task.chars().all(|c| c.is_ascii_alphanumeric());
    faults.require(label, &[Key("task")], format!("`{}` is no BIDS label", spec.task), "letters and digits");
    for (key, count, least) in [("subjects", spec.subjects, 1), ("runs", spec.runs, 1), ("volumes", spec.volumes, 4)] {
        let holds = (least..=32767).contains(&count);
        faults.require(holds, &[Key(key)], format!("`{key}` is {count}"), "1 (volumes: 4) to 32767");
    }
    faults.positive(spec.tr_s, &[Key("tr_s")]);
    for axis in 0..3 {
        let n = spec.grid.shape[axis];
        let at = [Key("grid"), Key("shape"), Index(axis)];
        faults.require((1..=32767).contains(&n), &at, format!("{n} voxels along axis {axis}"), "1 to 32767");
        faults.positive(spec.grid.voxel_mm[axis], &[Key("grid"), Key("voxel_mm"), Index(axis)]);
        faults.positive(spec.head.radii_mm[axis], &[Key("head"), Key("radii_mm"), Index(axis)]);
    }
    let voxels = spec.grid.shape.iter().fold(1_usize, |product, &n| product.saturating_mul(n));
    let message = format!("{voxels} voxels");
    faults.require(voxels <= LARGEST_GRID, &[Key("grid"), Key("shape")], message, "at most 2^28 voxels");
    if let Some(origin_mm) = spec.grid.origin_mm {
        faults.finite(&origin_mm, &[Key("grid"), Key("origin_mm")]);
    }
    faults.finite(&spec.head.centre_mm, &[Key("head"), Key("centre_mm")]);
    faults.positive(spec.image.scl_slope, &[Key("image"), Key("scl_slope")]);
    faults.finite(&[spec.image.scl_inter], &[Key("image"), Key("scl_inter")]);
    let level = spec.image.compression_level;
    let at = [Key("image"), Key("compression_level")];
    faults.require(level <= 9, &at, format!("gzip level {level}"), "0 to 9");
}

/// Brightness, noise, drift, motion, schedule.
fn check_signals(spec: &SimulationSpec, faults: &mut Faults) {
    for (section, key, value) in [
        ("head", "background_sd", spec.head.background_sd),
        ("noise", "fwhm_mm", spec.noise.fwhm_mm),
        ("noise", "sigma_percent", spec.noise.sigma_percent),
        ("drift", "percent", spec.drift.percent),
        ("motion", "translation_mm", spec.motion.translation_mm),
        ("motion", "rotation_rad", spec.motion.rotation_rad),
        ("motion", "percent", spec.motion.percent),
        ("motion", "spike_mm", spec.motion.spike_mm),
        ("schedule", "start_s", spec.schedule.start_s),
        ("schedule", "gap_s", spec.schedule.gap_s),
        ("schedule", "jitter_s", spec.schedule.jitter_s),
    ] {
        faults.not_negative(value, &[Key(section), Key(key)]);
    }
    faults.positive(spec.head.baseline, &[Key("head"), Key("baseline")]);
    faults.positive(spec.drift.shortest_period_s, &[Key("drift"), Key("shortest_period_s")]);
    for (section, key, value) in [
        ("head", "tissue_contrast", spec.head.tissue_contrast),
        ("head", "shading", spec.head.shading),
        ("noise", "sigma_variation", spec.noise.sigma_variation),
        ("noise", "theta", spec.noise.theta.abs()),
        ("noise", "rho", spec.noise.rho.abs() + spec.noise.rho_variation.abs()),
    ] {
        let message = format!("`{key}` (with its variation) reaches {value}");
        faults.require((0.0..1.0).contains(&value), &[Key(section), Key(key)], message, "a size below 1");
    }
    let spikes = spec.motion.spikes;
    let fit = spikes < spec.volumes;
    faults.require(fit, &[Key("motion"), Key("spikes")], format!("{spikes} spikes"), "fewer than `volumes`");
}

/// Conditions and regions.
fn check_conditions(spec: &SimulationSpec, faults: &mut Faults) {
    let mut taken = Vec::new();
    for (index, condition) in spec.conditions.iter().enumerate() {
        let at = |key| [Key("condition"), Index(index), Key(key)];
        faults.name(&condition.name, &mut taken, &at("name"));
        faults.not_negative(condition.duration_s, &at("duration_s"));
        let events = condition.events;
        let holds = (1..=32767).contains(&events);
        faults.require(holds, &at("events"), format!("{events} events a run"), "1 to 32767");
        for (blob_index, blob) in condition.blobs.iter().enumerate() {
            let at = |key| [Key("condition"), Index(index), Key("blob"), Index(blob_index), Key(key)];
            faults.positive(blob.size_mm, &at("size_mm"));
            let percent = blob.percent;
            let message = format!("effect of {percent} percent");
            faults.require(percent.abs() <= 50.0, &at("percent"), message, "-50 to 50");
            faults.finite(&blob.centre_mm, &at("centre_mm"));
        }
    }
    let mut taken = Vec::new();
    for (index, roi) in spec.rois.iter().enumerate() {
        let at = |key| [Key("roi"), Index(index), Key(key)];
        faults.name(&roi.name, &mut taken, &at("name"));
        faults.positive(roi.radius_mm, &at("radius_mm"));
        faults.finite(&roi.centre_mm, &at("centre_mm"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "\
name = \"x\"
task = \"t\"
seed = 1
subjects = 1
runs = 1
volumes = 40
tr_s = 2.0
[grid]
shape = [4, 5, 6]
voxel_mm = [4.0, 4.0, 4.0]
[head]
radii_mm = [8.0, 8.0, 8.0]
[noise]
sigma_percent = 1.0
rho = 0.4
[[condition]]
name = \"face\"
events = 2
duration_s = 1.0
";

    fn load(text: &str) -> Result<SimulationSpec, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.toml");
        std::fs::write(&path, text).unwrap();
        load_spec(&path).map_err(|problems| problems.to_string().replace(&folder.path().display().to_string(), "."))
    }

    #[test]
    fn a_small_file_is_enough() {
        let spec = load(VALID).unwrap();
        assert_eq!(spec.conditions[0].name, "face");
        assert_eq!(spec.head.baseline, 1000.0);
        assert_eq!(spec.image.compression_level, 1);
    }

    #[test]
    fn an_unknown_key_is_pointed_at() {
        let shown = load(&VALID.replace("rho =", "roh =")).unwrap_err();
        assert!(shown.starts_with("error[simulation-spec-invalid]: unknown field `roh`, expected one of"), "{shown}");
        assert!(shown.contains("--> ./spec.toml:15:1\n"), "{shown}");
    }

    #[test]
    fn all_values_that_cannot_be_simulated_are_found_at_once() {
        let text = VALID
            .replace("\"t\"", "\"a/b\"")
            .replace("volumes = 40", "volumes = 2")
            .replace("[4, 5, 6]", "[4, 0, 6]")
            .replace("rho = 0.4", "rho = 0.7\nrho_variation = 0.4")
            .replace("duration_s = 1.0", "duration_s = -1.0");
        let shown = load(&text).unwrap_err();
        let places: Vec<&str> = shown.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
        let expected = [
            "--> ./spec.toml:2:8",
            "--> ./spec.toml:6:11",
            "--> ./spec.toml:9:13",
            "--> ./spec.toml:15:7",
            "--> ./spec.toml:20:14",
        ];
        assert_eq!(places, expected, "{shown}");
    }

    #[test]
    fn sizes_that_no_memory_holds_are_refused() {
        let text = VALID.replace("[4, 5, 6]", "[32767, 32767, 32767]").replace("events = 2", "events = 1000000000000");
        let shown = load(&text).unwrap_err();
        assert!(shown.contains("35181150961663 voxels") && shown.contains("1000000000000 events"), "{shown}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let shown = load_spec(Path::new("/nowhere/spec.toml")).unwrap_err().to_string();
        assert!(shown.contains("simulation-spec-unreadable") && shown.contains("/nowhere/spec.toml"), "{shown}");
    }
}
