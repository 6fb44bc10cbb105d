use super::*;
use crate::config::{ConfoundStrategy, Expansion, ScrubSettings};

struct Case {
    name: &'static str,
    globs: &'static [&'static str],
    strategy: Option<ConfoundStrategy>,
    first_row_nan: FirstRowNan,
    scrub: Option<ScrubSettings>,
    n_acquired: usize,
    discarded: usize,
}

impl Default for Case {
    fn default() -> Self {
        let name = "c.tsv";
        Self {
            name,
            globs: &["*"],
            strategy: None,
            first_row_nan: FirstRowNan::Error,
            scrub: None,
            n_acquired: 3,
            discarded: 0,
        }
    }
}

impl Case {
    fn read(&self, text: &str) -> Result<(ConfoundTable, String), String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(self.name);
        std::fs::write(&path, text).unwrap();
        let settings = ConfoundSettings {
            columns: self.globs.iter().map(|glob| Located::unplaced((*glob).to_owned())).collect(),
            strategy: self.strategy,
            first_row_nan: self.first_row_nan,
            scrub: self.scrub,
        };
        let short = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
        match read_confounds(&Located::unplaced(path.clone()), &settings, self.n_acquired, self.discarded) {
            Ok((table, warnings)) => Ok((table, short(warnings.to_string()))),
            Err(problems) => Err(short(problems.to_string())),
        }
    }
}

const FMRIPREP: &str =
    "trans_x\trot_z\ttrans_x_derivative1\tcsf_derivative1\n1\t4\tn/a\tn/a\n2\t5\t1\t7\n3\t6\t1.5\t8\n";

#[test]
fn the_first_row_follows_its_policy() {
    let case = |first_row_nan| Case { first_row_nan, globs: &["trans_*"], ..Case::default() };
    let (table, warnings) = case(FirstRowNan::CopyNext).read(FMRIPREP).unwrap();
    assert_eq!(table.names, ["trans_x", "trans_x_derivative1"]);
    assert_eq!(table.columns, [vec![1.0, 2.0, 3.0], vec![1.0, 1.0, 1.5]]);
    assert_eq!((table.kept, warnings.as_str()), (vec![true; 3], ""));
    let (table, _) = case(FirstRowNan::Zero).read(FMRIPREP).unwrap();
    assert_eq!(table.columns[1], [0.0, 1.0, 1.5]);
    insta::assert_snapshot!(Case::default().read(FMRIPREP).unwrap_err(), @r#"
    error[confounds-first-row]: columns have no value in the first row
     --> c.tsv:2, column `trans_x_derivative1`
       = note: columns: trans_x_derivative1, csf_derivative1
       = hint: `[confounds] first_row_nan = "copy-next"` takes the second row's value, "zero" takes 0
    "#);
}

#[test]
fn a_discarded_first_row_is_not_looked_at() {
    let (table, _) = Case { discarded: 1, ..Case::default() }.read(FMRIPREP).unwrap();
    assert_eq!(table.columns, [[2.0, 3.0], [5.0, 6.0], [1.0, 1.5], [7.0, 8.0]]);
    assert_eq!(table.kept, [true; 2]);
}

#[test]
fn rows_must_be_the_volumes() {
    let long = Case { n_acquired: 5, discarded: 2, ..Case::default() };
    insta::assert_snapshot!(long.read("a\n1\n2\n3\n").unwrap_err(), @"
    error[confounds-row-count]: the confound table has 3 rows, the image 5 volumes
     --> c.tsv
       = note: it lacks just the 2 that `discard_volumes` drops
       = hint: expected a row for every acquired volume: `discard_volumes` drops rows and volumes together
    ");
    insta::assert_snapshot!(Case { n_acquired: 2, ..Case::default() }.read("a\n1\n2\n3\n").unwrap_err(), @"
    error[confounds-row-count]: the confound table has 3 rows, the image 2 volumes
     --> c.tsv
       = hint: expected a row for every acquired volume; is it the table of another run?
    ");
    insta::assert_snapshot!(Case::default().read("a\n1\n\n3\n4\n").unwrap_err(), @"
    error[table-blank-line]: empty line between rows
     --> c.tsv:3
       = note: each row is a frame, so a missing one would shift all that follow
       = hint: fill it or delete it
    ");
}

#[test]
fn other_cells_must_be_numbers_and_all_mistakes_are_shown() {
    let case = Case { first_row_nan: FirstRowNan::CopyNext, globs: &["a", "b", "trasn_x"], ..Case::default() };
    insta::assert_snapshot!(case.read("a\tb\ttrans_x\n1\tn/a\t1\ninf\tn/a\t1\nn/a\tx\t1\n").unwrap_err(), @"
    error[table-unknown-column]: no column matches `trasn_x`
     --> c.tsv:1
       = note: columns of c.tsv: a, b, trans_x
       = hint: did you mean `trans_x`?

    error[confounds-not-a-number]: `inf` is not a number
     --> c.tsv:3, column `a`
       = note: expected a finite number
       = note: also on line 4 (n/a)

    error[confounds-not-a-number]: there is no value: `n/a`
     --> c.tsv:3, column `b`
       = note: expected a finite number
       = note: also on line 4 (x)
       = hint: fill the cell, or leave its column out
    ");
}

#[test]
fn a_constant_column_is_a_warning() {
    let (_, warning) = Case::default().read("a\tb\tc\n1\t2\t0\n1\t3\t0\n1\t4\t0\n").unwrap();
    insta::assert_snapshot!(warning, @"
    warning[confounds-constant]: 2 confounds are constant over the run and removes nothing
     --> c.tsv
       = note: columns: a, c
    ");
}

#[test]
fn motion_files_without_a_header_get_the_names_their_program_means() {
    let text = "  0 0 0  0.1 0.2 0.3\n  1 2 3  0.4 0.5 0.6\n  4 5 6  0.7 0.8 0.9\n";
    for (name, rotations) in [("rp_run1.txt", [0.1, 0.4, 0.7]), ("mc.par", [0.0, 1.0, 4.0])] {
        let (table, _) = Case { name, globs: &["rot_x"], ..Case::default() }.read(text).unwrap();
        assert_eq!(table.columns, [rotations], "{name}");
    }
    let (table, _) = Case { name: "dfile.1D", ..Case::default() }.read(text).unwrap();
    assert_eq!(table.names[5], "column_6");
}

#[test]
fn scrubbing_censors_above_the_thresholds_and_counts_the_empty_first_row_as_kept() {
    let text = "framewise_displacement\tstd_dvars\nn/a\tn/a\n0.1\t1\n0.6\t1\n0.5\t1\n0.1\t1.6\n0.1\t1\n0.1\t1\n";
    let scrub = |fd_mm, std_dvars, min_segment, discarded| {
        let scrub = Some(ScrubSettings { fd_mm, std_dvars, min_segment });
        let case = Case { globs: &[], scrub, n_acquired: 7, discarded, ..Case::default() };
        let kept = case.read(text).unwrap().0.kept;
        kept.iter().map(|kept| if *kept { '+' } else { '.' }).collect::<String>()
    };
    assert_eq!(scrub(Some(0.5), None, 0, 0), "++.++++");
    assert_eq!(scrub(Some(0.5), Some(1.5), 0, 0), "++.+.++");
    assert_eq!(scrub(Some(0.5), Some(1.5), 2, 0), "++...++");
    assert_eq!(scrub(Some(0.5), Some(1.5), 2, 1), "....++");
    assert_eq!(scrub(None, Some(1.5), 0, 3), "+.++");
    let scrub = |fd_mm| Some(ScrubSettings { fd_mm: Some(fd_mm), std_dvars: None, min_segment: 0 });
    let case = Case { globs: &[], scrub: scrub(0.01), n_acquired: 7, discarded: 1, ..Case::default() };
    insta::assert_snapshot!(case.read(text).unwrap_err(), @"
    error[confounds-all-censored]: scrubbing censors every volume
     --> c.tsv
       = note: 6 volumes
       = hint: raise the thresholds of `[confounds] scrub`, lower `min_segment`, or leave the run out
    ");
    let case = Case { scrub: scrub(0.5), ..Case::default() };
    insta::assert_snapshot!(case.read("FramewiseDisplacement\n1\n2\n3\n").unwrap_err(), @"
    error[confounds-scrub-column]: no column `framewise_displacement`, which `scrub.fd_mm` needs
     --> c.tsv:1
       = note: columns there are: FramewiseDisplacement
       = hint: did you mean `FramewiseDisplacement`? rename it: scrubbing reads fMRIPrep's names
    ");
}

#[test]
fn globs_of_a_table_without_a_header() {
    let case = Case { globs: &["trans_*"], n_acquired: 2, ..Case::default() };
    insta::assert_snapshot!(case.read("0.1\t0.2\n0.3\t0.4\n").unwrap_err(), @"
    error[table-unknown-column]: no column matches `trans_*`
     --> c.tsv:1
       = note: the table has no header row: its columns are column_1, column_2, …
       = note: columns of c.tsv: column_1, column_2
    ");
}

#[test]
fn no_value_in_a_later_row() {
    let later = "trans_x\n1\nn/a\n2\n";
    insta::assert_snapshot!(Case::default().read(later).unwrap_err(), @"
    error[confounds-not-a-number]: there is no value: `n/a`
     --> c.tsv:3, column `trans_x`
       = note: expected a finite number
       = hint: fill the cell, or leave its column out
    ");
}

#[test]
fn columns_follow_those_of_the_strategy_each_once_and_the_first_row_is_filled() {
    let text = "note\tcsf\twhite_matter\tcsf_derivative1\twhite_matter_derivative1\n1\t2\t3\tn/a\tn/a\n4\t5\t6\t7\t8\n";
    let strategy = Some(ConfoundStrategy { wm_csf: Some(Expansion::Derivatives), ..ConfoundStrategy::default() });
    let case = Case {
        globs: &["note", "csf*"],
        strategy,
        first_row_nan: FirstRowNan::CopyNext,
        n_acquired: 2,
        ..Case::default()
    };
    let (table, _) = case.read(text).unwrap();
    assert_eq!(table.names, ["csf", "csf_derivative1", "white_matter", "white_matter_derivative1", "note"]);
    assert_eq!(table.columns[1], [7.0, 7.0]);
    assert_eq!(table.sidecar, None);
}

#[test]
fn volumes_before_the_steady_state_are_censored_under_a_strategy_and_make_no_segment_shorter() {
    let text = "framewise_displacement\tnon_steady_state_outlier00\tnon_steady_state_outlier01\n\
                n/a\t1\t0\n0\t0\t1\n0\t0\t0\n0\t0\t0\n9\t0\t0\n0\t0\t0\n0\t0\t0\n";
    let scrub = Some(ScrubSettings { fd_mm: Some(0.5), std_dvars: None, min_segment: 3 });
    let kept = |strategy, scrub, discarded| {
        let case = Case { globs: &[], strategy, scrub, n_acquired: 7, discarded, ..Case::default() };
        let kept = case.read(text).unwrap().0.kept;
        kept.iter().map(|kept| if *kept { '+' } else { '.' }).collect::<String>()
    };
    let strategy = Some(ConfoundStrategy::default());
    assert_eq!(kept(strategy, None, 0), "..+++++");
    assert_eq!(kept(strategy, None, 1), ".+++++");
    assert_eq!(kept(strategy, scrub, 0), "..++...", "the segment of four has two before the steady state");
    assert_eq!(kept(None, scrub, 0), "++++...");
    let case = Case { globs: &[], strategy, n_acquired: 2, ..Case::default() };
    insta::assert_snapshot!(case.read("non_steady_state_outlier00\tb\n1\t0\n1\t0\n").unwrap_err(), @"
    error[confounds-all-censored]: every volume is marked as before the steady state
     --> c.tsv
       = note: 2 volumes
       = hint: correct the columns `non_steady_state*`, or leave the run out
    ");
    insta::assert_snapshot!(case.read("non_steady_state_outlier00\tb\n1\t0\nn/a\t0\n").unwrap_err(), @"
    error[confounds-not-a-number]: there is no value: `n/a`
     --> c.tsv:3, column `non_steady_state_outlier00`
       = note: expected a finite number
       = hint: fill the cell, or leave its column out
    ");
}
