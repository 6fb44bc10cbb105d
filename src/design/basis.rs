//! The basis functions of a model's response, in continuous time, with the names they give to columns.

use crate::config::{HrfSettings, HrfShape, Numerics};
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::signal::hrf::{DispersionSlope, DoubleGamma, Kernel, PiecewiseLinear, TemporalSlope, Window};
use crate::signal::hrf::{gamma, glover, spm, tent};

/// Last delay of a finite impulse response that states none, seconds.
const FIR_DEFAULT_LAST_DELAY_S: f64 = 20.0;

/// A column of a condition: the kernel its events are convolved with.
pub(super) struct BasisFunction {
    /// What follows the condition in the column's name, without `_`; empty for the main column.
    pub(super) part: String,
    /// The response.
    pub(super) kernel: BasisKernel,
    /// Delay after an onset that the column speaks of, seconds; `None` for a response of given shape.
    pub(super) delay_s: Option<f64>,
}

impl BasisFunction {
    /// A response of given shape.
    fn shaped(part: &str, kernel: BasisKernel) -> Self {
        Self { part: part.to_owned(), kernel, delay_s: None }
    }
}

/// The kernels a basis may hold.
pub(super) enum BasisKernel {
    /// A canonical response or a derivative of one.
    Canonical(CanonicalPart),
    /// A delay of a finite impulse response; its height is 1, so that its coefficient is the response itself.
    Window(Window),
    /// A hat of height 1, or a response from a table, of unit area.
    Lines(PiecewiseLinear),
    /// No response: the boxcar itself.
    Identity,
}

/// Which column of a canonical response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CanonicalPart {
    /// The response's shape.
    pub(super) shape: HrfShape,
    /// The response or one of its derivatives.
    pub(super) order: CanonicalOrder,
}

/// The response or one of its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CanonicalOrder {
    /// The response.
    Response,
    /// Its temporal derivative.
    Temporal,
    /// Its dispersion derivative.
    Dispersion,
}

impl CanonicalPart {
    /// In continuous time, with unit area.
    pub(super) fn exact(self) -> Box<dyn Kernel> {
        let response: DoubleGamma = match self.shape {
            HrfShape::Spm => spm(),
            HrfShape::Glover => glover(),
            HrfShape::Gamma => gamma(),
        };
        match self.order {
            CanonicalOrder::Response => Box::new(response),
            CanonicalOrder::Temporal => Box::new(TemporalSlope(response)),
            CanonicalOrder::Dispersion => Box::new(DispersionSlope::of(response)),
        }
    }
}

/// The basis a model's settings mean for a run with repetition time `tr_s`; `table` is the response read from the
/// file that [`HrfSettings::File`] names: times (seconds) and amplitudes.
pub(super) fn basis(
    hrf: &HrfSettings,
    table: Option<&(Vec<f64>, Vec<f64>)>,
    tr_s: f64,
    numerics: &Numerics,
) -> Result<Vec<BasisFunction>, Diagnostics> {
    match hrf {
        HrfSettings::Canonical { shape, derivative, dispersion } => {
            let mut functions = vec![canonical(*shape, CanonicalOrder::Response, "")];
            if *derivative {
                functions.push(canonical(*shape, CanonicalOrder::Temporal, "derivative"));
            }
            if *dispersion {
                functions.push(canonical(*shape, CanonicalOrder::Dispersion, "dispersion"));
            }
            Ok(functions)
        }
        HrfSettings::Fir { delays } => fir(delays, tr_s, numerics.fir_delays_in_scans),
        HrfSettings::Tent { start_s, stop_s, knots } => {
            let hats = tent(*start_s, *stop_s, *knots).map_err(|error| {
                Diagnostic::error(
                    "tent-knots",
                    format!("tent from {start_s} to {stop_s} s with {knots} knots: {error}"),
                )
            })?;
            let named = |(delay_s, hat)| BasisFunction {
                part: format!("delay_{}", delay_label(delay_s)),
                kernel: BasisKernel::Lines(hat),
                delay_s: Some(delay_s),
            };
            Ok(hats.into_iter().map(named).collect())
        }
        HrfSettings::None => Ok(vec![BasisFunction::shaped("", BasisKernel::Identity)]),
        HrfSettings::File(path) => {
            let invalid = |found: String| Diagnostic::error("hrf-table-invalid", found).at(Place::file(path));
            let (times_s, amplitudes) = table.ok_or_else(|| invalid("the response's table was not read".to_owned()))?;
            let kernel = PiecewiseLinear::through(times_s, amplitudes)
                .and_then(PiecewiseLinear::of_unit_area)
                .map_err(|error| invalid(format!("this table is no response: {error}")))?;
            Ok(vec![BasisFunction::shaped("", BasisKernel::Lines(kernel))])
        }
    }
}

fn canonical(shape: HrfShape, order: CanonicalOrder, part: &str) -> BasisFunction {
    BasisFunction::shaped(part, BasisKernel::Canonical(CanonicalPart { shape, order }))
}

/// A window a delay: to the next delay up, the last one as wide as the one before it, a lone one as wide as the TR.
/// Delays in scans are one scan wide each, as nilearn has them.
fn fir(stated: &[f64], tr_s: f64, in_scans: bool) -> Result<Vec<BasisFunction>, Diagnostics> {
    let unit_s = if in_scans { tr_s } else { 1.0 };
    let delays: Vec<f64> = if stated.is_empty() {
        // the small addition keeps the last delay where 20 s is a multiple of the TR up to rounding
        let last = (FIR_DEFAULT_LAST_DELAY_S / tr_s + 1e-9).floor() as usize;
        (0..=last).map(|scan| scan as f64 * if in_scans { 1.0 } else { tr_s }).collect()
    } else {
        stated.to_vec()
    };
    let mut problems = Diagnostics::new();
    for delay in delays.iter().filter(|delay| in_scans && (delay.fract() != 0.0 || **delay < 0.0)) {
        problems.push(
            Diagnostic::error("fir-delay-not-scans", format!("FIR delay {delay} is not a whole number of scans"))
                .note("this profile counts FIR delays in scans, 0 or above"),
        );
    }
    let mut sorted = delays.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let width = |delay: f64| {
        let next = sorted.iter().find(|other| **other > delay).map(|next| next - delay);
        let last = sorted.len().checked_sub(2).map(|before| sorted[before + 1] - sorted[before]);
        next.or(last).unwrap_or(tr_s)
    };
    let functions = delays
        .iter()
        .map(|&delay| BasisFunction {
            part: format!("delay_{}", delay_label(delay)),
            kernel: BasisKernel::Window(Window {
                start_s: delay * unit_s,
                width_s: if in_scans { tr_s } else { width(delay) },
            }),
            delay_s: Some(delay * unit_s),
        })
        .collect();
    problems.finish(functions).map(|(functions, _)| functions)
}

/// A delay as it stands in a column's name: to a microsecond, without trailing zeros.
fn delay_label(delay: f64) -> String {
    let rounded = (delay * 1e6).round() / 1e6;
    format!("{}", rounded + 0.0) // + 0.0 turns -0 into 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Located, Profile};

    fn parts(hrf: &HrfSettings, profile: Profile) -> Vec<String> {
        let functions = basis(hrf, None, 2.4, &Numerics::of(profile)).unwrap();
        functions.into_iter().map(|function| function.part).collect()
    }

    #[test]
    fn delays_are_named_in_seconds_or_in_scans() {
        let default = HrfSettings::Fir { delays: vec![] };
        assert_eq!(
            parts(&default, Profile::Native)[..4],
            ["delay_0", "delay_2.4", "delay_4.8", "delay_7.2"].map(str::to_owned)
        );
        assert_eq!(parts(&default, Profile::Nilearn)[7..], ["delay_7", "delay_8"].map(str::to_owned));
        let tent = HrfSettings::Tent { start_s: 0.0, stop_s: 0.3, knots: 4 };
        assert_eq!(parts(&tent, Profile::Native), ["delay_0", "delay_0.1", "delay_0.2", "delay_0.3"]);
    }

    #[test]
    fn delays_are_known_in_seconds_whatever_their_names() {
        let delays = |hrf: &HrfSettings, profile| -> Vec<Option<f64>> {
            let functions = basis(hrf, None, 2.4, &Numerics::of(profile)).unwrap();
            functions.into_iter().map(|function| function.delay_s).collect()
        };
        let fir = HrfSettings::Fir { delays: vec![0.0, 3.0] };
        assert_eq!(delays(&fir, Profile::Native), [Some(0.0), Some(3.0)]);
        assert_eq!(delays(&fir, Profile::Nilearn), [Some(0.0), Some(3.0 * 2.4)]);
        let tent = HrfSettings::Tent { start_s: -1.0, stop_s: 1.0, knots: 3 };
        assert_eq!(delays(&tent, Profile::Native), [Some(-1.0), Some(0.0), Some(1.0)]);
        assert_eq!(delays(&HrfSettings::None, Profile::Native), [None]);
    }

    #[test]
    fn windows_reach_to_the_next_delay() {
        let functions = fir(&[0.0, 2.0, 6.0], 2.0, false).unwrap();
        let windows: Vec<(f64, f64)> = functions
            .iter()
            .map(|function| match function.kernel {
                BasisKernel::Window(Window { start_s, width_s }) => (start_s, width_s),
                _ => panic!("not a window"),
            })
            .collect();
        assert_eq!(windows, [(0.0, 2.0), (2.0, 4.0), (6.0, 4.0)]);
    }

    #[test]
    fn delays_that_are_no_scans_are_refused() {
        let problems = fir(&[0.0, 1.5, -1.0], 2.0, true).err().unwrap();
        insta::assert_snapshot!(problems, @"
    error[fir-delay-not-scans]: FIR delay 1.5 is not a whole number of scans
       = note: this profile counts FIR delays in scans, 0 or above

    error[fir-delay-not-scans]: FIR delay -1 is not a whole number of scans
       = note: this profile counts FIR delays in scans, 0 or above
    ");
    }

    #[test]
    fn a_table_that_is_no_response_is_refused() {
        let hrf = HrfSettings::File(Located::unplaced("hrf.tsv".into()));
        let table = (vec![0.0, 1.0, 1.0], vec![0.0, 1.0, 0.0]);
        let problems = basis(&hrf, Some(&table), 2.0, &Numerics::of(Profile::Native)).err().unwrap();
        insta::assert_snapshot!(problems, @"
    error[hrf-table-invalid]: this table is no response: the time of point 3 is not after that of the point before it
     --> hrf.tsv
    ");
        let tent = HrfSettings::Tent { start_s: 4.0, stop_s: 4.0, knots: 3 };
        let problems = basis(&tent, None, 2.0, &Numerics::of(Profile::Native)).err().unwrap();
        insta::assert_snapshot!(problems, @"error[tent-knots]: tent from 4 to 4 s with 3 knots: the time of point 2 is not after that of the point before it");
    }
}
