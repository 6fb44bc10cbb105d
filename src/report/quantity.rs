//! Numbers as people read them: few digits, a true minus sign, units behind.

/// A number with `digits` decimals and a true minus sign; `n/a` where it is none.
pub(super) fn decimal(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "n/a".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "\u{2212}∞".to_owned() };
    }
    // halves away from zero, as people and scripts do; formatting alone takes some to even digits
    let shift = [1.0, 10.0, 100.0, 1e3, 1e4].get(digits).copied();
    let rounded = shift.map(|shift| (value * shift).round() / shift).filter(|rounded| rounded.is_finite());
    let text = format!("{:.digits$}", rounded.unwrap_or(value));
    // what rounds to zero has no sign
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "\u{2212}") }
}

/// A number with about `digits` significant digits; very large and small ones as a power of ten.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return decimal(value, 0);
    }
    let exponent = libm::floor(libm::log10(value.abs())) as i32;
    if (-4..6).contains(&exponent) {
        // digits before the point; none, and zeros behind it, below 1
        let before = usize::try_from(exponent + 1).unwrap_or(0);
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        let decimals = (digits + zeros).saturating_sub(before);
        let text = decimal(value, decimals);
        return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    format!("{value:.*e}", digits.saturating_sub(1)).replace('-', "\u{2212}")
}

/// A count with its thousands set apart.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}'); // a narrow space that no line breaks at
        }
        out.push(digit);
    }
    out
}

/// `1 run`, `2 runs`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([decimal(-1.256, 2), decimal(-0.001, 2), decimal(f64::NAN, 1)], ["\u{2212}1.26", "0.00", "n/a"]);
        assert_eq!(
            [decimal(-11.25, 1), decimal(11.25, 1), decimal(1e300, 1).len().to_string()],
            ["\u{2212}11.3", "11.3", "303"]
        );
        let shown = [0.0, 1234.5678, -0.012_345, 2.5e-7, 1e300, 2.0, 999_999.0, f64::INFINITY]
            .map(|value| significant(value, 3));
        assert_eq!(shown, ["0", "1235", "\u{2212}0.0123", "2.50e\u{2212}7", "1.00e300", "2", "999999", "∞"]);
        assert_eq!([count(0), count(999), count(1_234_567)], ["0", "999", "1\u{202f}234\u{202f}567"]);
        assert_eq!([counted(1, "run"), counted(2, "run")], ["1 run", "2 runs"]);
    }
}
