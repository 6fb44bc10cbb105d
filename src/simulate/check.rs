//! Which specifications of images can be simulated.

use super::fault::{Fault, Faults, Index, Key, Step};
use super::{BlobSpec, NeuralKind, SimulationSpec, neural};

/// Voxels a grid may have: a volume of floats of this size is 1 GiB.
const LARGEST_GRID: usize = 1 << 28;
/// Steps of neural activity a run may have.
const MOST_STEPS: usize = 1_000_000;

/// All values that cannot be simulated.
pub(super) fn faults(spec: &SimulationSpec) -> Vec<Fault> {
    let mut faults = Faults::default();
    check_size(spec, &mut faults);
    check_signals(spec, &mut faults);
    check_conditions(spec, &mut faults);
    check_neural(spec, &mut faults);
    check_regions(spec, &mut faults);
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

/// Conditions.
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
            check_blob(blob, &[Key("condition"), Index(index), Key("blob"), Index(blob_index)], faults);
        }
    }
}

/// A region that responds.
fn check_blob(blob: &BlobSpec, at: &[Step], faults: &mut Faults) {
    let at = |key| [at, &[Key(key)]].concat();
    faults.positive(blob.size_mm, &at("size_mm"));
    let percent = blob.percent;
    let message = format!("effect of {percent} percent");
    faults.require(percent.abs() <= 50.0, &at("percent"), message, "-50 to 50");
    faults.finite(&blob.centre_mm, &at("centre_mm"));
}

/// Neural activity.
fn check_neural(spec: &SimulationSpec, faults: &mut Faults) {
    let step_s = neural::step_s(spec);
    let at = [Key("neural_step_s")];
    if let Some(stated_s) = spec.neural_step_s {
        faults.positive(stated_s, &at);
    }
    if spec.neural.is_empty() || !(step_s.is_finite() && step_s > 0.0) {
        return;
    }
    let steps = neural::steps(spec);
    let message = format!("{steps} steps of neural activity");
    faults.require(steps <= MOST_STEPS, &at, message, "at most 1000000 steps a run");
    let mut taken: Vec<&str> = Vec::new();
    for (index, source) in spec.neural.iter().enumerate() {
        let at = |key| [Key("neural"), Index(index), Key(key)];
        faults.name(&source.name, &mut taken, &at("name"));
        faults.not_negative(source.gap_s, &at("gap_s"));
        let [shortest_s, longest_s] = source.duration_s;
        match source.kind {
            NeuralKind::Spikes | NeuralKind::Blocks => {
                faults.count(source.count, 1..=32767, &at("count"), "1 to 32767");
                if source.kind == NeuralKind::Blocks {
                    let ordered = shortest_s > 0.0 && longest_s >= shortest_s && longest_s.is_finite();
                    let message = format!("durations from {shortest_s} to {longest_s} s");
                    faults.require(ordered, &at("duration_s"), message, "two positive numbers, the shorter first");
                }
                let needed = neural::most_steps(source, step_s);
                let message = format!("{} of them take up to {needed} of {steps} steps", source.count);
                faults.require(needed <= steps, &at("count"), message, "a number that fits in a run");
            }
            NeuralKind::Autoregressive => {
                let message = format!("`rho` is {}", source.rho);
                faults.require(source.rho.abs() < 1.0, &at("rho"), message, "a size below 1");
            }
        }
        for (blob_index, blob) in source.blobs.iter().enumerate() {
            check_blob(blob, &[Key("neural"), Index(index), Key("blob"), Index(blob_index)], faults);
        }
    }
}

/// Regions.
fn check_regions(spec: &SimulationSpec, faults: &mut Faults) {
    let mut taken = Vec::new();
    for (index, roi) in spec.rois.iter().enumerate() {
        let at = |key| [Key("roi"), Index(index), Key(key)];
        faults.name(&roi.name, &mut taken, &at("name"));
        faults.positive(roi.radius_mm, &at("radius_mm"));
        faults.finite(&roi.centre_mm, &at("centre_mm"));
    }
}
