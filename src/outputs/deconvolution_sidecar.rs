//! The JSON beside what a deconvolution writes: what it is, of which model, in which units.

use super::image_sidecar::ImageFields;
use super::sidecar::Software;
use crate::config::{
    ActivityNoise, DeconvolutionMap, DeconvolutionSettings, HrfSettings, KernelSettings, LambdaChoice, Method, Penalty,
    Profile, Scaling, Settings, SparseEstimate,
};
use crate::inputs::Timing;
use serde::Serialize;

/// The sidecar, with BIDS's spelling of keys. Fields that do not apply are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeconvolutionSidecar {
    description: String,
    model: String,
    units: String,
    method: Method,
    /// What activity is convolved with.
    kernel: String,
    lambda: LambdaChoice,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalty: Option<Penalty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<SparseEstimate>,
    noise_model: ActivityNoise,
    /// Samples a second of a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling_frequency: Option<f64>,
    /// Seconds between the volumes of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    repetition_time: Option<f64>,
    /// Time of the first sample, seconds from the start of the first acquired volume, from which events count too.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<f64>,
    /// What an image has to say beside; nothing of a table.
    #[serde(flatten)]
    image: Option<ImageFields>,
    profile: Profile,
    #[serde(skip_serializing_if = "Vec::is_empty", rename = "SmoothingFwhmMm")]
    smoothing_fwhm_mm: Vec<f64>,
    runs: Vec<String>,
    generated_by: Vec<Software>,
}

impl DeconvolutionSidecar {
    /// Of one map of a deconvolution of `run`, whose frames are at these times.
    pub fn new(
        map: DeconvolutionMap,
        model: &DeconvolutionSettings,
        settings: &Settings,
        run: &str,
        timing: &Timing,
    ) -> Self {
        let tr_s = timing.tr_s;
        let step_s = match map {
            DeconvolutionMap::Activity | DeconvolutionMap::StandardError => Some(tr_s / model.upsample as f64),
            DeconvolutionMap::Fitted => Some(tr_s),
            _ => None,
        };
        let fwhm_mm = settings.preprocess.smooth_fwhm_mm;
        let smooths = model.smooth && fwhm_mm != [0.0; 3];
        let is_sparse = matches!(model.method, Method::Spike | Method::Block | Method::Auto);
        Self {
            description: description(map, model).to_owned(),
            model: model.name.value.clone(),
            units: match map {
                DeconvolutionMap::Activity
                | DeconvolutionMap::Fitted
                | DeconvolutionMap::StandardError
                | DeconvolutionMap::Sigma => units(settings.preprocess.scaling).to_owned(),
                _ => "arbitrary".to_owned(),
            },
            method: model.method,
            kernel: kernel(model),
            lambda: model.lambda,
            penalty: (model.method == Method::Ridge).then_some(model.penalty),
            estimate: (is_sparse && !model.kernel.is_calcium()).then_some(model.estimate),
            noise_model: model.noise.clone(),
            sampling_frequency: step_s.map(f64::recip),
            repetition_time: step_s,
            start_time: step_s.map(|_| timing.frame_times_s.first().copied().unwrap_or(0.0)),
            image: None,
            profile: settings.profile,
            smoothing_fwhm_mm: if smooths { fwhm_mm.to_vec() } else { Vec::new() },
            runs: vec![run.to_owned()],
            generated_by: vec![Software::boldly()],
        }
    }

    /// The same of an image.
    #[must_use]
    pub fn of_image(self, image: ImageFields) -> Self {
        Self { image: Some(image), ..self }
    }
}

/// Units of the data under a scaling, which are those of activity too: per unit of a kernel that is normed to a peak of 1.
pub fn units(scaling: Scaling) -> &'static str {
    match scaling {
        Scaling::VoxelMean => "percent of the voxel's mean",
        Scaling::GrandMean => "percent of the grand mean",
        Scaling::None => "units of the input",
    }
}

/// How a map is called in tables and in the names of files.
pub fn label(map: DeconvolutionMap) -> &'static str {
    match map {
        DeconvolutionMap::Activity => "neural",
        DeconvolutionMap::Fitted => "fitted",
        DeconvolutionMap::StandardError => "neuralError",
        DeconvolutionMap::Lambda => "lambda",
        DeconvolutionMap::Sigma => "sigma",
        DeconvolutionMap::Rho => "rho",
        DeconvolutionMap::Dof => "dof",
        DeconvolutionMap::HeldOutR2 => "heldOutR2",
        DeconvolutionMap::Method => "method",
    }
}

fn kernel(model: &DeconvolutionSettings) -> String {
    match &model.kernel {
        KernelSettings::Hrf => match &model.design.hrf {
            HrfSettings::Canonical { shape, .. } => format!("{shape:?} response, peak 1").to_lowercase(),
            _ => "response from a table, peak 1".to_owned(),
        },
        KernelSettings::File(_) => "from a table, as it stands".to_owned(),
        KernelSettings::Calcium { order } => format!("calcium dynamics of order {order}, estimated"),
        KernelSettings::TimeConstants { tau_rise_s: None, tau_decay_s } => {
            format!("calcium dynamics, decay {tau_decay_s} s")
        }
        KernelSettings::TimeConstants { tau_rise_s: Some(rise), tau_decay_s } => {
            format!("calcium dynamics, rise {rise} s, decay {tau_decay_s} s")
        }
    }
}

fn description(map: DeconvolutionMap, model: &DeconvolutionSettings) -> &'static str {
    match map {
        DeconvolutionMap::Activity if model.kernel.is_calcium() => "estimated spikes, in units of the fluorescence",
        DeconvolutionMap::Activity => "estimated activity, per unit of the kernel",
        DeconvolutionMap::Fitted if model.kernel.is_calcium() => "estimated calcium plus baseline",
        DeconvolutionMap::Fitted => "activity convolved with the kernel, plus drift and confounds",
        DeconvolutionMap::StandardError => "standard error of each activity sample",
        DeconvolutionMap::Lambda => "weight of the penalty; infinite where no activity is the best choice",
        DeconvolutionMap::Sigma => "standard deviation of the noise; of its innovations where it is autocorrelated",
        DeconvolutionMap::Rho => "lag-one autocorrelation of the noise",
        DeconvolutionMap::Dof => "effective degrees of freedom of the activity",
        DeconvolutionMap::HeldOutR2 => {
            "share of the squared error of drift and confounds, in frames left out of the fit, that activity takes away"
        }
        DeconvolutionMap::Method => "method chosen: 1 ridge, 2 smooth ridge, 3 spike, 4 block",
    }
}
