//! When the frames of an image were measured, as its sidecars say.

use super::dataset::BidsDataset;
use super::file::{BidsFile, Origin};
use super::inheritance::Metadata;
use crate::error::{Diagnostic, Diagnostics, Place};
use crate::inputs::sidecar::kind_of;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Most by which two times may differ that should be one, seconds: fMRIPrep rounds `StartTime` to milliseconds.
const AGREEMENT_S: f64 = 1e-3;

/// Timing of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct BidsTiming {
    /// The repetition time and the sidecar that says it; of the raw image where the derivative's own say nothing.
    pub repetition_time_s: Option<(f64, PathBuf)>,
    /// A warning where the raw image's sidecars state another repetition time than the derivative's own.
    pub other_repetition_time: Option<Diagnostic>,
    /// When within a repetition time a frame was measured.
    pub frame_time: FrameTime,
    /// `SliceTimingCorrected`.
    pub slice_timing_corrected: Option<bool>,
}

/// When within a repetition time a frame was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum FrameTime {
    /// The slices were shifted to this time.
    Known {
        /// `StartTime`, seconds after the repetition began.
        start_time_s: f64,
        /// The same as a part of the repetition time, 0 to 1: `StartTime / RepetitionTime`.
        slice_time_ref: f64,
        /// The sidecar that says so.
        path: PathBuf,
    },
    /// The sidecars do not say: raw data, or data without slice-time correction.
    NotStated,
    /// The slices were shifted, but not said to when. An error unless `slice_time_ref` is stated.
    Unclear(Diagnostics),
}

impl BidsTiming {
    /// The part of the repetition time at which a frame was measured, 0 to 1; `None` where sidecars do not say.
    ///
    /// # Errors
    /// The slices were shifted, but not said to when.
    pub fn slice_time_ref(&self) -> Result<Option<f64>, Diagnostics> {
        match &self.frame_time {
            FrameTime::Known { slice_time_ref, .. } => Ok(Some(*slice_time_ref)),
            FrameTime::NotStated => Ok(None),
            FrameTime::Unclear(problems) => Err(problems.clone()),
        }
    }
}

impl BidsDataset {
    /// The timing of an image, from its sidecars by the inheritance principle.
    ///
    /// `StartTime` is the time to which slices were shifted. It must lie within the repetition time and, where `SliceTiming`
    /// is still there, among the times of the slices; and it must not be other than 0 where `SliceTimingCorrected` is false.
    ///
    /// # Errors
    /// A sidecar cannot be read, a field is of the wrong kind, fields contradict each other, or the acquisition is sparse.
    pub fn timing_of(&self, bold: &BidsFile) -> Result<BidsTiming, Diagnostics> {
        let own = self.metadata(bold)?;
        let mut problems = Diagnostics::new();
        let mut repetition_time_s = repetition_time(&own, &mut problems);
        let mut other_repetition_time = None;
        if bold.folder.origin != Origin::Raw && problems.is_empty() {
            match &repetition_time_s {
                None => repetition_time_s = repetition_time(&self.raw_metadata(bold)?, &mut problems),
                // what is wrong with sidecars that are not needed stops nothing
                Some(taken) => {
                    let raw = self.raw_metadata(bold).ok();
                    let raw = raw.and_then(|raw| repetition_time(&raw, &mut Diagnostics::new()));
                    other_repetition_time = raw.and_then(|raw| not_the_raw_one(taken, &raw));
                }
            }
        }
        let tr_s = repetition_time_s.as_ref().map(|(tr_s, _)| *tr_s);
        let mut reader = Reader { metadata: &own, problems: &mut problems };
        let corrected = reader.flag("SliceTimingCorrected");
        let frame_time = frame_time(&mut reader, tr_s, corrected, bold);
        let slice_timing_corrected = corrected.map(|(flag, _)| flag);
        let timing = BidsTiming { repetition_time_s, other_repetition_time, frame_time, slice_timing_corrected };
        problems.finish(timing).map(|(timing, _)| timing)
    }
}

/// `RepetitionTime`, or the interval of an even `VolumeTiming`.
fn repetition_time(metadata: &Metadata, problems: &mut Diagnostics) -> Option<(f64, PathBuf)> {
    let mut reader = Reader { metadata, problems };
    let stated = reader.number("RepetitionTime");
    let volumes = reader.numbers("VolumeTiming");
    // the second is the name before BIDS 1.10, by which some converters call the time of the whole scan
    let durations = ["FrameAcquisitionDuration", "AcquisitionDuration"].map(|key| Some((key, reader.number(key)?)));
    let positive = |(seconds, path): (f64, &Path)| {
        if seconds > 0.0 {
            return Ok((seconds, path.to_path_buf()));
        }
        let problem = Diagnostic::error("tr-not-positive", format!("the repetition time is {seconds} s"));
        Err(Diagnostics::from(problem.at(Place::field(path, "RepetitionTime")).hint("expected seconds above 0")))
    };
    let stated = stated.and_then(|stated| problems.collect(positive(stated)));
    let interval = volumes.as_ref().and_then(|(times, path)| even_interval(times).map(|interval| (interval, *path)));
    if let Some((times, path)) = &volumes {
        let disagrees = stated.as_ref().zip(interval).is_some_and(|((tr_s, _), (own, _))| differ(*tr_s, own));
        if interval.is_none() {
            problems.push(sparse(path, "VolumeTiming", format!("the {} volumes are not evenly spaced", times.len())));
        } else if disagrees {
            let message = "`RepetitionTime` and `VolumeTiming` disagree";
            problems.push(
                Diagnostic::error("bids-timing-conflict", message)
                    .at(Place::field(path, "VolumeTiming"))
                    .note(format!("RepetitionTime is {} s", stated.as_ref().map_or(0.0, |(tr_s, _)| *tr_s)))
                    .note(format!("VolumeTiming has a volume each {} s", interval.map_or(0.0, |(own, _)| own)))
                    .hint("BIDS allows one of them"),
            );
        }
    }
    let found = stated.or_else(|| interval.map(|(interval, path)| (interval, path.to_path_buf())));
    for (key, (duration, path)) in durations.into_iter().flatten() {
        if let Some((tr_s, _)) = found.as_ref().filter(|(tr_s, _)| duration < tr_s - AGREEMENT_S) {
            let message = format!("a volume is measured within {duration} s of the repetition time of {tr_s} s");
            problems.push(sparse(path, key, message));
        }
    }
    found
}

/// A warning where a derivative's repetition time is not that of the raw image.
fn not_the_raw_one((taken_s, taken_from): &(f64, PathBuf), (raw_s, raw): &(f64, PathBuf)) -> Option<Diagnostic> {
    if !differ(*taken_s, *raw_s) {
        return None;
    }
    let message =
        format!("the repetition time is {raw_s} s in the raw dataset, {taken_s} s in the derivative, which is used");
    let warning = Diagnostic::warning("bids-tr-differs", message).at(Place::field(raw, "RepetitionTime"));
    let hint = "correct the one that is wrong; where the derivative's is right, `tr_s` under `[bids]` settles it";
    Some(warning.note(format!("the derivative's is in {}", taken_from.display())).hint(hint))
}

fn sparse(path: &Path, field: &str, message: String) -> Diagnostic {
    Diagnostic::error("bids-sparse-acquisition", message + ": sparse acquisition is not supported")
        .at(Place::field(path, field))
        .hint("models here take each frame as one moment of an even grid; leave this run out")
}

/// The interval of evenly spaced times, two at least.
fn even_interval(times_s: &[f64]) -> Option<f64> {
    let first = times_s.get(1)? - times_s.first()?;
    let even = first > 0.0 && times_s.windows(2).all(|pair| !differ(pair[1] - pair[0], first));
    even.then(|| (times_s[times_s.len() - 1] - times_s[0]) / (times_s.len() - 1) as f64)
}

fn frame_time(
    reader: &mut Reader<'_, '_>,
    tr_s: Option<f64>,
    corrected: Option<(bool, &Path)>,
    bold: &BidsFile,
) -> FrameTime {
    let start = reader.number("StartTime");
    let slices = reader.numbers("SliceTiming");
    let Some((start_time_s, path)) = start else {
        return match corrected {
            Some((true, path)) => FrameTime::Unclear(unclear(path, bold).into()),
            _ => FrameTime::NotStated,
        };
    };
    let place = || Place::field(path, "StartTime");
    if let Some((false, other)) = corrected
        && start_time_s.abs() > AGREEMENT_S
    {
        reader.problems.push(
            Diagnostic::error("bids-timing-conflict", "slices are shifted according to one field, and not to another")
                .at(place())
                .note(format!("StartTime is {start_time_s} s"))
                .note(format!("SliceTimingCorrected is false ({})", other.display()))
                .hint("correct the one that is wrong"),
        );
    }
    if let Some((slices, other)) = &slices
        && let Some(first) = slices.iter().copied().reduce(f64::min)
        && let Some(last) = slices.iter().copied().reduce(f64::max)
        && !(first - AGREEMENT_S..=last + AGREEMENT_S).contains(&start_time_s)
    {
        reader.problems.push(
            Diagnostic::error("bids-timing-conflict", "the slices are shifted to a time at which none was measured")
                .at(place())
                .note(format!("StartTime is {start_time_s} s"))
                .note(format!("SliceTiming runs from {first} s to {last} s ({})", other.display()))
                .hint("correct the one that is wrong; times are in seconds"),
        );
    }
    let Some(tr_s) = tr_s else { return FrameTime::NotStated };
    if !(-AGREEMENT_S..=tr_s + AGREEMENT_S).contains(&start_time_s) {
        reader.problems.push(
            Diagnostic::error(
                "start-time-outside",
                format!("StartTime is {start_time_s} s, outside the repetition time of {tr_s} s"),
            )
            .at(place())
            .note("it says when within a repetition time the slices are taken to be measured"),
        );
    }
    FrameTime::Known { start_time_s, slice_time_ref: (start_time_s / tr_s).clamp(0.0, 1.0), path: path.to_path_buf() }
}

fn unclear(path: &Path, bold: &BidsFile) -> Diagnostic {
    let message = format!("the slices of `{}` were shifted in time, but not said to when", bold.name.as_str());
    Diagnostic::error("bids-frame-time-unclear", message)
        .at(Place::field(path, "SliceTimingCorrected"))
        .note("SliceTimingCorrected is true, and there is no StartTime")
        .hint("state `slice_time_ref`; fMRIPrep shifts to the middle of the slices unless told otherwise: about 0.5")
}

/// Whether two times differ by more than 1 ms; the slack of a nanosecond takes up the rounding of decimals.
fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > AGREEMENT_S + 1e-9
}

/// Reads fields of a kind; another kind is a problem.
struct Reader<'a, 'p> {
    metadata: &'a Metadata,
    problems: &'p mut Diagnostics,
}

impl<'a> Reader<'a, '_> {
    fn field<T>(&mut self, key: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Option<(T, &'a Path)> {
        let (value, path) = self.metadata.get(key)?;
        let found = read(value);
        if found.is_none() {
            let problem = Diagnostic::error("sidecar-field", format!("`{key}` is {}", kind_of(value)));
            self.problems.push(problem.at(Place::field(path, key)).hint(format!("expected {expected}")));
        }
        found.map(|found| (found, path))
    }

    fn number(&mut self, key: &str) -> Option<(f64, &'a Path)> {
        self.field(key, "a number of seconds", |value| value.as_f64().filter(|number| number.is_finite()))
    }

    fn numbers(&mut self, key: &str) -> Option<(Vec<f64>, &'a Path)> {
        self.field(key, "a list of numbers of seconds", |value| {
            value.as_array()?.iter().map(|item| item.as_f64().filter(|number| number.is_finite())).collect()
        })
    }

    fn flag(&mut self, key: &str) -> Option<(bool, &'a Path)> {
        self.field(key, "true or false", Value::as_bool)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Tree;
    use super::super::query::Query;
    use super::*;

    /// Timing of a derivative with this sidecar, and of the raw image with that one; messages without the folder.
    fn timing(derivative: &str, raw: &str) -> Result<BidsTiming, String> {
        let tree = Tree::new(&[
            &format!("task-a_bold.json={raw}"),
            "sub-01/func/sub-01_task-a_bold.nii.gz",
            "prep/sub-01/func/sub-01_task-a_desc-preproc_bold.nii.gz",
            &format!("prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json={derivative}"),
        ]);
        let dataset = BidsDataset::open(tree.path(), &[tree.path().join("prep")]).unwrap();
        let images = dataset.find(&Query::new().suffix("bold").images());
        let image = images[usize::from(!derivative.is_empty())];
        dataset.timing_of(image).map_err(|problems| tree.shorten(&problems))
    }

    fn slice_time_ref(derivative: &str) -> Option<f64> {
        timing(derivative, "{}").unwrap().slice_time_ref().unwrap()
    }

    #[test]
    fn start_time_over_repetition_time_is_the_reference() {
        let found = slice_time_ref("{\"RepetitionTime\": 2, \"StartTime\": 0.975, \"SliceTimingCorrected\": true}");
        assert_eq!(found, Some(0.4875));
        assert_eq!(
            slice_time_ref("{\"RepetitionTime\": 2, \"StartTime\": 0, \"SliceTimingCorrected\": false}"),
            Some(0.0)
        );
        let among = "{\"RepetitionTime\": 2, \"StartTime\": 0.5, \"SliceTiming\": [0, 1, 0.5]}";
        assert_eq!(slice_time_ref(among), Some(0.25));
        assert_eq!(slice_time_ref("{\"RepetitionTime\": 2, \"SliceTimingCorrected\": false}"), None);
    }

    #[test]
    fn the_raw_repetition_time_stands_in_and_raw_slices_say_nothing() {
        let raw = "{\"RepetitionTime\": 2.5, \"SliceTiming\": [0, 1, 2]}";
        let derived = timing("{\"StartTime\": 1.25}", raw).unwrap();
        assert!(derived.repetition_time_s.as_ref().unwrap().1.ends_with("task-a_bold.json"));
        assert_eq!(derived.slice_time_ref().unwrap(), Some(0.5));
        let raw = timing("", raw).unwrap();
        assert_eq!((raw.repetition_time_s.unwrap().0, raw.frame_time), (2.5, FrameTime::NotStated));
        let even = timing("", "{\"VolumeTiming\": [0, 2, 4, 6.0004]}").unwrap().repetition_time_s.unwrap().0;
        assert!((even - 2.0001).abs() < 1e-4);
        let whole_scan = timing("", "{\"RepetitionTime\": 2, \"AcquisitionDuration\": 300}").unwrap();
        assert_eq!(whole_scan.repetition_time_s.unwrap().0, 2.0);
    }

    #[test]
    fn contradictions_name_both_values() {
        let conflict = |derivative: &str| timing(derivative, "{}").unwrap_err();
        insta::assert_snapshot!(conflict("{\"RepetitionTime\": 2, \"StartTime\": 1.5, \"SliceTiming\": [0, 1, 0.5]}"), @"
        error[bids-timing-conflict]: the slices are shifted to a time at which none was measured
         --> prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json, field `StartTime`
           = note: StartTime is 1.5 s
           = note: SliceTiming runs from 0 s to 1 s (prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json)
           = hint: correct the one that is wrong; times are in seconds
        ");
        insta::assert_snapshot!(conflict("{\"RepetitionTime\": 2, \"StartTime\": 1, \"SliceTimingCorrected\": false}"), @"
        error[bids-timing-conflict]: slices are shifted according to one field, and not to another
         --> prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json, field `StartTime`
           = note: StartTime is 1 s
           = note: SliceTimingCorrected is false (prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json)
           = hint: correct the one that is wrong
        ");
        insta::assert_snapshot!(conflict("{\"RepetitionTime\": 2, \"StartTime\": 2.5, \"SliceTimingCorrected\": \"yes\"}"), @"
        error[sidecar-field]: `SliceTimingCorrected` is the text `yes`
         --> prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json, field `SliceTimingCorrected`
           = hint: expected true or false

        error[start-time-outside]: StartTime is 2.5 s, outside the repetition time of 2 s
         --> prep/sub-01/func/sub-01_task-a_desc-preproc_bold.json, field `StartTime`
           = note: it says when within a repetition time the slices are taken to be measured
        ");
        let unclear = timing("{\"RepetitionTime\": 2, \"SliceTimingCorrected\": true}", "{}").unwrap();
        insta::assert_snapshot!(unclear.slice_time_ref().unwrap_err().iter().next().unwrap().message, @"the slices of `sub-01_task-a_desc-preproc_bold.nii.gz` were shifted in time, but not said to when");
    }

    #[test]
    fn sparse_acquisitions_are_refused() {
        let refused = |raw: &str| timing("", raw).unwrap_err();
        insta::assert_snapshot!(refused("{\"VolumeTiming\": [0, 2, 10, 12], \"AcquisitionDuration\": 1}"), @"
        error[bids-sparse-acquisition]: the 4 volumes are not evenly spaced: sparse acquisition is not supported
         --> task-a_bold.json, field `VolumeTiming`
           = hint: models here take each frame as one moment of an even grid; leave this run out
        ");
        insta::assert_snapshot!(refused("{\"VolumeTiming\": [0, 8, 16], \"AcquisitionDuration\": 2}"), @"
        error[bids-sparse-acquisition]: a volume is measured within 2 s of the repetition time of 8 s: sparse acquisition is not supported
         --> task-a_bold.json, field `AcquisitionDuration`
           = hint: models here take each frame as one moment of an even grid; leave this run out
        ");
        let frames = refused("{\"RepetitionTime\": 3, \"FrameAcquisitionDuration\": 2}");
        assert!(
            frames.contains("bids-sparse-acquisition") && frames.contains("`FrameAcquisitionDuration`"),
            "{frames}"
        );
        insta::assert_snapshot!(refused("{\"RepetitionTime\": 2, \"VolumeTiming\": [0, 3, 6]}"), @"
        error[bids-timing-conflict]: `RepetitionTime` and `VolumeTiming` disagree
         --> task-a_bold.json, field `VolumeTiming`
           = note: RepetitionTime is 2 s
           = note: VolumeTiming has a volume each 3 s
           = hint: BIDS allows one of them
        ");
        insta::assert_snapshot!(refused("{\"RepetitionTime\": -2}"), @"
        error[tr-not-positive]: the repetition time is -2 s
         --> task-a_bold.json, field `RepetitionTime`
           = hint: expected seconds above 0
        ");
    }
}
