//! The JSON beside a table of spike counts or firing rates.

use super::sidecar::Software;
use crate::config::{RateKernel, RateSettings};
use serde::Serialize;

/// The sidecar, with BIDS's spelling of keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RateSidecar {
    description: &'static str,
    model: String,
    units: &'static str,
    /// Width of a bin, seconds; `time_s` is the middle of each.
    bin_width: f64,
    /// Length of the recording, seconds.
    duration: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<RateKernel>,
    /// Width of the kernel, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel_width: Option<f64>,
    generated_by: Vec<Software>,
}

impl RateSidecar {
    /// Of the table of `counts` or of the `rate`.
    pub fn new(what: &str, settings: &RateSettings, duration_s: f64) -> Self {
        let is_rate = what == "rate";
        Self {
            description: if is_rate { "firing rate of each unit" } else { "spikes of each unit in a bin" },
            model: settings.name.value.clone(),
            units: if is_rate { "spikes per second" } else { "spikes" },
            bin_width: settings.bin_s.value,
            duration: duration_s,
            kernel: is_rate.then_some(settings.kernel),
            kernel_width: is_rate.then_some(settings.sigma_s.value),
            generated_by: vec![Software::boldly()],
        }
    }
}
