//! A response given by points: straight lines between them, nothing outside.

use super::{EDGE_TOLERANCE_S, Kernel};

/// Straight lines between points `(time, value)`, 0 before the first and after the last.
#[derive(Debug, Clone, PartialEq)]
pub struct PiecewiseLinear {
    times_s: Vec<f64>,
    values: Vec<f64>,
    /// Integral up to each point.
    integrals: Vec<f64>,
}

/// Why a table is no response.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Fewer than two points, or columns of different length.
    #[error("a response needs two points or more, found {0}")]
    TooFewPoints(usize),
    /// A cell is no finite number.
    #[error("point {0} is not finite")]
    NotFinite(usize),
    /// Times do not increase.
    #[error("the time of point {0} is not after that of the point before it")]
    NotIncreasing(usize),
    /// The positive and negative parts cancel.
    #[error("its area is {0}, which no factor turns into a unit area")]
    NoArea(f64),
}

impl PiecewiseLinear {
    /// Through the points given; times in seconds after the event, strictly increasing.
    ///
    /// # Errors
    /// [`TableError`] with the 1-based point it is about.
    pub fn through(times_s: &[f64], values: &[f64]) -> Result<Self, TableError> {
        if times_s.len() < 2 || times_s.len() != values.len() {
            return Err(TableError::TooFewPoints(times_s.len().min(values.len())));
        }
        if let Some(point) = (0..times_s.len()).find(|&k| !times_s[k].is_finite() || !values[k].is_finite()) {
            return Err(TableError::NotFinite(point + 1));
        }
        if let Some(point) = (1..times_s.len()).find(|&k| times_s[k] <= times_s[k - 1]) {
            return Err(TableError::NotIncreasing(point + 1));
        }
        let mut integrals = Vec::with_capacity(times_s.len());
        let mut integral = 0.0;
        integrals.push(integral);
        for k in 1..times_s.len() {
            integral += 0.5 * (values[k] + values[k - 1]) * (times_s[k] - times_s[k - 1]);
            integrals.push(integral);
        }
        Ok(Self { times_s: times_s.to_vec(), values: values.to_vec(), integrals })
    }

    /// The same shape with unit area.
    ///
    /// # Errors
    /// [`TableError::NoArea`] where the area is not above a millionth of the area of its absolute value.
    pub fn of_unit_area(mut self) -> Result<Self, TableError> {
        let area = self.integrals.last().copied().unwrap_or(0.0);
        let absolute: f64 = (1..self.times_s.len())
            .map(|k| 0.5 * (self.values[k].abs() + self.values[k - 1].abs()) * (self.times_s[k] - self.times_s[k - 1]))
            .sum();
        if area <= 1e-6 * absolute {
            return Err(TableError::NoArea(area));
        }
        for value in self.values.iter_mut().chain(&mut self.integrals) {
            *value /= area;
        }
        Ok(self)
    }

    /// Time of the last point, seconds.
    pub fn stop_s(&self) -> f64 {
        self.times_s.last().copied().unwrap_or(0.0)
    }

    /// Index of the segment that holds `time_s`, or `None` outside the points.
    fn segment(&self, time_s: f64) -> Option<usize> {
        let after = self.times_s.partition_point(|&point| point <= time_s);
        (after > 0 && after < self.times_s.len()).then(|| after - 1)
    }
}

impl Kernel for PiecewiseLinear {
    fn value(&self, time_s: f64) -> f64 {
        let last = self.times_s.len() - 1;
        // A response that starts or stops with a jump must not lose an end point by rounding.
        if (time_s - self.times_s[0]).abs() < EDGE_TOLERANCE_S {
            return self.values[0];
        }
        if (time_s - self.times_s[last]).abs() < EDGE_TOLERANCE_S {
            return self.values[last];
        }
        self.segment(time_s).map_or(0.0, |k| {
            let fraction = (time_s - self.times_s[k]) / (self.times_s[k + 1] - self.times_s[k]);
            self.values[k] + fraction * (self.values[k + 1] - self.values[k])
        })
    }

    fn integral(&self, time_s: f64) -> f64 {
        if time_s <= self.times_s[0] {
            return 0.0;
        }
        self.segment(time_s).map_or(self.integrals[self.times_s.len() - 1], |k| {
            let into = time_s - self.times_s[k];
            let slope = (self.values[k + 1] - self.values[k]) / (self.times_s[k + 1] - self.times_s[k]);
            self.integrals[k] + into * (self.values[k] + 0.5 * slope * into)
        })
    }
}

/// The hats of `knots` points evenly spaced from `start_s` to `stop_s`: each is 1 at its knot and 0 at its neighbours;
/// the first and the last are halves (AFNI's `TENT(start, stop, knots)`). With the time of each knot.
///
/// # Errors
/// [`TableError`] where there are fewer than two knots or they do not increase.
pub fn tent(start_s: f64, stop_s: f64, knots: usize) -> Result<Vec<(f64, PiecewiseLinear)>, TableError> {
    if knots < 2 {
        return Err(TableError::TooFewPoints(knots));
    }
    let spacing_s = (stop_s - start_s) / (knots - 1) as f64;
    let at = |knot: usize| start_s + spacing_s * knot as f64;
    (0..knots)
        .map(|knot| {
            let points: Vec<usize> = (knot.saturating_sub(1)..=(knot + 1).min(knots - 1)).collect();
            let times_s: Vec<f64> = points.iter().map(|&point| at(point)).collect();
            let values: Vec<f64> = points.iter().map(|&point| f64::from(u8::from(point == knot))).collect();
            Ok((at(knot), PiecewiseLinear::through(&times_s, &values)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_integrals() {
        let kernel = PiecewiseLinear::through(&[0.0, 2.0, 3.0], &[0.0, 4.0, -2.0]).unwrap();
        for (time_s, value, integral) in
            [(-1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 2.0, 1.0), (2.0, 4.0, 4.0), (2.5, 1.0, 5.25), (9.0, 0.0, 5.0)]
        {
            assert_eq!(kernel.value(time_s), value, "value at {time_s}");
            assert_eq!(kernel.integral(time_s), integral, "integral at {time_s}");
        }
        let unit = kernel.of_unit_area().unwrap();
        assert_eq!(unit.integral(9.0), 1.0);
        assert_eq!(unit.value(1.0), 0.4);
    }

    #[test]
    fn hats_add_up_to_one_between_the_ends() {
        let hats = tent(0.0, 20.0, 11).unwrap();
        assert_eq!(hats.len(), 11);
        for step in 0..=2000 {
            let time_s = 0.01 * f64::from(step);
            let sum: f64 = hats.iter().map(|(_, hat)| hat.value(time_s)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum} at {time_s}");
        }
        assert_eq!(hats[0].1.value(-0.01), 0.0);
        assert_eq!(hats[10].1.value(20.01), 0.0);
        assert_eq!(hats[3].0, 6.0);
    }

    #[test]
    fn a_table_that_is_no_response_says_why() {
        let why = |times: &[f64], values: &[f64]| {
            PiecewiseLinear::through(times, values).and_then(PiecewiseLinear::of_unit_area).unwrap_err().to_string()
        };
        assert_eq!(why(&[0.0], &[1.0]), "a response needs two points or more, found 1");
        assert_eq!(why(&[0.0, f64::NAN], &[1.0, 1.0]), "point 2 is not finite");
        assert_eq!(why(&[0.0, 0.0], &[1.0, 1.0]), "the time of point 2 is not after that of the point before it");
        assert_eq!(why(&[0.0, 1.0, 2.0], &[1.0, 0.0, -1.0]), "its area is 0, which no factor turns into a unit area");
        assert!(tent(0.0, 0.0, 3).is_err());
    }
}
