//! The cells of the null table: what noise, seen at what times through what design, varies how in space.

/// What the subject does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paradigm {
    /// 20 s on, 20 s off.
    Block,
    /// Events of 1 s, 4 to 14 s between onsets.
    Event,
}

/// The noise at full strength, of variance 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spectrum {
    /// White.
    White,
    /// AR(1), coefficient .6.
    Ar1,
    /// ARMA(1,1), a .8, b -.5: an AR(1) process seen through white noise.
    Arma11,
    /// AR(2), coefficients .5 and .3.
    Ar2,
    /// Half 1/f noise (a period of 4096 frames), half white.
    Pink,
}

/// How the strength of the noise's memory varies over the box, from 0 (white or nearly) to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    /// 1 everywhere.
    Constant,
    /// `.6 + .2 sin + .2 sin`, periods of 32 voxels along two axes.
    Smooth,
    /// Cubes of 8 voxels, white and full by turns.
    Abrupt,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    pub tr_s: f64,
    pub n_frames: usize,
    pub paradigm: Paradigm,
    pub spectrum: Spectrum,
    pub variation: Variation,
    /// Smoothness of the innovations, voxels.
    pub fwhm: u32,
}

pub const SPECTRA: [Spectrum; 5] = [Spectrum::White, Spectrum::Ar1, Spectrum::Arma11, Spectrum::Ar2, Spectrum::Pink];

impl Cell {
    /// Such as `block-0.8s-240-arma11-smooth-fwhm3`.
    pub fn name(&self) -> String {
        let Self { tr_s, n_frames, fwhm, .. } = self;
        let (paradigm, spectrum, variation) = (self.paradigm(), self.spectrum(), self.variation());
        format!("{paradigm}-{tr_s}s-{n_frames}-{spectrum}-{variation}-fwhm{fwhm}")
    }

    pub fn paradigm(&self) -> &'static str {
        match self.paradigm {
            Paradigm::Block => "block",
            Paradigm::Event => "event",
        }
    }

    pub fn spectrum(&self) -> &'static str {
        match self.spectrum {
            Spectrum::White => "white",
            Spectrum::Ar1 => "ar1",
            Spectrum::Arma11 => "arma11",
            Spectrum::Ar2 => "ar2",
            Spectrum::Pink => "pink",
        }
    }

    pub fn variation(&self) -> &'static str {
        match self.variation {
            Variation::Constant => "constant",
            Variation::Smooth => "smooth",
            Variation::Abrupt => "abrupt",
        }
    }

    /// Whether it is held to the tight bounds.
    pub fn is_core(&self) -> bool {
        self.n_frames == 240 && self.variation != Variation::Abrupt
    }

    /// Rates between which the default's must lie: at .05, at .001.
    pub fn bounds(&self) -> [(f64, f64); 2] {
        match (self.is_core(), self.paradigm == Paradigm::Block && self.tr_s < 1.0) {
            (true, false) => [(0.045, 0.056), (0.0006, 0.0016)],
            (true, true) => [(0.045, 0.060), (0.0005, 0.0020)],
            (false, _) => [(0.043, 0.065), (0.0004, 0.0025)],
        }
    }
}

/// All cells, the core ones first. White noise does not vary in space.
pub fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for n_frames in [240, 120] {
        for variation in [Variation::Constant, Variation::Smooth, Variation::Abrupt] {
            for tr_s in [2.0, 0.8] {
                for paradigm in [Paradigm::Block, Paradigm::Event] {
                    for spectrum in SPECTRA {
                        if spectrum == Spectrum::White && variation != Variation::Constant {
                            continue;
                        }
                        cells.extend([0, 3].map(|fwhm| Cell { tr_s, n_frames, paradigm, spectrum, variation, fwhm }));
                    }
                }
            }
        }
    }
    cells
}
