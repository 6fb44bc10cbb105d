use super::super::fixture::Tree;
use super::super::selection::Choice;
use super::*;
use crate::config::Located;

/// What a selection matches: `subject: image | events | confounds | mask`, or the codes of what is wrong; notes by code.
struct Shown {
    tree: Tree,
    dataset: BidsDataset,
}

impl Shown {
    fn raw(files: &[&str]) -> Self {
        let tree = Tree::new(files);
        let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
        Self { tree, dataset }
    }

    fn derived(files: &[&str]) -> Self {
        let tree = Tree::new(files);
        let dataset = BidsDataset::open(tree.path(), &[tree.path().join("prep")]).unwrap();
        Self { tree, dataset }
    }

    fn matched(&self, selection: &Selection) -> BidsRuns {
        self.dataset.match_runs(selection).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Names of the images of a subject.
    fn images(&self, selection: &Selection, subject: &str) -> Vec<String> {
        let runs = self.matched(selection).subjects.remove(subject).unwrap().unwrap();
        runs.iter().map(|run| run.file.name.as_str().to_owned()).collect()
    }

    fn refused(&self, selection: &Selection) -> String {
        self.tree.shorten(&self.dataset.match_runs(selection).unwrap_err())
    }

    fn refused_subject(&self, selection: &Selection, subject: &str) -> String {
        self.tree.shorten(&self.matched(selection).subjects.remove(subject).unwrap().unwrap_err())
    }

    fn notes(&self, selection: &Selection) -> String {
        self.tree.shorten(&self.matched(selection).notes)
    }
}

fn texts(labels: &[&str]) -> Vec<Located<String>> {
    labels.iter().map(|label| Located::unplaced((*label).to_owned())).collect()
}

/// A dataset as fMRIPrep leaves it: two subjects with two runs in two spaces, one of them short of a run.
fn preprocessed() -> Shown {
    let mut files =
        vec!["task-a_bold.json={\"RepetitionTime\": 2}".to_owned(), "sub-03/func/sub-03_task-b_bold.nii.gz".to_owned()];
    for subject in ["01", "02"] {
        for run in ["1", "2"] {
            let stem = format!("sub-{subject}/func/sub-{subject}_task-a_run-{run}");
            files.push(format!("{stem}_bold.nii.gz"));
            files.push(format!("{stem}_events.tsv"));
            if (subject, run) == ("02", "2") {
                continue;
            }
            files.push(format!("prep/{stem}_desc-confounds_timeseries.tsv"));
            for space in ["A", "B"] {
                files.push(format!("prep/{stem}_space-{space}_desc-preproc_bold.nii.gz"));
                files.push(format!("prep/{stem}_space-{space}_desc-preproc_bold.json"));
                files.push(format!("prep/{stem}_space-{space}_desc-brain_mask.nii.gz"));
                files.push(format!("prep/{stem}_space-{space}_desc-smooth_bold.nii.gz"));
            }
        }
    }
    Shown::derived(&files.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_run_comes_with_all_that_belongs_to_it() {
    let shown = preprocessed();
    let selection = Selection { space: Some(Choice::label("A")), ..Selection::of_task("a") };
    let matched = shown.matched(&selection);
    assert_eq!(matched.subjects.keys().collect::<Vec<_>>(), ["01", "02"]);
    let runs = matched.subjects["01"].as_ref().unwrap();
    assert_eq!(runs.len(), 2);
    let run = &runs[1];
    let below = |path: &std::path::Path| path.strip_prefix(shown.tree.path()).unwrap().display().to_string();
    let paths = [
        below(&run.bold),
        below(run.events.required().unwrap()),
        below(run.confounds.required().unwrap()),
        below(run.mask.required().unwrap()),
        below(&run.sidecars[0]),
        below(&run.raw_sidecars[0]),
    ];
    insta::assert_snapshot!(paths.join("\n"), @"
    prep/sub-01/func/sub-01_task-a_run-2_space-A_desc-preproc_bold.nii.gz
    sub-01/func/sub-01_task-a_run-2_events.tsv
    prep/sub-01/func/sub-01_task-a_run-2_desc-confounds_timeseries.tsv
    prep/sub-01/func/sub-01_task-a_run-2_space-A_desc-brain_mask.nii.gz
    prep/sub-01/func/sub-01_task-a_run-2_space-A_desc-preproc_bold.json
    task-a_bold.json
    ");
    let labels = [&run.session, &run.task, &run.run, &run.space].map(Option::as_deref);
    assert_eq!(labels, [None, Some("a"), Some("2"), Some("A")]);
    assert_eq!((run.subject.as_str(), run.entity("desc")), ("01", Some("preproc")));
    assert_eq!((run.sidecars.len(), run.raw_sidecars.len()), (1, 1));
    insta::assert_snapshot!(shown.notes(&selection), @"
    warning[bids-run-not-preprocessed]: sub-02 has raw runs without a preprocessed image; they are left out
     --> prep/sub-02/func
       = note: sub-02_task-a_run-2_bold.nii.gz

    warning[bids-subject-left-out]: subjects without such a run, raw or not, are left out: sub-03
     --> prep
    ");
}

#[test]
fn what_is_not_stated_must_leave_no_choice() {
    let shown = preprocessed();
    insta::assert_snapshot!(shown.refused(&Selection::of_task("a")), @r#"
    error[bids-choice-needed]: `space` is not stated, and the BOLD images that match have several
     --> prep
       = note: searched `prep`: 2 subjects, 27 functional files
       = note: space: A (3), B (3)
       = hint: add a line to `[bids]`, such as: space = "A"
    "#);
    let raw = Shown::raw(&[
        "sub-01/func/sub-01_task-a_desc-x_bold.nii",
        "sub-01/func/sub-01_task-a_desc-y_bold.nii",
        "sub-02/func/sub-02_task-b_bold.nii",
    ]);
    insta::assert_snapshot!(raw.refused(&Selection::default()), @r#"
    error[bids-choice-needed]: `task` is not stated, and the BOLD images that match have several
     --> .
       = note: searched `.`: 2 subjects, 3 functional files
       = note: task: a (2), b (1)
       = hint: add a line to `[bids]`, such as: task = "a"
    "#);
    insta::assert_snapshot!(raw.refused(&Selection::of_task("a")), @r#"
    error[bids-choice-needed]: `desc` is not stated, and the BOLD images that match have several
     --> .
       = note: searched `.`: 2 subjects, 3 functional files
       = note: desc: x (1), y (1)
       = hint: add a line to `[bids]`, such as: desc = "x"
    "#);
    let chosen = Selection { desc: Some(Choice::label("y")), ..Selection::of_task("a") };
    assert_eq!(raw.images(&chosen, "01"), ["sub-01_task-a_desc-y_bold.nii"]);
}

#[test]
fn labels_that_do_not_occur_show_those_that_do() {
    let shown = preprocessed();
    let selection = Selection {
        tasks: texts(&["task-a"]),
        subjects: texts(&["1", "sub-02", "01"]),
        runs: texts(&["01", "7"]),
        space: Some(Choice::label("a")),
        res: Some(Choice::label("2")),
        ..Selection::default()
    };
    insta::assert_snapshot!(shown.refused(&selection), @"
    error[bids-unknown-label]: no subject `1`
     --> prep
       = note: subjects: 01, 02, 03
       = hint: did you mean `01`?

    error[bids-unknown-label]: no subject `sub-02`
     --> prep
       = note: subjects: 01, 02, 03
       = hint: labels are written without `sub-`: `02`

    error[bids-unknown-label]: no BOLD image has `task-task-a`
     --> prep
       = note: searched `prep`: 2 subjects, 27 functional files
       = note: task: a (12)
       = hint: labels are written without `task-`: `a`

    error[bids-unknown-label]: no BOLD image has `run-7`
     --> prep
       = note: searched `prep`: 2 subjects, 27 functional files
       = note: run: 1 (8), 2 (4)

    error[bids-unknown-label]: no BOLD image has `space-a`
     --> prep
       = note: searched `prep`: 2 subjects, 27 functional files
       = note: space: A (6), B (6)
       = hint: did you mean `A`?

    error[bids-unknown-label]: no BOLD image has `res-2`
     --> prep
       = note: searched `prep`: 2 subjects, 27 functional files
       = note: res: without res- (12)
    ");
}

#[test]
fn labels_that_occur_apart_but_not_together_say_which() {
    let shown = Shown::derived(&[
        "sub-01/func/sub-01_task-a_bold.nii.gz",
        "sub-02/func/sub-02_task-a_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-a_space-A_desc-preproc_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-b_space-B_desc-preproc_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-b_bold_space-B_preproc.nii.gz",
    ]);
    let of_subject = Selection { subjects: texts(&["02"]), ..Selection::of_task("a") };
    assert!(shown.refused(&of_subject).contains("note: whatever the sub, sub: 01 (1)"));
    insta::assert_snapshot!(shown.refused(&Selection { space: Some(Choice::label("B")), ..Selection::of_task("a") }), @"
    error[bids-no-match]: no BOLD image has all of task-a, space-B
     --> prep
       = note: searched `prep`: 1 subject, 2 functional files; 1 name is not BIDS, such as `sub-01/func/sub-01_task-b_bold_space-B_preproc.nii.gz`: `bold` is not an entity such as `task-rest`: letters, a hyphen, letters and digits
       = note: whatever the task, task: b (1)
       = note: whatever the space, space: A (1)
    ");
}

#[test]
fn no_image_at_all() {
    let shown = Shown::derived(&["sub-01/func/sub-01_task-a_bold.nii.gz", "prep/sub-01/func/sub-01_task-a_bold.json"]);
    insta::assert_snapshot!(shown.refused(&Selection::default()), @"
    error[bids-no-bold]: no BOLD image: no file ends in `_bold.nii.gz` or `_bold.nii`
     --> prep
       = note: searched `prep`: 1 subject, 1 functional file
       = hint: the raw dataset has 1; leave `derivatives` out to analyse those
    ");
}

#[test]
fn problems_of_a_subject_leave_the_others() {
    let shown = Shown::derived(&[
        "sub-01/func/sub-01_task-a_bold.nii.gz",
        "sub-02/func/sub-02_task-a_bold.nii.gz",
        "sub-03/func/sub-03_task-a_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-a_bold.nii.gz",
        "prep/sub-02/func/sub-02_task-a_bold.nii.gz",
        "prep/sub-02/func/sub-02_task-a_bold.nii",
        "prep/sub-04/func/sub-04_task-b_bold.nii.gz",
        "prep/sub-05/func/sub-05_task-a_dir-AP_bold.nii.gz",
        "prep/sub-05/func/sub-05_task-a_dir-PA_bold.nii.gz",
    ]);
    let selection = Selection::of_task("a");
    assert_eq!(shown.images(&selection, "01").len(), 1);
    insta::assert_snapshot!(shown.refused_subject(&selection, "02"), @"
    error[bids-several-images]: one run has several images
     --> prep/sub-02/func
       = note: prep/sub-02/func/sub-02_task-a_bold.nii, prep/sub-02/func/sub-02_task-a_bold.nii.gz
       = hint: keep one of them
    ");
    insta::assert_snapshot!(shown.refused_subject(&selection, "03"), @"
    error[bids-subject-without-bold]: sub-03 has no preprocessed BOLD image with task-a
     --> prep
       = note: the raw dataset has 1 such
    ");
    insta::assert_snapshot!(shown.refused_subject(&selection, "05"), @"
    error[bids-several-images]: one run has several images, which differ in dir
     --> prep/sub-05/func
       = note: sub-05_task-a_dir-AP_bold.nii.gz, sub-05_task-a_dir-PA_bold.nii.gz
       = hint: choose by `dir`
    ");
    insta::assert_snapshot!(shown.notes(&selection), @"
    warning[bids-subject-left-out]: subjects without such a run, raw or not, are left out: sub-04
     --> prep
    ");
    let stated = Selection { subjects: texts(&["04", "01"]), ..selection };
    insta::assert_snapshot!(shown.refused_subject(&stated, "04"), @"
    error[bids-subject-without-bold]: sub-04 has no preprocessed BOLD image with task-a
     --> prep/sub-04
       = note: task: b (1)
    ");
    assert!(shown.notes(&stated).is_empty());
}

#[test]
fn echoes_and_parts_need_a_choice() {
    let echoes = |subject: &str| -> Vec<String> {
        (1..4).map(|echo| format!("sub-{subject}/func/sub-{subject}_task-a_echo-{echo}_bold.nii.gz")).collect()
    };
    let files = [echoes("01"), echoes("02")].concat();
    let shown = Shown::raw(&files.iter().map(String::as_str).collect::<Vec<_>>());
    insta::assert_snapshot!(shown.refused(&Selection::of_task("a")), @"
    error[bids-multi-echo]: one run has several echoes, and no `echo` is stated
     --> sub-01/func
       = note: sub-01_task-a_echo-1_bold.nii.gz, sub-01_task-a_echo-2_bold.nii.gz, sub-01_task-a_echo-3_bold.nii.gz
       = note: so it is with each of the 2 subjects
       = hint: combine the echoes first (fMRIPrep and tedana do), or choose one by `echo`
    ");
    let chosen = Selection { echo: Some(Choice::label("02")), ..Selection::of_task("a") };
    assert_eq!(shown.images(&chosen, "02"), ["sub-02_task-a_echo-2_bold.nii.gz"]);
    let parts =
        Shown::raw(&["sub-01/func/sub-01_task-a_part-mag_bold.nii", "sub-01/func/sub-01_task-a_part-phase_bold.nii"]);
    insta::assert_snapshot!(parts.refused_subject(&Selection::of_task("a"), "01"), @"
    error[bids-several-parts]: one run has several parts (magnitude, phase), and no `part` is stated
     --> sub-01/func
       = note: sub-01_task-a_part-mag_bold.nii, sub-01_task-a_part-phase_bold.nii
       = hint: choose by `part`
    ");
    let others = BTreeMap::from([("part".to_owned(), Choice::label("mag"))]);
    assert_eq!(parts.images(&Selection { others, ..Selection::of_task("a") }, "01").len(), 1);
}

#[test]
fn combined_echoes_are_the_run() {
    let shown = Shown::derived(&[
        "sub-01/func/sub-01_task-a_echo-1_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-a_desc-preproc_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-a_echo-1_desc-preproc_bold.nii.gz",
        "prep/sub-01/func/sub-01_task-a_echo-2_desc-preproc_bold.nii.gz",
    ]);
    assert_eq!(shown.images(&Selection::of_task("a"), "01"), ["sub-01_task-a_desc-preproc_bold.nii.gz"]);
    let second = Selection { echo: Some(Choice::label("2")), ..Selection::of_task("a") };
    assert_eq!(shown.images(&second, "01"), ["sub-01_task-a_echo-2_desc-preproc_bold.nii.gz"]);
}

#[test]
fn runs_are_ordered_and_compared_by_number() {
    let shown = Shown::raw(&[
        "sub-01/ses-b/func/sub-01_ses-b_task-a_run-02_bold.nii",
        "sub-01/ses-b/func/sub-01_ses-b_task-a_run-10_bold.nii",
        "sub-01/ses-a/func/sub-01_ses-a_task-a_run-10_bold.nii",
        "sub-01/ses-a/func/sub-01_ses-a_task-a_run-2_bold.nii",
        "sub-02/ses-a/func/sub-02_ses-a_task-a_run-2_bold.nii",
    ]);
    let labels = |selection: &Selection| -> Vec<String> {
        let runs = shown.matched(selection).subjects.remove("01").unwrap().unwrap();
        runs.into_iter().map(|run| format!("{}{}", run.session.unwrap(), run.run.unwrap())).collect()
    };
    assert_eq!(labels(&Selection::default()), ["a2", "a10", "b02", "b10"]);
    let two = Selection { runs: texts(&["002"]), ..Selection::default() };
    assert_eq!(labels(&two), ["a2", "b02"]);
    let sessions = Selection { sessions: texts(&["b", "a"]), runs: texts(&["2"]), ..Selection::default() };
    insta::assert_snapshot!(shown.notes(&sessions), @"
    warning[bids-subject-partial]: sub-02 is analysed without ses-b, which it lacks
     --> sub-02/ses-a/func
    ");
}

#[cfg(unix)]
#[test]
fn what_datalad_did_not_fetch_is_said_with_the_command() {
    let tree = Tree::new(&["sub-01/func/sub-01_task-a_events.tsv", "sub-02/func/sub-02_task-a_bold.nii.gz"]);
    let link = |name: &str| {
        let target = "../../.git/annex/objects/Xx/Yy/MD5E-s9--0.gz";
        std::os::unix::fs::symlink(target, tree.path().join(name)).unwrap();
    };
    link("sub-01/func/sub-01_task-a_bold.nii.gz");
    link("sub-02/func/sub-02_task-a_events.tsv");
    let dataset = BidsDataset::open(tree.path(), &[]).unwrap();
    let shown = Shown { tree, dataset };
    insta::assert_snapshot!(shown.refused_subject(&Selection::of_task("a"), "01"), @"
    error[bids-not-downloaded]: `sub-01_task-a_bold.nii.gz` is not downloaded: git-annex keeps its content elsewhere
     --> sub-01/func/sub-01_task-a_bold.nii.gz
       = hint: `datalad get sub-01/func/sub-01_task-a_bold.nii.gz`
    ");
    let matched = shown.matched(&Selection::of_task("a"));
    let run = &matched.subjects["02"].as_ref().unwrap()[0];
    assert_eq!(run.events.if_any().unwrap_err().iter().next().unwrap().code, "bids-not-downloaded");
}
