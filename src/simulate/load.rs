//! A simulation file read and checked: every problem is found at once and points at its place in the file.

use super::fault::{Fault, locate};
use super::{RecordingSpec, Simulation, SimulationSpec, check};
use crate::error::{Diagnostic, Diagnostics, Place, TextSource};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;
use toml::de::DeTable;

/// Reads and checks a simulation file of images.
///
/// # Errors
/// The file cannot be read, is not TOML, has an unknown key or a value of the wrong type (the first of these), or
/// values that cannot be simulated (all of them).
pub fn load_spec(path: &Path) -> Result<SimulationSpec, Diagnostics> {
    checked(&read_source(path)?, check::faults)
}

/// Reads and checks a simulation file of either kind: one with a section of [`RecordingSpec`] is that, any other
/// declares images.
///
/// # Errors
/// As [`load_spec`].
pub fn load_simulation(path: &Path) -> Result<Simulation, Diagnostics> {
    let source = read_source(path)?;
    let recording = DeTable::parse(&source.text)
        .is_ok_and(|table| RecordingSpec::SECTIONS.iter().any(|section| table.get_ref().contains_key(*section)));
    if recording {
        checked(&source, RecordingSpec::faults).map(|spec| Simulation::Recording(Box::new(spec)))
    } else {
        checked(&source, check::faults).map(|spec| Simulation::Images(Box::new(spec)))
    }
}

fn read_source(path: &Path) -> Result<Arc<TextSource>, Diagnostics> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("simulation-spec-unreadable", format!("cannot read the simulation file: {error}"))
            .at(Place::file(path))
    })?;
    Ok(Arc::new(TextSource { path: path.to_path_buf(), text }))
}

/// A specification without faults.
fn checked<T: DeserializeOwned>(source: &Arc<TextSource>, faults: fn(&T) -> Vec<Fault>) -> Result<T, Diagnostics> {
    let place = |range: Option<std::ops::Range<usize>>| match range {
        Some(range) => Place::Span { source: Arc::clone(source), range },
        None => Place::file(&source.path),
    };
    let spec: T = toml::from_str(&source.text).map_err(|error| {
        Diagnostic::error("simulation-spec-invalid", error.message().replace('\n', ", ")).at(place(error.span()))
    })?;
    let faults = faults(&spec);
    if faults.is_empty() {
        return Ok(spec);
    }
    let table = DeTable::parse(&source.text).ok();
    Err(faults
        .into_iter()
        .map(|fault| {
            let range = table.as_ref().and_then(|table| locate(table.get_ref(), &fault.at));
            fault.into_diagnostic().at(place(range))
        })
        .collect())
}

impl SimulationSpec {
    /// Checks a specification, wherever it came from.
    ///
    /// # Errors
    /// Every value that cannot be simulated.
    pub fn validate(&self) -> Result<(), Diagnostics> {
        accepted(check::faults(self))
    }
}

impl RecordingSpec {
    /// Checks a specification, wherever it came from.
    ///
    /// # Errors
    /// Every value that cannot be simulated.
    pub fn validate(&self) -> Result<(), Diagnostics> {
        accepted(self.faults())
    }
}

fn accepted(faults: Vec<Fault>) -> Result<(), Diagnostics> {
    if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().map(Fault::into_diagnostic).collect()) }
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
    fn neural_activity_that_cannot_be_simulated_is_pointed_at() {
        let neural = "[[neural]]\nname = \"a\"\nkind = \"blocks\"\ncount = 5\nduration_s = [4.0, 16.0]\n\
                      [[neural]]\nname = \"A\"\nkind = \"autoregressive\"\nrho = 1.0\n";
        let shown = load(&format!("{VALID}{neural}")).unwrap_err();
        let places: Vec<&str> = shown.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
        // five blocks of up to 8 steps just fit into 40
        assert_eq!(places, ["--> ./spec.toml:26:8", "--> ./spec.toml:28:7"], "{shown}");
        let shown = load(&format!("{VALID}{}", neural.replace("16.0", "18.0"))).unwrap_err();
        assert!(shown.contains("5 of them take up to 45 of 40 steps"), "{shown}");
        let shown = load(&format!("{VALID}{}", neural.replace("blocks", "squares"))).unwrap_err();
        assert!(shown.contains("unknown variant `squares`") && shown.contains("--> ./spec.toml:"), "{shown}");
    }

    #[test]
    fn a_recording_is_told_by_its_section_and_checked_as_one() {
        let text = "name = \"x\"\nseed = 1\ntask = \"t\"\n[calcium]\nduration_s = 10.0\nframe_hz = 30.0\n\
                    [[calcium.cell]]\nname = \"c\"\nspikes_hz = 1.0\ndecay_s = 0.5\nrise_s = 0.1\nnoise_sd = 0.1\n";
        let of = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("spec.toml");
            std::fs::write(&path, text).unwrap();
            load_simulation(&path).map_err(|problems| problems.to_string())
        };
        assert!(matches!(of(text), Ok(Simulation::Recording(spec)) if spec.calcium.is_some()));
        assert!(matches!(of(VALID), Ok(Simulation::Images(_))));
        let shown = of(&text.replace("0.5", "0.05").replace("\"t\"", "\"\"")).unwrap_err();
        let codes = shown.matches("error[simulation-spec-value]").count();
        assert!(codes == 2 && shown.contains("spec.toml:3:8") && shown.contains("spec.toml:11:10"), "{shown}");
        let spikes = "[spikes]\nduration_s = 9.0\nrefractory_s = 0.1\n[[spikes.unit]]\nname = \"u\"\nbase_hz = 6.0\n\
                      wave_hz = 7.0\n";
        let shown = of(&format!("name = \"x\"\nseed = 1\ntask = \"t\"\n{spikes}")).unwrap_err();
        assert!(
            shown.contains("`wave_hz` is 7, `base_hz` 6") && shown.contains("none within 0.1 s of another"),
            "{shown}"
        );
        let shown = of(&format!("{text}{spikes}")).unwrap_err();
        assert!(shown.contains("[spikes] stands beside [calcium]"), "{shown}");
        let small = "name = \"x\"\nseed = 1\n[binary]\nsamples = 20\ninterval_s = 1.0\npulses = 5\n\
                     pulse_samples = [1, 4]\ngap_samples = 1\n";
        let shown = of(small).unwrap_err();
        assert!(shown.contains("the pulses take up to 24 of 20 samples"), "{shown}");
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
