//! Which repetition time counts: the pipeline's, the sidecar's or the header's.

use super::Sidecar;
use crate::config::Located;
use crate::error::{Diagnostic, Diagnostics, Place};
use std::path::Path;

/// Most by which two statements of one repetition time may differ, seconds.
const AGREEMENT_S: f64 = 1e-3;

/// The repetition time of a run, seconds.
///
/// A stated one wins: a header that differs by more than 1 ms is a warning (headers lie), a sidecar that does an
/// error. Without one, sidecar and header must agree within 1 ms and the sidecar's value is taken; if only one
/// of them has it, that one. A header's time that is not a positive number says nothing.
///
/// # Errors
/// None is given, two disagree where they must not, or the one that counts is not a positive number.
pub fn resolve_tr(
    stated: Option<&Located<f64>>,
    header_s: Option<f64>,
    sidecar: Option<&Sidecar>,
    bold: &Path,
) -> Result<(f64, Diagnostics), Diagnostics> {
    let header_s = header_s.filter(|header_s| is_time(*header_s));
    let header_place = || Place::field(bold, "pixdim[4]");
    let sidecar = sidecar.and_then(|sidecar| Some((sidecar, sidecar.repetition_time_s?)));
    let mut diagnostics = Diagnostics::new();
    let Some(stated) = stated else {
        return match (sidecar, header_s) {
            (Some((sidecar, sidecar_s)), _) if !is_time(sidecar_s) => {
                Err(not_positive(sidecar_s).at(Place::field(&sidecar.path, "RepetitionTime")).into())
            }
            (Some((sidecar, sidecar_s)), Some(header_s)) if differ(sidecar_s, header_s) => {
                let message = format!("the sidecar's repetition time is {sidecar_s} s, the header's {header_s} s");
                Err(Diagnostic::error("tr-conflict", message)
                    .at(Place::field(&sidecar.path, "RepetitionTime"))
                    .note(format!("the header is {}, field `pixdim[4]`", bold.display()))
                    .hint(unit_hint(sidecar_s, header_s).unwrap_or("state the right one: `tr_s` of the run"))
                    .into())
            }
            (Some((_, sidecar_s)), _) => Ok((sidecar_s, diagnostics)),
            (None, Some(header_s)) => Ok((header_s, diagnostics)),
            (None, None) => {
                Err(Diagnostic::error("tr-missing", "no repetition time: neither header nor sidecar has one")
                    .at(header_place())
                    .hint("state `tr_s` of the run, or `RepetitionTime` in a sidecar")
                    .into())
            }
        };
    };
    let place = || stated.place().unwrap_or_else(|| Place::file(bold));
    if !is_time(stated.value) {
        return Err(not_positive(stated.value).at(place()).into());
    }
    if let Some((sidecar, sidecar_s)) = sidecar.filter(|(_, sidecar_s)| differ(stated.value, *sidecar_s)) {
        let message = format!("the stated repetition time is {} s, the sidecar's {sidecar_s} s", stated.value);
        diagnostics.push(
            Diagnostic::error("tr-conflict", message)
                .at(place())
                .note(format!("the sidecar is {}, field `RepetitionTime`", sidecar.path.display()))
                .hint(unit_hint(stated.value, sidecar_s).unwrap_or("correct one of them")),
        );
    }
    if let Some(header_s) = header_s.filter(|header_s| differ(stated.value, *header_s)) {
        let message = format!("the header's repetition time is {header_s} s; the stated {} s is used", stated.value);
        diagnostics.push(Diagnostic::warning("tr-header-differs", message).at(header_place()));
    }
    diagnostics.finish(stated.value)
}

fn is_time(seconds: f64) -> bool {
    seconds.is_finite() && seconds > 0.0
}

/// Whether two times differ by more than 1 ms; the slack of a nanosecond takes up the rounding of decimals.
fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > AGREEMENT_S + 1e-9 || b.is_nan()
}

fn not_positive(seconds: f64) -> Diagnostic {
    Diagnostic::error("tr-not-positive", format!("the repetition time is {seconds} s")).hint("expected seconds above 0")
}

/// What to say where one time is a thousand times the other.
fn unit_hint(a: f64, b: f64) -> Option<&'static str> {
    let ratio = (a / b).max(b / a);
    ((ratio - 1000.0).abs() < 1.0).then_some("one of them is in milliseconds: repetition times are seconds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn sidecar(seconds: f64) -> Sidecar {
        Sidecar {
            path: PathBuf::from("sub-01_bold.json"),
            repetition_time_s: Some(seconds),
            start_time_s: None,
            slice_timing_s: None,
            task_name: None,
        }
    }

    fn resolve(stated: Option<f64>, header_s: Option<f64>, beside: Option<f64>) -> Result<(f64, String), String> {
        let stated = stated.map(Located::unplaced);
        let beside = beside.map(sidecar);
        resolve_tr(stated.as_ref(), header_s, beside.as_ref(), Path::new("sub-01_bold.nii.gz"))
            .map(|(tr_s, warnings)| (tr_s, warnings.to_string()))
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn one_source_or_sources_that_agree_are_taken_in_silence() {
        for (stated, header_s, beside, expected) in [
            (Some(2.5), None, None, 2.5),
            (Some(2.5), Some(2.501), Some(2.499), 2.5),
            (None, Some(2.0), None, 2.0),
            (None, None, Some(1.5), 1.5),
            (None, Some(2.13001), Some(2.13), 2.13),
            (None, Some(0.0), Some(2.13), 2.13),
            (None, Some(f64::NAN), Some(2.13), 2.13),
        ] {
            assert_eq!(resolve(stated, header_s, beside), Ok((expected, String::new())));
        }
    }

    #[test]
    fn a_stated_time_wins_over_the_header_with_a_warning() {
        let (tr_s, warning) = resolve(Some(2.5), Some(1.0), None).unwrap();
        assert_eq!(tr_s, 2.5);
        insta::assert_snapshot!(warning, @"
        warning[tr-header-differs]: the header's repetition time is 1 s; the stated 2.5 s is used
         --> sub-01_bold.nii.gz, field `pixdim[4]`
        ");
    }

    #[test]
    fn conflicts_and_nonsense_are_errors() {
        insta::assert_snapshot!(resolve(Some(2.5), Some(2.5), Some(2.0)).unwrap_err(), @"
        error[tr-conflict]: the stated repetition time is 2.5 s, the sidecar's 2 s
         --> sub-01_bold.nii.gz
           = note: the sidecar is sub-01_bold.json, field `RepetitionTime`
           = hint: correct one of them
        ");
        insta::assert_snapshot!(resolve(None, Some(2.0), Some(2000.0)).unwrap_err(), @"
        error[tr-conflict]: the sidecar's repetition time is 2000 s, the header's 2 s
         --> sub-01_bold.json, field `RepetitionTime`
           = note: the header is sub-01_bold.nii.gz, field `pixdim[4]`
           = hint: one of them is in milliseconds: repetition times are seconds
        ");
        insta::assert_snapshot!(resolve(None, Some(0.0), None).unwrap_err(), @"
        error[tr-missing]: no repetition time: neither header nor sidecar has one
         --> sub-01_bold.nii.gz, field `pixdim[4]`
           = hint: state `tr_s` of the run, or `RepetitionTime` in a sidecar
        ");
        insta::assert_snapshot!(resolve(Some(0.0), Some(2.0), None).unwrap_err(), @"
        error[tr-not-positive]: the repetition time is 0 s
         --> sub-01_bold.nii.gz
           = hint: expected seconds above 0
        ");
        insta::assert_snapshot!(resolve(None, Some(2.0), Some(-1.0)).unwrap_err(), @"
        error[tr-not-positive]: the repetition time is -1 s
         --> sub-01_bold.json, field `RepetitionTime`
           = hint: expected seconds above 0
        ");
    }
}
