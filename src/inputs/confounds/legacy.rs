//! Tables that no strategy can read: of fMRIPrep before 1.2, whose columns have other names, or without names.

use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::table::{Table, list};

/// Names in tables of fMRIPrep 1.0 and 1.1; numbers may follow.
const NAMES: [&str; 12] = [
    "FramewiseDisplacement",
    "stdDVARS",
    "non-stdDVARS",
    "vx-wisestdDVARS",
    "WhiteMatter",
    "GlobalSignal",
    "tCompCor",
    "aCompCor",
    "Cosine",
    "NonSteadyStateOutlier",
    "AROMAAggrComp",
    "RotX",
];

/// Refuses a table of which fMRIPrep's present names say nothing.
///
/// # Errors
/// The table has names of fMRIPrep 1.0 or 1.1, or none.
pub(super) fn refuse(table: &Table) -> Result<(), Diagnostics> {
    if !table.has_header && table.columns.first().is_some_and(|first| first == "column_1") {
        let problem = Diagnostic::error("confounds-legacy", "the confound table does not name its columns");
        return Err(problem
            .at(table.header_place())
            .note("`strategy` takes columns by the names that fMRIPrep has given them since 1.2")
            .hint("take them by number, as in columns = [\"column_1\"], or preprocess again with a newer fMRIPrep")
            .into());
    }
    let is_old = |name: &&String| {
        let stem = name.trim_end_matches(|last: char| last.is_ascii_digit());
        NAMES.contains(&stem)
    };
    let old: Vec<String> = table.columns.iter().filter(is_old).cloned().collect();
    if old.is_empty() {
        return Ok(());
    }
    let message = "the confound table is of fMRIPrep 1.0 or 1.1, whose columns have other names";
    Err(Diagnostic::error("confounds-legacy", message)
        .at(table.header_place())
        .note(format!("found: {}", list(&old)))
        .note("`strategy` takes columns by the names that fMRIPrep has given them since 1.2")
        .hint("take the columns by `columns` in place of `strategy`, or preprocess again with a newer fMRIPrep")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::table::Header;

    fn refusal(header: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.tsv");
        std::fs::write(&path, header).unwrap();
        let table = Table::read(&path, None, Header::Detected).unwrap();
        let problems = refuse(&table).err()?;
        Some(problems.to_string().replace(&format!("{}/", directory.path().display()), ""))
    }

    #[test]
    fn names_of_old_versions_are_told_from_those_of_new_ones_and_of_users() {
        assert_eq!(refusal("csf\tstd_dvars\ttrans_x\ta_comp_cor_00\trespRate\tRT\n1\t2\t3\t4\t5\t6\n"), None);
        for name in ["stdDVARS", "aCompCor00", "Cosine03", "RotX", "NonSteadyStateOutlier00"] {
            assert!(refusal(&format!("csf\t{name}\n1\t2\n")).is_some(), "{name}");
        }
    }

    #[test]
    fn messages() {
        insta::assert_snapshot!(refusal("CSF\tWhiteMatter\tY\n1\t2\t3\n").unwrap(), @"
        error[confounds-legacy]: the confound table is of fMRIPrep 1.0 or 1.1, whose columns have other names
         --> c.tsv:1
           = note: found: WhiteMatter
           = note: `strategy` takes columns by the names that fMRIPrep has given them since 1.2
           = hint: take the columns by `columns` in place of `strategy`, or preprocess again with a newer fMRIPrep
        ");
        insta::assert_snapshot!(refusal("1\t2\t3\n1\t2\t3\n").unwrap(), @r#"
        error[confounds-legacy]: the confound table does not name its columns
         --> c.tsv:1
           = note: `strategy` takes columns by the names that fMRIPrep has given them since 1.2
           = hint: take them by number, as in columns = ["column_1"], or preprocess again with a newer fMRIPrep
        "#);
    }
}
