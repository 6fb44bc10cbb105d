//! Glover's response, as published and as nilearn computes it.

use super::{DoubleGamma, GammaDensity};

/// Glover's auditory response (1999, doi 10.1006/nimg.1998.0419) with unit area:
///
/// ```text
/// h(t) ~ (t/5.4)^6 e^-(t - 5.4)/0.9 - 0.35 (t/10.8)^12 e^-(t - 10.8)/0.9
/// ```
///
/// that is `n1 = 6, t1 = 0.9 s, n2 = 12, t2 = 0.9 s, a2 = 0.35`, each term with a peak of 1. As gamma densities their
/// shapes are `n + 1`, and the peaks turn into the ratio of areas `r = a2 A2 / A1`, `A = Gamma(n + 1) (e/n)^n t`.
pub fn glover() -> DoubleGamma {
    let (n1, n2, scale_s, undershoot_height) = (6.0, 12.0, 0.9, 0.35);
    let log_area = |n: f64| libm::lgamma(n + 1.0) + n - n * libm::log(n);
    let ratio = undershoot_height * libm::exp(log_area(n2) - log_area(n1));
    DoubleGamma::new(GammaDensity::new(n1 + 1.0, scale_s), GammaDensity::new(n2 + 1.0, scale_s), ratio).of_unit_area()
}

/// The response nilearn calls `glover`, its area as it is: delays 6 and 12 s, dispersions 0.9 s, ratio 0.48. Its
/// shapes are `n / 0.9`, not Glover's `n + 1`.
pub fn glover_of_nilearn() -> DoubleGamma {
    DoubleGamma::new(GammaDensity::of_delay(6.0, 0.9), GammaDensity::of_delay(12.0, 0.9), 0.48)
}

/// The response whose dispersion derivative nilearn takes for `glover`: the undershoot has dispersion 1, not 0.9.
pub fn glover_of_nilearn_for_dispersion() -> DoubleGamma {
    DoubleGamma::new(GammaDensity::of_delay(6.0, 0.9), GammaDensity::of_delay(12.0, 1.0), 0.48)
}

#[cfg(test)]
mod tests {
    use super::super::Kernel;
    use super::*;

    #[test]
    fn follows_the_published_formula_up_to_its_area() {
        let published = |t: f64| {
            libm::pow(t / 5.4, 6.0) * libm::exp(-(t - 5.4) / 0.9)
                - 0.35 * libm::pow(t / 10.8, 12.0) * libm::exp(-(t - 10.8) / 0.9)
        };
        let scale = glover().value(5.0) / published(5.0);
        for step in 1..400 {
            let t = 0.1 * f64::from(step);
            assert!((glover().value(t) - scale * published(t)).abs() < 1e-14);
        }
        assert!((glover().integral(300.0) - 1.0).abs() < 1e-15);
    }
}
