//! A window of time after an event: the finite impulse response's basis function.

use super::{EDGE_TOLERANCE_S, Kernel};

/// 1 in `[start, start + width)`, else 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// First moment, seconds after the event; may be negative.
    pub start_s: f64,
    /// Width, seconds, above 0.
    pub width_s: f64,
}

impl Kernel for Window {
    fn value(&self, time_s: f64) -> f64 {
        let into = time_s - self.start_s;
        // An impulse on the grid of the frames must not fall to either side of an edge by rounding.
        f64::from(u8::from(into >= -EDGE_TOLERANCE_S && into < self.width_s - EDGE_TOLERANCE_S))
    }

    fn integral(&self, time_s: f64) -> f64 {
        (time_s - self.start_s).clamp(0.0, self.width_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_edge_belongs_to_it_and_the_last_to_the_next() {
        let window = Window { start_s: 2.13, width_s: 2.13 };
        assert_eq!(window.value(7.0 * 2.13 - 6.0 * 2.13), 1.0);
        assert_eq!(window.value(7.0 * 2.13 - 5.0 * 2.13), 0.0);
        assert_eq!(window.value(2.12), 0.0);
    }

    #[test]
    fn a_long_event_ramps_up_and_down() {
        let window = Window { start_s: 2.0, width_s: 2.0 };
        let found: Vec<f64> = (0..8).map(|t| window.response(f64::from(t), 3.0)).collect();
        assert_eq!(found, [0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.0]);
    }
}
