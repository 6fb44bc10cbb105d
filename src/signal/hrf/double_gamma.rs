//! A response of two gamma densities: the rise, and the undershoot that follows.

use super::{GammaDensity, Kernel};

/// `h(t) = w (g1(t) - r g2(t))`: a gamma density minus a fraction `r` of a later one (Friston et al. 1998,
/// doi 10.1006/nimg.1997.0306). `w` is 1 until [`DoubleGamma::of_unit_area`] sets it to `1 / (1 - r)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleGamma {
    response: GammaDensity,
    undershoot: GammaDensity,
    ratio: f64,
    weight: f64,
}

impl DoubleGamma {
    /// `g1 - ratio * g2`, as it is: its area is `1 - ratio`.
    pub fn new(response: GammaDensity, undershoot: GammaDensity, ratio: f64) -> Self {
        Self { response, undershoot, ratio, weight: 1.0 }
    }

    /// The same shape with unit area (`ratio` below 1).
    #[must_use]
    pub fn of_unit_area(self) -> Self {
        Self { weight: 1.0 / (1.0 - self.ratio), ..self }
    }

    /// The same with another dispersion (scale, seconds) of the rise, its mean unchanged; the area too.
    #[must_use]
    pub fn with_dispersion(self, dispersion_s: f64) -> Self {
        Self { response: GammaDensity::of_delay(self.response.mean_s(), dispersion_s), ..self }
    }

    /// Dispersion (scale) of the rise, seconds.
    pub fn dispersion_s(&self) -> f64 {
        self.response.scale_s()
    }
}

impl Kernel for DoubleGamma {
    fn value(&self, time_s: f64) -> f64 {
        self.weight * (self.response.value(time_s) - self.ratio * self.undershoot.value(time_s))
    }

    fn integral(&self, time_s: f64) -> f64 {
        self.weight * (self.response.integral(time_s) - self.ratio * self.undershoot.integral(time_s))
    }
}

/// The temporal derivative `dh/dt`: added to the response it moves it to earlier times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemporalSlope(pub DoubleGamma);

impl Kernel for TemporalSlope {
    fn value(&self, time_s: f64) -> f64 {
        self.0.weight * (self.0.response.slope(time_s) - self.0.ratio * self.0.undershoot.slope(time_s))
    }

    fn integral(&self, time_s: f64) -> f64 {
        self.0.value(time_s)
    }
}

/// The dispersion derivative `-dh/dd`, `d` the dispersion of the rise at constant mean: added to the response it makes
/// it narrower (the sign of SPM and nilearn, which take `h(d) - h(d + 0.01)`).
///
/// The derivative of the incomplete gamma function by its shape has no closed form, so both functions are five-point
/// central differences of the exact ones, with a step of 0.004 d: off by less than 1e-9 of the derivative's height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DispersionSlope {
    /// At `d - 2s`, `d - s`, `d + s`, `d + 2s`, with their weights over `s`.
    stencil: [(f64, DoubleGamma); 4],
}

impl DispersionSlope {
    /// The dispersion derivative of a response.
    pub fn of(response: DoubleGamma) -> Self {
        let dispersion_s = response.dispersion_s();
        let step = 0.004 * dispersion_s;
        let at =
            |weight: f64, steps: f64| (-weight / (12.0 * step), response.with_dispersion(dispersion_s + steps * step));
        Self { stencil: [at(1.0, -2.0), at(-8.0, -1.0), at(8.0, 1.0), at(-1.0, 2.0)] }
    }

    fn apply(&self, function: impl Fn(&DoubleGamma) -> f64) -> f64 {
        self.stencil.iter().map(|(weight, response)| weight * function(response)).sum()
    }
}

impl Kernel for DispersionSlope {
    fn value(&self, time_s: f64) -> f64 {
        self.apply(|response| response.value(time_s))
    }

    fn integral(&self, time_s: f64) -> f64 {
        self.apply(|response| response.integral(time_s))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{gamma, glover, spm};
    use super::*;

    #[test]
    fn native_responses_have_unit_area_and_their_derivatives_none() {
        for response in [spm(), glover(), gamma()] {
            assert!((response.integral(500.0) - 1.0).abs() < 1e-15);
            assert!(TemporalSlope(response).integral(500.0).abs() < 1e-15);
            // differences of four integrals that are 1 to the last bit, divided by 0.004
            assert!(DispersionSlope::of(response).integral(500.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_integral_is_the_integral_of_the_value() {
        let kernels: Vec<Box<dyn Kernel>> = vec![
            Box::new(spm()),
            Box::new(glover()),
            Box::new(gamma()),
            Box::new(TemporalSlope(spm())),
            Box::new(DispersionSlope::of(glover())),
        ];
        for kernel in kernels {
            let step = 0.01;
            let mut sum = 0.0;
            for k in 0..3000 {
                let from = f64::from(k) * step;
                // Simpson's rule: off by step^4 / 2880 times a fourth derivative of order 1, over 30 s
                sum += step / 6.0
                    * (kernel.value(from) + 4.0 * kernel.value(from + step / 2.0) + kernel.value(from + step));
                assert!((kernel.integral(from + step) - sum).abs() < 1e-9, "at {from} s");
            }
        }
    }

    #[test]
    fn the_dispersion_slope_agrees_with_the_analytic_derivative() {
        // -d ln g / dd = (m/d^2) (ln(t/d) - psi(m/d)) - (t - m)/d^2 at shape m/d = 6, d = 1;
        // psi(6) = 1 + 1/2 + 1/3 + 1/4 + 1/5 - Euler's constant
        let psi = 137.0 / 60.0 - 0.577_215_664_901_532_9;
        let slope = DispersionSlope::of(spm());
        let rise = GammaDensity::of_delay(6.0, 1.0);
        for time_s in [0.5, 2.0, 4.0, 6.0, 10.0, 20.0] {
            let log_slope = 6.0 * (libm::log(time_s) - psi) - (time_s - 6.0);
            let expected = 1.2 * rise.value(time_s) * log_slope;
            assert!((slope.value(time_s) - expected).abs() < 1e-10, "{} {expected}", slope.value(time_s));
        }
    }

    #[test]
    fn adding_the_slopes_moves_and_narrows_the_response() {
        let response = spm();
        // about half width: earlier is higher on the rise
        assert!(TemporalSlope(response).value(3.0) > 0.0);
        assert!(TemporalSlope(response).value(8.0) < 0.0);
        // narrower is higher at the peak
        assert!(DispersionSlope::of(response).value(5.0) > 0.0);
    }
}
