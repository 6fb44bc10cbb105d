//! What stands beyond the ends of a signal.

use crate::signal::gaussian::reflect_index;

/// How a signal `a b c d` is continued beyond its ends, as often as needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// `0 0 0 | a b c d | 0 0 0`: scipy's `constant` with `cval = 0`.
    Zero,
    /// `c b a | a b c d | d c b`: half-sample symmetric, scipy's `reflect`, numpy's `symmetric`. Keeps the sum of a
    /// signal under a symmetric kernel.
    Reflect,
    /// `a a a | a b c d | d d d`: scipy's `nearest`, numpy's `edge`.
    Nearest,
    /// `b c d | a b c d | a b c`: scipy's and numpy's `wrap`; a circular convolution.
    Wrap,
}

impl Edge {
    /// Which of `length` samples stands at `position`; `None` is a 0.
    pub fn source(self, position: isize, length: usize) -> Option<usize> {
        if length == 0 {
            return None;
        }
        let inside = usize::try_from(position).ok().filter(|index| *index < length);
        inside.or_else(|| match self {
            Self::Zero => None,
            Self::Reflect => Some(reflect_index(position, length)),
            Self::Nearest => Some(if position < 0 { 0 } else { length - 1 }),
            Self::Wrap => Some(position.rem_euclid(length.cast_signed()).cast_unsigned()),
        })
    }

    /// Puts the signal with `before` samples before it and `after` behind it into `extended`.
    pub(super) fn extend(self, signal: &[f64], before: usize, after: usize, extended: &mut Vec<f64>) {
        let at = |position| self.source(position, signal.len()).and_then(|index| signal.get(index)).copied();
        let length = signal.len().cast_signed();
        extended.clear();
        extended.extend((-before.cast_signed()..0).map(|position| at(position).unwrap_or(0.0)));
        extended.extend_from_slice(signal);
        extended.extend((length..length + after.cast_signed()).map(|position| at(position).unwrap_or(0.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_continued_as_the_pictures_show() {
        let picture = |edge: Edge, length: usize| {
            let (mut extended, signal) = (Vec::new(), [1.0, 2.0, 3.0, 4.0]);
            edge.extend(&signal[..length], 3, 5, &mut extended);
            extended
        };
        assert_eq!(picture(Edge::Zero, 4), [0., 0., 0., 1., 2., 3., 4., 0., 0., 0., 0., 0.]);
        assert_eq!(picture(Edge::Reflect, 4), [3., 2., 1., 1., 2., 3., 4., 4., 3., 2., 1., 1.]);
        assert_eq!(picture(Edge::Nearest, 4), [1., 1., 1., 1., 2., 3., 4., 4., 4., 4., 4., 4.]);
        assert_eq!(picture(Edge::Wrap, 4), [2., 3., 4., 1., 2., 3., 4., 1., 2., 3., 4., 1.]);
        // beyond a whole length
        assert_eq!(picture(Edge::Reflect, 2), [2., 2., 1., 1., 2., 2., 1., 1., 2., 2.]);
        assert_eq!(picture(Edge::Wrap, 2), [2., 1., 2., 1., 2., 1., 2., 1., 2., 1.]);
    }
}
