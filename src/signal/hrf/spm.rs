//! SPM's canonical response.

use super::{DoubleGamma, GammaDensity};

/// SPM's canonical response with unit area: delays 6 and 16 s, dispersions 1 s, undershoot ratio 1/6
/// (Friston et al. 1998, doi 10.1006/nimg.1997.0306; `spm_hrf.m` with its default parameters).
pub fn spm() -> DoubleGamma {
    shape(1.0 / 6.0).of_unit_area()
}

/// The response nilearn calls `spm`: the ratio is 0.167, and the area is left as it is.
pub fn spm_of_nilearn() -> DoubleGamma {
    shape(0.167)
}

fn shape(ratio: f64) -> DoubleGamma {
    DoubleGamma::new(GammaDensity::of_delay(6.0, 1.0), GammaDensity::of_delay(16.0, 1.0), ratio)
}

#[cfg(test)]
mod tests {
    use super::super::Kernel;
    use super::*;

    #[test]
    fn follows_the_closed_form_with_factorials() {
        // g(6, 1) = t^5 e^-t / 5!, g(16, 1) = t^15 e^-t / 15!
        let (five, fifteen) = (120.0, 1_307_674_368_000.0);
        for step in 1..400 {
            let t = 0.1 * f64::from(step);
            let expected = 1.2 * libm::exp(-t) * (libm::pow(t, 5.0) / five - libm::pow(t, 15.0) / fifteen / 6.0);
            assert!((spm().value(t) - expected).abs() < 1e-14);
        }
    }
}
