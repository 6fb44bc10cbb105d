//! Colours that all common kinds of colour vision tell apart: Okabe and Ito's (2008, <https://jfly.uni-koeln.de/color/>).

/// What a curve, a band or events are drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Grey: what was measured, behind what is estimated.
    Data,
    /// Black: the one estimate, or the truth.
    Black,
    /// One of the palette, by its number; beyond the last it begins anew with broken lines.
    Palette(usize),
}

/// Okabe and Ito's colours in an order that sets neighbours apart. Their yellow is left out: it is too light for lines
/// on white; black has a name of its own.
const PALETTE: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// Dashes of each turn of the palette; the first is solid.
const DASHES: [&str; 4] = ["", "6 3", "2 2.5", "8 3 2 3"];

impl Ink {
    /// As SVG has it.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Data => "#959595",
            Self::Black => "#222222",
            Self::Palette(number) => PALETTE[number % PALETTE.len()],
        }
    }

    /// Lengths of dashes and gaps, empty where the line is solid.
    pub(super) fn dashes(self) -> &'static str {
        match self {
            Self::Data | Self::Black => "",
            Self::Palette(number) => DASHES[number / PALETTE.len() % DASHES.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dozen_conditions_look_different() {
        let looks: std::collections::BTreeSet<_> =
            (0..24).map(|number| (Ink::Palette(number).colour(), Ink::Palette(number).dashes())).collect();
        assert_eq!(looks.len(), 24);
        assert_eq!(Ink::Palette(24), Ink::Palette(24));
        assert_eq!(Ink::Palette(24).colour(), Ink::Palette(0).colour());
    }
}
