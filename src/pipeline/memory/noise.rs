//! What noise models take that look at samples.

use crate::config::{GlmSettings, Noise};
use crate::model::SampledNeeds;
use crate::pipeline::plan::Plan;
use crate::pipeline::plan_subject::{SpacePlan, SubjectPlan};

/// Processor time a value of noise models, seconds: twice what was measured on 91x109x91x300 and 18 regressors.
const ARMA11_S: f64 = 220e-9;
const POOLED_AR_S: f64 = 120e-9;
/// Of each voxel's own autoregression, and more a lag.
const OWN_AR_S: f64 = 50e-9;
const OWN_AR_LAG_S: f64 = 12e-9;
const GLOBAL_AR1_S: f64 = 50e-9;

impl Plan {
    /// Processor time of noise models that look at samples, seconds.
    pub(super) fn noise_s(&self, subject: &SubjectPlan, space: &SpacePlan, n_columns: usize) -> f64 {
        let frames: usize = space.runs.iter().map(|&run| subject.runs[run].n_acquired).sum();
        let a_value = |glm: &GlmSettings| match glm.noise {
            Noise::Ols | Noise::Ar1 => 0.0,
            Noise::Arma11 => ARMA11_S,
            Noise::PooledAr => POOLED_AR_S,
            Noise::Ar(order) => OWN_AR_S + order.get() as f64 * OWN_AR_LAG_S,
            Noise::TukeyAr => OWN_AR_S + (frames as f64).sqrt() * OWN_AR_LAG_S,
            Noise::GlobalAr1 => GLOBAL_AR1_S,
        };
        (n_columns * frames) as f64 * self.settings.glms.iter().map(a_value).sum::<f64>()
    }

    /// What the model that takes most for its noise takes, where samples are looked at.
    pub(super) fn sampled_bytes(
        &self,
        subject: &SubjectPlan,
        space: &SpacePlan,
        n_columns: usize,
        threads: usize,
    ) -> usize {
        let of_run = |&run: &usize| subject.runs[run].models.iter().zip(&self.settings.glms);
        let needs = space.runs.iter().flat_map(of_run).map(|(model, glm)| SampledNeeds::new(&model.design, glm.noise));
        needs.map(|needs| needs.bytes(n_columns, threads)).max().unwrap_or(0)
    }
}
