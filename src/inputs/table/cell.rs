//! What one cell says: a number, nothing, or text.

/// A cell read as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// A finite number.
    Number(f64),
    /// No value, see [`is_missing`].
    Missing,
    /// Anything else, infinities included.
    Text(&'a str),
}

impl<'a> Cell<'a> {
    /// Reads a cell; spaces around it do not count.
    pub(crate) fn parse(text: &'a str) -> Self {
        let text = text.trim();
        if is_missing(text) {
            return Self::Missing;
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            _ => Self::Text(text),
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Missing | Self::Text(_) => None,
        }
    }
}

/// Whether a cell says that there is no value: BIDS' `n/a`, R's `NA`, the NaN of numpy, pandas and C, or nothing.
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "n/a" | "N/A" | "NA" | "nan" | "NaN" | "NAN" | "-nan")
}

/// What to do about a cell that would be a number if its comma were a point.
pub(crate) fn decimal_comma_hint(text: &str) -> Option<String> {
    let number: f64 = text.replacen(',', ".", 1).parse().ok()?;
    text.contains(',').then(|| format!("write `{number}`: numbers take a decimal point"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_numbers_nothing_and_text_apart() {
        for (text, number) in [("1", 1.0), (" -2.5e3 ", -2500.0), (".5", 0.5), ("5.", 5.0), ("+7", 7.0)] {
            assert_eq!(Cell::parse(text), Cell::Number(number), "{text}");
        }
        for text in ["", "  ", "n/a", "NaN", "NA", "-nan"] {
            assert_eq!(Cell::parse(text), Cell::Missing, "{text}");
        }
        for text in ["inf", "-Infinity", "1e999", "1,5", "abc", "none", "0x10"] {
            assert_eq!(Cell::parse(text), Cell::Text(text), "{text}");
        }
        assert_eq!(decimal_comma_hint("1,5").unwrap(), "write `1.5`: numbers take a decimal point");
        assert_eq!(decimal_comma_hint("1,5,2"), None);
        assert_eq!(decimal_comma_hint("15"), None);
    }
}
