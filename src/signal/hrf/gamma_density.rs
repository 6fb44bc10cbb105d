//! The gamma density: building block of the canonical responses.

use super::lower_incomplete_gamma;

/// `g(t) = t^(a-1) e^(-t/b) / (b^a Gamma(a))` for `t > 0`, else 0: unit area, mean `a b`, variance `a b^2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaDensity {
    shape: f64,
    scale_s: f64,
    /// `a ln b + ln Gamma(a)`.
    log_normalisation: f64,
}

impl GammaDensity {
    /// By shape (no unit) and scale (seconds), both above 0.
    pub fn new(shape: f64, scale_s: f64) -> Self {
        Self { shape, scale_s, log_normalisation: shape * libm::log(scale_s) + libm::lgamma(shape) }
    }

    /// By mean ("delay") and dispersion, seconds: shape `delay / dispersion`, scale `dispersion`, so that the
    /// variance is `delay * dispersion`. SPM's parametrisation.
    pub fn of_delay(delay_s: f64, dispersion_s: f64) -> Self {
        Self::new(delay_s / dispersion_s, dispersion_s)
    }

    /// Its mean, seconds.
    pub fn mean_s(&self) -> f64 {
        self.shape * self.scale_s
    }

    /// Its scale, seconds: the dispersion of [`GammaDensity::of_delay`].
    pub fn scale_s(&self) -> f64 {
        self.scale_s
    }

    /// `g(t)`, per second.
    pub fn value(&self, time_s: f64) -> f64 {
        if time_s <= 0.0 {
            return 0.0;
        }
        libm::exp((self.shape - 1.0) * libm::log(time_s) - time_s / self.scale_s - self.log_normalisation)
    }

    /// `dg/dt`, per second squared.
    pub fn slope(&self, time_s: f64) -> f64 {
        if time_s <= 0.0 {
            return 0.0;
        }
        self.value(time_s) * ((self.shape - 1.0) / time_s - 1.0 / self.scale_s)
    }

    /// Integral of `g` from 0 to `t`.
    pub fn integral(&self, time_s: f64) -> f64 {
        // Beyond this the tail is below 1e-24 for every shape up to 20: 1 to the last bit, without the expansion.
        if time_s > self.mean_s() + 85.0 * self.scale_s && self.shape <= 20.0 {
            return 1.0;
        }
        lower_incomplete_gamma(self.shape, time_s / self.scale_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_density_of_shape_one_is_exponential() {
        let density = GammaDensity::new(1.0, 2.0);
        for time_s in [0.1, 1.0, 7.5] {
            assert!((density.value(time_s) - 0.5 * libm::exp(-time_s / 2.0)).abs() < 1e-15);
            assert!((density.integral(time_s) - (1.0 - libm::exp(-time_s / 2.0))).abs() < 1e-15);
        }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_value_and_the_value_that_of_the_integral() {
        let density = GammaDensity::of_delay(6.0, 0.9);
        let step = 1e-4;
        for time_s in [0.3, 2.0, 5.4, 9.0, 20.0] {
            let slope = (density.value(time_s + step) - density.value(time_s - step)) / (2.0 * step);
            let value = (density.integral(time_s + step) - density.integral(time_s - step)) / (2.0 * step);
            // the central difference is off by step^2 / 6 times a third derivative of order 0.1
            assert!((slope - density.slope(time_s)).abs() < 1e-9);
            assert!((value - density.value(time_s)).abs() < 1e-9);
        }
    }

    #[test]
    fn the_shortcut_far_out_changes_no_bit() {
        for density in [GammaDensity::new(16.0, 1.0), GammaDensity::new(7.0, 0.9), GammaDensity::new(4.0, 1.5)] {
            let far = density.mean_s() + 85.0 * density.scale_s();
            assert_eq!(density.integral(far - 1e-9), 1.0);
            assert_eq!(density.integral(far + 1e-9), 1.0);
        }
    }
}
