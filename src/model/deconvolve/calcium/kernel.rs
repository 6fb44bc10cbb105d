//! The response of fluorescence to a spike: autoregressive coefficients and time constants.
//!
//! ```text
//! c_t = g_1 c_(t-1) + g_2 c_(t-2) + s_t        decay = exp(-dt / tau_decay),  rise = exp(-dt / tau_rise)
//! g_1 = decay + rise,  g_2 = -decay rise       (order 1: rise = 0)
//! ```

use super::CalciumError;

/// Calcium after a spike: decays, for order 2 after a gradual rise (Vogelstein et al. 2010, doi 10.1152/jn.01073.2009).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// The larger root of `z^2 = g_1 z + g_2`: the factor by which calcium decays in one sample. In (0, 1).
    decay: f64,
    /// The smaller root. In (0, decay], or 0 for order 1.
    rise: f64,
}

impl Coefficients {
    /// Order 1, from its coefficient.
    ///
    /// # Errors
    /// [`CalciumError::Unstable`] where it is not in (0, 1).
    pub fn of_order_one(g: f64) -> Result<Self, CalciumError> {
        if g > 0.0 && g < 1.0 {
            Ok(Self { decay: g, rise: 0.0 })
        } else {
            Err(CalciumError::Unstable { g_1: g, g_2: 0.0 })
        }
    }

    /// Order 2, from its coefficients.
    ///
    /// # Errors
    /// [`CalciumError::Oscillating`] where the roots are complex, [`CalciumError::Unstable`] where one is not in (0, 1).
    pub fn of_order_two(g_1: f64, g_2: f64) -> Result<Self, CalciumError> {
        let discriminant = g_1 * g_1 + 4.0 * g_2;
        if discriminant < 0.0 {
            return Err(CalciumError::Oscillating { g_1, g_2 });
        }
        // The larger root first, the other from their product: no cancellation.
        let decay = 0.5 * (g_1 + libm::sqrt(discriminant));
        let rise = -g_2 / decay;
        if rise > 0.0 && decay < 1.0 { Ok(Self { decay, rise }) } else { Err(CalciumError::Unstable { g_1, g_2 }) }
    }

    /// From time constants in seconds and the interval of samples; order 1 where the rise is `None`.
    ///
    /// # Errors
    /// [`CalciumError::TimeConstant`] where one is not a positive finite number, or the rise is slower than the decay;
    /// [`CalciumError::Unstable`] where a constant is too short or too long for the interval to tell from 0 or endless.
    pub fn of_time_constants(tau_rise_s: Option<f64>, tau_decay_s: f64, dt_s: f64) -> Result<Self, CalciumError> {
        let factor = |tau_s: f64| libm::exp(-dt_s / tau_s);
        for tau_s in [Some(tau_decay_s), tau_rise_s].into_iter().flatten() {
            if !(tau_s.is_finite() && tau_s > 0.0 && tau_s <= tau_decay_s) {
                return Err(CalciumError::TimeConstant { found_s: tau_s });
            }
        }
        match tau_rise_s {
            None => Self::of_order_one(factor(tau_decay_s)),
            Some(tau_rise_s) => {
                let (decay, rise) = (factor(tau_decay_s), factor(tau_rise_s));
                let found = Self { decay, rise };
                if rise > 0.0 && decay < 1.0 {
                    Ok(found)
                } else {
                    Err(CalciumError::Unstable { g_1: found.g_1(), g_2: found.g_2() })
                }
            }
        }
    }

    /// 1 or 2.
    pub fn order(&self) -> usize {
        if self.rise > 0.0 { 2 } else { 1 }
    }

    /// First coefficient.
    pub fn g_1(&self) -> f64 {
        self.decay + self.rise
    }

    /// Second coefficient; 0 for order 1.
    pub fn g_2(&self) -> f64 {
        -self.decay * self.rise
    }

    /// Factor of decay in one sample.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// Time constant of the decay, in seconds.
    pub fn tau_decay_s(&self, dt_s: f64) -> f64 {
        -dt_s / libm::log(self.decay)
    }

    /// Time constant of the rise, in seconds; `None` for order 1.
    pub fn tau_rise_s(&self, dt_s: f64) -> Option<f64> {
        (self.order() == 2).then(|| -dt_s / libm::log(self.rise))
    }

    /// Calcium that these spikes make, from none before them.
    pub fn calcium(&self, spikes: &[f64]) -> Vec<f64> {
        let (mut one_before, mut two_before) = (0.0, 0.0);
        spikes
            .iter()
            .map(|spike| {
                let now = self.g_1() * one_before + self.g_2() * two_before + spike;
                (two_before, one_before) = (one_before, now);
                now
            })
            .collect()
    }

    /// What these spikes would be made of: `s_t = c_t - g_1 c_(t-1) - g_2 c_(t-2)`.
    pub fn spikes(&self, calcium: &[f64]) -> Vec<f64> {
        let (mut one_before, mut two_before) = (0.0, 0.0);
        calcium
            .iter()
            .map(|&now| {
                let spike = now - self.g_1() * one_before - self.g_2() * two_before;
                (two_before, one_before) = (one_before, now);
                spike
            })
            .collect()
    }

    /// The residual seen by each spike: `p_t = sum over u >= t of h_(u-t) r_u`, `h` the response to one spike.
    pub fn correlation(&self, residual: &[f64]) -> Vec<f64> {
        let mut p = vec![0.0; residual.len()];
        let (mut one_after, mut two_after) = (0.0, 0.0);
        for (p, r) in p.iter_mut().zip(residual).rev() {
            *p = r + self.g_1() * one_after + self.g_2() * two_after;
            (two_after, one_after) = (one_after, *p);
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_a_difference_of_decays() {
        let kernel = Coefficients::of_time_constants(Some(0.05), 0.4, 0.02).unwrap();
        let mut impulse = vec![0.0; 200];
        impulse[0] = 1.0;
        let (decay, rise) = (libm::exp(-0.02 / 0.4), libm::exp(-0.02 / 0.05));
        for (k, h) in (1..).zip(&kernel.calcium(&impulse)) {
            let expected = (decay.powi(k) - rise.powi(k)) / (decay - rise);
            // Rounding of a recursion that forgets within 20 samples.
            assert!((h - expected).abs() < 1e-13, "{h} for {expected}");
        }
        assert!((kernel.tau_decay_s(0.02) - 0.4).abs() < 1e-12);
        assert!((kernel.tau_rise_s(0.02).unwrap() - 0.05).abs() < 1e-12);
        let again = Coefficients::of_order_two(kernel.g_1(), kernel.g_2()).unwrap();
        assert!((again.decay() - decay).abs() < 1e-13 && again.order() == 2);
    }

    #[test]
    fn spikes_undo_calcium_and_correlation_is_its_transpose() {
        let kernel = Coefficients::of_order_two(1.6, -0.63).unwrap();
        let x: Vec<f64> = (0..50).map(|t| libm::sin(f64::from(t * t))).collect();
        let y: Vec<f64> = (0..50).map(|t| libm::cos(f64::from(t * t * t))).collect();
        let made = kernel.calcium(&x);
        assert!(kernel.spikes(&made).iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-13));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        // <G x, y> = <x, G'y>, to rounding of sums of 50 terms up to 10.
        assert!((dot(&made, &y) - dot(&x, &kernel.correlation(&y))).abs() < 1e-11);
    }

    #[test]
    fn what_is_no_calcium_is_an_error() {
        assert_eq!(Coefficients::of_order_one(1.0), Err(CalciumError::Unstable { g_1: 1.0, g_2: 0.0 }));
        assert_eq!(Coefficients::of_order_two(1.0, -0.5), Err(CalciumError::Oscillating { g_1: 1.0, g_2: -0.5 }));
        // Roots 1.2 and 0.5; 0.9 and -0.1.
        assert!(matches!(Coefficients::of_order_two(1.7, -0.6), Err(CalciumError::Unstable { .. })));
        assert!(matches!(Coefficients::of_order_two(0.8, 0.09), Err(CalciumError::Unstable { .. })));
        for (rise, decay) in [(Some(0.5), 0.4), (None, 0.0), (None, f64::NAN), (Some(-1.0), 0.4)] {
            let found = Coefficients::of_time_constants(rise, decay, 0.02);
            assert!(matches!(found, Err(CalciumError::TimeConstant { .. })), "{rise:?} {decay}");
        }
        // A decay that no sample sees.
        assert!(matches!(Coefficients::of_time_constants(None, 1e-6, 1.0), Err(CalciumError::Unstable { .. })));
    }
}
