//! The default of every key, by profile: one table.
//!
//! Serialised, each field is named by its key's path and spelled as in the pipeline file; the manual and the JSON
//! Schema print it from there.

use super::keys::{DriftKind, MaskKind};
use super::{
    AbsentCondition, Compcor, ConvolveEdge, ConvolveMode, DeconvolutionMap, DuplicatePolicy, Expansion, FirstRowNan,
    FixedEffects, Height, HrfShape, IcaAroma, MapKind, MaskCombination, Method, Neighbours, Noise, Penalty, Profile,
    RateKernel, RowPolicy, Scaling, Sides, SparseEstimate,
};
use serde::Serialize;

/// Defaults of the keys that have one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a key each")]
#[expect(missing_docs, reason = "each field is the key its serialised name says; the key's documentation is in `keys`")]
pub struct Defaults {
    #[serde(rename = "profile")]
    pub profile: Profile,
    #[serde(rename = "timeseries.columns")]
    pub timeseries_columns: [&'static str; 1],
    #[serde(rename = "spikes.time_column")]
    pub spikes_time_column: &'static str,
    #[serde(rename = "mask.kind")]
    pub mask_kind: MaskKind,
    #[serde(rename = "mask.combine")]
    pub mask_combine: MaskCombination,
    #[serde(rename = "preprocess.discard_volumes")]
    pub discard_volumes: usize,
    #[serde(rename = "preprocess.smooth_fwhm_mm")]
    pub smooth_fwhm_mm: f64,
    #[serde(rename = "preprocess.smooth_within_mask")]
    pub smooth_within_mask: bool,
    #[serde(rename = "preprocess.scaling")]
    pub scaling: Scaling,
    #[serde(skip)] // tables have no voxels; said in the key's documentation
    pub scaling_of_tables: Scaling,
    #[serde(rename = "confounds.columns")]
    pub confound_columns: [&'static str; 0],
    #[serde(rename = "confounds.strategy")]
    pub strategy: [&'static str; 0],
    #[serde(rename = "confounds.motion")]
    pub motion: Expansion,
    #[serde(rename = "confounds.wm_csf")]
    pub wm_csf: Expansion,
    #[serde(rename = "confounds.global_signal")]
    pub global_signal: Expansion,
    #[serde(rename = "confounds.compcor")]
    pub compcor: Compcor,
    #[serde(rename = "confounds.n_compcor")]
    pub n_compcor: &'static str,
    #[serde(rename = "confounds.ica_aroma")]
    pub ica_aroma: IcaAroma,
    #[serde(rename = "confounds.first_row_nan")]
    pub first_row_nan: FirstRowNan,
    #[serde(rename = "confounds.scrub.min_segment")]
    pub scrub_min_segment: usize,
    #[serde(rename = "events.condition_column")]
    pub condition_column: &'static str,
    #[serde(rename = "events.ignore")]
    pub ignore: [&'static str; 0],
    #[serde(rename = "events.missing_condition_label")]
    pub missing_condition_label: RowPolicy,
    #[serde(rename = "events.missing_duration")]
    pub missing_duration: MissingDurationDefault,
    #[serde(rename = "events.outside_run")]
    pub outside_run: RowPolicy,
    #[serde(rename = "events.duplicates")]
    pub duplicates: DuplicatePolicy,
    #[serde(rename = "design.hrf")]
    pub hrf: HrfShape,
    #[serde(rename = "design.fir_delays_s")]
    pub fir_delays: [f64; 0],
    #[serde(rename = "design.tent.start_s")]
    pub tent_start_s: f64,
    #[serde(rename = "design.tent.stop_s")]
    pub tent_stop_s: f64,
    #[serde(rename = "design.tent.knots")]
    pub tent_knots: usize,
    #[serde(rename = "design.slice_time_ref")]
    pub slice_time_ref: f64,
    #[serde(rename = "design.drift")]
    pub drift: DriftKind,
    #[serde(rename = "design.high_pass_hz")]
    pub high_pass_hz: f64,
    #[serde(rename = "design.polynomial_order")]
    pub polynomial_order: usize,
    #[serde(rename = "design.when_condition_absent")]
    pub when_condition_absent: AbsentCondition,
    #[serde(rename = "design.modulator.center")]
    pub modulator_center: bool,
    #[serde(rename = "glm.noise")]
    pub noise: Noise,
    #[serde(rename = "glm.fixed_effects")]
    pub fixed_effects: FixedEffects,
    #[serde(rename = "glm.condition_contrasts")]
    pub condition_contrasts: bool,
    #[serde(rename = "glm.maps")]
    pub maps: [MapKind; 4],
    #[serde(rename = "glm.threshold.height")]
    pub threshold_height: Height,
    #[serde(rename = "glm.threshold.alpha")]
    pub threshold_alpha: f64,
    #[serde(skip)] // said in the key's documentation
    pub threshold_alpha_uncorrected: f64,
    #[serde(rename = "glm.threshold.cluster_forming_p")]
    pub cluster_forming_p: f64,
    #[serde(rename = "glm.threshold.min_cluster_voxels")]
    pub min_cluster_voxels: usize,
    #[serde(rename = "glm.threshold.sides")]
    pub sides: Sides,
    #[serde(rename = "glm.threshold.neighbours")]
    pub neighbours: Neighbours,
    #[serde(rename = "deconvolve.method")]
    pub method: Method,
    #[serde(rename = "deconvolve.kernel")]
    pub kernel: KernelDefault,
    #[serde(rename = "deconvolve.lambda")]
    pub lambda: LambdaDefault,
    #[serde(rename = "deconvolve.penalty")]
    pub penalty: Penalty,
    #[serde(rename = "deconvolve.nonnegative")]
    pub nonnegative: bool,
    #[serde(rename = "deconvolve.estimate")]
    pub estimate: SparseEstimate,
    #[serde(rename = "deconvolve.elastic_net")]
    pub elastic_net: f64,
    #[serde(rename = "deconvolve.upsample")]
    pub upsample: usize,
    #[serde(rename = "deconvolve.noise")]
    pub activity_noise: &'static str,
    #[serde(rename = "deconvolve.smooth")]
    pub smooth: bool,
    #[serde(rename = "deconvolve.maps")]
    pub deconvolution_maps: [DeconvolutionMap; 4],
    #[serde(rename = "deconvolve.figures")]
    pub figures: [&'static str; 0],
    #[serde(rename = "deconvolve.ppi.minus")]
    pub ppi_minus: [&'static str; 0],
    #[serde(rename = "convolve.mode")]
    pub convolve_mode: ConvolveMode,
    #[serde(rename = "convolve.edge")]
    pub convolve_edge: ConvolveEdge,
    #[serde(rename = "convolve.figures")]
    pub convolve_figures: [&'static str; 0],
    #[serde(rename = "rate.kernel")]
    pub rate_kernel: RateKernel,
    #[serde(rename = "calibrate.draws")]
    pub calibrate_draws: usize,
    #[serde(rename = "calibrate.seed")]
    pub calibrate_seed: u64,
    #[serde(rename = "calibrate.alternatives")]
    pub calibrate_alternatives: [Noise; 2],
    #[serde(rename = "output.dir")]
    pub output_dir: &'static str,
    #[serde(rename = "output.compression_level")]
    pub compression_level: u32,
    #[serde(rename = "output.report")]
    pub report: bool,
}

/// `events.missing_duration` where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingDurationDefault {
    /// It is an error.
    Error,
}

/// `deconvolve.kernel` where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelDefault {
    /// The design's response.
    Hrf,
}

/// `deconvolve.lambda` where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaDefault {
    /// What suits the method.
    Auto,
}

const NATIVE: Defaults = Defaults {
    profile: Profile::Native,
    timeseries_columns: ["*"],
    spikes_time_column: "time_s",
    mask_kind: MaskKind::Auto,
    mask_combine: MaskCombination::Intersection,
    discard_volumes: 0,
    smooth_fwhm_mm: 0.0,
    smooth_within_mask: false,
    scaling: Scaling::VoxelMean,
    scaling_of_tables: Scaling::None,
    confound_columns: [],
    strategy: [],
    motion: Expansion::Full, // these as in nilearn's load_confounds
    wm_csf: Expansion::Basic,
    global_signal: Expansion::Basic,
    compcor: Compcor::AnatCombined,
    n_compcor: "all",
    ica_aroma: IcaAroma::Full,
    first_row_nan: FirstRowNan::Error,
    scrub_min_segment: 5, // as fMRIPrep users know it from nilearn's load_confounds
    condition_column: "trial_type",
    ignore: [],
    missing_condition_label: RowPolicy::Error,
    missing_duration: MissingDurationDefault::Error,
    outside_run: RowPolicy::Error,
    duplicates: DuplicatePolicy::Error,
    hrf: HrfShape::Spm,
    fir_delays: [],
    tent_start_s: 0.0,
    tent_stop_s: 20.0,
    tent_knots: 11,
    slice_time_ref: 0.0,
    drift: DriftKind::Cosine,
    high_pass_hz: 0.01,
    polynomial_order: 1,
    when_condition_absent: AbsentCondition::Error,
    modulator_center: true,
    noise: Noise::PooledAr,
    fixed_effects: FixedEffects::Precision,
    condition_contrasts: false,
    maps: [MapKind::Effect, MapKind::Variance, MapKind::T, MapKind::Z],
    threshold_height: Height::Fdr,
    threshold_alpha: 0.05,
    threshold_alpha_uncorrected: 0.001,
    cluster_forming_p: 0.001,
    min_cluster_voxels: 1,
    sides: Sides::Two,
    neighbours: Neighbours::Faces,
    method: Method::Ridge,
    kernel: KernelDefault::Hrf,
    lambda: LambdaDefault::Auto,
    penalty: Penalty::Identity,
    nonnegative: false,
    estimate: SparseEstimate::Refitted,
    elastic_net: 0.0,
    upsample: 1,
    activity_noise: "white",
    smooth: true,
    deconvolution_maps: [
        DeconvolutionMap::Activity,
        DeconvolutionMap::Fitted,
        DeconvolutionMap::Lambda,
        DeconvolutionMap::Sigma,
    ],
    figures: [],
    ppi_minus: [],
    convolve_mode: ConvolveMode::Same,
    convolve_edge: ConvolveEdge::Zero,
    convolve_figures: [],
    rate_kernel: RateKernel::Gaussian,
    calibrate_draws: 50,
    calibrate_seed: 0,
    calibrate_alternatives: [Noise::Ols, Noise::Ar1],
    output_dir: "results",
    compression_level: 1,
    report: true,
};

const NILEARN: Defaults = Defaults {
    profile: Profile::Native, // the key's own default does not depend on the profile
    hrf: HrfShape::Glover,
    noise: Noise::Ar1,
    fixed_effects: FixedEffects::Mean,
    duplicates: DuplicatePolicy::Sum,
    ..NATIVE
};

impl Defaults {
    /// The defaults under a profile.
    pub const fn of(profile: Profile) -> Self {
        match profile {
            Profile::Native => NATIVE,
            Profile::Nilearn => NILEARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_differ_where_nilearn_does() {
        let [native, nilearn] =
            [Profile::Native, Profile::Nilearn].map(|profile| serde_json::to_value(Defaults::of(profile)).unwrap());
        let differing: Vec<&str> = native
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, value)| nilearn[key.as_str()] != **value)
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(differing, ["events.duplicates", "design.hrf", "glm.noise", "glm.fixed_effects"]);
    }
}
