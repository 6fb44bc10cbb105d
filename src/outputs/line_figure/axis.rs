//! Ranges of values, the round numbers that mark them, and how these are written.
//!
//! A tick is a whole multiple of `1, 2 or 5 x 10^k`, the smallest such step that gives no more ticks than asked for.

/// Largest absolute value drawn: keeps sums and differences of range ends finite.
const LARGEST: f64 = 1e300;
/// Share of the range that is left free above and below the curves.
const PADDING: f64 = 0.05;

/// Smallest and largest value seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    /// Of the finite ones among `values`; `None` where there are none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let finite = values.into_iter().filter(|value| value.is_finite());
        finite.map(|value| value.clamp(-LARGEST, LARGEST)).fold(None, |range, value| {
            let Some(Self { low, high }) = range else { return Some(Self { low: value, high: value }) };
            Some(Self { low: low.min(value), high: high.max(value) })
        })
    }

    /// This range, or one around it where it holds a single value.
    pub(super) fn widened(self) -> Self {
        let Self { low, high } = self;
        // relative: differences that are rounding alone would blow up into a curve
        if high - low > 1e-12 * low.abs().max(high.abs()) {
            return self;
        }
        let margin = if low == 0.0 { 1.0 } else { 0.5 * low.abs() };
        Self { low: low - margin, high: high + margin }
    }

    /// With free space at both ends, which does not reach beyond zero where no value does.
    pub(super) fn padded(self) -> Self {
        let margin = PADDING * self.length();
        let (low, high) = (self.low - margin, self.high + margin);
        Self {
            low: if self.low >= 0.0 { low.max(0.0) } else { low },
            high: if self.high <= 0.0 { high.min(0.0) } else { high },
        }
    }

    pub(super) fn length(self) -> f64 {
        self.high - self.low
    }

    pub(super) fn holds(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where a value lies: 0 at the low end, 1 at the high one.
    pub(super) fn share(self, value: f64) -> f64 {
        (value - self.low) / self.length()
    }
}

/// The round numbers that mark a range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    /// Ascending, all inside the range.
    pub(super) values: Vec<f64>,
    /// Power of ten that labels leave out, a multiple of 3; the axis says it.
    pub(super) exponent: i32,
    digits: usize,
}

impl Ticks {
    /// At most `most` of them.
    pub(super) fn of(range: Range, most: usize) -> Self {
        let (mantissa, power) = step(range.length() / most.max(1) as f64);
        let unit = |count: f64| times_ten_to(mantissa * count, power);
        let (first, last) = ((range.low / unit(1.0)).ceil(), (range.high / unit(1.0)).floor());
        let count = if last >= first { (last - first) as usize + 1 } else { 0 };
        // the step is rounded up, so there is never more than one too many
        let values: Vec<f64> = (0..count.min(most + 1)).map(|at| unit(first + at as f64) + 0.0).collect();
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let size = if largest > 0.0 { libm::floor(libm::log10(largest)) as i32 } else { 0 };
        let exponent = if (-3..5).contains(&size) { 0 } else { size.div_euclid(3) * 3 };
        let digits = usize::try_from(exponent - power).unwrap_or(0);
        Self { values, exponent, digits }
    }

    /// A tick as text, with a true minus sign.
    pub(super) fn label(&self, value: f64) -> String {
        let scaled = times_ten_to(value, -self.exponent);
        format!("{scaled:.*}", self.digits).replace('-', "\u{2212}")
    }
}

/// The smallest `1, 2 or 5 x 10^k` that is not below `length`, as its two parts.
fn step(length: f64) -> (f64, i32) {
    if !(length > 0.0 && length.is_finite()) {
        return (1.0, 0);
    }
    let power = libm::floor(libm::log10(length)) as i32;
    // a length that is a round number up to rounding is that number
    let wanted = times_ten_to(length, -power) * (1.0 - 1e-9);
    let mantissa = [1.0, 2.0, 5.0].into_iter().find(|mantissa| *mantissa >= wanted);
    mantissa.map_or((1.0, power + 1), |mantissa| (mantissa, power))
}

/// `value x 10^power`, by exact powers as far as f64 holds them, so that 3 steps of 0.1 are the f64 nearest to 0.3.
fn times_ten_to(value: f64, power: i32) -> f64 {
    let ten = |power: i32| (0..power).fold(1.0, |product, _| product * 10.0);
    if power >= 0 { value * ten(power) } else { value / ten(-power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        let ticks = Ticks::of(Range { low, high }, most);
        ticks.values.iter().map(|value| ticks.label(*value)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(0.0, 10.0, 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(-0.13, 0.31, 5), ["\u{2212}0.1", "0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(97.3, 104.9, 4), ["98", "100", "102", "104"]);
        assert_eq!(
            Ticks::of(Range { low: 0.0, high: 0.35 }, 4).values,
            [0.0, 0.1, 0.2, 0.3],
            "the nearest f64 to each"
        );
    }

    #[test]
    fn large_and_small_numbers_leave_their_power_of_ten_to_the_axis() {
        let large = Ticks::of(Range { low: 0.0, high: 2.5e6 }, 5);
        assert_eq!((large.exponent, large.label(1.5e6)), (6, "1.5".to_owned()));
        let small = Ticks::of(Range { low: 0.0, high: 4e-7 }, 4);
        assert_eq!((small.exponent, small.label(3e-7)), (-9, "300".to_owned()));
    }

    #[test]
    fn ticks_lie_inside_and_are_neither_few_nor_many() {
        for power in -12..12 {
            for tenths in 10..100 {
                let low = -0.37 * times_ten_to(1.0, power);
                let high = low + f64::from(tenths) * times_ten_to(0.1, power);
                let ticks = Ticks::of(Range { low, high }, 6).values;
                // the worst step is 2.5 times the wanted sixth
                assert!((2..=7).contains(&ticks.len()), "{ticks:?} from {low} to {high}");
                assert!(ticks.iter().all(|tick| (low..=high).contains(tick)));
            }
        }
    }

    #[test]
    fn ranges_without_extent_have_ticks() {
        assert_eq!(Range::of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(Range::of([0.0, 0.0]).map(Range::widened), Some(Range { low: -1.0, high: 1.0 }));
        assert_eq!(Range::of([-4.0]).map(Range::widened), Some(Range { low: -6.0, high: -2.0 }));
        assert_eq!(Range { low: 1.0, high: 101.0 }.padded(), Range { low: 0.0, high: 106.0 });
        assert_eq!(Range { low: -20.0, high: 0.0 }.padded(), Range { low: -21.0, high: 0.0 });
        let huge = Range::of([f64::MAX, f64::MIN]).unwrap().widened().padded();
        assert!(huge.length().is_finite() && Ticks::of(huge, 5).values.len() >= 2);
    }
}
